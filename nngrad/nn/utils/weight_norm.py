"""Weight normalisation by a hook; `parametrizations.weight_norm` does without. Salimans, Kingma (2016)."""

from __future__ import annotations

from typing import Any, TypeVar

from ...functional.warn import warn_user
from ...linalg import vector_norm
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Tensor, dim: int) -> Tensor:
    """The 2-norms over all dimensions but one, which are kept; over all of them if `dim` is -1."""
    if dim == -1:
        return vector_norm(v, 2)
    return vector_norm(v, 2, tuple([d for d in range(v.ndim) if d != dim]), keepdim=True)


def normed(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """`v` with norms `g`."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """The hook that computes the weight before each call."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim: int = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight from its norm and its direction."""
        return normed(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Express a parameter by its norms and its direction: weight_g and weight_v, trained in its place.

    dim: the dimension that has a norm for each index; None: one norm for all. The weight is computed
    before each call. Deprecated in favour of `nn.utils.parametrizations.weight_norm`.
    Raises RuntimeError where it is done already.
    """
    warn_user(
        "`nn.utils.weight_norm` is deprecated in favor of `nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
    )
    if _hook_of(module, name) is not None:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, dim)
    weight: Tensor = getattr(module, name)
    delattr(module, name)
    module.register_parameter(name + "_g", Parameter(norm_except_dim(weight.detach(), hook.dim)))
    module.register_parameter(name + "_v", Parameter(weight.detach()))
    hook(module, None)
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo `weight_norm`, keeping the weight's value. Raises ValueError where it was not done."""
    key = _hook_of(module, name)
    if key is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    hook = module._forward_pre_hooks.pop(key)[0]
    weight = hook.compute_weight(module).detach()
    for gone in (name, name + "_g", name + "_v"):
        delattr(module, gone)
    setattr(module, name, Parameter(weight))
    return module


def _hook_of(module: Module, name: str) -> int | None:
    for key, (hook, *_) in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            return key
    return None

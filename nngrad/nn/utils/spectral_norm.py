"""Spectral normalisation by a hook; `parametrizations.spectral_norm` does without. Miyato et al. (2018)."""

from __future__ import annotations

from typing import Any, TypeVar

from ...autograd import no_grad
from ...tensor import Tensor
from .. import functional as F, init
from ..module import Module
from ..modules.conv import _ConvTransposeNd
from ..parameter import Parameter

M = TypeVar("M", bound=Module)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """One row for each index of that dimension."""
    if dim != 0:
        weight = weight.permute(dim, *[d for d in range(weight.ndim) if d != dim])
    return weight.reshape(weight.shape[0], -1)


def unit(vector: Tensor, eps: float) -> Tensor:
    """A vector of length 1."""
    return F.normalize(vector, dim=0, eps=eps)


@no_grad()
def random_unit(like: Tensor, size: int, eps: float) -> Tensor:
    """A random vector of length 1."""
    return unit(init.normal_(like.new_empty(size)), eps)


def check_iterations(count: int) -> None:
    """Raise ValueError for a number of iterations that is not positive."""
    if count <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={count}")


def usual_dim(module: Module, dim: int | None) -> int:
    """The dimension of a weight that counts its outputs, unless it is told."""
    return dim if dim is not None else 1 if isinstance(module, _ConvTransposeNd) else 0


class SpectralNorm:
    """The hook that computes the weight before each call."""

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        check_iterations(n_power_iterations)
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight over its largest singular value, which power iteration looks for."""
        weight, u, v = (getattr(module, self.name + end) for end in ("_orig", "_u", "_v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(unit(matrix.T @ u, self.eps))
                    u.copy_(unit(matrix @ v, self.eps))
        computed: Tensor = weight / (u.clone() @ (matrix @ v.clone()))
        return computed

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a parameter by its largest singular value before each call.

    The parameter becomes weight_orig; the singular vectors are buffers, weight_u and weight_v, improved
    by power iteration in training. dim: the dimension of the outputs, 0 if not given (1 for transposed
    convolutions). Raises RuntimeError where it is done already, ValueError for a parameter that is None.
    """
    if _hook_of(module, name) is not None:
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    hook = SpectralNorm(name, n_power_iterations, usual_dim(module, dim), eps)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    rows, columns = as_matrix(weight.detach(), hook.dim).shape
    u = random_unit(weight.detach(), rows, eps)
    v = random_unit(weight.detach(), columns, eps)
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(name + "_u", u)
    module.register_buffer(name + "_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo `spectral_norm`, keeping the weight's value. Raises ValueError where it was not done."""
    key = _hook_of(module, name)
    if key is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    hook = module._forward_pre_hooks.pop(key)[0]
    with no_grad():
        weight = hook.compute_weight(module, False)
    for gone in (name, name + "_u", name + "_v", name + "_orig"):
        delattr(module, gone)
    module.register_parameter(name, Parameter(weight.detach()))
    return module


def _hook_of(module: Module, name: str) -> int | None:
    for key, (hook, *_) in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            return key
    return None

"""Parametrisations that come with the library."""

from __future__ import annotations

from typing import Any, TypeVar

from ...autograd import no_grad
from ...tensor import Tensor
from .. import functional as F
from ..module import Module
from .parametrize import register_parametrization
from .spectral_norm import as_matrix, check_iterations, random_unit, unit, usual_dim
from .weight_norm import norm_except_dim, normed

M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim: int = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return normed(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Express a parameter by its norms and its direction, which are trained in its place.

    They are `module.parametrizations.weight.original0` and `original1`. dim: the dimension that has a
    norm for each index; None: one norm for all. Salimans and Kingma (2016).

    >>> from nngrad.nn import Linear
    >>> weight_norm(Linear(3, 2)).parametrizations.weight.original0.shape
    nngrad.Size([2, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
        """Take a state that the older `nn.utils.weight_norm` has made."""
        keys = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in keys):
            for i, key in enumerate(keys):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] "
                f"but got {dim})"
            )
        check_iterations(n_power_iterations)
        self.dim: int = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight.detach(), self.dim)
            self.register_buffer("_u", random_unit(matrix, matrix.shape[0], eps))
            self.register_buffer("_v", random_unit(matrix, matrix.shape[1], eps))
            self._improve(matrix, 15)

    @no_grad()
    def _improve(self, matrix: Tensor, iterations: int) -> None:
        """Power iteration towards the singular vectors of the largest singular value."""
        for _ in range(iterations):
            self._u.copy_(unit(matrix @ self._v, self.eps))
            self._v.copy_(unit(matrix.T @ self._u, self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._improve(matrix, self.n_power_iterations)
        return weight / (self._u.clone() @ (matrix @ self._v.clone()))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a parameter by its largest singular value, estimated by power iteration.

    In training each reading of the parameter improves the estimate. dim: the dimension of the outputs,
    0 if not given (1 for transposed convolutions). Miyato et al. (2018). Raises ValueError where there is
    no such parameter.

    >>> from nngrad.nn import Linear
    >>> layer = spectral_norm(Linear(3, 2), n_power_iterations=50)
    >>> import nngrad
    >>> round(nngrad.linalg.matrix_norm(layer.weight, 2).item(), 4)
    1.0
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    given = _SpectralNorm(weight, n_power_iterations, usual_dim(module, dim), eps)
    return register_parametrization(module, name, given)

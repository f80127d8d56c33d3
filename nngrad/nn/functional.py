"""The functions that layers are made of, on tensors."""

from __future__ import annotations

from typing import Final

from .. import dtypes, functional as F, random
from ..dtypes import DTypeLike
from ..functional.warn import warn_user
from ..lifting import lift
from ..tensor import Tensor

linear: Final = lift(F.linear)
tanh: Final = lift(F.tanh)
sigmoid: Final = lift(F.sigmoid)
cross_entropy: Final = lift(F.cross_entropy)
mse_loss: Final = lift(F.mse_loss)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """`max(input, 0)`, element by element."""
    return input.relu_() if inplace else input.relu()


def softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """`exp(input)` scaled to add up to 1 along `dim`, computed in `dtype` if it is given.

    Without `dim` warns and takes 0 for inputs of 0, 1 or 3 dimensions, else 1, as PyTorch does.
    """
    dim = _implicit("softmax", input) if dim is None else dim
    return input.softmax(dim, dtype=None if dtype is None else dtypes.to_numpy(dtype))


def log_softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """The logarithm of `softmax`."""
    dim = _implicit("log_softmax", input) if dim is None else dim
    return input.log_softmax(dim, dtype=None if dtype is None else dtypes.to_numpy(dtype))


def _implicit(name: str, input: Tensor) -> int:
    warn_user(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument."
    )
    return 0 if input.ndim in (0, 1, 3) else 1


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero each element with probability `p` and scale the others by 1 / (1 - p).

    Raises ValueError for a probability outside [0, 1].
    """
    check_probability(p)
    if not training or p == 0 or not input.numel():
        return input
    kept = random.bernoulli_(input.detach().clone(), 1 - p)
    scaled = kept if p == 1 else kept.div_(1 - p)
    return input.mul_(scaled) if inplace else input * scaled


def check_probability(p: float) -> None:
    """Raise ValueError for a dropout probability outside [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")

"""What the distributions share, as in `torch.distributions.utils`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from ..autograd import enable_grad
from ..creation import tensor
from ..dtypes import finfo, get_default_dtype
from ..nn.functional import softmax
from ..operations import broadcast_tensors, log, log1p, sigmoid
from ..tensor import Tensor

R = TypeVar("R")
Number: TypeAlias = float | int | bool


def broadcast_all(*values: Tensor | Number) -> tuple[Tensor, ...]:
    """Tensors of one shape; numbers become tensors of the dtype of those, or of the default dtype.

    Raises ValueError for anything else.
    """
    dtype: Any = None
    for value in values:
        given: object = value
        if not isinstance(given, (Tensor, float, int)):
            raise ValueError(
                f"Input arguments must all be instances of Number or Tensor, got {type(value).__name__}"
            )
        if isinstance(value, Tensor) and dtype is None:
            dtype = value.dtype
    dtype = get_default_dtype() if dtype is None else dtype
    filled = [x if isinstance(x, Tensor) else tensor(x, dtype=dtype) for x in values]
    return tuple(broadcast_tensors(*filled))


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """The sum over the last `dims` dimensions."""
    return value.reshape((*value.shape[: value.ndim - dims], -1)).sum(-1) if dims else value


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from their logarithms (up to a constant), or from log-odds."""
    return sigmoid(logits) if is_binary else softmax(logits, -1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1 by the dtype's eps."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The logarithms of probabilities, or log-odds."""
    clamped = clamp_probs(probs)
    return log(clamped) - log1p(-clamped) if is_binary else log(clamped)


class lazy_property(Generic[R]):
    """An attribute that is computed when it is first asked for, gradients and all."""

    def __init__(self, function: Callable[[Any], R]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:  # at run time an attribute of the instance hides it

        def __set__(self, instance: object, value: R, /) -> None: ...

    def __get__(self, instance: Any, owner: Any = None) -> R:
        if instance is None:
            return self  # type: ignore[return-value]  # of the class itself
        with enable_grad():
            value = instance.__dict__[self.name] = self.function(instance)
        return value

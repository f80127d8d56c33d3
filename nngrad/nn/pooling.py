"""Pooling on tensors: what has a result of another type when it is asked for indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, overload

from .. import functional as F
from ..functional.adaptive import OutSizes
from ..functional.node import Node
from ..functional.pooling import Sizes
from ..lifting import TensorLike, lift_tuple, named_like, wrap
from ..tensor import Tensor


class MaxPool(Protocol):
    """A max pooling: the result, and on request the indices."""

    @overload
    def __call__(
        self,
        input: TensorLike,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode: bool = False,
        return_indices: Literal[False] = False,
    ) -> Tensor: ...
    @overload
    def __call__(
        self,
        input: TensorLike,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode: bool = False,
        *,
        return_indices: Literal[True],
    ) -> tuple[Tensor, Tensor]: ...


class AdaptiveMaxPool(Protocol):
    """An adaptive max pooling: the result, and on request the indices."""

    @overload
    def __call__(
        self, input: TensorLike, output_size: OutSizes, return_indices: Literal[False] = False
    ) -> Tensor: ...
    @overload
    def __call__(
        self, input: TensorLike, output_size: OutSizes, return_indices: Literal[True]
    ) -> tuple[Tensor, Tensor]: ...


def _lift(function: Callable[..., Node | tuple[Node, Node]]) -> Any:
    def lifted(input: TensorLike, *args: Any, **kwargs: Any) -> Tensor | tuple[Tensor, ...]:
        found = function(input, *args, **kwargs)
        return tuple([wrap(x) for x in found]) if isinstance(found, tuple) else wrap(found)

    return named_like(lifted, function)


max_pool1d: Final[MaxPool] = _lift(F.max_pool1d)
max_pool2d: Final[MaxPool] = _lift(F.max_pool2d)
max_pool3d: Final[MaxPool] = _lift(F.max_pool3d)
max_pool1d_with_indices: Final = lift_tuple(F.max_pool1d_with_indices)
max_pool2d_with_indices: Final = lift_tuple(F.max_pool2d_with_indices)
max_pool3d_with_indices: Final = lift_tuple(F.max_pool3d_with_indices)
adaptive_max_pool1d: Final[AdaptiveMaxPool] = _lift(F.adaptive_max_pool1d)
adaptive_max_pool2d: Final[AdaptiveMaxPool] = _lift(F.adaptive_max_pool2d)
adaptive_max_pool3d: Final[AdaptiveMaxPool] = _lift(F.adaptive_max_pool3d)
adaptive_max_pool1d_with_indices: Final = lift_tuple(F.adaptive_max_pool1d_with_indices)
adaptive_max_pool2d_with_indices: Final = lift_tuple(F.adaptive_max_pool2d_with_indices)
adaptive_max_pool3d_with_indices: Final = lift_tuple(F.adaptive_max_pool3d_with_indices)

"""Pooling on tensors: what has a result of another type when it is asked for indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Protocol, overload

from .. import functional as F
from ..functional.adaptive import OutSizes
from ..functional.fractional import samples_shape
from ..functional.node import Node, as_node
from ..functional.pooling import Sizes
from ..lifting import TensorLike, lift_tuple, named_like, wrap
from ..random import rand
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


class FractionalMaxPool(Protocol):
    """A fractional max pooling: the result, and on request the indices."""

    @overload
    def __call__(
        self,
        input: TensorLike,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: Literal[False] = False,
        _random_samples: TensorLike | None = None,
    ) -> Tensor: ...
    @overload
    def __call__(
        self,
        input: TensorLike,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        *,
        return_indices: Literal[True],
        _random_samples: TensorLike | None = None,
    ) -> tuple[Tensor, Tensor]: ...


def _lift(function: Callable[..., Node | tuple[Node, Node]]) -> Any:
    def lifted(input: TensorLike, *args: Any, **kwargs: Any) -> Tensor | tuple[Tensor, ...]:
        found = function(input, *args, **kwargs)
        return tuple([wrap(x) for x in found]) if isinstance(found, tuple) else wrap(found)

    return named_like(lifted, function)


def _fractional(dims: int, function: Callable[..., Node | tuple[Node, Node]]) -> Any:
    """A fractional max pooling whose samples the default generator draws, as PyTorch's."""

    def lifted(
        input: TensorLike,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: TensorLike | None = None,
    ) -> Tensor | tuple[Tensor, ...]:
        samples = _random_samples
        if samples is None:
            x = as_node(input)
            samples = rand(samples_shape(f"fractional_max_pool{dims}d", x, dims), dtype=x.dtype)
        found = function(input, kernel_size, output_size, output_ratio, return_indices, samples)
        return tuple([wrap(x) for x in found]) if isinstance(found, tuple) else wrap(found)

    return named_like(lifted, function)


fractional_max_pool2d: Final[FractionalMaxPool] = _fractional(2, F.fractional_max_pool2d)
fractional_max_pool3d: Final[FractionalMaxPool] = _fractional(3, F.fractional_max_pool3d)
fractional_max_pool2d_with_indices: Final[Callable[..., tuple[Tensor, Tensor]]] = _fractional(
    2, F.fractional_max_pool2d_with_indices
)
fractional_max_pool3d_with_indices: Final[Callable[..., tuple[Tensor, Tensor]]] = _fractional(
    3, F.fractional_max_pool3d_with_indices
)
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

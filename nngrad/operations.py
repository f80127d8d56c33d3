"""The functions of `nngrad.functional` on tensors: `nngrad.exp`, `nngrad.cat` and the like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, SupportsIndex, TypeGuard, overload

import numpy as np

from . import functional as F
from .functional.node import as_node
from .functional.reduction import ValuesIndices
from .tensor import Size, Tensor, TensorLike, lift, lift_view, wrap

abs: Final = lift(F.abs)
add: Final = lift(F.add)
amax: Final = lift(F.amax)
amin: Final = lift(F.amin)
argmax: Final = lift(F.argmax)
argmin: Final = lift(F.argmin)
bitwise_and: Final = lift(F.bitwise_and)
bitwise_left_shift: Final = lift(F.bitwise_left_shift)
bitwise_not: Final = lift(F.bitwise_not)
bitwise_or: Final = lift(F.bitwise_or)
bitwise_right_shift: Final = lift(F.bitwise_right_shift)
bitwise_xor: Final = lift(F.bitwise_xor)
clamp: Final = lift(F.clip)
clip: Final = lift(F.clip)
clone: Final = lift(F.clone)
div: Final = lift(F.div)
divide: Final = lift(F.div)
eq: Final = lift(F.eq)
exp: Final = lift(F.exp)
floor_divide: Final = lift(F.floor_divide)
ge: Final = lift(F.ge)
gt: Final = lift(F.gt)
isnan: Final = lift(F.isnan)
le: Final = lift(F.le)
log: Final = lift(F.log)
log_softmax: Final = lift(F.log_softmax)
logical_and: Final = lift(F.logical_and)
logical_not: Final = lift(F.logical_not)
logical_or: Final = lift(F.logical_or)
lt: Final = lift(F.lt)
masked_fill: Final = lift(F.masked_fill)
matmul: Final = lift(F.matmul)
maximum: Final = lift(F.maximum)
mean: Final = lift(F.mean)
minimum: Final = lift(F.minimum)
mm: Final = lift(F.matmul)
mul: Final = lift(F.mul)
multiply: Final = lift(F.mul)
ne: Final = lift(F.ne)
neg: Final = lift(F.neg)
pow: Final = lift(F.pow)
relu: Final = lift(F.relu)
remainder: Final = lift(F.remainder)
sigmoid: Final = lift(F.sigmoid)
sign: Final = lift(F.sign)
softmax: Final = lift(F.softmax)
sqrt: Final = lift(F.sqrt)
sub: Final = lift(F.sub)
subtract: Final = lift(F.sub)
sum: Final = lift(F.sum)
tanh: Final = lift(F.tanh)
where: Final = lift(F.where)

broadcast_to: Final = lift_view(F.broadcast_to)
flatten: Final = lift_view(F.flatten)
permute: Final = lift_view(F.permute)
reshape: Final = lift_view(F.reshape)
squeeze: Final = lift_view(F.squeeze)
transpose: Final = lift_view(F.transpose)
unsqueeze: Final = lift_view(F.unsqueeze)


def cat(tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Inputs one after the other along a dimension; see `nngrad.functional.concat`."""
    return wrap(F.concat(tensors, dim, axis=axis))


concat: Final = cat
concatenate: Final = cat


def stack(tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Inputs of one shape along a new dimension; see `nngrad.functional.stack`."""
    return wrap(F.stack(tensors, dim, axis=axis))


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Slices along a dimension, as views; see `nngrad.functional.split`."""
    return tensor.split(split_size_or_sections, dim)


def broadcast_shapes(*shapes: int | Sequence[SupportsIndex]) -> Size:
    """The shape that the shapes broadcast to. Raises RuntimeError if they do not fit together.

    >>> broadcast_shapes((2, 1), (3,))
    nngrad.Size([2, 3])
    """
    try:
        return Size(np.broadcast_shapes(*[s if isinstance(s, int) else tuple(s) for s in shapes]))
    except ValueError:
        raise RuntimeError(f"broadcast_shapes: shapes {shapes} cannot be broadcast together") from None


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors as views of their common shape. Raises RuntimeError if the shapes do not fit."""
    shape = broadcast_shapes(*[t.shape for t in tensors])
    return tuple([broadcast_to(t, shape) for t in tensors])


@overload
def max(input: TensorLike) -> Tensor: ...
@overload
def max(input: TensorLike, dim: int, keepdim: bool = False) -> ValuesIndices[Tensor]: ...
@overload
def max(input: TensorLike, dim: Tensor) -> Tensor: ...
def max(input: TensorLike, dim: Any = None, keepdim: bool = False) -> Tensor | ValuesIndices[Tensor]:
    """The maximum of all elements; with `dim`, the maxima along it and their indices; with another
    tensor, the larger of each pair. See `nngrad.functional.max`."""
    return wrap(as_node(input)).max(dim, keepdim)


@overload
def min(input: TensorLike) -> Tensor: ...
@overload
def min(input: TensorLike, dim: int, keepdim: bool = False) -> ValuesIndices[Tensor]: ...
@overload
def min(input: TensorLike, dim: Tensor) -> Tensor: ...
def min(input: TensorLike, dim: Any = None, keepdim: bool = False) -> Tensor | ValuesIndices[Tensor]:
    """The minimum of all elements; with `dim`, the minima along it and their indices; with another
    tensor, the smaller of each pair. See `nngrad.functional.min`."""
    return wrap(as_node(input)).min(dim, keepdim)


# ---------------------------------------------------------------- questions


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def is_tensor(obj: object) -> TypeGuard[Tensor]:
    """Whether an object is a tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers."""
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers."""
    return input.dtype.is_complex


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements; NaN equals nothing.

    >>> equal(wrap(F.constant(1.0)), wrap(F.constant(1.0)))
    True
    """
    return bool(np.array_equal(input.node._value, other.node._value))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `|input - other| <= atol + rtol * |other|` holds for every element.

    Raises RuntimeError if the dtypes differ, or the shapes do not broadcast.
    """
    a, b = input.node._value, other.node._value
    if a.dtype != b.dtype:
        raise RuntimeError(f"allclose: {a.dtype} did not match {b.dtype}")
    broadcast_shapes(a.shape, b.shape)
    return bool(np.allclose(a, b, rtol, atol, equal_nan))

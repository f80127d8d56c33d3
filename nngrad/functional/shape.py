"""The same elements in another shape. All functions are linear.

Those that PyTorch answers with a view are listed in `PUT` with their inverse, here and in the other
rooms, so that the shell can carry an in-place write from a view back to its base.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any, Final, SupportsIndex, TypeAlias

import numpy as np

from .batch import Batch
from .dtypes import DType
from .node import Node, Operand, as_node, implements, seal
from .op import apply, linear

Dims: TypeAlias = SupportsIndex | Sequence[SupportsIndex]


def normal_dim(op: str, dim: SupportsIndex, ndim: int) -> int:
    """A dimension counted from the front. Raises IndexError as PyTorch does, TypeError for no integer."""
    if type(dim) is not int:
        if type(dim) is bool or not hasattr(dim, "__index__"):
            raise TypeError(f"{op}: dim must be an int, not {type(dim).__name__}")
        dim = dim.__index__()
    d = dim
    span = max(ndim, 1)
    if not -span <= d < span:
        raise IndexError(
            f"{op}: Dimension out of range (expected to be in range of [{-span}, {span - 1}], but got {d})"
        )
    return d % span


def normal_dims(op: str, dims: Dims | None, ndim: int) -> tuple[int, ...] | None:
    """Dimensions counted from the front; None stands for all. Raises RuntimeError for repeats."""
    if dims is None:
        return None
    given = dims if isinstance(dims, Sequence) else (dims,)
    normal = tuple([normal_dim(op, d, ndim) for d in given])
    if len(set(normal)) != len(normal):
        raise RuntimeError(f"{op}: dim {normal} names a dimension twice")
    return tuple([d for d in normal if d < ndim])


def sizes_of(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence."""
    if len(sizes) == 1 and not hasattr(sizes[0], "__index__"):  # isinstance takes 10 us for a protocol
        sizes = tuple(sizes[0])
    return tuple([index(s) for s in sizes])


# ---------------------------------------------------------------- copies

clone_op: Final = linear("clone", lambda x: np.array(x, order="C"), lambda g, _, x: g, elementwise=True)


def clone(input: Operand) -> Node:
    """A copy in row-major order.

    >>> clone(np.array([1.0])).data
    array([1.])
    """
    return clone_op.call(input)


def zeros_like(input: Operand, *, dtype: DType | None = None) -> Node:
    """Zeros in the shape and dtype of `input`.

    >>> zeros_like(np.array([1.0])).data
    array([0.])
    """
    value = as_node(input)._value
    if type(value) is Batch:
        return seal(np.zeros(value.shape, value.dtype if dtype is None else dtype))
    return seal(np.zeros_like(value, dtype=dtype))


def ones_like(input: Operand, *, dtype: DType | None = None) -> Node:
    """Ones in the shape and dtype of `input`.

    >>> ones_like(np.array([2.0])).data
    array([1.])
    """
    value = as_node(input)._value
    if type(value) is Batch:
        return seal(np.ones(value.shape, value.dtype if dtype is None else dtype))
    return seal(np.ones_like(value, dtype=dtype))


# ---------------------------------------------------------------- reshape

reshape_op: Final = linear(
    "reshape", lambda x, shape: x.reshape(shape), lambda g, _, x, shape: np.reshape(g, x.shape)
)


def reshape(input: Operand, *shape: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """The elements in row-major order in another shape; one size may be -1.

    Raises RuntimeError if the number of elements differs.

    >>> reshape(np.arange(4.0), 2, 2).shape
    (2, 2)
    """
    x = as_node(input)
    sizes = sizes_of(shape)
    known = 1
    for size in sizes:
        known *= size if size != -1 else 1
    fits = x.size % known == 0 if sizes.count(-1) == 1 and known else known == x.size
    if not fits or sizes.count(-1) > 1 or min(sizes, default=0) < -1:
        raise RuntimeError(
            f"reshape: shape {list(sizes)} is invalid for input of shape {x.shape} ({x.size} elements)"
        )
    return apply(reshape_op, (x,), (sizes,))


def reshape_as(input: Operand, other: Operand) -> Node:
    """The elements in row-major order in the shape of `other`.

    Raises RuntimeError if the number of elements differs.

    >>> reshape_as(np.arange(4.0), np.zeros((2, 2))).shape
    (2, 2)
    """
    return reshape(input, as_node(other).shape)


def ravel(input: Operand) -> Node:
    """The elements in row-major order in one dimension.

    >>> ravel(np.zeros((2, 3))).shape
    (6,)
    """
    return reshape(input, -1) if as_node(input).size else reshape(input, 0)


def unflatten(input: Operand, dim: int, sizes: Sequence[SupportsIndex]) -> Node:
    """One dimension as several, whose sizes multiply up to its own; one of them may be -1.

    Raises RuntimeError if they do not.

    >>> unflatten(np.zeros((2, 12)), 1, (3, -1)).shape
    (2, 3, 4)
    """
    x = as_node(input)
    at = normal_dim("unflatten", dim, x.ndim)
    parts = sizes_of((sizes,))
    if not parts or not x.ndim:
        raise RuntimeError(f"unflatten: sizes {list(parts)} do not fit dim {dim} of shape {x.shape}")
    known = 1
    for size in parts:
        known *= size if size != -1 else 1
    if parts.count(-1) > 1 or (x.shape[at] % known if -1 in parts and known else x.shape[at] != known):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(parts)} don't multiply up to the size of dim {at} "
            f"({x.shape[at]}) in the input of shape {x.shape}"
        )
    filled = [x.shape[at] // known if size == -1 else size for size in parts]
    return reshape(x, (*x.shape[:at], *filled, *x.shape[at + 1 :]))


def flatten(input: Operand, start_dim: int = 0, end_dim: int = -1) -> Node:
    """The dimensions from start_dim to end_dim (inclusive) as one.

    >>> flatten(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    x = as_node(input)
    start = normal_dim("flatten", start_dim, x.ndim)
    end = normal_dim("flatten", end_dim, x.ndim)
    if start > end:
        raise RuntimeError("flatten: start_dim cannot come after end_dim")
    size = 1
    for n in x.shape[start : end + 1]:
        size *= n
    return reshape(x, (*x.shape[:start], size, *x.shape[end + 1 :]))


def squeeze(input: Operand, dim: Dims | None = None) -> Node:
    """Without the dimensions of size 1: all of them, or those of `dim`.

    >>> squeeze(np.zeros((1, 3, 1))).shape
    (3,)
    """
    x = as_node(input)
    dims = normal_dims("squeeze", dim, x.ndim)
    return reshape(x, [n for i, n in enumerate(x.shape) if n != 1 or (dims is not None and i not in dims)])


def unsqueeze(input: Operand, dim: int) -> Node:
    """With a dimension of size 1 before position `dim` of the result.

    >>> unsqueeze(np.zeros(3), 0).shape
    (1, 3)
    """
    x = as_node(input)
    at = normal_dim("unsqueeze", dim, x.ndim + 1)
    return reshape(x, (*x.shape[:at], 1, *x.shape[at:]))


def atleast_1d(input: Operand) -> Node:
    """The input, a number as one dimension of size 1.

    >>> atleast_1d(2.0).shape
    (1,)
    """
    x = as_node(input)
    return x if x.ndim else reshape(x, 1)


def atleast_2d(input: Operand) -> Node:
    """The input, with dimensions of size 1 in front up to two.

    >>> atleast_2d(np.zeros(3)).shape
    (1, 3)
    """
    x = as_node(input)
    return x if x.ndim > 1 else reshape(x, (1, x.size))


def atleast_3d(input: Operand) -> Node:
    """The input with up to three dimensions: (), (n), (m, n) as (1, 1, 1), (1, n, 1), (m, n, 1).

    >>> atleast_3d(np.zeros(3)).shape
    (1, 3, 1)
    """
    x = as_node(input)
    return x if x.ndim > 2 else reshape(x, (*atleast_2d(x).shape, 1))


# ---------------------------------------------------------------- answers to NumPy


@implements(np.reshape)
def _np_reshape(x: Operand, shape: Any) -> Node:
    return reshape(x, shape)


@implements(np.expand_dims)
def _np_expand_dims(x: Operand, axis: Any) -> Node:
    x = as_node(x)
    axes = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    ndim = x.ndim + len(axes)
    at = {normal_dim("expand_dims", a, ndim) for a in axes}
    sizes = iter(x.shape)
    return reshape(x, [1 if i in at else next(sizes) for i in range(ndim)])


@implements(np.squeeze)
def _np_squeeze(x: Operand, axis: Any = None) -> Node:
    return squeeze(x, axis)


implements(np.zeros_like)(zeros_like)
implements(np.ones_like)(ones_like)
implements(np.copy)(clone)
implements(np.ravel)(ravel)


# ---------------------------------------------------------------- views and their inverses


def _put_reshaped(base: Node, new: Node, *_: Any, **__: Any) -> Node:
    return apply(reshape_op, (new,), (base._value.shape,))


#: function whose result is a view -> (base, the view's new value, the view's other arguments) to
#: the base's new value: what PyTorch's shared memory does, said as a function
PUT: Final[dict[Callable[..., Node], Callable[..., Node]]] = {
    reshape: _put_reshaped,
    ravel: _put_reshaped,
    flatten: _put_reshaped,
    unflatten: _put_reshaped,
    squeeze: _put_reshaped,
    unsqueeze: _put_reshaped,
    atleast_1d: _put_reshaped,
    atleast_2d: _put_reshaped,
    atleast_3d: _put_reshaped,
}

#: the views among them that are copies where the layout in memory asks for it
MAY_COPY: Final = (reshape, ravel, flatten)

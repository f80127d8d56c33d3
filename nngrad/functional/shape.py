"""Ops that rearrange: the same elements in another shape or order. All are linear.

Those that PyTorch answers with a view are listed in `PUT` with their inverse, so that the shell
can carry an in-place write from a view back to its base.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, SupportsIndex, TypeAlias

import numpy as np

from .dtypes import DType
from .node import Node, Operand, as_node, implements, seal
from .op import apply, cast, linear, promote

Dims: TypeAlias = SupportsIndex | Sequence[SupportsIndex]


def normal_dim(op: str, dim: SupportsIndex, ndim: int) -> int:
    """A dimension counted from the front. Raises IndexError as PyTorch does."""
    d = dim.__index__()
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
    return tuple([s.__index__() for s in sizes])


# ---------------------------------------------------------------- copies

clone_op: Final = linear("clone", lambda x: np.array(x, order="C"), lambda g, _, x: g, elementwise=True)


def clone(input: Operand) -> Node:
    """A copy in row-major order.

    >>> clone(np.array([1.0])).data
    array([1.])
    """
    return clone_op.call(input)


def copy(input: Operand, source: Operand) -> Node:
    """`source` in the shape and dtype of `input`: the pure form of `input.copy_(source)`.

    Raises RuntimeError if the source does not broadcast to the shape.

    >>> copy(np.zeros((2, 2)), np.array([1.0, 2.0])).data
    array([[1., 2.],
           [1., 2.]])
    """
    x = as_node(input)
    return broadcast_to(cast(as_node(source), x.dtype), x.shape)


def fill(input: Operand, value: Operand) -> Node:
    """`value`, a number or a 0-d operand, everywhere in the shape and dtype of `input`.

    >>> fill(np.zeros(2), 3.0).data
    array([3., 3.])
    """
    return copy(input, value)


def zeros_like(input: Operand, *, dtype: DType | None = None) -> Node:
    """Zeros in the shape and dtype of `input`.

    >>> zeros_like(np.array([1.0])).data
    array([0.])
    """
    return seal(np.zeros_like(as_node(input)._value, dtype=dtype))


def ones_like(input: Operand, *, dtype: DType | None = None) -> Node:
    """Ones in the shape and dtype of `input`.

    >>> ones_like(np.array([2.0])).data
    array([1.])
    """
    return seal(np.ones_like(as_node(input)._value, dtype=dtype))


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


# ---------------------------------------------------------------- order of dimensions

permute_op: Final = linear(
    "permute",
    lambda x, dims: x.transpose(dims),
    lambda g, _, x, dims: np.transpose(g, np.argsort(dims).tolist()),
)


def permute(input: Operand, *dims: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """The dimensions in another order: dimension i of the result is `dims[i]` of the input.

    Raises RuntimeError unless `dims` names each dimension once.

    >>> permute(np.zeros((2, 3, 4)), 2, 0, 1).shape
    (4, 2, 3)
    """
    x = as_node(input)
    order = normal_dims("permute", sizes_of(dims), x.ndim)
    if order is None or len(order) != x.ndim:
        raise RuntimeError(f"permute: {sizes_of(dims)} does not order the {x.ndim} dimensions of {x.shape}")
    return apply(permute_op, (x,), (order,))


def transpose(input: Operand, dim0: int, dim1: int) -> Node:
    """Two dimensions swapped.

    >>> transpose(np.zeros((2, 3)), 0, 1).shape
    (3, 2)
    """
    x = as_node(input)
    order = list(range(x.ndim))
    if not order:
        return x
    a, b = normal_dim("transpose", dim0, x.ndim), normal_dim("transpose", dim1, x.ndim)
    order[a], order[b] = b, a
    return apply(permute_op, (x,), (tuple(order),))


def T(input: Operand) -> Node:
    """All dimensions in reverse order.

    >>> T(np.zeros((2, 3))).shape
    (3, 2)
    """
    x = as_node(input)
    return apply(permute_op, (x,), (tuple(range(x.ndim))[::-1],))


# ---------------------------------------------------------------- broadcasting

broadcast_op: Final = linear("broadcast", np.broadcast_to, lambda g, _, x, shape: g)


def broadcast_to(input: Operand, shape: Sequence[SupportsIndex]) -> Node:
    """The input repeated, without copying, to a shape it broadcasts to.

    Raises RuntimeError if it does not.

    >>> broadcast_to(np.array([1.0, 2.0]), (2, 2)).data
    array([[1., 2.],
           [1., 2.]])
    """
    return apply(broadcast_op, (as_node(input),), (sizes_of((shape,)),))


def broadcast(*inputs: Operand) -> tuple[Node, ...]:
    """Each input broadcast to the shape they have together. Raises RuntimeError if there is none.

    >>> [x.shape for x in broadcast(np.zeros((2, 1)), np.zeros(3))]
    [(2, 3), (2, 3)]
    """
    nodes = [as_node(x) for x in inputs]
    try:
        shape = np.broadcast_shapes(*[n.shape for n in nodes])
    except ValueError:
        told = " and ".join(str(n.shape) for n in nodes)
        raise RuntimeError(f"broadcast: shapes {told} do not broadcast together") from None
    return tuple([n if n.shape == shape else broadcast_to(n, shape) for n in nodes])


def expand(input: Operand, *sizes: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """The input broadcast to the sizes; -1 keeps a dimension's size.

    >>> expand(np.zeros((3, 1)), -1, 4).shape
    (3, 4)
    """
    x = as_node(input)
    given = sizes_of(sizes)
    lead = len(given) - x.ndim
    if lead < 0 or any(s == -1 and i < lead for i, s in enumerate(given)):
        raise RuntimeError(f"expand: sizes {list(given)} do not fit an input of shape {x.shape}")
    return broadcast_to(x, [x.shape[i - lead] if s == -1 else s for i, s in enumerate(given)])


# ---------------------------------------------------------------- joining


def _concat_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    (dim,) = params
    sent: list[Any] = []
    start = 0
    lead = (slice(None),) * dim
    for x, need in zip(inputs, needs):
        stop = start + x.shape[dim]
        sent.append(g[(*lead, slice(start, stop))] if need else None)
        start = stop
    return sent


def _stack_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    lead = (slice(None),) * params[0]
    return [g[(*lead, i)] if need else None for i, need in enumerate(needs)]


_concat: Final = linear("concat", lambda *xs: np.concatenate(xs[:-1], axis=xs[-1]), vjp=_concat_vjp)
_stack: Final = linear("stack", lambda *xs: np.stack(xs[:-1], axis=xs[-1]), vjp=_stack_vjp)


def concat(tensors: Sequence[Operand], dim: int = 0, *, axis: int | None = None) -> Node:
    """The inputs one after the other along an existing dimension.

    Their other sizes must agree; a 1-d input without elements is passed over, as in PyTorch.
    Raises RuntimeError otherwise, and ValueError if there are none.

    >>> concat([np.zeros(2), np.ones(1)]).data
    array([0., 0., 1.])
    """
    if not len(tensors):
        raise ValueError("concat: expected a non-empty list of tensors")
    nodes = promote("concat", *tensors)
    shaped = [n for n in nodes if n.shape != (0,)] or list(nodes[:1])
    first = shaped[0]
    at = normal_dim("concat", dim if axis is None else axis, first.ndim)
    for i, n in enumerate(shaped):
        rest = [s for d, s in enumerate(n.shape) if d != at]
        if n.ndim == 0 or n.ndim != first.ndim or rest != [s for d, s in enumerate(first.shape) if d != at]:
            raise RuntimeError(
                f"concat: Sizes of tensors must match except in dimension {at}: "
                f"expected shape {first.shape} but got {n.shape} for tensor number {i} in the list"
            )
    return apply(_concat, tuple(shaped), (at,))


def cat(tensors: Sequence[Operand], dim: int = 0, *, axis: int | None = None) -> Node:
    """Another name of `concat`.

    >>> cat([np.zeros(2), np.ones(1)]).data
    array([0., 0., 1.])
    """
    return concat(tensors, dim, axis=axis)


def stack(tensors: Sequence[Operand], dim: int = 0, *, axis: int | None = None) -> Node:
    """Inputs of one shape along a new dimension. Raises RuntimeError if their shapes differ.

    >>> stack([np.zeros(2), np.ones(2)]).shape
    (2, 2)
    """
    if not len(tensors):
        raise RuntimeError("stack: expected a non-empty list of tensors")
    nodes = promote("stack", *tensors)
    for i, n in enumerate(nodes):
        if n.shape != nodes[0].shape:
            raise RuntimeError(
                f"stack: expects each tensor to be equal size, but got {nodes[0].shape} at entry 0 "
                f"and {n.shape} at entry {i}"
            )
    at = normal_dim("stack", dim if axis is None else axis, nodes[0].ndim + 1)
    return apply(_stack, nodes, (at,))


# ---------------------------------------------------------------- answers to NumPy


@implements(np.reshape)
def _np_reshape(x: Operand, shape: Any) -> Node:
    return reshape(x, shape)


@implements(np.transpose)
def _np_transpose(x: Operand, axes: Any = None) -> Node:
    return T(x) if axes is None else permute(x, axes)


@implements(np.swapaxes)
def _np_swapaxes(x: Operand, axis1: int, axis2: int) -> Node:
    return transpose(x, axis1, axis2)


@implements(np.expand_dims)
def _np_expand_dims(x: Operand, axis: Any) -> Node:
    x = as_node(x)
    axes = (axis,) if isinstance(axis, SupportsIndex) else tuple(axis)
    ndim = x.ndim + len(axes)
    at = {normal_dim("expand_dims", a, ndim) for a in axes}
    sizes = iter(x.shape)
    return reshape(x, [1 if i in at else next(sizes) for i in range(ndim)])


@implements(np.squeeze)
def _np_squeeze(x: Operand, axis: Any = None) -> Node:
    return squeeze(x, axis)


@implements(np.broadcast_to)
def _np_broadcast_to(x: Operand, shape: Any) -> Node:
    return broadcast_to(x, sizes_of((shape,)))


@implements(np.concatenate)
def _np_concatenate(arrays: Sequence[Operand], axis: int = 0) -> Node:
    return concat(arrays, axis)


@implements(np.stack)
def _np_stack(arrays: Sequence[Operand], axis: int = 0) -> Node:
    return stack(arrays, axis)


implements(np.zeros_like)(zeros_like)
implements(np.ones_like)(ones_like)
implements(np.copy)(clone)


# ---------------------------------------------------------------- views and their inverses


def _put_reshaped(base: Node, new: Node, *_: Any, **__: Any) -> Node:
    return apply(reshape_op, (new,), (base._value.shape,))


def _put_permuted(base: Node, new: Node, *dims: Any) -> Node:
    order = normal_dims("permute", sizes_of(dims), base.ndim) or ()
    return permute(new, np.argsort(order).tolist())


def _put_expanded(base: Node, new: Node, *_: Any, **__: Any) -> Node:
    raise RuntimeError(
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location. Please clone() the tensor before performing the operation."
    )


#: function whose result is a view -> (base, the view's new value, the view's other arguments) to
#: the base's new value: what PyTorch's shared memory does, said as a function
PUT: Final[dict[Callable[..., Node], Callable[..., Node]]] = {
    reshape: _put_reshaped,
    flatten: _put_reshaped,
    squeeze: _put_reshaped,
    unsqueeze: _put_reshaped,
    permute: _put_permuted,
    transpose: lambda base, new, dim0, dim1: transpose(new, dim0, dim1),
    T: lambda base, new: T(new),
    broadcast_to: _put_expanded,
    expand: _put_expanded,
}

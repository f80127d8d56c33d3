"""Reading elements by arrays of indices or by masks: gather, index_select, take, nonzero and kin.

All of them are `getitem` at an index that they work out and check. What is looked up in a sorted
sequence stands here too. Writing at such indices is next door, in placing.py.
"""

from __future__ import annotations

from typing import Any, Final, Literal, overload

import numpy as np

from .batch import Batch, all_examples, leads
from .choice import mask_of
from .dtypes import DType
from .indexing import PLACE, along, getitem_parsed
from .node import Node, Operand, as_node, seal
from .shape import normal_dim, reshape

INT32: Final = np.dtype(np.int32)
INT64: Final = np.dtype(np.int64)


def indices_of(op: str, index: Operand) -> Node:
    """The node of an operand that holds indices. Raises RuntimeError unless it is of int32 or int64."""
    node = as_node(index)
    if node._value.dtype not in (INT64, INT32):
        raise RuntimeError(f"{op}: Expected dtype int32/int64 for index, got {node.dtype}")
    return node


def check_range(
    op: str, index: Node, size: int, lowest: int = 0, error: type[Exception] = IndexError, where: str = ""
) -> None:
    """Raise `error` unless lowest <= index < size everywhere."""
    values = all_examples(index._value)
    if values.size and not lowest <= values.min() <= values.max() < size:
        wrong = values[(values < lowest) | (values >= size)].flat[0]
        raise error(f"{op}: index {wrong} is out of bounds{where} with size {size}")


def at_dim(dim: int, index: Node) -> tuple[tuple[Any, ...], tuple[Node, ...]]:
    """`[:, ..., index]` with the index at `dim`, as parse_index gives it."""
    return (*(slice(None),) * dim, PLACE), (index,)


def along_dim(dim: int, index: Node) -> tuple[tuple[Any, ...], tuple[Node, ...]]:
    """The index that picks `index` along `dim`, place by place, as parse_index gives it."""
    parts = along(index._value, dim)
    return (PLACE,) * len(parts), tuple([seal(part) for part in parts])


def vector_of(op: str, index: Operand, error: type[Exception] = IndexError) -> Node:
    """Indices as a vector: one index may come without dimensions. Raises `error` for more than one."""
    node = indices_of(op, index)
    if node.ndim > 1:
        raise error(f"{op}: Index is supposed to be a vector, but got shape {node.shape}")
    return with_dims(node)


def gather(input: Operand, dim: int, index: Operand, *, sparse_grad: bool = False) -> Node:
    """The elements that `index` names along `dim`: for dim 1, `out[i, j] = input[i, index[i, j]]`.

    index: int64 or int32, with as many dimensions as the input and elsewhere than at `dim` no larger;
    the result has its shape. sparse_grad: accepted, the gradient is dense. Raises RuntimeError for
    an index that is out of range or negative, or whose shape does not fit.

    >>> gather(np.array([[1.0, 2.0], [3.0, 4.0]]), 1, np.array([[0, 0], [1, 0]])).data
    array([[1., 1.],
           [4., 3.]])
    """
    x, at = as_node(input), indices_of("gather", index)
    dim = normal_dim("gather", dim, x.ndim)
    if not at.size:
        return reshape(getitem_parsed(reshape(x, (-1,)), slice(0, 0)), at.shape)
    flat, places = with_dims(x), with_dims(at)
    check_shape("gather", dim, places, flat)
    return _like(getitem_parsed(flat, *index_along("gather", flat, dim, places)), at)


def index_along(
    op: str, x: Node, dim: int, at: Node, whole: bool = True
) -> tuple[tuple[Any, ...], tuple[Node, ...]]:
    """The index that picks `at` along `dim`, once it is checked; of whole parts (if `whole`) where it
    repeats a vector over all of the other dimensions."""
    rows = _repeated(at._value, dim)
    named = at if rows is None else seal(rows)
    check_range(op, named, x.shape[dim], 0, RuntimeError, f" for dimension {dim}")
    if rows is None or not whole or (*x.shape[:dim], len(rows), *x.shape[dim + 1 :]) != at.shape:
        return along_dim(dim, at)
    return at_dim(dim, named)


def _repeated(index: Any, dim: int) -> Any:
    """The vector that an index repeats over the other dimensions, as one from `expand` does: whole
    parts are quicker taken than their elements. None for another index."""
    if type(index) is not np.ndarray or index.ndim < 2:
        return None
    if any(step for i, step in enumerate(index.strides) if i != dim):
        return None
    return index[tuple([slice(None) if i == dim else 0 for i in range(index.ndim)])]


def with_dims(x: Node) -> Node:
    """The node; as a vector if it has no dimensions."""
    return x if x.ndim else reshape(x, (1,))


def _like(x: Node, other: Node) -> Node:
    return x if x.shape == other.shape else reshape(x, other.shape)


def check_shape(op: str, dim: int, index: Node, x: Node, source: Node | None = None) -> None:
    """Raise RuntimeError unless the index has a place in x and, place by place, in the source."""
    for name, other in (("input", x), ("src", source)):
        if other is None:
            continue
        if index.ndim != other.ndim:
            raise RuntimeError(
                f"{op}: Index tensor must have the same number of dimensions as {name} tensor, but got "
                f"shapes {index.shape} and {other.shape}"
            )
        if any(n > m for i, (n, m) in enumerate(zip(index.shape, other.shape)) if other is not x or i != dim):
            raise RuntimeError(
                f"{op}: Expected index {list(index.shape)} to be no larger than {name} {list(other.shape)}"
                + f" apart from dimension {dim}" * (other is x)
            )


def index_select(input: Operand, dim: int, index: Operand) -> Node:
    """The parts of `input` that a vector of indices names along `dim`, in its order.

    index: int64 or int32, a vector or a single index. Raises IndexError for an index that is out
    of range or negative, or that has more dimensions.

    >>> index_select(np.array([[1.0, 2.0], [3.0, 4.0]]), 1, np.array([1, 1])).data
    array([[2., 2.],
           [4., 4.]])
    """
    x, at = as_node(input), vector_of("index_select", index)
    dim = normal_dim("index_select", dim, x.ndim)
    if not x.ndim and at.size != 1:
        raise RuntimeError(f"index_select: Index to scalar can have only 1 value, got {at.size} value(s)")
    check_range("index_select", at, x.shape[dim] if x.ndim else 1, 0, IndexError, f" for dimension {dim}")
    return getitem_parsed(x, *at_dim(dim, at)) if x.ndim else x


def take(input: Operand, index: Operand) -> Node:
    """The elements that `index` names in the input read as a vector; they take the index's shape.

    index: int64; negative indices count from the end. Raises IndexError for an index out of range.

    >>> take(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([3, 0])).data
    array([4., 1.])
    """
    x, at = as_node(input), _long("take", index)
    check_range("take", at, x.size, -x.size)
    return getitem_parsed(reshape(x, (-1,)), PLACE, (at,))


def _long(op: str, index: Operand) -> Node:
    node = as_node(index)
    if node._value.dtype != INT64:
        raise RuntimeError(f"{op}: Expected a long tensor for index, but got {node.dtype}")
    return node


def take_along_dim(input: Operand, indices: Operand, dim: int | None = None) -> Node:
    """The elements that `indices` name along `dim`, as np.take_along_axis; `gather` that broadcasts.

    indices: int64; without `dim` they name elements of the input read as a vector. Negative ones
    count from the end. Raises RuntimeError for an index out of range.

    >>> take_along_dim(np.array([[1.0, 5.0], [4.0, 3.0]]), np.array([[1], [0]]), 1).data
    array([[5.],
           [4.]])
    """
    x, at = as_node(input), _long("take_along_dim", indices)
    if dim is None:
        x, at, dim = reshape(x, (-1,)), reshape(at, (-1,)), 0
    dim = normal_dim("take_along_dim", dim, x.ndim)
    if x.ndim != at.ndim:
        raise RuntimeError(
            "take_along_dim: input and indices should have the same number of dimensions, but got shapes "
            f"{x.shape} and {at.shape}"
        )
    if not x.ndim:
        return reshape(take_along_dim(reshape(x, (1,)), reshape(at, (1,)), 0), ())
    size = x.shape[dim]
    check_range("take_along_dim", at, size, -size, RuntimeError, f" for dimension {dim}")
    if any(n != m for i, (n, m) in enumerate(zip(x.shape, at.shape)) if i != dim):
        x, at = _spread("take_along_dim", x, at, dim)
    return getitem_parsed(x, *along_dim(dim, at))


def _spread(op: str, x: Node, at: Node, dim: int) -> tuple[Node, Node]:
    """Both broadcast to one shape, apart from `dim`."""
    shapes = [[1 if i == dim else n for i, n in enumerate(node.shape)] for node in (x, at)]
    try:
        shape = np.broadcast_shapes(*map(tuple, shapes))
    except ValueError as error:
        raise RuntimeError(
            f"{op}: shapes {x.shape} and {at.shape} do not broadcast apart from dimension {dim}"
        ) from error
    return tuple(  # type: ignore[return-value]  # of two
        [np.broadcast_to(n, (*shape[:dim], n.shape[dim], *shape[dim + 1 :])) for n in (x, at)]
    )


def masked_select(input: Operand, mask: Operand) -> Node:
    """The elements where the mask is True, as a vector; input and mask broadcast together.

    mask: bools. Raises RuntimeError for another dtype or shapes that do not broadcast.

    >>> masked_select(np.array([1.0, 2.0, 3.0]), np.array([True, False, True])).data
    array([1., 3.])
    """
    x, chosen = meet("masked_select", input, mask)
    return getitem_parsed(x, PLACE, (chosen,))


def meet(op: str, input: Operand, mask: Operand) -> tuple[Node, Node]:
    """An input and a mask in their common shape."""
    x, chosen = as_node(input), mask_of(op, mask)
    if x.shape == chosen.shape:
        return x, chosen
    try:
        shape = np.broadcast_shapes(x.shape, chosen.shape)
    except ValueError as error:
        raise RuntimeError(f"{op}: shapes {x.shape} and {chosen.shape} do not broadcast") from error
    wide: Any = [np.broadcast_to(node, shape) if node.shape != shape else node for node in (x, chosen)]
    return wide[0], wide[1]


@overload
def nonzero(input: Operand, *, as_tuple: Literal[False] = False) -> Node: ...
@overload
def nonzero(input: Operand, *, as_tuple: Literal[True]) -> tuple[Node, ...]: ...
@overload
def nonzero(input: Operand, *, as_tuple: bool) -> Node | tuple[Node, ...]: ...
def nonzero(input: Operand, *, as_tuple: bool = False) -> Node | tuple[Node, ...]:
    """Where the input is not zero: a row of indices for each such element, in row-major order.

    as_tuple: a vector of indices for each dimension instead, with which the input can be indexed.

    >>> nonzero(np.array([0.0, 3.0, 4.0])).data
    array([[1],
           [2]])
    """
    value: Any = as_node(input)._value
    if not as_tuple:
        return seal(np.argwhere(value).astype(INT64, copy=False))
    return tuple([seal(at) for at in np.nonzero(np.atleast_1d(value))])


def argwhere(input: Operand) -> Node:
    """Where the input is not zero: a row of indices for each such element. See `nonzero`.

    >>> argwhere(np.array([[0.0, 3.0], [4.0, 0.0]])).data
    array([[0, 1],
           [1, 0]])
    """
    return nonzero(input)


# ---------------------------------------------------------------- sorted sequences


def searchsorted(
    sorted_sequence: Operand,
    input: Operand,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: Literal["left", "right"] | None = None,
    sorter: Operand | None = None,
) -> Node:
    """Where each value would be inserted into a sequence that is sorted along its last dimension.

    sorted_sequence: a vector, or for values of shape (..., m) sequences of shape (..., n). Equal
    values are inserted before their equals, with `right` (or side="right") after them. sorter:
    indices that would sort the sequence. Raises RuntimeError for shapes that do not fit.

    >>> searchsorted(np.array([1.0, 2.0, 3.0]), np.array([2.0, 9.0])).data
    array([1, 3])
    """
    sequence, values = as_node(sorted_sequence), as_node(input)
    if side not in (None, "left", "right"):
        raise RuntimeError(f"searchsorted: side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError("searchsorted: side and right can't be set to opposites, got side='left'")
    if not sequence.ndim or (sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]):
        raise RuntimeError(
            "searchsorted: boundaries should be 1 dimension or the first N-1 dimensions of boundaries and "
            f"input value must match, but got shapes {sequence.shape} and {values.shape}"
        )
    order = None if sorter is None else _sorter(sequence, sorter)
    dtype = INT32 if out_int32 else INT64
    return seal(_insert(sequence._value, values._value, right or side == "right", order, dtype))


def _sorter(sequence: Node, sorter: Operand) -> Any:
    order = _long("searchsorted", sorter)
    if order.shape != sequence.shape:
        raise RuntimeError(
            "searchsorted: boundary and sorter must have the same size, but got shapes "
            f"{sequence.shape} and {order.shape}"
        )
    check_range("searchsorted", order, sequence.shape[-1], 0, RuntimeError, " of sorter")
    return order._value


@leads
def _insert(sequence: Any, values: Any, right: bool, order: Any, dtype: DType) -> Any:
    if sequence.dtype.kind == "b":
        raise RuntimeError("searchsorted: not implemented for bools")
    side: Literal["left", "right"] = "right" if right else "left"
    if order is not None:
        sequence = np.take_along_axis(sequence, order, -1)
    if sequence.ndim == 1:
        if type(values) is Batch and type(sequence) is not Batch:
            return Batch(_insert(sequence, values.array, right, None, dtype), values.level, values.same)
        return np.asarray(np.searchsorted(sequence, values, side)).astype(dtype, copy=False)
    found = np.empty(values.shape, dtype)
    for i in np.ndindex(values.shape[:-1]):
        found[i] = np.searchsorted(sequence[i], values[i], side)
    return found


def bucketize(input: Operand, boundaries: Operand, *, out_int32: bool = False, right: bool = False) -> Node:
    """Which bucket each value falls into: `boundaries[i - 1] < value <= boundaries[i]`.

    boundaries: a sorted vector. right: `boundaries[i - 1] <= value < boundaries[i]` instead. Raises
    RuntimeError if the boundaries are no vector.

    >>> bucketize(np.array([0.5, 1.0, 7.0]), np.array([0.0, 1.0, 2.0])).data
    array([1, 1, 3])
    """
    edges = as_node(boundaries)
    if edges.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries must be 1 dimension, but got shape {edges.shape}")
    return searchsorted(edges, input, out_int32=out_int32, right=right)

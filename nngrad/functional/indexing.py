"""Reading and assigning elements: `x[index]` and its copy-on-write assignment.

An index is whatever NumPy takes: integers, slices, None, Ellipsis, masks, integer arrays, and
mixtures. The arrays among them become inputs of the op, what is left is its static parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from sys import getrefcount
from types import EllipsisType
from typing import Any, Final, SupportsIndex, TypeAlias

import numpy as np

from .batch import ANSWERS, Batch, NeedsBatching
from .dtypes import AnyArray, Nested
from .engine import ALONE, Cleared, Scatter, copied
from .node import GETITEM, MOVED, Draft, HasNode, Hole, Node, Operand, as_node, grad_mode, implements, seal
from .op import Op, apply, cast, forward_error, general, is_number, linear, no_gradient, scalar
from .scattering import dense, has_unique_cells, row_numbers, scatter_add
from .shape import PUT, clone_op, normal_dim

IndexPart: TypeAlias = SupportsIndex | slice | EllipsisType | HasNode | AnyArray | Nested[bool | int] | None
Index: TypeAlias = IndexPart | tuple[IndexPart, ...]

_set_value: Final = Draft.__dict__["_value"].__set__  # a slot is a descriptor


class _Place:
    """Where an array stood in an index. There is one: arrays fill the places in order."""

    def __repr__(self) -> str:
        return "array"


PLACE: Final = _Place()
#: places along dimensions up to this long are kept: np.ogrid takes 20 us
_KEPT: Final = 1 << 14


def parse_index(index: Any) -> tuple[Any, tuple[Node, ...]]:
    """An index as (template, arrays)."""
    kind = type(index)
    if kind is int or kind is slice:
        return index, ()
    parts = index if kind is tuple else (index,)
    arrays: list[Node] = []
    template: list[Any] = []
    for part in parts:
        kind = type(part)
        if kind is int or kind is slice or part is None or part is Ellipsis:
            template.append(part)
        elif kind is not bool and not hasattr(part, "ndim") and hasattr(part, "__index__"):
            template.append(part.__index__())
        else:
            operand: Any = np.asarray(part) if kind is bool or isinstance(part, Sequence) else part
            array = as_node(operand)
            if not array.size and array.dtype.kind == "f":  # x[[]]: an empty list has no dtype
                array = seal(np.zeros(array.shape, np.intp))
            if array.dtype.kind not in "biu":
                raise IndexError(
                    "tensors used as indices must be integers or bools, got "
                    f"{array.dtype} (shape {array.shape})"
                )
            if array.ndim == 0 and array.dtype.kind != "b" and type(array._value) is not Batch:
                template.append(int(array._value))
            else:
                template.append(PLACE)
                arrays.append(array)
    return (tuple(template) if type(index) is tuple else template[0]), tuple(arrays)


def numbers_first(template: Any, arrays: Sequence[Node]) -> tuple[Any, Any] | None:
    """The basic index and then the one by arrays that are PyTorch's `x[index]`, where NumPy's is another.

    PyTorch takes the numbers first. To NumPy they are arrays too, and arrays with something else between
    them lead in the result: x[0, :, i] has the dimension of i in front.
    """
    if type(template) is not tuple or not any(type(part) is int for part in template):
        return None
    taken = [at for at, part in enumerate(template) if type(part) is int or part is PLACE]
    if taken[-1] - taken[0] < len(taken):
        return None
    basic: list[Any] = []
    rest = iter(arrays)
    for part in template:
        if part is PLACE:
            array = next(rest)
            basic += [slice(None)] * (array.ndim if array.dtype.kind == "b" else 1)
        else:
            basic.append(part)
    kept = [part for part in template if type(part) is not int]
    return tuple(basic), tuple([part if part is PLACE or part is Ellipsis else slice(None) for part in kept])


def with_arrays(template: Any, arrays: Sequence[Any]) -> Any:
    """An index from its template and the arrays of its places."""
    if not arrays:
        return template
    if type(template) is not tuple:
        return arrays[0]
    rest = iter(arrays)
    return tuple([next(rest) if part is PLACE else part for part in template])


# ---------------------------------------------------------------- reading


def _getitem(x: Any, *rest: Any) -> Any:
    if len(rest) == 1:
        return x[rest[0]]
    if len(rest) == 2 and rest[1] is PLACE and rest[0].dtype == np.intp and x.ndim:
        return np.take(x, rest[0], 0)  # up to five times as fast
    return x[with_arrays(rest[-1], rest[:-1])]


def _getitem_rule(g: Any, _: Any, x: Any, *rest: Any) -> Any:
    if type(g) is Node:
        return scatter_op.call(g, *rest[:-1], rest[-1], x.shape)
    if type(g) is Batch or Batch in map(type, rest[:-1]):
        raise NeedsBatching
    return Scatter(g, rest[0] if len(rest) == 1 else with_arrays(rest[-1], rest[:-1]))


getitem_op: Final[Op] = linear("getitem", _getitem, _getitem_rule)

#: the transpose of getitem: g at the index of an array of zeros
scatter_op: Final[Op] = linear(
    "scatter",
    lambda g, *rest: dense(g, with_arrays(rest[-2], rest[:-2]), rest[-1]),
    lambda g, _, x, *rest: getitem_op(g, *rest[:-2], rest[-2]),
)


def getitem(input: Operand, index: Index) -> Node:
    """`input[index]`, in every form NumPy takes. A node of the graph, never a shared buffer.

    Raises IndexError if the index is out of range or has too many parts.

    >>> getitem(np.arange(6.0).reshape(2, 3), (1, slice(None, 2))).data
    array([3., 4.])
    """
    template, arrays = parse_index(index)
    return getitem_parsed(as_node(input), template, arrays)


def getitem_parsed(x: Node, template: Any, arrays: tuple[Node, ...] = ()) -> Node:
    """`getitem` by an index as parse_index gives it."""
    return apply(getitem_op, (x, *arrays), (template,))


implements(GETITEM)(getitem)


@implements(np.take_along_axis)
def _np_take_along_axis(x: Operand, indices: Operand, axis: int) -> Node:
    node, chosen = as_node(x), as_node(indices)
    return getitem(node, along(chosen._value, normal_dim("take_along_axis", axis, node.ndim)))


def along(indices: Any, dim: int) -> tuple[Any, ...]:
    """The full index that picks `indices` along `dim` and every place of the other dimensions."""
    shape = indices.shape
    return tuple([indices if d == dim else _places(n, len(shape) - 1 - d)[:n] for d, n in enumerate(shape)])


@lru_cache(32)
def _counted(bits: int, behind: int) -> Any:
    grid = np.arange(1 << bits).reshape(-1, *(1,) * behind)
    grid.flags.writeable = False
    return grid


def _places(size: int, behind: int) -> Any:
    """At least the integers from 0 to size - 1, with so many dimensions of size 1 behind."""
    if size <= _KEPT:
        return _counted(max(size - 1, 0).bit_length(), behind)
    return np.arange(size).reshape(-1, *(1,) * behind)


# ---------------------------------------------------------------- assignment


def _put(x: Any, value: Any, *rest: Any) -> Any:
    result = copied(x)
    result[with_arrays(rest[-1], rest[:-1])] = _without_leading_ones(value)
    return result


def _without_leading_ones(value: Any) -> Any:
    """The value to assign: PyTorch drops its leading 1s, where NumPy takes them in part of the cases."""
    shape = value.shape
    if not shape or shape[0] != 1:
        return value
    while shape and shape[0] == 1:
        shape = shape[1:]
    return np.reshape(value, shape)


def _put_rule(g: Any, _: Any, x: Any, value: Any, *rest: Any) -> Any:
    if type(g) is Node:
        return put_op.call(g, scalar(0.0, g.dtype), *rest)
    if type(g) is Batch or Batch in map(type, rest[:-1]):
        raise NeedsBatching
    return Cleared(g, rest[0] if len(rest) == 1 else with_arrays(rest[-1], rest[:-1]))


def _put_value_rule(g: Any, _: Any, x: Any, value: Any, *rest: Any) -> Any:
    # a copy of the array: g may be cleared in place
    taken: Any = getitem_op.call(g, *rest) if type(g) is Node else copied(_getitem(g, *rest))
    if len(rest) > 1:
        indices = [getattr(a, "_value", a) for a in rest[:-1]]
        if Batch in map(type, indices):
            lasts = ANSWERS["last_writers"](x.shape, rest[-1], indices)
        else:
            lasts = last_writers(x.shape, with_arrays(rest[-1], indices))
        if lasts is not None:
            taken = np.multiply(taken, lasts.astype(g.dtype))
    lead = len(value.shape) - len(taken.shape)
    # leading 1s of the value were dropped on assignment
    return np.reshape(taken, (1,) * lead + taken.shape) if lead > 0 else taken


def last_writers(shape: tuple[int, ...], index: Any) -> Any:
    """Which written values are still there at the end, where an index names a cell twice."""
    if has_unique_cells(index):
        return None
    found = row_numbers(shape, index) if all(shape) else None
    if found is not None:
        rows, depth = found
        order = np.arange(rows.size).reshape(rows.shape)
        winner = np.empty(prod(shape[:depth]), np.intp)
        winner[rows] = order
        return np.equal(winner[rows], order).reshape(*rows.shape, *(1,) * (len(shape) - depth))
    winner = np.empty(shape, np.intp)
    order = np.arange(winner[index].size).reshape(winner[index].shape)
    winner[index] = order
    return np.equal(winner[index], order)


put_op: Final[Op] = linear("index_put", _put, _put_rule, _put_value_rule)


def _add(x: Any, value: Any, *rest: Any) -> Any:
    result = copied(x)
    scatter_add(result, with_arrays(rest[-1], rest[:-1]), value)
    return result


#: x, and value added at an index that may name cells several times
add_at_op: Final[Op] = linear(
    "index_add",
    _add,
    lambda g, _, x, value, *rest: g,
    lambda g, _, x, value, *rest: getitem_op(g, *rest),
)


def index_put(input: Operand, index: Index, values: Operand, accumulate: bool = False) -> Node:
    """A copy of `input` with `values` at `index`: the pure form of `x[index] = values`.

    index: what `input[index]` takes, which a tuple of integer arrays is. The values broadcast to the
    shape of `input[index]` and take the input's dtype; where the index names a cell twice, the last
    value stands and it alone receives the gradient. accumulate: add them to the input instead, each
    as often as its cell is named. Raises IndexError for an index out of range and RuntimeError for
    values that do not broadcast.

    >>> index_put(np.zeros(3), 1, 5.0).data
    array([0., 5., 0.])
    >>> index_put(np.zeros(3), (np.array([1, 1]),), 5.0, accumulate=True).data
    array([ 0., 10.,  0.])
    """
    if isinstance(index, list) and any(hasattr(part, "node") for part in index):
        index = tuple(index)
    x, (template, arrays) = as_node(input), parse_index(index)
    if not accumulate:
        return put_parsed(x, template, arrays, values)
    fill = filling(x, values)
    shape = getitem_parsed(seal(np.broadcast_to(np.True_, x.shape)), template, arrays).shape
    if fill.shape != shape:
        try:
            fill = as_node(np.broadcast_to(fill, shape))
        except RuntimeError as error:
            raise RuntimeError(
                f"index_put: values of shape {fill.shape} do not broadcast to the {shape} of the index"
            ) from error
    return apply(add_at_op, (x, fill, *arrays), (template,))


def put_parsed(x: Node, template: Any, arrays: tuple[Node, ...], value: Operand) -> Node:
    """`index_put` by an index as parse_index gives it."""
    return apply(put_op, (x, filling(x, value), *arrays), (template,))


def filling(x: Node, value: Operand, op: str = "index_put") -> Node:
    """What an assignment to `x` writes: the value in the dtype of x. `op` is named in errors."""
    dtype = x._value.dtype
    if isinstance(value, Node):
        return value if value._value.dtype is dtype else cast(value, dtype)
    if is_number(value):
        if isinstance(value, complex) and dtype.kind != "c":
            raise RuntimeError(f"{op}: cannot put a complex number into {dtype}")
        return scalar(value, dtype)  # type: ignore[arg-type]  # a number
    return cast(as_node(value), dtype)


PUT[getitem_parsed] = lambda base, new, template: put_parsed(base, template, (), new)

replace_op: Final = general(
    "replace", lambda x, value: value, lambda g, _, x, value: g, no_gradient, frees=False
)


def replace(input: Node, value: Node) -> Node:
    """`input` with another value and the same place in the graph.

    What a write outside the graph makes of a node: a variable stays the variable of its owner,
    and a gradient passes as if nothing had been written. Recorded in every grad mode.
    """
    if not input.tracked:
        return seal(value._value)
    if input.op is None:
        return seal(value._value, params=input.params, tracked=True)
    return seal(value._value, replace_op, (input, seal(value._value)), (), True)


def succeed(old: Node, new: Node) -> Node:
    """What a tensor stands for after a write that makes `new` of its node `old`.

    Outside the graph it keeps its place there; inside, it stays tracked, with gradient zero for
    what was overwritten. The order of its dimensions in memory stays, on which `view` depends.
    """
    recording = grad_mode.get()
    value = new._value
    if type(value) is np.ndarray and value.strides != old._value.strides and value.ndim > 1:
        value = np.empty_like(old._value)
        np.copyto(value, new._value)
        new = seal(value, clone_op, (new,), (), True) if new.tracked and recording else seal(value)
    if not recording:
        return replace(old, new)
    if old.tracked and not new.tracked:
        return seal(new._value, put_op, (old, new), (Ellipsis,), True)
    return new


def index_put_from(box: list[Node], template: Any, arrays: tuple[Node, ...], value: Operand) -> Node:
    """`index_put` for a caller who gives up its node: the box must hold the only name for it.

    If nothing else can see the node's memory it is written to, not copied, and the old node, which
    only the new one then knows, keeps its place in the graph without a value. What was read from
    the node to compute `value` (`x[i] = x[i - 1] + y`) gets memory of its own. Under no_grad the new
    node has the old one's place in the graph. The box is left empty, or if this raises, as it was.
    template, arrays: an index as parse_index gives it.
    """
    x = box[0]
    fill = filling(x, value)
    recording = grad_mode.get()
    # a reader refers to the node, so where nothing does there is none
    readers = _readers(x, fill) if recording and fill.tracked and _references(box) != _SOLE else []
    if (
        _references(box) != _SOLE + len(readers)
        or not _is_sole(x._value, readers)
        or type(fill._value) is not np.ndarray  # but one for each example
        or (arrays and any(type(a._value) is not np.ndarray for a in arrays))
        or (x.tracked and (x.op is None or x.op.uses_out if recording else x.op is not None))
    ):
        result = apply(put_op, (x, fill, *arrays), (template,))
        box.clear()
        return result if recording or not x.tracked else replace(x, result)
    buffer = x._value
    index = with_arrays(template, [a._value for a in arrays]) if arrays else template
    for reader in readers:
        if reader._value.base is buffer:
            _set_value(reader, np.array(reader._value))
    try:
        buffer[index] = _without_leading_ones(fill._value)
    except (ValueError, IndexError, TypeError) as error:
        raise forward_error("index_put", error, [buffer, fill._value]) from error
    box.clear()
    if recording and (x.tracked or fill.tracked):
        _set_value(x, Hole(MOVED, buffer))
        return seal(buffer, put_op, (x, fill, *arrays), (template,), True)
    return seal(buffer, params=x.params, tracked=x.tracked)


def _readers(x: Node, fill: Node) -> list[Node]:
    """Which nodes that `fill` was just computed from read from `x` by an index: they need no more
    of it than its shape. Looks at the last few nodes only."""
    found: dict[Node, None] = {}
    near = [fill]
    for _ in range(NEAR):
        if not near:
            break
        node = near.pop()
        if node.op is getitem_op and node._prev[0] is x:
            found[node] = None
        else:
            near.extend(node._prev)
    return list(found)


def _is_sole(buffer: Any, readers: list[Node]) -> bool:
    """Whether one node and the readers, of which it knows, are all that refers to the buffer."""
    if type(buffer) is not np.ndarray or buffer.base is not None or not buffer.flags.writeable:
        return False
    known = ALONE + 1
    for reader in readers:
        if reader._value.base is buffer:
            known += 1
    return getrefcount(buffer) == known


def _references(box: list[Any]) -> int:
    return getrefcount(box[0])


def _count_sole() -> int:
    box = [object()]
    x = box[0]
    return _references(box) if x is box[0] else 0


#: what `_references` says of an object that the box and one name of the caller refer to
_SOLE: Final = _count_sole()
#: how many nodes of the graph of an assigned value are searched for reads of what it is assigned to
NEAR: Final = 8

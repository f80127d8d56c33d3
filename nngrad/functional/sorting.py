"""Orders along a dimension: sort, topk, kthvalue, median, mode, and what is unique.

NaN is larger than every number, as in PyTorch. Values are read from the input by their indices,
so a gradient goes to the elements that were chosen.
"""

from __future__ import annotations

from typing import Any, Final, Literal, overload

import numpy as np

from .batch import along_dim
from .comparison import ordered
from .gathering import along_dim as along_dim_of
from .indexing import along, getitem_parsed
from .node import Node, Operand, as_node, implements, seal
from .op import apply
from .reduction import ValuesIndices, extreme
from .shape import normal_dim, reshape

#: as many or fewer are sorted as a whole
_FEW: Final = 64


def _chosen(x: Node, indices: Any, dim: int) -> ValuesIndices[Node]:
    """The values at `indices` along `dim`, and the indices."""
    where = seal(indices)
    return ValuesIndices(getitem_parsed(x, *along_dim_of(dim, where)), where)


def _picked(x: Any, indices: Any, dim: int) -> Any:
    """`np.take_along_axis`, which takes 15 us for its checks."""
    if type(x) is not np.ndarray or type(indices) is not np.ndarray:
        return np.take_along_axis(x, indices, dim)
    return x[along(indices, dim)]


def _backwards(x: Any, dim: int) -> Any:
    """`np.flip`."""
    return x[(*(slice(None),) * dim, slice(None, None, -1))]


def _one(x: Node, indices: Any, dim: int, keepdim: bool) -> ValuesIndices[Node]:
    """As `_chosen` for one index along `dim`, which goes unless it is kept."""
    values, where = _chosen(x, indices, dim)
    if keepdim:
        return ValuesIndices(values, where)
    shape = [n for i, n in enumerate(x.shape) if i != dim]
    return ValuesIndices(reshape(values, shape), reshape(where, shape))


def _alone(x: Node) -> ValuesIndices[Node]:
    """A 0-d input in order: itself."""
    return ValuesIndices(x, seal(np.zeros((), np.int64)))


def _orderable(name: str, input: Operand, dim: int) -> tuple[Node, int]:
    """A node with something to choose from along `dim`. PyTorch orders no bools here."""
    x = ordered(name, as_node(input))
    at = normal_dim(name, dim, x.ndim)
    if x._value.dtype.kind == "b":
        raise RuntimeError(f"{name}: not implemented for bool")
    if x.ndim and not x.shape[at]:
        raise IndexError(f"{name}: Expected reduction dim {at} to have non-zero size, got shape {x.shape}")
    return x, at


# ---------------------------------------------------------------- all in order


@along_dim
def _ascending(x: Any, dim: int) -> Any:
    """The stable order: NumPy's fast unstable one, and then equals by where they stood."""
    last = dim == x.ndim - 1
    rows = x if last else np.moveaxis(x, dim, -1)
    order = np.argsort(rows, axis=-1)
    placed = _picked(rows, order, rows.ndim - 1)
    repeats = np.zeros(placed.shape, np.bool_)
    np.equal(placed[..., 1:], placed[..., :-1], out=repeats[..., 1:])
    repeats[..., 1:] |= placed[..., :-1] != placed[..., :-1]  # after NaN there are only NaNs
    if repeats.any():
        tied = repeats.copy()
        tied[..., :-1] |= repeats[..., 1:]
        keys = np.cumsum(~repeats[tied]) * rows.shape[-1] + order[tied]
        keys.sort()
        order[tied] = keys % rows.shape[-1]
    return order if last else np.moveaxis(order, -1, dim)


def _order(x: Any, dim: int, descending: bool) -> Any:
    if not descending:
        return _ascending(x, dim)
    backwards = _backwards(_ascending(_backwards(x, dim), dim), dim)  # so that equals keep their order
    return np.subtract(x.shape[dim] - 1, backwards)


def sort(
    input: Operand, dim: int = -1, descending: bool = False, stable: bool = False
) -> ValuesIndices[Node]:
    """The elements in order along `dim`, and where they stood (int64). NaN is the largest.

    stable: that equal elements keep their order is asked for; they do in any case.

    >>> sort(np.array([3.0, 1.0, 2.0])).values.data
    array([1., 2., 3.])
    """
    x = ordered("sort", as_node(input))
    at = normal_dim("sort", dim, x.ndim)
    return _chosen(x, _order(x._value, at, descending), at) if x.ndim else _alone(x)


def argsort(input: Operand, dim: int = -1, descending: bool = False, stable: bool = False) -> Node:
    """Where the elements stood (int64) that come in order along `dim`; see `sort`.

    >>> argsort(np.array([3.0, 1.0, 2.0])).data
    array([1, 2, 0])
    """
    return sort(input, dim, descending, stable).indices


# ---------------------------------------------------------------- some of them


def topk(
    input: Operand, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesIndices[Node]:
    """The k largest (or smallest) elements along `dim`, and where they stood (int64).

    sorted: the most extreme comes first; they are in no order otherwise. NaN is the largest.
    Raises RuntimeError unless there are k, and for bools.

    >>> topk(np.array([3.0, 1.0, 2.0]), 2).values.data
    array([3., 2.])
    """
    x = ordered("topk", as_node(input))
    at = normal_dim("topk", dim, x.ndim)
    size = x.shape[at] if x.ndim else 1
    if x._value.dtype.kind == "b":
        raise RuntimeError("topk: not implemented for bool")
    if not 0 <= k <= size:
        raise RuntimeError(f"topk: selected index k out of range: {k} of shape {x.shape} along dim {at}")
    if not x.ndim:
        return _alone(x)
    array = x._value
    order = (
        np.argpartition(array, size - k if largest else k - 1, at)
        if 0 < k < size and size > _FEW
        else _order(array, at, largest)
    )
    if k < size:
        lead = [slice(None)] * at
        order = order[(*lead, slice(size - k, None) if largest and k and size > _FEW else slice(0, k))]
        if sorted and size > _FEW:
            found = _order(_picked(array, order, at), at, largest)
            order = _picked(order, found, at)
    return _chosen(x, order, at)


def kthvalue(input: Operand, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices[Node]:
    """The k-th smallest element along `dim`, counted from 1, and where it stood (int64).

    Raises RuntimeError unless there are k, and for bools; IndexError where there are none.

    >>> kthvalue(np.array([3.0, 1.0, 2.0]), 2).values.data
    array(2.)
    """
    x, at = _orderable("kthvalue", input, dim)
    if not 1 <= k <= (x.shape[at] if x.ndim else 1):
        raise RuntimeError(f"kthvalue: selected number k out of range: {k} of shape {x.shape} along dim {at}")
    if not x.ndim:
        return _alone(x)
    order: Any = np.argpartition(x._value, k - 1, at)
    return _one(x, np.take(order, [k - 1], at), at, keepdim)


def _lower_median(x: Any, axis: None, keepdims: bool) -> Any:
    flat = np.reshape(x, -1)
    if not flat.size:
        return np.full((), np.nan, x.dtype)
    middle = (flat.size - 1) // 2
    found = np.partition(flat, middle)[middle]
    if x.dtype.kind != "f":
        return found
    return np.where(np.isnan(flat).any(), np.asarray(np.nan, x.dtype), found)


_median: Final = extreme("median", _lower_median)


@overload
def median(input: Operand) -> Node: ...
@overload
def median(input: Operand, dim: int, keepdim: bool = False) -> ValuesIndices[Node]: ...
def median(input: Operand, dim: int | None = None, keepdim: bool = False) -> Node | ValuesIndices[Node]:
    """The median of all elements, the lower of two; with `dim`, the medians along it and their indices.

    NaN wins; of no elements the median is NaN. Over all elements, equal ones share the gradient.
    Raises IndexError where there are none along `dim`, and RuntimeError for bools.

    >>> median(np.array([1.0, 4.0, 3.0, 2.0])).data
    array(2.)
    """
    x = ordered("median", as_node(input))
    if dim is None:
        if x._value.dtype.kind == "b" or not (x.size or x._value.dtype.kind == "f"):
            raise RuntimeError(f"median: not implemented for {x.dtype} of shape {x.shape}")
        return apply(_median, (x,), (None, False))
    _, at = _orderable("median", x, dim)
    if not x.ndim:
        return _alone(x)
    middle = (x.shape[at] - 1) // 2
    indices = np.take(np.argpartition(x._value, middle, at), [middle], at)
    if x._value.dtype.kind == "f":
        lost = np.isnan(x._value)
        indices = np.where(lost.any(at, keepdims=True), lost.argmax(at, keepdims=True), indices)
    return _one(x, indices, at, keepdim)


def mode(input: Operand, dim: int = -1, keepdim: bool = False) -> ValuesIndices[Node]:
    """The commonest element along `dim`, the smallest of several, and where it stands last (int64).

    Raises IndexError where there are no elements.

    >>> mode(np.array([1.0, 2.0, 2.0, 3.0])).values.data
    array(2.)
    """
    x = as_node(input)
    at = normal_dim("mode", dim, x.ndim)
    if x.ndim and not x.shape[at]:
        raise IndexError(f"mode: Expected reduction dim {at} to have non-zero size, got shape {x.shape}")
    if not x.ndim:
        return _alone(x)
    order: Any = np.moveaxis(_order(x._value, at, False), at, -1)
    placed: Any = np.take_along_axis(np.moveaxis(x._value, at, -1), order, -1)
    places = np.arange(x.shape[at])
    first = np.equal(placed[..., :1], placed[..., :1]) | True
    begins = np.concatenate([first, placed[..., 1:] != placed[..., :-1]], axis=-1)
    so_many = places - np.maximum.accumulate(np.where(begins, places, 0), axis=-1)
    last = np.take_along_axis(order, so_many.argmax(-1, keepdims=True), -1)
    return _one(x, np.moveaxis(last, -1, at), at, keepdim)


# ---------------------------------------------------------------- what is unique


def _told(
    values: Any, inverse: Any, counts: Any, return_inverse: bool, return_counts: bool
) -> Node | tuple[Node, ...]:
    found = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    nodes = [seal(np.asarray(a)) for a in found]
    return tuple(nodes) if len(nodes) > 1 else nodes[0]


@overload
def unique(
    input: Operand,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> Node: ...
@overload
def unique(
    input: Operand,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Node | tuple[Node, ...]: ...
def unique(
    input: Operand,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Node | tuple[Node, ...]:
    """The elements that differ, each once and in order; with `dim`, the slices along it.

    return_inverse: also where each element of the input is among them (int64); return_counts: also
    how often each occurs (int64). They are always sorted. No gradient passes.

    >>> unique(np.array([3, 1, 3])).data
    array([1, 3])
    """
    x = as_node(input)
    at = None if dim is None else _slices_along("unique", x, dim)
    values, inverse, counts = np.unique(
        x._value, return_inverse=True, return_counts=True, axis=at, equal_nan=False
    )
    inverse = inverse.reshape(x.shape if at is None else -1)
    return _told(values, inverse, counts, return_inverse, return_counts)


@overload
def unique_consecutive(
    input: Operand,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> Node: ...
@overload
def unique_consecutive(
    input: Operand, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Node | tuple[Node, ...]: ...
def unique_consecutive(
    input: Operand, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Node | tuple[Node, ...]:
    """The elements without repeats of the one before; with `dim`, the slices along it.

    return_inverse, return_counts: as in `unique`. No gradient passes.

    >>> unique_consecutive(np.array([1, 1, 2, 1])).data
    array([1, 2, 1])
    """
    x = as_node(input)
    array, at = (
        (x._value.reshape(-1), 0) if dim is None else (x._value, _slices_along("unique_consecutive", x, dim))
    )
    rows: Any = np.moveaxis(array, at, 0)
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(begins)
    counts = np.diff(np.append(starts, len(rows)))
    inverse = np.cumsum(begins) - 1
    if dim is None:
        inverse = inverse.reshape(x.shape)
    return _told(np.compress(begins, array, axis=at), inverse, counts, return_inverse, return_counts)


def _slices_along(name: str, x: Node, dim: int) -> int:
    at = normal_dim(name, dim, x.ndim)
    if not x.ndim:
        raise IndexError(f"{name}: dim specified as {dim} but the input has no dimensions")
    if not x.size and 0 in x.shape[:at] + x.shape[at + 1 :]:
        raise RuntimeError(
            f"{name}: there are 0 sized dimensions, and they aren't selected: dim {dim} of shape {x.shape}"
        )
    return at


@implements(np.sort)
def _np_sort(x: Operand, axis: int | None = -1) -> Node:
    return sort(reshape(as_node(x), -1), 0).values if axis is None else sort(x, axis).values


implements(np.argsort)(lambda x, axis=-1: argsort(x, axis))

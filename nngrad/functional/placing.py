"""Writing at arrays of indices or under masks: scatter, scatter_reduce, index_add and kin.

The pure forms: each gives a copy of its input with something placed in it. What is assigned goes
through `put_op`, what is added through `add_at_op` (indexing.py), products and extremes through combining.py.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from .arithmetic import div, floor_divide, mul
from .batch import Batch, all_examples
from .choice import where
from .combining import COMBINED, NEUTRAL
from .dtypes import Number
from .gathering import at_dim, check_range, check_shape, index_along, indices_of, meet, vector_of, with_dims
from .indexing import PLACE, add_at_op, filling, getitem_parsed, put_op
from .node import Node, Operand, as_node, seal
from .op import Op, apply, is_number, scalar
from .scattering import scatter_add as add_into
from .shape import clone, normal_dim, reshape

Reduction: TypeAlias = Literal["sum", "prod", "mean", "amax", "amin"]
Parsed: TypeAlias = tuple[tuple[Any, ...], tuple[Node, ...]]


def _same_dtype(op: str, x: Node, source: Node) -> None:
    if x._value.dtype != source._value.dtype:
        raise RuntimeError(
            f"{op}: Expected self.dtype to be equal to src.dtype, got {x.dtype} and {source.dtype}"
        )


# ---------------------------------------------------------------- along a dimension, part by part


def _parts(
    op: str, input: Operand, dim: int, index: Operand, error: type[Exception], negative: bool = False
) -> tuple[Node, Node, int, Parsed]:
    """An input with at least one dimension, the vector of indices, the dimension, and the full index."""
    x, at = as_node(input), vector_of(op, index, RuntimeError if op == "index_fill" else IndexError)
    dim = normal_dim(op, dim, x.ndim)
    x = with_dims(x)
    size = x.shape[dim]
    check_range(op, at, size, -size if negative else 0, error, f" for dimension {dim}")
    return x, at, dim, at_dim(dim, at)


def _write(op: Op, input: Operand, x: Node, value: Node, where: Parsed) -> Node:
    """The write, in the shape that the input had."""
    template, arrays = where
    written = apply(op, (x, value, *arrays), (template,))
    shape = as_node(input).shape
    return written if written.shape == shape else reshape(written, shape)


def _source(op: str, x: Node, at: Node, dim: int, source: Operand, count: type[Exception]) -> Node:
    """What is written, if it fits: as many parts as indices, each of the shape of a part of x."""
    new = with_dims(as_node(source))
    _same_dtype(op, x, new)
    found = (new.shape[:dim], new.shape[dim + 1 :])
    if new.ndim == x.ndim and new.shape[dim] != at.size:
        raise count(
            f"{op}: Number of indices ({at.size}) should be equal to source.size(dim) ({new.shape[dim]})"
        )
    if new.ndim != x.ndim or found != (x.shape[:dim], x.shape[dim + 1 :]):
        raise RuntimeError(
            f"{op}: source must have the input's shape apart from dimension {dim}, got shapes "
            f"{new.shape} and {x.shape}"
        )
    return new


def index_add(input: Operand, dim: int, index: Operand, source: Operand, *, alpha: Number = 1) -> Node:
    """A copy of `input` with `alpha * source` added to the parts that `index` names along `dim`.

    index: a vector of int64 or int32, which may name a part several times; source: of the input's
    dtype and, apart from `dim`, its shape. Raises RuntimeError for an index out of range or
    negative, and for a source that does not fit.

    >>> index_add(np.zeros((2, 2)), 0, np.array([1, 1]), np.ones((2, 2))).data
    array([[0., 0.],
           [2., 2.]])
    """
    x, at, dim, where = _parts("index_add", input, dim, index, RuntimeError)
    value = _source("index_add", x, at, dim, source, RuntimeError)
    if alpha != 1:
        value = mul(value, scalar(alpha, x._value.dtype))
    return _write(add_at_op, input, x, value, where)


def index_copy(input: Operand, dim: int, index: Operand, source: Operand) -> Node:
    """A copy of `input` with the parts of `source` at the places that `index` names along `dim`.

    index: a vector of int64; source: of the input's dtype and, apart from `dim`, its shape. Where a
    part is named twice, the last one stands, and it alone receives the gradient. Raises IndexError
    for an index out of range or negative, RuntimeError for a source that does not fit.

    >>> index_copy(np.zeros((3, 2)), 0, np.array([2, 0]), np.array([[1.0, 2.0], [3.0, 4.0]])).data
    array([[3., 4.],
           [0., 0.],
           [1., 2.]])
    """
    x, at, dim, where = _parts("index_copy", input, dim, index, IndexError)
    return _write(put_op, input, x, _source("index_copy", x, at, dim, source, IndexError), where)


def index_fill(input: Operand, dim: int, index: Operand, value: Operand) -> Node:
    """A copy of `input` with one value in the parts that `index` names along `dim`.

    index: a vector of int64, negative ones count from the end; value: a number or a 0-d node.
    Raises IndexError for an index out of range, RuntimeError for a value that has dimensions.

    >>> index_fill(np.zeros((2, 2)), 1, np.array([0]), 5.0).data
    array([[5., 0.],
           [5., 0.]])
    """
    x, _, _, where = _parts("index_fill", input, dim, index, IndexError, negative=True)
    fill = filling(x, value, "index_fill")
    if fill.ndim:
        raise RuntimeError(
            f"index_fill: only supports a 0-dimensional value tensor, but got one of shape {fill.shape}"
        )
    return _write(put_op, input, x, fill, where)


def masked_scatter(input: Operand, mask: Operand, source: Operand) -> Node:
    """A copy of `input` whose elements under the mask are the first ones of `source`, in order.

    mask: bools, broadcast with the input; source: of the input's dtype, with at least as many
    elements as the mask has Trues. Raises RuntimeError otherwise.

    >>> masked_scatter(np.zeros(3), np.array([True, False, True]), np.array([1.0, 2.0, 3.0])).data
    array([1., 0., 2.])
    """
    x, chosen = meet("masked_scatter", input, mask)
    new = as_node(source)
    _same_dtype("masked_scatter", x, new)
    places: Any = np.cumsum(np.ravel(chosen._value))  # from 1 on
    count = int(all_examples(places[-1:]).max(initial=0))
    if count > new.size:
        raise RuntimeError(
            f"masked_scatter: Number of elements of source < number of ones in mask ({new.size} < {count})"
        )
    if type(places) is Batch and new.size:  # each example takes other ones: say for each element which
        taken = getitem_parsed(reshape(new, (-1,)), PLACE, (seal(np.maximum(places - 1, 0)),))
        return where(chosen, reshape(taken, x.shape), x)
    first = getitem_parsed(reshape(new, (-1,)), slice(0, count))
    return apply(put_op, (x, first, chosen), (PLACE,))


# ---------------------------------------------------------------- along a dimension, place by place


def _places(
    op: str, input: Operand, dim: int, index: Operand, src: Operand | None, whole: bool = True
) -> tuple[Node, Node | None, Parsed] | None:
    """An input with at least one dimension, what of src is written, and the full index (of whole parts
    where it can be and `whole` allows); or None if there is nothing to write."""
    x, at = as_node(input), indices_of(op, index)
    dim = normal_dim(op, dim, x.ndim)
    new = None if src is None else as_node(src)
    if new is not None:
        _same_dtype(op, x, new)
    if not at.size:
        return None
    x, at, new = with_dims(x), with_dims(at), new if new is None else with_dims(new)
    check_shape(op, dim, at, x, new)
    where = index_along(op, x, dim, at, whole)
    if new is not None and new.shape != at.shape:
        new = getitem_parsed(new, tuple([slice(n) for n in at.shape]))
    return x, new, where


def scatter(
    input: Operand,
    dim: int,
    index: Operand,
    src: Operand | None = None,
    *,
    value: Number | None = None,
    reduce: Literal["add", "multiply"] | None = None,
) -> Node:
    """A copy of `input` with `src` at the places that `index` names: the reverse of `gather`.

    For dim 1, `out[i, index[i, j]] = src[i, j]`. index: int64 or int32, elsewhere than at `dim` no
    larger than the input, and nowhere larger than src. src: of the input's dtype, or a number (as
    is `value`). Where a place is named twice, one of the values stands and it alone receives the
    gradient. reduce: add to what is there, or multiply it, instead. Raises RuntimeError for an index
    that is out of range or negative, or whose shape does not fit.

    >>> scatter(np.zeros((2, 3)), 1, np.array([[0], [2]]), np.array([[5.0], [7.0]])).data
    array([[5., 0., 0.],
           [0., 0., 7.]])
    """
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError(f"scatter: reduce argument must be either add or multiply, got {reduce!r}")
    given = value if src is None else src
    if given is None:
        raise TypeError("scatter: needs src or value")
    number = is_number(given)
    found = _places("scatter", input, dim, index, None if number else given, whole=reduce is None)
    if found is None:
        return clone(input)
    x, new, where = found
    if new is None:
        new = filling(x, given, "scatter")
        if reduce is not None:
            new = seal(np.full(where[1][dim].shape, new._value))
    if reduce == "multiply":
        return _combine(COMBINED["prod"], input, x, new, where)
    return _write(put_op if reduce is None else add_at_op, input, x, new, where)


def scatter_add(input: Operand, dim: int, index: Operand, src: Operand) -> Node:
    """A copy of `input` with `src` added at the places that `index` names, which may repeat.

    For dim 1, `out[i, index[i, j]] += src[i, j]`. Shapes, dtypes and errors as in `scatter`.

    >>> scatter_add(np.ones(2), 0, np.array([1, 1]), np.array([5.0, 7.0])).data
    array([ 1., 13.])
    """
    found = _places("scatter_add", input, dim, index, src)
    if found is None:
        return clone(input)
    x, new, where = found
    assert new is not None
    return _write(add_at_op, input, x, new, where)


def scatter_reduce(
    input: Operand, dim: int, index: Operand, src: Operand, reduce: Reduction, *, include_self: bool = True
) -> Node:
    """A copy of `input` where the places that `index` names hold the sum, product, mean, maximum or
    minimum of what was there and of what `src` has for them.

    include_self: without it, of what src has for them alone. Equal extremes share the gradient.
    Shapes, dtypes and errors as in `scatter`.

    >>> scatter_reduce(np.ones(2), 0, np.array([1, 1]), np.array([5.0, 7.0]), "amax").data
    array([1., 7.])
    """
    if reduce not in NEUTRAL:
        raise RuntimeError(
            f"scatter_reduce: reduce argument must be either sum, prod, mean, amax or amin, got {reduce!r}"
        )
    dtype = as_node(input)._value.dtype
    if reduce == "mean" and dtype.kind == "b":
        raise RuntimeError("scatter_reduce: the mean is not implemented for bools")
    found = _places("scatter_reduce", input, dim, index, src, whole=reduce in ("sum", "mean"))
    if found is None:
        return clone(input)
    x, new, where = found
    assert new is not None
    template, arrays = where
    if not include_self:
        x = apply(put_op, (x, seal(NEUTRAL[reduce](dtype)), *arrays), (template,))
    if reduce == "sum":
        return _write(add_at_op, input, x, new, where)
    if reduce == "mean":
        total = _write(add_at_op, input, x, new, where)
        counts: Any
        if len(arrays) < x.ndim:  # whole parts: one count for each
            many = np.bincount(arrays[0]._value, minlength=x.shape[len(template) - 1]) + include_self
            counts = many.astype(dtype).reshape(-1, *(1,) * (x.ndim - len(template)))
        else:
            counts = np.full(x.shape, include_self, dtype)
            add_into(counts, tuple([a._value for a in arrays]), np.ones(new.shape, dtype))
            counts = counts.reshape(total.shape)
        mean = div if dtype.kind == "f" else floor_divide
        return mean(total, np.maximum(counts, np.ones((), dtype)))
    return _combine(COMBINED[reduce], input, x, new, where)


def _combine(op: Op, input: Operand, x: Node, new: Node, where: Parsed) -> Node:
    result = apply(op, (x, new, *where[1]))
    shape = as_node(input).shape
    return result if result.shape == shape else reshape(result, shape)

"""A part of an array replaced, and arrays brought to a smaller shape; loaded when first named."""

from __future__ import annotations

from typing import Literal, SupportsIndex

import numpy as np

from .diagonal import diagonal
from .indexing import getitem, index_put
from .node import Node, Operand, as_node
from .placing import scatter_reduce
from .repeating import broadcast_to
from .shape import PUT, reshape
from .splitting import RULES, select


def _same_shape(op: str, part: Node, source: Operand) -> Node:
    src = as_node(source)
    if src.shape != part.shape:
        raise RuntimeError(f"{op}: expected src to have the shape of the part, {part.shape}, got {src.shape}")
    return src


def select_scatter(input: Operand, src: Operand, dim: int, index: int) -> Node:
    """The input with `src` in place of `input.select(dim, index)`.

    Raises RuntimeError where src has another shape than that, IndexError out of range.

    >>> select_scatter(np.zeros((2, 2)), np.ones(2), 0, 1).data
    array([[0., 0.],
           [1., 1.]])
    """
    x = as_node(input)
    where = RULES[select](x, dim, index)
    return index_put(x, where, _same_shape("select_scatter", getitem(x, where), src))


def slice_scatter(
    input: Operand,
    src: Operand,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Node:
    """The input with `src` in place of `input[start:end:step]` along a dimension.

    Raises RuntimeError where src has another shape than that, IndexError out of range.

    >>> slice_scatter(np.zeros(4), np.ones(2), 0, 1, 3).data
    array([0., 1., 1., 0.])
    """
    x = as_node(input)
    if not -x.ndim <= dim < x.ndim:
        raise IndexError(f"slice_scatter: dimension {dim} out of range for shape {x.shape}")
    if step < 1:
        raise RuntimeError(f"slice_scatter: slice step must be positive, got {step}")
    where = (*[slice(None)] * (dim % x.ndim), slice(start, end, step))
    return index_put(x, where, _same_shape("slice_scatter", getitem(x, where), src))


def diagonal_scatter(input: Operand, src: Operand, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Node:
    """The input with `src` in place of its diagonal.

    Raises RuntimeError where src has another shape than that, IndexError out of range.

    >>> diagonal_scatter(np.zeros((2, 2)), np.ones(2)).data
    array([[1., 0.],
           [0., 1.]])
    """
    x = as_node(input)
    part = diagonal(x, offset, dim1, dim2)
    return PUT[diagonal](x, _same_shape("diagonal_scatter", part, src), offset, dim1, dim2)


def put(input: Operand, index: Operand, source: Operand, accumulate: bool = False) -> Node:
    """The input with elements of `source` at flat positions, which may be negative.

    accumulate: whether they are added. Raises RuntimeError where the dtypes differ, IndexError where
    the numbers of elements do, and for a position out of range.

    >>> put(np.zeros((2, 2)), np.array([0, 3]), np.array([1.0, 2.0])).data
    array([[1., 0.],
           [0., 2.]])
    """
    x, at, src = as_node(input), as_node(index), as_node(source)
    if at.dtype.kind not in "iu":
        raise RuntimeError(f"put: expected integer positions, got {at.dtype}")
    if x.dtype != src.dtype:
        raise RuntimeError(f"put: expected a source of dtype {x.dtype}, got {src.dtype}")
    if at.size != src.size:
        raise IndexError(f"put: expected a source element for each position, got {src.shape} and {at.shape}")
    flat = index_put(reshape(x, (-1,)), reshape(at, (-1,)), reshape(src, (-1,)), accumulate)
    return reshape(flat, x.shape)


def index_reduce(
    input: Operand,
    dim: int,
    index: Operand,
    source: Operand,
    reduce: Literal["prod", "mean", "amax", "amin"],
    *,
    include_self: bool = True,
) -> Node:
    """Slices of `source` along a dimension combined into those of the input that `index` names.

    include_self: whether the input's own elements take part. Raises RuntimeError or IndexError for
    an index that is no vector with an entry for each slice, or out of range.

    >>> index_reduce(np.ones(3), 0, np.array([0, 0]), np.array([2.0, 3.0]), "prod").data
    array([6., 1., 1.])
    """
    x, at, src = as_node(input), as_node(index), as_node(source)
    span = max(x.ndim, 1)
    if not -span <= dim < span:
        raise IndexError(f"index_reduce: dimension {dim} out of range for shape {x.shape}")
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce: reduce must be prod, mean, amax or amin, got {reduce}")
    if at.ndim > 1 or src.ndim != x.ndim or at.size != (src.shape[dim] if src.ndim else 1):
        raise RuntimeError(
            f"index_reduce: expected a vector with an index for each slice of source, got shapes {at.shape} "
            f"and {src.shape}"
        )
    shape = [1] * x.ndim
    if shape:
        shape[dim] = at.size
    each = broadcast_to(reshape(at, shape), src.shape)
    return scatter_reduce(x, dim, each, src, reduce, include_self=include_self)


def fill_diagonal(input: Operand, value: Operand, wrap: bool = False) -> Node:
    """The input with `value` on its main diagonal: where all indices are equal.

    wrap: in a tall matrix the diagonal begins anew after its end. Raises RuntimeError for fewer than
    two dimensions, and for more of different sizes.

    >>> fill_diagonal(np.zeros((2, 2)), 5.0).data
    array([[5., 0.],
           [0., 5.]])
    """
    x = as_node(input)
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise RuntimeError(f"fill_diagonal: expected a matrix, or dimensions of equal size, got {x.shape}")
    columns = x.shape[1]
    if wrap and x.ndim == 2 and x.shape[0] > columns:
        at = np.arange(0, x.size, columns + 1)
        return index_put(x, (at // columns, at % columns), value)
    at = np.arange(min(x.shape))
    return index_put(x, (at,) * x.ndim, value)


def sum_to_size(input: Operand, *size: int | tuple[int, ...]) -> Node:
    """The sum over the dimensions that broadcasting from that size would add or stretch.

    Raises RuntimeError where the size does not broadcast to the input's.

    >>> sum_to_size(np.ones((2, 3)), 1, 3).data
    array([[2., 2., 2.]])
    """
    from .reduction import sum

    x = as_node(input)
    given = size[0] if len(size) == 1 and not isinstance(size[0], SupportsIndex) else size
    shape = tuple([int(n) for n in given])  # type: ignore[arg-type]  # a sequence now
    extra = x.ndim - len(shape)
    fits = extra >= 0 and all(n in (1, m) for n, m in zip(shape, x.shape[extra:]))
    if not fits:
        raise RuntimeError(f"sum_to_size: size {shape} is not expandable to size {x.shape}")
    dims = [d for d in range(x.ndim) if d < extra or (shape[d - extra] == 1 and x.shape[d] != 1)]
    return reshape(sum(x, dims), shape) if dims else reshape(x, shape)

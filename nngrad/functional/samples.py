"""Functions of samples: covariance, integrals, medians and norms; loaded when first named."""

from __future__ import annotations

from itertools import combinations as _combinations, combinations_with_replacement
from typing import Any

import numpy as np

from .arithmetic import add, div, mul, sub
from .batch import all_examples
from .choice import clip, where
from .comparison import eq, gt
from .complex_numbers import conj
from .elementary import sqrt
from .gathering import take_along_dim
from .indexing import getitem
from .joining import stack
from .matrix import matmul
from .node import Node, Operand, as_node, seal
from .norms import norm
from .op import as_floating, cast, scalar
from .order import mT
from .reduction import ValuesIndices, mean, sum
from .scanning import cumsum
from .shape import reshape, squeeze, unsqueeze
from .sorting import sort


def dist(input: Operand, other: Operand, p: float = 2) -> Node:
    """The p-norm of `input - other`.

    >>> dist(np.array([1.0, 2.0]), np.array([4.0, 6.0])).item()
    5.0
    """
    return norm(sub(input, other), p)


def renorm(input: Operand, p: float, dim: int, maxnorm: float) -> Node:
    """The slices along `dim`, those of a p-norm above `maxnorm` scaled down to it.

    Raises RuntimeError for fewer than two dimensions, a norm that is not positive, or a negative
    maxnorm.

    >>> renorm(np.array([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0).data.round(2)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    x = as_node(input)
    if x.ndim < 2 or x.dtype.kind != "f":
        raise RuntimeError(f"renorm: expected floats with at least 2 dimensions, got {x.dtype}, {x.shape}")
    if p <= 0 or maxnorm < 0:
        raise RuntimeError(f"renorm: p must be positive and maxnorm not negative, got {p} and {maxnorm}")
    axis = _dimension("renorm", x, dim)
    norms = norm(x, p, [d for d in range(x.ndim) if d != axis], True)
    above = gt(norms, maxnorm)
    return mul(x, where(above, div(maxnorm, add(where(above, norms, 1.0), 1e-7)), 1.0))


def _dimension(op: str, x: Node, dim: int) -> int:
    span = max(x.ndim, 1)
    if not -span <= dim < span:
        raise IndexError(f"{op}: dimension {dim} out of range for shape {x.shape}")
    return dim % span


def msort(input: Operand) -> Node:
    """The elements in order along the first dimension.

    >>> msort(np.array([3.0, 1.0, 2.0])).data
    array([1., 2., 3.])
    """
    return sort(input, 0).values


def nanmedian(input: Operand, dim: int | None = None, keepdim: bool = False) -> Node | ValuesIndices[Node]:
    """The median of the elements that are not NaN, the lower of two; NaN where there is no other.

    With `dim`, the medians along it and their indices.

    >>> nanmedian(np.array([1.0, np.nan, 3.0, 2.0])).item()
    2.0
    """
    x = as_node(input)
    if dim is None:
        return _median_along(reshape(x, (-1,)), 0, False).values
    return _median_along(x, _dimension("nanmedian", x, dim), keepdim)


def _median_along(x: Node, axis: int, keepdim: bool) -> ValuesIndices[Node]:
    if not x.ndim:
        return ValuesIndices(x, seal(np.zeros((), np.int64)))
    if not x.shape[axis]:
        raise IndexError(f"nanmedian: Expected reduction dim {axis} to have non-zero size")
    values, indices = sort(x, axis)  # NaN comes last
    valid = sum(cast(eq(x, x), np.dtype(np.int64)), axis, True)
    at = clip((valid - 1) // 2, 0)
    pair = take_along_dim(values, at, axis), take_along_dim(indices, at, axis)
    return ValuesIndices(*pair) if keepdim else ValuesIndices(*[squeeze(a, axis) for a in pair])


# ---------------------------------------------------------------- integrals


def _areas(op: str, y: Operand, x: Operand | None, dx: Operand | None, dim: int) -> tuple[Node, int]:
    """The area under each step of y along a dimension."""
    a = as_node(y)
    if not a.ndim:
        raise IndexError(f"{op}: needs at least one dimension to integrate along")
    axis = _dimension(op, a, dim)
    before = tuple([slice(None)] * axis)
    sums = add(getitem(a, (*before, slice(1, None))), getitem(a, (*before, slice(None, -1))))
    if x is None:
        return mul(as_floating(sums) if dx is None else sums, div(1.0 if dx is None else dx, 2.0)), axis
    if dx is not None:
        raise TypeError(f"{op}: takes x or dx, not both")
    at = as_node(x)
    if at.ndim == 1 and a.ndim > 1:
        if at.shape[0] != a.shape[axis]:
            raise RuntimeError(f"{op}: There must be one `x` value for each sample point")
        at = reshape(at, (-1, *[1] * (a.ndim - 1 - axis)))
    ahead = tuple([slice(None)] * (axis - a.ndim + at.ndim))
    steps = sub(getitem(at, (*ahead, slice(1, None))), getitem(at, (*ahead, slice(None, -1))))
    return div(mul(sums, steps), 2.0), axis


def trapezoid(y: Operand, x: Operand | None = None, *, dx: Operand | None = None, dim: int = -1) -> Node:
    """The integral along a dimension by the trapezoidal rule.

    x: where the samples are, or dx: how far apart (1 if neither is told).

    >>> trapezoid(np.array([1.0, 2.0, 3.0])).item()
    4.0
    """
    areas, axis = _areas("trapezoid", y, x, dx, dim)
    return sum(areas, axis)


def cumulative_trapezoid(
    y: Operand, x: Operand | None = None, *, dx: Operand | None = None, dim: int = -1
) -> Node:
    """The integral up to each sample after the first; arguments as of `trapezoid`.

    >>> cumulative_trapezoid(np.array([1.0, 2.0, 3.0])).data
    array([1.5, 4. ])
    """
    areas, axis = _areas("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(areas, axis)


# ---------------------------------------------------------------- covariance


def cov(
    input: Operand,
    *,
    correction: int = 1,
    fweights: Operand | None = None,
    aweights: Operand | None = None,
) -> Node:
    """The covariances of variables, one in each row; its samples are the columns.

    fweights: how often each sample counts, integers. aweights: how much. correction: what the number
    of samples is reduced by. Raises RuntimeError for more than two dimensions.

    >>> cov(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])).data
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    x = as_node(input)
    if x.ndim > 2:
        raise RuntimeError(f"cov: expected input to have two or fewer dimensions, got shape {x.shape}")
    if x.dtype.kind == "b":
        raise RuntimeError("cov: bool dtype is not supported for input")
    rows = as_floating(reshape(x, (1, -1)) if x.ndim < 2 else x)
    count = rows.shape[1]
    weights = [
        _sample_weights(name, w, count, kind)
        for name, w, kind in (("fweights", fweights, "iu"), ("aweights", aweights, "f"))
        if w is not None
    ]
    if not weights:
        centred = sub(rows, mean(rows, 1, True))
        product = matmul(centred, mT(conj(centred)))
        norm_factor: Any = scalar(max(count - correction, 0), rows.dtype)
    else:
        kind = np.empty(0, rows.dtype).real.dtype
        w = cast(weights[0] if len(weights) == 1 else mul(*weights), kind)
        total = sum(w)
        centred = sub(rows, div(sum(mul(rows, w), 1, True), total))
        product = matmul(mul(centred, w), mT(conj(centred)))
        lost = sum(mul(w, weights[-1])) / total if aweights is not None else 1.0
        norm_factor = clip(sub(total, mul(lost, float(correction))), 0.0)
    result = div(product, norm_factor)
    return reshape(result, ()) if rows.shape[0] == 1 else result


def _sample_weights(name: str, weights: Operand, count: int, kind: str) -> Node:
    w = as_node(weights)
    if w.shape != (count,) and not (w.ndim == 0 and count == 1):
        raise RuntimeError(
            f"cov: expected {name} to have one entry for each of {count} samples, got {w.shape}"
        )
    if w.dtype.kind not in kind:
        raise RuntimeError(f"cov: expected {name} of kind {kind!r}, got {w.dtype}")
    if np.any(all_examples(w._value) < 0):
        raise RuntimeError(f"cov: {name} cannot be negative")
    return w


def corrcoef(input: Operand) -> Node:
    """The correlations of variables, one in each row: between -1 and 1.

    >>> corrcoef(np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])).data.round(6)
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    c = cov(input)
    if not c.ndim:
        return div(c, c)
    size = c.shape[0]
    diagonal = np.arange(size)
    deviations = sqrt(getitem(c, (diagonal, diagonal)))
    return clip(div(div(c, unsqueeze(deviations, 1)), deviations), -1.0, 1.0)


# ---------------------------------------------------------------- choices and powers


def combinations(input: Operand, r: int = 2, with_replacement: bool = False) -> Node:
    """All choices of `r` elements of a vector, a row each. Raises RuntimeError for other shapes.

    >>> combinations(np.array([1, 2, 3])).data.tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    x = as_node(input)
    if x.ndim != 1 or r < 0:
        raise RuntimeError(f"combinations: expected a vector and r >= 0, got shape {x.shape} and r = {r}")
    chosen = (combinations_with_replacement if with_replacement else _combinations)(range(len(x)), r)
    if not r:
        return seal(np.empty(0, x.dtype))
    return getitem(x, np.array(list(chosen), np.int64).reshape(-1, r))


def vander(x: Operand, N: int | None = None, increasing: bool = False) -> Node:
    """The powers of a vector's elements from N - 1 down to 0 in columns, or up, if `increasing`.

    Raises RuntimeError for what is no vector or a negative N.

    >>> vander(np.array([1, 2, 3])).data.tolist()
    [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
    """
    a = as_node(x)
    if a.ndim != 1:
        raise RuntimeError(f"vander: x must be a one-dimensional tensor, got shape {a.shape}")
    count = len(a) if N is None else N
    if count < 0:
        raise RuntimeError(f"vander: N must be non-negative, got {N}")
    if a.dtype.kind in "iub":
        a = cast(a, np.dtype(np.int64))
    if not count:
        return seal(np.empty((len(a), 0), a.dtype))
    powers = [seal(np.ones(a.shape, a.dtype))]
    for _ in range(count - 1):
        powers.append(mul(powers[-1], a))
    return stack(powers if increasing else powers[::-1], -1)


def unravel_index(indices: Operand, shape: int | tuple[int, ...]) -> tuple[Node, ...]:
    """Flat positions in an array of that shape as one index for each dimension.

    Raises ValueError for positions out of range, TypeError for what are no integers.

    >>> [i.data.tolist() for i in unravel_index(np.array([4, 5]), (2, 3))]
    [[1, 1], [1, 2]]
    """
    at = as_node(indices)
    if at.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: expected integers, got {at.dtype}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    found = np.unravel_index(at._value, sizes)
    return tuple([seal(np.asarray(i, np.int64)) for i in found])

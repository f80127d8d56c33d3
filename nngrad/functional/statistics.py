"""Statistics: variances, quantiles, histograms."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .batch import all_examples
from .blending import lerp
from .choice import where
from .dtypes import wide
from .elementary import quiet, select
from .indexing import along, getitem
from .node import Node, Operand, as_node, implements, seal
from .op import apply, cast, general, is_number, pointwise, scalar
from .order import movedim
from .reduction import all_if_empty, count_of, mean, mean_op, sum_op, with_dims
from .shape import Dims, normal_dim, reshape
from .sorting import sort

Interpolation: TypeAlias = Literal["linear", "lower", "higher", "midpoint", "nearest"]

# ---------------------------------------------------------------- variances


def _var_forward(x: Any, dims: tuple[int, ...] | None, keepdim: bool, correction: float) -> Any:
    off = np.subtract(x, mean_op(x, dims, True))
    total = sum_op(np.multiply(off, off), dims, keepdim)
    return np.divide(total, np.asarray(np.maximum(count_of(x.shape, dims) - correction, 0), x.dtype))


def _var_rule(g: Any, _: Any, x: Any, dims: tuple[int, ...] | None, keepdim: bool, correction: float) -> Any:
    twice = np.multiply(with_dims(g, x.shape, dims), np.asarray(2, x.dtype))
    off = np.subtract(x, mean_op(x, dims, True))
    return np.multiply(np.divide(twice, np.asarray(count_of(x.shape, dims) - correction, x.dtype)), off)


_var: Final = general("var", quiet(_var_forward), _var_rule)
#: the root of a variance: with a derivative of 0 at 0, as in PyTorch
_root: Final = pointwise(
    "std", quiet(np.sqrt), lambda g, out, x: select(np.divide(g, np.add(out, out)), np.not_equal(out, 0))
)


def _variance(
    name: str,
    input: Operand,
    dim: Dims | bool | None,
    unbiased: bool | None,
    keepdim: bool,
    correction: float | None,
) -> tuple[Node, Node, tuple[int, ...] | None]:
    """The input, its variance (of float16 in float32), and over which dimensions."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}: takes unbiased or correction, not both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    x = as_node(input)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"{name}: std and var only support floating point dtypes, got {x.dtype}")
    dims = all_if_empty(name, x, dim, None)
    return x, apply(_var, (cast(x, wide(x.dtype)),), (dims, keepdim, correction)), dims


def var(
    input: Operand,
    dim: Dims | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Node:
    """The variance over some dimensions, or all: squared distances from the mean over their number
    less `correction` (1 unless given; unbiased=False: 0).

    NaN of one element, where the correction is 1. Raises RuntimeError for integers and bools.

    >>> var(np.array([1.0, 2.0, 3.0])).data
    array(1.)
    """
    x, variance, _ = _variance("var", input, dim, unbiased, keepdim, correction)
    return cast(variance, x.dtype)


def std(
    input: Operand,
    dim: Dims | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Node:
    """The square root of `var`, whose arguments it takes. Its derivative is 0 where all are equal.

    >>> std(np.array([1.0, 2.0, 3.0])).data
    array(1.)
    """
    x, variance, _ = _variance("std", input, dim, unbiased, keepdim, correction)
    return cast(_root.call(variance), x.dtype)


def var_mean(
    input: Operand,
    dim: Dims | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Node, Node]:
    """`var` and `mean` over the same dimensions.

    >>> var_mean(np.array([1.0, 2.0, 3.0]))[1].data
    array(2.)
    """
    x, variance, dims = _variance("var_mean", input, dim, unbiased, keepdim, correction)
    return cast(variance, x.dtype), mean(x, dims, keepdim)


def std_mean(
    input: Operand,
    dim: Dims | bool | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Node, Node]:
    """`std` and `mean` over the same dimensions.

    >>> std_mean(np.array([1.0, 2.0, 3.0]))[0].data
    array(1.)
    """
    x, variance, dims = _variance("std_mean", input, dim, unbiased, keepdim, correction)
    return cast(_root.call(variance), x.dtype), mean(x, dims, keepdim)


# ---------------------------------------------------------------- quantiles


def _quantile(
    name: str, input: Operand, q: Operand, dim: int | None, keepdim: bool, interpolation: str, skip: bool
) -> Node:
    x = as_node(input)
    if x._value.dtype.char not in "fd":
        raise RuntimeError(f"{name}: input must be either float32 or float64, got {x.dtype}")
    levels = scalar(q, x._value.dtype) if is_number(q) else as_node(q)  # type: ignore[arg-type]  # a number
    if levels._value.dtype != x._value.dtype or levels.ndim > 1:
        raise RuntimeError(
            f"{name}: q must be a scalar or 1-d and of the input's dtype {x.dtype}, "
            f"got {levels.dtype} of shape {levels.shape}"
        )
    if not x.size:
        raise RuntimeError(f"{name}: input must be non-empty, got shape {x.shape}")
    every = all_examples(levels._value)
    if not np.all((every >= 0) & (every <= 1)):
        raise RuntimeError(f"{name}: q must be in the range [0, 1] but got {q}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}: interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    at = 0 if dim is None else normal_dim(name, dim, x.ndim)
    rows = reshape(x, -1) if dim is None or not x.ndim else movedim(x, at, -1)
    rows = sort(rows).values
    last = rows.shape[-1] - 1
    missing = np.isnan(rows._value).sum(-1, keepdims=True)
    at_most = np.maximum(last - missing, 0) if skip else np.full_like(missing, last)
    ranks = reshape(levels, -1) * seal(at_most.astype(x._value.dtype))
    if not skip:  # NaN wins, and comes last
        ranks = where(seal(missing > 0), float(last), ranks)
    found = movedim(_between(rows, ranks, interpolation), -1, 0)
    shape = [1 if dim is None or i == at else n for i, n in enumerate(x.shape)]
    if not keepdim:
        shape = [] if dim is None else [n for i, n in enumerate(shape) if i != at]
    return reshape(found, [*levels.shape, *shape])


def _between(rows: Node, ranks: Node, interpolation: str) -> Node:
    """What stands at the ranks, which need not be whole, along the last dimension."""
    exact, dim = ranks._value, rows.ndim - 1

    def at(rank: Any) -> Node:
        return getitem(rows, along(rank.astype(np.int64), dim))

    if interpolation in ("lower", "higher", "nearest"):
        rounded: dict[str, Any] = {"lower": np.floor, "higher": np.ceil, "nearest": np.round}
        return at(rounded[interpolation](exact))
    below = np.floor(exact)
    weight = 0.5 if interpolation == "midpoint" else ranks - seal(below)
    return lerp(at(below), at(np.ceil(exact)), weight)


def quantile(
    input: Operand,
    q: Operand,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: Interpolation = "linear",
) -> Node:
    """The quantiles of all elements, or along a dimension; NaN wins.

    q: a number from 0 to 1, or a 1-d operand of several, which become the first dimension of the
    result. interpolation: what is taken between two elements: linear, lower, higher, midpoint,
    nearest. Raises RuntimeError for an input that is empty or neither float32 nor float64, and for
    another q.

    >>> quantile(np.array([1.0, 2.0, 3.0]), 0.25).data
    array(1.5)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


def nanquantile(
    input: Operand,
    q: Operand,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: Interpolation = "linear",
) -> Node:
    """`quantile` of what is not NaN; NaN where there is nothing else.

    >>> nanquantile(np.array([1.0, 2.0, np.nan]), 0.5).data
    array(1.5)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


# ---------------------------------------------------------------- counts


def bincount(input: Operand, weights: Operand | None = None, minlength: int = 0) -> Node:
    """How often each number from 0 to the largest occurs (int64), or the sum of their weights.

    input: non-negative integers, 1-d; weights: one for each, added up in float64, or float32 if they
    are; minlength: the result has at least that many elements. No gradient passes. Raises
    RuntimeError for another input or other weights.

    >>> bincount(np.array([1, 3, 1])).data
    array([0, 2, 0, 1])
    """
    x = as_node(input)
    if x._value.dtype.kind not in "iu" or x.ndim != 1 or (x._value < 0).any():
        raise RuntimeError(
            f"bincount: only supports 1-d non-negative integral inputs, got {x.dtype} of shape {x.shape}"
        )
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength should be >= 0, got {minlength}")
    if weights is None or not x.size:
        return seal(np.bincount(x._value, minlength=minlength).astype(np.int64, copy=False))
    w = as_node(weights)
    if w.shape != x.shape:
        raise RuntimeError(
            f"bincount: weights should be 1-d and have the same length as input: {w.shape} and {x.shape}"
        )
    sums = np.bincount(x._value, w._value, minlength)
    return cast(seal(sums), w._value.dtype) if w._value.dtype == np.float32 else seal(sums)


def histc(input: Operand, bins: int = 100, min: float = 0, max: float = 0) -> Node:
    """How many elements fall into each of `bins` equal parts of the range from min to max.

    With min = max, the range is that of the elements. What lies outside, and NaN, is not counted.
    The counts have the input's dtype; no gradient passes. Raises RuntimeError for integers, bins < 1,
    min > max and a range that is not finite.

    >>> histc(np.array([1.0, 2.0, 1.0]), bins=4, min=0, max=4).data
    array([0., 2., 1., 0.])
    """
    x = as_node(input)._value
    if x.dtype.kind != "f":
        raise RuntimeError(f"histc: not implemented for {x.dtype}")
    if bins < 1:
        raise RuntimeError(f"histc: bins must be > 0, but got {bins}")
    low, high = float(min), float(max)
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"histc: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"histc: max must be larger than min, got {min} and {max}")
    wide = np.promote_types(x.dtype, np.float32).type
    start, span = wide(low), wide(high) - wide(low)
    inside = x[(x >= low) & (x <= high)]
    places = ((inside - start) * wide(bins) / span).astype(np.int64)
    counts = np.bincount(np.minimum(places, bins - 1), minlength=bins)
    return seal(counts.astype(x.dtype))


@implements(np.var)
def _np_var(x: Operand, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Node:
    return var(x, axis, keepdim=keepdims, correction=ddof)


@implements(np.std)
def _np_std(x: Operand, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Node:
    return std(x, axis, keepdim=keepdims, correction=ddof)

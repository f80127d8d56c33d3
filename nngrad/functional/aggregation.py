"""More ops that reduce dimensions: products, truth, sums in log space and beside NaN."""

from __future__ import annotations

from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np

from .batch import as_array
from .diagonal import diagonal
from .dtypes import DType
from .elementary import select, silent
from .node import Node, Operand, as_node, implements, seal
from .op import apply, as_floating, cast, general
from .reduction import NARROW, all_if_empty, amax, amin, sum, sum_op, whole, with_dims
from .scanning import shifted
from .shape import Dims, normal_dim, normal_dims

T_co = TypeVar("T_co", covariant=True)


class MinMax(NamedTuple, Generic[T_co]):
    """The smallest and the largest."""

    min: T_co
    max: T_co


def widened(function: Any) -> Any:
    """A forward without warnings, float16 computed in float32."""

    @silent
    def forward(x: Any, *params: Any) -> Any:
        if x.dtype == np.float16:
            return function(x.astype(np.float32), *params).astype(np.float16)
        return function(x, *params)

    return forward


# ---------------------------------------------------------------- products


def _prod_rule(g: Any, out: Any, x: Any, dim: int | None, keepdim: bool) -> Any:
    dims = None if dim is None else (dim,)
    full = with_dims(g, x.shape, dims)
    if type(g) is np.ndarray and x.all() and out.all():
        return np.divide(np.multiply(full, with_dims(out, x.shape, dims)), x)
    # of all other elements: right beside zeros too, where nothing may be divided
    factors, at = (np.reshape(x, (-1,)), 0) if dim is None else (x, dim)
    before = shifted(np.cumprod(factors, axis=at), at, False, 1.0)
    after = shifted(np.flip(np.cumprod(np.flip(factors, at), axis=at), at), at, True, 1.0)
    return np.multiply(full, np.reshape(np.multiply(before, after), x.shape))


_prod: Final = general(
    "prod",
    widened(lambda x, dim, keepdim: np.prod(x, axis=dim, dtype=NARROW.get(x.dtype), keepdims=keepdim)),
    _prod_rule,
)


def prod(
    input: Operand, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Node:
    """The product along a dimension, or of all elements: 1 where there are none. Bools and integers
    give int64. The gradient is right beside zeros.

    >>> prod(np.array([[1.0, 2.0], [3.0, 4.0]]), dim=1).data
    array([ 2., 12.])
    """
    x = whole(input, dtype)
    at = None if dim is None else normal_dim("prod", dim, x.ndim)
    return apply(_prod, (x,), (at if x.ndim else None, keepdim))


# ---------------------------------------------------------------- questions


def _truth(name: str, reduce: Any, input: Operand, dim: Dims | None, keepdim: bool) -> Node:
    x = as_node(input)
    found = reduce(x._value, axis=normal_dims(name, dim, x.ndim), keepdims=keepdim)
    return seal(as_array(found, np.uint8 if x._value.dtype == np.uint8 else np.bool_))


@implements(np.all, np.logical_and.reduce)
def all(input: Operand, dim: Dims | None = None, keepdim: bool = False) -> Node:
    """Whether all elements are other than 0, over some dimensions, or all; True where there are none.

    >>> all(np.array([[1.0, 2.0], [0.0, 3.0]]), dim=1).data
    array([ True, False])
    """
    return _truth("all", np.all, input, dim, keepdim)


@implements(np.any, np.logical_or.reduce)
def any(input: Operand, dim: Dims | None = None, keepdim: bool = False) -> Node:
    """Whether any element is other than 0, over some dimensions, or all; False where there are none.

    >>> any(np.array([[1.0, 2.0], [0.0, 0.0]]), dim=1).data
    array([ True, False])
    """
    return _truth("any", np.any, input, dim, keepdim)


def count_nonzero(input: Operand, dim: Dims | None = None) -> Node:
    """How many elements are other than 0 (int64), over some dimensions, or all.

    >>> count_nonzero(np.array([[1.0, 2.0], [0.0, 3.0]]), dim=0).data
    array([1, 2])
    """
    x = as_node(input)
    dims = all_if_empty("count_nonzero", x, dim, None)
    return seal(as_array(np.count_nonzero(x._value, axis=dims), np.int64))


def aminmax(input: Operand, *, dim: int | None = None, keepdim: bool = False) -> MinMax[Node]:
    """The minimum and the maximum along a dimension, or of all elements. Equal ones share the gradient.

    Raises IndexError where there are no elements to choose from (over all of them, RuntimeError).

    >>> aminmax(np.array([2.0, 1.0, 3.0])).max.data
    array(3.)
    """
    x = as_node(input)
    if dim is None and not x.size:
        raise RuntimeError(f"aminmax: Expected reduction dim to have non-zero size, got shape {x.shape}")
    dims = tuple(range(x.ndim)) if dim is None else normal_dim("aminmax", dim, x.ndim)
    return MinMax(amin(x, dims, keepdim), amax(x, dims, keepdim))


# ---------------------------------------------------------------- sums


def _logsumexp_forward(x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
    top = np.max(x.real if x.dtype.kind == "c" else x, axis=dims, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    total = np.log(sum_op(np.exp(x - top), dims, True)) + top
    return total if keepdim else np.squeeze(total, axis=dims)


def _logsumexp_rule(g: Any, out: Any, x: Any, dims: Any, keepdim: bool) -> Any:
    shares = np.exp(np.subtract(x, with_dims(out, x.shape, dims)))
    return np.multiply(with_dims(g, x.shape, dims), shares)


_logsumexp: Final = general("logsumexp", widened(_logsumexp_forward), _logsumexp_rule)


def logsumexp(input: Operand, dim: Dims, keepdim: bool = False) -> Node:
    """The logarithm of the sum of exp(elements) over some dimensions, without overflow; -inf where
    there are none. Integers and bools are computed in the default floating dtype.

    >>> logsumexp(np.array([1000.0, 1000.0]), 0).data
    array(1000.69314718)
    """
    x = as_floating(input)
    return apply(_logsumexp, (x,), (all_if_empty("logsumexp", x, dim, None), keepdim))


def nansum(
    input: Operand, dim: Dims | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Node:
    """The sum over some dimensions, or all, of what is not NaN. Bools and integers add up to int64.

    >>> nansum(np.array([1.0, np.nan, 2.0])).data
    array(3.)
    """
    x = as_node(input)
    if x._value.dtype.kind == "c":
        raise RuntimeError(f"nansum: not implemented for {x.dtype}")
    if x._value.dtype.kind == "f":
        x = select.call(x, seal(np.equal(x._value, x._value)))
    return sum(x, dim, keepdim, dtype=dtype)


def nanmean(
    input: Operand, dim: Dims | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Node:
    """The mean over some dimensions, or all, of what is not NaN; NaN where there is nothing else.

    Raises RuntimeError for integers and bools.

    >>> nanmean(np.array([1.0, np.nan, 2.0])).data
    array(1.5)
    """
    x = as_node(input)
    for kind in (x.dtype, dtype or x.dtype):
        if kind.kind not in "fc":
            raise RuntimeError(f"nanmean: expected a floating point or complex dtype but got {kind}")
    known = seal(np.equal(x._value, x._value))
    total = nansum(x, dim, keepdim, dtype=dtype)
    return total / cast(sum(known, dim, keepdim), total._value.dtype)


def trace(input: Operand) -> Node:
    """The sum of the diagonal of a matrix; of integers, int64.

    Raises RuntimeError for what is no matrix, and for bools.

    >>> trace(np.array([[1.0, 2.0], [3.0, 4.0]])).data
    array(5.)
    """
    x = as_node(input)
    if x.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got shape {x.shape}")
    if x._value.dtype.kind == "b":
        raise RuntimeError("trace: not implemented for bool")
    return sum(diagonal(x))


@implements(np.prod, np.multiply.reduce)
def _np_prod(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    return prod(x, axis, keepdims)

"""Ops that reduce dimensions: sum, mean, max, min."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final, Generic, NamedTuple, TypeVar, overload

import numpy as np

from .batch import as_array
from .choice import maximum, minimum
from .comparison import ordered
from .dtypes import AnyArray, DType
from .elementary import in_order
from .indexing import PLACE, along, getitem_parsed
from .node import HasNode, Node, Operand, as_node, implements, seal
from .op import Op, apply, astype, cast, general, linear
from .shape import Dims, normal_dim, normal_dims, reshape

T_co = TypeVar("T_co", covariant=True)

_INT64: Final[DType] = np.dtype(np.int64)
#: in what many numbers are added or multiplied one after the other, where not in their own dtype
WIDER: Final[dict[DType, DType]] = {
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.float32): np.dtype(np.float64),
}


#: what NumPy would add and multiply in wider integers
NARROW: Final[dict[DType, DType]] = {np.dtype(c): np.dtype(c) for c in ("?", "b", "B", "h", "i")}


class ValuesIndices(NamedTuple, Generic[T_co]):
    """What a search along a dimension finds: the values, and where they stood (int64)."""

    values: T_co
    indices: T_co


def with_dims(g: Any, shape: tuple[int, ...], dims: tuple[int, ...] | None) -> Any:
    """A reduced array with its reduced dimensions back, as 1s."""
    if dims is None:
        return np.reshape(g, (1,) * len(shape))
    kept = tuple([1 if i in dims else n for i, n in enumerate(shape)])
    return g if g.shape == kept else np.reshape(g, kept)


def _spread(g: Any, shape: tuple[int, ...], dims: tuple[int, ...] | None) -> Any:
    """A reduced array repeated over the dimensions that were reduced."""
    if isinstance(g, (np.ndarray, np.generic)):
        result = np.empty(shape, g.dtype)
        result[...] = with_dims(g, shape, dims) if g.ndim else g
        return result
    return np.broadcast_to(with_dims(g, shape, dims), shape)


spread_op: Final[Op] = linear(
    "spread",
    _spread,
    lambda g, _, x, shape, dims: np.reshape(sum_op(g, dims, True), x.shape),
)


_reduce: Final[Callable[..., Any]] = np.add.reduce
#: from how many elements on BLAS adds them up faster than NumPy: twice to forty times as fast
_LARGE: Final = 4096
#: of how many numbers, or twice as many, BLAS adds a run: rounding errors stay small
_RUN: Final = 512
_ONES: Final[dict[DType, Any]] = {np.dtype(c): np.ones(2 * _RUN, c) for c in ("f", "d")}


def _sum(x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
    if isinstance(x, np.ndarray):  # half of what np.sum costs to call
        if x.size < _LARGE or x.dtype not in _ONES or not x.flags.c_contiguous:
            return in_order(_reduce(x, dims, NARROW.get(x.dtype), None, keepdim))
        return _large_sum(x, dims, keepdim)
    return np.sum(x, axis=dims, dtype=NARROW.get(x.dtype), keepdims=keepdim)


def _large_sum(x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
    shape = x.shape
    ordered = sorted(dims) if dims else range(x.ndim)
    first, last = ordered[0], ordered[-1]
    if last - first >= len(ordered):  # not side by side: the last ones first
        gap = next(d for d in reversed(range(last)) if d not in ordered)
        part = _sum(x, tuple(range(gap + 1, last + 1)), True)
        total = _sum(part, tuple([d for d in ordered if d < gap]), True)
        return total if keepdim else total.reshape([n for d, n in enumerate(shape) if d not in ordered])
    before, after = shape[:first], shape[last + 1 :]
    if x.size < 4 * _LARGE and not before and not after:
        return _reduce(x, dims, None, None, keepdim)
    total = _fold(x.reshape(prod(before), prod(shape[first : last + 1]), prod(after)))
    return total.reshape((*before, *[1] * (last + 1 - first if keepdim else 0), *after))


def _fold(x: Any) -> Any:
    """The sums over the second of three dimensions: products with ones, of short runs, then of those."""
    n, inner = x.shape[1:]
    if n <= 2 * _RUN:
        if inner == 1:
            return np.matmul(x[:, :, 0], _ONES[x.dtype][:n])[:, None]
        return np.matmul(_ONES[x.dtype][:n], x) if n * inner >= 64 else _reduce(x, 1)
    many, rest = divmod(n, _RUN)
    runs, ones = x[:, : n - rest].reshape(-1, many, _RUN, inner), _ONES[x.dtype][:_RUN]
    total = _fold(np.matmul(runs[..., 0], ones)[..., None] if inner == 1 else np.matmul(ones, runs))
    return np.add(total, _fold(x[:, n - rest :])) if rest else total


sum_op: Final[Op] = linear("sum", _sum, lambda g, _, x, dims, keepdim: spread_op(g, x.shape, dims))


def count_of(shape: tuple[int, ...], dims: tuple[int, ...] | None) -> int:
    """How many elements meet in one when `dims` of `shape` are reduced."""
    count = 1
    for i, n in enumerate(shape):
        if dims is None or i in dims:
            count *= n
    return count


@np.errstate(all="ignore")
def _mean(x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
    total = _sum(x, dims, keepdim)
    return np.divide(total, np.asarray(count_of(x.shape, dims), total.dtype))


def _mean_rule(g: Any, _: Any, x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
    count = count_of(x.shape, dims)
    return spread_op(np.divide(g, np.asarray(count, g.dtype)), x.shape, dims) if count else None


mean_op: Final[Op] = linear("mean", _mean, _mean_rule)


def sum(
    input: Operand,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Dims | None = None,
    keepdims: bool = False,
) -> Node:
    """The sum over some dimensions, or all. Bools and integers add up to int64.

    dim (or axis): a dimension or several; keepdim (or keepdims): keep them, with size 1.

    >>> sum(np.ones((2, 3)), dim=1).data
    array([3., 3.])
    """
    x = whole(input, dtype)
    return apply(sum_op, (x,), (all_if_empty("sum", x, dim, axis), keepdim or keepdims))


def whole(input: Operand, dtype: DType | None) -> Node:
    """The input in the dtype that was asked for; without one, bools and integers become int64."""
    x = as_node(input)
    if dtype is not None:
        return cast(x, dtype)
    return cast(x, _INT64) if x._value.dtype.kind in "biu" else x


def all_if_empty(op: str, x: Node, dim: Dims | None, axis: Dims | None) -> tuple[int, ...] | None:
    """PyTorch reads `dim=()` as all dimensions. Raises TypeError for both `dim` and `axis`."""
    if dim is not None and axis is not None:
        raise TypeError(f"{op}: dim and axis are names of one argument, got both")
    return normal_dims(op, dim if axis is None else axis, x.ndim) or None


def mean(
    input: Operand,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Dims | None = None,
    keepdims: bool = False,
) -> Node:
    """The mean over some dimensions, or all; NaN where there are no elements.

    dim (or axis), keepdim (or keepdims): as in `sum`. Raises RuntimeError for integers and bools
    unless a floating `dtype` is given.

    >>> mean(np.array([1.0, 2.0, 3.0])).data
    array(2.)
    """
    x = as_node(input)
    if dtype is not None:
        x = cast(x, dtype)
    if x._value.dtype.kind not in "fc":
        raise RuntimeError(
            "mean: could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {x.dtype}"
        )
    return apply(mean_op, (x,), (all_if_empty("mean", x, dim, axis), keepdim or keepdims))


# ---------------------------------------------------------------- extremes


def extreme(name: str, reduce: Any) -> Op:
    """An op that picks by value, as max does: equal elements share the gradient."""

    def forward(x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
        return reduce(x, axis=dims, keepdims=keepdim)

    def rule(g: Any, out: Any, x: Any, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
        # equal extremes share the gradient, as in PyTorch
        ties = np.equal(x, with_dims(out, x.shape, dims))
        if dims is None:  # among NaNs too, though not along a dimension: again as in PyTorch
            ties = np.logical_or(ties, np.not_equal(x, x))
        ties = astype(ties, x.dtype)
        share = np.divide(with_dims(g, x.shape, dims), np.sum(ties, axis=dims, keepdims=True))
        return np.multiply(share, ties)

    return general(name, forward, rule)


_amax: Final = extreme("amax", np.max)
_amin: Final = extreme("amin", np.min)


def _reduce_extreme(op: Any, x: Node, dim: Dims | None, keepdim: bool) -> Node:
    dims = normal_dims(op.name, dim, ordered(op.name, x).ndim) or None
    if not count_of(x.shape, dims) and (x.size or dims is None or 0 in [x.shape[d] for d in dims]):
        kind = RuntimeError if dims is None else IndexError
        raise kind(f"{op.name}: Expected reduction dim to have non-zero size, got shape {x.shape}")
    return apply(op, (x,), (dims, keepdim))


def amax(input: Operand, dim: Dims | None = None, keepdim: bool = False) -> Node:
    """The maximum over some dimensions, or all; NaN wins. Equal maxima share the gradient.

    Raises IndexError where there are no elements to choose from (over all of them, RuntimeError).

    >>> amax(np.array([[1.0, 3.0], [2.0, 0.0]]), dim=1).data
    array([3., 2.])
    """
    return _reduce_extreme(_amax, as_node(input), dim, keepdim)


def amin(input: Operand, dim: Dims | None = None, keepdim: bool = False) -> Node:
    """The minimum over some dimensions, or all; NaN wins. Equal minima share the gradient.

    Raises IndexError where there are no elements to choose from (over all of them, RuntimeError).

    >>> amin(np.array([[1.0, 3.0], [2.0, 0.0]]), dim=1).data
    array([1., 0.])
    """
    return _reduce_extreme(_amin, as_node(input), dim, keepdim)


def _arg(name: str, find: Callable[..., Any], x: Node, dim: int | None, keepdim: bool) -> Node:
    if not ordered(name, x).size and (dim is None or not x.shape[normal_dim(name, dim, x.ndim)]):
        raise IndexError(f"{name}: Expected reduction dim to have non-zero size, got shape {x.shape}")
    at = None if dim is None else normal_dim(name, dim, x.ndim)
    if not x.ndim:
        return seal(np.zeros((), np.int64))
    return seal(as_array(find(x._value, axis=at, keepdims=keepdim), np.int64))


def argmax(input: Operand, dim: int | None = None, keepdim: bool = False) -> Node:
    """Where the maximum stands (int64): along `dim`, or in the flattened input.

    >>> argmax(np.array([[1.0, 3.0], [2.0, 0.0]]), dim=1).data
    array([1, 0])
    """
    return _arg("argmax", np.argmax, as_node(input), dim, keepdim)


def argmin(input: Operand, dim: int | None = None, keepdim: bool = False) -> Node:
    """Where the minimum stands (int64): along `dim`, or in the flattened input.

    >>> argmin(np.array([[1.0, 3.0], [2.0, 0.0]]), dim=1).data
    array([0, 1])
    """
    return _arg("argmin", np.argmin, as_node(input), dim, keepdim)


def _search(name: str, find: Callable[..., Any], x: Node, dim: int, keepdim: bool) -> ValuesIndices[Node]:
    if not x.ndim:
        normal_dim(name, dim, 0)
        return ValuesIndices(x, seal(np.zeros((), np.int64)))
    where = _arg(name, find, x, dim, True)
    at = normal_dim(name, dim, x.ndim)
    parts = along(where._value, at)
    values = getitem_parsed(x, (PLACE,) * len(parts), tuple([seal(part) for part in parts]))
    if not keepdim:
        shape = [n for i, n in enumerate(x.shape) if i != at]
        values, where = reshape(values, shape), reshape(where, shape)
    return ValuesIndices(values, where)


@overload
def max(input: Operand) -> Node: ...
@overload
def max(input: Operand, dim: int, keepdim: bool = False) -> ValuesIndices[Node]: ...
@overload
def max(input: Operand, dim: HasNode | AnyArray) -> Node: ...
def max(input: Operand, dim: Any = None, keepdim: bool = False) -> Node | ValuesIndices[Node]:
    """The maximum of all elements; with `dim`, the maxima along it and their indices.

    With another node or array in place of `dim` it is `maximum`. NaN wins. Over all elements,
    equal maxima share the gradient; along a dimension, the element of the index receives it.
    Raises RuntimeError where there are no elements to choose from.

    >>> max(np.array([1.0, 3.0, 2.0])).data
    array(3.)
    """
    return _max_or_min(max, input, dim, keepdim)


@overload
def min(input: Operand) -> Node: ...
@overload
def min(input: Operand, dim: int, keepdim: bool = False) -> ValuesIndices[Node]: ...
@overload
def min(input: Operand, dim: HasNode | AnyArray) -> Node: ...
def min(input: Operand, dim: Any = None, keepdim: bool = False) -> Node | ValuesIndices[Node]:
    """The minimum of all elements; with `dim`, the minima along it and their indices.

    With another node or array in place of `dim` it is `minimum`. See `max`.

    >>> min(np.array([1.0, 3.0, 2.0])).data
    array(1.)
    """
    return _max_or_min(min, input, dim, keepdim)


def _max_or_min(which: Any, input: Operand, dim: Any, keepdim: bool) -> Node | ValuesIndices[Node]:
    x = as_node(input)
    if dim is None:
        return amax(x) if which is max else amin(x)
    if isinstance(dim, int) and not isinstance(dim, bool):
        return _search(which.__name__, np.argmax if which is max else np.argmin, x, dim, keepdim)
    if isinstance(dim, (bool, float, complex, str)):
        raise TypeError(f"{which.__name__}: dim must be an int, not {type(dim).__name__}")
    return maximum(x, dim) if which is max else minimum(x, dim)


@implements(np.sum, np.add.reduce)
def _np_sum(x: Operand, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Node:
    return sum(x, axis, keepdims, dtype=None if dtype is None else np.dtype(dtype))


@implements(np.mean)
def _np_mean(x: Operand, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Node:
    return mean(x, axis, keepdims, dtype=None if dtype is None else np.dtype(dtype))


@implements(np.max, np.maximum.reduce)
def _np_max(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    return amax(x, axis, keepdims)


@implements(np.min, np.minimum.reduce)
def _np_min(x: Operand, axis: Any = None, keepdims: bool = False) -> Node:
    return amin(x, axis, keepdims)


@implements(np.argmax)
def _np_argmax(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    return argmax(x, axis, keepdims)


@implements(np.argmin)
def _np_argmin(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    return argmin(x, axis, keepdims)

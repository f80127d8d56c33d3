"""Running results along a dimension: cumsum, cumprod, cummax, logcumsumexp, and differences."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any, Final

import numpy as np

from .comparison import ne
from .dtypes import DType
from .elementary import in_order, select, silent
from .gathering import along_dim
from .indexing import getitem, getitem_parsed
from .joining import cat
from .node import Node, Operand, as_node, implements, seal
from .op import Op, apply, general, linear
from .reduction import NARROW, WIDER, ValuesIndices, whole
from .shape import normal_dim, reshape

#: the length of rows from which on they are added one by one
_LONG: Final = 48


def _scan(op: Op, x: Node, dim: int, *params: Any) -> Node:
    if x.dtype.kind == "b":
        raise RuntimeError(f"{op.name}: not implemented for bool")
    at = normal_dim(op.name, dim, x.ndim)
    if x.ndim:
        return apply(op, (x,), (at, *params))
    return reshape(apply(op, (reshape(x, 1),), (0, *params)), ())


def _accumulated(ufunc: np.ufunc, x: Any, dim: int) -> Any:
    """`ufunc.accumulate(x, dim)`; where rows are long, row by row: NumPy goes through each column alone,
    which takes 15 ns an element, a row 0.5."""
    if type(x) is not np.ndarray or prod(x.shape[dim + 1 :]) < _LONG or not x.size:
        return ufunc.accumulate(x, axis=dim)
    result = np.array(x, order="C")
    for block in result.reshape(prod(x.shape[:dim]), x.shape[dim], -1):
        for before, row in pairwise(block):
            ufunc(before, row, out=row)
    return result


def _cumulate(accumulate: Any, x: Any, dim: int, reverse: bool = False) -> Any:
    """The running result in at least float32, over float32 in float64: errors add up as well."""
    if reverse:
        x = np.flip(x, dim)
    wide = WIDER.get(x.dtype)
    if wide is None:
        result = accumulate(x, dim, dtype=NARROW.get(x.dtype))
    else:
        result = _accumulated(np.add if accumulate is np.cumsum else np.multiply, x.astype(wide), dim).astype(
            x.dtype
        )
    return np.flip(result, dim) if reverse else in_order(result)


# ---------------------------------------------------------------- sums

cumsum_op: Final[Op] = linear(
    "cumsum",
    silent(lambda x, dim, reverse: _cumulate(np.cumsum, x, dim, reverse)),
    lambda g, _, x, dim, reverse: cumsum_op(g, dim, not reverse),
)


def cumsum(input: Operand, dim: int, *, dtype: DType | None = None) -> Node:
    """The sums of the elements up to each one along `dim`. Bools and integers add up to int64.

    >>> cumsum(np.array([1.0, 2.0, 3.0]), 0).data
    array([1., 3., 6.])
    """
    return _scan(cumsum_op, whole(input, dtype), dim, False)


# ---------------------------------------------------------------- products


def shifted(x: Any, dim: int, back: bool, edge: float) -> Any:
    """`x` one place further along `dim` (one place back), `edge` where nothing moves in."""
    if not x.shape[dim]:
        return x
    rim = np.full((*x.shape[:dim], 1, *x.shape[dim + 1 :]), edge, x.dtype)
    kept = x[(*[slice(None)] * dim, slice(1, None) if back else slice(0, -1))]
    return np.concatenate([kept, rim] if back else [rim, kept], axis=dim)


@silent
def _recurrence(a: Any, b: Any, dim: int, reverse: bool) -> Any:
    y = np.array(b)
    factors, values = np.moveaxis(a, dim, 0), np.moveaxis(y, dim, 0)
    if reverse:
        factors, values = factors[::-1], values[::-1]
    for k in range(1, len(values)):
        values[k] += factors[k] * values[k - 1]
    return y


def _recurrence_vjp(
    g: Any, out: Any, inputs: Any, params: tuple[int, bool], saved: Any, needs: list[bool]
) -> Any:
    dim, reverse = params
    passed = recurrence_op(shifted(inputs[0], dim, not reverse, 0.0), g, dim, not reverse)
    return np.multiply(passed, shifted(out, dim, reverse, 0.0)) if needs[0] else None, passed


#: y[k] = b[k] + a[k] * y[k - 1] along a dimension (in reverse: y[k + 1]); y before the first is 0
recurrence_op: Final[Op] = general("recurrence", _recurrence, vjp=_recurrence_vjp)


def _cumprod_rule(g: Any, out: Any, x: Any, dim: int) -> Any:
    if type(g) is np.ndarray and out.all():
        return np.divide(_cumulate(np.cumsum, np.multiply(g, out), dim, True), x)
    # right beside zeros too, where nothing may be divided
    passed = recurrence_op(shifted(x, dim, True, 0.0), g, dim, True)
    return np.multiply(shifted(out, dim, False, 1.0), passed)


_cumprod: Final = general(
    "cumprod", silent(lambda x, dim: _cumulate(np.cumprod, x, dim)), _cumprod_rule, uses_out=True
)


def cumprod(input: Operand, dim: int, *, dtype: DType | None = None) -> Node:
    """The products of the elements up to each one along `dim`. Bools and integers give int64.

    >>> cumprod(np.array([1.0, 2.0, 3.0]), 0).data
    array([1., 2., 6.])
    """
    return _scan(_cumprod, whole(input, dtype), dim)


# ---------------------------------------------------------------- logarithms of sums


def _logcumsumexp_rule(g: Any, out: Any, x: Any, dim: int) -> Any:
    # from each sum to the one before it the share shrinks by a factor of at most 1
    further = shifted(out, dim, True, np.inf)
    shrinks = np.exp(select(np.subtract(out, further), np.not_equal(out, further)))
    passed = recurrence_op(shrinks, g, dim, True)
    return np.multiply(np.exp(np.subtract(x, out)), passed)


_logcumsumexp: Final = general(
    "logcumsumexp", silent(lambda x, dim: np.logaddexp.accumulate(x, axis=dim)), _logcumsumexp_rule
)


def logcumsumexp(input: Operand, dim: int) -> Node:
    """The logarithms of the sums of exp(elements) up to each one along `dim`, without overflow.

    Raises RuntimeError for integers and bools.

    >>> logcumsumexp(np.array([0.0, 0.0]), 0).data
    array([0.        , 0.69314718])
    """
    x = as_node(input)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"logcumsumexp: not implemented for {x.dtype}")
    return _scan(_logcumsumexp, x, dim)


# ---------------------------------------------------------------- extremes


def _running(name: str, ufunc: Any, input: Operand, dim: int) -> ValuesIndices[Node]:
    x = as_node(input)
    at = normal_dim(name, dim, x.ndim)
    if not x.ndim:
        return ValuesIndices(x, seal(np.zeros((), np.int64)))
    array = x._value
    best = _accumulated(ufunc, array, at)
    # the last of equals, and of NaNs
    reached = np.equal(array, best) | np.not_equal(array, array)
    places = np.arange(array.shape[at]).reshape([-1 if i == at else 1 for i in range(array.ndim)])
    where = seal(_accumulated(np.maximum, np.multiply(reached, places), at))
    return ValuesIndices(getitem_parsed(x, *along_dim(at, where)), where)


def cummax(input: Operand, dim: int) -> ValuesIndices[Node]:
    """The maximum of the elements up to each one along `dim`, and where the last of its equals
    stands (int64). NaN wins.

    >>> cummax(np.array([1.0, 3.0, 2.0]), 0).values.data
    array([1., 3., 3.])
    """
    return _running("cummax", np.maximum, input, dim)


def cummin(input: Operand, dim: int) -> ValuesIndices[Node]:
    """The minimum of the elements up to each one along `dim`, and where the last of its equals
    stands (int64). NaN wins.

    >>> cummin(np.array([3.0, 1.0, 2.0]), 0).values.data
    array([3., 1., 1.])
    """
    return _running("cummin", np.minimum, input, dim)


# ---------------------------------------------------------------- differences


def diff(
    input: Operand,
    n: int = 1,
    dim: int = -1,
    prepend: Operand | None = None,
    append: Operand | None = None,
) -> Node:
    """The differences between neighbours along `dim`, taken n times; of bools, whether they differ.

    prepend, append: what to put before and after the input first, of its shape but for `dim`.
    Raises RuntimeError for a 0-d input, a negative n, and for operands of other dimensions.

    >>> diff(np.array([1.0, 4.0, 9.0])).data
    array([3., 5.])
    """
    x = as_node(input)
    if not x.ndim:
        raise RuntimeError("diff: expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"diff: order must be non-negative but got {n}")
    at = normal_dim("diff", dim, x.ndim)
    if not n:
        return x
    parts = [x if p is input else as_node(p) for p in (prepend, input, append) if p is not None]
    if any(p.ndim != x.ndim for p in parts):
        raise RuntimeError(
            "diff: expects prepend or append to be the same dimension as input, got shapes "
            + " and ".join(str(p.shape) for p in parts)
        )
    x = cat(parts, at) if len(parts) > 1 else x
    lead = [slice(None)] * at
    for _ in range(min(n, x.shape[at])):
        later, earlier = getitem(x, (*lead, slice(1, None))), getitem(x, (*lead, slice(0, -1)))
        x = ne(later, earlier) if x._value.dtype.kind == "b" else later - earlier
    return x


@implements(np.cumsum, np.add.accumulate)
def _np_cumsum(x: Operand, axis: int | None = None) -> Node:
    return cumsum(reshape(as_node(x), -1), 0) if axis is None else cumsum(x, axis)


@implements(np.cumprod, np.multiply.accumulate)
def _np_cumprod(x: Operand, axis: int | None = None) -> Node:
    return cumprod(reshape(as_node(x), -1), 0) if axis is None else cumprod(x, axis)


@implements(np.diff)
def _np_diff(x: Operand, n: int = 1, axis: int = -1) -> Node:
    return diff(x, n, axis)

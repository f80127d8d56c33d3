"""Exponentials, logarithms and roots beyond the elementary ones. Integers and bools become floats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arithmetic import pow
from .elementary import floats_only, quiet, select, silent
from .node import Node, Operand, implements
from .op import apply, as_floating, general, pointwise
from .quick import expm1 as expm1_of, log1p as log1p_of, logaddexp as logaddexp_of

_exp2 = pointwise(
    "exp2",
    quiet(np.exp2),
    lambda g, out, x: np.multiply(np.multiply(g, out), math.log(2)),
    floats=True,
)
_expm1 = pointwise("expm1", expm1_of, lambda g, out, x: np.multiply(g, np.add(out, 1)), floats=True)
_log2 = pointwise(
    "log2", quiet(np.log2), lambda g, _, x: np.divide(g, np.multiply(x, math.log(2))), floats=True
)
_log10 = pointwise(
    "log10", quiet(np.log10), lambda g, _, x: np.divide(g, np.multiply(x, math.log(10))), floats=True
)
_log1p = pointwise("log1p", log1p_of, lambda g, _, x: np.divide(g, np.add(x, 1)), floats=True)
_rsqrt = pointwise(
    "rsqrt",
    quiet(lambda x: np.reciprocal(np.sqrt(x))),
    lambda g, out, x: np.multiply(np.multiply(g, -0.5), np.multiply(np.square(out), out)),
    floats=True,
)
_reciprocal = pointwise(
    "reciprocal",
    quiet(np.reciprocal),
    lambda g, out, x: np.negative(np.multiply(g, np.square(out))),
    floats=True,
)
_logaddexp = pointwise(
    "logaddexp",
    floats_only(logaddexp_of),
    lambda g, _, a, b: np.divide(g, np.add(np.exp(np.subtract(b, a)), 1)),
    lambda g, _, a, b: np.divide(g, np.add(np.exp(np.subtract(a, b)), 1)),
)


def _xlogy_forward(a: Any, b: Any) -> Any:
    product = np.multiply(a, np.log(b))
    nothing = np.logical_and(np.equal(a, 0), np.equal(b, b))
    return np.where(nothing, np.zeros((), product.dtype), product)


def _xlogy_first(g: Any, _: Any, a: Any, b: Any) -> Any:
    undefined = np.logical_and(np.equal(a, 0), np.less_equal(b, 0))
    return select(_xlogy(g, b), np.logical_not(undefined))


_xlogy = pointwise(
    "xlogy",
    quiet(_xlogy_forward),
    _xlogy_first,
    lambda g, _, a, b: np.divide(np.multiply(g, a), b),
    floats=True,
)


@silent
def _logit_forward(x: Any, eps: float | None) -> Any:
    if eps is not None:
        x = np.clip(x, eps, 1 - eps)
    return np.log(np.divide(x, np.subtract(1, x)))


def _logit_rule(g: Any, _: Any, x: Any, eps: float | None) -> Any:
    low = 0.0 if eps is None else eps
    outside = np.logical_or(np.less(x, low), np.greater(x, 1 - low))
    slope = np.divide(g, np.multiply(np.add(x, 0.0), np.subtract(1, x)))  # -0.0 becomes 0.0
    if eps is None:
        return np.where(outside, np.full((), math.nan, g.dtype), slope)
    return select(slope, np.logical_not(outside))


_logit = general("logit", _logit_forward, _logit_rule)


@implements(np.exp2)
def exp2(input: Operand) -> Node:
    """2 to the power of each element.

    >>> exp2(np.array([3.0])).data
    array([8.])
    """
    return _exp2.call(input)


@implements(np.expm1)
def expm1(input: Operand) -> Node:
    """`exp(input) - 1`, exact also where the input is small.

    >>> expm1(np.array([0.0])).data
    array([0.])
    """
    return _expm1.call(input)


@implements(np.log2)
def log2(input: Operand) -> Node:
    """The logarithm to base 2 of each element: -inf at 0, NaN below.

    >>> log2(np.array([8.0])).data
    array([3.])
    """
    return _log2.call(input)


@implements(np.log10)
def log10(input: Operand) -> Node:
    """The logarithm to base 10 of each element: -inf at 0, NaN below.

    >>> log10(np.array([100.0])).data
    array([2.])
    """
    return _log10.call(input)


@implements(np.log1p)
def log1p(input: Operand) -> Node:
    """`log(1 + input)`, exact also where the input is small: -inf at -1, NaN below.

    >>> log1p(np.array([0.0])).data
    array([0.])
    """
    return _log1p.call(input)


@implements(np.logaddexp)
def logaddexp(input: Operand, other: Operand) -> Node:
    """`log(exp(input) + exp(other))` without overflow, element by element, broadcasting.

    Raises RuntimeError unless the inputs are floating-point.

    >>> logaddexp(np.array([1000.0]), -1000.0).data
    array([1000.])
    """
    return _logaddexp.call(input, other)


def logit(input: Operand, eps: float | None = None) -> Node:
    """`log(input / (1 - input))`, the inverse of sigmoid: NaN outside [0, 1].

    eps: limit the input to [eps, 1 - eps] first; the derivative is 0 where that changes it.

    >>> logit(np.array([0.5])).data
    array([0.])
    """
    return apply(_logit, (as_floating(input),), (eps,))


def xlogy(input: Operand, other: Operand) -> Node:
    """`input * log(other)`, element by element, broadcasting: 0 where the input is 0.

    >>> xlogy(np.array([0.0, 1.0]), np.array([0.0, 1.0])).data
    array([0., 0.])
    """
    return _xlogy.call(input, other)


def rsqrt(input: Operand) -> Node:
    """`1 / sqrt(input)`, element by element: inf at 0, NaN below.

    >>> rsqrt(np.array([4.0])).data
    array([0.5])
    """
    return _rsqrt.call(input)


@implements(np.reciprocal)
def reciprocal(input: Operand) -> Node:
    """`1 / input`, element by element.

    >>> reciprocal(np.array([4.0])).data
    array([0.25])
    """
    return _reciprocal.call(input)


@implements(np.square)
def square(input: Operand) -> Node:
    """`input * input`, element by element.

    >>> square(np.array([3.0])).data
    array([9.])
    """
    return pow(input, 2)

"""Rounding, signs and what is left over, element by element: functions that are flat between jumps."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .arithmetic import check_divisor
from .comparison import ordered
from .elementary import flat, floats_only, quiet, silent
from .node import Node, Operand, as_node, implements
from .op import apply, general, pointwise
from .quick import fmod as fmod_of


def _rounder(ufunc: Any) -> Any:
    def forward(x: Any) -> Any:
        if x.dtype.kind in "bc":
            raise TypeError("only real numbers can be rounded")
        return ufunc(x) if x.dtype.kind == "f" else x

    return quiet(forward)


_ceil = pointwise("ceil", _rounder(np.ceil), flat)
_floor = pointwise("floor", _rounder(np.floor), flat)
_trunc = pointwise("trunc", _rounder(np.trunc), flat)
_rint = pointwise("round", _rounder(np.rint), flat)


def _sign_forward(x: Any) -> Any:
    if x.dtype.kind != "f":
        return x if x.dtype.kind == "b" else np.sign(x)
    signs = np.subtract(np.greater(x, 0).view(np.int8), np.less(x, 0).view(np.int8))  # 0 at NaN
    return signs.astype(x.dtype)


sign_op: Final = pointwise("sign", quiet(_sign_forward), flat)


@silent
def _decimals_forward(x: Any, decimals: int) -> Any:
    if x.dtype.kind != "f":
        raise TypeError("only floating-point numbers have decimals")
    tens = np.asarray(10.0 ** abs(decimals), x.dtype)
    if decimals < 0:
        return np.multiply(np.rint(np.divide(x, tens)), tens)
    return np.divide(np.rint(np.multiply(x, tens)), tens)


_decimals = general("round_decimals", _decimals_forward, flat)


_frac = pointwise("frac", floats_only(lambda x: np.subtract(x, np.trunc(x))), lambda g, _, x: g)


def _fmod_forward(a: Any, b: Any) -> Any:
    check_divisor("fmod", a, b)
    return fmod_of(a, b)


_fmod = pointwise(
    "fmod",
    quiet(_fmod_forward),
    lambda g, _, a, b: g,
    lambda g, _, a, b: np.negative(np.multiply(g, np.trunc(np.divide(a, b)))),
)


@implements(np.ceil)
def ceil(input: Operand) -> Node:
    """The smallest whole number not below each element. Raises RuntimeError for bools.

    >>> ceil(np.array([-0.5, 1.5])).data
    array([-0.,  2.])
    """
    return _ceil.call(input)


@implements(np.floor)
def floor(input: Operand) -> Node:
    """The largest whole number not above each element. Raises RuntimeError for bools.

    >>> floor(np.array([-0.5, 1.5])).data
    array([-1.,  1.])
    """
    return _floor.call(input)


@implements(np.trunc, np.fix)
def trunc(input: Operand) -> Node:
    """Each element without its fraction: rounded towards zero. Raises RuntimeError for bools.

    >>> trunc(np.array([-1.5, 1.5])).data
    array([-1.,  1.])
    """
    return _trunc.call(input)


@implements(np.round, np.rint)
def round(input: Operand, decimals: int = 0) -> Node:
    """The nearest whole number, of two the even one; or the nearest multiple of `10**-decimals`.

    Raises RuntimeError for bools, and for integers if `decimals` is not 0.

    >>> round(np.array([0.5, 1.5, 2.5])).data
    array([0., 2., 2.])
    """
    return _rint.call(input) if decimals == 0 else apply(_decimals, (as_node(input),), (decimals,))


@implements(np.sign)
def sign(input: Operand) -> Node:
    """-1, 0 or 1 by the sign of each element; 0 for NaN, as in PyTorch. Its derivative is zero.

    >>> sign(np.array([-2.0, 0.0, 3.0])).data
    array([-1.,  0.,  1.])
    """
    return sign_op.call(ordered("sign", as_node(input)))


def frac(input: Operand) -> Node:
    """The fraction of each element, with its sign. Raises RuntimeError unless floating-point.

    >>> frac(np.array([-1.5, 1.25])).data
    array([-0.5 ,  0.25])
    """
    return _frac.call(input)


@implements(np.fmod)
def fmod(input: Operand, other: Operand) -> Node:
    """C's remainder of a division: the result has the sign of `input`.

    Raises ZeroDivisionError for integers divided by zero, RuntimeError for bools.

    >>> fmod(np.array([5.0, -5.0]), 3.0).data
    array([ 2., -2.])
    """
    return _fmod.call(input, other)

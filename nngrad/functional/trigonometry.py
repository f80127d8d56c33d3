"""Circular and hyperbolic functions, element by element. Integers and bools become floats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arithmetic import mul
from .elementary import floats_only, quiet, select
from .node import Node, Operand, implements
from .op import as_floating, pointwise


def _over_root(g: Any, square: Any) -> Any:
    return np.divide(g, np.sqrt(square))


_sin = pointwise("sin", quiet(np.sin), lambda g, _, x: np.multiply(g, np.cos(x)), floats=True)
_cos = pointwise("cos", quiet(np.cos), lambda g, _, x: np.negative(np.multiply(g, np.sin(x))), floats=True)
_tan = pointwise(
    "tan", quiet(np.tan), lambda g, out, x: np.multiply(g, np.add(np.square(out), 1)), floats=True
)
_asin = pointwise(
    "asin", quiet(np.arcsin), lambda g, _, x: _over_root(g, np.subtract(1, np.square(x))), floats=True
)
_acos = pointwise(
    "acos",
    quiet(np.arccos),
    lambda g, _, x: np.negative(_over_root(g, np.subtract(1, np.square(x)))),
    floats=True,
)
_atan = pointwise(
    "atan", quiet(np.arctan), lambda g, _, x: np.divide(g, np.add(np.square(x), 1)), floats=True
)
_sinh = pointwise("sinh", quiet(np.sinh), lambda g, _, x: np.multiply(g, np.cosh(x)), floats=True)
_cosh = pointwise("cosh", quiet(np.cosh), lambda g, _, x: np.multiply(g, np.sinh(x)), floats=True)
_asinh = pointwise(
    "asinh", quiet(np.arcsinh), lambda g, _, x: _over_root(g, np.add(np.square(x), 1)), floats=True
)
_acosh = pointwise(
    "acosh", quiet(np.arccosh), lambda g, _, x: _over_root(g, np.subtract(np.square(x), 1)), floats=True
)
_atanh = pointwise(
    "atanh", quiet(np.arctanh), lambda g, _, x: np.divide(g, np.subtract(1, np.square(x))), floats=True
)


def _turn(g: Any, side: Any, a: Any, b: Any) -> Any:
    """`g * side / (a**2 + b**2)` without overflow; 0 at the origin, as in PyTorch."""
    length = np.hypot(a, b)
    return select(np.divide(np.multiply(g, np.divide(side, length)), length), np.not_equal(length, 0))


_atan2 = pointwise(
    "atan2",
    quiet(np.arctan2),
    lambda g, _, a, b: _turn(g, b, a, b),
    lambda g, _, a, b: np.negative(_turn(g, a, a, b)),
    floats=True,
)
_hypot = pointwise(
    "hypot",
    floats_only(np.hypot),
    lambda g, out, a, b: np.multiply(g, np.divide(a, out)),
    lambda g, out, a, b: np.multiply(g, np.divide(b, out)),
)


@implements(np.sin)
def sin(input: Operand) -> Node:
    """The sine of each element, an angle in radians.

    >>> sin(np.array([0.0])).data
    array([0.])
    """
    return _sin.call(input)


@implements(np.cos)
def cos(input: Operand) -> Node:
    """The cosine of each element, an angle in radians.

    >>> cos(np.array([0.0])).data
    array([1.])
    """
    return _cos.call(input)


@implements(np.tan)
def tan(input: Operand) -> Node:
    """The tangent of each element, an angle in radians.

    >>> tan(np.array([0.0])).data
    array([0.])
    """
    return _tan.call(input)


@implements(np.arcsin)
def asin(input: Operand) -> Node:
    """The angle in [-pi/2, pi/2] whose sine each element is: NaN outside [-1, 1].

    >>> asin(np.array([0.0])).data
    array([0.])
    """
    return _asin.call(input)


@implements(np.arccos)
def acos(input: Operand) -> Node:
    """The angle in [0, pi] whose cosine each element is: NaN outside [-1, 1].

    >>> acos(np.array([1.0])).data
    array([0.])
    """
    return _acos.call(input)


@implements(np.arctan)
def atan(input: Operand) -> Node:
    """The angle in [-pi/2, pi/2] whose tangent each element is.

    >>> atan(np.array([0.0])).data
    array([0.])
    """
    return _atan.call(input)


@implements(np.arctan2)
def atan2(input: Operand, other: Operand) -> Node:
    """The angle of the point (other, input) in [-pi, pi], element by element, broadcasting.

    >>> atan2(np.array([0.0, 0.0]), np.array([1.0, -1.0])).data.round(3)
    array([0.   , 3.142])
    """
    return _atan2.call(input, other)


@implements(np.sinh)
def sinh(input: Operand) -> Node:
    """The hyperbolic sine of each element.

    >>> sinh(np.array([0.0])).data
    array([0.])
    """
    return _sinh.call(input)


@implements(np.cosh)
def cosh(input: Operand) -> Node:
    """The hyperbolic cosine of each element.

    >>> cosh(np.array([0.0])).data
    array([1.])
    """
    return _cosh.call(input)


@implements(np.arcsinh)
def asinh(input: Operand) -> Node:
    """The inverse of sinh, element by element.

    >>> asinh(np.array([0.0])).data
    array([0.])
    """
    return _asinh.call(input)


@implements(np.arccosh)
def acosh(input: Operand) -> Node:
    """The inverse of cosh, element by element: NaN below 1.

    >>> acosh(np.array([1.0])).data
    array([0.])
    """
    return _acosh.call(input)


@implements(np.arctanh)
def atanh(input: Operand) -> Node:
    """The inverse of tanh, element by element: infinite at -1 and 1, NaN beyond.

    >>> atanh(np.array([0.0])).data
    array([0.])
    """
    return _atanh.call(input)


@implements(np.hypot)
def hypot(input: Operand, other: Operand) -> Node:
    """The length of the hypotenuse, `sqrt(input**2 + other**2)` without overflow, broadcasting.

    >>> hypot(np.array([3.0]), 4.0).data
    array([5.])
    """
    return _hypot.call(input, other)


@implements(np.deg2rad, np.radians)
def deg2rad(input: Operand) -> Node:
    """Degrees as radians, element by element.

    >>> deg2rad(np.array([180.0])).data.round(3)
    array([3.142])
    """
    return mul(as_floating(input), math.pi / 180)


@implements(np.rad2deg, np.degrees)
def rad2deg(input: Operand) -> Node:
    """Radians as degrees, element by element.

    >>> rad2deg(np.array([np.pi])).data
    array([180.])
    """
    return mul(as_floating(input), 180 / math.pi)

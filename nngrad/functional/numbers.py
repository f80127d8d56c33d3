"""Functions of numbers, element by element, that programs use less often; loaded when first named."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from .arithmetic import mul, pow, sub
from .choice import where
from .comparison import lt, without_gradient
from .elementary import abs, floats_only, silent
from .node import Node, Operand, as_node, implements, seal
from .op import as_floating, cast, pointwise, promote, scalar
from .reduction import sum
from .rounding import sign_op
from .shape import unsqueeze
from .special import digamma, lgamma, polygamma_op
from .trigonometry import sin

#: the series of sin(x) / x in x * x, exact where x is at most 1 / 16
_SINC: Final = (1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1.0)


def sgn(input: Operand) -> Node:
    """The sign of each element: -1, 0 or 1, as `sign` says; of complex numbers, those over their sizes.

    >>> sgn(np.array([-2.0, 0.0, 3.0])).data
    array([-1.,  0.,  1.])
    """
    return sign_op.call(input)


def positive(input: Operand) -> Node:
    """The input itself. Raises RuntimeError for bools.

    >>> positive(np.array([-1.0])).data
    array([-1.])
    """
    x = as_node(input)
    if x.dtype.kind == "b":
        raise RuntimeError("positive: The `+` operator, on a bool tensor is not supported.")
    return x


@implements(np.signbit)
def signbit(input: Operand) -> Node:
    """Whether each element is negative, -0.0 included, as bools.

    >>> signbit(np.array([-1.0, -0.0, 2.0])).data
    array([ True,  True, False])
    """

    def forward(x: Any) -> Any:
        return np.signbit(x) if x.dtype.kind == "f" else np.less(x, 0)

    return without_gradient("signbit", forward, input)


def isposinf(input: Operand) -> Node:
    """Whether each element is infinite and positive, as bools.

    >>> isposinf(np.array([np.inf, -np.inf, 1.0])).data
    array([ True, False, False])
    """
    return without_gradient("isposinf", lambda x: np.equal(x, math.inf), input)


def isneginf(input: Operand) -> Node:
    """Whether each element is infinite and negative, as bools.

    >>> isneginf(np.array([np.inf, -np.inf, 1.0])).data
    array([False,  True, False])
    """
    return without_gradient("isneginf", lambda x: np.equal(x, -math.inf), input)


def isreal(input: Operand) -> Node:
    """Whether each element has no imaginary part, as bools.

    >>> isreal(np.array([1.0, 2.0])).data
    array([ True,  True])
    """
    return without_gradient("isreal", np.isreal, input)


@implements(np.heaviside)
def heaviside(input: Operand, values: Operand) -> Node:
    """0 below zero, 1 above, and at zero what `values` says; without gradient.

    Raises RuntimeError if the dtypes differ.

    >>> heaviside(np.array([-1.0, 0.0, 2.0]), np.array([0.5])).data
    array([0. , 0.5, 1. ])
    """
    x, v = as_node(input), as_node(values)
    if x.dtype != v.dtype:
        raise RuntimeError(f"heaviside: needs operands of one dtype, got {x.dtype} and {v.dtype}")

    def forward(a: Any, b: Any) -> Any:
        return np.where(np.equal(a, 0), b, np.greater(a, 0).astype(b.dtype))

    return without_gradient("heaviside", forward, x, v)


@implements(np.nextafter)
def nextafter(input: Operand, other: Operand) -> Node:
    """The next number that the dtype has after each element towards `other`; without gradient.

    Raises RuntimeError for integers.

    >>> nextafter(np.array([1.0]), np.array([2.0])).data - 1
    array([2.22044605e-16])
    """

    def forward(x: Any, to: Any) -> Any:
        return np.where(np.equal(x, to), to, np.nextafter(x, to))  # of two zeros the other

    return without_gradient("nextafter", floats_only(forward), input, other)


def _whole(name: str, ufunc: Any, a: Operand, b: Operand) -> Node:
    def forward(x: Any, y: Any) -> Any:
        if x.dtype.kind not in "iu":
            raise TypeError("only for integers")
        return ufunc(x, y)

    return without_gradient(name, forward, *promote(name, a, b))


@implements(np.gcd)
def gcd(input: Operand, other: Operand) -> Node:
    """The greatest common divisor of each pair of integers. Raises RuntimeError for other numbers.

    >>> gcd(np.array([12, 18]), np.array([8, 27])).data
    array([4, 9])
    """
    return _whole("gcd", np.gcd, input, other)


@implements(np.lcm)
def lcm(input: Operand, other: Operand) -> Node:
    """The least common multiple of each pair of integers. Raises RuntimeError for other numbers.

    >>> lcm(np.array([4, 6]), np.array([6, 9])).data
    array([12, 18])
    """
    return _whole("lcm", np.lcm, input, other)


@implements(np.float_power)
def float_power(input: Operand, exponent: Operand) -> Node:
    """Powers in double precision, whatever the dtypes.

    >>> float_power(np.array([2, 3]), 2).data
    array([4., 9.])
    """
    nodes = [as_node(x) for x in (input, exponent)]
    double = np.result_type(np.float64, *[n.dtype for n in nodes if n.dtype.kind == "c"])
    a, b = [cast(n, double) for n in nodes]
    return pow(a, b)


@implements(np.ldexp)
def ldexp(input: Operand, other: Operand) -> Node:
    """`input * 2 ** other`, element by element.

    >>> ldexp(np.array([1.0, 3.0]), np.array([2, -1])).data
    array([4. , 1.5])
    """
    x, power = as_node(input), as_node(other)
    if x.dtype.kind != "f" or power.dtype.kind == "f":
        return mul(x, pow(2.0, power))
    wide = np.dtype(np.float32) if x.dtype.itemsize == 2 else x.dtype  # whose powers of 2 reach as far
    return cast(mul(x, pow(scalar(2.0, wide), cast(power, wide))), x.dtype)


@silent
def _sinc(x: Node) -> Node:
    angle = mul(x, math.pi)
    near = lt(abs(x), 0.02)  # where the quotient's derivatives would cancel
    small = where(near, angle, 0.0)
    z = mul(small, small)
    series = mul(z, _SINC[0])
    for coefficient in _SINC[1:-1]:
        series = mul(series + coefficient, z)
    safe = where(near, 1.0, angle)
    return where(near, series + _SINC[-1], sin(safe) / safe)


def sinc(input: Operand) -> Node:
    """`sin(pi * input) / (pi * input)`, and 1 at 0.

    >>> sinc(np.array([0.0, 0.5])).data.round(4)
    array([1.    , 0.6366])
    """
    return _sinc(as_floating(as_node(input)))


_logaddexp2 = pointwise(
    "logaddexp2",
    floats_only(np.logaddexp2),
    lambda g, _, a, b: np.divide(g, np.add(np.exp2(np.subtract(b, a)), 1)),
    lambda g, _, a, b: np.divide(g, np.add(np.exp2(np.subtract(a, b)), 1)),
)


@implements(np.logaddexp2)
def logaddexp2(input: Operand, other: Operand) -> Node:
    """`log2(2 ** input + 2 ** other)`, without overflow. Raises RuntimeError for integers.

    >>> logaddexp2(np.array([1000.0]), np.array([1000.0])).data
    array([1001.])
    """
    return _logaddexp2.call(input, other)


def polygamma(n: int, input: Operand) -> Node:
    """The n-th derivative of digamma. Needs SciPy. Raises RuntimeError for a negative n.

    >>> polygamma(1, np.array([1.0])).data.round(4)
    array([1.6449])
    """
    if n < 0:
        raise RuntimeError(f"polygamma: polygamma(n, x) does not support negative n, got {n}")
    return digamma(input) if not n else polygamma_op.call(as_floating(as_node(input)), n)


def mvlgamma(input: Operand, p: int) -> Node:
    """The logarithm of the multivariate gamma function of `p` dimensions. Needs SciPy.

    Raises RuntimeError unless p is positive and every element larger than (p - 1) / 2.

    >>> mvlgamma(np.array([2.0]), 1).data
    array([0.])
    """
    x = as_floating(as_node(input))
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, got {p}")
    steps = seal(np.arange(p, dtype=x.dtype) / 2)
    return sum(lgamma(sub(unsqueeze(x, -1), steps)), -1) + p * (p - 1) / 4 * math.log(math.pi)

"""Activations that multiply what they are given by a share of it that it decides on: gelu, silu, mish, glu.

Each has its own derivative, written so that infinite and large inputs give the limit, not NaN.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import numpy as np

from .arithmetic import mul
from .blocks import elementwise
from .elementary import sigmoid, sigmoid_op
from .node import Node, Operand
from .op import floating, pointwise
from .shape import normal_dim
from .special import erf_op
from .splitting import narrow

# ---------------------------------------------------------------- gelu


_ROOT_HALF: Final = math.sqrt(0.5)
_BELL: Final = 1 / math.sqrt(2 * math.pi)
# gelu's tanh form is x / 2 * (1 + tanh(u)) with u = x * (_A + _B * x**2)
_A: Final = math.sqrt(2 / math.pi)
_B: Final = _A * 0.044715
_FAR: Final = 100.0  # where gelu is 0 or x, and tanh of what it takes is -1 or 1
_TAME: Final = 1e12  # a sum of squares up to which nothing overflows


# P(N <= x) is 1 / (1 + exp(-2 * x * Q(x * x))) to 3e-8, with the polynomial Q of these coefficients: fitted
# by linear programming where float32 tells it from 0 and 1; beyond, Q goes on growing
_PROBIT: Final = (
    1.753194206e-09, -1.32144608e-07, 3.963020818e-06, -5.529471308e-05,
    -3.263124304e-05, 0.03633313458, 0.7978849191,
)  # fmt: skip
_BENT: Final = tuple([-2 * c for c in _PROBIT])


def _gelu_formula(x: Any) -> Any:
    c = np.maximum(x, -_FAR)
    return np.multiply(np.multiply(c, 0.5), np.add(erf_op(np.multiply(c, _ROOT_HALF)), 1.0))


def _gelu_kernel(out: Any, bent: Any, x: Any) -> None:
    if x.dtype.char != "f":
        out[...] = _gelu_formula(x)
        return
    if not np.vdot(x, x) < _TAME:
        x = np.maximum(x, -_FAR)
    np.square(x, out=out)
    np.multiply(out, _BENT[0], out=bent)
    for c in _BENT[1:-1]:
        np.add(bent, c, out=bent)
        np.multiply(bent, out, out=bent)
    np.add(bent, _BENT[-1], out=bent)
    _gate(out, bent, x)


def _gate(out: Any, bent: Any, x: Any) -> None:
    """x / (1 + exp(x * bent)), to `out`. (NumPy takes more time for tanh, unless there is AVX-512.)"""
    np.multiply(bent, x, out=bent)
    np.exp(bent, out=bent)
    np.add(bent, 1.0, out=bent)
    np.divide(x, bent, out=out)


def _share(part: Any, out: Any, x: Any) -> bool:
    """What `out` is of `x`, to `part`: for gelu and silu the factor that made it, without computing it
    again. 1/2 at 0; whether the inputs are so tame that this holds."""
    if not np.vdot(x, x) < _TAME:
        return False
    np.divide(out, x, out=part)
    if not np.vdot(part, part) < _TAME:  # 0 / 0
        part[np.equal(x, 0)] = 0.5
    return True


def _gelu_slope(g: Any, out: Any, x: Any) -> Any:
    c = np.clip(x, -_FAR, _FAR)
    below = np.multiply(np.add(erf_op(np.multiply(c, _ROOT_HALF)), 1.0), 0.5)
    bell = np.multiply(np.exp(np.multiply(np.square(c), -0.5)), _BELL)
    return np.multiply(g, np.add(below, np.multiply(c, bell)))


def _gelu_slope_kernel(gx: Any, bell: Any, g: Any, out: Any, x: Any) -> None:
    if x.dtype.char != "f" or not _share(gx, out, x):
        gx[...] = _gelu_slope(g, out, x)
        return
    np.square(x, out=bell)
    np.multiply(bell, -0.5, out=bell)
    np.exp(bell, out=bell)
    np.multiply(bell, _BELL, out=bell)
    np.multiply(bell, x, out=bell)
    np.add(gx, bell, out=gx)
    np.multiply(gx, g, out=gx)


def _gelu_tanh_formula(x: Any) -> Any:
    c = np.maximum(x, -_FAR)
    half = np.multiply(c, 0.5)
    return np.add(np.multiply(half, np.tanh(np.multiply(c, np.add(np.multiply(np.square(c), _B), _A)))), half)


def _gelu_tanh_kernel(out: Any, bent: Any, x: Any) -> None:
    if not np.vdot(x, x) < _TAME:
        x = np.maximum(x, -_FAR)
    np.square(x, out=bent)
    np.multiply(bent, -2 * _B, out=bent)
    np.add(bent, -2 * _A, out=bent)
    _gate(out, bent, x)


def _gelu_tanh_slope(g: Any, out: Any, x: Any) -> Any:
    c = np.clip(x, -_FAR, _FAR)
    squared = np.square(c)
    t = np.tanh(np.multiply(c, np.add(np.multiply(squared, _B), _A)))
    bent = np.multiply(c, np.add(np.multiply(squared, 1.5 * _B), 0.5 * _A))
    bent = np.multiply(bent, np.subtract(1.0, np.square(t)))
    return np.multiply(g, np.add(bent, np.multiply(np.add(t, 1.0), 0.5)))


def _gelu_tanh_slope_kernel(gx: Any, s: Any, g: Any, out: Any, x: Any) -> None:
    # with s = (1 + t) / 2 the slope is s + x * u'(x) * 2 s (1 - s), and x * s is out
    if x.dtype.char != "f" or not _share(s, out, x):
        gx[...] = _gelu_tanh_slope(g, out, x)
        return
    np.square(x, out=gx)
    np.multiply(gx, 6 * _B, out=gx)
    np.add(gx, 2 * _A, out=gx)
    np.multiply(gx, out, out=gx)
    np.multiply(gx, np.subtract(1.0, s), out=gx)
    np.add(gx, s, out=gx)
    np.multiply(gx, g, out=gx)


_gelu_back = elementwise(_gelu_slope, _gelu_slope_kernel, 1)
_gelu = pointwise(
    "gelu", elementwise(_gelu_formula, _gelu_kernel, 1), lambda g, out, x: _gelu_back(g, out, x)
)
_gelu_tanh_back = elementwise(_gelu_tanh_slope, _gelu_tanh_slope_kernel, 1)
_gelu_tanh = pointwise(
    "gelu_tanh",
    elementwise(_gelu_tanh_formula, _gelu_tanh_kernel, 1),
    lambda g, out, x: _gelu_tanh_back(g, out, x),
)


def gelu(input: Operand, approximate: Literal["none", "tanh"] = "none") -> Node:
    """`input * P(N <= input)` with a normal N: the Gaussian error linear unit.

    approximate: "none", by the error function, or "tanh", the usual approximation. Raises
    RuntimeError for another. Hendrycks and Gimpel, "Gaussian error linear units" (2016).

    >>> gelu(np.array([-1.0, 0.0, 1.0])).data.round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    x = floating("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return (_gelu if approximate == "none" else _gelu_tanh).call(x)


# ---------------------------------------------------------------- silu, mish, glu


_DEEP: Final = 1000.0  # exp(-_DEEP) is 0 and exp(_DEEP) inf in every dtype


def _silu_formula(x: Any) -> Any:
    c = np.maximum(x, -_DEEP)
    return np.divide(c, np.add(np.exp(np.negative(c)), 1.0))


def _silu_kernel(out: Any, c: Any, x: Any) -> None:
    np.maximum(x, -_DEEP, out=c)
    np.negative(c, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.divide(c, out, out=out)


def _silu_slope(g: Any, out: Any, x: Any) -> Any:
    c = np.clip(x, -_DEEP, _DEEP)
    s = sigmoid_op(c)
    return np.multiply(g, np.multiply(s, np.add(np.multiply(c, np.subtract(1.0, s)), 1.0)))


def _silu_slope_kernel(gx: Any, s: Any, g: Any, out: Any, x: Any) -> None:
    if not _share(s, out, x):
        gx[...] = _silu_slope(g, out, x)
        return
    np.subtract(1.0, s, out=gx)
    np.multiply(gx, out, out=gx)
    np.add(gx, s, out=gx)
    np.multiply(gx, g, out=gx)


_silu_back = elementwise(_silu_slope, _silu_slope_kernel, 1)
_silu = pointwise(
    "silu", elementwise(_silu_formula, _silu_kernel, 1), lambda g, out, x: _silu_back(g, out, x)
)


def silu(input: Operand) -> Node:
    """`input * sigmoid(input)`, element by element; also called swish.

    >>> silu(np.array([-1.0, 0.0, 1.0])).data.round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    return _silu.call(floating("silu", input))


def _tanh_of_softplus(x: Any) -> tuple[Any, Any, Any]:
    """tanh(log(1 + exp(x))) as n / (n + 2), with exp(x); x is capped where that is 1."""
    e = np.exp(np.clip(x, -_DEEP, 20.0))
    n = np.multiply(e, np.add(e, 2.0))
    return e, n, np.add(n, 2.0)


def _mish_formula(x: Any) -> Any:
    _, n, m = _tanh_of_softplus(x)
    return np.multiply(np.maximum(x, -_DEEP), np.divide(n, m))


@elementwise
def _mish_slope(g: Any, x: Any) -> Any:
    e, n, m = _tanh_of_softplus(x)
    bent = np.multiply(np.divide(np.multiply(e, 4.0), m), np.divide(np.add(e, 1.0), m))
    bent = np.multiply(bent, np.clip(x, -_DEEP, 20.0))
    return np.multiply(g, np.add(np.divide(n, m), bent))


_mish = pointwise("mish", elementwise(_mish_formula), lambda g, _, x: _mish_slope(g, x))


def mish(input: Operand) -> Node:
    """`input * tanh(softplus(input))`. Misra, "Mish" (2019).

    >>> mish(np.array([-1.0, 0.0, 1.0])).data.round(4)
    array([-0.3034,  0.    ,  0.8651])
    """
    return _mish.call(floating("mish", input))


def glu(input: Operand, dim: int = -1) -> Node:
    """The first half along `dim` times the sigmoid of the second: the gated linear unit.

    Raises RuntimeError for a dimension of odd size, or a 0-d input.

    >>> glu(np.array([2.0, 0.0])).data
    array([1.])
    """
    x = floating("glu", input)
    if not x.ndim:
        raise RuntimeError("glu: does not support 0-dimensional inputs")
    at = normal_dim("glu", dim, x.ndim)
    half, odd = divmod(x.shape[at], 2)
    if odd:
        raise RuntimeError(
            f"glu: Halving dimension must be even, but dimension {at} of shape {x.shape} is not"
        )
    return mul(narrow(x, at, 0, half), sigmoid(narrow(x, at, half, half)))

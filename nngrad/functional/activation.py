"""Activations: what stands between the linear layers of a network, element by element.

Each has its own derivative, written so that infinite and large inputs give the limit, not NaN.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import numpy as np

from .arithmetic import add, div, mul, sub
from .batch import drawn
from .blocks import elementwise
from .dtypes import DType
from .elementary import abs, select, sigmoid, sigmoid_op, tanh
from .node import Node, Operand, as_node, seal
from .op import apply, pointwise
from .shape import normal_dim, reshape
from .softmax import softmax
from .special import erf_op
from .splitting import narrow


def _choose(mask: Any, a: Any, b: Any) -> Any:
    """`np.where(mask, a, b)`, of arrays of one shape or nodes."""
    return np.add(select(a, mask), select(b, np.logical_not(mask)))


def _floating(op: str, input: Operand) -> Node:
    x = as_node(input)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}, only for floating-point values")
    return x


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
    x = _floating("gelu", input)
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
    return _silu.call(_floating("silu", input))


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
    return _mish.call(_floating("mish", input))


def glu(input: Operand, dim: int = -1) -> Node:
    """The first half along `dim` times the sigmoid of the second: the gated linear unit.

    Raises RuntimeError for a dimension of odd size, or a 0-d input.

    >>> glu(np.array([2.0, 0.0])).data
    array([1.])
    """
    x = _floating("glu", input)
    if not x.ndim:
        raise RuntimeError("glu: does not support 0-dimensional inputs")
    at = normal_dim("glu", dim, x.ndim)
    half, odd = divmod(x.shape[at], 2)
    if odd:
        raise RuntimeError(
            f"glu: Halving dimension must be even, but dimension {at} of shape {x.shape} is not"
        )
    return mul(narrow(x, at, 0, half), sigmoid(narrow(x, at, half, half)))


# ---------------------------------------------------------------- elu and its kin


@elementwise
def _elu_formula(x: Any, alpha: float, scale: float, rate: float) -> Any:
    below = np.multiply(np.expm1(np.multiply(np.minimum(x, 0), rate)), alpha * scale)
    return np.add(np.multiply(np.maximum(x, 0), scale), below)


@elementwise
def _elu_slope(g: Any, x: Any, alpha: float, scale: float, rate: float) -> Any:
    below = np.multiply(np.exp(np.multiply(np.minimum(x, 0.0), rate)), alpha * scale * rate)
    return _choose(np.greater(x, 0), np.multiply(g, scale), np.multiply(g, below))


_elu = pointwise("elu", _elu_formula, lambda g, _, x, *numbers: _elu_slope(g, x, *numbers))


def elu(input: Operand, alpha: float = 1.0) -> Node:
    """`input` where it is positive, `alpha * (exp(input) - 1)` elsewhere.

    >>> elu(np.array([-1.0, 2.0])).data.round(4)
    array([-0.6321,  2.    ])
    """
    return apply(_elu, (_floating("elu", input),), (float(alpha), 1.0, 1.0))


def celu(input: Operand, alpha: float = 1.0) -> Node:
    """`input` where it is positive, `alpha * (exp(input / alpha) - 1)` elsewhere.

    Raises RuntimeError if alpha is 0.

    >>> celu(np.array([-1.0, 2.0]), 2.0).data.round(4)
    array([-0.7869,  2.    ])
    """
    if not alpha:
        raise RuntimeError("celu: ZeroDivisionError: alpha cannot be 0 for CELU")
    return apply(_elu, (_floating("celu", input),), (float(alpha), 1.0, 1.0 / alpha))


_SELU_ALPHA: Final = 1.6732632423543772
_SELU_SCALE: Final = 1.0507009873554805


def selu(input: Operand) -> Node:
    """elu scaled so that layers keep mean 0 and variance 1. Klambauer et al. (2017).

    >>> selu(np.array([-1.0, 2.0])).data.round(4)
    array([-1.1113,  2.1014])
    """
    return apply(_elu, (_floating("selu", input),), (_SELU_ALPHA, _SELU_SCALE, 1.0))


# ---------------------------------------------------------------- straight pieces


@elementwise
def _leaky_formula(x: Any, slope: float) -> Any:
    return np.add(np.maximum(x, 0), np.multiply(np.minimum(x, 0), slope))


@elementwise
def _leaky_slope(g: Any, x: Any, slope: float) -> Any:
    return _choose(np.greater(x, 0), g, np.multiply(g, slope))


_leaky_relu = pointwise("leaky_relu", _leaky_formula, lambda g, _, x, slope: _leaky_slope(g, x, slope))


def leaky_relu(input: Operand, negative_slope: float = 0.01) -> Node:
    """`input` where it is positive, `negative_slope * input` elsewhere.

    >>> leaky_relu(np.array([-1.0, 2.0])).data
    array([-0.01,  2.  ])
    """
    return apply(_leaky_relu, (_floating("leaky_relu", input),), (float(negative_slope),))


_prelu = pointwise(
    "prelu",
    lambda x, w: np.where(np.greater(x, 0), x, np.multiply(w, x)),
    lambda g, _, x, w: _choose(np.greater(x, 0), g, np.multiply(g, w)),
    lambda g, _, x, w: select(np.multiply(g, x), np.logical_not(np.greater(x, 0))),
)


def prelu(input: Operand, weight: Operand) -> Node:
    """leaky_relu with a learnt slope: one, or one for each channel (dimension 1).

    weight: (), (1,) or (C,). Raises RuntimeError where it does not fit the channels, or for
    another dtype than the input's.

    >>> prelu(np.array([-1.0, 2.0]), np.array(0.5)).data
    array([-0.5,  2. ])
    """
    x, w = _floating("prelu", input), _floating("prelu", weight)
    if x.dtype != w.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {x.dtype} and {w.dtype}")
    if w.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D, but got shape {w.shape}")
    if w.size != 1:
        channels = x.shape[1] if x.ndim > 1 else 1
        if not x.ndim or w.size != channels:
            raise RuntimeError(
                f"prelu: Mismatch of parameter numbers and input channel size: weight of shape {w.shape}, "
                f"input of shape {x.shape}"
            )
    return _prelu.call(x, reshape(w, (-1,) + (1,) * (x.ndim - 2) if w.size != 1 else ()))


def rrelu(
    input: Operand,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    *,
    slopes: Operand | None = None,
    generator: np.random.Generator | None = None,
) -> Node:
    """leaky_relu with slopes that are random in training: uniform in [lower, upper).

    Elsewhere the slope is the mean of the two. In training give `slopes`, one for each element, or
    the generator that draws them. Raises RuntimeError if lower > upper, ValueError if training has
    neither.

    >>> rrelu(np.array([-1.0, 2.0]), 0.2, 0.4).data.round(4)
    array([-0.3,  2. ])
    """
    x = _floating("rrelu", input)
    if not lower <= upper:
        raise RuntimeError(
            f"rrelu: Lower bound should be less than or equal to the upper bound: {lower}, {upper}"
        )
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    if slopes is None:
        if generator is None:
            raise ValueError("rrelu: in training it needs a generator, or the slopes")
        uniform = generator.uniform
        slopes = seal(drawn("rrelu", lambda sizes: uniform(lower, upper, sizes), x.shape).astype(x.dtype))
    factor = np.where(np.less_equal(x._value, 0), as_node(slopes)._value, np.ones((), x.dtype))
    return mul(x, seal(factor.astype(x.dtype, copy=False)))


_hardtanh = pointwise(
    "hardtanh",
    lambda x, low, high: np.clip(x, low, high),
    lambda g, _, x, low, high: select(g, np.logical_and(np.greater(x, low), np.less(x, high))),
)


def hardtanh(input: Operand, min_val: float = -1.0, max_val: float = 1.0) -> Node:
    """`input` limited to [min_val, max_val]; the derivative on the bounds is 0.

    Raises ValueError if min_val > max_val, RuntimeError for bools.

    >>> hardtanh(np.array([-2.0, 0.5])).data
    array([-1. ,  0.5])
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val cannot be greater than max_val: {min_val}, {max_val}")
    return _clipped("hardtanh", input, min_val, max_val)


def relu6(input: Operand) -> Node:
    """`input` limited to [0, 6]; the derivative on the bounds is 0.

    >>> relu6(np.array([-2.0, 0.5, 8.0])).data
    array([0. , 0.5, 6. ])
    """
    return _clipped("relu6", input, 0, 6)


def _clipped(op: str, input: Operand, low: float, high: float) -> Node:
    x = as_node(input)
    kind = x._value.dtype.kind
    if kind not in "fiu":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}")
    if kind != "f":
        low, high = int(low), int(high)
    if kind == "u" and low < 0:
        raise RuntimeError(f"{op}: cannot do hardtanh on an unsigned type with negative limits")
    return apply(_hardtanh, (x,), (low, high))


_hardsigmoid = pointwise(
    "hardsigmoid",
    elementwise(lambda x: np.divide(np.clip(np.add(x, 3.0), 0.0, 6.0), 6.0)),
    lambda g, _, x: select(np.divide(g, 6.0), np.less(np.absolute(x), 3.0)),
)


def hardsigmoid(input: Operand) -> Node:
    """`input / 6 + 1 / 2` limited to [0, 1].

    >>> hardsigmoid(np.array([-4.0, 0.0, 1.5])).data
    array([0.  , 0.5 , 0.75])
    """
    return _hardsigmoid.call(_floating("hardsigmoid", input))


def _hardswish_formula(x: Any) -> Any:
    c = np.maximum(x, -3.0)
    return np.divide(np.multiply(c, np.clip(np.add(c, 3.0), 0.0, 6.0)), 6.0)


@elementwise
def _hardswish_slope(g: Any, x: Any) -> Any:
    rising = np.multiply(g, np.add(np.divide(np.clip(x, -3.0, 3.0), 3.0), 0.5))
    return np.add(select(g, np.greater_equal(x, 3.0)), select(rising, np.less(np.absolute(x), 3.0)))


_hardswish = pointwise("hardswish", elementwise(_hardswish_formula), lambda g, _, x: _hardswish_slope(g, x))


def hardswish(input: Operand) -> Node:
    """`input * hardsigmoid(input)`. Howard et al., "Searching for MobileNetV3" (2019).

    >>> hardswish(np.array([-4.0, 0.0, 1.5])).data
    array([-0.   ,  0.   ,  1.125])
    """
    return _hardswish.call(_floating("hardswish", input))


_hardshrink = pointwise(
    "hardshrink",
    lambda x, lambd: select(x, np.logical_not(np.less_equal(np.absolute(x), lambd))),
    lambda g, _, x, lambd: select(g, np.greater(np.absolute(x), lambd)),
)


def hardshrink(input: Operand, lambd: float = 0.5) -> Node:
    """`input` beyond [-lambd, lambd], 0 inside.

    >>> hardshrink(np.array([-2.0, 0.25, 1.0])).data
    array([-2.,  0.,  1.])
    """
    return apply(_hardshrink, (_floating("hardshrink", input),), (float(lambd),))


_softshrink = pointwise(
    "softshrink",
    elementwise(lambda x, lambd: np.subtract(x, np.clip(x, -lambd, lambd))),
    lambda g, _, x, lambd: select(g, np.greater(np.absolute(x), lambd)),
)


def softshrink(input: Operand, lambd: float = 0.5) -> Node:
    """`input` brought `lambd` nearer to 0, and 0 for what is within that of it.

    Raises RuntimeError for a negative lambd.

    >>> softshrink(np.array([-2.0, 0.25, 1.0])).data
    array([-1.5,  0. ,  0.5])
    """
    if not lambd >= 0:
        raise RuntimeError(f"softshrink: lambda must be greater or equal to 0, but found to be {lambd}.")
    return apply(_softshrink, (_floating("softshrink", input),), (float(lambd),))


_threshold = pointwise(
    "threshold",
    lambda x, bound, value: np.where(np.less_equal(x, bound), np.asarray(value, x.dtype), x),
    lambda g, _, x, bound, value: select(g, np.logical_not(np.less_equal(x, bound))),
)


def threshold(input: Operand, threshold: float, value: float) -> Node:
    """`input` where it is above the threshold, `value` elsewhere.

    Raises RuntimeError for bools.

    >>> threshold(np.array([-2.0, 1.0]), 0.0, 9.0).data
    array([9., 1.])
    """
    x = as_node(input)
    if x._value.dtype.kind not in "fiu":
        raise RuntimeError(f"threshold: not implemented for {x.dtype}")
    return apply(_threshold, (x,), (threshold, value))


# ---------------------------------------------------------------- smooth ones


@elementwise
def _softplus_formula(x: Any, beta: float, threshold: float) -> Any:
    z = np.multiply(x, beta)
    bent = np.add(np.maximum(z, 0), np.log1p(np.exp(np.negative(np.absolute(z)))))
    return np.where(np.greater(z, threshold), x, np.divide(bent, beta))


@elementwise
def _softplus_slope(g: Any, x: Any, beta: float, threshold: float) -> Any:
    z = np.multiply(x, beta)
    bent = np.multiply(g, sigmoid_op(z))
    return _choose(np.greater(z, threshold), g, bent)


_softplus = pointwise(
    "softplus", _softplus_formula, lambda g, _, x, *numbers: _softplus_slope(g, x, *numbers)
)


def softplus(input: Operand, beta: float = 1.0, threshold: float = 20.0) -> Node:
    """`log(1 + exp(beta * input)) / beta`; `input` itself where `beta * input` is above the threshold.

    >>> softplus(np.array([0.0, 30.0])).data.round(4)
    array([ 0.6931, 30.    ])
    """
    return apply(_softplus, (_floating("softplus", input),), (float(beta), float(threshold)))


def _logsigmoid_formula(x: Any) -> Any:
    return np.subtract(np.minimum(x, 0), np.log1p(np.exp(np.negative(np.absolute(x)))))


@elementwise
def _logsigmoid_slope(g: Any, x: Any) -> Any:
    return np.multiply(g, sigmoid_op(np.negative(x)))


_logsigmoid = pointwise(
    "logsigmoid", elementwise(_logsigmoid_formula), lambda g, _, x: _logsigmoid_slope(g, x)
)


def logsigmoid(input: Operand) -> Node:
    """The logarithm of the sigmoid, exact where that underflows.

    >>> logsigmoid(np.array([0.0, -1000.0])).data.round(4)
    array([-6.931e-01, -1.000e+03])
    """
    return _logsigmoid.call(_floating("logsigmoid", input))


def softsign(input: Operand) -> Node:
    """`input / (1 + abs(input))`, element by element. Raises RuntimeError for bools.

    >>> softsign(np.array([-1.0, 3.0])).data
    array([-0.5 ,  0.75])
    """
    x = _no_bools("softsign", input)
    return div(x, add(abs(x), 1))


def tanhshrink(input: Operand) -> Node:
    """`input - tanh(input)`, element by element. Raises RuntimeError for bools.

    >>> tanhshrink(np.array([0.0, 1.0])).data.round(4)
    array([0.    , 0.2384])
    """
    x = _no_bools("tanhshrink", input)
    return sub(x, tanh(x))


def _no_bools(op: str, input: Operand) -> Node:
    x = as_node(input)
    if x._value.dtype.kind == "b":
        raise RuntimeError(f"{op}: not implemented for bool")
    return x


def softmin(input: Operand, dim: int, *, dtype: DType | None = None) -> Node:
    """The softmax of `-input`. Raises RuntimeError for integers, IndexError for a dimension out of range.

    >>> softmin(np.array([0.0, 0.0]), 0).data
    array([0.5, 0.5])
    """
    return softmax(mul(input, -1), dim, dtype=dtype)

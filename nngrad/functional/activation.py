"""Smooth activations: what stands between the linear layers of a network, element by element.

Each has its own derivative, written so that infinite and large inputs give the limit, not NaN.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .arithmetic import add, div, mul, sub
from .blocks import elementwise
from .dtypes import DType
from .elementary import abs, choose, sigmoid_op, tanh
from .node import Node, Operand, as_node
from .op import apply, floating, pointwise
from .quick import expm1, log1p
from .softmax import softmax

# ---------------------------------------------------------------- elu and its kin


@elementwise
def _elu_formula(x: Any, alpha: float, scale: float, rate: float) -> Any:
    below = np.multiply(expm1(np.multiply(np.minimum(x, 0), rate)), alpha * scale)
    return np.add(np.multiply(np.maximum(x, 0), scale), below)


@elementwise
def _elu_slope(g: Any, x: Any, alpha: float, scale: float, rate: float) -> Any:
    below = np.multiply(np.exp(np.multiply(np.minimum(x, 0.0), rate)), alpha * scale * rate)
    return choose(np.greater(x, 0), np.multiply(g, scale), np.multiply(g, below))


_elu = pointwise("elu", _elu_formula, lambda g, _, x, *numbers: _elu_slope(g, x, *numbers))


def elu(input: Operand, alpha: float = 1.0) -> Node:
    """`input` where it is positive, `alpha * (exp(input) - 1)` elsewhere.

    >>> elu(np.array([-1.0, 2.0])).data.round(4)
    array([-0.6321,  2.    ])
    """
    return apply(_elu, (floating("elu", input),), (float(alpha), 1.0, 1.0))


def celu(input: Operand, alpha: float = 1.0) -> Node:
    """`input` where it is positive, `alpha * (exp(input / alpha) - 1)` elsewhere.

    Raises RuntimeError if alpha is 0.

    >>> celu(np.array([-1.0, 2.0]), 2.0).data.round(4)
    array([-0.7869,  2.    ])
    """
    if not alpha:
        raise RuntimeError("celu: ZeroDivisionError: alpha cannot be 0 for CELU")
    return apply(_elu, (floating("celu", input),), (float(alpha), 1.0, 1.0 / alpha))


_SELU_ALPHA: Final = 1.6732632423543772
_SELU_SCALE: Final = 1.0507009873554805


def selu(input: Operand) -> Node:
    """elu scaled so that layers keep mean 0 and variance 1. Klambauer et al. (2017).

    >>> selu(np.array([-1.0, 2.0])).data.round(4)
    array([-1.1113,  2.1014])
    """
    return apply(_elu, (floating("selu", input),), (_SELU_ALPHA, _SELU_SCALE, 1.0))


# ---------------------------------------------------------------- smooth ones


@elementwise
def _softplus_formula(x: Any, beta: float, threshold: float) -> Any:
    z = np.multiply(x, beta)
    bent = np.add(np.maximum(z, 0), log1p(np.exp(np.negative(np.absolute(z)))))
    return np.where(np.greater(z, threshold), x, np.divide(bent, beta))


@elementwise
def _softplus_slope(g: Any, x: Any, beta: float, threshold: float) -> Any:
    z = np.multiply(x, beta)
    bent = np.multiply(g, sigmoid_op(z))
    return choose(np.greater(z, threshold), g, bent)


_softplus = pointwise(
    "softplus", _softplus_formula, lambda g, _, x, *numbers: _softplus_slope(g, x, *numbers)
)


def softplus(input: Operand, beta: float = 1.0, threshold: float = 20.0) -> Node:
    """`log(1 + exp(beta * input)) / beta`; `input` itself where `beta * input` is above the threshold.

    >>> softplus(np.array([0.0, 30.0])).data.round(4)
    array([ 0.6931, 30.    ])
    """
    return apply(_softplus, (floating("softplus", input),), (float(beta), float(threshold)))


def _logsigmoid_formula(x: Any) -> Any:
    return np.subtract(np.minimum(x, 0), log1p(np.exp(np.negative(np.absolute(x)))))


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
    return _logsigmoid.call(floating("logsigmoid", input))


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

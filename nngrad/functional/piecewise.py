"""Activations made of straight pieces."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import mul
from .batch import drawn
from .blocks import elementwise
from .elementary import choose, select
from .node import Node, Operand, as_node, seal
from .op import apply, floating, pointwise
from .shape import reshape


def _leaky(x: Any, slope: float) -> Any:
    return np.add(np.maximum(x, 0), np.multiply(np.minimum(x, 0), slope))


def _leaky_kernel(out: Any, x: Any, slope: float) -> None:
    if 0 < slope <= 1:
        np.maximum(np.multiply(x, slope, out=out), x, out=out)
    else:
        np.copyto(out, _leaky(x, slope))


_leaky_formula = elementwise(_leaky, _leaky_kernel)


@elementwise
def _leaky_slope(g: Any, x: Any, slope: float) -> Any:
    return choose(np.greater(x, 0), g, np.multiply(g, slope))


_leaky_relu = pointwise("leaky_relu", _leaky_formula, lambda g, _, x, slope: _leaky_slope(g, x, slope))


def leaky_relu(input: Operand, negative_slope: float = 0.01) -> Node:
    """`input` where it is positive, `negative_slope * input` elsewhere.

    >>> leaky_relu(np.array([-1.0, 2.0])).data
    array([-0.01,  2.  ])
    """
    return apply(_leaky_relu, (floating("leaky_relu", input),), (float(negative_slope),))


_prelu = pointwise(
    "prelu",
    lambda x, w: np.add(np.maximum(x, 0), np.multiply(w, np.minimum(x, 0))),
    lambda g, _, x, w: choose(np.greater(x, 0), g, np.multiply(g, w)),
    lambda g, _, x, w: select(np.multiply(g, x), np.logical_not(np.greater(x, 0))),
)


def prelu(input: Operand, weight: Operand) -> Node:
    """leaky_relu with a learnt slope: one, or one for each channel (dimension 1).

    weight: (), (1,) or (C,). Raises RuntimeError where it does not fit the channels, or for
    another dtype than the input's.

    >>> prelu(np.array([-1.0, 2.0]), np.array(0.5)).data
    array([-0.5,  2. ])
    """
    x, w = floating("prelu", input), floating("prelu", weight)
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
    x = floating("rrelu", input)
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
    return _hardsigmoid.call(floating("hardsigmoid", input))


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
    return _hardswish.call(floating("hardswish", input))


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
    return apply(_hardshrink, (floating("hardshrink", input),), (float(lambd),))


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
    return apply(_softshrink, (floating("softshrink", input),), (float(lambd),))


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

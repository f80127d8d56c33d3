"""Choosing between values element by element: maximum, minimum, where, clip, masked_fill."""

from __future__ import annotations

from typing import Any

import numpy as np

from .comparison import ordered
from .dtypes import Number
from .elementary import select
from .node import Node, Operand, as_node, implements
from .op import apply, cast, general, is_number, linear, no_gradient, pointwise, promote, scalar


def _share(g: Any, behind: Any, level: Any) -> Any:
    """Half of g where level, none where behind, else all, also beside NaN: as in PyTorch."""
    half = select(np.multiply(g, np.asarray(0.5, g.dtype)), level)
    return np.add(half, select(g, np.logical_not(np.logical_or(behind, level))))


_maximum = pointwise(
    "maximum",
    np.maximum,
    lambda g, _, a, b: _share(g, np.less(a, b), np.equal(a, b)),
    lambda g, _, a, b: _share(g, np.less(b, a), np.equal(a, b)),
)
_minimum = pointwise(
    "minimum",
    np.minimum,
    lambda g, _, a, b: _share(g, np.greater(a, b), np.equal(a, b)),
    lambda g, _, a, b: _share(g, np.greater(b, a), np.equal(a, b)),
)


@implements(np.maximum)
def maximum(input: Operand, other: Operand) -> Node:
    """The larger of each pair of elements; NaN wins. A tie shares its gradient equally.

    >>> maximum(np.array([1.0, 5.0]), 3.0).data
    array([3., 5.])
    """
    return ordered("maximum", _maximum.call(input, other))


@implements(np.minimum)
def minimum(input: Operand, other: Operand) -> Node:
    """The smaller of each pair of elements; NaN wins. A tie shares its gradient equally.

    >>> minimum(np.array([1.0, 5.0]), 3.0).data
    array([1., 3.])
    """
    return ordered("minimum", _minimum.call(input, other))


_where = linear(
    "where",
    lambda a, b, mask: np.where(mask, a, b),
    lambda g, _, a, b, mask: select(g, mask),
    lambda g, _, a, b, mask: select(g, np.logical_not(mask)),
    no_gradient,
)


@implements(np.where)
def where(condition: Operand, input: Operand, other: Operand) -> Node:
    """`input` where the condition holds, `other` elsewhere; the three broadcast together.

    condition: bools, or uint8, of which 0 is False. Gradients reach each side only where it was taken.
    Raises RuntimeError for a condition of another dtype.

    >>> where(np.array([True, False]), np.array([1.0, 2.0]), 0.0).data
    array([1., 0.])
    """
    mask = as_node(condition)
    mask = mask_of("where", mask if mask._value.dtype != np.uint8 else cast(mask, np.dtype(np.bool_)))
    a, b = promote("where", input, other, wraps=False)
    return apply(_where, (a, b, mask))


def mask_of(op: str, mask: Operand) -> Node:
    """The node of a mask. Raises RuntimeError unless it is of bools."""
    node = as_node(mask)
    if node._value.dtype.kind != "b":
        raise RuntimeError(f"{op}: expected a mask of bools, got {node._value.dtype}")
    return node


def masked_fill(input: Operand, mask: Operand, value: Operand) -> Node:
    """`value` where the mask is True, `input` elsewhere. No gradient passes where it fills.

    mask: bools, broadcastable to the input's shape; value: a number or a 0-d node.

    >>> masked_fill(np.array([1.0, 2.0]), np.array([True, False]), -1.0).data
    array([-1.,  2.])
    """
    x = as_node(input)
    if isinstance(value, complex) and x._value.dtype.kind != "c":
        raise RuntimeError(f"masked_fill: cannot put a complex number into {x.dtype}")
    fill = scalar(value, x._value.dtype) if is_number(value) else as_node(value)  # type: ignore[arg-type]  # a number
    if fill._value.dtype.kind == "c" and x._value.dtype.kind != "c":
        raise RuntimeError(f"masked_fill: cannot put complex numbers into {x.dtype}")
    if fill._value.ndim:
        raise RuntimeError(
            f"masked_fill: only supports a 0-dimensional value tensor, but got one of shape {fill.shape}"
        )
    return apply(_where, (cast(fill, x._value.dtype), x, mask_of("masked_fill", mask)))


_clip = general(
    "clip",
    lambda x, low, high: np.clip(x, low, high),
    lambda g, _, x, low, high: select(g, _inside(x, low, high)),
)
# limits by operands: unlike maximum and minimum, a tie is the input's alone, as in PyTorch
_at_least = pointwise(
    "at_least",
    np.maximum,
    lambda g, _, x, low: select(g, np.greater_equal(x, low)),
    lambda g, _, x, low: select(g, np.less(x, low)),
)
_at_most = pointwise(
    "at_most",
    np.minimum,
    lambda g, _, x, high: select(g, np.less_equal(x, high)),
    lambda g, _, x, high: select(g, np.greater(x, high)),
)
_clip_gradient = general(
    "clip_gradient",
    lambda x, low, high: x,
    lambda g, _, x, low, high: np.clip(g, low, high),
    frees=False,
)


def _inside(x: Any, low: Any, high: Any) -> Any:
    if low is None:
        return np.less_equal(x, high)
    above = np.greater_equal(x, low)
    return above if high is None else np.logical_and(above, np.less_equal(x, high))


@implements(np.clip)
def clip(
    input: Operand,
    min: Operand | None = None,
    max: Operand | None = None,
    *,
    grad_min: Number | None = None,
    grad_max: Number | None = None,
) -> Node:
    """`input` limited to [min, max], element by element; on request its gradient as well.

    min, max: numbers or broadcasting operands, or None. The derivative is 1 inside and on the
    bounds, 0 outside. grad_min, grad_max: limit each element of the gradient that flows back.
    Raises RuntimeError where neither bound (and no gradient bound) is given.

    >>> clip(np.array([-2.0, 0.5, 2.0]), -1.0, 1.0).data
    array([-1. ,  0.5,  1. ])
    """
    x = ordered("clip", as_node(input))
    limits_gradient = grad_min is not None or grad_max is not None
    if min is None and max is None and not limits_gradient:
        raise RuntimeError("clip: At least one of 'min' or 'max' must not be None")
    if all(b is None or is_number(b) for b in (min, max)):
        if min is not None or max is not None:
            bounds = [b for b in (min, max) if b is not None]
            x = promote("clip", x, *bounds)[0]
            x = apply(_clip, (x,), (min, max))
    else:
        if min is not None:
            x = _at_least.call(x, min)
        if max is not None:
            x = _at_most.call(x, max)
    return apply(_clip_gradient, (x,), (grad_min, grad_max)) if limits_gradient else x

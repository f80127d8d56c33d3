"""Several operands made one, element by element: addcmul, lerp, copysign, fmax, nan_to_num and kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import add, div, mul, real_factor
from .choice import clip
from .comparison import ordered
from .dtypes import Number
from .elementary import quiet, select, silent
from .node import Node, Operand, as_node, implements
from .op import apply, cast, general, is_number, pointwise, promote, scalar


def addcmul(input: Operand, tensor1: Operand, tensor2: Operand, *, value: Number = 1) -> Node:
    """`input + value * tensor1 * tensor2`, element by element, broadcasting. Raises RuntimeError for bools.

    >>> addcmul(np.array([1.0]), np.array([2.0]), np.array([3.0]), value=0.5).data
    array([4.])
    """
    x, a, b = promote("addcmul", input, tensor1, tensor2)
    if x.dtype.kind == "b":
        raise RuntimeError("addcmul: not implemented for bool")
    factor = real_factor("addcmul", "value", value, x.dtype)
    return add(x, mul(a if factor == 1 else mul(a, factor), b))


def addcdiv(input: Operand, tensor1: Operand, tensor2: Operand, *, value: Number = 1) -> Node:
    """`input + value * tensor1 / tensor2`, element by element, broadcasting.

    Raises RuntimeError for integers divided by integers, as PyTorch does.

    >>> addcdiv(np.array([1.0]), np.array([3.0]), np.array([2.0]), value=2).data
    array([4.])
    """
    a, b = as_node(tensor1), as_node(tensor2)
    if a._value.dtype.kind in "biu" and b._value.dtype.kind in "biu":
        raise RuntimeError("addcdiv: integer division is not supported: divide with div or floor_divide")
    quotient = div(a, b)
    factor = real_factor("addcdiv", "value", value, quotient.dtype)
    return add(input, quotient if factor == 1 else mul(quotient, factor))


@silent
def _lerp_forward(a: Any, b: Any, weight: Any) -> Any:
    if a.dtype.kind != "f":
        raise TypeError("only floating-point numbers blend")
    span = np.subtract(b, a)  # from the nearer end, so that both ends are met exactly
    if type(weight) is np.ndarray and not weight.ndim:
        if abs(weight) < 0.5:
            return np.add(a, np.multiply(weight, span))
        return np.subtract(b, np.multiply(span, np.subtract(1, weight)))
    from_a = np.add(a, np.multiply(weight, span))
    from_b = np.subtract(b, np.multiply(span, np.subtract(1, weight)))
    return np.where(np.less(np.absolute(weight), 0.5), from_a, from_b)


_lerp = general(
    "lerp",
    _lerp_forward,
    lambda g, _, a, b, weight: np.multiply(g, np.subtract(1, weight)),
    lambda g, _, a, b, weight: np.multiply(g, weight),
    lambda g, _, a, b, weight: np.multiply(g, np.subtract(b, a)),
)


def lerp(input: Operand, end: Operand, weight: Operand) -> Node:
    """`input + weight * (end - input)`, element by element, broadcasting.

    Raises RuntimeError unless `input` and `end` (and a dimensioned weight) have one floating dtype.

    >>> lerp(np.array([1.0]), np.array([3.0]), 0.25).data
    array([1.5])
    """
    a, b = as_node(input), as_node(end)
    dtype = a._value.dtype
    if is_number(weight):
        w = scalar(weight, dtype)  # type: ignore[arg-type]  # a number
    else:
        w = as_node(weight)
        if not w._value.ndim:
            w = cast(w, dtype)
    for name, node in (("end", b), ("weight", w)):
        if node._value.dtype != dtype:
            raise RuntimeError(f"lerp: expected dtype {dtype} for `{name}` but got dtype {node._value.dtype}")
    return apply(_lerp, (a, b, w))


_copysign = pointwise(
    "copysign",
    quiet(np.copysign),
    lambda g, out, a, b: np.multiply(g, select(np.divide(out, a), np.not_equal(a, 0))),
    lambda g, _, a, b: np.zeros_like(g),
    floats=True,
)


@implements(np.copysign)
def copysign(input: Operand, other: Operand) -> Node:
    """The size of `input` with the sign of `other`, element by element, broadcasting.

    >>> copysign(np.array([1.0, 2.0]), np.array([-3.0, -0.0])).data
    array([-1., -2.])
    """
    return _copysign.call(input, other)


def _first(yes: Any, b: Any) -> Any:
    return np.logical_or(yes, np.not_equal(b, b))


_fmax = pointwise(
    "fmax",
    quiet(np.fmax),
    lambda g, _, a, b: select(g, _first(np.greater_equal(a, b), b)),
    lambda g, _, a, b: select(g, np.logical_not(_first(np.greater_equal(a, b), b))),
)
_fmin = pointwise(
    "fmin",
    quiet(np.fmin),
    lambda g, _, a, b: select(g, _first(np.less_equal(a, b), b)),
    lambda g, _, a, b: select(g, np.logical_not(_first(np.less_equal(a, b), b))),
)


@implements(np.fmax)
def fmax(input: Operand, other: Operand) -> Node:
    """The larger of each pair of elements; the other one beside NaN. A tie's gradient is the input's.

    >>> fmax(np.array([1.0, np.nan]), 0.0).data
    array([1., 0.])
    """
    return ordered("fmax", _fmax.call(input, other))


@implements(np.fmin)
def fmin(input: Operand, other: Operand) -> Node:
    """The smaller of each pair of elements; the other one beside NaN. A tie's gradient is the input's.

    >>> fmin(np.array([1.0, np.nan]), 0.0).data
    array([0., 0.])
    """
    return ordered("fmin", _fmin.call(input, other))


def clamp_max(input: Operand, max: Operand) -> Node:
    """`input` limited from above; see clip.

    >>> clamp_max(np.array([1.0, 3.0]), 2.0).data
    array([1., 2.])
    """
    return clip(input, None, max)


def clamp_min(input: Operand, min: Operand) -> Node:
    """`input` limited from below; see clip.

    >>> clamp_min(np.array([1.0, 3.0]), 2.0).data
    array([2., 3.])
    """
    return clip(input, min)


def _numbers(x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    if type(x) is np.ndarray and np.isfinite(x).all():
        return x.copy()
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


_nan_to_num = general(
    "nan_to_num",
    _numbers,
    lambda g, _, x, nan, posinf, neginf: select(g, np.isfinite(x)),
)


def nan_to_num(
    input: Operand, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Node:
    """`input` with numbers for NaN (0 by default) and for the infinities (the largest finite ones).

    No gradient passes where it replaces.

    >>> nan_to_num(np.array([1.0, np.nan, np.inf]), posinf=9.0).data
    array([1., 0., 9.])
    """
    return apply(_nan_to_num, (as_node(input),), (0.0 if nan is None else nan, posinf, neginf))

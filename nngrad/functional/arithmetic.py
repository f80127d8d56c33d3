"""Elementwise ops: arithmetic, powers, exponentials, comparisons, choices.

Inputs broadcast together and meet in one dtype (dtypes.py); the engine undoes the broadcasting.
"""

from __future__ import annotations

import builtins
from typing import Any, Final

import numpy as np

from .dtypes import Array, Number, get_default_dtype
from .node import Node, Operand, as_node, implements, seal
from .op import (
    apply,
    as_floating,
    cast,
    forward_error,
    general,
    is_number,
    linear,
    pointwise,
    promote,
    scalar,
)

_quiet: Final = np.errstate(all="ignore")  # 1/0, log(0), overflow: inf and NaN say enough


def quiet(ufunc: Any) -> Any:
    """`ufunc` without NumPy's floating-point warnings, as PyTorch has none."""

    @np.errstate(all="ignore")
    def forward(*args: Any) -> Any:
        return ufunc(*args)

    return forward


# ---------------------------------------------------------------- select: exact, and fast

_BITS: Final = {np.dtype(np.float32): np.dtype(np.int32), np.dtype(np.float64): np.dtype(np.int64)}


def _select(x: Any, mask: Any) -> Any:
    """`np.where(mask, x, 0)`. As an `and` of bits it is 15 times as fast (and 0 * inf stays 0)."""
    bits = _BITS.get(x.dtype) if isinstance(x, np.ndarray) and isinstance(mask, np.ndarray) else None
    if bits is None or not x.ndim or x.shape != mask.shape or not x.flags.c_contiguous:
        return np.where(mask, x, np.zeros((), x.dtype))
    keep = np.negative(mask.view(np.int8)) if mask.flags.c_contiguous else np.negative(mask.astype(np.int8))
    return np.bitwise_and(x.view(bits), keep).view(x.dtype)


select: Final = linear("select", _select, lambda g, _, x, mask: select(g, mask), None)

# ---------------------------------------------------------------- arithmetic

add_op = linear("add", np.add, lambda g, _, a, b: g, lambda g, _, a, b: g, elementwise=True)
sub_op = linear(
    "sub", np.subtract, lambda g, _, a, b: g, lambda g, _, a, b: np.negative(g), elementwise=True
)
_neg = linear("neg", np.negative, lambda g, _, x: np.negative(g), elementwise=True)
mul_op = pointwise(
    "mul", np.multiply, lambda g, _, a, b: np.multiply(g, b), lambda g, _, a, b: np.multiply(g, a)
)
div_op = pointwise(
    "div",
    quiet(np.divide),
    lambda g, _, a, b: np.divide(g, b),
    lambda g, out, a, b: np.negative(np.divide(np.multiply(g, out), b)),
    floats=True,
)


def _pow_base(g: Any, _: Any, a: Any, b: Any) -> Any:
    # 0 where the exponent is 0, also at a = 0, where a ** -1 is inf
    slope = np.multiply(b, np.power(a, np.subtract(b, np.ones((), b.dtype))))
    return np.multiply(g, select(slope, np.not_equal(b, 0)))


def _pow_exponent(g: Any, out: Any, a: Any, b: Any) -> Any:
    # the limit at a = 0 is 0 for b >= 0, and log(0) is not to be multiplied by 0
    finite = np.logical_not(np.logical_and(np.equal(a, 0), np.greater_equal(b, 0)))
    return np.multiply(g, select(np.multiply(out, np.log(a)), finite))


_pow = pointwise("pow", quiet(np.power), _pow_base, _pow_exponent)


def _whole_power(x: Any, n: int) -> Any:
    """x to a small whole power by multiplication: np.power takes 60 ns an element."""
    if n == 0:
        return np.ones_like(x)
    if n == 1:
        return x
    square = np.square(x)
    if n == 2:
        return square
    return np.multiply(square, x) if n == 3 else np.square(square)


def _whole_power_rule(g: Any, _: Any, x: Any, n: int) -> Any:
    if n == 0:
        return None
    return np.multiply(g, np.multiply(_whole(x, n - 1), np.asarray(n, x.dtype)))


_whole = general("pow_whole", _whole_power, _whole_power_rule)


@implements(np.add)
def _np_add(a: Operand, b: Operand) -> Node:
    return add_op.call(a, b)


def add(input: Operand, other: Operand, *, alpha: Number = 1) -> Node:
    """`input + alpha * other`, element by element, broadcasting.

    >>> add(np.array([1.0, 2.0]), 1.0).data
    array([2., 3.])
    """
    return add_op.call(input, other if alpha == 1 else mul_op.call(other, alpha))


def sub(input: Operand, other: Operand, *, alpha: Number = 1) -> Node:
    """`input - alpha * other`, element by element, broadcasting.

    Raises RuntimeError for bools, as PyTorch does.

    >>> sub(np.array([1.0, 2.0]), 1.0).data
    array([0., 1.])
    """
    return sub_op.call(input, other if alpha == 1 else mul_op.call(other, alpha))


def mul(input: Operand, other: Operand) -> Node:
    """`input * other`, element by element, broadcasting.

    >>> mul(np.array([1.0, 2.0]), 3.0).data
    array([3., 6.])
    """
    return mul_op.call(input, other)


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Node:
    """`input / other`, element by element, broadcasting; integers divide to floats.

    rounding_mode: None, "trunc" (towards zero, as C) or "floor" (as Python's //); a rounded
    quotient keeps integers integer and has derivative zero.

    >>> div(np.array([1.0, 2.0]), 4.0).data
    array([0.25, 0.5 ])
    """
    if rounding_mode is None:
        return div_op.call(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(
            f"div: expected rounding_mode to be one of None, 'trunc', or 'floor', got {rounding_mode!r}"
        )
    a, b = promote("div", input, other)
    if a._value.dtype.kind == "f":
        with np.errstate(all="ignore"):
            return seal(np.trunc(np.divide(a._value, b._value)))
    quotient = _floor_divide(a._value, b._value)
    inexact = np.not_equal(np.multiply(quotient, b._value), a._value)
    return seal(np.add(quotient, np.logical_and(inexact, np.less(quotient, 0)), dtype=quotient.dtype))


def _floor_divide(a: Any, b: Any) -> Any:
    if a.dtype.kind in "biu" and not np.all(b):
        raise ZeroDivisionError("floor_divide: integer division by zero")
    with np.errstate(all="ignore"):
        return np.asarray(np.floor_divide(a, b))


def floor_divide(input: Operand, other: Operand) -> Node:
    """The quotient rounded down, element by element. Its derivative is zero.

    Raises ZeroDivisionError for integers divided by zero.

    >>> floor_divide(np.array([7.0, -7.0]), 2.0).data
    array([ 3., -4.])
    """
    return _without_gradient("floor_divide", _floor_divide, input, other)


def _remainder_forward(a: Any, b: Any) -> Any:
    if a.dtype.kind in "biu" and not np.all(b):
        raise ZeroDivisionError("remainder: integer division by zero")
    with np.errstate(all="ignore"):
        return np.remainder(a, b)


def _remainder_divisor(g: Any, _: Any, a: Any, b: Any) -> Any:
    return np.negative(np.multiply(g, np.floor_divide(a, b)))


_remainder = pointwise("remainder", _remainder_forward, lambda g, _, a, b: g, _remainder_divisor)


def remainder(input: Operand, other: Operand) -> Node:
    """Python's `input % other`, element by element: the result has the divisor's sign.

    Raises ZeroDivisionError for integers divided by zero.

    >>> remainder(np.array([5.0, -5.0]), 3.0).data
    array([2., 1.])
    """
    return _remainder.call(input, other)


def neg(input: Operand) -> Node:
    """`-input`. Raises RuntimeError for bools: use logical_not.

    >>> neg(np.array([1.0, -2.0])).data
    array([-1.,  2.])
    """
    return _neg.call(input)


def pow(input: Operand, exponent: Operand) -> Node:
    """`input ** exponent`, element by element, broadcasting.

    The derivative in the base is 0 where the exponent is 0; in the exponent it is 0 where the base
    is 0 and the exponent is not negative. Raises RuntimeError for integers to negative powers.

    >>> pow(np.array([1.0, 2.0, 3.0]), 2).data
    array([1., 4., 9.])
    """
    if is_number(exponent):
        x = as_node(input)
        if x._value.dtype.kind in "fiu" and exponent in (0, 1, 2, 3, 4):
            if isinstance(exponent, builtins.float) and x._value.dtype.kind != "f":
                x = cast(x, get_default_dtype())
            return apply(_whole, (x,), (int(exponent),))  # type: ignore[arg-type]  # one of 0 to 4
        if exponent == 0.5 and x._value.dtype.kind == "f":
            return _sqrt.call(x)
    return _pow.call(input, exponent)


# ---------------------------------------------------------------- functions of one input

_exp = pointwise("exp", quiet(np.exp), lambda g, out, x: np.multiply(g, out), floats=True)
_log = pointwise("log", quiet(np.log), lambda g, _, x: np.divide(g, x), floats=True)
_sqrt = pointwise(
    "sqrt", quiet(np.sqrt), lambda g, out, x: np.divide(g, np.add(out, out)), floats=True
)
_tanh = pointwise(
    "tanh",
    np.tanh,
    lambda g, out, x: np.subtract(g, np.multiply(g, np.square(out))),
    floats=True,
)
_sigmoid = pointwise(
    "sigmoid",
    quiet(lambda x: np.reciprocal(np.add(np.exp(np.negative(x)), np.ones((), x.dtype)))),
    lambda g, out, x: np.multiply(g, np.subtract(out, np.square(out))),
    floats=True,
)
_relu = pointwise(
    "relu",
    lambda x: np.maximum(x, np.zeros((), x.dtype)),
    lambda g, out, x: select(g, np.greater(out, np.zeros((), out.dtype))),
)
_abs = pointwise("abs", np.absolute, lambda g, _, x: np.multiply(g, np.sign(x)))


def exp(input: Operand) -> Node:
    """e to the power of each element.

    >>> exp(np.array([0.0])).data
    array([1.])
    """
    return _exp.call(input)


def log(input: Operand) -> Node:
    """The natural logarithm of each element: -inf at 0, NaN below.

    >>> log(np.array([1.0])).data
    array([0.])
    """
    return _log.call(input)


def sqrt(input: Operand) -> Node:
    """The square root of each element: NaN below 0; its derivative at 0 is inf.

    >>> sqrt(np.array([4.0])).data
    array([2.])
    """
    return _sqrt.call(input)


def tanh(input: Operand) -> Node:
    """The hyperbolic tangent of each element.

    >>> tanh(np.array([0.0])).data
    array([0.])
    """
    return _tanh.call(input)


def sigmoid(input: Operand) -> Node:
    """`1 / (1 + exp(-input))`, element by element.

    >>> sigmoid(np.array([0.0])).data
    array([0.5])
    """
    return _sigmoid.call(input)


def relu(input: Operand) -> Node:
    """`max(input, 0)`, element by element; its derivative at 0 is 0.

    >>> relu(np.array([-1.0, 2.0])).data
    array([0., 2.])
    """
    return _relu.call(input)


def abs(input: Operand) -> Node:
    """The absolute value of each element; its derivative at 0 is 0.

    >>> abs(np.array([-1.0, 2.0])).data
    array([1., 2.])
    """
    return _abs.call(input)


# ---------------------------------------------------------------- maximum, minimum, choices


def _share(g: Any, ahead: Any, level: Any) -> Any:
    """g where ahead, half of it where level: what each side of a tie receives in PyTorch."""
    return np.add(select(g, ahead), select(np.multiply(g, np.asarray(0.5, g.dtype)), level))


_maximum = pointwise(
    "maximum",
    np.maximum,
    lambda g, _, a, b: _share(g, np.greater(a, b), np.equal(a, b)),
    lambda g, _, a, b: _share(g, np.greater(b, a), np.equal(a, b)),
)
_minimum = pointwise(
    "minimum",
    np.minimum,
    lambda g, _, a, b: _share(g, np.less(a, b), np.equal(a, b)),
    lambda g, _, a, b: _share(g, np.less(b, a), np.equal(a, b)),
)


def maximum(input: Operand, other: Operand) -> Node:
    """The larger of each pair of elements; NaN wins. A tie shares its gradient equally.

    >>> maximum(np.array([1.0, 5.0]), 3.0).data
    array([3., 5.])
    """
    return _maximum.call(input, other)


def minimum(input: Operand, other: Operand) -> Node:
    """The smaller of each pair of elements; NaN wins. A tie shares its gradient equally.

    >>> minimum(np.array([1.0, 5.0]), 3.0).data
    array([1., 3.])
    """
    return _minimum.call(input, other)


_where = linear(
    "where",
    lambda a, b, mask: np.where(mask, a, b),
    lambda g, _, a, b, mask: _spread_select(g, mask),
    lambda g, _, a, b, mask: _spread_select(g, np.logical_not(mask)),
    None,
)


def _spread_select(g: Any, mask: Any) -> Any:
    return select(g, mask)


def where(condition: Operand, input: Operand, other: Operand) -> Node:
    """`input` where the condition holds, `other` elsewhere; the three broadcast together.

    condition: bools. Gradients reach each side only where it was taken. Raises RuntimeError for
    a condition that is not of bools.

    >>> where(np.array([True, False]), np.array([1.0, 2.0]), 0.0).data
    array([1., 0.])
    """
    mask = _mask("where", condition)
    a, b = promote("where", input, other)
    return apply(_where, (a, b, mask))


def _mask(op: str, mask: Operand) -> Node:
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
    fill = scalar(value, x._value.dtype) if is_number(value) else as_node(value)  # type: ignore[arg-type]  # a number
    if fill._value.ndim:
        raise RuntimeError(
            f"masked_fill: only supports a 0-dimensional value tensor, but got one of shape {fill.shape}"
        )
    return apply(_where, (cast(fill, x._value.dtype), x, _mask("masked_fill", mask)))


_clip = general(
    "clip",
    lambda x, low, high: np.clip(x, low, high),
    lambda g, _, x, low, high: select(g, _inside(x, low, high)),
)
_clip_gradient = general(
    "clip_gradient",
    lambda x, low, high: x,
    lambda g, _, x, low, high: np.clip(g, low, high),
    frees=False,
)


def _inside(x: Any, low: Number | None, high: Number | None) -> Any:
    if low is None:
        return np.less_equal(x, high)
    above = np.greater_equal(x, low)
    return above if high is None else np.logical_and(above, np.less_equal(x, high))


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
    x = as_node(input)
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
            x = maximum(x, min)
        if max is not None:
            x = minimum(x, max)
    return apply(_clip_gradient, (x,), (grad_min, grad_max)) if limits_gradient else x


# ---------------------------------------------------------------- without a derivative


def _without_gradient(name: str, forward: Any, *operands: Operand) -> Node:
    nodes = promote(name, *operands)
    values = [n._value for n in nodes]
    try:
        return seal(np.asarray(forward(*values)) if isinstance(values[0], np.ndarray) else forward(*values))
    except (ValueError, TypeError) as error:
        raise forward_error(name, error, values) from error


def eq(input: Operand, other: Operand) -> Node:
    """`input == other`, element by element, as bools."""
    return _without_gradient("eq", np.equal, input, other)


def ne(input: Operand, other: Operand) -> Node:
    """`input != other`, element by element, as bools."""
    return _without_gradient("ne", np.not_equal, input, other)


def lt(input: Operand, other: Operand) -> Node:
    """`input < other`, element by element, as bools."""
    return _without_gradient("lt", np.less, input, other)


def le(input: Operand, other: Operand) -> Node:
    """`input <= other`, element by element, as bools."""
    return _without_gradient("le", np.less_equal, input, other)


def gt(input: Operand, other: Operand) -> Node:
    """`input > other`, element by element, as bools."""
    return _without_gradient("gt", np.greater, input, other)


def ge(input: Operand, other: Operand) -> Node:
    """`input >= other`, element by element, as bools."""
    return _without_gradient("ge", np.greater_equal, input, other)


def logical_not(input: Operand) -> Node:
    """Whether each element is zero, as bools."""
    return _without_gradient("logical_not", np.logical_not, input)


def logical_and(input: Operand, other: Operand) -> Node:
    """Whether both elements are non-zero, as bools."""
    return _without_gradient("logical_and", np.logical_and, input, other)


def logical_or(input: Operand, other: Operand) -> Node:
    """Whether either element is non-zero, as bools."""
    return _without_gradient("logical_or", np.logical_or, input, other)


def bitwise_and(input: Operand, other: Operand) -> Node:
    """`input & other`, element by element, on integers or bools."""
    return _without_gradient("bitwise_and", np.bitwise_and, input, other)


def bitwise_or(input: Operand, other: Operand) -> Node:
    """`input | other`, element by element, on integers or bools."""
    return _without_gradient("bitwise_or", np.bitwise_or, input, other)


def bitwise_xor(input: Operand, other: Operand) -> Node:
    """`input ^ other`, element by element, on integers or bools."""
    return _without_gradient("bitwise_xor", np.bitwise_xor, input, other)


def bitwise_not(input: Operand) -> Node:
    """`~input`, element by element, on integers or bools."""
    return _without_gradient("bitwise_not", np.invert, input)


def bitwise_left_shift(input: Operand, other: Operand) -> Node:
    """`input << other`, element by element, on integers."""
    return _without_gradient("bitwise_left_shift", np.left_shift, input, other)


def bitwise_right_shift(input: Operand, other: Operand) -> Node:
    """`input >> other`, element by element, on integers."""
    return _without_gradient("bitwise_right_shift", np.right_shift, input, other)


def sign(input: Operand) -> Node:
    """-1, 0 or 1 by the sign of each element. Its derivative is zero."""
    return _without_gradient("sign", np.sign, input)


def isnan(input: Operand) -> Node:
    """Whether each element is NaN, as bools."""
    return _without_gradient("isnan", np.isnan, input)


for _function, _handler in {
    np.subtract: sub,
    np.multiply: mul,
    np.divide: div,
    np.floor_divide: floor_divide,
    np.remainder: remainder,
    np.negative: neg,
    np.power: pow,
    np.square: lambda x: pow(x, 2),
    np.reciprocal: lambda x: div(1, x),
    np.exp: exp,
    np.log: log,
    np.sqrt: sqrt,
    np.tanh: tanh,
    np.absolute: abs,
    np.maximum: maximum,
    np.minimum: minimum,
    np.where: where,
    np.clip: clip,
    np.equal: eq,
    np.not_equal: ne,
    np.less: lt,
    np.less_equal: le,
    np.greater: gt,
    np.greater_equal: ge,
    np.logical_not: logical_not,
    np.logical_and: logical_and,
    np.logical_or: logical_or,
    np.bitwise_and: bitwise_and,
    np.bitwise_or: bitwise_or,
    np.bitwise_xor: bitwise_xor,
    np.invert: bitwise_not,
    np.left_shift: bitwise_left_shift,
    np.right_shift: bitwise_right_shift,
    np.sign: sign,
    np.isnan: isnan,
}.items():
    implements(_function)(_handler)

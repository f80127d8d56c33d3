"""Arithmetic and powers, element by element.

Inputs broadcast together and meet in one dtype (dtypes.py); the engine undoes the broadcasting.
"""

from __future__ import annotations

import builtins
from typing import Any, Final

import numpy as np

from . import quick
from .comparison import without_gradient
from .dtypes import DType, Number, get_default_dtype
from .elementary import flat, quiet, select, silent, sqrt
from .node import Node, Operand, as_node, implements
from .op import apply, cast, general, is_number, linear, pointwise, promote

add_op: Final = linear("add", np.add, lambda g, _, a, b: g, lambda g, _, a, b: g, elementwise=True)
sub_op: Final = linear(
    "sub", np.subtract, lambda g, _, a, b: g, lambda g, _, a, b: np.negative(g), elementwise=True
)
_neg = linear("neg", np.negative, lambda g, _, x: np.negative(g), elementwise=True)
mul_op: Final = pointwise(
    "mul", np.multiply, lambda g, _, a, b: np.multiply(g, b), lambda g, _, a, b: np.multiply(g, a)
)
div_op: Final = pointwise(
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
    limit = np.logical_and(np.equal(a, 0), np.greater_equal(b, 0))
    return np.multiply(g, np.multiply(out, np.log(np.where(limit, np.ones((), a.dtype), a))))


@np.errstate(all="ignore")
def _power(a: Any, b: Any) -> Any:
    if a.dtype.kind == "b":
        raise TypeError("bools have no powers")
    return np.power(a, b)


_pow = pointwise("pow", _power, _pow_base, _pow_exponent)


def _whole_power(x: Any, n: int) -> Any:
    """x to a small whole power by multiplication: np.power takes 60 ns an element."""
    if n < 0:
        return np.reciprocal(_whole_power(x, -n))
    if n == 0:
        return np.ones_like(x)
    if n == 1:
        return x
    root = np.square(x) if n < 4 else np.square(_whole_power(x, n // 2))
    return np.multiply(root, x) if n % 2 else root


def _whole_power_rule(g: Any, _: Any, x: Any, n: int) -> Any:
    if n == 0:
        return None
    return np.multiply(g, np.multiply(_whole(x, n - 1), np.asarray(n, x.dtype)))


_whole = general("pow_whole", silent(_whole_power), _whole_power_rule)


def factor_of(op: str, name: str, factor: Number, dtype: DType) -> Number:
    """The number by which values of that dtype are multiplied, as PyTorch takes it or refuses it."""
    if isinstance(factor, bool) != (dtype.kind == "b"):
        if isinstance(factor, bool):
            raise RuntimeError(f"{op}: Boolean {name} only supported for Boolean results, got {dtype}")
        factor = factor if isinstance(factor, (builtins.float, complex)) else bool(factor)
    if dtype.kind in "biu" and isinstance(factor, (builtins.float, complex)):
        raise RuntimeError(f"{op}: {name} must not be a floating-point number for integers, got {factor}")
    return real_factor(op, name, factor, dtype)


def real_factor(op: str, name: str, factor: Number, dtype: DType) -> Number:
    """The same where PyTorch cuts off what integers do not have."""
    if dtype.kind != "c" and isinstance(factor, complex):
        raise RuntimeError(f"{op}: {name} must not be complex for {dtype}, got {factor}")
    return int(factor) if dtype.kind in "iu" and isinstance(factor, builtins.float) else factor


def _scaled(op: str, input: Operand, other: Operand, alpha: Number) -> tuple[Node, Node]:
    a, b = promote(op, input, other)
    return a, mul_op.call(b, factor_of(op, "alpha", alpha, b.dtype))


@implements(np.add)
def add(input: Operand, other: Operand, *, alpha: Number = 1) -> Node:
    """`input + alpha * other`, element by element, broadcasting.

    >>> add(np.array([1.0, 2.0]), 1.0).data
    array([2., 3.])
    """
    return (
        add_op.call(input, other)
        if alpha == 1 and type(alpha) is int
        else add_op.call(*_scaled("add", input, other, alpha))
    )


@implements(np.subtract)
def sub(input: Operand, other: Operand, *, alpha: Number = 1) -> Node:
    """`input - alpha * other`, element by element, broadcasting.

    Raises RuntimeError for bools, as PyTorch does.

    >>> sub(np.array([1.0, 2.0]), 1.0).data
    array([0., 1.])
    """
    return (
        sub_op.call(input, other)
        if alpha == 1 and type(alpha) is int
        else sub_op.call(*_scaled("sub", input, other, alpha))
    )


@implements(np.multiply)
def mul(input: Operand, other: Operand) -> Node:
    """`input * other`, element by element, broadcasting.

    >>> mul(np.array([1.0, 2.0]), 3.0).data
    array([3., 6.])
    """
    return mul_op.call(input, other)


@implements(np.divide)
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
        return _div_floor.call(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(
            f"div: expected rounding_mode to be one of None, 'trunc', or 'floor', got {rounding_mode!r}"
        )
    return _div_trunc.call(input, other)


def check_divisor(op: str, a: Any, b: Any) -> None:
    """Raise for what has no quotient: bools, and integers over zero."""
    if a.dtype.kind == "b":
        raise TypeError("bools do not divide")
    if a.dtype.kind in "iu" and a.size and not np.all(b):
        raise ZeroDivisionError(f"{op}: integer division by zero")


def _floor_divide(a: Any, b: Any) -> Any:
    check_divisor("floor_divide", a, b)
    with np.errstate(all="ignore"):
        return np.asarray(quick.floor_divide(a, b))


@silent
def _trunc_divide(a: Any, b: Any) -> Any:
    if a.dtype.kind == "f":
        return np.trunc(np.divide(a, b))
    quotient = _floor_divide(a, b)
    inexact = np.not_equal(np.multiply(quotient, b), a)
    return np.add(quotient, np.logical_and(inexact, np.less(quotient, 0)), dtype=quotient.dtype)


_div_floor = pointwise("div_floor", _floor_divide, flat, flat)
_div_trunc = pointwise("div_trunc", _trunc_divide, flat, flat)


@implements(np.floor_divide)
def floor_divide(input: Operand, other: Operand) -> Node:
    """The quotient rounded down, element by element, outside any graph; see div for one inside.

    Raises ZeroDivisionError for integers divided by zero.

    >>> floor_divide(np.array([7.0, -7.0]), 2.0).data
    array([ 3., -4.])
    """
    return without_gradient("floor_divide", _floor_divide, input, other)


def _remainder_forward(a: Any, b: Any) -> Any:
    check_divisor("remainder", a, b)
    with np.errstate(all="ignore"):
        return quick.remainder(a, b)


def _remainder_divisor(g: Any, _: Any, a: Any, b: Any) -> Any:
    return np.negative(np.multiply(g, quick.floor_divide(a, b)))


_remainder = pointwise("remainder", _remainder_forward, lambda g, _, a, b: g, _remainder_divisor)


@implements(np.remainder)
def remainder(input: Operand, other: Operand) -> Node:
    """Python's `input % other`, element by element: the result has the divisor's sign.

    Raises ZeroDivisionError for integers divided by zero.

    >>> remainder(np.array([5.0, -5.0]), 3.0).data
    array([2., 1.])
    """
    return _remainder.call(input, other)


@implements(np.negative)
def neg(input: Operand) -> Node:
    """`-input`. Raises RuntimeError for bools: use logical_not.

    >>> neg(np.array([1.0, -2.0])).data
    array([-1.,  2.])
    """
    return _neg.call(input)


@implements(np.power)
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
        if x._value.dtype.kind == "f":
            if exponent == 0.5:
                return sqrt(x)
            if exponent in (-1, -2):
                return apply(_whole, (x,), (int(exponent),))  # type: ignore[arg-type]  # one of the two
        if x._value.dtype.kind in "iu" and isinstance(exponent, int):
            bounds = np.iinfo(x._value.dtype.str)
            if exponent < 0:
                raise RuntimeError("pow: Integers to negative integer powers are not allowed.")
            if exponent > bounds.max:
                raise RuntimeError(f"pow: {exponent} cannot be converted to {x.dtype} without overflow")
    return _pow.call(input, exponent)

"""Ops without a derivative: comparisons, logic, bits. Their results are outside any graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from .node import Node, Operand, implements, seal
from .op import Op, batched, promote


def without_gradient(name: str, forward: Any, *operands: Operand) -> Node:
    """`forward` of the operands in one dtype, as a constant."""
    nodes = promote(name, *operands)
    values = [n._value for n in nodes]
    try:
        return seal(np.asarray(forward(*values)) if isinstance(values[0], np.ndarray) else forward(*values))
    except (ValueError, TypeError) as error:
        return seal(batched(Op(name, "pointwise", forward), error, values))


@implements(np.equal)
def eq(input: Operand, other: Operand) -> Node:
    """`input == other`, element by element, as bools.

    >>> eq(np.array([1, 2, 3]), 2).data
    array([False,  True, False])
    """
    return without_gradient("eq", np.equal, input, other)


@implements(np.not_equal)
def ne(input: Operand, other: Operand) -> Node:
    """`input != other`, element by element, as bools.

    >>> ne(np.array([1, 2, 3]), 2).data
    array([ True, False,  True])
    """
    return without_gradient("ne", np.not_equal, input, other)


def ordered(op: str, x: Node) -> Node:
    """The node itself. Raises RuntimeError for complex numbers, which have no order."""
    if x._value.dtype.kind == "c":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}: complex numbers have no order")
    return x


def _ordered(ufunc: np.ufunc) -> Any:
    def forward(a: Any, b: Any) -> Any:
        if a.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        return ufunc(a, b)

    return forward


_less, _less_equal = _ordered(np.less), _ordered(np.less_equal)
_greater, _greater_equal = _ordered(np.greater), _ordered(np.greater_equal)


@implements(np.less)
def lt(input: Operand, other: Operand) -> Node:
    """`input < other`, element by element, as bools.

    >>> lt(np.array([1, 2, 3]), 2).data
    array([ True, False, False])
    """
    return without_gradient("lt", _less, input, other)


@implements(np.less_equal)
def le(input: Operand, other: Operand) -> Node:
    """`input <= other`, element by element, as bools.

    >>> le(np.array([1, 2, 3]), 2).data
    array([ True,  True, False])
    """
    return without_gradient("le", _less_equal, input, other)


@implements(np.greater)
def gt(input: Operand, other: Operand) -> Node:
    """`input > other`, element by element, as bools.

    >>> gt(np.array([1, 2, 3]), 2).data
    array([False, False,  True])
    """
    return without_gradient("gt", _greater, input, other)


@implements(np.greater_equal)
def ge(input: Operand, other: Operand) -> Node:
    """`input >= other`, element by element, as bools.

    >>> ge(np.array([1, 2, 3]), 2).data
    array([False,  True,  True])
    """
    return without_gradient("ge", _greater_equal, input, other)


@implements(np.logical_not)
def logical_not(input: Operand) -> Node:
    """Whether each element is zero, as bools.

    >>> logical_not(np.array([0.0, 0.5])).data
    array([ True, False])
    """
    return without_gradient("logical_not", np.logical_not, input)


@implements(np.logical_and)
def logical_and(input: Operand, other: Operand) -> Node:
    """Whether both elements are non-zero, as bools.

    >>> logical_and(np.array([0, 1, 2]), np.array([1, 0, 3])).data
    array([False, False,  True])
    """
    return without_gradient("logical_and", np.logical_and, input, other)


@implements(np.logical_or)
def logical_or(input: Operand, other: Operand) -> Node:
    """Whether either element is non-zero, as bools.

    >>> logical_or(np.array([0, 0, 2]), np.array([1, 0, 3])).data
    array([ True, False,  True])
    """
    return without_gradient("logical_or", np.logical_or, input, other)


@implements(np.logical_xor)
def logical_xor(input: Operand, other: Operand) -> Node:
    """Whether exactly one of both elements is non-zero, as bools.

    >>> logical_xor(np.array([0, 1, 2]), np.array([1, 0, 3])).data
    array([ True,  True, False])
    """
    return without_gradient("logical_xor", np.logical_xor, input, other)


@implements(np.bitwise_and)
def bitwise_and(input: Operand, other: Operand) -> Node:
    """`input & other`, element by element, on integers or bools.

    >>> bitwise_and(np.array([5, 6]), 3).data
    array([1, 2])
    """
    return without_gradient("bitwise_and", np.bitwise_and, input, other)


@implements(np.bitwise_or)
def bitwise_or(input: Operand, other: Operand) -> Node:
    """`input | other`, element by element, on integers or bools.

    >>> bitwise_or(np.array([5, 6]), 3).data
    array([7, 7])
    """
    return without_gradient("bitwise_or", np.bitwise_or, input, other)


@implements(np.bitwise_xor)
def bitwise_xor(input: Operand, other: Operand) -> Node:
    """`input ^ other`, element by element, on integers or bools.

    >>> bitwise_xor(np.array([5, 6]), 3).data
    array([6, 5])
    """
    return without_gradient("bitwise_xor", np.bitwise_xor, input, other)


@implements(np.invert)
def bitwise_not(input: Operand) -> Node:
    """`~input`, element by element, on integers or bools.

    >>> bitwise_not(np.array([0, 5])).data
    array([-1, -6])
    """
    return without_gradient("bitwise_not", np.invert, input)


def _shift(ufunc: Any) -> Any:
    def forward(a: Any, b: Any) -> Any:
        if a.dtype.kind == "b":
            raise TypeError("bools have no bits to shift")
        return ufunc(a, b)

    return forward


@implements(np.left_shift)
def bitwise_left_shift(input: Operand, other: Operand) -> Node:
    """`input << other`, element by element, on integers.

    >>> bitwise_left_shift(np.array([1, 5]), 2).data
    array([ 4, 20])
    """
    return without_gradient("bitwise_left_shift", _shift(np.left_shift), input, other)


@implements(np.right_shift)
def bitwise_right_shift(input: Operand, other: Operand) -> Node:
    """`input >> other`, element by element, on integers.

    >>> bitwise_right_shift(np.array([4, 21]), 2).data
    array([1, 5])
    """
    return without_gradient("bitwise_right_shift", _shift(np.right_shift), input, other)


@implements(np.isnan)
def isnan(input: Operand) -> Node:
    """Whether each element is NaN, as bools.

    >>> isnan(np.array([np.nan, 1.0])).data
    array([ True, False])
    """
    return without_gradient("isnan", np.isnan, input)

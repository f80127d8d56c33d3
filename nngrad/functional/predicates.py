"""Questions about elements: are they finite, close, equal, among others? Outside any graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from .comparison import without_gradient
from .elementary import quiet
from .node import Node, Operand, as_node, implements


@implements(np.isfinite)
def isfinite(input: Operand) -> Node:
    """Whether each element is neither infinite nor NaN, as bools.

    >>> isfinite(np.array([1.0, np.inf, np.nan])).data
    array([ True, False, False])
    """
    return without_gradient("isfinite", np.isfinite, input)


@implements(np.isinf)
def isinf(input: Operand) -> Node:
    """Whether each element is infinite, as bools.

    >>> isinf(np.array([1.0, -np.inf, np.nan])).data
    array([False,  True, False])
    """
    return without_gradient("isinf", np.isinf, input)


@implements(np.isin)
def isin(
    elements: Operand, test_elements: Operand, *, assume_unique: bool = False, invert: bool = False
) -> Node:
    """Whether each element is one of `test_elements`, as bools of the shape of `elements`.

    invert: whether it is none of them. assume_unique: each operand holds every value once.

    >>> isin(np.array([1, 2, 3]), np.array([1, 3])).data
    array([ True, False,  True])
    """

    def among(a: Any, b: Any) -> Any:
        return np.isin(a, b, assume_unique=assume_unique, invert=invert)

    return without_gradient("isin", among, elements, test_elements)


@implements(np.isclose)
def isclose(
    input: Operand, other: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Node:
    """Whether `|input - other| <= atol + rtol * |other|`, element by element, as bools.

    equal_nan: whether NaN is close to NaN. Raises RuntimeError if the dtypes differ or a tolerance
    is negative.

    >>> isclose(np.array([1.0, 1.1]), np.array([1.0, 1.0])).data
    array([ True, False])
    """
    a, b = as_node(input), as_node(other)
    if a._value.dtype != b._value.dtype:
        raise RuntimeError(f"isclose: {a._value.dtype} did not match {b._value.dtype}")
    if not (rtol >= 0 and atol >= 0):
        raise RuntimeError(f"isclose: rtol and atol must not be negative, but got {rtol} and {atol}")
    return without_gradient("isclose", quiet(lambda x, y: np.isclose(x, y, rtol, atol, equal_nan)), a, b)


@implements(np.allclose)
def allclose(
    input: Operand, other: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds for every element.

    Raises RuntimeError if the dtypes differ, a tolerance is negative or the shapes do not broadcast.

    >>> allclose(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-9]))
    True
    """
    return bool(np.all(isclose(input, other, rtol, atol, equal_nan)._value))


@implements(np.array_equal)
def equal(input: Operand, other: Operand) -> bool:
    """Whether two operands have the same shape and elements; NaN equals nothing.

    >>> equal(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    True
    """
    return bool(np.array_equal(as_node(input)._value, as_node(other)._value))

"""Derivatives of the third and fourth order against the closed forms of SymPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import mul
from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Node

sympy = pytest.importorskip("sympy")
T = sympy.Symbol("t")
MATRICES = np.random.default_rng(2).normal(size=(8, 3, 3))


def chain(t: Any) -> Node:
    """A number from the product of four matrices, each of which depends on t."""
    factors = [F.constant(MATRICES[2 * i]) + F.mul(MATRICES[2 * i + 1], t) for i in range(4)]
    return F.sum(reduce(F.matmul, factors))


def closed_chain() -> Any:
    return sum(
        reduce(
            mul,
            [sympy.Matrix(MATRICES[2 * i]) + sympy.Matrix(MATRICES[2 * i + 1]) * T for i in range(4)],
        )
    )


CASES: dict[str, tuple[Callable[[Any], Node], Any]] = {
    "tanh": (F.tanh, sympy.tanh(T)),
    "exp": (lambda t: F.exp(F.mul(t, -1.5)), sympy.exp(-sympy.Rational(3, 2) * T)),
    "sin": (lambda t: F.sin(F.mul(t, t)), sympy.sin(T * T)),
    "division": (lambda t: F.div(F.add(t, 1.0), F.add(F.mul(t, t), 2.0)), (T + 1) / (T * T + 2)),
    "chain of products": (chain, closed_chain()),
    "sigmoid": (F.sigmoid, 1 / (1 + sympy.exp(-T))),
    "log of sum": (
        lambda t: F.logsumexp(F.stack([t, F.mul(t, t)]), 0),
        sympy.log(sympy.exp(T) + sympy.exp(T * T)),
    ),
    "softmax": (lambda t: F.softmax(F.stack([t, F.mul(t, t)]), 0)[0], 1 / (1 + sympy.exp(T * T - T))),
}
POINTS = (-1.3, 0.4, 0.9)


def forwards(function: Callable[..., Any]) -> Callable[..., Any]:
    """The derivative of a function of a number, by forward mode."""
    return lambda t: F.jvp(function, (t,), (np.ones(()),))[1]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_those_of_the_closed_form(name: str, order: int, point: float) -> None:
    function, closed = CASES[name]
    expected = float(sympy.diff(closed, T, order).evalf(30, subs={T: point}))
    derivatives: dict[str, Any] = {"backwards": F.grad, "forwards": forwards}
    for mode, derivative in derivatives.items():
        value = reduce(lambda f, _: derivative(f), range(order), function)(np.array(point))
        np.testing.assert_allclose(np.asarray(F.constant(value).data), expected, rtol=1e-9, err_msg=mode)
    mixed = function
    for i in range(order):
        mixed = F.grad(mixed) if i % 2 else forwards(mixed)
    np.testing.assert_allclose(F.constant(mixed(np.array(point))).data, expected, rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_derivatives_of_many_points_at_once(name: str) -> None:
    function, closed = CASES[name]
    third = F.vmap(F.grad(F.grad(F.grad(function))))(np.array(POINTS))
    slope = sympy.diff(closed, T, 3)
    expected = [float(slope.evalf(30, subs={T: point})) for point in POINTS]
    np.testing.assert_allclose(F.constant(third).data, expected, rtol=1e-9)

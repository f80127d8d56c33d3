"""Derivatives of derivatives at points where a rule divides by nothing, against formulas that do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Node

RNG = np.random.default_rng(3)


def orders(function: Callable[..., Node], *arrays: Any) -> list[Any]:
    """The first three derivatives of a number, each projected before it is differentiated again."""
    places = tuple(range(len(arrays)))

    def projected(gradient: Callable[..., Any]) -> Callable[..., Node]:
        def number(*xs: Any) -> Node:
            parts = gradient(*xs)
            whole = F.constant(0.0, np.dtype(np.float64))
            for part in parts:
                whole = whole + F.sum(part * part * np.cos(np.arange(part.size)).reshape(part.shape) + part)
            return whole

        return number

    first = F.grad(lambda *xs: F.sin(function(*xs)), places)
    second = F.grad(projected(first), places)
    third = F.grad(projected(second), places)
    return [part.data for gradient in (first, second, third) for part in gradient(*arrays)]


def agree(one: Callable[..., Node], other: Callable[..., Node], *arrays: Any) -> None:
    for got, expected in zip(orders(one, *arrays), orders(other, *arrays), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


INDEX = np.array([[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]])


@pytest.mark.parametrize("zeros", [(), ((1, 2),), ((1, 2), (1, 3)), ((0, 0), (0, 1), (2, 3))])
@pytest.mark.parametrize("include", [True, False])
def test_products_of_what_is_scattered_beside_zeros(zeros: tuple[Any, ...], include: bool) -> None:
    x, src = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 4))
    for place in zeros:
        src[place] = 0.0
    x[2, 0] = 0.0 if zeros else x[2, 0]

    def scattered(x: Any, src: Any) -> Node:
        return F.sum(F.scatter_reduce(x, 1, INDEX, src, "prod", include_self=include))

    def multiplied(x: Any, src: Any) -> Node:
        whole = F.constant(0.0, np.dtype(np.float64))
        for i, row in enumerate(INDEX):
            for cell in range(2):
                product = x[i, cell] if include else 0 * x[i, cell] + 1.0
                for j in np.flatnonzero(row == cell):
                    product = product * src[i, int(j)]
                whole = whole + product
        return whole

    agree(scattered, multiplied, F.constant(x), F.constant(src))


def by_hand(x: Any) -> Node:
    """The determinant of 3 by 3 matrices."""
    parts = [
        x[..., 0, i] * (x[..., 1, j] * x[..., 2, k] - x[..., 1, k] * x[..., 2, j])
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    ]
    return F.sum(parts[0] + parts[1] + parts[2])


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_determinants_of_every_rank(rank: int) -> None:
    x = RNG.normal(size=(2, 3, 3))
    x[:, rank:] = 0.0
    agree(lambda x: F.sum(F.linalg.det(x)), by_hand, F.constant(x))


def test_the_gradient_of_symmetric_matrices_is_symmetric() -> None:
    x = RNG.normal(size=(4, 4))
    x = x + x.T
    weight, cotangent = RNG.normal(size=(4, 4)), RNG.normal(size=(4, 4))

    def of_vectors(x: Any) -> Node:
        return F.sum(F.linalg.eigh(x).eigenvectors * weight)

    def weighted(x: Any) -> Node:
        return F.sum(F.linalg.eigvalsh(x) * np.arange(4.0))

    slope: Callable[[Any], Node] = F.grad(weighted)

    def of_gradient(x: Any) -> Node:
        gradient = slope(x)
        return F.sum(gradient * gradient * cotangent)

    functions: tuple[Callable[[Any], Node], ...] = (of_vectors, of_gradient)
    for function in functions:
        gradient = F.grad(function)(F.constant(x)).data
        np.testing.assert_allclose(gradient, gradient.T, atol=1e-10)
        direction = RNG.normal(size=(4, 4))
        direction = direction + direction.T
        step = 1e-6
        moved = [function(x + sign * step * direction).item() for sign in (1, -1)]
        np.testing.assert_allclose(
            (gradient * direction).sum(), (moved[0] - moved[1]) / (2 * step), rtol=1e-6
        )

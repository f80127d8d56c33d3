"""Rows in every way that they are worked on: short and long, one block and several, far from 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional.engine import backward
from nngrad.functional.rows import by_row, column_sums, row_dots, row_sums

WIDTHS = (1, 8, 31, 32, 47, 48, 200)


def drawn(*shape: int, dtype: Any = np.float64, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("width", WIDTHS)
def test_sums_and_numbers_of_rows(width: int) -> None:
    a, b, numbers = drawn(9, width), drawn(9, width, seed=1), drawn(9)
    kept = [x.tobytes() for x in (a, b, numbers)]
    np.testing.assert_allclose(row_sums(a), a.sum(1), atol=1e-12)
    np.testing.assert_allclose(column_sums(a), a.sum(0), atol=1e-12)
    np.testing.assert_allclose(row_dots(a, b, np.empty_like(a)), (a * b).sum(1), atol=1e-12)
    for ufunc in (np.multiply, np.subtract):
        np.testing.assert_array_equal(by_row(ufunc, a, numbers, np.empty_like(a)), ufunc(a, numbers[:, None]))
    assert [x.tobytes() for x in (a, b, numbers)] == kept
    assert column_sums(np.ones((3, width), np.int64)).tolist() == [3] * width


def normalised(x: Any, w: Any, b: Any, eps: float, centred: bool) -> Any:
    y = x - x.mean(-1, keepdims=True) if centred else x
    return y / np.sqrt((y * y).mean(-1, keepdims=True) + eps) * w + b


def sent_back(g: Any, x: Any, w: Any, eps: float, centred: bool) -> tuple[Any, Any, Any]:
    """The cotangents of x, w and b, by the chain rule through mean and variance."""
    y = x - x.mean(-1, keepdims=True) if centred else x
    scale = 1 / np.sqrt((y * y).mean(-1, keepdims=True) + eps)
    gy = g * w * scale - y * scale**3 * (g * w * y).mean(-1, keepdims=True)
    gx = gy - gy.mean(-1, keepdims=True) if centred else gy
    return gx, (g * y * scale).sum(0), g.sum(0)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("offset", [0.0, 5.0, 3000.0])
@pytest.mark.parametrize(("rows", "width"), [(1, 3), (5, 31), (7, 64), (300, 1100), (20_000, 4)])
def test_norms_of_rows(rows: int, width: int, offset: float, centred: bool) -> None:
    """In float32 beside formulas in float64. A mean of many deviations takes no digits from the rest."""
    x = (drawn(rows, width, seed=2) + offset).astype(np.float32)
    w, b, g = drawn(width, seed=3, dtype="f"), drawn(width, seed=4, dtype="f"), drawn(rows, width, seed=5)
    g = g.astype(np.float32)
    eps = 1e-3
    nodes = [F.variable(x), F.variable(w), F.variable(b)]
    if centred:
        out = F.layer_norm(nodes[0], (width,), nodes[1], nodes[2], eps)
    else:
        out, b = F.rms_norm(nodes[0], (width,), nodes[1], eps), np.zeros_like(b)
    x64, w64, b64, g64 = (a.astype(np.float64) for a in (x, w, b, g))
    expected = normalised(x64, w64, b64, eps, centred)
    # subtracting a mean of 3000 leaves errors of its rounding, 1e-4, where deviations are about 1
    atol = 1e-5 if offset < 100 else 2e-3
    np.testing.assert_allclose(out.data, expected, atol=atol * 4)
    found = backward([out], [g])
    for node, wanted in zip(nodes[: 2 + centred], sent_back(g64, x64, w64, eps, centred)):
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(found[node], wanted, atol=atol * scale * 4)


def test_rows_without_deviation() -> None:
    """All values equal: the norm is the bias, and no gradient is lost in NaN."""
    x = F.variable(np.full((4, 64), 7.25, np.float32))
    w, b = np.ones(64, np.float32), np.arange(64, dtype=np.float32)
    out = F.layer_norm(x, (64,), w, b)
    np.testing.assert_allclose(out.data, np.tile(b, (4, 1)), atol=1e-5)
    (gx,) = backward([out], [np.cos(out.data)]).values()
    assert np.isfinite(gx).all()
    np.testing.assert_allclose(gx.sum(1), 0, atol=1e-2)


@pytest.mark.parametrize("width", [3, 31, 32, 200])
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_softmax_of_rows(width: int, scale: float) -> None:
    x = (drawn(50, width, seed=6) * scale).astype(np.float32)
    e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    g = drawn(50, width, seed=7).astype(np.float32)
    for function, value, slope in (
        (F.softmax, p, p * (g - (g * p).sum(1, keepdims=True))),
        (F.log_softmax, np.log(np.maximum(p, 1e-300)), g - p * g.sum(1, keepdims=True)),
    ):
        node = F.variable(x)
        out = function(node, 1)
        known = value > -600  # what is less is exact in ours, and lost in this formula's exp
        np.testing.assert_allclose(out.data[known], value[known], rtol=1e-5, atol=1e-6)
        (found,) = backward([out], [g]).values()
        np.testing.assert_allclose(found, slope, atol=2e-5)

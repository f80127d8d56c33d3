"""Running results and orders of any array, against NumPy and against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from rows import Array

import nngrad.functional as F
from nngrad.functional.engine import backward

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)
#: few values, so that many are equal
FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan])
TIED = hnp.arrays(np.float64, SHAPES, elements=FEW)
WHOLE = hnp.arrays(st.sampled_from([np.int8, np.int64, np.uint8, np.bool_]), SHAPES)
FLOATS = hnp.arrays(np.float64, SHAPES, elements=st.floats(-3, 3))


def dim_of(data: st.DataObject, x: Array) -> int:
    return data.draw(st.integers(-x.ndim, x.ndim - 1))


def _along(x: Array, indices: F.Node, dim: int) -> Array:
    found: Array = np.take_along_axis(x, np.asarray(indices.data, np.intp), dim)
    return found


@given(x=TIED | WHOLE, data=st.data(), descending=st.booleans())
def test_sort_is_the_stable_order(x: Any, data: st.DataObject, descending: bool) -> None:
    dim = dim_of(data, x)
    values, indices = F.sort(x, dim, descending)
    expected = np.argsort(x, dim, kind="stable")
    if descending:  # equal elements keep their order
        turned = np.argsort(np.flip(x, dim), dim, kind="stable")
        expected = x.shape[dim] - 1 - np.flip(turned, dim)
    np.testing.assert_array_equal(indices.data, expected)
    np.testing.assert_array_equal(values.data, np.take_along_axis(x, expected, dim), strict=True)
    np.testing.assert_array_equal(F.argsort(x, dim, descending).data, expected)


@given(x=TIED | WHOLE.filter(lambda x: x.dtype != np.bool_), data=st.data(), largest=st.booleans())
def test_topk_and_kthvalue_are_parts_of_sort(x: Any, data: st.DataObject, largest: bool) -> None:
    dim = dim_of(data, x)
    k = data.draw(st.integers(1, x.shape[dim]))
    values, indices = F.topk(x, k, dim, largest)
    placed = F.sort(x, dim, largest).values.data
    np.testing.assert_array_equal(values.data, np.take(placed, np.arange(k), dim), strict=True)
    np.testing.assert_array_equal(_along(x, indices, dim), values.data)
    unequal = np.sort(indices.data, dim)
    assert (np.diff(unequal, axis=dim) > 0).all()
    value, index = F.kthvalue(x, k, dim, True)
    np.testing.assert_array_equal(value.data, np.take(np.sort(x, dim), [k - 1], dim), strict=True)
    np.testing.assert_array_equal(_along(x, index, dim), value.data)


@given(x=TIED, data=st.data())
def test_running_extremes_are_the_last_of_their_equals(x: Array, data: st.DataObject) -> None:
    dim = dim_of(data, x)
    for find, ufunc in ((F.cummax, np.maximum), (F.cummin, np.minimum)):
        values, indices = find(x, dim)
        best = ufunc.accumulate(x, axis=dim)
        np.testing.assert_array_equal(values.data, best)
        rows, bests = np.moveaxis(x, dim, -1), np.moveaxis(best, dim, -1)
        for row, best_row, found in zip(
            rows.reshape(-1, x.shape[dim]),
            bests.reshape(-1, x.shape[dim]),
            np.moveaxis(indices.data, dim, -1).reshape(-1, x.shape[dim]),
            strict=True,
        ):
            for k in range(len(row)):
                # NaN wins, and every NaN is as good as another
                equal = (row[: k + 1] == best_row[k]) | np.isnan(row[: k + 1])
                assert found[k] == np.flatnonzero(equal)[-1]


@given(x=FLOATS, data=st.data())
def test_running_sums_and_products_are_numpys(x: Array, data: st.DataObject) -> None:
    dim = dim_of(data, x)
    np.testing.assert_allclose(F.cumsum(x, dim).data, np.cumsum(x, dim), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(F.cumprod(x, dim).data, np.cumprod(x, dim), rtol=1e-13, atol=0)
    logs = np.logaddexp.accumulate(x, axis=dim)
    np.testing.assert_allclose(F.logcumsumexp(x, dim).data, logs, rtol=1e-13, atol=1e-13)


@settings(max_examples=50)
@given(
    x=hnp.arrays(np.float64, (2, 5), elements=st.sampled_from([0.0, 1.0, -2.0, 0.5, 3.0])),
    g=hnp.arrays(np.float64, (2, 5), elements=st.floats(-2, 2)),
)
def test_gradients_of_products_are_right_beside_zeros(x: Array, g: Array) -> None:
    v = F.variable(x)
    got = backward([F.cumprod(v, 1)], [g])[v]
    expected = np.zeros_like(x)
    for k in range(5):
        others = np.array(x)
        others[:, k] = 1
        expected[:, k] = (g * np.cumprod(others, 1))[:, k:].sum(1)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    got = backward([F.prod(v, 1)], [g[:, 0]])[v]
    for k in range(5):
        expected[:, k] = g[:, 0] * np.prod(np.delete(x, k, 1), 1)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_recurrences_give_their_factors_a_gradient_in_both_directions() -> None:
    from nngrad.functional.scanning import recurrence_op

    rng = np.random.default_rng(0)
    a, b, g = rng.normal(size=(3, 2, 4))
    for reverse in (False, True):
        u, v = F.variable(a), F.variable(b)
        out = recurrence_op.call(u, v, 1, reverse)
        order = range(4)[:: -1 if reverse else 1]
        y = np.zeros(2)
        for k in order:
            y = b[:, k] + (a[:, k] * y if k != order[0] else 0)
            np.testing.assert_allclose(out.data[:, k], y, rtol=1e-14)
        got = backward([out], [g])
        h = 1e-6
        for leaf, array in ((u, a), (v, b)):
            for i in np.ndindex(array.shape):
                step = np.zeros_like(array)
                step[i] = h
                up, down = (
                    np.sum(g * recurrence_op.forward(a + s, b, 1, reverse))
                    if leaf is u
                    else np.sum(g * recurrence_op.forward(a, b + s, 1, reverse))
                    for s in (step, -step)
                )
                assert abs(got[leaf][i] - (up - down) / (2 * h)) < 1e-8


@given(x=TIED | WHOLE, data=st.data())
def test_unique_gives_the_input_back(x: Any, data: st.DataObject) -> None:
    for find in (F.unique, F.unique_consecutive):
        values, inverse, counts = find(x, return_inverse=True, return_counts=True)
        np.testing.assert_array_equal(values.data[np.asarray(inverse.data, np.intp)], x, strict=True)
        np.testing.assert_array_equal(np.bincount(inverse.data.ravel()), counts.data)
        dim = dim_of(data, x)
        slices, where, often = find(x, return_inverse=True, return_counts=True, dim=dim)
        np.testing.assert_array_equal(
            np.take(slices.data, np.asarray(where.data, np.intp), dim), x, strict=True
        )
        np.testing.assert_array_equal(np.bincount(where.data), often.data)


@given(x=FLOATS, q=st.floats(0, 1), data=st.data())
def test_quantiles_and_medians_are_numpys(x: Array, q: float, data: st.DataObject) -> None:
    dim = dim_of(data, x)
    np.testing.assert_allclose(F.quantile(x, q, dim).data, np.quantile(x, q, dim), rtol=1e-12, atol=1e-12)
    lower = np.quantile(x, 0.5, dim, method="inverted_cdf")
    np.testing.assert_array_equal(F.median(x, dim).values.data, lower)


@pytest.mark.parametrize("n", [10, 511, 512, 40_000, 100_003])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_sums_are_as_exact_as_numpys(n: int, dtype: Any) -> None:
    x = np.random.default_rng(n).random(n).astype(dtype)
    exact = np.sum(x, dtype=np.longdouble)
    eps = np.finfo(dtype).eps
    assert abs(float(F.sum(x).data - exact)) <= 4 * eps * float(exact)
    assert abs(float(F.mean(x).data - exact / n)) <= 4 * eps


@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((4096, 4), (1,)),
        ((4096, 4), (0,)),
        ((5, 1030, 3), (1,)),
        ((3, 20_001), (1,)),
        ((20_001, 3), (0,)),
        ((2000, 2, 2), (1,)),
        ((64, 3, 70), (0, 2)),
        ((64, 3, 70), (2, 0)),
        ((16, 3, 5, 70), (0, 1, 3)),
        ((64, 3, 70), (0, 1)),
        ((64, 3, 70), (0, 1, 2)),
    ],
)
@pytest.mark.parametrize("keep", [False, True])
def test_large_sums_over_dims_are_more_exact_than_numpys(
    shape: tuple[int, ...], dims: tuple[int, ...], keep: bool
) -> None:
    x = np.random.default_rng(0).random(shape).astype(np.float32)
    for dtype, eps in ((np.float32, 2e-6), (np.float64, 4e-15)):
        exact: Any = np.sum(x, axis=dims, keepdims=keep, dtype=np.longdouble)
        np.testing.assert_allclose(
            F.sum(x.astype(dtype), dims, keep).data, exact.astype(dtype), rtol=eps, strict=True
        )


def test_large_sums_keep_infinity_and_nan() -> None:
    x = np.ones((100, 100), np.float32)
    x[0, 0], x[1, 1] = np.inf, np.nan
    total = F.sum(x, 1).data
    assert np.isposinf(total[0])
    assert np.isnan(total[1])
    np.testing.assert_array_equal(total[2:], 100)

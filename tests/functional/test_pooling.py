"""Pooling with any parameters, against loops over the windows; its fast ways and its threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from rows_pooling import adaptive, largest, mean, windows

import nngrad.functional as F
from nngrad.functional import blocks
from nngrad.functional.engine import backward

Drawn = tuple[np.ndarray[Any, Any], int, dict[str, Any]]


@st.composite
def poolings(draw: st.DrawFn) -> Drawn:
    """An input of one to three dimensions behind its planes, with many ties, and parameters that fit."""
    dims = draw(st.integers(1, 3))
    shape = (*draw(st.lists(st.integers(1, 2), min_size=1, max_size=2)),)
    sizes = draw(st.tuples(*[st.integers(1, 7)] * dims))
    x = np.random.default_rng(draw(st.integers(0, 99))).integers(-2, 3, (*shape, *sizes)).astype(np.float64)
    several = [draw(st.tuples(*[st.integers(1, 3)] * dims)) for _ in range(3)]
    kernel, stride, dilation = several
    padding = tuple([draw(st.integers(0, (d * (k - 1) + 1) // 2)) for k, d in zip(kernel, dilation)])
    for n, k, p, d in zip(sizes, kernel, padding, dilation):
        assume(d * (k - 1) < n + 2 * p)
        assume(d == 1 or p == 0)  # else a window may lie in the padding alone
    ceil = draw(st.booleans())
    return (
        x,
        dims,
        {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil": ceil},
    )


def arguments(given: dict[str, Any], dilation: bool = True) -> tuple[Any, ...]:
    kept = [given["kernel"], given["stride"], given["padding"], given["dilation"], given["ceil"]]
    return tuple(kept if dilation else [*kept[:3], kept[4]])


def check_largest(x: np.ndarray[Any, Any], made: Any, call: Any) -> None:
    """Values, places, and the gradient: every window's to its place."""
    values, places = largest(x, made)
    outs = call(True)
    np.testing.assert_array_equal(outs[0].data, values)
    np.testing.assert_array_equal(outs[1].data, places)
    leaf = F.variable(x)
    out = call(False, leaf)
    np.testing.assert_array_equal(out.data, values)
    g = np.asarray(np.random.default_rng(0).normal(size=values.shape))
    expected = np.zeros(x.shape)
    rows = expected.reshape(-1, int(np.prod(x.shape[x.ndim - len(made[0]) :])))
    for row, where, what in zip(rows, places.reshape(len(rows), -1), g.reshape(len(rows), -1)):
        np.add.at(row, where, what)
    np.testing.assert_allclose(backward([out], [g])[leaf], expected, rtol=1e-12, atol=1e-14)


@settings(max_examples=150, deadline=None)
@given(poolings())
def test_max_pool_is_the_loop(drawn: Drawn) -> None:
    x, dims, parameters = drawn
    pool = getattr(F, f"max_pool{dims}d")
    check_largest(
        x,
        windows(x.shape[x.ndim - dims :], *arguments(parameters)),
        lambda indices, leaf=x: pool(leaf, *arguments(parameters), return_indices=indices),
    )


@settings(max_examples=100, deadline=None)
@given(poolings(), st.booleans())
def test_avg_pool_is_the_loop(drawn: Drawn, include: bool) -> None:
    x, dims, parameters = drawn
    parameters["dilation"] = (1,) * dims
    for k, p in zip(parameters["kernel"], parameters["padding"]):
        assume(p <= k // 2)
    for n, k, p in zip(x.shape[x.ndim - dims :], parameters["kernel"], parameters["padding"]):
        assume(k <= n + 2 * p)
    made = windows(x.shape[x.ndim - dims :], *arguments(parameters))
    out = getattr(F, f"avg_pool{dims}d")(x, *arguments(parameters, dilation=False), include)
    np.testing.assert_allclose(out.data, mean(x, made, include), rtol=1e-13, atol=1e-15)


@settings(max_examples=100, deadline=None)
@given(poolings(), st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_adaptive_pools_are_the_loop(drawn: Drawn, outs: list[int]) -> None:
    x, dims, _ = drawn
    output = tuple(outs[:dims])
    made = adaptive(x.shape[x.ndim - dims :], output)
    pool = getattr(F, f"adaptive_max_pool{dims}d")
    check_largest(x, made, lambda indices, leaf=x: pool(leaf, output, return_indices=indices))
    got = getattr(F, f"adaptive_avg_pool{dims}d")(x, output)
    np.testing.assert_allclose(got.data, mean(x, made), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 2, 0)])
def test_blocks_and_threads_change_nothing(
    kernel: int, stride: int, padding: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 5, 24, 24)).astype(np.float32)
    x[3, 2, 5:9, 7] = np.nan  # its block is done another way

    def both() -> tuple[Any, Any]:
        leaf = F.variable(x)
        out = F.max_pool2d(leaf, kernel, stride, padding)
        return out.data, backward([out], [np.sin(np.arange(out.size, dtype=np.float32)).reshape(out.shape)])[
            leaf
        ]

    usual = both()
    alone = [F.max_pool2d(plane, kernel, stride, padding).data for plane in x]
    np.testing.assert_array_equal(usual[0], np.stack(alone))
    monkeypatch.setattr(blocks, "_threads", 2)
    for before, after in zip(usual, both()):
        np.testing.assert_array_equal(before, after)


def test_a_window_in_the_padding_alone_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"max_pool1d: a window lies in the padding alone.*\(1, 1\)"):
        F.max_pool1d(np.ones((1, 1)), 2, 1, 1, 2)


def test_indices_name_the_last_nan_and_the_first_of_equal_elements() -> None:
    nan, inf = np.nan, np.inf
    x = np.array(
        [[[nan, 1.0, 2.0, 2.0], [nan, nan, 2.0, 1.0], [-inf, -inf, 0.0, -0.0], [-inf, -inf, 0.0, 0.0]]]
    )
    np.testing.assert_array_equal(F.max_pool2d(x, 2, return_indices=True)[1].data, [[[5, 2], [8, 10]]])


def test_what_pools_alike_is_undone_by_its_indices() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
    values, places = F.max_pool2d(x, 2, return_indices=True)
    again = F.max_unpool2d(values, places, 2, output_size=(5, 4))
    np.testing.assert_array_equal(F.max_pool2d(again, 2).data, np.maximum(values.data, 0))
    assert again.shape == x.shape
    assert np.count_nonzero(again.data) == values.size

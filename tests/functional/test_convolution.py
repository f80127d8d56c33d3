"""Convolutions of any shape against a loop over places, however the work is cut into blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from rows_convolution import naive_conv, naive_turned
from table import Array

import nngrad.functional as F
from nngrad.functional import sliding
from nngrad.functional.engine import backward


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[int, tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    """Dimensions of space, the shapes of input and weight, and the options."""
    d = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 3))

    def sizes(low: int, high: int) -> tuple[int, ...]:
        return tuple([draw(st.integers(low, high)) for _ in range(d)])

    kernel, stride, dilation, padding = sizes(1, 3), sizes(1, 3), sizes(1, 2), sizes(0, 3)
    more = sizes(0, 14 if d == 2 else 4)
    least = [max(1, (k - 1) * e + 1 - 2 * p) for k, e, p in zip(kernel, dilation, padding)]
    space = tuple([a + b for a, b in zip(least, more)])
    channels, outs = (draw(st.integers(1, 3)) for _ in range(2))
    images = draw(st.integers(0, 4))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return d, (images, channels * groups, *space), (outs * groups, channels, *kernel), options


def same(ours: Any, expected: Any) -> None:
    np.testing.assert_allclose(ours, expected, rtol=1e-11, atol=1e-11, strict=True)


@pytest.fixture(params=["whole", "tiles"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks as they are, and so small that every image with many places is cut into tiles of rows."""
    if request.param == "tiles":
        monkeypatch.setattr(sliding, "CACHE", 1)
        monkeypatch.setattr(sliding, "SMALL", 3000)
        monkeypatch.setattr(sliding, "COLUMNS", 5)


@pytest.mark.usefixtures("cut")
@settings(max_examples=150, deadline=None)
@given(convolutions(), st.integers(0, 1000), st.booleans())
def test_value_and_derivatives_are_those_of_the_loop(case: Any, seed: int, biased: bool) -> None:
    """The derivatives are the transposes of the loop, which is linear: <g, loop(t)> = <gradient, t>."""
    d, x_shape, w_shape, options = case
    rng = np.random.default_rng(seed)
    x = F.variable(np.swapaxes(rng.normal(size=(*x_shape[:-2], x_shape[-1], x_shape[-2])), -1, -2))
    w, b = F.variable(rng.normal(size=w_shape)), F.variable(rng.normal(size=w_shape[:1]))
    out = getattr(F, f"conv{d}d")(x, w, b if biased else None, **options)
    same(out.data, naive_conv(x.data, w.data, b.data if biased else None, **options))
    g = rng.normal(size=out.shape)
    got = backward([out], [g])
    t, u = rng.normal(size=x.shape), rng.normal(size=w.shape)
    same(np.sum(got[x] * t), np.sum(g * naive_conv(t, w.data, **options)))
    same(np.sum(got[w] * u), np.sum(g * naive_conv(x.data, u, **options)))
    if biased:
        same(got[b], g.sum((0, *range(2, g.ndim))))


@pytest.mark.usefixtures("cut")
@settings(max_examples=100, deadline=None)
@given(convolutions(), st.integers(0, 1000), st.data())
def test_transposes_are_those_of_the_loop(case: Any, seed: int, data: st.DataObject) -> None:
    d, x_shape, w_shape, options = case
    steps = zip(options["stride"], options["dilation"])
    more = tuple([data.draw(st.integers(0, max(s, e) - 1)) for s, e in steps])
    rng = np.random.default_rng(seed)
    shape = (x_shape[0], w_shape[0], *x_shape[2:])
    spans = zip(x_shape[2:], w_shape[2:], options["stride"], options["dilation"], more)
    full = [(n - 1) * s + e * (k - 1) + 1 + o for n, k, s, e, o in spans]
    options["padding"] = tuple([min(p, (n - 1) // 2) for p, n in zip(options["padding"], full)])
    x, w = F.variable(rng.normal(size=shape)), F.variable(rng.normal(size=w_shape))
    out = getattr(F, f"conv_transpose{d}d")(x, w, output_padding=more, **options)
    same(out.data, naive_turned(x.data, w.data, output_padding=more, **options))
    g = rng.normal(size=out.shape)
    got = backward([out], [g])
    t, u = rng.normal(size=x.shape), rng.normal(size=w.shape)
    same(np.sum(got[x] * t), np.sum(g * naive_turned(t, w.data, output_padding=more, **options)))
    same(np.sum(got[w] * u), np.sum(g * naive_turned(x.data, u, output_padding=more, **options)))


def test_float16_is_computed_in_float32() -> None:
    x, w = np.full((1, 3000, 1), 0.1, np.float16), np.ones((1, 3000, 1), np.float16)
    out = F.conv1d(x, w)
    assert out.dtype == np.float16
    assert out.item() == np.float16(3000 * np.float32(np.float16(0.1)))


def test_infinities_and_overflow_are_silent() -> None:
    x = np.array([[np.inf, 1.0, np.nan, 2.0]])
    same(F.conv1d(x, np.array([[[0.0, 1.0]]])).data, np.array([[np.nan, np.nan, np.nan]]))
    same(F.conv1d(x, np.array([[[1.0]]]), padding=1).data, np.pad(x, ((0, 0), (1, 1))))
    big = np.full((1, 2), 6e4, np.float16)
    assert F.conv1d(big, np.ones((1, 1, 2), np.float16)).item() == np.inf


def test_inputs_that_share_memory_or_overlap() -> None:
    base = np.arange(40.0)
    x: Array = np.lib.stride_tricks.as_strided(base, (2, 3, 12), (64, 16, 8))
    w = np.broadcast_to(np.arange(3.0), (2, 3, 3))
    same(F.conv1d(x, w).data, naive_conv(x, w))

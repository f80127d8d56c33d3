"""Values at the ends of what a dtype holds: derivatives where functions are flat, sums in float16."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
import nngrad.nn.functional as F

FLAT: dict[str, Callable[[Any, Any], Any]] = {
    "softplus": lambda m, x: m.softplus(x),
    "logsigmoid": lambda m, x: m.logsigmoid(x),
    "sigmoid": lambda m, x: m.sigmoid(x),
    "silu": lambda m, x: m.silu(x),
    "gelu": lambda m, x: m.gelu(x),
    "mish": lambda m, x: m.mish(x),
    "binary_cross_entropy_with_logits": lambda m, x: m.binary_cross_entropy_with_logits(
        x, x.detach() * 0 + 0.25
    ),
}


@pytest.mark.parametrize("name", FLAT)
def test_second_derivatives_far_out_are_pytorchs(name: str) -> None:
    """exp(-x) overflows there, and its derivative times 0 would be NaN."""
    torch = pytest.importorskip("torch")
    seconds = []
    for lib, functions in ((nngrad, F), (torch, torch.nn.functional)):
        x = lib.tensor([-1000.0, -100.0, -1.0, 0.5, 100.0, 1000.0], requires_grad=True)
        (slope,) = lib.autograd.grad(FLAT[name](functions, x).sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(slope.sum(), x)
        seconds.append(second.numpy())
    ours, theirs = seconds
    assert np.isfinite(ours).all()
    known = np.isfinite(theirs)  # PyTorch's of mish and silu are NaN at some
    np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-5, atol=1e-6)


NONE_COUNTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "nll_loss": lambda m, x, t: m.nll_loss(x, t),
    "cross_entropy": lambda m, x, t: m.cross_entropy(x, t),
    "weighted": lambda m, x, t: m.cross_entropy(x, t, weight=x.detach()[0].abs()),
    "smooth": lambda m, x, t: m.cross_entropy(x, t, label_smoothing=0.1),
}


@pytest.mark.parametrize("name", NONE_COUNTS)
def test_the_mean_of_ignored_rows_is_nan_without_a_gradient(name: str) -> None:
    torch = pytest.importorskip("torch")
    for lib, functions in ((nngrad, F), (torch, torch.nn.functional)):
        x = lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        loss = NONE_COUNTS[name](functions, x, lib.tensor([-100, -100]))
        assert np.isnan(loss.item())
        (gradient,) = lib.autograd.grad(loss, x)
        np.testing.assert_array_equal(gradient.numpy(), np.zeros((2, 2)))


def test_the_mean_of_ignored_rows_within_vmap() -> None:
    targets = nngrad.tensor([[-100, -100], [0, -100]])
    x = nngrad.tensor([[1.0, 2.0], [3.0, 3.0]])
    loss = nngrad.vmap(lambda t: F.cross_entropy(x, t))(targets)
    np.testing.assert_allclose(loss.numpy(), [np.nan, np.log1p(np.e)], rtol=1e-6)


HALVES: dict[str, Callable[[Any, Any], Any]] = {
    "var": lambda lib, x: (x / 16).var(0),
    "std": lambda lib, x: x.std(0),
    "std_mean": lambda lib, x: lib.std_mean(x, 0)[0],
    "normalize": lambda lib, x: lib.nn.functional.normalize(x, p=3.0),
    "cosine_similarity": lambda lib, x: lib.nn.functional.cosine_similarity(x, x.flip(0)),
    "pairwise_distance": lambda lib, x: lib.nn.functional.pairwise_distance(x, x.flip(0), p=3.0),
    "triplet_margin_loss": lambda lib, x: lib.nn.functional.triplet_margin_loss(x, x.flip(0), x * 2),
}


@pytest.mark.parametrize("scale", [1e-3, 300.0])
@pytest.mark.parametrize("name", HALVES)
def test_squares_of_halves_neither_overflow_nor_vanish(name: str, scale: float) -> None:
    torch = pytest.importorskip("torch")
    values = (np.random.default_rng(0).standard_normal((4, 3)) * scale).astype(np.float16)
    ours = HALVES[name](nngrad, nngrad.tensor(values)).numpy()
    theirs = HALVES[name](torch, torch.tensor(values)).numpy()
    assert np.isfinite(ours).all()
    np.testing.assert_allclose(ours, theirs, rtol=4e-3, atol=4e-3 * float(np.abs(theirs).max()), strict=True)

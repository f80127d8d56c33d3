"""The CTC loss against the definition: the sum over all paths that spell the labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rows_loss import log_softmax
from rows_margin import path_likelihood

import nngrad.functional as F
from nngrad.functional.engine import backward


@pytest.mark.parametrize("seed", range(20))
def test_random_sequences_against_all_paths(seed: int) -> None:
    """Lengths, labels with repeats and the blank's class are drawn; some sequences do not fit."""
    rng = np.random.default_rng(seed)
    frames, n, classes = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(2, 4))
    blank = int(rng.integers(classes))
    inputs = rng.integers(0, frames + 1, n)
    lengths = rng.integers(0, 4, n)
    others = [c for c in range(classes) if c != blank]
    targets = rng.choice(others, (n, 4))
    log_p = log_softmax(rng.normal(size=(frames, n, classes)), 2)
    got = F.ctc_loss(log_p, targets, inputs, lengths, blank, "none").data
    expected = [
        path_likelihood(np.exp(log_p[:t, at]), tuple(targets[at, :size]), blank)
        for at, (t, size) in enumerate(zip(inputs, lengths))
    ]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(got, -np.log(np.array(expected, float)), rtol=1e-12, atol=1e-14)
    joined = np.concatenate([row[:size] for row, size in zip(targets, lengths)])
    np.testing.assert_array_equal(got, F.ctc_loss(log_p, joined, inputs, lengths, blank, "none").data)


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_a_sequence_that_does_not_fit(zero_infinity: bool) -> None:
    """Its loss is infinite and its gradient NaN, or both are 0; its neighbour keeps its own."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    log_p = log_softmax(rng.normal(size=(4, 2, 3)), 2)
    targets = np.array([[1, 2], [1, 1]])

    def loss(f: Any, x: Any, t: Any) -> Any:
        return f.ctc_loss(x, t, (4, 2), (2, 2), reduction="sum", zero_infinity=zero_infinity)

    x = F.variable(log_p)
    out = loss(F, x, targets)
    twin = torch.tensor(log_p, requires_grad=True)
    expected = loss(torch.nn.functional, twin, torch.tensor(targets))
    expected.backward()
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(backward([out], [np.ones(())])[x], twin.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_long_sequences_do_not_underflow() -> None:
    """A likelihood of exp(-1000) and less: PyTorch's in double precision, close to it in single."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    log_p = log_softmax(rng.normal(size=(500, 2, 30)) * 3, 2)
    targets = rng.integers(1, 30, (2, 100))
    twin = torch.tensor(log_p, requires_grad=True)
    expected = torch.nn.functional.ctc_loss(
        twin, torch.tensor(targets), (500, 400), (100, 80), reduction="sum"
    )
    expected.backward()
    assert expected.item() > 1000
    for dtype, tolerance in ((np.float64, 1e-9), (np.float32, 2e-3)):
        x = F.variable(log_p.astype(dtype))
        out = F.ctc_loss(x, targets, (500, 400), (100, 80), reduction="sum")
        np.testing.assert_allclose(out.item(), expected.item(), rtol=min(tolerance, 1e-6))
        got = backward([out], [np.ones((), dtype)])[x]
        np.testing.assert_allclose(got, twin.grad.numpy(), atol=tolerance)

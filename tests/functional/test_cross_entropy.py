"""Cross entropy of many logits, which goes block by block, against PyTorch in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rows_loss import log_softmax

import nngrad.functional as F
from nngrad.functional.blocks import BLOCK
from nngrad.functional.engine import backward


@pytest.mark.parametrize("shape", [(3000, 40), (70, 2000), (2, 70000), (2, 5, 9000), (300, 7, 5, 11)])
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("scale", [3.0, 300.0])
def test_many_logits(shape: tuple[int, ...], reduction: Any, scale: float) -> None:
    """Moderate logits, and ones whose exponentials would overflow; some rows do not count."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    logits = rng.normal(size=shape) * scale
    assert logits.nbytes > 2 * BLOCK
    targets = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    weight = rng.uniform(0.5, 2.0, shape[1])
    twin = torch.tensor(logits, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(
        twin, torch.tensor(targets), torch.tensor(weight), ignore_index=1, reduction=reduction
    )
    cotangent = rng.normal(size=tuple(expected.shape))
    expected.backward(torch.tensor(cotangent))
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-4)):
        x = F.variable(logits.astype(dtype))
        out = F.cross_entropy(x, targets, weight.astype(dtype), ignore_index=1, reduction=reduction)
        np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
        got = backward([out], [np.asarray(cotangent, dtype)])[x]
        np.testing.assert_allclose(got, twin.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_blocks_of_both_kinds() -> None:
    """Only the blocks that need it look for the largest logit of each row."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 40))
    logits[1900:1910] *= 1e4
    targets = rng.integers(0, 40, 4000)
    targets[1900:1910] = logits[1900:1910].argmax(1)
    x = F.variable(logits)
    out = F.cross_entropy(x, targets, reduction="none")
    log_p = log_softmax(logits, 1)
    np.testing.assert_allclose(out.data, -log_p[np.arange(4000), targets], rtol=1e-12, atol=1e-15)
    got = backward([out], [np.ones(4000)])[x]
    np.testing.assert_allclose(got, np.exp(log_p) - np.eye(40)[targets], rtol=1e-12, atol=1e-15)


def test_a_certain_class_costs_nothing_and_never_less() -> None:
    logits = np.array([[39.0, -39.0], [30.0, 1.0], [8.0, -9.0], [17.0, 0.5]], np.float32)
    losses = F.cross_entropy(logits, np.zeros(4, np.int64), reduction="none").data
    assert (losses >= 0).all()
    np.testing.assert_allclose(losses, np.log1p(np.exp(logits[:, 1] - logits[:, 0])), atol=3e-7)

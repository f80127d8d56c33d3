"""Losses of many pairs, which are summed block by block, against PyTorch in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional.blocks import BLOCK
from nngrad.functional.engine import backward

NAMES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits")


def operands(name: str, dtype: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(2, 300, 511)) * 2
    assert x.astype(dtype).nbytes > 2 * BLOCK
    return x.astype(dtype), (rng.uniform(size=t.shape) if name.endswith("logits") else t).astype(dtype)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", NAMES)
def test_many_pairs(name: str, reduction: Any) -> None:
    torch = pytest.importorskip("torch")
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 2e-6)):
        x, t = (F.variable(a) for a in operands(name, dtype))
        twins = [torch.tensor(np.asarray(a.data, np.float64), requires_grad=True) for a in (x, t)]
        expected = getattr(torch.nn.functional, name)(*twins, reduction=reduction)
        (expected * 3).backward()
        out = getattr(F, name)(x, t, reduction=reduction)
        assert out.dtype == dtype
        np.testing.assert_allclose(out.item(), expected.item(), rtol=tolerance)
        sent = backward([out * 3], [np.ones((), dtype)])
        for ours, twin in zip((x, t), twins):
            largest = abs(twin.grad).max().item()
            np.testing.assert_allclose(
                sent[ours], twin.grad.numpy(), rtol=tolerance, atol=tolerance * largest
            )


@pytest.mark.parametrize("name", NAMES)
def test_strided_and_one_sided(name: str) -> None:
    """Operands whose elements lie in another order; a gradient of the target alone."""
    x, t = operands(name, np.float64)
    wanted = getattr(F, name)(x, t).item()
    t_only = F.variable(np.asfortranarray(t))
    out = getattr(F, name)(x.T.copy().T, t_only)
    np.testing.assert_allclose(out.item(), wanted, rtol=1e-12)
    both = F.variable(t)
    expected = backward([getattr(F, name)(F.variable(x), both)], [np.ones(())])[both]
    np.testing.assert_allclose(backward([out], [np.ones(())])[t_only], expected, rtol=1e-12)

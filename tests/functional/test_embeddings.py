"""Embeddings where the gradient is no true derivative, and where the table itself is written to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad
import nngrad.functional as F
import nngrad.nn.functional as N
from nngrad.functional.engine import backward

NUMBERS = np.array([[0, 2, 2, 1], [1, 2, 0, 2]])
TABLE = np.random.default_rng(0).normal(size=(4, 3))
CASES: tuple[dict[str, Any], ...] = (
    {"padding_idx": 2},
    {"padding_idx": -4},
    {"scale_grad_by_freq": True},
    {"scale_grad_by_freq": True, "padding_idx": 2},
)


@pytest.mark.parametrize("options", CASES, ids=str)
def test_gradient_is_pytorchs(options: Any) -> None:
    torch = pytest.importorskip("torch")
    g = np.random.default_rng(1).normal(size=(*NUMBERS.shape, 3))
    twin = torch.tensor(TABLE, requires_grad=True)
    torch.nn.functional.embedding(torch.tensor(NUMBERS), twin, **options).backward(torch.tensor(g))
    w = F.variable(TABLE)
    out = F.embedding(NUMBERS, w, **options)
    np.testing.assert_allclose(backward([out], [g], free=False)[w], twin.grad.numpy(), rtol=1e-12)
    seed = F.variable(g)
    recorded = backward([out], [seed], create_graph=True)[w]
    np.testing.assert_allclose(recorded.data, twin.grad.numpy(), rtol=1e-12)


def test_frequency_in_bags_divides_by_how_often_a_row_is_named() -> None:
    """As documented; PyTorch 2.13 takes the count of another row."""
    w = F.variable(TABLE)
    g = np.random.default_rng(1).normal(size=(2, 3))
    got = backward([F.embedding_bag(NUMBERS, w, mode="sum", scale_grad_by_freq=True)], [g])[w]
    plain = backward([F.embedding_bag(NUMBERS, w, mode="sum")], [g])[w]
    np.testing.assert_allclose(got, plain / np.array([[2], [2], [4], [1]]), rtol=1e-12)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, np.inf])
@pytest.mark.parametrize("name", ["embedding", "embedding_bag"])
def test_max_norm_scales_the_tables_rows_that_are_used(name: str, norm_type: float) -> None:
    torch = pytest.importorskip("torch")
    big = TABLE * 3
    twin = torch.tensor(big, requires_grad=True)
    numbers = NUMBERS % 3
    other = getattr(torch.nn.functional, name)(torch.tensor(numbers), twin, max_norm=1.0, norm_type=norm_type)
    other.sum().backward()
    weight = nngrad.tensor(big, requires_grad=True)
    out = getattr(N, name)(nngrad.tensor(numbers), weight, max_norm=1.0, norm_type=norm_type)
    out.sum().backward()
    np.testing.assert_allclose(weight.detach().numpy(), twin.detach().numpy(), rtol=1e-12)
    np.testing.assert_array_equal(weight.detach().numpy()[3], big[3])
    np.testing.assert_allclose(out.detach().numpy(), other.detach().numpy(), rtol=1e-12)
    assert weight.is_leaf
    assert weight.grad is not None
    np.testing.assert_allclose(weight.grad.numpy(), twin.grad.numpy(), rtol=1e-12)


def test_max_norm_in_the_core_leaves_the_table_alone() -> None:
    w = F.variable(TABLE * 3)
    out = F.embedding(NUMBERS, w, max_norm=1.0)
    np.testing.assert_array_equal(w.data, TABLE * 3)
    assert np.all(np.linalg.norm(out.data, axis=-1) < 1 + 1e-6)
    g = np.random.default_rng(1).normal(size=out.shape)
    plain = backward([F.embedding(NUMBERS, w)], [g])[w]
    np.testing.assert_array_equal(backward([out], [g])[w], plain)


def test_sparse_gradients_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="embedding: sparse"):
        F.embedding(NUMBERS, TABLE, sparse=True)
    with pytest.raises(NotImplementedError, match="embedding_bag: sparse"):
        F.embedding_bag(NUMBERS, TABLE, sparse=True)


def test_max_norm_checks_the_numbers_first() -> None:
    weight = nngrad.tensor(TABLE * 3)
    with pytest.raises(IndexError, match="embedding: index 4"):
        N.embedding(nngrad.tensor([0, 4]), weight, max_norm=1.0)
    np.testing.assert_array_equal(weight.numpy(), TABLE * 3)

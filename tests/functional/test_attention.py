"""Attention where the table's rows are too small to go: several blocks, large scores, dropout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rows_attention import attention, hide

import nngrad
import nngrad.functional as F
from nngrad.functional import attention as home
from nngrad.functional.engine import backward
from nngrad.nn import functional as NF

SHAPE = (2, 3, 20, 5)


def operands(seed: int = 0, scale: float = 1.0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=SHAPE) * scale for _ in range(4)]


def run(arrays: list[Any], **options: Any) -> list[Any]:
    """The output and the gradients, on tensors."""
    leaves = [nngrad.tensor(a, requires_grad=True) for a in arrays[:3]]
    call: Any = NF.scaled_dot_product_attention
    out = call(*leaves, **options)
    out.backward(nngrad.tensor(arrays[3]))
    return [out.detach().numpy(), *[x.grad.numpy() for x in leaves if x.grad is not None]]


def run_torch(arrays: list[Any], **options: Any) -> list[Any]:
    torch = pytest.importorskip("torch")
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays[:3]]
    out = torch.nn.functional.scaled_dot_product_attention(*leaves, **options)
    out.backward(torch.tensor(arrays[3]))
    return [out.detach().numpy(), *[x.grad.numpy() for x in leaves]]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kept", [0, 1 << 25])
@pytest.mark.parametrize("block", [40, 100, 400, 1000, 4000])
def test_blocks_of_any_size_give_pytorchs_values(
    block: int, kept: int, causal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "_BLOCK", block)
    monkeypatch.setattr(home, "_CAUSAL_ROWS", 7)
    monkeypatch.setattr(home, "_KEPT", kept)
    arrays = operands()
    for ours, theirs in zip(run(arrays, is_causal=causal), run_torch(arrays, is_causal=causal), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12, strict=True)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 30.0])
def test_scores_of_any_size(scale: float) -> None:
    arrays = operands(1, scale)
    for ours, theirs in zip(run(arrays), run_torch(arrays), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max())


def test_equal_scores_far_from_zero_give_the_mean() -> None:
    q = np.full((1, 4), -1e3, np.float32)
    v = np.array([[1.0], [3.0]], np.float32)
    out = F.scaled_dot_product_attention(q, np.ones((2, 4), np.float32), v)
    np.testing.assert_array_equal(out.data, [[2.0]])
    far = F.scaled_dot_product_attention(
        q, np.ones((2, 4), np.float32), v, np.full((1, 2), -1e30, np.float32)
    )
    np.testing.assert_array_equal(far.data, [[2.0]])


def test_the_output_lies_in_memory_as_the_queries_do() -> None:
    q = np.zeros((2, 20, 3, 5)).transpose(0, 2, 1, 3)
    out = F.scaled_dot_product_attention(q, q, q)
    assert out.data.transpose(0, 2, 1, 3).flags.c_contiguous


@pytest.mark.parametrize("p", [0.1, 0.5, 1.0])
def test_dropout_draws_what_pytorch_draws(p: float) -> None:
    torch = pytest.importorskip("torch")
    arrays = operands(2)
    nngrad.manual_seed(3)
    torch.manual_seed(3)
    drawn = torch.empty((*SHAPE[:3], SHAPE[2]), dtype=torch.float64).bernoulli_(1 - p).numpy()
    nngrad.manual_seed(3)
    same = nngrad.empty(*SHAPE[:3], SHAPE[2], dtype=nngrad.float64).bernoulli_(1 - p).numpy()
    if not np.array_equal(drawn, same):
        pytest.skip("this build of PyTorch draws from another generator")
    nngrad.manual_seed(3)
    torch.manual_seed(3)
    for ours, theirs in zip(run(arrays, dropout_p=p), run_torch(arrays, dropout_p=p), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    assert nngrad.rand(1).item() == torch.rand(1).item()


def test_dropout_with_its_generator_is_the_weights_with_some_left_out() -> None:
    q, k, v, g = operands(4)
    keep = (np.random.default_rng(5).random((*SHAPE[:3], SHAPE[2])) >= 0.25) / 0.75
    shares = attention(q, k, np.broadcast_to(np.eye(SHAPE[2]), (2, 3, 20, 20)), hide(np.tri(20, dtype=bool)))
    nodes = [F.variable(a) for a in (q, k, v)]
    q_node, k_node, v_node = nodes
    out = F.scaled_dot_product_attention(
        q_node, k_node, v_node, dropout_p=0.25, is_causal=True, generator=np.random.default_rng(5)
    )
    np.testing.assert_allclose(out.data, (shares * keep) @ v, rtol=1e-12, atol=1e-14)
    got = backward([out], [g])
    d = shares * ((g @ np.swapaxes(v, -1, -2)) * keep - np.sum(g * out.data, -1, keepdims=True))
    np.testing.assert_allclose(got[nodes[0]], d @ k * 5**-0.5, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(got[nodes[2]], np.swapaxes(shares * keep, -1, -2) @ g, rtol=1e-10, atol=1e-12)


def test_dropout_of_the_core_needs_a_generator() -> None:
    q, k, v, _ = operands()
    with pytest.raises(TypeError, match=r"generator: numpy\.random\.Generator"):
        F.scaled_dot_product_attention(q, k, v, dropout_p=0.5)


@pytest.mark.parametrize("need_weights", [False, True])
def test_heads_drop_what_pytorch_drops(need_weights: bool) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    arrays = [rng.normal(size=s).astype(np.float32) for s in ((3, 2, 4), (12, 4), (4, 4))]

    def call(f: Any, x: Any, w: Any, out: Any) -> Any:
        return f.multi_head_attention_forward(
            x, x, x, 4, 2, w, None, None, None, False, 0.5, out, None, need_weights=need_weights
        )

    nngrad.manual_seed(1)
    torch.manual_seed(1)
    drawn = torch.empty(4, 3, 3).bernoulli_(0.5).numpy()
    if not np.array_equal(drawn, nngrad.empty(4, 3, 3).bernoulli_(0.5).numpy()):
        pytest.skip("this build of PyTorch draws from another generator")
    nngrad.manual_seed(1)
    torch.manual_seed(1)
    ours = call(NF, *[nngrad.tensor(a) for a in arrays])
    theirs = call(torch.nn.functional, *[torch.tensor(a) for a in arrays])
    assert (ours[1] is None) == (theirs[1] is None) == (not need_weights)
    for a, b in zip(ours, theirs, strict=True):
        if b is not None:
            np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_heads_name_what_does_not_fit() -> None:
    x, w, square = np.ones((3, 2, 4)), np.ones((12, 4)), np.ones((4, 4))

    def call(width: int = 4, heads: int = 2, **options: Any) -> None:
        given: dict[str, Any] = {"query": x, "key": x, "value": x, "in_proj_weight": w, **options}
        for name in ("in_proj_bias", "bias_k", "bias_v", "out_proj_bias"):
            given.setdefault(name, None)
        F.multi_head_attention_forward(
            embed_dim_to_check=width,
            num_heads=heads,
            add_zero_attn=False,
            dropout_p=0.0,
            out_proj_weight=square,
            **given,
        )

    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"query": x[0, 0]}, r"2 or all of 3 dimensions, got query \(4,\)"),
        ({"width": 6}, r"embedding dimension of 6.*\(3, 2, 4\)"),
        ({"heads": 3}, "embed_dim 4 not divisible by num_heads 3"),
        ({"value": x[:2]}, r"value \(2, 2, 4\)"),
        ({"in_proj_weight": None}, "weights of the projection are missing"),
        ({"bias_k": np.ones((1, 1, 4))}, "bias_k and bias_v must be given together"),
        ({"is_causal": True}, "Need attn_mask"),
        ({"attn_mask": np.ones((2, 3))}, r"attn_mask is \(2, 3\), but should be \(3, 3\) or \(4, 3, 3\)"),
        ({"key_padding_mask": np.ones((3, 3))}, r"key_padding_mask of shape \(3, 3\).*2 x 3"),
        ({"attn_mask": np.ones((3, 3), np.int64)}, "attn_mask: expected bools.*int64"),
        ({"static_k": np.ones((2, 3, 2))}, r"\(4, S, 2\), got \(2, 3, 2\)"),
    )
    for options, text in cases:
        with pytest.raises(RuntimeError, match=f"multi_head_attention_forward: .*{text}"):
            call(**options)

"""Attention and transformers as layers against PyTorch: weights, values, gradients, masks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import nn

RNG = np.random.default_rng(0)
E = 8
OURS_WARNINGS = pytest.mark.filterwarnings("ignore:.*nested.*", "ignore:.*mismatched.*")

ATTENTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch_first": {"batch_first": True},
    "bare": {"bias": False},
    "more": {"add_bias_kv": True, "add_zero_attn": True},
    "widths": {"kdim": 3, "vdim": 5},
    "dropout": {"dropout": 0.3},
}
LAYERS: dict[str, dict[str, Any]] = {
    "plain": {"dropout": 0.0},
    "batch_first": {"dropout": 0.2, "batch_first": True},
    "norm_first": {"dropout": 0.0, "norm_first": True, "activation": "gelu"},
    "bare": {"dropout": 0.0, "bias": False, "layer_norm_eps": 1e-3},
}


def pair(make: Callable[[Any], Any]) -> tuple[Any, Any, Any]:
    """PyTorch, and a module of ours and of its, from one seed, which look alike."""
    torch = pytest.importorskip("torch")
    made = []
    for lib in (nngrad, torch):
        lib.manual_seed(3)
        made.append(make(lib.nn))
    ours, theirs = made
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy(), strict=True)
    return torch, ours, theirs


def same_training(torch: Any, ours: Any, theirs: Any, call: Callable[[Any, Any], Any]) -> None:
    """Outputs and gradients of `call(library, module)`, in training and not."""
    for training in (True, False):
        found: list[list[Any]] = []
        for lib, module in ((nngrad, ours), (torch, theirs)):
            lib.manual_seed(7)
            module.train(training)
            module.zero_grad()
            outs = call(lib, module)
            outs = [x for x in (outs if isinstance(outs, tuple) else (outs,)) if x is not None]
            sum([(x * x * x).sum() for x in outs]).backward()
            found.append([*outs, *[p.grad for p in module.parameters() if p.grad is not None]])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(
                a.detach().numpy(), b.detach().numpy(), rtol=2e-4, atol=2e-5, strict=True
            )


def numbers(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


PADDING = np.array([[False, False, False, True], [False, True, False, True]])
CAUSAL = ~np.tri(4, dtype=bool)
CALLS: dict[str, dict[str, Any]] = {
    "weights": {},
    "each-head": {"average_attn_weights": False},
    "no-weights": {"need_weights": False},
    "mask": {"attn_mask": CAUSAL},
    "floats": {"attn_mask": np.where(CAUSAL, -np.inf, 0.0).astype(np.float32), "need_weights": False},
    "padding": {"key_padding_mask": PADDING},
    "both": {"key_padding_mask": PADDING, "attn_mask": CAUSAL, "need_weights": False},
    "causal": {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False},
}


@OURS_WARNINGS
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention_is_pytorchs(name: str, call: str) -> None:
    options = ATTENTIONS[name]
    torch, ours, theirs = pair(lambda nn: nn.MultiheadAttention(E, 2, **options))
    given = CALLS[call]
    lead = (2, 4) if options.get("batch_first") else (4, 2)
    q, k, v = (numbers(*lead, n) for n in (E, options.get("kdim", E), options.get("vdim", E)))

    def run(lib: Any, module: Any, alone: bool = False) -> Any:
        own = {n: lib.tensor(x) if isinstance(x, np.ndarray) else x for n, x in given.items()}
        if name == "widths":
            return module(*(lib.tensor(x) for x in (q, k, v)), **own)
        x = lib.tensor(q)
        return module(x, x, x, **own) if name != "bare" else module(x, lib.tensor(k), lib.tensor(k), **own)

    same_training(torch, ours, theirs, run)


@pytest.mark.parametrize("batch_first", [False, True])
def test_attention_without_a_batch(batch_first: bool) -> None:
    torch, ours, theirs = pair(lambda nn: nn.MultiheadAttention(E, 2, batch_first=batch_first))
    x, y = numbers(4, E), numbers(3, E)
    same_training(torch, ours, theirs, lambda lib, m: m(lib.tensor(x), lib.tensor(y), lib.tensor(y)))


@OURS_WARNINGS
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("masked", [False, True])
def test_encoder_layers_are_pytorchs(name: str, masked: bool) -> None:
    torch, ours, theirs = pair(lambda nn: nn.TransformerEncoderLayer(E, 2, 16, **LAYERS[name]))
    x = numbers(2, 4, E) if "batch_first" in LAYERS[name] else numbers(4, 2, E)

    def call(lib: Any, layer: Any) -> Any:
        if not masked:
            return layer(lib.tensor(x))
        return layer(lib.tensor(x), src_mask=lib.tensor(CAUSAL), src_key_padding_mask=lib.tensor(PADDING))

    same_training(torch, ours, theirs, call)


@OURS_WARNINGS
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("causal", [False, True])
def test_stacks_are_pytorchs(name: str, causal: bool) -> None:
    options = LAYERS[name]

    def make(nn: Any) -> Any:
        return nn.Sequential(
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(E, 2, 16, **options),
                2,
                nn.LayerNorm(E),
                enable_nested_tensor=False,
            ),
            nn.TransformerDecoder(nn.TransformerDecoderLayer(E, 2, 16, **options), 2),
        )

    torch, ours, theirs = pair(make)
    shape = (2, 4, E) if "batch_first" in options else (4, 2, E)
    x, y = numbers(*shape), numbers(*shape)

    def call(lib: Any, stacks: Any) -> Any:
        mask = lib.nn.Transformer.generate_square_subsequent_mask(4) if causal else None
        memory = stacks[0](lib.tensor(x), mask=mask)
        return stacks[1](lib.tensor(y), memory, tgt_mask=mask, memory_key_padding_mask=lib.tensor(PADDING))

    same_training(torch, ours, theirs, call)


@OURS_WARNINGS
@pytest.mark.parametrize("name", LAYERS)
def test_transformers_are_pytorchs(name: str) -> None:
    options = LAYERS[name]
    torch, ours, theirs = pair(lambda nn: nn.Transformer(E, 2, 2, 2, 16, **options))
    first = "batch_first" in options
    x, y = (numbers(2, n, E) if first else numbers(n, 2, E) for n in (3, 4))

    def call(lib: Any, model: Any) -> Any:
        mask = model.generate_square_subsequent_mask(4)
        return model(lib.tensor(x), lib.tensor(y), tgt_mask=mask)

    same_training(torch, ours, theirs, call)


def test_later_positions_are_not_seen() -> None:
    model = nn.Transformer(E, 2, 1, 1, 16, batch_first=True).eval()
    x, y = nngrad.tensor(numbers(1, 3, E)), nngrad.tensor(numbers(1, 4, E))
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    assert mask.tolist()[1] == [0.0, 0.0, -np.inf, -np.inf]
    whole = model(x, y, tgt_mask=mask)
    part = model(x, y[:, :2], tgt_mask=mask[:2, :2])
    np.testing.assert_allclose(whole[:, :2].detach().numpy(), part.detach().numpy(), atol=1e-6)


def test_bad_input_is_refused() -> None:
    model = nn.Transformer(E, 2, 1, 1, 16)
    with pytest.raises(RuntimeError, match="batch number of src and tgt"):
        model(nngrad.ones(3, 2, E), nngrad.ones(3, 1, E))
    with pytest.raises(RuntimeError, match="feature number"):
        model(nngrad.ones(3, 2, E), nngrad.ones(3, 2, 4))
    with pytest.raises(RuntimeError, match="relu/gelu, not tanh"):
        nn.TransformerEncoderLayer(E, 2, activation="tanh")
    with pytest.raises(AssertionError, match="divisible"):
        nn.MultiheadAttention(E, 3)
    with pytest.raises(ValueError, match="greater than 0"):
        nn.MultiheadAttention(E, 0)
    x = nngrad.ones(3, 2, E)
    with pytest.raises(RuntimeError, match="Need attn_mask"):
        nn.MultiheadAttention(E, 2)(x, x, x, is_causal=True)


@pytest.mark.parametrize("padding", ["ends", "float ends", "starts", "none"])
@pytest.mark.parametrize(
    "options",
    [{}, {"batch_first": False}, {"norm_first": True}, {"activation": "gelu"}, {"nhead": 1}, {"bias": False}],
)
def test_what_comes_out_where_padding_was(options: dict[str, Any], padding: str) -> None:
    """Zeros, where PyTorch leaves padding out in evaluation."""
    torch = pytest.importorskip("torch")
    hidden = np.array([[0, 0, 0, 1], [0, 0, 1, 1]], bool)

    def told(t: Any) -> list[Any]:
        t.manual_seed(0)
        made = {"d_model": 8, "nhead": 2, "dim_feedforward": 16, "batch_first": True, **options}
        with warnings.catch_warnings(action="ignore"):
            net = t.nn.TransformerEncoder(t.nn.TransformerEncoderLayer(**made), 2, t.nn.LayerNorm(8)).eval()
        x = t.randn(2, 4, 8)
        mask = t.tensor(hidden if padding != "starts" else hidden[:, ::-1].copy())
        if padding == "float ends":
            mask = t.zeros(2, 4).masked_fill(mask, -math.inf)
        x = x if made["batch_first"] else x.transpose(0, 1)
        given = None if padding == "none" else mask
        with t.no_grad(), warnings.catch_warnings(action="ignore"):  # PyTorch's, of nested tensors
            without = net(x, src_key_padding_mask=given)
        return [without.numpy(), net(x, src_key_padding_mask=given).detach().numpy()]

    for ours, theirs in zip(told(nngrad), told(torch)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)

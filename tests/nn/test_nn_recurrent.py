"""Recurrent layers, cells and packed sequences against PyTorch: weights, values, gradients, errors."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import nn
from nngrad.nn.utils import rnn

RNG = np.random.default_rng(0)
KINDS = ("RNN", "LSTM", "GRU")
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "bare": {"bias": False, "batch_first": True},
    "both": {"bidirectional": True},
    "deep": {"num_layers": 3, "bidirectional": True, "dropout": 0.4, "batch_first": True},
    "relu": {"nonlinearity": "relu", "num_layers": 2},
    "projected": {"proj_size": 2, "num_layers": 2, "bidirectional": True},
}
CASES = [
    (kind, name)
    for kind, name in product(KINDS, OPTIONS)
    if (name != "relu" or kind == "RNN") and (name != "projected" or kind == "LSTM")
]


def pair(kind: str, *args: Any, **options: Any) -> tuple[Any, Any, Any]:
    """PyTorch, and a module of ours and of its, from one seed."""
    torch = pytest.importorskip("torch")
    made = []
    for lib in (nngrad, torch):
        lib.manual_seed(3)
        made.append(getattr(lib.nn, kind)(*args, **options))
    return torch, *made


def flat(results: Any) -> list[Any]:
    if isinstance(results, tuple):
        return [x for part in results for x in flat(part)]
    return [] if results is None else [results]


def same(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        np.testing.assert_allclose(
            a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance, strict=True
        )


def same_training(torch: Any, ours: Any, theirs: Any, call: Callable[[Any, Any], Any]) -> None:
    """Outputs and gradients of `call(library, module)`, in training and not."""
    for training in (True, False):
        outs: list[Any] = []
        for lib, module in ((nngrad, ours), (torch, theirs)):
            lib.manual_seed(7)
            module.train(training)
            module.zero_grad()
            with warnings.catch_warnings():  # PyTorch says that projections are slow
                warnings.simplefilter("ignore")
                found = flat(call(lib, module))
            lib.stack([(x * x * x).sum() for x in found if x.requires_grad]).sum().backward()
            outs.append(tuple(found))
        same(outs[0], outs[1])
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            same(a.grad, b.grad, 1e-4)


def states(lib: Any, kind: str, options: dict[str, Any], count: int | None) -> Any:
    rng = np.random.default_rng(5)
    rows = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    lead = (rows,) if count is None else (rows, count)
    h, c = (rng.normal(size=(*lead, n)).astype(np.float32) for n in (options.get("proj_size", 4), 4))
    return (lib.tensor(h), lib.tensor(c)) if kind == "LSTM" else lib.tensor(h)


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{k}-{n}" for k, n in CASES])
def test_layers_are_pytorchs(kind: str, name: str) -> None:
    options = OPTIONS[name]
    torch, ours, theirs = pair(kind, 3, 4, **options)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy(), strict=True)
    x = RNG.normal(size=(5, 2, 3)).astype(np.float32)
    count = 5 if options.get("batch_first") else 2
    same_training(torch, ours, theirs, lambda lib, m: m(lib.tensor(x)))
    same_training(torch, ours, theirs, lambda lib, m: m(lib.tensor(x), states(lib, kind, options, count)))
    same_training(torch, ours, theirs, lambda lib, m: m(lib.tensor(x[:, 0])))
    same_training(
        torch, ours, theirs, lambda lib, m: m(lib.tensor(x[:, 0]), states(lib, kind, options, None))
    )


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{k}-{n}" for k, n in CASES])
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "states"])
@pytest.mark.parametrize("lengths", [(5, 3, 3, 1), (2, 5, 1, 5)], ids=["sorted", "unsorted"])
def test_packed_sequences_go_through_as_in_pytorch(
    kind: str, name: str, given: bool, lengths: tuple[int, ...]
) -> None:
    options = OPTIONS[name]
    torch, ours, theirs = pair(kind, 3, 4, **options)
    x = RNG.normal(size=(5, 4, 3)).astype(np.float32)

    def call(lib: Any, module: Any) -> Any:
        tools = lib.nn.utils.rnn
        packed = tools.pack_padded_sequence(
            lib.tensor(x), lib.tensor(lengths), enforce_sorted=sorted(lengths)[::-1] == list(lengths)
        )
        hx = (states(lib, kind, options, 4),) if given else ()
        out, ends = module(packed, *hx)
        assert isinstance(out, tools.PackedSequence)
        return out.data, tools.pad_packed_sequence(out), ends

    same_training(torch, ours, theirs, call)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_does_not_reach_the_packed(kind: str) -> None:
    """A packed batch gives what each of its sequences gives alone."""
    layer = getattr(nn, kind)(2, 3, num_layers=2, bidirectional=True)
    sequences = [nngrad.tensor(RNG.normal(size=(n, 2)).astype(np.float32)) for n in (2, 4, 1)]
    out, _ = layer(rnn.pack_sequence(sequences, enforce_sorted=False))
    for alone, together in zip(sequences, rnn.unpack_sequence(out), strict=True):
        same(together, layer(alone)[0], 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_are_pytorchs(kind: str) -> None:
    torch, ours, theirs = pair(kind, 2, 3, bidirectional=True, dtype=None)
    lengths, x = (4, 2, 1), RNG.normal(size=(4, 3, 2))
    found = []
    for lib, module in ((nngrad, ours.double()), (torch, theirs.double())):
        data = lib.tensor(x).requires_grad_()
        out, ends = module(lib.nn.utils.rnn.pack_padded_sequence(data, list(lengths)))
        total = (out.data**3).sum() + sum([(h * h).sum() for h in flat(ends)])
        weights = list(module.parameters())
        first = lib.autograd.grad(total, [data, *weights], create_graph=True)
        second = lib.autograd.grad(sum([(g * g).sum() for g in first]), [data, *weights])
        found.append((tuple(first), tuple(second)))
    same(found[0], found[1], 1e-9)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"nonlinearity": "relu"}], ids=str)
def test_cells_are_pytorchs(kind: str, options: dict[str, Any]) -> None:
    if "nonlinearity" in options and kind != "RNNCell":
        pytest.skip("the others have none")
    torch, ours, theirs = pair(kind, 3, 4, **options)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = RNG.normal(size=(5, 2, 3)).astype(np.float32)

    def unrolled(lib: Any, cell: Any, x: Any) -> Any:
        hx = None
        outs = []
        for row in lib.tensor(x):
            hx = cell(row, hx)
            outs.append(hx[0] if kind == "LSTMCell" else hx)
        return tuple(outs)

    same_training(torch, ours, theirs, lambda lib, m: unrolled(lib, m, x))
    same_training(torch, ours, theirs, lambda lib, m: unrolled(lib, m, x[:, 0]))


def test_float16_and_copies() -> None:
    layer = nn.LSTM(3, 4)
    twin = copy.deepcopy(layer)
    assert twin.weight_hh_l0 is not layer.weight_hh_l0
    half = twin.half()
    x = RNG.normal(size=(5, 2, 3)).astype(np.float32)
    out, _ = half(nngrad.tensor(x).half())
    assert out.dtype == nngrad.float16
    np.testing.assert_allclose(out.detach().numpy(), layer(nngrad.tensor(x))[0].detach().numpy(), atol=3e-3)
    layer.flatten_parameters()
    assert [len(weights) for weights in layer.all_weights] == [4]


def test_a_weight_that_is_computed_is_used() -> None:
    """As programs do that drop recurrent weights: the parameter gives way to a tensor of that name."""
    layer: Any = nn.GRU(2, 3)
    raw = layer.weight_hh_l0
    del layer.weight_hh_l0
    layer.register_parameter("raw", raw)
    layer.weight_hh_l0 = raw * 0.0
    layer(nngrad.ones(4, 1, 2))[0].sum().backward()
    assert (raw.grad == 0).all()


BAD: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "ndim": (lambda lib: lib.nn.LSTM(2, 3)(lib.ones(2)), ValueError, "LSTM: Expected input to be 2D or 3D"),
    "ndim-rnn": (lambda lib: lib.nn.RNN(2, 3)(lib.ones(2)), ValueError, "2D or 3D, got 1D tensor instead"),
    "size": (lambda lib: lib.nn.GRU(2, 3)(lib.ones(4, 1, 5)), RuntimeError, "Expected 2, got 5"),
    "empty": (lambda lib: lib.nn.LSTM(2, 3)(lib.ones(0, 1, 2)), RuntimeError, "larger than 0"),
    "dtype": (
        lambda lib: lib.nn.GRU(2, 3)(lib.ones(4, 1, 2).double()),
        ValueError,
        "RNN input dtype .*float64.* does not match weight dtype",
    ),
    "hidden": (
        lambda lib: lib.nn.GRU(2, 3)(lib.ones(4, 1, 2), lib.ones(2, 1, 3)),
        RuntimeError,
        r"Expected hidden size \(1, 1, 3\), got \[2, 1, 3\]",
    ),
    "cells": (
        lambda lib: lib.nn.LSTM(2, 3)(lib.ones(4, 1, 2), (lib.ones(1, 1, 3), lib.ones(1, 1, 2))),
        RuntimeError,
        r"Expected hidden\[1\] size \(1, 1, 3\), got \[1, 1, 2\]",
    ),
    "hidden-ndim": (
        lambda lib: lib.nn.GRU(2, 3)(lib.ones(4, 1, 2), lib.ones(1, 3)),
        RuntimeError,
        "For batched 3-D input, hx should also be 3-D but got 2-D tensor",
    ),
    "cells-ndim": (
        lambda lib: lib.nn.LSTM(2, 3)(lib.ones(4, 2), (lib.ones(1, 1, 3), lib.ones(1, 1, 3))),
        RuntimeError,
        r"For unbatched 2-D input, hx and cx should also be 2-D but got \(3-D, 3-D\) tensors",
    ),
    "cell-ndim": (
        lambda lib: lib.nn.LSTMCell(2, 3)(lib.ones(1, 1, 2)),
        ValueError,
        "LSTMCell: Expected input to be 1D or 2D, got 3D instead",
    ),
    "cell-size": (lambda lib: lib.nn.GRUCell(2, 3)(lib.ones(1, 5)), RuntimeError, "input"),
    "nonlinearity": (lambda lib: lib.nn.RNN(2, 3, nonlinearity="elu"), ValueError, "Select from 'tanh'"),
    "dropout": (lambda lib: lib.nn.RNN(2, 3, 2, dropout=2.0), ValueError, "dropout should be a number"),
    "sizes": (lambda lib: lib.nn.LSTM(0, 3), ValueError, "input_size must be greater than zero"),
    "size-type": (
        lambda lib: lib.nn.LSTM(2, 3.0),
        TypeError,
        "hidden_size should be of type int, got: float",
    ),
    "layers": (lambda lib: lib.nn.LSTM(2, 3, 0), ValueError, "num_layers must be greater than zero"),
    "bias": (lambda lib: lib.nn.GRU(2, 3, 1, 1), TypeError, "bias should be of type bool, got: int"),
    "projection": (lambda lib: lib.nn.LSTM(2, 3, proj_size=3), ValueError, "smaller than hidden_size"),
    "pack-order": (
        lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(3, 2), [1, 3]),
        RuntimeError,
        "must be sorted in decreasing order",
    ),
    "pack-zero": (
        lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(3, 2), [3, 0]),
        RuntimeError,
        "has to be greater than 0",
    ),
    "pack-count": (
        lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(3, 2), [3]),
        RuntimeError,
        r"Expected `len\(lengths\)` to be equal to batch_size, but got 1 \(batch_size=2\)",
    ),
    "pack-empty": (
        lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(0, 2), [1, 1]),
        RuntimeError,
        "Cannot pack empty tensors",
    ),
    "pad-length": (
        lambda lib: lib.nn.utils.rnn.pad_packed_sequence(
            lib.nn.utils.rnn.pack_sequence([lib.ones(3)]), total_length=2
        ),
        ValueError,
        "total_length=2 and max sequence length being 3",
    ),
    "pad-sizes": (
        lambda lib: lib.nn.utils.rnn.pad_sequence([lib.ones(3, 1), lib.ones(2, 2)]),
        RuntimeError,
        "sizes|shape",
    ),
    "pad-none": (lambda lib: lib.nn.utils.rnn.pad_sequence(3), RuntimeError, "Expected iterable"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_as_in_pytorch(name: str) -> None:
    call, error, text = BAD[name]
    with pytest.raises(error, match=text):
        call(nngrad)
    torch = pytest.importorskip("torch")
    with pytest.raises(error, match=text):
        call(torch)


def test_dropout_without_a_second_layer_warns() -> None:
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        nn.LSTM(2, 3, dropout=0.5)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("sizes", [(), (2,)], ids=str)
def test_packing_and_padding_are_pytorchs(batch_first: bool, sizes: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    arrays = [RNG.normal(size=(n, *sizes)) for n in (2, 4, 1)]
    found = []
    for lib in (nngrad, torch):
        tools = lib.nn.utils.rnn
        sequences = [lib.tensor(a).requires_grad_() for a in arrays]
        padded = tools.pad_sequence(sequences, batch_first, padding_value=-1.0)
        left = tools.pad_sequence(sequences, batch_first, padding_side="left")
        packed = tools.pack_padded_sequence(padded, [2, 4, 1], batch_first, enforce_sorted=False)
        again, lengths = tools.pad_packed_sequence(packed, batch_first, 9.0, total_length=6)
        alone = tools.unpad_sequence(padded.clone(), lengths, batch_first)
        back = tools.unpack_sequence(packed)
        order = tools.invert_permutation(packed.sorted_indices)
        (again**2).sum().backward()
        grads = [s.grad for s in sequences]
        found.append((padded, left, *packed, again, lengths, *alone, *back, order, *grads))
    same(found[0], found[1])


def test_packed_sequences_are_tuples_with_names() -> None:
    packed = rnn.pack_sequence([nngrad.tensor([1, 2, 3]), nngrad.tensor([4, 5])])
    assert repr(packed) == (
        "PackedSequence(data=tensor([1, 4, 2, 5, 3]), batch_sizes=tensor([2, 2, 1]), "
        "sorted_indices=None, unsorted_indices=None)"
    )
    data, sizes, order, back = packed
    assert data is packed.data
    assert sizes is packed.batch_sizes
    assert order is packed.sorted_indices is back is None
    assert packed.double().data.dtype == nngrad.float64
    assert packed.to(nngrad.float16).data.dtype == nngrad.float16
    assert packed.cpu() is packed
    assert rnn.invert_permutation(None) is None
    assert copy.deepcopy(packed).data.tolist() == [1, 4, 2, 5, 3]

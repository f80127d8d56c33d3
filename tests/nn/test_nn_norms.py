"""Activations, normalisation and dropout on tensors: what only the shell does, against PyTorch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
import nngrad.functional as core
from nngrad.functional.blocks import get_num_threads, set_num_threads
from nngrad.functional.engine import backward

RNG = np.random.default_rng(0)


def both(*shape: int) -> tuple[Any, nngrad.Tensor, Any]:
    """PyTorch, and the same normal numbers as our tensor and its."""
    torch = pytest.importorskip("torch")
    values = RNG.normal(size=shape).astype(np.float32)
    return torch, nngrad.tensor(values), torch.tensor(values)


def same(ours: nngrad.Tensor, theirs: Any, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(
        ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance, strict=True
    )


@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 4, 5)])
def test_running_statistics_move_as_in_pytorch(name: str, shape: tuple[int, ...]) -> None:
    if name == "instance_norm" and len(shape) == 2:
        pytest.skip("needs more than one value")
    torch = pytest.importorskip("torch")
    mean, variance = nngrad.zeros(3), nngrad.ones(3)
    mean_, variance_ = torch.zeros(3), torch.ones(3)
    kept = mean
    for momentum in (0.1, 0.7, 1.0):
        _, x, x_ = both(*shape)
        same(
            getattr(nngrad.nn.functional, name)(x, mean, variance, None, None, True, momentum),
            getattr(torch.nn.functional, name)(x_, mean_, variance_, None, None, True, momentum),
            1e-5,
        )
        same(mean, mean_)
        same(variance, variance_)
    assert kept is mean
    assert not mean.requires_grad
    _, x, x_ = both(*shape)
    before = mean.tolist()
    same(
        getattr(nngrad.nn.functional, name)(x, mean, variance, None, None, False),
        getattr(torch.nn.functional, name)(x_, mean_, variance_, None, None, False),
        1e-5,
    )
    assert mean.tolist() == before


DROPOUTS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("dropout", (7, 5)),
    ("dropout", (3, 4, 5, 2)),
    ("dropout1d", (3, 4, 5)),
    ("dropout1d", (4, 5)),
    ("dropout2d", (3, 4, 5, 2)),
    ("dropout2d", (4, 5, 2)),
    ("dropout3d", (2, 3, 4, 2, 2)),
    ("dropout3d", (3, 4, 2, 2)),
    ("alpha_dropout", (7, 5)),
    ("feature_alpha_dropout", (3, 4, 5)),
)


@pytest.mark.parametrize(("name", "shape"), DROPOUTS, ids=[f"{n}-{len(s)}d" for n, s in DROPOUTS])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("inplace", [False, True])
def test_dropout_drops_what_pytorch_drops(name: str, shape: tuple[int, ...], p: float, inplace: bool) -> None:
    torch, x, x_ = both(*shape)
    torch.manual_seed(5)
    nngrad.manual_seed(5)
    ours = x
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            ours = getattr(nngrad.nn.functional, name)(x, p, True, inplace)
            same(ours, getattr(torch.nn.functional, name)(x_, p, True, inplace))
    assert (ours is x) == (inplace or p == 0.0)
    assert nngrad.rand(1).item() == torch.rand(1).item()  # as much was drawn


@pytest.mark.parametrize("inplace", [False, True])
def test_rrelu_draws_what_pytorch_draws(inplace: bool) -> None:
    torch, x, x_ = both(6, 7)
    torch.manual_seed(5)
    nngrad.manual_seed(5)
    ours = nngrad.nn.functional.rrelu(x, 0.1, 0.4, True, inplace)
    same(ours, torch.nn.functional.rrelu(x_, 0.1, 0.4, True, inplace))
    assert nngrad.rand(1).item() == torch.rand(1).item()


IN_PLACE: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("relu", ()),
    ("celu", (0.5,)),
    ("elu", (0.5,)),
    ("hardsigmoid", ()),
    ("hardswish", ()),
    ("hardtanh", (-0.5, 0.5)),
    ("leaky_relu", (0.2,)),
    ("mish", ()),
    ("relu6", ()),
    ("selu", ()),
    ("silu", ()),
    ("threshold", (0.1, 2.0)),
)


@pytest.mark.parametrize(("name", "numbers"), IN_PLACE, ids=[name for name, _ in IN_PLACE])
def test_in_place_activations(name: str, numbers: tuple[Any, ...]) -> None:
    torch, x, x_ = both(3, 4)
    x.requires_grad_()
    x_.requires_grad_()
    for functions, leaf in ((nngrad.nn.functional, x), (torch.nn.functional, x_)):
        y = leaf * 1.5
        assert getattr(functions, name)(y, *numbers, inplace=True) is y
        total = (y * 2.0).sum()
        if hasattr(functions, name + "_"):
            z = leaf * 0.5
            assert getattr(functions, name + "_")(z, *numbers) is z
            total = total + z.sum()
        total.backward()
    same(x.grad, x_.grad, 1e-5)  # type: ignore[arg-type]  # backward has set it


POINTS = np.array([math.inf, -math.inf, 1e30, -1e30, math.nan])


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "mish", "hardswish"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("repeats", [1, 100_000])
def test_far_out_the_limit_is_given(name: str, dtype: Any, repeats: int) -> None:
    """Where PyTorch's formulas give NaN: at infinity, and for large float32."""
    with np.errstate(over="ignore"):
        points = np.repeat(POINTS, repeats).astype(dtype)
    x = core.variable(points)
    out = core.gelu(x, "tanh") if name == "gelu_tanh" else getattr(core, name)(x)
    expected = np.where(np.isnan(points), points, np.maximum(points, 0))
    np.testing.assert_allclose(out.data, expected, atol=1e-6)
    (found,) = backward([out], [np.ones_like(points)]).values()
    np.testing.assert_allclose(found[points > 0], 1, atol=1e-6)
    np.testing.assert_allclose(found[points < 0], 0, atol=1e-6)


def results() -> list[Any]:
    """What is computed in blocks, forward and backward, as bits."""
    torch_free = np.random.default_rng(3)
    x = core.variable(torch_free.normal(size=(600, 500)).astype(np.float32))
    w, b = (core.variable(torch_free.normal(size=500).astype(np.float32)) for _ in range(2))
    images = core.variable(torch_free.normal(size=(40, 16, 500)).astype(np.float32))
    calls: list[Callable[[], Any]] = [
        lambda: core.gelu(x),
        lambda: core.gelu(x, "tanh"),
        lambda: core.softmax(x, 1),
        lambda: core.log_softmax(x, 1),
        lambda: core.layer_norm(x, (500,), w, b),
        lambda: core.rms_norm(x, (500,), w),
        lambda: core.batch_norm(images, None, None, training=True),
        lambda: core.group_norm(images, 4),
    ]
    found: list[Any] = []
    for call in calls:
        out = call()
        found.append(out.data.tobytes())
        found += [g.tobytes() for g in backward([out], [np.cos(out.data)]).values()]
    return found


def test_the_bits_are_the_same_on_any_number_of_threads() -> None:
    threads = get_num_threads()
    try:
        set_num_threads(1)
        alone = results()
        set_num_threads(3)
        assert results() == alone
    finally:
        set_num_threads(threads)


def test_threads_are_a_positive_number() -> None:
    with pytest.raises(RuntimeError, match="positive"):
        set_num_threads(0)


def test_dropout_of_the_core_says_what_it_needs() -> None:
    with pytest.raises(TypeError, match=r"dropout: .*needs .* ?generator"):
        core.dropout(np.ones(3))
    with pytest.raises(ValueError, match=r"rrelu: .* generator"):
        core.rrelu(np.ones(3), training=True)


def test_channels_in_unusual_shapes_warn() -> None:
    x = nngrad.ones(4, 3)
    with pytest.warns(UserWarning, match=r"dropout2d: .*\(4, 3\)"):
        nngrad.nn.functional.dropout2d(x)

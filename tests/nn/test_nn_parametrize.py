"""Parametrised modules: weight and spectral normalisation, and those that programs write, as PyTorch's."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import nn
from nngrad.nn.utils import parametrize

MAKERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "linear": (lambda nn: nn.Linear(4, 3), (2, 4)),
    "conv": (lambda nn: nn.Conv2d(2, 3, 2), (2, 2, 4, 4)),
    "conv_transpose": (lambda nn: nn.ConvTranspose2d(2, 3, 2), (2, 2, 4, 4)),
}
NORMS: dict[str, Callable[[Any, Any], Any]] = {
    "weight": lambda u, m: u.parametrizations.weight_norm(m),
    "weight-1": lambda u, m: u.parametrizations.weight_norm(m, dim=1),
    "weight-None": lambda u, m: u.parametrizations.weight_norm(m, dim=None),
    "weight-bias": lambda u, m: u.parametrizations.weight_norm(m, "bias", dim=None),
    "spectral": lambda u, m: u.parametrizations.spectral_norm(m),
    "spectral-bias": lambda u, m: u.parametrizations.spectral_norm(m, "bias", dim=0),
    "spectral-3": lambda u, m: u.parametrizations.spectral_norm(m, n_power_iterations=3, dim=1),
    "weight-hook": lambda u, m: u.weight_norm(m),
    "weight-hook-None": lambda u, m: u.weight_norm(m, dim=None),
    "spectral-hook": lambda u, m: u.spectral_norm(m),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("norm", NORMS)
def test_normalised_layers_are_pytorchs(maker: str, norm: str) -> None:
    torch = pytest.importorskip("torch")
    make, shape = MAKERS[maker]
    data = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = []
    for lib in (nngrad, torch):
        lib.manual_seed(0)
        module = NORMS[norm](lib.nn.utils, make(lib.nn))
        seen = [repr(module)]
        arrays = []
        for training in (True, True, False):
            module.train(training)
            module.zero_grad()
            out = module(lib.tensor(data))
            (out * out).sum().backward()
            arrays += [out.detach().numpy(), *[p.grad.numpy() for p in module.parameters()]]
        seen += list(module.state_dict())
        arrays += [x.numpy() for x in module.state_dict().values()]
        found.append((seen, arrays))
    assert found[0][0] == found[1][0]
    for ours, theirs in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
@pytest.mark.parametrize("norm", ["weight", "spectral", "weight-hook", "spectral-hook"])
def test_what_is_removed_leaves_a_plain_parameter_of_the_same_value(norm: str) -> None:
    module = NORMS[norm](nn.utils, nn.Linear(4, 3))
    module.eval()
    x = nngrad.ones(2, 4)
    before = module(x).tolist()
    if norm.endswith("hook"):
        remove: Any = getattr(nn.utils, f"remove_{norm.split('-')[0]}_norm")
        remove(module)
        with pytest.raises(ValueError, match="not found"):
            remove(module)
    else:
        parametrize.remove_parametrizations(module, "weight")
    assert type(module) is nn.Linear
    assert sorted(module.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(module(x).tolist(), before, rtol=1e-6)


class Symmetric(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.triu() + x.triu(1).transpose(-1, -2)

    def right_inverse(self, x: Any) -> Any:
        return x.triu()


class Scaled(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * 2

    def right_inverse(self, x: Any) -> Any:
        return x / 2


def parametrised() -> Any:
    layer: Any = nn.Linear(3, 3)
    return parametrize.register_parametrization(layer, "weight", Symmetric())


def test_the_parameter_stays_the_one_that_optimisers_know() -> None:
    layer: Any = nn.Linear(3, 3)
    weight = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert layer.parametrizations.weight.original is weight
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    assert (layer.weight == layer.weight.T).all()
    layer(nngrad.ones(1, 3)).sum().backward()
    assert weight.grad.tril(-1).abs().sum() == 0
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight is weight
    assert type(layer).__name__ == "Linear"


def test_assigning_goes_through_the_inverses_last_first() -> None:
    layer = parametrised()
    parametrize.register_parametrization(layer, "weight", Scaled())
    value = nngrad.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]])
    layer.weight = value
    assert layer.weight.tolist() == value.tolist()
    assert layer.parametrizations.weight.original.tolist() == [[0.5, 1.0, 1.5], [0.0, 2.0, 2.5], [0, 0, 3.0]]
    assert len(layer.parametrizations["weight"]) == 2


def test_cached_computes_once() -> None:
    layer = parametrised()
    assert layer.weight is not layer.weight
    with parametrize.cached():
        kept = layer.weight
        with parametrize.cached():
            assert layer.weight is kept
        assert layer.weight is kept
    assert layer.weight is not kept


def test_copies_are_parametrised_and_pickles_refused() -> None:
    layer = parametrised()
    twin = copy.deepcopy(layer)
    assert parametrize.is_parametrized(twin, "weight")
    assert twin.weight.tolist() == layer.weight.tolist()
    assert twin.parametrizations.weight.original is not layer.parametrizations.weight.original
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(layer)
    other = parametrised()
    other.load_state_dict(layer.state_dict())
    assert other.weight.tolist() == layer.weight.tolist()


def test_questions() -> None:
    layer = parametrised()
    assert parametrize.is_parametrized(layer)
    assert not parametrize.is_parametrized(layer, "bias")
    assert not parametrize.is_parametrized(nn.Linear(1, 1))
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert isinstance(layer, nn.Linear)


class Wider(nn.Module):
    def forward(self, x: Any) -> Any:
        return nngrad.cat([x, x])


class Double(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.double()


def test_errors() -> None:
    layer: Any = nn.Linear(2, 2)
    for bad, text in ((Wider(), "shape"), (Double(), "dtype")):
        with pytest.raises(ValueError, match=f"may not change the {text}"):
            parametrize.register_parametrization(layer, "weight", bad)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="'other'"):
        parametrize.register_parametrization(layer, "other", Scaled())
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        parametrize.remove_parametrizations(layer, "weight")
    parametrize.register_parametrization(layer, "weight", Wider(), unsafe=True)
    assert layer.weight.shape == (4, 2)
    with pytest.raises(RuntimeError, match="right_inverse"):
        layer.weight = nngrad.ones(4, 2)
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="sequence of tensors"):
        parametrize.remove_parametrizations(normed, "weight", leave_parametrized=False)
    with pytest.raises(ValueError, match="positive"):
        nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(IndexError, match="Dimension out of range"):
        nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2), dim=2)


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
def test_states_of_the_hook_load_into_the_parametrisation() -> None:
    old = nn.utils.weight_norm(nn.Linear(3, 2))
    new: Any = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    new.load_state_dict(old.state_dict())
    np.testing.assert_allclose(new.weight.tolist(), old.weight.tolist(), rtol=1e-6)
    with pytest.raises(RuntimeError, match="two weight_norm hooks"):
        nn.utils.weight_norm(old)

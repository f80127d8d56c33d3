"""Every optimiser, pure and imperative, takes the steps that PyTorch takes."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from nngrad import Tensor, optim
from nngrad.functional import optim as pure

torch = pytest.importorskip("torch")

#: PyTorch's class and its options
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.3, 0.8), "eps": 1e-3}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.2}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.2, "maximize": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.5, "amsgrad": True}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.5, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.05, "betas": (0.3, 0.8), "eps": 1e-3, "momentum_decay": 0.1, "weight_decay": 0.2}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.05, "betas": (0.3, 0.9), "eps": 1e-3, "weight_decay": 0.2}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.05, "betas": (0.3, 0.8), "eps": 1e-3, "weight_decay": 0.2, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.2, "initial_accumulator_value": 0.5}),
    ("Adagrad", {"lr": 0.05, "eps": 1e-3, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.2, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.2, "centered": True}),
    ("RMSprop", {"momentum": 0.9, "maximize": True}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.9, "centered": True, "eps": 1e-2}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.05, "etas": (0.3, 1.5), "step_sizes": (1e-2, 0.2), "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.05, "lambd": 0.1, "alpha": 0.5, "t0": 5, "weight_decay": 0.2, "maximize": True}),
]
IDS = ["-".join([name, *map(str, options)]) for name, options in CASES]
#: one parameter above the size at which it is packed alone and worked on in blocks
SHAPES = ((3, 4), (4,), (), (200, 180), (1, 2, 3), (0, 5))
TOLERANCE = {"float32": 2e-6, "float64": 1e-13, "complex64": 2e-6}


def draw(shape: tuple[int, ...], dtype: str, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    real = rng.standard_normal(shape)
    return np.asarray(real + 1j * rng.standard_normal(shape) if "complex" in dtype else real).astype(dtype)


def gradients(step: int, dtype: str) -> list[Any]:
    return [draw(shape, dtype, 100 * step + i) for i, shape in enumerate(SHAPES)]


def torch_steps(name: str, options: dict[str, Any], dtype: str, steps: int, skip: bool = False) -> Any:
    params = [torch.nn.Parameter(torch.tensor(draw(s, dtype, i))) for i, s in enumerate(SHAPES)]
    optimizer = getattr(torch.optim, name)(params, **options)
    for step in range(steps):
        for i, (p, g) in enumerate(zip(params, gradients(step, dtype))):
            p.grad = None if skip and (i + step) % 3 == 0 else torch.tensor(g)
        optimizer.step()
    return params, optimizer


def our_steps(name: str, options: dict[str, Any], dtype: str, steps: int, skip: bool = False) -> Any:
    params = [Tensor(draw(s, dtype, i), requires_grad=True) for i, s in enumerate(SHAPES)]
    optimizer = getattr(optim, name)(params, **options)
    for step in range(steps):
        for i, (p, g) in enumerate(zip(params, gradients(step, dtype))):
            p.grad = None if skip and (i + step) % 3 == 0 else Tensor(g)
        optimizer.step()
    return params, optimizer


def close(ours: Any, theirs: Any, dtype: str) -> None:
    tolerance = TOLERANCE[dtype]
    assert ours.dtype == theirs.dtype
    largest = np.abs(theirs).max(initial=1.0)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * largest)


@pytest.mark.parametrize("skip", [False, True], ids=["all", "some-without-gradient"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_classes(name: str, options: dict[str, Any], dtype: str, skip: bool) -> None:
    """Parameters and state after 20 steps, with gradients everywhere and here and there."""
    theirs, their_optimizer = torch_steps(name, options, dtype, 20, skip)
    ours, our_optimizer = our_steps(name, options, dtype, 20, skip)
    for a, b in zip(ours, theirs):
        close(a.detach().numpy(), b.detach().numpy(), dtype)
    saved, expected = our_optimizer.state_dict(), their_optimizer.state_dict()
    assert saved["state"].keys() == expected["state"].keys()
    for key, kept in expected["state"].items():
        assert saved["state"][key].keys() == kept.keys()
        for kind, value in kept.items():
            close(saved["state"][key][kind].numpy(), value.numpy(), dtype if kind != "step" else "float32")
    assert [g["params"] for g in saved["param_groups"]] == [g["params"] for g in expected["param_groups"]]


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_pure(name: str, options: dict[str, Any]) -> None:
    """The pure functions: the same numbers, from read-only arguments that stay as they were."""
    theirs, _ = torch_steps(name, options, "float32", 20, skip=True)
    params: Any = {str(i): draw(shape, "float32", i) for i, shape in enumerate(SHAPES)}
    optimizer = getattr(pure, name.lower())(**options)
    state = optimizer.init(params)
    for step in range(20):
        given = gradients(step, "float32")
        grads = {str(i): g for i, g in enumerate(given) if (i + step) % 3}
        arrays = [*params.values(), *grads.values()]
        arrays += [array for kept in state.buffers.values() for array in kept.values()]
        for array in arrays:
            array.setflags(write=False)
        before = [array.tobytes() for array in arrays]
        steps = dict(state.steps)
        old = state
        params, state = optimizer.update(grads, state, params)
        assert [array.tobytes() for array in arrays] == before
        assert dict(old.steps) == steps
        kept_arrays = [array for kept in state.buffers.values() for array in kept.values()]
        assert not any(array.flags.writeable for array in [*params.values(), *kept_arrays])
    for name_, expected in zip(params, theirs):
        close(params[name_], expected.detach().numpy(), "float32")


def test_loading_pytorchs_state() -> None:
    """PyTorch's state_dict, tensors and all, is taken over, and training goes on as there."""
    options = {"lr": 0.05, "amsgrad": True}
    theirs, their_optimizer = torch_steps("Adam", options, "float32", 5)
    ours = [Tensor(p.detach().numpy(), requires_grad=True) for p in theirs]
    optimizer = optim.Adam(ours)
    optimizer.load_state_dict(their_optimizer.state_dict())
    for step in range(5, 10):
        for p, q, g in zip(ours, theirs, gradients(step, "float32")):
            p.grad, q.grad = Tensor(g), torch.tensor(g)
        optimizer.step()
        their_optimizer.step()
    for a, b in zip(ours, theirs):
        close(a.detach().numpy(), b.detach().numpy(), "float32")


def test_giving_pytorch_our_state() -> None:
    """PyTorch takes our state_dict once its tensors are its own."""
    options = {"lr": 0.05, "momentum": 0.9}
    ours, optimizer = our_steps("SGD", options, "float32", 5)
    theirs = [torch.nn.Parameter(torch.tensor(p.detach().numpy().copy())) for p in ours]
    their_optimizer = torch.optim.SGD(theirs, **options)
    saved = copy.deepcopy(optimizer.state_dict())
    for kept in saved["state"].values():
        kept.update({kind: torch.tensor(value.numpy().copy()) for kind, value in kept.items()})
    their_optimizer.load_state_dict(saved)
    for p, q, g in zip(ours, theirs, gradients(7, "float32")):
        p.grad, q.grad = Tensor(g), torch.tensor(g)
    optimizer.step()
    their_optimizer.step()
    for a, b in zip(ours, theirs):
        close(a.detach().numpy(), b.detach().numpy(), "float32")

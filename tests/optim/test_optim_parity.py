"""Every optimiser, pure and imperative, takes the steps that PyTorch takes."""

from __future__ import annotations

import copy
import inspect
import re
from typing import Any

import numpy as np
import pytest

import nngrad
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
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}


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
    params = [nngrad.tensor(draw(s, dtype, i), requires_grad=True) for i, s in enumerate(SHAPES)]
    optimizer = getattr(optim, name)(params, **options)
    for step in range(steps):
        for i, (p, g) in enumerate(zip(params, gradients(step, dtype))):
            p.grad = None if skip and (i + step) % 3 == 0 else nngrad.tensor(g)
        optimizer.step()
    return params, optimizer


def close(ours: Any, theirs: Any, dtype: str) -> None:
    tolerance = TOLERANCE[dtype]
    assert ours.dtype == theirs.dtype
    largest = np.abs(theirs).max(initial=1.0)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * largest)


@pytest.mark.parametrize("skip", [False, True], ids=["all", "some-without-gradient"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
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


#: one set of options for each class: the richest state
CLASSES = {name: (name, options) for name, options in CASES if "weight_decay" in options or name == "Rprop"}


def go_on(ours: Any, our_optimizer: Any, theirs: Any, their_optimizer: Any) -> None:
    """Five more steps of both, from the same parameters, to the same."""
    for step in range(5, 10):
        for p, q, g in zip(ours, theirs, gradients(step, "float32")):
            p.grad, q.grad = nngrad.tensor(g), torch.tensor(g)
        our_optimizer.step()
        their_optimizer.step()
    for a, b in zip(ours, theirs):
        close(a.detach().numpy(), b.detach().numpy(), "float32")


@pytest.mark.parametrize("case", CLASSES)
def test_loading_pytorchs_state(case: str) -> None:
    """PyTorch's state_dict, tensors and all, is taken over, and training goes on as there."""
    name, options = CLASSES[case]
    theirs, their_optimizer = torch_steps(name, options, "float32", 5)
    ours = [nngrad.tensor(p.detach().numpy(), requires_grad=True) for p in theirs]
    optimizer = getattr(optim, name)(ours)
    optimizer.load_state_dict(their_optimizer.state_dict())
    go_on(ours, optimizer, theirs, their_optimizer)


@pytest.mark.parametrize("case", CLASSES)
def test_giving_pytorch_our_state(case: str) -> None:
    """PyTorch takes our state_dict once its tensors are its own."""
    name, options = CLASSES[case]
    ours, optimizer = our_steps(name, options, "float32", 5)
    theirs = [torch.nn.Parameter(torch.tensor(p.detach().numpy().copy())) for p in ours]
    their_optimizer = getattr(torch.optim, name)(theirs, **options)
    saved = copy.deepcopy(optimizer.state_dict())
    for kept in saved["state"].values():
        kept.update({kind: torch.tensor(value.numpy().copy()) for kind, value in kept.items()})
    their_optimizer.load_state_dict(saved)
    go_on(ours, optimizer, theirs, their_optimizer)


@pytest.mark.parametrize("name", CLASSES)
def test_constructors_are_pytorchs(name: str) -> None:
    """The same arguments, in the same order and with the same defaults; the same options in a group; repr."""
    ours, theirs = (inspect.signature(getattr(library, name)) for library in (optim, torch.optim))
    told = [
        [(p.name, p.kind, p.default) for p in signature.parameters.values()] for signature in (ours, theirs)
    ]
    assert told[0] == told[1]
    a = getattr(optim, name)([nngrad.tensor([1.0], requires_grad=True)])
    b = getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)])
    assert a.defaults == b.defaults
    assert repr(a) == repr(b)
    assert a.state_dict()["param_groups"] == b.state_dict()["param_groups"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *[(name, {"lr": -1.0}) for name in CLASSES],
        *[(name, {"weight_decay": -1.0}) for name in CLASSES if name != "Rprop"],
        *[(name, {"eps": -1.0}) for name in CLASSES if name not in ("Rprop", "SGD", "ASGD")],
        *[(name, {"betas": (0.9, 1.0)}) for name in ("Adam", "AdamW", "NAdam", "RAdam", "Adamax")],
        *[(name, {"betas": (-0.1, 0.9)}) for name in ("Adam", "AdamW", "NAdam", "RAdam", "Adamax")],
        ("NAdam", {"momentum_decay": -1.0}),
        ("Adagrad", {"lr_decay": -1.0}),
        ("Adagrad", {"initial_accumulator_value": -1.0}),
        ("Adadelta", {"rho": 1.5}),
        ("RMSprop", {"momentum": -1.0}),
        ("RMSprop", {"alpha": -1.0}),
        ("Rprop", {"etas": (0.5, 0.9)}),
        ("SGD", {"nesterov": True}),
    ],
)
def test_the_same_numbers_are_refused(name: str, options: dict[str, Any]) -> None:
    """In the same words."""
    with pytest.raises(ValueError, match=r"Invalid|Nesterov") as theirs:
        getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)], **options)
    with pytest.raises(ValueError, match=re.escape(str(theirs.value))):
        getattr(optim, name)([nngrad.tensor([1.0], requires_grad=True)], **options)


@pytest.mark.parametrize("name", CLASSES)
def test_rates_that_are_tensors(name: str) -> None:
    """As a number, also when the tensor is changed in place."""
    params = [nngrad.tensor([1.0, 2.0], requires_grad=True) for _ in range(2)]
    rate = nngrad.tensor(0.5)
    a, b = getattr(optim, name)(params[:1], lr=rate), getattr(optim, name)(params[1:], lr=0.5)
    for step in range(4):
        for p in params:
            p.grad = nngrad.tensor([1.0, -0.5])
        if step == 2:
            rate.mul_(0.5)
            b.param_groups[0]["lr"] = 0.25
        a.step()
        b.step()
    assert params[0].tolist() == params[1].tolist()
    assert a.param_groups[0]["lr"] is rate
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        getattr(optim, name)(params, lr=nngrad.tensor([1.0, 2.0]))


@pytest.mark.parametrize("name", CLASSES)
def test_groups_with_options_of_their_own(name: str) -> None:
    """Also one that is added in the middle of the training."""
    results = []
    for library in (optim, torch.optim):
        make = (lambda x: nngrad.tensor(x, requires_grad=True)) if library is optim else torch.nn.Parameter
        value = Tensor if library is optim else torch.tensor
        params = [make(value([1.0, -2.0, 3.0])) for _ in range(3)]
        optimizer = getattr(library, name)([{"params": params[:1], "lr": 0.3}, {"params": params[1]}], lr=0.1)
        for step in range(6):
            if step == 3:
                extra: Any = {"params": [params[2]], "lr": 0.2}
                if name != "Adagrad":  # which knows no groups that come later, in PyTorch
                    optimizer.add_param_group(extra)
            for i, p in enumerate(params):
                p.grad = value(draw((3,), "float32", 10 * step + i))
            optimizer.step()
        results.append([p.detach().numpy() for p in params])
    for ours, theirs in zip(*results):
        close(ours, theirs, "float32")


def test_options_that_would_not_be_kept() -> None:
    """A differentiable step is refused, not ignored; so is what PyTorch refuses."""
    p = nngrad.tensor([1.0], requires_grad=True)
    for name in CLASSES:
        with pytest.raises(NotImplementedError, match="differentiable"):
            getattr(optim, name)([p], differentiable=True)
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        optim.SGD([p], fused=True, foreach=True)
    with pytest.raises(ValueError, match="lr as a Tensor is not supported"):
        optim.Adam([p], lr=nngrad.tensor(0.1), foreach=True)


@pytest.mark.parametrize("name", CLASSES)
def test_odd_gradients_are_pytorchs(name: str) -> None:
    """NaN, infinities, zeros and numbers whose squares overflow: no warning, and the same in the end."""
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e-30, 1.0], np.float32)
    ours, theirs = (
        nngrad.tensor(np.ones(8, np.float32), requires_grad=True),
        torch.nn.Parameter(torch.ones(8)),
    )
    our_optimizer, their_optimizer = (
        getattr(library, name)([p], lr=0.1) for library, p in ((optim, ours), (torch.optim, theirs))
    )
    for _ in range(3):
        ours.grad, theirs.grad = nngrad.tensor(odd), torch.tensor(odd)
        our_optimizer.step()
        their_optimizer.step()
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-5)

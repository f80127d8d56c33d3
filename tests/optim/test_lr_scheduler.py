"""Every scheduler sets the rates that PyTorch's sets, and remembers the same."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest

import nngrad

torch = pytest.importorskip("torch")

STEPS = 50


class Halving:
    """A function that is an object: what it remembers is saved."""

    def __init__(self) -> None:
        self.base = 0.5

    def __call__(self, step: float) -> float:
        return float(self.base**step)


#: the class and its arguments after the optimiser
CASES: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": lambda step: 0.9**step}),
    ("LambdaLR", {"lr_lambda": [lambda step: 1 / (1 + step), Halving()]}),
    ("MultiplicativeLR", {"lr_lambda": lambda step: 1 - 0.01 * step}),
    ("StepLR", {"step_size": 7, "gamma": 0.3}),
    ("StepLR", {"step_size": 1}),
    ("MultiStepLR", {"milestones": [3, 3, 20, 41], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 13}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 30}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("PolynomialLR", {"total_iters": 20}),
    ("PolynomialLR", {"total_iters": 60, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("CosineAnnealingLR", {"T_max": 9, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 1e-3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": 0.1, "step_size_up": 4, "step_size_down": 9}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "mode": "exp_range", "gamma": 0.97}),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "scale_fn": Halving(), "cycle_momentum": False},
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.1,
            "step_size_up": 5,
            "scale_fn": lambda x: 0.99**x,
            "scale_mode": "iterations",
        },
    ),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 50}),
    ("OneCycleLR", {"max_lr": [0.3, 0.1], "epochs": 10, "steps_per_epoch": 6, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 55, "three_phase": True, "pct_start": 0.2}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 50, "cycle_momentum": False, "div_factor": 5.0}),
    ("SWALR", {"swa_lr": 0.02}),
    ("SWALR", {"swa_lr": [0.02, 0.5], "anneal_epochs": 20, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.02, "anneal_epochs": 0}),
]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]
BOTH = (nngrad, torch)


def optimizer_of(module: Any, name: str = "SGD", tensor_lr: bool = False) -> Any:
    """Two groups, one with a rate of its own."""
    parameters = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    if module is nngrad:
        parameters = [nngrad.tensor(np.ones(2), requires_grad=True) for _ in range(2)]
    rate = (lambda lr: module.tensor(lr, dtype=module.float64)) if tensor_lr else float
    options = {"momentum": 0.9} if name == "SGD" else {}
    groups = [{"params": [parameters[0]]}, {"params": [parameters[1]], "lr": rate(0.05)}]
    return getattr(module.optim, name)(groups, lr=rate(0.2), **options)


def scheduler_of(module: Any, name: str, optimizer: Any, options: dict[str, Any], **more: Any) -> Any:
    home = module.optim.swa_utils if name == "SWALR" else module.optim.lr_scheduler
    return getattr(home, name)(optimizer, **copy.deepcopy(options), **more)


def number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def plain(value: Any) -> Any:
    """What a state_dict holds, comparable: tensors as numbers."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    value = number(value)
    return pytest.approx(value, rel=1e-13, abs=1e-15) if isinstance(value, float) else value


def now(optimizer: Any) -> list[Any]:
    """Each group's rate and momentum (or betas)."""
    return [
        [number(group["lr"]), *(group["betas"] if "betas" in group else [group["momentum"]])]
        for group in optimizer.param_groups
    ]


def same(ours: Any, theirs: Any, ignored: frozenset[str] = frozenset({"anneal_func"})) -> None:
    saved, expected = ours.state_dict(), theirs.state_dict()
    assert saved.keys() == expected.keys() - ignored
    for key in saved:
        mine, other = saved[key], expected[key]
        if isinstance(mine, list) and mine and isinstance(mine[0], dict):
            mine, other = plain(mine), plain(other)
        assert repr(plain(mine)) == repr(plain(other)) or mine == plain(other), key


@pytest.mark.parametrize("kind", ["SGD", "Adam", "tensor"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_fifty_steps(name: str, options: dict[str, Any], kind: str) -> None:
    """Rates, momentums and state after each step; a state saved half-way goes on as it was."""
    optimizers = [optimizer_of(m, "Adam" if kind == "Adam" else "SGD", kind == "tensor") for m in BOTH]
    ours, theirs = (scheduler_of(m, name, o, options) for m, o in zip(BOTH, optimizers))
    resumed: Any = None
    for step in range(STEPS):
        assert now(optimizers[0]) == plain(now(optimizers[1])), step
        assert plain(ours.get_last_lr()) == [number(x) for x in theirs.get_last_lr()]
        if step in (0, 1, 25, 49):
            same(ours, theirs)
        for optimizer, scheduler in zip(optimizers, (ours, theirs)):
            optimizer.step()
            scheduler.step()
        if resumed is not None:
            resumed.optimizer.step()
            resumed.step()
            assert now(resumed.optimizer) == now(optimizers[0])
        if step == 20:
            other = optimizer_of(nngrad, "Adam" if kind == "Adam" else "SGD", kind == "tensor")
            resumed = scheduler_of(nngrad, name, other, options)
            resumed.load_state_dict(copy.deepcopy(ours.state_dict()))
            other.load_state_dict(optimizers[0].state_dict())


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_resuming_by_number(name: str, options: dict[str, Any]) -> None:
    """A new scheduler with last_epoch, on an optimiser that remembers its initial rates."""
    rates: list[Any] = []
    for module in BOTH:
        optimizer = optimizer_of(module)
        first = scheduler_of(module, name, optimizer, options)
        for _ in range(11):
            optimizer.step()
            first.step()
        second = scheduler_of(module, name, optimizer, options, last_epoch=10)
        rates.append([now(optimizer)])
        for _ in range(10):
            optimizer.step()
            second.step()
            rates[-1].append(now(optimizer))
    assert plain(rates[0]) == plain(rates[1]) or repr(plain(rates[0])) == repr(plain(rates[1]))


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_jumping(name: str, options: dict[str, Any]) -> None:
    """step(epoch), deprecated, warns and goes by the closed form where there is one."""
    rates: list[Any] = []
    for module in BOTH:
        optimizer = optimizer_of(module)
        scheduler = scheduler_of(module, name, optimizer, options)
        rates.append([])
        for epoch in (3, 4, 17, 2):
            optimizer.step()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                scheduler.step(epoch)
            rates[-1] += [now(optimizer), len(caught)]
    assert rates[0] == plain(rates[1])


def chained(module: Any, optimizer: Any) -> Any:
    s = module.optim.lr_scheduler
    return s.ChainedScheduler(
        [s.ConstantLR(optimizer, 0.1, 20), s.ExponentialLR(optimizer, 0.9), s.StepLR(optimizer, 11)],
        optimizer,
    )


def sequential(module: Any, optimizer: Any) -> Any:
    s = module.optim.lr_scheduler
    parts = [
        s.LinearLR(optimizer, 0.1, total_iters=5),
        s.CosineAnnealingLR(optimizer, 20),
        s.ExponentialLR(optimizer, 0.9),
    ]
    return s.SequentialLR(optimizer, parts, [5, 25])


def nested(module: Any, optimizer: Any) -> Any:
    s = module.optim.lr_scheduler
    warm = s.ChainedScheduler([s.LinearLR(optimizer, 0.1, total_iters=9), s.StepLR(optimizer, 4)])
    return s.SequentialLR(optimizer, [warm, s.CosineAnnealingWarmRestarts(optimizer, 6)], [9])


@pytest.mark.parametrize("build", [chained, sequential, nested])
def test_combined(build: Any) -> None:
    """Schedulers of schedulers: rates and states, saved and loaded across libraries."""
    optimizers = [optimizer_of(m) for m in BOTH]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        ours, theirs = (build(m, o) for m, o in zip(BOTH, optimizers))
        for step in range(STEPS):
            assert now(optimizers[0]) == plain(now(optimizers[1])), step
            assert plain(ours.get_last_lr()) == theirs.get_last_lr()
            if step == 30:
                same(ours, theirs)
                ours.load_state_dict(theirs.state_dict())
            for optimizer, scheduler in zip(optimizers, (ours, theirs)):
                optimizer.step()
                scheduler.step()


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 0, "cooldown": 3, "factor": 0.5},
        {"mode": "max", "patience": 1, "threshold": 0.2},
        {"mode": "max", "patience": 1, "threshold": 0.2, "threshold_mode": "abs"},
        {"patience": 1, "threshold_mode": "abs", "threshold": 0.05, "min_lr": [0.01, 0.04]},
        {"patience": 0, "min_lr": 0.03, "eps": 0.02},
    ],
)
def test_plateaus(options: dict[str, Any]) -> None:
    losses = np.random.default_rng(0).normal(size=STEPS) / 3 + 1 / np.arange(1, STEPS + 1)
    optimizers = [optimizer_of(m) for m in BOTH]
    ours, theirs = (m.optim.lr_scheduler.ReduceLROnPlateau(o, **options) for m, o in zip(BOTH, optimizers))
    for step, loss in enumerate(losses.tolist()):
        ours.step(nngrad.tensor(loss, dtype=nngrad.float64))
        theirs.step(torch.tensor(loss, dtype=torch.float64))
        assert now(optimizers[0]) == plain(now(optimizers[1])), step
        same(ours, theirs)
    again = nngrad.optim.lr_scheduler.ReduceLROnPlateau(optimizers[0])
    again.load_state_dict(theirs.state_dict())
    assert again.state_dict() == ours.state_dict()
    assert again.mode_worse == ours.mode_worse


def averaged(module: Any, use_buffers: bool, **options: Any) -> list[Any]:
    """The weights and statistics of an averaged network after some steps, then after update_bn."""
    network = module.nn.Sequential(module.nn.Linear(3, 4), module.nn.BatchNorm1d(4))
    fill = np.random.default_rng(0)

    def array(*shape: int) -> Any:
        return module.tensor(fill.normal(size=shape).astype(np.float32))

    def state(model: Any) -> Any:
        return [value.numpy().copy() for value in model.state_dict().values()]

    network.load_state_dict({**network.state_dict(), "0.weight": array(4, 3), "0.bias": array(4)})
    swa = module.optim.swa_utils
    functions = {key: getattr(swa, value)(*more) for key, (value, *more) in options.items()}
    average = swa.AveragedModel(network, use_buffers=use_buffers, **functions)
    optimizer = module.optim.SGD(network.parameters(), lr=0.001)
    for _ in range(4):
        optimizer.zero_grad()
        network(array(6, 3)).pow(2).sum().backward()
        optimizer.step()
        average.update_parameters(network)
    before = state(average)
    swa.update_bn([array(6, 3), [array(5, 3)]], average)
    assert average.training
    assert len(list(average.state_dict())) == len(before)
    return [list(average.state_dict()), before, state(average)]


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"avg_fn": ("get_ema_avg_fn", 0.9)},
        {"multi_avg_fn": ("get_ema_multi_avg_fn", 0.9)},
        {"multi_avg_fn": ("get_swa_multi_avg_fn",)},
    ],
)
def test_averages_of_weights(options: dict[str, Any], use_buffers: bool) -> None:
    ours = averaged(nngrad, use_buffers, **options)
    if use_buffers and "ema" not in str(options):
        return  # PyTorch refuses to take the mean of integers
    theirs = averaged(torch, use_buffers, **options)
    assert ours[0] == theirs[0]
    for mine, other in zip(ours[1:], theirs[1:]):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_wrong_orders_of_calls_warn() -> None:
    s = nngrad.optim.lr_scheduler
    optimizer = optimizer_of(nngrad)
    scheduler = s.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    optimizer = optimizer_of(nngrad)
    scheduler = s.StepLR(optimizer, 1)
    optimizer.step = lambda closure=None: None
    with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden"):
        scheduler.step()
    with pytest.warns(UserWarning, match="get_last_lr"):
        scheduler.get_lr()


def test_the_optimizers_step_keeps_working() -> None:
    """Noting its calls changes neither what step gives nor what copies of the optimiser do."""
    optimizer = optimizer_of(nngrad)
    nngrad.optim.lr_scheduler.StepLR(optimizer, 1)
    assert optimizer.step(lambda: 3) == 3
    twin = copy.deepcopy(optimizer)
    assert "step" not in vars(twin)
    twin.step()


def both_refuse(call: Any) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011  # whatever it is
        call(torch.optim.lr_scheduler, optimizer_of(torch), torch)
    with pytest.raises(expected.type) as raised:
        call(nngrad.optim.lr_scheduler, optimizer_of(nngrad), nngrad)
    assert str(raised.value)


BAD: list[Any] = [
    lambda s, o, m: s.StepLR(3, 1),
    lambda s, o, m: s.StepLR(o, 1, last_epoch=3),
    lambda s, o, m: s.LRScheduler(o),
    lambda s, o, m: s.LambdaLR(o, [len]),
    lambda s, o, m: s.MultiplicativeLR(o, 3),
    lambda s, o, m: s.MultiplicativeLR(o, [len]),
    lambda s, o, m: s.ConstantLR(o, 1.5),
    lambda s, o, m: s.ConstantLR(o, -0.5),
    lambda s, o, m: s.LinearLR(o, 0.0),
    lambda s, o, m: s.LinearLR(o, 0.5, 1.5),
    lambda s, o, m: s.CosineAnnealingWarmRestarts(o, 0),
    lambda s, o, m: s.CosineAnnealingWarmRestarts(o, 3.0),
    lambda s, o, m: s.CosineAnnealingWarmRestarts(o, 3, 0),
    lambda s, o, m: s.CosineAnnealingWarmRestarts(o, 3, 1, "a"),
    lambda s, o, m: s.CosineAnnealingWarmRestarts(o, 3).step(-1),
    lambda s, o, m: s.ReduceLROnPlateau(o, factor=1.0),
    lambda s, o, m: s.ReduceLROnPlateau(3),
    lambda s, o, m: s.ReduceLROnPlateau(o, mode="middle"),
    lambda s, o, m: s.ReduceLROnPlateau(o, threshold_mode="middle"),
    lambda s, o, m: s.ReduceLROnPlateau(o, min_lr=[1.0]),
    lambda s, o, m: s.CyclicLR(3, 0.1, 0.2),
    lambda s, o, m: s.CyclicLR(o, [0.1], 0.2),
    lambda s, o, m: s.CyclicLR(o, 0.1, 0.2, mode="square"),
    lambda s, o, m: s.OneCycleLR(o, 0.1),
    lambda s, o, m: s.OneCycleLR(o, 0.1, total_steps=0),
    lambda s, o, m: s.OneCycleLR(o, 0.1, epochs=2),
    lambda s, o, m: s.OneCycleLR(o, 0.1, epochs=2.0, steps_per_epoch=2),
    lambda s, o, m: s.OneCycleLR(o, 0.1, total_steps=9, pct_start=1.5),
    lambda s, o, m: s.OneCycleLR(o, 0.1, total_steps=9, anneal_strategy="square"),
    lambda s, o, m: s.OneCycleLR(o, [0.1], total_steps=9),
    lambda s, o, m: s.SequentialLR(o, [], []),
    lambda s, o, m: s.SequentialLR(o, [s.StepLR(o, 1)], [3]),
    lambda s, o, m: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
    lambda s, o, m: s.SequentialLR(o, [s.StepLR(optimizer_of(m), 1)], []),
    lambda s, o, m: s.SequentialLR(o, [3], []),
    lambda s, o, m: s.ChainedScheduler([]),
    lambda s, o, m: m.optim.swa_utils.SWALR(o, 0.1, anneal_epochs=-1),
    lambda s, o, m: m.optim.swa_utils.SWALR(o, 0.1, anneal_strategy="square"),
    lambda s, o, m: m.optim.swa_utils.get_ema_avg_fn(1.5),
    lambda s, o, m: m.optim.swa_utils.AveragedModel(m.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max),
]


@pytest.mark.parametrize("number_of", range(len(BAD)))
def test_errors(number_of: int) -> None:
    """The type of error that PyTorch raises."""
    both_refuse(BAD[number_of])

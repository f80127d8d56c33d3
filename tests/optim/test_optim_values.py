"""Optimisers as values: trees of every kind, schedules, transforms of gradients, and their purity."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from pyrsistent import pmap

import nngrad.functional as F
from nngrad.functional import optim
from nngrad.functional.trees import leaves

#: its vectors have no types here
VECTORS: Any = importlib.import_module("pyrsistent")


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclass(frozen=True)
class Layer:
    weight: Any
    bias: Any
    rest: Any = ()


RATE = optim.cosine(0.1, 10)
MAKERS: dict[str, Callable[[], optim.Optimizer]] = {
    "sgd": lambda: optim.sgd(0.1),
    "sgd-momentum": lambda: optim.sgd(RATE, momentum=0.9, nesterov=True, weight_decay=0.1),
    "adam": lambda: optim.adam(RATE, amsgrad=True, weight_decay=0.1, maximize=True),
    "adamw": lambda: optim.adamw(0.1),
    "nadam": lambda: optim.nadam(RATE),
    "radam": lambda: optim.radam(0.1, decoupled_weight_decay=True, weight_decay=0.1),
    "adamax": lambda: optim.adamax(0.1, weight_decay=0.1),
    "adagrad": lambda: optim.adagrad(0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "adadelta": lambda: optim.adadelta(1.0),
    "rmsprop": lambda: optim.rmsprop(0.1, momentum=0.9, centered=True),
    "rprop": lambda: optim.rprop(RATE),
    "asgd": lambda: optim.asgd(0.1, t0=2, lambd=0.1),
    "lion": lambda: optim.lion(0.1, weight_decay=0.1),
    "chain": lambda: optim.chain(
        optim.clip_by_norm(1.0), optim.weight_decay(0.1), optim.clip_by_value(0.5), optim.adam(RATE)
    ),
    "chain of chains": lambda: optim.chain(
        optim.chain(optim.scale(2.0), optim.clip_by_norm(3.0, float("inf"))), optim.asgd(0.1)
    ),
}
TREES: dict[str, Callable[[Any, Any], Any]] = {
    "dict": lambda a, b: {"w": a, "b": b},
    "ordered": lambda a, b: OrderedDict(w=a, b=b),
    "proxy": lambda a, b: MappingProxyType({"w": a, "b": b}),
    "pmap": lambda a, b: pmap({"w": a, "inner": {"b": b}}),
    "list": lambda a, b: [a, [b]],
    "tuple": lambda a, b: (a, (), (b, None)),
    "pvector": VECTORS.v,
    "named": Pair,
    "dataclass": lambda a, b: Layer(a, [b], {"rest": None}),
}


def arrays(tree: Any) -> list[Any]:
    return [leaf for _, leaf in leaves(tree) if isinstance(leaf, np.ndarray)]


def draw(make: Callable[[Any, Any], Any], seed: int, dtype: str = "float32") -> Any:
    rng = np.random.default_rng(seed)
    return make(rng.standard_normal((3, 2)).astype(dtype), rng.standard_normal(2).astype(dtype))


def frozen(*trees: Any) -> list[bytes]:
    """Freeze all arrays, and tell their bytes."""
    found = [x for tree in trees for x in arrays(tree)]
    for x in found:
        x.setflags(write=False)
    return [x.tobytes() for x in found]


@pytest.mark.parametrize("tree", list(TREES))
@pytest.mark.parametrize("name", list(MAKERS))
def test_every_tree_every_optimiser(name: str, tree: str) -> None:
    """The same numbers in each tree as in a dict; its type is kept; no input changes, no result can.

    (A pmap has an order of its own, so the arrays are sorted.)
    """
    optimizer = MAKERS[name]()
    flat: Any = draw(TREES["dict"], 0)
    params: Any = draw(TREES[tree], 0)
    flat_state, state = optimizer.init(flat), optimizer.init(params)
    for step in range(1, 6):
        flat, flat_state = optimizer.update(draw(TREES["dict"], step), flat_state, flat)
        gradients, before = draw(TREES[tree], step), params
        old = pickle.dumps(state) if tree not in ("proxy",) else repr(state).encode()
        kept = frozen(gradients, params, state)
        params, new = optimizer.update(gradients, state, params)
        assert frozen(gradients, before, state) == kept
        assert (pickle.dumps(state) if tree not in ("proxy",) else repr(state).encode()) == old
        state = new
        assert type(params) is type(before)
        assert not any(x.flags.writeable for x in arrays(params) + arrays(state))
    assert sorted(x.tobytes() for x in arrays(params)) == sorted(x.tobytes() for x in arrays(flat))
    assert sorted(x.tobytes() for x in arrays(state)) == sorted(x.tobytes() for x in arrays(flat_state))


@pytest.mark.parametrize("name", list(MAKERS))
def test_the_same_update_twice_gives_the_same_bits(name: str) -> None:
    """From one state, and from a copy of it that went through pickle."""
    optimizer, params = MAKERS[name](), draw(TREES["list"], 0)
    state = optimizer.init(params)
    params, state = optimizer.update(draw(TREES["list"], 1), state, params)
    results = [
        optimizer.update(draw(TREES["list"], 2), s, params)
        for s in (state, state, copy.deepcopy(state), pickle.loads(pickle.dumps(state)))
    ]
    expected = [x.tobytes() for x in arrays(results[0])]
    assert all([x.tobytes() for x in arrays(result)] == expected for result in results)


@pytest.mark.parametrize("name", ["adamw", "nadam", "chain"])
def test_threads_give_the_same_bits(name: str) -> None:
    """Eight trainings at once, and one alone."""
    optimizer = MAKERS[name]()

    def train(_: int) -> list[bytes]:
        params = draw(TREES["list"], 0)
        state = optimizer.init(params)
        for step in range(20):
            params, state = optimizer.update(draw(TREES["list"], step), state, params)
        return [x.tobytes() for x in arrays(params) + arrays(state)]

    alone = train(0)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == alone for found in pool.map(train, range(8)))


def test_single_values_numbers_and_nodes() -> None:
    optimizer = optim.sgd(0.5)
    array = optimizer.update(np.ones(2), optimizer.init(np.zeros(2)), np.zeros(2))[0]
    assert array.tolist() == [-0.5, -0.5]
    number = optimizer.update(1.0, optimizer.init(3.0), 3.0)[0]
    assert np.asarray(number).tolist() == 2.5
    node = F.constant(np.ones(2))
    updated = optimizer.update(node, optimizer.init(node), node)[0]
    assert isinstance(updated, F.Node)
    assert updated.data.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("missing", ["None", "no name"])
def test_without_gradient_nothing_moves(missing: str) -> None:
    optimizer = optim.adamw(0.1)
    params = draw(TREES["dict"], 0)
    gradients = {"w": np.ones((3, 2), np.float32)}
    given: Any = {**gradients, "b": None} if missing == "None" else gradients
    new, state = optimizer.update(given, optimizer.init(params), params)
    assert new["b"].tobytes() == params["b"].tobytes()
    assert dict(state.steps) == {"['w']": 1, "['b']": 0}
    assert state.updates == 1


def test_lion_by_hand() -> None:
    """Algorithm 2 of Chen et al., in double precision."""
    optimizer = optim.lion(0.1, betas=(0.8, 0.6), weight_decay=0.5)
    p, m = np.array([1.0, -2.0, 3.0]), np.zeros(3)
    params, state = p, optimizer.init(p)
    rng = np.random.default_rng(0)
    for _ in range(10):
        g = rng.standard_normal(3)
        params, state = optimizer.update(g, state, params)
        p = p - 0.1 * (np.sign(0.8 * m + 0.2 * g) + 0.5 * p)
        m = 0.6 * m + 0.4 * g
        np.testing.assert_allclose(params, p, rtol=1e-12)
        np.testing.assert_allclose(state.buffers["exp_avg"], m, rtol=1e-12)


def test_schedules_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    schedulers = torch.optim.lr_scheduler

    def theirs(make: Callable[[Any], Any], steps: int, lr: float = 0.3) -> list[float]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
        scheduler = make(optimizer)
        rates = []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return rates

    def check(ours: optim.Schedule, make: Callable[[Any], Any], steps: int = 20) -> None:
        np.testing.assert_allclose(
            [ours(i) for i in range(steps)], theirs(make, steps), rtol=1e-9, atol=1e-12
        )

    check(optim.constant(0.3), lambda o: schedulers.ConstantLR(o, factor=1.0))
    check(optim.exponential(0.3, 0.9), lambda o: schedulers.ExponentialLR(o, 0.9))
    check(optim.cosine(0.3, 20, 0.01), lambda o: schedulers.CosineAnnealingLR(o, 20, 0.01))
    check(optim.polynomial(0.3, 15, 2.0), lambda o: schedulers.PolynomialLR(o, 15, 2.0))
    check(
        optim.piecewise([5, 12], [0.3, 0.03, 0.003]), lambda o: schedulers.MultiStepLR(o, [5, 12], gamma=0.1)
    )
    check(
        optim.warmup(8, 0.3, start=0.25),
        lambda o: schedulers.LinearLR(o, start_factor=0.25, total_iters=8),
    )
    for options in (
        {},
        {"anneal_strategy": "linear"},
        {"three_phase": True},
        {"pct_start": 0.5, "div_factor": 10.0, "final_div_factor": 100.0},
    ):
        given: Any = options
        one_cycle = partial(schedulers.OneCycleLR, max_lr=0.3, total_steps=25, cycle_momentum=False, **given)
        check(optim.one_cycle(0.3, 25, **given), one_cycle)


def test_schedules_of_schedules() -> None:
    rate = optim.piecewise([10], [optim.warmup(5, 1.0), optim.cosine(1.0, 10)])
    assert [rate(i) for i in (0, 4, 9, 10, 15, 20, 99)] == [0.0, 0.8, 1.0, 1.0, 0.5, 0.0, 0.0]


def test_a_schedule_is_asked_with_the_number_of_updates() -> None:
    asked: list[int] = []

    def rate(step: int) -> float:
        asked.append(step)
        return 1.0 / (step + 1)

    optimizer = optim.sgd(rate)
    params, state = np.zeros(()), optimizer.init(np.zeros(()))
    for _ in range(3):
        params, state = optimizer.update(np.ones(()), state, params)
    assert float(params) == -(1 + 1 / 2 + 1 / 3)
    assert asked[-3:] == [0, 1, 2]
    decay = optim.weight_decay(optim.piecewise([1], [0.0, 2.0]))
    count = decay.init(np.ones(1))
    first, count = decay.update(np.ones(1), count, np.ones(1))
    second, count = decay.update(np.ones(1), count, np.ones(1))
    assert (first.tolist(), second.tolist(), count) == ([1.0], [3.0], optim.State(2))


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clipping_is_pytorchs(norm_type: float, max_norm: float) -> None:
    torch = pytest.importorskip("torch")
    gradients = draw(TREES["dict"], 3)
    clip = optim.clip_by_norm(max_norm, norm_type)
    ours = clip.update(gradients, clip.init(gradients), gradients)[0]
    params = [torch.zeros(g.shape, requires_grad=True) for g in gradients.values()]
    for p, g in zip(params, gradients.values()):
        p.grad = torch.tensor(g)
    total = torch.nn.utils.clip_grad_norm_(params, max_norm, norm_type)
    np.testing.assert_allclose(optim.total_norm(gradients.values(), norm_type), total.numpy(), rtol=1e-6)
    for p, g in zip(params, ours.values()):
        np.testing.assert_allclose(g, p.grad.numpy(), rtol=1e-6)
        assert g.dtype == np.float32


def test_a_chain_does_its_parts_in_order() -> None:
    params, gradient = np.array([1.0, -1.0]), np.array([3.0, 4.0])
    optimizer = optim.chain(
        optim.scale(2.0), optim.clip_by_value(7.0), optim.weight_decay(1.0), optim.sgd(1.0)
    )
    new, _ = optimizer.update(gradient, optimizer.init(params), params)
    assert new.tolist() == [1.0 - (6.0 + 1.0), -1.0 - (7.0 - 1.0)]


def test_a_chain_of_clipping_and_adam_trains_like_pytorch() -> None:
    torch = pytest.importorskip("torch")
    optimizer = optim.chain(optim.clip_by_norm(1.0), optim.adam(0.05))
    params = draw(TREES["list"], 0)
    theirs = [torch.nn.Parameter(torch.tensor(p)) for p in arrays(params)]
    their_optimizer = torch.optim.Adam(theirs, lr=0.05)
    state = optimizer.init(params)
    for step in range(1, 21):
        gradients = draw(TREES["list"], step)
        for p, g in zip(theirs, arrays(gradients)):
            p.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_(theirs, 1.0)
        their_optimizer.step()
        params, state = optimizer.update(gradients, state, params)
    for p, q in zip(arrays(params), theirs):
        np.testing.assert_allclose(p, q.detach().numpy(), rtol=2e-6, atol=2e-6)


ONES: Any = {"w": np.ones(3)}


def updated(gradients: Any, params: Any = ONES, state: Any = None) -> object:
    optimizer = optim.adam()
    return optimizer.update(gradients, optimizer.init(params) if state is None else state, params)


@pytest.mark.parametrize(
    ("error", "text", "fail"),
    [
        (ValueError, r"gradient of \['w'\] has shape \(2,\), not \(3,\)", lambda: updated({"w": np.ones(2)})),
        (ValueError, r"gradients of \['v'\], which are no parameters", lambda: updated({"v": np.ones(3)})),
        (TypeError, r"gradient of \['w'\] is complex128", lambda: updated({"w": np.ones(3, complex)})),
        (TypeError, r"the gradient: \['w'\] is int64", lambda: updated({"w": np.ones(3, int)})),
        (
            ValueError,
            r"state knows no parameters \['u'\]",
            lambda: updated({}, {"u": np.ones(1)}, optim.adam().init(ONES)),
        ),
        (
            ValueError,
            r"state has more: \['u'\]",
            lambda: updated({}, ONES, optim.adam().init({**ONES, "u": np.ones(1)})),
        ),
        (ValueError, "Invalid learning rate: -1", lambda: optim.lion(-1)),
        (ValueError, "Invalid learning rate: -1", lambda: optim.sgd(lambda step: -1)),
        (ValueError, "Invalid beta parameter at index 1: 1.0", lambda: optim.lion(betas=(0.9, 1.0))),
        (ValueError, "Invalid momentum_decay value: -1", lambda: optim.nadam(momentum_decay=-1)),
        (ValueError, "Invalid eta values: 1.5, 1.2", lambda: optim.rprop(etas=(1.5, 1.2))),
        (ValueError, "Invalid rho value: 2", lambda: optim.adadelta(rho=2)),
        (ValueError, "Invalid lr_decay value: -1", lambda: optim.adagrad(lr_decay=-1)),
        (ValueError, "Invalid alpha value: -1", lambda: optim.rmsprop(alpha=-1)),
        (ValueError, "Invalid max_norm: -1", lambda: optim.clip_by_norm(-1)),
        (ValueError, "Invalid clip_value: -1", lambda: optim.clip_by_value(-1)),
        (ValueError, "Invalid number of steps: 0", lambda: optim.cosine(0.1, 0)),
        (ValueError, "must grow, and take 2 rates, not 1", lambda: optim.piecewise([3], [0.1])),
        (ValueError, r"boundaries \[3, 2\] must grow", lambda: optim.piecewise([3, 2], [1, 2, 3])),
        (ValueError, "pct_start must be between 0 and 1", lambda: optim.one_cycle(0.1, 5, pct_start=2)),
        (ValueError, "an optimiser at the end only", lambda: optim.chain()),
        (ValueError, "an optimiser at the end only", lambda: optim.chain(optim.sgd(), optim.sgd())),  # type: ignore[call-overload]
        (
            ValueError,
            "not that of a chain of 2 parts",
            lambda: optim.chain(optim.scale(1.0), optim.sgd()).update(ONES, optim.State(0), ONES),
        ),
        (
            TypeError,
            "complex numbers have no order",
            lambda: optim.clip_by_value(1.0).update(np.ones(1, complex), optim.State(0), np.ones(1, complex)),
        ),
    ],
)
def test_errors(error: type[Exception], text: str, fail: Callable[[], object]) -> None:
    with pytest.raises(error, match=text):
        fail()


@pytest.mark.parametrize("transform", [F.grad, F.vmap])
def test_inside_a_transform_it_says_so(transform: Any) -> None:
    """Rather than give a derivative of zero."""
    optimizer = optim.sgd(0.1)
    state = optimizer.init(np.ones(()))

    def function(p: Any) -> Any:
        return optimizer.update(p, state, p)[0]

    given = np.ones(()) if transform is F.grad else np.ones(3)
    with pytest.raises(TypeError, match="the parameter belongs to a function that is being transformed"):
        transform(function)(given)


def test_huge_and_odd_gradients_are_silent() -> None:
    """As in PyTorch: no warning of NumPy's."""
    for make in MAKERS.values():
        optimizer = make()
        params = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
        gradient = np.array([1e30, np.inf, np.nan, 0.0], np.float32)
        optimizer.update(gradient, optimizer.init(params), params)

"""Purity: nothing that is given is changed, nothing handed out can be, and who else runs is no matter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from inspect import isfunction
from threading import Barrier, Thread
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Array, Node, optim
from nngrad.functional.engine import backward
from nngrad.functional.node import grad_mode
from nngrad.functional.trees import leaves, map_leaves

Params = Mapping[str, Array]


def params() -> dict[str, Array]:
    """What is differentiated: a matrix, a vector."""
    rng = np.random.default_rng(0)
    return {"weight": rng.normal(size=(4, 3)), "bias": rng.normal(size=4)}


def examples() -> Array:
    """Five examples of three numbers."""
    return np.random.default_rng(1).normal(size=(5, 3))


def outputs(p: Params, x: Array) -> Node:
    """Ops of every kind, of which some write into buffers of their own when they are differentiated."""
    h = F.tanh(F.linear(x, p["weight"], p["bias"]))
    h = F.index_put(h, (..., 0), h[..., 1] * h[..., 1])
    h = F.cumsum(F.softmax(h, -1), -1) + h[..., [3, 3, 0, 1]]
    return F.sum(h[..., 1:] * F.amax(h, -1, keepdim=True), -1)


def loss(p: Params, x: Array) -> Node:
    """One number."""
    return F.sum(F.square(outputs(p, x)))


def checkpointed(p: Params, x: Array) -> Node:
    """The loss, run again for the derivative."""
    return F.checkpoint(loss, p, x)


def stopped(p: Params, x: Array) -> Node:
    """The loss, half of it as a constant."""
    return loss(p, x) + loss(F.stop_gradient(p), x)


def squared(p: Params, x: Array) -> Node:
    """A function with a derivative of its own, backwards."""
    made: Any = F.custom_vjp(lambda p: F.square(p["weight"]))
    made.defvjp(
        lambda p: (F.square(p["weight"]), p),
        lambda p, g: ({"weight": 2.0 * g * p["weight"], "bias": np.zeros(4)},),
    )
    return F.sum(made(p))


def sine(p: Params) -> Node:
    """A function with a derivative of its own, forwards."""
    made: Any = F.custom_jvp(lambda x: F.sin(x))
    made.defjvp(lambda primals, tangents: (F.sin(primals[0]), F.cos(primals[0]) * tangents[0]))
    sines: Node = made(p["bias"])
    return sines


def linearized(p: Params, x: Array, tangent: Params) -> Any:
    value, push = F.linearize(lambda p: outputs(p, x), p)
    return value, push(tangent), push(tangent)


def pulled(p: Params, x: Array, cotangent: Array) -> Any:
    value, pull = F.vjp(outputs, p, x)
    return value, pull(cotangent), pull(cotangent)


#: each transform on parameters, examples, a tangent like the parameters and a cotangent like the outputs
TRANSFORMS: dict[str, Callable[[Params, Array, Params, Array], Any]] = {
    "grad": lambda p, x, t, c: F.grad(loss, (0, 1))(p, x),
    "value_and_grad": lambda p, x, t, c: F.value_and_grad(loss)(p, x),
    "vjp": lambda p, x, t, c: pulled(p, x, c),
    "jvp": lambda p, x, t, c: F.jvp(lambda p: outputs(p, x), (p,), (t,)),
    "linearize": lambda p, x, t, c: linearized(p, x, t),
    "jacrev": lambda p, x, t, c: F.jacrev(outputs)(p, x),
    "jacfwd": lambda p, x, t, c: F.jacfwd(outputs)(p, x),
    "hessian": lambda p, x, t, c: F.hessian(loss)(p, x),
    "hvp": lambda p, x, t, c: F.hvp(lambda p: loss(p, x), p, t),
    "vmap": lambda p, x, t, c: F.vmap(F.grad(loss), in_dims=(None, 0))(p, x),
    "checkpoint": lambda p, x, t, c: F.grad(checkpointed)(p, x),
    "custom_vjp": lambda p, x, t, c: F.grad(squared)(p, x),
    "custom_jvp": lambda p, x, t, c: F.jvp(sine, (p,), (t,)),
    "stop_gradient": lambda p, x, t, c: F.grad(stopped)(p, x),
    "vmap_fallbacks": lambda p, x, t, c: F.vmap(lambda row: F.unique(row))(x),
}
OPTIMISERS = (
    *(optim.adadelta, optim.adagrad, optim.adam, optim.adamax, optim.adamw, optim.asgd, optim.lion),
    *(optim.nadam, optim.radam, optim.rmsprop, optim.rprop, optim.sgd),
)
UPDATES: dict[str, optim.Optimizer | optim.Transform] = {
    **{make.__name__: make(0.1) for make in OPTIMISERS},
    "momentum": optim.sgd(0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "amsgrad": optim.adam(optim.warmup(2, 0.1), amsgrad=True),
    "clip_by_norm": optim.clip_by_norm(0.1),
    "clip_by_value": optim.clip_by_value(0.1),
    "scale": optim.scale(0.5),
    "weight_decay": optim.weight_decay(0.1),
    "chain": optim.chain(optim.clip_by_norm(1.0), optim.weight_decay(0.1), optim.adam(0.1)),
}


def arrays(tree: Any) -> Iterator[Array]:
    """The arrays that a tree of nodes, arrays and numbers holds."""
    for _, leaf in leaves(tree):
        if isinstance(leaf, (Node, np.ndarray)):
            yield leaf.data if isinstance(leaf, Node) else leaf


def bits(tree: Any) -> list[bytes]:
    """All bytes of all arrays of a tree."""
    return [a.tobytes() for a in arrays(tree)]


def given() -> tuple[Params, Array, Params, Array]:
    """Parameters, examples, a tangent, a cotangent."""
    return params(), examples(), map_leaves(np.cos, params()), np.linspace(-1, 1, 5)


def freeze(tree: Any) -> None:
    """Make the arrays of a tree read-only."""
    for array in arrays(tree):
        array.setflags(write=False)


def test_every_transform_and_every_optimiser_is_here() -> None:
    from nngrad.functional import transforms

    assert set(vars(transforms)) - set(TRANSFORMS) == {n for n in vars(transforms) if n.startswith("__")}
    kinds = {"Optimizer", "Transform"}
    made = {name for name, f in vars(optim).items() if isfunction(f) and _kind(f) in kinds}
    assert made == set(UPDATES) - {"momentum", "amsgrad"}


def _kind(function: Callable[..., Any]) -> str:
    """The type of what a function gives, without its parameters."""
    told = str(function.__annotations__.get("return", "")).partition("[")[0]
    return "Optimizer" if function is optim.chain else told


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "writable"])
def test_a_transform_changes_nothing_and_hands_out_nothing_that_can_be(name: str, frozen: bool) -> None:
    inputs = given()
    if frozen:
        freeze(inputs)
    before = bits(inputs)
    first = TRANSFORMS[name](*inputs)
    kept = bits(first)
    second = TRANSFORMS[name](*inputs)
    assert bits(inputs) == before
    assert kept
    assert bits(second) == bits(first) == kept
    assert all(not a.flags.writeable for a in arrays(first))
    assert not any(np.shares_memory(a, x) for a in arrays(first) for x in arrays(inputs) if not frozen)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_results_cannot_be_made_writable_and_written_to_by_who_gets_them(name: str) -> None:
    for array in arrays(TRANSFORMS[name](*given())):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_what_a_transform_remembers_outlives_its_inputs() -> None:
    """The pullback and the pushforward keep the values from when they were made."""
    p, x, tangent, cotangent = given()
    _, pull = F.vjp(outputs, p, x)
    _, push = F.linearize(lambda p: outputs(p, x), p)
    before = bits((pull(cotangent), push(tangent)))
    for array in (*arrays(p), x):
        array[...] = np.nan
    assert bits((pull(cotangent), push(tangent))) == before


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("kind", [dict, MappingProxyType], ids=["dict", "proxy"])
def test_an_optimiser_changes_nothing_and_hands_out_nothing_that_can_be(
    name: str, kind: Callable[[dict[str, Array]], Params]
) -> None:
    update = UPDATES[name]
    p, gradients = kind(params()), kind(map_leaves(np.sin, params()))
    freeze((p, gradients))
    start, state = bits(p), update.init(p)
    for _ in range(3):
        before = bits((p, gradients, state)), repr(state)
        made = update.update(gradients, state, p)
        again = update.update(gradients, state, p)
        assert (bits((p, gradients, state)), repr(state)) == before
        assert (bits(again), repr(again)) == (bits(made), repr(made))
        assert all(not a.flags.writeable for a in arrays(made))
        p, state = made
    assert bits(p) != start


def train(steps: int = 3) -> Iterator[list[bytes]]:
    """A pure training loop, a step at a time, that uses every mode of differentiation."""
    p: Params = params()
    x = examples()
    optimiser = optim.chain(optim.clip_by_norm(1.0), optim.adam(0.1))
    state = optimiser.init(p)
    for _ in range(steps):
        value, pull = F.vjp(lambda q: loss(q, x), p)
        yield bits(value)
        (gradient,) = pull(np.array(1.0))
        _, product = F.hvp(lambda q: loss(q, x), p, gradient)
        yield bits(product)
        each = F.vmap(F.grad(loss), in_dims=(None, 0))(p, x)
        mean = map_leaves(lambda g: F.mean(g, 0).data, each)
        p, state = optimiser.update(mean, state, p)
        yield bits(p)


def test_the_same_step_in_threads_gives_the_same_bits() -> None:
    alone = list(train())
    start = Barrier(2)

    def run(on: bool) -> list[list[bytes]]:
        grad_mode.set(on)
        start.wait(10)
        return list(train())

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, [True, False])) == [alone, alone]


def test_interleaved_tasks_in_different_modes_give_the_same_bits() -> None:
    alone = list(train())
    turns: list[int] = []

    async def run(number: int) -> list[list[bytes]]:
        found = []
        grad_mode.set(number % 2 == 0)
        for step in train():
            turns.append(number)
            found.append(step)
            await asyncio.sleep(0)
            assert grad_mode.get() is (number % 2 == 0)
        return found

    async def together() -> list[list[list[bytes]]]:
        return list(await asyncio.gather(*[run(i) for i in range(4)]))

    assert asyncio.run(together()) == [alone] * 4
    assert turns[:8] == [0, 1, 2, 3] * 2  # they did take turns
    assert grad_mode.get()


def test_a_value_made_in_one_thread_is_used_in_another() -> None:
    p, x = params(), examples()
    made: dict[str, Any] = {}

    def make() -> None:
        made["node"] = F.variable(p["weight"])
        mixed: Any = {**p, "weight": made["node"]}
        made["loss"] = loss(mixed, x)
        made["value"], made["pull"] = F.vjp(lambda q: loss(q, x), p)
        made["state"] = optim.adam(0.1).init(p)

    maker = Thread(target=make)
    maker.start()
    maker.join()
    expected = F.grad(loss)(p, x)
    assert bits(backward([made["loss"]], [np.array(1.0)])[made["node"]]) == bits(expected["weight"])
    assert bits(made["pull"](np.array(1.0))) == bits([expected])
    here = optim.adam(0.1).update(expected, optim.adam(0.1).init(p), p)
    assert bits(optim.adam(0.1).update(expected, made["state"], p)) == bits(here)
    assert made["value"].item() == loss(p, x).item()

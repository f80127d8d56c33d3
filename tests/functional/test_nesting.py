"""Transforms within transforms: derivatives of what vmap, checkpoint and custom rules compute.

Each case is compared with the same derivative of plain operations, and of a loop in place of vmap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad.functional
from nngrad.functional import Array, Node
from nngrad.functional.trees import leaves

F: Any = nngrad.functional  # (what the types of transforms are is tested elsewhere)
Two = Callable[[Any, Any], Any]

X = np.array([[0.3, -0.5, 1.2], [1.0, 2.0, 0.7]])
P = np.array([1.0, 2.0, -0.5])


def plain(x: Any, p: Any) -> Any:
    return F.sin(x) * p * p


def by_jvp() -> Any:
    rule = F.custom_jvp(plain)

    def push(primals: Any, tangents: Any) -> Any:
        (x, p), (dx, dp) = primals, tangents
        return plain(x, p), F.cos(x) * p * p * dx + F.sin(x) * p * 2.0 * dp

    rule.defjvp(push)
    return rule


def by_vjp() -> Any:
    rule = F.custom_vjp(plain)
    rule.defvjp(
        lambda x, p: (plain(x, p), (x, p)),
        lambda kept, g: (
            F.cos(kept[0]) * kept[1] * kept[1] * g,
            F.sin(kept[0]) * kept[1] * 2.0 * g,
        ),
    )
    return rule


def of_all(x: Any, p: Any) -> Any:
    return F.checkpoint(lambda x, p: plain(x, p) * 1.0, x, p)


def of_one(x: Any, p: Any) -> Any:
    return F.checkpoint(lambda x: plain(x, p) * 1.0, x)


def of_what_was_computed(x: Any, p: Any) -> Any:
    square = p * p  # also used by what is run again, which must not go through it a second time
    return F.checkpoint(lambda x: F.sin(x) * square, x) + square * F.sin(x) * 0.0


def of_none(x: Any, p: Any) -> Any:
    return F.checkpoint(lambda: plain(x, p))


def within(x: Any, p: Any) -> Any:
    return F.checkpoint(lambda x: F.checkpoint(lambda y: F.sin(y) * p, x) * p, x)


def of_a_derivative(x: Any, p: Any) -> Any:
    """What is run again takes a derivative itself."""
    return F.checkpoint(lambda x, p: F.grad(lambda q: F.sum(F.sin(x) * q * q * q / 3.0))(p), x, p)


WAYS: dict[str, Two] = {
    "plain": plain,
    "custom_jvp": by_jvp(),
    "custom_vjp": by_vjp(),
    "checkpoint": of_all,
    "checkpoint and a closure": of_one,
    "checkpoint of a closure alone": of_none,
    "checkpoint and what was computed": of_what_was_computed,
    "checkpoint in a checkpoint": within,
    "checkpoint of a derivative": of_a_derivative,
}


def looped(function: Two, in_dims: Any = 0) -> Any:
    def each(x: Any, p: Any) -> Any:
        a, b = in_dims if isinstance(in_dims, tuple) else (in_dims, in_dims)
        count = (x if a == 0 else p).shape[0]
        return F.stack([function(x if a is None else x[i], p if b is None else p[i]) for i in range(count)])

    return each


def mapped(function: Two, in_dims: Any = 0) -> Any:
    return F.vmap(function, in_dims)


def total(function: Two) -> Any:
    return lambda x, p: F.sum(function(x, p) * function(x, p))


def shared(f: Two, each: Any) -> Any:
    return each(f, (0, None))


def twice(f: Two, each: Any) -> Any:
    """A batch within a batch: of p, and for each of x."""
    return lambda x, p: F.sum(
        each(lambda x, p: each(f, (None, 0))(x, F.stack([p, p * 2.0])), (0, None))(x, p), 1
    )


def forgetful(f: Two, each: Any) -> Any:
    """Results that do not depend on the example."""
    return lambda x, p: each(lambda x, p: f(p, p), (0, None))(x, p)


BATCHES: dict[str, Any] = {"shared": shared, "twice": twice, "forgetful": forgetful}
BOTH = (0, 1)
DERIVATIVES: dict[str, Any] = {
    "grad": lambda f: lambda: F.grad(total(f), BOTH)(X, P),
    "jacrev": lambda f: lambda: F.jacrev(f, BOTH)(X, P),
    "jacfwd": lambda f: lambda: F.jacfwd(f, BOTH)(X, P),
    "jvp": lambda f: lambda: F.jvp(f, (X, P), (X * X, P + 1.0)),
    "hessian": lambda f: lambda: F.hessian(total(f), BOTH)(X, P),
    "reverse over reverse": lambda f: lambda: F.jacrev(F.grad(total(f), BOTH), BOTH)(X, P),
    "reverse over forward": lambda f: lambda: F.jacrev(lambda x, p: F.jvp(f, (x, p), (x, p))[1], BOTH)(X, P),
    "third": lambda f: lambda: F.grad(lambda p: F.sum(F.hvp(lambda p: total(f)(X, p), p, p * p)[1] * p))(P),
    "vmap of pull": lambda f: (
        lambda: F.vmap(F.vjp(f, X, P)[1])(np.random.default_rng(0).normal(size=(4, 2, 3)))
    ),
    "derivative of vmap of pull": lambda f: (
        lambda: F.grad(lambda p: F.sum(F.vmap(lambda g: F.vjp(f, X, p)[1](g)[1])(np.ones((2, 2, 3))) ** 2))(P)
    ),
}


def alike(one: Any, other: Any) -> None:
    ours, theirs = [[np.asarray(getattr(x, "data", x)) for _, x in leaves(t)] for t in (one, other)]
    assert [a.shape for a in ours] == [a.shape for a in theirs]
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, 1e-10, 1e-10)


@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("way", WAYS)
def test_derivatives_of_batches_are_those_of_loops(way: str, batch: str, derivative: str) -> None:
    expected = DERIVATIVES[derivative](BATCHES[batch](plain, looped))()
    alike(DERIVATIVES[derivative](BATCHES[batch](WAYS[way], mapped))(), expected)


@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("way", WAYS)
def test_batches_of_derivatives_are_loops_of_them(way: str, derivative: str) -> None:
    def scaled(s: Any, f: Two) -> Any:
        return DERIVATIVES[derivative](lambda x, p: F.stack([f(x[0] * s, p), f(x[1], p)]))()

    scales = np.array([0.5, 2.0, -1.0])
    each = F.vmap(lambda s: scaled(s, WAYS[way]))(scales)
    rows = [scaled(s, plain) for s in scales]
    columns = zip(*[[getattr(x, "data", x) for _, x in leaves(row)] for row in rows])
    alike([x for _, x in leaves(each)], [np.stack(column) for column in columns])


def test_what_a_rule_sends_without_a_look_at_the_example_is_sent_by_each() -> None:
    rule = F.custom_vjp(lambda x: F.sum(x))
    rule.defvjp(lambda x: (F.sum(x), None), lambda _, g: (np.ones(3),))
    gradient = F.grad(lambda p: F.sum(F.vmap(lambda x: rule(p + x))(X)))(P)
    assert gradient.tolist() == [2, 2, 2]


def test_derivatives_of_what_runs_example_by_example() -> None:
    """A mask of bools, which belongs to the outer vmap, sends the vmap that a jacobian consists of into a
    loop, from within derivatives of derivatives too."""

    def positive(x: Any) -> Any:
        return F.sum(x[x > 0] * x[x > 0] * x[x > 0])

    def smooth(x: Any) -> Any:
        return F.sum(F.where(x > 0, x * x * x, 0.0))

    for derivative in (F.hessian, lambda f: F.jacrev(F.grad(f)), lambda f: F.jacfwd(F.jacfwd(f))):
        given = [
            F.vmap(lambda s, f=f: F.jvp(derivative(f), (X[0],), (P,))[1] * s)(P).data  # noqa: B023
            for f in (positive, smooth)
        ]
        np.testing.assert_allclose(*given)


def test_a_checkpoint_that_puts_aside_what_it_computed_finds_its_variables() -> None:
    kept: list[Node] = []

    def run(x: Array, w: Array) -> Any:
        def again(x: Array) -> Any:
            kept.append(F.tanh(w))
            return x * kept[-1]

        return F.sum(F.checkpoint(again, x))

    gradient = F.grad(run, 1)(X[0], P)
    np.testing.assert_allclose(gradient, X[0] * (1 - np.tanh(P) ** 2))


def test_a_chain_of_checkpoints_is_freed_without_recursion() -> None:
    x = F.variable(np.array(1.0))
    y = x
    for _ in range(20_000):
        y = F.checkpoint(F.neg, y)
    del y
    assert x.item() == 1.0


def test_results_of_branches_are_matched_by_their_names() -> None:
    def steered(x: Any) -> Any:
        return {"a": x, "b": x * 2.0} if x[0] > 0.5 else {"b": x * 2.0, "a": x}

    out = F.vmap(steered)(X)
    np.testing.assert_array_equal(out["a"].data, X)
    np.testing.assert_array_equal(out["b"].data, X * 2)


def test_cotangents_of_a_rule_are_matched_by_their_names() -> None:
    rule = F.custom_vjp(lambda p: F.sum(p["a"]) + F.sum(p["b"]) * 2.0)
    rule.defvjp(lambda p: (rule.__wrapped__(p), p), lambda p, g: ({"b": np.full(3, 2.0), "a": np.ones(3)},))
    gradient = F.grad(rule)({"a": P, "b": P})
    assert gradient["a"].tolist() == [1, 1, 1]
    assert gradient["b"].tolist() == [2, 2, 2]
    rule.defvjp(lambda p: (rule.__wrapped__(p), p), lambda p, g: ({"a": p["a"], "c": p["b"]},))
    with pytest.raises(TypeError, match=r"custom_vjp \(the cotangent of argument 0\).*keys \['a', 'b'\]"):
        F.grad(rule)({"a": P, "b": P})

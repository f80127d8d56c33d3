"""The loop over the graph: what it adds up, what it owns, what it skips, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import HOOKS, backward, unbroadcast
from nngrad.functional.node import Draft
from nngrad.functional.op import Op, apply


def whole(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Small whole numbers as floats: sums of their products are exact in any order."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float64)


def test_shared_subexpressions_are_visited_once() -> None:
    x = F.variable(np.array([1.0, 2.0]))
    y = x * x
    z = y * y + y
    seen: list[Any] = []
    HOOKS[id(y)] = {0: seen.append}
    try:
        got = backward([z], [np.array([1.0, -1.0])])
    finally:
        del HOOKS[id(y)]
    np.testing.assert_array_equal(got[x], [1 * (4 + 2), -1 * (32 + 4)])
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], [3.0, -9.0])


def test_doubling_fifty_times_takes_fifty_visits() -> None:
    x = F.variable(np.array(1.0))
    y = x
    for _ in range(50):
        y = y + y
    assert backward([y], [np.array(1.0)])[x] == 2.0**50


def test_several_roots_one_above_the_other() -> None:
    x = F.variable(np.array([1.0, 2.0]))
    y = x * x
    z = y * 3.0
    ones = np.ones(2)
    got = backward([z, y, z, x], [ones, 10 * ones, ones, 100 * ones])
    np.testing.assert_array_equal(got[x], [2 * 6 + 20 + 100, 4 * 6 + 40 + 100])


# Each consumer of x sends its gradient another way: shared with y, scattered, cleared, dense.
CONSUMERS: dict[str, Callable[[Node, Node], Node]] = {
    "shared": lambda x, y: x + y,
    "scattered": lambda x, y: F.index_put(y * 0.0, 1, x[1]),
    "gathered": lambda x, y: x[np.array([0, 0, 2])],
    "cleared": lambda x, y: F.index_put(x, 1, y[0]),
    "dense": lambda x, y: x * y,
    "reshaped": lambda x, y: F.T(F.T(x)),
}


@pytest.mark.parametrize("names", list(permutations(CONSUMERS, 3)), ids=",".join)
def test_accumulation_touches_owned_buffers_only(names: tuple[str, ...]) -> None:
    """In every order of consumers the gradients are the sums of those taken one by one."""
    a, b, c = whole(3, 3), whole(3, 3, seed=1), whole(3, 3, seed=2)
    cotangents = [whole(3, 3, seed=5), whole(3, 3, seed=6), whole(3, 3, seed=7)]
    before = [g.tobytes() for g in cotangents]

    def inputs() -> tuple[Node, Node, Node]:
        x, y = F.variable(a), F.variable(b)
        return x, y, x + F.mul(y, c)

    x, y, mid = inputs()
    got = backward([CONSUMERS[n](mid, y) for n in names], cotangents)
    expected_x, expected_y = np.zeros((3, 3)), np.zeros((3, 3))
    for name, cotangent in zip(names, cotangents):
        x1, y1, mid1 = inputs()
        one = backward([CONSUMERS[name](mid1, y1)], [cotangent])
        expected_x += one[x1]
        expected_y += one.get(y1, 0.0)
    np.testing.assert_array_equal(got[x], expected_x)
    np.testing.assert_array_equal(got[y], expected_y)
    assert [g.tobytes() for g in cotangents] == before


def test_wanted_inner_gradients_are_not_written_to_afterwards() -> None:
    x = F.variable(np.zeros((4, 2)))
    y = x * 1.0
    z = F.index_put(y, 0, 0.0)
    out = F.sum(z[0]) + F.sum(z[1]) + F.sum(z)
    got = backward([out], [np.array(1.0)], wanted=[x, y, z])
    np.testing.assert_array_equal(got[z], [[2, 2], [2, 2], [1, 1], [1, 1]])
    np.testing.assert_array_equal(got[y], [[0, 0], [2, 2], [1, 1], [1, 1]])
    np.testing.assert_array_equal(got[x], got[y])


@pytest.mark.parametrize(
    ("from_shape", "to_shape"),
    [((2, 3), ()), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), (1, 1)), ((4, 2, 3), (2, 1)), ((0, 3), (1, 3))],
)
def test_unbroadcast_is_the_transpose_of_broadcasting(
    from_shape: tuple[int, ...], to_shape: tuple[int, ...]
) -> None:
    g, x = whole(*from_shape), whole(*to_shape, seed=1)
    summed = unbroadcast(g, to_shape)
    assert summed.shape == to_shape
    assert np.sum(summed * x) == np.sum(g * np.broadcast_to(x, from_shape))


def test_slices_of_one_array_share_one_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, ...]] = []
    zeros = np.zeros

    def counting(shape: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(tuple(np.atleast_1d(shape)))
        return zeros(shape, *args, **kwargs)

    x = F.variable(whole(5, 64))
    parts = [x[:, t] for t in range(64)]
    weights = [whole(5, seed=t) for t in range(64)]
    monkeypatch.setattr(np, "zeros", counting)
    got = backward(parts, weights)[x]
    assert made == [(5, 64)]
    np.testing.assert_array_equal(got, np.stack(weights, 1))


def test_a_chain_of_assignments_clears_one_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 256
    x = F.variable(whole(n, n))
    rows = [F.variable(whole(n, seed=i)) for i in range(n)]
    y = x * 2.0
    for i in range(0, n, 2):
        y = F.index_put(y, i, rows[i])
    cotangent = whole(n, n, seed=3)
    copies = 0
    array = np.array

    def counting(value: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal copies
        copies += np.size(value) == n * n
        return array(value, *args, **kwargs)

    monkeypatch.setattr(np, "array", counting)
    got = backward([y], [cotangent])
    assert copies == 1  # of the cotangent, which is the caller's
    expected = 2.0 * cotangent
    expected[::2] = 0
    np.testing.assert_array_equal(got[x], expected)
    np.testing.assert_array_equal(got[rows[4]], cotangent[4])


def spy(calls: list[str], name: str) -> Op:
    """An identity that notes when its rule runs; not declared, so not in the table."""

    def rule(g: Any, _: Any, x: Any) -> Any:
        calls.append(name)
        return g

    return Op(name, "linear", lambda x: x, (rule,))


def test_rules_run_only_on_the_way_to_what_is_wanted() -> None:
    calls: list[str] = []
    x, y, c = F.variable(np.ones(2)), F.variable(np.ones(2)), F.constant(np.ones(2))
    a, b = apply(spy(calls, "a"), (x,)), apply(spy(calls, "b"), (y,))
    out = a * b * apply(spy(calls, "c"), (c,))
    got = backward([out], [np.ones(2)], wanted=[x], free=False)
    assert set(got) == {x}
    assert calls == ["a"]
    got = backward([out], [np.ones(2)], wanted=[a], free=False)
    assert set(got) == {a}
    assert calls == ["a"]
    assert set(backward([out], [np.ones(2)])) == {x, y}
    assert sorted(calls) == ["a", "a", "b"]
    assert backward([out], [np.ones(2)], wanted=[F.variable(1.0)]) == {}


def test_hooks_replace_a_cotangent() -> None:
    x = F.variable(np.array([1.0, 2.0]))
    y = x * 2.0
    HOOKS[id(y)] = {0: lambda g: g * 10.0, 1: lambda g: None, 2: lambda g: g + 1.0}
    try:
        got = backward([y * 3.0], [np.ones(2)])
    finally:
        del HOOKS[id(y)]
    np.testing.assert_array_equal(got[x], [62.0, 62.0])


def test_recorded_gradients_are_nodes_also_under_no_grad() -> None:
    from nngrad.functional.node import grad_mode

    x = F.variable(np.array([2.0, 3.0]))
    y = F.pow(x, 3)
    token = grad_mode.set(False)
    try:
        first = backward([y], [F.constant(np.ones(2))], create_graph=True, free=False)[x]
        assert not grad_mode.get()
        assert (x * 2.0).tracked is False
    finally:
        grad_mode.reset(token)
    second = backward([first], [F.constant(np.ones(2))], create_graph=True, free=False)[x]
    third = backward([second], [np.ones(2)])[x]
    np.testing.assert_array_equal(first.data, [12.0, 27.0])
    np.testing.assert_array_equal(second.data, [12.0, 18.0])
    np.testing.assert_array_equal(third, [6.0, 6.0])


def test_a_cycle_is_reported_by_the_names_on_it() -> None:
    x = F.variable(np.ones(2))
    a = F.tanh(x)
    b = F.exp(a)
    c = F.mul(b, 2.0)
    set_prev = Draft.__dict__["_prev"].__set__  # a slot is a descriptor
    set_prev(a, (c,))
    try:
        with pytest.raises(
            RuntimeError,
            match=r"cycle: (mul <- exp <- tanh <- mul|exp <- tanh <- mul <- exp|tanh <- mul <- exp <- tanh)$",
        ):
            backward([F.neg(c)], [np.ones(2)])
        with pytest.raises(RuntimeError, match="cycle"):
            backward([c], [np.ones(2)])
    finally:
        set_prev(a, (x,))
    assert x in backward([c], [np.ones(2)])


def test_what_does_not_depend_on_a_leaf_has_no_gradient() -> None:
    x = F.variable(np.ones(2))
    assert backward([F.constant(1.0)], [np.ones(())]) == {}
    assert backward([F.sum(x[0:0])], [np.ones(())])[x].tolist() == [0.0, 0.0]
    assert backward([x], [np.array([2.0, 3.0])])[x].tolist() == [2.0, 3.0]


def test_nothing_is_recorded_for_integers_and_comparisons() -> None:
    x = F.variable(np.array([1.0, -1.0]))
    for out in (x > 0, F.floor_divide(x, 2.0), F.argmax(x), F.eq(x, 1.0), F.isnan(x)):
        assert not out.tracked
        assert out.prev == ()


def test_failure_leaves_the_graph_usable() -> None:
    x = F.variable(np.ones(3))
    y = F.exp(x)
    with pytest.raises(RuntimeError):
        F.add(y, np.ones(2))
    with pytest.raises(ValueError):  # noqa: PT011  # NumPy's own words
        backward([y], [np.ones(3), np.ones(3)])
    np.testing.assert_array_equal(backward([y], [np.ones(3)])[x], np.exp(np.ones(3)))

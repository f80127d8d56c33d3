"""What is let go of, when, and without recursion."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import backward
from nngrad.functional.node import ANCHOR_EVERY, Anchored, is_held

ONE = np.ones(())
AGAIN = "Trying to backward through the graph a second time"

#: op -> PyTorch frees what it saved, so that a second backward raises
SAVING: dict[str, Callable[[Node], Node]] = {
    "mul": lambda x: x * x,
    "div": lambda x: x / 2.0,
    "exp": F.exp,
    "tanh": F.tanh,
    "pow": lambda x: F.pow(x, 2),
    "relu": F.relu,
    "maximum": lambda x: F.maximum(x, 0.5),
    "matmul": lambda x: F.matmul(x, F.T(x)),
    "softmax": lambda x: F.softmax(x, 0),
    "amax": lambda x: F.amax(x, 0),
    "cross_entropy": lambda x: F.cross_entropy(x, np.array([0, 1])),
    "linear": lambda x: F.linear(x, np.ones((3, 2))),
}
LINEAR: dict[str, Callable[[Node], Node]] = {
    "add": lambda x: x + 1.0,
    "neg": F.neg,
    "sum": lambda x: F.sum(x, 1),
    "mean": F.mean,
    "reshape": lambda x: F.reshape(x, -1),
    "getitem": lambda x: x[0],
    "index_put": lambda x: F.index_put(x, 0, 1.0),
    "concat": lambda x: F.concat([x, x]),
    "stack": lambda x: F.stack([x, x]),
    "T": F.T,
    "broadcast_to": lambda x: F.broadcast_to(x, (3, 2, 2)),
    "clone": F.clone,
}


def through(function: Callable[[Node], Node]) -> tuple[Node, Node]:
    x = F.variable(np.array([[1.0, 2.0], [3.0, 0.5]]))
    return x, F.sum(function(x + 0.0))


@pytest.mark.parametrize("name", SAVING)
def test_a_second_backward_through_saved_values_raises(name: str) -> None:
    _, out = through(SAVING[name])
    backward([out], [ONE])
    with pytest.raises(RuntimeError, match=AGAIN):
        backward([out], [ONE])


@pytest.mark.parametrize("name", [*LINEAR, *SAVING])
def test_a_kept_graph_serves_again(name: str) -> None:
    x, out = through({**LINEAR, **SAVING}[name])
    first = backward([out], [ONE], free=False)[x]
    np.testing.assert_array_equal(backward([out], [ONE], free=False)[x], first)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_ops_save_nothing_and_serve_again(name: str) -> None:
    x, out = through(LINEAR[name])
    first = backward([out], [ONE])[x]
    np.testing.assert_array_equal(backward([out], [ONE])[x], first)


@pytest.mark.parametrize(
    "function", [lambda x: x[np.array([0, 1, 0])], lambda x: F.where(np.array([True, False]), x, 0.0)]
)
def test_linear_ops_keep_their_index_or_mask(function: Callable[[Node], Node]) -> None:
    x, out = through(function)
    first = backward([out], [ONE])[x]
    np.testing.assert_array_equal(backward([out], [ONE])[x], first)


def test_values_that_only_the_graph_holds_go_early() -> None:
    x = F.variable(np.ones(3))
    kept = F.exp(x)
    out = F.sum(F.tanh(F.exp(kept * np.full(3, 2.0))))
    backward([out], [ONE])
    tanh = out.prev[0]
    exp = tanh.prev[0]
    mul = exp.prev[0]
    assert [is_held(n) for n in (tanh, exp, mul)] == [False] * 3
    assert [is_held(n) for n in mul.prev] == [True, False]  # `kept` is ours, the constant was not
    assert is_held(kept)
    assert is_held(x)
    assert is_held(out)
    assert "freed" in repr(tanh)


def test_nothing_goes_where_the_graph_is_kept() -> None:
    x = F.variable(np.ones(3))
    out = F.sum(F.tanh(F.exp(x * np.full(3, 2.0))))
    backward([out], [ONE], free=False)
    node = out
    while node.prev:
        assert all(is_held(p) for p in node.prev)
        node = node.prev[0]


def long_chain(n: int, results: list[Any]) -> None:
    x = F.variable(np.array(0.5))
    y = x
    for _ in range(n // 4):
        y = F.tanh(y + 0.25)
        y = F.neg(y * -1.0)
    results.append(backward([y], [ONE])[x])
    del y
    y = x
    for _ in range(n // 50):  # and one that no backward has taken apart
        y = F.add(F.exp(F.neg(y)), x)
    del y
    results.append("freed")


def test_a_million_ops_need_no_stack() -> None:
    """Built, differentiated and freed on a stack of 256 KiB, where 3,000 frames would not fit."""
    results: list[Any] = []
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=long_chain, args=(1_000_000, results))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert results[1] == "freed"
    assert np.isfinite(results[0])


def test_no_long_chain_is_released_from_inside_another() -> None:
    """CPython's trashcan saves a desktop's stack, so the promise for small ones is checked by structure:
    a browser's CPython dies at 3,000 nested releases."""
    x = F.variable(np.ones(2))
    node = x
    for i in range(5000):
        node = (F.tanh(node), F.add(x, node), F.concat([node[:1], node[1:]]))[i % 3]
    nested = longest = 0
    while node.prev:
        nested = 0 if type(node._prev) is Anchored else nested + 1
        longest = max(longest, nested)
        node = node.prev[-1]
    assert 0 < longest <= ANCHOR_EVERY + 1


def step(weights: list[np.ndarray[Any, Any]]) -> None:
    w, b = [F.variable(p) for p in weights]
    x = np.ones((4, 3))
    h = F.tanh(F.linear(x, w, b))
    h = F.index_put(h, (slice(None), 0), h[:, 1])
    loss = F.cross_entropy(h, np.array([0, 1, 0, 1])) + F.mean(F.softmax(h, 1) ** 2)
    grads = backward([loss], [np.ones((), loss.dtype)])
    for p, n in zip(weights, (w, b)):
        p -= 0.1 * grads[n]


def test_a_step_leaves_nothing_to_the_collector() -> None:
    weights = [np.ones((2, 3)), np.zeros(2)]
    step(weights)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            step(weights)
        y = F.variable(np.ones(2))
        second = backward([F.exp(y)], [F.constant(np.ones(2))], create_graph=True, free=False)
        backward([second[y]], [np.ones(2)])
        del y, second
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_memory_stays_flat_without_the_collector() -> None:
    weights = [np.ones((2, 3)), np.zeros(2)]
    gc.collect()
    gc.disable()
    try:
        for _ in range(2200):  # fills CPython's lists of free tuples, which end at 2,000
            step(weights)
        tracemalloc.start()
        for _ in range(100):
            step(weights)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(2000):
            step(weights)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert after - before < 20_000  # ten bytes a step

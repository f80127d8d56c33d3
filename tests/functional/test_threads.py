"""Threads and tasks: each has its own grad mode, and pure nodes are shared without locks."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import nngrad.functional as F
from nngrad.functional.engine import backward
from nngrad.functional.node import grad_mode


def test_grad_mode_belongs_to_a_thread() -> None:
    x = F.variable(np.ones(2))
    off, looked = threading.Event(), threading.Event()
    seen: list[bool] = []

    def other() -> None:
        grad_mode.set(False)
        seen.append((x * 2.0).tracked)
        off.set()
        looked.wait(10)
        seen.append((x * 2.0).tracked)

    thread = threading.Thread(target=other)
    thread.start()
    assert off.wait(10)
    assert (x * 2.0).tracked
    looked.set()
    thread.join()
    assert seen == [False, False]


def test_grad_mode_belongs_to_a_task() -> None:
    x = F.variable(np.ones(2))

    async def turned(mode: bool) -> list[bool]:
        grad_mode.set(mode)
        seen = []
        for _ in range(3):
            seen.append((x * 2.0).tracked)
            await asyncio.sleep(0)
        return seen

    async def both() -> list[list[bool]]:
        return list(await asyncio.gather(turned(False), turned(True), turned(False)))

    assert asyncio.run(both()) == [[False] * 3, [True] * 3, [False] * 3]
    assert grad_mode.get()


def test_one_graph_differentiated_in_many_threads_gives_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    x, w = F.variable(rng.normal(size=(64, 32))), F.variable(rng.normal(size=(16, 32)))
    h = F.tanh(F.linear(x, w))
    for t in range(8):
        h = F.index_put(h, t, h[t + 1] * h[t])
    loss = F.sum(F.log_softmax(h, 1) ** 2)
    start = threading.Barrier(4)

    def differentiate(_: int) -> list[bytes]:
        start.wait(10)
        found = []
        for _ in range(10):
            got = backward([loss], [np.ones(())], free=False)
            found.append(got[x].tobytes() + got[w].tobytes())
        return found

    with ThreadPoolExecutor(4) as pool:
        results = [bits for found in pool.map(differentiate, range(4)) for bits in found]
    assert len(results) == 40
    assert len(set(results)) == 1


def test_graphs_built_and_freed_in_many_threads_share_their_leaves() -> None:
    x = F.variable(np.linspace(0.1, 1.0, 50))

    def chain(_: int) -> bytes:
        y = x
        for _ in range(500):
            y = F.tanh(y * 1.5)
        return bytes(backward([y], [np.ones(50)])[x].tobytes())

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(chain, range(8)))) == 1

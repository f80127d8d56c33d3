"""Batches made by worker processes: the same as without, seed for seed PyTorch's, and never a hang."""

from __future__ import annotations

import os
import pickle
import random
import signal
import time
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad.utils import data

# PyTorch too forks processes that have threads
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
METHODS = ["fork", "spawn", "forkserver"]


class Squares(data.Dataset[Any]):
    """Of a number; what it does at -1 is chosen."""

    def __init__(self, count: int, at: int = -1, action: Any = None) -> None:
        self.count, self.at, self.action = count, at, action

    def __getitem__(self, index: int, /) -> Any:
        if index == self.at:
            self.action()
        return nngrad.tensor([index * index, 1.0])

    def __len__(self) -> int:
        return self.count


class Shares(data.IterableDataset[int]):
    """Each worker gives its share of the numbers, of different lengths."""

    def __iter__(self) -> Any:
        info = data.get_worker_info()
        assert info is not None
        assert isinstance(info.dataset, Shares)
        return iter(range(100 * info.id, 100 * info.id + 3 + 4 * info.id))


class Strange(Exception):
    """Whose constructor takes two arguments."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first, second)


def refuse() -> None:
    raise ValueError("this sample is bad")


def miss() -> None:
    raise KeyError("key")


def be_strange() -> None:
    raise Strange(1, 2)


def be_local() -> None:
    class Local(Exception):
        pass

    raise Local("nobody knows this")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(3)


def sleep() -> None:
    time.sleep(60)


def started(number: int) -> None:
    info = data.get_worker_info()
    assert info is not None
    assert info.id == number
    assert info.num_workers == 2
    if number == 1:
        raise ValueError("worker 1 does not start")


@pytest.mark.parametrize("method", METHODS)
def test_the_same_batches(method: str) -> None:
    nngrad.manual_seed(3)
    alone = list(data.DataLoader(Squares(13), batch_size=4, shuffle=True))
    nngrad.manual_seed(3)
    loader = data.DataLoader(
        Squares(13), batch_size=4, shuffle=True, num_workers=2, multiprocessing_context=method
    )
    together = list(loader)
    assert [batch.tolist() for batch in together] == [batch.tolist() for batch in alone]
    assert all(batch.dtype is nngrad.float32 for batch in together)
    together[0].add_(1.0)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("persistent", [False, True])
def test_several_epochs(persistent: bool, method: str) -> None:
    """Also after one that was left half-way. Persistent workers are the same ones all along."""
    loader = data.DataLoader(
        Where(9), num_workers=2, persistent_workers=persistent, multiprocessing_context=method
    )
    epochs = [[int(pid) for pid in loader] for _ in range(2)]
    for _ in loader:
        break
    epochs.append([int(pid) for pid in loader])
    assert [len(epoch) for epoch in epochs] == [9, 9, 9]
    assert [len(set(epoch)) for epoch in epochs] == [2, 2, 2]
    assert len({pid for epoch in epochs for pid in epoch}) == (2 if persistent else 6)
    assert os.getpid() not in epochs[0]


class Where(data.Dataset[int]):
    """Whose samples are the processes that made them."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __getitem__(self, index: int, /) -> int:
        return os.getpid()

    def __len__(self) -> int:
        return self.count


def test_no_worker_is_left() -> None:
    """Whether the batches came to an end, were left half-way, or failed."""
    loader = data.DataLoader(Where(8), num_workers=2)
    pids = {int(pid) for pid in loader}
    pids.add(int(next(iter(loader))))
    for pid in pids:
        with pytest.raises(OSError, match="No such process"):
            os.kill(pid, 0)


@pytest.mark.parametrize("size", [None, 2])
def test_shares_of_iterables(size: int | None) -> None:
    loader = data.DataLoader(Shares(), batch_size=size, num_workers=3)
    values = [np.ravel(batch).tolist() if size else [int(batch)] for batch in loader]
    every = [*range(3), *range(100, 107), *range(200, 211)]
    assert sorted(number for batch in values for number in batch) == every
    assert [v[0] for v in values if v[0] >= 200] == list(range(200, 211, size or 1))


def test_large_batches_and_orders() -> None:
    """More indices and more numbers than fit between processes at once: nobody waits for ever."""
    whole = nngrad.tensor(np.arange(300_000))
    order = [list(range(100_000))] * 8
    loader = data.DataLoader(data.TensorDataset(whole), batch_sampler=order, num_workers=2, prefetch_factor=3)
    for (batch,) in loader:
        assert int(batch[-1]) == 99_999


def test_batches_as_they_are_done() -> None:
    loader = data.DataLoader(Squares(12), num_workers=2, in_order=False)
    assert sorted(float(batch[0, 0]) for batch in loader) == [float(i * i) for i in range(12)]


@pytest.mark.parametrize(
    ("action", "kind", "message"),
    [
        (refuse, ValueError, "this sample is bad"),
        (miss, KeyError, "KeyError: 'key'"),
        (be_strange, RuntimeError, r"Strange: \(1, 2\)"),
        (be_local, RuntimeError, "nobody knows this"),
    ],
)
def test_errors_have_the_workers_trace(action: Any, kind: Any, message: str) -> None:
    """And the batches after it come all the same."""
    batches = iter(data.DataLoader(Squares(6, 2, action), num_workers=2))
    assert [float(next(batches)[0, 0]) for _ in range(2)] == [0, 1]
    with pytest.raises(kind, match=message) as raised:
        next(batches)
    text = str(raised.value)
    assert text.startswith("Caught ")
    assert "in DataLoader worker process 0" in text
    assert "in __getitem__" in text
    assert f"in {action.__name__}" in text
    assert [float(batch[0, 0]) for batch in batches] == [9, 16, 25]


def test_errors_of_worker_init_fn() -> None:
    batches = iter(data.DataLoader(Squares(6), num_workers=2, worker_init_fn=started))
    next(batches)
    with pytest.raises(ValueError, match="worker 1 does not start") as raised:
        next(batches)
    assert "worker process 1" in str(raised.value)
    with pytest.raises(RuntimeError, match="did not start"):
        list(batches)


def test_what_cannot_be_sent() -> None:
    loader = data.DataLoader(Squares(2), num_workers=1, collate_fn=lambda samples: lambda: samples)
    with pytest.raises(Exception, match="DataLoader worker process 0"):
        next(iter(loader))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(("action", "how"), [(die, "killed by SIGKILL"), (leave, "exit code 3")])
@pytest.mark.parametrize("at", [0, 9])
def test_a_worker_that_dies(action: Any, how: str, at: int, method: str) -> None:
    start = time.monotonic()
    loader = data.DataLoader(
        Squares(30, at, action), num_workers=2, multiprocessing_context=method, persistent_workers=True
    )
    with pytest.raises(RuntimeError, match=rf"DataLoader worker \(pid\(s\) \d+: {how}.*exited unexpectedly"):
        list(loader)
    assert time.monotonic() - start < 20
    assert len(list(data.DataLoader(Squares(3), num_workers=2))) == 3


def test_a_batch_that_takes_too_long() -> None:
    loader = data.DataLoader(Squares(6, 3, sleep), num_workers=2, timeout=1)
    with pytest.raises(RuntimeError, match="DataLoader timed out after 1 seconds"):
        list(loader)


def test_workers_whose_arguments_cannot_be_sent() -> None:
    loader = data.DataLoader(
        Squares(2), num_workers=2, collate_fn=lambda x: x, multiprocessing_context="spawn"
    )
    with pytest.raises(pickle.PicklingError, match=r"DataLoader: .*collate_fn.*pickled.*<lambda>"):
        iter(loader)


class Draws:
    """Samples that are random numbers of three sources, in either library."""

    def __init__(self, library: Any) -> None:
        self.library = library

    def __getitem__(self, index: int, /) -> Any:
        seed = self.library.utils.data.get_worker_info().seed
        return index, random.random(), np.random.rand(), self.library.rand(2), seed

    def __len__(self) -> int:
        return 10


@pytest.mark.parametrize("seeded", [False, True])
@pytest.mark.parametrize("persistent", [False, True])
def test_pytorchs_numbers(seeded: bool, persistent: bool) -> None:
    """The order, the workers' seeds and what they draw, and what is drawn afterwards."""
    torch = pytest.importorskip("torch")
    results = []
    for library in (nngrad, torch):
        library.manual_seed(11)
        generator = library.Generator().manual_seed(5) if seeded else None
        loader = library.utils.data.DataLoader(
            Draws(library),
            batch_size=3,
            shuffle=True,
            num_workers=2,
            generator=generator,
            persistent_workers=persistent,
        )
        epochs = [[[part.tolist() for part in batch] for batch in loader] for _ in range(2)]
        results.append([epochs, library.rand(2).tolist()])
    assert results[0] == results[1]


def test_no_worker_info_elsewhere() -> None:
    assert data.get_worker_info() is None

"""What makes batches, in the calling process or in a worker's, and what a worker knows of itself."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from itertools import islice
from queue import SimpleQueue
from traceback import format_exc
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ...functional.blocks import set_num_threads
from ...random import manual_seed
from .collate import default_collate
from .dataset import IterableDataset, fetch, gather

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: tells a worker to start over with its dataset
RESUME: Final = "resume"


class WorkerInfo(NamedTuple):
    """Which worker process this is, of how many, its seed, its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class Task(NamedTuple):
    """What a loader's batches are made of, and how."""

    dataset: Any
    collate: Callable[..., Any]
    batched: bool
    size: int | None
    drop_last: bool

    def maker(self) -> Callable[[Any], Any]:
        """Makes a batch of indices; for an IterableDataset the next one, until StopIteration."""
        dataset, collate, batched, size, drop_last = self
        if isinstance(dataset, IterableDataset):
            samples = iter(dataset)

            def following(_: object) -> Any:
                if size is None:
                    return collate(next(samples))
                batch = list(islice(samples, size))
                if not batch or (drop_last and len(batch) < size):
                    raise StopIteration
                return collate(batch)

            return following

        def chosen(indices: Any) -> Any:
            if not batched:
                return collate(dataset[indices])
            batch = gather(dataset, indices) if collate is default_collate else None
            return collate(fetch(dataset, indices)) if batch is None else batch

        return chosen


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process, which one it is; None elsewhere.

    An IterableDataset asks it to give each worker its share of the samples.
    """
    return _info


class Failure(NamedTuple):
    """An exception on its way from a worker to its loader."""

    kind: type[BaseException]
    trace: str
    worker: int

    def throw(self) -> None:
        """Raise an exception of the same type whose message has the worker's trace."""
        message = (
            f"Caught {self.kind.__name__} in DataLoader worker process {self.worker}.\nOriginal {self.trace}"
        )
        if self.kind is KeyError:
            raise KeyError(_Readable(message))
        try:
            error = self.kind(message)
        except Exception:  # its constructor wants other arguments
            error = RuntimeError(message)
        raise error


class _Readable(str):
    """A message whose repr, which is what KeyError shows, is itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def work(
    connection: Connection[Any, Any],
    task: Task,
    base_seed: int,
    number: int,
    count: int,
    init: Callable[[int], None] | None,
) -> None:
    """What a worker process does: answers each (number, indices) with (number, batch or Failure).

    None says that an IterableDataset has no more. It ends when it is told None or its parent has gone.
    """
    from multiprocessing.reduction import ForkingPickler

    global _info
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the loader's to handle
    seed = base_seed + number
    set_num_threads(1)
    random.seed(seed)
    manual_seed(seed)
    np.random.seed(numpy_seed(base_seed, number))
    _info = WorkerInfo(number, count, seed, task.dataset)
    orders = _receive_all(connection)

    def answer(to: object, result: Any) -> None:
        try:
            pickled = ForkingPickler.dumps((to, result))
        except Exception as error:
            pickled = ForkingPickler.dumps((to, Failure(_sendable(error), format_exc(), number)))
        connection.send_bytes(pickled)

    make: Callable[[Any], Any] | None = None
    failure: Failure | None = None
    result: Any
    try:
        if init is not None:
            init(number)
        make = task.maker()
    except Exception as error:
        failure = Failure(_sendable(error), format_exc(), number)
    while (order := orders.get()) is not None:
        to, indices = order
        try:
            if to == RESUME:
                make, result = task.maker(), None
            elif make is None or failure is not None:
                result = failure or Failure(RuntimeError, "the worker did not start\n", number)
                failure = None
            else:
                result = (make(indices),)
        except StopIteration as error:
            ended = isinstance(task.dataset, IterableDataset)
            result = None if ended else Failure(_sendable(error), format_exc(), number)
        except Exception as error:
            result = Failure(_sendable(error), format_exc(), number)
        try:
            answer(to, result)
        except OSError:  # the loader is no longer interested
            return


def numpy_seed(base_seed: int, number: int) -> list[int]:
    """The seed of NumPy's old generator in a worker, as in PyTorch."""
    entropy = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    seed: list[int] = np.random.SeedSequence(entropy).generate_state(4).tolist()
    return seed


def _sendable(error: Exception) -> type[Exception]:
    """The type of an exception, if the other process knows it too."""
    import pickle

    try:
        pickle.dumps(type(error))
    except Exception:
        return RuntimeError
    return type(error)


def _receive_all(connection: Connection[Any, Any]) -> SimpleQueue[Any]:
    """A queue of what the loader says. It is read at once, so that the loader never has to wait.

    Both waiting for the other to read would be a deadlock. If the loader's process dies, so does this.
    """
    from multiprocessing import connection as connections, parent_process

    orders: SimpleQueue[Any] = SimpleQueue()
    parent: Any = parent_process()

    def receive() -> None:
        while True:
            ready = connections.wait([connection, parent.sentinel])
            if connection not in ready:
                os._exit(1)
            try:
                order = connection.recv()
            except (EOFError, OSError):
                order = None
            orders.put(order)
            if order is None:
                return

    threading.Thread(target=receive, daemon=True).start()
    return orders

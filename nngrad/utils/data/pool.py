"""Worker processes that make a loader's batches ahead of time.

Each worker has a connection of its own, so that one that is killed can neither hold a lock that the
others need nor leave half a message in their way. Loaded when a loader first has workers.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from itertools import cycle
from multiprocessing import connection as connections
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from signal import Signals
from typing import Any, Final, NoReturn
from weakref import finalize

from .worker import RESUME, Failure, Task, work

#: seconds that a worker is given to finish what it is doing before it is stopped
_PATIENCE: Final = 5.0


class Workers(Iterator[Any]):
    """The batches of a loader, made by workers, in the order of the indices unless told otherwise.

    prefetch: batches per worker that are made before they are asked for. persistent: whether the
    workers stay when the batches come to an end, for `begin` to use again. Raises RuntimeError if a
    worker dies, or if a batch takes longer than `timeout` seconds (0: any time is fine), PicklingError
    if what the workers need cannot be sent to them.
    """

    def __init__(
        self,
        task: Task,
        count: int,
        base_seed: int,
        *,
        init: Callable[[int], None] | None,
        context: BaseContext | None,
        prefetch: int,
        timeout: float,
        persistent: bool,
        in_order: bool,
    ) -> None:
        self._prefetch = prefetch
        self._timeout = timeout
        self._persistent = persistent
        self._in_order = in_order
        self._processes: list[BaseProcess] = []
        self._connections: list[Connection[Any, Any]] = []
        self.close: finalize[..., Workers] = finalize(
            self, _close, self._processes, self._connections, os.getpid()
        )
        start: Any = context or multiprocessing.get_context()
        try:
            for number in range(count):
                ours, theirs = start.Pipe()
                self._connections.append(ours)
                arguments = (theirs, task, base_seed, number, count, init)
                process = start.Process(target=work, args=arguments, daemon=True)
                _start(process)
                theirs.close()  # or no end of the connection would be seen when the worker dies
                self._processes.append(process)
        except BaseException:
            self.close()
            raise
        self._fresh = True

    def begin(self, order: Iterator[Any]) -> None:
        """Start to make batches of these indices; what is left of those before is forgotten."""
        if not self._fresh:
            for number in range(len(self._processes)):
                self._tell(number, (RESUME, None))
            resumed = 0
            while resumed < len(self._processes):
                _, to, result = self._receive()
                resumed += to == RESUME
                if to == RESUME and isinstance(result, Failure):
                    result.throw()
        self._fresh = False
        self._order = order
        self._sent = self._given = 0
        self._workers: dict[int, int] = {}  # who makes which batch
        self._made: dict[int, Any] = {}
        self._active = [True] * len(self._processes)
        self._tasks = [0] * len(self._processes)
        self._turn = cycle(range(len(self._processes)))
        for _ in range(self._prefetch * len(self._processes)):
            self._send()

    def __next__(self) -> Any:
        while self._given < self._sent:
            at = self._given
            if at in self._made:
                return self._give(at)
            if at not in self._workers or not self._active[self._workers[at]]:
                self._workers.pop(at, None)  # given already, or its worker had no more
                self._given += 1
                continue
            number, at, result = self._receive()
            if result is None:
                self._active[number] = False
                self._workers.pop(at, None)  # not there if its turn has passed
                self._send()
                continue
            self._made[at] = result
            if not self._in_order:
                return self._give(at)
        if not self._persistent:
            self.close()
        raise StopIteration

    def _give(self, at: int) -> Any:
        result = self._made.pop(at)
        self._tasks[self._workers.pop(at)] -= 1
        self._send()
        if isinstance(result, Failure):
            result.throw()
        return result[0]

    def _send(self) -> None:
        """Ask the next worker for the next batch."""
        if not self.close.alive:
            return
        try:
            indices = next(self._order)
        except StopIteration:
            return
        most = self._prefetch * len(self._processes) // max(1, sum(self._active))
        for number, _ in zip(self._turn, self._processes):
            if self._active[number] and (self._in_order or self._tasks[number] < most):
                self._tell(number, (self._sent, indices))
                self._workers[self._sent] = number
                self._tasks[number] += 1
                self._sent += 1
                return

    def _tell(self, number: int, order: Any) -> None:
        try:
            self._connections[number].send(order)
        except OSError:
            self._fail([number])

    def _receive(self) -> tuple[int, Any, Any]:
        """The next answer of a worker: its number, which batch it is, the batch."""
        if not self.close.alive:
            raise RuntimeError("DataLoader: its workers have been stopped; iterate over it anew")
        sentinels = [process.sentinel for process in self._processes]
        ready = connections.wait([*self._connections, *sentinels], self._timeout or None)
        if not ready:
            self.close()
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        for number, connection in enumerate(self._connections):
            if connection in ready:
                try:
                    answer = connection.recv_bytes()
                except (EOFError, OSError):
                    self._fail([number])
                return (number, *_unpickled(answer))
        self._fail([number for number, sentinel in enumerate(sentinels) if sentinel in ready])

    def _fail(self, numbers: list[int]) -> NoReturn:
        """Raise RuntimeError for workers that died."""
        said = []
        for process in [self._processes[number] for number in numbers]:
            process.join(_PATIENCE)
            said.append(f"{process.pid}: {_how(process.exitcode)}")
        self.close()
        raise RuntimeError(f"DataLoader worker (pid(s) {', '.join(said)}) exited unexpectedly")


def _start(process: BaseProcess) -> None:
    """Start a worker; what cannot be sent to it is a PicklingError, whatever this Python makes of it."""
    from pickle import PicklingError

    try:
        process.start()
    except (PicklingError, AttributeError, TypeError) as error:
        raise PicklingError(
            "DataLoader: its dataset, collate_fn or worker_init_fn cannot be pickled, as it must be to reach "
            f"a worker process that is not forked: {error}"
        ) from error


def _unpickled(answer: bytes) -> tuple[Any, Any]:
    from pickle import loads

    to, result = loads(answer)
    return to, result


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    return f"killed by {Signals(-code).name}" + (", maybe for want of memory" if code == -9 else "")


def _close(processes: list[BaseProcess], opened: list[Connection[Any, Any]], owner: int) -> None:
    """Tell the workers to end, and end those that do not."""
    if os.getpid() != owner:  # a worker has a copy of the loader
        return
    for connection in opened:
        try:
            connection.send(None)
        except OSError:
            continue  # it has ended already
        finally:
            connection.close()
    # the last one first: a worker that was forked holds copies of the connections of those before it
    for process in reversed(processes):
        process.join(_PATIENCE)
        for stop in (process.terminate, process.kill):
            if process.is_alive():
                stop()
                process.join(_PATIENCE)

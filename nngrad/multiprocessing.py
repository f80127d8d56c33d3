"""Python's multiprocessing under PyTorch's name. Tensors travel between processes by value."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary]  # all of it
from multiprocessing.process import BaseProcess
from typing import Any


def get_all_sharing_strategies() -> set[str]:
    """The ways to share memory: none is needed, as tensors travel by value."""
    return {"file_system"}


def get_sharing_strategy() -> str:
    """The way to share memory."""
    return "file_system"


def set_sharing_strategy(new_strategy: str) -> None:
    """Nothing: tensors travel by value."""


def spawn(
    fn: Callable[..., object],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> list[BaseProcess] | None:
    """Run `fn(i, *args)` in processes i = 0 to nprocs - 1; wait for them, or return them.

    Raises RuntimeError if one fails.
    """
    context: Any = multiprocessing.get_context(start_method)
    processes = [context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)]
    for process in processes:
        process.start()
    if not join:
        return processes
    for process in processes:
        process.join()
    failed = {i: process.exitcode for i, process in enumerate(processes) if process.exitcode}
    if failed:
        raise RuntimeError(f"spawn: processes ended with exit codes other than 0: {failed}")
    return None

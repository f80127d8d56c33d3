"""Names for parts of a program, which a profiler of PyTorch's would show: here they change nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from enum import Enum
from typing import NoReturn


class record_function(ContextDecorator):
    """Names what is done within, as a context or as a decorator."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args

    def __enter__(self) -> record_function:
        return self

    def __exit__(self, *_: object) -> None: ...


class ProfilerActivity(Enum):
    """What PyTorch's profiler can look at."""

    CPU = 0
    CUDA = 2


def profile(*_: object, **__: object) -> NoReturn:
    """Raises NotImplementedError: Python's own profilers see all that is done."""
    raise NotImplementedError("profiler.profile: NNGrad is Python; use cProfile, or py-spy")


def schedule(*_: object, **__: object) -> Callable[[int], int]:
    """Nothing to plan."""
    return lambda step: 0

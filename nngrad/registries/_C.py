"""What packages ask PyTorch's C++ for when they are imported."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, final

from . import Absent

#: contexts in which PyTorch leaves out steps that are not taken here anyway
DisableTorchFunctionSubclass = DisableTorchFunction = nullcontext
_ExcludeDispatchKeyGuard = nullcontext[Any]


def _log_api_usage_once(event: str) -> None:
    """Nothing: nobody is told what a program uses."""


class Value(Absent): ...


def _get_tracing_state() -> None:
    """None: nothing is traced."""


@final
class DispatchKey:
    """Names of PyTorch's back ends."""

    AutocastCPU = "AutocastCPU"
    AutocastCUDA = "AutocastCUDA"
    AutocastXPU = "AutocastXPU"


@final
class DispatchKeySet(frozenset[str]):
    """A set of names of back ends."""

    def __new__(cls, *keys: str) -> DispatchKeySet:
        return super().__new__(cls, keys)

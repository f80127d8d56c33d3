"""Grad modes: whether operations are recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Final, ParamSpec, TypeAlias, TypeVar

from ..functional.node import grad_mode

P = ParamSpec("P")
R = TypeVar("R")
_Outer: TypeAlias = "tuple[bool, _Outer | None]"


def is_grad_enabled() -> bool:
    """Whether operations are being recorded, in this thread and this async task."""
    return grad_mode.get()


class set_grad_enabled:
    """Turn recording on or off: at once, for a `with` block, or for a decorated function.

    The mode belongs to the thread and the async task: no other one sees it.
    """

    def __init__(self, mode: bool) -> None:
        self._mode = mode
        self._before = grad_mode.get()
        grad_mode.set(mode)

    def __enter__(self) -> None:
        grad_mode.set(self._mode)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        grad_mode.set(self._before)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        grad_mode.set(self._before)
        return _decorated(function, self._mode)


def _decorated(function: Callable[P, R], mode: bool) -> Callable[P, R]:
    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        token = grad_mode.set(mode)
        try:
            return function(*args, **kwargs)
        finally:
            grad_mode.reset(token)

    return run


#: the modes outside the `with` blocks that are open, innermost first: of this thread and this task,
#: like the mode itself, so that one `no_grad()` object may serve several of them at once
_before: Final[ContextVar[_Outer | None]] = ContextVar("nngrad_grad_modes_before", default=None)


class _Mode:
    """A grad mode for a `with` block (entered any number of times) or a decorated function."""

    mode: bool

    def __enter__(self) -> None:
        _before.set((grad_mode.get(), _before.get()))
        grad_mode.set(self.mode)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode, outer = _before.get() or (True, None)
        grad_mode.set(mode)
        _before.set(outer)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return _decorated(function, self.mode)


class no_grad(_Mode):
    """Do not record operations: `with no_grad():`, or `@no_grad()` on a function."""

    mode = False


class enable_grad(_Mode):
    """Record operations again inside `no_grad`: `with enable_grad():`, or as a decorator."""

    mode = True


class inference_mode(no_grad):
    """Another name of `no_grad`: tensors made inside are ordinary tensors."""

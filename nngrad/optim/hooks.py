"""Hooks around an optimiser's step, and around saving and loading its state."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..graph import RemovableHandle

if TYPE_CHECKING:
    from .optimizer import Optimizer

#: hooks by the number of their handle
Hooks: TypeAlias = dict[int, Callable[..., Any]]
StepPreHook: TypeAlias = Callable[
    ["Optimizer", tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]] | None
]
StepPostHook: TypeAlias = Callable[["Optimizer", tuple[Any, ...], dict[str, Any]], None]

_before_every: Final[Hooks] = {}
_after_every: Final[Hooks] = {}


def register_optimizer_step_pre_hook(hook: StepPreHook) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before all optimisers' steps; it may return others."""
    return RemovableHandle(_before_every, hook)


def register_optimizer_step_post_hook(hook: StepPostHook) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after every optimiser's step."""
    return RemovableHandle(_after_every, hook)


def add(hooks: Hooks, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    """Add a hook after the others, or before them."""
    others = list(hooks.items())
    handle = RemovableHandle(hooks, hook)
    for key, other in others if prepend else []:
        del hooks[key]
        hooks[key] = other
    return handle


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """An optimiser's `step` between the hooks of the optimiser and of all."""

    @wraps(step)
    def call(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        before, after = self._step_pre_hooks, self._step_post_hooks
        if not (before or after or _before_every or _after_every) or type(self).step is not call:
            return step(self, *args, **kwargs)  # a step that is called by a subclass's has no hooks
        for hook in (*_before_every.values(), *before.values()):
            given = hook(self, (self, *args), kwargs)
            if given is None:
                continue
            if not (isinstance(given, tuple) and len(given) == 2):
                raise RuntimeError(
                    f"{type(self).__name__}.step: a hook must return None or a tuple of (new_args, "
                    f"new_kwargs), but got {given}."
                )
            args, kwargs = given
            args = args[1:] if args and args[0] is self else args
        done = step(self, *args, **kwargs)
        for hook in chain(tuple(after.values()), tuple(_after_every.values())):
            hook(self, (self, *args), kwargs)
        return done

    return call

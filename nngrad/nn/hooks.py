"""Hooks into a module's call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ..graph import RemovableHandle

if TYPE_CHECKING:
    from .module import Module

#: hooks by the number of their handle, each with whether it takes keyword arguments
Hooks: TypeAlias = dict[int, tuple[Callable[..., Any], bool]]


def register(hooks: Hooks, hook: Callable[..., Any], with_kwargs: bool, prepend: bool) -> RemovableHandle:
    """Add a hook after the others, or before them."""
    others = list(hooks.items())
    handle = RemovableHandle(hooks, (hook, with_kwargs))
    if prepend:
        for key, other in others:
            del hooks[key]
            hooks[key] = other
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The module's forward between its hooks, each of which may replace what it is given."""
    for hook, with_kwargs in tuple(module._forward_pre_hooks.values()):
        if with_kwargs:
            given = hook(module, args, kwargs)
            if given is None:
                continue
            if not (isinstance(given, tuple) and len(given) == 2):
                raise RuntimeError(
                    "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                    f"but got {given}."
                )
            args, kwargs = given
        else:
            given = hook(module, args)
            if given is not None:
                args = given if isinstance(given, tuple) else (given,)
    result = module.forward(*args, **kwargs)
    for hook, with_kwargs in tuple(module._forward_hooks.values()):
        given = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        if given is not None:
            result = given
    return result

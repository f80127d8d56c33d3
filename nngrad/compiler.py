"""Compiling functions, which NNGrad leaves as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, overload

T = TypeVar("T")


def _as_it_is(function: T) -> T:
    return function


@overload
def compile(
    model: T,
    *,
    fullgraph: bool = ...,
    dynamic: bool | None = ...,
    backend: str | Callable[..., object] = ...,
    mode: str | None = ...,
    options: Mapping[str, object] | None = ...,
    disable: bool = ...,
) -> T: ...
@overload
def compile(
    model: None = None,
    *,
    fullgraph: bool = ...,
    dynamic: bool | None = ...,
    backend: str | Callable[..., object] = ...,
    mode: str | None = ...,
    options: Mapping[str, object] | None = ...,
    disable: bool = ...,
) -> Callable[[T], T]: ...
def compile(
    model: T | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., object] = "inductor",
    mode: str | None = None,
    options: Mapping[str, object] | None = None,
    disable: bool = False,
) -> T | Callable[[T], T]:
    """The function or model itself, also as a decorator: there is nothing to compile it to.

    >>> compile(len) is len
    True
    """
    return _as_it_is if model is None else model


@overload
def disable(fn: T, recursive: bool = ..., *, reason: str | None = ...) -> T: ...
@overload
def disable(fn: None = None, recursive: bool = ..., *, reason: str | None = ...) -> Callable[[T], T]: ...
def disable(
    fn: T | None = None, recursive: bool = True, *, reason: str | None = None
) -> T | Callable[[T], T]:
    """The function itself, also as a decorator: nothing is compiled anyway."""
    return _as_it_is if fn is None else fn


def allow_in_graph(fn: T) -> T:
    """The function itself."""
    return fn


def assume_constant_result(fn: T) -> T:
    """The function itself."""
    return fn


def is_compiling() -> bool:
    """False."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def is_exporting() -> bool:
    """False."""
    return False


def reset() -> None:
    """Nothing: there is nothing to forget."""


def cudagraph_mark_step_begin() -> None:
    """Nothing: there is no GPU."""

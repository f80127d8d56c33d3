"""TorchScript's decorators and functions, which leave everything as it is: Python runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final as Final, NoReturn, TypeAlias, TypeVar

T = TypeVar("T")


def _as_it_is(function: T) -> T:
    return function


def script(obj: T, *_: object, **__: object) -> T:
    """The function, class or module itself, also as a decorator."""
    return obj


def trace(func: T, example_inputs: object = None, *_: object, **__: object) -> T:
    """The function or module itself, which is not run."""
    return func


def freeze(mod: T, *_: object, **__: object) -> T:
    """The module itself."""
    return mod


def optimize_for_inference(mod: T, *_: object, **__: object) -> T:
    """The module itself."""
    return mod


def script_method(fn: T) -> T:
    """The method itself."""
    return fn


def script_if_tracing(fn: T) -> T:
    """The function itself."""
    return fn


_script_if_tracing = script_if_tracing
#: what annotations of TorchScript call a list of so many numbers, or one number for all
BroadcastingList1: TypeAlias = list[T]
BroadcastingList2: TypeAlias = list[T]
BroadcastingList3: TypeAlias = list[T]


class ScriptModule:
    """What no module is an instance of."""


class ScriptFunction:
    """What no function is an instance of."""


def _overload_method(func: T) -> T:
    """The method itself."""
    return func


def export(fn: T) -> T:
    """The method itself."""
    return fn


def unused(fn: T) -> T:
    """The method itself."""
    return fn


def interface(obj: T) -> T:
    """The class itself."""
    return obj


def ignore(drop: Any = False, **_: object) -> Any:
    """The method itself, with and without arguments of the decorator."""
    return drop if callable(drop) else _as_it_is


def annotate(the_type: Callable[..., T], the_value: T) -> T:
    """The value itself."""
    return the_value


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def save(m: object, f: object, *_: object) -> NoReturn:
    """Raises RuntimeError: there are no TorchScript programs here."""
    raise RuntimeError(
        "jit.save: NNGrad writes no TorchScript programs; nngrad.save(model.state_dict(), path) does"
    )


def load(f: object, *_: object, **__: object) -> NoReturn:
    """Raises RuntimeError: there are no TorchScript programs here."""
    raise RuntimeError("jit.load: NNGrad reads no TorchScript programs, only checkpoints: nngrad.load(path)")

"""What the library calls itself in what it prints: a program run by `as_torch` reads PyTorch's name."""

from __future__ import annotations

from typing import Any, Final, TypeVar

N = TypeVar("N", bound="tuple[object, ...]")

_names: Final = ["nngrad"]


def library() -> str:
    """The name that the program knows the library by."""
    return _names[-1]


def go_by(name: str) -> None:
    """Print another name from now on."""
    _names.append(name)


class _Told:
    """What named tuples of several results print and how they are pickled, told which function gave them."""

    __slots__ = ()

    def __repr__(self: Any) -> str:
        parts = [f"{name}={value!r}" for name, value in zip(self._fields, self)]
        return f"{library()}.return_types.{type(self).__name__}(\n" + ",\n".join(parts) + ")"

    def __reduce__(self: Any) -> tuple[object, ...]:
        base = type(self).__mro__[2]
        return _again, (type(self).__name__, base, tuple(self))


_KINDS: Final[dict[tuple[str, type], Any]] = {}


def given_by(name: str, results: N) -> N:
    """A named tuple of results as one that prints as PyTorch's of a function of that name."""
    kind: Any = _KINDS.get((name, type(results)))
    if kind is None:
        place = {"__slots__": (), "__module__": f"{__package__}.return_types"}
        made: Any = type(name, (_Told, type(results)), place)
        kind = _KINDS[name, type(results)] = made
    told: N = kind(*results)
    return told


def _again(name: str, base: Any, results: tuple[object, ...]) -> tuple[object, ...]:
    return given_by(name, base(*results))

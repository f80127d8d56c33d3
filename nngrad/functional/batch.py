"""A value that stands for one example of a batch, while `vmap` runs a function once for all.

A node whose value is a `Batch` has the shape of one example. NumPy cannot compute with it: whatever
tries raises `NeedsBatching`, which costs the ordinary path nothing. Ops catch it and compute the
whole batch by the rules of batching.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from itertools import count
from typing import Any, Final, NoReturn

#: whether a graph is being walked: then values of a vmap that has ended are no leak
replaying: Final[ContextVar[bool]] = ContextVar("nngrad_replaying", default=False)

#: the runs of vmap around this point of the program, the innermost last
levels: Final[ContextVar[tuple[Level, ...]]] = ContextVar("nngrad_vmap_levels", default=())


_numbers: Final = count()


class Level:
    """One run of vmap. Later runs, and so the inner of two, have higher numbers."""

    __slots__ = ("alive", "number", "randomness", "size")

    def __init__(self, size: int, randomness: str) -> None:
        self.number: int = next(_numbers)
        self.size: int = size
        self.randomness: str = randomness
        self.alive: bool = True


class NeedsBatching(TypeError):
    """Something asked for the elements of a value of which there is one for each example."""

    def __init__(self, asked: str = "this") -> None:
        super().__init__(
            f"vmap: {asked} needs the elements of a value that differs from example to example "
            "(control flow on it, or a function that vmap cannot run for all examples at once)"
        )


class Batch:
    """The values of all examples, of which the function sees one. The first dimension is the batch's.

    array: a NumPy array, or a Batch of an outer level. same: it is the same for every example, and
    `array` has no dimension for the batch; but it belongs to this run of vmap, so that what is
    differentiated inside has a derivative for each example.
    """

    __slots__ = ("array", "level", "same")

    def __init__(self, array: Any, level: Level, same: bool = False) -> None:
        self.array: Any = array
        self.level: Level = level
        self.same: bool = same

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        shape: tuple[int, ...] = self.array.shape
        return shape if self.same else shape[1:]

    @property
    def ndim(self) -> int:
        """The number of dimensions of one example."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.array.dtype

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        n = 1
        for size in self.shape:
            n *= size
        return n

    def __repr__(self) -> str:
        return f"Batch({self.array!r})"

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise NeedsBatching

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> NoReturn:
        raise NeedsBatching(f"numpy.{ufunc.__name__}")

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        raise NeedsBatching(f"numpy.{func.__name__}")

    def __getattr__(self, name: str) -> NoReturn:
        if name == "node" or name.startswith("__"):
            raise AttributeError(name)
        raise NeedsBatching(name)


def levels_of(value: Any) -> list[Level]:
    """The runs of vmap that a value belongs to, the innermost first."""
    found = []
    while type(value) is Batch:
        found.append(value.level)
        value = value.array
    return found


def check_alive(op: str, values: Sequence[Batch]) -> None:
    """Raise RuntimeError for a value that was carried out of the function that vmap ran."""
    for value in values:
        if not all(level.alive for level in levels_of(value)):
            raise RuntimeError(
                f"{op}: this value belongs to a vmap that has ended; return it from the function instead"
            )


def inside_all(value: Any) -> Any:
    """The value as one that belongs to every run of vmap around this point."""
    for level in levels.get():
        if level not in levels_of(value):
            value = _within(value, level)
    return value


def _within(value: Any, level: Level) -> Any:
    if type(value) is Batch and value.level.number > level.number:
        return Batch(_within(value.array, level), value.level, value.same)
    return Batch(value, level, True)


def _refuse(name: str) -> Any:
    def refuse(self: Batch, *_: Any) -> NoReturn:
        raise NeedsBatching(name.strip("_"))

    return refuse


for _name in (
    *("bool", "int", "float", "complex", "index", "len", "iter", "getitem", "setitem", "contains"),
    *("neg", "pos", "abs", "invert", "eq", "ne", "lt", "le", "gt", "ge"),
    *(
        r + n
        for n in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
        for r in ("", "r", "i")
    ),
    *(r + n for n in ("and", "or", "xor", "lshift", "rshift") for r in ("", "r", "i")),
):
    setattr(Batch, f"__{_name}__", _refuse(_name))
Batch.__hash__ = object.__hash__  # type: ignore[method-assign]  # __eq__ was set

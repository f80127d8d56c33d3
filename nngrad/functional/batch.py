"""A value that stands for one example of a batch, while `vmap` runs a function once for all.

A node whose value is a `Batch` has the shape of one example. NumPy's functions on it compute all
examples at once where they can (batch_numpy.py); whatever else looks at its elements raises
`NeedsBatching`, which costs the ordinary path nothing. Ops catch it and compute the whole batch by the
rules of batching.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import wraps
from itertools import count
from typing import Any, Final, NoReturn, TypeVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

F = TypeVar("F", bound=Callable[..., Any])

A = TypeVar("A", bound=Callable[..., Any])

#: whether a graph is being walked: then values of a vmap that has ended are no leak
replaying: Final[ContextVar[bool]] = ContextVar("nngrad_replaying", default=False)

#: the runs of vmap around this point of the program, the innermost last
levels: Final[ContextVar[tuple[Level, ...]]] = ContextVar("nngrad_vmap_levels", default=())


#: the runs of vmap around this point that call the function for each example in turn
loops: Final[ContextVar[tuple[Level, ...]]] = ContextVar("nngrad_vmap_loops", default=())

_numbers: Final = count()


#: What computes with whole batches, by name. batching.py and batch_numpy.py enter it when they are
#: loaded, which vmap does before it makes the first Batch.
ANSWERS: Final[dict[str, Callable[..., Any]]] = {}


def answers(function: A) -> A:
    """Enter a function into `ANSWERS`."""
    ANSWERS[function.__name__] = function
    return function


class Level:
    """One run of vmap. Later runs, and so the inner of two, have higher numbers."""

    __slots__ = ("alive", "at", "draws", "number", "randomness", "size")

    def __init__(self, size: int, randomness: str, draws: list[Any]) -> None:
        self.number: int = next(_numbers)
        self.size: int = size
        self.randomness: str = randomness
        self.alive: bool = True
        #: what was drawn that all examples share, and how much of it this run has used again
        self.draws: list[Any] = draws
        self.at: int = 0


class NeedsBatching(TypeError):
    """Something asked for the elements of a value of which there is one for each example."""

    def __init__(self, asked: str = "this") -> None:
        super().__init__(
            f"vmap: {asked} needs the elements of a value that differs from example to example "
            "(control flow on it, or a function that vmap cannot run for all examples at once)"
        )


class Batch(NDArrayOperatorsMixin):
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
        refuse(self, "this")

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return ANSWERS["ufunc_of"](ufunc, method, args, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not replaying.get():
            check_alive(func.__name__, [self])
        return ANSWERS["function_of"](func, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        return ANSWERS["item_of"](self, index)

    @property
    def T(self) -> Any:
        """The transpose of each example."""
        return np.transpose(self)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """The values in another dtype."""
        return Batch(self.array.astype(dtype, copy=copy), self.level, self.same)

    def reshape(self, *shape: Any) -> Any:
        """Each example in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """Each example with its dimensions in that order."""
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def dot(self, other: Any) -> Any:
        """The matrix product, example by example."""
        return np.matmul(self, other)

    def __getattr__(self, name: str) -> NoReturn:
        if name == "node" or name.startswith("__"):
            raise AttributeError(name)
        refuse(self, name)


def levels_of(value: Any) -> list[Level]:
    """The runs of vmap that a value belongs to, the innermost first."""
    found = []
    while type(value) is Batch:
        found.append(value.level)
        value = value.array
    return found


def innermost(values: Sequence[Any]) -> tuple[list[Any], list[bool], Level]:
    """The innermost run of vmap that the values belong to: their arrays in it, and which of these have
    a dimension for its examples."""
    level = max([v.level for v in values if type(v) is Batch], key=lambda v: v.number)
    own = [type(v) is Batch and v.level is level for v in values]
    arrays = [v.array if mine else v for v, mine in zip(values, own)]
    return arrays, [mine and not v.same for v, mine in zip(values, own)], level


def check_alive(op: str, values: Sequence[Batch]) -> None:
    """Raise RuntimeError for a value that was carried out of the function that vmap ran."""
    for value in values:
        if not all(level.alive for level in levels_of(value)):
            raise RuntimeError(
                f"{op}: this value belongs to a vmap that has ended; return it from the function instead"
            )


def drawn(op: str, draw: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...]) -> Any:
    """Random numbers of that shape by `draw(shape)`: of each example its own, or of all the same, as
    the runs of vmap around ask for. Raises RuntimeError if one of them wants none to be drawn."""
    if not levels.get() and not loops.get():
        return draw(shape)
    different = [level for level in levels.get() if level.randomness == "different"]
    value = drawn_once(op, lambda: draw((*[level.size for level in different], *shape)))
    for level in different:
        value = Batch(value, level)
    return value


def drawn_once(op: str, draw: Callable[[], Any]) -> Any:
    """What `draw()` gives; where a run of vmap around has all examples draw the same, what it gave the
    first of them. Raises RuntimeError if one of the runs wants none to be drawn."""
    around = (*loops.get(), *levels.get())
    if any(level.randomness == "error" for level in around):
        raise RuntimeError(
            f"{op}: called random operation while in randomness error mode. Please either use the 'same' or "
            "'different' randomness flags on vmap or perform the randomness operation out of vmap"
        )
    shared = next((level for level in around if level.randomness == "same"), None)
    if shared is not None and shared.at < len(shared.draws):
        value = shared.draws[shared.at]
    else:
        outside = levels.set(()), loops.set(())  # what `draw` calls draws for all of them
        try:
            value = draw()
        finally:
            loops.reset(outside[1])
            levels.reset(outside[0])
        if shared is not None:
            shared.draws.append(value)
    if shared is not None:
        shared.at += 1
    return value


def inside_all(value: Any) -> Any:
    """The value as one that belongs to every run of vmap around this point."""
    return _inside(value, levels.get())


def belonging(value: Any, *others: Any) -> Any:
    """The value as one that belongs to every run of vmap that one of the others belongs to."""
    return _inside(value, [level for other in others for level in levels_of(other)])


def _inside(value: Any, wanted: Sequence[Level]) -> Any:
    for level in wanted:
        if level not in levels_of(value):
            value = _within(value, level)
    return value


def _within(value: Any, level: Level) -> Any:
    if type(value) is Batch and value.level.number > level.number:
        return Batch(_within(value.array, level), value.level, value.same)
    return Batch(value, level, True)


def as_array(value: Any, dtype: Any = None) -> Any:
    """`np.asarray` that leaves a Batch one."""
    if type(value) is Batch:
        return value if dtype is None else value.astype(dtype)
    return np.asarray(value, dtype)


def led(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """A function of arrays with common leading dimensions, and of other things, on batches; see `leads`."""
    return ANSWERS["led_by_examples"](function, args)


def leads(function: F) -> F:
    """Decorate a function of arrays that treats each index of their common leading dimensions alike:
    given batches, it gets all examples as one more of these dimensions."""

    @wraps(function)
    def run(*args: Any) -> Any:
        try:
            return function(*args)
        except NeedsBatching:
            return led(run, args)

    return run  # type: ignore[return-value]  # it is called as `function` is


def along_dim(function: F) -> F:
    """Decorate a function of an array and one of its dimensions, `function(array, dim, ...)`."""

    @wraps(function)
    def run(x: Any, dim: int, *args: Any) -> Any:
        if type(x) is Batch:
            return Batch(run(x.array, dim % x.ndim + (not x.same), *args), x.level, x.same)
        return function(x, dim, *args)

    return run  # type: ignore[return-value]  # it is called as `function` is


def all_examples(value: Any) -> Any:
    """The elements of a value for all examples: what a check of values looks at."""
    while type(value) is Batch:
        value = value.array
    return value


def refuse(value: Batch, asked: str) -> NoReturn:
    """Raise what says that one value is asked for where there is one for each example, or was."""
    if not replaying.get():
        check_alive(asked, [value])
    raise NeedsBatching(asked)


def _refused(name: str) -> Any:
    def refused(self: Batch, *_: Any) -> NoReturn:
        refuse(self, name)

    return refused


def _method(name: str) -> Any:
    def method(self: Batch, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    method.__doc__ = f"`numpy.{name}`, example by example."
    return method


for _name in ("sum", "prod", "min", "max", "any", "all", "argmax", "argmin", "cumsum", "ravel", "copy"):
    setattr(Batch, _name, _method(_name))
for _name in ("bool", "int", "float", "complex", "index", "len", "iter", "setitem", "contains"):
    setattr(Batch, f"__{_name}__", _refused(_name))
Batch.__hash__ = object.__hash__  # type: ignore[method-assign]  # __eq__ is element by element

"""Modules kept in order or by name, so that their owner sees them."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, Generic, Self, SupportsIndex, cast, overload

from ..tensor import Tensor
from .module import Module, indented

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M = TypeVar("M", bound=Module, default=Module)
    M_co = TypeVar("M_co", bound=Module, covariant=True, default=Module)
else:
    from typing import TypeVar

    M = TypeVar("M", bound=Module)
    M_co = TypeVar("M_co", bound=Module, covariant=True)
N = TypeVar("N", bound=Module)
Given_contra = TypeVar("Given_contra", bound=Module, contravariant=True)


def position_of(index: SupportsIndex, length: int) -> int:
    """The index counted from the front. Raises IndexError if it is out of range."""
    at = operator.index(index)
    if not -length <= at < length:
        raise IndexError(f"index {at} is out of range")
    return at % length


class _Listed(Module, Generic[Given_contra, M_co]):
    """What `Sequential` and `ModuleList` share: a list of modules named by their positions.

    The first type is that of the modules put in, the second of those taken out.
    """

    def _held(self) -> dict[str, M_co]:
        return cast("dict[str, M_co]", self._modules)

    def _refill(self, modules: Iterable[Module]) -> None:
        given = list(modules)
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(given):
            self.add_module(str(i), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[M_co]:
        return iter(self._held().values())

    def __contains__(self, module: object) -> bool:
        return any(held is module for held in self)

    @overload
    def __getitem__(self, index: SupportsIndex) -> M_co: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: SupportsIndex | slice) -> M_co | Self:
        held = self._held()
        if isinstance(index, slice):
            return self._sliced(list(self._modules.items())[index])
        return list(held.values())[position_of(index, len(held))]

    def _sliced(self, items: list[tuple[str, Any]]) -> Self:
        return type(self)().extend([module for _, module in items])

    def __setitem__(self, index: SupportsIndex, module: Given_contra) -> None:
        self.register_module(list(self._modules)[position_of(index, len(self))], module)

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        held: list[Module] = list(self)
        del held[index if isinstance(index, slice) else position_of(index, len(held))]
        self._refill(held)

    def append(self, module: Given_contra) -> Self:
        """Add a module at the end; returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Given_contra]) -> Self:
        """Add modules at the end; returns the container. Raises TypeError, adding none, for other things."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got "
                f"{type(modules).__name__}"
            )
        given = list(modules)
        for module in given:
            _check_module(module)
        for module in given:
            self.append(module)
        return self

    def insert(self, index: int, module: Given_contra) -> Self:
        """Add a module before the one at `index`; returns the container.

        Raises IndexError for an index out of range, TypeError for what is no module.
        """
        _check_module(module)
        held: list[Module] = list(self)
        if not -len(held) <= index <= len(held):
            raise IndexError(f"Index out of range: {index}")
        held.insert(index, module)
        self._refill(held)
        return self

    def pop(self, index: SupportsIndex = -1) -> M_co:
        """Take out a module and return it. Raises IndexError for an index out of range."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, modules: Iterable[Given_contra]) -> Self:
        return self.extend(modules)


def _check_module(module: object) -> None:
    if not isinstance(module, Module) and module is not None:  # None is for a place that has no module
        raise TypeError(f"{type(module).__name__} is not a Module subclass")


class Sequential(_Listed[Module, M_co]):
    """Modules called one after the other, each with the output of the one before.

    modules: the modules, named "0", "1", ...; or one OrderedDict of them by name.
    """

    @overload
    def __init__(self, *modules: M_co) -> None: ...
    @overload
    def __init__(self, modules: OrderedDict[str, M_co], /) -> None: ...
    def __init__(self, *modules: M_co | OrderedDict[str, M_co]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], OrderedDict):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            self.extend(cast("tuple[Module, ...]", modules))

    def forward(self, input: Tensor) -> Tensor:
        """The last module's output; the input itself if there are no modules."""
        for module in self._modules.values():
            input = cast(Module, module)(input)
        return input

    def _sliced(self, items: list[tuple[str, Any]]) -> Self:
        return type(self)(OrderedDict(items))

    def __add__(self, other: Sequential[N]) -> Sequential[M_co | N]:
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other)} is given."
            )
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential[M_co]:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")
        return Sequential(*(list(self) * times))

    __rmul__ = __mul__


class ModuleList(_Listed[M, M]):
    """A list of modules."""

    def __init__(self, modules: Iterable[M] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __add__(self, other: Iterable[M]) -> ModuleList[M]:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """As a list, with runs of modules that look alike written once."""
        runs: list[list[Any]] = []  # text, first, last
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][0] == text:
                runs[-1][2] = i
            else:
                runs.append([text, i, i])
        if not runs:
            return f"{type(self).__name__}()"
        lines = [
            indented(
                f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}"
            )
            for text, first, last in runs
        ]
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module, Generic[M]):
    """A dictionary of modules, in the order in which they were added."""

    def __init__(self, modules: Mapping[str, M] | Iterable[tuple[str, M]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def _held(self) -> dict[str, M]:
        return cast("dict[str, M]", self._modules)

    def __getitem__(self, key: str) -> M:
        return self._held()[key]

    def __setitem__(self, key: str, module: M) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._modules:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take out all modules."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> M:
        """Take out a module and return it. Raises KeyError if there is none of that name."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._held().keys()

    def items(self) -> ItemsView[str, M]:
        """The names with their modules."""
        return self._held().items()

    def values(self) -> ValuesView[M]:
        """The modules."""
        return self._held().values()

    def update(self, modules: Mapping[str, M] | ModuleDict[M] | Iterable[tuple[str, M]]) -> None:
        """Add modules by name, replacing those that are there. Raises TypeError for other things."""
        for key, module in pairs_of("ModuleDict", modules):
            self[key] = module


def pairs_of(owner: str, given: Any) -> list[tuple[str, Any]]:
    """The items of a mapping or container, or pairs that were given. Raises TypeError for other things."""
    if hasattr(given, "items"):
        return list(given.items())
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{owner}.update should be called with an iterable of key/value pairs, but got "
            f"{type(given).__name__}"
        )
    pairs = []
    for j, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{owner} update sequence element #{j} should be Iterable; is {type(pair).__name__}"
            )
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{owner} update sequence element #{j} has length {len(pair)}; 2 is required")
        pairs.append(pair)
    return pairs

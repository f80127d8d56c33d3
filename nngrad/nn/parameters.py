"""Parameters kept in order or by name, so that their owner sees them."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Self, SupportsIndex, cast, overload

from ..tensor import Tensor
from .containers import pairs_of, position_of
from .module import Module
from .parameter import Parameter


def _as_parameter(value: object) -> Parameter:
    if not isinstance(value, Tensor):
        raise TypeError(f"expected a Parameter or a Tensor, got {type(value).__name__}")
    return value if isinstance(value, Parameter) else Parameter(value)


def _told(key: object, kind: object, parameter: Parameter) -> str:
    sizes = "x".join([str(n) for n in parameter.shape])
    return f"  ({key}): Parameter containing: [{kind} of size {sizes}]"


class ParameterList(Module):
    """A list of parameters; tensors put into it become parameters."""

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.extend(values)

    def _held(self) -> list[Parameter]:
        return list(cast("dict[str, Parameter]", self._parameters).values())

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._held())

    @overload
    def __getitem__(self, index: SupportsIndex) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Parameter | Self:
        if isinstance(index, slice):
            return type(self)(self._held()[index])
        return self._held()[position_of(index, len(self))]

    def __setitem__(self, index: SupportsIndex, value: Tensor) -> None:
        self.register_parameter(str(position_of(index, len(self))), _as_parameter(value))

    def append(self, value: Tensor) -> Self:
        """Add a parameter at the end; returns the list."""
        self.register_parameter(str(len(self)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Add parameters at the end; returns the list. Raises TypeError, adding none, for other things."""
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(
                f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}"
            )
        for parameter in [_as_parameter(value) for value in values]:
            self.append(parameter)
        return self

    def __iadd__(self, values: Iterable[Tensor]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        return "\n".join([_told(i, p.dtype, p) for i, p in enumerate(self)])


class ParameterDict(Module):
    """A dictionary of parameters; tensors put into it become parameters."""

    def __init__(self, parameters: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def _held(self) -> dict[str, Parameter]:
        return cast("dict[str, Parameter]", self._parameters)

    def __getitem__(self, key: str) -> Parameter:
        return self._held()[key]

    def __setitem__(self, key: str, value: Tensor) -> None:
        self.register_parameter(key, _as_parameter(value))

    def __delitem__(self, key: str) -> None:
        if key not in self._parameters:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def get(self, key: str, default: Parameter | None = None) -> Parameter | None:
        """The parameter of that name, or `default`."""
        return self._held().get(key, default)

    def clear(self) -> None:
        """Take out all parameters."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Parameter:
        """Take out a parameter and return it. Raises KeyError if there is none of that name."""
        parameter = self[key]
        del self[key]
        return parameter

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._held().keys()

    def items(self) -> ItemsView[str, Parameter]:
        """The names with their parameters."""
        return self._held().items()

    def values(self) -> ValuesView[Parameter]:
        """The parameters."""
        return self._held().values()

    def popitem(self) -> tuple[str, Parameter]:
        """Take out the last parameter and return it with its name. Raises KeyError if there is none."""
        key = next(reversed(self), None)
        if key is None:
            raise KeyError("popitem(): the ParameterDict is empty")
        return key, self.pop(key)

    def setdefault(self, key: str, default: Tensor) -> Parameter:
        """The parameter of that name; where there is none, `default` is put in first."""
        if key not in self:
            self[key] = default
        return self[key]

    def fromkeys(self, keys: Iterable[str], default: Tensor) -> ParameterDict:
        """Another one with those names, and one parameter for all of them."""
        return ParameterDict([(key, default) for key in keys])

    def copy(self) -> ParameterDict:
        """Another one of the same parameters."""
        return ParameterDict(list(self.items()))

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self))

    def __or__(self, other: ParameterDict) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def update(self, parameters: Mapping[str, Tensor] | ParameterDict | Iterable[tuple[str, Tensor]]) -> None:
        """Add parameters by name, replacing those that are there; a plain mapping's in sorted order.

        Raises TypeError for other things.
        """
        pairs = pairs_of("ParameterDict", parameters)
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs.sort(key=operator.itemgetter(0))  # as PyTorch does: state_dicts keep that order
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join([_told(key, p.type(), p) for key, p in self.items()])

"""A module's state as a value, and values that may become part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, final

import numpy as np

from ..autograd import no_grad
from ..functional.dtypes import AnyArray, Array, DType
from ..functional.node import Node, constant, read_only, seal
from ..functional.op import cast
from ..tensor import Tensor

if TYPE_CHECKING:
    from pyrsistent import PMap


class SupportsArray(Protocol):
    """Whatever NumPy can read as an array: tensors of other libraries, for one."""

    def __array__(self) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]: ...


StateValue: TypeAlias = Tensor | AnyArray | SupportsArray


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left alone."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


@final
class Snapshot(Mapping[str, Array]):
    """An immutable mapping of names to read-only arrays, in the module's order.

    The arrays it is made from are shared, not copied: nobody may write to them afterwards.
    """

    __slots__ = ("_arrays", "_names")
    _arrays: PMap[str, Array]
    _names: tuple[str, ...]

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        from pyrsistent import pmap

        self._names = tuple(arrays)  # a persistent map has no order of its own
        self._arrays = pmap({name: read_only(array) for name, array in arrays.items()})

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        told = ", ".join([f"{name!r}: {a.dtype}{list(a.shape)}" for name, a in self.items()])
        return f"Snapshot({{{told}}})"

    def __reduce__(self) -> tuple[type[Snapshot], tuple[dict[str, Array]]]:
        return Snapshot, (dict(self),)


def quoted(names: list[str]) -> str:
    """Names in quotation marks, with commas."""
    return ", ".join([f'"{name}"' for name in names])


def as_node(value: object) -> Node | None:
    """The value as a constant node; None if it is no tensor."""
    if isinstance(value, (Tensor, Node)):
        return constant(value)
    array = np.asarray(value) if hasattr(value, "__array__") else None
    return None if array is None or array.dtype.kind not in "biufc" else constant(array)


def fitted(node: Node, shape: tuple[int, ...], dtype: DType) -> Node:
    """The value in that shape, which has as many elements, and that dtype."""
    with no_grad():
        return cast(node if node.shape == shape else seal(node._value.reshape(shape)), dtype)

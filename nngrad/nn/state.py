"""A module's state as a value, and loading it: all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, final

import numpy as np

from ..autograd import no_grad
from ..functional.dtypes import AnyArray, Array, DType
from ..functional.node import Node, constant, read_only, seal
from ..functional.op import cast
from ..tensor import Size, Tensor

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
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


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


def load(
    owner: str, tensors: Mapping[str, Tensor], given: Mapping[str, StateValue], strict: bool
) -> IncompatibleKeys:
    """Give `tensors` the values that `given` has under their names.

    Memory that nobody can write to is shared. Raises RuntimeError listing every missing and
    unexpected name (if strict), every misshapen value and every value that is no tensor, and
    then changes nothing.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(given)}.")
    missing = [name for name in tensors if name not in given]
    unexpected = [name for name in given if name not in tensors]
    problems: list[str] = []
    if strict and missing:
        problems.append(f"Missing key(s) in state_dict: {_quoted(missing)}. ")
    if strict and unexpected:
        problems.append(f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
    found: list[tuple[Tensor, Node]] = []
    for name, tensor in tensors.items():
        if name not in given:
            continue
        node = _as_node(given[name], trusted=isinstance(given, Snapshot))
        if node is None:
            problems.append(
                f'While copying the parameter named "{name}", expected a Tensor or Tensor-like object from '
                f"checkpoint but received {type(given[name])}"
            )
        elif node.shape != tensor.shape and not (node.shape == (1,) and tensor.shape == ()):
            problems.append(
                f"size mismatch for {name}: copying a param with shape {Size(node.shape)} from checkpoint, "
                f"the shape in current model is {tensor.shape}."
            )
        else:
            found.append((tensor, _fitted(node, tensor.node.shape, tensor.node.dtype)))
    if problems:
        told = "\n\t".join(problems)
        raise RuntimeError(f"Error(s) in loading state_dict for {owner}:\n\t{told}")
    with no_grad():
        for tensor, node in found:
            tensor.rebind(node)
    return IncompatibleKeys(missing, unexpected)


def _quoted(names: list[str]) -> str:
    return ", ".join([f'"{name}"' for name in names])


def _as_node(value: object, trusted: bool) -> Node | None:
    """The value as a constant node; None if it is no tensor. trusted: nobody will write to it."""
    if trusted:
        return seal(value)
    if isinstance(value, (Tensor, Node)):
        return constant(value)
    array = np.asarray(value) if hasattr(value, "__array__") else None
    return None if array is None or array.dtype.kind not in "biufc" else constant(array)


def _fitted(node: Node, shape: tuple[int, ...], dtype: DType) -> Node:
    with no_grad():
        return cast(node if node.shape == shape else seal(node._value.reshape(shape)), dtype)

"""Tensors and the memory that they share: told when saving, made again when loading."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from .. import dtypes
from ..autograd import no_grad
from ..functional.dtypes import AnyArray
from ..functional.indexing import getitem, parse_index, put_parsed
from ..functional.node import Node, seal
from ..functional.shape import PUT
from ..lifting import view_of, wrap
from ..tensor import Tensor
from ..views import Step

#: PyTorch's names for storages by NumPy's dtypes, and back
NAMES: Final = {kind.dtype: f"{name}Storage" for kind, name in dtypes.KINDS.items()}
DTYPES: Final = {name: dtype for dtype, name in NAMES.items()}

_MAX_DIMS: Final = 64


class Place(NamedTuple):
    """Where the elements of a tensor lie in a storage, counted in elements."""

    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


# ---------------------------------------------------------------- saving


class Storages:
    """The storages that a file needs. Tensors that share memory, as views do, share one."""

    def __init__(self) -> None:
        self.arrays: Final[dict[str, AnyArray]] = {}
        self._roots: Final[dict[int, tuple[str, Any, Tensor]]] = {}

    def of(self, tensor: Tensor) -> tuple[str, Place]:
        """The key of the storage that holds a tensor's elements, and where they are in it."""
        root, steps = _root(tensor)
        if id(root) not in self._roots:
            memory = _dense(root.node._value)
            key = str(len(self.arrays))
            self.arrays[key] = memory.reshape(-1) if memory.flags.c_contiguous else _in_memory_order(memory)
            self._roots[id(root)] = key, memory, root
        key, memory, _ = self._roots[id(root)]
        value: Any = memory
        if steps:
            with no_grad():
                node = seal(memory)
                for function, args in steps:
                    node = function(node, *args)
            value = node._value
            if not _is_within(value, memory):
                key = str(len(self.arrays))
                value = self.arrays[key] = np.array(value, order="C")
                return key, Place(0, value.shape, _steps(value))
            start = value.ctypes.data - memory.ctypes.data if value.size else 0
            return key, Place(start // value.itemsize, value.shape, _steps(value))
        return key, Place(0, value.shape, _steps(value))


def _root(tensor: Tensor) -> tuple[Tensor, tuple[Step, ...]]:
    """The tensor whose memory another one's is, and the way from there."""
    steps: tuple[Step, ...] = ()
    while (view := tensor._view) is not None:
        steps = (*view.steps, *steps)
        tensor = view.base
    return tensor, steps


def _steps(value: Any) -> tuple[int, ...]:
    return tuple([step // value.itemsize for step in value.strides])


def _in_memory_order(value: Any) -> Any:
    return value.transpose(sorted(range(value.ndim), key=lambda d: -value.strides[d])).reshape(-1)


def _dense(value: Any) -> Any:
    """The array, copied if its elements do not lie side by side in some order of its dimensions."""
    order = sorted(range(value.ndim), key=lambda d: -value.strides[d])
    if value.transpose(order).flags.c_contiguous and 0 not in value.strides:
        return value
    return np.array(value, order="C")


def _is_within(value: Any, memory: Any) -> bool:
    if value.dtype != memory.dtype or any(step < 0 or step % value.itemsize for step in value.strides):
        return False
    return bool(np.may_share_memory(value, memory)) or not value.size


# ---------------------------------------------------------------- loading


class Stored:
    """A storage that was read, and the tensors that lie in it."""

    __slots__ = ("array", "key", "tensors")

    def __init__(self, key: str, array: AnyArray) -> None:
        self.key: Final = key
        self.array: Final[Any] = array
        self.tensors: Final[list[tuple[weakref.ref[Tensor], Place, bool]]] = []

    def add(self, tensor: Tensor, place: Place, requires_grad: bool) -> Tensor:
        """Note that a tensor lies here; `settle` gives it its value."""
        tensor._view = None
        tensor._grad = None
        tensor._node = _UNSETTLED
        self.tensors.append((weakref.ref(tensor), place, requires_grad))
        return tensor

    def place_of(self, tensor: Tensor) -> Place:
        """Where a tensor lies that `add` was given."""
        return next(place for ref, place, _ in self.tensors if ref() is tensor)

    def settle(self) -> None:
        """Give the tensors their values: those that share memory stay in step."""
        held = [(tensor, place, flag) for ref, place, flag in self.tensors if (tensor := ref()) is not None]
        if len(held) == 1:
            ((tensor, place, requires_grad),) = held
            tensor._node = seal(self._alone(place))
            tensor.requires_grad_(requires_grad)
            return
        base = wrap(seal(self.array))
        for tensor, place, requires_grad in held:
            tensor._node = seal(np.empty(0, self.array.dtype))
            tensor.data = _view(base, place)
            tensor.requires_grad_(requires_grad)

    def _alone(self, place: Place) -> Any:
        order = sorted(range(len(place.size)), key=lambda d: -place.stride[d])
        if prod(place.size) == self.array.size and _is_dense(place, order):
            whole = self.array.reshape([place.size[d] for d in order])
            return whole.transpose(np.argsort(order)) if order else whole
        node: Node = _view(wrap(seal(self.array)), place).node
        copied = prod(place.size) <= self.array.size  # one that repeats elements goes on repeating them
        return np.array(node._value) if copied else node._value


_UNSETTLED: Final = seal(np.empty(0, np.float32))


def checked(key: str, numel: int, offset: object, size: object, stride: object) -> Place:
    """Where a tensor is said to lie in a storage. Raises ValueError unless it lies within."""

    def integers(given: object) -> tuple[int, ...]:
        if not isinstance(given, (tuple, list)) or not all(type(part) is int and part >= 0 for part in given):
            raise ValueError(f"a tensor in storage {key!r} has size {size!r:.80} and stride {stride!r:.80}")
        return tuple(given)

    sizes, strides = integers(size), integers(stride)
    (start,) = integers((offset,))
    if len(sizes) != len(strides) or len(sizes) > _MAX_DIMS:
        raise ValueError(f"a tensor in storage {key!r} has {len(sizes)} sizes and {len(strides)} strides")
    place = Place(start, sizes, strides)
    if 0 in sizes:
        return Place(0, sizes, strides)
    last = start + sum([(n - 1) * step for n, step in zip(sizes, strides)])
    if last >= numel or prod(sizes) >= 1 << 56:
        raise ValueError(
            f"a tensor of size {sizes}, stride {strides} and offset {start} is said to lie in "
            f"storage {key!r} of {numel} elements"
        )
    return place


def _is_dense(place: Place, order: Sequence[int]) -> bool:
    expected = 1
    for d in reversed(order):
        if place.size[d] != 1:
            if place.stride[d] != expected:
                return False
            expected *= place.size[d]
    return True


def _view(base: Tensor, place: Place) -> Tensor:
    """The part of a flat tensor that a place says, as a view."""
    count = prod(place.size)
    order = sorted(range(len(place.size)), key=lambda d: -place.stride[d])
    if count == 0:
        return base[:0].view(place.size)
    if _is_dense(place, order):
        part = base[place.offset : place.offset + count].view([place.size[d] for d in order])
        return part.permute([order.index(d) for d in range(len(order))])
    seen = [n if step else 1 for n, step in zip(place.size, place.stride)]
    args = (place.offset, tuple(seen), place.stride)
    return view_of(base, _strided(base.node, *args), (_strided, args)).expand(place.size)


def _indices(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> AnyArray:
    ends = [np.arange(n) * step for n, step in zip(size, stride)]
    index: Any = np.full(size, offset)
    for d, along in enumerate(ends):
        index += along.reshape([-1 if i == d else 1 for i in range(len(size))])
    return index  # type: ignore[no-any-return]  # an array


def _strided(base: Node, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Node:
    if base.tracked:
        return getitem(base, _indices(offset, size, stride))
    flat = base._value[offset:]
    steps = [step * flat.strides[0] for step in stride]
    return seal(np.lib.stride_tricks.as_strided(flat, size, steps, writeable=False))


def _put_strided(base: Node, new: Node, *place: Any) -> Node:
    return put_parsed(base, *parse_index(_indices(*place)), new)


PUT[_strided] = _put_strided

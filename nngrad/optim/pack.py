"""Many tensors in one flat array, so that an optimiser's formula runs once over all of them.

The rule that makes this safe: a flat array is written to only if nobody else can see it. Nodes,
their arrays and every view of them hold references to it, so its reference count tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from math import prod
from operator import attrgetter, is_
from sys import getrefcount
from typing import Any, Final

import numpy as np

from ..functional.dtypes import Array, DType
from ..functional.engine import ALONE
from ..functional.indexing import replace
from ..functional.node import Node, grad_mode, seal
from ..tensor import Tensor


def _counts(things: Iterable[object]) -> list[int]:
    return list(map(getrefcount, things))


#: what `_counts` says of an object that is in the list and has one more reference
HELD_ONCE: Final = _counts([object()])[0] + 1


class Pack:
    """Tensors whose values lie side by side in one flat array, once `bind` has put them there."""

    __slots__ = ("at", "dtype", "flat", "nodes", "old", "parts", "read_node", "shapes", "tensors")

    def __init__(self, tensors: Sequence[Tensor], shapes: Sequence[tuple[int, ...]], dtype: DType) -> None:
        ends = list(accumulate([prod(shape) for shape in shapes], initial=0))
        self.tensors: list[Tensor] = list(tensors)
        self.shapes: list[tuple[int, ...]] = list(shapes)
        self.dtype: np.dtype[Any] = dtype
        self.at: list[slice[int, int, Any]] = [slice(start, stop) for start, stop in pairwise(ends)]
        self.nodes: list[Node | None] = [None] * len(self.tensors)
        self.parts: list[Array] = []
        self.flat: Array | None = None
        self.old: Array | None = None
        self.read_node: Callable[[Tensor], Node] = attrgetter("node")

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.at[-1].stop

    def fits(self) -> bool:
        """Whether the tensors have kept the shapes and the dtype they had."""
        if self.is_bound():
            return True
        values = [t.node._value for t in self.tensors]
        return all(v.shape == shape and v.dtype == self.dtype for v, shape in zip(values, self.shapes))

    def is_bound(self) -> bool:
        """Whether nobody has given a tensor another value since `bind`."""
        return all(map(is_, map(self.read_node, self.tensors), self.nodes))

    def read(self) -> Array:
        """The tensors' values in one flat array, for reading."""
        if self.flat is not None and self.is_bound():
            return self.flat
        return self.gather([t.node._value for t in self.tensors])

    def gather(self, values: Sequence[Array], out: Array | None = None) -> Array:
        """Values of these shapes in one flat array: in `out`, or where they are if there is one."""
        if len(values) == 1:
            return values[0].reshape(-1).astype(self.dtype, copy=False)
        if out is None:
            out = np.empty(self.size, self.dtype)
        return np.concatenate(values, axis=None, out=out, casting="unsafe")

    def space(self) -> Array:
        """A flat array that nobody else sees: the one before the last `bind`, or a new one."""
        old = self.old
        self.old = None
        if old is not None and getrefcount(old) == ALONE and old.flags.writeable:
            return old
        return np.empty(self.size, self.dtype)

    def own(self) -> Array:
        """The tensors' own flat array if nobody else sees it, else a new one."""
        flat = self.flat
        if (
            flat is not None
            and self.is_bound()
            and flat.flags.writeable
            and getrefcount(flat) == ALONE + 1 + len(self.parts)
            and _counts(self.parts).count(HELD_ONCE) == len(self.parts)
            and _counts(self.nodes).count(HELD_ONCE) == len(self.parts)
        ):
            self.old = None
            return flat
        return self.space()

    def bind(self, flat: Array) -> None:
        """Make the tensors stand for the values in `flat`, which nobody else may write to."""
        if flat is self.flat:
            return
        nodes: list[Node | None] = []
        parts: list[Array] = []
        # a tensor that shares another's memory has to look there first
        plain = all(tensor._view is None for tensor in self.tensors)
        self.read_node = read = attrgetter("_node" if plain else "node")
        for tensor, at, shape in zip(self.tensors, self.at, self.shapes):
            part = flat[at] if len(shape) == 1 else flat[at].reshape(shape)
            before = read(tensor)
            if before.op is None:
                node = seal(part, None, (), before.params, before.tracked)
            else:
                node = replace(before, seal(part))
            if tensor._view is None:
                tensor._node = node
            else:
                node = _bind_view(tensor, node)
            nodes.append(node)
            parts.append(part)
        self.old, self.flat, self.nodes, self.parts = self.flat, flat, nodes, parts


def _bind_view(tensor: Tensor, node: Node) -> Node:
    token = grad_mode.set(False)
    try:
        tensor.rebind(node)
    finally:
        grad_mode.reset(token)
    return tensor.node

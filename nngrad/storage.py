"""The memory that tensors lie in, as a program may ask for its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from .devices import CPU, device

if TYPE_CHECKING:
    from .tensor import Tensor


@final
class UntypedStorage:
    """The bytes that a tensor lies in, which a view shares with its base until one of them changes."""

    __slots__ = ("_memory",)

    def __init__(self, tensor: Tensor) -> None:
        memory: Any = tensor.node._value
        while isinstance(memory.base, np.ndarray):
            memory = memory.base
        self._memory: Any = memory

    @property
    def device(self) -> device:
        """The CPU."""
        return CPU

    def nbytes(self) -> int:
        """How many bytes there are."""
        return int(self._memory.nbytes)

    def size(self) -> int:
        """How many bytes there are."""
        return int(self._memory.nbytes)

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return int(self._memory.ctypes.data)

    def __len__(self) -> int:
        return int(self._memory.nbytes)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + int(self._memory.nbytes)

"""NumPy's numbers and arrays of numbers in a pickle: built from their bytes, of dtypes listed here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ..functional.dtypes import DType

_CODES: Final = frozenset(
    {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"},
)


class PickledDType:
    """A dtype, whose order of bytes follows."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, align: Any = False, copy: Any = True) -> None:
        if code not in _CODES:
            raise ValueError(f"an array of {code!r:.80}, which are no numbers")
        self.dtype: DType = np.dtype(code)

    def build(self, state: Any) -> None:
        """Take what a pickle says of the dtype. Raises ValueError for more than the order of bytes."""
        if type(state) is not tuple or len(state) < 5 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("a dtype of no known order")
        if state[2:5] != (None, None, None):
            raise ValueError("a dtype with parts")
        self.dtype = self.dtype.newbyteorder(state[1])


class PickledArray:
    """An array, whose shape and elements follow."""

    __slots__ = ()

    def build(self, state: Any) -> Any:
        """The array. Raises ValueError where its bytes are not those of its shape."""
        _, shape, kind, fortran, content = state
        if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("an array of no shape")
        if type(kind) is not PickledDType or type(content) is not bytes:
            raise ValueError("an array of no numbers")
        if math.prod(shape) * kind.dtype.itemsize != len(content):
            raise ValueError(f"an array of shape {shape} in {len(content)} bytes")
        array = np.frombuffer(content, kind.dtype).reshape(shape, order="F" if fortran else "C")
        return array.astype(kind.dtype.newbyteorder("="), order="K")


def _array(kind: Any, shape: Any, code: Any) -> PickledArray:
    return PickledArray()


def _of_buffer(content: Any, kind: Any, shape: Any, order: Any, *_: Any) -> Any:
    if order not in ("C", "F") or type(content) not in (bytes, bytearray):
        raise ValueError("an array of no known order")
    return PickledArray().build((1, shape, kind, order == "F", bytes(content)))


def _scalar(kind: Any, content: Any) -> Any:
    if type(kind) is not PickledDType or type(content) is not bytes or len(content) != kind.dtype.itemsize:
        raise ValueError("a number of no known size")
    return np.frombuffer(content, kind.dtype)[0]


#: what NumPy's names stand for, in its second version and before
CALLS: Final[dict[str, Callable[..., Any]]] = {
    "numpy.dtype": PickledDType,
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray._reconstruct": _array for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _of_buffer for core in ("core", "_core")},
}

"""Rows of a matrix: their sums, and a number for each of them, whichever way is fastest for their length.

NumPy begins an inner loop for every row that it sums or broadcasts a number over, in the time that 50 to
500 elements take. Products with ones go to BLAS, and short rows are worked on as one long one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from .dtypes import DType

#: rows shorter than this are multiplied before they are summed
_SUMMED: Final = 48
#: rows shorter than this are given their number once for every element
_REPEATED: Final = 32


@lru_cache(64)
def _ones(size: int, dtype: DType) -> Any:
    vector = np.ones(size, dtype)
    vector.flags.writeable = False
    return vector


def ones(size: int, dtype: DType) -> Any:
    """A vector to take sums with, as products with it."""
    return _ones(1 << size.bit_length(), dtype)[:size]


def row_sums(x: Any) -> Any:
    """The sum of each row of a floating matrix."""
    return np.dot(x, ones(x.shape[1], x.dtype))


def column_sums(x: Any) -> Any:
    """The sum of each column of a matrix."""
    if x.dtype.char in "fd":
        return ones(len(x), x.dtype).dot(x)
    return np.add.reduce(x, 0)


def row_dots(a: Any, b: Any, spare: Any) -> Any:
    """The sum of each row of `a * b`, two floating matrices; `spare` is one to write to."""
    if a.shape[1] < _SUMMED:
        return row_sums(np.multiply(a, b, out=spare))
    return np.vecdot(a, b)


def by_row(ufunc: np.ufunc, x: Any, numbers: Any, out: Any) -> Any:
    """`ufunc(x, numbers[:, None])`: a number for each row; x is in row-major order."""
    width = x.shape[1]
    if width < _REPEATED:
        return ufunc(x, np.repeat(numbers, width).reshape(x.shape), out=out)
    return ufunc(x, numbers[:, None], out=out)

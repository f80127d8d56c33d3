"""Which dtype an operation computes in: PyTorch's promotion rules over NumPy's dtypes.

Python numbers are weak (they take the array's dtype unless their category is higher), a 0-d
operand gives way to a dimensioned one of its own category, and integers meet floats in the
float's dtype. Source: PyTorch's "Tensor Attributes" page, section torch.dtype.
"""

from __future__ import annotations

from typing import Final, Protocol, TypeAlias, TypeVar

import numpy as np

Scalar: TypeAlias = np.bool_ | np.number
#: an array of numbers. What gives an array says so of bools too: NumPy types arithmetic on numbers.
Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.number]]
#: an array of numbers or bools: what is taken for an array
AnyArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Scalar]]
DType: TypeAlias = np.dtype[Scalar]
Number: TypeAlias = bool | int | float | complex
T_co = TypeVar("T_co", covariant=True)


class Nested(Protocol[T_co]):
    """Nested sequences. (No str, which would be a sequence of strings: it contains only strings.)"""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> T_co | Nested[T_co]: ...
    def __contains__(self, item: object, /) -> bool: ...


_CATEGORY: Final = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
_BOOL: Final[DType] = np.dtype(np.bool_)
_INT64: Final[DType] = np.dtype(np.int64)
_SINGLE: Final[DType] = np.dtype(np.float32)
_COMPLEX_OF: Final[dict[str, DType]] = {
    "e": np.dtype(np.complex64),
    "f": np.dtype(np.complex64),
    "d": np.dtype(np.complex128),
}

_default: DType = np.dtype(np.float32)


def get_default_dtype() -> DType:
    """The dtype that Python floats take where nothing else decides: float32 at first."""
    return _default


def set_default_dtype(dtype: DType) -> None:
    """Choose the dtype of new floating-point values.

    Raises TypeError unless `dtype` is a floating-point dtype.
    """
    global _default
    if dtype.kind != "f":
        raise TypeError(f"set_default_dtype: only floating-point dtypes are supported, got {dtype}")
    _default = dtype


def category(dtype: DType, op: str) -> int:
    """0 bool, 1 integer, 2 floating, 3 complex. Raises TypeError for what holds no numbers."""
    try:
        return _CATEGORY[dtype.kind]
    except KeyError:
        raise TypeError(f"{op}: arrays of dtype {dtype} hold no numbers") from None


def number_dtype(value: Number) -> DType:
    """The dtype of a Python number on its own."""
    if isinstance(value, bool):
        return _BOOL
    if isinstance(value, int):
        return _INT64
    return _default if isinstance(value, float) else _COMPLEX_OF[_default.char]


def wide(dtype: DType) -> DType:
    """float32 for float16, whose squares and sums overflow or vanish; any other as it is."""
    return _SINGLE if dtype.char == "e" else dtype


def promote_types(a: DType, b: DType) -> DType:
    """The dtype that holds both, as `torch.promote_types`: a higher category wins as it is."""
    ca, cb = category(a, "promote_types"), category(b, "promote_types")
    if ca == cb or 3 in (ca, cb):
        return np.promote_types(a, b) if min(ca, cb) >= 2 or ca == cb else (a if ca > cb else b)
    return a if ca > cb else b


def result_type(op: str, operands: list[tuple[DType, int] | Number]) -> DType:
    """The common dtype of operands, each a Python number or an array's (dtype, ndim).

    Dimensioned arrays decide; a 0-d array counts only if its category is higher, a Python number
    only if its category is higher still.
    """
    levels: list[DType | None] = [None, None, None]
    for operand in operands:
        if isinstance(operand, tuple):
            dtype, level = operand[0], 0 if operand[1] else 1
        else:
            dtype, level = number_dtype(operand), 2
        category(dtype, op)
        seen = levels[level]
        levels[level] = dtype if seen is None else promote_types(seen, dtype)
    result: DType | None = None
    for dtype_ in levels:
        if dtype_ is None:
            continue
        if result is None:
            result = dtype_
        elif category(dtype_, op) > category(result, op):
            result = promote_types(result, dtype_)
    if result is None:
        raise TypeError(f"{op}: no operands to take a dtype from")
    return result

"""PyTorch's names for NumPy's dtypes."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

import numpy as np

from .functional import dtypes as core
from .functional.dtypes import AnyArray, DType
from .naming import library


@final
class dtype:
    """The type of a tensor's elements. NumPy takes it wherever it takes a dtype of its own."""

    __slots__ = ("dtype", "name")

    dtype: DType

    def __init__(self, name: str, numpy: DType | None = None) -> None:
        self.name: str = name
        if numpy is not None:
            self.dtype = numpy

    @property
    def is_floating_point(self) -> builtins.bool:
        """Whether this is a floating-point dtype."""
        return self.dtype.kind == "f"

    @property
    def is_complex(self) -> builtins.bool:
        """Whether this is a complex dtype."""
        return self.dtype.kind == "c"

    @property
    def itemsize(self) -> builtins.int:
        """Bytes per element."""
        return self.dtype.itemsize

    def __repr__(self) -> str:
        return f"{library()}.{self.name}"

    if not TYPE_CHECKING:  # declared, it would let checkers accept every name

        def __getattr__(self, name):
            if name == "dtype":  # one that has a name alone
                why = "as NumPy has none: use float32" if self is bfloat16 else "use int64"
                raise TypeError(f"nngrad has no {self.name} numbers, {why}")
            raise AttributeError(f"a dtype has no attribute {name!r}")

    def __reduce__(self) -> tuple[object, tuple[DType]]:
        return of, (self.dtype,)


float16: Final = dtype("float16", np.dtype(np.float16))
float32: Final = dtype("float32", np.dtype(np.float32))
float64: Final = dtype("float64", np.dtype(np.float64))
uint8: Final = dtype("uint8", np.dtype(np.uint8))
int8: Final = dtype("int8", np.dtype(np.int8))
int16: Final = dtype("int16", np.dtype(np.int16))
int32: Final = dtype("int32", np.dtype(np.int32))
int64: Final = dtype("int64", np.dtype(np.int64))
bool: Final = dtype("bool", np.dtype(np.bool_))
complex64: Final = dtype("complex64", np.dtype(np.complex64))
complex128: Final = dtype("complex128", np.dtype(np.complex128))
#: for programs that name it and then choose another: asking for such numbers is an error
bfloat16: Final = dtype("bfloat16")
uint16: Final = dtype("uint16")
uint32: Final = dtype("uint32")
uint64: Final = dtype("uint64")
half: Final = float16
float: Final = float32
double: Final = float64
short: Final = int16
int: Final = int32
long: Final = int64
cfloat: Final = complex64
cdouble: Final = complex128

_BY_NUMPY: Final = {
    d.dtype: d
    for d in (float16, float32, float64, uint8, int8, int16, int32, int64, bool, complex64, complex128)
}

#: what PyTorch calls a kind of tensor, less its `Tensor`
KINDS: Final = {
    float16: "Half",
    float32: "Float",
    float64: "Double",
    uint8: "Byte",
    int8: "Char",
    int16: "Short",
    int32: "Int",
    int64: "Long",
    bool: "Bool",
    complex64: "ComplexFloat",
    complex128: "ComplexDouble",
}

DTypeLike: TypeAlias = dtype | DType | type[np.generic]


def of(numpy: DType) -> dtype:
    """The dtype that stands for NumPy's. Raises TypeError if none does."""
    try:
        return _BY_NUMPY[numpy]
    except KeyError:
        raise TypeError(f"nngrad has no dtype for NumPy's {numpy}") from None


def to_numpy(given: DTypeLike) -> DType:
    """NumPy's dtype for one of ours or its own. Raises TypeError for what is no dtype."""
    if isinstance(given, dtype):
        return given.dtype
    found: Any = np.dtype(given)
    return of(found).dtype


def convert(op: str, values: AnyArray, target: DType) -> AnyArray:
    """Values that a program wrote down, in the dtype it asks for.

    Raises RuntimeError for those that the dtype cannot hold (negative ones wrap in unsigned
    dtypes, as in PyTorch, and a float may become infinite).
    """
    bad = False
    if target.kind in "iu" and values.size and values.dtype.kind in "iuf":
        limits = np.iinfo(target.str)
        low, high = min(limits.min, -limits.max), limits.max
        bad = not (low <= values.min() and values.max() <= high)
    elif values.dtype.kind == "c" and target.kind not in "bc":
        bad, values = builtins.bool(np.any(values.imag)), values.real
    if bad:
        raise RuntimeError(f"{op}: value cannot be converted to type {target} without overflow")
    with np.errstate(over="ignore"):
        if target.kind == "u" and values.dtype.kind == "f":
            values = values.astype(np.int64)
        return values.astype(target)


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats: float32 unless changed."""
    return of(core.get_default_dtype())


def set_default_dtype(d: DTypeLike) -> None:
    """Choose the dtype of tensors made from Python floats. Raises TypeError unless it is floating."""
    core.set_default_dtype(to_numpy(d))


def promote_types(type1: DTypeLike, type2: DTypeLike) -> dtype:
    """The smallest dtype that holds both, a higher category as it is: float16 for float16 and int64."""
    return of(core.promote_types(to_numpy(type1), to_numpy(type2)))


@final
class finfo:
    """The limits of a floating-point dtype (the default one unless told), as Python's floats.

    Raises TypeError for a dtype that is not floating-point.

    >>> finfo(float32).max
    3.4028234663852886e+38
    """

    def __init__(self, type: DTypeLike | None = None) -> None:
        kind: Any = core.get_default_dtype() if type is None else to_numpy(type)
        if kind.kind not in "fc":
            raise TypeError(f"finfo: requires a floating point dtype, got {kind}; use nngrad.iinfo")
        limits: Any = np.finfo(kind)
        self.dtype: str = of(limits.dtype).name
        self.bits: builtins.int = limits.bits
        self.eps: builtins.float = limits.eps.item()
        self.max: builtins.float = limits.max.item()
        self.min: builtins.float = limits.min.item()
        self.tiny: builtins.float = limits.tiny.item()
        self.smallest_normal: builtins.float = self.tiny
        self.resolution: builtins.float = limits.resolution.item()

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        told = ", ".join([f"{name}={getattr(self, name):g}" for name in names])
        return f"finfo({told}, dtype={self.dtype})"


@final
class iinfo:
    """The limits of an integer dtype. Raises TypeError for another.

    >>> iinfo(int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: DTypeLike) -> None:
        kind: Any = to_numpy(type)
        if kind.kind not in "iu":
            raise TypeError(f"iinfo: requires an integer dtype, got {kind}; use nngrad.finfo")
        limits: Any = np.iinfo(kind)
        self.dtype: str = of(kind).name
        self.bits: builtins.int = limits.bits
        self.max: builtins.int = limits.max
        self.min: builtins.int = limits.min

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"

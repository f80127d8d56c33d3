"""Tensors from sizes, numbers, sequences and arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, overload

import numpy as np

from . import dtypes
from .devices import Device as Device, check_device as check_device, check_place
from .dtypes import DTypeLike
from .functional.dtypes import AnyArray, DType, Number, get_default_dtype, number_dtype
from .functional.node import as_node, constant, seal
from .functional.shape import sizes_of
from .lifting import TensorLike, wrap
from .tensor import Tensor, TensorData, node_from

if TYPE_CHECKING:
    from typing import Unpack

    from .devices import Place, PlaceLike

Sizes: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Real: TypeAlias = bool | int | float | Tensor


def checked_sizes(op: str, sizes: tuple[Sizes, ...], size: Sizes | None = None) -> tuple[int, ...]:
    """Sizes given one by one, as one sequence, or by name.

    Raises TypeError for what are no integers, RuntimeError for a negative one.
    """
    if size is not None:
        if sizes:
            raise TypeError(f"{op}: got sizes {sizes} and size={size}")
        sizes = (size,)
    elif not sizes:
        raise TypeError(f"{op}() missing 1 required positional argument: 'size'")
    try:
        found = sizes_of(sizes)
    except (TypeError, AttributeError):
        raise TypeError(f"{op}: size must be integers, or one sequence of them, got {sizes}") from None
    if min(found, default=0) < 0:
        raise RuntimeError(
            f"{op}: Trying to create tensor with negative dimension {min(found)}: {list(found)}"
        )
    return found


def made(array: AnyArray, requires_grad: bool = False) -> Tensor:
    """A tensor on an array that nobody else holds."""
    new = wrap(seal(array))
    return new.requires_grad_() if requires_grad else new


def _numpy(dtype: DTypeLike | None, otherwise: DType | None = None) -> DType:
    return (otherwise or get_default_dtype()) if dtype is None else dtypes.to_numpy(dtype)


def multiply_add(x: Any, scale: float, shift: float) -> Any:
    """`x * scale + shift` in the dtype of x, float32 or float64, rounded once as PyTorch's kernels do."""
    if x.dtype.char == "f":
        return (x * np.float64(np.float32(scale)) + np.float64(np.float32(shift))).astype(x.dtype)
    product = x * scale
    (high, low), (scale_high, scale_low) = _halves(x), _halves(np.float64(scale))
    lost = ((high * scale_high - product) + high * scale_low + low * scale_high) + low * scale_low
    total = product + shift
    part = total - product
    return total + ((product - (total - part)) + (shift - part) + lost)


def _halves(x: Any) -> tuple[Any, Any]:
    """float64 as a sum of two numbers of 26 bits (T. J. Dekker, 1971), whose products are exact."""
    shifted = x * 134217729.0
    high = shifted - (shifted - x)
    return high, x - high


# ---------------------------------------------------------------- from data


def tensor(
    data: TensorData,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """A leaf with a copy of `data`: numbers, nested sequences of them, an array or a tensor.

    Python floats take the default dtype, Python integers int64; arrays and tensors keep theirs.
    Raises ValueError for ragged sequences, TypeError for what are no numbers, RuntimeError where
    the dtype cannot require grad.

    >>> tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    check_place("tensor", place)
    new = wrap(node_from(data, dtype))
    return new.requires_grad_() if requires_grad else new


def as_tensor(data: TensorData, dtype: DTypeLike | None = None, device: Device = None) -> Tensor:
    """`data` itself if it is a tensor of that dtype, else a tensor made from it.

    A tensor of another dtype is converted, and stays in its graph; arrays are taken as by
    `from_numpy`.

    >>> as_tensor([1, 2])
    tensor([1, 2])
    """
    check_device("as_tensor", device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray):
        return from_numpy(data) if dtype is None else from_numpy(data).to(dtype)
    return wrap(node_from(data, dtype))


def from_numpy(ndarray: AnyArray) -> Tensor:
    """A tensor with the values of an array.

    A read-only array is shared. A writable one is copied, unlike PyTorch, which would share it:
    tensors stand on values that nothing may change behind their back, so that a gradient is always
    that of the numbers that were there. Raises TypeError for what is no array of numbers.

    >>> from_numpy(np.array([1, 2]))
    tensor([1, 2])
    """
    if not hasattr(ndarray, "__array_function__") or hasattr(ndarray, "node"):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.of(ndarray.dtype)
    return wrap(constant(ndarray))


def frombuffer(
    buffer: bytes | bytearray | memoryview | AnyArray,
    *,
    dtype: DTypeLike,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the bytes of an object, as a copy unless nothing can write to it.

    count: how many elements there are, -1 for all. offset: where the first begins, in bytes. Raises
    ValueError for a buffer that holds too few bytes, or none.

    >>> from nngrad import uint8
    >>> frombuffer(b"ab", dtype=uint8)
    tensor([97, 98], dtype=nngrad.uint8)
    """
    elements = np.frombuffer(buffer, dtypes.to_numpy(dtype), count, offset)
    found = wrap(constant(elements))
    return found.requires_grad_() if requires_grad else found


# ---------------------------------------------------------------- from sizes


def zeros(
    *sizes: Sizes,
    size: Sequence[SupportsIndex] | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Zeros; the sizes one by one or as a sequence. Raises RuntimeError for a negative size.

    >>> zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    check_place("zeros", place)
    return made(np.zeros(checked_sizes("zeros", sizes, size), _numpy(dtype)), requires_grad)


def ones(
    *sizes: Sizes,
    size: Sequence[SupportsIndex] | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Ones; the sizes one by one or as a sequence. Raises RuntimeError for a negative size.

    >>> ones(2)
    tensor([1., 1.])
    """
    check_place("ones", place)
    return made(np.ones(checked_sizes("ones", sizes, size), _numpy(dtype)), requires_grad)


def empty(
    *sizes: Sizes,
    size: Sequence[SupportsIndex] | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Numbers that happen to lie in memory, to be written over. Raises RuntimeError for a negative size.

    >>> empty(2, 3).shape
    nngrad.Size([2, 3])
    """
    check_place("empty", place)
    return made(np.empty(checked_sizes("empty", sizes, size), _numpy(dtype)), requires_grad)


def full(
    size: Sequence[SupportsIndex],
    fill_value: Number | Tensor,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """One number everywhere, in the number's dtype (int64, bool, the default float) unless told.

    Raises RuntimeError for a negative size, or a number that the dtype cannot hold.

    >>> full((2,), 7)
    tensor([7, 7])
    """
    check_place("full", place)
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    kind = fill_value.node.dtype if isinstance(fill_value, Tensor) else number_dtype(value)
    return made(_filled("full", checked_sizes("full", (size,)), value, _numpy(dtype, kind)), requires_grad)


def _filled(op: str, shape: tuple[int, ...], value: Number, dtype: DType) -> AnyArray:
    return np.full(shape, dtypes.convert(op, np.array(value), dtype), dtype)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """n rows and m columns (n unless given): ones on the diagonal, zeros elsewhere.

    Raises RuntimeError for a negative size.

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_place("eye", place)
    rows, columns = checked_sizes("eye", (n, n if m is None else m))
    return made(np.eye(rows, columns, dtype=_numpy(dtype)), requires_grad)


@overload
def arange(
    end: Real,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor: ...
@overload
def arange(
    start: Real,
    end: Real,
    step: Real = 1,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor: ...
def arange(*args: Any, **options: Any) -> Tensor:
    """start, start + step, ... up to `end`, which is left out: arange(end), arange(start, end, step).

    int64 if all are integers, else the default dtype. Raises RuntimeError for a step of 0 or of
    the wrong sign, or a range that is not finite.

    >>> arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    alone = len(args) + len(options.keys() & {"start", "end"}) < 2
    return _arange(0, *args, **options) if alone else _arange(*args, **options)


def _arange(
    start: Real,
    end: Real,
    step: Real = 1,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    check_place("arange", place)
    bounds = [_number("arange", bound) for bound in (start, end, step)]
    whole = all(isinstance(bound, int) for bound in bounds)
    kind = _numpy(dtype, np.dtype(np.int64) if whole else None)
    if kind.kind not in "iuf":
        raise NotImplementedError(f"arange: not implemented for {kind}")
    if not all(math.isfinite(bound) for bound in bounds):
        raise RuntimeError(f"arange: unsupported range: {bounds[0]} -> {bounds[1]} by {bounds[2]}")
    first, last, by = bounds if kind.kind == "f" else [int(bound) for bound in bounds]
    if not by:
        raise RuntimeError("arange: step must be nonzero")
    if (last - first) * by < 0:
        raise RuntimeError(
            f"arange: upper bound and lower bound inconsistent with step sign: {first} -> {last} by {by}"
        )
    if kind == np.int64:
        count = len(range(int(first), int(last), int(by)))
    else:  # by the numbers as they are given, also where whole ones are asked for
        count = max(math.ceil((bounds[1] - bounds[0]) / bounds[2]), 0)
    return made(np.add(first, np.multiply(by, np.arange(count))).astype(kind, copy=False), requires_grad)


def _number(op: str, value: Real) -> int | float:
    number = value.item() if isinstance(value, Tensor) else value
    if isinstance(number, complex) or not hasattr(number, "__float__"):
        raise TypeError(f"{op}: expected real numbers, got {type(number).__name__}")
    return number


def linspace(
    start: Real,
    end: Real,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """`steps` numbers in equal distances, from `start` to `end` inclusive.

    Raises RuntimeError for a negative number of steps.

    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_place("linspace", place)
    kind = _numpy(dtype)
    first, last, step, ahead = _even_steps("linspace", start, end, steps, kind)
    # counted from the nearer end, so that both are exact
    values: Any = np.where(
        ahead < max(steps // 2, 2 - steps),
        multiply_add(ahead, step, first),
        multiply_add(ahead[::-1], -step, last),
    )
    return made(values.astype(kind), requires_grad)


def logspace(
    start: Real,
    end: Real,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """`base` to the power of `steps` numbers in equal distances, from `start` to `end` inclusive.

    Raises RuntimeError for a negative number of steps.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    check_place("logspace", place)
    kind = _numpy(dtype)
    first, last, step, ahead = _even_steps("logspace", start, end, steps, kind)
    ahead = ahead.astype(np.float64)
    exponents = np.where(ahead < max(steps // 2, 2 - steps), first + step * ahead, last - step * ahead[::-1])
    with np.errstate(all="ignore"):
        return made(np.power(float(base), exponents).astype(kind), requires_grad)


def _even_steps(op: str, start: Real, end: Real, steps: int, kind: DType) -> tuple[float, float, float, Any]:
    """Both ends, the distance between two numbers, and how many distances each is from the start."""
    if steps < 0:
        raise RuntimeError(f"{op}: number of steps must be non-negative, got {steps}")
    real = np.float32 if kind.char in "ef" else np.float64
    ends = [_number(op, end) for end in (start, end)]
    first, last = [real(int(end) if kind.kind in "iu" and steps > 1 else end) for end in ends]
    return (
        float(first),
        float(last),
        float((last - first) / real(max(steps - 1, 1))),
        np.arange(steps, dtype=real),
    )


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None, **place: Unpack[Place]
) -> Tensor:
    """The rows and the columns of the lower triangle of a matrix, in row-major order: shape (2, n).

    int64 unless told. Raises RuntimeError for a negative size.

    >>> tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    check_place("tril_indices", place)
    rows, columns = checked_sizes("tril_indices", (row, col))
    return _indices(np.tri(rows, columns, offset, np.bool_), dtype)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None, **place: Unpack[Place]
) -> Tensor:
    """The rows and the columns of the upper triangle of a matrix, in row-major order: shape (2, n).

    int64 unless told. Raises RuntimeError for a negative size.

    >>> triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    check_place("triu_indices", place)
    rows, columns = checked_sizes("triu_indices", (row, col))
    return _indices(~np.tri(rows, columns, offset - 1, np.bool_), dtype)


def _indices(mask: Any, dtype: DTypeLike | None) -> Tensor:
    return made(np.array(np.nonzero(mask), _numpy(dtype, np.dtype(np.int64))))


# ---------------------------------------------------------------- like another


def zeros_like(
    input: TensorLike,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[PlaceLike],
) -> Tensor:
    """Zeros in the shape (and dtype, unless one is given) of `input`.

    >>> zeros_like(tensor([1, 2]))
    tensor([0, 0])
    """
    check_place("zeros_like", place)
    x = as_node(input)
    return made(np.zeros(x.shape, _numpy(dtype, x.dtype)), requires_grad)


def ones_like(
    input: TensorLike,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[PlaceLike],
) -> Tensor:
    """Ones in the shape (and dtype, unless one is given) of `input`.

    >>> ones_like(tensor([0, 2]))
    tensor([1, 1])
    """
    check_place("ones_like", place)
    x = as_node(input)
    return made(np.ones(x.shape, _numpy(dtype, x.dtype)), requires_grad)


def empty_like(
    input: TensorLike,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[PlaceLike],
) -> Tensor:
    """Numbers that happen to lie in memory, in the shape (and dtype, unless given) of `input`.

    >>> empty_like(tensor([0, 2])).shape
    nngrad.Size([2])
    """
    check_place("empty_like", place)
    x = as_node(input)
    return made(np.empty(x.shape, _numpy(dtype, x.dtype)), requires_grad)


def full_like(
    input: TensorLike,
    fill_value: Number | Tensor,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[PlaceLike],
) -> Tensor:
    """One number everywhere, in the shape (and dtype, unless one is given) of `input`.

    Raises RuntimeError for a number that the dtype cannot hold.

    >>> full_like(tensor([0, 2]), 7)
    tensor([7, 7])
    """
    check_place("full_like", place)
    x = as_node(input)
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return made(_filled("full_like", x.shape, value, _numpy(dtype, x.dtype)), requires_grad)

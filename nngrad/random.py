"""Random numbers: for the same seed the ones that PyTorch draws on a CPU.

The generator is the Mersenne Twister (MT19937). Uniform numbers, integers and permutations equal
PyTorch's bit for bit; normal ones equal them up to the rounding of log, sin and cos (a few units
in the last place). Exception: on some Intel machines PyTorch's own `bernoulli_(p)` with a number
`p` draws from another generator (MKL's); here it always draws as PyTorch does elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np

from . import dtypes
from .creation import Sizes, checked_sizes, made, multiply_add
from .devices import check_place
from .dtypes import DTypeLike
from .functional.dtypes import DType, get_default_dtype
from .functional.node import seal
from .generator import MANTISSA, Generator as Generator, default_generator as default_generator
from .tensor import Tensor

if TYPE_CHECKING:
    from typing import Unpack

    from .devices import Place, PlaceLike


def manual_seed(seed: SupportsIndex) -> Generator:
    """Start the default generator over from a seed. Raises ValueError unless it fits 64 bits."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator over from a seed the operating system draws; returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator; see `Generator.get_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator go on from a state; see `Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Sequence[object] | None = None, enabled: bool = True) -> Iterator[None]:
    """In the block draw from where the default generator stands; afterwards it stands there again.

    devices: PyTorch's, of accelerators: there are none. enabled: whether to do so at all.
    """
    state = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            set_rng_state(state)


# ---------------------------------------------------------------- new tensors


def floating(op: str, dtype: DTypeLike | DType | None) -> DType:
    """The dtype to draw in. Raises NotImplementedError unless it is a floating-point one."""
    chosen = get_default_dtype() if dtype is None else dtypes.to_numpy(dtype)
    if chosen.char not in MANTISSA:
        raise NotImplementedError(f"{op}: not implemented for {chosen}: a floating-point dtype is needed")
    return chosen


def rand(
    *sizes: Sizes,
    size: Sequence[SupportsIndex] | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Uniform numbers in [0, 1). Raises NotImplementedError unless the dtype is floating.

    >>> rand(2, 3).shape
    nngrad.Size([2, 3])
    """
    check_place("rand", place)
    real, shape = floating("rand", dtype), checked_sizes("rand", sizes, size)
    drawn = (generator or default_generator).uniform(math.prod(shape), real).astype(real, copy=False)
    return made(_below(drawn, 0.0, 1.0).reshape(shape), requires_grad)


def randn(
    *sizes: Sizes,
    size: Sequence[SupportsIndex] | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Normal numbers of mean 0, variance 1. Raises NotImplementedError unless the dtype is floating.

    >>> randn(2, 3).shape
    nngrad.Size([2, 3])
    """
    check_place("randn", place)
    real, shape = floating("randn", dtype), checked_sizes("randn", sizes, size)
    drawn = (generator or default_generator).normal(math.prod(shape), real)
    return made(drawn.astype(real, copy=False).reshape(shape), requires_grad)


def rand_like(
    input: Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False, **place: Unpack[PlaceLike]
) -> Tensor:
    """Uniform numbers in [0, 1) in the shape (and dtype, unless one is given) of `input`."""
    check_place("rand_like", place)
    drawn = rand(input.numel(), dtype=input.dtype if dtype is None else dtype)
    return made(arranged(input, drawn.node._value), requires_grad)


def randn_like(
    input: Tensor, *, dtype: DTypeLike | None = None, requires_grad: bool = False, **place: Unpack[PlaceLike]
) -> Tensor:
    """Normal numbers of mean 0, variance 1 in the shape (and dtype, unless given) of `input`."""
    check_place("randn_like", place)
    drawn = randn(input.numel(), dtype=input.dtype if dtype is None else dtype)
    return made(arranged(input, drawn.node._value), requires_grad)


def _below(drawn: Any, low: float, high: float) -> Any:
    """Draws that rounding took to the upper bound, which is left out, are the lower one."""
    drawn[drawn == drawn.dtype.type(high)] = low
    return drawn


def _checked_span(op: str, low: int, high: int, dtype: DType) -> int:
    """high - low. Raises RuntimeError for an empty range, or one that leaves the dtype's."""
    if low >= high:
        raise RuntimeError(f"{op} expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype.kind == "b":
        first, last = 0, 1
    else:
        limits = np.iinfo(dtype.str) if dtype.kind in "iu" else np.finfo(dtype.str)
        first, last = int(limits.min), int(limits.max)
    for name, value in (("from", low), ("to - 1", high - 1)):
        if not first <= value <= last:
            raise RuntimeError(f"{op}: {name} is out of bounds for {dtype}: {value}")
    return high - low


@overload
def randint(
    high: int,
    size: Sequence[SupportsIndex],
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor: ...
@overload
def randint(
    low: int,
    high: int,
    size: Sequence[SupportsIndex],
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor: ...
def randint(*args: Any, **options: Any) -> Tensor:
    """Integers in [low, high) with equal chances; `low` is 0 if left out. int64 unless told.

    Raises RuntimeError for an empty range or bounds that the dtype cannot hold, TypeError where
    `high` or `size` is missing.

    >>> randint(10, (2, 3)).shape
    nngrad.Size([2, 3])
    """
    bounds = len(args) + len(options.keys() & {"low", "high", "size"})
    return _randint(*args, **options) if bounds > 2 else _randint(0, *args, **options)


def _randint(
    low: SupportsIndex,
    high: SupportsIndex,
    size: Sequence[SupportsIndex],
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    check_place("randint", place)
    kind: DType = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    shape, first = checked_sizes("randint", (size,)), low.__index__()
    span = _checked_span("randint", first, high.__index__(), kind)
    drawn = (generator or default_generator).integers(math.prod(shape), first, span)
    return made(drawn.astype(kind, copy=False).reshape(shape), requires_grad)


@overload
def randint_like(
    input: Tensor,
    high: int,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[PlaceLike],
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    low: int,
    high: int,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[PlaceLike],
) -> Tensor: ...
def randint_like(input: Tensor, *bounds: Any, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Integers in [low, high) in the shape (and dtype, unless one is given) of `input`; see `randint`.

    Raises RuntimeError for an empty range or bounds that the dtype cannot hold.

    >>> randint_like(rand(2), 10).shape
    nngrad.Size([2])
    """
    if len(bounds) + len(options.keys() & {"low", "high"}) < 2:
        bounds = (0, *bounds)
    kind = input.dtype if dtype is None else dtype
    drawn: Callable[..., Tensor] = _randint
    return drawn(*bounds, size=input.shape, dtype=kind, **options)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """The integers from 0 to n - 1 in random order; int64 unless told.

    Raises RuntimeError for a negative n, or one that the dtype cannot hold.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    check_place("randperm", place)
    (count,) = checked_sizes("randperm", (n,))
    kind: DType = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    if kind.kind == "b":
        raise NotImplementedError(f"randperm: not implemented for {kind}")
    if count > largest_exact(kind):
        raise RuntimeError(f"randperm: {kind} does not hold the integers up to {count}")
    order = (generator or default_generator).permutation(count)
    return made(order.astype(kind, copy=False), requires_grad)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element of `input` is (or p, if it is given), else 0.

    Raises RuntimeError for a probability outside [0, 1].
    """
    if p is not None:
        return bernoulli_(made(np.empty(input.shape, input.node.dtype)), p, generator)
    real = floating("bernoulli", input.node.dtype)
    _check_chance("bernoulli", input.node._value)
    drawn = (generator or default_generator).uniform(input.numel(), real)
    return made(np.less(drawn.reshape(input.shape), input.node._value).astype(real))


def _check_chance(op: str, p: Any) -> None:
    fits = 0 <= p <= 1 if isinstance(p, float) else np.all(np.logical_and(p >= 0, p <= 1))
    if not fits:
        raise RuntimeError(f"{op} expects p to be in [0, 1], but got p={p}")


# ---------------------------------------------------------------- in place


def arranged(tensor: Tensor, drawn: Any) -> Any:
    """Draws in the shape of a tensor, one after the other as its elements lie in memory."""
    value = tensor.node._value
    if value.flags.c_contiguous or 0 in value.strides:
        return drawn.reshape(value.shape)
    order = sorted(range(value.ndim), key=lambda dim: -abs(value.strides[dim]))
    return drawn.reshape([value.shape[dim] for dim in order]).transpose(np.argsort(order))


def fill(tensor: Tensor, drawn: Any) -> Tensor:
    """Give a tensor the values that were drawn for it, in its dtype."""
    with np.errstate(over="ignore"):
        values = drawn.astype(tensor.node.dtype)
    tensor.assign(seal(np.asarray(arranged(tensor, values), order="C")))
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill a tensor with uniform numbers in [a, b).

    Raises RuntimeError if a > b, or for a leaf that requires grad while operations are recorded,
    NotImplementedError unless the dtype is floating.
    """
    tensor.check_writable("uniform_")
    real = floating("uniform_", tensor.node.dtype)
    if not a <= b:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
    drawn = (generator or default_generator).uniform(tensor.numel(), real)
    low, high = (drawn.dtype.type(bound) for bound in (a, b))
    scaled = multiply_add(drawn, float(high - low), float(low)).astype(real, copy=False)
    return fill(tensor, _below(scaled, a, b))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill a tensor with normal numbers of a mean and a standard deviation.

    Raises RuntimeError for a negative std, or for a leaf that requires grad while operations are
    recorded, NotImplementedError unless the dtype is floating.
    """
    tensor.check_writable("normal_")
    real = floating("normal_", tensor.node.dtype)
    if not std >= 0.0:
        raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
    source = generator or default_generator
    blocks = tensor.node._value.flags.c_contiguous
    drawn = source.normal(tensor.numel(), real) if blocks else source.few_normal(tensor.numel())
    return fill(tensor, multiply_add(drawn, std, mean))


def bernoulli_(tensor: Tensor, p: float | Tensor = 0.5, generator: Generator | None = None) -> Tensor:
    """Fill a tensor with 1 with probability p (a number, or a tensor that broadcasts), else 0.

    Raises RuntimeError for a p outside [0, 1], or for a leaf that requires grad while operations
    are recorded.
    """
    tensor.check_writable("bernoulli_")
    chance: Any = p.node._value if isinstance(p, Tensor) else p
    real = floating("bernoulli_", p.node.dtype) if isinstance(p, Tensor) else np.dtype(np.float64)
    _check_chance("bernoulli_", chance)
    drawn = arranged(tensor, (generator or default_generator).uniform(tensor.numel(), real))
    tensor.assign(seal(np.asarray(np.less(drawn, chance)).astype(tensor.node.dtype)))
    return tensor


def random_(
    tensor: Tensor, low: int | None = None, high: int | None = None, generator: Generator | None = None
) -> Tensor:
    """Fill a tensor with integers in [low, high): random_(t, high) counts from 0.

    Without bounds, all non-negative integers that the dtype holds exactly. Raises RuntimeError for
    an empty range, bounds out of the dtype's, or a leaf that requires grad while operations are
    recorded.
    """
    tensor.check_writable("random_")
    kind, source = tensor.node.dtype, generator or default_generator
    if low is None and high is None:
        largest = largest_exact(kind)
        bits = 32 if largest < 1 << 32 else 64
        drawn = np.remainder(source.words(tensor.numel(), bits), np.uint64(largest + 1))
        return fill(tensor, drawn)
    first, end = (0, low) if high is None else (low or 0, high)
    span = _checked_span("random_", first, end, kind)  # type: ignore[arg-type]  # low or high is given
    return fill(tensor, source.integers(tensor.numel(), first, span))


def largest_exact(dtype: DType) -> int:
    """The largest integer up to which a dtype holds every one."""
    if dtype.kind == "b":
        return 1
    if dtype.kind in "iu":
        return int(np.iinfo(dtype.str).max)
    if dtype.char not in MANTISSA:
        raise NotImplementedError(f"random_: not implemented for {dtype}")
    return 1 << (np.finfo(dtype.str).nmant + 1)

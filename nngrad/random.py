"""Random numbers: for the same seed the ones that PyTorch draws on a CPU.

The generator is the Mersenne Twister (MT19937). Uniform numbers, integers and permutations equal
PyTorch's bit for bit; normal ones equal them up to the rounding of log, sin and cos (a few units
in the last place). Exception: on some Intel machines PyTorch's own `bernoulli_(p)` with a number
`p` draws from another generator (MKL's); here it always draws as PyTorch does elsewhere.
"""

from __future__ import annotations

import math
import os
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, SupportsIndex, overload

import numpy as np

from . import dtypes
from .creation import Device, Sizes, check_device, checked_sizes, made, multiply_add
from .dtypes import DTypeLike
from .functional.dtypes import DType, get_default_dtype
from .functional.node import seal
from .tensor import Tensor

_SEEDS: Final = range(-(1 << 63), 1 << 64)
_WORDS: Final = 624
_HEAD: Final = struct.Struct("<QiiQ")  # seed, draws until the next refill plus 1, seeded, next word
_TAIL: Final = struct.Struct("<dddi4xf?3x")  # (unused), second normal, (unused), whether it is there
_STATE_BYTES: Final = _HEAD.size + 8 * _WORDS + _TAIL.size
_BLOCK: Final = 16  # PyTorch draws this many normal numbers at a time, singly where there are fewer
_WIDE_RANGE: Final = 1 << 28  # from here on integers are taken from 64 bits

#: bits of a uniform number, by dtype: its mantissa, float16 being rounded from float32
_MANTISSA: Final = {"e": 24, "f": 24, "d": 53}


class Generator:
    """A source of random numbers with a seed. Draws from several threads do not mix."""

    __slots__ = ("__weakref__", "_bits", "_lock", "_seed", "_spare")

    def __init__(self, device: Device = None) -> None:
        check_device("Generator", device)
        self._lock = threading.RLock()
        self._spare: float | None = None  # the second of a pair of normal numbers
        self._bits: np.random.MT19937 | None = None  # made when first needed: numpy.random loads late
        self._seed = 67280421310721

    def manual_seed(self, seed: SupportsIndex) -> Generator:
        """Start over from a seed. Raises ValueError unless it fits 64 bits."""
        given = seed.__index__()
        if given not in _SEEDS:
            raise ValueError(f"manual_seed: Overflow when unpacking long long: {given} does not fit 64 bits")
        with self._lock:
            self._seed = given % (1 << 64)
            self._bits = None
            self._spare = None
        return self

    def seed(self) -> int:
        """Start over from a seed that the operating system draws; returns it."""
        seed = int.from_bytes(os.urandom(8), "little") >> 11
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed it started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """Where it stands: bytes (uint8) in PyTorch's layout, so that PyTorch can go on from there."""
        with self._lock:
            state: Any = self._twister().state["state"]
            words, position = state["key"], int(state["pos"])
            spare = self._spare
        head = _HEAD.pack(self._seed, _WORDS + 1 - position, 1, position)
        tail = _TAIL.pack(0.0, spare or 0.0, 0.0, spare is not None, 0.0, False)
        return made(np.frombuffer(bytearray(head + words.astype("<u8").tobytes() + tail), np.uint8))

    def set_state(self, new_state: Tensor) -> None:
        """Go on from a state that `get_state` gave, here or in PyTorch.

        Raises TypeError for what is no tensor of uint8, RuntimeError for one of another size.
        """
        if getattr(new_state, "dtype", None) is not dtypes.uint8:
            raise TypeError("set_state: expected a tensor of dtype uint8, as get_state gives")
        if new_state.shape != (_STATE_BYTES,):
            raise RuntimeError(
                f"set_state: expected a state of {_STATE_BYTES} bytes, got shape {tuple(new_state.shape)}"
            )
        given = new_state.node._value.tobytes()
        seed, left, _, position = _HEAD.unpack_from(given)
        _, spare, _, has_spare, _, _ = _TAIL.unpack_from(given, _STATE_BYTES - _TAIL.size)
        words = np.frombuffer(given, "<u8", _WORDS, _HEAD.size).astype(np.uint32)
        if not 0 <= position <= _WORDS:
            raise RuntimeError(f"set_state: the state's position {position} is not in [0, {_WORDS}]")
        bits = np.random.MT19937()
        bits.state = _twister_state(words, _WORDS if left == 1 else position)
        with self._lock:
            self._seed = seed
            self._bits = bits
            self._spare = spare if has_spare else None

    def _twister(self) -> np.random.MT19937:
        bits = self._bits
        if bits is None:
            seeded: Any = np.random.RandomState(self._seed & 0xFFFFFFFF).get_state(legacy=False)
            bits = np.random.MT19937()
            bits.state = seeded
            self._bits = bits
        return bits

    # ------------------------------------------------------------ draws, as flat arrays

    def words(self, count: int, bits: int = 32) -> Any:
        """Raw draws of 32 or 64 bits, as uint64."""
        with self._lock:
            raw = self._twister().random_raw(count if bits == 32 else 2 * count)
        if bits == 32:
            return raw
        return np.bitwise_or(np.left_shift(raw[0::2], np.uint64(32)), raw[1::2])

    def uniform(self, count: int, dtype: DType) -> Any:
        """Numbers in [0, 1): float64 for float64, else float32."""
        bits = _MANTISSA[dtype.char]
        real: Any = np.dtype(np.float64 if bits == 53 else np.float32)
        low = np.bitwise_and(self.words(count, 64 if bits == 53 else 32), np.uint64((1 << bits) - 1))
        return np.multiply(low.astype(real), np.array(2.0**-bits, real))

    def normal(self, count: int, dtype: DType) -> Any:
        """Numbers of mean 0 and variance 1: float64 where there are few, or for float64."""
        with self._lock:
            if count < _BLOCK:
                return np.array([self._one_normal() for _ in range(count)], np.float64)
            drawn = self.uniform(count, dtype)
            whole = count - count % _BLOCK
            drawn[:whole] = _box_muller(drawn[:whole])
            if whole < count:  # the last block is drawn anew, overlapping the one before
                drawn[-_BLOCK:] = _box_muller(self.uniform(_BLOCK, dtype))
            return drawn

    def _one_normal(self) -> float:
        spare = self._spare
        if spare is not None:
            self._spare = None
            return spare
        first, second = self.uniform(2, np.dtype(np.float64)).tolist()
        radius, angle = math.sqrt(-2.0 * math.log1p(-second)), 2.0 * math.pi * first
        self._spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def integers(self, count: int, low: int, span: int) -> Any:
        """Integers in [low, low + span), as the bits of int64."""
        if span >= 1 << 64:
            return self.words(count, 64).view(np.int64)
        drawn = np.remainder(self.words(count, 32 if span < _WIDE_RANGE else 64), np.uint64(span))
        return np.add(drawn, np.uint64(low % (1 << 64))).view(np.int64)


def _twister_state(words: Any, position: int) -> Any:
    return {"bit_generator": "MT19937", "state": {"key": words, "pos": position}}


def _box_muller(drawn: Any) -> Any:
    """Normal numbers from uniform ones, in blocks of 16: eight radii, then eight angles."""
    pairs = drawn.reshape(-1, 2, _BLOCK // 2)
    real: Any = drawn.dtype.type
    radius = np.sqrt(np.multiply(real(-2.0), np.log(np.subtract(real(1.0), pairs[:, 0]))))
    angle = np.multiply(real(2.0 * math.pi), pairs[:, 1])
    out = np.stack([np.multiply(radius, np.cos(angle)), np.multiply(radius, np.sin(angle))], 1)
    return out.reshape(-1)


#: The generator that is used where none is given, seeded by the operating system.
default_generator: Final = Generator()
default_generator.seed()


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


# ---------------------------------------------------------------- new tensors


def _floating(op: str, dtype: DTypeLike | DType | None) -> DType:
    chosen = get_default_dtype() if dtype is None else dtypes.to_numpy(dtype)
    if chosen.char not in _MANTISSA:
        raise NotImplementedError(f"{op}: not implemented for {chosen}: a floating-point dtype is needed")
    return chosen


def rand(
    *sizes: Sizes,
    size: Sequence[SupportsIndex] | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers in [0, 1). Raises NotImplementedError unless the dtype is floating.

    >>> rand(2, 3).shape
    nngrad.Size([2, 3])
    """
    check_device("rand", device)
    real, shape = _floating("rand", dtype), checked_sizes("rand", sizes, size)
    drawn = (generator or default_generator).uniform(math.prod(shape), real)
    return made(drawn.astype(real, copy=False).reshape(shape), requires_grad)


def randn(
    *sizes: Sizes,
    size: Sequence[SupportsIndex] | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of mean 0, variance 1. Raises NotImplementedError unless the dtype is floating.

    >>> randn(2, 3).shape
    nngrad.Size([2, 3])
    """
    check_device("randn", device)
    real, shape = _floating("randn", dtype), checked_sizes("randn", sizes, size)
    drawn = (generator or default_generator).normal(math.prod(shape), real)
    return made(drawn.astype(real, copy=False).reshape(shape), requires_grad)


def rand_like(
    input: Tensor, *, dtype: DTypeLike | None = None, device: Device = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1) in the shape (and dtype, unless one is given) of `input`."""
    return rand(
        input.shape, dtype=input.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad
    )


def randn_like(
    input: Tensor, *, dtype: DTypeLike | None = None, device: Device = None, requires_grad: bool = False
) -> Tensor:
    """Normal numbers of mean 0, variance 1 in the shape (and dtype, unless given) of `input`."""
    return randn(
        input.shape, dtype=input.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad
    )


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
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor: ...
@overload
def randint(
    low: int,
    high: int,
    size: Sequence[SupportsIndex],
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Device = None,
    requires_grad: bool = False,
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
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    check_device("randint", device)
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
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor: ...
@overload
def randint_like(
    input: Tensor,
    low: int,
    high: int,
    *,
    dtype: DTypeLike | None = None,
    device: Device = None,
    requires_grad: bool = False,
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
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers from 0 to n - 1 in random order; int64 unless told.

    Raises RuntimeError for a negative n.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    check_device("randperm", device)
    (count,) = checked_sizes("randperm", (n,))
    draws = (generator or default_generator).words(max(count - 1, 0))
    steps = np.remainder(draws, np.arange(count, 1, -1, dtype=np.uint64)).tolist()
    order = list(range(count))
    for i, step in enumerate(steps):
        order[i], order[i + step] = order[i + step], order[i]
    kind: DType = np.dtype(np.int64) if dtype is None else dtypes.to_numpy(dtype)
    return made(np.array(order, np.int64).astype(kind, copy=False), requires_grad)


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element of `input` is, else 0.

    Raises RuntimeError for a probability outside [0, 1].
    """
    real = _floating("bernoulli", input.node.dtype)
    return made(_chosen("bernoulli", input.node._value, input.shape, real, generator).astype(real))


def _chosen(op: str, p: Any, shape: tuple[int, ...], draw: DType, generator: Generator | None) -> Any:
    if not np.all(np.logical_and(np.greater_equal(p, 0), np.less_equal(p, 1))):
        raise RuntimeError(f"{op} expects p to be in [0, 1], but got p={p}")
    drawn = (generator or default_generator).uniform(math.prod(shape), draw)
    return np.less(drawn.reshape(shape), p)


# ---------------------------------------------------------------- in place


def _fill(tensor: Tensor, values: Any) -> Tensor:
    tensor.assign(seal(values.astype(tensor.node.dtype, copy=False).reshape(tensor.shape)))
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill a tensor with uniform numbers in [a, b).

    Raises RuntimeError if a > b, or for a leaf that requires grad while operations are recorded,
    NotImplementedError unless the dtype is floating.
    """
    tensor.check_writable("uniform_")
    real = _floating("uniform_", tensor.node.dtype)
    if not a <= b:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
    drawn = (generator or default_generator).uniform(tensor.numel(), real)
    low, high = (drawn.dtype.type(bound) for bound in (a, b))
    return _fill(tensor, multiply_add(drawn, float(high - low), float(low)))


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill a tensor with normal numbers of a mean and a standard deviation.

    Raises RuntimeError for a negative std, or for a leaf that requires grad while operations are
    recorded, NotImplementedError unless the dtype is floating.
    """
    tensor.check_writable("normal_")
    real = _floating("normal_", tensor.node.dtype)
    if not std >= 0.0:
        raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
    drawn = (generator or default_generator).normal(tensor.numel(), real)
    return _fill(tensor, multiply_add(drawn, std, mean))


def bernoulli_(tensor: Tensor, p: float | Tensor = 0.5, generator: Generator | None = None) -> Tensor:
    """Fill a tensor with 1 with probability p (a number, or a tensor that broadcasts), else 0.

    Raises RuntimeError for a p outside [0, 1], or for a leaf that requires grad while operations
    are recorded.
    """
    tensor.check_writable("bernoulli_")
    if isinstance(p, Tensor):
        chance, draw = p.node._value, _floating("bernoulli_", p.node.dtype)
    else:
        chance, draw = p, np.dtype(np.float64)
    return _fill(tensor, _chosen("bernoulli_", chance, tensor.shape, draw, generator))


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
        largest = _largest_exact(kind)
        bits = 32 if largest < 1 << 32 else 64
        drawn = np.remainder(source.words(tensor.numel(), bits), np.uint64(largest + 1))
        return _fill(tensor, drawn)
    first, end = (0, low) if high is None else (low or 0, high)
    span = _checked_span("random_", first, end, kind)  # type: ignore[arg-type]  # low or high is given
    return _fill(tensor, source.integers(tensor.numel(), first, span))


def _largest_exact(dtype: DType) -> int:
    """The largest integer up to which a dtype holds every one."""
    if dtype.kind == "b":
        return 1
    if dtype.kind in "iu":
        return int(np.iinfo(dtype.str).max)
    if dtype.char not in _MANTISSA:
        raise NotImplementedError(f"random_: not implemented for {dtype}")
    return 1 << (np.finfo(dtype.str).nmant + 1)

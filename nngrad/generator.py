"""The source of random numbers: the Mersenne Twister (MT19937), with PyTorch's draws.

Uniform numbers and integers equal PyTorch's bit for bit; normal ones up to the rounding of log,
sin and cos (a few units in the last place).
"""

from __future__ import annotations

import math
import os
import struct
import threading
from typing import Any, Final, SupportsIndex

import numpy as np

from . import dtypes
from .creation import made
from .devices import CPU, Device, check_device, device as Place
from .functional.batch import NeedsBatching, levels
from .functional.dtypes import DType
from .tensor import Tensor

_SEEDS: Final = range(-(1 << 63), 1 << 64)
_WORDS: Final = 624
_HEAD: Final = struct.Struct("<QiiQ")  # seed, draws until the next refill plus 1, seeded, next word
_TAIL: Final = struct.Struct("<dddi4xf?3x")  # (unused), second normal, (unused), whether it is there
_STATE_BYTES: Final = _HEAD.size + 8 * _WORDS + _TAIL.size
_BLOCK: Final = 16  # PyTorch draws this many normal numbers at a time, singly where there are fewer
_WIDE_RANGE: Final = 1 << 28  # from here on integers are taken from 64 bits

#: bits of a uniform number, by dtype: its mantissa, float16 being rounded from float32
MANTISSA: Final = {"e": 24, "f": 24, "d": 53}


class Generator:
    """A source of random numbers with a seed. Draws from several threads do not mix."""

    __slots__ = ("__weakref__", "_bits", "_lock", "_seed", "_spare")

    def __init__(self, device: Device = None) -> None:
        check_device("Generator", device)
        self._lock = threading.RLock()
        self._spare: float | None = None  # the second of a pair of normal numbers
        self._bits: np.random.MT19937 | None = None  # made when first needed: numpy.random loads late
        self._seed = 67280421310721

    @property
    def device(self) -> Place:
        """Where it is: on the CPU."""
        return CPU

    def clone_state(self) -> Generator:
        """Another generator that stands where this one does."""
        other = Generator()
        other.set_state(self.get_state())
        return other

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
        if levels.get():
            _check_randomness()
        with self._lock:
            raw = self._twister().random_raw(count if bits == 32 else 2 * count)
        if bits == 32:
            return raw
        return np.bitwise_or(np.left_shift(raw[0::2], np.uint64(32)), raw[1::2])

    def uniform(self, count: int, dtype: DType) -> Any:
        """Numbers in [0, 1): float64 for float64, else float32."""
        bits = MANTISSA[dtype.char]
        real: Any = np.dtype(np.float64 if bits == 53 else np.float32)
        low = np.bitwise_and(self.words(count, 64 if bits == 53 else 32), np.uint64((1 << bits) - 1))
        return np.multiply(low.astype(real), np.array(2.0**-bits, real))

    def normal(self, count: int, dtype: DType) -> Any:
        """Numbers of mean 0 and variance 1: float64 where there are few, or for float64."""
        with self._lock:
            if count < _BLOCK:
                return self.few_normal(count)
            whole = count - count % _BLOCK
            drawn = np.empty(count, np.float64 if dtype.char == "d" else np.float32)
            first = self.uniform(whole if dtype.char == "e" else count, dtype)
            drawn[:whole] = _box_muller(first[:whole])
            if whole < count:  # the last block is drawn anew, overlapping the one before
                drawn[-_BLOCK:] = _box_muller(self.uniform(_BLOCK, dtype))
            return drawn

    def few_normal(self, count: int) -> Any:
        """Numbers of mean 0 and variance 1 as float64, drawn one by one."""
        if levels.get():
            _check_randomness()
        with self._lock:
            return np.array([self._one_normal() for _ in range(count)], np.float64)

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


def _check_randomness() -> None:
    """Inside vmap: one draw serves all examples only where that was asked for."""
    for level in levels.get():
        if level.randomness == "error":
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the "
                "'same' or 'different' randomness flags on vmap or perform the randomness "
                "operation out of vmap"
            )
        if level.randomness == "different":
            raise NeedsBatching("a random function")  # it runs for each example in turn


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

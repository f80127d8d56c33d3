"""The source of random numbers: the Mersenne Twister (MT19937), with PyTorch's draws.

Uniform numbers and integers equal PyTorch's bit for bit; normal ones up to the rounding of log,
sin and cos (a few units in the last place).
"""

from __future__ import annotations

import math
import os
import struct
from _thread import RLock  # as functools: `threading` takes 2 ms to load
from collections.abc import Callable
from typing import Any, Final, SupportsIndex

import numpy as np

from . import dtypes
from .creation import made
from .devices import CPU, Device, check_device, device as Place
from .functional.batch import NeedsBatching, drawn_once, levels, loops
from .functional.dtypes import DType
from .tensor import Tensor

_SEEDS: Final = range(-(1 << 63), 1 << 64)
_WORDS: Final = 624
_HEAD: Final = struct.Struct("<QiiQ")  # seed, draws until the next refill plus 1, seeded, next word
_TAIL: Final = struct.Struct("<dddi4xf?3x")  # (unused), second normal, (unused), whether it is there
_STATE_BYTES: Final = _HEAD.size + 8 * _WORDS + _TAIL.size
_BLOCK: Final = 16  # PyTorch draws this many normal numbers at a time, singly where there are fewer
_CACHED: Final = 1 << 11  # blocks that are worked on at once: what fits in the cache
_LOOPED: Final = 500  # permutations of fewer come swap by swap
_WIDE_RANGE: Final = 1 << 28  # from here on integers are taken from 64 bits

#: bits of a uniform number, by dtype: its mantissa, float16 being rounded from float32
MANTISSA: Final = {"e": 24, "f": 24, "d": 53}


class Generator:
    """A source of random numbers with a seed. Draws from several threads do not mix."""

    __slots__ = ("__weakref__", "_bits", "_lock", "_seed", "_spare")

    def __init__(self, device: Device = None) -> None:
        check_device("Generator", device)
        self._lock = RLock()
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
        if levels.get() or loops.get():
            return _for_all(lambda: self.words(count, bits))
        with self._lock:
            raw = self._twister().random_raw(count if bits == 32 else 2 * count)
        if bits == 32:
            return raw
        return np.bitwise_or(np.left_shift(raw[0::2], np.uint64(32)), raw[1::2])

    def uniform(self, count: int, dtype: DType) -> Any:
        """Numbers in [0, 1): float64 for float64, else float32."""
        bits = MANTISSA[dtype.char]
        real: Any = np.dtype(np.float64 if bits == 53 else np.float32)
        low = self.words(count, 64 if bits == 53 else 32)
        np.bitwise_and(low, np.uint64((1 << bits) - 1), out=low)
        drawn = low.view(np.int64).astype(real)  # four times as fast as from uint64
        return np.multiply(drawn, np.array(2.0**-bits, real), out=drawn)

    def normal(self, count: int, dtype: DType) -> Any:
        """Numbers of mean 0 and variance 1: float64 where there are few, or for float64."""
        if levels.get() or loops.get():
            return _for_all(lambda: self.normal(count, dtype))
        with self._lock:
            if count < _BLOCK:
                return self.few_normal(count)
            whole = count - count % _BLOCK
            if whole == count:
                return _box_muller(self.uniform(count, dtype))
            # the last block is drawn anew, overlapping the one before
            spoilt = 0 if dtype.char == "e" else count - whole
            first = self.uniform(whole + spoilt + _BLOCK, dtype)
            found = _box_muller(np.concatenate((first[:whole], first[-_BLOCK:])) if spoilt else first)
            drawn = np.empty(count, found.dtype)
            drawn[:whole] = found[:whole]
            drawn[-_BLOCK:] = found[-_BLOCK:]
            return drawn

    def few_normal(self, count: int) -> Any:
        """Numbers of mean 0 and variance 1 as float64, drawn one by one."""
        if levels.get() or loops.get():
            return _for_all(lambda: self.few_normal(count))
        drawn: list[float] = []
        with self._lock:
            if self._spare is not None and count:
                drawn.append(self._spare)
                self._spare = None
            pairs = (count - len(drawn) + 1) // 2
            if not pairs:
                return np.array(drawn, np.float64)
            uniform = self.uniform(2 * pairs, np.dtype(np.float64)).tolist()
            for first, second in zip(uniform[::2], uniform[1::2]):
                radius, angle = math.sqrt(-2.0 * math.log1p(-second)), 2.0 * math.pi * first
                drawn += (radius * math.cos(angle), radius * math.sin(angle))
            if len(drawn) > count:
                self._spare = drawn.pop()
        return np.array(drawn, np.float64)

    def permutation(self, count: int) -> Any:
        """The integers from 0 to count - 1 in random order, as int64."""
        steps = np.remainder(self.words(max(count - 1, 0)), np.arange(count, 1, -1, dtype=np.uint64))
        return _swapped(steps.view(np.int64), count)

    def integers(self, count: int, low: int, span: int) -> Any:
        """Integers in [low, low + span), as the bits of int64."""
        if span >= 1 << 64:
            return self.words(count, 64).view(np.int64)
        drawn = np.remainder(self.words(count, 32 if span < _WIDE_RANGE else 64), np.uint64(span))
        return np.add(drawn, np.uint64(low % (1 << 64))).view(np.int64)


def _for_all(draw: Callable[[], Any]) -> Any:
    """Inside vmap: one draw serves all examples where that was asked for, else each has its own."""
    if any(level.randomness == "different" for level in levels.get()):
        raise NeedsBatching("a random function")  # it runs for each example in turn
    return np.array(drawn_once("vmap", draw))  # (to write into)


def _twister_state(words: Any, position: int) -> Any:
    return {"bit_generator": "MT19937", "state": {"key": words, "pos": position}}


def _box_muller(drawn: Any) -> Any:
    """Normal numbers from uniform ones, in blocks of 16: eight radii, then eight angles."""
    real: Any = drawn.dtype.type
    out = np.empty_like(drawn)
    eight: Any = np.dtype((np.void, _BLOCK // 2 * drawn.itemsize))  # copied as one: three times as fast
    pairs, made_of = drawn.view(eight).reshape(-1, 2), out.view(eight).reshape(-1, 2)
    for start in range(0, len(pairs), _CACHED):
        rows = slice(start, start + _CACHED)
        radius, angle = pairs[rows, 0].copy().view(real), pairs[rows, 1].copy().view(real)
        np.log(np.subtract(real(1.0), radius, out=radius), out=radius)
        np.sqrt(np.multiply(radius, real(-2.0), out=radius), out=radius)
        np.multiply(angle, real(2.0 * math.pi), out=angle)
        cosine, sine = np.cos(angle), np.sin(angle, out=angle)
        made_of[rows, 0] = np.multiply(cosine, radius, out=cosine).view(eight)
        made_of[rows, 1] = np.multiply(sine, radius, out=sine).view(eight)
    return out


def _swapped(steps: Any, count: int) -> Any:
    """0 to count - 1 after a swap of each place i with place i + steps[i], one after the other.

    Without a loop, a tenth of its time for 100,000: what place i ends with stood at its partner just
    before turn i. That is what the last turn with the same partner put there, which is what stood at the
    place of that turn before it; links from place to place, followed by doubling.
    """
    if count < _LOOPED:
        order = list(range(count))
        for i, step in enumerate(steps.tolist()):
            order[i], order[i + step] = order[i + step], order[i]
        return np.array(order, np.int64)
    places = np.arange(count)
    partner = places.copy()
    partner[:-1] += steps
    turns = np.bitwise_or(np.left_shift(partner, 32), places)
    turns.sort()
    same = np.equal(np.right_shift(turns[1:], 32), np.right_shift(turns[:-1], 32))
    np.bitwise_and(turns, (1 << 32) - 1, out=turns)
    before = np.full(count, -1)  # the turn before this one with the same partner
    before[turns[1:][same]] = turns[:-1][same]
    last = np.full(count, -1)  # the last turn before i whose partner is i
    last[partner] = places
    last = np.where(last == places, before, last)
    stood = np.where(last < 0, places, last)  # what stands at place i just before turn i
    while True:
        further = stood[stood]
        if np.array_equal(further, stood):
            return np.where(before < 0, np.where(partner == places, stood, partner), stood[before])
        stood = further


#: The generator that is used where none is given, seeded by the operating system.
default_generator: Final = Generator()
default_generator.seed()

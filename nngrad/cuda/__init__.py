"""There is no GPU: questions are answered, seeds are harmless, and asking for one is an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from ..devices import Device
from ..tensor import Tensor
from . import amp as amp

_NONE: Final = "NNGrad has no GPU: tensors are on the CPU; guard this by torch.cuda.is_available()"


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def manual_seed(seed: int) -> None:
    """Nothing: there is nothing to seed."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there is nothing to seed."""


def seed() -> None:
    """Nothing: there is nothing to seed."""


def seed_all() -> None:
    """Nothing: there is nothing to seed."""


def get_rng_state_all() -> list[Tensor]:
    """[]: there is nothing that draws numbers."""
    return []


def set_rng_state_all(new_states: Sequence[Tensor]) -> None:
    """Nothing. Raises RuntimeError unless there are no states."""
    if new_states:
        _refuse("set_rng_state_all")


def empty_cache() -> None:
    """Nothing: there is no cache."""


def ipc_collect() -> None:
    """Nothing: there is nothing to collect."""


def reset_peak_memory_stats(device: Device | int = None) -> None:
    """Nothing: no memory is used."""


def memory_allocated(device: Device | int = None) -> int:
    """0: no memory is used."""
    return 0


def max_memory_allocated(device: Device | int = None) -> int:
    """0: no memory is used."""
    return 0


def memory_reserved(device: Device | int = None) -> int:
    """0: no memory is used."""
    return 0


def max_memory_reserved(device: Device | int = None) -> int:
    """0: no memory is used."""
    return 0


def _refuse(asked: str) -> NoReturn:
    raise RuntimeError(f"cuda.{asked}: {_NONE}")


def init() -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("init")


def current_device() -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("current_device")


def set_device(device: Device | int) -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("set_device")


def get_device_name(device: Device | int = None) -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("get_device_name")


def get_device_properties(device: Device | int = None) -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("get_device_properties")


def get_device_capability(device: Device | int = None) -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("get_device_capability")


def synchronize(device: Device | int = None) -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("synchronize")


def current_stream(device: Device | int = None) -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    _refuse("current_stream")


class Event:
    """A moment on a GPU. Raises RuntimeError: there is none."""

    def __init__(self, enable_timing: bool = False, blocking: bool = False) -> None:
        _refuse("Event")


class Stream:
    """An order of work on a GPU. Raises RuntimeError: there is none."""

    def __init__(self, device: Device | int = None, priority: int = 0) -> None:
        _refuse("Stream")

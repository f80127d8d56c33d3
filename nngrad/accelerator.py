"""Whatever accelerator there is: none. Questions are answered, and asking for one is an error."""

from __future__ import annotations

from typing import NoReturn

from .devices import Device, device


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> device | None:
    """None: there is none."""
    return None


def _refuse(asked: str) -> NoReturn:
    raise RuntimeError(f"accelerator.{asked}: NNGrad has no accelerator: tensors are on the CPU")


def current_device_index() -> NoReturn:
    """Raises RuntimeError: there is no accelerator."""
    _refuse("current_device_index")


def set_device_index(device: Device | int) -> NoReturn:
    """Raises RuntimeError: there is no accelerator."""
    _refuse("set_device_index")


def synchronize(device: Device | int = None) -> NoReturn:
    """Raises RuntimeError: there is no accelerator."""
    _refuse("synchronize")

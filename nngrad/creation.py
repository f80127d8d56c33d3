"""Tensors from sizes, numbers, sequences and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, SupportsIndex, TypeAlias

from .functional.dtypes import Array
from .functional.node import seal
from .functional.shape import sizes_of
from .tensor import Tensor, wrap

#: Where a tensor lives: there is one place. Taken so that PyTorch programs run unchanged.
Device: TypeAlias = Literal["cpu"] | None


def check_device(op: str, device: Device) -> None:
    """Raise RuntimeError for a device that is not the CPU."""
    if device is not None and device != "cpu":
        raise RuntimeError(f"{op}: device must be 'cpu' or None, got {device!r}")


def checked_sizes(op: str, size: tuple[SupportsIndex | Sequence[SupportsIndex], ...]) -> tuple[int, ...]:
    """Sizes given one by one or as one sequence. Raises RuntimeError for a negative one."""
    try:
        sizes = sizes_of(size)
    except (TypeError, AttributeError):
        raise TypeError(f"{op}: size must be integers, or one sequence of them, got {size}") from None
    if min(sizes, default=0) < 0:
        raise RuntimeError(
            f"{op}: Trying to create tensor with negative dimension {min(sizes)}: {list(sizes)}"
        )
    return sizes


def made(array: Array, requires_grad: bool = False) -> Tensor:
    """A tensor on an array that nobody else holds."""
    tensor = wrap(seal(array))
    return tensor.requires_grad_() if requires_grad else tensor

"""PyTorch's compiler, which is not there."""

from __future__ import annotations

from ..compiler import (
    allow_in_graph as allow_in_graph,
    disable as disable,
    is_compiling as is_compiling,
    reset as reset,
)


def is_compile_supported(device_type: str) -> bool:
    """False: nothing is compiled."""
    return False

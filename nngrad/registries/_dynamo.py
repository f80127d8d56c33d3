"""PyTorch's compiler, which is not there."""

from __future__ import annotations


def is_compile_supported(device_type: str) -> bool:
    """False: nothing is compiled."""
    return False

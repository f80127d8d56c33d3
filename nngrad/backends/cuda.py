"""Switches of computing on GPUs: they can be set, and change nothing."""

from typing import Final

_on: Final = {"flash": True, "mem_efficient": True, "math": True}


class _Matmul:
    """How matrices are multiplied on a GPU."""

    allow_tf32: bool = False
    allow_fp16_reduced_precision_reduction: bool = True
    allow_bf16_reduced_precision_reduction: bool = True


matmul: Final = _Matmul()


def is_built() -> bool:
    """False: there is no GPU."""
    return False


def enable_flash_sdp(enabled: bool) -> None:
    """Set whether a GPU may use this way of attention."""
    _on["flash"] = enabled


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Set whether a GPU may use this way of attention."""
    _on["mem_efficient"] = enabled


def enable_math_sdp(enabled: bool) -> None:
    """Set whether a GPU may use this way of attention."""
    _on["math"] = enabled


def flash_sdp_enabled() -> bool:
    """Whether a GPU might use this way of attention."""
    return _on["flash"]


def mem_efficient_sdp_enabled() -> bool:
    """Whether a GPU might use this way of attention."""
    return _on["mem_efficient"]


def math_sdp_enabled() -> bool:
    """Whether a GPU might use this way of attention."""
    return _on["math"]

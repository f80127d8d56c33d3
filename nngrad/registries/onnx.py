"""Exporting to ONNX, which is left out: what packages register for it is not used."""

from __future__ import annotations

from typing import Any, NoReturn

from . import refuse, registers as parse_args

__all__ = ["export", "is_in_onnx_export", "parse_args", "register_custom_op_symbolic", "symbolic_opset11"]
symbolic_opset11 = None


def register_custom_op_symbolic(*_: Any, **__: Any) -> None:
    """Nothing."""


def is_in_onnx_export() -> bool:
    """False."""
    return False


def export(*_: Any, **__: Any) -> NoReturn:
    """Raises NotImplementedError."""
    refuse("onnx.export")

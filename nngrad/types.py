"""The names that PyTorch has for types of arguments."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from os import PathLike
from typing import TypeAlias

from .devices import Device as Device, device as _device, layout as _layout
from .dtypes import dtype as _dtype
from .generator import Generator as Generator
from .tensor import Size, Tensor as Tensor

_int: TypeAlias = builtins.int
_float: TypeAlias = builtins.float
_bool: TypeAlias = builtins.bool
_complex: TypeAlias = builtins.complex
_size: TypeAlias = Size | list[int] | tuple[int, ...]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
Number: TypeAlias = int | float | bool
FileLike: TypeAlias = "str | PathLike[str]"

__all__ = ["Device", "FileLike", "Generator", "Number", "Tensor", "_device", "_dtype", "_layout"]

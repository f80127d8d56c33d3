"""Tensors as text, as PyTorch prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .functional.node import is_held

if TYPE_CHECKING:
    from .tensor import Tensor


def tensor_repr(tensor: Tensor) -> str:
    """The text of a tensor."""
    if not is_held(tensor.node):
        return f"tensor(<{tensor.node._value.why}>)"
    return f"tensor({np.array2string(tensor.node._value, separator=', ', prefix='tensor(')})"

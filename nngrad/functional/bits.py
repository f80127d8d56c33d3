"""The same bytes as numbers of another dtype."""

from __future__ import annotations

import numpy as np

from .dtypes import DType
from .node import Node, seal
from .shape import PUT


def view_dtype(x: Node, dtype: DType) -> Node:
    """The bytes of the elements as numbers of another dtype; the last dimension grows or shrinks.

    Raises RuntimeError if its size is no multiple of what one number takes.
    """
    try:
        return seal(np.ascontiguousarray(x._value).reshape(x.shape).view(dtype))
    except ValueError as error:
        raise RuntimeError(f"view: shape {x.shape} of {x.dtype} does not fit {dtype}: {error}") from None


def _back(base: Node, new: Node, dtype: DType) -> Node:
    return view_dtype(new, base.dtype)


PUT[view_dtype] = _back

"""Padding as layers. padding: one width, or (left, right), (left, right, top, bottom), ..."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from ...functional.pooling import Sizes
from ...tensor import Tensor
from .. import functional as F
from ..module import Module
from .utils import _ntuple


class _PadNd(Module):
    """Padding of the last `_dims` dimensions of (N, C, ...) or (C, ...)."""

    _dims: ClassVar[int]
    _mode: ClassVar[Literal["constant", "reflect", "replicate", "circular"]]

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        self.padding: tuple[Any, ...] = _ntuple(2 * self._dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        """Each padded dimension grows by its two widths; see `nngrad.functional.pad`."""
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_PadNd):
    _mode = "constant"

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """`value` on both sides of the last dimension."""

    _dims = 1


class ConstantPad2d(_ConstantPadNd):
    """`value` on both sides of the last two dimensions."""

    _dims = 2


class ConstantPad3d(_ConstantPadNd):
    """`value` on both sides of the last three dimensions."""

    _dims = 3


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPadNd, ConstantPad1d):
    """Zeros on both sides of the last dimension."""


class ZeroPad2d(_ZeroPadNd, ConstantPad2d):
    """Zeros on both sides of the last two dimensions."""


class ZeroPad3d(_ZeroPadNd, ConstantPad3d):
    """Zeros on both sides of the last three dimensions."""


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """The last dimension mirrored at its ends, which come once."""

    _dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """The last two dimensions mirrored at their ends, which come once."""

    _dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """The last three dimensions mirrored at their ends, which come once."""

    _dims = 3


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """The ends of the last dimension repeated."""

    _dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """The ends of the last two dimensions repeated."""

    _dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """The ends of the last three dimensions repeated."""

    _dims = 3


class _CircularPadNd(_PadNd):
    """Raises ValueError for another number of dimensions."""

    _mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        few = self._dims + 1
        if input.ndim not in (few, few + 1):
            raise ValueError(f"expected {few}D or {few + 1}D input (got {input.ndim}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPadNd):
    """The last dimension going on from its other end."""

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """The last two dimensions going on from their other ends."""

    _dims = 2


class CircularPad3d(_CircularPadNd):
    """The last three dimensions going on from their other ends."""

    _dims = 3

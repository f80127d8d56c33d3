"""Images made larger, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsIndex

from ...tensor import Tensor
from .. import functional as F
from ..module import Module


class Upsample(Module):
    """(N, C, ...) interpolated to `size`, or by `scale_factor`; see `nngrad.functional.interpolate`."""

    def __init__(
        self,
        size: SupportsIndex | Sequence[SupportsIndex] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name: str = type(self).__name__
        self.size = size
        self.scale_factor: float | tuple[float, ...] | None
        if isinstance(scale_factor, Sequence):
            self.scale_factor = tuple([float(factor) for factor in scale_factor])
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, ...) to (N, C, ...). Raises ValueError unless one of size and scale_factor was given."""
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        scaled = self.scale_factor is not None
        told = f"scale_factor={self.scale_factor!r}" if scaled else f"size={self.size!r}"
        return f"{told}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` of (N, C, H, W) by the nearest element."""

    def __init__(
        self,
        size: SupportsIndex | Sequence[SupportsIndex] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of (N, C, H, W) by straight lines between corners that stay."""

    def __init__(
        self,
        size: SupportsIndex | Sequence[SupportsIndex] | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)

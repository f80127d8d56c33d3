"""Channels made pixels and back, as layers."""

from __future__ import annotations

from .. import functional as F
from .layer import Layer


class PixelShuffle(Layer):
    """(..., C * r * r, H, W) to (..., C, H * r, W * r), r being the upscale_factor."""

    _function = F.pixel_shuffle
    _given = ("upscale_factor",)

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor


class PixelUnshuffle(Layer):
    """(..., C, H * r, W * r) to (..., C * r * r, H, W), r being the downscale_factor."""

    _function = F.pixel_unshuffle
    _given = ("downscale_factor",)

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

"""Dropout as layers: in training they drop what PyTorch drops for the same seed, else they do nothing."""

from __future__ import annotations

from typing import ClassVar

from .. import functional as F
from .layer import Layer


class _DropoutNd(Layer):
    """p: the probability to drop. Raises ValueError for one outside [0, 1]."""

    _given: ClassVar[tuple[str, ...]] = ("p", "training", "inplace")
    _shown = ("p", "inplace")

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        F.check_probability(p)
        self.p = p
        self.inplace = inplace


class Dropout(_DropoutNd):
    """Zero each element with probability `p` and scale the others by 1 / (1 - p)."""

    _function = F.dropout


class Dropout1d(_DropoutNd):
    """`Dropout` of whole channels of (N, C, L) or (C, L)."""

    _function = F.dropout1d


class Dropout2d(_DropoutNd):
    """`Dropout` of whole channels of (N, C, H, W)."""

    _function = F.dropout2d


class Dropout3d(_DropoutNd):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    _function = F.dropout3d


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean 0 and variance 1 behind `SELU`; never in place, as in PyTorch."""

    _function = F.alpha_dropout
    _given = ("p", "training")


class FeatureAlphaDropout(_DropoutNd):
    """`AlphaDropout` of whole channels."""

    _function = F.feature_alpha_dropout
    _given = ("p", "training")

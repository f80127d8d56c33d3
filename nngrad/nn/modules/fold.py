"""Windows as columns and back, as layers."""

from __future__ import annotations

from ...functional.pooling import Sizes
from .. import functional as F
from .layer import Layer


class Fold(Layer):
    """Columns of windows added up where they overlap: (N, C * k, L) to (N, C, *output_size)."""

    _function = F.fold
    _given = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def __init__(
        self,
        output_size: Sizes,
        kernel_size: Sizes,
        dilation: Sizes = 1,
        padding: Sizes = 0,
        stride: Sizes = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride


class Unfold(Layer):
    """The windows of images as columns: (N, C, H, W) to (N, C * k, L)."""

    _function = F.unfold
    _given = ("kernel_size", "dilation", "padding", "stride")

    def __init__(
        self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

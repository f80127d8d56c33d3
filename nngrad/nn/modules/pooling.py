"""Pooling as layers: (N, C, ...) or (C, ...), windows over the last one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, SupportsIndex

from ...functional.adaptive import OutSizes
from ...functional.pooling import Sizes
from ...tensor import Tensor
from .. import functional as F
from ..module import Module
from .layer import Layer
from .utils import _ntuple, _single


class _MaxPoolNd(Layer):
    """return_indices: give also where in the plane each maximum stands, which `MaxUnpool` takes."""

    _given = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    _shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride: Sizes = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        """The maxima, or a pair of maxima and indices: see `nngrad.functional.max_pool2d`."""
        return super().forward(input)


class MaxPool1d(_MaxPoolNd):
    """The maxima of windows of (N, C, L) or (C, L)."""

    _function = F.max_pool1d


class MaxPool2d(_MaxPoolNd):
    """The maxima of windows of (N, C, H, W) or (C, H, W)."""

    _function = F.max_pool2d


class MaxPool3d(_MaxPoolNd):
    """The maxima of windows of (N, C, D, H, W) or (C, D, H, W)."""

    _function = F.max_pool3d


class _FractionalMaxPoolNd(Module):
    """return_indices: give also where in the plane each maximum stands."""

    _dims: ClassVar[int]
    _function: ClassVar[Callable[..., Any]]
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        sizes, name = _ntuple(self._dims), type(self).__name__
        ratios: Any = output_ratio
        self.kernel_size: tuple[Any, ...] = sizes(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size: tuple[Any, ...] | None = None if output_size is None else sizes(output_size)
        self.output_ratio: tuple[Any, ...] | None = None if ratios is None else sizes(ratios)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        """The maxima, or a pair of maxima and indices: see `nngrad.functional.fractional_max_pool2d`."""
        given = self.output_size, self.output_ratio, self.return_indices, self._random_samples
        return type(self)._function(input, self.kernel_size, *given)


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The maxima of windows of (N, C, H, W) or (C, H, W) that start at random."""

    _dims = 2
    _function = F.fractional_max_pool2d


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """The maxima of windows of (N, C, D, H, W) or (C, D, H, W) that start at random."""

    _dims = 3
    _function = F.fractional_max_pool3d


class _MaxUnpoolNd(Module):
    _dims: ClassVar[int]
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        sizes = _ntuple(self._dims)
        self.kernel_size: tuple[Any, ...] = sizes(kernel_size)
        self.stride: tuple[Any, ...] = sizes(kernel_size if stride is None else stride)
        self.padding: tuple[Any, ...] = sizes(padding)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[SupportsIndex] | None = None
    ) -> Tensor:
        """The maxima where they stood, zeros elsewhere: see `nngrad.functional.max_unpool2d`."""
        return type(self)._function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """What `MaxPool1d` took apart, with zeros for what was lost."""

    _dims = 1
    _function = F.max_unpool1d


class MaxUnpool2d(_MaxUnpoolNd):
    """What `MaxPool2d` took apart, with zeros for what was lost."""

    _dims = 2
    _function = F.max_unpool2d


class MaxUnpool3d(_MaxUnpoolNd):
    """What `MaxPool3d` took apart, with zeros for what was lost."""

    _dims = 3
    _function = F.max_unpool3d


class _AvgPoolNd(Layer):
    _given: ClassVar[tuple[str, ...]] = (
        "kernel_size",
        "stride",
        "padding",
        "ceil_mode",
        "count_include_pad",
        "divisor_override",
    )
    _shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride: Sizes = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override


class AvgPool1d(_AvgPoolNd):
    """The means of windows of (N, C, L) or (C, L)."""

    _function = F.avg_pool1d
    _given = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        step = kernel_size if stride is None else stride
        super().__init__(_single(kernel_size), _single(step), _single(padding), ceil_mode, count_include_pad)


class AvgPool2d(_AvgPoolNd):
    """The means of windows of (N, C, H, W) or (C, H, W)."""

    _function = F.avg_pool2d


class AvgPool3d(_AvgPoolNd):
    """The means of windows of (N, C, D, H, W) or (C, D, H, W)."""

    _function = F.avg_pool3d


class _LPPoolNd(Layer):
    _given = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode


class LPPool1d(_LPPoolNd):
    """The p-norms of windows of (N, C, L) or (C, L), p being norm_type."""

    _function = F.lp_pool1d


class LPPool2d(_LPPoolNd):
    """The p-norms of windows of (N, C, H, W) or (C, H, W), p being norm_type."""

    _function = F.lp_pool2d


class LPPool3d(_LPPoolNd):
    """The p-norms of windows of (N, C, D, H, W) or (C, D, H, W), p being norm_type."""

    _function = F.lp_pool3d


class _AdaptiveMaxPoolNd(Layer):
    """return_indices: give also where in the plane each maximum stands."""

    _given = ("output_size", "return_indices")
    _shown = ("output_size",)

    def __init__(self, output_size: OutSizes, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The maxima, or a pair of maxima and indices: see `nngrad.functional.adaptive_max_pool2d`."""
        return super().forward(input)


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The maxima of so many windows of (N, C, L) or (C, L) that the result has `output_size`."""

    _function = F.adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The maxima of so many windows of (N, C, H, W) or (C, H, W) that the result has `output_size`."""

    _function = F.adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The maxima of so many windows of (N, C, D, H, W) or (C, D, H, W) that it has `output_size`."""

    _function = F.adaptive_max_pool3d


class _AdaptiveAvgPoolNd(Layer):
    _given = ("output_size",)

    def __init__(self, output_size: OutSizes) -> None:
        super().__init__()
        self.output_size = output_size


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The means of so many windows of (N, C, L) or (C, L) that the result has `output_size`."""

    _function = F.adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The means of so many windows of (N, C, H, W) or (C, H, W) that the result has `output_size`."""

    _function = F.adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The means of so many windows of (N, C, D, H, W) or (C, D, H, W) that it has `output_size`."""

    _function = F.adaptive_avg_pool3d

"""Convolutions and transposed convolutions as layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, SupportsIndex, TypeAlias, cast

from ...creation import Device
from ...dtypes import DTypeLike
from ...functional.convolution import Sizes
from ...tensor import Tensor
from .. import functional as F, init
from ..module import Module
from ..parameter import Parameter
from .layer import empty_parameter
from .utils import _ntuple, _reverse_repeat_tuple

PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
_MODES: tuple[PaddingMode, ...] = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions share. weight and bias are uniform within 1 / sqrt(fan_in) at first.

    Raises ValueError for channels that the groups do not divide, and for unknown paddings.
    """

    _function: ClassVar[Callable[..., Tensor]]
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: PaddingMode,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError(f"in_channels must be divisible by groups, got {in_channels} and {groups}")
        if out_channels % groups != 0:
            raise ValueError(f"out_channels must be divisible by groups, got {out_channels} and {groups}")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _MODES:
            raise ValueError(f"padding_mode must be one of {_MODES}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode: PaddingMode = padding_mode
        self._reversed_padding_repeated_twice: tuple[int, ...] = _widths(padding, kernel_size, dilation)
        outer, inner = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        self.weight: Parameter = empty_parameter(
            self, outer, inner // groups, *kernel_size, device=device, dtype=dtype
        )
        if bias:
            self.bias = empty_parameter(self, out_channels, device=device, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first values anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        ordinary = {
            "padding": (0,) * len(self.padding),
            "dilation": (1,) * len(self.dilation),
            "output_padding": (0,) * len(self.output_padding),
            "groups": 1,
        }
        told = [f"{self.in_channels}, {self.out_channels}"]
        told += [f"kernel_size={self.kernel_size}, stride={self.stride}"]
        given = {name: getattr(self, name) for name in ordinary}
        told += [f"{name}={value}" for name, value in given.items() if value != ordinary[name]]
        if self.bias is None:
            told.append("bias=False")
        if self.padding_mode != "zeros":
            told.append(f"padding_mode={self.padding_mode}")
        return ", ".join(told)


def _widths(
    padding: str | tuple[int, ...], kernel_size: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[int, ...]:
    """How much each side gets, last dimension first: what `pad` takes."""
    if not isinstance(padding, str):
        return _reverse_repeat_tuple(padding, 2)
    totals = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel_size)]
    return tuple([width for total in reversed(totals) for width in (total // 2, total - total // 2)])


class _Conv(_ConvNd):
    _dims: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: str | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        sizes = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            sizes(kernel_size),
            sizes(stride),
            padding if isinstance(padding, str) else sizes(padding),
            sizes(dilation),
            False,
            sizes(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding: Any = self.padding
        mode = self.padding_mode
        if mode != "zeros":
            input, padding = F.pad(input, self._reversed_padding_repeated_twice, mode), 0
        return type(self)._function(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        """(N, in_channels, ...) or (in_channels, ...) to (N, out_channels, ...) or (out_channels, ...)."""
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Cross-correlation of (N, C, L) or (C, L) with a weight (out, in / groups, k); plus a bias.

    padding: widths, or "same" or "valid"; padding_mode: what they are filled with.
    """

    _dims = 1
    _function = F.conv1d


class Conv2d(_Conv):
    """Cross-correlation of (N, C, H, W) or (C, H, W) with a weight (out, in / groups, kh, kw); plus a bias.

    padding: widths, or "same" or "valid"; padding_mode: what they are filled with.
    """

    _dims = 2
    _function = F.conv2d


class Conv3d(_Conv):
    """Cross-correlation of (N, C, D, H, W) or (C, D, H, W) with a weight (out, in / groups, kd, kh, kw).

    padding: widths, or "same" or "valid"; padding_mode: what they are filled with.
    """

    _dims = 3
    _function = F.conv3d


class _ConvTransposeNd(_ConvNd):
    """Raises ValueError for another padding mode than zeros."""

    _dims: ClassVar[int]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        sizes = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            sizes(kernel_size),
            sizes(stride),
            sizes(padding),
            sizes(dilation),
            True,
            sizes(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[SupportsIndex] | None = None) -> Tensor:
        """(N, in_channels, ...) to (N, out_channels, ...); output_size: which of the possible sizes.

        Raises ValueError for an output_size that is not possible.
        """
        return type(self)._function(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding if output_size is None else self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )

    def _output_padding(self, input: Tensor, output_size: Sequence[SupportsIndex]) -> tuple[int, ...]:
        """How much is to be added to the smallest possible size."""
        dims = self._dims
        wanted = [size.__index__() for size in output_size]
        leading = 2 if input.ndim == dims + 2 else 1
        if len(wanted) == leading + dims:
            wanted = wanted[leading:]
        if len(wanted) != dims:
            raise ValueError(
                f"ConvTranspose{dims}D: for {input.ndim}D input, output_size must have {dims} or "
                f"{leading + dims} elements (got {len(wanted)})"
            )
        padding = cast("tuple[int, ...]", self.padding)
        smallest = [
            (n - 1) * stride - 2 * before + dilation * (k - 1) + 1
            for n, stride, before, dilation, k in zip(
                input.shape[leading:], self.stride, padding, self.dilation, self.kernel_size
            )
        ]
        largest = [low + stride - 1 for low, stride in zip(smallest, self.stride)]
        if not all(low <= size <= high for low, size, high in zip(smallest, wanted, largest)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {input.shape[leading:]})"
            )
        return tuple([size - low for size, low in zip(wanted, smallest)])


class ConvTranspose1d(_ConvTransposeNd):
    """The gradient of a `Conv1d` in its input: (N, C, L) or (C, L) with a weight (in, out / groups, k)."""

    _dims = 1
    _function = F.conv_transpose1d


class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of a `Conv2d` in its input: (N, C, H, W), weight (in, out / groups, kh, kw)."""

    _dims = 2
    _function = F.conv_transpose2d


class ConvTranspose3d(_ConvTransposeNd):
    """The gradient of a `Conv3d` in its input: (N, C, D, H, W), weight (in, out / groups, kd, kh, kw)."""

    _dims = 3
    _function = F.conv_transpose3d

"""A module made another: of another dtype, or elsewhere (there is but one place)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from .. import dtypes
from ..autograd import no_grad
from ..creation import check_device
from ..devices import Device, device as Place, memory_format as MemoryFormat
from ..dtypes import DTypeLike
from ..functional.warn import warn_user
from ..tensor import Tensor
from .tree import Tree


class Convertible(Tree):
    """What changes the values of all parameters, gradients and buffers."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Put `fn(t)` in the place of each parameter, gradient and buffer t; returns the module."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    _replace(parameter, fn)
                    if parameter.grad is not None:
                        _replace(parameter.grad, fn)
            for buffer in self._buffers.values():
                if buffer is not None:
                    _replace(buffer, fn)
        return self

    def to(
        self,
        *args: DTypeLike | Tensor | Device | int | bool,
        dtype: DTypeLike | None = None,
        device: Device | int = None,
        non_blocking: bool = False,
        memory_format: MemoryFormat | None = None,
    ) -> Self:
        """Change the dtype of the floating-point parameters, gradients and buffers in place.

        args: a dtype, a device, a device and a dtype, or a tensor for both. The device is the CPU.
        Raises TypeError for an integer dtype, RuntimeError for another device.
        """
        for arg in args:
            if isinstance(arg, (str, int, Place)):
                device = device if isinstance(arg, bool) else arg  # a bool is non_blocking
            elif arg is not None:
                dtype = arg.dtype if isinstance(arg, Tensor) else arg
        check_device("to", Place(device) if isinstance(device, int) else device)
        if dtype is None:
            return self
        target = dtypes.of(dtypes.to_numpy(dtype))
        if not (target.is_floating_point or target.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={target}"
            )
        return self._cast(target)

    def _cast(self, dtype: dtypes.dtype) -> Self:
        def converted(t: Tensor) -> Tensor:
            return t.detach().to(dtype) if t.dtype.is_floating_point or t.dtype.is_complex else t

        return self._apply(converted)

    def type(self, dst_type: DTypeLike | str) -> Self:
        """Give every parameter and buffer that dtype; returns the module."""
        return self._apply(lambda t: t.detach().type(dst_type))

    def float(self) -> Self:
        """Make floating-point parameters and buffers float32."""
        return self._cast(dtypes.float32)

    def double(self) -> Self:
        """Make floating-point parameters and buffers float64."""
        return self._cast(dtypes.float64)

    def half(self) -> Self:
        """Make floating-point parameters and buffers float16."""
        return self._cast(dtypes.float16)

    def bfloat16(self) -> Self:
        """Raises NotImplementedError: NumPy has no bfloat16."""
        raise NotImplementedError("bfloat16: there is no such dtype, as NumPy has none: use float32 or half")

    def cpu(self) -> Self:
        """The module itself: it is on the CPU."""
        return self

    def cuda(self, device: Device | int = None) -> Self:
        """Raises RuntimeError: there is no such device."""
        check_device("cuda", Place("cuda"))
        return self

    def to_empty(self, *, device: Device, recurse: bool = True) -> Self:
        """The module itself: its memory is where it should be. Raises RuntimeError for another device."""
        check_device("to_empty", device)
        return self

    def share_memory(self) -> Self:
        """The module itself, with a warning: other processes get copies, and do not see it change."""
        warn_user(
            "share_memory: tensors share no memory with other processes: each gets a copy, and what it "
            "writes there is not seen here"
        )
        return self


def _replace(tensor: Tensor, fn: Callable[[Tensor], Tensor]) -> None:
    value = fn(tensor)
    if value is not tensor:
        tensor.data = value

"""What layers have in common: a function of the input and of some attributes, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ... import dtypes
from ...creation import Device, check_device, made
from ...dtypes import DTypeLike
from ...functional.dtypes import get_default_dtype
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter


class Layer(Module):
    """A function of one tensor and of attributes of the layer, unless `forward` says otherwise."""

    _function: ClassVar[Callable[..., Any]]
    #: the attributes that the function gets after its input
    _given: ClassVar[tuple[str, ...]] = ()
    #: the attributes that `repr` tells; those given if this is None
    _shown: ClassVar[tuple[str, ...] | None] = None

    def forward(self, input: Tensor) -> Tensor:
        """The function of the same name in `nn.functional` says which shapes go in and come out."""
        kind = type(self)
        result: Tensor = kind._function(input, *[getattr(self, name) for name in kind._given])
        return result

    def extra_repr(self) -> str:
        names = self._given if self._shown is None else self._shown
        return ", ".join([f"{name}={getattr(self, name)}" for name in names])


def empty_parameter(
    owner: Module, *sizes: int, device: Device = None, dtype: DTypeLike | None = None
) -> Parameter:
    """A parameter whose values are still to be set. Raises RuntimeError for a device that there is not."""
    check_device(type(owner).__name__, device)
    kind = get_default_dtype() if dtype is None else dtypes.to_numpy(dtype)
    return Parameter(made(np.empty(sizes, kind)))

"""Tensors that a module owns: parameters, which are trained, and buffers, which are not."""

from __future__ import annotations

from typing import Any, Self

from ..functional.node import constant
from ..lifting import TensorLike
from ..tensor import Tensor, node_from


def _begin(tensor: Tensor, data: TensorLike | None, requires_grad: bool) -> None:
    """Give a tensor that is being made its first value."""
    tensor._view = None
    tensor._grad = None
    tensor._node = constant(node_from(()) if data is None else data)
    if requires_grad:
        tensor.requires_grad_()


class Parameter(Tensor):
    """A tensor that becomes a parameter of the module it is assigned to.

    data: its first value; memory is shared with a tensor until one of the two is written to.
    requires_grad: also under `no_grad`. Raises RuntimeError for integers that shall require grad.
    """

    __slots__ = ()

    def __init__(self, data: TensorLike | None = None, requires_grad: bool = True) -> None:
        _begin(self, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A parameter of the same value; its gradient stays behind, as in PyTorch."""
        copied: Self = super().__deepcopy__(memo)
        copied._grad = None
        return copied

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that becomes a buffer of the module it is assigned to: state that is not trained.

    persistent: whether it is part of the module's state_dict.
    """

    __slots__ = ()
    persistent: bool

    def __init__(
        self, data: TensorLike | None = None, requires_grad: bool = False, *, persistent: bool = True
    ) -> None:
        self.persistent = persistent
        _begin(self, data, requires_grad)

    def __repr__(self) -> str:
        return "Buffer containing:\n" + super().__repr__()

"""Classes that take over what PyTorch's functions do: there are none here."""

from __future__ import annotations

from typing import Any, NoReturn

from ..tensor import Tensor
from . import Absent, refuse


class TorchFunctionMode(Absent): ...


def has_torch_function(relevant_args: object) -> bool:
    """False: tensors are NNGrad's."""
    return False


has_torch_function_unary = has_torch_function


def has_torch_function_variadic(*args: object) -> bool:
    """False: tensors are NNGrad's."""
    return False


def handle_torch_function(*_: Any, **__: Any) -> NoReturn:
    """Raises NotImplementedError."""
    refuse("overrides.handle_torch_function")


def is_tensor_like(inp: object) -> bool:
    """Whether this is a tensor."""
    return isinstance(inp, Tensor)

"""What holds for the whole process, in PyTorch's words; and its older names for kinds of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from . import dtypes
from .devices import CPU, Device, check_device, device
from .functional.dtypes import DType
from .functional.warn import warn_user
from .tensor import Tensor, TensorData

_set: Final[dict[str, Any]] = {"deterministic": False, "warn_only": False, "precision": "highest"}


def set_default_device(device: Device) -> None:
    """Choose where new tensors are: on the CPU. Raises RuntimeError for another device."""
    check_device("set_default_device", device)


def get_default_device() -> device:
    """Where new tensors are: on the CPU."""
    return CPU


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Nothing but what `are_deterministic_algorithms_enabled` says: all algorithms are deterministic."""
    _set.update(deterministic=bool(mode), warn_only=bool(mode and warn_only))


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was told."""
    return bool(_set["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What `use_deterministic_algorithms` was told."""
    return bool(_set["warn_only"])


def set_float32_matmul_precision(precision: str) -> None:
    """Allow rounding to fewer bits in products of matrices, which is never done here.

    Warns, and does nothing, unless it is "highest", "high" or "medium".
    """
    if precision in ("highest", "high", "medium"):
        _set["precision"] = precision
    else:
        warn_user(f"set_float32_matmul_precision: expected highest, high or medium, got {precision!r}")


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told."""
    return str(_set["precision"])


def get_num_interop_threads() -> int:
    """1: operations run one after the other."""
    return 1


def set_num_interop_threads(num: int) -> None:
    """Nothing: operations run one after the other."""


def set_flush_denormal(mode: bool) -> bool:
    """False: the smallest numbers cannot be made zero."""
    return False


def _assert(condition: Any, message: str) -> None:
    """Raise AssertionError with a message unless a condition holds, as models of torchvision do."""
    if not condition:
        raise AssertionError(message)


def _check(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raise RuntimeError, with what `message` gives, unless a condition holds."""
    if not cond:
        raise RuntimeError("Expected cond to be True" if message is None else str(message()))


def typename(obj: object) -> str:
    """The name of the kind of a tensor, of a class or function, or of an object's class, with its module.

    >>> typename(1)
    'int'
    """
    if type(obj) is Tensor:
        return obj.type()
    thing: Any = obj if hasattr(obj, "__qualname__") else type(obj)
    return (
        thing.__qualname__ if thing.__module__ == "builtins" else f"{thing.__module__}.{thing.__qualname__}"
    )


def set_default_tensor_type(t: type[Tensor] | str) -> None:
    """Choose the dtype of tensors made from Python floats by a kind of tensor, or its name.

    Raises TypeError unless it is floating.
    """
    name = t if isinstance(t, str) else t.__name__
    found = [d for d, kind in dtypes.KINDS.items() if name.rpartition(".")[2] == f"{kind}Tensor"]
    if not found or (isinstance(t, str) and ".cuda." in t):
        raise TypeError(f"set_default_tensor_type: invalid type: {name!r}")
    dtypes.set_default_dtype(found[0])


class _Kind(type):
    """What is called as PyTorch's kinds of tensors are, and holds the tensors of one dtype."""

    dtype: DType

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.node.dtype == cls.dtype

    def __call__(cls, *data: TensorData) -> Any:
        return Tensor(*data, dtype=cls.dtype)


if TYPE_CHECKING:

    class FloatTensor(Tensor): ...

    class DoubleTensor(Tensor): ...

    class HalfTensor(Tensor): ...

    class LongTensor(Tensor): ...

    class IntTensor(Tensor): ...

    class ShortTensor(Tensor): ...

    class CharTensor(Tensor): ...

    class ByteTensor(Tensor): ...

    class BoolTensor(Tensor): ...

else:
    for _dtype, _name in dtypes.KINDS.items():
        _doc = f"Tensors of {_dtype.name}: made from data or from sizes, and what `isinstance` tells."
        globals()[f"{_name}Tensor"] = _Kind(
            f"{_name}Tensor", (), {"__doc__": _doc, "__module__": __name__, "dtype": _dtype.dtype}
        )

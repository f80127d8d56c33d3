"""Mixed precision, which on the CPU changes nothing: what is computed in float32 stays so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from .devices import device
from .dtypes import DTypeLike, bfloat16, dtype
from .functional.warn import warn_user
from .optim import Optimizer
from .tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class autocast:
    """For a `with` block or a decorated function: everything is computed in the dtype it has.

    PyTorch computes some operations in the smaller `dtype` inside; here nothing loses precision.
    Raises RuntimeError for a name that is no device.
    """

    def __init__(
        self,
        device_type: str = "cpu",
        dtype: DTypeLike | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        self.device: str = device(device_type).type
        self.fast_dtype: DTypeLike = bfloat16 if dtype is None else dtype
        if enabled and self.device != "cpu":
            warn_user(f"autocast: there is no {self.device}: tensors are on the CPU, and nothing is cast")

    def __enter__(self) -> autocast:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the block."""

    def __call__(self, func: Callable[P, R]) -> Callable[P, R]:
        return func


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` takes a device: the CPU."""
    return device(device_type).type == "cpu"


def is_autocast_enabled(device_type: str = "cpu") -> bool:
    """False: nothing is ever cast."""
    return False


def get_autocast_dtype(device_type: str = "cpu") -> dtype:
    """The dtype that PyTorch's autocast would cast to."""
    return bfloat16


def is_autocast_cpu_enabled() -> bool:
    """False: nothing is ever cast."""
    return False


def get_autocast_cpu_dtype() -> dtype:
    """The dtype that PyTorch's autocast would cast to."""
    return bfloat16


class GradScaler:
    """Scales a loss so that small gradients of float16 are not lost; here by 1, as nothing is cast.

    `scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update()` does what
    `loss.backward(); optimizer.step()` does.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device != "cpu":
            warn_user(f"GradScaler: there is no {device}: tensors are on the CPU, and nothing is scaled")

    def scale(self, outputs: T) -> T:
        """The outputs themselves."""
        return outputs

    def unscale_(self, optimizer: Optimizer) -> None:
        """Nothing: no gradient is scaled."""

    @overload
    def step(self, optimizer: Optimizer) -> None: ...
    @overload
    def step(self, optimizer: Optimizer, closure: Callable[[], R]) -> R: ...
    def step(self, optimizer: Optimizer, closure: Callable[[], Any] | None = None) -> Any:
        """The optimiser's step."""
        return optimizer.step() if closure is None else optimizer.step(closure)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Nothing: the scale stays 1."""

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def is_enabled(self) -> bool:
        """False: nothing is scaled."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """{}: there is no state."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Nothing: there is no state."""


def custom_fwd(
    fwd: Callable[P, R] | None = None, *, device_type: str = "cpu", cast_inputs: DTypeLike | None = None
) -> Callable[P, R] | Callable[[T], T]:
    """A decorator of an autograd Function's forward, which it leaves as it is."""
    return _as_it_is if fwd is None else fwd


def custom_bwd(
    bwd: Callable[P, R] | None = None, *, device_type: str = "cpu"
) -> Callable[P, R] | Callable[[T], T]:
    """A decorator of an autograd Function's backward, which it leaves as it is."""
    return _as_it_is if bwd is None else bwd


def _as_it_is(function: T) -> T:
    return function

"""Modules spread over several GPUs or processes, which there are not: what programs ask of that, answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from ..devices import Device
from .module import Module


class DataParallel(Module):
    """A module under the name `module`, as programs for several GPUs keep it. Calls go to it as they are.

    Raises RuntimeError for device_ids: there is no GPU.
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[int | Device] | None = None,
        output_device: int | Device = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        _check("DataParallel", device_ids)
        self.dim = dim
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module gives."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Sequence[int | Device] | None = None,
    output_device: int | Device = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """What a module gives for an input, or for a tuple of inputs. Raises RuntimeError for device_ids."""
    _check("data_parallel", device_ids)
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*given, **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """A module that other processes train too. Raises RuntimeError: there is no process group."""

    def __init__(self, module: Module, *args: object, **kwargs: object) -> None:
        super().__init__()
        refuse_processes("nn.parallel.DistributedDataParallel")


def refuse_processes(asked: str) -> NoReturn:
    """Raise RuntimeError: NNGrad does not train in several processes."""
    raise RuntimeError(f"{asked}: NNGrad does not train in several processes; use the module as it is")


def _check(asked: str, device_ids: Sequence[int | Device] | None) -> None:
    if device_ids:
        raise RuntimeError(f"{asked}: there is no GPU; leave device_ids out, got {list(device_ids)!r:.80}")

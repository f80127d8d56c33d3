"""Averages of a model's weights over its training, as in `torch.optim.swa_utils`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any, Literal, TypeAlias

from ..autograd import no_grad
from ..creation import tensor
from ..devices import Device
from ..nn import Module
from ..tensor import Tensor
from .lr_scheduler.scheduler import LRScheduler, Rate, per_group
from .optimizer import Optimizer

#: (average, new value, how many were averaged) to the next average
AverageFn: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
#: (averages, new values, how many were averaged), changing the averages
MultiAverageFn: TypeAlias = Callable[[Sequence[Tensor], Sequence[Tensor], Tensor], None]


def get_swa_avg_fn() -> AverageFn:
    """The mean of all values."""

    @no_grad()
    def update(average: Tensor, current: Tensor, num_averaged: Tensor) -> Tensor:
        return average + (current - average) / (num_averaged + 1)

    return update


def get_ema_avg_fn(decay: float = 0.999) -> AverageFn:
    """The exponential moving average. Raises ValueError for a decay outside [0, 1]."""
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    @no_grad()
    def update(average: Tensor, current: Tensor, num_averaged: Tensor) -> Tensor:
        return decay * average + (1 - decay) * current

    return update


def get_swa_multi_avg_fn() -> MultiAverageFn:
    """The mean of all values, of many tensors."""
    return _each(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverageFn:
    """The exponential moving average of many tensors. Raises ValueError for a decay outside [0, 1]."""
    return _each(get_ema_avg_fn(decay))


def _each(function: AverageFn) -> MultiAverageFn:
    @no_grad()
    def update(averages: Sequence[Tensor], currents: Sequence[Tensor], num_averaged: Tensor) -> None:
        for average, current in zip(averages, currents, strict=True):
            average.copy_(function(average, current, num_averaged))

    return update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages over the calls of `update_parameters`.

    avg_fn: the average of one tensor, by default the mean; or multi_avg_fn, of many, in place.
    use_buffers: whether buffers are averaged too, or copied. Raises AssertionError for both functions.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Device = None,
        avg_fn: AverageFn | None = None,
        multi_avg_fn: MultiAverageFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module: Module = deepcopy(model)
        self.register_buffer("n_averaged", tensor(0))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the model's present parameters into the average."""
        pairs: list[tuple[Tensor, Tensor]] = list(
            zip(self.module.parameters(), model.parameters(), strict=True)
        )
        buffers = list(zip(self.module.buffers(), model.buffers(), strict=True))
        if self.use_buffers:
            pairs += buffers
        averages = [average.detach() for average, _ in pairs]
        currents = [current.detach() for _, current in pairs]
        if int(self.n_averaged) == 0:
            for average, current in zip(averages, currents):
                average.copy_(current)
        elif averages:
            update = self.multi_avg_fn or _each(self.avg_fn or get_swa_avg_fn())
            update(averages, currents, self.n_averaged)
        for average, current in () if self.use_buffers else buffers:
            average.copy_(current)
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Device = None) -> None:
    """Compute the running statistics of a model's batch norms anew, from all batches of a loader.

    A batch that is a list or a tuple is represented by its first element.
    """
    norms: list[Any] = [module for module in model.modules() if hasattr(module, "reset_running_stats")]
    if not norms:
        return
    momenta, was_training = [norm.momentum for norm in norms], model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
    for batch in loader:
        model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Takes the rates to swa_lr, one for all groups or one each, over anneal_epochs steps.

    Raises ValueError for an anneal_strategy other than "cos" or "linear", or a negative anneal_epochs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', instead got {anneal_strategy}")
        given: object = anneal_epochs
        if not isinstance(given, int) or given < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Rate]:
        """The rates of the step that is being taken, one per group."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        result: list[Rate] = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            result.append(end * now + start * (1 - now))
        return result

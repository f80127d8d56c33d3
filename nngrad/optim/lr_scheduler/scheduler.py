"""What all schedulers of learning rates have in common: counting steps, setting rates, saving both."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FunctionType
from typing import Any, TypeAlias
from weakref import ref

from ...tensor import Tensor
from ..optimizer import Optimizer

#: a learning rate; PyTorch allows tensors of one element
Rate: TypeAlias = float | Tensor


class LRScheduler:
    """Base of the schedulers; a subclass defines `get_lr`, which gives each group's next rate.

    optimizer: whose groups' "lr" it sets, at once and at every `step`. last_epoch: how many steps
    were taken before, -1 for a fresh start. A tensor as "lr" is filled in place.
    Raises TypeError for what is no optimiser, KeyError if last_epoch is given and a group has no
    "initial_lr" to go on from.
    """

    optimizer: Optimizer
    base_lrs: list[Rate]
    last_epoch: int
    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    "last_epoch >= 0: load the optimizer's state first"
                )
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with self._during("_is_initial"):
            self.step()

    @contextmanager
    def _during(self, flag: str) -> Iterator[None]:
        setattr(self, flag, True)
        try:
            yield
        finally:
            setattr(self, flag, False)

    def state_dict(self) -> dict[str, Any]:
        """All that it remembers but the optimiser, in PyTorch's layout."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; load the optimiser's state too."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Rate]:
        """The rates that the last step set, one per group."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """The rates of the step that is being taken, one per group."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def step(self, epoch: int | None = None) -> None:
        """Set the next rates; call it after the optimiser's `step`.

        epoch: deprecated; the step to jump to.
        """
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warn(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                    "initialization. Please, make sure to call `optimizer.step()` before "
                    "`lr_scheduler.step()`."
                )
            elif not getattr(self.optimizer, "_opt_called", False):
                warn(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the "
                    "opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this "
                    "will result in skipping the first value of the learning rate schedule."
                )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._during("_get_lr_called_within_step"):
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed: Callable[[], list[Rate]] | None = getattr(self, "_get_closed_form_lr", None)
            self._set(self.get_lr() if epoch is None or closed is None else closed())

    def _set(self, values: Iterable[Rate]) -> None:
        for group, rate in zip(self.optimizer.param_groups, values, strict=True):
            put(group, "lr", rate)
        self._last_lr = rates(self.optimizer)

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                level=4,
            )


class _LRScheduler(LRScheduler):
    """PyTorch's old name for the base."""


def warn(message: str, level: int = 3) -> None:
    """A warning about the call of the function that calls this one."""
    warnings.warn(message, UserWarning, stacklevel=level)


def warn_of_epoch() -> None:
    """Say that `step(epoch)` is deprecated."""
    warn("The epoch parameter in `scheduler.step()` is deprecated: call `scheduler.step()` without it", 4)


def check_optimizer(optimizer: object) -> None:
    """Raise TypeError for what is no optimiser."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def copied(value: Any) -> Any:
    """A value that does not follow the group's."""
    return value.clone() if isinstance(value, Tensor) else value


def rates(optimizer: Optimizer, key: str = "lr") -> list[Rate]:
    """An option of each group, copied."""
    return [copied(group[key]) for group in optimizer.param_groups]


def put(group: dict[str, Any], key: str, value: Rate) -> None:
    """Set a group's option; a tensor there keeps its identity."""
    if isinstance(group[key], Tensor):
        group[key].fill_(float(value))
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value per group, from one for all or a list. Raises ValueError for a list of another length."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [copied(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {count}."
        )
    return [copied(x) for x in value]


def saved_function(function: Any) -> dict[str, Any] | None:
    """What a function that is an object remembers; a plain function is not saved, as in PyTorch."""
    return None if isinstance(function, FunctionType) else function.__dict__.copy()


def _note_steps(optimizer: Optimizer) -> None:
    """Have the optimiser remember that it took a step, so that a wrong order of calls is noticed."""
    step: Any = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):
        return
    function, owner = step.__func__, ref(optimizer)

    @wraps(function)
    def noted(*args: Any, **options: Any) -> Any:
        stepped: Any = owner()
        stepped._opt_called = True
        return function(stepped, *args, **options)

    vars(noted)["_wrapped_by_lr_sched"] = True
    vars(optimizer)["step"] = noted

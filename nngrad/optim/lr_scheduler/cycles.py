"""Schedulers that raise and lower the rates, and the momentum against them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from ..optimizer import Optimizer, ParamGroup
from .scheduler import LRScheduler, Rate, check_optimizer, per_group, put, saved_function


class Cycling(LRScheduler):
    """Base of schedulers that cycle the momentum (or the first beta) too."""

    cycle_momentum: bool
    use_beta1: bool

    def _start_momentum(self, cycles: bool, base: Any, largest: Any, fresh: bool) -> tuple[Any, Any]:
        """The momentums to cycle between, per group, which are set to the largest at a fresh start."""
        self.cycle_momentum = cycles
        if not cycles:
            return (), ()
        defaults, groups = self.optimizer.defaults, self.optimizer.param_groups
        if "momentum" not in defaults and "betas" not in defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in defaults
        bases = per_group("base_momentum", self.optimizer, base)
        tops = per_group("max_momentum", self.optimizer, largest)
        for group, low, top in zip(groups, bases, tops) if fresh else ():
            self._put_momentum(group, top)
            group["max_momentum"] = top
            group["base_momentum"] = low
        return bases, tops

    def _put_momentum(self, group: ParamGroup, momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(Cycling):
    """Takes the rates from base_lr to max_lr and back in cycles of step_size_up + step_size_down steps.

    mode: whether each cycle is as high as the first ("triangular"), half as high as the one before
    ("triangular2"), or lowered by gamma every step ("exp_range"). scale_fn: a height of your own, a
    function of the cycle's or the step's number (scale_mode "cycle" or "iterations"). cycle_momentum:
    whether the momentum goes the other way, from max_momentum to base_momentum. Smith, 2017.
    Raises ValueError for an unknown mode, and for an optimiser without a momentum to cycle.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        fresh = last_epoch == -1
        base_lrs = per_group("base_lr", optimizer, base_lr)
        for rate, group in zip(base_lrs, optimizer.param_groups) if fresh else ():
            put(group, "lr", rate)
        self.max_lrs: list[Any] = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size: float = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio: float = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode is invalid and scale_fn is None: {mode}")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom: Any = scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode
        bases, tops = self._start_momentum(cycle_momentum, base_momentum, max_momentum, fresh)
        if cycle_momentum:
            self.base_momentums = bases
            self.max_momentums = tops
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, in parts of max_lr - base_lr."""
        if self._scale_fn_custom is not None:
            return float(self._scale_fn_custom(x))
        if self.mode == "triangular":
            return 1.0
        return float(1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x)

    def get_lr(self) -> list[Rate]:
        """The rates of the step that is being taken, one per group; sets the momentums."""
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        way = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, top in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                self._put_momentum(group, top - (top - low) * way * scale)
        return [low + (top - low) * way * scale for low, top in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All that it remembers but the optimiser, in PyTorch's layout; no plain scale_fn."""
        state = super().state_dict()
        function = state.pop("_scale_fn_custom")
        return {**state, "_scale_fn_custom": None if function is None else saved_function(function)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; load the optimiser's state too."""
        rest = dict(state_dict)
        function = rest.pop("_scale_fn_custom")
        super().load_state_dict(rest)
        if function is not None:
            self._scale_fn_custom.__dict__.update(function)


class OneCycleLR(Cycling):
    """Takes the rates from max_lr / div_factor up to max_lr, then down to far below where they started.

    total_steps, or epochs and steps_per_epoch: how long that takes. pct_start: the part of it that
    goes up. anneal_strategy: along the cosine ("cos") or a line ("linear"). three_phase: down to the
    start first, then to the end. final_div_factor: by what the last rate is below the first.
    cycle_momentum: whether the momentum goes the other way. Smith and Topin, 2018.
    Raises ValueError for numbers that make no sense, an optimiser without a momentum to cycle, and for
    a step beyond the last.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        fresh = last_epoch == -1
        self.total_steps: int
        if total_steps is not None:
            self.total_steps = _positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = _positive("epochs", epochs) * _positive("steps_per_epoch", steps_per_epoch)
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        part: object = pct_start
        if not isinstance(part, float) or not 0 <= part <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be 'cos' or 'linear', instead got {anneal_strategy}")
        up, end = pct_start * self.total_steps, self.total_steps - 1
        self._schedule_phases = [_phase(float(up) - 1, "initial_lr", "max_lr", "max", "base")]
        if three_phase:
            self._schedule_phases += [
                _phase(float(2 * pct_start * self.total_steps) - 2, "max_lr", "initial_lr", "base", "max"),
                _phase(end, "initial_lr", "min_lr", "max", "max"),
            ]
        else:
            self._schedule_phases += [_phase(end, "max_lr", "min_lr", "base", "max")]
        self._anneal_func_type = anneal_strategy
        tops = per_group("max_lr", optimizer, max_lr)
        for top, group in zip(tops, optimizer.param_groups) if fresh else ():
            group["initial_lr"] = top / div_factor
            group["max_lr"] = top
            group["min_lr"] = group["initial_lr"] / final_div_factor
        self._start_momentum(cycle_momentum, base_momentum, max_momentum, fresh)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)

    def get_lr(self) -> list[Rate]:
        """The rates of the step that is being taken, one per group; sets the momentums."""
        self._warn_outside_step()
        at = self.last_epoch
        if at > self.total_steps:
            raise ValueError(
                f"Tried to step {at} times. The specified number of total steps is {self.total_steps}"
            )
        start: float = 0
        *phases, phase = self._schedule_phases
        for earlier in phases:
            if at <= earlier["end_step"]:
                phase = earlier
                break
            start = earlier["end_step"]
        part = (at - start) / (phase["end_step"] - start)
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._put_momentum(group, self._between(*ends, part))
        return [self._between(group[phase["start_lr"]], group[phase["end_lr"]], part) for group in groups]


def _positive(name: str, value: int) -> int:
    given: object = value
    if not isinstance(given, int) or given <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return given


def _phase(end: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> dict[str, Any]:
    return {
        "end_step": end,
        "start_lr": start_lr,
        "end_lr": end_lr,
        "start_momentum": f"{start_momentum}_momentum",
        "end_momentum": f"{end_momentum}_momentum",
    }

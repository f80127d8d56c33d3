"""Schedulers that lower the rates along half a wave of the cosine."""

from __future__ import annotations

import math

from ..optimizer import Optimizer
from .scheduler import LRScheduler, Rate, rates


class CosineAnnealingLR(LRScheduler):
    """Takes the rates from the initial ones to eta_min over T_max steps, and back, and so on."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The rates of the step that is being taken, one per group."""
        self._warn_outside_step()
        now, at, period, low = rates(self.optimizer), self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return now
        if self._step_count == 1 and at > 0:
            return self._get_closed_form_lr()
        if (at - 1 - period) % (2 * period) == 0:  # the step from the valley, where the quotient is 0 / 0
            rise = 1 - math.cos(math.pi / period)
            return [rate + (base - low) * rise / 2 for rate, base in zip(now, self.base_lrs, strict=True)]
        factor = (1 + math.cos(math.pi * at / period)) / (1 + math.cos(math.pi * (at - 1) / period))
        return [factor * (rate - low) + low for rate in now]

    def _get_closed_form_lr(self) -> list[Rate]:
        return annealed(self.base_lrs, self.eta_min, self.last_epoch, self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Takes the rates to eta_min over T_0 steps and starts anew, each time over T_mult times as many.

    `step` takes fractions of an epoch too. Loshchilov and Hutter, SGDR, 2017.
    Raises ValueError for a T_0 or T_mult that is no positive integer, an eta_min that is no number.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        low: object = eta_min
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            given: object = value
            if not isinstance(given, int) or given < 1:
                raise ValueError(f"Expected positive integer {name}, but got {value}")
        if not isinstance(low, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i: int = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        """The rates of the step that is being taken, one per group."""
        self._warn_outside_step()
        return annealed(self.base_lrs, self.eta_min, self.T_cur, self.T_i)

    def step(self, epoch: float | None = None) -> None:
        """Set the next rates, or those of an epoch, which may be a fraction.

        Raises ValueError for a negative epoch.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        elif epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**restarts
        self.last_epoch: int = math.floor(epoch)
        with self._during("_get_lr_called_within_step"):
            self._set(self.get_lr())


def annealed(starts: list[Rate], low: float, at: float, period: int) -> list[Rate]:
    """Rates on their way down along the cosine."""
    height = 1 + math.cos(math.pi * at / period)
    return [low + (start - low) * height / 2 for start in starts]

"""Schedules: pure functions from the number of updates so far to a rate, accepted wherever a rate is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import cos, pi
from typing import Literal

from .formula import require
from .pure import Rate, Schedule, rate_at


def constant(rate: float) -> Schedule:
    """The same rate at every step.

    >>> constant(0.5)(100)
    0.5
    """
    require(rate >= 0, "learning rate", rate)
    return lambda step: rate


def exponential(rate: float, gamma: float) -> Schedule:
    """rate * gamma ** step, as `ExponentialLR`.

    >>> exponential(1.0, 0.5)(3)
    0.125
    """
    require(rate >= 0, "learning rate", rate)
    return lambda step: float(rate * gamma**step)


def cosine(rate: float, steps: int, least: float = 0.0) -> Schedule:
    """Half a wave from `rate` down to `least`, where it stays, as the first half of `CosineAnnealingLR`.

    >>> cosine(1.0, 10)(5), cosine(1.0, 10)(20)
    (0.5, 0.0)
    """
    _check(rate, steps)
    return lambda step: _wave(rate, least, min(step / steps, 1.0))


def polynomial(rate: float, steps: int, power: float = 1.0, least: float = 0.0) -> Schedule:
    """From `rate` down to `least` as (1 - step / steps) ** power, as `PolynomialLR`.

    >>> polynomial(1.0, 4, power=2.0)(2)
    0.25
    """
    _check(rate, steps)
    return lambda step: float(least + (rate - least) * (1 - min(step / steps, 1.0)) ** power)


def warmup(steps: int, then: Rate, start: float = 0.0) -> Schedule:
    """In a line from the part `start` of the first rate of `then` up to it; from there on, `then`.

    >>> rate = warmup(10, cosine(1.0, 100))
    >>> rate(0), rate(5), rate(10), rate(60)
    (0.0, 0.5, 1.0, 0.5)
    """
    first = rate_at(then, 0)
    _check(first, steps)

    def schedule(step: int) -> float:
        return first * (start + (1 - start) * step / steps) if step < steps else rate_at(then, step - steps)

    return schedule


def piecewise(boundaries: Sequence[int], rates: Sequence[Rate]) -> Schedule:
    """rates[0] before boundaries[0], rates[1] from there to before boundaries[1], and so on.

    A schedule among the rates counts from its boundary. Raises ValueError unless boundaries grow
    and there is one rate more.

    >>> rate = piecewise([10, 20], [1.0, 0.1, 0.01])
    >>> rate(9), rate(10), rate(25)
    (1.0, 0.1, 0.01)
    """
    starts, choices = [0, *boundaries], list(rates)
    if starts != sorted(starts) or len(choices) != len(starts):
        raise ValueError(
            f"piecewise: boundaries {starts[1:]} must grow, and take {len(starts)} rates, not {len(choices)}"
        )

    def schedule(step: int) -> float:
        i = bisect_right(starts, step) - 1
        return rate_at(choices[i], step - starts[i])

    return schedule


def one_cycle(
    rate: float,
    steps: int,
    pct_start: float = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """Up from rate / div_factor to `rate`, and down below where it began, as `OneCycleLR`.

    Smith and Topin, 2019. After the last step it stays. Raises ValueError for a part of the steps,
    or a strategy, that there is not.

    >>> [round(one_cycle(1.0, 11)(step), 3) for step in (0, 2, 10)]
    [0.04, 0.96, 0.0]
    """
    _check(rate, steps)
    if not 0 <= pct_start <= 1:
        raise ValueError(f"one_cycle: pct_start must be between 0 and 1, got {pct_start}")
    if anneal_strategy not in ("cos", "linear"):
        raise ValueError(f"one_cycle: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
    first, last = rate / div_factor, rate / div_factor / final_div_factor
    top = pct_start * steps - 1
    middle = [(2 * top, first)] if three_phase else []
    phases = [(0.0, first), (top, rate), *middle, (steps - 1.0, last)]

    def schedule(step: int) -> float:
        for (start, high), (stop, low) in pairwise(phases):
            if step <= stop:
                part = (step - start) / (stop - start) if stop > start else 1.0
                return _wave(high, low, part) if anneal_strategy == "cos" else high + (low - high) * part
        return last

    return schedule


def _wave(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + cos(pi * part)) / 2


def _check(rate: float, steps: int) -> None:
    require(rate >= 0, "learning rate", rate)
    if steps < 1:
        raise ValueError(f"Invalid number of steps: {steps}")

"""Formulas that divide by the root of the gradient's mean square: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from .formula import (
    Arrays,
    Count,
    Formula,
    Scratch,
    check_adaptive,
    mean_into,
    oriented,
    require,
    root_into,
    squares_into,
)


class AdagradHyper(NamedTuple):
    """The numbers that Adagrad depends on."""

    lr: float
    lr_decay: float
    weight_decay: float
    initial_accumulator_value: float
    eps: float
    maximize: bool


class AdadeltaHyper(NamedTuple):
    """The numbers that Adadelta depends on."""

    lr: float
    rho: float
    eps: float
    weight_decay: float
    maximize: bool


class RMSpropHyper(NamedTuple):
    """The numbers that RMSprop depends on."""

    lr: float
    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool
    maximize: bool


def _check_adagrad(h: AdagradHyper) -> None:
    check_adaptive(h)
    require(h.lr_decay >= 0, "lr_decay value", h.lr_decay)
    start = h.initial_accumulator_value
    require(start >= 0, "initial_accumulator_value value", start)


def _check_adadelta(h: AdadeltaHyper) -> None:
    check_adaptive(h)
    require(0 <= h.rho <= 1, "rho value", h.rho)


def _check_rmsprop(h: RMSpropHyper) -> None:
    check_adaptive(h)
    require(h.momentum >= 0, "momentum value", h.momentum)
    require(h.alpha >= 0, "alpha value", h.alpha)


def _adagrad(
    p: Any,
    g: Any,
    state: Arrays,
    new_p: Any,
    new_state: Arrays,
    scratch: Scratch,
    h: AdagradHyper,
    count: Count,
) -> None:
    """Duchi, Hazan and Singer, 2011."""
    s, d, _ = scratch
    g = oriented(g, p, h.maximize, h.weight_decay, scratch)
    np.add(state[0], np.multiply(g, g, s), new_state[0])
    root_into(s, new_state[0], h.eps)
    np.multiply(g, h.lr / (1 + count[0] * h.lr_decay), d)
    np.subtract(p, np.divide(d, s, d), new_p)


def _adadelta(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: AdadeltaHyper, _: Count
) -> None:
    """Zeiler, 2012: the steps taken so far give the rate its unit."""
    s, _, e = scratch
    g = oriented(g, p, h.maximize, h.weight_decay, scratch)
    squares_into(new_state[0], state[0], g, h.rho, s)
    np.sqrt(np.add(new_state[0], h.eps, s), s)
    np.sqrt(np.add(state[1], h.eps, e), e)
    np.multiply(np.divide(e, s, e), g, e)
    squares_into(new_state[1], state[1], e, h.rho, s)
    np.subtract(p, np.multiply(e, h.lr, e), new_p)


def _rmsprop(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: RMSpropHyper, _: Count
) -> None:
    """Hinton, 2012, lecture 6; centred as Graves, 2013."""
    s, d, e = scratch
    g = oriented(g, p, h.maximize, h.weight_decay, scratch)
    squares_into(new_state[0], state[0], g, h.alpha, s)
    size = new_state[0]
    if h.centered:
        mean_into(new_state[-1], state[-1], g, h.alpha, s)
        size = np.subtract(size, np.multiply(new_state[-1], new_state[-1], e), e)
    root_into(s, size, h.eps)
    if h.momentum:
        np.divide(g, s, d)
        g = np.add(np.multiply(state[1], h.momentum, new_state[1]), d, new_state[1])
        np.subtract(p, np.multiply(g, h.lr, s), new_p)
    else:
        np.multiply(g, h.lr, d)
        np.subtract(p, np.divide(d, s, d), new_p)


def _rmsprop_buffers(h: RMSpropHyper) -> tuple[str, ...]:
    return ("square_avg", *["momentum_buffer"] * (h.momentum > 0), *["grad_avg"] * h.centered)


ADAGRAD: Final = Formula(
    AdagradHyper,
    _check_adagrad,
    _adagrad,
    lambda h: ("sum",),
    fill=lambda h, name: h.initial_accumulator_value,
)
ADADELTA: Final = Formula(AdadeltaHyper, _check_adadelta, _adadelta, lambda h: ("square_avg", "acc_delta"))
RMSPROP: Final = Formula(RMSpropHyper, _check_rmsprop, _rmsprop, _rmsprop_buffers)

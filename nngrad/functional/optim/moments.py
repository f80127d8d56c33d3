"""Formulas of the family of Adam: a running mean of the gradient over one of its size."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final, NamedTuple

import numpy as np

from .formula import (
    Arrays,
    Count,
    Formula,
    Scratch,
    check_betas,
    mean_into,
    oriented,
    require,
    root_into,
    squares_into,
)


class AdamHyper(NamedTuple):
    """The numbers that Adam and AdamW depend on; AdamW decays the weights apart from the gradient."""

    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    amsgrad: bool
    maximize: bool
    decoupled_weight_decay: bool


class NAdamHyper(NamedTuple):
    """The numbers that NAdam depends on."""

    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    momentum_decay: float
    decoupled_weight_decay: bool
    maximize: bool


class RAdamHyper(NamedTuple):
    """The numbers that RAdam depends on."""

    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    decoupled_weight_decay: bool
    maximize: bool


class AdamaxHyper(NamedTuple):
    """The numbers that Adamax depends on."""

    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    maximize: bool


def _check_nadam(h: NAdamHyper) -> None:
    check_betas(h)
    require(h.momentum_decay >= 0, "momentum_decay value", h.momentum_decay)


def _moments(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: Any
) -> tuple[Any, Any]:
    """The parameters and the gradient with the decay of the weights, after both means are updated."""
    if h.weight_decay and h.decoupled_weight_decay:
        g = oriented(g, p, h.maximize, 0, scratch)
        p = np.multiply(p, 1 - h.lr * h.weight_decay, new_p)
    else:
        g = oriented(g, p, h.maximize, h.weight_decay, scratch)
    mean_into(new_state[0], state[0], g, h.betas[0], scratch[0])
    squares_into(new_state[1], state[1], g, h.betas[1], scratch[0])
    return p, g


def _adam(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: AdamHyper, count: Count
) -> None:
    """Kingma and Ba, 2015, algorithm 1; Loshchilov and Hutter, 2019.

    As in PyTorch, eps is added to the corrected root; the two divisions by corrections are folded
    into numbers: m / c1 / (sqrt(v) / c2 + eps) = m * (c2 / c1) / (sqrt(v) + eps * c2).
    """
    s, step = scratch[0], count[0] + 1
    p, _ = _moments(p, g, state, new_p, new_state, scratch, h)
    v = new_state[1]
    largest = np.maximum(state[2], v, out=new_state[2]) if h.amsgrad else v
    c2 = sqrt(1 - h.betas[1] ** step)
    np.divide(new_state[0], root_into(s, largest, h.eps * c2), s)
    np.multiply(s, h.lr * c2 / (1 - h.betas[0] ** step), s)
    np.subtract(p, s, new_p)


def _nadam(
    p: Any,
    g: Any,
    state: Arrays,
    new_p: Any,
    new_state: Arrays,
    scratch: Scratch,
    h: NAdamHyper,
    count: Count,
) -> None:
    """Dozat, 2016: the next step's momentum is used already."""
    s, d, _ = scratch
    step, product = count[0] + 1, _advance_nadam(h, count)[1]
    p, g = _moments(p, g, state, new_p, new_state, scratch, h)
    c2 = sqrt(1 - h.betas[1] ** step)
    root_into(s, new_state[1], h.eps * c2)
    ahead = _momentum(h, step + 1)
    np.multiply(g, h.lr * c2 * (1 - _momentum(h, step)) / (1 - product), d)
    np.subtract(p, np.divide(d, s, d), new_p)
    np.multiply(new_state[0], h.lr * c2 * ahead / (1 - product * ahead), d)
    np.subtract(new_p, np.divide(d, s, d), new_p)


def _momentum(h: NAdamHyper, step: int) -> float:
    decayed: float = 0.96 ** (step * h.momentum_decay)
    return h.betas[0] * (1 - 0.5 * decayed)


def _advance_nadam(h: NAdamHyper, count: Count) -> Count:
    step = count[0] + 1
    # in single precision, as PyTorch keeps it
    return step, float(np.float32(count[1]) * np.float32(_momentum(h, step)))


def _radam(
    p: Any,
    g: Any,
    state: Arrays,
    new_p: Any,
    new_state: Arrays,
    scratch: Scratch,
    h: RAdamHyper,
    count: Count,
) -> None:
    """Liu et al., 2020: without the root while too little is known of the variance."""
    s, step, beta2 = scratch[0], count[0] + 1, h.betas[1]
    p, _ = _moments(p, g, state, new_p, new_state, scratch, h)
    scale = h.lr / (1 - h.betas[0] ** step)
    most = 2 / (1 - beta2) - 1
    known = most - 2 * step * beta2**step / (1 - beta2**step)
    if known > 5:
        rectified = (known - 4) * (known - 2) * most / ((most - 4) * (most - 2) * known)
        np.divide(new_state[0], root_into(s, new_state[1], h.eps), s)
        np.multiply(s, scale * sqrt(rectified * (1 - beta2**step)), s)
    else:
        np.multiply(new_state[0], scale, s)
    np.subtract(p, s, new_p)


def _adamax(
    p: Any,
    g: Any,
    state: Arrays,
    new_p: Any,
    new_state: Arrays,
    scratch: Scratch,
    h: AdamaxHyper,
    count: Count,
) -> None:
    """Kingma and Ba, 2015, algorithm 2: the largest gradient, fading, in the place of the root."""
    s, mean, largest = scratch[0], *new_state
    g = oriented(g, p, h.maximize, h.weight_decay, scratch)
    mean_into(mean, state[0], g, h.betas[0], s)
    np.add(np.abs(g, s), h.eps, s)
    np.maximum(np.multiply(state[1], h.betas[1], largest), s, out=largest)
    np.multiply(mean, h.lr / (1 - h.betas[0] ** (count[0] + 1)), s)
    np.subtract(p, np.divide(s, largest, s), new_p)


def _adam_buffers(h: AdamHyper) -> tuple[str, ...]:
    return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if h.amsgrad else ("exp_avg", "exp_avg_sq")


def _two_means(_: Any) -> tuple[str, ...]:
    return ("exp_avg", "exp_avg_sq")


ADAM: Final = Formula(AdamHyper, check_betas, _adam, _adam_buffers)
NADAM: Final = Formula(
    NAdamHyper,
    _check_nadam,
    _nadam,
    _two_means,
    numbers=("mu_product",),
    start=lambda h: (1.0,),
    advance=_advance_nadam,
)
RADAM: Final = Formula(RAdamHyper, check_betas, _radam, _two_means)
ADAMAX: Final = Formula(AdamaxHyper, check_betas, _adamax, lambda h: ("exp_avg", "exp_inf"))

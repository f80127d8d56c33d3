"""Formulas that follow the gradient or its sign: SGD, ASGD, Rprop, Lion."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from .formula import Arrays, Count, Formula, Scratch, mean_into, oriented, require


class SGDHyper(NamedTuple):
    """The numbers that stochastic gradient descent depends on."""

    lr: float
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False
    maximize: bool = False


class ASGDHyper(NamedTuple):
    """The numbers that averaged gradient descent depends on."""

    lr: float
    lambd: float
    alpha: float
    t0: float
    weight_decay: float
    maximize: bool


class RpropHyper(NamedTuple):
    """The numbers that resilient backpropagation depends on."""

    lr: float
    etas: tuple[float, float]
    step_sizes: tuple[float, float]
    maximize: bool


class LionHyper(NamedTuple):
    """The numbers that Lion depends on."""

    lr: float
    betas: tuple[float, float]
    weight_decay: float
    maximize: bool


def _check_sgd(h: SGDHyper) -> None:
    require(h.lr >= 0, "learning rate", h.lr)
    require(h.momentum >= 0, "momentum value", h.momentum)
    require(h.weight_decay >= 0, "weight_decay value", h.weight_decay)
    if h.nesterov and (h.momentum <= 0 or h.dampening != 0):
        raise ValueError("Nesterov momentum requires a momentum and zero dampening")


def _check_asgd(h: ASGDHyper) -> None:
    require(h.lr >= 0, "learning rate", h.lr)
    require(h.weight_decay >= 0, "weight_decay value", h.weight_decay)


def _check_rprop(h: RpropHyper) -> None:
    require(h.lr >= 0, "learning rate", h.lr)
    require(0 < h.etas[0] < 1 < h.etas[1], "eta values", f"{h.etas[0]}, {h.etas[1]}")


def _check_lion(h: LionHyper) -> None:
    require(h.lr >= 0, "learning rate", h.lr)
    for i, beta in enumerate(h.betas):
        require(0 <= beta < 1, f"beta parameter at index {i}", beta)
    require(h.weight_decay >= 0, "weight_decay value", h.weight_decay)


def _sgd(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: SGDHyper, count: Count
) -> None:
    """With PyTorch's momentum: the first step is undamped."""
    lr, momentum, dampening, weight_decay, nesterov, maximize = h
    s, d, _ = scratch
    g = oriented(g, p, maximize, weight_decay, scratch)
    if momentum:
        (new,) = new_state
        if count[0] == 0:
            np.copyto(new, g)
        else:
            np.multiply(state[0], momentum, new)
            np.add(new, np.multiply(g, 1 - dampening, s) if dampening else g, new)
        g = np.add(g, np.multiply(new, momentum, s), d) if nesterov else new
    np.subtract(p, np.multiply(g, lr, s), new_p)


def _asgd(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: ASGDHyper, count: Count
) -> None:
    """Polyak and Juditsky, 1992: `ax` is the average of the parameters from step t0 on."""
    _, eta, mu = count
    s, (ax,) = scratch[0], new_state
    g = oriented(g, p, h.maximize, h.weight_decay, scratch)
    np.multiply(p, 1 - h.lambd * eta, new_p)
    np.subtract(new_p, np.multiply(g, eta, s), new_p)
    if mu == 1:
        np.copyto(ax, new_p)
    else:
        np.subtract(new_p, state[0], s)
        np.add(state[0], np.multiply(s, mu, s), ax)


def _single(x: float) -> float:
    return float(np.float32(x))  # as PyTorch keeps it


def _advance_asgd(h: ASGDHyper, count: Count) -> Count:
    step = count[0] + 1
    eta = h.lr / (1 + h.lambd * h.lr * step) ** h.alpha
    return step, _single(eta), _single(1 / max(1, step - h.t0))


def _rprop(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: RpropHyper, _: Count
) -> None:
    """Riedmiller and Braun, 1993: steps grow while the sign stays, and shrink where it turns."""
    s, d, e = scratch
    prev, size = new_state
    (shrink, grow), (least, most) = h.etas, h.step_sizes
    g = oriented(g, p, h.maximize, 0, scratch)
    np.multiply(g, state[0], s)
    e.fill(1)
    np.copyto(e, grow, where=s > 0)
    np.copyto(e, shrink, where=s < 0)
    np.clip(np.multiply(state[1], e, e), least, most, size)
    np.copyto(d, g)
    np.copyto(d, 0, where=s < 0)
    np.copyto(prev, d)
    # the sign, which for NaN is 0 in PyTorch
    np.subtract(np.greater(d, 0, s), np.less(d, 0, e), s)
    np.subtract(p, np.multiply(s, size, s), new_p)


def _lion(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Scratch, h: LionHyper, _: Count
) -> None:
    """Chen et al., 2023, algorithm 2."""
    s, _, e = scratch
    g = oriented(g, p, h.maximize, 0, scratch)
    mean_into(e, state[0], g, h.betas[0], s)
    np.multiply(np.sign(e, e), h.lr, e)
    if h.weight_decay:
        p = np.multiply(p, 1 - h.lr * h.weight_decay, new_p)
    np.subtract(p, e, new_p)
    mean_into(new_state[0], state[0], g, h.betas[1], s)


SGD: Final = Formula(
    SGDHyper, _check_sgd, _sgd, lambda h: ("momentum_buffer",) if h.momentum else (), steps=False
)
ASGD: Final = Formula(
    ASGDHyper,
    _check_asgd,
    _asgd,
    lambda h: ("ax",),
    numbers=("eta", "mu"),
    start=lambda h: (_single(h.lr), 1.0),
    advance=_advance_asgd,
)
RPROP: Final = Formula(
    RpropHyper,
    _check_rprop,
    _rprop,
    lambda h: ("prev", "step_size"),
    fill=lambda h, name: h.lr if name == "step_size" else 0.0,
)
LION: Final = Formula(LionHyper, _check_lion, _lion, lambda h: ("exp_avg",), steps=False)

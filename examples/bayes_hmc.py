"""Not one classifier but the whole posterior of them: Hamiltonian Monte Carlo, all chains at once.

Logistic regression on the breast cancer data that scikit-learn ships, with standard normal priors. The
trajectory of one chain is a pure function of its position and momentum (Neal, "MCMC using Hamiltonian
dynamics", 2011); `grad` drives it, `vmap` runs it for every chain. Run `python -m examples.bayes_hmc`,
or `make demo-bayes`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer
from tqdm import tqdm

import nngrad.functional as F
from nngrad.functional import Array, Node

from .showing import save, wanted_size

CHAINS, LEAPS, STEP = 8, 16, 0.12


class Data(NamedTuple):
    """Measurements of tumours, each with mean 0 and variance 1, and a column of ones; 1 for a benign one."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array
    names: tuple[str, ...]


class Draws(NamedTuple):
    """Weights, (draws, chains, weights), and the share of the proposals that was accepted."""

    weights: Array
    accepted: float


def load(held_out: int = 169, seed: int = 0) -> Data:
    """The 569 tumours, shuffled; `held_out` of them are kept for the test."""
    bunch: Any = load_breast_cancer()
    rows = np.random.default_rng(seed).permutation(len(bunch.target))
    train = bunch.data[rows[held_out:]]
    scaled = (bunch.data[rows] - train.mean(0)) / train.std(0)
    x, y = np.column_stack([scaled, np.ones(len(rows))]), bunch.target[rows].astype(np.float64)
    names = (*map(str, bunch.feature_names), "constant")
    return Data(x[held_out:], y[held_out:], x[:held_out], y[:held_out], names)


def potential(weights: Node, data: Data) -> Node:
    """Minus the log of the posterior density of the weights, up to a constant."""
    misfit = F.binary_cross_entropy_with_logits(F.matmul(data.x, weights), data.y, reduction="sum")
    return misfit + F.sum(F.square(weights)) / 2


def energy(weights: Node, momentum: Node, data: Data) -> Node:
    """What a trajectory keeps, up to the error of its steps."""
    return potential(weights, data) + F.sum(F.square(momentum)) / 2


def trajectory(weights: Node, momentum: Node, step: float, data: Data) -> tuple[Node, Node, Node]:
    """One chain's proposal by LEAPS leapfrog steps, and the energy before and after."""
    force = F.grad(potential)
    before = energy(weights, momentum, data)
    momentum = momentum - step / 2 * force(weights, data)
    for leap in range(LEAPS):
        weights = weights + step * momentum
        momentum = momentum - (step if leap < LEAPS - 1 else step / 2) * force(weights, data)
    return weights, before, energy(weights, momentum, data)


def sample(data: Data, draws: int, seed: int = 0) -> Draws:
    """Draw from the posterior with each chain, after half as many draws that are thrown away."""
    rng = np.random.default_rng(seed)
    chains = F.vmap(trajectory, in_dims=(0, 0, None, None))
    shape = CHAINS, data.x.shape[1]
    weights = F.constant(rng.normal(size=shape))  # far apart, so that agreement means something
    kept, accepted = [], 0.0
    warm_up = draws // 2
    for draw in tqdm(range(-warm_up, draws), desc="sampling", unit="draw"):
        step = STEP * rng.uniform(0.8, 1.2)  # so that no trajectory closes on itself
        proposed, before, after = chains(weights, F.constant(rng.normal(size=shape)), step, data)
        accept = np.log(rng.random(CHAINS)) < before.data - after.data
        weights = F.where(accept[:, None], proposed, weights)
        if draw >= 0:
            kept.append(weights.data)
            accepted += float(accept.mean()) / draws
    return Draws(np.stack(kept), accepted)


def r_hat(weights: Array) -> Array:
    """How much wider all chains are together than each is, for every weight: 1 where they agree.

    Each chain counts as two, its halves (Gelman et al., "Bayesian Data Analysis", 2013, section 11.4).
    """
    n = len(weights) // 2
    halves = np.concatenate([weights[:n], weights[n : 2 * n]], axis=1)
    within = halves.var(0, ddof=1).mean(0)
    between = halves.mean(0).var(0, ddof=1)
    ratio: Array = np.sqrt((n - 1) / n + between / within)
    return ratio


def chances(weights: Array, x: Array) -> Array:
    """The chance of each tumour to be benign, by every draw: (draws, chains, tumours)."""
    return F.sigmoid(F.matmul(weights, x.T)).data


def picture(path: Path, data: Data, weights: Array) -> None:
    """Draw what is known about each weight, what each chain says of the one they agree least on, and the
    held-out tumours."""
    every = weights.reshape(-1, weights.shape[-1])
    low, middle, high = np.quantile(every, [0.025, 0.5, 0.975], axis=0)
    ranked = np.argsort(middle)
    figure = Figure(figsize=(11, 7), layout="constrained")
    axes = figure.subplot_mosaic([["known", "chains"], ["known", "held out"]])
    names = [data.names[i] for i in ranked]
    axes["known"].errorbar(
        middle[ranked], names, xerr=[(middle - low)[ranked], (high - middle)[ranked]], fmt="o"
    )
    axes["known"].axvline(0, color="gray", linewidth=1)
    axes["known"].tick_params(axis="y", labelsize=8)
    axes["known"].set(xlabel="weight: median and 95 % interval", ylim=(-1, len(names)))

    worst = int(np.argmax(r_hat(weights)))
    share = np.arange(1, len(weights) + 1) / len(weights)
    axes["chains"].plot(np.sort(weights[:, :, worst], axis=0), share, linewidth=0.8)
    axes["chains"].set(xlabel=f"weight of {data.names[worst]}", ylabel="share of a chain's draws below")
    axes["chains"].grid(alpha=0.3)
    axes["chains"].set_title(
        f"the {CHAINS} chains agree least here: r-hat {r_hat(weights)[worst]:.3f}", fontsize=10
    )

    chance = chances(weights, data.test_x).reshape(len(every), -1)
    low, middle, high = np.quantile(chance, [0.025, 0.5, 0.975], axis=0)
    ranked = np.argsort(middle)
    for benign, colour, name in ((0, "crimson", "malignant"), (1, "tab:blue", "benign")):
        at = np.flatnonzero(data.test_y[ranked] == benign)
        i = ranked[at]
        axes["held out"].vlines(at, low[i], high[i], color=colour, alpha=0.4)
        axes["held out"].plot(at, middle[i], ".", color=colour, markersize=4, label=name)
    axes["held out"].axhline(0.5, color="gray", linewidth=1)
    axes["held out"].set(xlabel="held-out tumours, in order", ylabel="chance to be benign")
    axes["held out"].legend()
    save(figure, path)


def main() -> None:
    """Sample, draw, and say how well it went."""
    data = load()
    weights, accepted = sample(data, wanted_size(__doc__, "draws", 500))
    picture(Path("out/bayes_hmc.png"), data, weights)
    right = (chances(weights, data.test_x).mean((0, 1)) > 0.5) == data.test_y
    print(
        f"largest r-hat {r_hat(weights).max():.3f} of {weights.shape[-1]} weights, {accepted:.0%} accepted; "
        f"held-out accuracy {right.mean():.1%}"
    )


if __name__ == "__main__":
    main()

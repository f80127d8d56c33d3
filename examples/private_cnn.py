"""Train a convolutional net without learning anybody's picture: differentially private gradient descent.

Each example's gradient, taken by `vmap(grad(loss))`, is scaled down to a norm of at most CLIP before
they are added up, and Gaussian noise as large as NOISE of them hides any single one: Abadi et al.,
"Deep Learning with Differential Privacy" (2016), algorithm 1. Run `python -m examples.private_cnn`, or
`make demo-private`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import comb, log, log1p
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

import nngrad.functional as F
from nngrad.functional import Array, Node, Operand, optim

from .digits_data import Digits, load
from .showing import save, wanted_size

Params = Mapping[str, Array]
CLIP = 1.0
NOISE = 3.0  # standard deviation, in units of CLIP
RATE = 0.15  # the chance of an example to be in a batch
DELTA = 1e-4  # well below one in the number of examples
OPTIMIZER = optim.sgd(lr=1.0, momentum=0.5)


class Run(NamedTuple):
    """Parameters; by step, the accuracy on held-out images, the privacy spent, and the gradients' norms."""

    params: Params
    accuracy: list[float]
    epsilon: list[float]
    norms: list[Array]


def initial(rng: np.random.Generator) -> Params:
    """Two convolutions and a linear layer, normal with a variance of 1 / inputs."""
    shapes = {"conv1": (8, 1, 3, 3), "conv2": (16, 8, 3, 3), "out": (10, 64)}
    return {n: (rng.normal(size=s) / np.sqrt(np.prod(s[1:]))).astype(np.float32) for n, s in shapes.items()}


def logits(params: Params, images: Operand) -> Node:
    """images: (1, 8, 8) or (N, 1, 8, 8). Gives (10) or (N, 10)."""
    x = F.max_pool2d(F.tanh(F.conv2d(images, params["conv1"], padding=1)), 2)
    x = F.max_pool2d(F.tanh(F.conv2d(x, params["conv2"], padding=1)), 2)
    return F.linear(F.flatten(x, -3), params["out"])


def loss(params: Params, images: Operand, labels: Operand) -> Node:
    """The cross entropy; on a single image, or the mean of several."""
    return F.cross_entropy(logits(params, images), labels)


per_example = F.vmap(F.grad(loss), in_dims=(None, 0, 0))


def clipped_sum(params: Params, images: Array, labels: Array) -> tuple[Params, Array]:
    """The sum of the examples' gradients, none longer than CLIP, and how long they were, (N)."""
    gradients = {name: F.flatten(g, 1).data for name, g in per_example(params, images, labels).items()}
    norms = np.sqrt(sum((g * g).sum(1) for g in gradients.values()))
    scale = CLIP / np.maximum(norms, CLIP)
    return {name: (scale @ g).reshape(params[name].shape) for name, g in gradients.items()}, norms


def privacy_spent(steps: int, noise: float = NOISE, rate: float = RATE, delta: float = DELTA) -> float:
    """The epsilon for which some steps are (epsilon, delta)-private; examples come and go by Poisson draws.

    The Rényi divergence of one step at whole orders (Mironov, Talwar and Zhang 2019, section 3.3: the
    moments of Abadi et al. 2016), times the steps, made an epsilon as by Mironov 2017, proposition 3.
    """

    def divergence(order: int) -> float:
        terms = [
            log(comb(order, k)) + k * log(rate) + (order - k) * log1p(-rate) + k * (k - 1) / (2 * noise**2)
            for k in range(order + 1)
        ]
        return float(np.logaddexp.reduce(terms)) / (order - 1)

    return min(steps * divergence(order) + log(1 / delta) / (order - 1) for order in range(2, 129))


def step(
    params: Params,
    state: optim.State[Params],
    images: Array,
    labels: Array,
    expected: float,
    rng: np.random.Generator,
) -> tuple[Params, optim.State[Params], Array]:
    """One private update, and how long the examples' gradients were."""
    sums, norms = clipped_sum(params, images, labels)
    gradients = {
        name: ((total + NOISE * CLIP * rng.normal(size=total.shape)) / expected).astype(np.float32)
        for name, total in sums.items()
    }
    return *OPTIMIZER.update(gradients, state, params), norms


def train(digits: Digits, steps: int, seed: int = 0) -> Run:
    """Train on batches that each example joins by chance, as the privacy's formula wants it."""
    rng = np.random.default_rng(seed)
    images, test_images = (x.reshape(-1, 1, 8, 8) for x in (digits.train_images, digits.test_images))
    params = initial(rng)
    state = OPTIMIZER.init(params)
    accuracy, epsilon, norms = [], [], []
    for done in tqdm(range(1, steps + 1), desc="training", unit="step"):
        rows = np.flatnonzero(rng.random(len(images)) < RATE)
        params, state, lengths = step(
            params, state, images[rows], digits.train_labels[rows], RATE * len(images), rng
        )
        read = logits(params, test_images).data.argmax(1)
        accuracy.append(float(np.mean(read == digits.test_labels)))
        epsilon.append(privacy_spent(done))
        norms.append(lengths)
    return Run(params, accuracy, epsilon, norms)


def picture(path: Path, run: Run) -> None:
    """Draw what was learned against what it cost, and what clipping does to the gradients.

    The norms are shown to teach: they are not noisy, and would not be published.
    """
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(run.epsilon, [100 * a for a in run.accuracy])
    left.set(
        xlabel=f"privacy spent: epsilon at delta = {DELTA:g}", ylabel="held-out accuracy, %", ylim=(0, 100)
    )
    left.grid(alpha=0.3)
    steps = np.arange(1, len(run.norms) + 1)
    quantiles = np.array([np.quantile(lengths, [0.1, 0.5, 0.9]) for lengths in run.norms])
    right.fill_between(steps, quantiles[:, 0], quantiles[:, 2], alpha=0.3, label="a tenth to nine tenths")
    right.plot(steps, quantiles[:, 1], label="median")
    right.axhline(CLIP, color="crimson", linestyle="--", label="longer ones are clipped")
    right.set(xlabel="step", ylabel="norm of an example's gradient", ylim=(0, None))
    right.legend()
    save(figure, path)


def main() -> None:
    """Train, draw, and say what was learned and what it cost."""
    run = train(load(), wanted_size(__doc__, "steps", 120))
    picture(Path("out/private_cnn.png"), run)
    print(f"test accuracy {run.accuracy[-1]:.1%} at epsilon {run.epsilon[-1]:.2f}, delta {DELTA:g}")


if __name__ == "__main__":
    main()

"""Train the same classifier by pure functions alone: values in, values out, nothing changed.

Run `python -m examples.digits_pure`, or `make demo-pure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from tqdm import tqdm

import nngrad.functional as F
from nngrad.functional import Array, Node, optim

from .digits_data import Digits, Epoch, Labels, demonstrate

Params = Mapping[str, Array]
SIZES = (64, 128, 128, 10)


def initial(rng: np.random.Generator) -> Params:
    """Weights and biases, uniform within 1 / sqrt(inputs), by the names a module would give them."""
    params: dict[str, Array] = {}
    for i, (inputs, outputs) in enumerate(pairwise(SIZES)):
        bound = 1 / np.sqrt(inputs)
        params[f"{i}.weight"] = rng.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
        params[f"{i}.bias"] = rng.uniform(-bound, bound, outputs).astype(np.float32)
    return params


def logits(params: Params, images: F.Operand, keep: F.Operand | None = None) -> Node:
    """images: (N, 64); keep: a dropout mask for the first hidden layer, (N, 128). Gives (N, 10)."""
    x = F.relu(F.linear(images, params["0.weight"], params["0.bias"]))
    if keep is not None:
        x = F.mul(x, keep)
    x = F.relu(F.linear(x, params["1.weight"], params["1.bias"]))
    return F.linear(x, params["2.weight"], params["2.bias"])


def loss(params: Params, images: F.Operand, labels: F.Operand, keep: F.Operand | None = None) -> Node:
    """The mean cross entropy on a batch."""
    return F.cross_entropy(logits(params, images, keep), labels)


def step(
    params: Params, state: optim.State[Params], lr: float, images: Array, labels: Array, keep: Array
) -> tuple[Params, optim.State[Params]]:
    """One update on one batch: new parameters and a new state of the optimiser."""
    gradients = F.grad(loss)(params, images, labels, keep)
    return optim.adamw(lr=lr, weight_decay=1e-2).update(gradients, state, params)


def evaluate(params: Params, images: Array, labels: Array) -> tuple[float, float, Labels]:
    """The loss, the accuracy and the predicted digits on some images."""
    scores = logits(params, images)
    predicted = np.asarray(F.argmax(scores, dim=1).data, np.int64)
    value = F.cross_entropy(scores, labels)
    return float(value.data), float(np.mean(predicted == labels)), predicted


def train(digits: Digits, epochs: int, seed: int = 0) -> tuple[Params, list[Epoch], Labels]:
    """Train for some epochs. Gives the parameters, the history, and what they read in the test images."""
    rng = np.random.default_rng(seed)
    images, labels, test_images, test_labels = digits
    params = initial(rng)
    state = optim.adamw().init(params)
    history: list[Epoch] = []
    predicted: Labels = np.empty(0, np.int64)
    progress = tqdm(range(epochs), desc="training", unit="epoch")
    for epoch in progress:
        lr = 2e-3 * (1 - 0.9 * epoch / epochs)  # a linear decay to a tenth
        order = rng.permutation(len(labels))
        for start in range(0, len(labels), 64):
            rows = order[start : start + 64]
            keep = (rng.random((len(rows), SIZES[1])) < 0.8).astype(np.float32) / np.float32(0.8)
            params, state = step(params, state, lr, images[rows], labels[rows], keep)
        train_loss, train_accuracy, _ = evaluate(params, images, labels)
        test_loss, test_accuracy, predicted = evaluate(params, test_images, test_labels)
        history.append(Epoch(train_loss, train_accuracy, test_loss, test_accuracy))
        progress.set_postfix(loss=f"{train_loss:.4f}", test=f"{test_accuracy:.1%}")
    return params, history, predicted


if __name__ == "__main__":
    demonstrate(__doc__, "digits_pure", train)

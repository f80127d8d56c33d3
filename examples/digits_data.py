"""The handwritten digits that scikit-learn ships, and how both demos show what they learned."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from nngrad.functional import Array

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


class Digits(NamedTuple):
    """Images of 8 x 8 pixels as rows of 64 values between 0 and 1, and the digits they show."""

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels


class Epoch(NamedTuple):
    """What one pass over the training images led to."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


def load(held_out: int = 360, seed: int = 0) -> Digits:
    """The 1,797 images, shuffled; `held_out` of them are kept for the test."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    images = (images[order] / 16).astype(np.float32)
    labels = labels[order].astype(np.int64)
    return Digits(images[held_out:], labels[held_out:], images[:held_out], labels[:held_out])


def table(history: list[Epoch], rows: int = 10) -> str:
    """The losses and accuracies, at most `rows` epochs of them and always the last."""
    every = max(1, len(history) // rows)
    lines = ["epoch   train loss   train acc   test loss   test acc"]
    for number, e in enumerate(history, 1):
        if number % every == 0 or number == len(history):
            lines.append(
                f"{number:5d}   {e.train_loss:10.4f}   {e.train_accuracy:8.1%}   "
                f"{e.test_loss:9.4f}   {e.test_accuracy:8.1%}"
            )
    return "\n".join(lines)


def picture(path: Path, history: list[Epoch], images: Images, labels: Labels, predicted: Labels) -> None:
    """Draw the learning curves and a grid of predictions, the wrong ones first and marked red."""
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.25], squeeze=False)[0]
    loss_axes, accuracy_axes = left.subplots(2, 1, sharex=True)
    epochs = range(1, len(history) + 1)
    loss_axes.plot(epochs, [e.train_loss for e in history], label="training")
    loss_axes.plot(epochs, [e.test_loss for e in history], label="held out")
    loss_axes.set_yscale("log")
    loss_axes.set_ylabel("cross entropy")
    loss_axes.legend()
    accuracy_axes.plot(epochs, [100 * e.train_accuracy for e in history])
    accuracy_axes.plot(epochs, [100 * e.test_accuracy for e in history])
    accuracy_axes.set_ylim(80, 100.5)
    accuracy_axes.set_ylabel("accuracy, %")
    accuracy_axes.set_xlabel("epoch")

    wrong = np.flatnonzero(predicted != labels)
    shown = np.concatenate([wrong, np.flatnonzero(predicted == labels)])[:40]
    right.suptitle(f"{len(wrong)} of {len(labels)} held-out images read wrongly (red: read as / is)")
    for i, axes in zip(shown, right.subplots(5, 8).flat, strict=False):
        missed = predicted[i] != labels[i]
        axes.imshow(images[i].reshape(8, 8), cmap="gray_r")
        title = f"{predicted[i]} / {labels[i]}" if missed else str(predicted[i])
        axes.set_title(title, color="crimson" if missed else "black", fontsize=9, pad=2)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_edgecolor("crimson" if missed else "lightgray")
            spine.set_linewidth(2 if missed else 0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def demonstrate(
    description: str | None,
    name: str,
    train: Callable[[Digits, int], tuple[Mapping[str, Array], list[Epoch], Labels]],
) -> None:
    """Train, print the table, save the weights as `name`.npz and draw the picture `name`.png.

    train: takes the images and a number of epochs; gives the weights by name, the history, and the
    digits read in the held-out images.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("out"))
    options = parser.parse_args()
    digits = load()
    weights, history, predicted = train(digits, options.epochs)
    print(table(history))
    options.out.mkdir(parents=True, exist_ok=True)
    saved, drawing = options.out / f"{name}.npz", options.out / f"{name}.png"
    np.savez(saved, allow_pickle=False, **weights)
    picture(drawing, history, digits.test_images, digits.test_labels, predicted)
    print(f"weights in {saved}, picture in {drawing}")
    print(f"test accuracy {100 * history[-1].test_accuracy:.1f} %")

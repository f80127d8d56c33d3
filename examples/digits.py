"""Train a classifier on real handwritten digits, as one would in PyTorch.

Run `python -m examples.digits`, or `make demo`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from tqdm import tqdm

import nngrad as torch
from nngrad import nn
from nngrad.functional import Array
from nngrad.utils.data import DataLoader, TensorDataset

from .digits_data import Digits, Epoch, Labels, demonstrate


class Classifier(nn.Module):
    """64 pixels to 10 logits through two hidden layers."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, hidden),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 10),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images: (N, 64). Gives logits, (N, 10)."""
        return self.layers(images)


def evaluate(model: Classifier, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float, Labels]:
    """The loss, the accuracy and the predicted digits on some images."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
        loss = nn.functional.cross_entropy(logits, labels)
        predicted = logits.argmax(dim=1)
        accuracy = (predicted == labels).float().mean()
    model.train()
    return float(loss), float(accuracy), np.asarray(predicted.numpy(), np.int64)


def train(digits: Digits, epochs: int, seed: int = 0) -> tuple[Classifier, list[Epoch], Labels]:
    """Train for some epochs. Gives the model, its history, and what it reads in the test images."""
    torch.manual_seed(seed)
    images, labels, test_images, test_labels = [torch.tensor(part) for part in digits]
    loader = DataLoader(TensorDataset(images, labels), batch_size=64, shuffle=True)
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    history: list[Epoch] = []
    predicted: Labels = np.empty(0, np.int64)
    progress = tqdm(range(epochs), desc="training", unit="epoch")
    for epoch in progress:
        for group in optimizer.param_groups:  # a linear decay to a tenth
            group["lr"] = 2e-3 * (1 - 0.9 * epoch / epochs)
        for batch, targets in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(batch), targets)
            loss.backward()
            optimizer.step()
        train_loss, train_accuracy, _ = evaluate(model, images, labels)
        test_loss, test_accuracy, predicted = evaluate(model, test_images, test_labels)
        history.append(Epoch(train_loss, train_accuracy, test_loss, test_accuracy))
        progress.set_postfix(loss=f"{train_loss:.4f}", test=f"{test_accuracy:.1%}")
    return model, history, predicted


def weights(digits: Digits, epochs: int) -> tuple[Mapping[str, Array], list[Epoch], Labels]:
    """`train`, with the trained model's weights in place of the model."""
    model, history, predicted = train(digits, epochs)
    return model.snapshot(), history, predicted


if __name__ == "__main__":
    demonstrate(__doc__, "digits", weights)

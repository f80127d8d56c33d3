"""A training loop, the imperative way."""

# mypy: disallow-any-expr

from __future__ import annotations

from typing import assert_type

import nngrad as torch
from nngrad import Tensor, nn
from nngrad.optim import SGD, Adam
from nngrad.utils.data import DataLoader, Dataset, TensorDataset

from .model import Classifier


class Squares(Dataset[tuple[Tensor, Tensor]]):
    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return torch.tensor([float(index), 1.0]), torch.tensor(index * index)


def train(model: Classifier, images: Tensor, labels: Tensor, epochs: int = 3) -> list[float]:
    loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True, drop_last=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.999), weight_decay=0.01)
    losses: list[float] = []
    for _ in range(epochs):
        model.train()
        total = 0.0
        for batch, targets in loader:
            assert_type(batch, Tensor)
            optimizer.zero_grad()
            loss = criterion(model(batch).logits, targets)
            assert_type(loss, Tensor)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader))
    return losses


def evaluate(model: Classifier, images: Tensor, labels: Tensor) -> float:
    model.eval()
    with torch.no_grad():
        logits = model(images).logits
        found = logits.max(dim=1)
        assert_type(found.values, Tensor)
        hits = (found.indices == labels).sum()
        predicted = logits.argmax(dim=1)
    assert_type(predicted[0] == labels[0], Tensor)
    return int(hits) / len(labels)


def keep(model: Classifier) -> None:
    state = model.state_dict()
    for name, value in state.items():
        assert_type(name, str)
        assert_type(value, Tensor)
    model.load_state_dict(state)
    before = model.snapshot()
    model.load_snapshot(before)


def fit_squares() -> None:
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    for x, y in DataLoader(Squares(), batch_size=8):
        assert_type(x, Tensor)
        loss = nn.functional.mse_loss(model(x).squeeze(1), y.float())
        (gradient,) = torch.grad(loss, [x], allow_unused=True)
        assert_type(gradient, Tensor | None)
        optimizer.step()


def tensors(t: Tensor) -> None:
    """Every kind of thing that is done to a tensor has a precise type."""
    assert_type(t + 1, Tensor)
    assert_type(1 - t, Tensor)
    assert_type(t @ t.T, Tensor)
    assert_type(-t, Tensor)
    assert_type(t == 1, Tensor)
    assert_type(t[0, 1:], Tensor)
    assert_type(t.sum(dim=1, keepdim=True), Tensor)
    assert_type(t.reshape(2, -1), Tensor)
    assert_type(t.permute(1, 0).flatten(), Tensor)
    assert_type(t.max(), Tensor)
    assert_type(t.grad, Tensor | None)
    assert_type(t.data, Tensor)
    assert_type(t.shape, torch.Size)
    assert_type(t.shape[0], int)
    assert_type(t.size(0), int)
    assert_type(t.op, str | None)
    assert_type(t.prev, tuple[Tensor, ...])
    assert_type(t.split(2), tuple[Tensor, ...])
    assert_type(t.to(torch.float64), Tensor)
    assert_type(t.numpy().shape, tuple[int, ...])
    assert_type([row.item() for row in t], list[float])
    assert_type(torch.exp(t), Tensor)
    assert_type(torch.cat([t, t], dim=1), Tensor)
    t[0] = 1.0
    t += 1
    t.register_hook(lambda g: g * 2).remove()

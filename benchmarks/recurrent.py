"""(r) A training step of a recurrent network on characters: embedding, layer, linear, Adam."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, typical

WIDTH, TIME, BATCH, CHARACTERS = 64, 16, 32, 27


def as_torch(torch: Any, layer: str) -> Work:
    """PyTorch's program, and ours."""
    nn, optim = peer(f"{torch.__name__}.nn"), peer(f"{torch.__name__}.optim")
    torch.manual_seed(0)
    embedding = nn.Embedding(CHARACTERS, WIDTH)
    recurrent = getattr(nn, layer)(WIDTH, WIDTH, batch_first=True)
    head = nn.Linear(WIDTH, CHARACTERS)
    parameters = [p for part in (embedding, recurrent, head) for p in part.parameters()]
    optimizer = optim.Adam(parameters, lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    data = np.random.default_rng(0).integers(0, CHARACTERS, (BATCH, TIME + 1))
    inputs, targets = torch.tensor(data[:, :-1]), torch.tensor(data[:, 1:]).reshape(-1)

    def step() -> None:
        optimizer.zero_grad()
        states, _ = recurrent(embedding(inputs))
        criterion(head(states).reshape(-1, CHARACTERS), targets).backward()
        optimizer.step()

    def results() -> list[Any]:
        step()
        return [p.grad.numpy().copy() for p in parameters]

    return Work(step, results)


def measure(rounds: int) -> list[Row]:
    """(r)"""
    rows = []
    for layer in ("LSTM", "GRU", "RNN"):
        case = f"(r) step of {layer}, hidden {WIDTH}, sequence {TIME}, batch {BATCH}, Adam"
        make = partial(as_torch, layer=layer)
        samples = compare(case, makers(nngrad=make, torch=make), rounds)
        rows.append(against_torch(case, f"{typical(samples[OURS]) * 1e3:.2f} ms", samples, 1.0))
    return rows

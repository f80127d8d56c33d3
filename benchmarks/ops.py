"""(a) The price of an op: chains of tiny ones, where the arithmetic itself is next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, typical

OPS = 1000
START = np.array([0.3, -0.7, 1.1], np.float32)
SCALE = np.array([0.999, 0.998, 0.997], np.float32)
SHIFT = np.array([0.01, 0.02, 0.03], np.float32)  # small: tanh must not wear the gradient down to 0
ONES = np.ones(3, np.float32)


def chain(y: Any, w: Any, b: Any, tanh: Callable[[Any], Any]) -> Any:
    """mul, add, tanh, sub and neg in turn; every library runs this very loop."""
    for _ in range(OPS // 5):
        y = y * w
        y = y + b
        y = tanh(y)
        y = y - 0.01
        y = -y
    return y


def as_torch(torch: Any, backward: bool) -> Work:
    x = torch.tensor(START, requires_grad=True)
    w, b, ones = torch.tensor(SCALE), torch.tensor(SHIFT), torch.tensor(ONES)
    tanh = torch.tanh

    def run() -> Any:
        y = chain(x, w, b, tanh)
        if backward:
            x.grad = None
            y.backward(ones)
        return y

    def results() -> list[Any]:
        y = run()
        return [y.detach().numpy(), *([x.grad.numpy()] if backward else [])]

    return Work(run, results)


def as_autograd(autograd: Any, backward: bool) -> Work:
    make_vjp, tanh = peer("autograd.core").make_vjp, peer("autograd.numpy").tanh

    def both() -> tuple[Any, Any]:
        pull, y = make_vjp(lambda x: chain(x, SCALE, SHIFT, tanh), START)
        return y, pull(ONES) if backward else None

    return Work(both, lambda: [both()[0], *([both()[1]] if backward else [])])


def as_mygrad(mygrad: Any, backward: bool) -> Work:
    x = mygrad.tensor(START)
    w, b = mygrad.tensor(SCALE, constant=True), mygrad.tensor(SHIFT, constant=True)
    tanh = mygrad.tanh

    def run() -> Any:
        y = chain(x, w, b, tanh)
        if backward:
            x.null_grad()
            y.backward(ONES)
        return y

    def results() -> list[Any]:
        y = run()
        return [y.data, *([x.grad] if backward else [])]

    return Work(run, results)


def measure(rounds: int) -> list[Row]:
    """One row for the forward pass (recorded), one for forward and backward."""
    rows = []
    for backward in (False, True):
        case = f"(a) chain of {OPS} tiny ops, {'forward and backward' if backward else 'forward'}, per op"
        works = makers(
            nngrad=partial(as_torch, backward=backward),
            torch=partial(as_torch, backward=backward),
            autograd=partial(as_autograd, backward=backward),
            mygrad=partial(as_mygrad, backward=backward),
        )
        samples = compare(case, works, rounds)
        rows.append(against_torch(case, f"{typical(samples[OURS]) / OPS * 1e6:.2f} µs", samples, 0.6))
    return rows

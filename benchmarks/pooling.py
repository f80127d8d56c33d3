"""(k) Pooling, padding and interpolation, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, typical

SHAPE = (32, 64, 24, 24)

#: what is run, and what of PyTorch's time it may take
CASES: tuple[tuple[str, Callable[[Any, Any], Any], float], ...] = (
    ("max_pool2d 2x2", lambda f, x: f.max_pool2d(x, 2), 1.0),
    ("max_pool2d 3x3, stride 2, padding 1", lambda f, x: f.max_pool2d(x, 3, 2, 1), 1.0),
    ("max_pool2d 3x3, stride 1, padding 1", lambda f, x: f.max_pool2d(x, 3, 1, 1), 1.0),
    ("avg_pool2d 2x2", lambda f, x: f.avg_pool2d(x, 2), 1.0),
    ("adaptive_avg_pool2d to 1", lambda f, x: f.adaptive_avg_pool2d(x, 1), 1.0),
    ("pad 1 on every side", lambda f, x: f.pad(x, (1, 1, 1, 1)), 1.5),
    ("interpolate nearest, twice as large", lambda f, x: f.interpolate(x, scale_factor=2), 1.5),
    (
        "interpolate bilinear, twice as large",
        lambda f, x: f.interpolate(x, scale_factor=2, mode="bilinear"),
        1.5,
    ),
)


def as_torch(torch: Any, call: Callable[[Any, Any], Any]) -> Work:
    """PyTorch's program, and ours."""
    functional = peer(f"{torch.__name__}.nn.functional")
    random = np.random.default_rng(0)
    x = torch.tensor(random.standard_normal(SHAPE, np.float32)).requires_grad_()
    cotangent = torch.tensor(random.standard_normal(tuple(call(functional, x).shape), np.float32))

    def run() -> Any:
        x.grad = None
        out = call(functional, x)
        out.backward(cotangent)
        return out

    def results() -> list[Any]:
        return [run().detach().numpy(), x.grad.numpy()]

    return Work(run, results)


def measure(rounds: int) -> list[Row]:
    """(k)"""
    rows = []
    for name, call, at_most in CASES:
        case = f"(k) {name} on {SHAPE}, forward and backward"
        make = partial(as_torch, call=call)
        samples = compare(case, makers(nngrad=make, torch=make), rounds)
        rows.append(against_torch(case, f"{typical(samples[OURS]) * 1e3:.2f} ms", samples, at_most))
    return rows

"""(i) Attention, forward and backward: heads taken apart by views, as a transformer does it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, typical

#: batch, heads, length, width of a head
SHAPES = ((12, 4, 64, 32), (32, 4, 16, 16), (4, 8, 512, 64))


def as_torch(torch: Any, shape: tuple[int, ...], causal: bool) -> Work:
    """PyTorch's program, and ours."""
    batch, heads, length, width = shape
    functional = peer(f"{torch.__name__}.nn.functional")
    random = np.random.default_rng(0)
    data = random.standard_normal((4, batch, length, heads, width), np.float32)
    query, key, value = (torch.tensor(d).requires_grad_() for d in data[:3])
    cotangent = torch.tensor(data[3]).transpose(1, 2)

    def run() -> Any:
        query.grad = key.grad = value.grad = None
        split = (x.transpose(1, 2) for x in (query, key, value))
        out = functional.scaled_dot_product_attention(*split, is_causal=causal)
        out.backward(cotangent)
        return out

    def results() -> list[Any]:
        return [run().detach().numpy(), *(x.grad.numpy() for x in (query, key, value))]

    return Work(run, results)


def measure(rounds: int) -> list[Row]:
    """(i)"""
    rows = []
    for shape in SHAPES:
        for causal in (False, True):
            case = f"(i) attention {shape}{', causal' if causal else ''}, forward and backward"
            make = partial(as_torch, shape=shape, causal=causal)
            samples = compare(case, makers(nngrad=make, torch=make), rounds)
            rows.append(against_torch(case, f"{typical(samples[OURS]) * 1e3:.2f} ms", samples, 1.0))
    return rows

"""(l) gelu, layer_norm and softmax one after the other: what a large array costs outside of matmul."""

from __future__ import annotations

from typing import Any

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, typical

ROWS, WIDTH = 4096, 1024
CASE = f"(l) gelu, layer norm, softmax of {ROWS} x {WIDTH}, forward and backward"


def data() -> tuple[Any, ...]:
    """Inputs, weight and bias of the norm, and the gradient that comes back."""
    random = np.random.default_rng(1)
    shapes = ((ROWS, WIDTH), (WIDTH,), (WIDTH,), (ROWS, WIDTH))
    return tuple([random.standard_normal(shape, np.float32) for shape in shapes])


def as_torch(torch: Any) -> Work:
    """PyTorch's program, and ours."""
    functional = peer(f"{torch.__name__}.nn.functional")
    inputs, weight, bias, g = (torch.tensor(d) for d in data())
    leaves = [inputs, weight, bias]
    for leaf in leaves:
        leaf.requires_grad_()

    def run() -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = functional.gelu(inputs, approximate="tanh")
        y = functional.layer_norm(y, (WIDTH,), weight, bias)
        y = functional.softmax(y, -1)
        y.backward(g)
        return y

    def results() -> list[Any]:
        y = run()
        return [y.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves]]

    return Work(run, results)


def measure(rounds: int) -> list[Row]:
    """One row."""
    works = makers(nngrad=as_torch, torch=as_torch)
    samples = compare(CASE, works, rounds)
    return [against_torch(CASE, f"{typical(samples[OURS]) * 1e3:.1f} ms", samples, 1.2)]

"""(o) An optimiser's step over 200 small parameters, where the calls count and not the arithmetic."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, typical

#: the class, its options, and the share of PyTorch's time that is the goal
CASES: Final[tuple[tuple[str, dict[str, Any], float], ...]] = (
    ("AdamW", {}, 0.7),
    ("AdamW", {"foreach": True}, 0.7),
    ("SGD", {"momentum": 0.9}, 0.7),
    ("NAdam", {}, 0.7),
    ("RMSprop", {"centered": True}, 0.7),
)
SHAPES: Final = ((16, 16), (16,), (8, 16), (4,)) * 50


def stepping(module: Any, name: str, options: dict[str, Any]) -> Work:
    """PyTorch's program, and ours."""
    random = np.random.default_rng(0)
    optim = peer(f"{module.__name__}.optim")
    parameters = []
    for shape in SHAPES:
        value, gradient = random.standard_normal((2, *shape), np.float32)
        parameter = module.tensor(value, requires_grad=True)
        parameter.grad = module.tensor(gradient)
        parameters.append(parameter)
    optimizer = getattr(optim, name)(parameters, lr=1e-4, **options)

    def results() -> list[Any]:
        optimizer.step()
        return [p.detach().numpy().copy() for p in parameters]

    return Work(optimizer.step, results)


def measure(rounds: int) -> list[Row]:
    """The gradients are there already: the step alone."""
    found: list[Row] = []
    for name, options, goal in CASES:
        told = ", ".join(f"{key}={value}" for key, value in options.items())
        case = f"(o) {name}({told}).step(), {len(SHAPES)} parameters of 4 to 256 elements"
        work = partial(stepping, name=name, options=options)
        samples = compare(case, makers(nngrad=work, torch=work), rounds)
        ours = f"{typical(samples[OURS]) * 1e6:.0f} µs"
        found.append(against_torch(case, ours, samples, goal))
    return found

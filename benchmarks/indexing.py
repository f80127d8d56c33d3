"""(d) Assignment row by row, and (e) reading slice by slice, both with gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, ratios, typical

ROWS = 256
BATCH = 32
_random = np.random.default_rng(0)
LEAF = _random.standard_normal((ROWS, ROWS), np.float32)


def assign_rows(torch: Any) -> Work:
    """PyTorch's program, and ours."""
    leaf = torch.tensor(LEAF, requires_grad=True)

    def run() -> None:
        leaf.grad = None
        b = torch.zeros(ROWS, ROWS)
        r = leaf * 1
        for i in range(ROWS):
            b[i] = r[i]
        (b * b).sum().backward()

    return _with_grad(run, leaf, lambda g: g.numpy())


def assign_rows_mygrad(mygrad: Any) -> Work:
    leaf = mygrad.tensor(LEAF)

    def run() -> None:
        leaf.null_grad()
        b = mygrad.zeros((ROWS, ROWS), np.float32)
        r = leaf * 1
        for i in range(ROWS):
            b[i] = r[i]
        (b * b).sum().backward()

    return _with_grad(run, leaf, lambda g: g)


def _unable(module: Any) -> Work:
    raise NotImplementedError("no assignment")


def read_slices(torch: Any, steps: int) -> Work:
    """PyTorch's program, and ours: a walk through time, as in a recurrent network."""
    x_data, w_data = _inputs(steps)
    x, w = torch.tensor(x_data, requires_grad=True), torch.tensor(w_data)

    def run() -> None:
        x.grad = None
        _walk(x, w, steps).sum().backward()

    return _with_grad(run, x, lambda g: g.numpy())


def read_slices_mygrad(mygrad: Any, steps: int) -> Work:
    x_data, w_data = _inputs(steps)
    x, w = mygrad.tensor(x_data), mygrad.tensor(w_data, constant=True)

    def run() -> None:
        x.null_grad()
        _walk(x, w, steps).sum().backward()

    return _with_grad(run, x, lambda g: g)


def read_slices_autograd(autograd: Any, steps: int) -> Work:
    x, w = _inputs(steps)
    total = peer("autograd.numpy").sum
    gradient = autograd.grad(lambda x: total(_walk(x, w, steps)))
    return Work(lambda: gradient(x), lambda: [gradient(x)])


def _inputs(steps: int) -> tuple[Any, Any]:
    random = np.random.default_rng(steps)
    return random.standard_normal((BATCH, steps), np.float32), random.standard_normal(BATCH, np.float32)


def _walk(x: Any, w: Any, steps: int) -> Any:
    s = x[:, 0] * w
    for t in range(1, steps):
        s = s + x[:, t] * w
    return s


def _with_grad(run: Callable[[], None], leaf: Any, plain: Callable[[Any], Any]) -> Work:
    def results() -> list[Any]:
        run()
        return [plain(leaf.grad)]

    return Work(run, results)


def measure_assignment(rounds: int) -> list[Row]:
    """256 row writes; HIPS autograd has no assignment."""
    case = f"(d) {ROWS} row writes into ({ROWS}, {ROWS}), with gradient"
    works = makers(nngrad=assign_rows, torch=assign_rows, autograd=_unable, mygrad=assign_rows_mygrad)
    samples = compare(case, works, rounds)
    return [against_torch(case, f"{typical(samples[OURS]) * 1e3:.2f} ms", samples, 0.15)]


def measure_slices(rounds: int) -> list[Row]:
    """Time per slice, which must not grow with the number of slices."""
    rows = []
    per_slice = {}
    for steps in (64, 512):
        case = f"(e) {steps} slices x[:, t] of ({BATCH}, {steps}), with gradient, per slice"
        works = makers(
            nngrad=partial(read_slices, steps=steps),
            torch=partial(read_slices, steps=steps),
            autograd=partial(read_slices_autograd, steps=steps),
            mygrad=partial(read_slices_mygrad, steps=steps),
        )
        samples = compare(case, works, rounds)
        per_slice[steps] = typical(samples[OURS]) / steps
        row = Row(case, f"{per_slice[steps] * 1e6:.2f} µs", ratios(samples))
        if steps == 512:
            growth = per_slice[512] / per_slice[64]
            row = row._replace(goal="1.25 of T = 64's time per slice", reached=growth, at_most=1.25)
        rows.append(row)
    return rows

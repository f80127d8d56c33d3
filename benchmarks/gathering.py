"""(j) Rows looked up in a table, and what is sent back to them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, typical

#: what is done, how many indices, and the rows and the width of the table
CASES: tuple[tuple[str, int, int, int], ...] = (
    ("embedding", 4096, 50_000, 64),
    ("embedding", 8192, 256, 256),
    ("x[index]", 4096, 50_000, 64),
    ("x[index]", 2048, 65, 64),
    ("index_select", 4096, 5_000, 16),
    ("gather", 4096, 50_000, 64),
    ("take", 100_000, 1_000, 64),
)


def look_up(module: Any, what: str, count: int, rows: int, width: int) -> Work:
    """PyTorch's program, and ours."""
    random = np.random.default_rng(0)
    table = module.tensor(random.standard_normal((rows, width), np.float32), requires_grad=True)
    numbers = random.integers(0, rows, (count, width) if what == "gather" else count)
    weights = module.tensor(random.standard_normal((count, width)[: 1 if what == "take" else 2], np.float32))
    index = module.tensor(numbers)
    embedding = importlib.import_module(f"{module.__name__}.nn.functional").embedding
    reads: dict[str, Callable[[], Any]] = {
        "embedding": lambda: embedding(index, table),
        "x[index]": lambda: table[index],
        "index_select": lambda: table.index_select(0, index),
        "gather": lambda: table.gather(0, index),
        "take": lambda: table.take(index),
    }
    read = reads[what]

    def run() -> None:
        table.grad = None
        read().backward(weights)

    def results() -> list[Any]:
        run()
        return [table.grad.numpy()]

    return Work(run, results)


def measure(rounds: int) -> list[Row]:
    """Forward and backward. The first case is the one that has a goal."""
    found: list[Row] = []
    for what, count, rows, width in CASES:
        case = f"(j) {what}, {count} indices into ({rows}, {width}), with gradient"
        work = partial(look_up, what=what, count=count, rows=rows, width=width)
        samples = compare(case, makers(nngrad=work, torch=work), rounds)
        ours = f"{typical(samples[OURS]) * 1e3:.2f} ms"
        row = against_torch(case, ours, samples, 1.2)
        found.append(row if not found else row._replace(goal="", reached=None))
    return found

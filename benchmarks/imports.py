"""(g) What `import nngrad` costs, beside `import numpy` and the peers, in fresh processes."""

from __future__ import annotations

from functools import partial
from statistics import median

from .harness import OURS, PEERS, Failure, Row, fresh, interleave, peer, ratios, typical

GOAL = 1.3
RUNS = 15


def seconds(module: str) -> float:
    """How long a fresh interpreter takes to import a module."""
    program = (
        "from time import perf_counter; start = perf_counter(); "
        f"import {module}; print(perf_counter() - start)"
    )
    return float(fresh("-c", program))


def measure(rounds: int) -> list[Row]:
    """One row; the peers' columns are our share of their time, the goal is a multiple of NumPy's."""
    names = [OURS, "numpy", *[name for name in PEERS if peer(name) is not None]]
    for name in names:  # byte code and disk caches
        seconds(name)
    timings = interleave({name: partial(seconds, name) for name in names}, max(rounds, RUNS))
    samples: dict[str, list[float] | Failure] = {name: Failure("not installed") for name in PEERS}
    samples.update(timings)
    multiple = median([a / b for a, b in zip(timings[OURS], timings["numpy"])])
    shares = {name: share for name, share in ratios(samples).items() if name in PEERS}
    ours = f"{typical(samples[OURS]) * 1e3:.0f} ms"
    return [Row("(g) import", ours, shares, f"{GOAL} of `import numpy`", multiple, GOAL)]

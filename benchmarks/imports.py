"""(g) What `import nngrad` costs, beside `import numpy` and the peers, in fresh processes."""

from __future__ import annotations

import os
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory

from .harness import MODULES, OURS, PEERS, Failure, Row, fresh, interleave, peer, ratios, typical

GOAL = 1.3


def seconds(module: str, bytecode: str) -> float:
    """How long a fresh interpreter takes to import a module whose bytecode is under a folder."""
    program = (
        "from time import perf_counter; start = perf_counter(); "
        f"import {module}; print(perf_counter() - start)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return float(fresh("-c", program, environment={**environment, "PYTHONPYCACHEPREFIX": bytecode}))


def measure(rounds: int) -> list[Row]:
    """One row; the peers' columns are our share of their time, the goal is a multiple of NumPy's."""
    peers = [name for name in PEERS if name not in MODULES]
    names = [OURS, "numpy", *[name for name in peers if peer(name) is not None]]
    with TemporaryDirectory() as bytecode:  # compiled on the first run, as pip does on installing
        samplers = {name: partial(seconds, name, bytecode) for name in names}
        for sampler in samplers.values():
            sampler()
        timings = interleave(samplers, rounds)
    samples: dict[str, list[float] | Failure] = {name: Failure("not installed") for name in peers}
    samples.update(timings)
    multiple = median([a / b for a, b in zip(timings[OURS], timings["numpy"])])
    shares = {name: share for name, share in ratios(samples).items() if name in PEERS}
    ours = f"{typical(samples[OURS]) * 1e3:.0f} ms"
    return [Row("(g) import", ours, shares, f"{GOAL} of `import numpy`", multiple, GOAL)]

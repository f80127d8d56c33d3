"""How things are measured: the libraries take turns, and ratios are taken within a round.

A machine's speed drifts (other programs, heat), but hardly from one sample to the next. So every
round takes one sample of each library, the ratio is formed there, and the median over the rounds
is reported. The garbage collector is left as users have it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeAlias

OURS: Final = "nngrad"
PEERS: Final = {
    "torch": "PyTorch",
    "autograd": "HIPS autograd",
    "mygrad": "MyGrad",
    "jax": "JAX",
    "jax_jit": "JAX, jitted",
}
#: columns that are one library used in two ways
MODULES: Final = {"jax_jit": "jax"}
ROOT: Final = Path(__file__).resolve().parent.parent
LEAST: Final = 0.02  # seconds per sample: far above the clock's grain

#: one sample of a library: seconds, or bytes
Sampler: TypeAlias = Callable[[], float]


class Work(NamedTuple):
    """What one library does: `run` is timed, `results` (arrays) must agree between the libraries."""

    run: Callable[[], object]
    results: Callable[[], Sequence[Any]]


class Failure(NamedTuple):
    """Why a library has no samples."""

    why: str


class Row(NamedTuple):
    """A line of the table. `reached` is the figure that the goal speaks of."""

    case: str
    ours: str
    ratios: dict[str, float | str]
    goal: str = ""
    reached: float | None = None
    at_most: float = 0.0


def peer(name: str) -> Any:
    """A library, by its own name or its column's, or None if it is not installed."""
    module = MODULES.get(name, name)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        return None


def makers(**given: Callable[[Any], Work]) -> dict[str, Work | Failure]:
    """The work of every library that is here, from what makes it of the library's module.

    A peer that cannot do it says so with NotImplementedError, or by exhausting the stack.
    """
    works: dict[str, Work | Failure] = {}
    for name, make in given.items():
        module = peer(name)
        if module is None:
            works[name] = Failure("not installed")
            continue
        try:
            work = make(module)
            work.results()
        except (NotImplementedError, RecursionError) as error:
            if name == OURS:
                raise
            works[name] = Failure(str(error) if isinstance(error, NotImplementedError) else "RecursionError")
        else:
            works[name] = work
    return works


def agree(case: str, results: Mapping[str, Sequence[Any]], rtol: float = 1e-3) -> None:
    """Raise AssertionError unless every library computed what we computed."""
    import numpy as np

    ours = results[OURS]
    for name, theirs in results.items():
        assert len(ours) == len(theirs), f"{case}: {name} gives {len(theirs)} results, not {len(ours)}"
        for i, (a, b) in enumerate(zip(ours, theirs)):
            a, b = np.asarray(a), np.asarray(b)
            scale = float(np.abs(a).max(initial=0.0))
            assert scale > 0, f"{case}: result {i} is zero, so agreeing on it says nothing"
            np.testing.assert_allclose(a, b, rtol, rtol * scale, err_msg=f"{case}: {name}, result {i}")


def timed(run: Callable[[], object]) -> Sampler:
    """A sampler of seconds per run, over as many runs as make a sample long enough.

    A sample of one run comes after another that is not counted: while the others took their turns the
    caches became theirs, and a virtual machine may have given back the memory that this one had.
    """
    run()
    start = perf_counter()
    run()
    number = max(1, round(LEAST / (perf_counter() - start)))

    def sample() -> float:
        if number == 1:
            run()
        start = perf_counter()
        for _ in range(number):
            run()
        return (perf_counter() - start) / number

    return sample


def interleave(samplers: Mapping[str, Sampler], rounds: int) -> dict[str, list[float]]:
    """Samples of every library, taken in turns: A B C, A B C, ..."""
    samples: dict[str, list[float]] = {name: [] for name in samplers}
    for _ in range(rounds):
        for name, sampler in samplers.items():
            samples[name].append(sampler())
    return samples


def compare(case: str, works: Mapping[str, Work | Failure], rounds: int) -> dict[str, list[float] | Failure]:
    """Check that the libraries agree, then time them in turns."""
    able = {name: work for name, work in works.items() if isinstance(work, Work)}
    agree(case, {name: work.results() for name, work in able.items()})
    samples = interleave({name: timed(work.run) for name, work in able.items()}, rounds)
    return {name: work if isinstance(work, Failure) else samples[name] for name, work in works.items()}


def ratios(samples: Mapping[str, list[float] | Failure]) -> dict[str, float | str]:
    """Our share of each peer's figure: the median over the rounds, or why there is none."""
    ours = samples[OURS]
    assert not isinstance(ours, Failure)
    return {
        name: theirs.why if isinstance(theirs, Failure) else median([a / b for a, b in zip(ours, theirs)])
        for name, theirs in samples.items()
        if name != OURS
    }


def against_torch(case: str, ours: str, samples: Mapping[str, list[float] | Failure], at_most: float) -> Row:
    """A row whose goal is a share of PyTorch's figure."""
    shares = ratios(samples)
    share = shares.get("torch")
    reached = share if isinstance(share, float) else None
    return Row(case, ours, shares, f"{at_most:g} of PyTorch", reached, at_most)


def typical(samples: list[float] | Failure) -> float:
    """Our own median."""
    assert not isinstance(samples, Failure)
    return median(samples)


class FreshError(Exception):
    """A fresh process came to a bad end; the message names the last line it said."""


def fresh(*arguments: str, environment: Mapping[str, str] | None = None) -> Any:
    """The JSON that a fresh Python process prints: for memory, imports, and what may crash."""
    command = [sys.executable, *arguments]
    env = os.environ if environment is None else environment
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise FreshError(f"signal {-done.returncode}" if done.returncode < 0 else last)
    return json.loads(done.stdout.strip().splitlines()[-1])


def set_threads(threads: int) -> None:
    """Give every library the same number of threads. To be called before any is imported."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    if threads == 1:  # XLA knows one or all; the size of its pools is that of NPROC
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["NPROC"] = str(threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    torch = peer("torch")
    if torch is not None:
        torch.set_num_threads(threads)


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        f"| case | NNGrad | {' | '.join(PEERS.values())} | goal: at most | reached | met |",
        f"|---|---|{'---|' * len(PEERS)}---|---|---|",
    ]
    for row in rows:
        shares = [row.ratios.get(name, "-") for name in PEERS]
        cells = [share if isinstance(share, str) else f"{share:.2f}" for share in shares]
        met = "" if row.reached is None else "yes" if row.reached <= row.at_most else "**no**"
        reached = "" if row.reached is None else f"{row.reached:.3g}"
        lines.append(f"| {' | '.join([row.case, row.ours, *cells, row.goal, reached, met])} |")
    return "\n".join(lines)

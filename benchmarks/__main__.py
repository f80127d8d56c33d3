"""`python -m benchmarks [case ...] [--rounds N] [--threads N]` prints the table in Markdown."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from typing import Final

from .harness import MODULES, PEERS, peer, set_threads, table

#: case -> the module that measures it, and its function. Imported when the threads are set.
CASES: Final = {
    "a": ("ops", "measure"),
    "b": ("networks", "measure_tiny"),
    "c": ("networks", "measure_wide"),
    "d": ("indexing", "measure_assignment"),
    "e": ("indexing", "measure_slices"),
    "f": ("depth", "measure"),
    "g": ("imports", "measure"),
    "h": ("convolution", "measure"),
    "i": ("attention", "measure"),
    "j": ("gathering", "measure"),
    "k": ("pooling", "measure"),
    "l": ("activations", "measure"),
    "o": ("optimizers", "measure"),
    "t": ("transforms", "measure"),
    "p": ("programs", "measure"),
    "r": ("recurrent", "measure"),
}


def main() -> int:
    """Measure the cases asked for. The exit status is 0 whether goals are met or not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("case", nargs="*", choices=[*CASES, []], help="a to t; all of them if none is named")
    parser.add_argument("--rounds", type=int, default=15, help="samples of each library, in turns")
    parser.add_argument("--threads", type=int, default=1, help="threads of every library")
    options = parser.parse_args()
    set_threads(options.threads)
    rows = []
    for case in options.case or CASES:
        module, function = CASES[case]
        print(f"({case}) ...", file=sys.stderr, flush=True)
        rows += getattr(importlib.import_module(f".{module}", __package__), function)(options.rounds)
    versions = [f"Python {platform.python_version()}"]
    for name, title in {"numpy": "NumPy", **PEERS}.items():
        module_ = peer(name)
        if module_ is not None and name not in MODULES:
            versions.append(f"{title} {importlib.import_module('importlib.metadata').version(name)}")
    print(f"{', '.join(versions)}; threads: {options.threads}; medians of {options.rounds} rounds.")
    print("The peers' columns are NNGrad's share of their figure: below 1, NNGrad takes less.\n")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

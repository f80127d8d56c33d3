"""(f) Depth: a long chain of scalar ops is built, differentiated and freed, in a fresh process.

`python -m benchmarks.depth LIBRARY OPERAND N` does it once and prints seconds, bytes and gradient.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

from .harness import OURS, Failure, FreshError, Row, against_torch, agree, fresh, peer, typical

SCALE, SHIFT = 0.999999, 1e-6
OPERANDS: Final = {"number": "by Python numbers", "tensor": "by 0-d tensors"}
BYTES_GOAL = 900.0
ROUNDS: Final = 5  # at most: a process lasts for seconds
SLOW: Final = ("autograd", "mygrad")  # up to a minute each, so in the first round only


def memory(field: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at most so far. Outside Linux, at most so far."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    raise LookupError(field)


def chain(y: Any, scale: Any, shift: Any, n: int) -> Any:
    for _ in range(n // 2):
        y = y * scale
        y = y + shift
    return y


def of_torch(torch: Any, operand: str) -> Callable[[int], float]:
    scale, shift = (torch.tensor(v) if operand == "tensor" else v for v in (SCALE, SHIFT))

    def run(n: int) -> float:
        x = torch.tensor(1.0, requires_grad=True)
        chain(x, scale, shift, n).backward()
        return float(x.grad.item())

    return run


def of_mygrad(mygrad: Any, operand: str) -> Callable[[int], float]:
    import numpy as np

    def constant(v: float) -> Any:  # beside a Python number it would compute in float64
        return mygrad.tensor(np.float32(v), constant=True) if operand == "tensor" else np.float32(v)

    scale, shift = constant(SCALE), constant(SHIFT)

    def run(n: int) -> float:
        x = mygrad.tensor(np.float32(1.0))
        chain(x, scale, shift, n).backward()
        return float(x.grad)

    return run


def of_autograd(autograd: Any, operand: str) -> Callable[[int], float]:
    import numpy as np

    scale, shift = (np.asarray(v, np.float32) if operand == "tensor" else v for v in (SCALE, SHIFT))

    def run(n: int) -> float:
        return float(autograd.grad(lambda x: chain(x, scale, shift, n))(np.asarray(1.0, np.float32)))

    return run


PROGRAMS: Final = {OURS: of_torch, "torch": of_torch, "autograd": of_autograd, "mygrad": of_mygrad}


def once(library: str, operand: str, n: int) -> dict[str, float]:
    """Seconds, bytes and gradient of one chain, after a short one as a warm-up."""
    run = PROGRAMS[library](peer(library), operand)
    run(500)
    before = memory("VmRSS")
    start = perf_counter()
    gradient = run(n)
    seconds = perf_counter() - start
    return {"seconds": seconds, "bytes": memory("VmHWM") - before, "gradient": gradient}


def measure(rounds: int, lengths: tuple[int, ...] = (100_000, 1_000_000)) -> list[Row]:
    """Two rows per chain: time against PyTorch's, and bytes."""
    rows = []
    for n in lengths:
        for operand, told in OPERANDS.items():
            case = f"(f) {n:,} scalar ops {told}"
            seconds, used = _samples(case, operand, n, min(rounds, ROUNDS))
            time_row = against_torch(
                f"{case}, time per op", f"{typical(seconds[OURS]) / n * 1e6:.2f} µs", seconds, 0.5
            )
            per_op = typical(used[OURS]) / n
            bytes_row = against_torch(f"{case}, bytes per op", f"{per_op:.0f} B", used, 1.0)
            rows += [
                time_row,
                bytes_row._replace(goal=f"{BYTES_GOAL:.0f} B", reached=per_op, at_most=BYTES_GOAL),
            ]
    return rows


def _samples(
    case: str, operand: str, n: int, rounds: int
) -> tuple[dict[str, list[float] | Failure], dict[str, list[float] | Failure]]:
    seconds: dict[str, list[float]] = {}
    used: dict[str, list[float]] = {}
    failed: dict[str, Failure] = {name: Failure("not installed") for name in PROGRAMS if peer(name) is None}
    results: dict[str, list[float]] = {}
    for i in range(rounds):
        for name in PROGRAMS:
            if name in failed or (i and name in SLOW):
                continue
            try:
                one = fresh("-m", "benchmarks.depth", name, operand, str(n))
            except FreshError as error:
                if name == OURS:
                    raise
                failed[name] = Failure(str(error).partition(":")[0])
                continue
            seconds.setdefault(name, []).append(one["seconds"])
            used.setdefault(name, []).append(one["bytes"])
            results[name] = [one["gradient"]]
    agree(case, results)
    return {**seconds, **failed}, {**used, **failed}


if __name__ == "__main__":
    print(json.dumps(once(sys.argv[1], sys.argv[2], int(sys.argv[3]))))

"""Large arrays, block by block: few enough elements to stay in a core's cache, on several threads.

A chain of NumPy calls on a whole array runs at the speed of memory, on blocks at the speed of the
cache. Where a block begins depends on the shape alone, so results have the same bits on any
number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import numpy as np

from .batch import Batch, led
from .elementary import silent

#: bytes of one operand in a block
BLOCK: Final = 1 << 18
#: bytes of one operand from which on more than one thread is worth its start
_THREADED: Final = 1 << 20

_threads: int | None = None
_pool: Any = None


def get_num_threads() -> int:
    """How many threads work on a large array: OMP_NUM_THREADS, or a thread for each core."""
    global _threads
    if _threads is None:
        told = os.environ.get("OMP_NUM_THREADS", "")
        _threads = int(told) if told.isdigit() and int(told) else _cores()
    return _threads


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_num_threads(count: int) -> None:
    """Choose how many threads work on a large array.

    NumPy's matrix products have threads of their own (OMP_NUM_THREADS, read when NumPy is
    imported). Raises RuntimeError unless `count` is positive.
    """
    global _threads
    if count < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {count}")
    _threads = count
    _forget_pool()


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # threads do not live on in a child process
    os.register_at_fork(after_in_child=_forget_pool)


def _run_in_pool(work: Callable[[list[slice]], None], shares: list[list[slice]]) -> None:
    global _pool
    pool = _pool
    if pool is None:
        from concurrent.futures import ThreadPoolExecutor

        pool = _pool = ThreadPoolExecutor(get_num_threads(), thread_name_prefix="nngrad")
    others = [pool.submit(silent(work), share) for share in shares[1:]]  # NumPy's errstate is a thread's own
    work(shares[0])
    for other in others:
        other.result()


# ---------------------------------------------------------------- blocks


def rows_in_block(row_bytes: int) -> int:
    """How many rows of so many bytes make a block."""
    return max(1, BLOCK // max(row_bytes, 1))


def over_blocks(work: Callable[[list[slice]], None], rows: int, row_bytes: int) -> None:
    """Call `work` with the blocks that make up `rows`, as slices; from several threads if there are many.

    Each thread calls it once, so that `work` can allocate what it needs for all of its blocks.
    """
    step = rows_in_block(row_bytes)
    blocks = [slice(at, min(at + step, rows)) for at in range(0, rows, step)]
    if rows * row_bytes < _THREADED or len(blocks) < 2 or get_num_threads() < 2:
        work(blocks)
        return
    share = -(-len(blocks) // get_num_threads())
    _run_in_pool(work, [blocks[at : at + share] for at in range(0, len(blocks), share)])


def elementwise(
    formula: Callable[..., Any], kernel: Callable[..., None] | None = None, spares: int = 0
) -> Callable[..., Any]:
    """A function of arrays of one shape, then of numbers, that runs block by block.

    formula: in plain NumPy; what nodes and arrays of other libraries are given to.
    kernel: the same as `kernel(out, *spares, *inputs, *numbers)`, which writes to `out`; spares are
    arrays like it. NumPy's arrays are given to it. float16 is computed in float32.
    """

    @silent
    @wraps(formula)
    def run(*args: Any) -> Any:
        count = 0
        for arg in args:
            if not isinstance(arg, (np.ndarray, np.generic)):
                if isinstance(arg, (int, float, str)):
                    break
                return led(run, args) if type(arg) is Batch else formula(*args)
            count += 1
        inputs, numbers = args[:count], args[count:]
        x = inputs[0]
        if x.dtype.char == "e":
            return run(*[a.astype(np.float32) for a in inputs], *numbers).astype(x.dtype)
        if x.nbytes <= BLOCK:
            if kernel is None:
                return formula(*args)
            out = np.empty(x.shape, x.dtype)
            kernel(out, *[np.empty_like(out) for _ in range(spares)], *args)
            return out
        if not x.flags.c_contiguous and x.flags.f_contiguous:
            return run(*[a.T for a in inputs], *numbers).T
        out = np.empty(x.shape, x.dtype)
        target, flats = out.reshape(-1), [a.reshape(-1) for a in inputs]

        def work(blocks: list[slice]) -> None:
            size = blocks[0].stop - blocks[0].start
            spare = [np.empty(size, out.dtype) for _ in range(spares)]
            for block in blocks:
                parts = [a[block] for a in flats]
                if kernel is None:
                    target[block] = formula(*parts, *numbers)
                else:
                    kernel(target[block], *[s[: len(parts[0])] for s in spare], *parts, *numbers)

        over_blocks(work, x.size, x.itemsize)
        return out

    return run

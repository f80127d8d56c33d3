"""What a formula of an optimiser is, and how it is run over flat arrays.

A formula is a kernel over flat arrays that writes into buffers it is given. The optimisers as values
hand it fresh ones; `nngrad.optim` hands it buffers that nobody else can see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from ..dtypes import Array
from ..elementary import silent

#: elements that a kernel works on at a time, so that they stay in the cache between its passes
BLOCK: Final = 1 << 15

Arrays: TypeAlias = Sequence[Any]
#: a parameter's number of updates so far, and the other numbers that its next one depends on
Count: TypeAlias = tuple[Any, ...]
#: three rows that a kernel may use as it likes
Scratch: TypeAlias = tuple[Any, Any, Any]
#: (p, g, state, new_p, new_state, scratch, hyper, count): may be given `p` as `new_p` and the state's
#: own arrays as `new_state`. Never writes to `g`.
Kernel: TypeAlias = Callable[[Any, Any, Arrays, Any, Arrays, Scratch, Any, Count], None]


def _no_buffers(_: Any) -> tuple[str, ...]:
    return ()


def _zero(_: Any, __: str) -> float:
    return 0.0


def _no_numbers(_: Any) -> Count:
    return ()


def _one_more(_: Any, count: Count) -> Count:
    return (count[0] + 1,)


class Formula(NamedTuple):
    """All that there is to know of an optimiser.

    hyper: the tuple of numbers it depends on; the first is the rate `lr`. check(hyper) raises
    ValueError, as PyTorch words it, for numbers that make no sense. buffers(hyper): PyTorch's names
    of the arrays it keeps for a parameter, each filled with fill(hyper, name) at first. numbers: the
    names of what it counts besides the steps, with start(hyper) their first values.
    advance(hyper, count): the count after an update. steps: whether PyTorch's state has the steps.
    """

    hyper: type[Any]
    check: Callable[[Any], None]
    kernel: Kernel
    buffers: Callable[[Any], tuple[str, ...]] = _no_buffers
    fill: Callable[[Any, str], float] = _zero
    numbers: tuple[str, ...] = ()
    start: Callable[[Any], Count] = _no_numbers
    advance: Callable[[Any, Count], Count] = _one_more
    steps: bool = True


def require(ok: bool, what: str, value: object) -> None:
    """Raise ValueError for a number that makes no sense."""
    if not ok:
        raise ValueError(f"Invalid {what}: {value}")


def check_adaptive(h: Any) -> None:
    """What the optimisers with a rate, an epsilon and a decay of the weights have in common."""
    require(h.lr >= 0, "learning rate", h.lr)
    require(h.eps >= 0, "epsilon value", h.eps)
    require(h.weight_decay >= 0, "weight_decay value", h.weight_decay)


def check_betas(h: Any) -> None:
    """Those with two running means, too."""
    check_adaptive(h)
    for i, beta in enumerate(h.betas):
        require(0 <= beta < 1, f"beta parameter at index {i}", beta)


def oriented(g: Any, p: Any, maximize: bool, weight_decay: float, scratch: Scratch) -> Any:
    """The gradient with its sign and the decay of the weights: `g` itself, or the second scratch row."""
    s, d, _ = scratch
    if maximize:
        g = np.negative(g, d)
    if weight_decay:
        g = np.add(g, np.multiply(p, weight_decay, s), d)
    return g


def mean_into(new: Any, old: Any, g: Any, beta: float, s: Any) -> None:
    """new = beta * old + (1 - beta) * g, from the end that it is nearer to, as PyTorch's lerp."""
    np.subtract(g, old, s)
    if beta > 0.5:
        np.add(old, np.multiply(s, 1 - beta, s), new)
    else:
        np.subtract(g, np.multiply(s, beta, s), new)


def squares_into(new: Any, old: Any, g: Any, beta: float, s: Any) -> None:
    """new = beta * old + (1 - beta) * g * g."""
    np.multiply(old, beta, new)
    np.multiply(g, 1 - beta, s)
    np.add(new, np.multiply(s, g, s), new)


def root_into(s: Any, squares: Any, eps: float) -> Any:
    """s = sqrt(squares) + eps."""
    return np.add(np.sqrt(squares, s), eps, s)


def blocks(size: int) -> Iterator[slice]:
    """Slices of at most BLOCK elements that cover `size`."""
    for start in range(0, size, BLOCK):
        yield slice(start, min(start + BLOCK, size))


@silent
def run(
    kernel: Kernel,
    p: Array,
    g: Array,
    state: Sequence[Array],
    new_p: Array,
    new_state: Sequence[Array],
    scratch: Scratch,
    hyper: object,
    count: Count,
) -> None:
    """Run a kernel block by block over flat arrays of one size.

    Complex elements count as two numbers. `scratch`: what `scratch_for` gives for arrays at least as
    long.
    """
    if p.dtype.kind == "c":
        p, g, new_p = as_real(p), as_real(g), as_real(new_p)
        state, new_state = [as_real(x) for x in state], [as_real(x) for x in new_state]
    if p.size == scratch[0].size:
        kernel(p, g, state, new_p, new_state, scratch, hyper, count)
        return
    for at in blocks(p.size):
        n = at.stop - at.start
        one, two, three = scratch
        olds, news = [x[at] for x in state], [x[at] for x in new_state]
        kernel(p[at], g[at], olds, new_p[at], news, (one[:n], two[:n], three[:n]), hyper, count)


def scratch_for(x: Array) -> Scratch:
    """The working space that `run` needs for a flat array."""
    real = x.real.dtype
    one, two, three = np.empty((3, min(BLOCK, x.nbytes // real.itemsize)), real)
    return one, two, three


def as_real(x: Array) -> Array:
    """A contiguous array's real numbers: complex ones as pairs."""
    return x.view(x.real.dtype)

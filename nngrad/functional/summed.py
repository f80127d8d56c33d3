"""Elementwise losses and their sum in one pass over the operands: no array of the losses is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np

from .blocks import BLOCK, over_blocks
from .elementary import silent
from .node import Node
from .op import Op, apply, general
from .quick import log1p

#: total(x, t, spare, other spare, *numbers): the sum of the losses of a block, with room for two arrays
Total: TypeAlias = Callable[..., Any]
#: slope(out, x, t, factor, *numbers): writes the losses' derivatives in x, times the factor
Slope: TypeAlias = Callable[..., None]

#: elements that are summed at a time: few, so that the sum of a million is as exact as NumPy's
_RUN: Final = 4096
_PLAIN: Final = ("f", "d")


def dot(a: Any, b: Any) -> Any:
    """The sum of a * b in one dimension, without an array of the products."""
    whole = a.size - a.size % _RUN
    rest = np.dot(a[whole:], b[whole:])
    if not whole:
        return rest
    return np.add.reduce(np.vecdot(a[:whole].reshape(-1, _RUN), b[:whole].reshape(-1, _RUN))) + rest


def summed(losses: Op, total: Total, slope: Slope, odd: bool) -> Op:
    """An op of two arrays of one shape, a count and numbers: the sum of `losses` divided by the count.

    odd: whether the losses depend on the difference of the two alone, so that the derivative in one
    is the negative of that in the other.
    """
    rules = losses.rules

    @silent
    def forward(x: Any, t: Any, count: float, *numbers: float) -> Any:
        if type(x) is not np.ndarray or type(t) is not np.ndarray:
            return np.divide(np.sum(losses.forward(x, t, *numbers)), count)
        x, t, dtype = x.reshape(-1), t.reshape(-1), x.dtype
        if x.nbytes <= BLOCK:
            spare = np.empty((2, x.size), dtype)
            return np.asarray(total(x, t, spare[0], spare[1], *numbers) / count, dtype)
        totals = {}  # by the first element of each block

        def work(blocks: list[slice]) -> None:
            spare = np.empty((2, blocks[0].stop - blocks[0].start), dtype)
            for block in blocks:
                n = block.stop - block.start
                totals[block.start] = total(x[block], t[block], spare[0, :n], spare[1, :n], *numbers)

        over_blocks(work, x.size, x.itemsize)
        return np.asarray(np.add.reduce([totals[at] for at in sorted(totals)]) / count, dtype)

    def gradient(factor: Any, x: Any, t: Any, *numbers: float) -> Any:
        out = np.empty(x.shape, x.dtype)
        parts = out.reshape(-1), x.reshape(-1), t.reshape(-1)
        if x.nbytes <= BLOCK:
            slope(*parts, factor, *numbers)
            return out

        def work(blocks: list[slice]) -> None:
            for block in blocks:
                slope(*[part[block] for part in parts], factor, *numbers)

        over_blocks(work, x.size, x.itemsize)
        return out

    def vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> tuple[Any, Any]:
        (x, t), (count, *numbers) = inputs, params
        each = np.divide(g, count)
        if not (type(g) is type(x) is type(t) is np.ndarray):
            gx, gt = [rule(each, None, x, t, *numbers) if n else None for n, rule in zip(needs, rules)]
            return gx, gt
        if not odd:
            gt = rules[1](each, None, x, t, *numbers) if needs[1] else None
            return gradient(each, x, t, *numbers) if needs[0] else None, gt
        gx = gradient(each, x, t, *numbers)
        if not needs[0]:
            return None, np.negative(gx, out=gx)
        return gx, np.negative(gx) if needs[1] else None

    def jvp(given: list[Any], _: Any, inputs: list[Any], params: Any) -> Any:
        count, *numbers = params
        terms = [rule(d, None, *inputs, *numbers) for rule, d in zip(rules, given) if d is not None]
        return np.divide(np.sum(terms[0] if len(terms) == 1 else np.add(*terms)), count)

    op = general(f"{losses.name}_of_all", forward, vjp=silent(vjp), uses_out=False)
    op.jvp = jvp
    return op


def sum_or_mean(op: Op, x: Node, t: Node, reduction: str, numbers: tuple[float, ...] = ()) -> Node | None:
    """The losses summed or averaged by `op`; None where it is not made for that."""
    a, b = x._value, t._value
    if reduction not in ("mean", "sum") or not (type(a) is type(b) is np.ndarray):
        return None
    if a.shape != b.shape or a.dtype is not b.dtype or a.dtype.char not in _PLAIN or not a.size:
        return None
    return apply(op, (x, t), (a.size if reduction == "mean" else 1, *numbers))


# ---------------------------------------------------------------- the losses


def squares(x: Any, t: Any, d: Any, _: Any) -> Any:
    """The sum of squared differences."""
    np.subtract(x, t, out=d)
    return dot(d, d)


def squares_slope(out: Any, x: Any, t: Any, factor: Any) -> None:
    """Twice the differences."""
    np.subtract(x, t, out=out)
    np.multiply(out, factor + factor, out=out)


def distances(x: Any, t: Any, d: Any, _: Any) -> Any:
    """The sum of absolute differences."""
    np.subtract(x, t, out=d)
    return np.add.reduce(np.absolute(d, out=d))


def distances_slope(out: Any, x: Any, t: Any, factor: Any) -> None:
    """The signs of the differences."""
    signs = np.greater(x, t).view(np.int8)  # 0 at NaN, as in PyTorch
    np.subtract(signs, np.less(x, t).view(np.int8), out=signs)
    np.multiply(signs, factor, out=out)


def bends(x: Any, t: Any, d: Any, near: Any, delta: float, scale: float) -> Any:
    """The sum of Huber's losses, times a scale."""
    np.subtract(x, t, out=d)
    np.clip(d, -delta, delta, out=near)
    return (dot(near, d) - dot(near, near) * 0.5) * scale


def bends_slope(out: Any, x: Any, t: Any, factor: Any, delta: float, scale: float) -> None:
    """The differences, cut off at delta, times the scale."""
    np.subtract(x, t, out=out)
    np.multiply(np.clip(out, -delta, delta, out=out), factor * scale, out=out)


def logits(x: Any, t: Any, e: Any, product: Any) -> Any:
    """The sum of binary cross entropies of logits."""
    log1p(np.exp(np.negative(np.absolute(x, out=e), out=e), out=e), out=e)
    result = np.add.reduce(e)
    np.multiply(x, t, out=product)
    return result + np.add.reduce(np.subtract(np.maximum(x, 0, out=e), product, out=e))


def logits_slope(out: Any, x: Any, t: Any, factor: Any) -> None:
    """The sigmoids less the targets."""
    np.exp(np.negative(x, out=out), out=out)
    np.reciprocal(np.add(out, 1, out=out), out=out)
    np.multiply(np.subtract(out, t, out=out), factor, out=out)

"""Rows with statistics of their own, and a weight per column: the kernels of layer_norm and rms_norm.

What broadcasts is done by matrix products where it can be: NumPy takes two to three times as long to
broadcast over rows as to multiply two arrays.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .blocks import over_blocks
from .rows import by_row, column_sums, row_dots, row_sums

#: how many variances a squared mean may be, for the variance to be taken as a difference
FAR: Final = 8.0


def forward_rows(x: Any, weight: Any, bias: Any, eps: float, centered: bool) -> tuple[Any, Any]:
    """The rows of x standardised, times `weight`, plus `bias`; the mean and scale of each row."""
    n, count = x.shape
    out, (mean, scale) = np.empty(x.shape, x.dtype), np.zeros((2, n), x.dtype)
    share = np.asarray(1 / count, x.dtype)
    both = np.empty((2, count), x.dtype)
    both[0], both[1] = weight, 0 if bias is None else bias

    def work(blocks: list[slice]) -> None:
        spare = np.empty((blocks[0].stop - blocks[0].start, count), x.dtype)
        for rows in blocks:
            part, o, m, r = x[rows], out[rows], mean[rows], scale[rows]
            s, level = spare[: len(part)], m
            variance = np.multiply(row_dots(part, part, s), share)
            if centered:
                np.multiply(row_sums(part), share, out=m)
                squared = np.square(m)
                variance -= squared
                if np.greater(squared, variance * FAR).any():
                    part = by_row(np.subtract, part, m, np.empty_like(part))
                    variance, level = np.multiply(row_dots(part, part, s), share), np.zeros_like(m)
            np.reciprocal(np.sqrt(np.add(variance, eps, out=variance), out=variance), out=r)
            np.multiply(np.dot(r[:, None], both[:1], out=o), part, out=o)
            if centered or bias is not None:
                shift = np.ones((len(r), 2), x.dtype)
                np.negative(np.multiply(level, r), out=shift[:, 0])
                np.add(o, np.dot(shift, both, out=s), out=o)

    over_blocks(work, n, count * x.itemsize)
    return out, (mean, scale)


def back_rows(g: Any, x: Any, weight: Any, saved: Any, centered: bool) -> tuple[Any, Any, Any]:
    """The cotangents of x, weight and bias."""
    (n, count), (mean, scale) = x.shape, saved
    gx = np.empty(x.shape, x.dtype)
    across = weight[None]
    share = np.asarray(1 / count, x.dtype)
    # sums over the blocks are added up at the end, in one order whichever thread was first
    sums: dict[int, tuple[Any, Any]] = {}

    def work(blocks: list[slice]) -> None:
        spare = np.empty((blocks[0].stop - blocks[0].start, count), x.dtype)
        for rows in blocks:
            part, given, o, m, r = x[rows], g[rows], gx[rows], mean[rows], scale[rows]
            s = spare[: len(part)]
            deviations = np.multiply(m, r)
            if centered and np.greater(np.square(deviations), FAR).any():
                part = by_row(np.subtract, part, m, np.empty_like(part))
                m = deviations = np.zeros_like(m)
            np.multiply(given, part, out=s)
            along, of_weight = s.dot(weight), r.dot(s)
            total = given.dot(weight) if centered else None
            if centered:
                along -= m * total
                of_weight -= deviations.dot(given)
            sums[rows.start] = of_weight, column_sums(given)
            bend = np.multiply(along, share)
            for _ in range(3):
                bend *= r
            np.multiply(np.dot(r[:, None], across, out=o), given, out=o)
            np.subtract(o, by_row(np.multiply, part, bend, s), out=o)
            if centered:
                total *= share
                total *= r
                by_row(np.subtract, o, np.subtract(total, np.multiply(bend, m)), o)

    over_blocks(work, n, count * x.itemsize)
    if len(sums) == 1:
        return gx, *sums[0]
    of_weight, of_bias = (np.add.reduce(terms) for terms in zip(*[sums[at] for at in sorted(sums)]))
    return gx, of_weight, of_bias

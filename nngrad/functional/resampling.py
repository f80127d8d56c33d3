"""Every element of the result a weighted sum of a few of the input's, dimension by dimension.

What interpolation and padding by reflection, repetition and wrapping are made of: one linear op,
along each dimension by a table of indices and weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np

from .elementary import silent
from .op import Op, linear

#: up to how many elements along a dimension a product with a matrix is faster than sums of a few
LARGEST: Final = 256
#: up to how many results beside a run of neighbours are sent back one by one
_FEW: Final = 16


class Table:
    """Along one dimension of `size` elements, which of them each result is made of, and how.

    indices: (taps, results), of ints; weights: the same of floats, or None where all are 1.
    """

    def __init__(self, size: int, indices: Any, weights: Any = None) -> None:
        self.size: int = size
        self.indices: Any = indices
        self.weights: Any = weights

    def __repr__(self) -> str:
        return f"Table({self.size}, {self.indices.tolist()}, {self.weights})"

    @cached_property
    def groups(self) -> list[tuple[Any, Any, Any]]:
        """For each tap: in which order results have the same element together, where each such group
        starts, and which element it is."""
        found = []
        for row in self.indices:
            order = np.argsort(row, kind="stable")
            starts = np.flatnonzero(np.diff(row[order], prepend=-1))
            found.append((None if (np.diff(row) >= 0).all() else order, starts, row[order][starts]))
        return found

    @cached_property
    def run(self) -> tuple[slice, slice, Any] | None:
        """For a table that repeats elements, few of them: which results are neighbours as they were, which
        elements those are, and which results are left."""
        if self.weights is not None or len(self.indices) != 1:
            return None
        row = self.indices[0]
        breaks = np.flatnonzero(np.diff(row) != 1) + 1
        starts, stops = np.append(0, breaks), np.append(breaks, len(row))
        longest = np.argmax(stops - starts)
        start, stop = int(starts[longest]), int(stops[longest])
        if len(row) - (stop - start) > _FEW or not len(row):
            return None
        first = int(row[start])
        rest = np.delete(np.arange(len(row)), slice(start, stop))
        return slice(start, stop), slice(first, first + stop - start), rest

    @cached_property
    def matrix(self) -> Any:
        """The table as a matrix, of shape (results, size)."""
        found = np.zeros((self.indices.shape[1], self.size))
        for tap, row in enumerate(self.indices):
            found[np.arange(len(row)), row] += 1 if self.weights is None else self.weights[tap]
        return found

    def weight(self, tap: int, after: int, dtype: Any) -> Any:
        """The weights of a tap, to multiply an array with that many dimensions after this one."""
        return self.weights[tap].astype(dtype).reshape(-1, *(1,) * after)


#: for each dimension from the first of them to the last: a table, or None to leave it as it is
Tables: TypeAlias = Sequence[Table | None]


def _dims(x: Any, tables: Tables) -> list[tuple[int, Table]]:
    first = x.ndim - len(tables)
    return [(first + i, table) for i, table in enumerate(tables) if table is not None]


def _by_matrix(x: Any, axis: int, matrix: Any) -> Any:
    """The product with a matrix along one dimension."""
    matrix = matrix.astype(x.dtype)
    shape = (*x.shape[:axis], len(matrix), *x.shape[axis + 1 :])
    if axis == x.ndim - 1:
        return (x.reshape(-1, x.shape[-1]) @ matrix.T).reshape(shape)
    return np.matmul(matrix, x.reshape(prod(x.shape[:axis]), x.shape[axis], -1)).reshape(shape)


def _is_quick(x: Any, table: Table) -> bool:
    """Whether a small matrix does it faster, and no infinity or NaN times its zeros would spread."""
    small = table.weights is not None and table.size <= LARGEST and x.size
    return bool(small and np.isfinite(np.add.reduce(x, None)))


@silent
def _resample(x: Any, tables: Tables) -> Any:
    dtype = x.dtype
    if dtype == np.float16 and any(table is not None and table.weights is not None for table in tables):
        x = x.astype(np.float32)
    for axis, table in reversed(_dims(x, tables)):
        if _is_quick(x, table):
            x = _by_matrix(x, axis, table.matrix)
            continue
        lead = (slice(None),) * axis
        if table.run is not None:  # neighbours by a slice: padding takes half the time, back a fifth
            near, of, rest = table.run
            longer = np.empty((*x.shape[:axis], table.indices.shape[1], *x.shape[axis + 1 :]), x.dtype)
            longer[(*lead, near)] = x[(*lead, of)]
            for place, source in zip(rest.tolist(), table.indices[0][rest].tolist()):
                longer[(*lead, place)] = x[(*lead, source)]
            x = longer
            continue
        total = None
        for tap, row in enumerate(table.indices):
            part = np.take(x, row, axis)
            if table.weights is not None:
                part *= table.weight(tap, x.ndim - axis - 1, x.dtype)
            total = part if total is None else np.add(total, part, out=total)
        x = total
    return x.astype(dtype, copy=False)


@silent
def _transposed(g: Any, tables: Tables) -> Any:
    dtype = g.dtype
    g = g.astype(np.float32) if dtype == np.float16 else g
    for axis, table in _dims(g, tables):
        if _is_quick(g, table):
            g = _by_matrix(g, axis, table.matrix.T)
            continue
        total = np.zeros((*g.shape[:axis], table.size, *g.shape[axis + 1 :]), g.dtype)
        lead = (slice(None),) * axis
        if table.run is not None:
            near, of, rest = table.run
            total[(*lead, of)] = g[(*lead, near)]
            for place, source in zip(rest.tolist(), table.indices[0][rest].tolist()):
                total[(*lead, source)] += g[(*lead, place)]
            g = total
            continue
        for tap, (order, starts, places) in enumerate(table.groups):
            part = g if table.weights is None else g * table.weight(tap, g.ndim - axis - 1, g.dtype)
            if starts.size:
                part = part if order is None else np.take(part, order, axis)
                total[(*lead, places)] += np.add.reduceat(part, starts, axis)
        g = total
    return g.astype(dtype, copy=False)


resample_op: Final[Op] = linear("resample", _resample, lambda g, _, x, tables: spread_op(g, tables))
#: its transpose: each result sends its parts back to the elements that it was made of
spread_op: Final[Op] = linear("resample_back", _transposed, lambda g, _, x, tables: resample_op(g, tables))

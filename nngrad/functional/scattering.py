"""Adding at an index, where a cell may be named several times: what gathering sends back.

`np.add.at` adds row by row at 7 ns per element. Here the cells become positions in a flat array, where
it takes 1.2, and rows that come once are written like any other assignment, at the speed of a copy.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any, Final

import numpy as np

from .rows import ones

ndarray = np.ndarray

#: fewer elements than this are added by `np.add.at` as they are
FEW: Final = 2048
#: rows shorter than this are added element by element
NARROW: Final = 32
#: how many elements can be added in the time that it takes to begin the sum of one group of rows
GROUP: Final = 600
#: the same for a pass over all groups that takes the next row of each
ROUND: Final = 3000
#: how many positions are computed at once: they stay in cache
BLOCK: Final = 1 << 14


def is_basic(index: Any) -> bool:
    """Whether NumPy answers with a view: integers and slices, but no arrays."""
    if type(index) is not tuple:
        return type(index) is not ndarray
    return ndarray not in [type(part) for part in index]


def has_unique_cells(index: Any) -> bool:
    """Whether no cell can be named twice: slices, integers and masks, but no integer arrays."""
    for part in index if type(index) is tuple else (index,):
        if type(part) is ndarray and part.dtype.kind != "b":
            return False
    return True


def scatter_add(buffer: Any, index: Any, g: Any, blank: bool = False) -> None:
    """`buffer[index] += g`, where a cell named twice receives both. The one place that does so.

    blank: the buffer is all zeros, so that there is nothing to add to.
    """
    if is_basic(index):
        part = buffer[index]
        if blank:
            buffer[index] = g
        elif type(part) is ndarray:
            np.add(part, g, out=part)
        else:
            buffer[index] = np.add(part, g)
    elif has_unique_cells(index):
        buffer[index] = g if blank else np.add(buffer[index], g)
    elif (
        g.size < FEW
        or type(buffer) is not ndarray
        or not buffer.flags.c_contiguous
        or not _add_by_rows(buffer, index, g, blank)
    ):
        np.add.at(buffer, index, g)


def dense(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """`g` at `index` of an array of zeros."""
    own = isinstance(g, (ndarray, np.generic))
    buffer = np.zeros(shape, g.dtype) if own else np.zeros_like(g, shape=shape)
    scatter_add(buffer, index, g, blank=True)
    return buffer


def _add_by_rows(buffer: Any, index: Any, g: Any, blank: bool) -> bool:
    """scatter_add for a buffer in row-major order; False for an index that is not understood."""
    found = row_numbers(buffer.shape, index)
    if found is None:
        return False
    rows, depth = found
    if rows.shape + buffer.shape[depth:] != g.shape:
        return False
    width = prod(buffer.shape[depth:])
    add_rows(buffer.reshape(-1, width), rows.reshape(-1), g.reshape(-1, width), blank)
    return True


def row_numbers(shape: tuple[int, ...], index: Any) -> tuple[Any, int] | None:
    """Which rows an index names, and of how many leading dimensions of the array a row is a cell.

    The array is read as a pile of rows, made of the last dimensions, which the index takes whole.
    None for an index with masks or new dimensions among its integer arrays.
    """
    parts = index if type(index) is tuple else (index,)
    if Ellipsis in [part for part in parts if type(part) is not ndarray]:
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        whole = (slice(None),) * (len(shape) - len(parts) + 1)
        if not whole:  # NumPy counts it as standing between arrays
            return None
        parts = parts[:at] + whole + parts[at + 1 :]
    depth = len(parts)
    while type(parts[depth - 1]) is slice and parts[depth - 1] == slice(None):
        depth -= 1
    number = prod(shape[:depth])
    cells: Any = 0
    before: list[Any] = []
    after: list[Any] = []
    places: list[int] = []
    for at, (size, part) in enumerate(zip(shape, parts[:depth])):
        number //= size
        if type(part) is slice:
            (after if places else before).append(np.arange(*part.indices(size)) * number)
        elif part is None or (type(part) is ndarray and part.dtype.kind not in "iu"):
            return None
        else:
            places.append(at)
            cells = cells + _from_front(part, size) * number
    if places[-1] - places[0] != len(places) - 1:  # apart from each other: their dimensions come first
        before, after = [], before + after
    return reduce(np.add.outer, [*before, cells, *after]), depth


def _from_front(part: Any, size: int) -> Any:
    """Indices counted from the front."""
    if type(part) is not ndarray:
        return part + size if part < 0 else part
    part = part.astype(np.intp, copy=False)
    return np.where(part < 0, part + size, part) if part.min(initial=0) < 0 else part


def combine_at(ufunc: np.ufunc, buffer: Any, index: tuple[Any, ...], values: Any) -> None:
    """`ufunc.at(buffer, index, values)` for a buffer in row-major order and an array per dimension."""
    cells: Any = row_numbers(buffer.shape, index)
    ufunc.at(buffer.reshape(-1), cells[0].reshape(-1), values.reshape(-1))


def add_rows(buffer: Any, rows: Any, g: Any, blank: bool) -> None:
    """`buffer[rows[i]] += g[i]` for each i, over matrices."""
    count, width = g.shape
    if width < NARROW:
        _add_elements(buffer, rows, g)
        return
    order, starts = grouped(rows, len(buffer))
    heads = rows[order[starts]]
    sizes = np.diff(starts, append=count)
    by_turns = ROUND * sizes.max(initial=0) + 0.6 * g.size
    if 2 * len(starts) <= count and by_turns < min(g.size, GROUP * len(starts) + 0.2 * g.size):
        _add_by_turns(buffer, heads, order, starts, sizes, g)
    elif count * width > GROUP * len(starts):  # long groups: a sum each
        buffer[heads] += _group_sums(g.take(order, 0), starts.tolist(), int(sizes.max()))
    elif 2 * len(starts) > count:  # most rows come once
        first = g[order[starts]]
        buffer[heads] = first if blank else np.add(buffer[heads], first)
        rest = np.delete(order, starts)
        _add_elements(buffer, rows[rest], g[rest])
    else:
        _add_elements(buffer, rows, g)


def _group_sums(g: Any, starts: list[int], longest: int) -> Any:
    """The sums of rows that follow each other, by BLAS."""
    sums = np.empty((len(starts), g.shape[1]), g.dtype)
    one = ones(longest, g.dtype)
    plain = g.dtype.char in "fd"
    for total, start, end in zip(sums, starts, [*starts[1:], len(g)]):
        if plain:
            np.dot(one[: end - start], g[start:end], out=total)
        else:
            np.add.reduce(g[start:end], 0, out=total)
    return sums


def _add_by_turns(buffer: Any, heads: Any, order: Any, starts: Any, sizes: Any, g: Any) -> None:
    """`add_rows` by passes over the groups, each of which adds the next row of all that have one."""
    longest = np.argsort(-sizes, kind="stable")
    starts, sizes, heads = starts[longest], sizes[longest], heads[longest]
    total = g.take(order[starts], 0)
    for turn, some in enumerate(np.searchsorted(-sizes, -np.arange(1, sizes[0])).tolist(), 1):
        total[:some] += g.take(order[starts[:some] + turn], 0)
    buffer[heads] += total


def grouped(rows: Any, number: int) -> tuple[Any, Any]:
    """The order that sorts non-negative integers below `number`, and where each new one begins in it.

    16 bits are sorted by their digits, in 4 ns per element; 64 bits by comparisons, in 60.
    """
    order = np.argsort(rows.astype(np.uint16), kind="stable")
    for shift in range(16, max(number - 1, 0).bit_length(), 16):
        order = order[np.argsort((rows[order] >> shift).astype(np.uint16), kind="stable")]
    sorted_rows = rows[order]
    new = np.ones(len(rows), np.bool_)
    np.not_equal(sorted_rows[1:], sorted_rows[:-1], out=new[1:])
    return order, np.flatnonzero(new)


def _add_elements(buffer: Any, rows: Any, g: Any) -> None:
    """`add_rows` element by element: fast where `np.add.at` is given flat arrays."""
    count, width = g.shape
    flat = buffer.reshape(-1)
    if width == 1:
        np.add.at(flat, rows, g.reshape(-1))
        return
    columns = np.arange(width)
    step = max(1, BLOCK // width)
    for start in range(0, count, step):
        cells = np.add.outer(rows[start : start + step] * width, columns)
        np.add.at(flat, cells.reshape(-1), g[start : start + step].reshape(-1))

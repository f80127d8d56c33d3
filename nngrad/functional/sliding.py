"""Convolutions of plain arrays: the windows of a block of images as one matrix, and one matmul per block.

The three are one sum over images, groups, channels, taps and places, with another factor left out each
time: `convolve` gives the output, `spread` the input, `correlate` the weight. Space has any number of
dimensions. What stays out of here: nodes, and checks of what users pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from itertools import product
from math import prod
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .elementary import silent

Size: TypeAlias = tuple[int, ...]

#: most bytes of a block's windows, measured: they stay in the second-level cache. Large images are cut
#: into tiles of rows.
CACHE: Final = 1 << 21
#: most bytes of the windows of several images together
SMALL: Final = 1 << 19
#: columns from which on a matrix product is worth its call; images with fewer places share one
COLUMNS: Final = 128


class Geometry(NamedTuple):
    """How a kernel moves over an input, one entry per dimension of space.

    padding: zeros before the input; if negative, so much of it is cut off. Behind it there are as
    many as the places need.
    """

    stride: Size
    dilation: Size
    padding: Size
    groups: int = 1


@lru_cache(512)
def reach_of(kernel: Size, size: Size, geometry: Geometry) -> Size:
    """How much of the padded input `size` places see."""
    steps = zip(kernel, size, geometry.stride, geometry.dilation)
    return tuple([(n - 1) * stride + (k - 1) * dilation + 1 for k, n, stride, dilation in steps])


@lru_cache(512)
def overlap(size: Size, reach: Size, padding: Size) -> tuple[Any, Any]:
    """The index of the part of an input that is seen, and that part's index in the padded input."""
    seen: list[slice] = []
    inside: list[slice] = []
    for n, most, before in zip(size, reach, padding):
        skipped, at = max(0, -before), max(0, before)
        count = max(0, min(n - skipped, most - at))
        seen.append(slice(skipped, skipped + count))
        inside.append(slice(at, at + count))
    return (..., *seen), (..., *inside)


def windows(x: Any, kernel: Size, size: Size, stride: Size, dilation: Size) -> Any:
    """A view (images, channels, *kernel, *size) of (images, channels, *space)."""
    steps = x.strides[2:]
    strides = [a * b for a, b in zip(steps, dilation)] + [a * b for a, b in zip(steps, stride)]
    shape, strides = (*x.shape[:2], *kernel, *size), [*x.strides[:2], *strides]
    if not x.flags.c_contiguous or not x.size:
        return as_strided(x, shape, strides, writeable=False)
    view: Any = np.ndarray(shape, x.dtype, x, 0, strides)  # as_strided takes 8 us
    view.flags.writeable = False
    return view


def add_windows(frame: Any, parts: Any, kernel: Size, stride: Size, dilation: Size, row: int = 0) -> None:
    """Add (images, channels, *kernel, *places) to where the windows of `frame` lie, from a row on."""
    size = parts.shape[2 + len(kernel) :]
    for tap in product(*map(range, kernel)):
        starts = [t * d for t, d in zip(tap, dilation)]
        starts[0] += row * stride[0]
        index = [slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, size, stride)]
        target = frame[:, :, *index]
        np.add(target, parts[:, :, *tap], out=target)


class _Blocks(NamedTuple):
    """How work is cut: so many images, so many rows of places, in one product each or side by side in one."""

    images: int
    rows: int
    beside: bool

    def cut(self, images: int, rows: int) -> Iterator[tuple[int, int, int, int]]:
        for i in range(0, images, self.images):
            for row in range(0, rows, self.rows):
                yield i, min(i + self.images, images), row, min(row + self.rows, rows)


@lru_cache(512)
def _plan(images: int, size: Size, bytes_per_place: int) -> _Blocks:
    places = prod(size)
    if places < COLUMNS:
        return _Blocks(max(1, min(images, 4 * COLUMNS // max(places, 1))), size[0], True)
    fitting = CACHE // max(bytes_per_place, 1)
    if fitting >= places:
        return _Blocks(max(1, min(images, SMALL // max(bytes_per_place * places, 1))), size[0], False)
    rows = min(size[0], max(1, max(fitting, 4 * COLUMNS) * size[0] // places))
    return _Blocks(1, -(-size[0] // -(-size[0] // rows)), False)  # tiles of equal height


def _moved(x: Any, source: int, to: int) -> Any:
    """`np.moveaxis` to a place further ahead, without its checks."""
    return x.transpose(*range(to), source, *range(to, source), *range(source + 1, x.ndim))


def _matrix(
    blocks: _Blocks, channels: int, kernel: Size, size: Size, groups: int, like: Any
) -> tuple[Any, Any]:
    """Memory for a block's windows: as a matrix, and as (images, channels, *kernel, *places).

    The matrix is (images, groups, -1, places), or side by side (groups, -1, images * places).
    """
    tile = (blocks.rows, *size[1:])
    height, width = channels // groups * prod(kernel), prod(tile)
    if blocks.beside:
        whole = np.empty((channels, *kernel, blocks.images, *tile), like.dtype)
        return whole.reshape(groups, height, blocks.images * width), _moved(whole, 1 + len(kernel), 0)
    whole = np.empty((blocks.images, channels, *kernel, *tile), like.dtype)
    return whole.reshape(blocks.images, groups, height, width), whole


def _beside(y: Any) -> Any:
    """(images, groups, channels, places) side by side: (groups, channels, images * places)."""
    images, groups, channels, places = y.shape
    return y.transpose(1, 2, 0, 3).reshape(groups, channels, images * places)


def _columns(x: Any, kernel: Size, size: Size, geometry: Geometry) -> Iterator[tuple[slice, slice, Any]]:
    """Block by block: which images, which places, and their windows as a matrix.

    The next block overwrites the matrix.
    """
    images, channels = x.shape[:2]
    stride, dilation, padding, groups = geometry
    blocks = _plan(images, size, channels * prod(kernel) * x.itemsize)
    reach = reach_of(kernel, size, geometry)
    seen, inside = overlap(x.shape[2:], reach, padding)
    x = x[seen]
    row = prod(size[1:])
    padded = x.shape[2:] != reach
    if not padded and prod(kernel) == 1 == prod(stride) and not blocks.beside:
        flat = x.reshape(images, groups, channels // groups, row * size[0])
        for i, j, r, q in blocks.cut(images, size[0]):
            yield slice(i, j), slice(r * row, q * row), flat[i:j, ..., r * row : q * row]
        return
    frame = np.zeros((blocks.images, channels, *reach), x.dtype) if padded else x
    matrix, whole = _matrix(blocks, channels, kernel, size, groups, x)
    every = (slice(None),) * (len(size) - 1)
    last, lead, ones = kernel[-1], kernel[:-1], (1,) * (len(kernel) - 1)
    slab: Any = None
    source: Any = None
    if prod(lead) == 1:
        view = windows(frame, kernel, size, stride, dilation)
    else:  # along the last dimension first, then along the others: the second step moves whole rows
        view = windows(
            frame, (*ones, last), (*reach[:-1], size[-1]), (*ones, stride[-1]), (*ones, dilation[-1])
        )
        space = ((blocks.rows - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1, *reach[1:-1], size[-1])
        slab = np.empty((blocks.images, channels, *ones, last, *space), x.dtype)
        tile = (blocks.rows, *size[1:])
        rows_of = slab.reshape(blocks.images, channels * last, *space)
        source = windows(rows_of, (*lead, 1), tile, (*stride[:-1], 1), dilation)
        source = source.reshape(blocks.images, channels, last, *lead, *tile)
        whole = _moved(whole, 1 + len(kernel), 2)
    for i, j, r, q in blocks.cut(images, size[0]):
        n, rows = j - i, q - r
        if padded and r == 0:
            frame[(slice(n), *inside)] = x[i:j]
        here = slice(n) if padded else slice(i, j)
        target = whole[:n, ..., :rows, *every]
        if slab is None:
            target[...] = view[here, ..., r:q, *every]
        else:
            a, b = r * stride[0], (q - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
            slab[:n, ..., : b - a, *every] = view[here, ..., a:b, *every]
            target[...] = source[:n, ..., :rows, *every]
        filled = matrix[..., : n * row * rows] if blocks.beside else matrix[:n, ..., : row * rows]
        yield slice(i, j), slice(r * row, q * row), filled


def _single(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compute float16 in float32, as PyTorch does: NumPy multiplies no matrices of it fast."""

    @silent
    @wraps(function)
    def call(*args: Any) -> Any:
        if args[0].dtype != np.float16:
            return function(*args)
        wide = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in args]
        return function(*wide).astype(np.float16)

    return call


@_single
def convolve(x: Any, w: Any, *rest: Any) -> Any:
    """Windows of x (n, c, *space) times w (o, c / groups, *kernel), plus a bias (o,): (n, o, *size).

    rest: the bias if there is one, the geometry, the size.
    """
    *bias, geometry, size = rest
    images, outs = len(x), len(w)
    groups = geometry.groups
    out = np.empty((images, outs, *size), x.dtype)
    flat = out.reshape(images, groups, outs // groups, prod(size))
    weight = np.ascontiguousarray(w).reshape(groups, outs // groups, prod(w.shape[1:]))
    for some, places, matrix in _columns(x, w.shape[2:], size, geometry):
        target = flat[some, ..., places]
        if matrix.ndim == 4:
            np.matmul(weight, matrix, out=target)
        else:
            side = np.matmul(weight, matrix)
            target[...] = side.reshape(*side.shape[:2], len(target), -1).transpose(2, 0, 1, 3)
        for b in bias:
            np.add(target, b.reshape(groups, -1, 1), out=target)
    return out


@_single
def correlate(x: Any, y: Any, geometry: Geometry, kernel: Size) -> Any:
    """The weight's part: windows of x (n, c, *space) times y (n, o, *size): (o, c / groups, *kernel)."""
    images, outs = y.shape[:2]
    groups, channels = geometry.groups, x.shape[1] // geometry.groups
    flat = y.reshape(images, groups, outs // groups, prod(y.shape[2:]))
    total = np.zeros((groups, channels * prod(kernel), outs // groups), x.dtype)
    for some, places, matrix in _columns(x, kernel, y.shape[2:], geometry):
        part = flat[some, ..., places]
        if matrix.ndim == 3:
            total += np.matmul(matrix, _beside(part).swapaxes(1, 2))
        else:
            products = np.matmul(matrix, part.swapaxes(2, 3))
            total += products[0] if len(products) == 1 else np.add.reduce(products)
    return total.swapaxes(1, 2).reshape(outs, channels, *kernel)


@_single
def spread(y: Any, w: Any, geometry: Geometry, size: Size) -> Any:
    """The input's part: y (n, o, *places) times w (o, c / groups, *kernel), over windows: (n, c, *size)."""
    images, outs = y.shape[:2]
    stride, dilation, padding, groups = geometry
    kernel, channels = w.shape[2:], groups * w.shape[1]
    spans = [(k - 1) * d for k, d in zip(kernel, dilation)]
    if (
        prod(stride) == 1 and outs // groups < 2 * w.shape[1]
    ):  # windows of y are cheaper than adding to windows
        flipped = w.reshape(groups, outs // groups, w.shape[1], *kernel)[
            (..., *(slice(None, None, -1),) * len(kernel))
        ]
        turned = flipped.swapaxes(1, 2).reshape(channels, outs // groups, *kernel)
        before = tuple([span - p for span, p in zip(spans, padding)])
        return convolve(y, turned, Geometry(stride, dilation, before, groups), size)
    places = y.shape[2:]
    reach = reach_of(kernel, places, geometry)
    seen, inside = overlap(size, reach, padding)
    blocks = _plan(images, places, channels * prod(kernel) * y.itemsize)
    exact = reach == size and not any(padding)
    out = np.zeros((images, channels, *size), y.dtype)
    frame = out if exact else np.empty((blocks.images, channels, *reach), y.dtype)
    weight = w.reshape(groups, outs // groups, prod(w.shape[1:])).swapaxes(1, 2)
    matrix, parts = _matrix(blocks, channels, kernel, places, groups, y)
    times = np.multiply if outs == groups else np.matmul  # the same, and faster where one number is summed
    row = prod(places[1:])
    flat = y.reshape(images, groups, outs // groups, prod(y.shape[2:]))
    for i, j, r, q in blocks.cut(images, places[0]):
        n, rows = j - i, q - r
        if not exact and r == 0:
            frame[...] = 0
        part = flat[i:j, ..., r * row : q * row]
        if blocks.beside:
            times(weight, _beside(part), out=matrix[..., : n * row * rows])
        else:
            times(weight, part, out=matrix[:n, ..., : row * rows])
        every = (slice(None),) * (len(places) - 1)
        add_windows(
            frame[i:j] if exact else frame[:n], parts[:n, ..., :rows, *every], kernel, stride, dilation, r
        )
        if not exact and q == places[0]:
            out[(slice(i, j), *seen)] = frame[(slice(n), *inside)]
    return out

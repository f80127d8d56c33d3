"""The op behind grid_sample: elements at places between others, weighted by how near those are.

Forward and rule are one formula each, for arrays and nodes; arrays are read channel by channel, where one
index serves all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from .dtypes import DType
from .elementary import select, silent
from .node import Node
from .op import Op, general
from .planes import gather_op, scatter_op


def folded(places: Any, size: int, padding: str, align_corners: bool) -> tuple[Any, Any]:
    """Places outside brought inside (in an array), and the slope by which they move with the given ones."""
    slope = np.ones_like(places)
    if padding == "zeros":
        return places, slope
    if padding == "reflection":
        low, span = (0.0, size - 1.0) if align_corners else (-0.5, float(size))
        if span == 0:
            return np.zeros_like(places), np.zeros_like(places)
        distance = np.abs(places - low)
        turns, rest = np.divmod(distance, span)
        back = turns % 2 != 0
        slope = np.where((places < low) ^ back, -slope, slope)
        places = np.where(back, span - rest, rest) + low
    clipped = np.clip(places, 0, size - 1)
    inside = (places > 0) & (places < size - 1)  # on the edge there is no slope, as in PyTorch
    return clipped, np.where(inside, slope, 0)


def whole_places(places: Any) -> Any:
    """Whole numbers, none of them NaN, as indices; what is far outside as what is just outside."""
    return np.minimum(np.maximum(places, -2.0), 2.0**30).astype(np.int64)


class _Tap(NamedTuple):
    """A neighbour along one dimension: what it weighs (None for 1), what it adds to the place in the flat
    plane, and whether it is inside."""

    weight: Any
    cell: Any
    inside: Any


def _axes(at: Any, sizes: tuple[int, ...], params: Any) -> tuple[list[list[_Tap]], list[Any]]:
    """Along each dimension the neighbours of all places, and how fast places move with coordinates."""
    found = [
        _taps(at[..., len(sizes) - 1 - d], n, prod(sizes[d + 1 :]), *params) for d, n in enumerate(sizes)
    ]
    return [taps for taps, _ in found], [speed for _, speed in found]


def _taps(c: Any, size: int, stride: int, mode: str, padding: str, corners: bool) -> tuple[list[_Tap], Any]:
    speed: Any = (size - 1) / 2 if corners else size / 2
    if corners:
        places = np.multiply(np.add(c, 1), speed)
    else:
        places = np.multiply(np.subtract(np.multiply(np.add(c, 1), size), 1), 0.5)
    raw: Any = places._value if type(places) is Node else places
    value, slope = (raw, 1.0) if padding == "zeros" else folded(raw, size, padding, corners)
    if mode == "nearest":
        return [_tap(None, whole_places(np.rint(value)), size, stride)], None
    low = np.floor(value)
    share = np.subtract(value, low)
    if type(places) is Node:
        slope = np.asarray(slope, raw.dtype)
        share = np.add(np.multiply(places, slope), np.subtract(share, raw * slope).astype(raw.dtype))
    if padding != "zeros":
        speed = (slope * speed).astype(raw.dtype)
    first = whole_places(low)
    return [_tap(np.subtract(1, share), first, size, stride), _tap(share, first + 1, size, stride)], speed


def _tap(weight: Any, place: Any, size: int, stride: int) -> _Tap:
    at: Any = np.minimum(np.maximum(place, 0), size - 1)
    inside = np.equal(at, place)
    return _Tap(weight, at * stride if stride > 1 else at, inside)


def _corner(taps: tuple[_Tap, ...]) -> tuple[Any, Any]:
    """Of one neighbour along each dimension: the place in the flattened plane, and whether it is inside."""
    cell, inside = taps[0].cell, taps[0].inside
    for tap in taps[1:]:
        cell, inside = cell + tap.cell, inside & tap.inside
    return cell, inside


def _weight(taps: tuple[_Tap, ...], but: int = -1) -> Any:
    """What that corner weighs, without dimension `but`; None for 1."""
    weight: Any = None
    for d, tap in enumerate(taps):
        if d != but and tap.weight is not None:
            weight = tap.weight if weight is None else np.multiply(weight, tap.weight)
    return weight


def _spread(flat: Any, inside: Any, channels: int) -> tuple[Any, Any]:
    shape = (flat.shape[0], channels, *flat.shape[1:])
    return np.copy(np.broadcast_to(flat[:, None], shape)), np.copy(np.broadcast_to(inside[:, None], shape))


# ---------------------------------------------------------------- arrays, channel by channel


def _by_channel(a: Any) -> Any:
    """(images, channels, ...) as (channels, all the rest)."""
    return np.ascontiguousarray(a.swapaxes(0, 1)).reshape(a.shape[1], len(a) * prod(a.shape[2:]))


def _by_image(a: Any, like: Any, sizes: tuple[int, ...]) -> Any:
    """The opposite."""
    return np.ascontiguousarray(a.reshape(*like.shape[1::-1], *sizes).swapaxes(0, 1))


def _read(x: Any, cells: Any, inside: Any, finite: bool) -> Any:
    """What stands at the cells in each channel; what is outside has to be weighed with 0."""
    found = np.empty((len(x), cells.size), x.dtype)
    for channel, part in zip(x, found):
        np.take(channel, cells, out=part, mode="clip")
    if not finite:  # 0 * inf
        np.copyto(found, 0, where=np.logical_not(inside))
    return found


def _corners(axes: list[list[_Tap]], images: int, length: int, dtype: DType) -> Iterator[tuple[Any, ...]]:
    """Which neighbour along each dimension, those, their cells among all images, which are inside, and what
    they weigh there."""
    for which in product(*[range(len(taps)) for taps in axes]):
        taps = tuple([axis[c] for c, axis in zip(which, axes)])
        cell, inside = _corner(taps)
        cell = cell + np.arange(images).reshape(-1, *(1,) * (cell.ndim - 1)) * length
        weight, seen = _weight(taps), inside.reshape(-1)
        if weight is None or not seen.all():
            weight = inside.astype(dtype) if weight is None else np.multiply(weight, inside)
        yield which, taps, cell.reshape(-1), seen, weight.reshape(-1)


@silent
def _forward(x: Any, at: Any, *params: Any) -> Any:
    sizes = x.shape[2:]
    axes, _ = _axes(at, sizes, params)
    rows, total = _by_channel(x), None
    finite = bool(np.isfinite(np.add.reduce(rows, None)))
    for _, _, cells, inside, weight in _corners(axes, len(x), prod(sizes), x.dtype):
        part = _read(rows, cells, inside, finite)
        np.multiply(part, weight, out=part)
        total = part if total is None else np.add(total, part, out=total)
    return _by_image(total, x, at.shape[1:-1])


def _plain_vjp(g: Any, x: Any, at: Any, params: Any, needs: list[bool]) -> list[Any]:
    sizes = x.shape[2:]
    axes, speeds = _axes(at, sizes, params)
    g, rows = _by_channel(g), _by_channel(x)
    finite = bool(np.isfinite(np.add.reduce(rows, None)))
    bent = needs[1] and params[0] != "nearest"
    slopes: list[Any] = [0] * len(sizes)
    sent: list[Any] = []
    for which, taps, cells, inside, weight in _corners(axes, len(x), prod(sizes), x.dtype):
        if needs[0]:
            sent.append((cells, weight))
        if bent:
            parts = _read(rows, cells, inside, finite)
            along = np.add.reduce(np.multiply(parts, g, out=parts), 0)
            along = np.multiply(along, inside, out=along).reshape(at.shape[:-1])
            for d, upper in enumerate(which):
                beside = _weight(taps, d)
                slope = along if beside is None else np.multiply(along, beside)
                slopes[d] = slopes[d] + slope if upper else slopes[d] - slope
    gx = _added(g, x, sent) if needs[0] else None
    if not bent:
        return [gx, np.zeros_like(at) if needs[1] else None]
    moved = [np.multiply(slope, speed) for slope, speed in zip(slopes, speeds)]
    return [gx, np.stack(moved[::-1], -1).astype(at.dtype, copy=False)]


def _added(g: Any, x: Any, sent: list[Any]) -> Any:
    """What each element receives from all places that it is a neighbour of."""
    length = len(x) * prod(x.shape[2:])
    result = np.zeros((x.shape[1], length), x.dtype)
    for channel, part in zip(result, g):
        for cells, weight in sent:
            channel += np.bincount(cells, np.multiply(part, weight), length)
    return _by_image(result, x, x.shape[2:])


# ---------------------------------------------------------------- nodes


@silent
def _vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    x, at = inputs
    if all(type(v) is np.ndarray for v in (g, x, at)):
        return _plain_vjp(g, x, at, params, needs)
    sizes, channels = x.shape[2:], x.shape[1]
    axes, speeds = _axes(at, sizes, params)
    bent = needs[1] and params[0] != "nearest"
    gx: Any = None
    slopes: list[Any] = [None] * len(sizes)
    for which in product(*[range(len(taps)) for taps in axes]):
        taps = tuple([axis[c] for c, axis in zip(which, axes)])
        index, seen = _spread(*_corner(taps), channels)
        if needs[0]:
            weight = _weight(taps)
            part = select(g if weight is None else np.multiply(g, weight[:, None]), seen)
            part = scatter_op(part, index, sizes)
            gx = part if gx is None else np.add(gx, part)
        if bent:
            along = np.sum(np.multiply(g, select(gather_op(x, index, len(sizes)), seen)), axis=1)
            for d, upper in enumerate(which):
                beside = _weight(taps, d)
                slope = along if beside is None else np.multiply(along, beside)
                slope = slope if upper else np.negative(slope)
                slopes[d] = slope if slopes[d] is None else np.add(slopes[d], slope)
    if not bent:
        return [gx, np.zeros_like(at) if needs[1] else None]
    return [gx, np.stack([np.multiply(slope, speed) for slope, speed in zip(slopes, speeds)][::-1], -1)]


#: (images, channels, *sizes) at (images, *places, dimensions): (images, channels, *places)
sampled_op: Final[Op] = general("grid_sample", _forward, vjp=_vjp, uses_out=False)

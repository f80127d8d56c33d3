"""Windows over the last dimensions, and what pooling makes of them.

Everything is done dimension by dimension: the maximum of a window is that of its rows' maxima, and
its sum that of their sums. Along one dimension a window is a list of *taps*, pairs of (outputs,
elements): the t-th tap of every window. The loops are over taps and blocks of planes, never over
windows. What the public functions take and refuse is in pooling.py.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from .batch import leads
from .blocks import over_blocks
from .dtypes import DType
from .elementary import silent
from .node import Node, constant
from .op import Op, general, linear, no_gradient
from .scattering import dense

#: which outputs, which elements: slices, or for adaptive windows arrays
Tap: TypeAlias = tuple[Any, Any]


class Span(NamedTuple):
    """The windows along one dimension: of `size` elements into `out` windows.

    kernel elements each, `dilation` apart; the first starts at -padding, the next `stride` further.
    With kernel 0 the windows are adaptive: they divide the dimension as equally as can be.
    """

    size: int
    out: int
    kernel: int = 0
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def apart(self) -> bool:
        """Whether no element is in two windows."""
        return bool(self.kernel) and self.stride > (self.kernel - 1) * self.dilation

    @property
    def tiles(self) -> bool:
        """Whether every element is in just one window, and all windows are alike."""
        plain = self.padding == 0 and self.dilation == 1
        return plain and self.kernel == self.stride and self.size == self.out * self.stride

    @property
    def certain(self) -> bool:
        """Whether the last tap can take what the others left: it is in every window that has any left."""
        return bool(self.kernel) and self.dilation == 1

    @property
    def filled(self) -> bool:
        """Whether there is an element in every window."""
        found = np.zeros(self.out, np.bool_)
        for which, _ in taps(self):
            found[which] = True
        return bool(found.all())


Spans: TypeAlias = tuple[Span, ...]


@lru_cache(maxsize=256)
def taps(span: Span) -> tuple[Tap, ...]:
    """The taps of the windows along one dimension that fall on elements, in order."""
    size, out, kernel, stride, padding, dilation = span
    found: list[Tap] = []
    for t in range(kernel):
        start = t * dilation - padding
        low = max(0, -(start // stride))
        high = min(out, (size - 1 - start) // stride + 1)
        if low < high:
            first = start + low * stride
            found.append((slice(low, high), slice(first, start + (high - 1) * stride + 1, stride)))
    if not kernel:
        starts, ends = _adaptive(size, out)
        # windows that start alike, where there are more of them than elements, in turns
        turn = np.arange(out) - np.searchsorted(starts, starts)
        for r in range(turn.max(initial=-1) + 1):
            for t in range((ends - starts).max()):
                which = np.flatnonzero((turn == r) & (ends - starts > t))
                if which.size:
                    found.append((which, starts[which] + t))
    return tuple(found)


def _adaptive(size: int, out: int) -> tuple[Any, Any]:
    places = np.arange(out)
    return places * size // max(out, 1), -(-(places + 1) * size // max(out, 1))


@lru_cache(maxsize=256)
def _counts(span: Span, with_padding: bool) -> Any:
    """How many elements each window has, those of the padding counted or not."""
    size, out, kernel, stride, padding, _ = span
    if not kernel:
        starts, ends = _adaptive(size, out)
    else:
        starts = np.arange(out) * stride - padding
        ends = np.minimum(starts + kernel, size + padding)
        if not with_padding:
            starts, ends = np.maximum(starts, 0), np.minimum(ends, size)
    return ends - starts


def _at(axis: int, part: Any) -> Any:
    return (*(slice(None),) * axis, part)


def _planes(x: Any, dims: int) -> Any:
    """The array with everything before the last `dims` dimensions in one."""
    shape = x.shape[x.ndim - dims :]
    return np.ascontiguousarray(x).reshape(prod(x.shape[: x.ndim - dims]), *shape)


def _outs(spans: Spans) -> tuple[int, ...]:
    return tuple([span.out for span in spans])


def _sizes(spans: Spans) -> tuple[int, ...]:
    return tuple([span.size for span in spans])


@leads
@silent
def _each_block(make: Any, sizes: tuple[int, ...], dtype: Any, spans: Spans, *arrays: Any) -> Any:
    """An array whose planes have these sizes, made of `arrays` by `make` a block of planes at a time."""
    dims = len(spans)
    result = np.empty((*arrays[0].shape[: arrays[0].ndim - dims], *sizes), dtype)
    target, sources = _planes(result, dims), [_planes(a, dims) for a in arrays]

    def work(blocks: list[slice]) -> None:
        for block in blocks:
            target[block] = make(*[source[block] for source in sources])

    over_blocks(work, len(target), max(prod(_sizes(spans)), prod(_outs(spans))) * arrays[0].itemsize)
    return result


def _fold(x: Any, axis: int, span: Span, ufunc: Any, empty: float) -> Any:
    """The windows along one dimension, each folded by `ufunc`; `empty` where nothing is in one."""
    todo = taps(span)
    shape = (*x.shape[:axis], span.out, *x.shape[axis + 1 :])
    whole = [i for _, i in todo if x[_at(axis, i)].shape == shape][:2] if span.kernel else []
    if len(whole) == 2:
        result = ufunc(*[x[_at(axis, i)] for i in whole])
    else:
        result = np.full(shape, empty, x.dtype)
        whole = []
    for o, i in todo:
        if i not in whole:
            part = result[_at(axis, o)]
            result[_at(axis, o)] = ufunc(part, x[_at(axis, i)], out=part)
    return result


# ---------------------------------------------------------------- elements by their place in a plane


def _gather(x: Any, indices: Any, dims: int) -> Any:
    length = prod(x.shape[x.ndim - dims :])
    return np.take(x, _flat(indices, dims, length)).reshape(indices.shape)


def _scatter(g: Any, indices: Any, sizes: tuple[int, ...]) -> Any:
    lead = g.shape[: g.ndim - len(sizes)]
    length = prod(sizes)
    flat = _flat(indices, len(sizes), length)
    return dense(g.reshape(-1), flat, (prod(lead) * length,)).reshape(*lead, *sizes)


def _flat(indices: Any, dims: int, length: int) -> Any:
    """Indices into planes of that length as indices into all of them, in one dimension."""
    rows = prod(indices.shape[: indices.ndim - dims])
    offsets = np.arange(rows).reshape(rows, 1) * length
    return (indices.reshape(rows, prod(indices.shape[indices.ndim - dims :])) + offsets).reshape(-1)


#: the elements at indices into the flattened last `dims` dimensions, plane by plane
gather_op: Final[Op] = linear(
    "plane_gather",
    _gather,
    lambda g, _, x, indices, dims: scatter_op(g, indices, x.shape[len(x.shape) - dims :]),
    no_gradient,
)
#: its transpose: what meets in one place is added up
scatter_op: Final[Op] = linear(
    "plane_scatter",
    _scatter,
    lambda g, _, x, indices, sizes: gather_op(g, indices, len(sizes)),
    no_gradient,
)


# ---------------------------------------------------------------- the largest element


def _lowest(x: Any) -> float:
    return -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min


def _is_one(spans: Spans) -> bool:
    """Whether there is one window, the whole plane."""
    return all(span.out == 1 and span.tiles for span in spans)


def _max_pool(x: Any, spans: Spans) -> Any:
    def largest(x: Any) -> Any:
        if _is_one(spans):
            return np.maximum.reduce(x.reshape(len(x), -1), 1).reshape(len(x), *_outs(spans))
        for axis, span in enumerate(spans, 1):
            x = _fold(x, axis, span, np.maximum, _lowest(x))
        return x

    return _each_block(largest, _outs(spans), x.dtype, spans, x)


def largest_places(x: Any, spans: Spans) -> Any:
    """Where in its plane, flattened, each window's largest element stands (int64).

    The first of equal ones, and the last NaN, as in PyTorch.
    """
    return _each_block(lambda x: _places(x, spans), _outs(spans), np.dtype(np.int64), spans, x)


def _places(x: Any, spans: Spans) -> Any:
    places: Any = np.zeros(x.shape, np.int64)
    scale = 1
    for axis in range(len(spans), 0, -1):
        span = spans[axis - 1]
        coordinates = np.arange(span.size).reshape(span.size, *(1,) * (x.ndim - 1 - axis)) * scale
        shape = (*x.shape[:axis], span.out, *x.shape[axis + 1 :])
        best, found = np.full(shape, _lowest(x), x.dtype), np.zeros(shape, np.int64)
        seen = np.zeros(shape, np.bool_)
        for o, i in taps(span):
            at, to = _at(axis, o), _at(axis, i)
            better = ~(x[to] <= best[at]) | ~seen[at]  # a NaN is better, and nothing than it
            better &= (best[at] == best[at]) | (x[to] != x[to])
            best[at] = np.where(better, x[to], best[at])
            found[at] = np.where(better, places[to] + coordinates[i], found[at])
            seen[at] = True
        x, places, scale = best, found, scale * span.size
    return places


def _max_pool_rule(g: Any, _: Any, x: Any, spans: Spans) -> Any:
    if type(g) is Node or type(x) is Node:
        value = x._value if type(x) is Node else x
        return scatter_op(g, constant(largest_places(value, spans)), _sizes(spans))
    return _each_block(lambda g, x: _send_back(g, x, spans), _sizes(spans), g.dtype, spans, g, x)


def _send_back(g: Any, x: Any, spans: Spans) -> Any:
    if _is_one(spans) and x.size:
        rows, every = x.reshape(len(x), -1), np.arange(len(x))
        first = rows.argmax(1)
        if not np.isnan(rows[every, first]).any():
            result = np.zeros(rows.shape, g.dtype)
            result[every, first] = g.reshape(-1)
            return result.reshape(x.shape)
    levels = [x]
    for axis in range(len(spans), 0, -1):  # rows first: of equal elements the first in memory counts
        levels.append(_fold(levels[-1], axis, spans[axis - 1], np.maximum, _lowest(x)))
    top = levels.pop()
    if np.isnan(np.max(top, initial=0)):
        return _scatter(g, _places(x, spans), _sizes(spans))
    for axis, span in enumerate(spans, 1):
        below = levels.pop()
        flat = span.kernel and span.size == span.out * span.stride and not span.tiles
        g = (_send_flat if flat else _send)(g, below, top, axis, span)
        top = below
    return g


def _bits(x: Any) -> Any:
    """The memory of floats as integers, to mask them."""
    return x.view(np.dtype(f"i{x.itemsize}"))


def _send(g: Any, x: Any, out: Any, axis: int, span: Span) -> Any:
    """The cotangents of windows along one dimension, each to the first element that is its maximum."""
    result = (np.empty if span.tiles else np.zeros)(x.shape, g.dtype)
    left = np.array(g)  # what is not sent yet
    todo = taps(span)
    for n, (o, i) in enumerate(todo, 1):
        at, to = _at(axis, o), _at(axis, i)
        sent = left[at]
        if n < len(todo) or not span.certain:
            rest = _bits(sent)
            kept = np.bitwise_and(rest, np.negative(np.equal(x[to], out[at]).view(np.int8)))
            sent = kept.view(g.dtype)
            left[at] = np.bitwise_xor(rest, kept, out=rest).view(g.dtype)
        if span.apart:
            result[to] = sent
        else:
            result[to] += sent
    return result


def _send_flat(g: Any, x: Any, out: Any, axis: int, span: Span) -> Any:
    """`_send` where there are `stride` elements to a window, in long rows: twice as fast.

    The elements of each phase of the stride are put together, so that a tap is one of them shifted.
    What that shifts in from the neighbouring plane is masked out.
    """
    rows, inner = prod(g.shape[:axis]), prod(g.shape[axis + 1 :])
    split = (rows, span.out, span.stride, inner)
    phases = [np.ascontiguousarray(x.reshape(split)[:, :, r]).reshape(-1) for r in range(span.stride)]
    sums = [np.zeros(g.size, g.dtype) for _ in phases]
    top, left = out.reshape(-1), np.array(g).reshape(-1)
    mask = np.empty((rows, span.out, inner), np.int8)
    todo = taps(span)
    for n, (o, i) in enumerate(todo, 1):
        phase, shift = i.start % span.stride, (i.start // span.stride - o.start) * inner
        at = slice(max(0, -shift), min(g.size, g.size - shift))
        to = slice(at.start + shift, at.stop + shift)
        sent = left[at]
        if n < len(todo) or not span.certain:
            hit = mask.reshape(-1)[at]
            np.equal(phases[phase][to], top[at], out=hit.view(np.bool_))
            mask[:, : o.start] = 0
            mask[:, o.stop :] = 0
            rest = _bits(sent)
            kept = np.bitwise_and(rest, np.negative(hit, out=hit))
            np.bitwise_xor(rest, kept, out=rest)
            sent = kept.view(g.dtype)
        sums[phase][to] += sent
    result = np.empty(x.shape, g.dtype)
    for r, total in enumerate(sums):
        result.reshape(split)[:, :, r] = total.reshape(rows, span.out, inner)
    return result


max_pool_op: Final[Op] = general("max_pool", _max_pool, _max_pool_rule)


# ---------------------------------------------------------------- the mean

#: what a window's sum is divided by: a number, or its elements with or without those of the padding
Divisor: TypeAlias = int | Literal["all", "inside"]


@lru_cache(maxsize=64)
def _divisors(spans: Spans, divisor: Divisor) -> Any:
    if isinstance(divisor, int):
        return np.array(divisor)
    sizes = np.array(1)
    for span in spans:
        sizes = np.multiply.outer(sizes, _counts(span, divisor == "all"))
    return sizes.ravel()[0] if sizes.size and np.ptp(sizes) == 0 else sizes


#: up to how many windows, over how many elements, are summed by a product with a matrix
_WINDOWS: Final = 16
_ELEMENTS: Final = 1 << 12

#: the dimensions within the windows, in the shape that `_tiled` gives
_WITHIN: Final = {dims: tuple(range(2, 2 * dims + 1, 2)) for dims in (1, 2, 3)}


def _coarse(spans: Spans) -> bool:
    """Whether large windows lie side by side, so that one call for all of them beats one for each tap."""
    return all(span.tiles and span.kernel > 4 for span in spans)


def _tiled(x: Any, spans: Spans) -> tuple[int, ...]:
    return (len(x), *[n for span in spans for n in (span.out, span.kernel)])


@lru_cache(maxsize=64)
def _members(spans: Spans, dtype: DType) -> Any:
    """A matrix (windows, elements of a plane) of which windows hold which elements, where there are so few
    large ones that a product with it beats sums of taps; else None."""
    if prod(_outs(spans)) > _WINDOWS or not all(not span.kernel or span.kernel > 4 for span in spans):
        return None
    if not all(span.padding == 0 for span in spans) or not 0 < prod(_sizes(spans)) <= _ELEMENTS:
        return None
    matrix = np.ones((1, 1), dtype)
    for span in spans:
        along = np.zeros((span.out, span.size), dtype)
        for outs, at in taps(span):
            rows: Any = np.arange(span.out)[outs]
            along[rows, np.arange(span.size)[at]] = 1
        matrix = np.kron(matrix, along)
    return matrix if matrix.size else None


def _avg_pool(x: Any, spans: Spans, divisor: Divisor) -> Any:
    by = _divisors(spans, divisor)

    def mean(part: Any) -> Any:
        part = part.astype(np.float32) if x.dtype == np.float16 else part
        members = _members(spans, part.dtype) if part.dtype.kind == "f" else None
        if members is not None:
            sums = np.dot(part.reshape(len(part), -1), members[0] if len(members) == 1 else members.T)
            if np.isfinite(sums).all():  # infinities times zeros would spread
                sums = sums.reshape(len(part), *_outs(spans))
                return np.divide(sums, by.astype(part.dtype), out=sums)
        if _coarse(spans):
            part = np.add.reduce(part.reshape(_tiled(part, spans)), _WITHIN[len(spans)])
        else:
            for axis, span in enumerate(spans, 1):
                part = _fold(part, axis, span, np.add, 0)
        if part.dtype.kind == "f":
            return np.divide(part, by.astype(part.dtype), out=part)
        return np.sign(part) * (np.abs(part) // by)

    return _each_block(mean, _outs(spans), x.dtype, spans, x)


def _avg_unpool(g: Any, spans: Spans, divisor: Divisor) -> Any:
    by = _divisors(spans, divisor)

    def spread(part: Any) -> Any:
        part = part.astype(np.float32) if g.dtype == np.float16 else part
        part = np.divide(part, by.astype(part.dtype))
        members = _members(spans, part.dtype) if part.dtype.kind == "f" else None
        if members is not None and np.isfinite(part).all():
            return np.dot(part.reshape(len(part), -1), members).reshape(len(part), *_sizes(spans))
        if _coarse(spans):
            result = np.empty((len(part), *_sizes(spans)), part.dtype)
            result.reshape(_tiled(result, spans))[...] = np.expand_dims(part, _WITHIN[len(spans)])
            return result
        for axis, span in enumerate(spans, 1):
            shape = (*part.shape[:axis], span.size, *part.shape[axis + 1 :])
            result = (np.empty if span.tiles else np.zeros)(shape, part.dtype)
            for o, i in taps(span):
                if span.apart:
                    result[_at(axis, i)] = part[_at(axis, o)]
                else:
                    result[_at(axis, i)] += part[_at(axis, o)]
            part = result
        return part

    return _each_block(spread, _sizes(spans), g.dtype, spans, g)


avg_pool_op: Final[Op] = linear(
    "avg_pool", _avg_pool, lambda g, _, x, spans, divisor: avg_unpool_op(g, spans, divisor)
)
avg_unpool_op: Final[Op] = linear(
    "avg_unpool", _avg_unpool, lambda g, _, x, spans, divisor: avg_pool_op(g, spans, divisor)
)

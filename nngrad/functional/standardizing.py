"""The op behind every normalisation: values brought to mean 0 and variance 1, then scaled and shifted.

Uses differ in the dimensions that statistics are taken over. float16 is computed in float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .batch import Batch, NeedsBatching
from .blocks import over_blocks, rows_in_block
from .elementary import silent
from .engine import unbroadcast
from .node import Node
from .op import Op, apply, astype, general
from .rows import ones
from .standardizing_rows import FAR, back_rows, forward_rows


def _dots(a: Any, b: Any, axes: tuple[int, ...]) -> Any:
    """The sum of `a * b` (of `a` where b is None) over the axes, by BLAS along the last ones."""
    lead = a.ndim
    while lead and lead - 1 in axes:
        lead -= 1
    size = math.prod(a.shape[lead:])
    if size == 1:
        total = (a if b is None else np.multiply(a, b)).reshape(a.shape[:lead])
    else:
        flat = (*a.shape[:lead], size)
        total = np.vecdot(a.reshape(flat), ones(size, a.dtype) if b is None else b.reshape(flat))
    rest = tuple([d for d in axes if d < lead])
    return np.add.reduce(total, axis=rest) if rest else total


def kept_dims(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of statistics over the axes, which stay with size 1."""
    return tuple([1 if d in axes else n for d, n in enumerate(shape)])


def _rows(x: Any, axes: tuple[int, ...], affine: Sequence[Any]) -> tuple[Any, tuple[int, ...]]:
    """x with its leading dimensions as one, where the affine parameters span the others alone."""
    lead = axes[0]
    if len(axes) == x.ndim - lead and all(a.ndim <= len(axes) for a in affine):
        rows = math.prod(x.shape[:lead])
        return x.reshape(rows, *x.shape[lead:]), tuple(range(1, len(axes) + 1))
    return x, axes


def _by_rows(x: Any, axes: tuple[int, ...], weight: Any) -> bool:
    """Whether statistics are taken over the last dimensions, and there is a weight for each place in them."""
    count = len(axes)
    if weight is None or weight.ndim != count or not x.size or x.dtype.char not in "fd":
        return False
    return axes == tuple(range(x.ndim - count, x.ndim))


def _at(block: slice, axes: tuple[int, ...]) -> Any:
    """The index of a block: along the first dimension, or the second if statistics run over the first."""
    return block if 0 not in axes else (slice(None), block)


def _over_parts(work: Any, x: Any, axes: tuple[int, ...]) -> None:
    along = 1 if 0 in axes else 0
    count = x.shape[along]
    over_blocks(work, count, x.nbytes // max(count, 1))


# Statistics over whole channels or groups: mean and variance by BLAS, then one multiplication and one
# addition of numbers that are few beside x's.


def _is_slim(x: Any, axes: tuple[int, ...], affine: Sequence[Any]) -> bool:
    """Whether the affine parameters and the statistics are the same all along the last dimension."""
    return x.dtype.char in "fd" and x.ndim - 1 in axes and all(a.shape[-1:] == (1,) for a in affine)


def moments(m: Any, v: Any, x: Any, axes: tuple[int, ...], count: int) -> bool:
    """Mean and variance, to m and v; False where that would lose digits."""
    np.divide(_dots(x, None, axes).reshape(m.shape), count, out=m)
    np.divide(_dots(x, x, axes).reshape(v.shape), count, out=v)
    squared = np.square(m)
    np.subtract(v, squared, out=v)
    return not np.any(np.greater(squared, np.multiply(v, FAR)))


def _back_slim(o: Any, spare: Any, g: Any, x: Any, m: Any, r: Any, weight: Any, axes: Any, count: int) -> Any:
    """The cotangent of x, to `o`, where no mean is far from 0; returns the terms of weight's and bias's."""
    last = (x.ndim - 1,)
    sums = _dots(g, None, last)[..., None]
    products = np.multiply(np.subtract(_dots(g, x, last)[..., None], np.multiply(m, sums)), r)
    steep, scaled = (
        (r, (products, sums)) if weight is None else (r * weight, (products * weight, sums * weight))
    )
    along, total = (np.add.reduce(a, axis=axes, keepdims=True) * r / count for a in scaled)
    bend = along * r
    np.multiply(g, steep, out=o)
    np.subtract(o, np.multiply(x, bend, out=spare), out=o)
    np.add(o, m * bend - total, out=o)
    return products, sums


@silent
def _forward(*args: Any) -> tuple[Any, Any]:
    *arrays, axes, eps, has_weight, has_bias, centered = args
    x = arrays[0]
    if not isinstance(x, np.ndarray):
        if Batch in map(type, arrays):
            raise NeedsBatching
        return _plain(arrays, axes, eps, has_weight, has_bias, centered), None
    if x.dtype.char == "e":
        wide = [a.astype(np.float32) for a in arrays]
        out, saved = _forward(*wide, axes, eps, has_weight, has_bias, centered)
        return out.astype(x.dtype), saved
    whole = x.shape
    weight, bias = _affine(arrays, has_weight, has_bias)
    if _by_rows(x, axes, weight):
        flat = x.reshape(-1, weight.size)
        out, saved = forward_rows(
            flat, weight.reshape(-1), bias if bias is None else bias.reshape(-1), eps, centered
        )
        return out.reshape(whole), saved
    x, axes = _rows(np.ascontiguousarray(x), axes, arrays[1:])
    count = math.prod([x.shape[d] for d in axes])
    kept = kept_dims(x.shape, axes)
    mean, variance, scale = (np.empty(kept, x.dtype) for _ in range(3))
    out = np.empty(x.shape, x.dtype)

    slim = centered and _is_slim(x, axes, arrays[1:])

    def work(blocks: list[slice]) -> None:
        for block in blocks:
            at = _at(block, axes)
            o, m, v, r = out[at], mean[at], variance[at], scale[at]
            if slim and moments(m, v, x[at], axes, count):
                np.reciprocal(np.sqrt(np.add(v, eps)), out=r)
                steep = r if weight is None else np.multiply(r, _part(weight, block, axes))
                level = np.multiply(m, steep)
                np.multiply(x[at], steep, out=o)
                np.subtract(o, level if bias is None else level - _part(bias, block, axes), out=o)
                continue
            if centered:
                np.divide(_dots(x[at], None, axes).reshape(m.shape), count, out=m)
                np.subtract(x[at], m, out=o)
            y = o if centered else x[at]
            np.divide(_dots(y, y, axes).reshape(v.shape), count, out=v)
            np.reciprocal(np.sqrt(np.add(v, eps)), out=r)
            np.multiply(y, r, out=o)
            if weight is not None:
                np.multiply(o, _part(weight, block, axes), out=o)
            if bias is not None:
                np.add(o, _part(bias, block, axes), out=o)

    _over_parts(work, x, axes)
    return out.reshape(whole), (mean, variance, scale)


def _affine(arrays: Sequence[Any], has_weight: bool, has_bias: bool) -> tuple[Any, Any]:
    return (arrays[1] if has_weight else None), (arrays[-1] if has_bias else None)


def _part(affine: Any, block: slice, axes: tuple[int, ...]) -> Any:
    return affine[block] if 0 in axes else affine


def _plain(arrays: Any, axes: Any, eps: float, has_weight: bool, has_bias: bool, centered: bool) -> Any:
    """The forward for arrays of any library."""
    weight, bias = _affine(arrays, has_weight, has_bias)
    out = np.multiply(*_standard(arrays[0], axes, eps, centered))
    out = out if weight is None else np.multiply(out, weight)
    return out if bias is None else np.add(out, bias)


def _standard(x: Any, axes: tuple[int, ...], eps: float, centered: bool) -> tuple[Any, Any]:
    """x less its mean, and what to multiply that by."""
    y = np.subtract(x, np.mean(x, axis=axes, keepdims=True)) if centered else x
    variance = np.mean(np.multiply(y, y), axis=axes, keepdims=True)
    return y, np.reciprocal(np.sqrt(np.add(variance, eps)))


def _vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    axes, _eps, has_weight, has_bias, centered = params
    x, weight = inputs[0], inputs[1] if has_weight else None
    if saved is None:
        return _recorded(g, x, weight, params, inputs[-1].shape)
    if x.dtype.char == "e":
        wide = [a.astype(np.float32) for a in inputs]
        sent = _vjp(g.astype(np.float32), None, wide, params, saved, needs)
        return [None if s is None else s.astype(x.dtype) for s in sent]
    whole = x.shape
    if weight is not None and _by_rows(x, axes, weight):
        rows = (-1, weight.size)
        gx, *sums = back_rows(g.reshape(rows), x.reshape(rows), weight.reshape(-1), saved, centered)
        return [gx.reshape(whole), *[part.reshape(weight.shape) for part in sums[: 1 + has_bias]]]
    x, axes = _rows(np.ascontiguousarray(x), axes, inputs[1:])
    g = g.reshape(x.shape)
    mean, variance, scale = saved
    count = math.prod([x.shape[d] for d in axes])
    affine = inputs[1].shape if len(inputs) > 1 else ()
    beside = tuple([d for d in range(x.ndim) if _padded(affine, x.ndim)[d] == 1])
    by_channel = 0 in axes
    step = rows_in_block(x.nbytes // max(x.shape[0], 1))
    pieces = 1 if by_channel else -(-x.shape[0] // step)
    # sums over the blocks are added up at the end, in one order whichever thread was first
    g_weight, g_bias = (np.zeros((pieces, *affine), x.dtype) if h else None for h in (has_weight, has_bias))
    gx = np.empty(x.shape, x.dtype)

    slim = centered and _is_slim(x, axes, inputs[1:])

    def work(blocks: list[slice]) -> None:
        spare = np.empty_like(x[_at(blocks[0], axes)]) if blocks else x
        for block in blocks:
            at = _at(block, axes)
            here = spare[_at(slice(0, block.stop - block.start), axes)]
            piece = (0, block) if by_channel else (block.start // step,)
            gb, o, r = g[at], gx[at], scale[at]
            far = np.greater(np.square(mean[at]), np.multiply(variance[at], FAR)) if centered else False
            if slim and not np.any(far):
                part_of_weight = None if weight is None else _part(weight, block, axes)
                parts = _back_slim(o, here, gb, x[at], mean[at], r, part_of_weight, axes, count)
                for total, part in zip((g_weight, g_bias), parts):
                    if total is not None:
                        total[piece] = np.add.reduce(part, axis=beside).reshape(total[piece].shape)
                continue
            y = np.subtract(x[at], mean[at], out=here) if centered else x[at]
            if g_bias is not None:
                g_bias[piece] = _dots(gb, None, beside).reshape(g_bias[piece].shape)
            if g_weight is not None:
                product = np.multiply(gb, y, out=o)
                g_weight[piece] = _scaled_sum(product, r, beside).reshape(g_weight[piece].shape)
            if weight is not None:
                gb = np.multiply(gb, _part(weight, block, axes), out=o)
            steep = np.multiply(np.divide(_dots(gb, y, axes), count).reshape(r.shape), np.square(r))
            away = np.multiply(y, steep, out=here)
            if centered:
                np.add(away, np.divide(_dots(gb, None, axes), count).reshape(r.shape), out=away)
            np.subtract(gb, away, out=o)
            np.multiply(o, r, out=o)

    with np.errstate(all="ignore"):
        _over_parts(work, x, axes)
    sums = [np.add.reduce(s, axis=0) for s in (g_weight, g_bias) if s is not None]
    return [gx.reshape(whole), *sums]


def _scaled_sum(product: Any, scale: Any, beside: tuple[int, ...]) -> Any:
    """The sum of `product * scale`, where the scale belongs to a row, a matrix product."""
    if product.ndim == 2 and beside == (0,):
        return np.dot(scale[:, 0], product)
    return _dots(np.multiply(product, scale), None, beside)


def _padded(shape: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    return (1,) * (ndim - len(shape)) + shape


def _recorded(g: Any, x: Any, weight: Any, params: Any, affine: tuple[int, ...]) -> list[Any]:
    """The cotangents from the inputs alone, in what NumPy's dispatch can record."""
    axes, eps, has_weight, has_bias, centered = params
    if x.dtype.char == "e":
        dtype, wide = x.dtype, np.dtype(np.float32)
        g, x, weight = (None if a is None else astype(a, wide) for a in (g, x, weight))
        return [astype(s, dtype) for s in _recorded(g, x, weight, params, affine)]
    y, scale = _standard(x, axes, eps, centered)
    sent = []
    if has_weight:
        sent.append(unbroadcast(np.multiply(np.multiply(g, y), scale), affine))
    if has_bias:
        sent.append(unbroadcast(g, affine))
    gw = g if weight is None else np.multiply(g, weight)
    steep = np.multiply(np.mean(np.multiply(gw, y), axis=axes, keepdims=True), np.square(scale))
    away = np.multiply(y, steep)
    if centered:
        away = np.add(away, np.mean(gw, axis=axes, keepdims=True))
    return [np.multiply(np.subtract(gw, away), scale), *sent]


standardize: Final[Op] = general("standardize", _forward, vjp=_vjp, saves=True, uses_out=False)


def _jvp(given: list[Any], _: Any, inputs: list[Any], params: Any) -> Any:
    axes, eps, has_weight, has_bias, centered = params
    x, tx = inputs[0], given[0]
    weight, t_weight = (inputs[1], given[1]) if has_weight else (None, None)
    tangent = given[-1] if has_bias else None
    if tx is not None:  # the Jacobian in x, but for the weight, is symmetric
        (moved,) = _recorded(tx, x, None, (axes, eps, False, False, centered), ())
        moved = moved if weight is None else np.multiply(moved, weight)
        tangent = moved if tangent is None else np.add(moved, tangent)
    if t_weight is not None:
        turned = np.multiply(np.multiply(*_standard(x, axes, eps, centered)), t_weight)
        tangent = turned if tangent is None else np.add(turned, tangent)
    return tangent


standardize.jvp = _jvp


def standardized(
    x: Node, axes: tuple[int, ...], weight: Node | None, bias: Node | None, eps: float, centered: bool = True
) -> Node:
    """x brought to mean 0 (if `centered`) and variance 1 over the axes, times `weight`, plus `bias`."""
    inputs = tuple([a for a in (x, weight, bias) if a is not None])
    params = (axes, float(eps), weight is not None, bias is not None, centered)
    return apply(standardize, inputs, params)

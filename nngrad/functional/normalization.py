"""Normalisation: values brought to mean 0 and variance 1, over a batch, a layer, groups or instances.

All are one op with its own derivative, `standardize`, which differs in the dimensions it takes
statistics over. float16 is computed in float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .arithmetic import add, div, mul, pow
from .batch import Batch, NeedsBatching
from .blending import clamp_min
from .blocks import over_blocks, rows_in_block
from .dtypes import wide
from .elementary import abs, select, silent, sqrt
from .engine import unbroadcast
from .exponential import rsqrt
from .joining import concat
from .matrix import ones
from .node import Node, Operand, as_node, seal
from .op import Op, apply, astype, cast, general
from .reduction import amax, sum
from .shape import Dims, normal_dims, reshape
from .splitting import narrow

# ---------------------------------------------------------------- one op


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


def _kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([1 if d in axes else n for d, n in enumerate(shape)])


def _rows(x: Any, axes: tuple[int, ...], affine: Sequence[Any]) -> tuple[Any, tuple[int, ...]]:
    """x with its leading dimensions as one, where the affine parameters span the others alone."""
    lead = axes[0]
    if len(axes) == x.ndim - lead and all(a.ndim <= len(axes) for a in affine):
        rows = math.prod(x.shape[:lead])
        return x.reshape(rows, *x.shape[lead:]), tuple(range(1, len(axes) + 1))
    return x, axes


def _at(block: slice, axes: tuple[int, ...]) -> Any:
    """The index of a block: along the first dimension, or the second if statistics run over the first."""
    return block if 0 not in axes else (slice(None), block)


def _over_parts(work: Any, x: Any, axes: tuple[int, ...]) -> None:
    along = 1 if 0 in axes else 0
    count = x.shape[along]
    over_blocks(work, count, x.nbytes // max(count, 1))


# Rows with statistics of their own (layer_norm, rms_norm): NumPy takes three times as long to broadcast a
# column over rows as to multiply two arrays, so what broadcasts is done by matrix products.

_FAR_FROM_0: Final = 8.0  # how many variances the squared mean may be, for the variance to be a difference


def _of_rows(x: Any, axes: tuple[int, ...], weight: Any) -> bool:
    return x.ndim == 2 and axes == (1,) and weight is not None and weight.ndim == 1 and x.dtype.char in "fd"


def _both(weight: Any, bias: Any) -> Any:
    """The weight and the bias, or zeros, as the rows of a matrix."""
    return np.stack([weight, np.zeros_like(weight) if bias is None else bias])


def _pair(first: Any, second: Any) -> Any:
    """Two vectors as the columns of a matrix; numbers as constant ones."""
    made = np.empty((len(first), 2), first.dtype)
    made[:, 0], made[:, 1] = first, second
    return made


def _forward_rows(
    o: Any, spare: Any, x: Any, m: Any, v: Any, r: Any, both: Any, eps: float, centered: bool
) -> bool:
    """Some rows standardised, times both[0], plus both[1], to `o`; False where that would lose digits."""
    count = x.shape[1]
    v[:, 0] = np.vecdot(x, x) / count
    if centered:
        m[:, 0] = np.dot(x, ones(count, x.dtype)) / count
        squared = np.square(m)
        np.subtract(v, squared, out=v)
        if np.any(np.greater(squared, np.multiply(v, _FAR_FROM_0))):
            return False
    np.reciprocal(np.sqrt(np.add(v, eps)), out=r)
    steep = r[:, 0]
    np.dot(_pair(steep, 0), both, out=o)
    np.multiply(o, x, out=o)
    np.dot(_pair(np.multiply(steep, -m[:, 0]) if centered else np.zeros_like(steep), 1), both, out=spare)
    np.add(o, spare, out=o)
    return True


def _back_rows(
    o: Any, spare: Any, g: Any, x: Any, m: Any, r: Any, both: Any, centered: bool
) -> tuple[Any, Any]:
    """The cotangent of x, to `o`, where no mean is far from 0; returns those of weight and bias."""
    count, steep = x.shape[1], r[:, 0]
    weight = both[0]
    level = total = m[:, 0]
    product = np.multiply(g, x, out=spare)
    along = np.dot(product, weight)
    g_weight = np.dot(steep, product)
    if centered:
        total = np.dot(g, weight)
        along -= level * total
        g_weight -= np.dot(steep * level, g)
    bend = along * (steep * steep * steep / count)
    np.dot(_pair(steep, 0), both, out=o)
    np.multiply(o, g, out=o)
    np.subtract(o, np.multiply(x, bend[:, None], out=spare), out=o)
    if centered:
        np.add(o, (bend * level - steep * total / count)[:, None], out=o)
    return g_weight, np.dot(ones(len(g), g.dtype), g)


# Statistics over whole channels or groups: mean and variance by BLAS, then one multiplication and one
# addition of numbers that are few beside x's.


def _is_slim(x: Any, axes: tuple[int, ...], affine: Sequence[Any]) -> bool:
    """Whether the affine parameters and the statistics are the same all along the last dimension."""
    return x.dtype.char in "fd" and x.ndim - 1 in axes and all(a.shape[-1:] == (1,) for a in affine)


def _moments(m: Any, v: Any, x: Any, axes: tuple[int, ...], count: int) -> bool:
    """Mean and variance, to m and v; False where that would lose digits."""
    np.divide(_dots(x, None, axes).reshape(m.shape), count, out=m)
    np.divide(_dots(x, x, axes).reshape(v.shape), count, out=v)
    squared = np.square(m)
    np.subtract(v, squared, out=v)
    return not np.any(np.greater(squared, np.multiply(v, _FAR_FROM_0)))


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
    x, axes = _rows(np.ascontiguousarray(x), axes, arrays[1:])
    weight, bias = _affine(arrays, has_weight, has_bias)
    count = math.prod([x.shape[d] for d in axes])
    kept = _kept(x.shape, axes)
    mean, variance, scale = (np.empty(kept, x.dtype) for _ in range(3))
    out = np.empty(x.shape, x.dtype)

    by_rows = _of_rows(x, axes, weight)
    both = _both(weight, bias) if by_rows else None
    slim = centered and _is_slim(x, axes, arrays[1:])

    def work(blocks: list[slice]) -> None:
        spare = np.empty_like(x[blocks[0]]) if by_rows and blocks else x
        for block in blocks:
            at = _at(block, axes)
            o, m, v, r = out[at], mean[at], variance[at], scale[at]
            if by_rows and _forward_rows(o, spare[: len(o)], x[at], m, v, r, both, eps, centered):
                continue
            if slim and _moments(m, v, x[at], axes, count):
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
    mean, variance, scale = saved
    whole = x.shape
    x, axes = _rows(np.ascontiguousarray(x), axes, inputs[1:])
    g = g.reshape(x.shape)
    count = math.prod([x.shape[d] for d in axes])
    affine = inputs[1].shape if len(inputs) > 1 else ()
    beside = tuple([d for d in range(x.ndim) if _padded(affine, x.ndim)[d] == 1])
    by_channel = 0 in axes
    step = rows_in_block(x.nbytes // max(x.shape[0], 1))
    pieces = 1 if by_channel else -(-x.shape[0] // step)
    # sums over the blocks are added up at the end, in one order whichever thread was first
    g_weight, g_bias = (np.zeros((pieces, *affine), x.dtype) if h else None for h in (has_weight, has_bias))
    gx = np.empty(x.shape, x.dtype)

    by_rows = _of_rows(x, axes, weight)
    both = _both(weight, None) if by_rows else None
    slim = centered and _is_slim(x, axes, inputs[1:])

    def work(blocks: list[slice]) -> None:
        spare = np.empty_like(x[_at(blocks[0], axes)]) if blocks else x
        for block in blocks:
            at = _at(block, axes)
            here = spare[_at(slice(0, block.stop - block.start), axes)]
            piece = (0, block) if by_channel else (block.start // step,)
            gb, o, r = g[at], gx[at], scale[at]
            far = (
                np.greater(np.square(mean[at]), np.multiply(variance[at], _FAR_FROM_0)) if centered else False
            )
            if by_rows and not np.any(far):
                sums = _back_rows(o, here, gb, x[at], mean[at], r, both, centered)
                for total, part in zip((g_weight, g_bias), sums):
                    if total is not None:
                        total[piece] = part
                continue
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


def _standardized(
    x: Node, axes: tuple[int, ...], weight: Node | None, bias: Node | None, eps: float, centered: bool = True
) -> Node:
    inputs = tuple([a for a in (x, weight, bias) if a is not None])
    params = (axes, float(eps), weight is not None, bias is not None, centered)
    return apply(standardize, inputs, params)


# ---------------------------------------------------------------- checks


def _floating(op: str, input: Operand) -> Node:
    x = as_node(input)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"{op}: expected floating-point values, got {x.dtype}")
    return x


def _like(op: str, x: Node, name: str, given: Operand | None, shape: tuple[int, ...]) -> Node | None:
    """A parameter of the shape that it must have, and of x's dtype."""
    if given is None:
        return None
    node = as_node(given)
    if node.shape != shape:
        many = f"{name} should contain {shape[0]} elements not {node.size}" if len(shape) == 1 else name
        raise RuntimeError(f"{op}: {many}: expected shape {shape}, got {node.shape} (input {x.shape})")
    if node.dtype != x.dtype:
        raise RuntimeError(f"{op}: expected {name} of the input's dtype {x.dtype}, got {node.dtype}")
    return node


def _trailing(op: str, x: Node, normalized_shape: Sequence[int] | int) -> tuple[int, ...]:
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape:
        raise RuntimeError(f"{op}: Expected normalized_shape to be at least 1-dimensional, got {shape}")
    if x.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"{op}: Given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {list(x.shape)}"
        )
    return shape


# ---------------------------------------------------------------- over layers


def layer_norm(
    input: Operand,
    normalized_shape: Sequence[int] | int,
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Node:
    """Each sample less its mean, over its standard deviation, times `weight`, plus `bias`.

    normalized_shape: the last dimensions, which a sample spans; weight, bias: of that shape.
    Raises RuntimeError for shapes that do not fit. Ba, Kiros and Hinton (2016).

    >>> layer_norm(np.array([[1.0, 3.0]]), (2,)).data.round(3)
    array([[-1.,  1.]])
    """
    x = _floating("layer_norm", input)
    shape = _trailing("layer_norm", x, normalized_shape)
    w, b = _like("layer_norm", x, "weight", weight, shape), _like("layer_norm", x, "bias", bias, shape)
    return _standardized(x, tuple(range(x.ndim - len(shape), x.ndim)), w, b, eps)


def rms_norm(
    input: Operand,
    normalized_shape: Sequence[int] | int,
    weight: Operand | None = None,
    eps: float | None = None,
) -> Node:
    """Each sample over its root mean square, times `weight`.

    normalized_shape, weight: as in `layer_norm`; eps: the dtype's smallest step unless given (that
    of float32 for float16). Raises RuntimeError for shapes that do not fit.

    >>> rms_norm(np.array([[1.0, 7.0]]), (2,)).data.round(3)
    array([[0.2, 1.4]])
    """
    x = _floating("rms_norm", input)
    shape = _trailing("rms_norm", x, normalized_shape)
    w = _like("rms_norm", x, "weight", weight, shape)
    if eps is None:
        eps = float(np.finfo(np.float64 if x.dtype.char == "d" else np.float32).eps)
    return _standardized(x, tuple(range(x.ndim - len(shape), x.ndim)), w, None, eps, centered=False)


# ---------------------------------------------------------------- over groups of channels


def group_norm(
    input: Operand,
    num_groups: int,
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Node:
    """Each group of channels of each sample to mean 0 and variance 1, then an affine map by channel.

    input: (N, C, ...); weight, bias: (C,). Raises RuntimeError for fewer than two dimensions or a C
    that num_groups does not divide, ValueError where there is one value alone.
    Wu and He, "Group normalization" (2018).

    >>> group_norm(np.array([[1.0, 3.0, 5.0, 9.0]]), 2).data.round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    x = _floating("group_norm", input)
    if x.ndim < 2:
        raise RuntimeError(f"group_norm: Expected at least 2 dimensions for input, got shape {x.shape}")
    channels = x.shape[1]
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            f"group_norm: Expected number of channels in input to be divisible by num_groups, but got input "
            f"of shape {x.shape} and num_groups={num_groups}"
        )
    if x.size and x.size == x.shape[0] * num_groups and x.shape[0] == 1:
        _refuse_single("group_norm", x)
    return _grouped("group_norm", x, num_groups, weight, bias, eps)


def _refuse_single(op: str, x: Node) -> None:
    raise ValueError(f"{op}: Expected more than 1 value per channel when training, got input size {x.shape}")


def _grouped(op: str, x: Node, groups: int, weight: Operand | None, bias: Operand | None, eps: float) -> Node:
    channels = x.shape[1]
    inner = (groups, channels // groups, 1)
    w, b = (
        None if p is None else reshape(p, inner)
        for p in (_like(op, x, "weight", weight, (channels,)), _like(op, x, "bias", bias, (channels,)))
    )
    space = math.prod(x.shape[2:])
    out = _standardized(reshape(x, (x.shape[0], *inner[:2], space)), (2, 3), w, b, eps)
    return reshape(out, x.shape)


def instance_norm(
    input: Operand,
    running_mean: Operand | None = None,
    running_var: Operand | None = None,
    weight: Operand | None = None,
    bias: Operand | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Node:
    """Each channel of each sample to mean 0 and variance 1, then an affine map by channel.

    input: (N, C, ...); the others: (C,). Without `use_input_stats` the running statistics are used
    instead (see `running_stats` for their update, which `momentum` is for). Raises ValueError
    where a channel has one value alone, RuntimeError for shapes that do not fit.

    >>> instance_norm(np.array([[[1.0, 3.0], [5.0, 9.0]]])).data.round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    x = _channelled("instance_norm", input)
    if not use_input_stats:
        return _by_running("instance_norm", x, running_mean, running_var, weight, bias, eps)
    if math.prod(x.shape[2:]) == 1:
        raise ValueError(
            f"instance_norm: Expected more than 1 spatial element when training, got input size {x.shape}"
        )
    return _grouped("instance_norm", x, x.shape[1], weight, bias, eps)


# ---------------------------------------------------------------- over a batch


def batch_norm(
    input: Operand,
    running_mean: Operand | None,
    running_var: Operand | None,
    weight: Operand | None = None,
    bias: Operand | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Node:
    """Each channel to mean 0 and variance 1 over the batch, then an affine map by channel.

    input: (N, C, ...); the others: (C,). In training the statistics are the batch's, else the
    running ones (see `running_stats` for their update, which `momentum` is for). Raises ValueError
    where a channel has one value alone in training, RuntimeError for shapes that do not fit.
    Ioffe and Szegedy, "Batch normalization" (2015).

    >>> batch_norm(np.array([[1.0, 5.0], [3.0, 9.0]]), None, None, training=True).data.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    x = _channelled("batch_norm", input)
    if not training:
        return _by_running("batch_norm", x, running_mean, running_var, weight, bias, eps)
    channels = x.shape[1]
    if x.size == channels:
        _refuse_single("batch_norm", x)
    w, b = (
        None if p is None else reshape(p, (channels, 1))
        for p in (
            _like("batch_norm", x, "weight", weight, (channels,)),
            _like("batch_norm", x, "bias", bias, (channels,)),
        )
    )
    flat = reshape(x, (x.shape[0], channels, math.prod(x.shape[2:])))
    return reshape(_standardized(flat, (0, 2), w, b, eps), x.shape)


def _channelled(op: str, input: Operand) -> Node:
    x = _floating(op, input)
    if x.ndim < 2:
        raise RuntimeError(f"{op}: expected an input of shape (N, C, ...), got shape {x.shape}")
    return x


def _by_running(
    op: str,
    x: Node,
    mean: Operand | None,
    variance: Operand | None,
    weight: Operand | None,
    bias: Operand | None,
    eps: float,
) -> Node:
    if mean is None or variance is None:
        raise RuntimeError(f"{op}: running_mean and running_var must be defined in evaluation mode")
    shape = (x.shape[1],)
    m, v = _like(op, x, "running_mean", mean, shape), _like(op, x, "running_var", variance, shape)
    w, b = _like(op, x, "weight", weight, shape), _like(op, x, "bias", bias, shape)
    scale = rsqrt(add(v, eps))  # type: ignore[arg-type]  # it was given
    scale = scale if w is None else mul(scale, w)
    shift = mul(m, mul(scale, -1))  # type: ignore[arg-type]  # it was given
    shift = shift if b is None else add(shift, b)
    beside = (shape[0],) + (1,) * (x.ndim - 2)
    return add(mul(x, reshape(scale, beside)), reshape(shift, beside))


@silent
def running_stats(
    input: Operand,
    running_mean: Operand,
    running_var: Operand,
    momentum: float = 0.1,
    *,
    by_instance: bool = False,
) -> tuple[Node, Node]:
    """The running mean and variance after a batch: `old + momentum * (the batch's - old)`.

    input: (N, C, ...); running_mean, running_var: (C,). The batch's variance is the unbiased one,
    and with `by_instance` both are averages over the samples. No gradient flows through them.

    >>> mean, variance = running_stats(np.array([[1.0], [3.0]]), np.zeros(1), np.ones(1), 0.5)
    >>> mean.data, variance.data
    (array([1.]), array([1.5]))
    """
    op = "running_stats"
    x = _channelled(op, input)
    shape = (x.shape[1],)
    values = x._value.reshape(*x.shape[:2], -1)
    if values.dtype.char == "e":
        values = values.astype(np.float32)
    axes = (2,) if by_instance else (0, 2)
    count = math.prod([values.shape[d] for d in axes])
    kept = _kept(values.shape, axes)
    mean, variance = np.empty(kept, values.dtype), np.empty(kept, values.dtype)
    if isinstance(values, np.ndarray) and _moments(mean, variance, values, axes, count):
        variance = np.divide(np.multiply(variance, count), count - 1)
    else:
        mean = np.mean(values, axis=axes, keepdims=True)
        variance = np.divide(
            np.sum(np.square(np.subtract(values, mean)), axis=axes, keepdims=True), count - 1
        )
    updated = []
    for name, old, new in (("running_mean", running_mean, mean), ("running_var", running_var, variance)):
        node = as_node(old)
        if node.shape != shape:
            raise RuntimeError(f"{op}: {name} should contain {shape[0]} elements, got shape {node.shape}")
        news = np.mean(new, axis=(0, 2)).astype(node.dtype)
        updated.append(seal(np.add(np.multiply(node._value, 1 - momentum), np.multiply(news, momentum))))
    return updated[0], updated[1]


# ---------------------------------------------------------------- over neighbours, and by norms


def local_response_norm(
    input: Operand, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Node:
    """`input / (k + alpha * mean of squares over the size channels around) ** beta`.

    input: (N, C, ...). Raises ValueError for fewer than three dimensions.
    Krizhevsky, Sutskever and Hinton (2012).

    >>> local_response_norm(np.ones((1, 2, 1)), 2, alpha=2.0, beta=1.0).data.round(4)
    array([[[0.5   ],
            [0.3333]]])
    """
    x = _floating("local_response_norm", input)
    if x.ndim < 3:
        raise ValueError(
            f"local_response_norm: Expected 3D or higher dimensionality input, got shape {x.shape}"
        )
    if not x.size:
        return x
    squared = mul(x, x)
    channels = x.shape[1]
    before, after = (np.zeros((x.shape[0], n, *x.shape[2:]), x.dtype) for n in (size // 2, (size - 1) // 2))
    padded = concat([before, squared, after], 1)
    total = narrow(padded, 1, 0, channels)
    for start in range(1, size):
        total = add(total, narrow(padded, 1, start, channels))
    return div(x, pow(add(mul(div(total, size), alpha), k), beta))


def normalize(input: Operand, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12) -> Node:
    """`input` over its p-norm along `dim`, or over `eps` where the norm is smaller.

    Raises IndexError for a dimension out of range, RuntimeError for integers.

    >>> normalize(np.array([[3.0, 4.0]])).data
    array([[0.6, 0.8]])
    """
    x = _floating("normalize", input)
    dims = normal_dims("normalize", dim, x.ndim)
    size = cast(_norm(cast(x, wide(x.dtype)), p, dims), x.dtype)
    return div(x, clamp_min(size, eps))


def _norm(x: Node, p: float, dims: tuple[int, ...] | None) -> Node:
    """The p-norm with dims kept; its derivative at 0 is 0."""
    size = abs(x)
    if p == math.inf:
        return amax(size, dims, True)
    if p == 0:
        return cast(sum(seal(np.not_equal(x._value, 0)), dims, True), x.dtype)
    if p == 1:
        return sum(size, dims, True)
    total = sum(mul(x, x) if p == 2 else pow(size, p), dims, True)
    zero = np.equal(total._value, 0)
    safe = add(total, seal(zero.astype(x.dtype)))
    root = sqrt(safe) if p == 2 else pow(safe, 1.0 / p)
    kept: Node = select(root, np.logical_not(zero))
    return kept

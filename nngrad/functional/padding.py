"""More elements around the edges, or fewer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Literal, SupportsIndex, TypeAlias

import numpy as np

from .dtypes import Number
from .node import Node, Operand, as_node
from .op import Op, apply, general, linear, scalar
from .resampling import Table, resample_op

#: for each dimension: how many elements before and after, negative to take away
Widths: TypeAlias = tuple[tuple[int, int], ...]


def _pad(x: Any, widths: Widths, value: Number) -> Any:
    shape = tuple([before + n + after for n, (before, after) in zip(x.shape, widths)])
    result = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    inner = [slice(max(b, 0), n - max(a, 0)) for n, (b, a) in zip(shape, widths)]
    outer = [slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape, widths)]
    result[tuple(inner)] = x[tuple(outer)]
    return result


def _opposite(widths: Widths) -> Widths:
    return tuple([(-before, -after) for before, after in widths])


zero_pad_op: Final[Op] = linear(
    "zero_pad",
    lambda x, widths: _pad(x, widths, 0),
    lambda g, _, x, widths: zero_pad_op(g, _opposite(widths)),
)
_fill_pad_op: Final[Op] = general(
    "fill_pad", _pad, lambda g, _, x, widths, value: zero_pad_op(g, _opposite(widths)), frees=False
)


@lru_cache(maxsize=256)
def _around(mode: str, size: int, before: int, after: int) -> Table:
    places = np.arange(-before, size + after)
    if mode == "reflect":
        places = size - 1 - np.abs(size - 1 - np.abs(places))
    elif mode == "replicate":
        places = np.clip(places, 0, size - 1)
    else:  # what is left after taking away is what goes round
        first, left = max(-before, 0), size + min(before, 0) + min(after, 0)
        places = (places - first) % max(left, 1) + first
    return Table(size, places[None])


def _fits(mode: str, size: int, before: int, after: int) -> bool:
    """Whether there are enough elements along a dimension to pad it so."""
    if mode == "reflect":
        return max(before, after) < size and before + size + after >= 0
    if mode == "replicate":
        return size > 0 and before + size + after >= 0
    left = size + min(before, 0) + min(after, 0)
    return left >= 0 and (mode == "constant" or max(before, after) <= left) and min(before, after) >= -size


def _check_fit(x: Node, given: tuple[int, ...], mode: str, widths: Widths) -> None:
    for n, width in zip(x.shape, widths):
        if any(width) and not _fits(mode, n, *width):
            raise RuntimeError(f"pad: {given} is too much for an input of shape {x.shape} in mode {mode}")


def pad(
    input: Operand,
    pad: Sequence[SupportsIndex],
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant",
    value: float | None = None,
) -> Node:
    """The input with more elements at the edges of its last dimensions.

    pad: (left, right) of the last dimension, then those of the one before it, and so on; where
    negative, elements are taken away. mode: they are `value` (or 0), the input mirrored at its
    edge, its edge, or the input from its other end. All but constant are for one to three
    dimensions behind those of an optional batch and channels. Raises RuntimeError for widths that the
    input is too small for and for a value in another mode than constant, NotImplementedError for
    another number of dimensions or mode.

    >>> pad(np.arange(3.0), (1, 2)).data
    array([0., 0., 1., 2., 0., 0.])
    """
    x = as_node(input)
    given = tuple([width.__index__() for width in pad])
    dims = len(given) // 2
    if len(given) % 2:
        raise RuntimeError(f"pad: Padding length must be divisible by 2, got {given}")
    if dims > x.ndim:
        raise RuntimeError(
            f"pad: Padding length should be at most twice the number of dimensions of the input: "
            f"{given} for shape {x.shape}"
        )
    edges = [(given[2 * i], given[2 * i + 1]) for i in reversed(range(dims))]
    widths: Widths = ((0, 0),) * (x.ndim - dims) + tuple(edges)
    if mode == "constant":
        _check_fit(x, given, mode, widths)
        if not value:
            return apply(zero_pad_op, (x,), (widths,))
        return apply(_fill_pad_op, (x,), (widths, scalar(value, x.dtype).item()))
    if value:
        raise RuntimeError(f'pad: Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"pad: Unrecognised padding mode {mode}")
    if not (1 <= dims <= 3 and x.ndim in (dims + 1, dims + 2)):
        raise NotImplementedError(
            f"pad: Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now: "
            f"{given} for shape {x.shape}"
        )
    _check_fit(x, given, mode, widths)
    tables = [_around(mode, n, *width) if any(width) else None for n, width in zip(x.shape[-dims:], edges)]
    return apply(resample_op, (x,), (tables,))

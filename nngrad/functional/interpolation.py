"""Images made larger or smaller.

Each result is a weighted sum of the elements around the place it comes from, and every dimension
has its own weights: those are the tables of resampling.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import floor
from typing import Any, Final, SupportsIndex

import numpy as np

from .adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .node import Node, Operand, as_node
from .op import apply
from .planes import Span, avg_unpool_op
from .resampling import Table, resample_op
from .warn import warn_user

#: how many dimensions each mode is for, beside the batch and the channels
_DIMS: Final = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "trilinear": (3,),
}
_AREA: Final = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}

#: what the cubic's weights depend on; PyTorch's choice
CUBIC: Final = -0.75


def cubic_weights(t: Any) -> tuple[Any, Any, Any, Any]:
    """What four neighbours weigh in a cubic convolution, `t` from the second on the way to the third.

    The formula of Keys with a = -0.75, for arrays and nodes.
    """

    def near(x: Any) -> Any:
        return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC

    return far(t + 1), near(t), near(1 - t), far(2 - t)


@lru_cache(maxsize=256)
def _table(mode: str, size: int, out: int, factor: float | None, align_corners: bool, char: str) -> Table:
    """The table of a mode. All is computed in the dtype of the input, or results would be off by one."""
    real = np.dtype(char).type
    places = np.arange(out, dtype=char)
    if align_corners:
        step = real((size - 1) / (out - 1) if out > 1 else 0)
    else:
        step = real(1.0 / factor) if factor else real(size) / real(out)
    if mode.startswith("nearest"):
        shift = real(0.5 if mode == "nearest-exact" else 0)
        found = np.floor(((places + shift) * step).astype(np.float32)).astype(np.int64)
        return Table(size, np.minimum(found, size - 1)[None])
    source = places * step if align_corners else (places + real(0.5)) * step - real(0.5)
    if mode == "bicubic":
        first = np.floor(source).astype(np.int64)
        weights: tuple[Any, ...] = cubic_weights(np.clip(source - first, 0, 1).astype(char))
        taps = [first + i for i in (-1, 0, 1, 2)]
    else:
        source = places if size == out else np.maximum(source, 0)
        first = np.minimum(source.astype(np.int64), size - 1)
        t = np.clip(source - first, 0, 1).astype(char)
        weights, taps = (1 - t, t), [first, first + 1]
    return Table(size, np.clip(taps, 0, size - 1), np.array(weights))


def _triangle(distance: Any) -> Any:
    return np.maximum(1 - np.abs(distance), 0)


def _keys(distance: Any) -> Any:
    """The cubic of Keys with a = -0.5, which is PyTorch's choice where it smooths."""
    x = np.abs(distance)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


@lru_cache(maxsize=256)
def _smooth_table(
    mode: str, size: int, out: int, factor: float | None, align_corners: bool, char: str
) -> Table:
    """The table of a mode with antialias: where images shrink, the weights reach further."""
    if align_corners:
        step = (size - 1) / (out - 1) if out > 1 else 0.0
    else:
        step = 1.0 / factor if factor else size / out
    stretch = max(step, 1.0)
    reach, weigh = (2, _keys) if mode == "bicubic" else (1, _triangle)
    centres = step * (np.arange(out) + 0.5)
    first = np.maximum((centres - reach * stretch + 0.5).astype(np.int64), 0)
    end = np.minimum((centres + reach * stretch + 0.5).astype(np.int64), size)
    taps = first + np.arange((end - first).max())[:, None]
    weights = np.where(taps < end, weigh((taps - centres + 0.5) / stretch), 0)
    return Table(size, np.minimum(taps, size - 1), (weights / weights.sum(axis=0)).astype(char))


def _output_sizes(
    sizes: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The sizes to give, and the factors to compute places by if they are not the ratios of sizes."""
    dims = len(sizes)
    if (size is None) == (scale_factor is None):
        which = "either" if size is None else "only one of"
        raise ValueError(f"interpolate: {which} size or scale_factor should be defined")
    name, given = ("size", size) if scale_factor is None else ("scale_factor", scale_factor)
    values = tuple(given) if isinstance(given, Sequence) else (given,) * dims
    if len(values) != dims:
        raise ValueError(
            f"interpolate: Input and {name} must have the same number of spatial dimensions, but got "
            f"spatial dimensions of {sizes} and {name} {values}"
        )
    if scale_factor is None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor is not meaningful with an explicit size.")
        return tuple([n.__index__() for n in values]), (None,) * dims
    if recompute:
        return tuple([floor(n * factor) for n, factor in zip(sizes, values)]), (None,) * dims
    return tuple([int(n * factor) for n, factor in zip(sizes, values)]), values


def interpolate(
    input: Operand,
    size: SupportsIndex | Sequence[SupportsIndex] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Node:
    """The input with one to three last dimensions made larger or smaller.

    input: (N, C, L), (N, C, H, W) or (N, C, D, H, W). size or scale_factor: the sizes to give, or what to
    multiply them by; a number, or one for each dimension. mode: "nearest", "nearest-exact", "area",
    and according to the number of dimensions "linear", "bilinear", "bicubic" or "trilinear".
    align_corners: the centres of the corner elements stay in place, not the corners.
    recompute_scale_factor: compute the factor anew from the sizes. antialias: with "bilinear" and
    "bicubic", smooth what is made smaller. Raises ValueError for arguments that contradict each other,
    RuntimeError for sizes of 0, NotImplementedError for a mode that is not for so many dimensions.

    >>> interpolate(np.array([[[1.0, 2.0]]]), scale_factor=2).data
    array([[[1., 1., 2., 2.]]])
    """
    x = as_node(input)
    dims = x.ndim - 2
    if mode in ("nearest", "nearest-exact", "area") and align_corners is not None:
        raise ValueError(
            "interpolate: align_corners option can only be set with the interpolating modes: "
            "linear | bilinear | bicubic | trilinear"
        )
    outs, factors = _output_sizes(
        x.shape[2:], size, scale_factor, bool(recompute_scale_factor) or (mode == "area" and size is None)
    )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError("interpolate: antialias is only for the modes bilinear and bicubic")
    if mode not in _DIMS or dims not in _DIMS[mode]:
        raise NotImplementedError(f"interpolate: mode {mode!r} is not for an input of shape {x.shape}")
    if mode == "area":
        return _AREA[dims](x, outs)
    if min(*x.shape[1:], *outs) <= 0:
        raise RuntimeError(
            f"interpolate: Input and output sizes should be greater than 0, but got input of shape {x.shape} "
            f"and output {outs}"
        )
    if x.dtype.kind != "f" and not (x.dtype == np.uint8 and mode.startswith("nearest")):
        raise NotImplementedError(f"interpolate: not implemented for {x.dtype}")
    repeats = [out // n for n, out in zip(x.shape[2:], outs)]
    if (
        mode == "nearest"
        and x.dtype.kind == "f"
        and all(out == n * r and f in (None, r) for n, out, r, f in zip(x.shape[2:], outs, repeats, factors))
    ):  # the transpose of the sums of windows
        spans = tuple([Span(out, n, r, r) for n, out, r in zip(x.shape[2:], outs, repeats)])
        return apply(avg_unpool_op, (x,), (spans, 1))
    char = "d" if x.dtype == np.float64 else "f"
    table = _smooth_table if antialias else _table
    tables = [
        table(mode, n, out, factor, bool(align_corners), char)
        for n, out, factor in zip(x.shape[2:], outs, factors)
    ]
    return apply(resample_op, (x,), (tables,))


def upsample(
    input: Operand,
    size: SupportsIndex | Sequence[SupportsIndex] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Node:
    """`interpolate` under its old name.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     upsample(np.array([[[1.0, 2.0]]]), 3).data
    array([[[1., 1., 2.]]])
    """
    warn_user("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Operand,
    size: SupportsIndex | Sequence[SupportsIndex] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Node:
    """`interpolate` with mode "nearest" under its old name.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     upsample_nearest(np.array([[[1.0, 2.0]]]), 3).data
    array([[[1., 1., 2.]]])
    """
    warn_user("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor)


def upsample_bilinear(
    input: Operand,
    size: SupportsIndex | Sequence[SupportsIndex] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Node:
    """`interpolate` with mode "bilinear" and align_corners under its old name.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     upsample_bilinear(np.array([[[[1.0, 2.0]]]]), (1, 3)).data
    array([[[[1. , 1.5, 2. ]]]])
    """
    warn_user("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, "bilinear", True)

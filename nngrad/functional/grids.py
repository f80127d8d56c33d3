"""Images sampled at given places, and the places of affine maps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final, SupportsIndex

import numpy as np

from .batch import all_examples, as_array
from .choice import where
from .elementary import select, silent
from .grid_places import folded, sampled_op, whole_places
from .interpolation import cubic_weights
from .matrix import matmul
from .node import Node, Operand, as_node, constant, seal
from .op import apply
from .order import transpose
from .planes import gather_op
from .shape import reshape
from .splitting import unbind
from .warn import warn_user

_MODES: Final = ("bilinear", "nearest", "bicubic")
_PADDINGS: Final = ("zeros", "border", "reflection")


def _told_corners(op: str, align_corners: bool | None) -> bool:
    if align_corners is None:
        warn_user(
            f"Default {op} behavior is align_corners=False, as since PyTorch 1.3.0. "
            "Please specify align_corners=True if the old behavior is desired."
        )
    return bool(align_corners)


# ---------------------------------------------------------------- where to look


@silent
def _source(coordinate: Node, size: int, padding: str, align_corners: bool) -> Node:
    """Places between -1 and 1 as places among the elements of a dimension."""
    places = (coordinate + 1) * ((size - 1) / 2) if align_corners else ((coordinate + 1) * size - 1) * 0.5
    if padding == "zeros":
        return places
    value, slope = folded(places._value, size, padding, align_corners)
    moved = places * seal(slope.astype(places.dtype))
    return moved + seal(as_array(value - moved._value, places.dtype))


def _look_up(x: Node, places: Sequence[Any]) -> Node:
    """The elements at whole places, one array of them per dimension: (N, C, *out); 0 outside."""
    sizes = x.shape[2:]
    inside: Any = np.ones(places[0].shape, np.bool_)
    flat: Any = np.zeros(places[0].shape, np.int64)
    for n, at in zip(sizes, places):
        inside = inside & (at >= 0) & (at < n)
        flat = flat * n + np.clip(at, 0, n - 1)
    shape = (*x.shape[:2], *places[0].shape[1:])
    found = apply(gather_op, (x, seal(np.copy(np.broadcast_to(flat[:, None], shape)))), (len(sizes),))
    if all_examples(inside).all():
        return found
    return apply(select, (found, seal(np.copy(np.broadcast_to(inside[:, None], shape)))))


# ---------------------------------------------------------------- sampling


def _per_channel(weight: Node) -> Node:
    return reshape(weight, (weight.shape[0], 1, *weight.shape[1:]))


def _cubic(x: Node, sources: Sequence[Node], padding: str, align_corners: bool) -> Node:
    floors = [np.floor(source._value) for source in sources]
    weights = [cubic_weights(source - seal(low)) for source, low in zip(sources, floors)]
    total: Any = None
    for i, j in product(range(4), repeat=2):
        places = [
            whole_places(np.rint(folded(low + step - 1, n, padding, align_corners)[0]))
            for low, step, n in zip(floors, (i, j), x.shape[2:])
        ]
        part = _look_up(x, places) * _per_channel(weights[0][i] * weights[1][j])
        total = part if total is None else total + part
    return total  # type: ignore[no-any-return]  # a node after 16 turns


@silent
def grid_sample(
    input: Operand,
    grid: Operand,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Node:
    """The input at the places of `grid`.

    input: (N, C, H, W) with a grid (N, OH, OW, 2), or (N, C, D, H, W) with one (N, OD, OH, OW, 3);
    result: (N, C, OH, OW) or (N, C, OD, OH, OW). grid: x, y (and z) of each result, -1 and 1 being
    the edges of the input; NaN counts as -1. mode: "bilinear" (in three dimensions trilinear),
    "nearest", or in two dimensions "bicubic". padding_mode: outside there are "zeros", the "border", or
    the "reflection" of the inside. align_corners: -1 and 1 are the centres of the corner elements,
    not the corners; warns if it is not given. Raises RuntimeError for shapes and dtypes that do not
    fit, ValueError for another mode.

    >>> image, centre = np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), np.zeros((1, 1, 1, 2))
    >>> grid_sample(image, centre, align_corners=False).data
    array([[[[2.5]]]])
    """
    x, at = as_node(input), as_node(grid)
    corners = _told_corners("grid_sample", align_corners)
    if mode not in _MODES:
        raise ValueError(f"grid_sample: expected mode to be one of {_MODES}, but got {mode!r}")
    if padding_mode not in _PADDINGS:
        raise ValueError(
            f"grid_sample: expected padding_mode to be one of {_PADDINGS}, but got {padding_mode!r}"
        )
    _check_grid(x, at, mode)
    sizes = x.shape[2:]
    finite = np.isfinite(at._value)
    if not all_examples(finite).all():
        at = where(seal(finite), at, seal(np.nan_to_num(at._value, nan=-1, posinf=1e3, neginf=-1e3)))
    if mode == "bicubic":
        sources = [_source(c, n, "zeros", corners) for c, n in zip(reversed(unbind(at, -1)), sizes)]
        return _cubic(x, sources, padding_mode, corners)
    return apply(sampled_op, (x, at), (mode, padding_mode, corners))


def _check_grid(x: Node, at: Node, mode: str) -> None:
    told = f"input of shape {x.shape} and grid of shape {at.shape}"
    if x.dtype != at.dtype or x.dtype.kind != "f":
        raise RuntimeError(
            f"grid_sample: input and grid must have one floating dtype, got {x.dtype} and {at.dtype}"
        )
    if x.ndim not in (4, 5) or at.ndim != x.ndim:
        raise RuntimeError(f"grid_sample: expected input and grid to be both 4D or both 5D, got {told}")
    if mode == "bicubic" and x.ndim == 5:
        raise RuntimeError(f"grid_sample: bicubic interpolation only supports 4D input, got {told}")
    if at.shape[0] != x.shape[0] or at.shape[-1] != x.ndim - 2:
        raise RuntimeError(
            f"grid_sample: expected a grid of the input's batch, with {x.ndim - 2} in its last dimension, "
            f"got {told}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(f"grid_sample: expected input to have non-empty spatial dimensions, got {told}")


# ---------------------------------------------------------------- affine maps


def affine_grid(theta: Operand, size: Sequence[SupportsIndex], align_corners: bool | None = None) -> Node:
    """The grid for `grid_sample` of affine maps: for each result, where it comes from.

    theta: (N, 2, 3) for images or (N, 3, 4) for volumes. size: the sizes of the result, (N, C, H, W) or
    (N, C, D, H, W). Result: (N, H, W, 2) or (N, D, H, W, 3). align_corners: as in `grid_sample`. Raises
    ValueError for sizes that are not positive and shapes that do not fit, and for integers.

    >>> affine_grid(np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2), False).data
    array([[[[-0.5,  0. ],
             [ 0.5,  0. ]]]])
    """
    maps = as_node(theta)
    sizes = tuple([n.__index__() for n in size])
    if maps.dtype.kind != "f":
        raise ValueError(f"affine_grid: expected theta to have floating point type, but got {maps.dtype}")
    corners = _told_corners("affine_grid", align_corners)
    dims = len(sizes) - 2
    if dims not in (1, 2, 3):
        raise NotImplementedError(f"affine_grid: only supports 4D and 5D sizes, got {sizes}")
    if maps.ndim != 3 or maps.shape[1:] != (dims, dims + 1) or min(sizes) <= 0:
        raise ValueError(
            f"affine_grid: expected a batch of {dims}x{dims + 1} affine matrices for positive sizes {sizes}, "
            f"got shape {maps.shape}"
        )
    if maps.shape[0] != sizes[0]:
        raise RuntimeError(f"affine_grid: theta of shape {maps.shape} is not for a batch of {sizes[0]}")
    axes = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in sizes[2:]]
    if not corners:
        axes = [axis * (n - 1) / n for axis, n in zip(axes, sizes[2:])]
    places = [*reversed(np.meshgrid(*axes, indexing="ij")), np.ones(sizes[2:])]
    base = np.stack(places, -1).reshape(-1, dims + 1).astype(maps.dtype)
    return reshape(matmul(constant(base), transpose(maps, 1, 2)), (sizes[0], *sizes[2:], dims))

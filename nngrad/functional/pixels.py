"""Channels made pixels and back: the same elements in another order."""

from __future__ import annotations

from .node import Node, Operand, as_node
from .order import permute
from .shape import reshape


def pixel_shuffle(input: Operand, upscale_factor: int) -> Node:
    """Each r x r channels as one that is r times as high and as wide, r being upscale_factor.

    input: (*, C * r * r, H, W). Result: (*, C, H * r, W * r). Raises RuntimeError for fewer than 3
    dimensions, a factor that is not positive, and channels that it does not divide.

    >>> pixel_shuffle(np.arange(4.0).reshape(4, 1, 1), 2).data
    array([[[0., 1.],
            [2., 3.]]])
    """
    x, r = as_node(input), upscale_factor
    if x.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle: expected input to have at least 3 dimensions, got shape {x.shape}"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle: expected a positive upscale_factor, but got {r}")
    *lead, channels, height, width = x.shape
    if channels % (r * r):
        raise RuntimeError(
            f"pixel_shuffle: expected channels to be divisible by the square of upscale_factor, "
            f"but {channels} is not divisible by {r * r} (shape {x.shape})"
        )
    n = len(lead)
    split = reshape(x, (*lead, channels // (r * r), r, r, height, width))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return reshape(permute(split, order), (*lead, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Operand, downscale_factor: int) -> Node:
    """The inverse of `pixel_shuffle`: each r x r pixels as channels, r being downscale_factor.

    input: (*, C, H * r, W * r). Result: (*, C * r * r, H, W). Raises RuntimeError for fewer than 3
    dimensions, a factor that is not positive, and sizes that it does not divide.

    >>> pixel_unshuffle(np.arange(4.0).reshape(1, 2, 2), 2).data.ravel()
    array([0., 1., 2., 3.])
    """
    x, r = as_node(input), downscale_factor
    if x.ndim < 3:
        raise RuntimeError(
            f"pixel_unshuffle: expected input to have at least 3 dimensions, got shape {x.shape}"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle: expected a positive downscale_factor, but got {r}")
    *lead, channels, height, width = x.shape
    if height % r or width % r:
        raise RuntimeError(
            f"pixel_unshuffle: expected height and width to be divisible by downscale_factor {r}, "
            f"got shape {x.shape}"
        )
    n = len(lead)
    split = reshape(x, (*lead, channels, height // r, r, width // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return reshape(permute(split, order), (*lead, channels * r * r, height // r, width // r))


def channel_shuffle(input: Operand, groups: int) -> Node:
    """The channels dealt out anew: the first of each group, the second of each, and so on.

    input: (N, C, *). Raises RuntimeError for fewer than 3 dimensions, and for groups that are not
    positive or do not divide the channels.

    >>> channel_shuffle(np.arange(4.0).reshape(1, 4, 1), 2).data.ravel()
    array([0., 2., 1., 3.])
    """
    x = as_node(input)
    if x.ndim < 3:
        raise RuntimeError(f"channel_shuffle: expected input with > 2 dims, got shape {x.shape}")
    if groups <= 0:
        raise RuntimeError(
            f"channel_shuffle: number of groups to divide channels in must be positive, got {groups}"
        )
    batch, channels, *rest = x.shape
    if channels % groups:
        raise RuntimeError(
            f"channel_shuffle: number of channels must be divisible by groups, got {channels} and {groups} "
            f"(shape {x.shape})"
        )
    split = reshape(x, (batch, groups, channels // groups, *rest))
    return reshape(permute(split, (0, 2, 1, *range(3, split.ndim))), x.shape)

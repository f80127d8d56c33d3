"""Distances and likeness of vectors."""

from __future__ import annotations

import numpy as np

from .arithmetic import add, div, mul, sub
from .dtypes import wide
from .elementary import abs
from .indexing import getitem
from .loss import check_broadcast
from .losses import floor_op
from .node import Node, Operand
from .norms import p_norm
from .op import apply, cast, floating, promote
from .reduction import sum
from .repeating import broadcast_tensors
from .shape import normal_dim, reshape


def _pair(op: str, x1: Operand, x2: Operand) -> tuple[Node, Node]:
    a, b = promote(op, x1, x2)
    check_broadcast(op, a, b)
    return a, b


def cosine_similarity(x1: Operand, x2: Operand, dim: int = 1, eps: float = 1e-8) -> Node:
    """The cosine of the angle between vectors along `dim`: their product over their lengths.

    The two broadcast together; a length below `eps` counts as eps. Raises RuntimeError for integers
    or shapes that do not broadcast, IndexError for a dimension out of range.

    >>> cosine_similarity(np.array([3.0, 4.0]), np.array([3.0, 0.0]), 0).data
    array(0.6)
    """
    a, b = broadcast_tensors(*_pair("cosine_similarity", x1, x2))
    floating("cosine_similarity", a)
    at = normal_dim("cosine_similarity", dim, a.ndim)
    if not a.ndim:
        a, b = reshape(a, (1,)), reshape(b, (1,))
    dtype = a._value.dtype
    a, b = cast(a, wide(dtype)), cast(b, wide(dtype))
    units = [div(x, apply(floor_op, (p_norm(x, 2, (at,), True),), (eps,))) for x in (a, b)]
    return cast(sum(mul(*units), at), dtype)


def pairwise_distance(
    x1: Operand, x2: Operand, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Node:
    """The p-norm of `x1 - x2 + eps` along the last dimension.

    The two broadcast together; keepdim: the last dimension stays, with size 1. Raises RuntimeError
    for shapes that do not broadcast.

    >>> pairwise_distance(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]]), eps=0.0).data
    array([5.])
    """
    difference = add(sub(*_pair("pairwise_distance", x1, x2)), eps)
    if not difference.ndim:
        difference = reshape(difference, (1,))
    if difference.dtype.kind == "c":
        difference = abs(difference)
    return p_norm(difference, p, (difference.ndim - 1,), keepdim)


def pdist(input: Operand, p: float = 2.0) -> Node:
    """The p-norm between each two rows of a matrix, (N, M) to (N * (N - 1) / 2,).

    In the order (0, 1), (0, 2), ..., (1, 2), ... Raises RuntimeError for other ranks, integers and a
    negative p.

    >>> pdist(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])).data
    array([5.        , 1.        , 4.24264069])
    """
    x = floating("pdist", input)
    if x.ndim != 2:
        raise RuntimeError(f"pdist: only supports 2D tensors, got shape {x.shape}")
    if p < 0:
        raise RuntimeError(f"pdist: only supports non-negative p values, got {p}")
    first, second = np.triu_indices(x.shape[0], 1)
    difference = sub(getitem(x, first), getitem(x, second))
    if not x.shape[1]:
        return sum(difference, 1)
    return p_norm(difference, p, (1,))

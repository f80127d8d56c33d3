"""Distances and likeness of vectors."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from .aggregation import widened
from .arithmetic import add, div, mul, sub
from .dtypes import wide
from .indexing import getitem
from .loss import check_broadcast
from .losses import floor_op
from .node import Node, Operand
from .op import apply, astype, cast, floating, general, promote
from .reduction import sum
from .repeating import broadcast_tensors
from .shape import normal_dim, reshape, squeeze


@widened
def _norm(x: Any, p: float, dim: int) -> Any:
    size = np.absolute(x)
    if p == 0:
        return np.sum(np.not_equal(x, 0), axis=dim, keepdims=True).astype(x.dtype)
    if p == 1:
        return np.sum(size, axis=dim, keepdims=True)
    if p == 2:
        return np.sqrt(np.sum(np.multiply(x, x), axis=dim, keepdims=True))
    if math.isinf(p):
        return (np.max if p > 0 else np.min)(size, axis=dim, keepdims=True)
    return np.power(np.sum(np.power(size, p), axis=dim, keepdims=True), 1 / p)


def _norm_rule(g: Any, out: Any, x: Any, p: float, dim: int) -> Any:
    """No gradient where the norm is 0, as in PyTorch."""
    if p == 0:
        return np.zeros_like(x)
    if p == 1:
        return np.multiply(g, np.sign(x))
    if math.isinf(p):  # shared by those that tie
        largest = astype(np.equal(np.absolute(x), out), x.dtype)
        count = np.sum(largest, axis=dim, keepdims=True)
        return np.multiply(np.divide(g, count), np.multiply(largest, np.sign(x)))
    zero = np.equal(out, 0)
    ratio = np.divide(x, np.where(zero, np.ones((), x.dtype), out))
    if p != 2:
        still = np.equal(x, 0)
        size = np.power(np.where(still, np.ones((), x.dtype), np.absolute(ratio)), p - 1)
        ratio = np.multiply(np.sign(x), size)
    return np.multiply(g, ratio)


#: the p-norm along one dimension, which stays with size 1
_norm_op: Final = general("p_norm", _norm, _norm_rule)


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
    if a._value.dtype.kind != "f":
        raise RuntimeError(f"cosine_similarity: expected floating-point values, got {a.dtype}")
    at = normal_dim("cosine_similarity", dim, a.ndim)
    if not a.ndim:
        a, b = reshape(a, (1,)), reshape(b, (1,))
    dtype = a._value.dtype
    a, b = cast(a, wide(dtype)), cast(b, wide(dtype))
    units = [div(x, apply(floor_op, (apply(_norm_op, (x,), (2, at)),), (eps,))) for x in (a, b)]
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
    distance = apply(_norm_op, (difference,), (p, difference.ndim - 1))
    return distance if keepdim else squeeze(distance, -1)


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
    return squeeze(apply(_norm_op, (difference,), (p, 1)), 1)

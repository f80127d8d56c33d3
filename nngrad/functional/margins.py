"""Losses of rankings, classes and embeddings that ask for a margin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arithmetic import add, div, mul, neg, sub
from .batch import all_examples
from .blending import clamp_min
from .choice import masked_fill, minimum, where
from .distance import pairwise_distance
from .dtypes import Array
from .elementary import relu, sqrt
from .indexing import getitem
from .loss import Reduction, check_broadcast, check_reduction, reduce_loss
from .losses import binary_logits_op
from .node import Node, Operand, as_node
from .op import floating, scalar
from .reduction import sum
from .shape import reshape, unsqueeze


def hinge_embedding_loss(
    input: Operand, target: Operand, margin: float = 1.0, *, reduction: Reduction = "mean"
) -> Node:
    """`input` where the target is 1, `max(0, margin - input)` where it is -1.

    >>> hinge_embedding_loss(np.array([0.5, 0.5]), np.array([1, -1]), reduction="none").data
    array([0.5, 0.5])
    """
    x, t = as_node(input), as_node(target)
    check_broadcast("hinge_embedding_loss", x, t)
    zero = scalar(0.0, x.dtype)
    apart = where(t != 1, clamp_min(sub(margin, x), 0.0), zero)
    return reduce_loss("hinge_embedding_loss", add(apart, where(t != -1, x, zero)), reduction)


def margin_ranking_loss(
    input1: Operand, input2: Operand, target: Operand, margin: float = 0.0, *, reduction: Reduction = "mean"
) -> Node:
    """`max(0, margin - target * (input1 - input2))`: a target of 1 wants the first one larger, -1 smaller.

    Raises RuntimeError unless all three have the same number of dimensions and broadcast.

    >>> margin_ranking_loss(np.array([1.0]), np.array([3.0]), np.array([1.0])).item()
    2.0
    """
    a, b, t = as_node(input1), as_node(input2), as_node(target)
    _same_ndim("margin_ranking_loss", input1=a, input2=b, target=t)
    check_broadcast("margin_ranking_loss", a, b, t)
    losses = clamp_min(add(mul(neg(t), sub(a, b)), margin), 0.0)
    return reduce_loss("margin_ranking_loss", losses, reduction)


def _same_ndim(op: str, **operands: Node) -> None:
    if len({x.ndim for x in operands.values()}) > 1:
        told = ", ".join([f"{name} {x.shape}" for name, x in operands.items()])
        raise RuntimeError(f"{op}: expected operands of the same number of dimensions, got {told}")


def cosine_embedding_loss(
    input1: Operand, input2: Operand, target: Operand, margin: float = 0.0, *, reduction: Reduction = "mean"
) -> Node:
    """1 less the cosine where the target is 1, `max(0, cosine - margin)` where it is -1.

    input1, input2: (N, D) with a target (N,), or (D,) with a target (). Raises RuntimeError for
    other shapes.

    >>> cosine_embedding_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array(1)).item()
    1.0
    """
    op = "cosine_embedding_loss"
    a, b, t = as_node(input1), as_node(input2), as_node(target)
    if t.ndim > 1:
        raise RuntimeError(f"{op}: 0D or 1D target tensor expected, multi-target not supported: {t.shape}")
    if not a.ndim == b.ndim == t.ndim + 1:
        raise RuntimeError(
            f"{op}: {t.ndim}D target tensor expects {t.ndim + 1}D input tensors, but found inputs with "
            f"sizes {a.shape} and {b.shape}"
        )
    check_broadcast(op, a, b)
    tiny = 1e-12
    squares = mul(add(sum(mul(a, a), -1), tiny), add(sum(mul(b, b), -1), tiny))
    cosine = div(sum(mul(a, b), -1), sqrt(squares))
    zero = scalar(0.0, cosine.dtype)
    losses = add(
        where(t == 1, sub(1.0, cosine), zero), where(t == -1, clamp_min(sub(cosine, margin), 0.0), zero)
    )
    return reduce_loss(op, losses, reduction)


def soft_margin_loss(input: Operand, target: Operand, *, reduction: Reduction = "mean") -> Node:
    """`log(1 + exp(-target * input))` for targets of 1 and -1, exact for large inputs.

    >>> soft_margin_loss(np.array([1000.0]), np.array([-1.0])).item()
    1000.0
    """
    x, t = as_node(input), as_node(target)
    check_broadcast("soft_margin_loss", x, t)
    product = mul(x, t)
    losses = binary_logits_op.call(product, scalar(1.0, product.dtype))
    return reduce_loss("soft_margin_loss", losses, reduction)


def multilabel_soft_margin_loss(
    input: Operand, target: Operand, weight: Operand | None = None, *, reduction: Reduction = "mean"
) -> Node:
    """The binary cross entropy of logits, averaged over the classes: (N, C) to (N,), then reduced.

    weight: one factor per class.

    >>> multilabel_soft_margin_loss(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])).item()
    0.6931471805599453
    """
    op = "multilabel_soft_margin_loss"
    x, t = as_node(input), as_node(target)
    check_reduction(op, reduction)
    check_broadcast(op, x, t)
    losses = binary_logits_op.call(x, t)
    if weight is not None:
        w = as_node(weight)
        check_broadcast(op, losses, w)
        losses = mul(losses, w)
    return reduce_loss(op, div(sum(losses, -1), x.shape[-1]), reduction)


# ---------------------------------------------------------------- one class, or several, against the others


def _batch(op: str, input: Operand) -> tuple[Node, bool]:
    """The input as (N, C), and whether it was one row."""
    x = floating(op, input)
    if x.ndim > 2 or (x.ndim and not x.shape[-1]):
        raise RuntimeError(f"{op}: Expected non-empty vector or matrix, got shape {x.shape}")
    return (x, False) if x.ndim == 2 else (reshape(x, (1, -1)), True)


def _reduce_rows(op: str, losses: Node, one: bool, reduction: str) -> Node:
    return reduce_loss(op, reshape(losses, ()) if one else losses, reduction)


def _wrong_target(op: str, target: Any, shape: tuple[int, ...]) -> RuntimeError:
    return RuntimeError(f"{op}: inconsistent target size {target.shape} for input of shape {shape}")


def multi_margin_loss(
    input: Operand,
    target: Operand,
    p: int = 1,
    margin: float = 1.0,
    weight: Operand | None = None,
    *,
    reduction: Reduction = "mean",
) -> Node:
    """The mean over the classes of `max(0, margin - x[target] + x[class]) ** p`, the target left out.

    input: (N, C) or (C,). target: class indices, (N,) or (). weight: one factor per class, that of the
    target counts. Raises ValueError for another p than 1 and 2, RuntimeError for shapes that do not fit
    and a class out of range.

    >>> multi_margin_loss(np.array([[0.0, 0.5]]), np.array([0])).item()
    0.75
    """
    op = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{op}: only p == 1 and p == 2 supported, got {p}")
    x, one = _batch(op, input)
    n, classes = x.shape
    indices = as_node(target)._value
    if indices.shape != (n,) and not (one and indices.size == 1):
        raise _wrong_target(op, indices, as_node(input).shape)
    indices = _class_indices(op, indices.reshape(-1), 0, classes)
    rows = np.arange(n)
    short = relu(add(sub(x, unsqueeze(getitem(x, (rows, indices)), 1)), margin))
    if p == 2:
        short = mul(short, short)
    if weight is not None:
        w = as_node(weight)
        if w.ndim != 1:
            raise ValueError(f"{op}: weight must be one-dimensional, got shape {w.shape}")
        if w.shape != (classes,):
            raise RuntimeError(f"{op}: inconsistent weight size {w.shape} for {classes} classes")
        short = mul(short, unsqueeze(getitem(w, indices), 1))
    short = masked_fill(short, indices[:, None] == np.arange(classes), 0.0)
    return _reduce_rows(op, div(sum(short, 1), classes), one, reduction)


def _class_indices(op: str, indices: Array, lowest: int, classes: int) -> Array:
    if indices.dtype.kind not in "iu":
        raise RuntimeError(f"{op}: expected integer class indices, got {indices.dtype}")
    every = all_examples(indices)
    if every.size and (every.min() < lowest or every.max() >= classes):
        raise RuntimeError(f"{op}: target out of range for {classes} classes")
    return indices


def multilabel_margin_loss(input: Operand, target: Operand, *, reduction: Reduction = "mean") -> Node:
    """The sum of `max(0, 1 - x[target] + x[class])` over targets and other classes, over their number.

    input: (N, C) or (C,). target: of that shape, each row begins with the indices of its targets, which
    end at the first -1. Raises RuntimeError for another shape and a class out of range.

    >>> multilabel_margin_loss(np.array([0.5, 0.25]), np.array([1, -1])).item()
    0.625
    """
    op = "multilabel_margin_loss"
    x, one = _batch(op, input)
    n, classes = x.shape
    indices = as_node(target)._value
    if indices.shape != as_node(input).shape:
        raise _wrong_target(op, indices, as_node(input).shape)
    indices = _class_indices(op, indices.reshape(n, classes), -1, classes)
    given = np.logical_and.accumulate(indices >= 0, axis=1)
    longest = int(all_examples(given.sum(1)).max(initial=0))
    given, indices = given[:, :longest], np.where(given, indices, 0)[:, :longest]
    rows = np.arange(n)[:, None]
    is_target = ((indices[:, :, None] == np.arange(classes)) & given[:, :, None]).any(1)
    wanted = unsqueeze(getitem(x, (rows, indices)), 2)  # (n, targets, 1) against (n, 1, classes)
    short = relu(add(sub(unsqueeze(x, 1), wanted), 1.0))
    short = masked_fill(short, ~given[:, :, None] | is_target[:, None, :], 0.0)
    return _reduce_rows(op, div(sum(short, (1, 2)), classes), one, reduction)


# ---------------------------------------------------------------- triplets


def triplet_margin_loss(
    anchor: Operand,
    positive: Operand,
    negative: Operand,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: Reduction = "mean",
) -> Node:
    """`max(0, margin + d(anchor, positive) - d(anchor, negative))`, d being the pairwise distance.

    swap: the negative's distance is that to the positive, where this is nearer. Raises ValueError
    unless the margin is positive, RuntimeError for shapes that do not fit.

    >>> triplet_margin_loss(np.zeros((1, 1)), np.array([[3.0]]), np.array([[2.0]]), eps=0.0).item()
    2.0
    """

    def distance(a: Node, b: Node) -> Node:
        return pairwise_distance(a, b, p, eps)

    return _triplet("triplet_margin_loss", distance, anchor, positive, negative, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Operand,
    positive: Operand,
    negative: Operand,
    *,
    distance_function: Callable[[Node, Node], Node] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Node:
    """`triplet_margin_loss` with a distance of your own; `pairwise_distance` if there is none.

    >>> triplet_margin_with_distance_loss(
    ...     np.zeros(1), np.array([3.0]), np.array([2.0]), distance_function=lambda a, b: abs(a - b)
    ... ).item()
    2.0
    """
    return _triplet(
        "triplet_margin_with_distance_loss",
        pairwise_distance if distance_function is None else distance_function,
        anchor,
        positive,
        negative,
        margin,
        swap,
        reduction,
    )


def _triplet(
    op: str,
    distance: Callable[[Node, Node], Node],
    anchor: Operand,
    positive: Operand,
    negative: Operand,
    margin: float,
    swap: bool,
    reduction: str,
) -> Node:
    check_reduction(op, reduction)
    if margin <= 0:
        raise ValueError(f"{op}: margin must be greater than 0, got {margin}")
    a, pos, n = as_node(anchor), as_node(positive), as_node(negative)
    _same_ndim(op, anchor=a, positive=pos, negative=n)
    near, far = distance(a, pos), distance(a, n)
    if swap:
        far = minimum(far, distance(pos, n))
    return reduce_loss(op, clamp_min(sub(add(near, margin), far), 0.0), reduction)

"""The losses, with rules of their own where that takes fewer passes or is exact in the tails."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .arithmetic import mul, sub
from .node import Node, Operand, as_node, seal
from .op import apply, general, scalar
from .order import permute
from .reduction import mean, sum
from .shape import reshape
from .softmax import log_softmax, shifted, softmax_op
from .warn import warn_user

Reduction: TypeAlias = Literal["none", "mean", "sum"]


# ---------------------------------------------------------------- cross entropy


def reduce_loss(op: str, losses: Node, reduction: str) -> Node:
    """The mean or sum of elementwise losses, or the losses as they are."""
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"{op}: {reduction!r} is not a valid value for reduction")


@np.errstate(all="ignore")
def _nll_forward(x: Any, target: Any, weights: Any, summed: bool) -> tuple[Any, Any]:
    """x: logits (n, c); target: class indices (n,); weights: one per row, (n,), or one for all, ()."""
    s = shifted(x, 1)
    log_p = np.subtract(s, np.log(np.add.reduce(np.exp(s), axis=1, keepdims=True)))
    losses = np.negative(log_p[np.arange(len(target)), target])
    if weights.ndim:  # a row that does not count adds nothing, be its loss inf
        losses = np.where(weights == 0, np.zeros((), x.dtype), np.multiply(losses, weights))
        return (np.add.reduce(losses) if summed else losses), log_p
    return np.multiply(np.add.reduce(losses) if summed else losses, weights), log_p


def _nll_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    x, target, weights = inputs
    scaled = np.multiply(g, weights)
    if len(scaled.shape):
        scaled = np.expand_dims(scaled, 1) if saved is None else scaled[:, None]
    if saved is None:  # derivatives of this are wanted too: nothing in place, nothing cached
        classes = np.arange(x.shape[1])
        one_hot = np.equal(getattr(target, "_value", target)[:, None], classes).astype(x.dtype)
        return [np.multiply(np.subtract(softmax_op(x, 1), one_hot), scaled), None, None]
    gx = np.exp(saved)
    gx[np.arange(len(target)), target] -= 1
    gx *= scaled
    return [gx, None, None]


_nll: Final = general("cross_entropy", _nll_forward, vjp=_nll_vjp, saves=True, uses_out=False)


def cross_entropy(
    input: Operand,
    target: Operand,
    weight: Operand | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Node:
    """The cross entropy of logits against class indices or class probabilities.

    input: logits, (C,), (N, C) or (N, C, d1, ...). target: int64 class indices of shape (), (N,)
    or (N, d1, ...), those equal to `ignore_index` not counted; or probabilities of the input's
    shape. weight: one factor per class, (C,). The mean is weighted, as in PyTorch.
    Raises RuntimeError or ValueError for shapes that do not fit, IndexError for a class out of
    range.

    >>> cross_entropy(np.array([[0.0, 0.0]]), np.array([1])).item()
    0.6931471805599453
    """
    x, t = as_node(input), as_node(target)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"cross_entropy: expected floating-point logits, got {x.dtype}")
    if not x.ndim:
        raise RuntimeError("cross_entropy: expected logits with a dimension of classes, got a 0-d input")
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"cross_entropy: label_smoothing must be between 0 and 1, got {label_smoothing}")
    class_dim = 0 if x.ndim == 1 else 1
    classes = x.shape[class_dim]
    w = None if weight is None else as_node(weight)
    if w is not None and w.shape != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight must have shape ({classes},), one per class, got {w.shape}"
        )
    if t._value.dtype.kind == "f":
        return _soft_cross_entropy(x, t, w, class_dim, reduction, label_smoothing)
    expected = tuple([n for i, n in enumerate(x.shape) if i != class_dim])
    if t.shape != expected:
        if t.ndim == len(expected) and t.ndim and t.shape[0] != expected[0]:
            raise ValueError(
                f"cross_entropy: Expected input batch_size ({expected[0]}) to match target batch_size "
                f"({t.shape[0]}) (shapes {x.shape} and {t.shape})"
            )
        raise RuntimeError(
            f"cross_entropy: input of shape {x.shape} needs a target of shape {expected}, got {t.shape}"
        )
    if t._value.dtype.kind not in "iu":
        raise RuntimeError(f"cross_entropy: expected integer class indices or probabilities, got {t.dtype}")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"cross_entropy: {reduction!r} is not a valid value for reduction")
    rows = as_rows(x, class_dim)
    indices = t._value.reshape(-1)
    kept: Any = None  # which rows count; None for all
    if not indices.size or np.minimum.reduce(indices) < 0 or np.maximum.reduce(indices) >= classes:
        kept = indices != ignore_index
        wrong = kept & ((indices < 0) | (indices >= classes))
        if wrong.any():
            raise IndexError(
                f"cross_entropy: Target {indices[wrong][0]} is out of bounds for {classes} classes"
            )
    elif 0 <= ignore_index < classes:
        kept = indices != ignore_index
    summed = reduction != "none"
    if kept is None and w is None:
        weights = scalar(1 / indices.size if reduction == "mean" else 1.0, x.dtype)
    else:
        counted = np.ones(indices.shape, x.dtype) if kept is None else kept.astype(x.dtype)
        if kept is not None:
            indices = np.where(kept, indices, 0)
        if w is not None:
            counted *= w._value[indices]
        if reduction == "mean":
            with np.errstate(all="ignore"):
                counted /= counted.sum()
        weights = seal(counted)
    losses = apply(_nll, (rows, seal(indices), weights), (summed,))
    if label_smoothing:
        log_p = log_softmax(rows, 1)
        spread = sum(log_p if w is None else mul(log_p, w), 1)
        if kept is not None:
            spread = mul(spread, seal(kept.astype(x.dtype)))
        if reduction == "mean":  # by the weights of the targets, as PyTorch does
            total = indices.size if kept is None else np.count_nonzero(kept)
            if w is not None:
                total = (w._value[indices] * (1 if kept is None else kept)).sum()
            with np.errstate(all="ignore"):
                spread = mul(spread, seal(np.asarray(np.divide(1, total), x.dtype)))
        smooth = sum(spread) if summed else spread
        losses = sub(mul(losses, 1.0 - label_smoothing), mul(smooth, label_smoothing / classes))
    return losses if summed else reshape(losses, expected)


def as_rows(x: Node, class_dim: int) -> Node:
    """Logits as (rows, classes)."""
    if x.ndim == 2:
        return x
    order = [d for d in range(x.ndim) if d != class_dim]
    return reshape(permute(x, [*order, class_dim]), (-1, x.shape[class_dim]))


def _soft_cross_entropy(
    x: Node, t: Node, w: Node | None, class_dim: int, reduction: str, label_smoothing: float
) -> Node:
    if t.shape != x.shape:
        raise RuntimeError(f"cross_entropy: probabilities need the input's shape {x.shape}, got {t.shape}")
    if label_smoothing:
        t = mul(t, 1.0 - label_smoothing) + label_smoothing / x.shape[class_dim]
    log_p = log_softmax(x, class_dim)
    if w is not None:
        log_p = mul(log_p, reshape(w, [-1 if d == class_dim else 1 for d in range(x.ndim)]))
    losses = mul(sum(mul(log_p, t), class_dim), -1.0)
    if reduction == "mean":
        rows = x.size // x.shape[class_dim] if x.ndim > 1 else 1
        return mul(sum(losses), 1.0 / rows)
    return reduce_loss("cross_entropy", losses, reduction)


def warn_if_broadcast(op: str, input: Node, target: Node) -> None:
    """Warn where a loss would pair each prediction with every target."""
    if input.shape != target.shape:
        warn_user(
            f"{op}: the target of shape {target.shape} differs from the input of shape {input.shape}; "
            "they will be broadcast, which is rarely what is meant. Give them the same shape."
        )


def mse_loss(input: Operand, target: Operand, *, reduction: Reduction = "mean") -> Node:
    """The squared difference, averaged over all elements.

    Warns where the two shapes differ; raises RuntimeError where they do not broadcast.

    >>> mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])).data
    array(2.)
    """
    x, t = as_node(input), as_node(target)
    warn_if_broadcast("mse_loss", x, t)
    difference = sub(x, t)
    return reduce_loss("mse_loss", mul(difference, difference), reduction)

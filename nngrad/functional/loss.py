"""Cross entropy and negative log likelihood, each a rule of its own.

Many logits are worked on in blocks that stay in the processor's cache, and only the sum of each
row's exponentials is kept for their gradient.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .arithmetic import add, div, mul, neg, sub
from .batch import Batch, all_examples, as_array
from .blocks import BLOCK, over_blocks
from .choice import masked_fill
from .dtypes import DType
from .elementary import quiet, silent
from .indexing import getitem
from .node import Node, Operand, as_node, seal
from .op import apply, cast, forward_error, general, scalar
from .order import permute
from .reduction import mean, sum
from .rows import row_sums
from .shape import reshape
from .softmax import log_softmax, softmax_op

Reduction: TypeAlias = Literal["none", "mean", "sum"]
REDUCTIONS: Final = ("none", "mean", "sum")


def check_reduction(op: str, reduction: str) -> None:
    """Raise ValueError for what is no reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{op}: {reduction!r} is not a valid value for reduction")


def reduce_loss(op: str, losses: Node, reduction: str) -> Node:
    """The mean or sum of elementwise losses, or the losses as they are."""
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    check_reduction(op, reduction)
    return losses


def check_broadcast(op: str, *operands: Node) -> None:
    """Raise RuntimeError in the name of `op` where its operands do not broadcast."""
    shapes = [x._value.shape for x in operands]
    if len(set(shapes)) > 1:
        try:
            np.broadcast_shapes(*shapes)
        except ValueError as error:
            raise forward_error(op, error, [x._value for x in operands]) from None


# ---------------------------------------------------------------- the ops
# x: (rows, classes), or (classes, rows) with axis 0; target: one class per row;
# weights: one per row, or one for all, ()


def _weighted(losses: Any, weights: Any, summed: bool) -> Any:
    if weights.ndim:  # a row that does not count adds nothing, be its loss inf
        losses = np.where(weights == 0, np.zeros((), losses.dtype), np.multiply(losses, weights))
        return np.add.reduce(losses) if summed else losses
    return np.multiply(np.add.reduce(losses) if summed else losses, weights)


def _at(rows: Any, target: Any, axis: int) -> tuple[Any, Any]:
    """The index of each row's class."""
    return (rows, target) if axis else (target, rows)


def _one_hot(x: Any, target: Any, axis: int) -> Any:
    classes = np.expand_dims(np.arange(x.shape[axis]), 1 - axis)
    return np.equal(np.expand_dims(getattr(target, "_value", target), axis), classes).astype(x.dtype)


def _exps(x: Any, axis: int, top: Any = None, out: Any = None) -> tuple[Any, Any]:
    """exp(x - top) and top: the largest logit of each row, or None if exp(x) is as safe.

    The exponentials of moderate logits neither overflow nor vanish, and have no rounding of a
    difference in them; to look for the largest of each row takes twice as long as all the rest.
    """
    if top is None and isinstance(x, np.ndarray) and x.size:
        limit = 40 if x.itemsize == 4 else 300
        if x.max() <= limit and x.min() >= -limit:
            return np.exp(x, out=out), None
    if top is None:
        top = np.maximum.reduce(x, axis=axis, keepdims=True)
    if isinstance(x, np.ndarray):
        out = np.subtract(x, top, out=out)
        return np.exp(out, out=out), top
    return np.exp(np.subtract(x, top)), top


def _row_losses(x: Any, target: Any, axis: int) -> tuple[Any, Any, Any, Any]:
    """The losses of some rows, and for their gradient exp(x - top), the sums of each row, top."""
    e, top = _exps(x, axis)
    total = row_sums(e) if axis and isinstance(e, np.ndarray) else np.sum(e, axis=axis)
    at = _at(np.arange(len(target)), target, axis)
    if top is None:
        return np.log(np.divide(total, e[at])), e, total, None
    return np.subtract(np.log(total), np.subtract(x[at], np.squeeze(top, axis))), e, total, top


@silent
def _cross_entropy_forward(x: Any, target: Any, weights: Any, summed: bool, axis: int) -> tuple[Any, Any]:
    n = len(target)
    if not isinstance(x, np.ndarray) or x.nbytes <= BLOCK:
        losses, *saved = _row_losses(x, target, axis)
        return _weighted(losses, weights, summed), saved
    losses, total = np.empty(n, x.dtype), np.empty(n, x.dtype)
    tops: dict[int, Any] = {}  # by the first row of each block

    def work(blocks: list[slice]) -> None:
        for rows in blocks:
            part = x[rows] if axis else x[:, rows]
            losses[rows], _, total[rows], tops[rows.start] = _row_losses(part, target[rows], axis)

    over_blocks(work, n, x.nbytes // n)
    return _weighted(losses, weights, summed), (None, total, tops)


def _cross_entropy_vjp(
    g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]
) -> tuple[Any, ...]:
    x, target, weights = inputs
    axis = params[1]
    scaled = np.multiply(g, weights)
    if saved is None:  # derivatives of this are wanted too: nothing in place, nothing cached
        if len(scaled.shape):
            scaled = np.expand_dims(scaled, axis)
        return np.multiply(np.subtract(softmax_op(x, axis), _one_hot(x, target, axis)), scaled), None, None
    e, total, tops = saved
    factor = np.divide(scaled, total)
    if axis:
        factor = factor[:, None]
    if e is not None:
        gx = np.multiply(e, factor)
        gx[_at(np.arange(len(target)), target, axis)] -= scaled
        return gx, None, None
    gx = np.empty_like(x)

    def work(blocks: list[slice]) -> None:
        for rows in blocks:
            at = rows if axis else (slice(None), rows)
            part, hit = gx[at], target[rows]
            if tops[rows.start] is None:
                np.exp(x[at], out=part)
            else:
                _exps(x[at], axis, tops[rows.start], part)
            part *= factor[rows]
            part[_at(np.arange(len(hit)), hit, axis)] -= scaled[rows] if scaled.ndim else scaled

    over_blocks(work, len(target), x.nbytes // len(target))
    return gx, None, None


_cross_entropy: Final = general(
    "cross_entropy", _cross_entropy_forward, vjp=_cross_entropy_vjp, saves=True, uses_out=False
)


def _cross_entropy_jvp(given: list[Any], _: Any, inputs: list[Any], params: Any) -> Any:
    x, target, weights = inputs
    summed, axis = params
    slope = np.subtract(softmax_op(x, axis), _one_hot(x, target, axis))
    rows = np.multiply(np.sum(np.multiply(slope, given[0]), axis=axis), weights)
    return np.sum(rows) if summed else rows


_cross_entropy.jvp = _cross_entropy_jvp


@silent
def _nll_forward(x: Any, target: Any, weights: Any, summed: bool, axis: int) -> Any:
    losses = np.negative(x[_at(np.arange(len(target)), target, axis)])
    return _weighted(losses, weights, summed)


def _nll_rule(g: Any, _: Any, x: Any, target: Any, weights: Any, summed: bool, axis: int) -> Any:
    scaled = np.negative(np.multiply(g, weights))
    if type(g) is Node:
        if len(scaled.shape):
            scaled = np.expand_dims(scaled, axis)
        return np.multiply(_one_hot(x, target, axis), scaled)
    gx = np.zeros(x.shape, x.dtype)
    gx[_at(np.arange(len(target)), target, axis)] = scaled
    return gx


_nll: Final = general("nll_loss", _nll_forward, _nll_rule)


# ---------------------------------------------------------------- checking the operands


def _in_rows(x: Node) -> tuple[Node, int]:
    """The input as a matrix, and which of its dimensions has the classes."""
    if x.ndim == 2:
        return x, 1
    if x.ndim == 1:
        return reshape(x, (1, -1)), 1
    return reshape(permute(x, [1, 0, *range(2, x.ndim)]), (x.shape[1], -1 if x.size else 0)), 0


def _weight_per_class(op: str, weight: Operand, classes: int, dtype: DType) -> Node:
    w = as_node(weight)
    if w.shape != (classes,):
        raise RuntimeError(f"{op}: weight must have shape ({classes},), one per class, got {w.shape}")
    return cast(w, dtype)


def _indices(op: str, x: Node, t: Node) -> Any:
    """The class indices in one dimension, once their shape and dtype are right."""
    shape = x._value.shape
    expected = (shape[0], *shape[2:]) if len(shape) > 1 else ()
    i = t._value
    if i.shape != expected:
        if i.ndim and expected and i.shape[0] != expected[0]:
            raise ValueError(
                f"{op}: Expected input batch_size ({expected[0]}) to match target batch_size "
                f"({i.shape[0]}) (shapes {shape} and {i.shape})"
            )
        raise RuntimeError(
            f"{op}: input of shape {shape} needs a target of class indices of shape {expected}, got {i.shape}"
        )
    if i.dtype.kind not in "iu":
        raise RuntimeError(f"{op}: expected integer class indices, got {i.dtype}")
    return i if i.ndim == 1 else i.reshape(-1)


def _counted(op: str, indices: Any, classes: int, ignore_index: int) -> Any:
    """Which rows count; None for all. Raises IndexError for a class out of range."""
    if type(indices) is Batch:
        kept = _counted(op, all_examples(indices).reshape(-1), classes, ignore_index)
        return None if kept is None else indices != ignore_index
    if indices.dtype.kind == "i":  # the negative ones become the largest
        indices = indices.view(f"u{indices.dtype.itemsize}")
    if indices.size and np.maximum.reduce(indices) < classes and not 0 <= ignore_index < classes:
        return None
    indices = indices.view(f"i{indices.dtype.itemsize}")
    kept = indices != ignore_index
    wrong = kept & ((indices < 0) | (indices >= classes))
    if wrong.any():
        raise IndexError(f"{op}: Target {indices[wrong][0]} is out of bounds for {classes} classes")
    return kept


_quotient: Final = quiet(np.divide)  # of nothing by nothing, where no row counts


def _weights(indices: Any, kept: Any, w: Node | None, mean: bool, dtype: DType) -> tuple[Any, Node, Any]:
    """The indices, 0 where they do not count; the weight of each row or of all; the sum of them."""
    if not indices.size or (kept is None and w is None):
        size = indices.size or math.nan  # the mean of nothing is NaN
        return indices, scalar(1 / size if mean else 1.0, dtype), size
    counted = np.ones(indices.shape, dtype) if kept is None else kept.astype(dtype)
    if kept is not None:
        indices = np.where(kept, indices, 0)
    if w is not None:
        counted = counted * getitem(w, seal(indices))._value
    total = counted.sum()
    if mean:
        counted = _quotient(counted, total)
        if kept is not None:
            counted = np.where(kept, counted, np.zeros((), dtype))
    return indices, seal(counted), total


def _nan_of_none(losses: Node, total: Any) -> Node:
    """The mean where no row counts: NaN, with no gradient in any row, as PyTorch has it."""
    none = np.equal(total, 0)
    if not np.any(all_examples(none)):
        return losses
    return add(losses, seal(np.where(none, np.asarray(math.nan, losses.dtype), np.zeros((), losses.dtype))))


def nll_loss(
    input: Operand,
    target: Operand,
    weight: Operand | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Node:
    """The negative of the log probability of each target class.

    input: log probabilities, (C,), (N, C) or (N, C, d1, ...). target: class indices of shape (),
    (N,) or (N, d1, ...), those equal to `ignore_index` not counted. weight: one factor per class,
    (C,). The mean is weighted. Raises RuntimeError or ValueError for shapes that do not fit,
    IndexError for a class out of range.

    >>> nll_loss(np.array([[-0.5, -2.0], [-1.0, -3.0]]), np.array([0, 1])).item()
    1.75
    """
    x, t = as_node(input), as_node(target)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"nll_loss: expected floating-point log probabilities, got {x.dtype}")
    if not x.ndim:
        raise ValueError("nll_loss: Expected 1 or more dimensions (got 0)")
    check_reduction("nll_loss", reduction)
    rows, axis = _in_rows(x)
    classes = rows.shape[axis]
    indices = _indices("nll_loss", x, t)
    w = None if weight is None else _weight_per_class("nll_loss", weight, classes, x.dtype)
    kept = _counted("nll_loss", indices, classes, ignore_index)
    indices, weights, total = _weights(indices, kept, w, reduction == "mean", x.dtype)
    losses = apply(_nll, (rows, seal(indices), weights), (reduction != "none", axis))
    if kept is not None and reduction == "mean":
        losses = _nan_of_none(losses, total)
    return losses if reduction != "none" or x.ndim == 2 else reshape(losses, t.shape)


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

    input: logits, (C,), (N, C) or (N, C, d1, ...). target: integer class indices of shape (), (N,)
    or (N, d1, ...), those equal to `ignore_index` not counted; or probabilities of the input's
    shape. weight: one factor per class, (C,). The mean is weighted, as in PyTorch.
    Raises RuntimeError or ValueError for shapes that do not fit, IndexError for a class out of
    range.

    >>> cross_entropy(np.array([[0.0, 0.0]]), np.array([1])).item()
    0.6931471805599453
    """
    x, t = as_node(input), as_node(target)
    dtype = x._value.dtype
    if dtype.kind != "f":
        raise RuntimeError(f"cross_entropy: expected floating-point logits, got {dtype}")
    if not x.ndim:
        raise RuntimeError("cross_entropy: expected logits with a dimension of classes, got a 0-d input")
    if label_smoothing and not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"cross_entropy: label_smoothing must be between 0 and 1, got {label_smoothing}")
    check_reduction("cross_entropy", reduction)
    if dtype.itemsize == 2:  # the sums of a row need more digits than half precision has
        wide = cross_entropy(
            cast(x, np.dtype(np.float32)),
            cast(t, np.dtype(np.float32)) if t.dtype.kind == "f" else t,
            weight,
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )
        return cast(wide, dtype)
    class_dim = 0 if x.ndim == 1 else 1
    w = None if weight is None else _weight_per_class("cross_entropy", weight, x.shape[class_dim], dtype)
    if t._value.dtype.kind == "f" and t.shape == x.shape:
        if ignore_index >= 0:
            raise RuntimeError("cross_entropy: ignore_index is not supported for probabilities as target")
        return _soft_cross_entropy(x, t, w, class_dim, reduction, label_smoothing)
    indices = _indices("cross_entropy", x, t)
    rows, axis = _in_rows(x)
    classes = rows.shape[axis]
    kept = _counted("cross_entropy", indices, classes, ignore_index)
    indices, weights, total = _weights(indices, kept, w, reduction == "mean", dtype)
    losses = apply(_cross_entropy, (rows, seal(indices), weights), (reduction != "none", axis))
    if kept is not None and reduction == "mean":
        losses = _nan_of_none(losses, total)
    if label_smoothing:
        log_p = log_softmax(rows, axis)
        spread = sum(log_p if w is None else mul(log_p, w if axis else reshape(w, (-1, 1))), axis)
        if kept is not None:
            spread = masked_fill(spread, ~kept, 0.0)
        if reduction != "none":
            spread = sum(spread)
        if reduction == "mean":  # by the weights of the targets, as PyTorch does
            spread = div(spread, seal(as_array(total, dtype)))
        losses = sub(mul(losses, 1.0 - label_smoothing), mul(spread, label_smoothing / classes))
    return losses if reduction != "none" or x.ndim == 2 else reshape(losses, t.shape)


def _soft_cross_entropy(
    x: Node, t: Node, w: Node | None, class_dim: int, reduction: Reduction, label_smoothing: float
) -> Node:
    classes = x.shape[class_dim]
    if label_smoothing:
        t = mul(t, 1.0 - label_smoothing) + label_smoothing / classes
    log_p = log_softmax(x, class_dim)
    if w is not None:
        log_p = mul(log_p, reshape(w, [-1 if d == class_dim else 1 for d in range(x.ndim)]))
    losses = neg(sum(mul(log_p, t), class_dim))
    if reduction == "mean":
        rows = x.size // classes if x.ndim > 1 and classes else 1
        return div(sum(losses), rows)
    return reduce_loss("cross_entropy", losses, reduction)

"""Losses that compare two arrays element by element, and what probabilities have in common."""

from __future__ import annotations

import math
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .arithmetic import add, div, mul, sub
from .batch import all_examples
from .choice import masked_fill
from .elementary import abs, exp, floats_only, log, quiet, select, sigmoid_op, silent
from .exponential import xlogy
from .loss import Reduction, check_broadcast, check_reduction, reduce_loss
from .node import Node, Operand, as_node
from .op import Op, apply, general, pointwise, promote, scalar
from .quick import log1p
from .reduction import sum
from .shape import unsqueeze
from .summed import (
    bends,
    bends_slope,
    distances,
    distances_slope,
    logits,
    logits_slope,
    squares,
    squares_slope,
    sum_or_mean,
    summed,
)
from .warn import warn_user

BatchReduction: TypeAlias = Literal["none", "mean", "sum", "batchmean"]


def warn_if_broadcast(op: str, input: Node, target: Node) -> None:
    """Warn where a loss would pair each prediction with every target; RuntimeError where it cannot."""
    check_broadcast(op, input, target)
    if input.shape != target.shape:
        warn_user(
            f"{op}: the target of shape {target.shape} differs from the input of shape {input.shape}; "
            "they will be broadcast, which is rarely what is meant. Give them the same shape."
        )


def _check_same(op: str, input: Node, target: Node) -> None:
    if input.shape != target.shape:
        raise ValueError(
            f"{op}: the target of shape {target.shape} must have the input's shape {input.shape}"
        )


def _weighted(op: str, losses: Node, weight: Operand, input: Node) -> tuple[Node, Node]:
    w = as_node(weight)
    if w.shape != input.shape:
        raise ValueError(
            f"{op}: Weights and input must have the same size, got shapes {w.shape} and {input.shape}"
        )
    return mul(losses, w), w


def _reduce_weighted(
    op: str, each: Op, all_of_them: Op, x: Node, t: Node, weight: Operand | None, reduction: str
) -> Node:
    """Reduce; with weights the mean is the weighted one."""
    if weight is None:
        reduced = sum_or_mean(all_of_them, x, t, reduction)
        return reduce_loss(op, each.call(x, t), reduction) if reduced is None else reduced
    weighted, w = _weighted(op, each.call(x, t), weight, x)
    return div(sum(weighted), sum(w)) if reduction == "mean" else reduce_loss(op, weighted, reduction)


# ---------------------------------------------------------------- distances of two numbers

_squared_error: Final = pointwise(
    "mse_loss",
    floats_only(lambda a, b: np.square(np.subtract(a, b))),
    lambda g, _, a, b: np.multiply(np.add(g, g), np.subtract(a, b)),
    lambda g, _, a, b: np.multiply(np.add(g, g), np.subtract(b, a)),
)
_squared_errors: Final = summed(_squared_error, squares, squares_slope, odd=True)

_distance: Final = pointwise(
    "l1_loss",
    lambda a, b: np.absolute(np.subtract(a, b)),
    lambda g, _, a, b: _signed(g, np.subtract(a, b)),
    lambda g, _, a, b: _signed(g, np.subtract(b, a)),
)
_distances: Final = summed(_distance, distances, distances_slope, odd=True)


def _signed(g: Any, d: Any) -> Any:
    return select(np.multiply(g, np.sign(d)), np.equal(d, d))  # 0 at NaN, as in PyTorch


@silent
def _huber_forward(x: Any, t: Any, delta: float, scale: float) -> Any:
    if x.dtype.kind != "f":
        raise TypeError("only for floating-point numbers")
    d = np.subtract(x, t)
    near = np.clip(d, -delta, delta)
    return np.multiply(np.multiply(near, scale), np.subtract(d, np.multiply(near, 0.5)))


def _huber_rule(g: Any, x: Any, t: Any, delta: float, scale: float) -> Any:
    return np.multiply(g, np.multiply(np.clip(np.subtract(x, t), -delta, delta), scale))


#: d * d / 2 up to delta, from there on its tangent, times a factor
_huber: Final = general(
    "huber_loss",
    _huber_forward,
    lambda g, _, x, t, delta, scale: _huber_rule(g, x, t, delta, scale),
    lambda g, _, x, t, delta, scale: _huber_rule(g, t, x, delta, scale),
)
_hubers: Final = summed(_huber, bends, bends_slope, odd=True)


def mse_loss(
    input: Operand, target: Operand, *, reduction: Reduction = "mean", weight: Operand | None = None
) -> Node:
    """The squared difference, averaged over all elements.

    weight: one factor per element; the mean is then the weighted one. Warns where the shapes of
    input and target differ; raises RuntimeError where they do not broadcast, ValueError for a
    weight of another shape.

    >>> mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])).data
    array(2.)
    """
    x, t = as_node(input), as_node(target)
    warn_if_broadcast("mse_loss", x, t)
    return _reduce_weighted("mse_loss", _squared_error, _squared_errors, x, t, weight, reduction)


def l1_loss(
    input: Operand, target: Operand, *, reduction: Reduction = "mean", weight: Operand | None = None
) -> Node:
    """The absolute difference, averaged over all elements.

    weight, warnings and errors: as in mse_loss.

    >>> l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])).data
    array(1.)
    """
    x, t = as_node(input), as_node(target)
    warn_if_broadcast("l1_loss", x, t)
    return _reduce_weighted("l1_loss", _distance, _distances, x, t, weight, reduction)


def huber_loss(
    input: Operand,
    target: Operand,
    reduction: Reduction = "mean",
    delta: float = 1.0,
    weight: Operand | None = None,
) -> Node:
    """Half the squared difference where that is at most `delta`, the absolute one times `delta` beyond.

    weight: one factor per element. Warnings and errors: as in mse_loss, and RuntimeError unless
    delta is positive.

    >>> huber_loss(np.array([0.0, 0.0]), np.array([1.0, 3.0]), "none").data
    array([0.5, 2.5])
    """
    x, t = as_node(input), as_node(target)
    warn_if_broadcast("huber_loss", x, t)
    if delta <= 0:
        raise RuntimeError(f"huber_loss: does not support non-positive values for delta, got {delta}")
    if weight is None:
        reduced = sum_or_mean(_hubers, x, t, reduction, (delta, 1.0))
        if reduced is not None:
            return reduced
    losses = apply(_huber, promote("huber_loss", x, t), (delta, 1.0))
    if weight is not None:
        losses = _weighted("huber_loss", losses, weight, x)[0]
    return reduce_loss("huber_loss", losses, reduction)


def smooth_l1_loss(
    input: Operand, target: Operand, *, reduction: Reduction = "mean", beta: float = 1.0
) -> Node:
    """The absolute difference, rounded off to a parabola below `beta`: huber_loss divided by it.

    Warnings and errors: as in mse_loss, and RuntimeError for a negative beta.

    >>> smooth_l1_loss(np.array([0.0, 0.0]), np.array([1.0, 3.0]), reduction="none").data
    array([0.5, 2.5])
    """
    x, t = as_node(input), as_node(target)
    warn_if_broadcast("smooth_l1_loss", x, t)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss: does not support negative values for beta, got {beta}")
    if beta == 0:
        return reduce_loss("smooth_l1_loss", abs(sub(x, t)), reduction)
    reduced = sum_or_mean(_hubers, x, t, reduction, (beta, 1 / beta))
    if reduced is not None:
        return reduced
    losses = apply(_huber, promote("smooth_l1_loss", x, t), (beta, 1 / beta))
    return reduce_loss("smooth_l1_loss", losses, reduction)


# ---------------------------------------------------------------- probabilities of two classes

#: PyTorch's, a 1e-12 in single precision
TINY: Final = float(np.float32(1e-12))

_binary: Final = pointwise(
    "binary_cross_entropy",
    floats_only(
        lambda x, t: np.subtract(
            np.multiply(np.subtract(t, 1), np.maximum(log1p(np.negative(x)), -100)),
            np.multiply(t, np.maximum(np.log(x), -100)),
        )
    ),
    lambda g, _, x, t: np.divide(
        np.multiply(g, np.subtract(x, t)), np.maximum(np.multiply(np.subtract(1, x), x), TINY)
    ),
    lambda g, _, x, t: np.multiply(g, np.subtract(log1p(np.negative(x)), np.log(x))),
)

#: (1 - t) * x - logsigmoid(x) with nothing that cancels
binary_logits_op: Final = pointwise(
    "binary_cross_entropy_with_logits",
    floats_only(
        lambda x, t: np.add(
            np.multiply(np.subtract(np.greater(x, 0), t), x), log1p(np.exp(np.negative(np.abs(x))))
        )
    ),
    lambda g, _, x, t: np.multiply(g, np.subtract(sigmoid_op(x), t)),
    lambda g, _, x, t: np.negative(np.multiply(g, x)),
)
_binary_logits: Final = summed(binary_logits_op, logits, logits_slope, odd=False)


def binary_cross_entropy(
    input: Operand, target: Operand, weight: Operand | None = None, *, reduction: Reduction = "mean"
) -> Node:
    """The cross entropy of probabilities against targets between 0 and 1, averaged over all elements.

    The logarithms are at least -100. weight: broadcasts to the targets. Raises ValueError where the
    shapes differ, RuntimeError for an input outside [0, 1].

    >>> binary_cross_entropy(np.array([0.5]), np.array([1.0])).item()
    0.6931471805599453
    """
    op = "binary_cross_entropy"
    x, t = as_node(input), as_node(target)
    _check_same(op, x, t)
    v = all_examples(x._value)
    if v.size and not (np.min(v) >= 0 and np.max(v) <= 1):
        raise RuntimeError(f"{op}: all elements of input should be between 0 and 1")
    return _scaled(op, _binary.call(x, t), weight, t, reduction)


def _scaled(op: str, losses: Node, weight: Operand | None, target: Node, reduction: str) -> Node:
    if weight is not None:
        w = as_node(weight)
        check_broadcast(op, target, w)
        losses = mul(losses, w)
        if losses.shape != target.shape:
            raise RuntimeError(f"{op}: weight of shape {w.shape} does not broadcast to {target.shape}")
    return reduce_loss(op, losses, reduction)


def binary_cross_entropy_with_logits(
    input: Operand,
    target: Operand,
    weight: Operand | None = None,
    *,
    reduction: Reduction = "mean",
    pos_weight: Operand | None = None,
) -> Node:
    """`binary_cross_entropy` of `sigmoid(input)`, exact for large logits.

    weight: broadcasts to the targets. pos_weight: the factor of what a positive target adds, one per
    class or broadcasting. Raises ValueError where the shapes of input and target differ.

    >>> binary_cross_entropy_with_logits(np.array([1000.0]), np.array([0.0])).item()
    1000.0
    """
    op = "binary_cross_entropy_with_logits"
    x, t = as_node(input), as_node(target)
    _check_same(op, x, t)
    if weight is None and pos_weight is None:
        reduced = sum_or_mean(_binary_logits, x, t, reduction)
        if reduced is not None:
            return reduced
    losses = binary_logits_op.call(x, t)
    if pos_weight is not None:
        w = as_node(pos_weight)
        check_broadcast(op, t, w)
        more = mul(sub(w, 1.0), t)
        losses = add(losses, mul(more, binary_logits_op.call(x, scalar(1.0, x.dtype))))
    return _scaled(op, losses, weight, losses, reduction)


# ---------------------------------------------------------------- distributions


def kl_div(
    input: Operand, target: Operand, *, reduction: BatchReduction = "mean", log_target: bool = False
) -> Node:
    """`target * (log(target) - input)`: the divergence of log probabilities from probabilities.

    log_target: the target is given as logarithms too. reduction: "batchmean" divides the sum by the
    size of the first dimension, which is the divergence's definition; "mean" warns that it does not.

    >>> kl_div(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]]), reduction="batchmean").item()
    0.6931471805599453
    """
    x, t = as_node(input), as_node(target)
    if reduction == "mean":
        warn_user(
            "kl_div: reduction 'mean' divides the total loss by both the batch size and the support size. "
            "'batchmean' divides only by the batch size, and aligns with the definition."
        )
    check_broadcast("kl_div", x, t)
    losses = mul(exp(t), sub(t, x)) if log_target else sub(xlogy(t, t), mul(t, x))
    if reduction == "batchmean":
        total = sum(losses)
        return div(total, x.shape[0]) if x.ndim else total
    return reduce_loss("kl_div", losses, reduction)


def poisson_nll_loss(
    input: Operand,
    target: Operand,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: Reduction = "mean",
) -> Node:
    """The negative log likelihood of counts, given a Poisson distribution's mean or its logarithm.

    log_input: the input is the logarithm; else `eps` keeps log(input) finite. full: add Stirling's
    approximation of log(target!) where the target is above 1.

    >>> poisson_nll_loss(np.array([0.0]), np.array([3.0])).item()
    1.0
    """
    x, t = as_node(input), as_node(target)
    check_reduction("poisson_nll_loss", reduction)
    check_broadcast("poisson_nll_loss", x, t)
    losses = sub(exp(x), mul(t, x)) if log_input else sub(x, mul(t, log(add(x, eps))))
    if full:
        small = t._value <= 1
        many = masked_fill(t, small, 1.0)  # no logarithm of 0, nor its derivative
        stirling = add(sub(mul(many, log(many)), many), mul(log(mul(many, 2 * math.pi)), 0.5))
        losses = add(losses, masked_fill(stirling, small, 0.0))
    return reduce_loss("poisson_nll_loss", losses, reduction)


#: a lower bound that the gradient does not notice
floor_op: Final = general(
    "floor_of_values", quiet(lambda x, low: np.maximum(x, low)), lambda g, _, x, low: g, frees=False
)


def gaussian_nll_loss(
    input: Operand,
    target: Operand,
    var: Operand,
    full: bool = False,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
) -> Node:
    """The negative log likelihood of targets under normal distributions of mean `input`.

    var: the variances, a number or an operand of the input's shape, or of that shape without its
    last dimension, or with a 1 in one place; at least `eps` is taken, which the gradient does not
    notice. full: add the constant log(2 pi) / 2. Raises ValueError for a negative variance or one
    of another shape.

    >>> gaussian_nll_loss(np.array([1.0]), np.array([3.0]), np.array([1.0])).item()
    2.0
    """
    op = "gaussian_nll_loss"
    x, t = as_node(input), as_node(target)
    check_reduction(op, reduction)
    check_broadcast(op, x, t)
    v = scalar(var, x.dtype) if isinstance(var, (int, float)) else as_node(var)
    if np.any(all_examples(v._value) < 0):
        raise ValueError(f"{op}: var has negative entry/entries")
    if v.shape != x.shape and not isinstance(var, (int, float)):
        if v.shape == x.shape[:-1]:
            v = unsqueeze(v, -1)
        elif v.ndim != x.ndim or [b for a, b in zip(x.shape, v.shape) if a != b] != [1]:
            raise ValueError(f"{op}: var is of incorrect size: {v.shape}, the input has {x.shape}")
    v = apply(floor_op, (v,), (eps,))
    losses = mul(add(log(v), div(_squared_error.call(x, t), v)), 0.5)
    if full:
        losses = add(losses, 0.5 * math.log(2 * math.pi))
    return reduce_loss(op, losses, reduction)

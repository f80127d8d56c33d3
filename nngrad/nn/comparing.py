"""Losses and distances on tensors, with the parameters that PyTorch deprecates in favour of `reduction`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, overload

from .. import functional as F
from ..functional.loss import Reduction
from ..functional.losses import BatchReduction
from ..functional.warn import warn_user
from ..lifting import TensorLike, lift, wrap
from ..tensor import Tensor

cosine_similarity: Final = lift(F.cosine_similarity)
ctc_loss: Final = lift(F.ctc_loss)
gaussian_nll_loss: Final = lift(F.gaussian_nll_loss)
huber_loss: Final = lift(F.huber_loss)
pairwise_distance: Final = lift(F.pairwise_distance)
pdist: Final = lift(F.pdist)


@overload
def chosen(size_average: bool | None, reduce: bool | None, reduction: Reduction) -> Reduction: ...
@overload
def chosen(size_average: bool | None, reduce: bool | None, reduction: BatchReduction) -> BatchReduction: ...
def chosen(size_average: bool | None, reduce: bool | None, reduction: BatchReduction) -> BatchReduction:
    """The reduction that the deprecated parameters ask for, with a warning; `reduction` without them."""
    if size_average is None and reduce is None:
        return reduction
    meant: Reduction = "mean" if size_average is None or size_average else "sum"
    if reduce is not None and not reduce:
        meant = "none"
    warn_user(f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.")
    return meant


def binary_cross_entropy(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """The cross entropy of probabilities against targets between 0 and 1, averaged over all elements."""
    return wrap(
        F.binary_cross_entropy(input, target, weight, reduction=chosen(size_average, reduce, reduction))
    )


def binary_cross_entropy_with_logits(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    pos_weight: TensorLike | None = None,
) -> Tensor:
    """`binary_cross_entropy` of `sigmoid(input)`, exact for large logits."""
    return wrap(
        F.binary_cross_entropy_with_logits(
            input, target, weight, reduction=chosen(size_average, reduce, reduction), pos_weight=pos_weight
        )
    )


def cosine_embedding_loss(
    input1: TensorLike,
    input2: TensorLike,
    target: TensorLike,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """1 less the cosine where the target is 1, `max(0, cosine - margin)` where it is -1."""
    return wrap(
        F.cosine_embedding_loss(
            input1, input2, target, margin, reduction=chosen(size_average, reduce, reduction)
        )
    )


def cross_entropy(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross entropy of logits against class indices or class probabilities."""
    return wrap(
        F.cross_entropy(
            input,
            target,
            weight,
            ignore_index=ignore_index,
            reduction=chosen(size_average, reduce, reduction),
            label_smoothing=label_smoothing,
        )
    )


def hinge_embedding_loss(
    input: TensorLike,
    target: TensorLike,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """`input` where the target is 1, `max(0, margin - input)` where it is -1."""
    return wrap(
        F.hinge_embedding_loss(input, target, margin, reduction=chosen(size_average, reduce, reduction))
    )


def kl_div(
    input: TensorLike,
    target: TensorLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: BatchReduction = "mean",
    log_target: bool = False,
) -> Tensor:
    """`target * (log(target) - input)`: the divergence of log probabilities from probabilities."""
    return wrap(
        F.kl_div(input, target, reduction=chosen(size_average, reduce, reduction), log_target=log_target)
    )


def l1_loss(
    input: TensorLike,
    target: TensorLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    weight: TensorLike | None = None,
) -> Tensor:
    """The absolute difference, averaged over all elements."""
    return wrap(F.l1_loss(input, target, reduction=chosen(size_average, reduce, reduction), weight=weight))


def margin_ranking_loss(
    input1: TensorLike,
    input2: TensorLike,
    target: TensorLike,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """`max(0, margin - target * (input1 - input2))`: a target of 1 wants the first one larger, -1 smaller."""
    return wrap(
        F.margin_ranking_loss(
            input1, input2, target, margin, reduction=chosen(size_average, reduce, reduction)
        )
    )


def mse_loss(
    input: TensorLike,
    target: TensorLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    weight: TensorLike | None = None,
) -> Tensor:
    """The squared difference, averaged over all elements."""
    return wrap(F.mse_loss(input, target, reduction=chosen(size_average, reduce, reduction), weight=weight))


def multi_margin_loss(
    input: TensorLike,
    target: TensorLike,
    p: int = 1,
    margin: float = 1.0,
    weight: TensorLike | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """The mean over the classes of `max(0, margin - x[target] + x[class]) ** p`, the target left out."""
    return wrap(
        F.multi_margin_loss(
            input, target, p, margin, weight, reduction=chosen(size_average, reduce, reduction)
        )
    )


def multilabel_margin_loss(
    input: TensorLike,
    target: TensorLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """The sum of `max(0, 1 - x[target] + x[class])` over targets and other classes, over their number."""
    return wrap(F.multilabel_margin_loss(input, target, reduction=chosen(size_average, reduce, reduction)))


def multilabel_soft_margin_loss(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """The binary cross entropy of logits, averaged over the classes: (N, C) to (N,), then reduced."""
    return wrap(
        F.multilabel_soft_margin_loss(
            input, target, weight, reduction=chosen(size_average, reduce, reduction)
        )
    )


def nll_loss(
    input: TensorLike,
    target: TensorLike,
    weight: TensorLike | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """The negative of the log probability of each target class."""
    return wrap(
        F.nll_loss(
            input,
            target,
            weight,
            ignore_index=ignore_index,
            reduction=chosen(size_average, reduce, reduction),
        )
    )


def poisson_nll_loss(
    input: TensorLike,
    target: TensorLike,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-08,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """The negative log likelihood of counts, given a Poisson distribution's mean or its logarithm."""
    return wrap(
        F.poisson_nll_loss(
            input, target, log_input, full, eps=eps, reduction=chosen(size_average, reduce, reduction)
        )
    )


def smooth_l1_loss(
    input: TensorLike,
    target: TensorLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    beta: float = 1.0,
) -> Tensor:
    """The absolute difference, rounded off to a parabola below `beta`: huber_loss divided by it."""
    return wrap(F.smooth_l1_loss(input, target, reduction=chosen(size_average, reduce, reduction), beta=beta))


def soft_margin_loss(
    input: TensorLike,
    target: TensorLike,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """`log(1 + exp(-target * input))` for targets of 1 and -1, exact for large inputs."""
    return wrap(F.soft_margin_loss(input, target, reduction=chosen(size_average, reduce, reduction)))


def triplet_margin_loss(
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """`max(0, margin + d(anchor, positive) - d(anchor, negative))`, d being the pairwise distance."""
    return wrap(
        F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin,
            p,
            eps,
            swap,
            reduction=chosen(size_average, reduce, reduction),
        )
    )


def triplet_margin_with_distance_loss(
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of your own, on tensors; `pairwise_distance` if there is none."""
    own = distance_function
    return wrap(
        F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=None if own is None else lambda a, b: own(wrap(a), wrap(b)).node,
            margin=margin,
            swap=swap,
            reduction=reduction,
        )
    )

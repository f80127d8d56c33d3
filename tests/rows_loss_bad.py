"""Bad input of losses and distances; see functional/test_errors.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rows import Row

ROWS: tuple[Row, ...] = ()

A, B, V = np.ones((2, 3)), np.ones((3, 2)), np.ones(3)
WHOLE, PAIR, HALF = np.arange(3), np.array([0, 1]), np.full((2, 3), 0.5)
LOG_PROBS, LABELS = np.log(np.full((4, 2, 3), 1 / 3)), np.array([[1, 2], [2, 1]])

BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "nll_loss-batch": (
        lambda f, t: f.nll_loss(t(A), t(WHOLE)),
        ValueError,
        r"nll_loss: Expected input batch_size \(2\) to.*\(3,\)",
    ),
    "nll_loss-class": (
        lambda f, t: f.nll_loss(t(A), t(np.array([0, 3]))),
        IndexError,
        r"nll_loss: Target 3 is out of",
    ),
    "nll_loss-neg": (
        lambda f, t: f.nll_loss(t(A), t(np.array([0, -1]))),
        IndexError,
        r"nll_loss: Target -1 is out of",
    ),
    "nll_loss-weight": (
        lambda f, t: f.nll_loss(t(A), t(PAIR), t(np.ones(2))),
        RuntimeError,
        r"nll_loss: weight must have shape \(3,\),.*\(2,\)",
    ),
    "nll_loss-reduction": (
        lambda f, t: f.nll_loss(t(A), t(PAIR), reduction="best"),
        ValueError,
        r"nll_loss: 'best' is not a valid",
    ),
    "nll_loss-0d": (
        lambda f, t: f.nll_loss(t(np.ones(())), t(np.array(0))),
        ValueError,
        r"nll_loss: Expected 1 or more dimensions",
    ),
    "nll_loss-shape": (
        lambda f, t: f.nll_loss(t(np.ones((2, 3, 4))), t(np.zeros((2, 5), np.int64))),
        RuntimeError,
        r"nll_loss: input of shape \(2, 3,.*\(2, 5\)",
    ),
    "nll_loss-float": (
        lambda f, t: f.nll_loss(t(A), t(np.ones(2))),
        RuntimeError,
        r"nll_loss: expected integer class indices, got",
    ),
    "nll_loss-int": (
        lambda f, t: f.nll_loss(t(A.astype(int)), t(PAIR)),
        RuntimeError,
        r"nll_loss: expected floating-point log probabilities, got",
    ),
    "cross_entropy-0d": (
        lambda f, t: f.cross_entropy(t(np.ones(())), t(np.array(0))),
        RuntimeError,
        r"cross_entropy: expected logits with a dimension",
    ),
    "cross_entropy-shape": (
        lambda f, t: f.cross_entropy(t(np.ones((2, 3, 4))), t(np.zeros((2, 5), np.int64))),
        RuntimeError,
        r"cross_entropy: input of shape \(2, 3,.*\(2, 5\)",
    ),
    "cross_entropy-smooth": (
        lambda f, t: f.cross_entropy(t(A), t(PAIR), label_smoothing=1.5),
        RuntimeError,
        r"cross_entropy: label_smoothing must be between 0",
    ),
    "cross_entropy-ign": (
        lambda f, t: f.cross_entropy(t(A), t(A), ignore_index=1),
        RuntimeError,
        r"cross_entropy: ignore_index is not supported for",
    ),
    "cross_entropy-intprob": (
        lambda f, t: f.cross_entropy(t(A), t(A.astype(int))),
        RuntimeError,
        r"cross_entropy: input of shape \(2, 3\)",
    ),
    "cross_entropy-prob": (
        lambda f, t: f.cross_entropy(t(A), t(B)),
        ValueError,
        r"cross_entropy: Expected input batch_size \(2\) to.*\(3, 2\)",
    ),
    "cross_entropy-neg": (
        lambda f, t: f.cross_entropy(t(A), t(np.array([0, -1]))),
        IndexError,
        r"cross_entropy: Target -1 is out of",
    ),
    "mse_loss-reduction": (
        lambda f, t: f.mse_loss(t(A), t(A), reduction="x"),
        ValueError,
        r"mse_loss: 'x' is not a valid",
    ),
    "mse_loss-weight": (
        lambda f, t: f.mse_loss(t(A), t(A), weight=t(V)),
        ValueError,
        r"mse_loss: Weights and input must have.*\(2, 3\)",
    ),
    "mse_loss-int": (
        lambda f, t: f.mse_loss(t(WHOLE), t(WHOLE)),
        RuntimeError,
        r"mse_loss: not implemented for int64 and",
    ),
    "l1_loss-weight": (
        lambda f, t: f.l1_loss(t(A), t(A), weight=t(V)),
        ValueError,
        r"l1_loss: Weights and input must have.*\(2, 3\)",
    ),
    "l1_loss-shapes": (
        lambda f, t: f.l1_loss(t(A), t(B)),
        RuntimeError,
        r"l1_loss: The size of tensor a.*\(3, 2\)",
    ),
    "huber_loss-d": (
        lambda f, t: f.huber_loss(t(A), t(A), delta=0.0),
        RuntimeError,
        r"huber_loss: does not support non-positive values",
    ),
    "huber_loss-weight": (
        lambda f, t: f.huber_loss(t(A), t(A), weight=t(V)),
        ValueError,
        r"huber_loss: Weights and input must have.*\(2, 3\)",
    ),
    "huber_loss-shapes": (
        lambda f, t: f.huber_loss(t(A), t(B)),
        RuntimeError,
        r"huber_loss: The size of tensor a.*\(3, 2\)",
    ),
    "smooth_l1_loss-b": (
        lambda f, t: f.smooth_l1_loss(t(A), t(A), beta=-1.0),
        RuntimeError,
        r"smooth_l1_loss: does not support negative values",
    ),
    "smooth_l1_loss-shapes": (
        lambda f, t: f.smooth_l1_loss(t(A), t(B)),
        RuntimeError,
        r"smooth_l1_loss: The size of tensor a.*\(3, 2\)",
    ),
    "binary_cross_entropy-shapes": (
        lambda f, t: f.binary_cross_entropy(t(HALF), t(V)),
        ValueError,
        r"binary_cross_entropy: the target of shape \(3,\).*\(2, 3\)",
    ),
    "binary_cross_entropy-reduction": (
        lambda f, t: f.binary_cross_entropy(t(A * 2), t(A)),
        RuntimeError,
        r"binary_cross_entropy: all elements of input should",
    ),
    "binary_cross_entropy-nan": (
        lambda f, t: f.binary_cross_entropy(t(A * np.nan), t(A)),
        RuntimeError,
        r"binary_cross_entropy: all elements of input should",
    ),
    "binary_cross_entropy-weight": (
        lambda f, t: f.binary_cross_entropy(t(HALF), t(HALF), t(np.ones(2))),
        RuntimeError,
        r"binary_cross_entropy: The size of tensor a.*\(2,\)",
    ),
    "binary_cross_entropy_with_logits-shapes": (
        lambda f, t: f.binary_cross_entropy_with_logits(t(HALF), t(V)),
        ValueError,
        r"binary_cross_entropy_with_logits: the target of shape \(3,\).*\(2, 3\)",
    ),
    "binary_cross_entropy_with_logits-weight": (
        lambda f, t: f.binary_cross_entropy_with_logits(t(HALF), t(HALF), t(np.ones(2))),
        RuntimeError,
        r"binary_cross_entropy_with_logits: The size of tensor a.*\(2,\)",
    ),
    "binary_cross_entropy_with_logits-w2": (
        lambda f, t: f.binary_cross_entropy_with_logits(t(HALF), t(HALF), t(np.ones((4, 2, 3)))),
        RuntimeError,
        r"binary_cross_entropy_with_logits: weight of shape \(4, 2,.*\(2, 3\)",
    ),
    "binary_cross_entropy_with_logits-pw": (
        lambda f, t: f.binary_cross_entropy_with_logits(t(HALF), t(HALF), pos_weight=t(np.ones(2))),
        RuntimeError,
        r"binary_cross_entropy_with_logits: The size of tensor a.*\(2,\)",
    ),
    "kl_div-shapes": (
        lambda f, t: f.kl_div(t(A), t(B)),
        RuntimeError,
        r"kl_div: The size of tensor a.*\(3, 2\)",
    ),
    "kl_div-reduction": (
        lambda f, t: f.kl_div(t(A), t(A), reduction="x"),
        ValueError,
        r"kl_div: 'x' is not a valid",
    ),
    "poisson_nll_loss-reduction": (
        lambda f, t: f.poisson_nll_loss(t(A), t(A), reduction="x"),
        ValueError,
        r"poisson_nll_loss: 'x' is not a valid",
    ),
    "poisson_nll_loss-shapes": (
        lambda f, t: f.poisson_nll_loss(t(A), t(B)),
        RuntimeError,
        r"poisson_nll_loss: The size of tensor a.*\(3, 2\)",
    ),
    "gaussian_nll_loss-n": (
        lambda f, t: f.gaussian_nll_loss(t(A), t(A), t(-A)),
        ValueError,
        r"gaussian_nll_loss: var has negative entry/entries",
    ),
    "gaussian_nll_loss-nn": (
        lambda f, t: f.gaussian_nll_loss(t(A), t(A), -1.0),
        ValueError,
        r"gaussian_nll_loss: var has negative entry/entries",
    ),
    "gaussian_nll_loss-shapes": (
        lambda f, t: f.gaussian_nll_loss(t(A), t(A), t(B)),
        ValueError,
        r"gaussian_nll_loss: var is of incorrect size:.*\(2, 3\)",
    ),
    "gaussian_nll_loss-reduction": (
        lambda f, t: f.gaussian_nll_loss(t(A), t(A), t(A), reduction="x"),
        ValueError,
        r"gaussian_nll_loss: 'x' is not a valid",
    ),
    "hinge_embedding_loss-shapes": (
        lambda f, t: f.hinge_embedding_loss(t(A), t(B)),
        RuntimeError,
        r"hinge_embedding_loss: The size of tensor a.*\(3, 2\)",
    ),
    "margin_ranking_loss-d": (
        lambda f, t: f.margin_ranking_loss(t(A), t(A), t(V)),
        RuntimeError,
        r"margin_ranking_loss: expected operands of the same.*\(3,\)",
    ),
    "margin_ranking_loss-shapes": (
        lambda f, t: f.margin_ranking_loss(t(A), t(B), t(A)),
        RuntimeError,
        r"margin_ranking_loss: The size of tensor a.*\(2, 3\)",
    ),
    "cosine_embedding_loss-t": (
        lambda f, t: f.cosine_embedding_loss(t(A), t(A), t(A)),
        RuntimeError,
        r"cosine_embedding_loss: 0D or 1D target tensor.*\(2, 3\)",
    ),
    "cosine_embedding_loss-i": (
        lambda f, t: f.cosine_embedding_loss(t(V), t(V), t(V)),
        RuntimeError,
        r"cosine_embedding_loss: 1D target tensor expects 2D.*\(3,\)",
    ),
    "cosine_embedding_loss-shapes": (
        lambda f, t: f.cosine_embedding_loss(t(A), t(B), t(np.ones(2))),
        RuntimeError,
        r"cosine_embedding_loss: The size of tensor a.*\(3, 2\)",
    ),
    "soft_margin_loss-shapes": (
        lambda f, t: f.soft_margin_loss(t(A), t(B)),
        RuntimeError,
        r"soft_margin_loss: The size of tensor a.*\(3, 2\)",
    ),
    "multilabel_soft_margin_loss-shapes": (
        lambda f, t: f.multilabel_soft_margin_loss(t(A), t(B)),
        RuntimeError,
        r"multilabel_soft_margin_loss: The size of tensor a.*\(3, 2\)",
    ),
    "multilabel_soft_margin_loss-reduction": (
        lambda f, t: f.multilabel_soft_margin_loss(t(A), t(A), reduction="x"),
        ValueError,
        r"multilabel_soft_margin_loss: 'x' is not a valid",
    ),
    "multi_margin_loss-p": (
        lambda f, t: f.multi_margin_loss(t(A), t(PAIR), p=3),
        ValueError,
        r"multi_margin_loss: only p == 1 and",
    ),
    "multi_margin_loss-t": (
        lambda f, t: f.multi_margin_loss(t(A), t(WHOLE)),
        RuntimeError,
        r"multi_margin_loss: inconsistent target size \(3,\) for.*\(2, 3\)",
    ),
    "multi_margin_loss-c": (
        lambda f, t: f.multi_margin_loss(t(A), t(np.array([0, 3]))),
        RuntimeError,
        r"multi_margin_loss: target out of range for",
    ),
    "multi_margin_loss-weight": (
        lambda f, t: f.multi_margin_loss(t(A), t(PAIR), 1, 1.0, t(A)),
        ValueError,
        r"multi_margin_loss: weight must be one-dimensional, got.*\(2, 3\)",
    ),
    "multi_margin_loss-w2": (
        lambda f, t: f.multi_margin_loss(t(A), t(PAIR), 1, 1.0, t(np.ones(2))),
        RuntimeError,
        r"multi_margin_loss: inconsistent weight size \(2,\) for",
    ),
    "multi_margin_loss-3d": (
        lambda f, t: f.multi_margin_loss(t(np.ones((2, 3, 4))), t(PAIR)),
        RuntimeError,
        r"multi_margin_loss: Expected non-empty vector or matrix,.*\(2, 3, 4\)",
    ),
    "multilabel_margin_loss-shapes": (
        lambda f, t: f.multilabel_margin_loss(t(A), t(PAIR)),
        RuntimeError,
        r"multilabel_margin_loss: inconsistent target size \(2,\) for.*\(2, 3\)",
    ),
    "multilabel_margin_loss-c": (
        lambda f, t: f.multilabel_margin_loss(t(A), t(A.astype(int) * 3)),
        RuntimeError,
        r"multilabel_margin_loss: target out of range for",
    ),
    "multilabel_margin_loss-f": (
        lambda f, t: f.multilabel_margin_loss(t(A), t(A)),
        RuntimeError,
        r"multilabel_margin_loss: expected integer class indices, got",
    ),
    "triplet_margin_loss-m": (
        lambda f, t: f.triplet_margin_loss(t(A), t(A), t(A), margin=0.0),
        ValueError,
        r"triplet_margin_loss: margin must be greater than",
    ),
    "triplet_margin_loss-d": (
        lambda f, t: f.triplet_margin_loss(t(A), t(A), t(V)),
        RuntimeError,
        r"triplet_margin_loss: expected operands of the same.*\(3,\)",
    ),
    "triplet_margin_loss-shapes": (
        lambda f, t: f.triplet_margin_loss(t(A), t(B), t(A)),
        RuntimeError,
        r"pairwise_distance: The size of tensor a.*\(3, 2\)",
    ),
    "triplet_margin_with_distance_loss-d": (
        lambda f, t: f.triplet_margin_with_distance_loss(t(A), t(A), t(V)),
        RuntimeError,
        r"triplet_margin_with_distance_loss: expected operands of the same.*\(3,\)",
    ),
    "triplet_margin_with_distance_loss-m": (
        lambda f, t: f.triplet_margin_with_distance_loss(t(A), t(A), t(A), margin=-1.0),
        ValueError,
        r"triplet_margin_with_distance_loss: margin must be greater than",
    ),
    "triplet_margin_with_distance_loss-reduction": (
        lambda f, t: f.triplet_margin_with_distance_loss(t(A), t(A), t(A), reduction="x"),
        ValueError,
        r"triplet_margin_with_distance_loss: 'x' is not a valid",
    ),
    "cosine_similarity-i": (
        lambda f, t: f.cosine_similarity(t(WHOLE), t(WHOLE), 0),
        RuntimeError,
        r"cosine_similarity: expected floating-point values, got int64",
    ),
    "cosine_similarity-d": (
        lambda f, t: f.cosine_similarity(t(A), t(A), 2),
        IndexError,
        r"cosine_similarity: Dimension out of range \(expected",
    ),
    "cosine_similarity-shapes": (
        lambda f, t: f.cosine_similarity(t(A), t(B)),
        RuntimeError,
        r"cosine_similarity: The size of tensor a.*\(3, 2\)",
    ),
    "pairwise_distance-shapes": (
        lambda f, t: f.pairwise_distance(t(A), t(B)),
        RuntimeError,
        r"pairwise_distance: The size of tensor a.*\(3, 2\)",
    ),
    "pdist-reduction": (
        lambda f, t: f.pdist(t(V)),
        RuntimeError,
        r"pdist: only supports 2D tensors, got.*\(3,\)",
    ),
    "pdist-p": (
        lambda f, t: f.pdist(t(A), -1.0),
        RuntimeError,
        r"pdist: only supports non-negative p values,",
    ),
    "pdist-i": (
        lambda f, t: f.pdist(t(A.astype(int))),
        RuntimeError,
        r"pdist: expected floating-point values, got int64",
    ),
    "ctc_loss-il": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(LABELS), (4, 5), (2, 2)),
        RuntimeError,
        r"ctc_loss: Expected input_lengths between 0 and",
    ),
    "ctc_loss-iln": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(LABELS), (4, -1), (2, 2)),
        RuntimeError,
        r"ctc_loss: Expected input_lengths between 0 and",
    ),
    "ctc_loss-n": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(LABELS), (4,), (2, 2)),
        RuntimeError,
        r"ctc_loss: input_lengths must be of size.*\(2\)",
    ),
    "ctc_loss-tl": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(LABELS), (4, 4), (2, 3)),
        RuntimeError,
        r"ctc_loss: Expected target_lengths between 0 and",
    ),
    "ctc_loss-1d": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(np.array([1, 2, 1])), (4, 4), (2, 2)),
        RuntimeError,
        r"ctc_loss: Expected targets to have size",
    ),
    "ctc_loss-b": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(LABELS), (4, 4), (2, 2), 3),
        RuntimeError,
        r"ctc_loss: blank must be in label",
    ),
    "ctc_loss-e": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS[:0]), t(LABELS), (0, 0), (2, 2)),
        RuntimeError,
        r"ctc_loss: log_probs tensor must not be.*\(0, 2, 3\)",
    ),
    "ctc_loss-d": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS[0, 0]), t(LABELS), (4, 4), (2, 2)),
        RuntimeError,
        r"ctc_loss: expected log_probs \(T, N, C\).*\(2, 2\)",
    ),
    "ctc_loss-reduction": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(LABELS), (4, 4), (2, 2), reduction="x"),
        ValueError,
        r"ctc_loss: 'x' is not a valid",
    ),
    "ctc_loss-rows": (
        lambda f, t: f.ctc_loss(t(LOG_PROBS), t(LABELS[:1]), (4, 4), (2, 2)),
        RuntimeError,
        r"ctc_loss: Expected targets of shape \(2,.*\(1, 2\)",
    ),
}

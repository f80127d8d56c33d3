"""Embeddings on tensors: with max_norm they write to the table."""

from __future__ import annotations

from .. import functional as F
from ..autograd import no_grad
from ..functional.embeddings import Mode, too_long
from ..lifting import wrap
from ..tensor import Tensor


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` that `input` names; see `nngrad.functional.embedding`.

    With max_norm, rows among them that are longer are first scaled down to it in `weight` itself.
    """
    if max_norm is not None:
        _limit("embedding", input, weight, max_norm, norm_type)
    return wrap(F.embedding(input, weight, padding_idx, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse))


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: Mode = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows that each bag names; see `nngrad.functional.embedding_bag`.

    With max_norm, rows among them that are longer are first scaled down to it in `weight` itself.
    """
    if max_norm is not None:
        _limit("embedding_bag", input, weight, max_norm, norm_type)
    return wrap(
        F.embedding_bag(
            input,
            weight,
            offsets,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            per_sample_weights=per_sample_weights,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
    )


def _limit(op: str, input: Tensor, weight: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that `input` names and that are longer than `max_norm` down to it, outside the graph."""
    rows, scaled = too_long(op, input, weight, max_norm, norm_type)
    with no_grad():
        weight[rows] = scaled

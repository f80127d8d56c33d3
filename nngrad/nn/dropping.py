"""Dropout on tensors, drawn by the default generator: for a seed what PyTorch drops."""

from __future__ import annotations

import numpy as np

from ..creation import empty
from ..functional.dropping import Draw, drop, drop_channels
from ..functional.dtypes import AnyArray, DType
from ..functional.node import Node
from ..lifting import wrap
from ..random import bernoulli_
from ..tensor import Tensor


def _drawn(p: float, like: Tensor | None = None) -> Draw:
    """What draws. like: in the order in which its elements lie in memory, as PyTorch does."""
    x = None if like is None else like.node._value

    def draw(shape: tuple[int, ...], dtype: DType) -> AnyArray:
        if isinstance(x, np.ndarray) and x.shape == shape and 0 not in x.strides and not x.flags.c_contiguous:
            strides = x.strides
            order = sorted(range(x.ndim), key=lambda dim: -strides[dim])
            kept = in_order(tuple([shape[dim] for dim in order]), dtype)
            return np.transpose(kept, np.argsort(order).tolist())
        return in_order(shape, dtype)

    def in_order(shape: tuple[int, ...], dtype: DType) -> AnyArray:
        return bernoulli_(empty(shape, dtype=dtype), 1 - p).node._value  # type: ignore[no-any-return]  # an array

    return draw


def _given(input: Tensor, node: Node, inplace: bool) -> Tensor:
    if node is input.node:
        return input
    if inplace:
        input.assign(node)
        return input
    return wrap(node)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero each element with probability `p` and scale the others by 1 / (1 - p).

    Raises ValueError for a probability outside [0, 1].
    """
    return _given(input, drop("dropout", input, p, training, _drawn(p, input), False, False), inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, L) or (C, L); see `nngrad.functional.dropout1d`."""
    return _given(input, drop_channels("dropout1d", input, p, training, _drawn(p), 1), inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, H, W); see `nngrad.functional.dropout2d`."""
    return _given(input, drop_channels("dropout2d", input, p, training, _drawn(p), 2), inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W); see `nngrad.functional.dropout3d`."""
    return _given(input, drop_channels("dropout3d", input, p, training, _drawn(p), 3), inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean 0 and variance 1 behind selu; see `nngrad.functional.alpha_dropout`."""
    return _given(input, drop("alpha_dropout", input, p, training, _drawn(p, input), False, True), inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels; see `nngrad.functional.feature_alpha_dropout`."""
    return _given(input, drop("feature_alpha_dropout", input, p, training, _drawn(p), True, True), inplace)

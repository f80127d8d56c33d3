"""A softmax over many classes, rare ones in clusters, as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...creation import Device
from ...dtypes import DTypeLike
from ...operations import cat
from ...tensor import Tensor
from .. import functional as F
from ..containers import ModuleList, Sequential
from ..module import Module
from .linear import Linear


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log probabilities of `n_classes` classes, sorted from frequent to rare, and their mean loss.

    cutoffs: where clusters of classes begin; each costs `div_value` times less than the one before.
    Raises ValueError for cutoffs that are not increasing or out of range. Grave et al., "Efficient
    softmax approximation for GPUs" (2017).
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        starts = list(cutoffs)
        if not starts:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            any(int(c) != c for c in starts)
            or starts != sorted(set(starts))
            or starts[0] <= 0
            or starts[-1] > n_classes - 1
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
                "where each value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs: list[int] = [*starts, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size: int = starts[0]
        self.n_clusters: int = len(starts)
        self.head_size: int = self.shortlist_size + self.n_clusters
        self.head: Linear = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail: ModuleList[Sequential[Linear]] = ModuleList()
        for i, (start, stop) in enumerate(zip(starts, self.cutoffs[1:])):
            between = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(
                    Linear(in_features, between, False, device, dtype),
                    Linear(between, stop - start, False, device, dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draw the first values anew."""
        self.head.reset_parameters()
        for projection in self.tail:
            for linear in projection:
                linear.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """(N, in_features) and classes (N,), or (in_features,) and (): log probabilities and the loss.

        Raises RuntimeError for other shapes and classes out of range.
        """
        ranks = {1: 2, 0: 1}
        if target_.ndim not in ranks:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if input_.ndim != ranks[target_.ndim]:
            raise RuntimeError(
                f"{target_.ndim}D target tensor expects {ranks[target_.ndim]}D input tensors, but found "
                f"inputs with size {tuple(input_.shape)}"
            )
        alone = target_.ndim == 0
        input, target = (input_.unsqueeze(0), target_.unsqueeze(0)) if alone else (input_, target_)
        if input.shape[0] != target.shape[0]:
            raise RuntimeError(
                "Input and target should have the same size in the batch dimension, got "
                f"{input.shape[0]} and {target.shape[0]}."
            )
        classes = target.node.data
        if classes.size and not (classes.min() >= 0 and classes.max() < self.n_classes):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{classes.min()}, {classes.max()}] were found."
            )
        inside = input.new_zeros(input.shape[0])
        at = target.clone()
        for i, (start, stop) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            rows = ((target >= start) & (target < stop)).nonzero().squeeze(1)
            if rows.numel():
                logits = self.tail[i](input.index_select(0, rows))
                own = (target.index_select(0, rows) - start).unsqueeze(1)
                found = F.log_softmax(logits, 1).gather(1, own).squeeze(1)
                inside = inside.index_copy(0, rows, found)
                at.index_fill_(0, rows, self.shortlist_size + i)
        chosen = F.log_softmax(self.head(input), 1).gather(1, at.unsqueeze(1)).squeeze(1)
        output = inside + chosen
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if alone else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log probabilities of all classes: (N, in_features) to (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, projection in enumerate(self.tail):
            among = F.log_softmax(projection(input), 1)
            parts.append(among + head[:, self.shortlist_size + i].unsqueeze(1))
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each row, as PyTorch finds it: the head's, if that is no cluster."""
        best = self.head(input).argmax(1)
        if (best < self.shortlist_size).all():
            return best
        return best.where(best < self.shortlist_size, self.log_prob(input).argmax(1))

"""Optimisers that divide by the root of the gradient's mean square: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

import numpy as np

from ..functional.optim import squares
from ..functional.optim.pure import filled
from ..lifting import wrap
from ..tensor import Tensor, node_from
from .flat import FlatOptimizer
from .optimizer import Params


class Adagrad(FlatOptimizer):
    """Adagrad, as `torch.optim.Adagrad`.

    foreach, fused: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = squares.ADAGRAD

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            eps=eps,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            fused=fused,
        )
        for group in self.param_groups:
            for p in group["params"]:  # from the start, as PyTorch has it
                first = filled(p.node._value, group["initial_accumulator_value"])
                steps = wrap(node_from(np.zeros((), np.float32)))
                self.state[p] = {"step": steps, "sum": wrap(node_from(first))}


class Adadelta(FlatOptimizer):
    """Adadelta, as `torch.optim.Adadelta`.

    foreach, capturable: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = squares.ADADELTA

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            rho=rho,
            eps=eps,
            weight_decay=weight_decay,
            maximize=maximize,
            capturable=capturable,
            foreach=foreach,
            differentiable=differentiable,
        )


class RMSprop(FlatOptimizer):
    """RMSprop, as `torch.optim.RMSprop`.

    foreach, capturable: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = squares.RMSPROP

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            alpha=alpha,
            eps=eps,
            centered=centered,
            weight_decay=weight_decay,
            capturable=capturable,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
        )

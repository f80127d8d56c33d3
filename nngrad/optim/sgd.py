"""Optimisers that follow the gradient or its sign: SGD, ASGD, Rprop."""

from __future__ import annotations

from ..functional.optim import descent
from ..tensor import Tensor
from .flat import FlatOptimizer
from .optimizer import Params


class SGD(FlatOptimizer):
    """Stochastic gradient descent with momentum, as `torch.optim.SGD`.

    foreach, fused: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = descent.SGD

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
            foreach=foreach,
            differentiable=differentiable,
            fused=fused,
        )


class ASGD(FlatOptimizer):
    """Averaged stochastic gradient descent, as `torch.optim.ASGD`; the average is the state's `ax`.

    foreach, capturable: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = descent.ASGD

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lambd=lambd,
            alpha=alpha,
            t0=t0,
            weight_decay=weight_decay,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            capturable=capturable,
        )


class Rprop(FlatOptimizer):
    """Resilient backpropagation, as `torch.optim.Rprop`: `lr` is the size of the first step only.

    foreach, capturable: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = descent.RPROP

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            etas=etas,
            step_sizes=step_sizes,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            capturable=capturable,
        )

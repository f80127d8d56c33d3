"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from ..functional.optim import Kernel, SGDHyper, check_sgd, sgd_buffers, sgd_kernel
from ..tensor import Tensor
from .flat import FlatOptimizer
from .optimizer import ParamGroup, Params


class SGD(FlatOptimizer):
    """Stochastic gradient descent with momentum, as `torch.optim.SGD`.

    foreach, differentiable, fused: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers.
    """

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
        check_sgd(SGDHyper(number(lr), momentum, dampening, weight_decay, nesterov, maximize))
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _rule(self, group: ParamGroup) -> tuple[Kernel, Any, tuple[str, ...]]:
        hyper = SGDHyper(
            number(group["lr"]),
            group["momentum"],
            group["dampening"],
            group["weight_decay"],
            group["nesterov"],
            group["maximize"],
        )
        return sgd_kernel, hyper, sgd_buffers(hyper)


def number(value: float | Tensor) -> float:
    """A hyper-parameter as a Python number; PyTorch allows tensors of one element."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(value.shape)}")
        return float(value.reshape(()))
    return value

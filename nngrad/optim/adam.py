"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from ..functional.optim import AdamHyper, Kernel, adam_buffers, adam_kernel, check_adam
from ..tensor import Tensor
from .flat import FlatOptimizer
from .optimizer import ParamGroup, Params
from .sgd import number


class Adam(FlatOptimizer):
    """Adam, as `torch.optim.Adam`.

    foreach, capturable, differentiable, fused: accepted for PyTorch's sake, without effect.
    decoupled_weight_decay: decay the weights as AdamW does.
    Raises ValueError for invalid numbers.
    """

    _counts = True

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_adam(AdamHyper(number(lr), betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay))
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _rule(self, group: ParamGroup) -> tuple[Kernel, Any, tuple[str, ...]]:
        hyper = AdamHyper(
            number(group["lr"]),
            group["betas"],
            group["eps"],
            group["weight_decay"],
            group["amsgrad"],
            group["maximize"],
            group["decoupled_weight_decay"],
        )
        return adam_kernel, hyper, adam_buffers(hyper)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient, as `torch.optim.AdamW`.

    foreach, capturable, differentiable, fused: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # whoever saved it: this is AdamW
            group["decoupled_weight_decay"] = True

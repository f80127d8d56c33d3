"""Adam and its kin: AdamW, NAdam, RAdam, Adamax."""

from __future__ import annotations

from typing import Any

from ..functional.optim import moments
from ..tensor import Tensor
from .flat import FlatOptimizer, number
from .optimizer import Params


class Adam(FlatOptimizer):
    """Adam, as `torch.optim.Adam`.

    foreach, capturable, fused: accepted for PyTorch's sake, without effect.
    decoupled_weight_decay: decay the weights as AdamW does.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = moments.ADAM

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
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
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        super().__init__(
            params,
            lr=lr,
            betas=(number(betas[0]), number(betas[1])),
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )


class AdamW(Adam):
    """Adam with weight decay apart from the gradient, as `torch.optim.AdamW`.

    foreach, capturable, fused: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
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


class NAdam(FlatOptimizer):
    """Adam with Nesterov's momentum, as `torch.optim.NAdam`.

    foreach, capturable: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = moments.NADAM

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
        )


class RAdam(FlatOptimizer):
    """Rectified Adam, as `torch.optim.RAdam`.

    foreach, capturable: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = moments.RADAM

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            decoupled_weight_decay=decoupled_weight_decay,
            differentiable=differentiable,
        )


class Adamax(FlatOptimizer):
    """Adam by the largest gradient in the place of the root, as `torch.optim.Adamax`.

    foreach, capturable: accepted for PyTorch's sake, without effect.
    Raises ValueError for invalid numbers, NotImplementedError for differentiable=True.
    """

    _formula = moments.ADAMAX

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            capturable=capturable,
        )

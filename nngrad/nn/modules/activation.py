"""Activations as layers: any shape to the same shape, element by element unless they say otherwise."""

from __future__ import annotations

from typing import ClassVar, Literal

from ...creation import Device
from ...dtypes import DTypeLike
from ...functional.warn import warn_user
from ...tensor import Tensor
from .. import functional as F, init as first
from ..parameter import Parameter
from .attention import MultiheadAttention as MultiheadAttention  # where PyTorch has it
from .layer import Layer, empty_parameter


class _InPlace(Layer):
    """An activation that may write its result to its input."""

    _given: ClassVar[tuple[str, ...]] = ("inplace",)
    _shown: ClassVar[tuple[str, ...] | None] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        told = [f"{name}={getattr(self, name)}" for name in self._shown or ()]
        return ", ".join([*told, "inplace=True"] if self.inplace else told)


class Threshold(_InPlace):
    """The input above the threshold, else `value`."""

    _function = F.threshold
    _given = ("threshold", "value", "inplace")
    _shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value


class ReLU(_InPlace):
    """`max(input, 0)`."""

    def forward(self, input: Tensor) -> Tensor:
        return input.relu_() if self.inplace else input.relu()


class RReLU(_InPlace):
    """Below 0 times a slope drawn from [lower, upper] in training, its mean otherwise."""

    _function = F.rrelu
    _given = ("lower", "upper", "training", "inplace")
    _shown = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper


class Hardtanh(_InPlace):
    """The input limited to [min_val, max_val]. Raises AssertionError if that is empty."""

    _function = F.hardtanh
    _given = ("min_val", "max_val", "inplace")
    _shown: ClassVar[tuple[str, ...] | None] = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for old, new in ((min_value, "min"), (max_value, "max")):
            if old is not None:
                text = f"keyword argument `{new}_value` is deprecated and renamed to `{new}_val`"
                warn_user(text, FutureWarning)
        self.min_val: float = min_val if min_value is None else min_value
        self.max_val: float = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")


class ReLU6(Hardtanh):
    """The input limited to [0, 6]."""

    _shown = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Sigmoid(Layer):
    """`1 / (1 + exp(-input))`."""

    _function = Tensor.sigmoid


class Hardsigmoid(_InPlace):
    """`input / 6 + 1 / 2` limited to [0, 1]."""

    _function = F.hardsigmoid

    def extra_repr(self) -> str:
        return ""


class Tanh(Layer):
    """The hyperbolic tangent."""

    _function = Tensor.tanh


class SiLU(_InPlace):
    """`input * sigmoid(input)`."""

    _function = F.silu


class Mish(_InPlace):
    """`input * tanh(softplus(input))`."""

    _function = F.mish


class Hardswish(_InPlace):
    """`input * hardsigmoid(input)`."""

    _function = F.hardswish

    def extra_repr(self) -> str:
        return ""


class ELU(_InPlace):
    """The input, or `alpha * (exp(input) - 1)` below 0."""

    _function = F.elu
    _given = ("alpha", "inplace")
    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class CELU(_InPlace):
    """The input, or `alpha * (exp(input / alpha) - 1)` below 0."""

    _function = F.celu
    _given = ("alpha", "inplace")
    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha


class SELU(_InPlace):
    """The scaled elu, which keeps mean 0 and variance 1."""

    _function = F.selu


class GLU(Layer):
    """One half of the input along `dim` times the sigmoid of the other: the size of `dim` is halved."""

    _function = F.glu
    _given = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim


class GELU(Layer):
    """`input * P(N <= input)` with a normal N; approximate: "none", or "tanh" for the usual formula."""

    _function = F.gelu
    _given = ("approximate",)

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        super().__init__()
        self.approximate: Literal["none", "tanh"] = approximate

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Hardshrink(Layer):
    """The input, or 0 within [-lambd, lambd]."""

    _function = F.hardshrink
    _given = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class LeakyReLU(_InPlace):
    """The input, or `negative_slope * input` below 0."""

    _function = F.leaky_relu
    _given = ("negative_slope", "inplace")
    _shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope


class LogSigmoid(Layer):
    """The logarithm of the sigmoid."""

    _function = F.logsigmoid


class Softplus(Layer):
    """`log(1 + exp(beta * input)) / beta`; the input itself where `beta * input` is above the threshold."""

    _function = F.softplus
    _given = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class Softshrink(Layer):
    """The input moved towards 0 by `lambd`, at most to 0."""

    _function = F.softshrink
    _given = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class PReLU(Layer):
    """The input, or `weight * input` below 0.

    weight: (num_parameters,), one slope for all or one per channel (dimension 1); all `init` at first.
    """

    _function = F.prelu
    _given = ("weight",)
    _shown = ("num_parameters",)

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight: Parameter = empty_parameter(self, num_parameters, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to their first value."""
        first.constant_(self.weight, self.init)


class Softsign(Layer):
    """`input / (1 + |input|)`."""

    _function = F.softsign


class Tanhshrink(Layer):
    """`input - tanh(input)`."""

    _function = F.tanhshrink


class _Softmax(Layer):
    """What depends on all elements along `dim`; without one it warns and takes 0 or 1, as PyTorch does."""

    _given = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmin(_Softmax):
    """The softmax of the negative input."""

    _function = F.softmin


class Softmax(_Softmax):
    """`exp(input)` scaled to add up to 1 along `dim`."""

    _function = F.softmax


class LogSoftmax(_Softmax):
    """The logarithm of `Softmax`."""

    _function = F.log_softmax


class Softmax2d(Layer):
    """The softmax over the channels of (N, C, H, W) or (C, H, W). Raises ValueError for another rank."""

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)

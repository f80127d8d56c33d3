"""Activations on tensors, some also in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from .. import dtypes, random
from ..dtypes import DTypeLike
from ..functional import networks as F
from ..functional.node import Node, Operand
from ..functional.warn import warn_user
from ..lifting import lift, lift_, wrap
from ..tensor import Tensor

gelu: Final = lift(F.gelu)
glu: Final = lift(F.glu)
hardshrink: Final = lift(F.hardshrink)
logsigmoid: Final = lift(F.logsigmoid)
prelu: Final = lift(F.prelu)
softplus: Final = lift(F.softplus)
softshrink: Final = lift(F.softshrink)
softsign: Final = lift(F.softsign)
tanhshrink: Final = lift(F.tanhshrink)
celu_: Final = lift_(F.celu)
elu_: Final = lift_(F.elu)
hardtanh_: Final = lift_(F.hardtanh)
leaky_relu_: Final = lift_(F.leaky_relu)
selu_: Final = lift_(F.selu)
threshold_: Final = lift_(F.threshold)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """`max(input, 0)`, element by element."""
    return input.relu_() if inplace else input.relu()


def relu_(input: Tensor) -> Tensor:
    """`max(input, 0)`, in place."""
    return input.relu_()


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """elu with a continuous derivative for every alpha; see `nngrad.functional.celu`."""
    return celu_(input, alpha) if inplace else wrap(F.celu(input, alpha))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`input`, or `alpha * (exp(input) - 1)` below 0; see `nngrad.functional.elu`."""
    return elu_(input, alpha) if inplace else wrap(F.elu(input, alpha))


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """`input` limited to [min_val, max_val]; see `nngrad.functional.hardtanh`."""
    return hardtanh_(input, min_val, max_val) if inplace else wrap(F.hardtanh(input, min_val, max_val))


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`input`, or `negative_slope * input` below 0; see `nngrad.functional.leaky_relu`."""
    return leaky_relu_(input, negative_slope) if inplace else wrap(F.leaky_relu(input, negative_slope))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`input` above the threshold, else `value`; see `nngrad.functional.threshold`."""
    return threshold_(input, threshold, value) if inplace else wrap(F.threshold(input, threshold, value))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """`input / 6 + 1 / 2` limited to [0, 1]; see `nngrad.functional.hardsigmoid`."""
    return _either(F.hardsigmoid, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """`input * hardsigmoid(input)`; see `nngrad.functional.hardswish`."""
    return _either(F.hardswish, input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """`input * tanh(softplus(input))`; see `nngrad.functional.mish`."""
    return _either(F.mish, input, inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """`input` limited to [0, 6]; see `nngrad.functional.relu6`."""
    return _either(F.relu6, input, inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The scaled elu; see `nngrad.functional.selu`."""
    return _either(F.selu, input, inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """`input * sigmoid(input)`; see `nngrad.functional.silu`."""
    return _either(F.silu, input, inplace)


def _either(function: Callable[[Operand], Node], input: Tensor, inplace: bool) -> Tensor:
    node = function(input)
    if not inplace:
        return wrap(node)
    input.assign(node)
    return input


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """leaky_relu with slopes that the default generator draws in training; see `nngrad.functional.rrelu`."""
    slopes = None
    if training:
        value = input.node._value
        slopes = np.ones(value.shape, value.dtype)
        below = np.less_equal(value, 0)  # PyTorch draws for these alone
        drawn = random.default_generator.uniform(int(np.count_nonzero(below)), np.dtype(np.float64))
        slopes[below] = drawn * (upper - lower) + lower
    return _either(lambda x: F.rrelu(x, lower, upper, training, slopes=slopes), input, inplace)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """`rrelu`, in place."""
    return rrelu(input, lower, upper, training, True)


def softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """`exp(input)` scaled to add up to 1 along `dim`, computed in `dtype` if it is given.

    Without `dim` warns and takes 0 for inputs of 0, 1 or 3 dimensions, else 1, as PyTorch does.
    """
    dim = _implicit("softmax", input) if dim is None else dim
    return input.softmax(dim, dtype=None if dtype is None else dtypes.to_numpy(dtype))


def softmin(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """The softmax of `-input`."""
    dim = _implicit("softmin", input) if dim is None else dim
    return wrap(F.softmin(input, dim, dtype=None if dtype is None else dtypes.to_numpy(dtype)))


def log_softmax(input: Tensor, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """The logarithm of `softmax`."""
    dim = _implicit("log_softmax", input) if dim is None else dim
    return input.log_softmax(dim, dtype=None if dtype is None else dtypes.to_numpy(dtype))


def _implicit(name: str, input: Tensor) -> int:
    warn_user(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument."
    )
    return 0 if input.ndim in (0, 1, 3) else 1

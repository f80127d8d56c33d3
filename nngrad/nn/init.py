"""First values for parameters: for the same seed the ones that PyTorch gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, Literal, ParamSpec, TypeAlias

import numpy as np

from .. import random
from ..autograd import no_grad
from ..functional.node import seal
from ..functional.warn import warn_user
from ..random import Generator
from ..tensor import Tensor

P = ParamSpec("P")
Nonlinearity: TypeAlias = Literal[
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "selu",
]
FanMode: TypeAlias = Literal["fan_in", "fan_out"]


def calculate_gain(nonlinearity: Nonlinearity, param: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity; `param` is leaky_relu's slope.

    Raises ValueError for an unknown nonlinearity.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in ("linear", "sigmoid") or nonlinearity.startswith("conv"):
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers in [a, b)."""
    return random.uniform_(tensor, a, b, generator)


@no_grad()
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers."""
    return random.normal_(tensor, mean, std, generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers, those outside [a, b] drawn again.

    Raises ValueError unless a < b and std > 0. Warns where mean is more than 2 std from [a, b].
    """
    if not (a < b and std > 0):
        raise ValueError(f"trunc_normal_: expected a < b and std > 0, got a={a}, b={b}, std={std}")
    if mean < a - 2 * std or mean > b + 2 * std:
        warn_user(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect."
        )
    low, high = (0.5 * math.erfc((mean - bound) / (std * math.sqrt(2.0))) for bound in (a, b))
    drawn = tensor.detach().clone()
    if high - low > 0.3:
        values = random.normal_(drawn, mean, std, generator).node._value
        bounds = [values.dtype.type(bound) for bound in (a, b)]
        while (outside := (values < bounds[0]) | (values > bounds[1])).any():
            again = random.normal_(drawn, mean, std, generator).node._value
            values = np.where(outside, again, values)
    else:  # few normal numbers would fall inside: accept uniform ones by their density
        peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
        values, pending = drawn.node._value, np.ones(tensor.shape, np.bool_)
        while pending.any():
            candidates = random.uniform_(drawn, a, b, generator).node._value
            values = np.where(pending, candidates, values)
            density = ((candidates - mean) / std) ** 2 * -0.5 - peak
            with np.errstate(divide="ignore"):
                pending &= np.log(random.uniform_(drawn, generator=generator).node._value) > density
    tensor.assign(seal(values))
    return tensor


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number."""
    return tensor.fill_(val)


@no_grad()
def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return tensor.fill_(1.0)


@no_grad()
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return tensor.zero_()


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity. Raises ValueError unless it has 2 dimensions."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: Only tensors with 2 dimensions are supported, got shape {tensor.shape}")
    tensor.assign(seal(np.eye(*tensor.shape, dtype=tensor.node.dtype)))
    return tensor


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it gives its input channels, as many as it can.

    tensor: (out, in / groups, ...), with 3 to 5 dimensions. Raises ValueError for another number of
    them, and for output channels that the groups do not divide.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(
            f"dirac_: Only tensors with 3, 4, or 5 dimensions are supported, got shape {tuple(tensor.shape)}"
        )
    if tensor.shape[0] % groups != 0:
        raise ValueError(f"dirac_: dim 0 must be divisible by groups, got {tensor.shape[0]} and {groups}")
    filled = np.zeros(tensor.shape, tensor.node.dtype)
    each = tensor.shape[0] // groups
    middle: Any = (slice(None), slice(None), *[size // 2 for size in tensor.shape[2:]])
    for channel in range(min(each, tensor.shape[1])):
        filled[middle][channel::each, channel] = 1
    tensor.assign(seal(filled))
    return tensor


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill a matrix with normal numbers, and each column with zeros in that fraction of its rows.

    Raises ValueError unless it has 2 dimensions. Martens, "Deep learning via Hessian-free
    optimization" (2010).
    """
    if tensor.ndim != 2:
        raise ValueError(
            f"sparse_: Only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}"
        )
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    random.normal_(tensor, 0.0, std, generator)
    values = np.array(tensor.node._value)
    for column in range(columns):
        values[random.randperm(rows).node._value[:zeros], column] = 0
    tensor.assign(seal(values))
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output sees, and how many outputs each input reaches."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions "
            f"(shape {tensor.shape})"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    modes = ("fan_in", "fan_out")
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {list(modes)}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: Nonlinearity) -> float | None:
    """None for a tensor without elements, which is left as it is."""
    if 0 in tensor.shape:
        warn_user("Initializing zero-element tensors is a no-op")
        return None
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers of variance 2 gain² / (fan_in + fan_out) (Glorot and Bengio, 2010).

    Raises ValueError for fewer than 2 dimensions.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers of variance 2 gain² / (fan_in + fan_out) (Glorot and Bengio, 2010).

    Raises ValueError for fewer than 2 dimensions.
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: FanMode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with uniform numbers of variance gain² / fan (He et al., 2015); `a` is leaky_relu's slope.

    Raises ValueError for fewer than 2 dimensions or an unknown mode or nonlinearity.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: FanMode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers of variance gain² / fan (He et al., 2015); `a` is leaky_relu's slope.

    Raises ValueError for fewer than 2 dimensions or an unknown mode or nonlinearity.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a random (semi-)orthogonal matrix, the dimensions after the first taken as one.

    Raises ValueError for fewer than 2 dimensions. Saxe et al., 2013.
    """
    if tensor.ndim < 2:
        raise ValueError(
            f"orthogonal_: Only tensors with 2 or more dimensions are supported, got {tensor.shape}"
        )
    if not tensor.numel():
        return tensor
    drawn = random.normal_(tensor.detach().clone(), 0.0, 1.0, generator).node._value
    drawn = drawn.reshape(len(drawn), -1)
    wide = drawn.shape[0] < drawn.shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diagonal(r))  # so that q is uniformly distributed: Mezzadri, math-ph/0609050
    tensor.assign(seal(((q.T if wide else q) * drawn.dtype.type(gain)).reshape(tensor.shape)))
    return tensor


def _deprecated(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """PyTorch's first name of a function, without the underscore: it warns."""

    @wraps(function)
    def old(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        new = function.__name__
        warn_user(f"`nn.init.{new[:-1]}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning)
        return function(*args, **kwargs)

    return old


uniform: Final = _deprecated(uniform_)
normal: Final = _deprecated(normal_)
constant: Final = _deprecated(constant_)
eye: Final = _deprecated(eye_)
dirac: Final = _deprecated(dirac_)
xavier_uniform: Final = _deprecated(xavier_uniform_)
xavier_normal: Final = _deprecated(xavier_normal_)
kaiming_uniform: Final = _deprecated(kaiming_uniform_)
kaiming_normal: Final = _deprecated(kaiming_normal_)
orthogonal: Final = _deprecated(orthogonal_)
sparse: Final = _deprecated(sparse_)

"""Random numbers of more distributions: for the same seed the ones that PyTorch draws on a CPU.

They equal PyTorch's up to the rounding of the functions of mathematics in them. `random.py` has the
uniform and the normal ones, integers and permutations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np

from .creation import made, multiply_add
from .dtypes import DTypeLike
from .generator import Generator, default_generator
from .random import fill, floating, randn
from .tensor import Tensor

if TYPE_CHECKING:
    from typing import Unpack

    from .devices import Place

_DOUBLE = np.dtype(np.float64)


@overload
def normal(mean: Tensor, std: Tensor | float = 1.0, *, generator: Generator | None = None) -> Tensor: ...
@overload
def normal(mean: float, std: Tensor, *, generator: Generator | None = None) -> Tensor: ...
@overload
def normal(
    mean: float,
    std: float,
    size: Sequence[SupportsIndex],
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor: ...
def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[SupportsIndex] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Any,
) -> Tensor:
    """Normal numbers, each of its own mean and standard deviation (they broadcast), or all of one.

    mean, std: tensors or numbers; size: the shape where both are numbers. Raises RuntimeError for a
    negative std or shapes that do not fit, TypeError for numbers without a size and for a size beside
    a tensor.

    >>> normal(0.0, 1.0, (2, 3)).shape
    nngrad.Size([2, 3])
    """
    given = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not given:
        if size is None:
            raise TypeError("normal: a size is needed where mean and std are numbers")
        _check_std(std)
        drawn = randn(size=size, generator=generator, dtype=dtype, **place)
        value = drawn.node._value
        if value.dtype.char == "e":
            value = value.astype(np.float32)
        scaled = multiply_add(value, float(std), float(mean)).astype(drawn.node.dtype)
        return made(scaled, requires_grad)
    if size is not None or dtype is not None or place or requires_grad:
        raise TypeError(
            "normal: size, dtype, place and requires_grad are for numbers; a tensor decides itself"
        )
    _check_std(std)
    values = [x.node._value if isinstance(x, Tensor) else x for x in (mean, std)]
    real = floating("normal", given[0].node.dtype)
    try:
        shape = np.broadcast_shapes(*[x.shape for x in given])
    except ValueError:
        raise RuntimeError(
            f"normal: mean and std do not broadcast: {given[0].shape}, {given[-1].shape}"
        ) from None
    unit = (generator or default_generator).normal(math.prod(shape), real).astype(real, copy=False)
    return made(np.asarray(np.add(np.multiply(unit.reshape(shape), values[1]), values[0]), real))


def _check_std(std: Tensor | float) -> None:
    smallest = np.min(std.node._value, initial=0.0) if isinstance(std, Tensor) else std
    if not smallest >= 0:
        raise RuntimeError(f"normal expects all elements of std >= 0.0, but found {smallest}")


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices into the last dimension, each drawn with a chance in proportion to its weight.

    input: non-negative weights, (m,) or (n, m), which need not add up to 1. Gives int64 of shape
    (num_samples,) or (n, num_samples). replacement: whether an index may be drawn again. Raises
    RuntimeError for weights that are no weights, or more samples than there are without replacement.

    >>> from nngrad import tensor
    >>> multinomial(tensor([0.0, 1.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """
    weights = input.node._value
    if weights.dtype.kind != "f":
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {weights.dtype}")
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, got shape {weights.shape}")
    if num_samples <= 0:
        raise RuntimeError(f"multinomial: cannot sample n_sample <= 0 samples, got {num_samples}")
    if num_samples > weights.shape[-1] and (not replacement or not weights.shape[-1]):
        raise RuntimeError(
            f"multinomial: cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"{num_samples} of {weights.shape[-1]}"
        )
    if not np.all(np.logical_and(weights >= 0, weights < np.inf)):
        raise RuntimeError("multinomial: probability tensor contains either `inf`, `nan` or element < 0")
    if not np.all(np.sum(weights, axis=-1, dtype=np.float64) > 0):
        raise RuntimeError("multinomial: invalid multinomial distribution (sum of probabilities <= 0)")
    source = generator or default_generator
    real = np.dtype(np.float64 if weights.dtype.char == "d" else np.float32)
    if not replacement or num_samples == 1:
        # the smallest of exponential waiting times, whose rates are the weights
        waits = _exponential(source, weights.size).astype(weights.dtype).reshape(weights.shape)
        with np.errstate(all="ignore"):
            keys = np.divide(weights, waits)
        if num_samples == 1:
            np.copyto(keys, 0, where=np.equal(weights, 0))  # not NaN, where the wait was rounded to 0
            return made(keys.argmax(-1, keepdims=True))
        first = np.argsort(-keys, axis=-1, kind="stable")[..., :num_samples]
        return made(first.astype(np.int64))
    uniform = source.uniform(weights.size // weights.shape[-1] * num_samples, _DOUBLE).reshape(
        -1, num_samples
    )
    sums = np.cumsum(weights.reshape(-1, weights.shape[-1]), axis=-1, dtype=real)
    sums /= sums[:, -1:].copy()
    drawn = [np.searchsorted(s.astype(np.float64), u) for s, u in zip(sums, uniform)]
    return made(np.array(drawn, np.int64).reshape(*weights.shape[:-1], num_samples))


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of events, whose expected numbers are the elements of `input`; in its shape and dtype.

    Raises RuntimeError for a negative element, NotImplementedError unless the dtype is floating.

    >>> from nngrad import zeros
    >>> poisson(zeros(2))
    tensor([0., 0.])
    """
    real = floating("poisson", input.node.dtype)
    rates = input.node._value
    if not np.all(rates >= 0):
        raise RuntimeError("poisson: invalid Poisson rate, expected rate to be non-negative")
    source = generator or default_generator

    def uniform() -> float:
        return float(source.uniform(1, _DOUBLE)[0])

    counts = [_count(rate, uniform) for rate in rates.astype(np.float64).ravel().tolist()]
    return made(np.array(counts, np.float64).astype(real).reshape(rates.shape))


def _count(rate: float, uniform: Callable[[], float]) -> float:
    """One number of a Poisson distribution; from a rate of 10 on by W. Hoermann's PTRS (1993)."""
    if rate == 0:
        return 0
    if rate < 10:
        limit, product, count = math.exp(-rate), uniform(), 0
        while product > limit:
            product *= uniform()
            count += 1
        return count
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    bound = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43) if us else -1
        if us >= 0.07 and v <= bound:
            return k
        if k < 0 or (us < 0.013 and v > us) or not v:
            continue
        accepted = -rate + k * math.log(rate) - math.lgamma(k + 1)
        if math.log(v) + math.log(inverse) - math.log(a / (us * us) + b) <= accepted:
            return k


# ---------------------------------------------------------------- in place


def _exponential(source: Generator, count: int) -> Any:
    return np.negative(np.log1p(np.negative(source.uniform(count, _DOUBLE))))


def exponential_(tensor: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill a tensor with waiting times for what happens `lambd` times in a unit of time.

    Raises RuntimeError unless lambd > 0, for a dtype that is not floating, or for a leaf that
    requires grad while operations are recorded.
    """
    source = _prepared("exponential_", tensor, generator, "lambda", lambd)
    return fill(tensor, _exponential(source, tensor.numel()) / lambd)


def cauchy_(
    tensor: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill a tensor with numbers of the Cauchy distribution about a median.

    Raises RuntimeError unless sigma > 0, for a dtype that is not floating, or for a leaf that
    requires grad while operations are recorded.
    """
    source = _prepared("cauchy_", tensor, generator, "sigma", sigma)
    return fill(tensor, median + sigma * np.tan(math.pi * (source.uniform(tensor.numel(), _DOUBLE) - 0.5)))


def log_normal_(
    tensor: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Fill a tensor with numbers whose logarithms are normal, of that mean and standard deviation.

    Raises RuntimeError unless std > 0, for a dtype that is not floating, or for a leaf that
    requires grad while operations are recorded.
    """
    floating("log_normal_", tensor.node.dtype)
    source = _prepared("log_normal_", tensor, generator, "std", std)
    with np.errstate(over="ignore"):
        return fill(tensor, np.exp(source.few_normal(tensor.numel()) * std + mean))


def geometric_(tensor: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill a tensor with how many tries it took, each with a chance p of success; at least 1.

    Raises RuntimeError unless p is between 0 and 1, or for a leaf that requires grad while
    operations are recorded.
    """
    tensor.check_writable("geometric_")
    if tensor.node.dtype.kind not in "iuf":
        raise NotImplementedError(f"geometric_: not implemented for {tensor.dtype}")
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    drawn = (generator or default_generator).uniform(tensor.numel(), _DOUBLE)
    with np.errstate(divide="ignore"):
        return fill(tensor, np.ceil(np.log(drawn) / math.log1p(-p)))


def _prepared(op: str, tensor: Tensor, generator: Generator | None, name: str, value: float) -> Generator:
    tensor.check_writable(op)
    if tensor.node.dtype.kind != "f":
        raise RuntimeError(
            f"{op}: a continuous distribution needs a floating-point dtype, got {tensor.dtype}"
        )
    if not value > 0:
        raise RuntimeError(f"{op} expects {name} > 0.0, but found {name}={value}")
    return generator or default_generator

"""Draws of the gamma, Dirichlet and binomial distributions: PyTorch's for the same seed.

And how a draw of the first two moves with its parameters, for gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

import numpy as np

from ..autograd import Function, no_grad
from ..autograd.function import FunctionCtx
from ..creation import made
from ..functional.special import _scipy
from ..generator import Generator, default_generator
from ..tensor import Tensor

_DOUBLE: Final = np.dtype(np.float64)
#: constants that PyTorch has in single precision
_THIRD: Final = float(np.float32(1) / np.float32(3))
_SQUEEZE: Final = float(np.float32(0.0331))


def _uniform(source: Generator) -> float:
    return float(source.uniform(1, _DOUBLE)[0])


def _one_gamma(shape: float, source: Generator, real: Any) -> float:
    """A number of the gamma distribution (Marsaglia and Tsang, 2000)."""
    scale = 1.0
    if shape < 1:
        if shape == 0:
            return 0.0
        scale = float((1 - _uniform(source)) ** float(real(1) / real(shape)))
        shape = float(real(shape) + real(1))
    d = float(real(shape) - real(_THIRD))
    c = 1 / math.sqrt(9 * d)
    while True:
        x = float(source.few_normal(1)[0])
        y = 1 + c * x
        if y <= 0:
            continue
        v = y * y * y
        u = 1 - _uniform(source)
        xx = x * x
        if u < 1 - _SQUEEZE * xx * xx or math.log(u) < 0.5 * xx + d * (1 - v + math.log(v)):
            return scale * d * v


def _gammas(shapes: Any, real: Any) -> Any:
    drawn = [_one_gamma(shape, default_generator, real) for shape in shapes.ravel().tolist()]
    smallest = np.finfo(real).tiny
    return np.maximum(np.array(drawn, np.float64).astype(real), smallest).reshape(shapes.shape)


class _Path(Function):
    """How draws move with their parameters: what computes it has no derivative of its own."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, compute: Callable[..., Tensor], drawn: Tensor, *concentrations: Tensor
    ) -> Tensor:
        return compute(*[concentration.detach() for concentration in concentrations], drawn.detach())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> NoReturn:
        raise RuntimeError("rsample: second derivatives of gamma, beta and Dirichlet samples are not there")


class StandardGamma(Function):
    """Numbers of the gamma distribution of rate 1, differentiable once."""

    @staticmethod
    def forward(ctx: FunctionCtx, concentration: Tensor) -> Tensor:
        """A number for each concentration."""
        value = concentration.detach().node._value
        drawn = made(_gammas(value, value.dtype.type))
        ctx.save_for_backward(concentration, drawn)
        return drawn

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """By how much a number moves with its concentration, if its quantile stays the same."""
        concentration, drawn = ctx.saved_tensors
        path: Any = _Path.apply(gamma_path, drawn, concentration)
        moved: Tensor = grad * path
        return moved


class StandardDirichlet(Function):
    """Points of the Dirichlet distribution, differentiable once."""

    @staticmethod
    def forward(ctx: FunctionCtx, concentration: Tensor) -> Tensor:
        """A point for each row of concentrations."""
        value = concentration.detach().node._value
        gammas = _gammas(value.astype(np.float64), np.float64)
        real = value.dtype.type
        points = (gammas / gammas.sum(-1, keepdims=True)).astype(real)
        below = np.nextafter(np.float32(1), np.float32(0)).astype(real)
        drawn = made(np.clip(points, np.finfo(real).tiny, below))
        ctx.save_for_backward(concentration, drawn)
        return drawn

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """Each coordinate moves as a beta variable, the others make room in proportion."""
        concentration, drawn = ctx.saved_tensors
        total = concentration.sum(-1, True).expand_as(concentration)
        path: Any = _Path.apply(beta_path, drawn, concentration, total - concentration)
        moved: Tensor = path / (1 - drawn) * (grad - (drawn * grad).sum(-1, True))
        return moved


@no_grad()
def gamma_path(concentration: Tensor, drawn: Tensor) -> Tensor:
    """The derivative of a quantile of the gamma distribution with respect to its concentration.

    By implicit differentiation (Figurnov et al., 2018): minus the derivative of the distribution
    function over the density. Raises ImportError without SciPy.
    """
    special = _scipy("Gamma.rsample")
    a, x = _doubles(concentration, drawn)
    with np.errstate(all="ignore"):
        density = (a - 1) * np.log(x) - x - special.gammaln(a)
        moved = _path(lambda a: (special.gammainc(a, x), special.gammaincc(a, x)), a, density)
    return made(np.asarray(moved, drawn.node.dtype))


@no_grad()
def beta_path(concentration1: Tensor, concentration0: Tensor, drawn: Tensor) -> Tensor:
    """The derivative of a quantile of the beta distribution with respect to concentration1.

    See `gamma_path`. Raises ImportError without SciPy.
    """
    special = _scipy("Dirichlet.rsample")
    a, b, x = _doubles(concentration1, concentration0, drawn)
    with np.errstate(all="ignore"):
        density = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
        moved = _path(lambda a: (special.betainc(a, b, x), special.betaincc(a, b, x)), a, density)
    return made(np.asarray(moved, drawn.node.dtype))


def _doubles(*given: Tensor) -> list[Any]:
    return [x.node._value.astype(np.float64) for x in given]


def _path(tails: Callable[[Any], tuple[Any, Any]], a: Any, log_density: Any) -> Any:
    """Minus the derivative of the lower tail by `a` over the density.

    By five points on the logarithm of the smaller tail, which keeps its digits far out.
    """
    lower, upper = tails(a)
    low = lower < upper
    step = 0.01 * np.minimum(a, np.sqrt(a))

    def log_tail(a: Any) -> Any:
        return np.log(np.where(low, *tails(a)))

    rise = 8 * (log_tail(a + step) - log_tail(a - step)) - (log_tail(a + 2 * step) - log_tail(a - 2 * step))
    smaller = np.log(np.where(low, lower, upper))
    return np.where(low, -1, 1) * np.exp(smaller - log_density) * rise / (12 * step)


# ---------------------------------------------------------------- binomial


def binomial(count: Tensor, prob: Tensor) -> Tensor:
    """How many of `count` tries succeed, each with a chance `prob`; of one shape and dtype."""
    source = default_generator
    pairs = zip(count.node._value.ravel().tolist(), prob.node._value.ravel().tolist())
    drawn = [_one_binomial(n, p, source) for n, p in pairs]
    return made(np.array(drawn, np.float64).astype(count.node.dtype).reshape(count.shape))


def _one_binomial(count: float, prob: float, source: Generator) -> float:
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    if prob > 0.5:
        return count - _one_binomial(count, 1 - prob, source)
    if count * prob >= 10:
        return _rejected(count, prob, source)
    waited, successes, log_failure = 0.0, 0, math.log1p(-prob)
    while True:
        u = _uniform(source)
        waited += math.ceil(math.log(u) / log_failure) if u else math.inf
        if waited > count:
            return successes
        successes += 1


def _rejected(count: float, prob: float, source: Generator) -> float:
    """A number of a binomial distribution of many tries (W. Hoermann's BTRS, 1993)."""
    deviation = math.sqrt(count * prob * (1 - prob))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    bound = 0.92 - 4.2 / b
    odds = prob / (1 - prob)
    alpha = (2.83 + 5.1 / b) * deviation
    m = math.floor((count + 1) * prob)
    while True:
        u = _uniform(source) - 0.5
        v = _uniform(source)
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c) if us else -1
        if us >= 0.07 and v <= bound:
            return k
        if k < 0 or k > count or not v:
            continue
        accepted = (
            (m + 0.5) * math.log((m + 1) / (odds * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + (_stirling(m) + _stirling(count - m) - _stirling(k) - _stirling(count - k))
        )
        if math.log(v * alpha / (a / (us * us) + b)) <= accepted:
            return k


def _stirling(k: float) -> float:
    """What Stirling's formula leaves of log(k!)."""
    return math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi))

"""The error function and the gamma function's logarithm, with their kin.

erf, erfc and erfinv are our own; lgamma and digamma need SciPy, the extra `nngrad[scipy]`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .elementary import silent
from .node import Node, Operand, as_node
from .op import Op, apply, as_floating, general, pointwise

#: elements worked on at a time: few enough for the cache, many enough that calls cost little
_BLOCK: Final = 32768

# Coefficients from the highest power to the lowest, numerator and denominator.
# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969):
# erf(x) / x in x**2 up to 0.46875, erfc(x) * exp(x**2) in x up to 4, and its remainder in 1 / x**2.
_NEAR: Final = (
    (1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02, 3.77485237685302021e02,
     3.20937758913846947e03),
    (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03),
)  # fmt: skip
_MIDDLE: Final = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01,
     2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
     1.23033935479799725e03),
    (1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
     3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03),
)  # fmt: skip
_FAR: Final = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e00, 1.87295284992346047e00, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip
# atanh(erf(x)) / x in x**2 up to 4, where float32 reaches 1: a minimax fit, good to 3e-8 of erf
SINGLE: Final = (
    -1.6407367529037132e-9, 5.391626577163128e-8, -5.150963288502113e-7, -1.8610178212944304e-6,
    7.648933150328095e-5, -6.036803462639727e-4, -2.0215252392393048e-4, 1.027713152606615e-1,
    1.1283792022896664,
)  # fmt: skip
# M. J. Wichura, "Algorithm AS241: the percentage points of the normal distribution", Applied
# Statistics 37 (1988): the quantile in the middle, in the tails, and far out in the tails.
_QUANTILE: Final = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
_TAIL: Final = (
    (7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
     1.27045825245236838258, 3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590,
     1.42343711074968357734),
    (1.05075007164441684324e-9, 5.4759380849953449460e-4, 1.51986665636164571966e-2,
     1.48103976427480074590e-1, 6.8976733498510000455e-1, 1.67638483018380384940,
     2.05319162663775882187, 1.0),
)  # fmt: skip
_FAR_TAIL: Final = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580,
     5.46378491116411436990, 6.65790464350110377720),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
     7.868691311456132591e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
     5.99832206555887937690e-1, 1.0),
)  # fmt: skip
_Rational = tuple[tuple[float, ...], tuple[float, ...]]


def _polynomial(coefficients: tuple[float, ...], z: Any) -> Any:
    value = np.multiply(z, coefficients[0])
    # fresh memory for each step would cost more than the step
    own = value if isinstance(value, np.ndarray) else None
    for c in coefficients[1:-1]:
        value = np.multiply(np.add(value, c, out=own), z, out=own)
    return np.add(value, coefficients[-1], out=own)


def _ratio(rational: _Rational, z: Any) -> Any:
    return np.divide(_polynomial(rational[0], z), _polynomial(rational[1], z))


def _in_blocks(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function` of float32 or float64 arrays, for any floating dtype and block by block."""

    @silent
    def forward(x: Any) -> Any:
        if x.dtype.char == "e":
            return forward(x.astype(np.float32)).astype(x.dtype)
        if not isinstance(x, np.ndarray) or x.size <= _BLOCK:
            return function(x)
        flat = x.reshape(-1)
        out = np.empty(flat.shape, x.dtype)
        for start in range(0, flat.size, _BLOCK):
            out[start : start + _BLOCK] = function(flat[start : start + _BLOCK])
        return out.reshape(x.shape)

    return forward


def _erf_near_0(x: Any) -> Any:
    """erf(x) up to |x| = 0.46875, something finite beyond."""
    near = np.clip(x, -0.46875, 0.46875)
    return np.multiply(near, _ratio(_NEAR, np.square(near)))


def _erfc_beyond(y: Any) -> Any:
    """erfc(y) from y = 0.46875 on, something finite before."""
    capped = np.minimum(y, 30.0)  # where erfc is 0
    sixteenths = np.divide(np.trunc(np.multiply(capped, 16.0)), 16.0)  # whose square is exact
    rest = np.multiply(np.subtract(capped, sixteenths), np.add(capped, sixteenths))
    decay = np.multiply(np.exp(np.negative(np.square(sixteenths))), np.exp(np.negative(rest)))
    tail = _ratio(_MIDDLE, np.minimum(y, 4.0))
    beyond = np.greater(y, 4.0)
    if np.any(beyond):
        inverse = np.reciprocal(np.square(np.maximum(y, 4.0)))
        far = np.subtract(1 / math.sqrt(math.pi), np.multiply(inverse, _ratio(_FAR, inverse)))
        tail = np.where(beyond, np.divide(far, y), tail)
    return np.multiply(decay, tail)


def _erf_forward(x: Any) -> Any:
    if x.dtype.char == "f":  # NumPy's tanh of float32 is faster than a division
        return np.tanh(np.multiply(x, _polynomial(SINGLE, np.minimum(np.square(x), 16.0))))
    y = np.absolute(x)
    capped = np.minimum(y, 6.0)  # where it is 1, and _MIDDLE still good for what is left to 1
    tail = np.multiply(np.exp(np.negative(np.square(capped))), _ratio(_MIDDLE, capped))
    return np.where(np.less_equal(y, 0.46875), _erf_near_0(x), np.copysign(np.subtract(1.0, tail), x))


def _erfc_forward(x: Any) -> Any:
    wide = x.astype(np.float64)
    y = np.absolute(wide)
    tail = _erfc_beyond(y)
    far = np.where(np.less(x, 0), np.subtract(2.0, tail), tail)
    return np.where(np.less_equal(y, 0.46875), np.subtract(1.0, _erf_near_0(wide)), far).astype(x.dtype)


def _erfinv_forward(x: Any) -> Any:
    wide = x.astype(np.float64)
    half = np.multiply(wide, 0.5)
    middle = np.multiply(half, _ratio(_QUANTILE, np.subtract(0.180625, np.square(half))))
    y = np.absolute(wide)
    r = np.sqrt(np.negative(np.log(np.multiply(np.subtract(1.0, y), 0.5))))
    tail = np.where(
        np.less_equal(r, 5.0), _ratio(_TAIL, np.subtract(r, 1.6)), _ratio(_FAR_TAIL, np.subtract(r, 5.0))
    )
    tail = np.copysign(np.where(np.equal(y, 1.0), np.full((), np.inf), tail), wide)
    value = np.where(np.less_equal(y, 0.85), middle, tail)
    return np.multiply(value, math.sqrt(0.5)).astype(x.dtype)


def _bell(g: Any, x: Any, factor: float) -> Any:
    return np.multiply(g, np.multiply(np.exp(np.negative(np.square(x))), factor))


erf_op: Final[Op] = pointwise(
    "erf", _in_blocks(_erf_forward), lambda g, _, x: _bell(g, x, 2 / math.sqrt(math.pi)), floats=True
)
_erfc = pointwise(
    "erfc", _in_blocks(_erfc_forward), lambda g, _, x: _bell(g, x, -2 / math.sqrt(math.pi)), floats=True
)
_erfinv = pointwise(
    "erfinv",
    _in_blocks(_erfinv_forward),
    lambda g, out, x: np.multiply(g, np.multiply(np.exp(np.square(out)), math.sqrt(math.pi) / 2)),
    floats=True,
)


def _scipy(op: str) -> Any:
    from importlib import import_module

    try:
        return import_module("scipy.special")
    except ImportError:
        raise ImportError(
            f"{op}: needs SciPy, which comes with the extra: pip install nngrad[scipy]"
        ) from None


@silent
def _polygamma_forward(x: Any, order: int) -> Any:
    special = _scipy("digamma")
    return np.asarray(special.polygamma(order, x) if order else special.psi(x), x.dtype)


def _polygamma_rule(g: Any, _: Any, x: Any, order: int) -> Any:
    return np.multiply(g, polygamma_op(x, order + 1))


@silent
def _lgamma_forward(x: Any) -> Any:
    value = np.asarray(_scipy("lgamma").gammaln(x), x.dtype)
    return np.where(np.isinf(x), np.absolute(x), value)  # C has inf at -inf


polygamma_op: Final[Op] = general("polygamma", _polygamma_forward, _polygamma_rule)
_lgamma = pointwise(
    "lgamma",
    _lgamma_forward,
    lambda g, _, x: np.multiply(g, polygamma_op(x, 0)),
    floats=True,
)


def erf(input: Operand) -> Node:
    """The error function of each element, `2 / sqrt(pi) * integral of exp(-t**2) from 0 to input`.

    >>> erf(np.array([0.0, 1.0])).data.round(4)
    array([0.    , 0.8427])
    """
    return erf_op.call(input)


def erfc(input: Operand) -> Node:
    """`1 - erf(input)`, exact also where that is small.

    >>> erfc(np.array([0.0, 1.0])).data.round(4)
    array([1.    , 0.1573])
    """
    return _erfc.call(input)


def erfinv(input: Operand) -> Node:
    """The inverse of erf: infinite at -1 and 1, NaN beyond.

    >>> erfinv(np.array([0.0, 0.5])).data.round(4)
    array([0.    , 0.4769])
    """
    return _erfinv.call(input)


def lgamma(input: Operand) -> Node:
    """The logarithm of the gamma function's absolute value. Raises ImportError without SciPy.

    >>> lgamma(np.array([1.0, 5.0])).data.round(4)
    array([0.    , 3.1781])
    """
    return _lgamma.call(input)


def digamma(input: Operand) -> Node:
    """The derivative of lgamma. Raises ImportError without SciPy.

    >>> digamma(np.array([1.0])).data.round(4)
    array([-0.5772])
    """
    return apply(polygamma_op, (as_floating(as_node(input)),), (0,))

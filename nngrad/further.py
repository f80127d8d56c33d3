"""Functions that programs use less often, as functions and as methods.

What they are made of, `nngrad.functional.further`, loads when one of them is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from . import functional as F, lifting
from .functional.node import seal
from .functional.reduction import ValuesIndices
from .lifting import wrap
from .naming import given_by

if TYPE_CHECKING:
    from .lifting import Tensor, TensorLike

__all__ = [
    "adjoint",
    "combinations",
    "corrcoef",
    "cov",
    "cumulative_trapezoid",
    "diagonal_scatter",
    "dist",
    "float_power",
    "gcd",
    "heaviside",
    "index_reduce",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "logaddexp2",
    "msort",
    "mvlgamma",
    "nanmedian",
    "nextafter",
    "polygamma",
    "positive",
    "put",
    "renorm",
    "select_scatter",
    "sgn",
    "signbit",
    "sinc",
    "slice_scatter",
    "trapezoid",
    "trapz",
    "unravel_index",
    "vander",
]


def combinations(input: TensorLike, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of `r` elements of a vector, a row each; see `nngrad.functional.combinations`."""
    return wrap(F.combinations(input, r, with_replacement))


def corrcoef(input: TensorLike) -> Tensor:
    """The correlations of variables, one in each row: between -1 and 1; see `nngrad.functional.corrcoef`."""
    return wrap(F.corrcoef(input))


def cov(
    input: TensorLike,
    *,
    correction: int = 1,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
) -> Tensor:
    """The covariances of variables, one in each row; its samples are the columns;
    see `nngrad.functional.cov`."""
    return wrap(F.cov(input, correction=correction, fweights=fweights, aweights=aweights))


def cumulative_trapezoid(
    y: TensorLike, x: TensorLike | None = None, *, dx: TensorLike | None = None, dim: int = -1
) -> Tensor:
    """The integral up to each sample after the first; arguments as of `trapezoid`;
    see `nngrad.functional.cumulative_trapezoid`."""
    return wrap(F.cumulative_trapezoid(y, x, dx=dx, dim=dim))


def diagonal_scatter(
    input: TensorLike, src: TensorLike, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """The input with `src` in place of its diagonal; see `nngrad.functional.diagonal_scatter`."""
    return wrap(F.diagonal_scatter(input, src, offset, dim1, dim2))


def dist(input: TensorLike, other: TensorLike, p: float = 2) -> Tensor:
    """The p-norm of `input - other`; see `nngrad.functional.dist`."""
    return wrap(F.dist(input, other, p))


def fill_diagonal(input: TensorLike, value: TensorLike, wrap: bool = False) -> Tensor:
    """The input with `value` on its main diagonal: where all indices are equal;
    see `nngrad.functional.fill_diagonal`."""
    return lifting.wrap(F.fill_diagonal(input, value, wrap))


def float_power(input: TensorLike, exponent: TensorLike) -> Tensor:
    """Powers in double precision, whatever the dtypes; see `nngrad.functional.float_power`."""
    return wrap(F.float_power(input, exponent))


def float_power_(input: Tensor, exponent: TensorLike) -> Tensor:
    """The tensor to a power, in place. Raises RuntimeError unless it is in double precision itself."""
    found = float_power(input, exponent)
    if found.dtype is not input.dtype:
        raise RuntimeError(f"float_power_: the base has dtype {input.dtype} but the result, {found.dtype}")
    input.assign(found.node)
    return input


def gcd(input: TensorLike, other: TensorLike) -> Tensor:
    """The greatest common divisor of each pair of integers; see `nngrad.functional.gcd`."""
    return wrap(F.gcd(input, other))


def heaviside(input: TensorLike, values: TensorLike) -> Tensor:
    """0 below zero, 1 above, and at zero what `values` says; without gradient;
    see `nngrad.functional.heaviside`."""
    return wrap(F.heaviside(input, values))


def index_reduce(
    input: TensorLike,
    dim: int,
    index: TensorLike,
    source: TensorLike,
    reduce: Literal["prod", "mean", "amax", "amin"],
    *,
    include_self: bool = True,
) -> Tensor:
    """Slices of `source` along a dimension combined into those of the input that `index` names;
    see `nngrad.functional.index_reduce`."""
    return wrap(F.index_reduce(input, dim, index, source, reduce, include_self=include_self))


def isneginf(input: TensorLike) -> Tensor:
    """Whether each element is infinite and negative, as bools; see `nngrad.functional.isneginf`."""
    return wrap(F.isneginf(input))


def isposinf(input: TensorLike) -> Tensor:
    """Whether each element is infinite and positive, as bools; see `nngrad.functional.isposinf`."""
    return wrap(F.isposinf(input))


def isreal(input: TensorLike) -> Tensor:
    """Whether each element has no imaginary part, as bools; see `nngrad.functional.isreal`."""
    return wrap(F.isreal(input))


def lcm(input: TensorLike, other: TensorLike) -> Tensor:
    """The least common multiple of each pair of integers; see `nngrad.functional.lcm`."""
    return wrap(F.lcm(input, other))


def ldexp(input: TensorLike, other: TensorLike) -> Tensor:
    """`input * 2 ** other`, element by element; see `nngrad.functional.ldexp`."""
    return wrap(F.ldexp(input, other))


def logaddexp2(input: TensorLike, other: TensorLike) -> Tensor:
    """`log2(2 ** input + 2 ** other)`, without overflow; see `nngrad.functional.logaddexp2`."""
    return wrap(F.logaddexp2(input, other))


def msort(input: TensorLike) -> Tensor:
    """The elements in order along the first dimension; see `nngrad.functional.msort`."""
    return wrap(F.msort(input))


def mvlgamma(input: TensorLike, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of `p` dimensions;
    see `nngrad.functional.mvlgamma`."""
    return wrap(F.mvlgamma(input, p))


@overload
def nanmedian(input: TensorLike) -> Tensor: ...
@overload
def nanmedian(input: TensorLike, dim: int, keepdim: bool = False) -> ValuesIndices[Tensor]: ...
def nanmedian(
    input: TensorLike, dim: int | None = None, keepdim: bool = False
) -> Tensor | ValuesIndices[Tensor]:
    """The median of the elements that are not NaN; see `nngrad.functional.nanmedian`."""
    found = F.nanmedian(input, dim, keepdim)
    if isinstance(found, ValuesIndices):
        return given_by("nanmedian", ValuesIndices(wrap(found.values), wrap(found.indices)))
    return wrap(found)


def nextafter(input: TensorLike, other: TensorLike) -> Tensor:
    """The next number that the dtype has after each element towards `other`; without gradient;
    see `nngrad.functional.nextafter`."""
    return wrap(F.nextafter(input, other))


def polygamma(n: int, input: TensorLike) -> Tensor:
    """The n-th derivative of digamma; see `nngrad.functional.polygamma`."""
    return wrap(F.polygamma(n, input))


def positive(input: TensorLike) -> Tensor:
    """The input itself; see `nngrad.functional.positive`."""
    return wrap(F.positive(input))


def put(input: TensorLike, index: TensorLike, source: TensorLike, accumulate: bool = False) -> Tensor:
    """The input with elements of `source` at flat positions, which may be negative;
    see `nngrad.functional.put`."""
    return wrap(F.put(input, index, source, accumulate))


def renorm(input: TensorLike, p: float, dim: int, maxnorm: float) -> Tensor:
    """The slices along `dim`, those of a p-norm above `maxnorm` scaled down to it;
    see `nngrad.functional.renorm`."""
    return wrap(F.renorm(input, p, dim, maxnorm))


def select_scatter(input: TensorLike, src: TensorLike, dim: int, index: int) -> Tensor:
    """The input with `src` in place of `input.select(dim, index)`;
    see `nngrad.functional.select_scatter`."""
    return wrap(F.select_scatter(input, src, dim, index))


def sgn(input: TensorLike) -> Tensor:
    """The sign of each element: -1, 0 or 1; for real numbers the same as `sign`;
    see `nngrad.functional.sgn`."""
    return wrap(F.sgn(input))


def signbit(input: TensorLike) -> Tensor:
    """Whether each element is negative, -0.0 included, as bools; see `nngrad.functional.signbit`."""
    return wrap(F.signbit(input))


def sinc(input: TensorLike) -> Tensor:
    """`sin(pi * input) / (pi * input)`, and 1 at 0; see `nngrad.functional.sinc`."""
    return wrap(F.sinc(input))


def slice_scatter(
    input: TensorLike,
    src: TensorLike,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """The input with `src` in place of `input[start:end:step]` along a dimension;
    see `nngrad.functional.slice_scatter`."""
    return wrap(F.slice_scatter(input, src, dim, start, end, step))


def sum_to_size(input: TensorLike, *size: int | tuple[int, ...]) -> Tensor:
    """The sum over the dimensions that broadcasting from that size would add or stretch;
    see `nngrad.functional.sum_to_size`."""
    return wrap(F.sum_to_size(input, *size))


def trapezoid(
    y: TensorLike, x: TensorLike | None = None, *, dx: TensorLike | None = None, dim: int = -1
) -> Tensor:
    """The integral along a dimension by the trapezoidal rule; see `nngrad.functional.trapezoid`."""
    return wrap(F.trapezoid(y, x, dx=dx, dim=dim))


def unravel_index(indices: TensorLike, shape: int | tuple[int, ...]) -> tuple[Tensor, ...]:
    """Flat positions in an array of that shape as one index for each dimension;
    see `nngrad.functional.unravel_index`."""
    return tuple([wrap(x) for x in F.unravel_index(indices, shape)])


def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector's elements from N - 1 down to 0 in columns, or up, if `increasing`;
    see `nngrad.functional.vander`."""
    return wrap(F.vander(x, N, increasing))


trapz = trapezoid


def polygamma_of(input: TensorLike, n: int) -> Tensor:
    """The n-th derivative of digamma, as a method; see `nngrad.functional.polygamma`."""
    return wrap(F.polygamma(n, input))


def adjoint(input: Tensor) -> Tensor:
    """Matrices transposed, and complex ones conjugated, as a view."""
    return input.mT.conj()


def hermitian(input: Tensor) -> Tensor:
    """A matrix transposed, and conjugated, as a view: the property `H`. Raises RuntimeError for more
    dimensions."""
    if input.ndim not in (0, 2):
        raise RuntimeError(f"H: only supported on matrices (2-D tensors), got shape {tuple(input.shape)}")
    return adjoint(input) if input.ndim else input


def same(input: Tensor) -> Tensor:
    """The tensor itself: its memory is nobody's device's, and processes are sent copies."""
    return input


def call_on_each(input: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Change each element by a Python function, slowly. Raises RuntimeError where the graph would need
    its derivative."""
    if input.requires_grad:
        raise RuntimeError("apply_: a Python function of numbers has no derivative; detach the tensor first")
    values = [callable(v) for v in input.node.data.reshape(-1).tolist()]
    input.assign(seal(np.array(values, input.node.dtype).reshape(input.shape)))
    return input

"""Functions of matrices that PyTorch has beside those of `linalg`, as functions and as methods.

What they are made of, `nngrad.functional.linalg`, loads when one of them is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import functional as F
from .lifting import wrap
from .naming import given_by

if TYPE_CHECKING:
    from .functional.linalg import LU, QR, SignLog
    from .lifting import Tensor, TensorLike


class USV(NamedTuple):
    """Left singular vectors, singular values, and right singular vectors, both in columns."""

    U: Tensor
    S: Tensor
    V: Tensor


def cholesky(input: TensorLike, upper: bool = False) -> Tensor:
    """The triangular factor of positive-definite matrices; see `nngrad.linalg.cholesky`."""
    return wrap(F.linalg.cholesky(input, upper=upper))


def cholesky_inverse(L: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of matrices by their Cholesky factor; see `nngrad.functional.cholesky_inverse`."""
    return wrap(F.cholesky_inverse(L, upper))


def cholesky_solve(input: TensorLike, L: TensorLike, upper: bool = False) -> Tensor:
    """The solution of linear equations by a Cholesky factor; see `nngrad.functional.cholesky_solve`."""
    return wrap(F.cholesky_solve(input, L, upper))


def det(input: TensorLike) -> Tensor:
    """The determinant of square matrices; see `nngrad.linalg.det`."""
    return wrap(F.linalg.det(input))


def inverse(input: TensorLike) -> Tensor:
    """The inverse of square matrices; see `nngrad.linalg.inv`."""
    return wrap(F.linalg.inv(input))


def logdet(input: TensorLike) -> Tensor:
    """The logarithm of the determinant of square matrices; see `nngrad.functional.logdet`."""
    return wrap(F.logdet(input))


def lu(A: TensorLike, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, ...]:
    """The factors and pivots of `nngrad.linalg.lu_factor`, and with `get_infos`, where U is zero."""
    found = F.linalg.lu_factor_ex(A, pivot=pivot)
    return tuple([wrap(part) for part in found[: 2 + get_infos]])


def lu_solve(b: TensorLike, LU_data: TensorLike, LU_pivots: TensorLike) -> Tensor:
    """The solution of linear equations by factors; see `nngrad.linalg.lu_solve`."""
    return wrap(F.linalg.lu_solve(LU_data, LU_pivots, b))


def lu_unpack(
    LU_data: TensorLike, LU_pivots: TensorLike, unpack_data: bool = True, unpack_pivots: bool = True
) -> LU[Tensor]:
    """P, L and U of what `nngrad.linalg.lu_factor` gives; see `nngrad.functional.lu_unpack`."""
    p, low, up = F.lu_unpack(LU_data, LU_pivots, unpack_data, unpack_pivots)
    return F.linalg.LU(wrap(p), wrap(low), wrap(up))


def matrix_exp(input: TensorLike) -> Tensor:
    """The exponential of square matrices; see `nngrad.linalg.matrix_exp`."""
    return wrap(F.linalg.matrix_exp(input))


def matrix_power(input: TensorLike, n: int) -> Tensor:
    """Square matrices multiplied n times; see `nngrad.linalg.matrix_power`."""
    return wrap(F.linalg.matrix_power(input, n))


def orgqr(input: TensorLike, tau: TensorLike) -> Tensor:
    """A product of reflections; see `nngrad.linalg.householder_product`."""
    return wrap(F.linalg.householder_product(input, tau))


def pinverse(input: TensorLike, rcond: float = 1e-15) -> Tensor:
    """The pseudo-inverse of matrices, with `rcond` for `rtol`; see `nngrad.linalg.pinv`."""
    return wrap(F.linalg.pinv(input, rtol=rcond))


def qr(input: TensorLike, some: bool = True) -> QR[Tensor]:
    """The factors Q and R, complete unless `some`; see `nngrad.linalg.qr`."""
    q, r = F.linalg.qr(input, "reduced" if some else "complete")
    return given_by("qr", F.linalg.QR(wrap(q), wrap(r)))


def slogdet(input: TensorLike) -> SignLog[Tensor]:
    """The sign and the logarithm of the size of the determinant; see `nngrad.linalg.slogdet`."""
    sign, size = F.linalg.slogdet(input)
    return given_by("linalg_slogdet", F.linalg.SignLog(wrap(sign), wrap(size)))


def svd(input: TensorLike, some: bool = True) -> USV:
    """The factors U, S and V (not its transpose), complete unless `some`; see `nngrad.linalg.svd`."""
    u, s, vh = F.linalg.svd(input, not some)
    return given_by("svd", USV(wrap(u), wrap(s), wrap(F.mT(F.conj(vh)))))

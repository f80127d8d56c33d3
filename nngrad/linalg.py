"""Linear algebra, under the names of `torch.linalg`. Matrices are the last two dimensions of a tensor.

What a function does, and when it raises what, is told with that of `nngrad.functional.linalg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from . import matrices, operations
from .functional import linalg as core
from .functional.linalg import (
    LU as LU,
    QR as QR,
    SVD as SVD,
    CholeskyInfo as CholeskyInfo,
    Eigen as Eigen,
    InverseInfo as InverseInfo,
    LeastSquares as LeastSquares,
    LinAlgError as LinAlgError,
    LUFactor as LUFactor,
    LUFactorInfo as LUFactorInfo,
    ResultInfo as ResultInfo,
)
from .lifting import lift, wrap
from .naming import given_by

if TYPE_CHECKING:
    from .lifting import Tensor, TensorLike

cholesky: Final = lift(core.cholesky)
cond: Final = lift(core.cond)
cross: Final = lift(core.cross)
det: Final = lift(core.det)
eigvals: Final = lift(core.eigvals)
eigvalsh: Final = lift(core.eigvalsh)
householder_product: Final = lift(core.householder_product)
inv: Final = lift(core.inv)
lu_solve: Final = lift(core.lu_solve)
matmul: Final = operations.matmul
matrix_exp: Final = lift(core.matrix_exp)
matrix_norm: Final = lift(core.matrix_norm)
matrix_power: Final = lift(core.matrix_power)
matrix_rank: Final = lift(core.matrix_rank)
norm: Final = lift(core.norm)
pinv: Final = lift(core.pinv)
slogdet: Final = matrices.slogdet
solve: Final = lift(core.solve)
solve_triangular: Final = lift(core.solve_triangular)
svdvals: Final = lift(core.svdvals)
tensorinv: Final = lift(core.tensorinv)
tensorsolve: Final = lift(core.tensorsolve)
vander: Final = lift(core.vander)
vecdot: Final = lift(core.vecdot)
vector_norm: Final = lift(core.vector_norm)


def cholesky_ex(A: TensorLike, *, upper: bool = False, check_errors: bool = False) -> CholeskyInfo[Tensor]:
    """`cholesky` that tells where it failed; see `nngrad.functional.linalg.cholesky_ex`."""
    return CholeskyInfo(*map(wrap, core.cholesky_ex(A, upper=upper, check_errors=check_errors)))


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """A view of the diagonals of matrices; see `nngrad.diagonal`."""
    return operations.diagonal(A, offset, dim1, dim2)


def eig(A: TensorLike) -> Eigen[Tensor]:
    """The complex eigenvalues and eigenvectors, without gradients; see `nngrad.functional.linalg.eig`."""
    values, vectors = core.eig(A)
    return given_by("linalg_eig", Eigen(wrap(values), wrap(vectors)))


def eigh(A: TensorLike, UPLO: Literal["L", "U"] = "L") -> Eigen[Tensor]:
    """The eigenvalues and eigenvectors of symmetric matrices; see `nngrad.functional.linalg.eigh`."""
    values, vectors = core.eigh(A, UPLO)
    return given_by("linalg_eigh", Eigen(wrap(values), wrap(vectors)))


def inv_ex(A: TensorLike, *, check_errors: bool = False) -> InverseInfo[Tensor]:
    """`inv` that tells which matrices are singular; see `nngrad.functional.linalg.inv_ex`."""
    return InverseInfo(*map(wrap, core.inv_ex(A, check_errors=check_errors)))


def lstsq(
    A: TensorLike, B: TensorLike, rcond: float | None = None, *, driver: core.Driver | None = None
) -> LeastSquares[Tensor]:
    """Solutions of least squares; see `nngrad.functional.linalg.lstsq`."""
    return LeastSquares(*map(wrap, core.lstsq(A, B, rcond, driver=driver)))


def lu(A: TensorLike, *, pivot: bool = True) -> LU[Tensor]:
    """The factors P, L and U; see `nngrad.functional.linalg.lu`."""
    return LU(*map(wrap, core.lu(A, pivot=pivot)))


def lu_factor(A: TensorLike, *, pivot: bool = True) -> LUFactor[Tensor]:
    """The factors L and U in one matrix, and the pivots; see `nngrad.functional.linalg.lu_factor`."""
    return LUFactor(*map(wrap, core.lu_factor(A, pivot=pivot)))


def lu_factor_ex(A: TensorLike, *, pivot: bool = True, check_errors: bool = False) -> LUFactorInfo[Tensor]:
    """`lu_factor` that tells where U is zero; see `nngrad.functional.linalg.lu_factor_ex`."""
    return LUFactorInfo(*map(wrap, core.lu_factor_ex(A, pivot=pivot, check_errors=check_errors)))


def multi_dot(tensors: Sequence[TensorLike]) -> Tensor:
    """The product of several matrices; see `nngrad.functional.linalg.multi_dot`."""
    return wrap(core.multi_dot(tensors))


def qr(A: TensorLike, mode: Literal["reduced", "complete", "r"] = "reduced") -> QR[Tensor]:
    """The factors Q and R; see `nngrad.functional.linalg.qr`."""
    q, r = core.qr(A, mode)
    return given_by("linalg_qr", QR(wrap(q), wrap(r)))


def solve_ex(
    A: TensorLike, B: TensorLike, *, left: bool = True, check_errors: bool = False
) -> ResultInfo[Tensor]:
    """`solve` that tells which matrices are singular; see `nngrad.functional.linalg.solve_ex`."""
    return ResultInfo(*map(wrap, core.solve_ex(A, B, left=left, check_errors=check_errors)))


def svd(A: TensorLike, full_matrices: bool = True) -> SVD[Tensor]:
    """The factors U, S and Vh; see `nngrad.functional.linalg.svd`."""
    u, s, vh = core.svd(A, full_matrices)
    return given_by("linalg_svd", SVD(wrap(u), wrap(s), wrap(vh)))

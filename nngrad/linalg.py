"""Linear algebra, under the names of `torch.linalg`. Matrices are the last two dimensions of a tensor.

What a function does, and when it raises what, is told with that of `nngrad.functional.linalg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from . import matrices, operations
from .functional import linalg as core
from .functional.linalg import QR as QR, SVD as SVD, Eigen as Eigen, LinAlgError as LinAlgError
from .lifting import lift, wrap
from .naming import given_by

if TYPE_CHECKING:
    from .lifting import Tensor, TensorLike

cholesky: Final = lift(core.cholesky)
cross: Final = lift(core.cross)
det: Final = lift(core.det)
eigvals: Final = lift(core.eigvals)
eigvalsh: Final = lift(core.eigvalsh)
inv: Final = lift(core.inv)
matmul: Final = operations.matmul
matrix_norm: Final = lift(core.matrix_norm)
matrix_power: Final = lift(core.matrix_power)
matrix_rank: Final = lift(core.matrix_rank)
norm: Final = lift(core.norm)
pinv: Final = lift(core.pinv)
slogdet: Final = matrices.slogdet
solve: Final = lift(core.solve)
solve_triangular: Final = lift(core.solve_triangular)
svdvals: Final = lift(core.svdvals)
vecdot: Final = lift(core.vecdot)
vector_norm: Final = lift(core.vector_norm)


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


def multi_dot(tensors: Sequence[TensorLike]) -> Tensor:
    """The product of several matrices; see `nngrad.functional.linalg.multi_dot`."""
    return wrap(core.multi_dot(tensors))


def qr(A: TensorLike, mode: Literal["reduced", "complete", "r"] = "reduced") -> QR[Tensor]:
    """The factors Q and R; see `nngrad.functional.linalg.qr`."""
    q, r = core.qr(A, mode)
    return given_by("linalg_qr", QR(wrap(q), wrap(r)))


def svd(A: TensorLike, full_matrices: bool = True) -> SVD[Tensor]:
    """The factors U, S and Vh; see `nngrad.functional.linalg.svd`."""
    u, s, vh = core.svd(A, full_matrices)
    return given_by("linalg_svd", SVD(wrap(u), wrap(s), wrap(vh)))

"""Linear algebra on nodes, under the names of `torch.linalg`. Matrices are the last two dimensions."""

from ..matrix import matmul as matmul
from .checks import LinAlgError as LinAlgError
from .decompositions import (
    QR as QR,
    SVD as SVD,
    Eigen as Eigen,
    cholesky as cholesky,
    eig as eig,
    eigh as eigh,
    eigvals as eigvals,
    eigvalsh as eigvalsh,
    qr as qr,
    svd as svd,
    svdvals as svdvals,
)
from .determinants import SignLog as SignLog, det as det, slogdet as slogdet
from .norms import (
    cross as cross,
    diagonal as diagonal,
    matrix_norm as matrix_norm,
    norm as norm,
    vecdot as vecdot,
    vector_norm as vector_norm,
)
from .powers import (
    matrix_power as matrix_power,
    matrix_rank as matrix_rank,
    multi_dot as multi_dot,
    pinv as pinv,
)
from .solving import inv as inv, solve as solve, solve_triangular as solve_triangular

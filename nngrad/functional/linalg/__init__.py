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
    matrix_exp as matrix_exp,
    matrix_power as matrix_power,
    matrix_rank as matrix_rank,
    multi_dot as multi_dot,
    pinv as pinv,
)
from .solving import inv as inv, solve as solve, solve_triangular as solve_triangular
from .systems import (
    Driver as Driver,
    LeastSquares as LeastSquares,
    cond as cond,
    householder_product as householder_product,
    lstsq as lstsq,
    tensorinv as tensorinv,
    tensorsolve as tensorsolve,
    vander as vander,
)
from .triangular import (
    LU as LU,
    CholeskyInfo as CholeskyInfo,
    InverseInfo as InverseInfo,
    LUFactor as LUFactor,
    LUFactorInfo as LUFactorInfo,
    ResultInfo as ResultInfo,
    cholesky_ex as cholesky_ex,
    inv_ex as inv_ex,
    lu as lu,
    lu_factor as lu_factor,
    lu_factor_ex as lu_factor_ex,
    lu_solve as lu_solve,
    solve_ex as solve_ex,
)

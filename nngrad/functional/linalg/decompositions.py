"""Decompositions: cholesky, eigh, svd, qr.

Gradients after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), Murray, "Differentiation of the Cholesky decomposition" (2016), and Townsend,
"Differentiating the singular value decomposition" (2016). An op has one output, so the factors of a
decomposition are packed into one array and taken apart again.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

import numpy as np

from ..joining import cat
from ..node import Node, Operand, constant, seal
from ..op import apply, general
from .checks import divided, matrices, mT, of_numpy, square, undifferentiable
from .solving import solve_op

T_co = TypeVar("T_co", covariant=True)


class Eigen(NamedTuple, Generic[T_co]):
    """Eigenvalues, and eigenvectors in columns."""

    eigenvalues: T_co
    eigenvectors: T_co


class QR(NamedTuple, Generic[T_co]):
    """An orthogonal factor and an upper triangular one."""

    Q: T_co
    R: T_co


class SVD(NamedTuple, Generic[T_co]):
    """Left singular vectors in columns, singular values, right singular vectors in rows."""

    U: T_co
    S: T_co
    Vh: T_co


def _diagonal(x: Any) -> Any:
    """Vectors as the diagonals of matrices."""
    return np.multiply(np.expand_dims(x, -1), np.eye(x.shape[-1], dtype=x.dtype))


def _skew(x: Any) -> Any:
    return np.subtract(x, mT(x))


def _gaps(x: Any) -> Any:
    """x[j] - x[i] in row i and column j."""
    return np.subtract(np.expand_dims(x, -2), np.expand_dims(x, -1))


# ---------------------------------------------------------------- packing


def _pack(factors: Sequence[Any], lead: tuple[int, ...]) -> Any:
    return np.concatenate([f.reshape((*lead, prod(f.shape[len(lead) :]))) for f in factors], -1)


def _unpack(packed: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """The factors of the given shapes, of arrays and nodes."""
    start, factors = 0, []
    for shape in shapes:
        size = prod(shape)
        part = packed[..., start : start + size]
        factors.append(np.reshape(part, (*packed.shape[:-1], *shape)))
        start += size
    return factors


# ---------------------------------------------------------------- cholesky


def _cholesky_rule(g: Any, out: Any, x: Any) -> Any:
    # gA = L^-T phi(L^T gL) L^-1 made symmetric; phi takes the lower triangle and half the diagonal
    n = x.shape[-1]
    half = np.tri(n, dtype=x.dtype) - 0.5 * np.eye(n, dtype=x.dtype)
    phi = np.multiply(np.matmul(mT(out), g), half)
    inner = solve_op(mT(out), mT(solve_op(mT(out), phi)))
    return np.multiply(np.add(inner, mT(inner)), np.asarray(0.5, x.dtype))


_cholesky: Final = general("cholesky", of_numpy("linalg.cholesky", np.linalg.cholesky), _cholesky_rule)


def cholesky(A: Operand, *, upper: bool = False) -> Node:
    """The lower triangular L with `L @ L.mT == A`, for symmetric positive-definite matrices.

    A: (..., n, n), of which the lower triangle is read. upper: give `L.mT`. Raises LinAlgError for a
    matrix that is not positive-definite, and RuntimeError for shapes and dtypes that do not fit.

    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]])).data
    array([[2., 0.],
           [1., 2.]])
    """
    x = square("linalg.cholesky", A)
    factor = apply(_cholesky, (mT(x) if upper else x,))
    return mT(factor) if upper else factor


# ---------------------------------------------------------------- eigenvalues


def _eigh_forward(x: Any, uplo: Any) -> Any:
    values, vectors = np.linalg.eigh(x, uplo)
    return np.concatenate([values[..., None, :], vectors], -2)


def _eigh_rule(g: Any, out: Any, x: Any, uplo: str) -> Any:
    # gA = V (diag(gw) + skew(V^T gV) / 2 E) V^T, where E[i, j] = w[j] - w[i]: symmetric, as A is
    values, vectors = out[..., 0, :], out[..., 1:, :]
    turned = np.multiply(_skew(np.matmul(mT(vectors), g[..., 1:, :])), np.asarray(0.5, x.dtype))
    middle = np.add(divided(turned, _gaps(values)), _diagonal(g[..., 0, :]))
    return np.matmul(np.matmul(vectors, middle), mT(vectors))


_eigh: Final = general("eigh", of_numpy("linalg.eigh", _eigh_forward), _eigh_rule)


def eigh(A: Operand, UPLO: Literal["L", "U"] = "L") -> Eigen[Node]:
    """The eigenvalues, in ascending order, and eigenvectors of symmetric matrices.

    A: (..., n, n), of which the triangle `UPLO` is read. The sign of an eigenvector is free, and
    those of equal eigenvalues have no derivative. Raises LinAlgError if the algorithm does not
    converge, and RuntimeError for shapes and dtypes that do not fit.

    >>> eigh(np.array([[2.0, 0.0], [0.0, 1.0]])).eigenvalues.data
    array([1., 2.])
    """
    x = square("linalg.eigh", A)
    if UPLO not in ("L", "U"):
        raise RuntimeError(f"linalg.eigh: Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    if x.dtype.kind == "c":
        return Eigen(*[seal(part) for part in of_numpy("linalg.eigh", np.linalg.eigh)(x._value, UPLO)])
    both = apply(_eigh, (x,), (UPLO,))
    return Eigen(both[..., 0, :], both[..., 1:, :])


def eigvalsh(A: Operand, UPLO: Literal["L", "U"] = "L") -> Node:
    """The eigenvalues of symmetric matrices, in ascending order; see `eigh`.

    >>> eigvalsh(np.array([[2.0, 0.0], [0.0, 1.0]])).data
    array([1., 2.])
    """
    return eigh(A, UPLO).eigenvalues


_NO_EIG: Final = (
    "linalg.eig: eigenvalues of general matrices are complex and have no gradients here; see eigh"
)


def eig(A: Operand) -> Eigen[Node]:
    """The eigenvalues and eigenvectors, always complex, of any square matrices; without gradients.

    A: (..., n, n). Raises LinAlgError if the algorithm does not converge, and RuntimeError for shapes
    and dtypes that do not fit, and from a backward pass.

    >>> eig(np.array([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues.data
    array([0.+1.j, 0.-1.j])
    """
    x = square("linalg.eig", A)
    dtype = np.result_type(x.dtype, np.complex64)
    parts = of_numpy("linalg.eig", np.linalg.eig)(x._value)
    return Eigen(*[apply(undifferentiable, (x,), (part.astype(dtype), _NO_EIG)) for part in parts])


def eigvals(A: Operand) -> Node:
    """The eigenvalues, always complex, of any square matrices; without gradients. See `eig`.

    >>> eigvals(np.array([[0.0, 1.0], [-1.0, 0.0]])).data
    array([0.+1.j, 0.-1.j])
    """
    return eig(A).eigenvalues


# ---------------------------------------------------------------- singular values


def _svd_shapes(x: Any) -> list[tuple[int, ...]]:
    m, n = x.shape[-2:]
    k = min(m, n)
    return [(m, k), (k,), (k, n)]


def _svd_forward(x: Any) -> Any:
    return _pack(np.linalg.svd(x, full_matrices=False), x.shape[:-2])


def _svd_rule(g: Any, out: Any, x: Any) -> Any:
    # gA = U (skew(U^T gU) / E S + S skew(V^T gV) / E + diag(gS)) V^T, where E[i, j] = S[j]^2 - S[i]^2,
    # and what reaches U and V outside of the space that they span
    u, s, vh = _unpack(out, _svd_shapes(x))
    gu, gs, gvh = _unpack(g, _svd_shapes(x))
    m, n = x.shape[-2:]
    gaps = _gaps(np.square(s))
    row, column = np.expand_dims(s, -2), np.expand_dims(s, -1)
    of_u = np.multiply(divided(_skew(np.matmul(mT(u), gu)), gaps), row)
    of_v = np.multiply(column, divided(_skew(np.matmul(vh, mT(gvh))), gaps))
    sent = np.matmul(np.matmul(u, np.add(np.add(of_u, of_v), _diagonal(gs))), vh)
    if m > n:
        outside = divided(np.subtract(gu, np.matmul(u, np.matmul(mT(u), gu))), row)
        sent = np.add(sent, np.matmul(outside, vh))
    elif n > m:
        outside = divided(np.subtract(gvh, np.matmul(np.matmul(gvh, mT(vh)), vh)), column)
        sent = np.add(sent, np.matmul(u, outside))
    return sent


_svd: Final = general("svd", of_numpy("linalg.svd", _svd_forward), _svd_rule)


def svd(A: Operand, full_matrices: bool = True) -> SVD[Node]:
    """The factors with `U @ diag_embed(S) @ Vh == A`; S holds the singular values, descending.

    A: (..., m, n); with k = min(m, n), U is (..., m, k), S (..., k) and Vh (..., k, n).
    full_matrices: U and Vh are completed to square matrices, and what completes them has no
    derivative. The signs of pairs of vectors are free, and those of equal singular values have no
    derivative. Raises LinAlgError if the algorithm does not converge, and RuntimeError for shapes
    and dtypes that do not fit.

    >>> svd(np.array([[0.0, 2.0], [1.0, 0.0]])).S.data
    array([2., 1.])
    """
    x = matrices("linalg.svd", A)
    rows, columns = x.shape[-2:]
    if x.dtype.kind == "c":
        full = of_numpy("linalg.svd", np.linalg.svd)(x._value, full_matrices)
        return SVD(*[constant(part) for part in full])
    u, s, vh = _unpack(apply(_svd, (x,)), _svd_shapes(x))
    if full_matrices and rows != columns:
        more_u, _, more_vh = np.linalg.svd(x._value)
        k = min(rows, columns)
        why = "linalg.svd: what full_matrices=True adds to U or Vh has no derivative"
        if rows > columns:
            u = cat([u, apply(undifferentiable, (x,), (more_u[..., k:], why))], -1)
        else:
            vh = cat([vh, apply(undifferentiable, (x,), (more_vh[..., k:, :], why))], -2)
    return SVD(u, s, vh)


def svdvals(A: Operand) -> Node:
    """The singular values, in descending order; see `svd`.

    >>> svdvals(np.array([[0.0, 2.0], [1.0, 0.0]])).data
    array([2., 1.])
    """
    return svd(A, False).S


# ---------------------------------------------------------------- qr


def _qr_shapes(x: Any) -> list[tuple[int, ...]]:
    m, n = x.shape[-2:]
    return [(m, n), (n, n)]


def _qr_forward(x: Any) -> Any:
    return _pack(np.linalg.qr(x), x.shape[:-2])


def _qr_rule(g: Any, out: Any, x: Any) -> Any:
    # gA = (gQ + Q sym(triu(gR R^T - Q^T gQ))) R^-T, where sym(X) is X + X^T with the diagonal halved
    q, r = _unpack(out, _qr_shapes(x))
    gq, gr = _unpack(g, _qr_shapes(x))
    n = x.shape[-1]
    inner = np.subtract(np.matmul(gr, mT(r)), np.matmul(mT(q), gq))
    upper = np.multiply(inner, np.tri(n, dtype=x.dtype).T - 0.5 * np.eye(n, dtype=x.dtype))
    sent = np.add(gq, np.matmul(q, np.add(upper, mT(upper))))
    return mT(solve_op(r, mT(sent)))


_qr: Final = general("qr", of_numpy("linalg.qr", _qr_forward), _qr_rule)


def qr(A: Operand, mode: Literal["reduced", "complete", "r"] = "reduced") -> QR[Node]:
    """The factors with `Q @ R == A`: Q has orthogonal columns, R is upper triangular.

    A: (..., m, n). mode: "reduced" gives Q (..., m, k) and R (..., k, n) with k = min(m, n);
    "complete" Q (..., m, m) and R (..., m, n), and "r" an empty Q and the R of "reduced", both without
    gradients (except "complete" if m <= n, where it is "reduced"). Raises RuntimeError for shapes,
    dtypes and modes that do not fit.

    >>> abs(qr(np.array([[3.0, 1.0], [4.0, 2.0]])).R.data).round(1)
    array([[5. , 2.2],
           [0. , 0.4]])
    """
    x = matrices("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"linalg.qr: unrecognized mode {mode!r}, expected one of 'reduced', 'complete' or 'r'"
        )
    rows, columns = x.shape[-2:]
    if mode == "r" or (mode == "complete" and rows > columns) or x.dtype.kind == "c":
        why = f"linalg.qr: not differentiable when mode={mode!r}, unless 'complete' for rows <= columns"
        made: Any = np.linalg.qr(x._value, mode)
        parts = (np.zeros(0, x.dtype), made) if not isinstance(made, tuple) else made
        return QR(*[apply(undifferentiable, (x,), (part, why)) for part in parts])
    # the Q of a wide matrix is that of its first columns
    tall = x if rows >= columns else x[..., :rows]
    q, r = _unpack(apply(_qr, (tall,)), _qr_shapes(tall))
    if rows < columns:
        r = cat([r, np.matmul(mT(q), x[..., rows:])], -1)
    return QR(q, r)

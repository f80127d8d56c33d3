"""Least squares, equations between tensors, condition numbers, products of reflections."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from ..arithmetic import div
from ..batch import all_examples
from ..choice import where
from ..elementary import abs
from ..joining import stack
from ..matrix import matmul
from ..node import Node, Operand, as_node, seal
from ..op import cast
from ..order import movedim
from ..reduction import sum
from ..shape import normal_dim, reshape, squeeze, unsqueeze
from .checks import floating, matrices, mT, same_dtype, square
from .decompositions import svdvals
from .norms import Order, matrix_norm
from .powers import matrix_rank, pinv
from .solving import inv, solve
from .triangular import inv_ex

T_co = TypeVar("T_co", covariant=True)
Driver: TypeAlias = Literal["gels", "gelsy", "gelsd", "gelss"]


class LeastSquares(NamedTuple, Generic[T_co]):
    """Solutions, the squares of what is left over, ranks and singular values; empty if not worked out."""

    solution: T_co
    residuals: T_co
    rank: T_co
    singular_values: T_co


def lstsq(
    A: Operand, B: Operand, rcond: float | None = None, *, driver: Driver | None = None
) -> LeastSquares[Node]:
    """The X of least norm for which the norm of `A @ X - B` is smallest.

    A: (..., m, n); B: (..., m, k), or (..., m) beside as many leading dimensions. rcond: singular values up
    to this part of the largest count as 0, by default max(m, n) times the dtype's precision. driver: named
    as LAPACK's, of which each tells other results: by default "gelsy", the ranks; "gels", the residuals if
    m > n; "gelsd" and "gelss", those, the ranks and the singular values, which have no gradient. Raises
    RuntimeError for shapes, dtypes and drivers that do not fit.

    >>> lstsq(np.array([[1.0], [1.0]]), np.array([[1.0], [3.0]])).solution.data.round(3)
    array([[2.]])
    """
    op = "linalg.lstsq"
    a, b = matrices(op, A), floating(op, B)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(f"{op}: driver should be one of (gels, gelsy, gelsd, gelss), got {driver!r}")
    if not 0 <= a.ndim - b.ndim <= 1:
        raise RuntimeError(
            f"{op}: B must have as many dimensions as A or one less, got {a.shape} and {b.shape}"
        )
    same_dtype(op, a, b)
    is_vector = b.ndim < a.ndim
    b = unsqueeze(b, -1) if is_vector else b
    if a.shape[-2] != b.shape[-2]:
        raise RuntimeError(f"{op}: A and B should have as many rows, got {a.shape} and {b.shape}")
    rows, columns = a.shape[-2:]
    rtol = max(rows, columns) * float(np.finfo(a._value.dtype).eps) if rcond is None else rcond
    full = driver == "gels"  # it asks for full rank
    solution = matmul(pinv(a, rtol=0.0 if full else rtol), b)
    none = seal(np.zeros(0, a.dtype))
    rank = matrix_rank(a, rtol=rtol)
    residuals = none
    is_full = full or np.all(all_examples(rank._value) == columns)
    if driver not in (None, "gelsy") and rows > columns and is_full:
        left = matmul(a, solution) - b
        residuals = sum(left * left if left.dtype.kind == "f" else abs(left) * abs(left), -2)
    return LeastSquares(
        squeeze(solution, -1) if is_vector else solution,
        residuals,
        seal(np.zeros(0, np.int64)) if full else rank,
        seal(svdvals(a)._value) if driver in ("gelsd", "gelss") else none,
    )


# ---------------------------------------------------------------- equations between tensors


def tensorinv(A: Operand, ind: int = 2) -> Node:
    """The tensor with which `tensordot` over `ind` dimensions undoes that with A.

    A: the sizes of the first `ind` dimensions and of the others multiply up to the same number. Raises
    LinAlgError if A is singular, and RuntimeError for shapes, dtypes and an `ind` that do not fit.

    >>> tensorinv(np.eye(6).reshape(2, 3, 6)).shape
    (6, 2, 3)
    """
    x = floating("linalg.tensorinv", A)
    if ind <= 0:
        raise RuntimeError(f"linalg.tensorinv: Expected a strictly positive integer for 'ind', but got {ind}")
    first, last = x.shape[:ind], x.shape[ind:]
    if prod(first) != prod(last):
        raise RuntimeError(
            f"linalg.tensorinv: the sizes before and after dimension {ind} multiply up to {prod(first)} and "
            f"{prod(last)}, which should be equal"
        )
    return reshape(inv(reshape(x, prod(first), prod(last))), *last, *first)


def tensorsolve(A: Operand, B: Operand, dims: Sequence[int] | None = None) -> Node:
    """The X with `tensordot(A, X, X.ndim) == B`.

    A: its first dimensions are those of B, and the sizes of the others multiply up to the same number.
    dims: dimensions of A that are moved to the end first. Raises LinAlgError if A is singular, and
    RuntimeError for shapes and dtypes that do not fit.

    >>> tensorsolve(np.eye(6).reshape(2, 3, 6), np.ones((2, 3))).data
    array([1., 1., 1., 1., 1., 1.])
    """
    a, b = floating("linalg.tensorsolve", A), floating("linalg.tensorsolve", B)
    same_dtype("linalg.tensorsolve", a, b)
    if dims is not None:
        moved = [normal_dim("linalg.tensorsolve", d, a.ndim) for d in dims]
        a = movedim(a, moved, list(range(a.ndim - len(moved), a.ndim)))
    shape = a.shape[b.ndim :]
    if prod(shape) != b.size or prod(a.shape[: b.ndim]) != b.size:
        raise RuntimeError(f"linalg.tensorsolve: A of shape {a.shape} does not fit B of shape {b.shape}")
    return reshape(solve(reshape(a, b.size, b.size), reshape(b, b.size)), *shape)


# ---------------------------------------------------------------- condition numbers


def cond(A: Operand, p: Order | None = None) -> Node:
    """How much larger errors can become in a solution with the matrices (..., m, n): norm times inverse's.

    p: the norm, as of `matrix_norm`. None and 2 give the largest singular value by the smallest, -2 the
    other way round; the others are for square matrices alone. A singular matrix gives inf. Raises
    RuntimeError for other orders, and shapes and dtypes that do not fit.

    >>> cond(np.array([[2.0, 0.0], [0.0, 0.5]])).data
    array(4.)
    """
    x = matrices("linalg.cond", A)
    if p is not None and p not in ("fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2):
        raise RuntimeError(f"linalg.cond: got an invalid norm type: {p}")
    if not x.size:
        return seal(np.zeros(x.shape[:-2], x.dtype).real)
    if p is None or p in (2, -2):
        sizes = svdvals(x)
        first, last = (sizes[..., 0], sizes[..., -1]) if p != -2 else (sizes[..., -1], sizes[..., 0])
        return div(first, last)
    inverse, info = inv_ex(square("linalg.cond", x))
    found = matrix_norm(x, p) * matrix_norm(where((info != 0)[..., None, None], 0.0, inverse), p)
    return where(info != 0, np.full((), np.inf, found.dtype), found)


# ---------------------------------------------------------------- matrices of one kind


def householder_product(A: Operand, tau: Operand) -> Node:
    """The first columns of a product of reflections `I - tau[i] * v[i] @ v[i].mT`, as LAPACK keeps them.

    A: (..., m, n) with m >= n, of which the part below the diagonal is read: v[i] has it in column i, below
    1. tau: (..., k) with k <= n. Raises RuntimeError for shapes and dtypes that do not fit.

    >>> householder_product(np.zeros((2, 1)), np.array([2.0])).data
    array([[-1.],
           [ 0.]])
    """
    op = "linalg.householder_product"
    x, factors = matrices(op, A), floating(op, tau)
    same_dtype(op, x, factors)
    m, n = x.shape[-2:]
    if x.dtype.kind == "c":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}")
    if m < n or factors.shape[:-1] != x.shape[:-2] or not factors.ndim or factors.shape[-1] > n:
        raise RuntimeError(
            f"{op}: Expected at least as many rows as columns and at most as many factors, got shapes "
            f"{x.shape} and {factors.shape}"
        )
    k = factors.shape[-1]
    below = np.tri(m, n, -1, dtype=x.dtype)
    vectors = x * below + np.eye(m, n, dtype=x.dtype)
    out = as_node(np.broadcast_to(np.eye(m, n, dtype=x.dtype), x.shape))
    for i in reversed(range(k)):
        v = vectors[..., i : i + 1]
        out = out - matmul(v * factors[..., i : i + 1, None], matmul(mT(v), out))
    return out


def vander(x: Operand, N: int | None = None) -> Node:
    """The powers of elements from 0 up to N - 1, in a new last dimension: (..., n) gives (..., n, N).

    N: by default n. Raises RuntimeError unless it is larger than 1.

    >>> vander(np.array([1, 2, 3])).data.tolist()
    [[1, 1, 1], [1, 2, 4], [1, 3, 9]]
    """
    a = as_node(x)
    a = reshape(a, 1) if not a.ndim else a
    count = a.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError(f"linalg.vander: N must be greater than 1, got {count}")
    if a.dtype.kind in "iub":
        a = cast(a, np.dtype(np.int64))
    powers = [seal(np.ones(a.shape, a.dtype)), a]
    for _ in range(count - 2):
        powers.append(powers[-1] * a)
    return stack(powers, -1)

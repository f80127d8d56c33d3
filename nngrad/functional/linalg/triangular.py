"""LU factors with partial pivoting, what is solved by them, and forms that tell instead of raising.

NumPy has no LU: it is worked out here a block of columns at a time, all matrices of a batch at once.
Gradients after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008).
"""

from __future__ import annotations

from math import prod
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np

from ..batch import all_examples
from ..choice import where
from ..comparison import without_gradient
from ..diagonal import triu
from ..dtypes import DType
from ..node import Node, Operand, as_node, seal
from ..op import apply, general, no_gradient
from ..repeating import broadcast_shapes
from .checks import LinAlgError, floating, matrices, mH, mT, same_dtype, square
from .decompositions import cholesky
from .solving import cholesky_solve, inv, solve, solve_op

T_co = TypeVar("T_co", covariant=True)
_BLOCK: Final = 32  # columns that are eliminated one by one before a product does the rest


class LU(NamedTuple, Generic[T_co]):
    """A permutation, a lower triangular factor with ones on its diagonal, an upper triangular one."""

    P: T_co
    L: T_co
    U: T_co


class LUFactor(NamedTuple, Generic[T_co]):
    """Both triangles in one matrix, and with which row (from 1) each row was exchanged in turn."""

    LU: T_co
    pivots: T_co


class LUFactorInfo(NamedTuple, Generic[T_co]):
    """As `LUFactor`, and the first zero on the diagonal of U, from 1: 0 if there is none."""

    LU: T_co
    pivots: T_co
    info: T_co


class InverseInfo(NamedTuple, Generic[T_co]):
    """An inverse, and 0, or where it failed."""

    inverse: T_co
    info: T_co


class CholeskyInfo(NamedTuple, Generic[T_co]):
    """A triangular factor, and 0, or the order of the first leading minor that is not positive."""

    L: T_co
    info: T_co


class ResultInfo(NamedTuple, Generic[T_co]):
    """A solution, and 0, or where it failed."""

    result: T_co
    info: T_co


# ---------------------------------------------------------------- factors


def _factorize(x: Any) -> Any:
    """The triangles in one matrix, and below them a row of pivots, counted from 0."""
    m, n = x.shape[-2:]
    k = min(m, n)
    packed = np.zeros((*x.shape[:-2], m + 1, n), x.dtype)
    packed[..., :m, :] = np.array(x)
    work = packed.reshape(prod(x.shape[:-2]), m + 1, n)
    a, pivots, every = work[:, :m], work[:, m], np.arange(len(work))
    with np.errstate(all="ignore"):
        for start in range(0, k, _BLOCK):
            stop = min(start + _BLOCK, k)
            for j in range(start, stop):
                column = a[:, j:, j]
                sizes = np.abs(column.real) + np.abs(column.imag) if x.dtype.kind == "c" else np.abs(column)
                p = j + sizes.argmax(1)
                pivots[:, j] = p
                a[every, p], a[:, j] = a[:, j].copy(), a[every, p]
                top = a[:, j, j, None]
                a[:, j + 1 :, j] /= np.where(top == 0, 1, top)
                a[:, j + 1 :, j + 1 : stop] -= a[:, j + 1 :, j, None] * a[:, j, None, j + 1 : stop]
            for j in range(start, stop):
                a[:, j + 1 : stop, stop:] -= a[:, j + 1 : stop, j, None] * a[:, j, None, stop:]
            a[:, stop:, stop:] -= a[:, stop:, start:stop] @ a[:, start:stop, stop:]
    return packed


def _order(pivots: Any, m: int) -> Any:
    """The order in which exchanges, counted from 0, leave m rows."""
    order = np.empty((*pivots.shape[:-1], m), np.int64)
    order[...] = np.arange(m)
    count, k = prod(pivots.shape[:-1]), pivots.shape[-1]
    rows, steps = order.reshape(count, m), pivots.real.reshape(count, k).astype(np.int64)
    every = np.arange(len(rows))
    for j in range(k):
        p = steps[:, j]
        rows[every, p], rows[:, j] = rows[:, j].copy(), rows[every, p]
    return order


def _permutation(pivots: Node, m: int, dtype: DType) -> Node:
    """P with `P @ L @ U == A`."""

    def forward(p: Any) -> Any:
        order = _order(np.array(p), m)
        return np.equal(np.arange(m)[:, None], order[..., None, :]).astype(dtype)

    return without_gradient("permutation", forward, pivots)


def _lower(x: Any, k: int) -> Any:
    """The unit lower triangle in the first k columns, of arrays and nodes."""
    part = x[..., :k]
    return np.add(
        np.multiply(part, np.tri(x.shape[-2], k, -1, dtype=x.dtype)), np.eye(x.shape[-2], k, dtype=x.dtype)
    )


def _upper(x: Any, k: int) -> Any:
    """The upper triangle in the first k rows, of arrays and nodes."""
    return np.multiply(x[..., :k, :], np.tri(x.shape[-1], k, dtype=x.dtype).T)


def _lu_rule(g: Any, out: Any, x: Any, value: Any) -> Any:
    # gA = L^-T (tril(L^T gL, -1) + triu(gU U^T)) U^-T of the square part; what else a tall or a wide matrix
    # has is a solution with one of the triangles of that
    m, n = x.shape[-2:]
    k = min(m, n)
    lower, upper = _lower(out, k), _upper(out, k)
    first, second = lower[..., :k, :], upper[..., :, :k]
    gl = np.multiply(g[..., :k], np.tri(m, k, -1, dtype=x.dtype))
    gu = np.multiply(g[..., :k, :], np.tri(n, k, dtype=x.dtype).T)
    below = right = None
    if m > k:
        below = mT(solve_op(second, mT(gl[..., k:, :])))
        gu = np.subtract(gu, np.matmul(mT(lower[..., k:, :]), below))
    if n > k:
        right = solve_op(mT(first), gu[..., :, k:])
        gl = np.subtract(gl, np.matmul(right, mT(upper[..., :, k:])))
    gl, gu = gl[..., :k, :], gu[..., :, :k]
    inner = np.add(
        np.multiply(np.matmul(mT(first), gl), np.tri(k, k, -1, dtype=x.dtype)),
        np.multiply(np.matmul(gu, mT(second)), np.tri(k, dtype=x.dtype).T),
    )
    sent = solve_op(mT(first), mT(solve_op(second, mT(inner))))
    if below is not None:
        return np.concatenate([sent, below], -2)
    return sent if right is None else np.concatenate([sent, right], -1)


#: the factors in one matrix, of a matrix whose rows are in order; `value` are they
_lu: Final = general("lu", lambda x, value: value, _lu_rule, no_gradient)


def _factored(op: str, A: Operand, pivot: bool) -> tuple[Node, Node, Node]:
    """Both triangles in one matrix, the pivots from 0, and the permutation."""
    x = matrices(op, A)
    if not pivot:
        raise RuntimeError(f"{op}: LU without pivoting is not implemented")
    m, n = x.shape[-2:]
    packed = without_gradient("lu_factor", _factorize, x)
    value, pivots = packed[..., :m, :], packed[..., m, : min(m, n)]
    turned = _permutation(pivots, m, x.dtype)
    return apply(_lu, (np.matmul(mT(turned), x), value)) if x.tracked else value, pivots, turned


def _counted(pivots: Node) -> Node:
    """The pivots as integers, from 1."""

    def forward(x: Any) -> Any:
        whole: Any = np.array(x)
        return whole.real.astype(np.int32) + np.int32(1)

    return without_gradient("pivots", forward, pivots)


def _first_zero(x: Any) -> Any:
    """Where the diagonal has its first zero, from 1; 0 if nowhere."""
    zero = np.equal(np.diagonal(x, axis1=-2, axis2=-1), 0)
    if not zero.shape[-1]:
        return np.zeros(zero.shape[:-1], np.int32)
    return np.where(np.any(zero, -1), np.argmax(zero, -1) + 1, 0).astype(np.int32)


def _check(op: str, info: Node, told: str) -> None:
    wrong = np.max(all_examples(info._value), initial=0)
    if wrong:
        raise LinAlgError(f"{op}: {told} (the {wrong}.; matrices of shape {info.shape})")


def lu(A: Operand, *, pivot: bool = True) -> LU[Node]:
    """The factors with `P @ L @ U == A`: a permutation, and triangles below and above the diagonal.

    A: (..., m, n); with k = min(m, n), P is (..., m, m), L (..., m, k) with ones on its diagonal, and U
    (..., k, n). Raises RuntimeError for shapes and dtypes that do not fit, and unless `pivot`.

    >>> [part.data.tolist() for part in lu(np.array([[1.0, 1.0], [2.0, 4.0]]))]
    [[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.5, 1.0]], [[2.0, 4.0], [0.0, -1.0]]]
    """
    both, _, turned = _factored("linalg.lu", A, pivot)
    k = min(both.shape[-2:])
    return LU(turned, as_node(_lower(both, k)), as_node(_upper(both, k)))


def lu_factor_ex(A: Operand, *, pivot: bool = True, check_errors: bool = False) -> LUFactorInfo[Node]:
    """`lu_factor` that tells where U has its first zero on the diagonal, from 1, or 0.

    Raises LinAlgError if there is one and `check_errors` is set.

    >>> lu_factor_ex(np.ones((2, 2))).info.item()
    2
    """
    both, pivots, _ = _factored("linalg.lu_factor", A, pivot)
    info = without_gradient("info", _first_zero, both)
    if check_errors:
        _check("linalg.lu_factor", info, "U has a zero on its diagonal, which would be divided by")
    return LUFactorInfo(both, _counted(pivots), info)


def lu_factor(A: Operand, *, pivot: bool = True) -> LUFactor[Node]:
    """The factors of `lu` in one matrix, for `lu_solve`, without the ones on the diagonal of L.

    A: (..., m, n), as is LU. pivots: int32, (..., min(m, n)): the row, from 1, that each row was exchanged
    with in turn. Raises LinAlgError if U has a zero on its diagonal, and RuntimeError for shapes and
    dtypes that do not fit.

    >>> lu_factor(np.array([[1.0, 1.0], [2.0, 4.0]])).pivots.data.tolist()
    [2, 2]
    """
    return LUFactor(*lu_factor_ex(A, pivot=pivot, check_errors=True)[:2])


def lu_unpack(
    LU_data: Operand, LU_pivots: Operand, unpack_data: bool = True, unpack_pivots: bool = True
) -> LU[Node]:
    """P, L and U of what `linalg.lu_factor` gives; what is not wanted is empty.

    Raises RuntimeError for shapes and dtypes that do not fit.

    >>> lu_unpack(np.array([[2.0, 4.0], [0.5, -1.0]]), np.array([2, 2], np.int32)).L.data.tolist()
    [[1.0, 0.0], [0.5, 1.0]]
    """
    data = matrices("lu_unpack", LU_data)
    m, n = data.shape[-2:]
    k = min(m, n)
    none = seal(np.zeros(0, data.dtype))
    turned = _permutation(_from_zero("lu_unpack", LU_pivots, data), m, data.dtype) if unpack_pivots else none
    if not unpack_data:
        return LU(turned, none, none)
    return LU(turned, as_node(_lower(data, k)), as_node(_upper(data, k)))


def _from_zero(op: str, pivots: Operand, data: Node) -> Node:
    at = as_node(pivots)
    if at.dtype != np.int32 or at.shape != (*data.shape[:-2], min(data.shape[-2:])):
        raise RuntimeError(
            f"{op}: pivots should be int32, one for each row that was exchanged, got {at.dtype} of shape "
            f"{at.shape} for {data.shape}"
        )
    return at - 1


def lu_solve(LU: Operand, pivots: Operand, B: Operand, *, left: bool = True, adjoint: bool = False) -> Node:
    """The X with `A @ X == B`, or, if not `left`, with `X @ A == B`, for the factors of A.

    LU, pivots: as `lu_factor` gives them. B: (..., n, k), or (..., k, n) if not `left`. adjoint: solve with
    the transpose of A, conjugated. Raises RuntimeError for shapes and dtypes that do not fit.

    >>> factors = lu_factor(np.array([[2.0, 0.0], [0.0, 4.0]]))
    >>> lu_solve(*factors, np.array([[2.0], [4.0]])).data.tolist()
    [[1.0], [1.0]]
    """
    op = "linalg.lu_solve"
    data, b = square(op, LU), matrices(op, B)
    same_dtype(op, data, b)
    if b.shape[-2 if left else -1] != data.shape[-1]:
        raise RuntimeError(f"{op}: Incompatible shapes of A and B: {data.shape} and {b.shape}")
    broadcast_shapes(data.shape[:-2], b.shape[:-2], op=op)
    n = data.shape[-1]
    turned = _permutation(_from_zero(op, pivots, data), n, data.dtype)
    lower, upper = as_node(_lower(data, n)), triu(data)
    if adjoint and data.dtype.kind == "c":  # the transpose of the conjugate
        lower, upper = mT(mH(lower)), mT(mH(upper))
    if not left:
        b = mT(b)
    if left != adjoint:
        found = apply(solve_op, (upper, apply(solve_op, (lower, np.matmul(mT(turned), b)))))
    else:
        found = np.matmul(turned, apply(solve_op, (mT(lower), apply(solve_op, (mT(upper), b)))))
    return found if left else mT(found)


# ---------------------------------------------------------------- what tells instead of raising


def _zero_pivots(x: Any) -> Any:
    """The first pivot, from 1, that is zero, for each matrix; 0 if there is none."""
    x = np.array(x)
    if np.all(np.linalg.slogdet(x)[0]):
        return np.zeros(x.shape[:-2], np.int32)
    return _first_zero(_factorize(x)[..., :-1, :])


def _regular(x: Node, info: Node) -> tuple[Node, Node]:
    """The matrices, with unit matrices for those that are singular, and which those are."""
    failed = (info != 0)[..., None, None]
    return where(failed, np.eye(x.shape[-1], dtype=x.dtype), x), failed


def inv_ex(A: Operand, *, check_errors: bool = False) -> InverseInfo[Node]:
    """`inv` that tells which matrices are singular: the pivot, from 1, that is zero; they give inf.

    Raises LinAlgError for them if `check_errors` is set.

    >>> inv_ex(np.array([[[2.0]], [[0.0]]])).info.data.tolist()
    [0, 1]
    """
    x = square("linalg.inv_ex", A)
    info = without_gradient("pivots", _zero_pivots, x)
    if check_errors:
        _check("linalg.inv_ex", info, "Singular matrix: a pivot is zero")
    regular, failed = _regular(x, info)
    return InverseInfo(where(failed, np.full((), np.inf, x.dtype), inv(regular)), info)


def solve_ex(A: Operand, B: Operand, *, left: bool = True, check_errors: bool = False) -> ResultInfo[Node]:
    """`solve` that tells which matrices are singular: the pivot, from 1, that is zero; they give inf.

    Raises LinAlgError for them if `check_errors` is set.

    >>> solve_ex(np.array([[2.0]]), np.array([4.0])).result.data.tolist()
    [2.0]
    """
    x, b = square("linalg.solve_ex", A), floating("linalg.solve_ex", B)
    info = without_gradient("pivots", _zero_pivots, x)
    if check_errors:
        _check("linalg.solve_ex", info, "Singular matrix: a pivot is zero")
    regular, failed = _regular(x, info)
    found = solve(regular, b, left=left)
    is_vector = b.ndim == 1 or (b.ndim == x.ndim - 1 and b.shape == x.shape[:-1])
    return ResultInfo(
        where(failed[..., 0] if is_vector else failed, np.full((), np.inf, x.dtype), found), info
    )


def _minors(x: Any) -> Any:
    """The order of the first leading minor that is not positive, for each matrix; 0 if there is none."""
    n = x.shape[-1]
    found = np.zeros(x.shape[:-2], np.int32)
    each, orders = np.array(x).reshape(found.size, n, n), found.reshape(-1)
    if _is_definite(each):
        return found
    for i, a in enumerate(each):
        if _is_definite(a):
            continue
        low, high = 0, n  # the minor of order `high` is not positive, that of `low` is
        while high - low > 1:
            half = (low + high) // 2
            low, high = (half, high) if _is_definite(a[:half, :half]) else (low, half)
        orders[i] = high
    return found


def _is_definite(a: Any) -> bool:
    try:
        np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return False
    return True


def cholesky_ex(A: Operand, *, upper: bool = False, check_errors: bool = False) -> CholeskyInfo[Node]:
    """`cholesky` that tells which matrices are not positive-definite: the order of the first leading
    minor that is not positive; they give NaN.

    Raises LinAlgError for them if `check_errors` is set.

    >>> cholesky_ex(np.array([[[4.0]], [[-1.0]]])).info.data.tolist()
    [0, 1]
    """
    x = square("linalg.cholesky_ex", A)
    info = without_gradient("minors", _minors, mT(x) if upper else x)
    if check_errors:
        _check("linalg.cholesky_ex", info, "a leading minor is not positive-definite")
    regular, failed = _regular(x, info)
    return CholeskyInfo(where(failed, np.full((), np.nan, x.dtype), cholesky(regular, upper=upper)), info)


def cholesky_inverse(L: Operand, upper: bool = False) -> Node:
    """The inverse of `L @ L.mT`, for a factor as `linalg.cholesky` gives it, or of `L.mT @ L` if `upper`.

    L: (..., n, n). Raises LinAlgError if L is singular, and RuntimeError for other shapes and dtypes.

    >>> cholesky_inverse(np.array([[2.0, 0.0], [0.0, 1.0]])).data.tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    x = square("cholesky_inverse", L)
    return cholesky_solve(np.eye(x.shape[-1], dtype=x.dtype), x, upper)

"""Systems of linear equations and inverses.

Gradients after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..diagonal import tril, triu
from ..node import Node, Operand
from ..op import Op, apply, general
from ..repeating import broadcast_shapes
from ..shape import squeeze, unsqueeze
from .checks import floating, matrices, mH, mT, of_numpy, same_dtype, square


def _solve_vjp(g: Any, out: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    gb = solve_op(mT(inputs[0]), g)
    return [np.negative(np.matmul(gb, mT(out))) if needs[0] else None, gb if needs[1] else None]


solve_op: Final[Op] = general("solve", of_numpy("linalg.solve", np.linalg.solve), vjp=_solve_vjp)


def _solved(op: str, a: Node, b: Node, left: bool) -> Node:
    """x with `a @ x == b`, or `x @ a == b`; matrices whose leading dimensions broadcast."""
    same_dtype(op, a, b)
    if b.shape[-2 if left else -1] != a.shape[-1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(f"{op}: Incompatible shapes of A and B for {equation}: {a.shape} and {b.shape}")
    broadcast_shapes(a.shape[:-2], b.shape[:-2], op=op)
    return apply(solve_op, (a, b)) if left else mT(apply(solve_op, (mT(a), mT(b))))


def solve(A: Operand, B: Operand, *, left: bool = True) -> Node:
    """The X with `A @ X == B`, or, if not `left`, with `X @ A == B`.

    A: (..., n, n); B: (..., n, k), or a vector (n), or vectors of the shape of A without its last
    dimension; leading dimensions broadcast. Raises LinAlgError if A is singular, and RuntimeError for
    shapes and dtypes that do not fit.

    >>> solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([1.0, 2.0])).data
    array([0.5, 0.5])
    """
    a, b = square("linalg.solve", A), floating("linalg.solve", B)
    if b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]):
        if not left:
            raise RuntimeError("linalg.solve: B must be matrices, not vectors, if left=False")
        return squeeze(_solved("linalg.solve", a, unsqueeze(b, -1), True), -1)
    return _solved("linalg.solve", a, matrices("linalg.solve", b), left)


def solve_triangular(
    A: Operand, B: Operand, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Node:
    """The X with `A @ X == B`, or, if not `left`, with `X @ A == B`, for triangular matrices A.

    A: (..., n, n), of which one triangle is read: the upper one if `upper`, and without its diagonal,
    taken to be 1, if `unitriangular`. B: (..., n, k), or (..., k, n) if not `left`. It costs what
    `solve` does: NumPy has no quicker way. Raises LinAlgError if A is singular, and RuntimeError for
    shapes and dtypes that do not fit.

    >>> solve_triangular(np.array([[2.0, 9.0], [0.0, 4.0]]), np.array([[11.0], [4.0]]), upper=True).data
    array([[1.],
           [1.]])
    """
    a, b = square("linalg.solve_triangular", A), matrices("linalg.solve_triangular", B)
    return _solved("linalg.solve_triangular", _triangle(a, upper, unitriangular), b, left)


def _triangle(a: Node, upper: bool, unit: bool = False) -> Node:
    part = triu(a, int(unit)) if upper else tril(a, -int(unit))
    return part + np.eye(a.shape[-1], dtype=a.dtype) if unit else part


def cholesky_solve(B: Operand, L: Operand, upper: bool = False) -> Node:
    """The X with `L @ L.mT @ X == B`, for a factor as `linalg.cholesky` gives it.

    B: (..., n, k); L: (..., n, n), lower triangular, or `upper`, where `L.mT @ L @ X == B`. Raises
    LinAlgError if L is singular, and RuntimeError for shapes and dtypes that do not fit.

    >>> cholesky_solve(np.array([[4.0], [4.0]]), np.array([[2.0, 0.0], [0.0, 1.0]])).data
    array([[1.],
           [4.]])
    """
    a, b = square("cholesky_solve", L), matrices("cholesky_solve", B)
    factor = _triangle(a, upper)
    first, second = (mH(factor), factor) if upper else (factor, mH(factor))
    return _solved("cholesky_solve", second, _solved("cholesky_solve", first, b, True), True)


#: the inverse of matrices
inv_op: Final[Op] = general(
    "inv",
    of_numpy("linalg.inv", np.linalg.inv),
    lambda g, out, x: np.negative(np.matmul(np.matmul(mT(out), g), mT(out))),
)


def inv(A: Operand) -> Node:
    """The inverse of square matrices, (..., n, n).

    Raises LinAlgError if one is singular, and RuntimeError for shapes and dtypes that do not fit.

    >>> inv(np.array([[2.0, 0.0], [0.0, 4.0]])).data
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    return apply(inv_op, (square("linalg.inv", A),))

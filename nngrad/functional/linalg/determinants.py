"""Determinants of square matrices.

Gradients after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008).
"""

from __future__ import annotations

from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np

from ..batch import all_examples, as_array
from ..choice import where
from ..node import Node, Operand, seal
from ..op import apply, general
from .checks import mT, of_numpy, square
from .decompositions import svd
from .solving import inv_op

T_co = TypeVar("T_co", covariant=True)


class SignLog(NamedTuple, Generic[T_co]):
    """The sign of a determinant and the logarithm of its size."""

    sign: T_co
    logabsdet: T_co


def _det_rule(g: Any, out: Any, x: Any) -> Any:
    # d det(A) = <cof(A), dA>, and cof(A) = det(A) A^-T where that exists
    singular = np.any(np.equal(all_examples(out._value if type(out) is Node else out), 0))
    if not singular:
        cofactors = np.multiply(_as_matrix(out), mT(inv_op(x)))
    else:
        cofactors = _minors(x) if type(x) is Node and x.shape[-1] <= _FEW else _cofactors(x)
    return np.multiply(_as_matrix(g), cofactors)


def _as_matrix(x: Any) -> Any:
    return np.expand_dims(x, (-2, -1))


#: rows of a matrix whose minors are worked out one by one
_FEW: Final = 32


def _minors(x: Node) -> Any:
    """The same to be differentiated again: equal singular values have no derivative, minors always do."""
    n = x.shape[-1]
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], np.intp).reshape(n, n - 1)
    found = _det.call(x[..., others[:, None, :, None], others[None, :, None, :]])
    signs = 1 - 2 * (np.add.outer(np.arange(n), np.arange(n)) % 2)
    return np.multiply(found, signs.astype(x.dtype))


def _cofactors(x: Any) -> Any:
    """The derivative of the determinant of matrices that may be singular: with A = U S V^T, the
    matrix det(U V^T) U diag(products of the other singular values) V^T."""
    factors: Any = svd(x, False) if type(x) is Node else np.linalg.svd(x)
    u, s, vh = factors
    n = x.shape[-1]
    others = np.ones_like(s)
    for i in range(n):
        others = np.multiply(others, np.where(np.arange(n) == i, np.ones((), x.dtype), s[..., i : i + 1]))
    turns = [np.linalg.det(factor._value if type(factor) is Node else factor) for factor in (u, vh)]
    sign = np.sign(turns[0] * turns[1]).astype(x.dtype)
    return np.matmul(np.multiply(u, np.multiply(others, sign[..., None])[..., None, :]), vh)


_det: Final = general("det", of_numpy("linalg.det", np.linalg.det), _det_rule)


def det(A: Operand) -> Node:
    """The determinant of square matrices, (..., n, n). Raises RuntimeError for other shapes and dtypes.

    >>> round(det(np.array([[2.0, 0.0], [0.0, 4.0]])).item(), 3)
    8.0
    """
    return apply(_det, (square("linalg.det", A),))


#: the sign of the determinant, and below it the logarithm of its size
_slogdet: Final = general(
    "slogdet",
    lambda x: np.stack(np.linalg.slogdet(x)),
    lambda g, _, x: np.multiply(_as_matrix(g[1]), mT(inv_op(x))),
)


def slogdet(A: Operand) -> SignLog[Node]:
    """The sign of the determinant of square matrices, and the logarithm of its absolute value.

    A: (..., n, n). A singular matrix has sign 0 and logarithm -inf. Raises RuntimeError for other
    shapes and dtypes.

    >>> slogdet(np.array([[0.0, 1.0], [1.0, 0.0]]))
    SignLog(sign=Node(-1., dtype=float64), logabsdet=Node(0., dtype=float64))
    """
    x = square("linalg.slogdet", A)
    if x.dtype.kind == "c":
        return SignLog(*[seal(as_array(part)) for part in np.linalg.slogdet(x._value)])
    both = apply(_slogdet, (x,))
    return SignLog(seal(as_array(both._value[0])), both[1])


def logdet(A: Operand) -> Node:
    """The logarithm of the determinant of square matrices: -inf if it is 0, NaN if it is negative.

    A: (..., n, n). Raises RuntimeError for other shapes and dtypes.

    >>> logdet(np.eye(2)).data
    array(0.)
    """
    sign, size = slogdet(square("logdet", A))
    if sign.dtype.kind == "c":
        return seal(as_array(np.log(sign._value) + size._value))
    return where(sign >= 0, size, np.full((), np.nan, size.dtype))

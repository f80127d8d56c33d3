"""Powers of matrices, products of several, their rank and pseudo-inverse.

The gradient of pinv after Golub and Pereyra, "The differentiation of pseudo-inverses" (1973).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ..batch import as_array
from ..matrix import matmul
from ..node import Node, Operand, as_node, seal
from ..op import apply, general, is_number
from ..repeating import broadcast_to
from .checks import floating, matrices, mT, of_numpy, same_dtype, square, square_of_any_numbers
from .solving import inv


def matrix_power(A: Operand, n: int) -> Node:
    """Square matrices multiplied n times; a negative power is one of the inverse.

    A: (..., m, m). Raises LinAlgError for a singular matrix and a negative n, and RuntimeError for
    other shapes.

    >>> matrix_power(np.array([[1.0, 1.0], [0.0, 1.0]]), 3).data
    array([[1., 3.],
           [0., 1.]])
    """
    base = square_of_any_numbers("linalg.matrix_power", A)
    if n < 0:
        base, n = inv(base), -n
    if not n:
        return broadcast_to(seal(np.eye(base.shape[-1], dtype=base.dtype)), base.shape)
    if base.dtype.kind == "b" and n > 1:
        raise RuntimeError("linalg.matrix_power: not implemented for bool")
    return _power(base, n)


def _power(x: Node, n: int) -> Node:
    if n == 1:
        return x
    half = _power(x, n // 2)
    squared = matmul(half, half)
    return matmul(squared, x) if n % 2 else squared


def multi_dot(tensors: Sequence[Operand]) -> Node:
    """The product of several matrices, in the order that takes the fewest multiplications.

    tensors: two or more; the first may be a vector, taken as a row, and the last one, as a column.
    Raises RuntimeError for fewer, and for shapes that do not fit.

    >>> multi_dot([np.ones((2, 3)), np.ones((3, 4)), np.ones(4)]).data
    array([12., 12.])
    """
    nodes = [as_node(x) for x in tensors]
    shapes = [x.shape for x in nodes]
    told = " and ".join(map(str, shapes))
    if len(nodes) < 2:
        raise RuntimeError(f"linalg.multi_dot: expected at least 2 tensors but got {len(nodes)}")
    for at, shape in enumerate(shapes):
        if len(shape) != 2 and (len(shape) != 1 or 0 < at < len(shapes) - 1):
            raise RuntimeError(
                f"linalg.multi_dot: tensor {at} must be 2-D, or 1-D at either end, got shapes {told}"
            )
    same_dtype("linalg.multi_dot", *nodes)
    if nodes[0].dtype.kind == "b":
        raise RuntimeError("linalg.multi_dot: not implemented for bool")
    sizes = [1 if len(shapes[0]) == 1 else shapes[0][0], *[shape[0] for shape in shapes[1:]]]
    sizes.append(1 if len(shapes[-1]) == 1 else shapes[-1][-1])
    if any(shape[-1] != size for shape, size in zip(shapes[:-1], sizes[1:])):
        raise RuntimeError(f"linalg.multi_dot: shapes {told} cannot be multiplied")
    count = len(nodes)
    # cheapest[i, j]: the multiplications for the product of tensors i to j, and where it is cut
    cheapest = {(i, i): (0, i) for i in range(count)}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cheapest[i, j] = min(
                (cheapest[i, k][0] + cheapest[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )

    def product(i: int, j: int) -> Node:
        if i == j:
            return nodes[i]
        cut = cheapest[i, j][1]
        return matmul(product(i, cut), product(cut + 1, j))

    return product(0, count - 1)


def _threshold(sizes: Any, shape: tuple[int, ...], atol: Any, rtol: Any) -> Any:
    """Below which singular values count as 0, for each matrix: numbers, or arrays of one for each."""
    least = np.asarray(0.0 if atol is None else atol, sizes.dtype)[..., None]
    if rtol is None:
        rtol = np.where(least[..., 0] > 0, 0.0, max(shape[-2:]) * float(np.finfo(sizes.dtype).eps))
    largest = np.max(sizes, axis=-1, keepdims=True, initial=0)
    return np.maximum(least, np.asarray(rtol, sizes.dtype)[..., None] * largest)


def matrix_rank(
    A: Operand, *, atol: Operand | None = None, rtol: Operand | None = None, hermitian: bool = False
) -> Node:
    """How many singular values of each matrix are above the larger of `atol` and `rtol` of the largest.

    A: (..., m, n). atol, rtol: numbers, or one for each matrix. rtol: by default max(m, n) times the
    dtype's precision, or 0 if `atol` is given.
    hermitian: read the lower triangle of symmetric matrices only. Gives int64. Raises RuntimeError for
    other shapes and dtypes.

    >>> matrix_rank(np.ones((2, 2))).data
    array(1)
    """
    x = (square if hermitian else matrices)("linalg.matrix_rank", A)._value
    if hermitian:
        sizes = np.abs(of_numpy("linalg.matrix_rank", np.linalg.eigvalsh)(x))
    else:
        sizes = of_numpy("linalg.matrix_rank", np.linalg.svdvals)(x)
    limits = [t if t is None or is_number(t) else as_node(t)._value for t in (atol, rtol)]
    above = sizes > _threshold(sizes, x.shape, *limits)
    return seal(as_array(np.sum(above, -1), np.int64))


def _pinv_forward(x: Any, atol: float | None, rtol: float | None) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    above = s > _threshold(s, x.shape, atol, rtol)
    inverse = np.divide(1, s, out=np.zeros_like(s), where=above)
    return np.matmul(mT(vh.conj()), inverse[..., None] * mT(u.conj()))


def _pinv_rule(g: Any, out: Any, x: Any, atol: float | None, rtol: float | None) -> Any:
    # gA = -P^T gP P^T + (I - A P) gP^T P P^T + P^T P gP^T (I - P A)
    t, gt = mT(out), mT(g)
    right = np.matmul(np.matmul(gt, out), t)
    left = np.matmul(np.matmul(t, out), gt)
    around = np.add(
        np.subtract(right, np.matmul(x, np.matmul(out, right))),
        np.subtract(left, np.matmul(np.matmul(left, out), x)),
    )
    return np.subtract(around, np.matmul(np.matmul(t, g), t))


_pinv: Final = general("pinv", of_numpy("linalg.pinv", _pinv_forward), _pinv_rule)


#: what the lower triangles of symmetric matrices say; a gradient passes as if all were read, as in PyTorch
_symmetric: Final = general(
    "symmetric",
    lambda x: np.add(np.tril(x), np.conjugate(mT(np.tril(x, -1)))),
    lambda g, _, x: g,
    frees=False,
)


def pinv(
    A: Operand, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False
) -> Node:
    """The pseudo-inverse (Moore and Penrose) of matrices (..., m, n): (..., n, m).

    Singular values below the larger of `atol` and `rtol` of the largest count as 0; see `matrix_rank`.
    hermitian: read the lower triangle of symmetric matrices only. Raises RuntimeError for other shapes
    and dtypes.

    >>> pinv(np.array([[2.0, 0.0], [0.0, 0.0]])).data
    array([[0.5, 0. ],
           [0. , 0. ]])
    """
    x = (square if hermitian else matrices)("linalg.pinv", A)
    if hermitian:
        x = apply(_symmetric, (x,))
    return apply(_pinv, (x,), (atol, rtol))


# ---------------------------------------------------------------- the exponential

#: of the diagonal Pade approximant of order 13: Higham, "The scaling and squaring method for the matrix
#: exponential revisited" (2005), as is the size up to which it is exact in float64
_PADE: Final = (
    *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0),
    *(129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0),
    *(40840800.0, 960960.0, 16380.0, 182.0, 1.0),
)
_LARGEST: Final = 5.371920351148152


def _exponential(x: Any) -> Any:
    a = np.array(x, np.result_type(x.dtype, np.float64))
    sizes = np.max(np.sum(np.abs(a), -2), -1, initial=0)
    finite = np.isfinite(sizes)
    with np.errstate(all="ignore"):
        halvings = np.ceil(np.log2(np.where(finite & (sizes > _LARGEST), sizes / _LARGEST, 1))).astype(
            np.int64
        )
        a = np.where(finite[..., None, None], np.ldexp(1.0, -halvings)[..., None, None] * a, 0)
        even, odd = _pade(a)
        out = np.linalg.solve(even - odd, even + odd)
        for step in range(int(halvings.max(initial=0))):
            out = np.where((step < halvings)[..., None, None], out @ out, out)
        return np.where(finite[..., None, None], out, np.nan).astype(x.dtype)


def _pade(a: Any) -> tuple[Any, Any]:
    """The even and the odd terms of the numerator."""
    unit = np.eye(a.shape[-1], dtype=a.dtype)
    two = a @ a
    four = two @ two
    six = four @ two

    def terms(*factors: float) -> Any:
        return sum([f * power for f, power in zip(factors, (unit, two, four, six))])

    b = _PADE
    even = six @ terms(0, b[8], b[10], b[12]) + terms(b[0], b[2], b[4], b[6])
    return even, a @ (six @ terms(0, b[9], b[11], b[13]) + terms(b[1], b[3], b[5], b[7]))


def _exponential_rule(g: Any, _: Any, x: Any) -> Any:
    # exp([[A^T, G], [0, A^T]]) has the derivative at A^T in the direction G in its upper right corner
    n = x.shape[-1]
    t = mT(x)
    above = np.concatenate([t, g], -1)
    below = np.concatenate([np.zeros_like(g), t], -1)
    return _matrix_exp(np.concatenate([above, below], -2))[..., :n, n:]


_matrix_exp: Final = general("matrix_exp", of_numpy("linalg.matrix_exp", _exponential), _exponential_rule)


def matrix_exp(A: Operand) -> Node:
    """The exponential of square matrices: the sum of `matrix_power(A, k) / k!`.

    A: (..., n, n). Raises RuntimeError for shapes and dtypes that do not fit. By scaling, a Pade approximant
    and squaring, in double precision.

    >>> matrix_exp(np.array([[0.0, 1.0], [0.0, 0.0]])).data
    array([[1., 1.],
           [0., 1.]])
    """
    x = square_of_any_numbers("linalg.matrix_exp", floating("linalg.matrix_exp", A, low=True))
    return apply(_matrix_exp, (x,))

"""Products of vectors and matrices, each for its own number of dimensions, and sums with them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .arithmetic import add, factor_of, mul, real_factor, sub
from .dtypes import Number
from .einsum import contract, tensordot
from .elementary import select
from .matrix import matmul
from .node import Node, Operand, as_node, constant
from .norms import norm
from .op import Op, apply, bilinear, general, promote
from .reduction import sum
from .repeating import broadcast_shapes, broadcast_to
from .shape import normal_dim, unsqueeze


def _factors(op: str, a: Operand, b: Operand, ndims: tuple[int, int]) -> tuple[Node, Node]:
    """The operands of a product as nodes, if their numbers of dimensions, sizes and dtypes fit."""
    x, y = as_node(a), as_node(b)
    if (x.ndim, y.ndim) != ndims:
        raise RuntimeError(
            f"{op}: expected {ndims[0]}-D and {ndims[1]}-D operands, got shapes {x.shape} and {y.shape}"
        )
    if x.shape[-1] != y.shape[0 if y.ndim == 1 else -2]:
        raise RuntimeError(f"{op}: shapes {x.shape} and {y.shape} cannot be multiplied")
    if ndims[0] == 3 and x.shape[0] != y.shape[0]:
        raise RuntimeError(
            f"{op}: both must have the same number of matrices, got shapes {x.shape} and {y.shape}"
        )
    _same_numbers(op, x, y)
    return x, y


def _same_numbers(op: str, *nodes: Node) -> None:
    if len({n.dtype for n in nodes}) > 1:
        told = " and ".join([str(n.dtype) for n in nodes])
        raise RuntimeError(f"{op}: expected operands of the same dtype, got {told}")
    if nodes[0].dtype.kind == "b":
        raise RuntimeError(f"{op}: not implemented for bool")


# ---------------------------------------------------------------- products


def mm(input: Operand, mat2: Operand) -> Node:
    """The product of two matrices, of shapes (n, k) and (k, m).

    Raises RuntimeError for other numbers of dimensions, sizes that do not fit, and mixed dtypes.

    >>> mm(np.eye(2), np.array([[1.0], [2.0]])).data
    array([[1.],
           [2.]])
    """
    return matmul(*_factors("mm", input, mat2, (2, 2)))


def bmm(input: Operand, mat2: Operand) -> Node:
    """The products of as many pairs of matrices, of shapes (b, n, k) and (b, k, m).

    Raises RuntimeError as `mm`, and if the numbers of matrices differ.

    >>> bmm(np.ones((5, 2, 3)), np.ones((5, 3, 4))).shape
    (5, 2, 4)
    """
    return matmul(*_factors("bmm", input, mat2, (3, 3)))


def mv(input: Operand, vec: Operand) -> Node:
    """The product of a matrix (n, k) and a vector (k). Raises RuntimeError as `mm`.

    >>> mv(np.eye(2), np.array([1.0, 2.0])).data
    array([1., 2.])
    """
    return matmul(*_factors("mv", input, vec, (2, 1)))


def dot(input: Operand, tensor: Operand) -> Node:
    """The sum of the products of two vectors of one size. Raises RuntimeError as `mm`.

    >>> dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])).data
    array(11.)
    """
    return matmul(*_factors("dot", input, tensor, (1, 1)))


def vdot(input: Operand, other: Operand) -> Node:
    """`dot`, with the conjugate of the input if that is complex.

    >>> vdot(np.array([1.0, 2.0]), np.array([3.0, 4.0])).data
    array(11.)
    """
    x, y = _factors("vdot", input, other, (1, 1))
    if x.dtype.kind != "c":
        return matmul(x, y)
    return constant(np.vdot(x._value, y._value))


def inner(input: Operand, other: Operand) -> Node:
    """Products summed over the last dimensions; with a 0-d operand, the product.

    Shapes (..., k) and (***, k) give (..., ***). Raises RuntimeError if the last sizes differ, and
    for mixed dtypes.

    >>> inner(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 1.0])).data
    array([3., 7.])
    """
    x, y = as_node(input), as_node(other)
    if not x.ndim or not y.ndim:
        return mul(x, y)
    if x.shape[-1] != y.shape[-1]:
        raise RuntimeError(
            "inner: the last dimension must match on both input tensors but got shapes "
            f"{x.shape} and {y.shape}"
        )
    _same_numbers("inner", x, y)
    return tensordot(x, y, ((-1,), (-1,)))


def outer(input: Operand, vec2: Operand) -> Node:
    """All products of elements of two vectors: shapes (n) and (m) give (n, m).

    Raises RuntimeError for other numbers of dimensions.

    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0])).data
    array([[3., 4.],
           [6., 8.]])
    """
    return _outer("outer", input, vec2)


def _outer(op: str, a: Operand, b: Operand) -> Node:
    x, y = as_node(a), as_node(b)
    if x.ndim != 1 or y.ndim != 1:
        raise RuntimeError(f"{op}: expected 1-D operands, got shapes {x.shape} and {y.shape}")
    return mul(unsqueeze(x, 1), y)


# ---------------------------------------------------------------- sums with products


def _plus(
    op: str, input: Operand, product: Node, beta: Number, alpha: Number, promotes: bool = False
) -> Node:
    """`beta * input + alpha * product`, where a beta of 0 leaves the input out, NaNs and all."""
    x = as_node(input)
    if not promotes:
        _same_numbers(op, x, product)
    else:
        x, product = promote(op, x, product)
    take = factor_of if promotes else real_factor
    beta, alpha = take(op, "beta", beta, product.dtype), take(op, "alpha", alpha, product.dtype)
    if x.ndim > product.ndim or broadcast_shapes(x.shape, product.shape, op=op) != product.shape:
        raise RuntimeError(f"{op}: input of shape {x.shape} does not expand to {product.shape}")
    scaled = product if alpha == 1 else mul(product, alpha)
    if beta == 0:
        return scaled
    return add(x if beta == 1 else mul(x, beta), scaled)


def addmm(input: Operand, mat1: Operand, mat2: Operand, *, beta: float = 1, alpha: float = 1) -> Node:
    """`beta * input + alpha * mm(mat1, mat2)`; the input broadcasts, and is not read if beta is 0.

    Raises RuntimeError as `mm`, and if the input does not expand to the product's shape.

    >>> addmm(np.ones(2), np.eye(2), np.eye(2), alpha=2).data
    array([[3., 1.],
           [1., 3.]])
    """
    return _plus("addmm", input, matmul(*_factors("addmm", mat1, mat2, (2, 2))), beta, alpha)


def addmv(input: Operand, mat: Operand, vec: Operand, *, beta: float = 1, alpha: float = 1) -> Node:
    """`beta * input + alpha * mv(mat, vec)`; see `addmm`.

    >>> addmv(np.ones(2), np.eye(2), np.array([1.0, 2.0])).data
    array([2., 3.])
    """
    return _plus("addmv", input, matmul(*_factors("addmv", mat, vec, (2, 1))), beta, alpha)


def addr(input: Operand, vec1: Operand, vec2: Operand, *, beta: float = 1, alpha: float = 1) -> Node:
    """`beta * input + alpha * outer(vec1, vec2)`; see `addmm`. The dtypes may differ.

    >>> addr(np.ones((2, 2)), np.array([1.0, 2.0]), np.array([1.0, 0.0])).data
    array([[2., 1.],
           [3., 1.]])
    """
    return _plus("addr", input, _outer("addr", vec1, vec2), beta, alpha, promotes=True)


def baddbmm(input: Operand, batch1: Operand, batch2: Operand, *, beta: float = 1, alpha: float = 1) -> Node:
    """`beta * input + alpha * bmm(batch1, batch2)`; see `addmm`.

    >>> baddbmm(np.ones(4), np.ones((5, 2, 3)), np.ones((5, 3, 4))).shape
    (5, 2, 4)
    """
    return _plus("baddbmm", input, matmul(*_factors("baddbmm", batch1, batch2, (3, 3))), beta, alpha)


def addbmm(input: Operand, batch1: Operand, batch2: Operand, *, beta: float = 1, alpha: float = 1) -> Node:
    """`beta * input + alpha * bmm(batch1, batch2).sum(0)`; see `addmm`.

    >>> addbmm(np.ones(4), np.ones((5, 2, 3)), np.ones((5, 3, 4))).shape
    (2, 4)
    """
    factors = _factors("addbmm", batch1, batch2, (3, 3))
    return _plus("addbmm", input, apply(contract, factors, ((0, 1, 2), (0, 2, 3), (1, 3))), beta, alpha)


# ---------------------------------------------------------------- in space

_cross: Final[Op] = bilinear(
    "cross",
    lambda a, b, dim: np.cross(a, b, axis=dim),
    lambda g, _, a, b, dim: _cross(b, g, dim),
    lambda g, _, a, b, dim: _cross(g, a, dim),
)


def cross(input: Operand, other: Operand, dim: int | None = None) -> Node:
    """The vectors at right angles to two others, of 3 elements along `dim`.

    dim: without it, the first dimension of size 3 of the input. The other dimensions broadcast.
    Raises RuntimeError if there is no such dimension, or the numbers of dimensions differ.

    >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])).data
    array([0., 0., 1.])
    """
    return cross_along("cross", input, other, dim)


def cross_along(op: str, input: Operand, other: Operand, dim: int | None) -> Node:
    """`cross` under the name of `op`."""
    x, y = as_node(input), as_node(other)
    if x.ndim != y.ndim:
        raise RuntimeError(
            f"{op}: inputs must have the same number of dimensions, got {x.shape} and {y.shape}"
        )
    if dim is None:
        if 3 not in x.shape:
            raise RuntimeError(f"{op}: no dimension of size 3 in input of shape {x.shape}")
        dim = x.shape.index(3)
    at = normal_dim(op, dim, x.ndim)
    if not x.ndim or x.shape[at] != 3 or y.shape[at] != 3:
        raise RuntimeError(f"{op}: inputs dimension {dim} must have length 3, got {x.shape} and {y.shape}")
    _same_numbers(op, x, y)
    broadcast_shapes(x.shape, y.shape, op=op)
    return apply(_cross, (x, y), (at,))


def _distances(x: Any, y: Any) -> Any:
    """Euclidean distances by one matrix product: |x|^2 + |y|^2 - 2 x.y, which loses close digits."""
    far = np.matmul(x, np.swapaxes(y, -1, -2))
    far *= -2
    far += np.sum(np.square(x), -1)[..., None]
    far += np.sum(np.square(y), -1)[..., None, :]
    return np.sqrt(np.maximum(far, 0, out=far), out=far)


def _distances_vjp(g: Any, out: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    # d/dx |x - y| = (x - y) / |x - y|, and 0 where they are equal
    x, y = inputs
    apart = np.not_equal(out, 0)
    share = select(np.divide(g, np.where(apart, out, np.ones((), g.dtype))), apart)
    shared = np.swapaxes(share, -1, -2)
    return [
        _pulled(share, x, y) if needs[0] else None,
        _pulled(shared, y, x) if needs[1] else None,
    ]


def _pulled(share: Any, x: Any, y: Any) -> Any:
    return np.subtract(np.multiply(np.sum(share, axis=-1, keepdims=True), x), np.matmul(share, y))


_cdist: Final = general("cdist", _distances, vjp=_distances_vjp)
_BY_PRODUCT: Final = {
    "use_mm_for_euclid_dist": 0,
    "use_mm_for_euclid_dist_if_necessary": 25,
    "donot_use_mm_for_euclid_dist": np.inf,
}


def cdist(
    x1: Operand, x2: Operand, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Node:
    """The distances between all rows of two matrices, by the p-norm of their differences.

    Shapes (..., n, m) and (..., k, m) give (..., n, k); leading dimensions broadcast. p: 0 counts
    differences, inf takes the largest. Equal rows have distance 0 and receive no gradient.
    compute_mode: whether p=2 goes by one matrix product, which is quick and loses the last digits of
    small distances; by default only above 25 rows. Raises RuntimeError for integers, a negative p,
    or shapes that do not fit, and ValueError for another mode.

    >>> cdist(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0]])).data
    array([[5., 1.]])
    """
    x, y = as_node(x1), as_node(x2)
    if compute_mode not in _BY_PRODUCT:
        raise ValueError(f"cdist: {compute_mode} is not a valid value for compute_mode")
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise RuntimeError(
            "cdist: expected at least 2-D operands with the same number of columns, got shapes "
            f"{x.shape} and {y.shape}"
        )
    if x.dtype != y.dtype or x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise RuntimeError(
            "cdist: only supports operands of one floating-point dtype, float16 excepted, got "
            f"{x.dtype} and {y.dtype}"
        )
    if p < 0:
        raise RuntimeError(f"cdist: only supports non-negative p values, got {p}")
    lead = broadcast_shapes(x.shape[:-2], y.shape[:-2], op="cdist")
    if p == 2 and max(x.shape[-2], y.shape[-2]) > _BY_PRODUCT[compute_mode]:
        return apply(
            _cdist, (broadcast_to(x, (*lead, *x.shape[-2:])), broadcast_to(y, (*lead, *y.shape[-2:])))
        )
    difference = sub(unsqueeze(x, -2), unsqueeze(y, -3))
    if not x.shape[-1]:  # inf has no identity to start from
        return sum(difference, -1)
    return norm(difference, p, -1)

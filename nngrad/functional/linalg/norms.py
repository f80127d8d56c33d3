"""Norms of vectors and matrices, and products under the names of `torch.linalg`."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from ..diagonal import diagonal as any_diagonal
from ..dtypes import DType
from ..node import Node, Operand, as_node
from ..norms import norm as any_norm
from ..op import cast
from ..order import movedim
from ..products import cross_along
from ..reduction import amax, amin, sum
from ..repeating import broadcast_shapes
from ..shape import Dims, normal_dims, reshape, sizes_of
from .checks import floating, same_dtype
from .decompositions import svdvals

Order: TypeAlias = float | Literal["fro", "nuc"]


def vector_norm(
    x: Operand,
    ord: float = 2,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Node:
    """The norm of vectors: (sum of |x|^ord)^(1/ord) of all elements, or over some dimensions.

    ord: inf gives the largest size, -inf the smallest, 0 how many are not 0. Where the norm is 0, so
    is its gradient. Raises RuntimeError for integers, and where there is no element to choose from.

    >>> vector_norm(np.array([3.0, -4.0]), 1).data
    array(7.)
    """
    node = floating("linalg.vector_norm", x, low=True)
    if not hasattr(ord, "__float__"):
        raise TypeError(f"linalg.vector_norm: ord must be a number, got {ord!r}")
    return any_norm(node, float(ord), dim, keepdim, dtype)


def matrix_norm(
    A: Operand,
    ord: Order = "fro",
    dim: Dims = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Node:
    """The norm of matrices in two dimensions.

    ord: "fro" (root of the sum of squares), "nuc" (sum of the singular values), inf, -inf (largest,
    smallest sum of sizes of a row), 1, -1 (of a column), 2, -2 (largest, smallest singular value).
    Raises RuntimeError for other orders, and dimensions and dtypes that do not fit.

    >>> matrix_norm(np.array([[1.0, -2.0], [3.0, 4.0]]), np.inf).data
    array(7.)
    """
    x = floating("linalg.matrix_norm", A, low=True)
    dims = sizes_of((dim,))
    if len(dims) != 2 or x.ndim < 2:
        raise RuntimeError(
            f"linalg.matrix_norm: dim must be a 2-tuple, of at least 2 dimensions, got {dims} for {x.shape}"
        )
    rows, columns = normal_dims("linalg.matrix_norm", dims, x.ndim) or (0, 0)
    if ord not in ("fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported")
    x = x if dtype is None else cast(x, dtype)
    if ord in ("fro", "nuc"):
        floating("linalg.matrix_norm", x, low=ord == "fro")
        return any_norm(x, ord, (rows, columns), keepdim)
    moved = movedim(x, (rows, columns), (-2, -1))
    if ord in (2, -2):
        sizes = svdvals(floating("linalg.matrix_norm", moved))
        result = _largest(sizes) if ord == 2 else amin(sizes, -1)
    else:
        sums = any_norm(moved, 1, -1 if ord in (np.inf, -np.inf) else -2)
        result = _largest(sums) if ord in (np.inf, 1) else amin(sums, -1)
    if not keepdim:
        return result
    return reshape(result, [1 if d in (rows, columns) else n for d, n in enumerate(x.shape)])


def _largest(x: Node) -> Node:
    """The largest size in the last dimension: 0 where there are none."""
    return amax(x, -1) if x.shape[-1] else sum(x, -1)


def norm(
    A: Operand,
    ord: Order | None = None,
    dim: Dims | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Node:
    """The norm of vectors if `dim` is one dimension, of matrices if it is two.

    Without `ord`, the root of the sum of squares over `dim`, or over all. With it and without `dim`, a
    matrix or a vector, by the input's dimensions. See `vector_norm` and `matrix_norm`. Raises
    RuntimeError where they do, and for more dimensions.

    >>> norm(np.array([[3.0, 0.0], [0.0, 4.0]])).data
    array(5.)
    """
    x = as_node(A)
    if ord is None:
        return vector_norm(x, 2, dim, keepdim, dtype=dtype)
    count = x.ndim if dim is None else len(sizes_of((dim,)))
    if dim is None and count not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D, got shape "
            f"{x.shape}"
        )
    if count == 2:
        return matrix_norm(x, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: order {ord!r} is for two dimensions, got {count}")
    return vector_norm(x, ord, dim, keepdim, dtype=dtype)


def vecdot(x: Operand, y: Operand, *, dim: int = -1) -> Node:
    """The products of vectors along a dimension; the others broadcast.

    Raises RuntimeError for integers, mixed dtypes and shapes that do not fit.

    >>> vecdot(np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones(2)).data
    array([3., 7.])
    """
    a, b = floating("linalg.vecdot", x, low=True), floating("linalg.vecdot", y, low=True)
    same_dtype("linalg.vecdot", a, b)
    broadcast_shapes(a.shape, b.shape, op="linalg.vecdot")
    if a.dtype.kind == "c":
        a = as_node(np.conj(a._value))
    return sum(a * b, dim)


def cross(input: Operand, other: Operand, *, dim: int = -1) -> Node:
    """The vectors at right angles to two others, of 3 elements along `dim`; the rest broadcasts.

    Raises RuntimeError for other sizes, and if the numbers of dimensions differ.

    >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])).data
    array([0., 0., 1.])
    """
    return cross_along("linalg.cross", input, other, dim)


def diagonal(A: Operand, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Node:
    """The diagonal of the plane of two dimensions, by default the last; see `nngrad.functional.diagonal`.

    >>> diagonal(np.arange(8.0).reshape(2, 2, 2)).data
    array([[0., 3.],
           [4., 7.]])
    """
    return any_diagonal(A, offset, dim1, dim2)

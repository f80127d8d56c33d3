"""Diagonals and triangles of matrices, and of batches of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from .elementary import select
from .indexing import PLACE, getitem_parsed, put_parsed, scatter_op
from .node import Node, Operand, as_node, implements, seal
from .op import apply
from .order import movedim
from .shape import PUT, normal_dim, ravel

_TEMPLATE: Final = (Ellipsis, PLACE, PLACE)


def _cells(matrix: tuple[int, ...], offset: int) -> tuple[Node, Node]:
    """The row and the column of each element of a diagonal."""
    rows, columns = matrix[-2:]
    down, right = max(-offset, 0), max(offset, 0)
    steps = np.arange(max(min(rows - down, columns - right), 0))
    return seal(steps + down), seal(steps + right)


def _plane(op: str, dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    first, second = normal_dim(op, dim1, ndim), normal_dim(op, dim2, ndim)
    if first == second:
        raise RuntimeError(f"{op}: diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def diagonal(input: Operand, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Node:
    """The diagonal of the plane of two dimensions, along a new last dimension.

    offset: how far above the main diagonal, negative below. Raises RuntimeError if the two
    dimensions are one.

    >>> diagonal(np.arange(6.0).reshape(2, 3), 1).data
    array([1., 5.])
    """
    x = as_node(input)
    plane = _plane("diagonal", dim1, dim2, x.ndim)
    moved = movedim(x, plane, (-2, -1))
    return getitem_parsed(moved, _TEMPLATE, _cells(moved.shape, offset))


def _put_diagonal(base: Node, new: Node, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Node:
    plane = _plane("diagonal", dim1, dim2, base.ndim)
    moved = movedim(base, plane, (-2, -1))
    return movedim(put_parsed(moved, _TEMPLATE, _cells(moved.shape, offset), new), (-2, -1), plane)


PUT[diagonal] = _put_diagonal


def diag_embed(input: Operand, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Node:
    """Matrices with the last dimension of the input on a diagonal, and zeros elsewhere.

    offset: as in `diagonal`; dim1, dim2: where rows and columns are in the result. Raises
    RuntimeError if the two dimensions are one.

    >>> diag_embed(np.array([1.0, 2.0])).data
    array([[1., 0.],
           [0., 2.]])
    """
    x = as_node(input)
    if not x.ndim:
        raise RuntimeError("diag_embed: expects at least a 1-dimensional tensor")
    plane = _plane("diag_embed", dim1, dim2, x.ndim + 1)
    size = x.shape[-1] + abs(offset)
    return movedim(
        scatter_op.call(x, *_cells((size, size), offset), _TEMPLATE, (*x.shape[:-1], size, size)),
        (-2, -1),
        plane,
    )


def diag(input: Operand, diagonal: int = 0) -> Node:
    """A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector.

    Raises RuntimeError for other numbers of dimensions.

    >>> diag(np.array([1.0, 2.0])).data
    array([[1., 0.],
           [0., 2.]])
    """
    x = as_node(input)
    if x.ndim == 1:
        return diag_embed(x, diagonal)
    if x.ndim != 2:
        raise RuntimeError(f"diag: Supports 1D or 2D tensors. Got shape {x.shape}")
    return getitem_parsed(x, _TEMPLATE, _cells(x.shape, diagonal))


def diagflat(input: Operand, offset: int = 0) -> Node:
    """The elements in row-major order on the diagonal of a matrix.

    >>> diagflat(np.array([[1.0], [2.0]])).data
    array([[1., 0.],
           [0., 2.]])
    """
    return diag_embed(ravel(input), offset)


def _matrix_shape(op: str, x: Node) -> tuple[int, int]:
    if x.ndim < 2:
        raise RuntimeError(f"{op}: input tensor must have at least 2 dimensions, got shape {x.shape}")
    return x.shape[-2], x.shape[-1]


@implements(np.tril)
def tril(input: Operand, diagonal: int = 0) -> Node:
    """The lower triangle of a matrix (or each of a batch), with zeros above `diagonal`.

    Raises RuntimeError for fewer than two dimensions.

    >>> tril(np.ones((2, 2))).data
    array([[1., 0.],
           [1., 1.]])
    """
    x = as_node(input)
    return apply(select, (x, seal(np.tri(*_matrix_shape("tril", x), diagonal, np.bool_))))


@implements(np.triu)
def triu(input: Operand, diagonal: int = 0) -> Node:
    """The upper triangle of a matrix (or each of a batch), with zeros below `diagonal`.

    Raises RuntimeError for fewer than two dimensions.

    >>> triu(np.ones((2, 2))).data
    array([[1., 1.],
           [0., 1.]])
    """
    x = as_node(input)
    below = np.tri(*_matrix_shape("triu", x), diagonal - 1, np.bool_)
    return apply(select, (x, seal(np.logical_not(below))))

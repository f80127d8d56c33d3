"""The same elements in another order: of dimensions, and along them. All functions are linear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, SupportsIndex

import numpy as np

from .elementary import in_order
from .node import Node, Operand, as_node, implements
from .op import apply, linear
from .shape import PUT, Dims, clone, normal_dim, normal_dims, ravel, reshape, sizes_of

# ---------------------------------------------------------------- of dimensions


def _permute_back(g: Any, _: Any, x: Any, dims: tuple[int, ...]) -> Any:
    return np.transpose(g, [dims.index(d) for d in range(len(dims))])


permute_op: Final = linear("permute", lambda x, dims: x.transpose(dims), _permute_back)


def permute(input: Operand, *dims: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """The dimensions in another order: dimension i of the result is `dims[i]` of the input.

    Raises RuntimeError unless `dims` names each dimension once.

    >>> permute(np.zeros((2, 3, 4)), 2, 0, 1).shape
    (4, 2, 3)
    """
    x = as_node(input)
    order = normal_dims("permute", sizes_of(dims), x.ndim)
    if order is None or len(order) != x.ndim:
        raise RuntimeError(f"permute: {sizes_of(dims)} does not order the {x.ndim} dimensions of {x.shape}")
    return apply(permute_op, (x,), (order,))


def transpose(input: Operand, dim0: int, dim1: int) -> Node:
    """Two dimensions swapped.

    >>> transpose(np.zeros((2, 3)), 0, 1).shape
    (3, 2)
    """
    x = as_node(input)
    a, b = normal_dim("transpose", dim0, x.ndim), normal_dim("transpose", dim1, x.ndim)
    order = list(range(x.ndim))
    if not order:
        return x
    order[a], order[b] = b, a
    return apply(permute_op, (x,), (tuple(order),))


def T(input: Operand) -> Node:
    """All dimensions in reverse order.

    >>> T(np.zeros((2, 3))).shape
    (3, 2)
    """
    x = as_node(input)
    return apply(permute_op, (x,), (tuple(range(x.ndim))[::-1],))


def swapaxes(input: Operand, axis0: int, axis1: int) -> Node:
    """Two dimensions swapped: `transpose` under NumPy's names.

    >>> swapaxes(np.zeros((2, 3)), 0, 1).shape
    (3, 2)
    """
    return transpose(input, axis0, axis1)


swapdims: Final = transpose


def t(input: Operand) -> Node:
    """The two dimensions of a matrix swapped; what has fewer, as it is.

    Raises RuntimeError for more than two dimensions.

    >>> t(np.zeros((2, 3))).shape
    (3, 2)
    """
    x = as_node(input)
    if x.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {x.ndim}D: {x.shape}")
    return T(x)


def mT(input: Operand) -> Node:
    """The last two dimensions swapped: a batch of matrices, transposed.

    Raises RuntimeError for fewer than two dimensions.

    >>> mT(np.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    x = as_node(input)
    if x.ndim < 2:
        raise RuntimeError(f"mT: only supported on matrices or batches of matrices, got shape {x.shape}")
    return transpose(x, -2, -1)


def movedim(input: Operand, source: Dims, destination: Dims) -> Node:
    """Dimensions moved to other positions; the others keep their order.

    source, destination: one dimension each, or as many as one another. Raises RuntimeError if not,
    or for a dimension named twice.

    >>> movedim(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_node(input)
    sources = normal_dims("movedim", source, x.ndim) or ()
    targets = normal_dims("movedim", destination, x.ndim) or ()
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source {source} should contain the same "
            f"number of dims as destination {destination}"
        )
    moved = dict(zip(targets, sources))
    rest = iter([d for d in range(x.ndim) if d not in sources])
    return permute(x, [moved[d] if d in moved else next(rest) for d in range(x.ndim)])


moveaxis: Final = movedim


# ---------------------------------------------------------------- along dimensions

# a copy, as in PyTorch: a view that runs backwards would be no place for `view`
_flip: Final = linear(
    "flip", lambda x, dims: np.copy(np.flip(x, dims)), lambda g, _, x, dims: np.flip(g, dims)
)
_roll: Final = linear(
    "roll",
    lambda x, shifts, dims: in_order(np.roll(x, shifts, dims)),
    lambda g, _, x, shifts, dims: np.roll(g, tuple([-s for s in shifts]), dims),
)


def flip(input: Operand, *dims: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """The elements in reverse order along each of the dimensions; a copy.

    Raises RuntimeError for a dimension named twice.

    >>> flip(np.array([1.0, 2.0]), 0).data
    array([2., 1.])
    """
    x = as_node(input)
    return apply(_flip, (x,), (normal_dims("flip", sizes_of(dims), x.ndim),))


def fliplr(input: Operand) -> Node:
    """The second dimension reversed. Raises RuntimeError for fewer than two dimensions.

    >>> fliplr(np.array([[1.0, 2.0]])).data
    array([[2., 1.]])
    """
    x = as_node(input)
    if x.ndim < 2:
        raise RuntimeError(f"fliplr: Input must be >= 2-d, got shape {x.shape}")
    return flip(x, 1)


def flipud(input: Operand) -> Node:
    """The first dimension reversed. Raises RuntimeError for a number.

    >>> flipud(np.array([1.0, 2.0])).data
    array([2., 1.])
    """
    x = as_node(input)
    if not x.ndim:
        raise RuntimeError("flipud: Input must be >= 1-d, got shape ()")
    return flip(x, 0)


def roll(input: Operand, shifts: Dims, dims: Dims | None = None) -> Node:
    """The elements moved along dimensions; what leaves at the end comes in at the start.

    shifts: how far, for each of `dims`. Without `dims` the elements move in row-major order.
    Raises RuntimeError if there are not as many shifts as dimensions.

    >>> roll(np.array([1.0, 2.0, 3.0]), 1).data
    array([3., 1., 2.])
    """
    x = as_node(input)
    steps = sizes_of((shifts,))
    if not steps:
        raise RuntimeError("roll: `shifts` required")
    if dims is None or dims == ():
        if len(steps) == 1:
            return reshape(roll(ravel(x), steps, 0), x.shape)
        dims = ()
    at = tuple([normal_dim("roll", d, x.ndim) for d in sizes_of((dims,))])
    if len(steps) != len(at):
        raise RuntimeError(f"roll: shifts and dimensions must align. shifts: {len(steps)}, dims: {len(at)}")
    return apply(_roll, (x,), (steps, at)) if x.ndim else x


def rot90(input: Operand, k: int = 1, dims: Sequence[int] = (0, 1)) -> Node:
    """Turned k times by 90 degrees in the plane of two dimensions, from the first to the second.

    Raises RuntimeError unless `dims` names two different dimensions.

    >>> rot90(np.array([[1.0, 2.0], [3.0, 4.0]])).data
    array([[2., 4.],
           [1., 3.]])
    """
    x = as_node(input)
    if len(dims) != 2 or x.ndim < 2:
        raise RuntimeError(f"rot90: expected two dims of two or more, got {tuple(dims)} for shape {x.shape}")
    first, second = (normal_dim("rot90", d, x.ndim) for d in dims)
    if first == second:
        raise RuntimeError(f"rot90: expected rotation dims to be different, got {tuple(dims)}")
    turns = k % 4
    if not turns % 2:
        return flip(x, first, second) if turns else clone(x)
    return transpose(flip(x, second if turns == 1 else first), first, second)


# ---------------------------------------------------------------- answers to NumPy


@implements(np.transpose)
def _np_transpose(x: Operand, axes: Any = None) -> Node:
    return T(x) if axes is None else permute(x, axes)


@implements(np.swapaxes)
def _np_swapaxes(x: Operand, axis1: int, axis2: int) -> Node:
    return transpose(x, axis1, axis2)


@implements(np.flip)
def _np_flip(x: Operand, axis: Any = None) -> Node:
    x = as_node(x)
    return flip(x, tuple(range(x.ndim)) if axis is None else sizes_of((axis,)))


@implements(np.roll)
def _np_roll(x: Operand, shift: Any, axis: Any = None) -> Node:
    return roll(x, shift, axis)


implements(np.moveaxis)(movedim)


def _put_permuted(base: Node, new: Node, *dims: Any) -> Node:
    order = normal_dims("permute", sizes_of(dims), base.ndim) or ()
    return permute(new, np.argsort(order).tolist())


PUT.update(
    {
        permute: _put_permuted,
        transpose: lambda base, new, dim0, dim1: transpose(new, dim0, dim1),
        swapaxes: lambda base, new, axis0, axis1: transpose(new, axis0, axis1),
        T: lambda base, new: T(new),
        t: lambda base, new: T(new),
        mT: lambda base, new: mT(new),
        movedim: lambda base, new, source, destination: movedim(new, destination, source),
    }
)

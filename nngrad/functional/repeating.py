"""The same elements more than once: broadcasting, repeating. All functions are linear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn, SupportsIndex

import numpy as np

from .indexing import getitem
from .node import Node, Operand, as_node, implements, seal
from .op import apply, cast, linear
from .shape import PUT, clone, normal_dim, ravel, reshape, sizes_of

# ---------------------------------------------------------------- broadcasting

broadcast_op: Final = linear("broadcast", np.broadcast_to, lambda g, _, x, shape: g)


def broadcast_to(input: Operand, shape: Sequence[SupportsIndex]) -> Node:
    """The input repeated, without copying, to a shape it broadcasts to.

    Raises RuntimeError if it does not.

    >>> broadcast_to(np.array([1.0, 2.0]), (2, 2)).data
    array([[1., 2.],
           [1., 2.]])
    """
    return apply(broadcast_op, (as_node(input),), (sizes_of((shape,)),))


def broadcast_shapes(
    *shapes: SupportsIndex | Sequence[SupportsIndex], op: str = "broadcast_shapes"
) -> tuple[int, ...]:
    """The shape that shapes have together. Raises RuntimeError if there is none.

    op: the name in the error.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    given = [sizes_of((shape,)) for shape in shapes]
    try:
        return np.broadcast_shapes(*given)
    except ValueError:
        told = " and ".join(map(str, given))
        raise RuntimeError(f"{op}: shapes {told} do not broadcast together") from None


def broadcast_tensors(*tensors: Operand) -> tuple[Node, ...]:
    """Each input broadcast to the shape they have together. Raises RuntimeError if there is none.

    >>> [x.shape for x in broadcast_tensors(np.zeros((2, 1)), np.zeros(3))]
    [(2, 3), (2, 3)]
    """
    nodes = [as_node(x) for x in tensors]
    shape = broadcast_shapes(*[n.shape for n in nodes], op="broadcast_tensors")
    return tuple([n if n.shape == shape else broadcast_to(n, shape) for n in nodes])


def broadcast(*tensors: Operand) -> tuple[Node, ...]:
    """Another name of `broadcast_tensors`.

    >>> [x.shape for x in broadcast(np.zeros((2, 1)), np.zeros(3))]
    [(2, 3), (2, 3)]
    """
    return broadcast_tensors(*tensors)


def expand(input: Operand, *sizes: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """The input broadcast to the sizes; -1 keeps a dimension's size.

    >>> expand(np.zeros((3, 1)), -1, 4).shape
    (3, 4)
    """
    x = as_node(input)
    given = sizes_of(sizes)
    lead = len(given) - x.ndim
    if lead < 0 or any(s == -1 and i < lead for i, s in enumerate(given)):
        raise RuntimeError(f"expand: sizes {list(given)} do not fit an input of shape {x.shape}")
    return broadcast_to(x, [x.shape[i - lead] if s == -1 else s for i, s in enumerate(given)])


def expand_as(input: Operand, other: Operand) -> Node:
    """The input broadcast to the shape of `other`. Raises RuntimeError if it does not fit.

    >>> expand_as(np.zeros((3, 1)), np.zeros((3, 4))).shape
    (3, 4)
    """
    return expand(input, as_node(other).shape)


def copy(input: Operand, source: Operand) -> Node:
    """`source` in the shape and dtype of `input`: the pure form of `input.copy_(source)`.

    Raises RuntimeError if the source does not broadcast to the shape.

    >>> copy(np.zeros((2, 2)), np.array([1.0, 2.0])).data
    array([[1., 2.],
           [1., 2.]])
    """
    x = as_node(input)
    return broadcast_to(cast(as_node(source), x.dtype), x.shape)


def fill(input: Operand, value: Operand) -> Node:
    """`value`, a number or a 0-d operand, everywhere in the shape and dtype of `input`.

    >>> fill(np.zeros(2), 3.0).data
    array([3., 3.])
    """
    return copy(input, value)


# ---------------------------------------------------------------- repeating


def repeat(input: Operand, *repeats: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """The input set side by side `repeats` times along each dimension; more of them go in front.

    Raises RuntimeError for fewer repeats than dimensions, or a negative one.

    >>> repeat(np.array([1.0, 2.0]), 2, 2).data
    array([[1., 2., 1., 2.],
           [1., 2., 1., 2.]])
    """
    x = as_node(input)
    counts = sizes_of(repeats)
    lead = len(counts) - x.ndim
    if lead < 0 or min(counts, default=0) < 0:
        raise RuntimeError(
            f"repeat: repeats {list(counts)} must be non-negative and not fewer than the dimensions of "
            f"{x.shape}"
        )
    sizes = (1,) * lead + x.shape
    if counts.count(1) == len(counts):
        return reshape(clone(x), sizes)
    apart = reshape(x, [n for size in sizes for n in (1, size)])
    spread = broadcast_to(apart, [n for pair in zip(counts, sizes) for n in pair])
    return reshape(spread, [count * size for count, size in zip(counts, sizes)])


def tile(input: Operand, *dims: SupportsIndex | Sequence[SupportsIndex]) -> Node:
    """`repeat`, where missing numbers in front are taken to be 1.

    Raises RuntimeError for a negative number.

    >>> tile(np.array([1.0, 2.0]), 2).data
    array([1., 2., 1., 2.])
    """
    x = as_node(input)
    counts = sizes_of(dims)
    return repeat(x, (1,) * (x.ndim - len(counts)) + counts)


def repeat_interleave(
    input: Operand,
    repeats: Operand | None = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Node:
    """Each element along `dim` (None: of all, in row-major order) repeated in place.

    repeats: how often, a number for all or integers for each; alone, `input` is it and the positions
    are repeated. output_size: the sum of the repeats, if known. Raises RuntimeError for negative
    repeats, or as many as do not fit.

    >>> repeat_interleave(np.array([1.0, 2.0]), np.array([2, 1])).data
    array([1., 1., 2.])
    """
    if repeats is None:
        counts = as_node(input)._value
        x = seal(np.arange(counts.size))
        if counts.ndim != 1:
            raise RuntimeError(f"repeat_interleave: expected 1-D repeats, got shape {counts.shape}")
    else:
        counts = as_node(repeats)._value
        x = as_node(input)
    if dim is None:
        x, dim = ravel(x), 0
    at = normal_dim("repeat_interleave", dim, x.ndim)
    x = x if x.ndim else reshape(x, 1)
    length = x.shape[at]
    if counts.dtype.kind not in "iu" or counts.ndim > 1 or counts.size not in (1, length):
        raise RuntimeError(
            f"repeat_interleave: repeats must be integers, 0-dim or of the size of the input along dim {at} "
            f"({length}), got {counts.dtype} of shape {counts.shape}"
        )
    if counts.size and counts.min() < 0:
        raise RuntimeError("repeat_interleave: repeats can not be negative")
    total = int(counts.sum()) * (length if counts.size == 1 else 1)
    if output_size not in (None, total):
        raise RuntimeError(
            f"repeat_interleave: output_size {output_size} is not the sum of the repeats, {total}"
        )
    before, after = x.shape[:at], x.shape[at + 1 :]
    if counts.size == 1:
        each = broadcast_to(
            reshape(x, (*before, length, 1, *after)), (*before, length, counts.item(), *after)
        )
        return clone(reshape(each, (*before, total, *after)))
    return getitem(x, ((slice(None),) * at) + (np.repeat(np.arange(length), counts),))


# ---------------------------------------------------------------- answers to NumPy


@implements(np.broadcast_to)
def _np_broadcast_to(x: Operand, shape: Any) -> Node:
    return broadcast_to(x, sizes_of((shape,)))


def refuse_write(base: Node, new: Node, *_: Any, **__: Any) -> NoReturn:
    """The inverse of a view that shows one element in several places: there is none."""
    raise RuntimeError(
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location. Please clone() the tensor before performing the operation."
    )


def _put_expanded(base: Node, new: Node, *_: Any) -> Node:
    return reshape(new, base.shape) if new.size == base.size else refuse_write(base, new)


PUT.update({broadcast_to: _put_expanded, expand: _put_expanded})

"""Adaptive pooling: into a given number of windows, as equal as can be.

The i-th of m windows over n elements goes from floor(i * n / m) to ceil((i + 1) * n / m).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, SupportsIndex, TypeAlias, overload

from .max_pooling import max_and_places, max_of_windows
from .node import Node, Operand, as_node
from .op import apply
from .planes import Span, Spans, avg_pool_op

#: how many windows there are along every dimension, or along each; None for as many as elements
OutSizes: TypeAlias = SupportsIndex | Sequence[SupportsIndex | None] | None


def _spans(op: str, x: Node, dims: int, output_size: OutSizes) -> Spans:
    given = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * dims
    if len(given) != dims:
        raise RuntimeError(f"{op}: output_size must be of {dims} numbers, got {given}")
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"{op}: expected {dims + 1}D or {dims + 2}D tensor, got shape {x.shape}")
    sizes = x.shape[x.ndim - dims :]
    if 0 in sizes:
        raise RuntimeError(f"{op}: expected non-zero sizes for non-batch dimensions, got shape {x.shape}")
    outs = [n if out is None else out.__index__() for n, out in zip(sizes, given)]
    if min(outs) < 0:
        raise RuntimeError(f"{op}: elements of output_size must not be negative, got {given}")
    return tuple(
        [
            Span(n, out, n // out, n // out) if out and n % out == 0 else Span(n, out)
            for n, out in zip(sizes, outs)
        ]
    )


def _adaptive_input(op: str, input: Operand) -> Node:
    x = as_node(input)
    if x.dtype.kind != "f":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}")
    return x


def _adaptive_avg(dims: int, input: Operand, output_size: OutSizes) -> Node:
    op = f"adaptive_avg_pool{dims}d"
    x = _adaptive_input(op, input)
    return apply(avg_pool_op, (x,), (_spans(op, x, dims, output_size), "inside"))


def adaptive_avg_pool1d(input: Operand, output_size: OutSizes) -> Node:
    """The means of windows of the last dimension, so many that the result has `output_size`.

    input: (N, C, L) or (C, L). output_size: a number or a sequence of them, None for the input's.
    Raises RuntimeError for another number of dimensions, and for integers and bools.

    >>> adaptive_avg_pool1d(np.arange(4.0).reshape(1, 4), 1).data
    array([[1.5]])
    """
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input: Operand, output_size: OutSizes) -> Node:
    """The means of windows of the last two dimensions, so many that the result has `output_size`.

    input: (N, C, H, W) or (C, H, W). output_size: a number or two of them, None for the input's.
    Raises RuntimeError for another number of dimensions, and for integers and bools.

    >>> adaptive_avg_pool2d(np.arange(4.0).reshape(1, 2, 2), 1).data
    array([[[1.5]]])
    """
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input: Operand, output_size: OutSizes) -> Node:
    """The means of windows of the last three dimensions, so many that the result has `output_size`.

    input: (N, C, D, H, W) or (C, D, H, W). output_size: a number or three of them, None for the input's.
    Raises RuntimeError for another number of dimensions, and for integers and bools.

    >>> adaptive_avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1).data
    array([[[[3.5]]]])
    """
    return _adaptive_avg(3, input, output_size)


@overload
def adaptive_max_pool1d(
    input: Operand, output_size: OutSizes, return_indices: Literal[False] = False
) -> Node: ...
@overload
def adaptive_max_pool1d(
    input: Operand, output_size: OutSizes, return_indices: Literal[True]
) -> tuple[Node, Node]: ...
def adaptive_max_pool1d(
    input: Operand, output_size: OutSizes, return_indices: bool = False
) -> Node | tuple[Node, Node]:
    """The largest of windows of the last dimension, so many that the result has `output_size`.

    input, output_size: as in `adaptive_avg_pool1d`. return_indices: give their indices in the flattened
    plane as well (int64). Raises RuntimeError as `adaptive_avg_pool1d` does.

    >>> adaptive_max_pool1d(np.arange(4.0).reshape(1, 4), 1).data
    array([[3.]])
    """
    if return_indices:
        return adaptive_max_pool1d_with_indices(input, output_size)
    x = _adaptive_input("adaptive_max_pool1d", input)
    return max_of_windows("adaptive_max_pool1d", x, _spans("adaptive_max_pool1d", x, 1, output_size))


def adaptive_max_pool1d_with_indices(
    input: Operand, output_size: OutSizes, return_indices: bool = False
) -> tuple[Node, Node]:
    """`adaptive_max_pool1d` with `return_indices=True`, whatever `return_indices` is.

    >>> adaptive_max_pool1d_with_indices(np.arange(4.0).reshape(1, 4), 1)[1].data
    array([[3]])
    """
    x = _adaptive_input("adaptive_max_pool1d", input)
    return max_and_places("adaptive_max_pool1d", x, _spans("adaptive_max_pool1d", x, 1, output_size))


@overload
def adaptive_max_pool2d(
    input: Operand, output_size: OutSizes, return_indices: Literal[False] = False
) -> Node: ...
@overload
def adaptive_max_pool2d(
    input: Operand, output_size: OutSizes, return_indices: Literal[True]
) -> tuple[Node, Node]: ...
def adaptive_max_pool2d(
    input: Operand, output_size: OutSizes, return_indices: bool = False
) -> Node | tuple[Node, Node]:
    """The largest of windows of the last two dimensions, so many that the result has `output_size`.

    input, output_size: as in `adaptive_avg_pool2d`. return_indices: give their indices in the flattened
    plane as well (int64). Raises RuntimeError as `adaptive_avg_pool2d` does.

    >>> adaptive_max_pool2d(np.arange(4.0).reshape(1, 2, 2), 1).data
    array([[[3.]]])
    """
    if return_indices:
        return adaptive_max_pool2d_with_indices(input, output_size)
    x = _adaptive_input("adaptive_max_pool2d", input)
    return max_of_windows("adaptive_max_pool2d", x, _spans("adaptive_max_pool2d", x, 2, output_size))


def adaptive_max_pool2d_with_indices(
    input: Operand, output_size: OutSizes, return_indices: bool = False
) -> tuple[Node, Node]:
    """`adaptive_max_pool2d` with `return_indices=True`, whatever `return_indices` is.

    >>> adaptive_max_pool2d_with_indices(np.arange(4.0).reshape(1, 2, 2), 1)[1].data
    array([[[3]]])
    """
    x = _adaptive_input("adaptive_max_pool2d", input)
    return max_and_places("adaptive_max_pool2d", x, _spans("adaptive_max_pool2d", x, 2, output_size))


@overload
def adaptive_max_pool3d(
    input: Operand, output_size: OutSizes, return_indices: Literal[False] = False
) -> Node: ...
@overload
def adaptive_max_pool3d(
    input: Operand, output_size: OutSizes, return_indices: Literal[True]
) -> tuple[Node, Node]: ...
def adaptive_max_pool3d(
    input: Operand, output_size: OutSizes, return_indices: bool = False
) -> Node | tuple[Node, Node]:
    """The largest of windows of the last three dimensions, so many that the result has `output_size`.

    input, output_size: as in `adaptive_avg_pool3d`. return_indices: give their indices in the flattened
    plane as well (int64). Raises RuntimeError as `adaptive_avg_pool3d` does.

    >>> adaptive_max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1).data
    array([[[[7.]]]])
    """
    if return_indices:
        return adaptive_max_pool3d_with_indices(input, output_size)
    x = _adaptive_input("adaptive_max_pool3d", input)
    return max_of_windows("adaptive_max_pool3d", x, _spans("adaptive_max_pool3d", x, 3, output_size))


def adaptive_max_pool3d_with_indices(
    input: Operand, output_size: OutSizes, return_indices: bool = False
) -> tuple[Node, Node]:
    """`adaptive_max_pool3d` with `return_indices=True`, whatever `return_indices` is.

    >>> adaptive_max_pool3d_with_indices(np.arange(8.0).reshape(1, 2, 2, 2), 1)[1].data
    array([[[[7]]]])
    """
    x = _adaptive_input("adaptive_max_pool3d", input)
    return max_and_places("adaptive_max_pool3d", x, _spans("adaptive_max_pool3d", x, 3, output_size))

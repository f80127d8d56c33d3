"""Max pooling, and max pooling undone."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal, SupportsIndex, overload

import numpy as np

from .batch import all_examples
from .indexing import index_put
from .node import Node, Operand, as_node, seal
from .op import apply
from .planes import Spans, gather_op, largest_places, max_pool_op
from .pooling import Sizes, per_dim, spans_of
from .shape import reshape


def max_of_windows(op: str, x: Node, spans: Spans) -> Node:
    """The largest element of each window."""
    if x.dtype.kind not in "iuf":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}")
    return apply(max_pool_op, (x,), (spans,))


def max_and_places(op: str, x: Node, spans: Spans) -> tuple[Node, Node]:
    """The largest element of each window, and where in its plane it stands."""
    if x.dtype.kind not in "iuf":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}")
    places = seal(largest_places(x._value, spans))
    return apply(gather_op, (x, places), (len(spans),)), places


@overload
def max_pool1d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Node: ...
@overload
def max_pool1d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Node, Node]: ...
def max_pool1d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Node | tuple[Node, Node]:
    """The largest element of each window of the last dimension; NaN wins.

    input: (N, C, L) or (C, L). stride: the kernel_size unless given. The padding counts as
    -inf. ceil_mode: a window may hang over the end. The first of equal elements receives the gradient.
    return_indices: give its index in the flattened plane as well (int64). Raises RuntimeError for
    parameters that make no window, and for bools.

    >>> max_pool1d(np.arange(4.0).reshape(1, 4), 2).data
    array([[1., 3.]])
    """
    if return_indices:
        return max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    x = as_node(input)
    if x.dtype.kind != "f":
        raise RuntimeError(f"max_pool1d: not implemented for {x.dtype}")
    spans = spans_of("max_pool1d", x, 1, kernel_size, stride, padding, dilation, ceil_mode)
    return max_of_windows("max_pool1d", x, spans)


def max_pool1d_with_indices(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Node, Node]:
    """`max_pool1d` with `return_indices=True`, whatever `return_indices` is.

    >>> max_pool1d_with_indices(np.arange(4.0).reshape(1, 4), 2)[1].data
    array([[1, 3]])
    """
    x = as_node(input)
    spans = spans_of("max_pool1d", x, 1, kernel_size, stride, padding, dilation, ceil_mode)
    return max_and_places("max_pool1d", x, spans)


@overload
def max_pool2d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Node: ...
@overload
def max_pool2d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Node, Node]: ...
def max_pool2d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Node | tuple[Node, Node]:
    """The largest element of each window of the last two dimensions; NaN wins.

    input: (N, C, H, W) or (C, H, W). stride: the kernel_size unless given. The padding counts as
    -inf. ceil_mode: a window may hang over the end. The first of equal elements receives the gradient.
    return_indices: give its index in the flattened plane as well (int64). Raises RuntimeError for
    parameters that make no window, and for bools.

    >>> max_pool2d(np.arange(4.0).reshape(1, 2, 2), 2).data
    array([[[3.]]])
    """
    if return_indices:
        return max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    x = as_node(input)
    spans = spans_of("max_pool2d", x, 2, kernel_size, stride, padding, dilation, ceil_mode)
    return max_of_windows("max_pool2d", x, spans)


def max_pool2d_with_indices(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Node, Node]:
    """`max_pool2d` with `return_indices=True`, whatever `return_indices` is.

    >>> max_pool2d_with_indices(np.arange(4.0).reshape(1, 2, 2), 2)[1].data
    array([[[3]]])
    """
    x = as_node(input)
    spans = spans_of("max_pool2d", x, 2, kernel_size, stride, padding, dilation, ceil_mode)
    return max_and_places("max_pool2d", x, spans)


@overload
def max_pool3d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Node: ...
@overload
def max_pool3d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Node, Node]: ...
def max_pool3d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Node | tuple[Node, Node]:
    """The largest element of each window of the last three dimensions; NaN wins.

    input: (N, C, D, H, W) or (C, D, H, W). stride: the kernel_size unless given. The padding counts as
    -inf. ceil_mode: a window may hang over the end. The first of equal elements receives the gradient.
    return_indices: give its index in the flattened plane as well (int64). Raises RuntimeError for
    parameters that make no window, and for bools.

    >>> max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).data
    array([[[[7.]]]])
    """
    if return_indices:
        return max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    x = as_node(input)
    spans = spans_of("max_pool3d", x, 3, kernel_size, stride, padding, dilation, ceil_mode)
    return max_of_windows("max_pool3d", x, spans)


def max_pool3d_with_indices(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Node, Node]:
    """`max_pool3d` with `return_indices=True`, whatever `return_indices` is.

    >>> max_pool3d_with_indices(np.arange(8.0).reshape(1, 2, 2, 2), 2)[1].data
    array([[[[7]]]])
    """
    x = as_node(input)
    spans = spans_of("max_pool3d", x, 3, kernel_size, stride, padding, dilation, ceil_mode)
    return max_and_places("max_pool3d", x, spans)


# ---------------------------------------------------------------- max pooling undone


def _max_unpool(
    dims: int,
    input: Operand,
    indices: Operand,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[SupportsIndex] | None,
) -> Node:
    op = f"max_unpool{dims}d"
    x, places = as_node(input), as_node(indices)
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"{op}: input should be a {dims + 1}d or {dims + 2}d tensor, got shape {x.shape}")
    if places.dtype != np.int64:
        raise RuntimeError(f"{op}: elements in indices should be type int64 but got: {places.dtype}")
    if places.shape != x.shape:
        raise RuntimeError(
            f"{op}: expected shape of indices to be that of the input {x.shape}, got {places.shape}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{op}: not implemented for {x.dtype}")
    kernel = per_dim(op, "kernel_size", kernel_size, dims)
    steps = kernel if stride is None else per_dim(op, "stride", stride, dims)
    pads = per_dim(op, "padding", padding, dims)
    lead = x.shape[: x.ndim - dims]
    sizes = _unpooled_sizes(x.shape[x.ndim - dims :], kernel, steps, pads, output_size)
    rows, length = prod(lead), prod(sizes)
    every = all_examples(places._value)
    if every.size and not 0 <= np.min(every) <= np.max(every) < length:
        wrong = next(int(i) for i in (np.min(every), np.max(every)) if not 0 <= i < length)
        raise RuntimeError(f"{op}: found an invalid max index: {wrong} (output volumes are of size {sizes})")
    flat = places._value.reshape(rows, -1) + np.arange(0, rows * length, max(length, 1))[:rows, None]
    zeros = seal(np.zeros(rows * length, x.dtype))
    return reshape(index_put(zeros, seal(flat.reshape(-1)), reshape(x, x.size)), (*lead, *sizes))


def _unpooled_sizes(
    sizes: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    output_size: Sequence[SupportsIndex] | None,
) -> tuple[int, ...]:
    usual = tuple([(n - 1) * s + k - 2 * p for n, k, s, p in zip(sizes, kernel, stride, padding)])
    if output_size is None:
        return usual
    dims = len(sizes)
    given = tuple([n.__index__() for n in output_size])
    if len(given) == dims + 2:
        given = given[2:]
    if len(given) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, "
            f"but it has a length of '{len(given)}'"
        )
    for d, (n, default, s) in enumerate(zip(given, usual, stride)):
        if not default - s < n < default + s:
            raise ValueError(
                f"invalid output_size {given} (dim {d} must be between {default - s} and {default + s})"
            )
    return given


def max_unpool1d(
    input: Operand,
    indices: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[SupportsIndex] | None = None,
) -> Node:
    """Zeros with each element of the input at its index, as `max_pool1d` with `return_indices` gave it.

    input, indices (int64): (N, C, L) or (C, L). output_size: the sizes to give, where
    several were pooled to these. Of elements that meet in one place the last stays. Raises RuntimeError for
    indices out of range or of another shape, ValueError for sizes that pool to others.

    >>> max_unpool1d(*max_pool1d_with_indices(np.arange(4.0).reshape(1, 4), 2), 2).data
    array([[0., 1., 0., 3.]])
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Operand,
    indices: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[SupportsIndex] | None = None,
) -> Node:
    """Zeros with each element of the input at its index, as `max_pool2d` with `return_indices` gave it.

    input, indices (int64): (N, C, H, W) or (C, H, W). output_size: the sizes to give, where
    several were pooled to these. Of elements that meet in one place the last stays. Raises RuntimeError for
    indices out of range or of another shape, ValueError for sizes that pool to others.

    >>> max_unpool2d(*max_pool2d_with_indices(np.arange(4.0).reshape(1, 2, 2), 2), 2).data
    array([[[0., 0.],
            [0., 3.]]])
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Operand,
    indices: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[SupportsIndex] | None = None,
) -> Node:
    """Zeros with each element of the input at its index, as `max_pool3d` with `return_indices` gave it.

    input, indices (int64): (N, C, D, H, W) or (C, D, H, W). output_size: the sizes to give, where
    several were pooled to these. Of elements that meet in one place the last stays. Raises RuntimeError for
    indices out of range or of another shape, ValueError for sizes that pool to others.

    >>> max_unpool3d(*max_pool3d_with_indices(np.arange(8.0).reshape(1, 2, 2, 2), 2), 2).data
    array([[[[0., 0.],
             [0., 0.]],
    <BLANKLINE>
            [[0., 0.],
             [0., 7.]]]])
    """
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)

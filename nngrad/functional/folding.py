"""Images as columns of windows and back (`unfold`, `fold`), and the product of two vectors by a weight."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from .convolution import Sizes, per_dimension
from .node import Node, Operand, as_node
from .op import Op, apply, linear
from .order import permute
from .shape import reshape, squeeze, unsqueeze
from .sliding import Geometry, Size, add_windows, overlap, reach_of, windows


def _unfold_forward(x: Any, kernel: Size, places: Size, geometry: Geometry, size: Size) -> Any:
    reach = reach_of(kernel, places, geometry)
    seen, inside = overlap(size, reach, geometry.padding)
    frame = np.zeros((*x.shape[:2], *reach), x.dtype)
    frame[inside] = x[seen]
    cut = windows(frame, kernel, places, geometry.stride, geometry.dilation)
    return cut.reshape(len(x), x.shape[1] * prod(kernel), prod(places))


def _fold_forward(x: Any, kernel: Size, places: Size, geometry: Geometry, size: Size) -> Any:
    reach = reach_of(kernel, places, geometry)
    seen, inside = overlap(size, reach, geometry.padding)
    channels = x.shape[1] // prod(kernel)
    frame = np.zeros((len(x), channels, *reach), x.dtype)
    parts = x.reshape(len(x), channels, *kernel, *places)
    add_windows(frame, parts, kernel, geometry.stride, geometry.dilation)
    out = np.zeros((len(x), channels, *size), x.dtype)
    out[seen] = frame[inside]
    return out


_unfold: Final[Op] = linear(
    "unfold", _unfold_forward, lambda g, _, x, kernel, places, *rest: _fold(g, kernel, places, *rest)
)
_fold: Final[Op] = linear(
    "fold", _fold_forward, lambda g, _, x, kernel, places, *rest: _unfold(g, kernel, places, *rest)
)


def _geometry(
    op: str, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> tuple[Size, Geometry]:
    kernel, spans, around, steps = [
        per_dimension(op, name, value, 2)
        for name, value in (
            ("kernel_size", kernel_size),
            ("dilation", dilation),
            ("padding", padding),
            ("stride", stride),
        )
    ]
    for name, sizes in (("kernel size", kernel), ("stride", steps), ("dilation", spans)):
        if min(sizes) < 1:
            raise RuntimeError(f"{op}: {name} should be greater than zero, but got {sizes}")
    if min(around) < 0:
        raise RuntimeError(f"{op}: padding should be non-negative, but got {around}")
    return kernel, Geometry(steps, spans, around)


def _places(size: Size, kernel: Size, geometry: Geometry) -> Size:
    steps = zip(size, kernel, geometry.padding, geometry.dilation, geometry.stride)
    return tuple([(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, p, d, s in steps])


def unfold(
    input: Operand, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Node:
    """The windows of images as columns ("im2col").

    input: (N, C, H, W) or (C, H, W). Gives (N, C KH KW, places), or without N. (`windows` is the method
    of tensors of this name.) Raises RuntimeError if no window fits and for empty dimensions.

    >>> unfold(np.arange(4.0).reshape(1, 2, 2), (1, 2)).data
    array([[0., 2.],
           [1., 3.]])
    """
    x = as_node(input)
    if x.ndim not in (3, 4) or 0 in x.shape[-3:]:
        raise RuntimeError(
            "unfold: Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {x.shape}"
        )
    kernel, geometry = _geometry("unfold", kernel_size, dilation, padding, stride)
    size = x.shape[-2:]
    places = _places(size, kernel, geometry)
    if min(places) < 1:
        raise RuntimeError(
            f"unfold: Given input with spatial size {size}, kernel_size={kernel}, "
            f"dilation={geometry.dilation}, padding={geometry.padding}, calculated shape of the array of "
            f"sliding blocks as {places}, but its components must be at least one."
        )
    out = apply(_unfold, (x if x.ndim == 4 else unsqueeze(x, 0),), (kernel, places, geometry, size))
    return out if x.ndim == 4 else squeeze(out, 0)


def fold(
    input: Operand,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Node:
    """The transpose of `unfold`: columns added up where their windows lie.

    input: (N, C KH KW, places) or without N. Gives (N, C, *output_size). Raises RuntimeError unless there
    are as many columns as the output has windows.

    >>> fold(np.ones((2, 2)), (1, 3), (1, 2)).data
    array([[[1., 2., 1.]]])
    """
    x = as_node(input)
    kernel, geometry = _geometry("fold", kernel_size, dilation, padding, stride)
    size = per_dimension("fold", "output_size", output_size, 2)
    if x.ndim not in (2, 3) or 0 in x.shape[-2:]:
        raise RuntimeError(
            "fold: Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
            f"dimensions for input, but got: {x.shape}"
        )
    rows, columns = x.shape[-2:]
    if rows % prod(kernel):
        raise RuntimeError(
            "fold: Expected size of input's dimension -2 to be divisible by the product of kernel_size, but "
            f"got an input of shape {x.shape} and kernel_size={kernel}"
        )
    places = _places(size, kernel, geometry)
    if min(places) < 1 or prod(places) != columns:
        raise RuntimeError(
            f"fold: Given output_size={size}, kernel_size={kernel}, dilation={geometry.dilation}, "
            f"padding={geometry.padding}, stride={geometry.stride}, expected the input of shape {x.shape} to "
            f"have the calculated number of sliding blocks {places[0]} * {places[1]}, but it has {columns}"
        )
    out = apply(_fold, (x if x.ndim == 3 else unsqueeze(x, 0),), (kernel, places, geometry, size))
    return out if x.ndim == 3 else squeeze(out, 0)


def bilinear(input1: Operand, input2: Operand, weight: Operand, bias: Operand | None = None) -> Node:
    """`input1 @ weight[o] @ input2 + bias[o]` for every o.

    input1: (*, I1); input2: (*, I2); weight: (O, I1, I2); bias: (O,). Gives (*, O). Raises RuntimeError
    if the shapes do not fit or the dtypes differ.

    >>> bilinear(np.array([1.0, 2.0]), np.array([3.0]), np.ones((1, 2, 1))).data
    array([9.])
    """
    x, y, w = as_node(input1), as_node(input2), as_node(weight)
    b = None if bias is None else as_node(bias)
    if w.ndim != 3:
        raise RuntimeError(f"bilinear: expected a weight of 3 dimensions, got shape {w.shape}")
    if x.ndim != y.ndim:
        raise RuntimeError(f"bilinear: input dimensions do not match: got {x.shape} and {y.shape}")
    if not x.ndim:
        raise IndexError("bilinear: Dimension specified as -1 but the inputs have no dimensions")
    if x.shape[:-1] != y.shape[:-1]:
        raise RuntimeError(f"bilinear: input batch dimensions do not match: got {x.shape} and {y.shape}")
    for at, operand in ((1, x), (2, y)):
        if operand.shape[-1] != w.shape[at]:
            raise RuntimeError(
                f"bilinear: input{at} size does not match weight size: got {operand.shape} and {w.shape}"
            )
    if b is not None and b.shape != w.shape[:1]:
        raise RuntimeError(
            f"bilinear: bias size does not match weight size: got {b.shape} and weight {w.shape}"
        )
    operands = (x, y, w) if b is None else (x, y, w, b)
    if len({operand.dtype for operand in operands}) > 1:
        told = ", ".join([str(operand.dtype) for operand in operands])
        raise RuntimeError(f"bilinear: expected all to have the same dtype, got {told}")
    if x.dtype.kind == "b":
        raise RuntimeError("bilinear: not implemented for bool")
    outs, first, second = w.shape
    count = prod(x.shape[:-1])
    # one product of all rows with the whole weight, then one of each row with its own matrix
    flat = reshape(permute(w, (1, 0, 2)), (first, outs * second))
    matrices = reshape(reshape(x, (count, first)) @ flat, (count, outs, second))
    out = reshape(matrices @ reshape(y, (count, second, 1)), (*x.shape[:-1], outs))
    return out if b is None else out + b

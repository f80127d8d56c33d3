"""Convolutions and transposed convolutions in one, two and three dimensions.

Three primitives, each linear in both of its inputs, and each the derivative of the other two: the
convolution, its part in the input (which is the transposed convolution) and its part in the weight.
The arithmetic is in sliding.py, for any number of dimensions; here are the rules and the checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import index
from typing import Any, Final, SupportsIndex, TypeAlias

import numpy as np

from .dtypes import DType
from .node import Node, Operand, as_node
from .op import Op, apply, bilinear, general
from .shape import reshape, squeeze, unsqueeze
from .sliding import Geometry, Size, convolve, correlate, spread

#: a number for every dimension of space, or one for each
Sizes: TypeAlias = SupportsIndex | Sequence[SupportsIndex]

# Inputs are x (images, channels, *space), w (outs, channels / groups, *kernel) and y (images, outs, *places).
_convolution: Final[Op] = bilinear(
    "convolution",
    convolve,
    lambda g, _, x, w, geometry, size: _spread(g, w, geometry, x.shape[2:]),
    lambda g, _, x, w, geometry, size: _correlate(x, g, geometry, w.shape[2:]),
)
_spread: Final[Op] = bilinear(
    "conv_transpose",
    spread,
    lambda g, _, y, w, geometry, size: _convolution(g, w, geometry, y.shape[2:]),
    lambda g, _, y, w, geometry, size: _correlate(g, y, geometry, w.shape[2:]),
)
_correlate: Final[Op] = bilinear(
    "convolution_weight",
    correlate,
    lambda g, _, x, y, geometry, kernel: _spread(y, g, geometry, x.shape[2:]),
    lambda g, _, x, y, geometry, kernel: _convolution(x, g, geometry, y.shape[2:]),
)


def _biased_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    x, w, _b = inputs
    geometry, _size = params
    return [
        _spread(g, w, geometry, x.shape[2:]) if needs[0] else None,
        _correlate(x, g, geometry, w.shape[2:]) if needs[1] else None,
        np.sum(g, axis=(0, *range(2, len(g.shape)))) if needs[2] else None,
    ]


_biased: Final = general("convolution_bias", convolve, vjp=_biased_vjp, uses_out=False)


# ---------------------------------------------------------------- what is refused


def per_dimension(op: str, name: str, value: Sizes, d: int) -> Size:
    """One size for each of `d` dimensions."""
    try:
        sizes = tuple([index(n) for n in value]) if isinstance(value, Sequence) else (index(value),)
    except TypeError:
        raise TypeError(f"{op}: {name} must be an integer or a tuple of ints, got {value!r}") from None
    if len(sizes) not in (1, d):
        raise RuntimeError(
            f"{op}: expected {name} to be a single integer value or a list of {d} values to match the "
            f"convolution dimensions, but got {name}={list(sizes)}"
        )
    return sizes * d if len(sizes) == 1 else sizes


def _at_least(op: str, name: str, sizes: Size, least: int) -> Size:
    if min(sizes) < least:
        raise RuntimeError(
            f"{op}: {'non-positive' if least else 'negative'} {name} is not supported, got {sizes}"
        )
    return sizes


def _checked(
    op: str,
    shapes: Sequence[Size],
    dtypes: Sequence[DType],
    d: int,
    stride: Sizes,
    dilation: Sizes,
    groups: int,
    turned: bool,
) -> tuple[Size, Size]:
    """The stride and the dilation."""
    shape, kernel = shapes[:2]
    if len(kernel) != d + 2:
        raise RuntimeError(f"{op}: expected a weight of {d + 2} dimensions, got shape {kernel}")
    if len(shape) not in (d + 1, d + 2):
        raise RuntimeError(
            f"{op}: Expected {d + 1}D (unbatched) or {d + 2}D (batched) input, but got input of size: {shape}"
        )
    steps = _at_least(op, "stride", per_dimension(op, "stride", stride, d), 1)
    spans = _at_least(op, "dilation", per_dimension(op, "dilation", dilation, d), 1)
    _at_least(op, "groups", per_dimension(op, "groups", groups, 1), 1)
    for other, name in zip(dtypes[1:], ("weight", "bias")):
        if other != dtypes[0]:
            raise RuntimeError(f"{op}: Input type ({dtypes[0]}) and {name} type ({other}) should be the same")
    if dtypes[0].kind in "bc":
        raise RuntimeError(f"{op}: not implemented for {dtypes[0]}")
    if 0 in kernel[:1] + kernel[2:]:
        raise RuntimeError(f"{op}: expected a weight without empty dimensions, got weight of size {kernel}")
    if kernel[0] % groups:
        raise RuntimeError(
            f"{op}: Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size {kernel}"
        )
    channels = kernel[0] if turned else kernel[1] * groups
    if shape[-d - 1] != channels:
        raise RuntimeError(
            f"{op}: Given {'transposed=1' if turned else f'groups={groups}'}, weight of size {kernel}, "
            f"expected input {shape} to have {channels} channels, but got {shape[-d - 1]} channels instead"
        )
    if 0 in shape[-d:]:
        raise RuntimeError(
            f"{op}: Only zero batch or zero channel inputs are supported, but got input shape: {shape}"
        )
    outs = kernel[1] * groups if turned else kernel[0]
    if len(shapes) > 2 and shapes[2] != (outs,):
        raise RuntimeError(
            f"{op}: Given weight of size {kernel}, expected bias to be 1-dimensional with {outs} elements, "
            f"but got bias of size {shapes[2]} instead"
        )
    return steps, spans


def _seen(inputs: Sequence[Node], d: int) -> tuple[tuple[Node, ...], tuple[Size, ...], tuple[DType, ...]]:
    """The batched inputs, and the shapes and dtypes of what was given."""
    values = [x._value for x in inputs]
    batched = inputs[0] if values[0].ndim == d + 2 or values[0].ndim != d + 1 else unsqueeze(inputs[0], 0)
    return (batched, *inputs[1:]), tuple([v.shape for v in values]), tuple([v.dtype for v in values])


def _hashable(sizes: Any) -> Any:
    return tuple(sizes) if isinstance(sizes, list) else sizes


def _inputs(input: Operand, weight: Operand, bias: Operand | None) -> tuple[Node, ...]:
    return tuple([as_node(operand) for operand in (input, weight, bias) if operand is not None])


def _padding(op: str, padding: str | Sizes, kernel: Size, stride: Size, dilation: Size) -> tuple[Size, Size]:
    """Zeros before and behind."""
    if not isinstance(padding, str):
        around = _at_least(op, "padding", per_dimension(op, "padding", padding, len(kernel)), 0)
        return around, around
    if padding == "valid":
        return (0,) * len(kernel), (0,) * len(kernel)
    if padding != "same":
        raise RuntimeError(f"{op}: Invalid padding string: {padding!r}; expected 'same' or 'valid'")
    if max(stride) > 1:
        raise RuntimeError(f"{op}: padding='same' is not supported for strided convolutions, got {stride}")
    totals = [(k - 1) * d for k, d in zip(kernel, dilation)]
    return tuple([n // 2 for n in totals]), tuple([n - n // 2 for n in totals])


def _conv(
    d: int,
    input: Operand,
    weight: Operand,
    bias: Operand | None,
    stride: Sizes,
    padding: str | Sizes,
    dilation: Sizes,
    groups: int,
) -> Node:
    inputs, shapes, dtypes = _seen(_inputs(input, weight, bias), d)
    sizes = [_hashable(given) for given in (stride, padding, dilation)]
    params = _laid(d, shapes, dtypes, *sizes, groups)
    out = apply(_convolution if bias is None else _biased, inputs, params)
    return out if len(shapes[0]) == d + 2 else squeeze(out, 0)


@lru_cache(512, typed=True)
def _laid(
    d: int,
    shapes: tuple[Size, ...],
    dtypes: tuple[DType, ...],
    stride: Sizes,
    padding: str | Sizes,
    dilation: Sizes,
    groups: int,
) -> tuple[Geometry, Size]:
    """How the kernel moves, and the size of the result: kept, as checks take longer than small products."""
    op = f"conv{d}d"
    steps, spans = _checked(op, shapes, dtypes, d, stride, dilation, groups, False)
    space, kernel = shapes[0][-d:], shapes[1][2:]
    before, behind = _padding(op, padding, kernel, steps, spans)
    padded = tuple([n + a + b for n, a, b in zip(space, before, behind)])
    reach = tuple([(k - 1) * s + 1 for k, s in zip(kernel, spans)])
    if any(n < r for n, r in zip(padded, reach)):
        raise RuntimeError(
            f"{op}: Calculated padded input size per channel: {padded}. Kernel size: {reach}. Kernel size "
            f"can't be greater than actual input size (input of shape {shapes[0]}, weight of shape "
            f"{shapes[1]})"
        )
    size = tuple([(n - r) // s + 1 for n, r, s in zip(padded, reach, steps)])
    return Geometry(steps, spans, before, groups), size


def _turned(
    d: int,
    input: Operand,
    weight: Operand,
    bias: Operand | None,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Node:
    op = f"conv_transpose{d}d"
    inputs, shapes, dtypes = _seen(_inputs(input, weight, bias), d)
    steps, spans = _checked(op, shapes, dtypes, d, stride, dilation, groups, True)
    before = _at_least(op, "padding", per_dimension(op, "padding", padding, d), 0)
    more = _at_least(op, "output_padding", per_dimension(op, "output_padding", output_padding, d), 0)
    if any(n >= max(s, e) for n, s, e in zip(more, steps, spans)):
        raise RuntimeError(
            f"{op}: output padding must be smaller than either stride or dilation, but got output_padding "
            f"{more}, stride {steps}, dilation {spans}"
        )
    x, w = inputs[:2]
    size = tuple(
        [
            (n - 1) * s - 2 * p + e * (k - 1) + o + 1
            for n, k, s, p, e, o in zip(x.shape[2:], w.shape[2:], steps, before, spans, more)
        ]
    )
    if min(size) < 1:
        raise RuntimeError(
            f"{op}: Given input size per channel: {x.shape[2:]}. Calculated output size per channel: {size}. "
            "Output size is too small"
        )
    out = apply(_spread, (x, w), (Geometry(steps, spans, before, groups), size))
    if bias is not None:
        out = out + reshape(inputs[2], (-1, *(1,) * d))
    return out if len(shapes[0]) == d + 2 else squeeze(out, 0)


# ---------------------------------------------------------------- the public functions


def conv1d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Sizes = 1,
    padding: str | Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Node:
    """The weight laid over every window of a signal, multiplied and summed (no flip, as in networks).

    input: (N, C, L) or (C, L); weight: (O, C / groups, K); bias: (O,). padding: zeros on both sides, or
    "valid" for none, "same" for as many as keep the length. Gives (N, O, L') with
    L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1.
    Raises RuntimeError for shapes that do not fit and for dtypes that differ.

    >>> conv1d(np.array([[1.0, 2.0, 4.0]]), np.array([[[-1.0, 1.0]]])).data
    array([[1., 2.]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Sizes = 1,
    padding: str | Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Node:
    """The weight laid over every window of an image, multiplied and summed.

    input: (N, C, H, W) or (C, H, W); weight: (O, C / groups, KH, KW); bias: (O,). Otherwise as `conv1d`,
    with stride, padding and dilation one number or one per dimension.

    >>> conv2d(np.ones((1, 3, 3)), np.ones((1, 1, 2, 2)), padding="same").data
    array([[[4., 4., 2.],
            [4., 4., 2.],
            [2., 2., 1.]]])
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Sizes = 1,
    padding: str | Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Node:
    """The weight laid over every window of a volume, multiplied and summed.

    input: (N, C, D, H, W) or (C, D, H, W); weight: (O, C / groups, KD, KH, KW); bias: (O,). Otherwise
    as `conv2d`.

    >>> conv3d(np.ones((1, 2, 2, 2)), np.ones((1, 1, 2, 2, 2))).data
    array([[[[8.]]]])
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Node:
    """The transpose of `conv1d`: every element of a signal spreads the weight over the output.

    input: (N, C, L) or (C, L); weight: (C, O / groups, K); bias: (O,). Gives (N, O, L') with
    L' = (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1.
    Raises RuntimeError for shapes that do not fit, dtypes that differ, and an output_padding that is
    not below stride or dilation.

    >>> conv_transpose1d(np.array([[1.0, 2.0]]), np.array([[[1.0, 10.0]]])).data
    array([[ 1., 12., 20.]])
    """
    return _turned(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Node:
    """The transpose of `conv2d`: every pixel of an image spreads the weight over the output.

    input: (N, C, H, W) or (C, H, W); weight: (C, O / groups, KH, KW); bias: (O,). Otherwise as
    `conv_transpose1d`.

    >>> conv_transpose2d(np.array([[[1.0, 2.0]]]), np.ones((1, 1, 2, 2)), stride=2).data
    array([[[1., 1., 2., 2.],
            [1., 1., 2., 2.]]])
    """
    return _turned(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Node:
    """The transpose of `conv3d`: every cell of a volume spreads the weight over the output.

    input: (N, C, D, H, W) or (C, D, H, W); weight: (C, O / groups, KD, KH, KW); bias: (O,). Otherwise
    as `conv_transpose1d`.

    >>> conv_transpose3d(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 1, 2))).data
    array([[[[1., 2., 1.]]]])
    """
    return _turned(3, input, weight, bias, stride, padding, output_padding, groups, dilation)

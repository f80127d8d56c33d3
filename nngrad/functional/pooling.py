"""Pooling: what its parameters mean, and the mean and the p-norm of windows.

One implementation for any number of dimensions; see planes.py for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final, SupportsIndex, TypeAlias

from .arithmetic import mul, pow
from .elementary import abs, relu
from .node import Node, Operand, as_node
from .op import apply, as_floating
from .planes import Divisor, Span, Spans, avg_pool_op
from .rounding import sign

#: one number for every dimension, or one for each
Sizes: TypeAlias = SupportsIndex | Sequence[SupportsIndex]

_COUNTS: Final = {1: "one int", 2: "two ints", 3: "three ints"}


def per_dim(op: str, name: str, given: Sizes, dims: int) -> tuple[int, ...]:
    """A parameter as one number for each dimension."""
    sizes = tuple([s.__index__() for s in given]) if isinstance(given, Sequence) else (given.__index__(),)
    if len(sizes) == 1:
        return sizes * dims
    if len(sizes) != dims:
        raise RuntimeError(
            f"{op}: {name} must either be a single int, or a tuple of {_COUNTS[dims]}, got {sizes}"
        )
    return sizes


def check_input(op: str, x: Node, dims: int) -> None:
    """Raise RuntimeError unless there is something to pool over: channels and `dims` dimensions."""
    if x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"{op}: expected {dims + 1}D or {dims + 2}D (batch mode) tensor for input, got shape {x.shape}"
        )
    if 0 in x.shape[x.ndim - dims - 1 :]:
        raise RuntimeError(
            f"{op}: expected input's non-batch dimensions to have positive length, got shape {x.shape}"
        )


def spans_of(
    op: str,
    x: Node,
    dims: int,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil: bool,
) -> Spans:
    """The windows that a pooling's parameters speak of. Raises RuntimeError where they make no sense."""
    kernel = per_dim(op, "kernel_size", kernel_size, dims)
    unset = stride is None or (isinstance(stride, Sequence) and not stride)
    steps = kernel if stride is None or unset else per_dim(op, "stride", stride, dims)
    pads = per_dim(op, "padding", padding, dims)
    gaps = per_dim(op, "dilation", dilation, dims)
    for name, sizes in (("kernel_size", kernel), ("stride", steps), ("dilation", gaps)):
        if min(sizes) <= 0:
            raise RuntimeError(f"{op}: {name} should be greater than zero, got {sizes}")
    if min(pads) < 0:
        raise RuntimeError(f"{op}: padding must be non-negative, got {pads}")
    check_input(op, x, dims)
    spans = []
    for size, k, s, p, d in zip(x.shape[x.ndim - dims :], kernel, steps, pads, gaps):
        reach = d * (k - 1) + 1
        if p > reach // 2:
            raise RuntimeError(
                f"{op}: padding should be at most half of effective kernel size, but got padding={p}, "
                f"kernel_size={k} and dilation={d}"
            )
        out = (size + 2 * p - reach + (s - 1 if ceil else 0)) // s + 1
        if ceil and (out - 1) * s >= size + p:  # the last window must start inside
            out -= 1
        span = Span(size, out, k, s, p, d)
        if d > 1 and out > 0 and not span.filled:
            raise RuntimeError(
                f"{op}: a window lies in the padding alone, with {span} in an input of shape {x.shape}"
            )
        spans.append(span)
    if min(span.out for span in spans) < 1:
        outs = tuple([span.out for span in spans])
        raise RuntimeError(f"{op}: output size {outs} is too small, from an input of shape {x.shape}")
    return tuple(spans)


# ---------------------------------------------------------------- the mean


def _avg_pool(
    dims: int,
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    ceil_mode: bool,
    divisor: Divisor,
) -> Node:
    op = f"avg_pool{dims}d"
    x = as_node(input)
    if x.dtype.kind not in "iuf":
        raise RuntimeError(f"{op}: not implemented for {x.dtype}")
    return apply(
        avg_pool_op, (x,), (spans_of(op, x, dims, kernel_size, stride, padding, 1, ceil_mode), divisor)
    )


def _divisor(op: str, count_include_pad: bool, override: int | None) -> Divisor:
    if override == 0:
        raise RuntimeError(f"{op}: divisor_override must not be zero")
    return override or ("all" if count_include_pad else "inside")


def avg_pool1d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Node:
    """The mean of each window of the last dimension.

    input: (N, C, L) or (C, L). stride: the kernel_size unless given. ceil_mode: a window may hang over
    the end. count_include_pad: the padding counts as zeros. Raises RuntimeError for parameters that
    make no window, and for bools; the means of integers are integers, without their fraction.

    >>> avg_pool1d(np.arange(4.0).reshape(1, 4), 2).data
    array([[0.5, 2.5]])
    """
    divisor = _divisor("avg_pool1d", count_include_pad, None)
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, divisor)


def avg_pool2d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Node:
    """The mean of each window of the last two dimensions.

    input: (N, C, H, W) or (C, H, W). The parameters are those of `avg_pool1d`; divisor_override:
    what each sum is divided by instead. Raises RuntimeError as `avg_pool1d` does, and if that is 0.

    >>> avg_pool2d(np.arange(4.0).reshape(1, 2, 2), 2).data
    array([[[1.5]]])
    """
    divisor = _divisor("avg_pool2d", count_include_pad, divisor_override)
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, divisor)


def avg_pool3d(
    input: Operand,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Node:
    """The mean of each window of the last three dimensions.

    input: (N, C, D, H, W) or (C, D, H, W). The parameters are those of `avg_pool1d`; divisor_override:
    what each sum is divided by instead. Raises RuntimeError as `avg_pool1d` does, and if that is 0.

    >>> avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).data
    array([[[[3.5]]]])
    """
    divisor = _divisor("avg_pool3d", count_include_pad, divisor_override)
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, divisor)


# ---------------------------------------------------------------- the power mean


def _lp_pool(
    dims: int, input: Operand, norm_type: float, kernel_size: Sizes, stride: Sizes | None, ceil: bool
) -> Node:
    op = f"lp_pool{dims}d"
    x = as_floating(input)
    check_input(op, x, dims)
    means = _avg_pool(dims, pow(x, norm_type), kernel_size, stride, 0, ceil, "all")
    count = prod(per_dim(op, "kernel_size", kernel_size, dims))
    return pow(mul(mul(sign(means), relu(abs(means))), count), 1.0 / norm_type)


def lp_pool1d(
    input: Operand, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Node:
    """The norm of each window of the last dimension: `(sum of x ** p) ** (1 / p)`, p the norm_type.

    input: (N, C, L) or (C, L). stride, ceil_mode: as in `avg_pool1d`. Raises RuntimeError for
    parameters that make no window.

    >>> lp_pool1d(np.arange(4.0).reshape(1, 4), 1.0, 2).data
    array([[1., 5.]])
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Operand, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Node:
    """The norm of each window of the last two dimensions: `(sum of x ** p) ** (1 / p)`, p the norm_type.

    input: (N, C, H, W) or (C, H, W). stride, ceil_mode: as in `avg_pool2d`. Raises RuntimeError for
    parameters that make no window.

    >>> lp_pool2d(np.arange(4.0).reshape(1, 2, 2), 1.0, 2).data
    array([[[6.]]])
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Operand, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Node:
    """The norm of each window of the last three dimensions: `(sum of x ** p) ** (1 / p)`, p the norm_type.

    input: (N, C, D, H, W) or (C, D, H, W). stride, ceil_mode: as in `avg_pool3d`. Raises RuntimeError for
    parameters that make no window.

    >>> lp_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1.0, 2).data
    array([[[[28.]]]])
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)

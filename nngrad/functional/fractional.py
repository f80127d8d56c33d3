"""Fractional max pooling: windows that start at random, about evenly spread. Graham (2014)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .batch import drawn, leads
from .gathering import take_along_dim
from .node import Node, Operand, as_node, seal
from .op import floating
from .pooling import Sizes, per_dim
from .reduction import max
from .shape import reshape, squeeze, unsqueeze

_NAME = "fractional_max_pool"


def _starts(samples: Any, size: int, out: int, kernel: int) -> Any:
    """Where the windows along one dimension begin, as PyTorch places them by samples in [0, 1)."""
    last = size - kernel
    step = np.asarray(last / (out - 1) if out > 1 else 0.0, samples.dtype)
    offset = (samples * step).astype(np.int64)
    starts = ((samples[..., None] + np.arange(out, dtype=samples.dtype)) * step).astype(np.int64)
    starts -= offset[..., None]
    starts[..., -1] = last
    return starts


def output_sizes(
    op: str,
    sizes: tuple[int, ...],
    output_size: Sizes | None,
    output_ratio: float | Sequence[float] | None,
) -> tuple[int, ...]:
    """The sizes of the result. Raises ValueError where neither they nor a ratio is given."""
    dims = len(sizes)
    if output_size is not None:
        return per_dim(op, "output_size", output_size, dims)
    if output_ratio is None:
        raise ValueError(f"{op} requires specifying either an output_size or an output_ratio")
    ratios = tuple(output_ratio) if isinstance(output_ratio, Sequence) else (output_ratio,) * dims
    if len(ratios) != dims:
        raise ValueError(f"{op} requires output_ratio to either be a single Int or tuple of {dims} Ints.")
    return tuple([int(n * ratio) for n, ratio in zip(sizes, ratios)])


def samples_shape(op: str, x: Node, dims: int) -> tuple[int, int, int]:
    """The shape of the samples: a number for each dimension of each plane. Raises RuntimeError for other
    than (N, C, ...) and (C, ...)."""
    if x.ndim not in (dims + 1, dims + 2) or 0 in x.shape[-dims - 1 :]:
        raise RuntimeError(f"{op}: expected {dims + 1}D or {dims + 2}D tensor, got input of shape {x.shape}")
    return (1 if x.ndim == dims + 1 else x.shape[0], x.shape[-dims - 1], dims)


def _pooled(
    dims: int,
    input: Operand,
    kernel_size: Sizes,
    output_size: Sizes | None,
    output_ratio: float | Sequence[float] | None,
    samples: Operand | None,
    generator: np.random.Generator | None,
) -> tuple[Node, Node]:
    op = f"{_NAME}{dims}d"
    x = floating(op, input)
    shape = samples_shape(op, x, dims)
    sizes, kernel = x.shape[-dims:], per_dim(op, "kernel_size", kernel_size, dims)
    outs = output_sizes(op, sizes, output_size, output_ratio)
    for n, k, out in zip(sizes, kernel, outs):
        if not (k > 0 and out > 0 and out + k - 1 <= n):
            raise RuntimeError(
                f"{op}: windows of {kernel} for {outs} of them are too large relative to the input {x.shape}"
            )
    if samples is None:
        if generator is None:
            raise TypeError(f"{op}: a random function of the core needs its generator, or _random_samples")
        uniform, dtype = generator.random, x.dtype
        samples = seal(drawn(op, lambda wanted: uniform(wanted).astype(dtype), shape))
    given = as_node(samples)
    if given.shape != shape:
        raise RuntimeError(f"{op}: expected _random_samples of shape {shape}, got {given.shape}")
    places = _places(given._value, sizes, kernel, outs)
    lead = x.shape[:-dims]
    elements = take_along_dim(reshape(x, (*lead, prod(sizes))), seal(places.reshape(*lead, -1)), -1)
    most, which = max(reshape(elements, (*lead, *outs, prod(kernel))), -1)
    cells = seal(places.reshape(*lead, *outs, prod(kernel)))
    return most, squeeze(take_along_dim(cells, unsqueeze(which, -1), -1), -1)


@leads
def _places(samples: Any, sizes: tuple[int, ...], kernel: tuple[int, ...], outs: tuple[int, ...]) -> Any:
    """Which elements of the flattened plane are in each window: (N, C, windows, elements)."""
    *lead, dims = samples.shape
    # PyTorch's samples are those of the last dimension first in two dimensions, in order in three
    order = range(dims) if dims == 3 else range(dims - 1, -1, -1)
    places: Any = np.zeros((*lead, *(1,) * (2 * dims)), np.int64)
    for d, sample in enumerate(order):
        starts = _starts(samples[..., sample], sizes[d], outs[d], kernel[d])
        along = starts[..., None] + np.arange(kernel[d])  # (N, C, out, kernel)
        spread = [1] * (2 * dims)
        spread[d], spread[dims + d] = outs[d], kernel[d]
        places = places * sizes[d] + along.reshape(*lead, *spread)
    return places.reshape(*lead, prod(outs), prod(kernel))


def fractional_max_pool2d_with_indices(
    input: Operand,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Operand | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> tuple[Node, Node]:
    """`fractional_max_pool2d` and where in its plane, flattened, each maximum stands (int64).

    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> fractional_max_pool2d_with_indices(x, 2, 2, _random_samples=np.zeros((1, 1, 2)))[1].data
    array([[[ 5,  7],
            [13, 15]]])
    """
    return _pooled(2, input, kernel_size, output_size, output_ratio, _random_samples, generator)


def fractional_max_pool2d(
    input: Operand,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Operand | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> Node | tuple[Node, Node]:
    """The largest elements of windows that start at random, as many as `output_size` says.

    input: (N, C, H, W) or (C, H, W). output_ratio: the result's share of the input's sizes, in
    place of output_size. return_indices: give the indices in the flattened plane as well (int64).
    _random_samples: numbers in [0, 1) that place the windows, (N, C, 2); else `generator` draws them.
    Raises ValueError without a size or a ratio, RuntimeError for sizes that do not fit, TypeError
    for neither samples nor generator.

    >>> x = np.arange(16.0).reshape(1, 4, 4)
    >>> fractional_max_pool2d(x, 2, 2, _random_samples=np.zeros((1, 1, 2))).data
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    pooled = _pooled(2, input, kernel_size, output_size, output_ratio, _random_samples, generator)
    return pooled if return_indices else pooled[0]


def fractional_max_pool3d_with_indices(
    input: Operand,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Operand | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> tuple[Node, Node]:
    """`fractional_max_pool3d` and where in its volume, flattened, each maximum stands (int64).

    >>> x = np.arange(27.0).reshape(1, 3, 3, 3)
    >>> fractional_max_pool3d_with_indices(x, 2, 1, _random_samples=np.zeros((1, 1, 3)))[1].data
    array([[[[26]]]])
    """
    return _pooled(3, input, kernel_size, output_size, output_ratio, _random_samples, generator)


def fractional_max_pool3d(
    input: Operand,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: float | Sequence[float] | None = None,
    return_indices: bool = False,
    _random_samples: Operand | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> Node | tuple[Node, Node]:
    """`fractional_max_pool2d` in three dimensions: (N, C, D, H, W) or (C, D, H, W), samples (N, C, 3).

    >>> x = np.arange(27.0).reshape(1, 3, 3, 3)
    >>> fractional_max_pool3d(x, 2, 1, _random_samples=np.zeros((1, 1, 3))).data
    array([[[[26.]]]])
    """
    pooled = _pooled(3, input, kernel_size, output_size, output_ratio, _random_samples, generator)
    return pooled if return_indices else pooled[0]

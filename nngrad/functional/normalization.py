"""Normalisation: values brought to mean 0 and variance 1, over a batch, a layer, groups or instances.

All but the last are one op, `standardize`, over different dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .arithmetic import add, div, mul, pow
from .blending import clamp_min
from .dtypes import wide
from .elementary import silent
from .exponential import rsqrt
from .joining import concat
from .node import Node, Operand, as_node, seal
from .norms import p_norm
from .op import cast, floating
from .shape import Dims, normal_dims, reshape, reshape_op
from .splitting import narrow
from .standardizing import kept_dims, moments, standardize, standardized

# ---------------------------------------------------------------- checks


def _like(op: str, x: Node, name: str, given: Operand | None, shape: tuple[int, ...]) -> Node | None:
    """A parameter of the shape that it must have, and of x's dtype."""
    if given is None:
        return None
    node = as_node(given)
    if node.shape != shape:
        many = f"{name} should contain {shape[0]} elements not {node.size}" if len(shape) == 1 else name
        raise RuntimeError(f"{op}: {many}: expected shape {shape}, got {node.shape} (input {x.shape})")
    if node.dtype != x.dtype:
        raise RuntimeError(f"{op}: expected {name} of the input's dtype {x.dtype}, got {node.dtype}")
    return node


def _trailing(op: str, x: Node, normalized_shape: Sequence[int] | int) -> tuple[int, ...]:
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape:
        raise RuntimeError(f"{op}: Expected normalized_shape to be at least 1-dimensional, got {shape}")
    if x.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"{op}: Given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {list(x.shape)}"
        )
    return shape


# ---------------------------------------------------------------- over layers


def layer_norm(
    input: Operand,
    normalized_shape: Sequence[int] | int,
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Node:
    """Each sample less its mean, over its standard deviation, times `weight`, plus `bias`.

    normalized_shape: the last dimensions, which a sample spans; weight, bias: of that shape.
    Raises RuntimeError for shapes that do not fit. Ba, Kiros and Hinton (2016).

    >>> layer_norm(np.array([[1.0, 3.0]]), (2,)).data.round(3)
    array([[-1.,  1.]])
    """
    x = floating("layer_norm", input)
    shape = _trailing("layer_norm", x, normalized_shape)
    w, b = _like("layer_norm", x, "weight", weight, shape), _like("layer_norm", x, "bias", bias, shape)
    return standardized(x, tuple(range(x.ndim - len(shape), x.ndim)), w, b, eps)


def rms_norm(
    input: Operand,
    normalized_shape: Sequence[int] | int,
    weight: Operand | None = None,
    eps: float | None = None,
) -> Node:
    """Each sample over its root mean square, times `weight`.

    normalized_shape, weight: as in `layer_norm`; eps: the dtype's smallest step unless given (that
    of float32 for float16). Raises RuntimeError for shapes that do not fit.

    >>> rms_norm(np.array([[1.0, 7.0]]), (2,)).data.round(3)
    array([[0.2, 1.4]])
    """
    x = floating("rms_norm", input)
    shape = _trailing("rms_norm", x, normalized_shape)
    w = _like("rms_norm", x, "weight", weight, shape)
    if eps is None:
        eps = float(np.finfo(np.float64 if x.dtype.char == "d" else np.float32).eps)
    return standardized(x, tuple(range(x.ndim - len(shape), x.ndim)), w, None, eps, centered=False)


# ---------------------------------------------------------------- over groups of channels


def group_norm(
    input: Operand,
    num_groups: int,
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Node:
    """Each group of channels of each sample to mean 0 and variance 1, then an affine map by channel.

    input: (N, C, ...); weight, bias: (C,). Raises RuntimeError for fewer than two dimensions or a C
    that num_groups does not divide, ValueError where there is one value alone.
    Wu and He, "Group normalization" (2018).

    >>> group_norm(np.array([[1.0, 3.0, 5.0, 9.0]]), 2).data.round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    x = floating("group_norm", input)
    if x.ndim < 2:
        raise RuntimeError(f"group_norm: Expected at least 2 dimensions for input, got shape {x.shape}")
    channels = x.shape[1]
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            f"group_norm: Expected number of channels in input to be divisible by num_groups, but got input "
            f"of shape {x.shape} and num_groups={num_groups}"
        )
    if x.size and x.size == x.shape[0] * num_groups and x.shape[0] == 1:
        _refuse_single("group_norm", x)
    return _grouped("group_norm", x, num_groups, weight, bias, eps)


def _refuse_single(op: str, x: Node) -> None:
    raise ValueError(f"{op}: Expected more than 1 value per channel when training, got input size {x.shape}")


def _grouped(op: str, x: Node, groups: int, weight: Operand | None, bias: Operand | None, eps: float) -> Node:
    channels = x.shape[1]
    inner = (groups, channels // groups, 1)
    w, b = (
        None if p is None else reshape(p, inner)
        for p in (_like(op, x, "weight", weight, (channels,)), _like(op, x, "bias", bias, (channels,)))
    )
    space = math.prod(x.shape[2:])
    out = standardized(reshape(x, (x.shape[0], *inner[:2], space)), (2, 3), w, b, eps)
    return reshape(out, x.shape)


def instance_norm(
    input: Operand,
    running_mean: Operand | None = None,
    running_var: Operand | None = None,
    weight: Operand | None = None,
    bias: Operand | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Node:
    """Each channel of each sample to mean 0 and variance 1, then an affine map by channel.

    input: (N, C, ...); the others: (C,). Without `use_input_stats` the running statistics are used
    instead (see `running_stats` for their update, which `momentum` is for). Raises ValueError
    where a channel has one value alone, RuntimeError for shapes that do not fit.

    >>> instance_norm(np.array([[[1.0, 3.0], [5.0, 9.0]]])).data.round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    x = _channelled("instance_norm", input)
    if not use_input_stats:
        return _by_running("instance_norm", x, running_mean, running_var, weight, bias, eps)
    if math.prod(x.shape[2:]) == 1:
        raise ValueError(
            f"instance_norm: Expected more than 1 spatial element when training, got input size {x.shape}"
        )
    return _grouped("instance_norm", x, x.shape[1], weight, bias, eps)


# ---------------------------------------------------------------- over a batch


def batch_norm(
    input: Operand,
    running_mean: Operand | None,
    running_var: Operand | None,
    weight: Operand | None = None,
    bias: Operand | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Node:
    """Each channel to mean 0 and variance 1 over the batch, then an affine map by channel.

    input: (N, C, ...); the others: (C,). In training the statistics are the batch's, else the
    running ones (see `running_stats` for their update, which `momentum` is for). Raises ValueError
    where a channel has one value alone in training, RuntimeError for shapes that do not fit.
    Ioffe and Szegedy, "Batch normalization" (2015).

    >>> batch_norm(np.array([[1.0, 5.0], [3.0, 9.0]]), None, None, training=True).data.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    x = _channelled("batch_norm", input)
    if not training:
        return _by_running("batch_norm", x, running_mean, running_var, weight, bias, eps)
    channels = x.shape[1]
    if x.size == channels:
        _refuse_single("batch_norm", x)
    w, b = (
        None if p is None else reshape(p, (channels, 1))
        for p in (
            _like("batch_norm", x, "weight", weight, (channels,)),
            _like("batch_norm", x, "bias", bias, (channels,)),
        )
    )
    flat = reshape(x, (x.shape[0], channels, math.prod(x.shape[2:])))
    return reshape(standardized(flat, (0, 2), w, b, eps), x.shape)


def _channelled(op: str, input: Operand) -> Node:
    x = floating(op, input)
    if x.ndim < 2:
        raise RuntimeError(f"{op}: expected an input of shape (N, C, ...), got shape {x.shape}")
    return x


def _by_running(
    op: str,
    x: Node,
    mean: Operand | None,
    variance: Operand | None,
    weight: Operand | None,
    bias: Operand | None,
    eps: float,
) -> Node:
    if mean is None or variance is None:
        raise RuntimeError(f"{op}: running_mean and running_var must be defined in evaluation mode")
    shape = (x.shape[1],)
    m, v = _like(op, x, "running_mean", mean, shape), _like(op, x, "running_var", variance, shape)
    w, b = _like(op, x, "weight", weight, shape), _like(op, x, "bias", bias, shape)
    scale = rsqrt(add(v, eps))  # type: ignore[arg-type]  # it was given
    scale = scale if w is None else mul(scale, w)
    shift = mul(m, mul(scale, -1))  # type: ignore[arg-type]  # it was given
    shift = shift if b is None else add(shift, b)
    beside = (shape[0],) + (1,) * (x.ndim - 2)
    return add(mul(x, reshape(scale, beside)), reshape(shift, beside))


def running_stats(
    input: Operand,
    running_mean: Operand,
    running_var: Operand,
    momentum: float = 0.1,
    *,
    by_instance: bool = False,
) -> tuple[Node, Node]:
    """The running mean and variance after a batch: `old + momentum * (the batch's - old)`.

    input: (N, C, ...); running_mean, running_var: (C,). The batch's variance is the unbiased one,
    and with `by_instance` both are averages over the samples. No gradient flows through them.

    >>> mean, variance = running_stats(np.array([[1.0], [3.0]]), np.zeros(1), np.ones(1), 0.5)
    >>> mean.data, variance.data
    (array([1.]), array([1.5]))
    """
    return stats_after(None, input, running_mean, running_var, momentum, by_instance)


def _known(out: Node | None, count: int) -> tuple[Any, Any] | None:
    """The mean and the unbiased variance by channel that a normalisation saved, if it did."""
    node = out._prev[0] if out is not None and out.op is reshape_op else None
    saved = node.saved if node is not None and node.op is standardize else None
    if type(saved) is not tuple or count < 2:
        return None
    return saved[0], np.divide(np.multiply(saved[1], count), count - 1)


@silent
def stats_after(
    out: Node | None,
    input: Operand,
    running_mean: Operand,
    running_var: Operand,
    momentum: float,
    by_instance: bool,
) -> tuple[Node, Node]:
    """`running_stats` that looks at what batch_norm or instance_norm made of the input first: recorded, it
    has kept the moments, and to take them again is half of its work."""
    op = "running_stats"
    x = _channelled(op, input)
    shape = (x.shape[1],)
    count = math.prod(x.shape[2:]) * (1 if by_instance else x.shape[0])
    found = _known(out, count) or _taken(x, (2,) if by_instance else (0, 2), count)
    updated = []
    for name, old, new in zip(("running_mean", "running_var"), (running_mean, running_var), found):
        node = as_node(old)
        if node.shape != shape:
            raise RuntimeError(f"{op}: {name} should contain {shape[0]} elements, got shape {node.shape}")
        news: Any = np.mean(np.reshape(new, (-1, *shape)), axis=0) if by_instance else np.reshape(new, shape)
        news = news.astype(node.dtype)
        updated.append(seal(np.add(np.multiply(node._value, 1 - momentum), np.multiply(news, momentum))))
    return updated[0], updated[1]


def _taken(x: Node, axes: tuple[int, ...], count: int) -> tuple[Any, Any]:
    """The mean and the unbiased variance of (N, C, ...) over the axes, which stay."""
    values = x._value.reshape(*x.shape[:2], -1)
    if values.dtype.char == "e":
        values = values.astype(np.float32)
    kept = kept_dims(values.shape, axes)
    mean, variance = np.empty(kept, values.dtype), np.empty(kept, values.dtype)
    if isinstance(values, np.ndarray) and moments(mean, variance, values, axes, count):
        return mean, np.divide(np.multiply(variance, count), count - 1)
    mean = np.mean(values, axis=axes, keepdims=True)
    away = np.square(np.subtract(values, mean))
    return mean, np.divide(np.sum(away, axis=axes, keepdims=True), count - 1)


# ---------------------------------------------------------------- over neighbours, and by norms


def local_response_norm(
    input: Operand, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Node:
    """`input / (k + alpha * mean of squares over the size channels around) ** beta`.

    input: (N, C, ...). Raises ValueError for fewer than three dimensions.
    Krizhevsky, Sutskever and Hinton (2012).

    >>> local_response_norm(np.ones((1, 2, 1)), 2, alpha=2.0, beta=1.0).data.round(4)
    array([[[0.5   ],
            [0.3333]]])
    """
    x = floating("local_response_norm", input)
    if x.ndim < 3:
        raise ValueError(
            f"local_response_norm: Expected 3D or higher dimensionality input, got shape {x.shape}"
        )
    if not x.size:
        return x
    squared = mul(x, x)
    channels = x.shape[1]
    before, after = (np.zeros((x.shape[0], n, *x.shape[2:]), x.dtype) for n in (size // 2, (size - 1) // 2))
    padded = concat([before, squared, after], 1)
    total = narrow(padded, 1, 0, channels)
    for start in range(1, size):
        total = add(total, narrow(padded, 1, start, channels))
    return div(x, pow(add(mul(div(total, size), alpha), k), beta))


def normalize(input: Operand, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12) -> Node:
    """`input` over its p-norm along `dim`, or over `eps` where the norm is smaller.

    Raises IndexError for a dimension out of range, RuntimeError for integers.

    >>> normalize(np.array([[3.0, 4.0]])).data
    array([[0.6, 0.8]])
    """
    x = floating("normalize", input)
    dims = normal_dims("normalize", dim, x.ndim)
    size = cast(p_norm(cast(x, wide(x.dtype)), p, dims, True), x.dtype)
    return div(x, clamp_min(size, eps))

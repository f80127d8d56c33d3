"""Dropout: elements or channels set to zero at random, which keeps a network from leaning on any.

The functions are pure: what is random comes from a generator that is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from .arithmetic import add, mul
from .batch import drawn
from .dtypes import AnyArray, DType
from .node import Node, Operand, as_node, seal
from .warn import warn_user

if TYPE_CHECKING:
    from numpy.random import Generator

#: draws ones and zeros of a shape and dtype; what it is made of knows the chance of a one
Draw: TypeAlias = Callable[[tuple[int, ...], DType], AnyArray]

_ALPHA: Final = 1.7580993408473766  # selu's limit far below 0, without its sign


def check_probability(p: float) -> None:
    """Raise ValueError for a dropout probability outside [0, 1]."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def drawn_by(op: str, generator: Generator | None, p: float) -> Draw:
    """What draws for a function that was given a generator, or none."""

    def draw(shape: tuple[int, ...], dtype: DType) -> AnyArray:
        if generator is None:
            raise TypeError(
                f"{op}: a random function of the core needs its generator: numpy.random.Generator"
            )
        return (generator.random(shape) >= p).astype(dtype)

    return draw


def drop(op: str, input: Operand, p: float, training: bool, draw: Draw, channels: bool, alpha: bool) -> Node:
    """Dropout of elements or of channels, to zero or (alpha) to what keeps selu's mean and variance."""
    check_probability(p)
    x = as_node(input)
    if x.dtype.kind not in "fc":
        raise RuntimeError(f"{op}: expected floating-point values, got {x.dtype}")
    if channels and x.ndim < 2:
        raise RuntimeError(f"{op}: Feature dropout requires at least 2 dimensions, got {x.shape}")
    if not training or p == 0 or not x.size:
        return x
    if p == 1:
        return mul(x, seal(np.zeros((), x.dtype)))
    shape = (*x.shape[:2], *[1] * (x.ndim - 2)) if channels else x.shape

    def mine(shape: tuple[int, ...], dtype: DType) -> Any:
        return drawn(op, lambda sizes: draw(sizes, dtype), shape)

    kept: Any = mine(shape, x.dtype)
    if not alpha:
        return mul(x, seal(np.divide(kept, np.asarray(1 - p, x.dtype))))
    a = 1.0 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    lost = np.add(np.multiply(np.subtract(kept, 1), _ALPHA * a), _ALPHA * a * p)
    return add(mul(x, seal(np.multiply(kept, a))), seal(lost))


def drop_channels(name: str, input: Operand, p: float, training: bool, draw: Draw, spatial: int) -> Node:
    """Dropout of the channels of (N, C, ...) with so many dimensions of space, or of (C, ...)."""
    x = as_node(input)
    check_probability(p)
    fits = (spatial + 1, spatial + 2)
    if x.ndim not in fits:
        told = f"{name}: expected an input of {fits[0]} or {fits[1]} dimensions, got shape {x.shape}"
        if spatial == 1:
            raise RuntimeError(told)
        warn_user(f"{told}; its second dimension is taken for the channels")
    elif spatial == 2 and x.ndim == 3:
        warn_user(f"{name}: an input of 3 dimensions is taken as (N, C, L); for that there is dropout1d")
    elif x.ndim == fits[0] and training and p:
        return drop(name, x[None], p, training, draw, True, False)[0] if x.size else x
    return drop(name, x, p, training, draw, True, False)


def dropout(
    input: Operand, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Node:
    """In training, zero each element with probability `p` and scale the others by 1 / (1 - p).

    generator: draws what is dropped. Raises ValueError for a probability outside [0, 1], TypeError
    where a generator is needed and missing. Srivastava et al. (2014).

    >>> dropout(np.ones(4), 0.5, generator=np.random.default_rng(0)).data
    array([2., 0., 0., 0.])
    """
    return drop("dropout", input, p, training, drawn_by("dropout", generator, p), False, False)


def dropout1d(
    input: Operand, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Node:
    """`dropout` of whole channels of (N, C, L) or (C, L). Raises RuntimeError for other shapes.

    >>> dropout1d(np.ones((2, 2)), 0.5, generator=np.random.default_rng(0)).data
    array([[2., 2.],
           [0., 0.]])
    """
    return drop_channels("dropout1d", input, p, training, drawn_by("dropout1d", generator, p), 1)


def dropout2d(
    input: Operand, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Node:
    """`dropout` of whole channels of (N, C, H, W); other shapes (N, C, ...) warn.

    >>> dropout2d(np.ones((1, 2, 1, 2)), 0.5, generator=np.random.default_rng(0)).data.tolist()
    [[[[2.0, 2.0]], [[0.0, 0.0]]]]
    """
    return drop_channels("dropout2d", input, p, training, drawn_by("dropout2d", generator, p), 2)


def dropout3d(
    input: Operand, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Node:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W); other shapes (N, C, ...) warn.

    >>> dropout3d(np.ones((2, 1, 1, 2)), 0.5, generator=np.random.default_rng(0)).data.tolist()
    [[[[2.0, 2.0]]], [[[0.0, 0.0]]]]
    """
    return drop_channels("dropout3d", input, p, training, drawn_by("dropout3d", generator, p), 3)


def alpha_dropout(
    input: Operand, p: float = 0.5, training: bool = False, *, generator: Generator | None = None
) -> Node:
    """Dropout that keeps mean 0 and variance 1 behind selu. Raises as `dropout` does.

    >>> alpha_dropout(np.ones(2), 0.5, True, generator=np.random.default_rng(0)).data.round(4)
    array([ 1.6656, -0.7792])
    """
    return drop("alpha_dropout", input, p, training, drawn_by("alpha_dropout", generator, p), False, True)


def feature_alpha_dropout(
    input: Operand, p: float = 0.5, training: bool = False, *, generator: Generator | None = None
) -> Node:
    """`alpha_dropout` of whole channels of (N, C, ...). Raises as `dropout` does.

    >>> feature_alpha_dropout(np.ones((1, 2)), 0.5, True, generator=np.random.default_rng(0)).data.round(4)
    array([[ 1.6656, -0.7792]])
    """
    draw = drawn_by("feature_alpha_dropout", generator, p)
    return drop("feature_alpha_dropout", input, p, training, draw, True, True)

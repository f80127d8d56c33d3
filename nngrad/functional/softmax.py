"""The softmax family, each with a rule of its own: fewer passes, exact in the tails."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .arithmetic import mul, sub
from .dtypes import DType
from .node import Node, Operand, as_node
from .op import Op, apply, cast, general
from .shape import normal_dim


def shifted(x: Any, dim: int) -> Any:
    """x less its maximum, so that exp cannot overflow."""
    return np.subtract(x, np.maximum.reduce(x, axis=dim, keepdims=True))


@np.errstate(all="ignore")
def _softmax_forward(x: Any, dim: int) -> Any:
    e = np.exp(shifted(x, dim))
    return np.divide(e, np.sum(e, axis=dim, keepdims=True))


@np.errstate(all="ignore")
def _log_softmax_forward(x: Any, dim: int) -> Any:
    s = shifted(x, dim)
    return np.subtract(s, np.log(np.sum(np.exp(s), axis=dim, keepdims=True)))


softmax_op: Final[Op] = general(
    "softmax",
    _softmax_forward,
    lambda g, out, x, dim: np.multiply(
        out, np.subtract(g, np.sum(np.multiply(g, out), axis=dim, keepdims=True))
    ),
)
log_softmax_op: Final[Op] = general(
    "log_softmax",
    _log_softmax_forward,
    lambda g, out, x, dim: np.subtract(g, np.multiply(np.exp(out), np.sum(g, axis=dim, keepdims=True))),
)


def _softmax_call(op: Any, input: Operand, dim: int, dtype: DType | None) -> Node:
    x = as_node(input)
    if dtype is not None:
        x = cast(x, dtype)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"{op.name}: expected floating-point values, got {x.dtype}")
    at = normal_dim(op.name, dim, x.ndim)
    if not x.ndim or not x.size:
        return sub(mul(x, 0), 0 if op is log_softmax_op else -1)
    return apply(op, (x,), (at,))


def softmax(input: Operand, dim: int, *, dtype: DType | None = None) -> Node:
    """`exp(input)` scaled to add up to 1 along `dim`.

    Raises RuntimeError for integers, IndexError for a dimension out of range.

    >>> softmax(np.array([0.0, 0.0]), 0).data
    array([0.5, 0.5])
    """
    return _softmax_call(softmax_op, input, dim, dtype)


def log_softmax(input: Operand, dim: int, *, dtype: DType | None = None) -> Node:
    """The logarithm of `softmax`, exact where the softmax underflows.

    >>> log_softmax(np.array([0.0, -1000.0]), 0).data
    array([    0., -1000.])
    """
    return _softmax_call(log_softmax_op, input, dim, dtype)

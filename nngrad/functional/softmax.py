"""The softmax family, each with a rule of its own: fewer passes, exact in the tails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .arithmetic import mul, sub
from .batch import Batch, led
from .blocks import over_blocks
from .dtypes import DType
from .elementary import in_order, silent
from .node import Node, Operand, as_node
from .op import Op, apply, cast, floating, general
from .rows import by_row, row_dots, row_sums
from .shape import normal_dim

#: sums of exponentials that are far from where they overflow or lose digits
_LOW, _HIGH = 1e-20, 1e30


def shifted(x: Any, dim: int) -> Any:
    """x less its maximum, so that exp cannot overflow."""
    return np.subtract(x, np.maximum.reduce(x, axis=dim, keepdims=True))


def _softmax_formula(x: Any, dim: int) -> Any:
    e = np.exp(shifted(x, dim))
    return np.divide(e, np.sum(e, axis=dim, keepdims=True))


def _log_softmax_formula(x: Any, dim: int) -> Any:
    s = shifted(x, dim)
    return np.subtract(s, np.log(np.sum(np.exp(s), axis=dim, keepdims=True)))


def _softmax_rule(g: Any, out: Any, dim: int) -> Any:
    return np.multiply(out, np.subtract(g, np.sum(np.multiply(g, out), axis=dim, keepdims=True)))


def _log_softmax_rule(g: Any, out: Any, dim: int) -> Any:
    return np.subtract(g, np.multiply(np.exp(out), np.sum(g, axis=dim, keepdims=True)))


def _softmax_rows(out: Any, x: Any) -> None:
    np.exp(x, out=out)
    total = row_sums(out)
    by_row(np.multiply, out, np.reciprocal(total), out)
    rare = np.logical_not(np.logical_and(np.greater(total, _LOW), np.less(total, _HIGH)))
    if np.any(rare):  # only these rows need their maximum taken off
        out[rare] = _softmax_formula(x[rare], 1)


def _log_softmax_rows(out: Any, x: Any) -> None:
    by_row(np.subtract, x, np.maximum.reduce(x, axis=1), out)
    by_row(np.subtract, out, np.log(row_sums(np.exp(out))), out)


def _softmax_back_rows(gx: Any, g: Any, out: Any) -> None:
    by_row(np.subtract, g, row_dots(g, out, gx), gx)
    np.multiply(gx, out, out=gx)


def _log_softmax_back_rows(gx: Any, g: Any, out: Any) -> None:
    np.exp(out, out=gx)
    by_row(np.multiply, gx, row_sums(g), gx)
    np.subtract(g, gx, out=gx)


def _by_rows(formula: Callable[..., Any], kernel: Callable[..., None]) -> Callable[..., Any]:
    """`formula(*inputs, dim)`, along the last dimension of NumPy's arrays by a kernel over rows in blocks.

    float16 is computed in float32.
    """

    @silent
    def run(*args: Any) -> Any:
        *inputs, dim = args
        x = inputs[-1]
        dim %= x.ndim
        if not all(isinstance(a, np.ndarray) for a in inputs):
            if Batch in map(type, inputs):
                return led(run, (*inputs, dim - x.ndim))
            return formula(*args)
        if x.dtype.char == "e":
            return run(*[a.astype(np.float32) for a in inputs], dim).astype(x.dtype)
        if dim != x.ndim - 1 or x.dtype.char not in "fd":
            return in_order(formula(*args))
        size = x.shape[-1]
        out = np.empty(x.shape, x.dtype)
        target = out.reshape(-1, size)
        tables = [a.reshape(-1, size) for a in inputs]

        def work(blocks: list[slice]) -> None:
            for block in blocks:
                kernel(target[block], *[t[block] for t in tables])

        over_blocks(work, len(target), size * x.itemsize)
        return out

    return run


_softmax_back = _by_rows(_softmax_rule, _softmax_back_rows)
_log_softmax_back = _by_rows(_log_softmax_rule, _log_softmax_back_rows)
softmax_op: Final[Op] = general(
    "softmax",
    _by_rows(_softmax_formula, _softmax_rows),
    lambda g, out, x, dim: _softmax_back(g, out, dim),
)
log_softmax_op: Final[Op] = general(
    "log_softmax",
    _by_rows(_log_softmax_formula, _log_softmax_rows),
    lambda g, out, x, dim: _log_softmax_back(g, out, dim),
)
# the Jacobian of softmax is symmetric, and that of log_softmax nearly the transpose of its own
softmax_op.jvp = lambda given, out, inputs, params: _softmax_back(given[0], out, *params)
log_softmax_op.jvp = lambda given, out, inputs, params: np.subtract(
    given[0], np.sum(np.multiply(np.exp(out), given[0]), axis=params[0], keepdims=True)
)


def _softmax_call(op: Any, input: Operand, dim: int, dtype: DType | None) -> Node:
    x = floating(op.name, as_node(input) if dtype is None else cast(as_node(input), dtype))
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

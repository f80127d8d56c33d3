"""Products of matrices: matmul and linear."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .node import Node, Operand, as_node, implements
from .op import apply, bilinear, general
from .rows import column_sums

ndarray = np.ndarray


def _swap(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


# The common case, two matrices: dot costs half of what matmul does to call.
_mm: Final = bilinear(
    "mm",
    lambda a, b: a.dot(b) if type(a) is ndarray is type(b) else np.matmul(a, b),
    lambda g, _, a, b: np.matmul(g, np.transpose(b)) if type(g) is Node else g.dot(b.T),
    lambda g, _, a, b: np.matmul(np.transpose(a), g) if type(g) is Node else a.T.dot(g),
)


def _matmul_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    a, b = inputs
    # a vector is a matrix of one row on the left, of one column on the right
    row, column = len(a.shape) == 1, len(b.shape) == 1
    if row:
        a = np.expand_dims(a, 0)
        g = np.expand_dims(g, -1 if column else -2)
    if column:
        b = np.expand_dims(b, 1)
        g = np.expand_dims(g, -1)
    ga = np.matmul(g, _swap(b)) if needs[0] else None
    gb = np.matmul(_swap(a), g) if needs[1] else None
    return [
        np.squeeze(ga, -2) if row and ga is not None else ga,
        np.squeeze(gb, -1) if column and gb is not None else gb,
    ]


_matmul: Final = bilinear("matmul", np.matmul, vjp=_matmul_vjp)


@implements(np.matmul, np.dot)
def matmul(input: Operand, other: Operand) -> Node:
    """The matrix product; leading dimensions broadcast, a 1-d operand is a row or a column.

    Shapes (..., n, k) and (..., k, m) give (..., n, m). Raises RuntimeError if the inner sizes
    differ or an operand is 0-d.

    >>> matmul(np.eye(2), np.array([1.0, 2.0])).data
    array([1., 2.])
    """
    a, b = as_node(input), as_node(other)
    if a._value.dtype is not b._value.dtype and a._value.dtype != b._value.dtype:
        raise RuntimeError(f"matmul: expected both to have the same dtype, got {a.dtype} and {b.dtype}")
    sa, sb = a._value.shape, b._value.shape
    if not sa or not sb:
        raise RuntimeError(f"matmul: both arguments need to be at least 1D, but they are {sa} and {sb}")
    if sa[-1] != sb[0 if len(sb) == 1 else -2]:
        raise RuntimeError(f"matmul: shapes {sa} and {sb} cannot be multiplied")
    return apply(_mm if len(sa) == 2 == len(sb) else _matmul, (a, b))


def _linear_forward(x: Any, weight: Any, *bias: Any) -> Any:
    if type(x) is not ndarray or x.ndim == 0:
        out = np.matmul(x, np.transpose(weight))
        return np.add(out, bias[0]) if bias else out
    if x.ndim <= 2:
        out = x.dot(weight.T)
    else:  # one matrix product, not one per leading index
        out = x.reshape(-1, x.shape[-1]).dot(weight.T).reshape(*x.shape[:-1], weight.shape[0])
    if bias:
        if type(out) is ndarray:
            out += bias[0]
        else:
            out = out + bias[0]
    return out


def _linear_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    x, weight = inputs[0], inputs[1]
    flat_g = np.reshape(g, (-1, weight.shape[0])) if len(g.shape) != 2 else g
    sent: list[Any] = [None, None, None]
    if needs[0]:
        sent[0] = np.matmul(g, weight) if type(g) is Node or len(x.shape) == 1 else flat_g.dot(weight)
        if len(sent[0].shape) != len(x.shape):
            sent[0] = np.reshape(sent[0], x.shape)
    if needs[1]:
        flat_x = np.reshape(x, (-1, x.shape[-1])) if len(x.shape) != 2 else x
        sent[1] = np.matmul(np.transpose(flat_g), flat_x) if type(g) is Node else flat_g.T.dot(flat_x)
    if len(needs) > 2 and needs[2]:
        sent[2] = column_sums(flat_g) if type(g) is ndarray else np.sum(flat_g, axis=0)
    return sent[: len(needs)]


def _linear_jvp(given: list[Any], _: Any, inputs: list[Any], params: Any) -> Any:
    x, weight = inputs[:2]
    tx, tw, *tb = given
    if tw is None:
        terms = [None if tx is None else _linear(tx, weight), *tb]
    elif tb and tb[0] is not None:  # with the product, rather than in a pass of its own
        terms = [_linear(x, tw, tb[0]), None if tx is None else _linear(tx, weight)]
    else:
        terms = [_linear(x, tw), None if tx is None else _linear(tx, weight)]
    first, *others = [t for t in terms if t is not None]
    return np.add(first, others[0]) if others else first


_linear: Final = general("linear", _linear_forward, vjp=_linear_vjp, uses_out=False)
_linear.jvp = _linear_jvp


def linear(input: Operand, weight: Operand, bias: Operand | None = None) -> Node:
    """`input @ weight.T + bias`.

    input: (..., in_features); weight: (out_features, in_features); bias: (out_features,). Gives
    (..., out_features). Raises RuntimeError if the shapes do not fit or the dtypes differ.

    >>> linear(np.array([1.0, 2.0]), np.eye(2), np.array([0.5, 0.5])).data
    array([1.5, 2.5])
    """
    x, w = as_node(input), as_node(weight)
    inputs = (x, w) if bias is None else (x, w, as_node(bias))
    sx, sw = x._value.shape, w._value.shape
    if len(sw) == 1:
        out = matmul(x, w)
        return out if bias is None else out + bias
    if len(sw) != 2 or not sx or sx[-1] != sw[1]:
        raise RuntimeError(
            f"linear: input of shape {sx} and weight of shape {sw} cannot be multiplied: the input's "
            "last size must be the weight's second"
        )
    dtype = x._value.dtype
    for operand in inputs:
        if operand._value.dtype is not dtype and operand._value.dtype != dtype:
            told = ", ".join([str(n.dtype) for n in inputs])
            raise RuntimeError(f"linear: expected input, weight and bias to have the same dtype, got {told}")
    if bias is not None and inputs[-1]._value.shape not in ((sw[0],), ()):
        raise RuntimeError(f"linear: bias of shape {inputs[-1].shape} does not fit weight of shape {sw}")
    return apply(_linear, inputs)

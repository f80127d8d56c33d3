"""The norms of vectors: one op for every p, whatever the function is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .aggregation import widened
from .dtypes import DType
from .elementary import abs, select
from .node import Node, Operand, as_node
from .op import apply, astype, cast, general
from .order import movedim
from .reduction import all_if_empty, count_of, sum, sum_op, with_dims
from .shape import Dims, normal_dims, reshape


def _norm_forward(x: Any, p: float, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
    if p == 2:
        return np.sqrt(sum_op(np.square(x), dims, keepdim))
    size = np.absolute(x)
    if p in (np.inf, -np.inf):
        return (np.max if p > 0 else np.min)(size, axis=dims, keepdims=keepdim)
    if p == 1:
        return sum_op(size, dims, keepdim)
    if p == 0:
        return sum_op(np.not_equal(x, 0).astype(x.dtype), dims, keepdim)
    return np.power(sum_op(np.power(size, p), dims, keepdim), 1 / p)


def _norm_rule(g: Any, out: Any, x: Any, p: float, dims: tuple[int, ...] | None, keepdim: bool) -> Any:
    """All rules give 0 where the norm is 0, as in PyTorch."""
    if p == 0:
        return np.zeros_like(x)
    g, norm = with_dims(g, x.shape, dims), with_dims(out, x.shape, dims)
    sign = np.sign(x)
    if p == 1:
        return select(np.multiply(g, sign), np.equal(x, x))
    if np.isinf(p):  # equal extremes share the gradient
        ties = np.equal(np.absolute(x), norm)
        share = np.divide(g, np.sum(astype(ties, x.dtype), axis=dims, keepdims=True))
        return select(np.multiply(share, sign), ties)
    ratio = select(np.divide(x, norm), np.broadcast_to(np.not_equal(norm, 0), x.shape))
    if p != 2:
        # of numbers of at most 1, so that no power overflows; those that are 0 stay out of it
        size = np.power(np.where(np.equal(x, 0), np.ones((), x.dtype), np.absolute(ratio)), p - 1)
        ratio = select(np.multiply(sign, size), np.broadcast_to(np.not_equal(norm, 0), x.shape))
    return np.multiply(g, ratio)


#: (sum of |x| ** p) ** (1 / p) over dimensions; p may be infinite
_norm_op: Final = general("norm", widened(_norm_forward), _norm_rule)


def p_norm(x: Node, p: float, dims: tuple[int, ...] | None, keepdim: bool = False) -> Node:
    """The p-norm of floating-point values, which nobody checks."""
    return apply(_norm_op, (x,), (float(p), dims, keepdim))


def norm(
    input: Operand,
    p: float | str | None = "fro",
    dim: Dims | None = None,
    keepdim: bool = False,
    dtype: DType | None = None,
) -> Node:
    """The p-norm of all elements, or over some dimensions: (sum of |x|^p)^(1/p).

    p: a number (inf: the largest size, -inf: the smallest, 0: how many are not 0), "fro" (as 2) or
    "nuc", the sum of the singular values of matrices. Where the norm is 0, so is its gradient.
    Raises RuntimeError for integers, another p, and where there are no elements to choose from.

    >>> norm(np.array([3.0, 4.0])).data
    array(5.)
    """
    x = as_node(input)
    if x._value.dtype.kind not in "fc":
        raise RuntimeError(f"norm: Expected a floating point or complex tensor as input. Got {x.dtype}")
    if dtype is not None:
        if dtype.kind not in "fc":
            raise RuntimeError(f"norm: dtype should be floating point or complex, but got {dtype}")
        if np.promote_types(x.dtype, dtype) != dtype:
            raise RuntimeError(f"norm: {x.dtype} should be convertible without narrowing to dtype {dtype}")
        x = cast(x, dtype)
    if x._value.dtype.kind == "c" and p != "nuc":
        x = abs(x)
    if p == "nuc":
        return _nuclear_norm(x, dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm: Order {p} not supported")
    order = 2.0 if p is None or p == "fro" else float(p)
    if p == "fro" and isinstance(dim, Sequence) and len(dim) > 2:
        raise RuntimeError(f"norm: dim must be one or two dimensions for the Frobenius norm, got {dim}")
    dims = all_if_empty("norm", x, dim, None)
    if (
        (order < 0 or order == np.inf)
        and not count_of(x.shape, dims)
        and (dims is None or _result_size(x, dims))
    ):
        raise RuntimeError(
            f"norm: cannot compute the {order} norm of no elements: it has no identity (shape {x.shape})"
        )
    return p_norm(x, order, dims, keepdim)


def _result_size(x: Node, dims: tuple[int, ...]) -> int:
    return count_of(x.shape, tuple([i for i in range(x.ndim) if i not in dims]))


def _nuclear_norm(x: Node, dim: Dims | None, keepdim: bool) -> Node:
    from .linalg.decompositions import svdvals  # loaded when first needed

    rows, columns = normal_dims("norm", (-2, -1) if dim is None else dim, x.ndim) or (0, 0)
    total = sum(svdvals(movedim(x, (rows, columns), (-2, -1))), -1)
    if not keepdim:
        return total
    return reshape(total, [1 if d in (rows, columns) else n for d, n in enumerate(x.shape)])

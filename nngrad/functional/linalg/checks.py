"""What all of linear algebra asks of its matrices, and says when they will not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ..batch import all_examples
from ..node import Node, Operand, as_node, seal
from ..op import general


class LinAlgError(RuntimeError):
    """A matrix is singular, not positive-definite, or an algorithm did not converge."""


def floating(op: str, input: Operand, low: bool = False) -> Node:
    """The input as a node, if it holds floating-point or complex numbers (float16 only if `low`)."""
    x = as_node(input)
    if x.dtype.kind not in "fc":
        raise RuntimeError(f"{op}: Expected a floating point or complex tensor as input. Got {x.dtype}")
    if x.dtype.itemsize < 4 and not low:
        raise RuntimeError(f"{op}: Low precision dtypes not supported. Got {x.dtype}")
    return x


def matrices(op: str, input: Operand) -> Node:
    """The input as a node, if it is a matrix or a batch of them, of floating-point numbers."""
    x = floating(op, input)
    if x.ndim < 2:
        raise RuntimeError(
            f"{op}: The input tensor A must have at least 2 dimensions, but it is of shape {x.shape}"
        )
    return x


def square(op: str, input: Operand) -> Node:
    """The input as a node, if its matrices have as many rows as columns."""
    x = matrices(op, input)
    _check_square(op, x)
    return x


def _check_square(op: str, x: Node) -> None:
    rows, columns = x.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"{op}: A must be batches of square matrices, but they are {rows} by {columns} matrices "
            f"(shape {x.shape})"
        )


def square_of_any_numbers(op: str, input: Operand) -> Node:
    """`square` for what is made of products alone, which integers have too."""
    x = as_node(input)
    if x.ndim < 2:
        raise RuntimeError(
            f"{op}: The input tensor A must have at least 2 dimensions, but it is of shape {x.shape}"
        )
    _check_square(op, x)
    return x


def same_dtype(op: str, *nodes: Node) -> None:
    """Raise unless all have one dtype."""
    if len({x.dtype for x in nodes}) > 1:
        told = " and ".join([str(x.dtype) for x in nodes])
        raise RuntimeError(f"{op}: Expected operands of the same dtype, got {told}")


def of_numpy(op: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numpy.linalg that says which op has failed, and on matrices of which shape."""

    def forward(*args: Any) -> Any:
        try:
            return function(*args)
        except np.linalg.LinAlgError as error:
            raise LinAlgError(f"{op}: {error} (shape {args[0].shape})") from error

    return forward


def _refuse(g: Any, _: Any, x: Any, value: Any, why: str) -> None:
    if np.any(all_examples(g._value if type(g) is Node else g)):
        raise RuntimeError(why)


#: a value that was computed from `x`, and whose derivative nobody has
undifferentiable: Final = general("undifferentiable", lambda x, value, why: value, _refuse, frees=False)


def divided(a: Any, b: Any) -> Any:
    """`a / b`, where 0 / 0 is 0: what no gradient arrives at needs no distinct eigenvalues."""
    both = np.logical_and(np.equal(a, 0), np.equal(b, 0))
    return np.divide(a, np.where(both, np.ones((), a.dtype), b))


def mH(x: Node) -> Node:
    """Matrices transposed, and complex ones conjugated."""
    return mT(seal(np.conjugate(x._value)) if x.dtype.kind == "c" else x)  # type: ignore[no-any-return]  # a node


def mT(x: Any) -> Any:
    """Matrices transposed, of arrays and nodes."""
    return np.swapaxes(x, -1, -2)

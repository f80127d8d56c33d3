"""Complex numbers and their parts, as far as NumPy gives them for free: there are no derivatives in them.

Of real numbers they say what PyTorch says, and gradients pass.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from .comparison import without_gradient
from .dtypes import DType
from .elementary import flat
from .node import Node, Operand, as_node, grad_mode, implements
from .op import pointwise
from .repeating import broadcast_shapes
from .shape import PUT, clone

_COMPLEX: Final[dict[DType, DType]] = {
    np.dtype(np.float32): np.dtype(np.complex64),
    np.dtype(np.float64): np.dtype(np.complex128),
}


def _is_complex(x: Node) -> bool:
    """Whether the node holds complex numbers."""
    return x.dtype.kind == "c"


def _outside(op: str, *nodes: Node) -> None:
    """Raise for what would have a derivative in complex numbers."""
    if grad_mode.get() and any(x.tracked for x in nodes):
        raise RuntimeError(
            f"{op}: a value that requires grad cannot become complex: there are no derivatives in complex "
            "values; detach it first"
        )


# ---------------------------------------------------------------- parts


@implements(np.real)
def real(input: Operand) -> Node:
    """The real parts; of real numbers, the input itself.

    >>> real(np.array([1 + 2j])).data
    array([1.])
    """
    x = as_node(input)
    return without_gradient("real", np.real, x) if _is_complex(x) else x


@implements(np.imag)
def imag(input: Operand) -> Node:
    """The imaginary parts. Raises RuntimeError for real numbers.

    >>> imag(np.array([1 + 2j])).data
    array([2.])
    """
    x = as_node(input)
    if not _is_complex(x):
        raise RuntimeError("imag: not implemented for tensors with non-complex dtypes")
    return without_gradient("imag", np.imag, x)


@implements(np.conjugate)
def conj(input: Operand) -> Node:
    """The numbers with their imaginary parts negated; real numbers themselves.

    >>> conj(np.array([1 + 2j])).data
    array([1.-2.j])
    """
    x = as_node(input)
    return without_gradient("conj", np.conjugate, x) if _is_complex(x) else x


def conj_physical(input: Operand) -> Node:
    """`conj`, always as a copy.

    >>> conj_physical(np.array([1 + 2j])).data
    array([1.-2.j])
    """
    x = as_node(input)
    return conj(x) if _is_complex(x) else clone(x)


def resolve_conj(input: Operand) -> Node:
    """The input itself: `conj` is never put off.

    >>> resolve_conj(np.array([1 + 2j])).data
    array([1.+2.j])
    """
    return as_node(input)


def resolve_neg(input: Operand) -> Node:
    """The input itself: no negation is ever put off.

    >>> resolve_neg(np.array([1.0])).data
    array([1.])
    """
    return as_node(input)


def view_as_real(input: Operand) -> Node:
    """Complex numbers as pairs, of the real and the imaginary part, in a last dimension of size 2.

    Raises RuntimeError for real numbers.

    >>> view_as_real(np.array([1 + 2j])).data
    array([[1., 2.]])
    """
    x = as_node(input)
    if not _is_complex(x):
        raise RuntimeError(f"view_as_real: only supported for complex tensors, got {x.dtype}")
    return without_gradient("view_as_real", lambda x: np.stack([np.real(x), np.imag(x)], -1), x)


def view_as_complex(input: Operand) -> Node:
    """Pairs in the last dimension, of size 2, as complex numbers.

    Raises RuntimeError for other shapes and dtypes, and for what requires grad.

    >>> view_as_complex(np.array([[1.0, 2.0]])).data
    array([1.+2.j])
    """
    x = as_node(input)
    if x.dtype not in _COMPLEX:
        raise RuntimeError(f"view_as_complex: only supported for float32 and float64, got {x.dtype}")
    if not x.ndim or x.shape[-1] != 2:
        raise RuntimeError(f"view_as_complex: Tensor must have a last dimension of size 2, got {x.shape}")
    _outside("view_as_complex", x)
    return without_gradient("view_as_complex", lambda x: _joined(x[..., 0], x[..., 1]), x)


def _joined(re: Any, im: Any) -> Any:
    both = np.empty(np.broadcast_shapes(re.shape, im.shape), _COMPLEX[re.dtype])
    np.copyto(both.real, re)
    np.copyto(both.imag, im)
    return both


# ---------------------------------------------------------------- angles


def _angle_forward(x: Any) -> Any:
    if x.dtype.kind == "c":
        return np.angle(x)
    turned = np.where(np.less(x, 0), np.asarray(math.pi, x.dtype), np.zeros((), x.dtype))
    return np.where(np.isnan(x), x, turned)


_angle: Final = pointwise("angle", _angle_forward, flat, floats=True)


@implements(np.angle)
def angle(input: Operand) -> Node:
    """The angles of complex numbers in radians; of real ones, 0, or pi where they are negative.

    >>> angle(np.array([1j, -1j])).data
    array([ 1.57079633, -1.57079633])
    """
    return _angle.call(input)


# ---------------------------------------------------------------- making them


def _two(op: str, a: Operand, b: Operand) -> tuple[Node, Node]:
    first, second = as_node(a), as_node(b)
    if first.dtype not in _COMPLEX:
        raise RuntimeError(f"{op}: Expected both inputs to be float32 or float64 tensors, got {first.dtype}")
    if first.dtype != second.dtype:
        raise RuntimeError(
            f"{op}: Expected object of scalar type {first.dtype} but got {second.dtype} for second argument"
        )
    broadcast_shapes(first.shape, second.shape, op=op)
    _outside(op, first, second)
    return first, second


def complex(real: Operand, imag: Operand) -> Node:
    """Complex numbers of their two parts, which broadcast.

    Raises RuntimeError for other dtypes than float32 or float64 for both, and for what requires grad.

    >>> complex(np.array([1.0]), np.array([2.0])).data
    array([1.+2.j])
    """
    re, im = _two("complex", real, imag)
    return without_gradient("complex", _joined, re, im)


def polar(abs: Operand, angle: Operand) -> Node:
    """Complex numbers of their sizes and angles, in radians, which broadcast; errors as of `complex`.

    >>> polar(np.array([2.0]), np.array([0.0])).data
    array([2.+0.j])
    """
    size, at = _two("polar", abs, angle)
    return without_gradient("polar", lambda r, t: _joined(r * np.cos(t), r * np.sin(t)), size, at)


# ---------------------------------------------------------------- as views


def _put_real(base: Node, new: Node) -> Node:
    return complex(new, imag(base))


def _put_imag(base: Node, new: Node) -> Node:
    return complex(real(base), new)


PUT[real] = _put_real
PUT[imag] = _put_imag
PUT[conj] = lambda base, new: conj(new)
PUT[view_as_real] = lambda base, new: view_as_complex(new)
PUT[view_as_complex] = lambda base, new: view_as_real(new)

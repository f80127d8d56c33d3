"""Complex numbers and their parts, as functions and as methods.

What they are made of, `nngrad.functional.complex_numbers`, loads when one of them has to do something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .lifting import view_of, wrap

if TYPE_CHECKING:
    from .lifting import Tensor, TensorLike

__all__ = [
    "angle",
    "complex",
    "conj",
    "conj_physical",
    "imag",
    "is_conj",
    "is_neg",
    "polar",
    "real",
    "resolve_conj",
    "resolve_neg",
    "view_as_complex",
    "view_as_real",
]


def angle(input: TensorLike) -> Tensor:
    """The angles of complex numbers; 0, or pi, of real ones; see `nngrad.functional.angle`."""
    return wrap(F.angle(input))


def complex(real: TensorLike, imag: TensorLike) -> Tensor:
    """Complex numbers of their two parts; see `nngrad.functional.complex`."""
    return wrap(F.complex(real, imag))


def conj(input: Tensor) -> Tensor:
    """The numbers with their imaginary parts negated, as a view; real numbers themselves."""
    return view_of(input, F.conj(input.node), (F.conj, ())) if input.dtype.is_complex else input


def conj_physical(input: TensorLike) -> Tensor:
    """The numbers with their imaginary parts negated, as a copy."""
    return wrap(F.conj_physical(input))


def imag(input: Tensor) -> Tensor:
    """The imaginary parts, as a view. Raises RuntimeError for real numbers."""
    return view_of(input, F.imag(input.node), (F.imag, ()))


def is_conj(input: Tensor) -> bool:
    """False: conjugates are worked out at once."""
    return False


def is_neg(input: Tensor) -> bool:
    """False: negatives are worked out at once."""
    return False


def polar(abs: TensorLike, angle: TensorLike) -> Tensor:
    """Complex numbers of their sizes and angles; see `nngrad.functional.polar`."""
    return wrap(F.polar(abs, angle))


def real(input: Tensor) -> Tensor:
    """The real parts, as a view; of real numbers, the tensor itself."""
    return view_of(input, F.real(input.node), (F.real, ())) if input.dtype.is_complex else input


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugates are worked out at once."""
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negatives are worked out at once."""
    return input


def view_as_complex(input: Tensor) -> Tensor:
    """Pairs in the last dimension as complex numbers, as a view; see `nngrad.functional.view_as_complex`."""
    return view_of(input, F.view_as_complex(input.node), (F.view_as_complex, ()))


def view_as_real(input: Tensor) -> Tensor:
    """Complex numbers as pairs in a last dimension, as a view; see `nngrad.functional.view_as_real`."""
    return view_of(input, F.view_as_real(input.node), (F.view_as_real, ()))

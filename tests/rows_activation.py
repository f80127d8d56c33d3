"""Activations; see table.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from rows import INF, NAN, Arg, Array, Call, Row, Shape, real, told, unary

import nngrad.functional as F

#: infinities are left out where PyTorch's formula gives NaN, and ours the limit: see the tests of nn
LARGE = np.array([0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 1e-30, -1e-30, 50.0, -50.0, 1e3, -1e3, 1e30, -1e30])
ALL = np.array([*LARGE, INF, -INF, 0.5, -0.5, 6.0, 20.0])
#: what PyTorch's derivative makes of NaN hangs on where it stands in the array, for some functions
UNSTEADY = ("elu", "celu", "selu", "hardswish", "hardshrink", "softshrink", "hardtanh", "relu6")


def _sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def _erf(x: Array) -> Any:
    return F.erf(x).data


def _elu(x: Array, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _softplus(x: Array) -> Any:
    return np.log1p(np.exp(x))


def _gelu_tanh(x: Array) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _glu(x: Array, dim: int = -1) -> Any:
    a, b = np.split(x, 2, dim)
    return a * _sigmoid(b)


def _softmin(x: Array, dim: int) -> Any:
    e = np.exp(-x)
    return e / e.sum(dim, keepdims=True)


#: name, formula, special points
PLAIN: tuple[tuple[str, Call, Array], ...] = (
    ("gelu", lambda x: 0.5 * x * (1 + _erf(x / np.sqrt(2))), LARGE),
    ("silu", lambda x: x * _sigmoid(x), LARGE),
    ("mish", lambda x: x * np.tanh(_softplus(x)), LARGE),
    ("elu", _elu, ALL),
    ("celu", _elu, ALL),
    ("selu", lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772), ALL),
    ("leaky_relu", lambda x: np.where(x > 0, x, 0.01 * x), ALL),
    ("relu6", lambda x: np.clip(x, 0, 6), ALL),
    ("hardtanh", lambda x: np.clip(x, -1, 1), ALL),
    ("hardsigmoid", lambda x: np.clip(x + 3, 0, 6) / 6, ALL),
    ("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, np.array([*LARGE, INF])),
    ("hardshrink", lambda x: np.where(np.abs(x) > 0.5, x, 0), ALL),
    ("softshrink", lambda x: np.where(np.abs(x) > 0.5, x - 0.5 * np.sign(x), 0), ALL),
    ("softplus", _softplus, ALL),
    ("logsigmoid", lambda x: -_softplus(-x), ALL),
    ("softsign", lambda x: x / (1 + np.abs(x)), LARGE),
    ("tanhshrink", lambda x: x - np.tanh(x), ALL),
)


def plain() -> Iterator[Row]:
    for name, formula, points in PLAIN:
        for row in unary(name, formula):
            if name not in UNSTEADY:
                points = np.append(points, NAN)
            if name == "hardsigmoid":  # PyTorch multiplies by a float32 of 1/6, in float64 too
                yield replace(row, case=f"{row.case}-value", grad=False, special=())
                yield replace(row, torch=False, special=())
            else:
                yield replace(row, special=((points,),) if row.special else ())


def with_numbers() -> Iterator[Row]:
    def of(name: str, case: str, numpy: Call, *numbers: Any, special: Array = ALL) -> Row:
        return Row(
            name,
            case,
            lambda f, x: getattr(f, name)(x, *numbers),
            real((3, 4)),
            numpy,
            special=((special,),),
        )

    yield Row(
        "gelu",
        "tanh",
        lambda f, x: f.gelu(x, approximate="tanh"),
        real((3, 4)),
        _gelu_tanh,
        special=((LARGE[:12],),),
    )
    yield of("elu", "alpha", lambda x: _elu(x, 0.7), 0.7)
    yield of("elu", "negative-alpha", lambda x: _elu(x, -0.7), -0.7)
    yield of("celu", "alpha", lambda x: np.where(x > 0, x, 0.5 * np.expm1(x / 0.5)), 0.5, special=LARGE[:6])
    yield of(
        "celu", "negative-alpha", lambda x: np.where(x > 0, x, -2 * np.expm1(x / -2)), -2, special=LARGE[:6]
    )
    yield of("leaky_relu", "slope", lambda x: np.where(x > 0, x, 1.5 * x), 1.5)
    yield of("leaky_relu", "negative-slope", lambda x: np.where(x > 0, x, -0.5 * x), -0.5)
    yield of("hardtanh", "bounds", lambda x: np.clip(x, -0.5, 0.7), -0.5, 0.7)
    yield of("hardshrink", "lambd", lambda x: np.where(np.abs(x) > 0.9, x, 0), 0.9)
    yield of("hardshrink", "zero", lambda x: x, 0.0)
    yield of("softshrink", "lambd", lambda x: np.where(np.abs(x) > 0.9, x - 0.9 * np.sign(x), 0), 0.9)
    yield of("softshrink", "zero", lambda x: x, 0.0)
    yield of("threshold", "of-half", lambda x: np.where(x > 0.5, x, 7.0), 0.5, 7.0)
    yield of("threshold", "whole", lambda x: np.where(x > -1, x, 2), -1, 2)
    yield of("softplus", "beta", lambda x: np.log1p(np.exp(2.5 * x)) / 2.5, 2.5)
    yield of("softplus", "threshold", lambda x: np.where(x > 1, x, _softplus(x)), 1, 1)
    for name in ("glu", "softmin"):
        numpy = _glu if name == "glu" else _softmin
        for shape, dim in (((4,), 0), ((2, 4), -1), ((4, 3), 0), ((2, 2, 3), 1), ((0, 2), 1)):
            if name == "glu" or shape[0]:
                yield Row(
                    name,
                    f"{told(shape)}-dim-{dim}",
                    lambda f, x, name=name, dim=dim: getattr(f, name)(x, dim),
                    real(shape),
                    lambda x, numpy=numpy, dim=dim: numpy(x, dim),
                    dtypes="efd" if name == "softmin" else "efdl?",
                )
    yield Row("glu", "default-dim", lambda f, x: f.glu(x), real((3, 4)), _glu)


def with_weights() -> Iterator[Row]:
    cases: tuple[tuple[Shape, Shape], ...] = (
        ((2, 3), ()),
        ((2, 3), (1,)),
        ((2, 3), (3,)),
        ((2, 3, 2), (3,)),
        ((2, 3, 2, 1), (3,)),
        ((4,), (1,)),
        ((), ()),
        ((), (1,)),
        ((0, 3), (3,)),
    )
    for shape, weight in cases:
        yield Row(
            "prelu",
            f"{told(shape)}-{told(weight)}",
            lambda f, x, w: f.prelu(x, w),
            real(shape, weight),
            _prelu,
            special=((ALL, np.array([0.25])),) if weight == (1,) and shape == (4,) else (),
        )
    yield Row(
        "rrelu", "mean", lambda f, x: f.rrelu(x), real((2, 3)), lambda x: np.where(x > 0, x, x * 11 / 48)
    )
    yield Row(
        "rrelu",
        "bounds",
        lambda f, x: f.rrelu(x, 0.2, 0.6),
        real((2, 3)),
        lambda x: np.where(x > 0, x, x * (0.2 + 0.6) / 2),
        special=((ALL,),),
    )
    yield Row(
        "rrelu",
        "slopes",
        lambda f, x, s: f.rrelu(x, training=True, slopes=s),
        (Arg((2, 3)), Arg((2, 3), "constant")),
        lambda x, s: np.where(x > 0, x, x * s),
        torch=False,
    )
    yield Row(
        "rrelu",
        "drawn",
        lambda f, x: f.rrelu(x, 0.2, 0.6, True, generator=np.random.default_rng(3)),
        real((2, 3)),
        lambda x: np.where(x > 0, x, x * np.random.default_rng(3).uniform(0.2, 0.6, x.shape)),
        torch=False,
    )


def _prelu(x: Array, w: Array) -> Any:
    if w.size > 1:
        w = w.reshape(-1, *[1] * (x.ndim - 2))
    return np.where(x > 0, x, x * (w.reshape(()) if w.size == 1 else w))


def blocks() -> Iterator[Row]:
    """Inputs of several blocks: the values alone, as derivatives by differences would take too long."""
    for name, formula, _ in PLAIN:
        yield Row(
            name,
            "blocks",
            lambda f, x, name=name: getattr(f, name)(x),
            real((3, 30000)),
            formula,
            dtypes="f",
            grad=False,
        )


ROWS: tuple[Row, ...] = (*plain(), *with_numbers(), *with_weights(), *blocks())

A, V = np.ones((2, 3)), np.ones(3)
WHOLE, MASK = np.arange(3), np.array([True, False, True])
BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "gelu-approximate": (
        lambda f, t: f.gelu(t(V), approximate="erf"),
        RuntimeError,
        "approximate.*tanh",
    ),
    "gelu-integers": (lambda f, t: f.gelu(t(WHOLE)), RuntimeError, "gelu: .*int64"),
    "celu-zero": (lambda f, t: f.celu(t(V), 0.0), RuntimeError, "celu: .*alpha"),
    "glu-odd": (lambda f, t: f.glu(t(A)), RuntimeError, r"glu: Halving dimension must be even.*\(2, 3\)"),
    "glu-0d": (lambda f, t: f.glu(t(np.ones(()))), RuntimeError, "glu: .*0-dim"),
    "glu-dim": (lambda f, t: f.glu(t(A), 2), IndexError, "glu: Dimension out of range"),
    "softshrink-negative": (lambda f, t: f.softshrink(t(V), -1.0), RuntimeError, "softshrink: lambda"),
    "hardtanh-bounds": (
        lambda f, t: f.hardtanh(t(V), 1.0, -1.0),
        ValueError,
        "hardtanh: min_val",
    ),
    "hardtanh-bools": (lambda f, t: f.hardtanh(t(MASK)), RuntimeError, "hardtanh: .*bool"),
    "threshold-bools": (lambda f, t: f.threshold(t(MASK), 0.0, 0.0), RuntimeError, "threshold: .*bool"),
    "softsign-bools": (lambda f, t: f.softsign(t(MASK)), RuntimeError, "softsign: .*bool"),
    "prelu-channels": (
        lambda f, t: f.prelu(t(A), t(np.ones(2))),
        RuntimeError,
        r"prelu: Mismatch .*\(2,\).*\(2, 3\)",
    ),
    "prelu-weight": (lambda f, t: f.prelu(t(A), t(A)), RuntimeError, r"prelu: .*1D.*\(2, 3\)"),
    "prelu-dtypes": (
        lambda f, t: f.prelu(t(A), t(np.ones(1, np.float32))),
        RuntimeError,
        "prelu: .*float64 and float32",
    ),
    "rrelu-bounds": (lambda f, t: f.rrelu(t(V), 0.5, 0.2), RuntimeError, "rrelu: Lower bound .*0.5, 0.2"),
    "softmin-dim": (lambda f, t: f.softmin(t(A), 2), IndexError, "softmax: Dimension out of range"),
}

"""Rows of the pointwise functions and of the questions about elements."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
from rows import INF, NAN, POINTS, Arg, Array, Row, binary, real, unary

#: numbers beyond which, at which and within which the inverse functions are defined
UNIT_POINTS = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.9999, 1e-30, 2.0, -2.0, INF, -INF, NAN])
HALVES = np.array([0.5, -0.5, 1.5, -1.5, 2.5, 0.0, -0.0, 0.49, 1e30, INF, -INF, NAN])


def _erf(x: Array) -> Any:
    return np.vectorize(math.erf, [float])(x) if x.size else x


def _erfc(x: Array) -> Any:
    return np.vectorize(math.erfc, [float])(x) if x.size else x


def _lgamma(x: Array) -> Any:
    return np.vectorize(math.lgamma, [float])(x) if x.size else x


def _special(name: str, x: Array) -> Any:
    return getattr(import_module("scipy.special"), name)(x)


def _also_at(row: Row, *points: Array) -> Row:
    return replace(row, special=tuple([(p,) for p in points])) if row.special else row


def functions() -> Iterator[Row]:
    yield from unary("sin", np.sin)
    yield from unary("cos", np.cos)
    for row in unary("tan", np.tan):
        yield replace(row, seed=1)  # away from pi / 2
    yield from unary("sinh", np.sinh)
    yield from unary("cosh", np.cosh)
    yield from unary("atan", np.arctan)
    yield from unary("asinh", np.arcsinh)
    for name, numpy in (("asin", np.arcsin), ("acos", np.arccos), ("atanh", np.arctanh)):
        for row in unary(name, numpy, "unit"):
            yield _also_at(row, POINTS, UNIT_POINTS)
    for row in unary("acosh", lambda x: np.arccosh(x + 1), "positive"):
        yield replace(row, call=lambda f, x: f.acosh(f.add(x, 1)))
    yield from unary("deg2rad", np.deg2rad)
    yield from unary("rad2deg", np.rad2deg)
    for row in unary("exp2", np.exp2):
        yield _also_at(row, POINTS[POINTS != -1e3], np.array([-1e3]) / 10)
    yield from unary("expm1", np.expm1)
    yield from unary("log2", np.log2, "positive")
    yield from unary("log10", np.log10, "positive")
    yield from unary("log1p", np.log1p, "positive")
    yield from unary("rsqrt", lambda x: 1 / np.sqrt(x), "positive")
    yield from unary("reciprocal", lambda x: 1 / x, "positive")
    yield from unary("square", np.square)
    for eps in (None, 0.2):
        yield Row(
            "logit",
            f"eps-{eps}",
            lambda f, x, eps=eps: f.logit(x, eps),
            (Arg((2, 3), "fraction"),),
            lambda x, eps=eps: _logit(x, eps),
            # at -0.0 PyTorch's slope is inf or -inf, by how many numbers the processor takes at a time
            special=tuple([(p[(p != 0) | ~np.signbit(p)],) for p in (POINTS, UNIT_POINTS)]),
            seed=3,
        )
    yield from unary("erf", _erf)
    yield from unary("erfc", _erfc)
    for row in unary("erfinv", lambda x: _special("erfinv", x), "unit"):
        yield _also_at(row, POINTS, UNIT_POINTS)
    yield from unary("lgamma", _lgamma, "positive")
    for row in unary("digamma", lambda x: _special("psi", x), "positive"):
        # the derivative, which PyTorch has to 5e-10 only, numerically; the value against PyTorch
        yield replace(row, torch=False, special=())
        yield _also_at(
            replace(row, case=f"value-{row.case}", args=(Arg(row.args[0].shape, "constant"),)), POINTS
        )
    yield from binary("atan2", np.arctan2)
    yield from binary("hypot", np.hypot)
    yield from binary("logaddexp", np.logaddexp)
    yield from binary("xlogy", lambda x, y: x * np.log(y), "real", "positive")
    yield Row(
        "xlogy", "number", lambda f, x: f.xlogy(2, x), (Arg((3,), "positive"),), lambda x: 2 * np.log(x)
    )


def _logit(x: Array, eps: float | None) -> Any:
    with np.errstate(all="ignore"):
        x = x if eps is None else np.clip(x, eps, 1 - eps)
        return np.log(x / (1 - x))


def rounded() -> Iterator[Row]:
    for name, numpy in (("ceil", np.ceil), ("floor", np.floor), ("trunc", np.trunc), ("round", np.round)):
        for row in unary(name, numpy):
            yield _also_at(row, POINTS, HALVES)
    for decimals, scale in ((1, 1.0), (3, 97.3), (-1, 97.3), (0, 97.3)):
        yield Row(
            "round",
            f"decimals-{decimals}",
            lambda f, x, n=decimals, by=scale: f.round(f.mul(x, by), decimals=n),
            (Arg((2, 3), "real" if decimals == 1 else "constant"),),
            lambda x, n=decimals, by=scale: np.round(x * by, n),
            special=((np.array([0.0025, -0.05, 0.15, 2.5, 1e20, INF, -INF, NAN]),),),
            dtypes="fdl?" if decimals else "fd",
        )
    for row in unary("frac", lambda x: x - np.trunc(x)):
        yield _also_at(row, POINTS, HALVES)
    for row in binary("fmod", np.fmod, "real", "positive"):
        yield replace(row, seed=6)  # away from the jumps
    yield Row("fmod", "number", lambda f, x: f.fmod(x, 1.5), real((2, 3)), lambda x: np.fmod(x, 1.5))


def blended() -> Iterator[Row]:
    three = real((2, 3), (3,), (2, 1))
    for value in (1, 2):
        yield Row(
            "addcmul",
            f"value-{value}",
            lambda f, x, a, b, v=value: f.addcmul(x, a, b, value=v),
            three,
            lambda x, a, b, v=value: x + v * a * b,
            dtypes="efdl",
        )
        yield Row(
            "addcdiv",
            f"value-{value}",
            lambda f, x, a, b, v=value: f.addcdiv(x, a, b, value=v),
            (Arg((2, 3)), Arg((3,)), Arg((2, 1), "positive")),
            lambda x, a, b, v=value: x + v * a / b,
        )
    yield Row(
        "addcmul",
        "fraction",
        lambda f, x, a, b: f.addcmul(x, a, b, value=-0.5),
        three,
        lambda x, a, b: x - 0.5 * a * b,
        dtypes="efd",
    )
    for weight in (0.25, 0.75, 0, 1, -1.5):
        yield Row(
            "lerp",
            f"number-{weight}",
            lambda f, x, y, w=weight: f.lerp(x, y, w),
            real((2, 3), (3,)),
            lambda x, y, w=weight: x + w * (y - x),
            special=((np.array([1e30, INF, 1.0, NAN, 0.1]), np.array([-1e30, 1.0, INF, 1.0, 0.3])),),
        )
    for shape in ((2, 1), ()):
        yield Row(
            "lerp",
            f"weight-{len(shape)}d",
            lambda f, x, y, w: f.lerp(x, y, w),
            real((2, 3), (3,), shape),
            lambda x, y, w: x + w * (y - x),
        )
    yield from binary("copysign", np.copysign)
    yield Row("copysign", "number", lambda f, x: f.copysign(x, -2), real((2, 3)), lambda x: -np.abs(x))
    yield from binary("fmax", np.fmax)
    yield from binary("fmin", np.fmin)
    for name, numpy in (("clamp_max", np.minimum), ("clamp_min", np.maximum)):
        yield Row(
            name,
            "number",
            lambda f, x, name=name: getattr(f, name)(x, 0.72),
            real((2, 3)),
            lambda x, numpy=numpy: numpy(x, 0.72),
            special=((np.array([0.72, 0.0, INF, -INF, NAN]),),),
        )
        yield Row(
            name,
            "operand",
            lambda f, x, bound, name=name: getattr(f, name)(x, bound),
            real((2, 3), (3,)),
            numpy,
            special=((np.array([1.0, NAN, 0.0, 2.0]), np.array([1.0, 0.0, NAN, 1.0])),),
            dtypes="efdl",
        )
    yield from unary("nan_to_num", np.copy)
    yield Row(
        "nan_to_num",
        "numbers",
        lambda f, x: f.nan_to_num(x, 1.0, 2.0, -3.0),
        real((2, 3)),
        np.copy,
        special=((POINTS,),),
    )


def questions() -> Iterator[Row]:
    yield from unary("isfinite", np.isfinite, grad=False)
    yield from unary("isinf", np.isinf, grad=False)
    yield from binary("logical_xor", np.logical_xor, grad=False)
    for row in binary("isclose", np.isclose, grad=False):
        yield replace(row, mixed=False)
    close = np.array([1.0, 1.0, 1.0, INF, INF, NAN, 1e30, 0.0])
    other = np.array([1.0 + 1e-5, 1.0 + 2e-5, NAN, INF, -INF, NAN, -1e30, 1e-9])
    options: dict[str, dict[str, Any]] = {
        "default": {},
        "nan": {"equal_nan": True},
        "exact": {"rtol": 0.0, "atol": 0.0},
    }
    for case, given in options.items():
        yield Row(
            "isclose",
            f"tolerance-{case}",
            lambda f, x, y, given=given: f.isclose(x, y, **given),
            real((3,), (3,)),
            lambda x, y, given=given: np.isclose(x, y, **given),
            special=((close, other),),
            grad=False,
        )
    for invert in (False, True):
        yield Row(
            "isin",
            f"invert-{invert}",
            lambda f, x, y, invert=invert: f.isin(x, y, invert=invert),
            (Arg((2, 3), "int"), Arg((2,), "int")),
            lambda x, y, invert=invert: np.isin(x, y, invert=invert),
            special=((np.array([1.0, NAN, INF, 0.0]), np.array([NAN, INF, -0.0])),),
            grad=False,
        )
    yield Row(
        "isin",
        "number",
        lambda f, x: f.isin(x, 1),
        (Arg((2, 3), "int"),),
        lambda x: np.isin(x, 1),
        grad=False,
    )
    yield Row(
        "isin",
        "of-number",
        lambda f, x: f.isin(1, x),
        (Arg((3,), "int"),),
        lambda x: np.isin(1, x),
        grad=False,
    )


ROWS: tuple[Row, ...] = (*functions(), *rounded(), *blended(), *questions())

"""Rows of complex numbers and their parts; see table.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rows import INF, NAN, Arg, Row, Shape, told, unary

SHAPES: tuple[tuple[Shape, Shape], ...] = (((2, 3), (2, 3)), ((2, 1), (3,)), ((), ()), ((0, 3), (1, 3)))


def _imag_of_conj(f: Any, x: Any) -> Any:
    return f.resolve_neg(f.imag(f.resolve_conj(f.conj(x))))


def parts() -> Iterator[Row]:
    yield from unary("angle", np.angle)
    for name in ("real", "conj", "conj_physical", "resolve_conj", "resolve_neg"):
        yield from unary(name, lambda x: x)

    def of(name: str, a: Shape, b: Shape, call: Any, numpy: Any) -> Row:
        special = (
            (np.array([0.0, INF, NAN, 1.0, -INF, -0.0]), np.array([INF, 1.0, 2.0, NAN, -INF, -0.0])),
            (np.array([1.0, -1.0, 0.0, 0.0, -1.0, 2.0]), np.array([0.0, -0.0, 1.0, -1.0, 0.0, 3.0])),
        )
        args = (Arg(a, "constant"), Arg(b, "constant"))
        dtypes, at = "fd", special if a == b == (2, 3) and name != "polar" else ()
        return Row(name, f"{told(a)}-{told(b)}", call, args, numpy, dtypes=dtypes, grad=False, special=at)

    for a, b in SHAPES:
        yield of("imag", a, b, lambda f, x, y: f.imag(f.complex(x, y)), lambda x, y: y + 0 * x)
        yield of("real", a, b, lambda f, x, y: f.real(f.complex(x, y)), lambda x, y: x + 0 * y)
        yield of("conj", a, b, lambda f, x, y: _imag_of_conj(f, f.complex(x, y)), lambda x, y: -y + 0 * x)
        yield of(
            "conj_physical",
            a,
            b,
            lambda f, x, y: f.imag(f.conj_physical(f.complex(x, y))),
            lambda x, y: -y + 0 * x,
        )
        yield of("angle", a, b, lambda f, x, y: f.angle(f.complex(x, y)), lambda x, y: np.angle(x + 1j * y))
        for name in ("complex", "polar"):
            yield of(
                name,
                a,
                b,
                lambda f, x, y, name=name: f.view_as_real(getattr(f, name)(x, y)),
                lambda x, y, name=name: np.stack(
                    np.broadcast_arrays(x, y) if name == "complex" else [x * np.cos(y), x * np.sin(y)], -1
                ),
            )
    for shape in ((2, 3, 2), (2,)):
        yield Row(
            "view_as_complex",
            told(shape),
            lambda f, x: f.view_as_real(f.conj_physical(f.view_as_complex(x))),
            (Arg(shape, "constant"),),
            lambda x: x * np.array([1, -1]),
            dtypes="fd",
            grad=False,
        )
    yield Row(
        "view_as_real",
        "pairs",
        lambda f, x: f.view_as_real(f.view_as_complex(x)),
        (Arg((3, 2), "constant"),),
        lambda x: x,
        dtypes="fd",
        grad=False,
    )


ROWS = tuple(parts())

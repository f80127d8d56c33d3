"""What a row of the table of ops is made of; see table.py."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Call: TypeAlias = Callable[..., Any]
Shape: TypeAlias = tuple[int, ...]
Domain: TypeAlias = Literal["real", "positive", "unit", "fraction", "constant", "bool", "int"]


@dataclass(frozen=True)
class Arg:
    """An operand: "real", "positive", "unit" (between -1 and 1) and "fraction" (between
    0 and 1) are differentiated; "constant" is positive; "int" is 0, 1 or 2."""

    shape: Shape
    domain: Domain = "real"

    @property
    def tracked(self) -> bool:
        return self.domain in ("real", "positive", "unit", "fraction")


@dataclass(frozen=True)
class Row:
    """One function with one set of operands.

    call(f, *operands) runs it; numpy(*arrays) says what it must give (one array or a tuple).
    special: operands at points where formulas break, compared with PyTorch's value and gradient.
    torch: False where PyTorch refuses what we take. dtypes: the dtypes run against PyTorch.
    mixed: two operands that broadcast and promote. grad: False for functions without derivative.
    """

    name: str
    case: str
    call: Call
    args: tuple[Arg, ...]
    numpy: Call
    special: tuple[tuple[Array, ...], ...] = ()
    torch: bool = True
    dtypes: str = "efdl?"
    mixed: bool = False
    grad: bool = True
    seed: int = 0

    @property
    def id(self) -> str:
        return f"{self.name}-{self.case}"

    def arrays(self) -> list[Array]:
        """Read-only float64 (or bool, int64) operands, no two values within 0.01 of each other or 0."""
        rng = np.random.default_rng([self.seed, *self.id.encode()])
        total = sum(math.prod(arg.shape) for arg in self.args)
        grid = np.linspace(-1.93, 2.11, total + 1)[:total]
        grid = np.where(np.abs(grid) < 0.01, grid + 0.02, grid)
        pool = iter(rng.permutation(grid))
        made: list[Array] = []
        for arg in self.args:
            size = math.prod(arg.shape)
            if arg.domain == "bool":
                array: Array = rng.permutation(np.arange(size) % 2 == 0).reshape(arg.shape)
            elif arg.domain == "int":
                array = rng.integers(0, 3, arg.shape)
            else:
                array = np.array([next(pool) for _ in range(size)]).reshape(arg.shape)
                if arg.domain in ("positive", "constant"):
                    array = np.asarray(np.exp(array))
                if arg.domain == "unit":
                    array = np.asarray(array * 0.45)
                if arg.domain == "fraction":
                    array = np.asarray(array * 0.2 + 0.5)
            array.flags.writeable = False
            made.append(array)
        return made


def told(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "0d"


INF, NAN = math.inf, math.nan
POINTS = np.array([0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 1e3, -1e3, 1e30, -1e30, INF, -INF, NAN])
FEW = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e30, INF, -INF, NAN]
PAIRS = (np.array([a for a, _ in product(FEW, FEW)]), np.array([b for _, b in product(FEW, FEW)]))
ROWS_OF_POINTS = np.array(
    [[1.0, 1.0, 0.0], [INF, 1.0, 0.0], [-INF, 1.0, 0.0], [NAN, 1.0, 0.0], [INF, INF, 0.0], [1e30, -1e30, 1.0]]
)

UNARY_SHAPES: tuple[Shape, ...] = ((2, 3), (), (0,), (2, 0, 3))
BINARY_SHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((), (2, 3)),
    ((2, 1), (1, 3)),
    ((2, 1, 2), (2, 1)),
    ((0, 3), (1, 3)),
    ((), ()),
)


def unary(name: str, numpy: Call, domain: Domain = "real", grad: bool = True) -> Iterator[Row]:
    for shape in UNARY_SHAPES:
        yield Row(
            name,
            told(shape),
            lambda f, x: getattr(f, name)(x),
            (Arg(shape, domain),),
            numpy,
            special=((POINTS,),) if shape == (2, 3) else (),
            grad=grad,
        )


def binary(
    name: str, numpy: Call, first: Domain = "real", second: Domain = "real", grad: bool = True
) -> Iterator[Row]:
    for a, b in BINARY_SHAPES:
        same = a == b == (2, 3)
        yield Row(
            name,
            f"{told(a)}-{told(b)}",
            lambda f, x, y: getattr(f, name)(x, y),
            (Arg(a, first), Arg(b, second)),
            numpy,
            special=(PAIRS,) if same else (),
            mixed=same,
            grad=grad,
        )


def real(*shapes: Shape) -> tuple[Arg, ...]:
    return tuple([Arg(shape) for shape in shapes])

"""How a row of the table is run: values, gradients of any order, and numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from table import Array, Row

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import backward


def as_tuple(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def run(row: Row, operands: Sequence[Any]) -> tuple[Node, ...]:
    return as_tuple(row.call(F, *operands))


def leaves(row: Row, arrays: Sequence[Array]) -> list[Node]:
    return [F.variable(a) if arg.tracked else F.constant(a) for arg, a in zip(row.args, arrays)]


def tracked(row: Row, things: Sequence[Any]) -> list[Any]:
    return [thing for arg, thing in zip(row.args, things) if arg.tracked]


def frozen(array: Any) -> Array:
    result = np.array(array)
    result.flags.writeable = False
    return result


def cotangents_for(outs: Sequence[Node], seed: int = 1) -> list[Array]:
    """A random read-only cotangent for each floating output."""
    rng = np.random.default_rng(seed)
    return [frozen(rng.normal(size=out.shape).astype(out.dtype)) for out in outs if out.dtype.kind == "f"]


def floating(outs: Sequence[Node]) -> list[Node]:
    return [out for out in outs if out.dtype.kind == "f"]


def gradients(row: Row, arrays: Sequence[Array], cotangents: Sequence[Array]) -> list[Array]:
    """The first-order gradient in each tracked operand, by the array path."""
    nodes = leaves(row, arrays)
    got = backward(floating(run(row, nodes)), cotangents)
    return [np.asarray(got.get(n, np.zeros(n.shape, n.dtype))) for n in tracked(row, nodes)]


def numerical(f: Callable[[list[Array]], float], arrays: Sequence[Array], at: int) -> Array:
    """df/darrays[at] by central differences of the fourth order."""
    h = 2e-4  # its fourth power and the rounding error over it are both below 1e-11
    slope = np.zeros(arrays[at].shape, arrays[at].dtype)
    for i in np.ndindex(slope.shape):

        def value(step: float, i: tuple[int, ...] = i) -> float:
            moved = np.array(arrays[at])
            moved[i] += step
            return f([moved if k == at else a for k, a in enumerate(arrays)])

        slope[i] = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
    return slope


def projected_derivative(
    row: Row, arrays: Sequence[Array], cotangents: Sequence[Array], order: int
) -> tuple[Node, list[Node]]:
    """A random projection of the derivative of that order as a node, and the variables in it.

    The variables are the tracked operands and, since a derivative is linear in them, the cotangents.
    """
    nodes = leaves(row, arrays)
    seeds = [F.variable(c) for c in cotangents]
    outs = floating(run(row, nodes))
    variables = [*tracked(row, nodes), *seeds]
    rng = np.random.default_rng(7)
    total = F.constant(np.float64(0.0))
    for level in range(order):
        if level:
            outs, seeds = [total], [F.constant(np.float64(1.0))]
            total = F.constant(np.float64(0.0))
        got = backward(outs, seeds, wanted=variables, create_graph=True, free=False)
        for v in variables:
            weight = rng.normal(size=v.shape)
            if v in got:
                total = total + F.sum(F.mul(got[v], weight))
    return total, variables

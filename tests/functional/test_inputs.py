"""What ops do with their inputs: any memory layout is read, none is written to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from checks import cotangents_for, floating, frozen, gradients, run, tracked
from table import ROWS, Array, Row

from nngrad.functional.engine import backward
from nngrad.functional.node import seal

pytestmark = pytest.mark.table


def transposed(a: Array) -> Array:
    return np.array(a.T, order="C").T


def strided(a: Array) -> Array:
    wide = np.zeros([2 * n for n in a.shape], a.dtype)
    index: Any = (..., *[slice(None, None, 2)] * a.ndim)
    view: Array = wide[index]
    view[...] = a
    return view


def backwards(a: Array) -> Array:
    reverse: Any = (..., *[slice(None, None, -1)] * a.ndim)
    result: Array = np.array(a[reverse])[reverse]
    return result


LAYOUTS: list[Callable[[Array], Array]] = [transposed, strided, backwards]


def read_only(a: Array) -> Array:
    view = a.view()
    while isinstance(a, np.ndarray):
        a.flags.writeable = False
        if not isinstance(a.base, np.ndarray):
            break
        a = a.base
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layouts(row: Row, layout: Callable[[Array], Array]) -> None:
    arrays = row.arrays()
    others = [read_only(layout(a)) for a in arrays]
    outs, expected = run(row, others), run(row, arrays)
    for out, plain in zip(outs, expected, strict=True):
        np.testing.assert_allclose(out.data, plain.data, rtol=1e-14, atol=1e-15, strict=True)
    if row.grad:
        cotangents = cotangents_for(expected)
        turned = [read_only(layout(c)) for c in cotangents]
        for g, plain_g in zip(
            gradients(row, others, turned), gradients(row, arrays, cotangents), strict=True
        ):
            np.testing.assert_allclose(g, plain_g, rtol=1e-13, atol=1e-14, strict=True)


def bytes_of(arrays: list[Array]) -> list[bytes]:
    return [a.tobytes() for a in arrays]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.parametrize("writeable", [True, False])
def test_inputs_and_cotangents_are_not_written_to(row: Row, writeable: bool) -> None:
    """Also where NumPy would let us: read-only flags do not stop np.add.at, and hide an attempt."""
    arrays = [np.array(a) if writeable else frozen(a) for a in row.arrays()]
    nodes = [seal(a, params=(None,), tracked=arg.tracked) for arg, a in zip(row.args, arrays)]
    outs = run(row, nodes)
    cotangents = [np.array(c) if writeable else c for c in cotangents_for(outs)]
    values = [np.asarray(out.data) for out in outs]
    before = bytes_of([*arrays, *cotangents, *values])
    got = backward(floating(outs), cotangents, free=False)
    first = [np.array(got[n]) for n in tracked(row, nodes) if n in got]
    assert bytes_of([*arrays, *cotangents, *values]) == before
    # and the graph is as it was: a second backward gives the same bits
    again = backward(floating(outs), cotangents)
    assert bytes_of([np.asarray(again[n]) for n in tracked(row, nodes) if n in again]) == bytes_of(first)
    assert bytes_of([*arrays, *cotangents]) == before[: len(arrays) + len(cotangents)]

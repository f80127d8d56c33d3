"""Forward mode over the whole table: <jvp(t), c> = <t, vjp(c)>, for random tangents and cotangents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from checks import floating, run
from table import ROWS, Array, Row

import nngrad.functional as F

pytestmark = pytest.mark.table

DIFFERENTIABLE = [row for row in ROWS if row.grad and any(arg.tracked for arg in row.args)]


def differentiable(row: Row, arrays: list[Array]) -> tuple[Any, list[Array]]:
    """The row as a function of its tracked operands alone, with all floating outputs; and those operands."""
    places = [i for i, arg in enumerate(row.args) if arg.tracked]

    def function(*xs: Any) -> list[Any]:
        operands: list[Any] = list(arrays)
        for i, x in zip(places, xs):
            operands[i] = x
        return floating(run(row, operands))

    return function, [arrays[i] for i in places]


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.id)
def test_jvp_and_vjp_agree(row: Row) -> None:
    function, primals = differentiable(row, row.arrays())
    rng = np.random.default_rng(3)
    tangents = tuple([rng.normal(size=x.shape) for x in primals])
    outs, pull = F.vjp(function, *primals)
    cotangents = [rng.normal(size=out.shape).astype(out.dtype) for out in outs]
    values, pushed = F.jvp(function, tuple(primals), tangents)
    for out, value in zip(outs, values, strict=True):
        np.testing.assert_array_equal(out.data, value.data)
    forward = sum([float(np.sum(t.data * c)) for t, c in zip(pushed, cotangents, strict=True)])
    backward = sum([float(np.sum(t * g)) for t, g in zip(tangents, pull(cotangents), strict=True)])
    np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-9)


#: rows whose op says how it carries tangents forward, in place of its transposed vjp
WITH_RULE = ("linear", "softmax", "log_softmax", "cross_entropy", "layer_norm", "batch_norm", "rms_norm")


@pytest.mark.parametrize(
    "row", [row for row in DIFFERENTIABLE if row.name in WITH_RULE], ids=lambda row: row.id
)
def test_second_derivatives_agree_in_either_mode(row: Row) -> None:
    function, primals = differentiable(row, row.arrays())
    rng = np.random.default_rng(3)
    along = tuple([rng.normal(size=x.shape) for x in primals])

    def total(*xs: Any) -> Any:
        whole = F.constant(0.0)
        for out in function(*xs):
            whole = F.sum(F.mul(out, np.cos(np.arange(out.size).reshape(out.shape)))) + whole
        return whole

    def slope(*xs: Any) -> Any:
        return F.jvp(total, xs, along)[1]

    def gradient(*xs: Any) -> Any:
        return F.grad(total, tuple(range(len(primals))))(*xs)

    forward = F.jvp(slope, tuple(primals), along)[1].item()
    of_gradient = F.jvp(gradient, tuple(primals), along)[1]
    of_slope = F.grad(slope, tuple(range(len(primals))))(*primals)
    for name, parts in (("forward over reverse", of_gradient), ("reverse over forward", of_slope)):
        product = sum([float(np.sum(F.constant(p).data * t)) for p, t in zip(parts, along, strict=True)])
        np.testing.assert_allclose(product, forward, rtol=1e-8, atol=1e-10, err_msg=name)

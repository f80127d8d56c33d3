"""Gradients of every row: numerically, against PyTorch, and of higher orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from checks import (
    as_tuple,
    cotangents_for,
    floating,
    gradients,
    leaves,
    numerical,
    projected_derivative,
    run,
    tracked,
)
from table import ROWS, Array, Row, TorchNames

from nngrad.functional.engine import backward

pytestmark = pytest.mark.table

DIFFERENTIABLE = [row for row in ROWS if row.grad and any(arg.tracked for arg in row.args)]
CUBIC = (
    "mul",
    "div",
    "pow",
    "exp",
    "log",
    "tanh",
    "sigmoid",
    "sqrt",
    "matmul",
    "linear",
    "softmax",
    "log_softmax",
)


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.id)
def test_first_order(row: Row) -> None:
    arrays = row.arrays()
    cotangents = cotangents_for(run(row, arrays))

    def projection(moved: list[Array]) -> float:
        values = as_tuple(row.numpy(*moved))
        outs = [np.asarray(v) for v in values if np.asarray(v).dtype.kind == "f"]
        return float(sum(np.sum(out * c) for out, c in zip(outs, cotangents, strict=True)))

    got = iter(gradients(row, arrays, cotangents))
    for at, arg in enumerate(row.args):
        if arg.tracked:
            np.testing.assert_allclose(
                next(got), numerical(projection, arrays, at), rtol=1e-8, atol=1e-9, strict=True
            )


@pytest.mark.parametrize("row", [row for row in DIFFERENTIABLE if row.torch], ids=lambda row: row.id)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_first_order_is_pytorchs(row: Row, dtype: Any) -> None:
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in row.arrays()]
    compare_with_torch(row, arrays, 1e-10 if dtype is np.float64 else 2e-5)


def compare_with_torch(row: Row, arrays: list[Array], tolerance: float) -> None:
    torch = pytest.importorskip("torch")
    names: Any = TorchNames(torch)
    nodes = leaves(row, arrays)
    outs = run(row, nodes)
    twins = [
        torch.tensor(a, requires_grad=True) if arg.tracked and row.grad else torch.tensor(a)
        for arg, a in zip(row.args, arrays)
    ]
    twin_outs = as_tuple(row.call(names, *twins))
    for out, twin in zip(outs, twin_outs, strict=True):
        np.testing.assert_allclose(
            out.data, twin.detach().numpy(), rtol=tolerance, atol=tolerance, strict=True, err_msg="value"
        )
    cotangents = cotangents_for(outs)
    got = backward(floating(outs), cotangents)
    twin_outs = tuple([t for t in twin_outs if t.dtype.is_floating_point])
    needs = [(t, c) for t, c in zip(twin_outs, cotangents, strict=True) if t.requires_grad]
    expected: Any = [None] * len(twins)
    if needs:
        expected = torch.autograd.grad(
            [t for t, _ in needs],
            tracked(row, twins),
            [torch.tensor(c) for _, c in needs],
            allow_unused=True,
        )
    for node, twin in zip(tracked(row, nodes), expected):
        zero = np.zeros(node.shape, node.dtype)
        np.testing.assert_allclose(
            np.asarray(got.get(node, zero)),
            zero if twin is None else twin.numpy(),
            rtol=tolerance,
            atol=tolerance,
            strict=True,
            err_msg="gradient",
        )


#: functions that leave NumPy's floating-point warnings on: silence would cost a tenth of their time
NOISY = ("add", "sub", "mul", "pow", "square", "sum", "mean")
SPECIAL = [(row, n) for row in ROWS for n in range(len(row.special))]


@pytest.mark.parametrize(("row", "n"), SPECIAL, ids=[f"{row.id}-{n}" for row, n in SPECIAL])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_special_points_are_pytorchs(row: Row, n: int, dtype: Any) -> None:
    with np.errstate(all="ignore" if row.name in NOISY else "raise"):
        compare_with_torch(
            row, [a.astype(dtype) for a in row.special[n]], 1e-12 if dtype is np.float64 else 1e-5
        )


def check_order(row: Row, order: int) -> None:
    arrays = row.arrays()
    cotangents = cotangents_for(run(row, arrays))
    total, variables = projected_derivative(row, arrays, cotangents, order - 1)
    got = backward([total], [np.ones(())], wanted=variables)
    values = [v.data for v in variables]
    count = len(tracked(row, arrays))

    def projection(moved: list[Array]) -> float:
        inputs = iter(moved[:count])
        operands = [next(inputs) if arg.tracked else a for arg, a in zip(row.args, arrays)]
        return float(projected_derivative(row, operands, moved[count:], order - 1)[0].item())

    for at, v in enumerate(variables):
        expected = numerical(projection, values, at)
        np.testing.assert_allclose(
            np.asarray(got.get(v, np.zeros(v.shape))), expected, rtol=1e-7, atol=1e-8, strict=True
        )


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.id)
def test_second_order(row: Row) -> None:
    check_order(row, 2)


@pytest.mark.parametrize("row", [row for row in DIFFERENTIABLE if row.name in CUBIC], ids=lambda row: row.id)
def test_third_order(row: Row) -> None:
    check_order(row, 3)


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.id)
def test_recorded_rules_agree_with_the_fast_ones(row: Row) -> None:
    """The same rule on nodes and on arrays, or the cached and the uncached one, gives one gradient."""
    arrays = row.arrays()
    cotangents = cotangents_for(run(row, arrays))
    total, _ = projected_derivative(row, arrays, cotangents, 1)
    rng = np.random.default_rng(7)
    grads = gradients(row, arrays, cotangents)
    expected = sum(np.sum(g * rng.normal(size=g.shape)) for g in grads)
    np.testing.assert_allclose(total.item(), expected, rtol=1e-11, atol=1e-12)

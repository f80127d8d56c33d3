"""The declarations are true: an op is what its kind says, and reads no more than it says.

Every op is checked as it stands in the graphs of the table's rows and of their gradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from checks import cotangents_for, floating, leaves, run, tracked
from table import OPS_WITHOUT_ROW, ROWS, Array, Row

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import Cleared, Scatter, backward, unbroadcast
from nngrad.functional.node import Hole
from nngrad.functional.op import OPS, Op
from nngrad.functional.scattering import dense

pytestmark = pytest.mark.table


@dataclass(frozen=True)
class Use:
    """An op with inputs and parameters it was recorded with."""

    row: str
    op: Op
    inputs: tuple[Any, ...]
    params: tuple[Any, ...]
    out: Any
    saved: Any

    @property
    def differentiable(self) -> list[int]:
        """The inputs that are floats and have a rule that gives something."""
        g = np.ones(self.out.shape, self.out.dtype)
        sent = send(self, g)
        return [i for i, s in enumerate(sent) if s is not None and self.inputs[i].dtype.kind == "f"]

    def __str__(self) -> str:
        return f"{self.op.name}-{self.row}"


def send(
    use: Use, g: Array, inputs: Sequence[Any] | None = None, out: Any = None, saved: Any = None
) -> list[Any]:
    """What the op's derivative sends to each input for the cotangent g, as dense arrays."""
    inputs = use.inputs if inputs is None else inputs
    out = use.out if out is None else out
    with np.errstate(all="ignore"):
        if use.op.vjp is not None:
            sent = use.op.vjp(g, out, list(inputs), use.params, saved, [True] * len(inputs))
        else:
            sent = [
                None if rule is None else rule(g, out, *inputs, *use.params)
                for _, rule in zip_longest(inputs, use.op.rules)
            ]
    return [as_dense(s, x.shape) for s, x in zip(sent, use.inputs)]


def as_dense(sent: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(sent, Scatter):
        return dense(sent.g, sent.index, shape)
    if isinstance(sent, Cleared):
        g = np.array(sent.g)
        g[sent.index] = 0
        return g
    return None if sent is None else np.asarray(sent)


def below(roots: Sequence[Node]) -> list[Node]:
    seen = dict.fromkeys(roots)
    stack = list(seen)
    while stack:
        for parent in stack.pop().prev:
            if parent not in seen:
                seen[parent] = None
                stack.append(parent)
    return [node for node in seen if node.op is not None]


def graph_of(row: Row) -> list[Node]:
    """The nodes that a row and its gradient record."""
    nodes = leaves(row, row.arrays())
    outs = floating(run(row, nodes))
    seeds = [F.variable(c) for c in cotangents_for(outs)]
    got = backward(outs, seeds, wanted=tracked(row, nodes), create_graph=True, free=False)
    return below([*outs, *got.values()])


@cache
def uses() -> tuple[Use, ...]:
    """Every op with every arity, ranks and parameters that the rows lead to, once."""
    found: dict[Any, Use] = {}
    for row in ROWS:
        # at a base of zero, powers have infinite derivatives: nothing to compare
        if row.grad and any(arg.tracked for arg in row.args) and row.id != "pow-base-zero":
            for node in graph_of(row):
                op = node.op
                assert op is not None
                shapes = tuple([p.shape for p in node.prev])
                key = (op.name, shapes, repr(node.params))
                found.setdefault(
                    key,
                    Use(
                        row.id, op, tuple([p._value for p in node.prev]), node.params, node._value, node.saved
                    ),
                )
    return tuple(found.values())


def of_kind(*kinds: str) -> list[Use]:
    return [use for use in uses() if use.op.kind in kinds]


def value(use: Use, inputs: Sequence[Any]) -> Array:
    with np.errstate(all="ignore"):
        result = use.op.forward(*inputs, *use.params)
    return np.asarray(result[0] if use.op.saves else result)


def random_like(x: Any, seed: int) -> Array:
    return np.asarray(np.random.default_rng(seed).normal(size=x.shape), x.dtype)


def replaced(use: Use, values: dict[int, Any]) -> list[Any]:
    return [values.get(i, x) for i, x in enumerate(use.inputs)]


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


def test_every_op_is_reached_by_a_row() -> None:
    assert set(OPS) - {use.op.name for use in uses()} == set(OPS_WITHOUT_ROW)


def test_there_are_ops_of_every_kind() -> None:
    assert {use.op.kind for use in uses()} == {"pointwise", "linear", "bilinear", "general"}


@pytest.mark.parametrize("use", of_kind("linear"), ids=str)
def test_linear_ops_are_linear(use: Use) -> None:
    at = use.differentiable
    x = {i: random_like(use.inputs[i], i) for i in at}
    y = {i: random_like(use.inputs[i], i + 50) for i in at}
    both = {i: 2.0 * x[i] - 3.0 * y[i] for i in at}
    close(
        value(use, replaced(use, both)),
        2.0 * value(use, replaced(use, x)) - 3.0 * value(use, replaced(use, y)),
    )


@pytest.mark.parametrize("use", of_kind("bilinear"), ids=str)
def test_bilinear_ops_are_linear_in_each_input(use: Use) -> None:
    assert len(use.differentiable) > 1
    for i in use.differentiable:
        x, y = random_like(use.inputs[i], 1), random_like(use.inputs[i], 2)
        close(
            value(use, replaced(use, {i: 2.0 * x - 3.0 * y})),
            2.0 * value(use, replaced(use, {i: x})) - 3.0 * value(use, replaced(use, {i: y})),
        )


@pytest.mark.parametrize("use", of_kind("linear", "bilinear"), ids=str)
def test_rules_are_transposes(use: Use) -> None:
    """<g, op(t)> = <transpose(g), t>, input by input for the bilinear ones."""
    g = random_like(use.out, 3)
    sent = send(use, g)
    at = use.differentiable
    groups = [at] if use.op.kind == "linear" else [[i] for i in at]
    for group in groups:
        t = {i: random_like(use.inputs[i], i) for i in group}
        close(
            np.sum(g * value(use, replaced(use, t))),
            sum(np.sum(unbroadcast(sent[i], t[i].shape) * t[i]) for i in group),
        )


@pytest.mark.parametrize("use", of_kind("linear"), ids=str)
def test_rules_of_linear_ops_read_no_values(use: Use) -> None:
    g = random_like(use.out, 3)
    holes = [Hole("test", x) if x.dtype.kind == "f" else x for x in use.inputs]
    for blind, seeing in zip(send(use, g, holes, Hole("test", use.out)), send(use, g), strict=True):
        assert (blind is None) == (seeing is None)
        if blind is not None:
            np.testing.assert_array_equal(blind, seeing, strict=True)


@pytest.mark.parametrize("use", [use for use in uses() if not use.op.uses_out], ids=str)
def test_ops_that_say_so_do_not_read_their_output(use: Use) -> None:
    g = random_like(use.out, 3)
    for saved in {None, *([] if use.saved is None else ["saved"])}:
        cached = None if saved is None else use.saved
        blind = send(use, g, out=Hole("test", use.out), saved=cached)
        for b, s in zip(blind, send(use, g, saved=cached), strict=True):
            assert (b is None) == (s is None)
            if b is not None:
                np.testing.assert_array_equal(b, s, strict=True)


@pytest.mark.parametrize("use", of_kind("pointwise"), ids=str)
def test_rules_of_pointwise_ops_are_diagonal(use: Use) -> None:
    """One element of the cotangent moves that element alone, and a tangent goes through as well."""
    g = random_like(use.out, 3)
    at = use.differentiable
    sent = send(use, g)
    for i in at:
        whole = np.broadcast_to(sent[i], use.out.shape)
        for k in list(np.ndindex(use.out.shape))[:3]:
            one = np.zeros_like(g)
            one[k] = g[k]
            expected = np.zeros_like(g)
            expected[k] = whole[k]
            np.testing.assert_array_equal(np.broadcast_to(send(use, one)[i], g.shape), expected)
    tangents = {i: random_like(use.inputs[i], i) for i in at}
    forward = sum(send(use, np.array(np.broadcast_to(tangents[i], use.out.shape)))[i] for i in at)
    h = 1e-5
    ahead, behind = (
        value(use, replaced(use, {i: use.inputs[i] + step * tangents[i] for i in at})) for step in (h, -h)
    )
    np.testing.assert_allclose(
        np.broadcast_to(forward, use.out.shape), (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("use", [use for use in uses() if use.op.name != "clip_gradient"], ids=str)
def test_derivatives_are_linear_in_the_cotangent(use: Use) -> None:
    g, h = random_like(use.out, 3), random_like(use.out, 4)
    for both, first, second in zip(send(use, 2.0 * g - h), send(use, g), send(use, h), strict=True):
        if both is not None:
            close(both, 2.0 * first - second)


@pytest.mark.parametrize("use", [use for use in uses() if use.op.saves], ids=str)
def test_saved_is_only_a_cache(use: Use) -> None:
    assert use.saved is not None
    g = random_like(use.out, 3)
    for cached, plain in zip(send(use, g, saved=use.saved), send(use, g), strict=True):
        assert (cached is None) == (plain is None)
        if cached is not None:
            size = float(np.abs(plain).max(initial=0.1))  # of which sums that cancel are what is left
            np.testing.assert_allclose(cached, plain, rtol=1e-13, atol=1e-14 * size, strict=True)


def test_clip_limits_the_gradient_on_request() -> None:
    x = F.variable(np.array([1.0, 2.0, 3.0]))
    y = F.clip(x, 1.5, grad_min=-0.5, grad_max=2.0)
    got = backward([y], [np.array([9.0, -7.0, 9.0])])
    np.testing.assert_array_equal(got[x], [0.0, -0.5, 2.0])
    assert math.isclose(y.data[0], 1.5)

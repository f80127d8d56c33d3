"""vmap over the whole table: as if the function had been called for each example in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from checks import run
from table import ROWS, Array, Row

import nngrad.functional as F
from nngrad.functional import Node

pytestmark = pytest.mark.table

#: functions that are run example by example, and why; a test fails for others, and for these if they are not
ONE_BY_ONE: dict[str, str] = {
    "unique": "the shape of the result depends on values",
    "unique_consecutive": "the shape of the result depends on values",
    "nonzero": "the shape of the result depends on values",
    "argwhere": "the shape of the result depends on values",
    "masked_select": "the shape of the result depends on values",
    "bincount": "the shape of the result depends on values",
    "repeat_interleave": "the shape of the result depends on the repeats",
    "embedding_bag": "where bags begin and end depends on values",
    "histc": "the range of the bins depends on values",
    "ctc_loss": "how long targets are depends on values",
    "index_reduce": "which slices are reduced is written out before the reduction",
    "unravel_index": "whole numbers come apart by a function of NumPy's own",
}
#: their rows whose results have different shapes in different examples: nothing to stack
RAGGED = ("unique", "unique_consecutive", "nonzero", "argwhere", "masked_select")

TABLE = [row for row in ROWS if row.args and row.name not in RAGGED]
DIFFERENTIABLE = [row for row in TABLE if row.grad and any(arg.tracked for arg in row.args)]


def examples(row: Row, n: int = 3) -> list[list[Array]]:
    """Operands for several examples: the row's own, and others of the same kind."""
    rng = np.random.default_rng(5)

    def another(a: Array) -> Array:
        return a * rng.uniform(0.9, 1.1, a.shape) if a.dtype.kind == "f" else a[::-1] if a.ndim else a

    first = row.arrays()
    return [first, *[[another(a) for a in first] for _ in range(n - 1)]]


def stacked(operands: list[list[Array]]) -> list[Array]:
    return [np.stack(column) for column in zip(*operands)]


def same(whole: Any, parts: list[Any], tolerance: float = 1e-10) -> None:
    """`whole` has the examples `parts`."""
    for i, part in enumerate(parts):
        assert whole.dtype == part.dtype
        got, expected = np.asarray(F.constant(whole).data[i]), F.constant(part).data
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance / 100, strict=True)


def total(row: Row) -> Callable[..., Node]:
    """A number that depends on all floating results of a row, on each element in its own way."""

    def function(*operands: Any) -> Node:
        whole = F.constant(0.0)
        for out in run(row, operands):
            if out.dtype.kind == "f":
                weight = np.cos(np.arange(out.size, dtype=out.dtype)).reshape(out.shape)
                whole = F.sum(F.mul(out, weight)) + whole
        return whole

    return function


def places(row: Row) -> tuple[int, ...]:
    return tuple([i for i, arg in enumerate(row.args) if arg.tracked])


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_vmap_is_the_loop(row: Row) -> None:
    operands = examples(row)
    expected = [run(row, arrays) for arrays in operands]
    got = F.vmap(lambda *xs: run(row, list(xs)), randomness="same")(*stacked(operands))
    for column, whole in zip(zip(*expected), got, strict=True):
        same(whole, list(column))


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.id)
def test_vmap_of_grad_is_the_loop(row: Row) -> None:
    operands = examples(row)
    gradient = F.grad(total(row), places(row))
    expected = [gradient(*arrays) for arrays in operands]
    got = F.vmap(gradient, randomness="same")(*stacked(operands))
    for column, whole in zip(zip(*expected), got, strict=True):
        same(whole, list(column), 1e-9)


def test_what_falls_back_to_the_loop_is_listed_with_its_reason() -> None:
    found: set[str] = set()
    for row in TABLE:
        operands = stacked(examples(row))
        with F.vmap_fallbacks() as names:
            F.vmap(lambda *xs, row=row: run(row, list(xs)), randomness="same")(*operands)
            if row in DIFFERENTIABLE:
                F.vmap(F.grad(total(row), places(row)), randomness="same")(*operands)
        if names:
            found.add(row.name)
    assert found == ONE_BY_ONE.keys() - set(RAGGED)


@pytest.mark.parametrize("name", RAGGED)
def test_results_of_different_shapes_are_refused(name: str) -> None:
    def function(x: Any) -> Any:
        return F.masked_select(x, x > 0) if name == "masked_select" else getattr(F, name)(x)

    with pytest.raises(RuntimeError, match="stack"):
        F.vmap(function)(np.array([[1.0, 0.0, 2.0], [1.0, 1.0, 1.0]]))


# ---------------------------------------------------------------- nested, and in derivatives

#: a few rows of each family
CHOSEN = [
    next(row for row in DIFFERENTIABLE if row.name == name)
    for name in (
        *("exp", "mul", "div", "sum", "amax", "prod", "var", "logsumexp", "cumprod", "matmul", "linear"),
        *("einsum", "getitem", "index_put", "index_add", "gather", "scatter_add", "sort", "topk", "where"),
        *("reshape", "permute", "concat", "softmax", "log_softmax", "layer_norm", "gelu", "cross_entropy"),
        *("nll_loss", "huber_loss", "conv2d", "conv_transpose1d", "max_pool2d", "avg_pool1d", "embedding"),
        *("scaled_dot_product_attention", "interpolate", "pad", "linalg.det", "linalg.inv", "linalg.svdvals"),
    )
]


@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.id)
def test_nested_vmap_is_the_loop_in_a_loop(row: Row) -> None:
    operands = examples(row, 4)
    gradient = F.grad(total(row), places(row))
    expected = [gradient(*arrays) for arrays in operands]
    square = [a.reshape(2, 2, *a.shape[1:]) for a in stacked(operands)]
    got = F.vmap(F.vmap(gradient))(*square)
    crossed = F.vmap(F.vmap(gradient, in_dims=0), in_dims=1)(*square)
    for column, whole, turned in zip(zip(*expected), got, crossed, strict=True):
        same(F.reshape(whole, (4, *whole.shape[2:])), list(column), 1e-9)
        same(F.reshape(F.transpose(turned, 0, 1), (4, *whole.shape[2:])), list(column), 1e-9)


@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.id)
def test_the_gradient_of_a_vmap_sums_over_the_examples_what_they_share(row: Row) -> None:
    operands = examples(row)
    every = stacked(operands)
    for shared in places(row):
        dims = tuple([None if i == shared else 0 for i in range(len(every))])
        if len(every) == 1:
            continue
        given = [operands[0][i] if i == shared else a for i, a in enumerate(every)]
        got = F.grad(lambda *xs, dims=dims: F.sum(F.vmap(total(row), in_dims=dims)(*xs)), places(row))(*given)
        each = [
            F.grad(total(row), places(row))(
                *[given[i] if i == shared else a for i, a in enumerate(operands[n])]
            )
            for n in range(3)
        ]
        for at, whole, column in zip(places(row), got, zip(*each), strict=True):
            if at == shared:
                np.testing.assert_allclose(whole, sum(column), rtol=1e-9, atol=1e-11)
            else:
                same(whole, list(column), 1e-9)


@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.id)
def test_vmap_of_jvp_is_the_loop(row: Row) -> None:
    operands = examples(row)
    rng = np.random.default_rng(11)
    tangents = [[np.asarray(rng.normal(size=arrays[i].shape)) for i in places(row)] for arrays in operands]

    def pushed(arrays: list[Any], along: list[Any]) -> Any:
        def function(*chosen: Any) -> Node:
            given = list(arrays)
            for i, x in zip(places(row), chosen):
                given[i] = x
            return total(row)(*given)

        return F.jvp(function, tuple([arrays[i] for i in places(row)]), tuple(along))[1]

    expected = [pushed(arrays, along) for arrays, along in zip(operands, tangents)]
    same(F.vmap(pushed)(stacked(operands), stacked(tangents)), expected, 1e-9)


# ---------------------------------------------------------------- random functions

RANDOM: dict[str, Callable[..., Node]] = {
    "dropout": lambda x, g: F.dropout(x, 0.5, generator=g),
    "dropout1d": lambda x, g: F.dropout1d(x, 0.5, generator=g),
    "dropout2d": lambda x, g: F.dropout2d(F.reshape(x, (1, 16, 2, 2)), 0.5, generator=g),
    "alpha_dropout": lambda x, g: F.alpha_dropout(x, 0.5, True, generator=g),
    "feature_alpha_dropout": lambda x, g: F.feature_alpha_dropout(x, 0.5, True, generator=g),
    "rrelu": lambda x, g: F.rrelu(F.neg(x), 0.1, 0.9, True, generator=g),
    "scaled_dot_product_attention": lambda x, g: F.scaled_dot_product_attention(
        x, x, x, dropout_p=0.5, generator=g
    ),
}


@pytest.mark.parametrize("by_loop", [False, True], ids=["at-once", "by-the-loop"])
@pytest.mark.parametrize("name", RANDOM)
def test_what_is_random_differs_is_the_same_or_is_refused(name: str, by_loop: bool) -> None:
    x = np.ones((6, 16, 4))

    def of_one(x: Any, generator: Any) -> Node:
        if by_loop:
            float(x[0, 0])
        return RANDOM[name](x, generator)

    def run_with(randomness: Any, **options: Any) -> Array:
        rng = np.random.default_rng(4)
        return F.constant(F.vmap(lambda x: of_one(x, rng), 0, 0, randomness, **options)(x)).data

    different = run_with("different")
    assert len({row.tobytes() for row in different}) > 3
    for options in ({}, {"chunk_size": 4}):
        same = run_with("same", **options)
        np.testing.assert_allclose(same, np.broadcast_to(same[0], same.shape))
        np.testing.assert_allclose(same[0], RANDOM[name](F.constant(x[0]), np.random.default_rng(4)).data)
    with pytest.raises(RuntimeError, match=f"^{name}: called random operation"):
        run_with("error")


def test_runs_of_vmap_within_others_draw_as_each_asks() -> None:
    def nested(outer: Any, inner: Any) -> Array:
        rng = np.random.default_rng(0)

        def of_one(x: Any) -> Node:
            return F.dropout(x, 0.5, generator=rng)

        return F.constant(
            F.vmap(F.vmap(of_one, randomness=inner), randomness=outer)(np.ones((3, 4, 32)))
        ).data

    assert len({row.tobytes() for row in nested("different", "different").reshape(12, 32)}) == 12
    by_outer = nested("different", "same")
    assert len({row.tobytes() for row in by_outer[:, 0]}) == 3
    np.testing.assert_array_equal(by_outer, np.broadcast_to(by_outer[:, :1], by_outer.shape))
    by_inner = nested("same", "different")
    assert len({row.tobytes() for row in by_inner[0]}) == 4
    np.testing.assert_array_equal(by_inner, np.broadcast_to(by_inner[:1], by_inner.shape))


# ---------------------------------------------------------------- values that differ, looked at


def test_a_check_of_values_sees_all_examples() -> None:
    logits = np.zeros((3, 2, 4))
    with pytest.raises(IndexError, match="Target 7 is out of bounds for 4 classes"):
        F.vmap(F.cross_entropy)(logits, np.array([[0, 1], [2, 7], [3, 3]]))
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        F.vmap(F.binary_cross_entropy)(np.array([[0.5], [1.5]]), np.ones((2, 1)))
    with pytest.raises(IndexError, match="index 9 is out of bounds"):
        F.vmap(F.embedding, in_dims=(0, None))(np.array([[0], [9]]), np.ones((3, 2)))


def test_a_value_carried_out_of_its_vmap_is_refused() -> None:
    kept: list[Node] = []

    def keeping(x: Any) -> Any:
        kept.append(x)
        return x

    F.vmap(keeping)(np.ones((3, 2)))
    for use in (F.exp, F.sum, lambda x: F.add(x, 1.0), lambda x: x[0], F.argmax, lambda x: F.softmax(x, 0)):
        with pytest.raises(RuntimeError, match="belongs to a vmap that has ended"):
            use(kept[0])

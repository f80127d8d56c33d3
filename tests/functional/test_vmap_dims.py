"""Where vmap finds the examples in trees of arguments, and puts them in trees of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import nngrad.functional as F
from nngrad.functional import Array, Node

X = np.arange(6.0).reshape(2, 3)


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Box:
    a: Any
    b: Any


def test_trees_of_results_have_trees_of_dimensions_or_one_for_a_branch() -> None:
    def several(x: Array) -> Any:
        return {"a": F.mul(x, 2.0), "b": (F.mul(x, 3.0), [F.sum(x), F.constant(np.ones(2))])}

    out = F.vmap(several, out_dims={"a": 1, "b": (-1, [0, None])})(X)
    np.testing.assert_array_equal(out["a"].data, X.T * 2)
    np.testing.assert_array_equal(out["b"][0].data, X.T * 3)
    np.testing.assert_array_equal(out["b"][1][0].data, X.sum(1))
    np.testing.assert_array_equal(out["b"][1][1].data, np.ones(2))
    out = F.vmap(lambda x: Pair(x, Pair(x, x)), out_dims=(0, 1))(X)
    assert [out.a.shape, out.b.a.shape, out.b.b.shape] == [(2, 3), (3, 2), (3, 2)]


def test_trees_of_arguments_of_any_kind() -> None:
    for kind in (Pair, Box):
        dims: Any = kind(0, None), kind(1, None)

        def product(p: Any, kind: Any = kind) -> Any:
            return kind(p.a * p.b, p.b)

        out = F.vmap(product, in_dims=(dims[0],), out_dims=dims[1])(kind(X, X[1]))
        np.testing.assert_array_equal(out.a.data, (X * X[1]).T)
        np.testing.assert_array_equal(out.b.data, X[1])


def test_keyword_arguments_are_shared() -> None:
    def scaled(x: Array, *, by: Array, how: str) -> Node:
        return F.mul(x, F.sum(F.mul(by, 1.0 if how == "up" else 0.0)))

    np.testing.assert_array_equal(F.vmap(scaled)(X, by=X, how="up").data, X * 15.0)


def test_a_result_that_is_the_same_for_all_examples_of_a_loop_is_given_once() -> None:
    def steered(x: Array) -> Any:
        return (x if x[0] > 0 else F.neg(x)), F.constant(np.array([np.nan, 1.0]))

    first, second = F.vmap(steered, out_dims=(1, None))(X)
    np.testing.assert_array_equal(first.data, np.array([-X[0], X[1]]).T)
    np.testing.assert_array_equal(second.data, [np.nan, 1.0])


def test_what_all_examples_share_is_written_to_for_each() -> None:
    import nngrad

    def at_a_number(y: nngrad.Tensor) -> nngrad.Tensor:
        z = nngrad.zeros(2, 3)
        z[0] = y
        z[..., 1] += y[:2]
        return z

    def at_an_array(i: nngrad.Tensor) -> nngrad.Tensor:
        z = nngrad.zeros(3)
        z[i] = 1.0
        return z

    rows = nngrad.tensor(X)
    expected = np.stack([at_a_number(row).numpy() for row in rows])
    np.testing.assert_array_equal(nngrad.func.vmap(at_a_number)(rows).numpy(), expected)
    index = nngrad.tensor([[0, 1], [2, 2]])
    np.testing.assert_array_equal(nngrad.func.vmap(at_an_array)(index).numpy(), [[1, 1, 0], [0, 0, 1]])

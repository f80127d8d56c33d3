"""Derivatives of pure functions: values, trees, nesting, purity, and what is refused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Array, Node
from nngrad.functional.trees import leaves, map_leaves


class Layer(NamedTuple):
    weight: Array
    bias: Array


def loss(layer: Layer, x: Array) -> Node:
    return F.sum(F.tanh(F.linear(x, layer.weight, layer.bias)))


def layer() -> Layer:
    rng = np.random.default_rng(0)
    return Layer(rng.normal(size=(2, 3)), rng.normal(size=2))


def test_the_gradient_has_the_structure_of_the_argument() -> None:
    x = np.random.default_rng(1).normal(size=(4, 3))
    value, gradient = F.value_and_grad(loss)(layer(), x)
    slope = 1 - np.tanh(x @ layer().weight.T + layer().bias) ** 2
    assert type(gradient) is Layer
    np.testing.assert_allclose(gradient.weight, slope.T @ x)
    np.testing.assert_allclose(gradient.bias, slope.sum(0))
    assert value.item() == pytest.approx(np.tanh(x @ layer().weight.T + layer().bias).sum())
    assert not value.tracked


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_mappings_come_back_as_mappings_in_order(kind: Any) -> None:
    params: Mapping[str, Array] = kind({"b": np.ones(2), "a": np.ones(3)})

    def weighted(p: Mapping[str, Array]) -> Node:
        return F.sum(p["a"]) * 2.0 + F.sum(p["b"])

    gradient = F.grad(weighted)(params)
    assert list(gradient) == ["b", "a"]
    assert gradient["a"].tolist() == [2, 2, 2]
    assert isinstance(gradient, Mapping)


def test_derivatives_of_higher_order_are_those_of_the_closed_form() -> None:
    def tanh(x: Array) -> Node:
        return F.tanh(x)

    third = F.grad(F.grad(F.grad(tanh)))
    x = np.array(0.4)
    t = np.tanh(0.4)
    np.testing.assert_allclose(third(x), -2 * (1 - t * t) * (1 - 3 * t * t), rtol=1e-13)


def test_an_inner_derivative_depends_on_outer_values() -> None:
    def outer(a: Array) -> Node:
        def inner(b: Array) -> Node:
            return F.mul(F.mul(a, a), F.mul(b, b))

        return F.mul(F.grad(inner)(np.array(3.0)), 1.0)

    np.testing.assert_allclose(F.grad(outer)(np.array(2.0)), 24.0)


def test_a_leaf_without_influence_has_a_gradient_of_zeros() -> None:
    def of_the_first(p: list[Array]) -> Node:
        return F.sum(p[0])

    def of_none(p: list[Array]) -> Node:
        return F.constant(1.0)

    gradient = F.grad(of_the_first)([np.ones(2), np.ones((2, 2), np.float32)])
    assert gradient[1].tolist() == [[0, 0], [0, 0]]
    assert gradient[1].dtype == np.float32
    assert F.grad(of_none)([np.ones(2)])[0].tolist() == [0, 0]


def test_nothing_is_changed_and_what_is_given_is_read_only() -> None:
    params, x = layer(), np.ones((4, 3))
    before = [a.tobytes() for a in (*params, x)]
    for a in (*params, x):
        a.setflags(write=False)
    first, second = F.grad(loss)(params, x), F.grad(loss)(params, x)
    assert [a.tobytes() for a in (*params, x)] == before
    for one, other in zip(first, second):
        assert not one.flags.writeable
        assert one.tobytes() == other.tobytes()


def test_the_value_is_computed_with_gradients_whatever_the_mode() -> None:
    from nngrad import no_grad

    with no_grad():
        assert F.grad(F.tanh)(np.array(0.0)) == 1.0
        assert not F.variable(np.array(3.0)).__mul__(2.0).tracked


def test_integers_cannot_be_differentiated_and_are_named_by_their_path() -> None:
    def of_the_first(p: Mapping[str, list[Array]]) -> Node:
        return F.sum(p["a"][0])

    with pytest.raises(TypeError, match=r"argument at \['a'\]\[1\] is int64"):
        F.grad(of_the_first)({"a": [np.ones(2), np.ones(2, np.int64)]})


@pytest.mark.parametrize("result", [F.constant(np.ones(2)), 1.0, None])
def test_a_function_must_give_a_node_of_one_element(result: Any) -> None:
    def given(x: Array) -> Node:
        return result  # type: ignore[no-any-return]  # what the test is about

    with pytest.raises(TypeError, match="node of one element, not"):
        F.grad(given)(np.ones(2))


def test_trees_have_paths() -> None:
    tree = {"a": (1.0, [2.0, None]), "b": 3.0}
    assert list(leaves(tree)) == [("['a'][0]", 1.0), ("['a'][1][0]", 2.0), ("['b']", 3.0)]
    assert map_leaves(lambda x: x * 2, tree) == {"a": (2.0, [4.0, None]), "b": 6.0}

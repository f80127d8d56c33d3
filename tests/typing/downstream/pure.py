"""The pure way: parameters are a mapping of arrays, a step is a function of them."""

# mypy: disallow-any-expr

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, assert_type

import numpy as np

import nngrad.functional as F
from nngrad.functional import Array, Node

Parameters: TypeAlias = Mapping[str, Array]


def predict(parameters: Parameters, images: Array) -> Node:
    hidden = F.relu(F.linear(images, parameters["w1"], parameters["b1"]))
    assert_type(hidden, Node)
    return F.linear(hidden, parameters["w2"], parameters["b2"])


def loss(parameters: Parameters, images: Array, labels: Array) -> Node:
    return F.cross_entropy(predict(parameters, images), labels)


def step(parameters: Parameters, images: Array, labels: Array, lr: float) -> tuple[float, Parameters]:
    value, gradients = F.value_and_grad(loss)(parameters, images, labels)
    assert_type(value, Node)
    assert_type(gradients, Mapping[str, Array])
    moved = {name: F.sub(p, F.mul(lr, gradients[name])).data for name, p in parameters.items()}
    return value.item(), moved


def initial(seed: int) -> Parameters:
    random = np.random.default_rng(seed)
    return {
        "w1": random.normal(size=(16, 64)),
        "b1": np.zeros(16),
        "w2": random.normal(size=(10, 16)),
        "b2": np.zeros(10),
    }


def nodes(x: Node) -> None:
    """Every kind of thing that is done with a node has a precise type."""
    assert_type(x + 1, Node)
    assert_type(2 * x, Node)
    assert_type(x @ x.T, Node)
    assert_type(x > 0, Node)
    assert_type(x[0, 1:], Node)
    assert_type(x.data, Array)
    assert_type(x.shape, tuple[int, ...])
    assert_type(x.item(), float)
    assert_type(x.op is None, bool)
    assert_type(F.sum(x, dim=0, keepdim=True), Node)
    assert_type(F.max(x), Node)
    assert_type(F.max(x, 1).indices, Node)
    assert_type(F.concat([x, x], dim=0), Node)
    assert_type(F.split(x, 2), tuple[Node, ...])
    assert_type(F.where(x > 0, x, 0.0), Node)
    assert_type(F.index_put(x, 0, 1.0), Node)
    assert_type(F.softmax(x, dim=1), Node)
    assert_type(F.variable(np.ones((2, 2))), Node)
    assert_type(F.grad(loss)({}, x.data, x.data), Mapping[str, Array])
    assert_type([row.item() for row in x], list[float])

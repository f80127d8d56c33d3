"""Transforms of functions: the gradient has the type of the argument, the other arguments stay."""

# mypy: disallow-any-expr

from __future__ import annotations

from typing import NamedTuple, assert_type

import nngrad
import nngrad.functional as F
from nngrad import Tensor, func
from nngrad.functional import Array, Node


class Layer(NamedTuple):
    weight: Array
    bias: Array


class Weights(NamedTuple):
    weight: Tensor
    bias: Tensor


def loss(layer: Layer, x: Array, *, scale: float = 1.0) -> Node:
    return F.sum(F.linear(x, layer.weight, layer.bias)) * scale


def loss_and_output(layer: Layer, x: Array) -> tuple[Node, str]:
    return loss(layer, x), "aux"


def of_nodes(layer: Layer, x: Array) -> None:
    """The transforms of the core."""
    assert_type(F.grad(loss)(layer, x), Layer)
    assert_type(F.grad(loss)(layer, x=x, scale=2.0), Layer)
    assert_type(F.grad(loss, 1)(layer, x), Array)
    assert_type(F.grad(loss, (0, 1))(layer, x), tuple[Layer, Array])
    assert_type(F.grad(loss_and_output, has_aux=True)(layer, x), tuple[Layer, str])
    assert_type(F.value_and_grad(loss)(layer, x, scale=2.0), tuple[Node, Layer])
    assert_type(F.value_and_grad(loss, 1)(layer, x), tuple[Node, Array])
    assert_type(F.value_and_grad(loss, (0, 1))(layer, x), tuple[Node, tuple[Layer, Array]])
    assert_type(F.value_and_grad(loss_and_output, has_aux=True)(layer, x), tuple[tuple[Node, str], Layer])
    assert_type(F.vmap(loss)(layer, x, scale=2.0), Node)
    assert_type(F.jvp(loss, (layer, x), (layer, x)), tuple[Node, Node])
    assert_type(F.jvp(loss_and_output, (layer, x), (layer, x), has_aux=True), tuple[Node, Node, str])
    assert_type(F.checkpoint(loss, layer, x, scale=2.0), Node)
    assert_type(F.stop_gradient(layer), Layer)


def error(weights: Weights, x: Tensor, *, scale: float = 1.0) -> Tensor:
    return (x @ weights.weight.T + weights.bias).sum() * scale


def error_and_name(weights: Weights, x: Tensor) -> tuple[Tensor, str]:
    return error(weights, x), "aux"


def of_tensors(weights: Weights, x: Tensor) -> None:
    """torch.func's on tensors."""
    assert_type(func.grad(error)(weights, x), Weights)
    assert_type(func.grad(error)(weights, x=x, scale=2.0), Weights)
    assert_type(func.grad(error, 1)(weights, x), Tensor)
    assert_type(func.grad(error, (0, 1))(weights, x), tuple[Weights, Tensor])
    assert_type(func.grad(error_and_name, has_aux=True)(weights, x), tuple[Weights, str])
    assert_type(func.grad_and_value(error)(weights, x), tuple[Weights, Tensor])
    assert_type(func.grad_and_value(error, (0, 1))(weights, x), tuple[tuple[Weights, Tensor], Tensor])
    assert_type(
        func.grad_and_value(error_and_name, has_aux=True)(weights, x), tuple[Weights, tuple[Tensor, str]]
    )
    assert_type(func.jvp(error, (weights, x), (weights, x)), tuple[Tensor, Tensor])
    assert_type(func.vmap(error)(weights, x, scale=2.0), Tensor)
    assert_type(nngrad.vmap(func.grad(error), in_dims=(None, 0))(weights, x), Weights)
    assert_type(func.functionalize(error)(weights, x, scale=2.0), Tensor)

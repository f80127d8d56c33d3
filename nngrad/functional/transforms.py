"""Functions of functions: derivatives of pure functions, taken without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import numpy as np

from .engine import backward
from .node import Node, as_node, grad_mode, read_only, seal, variable
from .op import linear
from .trees import leaves, map_leaves

A = TypeVar("A")
P = ParamSpec("P")

#: how many derivatives are being taken around this point of the program
_depth: Final[ContextVar[int]] = ContextVar("nngrad_transform_depth", default=0)

_alias: Final = linear("alias", lambda x: x, lambda g, _, x: g, elementwise=True)


def _input(where: str, leaf: Any) -> Node:
    """A leaf of the differentiated argument as a node of its own."""
    node = as_node(leaf)
    if node.dtype.kind not in "fc":
        raise TypeError(
            f"grad: only floating-point and complex values can be differentiated, but the argument"
            f"{where and ' at ' + where} is {node.dtype}"
        )
    return _alias.call(node) if node.tracked else variable(node)


def value_and_grad(
    function: Callable[Concatenate[A, P], Node],
) -> Callable[Concatenate[A, P], tuple[Node, A]]:
    """A function that gives `function`'s value and its gradient in the first argument.

    function: takes a tree (mappings, lists, tuples) of floating-point arrays first, and returns a
    node of one element; inside it, the leaves of the tree are nodes. The gradient is a tree of
    read-only arrays of the same structure (of nodes, inside another derivative, so that
    derivatives nest); zeros for a leaf that the value does not depend on.
    Raises TypeError for integers, and for a function that returns no node of one element.

    >>> value, gradient = value_and_grad(lambda x: x * x)(np.array(3.0))
    >>> gradient
    array(6.)
    """

    def differentiated(argument: A, /, *args: P.args, **kwargs: P.kwargs) -> tuple[Node, A]:
        inputs = [_input(path, leaf) for path, leaf in leaves(argument)]
        nested = _depth.get() > 0
        tokens = _depth.set(_depth.get() + 1), grad_mode.set(True)
        try:
            given = iter(inputs)
            result: object = function(map_leaves(lambda _: next(given), argument), *args, **kwargs)
            if not isinstance(result, Node) or result.size != 1:
                got = f"a node of shape {result.shape}" if isinstance(result, Node) else repr(type(result))
                raise TypeError(f"grad: the function must return a node of one element, not {got}")
            found: dict[Node, Any] = {}
            if result.tracked:
                one = np.ones(result.shape, result.dtype)
                found = backward(
                    [result],
                    [seal(one) if nested else one],
                    wanted=inputs,
                    create_graph=nested,
                    free=not nested,
                )
        finally:
            _depth.reset(tokens[0])
            grad_mode.reset(tokens[1])
        gradients = iter([_gradient(found.get(node), node, nested) for node in inputs])
        tree = map_leaves(lambda _: next(gradients), argument)
        return (result if nested else seal(result._value)), tree

    return differentiated


def _gradient(g: Any, node: Node, nested: bool) -> Any:
    if g is None:
        zeros = np.zeros_like(node._value)
        return seal(zeros) if nested else read_only(zeros)
    return g if nested else read_only(np.asarray(g) if isinstance(g, np.generic) else g)


def grad(function: Callable[Concatenate[A, P], Node]) -> Callable[Concatenate[A, P], A]:
    """A function that gives the gradient of `function` in its first argument.

    See `value_and_grad`. It nests: `grad(grad(f))` is the second derivative.

    >>> grad(grad(lambda x: x * x * x))(np.array(2.0))
    array(12.)
    """
    both = value_and_grad(function)

    def gradient(argument: A, /, *args: P.args, **kwargs: P.kwargs) -> A:
        return both(argument, *args, **kwargs)[1]

    return gradient

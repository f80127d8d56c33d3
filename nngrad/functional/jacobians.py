"""Jacobians and Hessians: the derivative in every direction, all at once by vmap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ParamSpec

import numpy as np

from .derivatives import _aux_of, fill, given_back, linearized, named_like, positions, pulled
from .node import Node, as_node
from .shape import reshape
from .splitting import split
from .trees import leaves, map_leaves
from .vectorize import Randomness, vmap

P = ParamSpec("P")


def _basis(tree: Any) -> Any:
    """A tree like this one whose leaves hold all unit vectors: (number of elements, *shape)."""
    nodes = [as_node(leaf) for _, leaf in leaves(tree)]
    total = sum([n.size for n in nodes])
    made, start = [], 0
    for n in nodes:
        unit = np.zeros((total, n.size), n.dtype)
        unit[start : start + n.size] = np.eye(n.size, dtype=n.dtype)
        made.append(unit.reshape(total, *n.shape))
        start += n.size
    return fill(tree, made)


def _selected(
    function: Callable[..., Any], argnums: int | Sequence[int], args: Sequence[Any], where: str
) -> Any:
    """A function of the chosen arguments alone, and those."""
    chosen = positions(where, argnums, args)

    def alone(*picked: Any) -> Any:
        given = list(args)
        for i, arg in zip(chosen, picked):
            given[i] = arg
        return function(*given)

    return alone, [args[i] for i in chosen]


def jacrev(
    function: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[P, Any]:
    """A function that gives the Jacobian of `function` in the arguments `argnums`, row by row backwards.

    For an output of shape (*out) and an argument of shape (*in) it is a node of shape (*out, *in):
    in the structure of the output, each leaf in the structure of the argument (a tuple of them for
    several argnums). chunk_size: how many rows to compute at once. With has_aux the function returns
    (output, aux), and the result is (jacobian, aux).

    >>> jacrev(lambda x: x * x)(np.array([1.0, 2.0])).data
    array([[2., 0.],
           [0., 4.]])
    """

    def jacobian(*args: P.args, **kwargs: P.kwargs) -> Any:
        alone, picked = _selected(lambda *a: function(*a, **kwargs), argnums, args, "jacrev")
        value, pull, *aux = pulled("jacrev", alone, picked, has_aux)
        rows = vmap(pull, chunk_size=chunk_size)(_basis(value))
        made: list[Any] = []
        start = 0
        for _, leaf in leaves(value):
            out = as_node(leaf)
            trees = map_leaves(partial(_rows, range(start, start + out.size), out.shape), rows)
            made.append(trees[0] if isinstance(argnums, int) else trees)
            start += out.size
        result = fill(value, made)
        return (result, *aux) if has_aux else result

    return named_like(jacobian, function)


def _rows(here: range, shape: tuple[int, ...], rows: Node) -> Node:
    """The rows of one leaf of the output, in its shape."""
    return given_back(reshape(rows[here.start : here.stop], (*shape, *rows.shape[1:])))  # type: ignore[no-any-return]


def jacfwd(
    function: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    randomness: Randomness = "error",
    chunk_size: int | None = None,
) -> Callable[P, Any]:
    """A function that gives the Jacobian of `function`, column by column forwards; see `jacrev`.

    Cheaper than `jacrev` where there are fewer inputs than outputs.

    >>> jacfwd(lambda x: x * x)(np.array([1.0, 2.0])).data
    array([[2., 0.],
           [0., 4.]])
    """

    def jacobian(*args: P.args, **kwargs: P.kwargs) -> Any:
        alone, picked = _selected(lambda *a: function(*a, **kwargs), argnums, args, "jacfwd")
        kept: list[Any] = []

        def first(*given: Any) -> Any:
            if not has_aux:
                return alone(*given)
            value, aux = _aux_of(alone(*given), "jacfwd")
            kept.append(aux)
            return value

        _, push = linearized("jacfwd", first, picked, False)
        columns = vmap(push, out_dims=-1, randomness=randomness, chunk_size=chunk_size)(*_basis(picked))
        inputs = [leaf for _, leaf in leaves(picked)]
        sizes = [as_node(leaf).size for leaf in inputs]

        def apart(whole: Any) -> Any:
            node = as_node(whole)
            parts = split(node, sizes, -1)
            tree = fill(
                picked,
                [
                    given_back(reshape(p, (*node.shape[:-1], *as_node(leaf).shape)))
                    for p, leaf in zip(parts, inputs)
                ],
            )
            return tree[0] if isinstance(argnums, int) else tuple(tree)

        result = map_leaves(apart, columns)
        if not has_aux:
            return result
        return result, map_leaves(lambda x: given_back(x) if isinstance(x, Node) else x, kept[0])

    return named_like(jacobian, function)


def hessian(function: Callable[P, Any], argnums: int | Sequence[int] = 0) -> Callable[P, Any]:
    """A function that gives the matrix of second derivatives: `jacfwd(jacrev(function))`.

    For an argument of shape (*in) and a function that returns one element, a node of shape (*in, *in).

    >>> hessian(lambda x: np.sum(x * x * x))(np.array([1.0, 2.0])).data
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return named_like(jacfwd(jacrev(function, argnums), argnums), function)

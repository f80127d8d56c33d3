"""Forward mode: tangents pushed through a recorded graph, by each op's one derivative.

The kind of an op says how (see op.py). The tangents of a general op come from its vjp, transposed:
the vjp is linear in the cotangent, so its own transpose carries tangents forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from .batch import NeedsBatching, inside_all, replaying
from .engine import backward, unbroadcast
from .node import Node, as_node, grad_mode, seal, variable
from .op import Op


def push_forward(outputs: Sequence[Node], tangents: Mapping[Node, Any], record: bool) -> list[Any]:
    """The tangents of `outputs` for the given tangents of nodes above them; None where they are zero.

    Arrays in, arrays out; with `record`, nodes in, nodes out, and the pass itself is differentiable.
    """
    found: dict[Node, Any] = dict(tangents)
    with np.errstate(all="ignore"):
        mode = grad_mode.set(record)
        replay = replaying.set(True)
        try:
            for node in _in_order(outputs, tangents):
                given = [found.get(parent) for parent in node._prev]
                if any(t is not None for t in given):
                    found[node] = _tangent(node, given, record)
        finally:
            replaying.reset(replay)
            grad_mode.reset(mode)
    return [found.get(out) for out in outputs]


def _in_order(outputs: Sequence[Node], known: Mapping[Node, Any]) -> list[Node]:
    """The tracked nodes above the outputs up to the known ones, parents first."""
    order: list[Node] = []
    done = set(known)
    for out in outputs:
        stack = [(out, False)] if out.tracked else []
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif node not in done:
                done.add(node)
                stack.append((node, True))
                stack.extend([(parent, False) for parent in node._prev if parent.tracked])
    return order


def _tangent(node: Node, given: list[Any], record: bool) -> Any:
    """The tangent of a node's value, from those of its parents."""
    op: Any = node.op
    if record:
        return _spread(_rule(op, node, list(node._prev), given, node.params), node)
    values = [parent._value for parent in node._prev]
    try:
        return _spread(_rule(op, node._value, values, given, node.params), node)
    except NeedsBatching:
        lifted = [None if t is None else as_node(t) for t in given]
        result = _spread(_rule(op, node, list(node._prev), lifted, node.params), node)
        return None if result is None else result._value


def _spread(tangent: Any, node: Node) -> Any:
    """The tangent in the shape of its node: a rule may leave out broadcasting."""
    if tangent is None or tangent.shape == node.shape:
        return tangent
    return np.broadcast_to(tangent, node.shape)


def _rule(op: Op, out: Any, inputs: list[Any], given: list[Any], params: tuple[Any, ...]) -> Any:
    """The tangent of `out`, by the kind of the op; on arrays or on nodes."""
    if op.kind == "pointwise":
        terms = [
            rule(t, out, *inputs, *params)
            for rule, t in zip_longest(op.rules, given)
            if rule is not None and t is not None
        ]
        return _total(terms)
    if op.kind == "linear":
        return op(*[_or_zero(t, x) for t, x in zip(given, inputs)], *params)
    if op.kind == "bilinear":
        terms = [op(*inputs[:i], t, *inputs[i + 1 :], *params) for i, t in enumerate(given) if t is not None]
        return _total(terms)
    pushed = NotImplemented if op.jvp is None else op.jvp(given, out, inputs, params)
    return _transposed(op, out, inputs, given, params) if pushed is NotImplemented else pushed


def _total(terms: Sequence[Any]) -> Any:
    total = None
    for term in terms:
        if term is not None:
            total = term if total is None else np.add(total, term)
    return total


def _or_zero(tangent: Any, x: Any) -> Any:
    """The tangent of an input of a linear op; what is no float (an index) stays as it is."""
    if tangent is not None or x.dtype.kind not in "fc":
        return x if tangent is None else tangent
    zeros = np.zeros(x.shape, x.dtype)
    return seal(zeros) if type(x) is Node else zeros


def _transposed(op: Op, out: Any, inputs: list[Any], given: list[Any], params: tuple[Any, ...]) -> Any:
    """A general op's tangent: <vjp(u), t> is linear in u, and its derivative in u is the tangent."""
    nodes = type(out) is Node
    u = variable(seal(inside_all(np.zeros_like(out._value if nodes else out))))
    token = grad_mode.set(True)
    try:
        sealed = [x if nodes else seal(x) for x in inputs]
        there = out if nodes else seal(out)
        if op.vjp is not None:
            sent = op.vjp(u, there, sealed, params, None, [t is not None for t in given])
        else:
            sent = [
                rule(u, there, *sealed, *params) if rule is not None and t is not None else None
                for rule, t in zip_longest(op.rules, given)
            ]
        pairs = [
            (unbroadcast(s, x.shape), t)
            for s, t, x in zip(sent, given, inputs)
            if s is not None and t is not None
        ]
    finally:
        grad_mode.reset(token)
    live = [(s, t) for s, t in pairs if s.tracked]
    if not live:
        return None
    cotangents = [t for _, t in live]
    return backward([s for s, _ in live], cotangents, wanted=[u], create_graph=nodes, free=False).get(u)

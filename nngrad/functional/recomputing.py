"""checkpoint: what a function computes is run again for its derivative, in place of being kept.

The node that stands for the function has for parents the arguments, and whatever the function uses
beside them: these are the nodes of its graph that are still there when the function's own are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, Final, ParamSpec, TypeVar
from weakref import ref

import numpy as np

from .batch import levels, loops, replaying
from .custom import Derivative, custom_nodes, part_op, unpacked
from .derivatives import fill, recording
from .engine import backward
from .node import Node, as_node, seal, variable
from .op import Op, general
from .trees import leaves

R = TypeVar("R")
P = ParamSpec("P")


def _vjp(g: Any, out: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    record = type(g) is Node
    nodes = [x if record else seal(x) for x in inputs]
    sent = params[0].pull(g if record else seal(g), nodes, record)
    return [None if s is None or not need else s if record else s._value for s, need in zip(sent, needs)]


#: what it sends has gone through a graph from the function's results to its arguments: see `FINAL`
checkpoint_op: Final[Op] = general("checkpoint", lambda *args: args[-1], vjp=_vjp, uses_out=False)

_VALUE: Final = object()  # in the place of an argument's value


def checkpoint(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`function(*args)`, of which nothing is kept for the derivative: it is run again for that.

    Whatever the function uses beside its arguments receives its gradient too. It is run again in the
    modes, and in the runs of vmap, that it was first run in, and must give the same values.

    >>> from nngrad.functional import grad, tanh
    >>> round(float(grad(lambda x: checkpoint(lambda y: tanh(tanh(y)), x))(np.array(0.0))), 3)
    1.0
    """
    given: list[Any] = [list(args), kwargs]
    found = [leaf for _, leaf in leaves(given)]
    numeric = [hasattr(x, "node") or isinstance(x, (np.ndarray, np.generic)) for x in found]
    nodes = [as_node(x) for x, is_value in zip(found, numeric) if is_value]
    # (a strong reference to the arguments here would make of a chain of checkpoints a chain of closures)
    options = [_VALUE if is_value else x for x, is_value in zip(found, numeric)]
    shape = fill(given, options)
    context = copy_context()
    draws = [(level, level.at) for level in (*loops.get(), *levels.get())]

    def run(inputs: Sequence[Node]) -> Any:
        values = iter(inputs)
        positional, named = fill(shape, [next(values) if x is _VALUE else x for x in options])
        again: Callable[..., Any] = function
        return again(*positional, **named)

    own = [variable(n) if n.tracked else n for n in nodes]
    result = run(own)
    outs = [as_node(leaf) for _, leaf in leaves(result)]
    graph = _graph(outs, own)
    outs = [seal(out._value) for out in outs]
    result = fill(result, outs)
    used, ends = _used(graph)
    live = [out for out in outs if out.dtype.kind in "fc"]
    others = [ref(node) for node in used]

    def again(inputs: list[Node]) -> Any:
        replaying.set(True)
        now = [level.at for level, _ in draws]
        for level, at in draws:
            level.at = at
        with recording():
            own = [_own(x) for x in inputs]
            redone = [as_node(leaf) for _, leaf in leaves(run(own))]
        for (level, _), at in zip(draws, now):
            level.at = at
        return own, redone

    def pull(g: Node, inputs: list[Node], record: bool) -> list[Any]:
        own, redone = context.copy().run(again, inputs[: len(nodes)])
        new = [n for n in redone if n.dtype.kind in "fc"]
        pairs = [(n, p if record else p._value) for n, p in zip(new, unpacked(g, live)) if n.tracked]
        keys = [*own, *[other() for other in others]]
        sent = backward(
            [n for n, _ in pairs],
            [p for _, p in pairs],
            wanted=[key for key in keys if key is not None and key.tracked],
            ends=frozenset([*own, *[keys[len(own) + i] for i in ends]]),
            create_graph=record,
            free=False,
        )
        return [None if key not in sent else as_node(sent[key]) for key in keys]

    made = custom_nodes([*nodes, *used], outs, Derivative(pull), checkpoint_op)
    typed: R = fill(result, made)
    return typed


def _own(x: Node) -> Node:
    """An argument as a node of its own, that is in the graph of the original if that is in one."""
    if x.dtype.kind not in "fc":
        return x
    return part_op.call(x, _as_it_is) if x.tracked else variable(x)


def _as_it_is(g: Any) -> Any:
    return g


#: nodes, each with the numbers of its parents, that are not kept alive; and which of them came first
_Graph = tuple[list[tuple[Any, list[int]]], list[int]]


def _graph(outs: Sequence[Node], own: Sequence[Node]) -> _Graph:
    """The tracked nodes above the outputs, but for those of one's own."""
    known = set(own)
    numbers: dict[Node, int] = {}
    found: list[tuple[Any, list[int]]] = []

    def number(node: Node) -> int:
        if node not in numbers:
            numbers[node] = len(found)
            found.append((ref(node), []))
        return numbers[node]

    roots = [number(out) for out in outs if out.tracked and out not in known]
    stack = list(numbers)
    while stack:
        node = stack.pop()
        parents = found[numbers[node]][1]
        for parent in node._prev:
            if parent.tracked and parent not in known:
                if parent not in numbers:
                    stack.append(parent)
                parents.append(number(parent))
    return found, roots


def _used(graph: _Graph) -> tuple[list[Node], list[int]]:
    """The nodes that others hold on to, now that the function's own are gone; and which of them a walk
    from the outputs comes to first. The variables above those are among them: it may be that the
    function has put aside a node of its own, which will not be there when it is run again."""
    nodes, roots = graph
    used: dict[Node, bool] = {}
    seen: set[tuple[int, bool]] = set()
    stack = [(i, True) for i in roots]
    while stack:
        at = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        (there, parents), first = nodes[at[0]], at[1]
        node = there()
        if node is not None and (first or not node._prev):
            used[node] = used.get(node, False) or first
        stack.extend([(parent, first and node is None) for parent in parents])
    return list(used), [i for i, node in enumerate(used) if used[node] and node._prev]

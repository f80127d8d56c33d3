"""Reverse mode: one loop over the graph, from the roots to the leaves.

The engine counts each node's consumers, visits a node when all of them have been visited, and
adds up what their rules send back. It owns the buffers it allocates, and only in those does it
add in place. Handed `create_graph=True` it runs the same rules on nodes, which records them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from itertools import dropwhile, zip_longest
from sys import getrefcount
from typing import Any, Final

import numpy as np

from .batch import ANSWERS, Batch, NeedsBatching, belonging, replaying
from .node import FREED, Draft, Node, grad_mode, seal
from .scattering import dense, scatter_add

ndarray = np.ndarray
_set_op: Final = Draft.__dict__["op"].__set__  # a slot is a descriptor
_set_value: Final = Draft.__dict__["_value"].__set__
_set_prev: Final = Draft.__dict__["_prev"].__set__
_set_saved: Final = Draft.__dict__["saved"].__set__

#: what is called with a node's cotangent before the node's rules run; id(node) -> hooks by number
HOOKS: Final[dict[int, dict[int, Callable[[Any], Any]]]] = {}

#: what looks at the cotangents that each node sends its parents, while somebody asks: see detect_anomaly
CHECK: Final[ContextVar[Callable[[Node, Sequence[Any]], None] | None]] = ContextVar(
    "nngrad_backward_check", default=None
)


def _count_alone() -> int:
    thing = object()
    return getrefcount(thing)


#: what getrefcount says of an object that one local name refers to: 2, from CPython 3.14 on 1
ALONE: Final = _count_alone()


def _count_in_zip() -> int:
    for thing, _ in zip((object(),), (None,)):
        return getrefcount(thing)
    raise AssertionError


#: what getrefcount says of a loop's variable that comes from a tuple, by way of zip
IN_ZIP: Final = _count_in_zip()


class Scatter:
    """The cotangent of `x[index]`: `g` at `index`, zero elsewhere. The engine adds it in place."""

    __slots__ = ("g", "index")

    def __init__(self, g: Any, index: Any) -> None:
        self.g: Any = g
        self.index: Any = index


class Cleared:
    """The cotangent of the array that an assignment wrote into: `g`, with zero at `index`."""

    __slots__ = ("g", "index")

    def __init__(self, g: Any, index: Any) -> None:
        self.g: Any = g
        self.index: Any = index


def copied(array: Any) -> Any:
    """A copy to write into, of an array of any library."""
    return np.array(array) if isinstance(array, (ndarray, np.generic)) else np.copy(array)


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the dimensions along which its input was broadcast."""
    lead = len(g.shape) - len(shape)
    axes = tuple(range(lead)) + tuple(
        [i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1]
    )
    if axes:
        g = np.sum(g, axis=axes, keepdims=True)
    return np.reshape(g, shape) if lead else g


def consumers(
    roots: Iterable[Node], wanted: Sequence[Node] = (), ends: frozenset[Node] = frozenset()
) -> dict[Node, int]:
    """How many edges lead to each tracked node below the roots; a root starts from 0.

    With `wanted`, only the nodes on a path from a root to a wanted node are counted. Of `ends`, what
    comes below is not looked at.
    """
    counts: dict[Node, int] = dict.fromkeys([root for root in roots if root.tracked], 0)
    stack = list(counts)
    pop = stack.pop
    push = stack.append
    seen = counts.get
    while stack:
        node = pop()
        if ends and node in ends:
            continue
        for parent in node._prev:
            if parent.tracked:
                count = seen(parent)
                if count is None:
                    counts[parent] = 1
                    push(parent)
                else:
                    counts[parent] = count + 1
    return _on_paths_to(wanted, counts, ends) if wanted else counts


def _on_paths_to(wanted: Sequence[Node], counts: dict[Node, int], ends: frozenset[Node]) -> dict[Node, int]:
    children: dict[Node, list[Node]] = {node: [] for node in counts}
    for node in counts:
        for parent in () if node in ends else node._prev:
            if parent in children:
                children[parent].append(node)
    stack = [node for node in dict.fromkeys(wanted) if node in counts]
    kept: dict[Node, int] = dict.fromkeys(stack, 0)
    while stack:
        node = stack.pop()
        kept[node] = len(children[node])
        for child in children[node]:
            if child not in kept:
                kept[child] = 0
                stack.append(child)
    return kept


def cycle_error(nodes: Iterable[Node]) -> RuntimeError:
    """Find a cycle among `nodes` by a depth-first walk and name its ops, child before parent."""
    done: set[Node] = set()
    for start in nodes:
        path: dict[Node, Iterator[Node]] = {start: iter(start._prev)}
        while path:
            node, parents = next(reversed(path.items()))
            for parent in parents:
                if parent in path:
                    cycle = dropwhile(lambda n: n is not parent, path)  # noqa: B023  # called here only
                    names = [n.op.name if n.op else "variable" for n in cycle]
                    return RuntimeError(f"backward: the graph has a cycle: {' <- '.join([*names, names[0]])}")
                if parent not in done:
                    path[parent] = iter(parent._prev)
                    break
            else:
                done.add(node)
                del path[node]
    raise AssertionError("backward: nodes were left over without a cycle")


def backward(
    roots: Sequence[Node],
    cotangents: Sequence[Any],
    *,
    wanted: Iterable[Node] = (),
    ends: frozenset[Node] = frozenset(),
    create_graph: bool = False,
    free: bool = True,
) -> dict[Node, Any]:
    """The gradient of sum(root * cotangent) in every leaf below the roots, and in `wanted` nodes.

    roots, cotangents: nodes, and for each an array (a node if create_graph) of its shape and dtype.
    ends: wanted nodes from which nothing is sent on, as if they were leaves.
    free: let go of values that only this graph holds; a second backward through it raises.
    Returns arrays by node, nodes by node if `create_graph`. Nothing outside has changed if it
    raises, except that a graph being freed may be freed in part.
    Raises RuntimeError for a cycle, naming its ops, and for a graph that was freed before.
    """
    with np.errstate(all="ignore"):
        replay = replaying.set(True)
        try:
            if not create_graph:
                return _backward(roots, cotangents, tuple(wanted), ends, False, free)
            mode = grad_mode.set(True)
            try:
                return _backward(roots, cotangents, tuple(wanted), ends, True, free)
            finally:
                grad_mode.reset(mode)
        finally:
            replaying.reset(replay)


def _backward(
    roots: Sequence[Node],
    cotangents: Sequence[Any],
    wanted: Sequence[Node],
    ends: frozenset[Node],
    create_graph: bool,
    free: bool,
) -> dict[Node, Any]:
    counts = consumers(roots, wanted, ends)
    edges = counts.copy() if free else counts
    keep = frozenset(wanted)
    grads: dict[Node, Any] = {}
    owned: set[Node] = set()  # nodes whose entry in grads is a buffer that was allocated here
    results: dict[Node, Any] = {}
    for root, cotangent in zip(roots, cotangents, strict=True):
        if root in counts:
            if type(root._value) is Batch and type(cotangent) is ndarray:
                cotangent = belonging(cotangent, root._value)
            grads[root] = np.add(grads[root], cotangent) if root in grads else cotangent
    ready = [node for node in grads if counts[node] == 0]
    visited = 0
    add = np.add
    count_of = counts.get
    alone = ALONE + 2  # `counts` and `edges`
    check = CHECK.get()
    while ready:
        node = ready.pop()
        visited += 1
        g = grads.pop(node, None)
        own = is_owned = node in owned if owned else False
        if HOOKS and g is not None and id(node) in HOOKS:
            g, own = run_hooks(HOOKS[id(node)], g), False
        prev = node._prev
        if not prev:
            if g is not None:
                results[node] = g
            continue
        if keep and node in keep and g is not None:
            results[node] = g
            own = False
            if node in ends or not any(p in counts for p in prev):
                continue
        op: Any = node.op
        sent: Sequence[Any]
        if g is None:  # nothing flowed into this node, nothing flows out
            if node in ends:
                continue
            sent = (None,) * len(prev)
        else:
            params = node.params
            try:
                out = node if create_graph else node._value
                if op.vjp is not None:
                    values = prev if create_graph else [p._value for p in prev]
                    saved = None if create_graph else node.saved
                    sent = op.vjp(g, out, values, params, saved, [p in counts for p in prev])
                elif len(prev) == 1:  # the two common arities spelled out: they are most of the time
                    a: Any = prev[0]
                    if not create_graph:
                        a = a._value
                    (rule,) = op.rules
                    sent = (rule(g, out, a, *params) if params else rule(g, out, a),)
                elif len(prev) == 2 == len(op.rules):
                    a, b = prev
                    rule_a, rule_b = op.rules
                    need_a, need_b = a in counts, b in counts
                    if not create_graph:
                        a, b = a._value, b._value
                    if params:
                        sent = (
                            rule_a(g, out, a, b, *params) if need_a else None,
                            rule_b(g, out, a, b, *params) if need_b else None,
                        )
                    else:
                        sent = (
                            rule_a(g, out, a, b) if need_a else None,
                            rule_b(g, out, a, b) if need_b else None,
                        )
                else:
                    values = prev if create_graph else [p._value for p in prev]
                    sent = [
                        rule(g, out, *values, *params) if rule is not None and p in counts else None
                        for p, rule in zip_longest(prev, op.rules)
                    ]
            except NeedsBatching:
                if create_graph:  # the rule ran on nodes already: a vmap around takes its examples in turn
                    raise
                sent = _by_nodes(node, g, [p in counts for p in prev])
            if check is not None:
                check(node, sent)
        has_leaf = False
        for parent, gp in zip(prev, sent):
            count = count_of(parent)
            if count is None:
                if free and op.freed is not None and getrefcount(parent) == IN_ZIP:  # only `prev` has it
                    _set_value(parent, FREED)
                continue
            if not parent._prev:
                has_leaf = True
            if count == 1:
                ready.append(parent)
            else:
                counts[parent] = count - 1
            if gp is None:
                continue
            kind = type(gp)
            if kind is not ndarray:
                if kind is Node or kind is Batch:
                    if type(node._value) is Batch:
                        gp = ANSWERS["summed_to"](gp, node, parent)
                elif kind is Scatter:
                    buffer = grads.get(parent)
                    if parent not in owned:
                        owned.add(parent)
                        if buffer is None:
                            grads[parent] = dense(gp.g, gp.index, parent._value.shape)
                            continue
                        grads[parent] = buffer = copied(buffer)
                    scatter_add(buffer, gp.index, gp.g)
                    continue
                elif kind is Cleared:
                    index = gp.index
                    gp = gp.g if own else copied(gp.g)
                    gp[index] = 0
                    if parent not in grads:
                        grads[parent] = gp
                        owned.add(parent)
                        continue
            if not op.keeps_shape:
                shape = parent._value.shape
                if gp.shape != shape:
                    gp = unbroadcast(gp, shape)
            buffer = grads.get(parent)
            if buffer is None:
                grads[parent] = gp
            elif parent in owned and type(gp) is not Batch:
                add(buffer, gp, out=buffer)
            else:
                grads[parent] = buffer = add(buffer, gp)
                owned.discard(parent)
                if type(buffer) is ndarray:
                    owned.add(parent)
        if free and op.freed is not None:
            _set_op(node, op.freed)
            if node.saved is not None:
                _set_saved(node, None)
            if has_leaf:  # lest a graph that is only looked at holds on to old values of parameters
                _set_prev(node, type(prev)([_stand_in(p) for p in prev]))
            # only its consumers and the collections of this function refer to it
            if getrefcount(node) == alone + edges[node] + is_owned:
                _set_value(node, FREED)
    if visited != len(counts):
        raise cycle_error(counts)
    return results


def _by_nodes(node: Node, g: Any, needs: list[bool]) -> list[Any]:
    """What a node's rules send where a vmap has values: run on nodes, every function finds its rule."""
    op: Any = node.op
    prev = node._prev

    def send(g: Any) -> Any:
        if op.vjp is not None:
            return op.vjp(g, node, prev, node.params, None, needs)
        return [
            rule(g, node, *prev, *node.params) if rule is not None and need else None
            for rule, need in zip_longest(op.rules, needs)
        ]

    return by_nodes(send, g)  # type: ignore[no-any-return]  # a list


def by_nodes(function: Callable[..., Any], *values: Any) -> Any:
    """`function` of values some of which are batches, computed on nodes outside any graph."""
    mode, replay = grad_mode.set(False), replaying.set(True)
    try:
        result = function(*[seal(v) for v in values])
    finally:
        replaying.reset(replay)
        grad_mode.reset(mode)
    if isinstance(result, list):
        return [x._value if type(x) is Node else x for x in result]
    return result._value if type(result) is Node else result


def _stand_in(parent: Node) -> Node:
    """A variable without its value; any other node as it is."""
    if parent._prev or not parent.tracked:
        return parent
    return seal(FREED, params=parent.params, tracked=True)


def run_hooks(hooks: Mapping[int, Callable[[Any], Any]], g: Any) -> Any:
    """The cotangent after a node's hooks; each may return one to take its place."""
    for hook in list(hooks.values()):
        replaced = hook(g)
        if replaced is not None:
            g = replaced
    return g

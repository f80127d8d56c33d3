"""Derivatives that a program states itself, or stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, ParamSpec, TypeVar

import numpy as np

from .batch import belonging, inside_all, replaying
from .derivatives import fill, node_of, recording
from .engine import backward
from .joining import concat
from .node import Node, as_node, grad_mode, seal, variable
from .op import Op, cast, general, linear
from .shape import reshape
from .trees import leaves, map_leaves, map_trees

A = TypeVar("A")
R = TypeVar("R")
P = ParamSpec("P")


def stop_gradient(tree: A) -> A:
    """The same values, as constants: no derivative passes.

    >>> from nngrad.functional import grad
    >>> grad(lambda x: x * stop_gradient(x))(np.array(3.0))
    array(3.)
    """
    return map_leaves(lambda x: seal(x._value) if isinstance(x, Node) else x, tree)


# ---------------------------------------------------------------- nodes with a derivative of their own


class Derivative:
    """What a custom node knows. pull(cotangents, inputs, record) gives one cotangent (or None) for
    each input; push(tangents, inputs), if there is one, the tangent. All are nodes."""

    __slots__ = ("pull", "push")

    def __init__(self, pull: Callable[..., Any], push: Callable[..., Any] | None = None) -> None:
        self.pull: Callable[..., Any] = pull
        self.push: Callable[..., Any] | None = push


def _custom_vjp(g: Any, out: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    derivative: Derivative = params[0]
    if type(g) is Node:
        with recording():  # transforms that the program's rule uses are differentiated too
            sent = derivative.pull(g, list(inputs), True)
        return [s if need else None for s, need in zip(sent, needs)]
    mode, replay = grad_mode.set(False), replaying.set(True)
    try:
        sent = derivative.pull(seal(g), [seal(x) for x in inputs], False)
    finally:
        replaying.reset(replay)
        grad_mode.reset(mode)
    # what a program sends may be the same for all examples, and each of them sends it
    return [belonging(s._value, out) if need and s is not None else None for s, need in zip(sent, needs)]


def _custom_jvp(given: list[Any], out: Any, inputs: list[Any], params: Any) -> Any:
    derivative: Derivative = params[0]
    if derivative.push is None:
        return NotImplemented
    tangents = [seal(np.zeros(x.shape, x.dtype)) if t is None else as_node(t) for t, x in zip(given, inputs)]
    pushed = derivative.push(tangents, [as_node(x) for x in inputs])
    return pushed if type(out) is Node else pushed._value


custom_op: Final[Op] = general("custom", lambda *args: args[-1], vjp=_custom_vjp, uses_out=False)
custom_op.jvp = _custom_jvp


def packed(outs: Sequence[Node]) -> Node:
    """Several nodes as one vector, so that one node can stand for all outputs of a function."""
    return outs[0] if len(outs) == 1 else concat([reshape(out, -1) for out in outs])


def unpacked(flat: Node, like: Sequence[Any]) -> list[Node]:
    """The nodes that were packed, of their shapes and dtypes."""
    if len(like) == 1:
        return [flat]
    parts, start = [], 0
    for out in like:
        size = math.prod(out.shape)
        parts.append(cast(reshape(flat[start : start + size], out.shape), out.dtype))
        start += size
    return parts


#: one of the outputs that were packed, taken out; note(g) is called when its cotangent comes by
part_op: Final = linear("custom_part", lambda x, note: x, lambda g, _, x, note: note(g))


def custom_nodes(
    inputs: Sequence[Node], outs: Sequence[Node], derivative: Derivative, op: Op = custom_op
) -> list[Node]:
    """Outputs that were computed outside the graph, as functions of the inputs with that derivative.

    derivative.pull gets the packed cotangent. What is no float stays a constant.
    """
    live = [out for out in outs if out.dtype.kind in "fc"]
    if not live or not grad_mode.get() or not any(x.tracked for x in inputs):
        return [seal(out._value) for out in outs]
    flat = packed([seal(out._value) for out in live])
    node = seal(flat._value, op, tuple(inputs), (derivative,), True)
    made = iter(unpacked(node, live))
    return [next(made) if out.dtype.kind in "fc" else out for out in outs]


def _quietly(function: Callable[..., Any], *args: Any) -> Any:
    """Call outside any graph."""
    token = grad_mode.set(False)
    try:
        return function(*args)
    finally:
        grad_mode.reset(token)


def _floating(tree: Any) -> list[Node]:
    return [n for n in [as_node(leaf) for _, leaf in leaves(tree)] if n.dtype.kind in "fc"]


class custom_vjp(Generic[P, R]):
    """A function whose derivative is given by a pair of functions.

    `f.defvjp(forward, backward)`: forward(*args) gives (output, residuals), backward(residuals,
    cotangent) a tuple with a cotangent (or None) for each argument. The cotangent has the structure
    of the output. Arguments are trees. Raises TypeError where no pair was given.

    >>> from nngrad.functional import grad
    >>> clipped = custom_vjp(lambda x: x * x)
    >>> clipped.defvjp(lambda x: (x * x, x), lambda x, g: (g * 2.0 * x * 0.5,))
    >>> grad(clipped)(np.array(3.0))
    array(3.)
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.__wrapped__: Callable[P, R] = function
        self._pair: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def defvjp(self, forward: Callable[P, tuple[R, Any]], backward: Callable[[Any, Any], Any]) -> None:
        """Say what the derivative is; see the class."""
        self._pair = forward, backward

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._pair is None:
            raise TypeError("custom_vjp: call defvjp(forward, backward) before the function")
        if kwargs:
            raise TypeError("custom_vjp: give the arguments by position")
        forward, backward = self._pair
        nodes = [as_node(leaf) for _, leaf in leaves(list(args))]
        constants = fill(list(args), [seal(n._value) for n in nodes])
        result, residuals = _pair("custom_vjp: forward", "(output, residuals)", _quietly(forward, *constants))
        outs = [as_node(leaf) for _, leaf in leaves(result)]
        live = [out for out in outs if out.dtype.kind in "fc"]

        def pull(g: Node, inputs: list[Node], record: bool) -> list[Any]:
            kept = forward(*fill(list(args), inputs))[1] if record else residuals
            parts = iter(unpacked(g, live))
            cotangent = fill(
                result, [next(parts) if o.dtype.kind in "fc" else np.zeros(o.shape) for o in outs]
            )
            sent = backward(kept, cotangent)
            if not isinstance(sent, tuple) or len(sent) != len(args):
                raise TypeError(
                    "custom_vjp: backward must return a tuple with one cotangent for each of the "
                    f"{len(args)} arguments"
                )
            return _cotangents(args, sent)

        made = custom_nodes(nodes, outs, Derivative(pull))
        typed: R = fill(result, made)
        return typed


def _pair(what: str, told: str, given: Any) -> tuple[Any, Any]:
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError(f"{what} must return {told}, not {type(given).__name__}")
    return given[0], given[1]


def _cotangents(args: Sequence[Any], sent: Sequence[Any]) -> list[Any]:
    """One cotangent or None for each leaf of the arguments."""
    found: list[Any] = []
    for i, (arg, g) in enumerate(zip(args, sent)):
        if g is None:
            found.extend([None for _ in leaves(arg)])
            continue
        paths = iter([path for path, _ in leaves(arg)])

        def check(leaf: Any, part: Any, i: int = i, paths: Iterator[str] = paths) -> None:
            node, there, path = as_node(part), as_node(leaf), next(paths)
            if node.shape != there.shape:
                raise ValueError(
                    f"custom_vjp: the cotangent of argument {i}{path and ' at ' + path} has shape "
                    f"{node.shape}, but the argument has {there.shape}"
                )
            found.append(cast(node, there.dtype) if there.dtype.kind in "fc" else None)

        map_trees(f"custom_vjp (the cotangent of argument {i})", check, arg, g)
    return found


class custom_jvp(Generic[P, R]):
    """A function whose derivative is given as one that carries tangents forward.

    `f.defjvp(rule)`: rule(primals, tangents) gives (output, tangent of the output) and must be linear
    in the tangents, so that the reverse mode can be had from it. Arguments are arrays or nodes, the
    output is one node. Raises TypeError where no rule was given.

    >>> from nngrad.functional import grad
    >>> tripled = custom_jvp(lambda x: x * 3.0)
    >>> tripled.defjvp(lambda primals, tangents: (primals[0] * 3.0, tangents[0] * 30.0))
    >>> grad(tripled)(np.array(1.0))
    array(30.)
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.__wrapped__: Callable[P, R] = function
        self._rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[R, R]]) -> None:
        """Say what the derivative is; see the class."""
        self._rule = rule

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        rule = self._rule
        if rule is None:
            raise TypeError("custom_jvp: call defjvp(rule) before the function")
        if kwargs:
            raise TypeError("custom_jvp: give the arguments by position")
        nodes = [node_of("custom_jvp", "argument", f" {i}", arg) for i, arg in enumerate(args)]
        out = as_node(_quietly(self.__wrapped__, *[seal(n._value) for n in nodes]))

        def push(tangents: list[Node], inputs: list[Node]) -> Node:
            told = "(output, tangent of the output)"
            tangent = as_node(_pair("custom_jvp: the rule", told, rule(tuple(inputs), tuple(tangents)))[1])
            if tangent.shape != out.shape:
                raise ValueError(
                    f"custom_jvp: the rule's tangent has shape {tangent.shape}, not {out.shape} as the output"
                )
            return tangent

        def pull(g: Node, inputs: list[Node], record: bool) -> list[Any]:
            values = [x._value for x in inputs]
            zeros = [
                variable(seal(inside_all(belonging(np.zeros(x.shape, x.dtype), *values))))
                if x.dtype.kind in "fc"
                else None
                for x in inputs
            ]
            token = grad_mode.set(True)
            try:
                tangent = push([x if z is None else z for z, x in zip(zeros, inputs)], inputs)
            finally:
                grad_mode.reset(token)
            wanted = [z for z in zeros if z is not None]
            if not tangent.tracked:
                return [None] * len(inputs)
            seed = g if record else g._value
            found = backward([tangent], [seed], wanted=wanted, create_graph=record, free=False)
            got = [None if z is None else found.get(z) for z in zeros]
            return [None if x is None else as_node(x) for x in got]

        made = custom_nodes(nodes, [out], Derivative(pull, push))
        return made[0]  # type: ignore[return-value]  # a node, as R is

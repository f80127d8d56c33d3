"""Derivatives of pure functions: backwards, forwards, and both, taken without changing anything.

Functions take and return trees (see trees.py) of arrays, numbers and nodes; inside them, the leaves
of what is differentiated are nodes. Outside of any transform the results are read-only: an array
where an array or a number was given, a node for a node, and nodes for what a function returned.
Inside another transform they are nodes, so that transforms nest in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar, overload

import numpy as np

from .batch import Batch, check_alive, inside_all, levels, replaying
from .engine import backward
from .forward import push_forward
from .node import Node, as_node, grad_mode, read_only, seal, variable
from .op import linear
from .trees import leaves, map_leaves, map_trees

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")
X = TypeVar("X")
P = ParamSpec("P")

#: how many derivatives are being taken around this point of the program
_depth: Final[ContextVar[int]] = ContextVar("nngrad_transform_depth", default=0)

#: around a transform of tensors: whether the program may ask for gradients of what it gives back, in
#: values that it was given or uses; the function that is transformed finds out
around: Final[ContextVar[list[bool] | None]] = ContextVar("nngrad_transform_around", default=None)

#: a node of its own with the same value, as belonging to every run of vmap around
alias_op: Final = linear("alias", inside_all, lambda g, _, x: g, elementwise=True)


def inside() -> bool:
    """Whether this is called by a function that is being differentiated or vectorised."""
    return is_recorded() or bool(levels.get())


def is_recorded() -> bool:
    """Whether derivatives taken here may be differentiated again."""
    told = around.get()
    return _depth.get() > 0 or (told is not None and told[0])


@contextmanager
def recording() -> Iterator[None]:
    """While the function runs that is being differentiated."""
    depth, mode = _depth.set(_depth.get() + 1), grad_mode.set(True)
    try:
        yield
    finally:
        grad_mode.reset(mode)
        _depth.reset(depth)


def node_of(where: str, what: str, path: str, leaf: Any) -> Node:
    """A leaf as a node. Raises TypeError for what is no value, RuntimeError for one of a vmap that has
    ended, naming its path."""
    try:
        node = as_node(leaf)
    except TypeError as error:
        raise TypeError(f"{where}: the {what}{path}: {error}") from None
    if type(node._value) is Batch and not replaying.get():
        check_alive(f"{where}: the {what}{path}", [node._value])
    return node


def _input(where: str, path: str, leaf: Any) -> Node:
    """A leaf of the differentiated argument as a node of its own."""
    node = node_of(where, "argument", path, leaf)
    if node.dtype.kind != "f":
        raise TypeError(
            f"{where}: only floating-point values can be differentiated, but the argument{path} is "
            f"{node.dtype}"
        )
    return alias_op.call(node) if node.tracked else variable(seal(inside_all(node._value)))


def inputs_of(where: str, args: list[Any]) -> tuple[list[Any], list[Node]]:
    """The arguments with a variable for each leaf, and the variables."""
    nodes = []
    for i, arg in enumerate(args):
        number = f" {i}" if len(args) > 1 else ""
        nodes += [_input(where, number + (path and " at " + path), leaf) for path, leaf in leaves(arg)]
    return fill(args, nodes), nodes


def fill(tree: A, values: Sequence[Any]) -> A:
    """The tree with other leaves."""
    given = iter(values)
    return map_leaves(lambda _: next(given), tree)


def _outputs(where: str, tree: Any) -> list[Node]:
    """The leaves of what a function returned."""
    found = list(leaves(tree))
    if not found:
        raise TypeError(f"{where}: the function must return nodes, but it returned {tree!r}")
    for path, leaf in found:
        if not hasattr(leaf, "node") and not isinstance(leaf, (np.ndarray, np.generic, float, complex)):
            raise TypeError(
                f"{where}: the function must return nodes, but its result"
                f"{path and ' at ' + path} is {type(leaf).__name__}"
            )
    return [as_node(leaf) for _, leaf in found]


def given_back(value: Any, like: Any = None) -> Any:
    """A result: as a node inside transforms, else read-only, and an array where one was given."""
    node = (
        value if type(value) is Node else seal(np.asarray(value) if isinstance(value, np.generic) else value)
    )
    if inside():
        return node
    return (
        read_only(node._value)
        if isinstance(like, (np.ndarray, np.generic, int, float, complex))
        else seal(node._value)
    )


def _or_zeros(g: Any, node: Node) -> Any:
    return np.zeros(node.shape, node.dtype) if g is None else g


def _aux_of(result: Any, where: str) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"{where}: with has_aux the function must return (output, aux), not {type(result).__name__}"
        )
    return result[0], map_leaves(lambda x: given_back(x) if isinstance(x, Node) else x, result[1])


def positions(where: str, argnums: int | Sequence[int], args: Sequence[Any]) -> list[int]:
    """Which of the arguments are meant. Raises ValueError for one that is not there, or meant twice."""
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    if not all(isinstance(i, int) for i in chosen):
        raise TypeError(f"{where}: argnums must be numbers of arguments, not {argnums!r}")
    if not chosen:
        raise ValueError(f"{where}: argnums must be non-empty")
    for i in chosen:
        if not -len(args) <= i < len(args):
            raise ValueError(
                f"{where}: argnums {argnums} names no argument: {len(args)} positional ones were given"
            )
    found = [i % len(args) for i in chosen]
    if len(set(found)) < len(found):
        raise ValueError(f"{where}: argnums {argnums} names an argument twice")
    return found


# ---------------------------------------------------------------- backwards


def pull_back(
    outs: Sequence[Node], cotangents: Sequence[Any], inputs: Sequence[Node], free: bool
) -> list[Any]:
    """The gradients in the inputs, zeros where there is none; recorded inside a derivative."""
    nested = is_recorded()
    live = [
        (out, as_node(c) if nested else c._value if type(c) is Node else c)
        for out, c in zip(outs, cotangents)
        if out.tracked
    ]
    found: dict[Node, Any] = {}
    if live:
        found = backward(
            [out for out, _ in live],
            [c for _, c in live],
            wanted=inputs,
            create_graph=nested,
            free=free and not nested,
        )
    return [_or_zeros(found.get(node), node) for node in inputs]


@overload
def value_and_grad(
    function: Callable[Concatenate[A, P], Node], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[A, P], tuple[Node, A]]: ...
@overload
def value_and_grad(
    function: Callable[Concatenate[A, P], tuple[Node, X]], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> Callable[Concatenate[A, P], tuple[tuple[Node, X], A]]: ...
@overload
def value_and_grad(
    function: Callable[Concatenate[A, B, P], Node],
    argnums: tuple[Literal[0], Literal[1]],
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[A, B, P], tuple[Node, tuple[A, B]]]: ...
@overload
def value_and_grad(
    function: Callable[Concatenate[A, B, P], Node], argnums: Literal[1], has_aux: Literal[False] = False
) -> Callable[Concatenate[A, B, P], tuple[Node, B]]: ...
@overload
def value_and_grad(
    function: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...
def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that gives `function`'s value and its gradient in the arguments `argnums`.

    function: takes trees of floating-point arrays there, and returns a node of one element (with
    has_aux, that and something else, which is given back beside the value). The gradient is a tree
    like the argument, a tuple of them for several argnums; zeros for a leaf that the value does not
    depend on. Raises TypeError for integers, naming their path, and for a function that returns no
    node of one element.

    >>> value, gradient = value_and_grad(lambda x: x * x)(np.array(3.0))
    >>> gradient
    array(6.)
    """

    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        chosen = positions("grad", argnums, args)
        several = not isinstance(argnums, int)
        trees, nodes = inputs_of("grad", [args[i] for i in chosen])
        given = list(args)
        for i, tree in zip(chosen, trees):
            given[i] = tree
        with recording():
            result = function(*given, **kwargs)
        aux = None
        if has_aux:
            result, aux = _aux_of(result, "grad")
        if not isinstance(result, Node) or result.size != 1:
            got = f"a node of shape {result.shape}" if isinstance(result, Node) else repr(type(result))
            raise TypeError(f"grad: the function must return a node of one element, not {got}")
        sent = pull_back([result], [seal(inside_all(np.ones(result.shape, result.dtype)))], nodes, free=True)
        likes = [leaf for _, leaf in leaves([args[i] for i in chosen])]
        gradients = fill([args[i] for i in chosen], [given_back(g, like) for g, like in zip(sent, likes)])
        value = given_back(result)
        return (value, aux) if has_aux else value, tuple(gradients) if several else gradients[0]

    return named_like(differentiated, function)


@overload
def grad(
    function: Callable[Concatenate[A, P], Node], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[A, P], A]: ...
@overload
def grad(
    function: Callable[Concatenate[A, P], tuple[Node, X]], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> Callable[Concatenate[A, P], tuple[A, X]]: ...
@overload
def grad(
    function: Callable[Concatenate[A, B, P], Node],
    argnums: tuple[Literal[0], Literal[1]],
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[A, B, P], tuple[A, B]]: ...
@overload
def grad(
    function: Callable[Concatenate[A, B, P], Node], argnums: Literal[1], has_aux: Literal[False] = False
) -> Callable[Concatenate[A, B, P], B]: ...
@overload
def grad(
    function: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[P, Any]: ...
def grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of `function` in the arguments `argnums`.

    With has_aux, a pair: the gradient, and what the function returned beside its value. See
    `value_and_grad`. It nests: `grad(grad(f))` is the second derivative.

    >>> grad(grad(lambda x: x * x * x))(np.array(2.0))
    array(12.)
    """
    both = value_and_grad(function, argnums, has_aux)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return named_like(gradient, function)


F = TypeVar("F", bound=Callable[..., Any])


def named_like(made: F, function: Callable[..., Any]) -> F:
    """A transformed function under the name of the original."""
    made.__name__ = getattr(function, "__name__", type(function).__name__)
    made.__doc__ = getattr(function, "__doc__", None)
    return made


@overload
def vjp(
    function: Callable[..., R], *primals: Any, has_aux: Literal[False] = False
) -> tuple[R, Callable[[Any], tuple[Any, ...]]]: ...
@overload
def vjp(
    function: Callable[..., tuple[R, X]], *primals: Any, has_aux: Literal[True]
) -> tuple[R, Callable[[Any], tuple[Any, ...]], X]: ...
@overload
def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool) -> tuple[Any, ...]: ...
def vjp(function: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `function(*primals)`, and a function from a cotangent to those of the primals.

    The cotangent is a tree like the value; the result is a tuple with a tree like each primal. It
    may be called any number of times. With has_aux, the function returns (output, aux), and aux is
    given back third. Raises TypeError or ValueError for a cotangent that does not fit the value.

    >>> value, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pull(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    return pulled("vjp", function, primals, has_aux)


def pulled(where: str, function: Callable[..., Any], primals: Sequence[Any], has_aux: bool) -> Any:
    """`vjp` under the name of the function that it is taken for."""
    trees, nodes = inputs_of(where, list(primals))
    with recording():
        result = function(*trees)
    aux = None
    if has_aux:
        result, aux = _aux_of(result, where)
    outs = _outputs(where, result)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        seeds = matching(where, "cotangent", fill(result, outs), cotangent)
        sent = pull_back(outs, seeds, nodes, free=False)
        likes = [leaf for _, leaf in leaves(list(primals))]
        return tuple(fill(list(primals), [given_back(g, like) for g, like in zip(sent, likes)]))

    value = fill(result, [given_back(out) for out in outs])
    return (value, pull, aux) if has_aux else (value, pull)


def matching(where: str, what: str, tree: Any, given: Any) -> list[Any]:
    """The values of a tree of tangents or cotangents, checked against the tree they are for.

    Raises TypeError where the trees differ, ValueError for another shape, naming the path.
    """
    found: list[Any] = []
    paths = iter([path for path, _ in leaves(tree)])

    def check(leaf: Any, other: Any) -> None:
        path = next(paths)
        node, value = as_node(leaf), node_of(where, what, path and " at " + path, other)
        if value.shape != node.shape:
            raise ValueError(
                f"{where}: the {what}{path and ' at ' + path} has shape {value.shape}, but its primal "
                f"has {node.shape}"
            )
        if value.dtype != node.dtype:
            if value.dtype.kind == "c" and node.dtype.kind != "c":
                raise TypeError(
                    f"{where}: the {what}{path and ' at ' + path} is {value.dtype}, not {node.dtype}"
                )
            from .op import cast

            value = cast(value, node.dtype)
        found.append(value if inside() else value._value)

    map_trees(f"{where} ({what})", check, tree, given)
    return found


# ---------------------------------------------------------------- forwards


@overload
def jvp(
    function: Callable[..., R],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    has_aux: Literal[False] = False,
) -> tuple[R, R]: ...
@overload
def jvp(
    function: Callable[..., tuple[R, X]],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    has_aux: Literal[True],
) -> tuple[R, R, X]: ...
@overload
def jvp(
    function: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...], *, has_aux: bool
) -> tuple[Any, ...]: ...
def jvp(
    function: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    has_aux: bool = False,
) -> Any:
    """The value of `function(*primals)` and its derivative in the direction of `tangents`.

    tangents: trees like the primals. Gives (value, tangent), with has_aux also what the function
    returned beside its output. Raises TypeError or ValueError for tangents that do not fit.

    >>> value, tangent = jvp(lambda x: x * x, (np.array(3.0),), (np.array(1.0),))
    >>> tangent.data
    array(6.)
    """
    for given in (primals, tangents):
        if not isinstance(given, (tuple, list)):
            raise TypeError(f"jvp: primals and tangents must be tuples, not {type(given).__name__}")
    if len(primals) != len(tangents):
        raise TypeError(f"jvp: {len(primals)} primals but {len(tangents)} tangents were given")
    value, push, *aux = linearized("jvp", function, primals, has_aux)
    return (value, push(*tangents), *aux)


def linearize(function: Callable[..., R], *primals: Any) -> tuple[R, Callable[..., R]]:
    """The value of `function(*primals)` and its derivative there, as a linear function of tangents.

    The function is run once; the derivative may be called any number of times.

    >>> value, push = linearize(lambda x: x * x, np.array(3.0))
    >>> push(np.array(2.0)).data
    array(12.)
    """
    value, push = linearized("linearize", function, primals, False)
    return value, push


def linearized(where: str, function: Callable[..., Any], primals: Sequence[Any], has_aux: bool) -> Any:
    """`linearize` under the name of the function that it is done for."""
    trees, nodes = inputs_of(where, list(primals))
    with recording():
        result = function(*trees)
    aux: tuple[Any, ...] = ()
    if has_aux:
        result, *aux_list = _aux_of(result, where)
        aux = tuple(aux_list)
    outs = _outputs(where, result)

    def push(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise TypeError(f"{where}: {len(primals)} primals but {len(tangents)} tangents were given")
        given = matching(where, "tangent", trees, list(tangents))
        nested = is_recorded()
        if nested:
            given = [as_node(t) for t in given]
        elif inside():
            given = [t._value if type(t) is Node else t for t in given]
        pushed = push_forward(outs, dict(zip(nodes, given)), nested)
        return fill(result, [given_back(_or_zeros(t, out)) for t, out in zip(pushed, outs)])

    return (fill(result, [given_back(out) for out in outs]), push, *aux)


def hvp(
    function: Callable[Concatenate[A, P], Node], primal: A, tangent: A, *args: P.args, **kwargs: P.kwargs
) -> tuple[A, A]:
    """The gradient of `function` in its first argument, and the product of its Hessian with `tangent`.

    Forward over reverse: a small multiple of the gradient's time, whatever the size.

    >>> gradient, product = hvp(lambda x: x * x * x, np.array(2.0), np.array(1.0))
    >>> product
    array(12.)
    """
    gradient, push = linearized("hvp", lambda x: grad(function)(x, *args, **kwargs), (primal,), False)
    product = push(tangent)
    likes = [leaf for _, leaf in leaves(primal)]

    def back(tree: Any) -> Any:
        return fill(primal, [given_back(g, like) for (_, g), like in zip(leaves(tree), likes)])

    return back(gradient), back(product)

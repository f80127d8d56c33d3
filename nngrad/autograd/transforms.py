"""Transforms of functions on tensors: those of `nngrad.functional`, with tensors for its nodes.

They nest in any order, also with `backward`: what they give back is recorded where the function was
given, or uses, a tensor that requires grad, unless grad mode is off around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from .. import functional as F
from ..functional.derivatives import around, named_like
from ..functional.node import Node, grad_mode
from ..functional.trees import leaves, map_leaves
from ..lifting import wrap
from ..tensor import Tensor

if TYPE_CHECKING:
    from ..functional.vectorize import InDims

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")
X = TypeVar("X")
P = ParamSpec("P")


def on_nodes(tree: Any) -> Any:
    """The tree with nodes for its tensors."""
    return map_leaves(lambda x: x.node if isinstance(x, Tensor) else x, tree)


def on_tensors(tree: Any) -> Any:
    """The tree with tensors for its nodes."""
    return map_leaves(lambda x: wrap(x) if type(x) is Node else x, tree)


@contextmanager
def _surrounded(told: list[bool]) -> Iterator[None]:
    """While a transform runs that is the program's own, not one inside another."""
    token = around.set(told)
    try:
        yield
    finally:
        around.reset(token)


def _told_of(args: Any) -> list[bool]:
    """Whether there is a tensor that requires grad: a list, in which the function may correct that."""
    if not grad_mode.get():
        return [False]
    return [any(isinstance(x, Tensor) and x.requires_grad for _, x in leaves(args))]


def _inner(function: Callable[..., Any], told: list[bool]) -> Callable[..., Any]:
    """The function on nodes. Notes whether it used tensors that require grad beside its arguments."""
    asked = grad_mode.get()

    def run(*args: Any, **kwargs: Any) -> Any:
        result = on_nodes(function(*on_tensors(args), **on_tensors(kwargs)))
        if asked and not told[0]:
            told[0] = uses_tensors([x for _, x in leaves(result) if type(x) is Node and x.tracked])
        return result

    return named_like(run, function)


def uses_tensors(nodes: list[Node]) -> bool:
    """Whether a variable above these nodes belongs to a tensor."""
    seen = set(nodes)
    while nodes:
        node = nodes.pop()
        if node.op is None and node.params and node.params[0] is not None:
            return True
        for parent in node._prev:
            if parent.tracked and parent not in seen:
                seen.add(parent)
                nodes.append(parent)
    return False


def _lifted(transform: Callable[..., Any], function: Callable[..., Any], *options: Any, **more: Any) -> Any:
    """`transform(function)` on tensors."""

    def transformed(*args: Any, **kwargs: Any) -> Any:
        told = _told_of((args, kwargs))
        with _surrounded(told):
            return on_tensors(transform(_inner(function, told), *options, **more)(*args, **kwargs))

    return named_like(transformed, function)


@overload
def grad(
    func: Callable[Concatenate[A, P], Tensor], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[A, P], A]: ...
@overload
def grad(
    func: Callable[Concatenate[A, P], tuple[Tensor, X]], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> Callable[Concatenate[A, P], tuple[A, X]]: ...
@overload
def grad(
    func: Callable[Concatenate[A, B, P], Tensor],
    argnums: tuple[Literal[0], Literal[1]],
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[A, B, P], tuple[A, B]]: ...
@overload
def grad(
    func: Callable[Concatenate[A, B, P], Tensor], argnums: Literal[1], has_aux: Literal[False] = False
) -> Callable[Concatenate[A, B, P], B]: ...
@overload
def grad(
    func: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[P, Any]: ...
def grad(
    func: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the gradient of `func` in the arguments `argnums`.

    func: takes trees of tensors there and returns a tensor of one element; with has_aux a pair of
    that and something else, and the result is a pair too. Raises TypeError for integers, naming
    their path in the tree, and for a function that returns something else.

    >>> grad(lambda x: x ** 3)(nngrad.tensor(2.0))
    tensor(12.)
    """
    return _lifted(F.grad, func, argnums, has_aux)  # type: ignore[no-any-return]  # a function


@overload
def grad_and_value(
    func: Callable[Concatenate[A, P], Tensor], argnums: Literal[0] = 0, has_aux: Literal[False] = False
) -> Callable[Concatenate[A, P], tuple[A, Tensor]]: ...
@overload
def grad_and_value(
    func: Callable[Concatenate[A, P], tuple[Tensor, X]], argnums: Literal[0] = 0, *, has_aux: Literal[True]
) -> Callable[Concatenate[A, P], tuple[A, tuple[Tensor, X]]]: ...
@overload
def grad_and_value(
    func: Callable[Concatenate[A, B, P], Tensor],
    argnums: tuple[Literal[0], Literal[1]],
    has_aux: Literal[False] = False,
) -> Callable[Concatenate[A, B, P], tuple[tuple[A, B], Tensor]]: ...
@overload
def grad_and_value(
    func: Callable[P, Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[P, tuple[Any, Any]]: ...
def grad_and_value(
    func: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that gives the gradient of `func`, as `grad`, and its value; with has_aux
    (gradient, (value, aux)).

    >>> grad_and_value(lambda x: x ** 3)(nngrad.tensor(2.0))
    (tensor(12.), tensor(8.))
    """
    both = _lifted(F.value_and_grad, func, argnums, has_aux)

    def swapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        value, gradient = both(*args, **kwargs)
        return gradient, value

    return named_like(swapped, func)


@overload
def vjp(
    func: Callable[..., R], *primals: Any, has_aux: Literal[False] = False
) -> tuple[R, Callable[..., tuple[Any, ...]]]: ...
@overload
def vjp(
    func: Callable[..., tuple[R, X]], *primals: Any, has_aux: Literal[True]
) -> tuple[R, Callable[..., tuple[Any, ...]], X]: ...
@overload
def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool) -> tuple[Any, ...]: ...
def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `func(*primals)`, and a function from a cotangent to those of the primals.

    The cotangent is a tree like the value; the result is a tuple with a tree like each primal. With
    has_aux, func returns (output, aux), and aux is given back third.

    >>> value, pull = vjp(lambda x: x * x, nngrad.tensor([1.0, 2.0]))
    >>> pull(nngrad.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    told = _told_of(primals)
    with _surrounded(told):
        value, pull, *aux = F.vjp(_inner(func, told), *primals, has_aux=has_aux)
        found = on_tensors((value, *aux))

    def pull_back(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        with _surrounded([(told[0] or _told_of(cotangents)[0]) and grad_mode.get()]):
            return on_tensors(pull(cotangents))

    return (found[0], pull_back, *found[1:])


@overload
def jvp(
    func: Callable[..., R],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: Literal[False] = False,
) -> tuple[R, R]: ...
@overload
def jvp(
    func: Callable[..., tuple[R, X]],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: Literal[True],
) -> tuple[R, R, X]: ...
@overload
def jvp(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool,
) -> tuple[Any, ...]: ...
def jvp(
    func: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """The value of `func(*primals)` and its derivative in the direction of `tangents`.

    tangents: trees like the primals. With has_aux, func returns (output, aux), and aux is given back
    third. strict: accepted for PyTorch's sake, without effect.

    >>> jvp(lambda x: x * x, (nngrad.tensor(3.0),), (nngrad.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    told = _told_of((primals, tangents))
    with _surrounded(told):
        return on_tensors(F.jvp(_inner(func, told), primals, tangents, has_aux=has_aux))


def linearize(func: Callable[..., R], *primals: Any) -> tuple[R, Callable[..., R]]:
    """The value of `func(*primals)` and its derivative there, as a linear function of tangents.

    >>> value, push = linearize(lambda x: x * x, nngrad.tensor(3.0))
    >>> push(nngrad.tensor(2.0))
    tensor(12.)
    """
    told = _told_of(primals)
    with _surrounded(told):
        value, push = F.linearize(_inner(func, told), *primals)
        found: R = on_tensors(value)

    def push_forward(*tangents: Any) -> Any:
        with _surrounded([(told[0] or _told_of(tangents)[0]) and grad_mode.get()]):
            return on_tensors(push(*tangents))

    return found, push_forward


def jacrev(
    func: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[P, Any]:
    """A function that gives the Jacobian of `func` in the arguments `argnums`, row by row backwards.

    For an output of shape (*out) and an argument of shape (*in) a tensor of shape (*out, *in), in
    the structure of the output, and there in that of the argument. chunk_size: rows at once.

    >>> jacrev(lambda x: x * x)(nngrad.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _lifted(F.jacrev, func, argnums, has_aux=has_aux, chunk_size=chunk_size)  # type: ignore[no-any-return]


def jacfwd(
    func: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    randomness: Literal["error", "different", "same"] = "error",
    chunk_size: int | None = None,
) -> Callable[P, Any]:
    """A function that gives the Jacobian of `func`, column by column forwards; see `jacrev`.

    >>> jacfwd(lambda x: x * x)(nngrad.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _lifted(F.jacfwd, func, argnums, has_aux, randomness=randomness, chunk_size=chunk_size)  # type: ignore[no-any-return]


def hessian(func: Callable[P, Any], argnums: int | Sequence[int] = 0) -> Callable[P, Any]:
    """A function that gives the matrix of second derivatives of `func`, which returns one element.

    >>> hessian(lambda x: (x ** 3).sum())(nngrad.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return _lifted(F.hessian, func, argnums)  # type: ignore[no-any-return]  # a function


def vmap(
    func: Callable[P, R],
    in_dims: InDims = 0,
    out_dims: InDims = 0,
    randomness: Literal["error", "different", "same"] = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[P, R]:
    """A function that runs `func` for every example of a batch at once.

    in_dims: which dimension of the arguments counts the examples: one for all, or a tree like the
    arguments; None for what all examples share, as they do keyword arguments. out_dims: where that
    dimension goes in the results, None for one that does not depend on the example.
    randomness: whether random functions raise ("error"), draw for each example ("different") or once
    ("same"). chunk_size: how many examples at most to compute at once. What has no rule for batches,
    as control flow on values, is run example by example. Raises ValueError for dimensions that do
    not fit, naming the argument's path.

    >>> x = nngrad.ones(3, 2)
    >>> vmap(nngrad.dot)(x, x)
    tensor([2., 2., 2.])
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        return on_nodes(untyped(*on_tensors(args), **on_tensors(kwargs)))

    untyped: Callable[..., Any] = func
    mapped = F.vmap(named_like(run, func), in_dims, out_dims, randomness, chunk_size=chunk_size)

    def batch(*args: P.args, **kwargs: P.kwargs) -> R:
        with _surrounded([grad_mode.get()]):
            result: R = on_tensors(mapped(*args, **kwargs))
        return result

    return named_like(batch, func)

"""Pairs of pure functions over trees: optimisers, which give new parameters, and transforms of gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from ..derivatives import fill, inside
from ..dtypes import Array
from ..node import Node, constant, read_only, seal
from ..trees import leaves
from .formula import Count, Formula, run, scratch_for

if TYPE_CHECKING:
    from pyrsistent import PMap

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
T = TypeVar("T")

#: a pure function from the number of updates so far to a rate
Schedule: TypeAlias = Callable[[int], float]
Rate: TypeAlias = float | Schedule


class State(NamedTuple):
    """What an optimiser remembers, an immutable value.

    steps: how many updates each parameter has had, a tree like the parameters. buffers: such trees of
    arrays by PyTorch's name (`momentum_buffer`, `exp_avg`, ...). numbers: such trees of numbers
    (`mu_product` of NAdam, `eta` and `mu` of ASGD). updates: how often `update` was called.
    """

    steps: Any
    buffers: Mapping[str, Any]
    numbers: Mapping[str, Any]
    updates: int


class Init(Protocol[S_co]):
    """params -> state."""

    def __call__(self, params: Any, /) -> S_co: ...


class Update(Protocol[S]):
    """(gradients, state, params) -> (what has the structure of the parameters, state)."""

    def __call__(self, gradients: Any, state: S, params: T, /) -> tuple[T, S]: ...


class Optimizer(NamedTuple, Generic[S]):
    """An optimiser as two pure functions over trees: mappings, lists, dataclasses, ..., or one array.

    init(params) is the state before the first update. update(gradients, state, params) gives the
    new parameters, in a tree of the same type, and the new state; a parameter without a gradient (None,
    or a name that is not there) stays as it is. Every array they give is read-only, no argument is
    changed. `update` raises ValueError for a gradient that is no parameter's or has another
    shape, and for parameters that `state` does not know; both raise TypeError for parameters that
    are not floating-point or complex, and for those of a function that is being differentiated.
    """

    init: Init[S]
    update: Update[S]


class Transform(NamedTuple, Generic[S]):
    """A step on the way from gradients to an update, as two pure functions; see `chain`.

    update(gradients, state, params) gives other gradients, in a tree of the parameters' structure
    with None where there is none.
    """

    init: Init[S]
    update: Update[S]


def rate_at(rate: Rate, count: int) -> float:
    """A rate, or what a schedule says it is."""
    return float(rate(count)) if callable(rate) else rate


def value_of(where: str, path: str, leaf: Any) -> Array:
    """A leaf's array. Raises TypeError for what no optimiser works on."""
    if isinstance(leaf, Node):
        if inside():
            raise TypeError(
                f"{where}: {path or 'the parameter'} belongs to a function that is being transformed; "
                "optimisers work on values, outside of it"
            )
        leaf = leaf._value
    if not isinstance(leaf, (np.ndarray, np.generic, float, complex)):
        raise TypeError(f"{where}: {path or 'the parameter'} must be an array, got {type(leaf).__name__}")
    array: Array = np.asarray(leaf)
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"{where}: {path or 'the parameter'} is {array.dtype}, neither floating-point nor complex"
        )
    return array


def matched(
    gradients: object, params: object, where: str = "update"
) -> list[tuple[str, Array, Array | None, Any]]:
    """Each parameter's path, array, gradient or None, and the parameter as it was given.

    Raises ValueError for gradients of what is no parameter, or of another shape; TypeError for a
    complex one of a real parameter.
    """
    given = dict(leaves(gradients))
    found: list[tuple[str, Array, Array | None, Any]] = []
    for path, leaf in leaves(params):
        p = value_of(where, path, leaf)
        grad = given.pop(path, None)
        if grad is None:
            found.append((path, p, None, leaf))
            continue
        g = value_of(f"{where}: the gradient", path, grad)
        if g.shape != p.shape:
            raise ValueError(f"{where}: the gradient of {path} has shape {g.shape}, not {p.shape}")
        if g.dtype.kind == "c" and p.dtype.kind != "c":
            raise TypeError(f"{where}: the gradient of {path} is {g.dtype}, its parameter {p.dtype}")
        found.append((path, p, g.astype(p.dtype, copy=False), leaf))
    if given:
        raise ValueError(f"{where}: gradients of {', '.join(given)}, which are no parameters")
    return found


def result(value: Array, like: object) -> Any:
    """A fresh array, from now on read-only; a node for a node."""
    return seal(value) if isinstance(like, Node) else read_only(value)


def kept(leaf: Any) -> Any:
    """A parameter that stays as it is."""
    return leaf if isinstance(leaf, Node) else read_only(constant(leaf)._value)


def named(trees: Mapping[str, Any]) -> PMap[str, Any]:
    """Trees by name, read-only."""
    from pyrsistent import pmap

    return pmap(trees)


def optimizer(formula: Formula, rate: Rate, *numbers: object) -> Optimizer[State]:
    """The pure functions of a formula. Raises ValueError for invalid numbers."""
    first = formula.hyper(rate_at(rate, 0), *numbers)
    formula.check(first)
    kinds = formula.buffers(first)

    def init(params: Any, /) -> State:
        values = [value_of("init", path, leaf) for path, leaf in leaves(params)]
        start = formula.start(first)
        buffers = {
            kind: fill(params, [read_only(filled(p, formula.fill(first, kind))) for p in values])
            for kind in kinds
        }
        starts = {name: fill(params, [x] * len(values)) for name, x in zip(formula.numbers, start)}
        return State(fill(params, [0] * len(values)), named(buffers), named(starts), 0)

    def update(gradients: Any, state: State, params: T, /) -> tuple[T, State]:
        hyper: Any = first._replace(lr=rate_at(rate, state.updates)) if callable(rate) else first
        pairs = matched(gradients, params)
        steps = _known(state.steps, params)
        counts: list[Count] = list(
            zip(steps, *[_known(state.numbers[name], params) for name in formula.numbers])
        )
        buffers = [_known(state.buffers[kind], params) for kind in kinds]
        new_params: list[Any] = []
        for i, (_, p, g, leaf) in enumerate(pairs):
            if g is None:
                new_params.append(kept(leaf))
                continue
            new, olds = np.empty(p.shape, p.dtype), [buffer[i] for buffer in buffers]
            news = [np.empty(p.shape, p.dtype) for _ in kinds]
            run(
                formula.kernel,
                np.ravel(p),
                np.ravel(g),
                [np.ravel(x) for x in olds],
                new.reshape(-1),
                [x.reshape(-1) for x in news],
                scratch_for(new),
                hyper,
                counts[i],
            )
            new_params.append(result(new, leaf))
            counts[i] = formula.advance(hyper, counts[i])
            for buffer, x in zip(buffers, news):
                buffer[i] = read_only(x)
        columns = list(zip(*counts)) or [()] * (1 + len(formula.numbers))
        return fill(params, new_params), State(
            fill(params, columns[0]),
            named({kind: fill(params, buffer) for kind, buffer in zip(kinds, buffers)}),
            named({name: fill(params, values) for name, values in zip(formula.numbers, columns[1:])}),
            state.updates + 1,
        )

    return Optimizer(init, update)


def filled(p: Array, value: float) -> Array:
    """An array like p of one number, complex ones with that number in both parts."""
    return np.full(p.shape, complex(value, value) if p.dtype.kind == "c" else value, p.dtype)


def _known(tree: Any, params: object) -> list[Any]:
    """The state's leaves in the order of the parameters."""
    given = dict(leaves(tree))
    paths = [path for path, _ in leaves(params)]
    strange = [path for path in paths if path not in given]
    if strange or len(given) > len(paths):
        more = [path for path in given if path not in paths]
        differ = f"knows no parameters {', '.join(strange)}" if strange else f"has more: {', '.join(more)}"
        raise ValueError(f"update: the state {differ}; it was made by init for others")
    return [given[path] for path in paths]

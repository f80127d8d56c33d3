"""Pairs of pure functions over trees: optimisers, which give new parameters, and transforms of gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
from pyrsistent import pmap

from ..derivatives import fill, inside
from ..dtypes import Array
from ..node import Node, constant, read_only, seal
from ..trees import leaves
from .formula import Count, Formula, run, scratch_for

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: an empty mapping that stays one
NOTHING: Final[Mapping[str, Any]] = pmap()

#: a pure function from the number of updates so far to a rate
Schedule: TypeAlias = Callable[[int], float]
Rate: TypeAlias = float | Schedule


class State(NamedTuple, Generic[T_co]):
    """What an optimiser or a transform remembers, an immutable value; T is the type of the parameters.

    updates: how often `update` was called. steps: how often each parameter was updated, by its path
    in the tree, as `['w']`. buffers: trees like the parameters, by PyTorch's name (`momentum_buffer`,
    `exp_avg`, ...). numbers: by PyTorch's name and path (`mu_product` of NAdam, `eta` and `mu` of ASGD).
    parts: the states of the parts of a chain.
    """

    updates: int
    steps: Mapping[str, int] = NOTHING
    buffers: Mapping[str, T_co] = NOTHING
    numbers: Mapping[str, Mapping[str, float]] = NOTHING
    parts: tuple[State[T_co], ...] = ()


class Init(Protocol):
    """params -> state."""

    def __call__(self, params: T, /) -> State[T]: ...


class Update(Protocol):
    """(gradients, state, params) -> (what has the structure of the parameters, state)."""

    def __call__(self, gradients: object, state: State[T], params: T, /) -> tuple[T, State[T]]: ...


class Optimizer(NamedTuple):
    """An optimiser as two pure functions over trees: mappings, lists, dataclasses, ..., or one array.

    init(params) is the state before the first update. update(gradients, state, params) gives the
    new parameters, in a tree of the same type, and the new state; a parameter without a gradient (None,
    or a name that is not there) stays as it is. Every array they give is read-only, no argument is
    changed. `update` raises ValueError for a gradient that is no parameter's or has another
    shape, and for parameters that `state` does not know; both raise TypeError for parameters that
    are not floating-point or complex, and for those of a function that is being differentiated.
    """

    init: Init
    update: Update


class Transform(NamedTuple):
    """A step on the way from gradients to an update, as two pure functions; see `chain`.

    update(gradients, state, params) gives other gradients, in a tree of the parameters' structure
    with None where there is none.
    """

    init: Init
    update: Update


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


def optimizer(formula: Formula, rate: Rate, *numbers: object) -> Optimizer:
    """The pure functions of a formula. Raises ValueError for invalid numbers."""
    first = formula.hyper(rate_at(rate, 0), *numbers)
    formula.check(first)
    kinds = formula.buffers(first)

    def state_of(paths: list[str], counts: list[Count], buffers: Mapping[str, T], updates: int) -> State[T]:
        steps, *others = [dict(zip(paths, column)) for column in zip(*counts)] or [{}]
        named = {name: pmap(column) for name, column in zip(formula.numbers, others)}
        return State(updates, pmap(steps), pmap(buffers), pmap(named))

    def init(params: T, /) -> State[T]:
        values = {path: value_of("init", path, leaf) for path, leaf in leaves(params)}
        buffers = {
            kind: fill(params, [read_only(filled(p, formula.fill(first, kind))) for p in values.values()])
            for kind in kinds
        }
        return state_of(list(values), [(0, *formula.start(first))] * len(values), buffers, 0)

    def update(gradients: object, state: State[T], params: T, /) -> tuple[T, State[T]]:
        hyper: Any = first._replace(lr=rate_at(rate, state.updates)) if callable(rate) else first
        pairs = matched(gradients, params)
        paths = [path for path, *_ in pairs]
        _check_known(state, paths)
        counts: list[Count] = [
            (state.steps[path], *[state.numbers[name][path] for name in formula.numbers]) for path in paths
        ]
        olds = [dict(leaves(state.buffers[kind])) for kind in kinds]
        news: list[dict[str, Array]] = [{} for _ in kinds]
        new_params: list[Any] = []
        for i, (path, p, g, leaf) in enumerate(pairs):
            if g is None:
                new_params.append(leaf if isinstance(leaf, Node) else read_only(constant(leaf)._value))
                for old, new in zip(olds, news):
                    new[path] = old[path]
                continue
            new_p = np.empty(p.shape, p.dtype)
            made = [np.empty(p.shape, p.dtype) for _ in kinds]
            run(
                formula.kernel,
                np.ravel(p),
                np.ravel(g),
                [np.ravel(old[path]) for old in olds],
                new_p.reshape(-1),
                [x.reshape(-1) for x in made],
                scratch_for(new_p),
                hyper,
                counts[i],
            )
            new_params.append(result(new_p, leaf))
            counts[i] = formula.advance(hyper, counts[i])
            for new, x in zip(news, made):
                new[path] = read_only(x)
        buffers = {kind: fill(params, list(new.values())) for kind, new in zip(kinds, news)}
        return fill(params, new_params), state_of(paths, counts, buffers, state.updates + 1)

    return Optimizer(init, update)


def filled(p: Array, value: float) -> Array:
    """An array like p of one number, complex ones with that number in both parts."""
    return np.full(p.shape, complex(value, value) if p.dtype.kind == "c" else value, p.dtype)


def _check_known(state: State[Any], paths: list[str]) -> None:
    strange = [path for path in paths if path not in state.steps]
    more = [path for path in state.steps if path not in paths]
    if strange or more:
        differ = f"knows no parameters {', '.join(strange)}" if strange else f"has more: {', '.join(more)}"
        raise ValueError(f"update: the state {differ}; it was made by init for others")

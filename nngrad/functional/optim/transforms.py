"""What is done to gradients on the way to an optimiser, and `chain`, which puts the steps together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

import numpy as np

from ..derivatives import fill
from ..dtypes import Array
from ..elementary import silent
from .formula import require
from .pure import Optimizer, Rate, State, Transform, matched, rate_at, result

T = TypeVar("T")


def _transform(change: Callable[[list[tuple[Array, Array]], int], list[Array]]) -> Transform:
    """From what makes new gradients of pairs (gradient, parameter) and the number of updates so far."""

    def init(_: T, /) -> State[T]:
        return State(0)

    @silent
    def update(gradients: object, state: State[T], params: T, /) -> tuple[T, State[T]]:
        found = matched(gradients, params)
        changed = iter(change([(g, p) for _, p, g, _ in found if g is not None], state.updates))
        values = [None if g is None else result(np.asarray(next(changed)), leaf) for _, _, g, leaf in found]
        return fill(params, values), State(state.updates + 1)

    return Transform(init, update)


@silent
def total_norm(arrays: Iterable[Array], norm_type: float = 2.0) -> Any:
    """The norm of all elements together, a NumPy number of their dtype. 0 if there are none.

    >>> float(total_norm([np.array([3.0]), np.array([[4.0]])]))
    5.0
    """
    norms = [_norm(x, float(norm_type)) for x in arrays]
    return _norm(np.array(norms), float(norm_type)) if norms else np.float32(0)


def _norm(x: Array, p: float) -> Any:
    if x.dtype == np.float16:  # whose squares are soon too large
        return _norm(x.astype(np.float32), p).astype(np.float16)
    v = np.ravel(x)
    if p == 2:
        return np.sqrt(np.vdot(v, v).real)
    return np.linalg.norm(v, p) if v.size else v.real.dtype.type(0)


@silent
def clip_coefficient(norm: Any, max_norm: float) -> Any:
    """What gradients of this norm are multiplied by so that they have at most the other: 1 if they do.

    >>> float(clip_coefficient(np.float64(4.0), 2.0).round(3))
    0.5
    """
    return np.minimum(max_norm / (norm + 1e-6), norm.dtype.type(1))


def clip_by_norm(max_norm: float, norm_type: float = 2.0) -> Transform:
    """All gradients scaled down together to a norm of `max_norm`, as `clip_grad_norm_` does.

    >>> clip = clip_by_norm(1.0)
    >>> params = {"w": np.zeros(2)}
    >>> clip.update({"w": np.array([3.0, 4.0])}, clip.init(params), params)[0]["w"].round(3)
    array([0.6, 0.8])
    """
    require(max_norm >= 0, "max_norm", max_norm)

    def change(pairs: list[tuple[Array, Array]], _: int) -> list[Array]:
        factor = clip_coefficient(total_norm([g for g, _ in pairs], norm_type), max_norm)
        return [np.multiply(g, factor, dtype=g.dtype) for g, _ in pairs]

    return _transform(change)


def clip_by_value(clip_value: float) -> Transform:
    """Each element of the gradients brought between -clip_value and clip_value.

    Raises TypeError for complex ones.

    >>> clip = clip_by_value(1.0)
    >>> params = [np.zeros(2)]
    >>> clip.update([np.array([3.0, 0.5])], clip.init(params), params)[0]
    [array([1. , 0.5])]
    """
    require(clip_value >= 0, "clip_value", clip_value)

    def change(pairs: list[tuple[Array, Array]], _: int) -> list[Array]:
        if any(g.dtype.kind == "c" for g, _ in pairs):
            raise TypeError("clip_by_value: complex numbers have no order")
        return [np.clip(g, -clip_value, clip_value) for g, _ in pairs]

    return _transform(change)


def weight_decay(rate: Rate) -> Transform:
    """The gradients of a penalty of rate / 2 times the parameters' squares added.

    >>> decay = weight_decay(0.5)
    >>> params = {"w": np.array([2.0])}
    >>> decay.update({"w": np.array([1.0])}, decay.init(params), params)[0]["w"]
    array([2.])
    """
    require(rate_at(rate, 0) >= 0, "weight_decay value", rate)

    def change(pairs: list[tuple[Array, Array]], count: int) -> list[Array]:
        now = rate_at(rate, count)
        return [g + p * now for g, p in pairs]

    return _transform(change)


def scale(factor: Rate) -> Transform:
    """The gradients times a number or what a schedule says.

    >>> half = scale(0.5)
    >>> params = np.zeros(2)
    >>> half.update(np.ones(2), half.init(params), params)[0]
    array([0.5, 0.5])
    """

    def change(pairs: list[tuple[Array, Array]], count: int) -> list[Array]:
        now = rate_at(factor, count)
        return [g * now for g, _ in pairs]

    return _transform(change)


@overload
def chain(last: Optimizer, /) -> Optimizer: ...
@overload
def chain(first: Transform, last: Optimizer, /) -> Optimizer: ...
@overload
def chain(first: Transform, second: Transform, last: Optimizer, /) -> Optimizer: ...
@overload
def chain(first: Transform, second: Transform, third: Transform, last: Optimizer, /) -> Optimizer: ...
@overload
def chain(*parts: Transform) -> Transform: ...
def chain(*parts: Transform | Optimizer) -> Transform | Optimizer:
    """One thing after the other: transforms of the gradients, and an optimiser at the end.

    Without an optimiser it is a transform; chains go into chains. The parts' states
    are the state's `parts`.
    Raises ValueError for no parts, or an optimiser before the end.

    >>> from nngrad.functional.optim import sgd
    >>> optimizer = chain(clip_by_value(1.0), sgd(0.5))
    >>> params = {"w": np.array([1.0, 2.0])}
    >>> params, state = optimizer.update({"w": np.array([9.0, 1.0])}, optimizer.init(params), params)
    >>> params["w"]
    array([0.5, 1.5])
    """
    if not parts or any(isinstance(part, Optimizer) for part in parts[:-1]):
        raise ValueError("chain: give transforms of gradients first, and an optimiser at the end only")

    def init(params: T, /) -> State[T]:
        return State(0, parts=tuple([part.init(params) for part in parts]))

    def update(gradients: object, state: State[T], params: T, /) -> tuple[T, State[T]]:
        if len(state.parts) != len(parts):
            raise ValueError(f"update: the state is not that of a chain of {len(parts)} parts")
        states: list[State[T]] = []
        done: Any = gradients
        for part, before in zip(parts, state.parts):
            done, after = part.update(done, before, params)
            states.append(after)
        return done, State(state.updates + 1, parts=tuple(states))

    last = parts[-1]
    return Optimizer(init, update) if isinstance(last, Optimizer) else Transform(init, update)

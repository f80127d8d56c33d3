"""What L-BFGS computes between evaluations: a direction from the past steps, and how far to go along it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from ..dtypes import Array

#: below this product of step and change, the curvature is not worth remembering
LEAST_CURVATURE: Final = 1e-10


class History(NamedTuple):
    """Past steps, oldest first: changes of the gradient, steps, 1 / their products; the last scale."""

    changes: tuple[Array, ...] = ()
    steps: tuple[Array, ...] = ()
    weights: tuple[Any, ...] = ()
    scale: Any = 1


class Point(NamedTuple):
    """A place on the line: its distance, the value, the gradient and its part along the line there."""

    t: Any
    value: float
    gradient: Array
    slope: Any


def remember(history: History, change: Array, step: Array, most: int) -> History:
    """The history with one more step, without the oldest if there are more than `most`."""
    product = np.dot(change, step)
    if not product > LEAST_CURVATURE:
        return history
    first = 1 if len(history.steps) == most else 0
    return History(
        (*history.changes[first:], change),
        (*history.steps[first:], step),
        (*history.weights[first:], 1 / product),
        product / np.dot(change, change),
    )


def direction(gradient: Array, history: History) -> Array:
    """Minus the approximate inverse Hessian times the gradient (Nocedal and Wright, 2006, algorithm 7.4)."""
    past = list(zip(*history[:3]))
    q, factors = -gradient, []
    for change, step, weight in reversed(past):
        factors.append(np.dot(step, q) * weight)
        q -= factors[-1] * change
    q *= history.scale
    for change, step, weight in past:
        q += (factors.pop() - np.dot(change, q) * weight) * step
    return q


def cubic_interpolate(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two points with these slopes is least, within the bounds."""
    low, high = bounds or ((a.t, b.t) if a.t <= b.t else (b.t, a.t))
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = np.sqrt(square)
    if a.t > b.t:
        a, b = b, a
    least = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(least, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], Point],
    start: Point,
    t: Any,
    length: Any,
    most: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
) -> tuple[Point, int]:
    """A point on the line where the strong Wolfe conditions hold, or the best found; and the evaluations.

    evaluate(t): the point at t; start: that at 0; t: the first try; length: the direction's largest
    element; most: how many points are tried. Algorithms 3.5 and 3.6 of Nocedal and Wright, as
    PyTorch has them.
    """

    def is_high(point: Point) -> bool:
        return bool(point.value > start.value + c1 * point.t * start.slope)

    def is_flat(point: Point) -> bool:
        return bool(abs(point.slope) <= -c2 * start.slope)

    before, point, tries = start, evaluate(t), 0
    ends: list[Point] = []
    while tries < most and not ends:
        if is_high(point) or (tries > 1 and point.value >= before.value):
            ends = [before, point]
        elif is_flat(point):
            return point, tries + 1
        elif point.slope >= 0:
            ends = [before, point]
        else:
            bounds = point.t + 0.01 * (point.t - before.t), point.t * 10
            before, point = point, evaluate(cubic_interpolate(before, point, bounds))
            tries += 1
    ends = ends or [start, point]
    low = 0 if ends[0].value <= ends[1].value else 1
    slow = False
    while tries < most and abs(ends[1].t - ends[0].t) * length >= tolerance_change:
        t = cubic_interpolate(ends[0], ends[1])
        least, largest = sorted(end.t for end in ends)
        margin = 0.1 * (largest - least)
        if min(largest - t, t - least) < margin:  # too close to an end
            if slow or t >= largest or t <= least:
                t = largest - margin if abs(t - largest) < abs(t - least) else least + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        point = evaluate(t)
        tries += 1
        if is_high(point) or point.value >= ends[low].value:
            ends[1 - low] = point
            low = 0 if ends[0].value <= ends[1].value else 1
            continue
        if is_flat(point):
            return point, tries + 1
        if point.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
    return ends[low], tries + 1

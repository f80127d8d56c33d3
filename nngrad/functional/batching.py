"""How each op computes a whole batch at once: the rules of vmap. Loaded when vmap is first used.

`run(op, *values, *params)` is an op on values, some of which may be a `Batch`. A rule gets the arrays
of all examples, batch first, and says which of them are batched; what it computes goes through `run`
again, so that a vmap inside a vmap needs nothing more. An op without a rule is run for each example
in turn, and `vmap_fallbacks` tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

import numpy as np

from .batch import Batch, Level, NeedsBatching, answers, belonging, innermost, levels_of
from .indexing import PLACE, last_writers as writers_of_one, with_arrays
from .joining import _stack as stack_op
from .node import Node
from .op import OPS, Op, apply, linear
from .order import permute_op
from .reduction import sum_op
from .repeating import broadcast_op
from .shape import reshape_op

#: rule(op, arrays, batched, params, size): all examples at once, batch first
Rule: TypeAlias = Callable[[Op, list[Any], list[bool], tuple[Any, ...], int], Any]

RULES: Final[dict[str, Rule]] = {}

#: where the names of ops without a rule are collected, while somebody asks
_fallbacks: Final[ContextVar[dict[str, int] | None]] = ContextVar("nngrad_vmap_fallbacks", default=None)


@contextmanager
def vmap_fallbacks() -> Iterator[dict[str, int]]:
    """Collect which ops vmap ran for each example in turn, by name, and how often.

    >>> from nngrad.functional import unique, vmap
    >>> with vmap_fallbacks() as names:
    ...     _ = vmap(unique)(np.arange(6.0).reshape(2, 3))
    >>> names
    {'unique': 1}
    """
    names: dict[str, int] = {}
    token = _fallbacks.set(names)
    try:
        yield names
    finally:
        _fallbacks.reset(token)


def report_fallback(name: str) -> None:
    """Note that something was run for each example in turn."""
    names = _fallbacks.get()
    if names is not None:
        names[name] = names.get(name, 0) + 1


def run(op: Op, *args: Any) -> Any:
    """An op on values and static parameters, whose values may be batches."""
    if not any(type(a) is Batch for a in args):
        result = op.forward(*args)
        return result[0] if op.saves else result
    n = len(args)
    while n and not (type(args[n - 1]) is Batch or isinstance(args[n - 1], np.ndarray)):
        n -= 1
    return compute(op, args[:n], args[n:])


@answers
def compute(op: Op, values: Sequence[Any], params: tuple[Any, ...]) -> Any:
    """The op of values of which at least one is a Batch."""
    arrays, batched, level = innermost(values)
    if not any(batched):
        return Batch(run(op, *arrays, *params), level, True)
    with np.errstate(all="ignore"):
        rule = RULES.get(op.name)
        if rule is None:
            rule = elementwise if op.kind == "pointwise" else one_by_one
        return Batch(rule(op, arrays, batched, params, level.size), level)


def one_by_one(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """The last resort: the op for each example in turn."""
    report_fallback(op.name)
    results = [
        run(op, *[example(a, i) if b else a for a, b in zip(arrays, batched)], *params) for i in range(size)
    ]
    return run(stack_op, *[np.asarray(r) if isinstance(r, np.generic) else r for r in results], 0)


def example(array: Any, i: int) -> Any:
    """One example of all."""
    if type(array) is Batch:
        return run(OPS["getitem"], array, i)
    return np.asarray(array[i])


# ---------------------------------------------------------------- helpers of rules


def spread(array: Any, batched: bool, size: int) -> Any:
    """An array for each example."""
    return array if batched else run(broadcast_op, array, (size, *array.shape))


def reshaped(array: Any, shape: Sequence[int]) -> Any:
    """The array in another shape, one of whose sizes may be -1, also where there are no elements."""
    sizes = _filled(shape, array.shape)
    return array if array.shape == sizes else run(reshape_op, array, sizes)


def _filled(shape: Sequence[int], old: Sequence[int]) -> tuple[int, ...]:
    """A shape with its -1 worked out."""
    if -1 not in shape:
        return tuple(shape)
    known = -math.prod(shape)
    return tuple([math.prod(old) // known if n == -1 and known else max(n, 0) for n in shape])


def move(array: Any, source: int, target: int) -> Any:
    """One dimension moved, the others in their order."""
    order = [d for d in range(len(array.shape)) if d != source]
    order.insert(target, source)
    return array if order == list(range(len(order))) else run(permute_op, array, tuple(order))


def aligned(arrays: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """Arrays that broadcast example by example, made to broadcast batch and all."""
    ndim = max(len(a.shape) - b for a, b in zip(arrays, batched))
    return [
        reshaped(a, (a.shape[0], *(1,) * (ndim + 1 - len(a.shape)), *a.shape[1:])) if b else a
        for a, b in zip(arrays, batched)
    ]


def elementwise(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """Element by element: only the dimensions have to meet."""
    return run(op, *aligned(arrays, batched), *params)


def leading(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """What the op does for each index of leading dimensions anyway, all inputs alike."""
    return run(op, *[spread(a, b, size) for a, b in zip(arrays, batched)], *params)


def _shifted(dims: Any, ndim: int) -> Any:
    """Dimensions of one example, in the batch; None stands for all."""
    if dims is None:
        return tuple(range(1, ndim))
    return dims + 1 if isinstance(dims, int) else tuple([d + 1 for d in dims])


def dims_at(*places: int) -> Rule:
    """The parameters at `places` are dimensions of the inputs (counted from the front)."""

    def rule(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
        arrays = [spread(a, b, size) for a, b in zip(arrays, batched)]
        ndim = len(arrays[0].shape)
        return run(op, *arrays, *[_shifted(p, ndim) if i in places else p for i, p in enumerate(params)])

    return rule


def _shaped(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """reshape: the parameter is the shape of one example; at most one size is -1."""
    (shape,) = params
    return run(op, arrays[0], (size, *_filled(shape, arrays[0].shape[1:])))


def _broadcast(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    (shape,) = params
    x = arrays[0]
    return run(op, reshaped(x, (size, *(1,) * (len(shape) + 1 - len(x.shape)), *x.shape[1:])), (size, *shape))


def _spread_rule(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    shape, dims = params
    g = arrays[0]
    if dims is None:
        g = reshaped(g, (size,))
    return run(op, g, (size, *shape), _shifted(dims, len(shape) + 1))


def _permute(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    return run(op, arrays[0], (0, *[d + 1 for d in params[0]]))


def _roll(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    shift, *rest = params
    axis = rest[0] if rest else None
    if axis is None:
        flat = run(op, reshaped(arrays[0], (size, -1)), shift, 1)
        return reshaped(flat, arrays[0].shape)
    return run(op, arrays[0], shift, _shifted(axis, 0))


def _many(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """concat and stack: one dimension, of inputs that must all be alike."""
    return run(op, *[spread(a, b, size) for a, b in zip(arrays, batched)], params[0] + 1)


def _rows_times(a: Any, b: Any) -> Any:
    """The product of all rows of `a` with one matrix."""
    rows = reshaped(a, (math.prod(a.shape[:-1]), a.shape[-1]))
    return reshaped(run(OPS["mm"], rows, b), (*a.shape[:-1], b.shape[-1]))


def _mm(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """Matrices: one product for all where the right one is shared."""
    a, b = arrays
    if not batched[1]:
        return _rows_times(a, b)
    if not batched[0] and len(a.shape) == 2:  # (n, k) with (size, k, m): the batch as columns
        flat = run(op, a, reshaped(move(b, 0, 1), (b.shape[1], size * b.shape[2])))
        return move(reshaped(flat, (a.shape[0], size, b.shape[2])), 1, 0)
    return _product(OPS["matmul"], a, b)


def _product(op: Op, a: Any, b: Any) -> Any:
    """Products of matrices. An outer one, such as the gradient of a weight for each example, is no sum:
    to multiply takes two thirds of the time."""
    outer = a.shape[-1] == 1 and b.shape[-2] == 1
    return run(OPS["mul"] if outer else op, a, b)


def _matmul(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    a, b = arrays
    ndims = [len(x.shape) - y for x, y in zip(arrays, batched)]
    if not batched[1] and ndims[1] == 2:
        return _rows_times(a, b)
    row, column = ndims[0] == 1, ndims[1] == 1
    if row:
        a = reshaped(a, (*a.shape[:-1], 1, a.shape[-1]))
    if column:
        b = reshaped(b, (*b.shape, 1))
    a, b = aligned([a, b], batched)
    out = _product(op, a, b)
    shape = list(out.shape)
    if column:
        del shape[-1]
    if row:
        del shape[-1 if column else -2]
    return reshaped(out, shape)


def _linear(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    x, weight, *bias = arrays
    if not any(batched[1:]):
        return run(op, x, weight, *bias)
    x = spread(x, batched[0], size)
    rows = reshaped(x, (size, math.prod(x.shape[1:-1]), x.shape[-1]))
    weight = move(weight, len(weight.shape) - 1, len(weight.shape) - 2)
    out = _product(OPS["matmul"], rows, weight)
    if bias:
        b = reshaped(bias[0], (size, 1, -1)) if batched[2] else bias[0]
        out = run(OPS["add"], out, b)
    return reshaped(out, (*x.shape[:-1], out.shape[-1]))


def taken_shape(index: Sequence[Any]) -> tuple[int, ...]:
    """The shape of what an index of arrays takes."""
    return np.broadcast_shapes(*[a.shape for a in index])


# ---------------------------------------------------------------- indices


def _parts(
    template: Any, arrays: Sequence[Any], batched: Sequence[bool], ndim: int
) -> list[tuple[Any, bool]]:
    """An index with its arrays in place and its ellipsis spelled out; masks as integers."""
    rest = iter(zip(arrays, batched))
    parts: list[tuple[Any, bool]] = []
    for part in template if type(template) is tuple else (template,):
        array, b = next(rest) if part is PLACE else (part, False)
        if part is PLACE and array.dtype.kind == "b":
            if b or type(array) is Batch:
                raise NeedsBatching("an index of bools")
            parts.extend([(a, False) for a in np.nonzero(array)])
        else:
            parts.append((array, b))
    used = sum([p is not None and p is not Ellipsis for p, _ in parts])
    at = next((i for i, (p, _) in enumerate(parts) if p is Ellipsis), len(parts))
    parts[at : at + 1] = [(slice(None), False)] * (ndim - used)
    return parts


def _batch_index(
    template: Any,
    arrays: Sequence[Any],
    batched: Sequence[bool],
    shape: tuple[int, ...],
    has_batch: bool,
    size: int,
) -> tuple[Any, list[Any], int]:
    """An index of one example (of that shape) as one of the batch: template, arrays, and at which
    dimension of the result the batch then is."""
    parts = _parts(template, arrays, batched, len(shape))
    basic = [p is None or isinstance(p, slice) for p, _ in parts]
    placed = [i for i, plain in enumerate(basic) if not plain]
    adjacent = placed == list(range(placed[0], placed[-1] + 1)) if placed else True
    advanced = [len(p.shape) - b for p, b in parts if hasattr(p, "shape")]
    wide = max(advanced, default=0)
    if not any(b for _, b in parts):
        whole = [slice(None), *[p for p, _ in parts]]
        chosen = [p for p in whole if hasattr(p, "shape")]
        at = wide if advanced and not adjacent else 0
        return tuple([PLACE if hasattr(p, "shape") else p for p in whole]), chosen, at
    # Which elements are taken differs from example to example: say for each dimension which
    lead = sum(basic[: placed[0]]) if adjacent else 0
    ndim = 1 + wide + sum(basic)
    made: list[Any] = [_along(np.arange(size), 0, ndim)] if has_batch else []
    dim, place = iter(shape), 1
    for i, (part, b) in enumerate(parts):
        if (i == placed[0] and adjacent) or (place == 1 and not adjacent):
            place += wide
        if basic[i]:
            if part is not None:
                made.append(_along(np.arange(next(dim))[part], place, ndim))
            place += 1
            continue
        next(dim)
        if isinstance(part, int):
            made.append(np.asarray(part))
            continue
        own = part.shape[b:]
        head = (size,) if b else (1,)
        tail = (1,) * (ndim - 1 - lead - wide)
        made.append(reshaped(part, (*head, *(1,) * (lead + wide - len(own)), *own, *tail)))
    return (PLACE,) * len(made), made, 0


def _along(array: Any, dim: int, ndim: int) -> Any:
    """A vector along one of the dimensions."""
    return array.reshape(*(1,) * dim, -1, *(1,) * (ndim - 1 - dim))


def _getitem(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    x, *index = arrays
    shape = x.shape[1:] if batched[0] else x.shape
    template, chosen, at = _batch_index(params[-1], index, batched[1:], shape, batched[0], size)
    return move(run(op, x, *chosen, template), at, 0)


def _scatter(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    g, *index = arrays
    template, chosen, at = _batch_index(params[0], index, batched[1:], params[1], True, size)
    return run(op, move(spread(g, batched[0], size), 0, at), *chosen, template, (size, *params[1]))


def _put(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    x, value, *index = arrays
    x = spread(x, batched[0], size)
    template, chosen, at = _batch_index(params[0], index, batched[2:], x.shape[1:], True, size)
    zeros = [np.zeros(a.shape, np.intp) for a in chosen]
    taken = list(OPS["getitem"].forward(np.broadcast_to(False, x.shape), *zeros, template).shape)
    del taken[at]
    own = list(value.shape[1:] if batched[1] else value.shape)
    while len(own) > len(taken) and own[0] == 1:  # leading 1s of a value are dropped
        del own[0]
    head = (size,) if batched[1] else (1,)
    value = reshaped(value, (*head, *(1,) * (len(taken) - len(own)), *own))
    return run(op, x, move(run(broadcast_op, value, (size, *taken)), 0, at), *chosen, template)


@answers
def last_writers(shape: tuple[int, ...], template: Any, indices: Sequence[Any]) -> Any:
    """indexing.last_writers of indices some of which differ from example to example."""
    if Batch not in map(type, indices):
        return writers_of_one(shape, with_arrays(template, indices))
    arrays, batched, level = innermost(indices)
    template, chosen, at = _batch_index(template, arrays, batched, shape, True, level.size)
    found = last_writers((level.size, *shape), template, chosen)
    return None if found is None else Batch(move(found, at, 0), level)


RULES.update(
    {
        **dict.fromkeys(
            ("to", "alias", "custom_part", "clone", "add", "sub", "neg", "select", "where", "pow_whole"),
            elementwise,
        ),
        **dict.fromkeys(
            ("clip", "clip_gradient", "lerp", "nan_to_num", "logit", "round_decimals"), elementwise
        ),
        **dict.fromkeys(("polygamma", "replace"), elementwise),
        **dict.fromkeys(("sum", "mean", "amax", "amin", "softmax", "log_softmax", "flip"), dims_at(0)),
        **dict.fromkeys(("cumsum", "cumprod", "logcumsumexp", "recurrence", "logsumexp", "var"), dims_at(0)),
        "norm": dims_at(1),
        "reshape": _shaped,
        "broadcast": _broadcast,
        "spread": _spread_rule,
        "permute": _permute,
        "roll": _roll,
        "concat": _many,
        "stack": _many,
        "mm": _mm,
        "matmul": _matmul,
        "linear": _linear,
        "getitem": _getitem,
        "scatter": _scatter,
        "index_put": _put,
    }
)


# ---------------------------------------------------------------- into the batch, and out of it

enter_op: Final[Op] = linear(
    "vmap_enter",
    lambda x, level: _entered(x, level),
    lambda g, _, x, level: leave_op(g, level),
)
leave_op: Final[Op] = linear(
    "vmap_leave",
    lambda x, level: _left(x, level),
    lambda g, _, x, level: _left_by(g, x, level),
)


def _entered(x: Any, level: Level) -> Any:
    """An array with all examples as one of them. The innermost level stays outermost in the value."""
    if type(x) is Batch and x.level.number > level.number:
        inner = x.array if x.same else _swapped(x.array)
        return Batch(_entered(inner, level), x.level, x.same)
    return Batch(x, level)


def _left(x: Any, level: Level) -> Any:
    """All examples of a value of that level; of what does not differ between them, as many copies."""
    if type(x) is Batch and x.level.number > level.number:
        outer = _left(x.array, level)
        return Batch(outer if x.same else _swapped(outer), x.level, x.same)
    if type(x) is Batch and x.level is level:
        return spread(x.array, not x.same, level.size)
    return spread(x, False, level.size)


def _left_by(g: Any, x: Any, level: Level) -> Any:
    """The cotangents of all examples as one of them; of what did not differ between them, their sum."""
    entered = enter_op(g, level)
    if level in levels_of(x._value if type(x) is Node else x):
        return entered
    return apply(_sum_level, (entered,), (level,)) if type(g) is Node else _summed(entered, level)


def _swapped(array: Any) -> Any:
    """The first two dimensions, each of which counts examples, the other way round."""
    return move(array, 0, 1)


#: ops whose rules send what their parents get, not what each example sends; see `summed_to`
FINAL: Final = {"vmap_enter", "checkpoint"}


@answers
def summed_to(g: Any, child: Node, parent: Node) -> Any:
    """What goes to `parent` of a cotangent that `child` sends: where the child belongs to a run of
    vmap that the parent is outside of, the sum over the examples."""
    if child.op is None or child.op.name in FINAL:
        return g
    outside = levels_of(parent._value)
    for level in levels_of(child._value):
        if level not in outside:
            g = apply(_sum_level, (g,), (level,)) if type(g) is Node else _summed(g, level)
    return g


def _summed(x: Any, level: Level) -> Any:
    """The sum over the examples of a level, which may lie below others."""
    if type(x) is not Batch or x.level.number < level.number:
        return run(OPS["mul"], x, np.asarray(level.size, x.dtype))
    if x.level is not level:
        return Batch(_summed(x.array, level), x.level, x.same)
    return _summed(x.array, level) if x.same else run(sum_op, x.array, (0,), False)


def _spread_to(g: Any, x: Any, level: Level) -> Any:
    """The transpose of `_summed`: a copy for each example, or as many times as much of what they shared."""
    nodes = type(g) is Node
    value = x._value if nodes else x
    if level not in levels_of(value):
        return np.multiply(g, np.asarray(level.size, value.dtype))
    return g if nodes else belonging(g, x)


_sum_level: Final = linear("vmap_sum", _summed, lambda g, _, x, level: _spread_to(g, x, level))

"""Attention: scores, softmax and weighted sum as one op, in blocks that stay in cache."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from .batch import drawn
from .dtypes import AnyArray, DType
from .node import Node, Operand, as_node, seal
from .op import apply, astype, cast, general
from .repeating import repeat_interleave
from .shape import reshape, unsqueeze

if TYPE_CHECKING:
    from numpy.random import Generator

#: what is drawn for dropout: zeros, and elsewhere 1 / (1 - p), in a shape and dtype
Draw: TypeAlias = Callable[[tuple[int, ...], DType], AnyArray]

_BLOCK: Final = 1 << 18  # scores worked on together: two buffers of them fit a cache of 2 MiB
_CAUSAL_ROWS: Final = 128  # rows together where later keys are left out: fewer leave out more
_KEPT: Final = 1 << 25  # weights are computed anew for the gradient where there are more


def _swap(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _triangle(rows: int, keys: int, dtype: DType) -> Any:
    """What hides later keys: 0 up to the diagonal from the top left, -inf right of it."""
    return np.where(np.tri(rows, keys, dtype=np.bool_), 0.0, -np.inf).astype(dtype)


def _blocks(
    lead: tuple[int, ...], rows: int, keys: int, causal: bool
) -> Iterator[tuple[tuple[Any, ...], slice, int]]:
    """Which matrices, which of their rows, and how many keys are worked on together."""
    matrices = max(1, _BLOCK // max(1, rows * keys))
    axis, inner = len(lead), 1
    while axis and inner * lead[axis - 1] <= matrices:
        axis -= 1
        inner *= lead[axis]
    height = max(1, min(rows, _BLOCK // max(1, keys), _CAUSAL_ROWS if causal else rows))
    split, width = (lead[axis - 1], matrices // max(1, inner)) if axis else (1, 1)
    for outer in np.ndindex(lead[: max(axis - 1, 0)]):
        for first in range(0, split, width):
            at = (*outer, slice(first, first + width)) if axis else ()
            for row in range(0, rows, height):
                end = min(row + height, rows)
                yield at, slice(row, end), min(keys, end) if causal else keys


def _weigh(q: Any, k: Any, masks: list[Any]) -> Any:
    """softmax(q @ k.T + masks); 0 where all keys are hidden."""
    e, total = _exponentials(q, k, masks, False)
    # moderate scores need no shift, and finding the largest takes as long as all the rest
    if not (total.min(initial=1.0) > 1e-8 and total.max(initial=1.0) < 1e8):
        e, total = _exponentials(q, k, masks, True)
        total[total == 0] = 1
    e *= np.reciprocal(total, out=total)
    return e


def _exponentials(q: Any, k: Any, masks: list[Any], shift: bool) -> tuple[Any, Any]:
    """exp(q @ k.T + masks), on demand scaled by each row's largest, and the sums of the rows."""
    e = np.matmul(q, _swap(k))
    for mask in masks:
        e += mask
    if shift:
        top = np.maximum.reduce(e, axis=-1, keepdims=True, initial=-np.inf)
        top[top == -np.inf] = 0
        e -= top
    np.exp(e, out=e)
    return e, np.matmul(e, np.ones((e.shape[-1], 1), e.dtype))


class _Operands:
    """The arrays of a call, broadcast: those of the op, and what is added to the scores."""

    def __init__(self, arrays: Any, scale: float, causal: bool, masked: bool) -> None:
        q, k, v, *rest = arrays
        lead = np.broadcast_shapes(*[x.shape[:-2] for x in arrays])
        rows, keys = q.shape[-2], k.shape[-2]
        self.scores: tuple[int, ...] = (*lead, rows, keys)
        self.q: Any = _over(lead, np.multiply(q, np.asarray(scale, q.dtype)))
        self.k: Any = _over(lead, k)
        self.v: Any = _over(lead, v)
        self.masks: list[Any] = [np.broadcast_to(rest[0], self.scores)] if masked else []
        if causal:
            self.masks.append(np.broadcast_to(_triangle(rows, keys, q.dtype), self.scores))
        self.keep: Any = np.broadcast_to(rest[-1], self.scores) if len(rest) > masked else None
        self.blocks: list[tuple[tuple[Any, ...], slice, int]] = list(_blocks(lead, rows, keys, causal))

    def weigh(self, at: tuple[Any, ...], rows: slice, keys: int) -> Any:
        """The weights of a block."""
        masks = [mask[(*at, ..., rows, slice(keys))] for mask in self.masks]
        return _weigh(
            self.q[(*at, ..., rows, slice(None))], self.k[(*at, ..., slice(keys), slice(None))], masks
        )


def _over(lead: tuple[int, ...], x: Any) -> Any:
    return x if x.shape[:-2] == lead else np.broadcast_to(x, (*lead, *x.shape[-2:]))


@np.errstate(all="ignore")
def _forward(*arguments: Any) -> tuple[Any, Any]:
    *arrays, scale, causal, masked = arguments
    x = _Operands(arrays, scale, causal, masked)
    # in the memory order of the queries: heads that a view took apart join again without a copy
    out = np.empty_like(_over(x.scores[:-2], arrays[0]), shape=(*x.scores[:-1], x.v.shape[-1]), subok=False)
    kept = math.prod(x.scores) <= _KEPT
    saved = []
    for at, rows, keys in x.blocks:
        weights = x.weigh(at, rows, keys)
        saved.append(weights if kept else None)
        if x.keep is not None:
            weights = np.multiply(weights, x.keep[(*at, ..., rows, slice(keys))])
        np.matmul(weights, x.v[(*at, ..., slice(keys), slice(None))], out=out[(*at, ..., rows, slice(None))])
    return out, saved


def _vjp(g: Any, out: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    if saved is None:
        return _recorded_vjp(g, inputs, *params)
    x = _Operands(inputs, *params)
    scale, _, masked = params
    one_block = len({rows.start for _, rows, _ in x.blocks}) == 1
    dq = np.empty_like(x.q, subok=False)
    dk, dv = (np.zeros_like(operand, subok=False) for operand in (x.k, x.v))
    dmask = np.zeros(x.scores, out.dtype) if masked and needs[3] else None
    ones = np.ones((out.shape[-1], 1), out.dtype)
    for (at, rows, keys), weights in zip(x.blocks, saved, strict=True):
        part, seen = (*at, ..., rows, slice(None)), (*at, ..., slice(keys), slice(None))
        scores = (*at, ..., rows, slice(keys))
        given = g[part]
        if weights is None:
            weights = x.weigh(at, rows, keys)
        d = np.matmul(given, _swap(x.v[seen]), out=None if dmask is None else dmask[scores])
        if x.keep is not None:
            d *= x.keep[scores]
        d -= np.matmul(np.multiply(given, out[part]), ones)
        d *= weights
        np.matmul(d, x.k[seen], out=dq[part])
        if x.keep is not None:
            weights = np.multiply(weights, x.keep[scores])
        if one_block and keys == x.scores[-1]:
            np.matmul(_swap(d), x.q[part], out=dk[seen])
            np.matmul(_swap(weights), given, out=dv[seen])
        else:
            dk[seen] += np.matmul(_swap(d), x.q[part])
            dv[seen] += np.matmul(_swap(weights), given)
    dq *= np.asarray(scale, dq.dtype)
    return [dq, dk, dv, *([dmask] if masked else []), *([] if x.keep is None else [None])]


def _recorded_vjp(g: Any, inputs: Any, scale: float, causal: bool, masked: bool) -> list[Any]:
    """The same by functions that can be recorded."""
    q, k, v, *rest = inputs
    factor = np.asarray(scale, q.dtype)
    scores = np.matmul(np.multiply(q, factor), _swap(k))
    if masked:
        scores = np.add(scores, rest[0])
    if causal:
        scores = np.add(scores, _triangle(q.shape[-2], k.shape[-2], q.dtype))
    values: Any = getattr(scores, "_value", scores)
    top = np.max(values, axis=-1, keepdims=True, initial=-np.inf)
    e = np.exp(np.subtract(scores, np.where(top == -np.inf, np.zeros_like(top), top)))
    total = np.sum(e, axis=-1, keepdims=True)
    weights = np.divide(e, np.add(total, astype(np.equal(total, 0), q.dtype)))
    keep: Any = rest[-1] if len(rest) > masked else None
    d = np.matmul(g, _swap(v))
    if keep is not None:
        d = np.multiply(d, keep)
    d = np.multiply(weights, np.subtract(d, np.sum(np.multiply(d, weights), axis=-1, keepdims=True)))
    dq = np.multiply(np.matmul(d, k), factor)
    dk = np.multiply(np.matmul(_swap(d), q), factor)
    kept: Any = weights if keep is None else np.multiply(weights, keep)
    dv = np.matmul(_swap(kept), g)
    return [dq, dk, dv, *([d] if masked else []), *([] if keep is None else [None])]


_attention: Final = general("scaled_dot_product_attention", _forward, vjp=_vjp, saves=True)


def drawn_by(p: float, generator: Generator | None) -> Draw:
    """Dropout by NumPy's generator. Raises TypeError if there is none."""
    if generator is None:
        raise TypeError("dropout: a random function of the core needs its generator: numpy.random.Generator")
    uniform = generator.random

    def draw(shape: tuple[int, ...], dtype: DType) -> AnyArray:
        if p == 1:
            return np.zeros(shape, dtype)
        return np.divide((uniform(shape) >= p).astype(dtype), np.asarray(1 - p, dtype))

    return draw


def scaled_dot_product_attention(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Operand | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    generator: Generator | None = None,
) -> Node:
    """`softmax(query @ key.T * scale + mask) @ value`: each query's mean of the values it attends to.

    query: (..., L, E); key: (..., S, E); value: (..., S, Ev); gives (..., L, Ev). Dimensions in
    front broadcast. attn_mask: broadcasts to (..., L, S): bools, True where a query may look, or
    numbers that are added to the scores. is_causal: query i sees the keys 0 to i (and of those,
    what a mask lets it see). A query that sees nothing gives zeros. dropout_p: the share of weights
    that is dropped, drawn by `generator`. scale: 1 / sqrt(E) unless given. enable_gqa: the third
    dimension from the end holds heads, and several of the queries' share one of the keys and values.
    Raises RuntimeError for shapes or dtypes that do not fit together, TypeError for dropout without
    a generator.

    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True, scale=0.0).data
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    draw = drawn_by(dropout_p, generator) if check_dropout(dropout_p) else None
    return attend(query, key, value, attn_mask, draw, is_causal, scale, enable_gqa)


def check_dropout(p: float) -> float:
    """`p`. Raises RuntimeError unless it is a probability."""
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    return p


def attend(
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Operand | None,
    draw: Draw | None,
    is_causal: bool,
    scale: float | None,
    enable_gqa: bool,
) -> Node:
    """`scaled_dot_product_attention` with dropout drawn by a function."""
    op = _attention.name
    q, k, v = as_node(query), as_node(key), as_node(value)
    told = f"query {q.shape}, key {k.shape}, value {v.shape}"
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(f"{op}: query, key and value must be at least 2 dimensional, got {told}")
    dtype = q._value.dtype
    if not dtype == k._value.dtype == v._value.dtype or dtype.kind != "f":
        raise RuntimeError(
            f"{op}: expected query, key and value to have the same floating dtype, got {dtype}, {k.dtype} "
            f"and {v.dtype}"
        )
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise RuntimeError(f"{op}: {told}: query and key must agree in the last size, key and value in keys")
    mask = None if attn_mask is None else additive(f"{op}: attn_mask", as_node(attn_mask), dtype)
    shape = q.shape[:-1]
    if enable_gqa:
        q, k, v, mask = _grouped(q, k, v, mask, told)
    try:
        lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    except ValueError:
        raise RuntimeError(f"{op}: {told} do not broadcast") from None
    scores = (*lead, q.shape[-2], k.shape[-2])
    if mask is not None:
        small = mask.ndim < 2 or mask.ndim > len(scores)
        if small or any(n not in (1, m) for n, m in zip(mask.shape[::-1], scores[::-1])):
            raise RuntimeError(
                f"{op}: attn_mask of shape {as_node(attn_mask).shape} does not broadcast to the scores' "  # type: ignore[arg-type]  # there is one
                f"shape {scores}"
            )
    rest = [] if mask is None else [mask]
    if draw is not None:
        flat = (*shape, k.shape[-2]) if enable_gqa else scores
        rest.append(seal(drawn(op, lambda sizes: draw(sizes, dtype), flat).reshape(scores)))
    inputs = [q, k, v, *rest]
    if dtype.char == "e":  # matrix products of float16 are slow, and their sums too coarse
        inputs = [cast(x, np.dtype(np.float32)) for x in inputs]
    if scale is None:
        scale = 1 / math.sqrt(q.shape[-1]) if q.shape[-1] else 1.0
    out = cast(apply(_attention, tuple(inputs), (float(scale), is_causal, mask is not None)), dtype)
    return reshape(out, (*shape, v.shape[-1])) if enable_gqa else out


def additive(name: str, mask: Node, dtype: DType) -> Node:
    """A mask, bools or numbers, as numbers to be added to scores; -inf where it is False."""
    given = mask._value.dtype
    if given.kind == "b":
        return seal(np.where(mask._value, np.zeros((), dtype), np.full((), -np.inf, dtype)))
    if given != dtype and given.char != "f":
        raise RuntimeError(f"{name}: expected bools, float32 or the query's {dtype}, got {given}")
    return cast(mask, dtype)


def _grouped(q: Node, k: Node, v: Node, mask: Node | None, told: str) -> tuple[Node, Node, Node, Node | None]:
    """Queries in groups of heads, one for each head of the keys and values."""
    if min(q.ndim, k.ndim, v.ndim) < 3:
        raise IndexError(f"{_attention.name}: grouped queries need a dimension of heads, got {told}")
    heads, of_keys, of_values = q.shape[-3], k.shape[-3], v.shape[-3]
    if not of_keys or not of_values or heads % of_keys or heads % of_values:
        raise RuntimeError(
            f"{_attention.name}: Number of heads in key and value must divide the number of heads in query: "
            f"{told}"
        )
    if of_keys != of_values:
        k, v = (repeat_interleave(x, heads // x.shape[-3], -3) for x in (k, v))
        of_keys = heads
    groups = (of_keys, heads // of_keys)
    q = reshape(q, (*q.shape[:-3], *groups, *q.shape[-2:]))
    if mask is not None and mask.ndim >= 3:
        parts = (1, 1) if mask.shape[-3] == 1 else groups
        mask = reshape(mask, (*mask.shape[:-3], *parts, *mask.shape[-2:]))
    return q, unsqueeze(k, -3), unsqueeze(v, -3), mask

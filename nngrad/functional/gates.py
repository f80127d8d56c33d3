"""Recurrent layers as ops: all steps of one layer in one direction, in buffers made once.

Sequences are packed: the rows of all sequences at the first time, then at the second, and so on;
`sizes` says how many sequences there still are at each time, longest first. What the input adds to
the gates is computed before for all times at once. An op gives one vector: the states at all times,
row by row, then the last state of each sequence, then (LSTM) the last cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from .derivatives import inputs_of
from .elementary import relu, sigmoid, silent, tanh
from .engine import backward
from .joining import concat
from .node import Node, grad_mode
from .op import general
from .shape import reshape
from .splitting import chunk

Sizes: TypeAlias = tuple[int, ...]


def steps(sizes: Sizes, reverse: bool) -> list[tuple[slice, int]]:
    """The rows of each time and how many they are, in the order of the recurrence."""
    found, start = [], 0
    for n in sizes:
        found.append((slice(start, start + n), n))
        start += n
    return found[::-1] if reverse else found


def parts(packed: Any, widths: Sequence[int], rows: Sequence[int]) -> Iterator[Any]:
    """The matrices that a vector holds one after the other."""
    start = 0
    for width, n in zip(widths, rows):
        yield np.reshape(packed[start : start + n * width], (n, width))
        start += n * width


def _sigmoids(*halves: float, width: int, dtype: Any) -> tuple[Any, Any]:
    """sigmoid(x) = tanh(x / 2) / 2 + 1 / 2: factors and summands that let one tanh serve all gates."""
    factor = np.repeat(np.array(halves, dtype), width)
    return factor, 1 - factor


def _recorded(function: Callable[..., Any], g: Any, inputs: Any, params: Any, needs: list[bool]) -> list[Any]:
    """The vjp of a function of nodes, itself recorded where nodes are given."""
    record = type(g) is Node
    token = grad_mode.set(True)
    try:
        own, wanted = inputs_of("recurrent", [x for x, need in zip(inputs, needs) if need])
        mine = iter(own)
        out = function([next(mine) if need else x for x, need in zip(inputs, needs)], *params)
    finally:
        grad_mode.reset(token)
    sent = backward([out], [g], wanted=wanted, create_graph=record, free=False)
    found = iter(wanted)
    return [sent.get(next(found)) if need else None for need in needs]


def _packed(outs: dict[int, Node], *last: Node) -> Node:
    """States by the row at which their time starts, and the last ones, as one vector."""
    return concat([reshape(x, -1) for x in [*(outs[at] for at in sorted(outs)), *last]])


def _kept(new: Node, old: Node) -> Node:
    """A state after a step in which only the first sequences took part."""
    n = new.shape[0]
    return new if n == old.shape[0] else concat([new, old[n:]])


# ---------------------------------------------------------------- without gates


@silent
def _plain_forward(x: Any, h0: Any, w: Any, sizes: Sizes, reverse: bool, relu: bool) -> tuple[Any, Any]:
    count, width = h0.shape
    out = np.empty((len(x) + count) * width, x.dtype)
    hs, h = parts(out, (width, width), (len(x), count))
    h[...] = h0
    before = np.empty_like(hs)
    for rows, n in steps(sizes, reverse):
        at, now = hs[rows], h[:n]
        before[rows] = now
        np.dot(now, w.T, out=at)
        at += x[rows]
        if relu:
            np.maximum(at, 0, out=at)
        else:
            np.tanh(at, out=at)
        now[...] = at
    return out, before


def _plain_recorded(inputs: Any, sizes: Sizes, reverse: bool, rectified: bool) -> Node:
    x, h, w = inputs
    outs: dict[int, Node] = {}
    for rows, n in steps(sizes, reverse):
        a = x[rows] + h[:n] @ w.T
        new = relu(a) if rectified else tanh(a)
        outs[rows.start], h = new, _kept(new, h)
    return _packed(outs, h)


@silent
def _plain_vjp(g: Any, out: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    if saved is None:
        return _recorded(_plain_recorded, g, inputs, params, needs)
    (count, width), w = inputs[1].shape, inputs[2]
    sizes, reverse, rectified = params
    shape = (width, width), (len(saved), count)
    hs, _ = parts(out, *shape)
    dhs, last = parts(np.ascontiguousarray(g), *shape)
    dh = last.copy()
    d = (hs > 0).astype(g.dtype) if rectified else np.subtract(1, hs * hs, dtype=g.dtype)
    for rows, n in steps(sizes, not reverse):
        now, at = dh[:n], d[rows]
        now += dhs[rows]
        at *= now
        np.dot(at, w, out=now)
    return [d, dh, d.T.dot(saved) if needs[2] else None]


plain_op: Final = general("rnn", _plain_forward, vjp=_plain_vjp, saves=True)


# ---------------------------------------------------------------- long short-term memory


@silent
def _lstm_forward(x: Any, h0: Any, c0: Any, w: Any, *rest: Any) -> tuple[Any, Any]:
    *projection, sizes, reverse = rest
    (count, out_width), width = h0.shape, c0.shape[1]
    out = np.empty((len(x) + count) * out_width + count * width, x.dtype)
    hs, h, c = parts(out, (out_width, out_width, width), (len(x), count, count))
    h[...], c[...] = h0, c0
    factor, summand = _sigmoids(0.5, 0.5, 1, 0.5, width=width, dtype=x.dtype)
    gates, w = np.multiply(x, factor), np.multiply(w, factor[:, None]).T
    i, f, g, o = gates.reshape(-1, 4, width).swapaxes(0, 1)
    before = np.empty_like(hs)
    cells, squashed, unprojected = (np.empty((len(x), width), x.dtype) for _ in range(3))
    unprojected = unprojected if projection else hs
    spare, new = np.empty((count, 4 * width), x.dtype), np.empty((count, width), x.dtype)
    for rows, n in steps(sizes, reverse):
        at, now, cell = gates[rows], h[:n], c[:n]
        before[rows], cells[rows] = now, cell
        at += np.dot(now, w, out=spare[:n])
        np.tanh(at, out=at)
        at *= factor
        at += summand
        cell *= f[rows]
        cell += np.multiply(i[rows], g[rows], out=new[:n])
        np.multiply(o[rows], np.tanh(cell, out=squashed[rows]), out=unprojected[rows])
        if projection:
            np.dot(unprojected[rows], projection[0].T, out=hs[rows])
        now[...] = hs[rows]
    return out, (gates, before, cells, squashed, unprojected)


def _lstm_recorded(inputs: Any, sizes: Sizes, reverse: bool) -> Node:
    x, h, c, w, *projection = inputs
    outs: dict[int, Node] = {}
    for rows, n in steps(sizes, reverse):
        i, f, g, o = chunk(x[rows] + h[:n] @ w.T, 4, -1)
        cell = sigmoid(f) * c[:n] + sigmoid(i) * tanh(g)
        new = sigmoid(o) * tanh(cell)
        if projection:
            new = new @ projection[0].T
        outs[rows.start], h, c = new, _kept(new, h), _kept(cell, c)
    return _packed(outs, h, c)


@silent
def _lstm_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    if saved is None:
        return _recorded(_lstm_recorded, g, inputs, params, needs)
    gates, before, cells, squashed, unprojected = saved
    w, projection = inputs[3], inputs[4:]
    (count, out_width), width = inputs[1].shape, cells.shape[1]
    shape = (out_width, out_width, width), (len(gates), count, count)
    dhs, dh, dc = parts(np.ascontiguousarray(g), *shape)
    dh, dc = dh.copy(), dc.copy()
    gates = gates.reshape(-1, 4, width)
    i, f, new, o = gates.swapaxes(0, 1)
    d = np.multiply(gates, gates)  # what each gate's slope and partners make of a cotangent
    np.subtract(gates, d, out=d)
    d[:, 0] *= new
    d[:, 1] *= cells
    np.multiply(np.subtract(1, new * new), i, out=d[:, 2])
    d[:, 3] *= squashed
    slope = np.subtract(1, squashed * squashed)
    slope *= o
    spare, dp = np.empty_like(dc), np.empty_like(dhs) if projection else None
    flat = d.reshape(-1, 4 * width)
    for rows, n in steps(params[0], not params[1]):
        now, cell, at = dh[:n], dc[:n], d[rows]
        now += dhs[rows]
        inner = now
        if projection:
            dp[rows] = now
            inner = np.dot(now, projection[0])
        cell += np.multiply(inner, slope[rows], out=spare[:n])
        at[:, :3] *= cell[:, None]
        at[:, 3] *= inner
        cell *= f[rows]
        np.dot(flat[rows], w, out=now)
    sent = [flat, dh, dc, flat.T.dot(before) if needs[3] else None]
    return [*sent, dp.T.dot(unprojected)] if projection else sent


lstm_op: Final = general("lstm", _lstm_forward, vjp=_lstm_vjp, saves=True, uses_out=False)


# ---------------------------------------------------------------- gated recurrent unit


@silent
def _gru_forward(x: Any, h0: Any, w: Any, *rest: Any) -> tuple[Any, Any]:
    *bias, sizes, reverse = rest
    count, width = h0.shape
    out = np.empty((len(x) + count) * width, x.dtype)
    hs, h = parts(out, (width, width), (len(x), count))
    h[...] = h0
    factor, summand = _sigmoids(0.5, 0.5, 1, width=width, dtype=x.dtype)
    gates, w = np.multiply(x, factor), np.multiply(w, factor[:, None]).T
    bias = [np.multiply(b, factor) for b in bias]
    factor, summand = factor[: 2 * width], summand[: 2 * width]
    r, z, new = gates.reshape(-1, 3, width).swapaxes(0, 1)
    before, inner = np.empty_like(hs), np.empty_like(hs)
    spare = np.empty((count, 3 * width), x.dtype)
    for rows, n in steps(sizes, reverse):
        now, at = h[:n], gates[rows, : 2 * width]
        before[rows] = now
        own = np.dot(now, w, out=spare[:n])
        for b in bias:
            own += b
        at += own[:, : 2 * width]
        np.tanh(at, out=at)
        at *= factor
        at += summand
        inner[rows] = own[:, 2 * width :]
        candidate, state = new[rows], hs[rows]
        candidate += np.multiply(r[rows], inner[rows], out=state)
        np.tanh(candidate, out=candidate)
        np.subtract(now, candidate, out=state)
        state *= z[rows]
        state += candidate
        now[...] = state
    return out, (gates, before, inner)


def _gru_recorded(inputs: Any, sizes: Sizes, reverse: bool) -> Node:
    x, h, w, *bias = inputs
    outs: dict[int, Node] = {}
    for rows, n in steps(sizes, reverse):
        own = h[:n] @ w.T
        for b in bias:
            own = own + b
        (xr, xz, xn), (r, z, inner) = chunk(x[rows], 3, -1), chunk(own, 3, -1)
        new = tanh(xn + sigmoid(xr + r) * inner)
        state = new + sigmoid(xz + z) * (h[:n] - new)
        outs[rows.start], h = state, _kept(state, h)
    return _packed(outs, h)


@silent
def _gru_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    if saved is None:
        return _recorded(_gru_recorded, g, inputs, params, needs)
    gates, before, inner = saved
    w, (count, width) = inputs[2], inputs[1].shape
    dhs, last = parts(np.ascontiguousarray(g), (width, width), (len(gates), count))
    dh = last.copy()
    gates = gates.reshape(-1, 3, width)
    r, z, new = gates.swapaxes(0, 1)
    d = np.multiply(gates, gates)
    np.subtract(gates, d, out=d)
    d[:, 0] *= inner
    d[:, 1] *= np.subtract(before, new)
    np.multiply(np.subtract(1, z), np.subtract(1, new * new), out=d[:, 2])
    own = np.empty_like(d)  # what reaches the state's part of the gates
    flat = own.reshape(-1, 3 * width)
    spare = np.empty_like(dh)
    for rows, n in steps(params[0], not params[1]):
        now, at, to = dh[:n], d[rows], own[rows]
        now += dhs[rows]
        at[:, 1:] *= now[:, None]
        at[:, 0] *= at[:, 2]
        to[:, :2] = at[:, :2]
        np.multiply(at[:, 2], r[rows], out=to[:, 2])
        now *= z[rows]
        now += np.dot(flat[rows], w, out=spare[:n])
    sent = [d.reshape(flat.shape), dh, flat.T.dot(before) if needs[2] else None]
    return [*sent, np.add.reduce(flat, 0)] if len(inputs) > 3 else sent


gru_op: Final = general("gru", _gru_forward, vjp=_gru_vjp, saves=True, uses_out=False)

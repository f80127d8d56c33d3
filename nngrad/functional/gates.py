"""Recurrent layers as ops: all steps of one layer in one direction, in buffers made once.

Sequences are packed: the rows of all sequences at the first time, then at the second, and so on;
`sizes` says how many sequences there still are at each time, longest first. What the input adds to
the gates is computed for all times at once, and so are the gradients of the weights. An op gives one
vector: the states at all times, row by row, then the last state of each sequence, then (LSTM) the
last cells. Its inputs: the rows, first states, (LSTM) first cells, weight_ih, weight_hh, maybe bias_ih
and bias_hh, maybe (LSTM) weight_hr.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, TypeAlias

import numpy as np

from .batch import Batch
from .derivatives import inputs_of
from .elementary import relu, sigmoid, silent, tanh
from .engine import backward
from .joining import concat
from .matrix import linear
from .node import Node, grad_mode
from .op import Op, apply, general
from .shape import reshape
from .splitting import chunk

Sizes: TypeAlias = tuple[int, ...]

_OFTEN: Final = 8  # times from which on a transposed weight is worth being copied


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


def _fed(
    x: Any, w_ih: Any, w_hh: Any, biases: Sequence[Any], times: int, halved: Sequence[float]
) -> tuple[Any, Any, Any]:
    """What the rows and biases add to the gates, the transposed weight of the states, and a factor.

    Since sigmoid(a) = tanh(a / 2) / 2 + 1 / 2, one tanh serves all gates: those that are sigmoids are
    halved here. After the tanh, multiply by the factor, and add what it lacks to 1.
    """
    factor = np.repeat(np.array(halved, x.dtype), w_ih.shape[0] // len(halved))
    gates = np.empty((x.shape[0], w_ih.shape[0]), x.dtype)
    np.dot(x, np.multiply(w_ih, factor[:, None]).T, out=gates)
    if biases:
        gates += np.multiply(sum(biases), factor)
    w = np.multiply(w_hh, factor[:, None]).T
    return gates, np.ascontiguousarray(w) if times > _OFTEN else w, factor


def _sent(d: Any, inputs: Any, at: int, biased: bool, needs: list[bool]) -> tuple[Any, Any, Any]:
    """What cotangents of the gates send to the rows, to their weight (the input `at`) and to a bias."""
    of_rows = d.dot(inputs[at]) if needs[0] else None
    of_weight = d.T.dot(inputs[0]) if needs[at] else None
    return of_rows, of_weight, np.add.reduce(d, 0) if biased else None


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
def _plain_forward(x: Any, h0: Any, w_ih: Any, w_hh: Any, *rest: Any) -> tuple[Any, Any]:
    *biases, sizes, reverse, rectified = rest
    count, width = h0.shape
    fed, w, _ = _fed(x, w_ih, w_hh, biases, len(sizes), (1,))
    out = np.empty((len(fed) + count) * width, x.dtype)
    hs, h = parts(out, (width, width), (len(fed), count))
    h[...] = h0
    before = np.empty_like(hs)
    for rows, n in steps(sizes, reverse):
        at, now = hs[rows], h[:n]
        before[rows] = now
        np.dot(now, w, out=at)
        at += fed[rows]
        if rectified:
            np.maximum(at, 0, out=at)
        else:
            np.tanh(at, out=at)
        now[...] = at
    return out, before


def plain_steps(inputs: Any, sizes: Sizes, reverse: bool, rectified: bool) -> Node:
    """What the op computes, of functions on nodes."""
    x, h, w_ih, w_hh, *biases = inputs
    fed = linear(x, w_ih, *biases[:1])
    outs: dict[int, Node] = {}
    for rows, n in steps(sizes, reverse):
        a = fed[rows] + linear(h[:n], w_hh, *biases[1:])
        new = relu(a) if rectified else tanh(a)
        outs[rows.start], h = new, _kept(new, h)
    return _packed(outs, h)


@silent
def _plain_vjp(g: Any, out: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    if saved is None:
        return _recorded(plain_steps, g, inputs, params, needs)
    (count, width), w = inputs[1].shape, inputs[3]
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
    biased = len(inputs) > 4
    dx, dw, db = _sent(d, inputs, 2, biased, needs)
    return [dx, dh, dw, d.T.dot(saved) if needs[3] else None, *([db, db] if biased else [])]


plain_op: Final = general("rnn", _plain_forward, vjp=_plain_vjp, saves=True)


# ---------------------------------------------------------------- long short-term memory


#: the gates in the order new, in, forget, out: three sigmoids in a row, and three that the cells feed
_ORDER: Final = [2, 0, 1, 3]
_BACK: Final = [1, 2, 0, 3]


def _by_gate(w: Any, order: list[int]) -> Any:
    """The four parts of the rows in another order."""
    return w.reshape(4, -1, w.shape[1])[order]


def _at_time(flat: Any, rows: slice, width: int) -> Any:
    """The gates at one time: all of one gate lie in one piece."""
    return flat[4 * width * rows.start : 4 * width * rows.stop].reshape(4, -1, width)


@silent
def _lstm_forward(x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, *rest: Any) -> tuple[Any, Any]:
    *more, sizes, reverse = rest
    biases, projection = more[: len(more) // 2 * 2], more[len(more) // 2 * 2 :]
    (length, fan_in), (count, out_width), width = x.shape, h0.shape, c0.shape[1]
    # one product serves input, bias and state; a gate after the other, so that each lies in one piece
    columns = [w_ih, *([np.add(*biases)[:, None]] if biases else []), w_hh]
    weight = _by_gate(np.concatenate(columns, 1), _ORDER)
    np.negative(weight[1:], out=weight[1:])
    weight = weight.swapaxes(1, 2)
    weight = np.ascontiguousarray(weight) if len(sizes) > _OFTEN else weight
    fed = np.empty((length, weight.shape[1]), x.dtype)
    fed[:, :fan_in], fed[:, fan_in:-out_width] = x, 1
    before = fed[:, -out_width:]
    out = np.empty((length + count) * out_width + count * width, x.dtype)
    hs, h, c = parts(out, (out_width, out_width, width), (length, count, count))
    h[...], c[...] = h0, c0
    gates = np.empty(4 * length * width, x.dtype)
    cells, squashed = (np.empty((length, width), x.dtype) for _ in range(2))
    whole = np.empty_like(cells) if projection else hs
    spare = np.empty((count, width), x.dtype)
    one = np.ones((), x.dtype)
    for rows, n in steps(sizes, reverse):
        now, cell, at = h[:n], c[:n], _at_time(gates, rows, width)
        before[rows], cells[rows] = now, cell
        np.matmul(fed[rows], weight, out=at)
        new, sigmoids = at[0], at[1:]
        np.tanh(new, out=new)
        np.exp(sigmoids, out=sigmoids)
        sigmoids += one
        np.reciprocal(sigmoids, out=sigmoids)
        cell *= at[2]
        cell += np.multiply(at[1], new, out=spare[:n])
        np.multiply(at[3], np.tanh(cell, out=squashed[rows]), out=whole[rows])
        if projection:
            np.dot(whole[rows], projection[0].T, out=hs[rows])
        now[...] = hs[rows]
    return out, (gates, fed, cells, squashed, whole if projection else None)


def lstm_steps(inputs: Any, sizes: Sizes, reverse: bool) -> Node:
    """What the op computes, of functions on nodes."""
    x, h, c, w_ih, w_hh, *more = inputs
    biases, projection = more[: len(more) // 2 * 2], more[len(more) // 2 * 2 :]
    fed = linear(x, w_ih, *biases[:1])
    outs: dict[int, Node] = {}
    for rows, n in steps(sizes, reverse):
        i, f, new, o = chunk(fed[rows] + linear(h[:n], w_hh, *biases[1:]), 4, -1)
        cell = sigmoid(f) * c[:n] + sigmoid(i) * tanh(new)
        state = sigmoid(o) * tanh(cell)
        for w in projection:
            state = linear(state, w)
        outs[rows.start], h, c = state, _kept(state, h), _kept(cell, c)
    return _packed(outs, h, c)


def _lstm_slopes(gates: Any, cells: Any, squashed: Any, sizes: Sizes) -> tuple[Any, Any]:
    """How cells and states depend on what goes into each gate, and states on cells, at all times.

    The slopes by cells lie as the gates do, those by states at the last gate's place.
    """
    width = cells.shape[1]
    own, of_cell, start = np.square(gates), np.square(squashed), 0
    np.subtract(1, of_cell, out=of_cell)
    for n, times in groupby(sizes):
        shape = (len(list(times)), n, width)
        end = start + shape[0] * n
        at, slopes = (
            flat[4 * width * start : 4 * width * end].reshape(shape[0], 4, n, width) for flat in (gates, own)
        )
        np.subtract(1, slopes[:, 0], out=slopes[:, 0])
        np.subtract(at[:, 1:], slopes[:, 1:], out=slopes[:, 1:])
        others = at[:, 1], at[:, 0], cells[start:end].reshape(shape), squashed[start:end].reshape(shape)
        for i, other in enumerate(others):
            slopes[:, i] *= other
        of_cell[start:end].reshape(shape)[...] *= at[:, 3]
        start = end
    return own, of_cell


@silent
def _lstm_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    if saved is None:
        return _recorded(lstm_steps, g, inputs, params, needs)
    gates, fed, cells, squashed, whole = saved
    sizes, reverse = params
    w_ih, w_hh, projection = inputs[3], inputs[4], inputs[-1]
    (count, out_width), (length, width) = inputs[1].shape, cells.shape
    shape = (out_width, out_width, width), (length, count, count)
    dhs, dh, dc = parts(np.ascontiguousarray(g), *shape)
    dh, dc = dh.copy(), dc.copy()
    own, of_cells = _lstm_slopes(gates, cells, squashed, sizes)
    weight = _by_gate(w_hh, _ORDER).reshape(4 * width, out_width)
    d, of_hs = np.empty((length, 4, width), g.dtype), None if whole is None else np.empty_like(dhs)
    flat, spare = d.reshape(length, 4 * width), np.empty_like(dc)
    for rows, n in steps(sizes, not reverse):
        now, cell, at = dh[:n], dc[:n], _at_time(own, rows, width)
        now += dhs[rows]
        inner = now
        if of_hs is not None:
            of_hs[rows] = now
            inner = np.dot(now, projection)
        cell += np.multiply(of_cells[rows], inner, out=spare[:n])
        at[:3] *= cell
        at[3] *= inner
        cell *= _at_time(gates, rows, width)[2]
        d[rows] = at.swapaxes(0, 1)
        np.dot(flat[rows], weight, out=now)
    fan_in, biased = w_ih.shape[1], len(inputs) > 6
    dx = flat.dot(_by_gate(w_ih, _ORDER).reshape(w_ih.shape)) if needs[0] else None
    dw = _by_gate(flat.T.dot(fed), _BACK).reshape(4 * width, -1)
    sent = [
        dx,
        dh,
        dc,
        dw[:, :fan_in],
        dw[:, -out_width:],
        *([dw[:, fan_in], dw[:, fan_in]] if biased else []),
    ]
    sent = [part if part is None else np.ascontiguousarray(part) for part in sent]
    return sent if of_hs is None else [*sent, of_hs.T.dot(whole)]


lstm_op: Final = general("lstm", _lstm_forward, vjp=_lstm_vjp, saves=True, uses_out=False)


# ---------------------------------------------------------------- gated recurrent unit


@silent
def _gru_forward(x: Any, h0: Any, w_ih: Any, w_hh: Any, *rest: Any) -> tuple[Any, Any]:
    *biases, sizes, reverse = rest
    count, width = h0.shape
    two = 2 * width
    of_inner = biases[1][two:] if biases else np.zeros((), x.dtype)
    if biases:
        biases = [biases[0], np.concatenate([biases[1][:two], np.zeros(width, x.dtype)])]
    gates, w, factor = _fed(x, w_ih, w_hh, biases, len(sizes), (0.5, 0.5, 1))
    factor, lacking = factor[:two], 1 - factor[:two]
    out = np.empty((len(gates) + count) * width, x.dtype)
    hs, h = parts(out, (width, width), (len(gates), count))
    h[...] = h0
    r, z, new = gates.reshape(-1, 3, width).swapaxes(0, 1)
    before, inner = np.empty_like(hs), np.empty_like(hs)
    spare = np.empty((count, 3 * width), x.dtype)
    for rows, n in steps(sizes, reverse):
        now, at, candidate, state = h[:n], gates[rows, :two], new[rows], hs[rows]
        before[rows] = now
        own = np.dot(now, w, out=spare[:n])
        at += own[:, :two]
        np.tanh(at, out=at)
        at *= factor
        at += lacking
        np.add(own[:, two:], of_inner, out=inner[rows])
        candidate += np.multiply(r[rows], inner[rows], out=state)
        np.tanh(candidate, out=candidate)
        np.subtract(now, candidate, out=state)
        state *= z[rows]
        state += candidate
        now[...] = state
    return out, (gates, before, inner)


def gru_steps(inputs: Any, sizes: Sizes, reverse: bool) -> Node:
    """What the op computes, of functions on nodes."""
    x, h, w_ih, w_hh, *biases = inputs
    fed = linear(x, w_ih, *biases[:1])
    outs: dict[int, Node] = {}
    for rows, n in steps(sizes, reverse):
        own = linear(h[:n], w_hh, *biases[1:])
        (xr, xz, xn), (r, z, inner) = chunk(fed[rows], 3, -1), chunk(own, 3, -1)
        new = tanh(xn + sigmoid(xr + r) * inner)
        state = new + sigmoid(xz + z) * (h[:n] - new)
        outs[rows.start], h = state, _kept(state, h)
    return _packed(outs, h)


@silent
def _gru_vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    if saved is None:
        return _recorded(gru_steps, g, inputs, params, needs)
    gates, before, inner = saved
    w, (count, width) = inputs[3], inputs[1].shape
    dhs, last = parts(np.ascontiguousarray(g), (width, width), (len(gates), count))
    dh = last.copy()
    gates = gates.reshape(-1, 3, width)
    r, z, new = gates.swapaxes(0, 1)
    d = np.multiply(gates, gates)
    np.subtract(gates, d, out=d)
    d[:, 0] *= inner
    d[:, 1] *= np.subtract(before, new)
    np.multiply(np.subtract(1, z), np.subtract(1, new * new), out=d[:, 2])
    own = np.empty_like(d)  # what reaches the gates' part that the states add
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
    biased = len(inputs) > 4
    dx, dw, db = _sent(d.reshape(flat.shape), inputs, 2, biased, needs)
    sent = [dx, dh, dw, flat.T.dot(before) if needs[3] else None]
    return [*sent, db, np.add.reduce(flat, 0)] if biased else sent


gru_op: Final = general("gru", _gru_forward, vjp=_gru_vjp, saves=True, uses_out=False)

STEPS: Final[dict[Op, Callable[..., Node]]] = {plain_op: plain_steps, lstm_op: lstm_steps, gru_op: gru_steps}


def run_steps(op: Op, inputs: tuple[Node, ...], params: tuple[Any, ...]) -> Node:
    """The op; under vmap, the functions that it is made of, which have their rules."""
    if any(type(x._value) is Batch for x in inputs):
        return STEPS[op](inputs, *params)
    return apply(op, inputs, params)

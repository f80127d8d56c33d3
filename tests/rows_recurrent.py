"""Rows of the table for recurrent networks and cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rows import Array, Row, real

T, N, FED, H = 3, 2, 2, 3
GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def step(mode: str, x: Array, state: list[Array], weights: Sequence[Array]) -> list[Any]:
    """The formulas, as PyTorch documents them."""
    w_ih, w_hh, *rest = weights
    b_ih, b_hh = rest[:2] if len(rest) > 1 else (0.0, 0.0)
    fed, own = x @ w_ih.T + b_ih, state[0] @ w_hh.T + b_hh
    if mode == "rnn_tanh":
        return [np.tanh(fed + own)]
    if mode == "rnn_relu":
        return [np.maximum(fed + own, 0)]
    if mode == "gru":
        (xr, xz, xn), (hr, hz, hn) = np.split(fed, 3, -1), np.split(own, 3, -1)
        z, new = sigmoid(xz + hz), np.tanh(xn + sigmoid(xr + hr) * hn)
        return [(1 - z) * new + z * state[0]]
    i, f, g, o = np.split(fed + own, 4, -1)
    cell = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(cell)
    return [h @ rest[-1].T if len(rest) % 2 else h, cell]


def whole(
    mode: str, layers: int, directions: int, each: int, batch_first: bool, arrays: Sequence[Array]
) -> tuple[Any, ...]:
    states = 2 if mode == "lstm" else 1
    x, hx, weights = arrays[0], arrays[1 : 1 + states], arrays[1 + states :]
    x = x.swapaxes(0, 1) if batch_first else x
    ends: list[list[Any]] = []
    for layer in range(layers):
        sides = []
        for direction in range(directions):
            at = layer * directions + direction
            state = [h[at] for h in hx]
            outs = []
            for row in x[::-1] if direction else x:
                state = step(mode, row, state, weights[at * each : (at + 1) * each])
                outs.append(state[0])
            sides.append(np.stack(outs[::-1] if direction else outs))
            ends.append(state)
        x = np.concatenate(sides, -1)
    last = [np.stack([end[k] for end in ends]) for k in range(states)]
    return (x.swapaxes(0, 1) if batch_first else x, *last)


def network(
    mode: str,
    case: str,
    layers: int = 1,
    directions: int = 1,
    biased: bool = True,
    projected: int = 0,
    batch_first: bool = False,
) -> Row:
    rows, width = GATES[mode] * H, projected or H
    shapes: list[tuple[int, ...]] = [(N, T, FED) if batch_first else (T, N, FED)]
    shapes += [(layers * directions, N, width), (layers * directions, N, H)][: 2 if mode == "lstm" else 1]
    states = len(shapes) - 1
    for layer in range(layers):
        for _ in range(directions):
            shapes += [(rows, FED if layer == 0 else width * directions), (rows, width)]
            shapes += [(rows,), (rows,)] if biased else []
            shapes += [(projected, H)] if projected else []
    each = (len(shapes) - 1 - states) // (layers * directions)

    def call(f: Any, x: Any, *rest: Any) -> Any:
        hx, weights = rest[:states], list(rest[states:])
        given = tuple(hx) if mode == "lstm" else hx[0]
        return getattr(f, mode)(x, given, weights, biased, layers, 0.0, False, directions == 2, batch_first)

    return Row(
        mode,
        case,
        call,
        real(*shapes),
        lambda *arrays: whole(mode, layers, directions, each, batch_first, arrays),
        dtypes="fd" if mode == "rnn_relu" else "fdl",  # where integers would do
    )


def networks() -> Iterator[Row]:
    for mode in GATES:
        yield network(mode, "one")
        yield network(mode, "bare", biased=False, batch_first=True)
        yield network(mode, "both-directions", directions=2)
        yield network(mode, "two-layers", layers=2, directions=2, biased=False)
    yield network("lstm", "projected", projected=2, directions=2)
    yield network("lstm", "projected-bare", projected=1, layers=2, biased=False)


def cell(mode: str, biased: bool, batched: bool) -> Row:
    rows, lead = GATES[mode] * H, (N,) if batched else ()
    states = 2 if mode == "lstm" else 1
    shapes: list[tuple[int, ...]] = [(*lead, FED), *[(*lead, H)] * states, (rows, FED), (rows, H)]
    shapes += [(rows,), (rows,)] if biased else []
    name = f"{mode}_cell"

    def call(f: Any, x: Any, *rest: Any) -> Any:
        if not batched and hasattr(f, "_torch"):  # its function takes batches, its layer adds one
            x, rest = x[None], (*[h[None] for h in rest[:states]], *rest[states:])
        hx = rest[:states] if mode == "lstm" else rest[0]
        out = getattr(f, name)(x, hx, *rest[states:])
        if batched or not hasattr(f, "_torch"):
            return out
        return tuple([o[0] for o in out]) if mode == "lstm" else out[0]

    def formula(x: Array, *rest: Array) -> Any:
        new = step(mode, x, list(rest[:states]), rest[states:])
        return tuple(new) if len(new) > 1 else new[0]

    case = f"{'biased' if biased else 'bare'}-{'batch' if batched else 'alone'}"
    return Row(name, case, call, real(*shapes), formula, dtypes="fd")


ROWS: tuple[Row, ...] = (
    *networks(),
    *[cell(mode, biased, batched) for mode in GATES for biased in (True, False) for batched in (True, False)],
)

X, S, W, V = np.ones((T, N, FED)), np.ones((1, N, H)), np.ones((4 * H, FED)), np.ones((4 * H, H))


def _lstm(x: Any, h: Any, c: Any, *weights: Any, layers: int = 1, biased: bool = False) -> Callable[..., Any]:
    return lambda f, t: f.lstm(
        t(x), (t(h), t(c)), [t(w) for w in weights], biased, layers, 0.0, False, False, False
    )


def _cell(name: str, x: Any, h: Any, *weights: Any) -> Callable[..., Any]:
    return lambda f, t: getattr(f, name)(t(x), t(h), *[t(w) for w in weights])


BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "lstm-input": (_lstm(X[..., :1], S, S, W, V), RuntimeError, r"lstm: .*\(12, 2\)|shapes"),
    "lstm-state": (_lstm(X, S[..., :2], S, W, V), RuntimeError, r"lstm: .*\(2, 2\)|shapes"),
    "lstm-batch": (_lstm(X, S[:, :1], S, W, V), RuntimeError, r"lstm: .*\(1, 1, 3\)|size|match"),
    "lstm-weights": (_lstm(X, S, S, W, biased=True), RuntimeError, "lstm: 1 weights|got an incorrect"),
    "lstm-dtype": (
        _lstm(X.astype(np.float32), S, S, W, V),
        RuntimeError,
        "lstm: .*float32.*float64|same dtype",
    ),
    "lstm-empty": (_lstm(X[:0], S, S, W, V), RuntimeError, "Expected sequence length to be larger than 0"),
    "gru_cell-shapes": (
        _cell("gru_cell", X[0], S[0], W, V),
        RuntimeError,
        r"gru_cell: .*\(12, 2\)|hidden|size",
    ),
    "rnn_tanh_cell-input": (
        _cell("rnn_tanh_cell", X[0, :, :1], S[0], np.ones((H, FED)), np.ones((H, H))),
        RuntimeError,
        r"rnn_tanh_cell: .*\(2, 1\)|input",
    ),
}

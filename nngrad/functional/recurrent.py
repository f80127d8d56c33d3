"""Recurrent networks: their layers and directions put together, and single cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from .dropping import Draw, check_probability, drawn_by, drop
from .gates import Sizes, gru_op, lstm_op, parts, plain_op, run_steps
from .joining import concat
from .node import Node, Operand, as_node, seal
from .order import transpose
from .shape import reshape

if TYPE_CHECKING:
    from numpy.random import Generator

Mode: TypeAlias = Literal["RNN_TANH", "RNN_RELU", "LSTM", "GRU"]

_NAMES: Final = {"RNN_TANH": "rnn_tanh", "RNN_RELU": "rnn_relu", "LSTM": "lstm", "GRU": "gru"}
_GATES: Final = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def run_direction(
    op: str, mode: Mode, x: Node, states: Sequence[Node], weights: Sequence[Node], sizes: Sizes, reverse: bool
) -> list[Node]:
    """One layer in one direction over packed rows: all states, the last ones, and (LSTM) the last cells.

    states: h (count, width), and for LSTM c (count, hidden).
    weights: weight_ih, weight_hh, maybe bias_ih and bias_hh, maybe weight_hr.
    """
    _check(op, mode, x, states, weights, sizes[0])
    inputs = (x, *states, *weights)
    if mode == "LSTM":
        out = run_steps(lstm_op, inputs, (sizes, reverse))
    elif mode == "GRU":
        out = run_steps(gru_op, inputs, (sizes, reverse))
    else:
        out = run_steps(plain_op, inputs, (sizes, reverse, mode == "RNN_RELU"))
    width = states[0].shape[1]
    widths = (width, width, *[c.shape[1] for c in states[1:]])
    return list(parts(out, widths, (x.shape[0], *[sizes[0]] * len(states))))


def _check(op: str, mode: Mode, x: Node, states: Sequence[Node], weights: Sequence[Node], count: int) -> None:
    """Raise for dtypes that differ and for shapes that do not belong together."""
    dtype = x._value.dtype
    if dtype.kind != "f" or any(n._value.dtype != dtype for n in (*states, *weights)):
        told = ", ".join([str(n.dtype) for n in (x, *states, *weights)])
        raise RuntimeError(f"{op}: expected floating-point values all of one dtype, got {told}")
    hidden = states[-1].shape[-1]
    width = states[0].shape[-1]
    rows = _GATES[mode] * hidden
    expected = [(rows, x.shape[1]), (rows, width), (rows,), (rows,)]
    if len(weights) % 2:
        expected = [*expected[: len(weights) - 1], (width, hidden)]
    fits = [n.shape == shape for n, shape in zip(weights, expected)]
    if not all(fits) or any(s.shape != (count, n) for s, n in zip(states, (width, hidden))):
        shapes = ", ".join([str(n.shape) for n in weights])
        raise RuntimeError(
            f"{op}: input {x.shape}, states {', '.join([str(s.shape) for s in states])} and weights {shapes} "
            "do not fit together"
        )
    if len(weights) % 2 == 0 and width != hidden:
        raise RuntimeError(f"{op}: states of widths {width} and {hidden} need a projection")


def run_layers(
    op: str,
    mode: Mode,
    x: Node,
    states: Sequence[Node],
    weights: Sequence[Node],
    sizes: Sizes,
    layers: int,
    directions: int,
    dropout: float,
    draw: Draw | None,
) -> tuple[Node, list[Node]]:
    """All layers over packed rows: the last one's states, and every layer's and direction's last ones.

    states: h (layers * directions, count, width), and for LSTM c. draw: dropout between the layers.
    """
    each = len(weights) // (layers * directions)
    if not each or each * layers * directions != len(weights) or each > 5:
        raise RuntimeError(
            f"{op}: got {len(weights)} weights for {layers} layers and {directions} directions"
        )
    ends: list[list[Node]] = []
    for layer in range(layers):
        outs = []
        for direction in range(directions):
            i = layer * directions + direction
            given = [s[i] for s in states]
            out, *last = run_direction(
                op, mode, x, given, weights[i * each : (i + 1) * each], sizes, direction == 1
            )
            outs.append(out)
            ends.append(last)
        x = outs[0] if directions == 1 else concat(outs, 1)
        if draw is not None and layer < layers - 1:
            x = drop(op, x, dropout, True, draw, False, False)
    return x, [_stacked([end[k] for end in ends]) for k in range(len(states))]


def _stacked(ends: list[Node]) -> Node:
    shape = ends[0].shape
    return reshape(ends[0] if len(ends) == 1 else concat(ends), (len(ends), *shape))


def _dense(
    mode: Mode,
    input: Operand,
    hx: Sequence[Operand],
    params: Sequence[Operand],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
    generator: Generator | None,
) -> tuple[Node, ...]:
    op = _NAMES[mode]
    check_probability(dropout)
    x, weights = as_node(input), [as_node(p) for p in params]
    states = [as_node(h) for h in hx]
    if x.ndim != 3 or any(s.ndim != 3 for s in states):
        told = ", ".join([str(n.shape) for n in (x, *states)])
        raise RuntimeError(f"{op}: expected input and states of 3 dimensions, got {told}")
    if batch_first:
        x = transpose(x, 0, 1)
    time, count, width = x.shape
    if not time:
        raise RuntimeError(f"{op}: Expected sequence length to be larger than 0, got {x.shape}")
    directions = 2 if bidirectional else 1
    biased = len(weights) // max(1, num_layers * directions) in (4, 5)
    if biased != has_biases or any(s.shape[:2] != (num_layers * directions, count) for s in states):
        raise RuntimeError(
            f"{op}: {len(weights)} weights and states {', '.join([str(s.shape) for s in states])} do not fit "
            f"input {x.shape}, {num_layers} layers and {directions} directions"
        )
    draw = drawn_by(op, generator, dropout) if train and dropout else None
    flat = reshape(x, (time * count, width))
    out, ends = run_layers(
        op, mode, flat, states, weights, (count,) * time, num_layers, directions, dropout, draw
    )
    out = reshape(out, (time, count, out.shape[1]))
    return transpose(out, 0, 1) if batch_first else out, *ends


def lstm(
    input: Operand,
    hx: Sequence[Operand],
    params: Sequence[Operand],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
    *,
    generator: Generator | None = None,
) -> tuple[Node, Node, Node]:
    """Long short-term memory: the last layer's states at all times, the last states and cells.

    input: (T, N, I), or (N, T, I) with `batch_first`. hx: states and cells (layers * directions, N, H).
    params: for each layer and direction weight_ih (4H, I), weight_hh (4H, H), then if `has_biases`
    bias_ih and bias_hh (4H,), then if states are projected weight_hr (P, H). Dropout between the layers
    is drawn by `generator` when training. Gives (T, N, H * directions) and the like of hx.
    Raises RuntimeError for shapes or dtypes that do not fit. Hochreiter and Schmidhuber (1997).

    >>> h, w, options = np.zeros((1, 1, 2)), np.ones((8, 2)), (False, 1, 0.0, False, False, False)
    >>> out, h, c = lstm(np.ones((3, 1, 2)), (h, h), [w, w], *options)
    >>> out.shape, c.data.round(2)
    ((3, 1, 2), array([[[2.71, 2.71]]]))
    """
    if len(hx) != 2:
        raise RuntimeError(f"lstm expects two hidden states, got {len(hx)}")
    given = has_biases, num_layers, dropout, train, bidirectional, batch_first, generator
    out, h, c = _dense("LSTM", input, hx, params, *given)
    return out, h, c


def gru(
    input: Operand,
    hx: Operand,
    params: Sequence[Operand],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
    *,
    generator: Generator | None = None,
) -> tuple[Node, Node]:
    """Gated recurrent units: the last layer's states at all times, and every layer's last ones.

    Shapes as those of `lstm`, without cells and projections, and 3H for 4H. Raises RuntimeError for
    shapes or dtypes that do not fit. Cho et al. (2014).

    >>> h, w, options = np.zeros((1, 1, 2)), np.ones((6, 2)), (False, 1, 0.0, False, False, False)
    >>> gru(np.ones((3, 1, 2)), h, [w, w], *options)[1].data.round(2)
    array([[[0.26, 0.26]]])
    """
    given = has_biases, num_layers, dropout, train, bidirectional, batch_first, generator
    out, h = _dense("GRU", input, (hx,), params, *given)
    return out, h


def rnn_tanh(
    input: Operand,
    hx: Operand,
    params: Sequence[Operand],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
    *,
    generator: Generator | None = None,
) -> tuple[Node, Node]:
    """`h = tanh(weight_ih @ x + weight_hh @ h)` at all times, and every layer's last states.

    Shapes as those of `gru`, and H for 3H. Raises RuntimeError for those that do not fit. Elman (1990).

    >>> h, w, options = np.zeros((1, 1, 2)), np.eye(2), (False, 1, 0.0, False, False, False)
    >>> rnn_tanh(np.ones((3, 1, 2)), h, [w, w], *options)[1].data.round(2)
    array([[[0.96, 0.96]]])
    """
    given = has_biases, num_layers, dropout, train, bidirectional, batch_first, generator
    out, h = _dense("RNN_TANH", input, (hx,), params, *given)
    return out, h


def rnn_relu(
    input: Operand,
    hx: Operand,
    params: Sequence[Operand],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
    *,
    generator: Generator | None = None,
) -> tuple[Node, Node]:
    """`rnn_tanh` with relu in place of tanh.

    >>> h, w, options = np.zeros((1, 1, 2)), np.eye(2), (False, 1, 0.0, False, False, False)
    >>> rnn_relu(np.ones((3, 1, 2)), h, [w, w], *options)[1].data
    array([[[3., 3.]]])
    """
    given = has_biases, num_layers, dropout, train, bidirectional, batch_first, generator
    out, h = _dense("RNN_RELU", input, (hx,), params, *given)
    return out, h


# ---------------------------------------------------------------- cells


def run_cell(
    op: str, mode: Mode, input: Operand, states: Sequence[Operand], weights: Sequence[Operand | None]
) -> list[Node]:
    """One step of (N, I) or (I,): the new states."""
    x, hx = as_node(input), [as_node(s) for s in states]
    if x.ndim not in (1, 2) or any(s.ndim != x.ndim for s in hx):
        told = ", ".join([str(n.shape) for n in (x, *hx)])
        raise RuntimeError(f"{op}: expected input and states of 2 dimensions, or of 1, got {told}")
    given = [as_node(w) for w in weights if w is not None]
    if len(given) % 2:
        given.append(seal(np.zeros(given[-1].shape, given[-1].dtype)))
    if x.ndim == 1:
        made = run_cell(op, mode, x[None], [s[None] for s in hx], given)
        return [new[0] for new in made]
    return run_direction(op, mode, x, hx, given, (x.shape[0],), False)[1:]


def lstm_cell(
    input: Operand,
    hx: Sequence[Operand],
    w_ih: Operand,
    w_hh: Operand,
    b_ih: Operand | None = None,
    b_hh: Operand | None = None,
) -> tuple[Node, Node]:
    """One step of `lstm`: the new states and cells.

    input: (N, I) or (I,); hx: state and cell (N, H) or (H,); w_ih (4H, I), w_hh (4H, H), biases (4H,).
    Raises RuntimeError for shapes or dtypes that do not fit.

    >>> state, weight = np.zeros((1, 2)), np.ones((8, 2))
    >>> lstm_cell(np.ones((1, 2)), (state, state), weight, weight)[1].data.round(2)
    array([[0.85, 0.85]])
    """
    if len(hx) != 2:
        raise RuntimeError(f"lstm_cell expects two hidden states, got {len(hx)}")
    h, c = run_cell("lstm_cell", "LSTM", input, hx, (w_ih, w_hh, b_ih, b_hh))
    return h, c


def gru_cell(
    input: Operand,
    hx: Operand,
    w_ih: Operand,
    w_hh: Operand,
    b_ih: Operand | None = None,
    b_hh: Operand | None = None,
) -> Node:
    """One step of `gru`. Shapes as those of `lstm_cell`, and 3H for 4H; raises as it does.

    >>> gru_cell(np.ones((1, 2)), np.zeros((1, 2)), np.ones((6, 2)), np.ones((6, 2))).data.round(2)
    array([[0.11, 0.11]])
    """
    return run_cell("gru_cell", "GRU", input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]


def rnn_tanh_cell(
    input: Operand,
    hx: Operand,
    w_ih: Operand,
    w_hh: Operand,
    b_ih: Operand | None = None,
    b_hh: Operand | None = None,
) -> Node:
    """One step of `rnn_tanh`. Shapes as those of `lstm_cell`, and H for 4H; raises as it does.

    >>> rnn_tanh_cell(np.ones((1, 2)), np.zeros((1, 2)), np.eye(2), np.eye(2)).data.round(2)
    array([[0.76, 0.76]])
    """
    return run_cell("rnn_tanh_cell", "RNN_TANH", input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]


def rnn_relu_cell(
    input: Operand,
    hx: Operand,
    w_ih: Operand,
    w_hh: Operand,
    b_ih: Operand | None = None,
    b_hh: Operand | None = None,
) -> Node:
    """One step of `rnn_relu`. Shapes as those of `lstm_cell`, and H for 4H; raises as it does.

    >>> rnn_relu_cell(np.ones((1, 2)), np.zeros((1, 2)), np.eye(2), np.eye(2)).data
    array([[1., 1.]])
    """
    return run_cell("rnn_relu_cell", "RNN_RELU", input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]

"""Connectionist temporal classification: the likelihood of a sequence over all its alignments.

After Graves et al. 2006, in logarithms. A sequence of labels is a path through the states blank,
label, blank, label, ..., blank; everything here is done for all states of all samples at once, in a
loop over time. Two columns before the first state hold the start, so that no state is special.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .arithmetic import div, mul
from .dtypes import Array
from .elementary import exp, silent
from .engine import backward
from .indexing import getitem
from .loss import Reduction, check_reduction, reduce_loss
from .node import Node, Operand, as_node, seal, variable
from .op import apply, general
from .shape import reshape, unsqueeze

#: log(0) where derivatives of derivatives are recorded: an infinity less an infinity is no number
NOTHING: Final = -1e30


def _skips(states: Any) -> Any:
    """Which states may be reached from the last but one: those with another label."""
    return np.concatenate([np.ones_like(states[:, :2], np.bool_), states[:, 2:] != states[:, :-2]], 1)


def _log_sum(*terms: Any) -> Any:
    """log of the sum of exp(term), for arrays and nodes. The largest term is no part of a graph."""
    top = np.maximum.reduce([getattr(x, "_value", x) for x in terms])
    top = np.where(top == -np.inf, np.zeros((), top.dtype), top)
    total = np.exp(np.subtract(terms[0], top))
    for x in terms[1:]:
        total = np.add(total, np.exp(np.subtract(x, top)))
    return np.add(np.log(total), top)


def _ends(states: Any, frames: Array, lengths: Array) -> list[Any]:
    """The two cells of `alphas` at which the alignments of each sample may end."""
    samples = np.arange(len(states))
    return [(frames, samples, 2 * lengths + 2), (frames, samples, 2 * lengths + 1)]


@silent
def _forward(
    log_probs: Any, states: Any, frames: Array, lengths: Array, zero_infinity: bool
) -> tuple[Any, Any]:
    """log_probs: (T, N, C); states: (N, 2 S + 1), their classes; frames, lengths: (N,)."""
    emitted = np.take_along_axis(log_probs, states[None], 2)
    skips = _skips(states)
    alphas = np.full((len(log_probs) + 1, states.shape[0], states.shape[1] + 2), -np.inf, log_probs.dtype)
    alphas[0, :, 1] = 0
    no_skip = np.where(skips, 0, -np.inf).astype(log_probs.dtype)
    lowest = np.finfo(log_probs.dtype).min
    terms: Any = np.empty((3, *states.shape), log_probs.dtype)
    for before, after, emission in zip(alphas, alphas[1:], emitted):  # `_log_sum` in one array: half the time
        terms[0], terms[1] = before[:, 2:], before[:, 1:-1]
        np.add(before[:, :-2], no_skip, out=terms[2])
        top = np.maximum(np.maximum.reduce(terms, 0), lowest)
        total = np.add.reduce(np.exp(np.subtract(terms, top, out=terms), out=terms), 0)
        np.log(total, out=total)
        np.add(np.add(total, top, out=total), emission, out=after[:, 2:])
    last, before_last = _ends(states, frames, lengths)
    losses = -np.logaddexp(alphas[last], alphas[before_last])
    return (np.where(np.isinf(losses), 0, losses) if zero_infinity else losses), alphas


def _occupancy(log_probs: Any, alphas: Any, losses: Any, states: Any, frames: Array, lengths: Array) -> Any:
    """How probable each state is at each time, given the sequence: (T, N, 2 S + 1)."""
    emitted = np.take_along_axis(log_probs, states[None], 2)
    skips = _skips(states)
    found = np.zeros(alphas.shape, alphas.dtype)
    for end in _ends(states, frames, lengths):
        found[end] = np.where(np.isinf(losses), 0, np.exp(alphas[end] + losses))
    for t in range(len(log_probs), 0, -1):
        # what came in from the three states before, by their share of the sum
        sums = np.where(alphas[t, :, 2:] == -np.inf, np.inf, alphas[t, :, 2:] - emitted[t - 1])
        here, before, into = found[t, :, 2:], alphas[t - 1], found[t - 1]
        into[:, 2:] += here * np.exp(before[:, 2:] - sums)
        into[:, 1:-1] += here * np.exp(before[:, 1:-1] - sums)
        into[:, :-2] += here * np.exp(np.where(skips, before[:, :-2], -np.inf) - sums)
    return found[1:, :, 2:]


def _vjp(g: Any, _: Any, inputs: Any, params: Any, saved: Any, needs: list[bool]) -> list[Any]:
    """Of the logits behind log_probs, as in PyTorch: it has the softmax in it, which the derivative of
    log_softmax takes out again."""
    (log_probs,) = inputs
    states, frames, lengths, zero_infinity = params
    inside = (np.arange(log_probs.shape[0])[:, None] < frames)[:, :, None]
    if type(g) is Node:
        return [_recorded(g, log_probs, inside, *params)]
    if saved is None:
        saved = _forward(log_probs, *params)[1]
    last, before_last = _ends(states, frames, lengths)
    losses = -np.logaddexp(saved[last], saved[before_last])
    found = _occupancy(log_probs, saved, losses, states, frames, lengths)
    classes = (states[:, :, None] == np.arange(log_probs.shape[2])).astype(log_probs.dtype)
    gradient = np.exp(log_probs)
    gradient -= np.swapaxes(np.matmul(np.swapaxes(found, 0, 1), classes), 0, 1)
    gradient *= np.where(np.isinf(losses), 0 if zero_infinity else np.nan, g)[:, None]
    return [np.where(inside, gradient, np.zeros((), gradient.dtype))]


def _recorded(
    g: Node,
    log_probs: Node,
    inside: Array,
    states: Any,
    frames: Array,
    lengths: Array,
    zero_infinity: bool,
) -> Any:
    """The same from functions on nodes, for derivatives of derivatives."""
    if not log_probs.tracked:  # forward mode asks for the derivative in g alone
        log_probs = variable(log_probs)
    n, width = states.shape
    samples = np.arange(n)[:, None]
    nothing = seal(np.full((n, 2), NOTHING, log_probs.dtype))
    start = np.full((n, width + 2), NOTHING, log_probs.dtype)
    start[:, 1] = 0
    skips = _skips(states)
    alphas: list[Any] = [seal(start)]
    for t in range(log_probs.shape[0]):
        before = alphas[-1]
        skip = np.where(skips, before[:, :-2], np.full((), NOTHING, start.dtype))
        came = _log_sum(before[:, 2:], before[:, 1:-1], skip)
        after = np.add(came, log_probs[t, samples, states])
        alphas.append(np.concatenate([nothing, after], 1))
    every = np.stack(alphas)
    last, before_last = _ends(states, frames, lengths)
    losses = np.negative(_log_sum(getitem(every, last), getitem(every, before_last)))
    if zero_infinity:
        g = mul(g, (losses._value < -NOTHING / 2).astype(g.dtype))
    likely = backward([losses], [g], wanted=[log_probs], create_graph=True, free=False)[log_probs]
    softmax = np.where(inside, exp(log_probs), np.zeros((), g.dtype))
    return np.add(likely, np.multiply(softmax, unsqueeze(g, 1)))


_ctc: Final = general("ctc_loss", _forward, vjp=_vjp, saves=True, uses_out=False)


def _lengths(name: str, lengths: Any, n: int, most: int) -> Array:
    """The lengths of n sequences, checked."""
    array = np.asarray(lengths) if isinstance(lengths, (tuple, list)) else as_node(lengths)._value
    if array.dtype.kind not in "iu" and array.size:
        raise RuntimeError(f"ctc_loss: {name} must be integral, got {array.dtype}")
    array = array.reshape(-1).astype(np.int64)
    if array.shape != (n,):
        raise RuntimeError(f"ctc_loss: {name} must be of size batch_size ({n}), got {len(array)}")
    if array.min() < 0 or array.max() > most:
        raise RuntimeError(f"ctc_loss: Expected {name} between 0 and {most}, got {array.tolist()}")
    return array


def _states(targets: Array, lengths: Array, blank: int, classes: int) -> Array:
    """The classes of the states of each sample: its labels with blanks around them."""
    n, longest = len(lengths), int(lengths.max())
    given = np.arange(longest) < lengths[:, None]
    labels = np.full((n, longest), blank)
    if targets.ndim == 1:
        if len(targets) != lengths.sum():
            raise RuntimeError(
                f"ctc_loss: Expected targets to have size {lengths.sum()}, the sum of target_lengths, "
                f"got {len(targets)}"
            )
        labels[given] = targets
    else:
        if len(targets) != n or targets.shape[1] < longest:
            raise RuntimeError(
                f"ctc_loss: Expected targets of shape ({n}, at least {longest}), got {targets.shape}"
            )
        labels[given] = targets[:, :longest][given]
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise RuntimeError(f"ctc_loss: targets must be in the label range, below {classes}")
    states = np.full((n, 2 * longest + 1), blank)
    states[:, 1::2] = labels
    return states


def ctc_loss(
    log_probs: Operand,
    targets: Operand,
    input_lengths: Operand | Sequence[int],
    target_lengths: Operand | Sequence[int],
    blank: int = 0,
    reduction: Reduction = "mean",
    zero_infinity: bool = False,
) -> Node:
    """The negative log likelihood of label sequences, summed over all their alignments.

    log_probs: (T, N, C) or (T, C), the result of log_softmax: as in PyTorch, the gradient is that of
    the logits behind it. targets: class indices, (N, S), or the sequences one after the other, (sum of
    target_lengths,). input_lengths, target_lengths: (N,), or () for one sample. blank: its class.
    The mean is over the samples, each loss divided by its target's length. zero_infinity: a sequence
    too long for its input adds 0 to loss and gradient. Raises RuntimeError for lengths, labels or
    shapes that do not fit, ValueError for an unknown reduction.

    >>> ctc_loss(np.log(np.full((2, 1, 2), 0.5)), np.array([[1]]), (2,), (1,)).item()
    0.2876820724517809
    """
    x, t = as_node(log_probs), as_node(targets)._value
    check_reduction("ctc_loss", reduction)
    one = x.ndim == 2
    if one:
        x = unsqueeze(x, 1)
    if x.ndim != 3 or t.ndim not in (1, 2):
        raise RuntimeError(
            f"ctc_loss: expected log_probs (T, N, C) or (T, C) and targets of 1 or 2 dimensions, "
            f"got {as_node(log_probs).shape} and {t.shape}"
        )
    if x._value.dtype.char not in "fdg":
        raise NotImplementedError(f"ctc_loss: not implemented for {x.dtype}")
    if not x.size:
        raise RuntimeError(f"ctc_loss: log_probs tensor must not be empty, got shape {x.shape}")
    if t.dtype.kind not in "iu":
        raise RuntimeError(f"ctc_loss: targets must be integral, got {t.dtype}")
    frames, n, classes = x.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"ctc_loss: blank must be in label range, below {classes}, got {blank}")
    inputs = _lengths("input_lengths", input_lengths, n, frames)
    lengths = _lengths("target_lengths", target_lengths, n, t.shape[-1])
    states = _states(t, lengths, blank, classes)
    losses = apply(_ctc, (x,), (states, inputs, lengths, zero_infinity))
    if reduction == "mean":
        losses = div(losses, seal(np.maximum(lengths, 1).astype(x.dtype)))
    return reduce_loss("ctc_loss", reshape(losses, ()) if one else losses, reduction)

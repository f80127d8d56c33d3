"""The rules of vmap for what networks and searches use; see batching.py for what a rule is given."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .batch_numpy import widened
from .batching import (
    RULES,
    Rule,
    aligned,
    dims_at,
    elementwise,
    leading,
    move,
    reshaped,
    run,
    spread,
    taken_shape,
)
from .indexing import PLACE
from .op import OPS, Op

# ---------------------------------------------------------------- where the examples go


def _folded(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """Ops that treat each index of the first dimension alike (images): the examples join it."""
    arrays = [spread(a, b, size) for a, b in zip(arrays, batched)]
    return _apart(run(op, *[_joined(a) for a in arrays], *params), size)


def _joined(array: Any, at: int = 0) -> Any:
    """The examples and the dimension `at` of each as one."""
    array = move(array, 0, at)
    shape = array.shape
    return reshaped(array, (*shape[:at], shape[at] * shape[at + 1], *shape[at + 2 :]))


def _apart(array: Any, size: int, at: int = 0) -> Any:
    """The opposite of `_joined`."""
    shape = array.shape
    return move(reshaped(array, (*shape[:at], size, shape[at] // size, *shape[at + 1 :])), at, 0)


def _matrices(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """Ops on matrices whose leading dimensions broadcast."""
    return run(op, *widened(arrays, batched, [2] * len(arrays)), *params)


# ---------------------------------------------------------------- convolutions

# Inputs are x (images, channels, *space), w (outs, channels / groups, *kernel), y (images, outs, *places),
# each with the examples before it. What all share joins the images; what differs becomes groups.


def _by_weight(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """A convolution or its transpose."""
    x, w = arrays
    geometry, *rest = params
    if not batched[1]:
        return _apart(run(op, _joined(x), w, *params), size)
    if not batched[0] and geometry.groups == 1 and op.name == "convolution":
        return _apart(run(op, x, _joined(w), *params), size, 1)  # the same images for more channels
    grouped = geometry._replace(groups=geometry.groups * size)
    return _apart(run(op, _joined(spread(x, batched[0], size), 1), _joined(w), grouped, *rest), size, 1)


def _of_weight(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """The part of a convolution in its weight, an own one for each example."""
    x, y = arrays
    geometry, kernel = params
    if geometry.groups == 1 and not batched[0]:
        return _apart(run(op, x, _joined(y, 1), *params), size)
    if geometry.groups == 1 and not batched[1]:
        return _apart(run(op, _joined(x, 1), y, *params), size, 1)
    grouped = geometry._replace(groups=geometry.groups * size)
    x, y = (_joined(spread(a, b, size), 1) for a, b in zip(arrays, batched))
    return _apart(run(op, x, y, grouped, kernel), size)


def _with_bias(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    x, w, bias = arrays
    if not batched[1] and not batched[2]:
        return _apart(run(op, _joined(x), w, bias, *params), size)
    out = (
        _by_weight(OPS["convolution"], [x, w], batched[:2], params, size)
        if any(batched[:2])
        else run(OPS["convolution"], x, w, *params)[None]
    )
    lead = (size, 1) if batched[2] else (1, 1)
    return run(OPS["add"], out, reshaped(bias, (*lead, bias.shape[-1], *[1] * (len(out.shape) - 3))))


# ---------------------------------------------------------------- losses


def _by_class(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """cross_entropy and nll_loss: the rows of all examples at once, summed example by example."""
    summed, axis = params
    x, target, weights = [spread(a, b, size) for a, b in zip(arrays, batched)]
    rows = _joined(x if axis else move(x, 1, 2))
    n = x.shape[2 - axis]
    each = len(weights.shape) == 2  # for every row, or one for all
    every = reshaped(weights, (size * n,)) if each else np.ones((), weights.dtype)
    losses = reshaped(run(op, rows, reshaped(target, (size * n,)), every, False, 1), (size, n))
    losses = run(OPS["sum"], losses, (1,), False) if summed else losses
    return losses if each else run(OPS["mul"], losses, reshaped(weights, (size, 1)[: len(losses.shape)]))


# ---------------------------------------------------------------- norms, products


def _standardize(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    axes, eps, has_weight, has_bias, centered = params
    x = spread(arrays[0], batched[0], size)
    shifted = tuple([d % (len(x.shape) - 1) + 1 for d in axes])
    if not any(batched[1:]):
        return run(op, x, *arrays[1:], shifted, eps, has_weight, has_bias, centered)
    out = run(op, x, shifted, eps, False, False, centered)
    names = ["mul"] * has_weight + ["add"] * has_bias
    for name, affine, b in zip(names, arrays[1:], batched[1:]):
        out = run(OPS[name], *aligned([out, affine], [True, b]))
    return out


def _contract(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """One more label, for the examples."""
    *labels, out = params
    new = max([*labels[0], *labels[1], *out], default=0) + 1
    la, lb = [(new, *own) if b else own for own, b in zip(labels, batched)]
    return run(op, *arrays, la, lb, (new, *out))


def _padded(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    widths, *rest = params
    return run(op, arrays[0], ((0, 0), *widths), *rest)


# ---------------------------------------------------------------- indices


def _index_add(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    return RULES["index_put"](op, arrays, batched, params, size)


def _combined(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """What writes at an array of indices for each dimension."""
    x, value, *index = arrays
    ndim = max([len(a.shape) - b for a, b in zip(index, batched[2:])])
    every = [np.arange(size).reshape(size, *[1] * ndim)]
    for a, b in zip(index, batched[2:]):
        own = a.shape[b:]
        every.append(reshaped(a, (size if b else 1, *[1] * (ndim - len(own)), *own)))
    shape = taken_shape(every)
    own = value.shape[batched[1] :]
    value = reshaped(value, (size if batched[1] else 1, *[1] * (len(shape) - 1 - len(own)), *own))
    return run(op, spread(x, batched[0], size), run(OPS["broadcast"], value, shape), *every)


def _embedding(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    return RULES["getitem"](OPS["getitem"], arrays, batched, (PLACE,), size)


def _isin(op: Op, arrays: list[Any], batched: list[bool], params: tuple[Any, ...], size: int) -> Any:
    """Each example has its own set to be in, or all share one."""
    if not batched[1]:
        return elementwise(op, arrays, batched, params, size)
    x = spread(arrays[0], batched[0], size)
    each = np.equal(reshaped(x, (size, -1, 1)), reshaped(arrays[1], (size, 1, -1)))
    found = np.any(each, axis=-1)
    return reshaped(found if op.forward(np.zeros(1), np.zeros(1))[0] else np.logical_not(found), x.shape)


_MORE: Final[dict[str, Rule]] = {
    **dict.fromkeys(("unfold", "fold", "grid_sample"), _folded),
    **dict.fromkeys(("plane_gather", "plane_scatter", "max_pool", "avg_pool", "avg_unpool"), leading),
    **dict.fromkeys(("resample", "resample_back", "pinv", "matrix_exp"), leading),
    **dict.fromkeys(("solve", "cdist"), _matrices),
    **dict.fromkeys(("convolution", "conv_transpose"), _by_weight),
    "convolution_weight": _of_weight,
    "convolution_bias": _with_bias,
    "scaled_dot_product_attention": elementwise,
    **dict.fromkeys(("cross_entropy", "nll_loss"), _by_class),
    "standardize": _standardize,
    "contract": _contract,
    **dict.fromkeys(("zero_pad", "fill_pad"), _padded),
    "cross": dims_at(0),
    "p_norm": dims_at(1),
    "index_add": _index_add,
    **dict.fromkeys(("prod_at", "amax_at", "amin_at"), _combined),
    "embedding": _embedding,
    "isin": _isin,
}
RULES.update(_MORE)

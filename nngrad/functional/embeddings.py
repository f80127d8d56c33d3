"""Rows of a table looked up by number: embedding, embedding_bag, one_hot."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .arithmetic import div, mul
from .batch import Batch, NeedsBatching, all_examples
from .dtypes import AnyArray
from .elementary import in_order
from .engine import Scatter
from .gathering import check_range, indices_of
from .indexing import PLACE, getitem, getitem_parsed, replace_op, scatter_op
from .node import Node, Operand, as_node, seal
from .op import Op, apply, general
from .reduction import sum
from .shape import reshape

Mode: TypeAlias = Literal["sum", "mean", "max"]


def _rows_rule(g: Any, _: Any, weight: Any, index: Any, padding: int | None, by_freq: bool) -> Any:
    numbers = index._value if type(index) is Node else index
    if by_freq and type(numbers) is Batch:
        same = np.equal(np.reshape(numbers, (-1, 1)), np.reshape(numbers, (1, -1)))
        g = np.divide(g, np.reshape(same.sum(1), numbers.shape).astype(g.dtype)[..., None])
    elif by_freq:
        counts = np.bincount(numbers.reshape(-1))[numbers]
        g = np.divide(g, counts.astype(g.dtype)[..., None])
    if padding is not None:
        kept = np.not_equal(numbers, padding)
        if type(kept) is Batch:
            g = np.where(kept[..., None], g, np.zeros((), g.dtype))
        else:
            g, numbers = g[kept], numbers[kept]
    if type(g) is Node:
        return scatter_op.call(g, seal(numbers), PLACE, weight.shape)
    if type(numbers) is Batch or type(g) is Batch:
        raise NeedsBatching
    return Scatter(g, numbers)


#: rows whose gradient is, on purpose, not the true one: none for the padding, less for what is frequent
_rows_op: Final[Op] = general(
    "embedding", lambda weight, index, padding, by_freq: weight[index], _rows_rule, frees=False
)


def embedding(
    input: Operand,
    weight: Operand,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Node:
    """The rows of `weight` that `input` names.

    input: int64 or int32, of any shape; weight: (rows, width); the result has the input's shape and
    then width. padding_idx: a row that receives no gradient. max_norm: rows whose norm (of order
    norm_type) is larger count as if they had been scaled to it before; on tensors they are.
    scale_grad_by_freq: divide each row's gradient by how often it is named. sparse: False, as
    gradients are dense. Raises IndexError for a number out of range or negative.

    >>> embedding(np.array([1, 0, 1]), np.array([[1.0, 2.0], [3.0, 4.0]])).data
    array([[3., 4.],
           [1., 2.],
           [3., 4.]])
    """
    table = _table("embedding", weight, sparse)
    index = indices_of("embedding", input)
    check_range("embedding", index, table.shape[0], 0, IndexError, " for dimension 0 of weight")
    padding = _padding("embedding", padding_idx, table)
    if padding is None and not scale_grad_by_freq:
        rows = getitem_parsed(table, PLACE, (index,))
    else:
        rows = apply(_rows_op, (table, index), (padding, scale_grad_by_freq))
    if max_norm is None:
        return rows
    return apply(replace_op, (rows, seal(limited(rows._value, max_norm, norm_type))))


def _table(op: str, weight: Operand, sparse: bool) -> Node:
    table = as_node(weight)
    if table.ndim != 2:
        raise RuntimeError(f"{op}: 'weight' must be 2-D, got shape {table.shape}")
    if sparse:
        raise NotImplementedError(f"{op}: sparse gradients are not supported; leave out sparse=True")
    return table


def _padding(op: str, padding_idx: int | None, table: Node) -> int | None:
    """The row of the padding, counted from the front."""
    if padding_idx is None:
        return None
    rows = table.shape[0]
    if not -rows <= padding_idx < rows:
        raise AssertionError(f"{op}: padding_idx must be within num_embeddings ({rows}), got {padding_idx}")
    return padding_idx % rows


def limited(rows: Any, max_norm: float, norm_type: float) -> Any:
    """Rows scaled down to `max_norm` where their norm is larger."""
    norms = np.linalg.norm(rows, norm_type, axis=-1, keepdims=True)
    scales = np.divide(max_norm, norms + 1e-7, dtype=rows.dtype)
    return np.where(norms > max_norm, rows * scales, rows)


def too_long(
    op: str, input: Operand, weight: Operand, max_norm: float, norm_type: float
) -> tuple[AnyArray, AnyArray]:
    """Which rows of those that `input` names are longer than `max_norm`, and what they are scaled to."""
    table, index = _table(op, weight, False), indices_of(op, input)
    check_range(op, index, table.shape[0], 0, IndexError, " for dimension 0 of weight")
    numbers = np.unique(index._value)
    rows: Any = table._value[numbers]
    scaled = limited(rows, max_norm, norm_type)
    changed = (scaled != rows).any(-1)
    return numbers[changed], scaled[changed]


# ---------------------------------------------------------------- bags


def embedding_bag(
    input: Operand,
    weight: Operand,
    offsets: Operand | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: Mode = "mean",
    sparse: bool = False,
    per_sample_weights: Operand | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Node:
    """The sum, mean or maximum of the rows of `weight` that each bag of `input` names: (bags, width).

    input: (bags, n), or a vector of all bags with `offsets`, where each begins (and with
    include_last_offset, where the last ends). per_sample_weights: what each row is multiplied by,
    in mode "sum" only. padding_idx: a row that bags do not contain. An empty bag gives zeros. The
    rest as in `embedding`. Raises ValueError for a wrong mode or wrong shapes, RuntimeError for
    offsets that are not in order.

    >>> table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> embedding_bag(np.array([0, 1, 2]), table, np.array([0, 2])).data
    array([[2., 3.],
           [5., 6.]])
    """
    op = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{op}: mode has to be one of sum, mean or max, got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError(f"{op}: max mode does not support scaling the gradient by the frequency")
    if mode != "sum" and per_sample_weights is not None:
        raise NotImplementedError(
            f"{op}: per_sample_weights is only supported for mode='sum' (got mode={mode!r})"
        )
    table, index = _table(op, weight, sparse), indices_of(op, input)
    if table.dtype.kind != "f":
        raise RuntimeError(f"{op}: not implemented for a weight of {table.dtype}")
    factors = None if per_sample_weights is None else as_node(per_sample_weights)
    if factors is not None and factors.shape != index.shape:
        raise ValueError(
            f"{op}: per_sample_weights must have the shape of the input {index.shape}, got {factors.shape}"
        )
    bags = _bags(index, offsets, include_last_offset)
    number = len(bags)
    members = np.repeat(np.arange(number), bags)
    index = reshape(index, (-1,))
    factors = None if factors is None else reshape(factors, (-1,))
    check_range(op, index, table.shape[0], 0, RuntimeError, " for dimension 0 of weight")
    padding = _padding(op, padding_idx, table)
    if padding is not None:
        kept = index._value != padding
        members, index = members[kept], seal(index._value[kept])
        factors = None if factors is None else getitem(factors, kept)
    rows = embedding(index, table, None, max_norm, norm_type, scale_grad_by_freq)
    if mode == "max":
        return _maxima(rows, members, number)
    if factors is not None:
        rows = mul(rows, reshape(factors, (-1, 1)))
    each = len(members) // max(number, 1)
    if padding is None and each and (bags == each).all():  # bags of one size lie side by side
        total = sum(reshape(rows, (number, each, table.shape[1])), 1)
    else:
        total = apply(scatter_op, (rows, seal(members)), (PLACE, (number, table.shape[1])))
    if mode == "sum":
        return total
    counts = np.maximum(np.bincount(members, minlength=number), 1)
    return div(total, counts.astype(table.dtype)[:, None])


def _bags(index: Node, offsets: Operand | None, include_last: bool) -> Any:
    """How many of the numbers each bag has."""
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError("embedding_bag: if input is 2D, then offsets has to be None")
        return np.full(index.shape[0], index.shape[1])
    if index.ndim != 1:
        raise ValueError(f"embedding_bag: input has to be a 1D or 2D Tensor, but got shape {index.shape}")
    if offsets is None:
        raise ValueError("embedding_bag: offsets has to be a 1D Tensor but got None")
    starts: Any = indices_of("embedding_bag", offsets)._value
    if starts.ndim != 1:
        raise ValueError(f"embedding_bag: offsets has to be a 1D Tensor, but got shape {starts.shape}")
    bounds = starts if include_last else np.append(starts, index.size)
    if bounds[:1] != [0] or bounds[-1] != index.size or (np.diff(bounds) < 0).any():
        raise RuntimeError(
            f"embedding_bag: offsets[0] has to be 0, and offsets must not decrease nor be greater than the "
            f"input's length {index.size}, got {starts.tolist()}"
        )
    return np.diff(bounds)


def _maxima(rows: Node, members: Any, number: int) -> Node:
    """The largest element per bag and column; the first of equals receives the gradient."""
    shape = (number, rows.shape[1])
    if not rows.size:
        return seal(np.zeros(shape, rows.dtype))
    bags, starts, sizes = np.unique(members, return_index=True, return_counts=True)
    values: Any = rows._value
    highest = np.repeat(np.maximum.reduceat(values, starts, axis=0), sizes, axis=0)
    places = np.arange(len(values))[:, None]
    at = np.where((values == highest) | np.isnan(values), places, len(values))
    winners = np.minimum.reduceat(at, starts, axis=0)
    found = getitem(rows, (winners, np.arange(shape[1])))
    return found if len(bags) == number else apply(scatter_op, (found, seal(bags)), (PLACE, shape))


def one_hot(tensor: Operand, num_classes: int = -1) -> Node:
    """A row of zeros with a 1 at the class, for each class number: the input's shape, then classes.

    tensor: int64; num_classes: how many there are, else one more than the largest. Raises
    RuntimeError for numbers that are negative or too large.

    >>> one_hot(np.array([0, 2])).data
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    classes: Any = as_node(tensor)._value
    if classes.dtype != np.int64:
        raise RuntimeError(f"one_hot: is only applicable to an index tensor of int64, got {classes.dtype}")
    if not classes.size and num_classes <= 0:
        raise RuntimeError("one_hot: Can not infer total number of classes from empty tensor.")
    every = all_examples(classes)
    if every.size and every.min() < 0:
        raise RuntimeError(f"one_hot: Class values must be non-negative, got {every.min()}")
    count = int(classes.max()) + 1 if num_classes == -1 else num_classes
    if every.size and every.max() >= count:
        raise RuntimeError(
            f"one_hot: Class values must be smaller than num_classes ({count}), got {every.max()}"
        )
    return seal(in_order(np.equal(classes[..., None], np.arange(count)).astype(np.int64)))

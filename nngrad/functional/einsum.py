"""Sums of products of operands with labelled dimensions: einsum and tensordot.

Whatever is asked for is done two operands at a time by one op, `contract`, as one matrix product;
its derivatives are contractions again, so those of every order are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from types import EllipsisType
from typing import Any, Final, SupportsIndex, TypeAlias

import numpy as np

from .diagonal import diagonal
from .node import Node, Operand, as_node, implements
from .op import Op, apply, bilinear
from .order import permute
from .reduction import sum
from .shape import normal_dims, reshape
from .subscripts import Labels, labels_of, listed, parse, told

# ---------------------------------------------------------------- two operands


@lru_cache(1024)
def _plan(la: Labels, lb: Labels, out: Labels, by_a: bool) -> tuple[Any, ...]:
    """How two operands become factors of a matrix product, and its dimensions those of the result."""
    batch = [label for label in out if label in la and label in lb]
    left = [label for label in la if label in out and label not in lb]
    right = [label for label in lb if label in out and label not in la]
    summed = [label for label in (la if by_a else lb) if label not in out]
    if not summed:
        return ()
    made = [*batch, *left, *right]
    return (
        _order(la, [*batch, *left, *summed]),
        _order(lb, [*batch, *summed, *right]),
        _order(made, out),
        len(batch),
        len(batch) + len(left),
        len(batch) + len(summed),
    )


def _order(labels: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...] | None:
    """The dimensions in the order that is wanted; None if they are."""
    order = tuple([labels.index(label) for label in wanted])
    return None if order == tuple(range(len(order))) else order


def _in_order(x: Any, labels: Labels, out: Labels) -> Any:
    """`x` with its dimensions in the order of `out`, and 1s for those it does not have."""
    x = x.transpose([labels.index(label) for label in out if label in labels])
    sizes = iter(x.shape)
    return x.reshape([next(sizes) if label in labels else 1 for label in out])


def _factor(x: Any, before: int) -> Any:
    """The second factor of matrix products, or the first if `before` is 0, laid out for BLAS.

    before: the rows of the first. Small products of many matrices take twice as long if the second is
    transposed, so that copying it pays; NumPy has no BLAS for matrices in neither order.
    """
    if type(x) is not np.ndarray or len(x.shape) == 2 or x.strides[-1] == x.itemsize:
        return x
    small = before >= 32 and before * x.shape[-1] * x.shape[-2] <= 1 << 19
    return np.ascontiguousarray(x) if small or x.strides[-2] != x.itemsize else x


def _contract(a: Any, b: Any, la: Labels, lb: Labels, out: Labels) -> Any:
    plan = _plan(la, lb, out, a.size >= b.size)
    if not plan:  # nothing is summed
        return np.multiply(_in_order(a, la, out), _in_order(b, lb, out))
    order_a, order_b, order, batch, inner_a, inner_b = plan
    a = a if order_a is None else a.transpose(order_a)
    b = b if order_b is None else b.transpose(order_b)
    lead, rows, columns = a.shape[:batch], a.shape[batch:inner_a], b.shape[inner_b:]
    inner = a.shape[inner_a:]
    if len(rows) != 1 or len(inner) != 1:
        a = a.reshape((*lead, prod(rows), prod(inner)))
    if len(columns) != 1 or len(inner) != 1:
        b = b.reshape((*lead, prod(inner), prod(columns)))
    made = np.matmul(_factor(a, 0), _factor(b, a.shape[-2]))
    if len(rows) != 1 or len(columns) != 1:
        made = made.reshape((*lead, *rows, *columns))
    return made if order is None else made.transpose(order)


#: sum of products of two operands. A label of one alone stands in the result, too
contract: Final[Op] = bilinear(
    "contract",
    _contract,
    lambda g, _, a, b, la, lb, out: contract(g, b, out, lb, la),
    lambda g, _, a, b, la, lb, out: contract(a, g, la, out, lb),
)


# ---------------------------------------------------------------- any number of operands


def _sizes(op: str, shapes: Sequence[tuple[int, ...]], labels: Sequence[Labels]) -> dict[int, int]:
    """The size of each label; a size of 1 gives way to another."""
    sizes: dict[int, int] = {}
    for at, (shape, own) in enumerate(zip(shapes, labels)):
        for size, label in zip(shape, own):
            same = shape[own.index(label)]
            if size != same:
                raise RuntimeError(
                    f"{op}: subscript {told(label)} is repeated for operand {at} but the sizes don't match, "
                    f"{size} != {same} (shape {shape})"
                )
            seen = sizes.get(label, 1)
            if 1 not in (size, seen) and size != seen:
                raise RuntimeError(
                    f"{op}: subscript {told(label)} has size {size} for operand {at} which does not "
                    f"broadcast with previously seen size {seen} (shapes "
                    f"{' and '.join([str(s) for s in shapes])})"
                )
            sizes[label] = seen if size == 1 else size
    return sizes


def _once(x: Node, labels: Labels) -> tuple[Node, Labels]:
    """Dimensions with one label as their diagonal."""
    for label in labels:
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = diagonal(x, 0, first, second)
            labels = (*labels[:first], *labels[first + 1 : second], *labels[second + 1 :], label)
    return x, labels


def _without(op: str, x: Node, labels: Labels, dropped: Sequence[int]) -> tuple[Node, Labels]:
    """`x` summed over the dimensions with these labels; tensordot keeps the dtype."""
    if not dropped:
        return x, labels
    kept = tuple([label for label in labels if label not in dropped])
    shape = [n for n, label in zip(x.shape, labels) if label in kept]
    if prod(shape) == x.size and x.size:
        return reshape(x, shape), kept
    dims = [labels.index(label) for label in dropped]
    return sum(x, dims, dtype=x.dtype if op == "tensordot" else None), kept


@lru_cache(1024)
def _is_plain(op: str, shapes: tuple[tuple[int, ...], ...], labels: tuple[Labels, ...], out: Labels) -> bool:
    """Whether one `contract` of the two operands as they are will do."""
    sizes = _sizes(op, shapes, labels)
    if len(shapes) != 2:
        return False
    la, lb = labels
    alone = set(la) ^ set(lb)
    return (
        len({*la}) == len(la)
        and len({*lb}) == len(lb)
        and alone <= {*out}
        and all(size == sizes[n] for shape, own in zip(shapes, labels) for size, n in zip(shape, own))
    )


def _contracted(op: str, nodes: Sequence[Node], labels: tuple[Labels, ...], out: Labels) -> Node:
    """The sum of products over the labels that `out` has not."""
    for x in nodes[1:]:
        if x.dtype != nodes[0].dtype:
            raise RuntimeError(
                f"{op}: expected all operands to have the same dtype, got "
                f"{' and '.join([str(n.dtype) for n in nodes])}"
            )
    if len(nodes) > 1 and nodes[0].dtype.kind == "b" and not {*out}.issuperset(*labels):
        raise RuntimeError(f"{op}: not implemented for bool")
    shapes = tuple([x.shape for x in nodes])
    if _is_plain(op, shapes, labels, out):
        return apply(contract, tuple(nodes), (*labels, out))
    sizes = _sizes(op, shapes, labels)
    terms: list[tuple[Node, Labels]] = []
    for x, own in zip(nodes, labels):
        x, own = _once(x, own)
        # what is broadcast is left to the others
        terms.append(_without(op, x, own, [n for n, size in zip(own, x.shape) if size == 1 != sizes[n]]))
    for at, (x, own) in enumerate(terms):
        elsewhere = {n for i, (_, others) in enumerate(terms) if i != at for n in others}
        terms[at] = _without(op, x, own, [n for n in own if n not in out and n not in elsewhere])
    steps: Sequence[tuple[int, ...]] = ((0, 1),) if len(terms) == 2 else ()
    if len(terms) > 2:
        steps = _path(tuple([x.shape for x, _ in terms]), tuple([own for _, own in terms]), out)
    for step in steps:
        (x, la), *others = [terms[i] for i in step]
        terms = [term for i, term in enumerate(terms) if i not in step]
        while others:
            (y, lb), *others = others
            rest = {label for _, own in (*terms, *others) for label in own}
            kept = tuple([label for label in dict.fromkeys((*la, *lb)) if label in out or label in rest])
            made = kept if terms or others else out
            x, la = apply(contract, (x, y), (la, lb, made)), made
        terms.append((x, la))
    ((x, own),) = terms
    return x if own == out else permute(x, [own.index(label) for label in out])


@lru_cache(256)
def _path(
    shapes: tuple[tuple[int, ...], ...], labels: tuple[Labels, ...], out: Labels
) -> list[tuple[int, ...]]:
    """Which operands are multiplied when, by NumPy's greedy search."""
    known = {label: i for i, label in enumerate(dict.fromkeys([n for own in labels for n in own]))}
    call: list[Any] = []
    for shape, own in zip(shapes, labels):
        call += [np.broadcast_to(np.float64(0.0), shape), [known[n] for n in own]]
    steps: list[tuple[int, ...]] = np.einsum_path(*call, [known[n] for n in out], optimize="greedy")[0][1:]
    return steps


def einsum(
    equation: str | Operand, *operands: Operand | Sequence[Operand] | Sequence[int | EllipsisType]
) -> Node:
    """Sums of products of the operands' elements, told by letters for their dimensions.

    `"ij,jk->ik"` is a matrix product: what the output does not name is summed. A letter twice in one
    operand is its diagonal, `...` stands for dimensions that broadcast, and without an arrow the
    output has what appears once, sorted. In place of the equation, each operand may be followed by a
    list of integers below 52 (and Ellipsis), and the last by the output's list. Sizes of 1 broadcast.
    Several operands are multiplied two at a time, in an order that is cheap. Raises RuntimeError if
    equation and operands do not fit, or the dtypes differ, and ValueError without operands.

    >>> einsum("i,j->ij", np.array([1.0, 2.0]), np.array([3.0, 4.0])).data
    array([[3., 4.],
           [6., 8.]])
    """
    given: Any = operands
    if isinstance(equation, str):
        terms, result = parse(equation)
        if len(given) == 1 and isinstance(given[0], (list, tuple)):
            (given,) = given
    else:
        call = (equation, *operands)
        given, terms = call[: len(call) // 2 * 2 : 2], tuple([listed(term) for term in call[1::2]])
        result = listed(call[-1]) if len(call) % 2 else None
    if not given:
        raise ValueError("einsum: must be given at least one operand")
    if len(given) != len(terms):
        raise RuntimeError(
            f"einsum: {'fewer' if len(given) < len(terms) else 'more'} operands were provided ({len(given)}) "
            f"than specified in the equation ({len(terms)})"
        )
    nodes = [as_node(x) for x in given]
    labels, out = labels_of(terms, result, tuple([x.ndim for x in nodes]))
    return _contracted("einsum", nodes, labels, out)


Pairs: TypeAlias = SupportsIndex | tuple[Sequence[int] | int, Sequence[int] | int] | Sequence[Sequence[int]]


def tensordot(a: Operand, b: Operand, dims: Pairs = 2) -> Node:
    """Products summed over dimensions of both: the last `dims` of a with the first of b, or pairs.

    dims: how many, or (dimensions of a, dimensions of b). Gives the other dimensions of a, then
    those of b. Raises RuntimeError if the sizes do not fit or the dtypes differ.

    >>> tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    x, y = as_node(a), as_node(b)
    if isinstance(dims, SupportsIndex):
        count = dims.__index__()
        if not 0 <= count <= min(x.ndim, y.ndim):
            raise RuntimeError(
                f"tensordot: expects dims >= 0 and as many dimensions of {x.shape} and {y.shape}, got {count}"
            )
        of_x, of_y = tuple(range(x.ndim - count, x.ndim)), tuple(range(count))
    else:
        of_x, of_y = (
            normal_dims("tensordot", own, n.ndim) or () for own, n in zip(dims, (x, y), strict=True)
        )
    if len(of_x) != len(of_y):
        raise RuntimeError(f"tensordot: both dimension lists should have same length, got {of_x} and {of_y}")
    for i, j in zip(of_x, of_y):
        if x.shape[i] != y.shape[j] and 1 not in (x.shape[i], y.shape[j]):
            raise RuntimeError(
                f"tensordot: contracted dimensions need to match, but first has size {x.shape[i]} in dim "
                f"{i} and second has size {y.shape[j]} in dim {j} (shapes {x.shape} and {y.shape})"
            )
    la = tuple(range(x.ndim))
    paired = dict(zip(of_y, of_x))
    lb = tuple([paired[d] if d in paired else x.ndim + d for d in range(y.ndim)])
    out = (*[d for d in la if d not in of_x], *[n for n in lb if n >= x.ndim])
    return _contracted("tensordot", (x, y), (la, lb), tuple(out))


# ---------------------------------------------------------------- answers to NumPy


@implements(np.einsum)
def _np_einsum(equation: Any, *operands: Any, optimize: Any = None) -> Node:
    return einsum(equation, *operands)


@implements(np.tensordot)
def _np_tensordot(a: Operand, b: Operand, axes: Any = 2) -> Node:
    return tensordot(a, b, axes)

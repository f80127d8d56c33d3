"""Parts of one operand along a dimension.

Each function says which basic index, or which ones, take the parts. On a tensor the same indices
make views, so `RULES` is all that the shell needs to know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from operator import index as whole
from typing import Any, Concatenate, Final, ParamSpec, SupportsIndex, TypeAlias

import numpy as np

from .dtypes import AnyArray
from .indexing import PLACE, getitem_parsed, index_put
from .node import HasNode, Node, Operand, as_node, seal
from .order import movedim
from .repeating import refuse_write
from .shape import PUT, normal_dim, reshape

P = ParamSpec("P")
#: a basic index that takes one part
Part: TypeAlias = tuple[slice | int, ...]

#: function of this module -> the rule that says which index, or which list of them, it takes
RULES: Final[dict[Callable[..., Any], Callable[..., Any]]] = {}


def _part(rule: Callable[Concatenate[Node, P], Part]) -> Callable[Concatenate[Operand, P], Node]:
    """The function that takes the part which a rule names."""

    def taken(input: Operand, *args: P.args, **kwargs: P.kwargs) -> Node:
        x = as_node(input)
        return getitem_parsed(x, rule(x, *args, **kwargs))

    named: Callable[Concatenate[Operand, P], Node] = _named_like(taken, rule)
    return named


def _parts(
    rule: Callable[Concatenate[Node, P], list[Part]],
) -> Callable[Concatenate[Operand, P], tuple[Node, ...]]:
    """The function that takes the parts which a rule names."""

    def taken(input: Operand, *args: P.args, **kwargs: P.kwargs) -> tuple[Node, ...]:
        x = as_node(input)
        return tuple([getitem_parsed(x, part) for part in rule(x, *args, **kwargs)])

    named: Callable[Concatenate[Operand, P], tuple[Node, ...]] = _named_like(taken, rule)
    return named


def _named_like(taken: Any, rule: Any) -> Any:
    taken.__name__ = taken.__qualname__ = rule.__name__
    taken.__doc__ = rule.__doc__
    taken.__wrapped__ = rule
    RULES[taken] = rule
    return taken


def _along(op: str, x: Node, dim: SupportsIndex) -> int:
    at = normal_dim(op, dim, x.ndim)
    if not x.ndim:
        raise RuntimeError(f"{op}: expects at least a 1-dimensional tensor")
    return at


def _cut(at: int, ends: Sequence[int]) -> list[Part]:
    """The slices along dimension `at` between one end and the next, from 0 on."""
    lead = (slice(None),) * at
    return [(*lead, slice(start, max(start, end))) for start, end in pairwise((0, *ends))]


@_part
def select(input: Node, dim: int, index: SupportsIndex) -> Part:
    """The slice at a position along a dimension, which the result lacks.

    Raises IndexError for a position out of range.

    >>> select(np.arange(6.0).reshape(2, 3), 1, -1).data
    array([2., 5.])
    """
    at, i = normal_dim("select", dim, input.ndim), whole(index)
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    if not -input.shape[at] <= i < input.shape[at]:
        raise IndexError(
            f"select(): index {i} out of range for tensor of size {input.shape} at dimension {at}"
        )
    return (*(slice(None),) * at, i)


@_part
def narrow(input: Node, dim: int, start: SupportsIndex, length: int) -> Part:
    """`length` positions along a dimension, from `start` on.

    Raises RuntimeError if there are not as many.

    >>> narrow(np.arange(5.0), 0, 1, 2).data
    array([1., 2.])
    """
    at, first = _along("narrow", input, dim), whole(start)
    size = input.shape[at]
    if not -size <= first <= size:
        raise IndexError(
            f"narrow: Dimension out of range (expected start to be in range of [{-size}, {size}], "
            f"but got {first})"
        )
    first += size if first < 0 else 0
    if length < 0 or first + length > size:
        raise RuntimeError(f"narrow: start ({first}) + length ({length}) exceeds dimension size ({size})")
    return (*(slice(None),) * at, slice(first, first + length))


@_parts
def split(input: Node, split_size_or_sections: int | Sequence[int], dim: int = 0) -> list[Part]:
    """Slices along a dimension: of one size (the last may be smaller), or of the sizes given.

    Raises RuntimeError if the sizes do not add up to the dimension's.

    >>> [part.shape for part in split(np.zeros(5), 2)]
    [(2,), (2,), (1,)]
    """
    return _split("split", input, split_size_or_sections, dim)


def _split(op: str, x: Node, sizes: int | Sequence[int], dim: int) -> list[Part]:
    at = _along(op, x, dim)
    length = x.shape[at]
    if not isinstance(sizes, Sequence):
        size = whole(sizes)
        if size < 0 or (size == 0 and length):
            raise RuntimeError(f"{op}: split_size must be positive, got {size}")
        return _cut(at, [*range(size, length, size), length] if size else [length])
    if sum(sizes) != length or min(sizes, default=0) < 0:
        raise RuntimeError(f"{op}: sizes {list(sizes)} do not add up to {length}, dim {at} of {x.shape}")
    return _cut(at, list(accumulate(sizes)))


@_parts
def split_with_sizes(input: Node, split_sizes: Sequence[int], dim: int = 0) -> list[Part]:
    """Slices of the given sizes along a dimension.

    Raises RuntimeError if they do not add up to the dimension's.

    >>> [part.shape for part in split_with_sizes(np.zeros(5), [1, 4])]
    [(1,), (4,)]
    """
    return _split("split_with_sizes", input, split_sizes, dim)


@_parts
def chunk(input: Node, chunks: int, dim: int = 0) -> list[Part]:
    """At most so many slices along a dimension, all but the last of one size.

    Raises RuntimeError unless `chunks` is positive.

    >>> [part.shape for part in chunk(np.zeros(5), 3)]
    [(2,), (2,), (1,)]
    """
    at = _along("chunk", input, dim)
    if chunks <= 0:
        raise RuntimeError(f"chunk: expects `chunks` to be greater than 0, got: {chunks}")
    length = input.shape[at]
    size = -(-length // chunks)
    return _cut(at, [*range(size, length, size), length] if size else [0] * chunks)


Sections: TypeAlias = int | Sequence[int] | HasNode | AnyArray


@_parts
def tensor_split(input: Node, indices_or_sections: Sections, dim: int = 0) -> list[Part]:
    """Slices along a dimension: so many, of sizes that differ by 1 at most, or cut before positions.

    Raises RuntimeError unless the number is positive.

    >>> [part.shape for part in tensor_split(np.zeros(5), 3)]
    [(2,), (2,), (1,)]
    """
    return _tensor_split("tensor_split", input, indices_or_sections, dim)


def _tensor_split(op: str, x: Node, where: Any, dim: int) -> list[Part]:
    at = _along(op, x, dim)
    length = x.shape[at]
    given = where if isinstance(where, (int, Sequence)) else as_node(where)._value.tolist()
    if isinstance(given, int):
        if given <= 0:
            raise RuntimeError(f"{op}: number of sections must be larger than 0, got {given}")
        size, longer = divmod(length, given)
        return _cut(at, [size * n + min(n, longer) for n in range(1, given + 1)])
    ends = [slice(whole(end)).indices(length)[1] for end in given]
    lead = (slice(None),) * at
    return [(*lead, slice(start, max(start, end))) for start, end in pairwise((0, *ends, length))]


def _even_split(op: str, x: Node, where: Any, dim: int, ndim: int) -> list[Part]:
    if x.ndim < ndim:
        raise RuntimeError(f"{op} requires a tensor with at least {ndim} dimension, but got shape {x.shape}")
    if isinstance(where, int) and (where <= 0 or x.shape[dim] % where):
        raise RuntimeError(
            f"{op} attempted to split along dimension {dim}, but the size of the dimension "
            f"{x.shape[dim]} is not divisible by the split_size {where}!"
        )
    return _tensor_split(op, x, where, dim)


@_parts
def hsplit(input: Node, indices_or_sections: Sections) -> list[Part]:
    """`tensor_split` into equal parts, or at positions, along the columns (of a vector, its elements).

    Raises RuntimeError if parts would not be equal.

    >>> [part.shape for part in hsplit(np.zeros((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    return _even_split("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, 1)


@_parts
def vsplit(input: Node, indices_or_sections: Sections) -> list[Part]:
    """`tensor_split` into equal parts, or at positions, along the rows.

    Raises RuntimeError if parts would not be equal, or for fewer than two dimensions.

    >>> [part.shape for part in vsplit(np.zeros((2, 4)), 2)]
    [(1, 4), (1, 4)]
    """
    return _even_split("vsplit", input, indices_or_sections, 0, 2)


@_parts
def dsplit(input: Node, indices_or_sections: Sections) -> list[Part]:
    """`tensor_split` into equal parts, or at positions, along the third dimension.

    Raises RuntimeError if parts would not be equal, or for fewer than three dimensions.

    >>> [part.shape for part in dsplit(np.zeros((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return _even_split("dsplit", input, indices_or_sections, 2, 3)


@_parts
def unbind(input: Node, dim: int = 0) -> list[Part]:
    """Every slice along a dimension, which the results lack.

    >>> [part.shape for part in unbind(np.zeros((2, 3)))]
    [(3,), (3,)]
    """
    at = normal_dim("unbind", dim, input.ndim)
    if not input.ndim:
        raise IndexError(f"unbind: Dimension specified as {dim} but tensor has no dimensions")
    lead = (slice(None),) * at
    return [(*lead, i) for i in range(input.shape[at])]


# ---------------------------------------------------------------- windows


def windows(input: Operand, dimension: int, size: int, step: int) -> Node:
    """Slices of `size` along a dimension, one every `step`, their elements along a new last one.

    What PyTorch calls `Tensor.unfold`. Raises RuntimeError for a step that is not positive, or a
    size out of range.

    >>> windows(np.arange(5.0), 0, 3, 2).data
    array([[0., 1., 2.],
           [2., 3., 4.]])
    """
    x = as_node(input)
    if not x.ndim:
        normal_dim("unfold", dimension, 0)
        one = windows(reshape(x, 1), 0, size, step)
        return reshape(one, -1) if size else reshape(one, 0)
    at = normal_dim("unfold", dimension, x.ndim)
    return movedim(getitem_parsed(x, *_window_index(x, at, size, step)), at + 1, -1)


def _window_index(x: Node, at: int, size: int, step: int) -> tuple[Any, tuple[Node]]:
    length = x.shape[at]
    if not 0 <= size <= length or step <= 0:
        raise RuntimeError(
            f"unfold: maximum size for tensor at dimension {at} is {length} but size is {size}, step {step}"
        )
    starts = np.arange(0, length - size + 1, step)
    return (*(slice(None),) * at, PLACE), (seal(np.add.outer(starts, np.arange(size))),)


def _put_windows(base: Node, new: Node, dimension: int, size: int, step: int) -> Node:
    if step < size:
        refuse_write(base, new)
    at = normal_dim("unfold", dimension, base.ndim)
    template, (cells,) = _window_index(base, at, size, step)
    return index_put(base, (*template[:-1], cells), movedim(new, -1, at + 1))


PUT[windows] = _put_windows

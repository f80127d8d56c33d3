"""The grammar of einsum: from letters, or lists of integers, to labels of dimensions."""

from __future__ import annotations

from functools import lru_cache
from types import EllipsisType
from typing import Any, TypeAlias

#: a label for each dimension. Letters are numbered as PyTorch sorts them, A-Z and then a-z; what an
#: ellipsis stands for is counted from the right, from -1 down
Labels: TypeAlias = tuple[int, ...]
Subscripts: TypeAlias = tuple[int | EllipsisType, ...]


@lru_cache(1024)
def parse(equation: str) -> tuple[tuple[Subscripts, ...], Subscripts | None]:
    """The subscripts of the operands, and of the output if the equation has an arrow."""
    left, arrow, right = equation.partition("->")
    return tuple([_subscripts(term) for term in left.split(",")]), _subscripts(right) if arrow else None


def _subscripts(term: str) -> Subscripts:
    """The letters of an operand or the output as labels."""
    labels: list[int | EllipsisType] = []
    for part in term.replace(" ", "").replace("...", "."):
        if part == ".":
            labels.append(...)
        elif part.isascii() and part.isalpha():
            labels.append(ord(part) - (65 if part < "a" else 71))
        else:
            raise RuntimeError(
                f"einsum: invalid subscript {part!r} in {term!r}, subscripts must be in [a-zA-Z]"
            )
    return tuple(labels)


def _labelled(labels: Subscripts, ndim: int, at: str) -> Labels:
    """An ellipsis spelled out, given the number of dimensions."""
    found = labels.count(...)
    covered = ndim - (len(labels) - found)
    if found > 1:
        raise RuntimeError(f"einsum: found '...' for {at} for which an ellipsis was already found")
    if covered < 0 or (covered and not found):
        raise RuntimeError(
            f"einsum: the number of subscripts in the equation ({len(labels) - found}) "
            f"{'is more than' if found else 'does not match'} the number of dimensions ({ndim}) for {at}"
        )
    return tuple([n for label in labels for n in (range(-covered, 0) if label is ... else (label,))])


@lru_cache(1024)
def labels_of(
    terms: tuple[Subscripts, ...],
    result: Subscripts | None,
    ndims: tuple[int, ...],
) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of the operands, and of the output."""
    labels = tuple([_labelled(term, n, f"operand {at}") for at, (term, n) in enumerate(zip(terms, ndims))])
    every = [n for own in labels for n in own]
    dots = range(min(every, default=0), 0)
    if result is None:
        return labels, (*dots, *sorted([n for n in set(every) if n >= 0 and every.count(n) == 1]))
    out = _labelled(
        result, len(result) - result.count(...) + (len(dots) if ... in result else 0), "the output"
    )
    for n in out:
        if out.count(n) > 1:
            raise RuntimeError(f"einsum: output subscript {told(n)} appears more than once in the output")
        if n not in every:
            raise RuntimeError(
                f"einsum: output subscript {told(n)} does not appear in the equation for any input operand"
            )
    return labels, out


def told(label: int) -> str:
    """A label as the user wrote it."""
    return "..." if label < 0 else chr(label + (65 if label < 26 else 71))


def listed(labels: Any) -> Subscripts:
    """Subscripts given as a list of integers, and Ellipsis."""
    listed = tuple([n if n is ... else n.__index__() for n in labels])
    for n in listed:
        if not isinstance(n, EllipsisType) and not 0 <= n < 52:
            raise ValueError(f"einsum: not within the valid range [0, 52): subscript {n}")
    return listed

"""Trees of values: mappings, lists, tuples, named tuples, dataclasses and pyrsistent's vectors and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Any, TypeVar

A = TypeVar("A")


def fields_of(tree: Any) -> tuple[str, ...] | None:
    """The names of a dataclass's fields; None for anything else."""
    fields: Any = getattr(type(tree), "__dataclass_fields__", None)
    return None if fields is None else tuple(fields)


def _is_sequence(tree: Any) -> bool:
    if isinstance(tree, (list, tuple)):
        return True
    return isinstance(tree, Sequence) and hasattr(tree, "evolver")  # pyrsistent's vectors


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf of a tree with its path, as `["layer"][0]`; None has no leaves."""
    fields = fields_of(tree)
    if fields is not None:
        for name in fields:
            yield from leaves(getattr(tree, name), f"{path}.{name}")
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{path}[{key!r}]")
    elif _is_sequence(tree):
        for i, value in enumerate(tree):
            yield from leaves(value, f"{path}[{i}]")
    elif tree is not None:
        yield path, tree


def map_leaves(function: Callable[[Any], Any], tree: A) -> A:
    """The tree with each leaf replaced by `function(leaf)`, from left to right.

    Every tree keeps its type. A dataclass is made of its fields alone, its `__init__` and
    `__post_init__` are not called: they might refuse the new leaves, which need not be arrays.
    Mappings that are neither dictionaries nor pyrsistent's come back as read-only mappings.
    """
    return map_trees("map_leaves", function, tree)


def map_trees(where: str, function: Callable[..., Any], tree: A, *others: Any, path: str = "") -> A:
    """`function(leaf, *leaves of the other trees)` in the structure of the first tree.

    Raises TypeError where another tree has not the same structure, naming the path.
    """
    result: Any
    fields = fields_of(tree)
    if fields is not None:
        _alike(where, path, all(fields_of(o) == fields for o in others), tree, others)
        parts = {
            name: map_trees(
                where,
                function,
                getattr(tree, name),
                *[getattr(o, name) for o in others],
                path=f"{path}.{name}",
            )
            for name in fields
        }
        result = _dataclass(tree, parts)
    elif isinstance(tree, Mapping):
        same = all(isinstance(o, Mapping) and o.keys() == tree.keys() for o in others)
        _alike(where, path, same, tree, others)
        parts = {
            key: map_trees(where, function, value, *[o[key] for o in others], path=f"{path}[{key!r}]")
            for key, value in tree.items()
        }
        result = _mapping(tree, parts)
    elif _is_sequence(tree):
        items: Any = tree
        same = all(_is_sequence(o) and len(o) == len(items) for o in others)
        _alike(where, path, same, tree, others)
        mapped = [
            map_trees(where, function, value, *[o[i] for o in others], path=f"{path}[{i}]")
            for i, value in enumerate(items)
        ]
        result = _sequence(tree, mapped)
    elif tree is None:
        _alike(where, path, all(o is None for o in others), tree, others)
        result = None
    else:
        structured = [o for o in others if o is None or _is_sequence(o) or isinstance(o, Mapping)]
        _alike(where, path, not structured, tree, others)
        result = function(tree, *others)
    typed: A = result
    return typed


def _alike(where: str, path: str, same: bool, tree: Any, others: Sequence[Any]) -> None:
    if not same:
        kinds = " and ".join([_told(t) for t in (tree, *others)])
        raise TypeError(f"{where}: the trees differ in structure{path and ' at ' + path}: {kinds}")


def _told(tree: Any) -> str:
    if isinstance(tree, Mapping):
        return f"{type(tree).__name__} with keys {list(tree)}"
    return f"{type(tree).__name__} of {len(tree)}" if _is_sequence(tree) else type(tree).__name__


def _dataclass(like: Any, parts: dict[str, Any]) -> Any:
    made = object.__new__(type(like))
    for name, part in parts.items():
        object.__setattr__(made, name, part)
    return made


def _mapping(like: Mapping[Any, Any], parts: dict[Any, Any]) -> Mapping[Any, Any]:
    if type(like) is dict:
        return parts
    if isinstance(like, dict):
        made = copy(like)
        made.update(parts)
        return made
    if hasattr(like, "update") and hasattr(like, "evolver"):  # pyrsistent's maps
        return like.update(parts)  # type: ignore[no-any-return]  # a map of the same type
    return MappingProxyType(parts)


def _sequence(like: Any, items: list[Any]) -> Any:
    if type(like) is list:
        return items
    if isinstance(like, list):
        made = copy(like)
        made[:] = items
        return made
    if isinstance(like, tuple):
        return tuple.__new__(type(like), items)
    return like[:0].extend(items)  # pyrsistent's vectors

"""Trees of values: mappings, lists, tuples, named tuples, dataclasses and pyrsistent's vectors and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

A = TypeVar("A")


def _fields(tree: Any) -> tuple[str, ...] | None:
    """The names of a dataclass's fields; None for anything else."""
    fields: Any = getattr(type(tree), "__dataclass_fields__", None)
    return None if fields is None else tuple(fields)


def _is_sequence(tree: Any) -> bool:
    if isinstance(tree, (list, tuple)):
        return True
    return isinstance(tree, Sequence) and hasattr(tree, "evolver")  # pyrsistent's vectors


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf of a tree with its path, as `["layer"][0]`; None has no leaves."""
    fields = _fields(tree)
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

    Every tree keeps its type, but mappings that can be neither built from a dictionary nor evolved
    come back as read-only mappings.
    """
    return map_trees("map_leaves", function, tree)


def map_trees(where: str, function: Callable[..., Any], tree: A, *others: Any, path: str = "") -> A:
    """`function(leaf, *leaves of the other trees)` in the structure of the first tree.

    Raises TypeError where another tree has not the same structure, naming the path.
    """
    result: Any
    fields = _fields(tree)
    if fields is not None:
        _alike(where, path, all(_fields(o) == fields for o in others), tree, others)
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
        from dataclasses import replace

        result = replace(tree, **parts)  # type: ignore[type-var]  # it has fields, so it is one
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


def _mapping(like: Mapping[Any, Any], parts: dict[Any, Any]) -> Mapping[Any, Any]:
    kind: Any = type(like)
    if kind is dict:
        return parts
    if hasattr(like, "update") and hasattr(like, "evolver"):  # pyrsistent's maps
        return like.update(parts)  # type: ignore[no-any-return]  # a map of the same type
    return (
        kind(parts) if issubclass(kind, dict) and kind.__init__ is dict.__init__ else _read_only(kind, parts)
    )


def _read_only(kind: Any, parts: dict[Any, Any]) -> Mapping[Any, Any]:
    from collections import OrderedDict

    return OrderedDict(parts) if kind is OrderedDict else MappingProxyType(parts)


def _sequence(like: Any, items: list[Any]) -> Any:
    if isinstance(like, list):
        return items
    if hasattr(like, "_fields"):
        return type(like)(*items)
    if isinstance(like, tuple):
        return tuple(items)
    return like[:0].extend(items)  # pyrsistent's vectors

"""Trees of values: the mappings, lists, tuples and named tuples that pure functions take and return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

A = TypeVar("A")


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf of a tree with its path, as `["layer"][0]`; None has no leaves."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{path}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for i, value in enumerate(tree):
            yield from leaves(value, f"{path}[{i}]")
    elif tree is not None:
        yield path, tree


def map_leaves(function: Callable[[Any], Any], tree: A) -> A:
    """The tree with each leaf replaced by `function(leaf)`, from left to right.

    Dictionaries, lists, tuples and named tuples keep their type; other mappings come back as
    read-only mappings.
    """
    result: Any
    if isinstance(tree, Mapping):
        mapped = {key: map_leaves(function, value) for key, value in tree.items()}
        result = mapped if type(tree) is dict else MappingProxyType(mapped)
    elif isinstance(tree, (list, tuple)):
        items = [map_leaves(function, value) for value in tree]
        if isinstance(tree, list):
            result = items
        else:
            result = type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    else:
        result = None if tree is None else function(tree)
    typed: A = result
    return typed

"""Trees as torch.utils._pytree has them: lists, tuples, named tuples and dictionaries."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TreeSpec:
    """The structure of a tree: how its parts make it, or None for a leaf."""

    build: Callable[[list[Any]], Any] | None
    parts: tuple[TreeSpec, ...] = ()

    @property
    def num_leaves(self) -> int:
        """How many leaves there are."""
        return 1 if self.build is None else sum(part.num_leaves for part in self.parts)


def _opened(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]] | None:
    """The parts of a tree, and what makes a tree of such parts; None for a leaf."""
    kind: Any = type(tree)
    if kind is defaultdict:
        factory = tree.default_factory
        return list(tree.values()), lambda parts: defaultdict(factory, dict(zip(tree, parts)))
    if kind in (dict, OrderedDict):
        keys = list(tree)
        return list(tree.values()), lambda parts: kind(dict(zip(keys, parts)))
    if isinstance(tree, tuple) and hasattr(kind, "_fields"):
        return list(tree), lambda parts: kind(*parts)
    if kind in (list, tuple, deque):
        return list(tree), kind
    return None


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of a tree from left to right, and its structure; None is a leaf.

    >>> tree_flatten({"a": 1, "b": [2, (3,)]})[0]
    [1, 2, 3]
    """
    opened = None if is_leaf is not None and is_leaf(tree) else _opened(tree)
    if opened is None:
        return [tree], TreeSpec(None)
    flat = [tree_flatten(part, is_leaf) for part in opened[0]]
    return [leaf for leaves, _ in flat for leaf in leaves], TreeSpec(opened[1], tuple(s for _, s in flat))


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The tree of a structure with other leaves. Raises ValueError unless there are as many as before."""
    given = list(leaves)
    if len(given) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten: {len(given)} leaves for a tree of {treespec.num_leaves}")
    return _filled(iter(given), treespec)


def _filled(leaves: Any, treespec: TreeSpec) -> Any:
    if treespec.build is None:
        return next(leaves)
    return treespec.build([_filled(leaves, part) for part in treespec.parts])


def tree_map(func: Callable[[Any], Any], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree with each leaf replaced by `func(leaf)`."""
    leaves, treespec = tree_flatten(tree, is_leaf)
    return tree_unflatten(map(func, leaves), treespec)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a tree from left to right."""
    return tree_flatten(tree, is_leaf)[0]

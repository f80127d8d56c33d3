"""PyTorch's tracer of modules: its classes are there to inherit from, and nothing is traced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final, TypeAlias

from . import Absent, as_it_is as wrap  # noqa: F401

_USER_PRESERVED_ATTRIBUTES_KEY = "_user_preserved_attributes"
Target: TypeAlias = Any


class Tracer(Absent): ...


class Graph(Absent): ...


class GraphModule(Absent): ...


class Interpreter(Absent): ...


class Node(Absent): ...


class Proxy(Absent): ...


class _CodeOnlyModule(Absent): ...


#: files that are looked into for these
node: Final[SimpleNamespace] = SimpleNamespace(Node=Node, Target=Target)
proxy: Final[SimpleNamespace] = SimpleNamespace(Proxy=Proxy)


def _copy_attr(*_: Any) -> None:
    """Nothing."""


def symbolic_trace(root: Any, *_: Any, **__: Any) -> Any:
    """Raises NotImplementedError: nothing is traced."""
    return GraphModule(root)

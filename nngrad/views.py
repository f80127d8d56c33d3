"""Views without shared memory: how a view and its base stay in step.

A view knows its base tensor and the pure functions that lead from the base's node to its own.
Reading a view whose base has moved on looks again; writing to a view puts the new value back
through the functions' inverses and rebinds the base. PyTorch calls this functionalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .functional.indexing import getitem_parsed, replace
from .functional.node import Node, grad_mode, seal
from .functional.shape import PUT

if TYPE_CHECKING:
    from .tensor import Tensor

#: a function of the core that makes a view, and its arguments after the input
Step: TypeAlias = tuple[Callable[..., Node], tuple[Any, ...]]


def detach(input: Node) -> Node:
    """The same value outside the graph."""
    return seal(input._value)


PUTS: Final[dict[Callable[..., Node], Callable[..., Node]]] = {
    **PUT,
    detach: lambda base, new: replace(base, new),
}


class View:
    """What makes a tensor a view: its base (itself no view), and the way there."""

    __slots__ = ("base", "recorded", "seen", "steps")

    def __init__(self, base: Tensor, steps: tuple[Step, ...], seen: Node) -> None:
        self.base = base
        self.steps = steps
        self.seen: Node | None = seen  # the base's node that the view was last in step with
        self.recorded = grad_mode.get()

    def look(self) -> Node:
        """The view's node, from the base's as it is now."""
        node = self.base._node
        token = grad_mode.set(self.recorded)
        try:
            for function, args in self.steps:
                node = function(node, *args)
        finally:
            grad_mode.reset(token)
        self.seen = self.base._node
        return node

    def put(self, new: Node) -> None:
        """Rebind the base so that the view of it is `new`. The caller has let go of its own node."""
        base = self.base
        stages = [base._node]
        for function, args in self.steps[:-1]:
            stages.append(function(stages[-1], *args))
        node = new
        for i in range(len(self.steps) - 1, -1, -1):
            function, args = self.steps[i]
            if i == 0 and function is getitem_parsed:  # the base's buffer may be taken over
                stages.clear()
                base.put(args[0], (), node)
                return
            node = PUTS[function](stages[i], node, *args)
        base.rebind(node)

    def outside_graph(self) -> bool:
        """Whether the view is the base's value without its graph: `detach()` or `data`."""
        return any(function is detach for function, _ in self.steps)

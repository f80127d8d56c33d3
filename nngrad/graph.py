"""Looking at the graph from a tensor, and hooks into its backward pass."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from .functional.engine import HOOKS
from .functional.node import Node, seal
from .tensor import Tensor, wrap

_serial = count()


class GradFn:
    """The backward step of a node, to be looked at: PyTorch's `grad_fn`."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    def name(self) -> str:
        """PyTorch's name for it, as `MulBackward0`."""
        op = self._node.op
        return "AccumulateGrad" if op is None else _title(op.name) + "Backward0"

    @property
    def next_functions(self) -> tuple[tuple[GradFn | None, int], ...]:
        """The steps that come after it, one per parent; None for a parent without gradient."""
        return tuple([(GradFn(p) if p.tracked else None, 0) for p in self._node.prev])

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self._node):#x}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GradFn) and other._node is self._node

    def __hash__(self) -> int:
        return hash(self._node)


def _title(name: str) -> str:
    return "".join([part[:1].upper() + part[1:] for part in name.split("_")])


class RemovableHandle:
    """What registering a hook gives back: `remove()` takes the hook out again."""

    __slots__ = ("_hooks", "id")

    def __init__(self, hooks: dict[int, Any], hook: object) -> None:
        self._hooks = hooks
        self.id: Final = next(_serial)
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook out; a second time changes nothing."""
        self._hooks.pop(self.id, None)


def register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """See `Tensor.register_hook`."""
    node = tensor.node
    if not node.tracked:
        raise RuntimeError("register_hook: cannot register a hook on a tensor that doesn't require gradient")
    if node.op is None:  # a leaf's node changes with every update, so its hooks stay with the tensor
        hooks: dict[int, Any] = tensor.__dict__.setdefault("_hooks", {})
    else:
        hooks = HOOKS.get(id(node), {})
        if not hooks:
            HOOKS[id(node)] = hooks
            weakref.finalize(node, HOOKS.pop, id(node), None)
    return RemovableHandle(hooks, _on_tensors(hook))


def _on_tensors(hook: Callable[[Tensor], Tensor | None]) -> Callable[[Any], Any]:
    def on_cotangent(g: Any) -> Any:
        given = wrap(g if isinstance(g, Node) else seal(g))
        replaced = hook(given)
        if replaced is None:
            return None
        if replaced.shape != given.shape:
            raise RuntimeError(
                f"hook: the gradient it returned has shape {tuple(replaced.shape)}, not {tuple(given.shape)}"
            )
        return replaced.node if isinstance(g, Node) else replaced.node._value

    return on_cotangent


def retain_grad(tensor: Tensor) -> None:
    """See `Tensor.retain_grad`."""
    if not tensor.requires_grad:
        raise RuntimeError("retain_grad: can't retain_grad on Tensor that has requires_grad=False")
    if tensor.is_leaf or tensor.__dict__.get("_retains_grad"):
        return
    owner = weakref.ref(tensor)

    def keep(g: Tensor) -> None:
        kept = owner()
        if kept is not None:
            kept.accumulate_grad(g.node)

    tensor.__dict__["_retains_grad"] = True
    register_hook(tensor, keep)

"""Looking at the graph from a tensor, and hooks into its backward pass."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from .functional.engine import HOOKS
from .functional.node import Node, seal
from .lifting import wrap
from .tensor import Tensor

_serial = count()


class GradFn:
    """The backward step of a node, to be looked at: PyTorch's `grad_fn`."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        if node.op is not None and node.op.name == "custom_part":  # of a function with several outputs
            while getattr(node.op, "name", "custom") != "custom":
                node = node._prev[0]
        self._node = node

    def name(self) -> str:
        """PyTorch's name for it, as `MulBackward0`."""
        op = self._node.op
        if op is None:
            return "AccumulateGrad"
        variant = _VARIANTS.get(op.name)
        return _title(op.name) + "Backward0" if variant is None else variant(self._node)

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


def _pow(node: Node) -> str:
    is_number = [not (p.tracked or p.ndim) for p in node.prev]
    return "PowBackward2" if is_number[0] else "PowBackward0" if is_number[1] else "PowBackward1"


def _matmul(node: Node) -> str:
    ranks = [p.ndim for p in node.prev]
    return "DotBackward0" if ranks == [1, 1] else "MvBackward0" if ranks == [2, 1] else "UnsafeViewBackward0"


def _linear(node: Node) -> str:
    has_bias = len(node.prev) > 2
    if node.prev[0].ndim == 2:
        return "AddmmBackward0" if has_bias else "MmBackward0"
    return "ViewBackward0" if has_bias else "UnsafeViewBackward0"


def _getitem(node: Node) -> str:
    """PyTorch takes an index apart and names the last part: arrays, else from left to right."""
    if len(node.prev) > 1:
        return "IndexBackward0"
    index = node.params[0]
    parts = [part for part in (index if isinstance(index, tuple) else (index,)) if part is not Ellipsis]
    for part in reversed(parts):
        if part is None:
            return "UnsqueezeBackward0"
        if isinstance(part, int):
            return "SelectBackward0"
        if part != slice(None):
            return "SliceBackward0"
    return "AliasBackward0"


#: how PyTorch calls the ops for which it has another name than ours, or several
_VARIANTS: Final[dict[str, Callable[[Node], str]]] = {
    "amax": lambda node: "MaxBackward1" if node.params[0] is None else "AmaxBackward0",
    "broadcast": lambda node: "ExpandBackward0",
    "clip": lambda node: "ClampBackward1",
    "amin": lambda node: "MinBackward1" if node.params[0] is None else "AminBackward0",
    "custom": lambda node: getattr(node.params[0], "name", "CustomBackward0"),
    "cross_entropy": lambda node: "NllLossBackward0",
    "concat": lambda node: "CatBackward0",
    "getitem": _getitem,
    "index_put": lambda node: "CopySlices" if len(node.prev) == 2 else "IndexPutBackward0",
    "linear": _linear,
    "matmul": _matmul,
    "mean": lambda node: "MeanBackward0" if node.params[0] is None else "MeanBackward1",
    "pow": _pow,
    "pow_whole": lambda node: "PowBackward0",
    "reshape": lambda node: "ViewBackward0",
    "sum": lambda node: "SumBackward0" if node.params[0] is None else "SumBackward1",
    "to": lambda node: "ToCopyBackward0",
}


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


def register_after(tensor: Tensor, hook: Callable[[Tensor], None]) -> RemovableHandle:
    """See `Tensor.register_post_accumulate_grad_hook`."""
    if not tensor.requires_grad or not tensor.is_leaf:
        raise RuntimeError(
            "register_post_accumulate_grad_hook: post accumulate grad hooks cannot be registered on non-leaf "
            "tensors, or on those that don't require grad"
        )
    return RemovableHandle(tensor.__dict__.setdefault("_after_hooks", {}), hook)


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

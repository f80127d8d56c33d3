"""Views without shared memory: how tensors that PyTorch would give one memory stay in step.

A `View` is a function of its base's node: value and graph both follow the base. An `Alias` has a
place in the graph of its own and follows in value alone: `detach()`, `data`, and a view that was
made a leaf. Reading one whose base has moved on looks again; writing to one puts the new value
back through the functions' inverses and rebinds the base. PyTorch calls this functionalisation.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from sys import getrefcount
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from .functional.engine import ALONE
from .functional.indexing import getitem_parsed, put_parsed, replace, succeed
from .functional.node import MOVED, Hole, Node, Operand, grad_mode, seal
from .functional.shape import PUT

if TYPE_CHECKING:
    from .tensor import Tensor

#: a function of the core that makes a view, and its arguments after the input
Step: TypeAlias = tuple[Callable[..., Node], tuple[Any, ...]]
#: where a write goes: an index as parse_index gives it, or None for the whole tensor
Where: TypeAlias = tuple[Any, tuple[Node, ...]] | None

#: what a view stands for between a write through it and the next look
LOST: Final = seal(Hole(MOVED))
NEVER: Final = weakref.ref(LOST)


#: how often a tensor has changed its shape in place
_turns = 0


class View:
    """What makes a tensor a view: its base (no view, perhaps an alias), and the way there."""

    __slots__ = ("base", "made", "recorded", "seen", "steps")

    def __init__(self, base: Tensor, steps: tuple[Step, ...], seen: Node, recorded: bool) -> None:
        self.base: Tensor = base
        self.steps: tuple[Step, ...] = steps
        # the base's node that the view was last in step with: weak, lest reading cost the next writer a copy
        self.seen: weakref.ref[Node] = weakref.ref(seen)
        self.recorded: bool = recorded  # False: made under no_grad, a reader outside the graph
        self.made: int = _turns

    def root(self) -> Tensor:
        """The base; where that has changed its shape since, what stands for it as it was."""
        for turned, former in getattr(self.base, "_formers", ()):
            if self.made < turned:
                self.base = former
                break
        return self.base

    def look(self, tensor: Tensor) -> Node:
        """The view's node, from the base's as it is now."""
        base = self.root().node
        node = _walk(base, self.steps, self.recorded)
        self.seen = weakref.ref(base)
        return node

    def write(self, tensor: Tensor, where: Where, value: Operand) -> None:
        """Rebind the base so that `tensor`, the view of it, has `value` at `where`."""
        base = self.root()
        if not self.recorded and grad_mode.get() and (base.node.tracked or _is_tracked(value)):
            raise RuntimeError(
                "A view was created in no_grad mode and is being modified inplace with grad mode enabled: "
                "make the view, or the change, in the mode of the other."
            )
        tensor._node = LOST  # a name for the base's memory less
        self.seen = NEVER
        _write_through(base, self.steps, where, value)


class Home:
    """The tensor that aliases are in step with. Another one moves in when it is given other `data`."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor: Tensor
        self.move_in(tensor)

    def move_in(self, tensor: Tensor) -> None:
        """Let the aliases be in step with this tensor."""
        self.tensor = tensor
        tensor._home = weakref.ref(self)


class Alias:
    """What makes a tensor share the memory of another one, but not its place in the graph."""

    __slots__ = ("home", "seen", "steps")

    def __init__(self, home: Home, steps: tuple[Step, ...]) -> None:
        self.home: Home = home
        self.steps: tuple[Step, ...] = steps
        self.seen: weakref.ref[Node] = weakref.ref(home.tensor.node)

    @property
    def base(self) -> Tensor:
        """The tensor whose value it follows."""
        return self.home.tensor

    def look(self, tensor: Tensor) -> Node:
        """The base's value as it is now, at the tensor's own place in the graph."""
        base = self.base.node
        node = replace(tensor._node, _walk(base, self.steps, False))
        self.seen = weakref.ref(base)
        return node

    def write(self, tensor: Tensor, where: Where, value: Operand) -> None:
        """Rebind the tensor, and its base's value, so that it has `value` at `where`."""
        own = tensor.node
        if self._is_last():
            self.base._node = LOST
            tensor._view = None
            del own
            _write_through(tensor, (), where, value)
            return
        if own.tracked or (grad_mode.get() and _is_tracked(value)):
            new = succeed(own, _put(own, where, value))
            _write_outside(self.base, self.steps, None, seal(new._value))
            base = self.base.node
            shared = _walk(base, self.steps, False)._value
            if shared.strides != new._value.strides:  # as the memory it shares: `view` depends on it
                new = seal(shared, new.op, new.prev, new.params, new.tracked, new.saved)
            tensor._node = new
            self.seen = weakref.ref(base)
            return
        del own
        tensor._node = LOST
        self.seen = NEVER
        _write_outside(self.base, self.steps, where, value)

    def _is_last(self) -> bool:
        """Whether nobody is left to be in step with: the base was made for aliases that are gone."""
        home = self.home
        base = home.tensor
        return (
            not self.steps
            and base._view is None
            and getrefcount(home) == ALONE + 1
            and getrefcount(base) == ALONE + 1
        )


def _is_tracked(value: Operand) -> bool:
    return isinstance(value, Node) and value.tracked


def _walk(node: Node, steps: tuple[Step, ...], recorded: bool) -> Node:
    token = grad_mode.set(recorded)
    try:
        for function, args in steps:
            node = function(node, *args)
    finally:
        grad_mode.reset(token)
    return node


def _put(node: Node, where: Where, value: Any) -> Node:
    if where is None:
        whole: Node = value
        return whole
    return put_parsed(node, where[0], where[1], value)


def _write_outside(base: Tensor, steps: tuple[Step, ...], where: Where, value: Any) -> None:
    token = grad_mode.set(False)
    try:
        _write_through(base, steps, where, value)
    finally:
        grad_mode.reset(token)


def _write_through(base: Tensor, steps: tuple[Step, ...], where: Where, value: Any) -> None:
    """Write to what the steps lead to from the base, by rebinding the base."""
    if not steps:
        if where is None:
            base.rebind(value)
        else:
            base.write_at(*where, value)
        return
    first, args = steps[0]
    if len(steps) > 1 or where is not None or first is not getitem_parsed:
        stages = [base.node]
        for function, arguments in steps:
            stages.append(function(stages[-1], *arguments))
        value = _put(stages[-1], where, value)
        for i in range(len(steps) - 1, 0, -1):
            value = PUT[steps[i][0]](stages[i], value, *steps[i][1])
        if first is not getitem_parsed:
            base.rebind(PUT[first](stages[0], value, *args))
            return
        stages.clear()  # the base's memory may be written to if nobody else sees it
    base.write_at(args[0], (), value)


# ---------------------------------------------------------------- memory in common


def memory_of(tensor: Tensor, wrap: Callable[[Node], Tensor]) -> tuple[Home, tuple[Step, ...]]:
    """Whose value a tensor follows, and how; its own, if it is neither view nor alias."""
    view = tensor._view
    if view is None:
        return _home_of(tensor, wrap), ()
    if isinstance(view, Alias):
        return view.home, view.steps
    home, steps = memory_of(view.root(), wrap)
    return home, (*steps, *view.steps)


def _home_of(tensor: Tensor, wrap: Callable[[Node], Tensor]) -> Home:
    home = _live_home(tensor) or Home(tensor)
    if tensor._node.tracked and tensor._node.op is not None:
        # the value moves to a tensor of its own, lest aliases keep the graph alive
        home.move_in(wrap(seal(tensor._node._value)))
        tensor._view = Alias(home, ())
    return home


def _live_home(tensor: Tensor) -> Home | None:
    known: weakref.ref[Home] | None = getattr(tensor, "_home", None)
    home = known() if known is not None else None
    return home if home is not None and home.tensor is tensor else None


def detached(tensor: Tensor, wrap: Callable[[Node], Tensor]) -> Tensor:
    """An alias of the tensor outside the graph."""
    alias = wrap(seal(tensor.node._value))
    alias._view = Alias(*memory_of(tensor, wrap))
    return alias


def move(tensor: Tensor, other: Tensor, wrap: Callable[[Node], Tensor]) -> None:
    """Make `tensor` an alias of the other one, at its own place in the graph."""
    home, steps = memory_of(other, wrap)
    view = tensor._view
    if view is None:
        if home.tensor is tensor and not steps:
            return
    elif isinstance(view, Alias) and view.home is home and view.steps == steps:
        return
    node = replace(tensor.node, seal(other.node._value))
    leave(tensor, wrap)
    tensor._view = Alias(home, steps)
    tensor._node = node


def leave(tensor: Tensor, wrap: Callable[[Node], Tensor]) -> None:
    """Let go of the memory that the tensor shares; its aliases keep that."""
    home = _live_home(tensor) if tensor._view is None else None
    if home is not None:
        home.move_in(wrap(seal(tensor._node._value)))
    tensor._view = None


# ---------------------------------------------------------------- another shape, in place


def turn(tensor: Tensor, step: Step, wrap: Callable[[Node], Tensor]) -> None:
    """Change the shape of the tensor: it becomes a view, by that step, of a tensor that nobody has.

    That one stands for what it was, and is from here on the base of the views that there were.
    """
    global _turns
    old, view = tensor.node, tensor._view
    new = _walk(old, (step,), True)
    is_leaf = old.tracked and old.op is None
    if is_leaf:
        new = seal(new._value, params=old.params, tracked=True)
    _turns += 1
    if isinstance(view, View):
        base = view.root()
        tensor._view = View(base, (*view.steps, step), base.node, view.recorded)
    else:
        base = wrap(old)
        base._view = view
        home = _live_home(tensor) if view is None else None
        if home is not None:
            home.move_in(base)
        tensor._formers = (*getattr(tensor, "_formers", ()), (_turns, base))
        if is_leaf:
            function, args = step
            with_gradient = grad_mode.set(True)  # of the views that there were
            base._node = PUT[function](old, new, *args)
            grad_mode.reset(with_gradient)
            home, steps = memory_of(base, wrap)
            tensor._view = Alias(home, (*steps, step))
        else:
            tensor._view = View(base, (step,), old, True)
    tensor._node = new
    if isinstance(tensor._view, View) and _is_there(new, base.node):
        tensor._view.steps = ()  # as it was, after `t_` and `t_` again


def is_former(tensor: Tensor, base: Tensor) -> bool:
    """Whether the base stands for what the tensor was before it changed its shape."""
    return any(former is base for _, former in getattr(tensor, "_formers", ()))


def _is_there(node: Node, base: Node) -> bool:
    """Whether the two are the same elements in the same places."""
    a, b = node._value, base._value
    return (
        isinstance(a, np.ndarray)
        and isinstance(b, np.ndarray)
        and a.ctypes.data == b.ctypes.data
        and (a.shape, a.strides) == (b.shape, b.strides)
    )

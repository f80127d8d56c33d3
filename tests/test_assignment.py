"""Element assignment and in-place operations, played at random against two references.

The pure reference is forward mode over shared memory: beside its value each tensor has the
Jacobian of that value in every element of every leaf, and views of a tensor are NumPy views of
both. An alias (`detach()`, `data`) shares the value and has a Jacobian of its own. Where PyTorch is
installed it plays the same program; where it refuses for lack of saved values, the pure
reference alone decides.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from operator import itemgetter, methodcaller
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import nngrad
from nngrad import Tensor

HAS_TORCH = importlib.util.find_spec("torch") is not None
torch: Any = importlib.import_module("torch") if HAS_TORCH else None

LEAF_ELEMENTS = 24
MAX_TENSORS = 9
SHAPES = [(), (1,), (3,), (4,), (2, 3), (3, 2), (1, 3), (2, 2, 2)]
VIEWS = [
    "getitem",
    "T",
    "transpose",
    "permute",
    "reshape",
    "view",
    "squeeze",
    "unsqueeze",
    "flatten",
    "expand",
]
STORY = ["square", "exp_tanh", "gather", "view", "assign", "assign", "update_at", "update_at", "read"]
SAVED_VALUE_GONE = "modified by an inplace operation"


class Group:
    """The tensors that are views of one tensor in the graph."""

    def __init__(self, tracked: bool = False, leaf: Any = None) -> None:
        self.tracked = tracked
        self.leaf = leaf  # the slots of its elements in the Jacobians


class Played:
    """One tensor, three times: in nngrad, in the pure reference, in PyTorch."""

    def __init__(
        self, tensor: Tensor, value: Any, jacobian: Any, group: Group, twin: Any, reads_only: Any = None
    ) -> None:
        self.tensor = tensor
        self.value = value
        self.jacobian = jacobian
        self.group = group
        self.twin = twin
        self.reads_only: Group | None = reads_only  # a view made under no_grad: the group it reads
        self.expanded = False
        self.is_view = False
        self.grad: Any = None


def shared(a: Any, b: Any) -> bool:
    return bool(np.shares_memory(a, b))


def mode(library: Any, no_grad: bool) -> contextlib.AbstractContextManager[Any]:
    return library.no_grad() if no_grad else contextlib.nullcontext()


def outcome(run: Callable[[], None]) -> str | None:
    """The text of the RuntimeError that running raises, if it does."""
    try:
        run()
    except RuntimeError as error:
        return str(error)
    return None


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * (1 + np.abs(b).max(initial=0)))


def laid_out_as(value: Any, jacobian: Any) -> Any:
    """A copy of a Jacobian whose memory is in the order of its value's, so that both reshape alike."""
    copy = np.empty_like(np.broadcast_to(value[..., None], (*value.shape, LEAF_ELEMENTS)))
    copy[...] = jacobian
    return copy


def along(jacobian: Any, value_shape: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """A Jacobian broadcast as its value is."""
    lead = (1,) * (len(shape) - len(value_shape))
    if len(shape) < len(value_shape):  # leading 1s are dropped on assignment
        value_shape = value_shape[len(value_shape) - len(shape) :]
    return np.broadcast_to(jacobian.reshape(*lead, *value_shape, LEAF_ELEMENTS), (*shape, LEAF_ELEMENTS))


def arrays(shape: tuple[int, ...], low: int, high: int) -> st.SearchStrategy[Any]:
    """Small whole numbers as floats, from one draw."""
    seeds = st.integers(0, 255)
    return seeds.map(lambda seed: np.array(np.random.default_rng(seed).integers(low, high + 1, shape), float))


def basic_indices(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Integers, slices, Ellipsis and None, as PyTorch takes them too."""

    @st.composite
    def build(draw: Any) -> Any:
        parts: list[Any] = []
        for n in shape[: draw(st.integers(0, len(shape)))]:
            if n and draw(st.booleans()):
                parts.append(draw(st.integers(-n, n - 1)))
            else:
                start, stop = draw(st.integers(0, n)), draw(st.integers(0, n))
                parts.append(slice(min(start, stop), max(start, stop), draw(st.sampled_from([None, 1, 2]))))
        if draw(st.integers(0, 5)) == 0:
            parts.insert(draw(st.integers(0, len(parts))), None)
        if draw(st.integers(0, 5)) == 0:
            parts.append(Ellipsis)
        return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)

    return build()


def any_indices(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Also masks and integer arrays (which name no cell twice: PyTorch leaves that undefined)."""
    choices = [basic_indices(shape), arrays(shape, 0, 1).map(lambda bits: np.asarray(bits > 0))]
    if shape and shape[0]:
        rows = st.lists(st.integers(0, shape[0] - 1), unique=True, min_size=1).map(np.array)
        choices.append(rows)
        choices.append(st.tuples(rows, st.just(slice(None))) if len(shape) > 1 else rows)
    return st.one_of(choices)


def full(index: Any) -> tuple[Any, ...]:
    """An index with an Ellipsis, so that NumPy answers with a view also for a single element."""
    parts = index if isinstance(index, tuple) else (index,)
    return parts if any(p is Ellipsis for p in parts) else (*parts, Ellipsis)


def half(x: Any, at: Any) -> Any:
    """`split` on our side, a slice on PyTorch's, which lets no outputs of split be written to."""
    return x.split(at[0].stop)[0] if isinstance(x, Tensor) else x[at]


def for_tensors(index: Any, of: Callable[[Any], Any]) -> Any:
    if isinstance(index, tuple):
        return tuple([of(p) if isinstance(p, np.ndarray) else p for p in index])
    return of(index) if isinstance(index, np.ndarray) else index


class Assignment(RuleBasedStateMachine):
    with_torch = False

    def __init__(self) -> None:
        super().__init__()
        self.played: list[Played] = []
        self.leaves: list[Played] = []
        self.used = 0
        self.snapshots: list[tuple[Any, Any]] = []
        self.freed = False
        self.trusts_torch = True  # not after `x.data = y`: its saved values change then, unnoticed
        self.in_story = False
        self.focus: Played | None = None  # half of what happens happens to it

    @initialize(data=st.data(), eager=st.booleans())
    def begin(self, data: Any, eager: bool) -> None:
        self.eager = eager  # else tensors are looked at only now and then, and views fall behind
        self.add_leaf(data, True)
        self.add_leaf(data, False)

    # ------------------------------------------------------------ helpers

    def add_leaf(self, data: Any, requires_grad: bool) -> None:
        shape = data.draw(st.sampled_from(SHAPES), "shape")
        size = int(np.prod(shape))
        requires_grad = requires_grad and self.used + size <= LEAF_ELEMENTS
        value = np.asarray(data.draw(arrays(shape, -4, 4), "value") / 2)
        tensor = nngrad.tensor(value, requires_grad=requires_grad)
        twin = torch.tensor(value, requires_grad=requires_grad) if self.with_torch else None
        jacobian = np.zeros((*shape, LEAF_ELEMENTS))
        one = Played(tensor, value.copy(), jacobian, Group(), twin)
        if requires_grad:
            self.make_leaf(one)
        self.add(one)

    def make_leaf(self, one: Played) -> None:
        slots = slice(self.used, self.used + one.value.size)
        self.used = slots.stop
        slopes = np.zeros((*one.value.shape, LEAF_ELEMENTS))
        slopes.reshape(-1, LEAF_ELEMENTS)[:, slots] = np.eye(one.value.size)
        one.jacobian = laid_out_as(one.value, slopes)
        one.group = Group(True, slots)
        self.leaves.append(one)

    def add(self, one: Played) -> None:
        self.played.append(one)
        if len(self.played) > MAX_TENSORS:
            self.played.pop(1 if self.played[0] is self.focus else 0)

    def pick(self, data: Any, which: Callable[[Played], bool] = lambda one: True) -> Played:
        found = [one for one in self.played if which(one)] or self.leaves[:1]
        if self.in_story and self.focus in found:
            return self.focus
        at = data.draw(st.integers(0, 2 * len(found) - 1), "which")
        return found[at] if at < len(found) else self.focus if self.focus in found else found[-1]

    def operand(self, data: Any, shape: tuple[int, ...]) -> tuple[Any, Any, Any, Any]:
        """Something that broadcasts to a shape: (for nngrad, value, Jacobian, for PyTorch), tracked
        where its Jacobian is not None."""
        fitting = [
            one
            for one in self.played
            if one.reads_only is None
            and len(one.value.shape) <= len(shape)
            and all(n in (1, m) for n, m in zip(one.value.shape[::-1], shape[::-1]))
        ]
        at = data.draw(st.integers(-2, len(fitting) - 1), "operand")
        if at < 0:
            number = data.draw(st.integers(-3, 3)) / 2
            return number, np.array(number), None, number
        one = fitting[at]
        # the twin is a copy: PyTorch refuses operands that overlap
        twin = one.twin.clone() if self.with_torch else None
        return one.tensor, one.value, one.jacobian if one.group.tracked else None, twin

    def result(self, tensor: Tensor, value: Any, jacobian: Any, tracked: bool, twin: Any) -> None:
        value = np.asarray(value)
        twin = twin if self.with_torch else None
        self.add(Played(tensor, value, laid_out_as(value, jacobian), Group(tracked), twin))
        if self.focus not in self.played:
            self.focus = self.played[-1]

    def refused(self, one: Played, value_tracked: bool, recording: bool) -> bool:
        """Whether an in-place operation is an error of the user's."""
        if one.expanded:
            return True
        if not recording:
            return False
        if one.reads_only is not None:
            return one.reads_only.tracked or value_tracked
        return one.group.leaf is not None

    def in_place(
        self,
        one: Played,
        run: Callable[[Any], Any],
        run_twin: Callable[[Any], Any],
        change: Callable[[bool], None],
        tracked: bool,
        no_grad: bool,
    ) -> None:
        """Do `run` to a tensor and its twin, `change` to its reference, or see it refused."""
        if self.refused(one, tracked, not no_grad):
            before = one.tensor.node
            with mode(nngrad, no_grad), pytest.raises(RuntimeError):
                run(one.tensor)
            np.testing.assert_array_equal(one.tensor.node._value, before._value)
            assert one.tensor.node.op is before.op
            if self.with_torch and not one.expanded:
                with mode(torch, no_grad), pytest.raises(RuntimeError):
                    run_twin(one.twin)
            return
        with mode(nngrad, no_grad):
            run(one.tensor)
        if self.with_torch:
            if one.reads_only is None:
                _ = one.twin.grad_fn  # PyTorch takes a view for a leaf until its new grad_fn was asked for
            with mode(torch, no_grad):
                run_twin(one.twin)
        change(not no_grad)
        if tracked and not no_grad:
            one.group.tracked = True

    def write(self, one: Played, index: Any, value: Any, jacobian: Any) -> Callable[[bool], None]:
        """What an assignment does to the reference."""

        def change(recording: bool) -> None:
            at = full(index)
            shape = one.value[at].shape
            given = np.array(value)
            slopes = np.zeros((*shape, LEAF_ELEMENTS))
            if jacobian is not None:
                slopes[...] = along(jacobian, given.shape, shape)
            one.value[at] = given
            if recording:
                one.jacobian[(*at, slice(None))] = slopes

        return change

    # ------------------------------------------------------------ rules

    @rule(data=st.data(), requires_grad=st.booleans())
    def leaf(self, data: Any, requires_grad: bool) -> None:
        self.add_leaf(data, requires_grad)

    @precondition(lambda self: len(self.played) > 2)
    @rule(data=st.data())
    def forget(self, data: Any) -> None:
        """What nobody holds may be taken over: let go of a tensor."""
        gone = self.played.pop(data.draw(st.integers(0, len(self.played) - 1), "forgotten"))
        if gone is self.focus:
            self.focus = None

    @rule(data=st.data(), name=st.sampled_from(["add", "mul", "sub"]), no_grad=st.booleans())
    def binary(self, data: Any, name: str, no_grad: bool) -> None:
        one = self.pick(data, lambda one: one.reads_only is None)
        other, value, jacobian, twin = self.operand(data, one.value.shape)
        if max(np.abs(one.value).max(initial=0), np.abs(value).max(initial=0)) > 1e3:
            name = "add"
        operator = {"add": np.add, "mul": np.multiply, "sub": np.subtract}[name]
        with mode(nngrad, no_grad):
            tensor = {"add": lambda: one.tensor + other, "mul": lambda: one.tensor * other}.get(
                name, lambda: one.tensor - other
            )()
        if self.with_torch:
            with mode(torch, no_grad):
                twin = getattr(torch, name)(one.twin, twin)
        tracked = (one.group.tracked or jacobian is not None) and not no_grad
        slopes = self.slopes(name, one, value, jacobian)
        self.result(tensor, operator(one.value, value), slopes if tracked else slopes * 0, tracked, twin)

    def slopes(self, name: str, one: Played, value: Any, jacobian: Any) -> Any:
        shape = one.value.shape
        mine = np.array(one.jacobian)
        theirs = 0.0 * mine if jacobian is None else along(jacobian, value.shape, shape)
        if name == "mul":
            at = np.broadcast_to(value, shape)
            return mine * at[..., None] + theirs * one.value[..., None]
        return mine + theirs if name == "add" else mine - theirs

    @rule(data=st.data(), name=st.sampled_from(["tanh", "exp_tanh", "square", "sum", "gather"]))
    def unary(self, data: Any, name: str) -> None:
        one = self.pick(data, lambda one: one.reads_only is None)
        x, value, jacobian = one.tensor, one.value, one.jacobian
        twin: Any = one.twin
        if name == "gather":
            index = data.draw(any_indices(value.shape), "index")
            at = full(index)
            new, slopes = np.array(value[at]), np.array(jacobian[(*at, slice(None))])
            tensor = x[for_tensors(index, nngrad.tensor)].clone()
            twin = twin[for_tensors(index, torch.tensor)].clone() if self.with_torch else None
        elif name == "sum":
            new, slopes = np.array(value.sum()), jacobian.reshape(-1, LEAF_ELEMENTS).sum(0)
            tensor, twin = x.sum(), twin.sum() if self.with_torch else None
        elif name == "square" and np.abs(value).max(initial=0) < 1e3:
            new, slopes = value**2, 2 * value[..., None] * jacobian
            tensor, twin = x**2, twin**2 if self.with_torch else None
        else:
            new = np.tanh(value)
            slopes = (1 - new**2)[..., None] * jacobian
            tensor, twin = x.tanh(), twin.tanh() if self.with_torch else None
            if name == "exp_tanh":
                new = np.exp(new)
                slopes = new[..., None] * slopes
                tensor, twin = tensor.exp(), twin.exp() if self.with_torch else None
        self.result(tensor, new, slopes, one.group.tracked, twin)

    @rule(
        data=st.data(),
        kind=st.sampled_from([*VIEWS, "getitem", "split", "no_grad"]),
    )
    def view(self, data: Any, kind: str) -> None:
        one = self.pick(data, lambda one: one.reads_only is None)
        shape = one.value.shape
        order = tuple(data.draw(st.permutations(range(len(shape)))))
        lengths = data.draw(st.sampled_from([(-1,), shape[::-1], (*shape, 1), (1, *shape)]))
        if kind == "getitem" or kind == "no_grad":
            index = data.draw(basic_indices(shape), "index")
            at = full(index)
            do: Any = itemgetter(index)
            value, jacobian = one.value[at], one.jacobian[(*at, slice(None))]
        elif kind == "split":
            if not shape:
                return
            at = (slice(0, (shape[0] + 1) // 2),)
            value, jacobian = one.value[at], one.jacobian[at]
            do = partial(half, at=at)
        elif kind in ("T", "transpose", "permute"):
            if kind == "T" and len(shape) != 2:
                return
            order = (1, 0) if kind == "T" else order
            if kind == "transpose":
                if not shape:
                    return
                order = (len(shape) - 1, *range(1, len(shape) - 1), 0) if len(shape) > 1 else (0,)
            value, jacobian = one.value.transpose(order), one.jacobian.transpose(*order, len(shape))
            do = {"T": lambda x: x.T, "transpose": lambda x: x.transpose(0, -1)}.get(
                kind, lambda x: x.permute(order)
            )
        elif kind == "expand":
            value = np.broadcast_to(one.value, (2, *shape))
            jacobian = np.broadcast_to(one.jacobian, (2, *shape, LEAF_ELEMENTS))
            do = methodcaller("expand", 2, *shape)
        else:
            if kind == "unsqueeze":
                lengths = (1, *shape)
            elif kind == "squeeze":
                lengths = tuple([n for n in shape if n != 1])
            elif kind == "flatten":
                lengths = (-1,)
            if one.expanded and kind in ("reshape", "view", "flatten"):
                return
            value = one.value.reshape(lengths)
            jacobian = one.jacobian.reshape(*value.shape, LEAF_ELEMENTS)
            do = {
                "unsqueeze": lambda x: x.unsqueeze(0),
                "squeeze": lambda x: x.squeeze(),
                "flatten": lambda x: x.flatten(),
                "view": lambda x: x.view(lengths),
            }.get(kind, lambda x: x.reshape(lengths))
        copies = value.size > 0 and not shared(value, one.value)
        if copies and kind == "view":
            with pytest.raises(RuntimeError):
                do(one.tensor)
            return
        with mode(nngrad, kind == "no_grad"):
            tensor = do(one.tensor)
        twin = None
        if self.with_torch:
            with mode(torch, kind == "no_grad"):
                twin = do(one.twin)
        if copies:
            return self.result(tensor, value.copy(), jacobian.copy(), one.group.tracked, twin)
        if kind == "no_grad":
            seen = Played(tensor, value, jacobian * 0, Group(), twin, one.group)
        else:
            assert not value.size or shared(jacobian, one.jacobian)
            seen = Played(tensor, value, jacobian, one.group, twin)
            seen.is_view = True
        seen.expanded = one.expanded or kind == "expand"
        self.add(seen)

    @rule(data=st.data(), kind=st.sampled_from(["detach", "data", "requires_grad"]))
    def alias(self, data: Any, kind: str) -> None:
        one = self.pick(data)
        if kind == "requires_grad" and self.used + one.value.size > LEAF_ELEMENTS:
            kind = "detach"
        tensor = one.tensor.data if kind == "data" else one.tensor.detach()
        twin: Any = one.twin.detach() if self.with_torch else None
        new = Played(tensor, one.value, laid_out_as(one.value, 0.0), Group(), twin)
        new.expanded = one.expanded
        if kind == "requires_grad":
            self.make_leaf(new)
            tensor.requires_grad_()
            if self.with_torch:
                twin.requires_grad_()
        self.add(new)

    @rule(data=st.data(), no_grad=st.booleans())
    def assign(self, data: Any, no_grad: bool) -> None:
        one = self.pick(data)
        index = data.draw(any_indices(one.value.shape), "index")
        shape = one.value[full(index)].shape
        other, value, jacobian, twin = self.operand(data, shape)
        mine, theirs = for_tensors(index, nngrad.tensor), None
        if self.with_torch:
            theirs = for_tensors(index, torch.tensor)
        self.in_place(
            one,
            lambda x: x.__setitem__(mine, other),
            lambda x: x.__setitem__(theirs, twin),
            self.write(one, index, value, jacobian),
            jacobian is not None,
            no_grad,
        )

    @rule(data=st.data(), no_grad=st.booleans(), times=st.booleans(), name=st.sampled_from(["op", "method"]))
    def update(self, data: Any, no_grad: bool, times: bool, name: str) -> None:
        """`x += y`, `x *= y`, `x.add_(y)`, `x.mul_(y)`, on tensors and views."""
        one = self.pick(data)
        if np.abs(one.value).max(initial=0) > 1e3:
            times = False
        other, value, jacobian, twin = self.operand(data, one.value.shape)
        new = one.value * value if times else one.value + value
        slopes = self.slopes("mul" if times else "add", one, value, jacobian)

        def run(x: Any, y: Any) -> None:
            if name == "method":
                (x.mul_ if times else x.add_)(y)
            elif times:
                x *= y
            else:
                x += y

        self.in_place(
            one,
            lambda x: run(x, other),
            lambda x: run(x, twin),
            self.write(one, Ellipsis, new, slopes),
            jacobian is not None,
            no_grad,
        )

    @rule(data=st.data(), no_grad=st.booleans(), times=st.booleans())
    def update_at(self, data: Any, no_grad: bool, times: bool) -> None:
        """`x[i] += y`, `x[i] *= y`."""
        one = self.pick(data, lambda one: one.reads_only is None)
        index = data.draw(any_indices(one.value.shape), "index")
        at = full(index)
        part = Played(one.tensor, one.value[at], one.jacobian[(*at, slice(None))], one.group, None)
        if np.abs(part.value).max(initial=0) > 1e3:
            times = False
        other, value, jacobian, twin = self.operand(data, part.value.shape)
        new = part.value * value if times else part.value + value
        slopes = self.slopes("mul" if times else "add", part, value, jacobian)

        def run(x: Any, i: Any, y: Any) -> None:
            if times:
                x[i] *= y
            else:
                x[i] += y

        mine = for_tensors(index, nngrad.tensor)
        theirs = for_tensors(index, torch.tensor) if self.with_torch else None
        self.in_place(
            one,
            lambda x: run(x, mine, other),
            lambda x: run(x, theirs, twin),
            self.write(one, index, new, slopes),
            jacobian is not None,
            no_grad,
        )

    @rule(data=st.data(), no_grad=st.booleans(), name=st.sampled_from(["zero_", "fill_", "copy_", "masked"]))
    def overwrite(self, data: Any, no_grad: bool, name: str) -> None:
        one = self.pick(data)
        shape = one.value.shape
        other: Any
        value: Any
        jacobian: Any
        twin: Any
        other, value, jacobian, twin = 1.5, np.array(1.5), None, 1.5
        if name == "copy_":
            other, value, jacobian, twin = self.operand(data, shape)
            if not isinstance(other, Tensor):
                twin = torch.tensor(twin) if self.with_torch else None
        if name == "masked":
            mask = data.draw(arrays(shape, 0, 1), "mask") > 0
            index: Any = mask
            run: Any = methodcaller("masked_fill_", nngrad.tensor(mask), 1.5)
            run_twin: Any = methodcaller("masked_fill_", torch.tensor(mask), 1.5) if self.with_torch else None
        else:
            index = Ellipsis
            value = np.array(0.0) if name == "zero_" else value
            run = methodcaller(name) if name == "zero_" else methodcaller(name, other)
            run_twin = methodcaller(name) if name == "zero_" else methodcaller(name, twin)
        change = self.write(one, index, value, jacobian)
        self.in_place(one, run, run_twin, change, jacobian is not None, no_grad)

    @rule(data=st.data(), alias=st.booleans())
    def set_data(self, data: Any, alias: bool) -> None:
        """`leaf.data = other`: another memory at the same place in the graph."""
        one = self.pick(data)
        if one.is_view or one.reads_only is not None or one.expanded:
            return
        if any(o is not one and one.group in (o.group, o.reads_only) for o in self.played):
            return  # PyTorch leaves the old views where they were
        self.trusts_torch = False
        shape = one.value.shape
        others = [o for o in self.played if o.value.shape == shape and not o.expanded]
        other = others[data.draw(st.integers(0, len(others) - 1))]
        if not alias:
            one.value = np.asarray(other.value * 0.5)
            one.tensor.data = other.tensor.detach() * 0.5
            if self.with_torch:
                one.twin.data = other.twin.detach() * 0.5
        else:
            one.value = other.value
            one.tensor.data = other.tensor
            if self.with_torch:
                one.twin.data = other.twin
        one.jacobian = laid_out_as(one.value, one.jacobian)

    @rule(data=st.data())
    def read(self, data: Any) -> None:
        one = self.pick(data)
        self.compare(one)
        array = one.tensor.detach().numpy()
        assert not array.flags.writeable
        self.snapshots.append((array, array.copy()))
        if one.value.size == 1:
            assert one.tensor.item() == pytest.approx(one.value.item(), rel=1e-9, abs=1e-9)

    @precondition(lambda self: any(one.group.tracked and one.reads_only is None for one in self.played))
    @rule(data=st.data(), retain=st.booleans())
    def backward(self, data: Any, retain: bool) -> None:
        one = self.pick(data, lambda one: one.group.tracked and one.reads_only is None)
        self.differentiate(one, data.draw(arrays(one.value.shape, -2, 2), "cotangent"), retain)

    @rule(data=st.data(), steps=st.lists(st.sampled_from(STORY), min_size=3, max_size=6))
    def story(self, data: Any, steps: list[str]) -> None:
        """A tensor inside a graph is used, written to and used again; then all of that is differentiated."""
        root = self.pick(data, lambda one: one.group.leaf is not None and one.reads_only is None)
        twin = root.twin * 2 if self.with_torch else None
        self.focus = None
        self.result(root.tensor * 2, root.value * 2, root.jacobian * 2, root.group.tracked, twin)
        self.focus, self.in_story = self.played[-1], True
        for step in steps:
            if step == "view":
                self.view(data=data, kind="getitem")
            elif step in ("assign", "update_at"):
                self.put(data, step)
            elif step == "read":
                self.read(data=data)
            else:
                self.unary(data=data, name=step)
        self.in_story = False
        for one in self.played[-4:]:
            if one.group.tracked and one.reads_only is None:
                self.differentiate(one, np.ones(one.value.shape), True)

    def put(self, data: Any, step: str) -> None:
        if step == "assign":
            self.assign(data=data, no_grad=False)
        else:
            self.update_at(data=data, no_grad=False, times=data.draw(st.booleans(), "times"))

    def differentiate(self, one: Played, cotangent: Any, retain: bool) -> None:
        before = [
            leaf.tensor.grad.numpy().copy() if leaf.tensor.grad is not None else None for leaf in self.leaves
        ]
        refusal = outcome(lambda: one.tensor.backward(nngrad.tensor(cotangent), retain_graph=retain))
        if refusal is not None:
            assert self.freed, refusal
            assert "second time" in refusal or "freed" in refusal
            for leaf, grad in zip(self.leaves, before):
                now = leaf.tensor.grad
                assert (now is None) == (grad is None)
                if now is not None and grad is not None:
                    assert np.array_equal(now.numpy(), grad)
            return
        self.freed = self.freed or not retain
        for leaf in self.leaves:
            flow = np.tensordot(cotangent, one.jacobian, cotangent.ndim)[leaf.group.leaf]
            leaf.grad = flow if leaf.grad is None else leaf.grad + flow
            got = np.zeros(leaf.tensor.shape) if leaf.tensor.grad is None else leaf.tensor.grad.numpy()
            close(got.reshape(-1), leaf.grad)
        if self.with_torch and self.trusts_torch:
            self.compare_with_torch(one, cotangent, before)

    def compare_with_torch(self, one: Played, cotangent: Any, before: list[Any]) -> None:
        leaves = [leaf for leaf in self.leaves if leaf.twin is not None]
        found: list[Any] = []
        refusal = outcome(
            lambda: found.extend(
                torch.autograd.grad(
                    one.twin,
                    [leaf.twin for leaf in leaves],
                    torch.tensor(cotangent),
                    retain_graph=True,
                    allow_unused=True,
                )
            )
        )
        if refusal is not None:
            assert SAVED_VALUE_GONE in refusal
            return
        for leaf, g, was in zip(leaves, found, before):
            now = leaf.tensor.grad
            mine = (0 if now is None else now.numpy()) - (0 if was is None else was)
            close(np.broadcast_to(mine, leaf.tensor.shape), 0 * leaf.value if g is None else g.numpy())

    # ------------------------------------------------------------ checks

    def compare(self, one: Played) -> None:
        close(one.tensor.node._value, one.value)
        assert one.tensor.requires_grad == one.group.tracked
        if one.twin is not None:
            close(one.value, one.twin.detach().numpy())
            if one.reads_only is None:
                assert one.twin.requires_grad == one.tensor.requires_grad

    @invariant()
    def in_step(self) -> None:
        if getattr(self, "eager", False):
            for one in self.played:
                self.compare(one)
        for array, copy in self.snapshots:
            assert np.array_equal(array, copy)

    def teardown(self) -> None:
        for one in self.played:
            self.compare(one)


class AssignmentLikeTorch(Assignment):
    with_torch = True


RUNS = settings(
    derandomize=True,
    deadline=None,
    max_examples=int(os.environ.get("ASSIGNMENT_EXAMPLES", "120")),
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_assignment_against_forward_mode_over_shared_memory() -> None:
    """Any program of reads, writes, views and backward passes gives the pure reference's values."""
    run_state_machine_as_test(Assignment, settings=RUNS)


@pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed")
def test_assignment_against_pytorch() -> None:
    """The same programs in PyTorch: values, requires_grad, refusals, gradients where it gives any."""
    run_state_machine_as_test(AssignmentLikeTorch, settings=RUNS)

"""Optimisers that run one of the core's kernels over packed parameters.

A group's parameters that have gradients are packed: each large one alone, the small ones together.
Parameters and state are updated in place where nobody else sees them, else in an array of their own
(see pack.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import is_, itemgetter
from typing import Any, ClassVar, Final, TypeVar, overload

import numpy as np

from ..functional.dtypes import Array
from ..functional.node import Node, seal
from ..functional.optim.formula import BLOCK, Count, Formula, Scratch, run, scratch_for
from ..functional.optim.pure import filled
from ..lifting import wrap
from ..tensor import Tensor, node_from
from .optimizer import Optimizer, ParamGroup, Params, call_closure
from .pack import Pack

R = TypeVar("R")
#: a parameter of at least this many elements has a bucket of its own
LARGE: Final = BLOCK // 2


class Bucket:
    """Some parameters of one dtype, packed, with their packed state."""

    def __init__(self, op: str, params: list[Tensor], state: dict[Tensor, dict[str, Any]], how: Plan) -> None:
        values = [p.node._value for p in params]
        shapes = [v.shape for v in values]
        dtype = values[0].dtype
        formula, hyper = how.formula, how.hyper
        self.op = op
        self.formula = formula
        self.params: Pack = Pack(params, shapes, dtype)
        self.held: list[dict[str, Any]] = [state.setdefault(p, {}) for p in params] if how.kinds else []
        for kind in how.kinds:
            for held, shape in zip(self.held, shapes):
                if held.get(kind) is not None and held[kind].shape != shape:
                    raise RuntimeError(
                        f"{op}: the state's {kind} has shape {tuple(held[kind].shape)}, its parameter {shape}"
                    )
        first = {"step": 0, **dict(zip(formula.numbers, formula.start(hyper)))}
        self.names: tuple[str, ...] = tuple(first) if formula.steps else formula.numbers
        for name in self.names:
            for held in self.held:
                if not isinstance(held.setdefault(name, first[name]), Tensor):
                    held[name] = wrap(node_from(np.array(held[name], np.float32)))
        self.counters: list[Tensor] = [held[name] for name in self.names for held in self.held]
        self.counted: list[Node | None] = [None] * len(self.counters)
        # PyTorch's SGD counts nothing: a buffer is there from the second step on
        self.counts: list[Count] = [(int(held.get(how.kinds[0]) is not None),) for held in self.held]
        self.counts = self.counts or [(1,)] * len(params)
        self.packs: list[Pack] = []
        for kind in how.kinds:
            for held, value in zip(self.held, values):
                if held.get(kind) is None:
                    held[kind] = wrap(node_from(filled(value, formula.fill(hyper, kind))))
            pack = Pack([held[kind] for held in self.held], shapes, dtype)
            pack.bind(np.array(pack.read()))
            self.packs.append(pack)
        self.kinds: tuple[str, ...] = how.kinds
        self.gradients: Array | None = None
        self.scratch: Scratch | None = None

    def is_current(self, state: dict[Tensor, dict[str, Any]]) -> bool:
        """Whether parameters and state are still the objects that were packed."""
        held = self.held
        if held and not all(map(is_, map(state.get, self.params.tensors), held)):
            return False
        for kind, pack in zip(self.kinds, self.packs):
            if not all(map(is_, [h.get(kind) for h in held], pack.tensors)):
                return False
        if self.counters and not all(
            map(is_, [h.get(name) for name in self.names for h in held], self.counters)
        ):
            return False
        return self.params.fits() and all(pack.fits() for pack in self.packs)

    def gather(self) -> tuple[Array, list[bool] | None] | None:
        """The gradients in one flat array, and which parameters have one (None for all of them).

        None if no parameter has one.
        """
        values: list[Array] = []
        missing: list[int] = []
        for tensor, shape in zip(self.params.tensors, self.params.shapes):
            grad = tensor._grad
            if grad is None:
                missing.append(len(values))
                values.append(np.zeros(shape, self.params.dtype))
                continue
            value = (grad._node if grad._view is None else grad.node)._value
            if value.shape != shape:
                raise RuntimeError(f"{self.op}: a gradient has shape {value.shape}, its parameter {shape}")
            values.append(value)
        if len(missing) == len(values):
            return None
        if self.gradients is None and len(values) > 1:
            self.gradients = np.empty(self.params.size, self.params.dtype)
        active = [i not in missing for i in range(len(values))] if missing else None
        return self.params.gather(values, self.gradients), active

    def read_counts(self) -> None:
        """Look at the counts again if somebody else has set them."""
        if not all(map(is_, [counter._node for counter in self.counters], self.counted)):
            self.counted = [counter.node for counter in self.counters]
            values = [counter.node._value.item() for counter in self.counters]
            n = len(self.held)
            steps = [int(step) for step in values[:n]]
            self.counts = list(zip(steps, *[values[i : i + n] for i in range(n, len(values), n)]))

    def update(self, g: Array, active: list[bool] | None, hyper: object) -> None:
        """Give the parameters that have gradients their new values."""
        if self.counters:
            self.read_counts()
        new_p = self.params.own()  # before `p` and `state` refer to the same arrays
        new_state = [pack.own() for pack in self.packs]
        p = self.params.read()
        state = [pack.read() for pack in self.packs]
        scratch = self.scratch
        if scratch is None:
            scratch = self.scratch = scratch_for(p)
        kernel, counts = self.formula.kernel, self.counts
        if active is None and counts.count(counts[0]) == len(counts):
            run(kernel, p, g, state, new_p, new_state, scratch, hyper, counts[0])
        else:
            for at, is_active, count in self._runs(active or [True] * len(counts)):
                news = [x[at] for x in new_state]
                if is_active:
                    run(kernel, p[at], g[at], [x[at] for x in state], new_p[at], news, scratch, hyper, count)
                else:
                    for old, new in zip([p, *state], [new_p[at], *news]):
                        np.copyto(new, old[at])
        del p, state
        self.params.bind(new_p)
        for pack, flat in zip(self.packs, new_state):
            pack.bind(flat)
        if self.packs:
            self._bind_counts(active, hyper)

    def _runs(self, active: list[bool]) -> Iterator[tuple[slice, bool, Count]]:
        """The longest stretches of parameters that take the same step, or none."""
        places = zip(active, self.counts, self.params.at)
        for (is_active, count), places_ in groupby(places, key=lambda place: place[:2]):
            ats = [at for _, _, at in places_]
            yield slice(ats[0].start, ats[-1].stop), is_active, count

    def _bind_counts(self, active: list[bool] | None, hyper: object) -> None:
        counts = self.counts
        after = {count: self.formula.advance(hyper, count) for count in set(counts)}
        if active is None:
            self.counts = counts = [after[count] for count in counts]
        else:
            self.counts = counts = [after[c] if is_active else c for c, is_active in zip(counts, active)]
        if self.counters:
            values = [count[i] for i in range(len(self.names)) for count in counts]
            nodes = {value: seal(np.array(value, np.float32)) for value in set(values)}
            self.counted = [nodes[value] for value in values]
            for counter, value in zip(self.counters, values):
                counter._view, counter._node = None, nodes[value]


class Plan:
    """How the parameters of a group are packed."""

    def __init__(
        self,
        op: str,
        params: list[Tensor],
        state: dict[Tensor, dict[str, Any]],
        formula: Formula,
        values: tuple[Any, ...],
        hyper: object,
    ) -> None:
        self.params = params
        self.formula = formula
        self.note(values, hyper)
        self.kinds: tuple[str, ...] = formula.buffers(hyper)
        self.buckets: list[Bucket] = [Bucket(op, part, state, self) for part in _packed(params)]

    def note(self, values: tuple[Any, ...], hyper: object) -> None:
        """Remember the numbers, to compute them anew only when the group's options have changed."""
        self.values: tuple[Any, ...] | None = values
        if any(isinstance(value, Tensor) for value in values):
            self.values = None  # which may change and still be the same
        self.hyper: object = hyper


def _packed(params: list[Tensor]) -> Iterable[list[Tensor]]:
    """Each large parameter alone; the small ones of a dtype together, up to a block."""
    room: dict[object, int] = {}
    parts: list[list[Tensor]] = []
    open_part: dict[object, list[Tensor]] = {}
    for p in params:
        node = p.node
        size = node.size
        if size >= LARGE:
            parts.append([p])
            continue
        if room.get(node.dtype, 0) < size or node.dtype not in open_part:
            open_part[node.dtype] = []
            parts.append(open_part[node.dtype])
            room[node.dtype] = BLOCK
        open_part[node.dtype].append(p)
        room[node.dtype] -= size
    return parts


class FlatOptimizer(Optimizer):
    """Base of the optimisers whose formula is a kernel of `nngrad.functional.optim`."""

    _formula: ClassVar[Formula]
    _options: ClassVar[itemgetter[tuple[Any, ...]]]
    _plans: dict[int, Plan]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._options = itemgetter(*cls._formula.hyper._fields)

    def __init__(self, params: Params, **options: Any) -> None:
        self._formula.check(self._hyper(self._options(options)))
        super().__init__(params, options)
        name = type(self).__name__
        if options.get("differentiable"):
            raise NotImplementedError(f"{name}: a step is not differentiable; leave out differentiable=True")
        if options.get("fused") and options.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def _hyper(self, values: tuple[Any, ...]) -> Any:
        """The numbers that a group's updates depend on."""
        return self._formula.hyper(*map(number, values))

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], R]) -> R: ...
    def step(self, closure: Callable[[], R] | None = None) -> R | None:
        """Update the parameters from their gradients; those without one stay as they are.

        closure: called first, with gradients enabled, to compute them; what it returns is returned.
        """
        loss = call_closure(closure)
        work: list[tuple[Bucket, Array, list[bool] | None, Any]] = []
        for i, group in enumerate(self.param_groups):
            plan = self._planned(i, group)
            for bucket in plan.buckets:
                gathered = bucket.gather()
                if gathered is not None:
                    work.append((bucket, *gathered, plan.hyper))
        for bucket, g, active, hyper in work:
            bucket.update(g, active, hyper)
        return loss

    def _planned(self, i: int, group: ParamGroup) -> Plan:
        """The plan that fits the parameters which have gradients now."""
        plans: dict[int, Plan] = self.__dict__.setdefault("_plans", {})
        active: list[Tensor] = [p for p in group["params"] if p._grad is not None]
        plan = plans.get(i)
        state = self.state
        values = self._options(group)
        if plan is None or plan.values != values:
            hyper = self._hyper(values)
            if plan is not None and plan.kinds == self._formula.buffers(hyper):
                plan.note(values, hyper)
            else:
                plan = None
        else:
            hyper = plan.hyper
        if plan is not None and all(bucket.is_current(state) for bucket in plan.buckets):
            if len(active) == len(plan.params) and all(map(is_, active, plan.params)):
                return plan
            known = set(plan.params)
            if known.issuperset(active) and known.issubset(group["params"]):
                return plan
            known.update(active)
            active = [p for p in group["params"] if p in known]
        for p in active:
            if p.node.dtype.kind not in "fc":
                raise TypeError(f"{type(self).__name__}: cannot optimise a parameter of dtype {p.dtype}")
        plans[i] = plan = Plan(type(self).__name__, active, state, self._formula, values, hyper)
        return plan

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.pop("_plans", None)
        super().__setstate__(state)


def number(value: Any) -> Any:
    """A hyper-parameter as Python's; PyTorch allows tensors of one element for numbers."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(value.shape)}")
        return float(value.reshape(()))
    return value

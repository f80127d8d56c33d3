"""Function: an operation of the program's own, with its derivative, as PyTorch has it.

Built on the core's custom nodes: what `forward` gives becomes one node with a `Derivative` that calls
`backward` and `jvp`. Several outputs are packed into that node and taken out of it by parts that bear
its name. Inputs are values that nobody changes, so what is saved is right whatever happens later.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial, wraps
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..functional.batch import Batch, Level, levels, levels_of
from ..functional.custom import Derivative, custom_nodes, custom_op, packed, part_op, unpacked
from ..functional.node import Node, grad_mode, is_held, seal
from ..functional.op import cast
from ..functional.order import movedim
from ..lifting import wrap
from ..tensor import Tensor, TensorData
from .modes import no_grad


class FunctionCtx:
    """What a Function's `forward` leaves for its `backward`; any attribute may be set on it."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._to_save: Sequence[Tensor | None] = ()
        self._to_push: Sequence[Tensor | None] | None = None
        self._saved: Sequence[_Saved] = ()
        self._saved_to_push: Sequence[_Saved] | None = None
        self._dirty: tuple[Tensor, ...] = ()
        self._constant: tuple[Tensor, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs, outputs and other tensors for `saved_tensors`. Raises TypeError for anything else."""
        self._to_save = _only_tensors("save_for_backward", tensors)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `saved_tensors` in `jvp`; without it, they are those of `save_for_backward`."""
        self._to_push = _only_tensors("save_for_forward", tensors)

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which inputs `forward` changed in place; it must return each of them."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which outputs have no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (True, as at first) or None for outputs that nothing depends on."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was given to `save_for_backward`, each with its place in the graph."""
        return tuple([None if s is None else s.tensor() for s in self._saved])


def _only_tensors(where: str, tensors: tuple[Any, ...]) -> tuple[Tensor | None, ...]:
    for i, t in enumerate(tensors):
        if t is not None and not isinstance(t, Tensor):
            raise TypeError(
                f"{where} can only save variables, but argument {i} is of type {type(t).__name__}"
            )
    return tensors


class _Value:
    """A saved value: an input's node, or a constant."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node: Node = node

    def tensor(self) -> Tensor:
        """The tensor itself if it is a leaf that still has this value, else one on the same node."""
        node = self.node
        owner = node.params[0] if node.tracked and node.op is None and node.params else None
        tensor = owner() if owner is not None else None
        return tensor if tensor is not None and tensor._node is node else wrap(node)


class _Output:
    """A saved output: its value, and its place in the graph as long as there is one."""

    __slots__ = ("derivative", "i", "node")

    def __init__(self, derivative: _Rule, i: int) -> None:
        self.derivative: weakref.ref[_Rule] = weakref.ref(derivative)
        self.i: int = i
        self.node: Node = derivative.live[i]

    def tensor(self) -> Tensor:
        """The output as it was computed."""
        derivative = self.derivative()
        made = None if derivative is None else derivative.made()
        if derivative is None or made is None or not is_held(made):
            return wrap(self.node)
        mode = grad_mode.set(True)
        try:
            return wrap(unpacked(made, derivative.live)[self.i])
        finally:
            grad_mode.reset(mode)


_Saved = _Value | _Output | None


class Function:
    """An operation with a derivative of its own. Subclasses define static methods; call `apply`.

    forward(ctx, *args): the value, by any means, NumPy's too: a tensor or a tuple of them. Or
    forward(*args) and setup_context(ctx, inputs, output), which saves what is needed.
    backward(ctx, *gradients): one gradient (or None) for each argument. Its own operations are
    recorded where the derivative is differentiated again.
    jvp(ctx, *tangents): the tangents of the outputs; without it they are found from `backward`.
    vmap(info, in_dims, *args): the outputs for a batch, and their dimensions; without it `forward`
    runs on the batch itself.

    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x * x
    >>> x = nngrad.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y.backward()
    >>> y.grad_fn.name(), x.grad
    ('CubeBackward', tensor(12.))
    """

    # (the static methods have the one signature that type checkers let a subclass replace by any)
    generate_vmap_rule = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise RuntimeError(
            f"{type(self).__name__}: an autograd.Function is not instantiated: its methods are static, "
            f"call {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The value; see the class."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(*args: Any, **kwargs: Any) -> Any:
        """setup_context(ctx, inputs, output): save what `backward` needs, of a `forward` without ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """The gradients of the arguments; see the class."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use "
            "it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(*args: Any, **kwargs: Any) -> Any:
        """The tangents of the outputs; see the class."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(*args: Any, **kwargs: Any) -> Any:
        """The outputs for a batch, and their dimensions; see the class."""
        raise NotImplementedError("vmap is not implemented.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and record the function if an argument requires grad.

        Raises RuntimeError for a leaf that `forward` changed in place, and, when the gradient is
        taken, for a number or a shape of gradients that does not fit the arguments.
        """
        separate = cls.setup_context is not Function.setup_context
        if separate or kwargs:
            import inspect

            bound = inspect.signature(cls.forward).bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        if cls.vmap is not Function.vmap and levels.get():
            found = [
                a.node._value.level for a in args if isinstance(a, Tensor) and type(a.node._value) is Batch
            ]
            if found:
                return _batched(cls, max(found, key=lambda level: level.number), args)
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple([isinstance(a, Tensor) and a.requires_grad for a in args])
        nodes = [a.node if isinstance(a, Tensor) else None for a in args]
        mode = grad_mode.set(False)
        try:
            if separate:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args)
        finally:
            grad_mode.reset(mode)
        several = isinstance(result, tuple)
        outputs = list(result) if several else [result]
        made = _recorded(cls, ctx, args, nodes, outputs)
        return tuple(made) if several else made[0]


def _recorded(
    cls: type[Function], ctx: FunctionCtx, args: Sequence[Any], nodes: list[Node | None], outputs: list[Any]
) -> list[Any]:
    """The outputs as functions of the arguments."""
    name = f"{cls.__name__}Backward"
    dirty = {id(t) for t in ctx._dirty}
    if not dirty <= {id(t) for t in outputs}:
        raise RuntimeError(
            f"{name}: Some elements marked as dirty during the forward method were not returned as output. "
            "The inputs that are modified inplace must all be outputs of the Function."
        )
    given = {id(a): n for a, n in zip(args, nodes) if n is not None and id(a) not in dirty}
    constant = {id(t) for t in ctx._constant}
    differentiable = [
        isinstance(t, Tensor) and id(t) not in constant and t.node.dtype.kind in "fc" for t in outputs
    ]
    inputs = [n for n in nodes if n is not None]
    if not (grad_mode.get() and any(differentiable) and any(n.tracked for n in inputs)):
        return [
            t if id(t) in dirty or not isinstance(t, Tensor) else wrap(seal(t.node._value)) for t in outputs
        ]
    for t in ctx._dirty:
        t.check_writable(name)
    rule = _Rule(cls, ctx, nodes, outputs, differentiable)
    places = {id(t): i for i, t in enumerate([t for t, live in zip(outputs, differentiable) if live])}
    _keep(ctx, given, places, rule)
    flat = packed(rule.live)
    whole = seal(flat._value, custom_op, tuple(inputs), (rule,), True)
    rule.made = weakref.ref(whole)
    parts = unpacked(whole, rule.live)
    if len(parts) > 1:
        parts = [part_op.call(part, partial(rule.reach, i)) for i, part in enumerate(parts)]
    made: list[Any] = []
    for t, live in zip(outputs, differentiable):
        if live:
            part = parts[places[id(t)]]
            if id(t) in dirty:
                t.rebind(part)
            made.append(t if id(t) in dirty else wrap(part))
        else:
            made.append(wrap(seal(t.node._value)) if isinstance(t, Tensor) and id(t) not in dirty else t)
    return made


def _keep(ctx: FunctionCtx, given: dict[int, Node], places: dict[int, int], rule: _Rule | None) -> None:
    """Turn the tensors to save into values: a tensor may change, and an output's own would be a cycle."""

    def value(t: Tensor | None) -> _Saved:
        if t is None:
            return None
        if id(t) in given:
            return _Value(given[id(t)])
        return _Output(rule, places[id(t)]) if rule is not None and id(t) in places else _Value(t.node)

    ctx._saved = [value(t) for t in ctx._to_save]
    ctx._saved_to_push = None if ctx._to_push is None else [value(t) for t in ctx._to_push]
    ctx._to_save, ctx._to_push, ctx._dirty, ctx._constant = (), None, (), ()


class _Rule:
    """The derivative of one call of a Function: what its node knows; see `Derivative`."""

    __slots__ = ("__weakref__", "cls", "ctx", "given", "live", "made", "name", "outputs", "reached")

    def __init__(
        self,
        cls: type[Function],
        ctx: FunctionCtx,
        nodes: list[Node | None],
        outputs: Sequence[Any],
        differentiable: Sequence[bool],
    ) -> None:
        self.name: str = f"{cls.__name__}Backward"
        self.cls: type[Function] = cls
        self.ctx: FunctionCtx = ctx
        #: for each argument the shape and dtype of its tensor
        self.given: list[Any] = [None if n is None else (n.shape, n.dtype) for n in nodes]
        self.live: list[Node] = [seal(t.node._value) for t, live in zip(outputs, differentiable) if live]
        #: for each output its number among the differentiable ones, or shape and dtype, None for no tensor
        numbers = iter(range(len(self.live)))
        self.outputs: list[Any] = [
            next(numbers) if live else (t.node.shape, t.node.dtype) if isinstance(t, Tensor) else None
            for t, live in zip(outputs, differentiable)
        ]
        #: which outputs the backward pass that is under way came by
        self.reached: set[int] = set()
        self.made: Callable[[], Node | None] = lambda: None

    def reach(self, i: int, g: Any) -> Any:
        """Note that output i has a cotangent, which is given back."""
        self.reached.add(i)
        return g

    def pull(self, g: Node, inputs: list[Node], record: bool) -> list[Node | None]:
        """One cotangent or None for each tensor among the arguments."""
        reached, self.reached = self.reached, set()
        parts = unpacked(g, self.live)
        full = self.ctx._materialize
        cotangents: list[Tensor | None] = []
        for out in self.outputs:
            if isinstance(out, int):
                # in forward mode the rule is asked for the whole, and no part was come by
                cotangents.append(wrap(parts[out]) if full or not reached or out in reached else None)
            else:
                cotangents.append(wrap(seal(np.zeros(*out))) if full and out is not None else None)
        cls = self.cls
        sent: Any = (cls.vjp if cls.backward is Function.backward else cls.backward)(self.ctx, *cotangents)
        sent = list(sent) if isinstance(sent, (tuple, list)) else [sent]
        count = len(self.given)
        if len(sent) < count or any(s is not None for s in sent[count:]):
            raise RuntimeError(
                f"function {self.name} returned an incorrect number of gradients (expected {count}, "
                f"got {len(sent)})"
            )
        return [
            self._checked(i, s, *there) for i, (s, there) in enumerate(zip(sent, self._places(sent))) if there
        ]

    def _places(self, sent: Sequence[Any]) -> list[Any]:
        """Shape and dtype for each argument. Raises RuntimeError for a gradient of what is no tensor."""
        for i, (s, there) in enumerate(zip(sent, self.given)):
            if there is None and s is not None:
                raise RuntimeError(
                    f"function {self.name} returned a gradient different from None at position {i}, but "
                    "the corresponding forward input was not a Tensor"
                )
        return self.given

    def _checked(self, i: int, g: Any, shape: tuple[int, ...], dtype: Any) -> Node | None:
        if g is None:
            return None
        if not isinstance(g, Tensor):
            raise RuntimeError(
                f"function {self.name} must return a Tensor or None as gradient {i}, not {type(g).__name__}"
            )
        if dtype.kind not in "fc":
            return None
        node = g.node
        if node.shape != shape and not _expands(shape, node.shape):
            raise RuntimeError(
                f"Function {self.name} returned an invalid gradient at index {i} - got {list(node.shape)} "
                f"but expected shape compatible with {list(shape)}"
            )
        if node.dtype.kind == "c" and dtype.kind == "f":
            raise RuntimeError(f"Function {self.name} returned a complex gradient at index {i} for {dtype}")
        return cast(node, dtype)

    @property
    def push(self) -> Callable[[list[Node], list[Node]], Node] | None:
        """The tangent of the packed outputs, by the class's own jvp; None if it has none."""
        return None if self.cls.jvp is Function.jvp else self._push

    def _push(self, tangents: list[Node], inputs: list[Node]) -> Node:
        found = iter(tangents)
        given = [None if there is None else wrap(next(found)) for there in self.given]
        given = [t if t is not None and t.node.dtype.kind in "fc" else None for t in given]
        ctx = copy(self.ctx)
        if ctx._saved_to_push is not None:
            ctx._saved = ctx._saved_to_push
        sent: Any = self.cls.jvp(ctx, *given)
        sent = list(sent) if isinstance(sent, (tuple, list)) else [sent]
        if len(sent) != len(self.outputs):
            raise RuntimeError(
                f"{self.cls.__name__}.jvp returned {len(sent)} tangents, expected one for each of the "
                f"{len(self.outputs)} outputs"
            )
        nodes: list[Node] = []
        for t, i in zip(sent, self.outputs):
            if isinstance(i, int):
                like = self.live[i]
                node = seal(np.zeros(like.shape, like.dtype)) if t is None else cast(t.node, like.dtype)
                if node.shape != like.shape:
                    raise RuntimeError(
                        f"{self.cls.__name__}.jvp: the tangent of output {i} has shape {list(node.shape)}, "
                        f"but the output has {list(like.shape)}"
                    )
                nodes.append(node)
        return packed(nodes)


def _expands(shape: tuple[int, ...], wider: tuple[int, ...]) -> bool:
    """Whether the shape broadcasts to the wider one."""
    return len(shape) <= len(wider) and all(n in (1, m) for n, m in zip(reversed(shape), reversed(wider)))


# ---------------------------------------------------------------- a rule of its own for batches


class VmapInfo(NamedTuple):
    """What a Function's own `vmap` is told beside the dimensions."""

    batch_size: int
    randomness: str


def _batched(cls: type[Function], level: Level, args: Sequence[Any]) -> Any:
    """Call the Function's own vmap, outside of that run of vmap, and go back in with what it gives."""
    from ..functional.batching import enter_op, leave_op

    inside = [isinstance(a, Tensor) and level in levels_of(a.node._value) for a in args]
    outer = [wrap(leave_op.call(a.node, level)) if b else a for a, b in zip(args, inside)]
    token = levels.set(tuple([other for other in levels.get() if other is not level]))
    try:
        info = VmapInfo(level.size, level.randomness)
        result, out_dims = cls.vmap(info, tuple([0 if b else None for b in inside]), *outer)
    finally:
        levels.reset(token)
    several = isinstance(result, tuple)
    results = list(result) if several else [result]
    dims = list(out_dims) if isinstance(out_dims, (tuple, list)) else [out_dims] * len(results)
    if len(dims) != len(results):
        raise ValueError(
            f"{cls.__name__}.vmap returned {len(results)} outputs, but out_dims has {len(dims)} entries"
        )
    made = [
        t if d is None or not isinstance(t, Tensor) else wrap(enter_op.call(movedim(t.node, d, 0), level))
        for t, d in zip(results, dims)
    ]
    return tuple(made) if several else made[0]


# ---------------------------------------------------------------- beside it


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """A `backward` whose own operations have no derivative: taking one raises RuntimeError."""

    @wraps(backward)
    def once(ctx: Any, *cotangents: Any) -> Any:
        with no_grad():
            sent = backward(ctx, *cotangents)
        tracked = [t.node for t in cotangents if isinstance(t, Tensor) and t.requires_grad]
        if not grad_mode.get() or not tracked:
            return sent
        several = isinstance(sent, tuple)
        found = list(sent) if several else [sent]
        live = [t.node for t in found if isinstance(t, Tensor)]
        made = iter(custom_nodes(tracked, live, Derivative(_refuse)))
        result = [wrap(next(made)) if isinstance(t, Tensor) else t for t in found]
        return tuple(result) if several else result[0]

    return once


def _refuse(*_: object) -> NoReturn:
    raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


class _IsTensor(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, Tensor)


class Variable(metaclass=_IsTensor):
    """What old programs call a tensor: `Variable(data)` is that tensor, or one made of the data."""

    def __new__(cls, data: TensorData = (), requires_grad: bool = False) -> Any:
        tensor = data.detach() if isinstance(data, Tensor) else Tensor(data)
        return tensor.requires_grad_() if requires_grad else tensor

"""Ops: a forward over plain arrays, and its derivative, declared once.

An op has one of four kinds, and the kind says how the one derivative serves both modes:

- *pointwise*: `rules[i](g, out, *inputs)` multiplies g by the partial derivative in input i, which
  carries a cotangent back and a tangent forward alike;
- *linear*: `rules[i]` is the transpose; a tangent goes through the op itself. Its rules may use
  the shapes of the inputs, never their values;
- *bilinear*: linear in each differentiable input; a tangent goes through the op input by input;
- *general*: its own vjp; forward mode transposes it.

Rules are plain NumPy. Given arrays they run at NumPy's speed; given nodes, NumPy's dispatch
records them, which is how derivatives of every order come about. A rule whose second parameter
is named `_` does not read the op's output, so an in-place operation may take the output's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .batch import ANSWERS, Batch, NeedsBatching, check_alive, replaying
from .dtypes import DType, Number, get_default_dtype, result_type
from .node import ANCHOR_EVERY, Anchored, Draft, Node, Operand, as_node, grad_mode, seal

Kind: TypeAlias = Literal["pointwise", "linear", "bilinear", "general"]
Rule: TypeAlias = Callable[..., Any]

#: every op by name, for the tests and the documentation
OPS: Final[dict[str, Op]] = {}

_new = object.__new__
_recording = grad_mode.get
ndarray = np.ndarray

#: what nodes hold
_VALUES: Final[tuple[type[Any], ...]] = (ndarray, Batch)


class Op:
    """One operation. Call it with nodes to get a node, in a rule also with arrays to get arrays.

    name: its name in errors, graphs and the tests' table.
    forward: arrays and static parameters to an array (with `saves`, to a pair: array, saved).
    rules: one derivative per input, `rule(g, out, *inputs, *params)`; inputs beyond them have none.
    vjp: instead of rules, `vjp(g, out, inputs, params, saved, needs)` to one cotangent (or None)
        per input. `saved` is a cache: None when derivatives of derivatives are being recorded.
    """

    __slots__ = (
        "call",
        "forward",
        "freed",
        "jvp",
        "keeps_shape",
        "kind",
        "name",
        "rules",
        "saves",
        "uses_out",
        "vjp",
    )

    def __init__(
        self,
        name: str,
        kind: Kind,
        forward: Callable[..., Any],
        rules: Sequence[Rule] = (),
        vjp: Rule | None = None,
        uses_out: bool | None = None,
        saves: bool = False,
    ) -> None:
        self.name: str = name
        self.kind: Kind = kind
        self.forward: Callable[..., Any] = forward
        self.rules: tuple[Any, ...] = tuple(rules)
        self.vjp: Rule | None = vjp
        if uses_out is None:
            uses_out = vjp is not None or any(r.__code__.co_varnames[1] != "_" for r in self.rules)
        self.uses_out: bool = uses_out
        self.saves: bool = saves
        #: for a general op that has one: jvp(tangents, out, inputs, params) in place of its transposed vjp
        self.jvp: Rule | None = None
        #: whether input and output always have one shape: then nothing was broadcast
        self.keeps_shape: bool = False
        #: what `backward` leaves in place of an op whose operands it has freed
        self.freed: Op | None = None
        self.call: Callable[..., Node] = _any_arity(self)

    def __call__(self, *args: Any) -> Any:
        """The op on arrays if no argument is a node: what rules call for what NumPy cannot name."""
        for arg in args:
            if type(arg) is Node:
                return self.call(*[as_node(a) if isinstance(a, _VALUES) else a for a in args])
        try:
            result = self.forward(*args)
        except (ValueError, IndexError, TypeError) as error:
            n = sum([isinstance(a, (ndarray, Batch)) for a in args])
            return batched(self, error, args[:n], args[n:], within=True)
        return result[0] if self.saves else result

    def __repr__(self) -> str:
        return f"<Op {self.name}>"


def _declare(op: Op, frees: bool) -> Op:
    OPS[op.name] = op
    if frees:
        op.freed = Op(op.name, op.kind, op.forward, (), _gone, uses_out=False)
        op.freed.freed = op.freed
    return op


def no_gradient(g: Any, _: Any, *inputs: Any) -> None:
    """The rule of an input that no gradient reaches."""


def _gone(*_: Any) -> Any:
    raise RuntimeError(
        "Trying to backward through the graph a second time: its saved values were freed by the "
        "first backward. Use backward(retain_graph=True) the first time."
    )


# ---------------------------------------------------------------- errors


def forward_error(op: str, error: Exception, values: Sequence[Any]) -> Exception:
    """What the user is told when NumPy refuses the operands of `op`."""
    shapes = [getattr(v, "shape", ()) for v in values]
    told = " and ".join(str(s) for s in shapes)
    if isinstance(error, IndexError):
        return IndexError(f"{op}: {error} (shape {shapes[0]})")
    if "broadcast" in str(error) and len(shapes) >= 2:
        width = max(len(s) for s in shapes)
        padded = [(1,) * (width - len(s)) + s for s in shapes]
        for dim in reversed(range(width)):  # as PyTorch looks for the one to report
            sizes = [s[dim] for s in padded if s[dim] != 1]
            if len(set(sizes)) > 1:
                return RuntimeError(
                    f"{op}: The size of tensor a ({padded[0][dim]}) must match the size of tensor b "
                    f"({next(s[dim] for s in padded[1:] if s[dim] not in (1, padded[0][dim]))}) at "
                    f"non-singleton dimension {dim} (shapes {told})"
                    if padded[0][dim] != 1
                    else f"{op}: shapes {told} do not broadcast at dimension {dim}"
                )
    if isinstance(error, TypeError):
        dtypes = " and ".join(str(getattr(v, "dtype", type(v).__name__)) for v in values)
        return RuntimeError(f"{op}: not implemented for {dtypes} ({error})")
    return RuntimeError(f"{op}: {error} (shapes {told})")


def batched(
    op: Op, error: Exception, values: Sequence[Any], params: tuple[Any, ...] = (), within: bool = False
) -> Any:
    """The op for all examples of a vmap, if that is why NumPy refused; else raises what it means.

    within: whether a rule calls, which may do so after the vmap has ended.
    """
    batches = [v for v in values if type(v) is Batch]
    if batches:
        if not within and not replaying.get():
            check_alive(op.name, batches)
        try:
            return ANSWERS["compute"](op, values, params)
        except (ValueError, IndexError) as wrong:  # of all examples, so of one
            raise forward_error(op.name, wrong, values) from wrong
    if isinstance(error, NeedsBatching):
        raise error
    raise forward_error(op.name, error, values) from error


# ---------------------------------------------------------------- operands to one dtype

_scalars: Final[dict[DType, dict[Number, Node]]] = {}


def scalar(value: Number, dtype: DType) -> Node:
    """A Python number as a constant of `dtype`; the recent ones are kept, since programs repeat."""
    if not value or value != value:  # -0.0 == 0.0, and NaN is no key
        return seal(_number(value, dtype))
    known = _scalars.get(dtype)
    if known is None:
        known = _scalars[dtype] = {}
    node = known.get(value)
    if node is None:
        if len(known) > 4096:
            known.clear()
        node = known[value] = seal(_number(value, dtype))
    return node


def _number(value: Number, dtype: DType) -> Any:
    """A Python number as an array. Negative ones wrap around where all are positive, as in PyTorch."""
    try:
        return np.array(value, dtype)
    except (OverflowError, ValueError):
        if dtype.kind == "u" and isinstance(value, int) and -np.iinfo(dtype.str).max <= value < 0:
            return np.array(value, np.int64).astype(dtype)
        raise RuntimeError(f"value cannot be converted to {dtype} without overflow: {value}") from None


_NUMPY_SCALARS: Final = (np.number, np.bool_)
_SCALARS: Final = (bool, int, float, complex, *_NUMPY_SCALARS)


def is_number(x: object) -> bool:
    """Whether `x` is a Python number, whose dtype is weak (NumPy's own scalars are not)."""
    return isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic)


def _plain(x: Any, beside: bool) -> Any:
    """A scalar of NumPy's as a Python number beside nodes, else as a node; anything else as it is."""
    return (x.item() if beside else as_node(x)) if isinstance(x, _NUMPY_SCALARS) else x


def promote(op: str, *operands: Operand, floats: bool = False, wraps: bool = True) -> tuple[Node, ...]:
    """The operands as nodes of one dtype, by PyTorch's rules.

    A scalar of NumPy's counts as a Python number beside a node or an array: it decides no dtype.
    floats: integers and bools meet in the default floating dtype, so that a large number beside uint8
    stays what it is. wraps: numbers out of the range of integers wrap around; otherwise they are refused.
    """
    nodes: list[Any] = [x if isinstance(x, _SCALARS) else as_node(x) for x in operands]
    for n in nodes:
        if isinstance(n, _NUMPY_SCALARS):
            beside = any(type(other) is Node for other in nodes)
            return promote(op, *[_plain(other, beside) for other in nodes], floats=floats, wraps=wraps)
    dtype = result_type(op, [(n._value.dtype, n._value.ndim) if type(n) is Node else n for n in nodes])
    if floats and dtype.kind not in "fc":
        dtype = get_default_dtype()
    number = _wrapped if wraps else scalar
    return tuple([cast(n, dtype) if type(n) is Node else number(n, dtype) for n in nodes])


def _wrapped(value: Number, dtype: DType) -> Node:
    """A Python number beside others of the dtype: integers that are out of its range wrap around."""
    try:
        return scalar(value, dtype)
    except RuntimeError:
        if not isinstance(value, int) or not -(2**63) <= value < 2**63:
            raise
        return seal(np.array(value, np.int64).astype(dtype))


def as_floating(x: Operand) -> Node:
    """`x` as a node; integers and bools become the default floating dtype."""
    x = as_node(x)
    return x if x._value.dtype.kind in "fc" else cast(x, get_default_dtype())


def floating(op: str, x: Operand) -> Node:
    """`x` as a node. Raises RuntimeError for other than floating-point values."""
    x = as_node(x)
    if x._value.dtype.kind != "f":
        raise RuntimeError(f"{op}: expected floating-point values, got {x.dtype}")
    return x


# ---------------------------------------------------------------- calling an op


def apply(op: Op, inputs: tuple[Node, ...], params: tuple[Any, ...] = ()) -> Node:
    """Run `op` on nodes and record the result if any of them is tracked."""
    values = (inputs[0]._value,) if len(inputs) == 1 else [x._value for x in inputs]
    try:
        value = op.forward(*values, *params)
        saved = None
        if op.saves:
            value, saved = value
    except (ValueError, IndexError, TypeError) as error:
        value, saved = batched(op, error, values, params), None
    if type(value) is not ndarray and isinstance(value, np.generic):
        value = np.asarray(value)
    for x in inputs:
        if x.tracked:
            if _recording():
                return seal(value, op, inputs, params, True, saved)
            break
    return seal(value)


def _any_arity(op: Op) -> Callable[..., Node]:
    """Nodes first, then the static parameters."""

    def call(*args: Any) -> Node:
        inputs = tuple([a for a in args if type(a) is Node])
        return apply(op, inputs, args[len(inputs) :])

    return call


def _unary(op: Op, forward: Callable[[Any], Any], floats: bool) -> Callable[..., Node]:
    """One input, no parameters: apply() spelled out, as these are most of the calls."""

    def call(x: Any) -> Node:
        if type(x) is not Node:
            x = as_node(x)
        v = x._value
        if floats and v.dtype.kind not in "fc":
            x = as_floating(x)
            v = x._value
        try:
            value = forward(v)
        except TypeError as error:
            value = batched(op, error, [v])
        if type(value) is not ndarray and isinstance(value, np.generic):
            value = np.asarray(value)
        draft = _new(Draft)
        draft._value = value
        draft.params = ()
        draft.saved = None
        if x.tracked and _recording():
            draft.op = op
            draft.tracked = True
            dist = x.dist + 1
            if dist > ANCHOR_EVERY:
                draft.dist = 0
                draft._prev = Anchored((x,))
            else:
                draft.dist = dist
                draft._prev = (x,)
        else:
            draft.op = None
            draft.tracked = False
            draft.dist = 0
            draft._prev = ()
        draft.__class__ = Node
        return draft  # type: ignore[return-value]  # it is a Node now

    return call


def _binary(op: Op, forward: Callable[[Any, Any], Any], floats: bool) -> Callable[..., Node]:
    """Two inputs that broadcast, no parameters: apply() spelled out."""
    name = op.name

    def call(a: Any, b: Any) -> Node:
        if type(a) is not Node or type(b) is not Node:
            # a Python number beside a float needs no talk of dtypes
            if type(a) is Node and (type(b) is float or type(b) is int) and a._value.dtype.kind == "f":
                b = scalar(b, a._value.dtype)
            else:
                a, b = promote(name, a, b, floats=floats)
        va = a._value
        vb = b._value
        dtype = va.dtype
        if dtype is not vb.dtype:
            a, b = promote(name, a, b, floats=floats)
            va = a._value
            vb = b._value
        if floats and dtype.kind not in "fc":
            a, b = as_floating(a), as_floating(b)
            va = a._value
            vb = b._value
        try:
            value = forward(va, vb)
        except (ValueError, TypeError) as error:
            value = batched(op, error, [va, vb])
        if type(value) is not ndarray and isinstance(value, np.generic):
            value = np.asarray(value)
        draft = _new(Draft)
        draft._value = value
        draft.params = ()
        draft.saved = None
        if (a.tracked or b.tracked) and _recording():
            draft.op = op
            draft.tracked = True
            dist = (a.dist if a.dist > b.dist else b.dist) + 1
            if dist > ANCHOR_EVERY:
                draft.dist = 0
                draft._prev = Anchored((a, b))
            else:
                draft.dist = dist
                draft._prev = (a, b)
        else:
            draft.op = None
            draft.tracked = False
            draft.dist = 0
            draft._prev = ()
        draft.__class__ = Node
        return draft  # type: ignore[return-value]  # it is a Node now

    return call


def _call_elementwise(op: Op, floats: bool) -> None:
    op.keeps_shape = len(op.rules) == 1
    op.call = (_unary if op.keeps_shape else _binary)(op, op.forward, floats)


# ---------------------------------------------------------------- declaring an op


def pointwise(name: str, forward: Callable[..., Any], *rules: Rule, floats: bool = False) -> Op:
    """Declare an elementwise op of one or two broadcasting inputs.

    floats: integers and bools are computed in the default floating dtype, as PyTorch does.
    """
    op = _declare(Op(name, "pointwise", forward, rules), frees=True)
    _call_elementwise(op, floats)
    return op


def linear(
    name: str,
    forward: Callable[..., Any],
    *rules: Rule,
    vjp: Rule | None = None,
    elementwise: bool = False,
) -> Op:
    """Declare an op that is linear in its inputs. Parameters follow the inputs.

    vjp: the transpose for all inputs at once, where rules input by input would not do.
    elementwise: one or two broadcasting inputs and no parameters.
    """
    op = _declare(Op(name, "linear", forward, rules, vjp, uses_out=False), frees=False)
    if elementwise:
        _call_elementwise(op, False)
    return op


def bilinear(name: str, forward: Callable[..., Any], *rules: Rule, vjp: Rule | None = None) -> Op:
    """Declare an op that is linear in each of its inputs, the others held fixed."""
    return _declare(Op(name, "bilinear", forward, rules, vjp, uses_out=False), frees=True)


def general(
    name: str,
    forward: Callable[..., Any],
    *rules: Rule,
    vjp: Rule | None = None,
    saves: bool = False,
    uses_out: bool | None = None,
    frees: bool = True,
) -> Op:
    """Declare any other op, by rules or by one vjp over all inputs; see Op.

    saves: forward returns (value, saved).
    frees: its derivative needs values, which backward lets go of.
    """
    return _declare(Op(name, "general", forward, rules, vjp, uses_out, saves), frees)


cast_op: Final = linear(
    "to",
    lambda x, dtype: x.astype(dtype),
    lambda g, _, x, dtype: astype(g, x.dtype),
)


def astype(x: Any, dtype: DType) -> Any:
    """`x.astype(dtype)` for arrays and nodes."""
    return cast(x, dtype) if type(x) is Node else x.astype(dtype)


def cast(x: Node, dtype: DType) -> Node:
    """The node in another dtype; itself if it has that dtype already."""
    if x._value.dtype is dtype or x._value.dtype == dtype:
        return x
    if dtype.kind not in "fc":  # no gradient through integers
        return seal(x._value.astype(dtype))
    if dtype.kind == "c" and x.tracked and _recording():
        raise RuntimeError(
            f"to: a value that requires grad cannot become {dtype}: there are no derivatives in complex "
            "values; detach it first"
        )
    return apply(cast_op, (x,), (dtype,))

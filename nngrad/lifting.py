"""Functions on nodes made functions on tensors, and methods.

Every operation is declared once, in `nngrad.functional`. What stands here says how a function on
nodes becomes one on tensors: its result a new tensor, a view, a part, a pair, or written in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    ParamSpec,
    Protocol,
    SupportsIndex,
    TypeAlias,
    overload,
)

import numpy as np

from .dtypes import to_numpy
from .functional.dtypes import AnyArray, Scalar
from .functional.node import Node, Operand, grad_mode
from .functional.reduction import ValuesIndices
from .functional.shape import MAY_COPY
from .functional.splitting import RULES
from .functional.warn import warn_user
from .naming import given_by, library
from .views import Step, View

if TYPE_CHECKING:
    from .tensor import (
        Tensor as Tensor,  # which names itself here once it exists: it is made of these functions
    )

P = ParamSpec("P")
TensorLike: TypeAlias = "Tensor | AnyArray | Scalar | bool | int | float | complex"
_new = object.__new__
NUMBERS: Final = (bool, int, float, complex, np.ndarray, np.generic)


#: other names of arguments that PyTorch takes, NumPy's and its methods' own
_SPELLINGS: Final = {
    "axis": ("dim", "dims"),
    "indices": ("index", "indices_or_sections"),
    "keepdims": ("keepdim",),
    "sections": ("indices_or_sections",),
    "size": ("shape",),
    "split_size": ("split_size_or_sections",),
}
#: arguments that are given one by one, or by name as a sequence
_SPREAD: Final = frozenset({"dims", "repeats", "shape", "size"})


def wrap(node: Node) -> Tensor:
    """A tensor on a node."""
    tensor = _new(Tensor)
    tensor._node = node
    tensor._view = None
    tensor._grad = None
    return tensor


def lift(function: Callable[Concatenate[Operand, P], Node]) -> Callable[Concatenate[TensorLike, P], Tensor]:
    """A function on nodes as a function on tensors, and as a method."""

    def lifted(input: TensorLike, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if kwargs:
            if "out" in kwargs:
                written: Tensor = into(kwargs, lifted, input, *args)
                return written
            args, kwargs = named_as(function, args, kwargs)  # type: ignore[assignment]  # no tuple, no dict
        return wrap(function(input.node if isinstance(input, Tensor) else input, *args, **kwargs))

    def lifted_alone(input: Any, *, out: Any = None) -> Tensor:  # written out: half of a program's calls
        if out is not None:
            written: Tensor = into({"out": out}, lifted_alone, input)
            return written
        tensor = _new(Tensor)
        if isinstance(input, Tensor):
            input = input._node if input._view is None else input.node
        tensor._node = alone(input)
        tensor._view = None
        tensor._grad = None
        return tensor

    code = function.__code__
    alone: Callable[[Any], Node] = function
    takes_more = code.co_argcount > 1 or code.co_kwonlyargcount or code.co_flags & 4  # 4: *args
    named: Callable[Concatenate[TensorLike, P], Tensor] = named_like(
        lifted if takes_more else lifted_alone, function
    )
    return named


def lift_view(
    function: Callable[Concatenate[Operand, P], Node],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """A function on nodes whose result, on tensors, is a view of its input."""

    def lifted(input: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if not isinstance(input, Tensor):  # as a function of the package, with an array
            return wrap(function(input, *args, **kwargs))  # type: ignore[unreachable]  # not as typed
        if kwargs:  # steps are kept and compared as positional arguments
            args = bind(function, args, kwargs)  # type: ignore[assignment]  # P.args is no tuple type
        node = function(input.node, *args)  # type: ignore[call-arg]  # kwargs are in args now
        return view_of(input, node, (function, args))

    named: Callable[Concatenate[Tensor, P], Tensor] = named_like(lifted, function)
    return named


def lift_view_(
    function: Callable[Concatenate[Operand, P], Node],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """A function whose result is a view as a method that gives its tensor that shape: `t` as `t_`."""

    def lifted(self: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if kwargs:
            args = bind(function, args, kwargs)  # type: ignore[assignment]  # P.args is no tuple type
        self.turn((function, args))
        return self

    named: Callable[Concatenate[Tensor, P], Tensor] = named_like(lifted, function)
    named.__name__ += "_"
    return named


def lift_part(
    function: Callable[Concatenate[Operand, P], Node],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """A function that takes a part of its input, on tensors: as a view, by the index that it names."""
    rule = RULES[function]

    def lifted(input: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if kwargs:
            args, kwargs = named_as(rule, args, kwargs)  # type: ignore[assignment]  # no tuple, no dict
        return input[rule(input.node, *args, **kwargs)]

    named: Callable[Concatenate[Tensor, P], Tensor] = named_like(lifted, function)
    return named


def lift_parts(
    function: Callable[Concatenate[Operand, P], tuple[Node, ...]],
) -> Callable[Concatenate[Tensor, P], tuple[Tensor, ...]]:
    """A function that takes several parts of its input, on tensors: as views."""
    rule = RULES[function]

    def lifted(input: Tensor, *args: P.args, **kwargs: P.kwargs) -> tuple[Tensor, ...]:
        if kwargs:
            args, kwargs = named_as(rule, args, kwargs)  # type: ignore[assignment]  # no tuple, no dict
        return tuple([input[index] for index in rule(input.node, *args, **kwargs)])

    named: Callable[Concatenate[Tensor, P], tuple[Tensor, ...]] = named_like(lifted, function)
    return named


def lift_pair(
    function: Callable[Concatenate[Operand, P], ValuesIndices[Node]],
) -> Callable[Concatenate[TensorLike, P], ValuesIndices[Tensor]]:
    """A function that gives values and their indices, on tensors."""
    name = function.__name__

    def lifted(input: TensorLike, *args: P.args, **kwargs: P.kwargs) -> ValuesIndices[Tensor]:
        if kwargs:
            if "out" in kwargs:
                written: ValuesIndices[Tensor] = into(kwargs, lifted, input, *args)
                return written
            args, kwargs = named_as(function, args, kwargs)  # type: ignore[assignment]  # no tuple, no dict
        found = function(input.node if isinstance(input, Tensor) else input, *args, **kwargs)
        return given_by(name, ValuesIndices(wrap(found.values), wrap(found.indices)))

    named: Callable[Concatenate[TensorLike, P], ValuesIndices[Tensor]] = named_like(lifted, function)
    return named


def lift_tuple(
    function: Callable[Concatenate[Operand, P], tuple[Node, ...]],
) -> Callable[Concatenate[TensorLike, P], tuple[Tensor, ...]]:
    """A function that gives several nodes, on tensors."""

    def lifted(input: TensorLike, *args: P.args, **kwargs: P.kwargs) -> tuple[Tensor, ...]:
        if kwargs:
            args, kwargs = named_as(function, args, kwargs)  # type: ignore[assignment]  # no tuple, no dict
        found = function(input.node if isinstance(input, Tensor) else input, *args, **kwargs)
        return tuple([wrap(x) for x in found])

    named: Callable[Concatenate[TensorLike, P], tuple[Tensor, ...]] = named_like(lifted, function)
    return named


def lift_(function: Callable[Concatenate[Operand, P], Node]) -> Callable[Concatenate[Tensor, P], Tensor]:
    """A function on nodes as a method that changes its tensor: `exp` as `exp_`."""

    def lifted(self: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if kwargs:
            args, kwargs = named_as(function, args, kwargs)  # type: ignore[assignment]  # no tuple, no dict
        self.assign(function(self.node, *args, **kwargs))
        return self

    named: Callable[Concatenate[Tensor, P], Tensor] = named_like(lifted, function)
    named.__name__ += "_"
    return named


def lift_scaled_(
    function: Callable[Concatenate[Operand, P], Node], scale: str
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """As `lift_`; also with the scale before the other arguments, as old optimisers have it."""
    plain = lift_(function)
    most = function.__code__.co_argcount

    def lifted(self: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if len(args) == most:
            name = plain.__name__
            warn_user(f"This overload of {name} is deprecated: give {scale} by name, after the tensors")
            first, *others = args
            return plain(self, *others, **{scale: first})  # type: ignore[arg-type]  # P has it
        return plain(self, *args, **kwargs)

    named: Callable[Concatenate[Tensor, P], Tensor] = named_like(lifted, function)
    named.__name__ += "_"
    return named


def into(kwargs: dict[str, Any], function: Callable[..., Any], *args: Any) -> Any:
    """Call a function on tensors, and write what it gives to `out`, which is returned.

    Raises RuntimeError where that would have to carry a gradient.
    """
    out = kwargs.pop("out")
    found = function(*args, **kwargs)
    if out is None:
        return found
    name = function.__name__
    pairs = list(zip(out, found)) if isinstance(found, tuple) else [(out, found)]
    for target, result in pairs:
        if result.requires_grad or (target.requires_grad and grad_mode.get()):
            raise RuntimeError(
                f"{name}: functions with out=... arguments don't support automatic differentiation, but one "
                "of the arguments requires grad"
            )
        if target.shape != result.shape:
            if target.numel():
                warn_user(f"{name}: out of shape {tuple(target.shape)} is given that of the result")
            target.data = wrap(result.node).to(target.dtype)
        else:
            target.assign(result.node)
    return given_by(f"{name}_out", ValuesIndices(*out)) if isinstance(found, ValuesIndices) else out


def changing(
    function: Callable[Concatenate[TensorLike, P], Tensor],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """A function on tensors as a method that changes its tensor."""

    def changed(self: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        self.assign(function(self, *args, **kwargs).node)
        return self

    changed.__name__ = changed.__qualname__ = f"{function.__name__}_"
    changed.__doc__ = function.__doc__
    return changed


def lift_joining(function: Callable[[Sequence[Operand]], Node]) -> Callable[[Sequence[TensorLike]], Tensor]:
    """A function of a sequence of nodes as one of tensors."""

    def lifted(tensors: Sequence[TensorLike]) -> Tensor:
        return wrap(function(tensors))

    named: Callable[[Sequence[TensorLike]], Tensor] = named_like(lifted, function)
    return named


class EachView(Protocol):
    """A function that makes a view of each of its tensors: a view of one, a tuple for several."""

    @overload
    def __call__(self, tensor: Tensor, /) -> Tensor: ...
    @overload
    def __call__(self, tensor: Sequence[Tensor], /) -> tuple[Tensor, ...]: ...
    @overload
    def __call__(self, tensor: Tensor, second: Tensor, /, *more: Tensor) -> tuple[Tensor, ...]: ...


def lift_each(function: Callable[[Operand], Node]) -> EachView:
    """A function on nodes whose result is a view, on any number of tensors."""
    view = lift_view(function)

    def lifted(*tensors: Any) -> Any:
        if len(tensors) == 1 and not isinstance(tensors[0], Sequence):
            return view(tensors[0])
        return tuple([view(x) for x in (tensors[0] if len(tensors) == 1 else tensors)])

    named: EachView = named_like(lifted, function)
    return named


def bind(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments after the input, all by position."""
    import inspect

    args, kwargs = named_as(function, args, kwargs)
    bound = inspect.signature(function).bind(None, *args, **kwargs)
    bound.apply_defaults()
    return bound.args[1:]


def named_as(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments as a function on nodes has them: `dim` for `axis`, NumPy's dtypes for the package's."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    named = {}
    for name, value in kwargs.items():
        if name == "dtype" and value is not None:
            value = to_numpy(value)
        elif name not in names:
            if name in _SPREAD and code.co_flags & 4 and not args:  # 4: *args
                args = (value,)
                continue
            meant = [n for n in _SPELLINGS.get(name, ()) if n in names and n not in kwargs]
            name = meant[0] if meant else name
        named[name] = value
    return args, named


def named_like(lifted: Any, function: Any) -> Any:
    """`lifted` under the name, docstring and signature of `function`."""
    lifted.__name__ = function.__name__
    lifted.__qualname__ = function.__name__
    lifted.__doc__ = function.__doc__
    lifted.__wrapped__ = function
    return lifted


def view_of(input: Tensor, node: Node, step: Step) -> Tensor:
    """A tensor on `node` that stays in step with `input`; no view if NumPy had to copy."""
    tensor = wrap(node)
    source = input._view
    if step[0] in MAY_COPY:
        old, new = input._node._value, node._value
        if isinstance(new, np.ndarray) and (
            new.base is None or (new.base is not old and new.base is not old.base)
        ):
            return tensor
    if isinstance(source, View):
        base = source.base
        recorded = source.recorded and grad_mode.get()
        tensor._view = View(base, (*source.steps, step), base._node, recorded)
    else:
        tensor._view = View(input, (step,), input._node, grad_mode.get())
    return tensor


def operator_(call: Callable[[Any, Any], Node]) -> Callable[[Tensor, TensorLike], Tensor]:
    """A binary operator. Written out, as these are most of the calls of a program."""

    def operator(self: Tensor, other: TensorLike) -> Tensor:
        if isinstance(other, Tensor):
            b: Any = other._node if other._view is None else other.node
        elif isinstance(other, NUMBERS):
            b = other
        else:
            return NotImplemented
        tensor = _new(Tensor)
        tensor._node = call(self._node if self._view is None else self.node, b)
        tensor._view = None
        tensor._grad = None
        return tensor

    return operator


def reflected(call: Callable[[Any, Any], Node]) -> Callable[[Tensor, TensorLike], Tensor]:
    """A binary operator whose tensor stands on the right."""

    def operator(self: Tensor, other: TensorLike) -> Tensor:
        return wrap(call(other, self.node)) if isinstance(other, NUMBERS) else NotImplemented

    return operator


def in_place(call: Callable[[Any, Any], Node]) -> Callable[[Tensor, TensorLike], Tensor]:
    """A binary operator that changes its tensor: `+=`."""

    def operator(self: Tensor, other: TensorLike) -> Tensor:
        if not isinstance(other, (Tensor, *NUMBERS)):
            return NotImplemented
        self.assign(call(self.node, other.node if isinstance(other, Tensor) else other))
        return self

    return operator


class Size(tuple[int, ...]):
    """The sizes of a tensor's dimensions: a tuple that prints as PyTorch's."""

    __slots__ = ()

    def numel(self) -> int:
        """The product of the sizes."""
        return math.prod(self)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> Size: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> int | Size:
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(found, tuple) else found

    def __add__(self, other: Any, /) -> Any:
        found = tuple.__add__(self, other)
        return Size(found) if all(isinstance(n, int) for n in found) else found

    def __mul__(self, count: SupportsIndex, /) -> Size:
        return Size(tuple.__mul__(self, count))

    def __repr__(self) -> str:
        return f"{library()}.Size({list(self)})"

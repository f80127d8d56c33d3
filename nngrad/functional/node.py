"""The one value of the core: an immutable node of the graph.

A node is an array, the op that made it, its parents and the op's static parameters. Ops (op.py)
build nodes, the engine (engine.py) walks them; nothing else may. What stays out of here: any
derivative, any knowledge of Tensor.
"""

from __future__ import annotations

from _thread import get_ident  # as functools: `threading` takes 2 ms to load
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, TypeAlias, TypeVar, final

import numpy as np

from .dtypes import AnyArray, Array, DType, Scalar, number_dtype

if TYPE_CHECKING:
    from .op import Op

#: Whether new nodes remember their parents. A context variable, so each thread and each async
#: task has its own.
grad_mode: Final[ContextVar[bool]] = ContextVar("nngrad_grad_mode", default=True)

# glibc gives memory back to the system, and the system clears it again page by page, unless a large
# block was freed before: then it keeps what it has. Arrays of some 100 KiB come and go in a training
# step; measured, attention with its gradient took 1.26 ms in place of 2.2.
np.empty((1 << 25) - 8192, np.uint8)

#: A node at most this many links from the next anchor on its longest path; see `Anchored`.
ANCHOR_EVERY: Final = 200

#: numpy function -> the function over nodes that answers it. The ops register themselves here.
NUMPY: Final[dict[Callable[..., Any], Callable[..., Node]]] = {}


class HasNode(Protocol):
    """Whatever carries a node: `nngrad.Tensor` is one."""

    @property
    def node(self) -> Node:
        """The node it carries."""
        ...


class Draft:
    """A node while it is being filled in. `draft.__class__ = Node` seals it.

    Measured: this costs 37 ns more than a mutable object, a frozen dataclass 400.
    """

    __slots__ = ("__weakref__", "_prev", "_value", "dist", "op", "params", "saved", "tracked")
    _value: Any
    op: Op | None
    _prev: Parents
    params: tuple[Any, ...]
    saved: Any
    tracked: bool
    dist: int


@final
class Node(Draft):
    """An immutable array value that knows how it was made.

    Nodes come from the functions of `nngrad.functional`; `constant` and `variable` make the
    first ones. NumPy functions and operators on nodes make nodes.
    """

    __slots__ = ()

    def __new__(cls, *args: object, **kwargs: object) -> Node:
        raise TypeError("Node: use nngrad.functional.constant(x) or variable(x) to make a node")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Node is immutable: cannot assign {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Node is immutable: cannot delete {name!r}")

    @property
    def node(self) -> Node:
        """The node itself, so that a node is an operand like everything that has one."""
        return self

    @property
    def prev(self) -> tuple[Node, ...]:
        """The nodes that it was computed from: () for a leaf."""
        return tuple(self._prev)

    @property
    def data(self) -> Array:
        """The value, as a read-only array."""
        array: Array = read_only(self._value)
        return array

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions."""
        return self._value.shape  # type: ignore[no-any-return]  # _value may be any array type

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._value.dtype  # type: ignore[no-any-return]  # _value may be any array type

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._value.ndim  # type: ignore[no-any-return]  # _value may be any array type

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size  # type: ignore[no-any-return]  # _value may be any array type

    @property
    def T(self) -> Node:
        """The transpose: all dimensions in reverse order."""
        return NUMPY[np.transpose](self)

    def item(self) -> float:
        """The only element, as a Python number (its type is `float`, which stands for bool and int
        too; a complex node gives a complex). Raises RuntimeError if there are more or none."""
        if self.size != 1:
            raise RuntimeError(f"item: a node of shape {self.shape} has {self.size} elements, not 1")
        return self._value.item()  # type: ignore[no-any-return]  # _value may be any array type

    def __repr__(self) -> str:
        made = f", op={self.op.name}" if self.op else ", variable" if self.tracked else ""
        if not is_held(self):
            return f"Node(freed{made})"
        text = np.array2string(self._value, separator=", ", prefix="Node(")
        return f"Node({text}, dtype={self.dtype}{made})"

    def __len__(self) -> int:
        if not self._value.ndim:
            raise TypeError("len: a 0-d node has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        if self.size != 1:
            raise RuntimeError(
                f"bool: the truth of a node of shape {self.shape} is ambiguous; use F.any or F.all"
            )
        return bool(self._value)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec and not self.ndim else str(self), spec)

    def __iter__(self) -> Iterator[Node]:
        for i in range(len(self)):
            yield self[i]

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> Any:
        if self.tracked:
            raise RuntimeError("numpy: this node is part of a graph; take its .data")
        return np.array(self.data, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        return dispatch(ufunc if method == "__call__" else getattr(ufunc, method), ufunc, args, kwargs)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        return dispatch(func, func, args, kwargs)

    def __getitem__(self, index: Any) -> Node:
        return NUMPY[GETITEM](self, index)

    __hash__: Final = object.__hash__

    def __add__(self, other: Operand) -> Node:
        return NUMPY[np.add](self, other)

    def __radd__(self, other: Operand) -> Node:
        return NUMPY[np.add](other, self)

    def __sub__(self, other: Operand) -> Node:
        return NUMPY[np.subtract](self, other)

    def __rsub__(self, other: Operand) -> Node:
        return NUMPY[np.subtract](other, self)

    def __mul__(self, other: Operand) -> Node:
        return NUMPY[np.multiply](self, other)

    def __rmul__(self, other: Operand) -> Node:
        return NUMPY[np.multiply](other, self)

    def __truediv__(self, other: Operand) -> Node:
        return NUMPY[np.divide](self, other)

    def __rtruediv__(self, other: Operand) -> Node:
        return NUMPY[np.divide](other, self)

    def __floordiv__(self, other: Operand) -> Node:
        return NUMPY[np.floor_divide](self, other)

    def __rfloordiv__(self, other: Operand) -> Node:
        return NUMPY[np.floor_divide](other, self)

    def __mod__(self, other: Operand) -> Node:
        return NUMPY[np.remainder](self, other)

    def __rmod__(self, other: Operand) -> Node:
        return NUMPY[np.remainder](other, self)

    def __pow__(self, other: Operand) -> Node:
        return NUMPY[np.power](self, other)

    def __rpow__(self, other: Operand) -> Node:
        return NUMPY[np.power](other, self)

    def __matmul__(self, other: Operand) -> Node:
        return NUMPY[np.matmul](self, other)

    def __rmatmul__(self, other: Operand) -> Node:
        return NUMPY[np.matmul](other, self)

    def __and__(self, other: Operand) -> Node:
        return NUMPY[np.bitwise_and](self, other)

    def __rand__(self, other: Operand) -> Node:
        return NUMPY[np.bitwise_and](other, self)

    def __or__(self, other: Operand) -> Node:
        return NUMPY[np.bitwise_or](self, other)

    def __ror__(self, other: Operand) -> Node:
        return NUMPY[np.bitwise_or](other, self)

    def __xor__(self, other: Operand) -> Node:
        return NUMPY[np.bitwise_xor](self, other)

    def __rxor__(self, other: Operand) -> Node:
        return NUMPY[np.bitwise_xor](other, self)

    def __lt__(self, other: Operand) -> Node:
        return NUMPY[np.less](self, other)

    def __le__(self, other: Operand) -> Node:
        return NUMPY[np.less_equal](self, other)

    def __gt__(self, other: Operand) -> Node:
        return NUMPY[np.greater](self, other)

    def __ge__(self, other: Operand) -> Node:
        return NUMPY[np.greater_equal](self, other)

    def __eq__(self, other: Operand) -> Node:  # type: ignore[override]  # element by element
        return NUMPY[np.equal](self, other)

    def __ne__(self, other: Operand) -> Node:  # type: ignore[override]  # element by element
        return NUMPY[np.not_equal](self, other)

    def __neg__(self) -> Node:
        return NUMPY[np.negative](self)

    def __pos__(self) -> Node:
        return self

    def __abs__(self) -> Node:
        return NUMPY[np.absolute](self)

    def __invert__(self) -> Node:
        return NUMPY[np.invert](self)


H = TypeVar("H", bound=Callable[..., Any])
Operand: TypeAlias = HasNode | AnyArray | Scalar | bool | int | float | complex


def GETITEM() -> None:
    """The key under which `node[index]` is found in `NUMPY`, which has no function for it."""


def dispatch(key: Callable[..., Any], asked: Callable[..., Any], args: Sequence[Any], kwargs: Any) -> Any:
    """Answer a NumPy function called with nodes (NEP 13, NEP 18)."""
    if kwargs.pop("out", None) is not None:
        raise TypeError(f"numpy.{asked.__name__}: a Node is immutable, so out= cannot be given")
    handler = NUMPY.get(key)
    if handler is None:
        for later in ("further", "networks"):  # which register themselves when they load
            import_module(f".{later}", __package__)
        handler = NUMPY.get(key)
    if handler is None:
        raise TypeError(f"numpy.{asked.__name__}: not implemented for nodes")
    return handler(*args, **kwargs)


def implements(*functions: Callable[..., Any]) -> Callable[[H], H]:
    """Register what answers NumPy's `functions` when they are given nodes."""

    def register(handler: H) -> H:
        for function in functions:
            NUMPY[function] = handler
        return handler

    return register


# ---------------------------------------------------------------- making nodes

_new = object.__new__


def seal(
    value: Any,
    op: Op | None = None,
    prev: Parents = (),
    params: tuple[Any, ...] = (),
    tracked: bool = False,
    saved: Any = None,
) -> Node:
    """A node from its parts. The hot paths in op.py spell this out."""
    draft = _new(Draft)
    draft._value = value
    draft.op = op
    draft.params = params
    draft.saved = saved
    draft.tracked = tracked
    dist = 0
    for parent in prev:
        if parent.dist >= dist:
            dist = parent.dist + 1
    if dist > ANCHOR_EVERY:
        dist = 0
        prev = Anchored(prev)
    draft.dist = dist
    draft._prev = prev
    draft.__class__ = Node
    return draft  # type: ignore[return-value]  # it is a Node now


def read_only(array: Any) -> Any:
    """A read-only view of a NumPy array of ours; any other array as it is.

    Its memory is frozen with it: from here on nothing is written there in place, and `constant`
    can share it without a copy.
    """
    if not isinstance(array, np.ndarray):
        return array
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner.flags.writeable = False
        owner = owner.base
    return array.view()


def _frozen(array: Any) -> Any:
    """`array` if nobody can write to its memory through NumPy, else a copy."""
    owner = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return np.array(array)
        owner = owner.base
    return array if owner is None else np.array(array)


def constant(x: Operand, dtype: DType | None = None) -> Node:
    """A node outside any graph.

    A NumPy array that somebody could still write to is copied, a read-only one is shared; Python
    floats take the default dtype. Raises TypeError for what is no number or array of numbers.

    >>> constant(2.0)
    Node(2., dtype=float32)
    """
    if isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic):
        return seal(np.array(x, number_dtype(x) if dtype is None else dtype))
    if isinstance(x, np.generic):
        return seal(np.asarray(x, dtype))
    if isinstance(x, np.ndarray):
        if x.dtype.kind not in "biufc":
            raise TypeError(f"constant: arrays of dtype {x.dtype} hold no numbers")
        if dtype is not None and x.dtype != dtype:
            return seal(x.astype(dtype))
        if not x.dtype.isnative:
            return seal(x.astype(x.dtype.newbyteorder("=")))
        return seal(_frozen(np.asarray(x)))
    node: Node | None = getattr(x, "node", None)
    if node is not None:
        same = dtype is None or node._value.dtype == dtype
        return seal(node._value if same else node._value.astype(dtype))
    if hasattr(x, "__array_function__"):  # an array of another library: dask, CuPy
        return seal(x)
    raise TypeError(f"expected a node, an array or a number, got {type(x).__name__}")


def variable(x: Operand, owner: object = None) -> Node:
    """A leaf that a graph can start from: gradients are taken with respect to it.

    `owner` says whose value it is (the engine hands it back beside the gradient). Raises
    RuntimeError unless `x` is floating-point. (There are no derivatives in complex values.)

    >>> variable(np.ones(2))
    Node([1., 1.], dtype=float64, variable)
    """
    value = constant(x)._value
    if value.dtype.kind != "f":
        raise RuntimeError(f"variable: only floating-point values can require gradients, got {value.dtype}")
    return seal(value, params=(owner,), tracked=True)


def as_node(x: Operand) -> Node:
    """The node of an operand, made if there is none yet."""
    if isinstance(x, Node):
        return x
    node: Node | None = getattr(x, "node", None)
    return constant(x) if node is None else node


# ---------------------------------------------------------------- freeing


#: parents to be let go of, and the threads that are doing so
_graves: Final[list[list[Node]]] = []
_digging: Final[set[int]] = set()


class Anchored(list["Node"]):
    """Parents that are let go of from a loop, not from inside their child's release.

    CPython frees a chain of objects by recursion, and small stacks (a browser's) end at a few
    thousand links. Every path meets one of these after at most ANCHOR_EVERY links. It is a list
    because a tuple cannot let go of its elements before it is gone itself.
    """

    __slots__ = ()

    def __del__(self) -> None:
        _graves.append(self[:])
        self.clear()
        thread = get_ident()
        if thread not in _digging:
            _digging.add(thread)
            try:
                while _graves:
                    _graves.pop()
            except IndexError:  # another thread took the last of them
                return
            finally:
                _digging.discard(thread)


#: how a node holds its parents; nobody changes either
Parents: TypeAlias = tuple[Node, ...] | Anchored


class Hole:
    """Stands where a node's value was, once the value has been freed or moved to another node."""

    __slots__ = ("dtype", "shape", "why")

    def __init__(self, why: str, value: Any = None) -> None:
        self.why: str = why
        if value is not None:
            self.shape: tuple[int, ...] = value.shape
            self.dtype: DType = value.dtype

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"this value is gone: {self.why}")


FREED: Final = Hole(
    "backward freed it. Trying to backward through the graph a second time, or to read inside it, "
    "needs backward(retain_graph=True) the first time."
)
MOVED: Final = "an in-place operation overwrote it, and nothing else needed it"


def is_held(node: Node) -> bool:
    """Whether the node still has its value."""
    return type(node._value) is not Hole

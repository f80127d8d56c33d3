"""Tensor: a mutable handle on an immutable node.

Every operation is a function of `nngrad.functional`, lifted. What is written here is what has to
do with being a handle: gradients, views, in-place writes, conversions, printing.
"""

from __future__ import annotations

import builtins
import weakref
from collections.abc import Callable, Iterator, Sequence
from sys import getrefcount
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, TypeAlias, TypeVar, overload

import numpy as np

from . import complex_numbers, dtypes, functional as F, lifting
from .devices import (
    CPU,
    Device,
    channels_last,
    channels_last_3d,
    check_device,
    check_format,
    check_place,
    contiguous_format,
    device as Place,
    layout as Layout,
    memory_format,
    preserve_format,
    strided,
)
from .dtypes import DTypeLike
from .functional.batch import Batch, NeedsBatching, check_alive
from .functional.dtypes import (
    Array,
    Nested,
    Number,
    category,
    get_default_dtype,
    number_dtype,
)
from .functional.indexing import (
    Index,
    getitem_parsed,
    index_put_from,
    numbers_first,
    parse_index,
    succeed,
)
from .functional.node import Node, Operand, constant, dispatch, grad_mode, seal
from .functional.op import cast
from .functional.shape import normal_dim
from .functional.warn import warn_user
from .lifting import NUMBERS, Size as Size, TensorLike, operator_, view_of, wrap
from .methods import Methods
from .naming import library
from .operations import where
from .views import LOST, Alias, Home, Step, View, detached, is_former, leave, memory_of, move, turn

if TYPE_CHECKING:
    from typing import Unpack

    from .creation import Sizes
    from .devices import New, Place as Where
    from .graph import GradFn, RemovableHandle
    from .random import Generator
    from .storage import UntypedStorage

Subclass = TypeVar("Subclass", bound="Tensor")

_new = object.__new__


class _Probe:
    """Counts the references to a temporary that is assigned to a property."""

    references = 0

    @property
    def data(self) -> object:
        return None

    @data.setter
    def data(self, value: object) -> None:
        self.references = getrefcount(value)


_probe = _Probe()
_probe.data = object()
_TEMPORARY: Final = _probe.references


_eq: Final = operator_(F.eq)
_ne: Final = operator_(F.ne)


class Tensor(Methods):
    """A multi-dimensional array that records what is done to it.

    data: numbers, nested sequences of them, an array or a tensor. It is copied. As in PyTorch, what is
    no tensor takes the default floating dtype here, whatever it held (`nngrad.tensor` keeps dtypes),
    and integers themselves, or a Size, are the sizes of a tensor yet to be filled.
    requires_grad: whether operations on it are recorded for `backward`.
    """

    __slots__ = ("__dict__", "__weakref__", "_formers", "_grad", "_home", "_node", "_view")
    _node: Node
    _view: View | Alias | None
    _home: weakref.ref[Home]  # not set before there are aliases
    _formers: tuple[tuple[int, Tensor], ...]  # what it was before it changed its shape in place, and when
    _grad: Tensor | None

    def __init__(
        self, *data: TensorData, dtype: DTypeLike | None = None, requires_grad: builtins.bool = False
    ) -> None:
        self._view = None
        self._grad = None
        first = data[0] if data else ()
        if isinstance(first, (int, np.integer, Size)) and not isinstance(first, bool):
            sizes: Any = first if isinstance(first, Size) else data
            if min(sizes, default=0) < 0:
                raise RuntimeError(f"Tensor: Trying to create tensor with negative dimension: {list(sizes)}")
            node = seal(np.zeros(sizes, get_default_dtype() if dtype is None else dtypes.to_numpy(dtype)))
        elif len(data) > 1:
            raise TypeError(f"Tensor: expected one value, or sizes, got {len(data)} arguments")
        else:
            node = node_from(first, dtype)
            if dtype is None and not isinstance(first, Tensor):
                node = cast(node, get_default_dtype())
        self._node = node
        if requires_grad:
            self.requires_grad = True

    # ------------------------------------------------------------ the handle

    @property
    def node(self) -> Node:
        """The immutable node this tensor stands for now."""
        view = self._view
        if view is not None and view.seen() is not view.base.node:
            self._node = view.look(self)
        return self._node

    def rebind(self, node: Node) -> None:
        """Make this tensor stand for another node; those in step with it follow."""
        view = self._view
        if view is None:
            self._node = succeed(self._node, node)
        else:
            view.write(self, None, node)

    def write_at(self, template: Any, arrays: tuple[Node, ...], value: Operand) -> None:
        """Assign at an index (as parse_index gives it). The node is given up, so that its memory
        can be written to if nobody else sees it."""
        view = self._view
        if view is not None:
            view.write(self, (template, arrays), value)
            return
        box = [self._node]
        self._node = LOST
        try:
            self._node = index_put_from(box, template, arrays, value)
        except BaseException:
            self._node = box[0]
            raise

    def check_writable(self, op: str) -> None:
        """Raise where PyTorch refuses an in-place operation on a leaf."""
        if not grad_mode.get():
            return
        view = self._view
        base = view.base if isinstance(view, View) and view.recorded else self
        node = base.node
        if node.tracked and node.op is None:
            which = "a leaf Variable" if base is self else "a view of a leaf Variable"
            raise RuntimeError(f"{op}: {which} that requires grad is being used in an in-place operation.")

    def assign(self, new: Node) -> None:
        """Take the value and the graph of `new`, as an in-place operation does.

        Raises RuntimeError if the shape differs, the dtype would have to be narrowed, or this is
        a leaf that requires grad. Under no_grad the tensor keeps its place in the graph.
        """
        old = self.node
        op = new.op.name if new.op else "in-place"
        self.check_writable(op)
        if new._value.shape != old._value.shape:
            raise RuntimeError(
                f"{op}: output with shape {list(old.shape)} doesn't match the broadcast shape "
                f"{list(new.shape)}"
            )
        if new._value.dtype is not old._value.dtype:
            if category(new.dtype, op) > category(old.dtype, op):
                raise RuntimeError(
                    f"{op}: result type {new.dtype} can't be cast to the desired output type {old.dtype}"
                )
            new = cast(new, old.dtype)
        del old
        self.rebind(new)

    def turn(self, step: Step) -> None:
        """Take the shape that a view has, as `t_` does; views, and a base, stay in step.

        Raises RuntimeError for a leaf that requires grad, unless under no_grad.
        """
        self.check_writable(step[0].__name__)
        turn(self, step, wrap)

    # ------------------------------------------------------------ looking at it

    @property
    def data(self) -> Tensor:
        """The value outside the graph: a tensor that stays in step with this one."""
        return self.detach()

    @data.setter
    def data(self, value: TensorLike) -> None:
        shared = isinstance(value, Tensor) and (value._view is not None or getrefcount(value) > _TEMPORARY)
        other = value if isinstance(value, Tensor) else wrap(constant(value))
        if self.requires_grad and other.node.dtype.kind not in "fc":
            raise RuntimeError(
                "data: data set to a tensor that requires gradients must be floating point or complex dtype"
            )
        move(self, other, wrap)
        if not shared:
            leave(self, wrap)  # nobody is there to be in step with

    def detach(self: Tensor) -> Tensor:
        """The value outside the graph: a tensor that stays in step with this one."""
        return detached(self, wrap)

    def detach_(self: Tensor) -> Tensor:
        """Take the tensor out of the graph; returns it. Raises RuntimeError for a view."""
        if isinstance(self._view, View):
            if not is_former(self, self._view.base):
                raise RuntimeError("detach_: Can't detach views in-place. Use detach() instead.")
            self._view = Alias(*memory_of(self, wrap))
        self._node = seal(self.node._value)
        return self

    @property
    def grad(self) -> Tensor | None:
        """What `backward` has added up for this tensor; None before, and after zero_grad.

        Warns of a tensor that is no leaf, whose gradient is kept only after `retain_grad`.
        """
        if self._grad is None and not self.is_leaf and "_retains_grad" not in self.__dict__:
            warn_user(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed: backward() "
                "does not fill it. Call .retain_grad() on the non-leaf Tensor first, or access the leaf "
                "Tensor instead."
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"grad: assigned grad expected to be a Tensor or None but got {type(value).__name__}"
                )
            if value.shape != self.shape:
                raise RuntimeError(
                    f"grad: assigned grad has data of a different size: {value.shape} for {self.shape}"
                )
            if value.dtype is not self.dtype:
                raise RuntimeError(
                    f"grad: attempting to assign a gradient with dtype {value.dtype} to a tensor of "
                    f"{self.dtype}"
                )
        self._grad = value

    @property
    def prev(self) -> tuple[Tensor, ...]:
        """The tensors that this one was computed from: () for a leaf."""
        return tuple([wrap(node) for node in self.node.prev])

    @property
    def op(self) -> str | None:
        """The name of the operation that made it: None for a leaf."""
        op = self.node.op
        return op.name if op else None

    @property
    def grad_fn(self) -> GradFn | None:
        """The backward step that this tensor's gradient starts with: None for a leaf."""
        from .graph import GradFn

        node = self.node
        return GradFn(node) if node.op else None

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self.node.op is None

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded."""
        return self.node.tracked

    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Start (or stop) recording operations on this leaf; returns the tensor.

        Raises RuntimeError for a tensor that is no leaf, or not floating-point.
        """
        if not isinstance(requires_grad, bool):
            raise TypeError(f"requires_grad must be a bool, got {type(requires_grad).__name__}")
        node = self.node
        if node.op is not None:
            if requires_grad:
                return self
            raise RuntimeError(
                "requires_grad: you can only change requires_grad flags of leaf variables. If you want "
                "to use a computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."
            )
        if requires_grad != node.tracked:
            if requires_grad and node.dtype.kind != "f":
                raise RuntimeError(
                    "requires_grad: only Tensors of floating point dtype can require gradients, got "
                    f"{node.dtype}"
                )
            if isinstance(self._view, View):  # from here on a variable of its own
                self._view = Alias(*memory_of(self, wrap))
            owner = (weakref.ref(self),) if requires_grad else ()
            self._node = seal(node._value, params=owner, tracked=requires_grad)
        return self

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self.node._value.shape)

    @overload
    def size(self) -> Size: ...
    @overload
    def size(self, dim: builtins.int) -> int: ...
    def size(self, dim: builtins.int | None = None) -> Size | int:
        """The sizes of the dimensions, or of one."""
        return self.shape if dim is None else self.shape[normal_dim("size", dim, self.ndim)]

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.of(self.node._value.dtype)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.node.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.node.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.node.size

    @property
    def T(self) -> Tensor:
        """All dimensions in reverse order; a view."""
        return view_of(self, F.T(self.node), (F.T, ()))

    @property
    def mT(self) -> Tensor:
        """The last two dimensions swapped; a view. Raises RuntimeError for fewer than two."""
        return view_of(self, F.mT(self.node), (F.mT, ()))

    @property
    def imag(self) -> Tensor:
        """The imaginary parts, as a view. Raises RuntimeError for real numbers."""
        return complex_numbers.imag(self)

    @imag.setter
    def imag(self, value: TensorLike) -> None:
        complex_numbers.imag(self).copy_(value)

    @property
    def real(self) -> Tensor:
        """The real parts, as a view; of real numbers, the tensor itself."""
        return complex_numbers.real(self)

    @real.setter
    def real(self, value: TensorLike) -> None:
        complex_numbers.real(self).copy_(value)

    def item(self) -> float:
        """The only element, as a Python number (its type is `float`, which stands for bool and int
        too; a complex tensor gives a complex). Raises RuntimeError if there are more or none."""
        if self.numel() != 1:
            raise RuntimeError(f"item: a Tensor with {self.numel()} elements cannot be converted to Scalar")
        try:
            return self.node.item()
        except NeedsBatching:
            check_alive("item", [self.node._value])
            raise

    def tolist(self) -> Any:  # as in NumPy: types know no number of dimensions
        """The elements as nested lists of Python numbers; of a 0-d tensor, its number."""
        return self.node._value.tolist()

    def numpy(self, *, force: builtins.bool = False) -> Array:
        """The value as a read-only array, without copying.

        Raises RuntimeError for a tensor that requires grad, unless `force` is set: use detach().
        """
        node = self.node
        if node.tracked and not force:
            raise RuntimeError(
                "numpy: Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        return node.data

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: builtins.bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
        return _answer(ufunc if method == "__call__" else getattr(ufunc, method), args, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _answer(func, args, kwargs)

    def __repr__(self) -> str:
        from .printing import tensor_repr

        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        if self.ndim and spec:
            raise TypeError(
                f"unsupported format string passed to a Tensor of shape {tuple(self.shape)}: only a 0-d "
                "tensor is formatted as a number"
            )
        return format(self.item(), spec) if not self.ndim else str(self)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.node.shape[0]

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError(
                f"bool: Boolean value of Tensor with {'more than one value' if self.numel() else 'no values'}"
                f" is ambiguous (shape {tuple(self.shape)})"
            )
        return bool(self.node._value)

    def _number(self) -> builtins.float:
        if self.numel() != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, got shape {tuple(self.shape)}"
            )
        return self.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __index__(self) -> int:
        value = self._number()
        if not isinstance(value, int):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(value)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[i] for i in range(len(self))])

    def __contains__(self, element: TensorLike) -> bool:
        if not isinstance(element, (Tensor, *NUMBERS)):
            raise RuntimeError(
                f"in: only a Tensor or a number can be in a Tensor, not {type(element).__name__}"
            )
        return bool(np.any((self == element).node._value))

    def __copy__(self) -> Tensor:
        return self.detach().requires_grad_(self.requires_grad) if self.is_leaf else wrap(self.node)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "deepcopy: only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol; detach() first"
            )
        copied = _new(type(self))
        copied._view = None
        copied._grad = None if self._grad is None else self._grad.__deepcopy__(memo)
        copied._node = seal(np.array(self.node._value))
        copied.__dict__.update(_kept(self))
        if self.requires_grad:
            copied.requires_grad_()
        memo[id(self)] = copied
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise RuntimeError("pickle: only graph leaves can be pickled; detach() first")
        return _rebuild, (type(self), np.array(self.node._value), self.requires_grad, _kept(self))

    # ------------------------------------------------------------ comparing

    __hash__: Final = object.__hash__

    def __eq__(self, other: TensorLike) -> Tensor:  # type: ignore[override]  # element by element
        return _eq(self, other)

    def __ne__(self, other: TensorLike) -> Tensor:  # type: ignore[override]  # element by element
        return _ne(self, other)

    def __pos__(self) -> Tensor:
        return self

    # ------------------------------------------------------------ gradients

    def backward(
        self,
        gradient: TensorLike | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Sequence[Tensor] | None = None,
    ) -> None:
        """Add the gradient of this tensor to the `grad` of every leaf it was computed from.

        gradient: the cotangent, of this tensor's shape; 1 for a single element.
        retain_graph: keep what a second backward needs; by default only with create_graph.
        create_graph: record the backward pass, to differentiate it again.
        inputs: only these tensors receive gradients.
        Raises RuntimeError if there is no graph, if it was freed before, or if the shape of
        `gradient` is not this tensor's.
        """
        from .autograd import backward

        backward(self, gradient, retain_graph, create_graph, inputs)

    def accumulate_grad(self, gradient: Node) -> None:
        """Add to `grad`. The old gradient's tensor stays the same object."""
        if self._grad is None:
            self._grad = wrap(gradient)
        else:
            self._grad._node = F.add(self._grad.node, gradient)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook` with this tensor's gradient when it is computed; what it returns, if not
        None, takes its place. Raises RuntimeError for a tensor that does not require grad."""
        from .graph import register_hook

        return register_hook(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook` with this tensor once `backward` has added to its `grad`.

        Raises RuntimeError for a tensor that does not require grad or is no leaf.
        """
        from .graph import register_after

        return register_after(self, hook)

    def retain_grad(self) -> None:
        """Keep the gradient in `grad` although this tensor is no leaf."""
        from .graph import retain_grad

        retain_grad(self)

    # ------------------------------------------------------------ indexing

    def __getitem__(self, index: Index) -> Tensor:
        node = self._node if self._view is None else self.node
        template, arrays = parse_index(index)
        if arrays:
            steps = numbers_first(template, arrays)
            if steps is not None:
                node, template = getitem_parsed(node, steps[0]), steps[1]
            return wrap(getitem_parsed(node, template, arrays))
        return view_of(self, getitem_parsed(node, template), (getitem_parsed, (template,)))

    def __setitem__(self, index: Index, value: TensorLike) -> None:
        self.check_writable("index_put")
        template, arrays = parse_index(index)
        parts = numbers_first(template, arrays) if arrays else None
        if parts is not None:
            self[parts[0]].write_at(parts[1], arrays, value.node if isinstance(value, Tensor) else value)
            return
        if not isinstance(value, Tensor):
            self.write_at(template, arrays, value)
            return
        there = value._view
        if isinstance(there, View) and not arrays:
            # `x[i] += y` ends in x[i] = x[i], which was written through already
            here = self._view
            base, steps = (here.base, here.steps) if isinstance(here, View) else (self, ())
            if there.base is base and there.steps == (*steps, (getitem_parsed, (template,))):
                return
        self.write_at(template, arrays, value.node)

    def copy_(self, source: TensorLike) -> Tensor:
        """Take the values of `source`, which broadcasts to this shape, in this dtype; returns self."""
        self[...] = source
        return self

    def fill_(self: Tensor, value: TensorLike) -> Tensor:
        """Set every element to a number (or a 0-d tensor); returns the tensor itself."""
        self[...] = value
        return self

    def zero_(self: Tensor) -> Tensor:
        """Set every element to zero; returns the tensor itself."""
        self[...] = 0
        return self

    @overload
    def view(self, dtype: dtypes.dtype) -> Tensor: ...
    @overload
    def view(
        self, *shape: SupportsIndex | Sequence[SupportsIndex], size: Sequence[SupportsIndex] | None = None
    ) -> Tensor: ...
    def view(
        self, *shape: Any, size: Sequence[SupportsIndex] | None = None, dtype: dtypes.dtype | None = None
    ) -> Tensor:
        """The elements in row-major order in another shape, as a view; one size may be -1.

        Given a dtype, their bytes as numbers of that dtype, without gradient. Raises RuntimeError where
        the new shape takes a copy, which `reshape` makes, or the bytes do not fit.
        """
        kind = shape[0] if len(shape) == 1 and isinstance(shape[0], dtypes.dtype) else dtype
        if kind is not None:
            from .functional.bits import view_dtype

            step = (view_dtype, (dtypes.to_numpy(kind),))
            return view_of(self, view_dtype(self.node, *step[1]), step)
        tensor = self.reshape(*shape) if size is None else self.reshape(size, *shape)
        if tensor._view is None:
            raise RuntimeError(
                f"view: size {tuple(tensor.shape)} is not compatible with input tensor's size "
                f"{tuple(self.shape)} and stride (at least one dimension spans across two contiguous "
                "subspaces). Use .reshape(...) instead."
            )
        return tensor

    def view_as(self, other: Tensor) -> Tensor:
        """The elements in row-major order in the shape of another tensor, as a view; see `view`."""
        return self.view(other.shape)

    def new(self, *data: TensorData | builtins.int) -> Tensor:
        """A tensor of the same dtype, of data or of sizes: `new_tensor` and `new_empty` of old."""
        return Tensor(*data, dtype=self.dtype)

    def resize_(self, *sizes: Any) -> Tensor:
        """Take another shape: the elements in row-major order, and zeros where there are more of them.

        Raises RuntimeError for a view and for what requires grad.
        """
        if self.requires_grad or self._view is not None:
            raise RuntimeError("resize_: cannot resize views, or variables that require grad")
        shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], builtins.int) else sizes
        elements = np.zeros(shape, self.node._value.dtype)
        count = min(elements.size, self.numel())
        elements.reshape(-1)[:count] = self.node._value.reshape(-1)[:count]
        self.data = wrap(seal(elements))
        return self

    def resize_as_(self, the_template: Tensor) -> Tensor:
        """Take the shape of another tensor; see `resize_`."""
        return self.resize_(the_template.shape)

    def as_subclass(self, cls: type[Subclass]) -> Subclass:
        """A view of all elements that is an instance of a subclass; what is computed from it is a Tensor."""
        view: Any = self[...]
        view.__class__ = cls
        found: Subclass = view
        return found

    def reshape_as(self, other: Tensor) -> Tensor:
        """The elements in row-major order in the shape of another tensor; see `reshape`."""
        return self.reshape(other.shape)

    def expand_as(self, other: Tensor) -> Tensor:
        """A view broadcast to the shape of another tensor; see `expand`."""
        return self.expand(other.shape)

    def where(self, condition: Tensor, other: TensorLike) -> Tensor:
        """These elements where the condition holds, those of `other` elsewhere."""
        return where(condition, self, other)

    def prelu(self, weight: Tensor) -> Tensor:
        """See `nngrad.functional.prelu`."""
        return wrap(F.prelu(self.node, weight.node))

    def hardshrink(self, lambd: builtins.float = 0.5) -> Tensor:
        """See `nngrad.functional.hardshrink`."""
        return wrap(F.hardshrink(self.node, lambd))

    # ------------------------------------------------------------ conversions

    def to(
        self,
        *args: Any,
        device: Device = None,
        dtype: DTypeLike | None = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
        memory_format: memory_format | None = None,
    ) -> Tensor:
        """The tensor in another dtype; the tensor itself if nothing changes and `copy` is not set.

        As in PyTorch: to(dtype), to(device, dtype), to(other), each with non_blocking and copy after
        it, or all by name. Raises RuntimeError for a device that is not the CPU, TypeError for
        arguments that are none of these.
        """
        rest = list(args)
        if rest and isinstance(rest[0], Tensor):
            dtype = rest.pop(0).dtype
        else:
            if rest and (rest[0] is None or isinstance(rest[0], (str, Place))):
                device = rest.pop(0)
            if rest and isinstance(rest[0], (dtypes.dtype, np.dtype, builtins.type)):
                dtype = rest.pop(0)
        if len(rest) > 2 or not all(isinstance(flag, builtins.bool) for flag in rest):
            raise TypeError(f"to: expected (dtype), (device, dtype) or (other), got {args!r:.200}")
        check_device("to", device)
        check_format("to", memory_format)
        target = self.node.dtype if dtype is None else dtypes.to_numpy(dtype)
        if target == self.node.dtype:
            return self.clone() if copy or rest[1:] == [True] else self
        return wrap(cast(self.node, target))

    @overload
    def type(self) -> str: ...
    @overload
    def type(self, dtype: DTypeLike | str, non_blocking: builtins.bool = False) -> Tensor: ...
    def type(self, dtype: DTypeLike | str | None = None, non_blocking: builtins.bool = False) -> Tensor | str:
        """The name of the kind of tensor (`nngrad.FloatTensor`); or the tensor in another dtype.

        dtype: a dtype, or such a name, also PyTorch's. Raises ValueError for another string.
        """
        if dtype is None:
            return f"{library()}.{dtypes.KINDS[self.dtype]}Tensor"
        if isinstance(dtype, str):
            found = [d for d, kind in dtypes.KINDS.items() if dtype.rpartition(".")[2] == f"{kind}Tensor"]
            if not found:
                raise ValueError(f"type: invalid type: {dtype!r}")
            dtype = found[0]
        return self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor in the dtype of another."""
        return self.to(other.dtype)

    def float(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as float32."""
        check_format("float", memory_format)
        return self.to(dtypes.float32)

    def double(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as float64."""
        check_format("double", memory_format)
        return self.to(dtypes.float64)

    def half(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as float16."""
        check_format("half", memory_format)
        return self.to(dtypes.float16)

    def long(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as int64."""
        check_format("long", memory_format)
        return self.to(dtypes.int64)

    def int(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as int32."""
        check_format("int", memory_format)
        return self.to(dtypes.int32)

    def bool(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as bools: whether each element is non-zero."""
        check_format("bool", memory_format)
        return self.to(dtypes.bool)

    def byte(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as uint8."""
        check_format("byte", memory_format)
        return self.to(dtypes.uint8)

    def char(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as int8."""
        check_format("char", memory_format)
        return self.to(dtypes.int8)

    def short(self, memory_format: memory_format = preserve_format) -> Tensor:
        """The tensor as int16."""
        check_format("short", memory_format)
        return self.to(dtypes.int16)

    def cpu(self, memory_format: memory_format | None = None) -> Tensor:
        """The tensor itself: it is on the CPU."""
        check_format("cpu", memory_format)
        return self

    def contiguous(self, memory_format: memory_format = contiguous_format) -> Tensor:
        """The tensor itself if its elements lie in row-major order, else a copy in that order."""
        check_format("contiguous", memory_format)
        value = self.node._value
        is_ordered = type(value) is Batch or value.flags.c_contiguous  # inside vmap nobody can tell
        return self if is_ordered else self.clone()

    def new_tensor(
        self,
        data: TensorData,
        *,
        dtype: DTypeLike | None = None,
        requires_grad: builtins.bool = False,
        **place: Unpack[Where],
    ) -> Tensor:
        """A tensor from data, in this tensor's dtype unless another is given."""
        check_place("new_tensor", place)
        kind = self.dtype if dtype is None else dtype
        made = wrap(node_from(data, kind))
        return made.requires_grad_() if requires_grad else made

    def new_zeros(self, *sizes: Sizes, dtype: DTypeLike | None = None, **options: Unpack[New]) -> Tensor:
        """Zeros of a size, in this tensor's dtype unless another is given."""
        from .creation import zeros

        return zeros(*sizes, dtype=self.dtype if dtype is None else dtype, **options)

    def new_ones(self, *sizes: Sizes, dtype: DTypeLike | None = None, **options: Unpack[New]) -> Tensor:
        """Ones of a size, in this tensor's dtype unless another is given."""
        from .creation import ones

        return ones(*sizes, dtype=self.dtype if dtype is None else dtype, **options)

    def new_empty(self, *sizes: Sizes, dtype: DTypeLike | None = None, **options: Unpack[New]) -> Tensor:
        """Numbers that happen to lie in memory, in this tensor's dtype unless another is given."""
        from .creation import empty

        return empty(*sizes, dtype=self.dtype if dtype is None else dtype, **options)

    def new_full(
        self,
        size: Sequence[SupportsIndex],
        fill_value: Number | Tensor,
        *,
        dtype: DTypeLike | None = None,
        requires_grad: builtins.bool = False,
        **place: Unpack[Where],
    ) -> Tensor:
        """One number everywhere, in this tensor's dtype unless another is given."""
        from .creation import full

        kind = self.dtype if dtype is None else dtype
        return full(size, fill_value, dtype=kind, requires_grad=requires_grad, **place)

    # ------------------------------------------------------------ where and how it lies

    @property
    def device(self) -> Place:
        """Where it is: on the CPU."""
        return CPU

    @property
    def layout(self) -> Layout:
        """How its elements are kept: `nngrad.strided`, in an array."""
        return strided

    @property
    def is_cuda(self) -> builtins.bool:
        """False: it is on the CPU."""
        return False

    @property
    def is_meta(self) -> builtins.bool:
        """False: it has elements."""
        return False

    @property
    def is_quantized(self) -> builtins.bool:
        """False: its elements are numbers of their dtype."""
        return False

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether `retain_grad` was called, so that it keeps its gradient although it is no leaf."""
        return not self.is_leaf and "_retains_grad" in self.__dict__

    @property
    def is_sparse(self) -> builtins.bool:
        """False: all its elements are kept."""
        return False

    @property
    def itemsize(self) -> builtins.int:
        """Bytes per element."""
        return self.node.dtype.itemsize

    def element_size(self) -> builtins.int:
        """Bytes per element."""
        return self.node.dtype.itemsize

    @property
    def nbytes(self) -> builtins.int:
        """Bytes of all elements."""
        return self.node.size * self.node.dtype.itemsize

    def nelement(self) -> builtins.int:
        """The number of elements."""
        return self.node.size

    def ndimension(self) -> builtins.int:
        """The number of dimensions."""
        return self.node.ndim

    def is_floating_point(self) -> builtins.bool:
        """Whether its elements are floating-point numbers."""
        return self.node.dtype.kind == "f"

    def is_complex(self) -> builtins.bool:
        """Whether its elements are complex numbers."""
        return self.node.dtype.kind == "c"

    def is_signed(self) -> builtins.bool:
        """Whether its dtype has negative numbers."""
        return self.node.dtype.kind in "ifc"

    def is_nonzero(self) -> builtins.bool:
        """Whether its only element is not zero. Raises RuntimeError if there are more or none."""
        return builtins.bool(self)

    def cuda(self, device: Device | builtins.int = None, non_blocking: builtins.bool = False) -> Tensor:
        """Raises RuntimeError: there is no accelerator."""
        raise RuntimeError("cuda: NNGrad has no accelerator: tensors are on the CPU")

    def get_device(self) -> builtins.int:
        """-1: it is on the CPU."""
        return -1

    def is_pinned(self) -> builtins.bool:
        """False: only an accelerator needs pinned memory."""
        return False

    @overload
    def stride(self) -> tuple[builtins.int, ...]: ...
    @overload
    def stride(self, dim: builtins.int) -> builtins.int: ...
    def stride(self, dim: builtins.int | None = None) -> tuple[builtins.int, ...] | builtins.int:
        """How many elements lie from one to the next along each dimension, or along `dim`."""
        value = self.node._value
        steps: tuple[builtins.int, ...] = tuple([step // value.itemsize for step in value.strides])
        if dim is None:
            return steps
        if not steps:
            raise IndexError(f"stride: Dimension specified as {dim} but tensor has no dimensions")
        return steps[normal_dim("stride", dim, len(steps))]

    def storage_offset(self) -> builtins.int:
        """How many elements lie before its first one in the memory that it is a part of."""
        value: Any = self.node._value
        owner = value
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        offset: int = (value.ctypes.data - owner.ctypes.data) // value.itemsize
        return offset

    def untyped_storage(self) -> UntypedStorage:
        """The memory that it lies in, to ask for its size."""
        from .storage import UntypedStorage

        return UntypedStorage(self)

    def as_strided(
        self,
        size: Sequence[builtins.int],
        stride: Sequence[builtins.int],
        storage_offset: builtins.int | None = None,
    ) -> Tensor:
        """The elements at steps of one's own through the memory, of a tensor in row-major order.

        A copy: what is written to it does not show in this tensor. Raises RuntimeError for a tensor in
        another order or with an offset of its own, and where the steps lead outside of it.
        """
        offset = storage_offset or 0
        if not self.is_contiguous() or (offset and self.storage_offset()):
            raise RuntimeError("as_strided: only for a tensor whose elements lie in row-major order")
        if len(size) != len(stride) or min((*size, *stride, offset), default=0) < 0:
            raise RuntimeError(f"as_strided: size {tuple(size)} and stride {tuple(stride)} do not match")
        places: Any = np.full(tuple(size), offset)
        for dim, (n, step) in enumerate(zip(size, stride)):
            places += (np.arange(n) * step).reshape(-1, *(1,) * (len(size) - dim - 1))
        if places.size and places.max() >= self.numel():
            raise RuntimeError(
                f"as_strided: size {tuple(size)} and stride {tuple(stride)} from {offset} lead outside "
                f"of a tensor of {self.numel()} elements"
            )
        found: Tensor = self.reshape(-1)[wrap(constant(places))]
        return found

    def data_ptr(self) -> builtins.int:
        """The address of its first element. (Tensors share memory only where nobody can tell.)"""
        address: int = self.node._value.ctypes.data
        return address

    def is_contiguous(self, memory_format: memory_format = contiguous_format) -> builtins.bool:
        """Whether its elements lie in row-major order, or in that of the memory format."""
        check_format("is_contiguous", memory_format)
        value: Any = self.node._value
        if memory_format in (channels_last, channels_last_3d):
            if value.ndim != (4 if memory_format is channels_last else 5):
                return False
            value = np.moveaxis(value, 1, -1)
        contiguous: bool = value.flags.c_contiguous
        return contiguous

    # ------------------------------------------------------------ random numbers, in place

    def uniform_(
        self, from_: builtins.float = 0.0, to: builtins.float = 1.0, *, generator: Generator | None = None
    ) -> Tensor:
        """Fill with uniform numbers in [from_, to); see `nngrad.random.uniform_`."""
        from .random import uniform_

        return uniform_(self, from_, to, generator)

    def normal_(
        self, mean: builtins.float = 0.0, std: builtins.float = 1.0, *, generator: Generator | None = None
    ) -> Tensor:
        """Fill with normal numbers; see `nngrad.random.normal_`."""
        from .random import normal_

        return normal_(self, mean, std, generator)

    def bernoulli_(self, p: builtins.float | Tensor = 0.5, *, generator: Generator | None = None) -> Tensor:
        """Fill with 1 with probability p, else 0; see `nngrad.random.bernoulli_`."""
        from .random import bernoulli_

        return bernoulli_(self, p, generator)

    def random_(
        self,
        low: builtins.int | None = None,
        high: builtins.int | None = None,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fill with integers in [low, high), or [0, low); see `nngrad.random.random_`."""
        from .random import random_

        return random_(self, low, high, generator)

    def exponential_(self, lambd: builtins.float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fill with waiting times; see `nngrad.sampling.exponential_`."""
        from .sampling import exponential_

        return exponential_(self, lambd, generator=generator)

    def cauchy_(
        self, median: builtins.float = 0.0, sigma: builtins.float = 1.0, *, generator: Generator | None = None
    ) -> Tensor:
        """Fill with numbers of the Cauchy distribution; see `nngrad.sampling.cauchy_`."""
        from .sampling import cauchy_

        return cauchy_(self, median, sigma, generator=generator)

    def log_normal_(
        self, mean: builtins.float = 1.0, std: builtins.float = 2.0, *, generator: Generator | None = None
    ) -> Tensor:
        """Fill with numbers whose logarithms are normal; see `nngrad.sampling.log_normal_`."""
        from .sampling import log_normal_

        return log_normal_(self, mean, std, generator=generator)

    def geometric_(self, p: builtins.float, *, generator: Generator | None = None) -> Tensor:
        """Fill with how many tries success took; see `nngrad.sampling.geometric_`."""
        from .sampling import geometric_

        return geometric_(self, p, generator=generator)

    def bernoulli(self, p: builtins.float | None = None, *, generator: Generator | None = None) -> Tensor:
        """1 with the probability that each element is, else 0; see `nngrad.bernoulli`."""
        from .random import bernoulli

        return bernoulli(self, p, generator=generator)

    def multinomial(
        self,
        num_samples: builtins.int,
        replacement: builtins.bool = False,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Indices drawn with chances in proportion to the elements; see `nngrad.multinomial`."""
        from .sampling import multinomial

        return multinomial(self, num_samples, replacement, generator=generator)


def _answer(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Answer a NumPy function called with tensors: as on nodes, with tensors for the results."""
    result = dispatch(function, function, args, kwargs)
    if isinstance(result, (list, tuple)):
        return [wrap(r) for r in result]
    return wrap(result) if isinstance(result, Node) else result  # a bool, as allclose gives


# what its methods are made of was there before it
lifting.__dict__["Tensor"] = Tensor

TensorData: TypeAlias = "TensorLike | Nested[TensorLike]"


def node_from(data: TensorData, dtype: DTypeLike | None = None) -> Node:
    """A constant node with a copy of `data`.

    Raises ValueError for ragged sequences, TypeError for what are no numbers.
    """
    target = None if dtype is None else dtypes.to_numpy(dtype)
    if isinstance(data, Tensor):
        data = data.node._value
    if isinstance(data, (np.ndarray, np.generic)):
        array = np.array(data, target)
    else:
        array = _from_sequence(data, target)
    dtypes.of(array.dtype)
    return seal(array)


def _from_sequence(data: Any, target: Any) -> Any:
    """Nested sequences: Python's floats make the default dtype, integers int64, as in PyTorch."""
    try:
        array = np.array(_plain(data))
    except ValueError as error:
        raise ValueError(f"tensor: expected sequences of equal length: {error}") from None
    if array.dtype.kind not in "biufc" or (array.dtype == np.uint64 and not _holds_arrays(data)):
        raise TypeError(f"tensor: expected numbers that a dtype can hold, got {data!r:.80}")
    if target is not None:
        return dtypes.convert("tensor", array, target)
    if array.dtype.kind == "f" and not _holds_arrays(data):
        return dtypes.convert("tensor", array, get_default_dtype())
    if array.dtype.kind == "c" and not _holds_arrays(data):
        return array.astype(number_dtype(0j))
    if array.size == 0 and array.dtype.kind == "f":
        return array.astype(get_default_dtype())
    return array


def _plain(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.node._value
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return [_plain(d) for d in data]
    return data


def _holds_arrays(data: Any) -> bool:
    while isinstance(data, Sequence) and len(data):
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic, Tensor))


_OWN: Final = ("_after_hooks", "_hooks", "_retains_grad")


def _kept(tensor: Tensor) -> dict[str, Any]:
    """The attributes that a copy takes along: hooks stay with the tensor they were registered on."""
    return {name: value for name, value in tensor.__dict__.items() if name not in _OWN}


def _rebuild(kind: type[Tensor], value: Any, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    tensor = _new(kind)
    tensor._view = None
    tensor._grad = None
    tensor._node = seal(value)
    tensor.__dict__.update(attributes)
    return tensor.requires_grad_() if requires_grad else tensor

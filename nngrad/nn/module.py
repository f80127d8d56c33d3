"""Module: a function with parameters, as in PyTorch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar, cast

from .. import dtypes
from ..autograd import no_grad
from ..creation import Device, check_device
from ..dtypes import DTypeLike
from ..functional.dtypes import Array
from ..graph import RemovableHandle
from ..tensor import Tensor
from . import hooks, registry
from .parameter import Parameter
from .state import IncompatibleKeys, Snapshot, StateValue, load

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T", bound=Tensor)


class _HasForward(Protocol[P, R_co]):
    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class Module:
    """A function with parameters, buffers and submodules. Subclasses define `forward`.

    Parameters, buffers and modules assigned to attributes are registered under the attribute's
    name; call `super().__init__()` first.
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _transient: set[str]  # the buffers that are not part of the state
    _forward_hooks: hooks.Hooks
    _forward_pre_hooks: hooks.Hooks

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _transient=set(),
            _forward_hooks={},
            _forward_pre_hooks={},
        )

    if TYPE_CHECKING:
        # a declared __setattr__ would let checkers accept assignments to misspelt names
        forward: Callable[..., Any]
    else:

        def forward(self, *args, **kwargs):
            """What the module computes: subclasses say."""
            raise NotImplementedError(
                f'Module [{type(self).__name__}] is missing the required "forward" function'
            )

        def __setattr__(self, name, value):
            registry.assign(self, name, value)

        def __delattr__(self, name):
            object.__delattr__(self, name)
            for kept in registry.REGISTRIES.values():
                self.__dict__[kept].pop(name, None)
            self._transient.discard(name)

    def __call__(self: _HasForward[P, R_co], *args: P.args, **kwargs: P.kwargs) -> R_co:
        """`forward`, between the hooks."""
        attributes = self.__dict__
        if attributes.get("_forward_hooks") or attributes.get("_forward_pre_hooks"):
            result: R_co = hooks.call_with_hooks(cast("Module", self), args, kwargs)
            return result
        return self.forward(*args, **kwargs)

    # ------------------------------------------------------------ registering

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or with None its name.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no
        Parameter, ValueError for the result of a computation.
        """
        self._must_be_ready("parameter")
        registry.check_name("parameter", name, self)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                "(nn.Parameter or None required)"
            )
        registry.register(self, "parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but is not trained; `persistent` puts it in the state_dict.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no Tensor.
        """
        self._must_be_ready("buffer")
        registry.check_name("buffer", name, self)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)"
            )
        registry.register(self, "buffer", name, tensor)
        if persistent:
            self._transient.discard(name)
        else:
            self._transient.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule, or with None its name.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no Module.
        """
        self._must_be_ready("module")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        registry.check_name("module", name, self)
        registry.register(self, "module", name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of `add_module`."""
        self.add_module(name, module)

    def _must_be_ready(self, kind: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")

    # ------------------------------------------------------------ walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once unless `remove_duplicate` is off, with their names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, _joined(prefix, name), remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules, each once, with their names."""
        memo: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in memo:
                memo.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The direct submodules, each once."""
        return (child for _, child in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names; those of submodules too unless `recurse` is off.

        Warns of modules and parameters in plain lists, tuples and dicts, which are left out.
        """
        for module in self.modules() if recurse else (self,):
            for name, value in tuple(module.__dict__.items()):
                if isinstance(value, (list, tuple, dict)) and not name.startswith("_"):
                    registry.warn_if_hiding(module, name, value)
        return self._members(lambda module: module._parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once: what an optimiser is given."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their names; those of submodules too unless `recurse` is off."""
        return self._members(lambda module: module._buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _members(
        self, of: Callable[[Module], Mapping[str, T | None]], prefix: str, recurse: bool, once: bool
    ) -> Iterator[tuple[str, T]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=once) if recurse else ((prefix, self),)
        for path, module in modules:
            for name, member in of(module).items():
                if member is not None and id(member) not in seen:
                    if once:
                        seen.add(id(member))
                    yield _joined(path, name), member

    def get_submodule(self, target: str) -> Module:
        """The submodule of a dotted name. Raises AttributeError if there is none."""
        module = self
        for name in target.split(".") if target else ():
            found = _attribute(module, name)
            if not isinstance(found, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name. Raises AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        found = _attribute(self.get_submodule(path), name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer of a dotted name. Raises AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = _attribute(module, name)
        if name not in module._buffers or not isinstance(found, Tensor):
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    # ------------------------------------------------------------ changing all of it

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` on every module, children first; returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode, which dropout and the like depend on; returns the module."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Leave training mode; returns the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Make every parameter record operations, or none; returns the module."""
        for _, parameter in self._members(lambda module: module._parameters, "", True, True):
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradient of every parameter, or set it to zero."""
        for _, parameter in self._members(lambda module: module._parameters, "", True, True):
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else parameter.grad.detach().clone().zero_()

    def to(
        self,
        *args: DTypeLike | Tensor | Device,
        dtype: DTypeLike | None = None,
        device: Device = None,
        non_blocking: bool = False,
    ) -> Self:
        """Change the dtype of the floating-point parameters, gradients and buffers in place.

        The device is the CPU. Raises TypeError for an integer dtype, RuntimeError for another device.
        """
        for arg in args:
            if isinstance(arg, str):
                device = arg
            elif arg is not None:
                dtype = arg.dtype if isinstance(arg, Tensor) else arg
        check_device("to", device)
        if dtype is None:
            return self
        target = dtypes.of(dtypes.to_numpy(dtype))
        if not (target.is_floating_point or target.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={target}"
            )
        with no_grad():
            for _, parameter in self._members(lambda module: module._parameters, "", True, True):
                _convert(parameter, target)
                if parameter.grad is not None:
                    _convert(parameter.grad, target)
            for buffer in self.buffers():
                _convert(buffer, target)
        return self

    def float(self) -> Self:
        """Make floating-point parameters and buffers float32."""
        return self.to(dtypes.float32)

    def double(self) -> Self:
        """Make floating-point parameters and buffers float64."""
        return self.to(dtypes.float64)

    def half(self) -> Self:
        """Make floating-point parameters and buffers float16."""
        return self.to(dtypes.float16)

    def cpu(self) -> Self:
        """The module itself: it is on the CPU."""
        return self

    # ------------------------------------------------------------ state

    def state_dict(
        self,
        *,
        destination: OrderedDict[str, Tensor] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> OrderedDict[str, Tensor]:
        """Parameters and persistent buffers by name, outside the graph and in step with the module's.

        What is shared appears under each of its names. destination: a mapping to add to.
        prefix: put before each name. keep_vars: give the parameters themselves.
        """
        state: OrderedDict[str, Tensor] = OrderedDict() if destination is None else destination
        for path, module in self.named_modules(remove_duplicate=False):
            before = prefix + (path + "." if path else "")
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    state[before + name] = parameter if keep_vars else parameter.detach()
            for name, buffer in module._buffers.items():
                if buffer is not None and name not in module._transient:
                    state[before + name] = buffer if keep_vars else buffer.detach()
        return state

    def load_state_dict(self, state_dict: Mapping[str, StateValue], strict: bool = True) -> IncompatibleKeys:
        """Take parameters and buffers from a mapping of names to tensors or arrays.

        strict: the names must be exactly the module's. Raises RuntimeError listing every missing,
        unexpected and misshapen key, and then changes nothing.
        """
        return load(type(self).__name__, self.state_dict(keep_vars=True), state_dict, strict)

    def snapshot(self) -> Mapping[str, Array]:
        """The state as a value: read-only arrays by name, not copied, that no training changes."""
        return Snapshot({name: t.node.data for name, t in self.state_dict(keep_vars=True).items()})

    def load_snapshot(self, snapshot: Mapping[str, Array]) -> None:
        """Take the state from a mapping of names to arrays; read-only memory is shared, not copied.

        Raises RuntimeError listing every missing, unexpected and misshapen name, and then changes
        nothing.
        """
        load(type(self).__name__, self.state_dict(keep_vars=True), snapshot, True)

    def __copy__(self) -> Self:
        """Another module with the same members, and registries of its own."""
        copied = object.__new__(type(self))
        for name, value in self.__dict__.items():
            copied.__dict__[name] = value.copy() if name in _OWN else value
        return copied

    # ------------------------------------------------------------ hooks

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; what it returns, if not None, is the output.

        with_kwargs: call `hook(module, args, kwargs, output)`. prepend: before the other hooks.
        """
        return hooks.register(self._forward_hooks, hook, with_kwargs, prepend)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before forward; what it returns, if not None, are the arguments.

        with_kwargs: call `hook(module, args, kwargs)`, which returns None or both.
        prepend: before the other hooks.
        """
        return hooks.register(self._forward_pre_hooks, hook, with_kwargs, prepend)

    # ------------------------------------------------------------ text

    def extra_repr(self) -> str:
        """What `repr` says of the module itself, beside its submodules."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        one_line = len(lines) == 1 and not self._modules
        lines += [f"({name}): {indented(repr(child))}" for name, child in self._modules.items()]
        if not lines:
            return f"{type(self).__name__}()"
        if one_line:
            return f"{type(self).__name__}({lines[0]})"
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


_OWN = {"_parameters", "_buffers", "_modules", "_transient", "_forward_hooks", "_forward_pre_hooks"}


def indented(text: str) -> str:
    """The text with all lines but the first moved right by two."""
    first, *rest = text.split("\n")
    return "\n".join([first, *["  " + line if line.strip() else "" for line in rest]])


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _attribute(module: Module, name: str) -> object:
    if not hasattr(module, name):
        raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
    found: object = getattr(module, name)
    return found


def _convert(tensor: Tensor, dtype: dtypes.dtype) -> None:
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
        tensor.data = tensor.detach().to(dtype)

"""What a module is made of: members entered by name, and ways to walk over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from ..tensor import Tensor
from . import registry
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module

T = TypeVar("T", bound=Tensor)


class Tree:
    """The members of a module and of all modules below it."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _transient: set[str]  # the buffers that are not part of the state

    # ------------------------------------------------------------ registering

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or with None its name.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no
        Parameter, ValueError for the result of a computation.
        """
        self._must_be_ready("parameter")
        registry.check_name("parameter", name, self._module())
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                "(nn.Parameter or None required)"
            )
        registry.register(self._module(), "parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but is not trained; `persistent` puts it in the state_dict.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no Tensor.
        """
        self._must_be_ready("buffer")
        registry.check_name("buffer", name, self._module())
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)"
            )
        registry.register(self._module(), "buffer", name, tensor)
        if persistent:
            self._transient.discard(name)
        else:
            self._transient.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule, or with None its name.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no Module.
        """
        self._must_be_ready("module")
        if module is not None and not isinstance(module, Tree):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        registry.check_name("module", name, self._module())
        registry.register(self._module(), "module", name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of `add_module`."""
        self.add_module(name, module)

    def _must_be_ready(self, kind: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")

    def _module(self) -> Module:
        """Itself: every tree is a module."""
        return cast("Module", self)

    # ------------------------------------------------------------ walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once unless `remove_duplicate` is off, with their names."""
        memo = set() if memo is None else memo
        module = self._module()
        if module in memo:
            return
        if remove_duplicate:
            memo.add(module)
        yield prefix, module
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, joined(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each once unless `remove_duplicate` is off."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

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
        for module in self.modules() if recurse else (self._module(),):
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
        below = self.named_modules(prefix=prefix, remove_duplicate=once)
        modules = below if recurse else ((prefix, self._module()),)
        for path, module in modules:
            for name, member in of(module).items():
                if member is not None and id(member) not in seen:
                    if once:
                        seen.add(id(member))
                    yield joined(path, name), member

    def _each_parameter(self) -> Iterator[Parameter]:
        """The parameters, each once, without a look at what is hidden in lists."""
        return (p for _, p in self._members(lambda module: module._parameters, "", True, True))

    # ------------------------------------------------------------ finding

    def get_submodule(self, target: str) -> Module:
        """The submodule of a dotted name. Raises AttributeError if there is none."""
        module = self._module()
        for name in target.split(".") if target else ():
            found = _attribute(module, name)
            if not isinstance(found, Tree):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found._module()
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module in the place of a dotted name; strict: only where there is one already.

        Raises ValueError for no name, AttributeError where there is no place for it.
        """
        path, _, name = target.rpartition(".")
        if not name:
            raise ValueError(f"Cannot set the submodule without a target name, got {target!r}")
        if not isinstance(module, Tree):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if strict and name not in parent._modules:
            raise AttributeError(f"{type(parent).__name__} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Tree):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

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

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module, children first; returns the module."""
        for child in self.children():
            child.apply(fn)
        fn(self._module())
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
        for parameter in self._each_parameter():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradient of every parameter, or set it to zero."""
        for parameter in self._each_parameter():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else parameter.grad.detach().clone().zero_()


def joined(prefix: str, name: str) -> str:
    """A dotted name."""
    return f"{prefix}.{name}" if prefix else name


def _attribute(module: Module, name: str) -> object:
    if not hasattr(module, name):
        raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
    found: object = getattr(module, name)
    return found

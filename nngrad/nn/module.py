"""Module: a function with parameters, as in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar, cast

from ..graph import RemovableHandle
from . import hooks, registry
from .stateful import Stateful

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class _HasForward(Protocol[P, R_co]):
    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class Module(Stateful):
    """A function with parameters, buffers and submodules. Subclasses define `forward`.

    Parameters, buffers and modules assigned to attributes are registered under the attribute's
    name; call `super().__init__()` first.
    """

    _forward_hooks: hooks.Hooks
    _forward_pre_hooks: hooks.Hooks
    _backward_hooks: hooks.Hooks
    _backward_pre_hooks: hooks.Hooks

    def __init__(self) -> None:
        self.__dict__.update(training=True, _transient=set(), **{name: {} for name in _DICTS})

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
        if (
            attributes.get("_forward_hooks")
            or attributes.get("_forward_pre_hooks")
            or attributes.get("_backward_hooks")
            or attributes.get("_backward_pre_hooks")
        ):
            result: R_co = hooks.call_with_hooks(cast("Module", self), args, kwargs)
            return result
        return self.forward(*args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Change nothing: there is nothing to compile to. Takes PyTorch's arguments."""

    # ------------------------------------------------------------ copies

    def __copy__(self) -> Self:
        """Another module with the same members, and registries of its own."""
        copied = object.__new__(type(self))
        for name, value in self.__dict__.items():
            copied.__dict__[name] = value.copy() if name in _OWN else value
        return copied

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was pickled or copied, and what has been added to modules since."""
        self.__dict__.update(state)
        for name in _DICTS:
            self.__dict__.setdefault(name, {})

    # ------------------------------------------------------------ hooks

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; what it returns, if not None, is the output.

        with_kwargs: call `hook(module, args, kwargs, output)`. prepend: before the other hooks.
        always_call: also, with None for the output, where forward raises an error.
        """
        return hooks.register(self._forward_hooks, (hook, with_kwargs, always_call), prepend)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before forward; what it returns, if not None, are the arguments.

        with_kwargs: call `hook(module, args, kwargs)`, which returns None or both.
        prepend: before the other hooks.
        """
        return hooks.register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` once both are known, as tuples of tensors or None.

        grad_input has a place for each positional argument. What the hook returns, if not None, goes on
        in its place.
        """
        return hooks.register(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward.

        What it returns, if not None, takes the place of grad_output.
        """
        return hooks.register(self._backward_pre_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """PyTorch's old name of `register_full_backward_hook`, which this is."""
        return self.register_full_backward_hook(hook)

    # ------------------------------------------------------------ text

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What `repr` says of the module itself, beside its submodules."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        one_line = len(lines) == 1 and not self._modules
        lines += [f"({name}): {indented(repr(child))}" for name, child in self._modules.items()]
        if not lines:
            return f"{self._get_name()}()"
        if one_line:
            return f"{self._get_name()}({lines[0]})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


_DICTS = (
    "_parameters",
    "_buffers",
    "_modules",
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)
_OWN = {"_transient", *_DICTS}


def indented(text: str) -> str:
    """The text with all lines but the first moved right by two."""
    first, *rest = text.split("\n")
    return "\n".join([first, *["  " + line if line.strip() else "" for line in rest]])

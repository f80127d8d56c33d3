"""Hooks into a module's call, and into the way of gradients back through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..autograd import is_grad_enabled
from ..functional.node import Node
from ..functional.warn import warn_user
from ..graph import RemovableHandle
from ..lifting import wrap
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

#: hooks by the number of their handle, those of some kinds each with a flag or two
Hooks: TypeAlias = dict[int, Any]


def register(hooks: Hooks, hook: object, prepend: bool) -> RemovableHandle:
    """Add a hook after the others, or before them."""
    others = list(hooks.items())
    handle = RemovableHandle(hooks, hook)
    if prepend:
        for key, other in others:
            del hooks[key]
            hooks[key] = other
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The module's forward between its hooks, each of which may replace what it is given."""
    called: set[int] = set()
    result: Any = None
    try:
        args, kwargs = _before(module, args, kwargs)
        backward = None
        if module._backward_hooks or module._backward_pre_hooks:
            backward = _Backward(module)
            args = backward.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, (hook, with_kwargs, _) in tuple(module._forward_hooks.items()):
            called.add(key)
            given = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
            if given is not None:
                result = given
        return result if backward is None else backward.watch_outputs(result)
    except Exception:
        for key, (hook, with_kwargs, always) in tuple(module._forward_hooks.items()):
            if always and key not in called:
                _ = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        raise


def _before(
    module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for hook, with_kwargs in tuple(module._forward_pre_hooks.values()):
        if with_kwargs:
            given = hook(module, args, kwargs)
            if given is None:
                continue
            if not (isinstance(given, tuple) and len(given) == 2):
                raise RuntimeError(
                    "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                    f"but got {given}."
                )
            args, kwargs = given
        else:
            given = hook(module, args)
            if given is not None:
                args = given if isinstance(given, tuple) else (given,)
    return args, kwargs


# ---------------------------------------------------------------- the way back


class _Backward:
    """One call of a module, watched on the way back: its gradients for the hooks.

    Tensors on the way in and out that require grad pass through a node that does nothing but tell
    all their gradients at once.
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._inputs: Sequence[Any] = ()
        self._input_watched = False
        self._outputs: tuple[Tensor | None, ...] | None = None

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self._inputs = args
        watched = _watched(args, self._at_inputs)
        self._input_watched = watched is not None
        return args if watched is None else watched

    def watch_outputs(self, result: Any) -> Any:
        if not isinstance(result, (Tensor, tuple)):
            warn_user(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                f"but received {type(result)}"
            )
            return result
        watched = _watched(result if isinstance(result, tuple) else (result,), self._at_outputs)
        if watched is None:
            return result
        if not isinstance(result, tuple):
            return watched[0]
        return type(result)(*watched) if hasattr(result, "_fields") else watched

    def _at_outputs(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        module = self._module
        for hook in tuple(module._backward_pre_hooks.values()):
            given = hook(module, grads)
            if given is not None:
                grads = _checked("Backward pre hook", "grad_output", given, grads)
        self._outputs = grads
        if not self._input_watched:
            nothing = (None,) * len(self._inputs)
            for hook in tuple(module._backward_hooks.values()):
                given = hook(module, nothing, grads)
                if given is not None and any(g is not None for g in given):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return "
                        "None or None for all gradients."
                    )
            self._outputs = None
        return grads

    def _at_inputs(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        if self._outputs is None:  # the gradient came another way than through the module's output
            return grads
        for hook in tuple(self._module._backward_hooks.values()):
            given = hook(self._module, grads, self._outputs)
            if given is not None:
                grads = _checked("Backward hook", "grad_input", given, grads)
        self._outputs = None
        return grads


def _checked(what: str, name: str, given: Any, like: Sequence[object]) -> tuple[Tensor | None, ...]:
    found = given if isinstance(given, (tuple, list)) else (given,)
    if len(found) != len(like):
        raise RuntimeError(
            f"{what} returned an invalid number of {name}, got {len(found)}, but expected {len(like)}"
        )
    return tuple(found)


def _watched(
    values: tuple[Any, ...], tell: Callable[[tuple[Tensor | None, ...]], tuple[Tensor | None, ...]]
) -> tuple[Any, ...] | None:
    """The values, of which those that require grad tell their gradients; None if there are none."""
    at = [i for i, value in enumerate(values) if isinstance(value, Tensor) and value.requires_grad]
    if not at or not is_grad_enabled():
        return None
    from ..functional.custom import Derivative, custom_nodes, unpacked

    nodes = [values[i].node for i in at]

    def pull(g: Node, inputs: list[Node], record: bool) -> list[Node | None]:
        parts = [wrap(part) for part in unpacked(g, nodes)]
        grads: list[Tensor | None] = [None] * len(values)
        for i, part in zip(at, parts):
            grads[i] = part
        told = tell(tuple(grads))
        return [None if told[i] is None else told[i].node for i in at]  # type: ignore[union-attr]  # just seen

    out = list(values)
    for i, node in zip(at, custom_nodes(nodes, nodes, Derivative(pull))):
        out[i] = wrap(node)
    return tuple(out)

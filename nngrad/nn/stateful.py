"""A module's state_dict: giving it, and taking one, with hooks before and after."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from ..autograd import no_grad
from ..functional.dtypes import Array
from ..functional.node import seal
from ..functional.warn import warn_user
from ..graph import RemovableHandle
from ..lifting import wrap
from ..tensor import Size, Tensor
from .conversion import Convertible
from .hooks import Hooks
from .parameter import Parameter
from .state import IncompatibleKeys, Snapshot, StateValue, as_node, fitted, quoted

_EXTRA = "_extra_state"


class Stateful(Convertible):
    """What has a state: parameters, persistent buffers, and what `get_extra_state` gives."""

    #: goes into the state_dict's metadata; `_load_from_state_dict` is told what was there
    _version: int = 1
    _state_dict_hooks: Hooks
    _state_dict_pre_hooks: Hooks
    _load_state_dict_pre_hooks: Hooks
    _load_state_dict_post_hooks: Hooks

    # ------------------------------------------------------------ giving

    def get_extra_state(self) -> Any:
        """What else is the module's state: define it, and `set_extra_state`, to have it in state_dict."""
        raise RuntimeError("get_extra_state: a module that has extra state must define it")

    def set_extra_state(self, state: Any) -> None:
        """Take what `get_extra_state` gave."""
        raise RuntimeError("set_extra_state: a module that has extra state must define it")

    def state_dict(
        self,
        *args: Any,
        destination: OrderedDict[str, Tensor] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> OrderedDict[str, Tensor]:
        """Parameters and persistent buffers by name, outside the graph and in step with the module's.

        What is shared appears under each of its names. destination: a mapping to add to.
        prefix: put before each name. keep_vars: give the parameters themselves. These three may be
        given by position, with a warning. What `get_extra_state` gives may be anything.
        """
        if args:
            warn_user("Positional args are being deprecated, use kwargs instead.", FutureWarning)
            options: dict[str, Any] = {"destination": destination, "prefix": prefix, "keep_vars": keep_vars}
            return self.state_dict(**{**options, **dict(zip(options, args))})
        state: Any = OrderedDict() if destination is None else destination
        if destination is None:
            state._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(state, "_metadata"):
            state._metadata[prefix[:-1]] = metadata
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(state, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook, replaces in tuple(self._state_dict_hooks.values()):
            given = hook(self, state, prefix, metadata)
            if given is not None:
                if not replaces:
                    raise RuntimeError("state_dict post-hook must return None")
                state = given
        result: OrderedDict[str, Tensor] = state
        return result

    def _own_state(self) -> dict[str, Tensor]:
        own: dict[str, Tensor | None] = {
            **self._parameters,
            **{name: buffer for name, buffer in self._buffers.items() if name not in self._transient},
        }
        return {name: tensor for name, tensor in own.items() if tensor is not None}

    def _save_to_state_dict(
        self, destination: MutableMapping[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        """Add the module's own state, without that of its submodules."""
        for name, tensor in self._own_state().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + _EXTRA] = self.get_extra_state()

    def snapshot(self) -> Mapping[str, Array]:
        """The state as a value: read-only arrays by name, not copied, that no training changes."""
        state: Mapping[str, object] = self.state_dict(keep_vars=True)
        return Snapshot({name: t.node.data for name, t in state.items() if isinstance(t, Tensor)})

    # ------------------------------------------------------------ taking

    def load_state_dict(
        self, state_dict: Mapping[str, StateValue], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Take parameters and buffers from a mapping of names to tensors or arrays.

        strict: the names must be exactly the module's. assign: take the tensors themselves, with
        their dtypes, in the place of the module's. Raises RuntimeError listing every missing,
        unexpected and misshapen key, and then changes no parameter and no buffer.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        given: OrderedDict[str, Any] = OrderedDict(state_dict)
        if isinstance(state_dict, Snapshot):  # nobody will write to its arrays
            given = OrderedDict({name: wrap(seal(array)) for name, array in given.items()})
        metadata: Mapping[str, dict[str, Any]] = getattr(state_dict, "_metadata", {})
        missing: list[str] = []
        unexpected: list[str] = []
        problems: list[str] = []
        before = [
            (module, members, name, tensor, tensor.node._value)
            for module in self.modules()
            for members in (module._parameters, module._buffers)
            for name, tensor in members.items()
            if tensor is not None
        ]

        def load(module: Stateful, part: OrderedDict[str, Any], prefix: str) -> None:
            told = {**metadata.get(prefix[:-1], {}), **({"assign_to_params_buffers": True} if assign else {})}
            module._load_from_state_dict(part, prefix, told, True, missing, unexpected, problems)
            for name, child in module._modules.items():
                if child is not None:
                    start = f"{prefix}{name}."
                    below = OrderedDict({k: v for k, v in part.items() if k.startswith(start)})
                    load(child, below, start)
            found = IncompatibleKeys(missing, unexpected)
            for hook in tuple(module._load_state_dict_post_hooks.values()):
                if hook(module, found) is not None:
                    raise RuntimeError(
                        "load_state_dict post-hook must return None: change the lists of keys in place"
                    )

        try:
            load(self, given, "")
            if strict and unexpected:
                problems.insert(0, f"Unexpected key(s) in state_dict: {quoted(unexpected)}. ")
            if strict and missing:
                problems.insert(0, f"Missing key(s) in state_dict: {quoted(missing)}. ")
            if problems:
                told = "\n\t".join(problems)
                raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{told}")
        except BaseException:
            with no_grad():
                for module, members, name, tensor, value in before:
                    members[name] = module.__dict__[name] = tensor  # type: ignore[assignment]  # its own
                    if tensor.node._value is not value:
                        tensor.rebind(seal(value))
            raise
        return IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self,
        state_dict: MutableMapping[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take the module's own state, without that of its submodules, and tell what is wrong with it."""
        for hook, with_module in tuple(self._load_state_dict_pre_hooks.values()):
            of = (self,) if with_module else ()
            hook(*of, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = self._own_state()
        for name, tensor in own.items():
            key = prefix + name
            if key in state_dict:
                problem = self._take(name, tensor, key, state_dict[key], local_metadata)
                error_msgs.extend([problem] if problem else [])
            elif strict:
                missing_keys.append(key)
        extra = prefix + _EXTRA
        if type(self).set_extra_state is not Stateful.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, dot, _ = key[len(prefix) :].partition(".")
                    if first not in (self._modules if dot else own):
                        unexpected_keys.append(key)

    def _take(
        self, name: str, tensor: Tensor, key: str, value: StateValue, local_metadata: dict[str, Any]
    ) -> str | None:
        """Give one parameter or buffer a value; what is wrong with it if that cannot be."""
        node = as_node(value)
        if node is None:
            return (
                f'While copying the parameter named "{key}", expected a Tensor or Tensor-like object from '
                f"checkpoint but received {type(value)}"
            )
        if node.shape != tensor.shape and not (node.shape == (1,) and tensor.shape == ()):
            return (
                f"size mismatch for {key}: copying a param with shape {Size(node.shape)} from checkpoint, "
                f"the shape in current model is {tensor.shape}."
            )
        if not local_metadata.get("assign_to_params_buffers"):
            with no_grad():
                tensor.rebind(fitted(node, tensor.node.shape, tensor.node.dtype))
        elif isinstance(tensor, Parameter):
            wanted = value if isinstance(value, Parameter) else Parameter(wrap(node), tensor.requires_grad)
            setattr(self, name, wanted.requires_grad_(tensor.requires_grad))
        else:
            setattr(self, name, value if isinstance(value, Tensor) else wrap(node))
        return None

    def load_snapshot(self, snapshot: Mapping[str, Array]) -> None:
        """Take the state from a mapping of names to arrays; read-only memory is shared, not copied.

        Raises RuntimeError listing every missing, unexpected and misshapen name, and then changes
        nothing.
        """
        self.load_state_dict(snapshot)

    # ------------------------------------------------------------ hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict`."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict`; it returns None."""
        return RemovableHandle(self._state_dict_hooks, (hook, False))

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The same; what it returns, if not None, is the state."""
        return RemovableHandle(self._state_dict_hooks, (hook, True))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)`.

        It comes before the module takes its part of the state_dict, and may change all of them.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """The same; without the module unless `with_module`."""
        return RemovableHandle(self._load_state_dict_pre_hooks, (hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after the module has taken its state; it returns None."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook)

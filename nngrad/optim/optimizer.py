"""What all optimisers have in common: parameter groups, state, and saving both."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import chain
from typing import Any, Final, TypeAlias, TypeVar, overload

import numpy as np

from ..dtypes import DTypeLike
from ..functional.node import grad_mode, seal
from ..graph import RemovableHandle
from ..lifting import wrap
from ..tensor import Tensor, node_from
from . import hooks

R = TypeVar("R")
ParamGroup: TypeAlias = dict[str, Any]
Params: TypeAlias = Iterable[Tensor | tuple[str, Tensor] | ParamGroup]
StateDict: TypeAlias = dict[str, Any]
ParamsT: TypeAlias = Params
_params_t: TypeAlias = Params


class _Required:
    """Stands in the defaults of an optimiser for an option that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required: Final = _Required()


class Optimizer:
    """Base of the optimisers; a subclass defines `step`.

    params: tensors, (name, tensor) pairs, or groups: dicts of "params" and options of their own.
    defaults: the options of a group that does not give them.
    Raises ValueError for an empty list, a tensor that is no leaf, or one in two groups.
    """

    defaults: dict[str, Any]
    #: what is remembered about each parameter: PyTorch's names for buffers, and the buffers
    state: defaultdict[Tensor, dict[str, Any]]
    #: the groups; their options, as "lr", may be changed at any time
    param_groups: list[ParamGroup]

    _step_pre_hooks: hooks.Hooks
    _step_post_hooks: hooks.Hooks
    _saving_hooks: hooks.Hooks
    _saved_hooks: hooks.Hooks
    _loading_hooks: hooks.Hooks
    _loaded_hooks: hooks.Hooks

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = hooks.hooked(cls.__dict__["step"])  # type: ignore[method-assign]  # once

    def __init__(self, params: Params, defaults: Mapping[str, Any]) -> None:
        self._without_hooks()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}"
            )
        self.defaults = dict(defaults)
        self.state = defaultdict(dict)
        self.param_groups = []
        given: list[Any] = list(params)
        if not given:
            raise ValueError("optimizer got an empty parameter list")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: ParamGroup) -> None:
        """Optimise more parameters, with options of their own: `{"params": [...], "lr": 0.1}`.

        Raises TypeError for what holds no tensors in a fixed order, ValueError for a tensor that is
        no leaf or already in a group.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of "
                "tensors in sets will change between runs. Please use a list instead."
            )
        members: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        named = [member for member in members if isinstance(member, tuple)]
        if named and len(named) != len(members):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        tensors = [member[1] for member in named] if named else members
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is "
                    f"{type(tensor).__name__} (param {i})"
                )
            if not (tensor.is_leaf or tensor.__dict__.get("_retains_grad")):
                raise ValueError(
                    f"can't optimize a non-leaf Tensor (param {i} of shape {tuple(tensor.shape)}, made by "
                    f"{tensor.op})"
                )
        if len(set(tensors)) != len(tensors):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will "
                "cause an error",
                stacklevel=3,
            )
            tensors = list(dict.fromkeys(tensors))
        for group in self.param_groups:
            if bool(named) != ("param_names" in group):
                raise ValueError("all optimizer param groups should be with/without names")
            if not set(tensors).isdisjoint(group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")
        param_group["params"] = tensors
        if named:
            param_group["param_names"] = [member[0] for member in named]
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter {name}"
                )
            param_group.setdefault(name, default)
        self.param_groups.append(param_group)

    def _without_hooks(self) -> None:
        self._step_pre_hooks, self._step_post_hooks = {}, {}
        self._saving_hooks, self._saved_hooks = {}, {}
        self._loading_hooks, self._loaded_hooks = {}, {}

    def register_step_pre_hook(self, hook: hooks.StepPreHook) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return others for both."""
        return hooks.add(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: hooks.StepPostHook) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return hooks.add(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[[Optimizer], None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict`."""
        return hooks.add(self._saving_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` after `state_dict`; it may return another one."""
        return hooks.add(self._saved_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before `load_state_dict`; it may return another one."""
        return hooks.add(self._loading_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[[Optimizer], None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` after `load_state_dict`."""
        return hooks.add(self._loaded_hooks, hook, prepend)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                grad = p._grad
                if grad is None:
                    continue
                if set_to_none:
                    p._grad = None
                else:
                    if grad.requires_grad:
                        grad._view, grad._node = None, seal(grad.node._value)
                    grad.zero_()

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], R]) -> R: ...
    def step(self, closure: Callable[[], R] | None = None) -> R | None:
        """Update the parameters from their gradients; those without one stay as they are.

        closure: called first, with gradients enabled, to compute them; what it returns is returned.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def state_dict(self) -> StateDict:
        """The state and the groups' options, in PyTorch's layout, parameters numbered in order.

        The tensors in it are the optimiser's own and follow it: deepcopy the result to keep it.
        """
        for hook in tuple(self._saving_hooks.values()):
            hook(self)
        numbers: dict[Tensor, int] = {}
        for p in chain.from_iterable([group["params"] for group in self.param_groups]):
            numbers.setdefault(p, len(numbers))
        saved: StateDict = {
            "state": {numbers.get(p, p): dict(kept) for p, kept in self.state.items()},
            "param_groups": [
                {**group, "params": [numbers[p] for p in group["params"]]} for group in self.param_groups
            ],
        }
        for hook in tuple(self._saved_hooks.values()):
            given = hook(self, saved)
            saved = saved if given is None else given
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, PyTorch's too. All or nothing; everything is copied.

        Raises ValueError if the groups differ in number or size.
        """
        given = dict(state_dict)
        for hook in tuple(self._loading_hooks.values()):
            changed = hook(self, given)
            given = given if changed is None else changed
        saved: list[ParamGroup] = [
            {name: _copied(value, name, None) for name, value in group.items()}
            for group in given["param_groups"]
        ]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has a different number of parameter groups: {len(saved)}, not "
                f"{len(self.param_groups)}"
            )
        owners: dict[object, Tensor] = {}
        for i, (old, new) in enumerate(zip(self.param_groups, saved)):
            if len(old["params"]) != len(new["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    f"optimizer's group: group {i} has {len(new['params'])} parameters, not "
                    f"{len(old['params'])}"
                )
            owners.update(zip(new["params"], old["params"]))
            new["params"] = old["params"]
            if "param_names" in old:
                new.setdefault("param_names", old["param_names"])
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for key, kept in given["state"].items():
            owner: Any = owners.get(key, key)
            state[owner] = {name: _copied(value, name, owner) for name, value in kept.items()}
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in tuple(self._loaded_hooks.values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_step_pre_hooks" not in self.__dict__:
            self._without_hooks()
        self.__dict__.update(state)
        for group in self.param_groups:
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {i}"]
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


def _copied(value: Any, name: str, owner: Any) -> Any:
    """A copy of a piece of state; arrays and other libraries' tensors become tensors."""
    if isinstance(value, Tensor):
        array = np.array(value.node._value)
    elif hasattr(value, "__array__") and not isinstance(value, np.generic):
        array = np.array(np.asarray(value))  # in two steps: PyTorch's __array__ knows no `copy`
    elif type(value) is list:
        return [_copied(x, name, owner) for x in value]
    elif type(value) is tuple:
        return tuple([_copied(x, name, owner) for x in value])
    else:
        return deepcopy(value)
    dtype: DTypeLike | None = None
    if name != "step" and array.dtype.kind == "f" and isinstance(owner, Tensor):
        dtype = owner.node.dtype
    return wrap(node_from(array, dtype))


def call_closure(closure: Callable[[], R] | None) -> R | None:
    """The loss that a closure computes, with gradients enabled whatever the mode is."""
    if closure is None:
        return None
    token = grad_mode.set(True)
    try:
        return closure()
    finally:
        grad_mode.reset(token)

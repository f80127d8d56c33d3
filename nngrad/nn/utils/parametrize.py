"""Parameters as functions of other parameters, computed anew wherever they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from typing import Any, Final, TypeVar

from ...autograd import no_grad
from ...tensor import Tensor
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

M = TypeVar("M", bound=Module)

#: parametrised tensors by module and name, while they are kept
_cache: Final[ContextVar[dict[tuple[int, str], Tensor] | None]] = ContextVar("nngrad_cached", default=None)


@contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrised tensor is computed once, when it is first read."""
    if _cache.get() is not None:
        yield
        return
    token = _cache.set({})
    try:
        yield
    finally:
        _cache.reset(token)


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _set(tensor: Tensor, value: Tensor) -> None:
    """Give a tensor, which optimisers know, another value."""
    if value is not tensor:
        tensor.data = value.detach()


class ParametrizationList(ModuleList[Module]):
    """The parametrisations of one tensor, and the tensors that it is computed from.

    Those are `original`, or `original0`, `original1`, ... where the first parametrisation's
    `right_inverse` gives several. unsafe: shape and dtype may change, and nothing is checked.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            new: Any = original
            module: Any
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:
                        continue  # then the identity is meant
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor: bool = isinstance(new, Tensor)
        self.ntensors: int = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if new.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
            _set(original, new)
            _register(self, "original", original)
        else:
            for i, tensor in enumerate(new):
                if not isinstance(tensor, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                        f"Got element {i} of the sequence with type {type(tensor).__name__}."
                    )
                kept = tensor.detach().clone()
                if isinstance(original, Parameter):
                    kept = Parameter(kept, original.requires_grad)
                kept.requires_grad_(original.requires_grad)
                _register(self, f"original{i}", kept)
        if not unsafe:
            _check_same("unparametrized", "parametrized", shape, dtype, self())

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrised tensor becomes `value`.

        Raises RuntimeError for a parametrisation without `right_inverse`, ValueError for what does not fit.
        """
        with no_grad():
            given: Any = value
            module: Any
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                given = module.right_inverse(given)
            if self.is_tensor:
                if not isinstance(given, Tensor):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(given).__name__}")
                given = [given]
            elif not isinstance(given, Sequence) or len(given) != self.ntensors:
                raise ValueError(
                    f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. "
                    f"Got {type(given).__name__}."
                )
            for original, new in zip(self._originals(), given):
                if not isinstance(new, Tensor) or new.dtype != original.dtype:
                    raise ValueError(
                        f"The tensor returned by `right_inverse` has dtype {getattr(new, 'dtype', None)} "
                        f"while `original` has dtype {original.dtype}"
                    )
                _set(original, new)

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [getattr(self, "original")]  # noqa: B009  # registered, not declared
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        """The parametrised tensor."""
        first, *others = self
        x: Tensor = first(*self._originals())
        for module in others:
            x = module(x)
        return x


def _check_same(before: str, after: str, shape: Sequence[int], dtype: object, new: object) -> None:
    """Raise ValueError unless a parametrisation gives a tensor of that shape and dtype."""
    if not isinstance(new, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(new).__name__}.")
    for what, old, got in (("dtype", dtype, new.dtype), ("shape", shape, new.shape)):
        if old != got:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` "
                f"flag is enabled.\n{before} {what}: {old}\n{after} {what}: {got}"
            )


def _inject_class(module: Module) -> None:
    """Give the module a class of its own, which can have properties."""
    kind = type(module)

    def refuse(self: Module) -> None:
        raise RuntimeError("Serialization of parametrized modules is only supported through state_dict().")

    def copied(self: Module, memo: dict[int, Any]) -> Module:
        replica: Module = object.__new__(type(self))
        memo[id(self)] = replica
        replica.__dict__.update(deepcopy(self.__dict__, memo))
        return replica

    members: dict[str, Any] = {"__getstate__": refuse}
    if not hasattr(kind, "__deepcopy__"):
        members["__deepcopy__"] = copied
    module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), members)


def _inject_property(module: Module, name: str) -> None:
    def read(self: Any) -> Tensor:
        kept = _cache.get()
        if kept is None:
            return self.parametrizations[name]()  # type: ignore[no-any-return]  # a tensor
        key = (id(self), name)
        if key not in kept:
            kept[key] = self.parametrizations[name]()
        return kept[key]

    def write(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """From now on `module.tensor_name` is what `parametrization` makes of the tensor of that name.

    The tensor itself becomes `module.parametrizations.tensor_name.original`. A parametrisation with a
    method `right_inverse` can be assigned to; where that gives several tensors, they become original0,
    original1, ... Several parametrisations are applied one after the other. unsafe: shape and dtype may
    change. Raises ValueError where they do though they may not, and where there is no such tensor.

    >>> import nngrad
    >>> class Doubled(Module):
    ...     def forward(self, x: Tensor) -> Tensor:
    ...         return x * 2
    >>> layer = register_parametrization(nngrad.nn.Linear(1, 1), "weight", Doubled())
    >>> (layer.weight == layer.parametrizations.weight.original * 2).item()
    True
    """
    parametrization.train(module.training)
    found: Any = module
    if is_parametrized(module, tensor_name):
        if not unsafe:
            now: Tensor = getattr(module, tensor_name)
            made = parametrization(now)
            _check_same(
                f"module.{tensor_name}",
                f"parametrization(module.{tensor_name})",
                now.shape,
                now.dtype,
                made,
            )
            if hasattr(parametrization, "right_inverse"):
                _check_same(
                    f"module.{tensor_name}",
                    "right_inverse",
                    now.shape,
                    now.dtype,
                    _inverted(parametrization, made, now),
                )
        found.parametrizations[tensor_name].append(parametrization)
        found.parametrizations[tensor_name].unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        listed = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_class(module)
            found.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        found.parametrizations[tensor_name] = listed
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def _inverted(parametrization: Any, value: Tensor, otherwise: Tensor) -> object:
    try:
        return parametrization.right_inverse(value)
    except NotImplementedError:
        return otherwise


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether that tensor of the module is parametrised; without a name, whether any is."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make `module.tensor_name` a plain tensor again: its present value, or else the original.

    Raises ValueError where it is not parametrised, or computed from several tensors and the original
    is asked for.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    found: Any = module
    listed = found.parametrizations[tensor_name]
    if listed.is_tensor:
        original = listed.original
        if leave_parametrized:
            with no_grad():
                _set(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms "
            "of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del found.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del found.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of the module as it was made."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)

"""What becomes of an attribute that is assigned to a module.

Parameters, buffers and submodules are ordinary attributes, listed in an ordered registry besides,
so type checkers see them and a misspelt name is an AttributeError.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ..functional.warn import warn_user
from ..naming import library
from ..tensor import Tensor
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from .module import Module

#: the registries of a module, in the order in which they claim a name
REGISTRIES: Final = {"parameter": "_parameters", "module": "_modules", "buffer": "_buffers"}
_EXPECTED: Final = {
    "parameter": "as parameter '{}' (nn.Parameter or None expected)",
    "module": "as child module '{}' (nn.Module or None expected)",
    "buffer": "as buffer '{}' (nn.Buffer, Tensor or None expected)",
}
_SCANNED: Final = 100


def assign(module: Module, name: str, value: object) -> None:
    """Set an attribute, and register it if it is a parameter, buffer or module."""
    from .module import Module

    kind = (
        "parameter"
        if isinstance(value, Parameter)
        else "module"
        if isinstance(value, Module)
        else "buffer"
        if isinstance(value, Buffer)
        else None
    )
    attributes = module.__dict__
    if "_parameters" not in attributes:
        if kind is not None:
            plural = "parameters" if kind == "parameter" else kind
            raise AttributeError(f"cannot assign {plural} before Module.__init__() call")
    elif not isinstance(getattr(type(module), name, None), property):
        for holder, registry in REGISTRIES.items():
            if kind is not None and kind == holder:
                check_name(kind, name)
                register(module, kind, name, value)
                return
            if name in attributes[registry]:
                if value is not None and not (holder == "buffer" and isinstance(value, Tensor)):
                    expected = _EXPECTED[holder].format(name)
                    raise TypeError(f"cannot assign '{type(value).__name__}' {expected}")
                attributes[registry][name] = attributes[name] = value
                return
        if isinstance(value, (list, tuple, dict)):
            warn_if_hiding(module, name, value)
    object.__setattr__(module, name, value)


def register(module: Module, kind: str, name: str, value: Any) -> None:
    """Enter a value in a registry and as an attribute, and take the name out of the others."""
    if kind == "parameter" and value is not None and not value.is_leaf:
        raise ValueError(
            f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
            f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
            "forward() method."
        )
    attributes = module.__dict__
    for holder, registry in REGISTRIES.items():
        if holder != kind:
            attributes[registry].pop(name, None)
    attributes["_transient"].discard(name)
    if isinstance(value, Buffer) and not value.persistent:
        attributes["_transient"].add(name)
    attributes[REGISTRIES[kind]][name] = attributes[name] = value


def check_name(kind: str, name: object, module: Module | None = None) -> None:
    """Raise for what cannot name a parameter, buffer or submodule, or (given `module`) is taken there."""
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
    if module is not None and hasattr(module, name) and name not in module.__dict__[REGISTRIES[kind]]:
        raise KeyError(f"attribute '{name}' already exists")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')


def warn_if_hiding(module: Module, name: str, value: object) -> None:
    """Warn, once per attribute, of a plain container whose contents the module will not see.

    Programs written for PyTorch, which does not warn, are left alone.
    """
    if library() == "torch":
        return
    held = _held_in(value, depth=3)
    told: set[str] = module.__dict__.get("_told", set())
    if held is None or name in told:
        return
    kind = "dict" if isinstance(value, dict) else "tuple" if isinstance(value, tuple) else "list"
    use = f"nn.{held}{'Dict' if kind == 'dict' else 'List'}"
    warn_user(
        f"{type(module).__name__}.{name} is a plain {kind} that holds a {held}: parameters() and "
        f"state_dict() will not see it, so it will be neither trained nor saved. Use self.{name} = "
        f"{use}(...) instead."
    )
    module.__dict__["_told"] = told | {name}


def _held_in(value: object, depth: int) -> str | None:
    """What a plain container holds among its first items, itself or in containers within."""
    from .module import Module

    if isinstance(value, Parameter):
        return "Parameter"
    if isinstance(value, Module):
        return "Module"
    if depth and isinstance(value, (list, tuple, dict)):
        for item in islice(value.values() if isinstance(value, dict) else value, _SCANNED):
            held = _held_in(item, depth - 1)
            if held is not None:
                return held
    return None

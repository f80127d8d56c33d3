"""A module called with other parameters than its own, as a function of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from ..autograd import no_grad
from ..operations import stack
from ..tensor import Tensor
from .module import Module


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """What `module(*args, **kwargs)` would be with these tensors for its parameters and buffers.

    parameter_and_buffer_dicts: tensors by name, or several such mappings; what is not named is the
    module's own. args: a tuple, or the only argument. tie_weights: what the module has under several
    names is replaced under all of them. strict: the names must be exactly the module's.
    The module itself does not change: shallow copies of it and of its submodules are called, so
    threads may do this at once, and attributes that `forward` assigns are theirs.
    Raises ValueError for a name given twice, RuntimeError where `strict` does.

    >>> layer = nngrad.nn.Linear(2, 1)
    >>> parameters = {"weight": nngrad.ones(1, 2), "bias": nngrad.zeros(1)}
    >>> functional_call(layer, parameters, nngrad.ones(3, 2)).tolist()
    [[2.0], [2.0], [2.0]]
    """
    values = _merged(parameter_and_buffer_dicts)
    own: dict[str, Tensor] = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if strict:
        _check_names(module, values, own)
    if tie_weights:
        values = _tied(values, own)
    called = _copied(module, {})
    for name, value in values.items():
        path, _, last = name.rpartition(".")
        _replace(called.get_submodule(path), last, value)
    given = () if args is None else args if isinstance(args, tuple) else (args,)
    return called(*given, **(kwargs or {}))


def _merged(given: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, (list, tuple)) or not all(isinstance(part, Mapping) for part in given):
        raise ValueError(
            "functional_call: expected parameter_and_buffer_dicts to be a dict, or a list or tuple of dicts, "
            f"but got {type(given).__name__}"
        )
    values: dict[str, Tensor] = {}
    for part in given:
        for name, value in part.items():
            if name in values:
                raise ValueError(
                    f"functional_call: {name} appeared in multiple dictionaries; behavior of functional call "
                    "is ambiguous"
                )
            values[name] = value
    return values


def _check_names(module: Module, values: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    missing = [name for name in own if name not in values]
    unexpected = [name for name in values if name not in own]
    if missing or unexpected:
        raise RuntimeError(
            f"functional_call: Error(s) in reparametrizing for {type(module).__name__}: "
            f"missing key(s): {missing}, unexpected key(s): {unexpected}"
        )


def _tied(values: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The values under every name that the module has for the same tensor."""
    names: dict[int, list[str]] = {}
    for name, tensor in own.items():
        names.setdefault(id(tensor), []).append(name)
    tied = dict(values)
    for same in names.values():
        given = [name for name in same if name in values]
        if any(values[name] is not values[given[0]] for name in given):
            raise ValueError(
                f"functional_call got multiple values for keys {given}, which are tied. Consider using "
                "tie_weights=False"
            )
        if given:
            tied.update(dict.fromkeys(same, values[given[0]]))
    return tied


def _copied(module: Module, known: dict[int, Module]) -> Module:
    """The module with registries of its own, and so its submodules."""
    if id(module) in known:
        return known[id(module)]
    copied = known[id(module)] = copy(module)
    for name, child in module._modules.items():
        if child is not None:
            copied._modules[name] = _copied(child, known)
            if name in copied.__dict__:
                copied.__dict__[name] = copied._modules[name]
    return copied


def _replace(module: Module, name: str, value: Tensor) -> None:
    """Let the module have a tensor under that name, be it a Parameter or not."""
    registry: dict[str, Any] = module._parameters if name in module._parameters else module._buffers
    if name in registry:
        registry[name] = value
    module.__dict__[name] = value


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters, and the buffers, of modules of one class, stacked along a new first dimension.

    For `vmap` over an ensemble with `functional_call`. Stacked parameters are leaves that require
    grad if all those of the modules do. Raises RuntimeError if there are no modules, or modules of several
    classes or modes.

    >>> parameters, buffers = stack_module_state([nngrad.nn.Linear(2, 1) for _ in range(3)])
    >>> parameters["weight"].shape
    nngrad.Size([3, 1, 2])
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(m.named_parameters()) for m in models]
    buffers = [dict(m.named_buffers()) for m in models]
    return (
        {name: _stacked(name, [p[name] for p in parameters]) for name in parameters[0]},
        {name: _stacked(name, [b[name] for b in buffers]) for name in buffers[0]},
    )


def _stacked(name: str, tensors: list[Tensor]) -> Tensor:
    asked = {t.requires_grad for t in tensors}
    if len(asked) > 1:
        raise RuntimeError(
            f"stack_module_state: Expected {name} of all models to have the same requires_grad."
        )
    with no_grad():
        stacked = stack(tensors)
    return stacked.requires_grad_(asked.pop())


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Have batch norms in a module, which is changed and given back, keep no running statistics.

    vmap cannot update them: they would differ from example to example.

    >>> from nngrad import func, nn
    >>> net = replace_all_batch_norm_modules_(nn.Sequential(nn.BatchNorm1d(2)))
    >>> func.vmap(net)(nngrad.ones(3, 5, 2)).shape
    nngrad.Size([3, 5, 2])
    """
    from .modules.batchnorm import _BatchNorm

    for module in root.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root

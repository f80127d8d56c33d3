"""Functions of lists of tensors, which optimisers of other people are written in: one tensor at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from . import operations
from .tensor import Tensor

Tensors = Sequence[Tensor]

#: what takes tensors alone
_ALONE: Final = (
    *("abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac"),
    *("lgamma", "log", "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign"),
    *("sin", "sinh", "sqrt", "tan", "tanh", "trunc"),
)
#: what takes a number, or a list of tensors or numbers beside
_BESIDE: Final = (
    *("add", "clamp_max", "clamp_min", "div", "maximum", "minimum", "mul", "pow", "sub"),
    *("addcdiv", "addcmul", "lerp", "mm", "norm"),
)
#: what these are called where the other operand is a number
_OF_NUMBERS: Final = {"maximum": "clamp_min", "minimum": "clamp_max"}


def _over(name: str) -> Callable[..., Any]:
    """`_foreach_<name>`: the method of each tensor, with its own part of each list that is given."""
    in_place = name.endswith("_")
    bare = name.removesuffix("_")

    def each(self: Any, *args: Any, **kwargs: Any) -> Any:
        tensors: list[Tensor] = list(self)
        scale = "value" if bare in ("addcdiv", "addcmul") else None
        if scale is not None and len(args) > 2:  # the scales may come last by position
            *args, kwargs[scale] = args  # type: ignore[assignment]
        found = []
        for i, tensor in enumerate(tensors):
            mine = [_part(name, arg, i, len(tensors)) for arg in args]
            named = {key: _part(name, value, i, len(tensors)) for key, value in kwargs.items()}
            method = bare
            if bare in _OF_NUMBERS and mine and not isinstance(mine[0], Tensor):
                method = _OF_NUMBERS[bare]
            if not in_place:
                found.append(getattr(tensor, method)(*mine, **named))
            elif hasattr(tensor, f"{method}_"):
                found.append(getattr(tensor, f"{method}_")(*mine, **named))
            else:
                found.append(tensor.copy_(getattr(tensor, method)(*mine, **named)))
        return tuple(found)

    each.__name__ = each.__qualname__ = f"_foreach_{name}"
    each.__doc__ = f"`{name}` of each of a list of tensors."
    return each


def _part(name: str, arg: Any, i: int, count: int) -> Any:
    if not isinstance(arg, (list, tuple)):
        return arg
    if len(arg) != count:
        raise RuntimeError(
            f"_foreach_{name}: Tensor lists must have the same number of tensors, got {count} and {len(arg)}"
        )
    return arg[i]


def _foreach_clone(self: Tensors) -> tuple[Tensor, ...]:
    """A copy of each."""
    return tuple([tensor.clone() for tensor in self])


def _foreach_copy_(self: Tensors, src: Tensors, non_blocking: bool = False) -> tuple[Tensor, ...]:
    """Copy a tensor to each."""
    return tuple([tensor.copy_(source) for tensor, source in zip(self, src, strict=True)])


def _foreach_zero_(self: Tensors) -> tuple[Tensor, ...]:
    """Fill each with zeros."""
    return tuple([tensor.zero_() for tensor in self])


def _foreach_max(self: Tensors) -> tuple[Tensor, ...]:
    """The maximum of each."""
    return tuple([operations.max(tensor) for tensor in self])


if not TYPE_CHECKING:
    for _name in (*_ALONE, *_BESIDE):
        globals()[f"_foreach_{_name}"] = _over(_name)
        if _name not in ("mm", "norm"):
            globals()[f"_foreach_{_name}_"] = _over(f"{_name}_")

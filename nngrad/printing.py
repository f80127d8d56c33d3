"""Tensors as text, as PyTorch prints them.

Where a formatter is made: once per tensor, from the elements that will be shown. It fixes one
width and one notation for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from .dtypes import of
from .functional.batch import Batch, levels_of
from .functional.dtypes import get_default_dtype
from .functional.node import is_held, seal
from .lifting import wrap

if TYPE_CHECKING:
    from .tensor import Tensor

Profile: TypeAlias = Literal["default", "short", "full"]


class _Options:
    """How to print: the fields are the arguments of `set_printoptions`."""

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


_options: Final = _Options()
_PROFILES: Final[dict[str, tuple[int, float, int]]] = {
    "default": (4, 1000, 3),
    "short": (2, 1000, 2),
    "full": (4, math.inf, 3),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: Profile | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors print; what is not given stays as it is, but for sci_mode.

    precision: digits after the point; threshold: more elements than this are summarised, with
    `edgeitems` at each end of a dimension; linewidth: characters per line; sci_mode: always or
    never 1.0000e+00, None where it reads better; profile: 'default', 'short' or 'full'.
    Raises ValueError for another profile.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {list(_PROFILES)}, got {profile!r}")
        _options.precision, _options.threshold, _options.edgeitems = _PROFILES[profile]
        _options.linewidth = 80
    _options.precision = _options.precision if precision is None else precision
    _options.threshold = _options.threshold if threshold is None else threshold
    _options.edgeitems = _options.edgeitems if edgeitems is None else edgeitems
    _options.linewidth = _options.linewidth if linewidth is None else linewidth
    _options.sci_mode = sci_mode


#: an element's text, and the width that all of them fill
_Formatter: TypeAlias = tuple[Callable[[Any], str], int]


def tensor_repr(tensor: Tensor) -> str:
    """The text of a tensor: its elements, then what is not the default."""
    node = tensor.node
    prefix = "tensor(" if type(tensor).__name__ in ("Tensor", "Parameter") else f"{type(tensor).__name__}("
    suffixes: list[str] = []
    if type(node._value) is Batch:
        return _batch_repr(node._value)
    if not is_held(node):
        text = f"<{node._value.why}>"
    else:
        array = np.asarray(node.data)
        text = _text(array, len(prefix))
        complex_default = np.result_type(get_default_dtype(), np.complex64)
        is_default = array.dtype in (get_default_dtype(), complex_default, np.int64, np.bool_)
        if not array.size:
            if array.shape != (0,):
                suffixes.append(f"size={array.shape}")
            is_default = array.dtype == get_default_dtype()  # nothing to infer another one from
        elif not _options.edgeitems:
            suffixes.append(f"size={array.shape}")
        if not is_default:
            suffixes.append(f"dtype={of(array.dtype)}")
    grad_fn = tensor.grad_fn
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn.name()}>")
    elif node.tracked:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + text, suffixes, len(prefix))


def _batch_repr(batch: Batch) -> str:
    """What stands for one example inside vmap: all examples, as PyTorch shows them."""
    array = batch.array
    lines = repr(wrap(seal(array))).replace("\n", "\n    ")
    where = f"lvl={len(levels_of(batch))}, bdim={None if batch.same else 0}"
    ended = "" if batch.level.alive else ", of a vmap that has ended"
    return f"BatchedTensor({where}{ended}, value=\n    {lines}\n)"


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"


def _text(array: Any, indent: int) -> str:
    if not array.size:
        return "[]"
    summarize = array.size > _options.threshold
    shown = _edges(array) if summarize else array
    form = _complex_formatter(shown) if array.dtype.kind == "c" else _formatter(shown)
    return _nested(array, indent, summarize, form)


def _edges(array: Any) -> Any:
    """The elements that a summary shows."""
    keep = _options.edgeitems
    for axis, length in enumerate(array.shape):
        if length > 2 * keep:
            array = np.take(array, [*range(keep), *range(length - keep, length)], axis)
    return array


def _nested(array: Any, indent: int, summarize: bool, form: _Formatter) -> str:
    if array.ndim == 0:
        write, _ = form
        return write(array.item())
    keep = _options.edgeitems
    cut = summarize and array.shape[0] > 2 * keep
    heads, tails = (array[:keep], array[len(array) - keep :]) if cut else (array, array[:0])
    if array.ndim == 1:
        write, width = form
        items = [write(x) for x in heads.tolist()]
        if cut:
            items += [" ...", *[write(x) for x in tails.tolist()]] if keep else ["..."]
        per_line = max(1, (_options.linewidth - indent) // (width + 2))
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = [_nested(row, indent + 1, summarize, form) for row in heads]
    if cut:
        rows += ["...", *[_nested(row, indent + 1, summarize, form) for row in tails]]
    between: str = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + between.join(rows) + "]"


def _formatter(shown: Any) -> _Formatter:
    """The notation for elements: as they are, as `1.`, as 1.0000 or as 1.0000e+00."""
    if shown.dtype.kind != "f":
        return _padded(str, shown.reshape(-1).tolist())
    numbers = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    if not numbers.size:
        return _padded(_whole, [], 1)
    sizes = np.abs(numbers)
    smallest, largest = float(sizes.min()), float(sizes.max())
    sci_mode = _options.sci_mode
    if sci_mode is None:
        sci_mode = largest / smallest > 1000.0 or largest > 1e8 or smallest < 1e-4
    notation: Callable[[Any], str] = f"{{:.{_options.precision}{'e' if sci_mode else 'f'}}}".format
    if not sci_mode and bool(np.all(numbers == np.ceil(numbers))):
        notation = _whole
    return _padded(notation, numbers.tolist())


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else f"{value}"


def _padded(notation: Callable[[Any], str], samples: list[Any], at_least: int = 1) -> _Formatter:
    width = max([at_least, *[len(notation(x)) for x in samples]])
    return lambda value: notation(value).rjust(width), width


def _complex_formatter(shown: Any) -> _Formatter:
    (real, real_width), (imaginary, imaginary_width) = _formatter(shown.real), _formatter(shown.imag)

    def write(value: complex) -> str:
        text = (imaginary(value.imag) + "j").lstrip()
        return real(value.real) + ("" if text[0] in "+-" else "+") + text

    return write, real_width + imaginary_width + 1

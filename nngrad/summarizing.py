"""What a model is made of: its layers, what they give, and the memory they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple, TypeAlias

from .autograd import no_grad
from .creation import zeros
from .dtypes import DTypeLike
from .functional.trees import leaves
from .generator import default_generator
from .nn import Module
from .tensor import Tensor

Inputs: TypeAlias = Tensor | Sequence[Any] | Mapping[str, Any]
Sizes: TypeAlias = Sequence[int] | Sequence[Sequence[int]]

_HEAD: Final = ("Layer", "Output shape", "Parameters")


class Layer(NamedTuple):
    """One module of a model. Parameters and buffers are its own, not those of the modules within."""

    name: str
    kind: str
    depth: int
    #: the shapes of what it gave when it was first called; None if it was not
    outputs: tuple[tuple[int, ...], ...] | None
    calls: int
    parameters: int
    trainable: int
    parameter_bytes: int
    buffer_bytes: int
    #: bytes of all that it gave, if there is no module within it that gives it
    output_bytes: int


class Summary:
    """A table of a model's layers: text, and HTML in notebooks."""

    def __init__(self, model: str, layers: Sequence[Layer], input_bytes: int | None) -> None:
        self.model: Final = model
        self.layers: Final = tuple(layers)
        #: bytes of the input; None if the model was not run
        self.input_bytes: Final = input_bytes

    @property
    def parameters(self) -> int:
        """How many numbers all parameters have, each parameter counted once."""
        return sum([layer.parameters for layer in self.layers])

    @property
    def trainable(self) -> int:
        """How many numbers are trained."""
        return sum([layer.trainable for layer in self.layers])

    @property
    def parameter_bytes(self) -> int:
        """Bytes of the parameters."""
        return sum([layer.parameter_bytes for layer in self.layers])

    @property
    def buffer_bytes(self) -> int:
        """Bytes of the buffers."""
        return sum([layer.buffer_bytes for layer in self.layers])

    @property
    def output_bytes(self) -> int:
        """Bytes of what the innermost layers gave: about what training keeps for the way back."""
        return sum([layer.output_bytes for layer in self.layers])

    def _totals(self) -> list[tuple[str, str]]:
        totals = [
            ("Parameters", f"{self.parameters:,}"),
            ("of these trainable", f"{self.trainable:,}"),
            ("Memory of parameters", _bytes(self.parameter_bytes)),
        ]
        if self.buffer_bytes:
            totals.append(("Memory of buffers", _bytes(self.buffer_bytes)))
        if self.input_bytes is not None:
            totals.append(("Memory of the input", _bytes(self.input_bytes)))
            totals.append(("Memory of outputs", _bytes(self.output_bytes)))
        return totals

    def __str__(self) -> str:
        rows = [("  " * layer.depth + _named(layer), *_told(layer)) for layer in self.layers]
        widths = [max(len(row[i]) for row in [_HEAD, *rows]) for i in range(3)]

        def line(row: Sequence[str]) -> str:
            return f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}".rstrip()

        rule = "-" * (sum(widths) + 4)
        totals = self._totals()
        width = max(len(name) for name, _ in totals)
        below = [f"{name:<{width}}  {value:>12}" for name, value in totals]
        return "\n".join([line(_HEAD), rule, *map(line, rows), rule, *below])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        left, right = "text-align:left;padding:2px 12px", "text-align:right;padding:2px 12px"
        styles = (left, left, right)
        parts = ['<table style="border-collapse:collapse"><thead><tr style="border-bottom:1px solid">']
        parts += [f'<th style="{style}">{name}</th>' for name, style in zip(_HEAD, styles)]
        parts.append("</tr></thead><tbody>")
        for layer in self.layers:
            cells = (_named(layer), *_told(layer))
            indented = (f"{left};padding-left:{12 + 18 * layer.depth}px", left, right)
            row = [f'<td style="{style}">{escape(cell)}</td>' for cell, style in zip(cells, indented)]
            parts.append(f"<tr>{''.join(row)}</tr>")
        parts.append('</tbody><tfoot style="border-top:1px solid">')
        for name, value in self._totals():
            parts.append(
                f'<tr><td colspan="2" style="{left}">{name}</td><td style="{right}">{value}</td></tr>'
            )
        return "".join([*parts, "</tfoot></table>"])


def _named(layer: Layer) -> str:
    return f"{layer.name}: {layer.kind}" if layer.name else layer.kind


def _told(layer: Layer) -> tuple[str, str]:
    if layer.outputs is None:
        shape = "-"
    else:
        shape = ", ".join([str(list(size)) for size in layer.outputs])
        if layer.calls > 1:
            shape += f" ({layer.calls} calls)"
    return shape, f"{layer.parameters:,}" if layer.parameters else "-"


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def summary(
    model: Module,
    input: Inputs | Sizes | None = None,
    *,
    input_size: Sizes | None = None,
    dtype: DTypeLike | None = None,
) -> Summary:
    """The layers of a model: what they give, their parameters, and the memory that takes.

    input: what the model is called with to find the shapes out: a tensor, a tuple of arguments or
    a dict of keyword arguments. input_size: instead, the size of an input of zeros (or the sizes of
    several), of `dtype`. Sizes may also be given for `input`. Without either, the model is not run.
    It runs without recording, in eval mode; nothing about it is changed, nor about random numbers.
    Raises TypeError for what is no model or no input.

    >>> from nngrad import nn
    >>> print(summary(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), (1, 4)))
    Layer        Output shape  Parameters
    -------------------------------------
    Sequential   [1, 2]                 -
      0: Linear  [1, 8]                40
      1: ReLU    [1, 8]                 -
      2: Linear  [1, 2]                18
    -------------------------------------
    Parameters                      58
    of these trainable              58
    Memory of parameters         232 B
    Memory of the input           16 B
    Memory of outputs             72 B
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: model must be an nn.Module, got {type(model).__name__}")
    asked: Any = input if input_size is None else input_size
    if input_size is not None or _are_sizes(input):
        if asked is not input and (input is not None or not _are_sizes(asked)):
            raise TypeError(f"summary: expected an input or sizes of one, got {asked!r:.80}")
        sizes = [asked] if all(isinstance(n, int) for n in asked) else asked
        asked = tuple([zeros(tuple(size), dtype=dtype) for size in sizes])
    given: dict[Module, list[list[Tensor]]] = {}
    if asked is not None:
        _run(model, asked, given)
    seen: set[int] = set()
    layers = [_layer(name, module, given, seen) for name, module in model.named_modules()]
    return Summary(type(model).__name__, layers, None if asked is None else _size(_tensors(asked)))


def _are_sizes(given: object) -> bool:
    if not isinstance(given, (tuple, list)) or not given:
        return False
    return all(isinstance(n, int) for n in given) or all(
        isinstance(part, (tuple, list)) and all(isinstance(n, int) for n in part) for part in given
    )


def _run(model: Module, input: Any, given: dict[Module, list[list[Tensor]]]) -> None:
    """Call the model once, and note what each module gives."""

    def note(module: Module, args: object, output: object) -> None:
        given.setdefault(module, []).append(_tensors(output))

    modes = {module: module.training for module in model.modules()}
    state = default_generator.get_state()
    handles = [module.register_forward_hook(note) for module in modes]
    try:
        model.eval()
        with no_grad():
            if isinstance(input, Mapping):
                model(**input)
            elif isinstance(input, (tuple, list)):
                model(*input)
            else:
                model(input)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
        default_generator.set_state(state)


def _layer(name: str, module: Module, given: Mapping[Module, list[list[Tensor]]], seen: set[int]) -> Layer:
    own = [p for p in module.parameters(recurse=False) if id(p) not in seen]
    seen.update(map(id, own))
    buffers = [b for b in module.buffers(recurse=False) if id(b) not in seen]
    seen.update(map(id, buffers))
    calls = given.get(module, [])
    innermost = next(module.children(), None) is None
    return Layer(
        name=name.rpartition(".")[2],
        kind=type(module).__name__,
        depth=name.count(".") + 1 if name else 0,
        outputs=tuple([tuple(t.shape) for t in calls[0]]) if calls else None,
        calls=len(calls),
        parameters=sum([p.numel() for p in own]),
        trainable=sum([p.numel() for p in own if p.requires_grad]),
        parameter_bytes=_size(own),
        buffer_bytes=_size(buffers),
        output_bytes=sum(map(_size, calls)) if innermost else 0,
    )


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for _, leaf in leaves(tree) if isinstance(leaf, Tensor)]


def _size(tensors: Sequence[Tensor]) -> int:
    return sum([t.nbytes for t in tensors])

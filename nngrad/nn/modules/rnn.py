"""Recurrent layers and cells: each layer and direction runs as one operation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias, overload

import numpy as np

from ...creation import Device
from ...dtypes import DTypeLike
from ...functional.node import Node, seal
from ...functional.recurrent import Mode, run_cell, run_layers
from ...functional.shape import reshape
from ...functional.warn import warn_user
from ...lifting import wrap
from ...tensor import Tensor
from .. import init
from ..dropping import _drawn
from ..module import Module
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .layer import empty_parameter

Nonlinearity: TypeAlias = Literal["tanh", "relu"]
Pair: TypeAlias = tuple[Tensor, Tensor]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: parameters, their first values, and the walk through the layers.

    Parameters of layer k: weight_ih_l[k] (gates * hidden, input), weight_hh_l[k] (gates * hidden,
    hidden), bias_ih_l[k] and bias_hh_l[k]; with projections weight_hr_l[k] (proj_size, hidden); those
    of the other direction end in _reverse. All uniform within 1 / sqrt(hidden_size).
    """

    _called: ClassVar[str] = "RNN"
    weight_ih_l0: Parameter
    weight_hh_l0: Parameter
    bias_ih_l0: Parameter
    bias_hh_l0: Parameter

    def __init__(
        self,
        mode: Mode,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check_options(mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        self.mode: Mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout: float = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, width = _GATES[mode] * hidden_size, proj_size or hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: 1 + bidirectional]:
                fed = input_size if layer == 0 else width * (1 + bidirectional)
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, fed), "weight_hh": (rows, width)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = [f"{name}_l{layer}{suffix}" for name in shapes]
                for name, shape in zip(names, shapes.values()):
                    setattr(self, name, empty_parameter(self, *shape, device=device, dtype=dtype))
                self._all_weights.append(names)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first values anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: there is no memory layout to be restored."""

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [getattr(self, name) for names in self._all_weights for name in names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        shown = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False}
        for name, usual in {"proj_size": 0, **shown}.items():
            value = getattr(self, name)
            if value != usual:
                text += f", {name}={value}"
        return text

    def _run(
        self, input: Tensor | PackedSequence, hx: Sequence[Tensor] | None
    ) -> tuple[Tensor | PackedSequence, list[Tensor]]:
        """The last layer's states at all times, and the last states (LSTM: and cells) of all layers."""
        if isinstance(input, PackedSequence):
            packed, x = input, input.data
            if x.ndim != 2:
                raise RuntimeError(f"input must have 2 dimensions, got {x.ndim}")
            sizes = tuple(packed.batch_sizes.tolist())
            if hx is not None and packed.sorted_indices is not None:
                hx = [h.index_select(1, packed.sorted_indices) for h in hx]
            out, ends = self._layers(x.node, sizes, hx)
            if packed.unsorted_indices is not None:
                ends = [h.index_select(1, packed.unsorted_indices) for h in ends]
            return PackedSequence(wrap(out), *tuple(packed)[1:]), ends
        if input.ndim not in (2, 3):
            tail = "D tensor instead" if self._called == "RNN" else "D instead"
            raise ValueError(f"{self._called}: Expected input to be 2D or 3D, got {input.ndim}{tail}")
        alone = input.ndim == 2
        if hx is not None:
            self._check_dimensions(alone, hx)
        along = 0 if self.batch_first else 1
        if alone:
            input = input.unsqueeze(along)
            hx = None if hx is None else [h.unsqueeze(1) for h in hx]
        x = input.transpose(0, 1) if self.batch_first else input
        time, count, width = x.shape
        out, ends = self._layers(reshape(x.node, (time * count, width)), (count,) * time, hx)
        result = wrap(reshape(out, (time, count, out.shape[1])))
        if alone:
            return result.squeeze(1), [h.squeeze(1) for h in ends]
        return result.transpose(0, 1) if self.batch_first else result, ends

    def _check_dimensions(self, alone: bool, hx: Sequence[Tensor]) -> None:
        expected = 2 if alone else 3
        if any(h.ndim != expected for h in hx):
            given = f"{'un' if alone else ''}batched {expected}-D input"
            dims = [f"{h.ndim}-D" for h in hx]
            told = f"({', '.join(dims)}) tensors" if len(dims) > 1 else f"{dims[0]} tensor"
            states = "hx and cx" if len(dims) > 1 else "hx"
            raise RuntimeError(f"For {given}, {states} should also be {expected}-D but got {told}")

    def _layers(
        self, x: Node, sizes: tuple[int, ...], hx: Sequence[Tensor] | None
    ) -> tuple[Node, list[Tensor]]:
        weights = [w.node for w in self._flat_weights]
        if x.dtype != weights[0].dtype:
            raise ValueError(
                f"RNN input dtype ({wrap(x).dtype}) does not match weight dtype ({wrap(weights[0]).dtype}). "
                f"Convert input: input.to({wrap(weights[0]).dtype}), or convert model: "
                f"model.to({wrap(x).dtype})"
            )
        if x.shape[1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[1]}"
            )
        if not sizes:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        directions = 2 if self.bidirectional else 1
        lead = (self.num_layers * directions, sizes[0])
        widths = [self.proj_size or self.hidden_size] + [self.hidden_size] * (self.mode == "LSTM")
        if hx is None:
            states = [seal(np.zeros((*lead, width), x.dtype)) for width in widths]
        else:
            states = [h.node for h in hx]
            for i, (state, width) in enumerate(zip(states, widths)):
                if state.shape != (*lead, width):
                    which = f"hidden[{i}]" if len(widths) > 1 else "hidden"
                    raise RuntimeError(f"Expected {which} size {(*lead, width)}, got {list(state.shape)}")
        draw = _drawn(self.dropout) if self.training and self.dropout else None
        out, ends = run_layers(
            self._called,
            self.mode,
            x,
            states,
            weights,
            sizes,
            self.num_layers,
            directions,
            self.dropout,
            draw,
        )
        return out, [wrap(end) for end in ends]


def _check_options(
    mode: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bias: bool,
    batch_first: bool,
    dropout: float,
    proj_size: int,
) -> None:
    if type(dropout) not in (int, float) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being "
            "zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warn_user(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
            f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}"
        )
    for name, flag in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(size, int):
            raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if mode not in _GATES:
        raise ValueError(f"Unrecognized RNN mode: {mode}")


class _OneState(RNNBase):
    @overload
    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def forward(self, input: PackedSequence, hx: Tensor | None = None) -> tuple[PackedSequence, Tensor]: ...
    def forward(self, input: Any, hx: Tensor | None = None) -> Any:
        """(T, N, I), (N, T, I) with `batch_first`, (T, I) or packed, to the like with the states of the
        last layer, and the last states of all layers (layers * directions, N, hidden).

        hx: the first states, zero if not given. Raises RuntimeError and ValueError for other shapes.
        """
        out, ends = self._run(input, None if hx is None else [hx])
        return out, ends[0]


class RNN(_OneState):
    """`h = tanh(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)` over time, or with relu. Elman (1990)."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Nonlinearity = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode: Mode = "RNN_TANH" if nonlinearity == "tanh" else "RNN_RELU"
        options = num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        super().__init__(mode, input_size, hidden_size, *options)
        self.nonlinearity: Nonlinearity = nonlinearity


class GRU(_OneState):
    """Gated recurrent units over time. Cho et al. (2014), the reset gate after the product."""

    _called = "GRU"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        options = num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        super().__init__("GRU", input_size, hidden_size, *options)


class LSTM(RNNBase):
    """Long short-term memory over time. Hochreiter and Schmidhuber (1997).

    proj_size: the states are projected to that many features (Sak et al., 2014).
    """

    _called = "LSTM"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        options = num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype
        super().__init__("LSTM", input_size, hidden_size, *options)

    @overload
    def forward(self, input: Tensor, hx: Pair | None = None) -> tuple[Tensor, Pair]: ...
    @overload
    def forward(self, input: PackedSequence, hx: Pair | None = None) -> tuple[PackedSequence, Pair]: ...
    def forward(self, input: Any, hx: Pair | None = None) -> Any:
        """(T, N, I), (N, T, I) with `batch_first`, (T, I) or packed, to the like with the states of the
        last layer, and the last states and cells of all layers (layers * directions, N, hidden).

        hx: the first states and cells, zero if not given. Raises RuntimeError and ValueError for other
        shapes.
        """
        out, (h, c) = self._run(input, hx)
        return out, (h, c)


class RNNCellBase(Module):
    """What the cells share: weight_ih, weight_hh, bias_ih, bias_hh, uniform within 1 / sqrt(hidden_size)."""

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih: Parameter = empty_parameter(self, rows, input_size, device=device, dtype=dtype)
        self.weight_hh: Parameter = empty_parameter(self, rows, hidden_size, device=device, dtype=dtype)
        for name in ("bias_ih", "bias_hh"):
            given = empty_parameter(self, rows, device=device, dtype=dtype) if bias else None
            self.register_parameter(name, given)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first values anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias else f"{text}, bias={self.bias}"

    def _step(self, mode: Mode, input: Tensor, hx: Sequence[Tensor] | None) -> list[Tensor]:
        kind = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{kind}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        for i, h in enumerate(hx or ()):
            if h.ndim not in (1, 2):
                which = f"hx[{i}]" if mode == "LSTM" else "hidden"
                raise ValueError(f"{kind}: Expected {which} to be 1D or 2D, got {h.ndim}D instead")
        if hx is None:
            zeros = seal(np.zeros((*input.shape[:-1], self.hidden_size), input.node.dtype))
            states = [zeros, zeros] if mode == "LSTM" else [zeros]
        else:
            states = [h.node for h in hx]
        weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        return [wrap(new) for new in run_cell(kind, mode, input.node, states, weights)]


class RNNCell(RNNCellBase):
    """One step of `RNN`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Nonlinearity = "tanh",
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity: Nonlinearity = nonlinearity

    def extra_repr(self) -> str:
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """(N, input_size) or (input_size,), and the state (zero if not given), to the new state."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        mode: Mode = "RNN_TANH" if self.nonlinearity == "tanh" else "RNN_RELU"
        return self._step(mode, input, None if hx is None else [hx])[0]


class LSTMCell(RNNCellBase):
    """One step of `LSTM`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: Pair | None = None) -> Pair:
        """(N, input_size) or (input_size,), state and cell (zero if not given), to new state and cell."""
        h, c = self._step("LSTM", input, hx)
        return h, c


class GRUCell(RNNCellBase):
    """One step of `GRU`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """(N, input_size) or (input_size,), and the state (zero if not given), to the new state."""
        return self._step("GRU", input, None if hx is None else [hx])[0]

"""Transformers: layers of attention and of two linear maps, each beside a shortcut."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TypeAlias

import numpy as np

from ...autograd.modes import is_grad_enabled
from ...creation import Device, check_device, made
from ...dtypes import DTypeLike, bool as bool_, to_numpy
from ...functional.dtypes import get_default_dtype
from ...tensor import Tensor
from .. import functional as F, init
from ..containers import ModuleList
from ..module import Module
from .activation import GELU, ReLU
from .attention import MultiheadAttention
from .dropout import Dropout
from .linear import Linear
from .normalization import LayerNorm

Activation: TypeAlias = Callable[[Tensor], Tensor]


class _TransformerLayer(Module):
    """What layers of encoders and decoders share."""

    def __init__(
        self,
        attentions: tuple[str, ...],
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: str | Activation,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        device: Device,
        dtype: DTypeLike | None,
    ) -> None:
        super().__init__()
        blocks = range(1, len(attentions) + 2)
        for name in attentions:
            attention = MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype
            )
            setattr(self, name, attention)
        self.linear1: Linear = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout: Dropout = Dropout(dropout)
        self.linear2: Linear = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        for i in blocks:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype))
        for i in blocks:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation: Activation = _activation(activation) if isinstance(activation, str) else activation

    self_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    dropout1: Dropout
    dropout2: Dropout

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        out, _ = self.self_attn(
            x,
            x,
            x,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            need_weights=False,
            is_causal=is_causal,
        )
        return self.dropout1(out)

    def _fed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


def _activation(name: str) -> Activation:
    if name == "relu":
        return F.relu
    if name == "gelu":
        return F.gelu
    raise RuntimeError(f"activation should be relu/gelu, not {name}")


class TransformerEncoderLayer(_TransformerLayer):
    """Attention of a sequence to itself, then two linear maps, each added to what goes in and normalised.

    norm_first: normalise what goes in instead. Vaswani et al. (2017).
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        options = dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype
        super().__init__(("self_attn",), d_model, nhead, dim_feedforward, *options)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """(L, N, d_model), (N, L, d_model) with `batch_first`, or (L, d_model) to the same shape.

        Masks hide where they are True, or are added to the scores: src_mask (L, L) or (N * heads, L, L),
        src_key_padding_mask (N, L). is_causal: promises that src_mask is the causal one.
        """
        x, given = src, (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *given)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(x + self._sa_block(x, *given))
        return self.norm2(x + self._ff_block(x))

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout2(self._fed_forward(x))


class TransformerDecoderLayer(_TransformerLayer):
    """Attention of a sequence to itself, then to the encoder's output, then two linear maps.

    Each is added to what goes in and normalised; norm_first: normalise what goes in instead.
    """

    multihead_attn: MultiheadAttention
    norm3: LayerNorm
    dropout3: Dropout

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        options = dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype
        super().__init__(("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, *options)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """tgt (T, N, d_model) and memory (S, N, d_model), or batch first, to the shape of tgt.

        Masks as those of the encoder's layer: tgt_mask (T, T), memory_mask (T, S).
        """
        x = tgt
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, *other))
        return self.norm3(x + self._ff_block(x))

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        out, _ = self.multihead_attn(
            x,
            mem,
            mem,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            need_weights=False,
            is_causal=is_causal,
        )
        return self.dropout2(out)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout3(self._fed_forward(x))


class _Stack(Module):
    """Copies of a layer one after the other, then perhaps a norm."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.layers: ModuleList = ModuleList([deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm


class TransformerEncoder(_Stack):
    """`num_layers` copies of a layer one after the other, then perhaps a norm.

    enable_nested_tensor: in evaluation, without gradients, leave out what `src_key_padding_mask` hides
    at the end of each sequence, where that is all it hides; zeros come out there. It is done where
    PyTorch does it (batch_first, no norm_first, relu or gelu, biases, an even number of heads, no `mask`).
    mask_check: look whether the mask hides ends alone.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The last layer's output; shapes and masks are those of the layers.

        is_causal: whether `mask` is the causal one; None looks.
        """
        causal = _is_causal(mask, is_causal)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        if src_key_padding_mask is not None and mask is None and self._leaves_out(src, src_key_padding_mask):
            hidden = (
                src_key_padding_mask if src_key_padding_mask.dtype == bool_ else src_key_padding_mask != 0
            )
            output = output.masked_fill(hidden.unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _leaves_out(self, src: Tensor, padding: Tensor) -> bool:
        """Whether PyTorch would leave padding out, and have zeros in its place."""
        layer = self.layers[0]
        if not (
            isinstance(layer, TransformerEncoderLayer)
            and self.enable_nested_tensor
            and not layer.training
            and src.dim() == 3
            and not layer.norm_first
            and layer.self_attn.batch_first
            and layer.self_attn._qkv_same_embed_dim
            and layer.self_attn.in_proj_bias is not None
            and layer.self_attn.num_heads % 2 == 0
            and layer.norm1.eps == layer.norm2.eps
            and (layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, (ReLU, GELU)))
        ):
            return False
        if is_grad_enabled() and any(x.requires_grad for x in (src, *layer.parameters())):
            return False
        shown = padding.node._value == 0
        return not self.mask_check or bool(np.all(shown[:, 1:] <= shown[:, :-1]))


class TransformerDecoder(_Stack):
    """`num_layers` copies of a layer one after the other, then perhaps a norm."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The last layer's output; shapes and masks are those of the layers.

        tgt_is_causal: whether `tgt_mask` is the causal one; None looks.
        """
        causal = _is_causal(tgt_mask, tgt_is_causal)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


def _is_causal(mask: Tensor | None, told: bool | None) -> bool:
    """What is told; or if nothing is, whether the mask hides exactly what comes later."""
    if told is not None or mask is None:
        return bool(told)
    given = mask.node._value
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        return False
    later = ~np.tri(len(given), dtype=np.bool_)
    expected = later if given.dtype.kind == "b" else np.where(later, -np.inf, 0.0)
    return np.array_equal(given, expected)


class Transformer(Module):
    """An encoder of one sequence and a decoder of another that attends to it. Vaswani et al. (2017)."""

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        options = dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        if custom_encoder is None:
            inner: Module = TransformerEncoderLayer(d_model, nhead, *options, device, dtype)
            norm = LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype)
            custom_encoder = TransformerEncoder(inner, num_encoder_layers, norm)
        self.encoder: Module = custom_encoder
        if custom_decoder is None:
            inner = TransformerDecoderLayer(d_model, nhead, *options, device, dtype)
            norm = LayerNorm(d_model, layer_norm_eps, True, bias, device, dtype)
            custom_decoder = TransformerDecoder(inner, num_decoder_layers, norm)
        self.decoder: Module = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """src (S, N, d_model) and tgt (T, N, d_model), or batch first, or unbatched, to the shape of tgt.

        Masks as those of the layers. Raises RuntimeError for batches or features that differ.
        """
        along = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[along] != tgt.shape[along]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return out

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Device = None, dtype: DTypeLike | None = None
    ) -> Tensor:
        """The causal mask (sz, sz): -inf above the diagonal, else 0."""
        check_device("generate_square_subsequent_mask", device)
        kind = get_default_dtype() if dtype is None else to_numpy(dtype)
        return made(np.where(np.tri(sz, dtype=np.bool_), 0.0, -np.inf).astype(kind))

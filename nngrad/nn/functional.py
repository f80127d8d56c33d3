"""The functions that layers are made of, on tensors."""

from __future__ import annotations

from typing import Final

import numpy as np

from .. import functional as F, random
from ..creation import empty
from ..functional.attention import Draw, attend, check_dropout
from ..functional.dropping import check_probability as check_probability
from ..functional.dtypes import AnyArray, DType
from ..functional.multihead import many_heads
from ..lifting import lift, wrap
from ..tensor import Tensor
from .activating import (
    celu as celu,
    celu_ as celu_,
    elu as elu,
    elu_ as elu_,
    gelu as gelu,
    glu as glu,
    hardshrink as hardshrink,
    hardsigmoid as hardsigmoid,
    hardswish as hardswish,
    hardtanh as hardtanh,
    hardtanh_ as hardtanh_,
    leaky_relu as leaky_relu,
    leaky_relu_ as leaky_relu_,
    log_softmax as log_softmax,
    logsigmoid as logsigmoid,
    mish as mish,
    prelu as prelu,
    relu as relu,
    relu6 as relu6,
    relu_ as relu_,
    rrelu as rrelu,
    rrelu_ as rrelu_,
    selu as selu,
    selu_ as selu_,
    silu as silu,
    softmax as softmax,
    softmin as softmin,
    softplus as softplus,
    softshrink as softshrink,
    softsign as softsign,
    tanhshrink as tanhshrink,
    threshold as threshold,
    threshold_ as threshold_,
)
from .comparing import (
    binary_cross_entropy as binary_cross_entropy,
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cosine_embedding_loss as cosine_embedding_loss,
    cosine_similarity as cosine_similarity,
    cross_entropy as cross_entropy,
    ctc_loss as ctc_loss,
    gaussian_nll_loss as gaussian_nll_loss,
    hinge_embedding_loss as hinge_embedding_loss,
    huber_loss as huber_loss,
    kl_div as kl_div,
    l1_loss as l1_loss,
    margin_ranking_loss as margin_ranking_loss,
    mse_loss as mse_loss,
    multi_margin_loss as multi_margin_loss,
    multilabel_margin_loss as multilabel_margin_loss,
    multilabel_soft_margin_loss as multilabel_soft_margin_loss,
    nll_loss as nll_loss,
    pairwise_distance as pairwise_distance,
    pdist as pdist,
    poisson_nll_loss as poisson_nll_loss,
    smooth_l1_loss as smooth_l1_loss,
    soft_margin_loss as soft_margin_loss,
    triplet_margin_loss as triplet_margin_loss,
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from .dropping import (
    alpha_dropout as alpha_dropout,
    dropout as dropout,
    dropout1d as dropout1d,
    dropout2d as dropout2d,
    dropout3d as dropout3d,
    feature_alpha_dropout as feature_alpha_dropout,
)
from .embedding import embedding as embedding, embedding_bag as embedding_bag
from .normalizing import (
    batch_norm as batch_norm,
    group_norm as group_norm,
    instance_norm as instance_norm,
    layer_norm as layer_norm,
    local_response_norm as local_response_norm,
    normalize as normalize,
    rms_norm as rms_norm,
)
from .pooling import (
    adaptive_max_pool1d as adaptive_max_pool1d,
    adaptive_max_pool1d_with_indices as adaptive_max_pool1d_with_indices,
    adaptive_max_pool2d as adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices as adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d as adaptive_max_pool3d,
    adaptive_max_pool3d_with_indices as adaptive_max_pool3d_with_indices,
    fractional_max_pool2d as fractional_max_pool2d,
    fractional_max_pool2d_with_indices as fractional_max_pool2d_with_indices,
    fractional_max_pool3d as fractional_max_pool3d,
    fractional_max_pool3d_with_indices as fractional_max_pool3d_with_indices,
    max_pool1d as max_pool1d,
    max_pool1d_with_indices as max_pool1d_with_indices,
    max_pool2d as max_pool2d,
    max_pool2d_with_indices as max_pool2d_with_indices,
    max_pool3d as max_pool3d,
    max_pool3d_with_indices as max_pool3d_with_indices,
)

linear: Final = lift(F.linear)
bilinear: Final = lift(F.bilinear)
conv1d: Final = lift(F.conv1d)
conv2d: Final = lift(F.conv2d)
conv3d: Final = lift(F.conv3d)
conv_transpose1d: Final = lift(F.conv_transpose1d)
conv_transpose2d: Final = lift(F.conv_transpose2d)
conv_transpose3d: Final = lift(F.conv_transpose3d)
one_hot: Final = lift(F.one_hot)
fold: Final = lift(F.fold)
unfold: Final = lift(F.unfold)
avg_pool1d: Final = lift(F.avg_pool1d)
avg_pool2d: Final = lift(F.avg_pool2d)
avg_pool3d: Final = lift(F.avg_pool3d)
lp_pool1d: Final = lift(F.lp_pool1d)
lp_pool2d: Final = lift(F.lp_pool2d)
lp_pool3d: Final = lift(F.lp_pool3d)
adaptive_avg_pool1d: Final = lift(F.adaptive_avg_pool1d)
adaptive_avg_pool2d: Final = lift(F.adaptive_avg_pool2d)
adaptive_avg_pool3d: Final = lift(F.adaptive_avg_pool3d)
max_unpool1d: Final = lift(F.max_unpool1d)
max_unpool2d: Final = lift(F.max_unpool2d)
max_unpool3d: Final = lift(F.max_unpool3d)
pad: Final = lift(F.pad)
interpolate: Final = lift(F.interpolate)
upsample: Final = lift(F.upsample)
upsample_nearest: Final = lift(F.upsample_nearest)
upsample_bilinear: Final = lift(F.upsample_bilinear)
grid_sample: Final = lift(F.grid_sample)
affine_grid: Final = lift(F.affine_grid)
pixel_shuffle: Final = lift(F.pixel_shuffle)
pixel_unshuffle: Final = lift(F.pixel_unshuffle)
channel_shuffle: Final = lift(F.channel_shuffle)
tanh: Final = lift(F.tanh)
sigmoid: Final = lift(F.sigmoid)


# ---------------------------------------------------------------- attention


def _drawn(p: float) -> Draw | None:
    """Dropout by the default generator; None where nothing is dropped."""

    def draw(shape: tuple[int, ...], dtype: DType) -> AnyArray:
        if p == 1:
            return np.zeros(shape, dtype)
        scaled: AnyArray = random.bernoulli_(empty(shape, dtype=dtype), 1 - p).div_(1 - p).node._value
        return scaled

    return draw if check_dropout(p) else None


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Each query's mean of the values it attends to; see `nngrad.functional.scaled_dot_product_attention`.

    Dropout, wherever `dropout_p` is not 0, is drawn by the default generator.
    """
    dropped = _drawn(dropout_p)
    return wrap(attend(query, key, value, attn_mask, dropped, is_causal, scale, enable_gqa))


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample of each distribution along `dim`, as probabilities that are nearly one of the classes.

    The same as PyTorch's for a seed. tau: how far from one class. hard: the class as ones and zeros,
    with the gradient of the probabilities. eps: not used, as in PyTorch.
    """
    noise = empty(logits.shape, dtype=logits.dtype).exponential_().log().neg()
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    classes = soft.detach().argmax(dim, True)
    one = (soft.detach() * 0).scatter_(dim, classes, 1.0)
    return one - soft.detach() + soft


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention by several heads; see `nngrad.functional.multi_head_attention_forward`."""
    out, weights = many_heads(
        (query, key, value),
        embed_dim_to_check,
        num_heads,
        (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else (in_proj_weight,),
        in_proj_bias,
        (bias_k, bias_v),
        add_zero_attn,
        _drawn(dropout_p) if training else None,
        (out_proj_weight, out_proj_bias),
        key_padding_mask,
        need_weights,
        attn_mask,
        (static_k, static_v),
        average_attn_weights,
        is_causal,
    )
    return wrap(out), None if weights is None else wrap(weights)

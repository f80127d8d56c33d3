"""Attention by several heads, between the linear maps into and out of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .arithmetic import add, mul
from .attention import Draw, additive, attend, check_dropout, drawn_by
from .batch import drawn
from .joining import concat
from .matrix import linear, matmul
from .node import Node, Operand, as_node, seal
from .order import mT, permute
from .reduction import mean
from .repeating import repeat
from .shape import reshape, squeeze, unsqueeze
from .softmax import softmax
from .splitting import chunk, split

if TYPE_CHECKING:
    from numpy.random import Generator

_NAME = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Operand,
    key: Operand,
    value: Operand,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Operand | None,
    in_proj_bias: Operand | None,
    bias_k: Operand | None,
    bias_v: Operand | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Operand,
    out_proj_bias: Operand | None,
    training: bool = True,
    key_padding_mask: Operand | None = None,
    need_weights: bool = True,
    attn_mask: Operand | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Operand | None = None,
    k_proj_weight: Operand | None = None,
    v_proj_weight: Operand | None = None,
    static_k: Operand | None = None,
    static_v: Operand | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    generator: Generator | None = None,
) -> tuple[Node, Node | None]:
    """What `nn.MultiheadAttention` computes: the output, and the weights of the attention if needed.

    query: (L, N, E) or (L, E); key and value: (S, N, E) or (S, E), with separate projections of sizes
    of their own. in_proj_weight: (3E, E), or with `use_separate_proj_weight` q_proj_weight (E, E),
    k_proj_weight (E, Ek), v_proj_weight (E, Ev). bias_k, bias_v: (1, 1, E), one more key and value;
    add_zero_attn: one more of zeros. static_k, static_v: (N * heads, S, E / heads), in place of those
    projected. Masks hide where they are True, or are added to the scores: key_padding_mask (N, S),
    attn_mask (L, S) or (N * heads, L, S). is_causal: promises that attn_mask is the causal one.
    dropout_p: the share of weights dropped in training, drawn by `generator`.
    Gives (L, N, E) or (L, E), and weights (N, L, S) averaged over the heads, else (N, heads, L, S).
    Raises RuntimeError for shapes that do not fit, TypeError for dropout without a generator.

    >>> x, eye = np.ones((2, 4)), np.eye(4)
    >>> out, weights = multi_head_attention_forward(
    ...     x, x, x, 4, 2, np.concatenate([eye] * 3), None, None, None, False, 0.0, eye, None
    ... )
    >>> out.shape, weights.data
    ((2, 4), array([[0.5, 0.5],
           [0.5, 0.5]]))
    """
    drops = training and check_dropout(dropout_p) > 0
    return many_heads(
        (query, key, value),
        embed_dim_to_check,
        num_heads,
        (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else (in_proj_weight,),
        in_proj_bias,
        (bias_k, bias_v),
        add_zero_attn,
        drawn_by(dropout_p, generator) if drops else None,
        (out_proj_weight, out_proj_bias),
        key_padding_mask,
        need_weights,
        attn_mask,
        (static_k, static_v),
        average_attn_weights,
        is_causal,
    )


def many_heads(
    operands: tuple[Operand, Operand, Operand],
    width: int,
    heads: int,
    weights: tuple[Operand | None, ...],
    bias: Operand | None,
    more: tuple[Operand | None, Operand | None],
    zero: bool,
    draw: Draw | None,
    out_projection: tuple[Operand, Operand | None],
    padding: Operand | None,
    need_weights: bool,
    mask: Operand | None,
    static: tuple[Operand | None, Operand | None],
    average: bool,
    is_causal: bool,
) -> tuple[Node, Node | None]:
    """`multi_head_attention_forward` with dropout drawn by a function."""
    query, key, value = (as_node(x) for x in operands)
    batched = query.ndim == 3
    told = f"query {query.shape}, key {key.shape}, value {value.shape}"
    if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
        raise RuntimeError(
            f"{_NAME}: expected query, key and value all of 2 or all of 3 dimensions, got {told}"
        )
    if query._value.dtype.kind != "f":
        raise RuntimeError(f"{_NAME}: expected floating-point values, got {query.dtype}")
    if is_causal and mask is None:
        raise RuntimeError(f"{_NAME}: Need attn_mask if specifying the is_causal hint.")
    if query.shape[-1] != width:
        raise RuntimeError(f"{_NAME}: was expecting embedding dimension of {width}, but got {told}")
    if heads < 1 or width % heads:
        raise RuntimeError(f"{_NAME}: embed_dim {width} not divisible by num_heads {heads}")
    if key.shape[:-1] != value.shape[:-1] or (len(weights) == 1 and key.shape != value.shape):
        raise RuntimeError(f"{_NAME}: key and value do not fit together: {told}")
    if (more[0] is None) != (more[1] is None):
        raise RuntimeError(f"{_NAME}: bias_k and bias_v must be given together")
    if more[0] is not None and (static[0] is not None or static[1] is not None):
        raise RuntimeError(f"{_NAME}: bias cannot be added to static key or value")
    same = (operands[0] is operands[1], operands[1] is operands[2])
    q, k, v = _projected((query, key, value), same, weights, bias)
    if not batched:
        q, k, v = (unsqueeze(x, 1) for x in (q, k, v))
    length, batch, _ = q.shape
    keys = k.shape[0]
    if more[0] is not None and more[1] is not None:
        k, v = (concat([x, repeat(m, 1, batch, 1)]) for x, m in ((k, more[0]), (v, more[1])))
    size = width // heads
    q, k, v = (permute(reshape(x, (-1, batch, heads, size)), 1, 2, 0, 3) for x in (q, k, v))
    k, v = (x if s is None else _static(s, batch, heads, size) for x, s in ((k, static[0]), (v, static[1])))
    if zero:
        nothing = seal(np.zeros((batch, heads, 1, size), q.dtype))
        k, v = concat([k, nothing], 2), concat([v, nothing], 2)
    causal = is_causal and padding is None and not need_weights
    hidden = None if causal or mask is None else _hiding("attn_mask", mask, q)
    if hidden is not None:
        if hidden.shape not in ((length, keys), (batch * heads, length, keys)):
            raise RuntimeError(
                f"{_NAME}: The shape of attn_mask is {hidden.shape}, but should be {(length, keys)} or "
                f"{(batch * heads, length, keys)}"
            )
        if hidden.ndim == 3:
            hidden = reshape(hidden, (batch, heads, length, keys))
        hidden = _lengthened(hidden, k.shape[2])
    if padding is not None:
        padded = _hiding("key_padding_mask", padding, q)
        if padded.shape not in ((batch, keys),) and (batched or padded.shape != (keys,)):
            raise RuntimeError(
                f"{_NAME}: key_padding_mask of shape {padded.shape} does not fit {batch} x {keys} keys"
            )
        padded = _lengthened(reshape(padded, (batch, 1, 1, keys)), k.shape[2])
        hidden = padded if hidden is None else add(hidden, padded)
    shares: Node | None = None
    if need_weights:
        scores = matmul(mul(q, 1 / math.sqrt(size)), mT(k))
        shares = softmax(scores if hidden is None else add(scores, hidden), -1)
        if draw is not None:
            shares = mul(shares, seal(drawn(_NAME, lambda sizes: draw(sizes, q.dtype), shares.shape)))
        out = matmul(shares, v)
        if average:
            shares = mean(shares, 1)
    else:
        out = attend(q, k, v, hidden, draw, causal, None, False)
    out = linear(reshape(permute(out, 2, 0, 1, 3), (length, batch, width)), *out_projection)
    if batched:
        return out, shares
    return squeeze(out, 1), None if shares is None else squeeze(shares, 0)


def _projected(
    operands: tuple[Node, ...],
    same: tuple[bool, bool],
    weights: tuple[Operand | None, ...],
    bias: Operand | None,
) -> list[Node]:
    """Queries, keys and values; by one product where operands are one."""
    given = [as_node(w) for w in weights if w is not None]
    if len(given) != len(weights):
        raise RuntimeError(f"{_NAME}: weights of the projection are missing")
    if len(given) == 1 and same == (True, True):
        return list(chunk(linear(operands[0], given[0], bias), 3, -1))
    biases = (None, None, None) if bias is None else chunk(bias, 3)
    if len(given) == 1 and same[1]:
        width = operands[0].shape[-1]
        two = split(given[0], [width, 2 * width])
        of_two = (None, None) if bias is None else split(bias, [width, 2 * width])
        pair = chunk(linear(operands[1], two[1], of_two[1]), 2, -1)
        return [linear(operands[0], two[0], of_two[0]), *pair]
    parts = given if len(given) == 3 else chunk(given[0], 3)
    return [linear(x, w, b) for x, w, b in zip(operands, parts, biases, strict=True)]


def _static(given: Operand, batch: int, heads: int, size: int) -> Node:
    x = as_node(given)
    if x.ndim != 3 or x.shape[0] != batch * heads or x.shape[2] != size:
        raise RuntimeError(
            f"{_NAME}: expecting static keys and values of shape ({batch * heads}, S, {size}), got {x.shape}"
        )
    return reshape(x, (batch, heads, -1, size))


def _hiding(which: str, mask: Operand, beside: Node) -> Node:
    """A mask that is True where keys are hidden, as numbers to be added."""
    given = as_node(mask)
    if given.dtype.kind == "b":
        given = seal(np.logical_not(given._value))
    return additive(f"{_NAME}: {which}", given, beside.dtype)


def _lengthened(mask: Node, keys: int) -> Node:
    """A mask that lets all see the keys that were appended."""
    more = keys - mask.shape[-1]
    return mask if not more else concat([mask, seal(np.zeros((*mask.shape[:-1], more), mask.dtype))], -1)

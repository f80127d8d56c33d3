"""Rows of the table for attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from rows import INF, Arg, Array, Row, real


def softmax(x: Array) -> Any:
    """Along the last dimension; 0 where everything is -inf."""
    top = x.max(-1, keepdims=True)
    e = np.exp(x - np.where(np.isfinite(top), top, 0))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


def attention(q: Array, k: Array, v: Array, mask: Any = 0.0, scale: float | None = None) -> Any:
    factor = q.shape[-1] ** -0.5 if scale is None else scale
    return softmax(q @ np.swapaxes(k, -1, -2) * factor + mask) @ v


def hide(shown: Array) -> Array:
    return np.where(shown, 0.0, -INF)


SHOWN = np.array([[True, False, True], [False, False, False]])
CAUSAL = np.tri(2, 3, dtype=bool)
FEW = real((2, 4), (3, 4), (3, 2))
HEADS = real((2, 2, 2, 3), (2, 2, 3, 3), (2, 2, 3, 2))
GROUPED = real((2, 4, 2, 3), (2, 2, 3, 3), (2, 2, 3, 2))


def row(case: str, args: tuple[Arg, ...], numpy: Callable[..., Any], **options: Any) -> Row:
    mask = options.pop("attn_mask", None)
    torch, dtypes = options.pop("torch", True), options.pop("dtypes", "efdl?")

    def call(f: Any, q: Any, k: Any, v: Any, *masks: Any) -> Any:
        given = masks[0] if masks else None if mask is None else like(f, mask)
        return f.scaled_dot_product_attention(q, k, v, given, **options)

    return Row("scaled_dot_product_attention", case, call, args, numpy, torch=torch, dtypes=dtypes)


def like(f: Any, array: Array) -> Any:
    """A constant of the core, or of PyTorch."""
    return f.constant(array)


def products() -> Iterator[Row]:
    yield row("matrices", FEW, attention)
    yield row("batch", real((2, 2, 4), (2, 3, 4), (2, 3, 4)), attention)
    yield row("heads", HEADS, attention)
    yield row("five-dims", real((1, 2, 1, 2, 3), (1, 2, 1, 3, 3), (1, 2, 1, 3, 2)), attention)
    yield row("broadcast", real((2, 2, 2, 3), (1, 2, 3, 3), (2, 3, 2)), attention)
    yield row(
        "no-keys", real((2, 2, 4), (2, 0, 4), (2, 0, 3)), lambda q, k, v: np.zeros((2, 2, 3)), dtypes="efd"
    )
    yield row(
        "no-queries", real((2, 0, 4), (2, 3, 4), (2, 3, 2)), lambda q, k, v: np.zeros((2, 0, 2)), dtypes="efd"
    )
    yield row("no-width", real((2, 0), (3, 0), (3, 2)), lambda q, k, v: np.tile(v.mean(0), (2, 1)))
    yield row("scale", HEADS, lambda q, k, v: attention(q, k, v, scale=-1.5), scale=-1.5)
    for name, args in (("matrices", FEW), ("heads", HEADS)):
        yield row(f"causal-{name}", args, lambda q, k, v: attention(q, k, v, hide(CAUSAL)), is_causal=True)
        yield row(f"bools-{name}", args, lambda q, k, v: attention(q, k, v, hide(SHOWN)), attn_mask=SHOWN)
    yield row(
        "causal-few-keys",
        real((3, 4), (2, 4), (2, 4)),
        lambda q, k, v: attention(q, k, v, hide(np.tri(3, 2, dtype=bool))),
        is_causal=True,
    )
    for shape in ((2, 3), (2, 1, 1, 3), (1, 2, 2, 3)):
        yield row(f"mask-{len(shape)}d-{shape[0]}", (*HEADS, Arg(shape)), attention)
    yield row("mask-matrices", (*FEW, Arg((2, 3))), attention)
    yield row(
        "mask-and-causal",
        (*HEADS, Arg((2, 3))),
        lambda q, k, v, mask: attention(q, k, v, mask + hide(CAUSAL)),
        is_causal=True,
        torch=False,  # taken by one of its kernels, refused by the others
    )


def groups() -> Iterator[Row]:
    def repeated(q: Array, k: Array, v: Array, mask: Any = 0.0) -> Any:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
        return attention(q, k, v, mask)

    yield row("groups", GROUPED, repeated, enable_gqa=True)
    yield row("groups-batch", real((4, 2, 3), (2, 3, 3), (2, 3, 2)), repeated, enable_gqa=True)
    yield row("groups-uneven", real((1, 6, 2, 3), (1, 3, 3, 3), (1, 2, 3, 2)), repeated, enable_gqa=True)
    yield row(
        "groups-causal",
        GROUPED,
        lambda q, k, v: repeated(q, k, v, hide(CAUSAL)),
        enable_gqa=True,
        is_causal=True,
    )
    for shape in ((2, 3), (2, 1, 2, 3), (1, 4, 2, 3)):
        yield row(f"groups-mask-{len(shape)}d-{shape[1]}", (*GROUPED, Arg(shape)), repeated, enable_gqa=True)


E = 4
PADDING = np.array([[False, True, False], [False, False, False]])
HIDDEN = ~np.tri(2, 3, dtype=bool)
WEIGHTS = real((3 * E, E), (3 * E,), (E, E), (E,))


def heads(
    q: Array,
    k: Array,
    v: Array,
    weights: tuple[Any, Any, Any],
    bias: Any,
    out_weight: Array,
    out_bias: Any,
    mask: Any = 0.0,
    more: Any = None,
    zero: bool = False,
    static: Any = None,
) -> Any:
    """Two heads, before what is averaged: output (L, N, E) and weights (N, heads, L, S)."""
    q, k, v = (x @ w.T + b for x, w, b in zip((q, k, v), weights, np.split(bias, 3)))
    if more is not None:
        k, v = (np.concatenate([x, np.tile(m, (1, x.shape[1], 1))]) for x, m in zip((k, v), more))
    q, k, v = (x.reshape(x.shape[0], x.shape[1], 2, -1).transpose(1, 2, 0, 3) for x in (q, k, v))
    if static is not None:
        k, v = (s.reshape(*k.shape[:2], -1, 2) for s in static)
    if zero:
        k, v = (np.concatenate([x, np.zeros_like(x[:, :, :1])], 2) for x in (k, v))
    shares = softmax(q @ np.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5 + mask)
    out = (shares @ v).transpose(2, 0, 1, 3)
    return out.reshape(*out.shape[:2], -1) @ out_weight.T + out_bias, shares


def packed(q: Array, k: Array, v: Array, w: Array, b: Array, ow: Array, ob: Array, **options: Any) -> Any:
    return heads(q, k, v, tuple(np.split(w, 3)), b, ow, ob, **options)  # type: ignore[arg-type]  # there are 3


def many(
    case: str, args: tuple[Arg, ...], numpy: Callable[..., Any], operands: Callable[..., Any], **options: Any
) -> Row:
    """`operands(*args)` names those that the function takes beside the first ones."""
    masks = {name: options.pop(name) for name in ("attn_mask", "key_padding_mask") if name in options}
    need_weights = options.get("need_weights", True)
    dtypes = options.pop("dtypes", "efdl?")

    def call(f: Any, *given: Any) -> Any:
        found: dict[str, Any] = {
            "in_proj_weight": None,
            "in_proj_bias": None,
            "bias_k": None,
            "bias_v": None,
            "add_zero_attn": False,
            "dropout_p": 0.0,
            **operands(*given),
            **options,
            **{name: like(f, mask) for name, mask in masks.items()},
        }
        out, weights = f.multi_head_attention_forward(embed_dim_to_check=E, num_heads=2, **found)
        assert (weights is not None) is need_weights
        return (out, weights) if need_weights else out

    def expected(*given: Any) -> Any:
        out, shares = numpy(*given)
        if not options.get("average_attn_weights", True):
            return out, shares
        return (out, shares.mean(1)) if need_weights else out

    return Row("multi_head_attention_forward", case, call, args, expected, dtypes=dtypes)


def as_packed(q: Any, k: Any, v: Any, w: Any, b: Any, ow: Any, ob: Any) -> dict[str, Any]:
    return {
        "query": q,
        "key": k,
        "value": v,
        "in_proj_weight": w,
        "in_proj_bias": b,
        "out_proj_weight": ow,
        "out_proj_bias": ob,
    }


def as_separate(
    q: Any, k: Any, v: Any, wq: Any, wk: Any, wv: Any, b: Any, ow: Any, ob: Any
) -> dict[str, Any]:
    separate = {"q_proj_weight": wq, "k_proj_weight": wk, "v_proj_weight": wv}
    return {**as_packed(q, k, v, None, b, ow, ob), **separate, "use_separate_proj_weight": True}


def layers() -> Iterator[Row]:
    three = real((2, 2, E), (3, 2, E), (3, 2, E))
    for need in (True, False):
        end = "" if need else "-output-only"
        yield many(f"packed{end}", (*three, *WEIGHTS), packed, as_packed, need_weights=need)
        yield many(
            f"one-operand{end}",
            (*real((3, 2, E)), *WEIGHTS),
            lambda x, *rest: packed(x, x, x, *rest),
            lambda x, *rest: as_packed(x, x, x, *rest),
            need_weights=need,
        )
        yield many(
            f"two-operands{end}",
            (*real((2, 2, E), (3, 2, E)), *WEIGHTS),
            lambda q, x, *rest: packed(q, x, x, *rest),
            lambda q, x, *rest: as_packed(q, x, x, *rest),
            need_weights=need,
        )
        yield many(
            f"masks{end}",
            (*three, *WEIGHTS),
            lambda *given: packed(*given, mask=hide(~HIDDEN) + hide(~PADDING).reshape(2, 1, 1, 3)),
            as_packed,
            need_weights=need,
            attn_mask=HIDDEN,
            key_padding_mask=PADDING,
        )
        yield many(
            f"mask-of-heads{end}",
            (*three, *WEIGHTS, Arg((4, 2, 3))),
            lambda *given: packed(*given[:-1], mask=given[-1].reshape(2, 2, 2, 3)),
            lambda *given: {**as_packed(*given[:-1]), "attn_mask": given[-1]},
            need_weights=need,
            dtypes="efd",  # PyTorch refuses integers with an AssertionError
        )
        yield many(
            f"causal{end}",
            (*three, *WEIGHTS),
            lambda *given: packed(*given, mask=hide(~HIDDEN)),
            as_packed,
            need_weights=need,
            attn_mask=HIDDEN,
            is_causal=True,
        )
        yield many(
            f"more-keys{end}",
            (*three, *WEIGHTS, *real((1, 1, E), (1, 1, E))),
            lambda *given: packed(
                *given[:-2], more=given[-2:], zero=True, mask=np.pad(hide(~HIDDEN), ((0, 0), (0, 2)))
            ),
            lambda *given: {**as_packed(*given[:-2]), "bias_k": given[-2], "bias_v": given[-1]},
            need_weights=need,
            add_zero_attn=True,
            attn_mask=HIDDEN,
        )
    yield many(
        "each-head",
        (*three, *WEIGHTS),
        packed,
        as_packed,
        average_attn_weights=False,
        dropout_p=0.5,
        training=False,
    )
    yield many(
        "separate",
        (*real((2, 2, E), (3, 2, 3), (3, 2, 2), (E, E), (E, 3), (E, 2)), *WEIGHTS[1:]),
        lambda q, k, v, wq, wk, wv, b, ow, ob: heads(q, k, v, (wq, wk, wv), b, ow, ob),
        as_separate,
    )
    yield many(
        "static",
        (*three, *WEIGHTS, *real((4, 5, 2), (4, 5, 2))),
        lambda *given: packed(*given[:-2], static=given[-2:]),
        lambda *given: {**as_packed(*given[:-2]), "static_k": given[-2], "static_v": given[-1]},
    )
    yield many(
        "no-batch",
        (*real((2, E), (3, E), (3, E)), *WEIGHTS),
        lambda q, k, v, *rest: tuple(
            [np.squeeze(x, i) for i, x in zip((1, 0), packed(*(x[:, None] for x in (q, k, v)), *rest))]
        ),
        as_packed,
        average_attn_weights=False,
    )


ROWS: tuple[Row, ...] = (*products(), *groups(), *layers())

Q, K = np.ones((2, 3, 4)), np.ones((2, 5, 4))


def _sdpa(*given: Any, **options: Any) -> Callable[[Any, Callable[[Any], Any]], Any]:
    return lambda f, t: f.scaled_dot_product_attention(*[t(a) for a in given], **options)


BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "attention-1d": (_sdpa(Q[0, 0], K, K), RuntimeError, r"at least 2 dimensional.*\(4,\)|at least 2 dim"),
    "attention-width": (
        _sdpa(Q, K[..., :3], K),
        RuntimeError,
        r"query \(2, 3, 4\), key \(2, 5, 3\)|Expected",
    ),
    "attention-keys": (_sdpa(Q, K, K[:, :2]), RuntimeError, r"value \(2, 2, 4\)|Expected"),
    "attention-batches": (_sdpa(Q[[0, 0, 0]], K, K), RuntimeError, "broadcast|must match"),
    "attention-dtypes": (_sdpa(Q, K.astype(np.float32), K), RuntimeError, "same.* dtype"),
    "attention-integers": (_sdpa(*[x.astype(np.int64) for x in (Q, K, K)]), RuntimeError, "int64|Long"),
    "attention-mask": (
        _sdpa(Q, K, K, np.ones((3, 4), bool)),
        RuntimeError,
        r"\(3, 4\).*\(2, 3, 5\)|must match",
    ),
    "attention-mask-dtype": (
        _sdpa(Q, K, K, np.ones((3, 5), np.int64)),
        RuntimeError,
        "attn_mask: .*int64|long",
    ),
    "attention-dropout": (_sdpa(Q, K, K, dropout_p=1.5), RuntimeError, "between 0 and 1, but got 1.5"),
    "attention-groups": (
        _sdpa(np.ones((1, 4, 3, 4)), np.ones((1, 3, 5, 4)), np.ones((1, 3, 5, 4)), enable_gqa=True),
        RuntimeError,
        "must divide the number of heads",
    ),
    "attention-groups-2d": (_sdpa(Q[0], K[0], K[0], enable_gqa=True), IndexError, "heads|out of range"),
}

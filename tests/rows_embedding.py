"""Rows of embeddings and of one_hot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rows import Arg, Array, Row, Shape, real, told

NUMBERS = np.array([[0, 2, 2], [1, 2, 0]])


def bagged(weight: Array, bags: list[list[int]], mode: str, factors: Any = None) -> Array:
    out = np.zeros((len(bags), weight.shape[1]))
    taken = 0
    for i, bag in enumerate(bags):
        rows = weight[bag]
        if factors is not None:
            rows = rows * factors[taken : taken + len(bag), None]
        taken += len(bag)
        if bag:
            out[i] = getattr(np, mode)(rows, axis=0)
    return out


def tables() -> Iterator[Row]:
    index: Array
    options: dict[str, Any]
    for index in (NUMBERS, np.array(1), np.zeros((2, 0), np.int64), np.array([2, 0], np.int32)):
        yield Row(
            "embedding",
            f"{told(index.shape)}-{index.dtype}",
            lambda f, w, index=index: f.embedding(f.constant(index), w),
            real((3, 4)),
            lambda w, index=index: w[index],
        )
    for case, options in (
        ("padding", {"padding_idx": 3}),
        ("padding-negative", {"padding_idx": -1}),
    ):
        yield Row(
            "embedding",
            case,
            lambda f, w, options=options: f.embedding(f.constant(NUMBERS), w, **options),
            real((4, 2)),
            lambda w: w[NUMBERS],
        )
    for case, options in (
        ("padding-named", {"padding_idx": 2}),
        ("frequent", {"scale_grad_by_freq": True}),
        ("frequent-padding", {"scale_grad_by_freq": True, "padding_idx": 2}),
    ):
        yield Row(
            "embedding",
            case,
            lambda f, w, options=options: f.embedding(f.constant(NUMBERS), w, **options),
            real((3, 4)),
            lambda w: w[NUMBERS],
            grad=False,  # no true derivative, on purpose: see test_embedding.py
        )
    for order in (2.0, 1.0, 3.0, np.inf):
        yield Row(
            "embedding",
            f"max-norm-{order}",
            lambda f, w, order=order: f.embedding(f.constant(NUMBERS), w, max_norm=1.0, norm_type=order),
            (Arg((3, 4), "constant"),),
            lambda w, order=order: (
                w * np.minimum(1, 1 / (np.linalg.norm(w, order, axis=1, keepdims=True) + 1e-7))
            )[NUMBERS],
            grad=False,
            dtypes="fd",
        )


def bags() -> Iterator[Row]:
    flat = np.array([0, 2, 1, 1, 2, 0])
    for mode in ("sum", "mean", "max"):
        for case, offsets, options, groups in (
            ("matrix", None, {}, [[0, 2, 2], [1, 2, 0]]),
            ("offsets", [0, 2, 5], {}, [[0, 2], [1, 1, 2], [0]]),
            ("empty", [0, 0, 4, 6], {}, [[], [0, 2, 1, 1], [2, 0], []]),
            ("last", [0, 2, 6], {"include_last_offset": True}, [[0, 2], [1, 1, 2, 0]]),
            ("padding", [0, 2, 3, 5], {"padding_idx": 1}, [[0, 2], [], [2], [0]]),
            ("padding-negative", [0, 2, 5], {"padding_idx": -3}, [[2], [1, 1, 2], []]),
        ):
            numbers = NUMBERS if offsets is None else flat
            begins = None if offsets is None else np.array(offsets)
            yield Row(
                "embedding_bag",
                f"{case}-{mode}",
                lambda f, w, numbers=numbers, begins=begins, mode=mode, options=options: f.embedding_bag(
                    f.constant(numbers),
                    w,
                    None if begins is None else f.constant(begins),
                    mode=mode,
                    **options,
                ),
                real((3, 2)),
                lambda w, groups=groups, mode=mode: bagged(w, groups, mode),
                dtypes="efdl?",
            )
    for case, options, groups, kept in (
        ("weights", {}, [[0, 2], [1, 1, 2, 0]], [0, 1, 2, 3, 4, 5]),
        ("weights-padding", {"padding_idx": 1}, [[0, 2], [2, 0]], [0, 1, 4, 5]),
    ):
        yield Row(
            "embedding_bag",
            case,
            lambda f, w, v, options=options: f.embedding_bag(
                f.constant(flat),
                w,
                f.constant(np.array([0, 2])),
                mode="sum",
                per_sample_weights=v,
                **options,
            ),
            real((3, 2), (6,)),
            lambda w, v, groups=groups, kept=kept: bagged(w, groups, "sum", v[kept]),
            dtypes="fd",
        )
    yield Row(
        "embedding_bag",
        "weights-matrix",
        lambda f, w, v: f.embedding_bag(f.constant(NUMBERS), w, mode="sum", per_sample_weights=v),
        real((3, 2), (2, 3)),
        lambda w, v: (w[NUMBERS] * v[..., None]).sum(1),
        dtypes="fd",
    )
    yield Row(
        "embedding_bag",
        "max-ties",
        lambda f, w: f.embedding_bag(f.constant(NUMBERS), w, mode="max"),
        real((3, 2)),
        lambda w: bagged(w, NUMBERS.tolist(), "max"),
        special=((np.array([[1.0, -np.inf], [1.0, 2.0], [1.0, np.inf]]),),),
    )


def hot() -> Iterator[Row]:
    shape: Shape
    for shape in ((2, 3), (), (4,)):
        yield Row(
            "one_hot",
            told(shape),
            lambda f, x: f.one_hot(x, 4),
            (Arg(shape, "int"),),
            lambda x: np.eye(4, dtype=np.int64)[x],
            grad=False,
        )
    yield Row(
        "one_hot",
        "inferred",
        lambda f: f.one_hot(f.constant(NUMBERS)),
        (),
        lambda: np.eye(3, dtype=np.int64)[NUMBERS],
        grad=False,
    )
    yield Row(
        "one_hot",
        "empty",
        lambda f: f.one_hot(f.constant(np.zeros((2, 0), np.int64)), 3),
        (),
        lambda: np.zeros((2, 0, 3), np.int64),
        grad=False,
    )


ROWS = (*tables(), *bags(), *hot())

W, AT = np.ones((3, 2)), np.array([0, 1, 2])
#: bad input; the format is told in functional/test_errors.py
BAD: dict[str, Any] = {
    "embedding-range": (
        lambda f, t: f.embedding(t(AT), t(W[:2])),
        IndexError,
        "embedding: index 2 is out of bounds.* size 2|out of range",
    ),
    "embedding-negative": (lambda f, t: f.embedding(t(-AT), t(W)), IndexError, "embedding: index -1"),
    "embedding-dtype": (
        lambda f, t: f.embedding(t(W), t(W)),
        RuntimeError,
        "embedding: .*int64.*float64",
    ),
    "embedding-weight": (
        lambda f, t: f.embedding(t(AT), t(W[0])),
        RuntimeError,
        r"embedding: 'weight' must be 2-D, got shape \(2,\)",
    ),
    "embedding-padding": (
        lambda f, t: f.embedding(t(AT), t(W), padding_idx=3),
        AssertionError,
        "embedding: padding_idx .*got 3",
    ),
    "embedding_bag-mode": (
        lambda f, t: f.embedding_bag(t(AT), t(W), t(AT[:1]), mode="avg"),
        ValueError,
        "embedding_bag: mode .*avg",
    ),
    "embedding_bag-offsets-none": (
        lambda f, t: f.embedding_bag(t(AT), t(W)),
        ValueError,
        "embedding_bag: offsets .*None",
    ),
    "embedding_bag-offsets-matrix": (
        lambda f, t: f.embedding_bag(t(NUMBERS), t(W), t(AT)),
        ValueError,
        "embedding_bag: if input is 2D",
    ),
    "embedding_bag-offsets-start": (
        lambda f, t: f.embedding_bag(t(AT), t(W), t(AT[1:])),
        RuntimeError,
        r"embedding_bag: offsets\[0\] has to be 0.*\[1, 2\]",
    ),
    "embedding_bag-offsets-end": (
        lambda f, t: f.embedding_bag(t(AT), t(W), t(AT * 2)),
        RuntimeError,
        "embedding_bag: .*length 3",
    ),
    "embedding_bag-0d": (
        lambda f, t: f.embedding_bag(t(np.array(1)), t(W)),
        ValueError,
        r"embedding_bag: input .*\(\)",
    ),
    "embedding_bag-range": (
        lambda f, t: f.embedding_bag(t(AT), t(W[:2]), t(AT[:1]), mode="sum"),
        RuntimeError,
        "embedding_bag: index 2",
    ),
    "embedding_bag-weights-mode": (
        lambda f, t: f.embedding_bag(t(AT), t(W), t(AT[:1]), per_sample_weights=t(np.ones(3))),
        NotImplementedError,
        "per_sample_weights is only supported",
    ),
    "embedding_bag-weights-shape": (
        lambda f, t: f.embedding_bag(t(AT), t(W), t(AT[:1]), mode="sum", per_sample_weights=t(np.ones(2))),
        ValueError,
        r"embedding_bag: per_sample_weights .*\(3,\).*\(2,\)",
    ),
    "embedding_bag-frequency": (
        lambda f, t: f.embedding_bag(t(AT), t(W), t(AT[:1]), mode="max", scale_grad_by_freq=True),
        ValueError,
        "embedding_bag: max mode",
    ),
    "one_hot-dtype": (lambda f, t: f.one_hot(t(W)), RuntimeError, "one_hot: .*float64"),
    "one_hot-negative": (lambda f, t: f.one_hot(t(-AT)), RuntimeError, "one_hot: .*non-negative.*-2"),
    "one_hot-large": (lambda f, t: f.one_hot(t(AT), 2), RuntimeError, "one_hot: .*smaller.*2"),
    "one_hot-empty": (
        lambda f, t: f.one_hot(t(np.zeros(0, np.int64))),
        RuntimeError,
        "one_hot: Can not infer",
    ),
}

"""Losses that ask for a margin, distances and sequences; see table.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from rows import INF, NAN, Arg, Array, Call, Row, Shape, real, told
from rows_loss import REDUCTIONS, T, X, losses, reduced, row, softmax

# ---------------------------------------------------------------- margins


def _signs(mask: Any) -> Any:
    """Targets of 1 and -1 from bools, of either library."""
    return mask * 2 - 1


def margins() -> Iterator[Row]:
    signs = Arg((2, 3), "bool")
    for margin in (1.0, 0.4):
        for reduction in REDUCTIONS:
            yield row(
                "hinge_embedding_loss",
                f"{margin}-{reduction}",
                lambda f, x, s, m=margin, r=reduction: f.hinge_embedding_loss(x, _signs(s), m, reduction=r),
                (Arg((2, 3)), signs),
                lambda x, s, m=margin, r=reduction: reduced(np.where(s, x, np.maximum(0, m - x)), r),
            )
            yield row(
                "margin_ranking_loss",
                f"{margin}-{reduction}",
                lambda f, x, y, s, m=margin, r=reduction: f.margin_ranking_loss(
                    x, y, _signs(s), m, reduction=r
                ),
                (*real((2, 3), (2, 3)), signs),
                lambda x, y, s, m=margin, r=reduction: reduced(
                    np.maximum(0, m - np.where(s, 1, -1) * (x - y)), r
                ),
            )
            for shape in ((4, 3), (3,)):
                yield row(
                    "cosine_embedding_loss",
                    f"{told(shape)}-{margin}-{reduction}",
                    lambda f, x, y, s, m=margin, r=reduction: f.cosine_embedding_loss(
                        x, y, _signs(s), m, reduction=r
                    ),
                    (*real(shape, shape), Arg(shape[:-1], "bool")),
                    lambda x, y, s, m=margin, r=reduction: reduced(
                        np.where(s, 1 - _cosine(x, y), np.maximum(0, _cosine(x, y) - m)), r
                    ),
                )
    for p in (1, 2):
        yield from losses(
            "multi_margin_loss", (X, T), lambda x, t, p=p: _multi_margin(x, t, p), f"p-{p}", options={"p": p}
        )
    yield from losses(
        "multi_margin_loss",
        (
            X,
            T,
        ),
        lambda x, t: _multi_margin(x, t, 1, 0.3),
        "margin",
        options={"margin": 0.3},
    )
    for reduction in REDUCTIONS:
        yield row(
            "multi_margin_loss",
            f"weighted-{reduction}",
            lambda f, x, t, w, r=reduction: f.multi_margin_loss(x, t, 1, 1.0, w, reduction=r),
            (X, T, Arg((3,), "constant")),
            lambda x, t, w, r=reduction: reduced(_multi_margin(x, t, 1) * w[t], r),
        )
    yield row(
        "multi_margin_loss",
        "one",
        lambda f, x, t: f.multi_margin_loss(x, t),
        (Arg((3,)), Arg((), "int")),
        lambda x, t: _multi_margin(x[None], t[None], 1)[0],
    )
    # indices of 0 to 2 less 1: a row is its targets up to the first -1
    for shape in ((5, 3), (3,), (1, 4)):
        for reduction in REDUCTIONS:
            yield row(
                "multilabel_margin_loss",
                f"{told(shape)}-{reduction}",
                lambda f, x, t, r=reduction: f.multilabel_margin_loss(x, t - 1, reduction=r),
                (Arg(shape), Arg(shape, "int")),
                lambda x, t, r=reduction: reduced(_multilabel_margin(x, t - 1), r),
            )


def _cosine(x: Array, y: Array) -> Any:
    return (x * y).sum(-1) / np.sqrt(((x * x).sum(-1) + 1e-12) * ((y * y).sum(-1) + 1e-12))


def _multi_margin(x: Array, t: Array, p: int, margin: float = 1.0) -> Any:
    rows = np.arange(len(t))
    short = np.maximum(0, margin - x[rows, t][:, None] + x) ** p
    short[rows, t] = 0
    return short.sum(1) / x.shape[1]


def _multilabel_margin(x: Array, t: Array) -> Any:
    if x.ndim == 2:
        return np.array([_multilabel_margin(*pair) for pair in zip(x, t)])
    stop = list(t).index(-1) if -1 in t else len(t)
    targets = t[:stop]
    pairs = [(i, j) for i in targets for j in range(len(x)) if j not in targets]
    return np.asarray(sum([max(0.0, 1 - (x[i] - x[j])) for i, j in pairs], 0.0) / len(x))


# ---------------------------------------------------------------- distances


def _distance(x: Array, y: Array, p: float, eps: float = 1e-6) -> Any:
    return _norm(x - y + eps, p)


def _norm(d: Array, p: float) -> Any:
    return np.linalg.norm(d, p, axis=-1)


def distances() -> Iterator[Row]:
    pairs: tuple[tuple[tuple[Shape, Shape], int], ...] = (
        (((2, 3), (2, 3)), 1),
        (((2, 3), (3,)), -1),
        (((3,), (3,)), 0),
        (((3, 2, 1), (3, 1, 2)), 0),
    )
    for shapes, dim in pairs:
        yield row(
            "cosine_similarity",
            f"{told(shapes[0])}-{told(shapes[1])}-{dim}",
            lambda f, x, y, dim=dim: f.cosine_similarity(x, y, dim),
            real(*shapes),
            lambda x, y, dim=dim: (
                (x * y).sum(dim)
                / np.sqrt((x * x).sum(dim, keepdims=True) * (y * y).sum(dim, keepdims=True)).squeeze(dim)
                if x.shape == y.shape
                else _broadcast_cosine(x, y, dim)
            ),
            dtypes="efdl?",
            special=(
                (
                    np.array([[0.0, 0.0], [1e-9, 0.0], [1e10, 1e10], [INF, 1.0], [NAN, 1.0]]),
                    np.array([[1.0, 2.0], [1.0, 1.0], [-1e10, 1e10], [1.0, 1.0], [1.0, 1.0]]),
                ),
            )
            if dim == 1
            else (),
        )
    for p in (2.0, 1.0, 0.0, 3.0, 1.5, 0.5, INF):
        yield row(
            "pairwise_distance",
            f"p-{p}",
            lambda f, x, y, p=p: f.pairwise_distance(x, y, p),
            real((4, 3), (4, 3)),
            lambda x, y, p=p: _distance(x, y, p),
            special=((np.array([[1.0, 2.0], [1.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 1.0]]) + 1e-6),)
            if p
            else (),
        )
        yield row(
            "pdist",
            f"p-{p}",
            lambda f, x, p=p: f.pdist(x, p),
            real((4, 3)),
            lambda x, p=p: np.array([_norm(a - b, p) for a, b in combinations(x, 2)]),
            special=((np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 2.0], [INF, 0.0]]),),) if 1 <= p < INF else (),
            seed=4,  # no two differences are of one size
        )
    mixed: tuple[tuple[Shape, Shape], ...] = (
        ((2, 3), (3,)),
        ((3,), (2, 3)),
        ((3,), (3,)),
        ((2, 1, 3), (2, 3)),
    )
    for shapes in mixed:
        yield row(
            "pairwise_distance",
            f"{told(shapes[0])}-{told(shapes[1])}",
            lambda f, x, y: f.pairwise_distance(x, y, keepdim=True),
            real(*shapes),
            lambda x, y: _distance(x, y, 2)[..., None],
        )
    for shape in ((1, 3), (0, 3), (3, 0)):
        yield row(
            "pdist",
            told(shape),
            lambda f, x: f.pdist(x),
            real(shape),
            lambda x: np.zeros(len(x) * (len(x) - 1) // 2),
            torch=told(shape) != "0x3",  # its backward crashes
        )
    for p, swap in ((2.0, False), (2.0, True), (1.0, False)):
        yield from losses(
            "triplet_margin_loss",
            real((4, 3), (4, 3), (4, 3)),
            lambda a, b, c, p=p, swap=swap: _triplet(lambda x, y: _distance(x, y, p), a, b, c, swap),
            f"p-{p}{'-swap' * swap}",
            options={"p": p, "swap": swap},
        )
    yield row(
        "triplet_margin_loss",
        "one",
        lambda f, a, b, c: f.triplet_margin_loss(a, b, c, 0.5),
        real((3,), (3,), (3,)),
        lambda a, b, c: np.maximum(0, 0.5 + _distance(a, b, 2) - _distance(a, c, 2)),
    )
    for swap in (False, True):
        yield from losses(
            "triplet_margin_with_distance_loss",
            real((4, 3), (4, 3), (4, 3)),
            lambda a, b, c, swap=swap: _triplet(lambda x, y: ((x - y) ** 2).sum(-1), a, b, c, swap),
            f"own{'-swap' * swap}",
            options={"swap": swap, "distance_function": _squares},
        )
    yield from losses(
        "triplet_margin_with_distance_loss",
        real((4, 3), (4, 3), (4, 3)),
        lambda a, b, c: _triplet(lambda x, y: _distance(x, y, 2), a, b, c, False),
        "default",
    )


def _squares(x: Any, y: Any) -> Any:
    """The squared distance, on nodes and on PyTorch's tensors."""
    d = x - y
    return d[..., 0] * d[..., 0] + d[..., 1] * d[..., 1] + d[..., 2] * d[..., 2]


def _broadcast_cosine(x: Array, y: Array, dim: int) -> Any:
    x, y = np.broadcast_arrays(x, y)
    return (x * y).sum(dim) / np.sqrt((x * x).sum(dim) * (y * y).sum(dim))


def _triplet(distance: Call, a: Array, b: Array, c: Array, swap: bool) -> Any:
    far = distance(a, c)
    return np.maximum(0, 1 + distance(a, b) - (np.minimum(far, distance(b, c)) if swap else far))


# ---------------------------------------------------------------- sequences


def path_likelihood(p: Array, labels: tuple[int, ...], blank: int = 0) -> Any:
    """The sum over all paths through the classes that spell the labels: repeats merged, blanks left out."""
    total = 0.0
    for path in np.ndindex(*[p.shape[1]] * len(p)):
        spelt = [c for at, c in enumerate(path) if c != blank and (at == 0 or c != path[at - 1])]
        if tuple(spelt) == labels:
            total += math.prod([p[t, c] for t, c in enumerate(path)])
    return total


def _labels(t: Any) -> Any:
    """Classes 1 and 2, of either library."""
    return 1 + (t > 0)


def _ctc(x: Array, targets: Any, frames: tuple[int, ...], reduction: str) -> Any:
    p = softmax(x, 2)
    pairs = enumerate(zip(targets, frames))
    found = np.array([-np.log(path_likelihood(p[:t, n], tuple(labels))) for n, (labels, t) in pairs])
    return reduced(found / [max(len(s), 1) for s in targets] if reduction == "mean" else found, reduction)


def sequences() -> Iterator[Row]:
    frames = (3, 2, 4)
    lengths = (2, 1, 2)
    for case, shape in (("padded", (3, 2)), ("joined", (5,))):

        def split(t: Array) -> Any:
            labels = _labels(t)
            if labels.ndim == 1:
                return np.split(labels, np.cumsum(lengths)[:-1])
            return [row[:size] for row, size in zip(labels, lengths)]

        for reduction in REDUCTIONS:
            yield row(
                "ctc_loss",
                f"{case}-{reduction}",
                lambda f, x, t, r=reduction: f.ctc_loss(
                    f.log_softmax(x, 2), _labels(t), frames, lengths, 0, r
                ),
                (Arg((4, 3, 3)), Arg(shape, "int")),
                lambda x, t, r=reduction, split=split: _ctc(x, split(t), frames, r),
            )
    yield row(
        "ctc_loss",
        "one",
        lambda f, x, t: f.ctc_loss(f.log_softmax(x, 1), _labels(t), (4,), (2,)),
        (Arg((4, 3)), Arg((2,), "int")),
        lambda x, t: _ctc(x[:, None], [_labels(t)], (4,), "mean"),
    )
    yield row(
        "ctc_loss",
        "zero-infinity",
        lambda f, x, t: f.ctc_loss(f.log_softmax(x, 2), _labels(t), (1, 2, 4), lengths, 0, "sum", True),
        (Arg((4, 3, 3)), Arg((3, 2), "int")),
        lambda x, t: _ctc(x[:, 1:], [_labels(t)[1, :1], _labels(t)[2]], (2, 4), "sum"),
    )


ROWS: tuple[Row, ...] = (*margins(), *distances(), *sequences())

"""Losses and distances; see table.py."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from rows import INF, NAN, Arg, Array, Call, Row, real, told

X, T = Arg((4, 3)), Arg((4,), "int")
REDUCTIONS = ("mean", "sum", "none")
#: what an elementwise loss makes of large differences and of NaN
FAR = (np.array([0.0, 1.0, -1.0, 0.5, 3.0, -3.0, 1e10, -1e10, INF, -INF, NAN, 2.0]), np.zeros(12))


def softmax(x: Array, axis: int) -> Any:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x: Array, axis: int) -> Any:
    s = x - x.max(axis=axis, keepdims=True)
    return s - np.log(np.exp(s).sum(axis=axis, keepdims=True))


def reduced(losses: Any, reduction: str) -> Any:
    reduce: dict[str, Call] = {"mean": np.mean, "sum": np.sum, "none": np.asarray}
    return reduce[reduction](losses)


def row(name: str, case: str, call: Call, args: tuple[Arg, ...], numpy: Call, **more: Any) -> Row:
    return Row(name, case, call, args, numpy, **{"dtypes": "fd", **more})


def losses(name: str, args: tuple[Arg, ...], formula: Call, case: str = "", **more: Any) -> Iterator[Row]:
    """A loss with each reduction. `options`: more arguments of its call."""
    options = more.pop("options", {})
    for reduction in REDUCTIONS:
        yield row(
            name,
            f"{case}{'-' * bool(case)}{reduction}",
            lambda f, *xs, r=reduction: getattr(f, name)(*xs, reduction=r, **options),
            args,
            lambda *xs, r=reduction: reduced(formula(*xs), r),
            **more,
        )
        more.pop("special", None)


# ---------------------------------------------------------------- classes


def _smoothed(x: Array, t: Array, w: Array, reduction: str, smoothing: float = 0.1) -> Any:
    """The formula of PyTorch's cross_entropy page, with ignore_index=2."""
    log_p = log_softmax(x, 1)
    kept = (t != 2).astype(float)
    hard = -log_p[np.arange(len(t)), t] * w[t] * kept
    smooth = -(log_p * w).sum(1) * kept
    losses = (1 - smoothing) * hard + smoothing / 3 * smooth
    return losses.sum() / (w[t] * kept).sum() if reduction == "mean" else reduced(losses, reduction)


#: logits of which the first is looked at
POINTS = np.array([[1.0, 1, 0], [1e3, -1e3, 0], [-1e3, 1e3, 0], [-INF, 1, 0], [INF, 1, 0], [NAN, 1, 0]])


def _first_class(x: Any) -> Any:
    """A target of class 0 for each row, of either library."""
    return (x[:, 0] > INF) + 0


def _picked(x: Array, t: Array) -> Any:
    return -np.take_along_axis(x, np.expand_dims(t, 1), 1).squeeze(1)


def classes() -> Iterator[Row]:
    for name, log_p in (("cross_entropy", log_softmax), ("nll_loss", lambda x, axis: x)):
        yield from losses(
            name,
            (X, T),
            lambda x, t, log_p=log_p: _picked(log_p(x, 1), t),
            dtypes="efd" if name[0] == "c" else "fd",
        )
        for shape in ((2, 3, 2), (2, 3, 2, 2), (1, 3, 1)):
            yield from losses(
                name,
                (Arg(shape), Arg((shape[0], *shape[2:]), "int")),
                lambda x, t, log_p=log_p: _picked(log_p(x, 1), t),
                told(shape),
            )
        yield row(
            name,
            "one",
            lambda f, x, t, name=name: getattr(f, name)(x, t),
            (Arg((3,)), Arg((), "int")),
            lambda x, t, log_p=log_p: -log_p(x, 0)[t],
        )
        for reduction in REDUCTIONS:
            yield row(
                name,
                f"weighted-ignored-{reduction}",
                lambda f, x, t, w, name=name, r=reduction: getattr(f, name)(
                    x, t, w, ignore_index=2, reduction=r
                ),
                (X, T, Arg((3,), "constant")),
                lambda x, t, w, log_p=log_p, r=reduction: _weighted_nll(log_p(x, 1), t, w, r),
            )
        yield row(
            name,
            "empty-batch",
            lambda f, x, t, name=name: getattr(f, name)(x, t, reduction="sum"),
            (Arg((0, 3)), Arg((0,), "int")),
            lambda x, t: np.sum(x),
        )
        yield row(
            name,
            "empty-batch-mean",
            lambda f, x, t, name=name: getattr(f, name)(x, t),
            (Arg((0, 3)), Arg((0,), "int")),
            lambda x, t: np.full((), NAN),
            grad=False,
        )
        yield row(
            name,
            "special",
            lambda f, x, name=name: getattr(f, name)(x, _first_class(x), reduction="none"),
            real((6, 3)),
            lambda x, log_p=log_p: -log_p(x, 1)[:, 0],
            special=((POINTS,), (POINTS + 1e3,)),
        )
    for reduction in REDUCTIONS:
        yield row(
            "cross_entropy",
            f"weighted-smooth-ignored-{reduction}",
            lambda f, x, t, w, r=reduction: f.cross_entropy(
                x, t, w, ignore_index=2, label_smoothing=0.1, reduction=r
            ),
            (X, T, Arg((3,), "constant")),
            lambda x, t, w, r=reduction: _smoothed(x, t, w, r),
        )
        yield row(
            "cross_entropy",
            f"images-smooth-{reduction}",
            lambda f, x, t, r=reduction: f.cross_entropy(x, t, label_smoothing=0.1, reduction=r),
            (Arg((2, 3, 2)), Arg((2, 2), "int")),
            lambda x, t, r=reduction: reduced(
                0.9 * _picked(log_softmax(x, 1), t) - 0.1 * log_softmax(x, 1).mean(1), r
            ),
        )
        yield row(
            "cross_entropy",
            f"probabilities-{reduction}",
            lambda f, x, p, r=reduction: f.cross_entropy(x, p, reduction=r, label_smoothing=0.2),
            (X, Arg((4, 3), "positive")),
            lambda x, p, r=reduction: reduced(-(log_softmax(x, 1) * (p * 0.8 + 0.2 / 3)).sum(1), r),
        )
    yield row(
        "cross_entropy",
        "probabilities-weighted",
        lambda f, x, p, w: f.cross_entropy(x, p, w),
        (X, Arg((4, 3), "positive"), Arg((3,), "positive")),
        lambda x, p, w: -(log_softmax(x, 1) * p * w).sum(1).mean(),
    )
    yield row(
        "cross_entropy",
        "probabilities-images",
        lambda f, x, p: f.cross_entropy(x, p),
        (Arg((2, 3, 2)), Arg((2, 3, 2), "positive")),
        lambda x, p: -(log_softmax(x, 1) * p).sum(1).mean(),
    )


def _weighted_nll(x: Array, t: Array, w: Array, reduction: str) -> Any:
    weights = w[t] * (t != 2)
    losses = -x[np.arange(len(t)), t] * weights
    return losses.sum() / weights.sum() if reduction == "mean" else reduced(losses, reduction)


# ---------------------------------------------------------------- elementwise


def _huber(d: Array, delta: float) -> Any:
    return np.where(np.abs(d) < delta, d * d / 2, delta * (np.abs(d) - delta / 2))


def _logits_loss(x: Array, t: Any) -> Any:
    return (1 - t) * x + np.log1p(np.exp(-x))


def elementwise() -> Iterator[Row]:
    pair = real((2, 3), (2, 3))
    for name, dtypes, formula in (
        ("mse_loss", "efdl?", lambda x, t: (x - t) ** 2),
        ("l1_loss", "efdl?", lambda x, t: np.abs(x - t)),
        ("huber_loss", "efdl?", lambda x, t: _huber(x - t, 1.0)),
        ("smooth_l1_loss", "efdl?", lambda x, t: _huber(x - t, 1.0)),
    ):
        yield from losses(name, pair, formula, dtypes=dtypes, special=(FAR,))
        yield from losses(name, real((), ()), formula, "0d")
    weighted = (*pair, Arg((2, 3), "positive"))
    for name, loss in (
        ("mse_loss", lambda d: d * d),
        ("l1_loss", np.abs),
        ("huber_loss", lambda d: _huber(d, 1.0)),
    ):
        for reduction in REDUCTIONS:
            yield row(
                name,
                f"weighted-{reduction}",
                lambda f, x, t, w, name=name, r=reduction: getattr(f, name)(x, t, weight=w, reduction=r),
                weighted,
                lambda x, t, w, name=name, loss=loss, r=reduction: (
                    np.average(loss(x - t), weights=w)
                    if r == "mean" and name[0] != "h"
                    else reduced(loss(x - t) * w, r)
                ),
            )
    for size in (0.3, 2.5):
        for name, option in (("huber_loss", "delta"), ("smooth_l1_loss", "beta")):
            yield from losses(
                name,
                pair,
                lambda x, t, name=name, size=size: _huber(x - t, size) / (size if name[0] == "s" else 1),
                f"{option}-{size}",
                options={option: size},
                special=(FAR,),
            )
    yield from losses("smooth_l1_loss", pair, lambda x, t: np.abs(x - t), "beta-0", options={"beta": 0.0})
    unit = (Arg((2, 3), "fraction"), Arg((2, 3), "fraction"))
    ends = (
        np.array([0.0, 0.0, 1.0, 1.0, 0.5, 1e-20, 0.25, 0.0]),
        np.array([0.0, 1.0, 0.0, 1.0, 0.5, 1.0, 0.0, 0.5]),
    )
    yield from losses(
        "binary_cross_entropy",
        unit,
        lambda x, t: -(t * np.log(x) + (1 - t) * np.log(1 - x)),
        special=(ends,),
        dtypes="fdl?",
    )
    yield from losses(
        "binary_cross_entropy",
        (*unit, Arg((3,), "constant")),
        lambda x, t, w: -w * (t * np.log(x) + (1 - t) * np.log(1 - x)),
        "weighted",
    )
    large = (
        np.array([0.0, 1.0, -1.0, 1e3, -1e3, 1e3, -1e3, 1e30, -1e30, INF, NAN, 30.0]),
        np.array([0.5, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.5, 0.3]),
    )
    name = "binary_cross_entropy_with_logits"
    half = (Arg((2, 3)), Arg((2, 3), "fraction"))
    yield from losses(name, half, _logits_loss, special=(large,), dtypes="efdl?")
    yield from losses(name, (Arg(()), Arg((), "fraction")), _logits_loss, "0d")
    yield from losses(
        name, (*half, Arg((3,), "constant")), lambda x, t, w: w * _logits_loss(x, t), "weighted"
    )
    for shape in ((3,), (2, 1)):
        yield row(
            name,
            f"pos_weight-{told(shape)}",
            lambda f, x, t, w: f.binary_cross_entropy_with_logits(x, t, pos_weight=w),
            (*half, Arg(shape, "constant")),
            lambda x, t, w: np.mean((1 - t) * x + (1 + (w - 1) * t) * np.log1p(np.exp(-x))),
        )
    yield from losses(
        "soft_margin_loss", (Arg((2, 3)), Arg((2, 3), "constant")), lambda x, t: np.log1p(np.exp(-x * t))
    )
    one_row = (Arg((3,)), Arg((3,), "fraction"))
    mean = lambda x, t, w=1.0: (w * _logits_loss(x, t)).mean(-1)  # noqa: E731  # one formula for three
    yield from losses("multilabel_soft_margin_loss", half, mean)
    yield from losses("multilabel_soft_margin_loss", one_row, mean, "one")
    yield from losses("multilabel_soft_margin_loss", (*half, Arg((3,), "constant")), mean, "weighted")
    yield from losses(
        "hinge_embedding_loss",
        (Arg((2, 3)), Arg((2, 3), "bool")),
        lambda x, t: np.where(t, x, np.maximum(0, 1 - x) + x),
        "bools",
        dtypes="fd",
    )


# ---------------------------------------------------------------- distributions


def quiet(call: Call) -> Call:
    """PyTorch and we warn of kl_div's mean."""

    def run(*args: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return call(*args)

    return run


def distributions() -> Iterator[Row]:
    positive = (Arg((2, 3)), Arg((2, 3), "positive"))
    for logged in (False, True):

        def divergence(x: Array, t: Array, logged: bool = logged) -> Any:
            return np.exp(t) * (t - x) if logged else t * (np.log(t) - x)

        for reduction in (*REDUCTIONS, "batchmean"):
            yield row(
                "kl_div",
                f"{'log-' * logged}{reduction}",
                quiet(
                    lambda f, x, t, r=reduction, logged=logged: f.kl_div(x, t, reduction=r, log_target=logged)
                ),
                positive,
                lambda x, t, r=reduction, of=divergence: (
                    of(x, t).sum() / 2 if r[0] == "b" else reduced(of(x, t), r)
                ),
                special=((np.array([0.0, -1.0, -INF, -1e3, 1.0]), np.array([0.0, 1.0, 0.5, 0.0, 1e30])),)
                if reduction == "none" and not logged
                else (),
            )
    yield from losses("poisson_nll_loss", positive, lambda x, t: np.exp(x) - t * x)
    counts = (Arg((2, 3), "positive"), Arg((2, 3), "positive"))
    yield from losses(
        "poisson_nll_loss",
        counts,
        lambda x, t: x - t * np.log(x + 1e-8),
        "plain",
        options={"log_input": False},
    )
    yield from losses(
        "poisson_nll_loss",
        positive,
        lambda x, t: np.exp(x) - t * x + np.where(t > 1, t * np.log(t) - t + 0.5 * np.log(2 * np.pi * t), 0),
        "full",
        options={"full": True},
        seed=1,
    )
    for shape in ((2, 3), (2,), (2, 1), (1, 3)):
        for full in (False, True):
            yield from losses(
                "gaussian_nll_loss",
                (Arg((2, 3)), Arg((2, 3)), Arg(shape, "positive")),
                lambda x, t, v, full=full: (
                    0.5
                    * (
                        np.log(v if v.ndim == 2 else v[:, None])
                        + (x - t) ** 2 / (v if v.ndim == 2 else v[:, None])
                        + full * math.log(2 * math.pi)
                    )
                ),
                f"{told(shape)}{'-full' * full}",
                options={"full": full},
                special=(
                    (
                        np.array([[0.0, 2.0], [1.0, 1.0]]),
                        np.ones((2, 2)),
                        np.array([[0.0, 1e-9], [1.0, 1e9]]),
                    ),
                )
                if shape == (2, 3) and not full
                else (),
            )
    yield from losses(
        "gaussian_nll_loss",
        real((2, 3), (2, 3)),
        lambda x, t: 0.5 * (math.log(2.0) + (x - t) ** 2 / 2.0),
        "number",
        options={"var": 2.0},
    )


ROWS: tuple[Row, ...] = (*classes(), *elementwise(), *distributions())

"""Normalisation and dropout; see table.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from rows import INF, NAN, Arg, Array, Call, Row, Shape, real, told

FLOATS = "efd"


def _standard(x: Array, axes: Any, eps: float = 1e-5) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def _layer(x: Array, k: int, w: Any = 1.0, b: Any = 0.0, eps: float = 1e-5) -> Any:
    return _standard(x, tuple(range(-k, 0)), eps) * w + b


def _rms(x: Array, k: int, w: Any = 1.0, eps: float | None = None) -> Any:
    added = np.finfo(x.dtype).eps if eps is None else eps
    return x / np.sqrt(np.square(x).mean(tuple(range(-k, 0)), keepdims=True) + added) * w


def _by_channel(a: Any, x: Array) -> Any:
    return np.reshape(a, (-1, *[1] * (x.ndim - 2)))


def _batch(x: Array, w: Any = 1.0, b: Any = 0.0, eps: float = 1e-5) -> Any:
    axes = (0, *range(2, x.ndim))
    return _standard(x, axes, eps) * _by_channel(w, x) + _by_channel(b, x)


def _running(x: Array, m: Array, v: Array, w: Any = 1.0, b: Any = 0.0) -> Any:
    m, v = _by_channel(m, x), _by_channel(v, x)
    return (x - m) / np.sqrt(v + 1e-5) * _by_channel(w, x) + _by_channel(b, x)


def _group(x: Array, groups: int, w: Any = 1.0, b: Any = 0.0, eps: float = 1e-5) -> Any:
    y = _standard(x.reshape(x.shape[0], groups, -1), 2, eps).reshape(x.shape)
    return y * _by_channel(w, x) + _by_channel(b, x)


def _response(x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    squared = np.pad(x * x, [(0, 0), (size // 2, (size - 1) // 2), *[(0, 0)] * (x.ndim - 2)])
    total = sum(squared[:, i : i + x.shape[1]] for i in range(size))
    return x / (k + alpha * total / size) ** beta


def layers() -> Iterator[Row]:
    cases: tuple[tuple[Shape, Shape], ...] = (
        ((2, 3), (3,)),
        ((2, 3), (2, 3)),
        ((3,), (3,)),
        ((2, 2, 4), (4,)),
        ((2, 3, 2), (3, 2)),
        ((0, 3), (3,)),
    )
    for shape, inner in cases:
        case = f"{told(shape)}-{told(inner)}"
        k = len(inner)
        yield Row(
            "layer_norm",
            case,
            lambda f, x, w, b, inner=inner: f.layer_norm(x, inner, w, b),
            real(shape, inner, inner),
            lambda x, w, b, k=k: _layer(x, k, w, b),
            dtypes=FLOATS,
        )
        yield Row(
            "rms_norm",
            case,
            lambda f, x, w, inner=inner: f.rms_norm(x, inner, w),
            real(shape, inner),
            lambda x, w, k=k: _rms(x, k, w),
            dtypes="fd",
        )
    points = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [NAN, 1.0, 0.0], [INF, 1.0, 0.0], [2.0, 2.0, 2.0]])
    yield Row(
        "layer_norm",
        "plain",
        lambda f, x: f.layer_norm(x, (3,)),
        real((4, 3)),
        lambda x: _layer(x, 1),
        special=((points,),),
    )
    yield Row(
        "layer_norm",
        "weight-eps",
        lambda f, x, w: f.layer_norm(x, [3], w, eps=0.1),
        real((4, 3), (3,)),
        lambda x, w: _layer(x, 1, w, eps=0.1),
        dtypes=FLOATS,
    )
    yield Row(
        "layer_norm",
        "bias",
        lambda f, x, b: f.layer_norm(x, (3,), bias=b),
        real((4, 3), (3,)),
        lambda x, b: _layer(x, 1, 1.0, b),
        dtypes=FLOATS,
    )
    yield Row(
        "rms_norm",
        "plain",
        lambda f, x: f.rms_norm(x, (3,), eps=1e-5),
        real((4, 3)),
        lambda x: _rms(x, 1, eps=1e-5),
        special=((points[:3],),),
    )


def channels() -> Iterator[Row]:
    shapes: tuple[Shape, ...] = ((4, 2), (3, 2, 3), (2, 2, 2, 2), (2, 1, 1, 1, 2))
    for shape in shapes:
        c = (shape[1],)
        affine = real(shape, c, c)
        yield Row(
            "batch_norm",
            f"training-{told(shape)}",
            lambda f, x, w, b: f.batch_norm(x, None, None, w, b, training=True),
            affine,
            _batch,
            dtypes=FLOATS,
        )
        yield Row(
            "batch_norm",
            f"training-plain-{told(shape)}",
            lambda f, x: f.batch_norm(x, None, None, training=True, eps=1e-3),
            real(shape),
            lambda x: _batch(x, eps=1e-3),
            dtypes=FLOATS,
        )
        yield Row(
            "batch_norm",
            f"running-{told(shape)}",
            lambda f, x, m, v, w, b: f.batch_norm(x, m, v, w, b),
            (Arg(shape), Arg(c, "constant"), Arg(c, "constant"), Arg(c), Arg(c)),
            _running,
            dtypes="fd",
        )
        if len(shape) > 2:
            yield Row(
                "instance_norm",
                told(shape),
                lambda f, x, w, b: f.instance_norm(x, weight=w, bias=b),
                affine,
                lambda x, w, b: _group(x, x.shape[1], w, b),
                dtypes=FLOATS,
            )
            yield Row(
                "instance_norm",
                f"running-{told(shape)}",
                lambda f, x, m, v: f.instance_norm(x, m, v, use_input_stats=False),
                (Arg(shape), Arg(c, "constant"), Arg(c, "constant")),
                _running,
                dtypes="fd",
            )
    yield Row(
        "batch_norm",
        "running-plain",
        lambda f, x, m, v: f.batch_norm(x, m, v),
        (Arg((3, 2)), Arg((2,), "constant"), Arg((2,), "constant")),
        _running,
        dtypes="fd",
    )
    yield Row(
        "instance_norm", "plain", lambda f, x: f.instance_norm(x), real((2, 2, 3)), lambda x: _group(x, 2)
    )
    for by_instance in (False, True):
        yield Row(
            "running_stats",
            f"by-instance-{by_instance}",
            lambda f, x, m, v, by=by_instance: tuple(f.running_stats(x, m, v, 0.3, by_instance=by)),
            tuple([Arg(shape, "constant") for shape in ((3, 2, 4), (2,), (2,))]),
            lambda x, m, v, by=by_instance: _new_stats(x, m, v, (2,) if by else (0, 2)),
            dtypes="fd",
            grad=False,
        )
    for shape, groups in (((2, 4), 2), ((2, 4, 3), 2), ((2, 4, 2, 2), 1), ((1, 2, 3), 2), ((2, 3, 2), 3)):
        c = (shape[1],)
        yield Row(
            "group_norm",
            f"{told(shape)}-{groups}",
            lambda f, x, w, b, n=groups: f.group_norm(x, n, w, b),
            real(shape, c, c),
            lambda x, w, b, n=groups: _group(x, n, w, b),
            dtypes=FLOATS,
        )
        yield Row(
            "group_norm",
            f"plain-{told(shape)}-{groups}",
            lambda f, x, n=groups: f.group_norm(x, n, eps=0.1),
            real(shape),
            lambda x, n=groups: _group(x, n, eps=0.1),
            dtypes=FLOATS,
        )


def _new_stats(x: Array, m: Array, v: Array, axes: tuple[int, ...]) -> Any:
    mean, variance = x.mean(axes), x.var(axes, ddof=1)
    if axes == (2,):
        mean, variance = mean.mean(0), variance.mean(0)
    return 0.7 * m + 0.3 * mean, 0.7 * v + 0.3 * variance


def others() -> Iterator[Row]:
    for shape, size in (((2, 5, 3), 3), ((1, 4, 2, 2), 2), ((2, 3, 1), 5), ((2, 3, 2), 1)):
        yield Row(
            "local_response_norm",
            f"{told(shape)}-{size}",
            lambda f, x, n=size: f.local_response_norm(x, n, alpha=0.5, k=1.5),
            real(shape),
            lambda x, n=size: _response(x, n, alpha=0.5, k=1.5),
            dtypes="fd",
        )
    yield Row(
        "local_response_norm",
        "defaults",
        lambda f, x: f.local_response_norm(x, 2),
        real((2, 3, 2)),
        lambda x: _response(x, 2),
        dtypes="fd",
    )
    norms: tuple[tuple[float, Call], ...] = (
        (2.0, lambda x, d: np.sqrt(np.square(x).sum(d, keepdims=True))),
        (1.0, lambda x, d: np.abs(x).sum(d, keepdims=True)),
        (3.0, lambda x, d: (np.abs(x) ** 3).sum(d, keepdims=True) ** (1 / 3)),
        (INF, lambda x, d: np.abs(x).max(d, keepdims=True)),
    )
    for p, norm in norms:
        for dim in (0, -1):
            yield Row(
                "normalize",
                f"p-{p}-dim-{dim}",
                lambda f, x, p=p, dim=dim: f.normalize(x, p, dim),
                real((2, 3)),
                lambda x, dim=dim, norm=norm: x / norm(x, dim),
                dtypes="fd",
                special=((np.array([[3.0, 4.0], [0.0, 0.0], [1e-15, 0.0]]),),) if p == 2 and dim else (),
            )
    yield Row(
        "normalize",
        "1d",
        lambda f, x: f.normalize(x, dim=0, eps=100.0),
        real((4,)),
        lambda x: x / 100.0,
        dtypes="fd",
    )


def dropping() -> Iterator[Row]:
    def masked(name: str, shape: Shape, mask: Shape, p: float) -> Row:
        return Row(
            name,
            f"{told(shape)}-{p}",
            lambda f, x: getattr(f, name)(x, p, True, generator=np.random.default_rng(1)),
            real(shape),
            lambda x: _dropped(x, np.random.default_rng(1).random(mask) >= p, p, "alpha" in name),
            torch=False,
        )

    for p in (0.5, 0.2):
        yield masked("dropout", (3, 4), (3, 4), p)
        yield masked("dropout", (), (), p)
        yield masked("dropout1d", (3, 4, 2), (3, 4, 1), p)
        yield masked("dropout1d", (4, 2), (4, 1), p)
        yield masked("dropout2d", (3, 4, 2, 1), (3, 4, 1, 1), p)
        yield masked("dropout3d", (2, 3, 1, 2, 1), (2, 3, 1, 1, 1), p)
        yield masked("dropout3d", (3, 1, 2, 1), (3, 1, 1, 1), p)
        yield masked("alpha_dropout", (3, 4), (3, 4), p)
        yield masked("feature_alpha_dropout", (3, 4, 2), (3, 4, 1), p)
    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"):
        shape = (2, 3, 1, 2, 1) if name == "dropout3d" else (2, 3, 2, 1) if name == "dropout2d" else (2, 3, 2)
        for p, training in ((0.0, True), (0.5, False), (1.0, True)):
            yield Row(
                name,
                f"sure-{p}-{training}",
                lambda f, x, name=name, p=p, training=training: getattr(f, name)(x, p, training),
                real(shape),
                lambda x, p=p, training=training: x * 0 if training and p else x,
                dtypes=FLOATS,
            )


def _dropped(x: Array, kept: Array, p: float, alpha: bool) -> Any:
    if not alpha:
        return x * kept / (1 - p)
    low = -1.7580993408473766
    a = ((1 - p) * (1 + p * low**2)) ** -0.5
    return a * np.where(kept, x, low) - a * p * low


def blocks() -> Iterator[Row]:
    """Inputs of several blocks: the values alone, as derivatives by differences would take too long."""
    big: tuple[tuple[str, Shape, Call, Call], ...] = (
        ("layer_norm", (300, 600), lambda f, x: f.layer_norm(x, (600,)), lambda x: _layer(x, 1)),
        ("rms_norm", (300, 600), lambda f, x: f.rms_norm(x, (600,)), lambda x: _rms(x, 1)),
        ("group_norm", (9, 8, 2000), lambda f, x: f.group_norm(x, 4), lambda x: _group(x, 4)),
        (
            "batch_norm",
            (9, 8, 2000),
            lambda f, x: f.batch_norm(x, None, None, training=True),
            _batch,
        ),
    )
    for name, shape, call, numpy in big:
        yield Row(name, "blocks", call, real(shape), numpy, dtypes="f", grad=False)
    for dim in (0, 1):
        yield Row(
            "softmax",
            f"blocks-{dim}",
            lambda f, x, dim=dim: f.softmax(x, dim),
            real((300, 600)),
            lambda x, dim=dim: np.exp(x) / np.exp(x).sum(dim, keepdims=True),
            dtypes="f",
            grad=False,
        )


ROWS: tuple[Row, ...] = (*layers(), *channels(), *others(), *dropping(), *blocks())

A, V, C = np.ones((2, 3)), np.ones(3), np.ones((2, 3, 2))
Bad = tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]
BAD: dict[str, Bad] = {
    "layer_norm-shape": (
        lambda f, t: f.layer_norm(t(A), (2,)),
        RuntimeError,
        r"layer_norm|Given normalized_shape=\[2\].*\[2, 3\]",
    ),
    "layer_norm-none": (
        lambda f, t: f.layer_norm(t(A), ()),
        RuntimeError,
        "normalized_shape .*1-dimensional",
    ),
    "layer_norm-weight": (
        lambda f, t: f.layer_norm(t(A), (3,), t(np.ones(2))),
        RuntimeError,
        r"weight.*\(3,\), got \(2,\)",
    ),
    "layer_norm-dtypes": (
        lambda f, t: f.layer_norm(t(A), (3,), t(V.astype(np.float32))),
        RuntimeError,
        "layer_norm: .*float64, got float32",
    ),
    "layer_norm-integers": (
        lambda f, t: f.layer_norm(t(np.arange(3)), (3,)),
        RuntimeError,
        "layer_norm: .*int64",
    ),
    "rms_norm-shape": (lambda f, t: f.rms_norm(t(A), (2,)), RuntimeError, r"Given normalized_shape=\[2\]"),
    "group_norm-groups": (lambda f, t: f.group_norm(t(A), 2), RuntimeError, r"divisible.*\(2, 3\)"),
    "group_norm-1d": (lambda f, t: f.group_norm(t(V), 1), RuntimeError, r"group_norm: .*2 dim.*\(3,\)"),
    "group_norm-one": (lambda f, t: f.group_norm(t(np.ones((1, 3))), 3), ValueError, r"more than 1 value"),
    "batch_norm-one": (
        lambda f, t: f.batch_norm(t(np.ones((1, 3))), None, None, training=True),
        ValueError,
        r"batch_norm: Expected more than 1 value per channel .*\(1, 3\)",
    ),
    "batch_norm-running": (
        lambda f, t: f.batch_norm(t(A), None, None),
        RuntimeError,
        "running_mean .*evaluation",
    ),
    "batch_norm-weight": (
        lambda f, t: f.batch_norm(t(A), None, None, t(np.ones(2)), training=True),
        RuntimeError,
        "batch_norm: weight should contain 3 elements not 2",
    ),
    "batch_norm-mean": (
        lambda f, t: f.batch_norm(t(A), t(np.ones(2)), t(V)),
        RuntimeError,
        "batch_norm: running_mean should contain 3 elements not 2",
    ),
    "instance_norm-one": (
        lambda f, t: f.instance_norm(t(np.ones((2, 3, 1)))),
        ValueError,
        r"instance_norm: Expected more than 1 spatial element .*\(2, 3, 1\)",
    ),
    "local_response_norm-2d": (
        lambda f, t: f.local_response_norm(t(A), 2),
        ValueError,
        r"local_response_norm: Expected 3D .*\(2, 3\)",
    ),
    "dropout-p": (lambda f, t: f.dropout(t(V), 1.5), ValueError, "probability .*1.5"),
    "alpha_dropout-p": (lambda f, t: f.alpha_dropout(t(V), -1.0, True), ValueError, "probability .*-1"),
    "dropout1d-shape": (lambda f, t: f.dropout1d(t(V), 0.5, True), RuntimeError, r"dropout1d: .*1D|\(3,\)"),
    "feature_alpha_dropout-shape": (
        lambda f, t: f.feature_alpha_dropout(t(V), 0.5, True),
        RuntimeError,
        r"Feature dropout requires at least 2 dimensions.*\(3,\)",
    ),
    "normalize-dim": (lambda f, t: f.normalize(t(A), dim=2), IndexError, "normalize: Dimension out of range"),
}

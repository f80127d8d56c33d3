"""Rows of the convolutions, of fold and unfold, and of bilinear."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from rows import Array, Row, Shape, real, told


def naive_conv(
    x: Array,
    w: Array,
    b: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """The definition: a loop over places, of batched inputs or not."""
    d = w.ndim - 2
    if x.ndim == d + 1:
        only: Array = naive_conv(x[None], w, b, stride, padding, dilation, groups)[0]
        return only
    stride, dilation = (np.broadcast_to(n, d) for n in (stride, dilation))
    spans = [(k - 1) * e + 1 for k, e in zip(w.shape[2:], dilation)]
    if padding == "same":
        around = [((n - 1) // 2, n - 1 - (n - 1) // 2) for n in spans]
    else:
        around = [(n, n) for n in np.broadcast_to(0 if padding == "valid" else padding, d)]
    x = np.pad(x, [(0, 0), (0, 0), *around])
    size = [(n - span) // s + 1 for n, span, s in zip(x.shape[2:], spans, stride)]
    out = np.zeros((len(x), len(w), *size), x.dtype)
    weights = w.reshape(groups, len(w) // groups, -1)
    for place in np.ndindex(*size):
        index = [slice(p * s, p * s + n, e) for p, s, n, e in zip(place, stride, spans, dilation)]
        window = x[:, :, *index].reshape(len(x), groups, weights.shape[2])
        out[:, :, *place] = np.einsum("ngk,gok->ngo", window, weights).reshape(len(x), len(w))
    return out if b is None else out + b.reshape(-1, *(1,) * d)


def naive_turned(
    x: Array,
    w: Array,
    b: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Array:
    """The definition of the transpose: each place adds the weight to the output."""
    d = w.ndim - 2
    if x.ndim == d + 1:
        only: Array = naive_turned(x[None], w, b, stride, padding, output_padding, groups, dilation)[0]
        return only
    stride, padding, more, dilation = (
        np.broadcast_to(n, d) for n in (stride, padding, output_padding, dilation)
    )
    spans = [(k - 1) * e + 1 for k, e in zip(w.shape[2:], dilation)]
    full = [(n - 1) * s + span + o for n, s, span, o in zip(x.shape[2:], stride, spans, more)]
    out = np.zeros((len(x), groups, w.shape[1], *full), x.dtype)
    weights = w.reshape(groups, len(w) // groups, *w.shape[1:])
    for place in np.ndindex(*x.shape[2:]):
        index = [slice(p * s, p * s + n, e) for p, s, n, e in zip(place, stride, spans, dilation)]
        here = x[:, :, *place].reshape(len(x), groups, weights.shape[1])
        out[:, :, :, *index] += np.einsum("ngc,gco...->ngo...", here, weights)
    cut = [slice(p, n - p) for p, n in zip(padding, full)]
    result = out.reshape(len(x), groups * w.shape[1], *full)[:, :, *cut]
    return result if b is None else result + b.reshape(-1, *(1,) * d)


def naive_unfold(x: Array, kernel: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Array:
    if x.ndim == 3:
        only: Array = naive_unfold(x[None], kernel, dilation, padding, stride)[0]
        return only
    kh, kw = np.broadcast_to(kernel, 2)
    every = np.eye(x.shape[1] * kh * kw).reshape(-1, x.shape[1], kh, kw)
    out = naive_conv(x, every, None, stride, padding, dilation)
    return out.reshape(*out.shape[:2], np.prod(out.shape[2:]))


def naive_fold(
    x: Array, size: Any, kernel: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Array:
    if x.ndim == 2:
        only: Array = naive_fold(x[None], size, kernel, dilation, padding, stride)[0]
        return only
    size, kernel, dilation, padding, stride = (
        np.broadcast_to(n, 2) for n in (size, kernel, dilation, padding, stride)
    )
    rows, columns = (
        range(0, n + 2 * p - (k - 1) * e, s) for n, k, e, p, s in zip(size, kernel, dilation, padding, stride)
    )
    frame = np.zeros((len(x), x.shape[1] // kernel.prod(), *(size + 2 * padding)), x.dtype)
    parts = x.reshape(*frame.shape[:2], *kernel, len(rows), len(columns))
    for (i, r), (j, c) in product(enumerate(rows), enumerate(columns)):
        for a, b in np.ndindex(*kernel):
            frame[:, :, r + a * dilation[0], c + b * dilation[1]] += parts[:, :, a, b, i, j]
    return frame[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]


def case(shapes: tuple[Shape, ...], options: dict[str, Any]) -> str:
    parts = [f"{k}={v}".replace(" ", "") for k, v in options.items()]
    return "-".join([*map(told, shapes), *parts])


def _quiet(f: Any, name: str, *operands: Any, **options: Any) -> Any:
    """PyTorch warns of padding="same" around kernels of even length, for a copy that we do not make."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same'")
        return getattr(f, name)(*operands, **options)


def conv(name: str, *shapes: Shape, dtypes: str = "efdl?", **options: Any) -> Row:
    naive = naive_turned if "transpose" in name else naive_conv
    return Row(
        name,
        case(shapes, options),
        lambda f, *operands: _quiet(f, name, *operands, **options),
        real(*shapes),
        lambda *operands: naive(*operands, **options),
        dtypes=dtypes,
    )


def convolutions() -> Iterator[Row]:
    yield conv("conv1d", (2, 2, 5), (3, 2, 3))
    yield conv("conv1d", (2, 2, 5), (3, 2, 2), (3,))
    yield conv("conv1d", (2, 5), (1, 2, 3), (1,), padding=1)
    yield conv("conv1d", (1, 2, 6), (2, 2, 2), stride=2, padding=2, dilation=2)
    yield conv("conv1d", (1, 4, 5), (4, 2, 3), groups=2, padding="same")
    yield conv("conv1d", (1, 3, 4), (6, 1, 2), (6,), groups=3, padding="same", dilation=3)
    yield conv("conv1d", (2, 3, 3), (2, 3, 1))
    yield conv("conv1d", (1, 2, 3), (2, 2, 3), padding="valid")
    yield conv("conv2d", (2, 2, 3, 4), (2, 2, 2, 3))
    yield conv("conv2d", (2, 1, 4, 3), (2, 1, 3, 3), (2,), padding=1)
    yield conv("conv2d", (2, 3, 3), (2, 2, 2, 2), (2,))
    yield conv("conv2d", (1, 2, 5, 4), (1, 2, 2, 3), (1,), stride=(2, 1), padding=(1, 2), dilation=(1, 2))
    yield conv("conv2d", (1, 2, 4, 4), (2, 2, 3, 3), stride=2, padding=1)
    yield conv("conv2d", (1, 1, 5, 5), (1, 1, 2, 2), stride=3)  # the last row and column are in no window
    yield conv("conv2d", (2, 2, 3, 3), (2, 1, 2, 2), (2,), groups=2)
    yield conv("conv2d", (1, 2, 3, 3), (4, 1, 3, 3), groups=2, padding=1, stride=2)
    yield conv("conv2d", (1, 4, 2, 3), (2, 2, 1, 2), groups=2, padding="same")
    yield conv("conv2d", (1, 1, 3, 4), (2, 1, 2, 4), padding="same", dilation=(2, 1))
    yield conv("conv2d", (2, 3, 2, 2), (2, 3, 1, 1), (2,))
    yield conv("conv2d", (1, 2, 3, 3), (2, 2, 1, 1), stride=2)
    yield conv("conv2d", (1, 2, 2, 2), (1, 2, 1, 1), padding=1)
    yield conv("conv2d", (1, 1, 1, 2), (1, 1, 3, 3), padding=2)
    yield conv("conv2d", (0, 2, 3, 3), (2, 2, 2, 2), (2,), dtypes="efdl")
    yield conv("conv2d", (1, 1, 12, 13), (1, 1, 2, 2), padding=(0, 1))  # from 128 places on: another layout
    yield conv("conv2d", (2, 2, 12, 12), (1, 2, 1, 1))
    yield conv("conv3d", (1, 2, 3, 2, 3), (2, 2, 2, 2, 2))
    yield conv("conv3d", (1, 3, 2, 2), (2, 1, 2, 1, 2), (2,), padding=(0, 1, 1), stride=(1, 2, 1))
    yield conv("conv3d", (1, 2, 2, 3, 2), (2, 1, 2, 2, 1), groups=2, padding="same")
    yield conv("conv3d", (1, 1, 4, 3, 3), (1, 1, 2, 2, 2), dilation=(3, 2, 1), stride=2, padding=1)


def transposes() -> Iterator[Row]:
    yield conv("conv_transpose1d", (2, 2, 3), (2, 3, 3))
    yield conv("conv_transpose1d", (2, 3), (2, 1, 2), (1,), stride=2)
    yield conv("conv_transpose1d", (1, 2, 3), (2, 2, 3), (2,), stride=2, padding=1, output_padding=1)
    yield conv("conv_transpose1d", (1, 2, 3), (2, 1, 2), (2,), groups=2, dilation=2, output_padding=1)
    yield conv("conv_transpose1d", (1, 2, 3), (2, 2, 1))
    yield conv("conv_transpose1d", (0, 2, 3), (2, 2, 2), dtypes="efdl")
    yield conv("conv_transpose2d", (2, 2, 2, 3), (2, 3, 2, 2))
    yield conv("conv_transpose2d", (2, 2, 2), (2, 1, 3, 2), (1,), padding=(1, 0))
    yield conv("conv_transpose2d", (1, 2, 2, 2), (2, 1, 4, 4), (1,), stride=2, padding=1)
    yield conv("conv_transpose2d", (1, 2, 2, 2), (2, 1, 3, 2), stride=(1, 2), padding=(2, 0), dilation=(2, 1))
    yield conv(
        "conv_transpose2d", (1, 4, 2, 2), (4, 1, 2, 2), (2,), stride=3, groups=2, output_padding=(2, 1)
    )
    yield conv("conv_transpose2d", (1, 1, 2, 2), (1, 3, 1, 1), stride=2)
    yield conv("conv_transpose2d", (1, 1, 12, 12), (1, 1, 2, 2), padding=1, stride=2)
    yield conv("conv_transpose2d", (1, 1, 3, 3), (1, 4, 2, 2))
    yield conv("conv_transpose3d", (1, 2, 2, 1, 2), (2, 2, 2, 2, 2))
    yield conv("conv_transpose3d", (1, 2, 2, 2), (1, 1, 2, 3, 2), (1,), stride=(1, 2, 2), padding=(0, 1, 0))


def foldings() -> Iterator[Row]:
    def of(name: str, shape: Shape, numpy: Any, *args: Any) -> Row:
        label = case((shape,), {str(i): a for i, a in enumerate(args)})
        return Row(
            name,
            label,
            lambda f, x: getattr(f, name)(x, *args),
            real(shape),
            lambda x: numpy(x, *args),
            dtypes="efd?",  # of integers: PyTorch has not implemented them
        )

    yield of("unfold", (2, 2, 3, 4), naive_unfold, 2)
    yield of("unfold", (2, 3, 3), naive_unfold, (2, 3))
    yield of("unfold", (1, 1, 4, 5), naive_unfold, (2, 3), (2, 1), (1, 0), (1, 2))
    yield of("unfold", (0, 2, 3, 3), naive_unfold, 2)
    yield of("fold", (2, 8, 6), naive_fold, (3, 4), 2)
    yield of("fold", (6, 2), naive_fold, 3, (2, 3))
    yield of("fold", (1, 6, 8), naive_fold, (4, 5), (2, 3), (2, 1), (1, 0), (1, 2))
    yield of("fold", (1, 1, 4), naive_fold, 4, 1, 1, 0, 3)
    yield of("fold", (0, 4, 4), naive_fold, 3, 2)


def bilinears() -> Iterator[Row]:
    for shapes in (
        ((2, 3), (2, 2), (2, 3, 2)),
        ((2, 3), (2, 2), (2, 3, 2), (2,)),
        ((3,), (2,), (4, 3, 2), (4,)),
        ((2, 2, 1), (2, 2, 3), (1, 1, 3)),
        ((0, 3), (0, 2), (2, 3, 2)),
    ):
        yield Row(
            "bilinear",
            "-".join(map(told, shapes)),
            lambda f, *operands: f.bilinear(*operands),
            real(*shapes),
            lambda x, y, w, b=0: np.einsum("...i,oij,...j->...o", x, w, y) + b,
            dtypes="efdl?" if shapes[0][0] else "efdl",  # PyTorch takes bools if there are none
        )


ROWS = (*convolutions(), *transposes(), *foldings(), *bilinears())

X, W, V = np.ones((2, 4, 5, 5)), np.ones((6, 4, 3, 3)), np.ones((4, 6, 3, 3))
COLUMNS = np.ones((2, 36, 9))
A, B, WAB = np.ones((2, 3)), np.ones((2, 4)), np.ones((5, 3, 4))

BAD: dict[str, Any] = {
    "conv2d-channels": (
        lambda f, t: f.conv2d(t(X[:, :3]), t(W)),
        RuntimeError,
        r"iven groups=1, weight of size .6, 4, 3, 3.*2, 3, 5, 5.* to have 4 channels, but got 3",
    ),
    "conv2d-channels-groups": (
        lambda f, t: f.conv2d(t(X), t(W), groups=2),
        RuntimeError,
        r"groups=2.*6, 4, 3, 3.*2, 4, 5, 5.*8 channels, but got 4",
    ),
    "conv2d-groups": (
        lambda f, t: f.conv2d(t(X), t(W[:5, :2]), groups=2),
        RuntimeError,
        r"groups=2, expected weight to be divisible by 2 at dimension 0.*5, 2, 3, 3",
    ),
    "conv2d-no-groups": (lambda f, t: f.conv2d(t(X), t(W), groups=0), RuntimeError, "non-positive groups"),
    "conv2d-kernel": (
        lambda f, t: f.conv2d(t(X), t(np.ones((6, 4, 7, 7)))),
        RuntimeError,
        r"padded input size per channel: \(5.* 5\). Kernel size: \(7.* 7\).*can't be greater",
    ),
    "conv2d-stride": (lambda f, t: f.conv2d(t(X), t(W), stride=0), RuntimeError, "non-positive stride"),
    "conv2d-stride-float": (
        lambda f, t: f.conv2d(t(X), t(W), stride=1.5),
        TypeError,
        r"conv2d.*stride.* must be .*(tuple of ints|1.5)",
    ),
    "conv2d-strides": (
        lambda f, t: f.conv2d(t(X), t(W), stride=(1, 2, 3)),
        RuntimeError,
        r"list of 2 values.*stride=\[1, 2, 3\]",
    ),
    "conv2d-dilation": (lambda f, t: f.conv2d(t(X), t(W), dilation=0), RuntimeError, "non-positive dilation"),
    "conv2d-padding": (lambda f, t: f.conv2d(t(X), t(W), padding=-1), RuntimeError, "negative padding"),
    "conv2d-padding-name": (
        lambda f, t: f.conv2d(t(X), t(W), padding="full"),
        RuntimeError,
        "Invalid padding string: 'full'",
    ),
    "conv2d-same-strided": (
        lambda f, t: f.conv2d(t(X), t(W), padding="same", stride=2),
        RuntimeError,
        "padding='same' is not supported for strided",
    ),
    "conv2d-bias": (
        lambda f, t: f.conv2d(t(X), t(W), t(np.ones(5))),
        RuntimeError,
        r"6, 4, 3, 3.*1-dimensional with 6 elements.*5",
    ),
    "conv2d-dtypes": (
        lambda f, t: f.conv2d(t(X), t(W.astype(np.float32))),
        RuntimeError,
        "conv2d: Input type .float64. and weight type .float32. should be the same",
    ),
    "conv2d-bool": (
        lambda f, t: f.conv2d(t(X > 0), t(W > 0)),
        RuntimeError,
        "conv2d: not implemented for bool",
    ),
    "conv2d-dims": (
        lambda f, t: f.conv2d(t(X[0, 0]), t(W)),
        RuntimeError,
        "3D .unbatched. or 4D .batched. input",
    ),
    "conv2d-weight-dims": (
        lambda f, t: f.conv2d(t(X), t(W[0])),
        RuntimeError,
        "conv2d: expected a weight of 4",
    ),
    "conv2d-empty": (
        lambda f, t: f.conv2d(t(X[:, :, :0]), t(W), padding=2),
        RuntimeError,
        "Only zero batch or zero channel",
    ),
    "conv2d-no-outputs": (lambda f, t: f.conv2d(t(X), t(W[:0])), RuntimeError, "0, 4, 3, 3"),
    "conv_transpose2d-channels": (
        lambda f, t: f.conv_transpose2d(t(X[:, :3]), t(V)),
        RuntimeError,
        r"transposed=1, weight of size .4, 6, 3, 3.*2, 3, 5, 5.*4 channels, but got 3",
    ),
    "conv_transpose2d-bias": (
        lambda f, t: f.conv_transpose2d(t(X), t(V), t(np.ones(5))),
        RuntimeError,
        r"4, 6, 3, 3.*1-dimensional with 6 elements.*5",
    ),
    "conv_transpose2d-output_padding": (
        lambda f, t: f.conv_transpose2d(t(X), t(V), output_padding=1),
        RuntimeError,
        "output padding must be smaller than either stride or dilation",
    ),
    "conv_transpose2d-output_padding-negative": (
        lambda f, t: f.conv_transpose2d(t(X), t(V), output_padding=-1),
        RuntimeError,
        "negative output_padding",
    ),
    "conv_transpose2d-padding": (
        lambda f, t: f.conv_transpose2d(t(X), t(V), padding="same"),
        TypeError,
        "padding.*must be .*tuple of ints",
    ),
    "conv_transpose2d-too-small": (
        lambda f, t: f.conv_transpose2d(t(X), t(V), padding=4),
        RuntimeError,
        r"conv_transpose2d: .*\(-1, -1\).*too small",
    ),
    "unfold-dims": (
        lambda f, t: f.unfold(t(np.ones((2, 3, 4, 5, 6))), 2),
        RuntimeError,
        "3D or 4D.*2, 3, 4, 5, 6",
    ),
    "unfold-kernel": (lambda f, t: f.unfold(t(X), 7), RuntimeError, r"kernel_size=\(7, 7\).*\(-1, -1\)"),
    "unfold-stride": (
        lambda f, t: f.unfold(t(X), 3, stride=0),
        RuntimeError,
        "stride should be greater than zero",
    ),
    "unfold-padding": (
        lambda f, t: f.unfold(t(X), 3, padding=-1),
        RuntimeError,
        "padding should be non-negative",
    ),
    "fold-rows": (
        lambda f, t: f.fold(t(COLUMNS[:, :35]), (5, 5), 3),
        RuntimeError,
        r"divisible by the product of kernel_size.*35.*\(3, 3\)",
    ),
    "fold-columns": (
        lambda f, t: f.fold(t(COLUMNS[..., :8]), (5, 5), 3),
        RuntimeError,
        r"output_size=\(5, 5\), kernel_size=\(3, 3\).*sliding blocks 3 \* 3.*8",
    ),
    "fold-dims": (lambda f, t: f.fold(t(X), (5, 5), 3), RuntimeError, "2D or 3D.*2, 4, 5, 5"),
    "bilinear-rows": (
        lambda f, t: f.bilinear(t(A), t(B[:1]), t(WAB)),
        RuntimeError,
        r"bilinear: .*\(2, 3\) and \(1, 4\)",
    ),
    "bilinear-first": (
        lambda f, t: f.bilinear(t(B), t(B), t(WAB)),
        RuntimeError,
        r"bilinear: input1 size .*\(2, 4\) and \(5, 3, 4\)",
    ),
    "bilinear-second": (lambda f, t: f.bilinear(t(A), t(A), t(WAB)), RuntimeError, "bilinear: input2 size"),
    "bilinear-bias": (
        lambda f, t: f.bilinear(t(A), t(B), t(WAB), t(np.ones(4))),
        RuntimeError,
        "bilinear: bias size does not match",
    ),
    "bilinear-dtypes": (
        lambda f, t: f.bilinear(t(A), t(B.astype(np.float32)), t(WAB)),
        RuntimeError,
        "bilinear: .*same dtype, got float64, float32, float64",
    ),
    "bilinear-0d": (
        lambda f, t: f.bilinear(t(np.ones(())), t(np.ones(())), t(np.ones((5, 1, 1)))),
        IndexError,
        "bilinear: Dimension",
    ),
}

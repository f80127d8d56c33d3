"""Rows of padding, interpolation, sampling and pixel shuffles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from rows import INF, Arg, Array, Row, Shape, real, told

# ---------------------------------------------------------------- pad

NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}

PADS: tuple[tuple[Shape, tuple[int, ...], str, Any], ...] = (
    ((2, 3), (1, 2), "constant", None),
    ((2, 3), (1, 0, 0, 2), "constant", 1.5),
    ((2, 3), (-1, 2), "constant", None),
    ((2, 4), (-1, -2, 1, -1), "constant", 2),
    ((1, 2, 2), (0, 1, 2, 0, 1, 1), "constant", None),
    ((2,), (1, 1), "constant", INF),
    ((), (), "constant", None),
    ((0, 2), (1, 1), "constant", None),
    ((2, 3), (), "constant", 3.0),
    ((2, 4), (2, 1), "reflect", None),
    ((1, 2, 4), (3, 0), "reflect", None),
    ((2, 3, 4), (2, 1, 0, 2), "reflect", None),
    ((1, 2, 3, 2), (1, 1, 1, 2, 1, 0), "reflect", None),
    ((2, 3), (1, 4), "replicate", None),
    ((2, 3, 2), (2, 0, 1, 1), "replicate", None),
    ((1, 2, 1, 2, 2), (1, 1, 0, 2, 2, 0), "replicate", None),
    ((2, 3), (3, 2), "circular", None),
    ((1, 2, 3, 2), (1, 2, 0, 3), "circular", None),
    ((1, 2, 2, 2), (1, 1, 2, 0, 0, 2), "circular", None),
)


def by_numpy(x: Array, widths: Any, mode: str) -> Array:
    """np.pad under PyTorch's names for its modes."""
    pad: Any = np.pad
    return np.asarray(pad(x, widths, NUMPY_MODES[mode]))


def padded(x: Array, widths: tuple[int, ...], mode: str, value: Any) -> Array:
    """The same by np.pad, after what is taken away."""
    edges = [(0, 0)] * (x.ndim - len(widths) // 2)
    edges += [(widths[i], widths[i + 1]) for i in range(len(widths) - 2, -2, -2)]
    x = x[tuple([slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape, edges)])]
    grown = [(max(b, 0), max(a, 0)) for b, a in edges]
    if mode == "constant":
        return np.pad(x, grown, constant_values=value or 0) if x.ndim else x
    return by_numpy(x, grown, mode)


def pads() -> Iterator[Row]:
    for shape, widths, mode, value in PADS:
        yield Row(
            "pad",
            f"{told(shape)}-{widths}-{mode}-{value}".replace(" ", ""),
            lambda f, x, args=(widths, mode, value): f.pad(x, *args),
            real(shape),
            lambda x, args=(widths, mode, value): padded(x, *args),
            dtypes="efdl?" if mode == "constant" and value != INF else "efdl",
            grad=value != INF,
        )
    for mode in ("reflect", "replicate", "circular"):  # np.pad takes nothing away
        yield Row(
            "pad",
            f"{mode}-negative",
            lambda f, x, mode=mode: f.pad(x, (-1, -1, 2, -1), mode),
            real((1, 5, 4)),
            lambda x, mode=mode: by_numpy(x[:, :4, 1:3], ((0, 0), (2, 0), (0, 0)), mode),
            dtypes="efdl",
        )


# ---------------------------------------------------------------- interpolate


def cubic(t: float) -> float:
    """Keys' kernel with a = -0.75."""
    t, a = abs(t), -0.75
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def weights(mode: str, n: int, out: int, factor: float | None, corners: bool) -> Array:
    """What each of n elements is worth to each of the results, by the definition of the mode."""
    step = 1 / factor if factor else n / out
    if corners:
        step = (n - 1) / (out - 1) if out > 1 else 0.0
    found = np.zeros((out, n))
    for o in range(out):
        source = o * step if corners else (o + 0.5) * step - 0.5
        low = int(np.floor(source))
        if mode == "area":
            start, end = o * n // out, -(-(o + 1) * n // out)
            found[o, start:end] = 1 / (end - start)
        elif mode == "nearest":
            found[o, min(int(o * step), n - 1)] = 1
        elif mode == "nearest-exact":
            found[o, min(int((o + 0.5) * step), n - 1)] = 1
        elif mode == "bicubic":
            for k in range(low - 1, low + 3):
                found[o, min(max(k, 0), n - 1)] += cubic(source - k)
        else:
            source = o if n == out else min(max(source, 0.0), n - 1.0)
            for k in range(n):
                found[o, k] = max(0.0, 1 - abs(source - k))
    return found


def resampled(x: Array, mode: str, outs: Shape, factors: tuple[float | None, ...], corners: bool) -> Array:
    """The input times the weights of each dimension."""
    for axis, (out, factor) in enumerate(zip(outs, factors), 2):
        table = weights(mode, x.shape[axis], out, factor, corners)
        x = np.moveaxis(np.tensordot(x, table, (axis, 1)), -1, axis)
    return x


#: shape, mode, options, and what comes of them: sizes, factors
RESIZED: tuple[tuple[Shape, dict[str, Any], Shape, tuple[float | None, ...]], ...] = (
    ((2, 1, 3), {"scale_factor": 2}, (6,), (2,)),
    ((1, 2, 5), {"size": 3}, (3,), (None,)),
    ((1, 1, 2, 3), {"size": (5, 2)}, (5, 2), (None, None)),
    ((1, 1, 3, 4), {"scale_factor": (1.7, 0.6)}, (5, 2), (1.7, 0.6)),
    ((1, 1, 3, 4), {"scale_factor": (1.7, 0.6), "recompute_scale_factor": True}, (5, 2), (None, None)),
    ((1, 1, 2, 1, 3), {"size": (3, 2, 4)}, (3, 2, 4), (None, None, None)),
    ((1, 1, 4, 4), {"size": (4, 4)}, (4, 4), (None, None)),
    ((0, 1, 2, 2), {"scale_factor": 2.0}, (4, 4), (2.0, 2.0)),
)


def resizes() -> Iterator[Row]:
    smooth = {1: ("linear",), 2: ("bilinear", "bicubic"), 3: ("trilinear",)}
    for shape, options, outs, factors in RESIZED:
        dims = len(outs)
        for mode in ("nearest", "nearest-exact", "area", *smooth[dims]):
            for corners in (None, True, False) if mode in smooth[dims] else (None,):
                case = "-".join([told(shape), mode, str(corners), *[f"{k}={v}" for k, v in options.items()]])
                given = {**options, "mode": mode, "align_corners": corners}
                yield Row(
                    "interpolate",
                    case.replace(" ", ""),
                    lambda f, x, given=given: f.interpolate(x, **given),
                    real(shape),
                    lambda x, args=(mode, outs, factors, bool(corners)): resampled(x, *args),
                    dtypes="efdl?" if min(shape) else "efd",
                )
    for name, shape, options, numpy in (
        ("upsample", (1, 2, 3), {"scale_factor": 2}, lambda x: np.repeat(x, 2, 2)),
        ("upsample", (1, 1, 3), {"size": 5, "mode": "linear", "align_corners": True}, None),
        ("upsample_nearest", (1, 1, 2, 2), {"scale_factor": 2}, lambda x: x.repeat(2, 2).repeat(2, 3)),
        ("upsample_bilinear", (1, 1, 2, 3), {"size": (3, 5)}, None),
    ):
        outs = (5,) if len(shape) == 3 else (3, 5)
        yield Row(
            name,
            "-".join([told(shape), *[f"{k}={v}" for k, v in options.items()]]).replace(" ", ""),
            lambda f, x, name=name, options=options: silently(lambda: getattr(f, name)(x, **options)),
            real(shape),
            numpy or (lambda x, outs=outs: resampled(x, "linear", outs, (None,) * len(outs), True)),
        )


def silently(call: Callable[[], Any]) -> Any:
    """The call without a warning that its name is an old one, or (PyTorch's) of sizes of 1."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return call()


# ---------------------------------------------------------------- grid_sample, affine_grid


def reflected(at: float, low: float, high: float) -> float:
    """A place mirrored at both ends until it is between them."""
    if high <= low:
        return 0.0
    while not low <= at <= high:
        at = 2 * low - at if at < low else 2 * high - at
    return at


def brought_in(at: float, n: int, padding: str, corners: bool) -> float:
    if padding == "reflection":
        at = reflected(at, 0.0, n - 1.0) if corners else reflected(at, -0.5, n - 0.5)
    return at if padding == "zeros" else min(max(at, 0.0), n - 1.0)


def sampled(x: Array, grid: Array, mode: str, padding: str, corners: bool) -> Array:
    """Every result as the sum over all elements, by how near they are."""
    sizes = x.shape[2:]
    dims = len(sizes)
    result = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for place in np.ndindex(*grid.shape[:-1]):
        factors = []
        for n, c in zip(sizes, grid[place][::-1]):
            at = (c + 1) * (n - 1) / 2 if corners else ((c + 1) * n - 1) / 2
            found = np.zeros(n)
            if mode == "bicubic":
                taps = [(k, cubic(at - k)) for k in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3)]
                taps = [(round(brought_in(float(k), n, padding, corners)), w) for k, w in taps]
            else:
                at = brought_in(at, n, padding, corners)
                taps = [(round(at), 1.0)]
                if mode == "bilinear":
                    taps = [(k, 1 - abs(at - k)) for k in (int(np.floor(at)), int(np.floor(at)) + 1)]
            for k, w in taps:
                if 0 <= k < n:
                    found[k] += w
            factors.append(found)
        weight = factors[0]
        for found in factors[1:]:
            weight = np.multiply.outer(weight, found)
        result[(place[0], slice(None), *place[1:])] = np.tensordot(x[place[0]], weight, dims)
    return result


def samples() -> Iterator[Row]:
    for dims, mode, padding, corners in product(
        (2, 3), ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (True, False)
    ):
        if dims == 3 and mode == "bicubic":
            continue
        image = (1, 2, 3, 4) if dims == 2 else (1, 1, 2, 3, 2)
        grid = (1, 2, 2, 2) if dims == 2 else (1, 1, 2, 1, 3)
        yield Row(
            "grid_sample",
            f"{dims}d-{mode}-{padding}-{corners}",
            lambda f, x, g, args=(mode, padding, corners): f.grid_sample(x, g, *args),
            (Arg(image), Arg(grid)),
            lambda x, g, args=(mode, padding, corners): sampled(x, g, *args),
            dtypes="fd",
            special=(
                (np.arange(6.0).reshape(1, 1, 2, 3), np.array([[[[-3.0, 0.3], [5.5, -9.0], [1e20, 0.2]]]])),
            )
            if dims == 2 and padding == "zeros"
            else (),
        )
    yield Row(
        "grid_sample",
        "no-batch",
        lambda f, x, g: f.grid_sample(x, g, align_corners=False),
        real((0, 1, 2, 2), (0, 1, 2, 2)),
        lambda x, g: np.zeros((0, 1, 1, 2)),
        dtypes="fd",
    )


def mapped(theta: Array, sizes: Shape, corners: bool) -> Array:
    """Each place, as (x, y, 1), times the map."""
    axes = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in sizes[2:]]
    if not corners:
        axes = [(np.arange(n) * 2 + 1) / n - 1 for n in sizes[2:]]
    result = np.empty((sizes[0], *sizes[2:], len(axes)))
    for place in np.ndindex(*sizes[2:]):
        at = [axis[i] for axis, i in zip(axes, place)][::-1]
        result[(slice(None), *place)] = theta @ np.array([*at, 1.0])
    return result


def grids() -> Iterator[Row]:
    for sizes in ((2, 3, 2, 3), (1, 1, 1, 4), (2, 1, 2, 1, 3)):
        dims = len(sizes) - 2
        for corners in (True, False):
            yield Row(
                "affine_grid",
                f"{told(sizes)}-{corners}",
                lambda f, x, args=(sizes, corners): silently(lambda: f.affine_grid(x, *args)),
                real((sizes[0], dims, dims + 1)),
                lambda x, sizes=sizes, corners=corners: mapped(x, sizes, corners),
                dtypes="fd",
            )


# ---------------------------------------------------------------- pixels


def shuffled(x: Array, r: int) -> Array:
    *lead, c, h, w = x.shape
    result = np.empty((*lead, c // (r * r), h * r, w * r))
    for i, j in product(range(r), repeat=2):
        result[..., i::r, j::r] = x[..., i * r + j :: r * r, :, :]
    return result


def unshuffled(x: Array, r: int) -> Array:
    *lead, c, h, w = x.shape
    result = np.empty((*lead, c * r * r, h // r, w // r))
    for i, j in product(range(r), repeat=2):
        result[..., i * r + j :: r * r, :, :] = x[..., i::r, j::r]
    return result


def pixels() -> Iterator[Row]:
    for shape, r in (
        ((4, 1, 2), 2),
        ((2, 8, 2, 1), 2),
        ((1, 2, 9, 1, 2), 3),
        ((2, 1, 1), 1),
        ((0, 4, 1, 1), 2),
    ):
        yield Row(
            "pixel_shuffle",
            f"{told(shape)}-{r}",
            lambda f, x, r=r: f.pixel_shuffle(x, r),
            real(shape),
            lambda x, r=r: shuffled(x, r),
            torch=0 not in shape,  # PyTorch fails to go backward through an empty one
        )
    for shape, r in (
        ((1, 2, 4), 2),
        ((2, 2, 2, 4), 2),
        ((2, 1, 1, 3, 6), 3),
        ((2, 1, 1), 1),
        ((0, 1, 2, 2), 2),
    ):
        yield Row(
            "pixel_unshuffle",
            f"{told(shape)}-{r}",
            lambda f, x, r=r: f.pixel_unshuffle(x, r),
            real(shape),
            lambda x, r=r: unshuffled(x, r),
            torch=0 not in shape,  # PyTorch leaves an empty one in its shape
        )
    for shape, groups in (((2, 4, 2), 2), ((1, 6, 1, 2), 3), ((2, 3, 1), 1), ((0, 4, 1), 2)):
        yield Row(
            "channel_shuffle",
            f"{told(shape)}-{groups}",
            lambda f, x, groups=groups: f.channel_shuffle(x, groups),
            real(shape),
            lambda x, g=groups: np.concatenate(
                [x[:, i :: x.shape[1] // g] for i in range(x.shape[1] // g)], 1
            ),
        )


ROWS: tuple[Row, ...] = (*pads(), *resizes(), *samples(), *grids(), *pixels())

A, L, S = np.ones((2, 3)), np.ones((1, 1, 3)), np.ones((1, 1, 3, 3))
G, T = np.zeros((1, 2, 2, 2)), np.ones((1, 2, 3))

BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "pad-odd": (lambda f, t: f.pad(t(A), (1,)), RuntimeError, r"pad: .*divisible by 2, got \(1,\)"),
    "pad-long": (lambda f, t: f.pad(t(A), (1,) * 6), RuntimeError, r"pad: .*twice.*\(2, 3\)"),
    "pad-narrow": (
        lambda f, t: f.pad(t(A), (-2, -2)),
        RuntimeError,
        r"pad: \(-2, -2\) is too much.*\(2, 3\)",
    ),
    "pad-value": (lambda f, t: f.pad(t(A), (1, 1), "reflect", 1.0), RuntimeError, "pad: .*reflect.*value"),
    "pad-mode": (lambda f, t: f.pad(t(A), (1, 1), "other"), NotImplementedError, "pad: .*other"),
    "pad-dims": (lambda f, t: f.pad(t(A[0]), (1, 1), "reflect"), NotImplementedError, r"pad: .*\(3,\)"),
    "pad-reflect": (lambda f, t: f.pad(t(A), (3, 1), "reflect"), RuntimeError, r"pad: \(3, 1\).*\(2, 3\)"),
    "pad-circular": (lambda f, t: f.pad(t(A), (4, 1), "circular"), RuntimeError, r"pad: \(4, 1\).*\(2, 3\)"),
    "pad-overflow": (
        lambda f, t: f.pad(t(np.arange(3)), (1, 1), value=INF),
        RuntimeError,
        "cannot be converted.*int64",
    ),
    "interpolate-nothing": (lambda f, t: f.interpolate(t(L)), ValueError, "either size or scale_factor"),
    "interpolate-both": (
        lambda f, t: f.interpolate(t(L), 2, 2.0),
        ValueError,
        "only one of size or scale_factor",
    ),
    "interpolate-sizes": (lambda f, t: f.interpolate(t(L), (2, 2)), ValueError, r"\(3,\) and size \(2, 2\)"),
    "interpolate-corners": (
        lambda f, t: f.interpolate(t(L), 2, align_corners=True),
        ValueError,
        "align_corners option can only be set",
    ),
    "interpolate-recompute": (
        lambda f, t: f.interpolate(t(L), 2, recompute_scale_factor=True),
        ValueError,
        "recompute_scale_factor is not meaningful",
    ),
    "interpolate-mode": (
        lambda f, t: f.interpolate(t(L), 2, mode="bilinear"),
        NotImplementedError,
        r"interpolate: mode 'bilinear' is not for an input of shape \(1, 1, 3\)",
    ),
    "interpolate-dims": (
        lambda f, t: f.interpolate(t(L[0]), 2),
        NotImplementedError,
        r"interpolate: .*\(1, 3\)",
    ),
    "interpolate-zero": (lambda f, t: f.interpolate(t(L), 0), RuntimeError, r"interpolate: .*greater than 0"),
    "interpolate-whole": (
        lambda f, t: f.interpolate(t(np.zeros((1, 1, 3), np.int64)), 2),
        NotImplementedError,
        "interpolate: not implemented for int64",
    ),
    "grid_sample-mode": (
        lambda f, t: f.grid_sample(t(S), t(G), "cubic"),
        ValueError,
        "grid_sample: expected mode.*'cubic'",
    ),
    "grid_sample-padding": (
        lambda f, t: f.grid_sample(t(S), t(G), "nearest", "edge"),
        ValueError,
        "grid_sample: expected padding_mode.*'edge'",
    ),
    "grid_sample-dims": (
        lambda f, t: f.grid_sample(t(L), t(G)),
        RuntimeError,
        r"grid_sample: .*\(1, 1, 3\).*\(1, 2, 2, 2\)",
    ),
    "grid_sample-last": (
        lambda f, t: f.grid_sample(t(S), t(np.zeros((1, 2, 2, 3)))),
        RuntimeError,
        r"grid_sample: .*2 in its last dimension.*\(1, 2, 2, 3\)",
    ),
    "grid_sample-batch": (
        lambda f, t: f.grid_sample(t(S), t(np.zeros((2, 2, 2, 2)))),
        RuntimeError,
        r"grid_sample: .*batch.*\(2, 2, 2, 2\)",
    ),
    "grid_sample-dtypes": (
        lambda f, t: f.grid_sample(t(S), t(G.astype(np.float32))),
        RuntimeError,
        "grid_sample: .*float64 and float32",
    ),
    "grid_sample-bicubic": (
        lambda f, t: f.grid_sample(t(S[None]), t(np.zeros((1, 1, 1, 1, 3))), "bicubic"),
        RuntimeError,
        "grid_sample: bicubic interpolation only supports 4D",
    ),
    "affine_grid-shape": (
        lambda f, t: f.affine_grid(t(T[:, :, :2]), (1, 1, 2, 2)),
        ValueError,
        r"affine_grid: .*2x3.*\(1, 2, 2\)",
    ),
    "affine_grid-sizes": (
        lambda f, t: f.affine_grid(t(T), (1, 1, 0, 2)),
        ValueError,
        r"affine_grid: .*positive sizes \(1, 1, 0, 2\)",
    ),
    "affine_grid-whole": (
        lambda f, t: f.affine_grid(t(np.ones((1, 2, 3), np.int64)), (1, 1, 2, 2)),
        ValueError,
        "affine_grid: .*int64",
    ),
    "pixel_shuffle-dims": (lambda f, t: f.pixel_shuffle(t(A), 2), RuntimeError, r"pixel_shuffle: .*\(2, 3\)"),
    "pixel_shuffle-channels": (
        lambda f, t: f.pixel_shuffle(t(L), 2),
        RuntimeError,
        r"pixel_shuffle: .*1 is not divisible by 4",
    ),
    "pixel_shuffle-factor": (
        lambda f, t: f.pixel_shuffle(t(L), 0),
        RuntimeError,
        "pixel_shuffle: .*positive.*0",
    ),
    "pixel_unshuffle-sizes": (
        lambda f, t: f.pixel_unshuffle(t(S), 2),
        RuntimeError,
        r"pixel_unshuffle: .*\(1, 1, 3, 3\)",
    ),
    "pixel_unshuffle-factor": (
        lambda f, t: f.pixel_unshuffle(t(S), -1),
        RuntimeError,
        "pixel_unshuffle: .*positive.*-1",
    ),
    "pixel_unshuffle-dims": (
        lambda f, t: f.pixel_unshuffle(t(A), 1),
        RuntimeError,
        r"pixel_unshuffle: .*\(2, 3\)",
    ),
    "channel_shuffle-groups": (
        lambda f, t: f.channel_shuffle(t(L), 2),
        RuntimeError,
        "channel_shuffle: .*divisible by groups, got 1 and 2",
    ),
    "channel_shuffle-zero": (
        lambda f, t: f.channel_shuffle(t(L), 0),
        RuntimeError,
        "channel_shuffle: .*positive",
    ),
    "channel_shuffle-dims": (
        lambda f, t: f.channel_shuffle(t(A), 1),
        RuntimeError,
        r"channel_shuffle: .*\(2, 3\)",
    ),
}

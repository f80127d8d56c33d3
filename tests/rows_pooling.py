"""Rows of the poolings, against loops over the windows that follow their definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from rows import INF, NAN, Arg, Array, Row, Shape, real, told

Windows = list[tuple[tuple[int, ...], list[tuple[int, ...]], int]]


def each(value: Any, dims: int) -> tuple[Any, ...]:
    """A parameter for each dimension."""
    return tuple(value) * (dims if len(value) == 1 else 1) if isinstance(value, tuple) else (value,) * dims


def windows(
    sizes: Shape, kernel: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil: bool = False
) -> tuple[Shape, Windows]:
    """The sizes of the result, and each window: its place, its elements, their number with the padding."""
    dims = len(sizes)
    k, p, d = each(kernel, dims), each(padding, dims), each(dilation, dims)
    s = k if stride is None else each(stride, dims)
    starts = []
    for i, n in enumerate(sizes):
        reach = d[i] * (k[i] - 1) + 1
        at = list(range(-p[i], n + p[i] - reach + 1, s[i]))
        nxt = at[-1] + s[i]
        if ceil and nxt < n and nxt + reach > n + p[i] and at[-1] + reach < n + p[i]:
            at.append(nxt)
        starts.append(at)
    found: Windows = []
    for place in product(*[range(len(at)) for at in starts]):
        first = [starts[i][o] for i, o in enumerate(place)]
        cells = [
            tuple([f + t * step for f, t, step in zip(first, taps, d)])
            for taps in product(*[range(n) for n in k])
        ]
        padded = sum(all(c < n + q for c, n, q in zip(cell, sizes, p)) for cell in cells)
        inside = [cell for cell in cells if all(0 <= c < n for c, n in zip(cell, sizes))]
        found.append((place, inside, padded))
    return tuple([len(at) for at in starts]), found


def adaptive(sizes: Shape, output: Any) -> tuple[Shape, Windows]:
    """The same of adaptive windows."""
    outs = tuple([n if m is None else m for n, m in zip(sizes, each(output, len(sizes)))])
    found: Windows = []
    for place in product(*[range(m) for m in outs]):
        spans = [range(o * n // m, -(-(o + 1) * n // m)) for o, n, m in zip(place, sizes, outs)]
        cells = list(product(*spans))
        found.append((place, cells, len(cells)))
    return outs, found


def pooled(
    x: Array, made: tuple[Shape, Windows], pick: Callable[[Array, Any, int], Any], dtype: Any = None
) -> Array:
    """`pick` of each window: of its elements, their places and their number with the padding."""
    outs, found = made
    lead = x.shape[: x.ndim - len(outs)]
    result = np.empty((*lead, *outs), x.dtype if dtype is None else dtype)
    for plane in np.ndindex(lead):
        for place, cells, padded in found:
            result[plane + place] = pick(np.array([x[plane + c] for c in cells]), cells, padded)
    return result


def largest(x: Array, made: tuple[Shape, Windows]) -> tuple[Array, Array]:
    """The largest of each window, and where in the plane it stands."""
    sizes = x.shape[x.ndim - len(made[0]) :]
    return (
        pooled(x, made, lambda v, c, n: v.max()),
        pooled(x, made, lambda v, c, n: np.ravel_multi_index(c[int(v.argmax())], sizes), np.int64),
    )


def mean(x: Array, made: tuple[Shape, Windows], include: bool = True, divisor: int | None = None) -> Array:
    """The mean of each window."""
    return pooled(x, made, lambda v, c, n: v.sum() / (divisor or (n if include else len(v))))


def unpooled(x: Array, made: tuple[Shape, Windows], sizes: Shape) -> Array:
    """The largest of each window at its place in zeros."""
    values, places = largest(x, made)
    dims = len(sizes)
    result = np.zeros((*x.shape[: x.ndim - dims], *sizes), x.dtype)
    inner = x.shape[x.ndim - dims :]
    assert dims == 1 or sizes == inner, "places are those of the input's plane"
    for plane in np.ndindex(x.shape[: x.ndim - dims]):
        result[plane].reshape(-1)[places[plane].ravel()] = values[plane].ravel()
    return result


TIES = np.array([[0.0, 0.0, 1.0, 1.0, -1.0], [0.0, 0.0, 1.0, 1.0, 2.0], [2.0, 2.0, -INF, -INF, 2.0]])
ODD = np.array([[NAN, 0.0, 1.0, NAN, -INF], [INF, NAN, 1.0, NAN, -INF], [INF, INF, -INF, -INF, -INF]])
SPECIAL: dict[int, tuple[tuple[Array, ...], ...]] = {
    1: ((TIES[None],), (ODD[None],)),
    2: ((TIES[None],), (ODD[None],)),
    3: ((np.stack([TIES, ODD])[None],), (np.stack([TIES, TIES])[None],)),
}

#: shape, kernel_size, stride, padding, dilation, ceil_mode
MAX: tuple[tuple[int, Shape, tuple[Any, ...]], ...] = (
    (1, (2, 2, 6), (2,)),
    (1, (2, 7), (3, 2, 1)),
    (1, (1, 2, 7), ((3,), 1, 1, 2)),
    (1, (1, 6), (3, 4, 0, 1, True)),
    (1, (0, 2, 4), (2,)),
    (2, (2, 1, 4, 6), (2,)),
    (2, (2, 4, 6), (3, 2, 1)),
    (2, (1, 2, 5, 4), (3, 2, 1, 1, True)),
    (2, (1, 4, 5), ((2, 3), (1, 2), (0, 1))),
    (2, (1, 5, 6), (2, 1, 1, 2)),
    (2, (1, 3, 3), (3, 1, 1)),
    (2, (1, 5, 5), (2, 3)),
    (2, (0, 1, 4, 4), (2,)),
    (3, (1, 1, 2, 4, 4), (2,)),
    (3, (2, 3, 3, 4), ((2, 1, 3), 1, (1, 0, 1))),
    (3, (1, 3, 3, 3), (2, 2, 0, 1, True)),
)


def named(args: tuple[Any, ...]) -> str:
    return "-".join(str(a).replace(" ", "") for a in args)


def maxima() -> Iterator[Row]:
    for dims, shape, args in MAX:
        sizes = shape[len(shape) - dims :]
        name, case = f"max_pool{dims}d", f"{told(shape)}-{named(args)}"
        special = SPECIAL[dims] if dims < 3 or args[0] == 2 else ()
        yield Row(
            name,
            case,
            lambda f, x, name=name, args=args: getattr(f, name)(x, *args),
            real(shape),
            lambda x, sizes=sizes, args=args: largest(x, windows(sizes, *args))[0],
            special=special if min(shape) else (),
        )
        yield Row(
            name,
            f"{case}-indices",
            lambda f, x, name=name, args=args: getattr(f, name)(x, *args, return_indices=True),
            real(shape),
            lambda x, sizes=sizes, args=args: largest(x, windows(sizes, *args)),
            dtypes="efd" if dims == 1 else "efdl?",
            special=special if min(shape) else (),
        )
    for dims in (1, 2, 3):
        shape = (2, *(4, 5, 2)[:dims])
        yield Row(
            f"max_pool{dims}d_with_indices",
            told(shape),
            lambda f, x, dims=dims: getattr(f, f"max_pool{dims}d_with_indices")(x, 2, 1, padding=1),
            real(shape),
            lambda x, shape=shape: largest(x, windows(shape[1:], 2, 1, 1)),
            dtypes="efd",
        )


ADAPTIVE: tuple[tuple[int, Shape, Any], ...] = (
    (1, (2, 6), 3),
    (1, (2, 1, 7), 3),
    (1, (2, 3), 5),
    (1, (0, 1, 3), 2),
    (2, (2, 4, 6), 2),
    (2, (1, 2, 5, 4), (3, 2)),
    (2, (1, 5, 3), (None, 2)),
    (2, (1, 3, 2), (4, 5)),
    (2, (1, 4, 4), 1),
    (3, (1, 4, 2, 3), (2, 1, 2)),
    (3, (1, 1, 2, 3, 4), (1, 2, None)),
)


def adaptives() -> Iterator[Row]:
    for dims, shape, output in ADAPTIVE:
        sizes = shape[len(shape) - dims :]
        case = f"{told(shape)}-{named((output,))}"
        special = SPECIAL[dims] if dims < 3 and min(shape) and None not in each(output, dims) else ()
        yield Row(
            f"adaptive_avg_pool{dims}d",
            case,
            lambda f, x, dims=dims, output=output: getattr(f, f"adaptive_avg_pool{dims}d")(x, output),
            real(shape),
            lambda x, sizes=sizes, output=output: mean(x, adaptive(sizes, output)),
            special=special,
            dtypes="efdl?" if min(shape) else "efd",  # PyTorch refuses whole numbers if there are any
        )
        name = f"adaptive_max_pool{dims}d"
        yield Row(
            name,
            case,
            lambda f, x, name=name, output=output: getattr(f, name)(x, output),
            real(shape),
            lambda x, sizes=sizes, output=output: largest(x, adaptive(sizes, output))[0],
            special=special,
        )
        for own in ("", "_with_indices"):
            yield Row(
                name + own,
                f"{case}-indices",
                lambda f, x, name=name + own, output=output: getattr(f, name)(x, output, return_indices=True),
                real(shape),
                lambda x, sizes=sizes, output=output: largest(x, adaptive(sizes, output)),
                special=special,
            )


#: shape, (kernel_size, stride, padding, ceil_mode, count_include_pad), divisor_override
MEANS: tuple[tuple[int, Shape, tuple[Any, ...], int | None], ...] = (
    (1, (2, 2, 6), (2, 2), None),
    (1, (2, 7), (3, 2, 1), None),
    (1, (2, 7), ((3,), (2,), 1, True, False), None),
    (1, (0, 2, 4), (2, 2), None),
    (2, (2, 1, 4, 6), (2, 2), None),
    (2, (2, 5, 4), (3, 2, 1), None),
    (2, (1, 5, 4), (3, 2, 1, False, False), None),
    (2, (1, 2, 5, 4), (3, 2, 1, True), None),
    (2, (1, 5, 4), (3, 2, 1, True, False), None),
    (2, (1, 5, 4), ((2, 3), (1, 2), (0, 1)), 3),
    (2, (1, 3, 3), (3, 1, 1), None),
    (2, (0, 1, 4, 4), (2, 2), None),
    (3, (1, 1, 2, 4, 4), (2, 2), None),
    (3, (2, 3, 3, 4), ((2, 1, 3), 1, (1, 0, 1), False, False), None),
    (3, (1, 3, 3, 3), (2, 2, 0, True), 2),
)


def means() -> Iterator[Row]:
    for dims, shape, args, divisor in MEANS:
        sizes = shape[len(shape) - dims :]
        kernel, stride, *rest = args
        usual: list[Any] = [0, False, True]
        padding, ceil, include = [*rest, *usual[len(rest) :]]
        extra = {} if divisor is None else {"divisor_override": divisor}

        def numpy(
            x: Array,
            args: Any = (sizes, kernel, stride, padding, 1, ceil),
            include: Any = include,
            divisor: int | None = divisor,
        ) -> Array:
            return mean(x, windows(*args), include, divisor)

        yield Row(
            f"avg_pool{dims}d",
            f"{told(shape)}-{named((*args, divisor))}",
            lambda f, x, dims=dims, args=args, extra=extra: getattr(f, f"avg_pool{dims}d")(x, *args, **extra),
            real(shape),
            numpy,
            special=SPECIAL[dims] if dims < 3 and min(shape) else (),
            dtypes="fdl?" if dims == 3 else "efdl?",
        )
    for dims, shape, args in (
        (1, (2, 2, 6), (2, 2)),
        (1, (2, 7), (3, 2, 3, True)),
        (2, (1, 4, 4), (3, (2, 2), 1)),
        (2, (1, 1, 5, 3), (1, (2, 2))),
        (3, (1, 2, 4, 2), (2, (2, 2, 2))),
    ):
        norm, *windowing = args

        def norms(
            x: Array, dims: int = dims, norm: int = norm, args: tuple[Any, ...] = tuple(windowing)
        ) -> Array:
            usual: list[Any] = [None, False]
            kernel, stride, ceil = [*args, *usual[len(args) - 1 :]]
            made = windows(x.shape[x.ndim - dims :], kernel, stride, 0, 1, ceil)
            count = int(np.prod(each(kernel, dims)))
            return pooled(x, made, lambda v, c, n: ((v**norm).sum() / n * count) ** (1 / norm))

        yield Row(
            f"lp_pool{dims}d",
            f"{told(shape)}-{named(args)}",
            lambda f, x, dims=dims, args=args: getattr(f, f"lp_pool{dims}d")(x, float(args[0]), *args[1:]),
            (Arg(shape, "positive"),),
            norms,
            dtypes="fd",
        )


def undone() -> Iterator[Row]:
    for dims, shape, kernel, stride, sizes in (
        (1, (2, 6), 2, None, None),
        (1, (1, 2, 7), 2, None, (7,)),
        (2, (1, 4, 6), 2, None, None),
        (2, (2, 1, 5, 4), 2, None, (5, 4)),
        (2, (1, 5, 5), 3, 2, None),
        (3, (1, 2, 2, 4), 2, None, None),
        (3, (1, 1, 3, 2, 2), (2, 2, 2), 2, (1, 1, 3, 2, 2)),
    ):
        name = f"max_unpool{dims}d"

        def call(
            f: Any, x: Any, dims: int = dims, kernel: Any = kernel, stride: Any = stride, sizes: Any = sizes
        ) -> Any:
            found = getattr(f, f"max_pool{dims}d")(x, kernel, stride, return_indices=True)
            return getattr(f, f"max_unpool{dims}d")(*found, kernel, stride, output_size=sizes)

        yield Row(
            name,
            f"{told(shape)}-{named((kernel, stride, sizes))}",
            call,
            real(shape),
            lambda x, dims=dims, kernel=kernel, stride=stride: unpooled(
                x, windows(x.shape[x.ndim - dims :], kernel, stride), x.shape[x.ndim - dims :]
            ),
            dtypes="efdl?" if dims > 1 else "efd",
            # windows that share an element: PyTorch gives each of them the gradient
            torch=stride is None or dims == 3,
        )


def fractional(x: Array, samples: Array, kernel: Shape, outs: Shape) -> tuple[Array, Array]:
    """Maxima and places of windows that samples place: the last dimension's first, in three in order."""
    dims = len(outs)
    sizes = x.shape[x.ndim - dims :]
    values = np.empty((*x.shape[: x.ndim - dims], *outs), x.dtype)
    places = np.empty(values.shape, np.int64)
    for plane in np.ndindex(x.shape[: x.ndim - dims]):
        sample = samples[plane if len(plane) == 2 else (0, *plane)]
        starts = []
        for d, u in enumerate(sample if dims == 3 else sample[::-1]):
            step = (sizes[d] - kernel[d]) / max(outs[d] - 1, 1)
            starts.append([int((u + i) * step) - int(u * step) for i in range(outs[d] - 1)])
            starts[d].append(sizes[d] - kernel[d])
        found: Windows = []
        for place in product(*[range(n) for n in outs]):
            taps = product(*[range(starts[d][o], starts[d][o] + kernel[d]) for d, o in enumerate(place)])
            found.append((place, list(taps), 0))
        values[plane], places[plane] = largest(x[plane], (outs, found))
    return values, places


def fractions() -> Iterator[Row]:
    for dims, shape, kernel, outs in (
        (2, (2, 1, 5, 6), (2, 3), (3, 2)),
        (2, (2, 4, 5), (1, 2), (1, 4)),
        (3, (1, 2, 4, 3, 3), (2, 1, 1), (2, 2, 1)),
    ):
        many = 1 if len(shape) == dims + 1 else shape[0]
        for name, wanted in (("", {}), ("", {"return_indices": True}), ("_with_indices", {})):
            both = bool(name or wanted)

            def call(
                f: Any,
                x: Any,
                u: Any,
                name: Any = name,
                dims: Any = dims,
                to: Any = (kernel, outs),
                more: Any = wanted,
            ) -> Any:
                pool = getattr(f, f"fractional_max_pool{dims}d{name}")
                return pool(x, *to, _random_samples=u / (1 + u), **more)

            yield Row(
                f"fractional_max_pool{dims}d{name}",
                f"{told(shape)}-{named((kernel, outs))}{'-indices' if wanted else ''}",
                call,
                (Arg(shape), Arg((many, shape[-dims - 1], dims), "constant")),
                lambda x, u, kernel=kernel, outs=outs, both=both: fractional(x, u / (1 + u), kernel, outs)[
                    : 2 if both else 1
                ],
                dtypes="fd",
            )


ROWS: tuple[Row, ...] = (*maxima(), *adaptives(), *means(), *undone(), *fractions())

X, WHOLE = np.arange(16.0).reshape(1, 4, 4), np.zeros((1, 2, 2), np.int64)
G = np.ones((1, 2, 2))

BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "max_pool2d-dims": (
        lambda f, t: f.max_pool2d(t(X[0]), 2),
        RuntimeError,
        r"max_pool2d: .*3D or 4D.*\(4, 4\)",
    ),
    "max_pool1d-dims": (
        lambda f, t: f.max_pool1d(t(X[0, 0]), 2),
        RuntimeError,
        r"max_pool1d: .*2D or 3D.*\(4,\)",
    ),
    "max_pool3d-empty": (
        lambda f, t: f.max_pool3d(t(np.ones((1, 0, 2, 2, 2))), 1),
        RuntimeError,
        r"max_pool3d: .*\(1, 0, 2, 2, 2\)",
    ),
    "max_pool2d-kernel": (
        lambda f, t: f.max_pool2d(t(X), (2, 2, 2)),
        RuntimeError,
        r"max_pool2d: kernel_size must either be a single int, or a tuple of two ints.*\(2, 2, 2\)",
    ),
    "max_pool2d-zero": (lambda f, t: f.max_pool2d(t(X), 0), RuntimeError, "max_pool2d: kernel_size.*zero"),
    "max_pool2d-stride": (lambda f, t: f.max_pool2d(t(X), 2, 0), RuntimeError, "max_pool2d: stride.*zero"),
    "max_pool2d-dilation": (
        lambda f, t: f.max_pool2d(t(X), 2, 1, 0, 0),
        RuntimeError,
        "max_pool2d: dilation.*zero",
    ),
    "max_pool2d-negative": (
        lambda f, t: f.max_pool2d(t(X), 2, 1, -1),
        RuntimeError,
        "max_pool2d: padding must be non-negative",
    ),
    "max_pool2d-padding": (
        lambda f, t: f.max_pool2d(t(X), 2, 1, 2),
        RuntimeError,
        "max_pool2d: padding should be at most half of effective kernel size.*padding=2",
    ),
    "max_pool2d-small": (
        lambda f, t: f.max_pool2d(t(X), 5),
        RuntimeError,
        r"max_pool2d: .*too small.*\(1, 4, 4\)",
    ),
    "max_pool1d-whole": (
        lambda f, t: f.max_pool1d(t(np.arange(4).reshape(1, 4)), 2),
        RuntimeError,
        "max_pool1d: not implemented for int64",
    ),
    "avg_pool2d-divisor": (
        lambda f, t: f.avg_pool2d(t(X), 2, divisor_override=0),
        RuntimeError,
        "avg_pool2d: divisor_override",
    ),
    "avg_pool1d-padding": (
        lambda f, t: f.avg_pool1d(t(X), 2, 1, 2),
        RuntimeError,
        "avg_pool1d: padding should be at most half",
    ),
    "avg_pool2d-bools": (lambda f, t: f.avg_pool2d(t(X > 1), 2), RuntimeError, "avg_pool2d: .*bool"),
    "adaptive_avg_pool2d-sizes": (
        lambda f, t: f.adaptive_avg_pool2d(t(X), (2,)),
        RuntimeError,
        r"adaptive_avg_pool2d: output_size must be of 2 numbers, got \(2,\)",
    ),
    "adaptive_avg_pool2d-dims": (
        lambda f, t: f.adaptive_avg_pool2d(t(X[0]), 2),
        RuntimeError,
        r"adaptive_avg_pool2d: expected 3D or 4D tensor.*\(4, 4\)",
    ),
    "adaptive_max_pool2d-negative": (
        lambda f, t: f.adaptive_max_pool2d(t(X), -1),
        RuntimeError,
        "adaptive_max_pool2d: .*negative",
    ),
    "adaptive_max_pool2d-empty": (
        lambda f, t: f.adaptive_max_pool2d(t(np.ones((1, 1, 0, 4))), 2),
        RuntimeError,
        r"adaptive_max_pool2d: .*\(1, 1, 0, 4\)",
    ),
    "adaptive_max_pool1d-whole": (
        lambda f, t: f.adaptive_max_pool1d(t(np.arange(4).reshape(1, 4)), 2),
        RuntimeError,
        "adaptive_max_pool1d: not implemented for int64",
    ),
    "max_unpool2d-dtype": (
        lambda f, t: f.max_unpool2d(t(G), t(G), 2),
        RuntimeError,
        "max_unpool2d: elements in indices should be type int64 but got: float64",
    ),
    "max_unpool2d-shape": (
        lambda f, t: f.max_unpool2d(t(G), t(WHOLE[:, :1]), 2),
        RuntimeError,
        r"max_unpool2d: .*\(1, 2, 2\).*\(1, 1, 2\)",
    ),
    "max_unpool2d-index": (
        lambda f, t: f.max_unpool2d(t(G), t(WHOLE + 16), 2),
        RuntimeError,
        "max_unpool2d: found an invalid max index: 16",
    ),
    "max_unpool2d-sizes": (
        lambda f, t: f.max_unpool2d(t(G), t(WHOLE), 2, output_size=(7, 4)),
        ValueError,
        r"invalid output_size .*\(dim 0 must be between 2 and 6\)",
    ),
    "max_unpool2d-length": (
        lambda f, t: f.max_unpool2d(t(G), t(WHOLE), 2, output_size=(4,)),
        ValueError,
        "output_size should be a sequence containing 2 or 4 elements",
    ),
    "fractional_max_pool2d-sizes": (
        lambda f, t: f.fractional_max_pool2d(t(X), 2, _random_samples=t(np.zeros((1, 1, 2)))),
        ValueError,
        "fractional_max_pool2d requires specifying either an output_size or an output_ratio",
    ),
    "fractional_max_pool2d-ratios": (
        lambda f, t: f.fractional_max_pool2d(
            t(X), 2, None, (0.5, 0.5, 0.5), _random_samples=t(np.zeros((1, 1, 2)))
        ),
        ValueError,
        "fractional_max_pool2d requires output_ratio to either be a single Int or tuple of 2 Ints",
    ),
    "fractional_max_pool2d-large": (
        lambda f, t: f.fractional_max_pool2d(t(X), 3, 3, _random_samples=t(np.zeros((1, 1, 2)))),
        RuntimeError,
        r"fractional_max_pool2d.* too large relative to .*input",
    ),
    "fractional_max_pool3d-dims": (
        lambda f, t: f.fractional_max_pool3d(t(X), 2, 2, _random_samples=t(np.zeros((1, 1, 3)))),
        RuntimeError,
        "fractional_max_pool3d.*: [Ee]xpected 4D or 5D tensor",
    ),
}

"""Rows of reductions, running results, orders and statistics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from rows import INF, NAN, POINTS, ROWS_OF_POINTS, Arg, Array, Call, Row, Shape, real, told

Special = tuple[tuple[Array, ...], ...]
WITH_ZEROS = np.array([[0.0, 2.0, 3.0], [2.0, 0.0, 0.0], [-1.5, 2.0, 4.0]])
TIES = np.array([[1.0, 2.0, 2.0, 1.0], [0.0, -0.0, 0.0, 3.0], [5.0, 5.0, 5.0, 5.0]])


def row(
    name: str,
    shape: Shape,
    numpy: Call,
    *args: Any,
    special: Special = (),
    dtypes: str = "efdl?",
    grad: bool = True,
    case: str = "",
    **options: Any,
) -> Row:
    """A function of one operand and static arguments, which name the case."""
    parts = [str(a).replace(" ", "") for a in args] + [f"{k}={v}" for k, v in options.items()]
    return Row(
        name,
        case or "-".join([told(shape), *parts]),
        lambda f, x: getattr(f, name)(x, *args, **options),
        real(shape),
        numpy,
        special=special,
        dtypes=dtypes,
        grad=grad,
    )


DIMS: tuple[tuple[Any, Shape], ...] = (
    (None, (2, 3, 2)),
    (0, (2, 3, 2)),
    (-1, (2, 3, 2)),
    ((0, 2), (2, 3, 2)),
    (0, (0, 3)),
    (1, (0, 3)),
    (None, ()),
)


def over_dims(
    name: str, numpy: Call, dtypes: str = "efdl?", grad: bool = True, several: bool = True
) -> Iterator[Row]:
    for (dim, shape), keep in product(DIMS, (False, True)):
        if (several or not isinstance(dim, tuple)) and not (keep and dim is None):
            yield row(
                name,
                shape,
                lambda x, dim=dim, keep=keep: numpy(x, axis=dim, keepdims=keep),
                *(() if dim is None else (dim, keep)),
                dtypes=dtypes,
                grad=grad,
            )


def pair(found: Any) -> Any:
    return tuple(found)


def several(name: str, shape: Shape, numpy: Call, *args: Any, **options: Any) -> Row:
    """A function that gives several results."""
    one = row(name, shape, numpy, *args, **options)
    return Row(
        one.name, one.case, lambda f, x: pair(one.call(f, x)), one.args, one.numpy, one.special,
        dtypes=one.dtypes, grad=one.grad,
    )  # fmt: skip


def aggregations() -> Iterator[Row]:
    yield from over_dims("prod", np.prod, several=False)
    yield row(
        "prod", (3, 3), lambda x: x.prod(1), 1, special=((WITH_ZEROS,), (ROWS_OF_POINTS,)), case="special"
    )
    for n, points in enumerate((*WITH_ZEROS, *ROWS_OF_POINTS)):
        yield row("prod", (3,), np.prod, special=((points,),), case=f"all-special-{n}")
    yield row("all", (2, 3), np.all, special=((POINTS,),), case="special", grad=False)
    yield row("any", (2, 3), np.any, special=((POINTS,),), case="special", grad=False)
    yield from over_dims("all", np.all, grad=False)
    yield from over_dims("any", np.any, grad=False)
    for dim, shape in DIMS:
        yield row(
            "count_nonzero",
            shape,
            lambda x, dim=dim: np.asarray(np.count_nonzero(x, axis=dim), np.int64),
            *(() if dim is None else (dim,)),
            grad=False,
        )
    for name in ("all", "any", "count_nonzero"):
        yield Row(
            name,
            "whole",
            lambda f, x, name=name: getattr(f, name)(x, 1),
            (Arg((2, 3), "int"),),
            lambda x, name=name: getattr(np, name)(x, 1),
            grad=False,
        )
    for dim, keep in ((None, False), (None, True), (0, False), (-1, True)):
        yield several(
            "aminmax",
            (2, 3),
            lambda x, dim=dim, keep=keep: (x.min(dim, keepdims=keep), x.max(dim, keepdims=keep)),
            special=((ROWS_OF_POINTS,), (TIES,)),
            dim=dim,
            keepdim=keep,
        )
    yield several("aminmax", (), lambda x: (x, x), dim=0)
    yield several("aminmax", (0, 2), lambda x: (x[:, 0], x[:, 0]), dim=1)
    for (dim, shape), keep in product(DIMS, (False, True)):
        if dim is not None:
            yield row(
                "logsumexp",
                shape,
                lambda x, dim=dim, keep=keep: (
                    np.log(np.exp(x).sum(dim, keepdims=keep))
                    if x.size
                    else np.full(np.sum(x, dim, keepdims=keep).shape, -INF)
                ),
                dim,
                keep,
                grad=bool(np.prod(shape)),
            )
    yield row(
        "logsumexp",
        (2, 3),
        lambda x: np.log(np.exp(x).sum(1)),
        1,
        special=((ROWS_OF_POINTS,), (np.array([[1e4, 1e4], [-1e4, -1e4], [INF, -INF]]),)),
        case="special",
    )
    yield row("logsumexp", (), lambda x: x, 0)
    gaps: Special = ((np.array([[1.0, NAN, INF], [NAN, NAN, 1.0], [0.0, 1e30, 2.0]]),),)
    for name, numpy in (("nansum", np.nansum), ("nanmean", np.nanmean)):
        dtypes = "efdl?" if name == "nansum" else "efd"
        for dim, keep in ((None, False), (0, True), (-1, False), ((0, 1), True)):
            yield row(
                name,
                (2, 3),
                lambda x, dim=dim, keep=keep, numpy=numpy: numpy(x, axis=dim, keepdims=keep),
                *(() if dim is None else (dim, keep)),
                special=gaps,
                dtypes=dtypes,
            )
    yield row("nansum", (0,), np.sum)
    for shape in ((2, 3), (3, 2), (0, 0), (1, 1)):
        yield row("trace", shape, np.trace)


def _norm(p: float) -> Call:
    def norm(x: Array, axis: Any = None, keepdims: bool = False) -> Any:
        size = np.abs(x)
        if p in (INF, -INF):
            return (np.max if p > 0 else np.min)(size, axis=axis, keepdims=keepdims)
        if p == 0:
            return np.sum(x != 0, axis=axis, keepdims=keepdims).astype(x.dtype)
        return np.sum(size**p, axis=axis, keepdims=keepdims) ** (1 / p)

    return norm


def norms() -> Iterator[Row]:
    points: Special = ((np.array([[0.0, 0.0], [1.0, 0.0], [1.0, -1.0], [INF, 1.0], [NAN, 1.0]]),),)
    for p in (0, 0.5, 1, 1.5, 2, 3, INF, -INF, -1):
        for dim, keep in ((None, False), (0, False), (-1, True), ((0, 2), False)):
            yield row(
                "norm",
                (2, 3, 2),
                lambda x, p=p, dim=dim, keep=keep: _norm(p)(x, axis=dim, keepdims=keep),
                p,
                dim,
                keep,
                dtypes="efd" if p != -1 else "fd",
            )
        yield row(
            "norm",
            (3, 2),
            lambda x, p=p: _norm(p)(x, axis=1),
            p,
            1,
            special=points,
            case=f"special-{p}",
            dtypes="fd",
        )
        yield row("norm", (), lambda x, p=p: _norm(p)(x), p)
    yield row("norm", (2, 3), _norm(2))
    for shape, dim in (((2, 3), None), ((3, 2, 2), (0, -1))):
        yield row(
            "norm",
            shape,
            lambda x, dim=dim: np.linalg.norm(np.moveaxis(x, dim, (-2, -1)) if dim else x, "nuc", (-2, -1)),
            "nuc",
            *((dim,) if dim else ()),
            dtypes="fd",
        )
    yield row("norm", (0, 3), lambda x: np.zeros(3), 1, 0)
    yield row("norm", (0, 3), lambda x: np.zeros(0), INF, 1)
    yield row("norm", (2, 3), lambda x: _norm(2)(x, (0, 1)), "fro", (0, 1))
    yield row("norm", (2, 3), lambda x: _norm(2)(x, 1), "fro", 1)


def scans() -> Iterator[Row]:
    for name, numpy, dtypes in (
        ("cumsum", np.cumsum, "efdl?"),
        ("cumprod", np.cumprod, "efdl?"),
        ("logcumsumexp", lambda x, d: np.log(np.cumsum(np.exp(x), d)), "efd"),
    ):
        for shape, dim in (
            ((2, 3), 0),
            ((2, 3), -1),
            ((5,), 0),
            ((2, 0), 1),
            ((0, 2), 1),
            ((1,), 0),
            ((2, 4, 3), 1),
        ):
            yield row(name, shape, lambda x, numpy=numpy, dim=dim: numpy(x, dim), dim, dtypes=dtypes)
        yield row(name, (), lambda x: x, 0, dtypes="efdl" if dtypes == "efdl?" else dtypes)
    yield row("cumsum", (3, 3), lambda x: x.cumsum(1), 1, special=((ROWS_OF_POINTS,),), case="special")
    yield row(
        "cumprod",
        (3, 3),
        lambda x: x.cumprod(1),
        1,
        special=(
            (WITH_ZEROS,),
            (np.array([[0.0, 1.0, 0.0, 2.0], [3.0, 0.0, 2.0, 0.0]]),),
            (ROWS_OF_POINTS[[0]],),
        ),
        case="special",
    )
    yield row(
        "logcumsumexp",
        (3, 3),
        lambda x: np.log(np.cumsum(np.exp(x), 1)),
        1,
        special=(
            (ROWS_OF_POINTS[:5],),
            (
                np.array(
                    [
                        [-INF, -INF, 1.0, 2.0],
                        [1.0, INF, 2.0, INF],
                        [1e3, -1e3, 2.0, -INF],
                        [NAN, 1.0, 2.0, 3.0],
                    ]
                ),
            ),
        ),
        case="special",
        dtypes="fd",
    )
    for name, accumulate in (("cummax", np.maximum.accumulate), ("cummin", np.minimum.accumulate)):

        def found(x: Array, dim: int, accumulate: Any = accumulate) -> Any:
            best = accumulate(x, axis=dim)
            return best, np.argmax(np.equal(np.expand_dims(x, dim), np.expand_dims(best, dim + 1)), dim + 1)

        for shape, dim in (((2, 3), 0), ((2, 5), 1), ((4,), 0)):
            yield several(
                name,
                shape,
                lambda x, dim=dim, found=found: (found(x, dim)[0], _first_at(x, found(x, dim)[0], dim)),
                dim,
                special=((ROWS_OF_POINTS,), (TIES,), (np.array([[1.0, NAN], [NAN, 2.0], [2.0, NAN]]),))
                if len(shape) > 1
                else (),
            )
        yield several(name, (), lambda x: (x, np.int64(0)), 0)
        yield several(name, (2, 0), lambda x: (x, x.astype(np.int64)), 1, grad=False)
    for n, dim in ((1, -1), (2, 0), (0, 0), (3, 1), (9, 1)):
        yield row("diff", (3, 5), lambda x, n=n, dim=dim: np.diff(x, n, dim), n, dim)
    yield row("diff", (0,), np.diff)
    yield Row(
        "diff",
        "prepend-append",
        lambda f, x, y, z: f.diff(x, 1, 0, y, z),
        real((2, 3), (1, 3), (2, 3)),
        lambda x, y, z: np.diff(np.concatenate([y, x, z]), axis=0),
        dtypes="efdl",
    )


def _first_at(x: Array, best: Array, dim: int) -> Any:
    """Where in x each running extreme stands; no two are equal."""
    rows, bests = np.moveaxis(x, dim, -1), np.moveaxis(best, dim, -1)
    return np.moveaxis((rows[..., None, :] == bests[..., :, None]).argmax(-1), -1, dim)


def _taken(order: Call) -> Call:
    return lambda x, dim: (np.take_along_axis(x, order(x, dim), dim), order(x, dim))


def _kth(x: Array, k: int, dim: int, keep: bool) -> Any:
    index = np.take(np.argsort(x, dim), [k - 1], dim)
    value = np.take_along_axis(x, index, dim)
    return (value, index) if keep else (value.squeeze(dim), index.squeeze(dim))


def orders() -> Iterator[Row]:
    special: Special = (
        (ROWS_OF_POINTS,),
        (TIES,),
        (np.array([[1.0, NAN, 2.0, NAN], [NAN, NAN, -INF, INF]]),),
    )
    for shape, dim in (((2, 3), -1), ((3, 2), 0), ((5,), 0), ((2, 0), 1), ((2, 3, 2), 1)):
        for down in (False, True):

            def order(x: Array, dim: int, down: bool = down) -> Any:
                return np.argsort(-x if down else x, dim)

            yield several(
                "sort",
                shape,
                lambda x, order=order, dim=dim: _taken(order)(x, dim),
                dim,
                down,
                special=special if shape == (2, 3) else (),
            )
            yield row(
                "argsort",
                shape,
                lambda x, order=order, dim=dim: order(x, dim),
                dim=dim,
                descending=down,
                stable=True,
                grad=False,
            )
    yield several("sort", (), lambda x: (x, np.int64(0)))
    yield row("argsort", (), lambda x: np.int64(0), grad=False)
    for k, dim, largest in (
        (2, -1, True),
        (2, 0, False),
        (1, 1, False),
        (0, 1, True),
        (3, 1, True),
        (3, 1, False),
    ):
        yield several(
            "topk",
            (2, 3),
            lambda x, k=k, dim=dim, largest=largest: tuple(
                [
                    np.take(a, np.arange(k), dim)
                    for a in _taken(lambda x, d: np.argsort(-x if largest else x, d))(x, dim)
                ]
            ),
            k,
            dim,
            largest,
            special=((np.array([[1.0, NAN, 2.0, -INF], [INF, 1.0, 0.0, -INF]]),),),
            dtypes="efd?",
        )
    yield several("topk", (), lambda x: (x, np.int64(0)), 1)
    yield several("topk", (0, 3), lambda x: (x[:, :2], np.zeros((0, 2), np.int64)), 2)
    for k, dim, keep in ((1, -1, False), (2, 0, True), (3, 1, False)):
        yield several(
            "kthvalue",
            (2, 3),
            lambda x, k=k, dim=dim, keep=keep: _kth(x, k, dim, keep),
            k,
            dim,
            keep,
            special=((np.array([[1.0, NAN, 2.0], [INF, 1.0, -INF]]).T,),) if dim == 0 else (),
            dtypes="efd?",
        )
    yield several("kthvalue", (), lambda x: (x, np.int64(0)), 1, dtypes="efdl")
    yield several("kthvalue", (0, 2), lambda x: (x[:, 0], np.zeros(0, np.int64)), 1, 1)
    for size in ((5,), (2, 3), (), (1,), (0,)):
        yield row(
            "median",
            size,
            lambda x: np.sort(x, None)[(x.size - 1) // 2] if x.size else np.float64(NAN),
            special=tuple([(points,) for points in (*ROWS_OF_POINTS, *TIES)]) if size == (2, 3) else (),
            dtypes="efdl" if size != (0,) else "efd",
            grad=size != (0,),
        )
    for dim, keep in ((0, False), (-1, True)):
        yield several(
            "median",
            (3, 4),
            lambda x, dim=dim, keep=keep: _kth(x, (x.shape[dim] + 1) // 2, dim, keep),
            dim,
            keep,
            special=((np.array([[1.0, NAN, 2.0, NAN], [INF, 1.0, -INF, 0.0]]),),) if dim else (),
            dtypes="efd?",
        )
    yield several("median", (), lambda x: (x, np.int64(0)), 0, dtypes="efdl")
    yield several("median", (0, 2), lambda x: (x[:, 0], np.zeros(0, np.int64)), 1)
    for dim, keep in ((0, False), (-1, True)):
        yield several(
            "mode",
            (3, 4),
            lambda x, dim=dim, keep=keep: _kth(x, 1, dim, keep),
            dim,
            keep,
            special=((TIES,), (np.array([[1.0, 2.0, 1.0], [3.0, 3.0, 1.0]]),)),
        )
    yield several("mode", (), lambda x: (x, np.int64(0)))
    yield several("mode", (0, 2), lambda x: (x[:, 0], np.zeros(0, np.int64)), 1)
    yield from uniques()


def uniques() -> Iterator[Row]:
    whole = (Arg((3, 4), "int"),)

    def consecutive(x: Array) -> Any:
        flat = x.ravel()
        begins = np.concatenate([[True], flat[1:] != flat[:-1]])
        at = np.flatnonzero(begins)
        return flat[at], (np.cumsum(begins) - 1).reshape(x.shape), np.diff(np.append(at, flat.size))

    def all_of_unique(x: Array) -> Any:
        values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
        return values, inverse.reshape(x.shape), counts

    for name, numpy in (("unique", all_of_unique), ("unique_consecutive", consecutive)):
        for inverse, counts in product((False, True), repeat=2):
            chosen = [0, *([1] if inverse else []), *([2] if counts else [])]
            for arg in (*whole, Arg((2, 3))):
                yield Row(
                    name,
                    f"{arg.domain}-{inverse}-{counts}",
                    lambda f, x, name=name, i=inverse, c=counts: getattr(f, name)(
                        x, return_inverse=i, return_counts=c
                    ),
                    (arg,),
                    lambda x, numpy=numpy, chosen=chosen: tuple([numpy(x)[i] for i in chosen]),
                    special=((np.array([3.0, NAN, NAN, 1.0, 3.0, 0.0, -0.0, INF]),),)
                    if inverse and counts
                    else (),
                    grad=False,
                )
        for dim in (0, -1):
            yield Row(
                name,
                f"dim{dim}",
                lambda f, x, name=name, dim=dim: getattr(f, name)(
                    f.cat([x, x], dim), return_inverse=True, return_counts=True, dim=dim
                ),
                (Arg((1, 1), "int"),),
                lambda x: (x, np.zeros(2, np.int64), np.full(1, 2)),
                grad=False,
            )
        yield Row(
            name,
            "0d",
            lambda f, x, name=name: getattr(f, name)(x, return_inverse=True),
            real(()),
            lambda x: (x[None], np.int64(0)),
            grad=False,
        )
        yield Row(
            name, "empty", lambda f, x, name=name: getattr(f, name)(x, return_counts=True), real((0,)),
            lambda x: (x, x.astype(np.int64)), grad=False,
        )  # fmt: skip
        yield Row(
            name,
            "empty-dim",
            lambda f, x, name=name: getattr(f, name)(x, dim=0),
            real((0, 2)),
            lambda x: x,
            grad=False,
        )


def spreads() -> Iterator[Row]:
    special: Special = (
        (np.array([[1.0, 1.0, 1.0], [1.0, 2.0, INF], [1.0, NAN, 0.0], [1e4, 1e4, 1e4 + 1]]),),
    )
    for name in ("var", "std"):
        numpy = getattr(np, name)
        for dim, keep, correction in ((None, False, 1), (0, True, 0), (-1, False, 1.5), ((0, 2), False, 1)):
            yield row(
                name,
                (2, 3, 2),
                lambda x, numpy=numpy, d=dim, k=keep, c=correction: numpy(x, axis=d, keepdims=k, ddof=c),
                dim,
                keepdim=keep,
                correction=correction,
                dtypes="efdl",
            )
            yield several(
                f"{name}_mean",
                (2, 3, 2),
                lambda x, numpy=numpy, d=dim, k=keep, c=correction: (
                    numpy(x, axis=d, keepdims=k, ddof=c),
                    x.mean(d, keepdims=k),
                ),
                dim,
                keepdim=keep,
                correction=correction,
                dtypes="efdl",
            )
        yield row(name, (2, 3), lambda x, numpy=numpy: numpy(x, ddof=1), dtypes="efd")
        yield row(name, (2, 3), lambda x, numpy=numpy: numpy(x), False, dtypes="efd")
        yield row(
            name, (2, 3), lambda x, numpy=numpy: numpy(x, 1, keepdims=True), 1, False, True, dtypes="efd"
        )
        yield row(name, (2, 3), lambda x, numpy=numpy: numpy(x), unbiased=False, dtypes="efd")
        for n, correction in enumerate((0, 1, 2.5, 3, 4)):
            yield Row(
                name,
                f"special-{n}",
                lambda f, x, name=name, c=correction: _unwarned(lambda: getattr(f, name)(x, 1, correction=c)),
                real((2, 6)),
                lambda x, numpy=numpy, c=correction: numpy(x, axis=1, ddof=c),
                special=special,
                dtypes="fd",
            )
    yield row("var", (1,), lambda x: np.full((), NAN), case="of-one", grad=False, dtypes="")


def _unwarned(call: Callable[[], Any]) -> Any:
    """PyTorch warns where no degrees of freedom are left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def _quantiles(x: Array, q: Any, dim: int | None, keep: bool, method: str) -> Any:
    return np.quantile(x, q, axis=dim, keepdims=keep, method=method)  # type: ignore[call-overload]  # a str


def quantiles() -> Iterator[Row]:
    special: Special = (
        (
            np.array(
                [[1.0, NAN, 2.0, 4.0], [NAN, NAN, NAN, NAN], [INF, 1.0, -INF, 0.0], [1.0, 1.0, 2.0, 1.0]]
            ),
        ),
    )
    for name in ("quantile", "nanquantile"):
        for method in ("linear", "lower", "higher", "midpoint", "nearest"):
            for q, dim, keep in (
                (0.3, None, False),
                (0.7, 0, True),
                (0.5, 1, False),
                (1.0, -1, False),
                (0, 0, False),
            ):
                yield row(
                    name,
                    (4, 3, 2),
                    lambda x, q=q, dim=dim, keep=keep, m=method: _quantiles(x, q, dim, keep, m),
                    q,
                    dim,
                    keep,
                    interpolation=method,
                )
            yield row(
                name,
                (2, 4),
                lambda x, m=method: _quantiles(x, 0.35, 1, False, m),
                0.35,
                1,
                interpolation=method,
                special=special,
                case=f"special-{method}",
                dtypes="fd",
            )
        for dim, keep in ((None, False), (0, True), (1, False), (None, True)):
            yield Row(
                name,
                f"several-{dim}-{keep}",
                lambda f, x, q, name=name, dim=dim, keep=keep: getattr(f, name)(x, q, dim, keep),
                (Arg((4, 3)), Arg((2,), "fraction")),
                lambda x, q, dim=dim, keep=keep: _quantiles(x, q, dim, keep, "linear"),
            )
        yield row(name, (), lambda x: x, 0.3)
        yield row(name, (), lambda x: x, 0.3, 0, True)


def counts() -> Iterator[Row]:
    yield Row("bincount", "whole", lambda f, x: f.bincount(x), (Arg((6,), "int"),), np.bincount, grad=False)
    yield Row(
        "bincount",
        "minlength",
        lambda f, x: f.bincount(x, minlength=5),
        (Arg((6,), "int"),),
        lambda x: np.bincount(x, minlength=5),
        grad=False,
    )
    yield Row(
        "bincount",
        "weights",
        lambda f, x, w: f.bincount(x, w, 4),
        (Arg((6,), "int"), Arg((6,))),
        lambda x, w: np.bincount(x, w, 4),
        grad=False,
    )
    yield Row(
        "bincount",
        "empty",
        lambda f, x: f.bincount(x, None, 2),
        (Arg((0,), "int"),),
        lambda x: np.zeros(2, np.int64),
        grad=False,
    )
    ranges: tuple[tuple[Shape, int, float, float], ...] = (
        ((20,), 4, 0, 0),
        ((2, 3), 3, -1, 1.5),
        ((2, 3), 3, 7, 7),
        ((4,), 100, 0, 0),
        ((0,), 4, 0, 0),
        ((), 3, 0, 0),
    )
    for shape, bins, low, high in ranges:
        yield row(
            "histc",
            shape,
            lambda x, bins=bins, low=low, high=high: (
                np.histogram(x, bins, (low, high) if low != high else None)[0].astype(x.dtype)
                if x.size
                else np.zeros(bins)
            ),
            bins,
            low,
            high,
            special=((np.array([0.0, 1.0, 1.0, NAN, INF, 2.0, 0.5]),),) if low != high else (),
            grad=False,
        )


ROWS: tuple[Row, ...] = (
    *aggregations(),
    *norms(),
    *scans(),
    *orders(),
    *spreads(),
    *quantiles(),
    *counts(),
)


A, WHOLE = np.ones((2, 3)), np.arange(3)
NONE = np.ones((2, 0))

BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "prod-dim": (lambda f, t: f.prod(t(A), 2), IndexError, "prod: Dimension out of range"),
    "all-dim": (lambda f, t: f.all(t(A), 2), IndexError, "all: Dimension out of range"),
    "any-twice": (lambda f, t: f.any(t(A), (0, -2)), RuntimeError, "any: dim .*twice"),
    "count_nonzero-dim": (lambda f, t: f.count_nonzero(t(A), -3), IndexError, "count_nonzero: Dimension"),
    "aminmax-empty": (lambda f, t: f.aminmax(t(NONE)), RuntimeError, r"aminmax.*\(2, 0\)"),
    "aminmax-empty-dim": (lambda f, t: f.aminmax(t(NONE), dim=1), IndexError, r"amin.*\(2, 0\)"),
    "logsumexp-dim": (lambda f, t: f.logsumexp(t(A), 2), IndexError, "logsumexp: Dimension out of range"),
    "nansum-dim": (lambda f, t: f.nansum(t(A), 2), IndexError, "sum: Dimension out of range"),
    "nanmean-integers": (lambda f, t: f.nanmean(t(WHOLE)), RuntimeError, "nanmean.*int64"),
    "trace-vector": (lambda f, t: f.trace(t(WHOLE)), RuntimeError, r"trace: expected a matrix.*\(3,\)"),
    "norm-integers": (lambda f, t: f.norm(t(WHOLE)), RuntimeError, "norm: .*int64"),
    "norm-order": (lambda f, t: f.norm(t(A), "large"), RuntimeError, "norm: .*large"),
    "norm-empty": (lambda f, t: f.norm(t(NONE), INF), RuntimeError, r"norm: .*identity.*\(2, 0\)"),
    "norm-empty-dim": (lambda f, t: f.norm(t(NONE), -1, 1), RuntimeError, r"norm: .*identity.*\(2, 0\)"),
    "norm-dims": (
        lambda f, t: f.norm(t(np.ones((1, 2, 3))), "fro", (0, 1, 2)),
        RuntimeError,
        r"norm: dim .*\(0, 1, 2\)",
    ),
    "cumsum-dim": (lambda f, t: f.cumsum(t(A), 2), IndexError, "cumsum: Dimension out of range"),
    "cumprod-dim": (lambda f, t: f.cumprod(t(A), -3), IndexError, "cumprod: Dimension out of range"),
    "cummax-dim": (lambda f, t: f.cummax(t(A), 2), IndexError, "cummax: Dimension out of range"),
    "logcumsumexp-integers": (
        lambda f, t: f.logcumsumexp(t(WHOLE), 0),
        RuntimeError,
        "logcumsumexp: .*int64",
    ),
    "diff-0d": (lambda f, t: f.diff(t(np.ones(()))), RuntimeError, "diff: .*at least one-dim"),
    "diff-negative": (lambda f, t: f.diff(t(A), -1), RuntimeError, "diff: order .*-1"),
    "diff-prepend": (
        lambda f, t: f.diff(t(A), prepend=t(np.ones(3))),
        RuntimeError,
        r"diff: .*\(3,\) and \(2, 3\)",
    ),
    "diff-append": (
        lambda f, t: f.diff(t(A), dim=0, append=t(np.ones((2, 4)))),
        RuntimeError,
        r"concat: .*\(2, 3\).*\(2, 4\)",
    ),
    "sort-dim": (lambda f, t: f.sort(t(A), 2), IndexError, "sort: Dimension out of range"),
    "topk-many": (lambda f, t: f.topk(t(A), 4), RuntimeError, r"topk: .*out of range: 4 of shape \(2, 3\)"),
    "topk-negative": (lambda f, t: f.topk(t(A), -1), RuntimeError, "topk: .*out of range: -1"),
    "kthvalue-zero": (lambda f, t: f.kthvalue(t(A), 0), RuntimeError, "kthvalue: .*out of range: 0"),
    "kthvalue-many": (
        lambda f, t: f.kthvalue(t(A), 3, 0),
        RuntimeError,
        r"kthvalue: .*: 3 of shape \(2, 3\)",
    ),
    "kthvalue-empty": (lambda f, t: f.kthvalue(t(NONE), 1), IndexError, r"kthvalue: .*\(2, 0\)"),
    "median-empty": (lambda f, t: f.median(t(NONE), 1), IndexError, r"median: .*\(2, 0\)"),
    "median-bools": (lambda f, t: f.median(t(A > 0)), RuntimeError, "median: .*bool"),
    "mode-empty": (lambda f, t: f.mode(t(NONE)), IndexError, r"mode: .*\(2, 0\)"),
    "unique-dim": (lambda f, t: f.unique(t(A), dim=2), IndexError, "unique: Dimension out of range"),
    "unique-0d": (lambda f, t: f.unique(t(np.ones(())), dim=0), IndexError, "unique: .*no dimensions"),
    "unique-empty": (lambda f, t: f.unique(t(NONE), dim=0), RuntimeError, r"unique: .*0 sized.*\(2, 0\)"),
    "var-integers": (lambda f, t: f.var(t(WHOLE)), RuntimeError, "var: .*int64"),
    "std-dim": (lambda f, t: f.std(t(A), 2), IndexError, "std: Dimension out of range"),
    "var-both": (
        lambda f, t: f.var(t(A), unbiased=False, correction=1),
        TypeError,
        "var: .*unbiased|combination",
    ),
    "quantile-integers": (lambda f, t: f.quantile(t(WHOLE), 0.5), RuntimeError, "quantile: .*int64"),
    "quantile-q": (lambda f, t: f.quantile(t(A), 1.5), RuntimeError, r"quantile: q .*\[0, 1\] but got 1.5"),
    "quantile-q-dtype": (
        lambda f, t: f.quantile(t(A), t(np.array([0.5], np.float32))),
        RuntimeError,
        "quantile: q .*float64.*float32",
    ),
    "quantile-q-shape": (
        lambda f, t: f.quantile(t(A), t(np.full((1, 1), 0.5))),
        RuntimeError,
        r"quantile: q .*\(1, 1\)",
    ),
    "quantile-empty": (lambda f, t: f.quantile(t(NONE), 0.5), RuntimeError, r"quantile: .*\(2, 0\)"),
    "quantile-mode": (
        lambda f, t: f.quantile(t(A), 0.5, interpolation="best"),
        RuntimeError,
        "quantile: interpolation .*best",
    ),
    "bincount-floats": (lambda f, t: f.bincount(t(np.ones(3))), RuntimeError, "bincount: .*float64"),
    "bincount-negative": (lambda f, t: f.bincount(t(WHOLE - 1)), RuntimeError, "bincount: .*non-negative"),
    "bincount-minlength": (
        lambda f, t: f.bincount(t(WHOLE), minlength=-1),
        RuntimeError,
        "bincount: minlength",
    ),
    "bincount-weights": (
        lambda f, t: f.bincount(t(WHOLE), t(np.ones(2))),
        RuntimeError,
        r"bincount: weights .*\(2,\) and \(3,\)",
    ),
    "histc-integers": (lambda f, t: f.histc(t(WHOLE)), RuntimeError, "histc: .*int64"),
    "histc-bins": (lambda f, t: f.histc(t(A), 0), RuntimeError, "histc: bins .*0"),
    "histc-range": (lambda f, t: f.histc(t(A), 3, 2, 1), RuntimeError, "histc: max must be larger.*2 and 1"),
    "histc-infinite": (lambda f, t: f.histc(t(np.array([1.0, INF]))), RuntimeError, "histc: range .*inf"),
}

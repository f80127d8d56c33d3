"""Rows of the functions that programs use less often; see table.py."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
from rows import INF, NAN, Arg, Array, Call, Row, Shape, binary, real, told, unary


def _special(name: str, *args: Any) -> Any:
    return getattr(import_module("scipy.special"), name)(*args)


def _sinc(x: Array) -> Any:
    return np.sinc(x)


def numbers() -> Iterator[Row]:
    yield from unary("sgn", np.sign)
    yield from (replace(r, dtypes="efdl") for r in unary("positive", np.positive))
    yield from unary("signbit", np.signbit, grad=False)
    for name in ("isposinf", "isneginf", "isreal"):
        yield from unary(name, getattr(np, name), grad=False)
    yield from unary("sinc", _sinc)
    small = np.array([0.0, 0.019, 0.02, 0.021, -0.019, 1.0, 5.5])
    yield Row("sinc", "small", lambda f, x: f.sinc(x), real((3,)), _sinc, special=((small,),), dtypes="fd")
    yield from binary("logaddexp2", np.logaddexp2)
    for row in binary("float_power", np.float_power, "positive"):
        yield replace(row, mixed=False)
    yield Row(
        "float_power", "number", lambda f, x: f.float_power(x, 2), (Arg((3,), "positive"),), lambda x: x**2.0
    )
    for row in binary("heaviside", np.heaviside, grad=False):
        yield replace(row, mixed=False)
    points = (np.array([1.0, -1.0, INF, NAN, 2.0]), np.array([2.0, -1.0, 0.0, 1.0, NAN]))
    for row in binary("nextafter", np.nextafter, grad=False):
        yield replace(row, mixed=False, special=(points,) if row.special else ())
    for row in binary("ldexp", lambda x, n: np.ldexp(x, n), "real", "int"):
        if row.case in ("2x3-2x3", "2x3-3"):  # PyTorch makes the exponents' shape the result's
            yield replace(row, special=(), mixed=False)
    for name in ("gcd", "lcm"):
        for row in binary(name, getattr(np, name), "int", "int", grad=False):
            yield replace(row, special=())
    for n in (0, 1, 2):
        for shape in ((2, 3), ()):
            yield Row(
                "polygamma",
                f"{n}-{told(shape)}",
                lambda f, x, n=n: f.polygamma(n, x),
                (Arg(shape, "positive"),),
                lambda x, n=n: _special("polygamma", n, x),
                dtypes="fd",
                torch=n > 1,
            )
    for p in (1, 2, 3):
        yield Row(
            "mvlgamma",
            f"{p}",
            lambda f, x, p=p: f.mvlgamma(f.add(x, 1), p),
            (Arg((2, 3), "positive"),),
            lambda x, p=p: np.vectorize(lambda v: _special("multigammaln", v + 1, p), [float])(x),
            dtypes="fd",
        )


def samples() -> Iterator[Row]:
    for p in (2, 1, 0.5, 3, INF):
        yield Row(
            "dist",
            f"{p}",
            lambda f, x, y, p=p: f.dist(x, y, p),
            real((2, 3), (3,)),
            lambda x, y, p=p: np.linalg.norm((x - y).ravel(), p),
            dtypes="fd",
        )
    for p, dim in ((2, 0), (1, 1), (2, -1), (3, 2)):
        yield Row(
            "renorm",
            f"{p}-{dim}",
            lambda f, x, p=p, dim=dim: f.renorm(x, p, dim, 2.0),
            real((2, 3, 2)),
            lambda x, p=p, dim=dim: _renorm(x, p, dim, 2.0),
            dtypes="fd",
        )
    for shape in ((5,), (3, 2), ()):
        yield Row(
            "msort",
            told(shape),
            lambda f, x: f.msort(x),
            real(shape),
            lambda x: np.sort(x, 0) if x.ndim else x,
        )
    holes = np.array([3.0, NAN, 1.0, 2.0, NAN, 7.0, NAN, NAN, 5.0]).reshape(3, 3)
    yield Row(
        "nanmedian",
        "all",
        lambda f, x: f.nanmedian(x),
        real((3, 3)),
        np.median,
        special=((holes,),),
        dtypes="fd",
    )
    for dim, keepdim in ((0, False), (1, True), (-1, False)):
        yield Row(
            "nanmedian",
            f"dim{dim}-{keepdim}",
            lambda f, x, d=dim, k=keepdim: f.nanmedian(x, d, k)[0],
            real((3, 3)),
            lambda x, d=dim, k=keepdim: np.median(x, d, keepdims=k),
            special=((holes,),),
            dtypes="fdl",
        )
    yield from integrals()
    yield from covariances()
    for r, again in ((2, False), (3, False), (2, True), (1, False), (5, False)):
        yield Row(
            "combinations",
            f"{r}-{again}",
            lambda f, x, r=r, again=again: f.combinations(x, r, again),
            real((4,)),
            lambda x, r=r, again=again: _combinations(x, r, again),
        )
    for n, up in ((None, False), (3, True), (5, False), (1, False), (0, False)):
        yield Row(
            "vander",
            f"{n}-{up}",
            lambda f, x, n=n, up=up: f.vander(x, n, up) if n is not None else f.vander(x),
            real((4,)),
            lambda x, n=n, up=up: np.vander(x, n, up),
            dtypes="efdl",
            torch=n in (0, 1),
        )
    sizes: tuple[Any, ...] = ((5, 3), (2, 3, 4), 7)
    for size in sizes:
        yield Row(
            "unravel_index",
            f"{size}",
            lambda f, i, size=size: f.unravel_index(i, size),
            (Arg((2, 3), "int"),),
            lambda i, size=size: np.unravel_index(i, size),
            dtypes="l",
            grad=False,
        )


def _sorted(x: Array) -> Any:
    return np.sort(x, 0) if x.ndim else x


def _cumulative(y: Array, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    return import_module("scipy.integrate").cumulative_trapezoid(y, x, dx, axis)


def _renorm(x: Array, p: float, dim: int, most: float) -> Any:
    others = tuple(d for d in range(x.ndim) if d != dim % x.ndim)
    norms = (np.abs(x) ** p).sum(others, keepdims=True) ** (1 / p)
    return np.where(norms > most, x * (most / (norms + 1e-7)), x)


def _combinations(x: Array, r: int, again: bool) -> Any:
    choose: Any = itertools.combinations_with_replacement if again else itertools.combinations
    return np.array(list(choose(x, r))).reshape(-1, r)


def integrals() -> Iterator[Row]:
    for name, numpy in (("trapezoid", np.trapezoid), ("cumulative_trapezoid", _cumulative)):
        for shape, dim in (((5,), -1), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), -2), ((1,), 0)):
            yield Row(
                name,
                f"{told(shape)}-{dim}",
                lambda f, y, name=name, dim=dim: getattr(f, name)(y, dim=dim),
                real(shape),
                lambda y, numpy=numpy, dim=dim: numpy(y, axis=dim),
                dtypes="fdl",
            )
        yield Row(
            name,
            "dx",
            lambda f, y, name=name: getattr(f, name)(y, dx=0.5),
            real((2, 3)),
            lambda y, numpy=numpy: numpy(y, dx=0.5),
            dtypes="fd",
        )
        for shape, at, dim in (((5,), (5,), -1), ((2, 3), (3,), 1), ((3, 2), (3,), 0), ((2, 3), (2, 3), 1)):
            yield Row(
                name,
                f"x-{told(shape)}-{told(at)}-{dim}",
                lambda f, y, x, name=name, dim=dim: getattr(f, name)(y, x, dim=dim),
                real(shape, at),
                lambda y, x, numpy=numpy, dim=dim: numpy(y, x, axis=dim),
                dtypes="fd",
            )


def covariances() -> Iterator[Row]:
    for shape in ((3, 4), (4,), (1, 4)):
        for correction in (1, 0):
            yield Row(
                "cov",
                f"{told(shape)}-{correction}",
                lambda f, x, c=correction: f.cov(x, correction=c),
                real(shape),
                lambda x, c=correction: np.cov(x, ddof=c),
                dtypes="fdl",
            )
    yield Row(
        "cov",
        "fweights",
        lambda f, x, w: f.cov(x, fweights=w),
        (Arg((3, 4)), Arg((4,), "int")),
        lambda x, w: np.cov(x, fweights=w),
        dtypes="fd",
        seed=2,
    )
    yield Row(
        "cov",
        "aweights",
        lambda f, x, w: f.cov(x, aweights=w),
        (Arg((3, 4)), Arg((4,), "positive")),
        lambda x, w: np.cov(x, aweights=w),
        dtypes="fd",
    )
    yield Row(
        "cov",
        "both-weights",
        lambda f, x, n, w: f.cov(x, fweights=n, aweights=w, correction=0),
        (Arg((3, 4)), Arg((4,), "int"), Arg((4,), "constant")),
        lambda x, n, w: np.cov(x, fweights=n, aweights=w, ddof=0),
        dtypes="fd",
        seed=2,
    )
    for shape in ((3, 4), (4,)):
        yield Row("corrcoef", told(shape), lambda f, x: f.corrcoef(x), real(shape), np.corrcoef, dtypes="fdl")


def _put(x: Array, index: Any, value: Any, add: bool = False) -> Array:
    result = np.array(x)
    if add:
        np.add.at(result, index, value)
    else:
        result[index] = value
    return result


def _flat(x: Array, at: Any, value: Array, add: bool) -> Any:
    return _put(x.ravel(), at, value.ravel(), add).reshape(x.shape)


def _diagonal(x: Array, value: Array, offset: int, dim1: int, dim2: int) -> Any:
    result = np.array(x)
    part = np.moveaxis(result, (dim1, dim2), (-2, -1))
    i = np.arange(value.shape[-1])
    part[..., i + max(-offset, 0), i + max(offset, 0)] = value
    return result


def _reduced(x: Array, dim: int, at: Any, source: Array, how: str, own: bool) -> Any:
    result = np.moveaxis(np.array(x), dim, 0)
    calls: dict[str, Call] = {"prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}
    combine = calls[how]
    for k in range(result.shape[0]):
        parts = [p for i, p in zip(at, np.moveaxis(source, dim, 0)) if i == k]
        if parts:
            whole = np.stack([result[k], *parts] if own else parts)
            result[k] = combine(whole, axis=0)
    return np.moveaxis(result, 0, dim)


def pieces() -> Iterator[Row]:
    for dim, index, shape in ((0, 1, (3, 2)), (1, -1, (2, 2)), (-1, 0, (2, 3))):
        yield Row(
            "select_scatter",
            f"{dim}-{index}",
            lambda f, x, s, d=dim, i=index: f.select_scatter(x, s, d, i),
            real((2, 3, 2), shape),
            lambda x, s, d=dim, i=index: _put(x, (*[slice(None)] * (d % 3), i), s),
        )
    for dim, start, end, step, shape in (
        (0, 1, 3, 1, (2, 3)),
        (0, None, None, 2, (2, 3)),
        (1, -2, None, 1, (4, 2)),
        (-1, 0, 9, 2, (4, 2)),
    ):
        yield Row(
            "slice_scatter",
            f"{dim}-{start}-{end}-{step}",
            lambda f, x, s, a=(dim, start, end, step): f.slice_scatter(x, s, *a),
            real((4, 3), shape),
            lambda x, s, d=dim, cut=slice(start, end, step): _put(x, (*[slice(None)] * (d % 2), cut), s),
        )
    diagonals: tuple[tuple[Shape, int, tuple[int, int], Shape], ...] = (
        ((3, 3), 0, (0, 1), (3,)),
        ((3, 4), 1, (0, 1), (3,)),
        ((3, 3), -1, (1, 0), (2,)),
        ((2, 3, 3), 0, (-2, -1), (2, 3)),
        ((3, 2, 3), 1, (0, 2), (2, 2)),
    )
    for whole, offset, dims, part in diagonals:
        yield Row(
            "diagonal_scatter",
            f"{told(whole)}-{offset}-{dims}",
            lambda f, x, s, a=(offset, *dims): f.diagonal_scatter(x, s, *a),
            real(whole, part),
            lambda x, s, a=(offset, *dims): _diagonal(x, s, *a),
        )
    for add in (False, True):
        yield Row(
            "put",
            f"{add}",
            lambda f, x, s, add=add: f.put(x, _positions(x), s, add),
            real((2, 3), (2, 2)),
            lambda x, s, add=add: _flat(x, np.array([0, -1, 2, 3]), s, add),
        )
    for how, own in itertools.product(("prod", "mean", "amax", "amin"), (True, False)):
        for dim in (0, 1):
            yield Row(
                "index_reduce",
                f"{how}-{own}-{dim}",
                lambda f, x, i, s, d=dim, how=how, own=own: f.index_reduce(x, d, i, s, how, include_self=own),
                (Arg((3, 3)), Arg((4,), "int"), Arg((4, 3) if dim == 0 else (3, 4))),
                lambda x, i, s, d=dim, how=how, own=own: _reduced(x, d, i, s, how, own),
                dtypes="fd",
            )
    filled: tuple[tuple[Shape, bool], ...] = (
        ((3, 3), False),
        ((2, 4), False),
        ((5, 2), True),
        ((5, 2), False),
        ((2, 2, 2), False),
    )
    for whole, wrap in filled:
        yield Row(
            "fill_diagonal",
            f"{told(whole)}-{wrap}",
            lambda f, x, wrap=wrap: f.fill_diagonal(x, 3.0, wrap),
            real(whole),
            lambda x, wrap=wrap: _filled(x, wrap),
            dtypes="efd",
        )
    for size in ((3,), (1, 3), (2, 1, 1), (2, 4, 3), ()):
        yield Row(
            "sum_to_size",
            told(size),
            lambda f, x, size=size: f.sum_to_size(x, size),
            real((2, 4, 3)),
            lambda x, size=size: _summed(x, size),
            dtypes="efdl",
        )


def _positions(x: Any) -> Any:
    """Flat positions, of the library that the operand is of."""
    at = np.array([[0, -1], [2, 3]])
    return import_module("torch").tensor(at) if type(x).__module__.startswith("torch") else at


def _filled(x: Array, wrap: bool) -> Any:
    result = np.array(x)
    np.fill_diagonal(result, 3.0, wrap)
    return result


def _summed(x: Array, size: tuple[int, ...]) -> Any:
    x = x.sum(tuple(range(x.ndim - len(size)))) if x.ndim > len(size) else x
    return x.sum(tuple(d for d, n in enumerate(size) if n == 1), keepdims=True)


ROWS: tuple[Row, ...] = (*numbers(), *samples(), *pieces())

A = np.ones((2, 3))
V = np.ones(3)
I = np.array([0, 1])  # noqa: E741
#: name -> (call through a namespace `f` with `t` making operands, error, what it must tell)
BAD: dict[str, Any] = {
    "positive-bool": (lambda f, t: f.positive(t(V > 0)), RuntimeError, "positive: .*bool"),
    "heaviside-dtypes": (
        lambda f, t: f.heaviside(t(V), t(V.astype(np.float32))),
        RuntimeError,
        "heaviside: .*float64.*float32",
    ),
    "gcd-floats": (lambda f, t: f.gcd(t(V), t(V)), RuntimeError, "gcd: .*float64"),
    "nextafter-ints": (lambda f, t: f.nextafter(t(I), t(I)), RuntimeError, "nextafter: .*int64"),
    "logaddexp2-ints": (lambda f, t: f.logaddexp2(t(I), t(I)), RuntimeError, "logaddexp2: .*int64"),
    "polygamma-n": (lambda f, t: f.polygamma(-1, t(V)), RuntimeError, "polygamma: .*negative"),
    "mvlgamma-p": (lambda f, t: f.mvlgamma(t(V), 0), RuntimeError, "mvlgamma: .*0"),
    "renorm-vector": (lambda f, t: f.renorm(t(V), 2, 0, 1.0), RuntimeError, r"renorm: .*\(3,\)"),
    "nanmedian-empty": (lambda f, t: f.nanmedian(t(A[:, :0]), 1), IndexError, "nanmedian: .*non-zero"),
    "trapezoid-x": (lambda f, t: f.trapezoid(t(A), t(np.ones(2))), RuntimeError, "trapezoid: .*x"),
    "cov-3d": (lambda f, t: f.cov(t(A[None])), RuntimeError, r"cov: .*\(1, 2, 3\)"),
    "cov-weights": (
        lambda f, t: f.cov(t(A), aweights=t(np.ones(2))),
        RuntimeError,
        r"cov: .*aweights.*\(2,\)",
    ),
    "combinations-2d": (lambda f, t: f.combinations(t(A)), RuntimeError, r"combinations: .*\(2, 3\)"),
    "vander-2d": (lambda f, t: f.vander(t(A)), RuntimeError, r"vander: .*\(2, 3\)"),
    "select_scatter-shape": (
        lambda f, t: f.select_scatter(t(A), t(np.ones(2)), 0, 0),
        RuntimeError,
        r"select_scatter: .*\(3,\).*\(2,\)",
    ),
    "slice_scatter-shape": (
        lambda f, t: f.slice_scatter(t(A), t(V), 0, 0, 1),
        RuntimeError,
        r"slice_scatter: .*\(1, 3\).*\(3,\)",
    ),
    "diagonal_scatter-shape": (
        lambda f, t: f.diagonal_scatter(t(A), t(V)),
        RuntimeError,
        r"diagonal_scatter: .*\(2,\).*\(3,\)",
    ),
    "put-sizes": (lambda f, t: f.put(t(A), t(I), t(V)), IndexError, r"put: .*\(3,\).*\(2,\)"),
    "index_reduce-sizes": (
        lambda f, t: f.index_reduce(t(A), 0, t(np.array([0])), t(A), "prod"),
        RuntimeError,
        r"index_reduce: .*\(1,\).*\(2, 3\)",
    ),
    "fill_diagonal-vector": (
        lambda f, t: f.fill_diagonal(t(V), 1.0),
        RuntimeError,
        r"fill_diagonal: .*\(3,\)",
    ),
    "sum_to_size-larger": (
        lambda f, t: f.sum_to_size(t(A), (2, 2)),
        RuntimeError,
        r"sum_to_size: .*\(2, 3\)",
    ),
}

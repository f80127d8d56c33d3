"""Rows of linear algebra that takes matrices apart by elimination, and of what is solved by that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rows import INF, Arg, Array, Row, Shape, real, told
from rows_linalg import SQUARE, definite, np_definite, np_regular, np_t, of, regular

TALL: tuple[Shape, ...] = ((3, 3), (4, 2), (2, 4), (2, 3, 3), (2, 4, 3), (1, 1), (0, 2, 3))


def _np_lu(a: Array) -> tuple[Array, Array, Array]:
    """P, L and U, a matrix at a time, as in a textbook."""
    *lead, m, n = a.shape
    k = min(m, n)
    flat, parts = a.reshape(-1, m, n) if a.size else np.zeros((0, m, n)), []
    for x in flat:
        p, low, up = np.eye(m), np.zeros((m, m)), x.copy()
        for j in range(k):
            top = j + int(np.argmax(abs(up[j:, j])))
            for part in (p.T, low, up):
                part[[j, top]] = part[[top, j]]
            low[j + 1 :, j] = up[j + 1 :, j] / up[j, j]
            up[j + 1 :] -= np.outer(low[j + 1 :, j], up[j])
        parts.append((p, (low + np.eye(m))[:, :k], np.triu(up)[:k]))
    shapes = ((m, m), (m, k), (k, n))
    p, low, up = (np.reshape([part[i] for part in parts], (*lead, *shape)) for i, shape in enumerate(shapes))
    return p, low, up


def _np_exp(a: Array) -> Array:
    """By eigenvalues, which are different here."""
    values, vectors = np.linalg.eig(a)
    return np.asarray(((vectors * np.exp(values)[..., None, :]) @ np.linalg.inv(vectors)).real)


def _np_householder(a: Array, tau: Array) -> Array:
    m, n = a.shape[-2:]
    out = np.broadcast_to(np.eye(m), (*a.shape[:-2], m, m))
    for i in range(tau.shape[-1]):
        v = np.where(np.arange(m) > i, a[..., i], 0.0) + (np.arange(m) == i)
        out = out @ (np.eye(m) - tau[..., i, None, None] * v[..., :, None] * v[..., None, :])
    return np.asarray(out[..., :n])


def factors() -> Iterator[Row]:
    for shape in TALL:
        yield of("lu", told(shape), shape, lambda f, x: tuple(f.linalg.lu(x)), _np_lu)
    for shape in SQUARE:
        yield of(
            "lu_factor",
            told(shape),
            shape,
            lambda f, x: f.linalg.lu_factor(x)[0],
            lambda x: _np_lu(x)[1] + _np_lu(x)[2] - np.eye(x.shape[-1]),
        )
        yield of(
            "lu_factor_ex",
            told(shape),
            shape,
            lambda f, x: tuple(f.linalg.lu_factor_ex(regular(f, x))),
            lambda x: (
                _np_lu(np_regular(x))[1] + _np_lu(np_regular(x))[2] - np.eye(x.shape[-1]),
                np.broadcast_to(np.arange(x.shape[-1], dtype=np.int32) + np.int32(1), x.shape[:-1]),
                np.zeros(x.shape[:-2], np.int32),
            ),
        )
        yield Row(
            "lu_unpack",
            told(shape),
            lambda f, x: tuple(f.lu_unpack(*f.linalg.lu_factor(x))),
            real(shape),
            _np_lu,
            dtypes="fd",
        )
    for left in (True, False):
        for adjoint in (True, False):
            yield Row(
                "linalg.lu_solve",
                f"{left}-{adjoint}",
                lambda f, x, y, left=left, adjoint=adjoint: f.linalg.lu_solve(
                    *f.linalg.lu_factor(x), y, left=left, adjoint=adjoint
                ),
                real((3, 3), (2, 3, 3)),
                lambda x, y, left=left, adjoint=adjoint: (
                    np.linalg.inv(x.T if adjoint else x) @ y
                    if left
                    else y @ np.linalg.inv(x.T if adjoint else x)
                ),
                dtypes="fd",
            )
    for upper in (False, True):
        yield Row(
            "cholesky_inverse",
            str(upper),
            lambda f, x, upper=upper: f.cholesky_inverse((f.triu if upper else f.tril)(regular(f, x)), upper),
            real((2, 3, 3)),
            lambda x, upper=upper: np.linalg.inv(
                np_t(np.triu(np_regular(x))) @ np.triu(np_regular(x))
                if upper
                else np.tril(np_regular(x)) @ np_t(np.tril(np_regular(x)))
            ),
            dtypes="fd",
        )


def told_failures() -> Iterator[Row]:
    def info(x: Array) -> Array:
        return np.zeros(x.shape[:-2], np.int32)

    for shape in SQUARE:
        yield of(
            "inv_ex",
            told(shape),
            shape,
            lambda f, x: tuple(f.linalg.inv_ex(regular(f, x))),
            lambda x: (np.linalg.inv(np_regular(x)), info(x)),
        )
        for upper in (False, True):
            yield of(
                "cholesky_ex",
                f"{told(shape)}-{upper}",
                shape,
                lambda f, x, upper=upper: tuple(f.linalg.cholesky_ex(definite(f, x), upper=upper)),
                lambda x, upper=upper: (np.linalg.cholesky(np_definite(x), upper=upper), info(x)),
            )
    for a, b, left in (((3, 3), (3, 2), True), ((2, 3, 3), (2, 3), True), ((3, 3), (2, 3), False)):
        yield Row(
            "linalg.solve_ex",
            f"{told(a)}-{told(b)}-{left}",
            lambda f, x, y, left=left: tuple(f.linalg.solve_ex(regular(f, x), y, left=left)),
            real(a, b),
            lambda x, y, left=left: (
                y @ np.linalg.inv(np_regular(x))
                if not left
                else np.linalg.inv(np_regular(x)) @ y
                if x.ndim == y.ndim
                else (np.linalg.inv(np_regular(x)) @ y[..., None])[..., 0],
                info(x),
            ),
        )


def exponentials() -> Iterator[Row]:
    for shape in SQUARE:
        for size in (1, 3) if 0 not in shape else (1,):
            yield of(
                "matrix_exp",
                f"{told(shape)}-{size}",
                shape,
                lambda f, x, size=size: f.linalg.matrix_exp(f.mul(x, size)),
                lambda x, size=size: _np_exp(x * size),
                dtypes="d",
            )
    yield of(
        "matrix_exp",
        "nilpotent",
        (2, 2),
        lambda f, x: f.linalg.matrix_exp(f.triu(x, 1)),
        lambda x: np.eye(2) + np.triu(x, 1),
        dtypes="fd",
    )


def numbers() -> Iterator[Row]:
    orders: tuple[Any, ...] = (None, 2, -2, 1, -1, INF, -INF, "fro", "nuc")
    for p in orders:
        yield of(
            "cond",
            f"{p}",
            (2, 3, 3),
            lambda f, x, p=p: f.linalg.cond(regular(f, x), p),
            lambda x, p=p: np.linalg.cond(np_regular(x), p),
            torch=p in (None, 2, -2, "nuc"),
        )
    yield of("cond", "tall", (3, 2), lambda f, x: f.linalg.cond(x), np.linalg.cond)
    for shape, n in (((3,), None), ((2, 3), 4), ((), 2), ((0, 2), 3)):
        yield of(
            "vander",
            f"{told(shape)}-{n}",
            shape,
            lambda f, x, n=n: f.linalg.vander(x, N=n),
            lambda x, n=n: np.atleast_1d(x)[..., None] ** np.arange(x.shape[-1] if n is None else n),
            dtypes="fdl",
        )


def equations() -> Iterator[Row]:
    def squares(case: str, a: Shape, b: Shape, driver: str | None, grad: bool = True) -> Row:
        def call(f: Any, x: Any, y: Any) -> Any:
            found = f.linalg.lstsq(x, y, driver=driver)
            return tuple([part for part in found if 0 not in part.shape])

        def numpy(x: Array, y: Array) -> Any:
            columns = y if x.ndim == y.ndim else y[..., None]
            solution = np.linalg.pinv(x) @ columns
            rest = [((x @ solution - columns) ** 2).sum(-2)] * (case == "tall" and driver is not None)
            rank = [np.full(x.shape[:-2], min(x.shape[-2:]))] * (driver != "gels")
            sizes = [np.linalg.svdvals(x)] * (driver == "gelsd")
            return (
                solution.reshape(*x.shape[:-2], x.shape[-1], *y.shape[x.ndim - 1 :]),
                *rest,
                *rank,
                *sizes,
            )

        args = tuple([Arg(shape, "real" if grad else "constant") for shape in (a, b)])
        return Row("linalg.lstsq", f"{case}-{driver}", call, args, numpy, dtypes="fd", grad=grad)

    for driver in (None, "gels", "gelsd"):  # the singular values have no gradient
        yield squares("tall", (4, 2), (4, 3), driver, driver != "gelsd")
        yield squares("wide", (2, 4), (2, 1), driver, driver != "gelsd")
    yield squares("batch", (2, 3, 2), (2, 3, 1), "gelsy")
    yield squares("vectors", (2, 3, 2), (2, 3), "gelsy")
    yield of(
        "tensorinv",
        "2",
        (2, 2, 4),
        lambda f, x: f.linalg.tensorinv(f.reshape(regular(f, f.reshape(x, (4, 4))), (2, 2, 4))),
        lambda x: np.linalg.inv(np_regular(x.reshape(4, 4))).reshape(4, 2, 2),
        dtypes="fd",
    )
    yield of(
        "tensorinv",
        "1",
        (4, 2, 2),
        lambda f, x: f.linalg.tensorinv(f.reshape(regular(f, f.reshape(x, (4, 4))), (4, 2, 2)), ind=1),
        lambda x: np.linalg.inv(np_regular(x.reshape(4, 4))).reshape(2, 2, 4),
        dtypes="fd",
    )
    yield Row(
        "linalg.tensorsolve",
        "all",
        lambda f, x, y: f.linalg.tensorsolve(f.reshape(regular(f, f.reshape(x, (4, 4))), (2, 2, 4)), y),
        real((2, 2, 4), (2, 2)),
        lambda x, y: np.linalg.solve(np_regular(x.reshape(4, 4)), y.reshape(4)),
        dtypes="fd",
    )
    yield Row(
        "linalg.tensorsolve",
        "dims",
        lambda f, x, y: f.linalg.tensorsolve(
            f.permute(f.reshape(regular(f, x), (4, 2, 2)), (1, 0, 2)), y, dims=(0, 2)
        ),
        real((4, 4), (4,)),
        lambda x, y: np.linalg.solve(np_regular(x), y).reshape(2, 2),
        dtypes="fd",
    )
    for a, tau in (((3, 2), (2,)), ((3, 3), (2,)), ((2, 4, 3), (2, 1)), ((3, 2), (0,))):
        yield Row(
            "linalg.householder_product",
            f"{told(a)}-{told(tau)}",
            lambda f, x, t: f.linalg.householder_product(x, t),
            real(a, tau),
            _np_householder,
            dtypes="fd",
        )


def _call(name: str, *shapes: Shape, **options: Any) -> Any:
    return lambda f, t: getattr(f.linalg, name)(*[t(np.ones(s)) for s in shapes], **options)


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "lu-vector": (_call("lu", (3,)), RuntimeError, "linalg.lu: .*at least 2 dimensions"),
    "lu-pivot": (_call("lu", (2, 2), pivot=False), RuntimeError, "linalg.lu: LU without pivoting"),
    "lu_solve-pivots": (_call("lu_solve", (2, 2), (2,), (2, 1)), RuntimeError, "pivots should be int32"),
    "inv_ex-square": (_call("inv_ex", (2, 3)), RuntimeError, "linalg.inv_ex: .*square"),
    "cond-order": (_call("cond", (2, 2), p=3), RuntimeError, "linalg.cond: got an invalid norm type: 3"),
    "cond-square": (_call("cond", (2, 3), p=1), RuntimeError, "linalg.cond: .*square"),
    "matrix_exp-square": (_call("matrix_exp", (2, 3)), RuntimeError, "linalg.matrix_exp: .*square"),
    "lstsq-driver": (_call("lstsq", (2, 2), (2, 1), driver="x"), RuntimeError, "linalg.lstsq: driver"),
    "lstsq-rows": (_call("lstsq", (3, 2), (2, 1)), RuntimeError, "linalg.lstsq: .*as many rows"),
    "lstsq-dims": (_call("lstsq", (3, 2), (2, 3, 1)), RuntimeError, "linalg.lstsq: .*dimensions"),
    "tensorinv-ind": (_call("tensorinv", (2, 2), ind=0), RuntimeError, "linalg.tensorinv: .*positive"),
    "tensorinv-sizes": (_call("tensorinv", (2, 3), ind=1), RuntimeError, "linalg.tensorinv: .*2 and 3"),
    "tensorsolve-sizes": (_call("tensorsolve", (2, 3), (2,)), RuntimeError, "linalg.tensorsolve: .*fit"),
    "householder_product-wide": (
        _call("householder_product", (2, 3), (2,)),
        RuntimeError,
        "linalg.householder_product: ",
    ),
    "householder_product-factors": (
        _call("householder_product", (3, 2), (3,)),
        RuntimeError,
        "linalg.householder_product: ",
    ),
    "linalg-vander-N": (_call("vander", (3,), N=1), RuntimeError, "linalg.vander: N must be greater than 1"),
}

ROWS = (*factors(), *told_failures(), *exponentials(), *numbers(), *equations())

"""Rows of linear algebra: products of vectors and matrices, einsum, and nngrad.functional.linalg."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from rows import INF, Arg, Array, Call, Row, Shape, real, told


def eye(f: Any, x: Any) -> Any:
    """The unit matrices of the shape and dtype of `x`."""
    return f.diag_embed(f.ones_like(x[..., 0]))


def regular(f: Any, x: Any) -> Any:
    """Far from singular."""
    return f.add(x, f.mul(eye(f, x), 4))


def definite(f: Any, x: Any) -> Any:
    """Symmetric and positive-definite, with different eigenvalues."""
    return f.add(f.matmul(x, f.mT(x)), eye(f, x))


def np_regular(x: Array) -> Array:
    return np.asarray(x + 4 * np.eye(x.shape[-1]))


def np_definite(x: Array) -> Array:
    return np.asarray(x @ np.swapaxes(x, -1, -2) + np.eye(x.shape[-2]))


def np_t(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


# ---------------------------------------------------------------- products

WITHOUT_BOOL = "efdl"


def products() -> Iterator[Row]:
    shapes: tuple[tuple[str, Shape, Shape, Call], ...] = (
        ("mm", (2, 3), (3, 4), np.matmul),
        ("mm", (2, 0), (0, 3), np.matmul),
        ("mm", (0, 2), (2, 3), np.matmul),
        ("bmm", (2, 2, 3), (2, 3, 1), np.matmul),
        ("bmm", (0, 2, 3), (0, 3, 2), np.matmul),
        ("mv", (2, 3), (3,), np.matmul),
        ("mv", (2, 0), (0,), np.matmul),
        ("dot", (3,), (3,), np.dot),
        ("dot", (0,), (0,), np.dot),
        ("vdot", (3,), (3,), np.vdot),
        ("inner", (3,), (3,), np.inner),
        ("inner", (2, 3), (4, 3), np.inner),
        ("inner", (2, 3), (3,), np.inner),
        ("inner", (2, 2, 3), (2, 3), np.inner),
        ("inner", (), (2, 3), np.multiply),
        ("outer", (2,), (3,), np.outer),
        ("outer", (0,), (3,), np.outer),
    )
    for name, a, b, numpy in shapes:
        yield Row(
            name,
            f"{told(a)}-{told(b)}",
            lambda f, x, y, name=name: getattr(f, name)(x, y),
            real(a, b),
            numpy,
            # without elements, PyTorch multiplies bools too
            dtypes=WITHOUT_BOOL if 0 in a else "efdl?",
        )
    sums: tuple[tuple[str, Shape, Shape, Shape, Call], ...] = (
        ("addmm", (2, 4), (2, 3), (3, 4), np.matmul),
        ("addmm", (4,), (2, 3), (3, 4), np.matmul),
        ("addmm", (), (2, 0), (0, 4), np.matmul),
        ("addmv", (2,), (2, 3), (3,), np.matmul),
        ("addmv", (1,), (2, 3), (3,), np.matmul),
        ("addr", (2, 3), (2,), (3,), np.outer),
        ("addr", (3,), (2,), (3,), np.outer),
        ("baddbmm", (2, 2, 4), (2, 2, 3), (2, 3, 4), np.matmul),
        ("baddbmm", (2, 1), (2, 2, 3), (2, 3, 4), np.matmul),
        ("addbmm", (2, 4), (2, 2, 3), (2, 3, 4), lambda a, b: (a @ b).sum(0)),
        ("addbmm", (1, 4), (2, 2, 3), (2, 3, 4), lambda a, b: (a @ b).sum(0)),
    )
    for name, c, a, b, numpy in sums:
        for beta, alpha in ((1, 1), (2, 3), (0, 1)):
            yield Row(
                name,
                f"{told(c)}-{told(a)}-{beta}-{alpha}",
                lambda f, x, a, b, name=name, beta=beta, alpha=alpha: getattr(f, name)(
                    x, a, b, beta=beta, alpha=alpha
                ),
                real(c, a, b),
                lambda x, a, b, numpy=numpy, beta=beta, alpha=alpha: beta * x + alpha * numpy(a, b),
                # bools: only where PyTorch does not take them, as it does in addr and without elements
                dtypes=WITHOUT_BOOL if name == "addr" or 0 in a else "efdl?",
            )
    for dims in (0, 1, 2, ([0], [1]), ([1, 0], [0, 1]), ([-1], [0])):
        yield Row(
            "tensordot",
            str(dims),
            lambda f, x, y, dims=dims: f.tensordot(x, y, dims),
            real((2, 2), (2, 2)),
            lambda x, y, dims=dims: np.tensordot(x, y, dims),
            dtypes=WITHOUT_BOOL if dims in (0, ([1, 0], [0, 1])) else "efdl?",
        )
    yield Row(
        "tensordot",
        "ranks",
        lambda f, x, y: f.tensordot(x, y, ([2, 0], [1, 2])),
        real((3, 2, 4), (5, 4, 3)),
        lambda x, y: np.tensordot(x, y, ([2, 0], [1, 2])),
    )
    yield Row(
        "tensordot",
        "one-broadcasts",
        lambda f, x, y: f.tensordot(x, y, 1),
        real((2, 1), (3, 2)),
        lambda x, y: x @ y.sum(0, keepdims=True),
    )
    for shape, other, dim in (
        ((3,), (3,), 0),
        ((2, 3), (2, 3), 1),
        ((3, 2), (3, 2), 0),
        ((1, 3), (2, 3), -1),
        ((0, 3), (0, 3), -1),
    ):
        yield Row(
            "cross",
            f"{told(shape)}-{told(other)}-{dim}",
            lambda f, x, y, dim=dim: f.cross(x, y, dim=dim),
            real(shape, other),
            lambda x, y, dim=dim: np.cross(x, y, axis=dim),
        )
        yield Row(
            "linalg.cross",
            f"{told(shape)}-{told(other)}-{dim}",
            lambda f, x, y, dim=dim: f.linalg.cross(x, y, dim=dim),
            real(shape, other),
            lambda x, y, dim=dim: np.cross(x, y, axis=dim),
        )


def distances() -> Iterator[Row]:
    def far(x: Array, y: Array, p: float) -> Array:
        return np.asarray(np.linalg.norm(x[..., :, None, :] - y[..., None, :, :], p, -1))

    def row(case: str, a: Shape, b: Shape, p: float, **how: Any) -> Row:
        return Row(
            "cdist",
            case,
            lambda f, x, y: f.cdist(x, y, p, **how),
            (Arg(a, "positive"), Arg(b, "positive")),  # no two differences are equal
            lambda x, y: far(x, y, p),
            dtypes="fdl?" if how or 0 in a else "efdl?",  # which PyTorch takes float16 for
        )

    for p in (0.0, 1.0, 1.5, 2.0, 3.0, INF):
        yield row(f"p-{p}", (2, 3), (4, 3), p)
    yield row("batches", (2, 1, 2, 3), (3, 1, 3), 2.0)
    yield row("no-rows", (0, 3), (2, 3), 2.0)
    yield Row(
        "cdist",
        "no-columns",
        lambda f, x, y: f.cdist(x, y, INF),
        real((2, 0), (3, 0)),
        lambda x, y: np.zeros((2, 3)),
        dtypes="fd",
    )
    yield row("by-product", (2, 3), (4, 3), 2.0, compute_mode="use_mm_for_euclid_dist")
    yield row("by-product-batches", (2, 2, 3), (1, 3, 3), 2.0, compute_mode="use_mm_for_euclid_dist")
    yield row("without-product", (2, 3), (4, 3), 2.0, compute_mode="donot_use_mm_for_euclid_dist")


# ---------------------------------------------------------------- einsum

EQUATIONS: tuple[tuple[str, tuple[Shape, ...]], ...] = (
    ("i->", ((3,),)),
    ("->", ((),)),
    ("ij->ji", ((2, 3),)),
    ("ba", ((2, 3),)),
    ("ii", ((3, 3),)),
    ("ii->i", ((3, 3),)),
    ("bii->b", ((2, 3, 3),)),
    ("iii->i", ((2, 2, 2),)),
    ("...ij->...ji", ((2, 2, 3),)),
    ("...->...", ((2, 3),)),
    ("ij -> i", ((2, 0),)),
    ("i,i->", ((3,), (3,))),
    ("i,i", ((3,), (3,))),
    ("i,j->ij", ((2,), (3,))),
    ("i,j->ji", ((2,), (3,))),
    ("ij,jk", ((2, 3), (3, 4))),
    ("ij,jk->ki", ((2, 3), (3, 4))),
    ("ij,kj->ik", ((2, 3), (4, 3))),
    ("ij,ij->ij", ((2, 3), (2, 3))),
    ("ij,ij->i", ((2, 3), (2, 3))),
    ("ij,ji->", ((2, 3), (3, 2))),
    ("ij,k->i", ((2, 3), (4,))),
    ("ii,ij->j", ((2, 2), (2, 3))),
    ("bij,bjk->bik", ((2, 2, 3), (2, 3, 2))),
    ("bij,bjk->ik", ((2, 2, 3), (2, 3, 2))),
    ("bqhd,bkhd->bhqk", ((2, 3, 2, 2), (2, 2, 2, 2))),
    ("aijb,jbki->bak", ((2, 3, 2, 2), (2, 2, 2, 3))),
    ("...ij,...jk->...ik", ((2, 2, 3), (3, 2))),
    ("...ij,...jk", ((2, 1, 2, 3), (2, 3, 2))),
    ("i...,i...->...", ((3, 2), (3, 2))),
    ("...,...", ((1, 3), (2, 1))),
    ("ij,jk->ik", ((2, 0), (0, 3))),
    ("ij,jk->ik", ((0, 2), (2, 3))),
    ("ij,ij->", ((1, 3), (2, 3))),
    ("ij,ij->j", ((1, 3), (2, 1))),
    ("bij,b->ij", ((1, 2, 2), (3,))),
    ("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))),
    ("ij,jk,ki", ((2, 3), (3, 4), (4, 2))),
    ("a,b,c->abc", ((2,), (3,), (2,))),
    ("bi,ijk,bj->bk", ((2, 3), (3, 2, 2), (2, 2))),
    ("ij,ij,ij->i", ((2, 3), (2, 3), (2, 3))),
    ("aB,Ab->abAB", ((2, 2), (1, 3))),
)


def einsums() -> Iterator[Row]:
    for equation, shapes in EQUATIONS:
        yield Row(
            "einsum",
            f"{equation}-{'-'.join(map(told, shapes))}",
            lambda f, *operands, equation=equation: f.einsum(equation, *operands),
            real(*shapes),
            lambda *operands, equation=equation: np.array(np.einsum(equation, *operands)),
            dtypes=WITHOUT_BOOL,
        )
    yield Row(
        "einsum",
        "dots-are-summed",
        lambda f, x: f.einsum("...i->i", x),
        real((2, 2, 3)),
        lambda x: x.sum((0, 1)),
    )
    yield Row(
        "einsum",
        "lists",
        lambda f, x, y: f.einsum(x, [..., 0, 5], y, [5, 3], [..., 3, 0]),
        real((2, 2, 3), (3, 2)),
        lambda x, y: np.swapaxes(x @ y, -1, -2),
    )
    yield Row(
        "einsum",
        "lists-implicit",
        lambda f, x, y: f.einsum(x, [1, 0], y, [0, 2]),
        real((2, 3), (3, 2)),
        np.matmul,
    )
    yield Row(
        "einsum",
        "operands-in-a-list",
        lambda f, x, y: f.einsum("ij,jk", [x, y]),
        real((2, 3), (3, 2)),
        np.matmul,
    )
    yield Row(
        "einsum",
        "bools",
        lambda f, x, y: f.einsum("i,i->", x, y),
        real((3,), (3,)),
        np.dot,
    )


# ---------------------------------------------------------------- linalg


def of(name: str, case: str, shape: Shape, call: Call, numpy: Call, **more: Any) -> Row:
    # without elements, PyTorch takes other dtypes here and there
    dtypes = more.pop("dtypes", "fd" if 0 in shape else "efdl?")
    # what has no gradient may refuse one
    arg = Arg(shape, "real" if more.get("grad", True) else "constant")
    return Row(f"linalg.{name}", case, call, (arg,), numpy, dtypes=dtypes, **more)


SQUARE: tuple[Shape, ...] = ((3, 3), (2, 3, 3), (1, 1), (0, 3, 3))
WIDE: tuple[Shape, ...] = ((3, 2), (2, 3), (2, 2, 3), (2, 3, 2), (3, 3), (1, 1), (0, 2, 3))


def solving() -> Iterator[Row]:
    for shape in SQUARE:
        yield of("det", told(shape), shape, lambda f, x: f.linalg.det(x), np.linalg.det)
        yield of(
            "inv",
            told(shape),
            shape,
            lambda f, x: f.linalg.inv(regular(f, x)),
            lambda x: np.linalg.inv(np_regular(x)),
        )
        yield of(
            "slogdet",
            told(shape),
            shape,
            lambda f, x: tuple(f.linalg.slogdet(regular(f, x))),
            lambda x: tuple(np.linalg.slogdet(np_regular(x))),
        )
        yield Row(
            "logdet",
            told(shape),
            lambda f, x: f.logdet(definite(f, x)),
            real(shape),
            lambda x: np.linalg.slogdet(np_definite(x))[1],
        )
    yield Row(
        "logdet",
        "signs",
        lambda f, x: f.logdet(x),
        real((0, 2, 2)),
        lambda x: np.zeros(0),
        special=((np.array([[[2.0, 0.0], [0.0, 3.0]], [[0.0, 1.0], [1.0, 0.0]]]),),),
    )
    sides: tuple[tuple[Shape, Shape, bool], ...] = (
        ((3, 3), (3, 2), True),
        ((3, 3), (3,), True),
        ((2, 3, 3), (3, 2), True),
        ((2, 3, 3), (2, 3), True),
        ((2, 3, 3), (3,), True),
        ((3, 3), (2, 2, 3, 1), True),
        ((3, 3), (2, 3), False),
        ((3, 3), (0, 3), False),
        ((2, 1, 3, 3), (3, 2, 3), False),
    )
    for a, b, left in sides:
        vector = len(b) == 1 or b == a[:-1]
        yield Row(
            "linalg.solve",
            f"{told(a)}-{told(b)}-{left}",
            lambda f, x, y, left=left: f.linalg.solve(regular(f, x), y, left=left),
            real(a, b),
            lambda x, y, left=left, vector=vector: _np_solve(np_regular(x), y, left, vector),
        )
    for upper, left, unit in (
        (True, True, False),
        (False, True, False),
        (True, False, False),
        (False, False, True),
        (True, True, True),
    ):
        yield Row(
            "linalg.solve_triangular",
            f"{upper}-{left}-{unit}",
            lambda f, x, y, u=upper, left=left, unit=unit: f.linalg.solve_triangular(
                regular(f, x), y, upper=u, left=left, unitriangular=unit
            ),
            real((2, 3, 3), (3, 3)),
            lambda x, y, u=upper, left=left, unit=unit: _np_solve(
                _triangle(np_regular(x), u, unit), y, left, False
            ),
        )
    for upper in (False, True):
        yield Row(
            "cholesky_solve",
            str(upper),
            lambda f, y, x, upper=upper: f.cholesky_solve(y, _factor(f, x, upper), upper),
            real((3, 2), (2, 3, 3)),
            lambda y, x, upper=upper: _np_cholesky_solve(y, _triangle(np_regular(x), upper, False), upper),
        )


def _np_solve(a: Array, b: Array, left: bool, vector: bool) -> Array:
    if vector:
        return np.asarray((np.linalg.inv(a) @ b[..., None])[..., 0])
    return np.asarray(np.linalg.inv(a) @ b if left else b @ np.linalg.inv(a))


def _triangle(a: Array, upper: bool, unit: bool) -> Array:
    if unit:
        return np.asarray((np.triu if upper else np.tril)(a, 1 if upper else -1) + np.eye(a.shape[-1]))
    return np.asarray((np.triu if upper else np.tril)(a))


def _factor(f: Any, x: Any, upper: bool) -> Any:
    """PyTorch gives a gradient to the other triangle, too, which is not read."""
    return (f.triu if upper else f.tril)(regular(f, x))


def _np_cholesky_solve(b: Array, factor: Array, upper: bool) -> Array:
    full = np_t(factor) @ factor if upper else factor @ np_t(factor)
    return np.asarray(np.linalg.inv(full) @ b)


def decomposed() -> Iterator[Row]:
    for shape in SQUARE:
        for upper in (False, True):
            yield of(
                "cholesky",
                f"{told(shape)}-{upper}",
                shape,
                lambda f, x, upper=upper: f.linalg.cholesky(definite(f, x), upper=upper),
                lambda x, upper=upper: np.linalg.cholesky(np_definite(x), upper=upper),
            )
        for uplo in ("L", "U"):
            yield of(
                "eigvalsh",
                f"{told(shape)}-{uplo}",
                shape,
                lambda f, x, uplo=uplo: f.linalg.eigvalsh(definite(f, x), uplo),
                lambda x: np.linalg.eigvalsh(np_definite(x)),
            )
            yield of(
                "eigh",
                f"{told(shape)}-{uplo}",
                shape,
                lambda f, x, uplo=uplo: _eigen(f, *f.linalg.eigh(definite(f, x), uplo)),
                lambda x: _np_eigen(*np.linalg.eigh(np_definite(x))),
            )
        for name in ("eig", "eigvals"):
            yield of(
                name,
                told(shape),
                shape,
                lambda f, x, name=name: f.abs(
                    f.linalg.eigvals(x) if name == "eigvals" else f.linalg.eig(x)[0]
                ),
                lambda x: np.abs(np.linalg.eigvals(x)),
                grad=False,
            )
    for shape in WIDE:
        yield of(
            "svdvals", told(shape), shape, lambda f, x: f.linalg.svdvals(x), lambda x: np.linalg.svd(x)[1]
        )
        yield of(
            "svd",
            told(shape),
            shape,
            lambda f, x: _singular(f, *f.linalg.svd(x, False)),
            lambda x: _np_singular(*np.linalg.svd(x, False)),
        )
        k = min(shape[-2:])
        yield of(
            "svd",
            f"{told(shape)}-full",
            shape,
            lambda f, x, k=k: _product(f, k, *f.linalg.svd(x)),
            lambda x: x,
            grad=False,  # see functional/test_matrices.py
        )
        yield of(
            "qr",
            told(shape),
            shape,
            lambda f, x: _signless(f, *f.linalg.qr(x)),
            lambda x: _np_signless(*np.linalg.qr(x)),
        )
        yield of(
            "qr",
            f"{told(shape)}-complete",
            shape,
            lambda f, x: _signless(f, *f.linalg.qr(x, "complete")),
            lambda x: _np_signless(*np.linalg.qr(x, "complete")),
            grad=shape[-2] <= shape[-1],
        )
        yield of(
            "qr",
            f"{told(shape)}-r",
            shape,
            lambda f, x: f.abs(f.linalg.qr(x, mode="r")[1]),
            lambda x: np.abs(np.linalg.qr(x, "r")),
            grad=False,
        )


def _first(found: Any) -> Any:
    return found[0] if isinstance(found, tuple) else found


def _eigen(f: Any, values: Any, vectors: Any) -> Any:
    """What has no free signs: the values, and a function of the matrix."""
    return values, f.matmul(f.mul(vectors, f.sin(f.unsqueeze(values, -2))), f.mT(vectors)), f.abs(vectors)


def _np_eigen(w: Array, v: Array) -> Any:
    return w, (v * np.sin(w[..., None, :])) @ np_t(v), np.abs(v)


def _singular(f: Any, u: Any, s: Any, vh: Any) -> Any:
    return f.abs(u), s, f.abs(vh), f.matmul(f.mul(u, f.sin(f.unsqueeze(s, -2))), vh)


def _np_singular(u: Array, s: Array, vh: Array) -> Any:
    return np.abs(u), s, np.abs(vh), (u * np.sin(s[..., None, :])) @ vh


def _product(f: Any, k: int, u: Any, s: Any, vh: Any) -> Any:
    return f.matmul(f.mul(u[..., :k], f.unsqueeze(s, -2)), vh[..., :k, :])


def _signless(f: Any, q: Any, r: Any) -> Any:
    return f.abs(q), f.abs(r), f.matmul(q, r)


def _np_signless(q: Array, r: Array) -> Any:
    return np.abs(q), np.abs(r), q @ r


def several() -> Iterator[Row]:
    for n in (0, 1, 2, 3, 5, -1, -2):
        yield of(
            "matrix_power",
            str(n),
            (2, 3, 3),
            lambda f, x, n=n: f.linalg.matrix_power(regular(f, x), n),
            lambda x, n=n: np.linalg.matrix_power(np_regular(x), n),
            dtypes="efdl?" if n < 0 else "dl" if n == 5 else WITHOUT_BOOL,
        )
    chains: tuple[tuple[Shape, ...], ...] = (
        ((2, 3), (3, 4)),
        ((2, 3), (3, 1), (1, 4)),
        ((4, 1), (1, 3), (3, 2), (2, 2)),
        ((3,), (3, 2), (2, 2)),
        ((2, 3), (3, 2), (2,)),
        ((3,), (3,)),
        ((2, 0), (0, 3), (3, 1)),
    )
    for shapes in chains:
        yield Row(
            "linalg.multi_dot",
            "-".join(map(told, shapes)),
            lambda f, *operands: f.linalg.multi_dot(operands),
            real(*shapes),
            lambda *operands: np.array(np.linalg.multi_dot(operands)),
            dtypes=WITHOUT_BOOL if (2, 0) in shapes else "efdl?",
        )
    for hermitian in (False, True):
        for how in ({}, {"rtol": 1e-3}, {"atol": 0.5}, {"atol": 1e-3, "rtol": 1e-3}):
            yield of(
                "matrix_rank",
                f"{hermitian}-{how}",
                (2, 3, 3),
                lambda f, x, h=hermitian, how=how: f.linalg.matrix_rank(
                    definite(f, x) if h else x, hermitian=h, **how
                ),
                lambda x, h=hermitian, how=how: _np_rank(np_definite(x) if h else x, how),
                grad=False,
            )
    yield of(
        "matrix_rank",
        "deficient",
        (3, 1),
        lambda f, x: f.linalg.matrix_rank(f.matmul(x, f.mT(x))),
        lambda x: np.array(1),
        grad=False,
        dtypes="fd",
    )
    for shape in ((3, 3), (2, 3, 2), (2, 2, 3), (1, 2), (0, 2, 3)):
        yield of("pinv", told(shape), shape, lambda f, x: f.linalg.pinv(x), np.linalg.pinv)
    yield of(
        "pinv",
        "hermitian",
        (3, 3),
        lambda f, x: f.linalg.pinv(definite(f, x), hermitian=True),
        lambda x: np.linalg.inv(np_definite(x)),
    )
    yield of(
        "pinv",
        "deficient",
        (3, 1),
        lambda f, x: f.linalg.pinv(f.matmul(x, f.mT(x)), rtol=1e-5),
        lambda x: x @ x.T / np.sum(x * x) ** 2,
    )


def _np_rank(x: Array, how: Any) -> Array:
    s = np.linalg.svd(x)[1]
    rtol = how.get("rtol", 0.0 if "atol" in how else 3 * np.finfo(float).eps)
    limit = np.maximum(how.get("atol", 0.0), rtol * s.max(-1, keepdims=True))
    return np.asarray((s > limit).sum(-1))


def norms() -> Iterator[Row]:
    for p in (2, 1, 0, 3, 0.5, INF, -INF, -1):
        for dim, keep in ((None, False), (1, False), ((0, 2), True)):
            yield of(
                "vector_norm",
                f"{p}-{dim}-{keep}",
                (2, 3, 2),
                lambda f, x, p=p, dim=dim, keep=keep: f.linalg.vector_norm(x, p, dim, keep),
                lambda x, p=p, dim=dim, keep=keep: _np_vector_norm(x, p, dim, keep),
                special=((np.zeros((2, 3, 2)),),) if p in (2, 1, INF) and dim == 1 else (),
            )
    orders: tuple[Any, ...] = ("fro", "nuc", INF, -INF, 1, -1, 2, -2)
    for p in orders:
        for dim, keep in (((-2, -1), False), ((2, 0), True)):
            yield of(
                "matrix_norm",
                f"{p}-{dim}-{keep}",
                (2, 3, 4),
                lambda f, x, p=p, dim=dim, keep=keep: f.linalg.matrix_norm(x, p, dim, keep),
                lambda x, p=p, dim=dim, keep=keep: np.linalg.norm(x, p, dim, keep),
            )
        yield of(
            "norm",
            f"matrix-{p}",
            (3, 2),
            lambda f, x, p=p: f.linalg.norm(x, p),
            lambda x, p=p: np.linalg.norm(x, p),
        )
    cases: tuple[tuple[str, Shape, tuple[Any, ...]], ...] = (
        ("all", (2, 3, 2), ()),
        ("0d", (), ()),
        ("dim", (2, 3, 2), (None, 1)),
        ("dims", (2, 3, 2), (None, (0, 2), True)),
        ("vector", (3,), (1,)),
        ("of-rows", (2, 3), (INF, 1, True)),
        ("of-matrices", (2, 3, 2), ("nuc", (0, 1))),
    )
    args: Any
    for case, shape, args in cases:
        yield of(
            "norm",
            case,
            shape,
            lambda f, x, args=args: f.linalg.norm(x, *args),
            lambda x, args=args: np.asarray(_np_norm(x, *args)),
        )
    for a, b, dim in (((3,), (3,), -1), ((2, 3), (3,), -1), ((2, 3), (2, 1), 0), ((0, 3), (0, 3), 1)):
        yield Row(
            "linalg.vecdot",
            f"{told(a)}-{told(b)}-{dim}",
            lambda f, x, y, dim=dim: f.linalg.vecdot(x, y, dim=dim),
            real(a, b),
            lambda x, y, dim=dim: (x * y).sum(dim),
        )
    for offset, dim1, dim2 in ((0, -2, -1), (1, -2, -1), (-1, 0, 2)):
        yield of(
            "diagonal",
            f"{offset}-{dim1}-{dim2}",
            (2, 3, 3),
            lambda f, x, o=offset, i=dim1, j=dim2: f.linalg.diagonal(x, offset=o, dim1=i, dim2=j),
            lambda x, o=offset, i=dim1, j=dim2: np.diagonal(x, o, i, j),
        )


def _np_vector_norm(x: Array, p: Any, dim: Any, keep: bool) -> Any:
    return np.linalg.vector_norm(x, ord=p, axis=dim, keepdims=keep)


def _np_norm(x: Array, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Any:
    if ord is None:
        return np.sqrt(np.sum(x * x, axis=dim, keepdims=keepdim))
    return np.linalg.norm(x, ord, dim, keepdim)


ROWS: tuple[Row, ...] = (
    *products(),
    *distances(),
    *einsums(),
    *solving(),
    *decomposed(),
    *several(),
    *norms(),
)

# ---------------------------------------------------------------- bad input

A, B, V, S = np.ones((2, 3)), np.ones((3, 2)), np.ones(3), np.ones((2, 2))
C, WHOLE = np.ones((2, 2, 3)), np.ones((2, 2), np.int64)


def refused(name: str, *operands: Array, **how: Any) -> Callable[[Any, Callable[[Any], Any]], Any]:
    def call(f: Any, t: Callable[[Any], Any]) -> Any:
        for part in name.split("."):
            f = getattr(f, part)
        return f(*[t(x) for x in operands], **how)

    return call


def einsum(equation: str, *operands: Array) -> Callable[[Any, Callable[[Any], Any]], Any]:
    return lambda f, t: f.einsum(equation, *[t(x) for x in operands])


BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "mm-shapes": (refused("mm", A, A), RuntimeError, r"mm: .*\(2, 3\) and \(2, 3\)"),
    "mm-vector": (refused("mm", A, V), RuntimeError, r"mm: .*2-D.*\(2, 3\) and \(3,\)"),
    "mm-dtypes": (refused("mm", S, S.astype(np.float32)), RuntimeError, "mm: .*float64 and float32"),
    "mm-bools": (refused("mm", S > 0, S > 0), RuntimeError, "mm: .*bool"),
    "bmm-matrices": (refused("bmm", A, B), RuntimeError, r"bmm: .*3-D.*\(2, 3\) and \(3, 2\)"),
    "bmm-batches": (
        refused("bmm", C, np.ones((3, 3, 2))),
        RuntimeError,
        r"bmm: .*\(2, 2, 3\) and \(3, 3, 2\)",
    ),
    "mv-shapes": (refused("mv", S, V), RuntimeError, r"mv: .*\(2, 2\) and \(3,\)"),
    "dot-shapes": (refused("dot", V, np.ones(2)), RuntimeError, r"dot: .*\(3,\) and \(2,\)"),
    "dot-matrices": (refused("dot", S, S), RuntimeError, "dot: .*1-D"),
    "vdot-dtypes": (refused("vdot", V, V.astype(np.float32)), RuntimeError, "vdot: .*float64 and float32"),
    "inner-shapes": (refused("inner", S, V), RuntimeError, r"inner: .*\(2, 2\) and \(3,\)"),
    "outer-matrix": (refused("outer", S, V), RuntimeError, r"outer: .*1-D.*\(2, 2\)"),
    "addmm-input": (refused("addmm", C, A, B), RuntimeError, r"addmm: .*\(2, 2, 3\).*\(2, 2\)"),
    "addmm-dtypes": (refused("addmm", WHOLE, S, S), RuntimeError, "addmm: .*int64 and float64"),
    "addmm-shapes": (refused("addmm", S, A, A), RuntimeError, r"addmm: .*\(2, 3\) and \(2, 3\)"),
    "addmv-shapes": (refused("addmv", V, S, V), RuntimeError, r"addmv: .*\(2, 2\) and \(3,\)"),
    "addr-shapes": (refused("addr", S, V, V), RuntimeError, r"addr: .*\(2, 2\).*\(3, 3\)"),
    "addbmm-batches": (refused("addbmm", S, C, np.ones((3, 3, 2))), RuntimeError, "addbmm: .*number"),
    "baddbmm-input": (
        refused("baddbmm", V, C, np.ones((2, 3, 2))),
        RuntimeError,
        r"baddbmm: .*\(3,\) and \(2, 2, 2\)",
    ),
    "cross-size": (refused("cross", S, S), RuntimeError, r"cross: no dimension of size 3 .*\(2, 2\)"),
    "cross-dim": (refused("cross", A, A, dim=0), RuntimeError, r"cross: .*dimension 0 .*length 3.*\(2, 3\)"),
    "cross-ndims": (refused("linalg.cross", A, V), RuntimeError, r"linalg.cross: .*\(2, 3\) and \(3,\)"),
    "cross-range": (refused("linalg.cross", A, A, dim=2), IndexError, "cross: Dimension out of range"),
    "cdist-columns": (refused("cdist", A, B), RuntimeError, r"cdist: .*\(2, 3\) and \(3, 2\)"),
    "cdist-vectors": (refused("cdist", V, V), RuntimeError, r"cdist: .*2-D.*\(3,\)"),
    "cdist-integers": (refused("cdist", WHOLE, WHOLE), RuntimeError, "cdist: .*int64"),
    "cdist-p": (refused("cdist", A, A, p=-1.0), RuntimeError, "cdist: .*non-negative p.*-1"),
    "cdist-mode": (refused("cdist", A, A, compute_mode="fast"), ValueError, "fast is not a valid"),
    "tensordot-sizes": (
        refused("tensordot", A, A, dims=1),
        RuntimeError,
        r"tensordot: .*size 3 in dim 1.*size 2 in dim 0",
    ),
    "tensordot-many": (refused("tensordot", A, A, dims=3), RuntimeError, "tensordot: .*got 3"),
    "tensordot-lists": (
        refused("tensordot", A, A, dims=([0], [0, 1])),
        RuntimeError,
        "tensordot: .*same length",
    ),
    "tensordot-range": (
        refused("tensordot", A, A, dims=([0], [2])),
        IndexError,
        "tensordot: Dimension out of range",
    ),
    "einsum-sizes": (einsum("ij,jk", A, A), RuntimeError, r"einsum: subscript j .*2 for operand 1.*\(2, 3\)"),
    "einsum-ndims": (einsum("i", A), RuntimeError, r"einsum: .*\(1\) does not match .*\(2\) for operand 0"),
    "einsum-output": (einsum("ij->ik", A), RuntimeError, "einsum: output subscript k does not appear"),
    "einsum-output-twice": (einsum("ij->ii", A), RuntimeError, "einsum: output subscript i .*more than once"),
    "einsum-letter": (einsum("i1", A), RuntimeError, "einsum: invalid subscript '1'"),
    "einsum-diagonal": (einsum("ii", A), RuntimeError, r"einsum: subscript i is repeated .*\(2, 3\)"),
    "einsum-fewer": (einsum("ij,jk", A), RuntimeError, "einsum: fewer operands"),
    "einsum-more": (einsum("ij", A, A), RuntimeError, "einsum: more operands"),
    "einsum-none": (einsum("ij"), ValueError, "einsum: must .*at least one operand"),
    "einsum-dots": (einsum("...i...", A), RuntimeError, "einsum: .*ellipsis"),
    "einsum-dtypes": (
        einsum("ij,jk", A, B.astype(np.float32)),
        RuntimeError,
        "einsum: .*float64 and float32",
    ),
    "einsum-list": (
        lambda f, t: f.einsum(t(A), [0, 60]),
        ValueError,
        r"einsum: .*not within the valid range \[0, 52\)",
    ),
    "det-shape": (refused("linalg.det", A), RuntimeError, r"linalg.det: .*2 by 3 matrices"),
    "det-vector": (refused("linalg.det", V), RuntimeError, r"linalg.det: .*at least 2 dimensions.*\(3,\)"),
    "det-integers": (refused("linalg.det", WHOLE), RuntimeError, "linalg.det: Expected .*int64"),
    "inv-shape": (refused("linalg.inv", A), RuntimeError, r"linalg.inv: .*2 by 3 matrices"),
    "slogdet-shape": (refused("linalg.slogdet", A), RuntimeError, r"linalg.slogdet: .*2 by 3 matrices"),
    "logdet-shape": (refused("logdet", A), RuntimeError, r"logdet: .*2 by 3 matrices"),
    "solve-shape": (refused("linalg.solve", A, A), RuntimeError, r"linalg.solve: .*2 by 3 matrices"),
    "solve-sizes": (refused("linalg.solve", S, B), RuntimeError, r"linalg.solve: .*\(2, 2\) and \(3, 2\)"),
    "solve_triangular-vector": (
        refused("linalg.solve_triangular", S, np.ones(2), upper=True),
        RuntimeError,
        "linalg.solve_triangular: .*at least 2 dimensions",
    ),
    "cholesky_solve-shape": (refused("cholesky_solve", A, A), RuntimeError, "cholesky_solve: .*2 by 3"),
    "cholesky-shape": (refused("linalg.cholesky", A), RuntimeError, r"linalg.cholesky: .*2 by 3 matrices"),
    "eigh-triangle": (refused("linalg.eigh", S, UPLO="x"), RuntimeError, "UPLO .*'L' or 'U', but got x"),
    "eig-shape": (refused("linalg.eig", A), RuntimeError, r"linalg.eig: .*2 by 3 matrices"),
    "svd-vector": (refused("linalg.svd", V), RuntimeError, r"linalg.svd: .*at least 2 dimensions"),
    "svd-integers": (refused("linalg.svd", WHOLE), RuntimeError, "linalg.svd: .*int64"),
    "qr-mode": (refused("linalg.qr", S, mode="full"), RuntimeError, "unrecognized mode 'full'"),
    "matrix_power-shape": (refused("linalg.matrix_power", A, n=2), RuntimeError, "matrix_power: .*2 by 3"),
    "multi_dot-one": (lambda f, t: f.linalg.multi_dot([t(A)]), RuntimeError, "multi_dot.*at least 2"),
    "multi_dot-shapes": (
        lambda f, t: f.linalg.multi_dot([t(A), t(A)]),
        RuntimeError,
        r"multi_dot: .*\(2, 3\) and \(2, 3\)",
    ),
    "multi_dot-vector": (
        lambda f, t: f.linalg.multi_dot([t(A), t(V), t(V)]),
        RuntimeError,
        "multi_dot: tensor 1 must be 2-D",
    ),
    "matrix_rank-integers": (refused("linalg.matrix_rank", WHOLE), RuntimeError, "matrix_rank: .*int64"),
    "pinv-vector": (refused("linalg.pinv", V), RuntimeError, "linalg.pinv: .*2 dimensions"),
    "vector_norm-integers": (refused("linalg.vector_norm", WHOLE), RuntimeError, "vector_norm: .*int64"),
    "vector_norm-ord": (refused("linalg.vector_norm", V, ord="fro"), TypeError, "ord.*fro|ord.*str"),
    "matrix_norm-ord": (refused("linalg.matrix_norm", A, ord=3), RuntimeError, "matrix_norm: Order 3"),
    "matrix_norm-dim": (refused("linalg.matrix_norm", A, dim=(0,)), RuntimeError, "matrix_norm: .*2-tuple"),
    "norm-dims": (refused("linalg.norm", C, ord=2), RuntimeError, r"linalg.norm: .*1D or 2D.*\(2, 2, 3\)"),
    "norm-ord": (refused("linalg.norm", V, ord="nuc"), RuntimeError, "norm: .*nuc"),
    "vecdot-dtypes": (
        refused("linalg.vecdot", V, V.astype(np.float32)),
        RuntimeError,
        "vecdot: .*float64 and float32",
    ),
}

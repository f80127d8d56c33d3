"""Rows of the functions that read and write at indices and masks, and of embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from rows import Arg, Array, Row, Shape, real, told

Dim = int


def gathered(x: Array, dim: Dim, index: Array) -> Array:
    """gather, one element after the other."""
    wide, places = np.atleast_1d(x), np.atleast_1d(index)
    out = np.zeros(places.shape, x.dtype)
    for at in np.ndindex(places.shape):
        cell = list(at)
        cell[dim] = places[at]
        out[at] = wide[tuple(cell)]
    return out.reshape(index.shape)


def scattered(
    x: Array, dim: Dim, index: Array, src: Any, combine: Callable[[Any, Any], Any], fresh: bool = False
) -> Array:
    """What the scatter family does, one element after the other; `fresh` leaves out what was there."""
    out, places = np.array(np.atleast_1d(x)), np.atleast_1d(index)
    values = np.atleast_1d(src) if np.ndim(src) or not places.ndim else np.full(places.shape, src)
    if np.ndim(src) == 0:
        values = np.full(places.shape, src)
    seen: set[tuple[int, ...]] = set()
    for at in np.ndindex(places.shape):
        cell_ = list(at)
        cell_[dim] = int(places[at])
        cell = tuple(cell_)
        first = fresh and cell not in seen
        out[cell] = values[at] if first else combine(out[cell], values[at])
        seen.add(cell)
    return out.reshape(x.shape)


def counted(index: Array, dim: Dim, shape: Shape, fresh: bool) -> Array:
    """How many values meet in each cell."""
    ones = np.ones(index.shape)
    return np.maximum(scattered(np.full(shape, 1.0 - fresh), dim, index, ones, lambda a, b: a + b), 1)


def fixed(*numbers: Any) -> Array:
    """Indices that are no operands."""
    return np.array(numbers, np.int64)


#: shape of the input, dimension, index
PLACES: tuple[tuple[str, Shape, Dim, Array], ...] = (
    ("rows", (3, 4), 0, fixed([0, 2, 1, 0], [2, 0, 1, 1])),
    ("columns", (3, 4), 1, fixed([3, 0], [1, 2], [0, 2])),
    ("fewer", (3, 4), -1, fixed([3, 1])),
    ("longer", (2, 2), 1, fixed([0, 1, 0, 1])),
    ("three-dims", (2, 3, 2), 1, fixed([[2, 0], [1, 1]])),
    ("vector", (4,), 0, fixed(2, 0)),
    ("empty", (3, 4), 0, np.zeros((0, 4), np.int64)),
    ("0d", (), 0, np.array(0)),
    ("0d-input", (), 0, fixed(0)),
    ("larger-source", (3, 4), 1, fixed([3, 0], [1, 2])),  # of which PyTorch's backward gets the shape wrong
)
#: those that name no cell twice
UNIQUE = ("columns", "fewer", "three-dims", "vector", "empty", "0d", "0d-input")


def at(f: Any, index: Array) -> Any:
    """The index as an operand of `f`."""
    return f.constant(index)


def reading() -> Iterator[Row]:
    for case, shape, dim, index in PLACES:
        yield Row(
            "gather",
            case,
            lambda f, x, dim=dim, index=index: f.gather(x, dim, at(f, index)),
            real(shape),
            lambda x, dim=dim, index=index: gathered(x, dim, index),
        )
    yield Row(
        "gather",
        "operand",
        lambda f, x, i: f.gather(x, 0, i),
        (Arg((3, 2)), Arg((4, 2), "int")),
        lambda x, i: gathered(x, 0, i),
    )
    yield Row(
        "gather",
        "int32",
        lambda f, x: f.gather(x, 0, at(f, fixed([0, 1]).astype(np.int32))),
        real((3, 2)),
        lambda x: gathered(x, 0, fixed([0, 1])),
    )
    for case, shape, dim, index in (
        ("rows", (3, 2), 0, fixed(2, 0, 2)),
        ("last", (2, 3), -1, fixed(1)),
        ("middle", (2, 3, 2), 1, fixed(0, 0, 1, 2)),
        ("one", (3, 2), 0, np.array(1)),
        ("none", (3, 2), 1, np.zeros(0, np.int64)),
        ("0d", (), 0, fixed(0)),
        ("int32", (3,), 0, fixed(0, 1).astype(np.int32)),
    ):
        yield Row(
            "index_select",
            case,
            lambda f, x, dim=dim, index=index: f.index_select(x, dim, at(f, index)),
            real(shape),
            lambda x, dim=dim, index=index: x if not x.ndim else np.take(x, np.atleast_1d(index), dim),
        )
    for case, shape, index in (
        ("matrix", (2, 3), fixed([5, 0], [0, 2])),
        ("negative", (2, 3), fixed(-1, -6)),
        ("none", (2, 3), np.zeros((0, 2), np.int64)),
        ("0d", (), fixed(0, 0)),
        ("0d-index", (3,), np.array(2)),
    ):
        yield Row(
            "take",
            case,
            lambda f, x, index=index: f.take(x, at(f, index)),
            real(shape),
            lambda x, index=index: np.asarray(np.take(x, index)),
        )
    for case, shape, dim, index in (
        ("columns", (3, 4), 1, fixed([3, 0], [1, 2], [0, 2])),
        ("broadcast-index", (3, 4), 1, fixed([3, 0, 0])),
        ("broadcast-input", (1, 4), 1, fixed([3], [1])),
        ("both", (2, 1, 3), 2, fixed([[0], [1], [2]])),
        ("negative", (3, 4), 0, fixed([-1, -3, 0, 1])),
        ("0d", (), 0, np.array(0)),
    ):
        yield Row(
            "take_along_dim",
            case,
            lambda f, x, dim=dim, index=index: f.take_along_dim(x, at(f, index), dim),
            real(shape),
            lambda x, dim=dim, index=index: x if not x.ndim else np.take_along_axis(x, index, dim),
            torch=case != "0d",  # which it refuses
        )
    yield Row(
        "take_along_dim",
        "flat",
        lambda f, x: f.take_along_dim(x, at(f, fixed([5, 0], [1, 1]))),
        real((2, 3)),
        lambda x: x.reshape(-1)[[5, 0, 1, 1]],
    )
    for x, mask in (
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((3,), (2, 1)),
        ((), ()),
        ((0, 2), (2,)),
        ((2, 1), (3,)),
    ):
        yield Row(
            "masked_select",
            f"{told(x)}-{told(mask)}",
            lambda f, x, m: f.masked_select(x, m),
            (Arg(x), Arg(mask, "bool")),
            lambda x, m: np.broadcast_arrays(x, m)[0][np.broadcast_arrays(x, m)[1]],
        )
    for shape in ((2, 3), (3,), (), (0, 2)):
        for name in ("nonzero", "argwhere"):
            yield Row(
                name,
                told(shape),
                lambda f, x, name=name: getattr(f, name)(x),
                (Arg(shape, "int"),),
                np.argwhere,
                grad=False,
            )
        yield Row(
            "nonzero",
            f"{told(shape)}-tuple",
            lambda f, x: f.nonzero(x, as_tuple=True),
            (Arg(shape, "int"),),
            lambda x: np.nonzero(np.atleast_1d(x)),
            grad=False,
        )
    yield Row("nonzero", "real", lambda f, x: f.nonzero(x), real((2, 3)), np.argwhere, grad=False)
    yield from sorted_sequences()


def sorted_sequences() -> Iterator[Row]:
    edges = np.array([-1.0, 0.0, 0.0, 1.0])
    for right in (False, True):
        side: Any = "right" if right else "left"
        for shape in ((2, 3), (), (0,)):
            yield Row(
                "searchsorted",
                f"{told(shape)}-{side}",
                lambda f, x, right=right: f.searchsorted(f.constant(edges), x, right=right),
                real(shape),
                lambda x, side=side: np.asarray(np.searchsorted(edges, x, side)),
                grad=False,
                dtypes="efdl",
            )
            yield Row(
                "bucketize",
                f"{told(shape)}-{side}",
                lambda f, x, right=right: f.bucketize(x, f.constant(edges), right=right),
                real(shape),
                lambda x, side=side: np.asarray(np.searchsorted(edges, x, side)),
                grad=False,
                dtypes="efdl",
            )
        yield Row(
            "searchsorted",
            f"ties-{side}",
            lambda f, side=side: f.searchsorted(
                f.constant(edges), f.constant(np.array([0.0, -1.0, np.inf, -np.inf, np.nan])), side=side
            ),
            (),
            lambda side=side: np.searchsorted(edges, [0.0, -1.0, np.inf, -np.inf, np.nan], side),
            grad=False,
        )
    yield Row(
        "searchsorted",
        "many-int32",
        lambda f, x: f.searchsorted(f.constant(np.stack([edges, edges + 0.5])), x, out_int32=True),
        real((2, 3)),
        lambda x: np.stack(
            [np.searchsorted(edges, x[0]), np.searchsorted(edges + 0.5, x[1])],
            dtype=np.int32,
            casting="unsafe",
        ),
        grad=False,
        dtypes="fd",
    )
    yield Row(
        "searchsorted",
        "sorter",
        lambda f, x: f.searchsorted(
            f.constant(np.array([3.0, 1.0, 2.0])), x, sorter=f.constant(fixed(1, 2, 0))
        ),
        real((3,)),
        lambda x: np.searchsorted(np.array([1.0, 2.0, 3.0]), x),
        grad=False,
        dtypes="fd",
    )
    yield Row(
        "searchsorted",
        "number",
        lambda f: f.searchsorted(f.constant(edges), 0.5),
        (),
        lambda: np.array(3),
        grad=False,
    )
    yield Row(
        "bucketize",
        "int32",
        lambda f, x: f.bucketize(x, f.constant(fixed(0, 1)), out_int32=True),
        real((3,)),
        lambda x: np.searchsorted(np.array([0, 1]), x).astype(np.int32),
        grad=False,
    )


def writing() -> Iterator[Row]:
    ufunc: np.ufunc

    def assigned(a: Any, b: Any) -> Any:
        return b

    for case, shape, dim, index in PLACES:
        taken = np.atleast_1d(np.zeros(index.shape)).shape if index.ndim else ()
        larger = tuple([n + 1 for n in taken]) if case == "larger-source" else taken
        # where a cell is named twice PyTorch gives every value the gradient
        yield Row(
            "scatter",
            case,
            lambda f, x, v, dim=dim, index=index: f.scatter(x, dim, at(f, index), v),
            real(shape, larger),
            lambda x, v, dim=dim, index=index: scattered(x, dim, index, v, assigned),
            torch=case in UNIQUE and larger == taken,
        )
        yield Row(
            "scatter",
            f"{case}-number",
            lambda f, x, dim=dim, index=index: f.scatter(x, dim, at(f, index), 1.5),
            real(shape),
            lambda x, dim=dim, index=index: scattered(x, dim, index, 1.5, assigned),
        )
        yield Row(
            "scatter_add",
            case,
            lambda f, x, v, dim=dim, index=index: f.scatter_add(x, dim, at(f, index), v),
            real(shape, larger),
            lambda x, v, dim=dim, index=index: scattered(x, dim, index, v, np.add),
            torch=larger == taken,
        )
        for word, ufunc in (("add", np.add), ("multiply", np.multiply)):
            yield Row(
                "scatter",
                f"{case}-{word}",
                lambda f, x, v, dim=dim, index=index, word=word: f.scatter(
                    x, dim, at(f, index), v, reduce=word
                ),
                real(shape, taken),
                lambda x, v, dim=dim, index=index, ufunc=ufunc: scattered(x, dim, index, v, ufunc),
                torch=False,  # has no gradient there
            )
        for word, combine in (
            ("sum", np.add),
            ("prod", np.multiply),
            ("amax", np.maximum),
            ("amin", np.minimum),
            ("mean", np.add),
        ):
            for alone in (False, True):
                yield Row(
                    "scatter_reduce",
                    f"{case}-{word}{'-alone' * alone}",
                    lambda f, x, v, dim=dim, index=index, word=word, alone=alone: f.scatter_reduce(
                        x, dim, at(f, index), v, word, include_self=not alone
                    ),
                    real(shape, larger),
                    lambda x, v, dim=dim, index=index, word=word, combine=combine, alone=alone: (
                        scattered(x, dim, index, v, combine, alone)
                        / (counted(index, dim, x.shape, alone) if word == "mean" else 1)
                    ),
                    torch=larger == taken,
                )
    yield Row(
        "scatter",
        "value",
        lambda f, x: f.scatter(x, 0, at(f, fixed([1, 0])), value=2),
        real((2, 2)),
        lambda x: scattered(x, 0, fixed([1, 0]), 2.0, assigned),
    )
    for word, result in (("add", 3.5), ("multiply", 5.0)):
        yield Row(
            "scatter",
            f"value-{word}",
            lambda f, word=word: f.scatter(
                f.constant(np.array([1.0, 2.0])), 0, at(f, fixed(1, 1)), value=0.75, reduce=word
            ),
            (),
            lambda result=result: np.array([1.0, 3.5 if result == 3.5 else 1.125]),
            grad=False,
        )
    points = np.array([0.0, 0.0, 2.0, 0.0, 3.0])
    others = np.array([5.0, 0.0, 7.0, 0.0, 0.0, 2.0])
    yield Row(
        "scatter_reduce",
        "prod-zeros",
        lambda f, x, v: f.scatter_reduce(x, 0, at(f, fixed(0, 1, 2, 2, 3, 3)), v, "prod"),
        real((5,), (6,)),
        lambda x, v: scattered(x, 0, fixed(0, 1, 2, 2, 3, 3), v, np.multiply),
        special=((points, others),),
    )
    for word, ufunc in (("amax", np.maximum), ("amin", np.minimum)):
        yield Row(
            "scatter_reduce",
            f"{word}-ties",
            lambda f, x, v, word=word: f.scatter_reduce(x, 0, at(f, fixed(0, 1, 1, 2, 2, 3)), v, word),
            real((5,), (6,)),
            lambda x, v, ufunc=ufunc: scattered(x, 0, fixed(0, 1, 1, 2, 2, 3), v, ufunc),
            special=(
                (np.array([1.0, 1.0, 0.0, np.inf, 3.0]), np.array([1.0, 1.0, 1.0, 2.0, 2.0, np.inf])),
                (np.array([1.0, 1.0, 0.0, -np.inf, 3.0]), np.array([-1.0, 1.0, 1.0, -2.0, -2.0, -np.inf])),
            ),
        )
    yield from writing_parts()


def writing_parts() -> Iterator[Row]:
    source: Shape
    index: Any
    for case, shape, dim, index, source in (
        ("rows", (3, 2), 0, fixed(2, 0), (2, 2)),
        ("repeated", (3, 2), 0, fixed(2, 0, 2), (3, 2)),
        ("last", (2, 3), -1, fixed(1), (2, 1)),
        ("middle", (2, 3, 2), 1, fixed(0, 2), (2, 2, 2)),
        ("one", (3, 2), 0, np.array(1), (1, 2)),
        ("none", (3, 2), 1, np.zeros(0, np.int64), (3, 0)),
        ("0d", (), 0, np.array(0), ()),
    ):
        for alpha in (1, -2):
            yield Row(
                "index_add",
                f"{case}-alpha{alpha}",
                lambda f, x, v, dim=dim, index=index, alpha=alpha: f.index_add(
                    x, dim, at(f, index), v, alpha=alpha
                ),
                real(shape, source),
                lambda x, v, dim=dim, index=index, alpha=alpha: added(x, dim, index, alpha * v),
                dtypes="efdl" if alpha != 1 else "efdl?",
            )
        yield Row(
            "index_copy",
            case,
            lambda f, x, v, dim=dim, index=index: f.index_copy(x, dim, at(f, index), v),
            real(shape, source),
            lambda x, v, dim=dim, index=index: placed(x, dim, index, v),
            torch=case != "repeated",
        )
        yield Row(
            "index_fill",
            case,
            lambda f, x, dim=dim, index=index: f.index_fill(x, dim, at(f, index), 1.5),
            real(shape),
            lambda x, dim=dim, index=index: placed(x, dim, index, 1.5),
        )
        yield Row(
            "index_fill",
            f"{case}-operand",
            lambda f, x, v, dim=dim, index=index: f.index_fill(x, dim, at(f, index), v),
            real(shape, ()),
            lambda x, v, dim=dim, index=index: placed(x, dim, index, v),
        )
    yield Row(
        "index_fill",
        "negative",
        lambda f, x: f.index_fill(x, 1, at(f, fixed(-1, 0)), -2),
        real((2, 3)),
        lambda x: placed(x, 1, fixed(-1, 0), -2),
    )
    for x, mask, source in (
        ((2, 3), (2, 3), (6,)),
        ((2, 3), (3,), (3, 2)),
        ((3,), (2, 1), (3,)),
        ((), (), (2,)),
    ):
        yield Row(
            "masked_scatter",
            f"{told(x)}-{told(mask)}-{told(source)}",
            lambda f, x, m, v: f.masked_scatter(x, m, v),
            (Arg(x), Arg(mask, "bool"), Arg(source)),
            masked,
        )
    for case, index, values in (
        ("rows", (fixed(0, 2, 0),), (3, 2)),
        ("broadcast", (fixed(0, 2, 0),), ()),
        ("cells", (fixed(0, 2, 0), fixed(1, 1, 1)), (3,)),
        ("mask", (np.array([True, False, True]),), (2, 2)),
    ):
        yield Row(
            "index_put",
            f"accumulate-{case}",
            lambda f, x, v, index=index: f.index_put(x, tuple([at(f, i) for i in index]), v, accumulate=True),
            real((3, 2), values),
            lambda x, v, index=index: accumulated(x, index, v),
        )


def placed(x: Array, dim: Dim, index: Array, v: Any) -> Array:
    out = np.array(np.atleast_1d(x))
    np.moveaxis(out, dim, 0)[np.atleast_1d(index)] = np.moveaxis(v, dim, 0) if np.ndim(v) else v
    return out.reshape(x.shape)


def added(x: Array, dim: Dim, index: Array, v: Array) -> Array:
    out, parts = np.array(np.atleast_1d(x)), np.moveaxis(np.atleast_1d(v), dim, 0)
    for i, part in zip(np.atleast_1d(index), parts):
        np.moveaxis(out, dim, 0)[i] += part
    return out.reshape(x.shape)


def masked(x: Array, mask: Array, v: Array) -> Array:
    wide, chosen = [np.array(a) for a in np.broadcast_arrays(x, mask)]
    wide[chosen] = v.reshape(-1)[: chosen.sum()]
    return wide


def accumulated(x: Array, index: Any, v: Array) -> Array:
    out = np.array(x)
    np.add.at(out, index, v)
    return out


ROWS = (*reading(), *writing())

X, V, AT = np.ones((2, 3)), np.ones(3), fixed(0, 1)
#: bad input; the format is told in functional/test_errors.py
BAD: dict[str, Any] = {
    "gather-negative": (lambda f, t: f.gather(t(X), 0, t(fixed([-1]))), RuntimeError, "index -1 is out of"),
    "gather-range": (lambda f, t: f.gather(t(X), 0, t(fixed([2]))), RuntimeError, "gather: index 2 .*size 2"),
    "gather-dims": (
        lambda f, t: f.gather(t(X), 0, t(AT)),
        RuntimeError,
        r"gather: .*same number of dim.*\(2,\) and \(2, 3\)",
    ),
    "gather-shape": (
        lambda f, t: f.gather(t(X), 0, t(fixed([0, 0, 0, 0]))),
        RuntimeError,
        r"gather: .*\[1, 4\] to be no larger than input \[2, 3\]",
    ),
    "gather-dtype": (lambda f, t: f.gather(t(X), 0, t(X)), RuntimeError, "gather: .*int64.*float64"),
    "gather-dim": (
        lambda f, t: f.gather(t(X), 2, t(fixed([0]))),
        IndexError,
        "gather: Dimension out of range",
    ),
    "index_select-negative": (
        lambda f, t: f.index_select(t(X), 0, t(fixed(-1))),
        IndexError,
        "index_select: index -1 is out of bounds",
    ),
    "index_select-range": (
        lambda f, t: f.index_select(t(X), 0, t(fixed(0, 2))),
        IndexError,
        "index_select: index 2 .*dimension 0 with size 2",
    ),
    "index_select-matrix": (
        lambda f, t: f.index_select(t(X), 0, t(fixed([0]))),
        IndexError,
        r"index_select: .*vector.*\(1, 1\)",
    ),
    "index_select-dtype": (
        lambda f, t: f.index_select(t(X), 0, t(V)),
        RuntimeError,
        "index_select: .*int64.*float64",
    ),
    "index_select-0d": (
        lambda f, t: f.index_select(t(np.array(1.0)), 0, t(fixed(0, 0))),
        RuntimeError,
        "index_select: Index to scalar",
    ),
    "take-range": (lambda f, t: f.take(t(X), t(fixed(6))), IndexError, "take: index 6 .*size 6|index 6"),
    "take-before": (lambda f, t: f.take(t(X), t(fixed(-7))), IndexError, "take: index -7"),
    "take-empty": (lambda f, t: f.take(t(np.ones(0)), t(fixed(0))), IndexError, "take: index 0"),
    "take-dtype": (lambda f, t: f.take(t(X), t(V)), RuntimeError, "take: Expected a long.*float64"),
    "take_along_dim-dims": (
        lambda f, t: f.take_along_dim(t(X), t(AT), 0),
        RuntimeError,
        r"take_along_dim: .*\(2, 3\) and \(2,\)",
    ),
    "take_along_dim-shape": (
        lambda f, t: f.take_along_dim(t(X), t(fixed([0, 0])), 0),
        RuntimeError,
        r"take_along_dim: .*\(2, 3\) and \(1, 2\)",
    ),
    "take_along_dim-flat": (
        lambda f, t: f.take_along_dim(t(X), t(fixed(6))),
        RuntimeError,
        "take_along_dim: index 6 .*size 6",
    ),
    "masked_select-dtype": (
        lambda f, t: f.masked_select(t(X), t(V)),
        RuntimeError,
        "masked_select: .*bool.*float64",
    ),
    "masked_select-shape": (
        lambda f, t: f.masked_select(t(X), t(AT > 0)),
        RuntimeError,
        r"masked_select: .*\(2, 3\) and \(2,\)",
    ),
    "searchsorted-sides": (
        lambda f, t: f.searchsorted(t(V), t(V), right=True, side="left"),
        RuntimeError,
        "searchsorted: side and right",
    ),
    "searchsorted-side": (
        lambda f, t: f.searchsorted(t(V), t(V), side="up"),
        RuntimeError,
        "searchsorted: side can only be .*up",
    ),
    "searchsorted-shapes": (
        lambda f, t: f.searchsorted(t(X), t(V)),
        RuntimeError,
        r"searchsorted: .*\(2, 3\) and \(3,\)",
    ),
    "searchsorted-sorter": (
        lambda f, t: f.searchsorted(t(V), t(V), sorter=t(AT)),
        RuntimeError,
        r"searchsorted: .*\(3,\) and \(2,\)",
    ),
    "searchsorted-sorter-range": (
        lambda f, t: f.searchsorted(t(V), t(V), sorter=t(fixed(0, 1, 3))),
        RuntimeError,
        "searchsorted: index 3 .*sorter",
    ),
    "bucketize-matrix": (lambda f, t: f.bucketize(t(V), t(X)), RuntimeError, r"bucketize: .*\(2, 3\)"),
    "scatter-negative": (
        lambda f, t: f.scatter(t(X), 0, t(fixed([-1])), 1.0),
        RuntimeError,
        "scatter: index -1 is out of bounds",
    ),
    "scatter-dtype": (
        lambda f, t: f.scatter(t(X), 0, t(fixed([0])), t(fixed([0]))),
        RuntimeError,
        "scatter: .*float64 and int64",
    ),
    "scatter-src": (
        lambda f, t: f.scatter(t(X), 0, t(fixed([0, 1])), t(X[:1, :1])),
        RuntimeError,
        r"scatter: .*\[1, 2\] to be no larger than src \[1, 1\]",
    ),
    "scatter-shape": (
        lambda f, t: f.scatter(t(X), 0, t(fixed([0, 1, 0, 1])), 1.0),
        RuntimeError,
        r"scatter: .*\[1, 4\] to be no larger than input \[2, 3\]",
    ),
    "scatter-reduce": (
        lambda f, t: f.scatter(t(X), 0, t(fixed([0])), 1.0, reduce="mean"),
        RuntimeError,
        "scatter: reduce argument must be either add or multiply|reduce argument",
    ),
    "scatter-complex": (
        lambda f, t: f.scatter(t(X), 0, t(fixed([0])), 1j),
        RuntimeError,
        "scatter: .*complex",
    ),
    "scatter-nothing": (
        lambda f, t: f.scatter(t(X), 0, t(fixed([0]))),
        TypeError,
        "scatter: needs src or value",
    ),
    "scatter_add-range": (
        lambda f, t: f.scatter_add(t(V), 0, t(fixed(3)), t(V)),
        RuntimeError,
        "scatter_add: index 3 .*size 3",
    ),
    "scatter_reduce-word": (
        lambda f, t: f.scatter_reduce(t(V), 0, t(AT), t(V), "median"),
        RuntimeError,
        "scatter_reduce: reduce argument .*median",
    ),
    "scatter_reduce-bools": (
        lambda f, t: f.scatter_reduce(t(V > 0), 0, t(AT), t(V > 0), "mean"),
        RuntimeError,
        "scatter_reduce: .*bools",
    ),
    "index_add-count": (
        lambda f, t: f.index_add(t(X), 0, t(AT), t(X[:1])),
        RuntimeError,
        r"index_add: Number of indices \(2\) .*\(1\)",
    ),
    "index_add-shape": (
        lambda f, t: f.index_add(t(X), 0, t(AT), t(X[:, :2])),
        RuntimeError,
        r"index_add: .*\(2, 2\) and \(2, 3\)",
    ),
    "index_add-negative": (
        lambda f, t: f.index_add(t(X), 0, t(fixed(-1)), t(X[:1])),
        RuntimeError,
        "index_add: index -1 is out of bounds",
    ),
    "index_add-dtype": (
        lambda f, t: f.index_add(t(X), 0, t(AT), t(X.astype(np.float32))),
        RuntimeError,
        "index_add: .*float64 and float32",
    ),
    "index_add-matrix": (
        lambda f, t: f.index_add(t(X), 0, t(fixed([0])), t(X[:1])),
        IndexError,
        "index_add: Index is supposed to be a vector",
    ),
    "index_copy-count": (
        lambda f, t: f.index_copy(t(X), 0, t(AT), t(X[:1])),
        IndexError,
        r"index_copy: Number of indices \(2\) .*\(1\)",
    ),
    "index_copy-shape": (
        lambda f, t: f.index_copy(t(X), 0, t(AT), t(X[:, :2])),
        RuntimeError,
        r"index_copy: .*\(2, 2\) and \(2, 3\)",
    ),
    "index_copy-negative": (
        lambda f, t: f.index_copy(t(X), 0, t(fixed(-1)), t(X[:1])),
        IndexError,
        "index_copy: index -1 is out of bounds",
    ),
    "index_fill-range": (
        lambda f, t: f.index_fill(t(X), 0, t(fixed(2)), 1.0),
        IndexError,
        "index_fill: index 2 is out of bounds",
    ),
    "index_fill-value": (
        lambda f, t: f.index_fill(t(X), 0, t(AT), t(V)),
        RuntimeError,
        r"index_fill: .*0-dim.*\(3,\)",
    ),
    "index_fill-matrix": (
        lambda f, t: f.index_fill(t(X), 0, t(fixed([0])), 1.0),
        RuntimeError,
        "index_fill: Index is supposed to be a vector",
    ),
    "masked_scatter-few": (
        lambda f, t: f.masked_scatter(t(X), t(V > 0), t(V)),
        RuntimeError,
        r"masked_scatter: Number of elements .*\(3 < 6\)",
    ),
    "masked_scatter-dtype": (
        lambda f, t: f.masked_scatter(t(V), t(V > 0), t(V.astype(np.int64))),
        RuntimeError,
        "masked_scatter: .*float64 and int64",
    ),
    "masked_scatter-mask": (
        lambda f, t: f.masked_scatter(t(V), t(V), t(V)),
        RuntimeError,
        "masked_scatter: .*bool.*float64",
    ),
    "index_put-accumulate": (
        lambda f, t: f.index_put(t(X), (t(AT),), t(np.ones(2)), accumulate=True),
        RuntimeError,
        r"index_put: .*\(2,\).*\(2, 3\)",
    ),
}

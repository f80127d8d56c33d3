"""Rows of the functions that rearrange: shape, order, joining, splitting, repeating, diagonals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rows import Arg, Array, Call, Row, Shape, real, told


def method(name: str, shape: Shape, numpy: Call, *args: Any, case: str = "", **options: Any) -> Row:
    """A function of one operand and static arguments, which name the case."""
    parts = [str(a).replace(" ", "") for a in args] + [f"{k}={v}" for k, v in options.items()]
    return Row(
        name,
        case or "-".join([told(shape), *parts]),
        lambda f, x: getattr(f, name)(x, *args, **options),
        real(shape),
        numpy,
    )


def many(name: str, shape: Shape, numpy: Call, *args: Any, **options: Any) -> Row:
    """A function of one operand that gives a tuple."""
    row = method(name, shape, lambda x: tuple(numpy(x)), *args, **options)
    return Row(row.name, row.case, lambda f, x: tuple(row.call(f, x)), row.args, row.numpy)


def joined(name: str, numpy: Call, *shapes: Shape) -> Row:
    """A function of a sequence of operands."""
    return Row(
        name,
        "-".join(map(told, shapes)),
        lambda f, *xs: getattr(f, name)(xs),
        real(*shapes),
        lambda *xs: numpy(xs),
    )


def spread(name: str, case: str, numpy: Call, *shapes: Shape, **options: Any) -> Row:
    """A function of any number of operands."""
    return Row(
        name, case or "-".join(map(told, shapes)), lambda f, *xs: getattr(f, name)(*xs, **options),
        real(*shapes), numpy,
    )  # fmt: skip


def shapes() -> Iterator[Row]:
    shape: Shape
    numpy: Call
    for name, numpy in (
        ("atleast_1d", np.atleast_1d),
        ("atleast_2d", np.atleast_2d),
        ("atleast_3d", np.atleast_3d),
    ):
        for shape in ((), (2,), (2, 3), (2, 1, 2), (0,), (1, 2, 1, 2)):
            yield method(name, shape, numpy)
    for shape in ((2, 3), (), (0, 2), (3,)):
        yield method("ravel", shape, np.ravel)
    yield method("unflatten", (2, 6), lambda x: x.reshape(2, 2, 3), 1, (2, 3))
    yield method("unflatten", (6, 2), lambda x: x.reshape(3, 1, 2, 2), -2, (3, 1, -1))
    yield method("unflatten", (0, 2), lambda x: x.reshape(0, 3, 2), 0, (0, 3))
    for name, shape, like, numpy in (
        ("reshape_as", (2, 3), (3, 2), lambda x, y: x.reshape(3, 2)),
        ("reshape_as", (1, 1), (), lambda x, y: x.reshape(())),
        ("expand_as", (3, 1), (2, 3, 2), lambda x, y: np.broadcast_to(x, y.shape)),
        ("expand_as", (), (2,), lambda x, y: np.broadcast_to(x, y.shape)),
    ):
        yield Row(
            name,
            f"{told(shape)}-{told(like)}",
            lambda f, x, y, name=name: getattr(f, name)(x, y),
            (Arg(shape), Arg(like, "constant")),
            numpy,
        )


def orders() -> Iterator[Row]:
    shape: Shape
    dims: Any
    for shape in ((), (3,), (2, 3)):
        yield method("t", shape, np.transpose)
    for shape in ((2, 3), (2, 3, 4), (0, 2)):
        yield method("mT", shape, lambda x: np.swapaxes(x, -1, -2))
    for name in ("swapaxes", "swapdims"):
        yield method(name, (2, 3, 1), lambda x: np.swapaxes(x, 0, -2), 0, -2)
        yield method(name, (), np.array, 0, -1)
    for name in ("movedim", "moveaxis"):
        for source, target in ((0, 2), (-1, 0), ((0, 1), (2, 0)), ((0, 1, 2), (1, 2, 0)), ((), ())):
            yield method(name, (2, 3, 1), lambda x, s=source, t=target: np.moveaxis(x, s, t), source, target)
        yield method(name, (), np.array, 0, 0)
    for shape, dims in (
        ((2, 3), (0,)),
        ((2, 3), (0, -1)),
        ((2, 3), ()),
        ((3,), (0,)),
        ((), ()),
        ((0, 2), (0,)),
    ):
        yield method("flip", shape, lambda x, dims=dims: np.flip(x, dims), dims)
    for shape in ((2, 3), (2, 3, 2)):
        yield method("fliplr", shape, np.fliplr)
        yield method("flipud", shape, np.flipud)
    yield method("flipud", (3,), np.flipud)
    for shape, shifts, dims in (
        ((2, 3), 1, None),
        ((2, 3), -4, 1),
        ((2, 3), (1, 2), (0, 1)),
        ((2, 3), (1, 2), (-1, -1)),
        ((3,), 0, 0),
        ((0, 2), 1, 0),
        ((), 1, None),
    ):
        yield method("roll", shape, lambda x, s=shifts, d=dims: np.roll(x, s, d), shifts, dims)
    for k in range(-1, 5):
        yield method("rot90", (2, 3), lambda x, k=k: np.rot90(x, k), k)
    yield method("rot90", (2, 1, 3), lambda x: np.rot90(x, 1, (2, 0)), 1, (2, 0))
    yield method("rot90", (2, 3), np.rot90)


def joinings() -> Iterator[Row]:
    yield joined("hstack", np.hstack, (2,), (), (3,))
    yield joined("hstack", np.hstack, (2, 1), (2, 2))
    yield joined("hstack", np.hstack, (2, 1, 2), (2, 0, 2))
    yield joined("vstack", np.vstack, (2,), (3, 2))
    yield joined("vstack", np.vstack, (), ())
    yield joined("vstack", np.vstack, (1, 2, 2), (2, 2, 2))
    yield joined("dstack", np.dstack, (2,), (2,))
    yield joined("dstack", np.dstack, (2, 3), (2, 3, 2))
    yield joined("dstack", np.dstack, (), ())
    yield joined("column_stack", np.column_stack, (2,), (2, 3), (2,))
    yield joined("column_stack", np.column_stack, (), ())
    yield joined("column_stack", np.column_stack, (2, 1, 2), (2, 2, 2))
    yield spread("block_diag", "", _block_diag, (1, 2), (), (2,), (2, 2))
    yield spread("block_diag", "", _block_diag, (2, 3))
    yield spread("block_diag", "", _block_diag, (2, 0), (1, 1), (0, 2))
    for indexing in ("ij", "xy"):
        for case in (((2,),), ((2,), (3,)), ((2,), (), (3,)), ((2,), (0,), (1,), (2,))):
            yield spread(
                "meshgrid", "-".join([indexing, *map(told, case)]),
                lambda *xs, i=indexing: np.meshgrid(*xs, indexing=i), *case, indexing=indexing,
            )  # fmt: skip
    yield spread("cartesian_prod", "", lambda x: x, (3,))
    yield spread("cartesian_prod", "", _product, (2,), (3,))
    yield spread("cartesian_prod", "", _product, (2,), (1,), (2,))
    yield spread("cartesian_prod", "", _product, (2,), (0,))
    for a, b in (
        ((2, 3), (2, 1)),
        ((2,), (2, 2)),
        ((2, 2), (2,)),
        ((), (2,)),
        ((), ()),
        ((1, 2, 2), (3, 1)),
        ((0, 2), (2, 2)),
    ):
        yield spread("kron", "", np.kron, a, b)


def _block_diag(*xs: Array) -> Array:
    blocks = [np.atleast_2d(x) for x in xs]
    out = np.zeros(np.sum([b.shape for b in blocks], 0))
    row = column = 0
    for b in blocks:
        out[row : row + b.shape[0], column : column + b.shape[1]] = b
        row, column = row + b.shape[0], column + b.shape[1]
    return out


def _product(*xs: Array) -> Array:
    return np.stack([g.ravel() for g in np.meshgrid(*xs, indexing="ij")], 1)


def splittings() -> Iterator[Row]:
    shape: Shape
    yield method("select", (2, 3), lambda x: x[1], 0, 1)
    yield method("select", (2, 3, 2), lambda x: x[:, -3], -2, -3)
    yield method("narrow", (4, 2), lambda x: x[1:3], 0, 1, 2)
    yield method("narrow", (2, 4), lambda x: x[:, -1:], -1, -1, 1)
    yield method("narrow", (2, 4), lambda x: x[:, 4:], 1, 4, 0)
    for n in (1, 2, 3, 5, 6, 9):
        yield many("chunk", (5, 2), lambda x, n=n: _chunks(x, n), n)
    yield many("chunk", (2, 4), lambda x: (x[:, :2], x[:, 2:]), 2, -1)
    yield many("chunk", (0, 2), lambda x: (x, x, x), 3)
    yield many("split_with_sizes", (5, 2), lambda x: (x[:1], x[1:1], x[1:]), (1, 0, 4))
    yield many("split_with_sizes", (2, 3), lambda x: (x[:, :2], x[:, 2:]), (2, 1), 1)
    for where in (1, 2, 4, 7, (1, 3), (2, 1), (-2, 9), ()):
        yield many("tensor_split", (5, 2), lambda x, w=where: np.array_split(x, w), where)
    yield many("tensor_split", (2, 3), lambda x: np.array_split(x, 2, 1), 2, -1)
    yield many("hsplit", (4,), lambda x: np.hsplit(x, 2), 2)
    yield many("hsplit", (2, 4), lambda x: np.hsplit(x, 4), 4)
    yield many("hsplit", (2, 4, 2), lambda x: np.hsplit(x, (1, 3)), (1, 3))
    yield many("vsplit", (4, 2), lambda x: np.vsplit(x, 2), 2)
    yield many("vsplit", (4, 2), lambda x: np.vsplit(x, (1,)), (1,))
    yield many("dsplit", (1, 2, 4), lambda x: np.dsplit(x, 2), 2)
    yield many("dsplit", (1, 2, 4), lambda x: np.dsplit(x, (3,)), (3,))
    yield many("unbind", (2, 3), lambda x: x)
    yield many("unbind", (2, 3), lambda x: x.T, -1)
    for shape, dim, size, step in (
        ((5,), 0, 3, 2),
        ((5,), 0, 2, 3),
        ((2, 4), 1, 2, 1),
        ((4, 2), -2, 4, 1),
        ((3,), 0, 0, 1),
        ((2, 3, 2), 1, 2, 1),
        ((), 0, 1, 1),
        ((), 0, 0, 1),
    ):
        yield method("windows", shape, lambda x, d=dim, n=size, s=step: _windows(x, d, n, s), dim, size, step)


def _chunks(x: Array, n: int) -> Any:
    size = -(-len(x) // n)
    return [x[i : i + size] for i in range(0, len(x), size)]


def _windows(x: Array, dim: int, size: int, step: int) -> Array:
    x = np.atleast_1d(x)
    starts = range(0, x.shape[dim] - size + 1, step)
    if x.shape == (1,):
        return x[:size]
    return np.stack([np.moveaxis(np.take(x, range(i, i + size), dim), dim, -1) for i in starts], dim % x.ndim)


def repetitions() -> Iterator[Row]:
    shape: Shape
    for shape, sizes in (((3, 1), (3, 4)), ((2,), (2, 3, 2)), ((), (2,)), ((0, 1), (-1, 2))):
        yield method(
            "expand", shape, lambda x, s=sizes: np.broadcast_to(x, [0 if n == -1 else n for n in s]), *sizes
        )
    for first, second in (((3,), (2, 3)), ((), (2, 2)), ((1, 2), (2, 1))):
        yield Row(
            "broadcast_tensors",
            f"{told(first)}-{told(second)}",
            lambda f, x, y: tuple(f.broadcast_tensors(x, y)),
            real(first, second),
            np.broadcast_arrays,
        )
    for shape, counts in (
        ((3,), (2,)),
        ((3,), (2, 2)),
        ((2, 3), (1, 2)),
        ((2, 3), (1, 1)),
        ((2, 3), (2, 1, 3)),
        ((), (3,)),
        ((), ()),
        ((2,), (0,)),
        ((0, 2), (2, 1)),
    ):
        yield method("repeat", shape, lambda x, c=counts: np.tile(x, c), *(counts or [()]))
        yield method("tile", shape, lambda x, c=counts: np.tile(x, c), counts)
    yield method("tile", (2, 3), lambda x: np.tile(x, 2), (2,))
    yield method("tile", (2, 3), np.array, ())
    for count, dim in ((2, None), (2, 0), (3, -1), (1, 1), (0, 0)):
        yield method("repeat_interleave", (2, 3), lambda x, c=count, d=dim: np.repeat(x, c, d), count, dim)
    yield method("repeat_interleave", (), lambda x: np.repeat(x, 2), 2)
    yield method("repeat_interleave", (2,), lambda x: np.repeat(x, 2), 2, 0, output_size=4)
    for shape, dim in (((3, 2), 0), ((2, 3), 1), ((3,), None)):
        yield Row(
            "repeat_interleave",
            f"operand-{told(shape)}-{dim}",
            lambda f, x, n, dim=dim: f.repeat_interleave(x, n, dim),
            (Arg(shape), Arg((3,), "int")),
            lambda x, n, dim=dim: np.repeat(x, n, dim),
        )
    yield Row(
        "repeat_interleave",
        "positions",
        lambda f, n: f.repeat_interleave(n),
        (Arg((4,), "int"),),
        lambda n: np.repeat(np.arange(4), n),
        grad=False,
    )
    yield Row(
        "broadcast_shapes",
        "2x1-3",
        lambda f, x: f.broadcast_to(x, f.broadcast_shapes(tuple(x.shape), (3,), 1)),
        real((2, 1)),
        lambda x: np.broadcast_to(x, (2, 3)),
    )


def diagonals() -> Iterator[Row]:
    shape: Shape
    for shape, args in (
        ((2, 3), ()),
        ((3, 3), (1,)),
        ((3, 2), (-1,)),
        ((2, 3), (3,)),
        ((2, 3), (5,)),
        ((2, 3, 3), (1, 1, 2)),
        ((2, 3, 2), (0, 0, -1)),
        ((2, 3, 2), (-1, 2, 0)),
        ((0, 3), ()),
    ):
        yield method("diagonal", shape, lambda x, args=args: _diagonal(x, *args), *args)
    for shape, args in (
        ((3,), ()),
        ((2,), (1,)),
        ((2,), (-2,)),
        ((2, 2), (1,)),
        ((2, 2), (0, 0, 2)),
        ((2, 2), (1, -1, 0)),
        ((0,), ()),
    ):
        yield method("diag_embed", shape, lambda x, args=args: _diag_embed(x, *args), *args)
    for shape, k in (((3,), 0), ((2,), 1), ((2,), -1), ((2, 3), 0), ((2, 3), 1), ((3, 2), -2), ((2, 2), 4)):
        yield method("diag", shape, lambda x, k=k: _diagonal(x, k) if x.ndim == 2 else np.diag(x, k), k)
    for shape, k in (((3,), 0), ((1, 2), 1), ((), -1)):
        yield method("diagflat", shape, lambda x, k=k: np.diagflat(x, k), k)
    for name, numpy in (("tril", np.tril), ("triu", np.triu)):
        for shape, k in (((3, 3), 0), ((2, 3), 1), ((3, 2), -1), ((2, 2, 3), 0), ((2, 2), 5), ((0, 2), 0)):
            yield method(name, shape, lambda x, k=k, numpy=numpy: numpy(x, k), k)


def _diagonal(x: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    x = np.moveaxis(x, (dim1, dim2), (-2, -1))
    cells = [(i, i + offset) for i in range(x.shape[-2]) if 0 <= i + offset < x.shape[-1]]
    return np.stack([x[..., i, j] for i, j in cells], -1) if cells else np.zeros((*x.shape[:-2], 0))


def _diag_embed(x: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    size = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], size, size))
    for i in range(x.shape[-1]):
        out[..., i + max(-offset, 0), i + max(offset, 0)] = x[..., i]
    return np.moveaxis(out, (-2, -1), (dim1, dim2))


ROWS: tuple[Row, ...] = (
    *shapes(),
    *orders(),
    *joinings(),
    *splittings(),
    *repetitions(),
    *diagonals(),
)

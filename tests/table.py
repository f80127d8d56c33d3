"""The one table of ops: what every public function of nngrad.functional is tested with.

A row calls one function through a namespace `f`, which is nngrad.functional or PyTorch under the
same names, so that the call itself proves the surface. The tests in tests/functional run every row
through values, dtypes, gradients of several orders, layouts, special points and declared kinds.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from inspect import isfunction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from rows import (
    INF as INF,
    NAN as NAN,
    POINTS as POINTS,
    ROWS_OF_POINTS as ROWS_OF_POINTS,
    Arg as Arg,
    Array as Array,
    Call as Call,
    Row as Row,
    Shape as Shape,
    binary as binary,
    real as real,
    told as told,
    unary as unary,
)

import nngrad.functional as F


def _sigmoid(x: Array) -> Any:
    return 1 / (1 + np.exp(-x))


def _softmax(x: Array, axis: int) -> Any:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _put(x: Array, index: Any, value: Any) -> Array:
    result = np.array(x)
    result[index] = value
    return result


def _indexed(x: Array, index: Any) -> Any:
    return x[index]


def elementwise() -> Iterator[Row]:
    yield from unary("neg", np.negative)
    yield from unary("exp", np.exp)
    yield from unary("log", np.log, "positive")
    yield from unary("sqrt", np.sqrt, "positive")
    yield from unary("tanh", np.tanh)
    yield from unary("sigmoid", _sigmoid)
    yield from unary("relu", lambda x: np.maximum(x, 0))
    yield from unary("abs", np.abs)
    yield from unary("clone", np.copy)
    yield from unary("sign", np.sign)
    yield from unary("isnan", np.isnan, grad=False)
    yield from unary("logical_not", np.logical_not, grad=False)
    yield from unary("zeros_like", np.zeros_like, grad=False)
    yield from unary("ones_like", np.ones_like, grad=False)
    yield from binary("add", np.add)
    yield from binary("sub", np.subtract)
    yield from binary("mul", np.multiply)
    yield from binary("div", np.divide)
    for row in binary("pow", np.power, "positive"):
        yield replace(row, dtypes="efd?")  # whole numbers to negative powers: PyTorch gives 0, we raise
    yield from binary("maximum", np.maximum)
    yield from binary("minimum", np.minimum)
    for row in binary("remainder", np.remainder, "real", "positive"):
        yield replace(row, seed=6)  # away from the jumps
    yield from binary("floor_divide", np.floor_divide, grad=False)
    compared: tuple[tuple[str, np.ufunc], ...] = (
        ("eq", np.equal),
        ("ne", np.not_equal),
        ("lt", np.less),
        ("le", np.less_equal),
        ("gt", np.greater),
        ("ge", np.greater_equal),
        ("logical_and", np.logical_and),
        ("logical_or", np.logical_or),
    )
    for name, ufunc in compared:
        yield from binary(name, ufunc, grad=False)
    whole: tuple[tuple[str, np.ufunc], ...] = (
        ("bitwise_and", np.bitwise_and),
        ("bitwise_or", np.bitwise_or),
        ("bitwise_xor", np.bitwise_xor),
        ("bitwise_left_shift", np.left_shift),
        ("bitwise_right_shift", np.right_shift),
    )
    for name, ufunc in whole:
        for row in binary(name, ufunc, "int", "int", grad=False):
            yield replace(row, special=())
    for row in unary("bitwise_not", np.invert, "int", grad=False):
        yield replace(row, special=())
    for n in (0, 1, 2, 3, 4, 0.5, -1, 2.5):
        yield Row(
            "pow",
            f"number-{n}",
            lambda f, x, n=n: f.pow(x, n),
            (Arg((2, 3), "positive"),),
            lambda x, n=n: np.power(x, n),
            special=((POINTS,),),
        )
    for n in (0, 2, 3, -1):
        yield Row(
            "pow", f"negative-base-{n}", lambda f, x, n=n: f.pow(x, n), real((2, 3)), lambda x, n=n: x**n
        )
    yield Row("pow", "base-number", lambda f, x: f.pow(2.0, x), real((2, 3)), lambda x: 2.0**x)
    yield Row("pow", "base-zero", lambda f, x: f.pow(0.0, x), (Arg((3,), "positive"),), lambda x: 0.0**x)
    yield Row(
        "add",
        "alpha",
        lambda f, x, y: f.add(x, y, alpha=3),
        real((2, 3), (3,)),
        lambda x, y: x + 3 * y,
        dtypes="efdl",
    )
    yield Row(
        "sub",
        "alpha",
        lambda f, x, y: f.sub(x, y, alpha=3),
        real((2, 3), (3,)),
        lambda x, y: x - 3 * y,
        dtypes="efdl",
    )
    yield Row("add", "number", lambda f, x: f.add(x, 2.5), real((2, 3)), lambda x: x + 2.5)
    yield Row("mul", "whole-number", lambda f, x: f.mul(x, 3), real((2, 3)), lambda x: x * 3)
    yield Row("add", "twice-the-same", lambda f, x: f.add(x, x), real((2, 3)), lambda x: x + x)
    yield Row("mul", "twice-the-same", lambda f, x: f.mul(x, x), real((2, 3)), lambda x: x * x)
    for mode, rounded in (("floor", np.floor), ("trunc", np.trunc)):
        yield Row(
            "div",
            mode,
            lambda f, x, y, mode=mode: f.div(x, y, rounding_mode=mode),
            real((2, 3), (3,)),
            lambda x, y, rounded=rounded: rounded(x / y),
            special=((np.array([7.0, -7.0, 0.0, INF, NAN, 5.0]), np.array([2.0, 2.0, 3.0, 2.0, 1.0, -2.0])),),
        )
    yield Row(
        "abs",
        "of-difference",
        lambda f, x, y: f.abs(f.sub(x, y)),
        real((3,), (3,)),
        lambda x, y: np.abs(x - y),
    )


def choosing() -> Iterator[Row]:
    for mask, a, b in (((2, 3), (2, 3), (2, 3)), ((3,), (2, 1), ()), ((), (2,), (2,)), ((2, 1), (3,), (3,))):
        yield Row(
            "where",
            f"{told(mask)}-{told(a)}-{told(b)}",
            lambda f, m, x, y: f.where(m, x, y),
            (Arg(mask, "bool"), Arg(a), Arg(b)),
            np.where,
        )
    yield Row(
        "where",
        "number",
        lambda f, m, x: f.where(m, x, 0.5),
        (Arg((2, 3), "bool"), Arg((3,))),
        lambda m, x: np.where(m, x, 0.5),
    )
    for low, high in ((-0.51, 0.72), (None, 0.72), (-0.51, None), (0.72, -0.51)):
        yield Row(
            "clip",
            f"{low}-{high}",
            lambda f, x, low=low, high=high: f.clip(x, low, high),
            real((2, 3)),
            lambda x, low=low, high=high: np.clip(x, low, high),
            special=((np.array([-0.51, 0.72, 0.0, INF, -INF, NAN]),),),
        )
    yield Row(
        "clip",
        "operands",
        lambda f, x, low, high: f.clip(x, low, high),
        (Arg((2, 3)), Arg((3,)), Arg((), "positive")),
        np.clip,
        special=(
            (
                np.array([0.0, 1.0, 0.5, 2.0, -1.0, NAN, 2.0]),
                np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0]),
                np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
            ),
        ),
    )
    yield Row(
        "masked_fill",
        "2x3-3",
        lambda f, x, m: f.masked_fill(x, m, -1.5),
        (Arg((2, 3)), Arg((3,), "bool")),
        lambda x, m: np.where(m, -1.5, x),
    )
    yield Row(
        "masked_fill",
        "0d-value",
        lambda f, x, m, v: f.masked_fill(x, m, v),
        (Arg((2, 3)), Arg((2, 3), "bool"), Arg(())),
        lambda x, m, v: np.where(m, v, x),
    )


def reductions() -> Iterator[Row]:
    dims: tuple[tuple[str, Any], ...] = (("all", None), ("0", 0), ("last", -1), ("0,2", (0, 2)))
    for name, numpy in (("sum", np.sum), ("mean", np.mean), ("amax", np.max), ("amin", np.min)):
        for label, dim in dims:
            for keep in (False, True):
                if name[0] == "a" and dim is None:
                    continue  # PyTorch has no None here
                yield Row(
                    name,
                    f"{label}{'-keep' * keep}",
                    lambda f, x, name=name, dim=dim, keep=keep: getattr(f, name)(x, dim, keep),
                    real((2, 3, 2)),
                    lambda x, numpy=numpy, dim=dim, keep=keep: numpy(x, axis=dim, keepdims=keep),
                    special=((np.stack([ROWS_OF_POINTS, ROWS_OF_POINTS], 1),),) if label == "last" else (),
                )
        yield Row(name, "0d", lambda f, x, name=name: getattr(f, name)(x), real(()), numpy)
    yield Row(
        "sum",
        "dtype",
        lambda f, x: f.sum(x, 1, dtype=np.dtype(np.longdouble)),
        real((2, 3)),
        lambda x: x.sum(1, dtype=np.longdouble),
        torch=False,
    )
    yield Row("sum", "zero-size", lambda f, x: f.sum(x, 1), real((2, 0)), lambda x: x.sum(1))
    yield Row("sum", "zero-size-kept", lambda f, x: f.sum(x, 0), real((2, 0)), lambda x: x.sum(0))
    yield Row("sum", "dim-empty", lambda f, x: f.sum(x, ()), real((2, 3)), np.sum)
    yield Row("sum", "dim-0-of-0d", lambda f, x: f.sum(x, 0), real(()), np.sum)
    for name, numpy, argued in (("max", np.max, np.argmax), ("min", np.min, np.argmin)):
        for shape in ((2, 3), (), (1,)):
            yield Row(
                name,
                told(shape),
                lambda f, x, name=name: getattr(f, name)(x),
                real(shape),
                numpy,
                special=tuple([(points,) for points in ROWS_OF_POINTS]) if shape == (2, 3) else (),
            )
        for dim, keep in product((0, -1), (False, True)):
            yield Row(
                name,
                f"dim-{dim}{'-keep' * keep}",
                lambda f, x, name=name, dim=dim, keep=keep: tuple(getattr(f, name)(x, dim, keep)),
                real((2, 3)),
                lambda x, numpy=numpy, argued=argued, dim=dim, keep=keep: (
                    numpy(x, axis=dim, keepdims=keep),
                    argued(x, axis=dim, keepdims=keep),
                ),
                special=((ROWS_OF_POINTS,),),
            )
        yield Row(
            name,
            "of-two",
            lambda f, x, y, name=name: getattr(f, name)(x, y),
            real((2, 3), (3,)),
            np.maximum if name == "max" else np.minimum,
        )
        yield Row(
            f"arg{name}",
            "all",
            lambda f, x, name=name: getattr(f, "arg" + name)(x),
            real((2, 3)),
            argued,
            grad=False,
        )
        yield Row(
            f"arg{name}",
            "dim",
            lambda f, x, name=name: getattr(f, "arg" + name)(x, 1, True),
            real((2, 3)),
            lambda x, argued=argued: argued(x, axis=1, keepdims=True),
            special=((ROWS_OF_POINTS,),),
            grad=False,
        )


def shaping() -> Iterator[Row]:
    def of(name: str, case: str, shape: Shape, call: Call, numpy: Call) -> Row:
        return Row(name, case, call, real(shape), numpy)

    yield of("reshape", "2x3-3x2", (2, 3), lambda f, x: f.reshape(x, (3, 2)), lambda x: x.reshape(3, 2))
    yield of("reshape", "minus-1", (2, 3), lambda f, x: f.reshape(x, (-1,)), np.ravel)
    yield of("reshape", "to-0d", (1, 1), lambda f, x: f.reshape(x, ()), lambda x: x.reshape(()))
    yield of("reshape", "zero-size", (2, 0), lambda f, x: f.reshape(x, (0, 5)), lambda x: x.reshape(0, 5))
    yield of("flatten", "all", (2, 1, 3), lambda f, x: f.flatten(x), np.ravel)
    yield of("flatten", "from-1", (2, 1, 3), lambda f, x: f.flatten(x, 1), lambda x: x.reshape(2, 3))
    yield of("flatten", "0d", (), lambda f, x: f.flatten(x), np.ravel)
    yield of("squeeze", "all", (1, 3, 1), lambda f, x: f.squeeze(x), np.squeeze)
    yield of("squeeze", "dim", (1, 3, 1), lambda f, x: f.squeeze(x, -1), lambda x: x.squeeze(-1))
    yield of("squeeze", "not-1", (1, 3, 1), lambda f, x: f.squeeze(x, 1), lambda x: x)
    yield of("unsqueeze", "0", (2, 3), lambda f, x: f.unsqueeze(x, 0), lambda x: x[None])
    yield of("unsqueeze", "last", (2, 3), lambda f, x: f.unsqueeze(x, -1), lambda x: x[..., None])
    yield of(
        "permute", "2,0,1", (2, 3, 2), lambda f, x: f.permute(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1)
    )
    yield of("permute", "negative", (2, 3), lambda f, x: f.permute(x, (-1, 0)), np.transpose)
    yield of("permute", "0d", (), lambda f, x: f.permute(x, ()), lambda x: x)
    yield of("transpose", "0,-1", (2, 3, 2), lambda f, x: f.transpose(x, 0, -1), lambda x: x.swapaxes(0, -1))
    yield of("transpose", "0d", (), lambda f, x: f.transpose(x, 0, -1), lambda x: x)
    yield of("T", "2x3", (2, 3), lambda f, x: f.T(x), np.transpose)
    yield of("T", "1d", (3,), lambda f, x: f.T(x), np.transpose)
    for shape in ((3,), (2, 1), ()):
        yield of(
            "broadcast_to",
            told(shape),
            shape,
            lambda f, x: f.broadcast_to(x, (2, 2, 3)),
            lambda x: np.broadcast_to(x, (2, 2, 3)),
        )
    yield of(
        "broadcast_to",
        "zero-size",
        (1, 3),
        lambda f, x: f.broadcast_to(x, (0, 3)),
        lambda x: np.broadcast_to(x, (0, 3)),
    )
    yield of(
        "expand",
        "minus-1",
        (3, 1),
        lambda f, x: f.expand(x, 2, -1, 4),
        lambda x: np.broadcast_to(x, (2, 3, 4)),
    )
    for name in ("broadcast_tensors", "broadcast"):
        yield Row(
            name,
            "2x1-3",
            lambda f, x, y, name=name: tuple(getattr(f, name)(x, y)),
            real((2, 1), (3,)),
            lambda x, y: np.broadcast_arrays(x, y),
        )
    for name in ("concat", "cat"):
        yield Row(
            name,
            "three",
            lambda f, x, y, z, name=name: getattr(f, name)([x, y, z], 1),
            real((2, 1), (2, 3), (2, 0)),
            lambda x, y, z: np.concatenate([x, y, z], 1),
        )
    yield Row(
        "concat",
        "empty-1d",
        lambda f, x, y: f.concat([x, y], 0),
        real((0,), (2, 3)),
        lambda x, y: y,
    )
    yield Row(
        "cat", "the-same", lambda f, x: f.cat([x, x], -1), real((2, 2)), lambda x: np.concatenate([x, x], -1)
    )
    for dim in (0, 1, -1):
        yield Row(
            "stack",
            str(dim),
            lambda f, x, y, dim=dim: f.stack([x, y], dim),
            real((2, 3), (2, 3)),
            lambda x, y, dim=dim: np.stack([x, y], dim),
        )
    yield Row("stack", "0d", lambda f, x, y: f.stack([x, y]), real((), ()), lambda x, y: np.stack([x, y]))
    yield of("split", "size", (5, 2), lambda f, x: tuple(f.split(x, 2)), lambda x: (x[:2], x[2:4], x[4:]))
    yield of(
        "split",
        "sizes",
        (2, 5),
        lambda f, x: tuple(f.split(x, [1, 0, 4], 1)),
        lambda x: (x[:, :1], x[:, 1:1], x[:, 1:]),
    )
    yield of("split", "zero-size", (0, 2), lambda f, x: tuple(f.split(x, 2)), lambda x: (x,))
    yield Row(
        "copy",
        "broadcast",
        lambda f, x, y: f.copy(x, y),
        real((2, 3), (3,)),
        lambda x, y: np.broadcast_to(y, x.shape),
    )
    yield Row("fill", "number", lambda f, x: f.fill(x, 2.0), real((2, 3)), lambda x: np.full(x.shape, 2.0))
    yield Row(
        "fill", "operand", lambda f, x, v: f.fill(x, v), real((2, 3), ()), lambda x, v: np.full(x.shape, v)
    )


INDICES: tuple[tuple[str, Any, bool], ...] = (
    ("row", 1, True),
    ("negative", -1, True),
    ("slice", slice(1, None), True),
    ("step", (slice(None), slice(None, None, 2)), True),
    ("backwards", (slice(None, None, -1), slice(2, None, -2)), False),
    ("cell", (1, 2), True),
    ("none", (None, Ellipsis, 1), True),
    ("all", Ellipsis, True),
    ("empty", slice(1, 1), True),
    ("list", [0, 0, 2], True),
    ("array", np.array([[0, 2], [2, 1]]), True),
    ("pairs", (np.array([0, 2, 0]), np.array([1, 1, 1])), True),
    ("split-arrays", (np.array([0, 2]), None, np.array([1, 1])), True),
    ("array-slice", (slice(None), np.array([3, 0, 3])), True),
    ("mask", np.array([[True, False, True, False], [False] * 4, [True] * 4]), True),
    ("mask-row", (np.array([True, False, True]), 1), True),
    ("no-row", np.zeros(3, np.bool_), True),
)


def indexing() -> Iterator[Row]:
    x = np.zeros((3, 4))
    for case, index, torch in INDICES:
        yield Row(
            "getitem",
            case,
            lambda f, x, index=index: f.getitem(x, index),
            real((3, 4)),
            lambda x, index=index: _indexed(x, index),
            torch=torch,
        )
        for label, shape in (("value", x[index].shape), ("0d", ())):
            yield Row(
                "index_put",
                f"{case}-{label}",
                lambda f, x, v, index=index: f.index_put(x, index, v),
                real((3, 4), shape),
                lambda x, v, index=index: _put(x, index, v),
                # where a cell is named twice PyTorch gives every value the gradient
                torch=torch and case not in ("list", "array", "pairs", "array-slice"),
            )
    yield Row(
        "getitem",
        "operands",
        lambda f, x, i: f.getitem(x, (i, slice(1, 3))),
        (Arg((3, 4)), Arg((2, 2), "int")),
        lambda x, i: x[i, 1:3],
    )
    yield Row(
        "index_put",
        "number",
        lambda f, x: f.index_put(x, (slice(None), 1), 2.0),
        real((3, 4)),
        lambda x: _put(x, (slice(None), 1), 2.0),
    )
    yield Row(
        "index_put",
        "broadcast-leading-1",
        lambda f, x, v: f.index_put(x, 1, v),
        real((3, 4), (1, 4)),
        lambda x, v: _put(x, 1, v),
    )


def matrices() -> Iterator[Row]:
    for a, b in (
        ((2, 3), (3, 2)),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 2, 3), (3, 2)),
        ((2, 2, 3), (3,)),
        ((3,), (2, 3, 2)),
        ((2, 1, 2, 3), (2, 3, 1)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((1, 1), (1, 1)),
    ):
        yield Row(
            "matmul",
            f"{told(a)}-{told(b)}",
            lambda f, x, y: f.matmul(x, y),
            real(a, b),
            np.matmul,
            dtypes="fdl",
        )
    for shape in ((4, 3), (3,), (2, 2, 3), (0, 3), (2, 0, 3)):
        yield Row(
            "linear",
            told(shape),
            lambda f, x, w, b: f.linear(x, w, b),
            real(shape, (2, 3), (2,)),
            lambda x, w, b: x @ w.T + b,
            dtypes="fd",
        )
    yield Row(
        "linear",
        "no-bias",
        lambda f, x, w: f.linear(x, w),
        real((4, 3), (2, 3)),
        lambda x, w: x @ w.T,
        dtypes="fdl",
    )
    yield Row(
        "linear",
        "vector",
        lambda f, x, w: f.linear(x, w),
        real((4, 3), (3,)),
        lambda x, w: x @ w,
        dtypes="fd",
    )


def losses() -> Iterator[Row]:
    for dim in (0, 1, -1):
        for name, numpy in (("softmax", _softmax), ("log_softmax", lambda x, d: np.log(_softmax(x, d)))):
            yield Row(
                name,
                f"dim-{dim}",
                lambda f, x, name=name, dim=dim: getattr(f, name)(x, dim),
                real((2, 3)),
                lambda x, numpy=numpy, dim=dim: numpy(x, dim),
                special=((ROWS_OF_POINTS,), (np.full((2, 3), -INF),)) if dim == 1 else (),
            )
    for name in ("softmax", "log_softmax"):
        value = 1.0 if name == "softmax" else 0.0
        yield Row(
            name,
            "0d",
            lambda f, x, name=name: getattr(f, name)(x, 0),
            real(()),
            lambda x, value=value: np.full((), value),
        )
        yield Row(
            name,
            "zero-size",
            lambda f, x, name=name: getattr(f, name)(x, 1),
            real((0, 3)),
            lambda x: x,
            dtypes="efd",
        )


#: the modules tests/rows_*.py: each has ROWS, and may have BAD (see functional/test_errors.py)
FAMILIES = [import_module(path.stem) for path in sorted(Path(__file__).parent.glob("rows_*.py"))]

ROWS: tuple[Row, ...] = (
    *elementwise(),
    *choosing(),
    *reductions(),
    *shaping(),
    *indexing(),
    *matrices(),
    *losses(),
    *[row for family in FAMILIES for row in family.ROWS],
)

#: public functions of nngrad.functional that need no row, and why
WITHOUT_ROW: dict[str, str] = {
    "constant": "makes a node, see test_node.py",
    "variable": "makes a node, see test_node.py",
    **{name: "a transform of functions" for name, f in vars(F.transforms).items() if isfunction(f)},
    "allclose": "gives a Python bool, see test_pointwise.py",
    "equal": "gives a Python bool, see test_pointwise.py",
}

#: ops that no row records, and why
OPS_WITHOUT_ROW: dict[str, str] = {
    "custom": "derivatives that programs state: see test_nesting.py",
    "checkpoint": "what is run again for its derivative: see test_nesting.py",
    "custom_part": "one of several outputs of an autograd.Function: see test_function.py",
    "vmap_enter": "see test_vmap.py",
    "vmap_leave": "see test_vmap.py",
    "vmap_sum": "see test_vmap.py",
    "replace": "the shell's writes outside the graph, see test_puts.py",
    "undifferentiable": "raises when a gradient arrives, see test_matrices.py",
    "clip_gradient": "no true derivative, on purpose: see test_kinds.py",
}


def public_functions() -> dict[str, Any]:
    """The functions of the core by the names that rows have for them: `exp`, `linalg.det`."""
    home = F.linalg.__name__
    own = {n: f for n, f in vars(F.linalg).items() if getattr(f, "__module__", "").startswith(home)}
    homes = {"": vars(F) | vars(F.further) | vars(F.networks) | vars(F.transforms), "linalg.": own}
    return {
        prefix + name: value
        for prefix, home in homes.items()
        for name, value in home.items()
        if isfunction(value) and not name.startswith("_")
    }


class TorchNames:
    """PyTorch under the names of nngrad.functional."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def __getattr__(self, name: str) -> Any:
        own = globals().get(f"_torch_{name}")
        if own is not None:
            return own
        torch = self._torch
        homes: tuple[Any, ...] = (torch, torch.nn.functional, torch.Tensor)
        # torch has them too, with numbers for reductions, and without indices
        if name.endswith(("_loss", "_div", "_with_logits")) or "pool" in name:
            homes = (torch.nn.functional,)
        return getattr(next(home for home in homes if hasattr(home, name)), name)


def _torch_sgn(x: Any) -> Any:
    return x.sign()  # whose gradient NumPy can read


def _torch_index_reduce(x: Any, *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is in beta
        return x.index_reduce(*args, **options)


def _torch_fill_diagonal(x: Any, value: Any, wrap: bool = False) -> Any:
    return x.clone().fill_diagonal_(value, wrap)


def _torch_getitem(x: Any, index: Any) -> Any:
    return x[index]


def _torch_embedding(*args: Any, **options: Any) -> Any:
    return import_module("torch.nn.functional").embedding(*args, **options)


def _torch_embedding_bag(*args: Any, **options: Any) -> Any:
    return import_module("torch.nn.functional").embedding_bag(*args, **options)


def _torch_constant(x: Any) -> Any:
    return import_module("torch").tensor(x)


def _torch_index_put(x: Any, index: Any, value: Any, accumulate: bool = False) -> Any:
    if accumulate:
        return x.index_put(index, value, accumulate=True)
    x = x.clone()
    x[index] = value
    return x


def _torch_T(x: Any) -> Any:
    return x.permute(*reversed(range(x.ndim)))


def _torch_broadcast(*tensors: Any) -> Any:
    return import_module("torch").broadcast_tensors(*tensors)


def _torch_copy(x: Any, source: Any) -> Any:
    return x.clone().copy_(source)


def _torch_fill(x: Any, value: Any) -> Any:
    return x.clone().fill_(value)


def _torch_mT(x: Any) -> Any:
    return x.mT


def _torch_windows(x: Any, dimension: int, size: int, step: int) -> Any:
    return x.unfold(dimension, size, step)


def _torch_neg(x: Any) -> Any:
    return -x


def _torch_batch_norm(*args: Any, **options: Any) -> Any:  # torch.batch_norm takes other arguments
    return import_module("torch").nn.functional.batch_norm(*args, **options)


def _torch_instance_norm(*args: Any, **options: Any) -> Any:
    return import_module("torch").nn.functional.instance_norm(*args, **options)


def _torch_group_norm(*args: Any, **options: Any) -> Any:
    return import_module("torch").nn.functional.group_norm(*args, **options)


def _torch_dropout(*args: Any, **options: Any) -> Any:
    return import_module("torch").nn.functional.dropout(*args, **options)


def _torch_alpha_dropout(*args: Any, **options: Any) -> Any:
    return import_module("torch").nn.functional.alpha_dropout(*args, **options)


def _torch_feature_alpha_dropout(*args: Any, **options: Any) -> Any:
    return import_module("torch").nn.functional.feature_alpha_dropout(*args, **options)


def _torch_running_stats(
    x: Any, mean: Any, variance: Any, momentum: float, *, by_instance: bool = False
) -> Any:
    mean, variance = mean.clone(), variance.clone()
    own = import_module("torch").nn.functional
    norm = own.instance_norm if by_instance else own.batch_norm
    norm(x, mean, variance, None, None, True, momentum)
    return mean, variance

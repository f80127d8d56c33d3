"""Ways of calling that programs written for PyTorch use: other names of arguments, and dtypes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor

T: Any = nngrad  # not all of this is in the types, which know one name for each argument
X: Any = nngrad.arange(12.0).reshape(3, 4)

#: a call, and another way to say it
SAME: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "sum axis": (lambda: T.sum(X, axis=1, keepdims=True), lambda: X.sum(1, True)),
    "cumprod axis": (lambda: T.cumprod(X, axis=0), lambda: X.cumprod(0)),
    "std axis": (lambda: X.std(axis=0, keepdims=True), lambda: X.std(0, keepdim=True)),
    "softmax axis": (lambda: T.softmax(X, axis=1), lambda: X.softmax(1)),
    "unsqueeze axis": (lambda: X.unsqueeze(axis=0), lambda: X[None]),
    "flip axis": (lambda: T.roll(X, 1, axis=0), lambda: X.roll(1, 0)),
    "topk axis": (lambda: X.topk(2, axis=0), lambda: X.topk(2, 0)),
    "chunk axis": (lambda: X.chunk(2, axis=1), lambda: X.chunk(2, 1)),
    "max axis": (lambda: X.max(axis=1), lambda: X.max(1)),
    "min axis": (lambda: T.min(X, axis=0), lambda: X.min(0)),
    "max other": (lambda: T.max(X, other=X + 1), lambda: X + 1),
    "median axis": (lambda: X.median(axis=1), lambda: X.median(1)),
    "split": (lambda: X.split(split_size=2, dim=1), lambda: X.split(2, 1)),
    "flip": (lambda: T.flip(X, dims=(0, 1)), lambda: X.flip(0, 1)),
    "broadcast_to": (lambda: T.broadcast_to(X, size=(2, 3, 4)), lambda: X.expand(2, 3, 4)),
    "index_put": (
        lambda: X.index_put(indices=(T.tensor([1]),), values=T.tensor(9.0)),
        lambda: X.index_put((T.tensor([1]),), T.tensor(9.0)),
    ),
    "hsplit": (lambda: T.hsplit(X, sections=2), lambda: X.hsplit(2)),
    "tensor_split": (lambda: X.tensor_split(indices=(1, 2), dim=1), lambda: X.tensor_split((1, 2), 1)),
    "permute": (lambda: T.permute(X, dims=(1, 0)), lambda: X.permute(1, 0)),
    "expand": (lambda: X.expand(size=(2, 3, 4)), lambda: X.expand(2, 3, 4)),
    "repeat": (lambda: X.repeat(repeats=(2, 1)), lambda: X.repeat(2, 1)),
    "tile": (lambda: T.tile(X, dims=(2,)), lambda: X.tile(2)),
    "reshape": (lambda: T.reshape(X, shape=(4, 3)), lambda: X.reshape(4, 3)),
    "view": (lambda: X.view(size=(4, 3)), lambda: X.view(4, 3)),
    "where": (lambda: T.where(X > 9), lambda: (X > 9).nonzero(as_tuple=True)),
    "where by name": (
        lambda: T.where(condition=X > 9, input=X, other=0.0),
        lambda: T.where(X > 9, X, 0.0),
    ),
    "softmax dtype": (lambda: X.softmax(-1, dtype=T.float64), lambda: X.double().softmax(-1)),
    "log_softmax dtype": (
        lambda: T.nn.functional.log_softmax(X, dim=-1, dtype=T.float64),
        lambda: X.double().log_softmax(-1),
    ),
    "gather of an expanded index": (
        lambda: X.gather(0, T.tensor([2, 0, 2])[:, None].expand(-1, 4)),
        lambda: X[[2, 0, 2]],
    ),
    "gather of part of an expanded index": (
        lambda: X.gather(1, T.tensor([3, 0]).expand(2, 2)),
        lambda: X[:2, [3, 0]],
    ),
    "cumsum dtype": (lambda: X.cumsum(0, dtype=T.float64), lambda: X.double().cumsum(0)),
    "sum dtype": (lambda: X.sum(dtype=T.float64), lambda: X.double().sum()),
    "mean dtype": (lambda: X.long().mean(0, dtype=T.float32), lambda: X.mean(0)),
    "norm dtype": (lambda: T.norm(X, dtype=T.float64), lambda: X.double().norm()),
    "vector_norm dtype": (
        lambda: T.linalg.vector_norm(X, dtype=T.float64),
        lambda: T.linalg.vector_norm(X.double()),
    ),
}


def _parts(found: object) -> list[Tensor]:
    return [found] if isinstance(found, Tensor) else list(found)  # type: ignore[call-overload]  # a tuple


@pytest.mark.parametrize("name", SAME)
def test_both_ways_give_the_same(name: str) -> None:
    one, other = [_parts(call()) for call in SAME[name]]
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        assert nngrad.equal(a, b)


def test_unknown_names_are_refused() -> None:
    calls: tuple[Callable[[], Any], ...] = (
        lambda: X.sum(axes=1),
        lambda: X.exp(axis=1),
        lambda: X.sum(dim=0, axis=1),
        lambda: X.sum(0, axis=1),
        lambda: T.where(X > 1, X),
    )
    for call in calls:
        with pytest.raises((TypeError, RuntimeError)):
            call()


def test_parts_of_a_size_are_sizes() -> None:
    shape: Any = nngrad.zeros(2, 3, 4).shape
    assert isinstance(shape[1:], nngrad.Size)
    assert shape[1:].numel() == 12
    assert repr(operator.add(shape[:1], (5,))) == "nngrad.Size([2, 5])"
    assert isinstance(shape * 2, nngrad.Size)
    assert shape[-1] == 4


def test_constants() -> None:
    assert (nngrad.pi, nngrad.e, nngrad.inf) == (math.pi, math.e, math.inf)
    assert math.isnan(nngrad.nan)


def test_distributions_of_integers_are_floating() -> None:
    assert nngrad.distributions.Normal(0, 1).sample((3,)).dtype == nngrad.float32


def test_limits_are_numbers_of_python() -> None:
    limits = nngrad.finfo(nngrad.float32)
    assert type(limits.eps) is float
    assert type(limits.min) is float
    assert (limits.eps, limits.bits, limits.dtype) == (2.0**-23, 32, "float32")
    assert (nngrad.ones(2).double() * limits.eps).dtype == nngrad.float64
    assert repr(limits) == (
        "finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19209e-07, "
        "smallest_normal=1.17549e-38, tiny=1.17549e-38, dtype=float32)"
    )


def test_numpys_answers_that_are_no_arrays() -> None:
    assert np.allclose(X, X.numpy()) is True
    assert np.allclose(X, X.numpy() + 1) is False


@pytest.mark.parametrize("name", ["max", "min", "median"])
def test_searches_keep_dims_by_either_name(name: str) -> None:
    x = nngrad.arange(6.0).reshape(2, 3)
    assert getattr(x, name)(axis=0, keepdims=True)[0].shape == (1, 3)
    assert getattr(nngrad, name)(x, dim=1, keepdims=True).indices.shape == (2, 1)

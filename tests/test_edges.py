"""Calls at the edges: numbers as tensors, nothing at all, other dtypes, what is refused; as in PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad

torch = pytest.importorskip("torch")

Z = [[3 + 4j, 1j], [0j, 2.0]]

CALLS: dict[str, Callable[[Any], Any]] = {
    "diff-not-at-all": lambda t: t.diff(t.ones(3), n=0, prepend=t.zeros(1)),
    "arange-of-integers-by-floats": lambda t: t.arange(0.0, -8.000001, -4.0, dtype=t.int32),
    "nanmedian-0d": lambda t: tuple(t.nanmedian(t.tensor(2.0), -1)),
    "multi_margin-0d": lambda t: t.nn.functional.multi_margin_loss(t.tensor(1.5), t.tensor(0)),
    "multilabel_margin-0d": lambda t: t.nn.functional.multilabel_margin_loss(t.tensor(1.5), t.tensor(0)),
    "where-uint8": lambda t: t.where(t.tensor([0, 2], dtype=t.uint8), t.ones(2), t.zeros(2)),
    "index_reduce-0d": lambda t: t.index_reduce(t.tensor(2.0), 0, t.tensor([0]), t.tensor(3.0), "prod"),
    "norm-inf-of-nothing": lambda t: t.linalg.norm(t.ones(0, 3), float("inf")),
    "matrix_norm-2-of-nothing": lambda t: t.linalg.matrix_norm(t.ones(2, 0, 3), 2),
    "matrix_rank-tensors": lambda t: t.linalg.matrix_rank(
        t.stack([t.eye(2), 3 * t.ones(2, 2)]), atol=t.tensor([2.0, 0.0]), rtol=t.tensor([0.0, 0.1])
    ),
    "matrix_rank-tensor-of-nothing": lambda t: t.linalg.matrix_rank(t.ones(0, 2, 2), rtol=t.ones(0)),
    "byte-format": lambda t: t.ones(2).byte(memory_format=t.contiguous_format),
    "double-format": lambda t: t.ones(2).double(memory_format=t.preserve_format),
    "slogdet-complex": lambda t: tuple(t.linalg.slogdet(t.tensor(Z))),
    "cov-complex": lambda t: t.cov(t.tensor(Z)),
    "sgn-complex": lambda t: t.sgn(t.tensor(Z)),
    **{
        f"view-{kind}": lambda t, kind=kind: t.arange(6.0).reshape(2, 3).view(getattr(t, kind))  # type: ignore[misc]
        for kind in ("int32", "int64", "float16", "uint8", "bool", "complex64")
    },
    "view-dtype-writes": lambda t: _written(t.tensor([1.0, 2.0]), t.int32),
    "view-dtype-0d": lambda t: t.tensor(1.0).view(dtype=t.int32),
    "fill_-negative-uint8": lambda t: t.zeros(1, dtype=t.uint8).fill_(-1),
    "where-negative-uint8": lambda t: t.where(t.tensor([True, False]), t.ones(2, dtype=t.uint8), -1),
    # refused
    "where-large-uint8": lambda t: t.where(t.tensor([True, False]), t.ones(2, dtype=t.uint8), 300),
    "fill_-large-uint8": lambda t: t.zeros(1, dtype=t.uint8).fill_(300),
    "fill_-nan": lambda t: t.zeros(1, dtype=t.int64).fill_(float("nan")),
    "text-in": lambda t: t.tensor("a" in t.ones(2)),
    **{
        f"dim-{dim!r}-{name}": lambda t, name=name, dim=dim: getattr(t, name)(t.ones(2, 2), dim=dim)  # type: ignore[misc]
        for name in (
            "sum",
            "mean",
            "amax",
            "max",
            "min",
            "argmax",
            "prod",
            "cumsum",
            "softmax",
            "sort",
            "unbind",
            "squeeze",
        )
        for dim in (True, 1.0, "a", (0, 0), 5)
    },
    "mask-of-more-values": lambda t: t.zeros(1).__setitem__(t.tensor([False]), t.ones(2, 0)),
    "roll-by-nothing": lambda t: t.roll(t.ones(3), []),
    "unbind-0d": lambda t: t.unbind(t.tensor(1.0)),
    "masked_fill-complex": lambda t: t.ones(2).masked_fill(t.tensor([True, False]), 1j),
    "masked_fill-complex-0d": lambda t: t.ones(2).masked_fill(t.tensor([True, False]), t.tensor(1j)),
    "float_power_": lambda t: t.ones(2).float_power_(2),
    "float_power_-double": lambda t: t.full((2,), 3.0, dtype=t.float64).float_power_(2),
    "norm-narrower": lambda t: t.norm(t.ones(2), dtype=t.float16),
    **{
        f"{name}-complex": lambda t, name=name: getattr(t, name)(t.tensor(Z))  # type: ignore[misc]
        for name in (
            *("amax", "amin", "max", "min", "argmax", "argmin", "sort", "argsort", "median"),
            *("floor", "ceil", "trunc", "round", "sign", "nansum", "nanmean"),
        )
    },
    **{
        f"{name}-complex": lambda t, name=name: getattr(t, name)(t.tensor(Z), t.ones(2, 2))  # type: ignore[misc]
        for name in ("maximum", "minimum", "fmax", "fmin", "clamp_min", "clamp_max")
    },
}


def _written(x: Any, kind: Any) -> Any:
    x.view(kind)[0] = 0
    return x


def outcome(call: Callable[[Any], Any], lib: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is deprecated
        try:
            found = call(lib)
        except (RuntimeError, IndexError, TypeError) as error:
            return next(kind for kind in (IndexError, TypeError, RuntimeError) if isinstance(error, kind))
    return [x.numpy() for x in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("name", CALLS)
def test_edges_are_pytorchs(name: str) -> None:
    ours, theirs = outcome(CALLS[name], nngrad), outcome(CALLS[name], torch)
    if isinstance(ours, type) or isinstance(theirs, type):
        assert ours is theirs
        return
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, strict=True)


def test_the_gradient_of_a_symmetric_pseudo_inverse() -> None:
    a = np.random.default_rng(0).normal(size=(3, 3))
    gradients = []
    for t in (nngrad, torch):
        x = t.tensor(a + a.T, requires_grad=True)
        (t.linalg.pinv(x, hermitian=True) * t.tensor(a)).sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-9)

"""Reductions, running results and orders as PyTorch's users meet them: functions, methods, in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad as ng

METHODS = [
    "all",
    "any",
    "aminmax",
    "argsort",
    "bincount",
    "count_nonzero",
    "cummax",
    "cummin",
    "cumprod",
    "cumprod_",
    "cumsum",
    "cumsum_",
    "diff",
    "histc",
    "kthvalue",
    "logcumsumexp",
    "logsumexp",
    "median",
    "mode",
    "nanmean",
    "nanquantile",
    "nansum",
    "norm",
    "prod",
    "quantile",
    "sort",
    "std",
    "topk",
    "trace",
    "unique",
    "unique_consecutive",
    "var",
]
X = np.array([[3.0, 1.0, 2.0], [0.5, 2.0, 2.0]], np.float32)

CALLS: dict[str, Any] = {
    "all": lambda x: x.all(1, keepdim=True),
    "aminmax": lambda x: x.aminmax(dim=0),
    "argsort": lambda x: x.argsort(0, descending=True),
    "cummax": lambda x: x.cummax(dim=1),
    "cumprod": lambda x: x.cumprod(dim=0),
    "cumprod_": lambda x: x.clone().cumprod_(1),
    "cumsum_": lambda x: x.clone().cumsum_(0),
    "diff": lambda x: x.diff(prepend=x[:, :1]),
    "kthvalue": lambda x: x.kthvalue(2, dim=0, keepdim=True),
    "median": lambda x: x.median(dim=0),
    "median-all": lambda x: x.median(),
    "mode": lambda x: x[1:].mode(),
    "norm": lambda x: x.norm(p=3, dim=(0, 1)),
    "quantile": lambda x: x.quantile(0.4, dim=1),
    "sort": lambda x: x.sort(dim=0, descending=True),
    "std": lambda x: x.std(dim=1, correction=0),
    "topk": lambda x: x[:1].topk(2, largest=False),
    "unique": lambda x: x.unique(return_inverse=True, return_counts=True),
    "unique-alone": lambda x: x.unique(),
    "unique_consecutive": lambda x: x.unique_consecutive(return_counts=True),
    "var": lambda x: x.var((0, 1), unbiased=False, keepdim=True),
}


def arrays(found: Any) -> list[Any]:
    each = list(found) if isinstance(found, tuple) else [found]
    return [x.detach().numpy() for x in each]


@pytest.mark.parametrize("name", METHODS)
def test_what_pytorch_has_as_a_method_is_one(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert hasattr(torch.Tensor, name)
    assert hasattr(ng.Tensor, name)
    assert name.endswith("_") or hasattr(ng, name)


@pytest.mark.parametrize("name", CALLS)
def test_methods_take_what_pytorchs_take(name: str) -> None:
    torch = pytest.importorskip("torch")
    got = CALLS[name](ng.tensor(X, requires_grad=True))
    expected = CALLS[name](torch.tensor(X, requires_grad=True))
    assert isinstance(got, tuple) == isinstance(expected, tuple)
    for ours, theirs in zip(arrays(got), arrays(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, strict=True)


def test_pairs_have_names() -> None:
    x = ng.tensor(X)
    assert x.sort().indices.dtype == ng.int64
    assert x.aminmax().max.item() == 3.0
    assert ng.median(x, 0).values.shape == (3,)
    variance, mean = ng.var_mean(x, 0)
    assert variance.shape == mean.shape == (3,)


def test_in_place_forms_keep_views_in_step() -> None:
    x = ng.tensor(X)
    row = x[0]
    row.cumsum_(0)
    np.testing.assert_array_equal(x.numpy(), [[3.0, 4.0, 6.0], X[1]])

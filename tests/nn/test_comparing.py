"""Losses on tensors: PyTorch's parameters in PyTorch's order, the deprecated ones among them."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad.nn import comparing, functional as F

LOSSES = [
    name
    for name, thing in vars(comparing).items()
    if inspect.isfunction(thing) and "reduction" in inspect.signature(thing).parameters and name != "chosen"
]


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", LOSSES)
def test_signature_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert getattr(F, name) is getattr(comparing, name)
    assert parameters(getattr(F, name)) == parameters(getattr(torch.nn.functional, name))


def test_there_are_as_many_as_that() -> None:
    assert len(LOSSES) == 21


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_deprecated_parameters(size_average: bool | None, reduce: bool | None) -> None:
    torch = pytest.importorskip("torch")
    a, b = np.array([1.0, 2.0, 4.0]), np.zeros(3)
    results = []
    for f, tensor in ((F, nngrad.tensor), (torch.nn.functional, torch.tensor)):
        if size_average is None and reduce is None:
            results.append(f.mse_loss(tensor(a), tensor(b), None, None, "sum"))
        else:
            with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
                results.append(f.mse_loss(tensor(a), tensor(b), size_average, reduce, "sum"))
    np.testing.assert_allclose(results[0].numpy(), results[1].numpy(), strict=True)


def test_a_distance_of_tensors() -> None:
    def distance(a: nngrad.Tensor, b: nngrad.Tensor) -> nngrad.Tensor:
        assert isinstance(a, nngrad.Tensor)
        return (a - b).abs().sum(-1)

    a = nngrad.zeros(2, 3, requires_grad=True)
    loss = F.triplet_margin_with_distance_loss(
        a, nngrad.ones(2, 3), nngrad.full((2, 3), 0.5), distance_function=distance
    )
    loss.backward()
    assert loss.item() == 2.5
    assert a.grad is not None

"""The surface is PyTorch's: every name where PyTorch has it, and every known difference a true one."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from differences import CRASHES, DIFFERENCES, LENIENT, MISSING
from table import ROWS, Row, TorchNames, public_functions
from test_gradients import compare_with_torch
from test_values import DTYPES, TOLERANCE, same_as_torch

import nngrad
from nngrad import Tensor

UNLIKE = [row for row in ROWS if not row.torch]


def under(row: Row) -> list[str]:
    """The entries that a row is under."""
    return [key for key in DIFFERENCES if row.id.startswith(key)]


def differs(row: Row) -> bool:
    """Whether PyTorch refuses a row, or gives other values, dtypes or gradients."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compare_with_torch(row, row.arrays(), 1e-10)
            for code in row.dtypes:
                operands = [a.astype(DTYPES[code]) if a.dtype.kind == "f" else a for a in row.arrays()]
                same_as_torch(row, operands, TOLERANCE[code])
            for points in row.special:
                compare_with_torch(row, list(points), 1e-9)
    except Exception:
        return True
    return False


def test_every_row_that_is_not_compared_has_a_reason() -> None:
    assert [row.id for row in UNLIKE if not under(row)] == []


@pytest.mark.parametrize("key", DIFFERENCES)
def test_a_known_difference_is_still_one(key: str) -> None:
    pytest.importorskip("torch")
    rows = [row for row in UNLIKE if row.id.startswith(key)]
    assert rows, "no row is under this entry"
    if key not in CRASHES:
        assert any(differs(row) for row in rows), "PyTorch agrees now: compare the rows with it"


@pytest.mark.parametrize("name", LENIENT)
def test_pytorch_still_refuses_what_is_taken(name: str) -> None:
    torch = pytest.importorskip("torch")
    twin = getattr(TorchNames(torch), name)
    mask, number = torch.tensor([True, False]), 1.5
    tries: list[tuple[Any, ...]] = [(mask,), (mask, number), (mask, mask, mask), (torch.ones(2), number)]
    refused = 0
    for operands in tries:
        try:
            twin(*operands)
        except (RuntimeError, NotImplementedError, TypeError):
            refused += 1
    assert refused


def homes(torch: Any) -> list[tuple[str, Any, Any, str]]:
    """PyTorch's namespaces, ours, and how a function is called there."""
    return [
        ("torch", torch, nngrad, ""),
        ("Tensor", torch.Tensor, Tensor, ""),
        ("Tensor", torch.Tensor, Tensor, "_"),
        ("torch.nn.functional", torch.nn.functional, nngrad.nn.functional, ""),
    ]


def test_every_function_is_where_pytorch_has_it() -> None:
    torch = pytest.importorskip("torch")
    missing = [
        f"{told}.{name}{ending}"
        for told, theirs, ours, ending in homes(torch)
        for name in public_functions()
        if callable(getattr(theirs, name + ending, None)) and not hasattr(ours, name + ending)
        if not isinstance(getattr(theirs, name + ending), ModuleType)
    ]
    missing += [
        name
        for name in public_functions()
        if name.startswith("linalg.")
        and hasattr(torch.linalg, name[7:])
        and not hasattr(nngrad.linalg, name[7:])
    ]
    assert sorted(set(missing) - set(MISSING)) == []
    assert sorted(set(MISSING) - set(missing)) == [], "these are there now"


def test_functions_and_methods_are_lifted_from_the_core() -> None:
    """What says that it wraps a function of the core wraps the one of its name."""
    core = public_functions()
    wrong = []
    for told, home in (("nngrad", nngrad), ("Tensor", Tensor), ("nn.functional", nngrad.nn.functional)):
        for name, function in core.items():
            lifted: Any = getattr(home, name, None)
            wrapped = getattr(lifted, "__wrapped__", None)
            if wrapped is not None and wrapped is not function and wrapped.__name__ != name:
                wrong.append(f"{told}.{name} is {wrapped.__name__}")
    assert wrong == ["Tensor.unfold is windows"]  # nn.functional.unfold cuts images into columns


def test_the_checks_see_faults() -> None:
    """A row that agrees is seen as no difference, and one that differs is."""
    pytest.importorskip("torch")
    exp = next(row for row in ROWS if row.id == "exp-2x3")
    assert not differs(exp)
    assert differs(
        Row(
            "exp",
            "wrong",
            lambda f, x: f.exp(x) * np.e if f is nngrad.functional else f.exp(x),
            exp.args,
            np.exp,
        )
    )

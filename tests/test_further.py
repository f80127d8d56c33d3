"""Names that programs use less often, at the top level and as methods, against PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import conveniences

torch = pytest.importorskip("torch")


def window(name: str, size: int, periodic: bool) -> Callable[[Any], Any]:
    """A call for a window, of either library."""
    return lambda m: getattr(m, f"{name}_window")(size, periodic, dtype=m.float64)


VALUES: dict[str, Callable[[Any], Any]] = {
    **{
        f"{name}-{size}-{periodic}": window(name, size, periodic)
        for name in ("hann", "hamming", "blackman", "bartlett", "kaiser")
        for size in (0, 1, 2, 7, 8)
        for periodic in (True, False)
    },
    "hamming-alpha": lambda m: m.hamming_window(6, False, 0.5, 0.5),
    "kaiser-beta": lambda m: m.kaiser_window(6, True, 3.0),
    "range": lambda m: m.range(1, 4, 0.5),
    "range-down": lambda m: m.range(4, 1, -1),
    "asarray": lambda m: m.asarray([1.0, 2.0], dtype=m.float64),
    "scalar_tensor": lambda m: m.scalar_tensor(3),
    "row_stack": lambda m: m.row_stack((m.ones(2), m.zeros(2))),
    "trapz": lambda m: m.trapz(m.arange(4.0)),
    "sinc_": lambda m: m.arange(4.0).sinc_(),
    "fill_diagonal_": lambda m: m.zeros(3, 3).fill_diagonal_(2),
    "put_": lambda m: m.zeros(2, 2).put_(m.tensor([1, -1]), m.tensor([5.0, 6.0])),
    "put": lambda m: m.zeros(2, 2).put(m.tensor([1, -1]), m.tensor([5.0, 6.0]), accumulate=True),
    "polygamma-method": lambda m: m.ones(2, dtype=m.float64).polygamma(2),
    "gcd_": lambda m: m.gcd_(m.tensor([12]), m.tensor([8])),
    "H": lambda m: m.arange(6.0).reshape(2, 3).H,
    "mH": lambda m: m.arange(12.0).reshape(2, 2, 3).mH,
    "apply_": lambda m: m.arange(3.0).apply_(lambda v: v * v),
    "unravel_index": lambda m: m.unravel_index(m.tensor([4]), (2, 3))[1],
    "nanmedian": lambda m: m.nanmedian(m.tensor([[1.0, float("nan")], [2.0, 3.0]]), 1).indices,
}


@pytest.mark.parametrize("name", VALUES)
def test_values_are_pytorchs(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # range is deprecated
        ours, theirs = VALUES[name](nngrad), VALUES[name](torch)
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6, atol=1e-15)
    assert tuple(ours.shape) == tuple(theirs.shape)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dim", [0, -1])
def test_gumbel_softmax_draws_pytorchs_numbers(hard: bool, dim: int) -> None:
    found = []
    for m in (nngrad, torch):
        library: Any = m
        library.manual_seed(3)
        x = library.linspace(-1, 1, 12).reshape(3, 4).requires_grad_()
        y = library.nn.functional.gumbel_softmax(x, 0.5, hard, dim=dim)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_dtypes_meet_and_cast_as_in_pytorch() -> None:
    names = ("bool", "uint8", "int64", "float16", "float64", "complex64")
    for a in names:
        for b in names:
            ours, theirs = [[getattr(m, n) for n in (a, b)] for m in (nngrad, torch)]
            assert nngrad.can_cast(*ours) == torch.can_cast(*theirs)
            told = nngrad.result_type(*[nngrad.ones(2, dtype=d) for d in ours])
            assert str(told)[7:] == str(torch.result_type(*[torch.ones(2, dtype=d) for d in theirs]))[6:]
    assert nngrad.result_type(nngrad.ones(2), 3) is nngrad.float32


def test_what_changes_its_tensor_changes_it() -> None:
    for name in conveniences.__all__:
        if name.endswith("_"):
            assert callable(getattr(nngrad, name))
            assert hasattr(torch, name)
    x = nngrad.zeros(2)
    assert nngrad.exp_(x) is x
    assert x.tolist() == [1.0, 1.0]


def test_asarray_copies_where_asked() -> None:
    x = nngrad.ones(2)
    assert nngrad.asarray(x) is x
    assert nngrad.asarray(x, copy=True) is not x
    with pytest.raises(ValueError, match="asarray: can't alias"):
        nngrad.asarray(x, dtype=nngrad.float64, copy=False)


def test_bad_input_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"hann_window: .*window_length=-1"):
        nngrad.hann_window(-1)
    with pytest.raises(RuntimeError, match=r"hann_window: .*int64"):
        nngrad.hann_window(4, dtype=nngrad.int64)
    with pytest.raises(RuntimeError, match=r"range: .*bound"):
        nngrad.range(3, 1)
    with pytest.raises(RuntimeError, match=r"H: .*\(1, 2, 3\)"):
        _ = nngrad.ones(1, 2, 3).H
    with pytest.raises(RuntimeError, match=r"apply_: .*derivative"):
        nngrad.ones(2).requires_grad_().apply_(abs)

"""The pointwise functions as PyTorch's users meet them: as functions, methods and in-place forms."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import nngrad
import nngrad.functional as F
from nngrad import Tensor

#: the pointwise functions and comparisons, and PyTorch's other names for them
_NAMES = """
abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh bitwise_and bitwise_not bitwise_or
bitwise_xor bitwise_left_shift bitwise_right_shift ceil clamp clamp_max clamp_min clip copysign cos cosh
deg2rad digamma div erf erfc erfinv exp exp2 expm1 floor floor_divide fmod frac hypot lerp lgamma log
log10 log1p log2 logaddexp logit mul nan_to_num neg pow rad2deg reciprocal remainder round rsqrt sigmoid
sign sin sinh sqrt square sub tan tanh trunc xlogy
allclose eq equal fmax fmin ge gt isclose isfinite isin isinf isnan le logical_and logical_not logical_or
logical_xor lt maximum minimum ne relu masked_fill
absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh divide fix greater greater_equal less
less_equal multiply negative not_equal subtract true_divide
"""
NAMES = _NAMES.split()


@pytest.mark.parametrize("name", NAMES)
def test_functions_methods_and_in_place_forms_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert hasattr(nngrad, name)
    assert hasattr(Tensor, name) == hasattr(torch.Tensor, name)
    assert hasattr(Tensor, f"{name}_") == hasattr(torch.Tensor, f"{name}_")


UNARY = [
    n for n in NAMES if hasattr(Tensor, f"{n}_") and getattr(Tensor, n).__wrapped__.__code__.co_argcount == 1
]


@pytest.mark.parametrize("name", UNARY)
def test_the_three_forms_agree(name: str) -> None:
    whole = name.startswith("bitwise")
    values = np.array([1, 2, 0]) if whole else np.array([0.25, 0.5, 1.5], np.float32)
    x = nngrad.tensor(values)
    expected = getattr(nngrad, name)(x)
    np.testing.assert_array_equal(expected.numpy(), getattr(x, name)().numpy(), strict=True)
    y = x.clone()
    assert getattr(y, f"{name}_")() is y
    assert y.dtype is x.dtype
    np.testing.assert_array_equal(y.numpy(), expected.to(x.dtype).numpy(), strict=True)


def test_an_in_place_form_keeps_gradients_and_views() -> None:
    x = nngrad.tensor([0.5, 1.0], requires_grad=True)
    y = x * 2
    view = y[:1]
    y.sin_().mul_(3)
    np.testing.assert_allclose(view.detach().numpy(), 3 * np.sin([1.0]), rtol=1e-6)
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), 6 * np.cos([1.0, 2.0]), rtol=1e-6)


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "frac", "sign"])
def test_rounding_has_a_derivative(name: str) -> None:
    x = nngrad.tensor([0.3, 1.7], requires_grad=True)
    getattr(x, name)().sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 1.0] if name == "frac" else [0.0, 0.0])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, 2.0 + 1e-5]),
        ([1.0, 2.0], [1.0, 2.1]),
        ([1.0, math.nan], [1.0, math.nan]),
        ([math.inf], [math.inf]),
        ([math.inf], [-math.inf]),
        ([1, 2], [1, 2]),
        ([1.0, 2.0], [1.0]),
        ([1.0, 1.0], [1.0]),
        ([], []),
    ],
)
def test_equal_and_allclose_are_pytorchs(a: list[Any], b: list[Any]) -> None:
    torch = pytest.importorskip("torch")
    x, y = nngrad.tensor(a), nngrad.tensor(b)
    u, v = torch.tensor(a), torch.tensor(b)
    assert nngrad.equal(x, y) is x.equal(y) is torch.equal(u, v)
    several: list[dict[str, Any]] = [{}, {"equal_nan": True}, {"rtol": 0.0, "atol": 0.2}]
    for options in several:
        told = torch.allclose(u, v, **options)
        assert nngrad.allclose(x, y, **options) is x.allclose(y, **options) is told


@pytest.mark.parametrize("ask", [nngrad.allclose, nngrad.isclose])
def test_close_to_what_must_be_comparable(ask: Any) -> None:
    x = nngrad.tensor([1.0])
    with pytest.raises(RuntimeError, match="float32 did not match float64"):
        ask(x, x.double())
    with pytest.raises(RuntimeError, match="must not be negative"):
        ask(x, x, rtol=-1.0)
    with pytest.raises(RuntimeError, match="isclose"):
        ask(nngrad.zeros(2), nngrad.zeros(3))


def test_operands_that_do_not_fit_are_refused() -> None:
    x = nngrad.tensor([1.0])
    with pytest.raises(RuntimeError, match=r"lerp: expected dtype float32 for `end` but got dtype float64"):
        x.lerp(x.double(), 0.5)
    with pytest.raises(RuntimeError, match="addcdiv: integer division"):
        x.addcdiv(nngrad.tensor([1]), nngrad.tensor([2]))
    with pytest.raises(RuntimeError, match="floor: not implemented for bool"):
        nngrad.tensor([True]).floor()
    with pytest.raises(ZeroDivisionError, match="fmod"):
        nngrad.tensor([1]).fmod(0)


# ---------------------------------------------------------------- the error function


def spread(count: int) -> Any:
    rng = np.random.default_rng(0)
    wide = rng.uniform(-7, 7, count)
    return np.concatenate([wide, rng.uniform(-0.6, 0.6, count), 10.0 ** rng.uniform(-300, 0, count)])


def test_erf_and_erfc_are_right_to_the_last_digits() -> None:
    x = spread(20_000)  # more than a block in all
    np.testing.assert_allclose(F.erf(x).data, [math.erf(v) for v in x], rtol=1e-15)
    far = np.concatenate([x, np.random.default_rng(1).uniform(0, 26, 20_000)])
    np.testing.assert_allclose(F.erfc(far).data, [math.erfc(v) for v in far], rtol=2e-15)


def test_erf_of_float32() -> None:
    x = spread(20_000).astype(np.float32)
    x = x[np.abs(x) > 1e-37]
    got = F.erf(x).data
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [math.erf(v) for v in x.astype(float)], rtol=2.5e-7)
    assert np.abs(got).max() == 1.0


def test_erfinv_inverts() -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate([rng.uniform(-1, 1, 20_000), 10.0 ** rng.uniform(-300, 0, 20_000)])
    x = F.erfinv(y).data
    np.testing.assert_allclose(F.erf(x).data, y, rtol=2e-15)
    near_1 = 1 - 10.0 ** rng.uniform(-15, -1, 1000)
    np.testing.assert_allclose(F.erfc(F.erfinv(near_1).data).data, 1 - near_1, rtol=1e-13)


@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_what_needs_scipy_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    with pytest.raises(ImportError, match=rf"{name}: needs SciPy.*nngrad\[scipy\]"):
        getattr(F, name)(1.0)


def test_large_integers_divide_as_they_are() -> None:
    """A number that the small dtype cannot hold meets it as a float, not wrapped."""
    x = nngrad.tensor([1, 200], dtype=nngrad.uint8)
    for divided in (x / 256, x / nngrad.tensor(256), nngrad.div(x, np.int64(256))):
        np.testing.assert_array_equal(divided.numpy(), np.array([1, 200], np.float32) / 256, strict=True)
    np.testing.assert_array_equal((x / -1).numpy(), np.array([-1, -200], np.float32), strict=True)
    np.testing.assert_allclose(
        nngrad.atan2(x, nngrad.tensor(-1)).numpy(), np.arctan2([1, 200], -1), rtol=1e-6
    )


SILENT = """
import nngrad as ng
inf = ng.tensor([float("inf"), 1.0], requires_grad=True)
half = ng.tensor([6e4, 6e4], dtype=ng.float16)
large = ng.tensor([3e38, 3e38])
for value in (inf + -inf, inf - inf, inf * 0, half + half, half * half, half.sum(), large.sum(), large**2):
    assert not value.isfinite().all()
large.double().mul(1e10).float(), inf.long(), ng.diff(ng.stack([inf, inf]), dim=0)
ng.stack([inf, inf]) @ ng.stack([inf, -inf])
(inf * 0).sum().backward()
"""


def test_what_overflows_warns_of_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SILENT], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""

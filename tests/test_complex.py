"""Complex tensors: their parts as views, what is told of real ones, and where derivatives end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad

Z = np.array([[1 + 2j, -3j, 0.5 + 0j], [-1 + 0j, 2 - 2j, 4j]])


def parts(t: Any) -> list[Any]:
    z = t.tensor(Z)
    z.real[0] = 7.0
    z.imag.mul_(2.0)
    z.real = z.imag + 1.0
    z.imag[:, 0] = 5.0
    return [z, z.real, z.imag, z.angle(), t.angle(z), z.conj_physical(), z.resolve_conj()]


def pairs(t: Any) -> list[Any]:
    z = t.tensor(Z)
    both = t.view_as_real(z)
    both[0, :, 1] = 9.0
    x = t.arange(6.0).reshape(3, 2).clone()
    joined = t.view_as_complex(x)
    joined.mul_(2.0)
    x[0] = t.tensor([3.0, 4.0])
    return [z, both, x, joined, abs(joined)]


def conjugates(t: Any) -> list[Any]:
    z = t.tensor(Z)
    turned = z.conj()
    turned[0] = 1j
    z[1, 1] = 2 + 5j
    z.conj_physical_()
    return [z, turned.resolve_conj(), z.H.resolve_conj(), z.mH.resolve_conj(), z.adjoint().resolve_conj()]


@pytest.mark.parametrize("story", [parts, pairs, conjugates])
def test_parts_are_views_as_in_pytorch(story: Callable[[Any], list[Any]]) -> None:
    torch = pytest.importorskip("torch")
    for ours, theirs in zip(story(nngrad), story(torch), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6, strict=True)


def test_numbers_are_made_of_two_parts() -> None:
    torch = pytest.importorskip("torch")
    for name in ("complex", "polar"):
        for kind in ("float32", "float64"):
            ours, theirs = [
                getattr(t, name)(
                    t.tensor([1.0, 2.0], dtype=getattr(t, kind)),
                    t.tensor([[0.5], [1.0]], dtype=getattr(t, kind)),
                )
                for t in (nngrad, torch)
            ]
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6, strict=True)


def test_real_tensors_are_themselves() -> None:
    x = nngrad.ones(3, requires_grad=True)
    assert nngrad.real(x) is x
    assert x.real is x
    assert nngrad.conj(x) is x
    assert nngrad.resolve_conj(x) is x
    assert x.resolve_neg() is x
    assert not nngrad.is_conj(x)
    assert not x.is_neg()
    assert nngrad.conj_physical(x) is not x
    (nngrad.conj_physical(x) * 2 + x.angle()).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2, 2]
    y = nngrad.zeros(2)
    y.real = nngrad.ones(2)
    assert y.tolist() == [1, 1]


SQUARE = np.array([[4 + 0j, 1 - 2j, 0.5j], [1 + 2j, 5 + 0j, 1 + 0j], [-0.5j, 1 + 0j, 3 + 0j]])

OF_COMPLEX: dict[str, Callable[[Any, Any], Any]] = {
    "cholesky_solve": lambda t, z: t.cholesky_solve(z, t.linalg.cholesky(z)),
    "cholesky_inverse": lambda t, z: t.cholesky_inverse(t.linalg.cholesky(z, upper=True), upper=True),
    "lu": lambda t, z: t.linalg.lu(z * z).L,
    "lu_solve": lambda t, z: t.linalg.lu_solve(*t.linalg.lu_factor(z * z), z, adjoint=True),
    "lu_solve-right": lambda t, z: t.linalg.lu_solve(*t.linalg.lu_factor(z), z, left=False, adjoint=True),
    "lstsq": lambda t, z: t.linalg.lstsq(z[:, :2], z, driver="gels").residuals,
    "pinv": lambda t, z: t.linalg.pinv(z, hermitian=True),
    "logdet": lambda t, z: t.logdet(z * 1j),
    "float_power": lambda t, z: t.float_power(z, 2),
    "logsumexp": lambda t, z: t.logsumexp(z * 2, 1),
    "cov": lambda t, z: t.cov(z, aweights=t.tensor([1.0, 2.0, 0.5], dtype=t.float64)),
    "svd": lambda t, z: t.svd(z * z).U @ t.diag_embed(t.svd(z * z).S).to(z.dtype) @ t.svd(z * z).V.mH,
    "pairwise_distance": lambda t, z: t.nn.functional.pairwise_distance(z, z * 1j),
    "matrix_exp": lambda t, z: t.matrix_exp(z),
    "cond": lambda t, z: t.linalg.cond(z, 1),
    "vecdot": lambda t, z: t.linalg.vecdot(z, z * 1j),
}


@pytest.mark.parametrize("name", OF_COMPLEX)
def test_functions_of_complex_matrices(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = [OF_COMPLEX[name](t, t.tensor(SQUARE)) for t in (nngrad, torch)]
    np.testing.assert_allclose(
        ours.numpy(), theirs.resolve_conj().numpy(), rtol=1e-9, atol=1e-12, strict=True
    )


REFUSED: dict[str, Callable[[Any], Any]] = {
    "imag": lambda t: t.ones(2).imag,
    "view_as_real": lambda t: t.view_as_real(t.ones(2)),
    "last-dimension": lambda t: t.view_as_complex(t.ones(2, 3)),
    "0d": lambda t: t.view_as_complex(t.ones(())),
    "integers": lambda t: t.view_as_complex(t.ones(2, 2, dtype=t.int64)),
    "mixed": lambda t: t.complex(t.ones(2), t.ones(2, dtype=t.float64)),
    "polar-integers": lambda t: t.polar(t.ones(2, dtype=t.int64), t.ones(2, dtype=t.int64)),
    "shapes": lambda t: t.complex(t.ones(2), t.ones(3)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_calls_are_refused_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError):
        REFUSED[name](torch)
    with pytest.raises(RuntimeError):
        REFUSED[name](nngrad)


@pytest.mark.parametrize("name", ["complex", "polar"])
def test_no_derivative_in_complex_numbers(name: str) -> None:
    x = nngrad.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=f"{name}: a value that requires grad cannot become complex"):
        getattr(nngrad, name)(x, x)
    with pytest.raises(RuntimeError, match="no derivatives in complex"):
        nngrad.view_as_complex(x)
    z = nngrad.tensor([1j, 2j])
    with pytest.raises(RuntimeError, match="no derivatives in complex"):
        z.real = x
    with nngrad.no_grad():
        z.real = x
    assert z.tolist() == [1 + 1j, 1 + 2j]


def test_numpy_finds_what_is_not_loaded_yet() -> None:
    """NumPy's functions of tensors work in a program that has named none of ours."""
    program = """
import numpy as np, nngrad
x = nngrad.tensor([1.0, -2.0])
assert np.signbit(x).tolist() == [False, True]
assert np.real(x).tolist() == [1, -2]
assert np.gcd(nngrad.tensor([12]), 8).tolist() == [4]
"""
    subprocess.run([sys.executable, "-c", program], check=True)

"""Dual tensors: their tangents are those of `func.jvp`."""

from __future__ import annotations

import pytest

import nngrad
from nngrad import Tensor, func, nn
from nngrad.autograd import forward_ad as fwd

X = nngrad.tensor([0.3, -0.5, 1.2], dtype=nngrad.float64)
V = nngrad.tensor([1.0, 2.0, -1.0], dtype=nngrad.float64)


def curve(x: Tensor) -> Tensor:
    y = x.sin() * x
    y[0] = y[1] * 2
    return y.cumsum(0)


def test_tangents_are_those_of_jvp() -> None:
    expected = func.jvp(curve, (X,), (V,))
    with fwd.dual_level():
        x = fwd.make_dual(X, V)
        assert fwd.unpack_dual(x).primal.tolist() == X.tolist()
        value, tangent = fwd.unpack_dual(curve(x))
        assert tangent is not None
        assert not value.requires_grad
        assert not tangent.requires_grad
        assert fwd.unpack_dual(X * 2).tangent is None
    assert nngrad.allclose(value, expected[0])
    assert nngrad.allclose(tangent, expected[1])
    assert fwd.unpack_dual(x).tangent is None


def test_a_tangent_can_be_differentiated() -> None:
    w = X.clone().requires_grad_()
    with fwd.dual_level():
        value, tangent = fwd.unpack_dual((fwd.make_dual(w, V) ** 3).sum())
        assert tangent is not None
        (tangent + value).backward()
    assert w.grad is not None
    assert nngrad.allclose(w.grad, 6 * X * V + 3 * X**2)


def test_parameters_of_a_module_have_tangents() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    params = {name: p.detach() for name, p in net.named_parameters()}
    along = {name: nngrad.randn_like(p) for name, p in params.items()}
    with fwd.dual_level():
        duals = {name: fwd.make_dual(p, along[name]) for name, p in params.items()}
        tangent = fwd.unpack_dual(func.functional_call(net, duals, (X,))).tangent
    _, expected = func.jvp(lambda p: func.functional_call(net, p, (X,)), (params,), (along,))
    assert tangent is not None
    assert nngrad.allclose(tangent, expected)


def test_misuse() -> None:
    with pytest.raises(RuntimeError, match="no level exists"):
        fwd.make_dual(X, V)
    with pytest.raises(RuntimeError, match="not the last one"):
        fwd.exit_dual_level()
    with fwd.dual_level():
        with pytest.raises(RuntimeError, match="Nested forward mode"):
            fwd.enter_dual_level()
        with pytest.raises(RuntimeError, match=r"shape \(2,\), but the tensor \(3,\)"):
            fwd.make_dual(X, V[:2])
        with pytest.raises(ValueError, match="Expected primal to be floating point"):
            fwd.make_dual(nngrad.tensor(1), nngrad.tensor(1))

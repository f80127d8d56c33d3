"""Linear algebra on tensors: named results, methods, forms in place, PyTorch's older names."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import nngrad as ng

X = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])


def tensor(x: Any = X) -> ng.Tensor:
    return ng.tensor(x, requires_grad=True)


def both(call: Any, *arrays: Any) -> tuple[Any, Any]:
    """What a call gives on tensors of ours and of PyTorch's."""
    torch: Any = pytest.importorskip("torch")
    ours = call(ng, *[ng.tensor(a) for a in arrays])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.qr is deprecated
        return ours, call(torch, *[torch.tensor(a) for a in arrays])


CALLS: dict[str, Any] = {
    "det": lambda t, x: (t.det(x), x.det()),
    "inverse": lambda t, x: (t.inverse(x), x.inverse()),
    "logdet": lambda t, x: (t.logdet(x), x.logdet()),
    "slogdet": lambda t, x: (t.slogdet(x).sign, x.slogdet().logabsdet),
    "matrix_power": lambda t, x: (t.matrix_power(x, -2), x.matrix_power(3)),
    "pinverse": lambda t, x: (t.pinverse(x), x.pinverse(1e-3)),
    "cholesky": lambda t, x: (t.linalg.cholesky(x), t.linalg.cholesky(x, upper=True)),
    "cholesky_solve": lambda t, x: (t.cholesky_solve(x, t.linalg.cholesky(x)), x.cholesky_solve(x, True)),
    "svd": lambda t, x: (t.svd(x).S, x.svd().V.abs(), t.svd(x[:2], some=False).V.abs()[:, :2]),
    "qr": lambda t, x: (t.qr(x).R.abs(), x.qr(False).Q.abs()),
    "linalg.eigh": lambda t, x: (t.linalg.eigh(x).eigenvalues, t.linalg.eigh(x).eigenvectors.abs()),
    "linalg.svd": lambda t, x: (t.linalg.svd(x[:2]).Vh.abs()[:2], t.linalg.svd(x[:2], False).U.abs()),
    "linalg.qr": lambda t, x: (t.linalg.qr(x[:, :2], "complete").R.abs(), t.linalg.qr(x, mode="r").R.abs()),
    "linalg.slogdet": lambda t, x: tuple(t.linalg.slogdet(x)),
    "linalg.solve": lambda t, x: (t.linalg.solve(x, x[0]), t.linalg.solve(x, x[:2], left=False)),
    "linalg.multi_dot": lambda t, x: (t.linalg.multi_dot([x, x, x[0]]),),
    "linalg.norm": lambda t, x: (t.linalg.norm(x, "nuc"), t.linalg.vector_norm(x, 3, dim=1)),
    "linalg.matmul": lambda t, x: (t.linalg.matmul(x, x), t.linalg.vecdot(x, x)),
    "linalg.cross": lambda t, x: (t.linalg.cross(x, x[[1, 2, 0]]), x.cross(x[[1, 2, 0]], 1)),
    "lu": lambda t, x: (*t.lu(x), *x.lu(get_infos=True), *t.lu_unpack(*x.lu())),
    "lu_solve": lambda t, x: (t.lu_solve(x, *t.lu(x)), x.lu_solve(*t.linalg.lu_factor(x))),
    "linalg.lu": lambda t, x: (t.linalg.lu(x).P, t.linalg.lu_factor(x).pivots, t.linalg.lu_factor_ex(x).info),
    "matrix_exp": lambda t, x: (t.matrix_exp(x), x.matrix_exp(), t.linalg.matrix_exp(x)),
    "orgqr": lambda t, x: (t.orgqr(x, x[0]), x.orgqr(x[1])),
    "cholesky_inverse": lambda t, x: (t.cholesky_inverse(x), x.cholesky_inverse(upper=True)),
    "linalg.inv_ex": lambda t, x: (t.linalg.inv_ex(x).inverse, t.linalg.inv_ex(0 * x).info),
    "linalg.solve_ex": lambda t, x: (t.linalg.solve_ex(x, x).result, t.linalg.solve_ex(0 * x, x).info),
    "linalg.cholesky_ex": lambda t, x: (
        t.linalg.cholesky_ex(x).L,
        t.linalg.cholesky_ex(t.stack([x, x - 2.5 * t.eye(3, dtype=x.dtype), -x]), upper=True).info,
    ),
    "linalg.lstsq": lambda t, x: (
        t.linalg.lstsq(x[:, :2], x, driver="gelsd").residuals,
        t.linalg.lstsq(x[:, :2], x, rcond=0.9).rank,
        t.linalg.lstsq(x, x[0]).singular_values,
    ),
    "linalg.tensorinv": lambda t, x: (
        t.linalg.tensorinv(x, ind=1),
        t.linalg.tensorsolve(x, x[0], dims=(0,)),
        t.linalg.vander(x, N=2),
        t.linalg.cond(x, "fro"),
        t.linalg.householder_product(x, x[0]),
    ),
    "einsum": lambda t, x: (t.einsum("ij,jk->ki", x, x), t.einsum("...,...", [x, x])),
    "tensordot": lambda t, x: (t.tensordot(x, x, 1), t.tensordot(x, x, dims=([0], [1]))),
    "products": lambda t, x: (x.mm(x), x.mv(x[0]), x[0].dot(x[1]), x[0].outer(x[1]), x[0].ger(x[1])),
    "more-products": lambda t, x: (x.inner(x), x[0].vdot(x[1]), x[None].bmm(x[None]), t.cdist(x, x[:2])),
    "sums": lambda t, x: (x.addmm(x, x, beta=2), x[0].addmv(x, x[0], alpha=3), x.addr(x[0], x[1])),
    "sums-of-many": lambda t, x: (x.addbmm(x[None], x[None]), x.baddbmm(x[None], x[None])),
    "addmm_": lambda t, x: (
        x.clone().addmm_(x, x),
        x.clone().addr_(x[0], x[1]),
        x.clone()[0].addmv_(x, x[0]),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions_and_methods_are_pytorchs(name: str) -> None:
    ours, theirs = both(CALLS[name], X)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12, strict=True)


def test_results_have_names_and_gradients() -> None:
    x = tensor()
    values, vectors = ng.linalg.eigh(x)
    (values.sum() + (vectors * values).sum()).backward()
    assert x.grad is not None
    assert x.grad.shape == (3, 3)
    assert ng.linalg.svd(x)._fields == ("U", "S", "Vh")
    assert ng.svd(x)._fields == ("U", "S", "V")
    assert ng.linalg.qr(x)._fields == ("Q", "R")
    assert ng.linalg.slogdet(x)._fields == ("sign", "logabsdet")
    assert ng.linalg.eig(x)._fields == ("eigenvalues", "eigenvectors")


def test_the_diagonal_is_a_view() -> None:
    x = ng.zeros(2, 3, 3)
    ng.linalg.diagonal(x).fill_(1.0)
    np.testing.assert_array_equal(x.numpy(), np.stack([np.eye(3)] * 2))


def test_in_place_forms_write_to_the_base_of_a_view() -> None:
    x = ng.zeros(2, 3, 3, dtype=ng.float64)
    x[0].addmm_(ng.tensor(X), ng.tensor(X))
    np.testing.assert_allclose(x.numpy()[0], X @ X)
    assert (x[1] == 0).all()


def test_a_singular_matrix_is_an_error_of_linalg() -> None:
    with pytest.raises(ng.linalg.LinAlgError, match=r"linalg.inv: .*\(2, 2\)"):
        ng.inverse(ng.zeros(2, 2))
    assert issubclass(ng.linalg.LinAlgError, RuntimeError)


def test_linalg_loads_when_first_named() -> None:
    code = (
        "import sys, nngrad; assert not [m for m in sys.modules if 'linalg' in m and m.startswith('nngrad')];"
        "nngrad.ones(1, 1).det(); assert 'nngrad.functional.linalg' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

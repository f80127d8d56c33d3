"""Linear algebra where no row of the table can go: degenerate matrices, errors, complex values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from checks import numerical

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import backward
from nngrad.functional.linalg import LinAlgError

RNG = np.random.default_rng(0)
SINGULAR = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [1.0, 0.0, 3.0]])
RANK_ONE = np.outer([1.0, 2.0, 4.0], [1.0, 2.0, 0.0])


def gradient(f: Callable[[Node], Node], x: Any) -> Any:
    node = F.variable(x)
    return backward([f(node)], [np.ones(())])[node]


# ---------------------------------------------------------------- degenerate matrices


@pytest.mark.parametrize("x", [SINGULAR, RANK_ONE, np.zeros((3, 3)), np.stack([SINGULAR, np.eye(3)])])
def test_the_gradient_of_det_at_singular_matrices_is_the_cofactors(x: Any) -> None:
    assert np.min(np.abs(np.linalg.det(x))) == 0
    expected = numerical(lambda moved: float(np.linalg.det(moved[0]).sum()), [x], 0)
    np.testing.assert_allclose(gradient(lambda n: F.sum(F.linalg.det(n)), x), expected, atol=1e-9)


def test_det_has_second_derivatives_at_a_singular_matrix() -> None:
    weight = RNG.normal(size=(3, 3))

    def slope(x: Any) -> float:
        return float(np.sum(gradient(F.linalg.det, x) * weight))

    node = F.variable(SINGULAR)
    first = backward([F.linalg.det(node)], [F.constant(np.ones(()))], create_graph=True, free=False)[node]
    got = backward([F.sum(F.mul(first, weight))], [np.ones(())])[node]
    expected = numerical(lambda moved: slope(moved[0]), [SINGULAR], 0)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("f", [F.linalg.eigvalsh, F.linalg.svdvals])
def test_equal_values_have_gradients_where_no_vector_is_asked_for(f: Callable[[Node], Node]) -> None:
    np.testing.assert_allclose(gradient(lambda x: F.sum(f(x)), 2 * np.eye(3)), np.eye(3), atol=1e-12)


def test_vectors_of_equal_values_have_no_gradient() -> None:
    weight = RNG.normal(size=(3, 3))
    got = gradient(lambda x: F.sum(F.mul(F.linalg.eigh(x).eigenvectors, weight)), np.eye(3))
    assert not np.isfinite(got).all()


def test_logdet_of_singular_and_negative_determinants() -> None:
    assert F.logdet(np.zeros((2, 2))).item() == -np.inf
    assert np.isnan(F.logdet(-np.eye(3)).item())


def test_equal_rows_are_at_distance_0_and_receive_no_gradient() -> None:
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    for p in (0.5, 1.0, 2.0, 3.0, np.inf):
        for mode in ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"):
            node = F.variable(x)
            far = F.cdist(node, x[:1], p, mode)
            assert far.data[0, 0] == 0
            got = backward([F.sum(far)], [np.ones(())])[node]
            assert (got[0] == 0).all()
            assert np.isfinite(got).all()
            assert (got[1] != 0).any()


def test_many_rows_go_by_one_product() -> None:
    x, y = RNG.normal(size=(30, 3)), RNG.normal(size=(4, 3))
    far = F.cdist(F.variable(x), y)
    assert far.op is not None
    assert far.op.name == "cdist"
    np.testing.assert_allclose(far.data, np.linalg.norm(x[:, None] - y, axis=-1), rtol=1e-12)


def test_a_beta_of_0_leaves_the_input_out() -> None:
    x = np.full((2, 2), np.nan)
    assert (F.addmm(x, np.eye(2), np.eye(2), beta=0).data == np.eye(2)).all()


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: F.linalg.inv(SINGULAR), r"linalg.inv: .*Singular.*\(3, 3\)"),
        (lambda: F.linalg.solve(SINGULAR, np.ones(3)), r"linalg.solve: .*Singular.*\(3, 3\)"),
        (lambda: F.linalg.matrix_power(SINGULAR, -1), "linalg.inv: .*Singular"),
        (lambda: F.linalg.cholesky(-np.eye(2)), r"linalg.cholesky: .*not positive definite.*\(2, 2\)"),
        (lambda: F.linalg.svd(np.full((2, 2), np.nan)), "linalg.svd: .*not converge"),
        (lambda: F.linalg.lu_factor(np.ones((2, 2))), "linalg.lu_factor: U has a zero"),
        (lambda: F.linalg.inv_ex(np.ones((2, 2)), check_errors=True), "linalg.inv_ex: Singular"),
        (lambda: F.linalg.solve_ex(SINGULAR, np.ones(3), check_errors=True), "linalg.solve_ex: Singular"),
        (lambda: F.linalg.cholesky_ex(-np.eye(2), check_errors=True), "linalg.cholesky_ex: a leading minor"),
    ],
)
def test_matrices_that_cannot_be_decomposed(call: Callable[[], Any], text: str) -> None:
    with pytest.raises(LinAlgError, match=text):
        call()


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda x: F.sum(F.linalg.qr(x, "complete").Q), "linalg.qr: not differentiable"),
        (lambda x: F.sum(F.linalg.qr(x, "r").R), "linalg.qr: not differentiable"),
        (lambda x: F.sum(F.linalg.svd(x).U), "linalg.svd: .*full_matrices"),
        (lambda x: F.sum(F.linalg.svd(F.mT(x)).Vh), "linalg.svd: .*full_matrices"),
    ],
)
def test_what_has_no_gradient_says_so(f: Callable[[Node], Node], text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        gradient(f, RNG.normal(size=(3, 2)))


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (2, 3, 3)])
def test_full_matrices_leave_the_gradients_of_the_reduced_ones(shape: tuple[int, ...]) -> None:
    x, k = RNG.normal(size=shape), min(shape[-2:])

    def f(node: Node, full: bool) -> Node:
        u, s, vh = F.linalg.svd(node, full)
        return F.sum(F.abs(u[..., :k])) + F.sum(F.mul(s, s)) + F.sum(F.abs(vh[..., :k, :]))

    got = gradient(lambda node: f(node, True), x)
    np.testing.assert_allclose(got, gradient(lambda node: f(node, False), x), rtol=1e-10)


# ---------------------------------------------------------------- complex numbers


def test_complex_matrices_have_values() -> None:
    x = RNG.normal(size=(2, 3, 3)) + 1j * RNG.normal(size=(2, 3, 3))
    hermitian = x + np.swapaxes(x, -1, -2).conj()
    np.testing.assert_allclose(F.linalg.inv(x).data, np.linalg.inv(x))
    np.testing.assert_allclose(F.linalg.det(x).data, np.linalg.det(x))
    np.testing.assert_allclose(F.linalg.pinv(x).data, np.linalg.inv(x))
    np.testing.assert_allclose(F.linalg.solve(x, x[:, :, 0]).data, np.linalg.solve(x, x[:, :, :1])[..., 0])
    values, vectors = F.linalg.eigh(hermitian)
    assert values.dtype == np.float64
    np.testing.assert_allclose((vectors.data * values.data[:, None]) @ np.linalg.inv(vectors.data), hermitian)
    u, s, vh = F.linalg.svd(x)
    np.testing.assert_allclose((u.data * s.data[:, None]) @ vh.data, x)
    q, r = F.linalg.qr(x)
    np.testing.assert_allclose(q.data @ r.data, x)
    np.testing.assert_allclose(F.einsum("bij,bjk->bik", x, x).data, x @ x)
    assert F.vdot(x[0, 0], x[0, 1]).item() == np.vdot(x[0, 0], x[0, 1])


# ---------------------------------------------------------------- einsum


def test_numpys_functions_take_nodes() -> None:
    x, y = F.variable(RNG.normal(size=(2, 3))), RNG.normal(size=(3, 4))
    made: Any = np.einsum("ij,jk->ki", x, y)
    assert isinstance(made, Node)
    np.testing.assert_allclose(made.data, (x.data @ y).T)
    made = np.tensordot(x, y, 1)
    np.testing.assert_allclose(made.data, x.data @ y)


def test_three_operands_are_multiplied_where_it_is_cheap() -> None:
    """(2, 50) by (50, 2) first: never the 50 by 50 matrix."""
    a, b, c = (F.variable(RNG.normal(size=s)) for s in ((50, 2), (2, 50), (50, 2)))
    made = F.einsum("ij,jk,kl->il", a, b, c)
    sizes = [node.size for node in made.prev]
    assert max(sizes) == 100
    np.testing.assert_allclose(made.data, a.data @ b.data @ c.data, rtol=1e-10)


@pytest.mark.parametrize("seed", range(100))
def test_random_equations_are_numpys(seed: int) -> None:
    """One to three operands with up to four of five letters, some of them twice."""
    rng = np.random.default_rng(seed)
    letters = list("abcde")
    sizes = dict(zip(letters, rng.integers(1, 4, 5)))
    terms = ["".join(rng.choice(letters, rng.integers(0, 5))) for _ in range(rng.integers(1, 4))]
    used = rng.permutation(sorted(set("".join(terms))))
    operands = [rng.normal(size=[sizes[letter] for letter in term]) for term in terms]
    given = ",".join(terms)
    for equation in (given, f"{given}->{''.join(used[: rng.integers(0, len(used) + 1)])}"):
        made = F.einsum(equation, *operands).data
        np.testing.assert_allclose(made, np.einsum(equation, *operands), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("bhqd,bhkd->bhqk", ((2, 3, 40, 8), (2, 3, 36, 8))),
        ("bqhd,bkhd->bhqk", ((2, 40, 3, 8), (2, 36, 3, 8))),
        ("bdqh,bdkh->bhqk", ((2, 8, 40, 3), (2, 8, 36, 3))),
        ("qbd,dkb->bkq", ((40, 2, 8), (8, 36, 2))),
        ("bij,bjk->kbi", ((2, 40, 8), (2, 8, 36))),
    ],
)
def test_every_layout_for_blas_gives_the_same(equation: str, shapes: tuple[Any, ...]) -> None:
    """Large enough that factors are copied into the order that BLAS is quick with."""
    x, y = (RNG.normal(size=shape) for shape in shapes)
    np.testing.assert_allclose(F.einsum(equation, x, y).data, np.einsum(equation, x, y), atol=1e-12)

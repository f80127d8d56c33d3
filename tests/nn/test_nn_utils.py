"""Clipping of gradients and parameters as one vector, against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, nn
from nngrad.nn import utils

SHAPES = ((3, 4), (4,), (), (2, 1, 3))


def draw(seed: int, dtype: str = "float32") -> list[Any]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in SHAPES]


def with_gradients(library: Any, seed: int, dtype: str = "float32", scale: float = 1.0) -> list[Any]:
    """Parameters, all but the second with a gradient."""
    params = [library.tensor(x.copy(), requires_grad=True) for x in draw(seed, dtype)]
    for i, (p, g) in enumerate(zip(params, draw(seed + 1, dtype))):
        p.grad = None if i == 1 else library.tensor((g * scale).astype(dtype))
    return params


def same(ours: Any, theirs: Any) -> None:
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=2e-3 if a.dtype == np.float16 else 2e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 0.0])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("norm_type", [2, 1.0, 3.5, float("inf"), float("-inf"), 0.0, "inf"])
def test_clip_grad_norm(norm_type: Any, dtype: str, scale: float) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (with_gradients(library, 0, dtype, scale) for library in (nngrad, torch))
    norm = utils.clip_grad_norm_(iter(ours), 0.7, norm_type)
    same(norm, torch.nn.utils.clip_grad_norm_(theirs, 0.7, norm_type))
    assert ours[1].grad is None
    for p, q in zip(ours, theirs):
        if q.grad is not None:
            same(p.grad, q.grad)


def test_clip_grad_norm_in_place_and_of_one_tensor() -> None:
    p = nngrad.tensor([1.0, 1.0], requires_grad=True)
    p.grad = grad = nngrad.tensor([3.0, 4.0])
    before = grad.node.data
    assert utils.clip_grad_norm_(p, 2.5, foreach=True).item() == 5.0
    assert p.grad is grad
    np.testing.assert_allclose(grad.numpy(), [1.5, 2.0], rtol=1e-6)
    assert before.tolist() == [3.0, 4.0]
    kept = grad.node
    utils.clip_grad_norm_(p, 100.0)
    assert grad.node is kept


def test_gradients_that_have_a_graph_are_clipped() -> None:
    p = nngrad.tensor([1.0, 2.0], requires_grad=True)
    (p**3).sum().backward(create_graph=True)
    assert p.grad is not None
    utils.clip_grad_norm_(p, 1.0)
    np.testing.assert_allclose(np.linalg.norm(p.grad.detach().numpy()), 1.0, rtol=1e-5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_norms_that_are_not_finite(bad: float) -> None:
    p = nngrad.tensor([1.0, 1.0], requires_grad=True)
    p.grad = nngrad.tensor([bad, 4.0])
    with pytest.raises(RuntimeError, match=r"total norm of order 2\.0 .* is non-finite"):
        utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad.tolist()[1] == 4.0
    utils.clip_grad_norm_(p, 1.0)
    assert np.isnan(p.grad.tolist()[1]) if np.isnan(bad) else p.grad.tolist()[1] == 0.0


def test_nothing_to_clip() -> None:
    assert utils.clip_grad_norm_([], 1.0).item() == 0.0
    assert utils.clip_grad_norm_([nngrad.tensor([1.0], requires_grad=True)], 1.0).item() == 0.0
    with pytest.warns(UserWarning, match="empty generator"):
        utils.clip_grad_norm_((p for p in list[Tensor]()), 1.0)
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        utils.clip_grad_norm([], 1.0)


def test_norm_and_scaling_apart() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (with_gradients(library, 3) for library in (nngrad, torch))
    norm = utils.get_total_norm([p.grad for p in ours if p.grad is not None], 1.0)
    expected = torch.nn.utils.get_total_norm([p.grad for p in theirs if p.grad is not None], 1.0)
    same(norm, expected)
    utils.clip_grads_with_norm_(ours, 0.5, norm)
    torch.nn.utils.clip_grads_with_norm_(theirs, 0.5, expected)
    for p, q in zip(ours, theirs):
        if q.grad is not None:
            same(p.grad, q.grad)


@pytest.mark.parametrize("bound", [0.3, 1])
def test_clip_grad_value(bound: float) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (with_gradients(library, 5) for library in (nngrad, torch))
    utils.clip_grad_value_(ours, bound)
    torch.nn.utils.clip_grad_value_(theirs, bound)
    for p, q in zip(ours, theirs):
        if q.grad is not None:
            same(p.grad, q.grad)


def test_parameters_as_a_vector() -> None:
    """There and back; gradients flow through it; each parameter has its own copy."""
    torch = pytest.importorskip("torch")
    ours, theirs = (with_gradients(library, 7) for library in (nngrad, torch))
    vector = utils.parameters_to_vector(ours)
    same(vector, torch.nn.utils.parameters_to_vector(theirs))
    (vector * vector).sum().backward()
    np.testing.assert_allclose(ours[1].grad.numpy(), 2 * ours[1].detach().numpy(), rtol=1e-6)
    values = nngrad.tensor(np.arange(float(vector.numel()) + 2, dtype=np.float32))
    utils.vector_to_parameters(values, iter(ours))
    torch.nn.utils.vector_to_parameters(torch.tensor(values.numpy().copy()), theirs)
    for p, q in zip(ours, theirs):
        same(p, q)
        assert p.requires_grad
        assert p.is_leaf
    values.add_(1.0)
    assert ours[0].tolist()[0][0] == 0.0


def test_vectors_that_do_not_fit_change_nothing() -> None:
    params = [nngrad.tensor([1.0, 2.0]), nngrad.tensor([3.0])]
    with pytest.raises(RuntimeError, match=r"shape \(2,\) does not hold the parameters' 3 elements"):
        utils.vector_to_parameters(nngrad.tensor([5.0, 6.0]), params)
    given: Any = [5.0, 6.0, 7.0]
    with pytest.raises(TypeError, match="got: list"):
        utils.vector_to_parameters(given, params)
    assert [p.tolist() for p in params] == [[1.0, 2.0], [3.0]]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("kind", ["Linear", "Conv2d", "ConvTranspose2d"])
def test_normalisations_put_into_the_layer_before(kind: str, affine: bool, bias: bool) -> None:
    nngrad.manual_seed(0)
    layer: Any
    norm: Any
    if kind == "Linear":
        layer, norm, x = nn.Linear(3, 4, bias), nn.BatchNorm1d(4, affine=affine), nngrad.randn(5, 3)
    else:
        layer = getattr(nn, kind)(3, 4, 2, bias=bias)
        norm, x = nn.BatchNorm2d(4, affine=affine), nngrad.randn(5, 3, 4, 4)
    both = nn.Sequential(layer, norm)
    for _ in range(2):
        both(x)
    if affine:
        nn.init.uniform_(norm.weight)
    both.eval()
    if kind == "Linear":
        fused = nn.utils.fusion.fuse_linear_bn_eval(layer, norm)
    else:
        fused = nn.utils.fusion.fuse_conv_bn_eval(layer, norm, transpose=kind == "ConvTranspose2d")
    np.testing.assert_allclose(fused(x).detach().numpy(), both(x).detach().numpy(), rtol=1e-4, atol=1e-5)
    with pytest.raises(RuntimeError, match="Fusion only for eval"):
        nn.utils.fuse_linear_bn_eval(layer.train(), norm)

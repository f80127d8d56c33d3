"""Layers, their functions and first values: PyTorch's, for the same seed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import nngrad
import nngrad.nn.functional as F
from nngrad import nn


def same(mine: Any, theirs: Any, rtol: float = 1e-6) -> None:
    assert tuple(mine.shape) == tuple(theirs.shape)
    assert str(mine.dtype).replace("nngrad", "torch") == str(theirs.dtype)
    np.testing.assert_allclose(mine.tolist(), theirs.tolist(), rtol=rtol, atol=1e-7)


class TestFirstValues:
    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("uniform_", {"a": -2.0, "b": 3.0}),
            ("normal_", {"mean": 1.0, "std": 0.5}),
            ("trunc_normal_", {"std": 2.0}),
            ("trunc_normal_", {"a": 1.5, "b": 2.0}),
            ("constant_", {"val": 0.3}),
            ("ones_", {}),
            ("zeros_", {}),
            ("eye_", {}),
            ("xavier_uniform_", {"gain": 2.0}),
            ("xavier_normal_", {}),
            ("kaiming_uniform_", {"a": 0.1}),
            ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
            ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}),
            ("orthogonal_", {"gain": 2.0}),
            ("sparse_", {"sparsity": 0.3, "std": 0.1}),
            ("dirac_", {}),
            ("dirac_", {"groups": 2}),
        ],
    )
    @pytest.mark.parametrize("shape", [(17, 23), (23, 17)])
    def test_are_pytorchs(self, name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
        torch = pytest.importorskip("torch")
        if name == "dirac_":
            shape = (shape[0] - 1, 3, shape[1], 4)
        nngrad.manual_seed(3)
        torch.manual_seed(3)
        parameter = nn.Parameter(nngrad.full(shape, 7.0))
        assert getattr(nn.init, name)(parameter, **options) is parameter
        theirs = getattr(torch.nn.init, name)(torch.full(shape, 7.0), **options)
        same(parameter, theirs, rtol=1e-3 if name == "orthogonal_" else 1e-5)
        assert parameter.requires_grad
        assert parameter.is_leaf

    def test_old_names_warn(self) -> None:
        for name in ("uniform", "normal", "eye", "xavier_uniform", "kaiming_normal", "orthogonal"):
            with pytest.warns(FutureWarning, match=rf"`nn.init.{name}` is now deprecated") as caught:
                getattr(nn.init, name)(nngrad.ones(2, 2))
            assert caught[0].filename == __file__

    def test_gains(self) -> None:
        torch = pytest.importorskip("torch")
        for kind in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
            assert nn.init.calculate_gain(kind) == torch.nn.init.calculate_gain(kind)
        assert nn.init.calculate_gain("leaky_relu", 0.2) == torch.nn.init.calculate_gain("leaky_relu", 0.2)
        with pytest.raises(ValueError, match="Unsupported nonlinearity"):
            nn.init.calculate_gain("gelu")  # type: ignore[arg-type]  # what the test is about
        with pytest.raises(ValueError, match="not a valid number"):
            nn.init.calculate_gain("leaky_relu", True)

    def test_errors_and_warnings(self) -> None:
        flat = nngrad.ones(3)
        for fill in (nn.init.xavier_uniform_, nn.init.xavier_normal_, nn.init.kaiming_normal_):
            with pytest.raises(ValueError, match="fewer than 2 dimensions"):
                fill(flat)
        for square in (nn.init.eye_, nn.init.orthogonal_):
            with pytest.raises(ValueError, match="dimensions"):
                square(flat)
        with pytest.raises(ValueError, match=r"sparse_.*2 dimensions"):
            nn.init.sparse_(flat, 0.5)
        with pytest.raises(ValueError, match=r"dirac_.*dimensions"):
            nn.init.dirac_(flat)
        with pytest.raises(ValueError, match="divisible by groups, got 3 and 2"):
            nn.init.dirac_(nngrad.ones(3, 1, 1), 2)
        with pytest.raises(ValueError, match="Mode sideways"):
            nn.init.kaiming_normal_(nngrad.ones(2, 2), mode="sideways")  # type: ignore[arg-type]  # the test
        with pytest.raises(ValueError, match="a < b"):
            nn.init.trunc_normal_(flat, a=2.0, b=1.0)
        assert flat.tolist() == [1, 1, 1]
        with pytest.warns(UserWarning, match="zero-element") as caught:
            nn.init.kaiming_uniform_(nngrad.ones(0, 2))
        assert caught[0].filename == __file__
        with pytest.warns(UserWarning, match="more than 2 std"):
            nn.init.trunc_normal_(nngrad.ones(2, 2), mean=5.0)
        nngrad.manual_seed(0)
        bounded = nn.init.trunc_normal_(nngrad.ones(100), std=3.0)
        assert -2 <= min(bounded.tolist()) < max(bounded.tolist()) <= 2

    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("sizes", [(3, 4), (100, 50)])
    def test_linear(self, bias: bool, sizes: tuple[int, int]) -> None:
        torch = pytest.importorskip("torch")
        nngrad.manual_seed(11)
        torch.manual_seed(11)
        mine = nn.Sequential(nn.Linear(*sizes, bias=bias), nn.Linear(2, 2, bias=bias))
        theirs = torch.nn.Sequential(torch.nn.Linear(*sizes, bias=bias), torch.nn.Linear(2, 2, bias=bias))
        for (name, a), (other, b) in zip(mine.state_dict().items(), theirs.state_dict().items(), strict=True):
            assert name == other
            same(a, b, rtol=0 if a.numel() else 1)
        x = np.random.default_rng(0).normal(size=(7, sizes[0])).astype(np.float32)
        np.testing.assert_allclose(
            mine[0](nngrad.tensor(x)).tolist(), theirs[0](torch.from_numpy(x)).tolist(), rtol=1e-4, atol=1e-6
        )

    def test_linear_dtype(self) -> None:
        layer = nn.Linear(2, 3, dtype=nngrad.float64)
        assert {p.dtype for p in layer.parameters()} == {nngrad.float64}
        assert nn.Linear(2, 3, bias=False).bias is None
        with pytest.raises(RuntimeError, match="device"):
            nn.Linear(2, 3, device="cuda")


class TestDropout:
    @pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
    def test_values_and_gradient(self, p: float) -> None:
        nngrad.manual_seed(5)
        x = nngrad.full((1000,), 2.0, requires_grad=True)
        out = nn.Dropout(p)(x)
        out.sum().backward()
        assert x.grad is not None
        kept = np.array(out.tolist()) != 0
        scale = 0 if p == 1 else 1 / (1 - p)
        np.testing.assert_allclose(out.tolist(), kept * 2 * scale, rtol=1e-6)
        np.testing.assert_allclose(x.grad.tolist(), kept * scale, rtol=1e-6)
        assert abs(kept.mean() - (1 - p)) < 0.05

    def test_a_seed_fixes_the_mask(self) -> None:
        layer, x = nn.Dropout(0.5), nngrad.ones(50)
        nngrad.manual_seed(1)
        first, second = layer(x).tolist(), layer(x).tolist()
        nngrad.manual_seed(1)
        assert layer(x).tolist() == first != second

    def test_not_in_evaluation(self) -> None:
        x = nngrad.ones(5)
        assert nn.Dropout().eval()(x) is x
        assert F.dropout(x, training=False) is x

    def test_in_place(self) -> None:
        x = nngrad.ones(100)
        assert nn.Dropout(inplace=True)(x) is x
        assert set(x.tolist()) == {0.0, 2.0}

    @pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
    def test_bad_probability(self, p: float) -> None:
        with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1"):
            nn.Dropout(p)
        with pytest.raises(ValueError, match="dropout probability"):
            F.dropout(nngrad.ones(1), p)


@pytest.mark.parametrize(
    "build",
    [
        lambda nn: nn.ReLU(),
        lambda nn: nn.Tanh(),
        lambda nn: nn.Sigmoid(),
        lambda nn: nn.Softmax(dim=1),
        lambda nn: nn.LogSoftmax(dim=-1),
        lambda nn: nn.Flatten(),
        lambda nn: nn.Flatten(0, 1),
        lambda nn: nn.Identity(1, a=2),
    ],
)
def test_layers_compute_what_pytorchs_do(build: Any) -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    mine, theirs = nngrad.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    a, b = build(nn)(mine), build(torch.nn)(theirs)
    same(a, b, rtol=1e-5)
    (a * a).sum().backward()
    (b * b).sum().backward()
    same(mine.grad, theirs.grad, rtol=1e-4)


def test_relu_in_place() -> None:
    x = nngrad.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x) is x
    assert x.tolist() == [0, 2]


@pytest.mark.parametrize(("shape", "dim"), [((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 3, 4, 5), 1)])
def test_softmax_without_a_dimension_warns_at_the_line(shape: tuple[int, ...], dim: int) -> None:
    x = nngrad.rand(*shape)
    for layer, function in ((nn.Softmax(), F.softmax), (nn.LogSoftmax(), F.log_softmax)):
        with pytest.warns(UserWarning, match="Implicit dimension choice") as caught:
            out = layer(x)
        assert caught[0].filename == __file__
        assert out.tolist() == function(x, dim).tolist()
    assert F.softmax(x, dim, dtype=nngrad.float64).dtype == nngrad.float64


class TestLosses:
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_cross_entropy(self, reduction: Any) -> None:
        torch = pytest.importorskip("torch")
        x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
        y, w = np.array([0, 2, 1, 1, 2]), np.array([1, 2, 3], np.float32)
        options: dict[str, Any] = {"ignore_index": 1, "reduction": reduction, "label_smoothing": 0.1}
        mine = nn.CrossEntropyLoss(nngrad.tensor(w), **options)
        theirs = torch.nn.CrossEntropyLoss(torch.tensor(w), **options)
        same(mine(nngrad.tensor(x), nngrad.tensor(y)), theirs(torch.tensor(x), torch.tensor(y)), rtol=1e-5)
        assert nn.CrossEntropyLoss().weight is None
        assert list(mine.state_dict()) == ["weight"]

    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_mse(self, reduction: Any) -> None:
        torch = pytest.importorskip("torch")
        x, y = (np.random.default_rng(i).normal(size=(5, 3)).astype(np.float32) for i in (0, 1))
        same(
            nn.MSELoss(reduction=reduction)(nngrad.tensor(x), nngrad.tensor(y)),
            torch.nn.MSELoss(reduction=reduction)(torch.tensor(x), torch.tensor(y)),
            rtol=1e-5,
        )

    def test_broadcasting_is_warned_of_at_the_line(self) -> None:
        x, y = nngrad.ones(5, 1), nngrad.ones(5)
        for loss in (nn.MSELoss(), F.mse_loss, nngrad.functional.mse_loss):
            with pytest.warns(UserWarning, match=r"\(5,\).*\(5, 1\)") as caught:
                loss(x, y)
            assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nn.MSELoss()(x, x)


def test_training_equals_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    y = np.random.default_rng(1).integers(0, 3, 20)

    def run(lib: Any) -> list[float]:
        lib.manual_seed(7)
        net = lib.nn.Sequential(lib.nn.Linear(5, 16), lib.nn.Tanh(), lib.nn.Linear(16, 3))
        loss_function, losses = lib.nn.CrossEntropyLoss(), []
        for _ in range(20):
            net.zero_grad()
            loss = loss_function(net(lib.tensor(x)), lib.tensor(y))
            loss.backward()
            with lib.no_grad():
                for p in net.parameters():
                    p -= 0.5 * p.grad
            losses.append(loss.item())
        return losses

    mine = run(nngrad)
    np.testing.assert_allclose(mine, run(torch), rtol=1e-4)
    assert mine[-1] < mine[0] / 2

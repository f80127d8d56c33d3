"""autograd.Function: against closed forms, and the same programs under PyTorch."""

from __future__ import annotations

import gc
import importlib
import weakref
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, func
from nngrad.autograd import Function
from nngrad.autograd.function import VmapInfo, once_differentiable


class Scaled(Function):
    """Two outputs, a number, saved inputs and a saved output."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, k: float) -> tuple[Tensor, Tensor]:
        product, total = x * y * k, x + y
        ctx.save_for_backward(x, y, product)
        return product, total

    @staticmethod
    def backward(ctx: Any, g: Tensor, h: Tensor) -> tuple[Tensor, Tensor, None]:
        x, y, product = ctx.saved_tensors
        return g * product / x + h, g * product / y + h, None


class Cube(Function):
    """The newer form: forward without ctx."""

    @staticmethod
    def forward(x: Tensor, by: float = 1.0) -> Tensor:
        return nngrad.from_numpy(x.numpy(force=True) ** 3 * by)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])
        ctx.by = inputs[1]

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return g * 3 * x * x * ctx.by, None

    @staticmethod
    def jvp(ctx: Any, t: Tensor, _: None) -> Tensor:
        (x,) = ctx.saved_tensors
        return t * 3 * x * x * ctx.by  # type: ignore[no-any-return]  # ctx is not typed


def leaf(*values: float) -> Tensor:
    return nngrad.tensor(values, dtype=nngrad.float64, requires_grad=True)


def test_several_outputs_are_differentiated_twice() -> None:
    x, y = leaf(1, 2), leaf(3, 4)
    product, total = Scaled.apply(x, y, 2)
    assert product.grad_fn.name() == total.grad_fn.name() == "ScaledBackward"
    assert product.grad_fn == total.grad_fn
    loss = (product * product).sum() + total.prod()
    gx, gy = nngrad.autograd.grad(loss, (x, y), create_graph=True)
    assert gx is not None
    assert gy is not None
    # loss = 4 x'x y'y + (x0 + y0)(x1 + y1)
    a, b = x.numpy(force=True), y.numpy(force=True)
    np.testing.assert_allclose(gx.numpy(force=True), 8 * a * b**2 + (a + b)[::-1])
    (second,) = nngrad.autograd.grad(gx.sum(), y)
    assert second is not None
    np.testing.assert_allclose(second.numpy(), 16 * a * b + 1)


def test_the_newer_form_with_numpy_inside() -> None:
    x = leaf(1, 2)
    y = Cube.apply(x, 2.0)
    assert y.grad_fn.name() == "CubeBackward"
    assert Cube.apply(x).tolist() == [1, 8]  # its default is given by forward
    assert Cube.apply(x, by=2.0).tolist() == y.tolist()
    (g,) = nngrad.autograd.grad(y.sum(), x, create_graph=True)
    assert g is not None
    (second,) = nngrad.autograd.grad(g.sum(), x)
    assert second is not None
    assert (g.tolist(), second.tolist()) == ([6, 24], [12, 24])


def test_transforms_of_functions() -> None:
    x = leaf(1, 2, 3).detach()

    def total(x: Tensor) -> Tensor:
        return Cube.apply(x).sum()  # type: ignore[no-any-return]  # apply is not typed

    assert func.grad(total)(x).tolist() == [3, 12, 27]
    assert func.jvp(Cube.apply, (x,), (nngrad.ones(3, dtype=nngrad.float64),))[1].tolist() == [3, 12, 27]
    assert func.vmap(func.grad(Cube.apply))(x).tolist() == [3, 12, 27]
    assert func.jacfwd(Cube.apply)(x).tolist() == func.jacrev(Cube.apply)(x).tolist()
    y = x + 1

    def both(x: Tensor, y: Tensor) -> Tensor:
        product, total = Scaled.apply(x, y, 2)
        return product * total  # type: ignore[no-any-return]  # apply is not typed

    expected = 2 * y * (2 * x + y)  # d 2xy(x + y) / dx
    np.testing.assert_allclose(func.vmap(func.grad(both))(x, y).numpy(), expected.numpy())
    tangent = func.jvp(both, (x, y), (nngrad.ones_like(x), nngrad.zeros_like(y)))[1]  # by its transpose
    np.testing.assert_allclose(tangent.numpy(), expected.numpy())


def test_a_rule_of_its_own_for_batches() -> None:
    seen: list[Any] = []

    class Doubled(Function):
        @staticmethod
        def forward(x: Tensor, y: Tensor) -> Tensor:
            assert x.ndim == 2, "called for the batch alone"
            return nngrad.from_numpy(x.numpy(force=True) * y.numpy(force=True))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
            x, y = ctx.saved_tensors
            return g * y, g * x

        @staticmethod
        def vmap(info: VmapInfo, in_dims: tuple[int | None, ...], *args: Any) -> Any:
            seen.append((info.batch_size, info.randomness, in_dims))
            return Doubled.apply(*args), 0

    x, y = nngrad.arange(6.0).reshape(3, 2), nngrad.ones(2) * 2
    assert func.vmap(Doubled.apply, in_dims=(0, None))(x, y).tolist() == (x * 2).tolist()
    assert seen == [(3, "error", (0, None))]

    def total(x: Tensor, y: Tensor) -> Tensor:
        return Doubled.apply(x, y).sum()  # type: ignore[no-any-return]  # apply is not typed

    gradient = func.vmap(func.grad(total), in_dims=(0, None))(x, y)
    assert gradient.tolist() == [[2, 2]] * 3


def test_in_place() -> None:
    class Double(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g * 2

    class Lost(Double):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.mark_dirty(x)
            return x.mul_(2) * 1

    x = leaf(1, 2)
    y = x * 1
    assert Double.apply(y) is y
    assert y.tolist() == [2, 4]
    assert y.grad_fn is not None
    assert y.grad_fn.name() == "DoubleBackward"
    (y * y).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [8, 16]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        Double.apply(x)
    with pytest.raises(RuntimeError, match=r"marked as dirty .* not returned"):
        Lost.apply(leaf(1) * 1)


def test_what_is_saved_does_not_change() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g * 2 * ctx.saved_tensors[0]  # type: ignore[no-any-return]  # ctx is not typed

    x = leaf(1, 2)
    y = x * 1
    z = Square.apply(y)
    y.zero_()
    z.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 4]


def test_nothing_keeps_a_function_alive() -> None:
    """No cycle arises from saved inputs and outputs: the graph goes with its last tensor."""
    x, y = leaf(1, 2), leaf(3, 4)
    gc.disable()
    try:
        product, total = Scaled.apply(x, y, 2)
        gone = weakref.ref(product.grad_fn._node)
        del product, total
        assert gone() is None
    finally:
        gc.enable()


def test_once_differentiable() -> None:
    class Once(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g * 2 * ctx.saved_tensors[0]  # type: ignore[no-any-return]  # ctx is not typed

    x = leaf(1, 2)
    (g,) = nngrad.autograd.grad((Once.apply(x) ** 2).sum(), x, create_graph=True)
    assert g is not None
    assert g.tolist() == [4, 32]
    with pytest.raises(RuntimeError, match="twice a function that was marked with @once_differentiable"):
        g.sum().backward()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (lambda g: g, r"incorrect number of gradients \(expected 3, got 1\)"),
        (lambda g: (g, g, None, g), r"incorrect number of gradients \(expected 3, got 4\)"),
        (
            lambda g: (g, nngrad.ones(3), None),
            r"invalid gradient at index 1 - got \[3\] but expected .* \[2\]",
        ),
        (lambda g: (g, g, g), "gradient different from None at position 2"),
        (lambda g: (2.0, g, None), "a Tensor or None as gradient 0, not float"),
    ],
)
def test_wrong_gradients_are_named(sent: Any, told: str) -> None:
    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, y: Tensor, n: int) -> Tensor:
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:
            return sent(g)

    with pytest.raises(RuntimeError, match=f"BadBackward .*{told}"):
        Bad.apply(leaf(1, 2), leaf(3, 4), 1).sum().backward()


def test_misuse() -> None:
    with pytest.raises(RuntimeError, match=r"call Cube.apply"):
        Cube()
    with pytest.raises(NotImplementedError, match="implement the forward"):
        Function.apply(leaf(1))

    class Saves(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(3)
            return x

    with pytest.raises(TypeError, match=r"save_for_backward .* argument 0 is of type int"):
        Saves.apply(leaf(1))

    class NoBackward(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 2

    with pytest.raises(NotImplementedError, match="either the backward or vjp"):
        NoBackward.apply(leaf(1)).backward()


def programs(torch: Any, log: list[Any]) -> None:
    """Functions as programs write them; what they see and give goes into the log."""
    autograd = torch.autograd

    def note(*things: Any) -> None:
        log.extend([t.detach().tolist() if isinstance(t, torch.Tensor) else t for t in things])

    class Several(autograd.Function):  # type: ignore[misc,name-defined]  # of either package
        @staticmethod
        def forward(ctx: Any, x: Any, flag: bool, y: Any) -> Any:
            ctx.set_materialize_grads(flag)
            chosen = (x > 1.5).long()
            ctx.mark_non_differentiable(chosen)
            note(ctx.needs_input_grad, torch.is_grad_enabled())
            return x * 2, y * 3, chosen, None

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            note(*gs, torch.is_grad_enabled())
            return (
                None if gs[0] is None else gs[0] * 2,
                None,
                None if gs[1] is None else gs[1] * torch.ones(3, 1, 2),
            )

    class Saved(autograd.Function):  # type: ignore[misc,name-defined]  # of either package
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(x, None, y, x * 2)
            ctx.count = 3
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, nothing, y, twice = ctx.saved_tensors
            note(x, nothing, y, twice, x.requires_grad, y.requires_grad, ctx.count, ctx.needs_input_grad)
            return g * y

    for materialize in (True, False):
        for which in (0, 1):
            x = torch.tensor([1.0, 2.0], requires_grad=True)
            y = torch.ones(1, 2, requires_grad=True)
            outs = Several.apply(x, materialize, y)
            note(outs[2], outs[2].requires_grad, outs[3], outs[0].grad_fn.name())
            outs[which].sum().backward()
            note(x.grad, y.grad)
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    (g,) = autograd.grad(Saved.apply(x).sum(), x, create_graph=True)
    note(g, g.requires_grad)
    note(*autograd.grad((g * g).sum(), x))
    with torch.no_grad():
        note(Saved.apply(x).requires_grad)
    note(Saved.apply(x.detach()).requires_grad)
    note(isinstance(autograd.Variable(x), torch.Tensor), isinstance(x, autograd.Variable))
    told = r"'SqrtBackward0' returned nan values in its 0th output"
    x = torch.zeros(1, requires_grad=True)
    with pytest.raises(RuntimeError, match=told), autograd.detect_anomaly():
        torch.where(x > 0, x.sqrt(), x).sum().backward()


@pytest.mark.filterwarnings("ignore:Anomaly Detection", "ignore:Error detected in Sqrt")
def test_programs_see_what_they_see_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    ours: list[Any] = []
    theirs: list[Any] = []
    programs(nngrad, ours)
    programs(torch, theirs)
    assert len(ours) == len(theirs) > 60
    for a, b in zip(ours, theirs):
        assert a == b or np.allclose(a, b, rtol=1e-6), (a, b)


def test_anomalies_are_looked_for_only_while_asked() -> None:
    x = leaf(0.0)

    def bad() -> Tensor:
        return nngrad.where(x > 0, x.sqrt(), x).sum()

    bad().backward()
    with nngrad.autograd.detect_anomaly(check_nan=False):
        bad().backward()
    with nngrad.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="SqrtBackward0"):
        bad().backward()
    bad().backward()


def test_the_module_paths_of_pytorch() -> None:
    for name in ("autograd.function", "autograd.functional", "utils.checkpoint", "func"):
        importlib.import_module(f"nngrad.{name}")

"""gradcheck and gradgradcheck: what they find, and what they say."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, nn
from nngrad.autograd import Function, GradcheckError, gradcheck, gradgradcheck


def double(*shape: int, seed: int = 0) -> Tensor:
    values = np.random.default_rng(seed).normal(size=shape)
    return nngrad.tensor(values, requires_grad=True)


def both(x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    return nngrad.tanh(x @ w.t()), (x * w).sum()


class Wrong(Function):
    """x * y and sum(x), with a derivative that is wrong at one element of x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x, y)
        return x * y, x.sum()

    @staticmethod
    def backward(ctx: Any, g: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        x, y = ctx.saved_tensors
        slope = nngrad.ones_like(x)
        slope[0, 1] = 1.5
        return g * y + h * slope, g * x


@pytest.mark.parametrize("fast_mode", [False, True])
def test_right_derivatives(fast_mode: bool) -> None:
    x, w = double(2, 3), double(2, 3, seed=1)
    before = x.tolist()
    assert gradcheck(both, (x, w), fast_mode=fast_mode)
    assert gradgradcheck(both, (x, w), fast_mode=fast_mode)
    assert gradcheck(both, (x, w), check_forward_ad=True, check_batched_grad=True, check_grad_dtypes=True)
    assert gradgradcheck(both, (x, w), check_fwd_over_rev=True, gen_non_contig_grad_outputs=True)
    assert gradcheck(both, (x, w.detach()), check_backward_ad=False, check_forward_ad=True)
    assert (x.tolist(), x.grad) == (before, None)


def test_what_is_empty_constant_or_no_tensor() -> None:
    assert gradcheck(lambda x: x * 2, (double(0, 2),))
    assert gradcheck(nngrad.sin, double())
    assert gradcheck(lambda x: nngrad.ones(2), (double(2),))
    assert gradcheck(lambda x, n: (x**n, n, x > 0), (double(2), 3))
    assert gradgradcheck(lambda x: x * x, double(2), nngrad.ones(2, dtype=nngrad.float64))


def test_parameters_of_a_module() -> None:
    """They are moved where they are, so it does not matter that the function does not use its arguments."""
    module = nn.Linear(3, 2).double()
    x = double(2, 3)
    assert gradcheck(lambda x, *_: module(x).tanh(), (x, *module.parameters()))


def test_the_element_is_named() -> None:
    x, y = double(2, 3), double(2, 3, seed=1)
    told = (
        r"Jacobian mismatch for output 1 with respect to input 0: largest at element \(\) of the output and "
        r"\(0, 1\) of the input, where the numerical derivative is 1 and the analytical 1.5\nnumerical:tensor"
    )
    with pytest.raises(GradcheckError, match=told):
        gradcheck(Wrong.apply, (x, y))
    with pytest.raises(GradcheckError, match="output 1 with respect to input 0 in fast mode"):
        gradcheck(Wrong.apply, (x, y), fast_mode=True)
    assert not gradcheck(Wrong.apply, (x, y), raise_exception=False)
    assert gradcheck(Wrong.apply, (x.detach(), y))


def test_a_graph_that_is_cut() -> None:
    with pytest.raises(GradcheckError, match="output 0 with respect to input 0"):
        gradcheck(lambda x: x.detach() * 2, double(2))


def test_a_second_derivative_that_is_missing() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.x = x.detach()
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            return g * 2 * ctx.x  # type: ignore[no-any-return]  # ctx is not typed

    assert gradcheck(Square.apply, double(2))
    with pytest.raises(GradcheckError, match="mismatch"):
        gradgradcheck(Square.apply, double(2))


def test_a_backward_that_depends_on_chance_or_is_not_linear() -> None:
    factors = iter(np.linspace(1.0, 1.0 + 1e-5, 1000))

    class Bad(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor, how: str) -> Tensor:
            ctx.how = how
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
            return (g * next(factors) if ctx.how == "chance" else g + 1e-6), None

    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(Bad.apply, (double(2), "chance"))
    assert gradcheck(Bad.apply, (double(2), "chance"), nondet_tol=1e-3)
    with pytest.raises(GradcheckError, match="undefined output grads"):
        gradcheck(Bad.apply, (double(2), "affine"))
    assert gradcheck(Bad.apply, (double(2), "affine"), check_undefined_grad=False)


def test_misuse() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(nngrad.sin, double(2).detach())
    with pytest.raises(AssertionError, match="check_forward_ad or check_backward_ad"):
        gradcheck(nngrad.sin, double(2), check_backward_ad=False)
    with pytest.warns(
        UserWarning, match=re.escape("Input #0 requires gradient and is not a double precision")
    ):
        assert not gradcheck(nngrad.exp, nngrad.ones(2, requires_grad=True), raise_exception=False)


def programs(torch: Any) -> list[Any]:
    """What is right and what is wrong, by either package."""
    check, checkcheck = torch.autograd.gradcheck, torch.autograd.gradgradcheck
    x = torch.tensor([[0.5, -1.0], [2.0, 0.25]], dtype=torch.float64, requires_grad=True)
    answers = []
    for function in (
        lambda x: x.exp().sum(0),
        lambda x: (x.detach() * x, x.relu()),
        lambda x: torch.where(x > 0, x, x.detach() * 2),
        lambda x: torch.nn.functional.softmax(x, -1),
        lambda x: torch.nn.functional.layer_norm(x, (2,)),
    ):
        for test in (check, checkcheck):
            for options in ({}, {"fast_mode": True}, {"check_batched_grad": True}):
                answers.append(test(function, (x,), raise_exception=False, **options))  # noqa: PERF401
    return answers


def test_the_answers_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    ours = programs(nngrad)
    assert ours == programs(torch)
    assert set(ours) == {True, False}

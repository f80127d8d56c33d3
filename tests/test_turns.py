"""Shapes changed in place: `t_`, `squeeze_` and their kin, with views before and after, as in PyTorch."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, no_grad

Step = Callable[[Any], Any]

TURNS: dict[str, tuple[tuple[int, ...], Step]] = {
    "squeeze_": ((1, 3, 1), lambda x: x.squeeze_()),
    "squeeze_-dim": ((1, 3, 1), lambda x: x.squeeze_(dim=-1)),
    "squeeze_-dims": ((1, 3, 1), lambda x: x.squeeze_((0, 1))),
    "unsqueeze_": ((3, 2), lambda x: x.unsqueeze_(1)),
    "unsqueeze_-last": ((3, 2), lambda x: x.unsqueeze_(dim=-1)),
    "t_": ((3, 2), lambda x: x.t_()),
    "transpose_": ((3, 1, 2), lambda x: x.transpose_(0, -1)),
    "transpose_-names": ((3, 2), lambda x: x.transpose_(dim0=1, dim1=0)),
    "swapaxes_": ((3, 1, 2), lambda x: x.swapaxes_(0, 2)),
    "swapdims_": ((3, 1, 2), lambda x: x.swapdims_(dim0=-2, dim1=-1)),
}


def story(lib: Any, shape: tuple[int, ...], turn: Step, of: str) -> list[Any]:
    """What there is to see of a tensor, its base and other views when its shape changes."""
    w = lib.arange(1.0, 1.0 + 2 * np.prod(shape), dtype=lib.float64).reshape(2, *shape).requires_grad_()
    base = w * 1.0
    before = base[1, ..., :1]
    x = base[1] if of == "view" else base
    if of == "base":
        x = base = (w * 1.0)[0] * 2.0
        before = x[1:]
    told: list[Any] = [turn(x) is x, x.is_leaf]
    x.mul_(3.0)
    after = x[0]
    base += 1.0
    before.mul_(2.0)
    after.add_(10.0)
    (x.sin().sum() + (2 * before.sin()).sum() + (3 * base).sum()).backward()
    return told + [a.detach().numpy() for a in (x, base, before, after, w.grad)]


@pytest.mark.parametrize("of", ["view", "base"])
@pytest.mark.parametrize("name", TURNS)
def test_views_and_base_stay_in_step(name: str, of: str) -> None:
    torch = pytest.importorskip("torch")
    for ours, theirs in zip(story(nngrad, *TURNS[name], of), story(torch, *TURNS[name], of), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, strict=True)


@pytest.mark.parametrize("name", TURNS)
def test_a_leaf_that_requires_grad_refuses(name: str) -> None:
    shape, turn = TURNS[name]
    x = nngrad.ones(*shape, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used"):
        turn(x)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        turn(x[None][0])
    assert x.shape == shape
    with no_grad():
        turn(x)
    assert x.is_leaf
    assert x.requires_grad
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.shape == x.shape
    assert x.shape == turn(nngrad.ones(*shape)).shape


def test_wrong_dimensions_change_nothing() -> None:
    x = nngrad.ones(2, 3, 4)
    with pytest.raises(RuntimeError):
        x.t_()
    with pytest.raises(IndexError):
        x.transpose_(0, 3)
    with pytest.raises(IndexError):
        x.unsqueeze_(4)
    assert x.shape == (2, 3, 4)
    assert x._view is None


def test_what_follows_a_turned_tensor() -> None:
    x = nngrad.arange(6.0).reshape(2, 3).clone()
    kept, row = x.detach(), x[1]
    x.t_()
    x[2, 1] = 50.0
    assert kept.tolist() == [[0, 1, 2], [3, 4, 50]]
    assert row.tolist() == [3, 4, 50]
    kept[0] = 7.0
    assert x.tolist() == [[7, 3], [7, 4], [7, 50]]
    x.t_()  # as it was
    assert x.is_contiguous()
    assert x.tolist() == kept.tolist()
    x.unsqueeze_(0).requires_grad_()
    (x * 2).sum().backward()
    assert x.grad is not None
    assert x.grad.shape == (1, 2, 3)


def test_a_turned_tensor_can_leave_the_graph() -> None:
    w = nngrad.ones(3, 2, requires_grad=True)
    x = w * 2
    before = x[0]
    assert x.t_().detach_() is x
    assert x.is_leaf
    assert before.requires_grad
    x.fill_(5.0)
    assert before.tolist() == [5, 5]
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        (w * 2)[0].unsqueeze_(0).detach_()


def test_views_of_a_leaf_keep_their_way_to_its_gradient() -> None:
    x = nngrad.arange(6.0).reshape(3, 2).clone().requires_grad_()
    row = x[1]
    with no_grad():
        x.t_()
        x[1, 1] = 50.0
    assert row.tolist() == [2, 50]
    (row * nngrad.tensor([1.0, 2.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 1, 0], [0, 2, 0]]


def test_views_from_before_it_became_a_leaf() -> None:
    x = nngrad.arange(6.0).reshape(3, 2).clone()
    before = x[0]
    x.t_().requires_grad_()
    between = x[0]
    with no_grad():
        x.unsqueeze_(0)
        x.mul_(2.0)
    assert before.tolist() == [0, 2]
    assert not before.requires_grad
    assert between.tolist() == [0, 4, 8]
    between.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[1, 1, 1], [0, 0, 0]]]


def test_under_no_grad_the_gradient_still_finds_its_way() -> None:
    w = nngrad.ones(3, 2, requires_grad=True)
    x = w * 2
    with no_grad():
        x.t_()
    (x * nngrad.arange(6.0).reshape(2, 3)).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [[0, 6], [2, 8], [4, 10]]


# ---------------------------------------------------------------- at random


def any_view(r: random.Random, x: Any) -> Step:
    steps: list[Step] = [lambda y: y.unsqueeze(-1), lambda y: y.squeeze(), lambda y: y.detach()]
    if x.dim() and x.shape[0]:
        i = r.randrange(x.shape[0])
        steps += [lambda y: y[i], lambda y: y[i:], lambda y: y[..., ::2]]
    if x.dim() >= 2:
        steps += [lambda y: y.transpose(0, -1), lambda y: y.mT]
    return r.choice(steps)


def any_write(r: random.Random, x: Any) -> Step:
    number = round(r.uniform(-2, 2), 3)
    steps: list[Step] = [lambda y: y.mul_(number), lambda y: y.add_(number), lambda y: y.sin_()]
    if x.dim() and x.shape[0]:
        i = r.randrange(x.shape[0])
        steps += [lambda y: y.__setitem__(i, number), lambda y: y[i].mul_(number)]
    return r.choice(steps)


def any_turn(r: random.Random, x: Any) -> Step:
    steps: list[Step] = [lambda y: y.squeeze_()]
    if x.dim() < 4:
        steps += [lambda y: y.unsqueeze_(0), lambda y: y.unsqueeze_(-1)]
    if x.dim() <= 2:
        steps.append(lambda y: y.t_())
    if x.dim() >= 2:
        steps += [lambda y: y.transpose_(0, 1), lambda y: y.swapaxes_(0, -1), lambda y: y.swapdims_(-1, -2)]
    return r.choice(steps)


def attempt(step: Step, x: Any, mode: Any) -> Any:
    with mode:
        try:
            return step(x)
        except RuntimeError:
            return RuntimeError


@pytest.mark.parametrize("seed", range(60))
def test_any_family_of_views_is_pytorchs(seed: int) -> None:
    torch = pytest.importorskip("torch")
    r = random.Random(seed)
    start = np.random.default_rng(seed).normal(size=r.choice([(2, 3), (3,), (2, 1, 3), ()]))
    leaf, twin = nngrad.tensor(start, requires_grad=True), torch.tensor(start, requires_grad=True)
    ours: list[Tensor] = [leaf * 1.5]
    theirs: list[Any] = [twin * 1.5]
    for _ in range(20):
        i, kind = r.randrange(len(ours)), r.choice([any_view, any_write, any_turn])
        step = kind(r, theirs[i])
        outside = r.random() < 0.2 and kind is any_write
        a = attempt(step, ours[i], no_grad() if outside else contextlib.nullcontext())
        b = attempt(step, theirs[i], torch.no_grad() if outside else contextlib.nullcontext())
        assert (a is RuntimeError) == (b is RuntimeError)
        if kind is any_view:
            ours.append(a)
            theirs.append(b)
        for x, y in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(
                x.detach().numpy(), y.detach().numpy(), rtol=1e-10, atol=1e-12, strict=True
            )
            assert x.requires_grad == y.requires_grad

    def total(tensors: list[Any]) -> Any:
        return sum([(x.sin() * (k + 1)).sum() for k, x in enumerate(tensors)])

    total(ours).backward()
    assert leaf.grad is not None
    try:
        total(theirs).backward()
    except RuntimeError:
        return  # "modified by an inplace operation": NNGrad still has the value
    np.testing.assert_allclose(leaf.grad.numpy(), twin.grad.numpy(), rtol=1e-10, atol=1e-12)

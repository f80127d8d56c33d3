"""Hooks around a step, and around saving and loading."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import nngrad
from nngrad import Tensor, optim


def prepared(kind: type[Any] = optim.SGD) -> tuple[Tensor, Any]:
    p = nngrad.tensor([1.0], requires_grad=True)
    p.grad = nngrad.tensor([1.0])
    return p, kind([p], lr=0.5)


def test_hooks_run_in_order_and_go_when_removed() -> None:
    p, optimizer = prepared()
    told: list[Any] = []

    def tell(name: str) -> Callable[..., None]:
        return lambda *given: told.append((name, p.item(), *given[1:]))

    handles = [
        optimizer.register_step_pre_hook(tell("before")),
        optimizer.register_step_post_hook(tell("after")),
        optim.register_optimizer_step_pre_hook(tell("before every")),
        optim.register_optimizer_step_post_hook(tell("after every")),
    ]
    optimizer.step()
    nothing: tuple[Any, ...] = ((optimizer,), {})  # as PyTorch has it
    assert told == [
        ("before every", 1.0, *nothing),
        ("before", 1.0, *nothing),
        ("after", 0.5, *nothing),
        ("after every", 0.5, *nothing),
    ]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert len(told) == 4
    assert p.item() == 0.0


def test_a_hook_may_give_other_arguments() -> None:
    p, optimizer = prepared()
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((), {"closure": lambda: "its loss"}))
    assert optimizer.step() == "its loss"
    assert p.item() == 0.5
    handle.remove()
    optimizer.register_step_pre_hook(lambda o, args, kwargs: (1, 2, 3))
    with pytest.raises(
        RuntimeError, match=r"None or a tuple of \(new_args, new_kwargs\), but got \(1, 2, 3\)"
    ):
        optimizer.step()
    assert p.item() == 0.5


def test_a_step_of_ones_own_has_hooks_once() -> None:
    class Mine(optim.SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    p, optimizer = prepared(Mine)
    calls: list[str] = []
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    optimizer.step()
    assert calls == ["before", "after"]
    assert p.item() == 0.5


def test_hooks_around_the_state() -> None:
    _, optimizer = prepared()
    told: list[str] = []
    optimizer.register_state_dict_pre_hook(lambda o: told.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: told.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "version": 3})
    saved = optimizer.state_dict()
    assert told == ["first", "second"]
    assert saved["version"] == 3
    other = prepared()[1]
    faster = copy.deepcopy(saved)
    faster["param_groups"][0]["lr"] = 2.0
    other.register_load_state_dict_pre_hook(lambda o, given: faster)
    other.register_load_state_dict_post_hook(lambda o: told.append("loaded"))
    other.load_state_dict(saved)
    assert told[-1] == "loaded"
    assert other.param_groups[0]["lr"] == 2.0
    assert saved["param_groups"][0]["lr"] == 0.5


def test_copies_have_no_hooks() -> None:
    _, optimizer = prepared()
    calls: list[int] = []
    optimizer.register_step_pre_hook(lambda *_: calls.append(1))
    copy.deepcopy(optimizer).step()
    assert calls == []

"""L-BFGS against PyTorch, with and without its line search."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, optim

OPTIONS: list[dict[str, Any]] = [
    {"lr": 0.05},
    {"lr": 0.05, "max_iter": 1},
    {"lr": 0.05, "max_iter": 6, "history_size": 2},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 0.1, "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "max_iter": 7, "max_eval": 9, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 5},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.5},
    {"lr": 0.05, "tolerance_change": 1e-2},
]


class Problem:
    """A small fit of a curve, and its optimiser."""

    def __init__(self, library: Any, options: dict[str, Any], dtype: str = "float64") -> None:
        rng = np.random.default_rng(0)
        self.x, self.y = (library.tensor(rng.standard_normal((12, n)).astype(dtype)) for n in (5, 3))
        self.params = [
            library.tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True)
            for shape in ((5, 3), (3,))
        ]
        self.unused = library.tensor(np.ones(2, dtype), requires_grad=True)
        self.optimizer = library.optim.LBFGS([*self.params, self.unused], **options)

    def closure(self) -> Any:
        self.optimizer.zero_grad()
        w, b = self.params
        loss = (((self.x @ w).tanh() * 2 + b - self.y) ** 2).sum() + (w**4).sum() * 0.1
        loss.backward()
        return loss

    def train(self, steps: int) -> list[float]:
        return [self.optimizer.step(self.closure).item() for _ in range(steps)]

    def values(self) -> list[Any]:
        return [p.detach().numpy().copy() for p in self.params]


def alike(ours: Problem, theirs: Problem, rtol: float = 1e-6) -> None:
    for a, b in zip(ours.values(), theirs.values()):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_steps_are_pytorchs(options: dict[str, Any]) -> None:
    """Losses, parameters and all that is remembered, after some steps."""
    torch = pytest.importorskip("torch")
    ours, theirs = Problem(nngrad, options), Problem(torch, options)
    np.testing.assert_allclose(ours.train(5), theirs.train(5), rtol=1e-7)
    alike(ours, theirs)
    a, b = (problem.optimizer.state_dict()["state"][0] for problem in (ours, theirs))
    assert (a["func_evals"], a["n_iter"]) == (b["func_evals"], b["n_iter"])
    assert a.keys() == b.keys() - {"al"}
    assert len(a["old_dirs"]) == len(b["old_dirs"])
    assert all(isinstance(x, Tensor) for kind in ("old_dirs", "old_stps", "ro") for x in a[kind])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_arrives(dtype: str) -> None:
    """Rosenbrock's valley, to the precision of the dtype."""
    p = nngrad.tensor(np.array([-1.2, 1.0], dtype), requires_grad=True)
    optimizer = optim.LBFGS([p], line_search_fn="strong_wolfe", max_iter=100)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(p.detach().numpy(), 1.0, atol=1e-3 if dtype == "float32" else 1e-4)


def as_torch(torch: Any, value: Any) -> Any:
    """A state_dict with PyTorch's tensors."""
    if isinstance(value, Tensor):
        return torch.tensor(value.numpy().copy())
    if isinstance(value, dict):
        return {key: as_torch(torch, x) for key, x in value.items()}
    return [as_torch(torch, x) for x in value] if isinstance(value, list) else value


@pytest.mark.parametrize("options", OPTIONS[2:5], ids=str)
def test_state_goes_both_ways(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = Problem(nngrad, options), Problem(torch, options)
    ours.train(2)
    theirs.train(2)
    later, their_later = Problem(nngrad, options), Problem(torch, options)
    with torch.no_grad():
        for p, q, r in zip(later.params, their_later.params, ours.values()):
            p.data = nngrad.tensor(r)
            q.copy_(torch.tensor(r))
    later.optimizer.load_state_dict(theirs.optimizer.state_dict())
    their_later.optimizer.load_state_dict(as_torch(torch, ours.optimizer.state_dict()))
    expected = ours.train(2)
    np.testing.assert_allclose(later.train(2), expected, rtol=1e-7)
    np.testing.assert_allclose(their_later.train(2), expected, rtol=1e-7)


def test_copies_and_earlier_values() -> None:
    """A copy trains alike; arrays that were taken keep their values."""
    problem = Problem(nngrad, {"line_search_fn": "strong_wolfe"})
    problem.train(1)
    taken = [(p.detach().numpy(), p.detach().numpy().tobytes()) for p in problem.params]
    other = copy.deepcopy(problem)
    assert pickle.loads(pickle.dumps(problem.optimizer)).state_dict()["state"][0]["n_iter"] > 0
    assert other.train(2) == problem.train(2)
    assert all(array.tobytes() == before for array, before in taken)


def test_where_there_is_nothing_to_do_one_evaluation_is_enough() -> None:
    p = nngrad.tensor([0.0], requires_grad=True)
    optimizer = optim.LBFGS([p])
    calls = []

    def closure() -> Tensor:
        calls.append(1)
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with nngrad.no_grad():
        assert optimizer.step(closure).item() == 0.0
    assert len(calls) == 1


def test_errors() -> None:
    p, q = (nngrad.tensor([1.0], requires_grad=True) for _ in range(2))
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optim.LBFGS([p], lr=-1)
    with pytest.raises(ValueError, match="doesn't support per-parameter options"):
        optim.LBFGS([{"params": p}, {"params": q}])
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optim.LBFGS([p], line_search_fn="armijo").step(lambda: 1.0)
    with pytest.raises(TypeError, match="closure"):
        optim.LBFGS([p]).step()  # type: ignore[call-arg]

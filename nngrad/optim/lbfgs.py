"""L-BFGS: steps by an approximation of Newton's, each with a line search if wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..functional.dtypes import Array
from ..functional.elementary import silent
from ..functional.node import grad_mode
from ..functional.optim.formula import as_real, require
from ..functional.optim.lbfgs import History, Point, direction, remember, strong_wolfe
from ..lifting import wrap
from ..tensor import Tensor, node_from
from .flat import number
from .optimizer import Optimizer, Params, call_closure

R = TypeVar("R")


class LBFGS(Optimizer):
    """Limited-memory BFGS, as `torch.optim.LBFGS`: a step is up to `max_iter` iterations.

    max_eval: how often the closure is called at most; 1.25 * max_iter if None. tolerance_grad,
    tolerance_change: below them it has arrived. history_size: how many steps are remembered.
    line_search_fn: "strong_wolfe", or None for steps of length lr.
    Raises ValueError for a negative rate or several groups of parameters.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        require(number(lr) >= 0, "learning rate", lr)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @silent
    def step(self, closure: Callable[[], R]) -> R:  # type: ignore[override]  # it cannot do without
        """Up to `max_iter` iterations. `closure` clears the gradients, computes the loss, calls backward.

        What its first call returned is returned. Raises RuntimeError for an unknown line search.
        """
        group = self.param_groups[0]
        params: list[Tensor] = group["params"]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        lr, most = number(group["lr"]), group["max_iter"]
        state = self.state[params[0]]  # where PyTorch keeps all of it
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = _call(closure)
        at = Point(0, float(first), _gradient(params), 0)  # type: ignore[arg-type]  # a loss is a number
        state["func_evals"] += 1
        arrived = _largest(at.gradient) <= group["tolerance_grad"]
        if arrived:
            return first
        d, t, before = _array(state.get("d")), _array(state.get("t")), _array(state.get("prev_flat_grad"))
        kept = [tuple(map(_array, state.get(name, ()))) for name in ("old_dirs", "old_stps", "ro")]
        history = History(kept[0], kept[1], kept[2], _array(state.get("H_diag", 1)))
        last, evals = at.value, 1
        for n in range(1, most + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                d, history = -at.gradient, History()
                t = min(1.0, 1.0 / np.abs(at.gradient).sum()) * lr
            else:
                history = remember(history, at.gradient - before, d * t, group["history_size"])
                d, t = direction(at.gradient, history), lr
            before, last = at.gradient, at.value
            slope = np.dot(before, d)
            if slope > -group["tolerance_change"]:
                break
            x, tried = _flat([p.node._value for p in params]), 0

            def evaluate(t: Any, x: Array = x, d: Array = d) -> Point:
                _place(params, x + t * d)
                value = float(_call(closure))  # type: ignore[arg-type]
                gradient = _gradient(params)
                return Point(t, value, gradient, np.dot(gradient, d))

            if group["line_search_fn"] is not None:
                start = at._replace(t=0, slope=slope)
                at, tried = strong_wolfe(evaluate, start, t, _largest(d), group["max_eval"] - evals)
                t = at.t
                _place(params, x + t * d)
            elif n == most:  # what comes next calls the closure first
                _place(params, x + t * d)
            else:
                at, tried = evaluate(t), 1
            evals += tried
            state["func_evals"] += tried
            if (
                evals >= group["max_eval"]
                or _largest(at.gradient) <= group["tolerance_grad"]
                or _largest(d * t) <= group["tolerance_change"]
                or abs(at.value - last) < group["tolerance_change"]
            ):
                break
        state.update(d=_kept(d), t=_kept(t), H_diag=_kept(history.scale), prev_loss=last)
        state["prev_flat_grad"] = _kept(before)
        for name, values in zip(("old_dirs", "old_stps", "ro"), history):
            state[name] = [_kept(value) for value in values]
        return first


def _call(closure: Callable[[], R]) -> R:
    loss: Any = call_closure(closure)
    result: R = loss
    return result


def _largest(x: Array) -> Any:
    return np.abs(x).max(initial=0.0)


def _flat(values: list[Array]) -> Array:
    """All elements side by side, complex ones as two numbers."""
    return np.concatenate([as_real(np.ravel(value)) for value in values])


def _gradient(params: list[Tensor]) -> Array:
    return _flat([np.zeros_like(p.node._value) if p._grad is None else p._grad.node._value for p in params])


def _place(params: list[Tensor], flat: Array) -> None:
    """Give the parameters the values in a flat array."""
    token = grad_mode.set(False)
    try:
        start = 0
        for p in params:
            old = p.node._value
            stop = start + as_real(old.reshape(-1)).size
            part = flat[start:stop].astype(old.real.dtype)
            p.copy_(wrap(node_from(part.view(old.dtype).reshape(old.shape))))
            start = stop
    finally:
        grad_mode.reset(token)


def _kept(value: Any) -> Any:
    """An array or a NumPy number as state: a tensor."""
    return wrap(node_from(np.asarray(value))) if isinstance(value, (np.ndarray, np.generic)) else value


def _array(value: Any) -> Any:
    """A piece of state as an array or a NumPy number."""
    return value.node._value[()] if isinstance(value, Tensor) else value

"""Functions of lists of tensors give what PyTorch's give; and others that libraries ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad

ng: Any = nngrad  # what is told to type checkers has no _foreach_ functions


def lists(t: Any) -> tuple[list[Any], list[Any]]:
    return [t.tensor([1.0, 4.0]), t.tensor([[0.25]])], [t.tensor([2.0, 0.5]), t.tensor([[3.0]])]


CASES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda t, a, b: t._foreach_add(a, b, alpha=2),
    "add a number": lambda t, a, b: t._foreach_add(a, 1.5),
    "add numbers": lambda t, a, b: t._foreach_add(a, [1.5, 2.5]),
    "add_": lambda t, a, b: t._foreach_add_(a, b, alpha=-1),
    "mul_": lambda t, a, b: t._foreach_mul_(a, 0.5),
    "mul_ by a tensor": lambda t, a, b: t._foreach_mul_(a, t.tensor(0.5)),
    "div": lambda t, a, b: t._foreach_div(a, b),
    "sub_": lambda t, a, b: t._foreach_sub_(a, b),
    "sqrt": lambda t, a, b: t._foreach_sqrt(a),
    "neg_": lambda t, a, b: t._foreach_neg_(a),
    "pow": lambda t, a, b: t._foreach_pow(a, 2),
    "maximum_": lambda t, a, b: t._foreach_maximum_(a, b),
    "maximum of a number": lambda t, a, b: t._foreach_maximum(a, 0.5),
    "minimum_ of a number": lambda t, a, b: t._foreach_minimum_(a, 0.5),
    "clamp_min": lambda t, a, b: t._foreach_clamp_min(a, 0.5),
    "addcmul_": lambda t, a, b: t._foreach_addcmul_(a, b, b, value=0.5),
    "addcmul_ by position": lambda t, a, b: t._foreach_addcmul_(a, b, b, 0.5),
    "addcdiv_ by scales": lambda t, a, b: t._foreach_addcdiv_(a, b, b, [0.5, 2.0]),
    "lerp_": lambda t, a, b: t._foreach_lerp_(a, b, 0.25),
    "lerp": lambda t, a, b: t._foreach_lerp(a, b, b),
    "norm": lambda t, a, b: t._foreach_norm(a),
    "norm of order 1": lambda t, a, b: t._foreach_norm(a, 1),
    "max": lambda t, a, b: t._foreach_max(a),
    "copy_": lambda t, a, b: t._foreach_copy_(a, b),
    "zero_": lambda t, a, b: t._foreach_zero_(a),
    "clone": lambda t, a, b: t._foreach_clone(a),
    "too few": lambda t, a, b: t._foreach_add(a, b[:1]),
}


@pytest.mark.parametrize("name", CASES)
def test_foreach(name: str) -> None:
    def told(t: Any) -> Any:
        a, b = lists(t)
        try:
            given = CASES[name](t, a, b)
        except RuntimeError:
            return RuntimeError
        return None if given is None else [np.asarray(x) for x in given], [np.asarray(x) for x in a]

    ours, theirs = told(ng), told(pytest.importorskip("torch"))
    if theirs is RuntimeError:
        assert ours is RuntimeError
        return
    assert (ours[0] is None) == (theirs[0] is None)
    for mine, other in zip([*(ours[0] or ()), *ours[1]], [*(theirs[0] or ()), *theirs[1]], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6)
        assert mine.dtype == other.dtype


def test_what_is_no_foreach_function() -> None:
    assert not hasattr(ng, "_foreach_xyz")
    assert ng._foreach_add.__name__ == "_foreach_add"


@pytest.mark.parametrize(
    "kwargs", [{}, {"count": 2}, {"offset": 4}, {"count": 9}, {"offset": 3, "dtype": "uint8"}, {"offset": 99}]
)
def test_frombuffer(kwargs: dict[str, Any]) -> None:
    def told(t: Any) -> Any:
        options = {**kwargs, "dtype": getattr(t, kwargs.get("dtype", "int32"))}
        try:
            return t.frombuffer(bytearray(range(12)), **options).tolist()
        except ValueError:
            return ValueError

    ours = told(nngrad)
    assert told(pytest.importorskip("torch")) == ours


def test_a_tensor_of_a_buffer_keeps_its_values() -> None:
    memory = bytearray(b"ab")
    x = nngrad.frombuffer(memory, dtype=nngrad.uint8)
    memory[0] = 0
    assert x.tolist() == [97, 98]


def test_checks() -> None:
    ng._check(True, lambda: "no")
    with pytest.raises(RuntimeError, match="Expected cond to be True"):
        ng._check(False)
    with pytest.raises(RuntimeError, match="three"):
        ng._check(1 > 2, lambda: "three")
    with pytest.raises(RuntimeError, match=r"distributed.get_rank: NNGrad does not train in several"):
        ng.distributed.get_rank()
    assert not ng.is_autocast_cpu_enabled()

"""Results written to `out`, the scale given first, and tensors that take another size: as old programs do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import nngrad

CASES: dict[str, Callable[[Any], Any]] = {
    "add": lambda t: t.add(t.ones(2), 2.0, out=t.empty(2)),
    "its own input": lambda t: (lambda x: t.mul(x, x, out=x))(t.full((3,), 3.0)),
    "sqrt": lambda t: t.sqrt(t.full((2,), 4.0), out=t.empty(2)),
    "no tensor": lambda t: t.sqrt(t.full((2,), 4.0), out=None),
    "sum": lambda t: t.sum(t.ones(2, 3), 0, out=t.empty(3)),
    "matmul": lambda t: t.matmul(t.ones(2, 3), t.ones(3, 1), out=t.empty(2, 1)),
    "cat": lambda t: t.cat([t.ones(2), t.zeros(1)], out=t.empty(3)),
    "stack": lambda t: t.stack([t.ones(2), t.zeros(2)], dim=1, out=t.empty(2, 2)),
    "topk": lambda t: t.topk(t.arange(4.0), 2, out=(t.empty(2), t.empty(2, dtype=t.int64))).indices,
    "sort": lambda t: t.sort(t.arange(4.0), 0, True, out=(t.empty(4), t.empty(4, dtype=t.int64)))[0],
    "another size": lambda t: t.add(t.ones(2), 2.0, out=t.empty(0)),
    "another dtype": lambda t: t.add(t.ones(2), 2.0, out=t.empty(2, dtype=t.float64)),
    "integers of floats": lambda t: t.add(t.ones(2), 2.0, out=t.empty(2, dtype=t.int64)),
    "gradients": lambda t: t.add(t.ones(2, requires_grad=True), 2.0, out=t.empty(2)),
    "gradients of out": lambda t: t.add(t.ones(2), 2.0, out=t.empty(2, requires_grad=True)),
    "add_": lambda t: t.ones(2).add_(-0.5, t.arange(2.0)),
    "sub_": lambda t: t.ones(2).sub_(-0.5, t.arange(2.0)),
    "addcmul_": lambda t: t.ones(2).addcmul_(0.5, t.arange(2.0), t.arange(2.0)),
    "addcdiv_": lambda t: t.ones(2).addcdiv_(0.5, t.arange(2.0), t.full((2,), 4.0)),
    "new": lambda t: t.ones(2, dtype=t.float64).new([1, 2]),
    "new of sizes": lambda t: t.ones(2).new(3, 1).zero_(),
    "resize_": lambda t: t.arange(6.0).resize_(2, 2),
    "resize_ to a size": lambda t: t.arange(6.0).resize_((3, 2)),
    "resize_as_": lambda t: t.empty(0).resize_as_(t.ones(2, 3)).copy_(t.ones(2, 3)),
}


ng: Any = nngrad  # what is told to type checkers has no out, and no scale but by name


@pytest.mark.parametrize("name", CASES)
def test_old_ways(name: str) -> None:
    def told(library: Any) -> Any:
        try:
            with warnings.catch_warnings(action="ignore"):
                result = CASES[name](library)
        except RuntimeError:
            return RuntimeError
        return str(result.dtype).rpartition(".")[2], list(result.shape), result.tolist()

    ours = told(ng)
    assert told(pytest.importorskip("torch")) == ours


def test_what_is_written_is_what_is_returned() -> None:
    out = ng.empty(2)
    assert ng.exp(ng.zeros(2), out=out) is out
    assert ng.add(ng.zeros(2), 1.0, out=out) is out
    assert out.tolist() == [1, 1]
    values, indices = ng.empty(1), ng.empty(1, dtype=ng.int64)
    found = ng.topk(ng.arange(3.0), 1, out=(values, indices))
    assert found.values is values
    assert found.indices is indices
    with pytest.warns(UserWarning, match=r"out of shape \(2,\)"):
        ng.add(ng.zeros(3), 1.0, out=out)
    assert out.shape == (3,)
    with pytest.raises(TypeError, match="unexpected keyword argument 'into'"):
        ng.exp(ng.zeros(2), into=out)


def test_the_old_order_warns() -> None:
    with pytest.warns(UserWarning, match="This overload of add_ is deprecated: give alpha by name"):
        ng.ones(2).add_(2.0, ng.ones(2))


def test_views_keep_their_size() -> None:
    with pytest.raises(RuntimeError, match="cannot resize views"):
        ng.ones(2, 2)[0].resize_(3)

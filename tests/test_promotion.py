"""Python numbers beside integers, factors, and dtypes that are asked for: what PyTorch makes of them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad

torch = pytest.importorskip("torch")

Call = Callable[[Any], Any]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "mod": operator.mod,
    "and": operator.and_,
    "pow": operator.pow,
    "gt": operator.gt,
    "le": operator.le,
    "eq": operator.eq,
}
NUMBERS = (-1, 300, -129, 2**40, 2**70, 2.5, 2j)


def outcome(call: Call, lib: Any) -> Any:
    """What a call gives, as an array, or that it is refused."""
    try:
        found = call(lib)
    except (RuntimeError, OverflowError):
        return RuntimeError
    return found.detach().numpy()


def agree(call: Call) -> None:
    ours, theirs = outcome(call, nngrad), outcome(call, torch)
    if theirs is RuntimeError or ours is RuntimeError:
        assert ours is theirs
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, strict=True)


@pytest.mark.parametrize("kind", ["uint8", "int8", "int32", "int64"])
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", OPERATORS)
def test_integers_wrap_around_beside_numbers(name: str, number: Any, kind: str) -> None:
    if (name, number) in (("mod", 2**40), ("truediv", 2**70)):
        pytest.skip("a division by zero, of which Python has an error of its own; and a float in the end")
    agree(lambda t: OPERATORS[name](t.tensor([1, 100], dtype=getattr(t, kind)), number))


def factored(name: str, kind: str, **factors: Any) -> Call:
    shapes: tuple[tuple[int, ...], ...] = {
        "add": ((2,), (2,)),
        "sub": ((2,), (2,)),
        "addcmul": ((2,), (2,), (2,)),
        "addcdiv": ((2,), (2,), (2,)),
        "addmm": ((2, 2),) * 3,
        "addmv": ((2,), (2, 2), (2,)),
        "addr": ((2, 2), (2,), (2,)),
        "addbmm": ((2, 2), (2, 2, 2), (2, 2, 2)),
        "baddbmm": ((2, 2, 2),) * 3,
    }[name]
    return lambda t: getattr(t, name)(*[t.ones(shape).to(getattr(t, kind)) for shape in shapes], **factors)


@pytest.mark.parametrize("kind", ["uint8", "int64", "bool", "float32"])
@pytest.mark.parametrize("factor", [-3, 2, 2.5, True, 1j])
@pytest.mark.parametrize(
    "name", ["add", "sub", "addcmul", "addcdiv", "addmm", "addmv", "addr", "addbmm", "baddbmm"]
)
def test_factors(name: str, factor: Any, kind: str) -> None:
    for argument in ("value",) if name in ("addcmul", "addcdiv") else ("alpha", "beta"):
        if argument != "beta" or name not in ("add", "sub"):
            agree(factored(name, kind, **{argument: factor}))


@pytest.mark.parametrize("kind", ["uint8", "int8", "int32", "bool", "int64", "float16", "float64"])
@pytest.mark.parametrize("source", ["uint8", "bool", "int64", "float32"])
@pytest.mark.parametrize("name", ["sum", "prod", "nansum", "cumsum", "cumprod", "mean", "nanmean", "norm"])
def test_the_dtype_that_is_asked_for(name: str, source: str, kind: str) -> None:
    def call(t: Any) -> Any:
        x = t.tensor([[3, 0], [1, 200]], dtype=t.uint8).to(getattr(t, source))
        if name == "norm":
            return t.norm(x[0], dtype=getattr(t, kind))
        return getattr(t, name)(x, 1, dtype=getattr(t, kind))

    agree(call)


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge"])
def test_complex_numbers_have_no_order(name: str) -> None:
    agree(lambda t: getattr(t, name)(t.tensor([1j]), t.tensor([1j])))


def test_sums_of_products_keep_their_dtype() -> None:
    for kind in ("uint8", "int8", "int32"):
        agree(
            lambda t, kind=kind: t.tensordot(  # type: ignore[misc]  # one argument with a default
                t.ones(1, 1, 1).to(getattr(t, kind)),
                t.ones(2, 1, 2).to(getattr(t, kind)),
                dims=[[0, 1], [2, 0]],
            )
        )


def test_norms_of_complex_numbers() -> None:
    agree(lambda t: t.norm(t.tensor([3 + 4j, 0j])))
    agree(lambda t: t.linalg.vector_norm(t.tensor([[3 + 4j, 1j]]), 1, dim=1))

"""assert_close says what PyTorch's says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad.testing import assert_close

NAN = float("nan")
CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    (np.ones(2), np.ones(2), {}),
    ({"a": [np.ones((2, 3))]}, {"a": [np.zeros((2, 3))]}, {}),
    (np.ones(2), np.ones(3), {}),
    (np.ones(2), np.ones(2, np.float32), {}),
    (np.ones(2), np.ones(2, np.float32), {"check_dtype": False}),
    (1.0, 1.00000001, {}),
    (1.0, 1.1, {}),
    (3, 3, {}),
    ([1.0, 2.0], [1.0, 2.5], {}),
    ((np.ones(1),), (np.ones(1), np.ones(2)), {}),
    (np.array([NAN]), np.array([NAN]), {}),
    (np.array([NAN]), np.array([NAN]), {"equal_nan": True}),
    (np.array([1.0, np.inf]), np.array([1.0, np.inf]), {}),
    (np.ones(2, np.float32) * np.float32(1.00001), np.ones(2, np.float32), {}),
    (np.ones(2) * 1.00001, np.ones(2), {"rtol": 1e-3, "atol": 0}),
    (np.ones(2), np.ones(2), {"rtol": 1}),
    (np.ones(2), np.zeros(2), {"msg": "not so"}),
    (np.ones(2), np.zeros(2), {"msg": lambda text: f"so: {text[:10]}"}),
]


def outcome(check: Any, make: Any, actual: Any, expected: Any, kwargs: dict[str, Any]) -> Any:
    def made(thing: Any) -> Any:
        if isinstance(thing, dict):
            return {key: made(value) for key, value in thing.items()}
        if isinstance(thing, (list, tuple)):
            return type(thing)(made(value) for value in thing)
        return make(thing) if isinstance(thing, np.ndarray) else thing

    try:
        check(made(actual), made(expected), **kwargs)
    except (AssertionError, ValueError) as error:
        return type(error), str(error)
    return None


@pytest.mark.parametrize(("actual", "expected", "kwargs"), CASES)
def test_what_is_close(actual: Any, expected: Any, kwargs: dict[str, Any]) -> None:
    ours = outcome(assert_close, nngrad.from_numpy, actual, expected, kwargs)
    torch: Any = pytest.importorskip("torch")
    theirs = outcome(torch.testing.assert_close, torch.from_numpy, actual, expected, kwargs)
    if theirs is None or theirs[0] is ValueError:
        assert (ours and ours[0]) == (theirs and theirs[0])
    else:
        assert ours == (theirs[0], theirs[1].replace("torch.", "nngrad."))

"""Arrays of other libraries go forward and backward through NumPy's dispatch, and stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import backward


class Strict:
    """An array that answers NumPy's protocols and refuses to become a NumPy array, like CuPy's."""

    def __init__(self, array: Any) -> None:
        self._array = np.asarray(array)
        self.shape, self.dtype = self._array.shape, self._array.dtype
        self.ndim, self.size = self._array.ndim, self._array.size

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("implicit conversion to a NumPy array is not allowed")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            raise TypeError("no out=")
        return rewrap(getattr(ufunc, method)(*unwrap(inputs), **unwrap(kwargs)))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return rewrap(func(*unwrap(args), **unwrap(kwargs)))

    def __getitem__(self, index: Any) -> Any:
        return rewrap(self._array[unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[unwrap(index)] = unwrap(value)

    @property
    def T(self) -> Any:
        return rewrap(self._array.T)

    def astype(self, dtype: Any) -> Any:
        return rewrap(self._array.astype(dtype))

    def reshape(self, *shape: Any) -> Any:
        return rewrap(self._array.reshape(*shape))

    def transpose(self, *dims: Any) -> Any:
        return rewrap(self._array.transpose(*dims))

    def dot(self, other: Any) -> Any:
        return np.dot(self, other)


def unwrap(thing: Any) -> Any:
    if isinstance(thing, tuple | list):
        return type(thing)(unwrap(t) for t in thing)
    if isinstance(thing, dict):
        return {k: unwrap(v) for k, v in thing.items()}
    return thing._array if isinstance(thing, Strict) else thing


def rewrap(thing: Any) -> Any:
    return Strict(thing) if isinstance(thing, np.ndarray | np.generic) else thing


NETWORKS: dict[str, Callable[..., Node]] = {
    "mlp": lambda x, w, b, v: F.mean(F.pow(F.linear(F.tanh(F.linear(x, w, b)), v), 2)),
    "relu-matmul": lambda x, w, b, v: F.sum(F.relu(F.matmul(x, F.T(w)) + b) * 0.5),
    "log-softmax": lambda x, w, b, v: F.neg(F.mean(F.log_softmax(F.linear(x, w, b), 1))),
    "softmax": lambda x, w, b, v: F.sum(F.softmax(F.linear(x, w, b), 1) ** 2),
    "shapes": lambda x, w, b, v: F.sum(
        F.exp(F.permute(F.reshape(x, (2, 2, 3)), (2, 0, 1))) * F.sigmoid(b[:2])
    ),
    "choices": lambda x, w, b, v: F.sum(F.maximum(F.clip(x, -0.5, 0.5), w[0]) - F.abs(F.minimum(x, w[1]))),
    "joined": lambda x, w, b, v: F.sum(F.concat([x, w], 0) * F.sqrt(F.exp(F.stack([x, x], 0)[0, :1]))),
    "assigned": lambda x, w, b, v: F.sum(F.index_put(F.index_put(x, 1, w[0]), (0, 0), 2.0) ** 2),
    "extremes": lambda x, w, b, v: F.sum(F.amax(x, 1)) - F.amin(w),
    "broadcast": lambda x, w, b, v: F.mean(F.broadcast_to(b, (4, 2)) / (F.exp(F.linear(x, w)) + 1.0)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_runs_on_strict_arrays(name: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((4, 3), (2, 3), (2,), (1, 2))]
    plain = [F.variable(a) for a in arrays]
    out = NETWORKS[name](*plain)
    expected = backward([out], [np.ones(())])
    strict = [F.variable(Strict(a)) for a in arrays]  # type: ignore[arg-type]  # a duck
    strict_out = NETWORKS[name](*strict)
    value: Any = strict_out._value
    assert type(value) is Strict
    assert value._array == pytest.approx(out.item(), rel=1e-13)
    got: dict[Node, Any] = backward([strict_out], [Strict(np.ones(()))])
    assert len(got) == len(expected) > 0
    for p, s in zip(plain, strict):
        if p in expected:
            assert type(got[s]) is Strict
            np.testing.assert_allclose(got[s]._array, expected[p], rtol=1e-12, atol=1e-14)

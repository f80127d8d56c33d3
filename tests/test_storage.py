"""Steps through the memory of tensors, and its size, are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad

STEPS: list[tuple[Any, ...]] = [
    ((3, 4), (2, 1), 1),
    ((2, 2), (1, 3)),
    ((), ()),
    ((3,), (5,)),
    ((3,), (6,)),
    ((3,), (-1,)),
    ((3, 3), (1,)),
    ((0, 3), (1, 100)),
    ((3, 2), (0, 1)),
]


def strided(library: Any, steps: tuple[Any, ...]) -> Any:
    x = library.arange(12.0, requires_grad=True)
    try:
        y = library.as_strided(x * 1, *steps)
    except RuntimeError:
        return RuntimeError
    (y * y).sum().backward()
    return y.tolist(), x.grad.tolist()


@pytest.mark.parametrize("steps", STEPS)
def test_as_strided(steps: tuple[Any, ...]) -> None:
    ours = strided(nngrad, steps)
    assert strided(pytest.importorskip("torch"), steps) == ours


def test_as_strided_refuses_what_it_would_get_wrong() -> None:
    x = nngrad.arange(6.0).reshape(2, 3)
    with pytest.raises(RuntimeError, match="row-major"):
        x.t().as_strided((2,), (1,))
    with pytest.raises(RuntimeError, match="row-major"):
        x[1].as_strided((2,), (1,), 1)
    assert x[1].as_strided((2,), (2,)).tolist() == [3, 5]


def test_storages_tell_their_size() -> None:
    x = nngrad.zeros(3, 4)
    memory = x.untyped_storage()
    assert memory.nbytes() == memory.size() == len(memory) == 48
    assert memory.__sizeof__() > 48
    assert memory.device == nngrad.device("cpu")
    assert memory.data_ptr() == x.data_ptr() == x[1].untyped_storage().data_ptr()


def test_normalize_into_a_tensor() -> None:
    out = nngrad.zeros(3)
    x = nngrad.tensor([1.0, 2.0, 2.0], requires_grad=True)
    assert nngrad.nn.functional.normalize(x.detach(), dim=0, out=out) is out
    np.testing.assert_allclose(out.numpy(), [1 / 3, 2 / 3, 2 / 3], rtol=1e-6)
    with pytest.raises(RuntimeError, match="requires grad"):
        nngrad.nn.functional.normalize(x, dim=0, out=out)

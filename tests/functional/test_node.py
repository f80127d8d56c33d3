"""The node: a value that nobody can change, which NumPy's functions and operators understand."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import backward
from nngrad.functional.node import NUMPY


def matrix() -> Node:
    return F.variable(np.array([[1.0, 2.0], [3.0, 5.0]]))


@pytest.mark.parametrize(
    "name",
    ["_value", "op", "_prev", "prev", "params", "tracked", "saved", "dist", "data", "shape", "T", "anything"],
)
def test_no_attribute_can_be_set_or_deleted(name: str) -> None:
    node = F.exp(matrix())
    before = node.data.tobytes(), node.op, node.prev
    with pytest.raises(AttributeError, match=f"immutable: cannot assign '{name}'"):
        setattr(node, name, None)
    with pytest.raises(AttributeError, match=f"immutable: cannot delete '{name}'"):
        delattr(node, name)
    assert (node.data.tobytes(), node.op, node.prev) == before
    assert not hasattr(node, "__dict__")


def test_nodes_are_not_made_or_written_to_by_users() -> None:
    with pytest.raises(TypeError, match="constant"):
        Node()
    node = matrix()
    with pytest.raises(TypeError):
        node[0] = 1.0  # type: ignore[index]  # that it is refused is the point
    twice = node
    twice += 1.0
    assert twice is not node
    assert node.data[0, 0] == 1.0


def test_a_node_of_one_element_is_a_number_to_python() -> None:
    node = F.constant(2.5)
    assert (float(node), int(node), f"{node:.3f}", f"{node}") == (2.5, 2, "2.500", repr(node))
    with pytest.raises(RuntimeError, match=r"shape \(2, 3\)"):
        float(F.constant(np.ones((2, 3))))


def test_data_cannot_be_written_to() -> None:
    for node in (matrix(), F.constant(np.ones(2)), F.exp(matrix()), matrix()[0], F.sum(matrix())):
        data = node.data
        assert not data.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            data[...] = 0
        with pytest.raises(ValueError, match="read-only"):
            np.add(data, 1, out=data)


@pytest.mark.parametrize("make", [F.constant, F.variable])
def test_writeable_arrays_are_copied_and_read_only_ones_shared(make: Callable[..., Node]) -> None:
    array = np.ones(3)
    node = make(array)
    array[0] = 7
    assert node.data[0] == 1
    base = np.ones(3)
    view = base.view()
    view.flags.writeable = False
    node = make(view)
    base[0] = 7  # the memory behind a read-only view can still change
    assert node.data[0] == 1
    array.flags.writeable = False
    assert np.shares_memory(make(array).data, array)
    memory = bytearray(24)
    node = make(np.frombuffer(memory))
    memory[:] = b"\x01" * 24
    assert not node.data.any()


def test_what_constant_takes() -> None:
    assert F.constant(1.5).dtype == np.float32
    assert F.constant(2).dtype == np.int64
    assert F.constant(True).dtype == np.bool_
    assert F.constant(np.float64(1.5)).dtype == np.float64
    assert F.constant(np.arange(2, dtype=">i4")).dtype == np.dtype("=i4")
    assert F.constant(np.ones(2), dtype=np.dtype(np.float16)).dtype == np.float16
    for wrong in ("1.5", None, [1.0], np.array(["a"]), np.array([None]), object()):
        with pytest.raises(TypeError):
            F.constant(wrong)  # type: ignore[arg-type]  # that it is refused is the point
    with pytest.raises(RuntimeError, match="floating-point"):
        F.variable(np.arange(3))


def test_little_things() -> None:
    x = matrix()
    assert (len(x), x.ndim, x.size, x.shape) == (2, 2, 4, (2, 2))
    assert [row.shape for row in x] == [(2,), (2,)]
    assert x.T.data.tolist() == [[1.0, 3.0], [2.0, 5.0]]
    assert x[1, 1].item() == 5.0
    assert bool(x[0, 0])
    assert {x: 1}[x] == 1
    assert "variable" in repr(x)
    assert "op=exp" in repr(F.exp(x))
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(x)
    with pytest.raises(RuntimeError, match=r"\(2, 2\)"):
        x.item()
    with pytest.raises(TypeError, match="0-d"):
        len(F.sum(x))
    with pytest.raises(TypeError, match="0-d"):
        iter(F.sum(x)).__next__()
    with pytest.raises(RuntimeError, match=r"\.data"):
        np.asarray(x)
    assert np.asarray(F.constant(x)).tolist() == x.data.tolist()


OPERATORS: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.matmul,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
]


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
def test_operators_take_arrays_and_numbers_on_either_side(op: Callable[[Any, Any], Any]) -> None:
    x, array = matrix(), np.array([[2.0, 3.0], [1.0, 4.0]])
    others: list[Any] = [array] if op is operator.matmul else [array, 2.0, 3, np.float64(2.0)]
    for other in others:
        for left, right in ((x, other), (other, x)):
            out = op(left, right)
            assert type(out) is Node
            plain = [p.data if isinstance(p, Node) else p for p in (left, right)]
            np.testing.assert_allclose(out.data, op(*plain), strict=True)


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor], ids=lambda op: op.__name__)
def test_bitwise_operators(op: Callable[[Any, Any], Any]) -> None:
    a, b = np.array([1, 2, 7]), np.array([3, 2, 8])
    for left, right in ((F.constant(a), b), (a, F.constant(b)), (F.constant(a), F.constant(b))):
        assert op(left, right).data.tolist() == op(a, b).tolist()
    assert (~F.constant(a)).data.tolist() == (~a).tolist()


CALLS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "abs": np.abs,
    "square": np.square,
    "reciprocal": np.reciprocal,
    "negative": np.negative,
    "sum": np.sum,
    "sum-axis": lambda x: np.sum(x, axis=1, keepdims=True),
    "add.reduce": lambda x: np.add.reduce(x, axis=0),
    "mean": lambda x: np.mean(x, axis=0),
    "max": np.max,
    "min-axis": lambda x: np.min(x, axis=1),
    "clip": lambda x: np.clip(x, 1.5, 4.0),
    "where": lambda x: np.where(np.array([True, False]), x, 0.0),
    "maximum": lambda x: np.maximum(x, 2.5),
    "matmul": lambda x: np.matmul(np.array([[1.0, 2.0]]), x),
    "dot": lambda x: np.dot(x, np.array([1.0, 2.0])),
    "concatenate": lambda x: np.concatenate([x, np.ones((1, 2))], axis=0),
    "stack": lambda x: np.stack([x, x], axis=1),
    "reshape": lambda x: np.reshape(x, (4,)),
    "transpose": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, (0, 2)),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 0)),
    "broadcast_to": lambda x: np.broadcast_to(x, (3, 2, 2)),
    "copy": np.copy,
    "power": lambda x: np.power(x, 3.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_numpy_functions_make_nodes_and_differentiate(name: str) -> None:
    x = matrix()
    out = CALLS[name](x)
    assert type(out) is Node
    np.testing.assert_allclose(out.data, CALLS[name](x.data), rtol=1e-15, strict=True)
    cotangent = np.random.default_rng(0).normal(size=out.shape)
    got = backward([out], [cotangent])[x]
    h = 1e-6
    for i in np.ndindex(2, 2):
        up, down = x.data.astype(np.float64), x.data.astype(np.float64)
        up[i] += h
        down[i] -= h
        slope = np.sum(cotangent * (CALLS[name](up) - CALLS[name](down))) / (2 * h)
        assert got[i] == pytest.approx(slope, rel=1e-7, abs=1e-8)


def test_numpy_functions_that_nodes_do_not_have_say_so() -> None:
    x = matrix()
    with pytest.raises(TypeError, match=r"numpy\.fft"):
        np.fft.fft(x)
    with pytest.raises(TypeError, match=r"numpy\.cbrt: not implemented for nodes|cbrt"):
        np.cbrt(x)
    with pytest.raises(TypeError, match="immutable"):
        np.add(np.ones((2, 2)), x, out=np.ones((2, 2)))


def test_every_answer_to_numpy_is_a_function() -> None:
    assert all(callable(handler) for handler in NUMPY.values())
    assert NUMPY[np.add] is F.add


def test_there_are_no_derivatives_in_complex_values() -> None:
    """A wrong gradient would be worse than none."""
    with pytest.raises(RuntimeError, match=r"variable: only floating-point values .* complex128"):
        F.variable(np.ones(2) * 1j)
    with pytest.raises(RuntimeError, match="to: a value that requires grad cannot become complex128"):
        F.mul(F.variable(np.ones(2)), F.constant(np.ones(2) * 1j))
    with pytest.raises(TypeError, match=r"vjp: only floating-point values .* complex128"):
        F.vjp(F.abs, np.ones(2) * 1j)

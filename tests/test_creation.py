"""Creation functions: values, dtypes and errors are PyTorch's; what a tensor stands on is its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad

Make = Callable[[Any], Any]

#: what to make with either library, and its dtype and elements
MADE: list[tuple[Make, str, Any]] = [
    (lambda t: t.tensor(3), "int64", 3),
    (lambda t: t.tensor(2.5), "float32", 2.5),
    (lambda t: t.tensor([1, 2.5]), "float32", [1.0, 2.5]),
    (lambda t: t.tensor([True, 2]), "int64", [1, 2]),
    (lambda t: t.tensor([True, False]), "bool", [True, False]),
    (lambda t: t.tensor([1j, 2]), "complex64", [1j, 2]),
    (lambda t: t.tensor([]), "float32", []),
    (lambda t: t.tensor([[], []]), "float32", [[], []]),
    (lambda t: t.tensor([1, 2.9], dtype=t.int64), "int64", [1, 2]),
    (lambda t: t.tensor(1.5, dtype=t.bool), "bool", True),
    (lambda t: t.tensor([-1], dtype=t.uint8), "uint8", [255]),
    (lambda t: t.tensor(1e40), "float32", float("inf")),
    (lambda t: t.tensor(np.arange(2.0)), "float64", [0.0, 1.0]),
    (lambda t: t.tensor(np.float64(0.5)), "float64", 0.5),
    (lambda t: t.tensor([t.tensor(1.0), t.tensor(2.0)]), "float32", [1.0, 2.0]),
    (lambda t: t.as_tensor([1.0, 2.0]), "float32", [1.0, 2.0]),
    (lambda t: t.as_tensor(np.arange(2)), "int64", [0, 1]),
    (lambda t: t.as_tensor(np.arange(2), dtype=t.float32), "float32", [0.0, 1.0]),
    (lambda t: t.from_numpy(np.ones((1, 2), np.int16)), "int16", [[1, 1]]),
    (lambda t: t.zeros(2, 3), "float32", [[0.0] * 3] * 2),
    (lambda t: t.zeros([2, 3], dtype=t.int64), "int64", [[0] * 3] * 2),
    (lambda t: t.zeros(size=(2,)), "float32", [0.0, 0.0]),
    (lambda t: t.zeros(()), "float32", 0.0),
    (lambda t: t.ones(2, dtype=t.bool), "bool", [True, True]),
    (lambda t: t.ones((), device="cpu"), "float32", 1.0),
    (lambda t: t.full((2,), True), "bool", [True, True]),
    (lambda t: t.full([2], 7), "int64", [7, 7]),
    (lambda t: t.full((2,), 0.5), "float32", [0.5, 0.5]),
    (lambda t: t.full((), 1j), "complex64", 1j),
    (lambda t: t.full((2,), 2.7, dtype=t.int64), "int64", [2, 2]),
    (lambda t: t.full((1,), -1, dtype=t.uint8), "uint8", [255]),
    (lambda t: t.full((1,), t.tensor(3.5)), "float32", [3.5]),
    (lambda t: t.eye(2), "float32", [[1.0, 0.0], [0.0, 1.0]]),
    (lambda t: t.eye(1, 3, dtype=t.int64), "int64", [[1, 0, 0]]),
    (lambda t: t.arange(5), "int64", [0, 1, 2, 3, 4]),
    (lambda t: t.arange(2.5), "float32", [0.0, 1.0, 2.0]),
    (lambda t: t.arange(2, 8, 3), "int64", [2, 5]),
    (lambda t: t.arange(2, 8, step=3), "int64", [2, 5]),
    (lambda t: t.arange(start=1, end=3), "int64", [1, 2]),
    (lambda t: t.arange(end=2), "int64", [0, 1]),
    (lambda t: t.arange(3, end=5), "int64", [3, 4]),
    (lambda t: t.arange(5, 0, -2), "int64", [5, 3, 1]),
    (lambda t: t.arange(1, 1, -1), "int64", []),
    (lambda t: t.arange(0, 1, 0.25), "float32", [0.0, 0.25, 0.5, 0.75]),
    (lambda t: t.arange(0.5, 3.7, 1.5, dtype=t.int64), "int64", [0, 1, 2]),
    (lambda t: t.arange(0, -2.5, -1, dtype=t.int64), "int64", [0, -1]),
    (lambda t: t.arange(2**62, 2**62 + 2), "int64", [2**62, 2**62 + 1]),
    (lambda t: t.arange(t.tensor(2)), "int64", [0, 1]),
    (lambda t: t.linspace(0, 1, 3), "float32", [0.0, 0.5, 1.0]),
    (lambda t: t.linspace(0, 1, 1), "float32", [0.0]),
    (lambda t: t.linspace(0, 1, 0), "float32", []),
    (lambda t: t.linspace(0, 10, 4, dtype=t.int64), "int64", [0, 3, 6, 10]),
    (lambda t: t.linspace(5, 2, steps=4, dtype=t.float64), "float64", [5.0, 4.0, 3.0, 2.0]),
    (lambda t: t.zeros_like(t.ones(2, dtype=t.float64)), "float64", [0.0, 0.0]),
    (lambda t: t.ones_like(t.zeros(1, 2), dtype=t.int64), "int64", [[1, 1]]),
    (lambda t: t.full_like(t.ones(2, dtype=t.int64), 2.7), "int64", [2, 2]),
    (lambda t: t.ones(2, dtype=t.float64).new_zeros(1, 2), "float64", [[0.0, 0.0]]),
    (lambda t: t.ones(2, dtype=t.float64).new_ones((2,), dtype=t.int64), "int64", [1, 1]),
    (lambda t: t.ones(2).new_full((2,), 7), "float32", [7.0, 7.0]),
]


def dtype_name(tensor: Any) -> str:
    return str(tensor.dtype).split(".")[1]


@pytest.mark.parametrize(("make", "dtype", "elements"), MADE)
def test_values_and_dtypes(make: Make, dtype: str, elements: Any) -> None:
    """The dtype is inferred (or taken) as in PyTorch, and the values are these."""
    tensor = make(nngrad)
    assert dtype_name(tensor) == dtype
    assert tensor.tolist() == elements
    assert not tensor.requires_grad


@pytest.mark.parametrize(("make", "dtype", "elements"), MADE)
def test_recorded_values_are_pytorchs(make: Make, dtype: str, elements: Any) -> None:
    """What the table says is what PyTorch gives."""
    tensor = make(pytest.importorskip("torch"))
    assert dtype_name(tensor) == dtype
    assert tensor.tolist() == elements


@pytest.mark.parametrize(
    ("start", "end", "count"), [(0.0, 1.0, 7), (-3.0, 11.0, 100), (0.1, 0.7, 33), (3.0, -9.0, 50)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ranges_equal_pytorch(start: float, end: float, count: int, dtype: str) -> None:
    """linspace bit for bit; arange to the rounding of the step, whose order differs by processor there."""
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(nngrad, dtype), getattr(torch, dtype)
    mine = nngrad.linspace(start, end, count, dtype=ours)
    np.testing.assert_array_equal(mine, torch.linspace(start, end, count, dtype=theirs))
    assert mine.tolist()[0] == nngrad.tensor(start, dtype=ours).item()
    assert mine.tolist()[-1] == nngrad.tensor(end, dtype=ours).item()
    step, near = (end - start) / count, 1e-6 if dtype == "float32" else 2e-15
    np.testing.assert_allclose(
        nngrad.arange(start, end, step, dtype=ours), torch.arange(start, end, step, dtype=theirs), near, near
    )


REFUSED: list[tuple[Make, type[Exception], str]] = [
    (lambda t: t.tensor([[1, 2], [3]]), ValueError, "expected sequence"),
    (lambda t: t.tensor("a"), TypeError, "'a'|data type"),
    (lambda t: t.tensor([300], dtype=t.uint8), RuntimeError, "without overflow"),
    (lambda t: t.tensor([2**40], dtype=t.int32), RuntimeError, "without overflow"),
    (lambda t: t.full((2,), 300, dtype=t.uint8), RuntimeError, "without overflow"),
    (lambda t: t.full((2,), 1j, dtype=t.float32), RuntimeError, "without overflow"),
    (lambda t: t.tensor(3, requires_grad=True), RuntimeError, "[Oo]nly Tensors of floating point"),
    (lambda t: t.zeros(2, dtype=t.int64, requires_grad=True), RuntimeError, "[Oo]nly Tensors of floating"),
    (lambda t: t.zeros(-1), RuntimeError, "zeros: "),
    (lambda t: t.zeros(2.5), TypeError, "zeros.*size"),
    (lambda t: t.zeros(), TypeError, "missing 1 required positional argument"),
    (lambda t: t.full((-1,), 0), RuntimeError, "-1|non-negative"),
    (lambda t: t.eye(-1), RuntimeError, "-1"),
    (lambda t: t.arange(5, 1), RuntimeError, "bound inconsistent with step sign"),
    (lambda t: t.arange(1, 5, 0), RuntimeError, "step must be nonzero"),
    (lambda t: t.arange(float("nan")), RuntimeError, "unsupported range"),
    (lambda t: t.arange(3, dtype=t.bool), NotImplementedError, "not implemented for"),
    (lambda t: t.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
    (lambda t: t.from_numpy([1]), TypeError, "expected np.ndarray .got list."),
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
@pytest.mark.parametrize("library", ["nngrad", "torch"])
def test_bad_input_is_refused(library: str, make: Make, error: type[Exception], message: str) -> None:
    """Both libraries raise the same type, with the same words where they matter."""
    with pytest.raises(error, match=message):
        make(pytest.importorskip(library))


def test_other_devices_are_refused() -> None:
    """There is one place for a tensor, and another is not silently ignored."""
    with pytest.raises(RuntimeError, match="zeros: device must be 'cpu' or None, got 'cuda'"):
        nngrad.zeros(2, device="cuda")


def test_a_tensor_has_its_own_copy() -> None:
    """Writing to the array, list or tensor it was made from changes nothing, nor the reverse."""
    array = np.zeros(2)
    made = [nngrad.tensor(array), nngrad.as_tensor(array), nngrad.from_numpy(array)]
    array[0] = 1.0
    for tensor in made:
        assert tensor.tolist() == [0.0, 0.0]
        tensor[1] = 2.0
    assert array.tolist() == [1.0, 0.0]
    source = nngrad.zeros(2)
    copy = nngrad.tensor(source)
    source[0] = 1.0
    assert copy.tolist() == [0.0, 0.0]


def test_a_read_only_array_is_shared_until_written() -> None:
    """from_numpy copies no byte of an array that nobody can write to, and never writes to it."""
    array = np.zeros(3)
    array.flags.writeable = False
    tensor = nngrad.from_numpy(array)
    assert np.shares_memory(tensor.numpy(), array)
    tensor[0] = 1.0
    assert array.tolist() == [0.0, 0.0, 0.0]


def test_as_tensor_keeps_the_tensor_and_its_graph() -> None:
    """The same tensor comes back; in another dtype it still leads to its leaf."""
    x = nngrad.ones(2, requires_grad=True)
    assert nngrad.as_tensor(x) is x
    nngrad.as_tensor(x, dtype=nngrad.float64).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 1.0]


def test_default_dtype_decides() -> None:
    """Python floats, sizes and ranges take the default dtype; integers do not."""
    nngrad.set_default_dtype(nngrad.float64)
    try:
        for made in (
            nngrad.tensor(1.0),
            nngrad.zeros(1),
            nngrad.full((), 1.0),
            nngrad.arange(1.0),
            nngrad.rand(1),
        ):
            assert made.dtype is nngrad.float64
        assert nngrad.arange(1).dtype is nngrad.int64
        assert nngrad.full((), 1j).dtype is nngrad.complex128
    finally:
        nngrad.set_default_dtype(nngrad.float32)


def test_empty_has_shape_and_dtype() -> None:
    """`empty` promises no values."""
    assert nngrad.empty(2, 3).shape == (2, 3)
    assert nngrad.empty_like(nngrad.zeros(2, dtype=nngrad.int8)).dtype is nngrad.int8


def test_requires_grad_makes_a_leaf() -> None:
    """The flag reaches the tensor, which is a leaf that receives gradients."""
    for x in (nngrad.tensor(2.0, requires_grad=True), nngrad.full((), 2.0, requires_grad=True)):
        (x * x).backward()
        assert x.grad is not None
        assert x.grad.item() == 4.0


# ---------------------------------------------------------------- functions at the top level

X = [[1.0, -2.0, 3.0], [-4.0, 5.0, 0.5]]

#: functions that are not methods of the core, on two tensors of shape (2, 3)
CALLS: list[Callable[[Any, Any, Any], Any]] = [
    lambda t, x, y: t.max(x),
    lambda t, x, y: t.max(x, 1)[0],
    lambda t, x, y: t.max(x, 1).indices,
    lambda t, x, y: t.max(x, y),
    lambda t, x, y: t.min(x),
    lambda t, x, y: t.min(x, 0, keepdim=True).values,
    lambda t, x, y: t.min(x, y),
    lambda t, x, y: t.cat([x, y]),
    lambda t, x, y: t.cat((x, y), dim=1),
    lambda t, x, y: t.concat([x, y], 1),
    lambda t, x, y: t.stack([x, y], dim=2),
    lambda t, x, y: t.split(x, 2, dim=1)[1],
    lambda t, x, y: t.split(x, [1, 1])[0],
    lambda t, x, y: t.broadcast_tensors(x, y[0])[1],
    lambda t, x, y: t.broadcast_to(x[0], (2, 3)),
    lambda t, x, y: t.where(x > 0, x, y),
    lambda t, x, y: t.clamp(x, min=0.0),
    lambda t, x, y: t.matmul(x, y.T),
    lambda t, x, y: t.sum(x, dim=1, keepdim=True),
    lambda t, x, y: t.mean(x, 0),
    lambda t, x, y: t.softmax(x, dim=1),
    lambda t, x, y: t.flatten(x),
    lambda t, x, y: t.transpose(x, 0, 1),
    lambda t, x, y: t.squeeze(t.unsqueeze(x, 0)),
    lambda t, x, y: t.tensor([t.numel(x), t.is_tensor(x), t.is_tensor(1), t.is_floating_point(x)]),
    lambda t, x, y: t.tensor([t.equal(x, x), t.equal(x, y), t.equal(x, x[0])]),
    lambda t, x, y: t.tensor(
        [
            t.allclose(x, x + 1e-7),
            t.allclose(x, x + 0.01),
            t.allclose(x * 1e4, x * 1e4 + 0.02),
            t.allclose(x, y, atol=99.0),
        ]
    ),
]


@pytest.mark.parametrize("call", CALLS)
def test_functions_equal_pytorch(call: Callable[[Any, Any, Any], Any]) -> None:
    """The functions at the top level take the arguments that PyTorch's take, and give its values."""
    torch = pytest.importorskip("torch")
    results = [call(t, t.tensor(X), t.tensor(X) * -0.5 + 1) for t in (nngrad, torch)]
    assert dtype_name(results[0]) == dtype_name(results[1])
    np.testing.assert_allclose(results[0], results[1], 1e-6)


def test_functions_record() -> None:
    """They record the graph, and views made by them stay in step with their tensor."""
    x = nngrad.tensor(X, requires_grad=True)
    nngrad.cat([x, nngrad.stack([x[0]])]).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[2.0] * 3, [1.0] * 3]
    y = nngrad.zeros(2, 2)
    nngrad.split(y, 1)[1].fill_(1.0)
    nngrad.transpose(y, 0, 1)[1, 0] = 5.0
    assert y.tolist() == [[0.0, 5.0], [1.0, 1.0]]


def test_shapes_and_dtypes_that_do_not_fit() -> None:
    """Broadcasting and comparing what cannot be raises, naming what was given."""
    with pytest.raises(RuntimeError, match=r"shapes \(2,\) and \(3,\)"):
        nngrad.broadcast_shapes((2,), (3,))
    with pytest.raises(RuntimeError, match="float32 did not match float64"):
        nngrad.allclose(nngrad.ones(1), nngrad.ones(1, dtype=nngrad.float64))


def test_names_of_module_and_function() -> None:
    """`nngrad.tensor` is the function, and the module of that name stays importable."""
    import nngrad.tensor
    from nngrad.tensor import Tensor

    assert isinstance(nngrad.tensor(1.0), Tensor)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize(
    "bounds",
    [(0, 2, 3), (-3, 7, 11, 2.0), (0.1, 5.3, 17), (2, 0, 6, 0.5), (1.5, 1, 1), (0, 1, 0), (-2, 3.7, 5, 3.0)],
)
def test_logspace_is_pytorchs(bounds: tuple[Any, ...], dtype: str) -> None:
    torch = pytest.importorskip("torch")
    expected = torch.logspace(*bounds, dtype=getattr(torch, dtype)).numpy()
    got = nngrad.logspace(*bounds, dtype=getattr(nngrad, dtype)).numpy()
    np.testing.assert_allclose(got, expected, rtol=3e-7 if dtype == "float32" else 1e-14, strict=True)


@pytest.mark.parametrize("bounds", [(0.5, 5.3, 4), (-2.7, 2.7, 6), (1, -1, 6), (3.9, 3.9, 1)])
def test_linspace_of_integers_is_pytorchs(bounds: tuple[Any, ...]) -> None:
    """The bounds are cut off to integers first."""
    torch = pytest.importorskip("torch")
    expected = torch.linspace(*bounds, dtype=torch.int64).tolist()
    assert nngrad.linspace(*bounds, dtype=nngrad.int64).tolist() == expected


@pytest.mark.parametrize("name", ["tril_indices", "triu_indices"])
@pytest.mark.parametrize("sizes", [(3, 2), (2, 3, 1), (3, 3, -1), (2, 2, 5), (2, 2, -5), (0, 2), (2, 0)])
def test_indices_of_triangles_are_pytorchs(name: str, sizes: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    for dtype in ("int64", "int32"):
        expected = getattr(torch, name)(*sizes, dtype=getattr(torch, dtype)).numpy()
        got = getattr(nngrad, name)(*sizes, dtype=getattr(nngrad, dtype)).numpy()
        np.testing.assert_array_equal(got, expected, strict=True)
    assert getattr(nngrad, name)(*sizes).dtype is nngrad.int64


def test_bad_counts_of_new_functions() -> None:
    with pytest.raises(RuntimeError, match="logspace: number of steps must be non-negative, got -1"):
        nngrad.logspace(0, 1, -1)
    with pytest.raises(RuntimeError, match=r"tril_indices: .*negative dimension -1"):
        nngrad.tril_indices(2, -1)
    with pytest.raises(RuntimeError, match=r"triu_indices: .*negative dimension -1"):
        nngrad.triu_indices(-1, 2)


def test_conversions_by_name() -> None:
    x = nngrad.tensor([1.7, 2.0])
    for method, dtype in (("byte", nngrad.uint8), ("char", nngrad.int8), ("short", nngrad.int16)):
        assert getattr(x, method)().dtype is dtype
        assert getattr(x, method)().tolist() == [1, 2]
    assert x.double().new_empty(2, 3).dtype is nngrad.float64
    assert x.new_empty((2, 3), dtype=nngrad.int32).shape == (2, 3)


def test_the_class_makes_floats_of_integers_and_the_function_keeps_them() -> None:
    assert nngrad.Tensor([1, 2]).dtype is nngrad.Tensor((True, False)).dtype is nngrad.float32
    assert nngrad.tensor([1, 2]).dtype is nngrad.Tensor([1, 2], dtype=nngrad.int64).dtype is nngrad.int64
    assert nngrad.Tensor(np.array([1, 2])).dtype is nngrad.Tensor(np.ones(1)).dtype is nngrad.float32
    assert nngrad.tensor(np.array([1, 2])).dtype is nngrad.int64

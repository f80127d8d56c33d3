"""Tensor as a handle: conversions, copies, hooks, gradients, grad modes, errors."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
import nngrad.functional as F
from nngrad import Tensor, enable_grad, grad, is_grad_enabled, no_grad, set_grad_enabled


def leaf(*values: float) -> Tensor:
    return nngrad.tensor(np.array(values), requires_grad=True)


def gradient(x: Tensor) -> Any:
    assert x.grad is not None
    return x.grad.tolist()


# ---------------------------------------------------------------- as a Python object


def test_as_a_container_and_a_number() -> None:
    x = nngrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3.0 in x
    assert 9.0 not in x
    assert float(x[0, 1]) == 2.0
    assert int(x[1, 1]) == 4
    assert complex(x[0, 0]) == 1
    assert [10, 20, 30][nngrad.tensor(np.array(1))] == 20
    assert f"{x[0, 0]:.2f}" == "1.00"
    assert f"{x}" == str(x)
    assert bool(x[0, 0])
    assert {x: 1}[x] == 1


@pytest.mark.parametrize(
    ("error", "ask"),
    [
        (TypeError, lambda x: len(x[0, 0])),
        (TypeError, lambda x: iter(x[0, 0])),
        (TypeError, lambda x: [1, 2][x[0, 0]]),
        (RuntimeError, lambda x: bool(x)),
        (RuntimeError, lambda x: x.item()),
        (ValueError, lambda x: float(x)),
        (ValueError, lambda x: int(x)),
        (TypeError, lambda x: f"{x:.2f}"),
        (TypeError, lambda x: x.requires_grad_("yes")),
        (TypeError, lambda x: x + "a"),
        (TypeError, lambda x: x < None),
        (IndexError, lambda x: x[2]),
        (IndexError, lambda x: x[0, 0, 0]),
    ],
)
def test_refusals(error: type[Exception], ask: Callable[[Tensor], object]) -> None:
    with pytest.raises(error):
        ask(nngrad.tensor([[1.0, 2.0], [3.0, 4.0]]))


def test_comparisons_with_what_is_no_number_are_as_for_any_object() -> None:
    x: Any = nngrad.tensor([1.0])
    for other in (None, "a", object()):
        assert (x == other) is False
        assert (x != other) is True


def test_a_tensor_copies_its_data_and_hands_out_read_only_arrays() -> None:
    array = np.array([1.0, 2.0])
    x = nngrad.tensor(array)
    array[0] = 5
    assert x.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        x.numpy()[0] = 3.0
    with pytest.raises(RuntimeError, match="detach"):
        leaf(1.0).numpy()
    assert leaf(1.0).numpy(force=True).tolist() == [1]
    assert np.asarray(x).tolist() == [1, 2]


def test_numpy_functions_on_tensors_record() -> None:
    x = leaf(1.0, 4.0)
    y: Any = np.sqrt(x) + np.float64(1) * x
    assert isinstance(y, Tensor)
    y.sum().backward()
    assert gradient(x) == [1.5, 1.25]
    with pytest.raises(TypeError, match="not implemented"):
        np.linalg.svd(x)


# ---------------------------------------------------------------- copies


@pytest.mark.parametrize("requires_grad", [False, True])
def test_deepcopy_and_pickle_make_a_tensor_of_its_own(requires_grad: bool) -> None:
    x = nngrad.tensor([1.0, 2.0], requires_grad=requires_grad)
    alias = x.detach()
    copied: Tensor
    for copied in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert copied.requires_grad == requires_grad
        assert copied.is_leaf
        with no_grad():
            copied[0] = 9.0
        assert x.tolist() == alias.tolist() == [1, 2]
        copied.detach()[1] = 8.0
        assert copied.tolist() == [9, 8]
        if requires_grad:
            (copied * copied).sum().backward()
            assert gradient(copied) == [18, 16]
            assert x.grad is None


def test_deepcopy_keeps_what_is_shared_and_the_gradient() -> None:
    x = leaf(1.0)
    (x * 3).backward(nngrad.tensor([1.0]))
    a, b = copy.deepcopy([x, x])
    assert a is b
    assert gradient(a) == [3]
    assert a.grad is not None
    a.grad.zero_()
    assert gradient(x) == [3]


def test_copy_shares_memory() -> None:
    x = leaf(1.0, 2.0)
    y = copy.copy(x)
    assert y.is_leaf
    assert y.requires_grad
    with no_grad():
        y[0] = 5.0
    assert x.tolist() == [5, 2]


@pytest.mark.parametrize("take", [copy.deepcopy, pickle.dumps])
def test_only_leaves_are_copied(take: Callable[[Tensor], object]) -> None:
    with pytest.raises(RuntimeError, match="leaves"):
        take(leaf(1.0) * 2)


# ---------------------------------------------------------------- hooks


def test_hooks_see_and_replace_gradients() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3
    seen: list[Any] = []
    on_leaf = x.register_hook(lambda g: seen.append(("x", g.tolist())))
    on_inner = y.register_hook(lambda g: g * 2)
    y.sum().backward(retain_graph=True)
    assert seen == [("x", [6, 6])]
    assert gradient(x) == [6, 6]
    on_inner.remove()
    on_inner.remove()
    on_leaf.remove()
    x.grad = None
    y.sum().backward()
    assert gradient(x) == [3, 3]
    assert len(seen) == 1
    with pytest.raises(RuntimeError, match="register_hook"):
        nngrad.tensor([1.0]).register_hook(lambda g: None)


def test_a_hook_that_fails_leaves_the_gradients_alone() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3
    y.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError, match="shape"):
        y.sum().backward()
    assert x.grad is None


def test_a_leaf_keeps_its_hooks_when_it_is_updated() -> None:
    x = leaf(1.0)
    seen: list[Any] = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    with no_grad():
        x += 1
    (x * x).sum().backward()
    assert seen == [[4]]


def test_retain_grad() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    (y * y).sum().backward()
    assert gradient(y) == [6, 12]
    x.retain_grad()  # nothing to do for a leaf
    with pytest.raises(RuntimeError, match="retain_grad"):
        nngrad.tensor([1.0]).retain_grad()


# ---------------------------------------------------------------- grad


def test_grad_accumulates_in_one_tensor() -> None:
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first
    assert gradient(x) == [5, 5]


def test_gradients_of_different_leaves_share_no_memory() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).sum().backward()
    assert x.grad is not None
    x.grad.mul_(10)
    x.grad[0] = 7.0
    assert gradient(x) == [7, 10]
    assert gradient(y) == [1, 1]


@pytest.mark.parametrize(
    ("error", "value"),
    [
        (TypeError, 1.0),
        (TypeError, np.ones(2)),
        (RuntimeError, nngrad.tensor([1.0])),
        (RuntimeError, nngrad.tensor(np.ones(2, np.float32))),
    ],
)
def test_what_grad_does_not_take(error: type[Exception], value: Any) -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(error, match="grad: a"):
        x.grad = value
    assert x.grad is None


def fail_without_graph(x: Tensor) -> None:
    (x.detach() * 2).sum().backward()


def fail_without_cotangent(x: Tensor) -> None:
    (x * 2).backward()


def fail_with_wrong_cotangent(x: Tensor) -> None:
    (x * 2).backward(nngrad.tensor(np.ones(3)))


def fail_second_time(x: Tensor) -> None:
    y = (x * x).sum()
    grad(y, x)
    y.backward()


@pytest.mark.parametrize(
    ("match", "fail"),
    [
        ("does not require grad", fail_without_graph),
        (r"only for scalar outputs.*shape", fail_without_cotangent),
        ("Mismatch in shape", fail_with_wrong_cotangent),
        ("second time", fail_second_time),
    ],
)
@pytest.mark.parametrize("has_grad", [False, True])
def test_a_failed_backward_leaves_grad_alone(
    match: str, fail: Callable[[Tensor], None], has_grad: bool
) -> None:
    x = leaf(1.0, 2.0)
    if has_grad:
        (x * 1).sum().backward()
    before = x.grad
    with pytest.raises(RuntimeError, match=match):
        fail(x)
    assert x.grad is before
    if has_grad:
        assert gradient(x) == [1, 1]


def test_backward_only_to_the_inputs_given() -> None:
    x, y = leaf(1.0), leaf(2.0)
    z = x * y
    (z * z).backward(nngrad.tensor([1.0]), inputs=[x])
    assert gradient(x) == [8]
    assert y.grad is None


# ---------------------------------------------------------------- grad()


def test_grad_changes_no_tensor() -> None:
    x = leaf(1.0, 2.0)
    y = x * x
    (of_x,) = grad(y.sum(), x, retain_graph=True)
    assert of_x is not None
    assert of_x.tolist() == [2, 4]
    of_y, of_x = grad((y * y).sum(), [y, x])
    assert of_y is not None
    assert of_x is not None
    assert of_y.tolist() == [2, 8]
    assert of_x.tolist() == [4, 32]
    assert x.grad is None


def test_grad_of_inputs_that_are_not_used() -> None:
    x, unused = leaf(1.0), leaf(2.0, 3.0)
    with pytest.raises(RuntimeError, match="not have been used"):
        grad(x * 2, [x, unused], nngrad.tensor([1.0]))
    assert grad(x * 2, [unused], nngrad.tensor([1.0]), allow_unused=True) == (None,)
    (zeros,) = grad(x * 2, [unused], nngrad.tensor([1.0]), allow_unused=True, materialize_grads=True)
    assert zeros is not None
    assert zeros.tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="does not require grad"):
        grad(x * 2, [nngrad.tensor([1.0])], nngrad.tensor([1.0]))


def test_second_and_third_derivatives_through_an_assignment() -> None:
    x = leaf(2.0, 3.0)
    y = x * 1
    y[0] = x[1] ** 3 * x[0]
    (first,) = grad(y.sum(), x, create_graph=True)
    assert first is not None
    assert first.tolist() == [27, 55]
    (second,) = grad(first.sum(), x, create_graph=True)
    assert second is not None
    assert second.tolist() == [27, 27 + 36]
    (third,) = grad(second.sum(), x)
    assert third is not None
    assert third.tolist() == [18, 18 + 18 + 12]


# ---------------------------------------------------------------- grad modes


def test_grad_modes_nest_and_survive_exceptions() -> None:
    assert is_grad_enabled()
    mode = no_grad()
    with mode:
        with mode, enable_grad():
            assert is_grad_enabled()
        assert not is_grad_enabled()
        with pytest.raises(ZeroDivisionError), set_grad_enabled(True):
            assert 1 / (1 - is_grad_enabled())
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_set_grad_enabled_as_a_call() -> None:
    set_grad_enabled(False)
    try:
        assert not is_grad_enabled()
        assert not (leaf(1.0) * 2).requires_grad
    finally:
        set_grad_enabled(True)
    assert is_grad_enabled()


def test_grad_modes_decorate() -> None:
    @no_grad()
    def run(depth: int) -> bool:
        """Runs."""
        return is_grad_enabled() or (depth > 0 and run(depth - 1))

    @set_grad_enabled(False)
    def run_too() -> bool:
        return is_grad_enabled()

    assert run(3) is False
    assert run.__doc__ == "Runs."
    assert run_too() is False
    assert is_grad_enabled()


def test_grad_modes_belong_to_the_thread() -> None:
    seen: list[bool] = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_grad_modes_belong_to_the_async_task() -> None:
    async def without(log: list[bool]) -> None:
        with no_grad():
            await asyncio.sleep(0)
            log.append(is_grad_enabled())
            await asyncio.sleep(0)
            log.append(is_grad_enabled())

    async def recording(log: list[bool]) -> None:
        for _ in range(3):
            log.append(is_grad_enabled())
            await asyncio.sleep(0)

    async def both() -> tuple[list[bool], list[bool]]:
        a: list[bool] = []
        b: list[bool] = []
        await asyncio.gather(without(a), recording(b))
        return a, b

    off, on = asyncio.run(both())
    assert off == [False, False]
    assert on == [True, True, True]
    assert is_grad_enabled()


def test_a_mode_object_shared_by_tasks_mixes_nothing_up() -> None:
    mode = no_grad()

    async def run() -> bool:
        with mode:
            await asyncio.sleep(0)
            inside = is_grad_enabled()
        return inside or not is_grad_enabled()

    async def many() -> list[bool]:
        return list(await asyncio.gather(*[run() for _ in range(3)]))

    assert asyncio.run(many()) == [False, False, False]


@pytest.mark.parametrize("number", [np.float64(2), np.float32(2), np.int64(2), np.bool_(True)])
@pytest.mark.parametrize("dtype", [nngrad.float32, nngrad.float64, nngrad.int32])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_scalar_of_numpy_decides_no_dtype(number: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    x = nngrad.ones(*shape, dtype=dtype) if shape else nngrad.tensor(1, dtype=dtype)
    plain = number.item()
    for got, wanted in [
        (x * number, x * plain),
        (number * x, plain * x),
        (number - x, plain - x),
        (x / number, x / plain),
        (x.add(number), x.add(plain)),
        (nngrad.where(x > 0, x, number), nngrad.where(x > 0, x, plain)),
    ]:
        assert got.dtype is wanted.dtype
        assert got.tolist() == wanted.tolist()


def test_numpys_scalars_alone_keep_their_precision() -> None:
    assert F.add(np.float64(1), np.float64(1e-9)).data == 1 + 1e-9


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_leaves_the_hooks_behind(copied: Callable[[Tensor], Tensor]) -> None:
    x = nngrad.tensor([1.0], requires_grad=True)
    x.register_hook(lambda g: g * 100)
    y = copied(x)
    y.sum().backward()
    assert y.grad is not None
    assert y.grad.tolist() == [1]
    x.register_hook(lambda g: g)
    assert not y.__dict__.get("_hooks")


def test_asking_an_intermediate_result_for_its_gradient_warns() -> None:
    x = nngrad.tensor([1.0], requires_grad=True)
    y, kept = x * 2, x * 3
    kept.retain_grad()
    assert x.grad is None
    assert kept.grad is None
    assert y.detach().grad is None
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None


def test_grad_takes_pytorchs_only_inputs() -> None:
    x = nngrad.tensor([1.0, 2.0], requires_grad=True)
    out = x * x
    (g,) = nngrad.grad(
        outputs=out,
        inputs=x,
        grad_outputs=nngrad.ones_like(out),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )
    assert g is not None
    assert g.tolist() == [2, 4]


def test_grad_refuses_what_is_no_tensor() -> None:
    given: Any = ["x"]
    with pytest.raises(TypeError, match="all inputs have to be Tensors, got str"):
        grad(leaf(1.0).sum(), given)


def test_a_loss_prints_as_pytorchs() -> None:
    x = nngrad.zeros(1, 2, requires_grad=True)
    loss = nngrad.nn.functional.cross_entropy(x, nngrad.tensor([0]))
    assert repr(loss) == "tensor(0.6931, grad_fn=<NllLossBackward0>)"


def test_a_hook_that_fails_leaves_every_gradient_as_it_was() -> None:
    def fail(g: Tensor) -> None:
        raise KeyError("hook")

    x, y, z = leaf(1.0), leaf(2.0), leaf(3.0)
    (x * y * z).sum().backward()
    y.register_hook(fail)
    with pytest.raises(KeyError, match="hook"):
        (x * y * z).sum().backward()
    assert [gradient(t) for t in (x, y, z)] == [[6], [3], [2]]


def test_the_hooks_of_a_leaf_run_for_chosen_inputs_too() -> None:
    x = leaf(1.0)
    x.register_hook(lambda g: g * 10)
    (x * 2).sum().backward(inputs=[x])
    assert gradient(x) == [20]


MIXED_INDICES: list[Any] = [
    (0, slice(None), "i"),
    (0, slice(None), "i", "i"),
    (0, ..., "i"),
    ("i", slice(None), -1, "i"),
    (1, slice(1, 3), "i", None, 2),
    (1, slice(None), None, [0, 1]),
    (0, slice(None), "row", "column"),
    (0, slice(None), "plane"),
    (slice(None), "number", slice(None), "i"),
]


@pytest.mark.parametrize("index", MIXED_INDICES, ids=str)
def test_numbers_in_an_index_are_taken_first(index: Any) -> None:
    """As in PyTorch: NumPy would move the dimension of the arrays to the front."""
    torch = pytest.importorskip("torch")
    parts = {
        "i": np.array([0, 1, 1]),
        "row": np.array([True, False, False]),
        "column": np.array([False, True, True]),
        "plane": np.eye(3, dtype=bool),
        "number": np.array(2),
    }
    results = []
    for lib in (nngrad, torch):
        at = tuple([lib.tensor(parts[p]) if isinstance(p, str) else p for p in index])
        x = lib.tensor(np.arange(72.0).reshape(2, 4, 3, 3), requires_grad=True)
        read = x[at]
        written = x * 1
        written[at] = lib.ones(read.shape[-1:], dtype=lib.float64) * 7
        written[at] += 2
        (slope,) = lib.autograd.grad((written * written).sum() + (read * read).sum(), x)
        results.append([read.detach().numpy(), written.detach().numpy(), slope.numpy()])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


def test_hooks_after_a_gradient_was_added() -> None:
    weight = nngrad.tensor([1.0, 2.0], requires_grad=True)
    seen: list[list[float]] = []

    def step(p: Tensor) -> None:
        assert p.grad is not None
        seen.append(p.grad.tolist())
        p.grad = None

    handle = weight.register_post_accumulate_grad_hook(step)
    (weight * 3).sum().backward()
    assert seen == [[3.0, 3.0]]
    assert weight.grad is None
    handle.remove()
    (weight * 3).sum().backward()
    assert len(seen) == 1
    for refused in (weight * 2, nngrad.ones(1)):
        with pytest.raises(RuntimeError, match="post accumulate grad hooks cannot be registered"):
            refused.register_post_accumulate_grad_hook(step)

"""Views, aliases and the cost of writing: what is copied, and when."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, no_grad, tensor

ROWS, COLUMNS = 64, 1000


def interior() -> Tensor:
    """A tensor inside a graph that starts from a leaf nobody else holds."""
    return nngrad.tensor(np.ones((ROWS, COLUMNS)), requires_grad=True) + 0.0


def memory(x: Tensor) -> int:
    return x.node._value.__array_interface__["data"][0]  # type: ignore[no-any-return]  # an address


def set_row(x: Tensor, i: int, w: Tensor) -> None:
    x[i] = w


def add_to_row(x: Tensor, i: int, w: Tensor) -> None:
    x[i] += w


def scale_row(x: Tensor, i: int, w: Tensor) -> None:
    x[i] *= w


def from_row_before(x: Tensor, i: int, w: Tensor) -> None:
    x[i] = x[i - 1] * 0.5 + w


def in_view(x: Tensor, i: int, w: Tensor) -> None:
    x[i].mul_(w)


def chained(x: Tensor, i: int, w: Tensor) -> None:
    x[i][2:5] = w[2:5]


WRITES = [set_row, add_to_row, scale_row, from_row_before, in_view, chained]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("grad", [False, True])
def test_row_writes_copy_no_more_than_rows(write: Callable[[Tensor, int, Tensor], None], grad: bool) -> None:
    """n row writes stay in the same memory; all together they allocate less than two copies of x."""
    w = nngrad.tensor(np.full(COLUMNS, 0.5), requires_grad=grad)
    x = interior() if grad else nngrad.tensor(np.ones((ROWS, COLUMNS)))
    write(x, 0, w)
    before = memory(x)
    tracemalloc.start()
    try:
        for i in range(1, 11):
            write(x, i, w)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert memory(x) == before
    assert peak < ROWS * COLUMNS * 8
    if grad:
        x.sum().backward()
        assert w.grad is not None


def test_writes_to_a_leaf_under_no_grad_stay_in_its_memory() -> None:
    p = nngrad.tensor(np.zeros((4, 3)), requires_grad=True)
    before = memory(p)
    with no_grad():
        p[1] = 2.0
        p[2] += 1.0
    p.data[3] = 5.0
    assert memory(p) == before
    assert p.is_leaf
    assert p.requires_grad
    assert p.tolist() == [[0] * 3, [2] * 3, [1] * 3, [5] * 3]


def hold_numpy(x: Tensor) -> Any:
    return x.detach().numpy()


def hold_square(x: Tensor) -> Any:
    return x * x


def hold_detached(x: Tensor) -> Any:
    return x.detach()


def hold_view(x: Tensor) -> Any:
    return x[1]


def hold_node(x: Tensor) -> Any:
    return x.node


@pytest.mark.parametrize("hold", [hold_numpy, hold_square, hold_detached, hold_view, hold_node])
@pytest.mark.parametrize("grad", [False, True])
def test_what_somebody_can_see_is_copied_once(hold: Callable[[Tensor], Any], grad: bool) -> None:
    """The first write leaves the memory to whoever holds it; the next stays in the new one."""
    x = interior() if grad else nngrad.tensor(np.ones((4, 3)))
    before = memory(x)
    held = hold(x)
    x[0] = 2.0
    assert (memory(x) != before) == (
        grad or hold is not hold_square
    )  # without a graph a square holds nothing
    if hold is not hold_detached:  # an alias that nobody reads is behind, but keeps its memory
        after = memory(x)
        x[1] = 3.0
        assert memory(x) == after
    if hold is hold_numpy:
        assert (held == 1).all()
    if hold is hold_node:
        assert (held.data == 1).all()
    if hold is hold_view:
        assert (held.detach().numpy() == 3).all()


def test_an_output_that_its_derivative_needs_is_copied() -> None:
    x = nngrad.tensor([0.5, 1.0], requires_grad=True)
    y = x.exp()
    y[0] = 7.0
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [0, np.exp(np.float32(1))], rtol=1e-6)


def test_values_read_before_a_write_serve_their_derivatives() -> None:
    """Where PyTorch refuses ("modified by an inplace operation"), each use counts as it was."""
    x = nngrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1.0
    z = y * y
    y[0] = 10.0
    y *= y
    (z.sum() + y.sum()).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 8.0, 12.0]


def test_recurrence_in_one_buffer() -> None:
    w = nngrad.tensor(2.0, requires_grad=True)
    x = nngrad.tensor(np.zeros(5, np.float32))
    x[0] = 1.0
    for t in range(1, 5):
        before = x[t - 1]
        x[t] = before * w
    assert x.tolist() == [1, 2, 4, 8, 16]
    x[4].backward()
    assert w.grad is not None
    assert w.grad.item() == 32.0


# ---------------------------------------------------------------- in step


def test_views_of_views_and_their_base_stay_in_step() -> None:
    x = nngrad.tensor(np.zeros((2, 3)))
    row, column, flat = x[1], x.T[2], x.view(6)
    element = row[2]
    x[1, 2] = 1.0
    assert element.item() == row[2].item() == column[1].item() == flat[5].item() == 1
    flat[5] = 2.0
    element += 1
    assert x[1, 2].item() == 3
    assert column.tolist() == [0, 3]
    x.zero_()
    assert element.item() == 0
    column.copy_(nngrad.tensor([4.0, 5.0]))
    assert x.tolist() == [[0, 0, 4], [0, 0, 5]]


def test_a_write_to_a_view_puts_its_gradient_into_the_base() -> None:
    x = nngrad.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    w = nngrad.tensor(np.array([10.0, 20.0]), requires_grad=True)
    y = x * 1.0
    y.T[1].mul_(w)
    y.reshape(-1)[0:1].zero_()
    y.sum().backward()
    assert x.grad is not None
    assert w.grad is not None
    assert x.grad.tolist() == [[0, 10, 1], [1, 20, 1]]
    assert w.grad.tolist() == [1, 4]


def test_an_overwritten_tensor_stays_in_the_graph() -> None:
    overwrites = (
        Tensor.zero_,
        partial(Tensor.fill_, value=3.0),
        partial(Tensor.copy_, source=nngrad.tensor([1.0, 2.0])),
    )
    for overwrite in overwrites:
        x = nngrad.tensor([1.0, 2.0], requires_grad=True)
        for y in (x * 2, (x * 2).view(2, 1).T[0]):
            overwrite(y)
            assert y.requires_grad
            y.sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [0, 0]


def test_an_untracked_tensor_becomes_tracked_with_all_its_views() -> None:
    w = nngrad.tensor([1.0, 1.0], requires_grad=True)
    x = nngrad.tensor(np.zeros((2, 2), np.float32))
    row, alias = x[0], x.detach()
    row += w
    assert x.requires_grad
    assert row.requires_grad
    assert not alias.requires_grad
    assert alias.tolist() == [[1, 1], [0, 0]]
    x.sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [1, 1]


def test_a_detached_tensor_has_a_graph_of_its_own() -> None:
    x = nngrad.tensor([1.0, 2.0], requires_grad=True)
    d = x.detach().requires_grad_()
    with no_grad():
        x += 1
    assert d.tolist() == [2, 3]
    assert d.is_leaf
    (d * d).sum().backward()
    assert d.grad is not None
    assert d.grad.tolist() == [4, 6]
    assert x.grad is None
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        d[:1].add_(1)
    e = x.detach()
    e[0] = d[1] * 5
    assert e.requires_grad
    assert x.tolist() == [15, 3]
    assert x.is_leaf


def test_a_write_outside_the_graph_leaves_the_gradient_alone() -> None:
    x = nngrad.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.detach()[0] = 100.0
    y.data.mul_(2)
    with no_grad():
        y += 1
    assert y.tolist() == [201, 13]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3, 3]


def test_a_detached_value_keeps_no_graph_alive() -> None:
    import weakref

    x = nngrad.tensor([1.0], requires_grad=True)
    y = x * 2
    graph = weakref.ref(y.node)
    kept = [y.detach(), y[0].detach(), y.data]
    del y
    assert graph() is None
    assert [k.item() for k in kept] == [2, 2, 2]
    kept[0].zero_()
    assert [k.item() for k in kept] == [0, 0, 0]


def test_a_view_made_under_no_grad_is_written_to_under_no_grad() -> None:
    x = nngrad.tensor([1.0, 2.0], requires_grad=True)
    with no_grad():
        v = x[:1]
    assert not v.requires_grad
    with pytest.raises(RuntimeError, match="no_grad mode"):
        v += 1
    with no_grad():
        v += 1
    assert x.tolist() == [2, 2]
    base = nngrad.tensor([0.0])
    with no_grad():
        v = base.view(1, 1)
    v += 1
    assert base.tolist() == [1]
    with pytest.raises(RuntimeError, match="no_grad mode"):
        v += nngrad.tensor(1.0, requires_grad=True)
    assert base.tolist() == [1]


def test_expanded_tensors_are_not_written_to() -> None:
    x = nngrad.tensor([[1.0, 2.0]])
    e = x.expand(3, 2)
    for write in (lambda: e.add_(1), lambda: e.zero_(), lambda: e.__setitem__(0, 1.0)):
        with pytest.raises(RuntimeError, match="single memory location"):
            write()
    x[0, 0] = 5
    assert e.tolist() == [[5, 2]] * 3


def test_view_refuses_to_copy_and_reshape_copies() -> None:
    x = nngrad.tensor(np.zeros((2, 3)))
    with pytest.raises(RuntimeError, match=r"view: .*\.reshape"):
        x.T.view(6)
    copied = x.T.reshape(6)
    copied += 1
    assert x.sum().item() == 0
    x.T.mul_(2)  # the order of the base in memory stays
    x.view(6)[0] = 1
    assert x[0, 0].item() == 1
    assert x.T.contiguous() is not x.T
    assert x.contiguous() is x
    flat = x.T.flatten()
    flat += 1
    assert x[1, 1].item() == 0


# ---------------------------------------------------------------- data


def test_data_moves_a_tensor_to_another_memory() -> None:
    x = nngrad.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    old, new = x.data, nngrad.tensor([5.0, 6.0])
    x.data = new
    assert x.is_leaf
    assert x.requires_grad
    new[0] = 7.0
    assert x.tolist() == [7, 6]
    with no_grad():
        x[1] = 8.0
    assert new.tolist() == [7, 8]
    assert old.tolist() == [1, 2]
    x.data = old
    assert x.tolist() == [1, 2]
    x.data = x.data * 2
    x.data += 1
    assert x.tolist() == [3, 5]
    assert old.tolist() == [1, 2]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3, 3]


def test_data_of_a_tensor_may_be_a_view_of_itself() -> None:
    x = nngrad.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    x.data = x.data.T
    assert x.shape == (3, 2)
    x.data = x.data[:1]
    x.data = x.data
    assert x.tolist() == [[0, 3]]
    with pytest.raises(RuntimeError, match="floating point"):
        x.data = tensor([1, 2])
    assert x.tolist() == [[0, 3]]


def test_a_view_can_be_made_a_leaf() -> None:
    x = nngrad.tensor([1.0, 2.0])
    v = x[:1].requires_grad_()
    x[0] = 4.0
    assert v.item() == 4
    assert v.is_leaf
    (v * v).backward()
    assert v.grad is not None
    assert v.grad.tolist() == [8]
    assert not x.requires_grad
    v.requires_grad_(False)
    x[0] = 5.0
    assert v.tolist() == [5]


# ---------------------------------------------------------------- failures


class Watched:
    """A base with views, to see that nothing has changed."""

    def __init__(self, grad: bool) -> None:
        self.leaf = nngrad.tensor(np.arange(6.0).reshape(2, 3), requires_grad=grad)
        self.x = self.leaf + 0.0
        self.tensors = [self.x, self.x[0], self.x.T, self.x.detach(), self.x.view(6)[1:3]]
        self.before = [(t.tolist(), t.requires_grad, t.op, t.shape) for t in self.tensors]

    def is_unchanged(self) -> bool:
        return self.before == [(t.tolist(), t.requires_grad, t.op, t.shape) for t in self.tensors]


NO_NUMBER: Any = "a"
BAD_WRITES: list[tuple[type[Exception], Callable[[Tensor], Any]]] = [
    (IndexError, lambda x: x.__setitem__(9, 1.0)),
    (IndexError, lambda x: x.__setitem__((0, 0, 0, 0), 1.0)),
    (IndexError, lambda x: x.__setitem__(tensor([9]), 1.0)),
    (IndexError, lambda x: x.__setitem__(nngrad.tensor([0.5]), 1.0)),
    (RuntimeError, lambda x: x.__setitem__(slice(None), nngrad.tensor(np.ones(5)))),
    (RuntimeError, lambda x: x.__setitem__(0, 1j)),
    (RuntimeError, lambda x: x.add_(nngrad.tensor(np.ones((4, *x.shape))))),
    (RuntimeError, lambda x: x.add_(nngrad.tensor(np.ones(5)))),
    (RuntimeError, lambda x: x.mul_(1j)),
    (RuntimeError, lambda x: x.copy_(nngrad.tensor(np.ones(5)))),
    (RuntimeError, lambda x: x.requires_grad_(False) if x.requires_grad else x.view(99)),
    (TypeError, lambda x: x.__setitem__(0, NO_NUMBER)),
    (TypeError, lambda x: x.fill_(NO_NUMBER)),
]


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(("error", "write"), BAD_WRITES)
def test_failed_writes_change_nothing(
    error: type[Exception], write: Callable[[Tensor], Any], grad: bool, which: int
) -> None:
    watched = Watched(grad)
    with pytest.raises(error):
        write(watched.tensors[which])
    assert watched.is_unchanged()
    watched.x[0] = 1.0
    assert watched.tensors[1].tolist() == [1, 1, 1]


def test_integers_and_bools() -> None:
    x = tensor([1, 2, 3])
    x[0] = 2.7
    x += 1
    assert x.tolist() == [3, 3, 4]
    with pytest.raises(RuntimeError, match="can't be cast"):
        x += 0.5
    with pytest.raises(RuntimeError, match="floating point"):
        x.requires_grad_()
    x[0] = nngrad.tensor(9.0, requires_grad=True)
    assert not x.requires_grad
    mask = x > 3
    mask[0] = False
    assert mask.tolist() == [False, False, True]
    x[mask] += 1
    assert x.tolist() == [9, 3, 5]


def test_where_an_index_names_a_cell_twice_the_last_value_stands() -> None:
    x = nngrad.tensor(np.zeros(3), requires_grad=True)
    v = nngrad.tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = x * 1.0
    y[[0, 0]] = v
    assert y.tolist() == [2, 0, 0]
    y[[1, 1]] += v
    assert y.tolist() == [2, 2, 0]
    y.sum().backward()
    assert v.grad is not None
    assert x.grad is not None
    assert v.grad.tolist() == [0, 2]
    assert x.grad.tolist() == [0, 1, 1]


def test_an_alias_of_strided_memory_stays_strided() -> None:
    base = nngrad.tensor(np.zeros((2, 3)))
    x = nngrad.tensor(np.ones((3, 2)), requires_grad=True)
    x.data = base.T
    with no_grad():
        x += x * nngrad.tensor(np.ones((3, 2))) + 1
    assert base.tolist() == [[1] * 3] * 2
    with pytest.raises(RuntimeError, match="view"):
        x.view(6)
    assert x.is_leaf
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[2, 2]] * 3


def test_aliases_from_before_and_after_a_tensor_entered_a_graph_stay_together() -> None:
    x = nngrad.tensor([1.0, 2.0])
    early = x.detach()
    x *= nngrad.tensor(2.0, requires_grad=True)
    late = x.detach()
    late[0] = 7.0
    assert early.tolist() == x.tolist() == [7, 4]
    x.data = nngrad.tensor([0.0, 0.0])
    early += 1
    assert late.tolist() == [8, 5]
    assert x.tolist() == [0, 0]

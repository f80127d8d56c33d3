"""Random shapes and indices: gathering and scattering against plain loops, rows added in every way."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from rows_indexing import gathered, scattered

import nngrad
import nngrad.functional as F
from nngrad.functional import scattering
from nngrad.functional.engine import backward

Array = np.ndarray[Any, Any]
COMBINE: dict[str, Any] = {"sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def filled(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Whole numbers, so that sums and products are exact."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float64)


@st.composite
def placed(draw: st.DrawFn) -> tuple[Array, int, Array]:
    """An input, a dimension (also from the back), and an index that gather takes there."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    dim = draw(st.integers(0, len(shape) - 1))
    sizes = [draw(st.integers(0, 5 if i == dim else n)) for i, n in enumerate(shape)]
    index = draw(hnp.arrays(np.int64, tuple(sizes), elements=st.integers(0, shape[dim] - 1)))
    return filled(shape), dim - len(shape) * draw(st.booleans()), index


@settings(deadline=None, max_examples=150)
@given(placed())
def test_gather_and_its_gradient_are_loops(case: tuple[Array, int, Array]) -> None:
    x, dim, index = case
    node = F.variable(x)
    out = F.gather(node, dim, index)
    np.testing.assert_array_equal(out.data, gathered(x, dim, index), strict=True)
    g = filled(index.shape, 1)
    np.testing.assert_array_equal(
        backward([out], [g]).get(node, np.zeros(x.shape)), scattered(np.zeros(x.shape), dim, index, g, np.add)
    )


@settings(deadline=None, max_examples=150)
@given(placed(), st.booleans(), st.sampled_from(list(COMBINE)))
def test_scatter_reduce_is_a_loop(case: tuple[Array, int, Array], alone: bool, word: Any) -> None:
    x, dim, index = case
    src = filled(index.shape, 2)
    out = F.scatter_reduce(x, dim, index, src, word, include_self=not alone)
    np.testing.assert_array_equal(out.data, scattered(x, dim, index, src, COMBINE[word], alone), strict=True)


@settings(deadline=None, max_examples=100)
@given(placed())
def test_scatter_and_its_gradient_are_loops(case: tuple[Array, int, Array]) -> None:
    """The value that stands is the one that receives the gradient."""
    x, dim, index = case
    src = np.arange(index.size, dtype=np.float64).reshape(index.shape) + 10
    a, b = F.variable(x), F.variable(src)
    out = F.scatter(a, dim, index, b)
    np.testing.assert_array_equal(out.data, scattered(x, dim, index, src, lambda old, new: new), strict=True)
    got = backward([out], [out.data])
    np.testing.assert_array_equal(got.get(a), np.where(out.data >= 10, 0, x))
    standing = np.isin(src, out.data)
    np.testing.assert_array_equal(got.get(b, np.zeros(src.shape)), np.where(standing, src, 0))


@st.composite
def mixed(draw: st.DrawFn) -> tuple[tuple[int, ...], Any]:
    """A shape and an index with at least one array of integers."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    common = draw(st.sampled_from([(3,), (2, 3), (0,)]))
    arrays = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    parts: list[Any] = []
    for i, n in enumerate(shape):
        if i in arrays:
            sizes = draw(st.sampled_from([common, (1,) * len(common), common[-1:]]))
            parts.append(draw(hnp.arrays(np.int64, sizes, elements=st.integers(-n, n - 1))))
        elif draw(st.booleans()):
            parts.append(slice(None))
        else:
            parts.append(draw(st.one_of(st.integers(-n, n - 1), st.slices(n))))
    while type(parts[-1]) is slice and draw(st.booleans()):
        parts.pop()
    if draw(st.booleans()):
        at = end = draw(st.integers(0, len(parts)))
        while end < len(parts) and type(parts[end]) is slice and parts[end] == slice(None):
            end += 1
        parts[at:end] = [Ellipsis]
    return shape, tuple(parts) if len(parts) > 1 or draw(st.booleans()) else parts[0]


@settings(deadline=None, max_examples=300)
@given(
    mixed(),
    st.sampled_from([0, 3, 10**9]),
    st.sampled_from([0, 10**9]),
    st.sampled_from([0, 1, 32]),
    st.sampled_from([1, 4, 100]),
)
def test_every_way_of_adding_at_an_index_is_numpys(
    case: tuple[tuple[int, ...], Any], group: int, turn: int, narrow: int, block: int
) -> None:
    shape, index = case
    start = filled(shape)
    try:
        g = filled(start[index].shape, 1)
    except IndexError:  # the ellipsis moved an index to a shorter dimension
        return
    with pytest.MonkeyPatch.context() as patch:
        chosen = {"FEW": 0, "GROUP": group, "ROUND": turn, "NARROW": narrow, "BLOCK": block}
        for name, value in chosen.items():
            patch.setattr(scattering, name, value)
        for blank in (False, True):
            got = np.zeros(shape) if blank else np.array(start)
            expected = np.array(got)
            np.add.at(expected, index, g)
            scattering.scatter_add(got, index, g, blank)
            np.testing.assert_array_equal(got, expected)


_I, _J = np.array([2, 0, 2]), np.array([1, 1, -1])


@pytest.mark.parametrize(
    "index",
    [
        (slice(None), _I, slice(None), _J),
        (slice(None), _I, _J),
        (slice(None), _I, ..., _J),
        (slice(None), _I, slice(None), ..., _J),
        (_I, slice(0, 3)),
        (0, slice(None), _I, slice(0, 3)),
        (slice(None), _I, slice(0, 3), 1),
    ],
    ids=str,
)
def test_dimensions_of_one_size_are_not_mistaken_for_each_other(index: Any) -> None:
    named = len([part for part in index if part is not Ellipsis])
    for dims in (named, 4):
        buffer = filled((3,) * dims)
        g = filled(buffer[index].shape, 1)
        expected = np.array(buffer)
        np.add.at(expected, index, g)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scattering, "FEW", 0)
            scattering.scatter_add(buffer, index, g)
        np.testing.assert_array_equal(buffer, expected)


@pytest.mark.parametrize("number", [1, 2, 1 << 16, (1 << 16) + 1, 10**7, 1 << 33])
def test_grouping_sorts_numbers_of_any_size(number: int) -> None:
    rows = np.random.default_rng(0).integers(max(0, number - 200), number, 500)
    order, starts = scattering.grouped(rows, number)
    np.testing.assert_array_equal(rows[order], np.sort(rows))
    np.testing.assert_array_equal(rows[order][starts], np.unique(rows))


@pytest.mark.parametrize(
    ("count", "rows", "width"), [(300, 2000, 64), (300, 7, 64), (3000, 7, 1), (300, 90000, 33)]
)
def test_rows_of_a_large_table_are_added(count: int, rows: int, width: int) -> None:
    """At the sizes that the constants of scattering.py were measured for."""
    index = np.random.default_rng(0).integers(0, rows, count)
    table = F.variable(np.zeros((rows, width)))
    g = filled((count, width), 1)
    expected = np.zeros((rows, width))
    np.add.at(expected, index, g)
    out = F.getitem(table, index)
    both = F.add(out, F.index_select(table, 0, index))
    np.testing.assert_array_equal(backward([out], [g], free=False)[table], expected)
    np.testing.assert_array_equal(backward([both], [g])[table], 2 * expected)


def test_in_place_forms_write_through_views() -> None:
    torch = pytest.importorskip("torch")
    calls: tuple[Any, ...] = (
        lambda t, x: x[1].index_add_(0, t.tensor([0, 0]), t.ones(2)),
        lambda t, x: x.index_copy_(1, t.tensor([2]), t.ones(3, 1)),
        lambda t, x: x.T.index_fill_(0, t.tensor([-1]), 4.0),
        lambda t, x: x.index_put_((t.tensor([0, 0]), t.tensor([1, 1])), t.tensor(2.0), accumulate=True),
        lambda t, x: x.masked_scatter_(x > 1, t.arange(9.0)),
        lambda t, x: x[:, 1:].scatter_(1, t.tensor([[0], [1]]), -1.0),
        lambda t, x: x.scatter_add_(0, t.tensor([[0, 0, 0]]), t.ones(1, 3)),
        lambda t, x: x[0].scatter_reduce_(0, t.tensor([1, 1]), t.tensor([3.0, 4.0]), "prod"),
    )
    for call in calls:
        results = []
        for module in (nngrad, torch):
            t: Any = module
            leaf = t.arange(9.0).reshape(3, 3).requires_grad_()
            x = leaf * 2
            call(t, x)
            (x * x).sum().backward()
            results.append((x.detach().numpy(), leaf.grad.numpy()))
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_array_equal(ours, theirs)

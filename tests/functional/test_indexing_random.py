"""Random shapes, indices and axes: reading, assigning, reducing and rearranging against NumPy."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import backward

Array = np.ndarray[Any, Any]
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def filled(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Distinct values, so that a cell in the wrong place shows; whole, so that sums are exact."""
    size = int(np.prod(shape))
    return np.random.default_rng(seed).permutation(size).reshape(shape) + 1.0


@st.composite
def indexed(draw: st.DrawFn) -> tuple[tuple[int, ...], Any]:
    """A shape and an index into it: basic, masks, or integer arrays among basic parts."""
    shape = draw(SHAPES)
    kind = draw(st.sampled_from(["basic", "mask", "integers", "mixed"]))
    if kind == "basic":
        index: Any = draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    elif kind == "mask":
        dims = draw(st.integers(1, len(shape)))
        index = draw(hnp.arrays(np.bool_, shape[:dims]))
    elif kind == "integers":
        index = draw(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3)))
    else:
        parts: list[Any] = []
        length = draw(st.integers(1, 3))
        for n in shape:
            part = draw(st.sampled_from(["array", "slice", "integer", "list"]))
            if part == "array":
                parts.append(draw(hnp.arrays(np.int64, (length,), elements=st.integers(-n, n - 1))))
            elif part == "slice":
                parts.append(draw(st.slices(n)))
            elif part == "integer":
                parts.append(draw(st.integers(-n, n - 1)))
            else:
                parts.append(draw(st.lists(st.integers(0, n - 1), min_size=length, max_size=length)))
        index = tuple(parts)
    return shape, index


def with_nodes(index: Any) -> Any:
    """The same index with its arrays as nodes."""
    parts = index if isinstance(index, tuple) else (index,)
    made = tuple([F.constant(p) if isinstance(p, np.ndarray) else p for p in parts])
    return made if isinstance(index, tuple) else made[0]


@settings(max_examples=300)
@given(indexed(), st.booleans())
def test_getitem_reads_what_numpy_reads(case: tuple[tuple[int, ...], Any], nodes: bool) -> None:
    shape, index = case
    x = F.variable(filled(shape))
    out = x[with_nodes(index) if nodes else index]
    np.testing.assert_array_equal(out.data, x.data[index], strict=True)
    g = filled(out.shape, 1)
    expected = np.zeros(shape)
    np.add.at(expected, index, g)
    np.testing.assert_array_equal(backward([out], [g], free=False)[x], expected, strict=True)
    recorded = backward([out], [F.constant(g)], create_graph=True, free=False)[x]
    np.testing.assert_array_equal(recorded.data, expected, strict=True)


@st.composite
def assigned(draw: st.DrawFn) -> tuple[tuple[int, ...], Any, tuple[int, ...]]:
    """A shape, an index, and a shape that broadcasts into the place."""
    shape, index = draw(indexed())
    place = np.zeros(shape)[index].shape
    kept = [n if draw(st.booleans()) else 1 for n in place][draw(st.integers(0, len(place))) :]
    lead = [1] * draw(st.integers(0, 1)) if len(kept) == len(place) else []
    return shape, index, (*lead, *kept)


def winners(shape: tuple[int, ...], index: Any) -> Array:
    """For each value written, whether it is the one that stays."""
    place = np.zeros(shape)[index]
    order = np.arange(place.size).reshape(place.shape)
    cells = np.full(shape, -1)
    cells[index] = order
    return np.asarray(cells[index] == order)


@settings(max_examples=300)
@given(assigned(), st.booleans())
def test_index_put_writes_what_numpy_writes(
    case: tuple[tuple[int, ...], Any, tuple[int, ...]], nodes: bool
) -> None:
    shape, index, value_shape = case
    x, v = F.variable(filled(shape)), F.variable(filled(value_shape, 2))
    out = F.index_put(x, with_nodes(index) if nodes else index, v)
    expected = np.array(x.data)
    extra = max(len(value_shape) - x.data[index].ndim, 0)  # NumPy does not always drop leading 1s
    expected[index] = v.data.reshape(value_shape[extra:])
    np.testing.assert_array_equal(out.data, expected, strict=True)
    g = filled(shape, 1)
    for_x = np.array(g)
    for_x[index] = 0
    taken = np.where(winners(shape, index), g[index], 0.0)
    for_v = np.zeros(value_shape)
    for cell in np.ndindex(value_shape):
        one = np.zeros(value_shape)
        one[cell] = 1
        target = np.zeros(taken.shape)
        target[...] = one.reshape(value_shape[extra:])
        for_v[cell] = np.sum(target * taken)
    for create_graph in (False, True):
        got = backward([out], [F.constant(g) if create_graph else g], create_graph=create_graph, free=False)
        np.testing.assert_array_equal(value_of(got[x]), for_x, strict=True)
        np.testing.assert_array_equal(value_of(got[v]), for_v, strict=True)


def value_of(g: Any) -> Array:
    return np.asarray(g.data if isinstance(g, Node) else g)


@settings(max_examples=150)
@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3, min_side=0))
def test_broadcasting_and_back(shapes: hnp.BroadcastableShapes) -> None:
    a, b, c = (F.variable(filled(s, i)) for i, s in enumerate(shapes.input_shapes))
    out = F.where(a > b, a * b, b - c) + c
    assert out.shape == shapes.result_shape
    g = filled(out.shape, 9)
    got = backward([out], [g])
    full = [np.broadcast_to(n.data, out.shape) for n in (a, b, c)]
    taken = full[0] > full[1]
    partials = (
        np.where(taken, full[1], 0),
        np.where(taken, full[0], 1),
        np.where(taken, 0, -1) + 1,
    )
    for node, partial in zip((a, b, c), partials):
        slots = np.arange(node.size).reshape(node.shape)
        expected = np.bincount(
            np.broadcast_to(slots, out.shape).ravel(), (g * partial).ravel(), minlength=node.size
        ).reshape(node.shape)
        np.testing.assert_array_equal(got[node], expected)
    for node, whole in zip(F.broadcast_tensors(a, b, c), full):
        np.testing.assert_array_equal(node.data, whole, strict=True)


@settings(max_examples=200)
@given(st.data(), SHAPES, st.booleans(), st.sampled_from(["sum", "mean", "amax", "amin"]))
def test_reductions_over_any_axes(data: st.DataObject, shape: tuple[int, ...], keep: bool, name: str) -> None:
    dims = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1))
    signed = tuple([d - len(shape) if data.draw(st.booleans()) else d for d in dims])
    numpy: Any = {"sum": np.sum, "mean": np.mean, "amax": np.max, "amin": np.min}[name]
    x = F.variable(filled(shape))
    out = getattr(F, name)(x, signed, keep)
    np.testing.assert_allclose(out.data, numpy(x.data, axis=signed, keepdims=keep), rtol=1e-14, strict=True)
    g = filled(out.shape, 1)
    spread = np.broadcast_to(g if keep else np.expand_dims(g, [d % len(shape) for d in signed]), shape)
    expected = {
        "sum": spread,
        "mean": spread / np.prod([shape[d] for d in dims]),
        "amax": spread * (x.data == np.max(x.data, axis=signed, keepdims=True)),
        "amin": spread * (x.data == np.min(x.data, axis=signed, keepdims=True)),
    }[name]
    np.testing.assert_allclose(backward([out], [g])[x], expected, rtol=1e-14, strict=True)


@settings(max_examples=150)
@given(st.data(), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
def test_rearranging_keeps_every_element(data: st.DataObject, shape: tuple[int, ...]) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    x = F.variable(filled(shape))
    turned = F.permute(x, order)
    np.testing.assert_array_equal(turned.data, x.data.transpose(order), strict=True)
    flat = F.reshape(turned, -1) if x.size else F.reshape(turned, (0,))
    g = filled(flat.shape, 1)
    expected = g.reshape(turned.shape).transpose(np.argsort(order).astype(int)) if shape else g.reshape(())
    np.testing.assert_array_equal(backward([flat], [g])[x], expected, strict=True)
    back = F.permute(turned, list(np.argsort(order).astype(int))) if shape else turned
    np.testing.assert_array_equal(back.data, x.data, strict=True)


@settings(max_examples=150)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
def test_splitting_and_joining(data: st.DataObject, shape: tuple[int, ...]) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    shape = tuple([sum(sizes) if i == dim % len(shape) else n for i, n in enumerate(shape)])
    x = F.variable(filled(shape))
    parts = F.split(x, sizes, dim)
    cuts = np.cumsum(sizes)[:-1]
    for part, expected in zip(parts, np.split(x.data, cuts, dim), strict=True):
        np.testing.assert_array_equal(part.data, expected, strict=True)
    joined = F.concat(parts, dim)
    np.testing.assert_array_equal(joined.data, x.data, strict=True)
    stacked = F.stack([joined, joined * 2.0], dim)
    np.testing.assert_array_equal(stacked.data, np.stack([x.data, x.data * 2.0], dim), strict=True)
    g = filled(stacked.shape, 1)
    got = backward([stacked], [g]).get(x, np.zeros(shape))
    np.testing.assert_array_equal(got, np.take(g, 0, dim) + 2.0 * np.take(g, 1, dim))
    size = data.draw(st.integers(1, 4))
    for part, start in zip(F.split(x, size, dim), range(0, shape[dim], size)):
        np.testing.assert_array_equal(
            part.data, np.take(x.data, range(start, min(start + size, shape[dim])), dim)
        )

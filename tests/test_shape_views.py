"""What rearranges a tensor: which results are views, as in PyTorch, and what writing through them does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor

#: functions of a (2, 3, 4) tensor, or of a package beside it, whose results PyTorch gives as views
VIEWS: dict[str, Callable[[Any, Any], Any]] = {
    "atleast_3d": lambda f, x: f.atleast_3d(x),
    "atleast_2d-row": lambda f, x: f.atleast_2d(x[0, 1]),
    "atleast_3d-matrix": lambda f, x: f.atleast_3d(x[:, 1]),
    "chunk": lambda f, x: x.chunk(2, 2),
    "diagonal": lambda f, x: x.diagonal(),
    "diagonal-plane": lambda f, x: f.diagonal(x, 1, 2, 0),
    "diagonal-of-view": lambda f, x: x[1].diagonal(offset=-1),
    "dsplit": lambda f, x: f.dsplit(x, 2),
    "expand_as": lambda f, x: x[:1, :1].expand_as(x[:1, :1]),
    "hsplit": lambda f, x: x.hsplit(3),
    "mT": lambda f, x: x.mT,
    "movedim": lambda f, x: x.movedim((0, 1), (2, 0)),
    "moveaxis": lambda f, x: f.moveaxis(x, 0, -1),
    "narrow": lambda f, x: x.narrow(2, 1, 2),
    "narrow-named": lambda f, x: f.narrow(x, dim=2, start=1, length=2),
    "ravel": lambda f, x: x.ravel(),
    "reshape_as": lambda f, x: x.reshape_as(f.zeros(4, 6)),
    "select": lambda f, x: x.select(1, -1),
    "split": lambda f, x: x.split([1, 2], 1),
    "split_with_sizes": lambda f, x: f.split_with_sizes(x, [3, 1], -1),
    "swapaxes": lambda f, x: f.swapaxes(x, 0, 2),
    "swapdims": lambda f, x: x.swapdims(1, 2),
    "t": lambda f, x: x[0].t(),
    "tensor_split": lambda f, x: x.tensor_split((1, 3), 2),
    "unbind": lambda f, x: x.unbind(1),
    "unflatten": lambda f, x: x.unflatten(2, (2, -1)),
    "unfold-apart": lambda f, x: x.unfold(2, 2, 2),
    "unfold-first": lambda f, x: x.unfold(0, 2, 2),
    "unfold-middle": lambda f, x: x.unfold(1, 1, 2),
    "view_as": lambda f, x: x.view_as(f.zeros(6, 4)),
    "vsplit": lambda f, x: x.vsplit((1,)),
    "chain": lambda f, x: x.movedim(0, -1).select(0, 1).t().narrow(1, 0, 2).diagonal(),
}

#: functions whose results are their own
COPIES: dict[str, Callable[[Any, Any], Any]] = {
    "block_diag": lambda f, x: f.block_diag(x[0]),
    "column_stack": lambda f, x: f.column_stack([x]),
    "diag": lambda f, x: f.diag(x[0]),
    "diag_embed": lambda f, x: x.diag_embed(),
    "diagflat": lambda f, x: x.diagflat(),
    "flip": lambda f, x: x.flip(0, -1),
    "fliplr": lambda f, x: x.fliplr(),
    "flipud": lambda f, x: f.flipud(x),
    "kron": lambda f, x: f.kron(x, x),
    "ravel-transposed": lambda f, x: x.mT.ravel(),
    "repeat": lambda f, x: x.repeat(1, 1, 1),
    "repeat-transposed": lambda f, x: x.mT.repeat(1, 1, 1),
    "repeat_interleave-transposed": lambda f, x: x.mT.repeat_interleave(1, 0),
    "repeat-more": lambda f, x: x.repeat(2, 1, 1, 2),
    "repeat_interleave": lambda f, x: x.repeat_interleave(1, 0),
    "roll": lambda f, x: x.roll(1, 0),
    "rot90": lambda f, x: x.rot90(),
    "rot90-none": lambda f, x: f.rot90(x, 4),
    "tile": lambda f, x: x.tile(2),
    "tril": lambda f, x: x.tril(),
    "triu": lambda f, x: f.triu(x, 1),
    "vstack": lambda f, x: f.vstack([x]),
}


def parts(result: Any) -> Sequence[Any]:
    return result if isinstance(result, (tuple, list)) else [result]


def story(f: Any, call: Callable[[Any, Any], Any]) -> list[Any]:
    """Writes through what `call` makes of a tensor, and to the tensor under it: all that can be seen."""
    leaf = f.arange(24.0).reshape(2, 3, 4).requires_grad_()
    several = isinstance(call(f, leaf), tuple)  # then PyTorch refuses writes inside a graph
    x = (leaf.detach() if several else leaf) * 1.0
    taken = parts(call(f, x))
    seen: list[Any] = [v.detach().tolist() for v in taken]
    for k, v in enumerate(taken):
        v.mul_(k + 2.0)
        seen.append(x.tolist())
    x.add_(1.0)
    seen += [v.tolist() for v in parts(taken)]
    taken[0].copy_(taken[-1].sum())
    seen.append(x.tolist())
    if several:
        return seen
    weight = f.arange(1.0, 25.0).reshape(2, 3, 4)
    total = (x * x * weight).sum()
    for v in taken:
        total = total + (v * v).sum()
    total.backward()
    return [*seen, leaf.grad.tolist()]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_and_its_base_stay_in_step_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    call = VIEWS[name]
    assert story(nngrad, call) == story(torch, call)
    x = nngrad.zeros(2, 3, 4)
    parts(call(nngrad, x))[0].fill_(1.0)
    assert x.sum() > 0, "a write through the view reaches its base"


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_stands_alone_as_in_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    seen = []
    for f in (nngrad, torch):
        x = f.arange(24.0).reshape(2, 3, 4)
        copy = COPIES[name](f, x)
        before = copy.tolist()
        x.mul_(2.0)
        assert copy.tolist() == before
        copy.fill_(-1.0)
        assert x.tolist() == (f.arange(24.0).reshape(2, 3, 4) * 2).tolist()
        seen.append((before, list(copy.shape), copy.is_contiguous() if f is torch else True))
    assert seen[0][:2] == seen[1][:2]


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_lies_in_memory_as_in_pytorch(name: str) -> None:
    """So that `view` takes the same tensors."""
    torch = pytest.importorskip("torch")
    works = []
    for f in (nngrad, torch):
        copy = COPIES[name](f, f.arange(24.0).reshape(2, 3, 4))
        try:
            works.append(copy.view(-1).tolist())
        except RuntimeError:
            works.append(None)
    assert works[0] == works[1]


@pytest.mark.parametrize(
    "take", [lambda x: x.expand(3, 2), lambda x: x.unfold(0, 2, 1), lambda x: nngrad.broadcast_to(x, (3, 2))]
)
def test_one_element_in_several_places_cannot_be_written(take: Callable[[Tensor], Tensor]) -> None:
    x = nngrad.zeros(2)
    if take(x).ndim == 2 and take(x).shape[0] == 1:
        x = nngrad.zeros(3)
    view = take(x)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        view.add_(1.0)
    assert x.sum() == 0


def test_views_of_a_row_are_written_in_its_memory() -> None:
    """select, narrow and unbind are basic indexing: a write through them copies nothing."""
    x = nngrad.zeros(4, 3)
    x[0] = 1.0
    before = x.node._value.__array_interface__["data"][0]
    x.select(0, 1).fill_(2.0)
    x.narrow(0, 2, 1).add_(3.0)
    x.unbind()[3].copy_(nngrad.full((3,), 4.0))
    x.chunk(2)[0].mul_(10.0)
    assert x.tolist() == [[10.0] * 3, [20.0] * 3, [3.0] * 3, [4.0] * 3]
    assert x.node._value.__array_interface__["data"][0] == before


def test_several_at_once() -> None:
    """atleast_* take one tensor, several, or a sequence; meshgrid several or a sequence."""
    a, b = nngrad.tensor(1.0), nngrad.zeros(2)
    assert nngrad.atleast_2d(a).shape == (1, 1)
    for shapes in (nngrad.atleast_2d(a, b), nngrad.atleast_2d([a, b]), nngrad.atleast_2d((a, b))):
        assert [tuple(x.shape) for x in shapes] == [(1, 1), (1, 2)]
    for grid in (nngrad.meshgrid(b, b, indexing="xy"), nngrad.meshgrid([b, b])):
        assert [tuple(x.shape) for x in grid] == [(2, 2), (2, 2)]


@pytest.mark.parametrize("name", ["tril_", "triu_"])
def test_triangles_in_place(name: str) -> None:
    x = nngrad.ones(3, 3)
    row = x[1]
    assert getattr(x, name)(-1) is x
    expected = np.tril(np.ones((3, 3)), -1) if name == "tril_" else np.triu(np.ones((3, 3)), -1)
    assert x.tolist() == expected.tolist()
    assert row.tolist() == expected[1].tolist()


def cube() -> Any:
    return np.zeros((2, 3, 4))


#: calls that are wrong, and the type of error
WRONG: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "block_diag": (lambda f, t: f.block_diag(t(cube())), RuntimeError, r"block_diag: .*\(2, 3, 4\)"),
    "broadcast_shapes": (lambda f, t: f.broadcast_shapes((2,), (3,)), RuntimeError, r"\(2,\) and \(3,\)"),
    "cartesian_prod": (lambda f, t: f.cartesian_prod(t(cube())), RuntimeError, r"1D vector.*\(2, 3, 4\)"),
    "chunk": (lambda f, t: f.chunk(t(cube()), 0), RuntimeError, "chunk.*greater than 0"),
    "chunk-dim": (lambda f, t: f.chunk(t(cube()), 2, 3), IndexError, "chunk: Dimension out of range"),
    "chunk-0d": (lambda f, t: f.chunk(t(0.0), 2), RuntimeError, "chunk: .*1-dim"),
    "column_stack": (lambda f, t: f.column_stack([]), RuntimeError, "column_stack: .*non-empty"),
    "diag": (lambda f, t: f.diag(t(cube())), RuntimeError, r"diag: .*\(2, 3, 4\)"),
    "diag-0d": (lambda f, t: f.diag(t(1.0)), RuntimeError, r"diag: .*\(\)"),
    "diag_embed": (lambda f, t: f.diag_embed(t(cube()), 0, 1, 1), RuntimeError, "diag_embed: .*identical"),
    "diag_embed-dim": (lambda f, t: f.diag_embed(t(cube()), 0, 1, 4), IndexError, "diag_embed: Dim.*range"),
    "diagonal": (lambda f, t: f.diagonal(t(cube()), 0, 1, -2), RuntimeError, "diagonal: .*identical"),
    "diagonal-dim": (lambda f, t: f.diagonal(t(np.zeros(3))), IndexError, "diagonal: Dimension out of range"),
    "dsplit": (lambda f, t: f.dsplit(t(np.zeros((2, 2))), 1), RuntimeError, r"dsplit .*\(2, 2\)"),
    "dstack": (lambda f, t: f.dstack([]), RuntimeError, "dstack: .*non-empty"),
    "flip": (lambda f, t: f.flip(t(cube()), (0, -3)), RuntimeError, "flip: dim"),
    "flip-dim": (lambda f, t: f.flip(t(cube()), (3,)), IndexError, "flip: Dimension out of range"),
    "fliplr": (lambda f, t: f.fliplr(t(np.zeros(2))), RuntimeError, "fliplr: .*2-d"),
    "flipud": (lambda f, t: f.flipud(t(0.0)), RuntimeError, "flipud: .*1-d"),
    "hsplit": (lambda f, t: f.hsplit(t(cube()), 2), RuntimeError, "hsplit .*not divisible"),
    "hsplit-0d": (lambda f, t: f.hsplit(t(0.0), 1), RuntimeError, "hsplit .*1 dim"),
    "hstack": (lambda f, t: f.hstack([]), RuntimeError, "hstack: .*non-empty"),
    "hstack-shapes": (
        lambda f, t: f.hstack([t(np.zeros((2, 2))), t(np.zeros((3, 2)))]),
        RuntimeError,
        r"\(2, 2\).*\(3, 2\)",
    ),
    "meshgrid": (lambda f, t: f.meshgrid(t(cube()), indexing="ij"), RuntimeError, r"meshgrid: .*\(2, 3, 4\)"),
    "meshgrid-dtypes": (
        lambda f, t: f.meshgrid(t(np.zeros(2)), t(np.arange(2)), indexing="ij"),
        RuntimeError,
        "meshgrid: .*float64.*int64",
    ),
    "meshgrid-indexing": (lambda f, t: f.meshgrid(t(np.zeros(2)), indexing="xx"), RuntimeError, "xx"),
    "meshgrid-none": (lambda f, t: f.meshgrid(indexing="ij"), RuntimeError, "meshgrid"),
    "movedim": (lambda f, t: f.movedim(t(cube()), (0, 1), (0,)), RuntimeError, "movedim: Invalid source"),
    "movedim-twice": (lambda f, t: f.movedim(t(cube()), (0, 0), (0, 1)), RuntimeError, "movedim: .*twice"),
    "movedim-dim": (lambda f, t: f.movedim(t(cube()), 3, 0), IndexError, "movedim: Dimension out of range"),
    "narrow-start": (lambda f, t: f.narrow(t(cube()), 1, 4, 1), IndexError, "narrow: Dim.*range"),
    "narrow-length": (
        lambda f, t: f.narrow(t(cube()), 1, 2, 2),
        RuntimeError,
        r"start \(2\) \+ length \(2\)",
    ),
    "narrow-negative": (lambda f, t: f.narrow(t(cube()), 1, 1, -1), RuntimeError, r"narrow.*length \(-1\)"),
    "narrow-0d": (lambda f, t: f.narrow(t(0.0), 0, 0, 1), RuntimeError, "narrow"),
    "repeat_interleave-negative": (
        lambda f, t: f.repeat_interleave(t(np.zeros(2)), t(np.array([1, -1]))),
        RuntimeError,
        "repeat_interleave: .*negative",
    ),
    "repeat_interleave-floats": (
        lambda f, t: f.repeat_interleave(t(np.zeros(2)), t(np.ones(2))),
        RuntimeError,
        "repeat_interleave: .*float64",
    ),
    "repeat_interleave-sizes": (
        lambda f, t: f.repeat_interleave(t(np.zeros(2)), t(np.arange(3)), 0),
        RuntimeError,
        r"repeat_interleave: .*\(3,\)",
    ),
    "repeat_interleave-output": (
        lambda f, t: f.repeat_interleave(t(np.zeros(2)), t(np.arange(2)), 0, output_size=5),
        RuntimeError,
        "repeat_interleave: output_size 5",
    ),
    "roll": (lambda f, t: f.roll(t(cube()), (1, 2), 0), RuntimeError, "roll: shifts and dimensions"),
    "roll-flat": (lambda f, t: f.roll(t(cube()), (1, 2)), RuntimeError, "roll: shifts and dimensions"),
    "roll-dim": (lambda f, t: f.roll(t(cube()), 1, 3), IndexError, "roll: Dimension out of range"),
    "rot90": (lambda f, t: f.rot90(t(np.zeros(3))), RuntimeError, r"rot90: .*\(3,\)"),
    "rot90-same": (lambda f, t: f.rot90(t(cube()), 1, (0, -3)), RuntimeError, "rot90: .*different"),
    "rot90-dims": (lambda f, t: f.rot90(t(cube()), 1, (0,)), RuntimeError, "rot90: "),
    "rot90-dim": (lambda f, t: f.rot90(t(cube()), 1, (0, 3)), IndexError, "rot90: Dim"),
    "select": (lambda f, t: f.select(t(cube()), 0, 2), IndexError, r"index 2 .*\(2, 3, 4\) at dimension 0"),
    "select-dim": (lambda f, t: f.select(t(cube()), 3, 0), IndexError, "select: Dimension out of range"),
    "select-0d": (lambda f, t: f.select(t(0.0), 0, 0), IndexError, "select.*0-dim"),
    "split_with_sizes": (
        lambda f, t: f.split_with_sizes(t(cube()), (1, 2)),
        RuntimeError,
        r"split_with_sizes: sizes \[1, 2\].*\(2, 3, 4\)",
    ),
    "t": (lambda f, t: f.t(t(cube())), RuntimeError, r"t\(\) .*\(2, 3, 4\)"),
    "tensor_split": (
        lambda f, t: f.tensor_split(t(cube()), 0),
        RuntimeError,
        "tensor_split: .*larger than 0",
    ),
    "tensor_split-0d": (lambda f, t: f.tensor_split(t(0.0), 1), RuntimeError, "tensor_split: .*1-dim"),
    "tile": (lambda f, t: f.tile(t(np.zeros(2)), (-1,)), RuntimeError, r"repeat.*\(2,\)"),
    "transpose-0d": (lambda f, t: f.transpose(t(0.0), 0, 1), IndexError, "transpose: Dimension out of range"),
    "tril": (lambda f, t: f.tril(t(np.zeros(2))), RuntimeError, r"tril: .*\(2,\)"),
    "triu": (lambda f, t: f.triu(t(0.0)), RuntimeError, r"triu: .*\(\)"),
    "unbind": (lambda f, t: f.unbind(t(cube()), 3), IndexError, "unbind: Dimension out of range"),
    "unflatten": (lambda f, t: f.unflatten(t(cube()), 2, (3, -1)), RuntimeError, r"unflatten: .*\[3, -1\]"),
    "unflatten-none": (lambda f, t: f.unflatten(t(cube()), 2, ()), RuntimeError, "unflatten: "),
    "unflatten-dim": (lambda f, t: f.unflatten(t(cube()), 3, (4,)), IndexError, "unflatten: Dim"),
    "vsplit": (lambda f, t: f.vsplit(t(np.zeros(2)), 1), RuntimeError, r"vsplit .*\(2,\)"),
    "vstack": (lambda f, t: f.vstack([]), RuntimeError, "vstack: .*non-empty"),
}
METHODS: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "mT": (lambda x: x[0, 0].mT, RuntimeError, r"mT: .*\(4,\)"),
    "repeat-few": (lambda x: x.repeat(2), RuntimeError, r"repeat: .*\(2, 3, 4\)"),
    "repeat-negative": (lambda x: x.repeat(1, 1, -1), RuntimeError, "repeat: .*non-negative"),
    "unfold-size": (lambda x: x.unfold(1, 4, 1), RuntimeError, "unfold: maximum size .* is 3 but size is 4"),
    "unfold-step": (lambda x: x.unfold(1, 2, 0), RuntimeError, "unfold: .*step 0"),
    "unfold-dim": (lambda x: x.unfold(3, 2, 1), IndexError, "unfold: Dimension out of range"),
    "view_as": (lambda x: x.mT.view_as(x), RuntimeError, "view: size"),
    "expand_as": (lambda x: x.expand_as(x[0]), RuntimeError, "expand: sizes"),
    "reshape_as": (lambda x: x.reshape_as(x[0]), RuntimeError, "reshape: shape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_calls_are_refused_by_name(name: str) -> None:
    call, error, text = WRONG[name]
    for f, t in ((nngrad.functional, nngrad.functional.constant), (nngrad, nngrad.tensor)):
        with pytest.raises(error, match=text) as caught:
            call(f, t)
        assert type(caught.value) is error


@pytest.mark.parametrize("name", WRONG)
def test_pytorch_raises_the_same_type(name: str) -> None:
    torch = pytest.importorskip("torch")
    call, error, _ = WRONG[name]
    with pytest.raises(error):
        call(torch, torch.tensor)


@pytest.mark.parametrize("name", METHODS)
def test_wrong_calls_of_methods(name: str) -> None:
    call, error, text = METHODS[name]
    with pytest.raises(error, match=text) as caught:
        call(nngrad.zeros(2, 3, 4))
    assert type(caught.value) is error
    torch = pytest.importorskip("torch")
    with pytest.raises(error):
        call(torch.zeros(2, 3, 4))


RESULTS: dict[str, Any] = {
    "cat": lambda t, x: t.cat([x, x], 1),
    "stack": lambda t, x: t.stack([x, x], 1),
    "softmax": lambda t, x: x.softmax(0),
    "log_softmax": lambda t, x: x.log_softmax(1),
    "cumsum": lambda t, x: x.cumsum(0),
    "cumprod": lambda t, x: x.cumprod(1),
    "roll": lambda t, x: x.roll(1, 0),
    "sum": lambda t, x: x.permute(2, 1, 0).sum(0),
    "mean": lambda t, x: x.permute(2, 1, 0).mean(1),
    "one_hot": lambda t, x: t.nn.functional.one_hot(x[:, :, 0].long(), 3),
    "exp": lambda t, x: x.exp(),
    "flip": lambda t, x: x.flip(0),
    "contiguous": lambda t, x: x.contiguous(),
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_can_be_viewed_after_a_transpose(name: str) -> None:
    def told(t: Any) -> Any:
        result = RESULTS[name](t, t.ones(2, 3, 4).transpose(0, 1))
        try:
            return result.view(-1).tolist()
        except RuntimeError:
            return RuntimeError

    ours = told(nngrad)
    assert told(pytest.importorskip("torch")) == ours


def test_random_numbers_like_a_transposed_tensor() -> None:
    def told(t: Any) -> Any:
        x = t.zeros(3, 4).t()
        t.manual_seed(0)
        drawn = [
            t.rand_like(x),
            t.randn_like(x),
            t.rand_like(x[:1].expand(4, 3)),
            t.rand_like(x, dtype=t.float64),
        ]
        t.manual_seed(0)
        drawn.append(t.nn.functional.dropout(t.ones(2, 3, 4).transpose(0, 2).softmax(0)))
        return [d.double().flatten().tolist() for d in drawn]

    ours = told(nngrad)
    for mine, theirs in zip(ours, told(pytest.importorskip("torch"))):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7)

"""For the same seed, the same batches as PyTorch."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor
from nngrad.utils import data

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("torch.utils.data")

Point = namedtuple("Point", ["x", "y"])
X = np.arange(22.0).reshape(11, 2)
Y = np.arange(11)


def plain(value: Any) -> Any:
    """Tensors as (dtype, list), containers kept, so that ours and theirs can be compared."""
    if isinstance(value, (Tensor, torch.Tensor)):
        return str(value.dtype).split(".")[-1], value.tolist()
    if isinstance(value, dict):
        return type(value), {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [plain(item) for item in value]
    return value


def both(make: Any) -> tuple[Any, Any]:
    """What `make` gives for our module and for PyTorch's, each with its default generator seeded."""
    nngrad.manual_seed(7)
    torch.manual_seed(7)
    ours = make(nngrad, data, nngrad.tensor(X), nngrad.tensor(Y))
    return plain(ours), plain(make(torch, theirs, torch.tensor(X), torch.tensor(Y)))


OPTIONS: list[dict[str, Any]] = [
    {},
    {"batch_size": 4},
    {"batch_size": 4, "drop_last": True},
    {"batch_size": 4, "shuffle": True},
    {"batch_size": 4, "shuffle": True, "drop_last": True},
    {"batch_size": 11, "shuffle": True},
    {"batch_size": 40, "shuffle": True},
    {"batch_size": None},
    {"batch_size": None, "shuffle": True},
    {"batch_size": 3, "sampler": [5, 1, 1, 0]},
    {"batch_sampler": [[1, 2], [3], [10, 0, 4]]},
    {"batch_size": 2, "collate_fn": len},
]


@pytest.mark.parametrize("seeded", [False, True], ids=["default-generator", "own-generator"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_loader(options: dict[str, Any], seeded: bool) -> None:
    """Three epochs, the lengths, and what the default generator draws afterwards."""

    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        generator = library.Generator().manual_seed(3) if seeded else None
        loader = module.DataLoader(module.TensorDataset(x, y), generator=generator, **options)
        epochs = [list(loader) for _ in range(3)]
        return epochs, len(loader), library.rand(2, generator=generator), library.rand(2)

    ours, expected = both(make)
    assert ours == expected


@pytest.mark.parametrize("kind", ["subset", "nested", "list", "own"])
def test_kinds_of_dataset(kind: str) -> None:
    """A dataset fetched by one index per tensor gives what fetching sample by sample gives."""

    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        class Doubled(module.TensorDataset):  # type: ignore[misc]  # the base is a variable
            def __getitem__(self, index: int) -> Any:
                a, b = super().__getitem__(index)
                return a * 2, b, "name"

        whole = module.TensorDataset(x, y)
        part = module.Subset(whole, [9, 2, 2, 5, 7])
        dataset = {
            "subset": part,
            "nested": module.Subset(part, [4, 0, 1]),
            "list": [(1.5, i) for i in range(5)],
            "own": Doubled(x, y),
        }[kind]
        return list(module.DataLoader(dataset, batch_size=2, shuffle=True))

    ours, expected = both(make)
    assert ours == expected


@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("drop", [False, True])
def test_iterable(size: int | None, drop: bool) -> None:
    if size is None and drop:
        pytest.skip("excluded by PyTorch and here")

    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        class Numbers(module.IterableDataset):  # type: ignore[misc]  # the base is a variable
            def __iter__(self) -> Any:
                return iter([(float(i), np.ones(2) * i) for i in range(8)])

            def __len__(self) -> int:
                return 8

        loader = module.DataLoader(Numbers(), batch_size=size, drop_last=drop)
        return list(loader), len(loader)

    ours, expected = both(make)
    assert ours == expected


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("count", [None, 5, 11, 40, 70])
@pytest.mark.parametrize("seeded", [False, True])
def test_random_sampler(replacement: bool, count: int | None, seeded: bool) -> None:
    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        generator = library.Generator().manual_seed(3) if seeded else None
        sampler = module.RandomSampler(range(11), replacement, count, generator)
        return [list(sampler), list(sampler), len(sampler), library.rand(1, generator=generator)]

    ours, expected = both(make)
    assert ours == expected


@pytest.mark.parametrize("lengths", [[3, 8], [11], [0.5, 0.5], [0.3, 0.3, 0.4], [5, 0, 6]])
def test_random_split(lengths: list[Any]) -> None:
    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        generator = library.Generator().manual_seed(5)
        dataset = module.TensorDataset(x, y)
        seeded = module.random_split(dataset, lengths, generator=generator)
        return [list(part.indices) for part in seeded + module.random_split(dataset, lengths)]

    ours, expected = both(make)
    assert ours == expected


BATCHES: dict[str, Any] = {
    "floats": lambda t: [1.0, 2.5],
    "ints": lambda t: [1, 2],
    "bools": lambda t: [True, False],
    "strings": lambda t: ["a", "b"],
    "bytes": lambda t: [b"a", b"b"],
    "numpy numbers": lambda t: [np.float32(1), np.float32(2)],
    "numpy floats": lambda t: [np.float64(1), np.float64(2)],
    "numpy bools": lambda t: [np.bool_(True), np.bool_(False)],
    "arrays": lambda t: [np.ones((2, 1), np.int16), np.zeros((2, 1), np.int16)],
    "0-d arrays": lambda t: [np.array(1.0), np.array(2.0)],
    "tensors": lambda t: [t([1.0]), t([2.0])],
    "tuples": lambda t: [(1, t([1.0]), "a"), (2, t([2.0]), "b")],
    "lists": lambda t: [[1, 2.0], [3, 4.0]],
    "named tuples": lambda t: [Point(1, t([0.5])), Point(2, t([1.5]))],
    "dicts": lambda t: [{"a": 1, "b": (2.0, "x")}, {"a": 3, "b": (4.0, "y")}],
    "ordered dicts": lambda t: [OrderedDict(z=1, a=2), OrderedDict(z=3, a=4)],
    "nested": lambda t: [{"a": [Point(1, {"c": 2.0})]}, {"a": [Point(2, {"c": 3.0})]}],
    "ranges": lambda t: [range(2), range(3, 5)],
}


@pytest.mark.parametrize("name", list(BATCHES))
def test_collate(name: str) -> None:
    batch = BATCHES[name]
    assert plain(data.default_collate(batch(Tensor))) == plain(theirs.default_collate(batch(torch.tensor)))


@pytest.mark.parametrize(
    "batch",
    [[None, None], [object()], [np.array(["a"])], [[1], [1, 2]]],
    ids=["none", "object", "strings", "ragged"],
)
def test_collate_refuses_what_pytorch_refuses(batch: list[Any]) -> None:
    with pytest.raises((TypeError, RuntimeError)) as expected:
        theirs.default_collate(batch)
    with pytest.raises(expected.type, match="default_collate"):
        data.default_collate(batch)


def endless(module: Any) -> Any:
    """A dataset of the module's that can only be iterated over, without a length."""
    return type("Endless", (module.IterableDataset,), {"__iter__": lambda self: iter(int, 1)})()


COMBINED: dict[str, Any] = {
    "concat by +": lambda m, x, y: m.TensorDataset(x, y) + m.TensorDataset(x, y),
    "concat": lambda m, x, y: m.ConcatDataset([m.TensorDataset(x, y), [(y[3], 1.5)], m.TensorDataset(y, y)]),
    "tuples": lambda m, x, y: m.StackDataset(m.TensorDataset(x, y), range(11)),
    "dicts": lambda m, x, y: m.StackDataset(a=range(11), b=m.Subset(m.TensorDataset(y), list(range(11)))),
}


@pytest.mark.parametrize("kind", COMBINED)
def test_combined_datasets(kind: str) -> None:
    """Samples one by one, from behind too, and in batches."""

    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        dataset = COMBINED[kind](module, x, y)
        batches = list(module.DataLoader(dataset, batch_size=None, shuffle=True))
        if kind != "concat":
            batches += list(module.DataLoader(dataset, batch_size=4))
        return len(dataset), dataset[-1] if kind == "concat" else dataset[3], batches

    ours, expected = both(make)
    assert ours == expected


def test_chained_datasets() -> None:
    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        class Numbers(module.IterableDataset):  # type: ignore[misc]  # the base is a variable
            def __iter__(self) -> Any:
                return iter([1.5, 2.5, 3.5])

            def __len__(self) -> int:
                return 3

        chained = module.ChainDataset([Numbers(), Numbers()])
        return len(chained), list(module.DataLoader(chained, batch_size=4))

    ours, expected = both(make)
    assert ours == expected


SAMPLERS: dict[str, Any] = {
    "subset": lambda m, x, g: m.SubsetRandomSampler([5, 3, 9, 1], generator=g),
    "weighted": lambda m, x, g: m.WeightedRandomSampler([0.1, 2.0, 0.0, 3.0], 20, generator=g),
    "weighted once": lambda m, x, g: m.WeightedRandomSampler(x[1:, 1], 7, False, generator=g),
    "distributed": lambda m, x, g: m.DistributedSampler(x, 3, 1),
    "distributed drop": lambda m, x, g: m.DistributedSampler(x, 3, 2, seed=4, drop_last=True),
    "distributed all": lambda m, x, g: m.DistributedSampler(x, 1, 0, shuffle=False),
    "more replicas": lambda m, x, g: m.DistributedSampler(x[:2], 7, 6),
    "none left": lambda m, x, g: m.DistributedSampler(x[:2], 7, 6, drop_last=True),
}


@pytest.mark.parametrize("seeded", [False, True])
@pytest.mark.parametrize("kind", SAMPLERS)
def test_samplers(kind: str, seeded: bool) -> None:
    """Two epochs, and the length."""

    def make(library: Any, module: Any, x: Any, y: Any) -> Any:
        sampler = SAMPLERS[kind](module, x, library.Generator().manual_seed(3) if seeded else None)
        first = list(sampler)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(5)
        return first, list(sampler), len(sampler), library.rand(1)

    ours, expected = both(make)
    assert ours == expected


BAD: list[Any] = [
    lambda m, x, y: m.DataLoader(x, timeout=-1),
    lambda m, x, y: m.DataLoader(x, prefetch_factor=2),
    lambda m, x, y: m.DataLoader(x, num_workers=1, prefetch_factor=-2),
    lambda m, x, y: m.DataLoader(x, persistent_workers=True),
    lambda m, x, y: m.DataLoader(x, multiprocessing_context="fork"),
    lambda m, x, y: m.DataLoader(x, num_workers=1, multiprocessing_context="thread"),
    lambda m, x, y: m.DataLoader(x, num_workers=1, multiprocessing_context=3),
    lambda m, x, y: setattr(m.DataLoader(x), "batch_size", 3),
    lambda m, x, y: m.ConcatDataset([]),
    lambda m, x, y: m.ConcatDataset([endless(m)]),
    lambda m, x, y: m.ConcatDataset([x])[-12],
    lambda m, x, y: list(m.ChainDataset([[1]])),
    lambda m, x, y: m.StackDataset(),
    lambda m, x, y: m.StackDataset(x, a=x),
    lambda m, x, y: m.StackDataset(x, y[:3]),
    lambda m, x, y: m.StackDataset(a=x, b=y[:3]),
    lambda m, x, y: m.WeightedRandomSampler([1.0], 0),
    lambda m, x, y: m.WeightedRandomSampler([1.0], 1, 1),
    lambda m, x, y: m.WeightedRandomSampler(x, 1),
    lambda m, x, y: m.DistributedSampler(x, 2, 2),
    lambda m, x, y: m.DataLoader(x, batch_size=0),
    lambda m, x, y: m.DataLoader(x, batch_size=2.0),
    lambda m, x, y: m.DataLoader(x, shuffle=True, sampler=[1]),
    lambda m, x, y: m.DataLoader(x, batch_size=2, batch_sampler=[[1]]),
    lambda m, x, y: m.DataLoader(x, batch_size=None, drop_last=True),
    lambda m, x, y: m.DataLoader(x, num_workers=-1),
    lambda m, x, y: m.DataLoader([], shuffle=True),
    lambda m, x, y: m.DataLoader(endless(m), shuffle=True),
    lambda m, x, y: m.DataLoader(endless(m), sampler=[1]),
    lambda m, x, y: m.DataLoader(endless(m), batch_sampler=[[1]]),
    lambda m, x, y: len(m.DataLoader(endless(m))),
    lambda m, x, y: m.RandomSampler(x, replacement=1),
    lambda m, x, y: m.RandomSampler(x, num_samples=0),
    lambda m, x, y: m.BatchSampler([1], 2, 1),
    lambda m, x, y: m.TensorDataset(x, y[:3]),
    lambda m, x, y: m.random_split(x, [3, 4]),
    lambda m, x, y: m.random_split(x, [1.5, -0.5]),
    lambda m, x, y: m.Dataset()[0],
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_errors(number: int) -> None:
    """The type of error that PyTorch raises."""
    with pytest.raises(Exception) as expected:  # noqa: PT011  # whatever it is
        BAD[number](theirs, torch.tensor(X), torch.tensor(Y))
    with pytest.raises(expected.type) as raised:
        BAD[number](data, nngrad.tensor(X), nngrad.tensor(Y))
    assert str(raised.value)

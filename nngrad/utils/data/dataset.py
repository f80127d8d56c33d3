"""Where samples come from: datasets with an index, datasets to iterate over, parts of datasets."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from ...random import Generator, randperm
from ...tensor import Tensor
from .sampler import as_indices

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Samples(Protocol[T_co]):
    """Whatever has samples with numbers: a `Dataset` with a length, a list, an array."""

    def __getitem__(self, index: int, /) -> T_co: ...
    def __len__(self) -> int: ...


class Dataset(Generic[T_co]):
    """Base of datasets: a subclass defines `__getitem__` for one index, and usually `__len__`.

    A `__getitems__` for a list of indices, giving a list of samples, is used where there is one.
    """

    def __getitem__(self, index: int, /) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        """One after the other, as `ConcatDataset`; of those that only give samples, as `ChainDataset`."""
        each: Any = [self, other]
        return ConcatDataset(each)


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base of datasets that only give one sample after the other: a subclass defines `__iter__`."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        each: Any = [self, other]
        return ChainDataset(each)


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors whose first dimension counts the samples; sample i is the tuple of their rows i.

    Raises AssertionError, as PyTorch does, if there is no tensor or the first dimensions differ.
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        shapes = [tuple(t.shape) for t in tensors]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) != 1:
            raise AssertionError(f"TensorDataset: Size mismatch between tensors: shapes {shapes}")
        self.tensors = tensors

    def __getitem__(self, index: Any, /) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class Subset(Dataset[T_co]):
    """The samples of a dataset at some indices."""

    dataset: Samples[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Samples[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: int, /) -> T_co:
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> Sequence[T_co]:
        """The samples at a list of indices."""
        return fetch(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other. Raises AssertionError, as PyTorch does, if there are none."""

    datasets: list[Samples[T_co]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Samples[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __getitem__(self, index: int, /) -> T_co:
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect_right(self.cumulative_sizes, index)
        dataset = self.datasets[which]
        return dataset[index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[T_co]):
    """IterableDatasets one after the other. Raises AssertionError if one is something else."""

    def __init__(self, datasets: Iterable[IterableDataset[T_co]]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            given: object = dataset
            if not isinstance(given, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(map(len, self._checked()))


class StackDataset(Dataset[Any]):
    """Datasets side by side: sample i is the tuple of their samples i, or the dict, if they have names.

    Raises ValueError if there are none, if only some have names, or if their lengths differ.
    """

    datasets: tuple[Samples[Any], ...] | dict[str, Samples[Any]]

    def __init__(self, *args: Samples[Any], **kwargs: Samples[Any]) -> None:
        if args and kwargs:
            raise ValueError("StackDataset: give all datasets with names, or none")
        parts = args or tuple(kwargs.values())
        if not parts:
            raise ValueError("At least one dataset should be passed")
        if len({len(part) for part in parts}) != 1:
            raise ValueError(f"Size mismatch between datasets: lengths {[len(part) for part in parts]}")
        self.datasets = args or kwargs
        self._length = len(parts[0])

    def __getitem__(self, index: int, /) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples at a list of indices. Raises ValueError if a dataset gives another number."""
        named = isinstance(self.datasets, dict)
        parts: Any = self.datasets.values() if isinstance(self.datasets, dict) else self.datasets
        columns = [fetch(part, indices) for part in parts]
        for column in columns:
            if len(column) != len(indices):
                raise ValueError(
                    f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(column)}"
                )
        rows = zip(*columns)
        return [dict(zip(self.datasets, row)) for row in rows] if named else list(rows)

    def __len__(self) -> int:
        return self._length


def fetch(dataset: Samples[T], indices: Sequence[int]) -> Sequence[T]:
    """The samples of a dataset at a list of indices, all at once if it can give them so."""
    at_once = getattr(dataset, "__getitems__", None)
    if at_once is None:
        return [dataset[i] for i in indices]
    samples: Sequence[T] = at_once(indices)
    return samples


def gather(dataset: object, indices: Sequence[int]) -> list[Tensor] | None:
    """What `default_collate` makes of the samples, by one index per tensor: None if that cannot be.

    For a TensorDataset, and a Subset of one, whose samples no subclass changes.
    """
    while type(dataset) is Subset:
        indices = [dataset.indices[i] for i in indices]
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset:
        return None
    at = np.array(indices, np.intp)
    return [t[at] for t in dataset.tensors]


def random_split(
    dataset: Samples[T], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T]]:
    """Parts of a dataset of the given lengths, or fractions that add up to 1, samples chosen at random.

    Raises ValueError if the lengths do not add up to the dataset's.
    """
    total = len(dataset)
    sizes = [int(n) for n in lengths]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1: {fraction}")
        sizes = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2
                )
    elif sum(lengths) != sum(sizes):
        raise ValueError(f"random_split: fractions {list(lengths)} do not add up to 1")
    if sum(sizes) != total:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset: "
            f"{list(lengths)} for {total} samples"
        )
    order = as_indices(randperm(total, generator=generator))
    return [Subset(dataset, order[end - size : end]) for end, size in zip(accumulate(sizes), sizes)]

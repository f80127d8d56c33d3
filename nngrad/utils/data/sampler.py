"""In which order samples are taken: the orders that PyTorch takes for the same seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Generic, TypeVar

import numpy as np

from ...creation import as_tensor, made
from ...dtypes import float64
from ...random import Generator, randint, random_, randperm
from ...sampling import multinomial
from ...tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base of samplers: a subclass defines `__iter__`, over indices or lists of them, and `__len__`."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__")


class SequentialSampler(Sampler[int]):
    """The indices in order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices in random order, or drawn with replacement.

    generator: draws the order itself; without one, the default generator draws a seed for it.
    Raises ValueError for a num_samples that is not positive (by default the dataset's length).
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        wanted: object = self.num_samples
        if not isinstance(wanted, int) or wanted <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={wanted}")

    @property
    def num_samples(self) -> int:
        """How many indices an iteration gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, wanted = len(self.data_source), self.num_samples
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(draw_seed(None))
        if self.replacement:
            for _ in range(wanted // 32):  # nothing as long as what is wanted: that may be "without end"
                yield from as_indices(randint(n, (32,), generator=generator))
            yield from as_indices(randint(n, (wanted % 32,), generator=generator))
            return
        for _ in range(wanted // n):
            yield from as_indices(randperm(n, generator=generator))
        # drawn even if none of it is needed, as PyTorch does: the generator ends up in the same state
        yield from as_indices(randperm(n, generator=generator))[: wanted % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in as_indices(randperm(len(self.indices), generator=self.generator)):
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with chances in proportion to weights, again and again unless replacement is False.

    Raises ValueError for a num_samples that is not positive, weights that are no list of numbers.
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        wanted: object = num_samples
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={num_samples}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights: Tensor = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from as_indices(drawn)

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of `batch_size`; the last is shorter, or dropped.

    Raises ValueError for a batch_size that is no positive integer or a drop_last that is no bool.
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        size: object = batch_size
        if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        if not isinstance(self.sampler, Sized):
            raise TypeError(f"BatchSampler: its sampler, a {type(self.sampler).__name__}, has no length")
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + (rest > 0 and not self.drop_last)


def draw_seed(generator: Generator | None) -> int:
    """A seed, drawn as PyTorch draws the seeds of its samplers and loaders."""
    return int(random_(made(np.zeros((), np.int64)), generator=generator).node._value)


def as_indices(drawn: Tensor) -> list[int]:
    """The elements of a tensor of one dimension, as Python integers."""
    indices: list[int] = drawn.node._value.tolist()
    return indices

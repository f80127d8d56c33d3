"""The loader: a dataset in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from itertools import islice
from typing import Any, Generic, TypeVar, overload

from ...random import Generator
from ...tensor import Tensor
from .collate import K, Leaf, default_collate, default_convert
from .dataset import IterableDataset, Samples, fetch, gather
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

S = TypeVar("S")
T = TypeVar("T")


class DataLoader(Generic[T]):
    """A dataset in batches of type T; iterating draws the batches anew.

    batch_size: samples per batch; None for single samples. shuffle: in random order, the order that
    PyTorch takes for the same seed. sampler, batch_sampler: orders of your own. collate_fn: makes a
    batch of a list of samples, by default `default_collate`. drop_last: leave out a last batch that
    is not full. generator: draws the order. pin_memory, timeout, worker_init_fn: accepted for
    PyTorch's sake, without effect.
    Raises ValueError for options that contradict each other, NotImplementedError for num_workers
    other than 0.
    """

    @overload
    def __init__(
        self,
        dataset: Samples[S] | IterableDataset[S],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        *,
        collate_fn: Callable[[list[S]], T],
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        generator: Generator | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[Tensor],
        dataset: Samples[Leaf] | IterableDataset[Leaf],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        *,
        generator: Generator | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[list[Tensor]],
        dataset: Samples[tuple[Leaf, ...]] | IterableDataset[tuple[Leaf, ...]],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        *,
        generator: Generator | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[dict[K, Tensor]],
        dataset: Samples[Mapping[K, Leaf]] | IterableDataset[Mapping[K, Leaf]],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        *,
        generator: Generator | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: DataLoader[Any],
        dataset: Samples[object] | IterableDataset[object],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        *,
        generator: Generator | None = None,
    ) -> None: ...
    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"num_workers option should be non-negative, got {num_workers}")
        if num_workers:
            raise NotImplementedError(
                f"DataLoader: num_workers={num_workers}: batches are made in the calling process only; "
                "use num_workers=0"
            )
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            for name, option in (
                ("shuffle", shuffle),
                ("sampler", sampler),
                ("batch_sampler", batch_sampler),
            ):
                if option is not None and option is not False:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                        f"{name}={option}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                    "drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
            )
        if sampler is None and not self._iterable:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(() if sampler is None else sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.collate_fn: Callable[..., Any] = (
            (default_convert if batch_sampler is None else default_collate)
            if collate_fn is None
            else collate_fn
        )

    def __iter__(self) -> Iterator[T]:
        draw_seed(self.generator)  # PyTorch's loader draws a seed for its workers first, even without any
        return self._over_iterable() if self._iterable else self._over_indices()

    def _over_iterable(self) -> Iterator[T]:
        samples: Iterator[Any] = iter(self.dataset)
        size = self.batch_size
        if size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(islice(samples, size)):
            if self.drop_last and len(batch) < size:
                return
            yield self.collate_fn(batch)

    def _over_indices(self) -> Iterator[T]:
        dataset, collate = self.dataset, self.collate_fn
        if self.batch_sampler is None:
            for index in self.sampler or ():
                yield collate(dataset[index])
            return
        for indices in self.batch_sampler:
            batch: Any = gather(dataset, indices) if collate is default_collate else None
            yield collate(fetch(dataset, indices)) if batch is None else batch

    def __len__(self) -> int:
        """The number of batches. Raises TypeError if the dataset or the sampler has no length."""
        order: object = self.sampler if self.batch_sampler is None else self.batch_sampler
        if self._iterable:
            count, size = len(self.dataset), self.batch_size or 1
            return count // size if self.drop_last else -(-count // size)
        if not isinstance(order, Sized):
            raise TypeError(f"DataLoader: its sampler, a {type(order).__name__}, has no length")
        return len(order)

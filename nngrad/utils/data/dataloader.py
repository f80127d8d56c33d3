"""The loader: a dataset in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, Generic, TypedDict, TypeVar, overload

from ...random import Generator
from ...tensor import Tensor
from .collate import K, Leaf, default_collate, default_convert
from .dataset import IterableDataset, Samples
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed
from .worker import Task

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext
    from typing import Unpack

    from .pool import Workers

S = TypeVar("S")
T = TypeVar("T")
#: what PyTorch's loader refuses to have changed
_FIXED: Final = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class Options(TypedDict, total=False):
    """A loader's options that have no influence on the type of its batches."""

    pin_memory: bool
    drop_last: bool
    timeout: float
    worker_init_fn: Callable[[int], None] | None
    multiprocessing_context: str | BaseContext | None
    generator: Generator | None
    prefetch_factor: int | None
    persistent_workers: bool
    pin_memory_device: str
    in_order: bool


class DataLoader(Generic[T]):
    """A dataset in batches of type T; iterating draws the batches anew.

    batch_size: samples per batch; None for single samples. shuffle: in random order, the order that
    PyTorch takes for the same seed. sampler, batch_sampler: orders of your own. num_workers: how many
    processes make batches ahead of time; 0 for none. collate_fn: makes a batch of a list of samples,
    by default `default_collate`. drop_last: leave out a last batch that is not full. timeout: seconds
    to wait for a worker's batch, 0 for any time. worker_init_fn: called in each worker with its
    number. multiprocessing_context: how workers start ("fork", "spawn", "forkserver", or a context);
    Python's own default unless told. generator: draws the order and the workers' seeds.
    prefetch_factor: batches per worker made ahead, 2 unless told. persistent_workers: keep the workers
    from one iteration to the next. in_order: give batches in order, not as they are done. pin_memory,
    pin_memory_device: accepted for PyTorch's sake, without effect.

    What a worker raises is raised here, with its trace in the message; a worker that dies, or a batch
    that takes longer than `timeout`, is a RuntimeError. Raises ValueError for options that contradict
    each other.
    """

    _pool: Workers | None = None
    _ready = False

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
        **options: Unpack[Options],
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
        **options: Unpack[Options],
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
        **options: Unpack[Options],
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
        **options: Unpack[Options],
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
        **options: Unpack[Options],
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
        multiprocessing_context: str | BaseContext | None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
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
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context: BaseContext | None = _context(multiprocessing_context, num_workers)
        self.generator = generator
        self.prefetch_factor: int | None = _prefetch(
            prefetch_factor, num_workers, timeout, persistent_workers
        )
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.collate_fn: Callable[..., Any] = (
            (default_convert if batch_sampler is None else default_collate)
            if collate_fn is None
            else collate_fn
        )
        self._ready = True

    def __setattr__(self, name: str, value: object) -> None:
        if self._ready and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}

    def __iter__(self) -> Iterator[T]:
        task = Task(
            self.dataset, self.collate_fn, self.batch_sampler is not None, self.batch_size, self.drop_last
        )
        order: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        indices: Iterator[Any] = repeat(None) if self._iterable else iter(order)
        pool = self._pool
        if pool is None or not pool.close.alive:
            # PyTorch's loader draws a seed for its workers first, even without any
            seed = draw_seed(self.generator)
            if self.num_workers == 0:
                return _in_process(task.maker(), indices)
            from .pool import Workers

            pool = Workers(
                task,
                self.num_workers,
                seed,
                init=self.worker_init_fn,
                context=self.multiprocessing_context,
                prefetch=self.prefetch_factor or 2,
                timeout=self.timeout,
                persistent=self.persistent_workers,
                in_order=self.in_order,
            )
            if self.persistent_workers:
                self._pool = pool
        pool.begin(indices)
        return pool

    def __len__(self) -> int:
        """The number of batches. Raises TypeError if the dataset or the sampler has no length."""
        order: object = self.sampler if self.batch_sampler is None else self.batch_sampler
        if self._iterable:
            count, size = len(self.dataset), self.batch_size or 1
            return count // size if self.drop_last else -(-count // size)
        if not isinstance(order, Sized):
            raise TypeError(f"DataLoader: its sampler, a {type(order).__name__}, has no length")
        return len(order)


def _in_process(make: Callable[[Any], Any], order: Iterator[Any]) -> Iterator[Any]:
    for indices in order:
        try:
            batch = make(indices)
        except StopIteration:  # an IterableDataset has no more
            return
        yield batch


def _context(given: str | BaseContext | None, num_workers: int) -> BaseContext | None:
    """How to start workers. Raises ValueError for an unknown way or without workers, TypeError."""
    if given is None:
        return None
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
            f"num_workers={num_workers}"
        )
    import multiprocessing
    from multiprocessing.context import BaseContext

    if isinstance(given, str):
        ways = multiprocessing.get_all_start_methods()
        if given not in ways:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {ways}, but got "
                f"{given!r}"
            )
        return multiprocessing.get_context(given)
    context: object = given
    if not isinstance(context, BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the "
            f"start method, but got {given!r}"
        )
    return context


def _prefetch(given: int | None, num_workers: int, timeout: float, persistent: bool) -> int | None:
    """How many batches per worker are made ahead. Raises ValueError for options without sense."""
    if num_workers < 0:
        raise ValueError(f"num_workers option should be non-negative, got {num_workers}")
    if timeout < 0:
        raise ValueError(f"timeout option should be non-negative, got {timeout}")
    if num_workers == 0:
        if given is not None:
            raise ValueError("prefetch_factor option could only be specified with num_workers > 0")
        if persistent:
            raise ValueError("persistent_workers option needs num_workers > 0")
        return None
    if given is not None and given < 1:
        raise ValueError(f"prefetch_factor option should be positive, got {given}")
    return given or 2

"""Samples shared out among processes that train together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized

from ...random import Generator, randperm
from .sampler import Sampler, as_indices


class DistributedSampler(Sampler[int]):
    """One process's share of the indices: of num_replicas processes, the one with number `rank`.

    Without these two: all of them, as there is one process. shuffle: in an order that depends on seed
    and epoch alone, so that all processes agree. drop_last: leave out what does not go round evenly,
    rather than repeat the first ones. Raises ValueError for a rank that no process has.
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        replicas, own = 1 if num_replicas is None else num_replicas, rank or 0
        if not 0 <= own < replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = replicas
        self.rank = own
        self.epoch: int = 0
        self.drop_last = drop_last
        self.num_samples: int = len(dataset) // replicas if drop_last else math.ceil(len(dataset) / replicas)
        self.total_size: int = self.num_samples * replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        indices = list(range(len(self.dataset)))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            indices = as_indices(randperm(len(indices), generator=generator))
        rounds = math.ceil(self.total_size / max(1, len(indices)))
        return iter((indices * rounds)[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch: another one is another order."""
        self.epoch = epoch

"""Datasets, samplers and the loader of batches, as in `torch.utils.data`."""

from .collate import default_collate as default_collate, default_convert as default_convert
from .dataset import (
    Dataset as Dataset,
    IterableDataset as IterableDataset,
    Samples as Samples,
    Subset as Subset,
    TensorDataset as TensorDataset,
    random_split as random_split,
)
from .loader import DataLoader as DataLoader
from .sampler import (
    BatchSampler as BatchSampler,
    RandomSampler as RandomSampler,
    Sampler as Sampler,
    SequentialSampler as SequentialSampler,
)

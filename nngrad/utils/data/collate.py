"""How samples become a batch."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np

from ...creation import tensor
from ...functional.dtypes import AnyArray, Scalar
from ...functional.joining import stack
from ...lifting import wrap
from ...tensor import Tensor, node_from

K = TypeVar("K")
#: what becomes a tensor in a batch
Leaf: TypeAlias = Tensor | AnyArray | Scalar | bool | int | float


@overload
def default_collate(batch: Sequence[Leaf]) -> Tensor: ...
@overload
def default_collate(batch: Sequence[tuple[Leaf, ...]]) -> list[Tensor]: ...
@overload
def default_collate(batch: Sequence[Mapping[K, Leaf]]) -> dict[K, Tensor]: ...
@overload
def default_collate(batch: Sequence[object]) -> Any: ...
def default_collate(batch: Sequence[Any]) -> Any:
    """Samples as one batch: tensors, arrays and numbers stacked, strings listed, containers kept.

    Python floats become float64, integers int64; a tuple becomes a list, a named tuple stays one.
    Raises TypeError for samples that hold anything else, RuntimeError if their sizes differ.

    >>> default_collate([(1.0, 2), (3.0, 4)])
    [tensor([1., 3.], dtype=nngrad.float64), tensor([2, 4])]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return wrap(stack([t.node for t in batch]))
    if isinstance(first, np.ndarray):
        _check_numbers(first.dtype)
        return wrap(stack(list(batch)))
    if isinstance(first, np.generic) and not isinstance(first, (str, bytes)):
        _check_numbers(first.dtype)
        return wrap(node_from(batch))
    if isinstance(first, float):
        return wrap(node_from(np.array(batch, np.float64)))
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            sizes = sorted({len(sample) for sample in batch})
            raise RuntimeError(
                f"default_collate: each element in list of batch should be of equal size, got sizes {sizes}"
            )
        columns = [default_collate(column) for column in zip(*batch)]
        return columns if type(first) is tuple else _like(first, columns)
    raise TypeError(_refusal(type(first)))


def default_convert(data: Any) -> Any:
    """One sample as it is, its NumPy arrays and numbers as tensors: what no batching makes of it."""
    if isinstance(data, (np.ndarray, np.generic)) and not isinstance(data, (str, bytes)):
        return data if data.dtype.kind not in "biufc" else wrap(node_from(np.asarray(data)))
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        parts = [default_convert(part) for part in data]
        return parts if type(data) is tuple else _like(data, parts)
    return data


def _check_numbers(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "biufc":
        raise TypeError(_refusal(dtype))


def _refusal(kind: object) -> str:
    return (
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{kind}: give the DataLoader a collate_fn"
    )


def _like(first: Any, new: Any) -> Any:
    """The new contents in a container of the first sample's type, if that can be."""
    if hasattr(first, "_fields"):
        return type(first)(*new)
    try:
        if isinstance(first, MutableMapping):
            copied: Any = copy(first)
            copied.update(new)
            return copied
        if isinstance(first, MutableSequence):
            copied = copy(first)
            for i, value in enumerate(new):
                copied[i] = value
            return copied
        return type(first)(new)
    except TypeError:  # the container takes no such contents: PyTorch gives a plain one too
        return new

"""Sequences of different lengths as one batch: padded to one length, or packed without padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Self

import numpy as np

from ...creation import made
from ...functional.dtypes import AnyArray, Scalar
from ...operations import cat
from ...tensor import Tensor


class PackedSequence(tuple["Tensor | None", ...]):
    """A batch of sequences without padding: first the rows of all at the first time, then at the second.

    Made by `pack_padded_sequence` and `pack_sequence`; every recurrent layer takes it and gives it.
    data: (rows, *); batch_sizes: how many sequences there are still at each time; sorted_indices: where
    each of them, longest first, stood before; unsorted_indices: the inverse.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            raise AssertionError("batch_sizes is None")
        return super().__new__(cls, (data, batch_sizes, sorted_indices, unsorted_indices))

    def __getnewargs__(self) -> tuple[Tensor | None, ...]:
        return tuple(self)

    @property
    def data(self) -> Tensor:
        """The rows."""
        return self[0]  # type: ignore[return-value]  # never None

    @property
    def batch_sizes(self) -> Tensor:
        """How many rows belong to each time."""
        return self[1]  # type: ignore[return-value]  # never None

    @property
    def sorted_indices(self) -> Tensor | None:
        """Where each sequence, longest first, stood in the batch."""
        return self[2]

    @property
    def unsorted_indices(self) -> Tensor | None:
        """Where each sequence of the batch stands now."""
        return self[3]

    def _with(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(change(self.data), *tuple(self)[1:])

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """`Tensor.to` of the rows."""
        return self._with(lambda x: x.to(*args, **kwargs))

    def cpu(self) -> Self:
        """The sequences themselves: they are on the CPU."""
        return self

    def float(self) -> Self:
        """The rows as float32."""
        return self._with(lambda x: x.float())

    def double(self) -> Self:
        """The rows as float64."""
        return self._with(lambda x: x.double())

    def half(self) -> Self:
        """The rows as float16."""
        return self._with(lambda x: x.half())

    def long(self) -> Self:
        """The rows as int64."""
        return self._with(lambda x: x.long())

    def int(self) -> Self:
        """The rows as int32."""
        return self._with(lambda x: x.int())

    def pin_memory(self) -> Self:
        """The sequences themselves: there is no memory to be pinned."""
        return self

    def is_pinned(self) -> bool:
        """False."""
        return False

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def __repr__(self) -> str:
        names = ("data", "batch_sizes", "sorted_indices", "unsorted_indices")
        return f"PackedSequence({', '.join([f'{n}={x!r}' for n, x in zip(names, self)])})"


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes `permutation`.

    >>> import nngrad
    >>> invert_permutation(nngrad.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else _indices(np.argsort(_array(permutation)))


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Iterable[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack sequences padded to one length: (T, N, *), or (N, T, *) with `batch_first`.

    lengths: how long each is. enforce_sorted: they stand longest first; else they are sorted, and
    `sorted_indices` says how. Raises RuntimeError for lengths that are not sorted, not positive, too
    large or not N.

    >>> import nngrad
    >>> x = nngrad.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> packed = pack_padded_sequence(x, [2, 1, 3], batch_first=True, enforce_sorted=False)
    >>> packed.data, packed.batch_sizes
    (tensor([4, 1, 3, 5, 2, 6]), tensor([3, 2, 1]))
    """
    sizes = _array(lengths) if isinstance(lengths, Tensor) else np.array(list(lengths), np.int64)
    order = None
    if not enforce_sorted:
        order = np.argsort(-sizes, kind="stable")
        sizes = sizes[order]
    if input.ndim < 2 or not input.numel():
        raise RuntimeError(f"Cannot pack empty tensors. (pack_padded_sequence: shape {tuple(input.shape)})")
    count, time = (input.shape[0], input.shape[1]) if batch_first else (input.shape[1], input.shape[0])
    if sizes.shape != (count,):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {sizes.size} (batch_size={count})"
        )
    if (sizes[1:] > sizes[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can "
            "pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this "
            "requirement if you do not need ONNX exportability."
        )
    if sizes[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if sizes[0] > time:
        raise RuntimeError(f"pack_padded_sequence: length {sizes[0]} of a sequence padded to {time}")
    times, sequences = np.nonzero(np.arange(sizes[0])[:, None] < sizes)
    places = sequences if order is None else order[sequences]
    data = input[(_indices(places), _indices(times)) if batch_first else (_indices(times), _indices(places))]
    still = np.bincount(times)
    return PackedSequence(data, _indices(still), None if order is None else _indices(order))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The sequences padded to one length, (T, N, *) or with `batch_first` (N, T, *), and their lengths.

    They stand as they stood before packing. total_length: pad to that length. Raises ValueError for one
    that is less than the longest sequence's.

    >>> import nngrad
    >>> pad_packed_sequence(pack_sequence([nngrad.tensor([1, 2]), nngrad.tensor([3])]), batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    sizes = _array(sequence.batch_sizes)
    time = len(sizes)
    if total_length is not None:
        if total_length < time:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {time}"
            )
        time = total_length
    data = sequence.data
    count = int(sizes[0])
    rows = np.full((time, count), data.shape[0])
    shown = np.arange(count) < np.pad(sizes, (0, time - len(sizes)))[:, None]
    rows[shown] = np.arange(data.shape[0])
    lengths = shown.sum(0)
    if sequence.unsorted_indices is not None:
        places = _array(sequence.unsorted_indices)
        rows, lengths = np.take(rows, places, 1), np.take(lengths, places)
    if not shown.all():
        padding = made(np.full((1, *data.shape[1:]), padding_value, data.node.dtype))
        data = cat([data, padding])
    return data[_indices(np.ascontiguousarray(rows.T) if batch_first else rows)], _indices(lengths)


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: Literal["right", "left"] = "right",
) -> Tensor:
    """Sequences (L, *) as one batch (T, N, *), or (N, T, *) with `batch_first`, T the longest's length.

    Raises RuntimeError for what is no sequence of tensors, and for sizes after the first that differ.

    >>> import nngrad
    >>> pad_sequence([nngrad.tensor([1, 2]), nngrad.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    given = list(sequences)
    if not given:
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    if padding_side not in ("right", "left"):
        raise RuntimeError(f"pad_sequence: padding_side is 'left' or 'right', got {padding_side!r}")
    rest = given[0].shape[1:]
    if any(x.ndim < 1 or x.shape[1:] != rest for x in given):
        shapes = ", ".join([str(tuple(x.shape)) for x in given])
        raise RuntimeError(f"pad_sequence: sequences must agree in all sizes but the first, got {shapes}")
    lengths = np.array([x.shape[0] for x in given])
    steps = np.arange(lengths.max())
    inside = steps < lengths[:, None] if padding_side == "right" else steps >= steps.size - lengths[:, None]
    rows = np.full(inside.shape, lengths.sum())
    rows[inside] = np.arange(lengths.sum())
    first = given[0].node.dtype
    padding = [] if inside.all() else [made(np.full((1, *rest), padding_value, first))]
    return cat([*given, *padding])[_indices(rows if batch_first else np.ascontiguousarray(rows.T))]


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Each sequence of a padded batch, as long as it was.

    >>> import nngrad
    >>> unpad_sequence(nngrad.tensor([[1, 2], [3, 0]]), nngrad.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    padded = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    sizes = [int(n) for n in _array(lengths)]
    if len(sizes) != padded.shape[0]:
        raise ValueError(f"unpad_sequence: got {len(sizes)} lengths for {padded.shape[0]} sequences")
    return [x[:n] for x, n in zip(_each(padded), sizes)]


def _each(batch: Tensor) -> Iterator[Tensor]:
    return (batch[i] for i in range(batch.shape[0]))


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L, *), which stand longest first unless `enforce_sorted` is off.

    >>> import nngrad
    >>> pack_sequence([nngrad.tensor([1, 2, 3]), nngrad.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """
    given = list(sequences)
    lengths = [x.shape[0] for x in given]
    return pack_padded_sequence(pad_sequence(given), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed.

    >>> import nngrad
    >>> unpack_sequence(pack_sequence([nngrad.tensor([1, 2, 3]), nngrad.tensor([4, 5])]))
    [tensor([1, 2, 3]), tensor([4, 5])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _array(tensor: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Lengths or indices, to be read."""
    return np.asarray(tensor.node._value, np.int64)


def _indices(array: AnyArray | Scalar) -> Tensor:
    return made(np.asarray(array).astype(np.int64))

"""The loader on its own: what needs no PyTorch to compare with."""

from __future__ import annotations

import numpy as np
import pytest

import nngrad
from nngrad.utils import data


def test_every_sample_once_per_epoch_in_a_new_order() -> None:
    nngrad.manual_seed(0)
    x = nngrad.tensor(np.arange(50))
    loader = data.DataLoader(data.TensorDataset(x), batch_size=8, shuffle=True)
    epochs = [np.concatenate([batch.numpy() for (batch,) in loader]) for _ in range(3)]
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(50))
    assert len({epoch.tobytes() for epoch in epochs}) == 3


def test_a_batch_is_a_copy() -> None:
    """Writing to a batch changes no dataset, also where a batch is the whole of it in order."""
    x = nngrad.tensor(np.zeros((4, 2)))
    for (batch,) in data.DataLoader(data.TensorDataset(x), batch_size=4):
        batch.add_(1.0)
    assert not x.numpy().any()


def test_gradients_pass_through_a_batch() -> None:
    x = nngrad.tensor(np.ones((3, 2)), requires_grad=True)
    for (batch,) in data.DataLoader(data.TensorDataset(x), batch_size=2):
        (batch * 3).sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), np.full((3, 2), 3.0))


def test_two_iterations_at_once_do_not_mix() -> None:
    loader = data.DataLoader(range(6), batch_size=2)
    pairs = [(a.tolist(), b.tolist()) for a, b in zip(loader, loader)]
    assert pairs == [([0, 1], [0, 1]), ([2, 3], [2, 3]), ([4, 5], [4, 5])]


def test_samples_fetched_at_once_where_the_dataset_can() -> None:
    asked: list[list[int]] = []

    class Squares(data.Dataset[int]):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int, /) -> int:
            raise AssertionError("one by one")

        def __getitems__(self, indices: list[int]) -> list[int]:
            asked.append(indices)
            return [i * i for i in indices]

    loader = data.DataLoader(Squares(), batch_size=3)
    assert [batch.tolist() for batch in loader] == [[0, 1, 4], [9]]
    assert asked == [[0, 1, 2], [3]]
    assert data.default_collate(data.Subset(Squares(), [3, 1]).__getitems__([1, 0])).tolist() == [1, 9]


def test_a_sampler_without_length() -> None:
    loader = data.DataLoader(range(6), batch_size=2, sampler=iter([3, 4, 5]))
    with pytest.raises(TypeError, match="no length"):
        len(loader)
    assert [batch.tolist() for batch in loader] == [[3, 4], [5]]


def test_splits_of_nothing_warn() -> None:
    with pytest.warns(UserWarning, match="Length of split at index [12] is 0"):
        parts = data.random_split(range(2), [0.5, 0.2, 0.3])
    assert [len(part) for part in parts] == [2, 0, 0]


def test_tensor_datasets_name_the_shapes() -> None:
    with pytest.raises(AssertionError, match=r"\(3, 2\), \(4,\)"):
        data.TensorDataset(nngrad.tensor(np.zeros((3, 2))), nngrad.tensor(np.zeros(4)))

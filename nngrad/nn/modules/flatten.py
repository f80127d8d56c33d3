"""Dimensions joined and taken apart, as layers."""

from __future__ import annotations

from ...tensor import Tensor
from .layer import Layer


class Flatten(Layer):
    """Dimensions `start_dim` to `end_dim` become one: a view. Raises IndexError for one out of range."""

    _function = Tensor.flatten
    _given = ("start_dim", "end_dim")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim


class Unflatten(Layer):
    """Dimension `dim` becomes several, of the sizes `unflattened_size`: a view.

    Raises TypeError unless those are a tuple or list of integers.
    """

    _function = Tensor.unflatten
    _given = ("dim", "unflattened_size")

    def __init__(self, dim: int, unflattened_size: tuple[int, ...] | list[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            kind = type(unflattened_size).__name__  # type: ignore[unreachable]  # not as typed
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {kind}")
        for at, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(size).__name__} at pos {at}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

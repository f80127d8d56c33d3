"""Models from the network, which NNGrad does not fetch; and the bar that shows how far a download is."""

from __future__ import annotations

from typing import Any

from ..hub import load_state_dict_from_url as load_url

__all__ = ["load_url", "tqdm"]


class tqdm:
    """Counts in the words of the package tqdm, and shows nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.n: int = 0

    def update(self, n: int = 1) -> None:
        """Count."""
        self.n += n

    def close(self) -> None:
        """Nothing."""

    def __enter__(self) -> tqdm:
        return self

    def __exit__(self, *_: object) -> None: ...

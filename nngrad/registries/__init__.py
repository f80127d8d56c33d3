"""What packages built on PyTorch register with when they are imported.

`nngrad.as_torch` answers with these for `torch.library`, `torch.fx`, `torch.onnx` and their kin, so that
packages whose Python is enough, as torchvision's transforms, data sets and models, can be imported.
What is registered is not used, and whoever asks for the machinery itself is told that it is not there.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


def as_it_is(thing: T) -> T:
    """The thing itself: registering changes nothing."""
    return thing


def registers(*_: Any, **__: Any) -> Any:
    """A decorator that leaves functions as they are."""
    return as_it_is


class Absent:
    """A class of PyTorch's to inherit from and to annotate with, which cannot be made."""

    def __init__(self, *_: Any, **__: Any) -> None:
        refuse(type(self).__qualname__)


def refuse(asked: str) -> NoReturn:
    """Raise NotImplementedError: this part of PyTorch is left out."""
    raise NotImplementedError(f"nngrad has no {asked}: nothing is traced or exported")

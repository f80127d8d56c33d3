"""Operators that packages bring along: what they register for PyTorch's dispatcher is not used."""

from __future__ import annotations

from typing import Any

from . import registers as impl, registers as register_fake, registers as register_kernel

__all__ = ["Library", "define", "impl", "register_autograd", "register_fake", "register_kernel"]


def define(*_: Any, **__: Any) -> None:
    """Nothing."""


def register_autograd(*_: Any, **__: Any) -> None:
    """Nothing."""


class Library:
    """A place to register operators in."""

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        self.ns = ns
        self.kind = kind
        self.dispatch_key = dispatch_key

    def define(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def impl(self, *_: Any, **__: Any) -> None:
        """Nothing."""

"""Operators of libraries in C++, none of which can be loaded."""

from __future__ import annotations

from typing import NoReturn


def load_library(path: str) -> NoReturn:
    """Raises OSError: a library in C++ needs PyTorch's."""
    raise OSError(f"{path} needs PyTorch's C++ library, which NNGrad does not have")

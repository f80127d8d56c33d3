"""Looking for NaN in gradients while they are computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

from ..functional.batch import Batch
from ..functional.engine import CHECK, Cleared, Scatter
from ..functional.node import Node
from ..graph import GradFn

_Check: TypeAlias = Callable[[Node, Sequence[Any]], None]


def _values(g: Any) -> Any:
    """The numbers of what a rule sent."""
    while isinstance(g, (Scatter, Cleared)):
        g = g.g
    if type(g) is Node:
        g = g._value
    while type(g) is Batch:
        g = g.array
    return g


def _look(node: Node, sent: Sequence[Any]) -> None:
    for i, g in enumerate(sent):
        values = None if g is None else _values(g)
        if values is not None and values.dtype.kind in "fc" and np.isnan(values).any():
            raise RuntimeError(f"Function '{GradFn(node).name()}' returned nan values in its {i}th output.")


def _check(mode: bool, check_nan: bool) -> _Check | None:
    return _look if mode and check_nan else None


def is_anomaly_enabled() -> bool:
    """Whether backward looks for NaN, in this thread and this async task."""
    return CHECK.get() is not None


class set_detect_anomaly:
    """Make backward look for NaN, or no longer: at once, or for a `with` block.

    Then backward raises RuntimeError where the first NaN arises, naming the operation.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before: _Check | None = CHECK.get()
        CHECK.set(_check(mode, check_nan))

    def __enter__(self) -> None:
        """Already set."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        CHECK.set(self._before)


class detect_anomaly:
    """Make backward look for NaN in a `with` block; see `set_detect_anomaly`.

    >>> x = nngrad.tensor(0.0, requires_grad=True)
    >>> with detect_anomaly():
    ...     nngrad.where(x > 0, x.sqrt(), x).backward()
    Traceback (most recent call last):
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check: _Check | None = _check(True, check_nan)

    def __enter__(self) -> None:
        self._before: _Check | None = CHECK.get()
        CHECK.set(self._check)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        CHECK.set(self._before)

"""Comparing tensors in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from .creation import as_tensor
from .dtypes import dtype, float16, float32, float64
from .tensor import Tensor

#: what two results may differ by, relatively and absolutely, unless told: PyTorch's
_TOLERANCES: Final[dict[dtype, tuple[float, float]]] = {
    float16: (1e-3, 1e-5),
    float32: (1.3e-6, 1e-5),
    float64: (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Nothing if two tensors, numbers, arrays, or sequences and mappings of such, are close.

    Raises AssertionError, telling how far they are apart and where, if they are not, or if shapes or
    (`check_dtype`) dtypes differ. rtol, atol: unless both are given, they follow from the dtype.
    """
    if (rtol is None) != (atol is None):
        raise ValueError("assert_close: rtol and atol must both be given, or neither")
    found = _difference(actual, expected, rtol, atol, equal_nan, check_dtype, "")
    if found is not None:
        raise AssertionError(found if msg is None else msg if isinstance(msg, str) else msg(found))


def _difference(
    actual: Any, expected: Any, rtol: float | None, atol: float | None, nan: bool, same: bool, place: str
) -> str | None:
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if actual.keys() != expected.keys():
            return f"The keys of the mappings do not match: {list(actual)} and {list(expected)}{place}"
        pairs = [(key, actual[key], expected[key]) for key in actual]
    elif isinstance(actual, Sequence) and isinstance(expected, Sequence):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{place}"
        pairs = [(i, a, b) for i, (a, b) in enumerate(zip(actual, expected))]
    else:
        return _apart(_as_tensor(actual), _as_tensor(expected), rtol, atol, nan, same, place)
    inside = place or "\n\nThe failure occurred for item "
    each = (_difference(a, b, rtol, atol, nan, same, f"{inside}[{key!r}]") for key, a, b in pairs)
    return next((text for text in each if text is not None), None)


def _as_tensor(thing: Any) -> Tensor:
    return thing if isinstance(thing, Tensor) else as_tensor(np.asarray(thing))


def _apart(
    actual: Tensor,
    expected: Tensor,
    rtol: float | None,
    atol: float | None,
    nan: bool,
    same: bool,
    place: str,
) -> str | None:
    if actual.shape != expected.shape:
        return f"The values for attribute 'shape' do not match: {actual.shape} != {expected.shape}.{place}"
    if same and actual.dtype != expected.dtype:
        return f"The values for attribute 'dtype' do not match: {actual.dtype} != {expected.dtype}.{place}"
    defaults = [_TOLERANCES.get(t.dtype, (0.0, 0.0)) for t in (actual, expected)]
    relative = max(r for r, _ in defaults) if rtol is None else rtol
    absolute = max(a for _, a in defaults) if atol is None else atol
    a, b = actual.detach().numpy(), expected.detach().numpy()
    close = np.isclose(a, b, relative, absolute, equal_nan=nan)
    if close.all():
        return None
    wide = np.complex128 if "c" in a.dtype.kind + b.dtype.kind else np.float64
    with np.errstate(all="ignore"):
        far = np.where(close, 0, np.abs(a.astype(wide) - b.astype(wide)))
        ratio = far / np.abs(b.astype(wide))
    if not a.ndim:
        return (
            f"Scalars are not close!\n\nExpected {b.item()} but got {a.item()}.\n"
            f"Absolute difference: {far.item()} (up to {absolute} allowed)\n"
            f"Relative difference: {ratio.item()} (up to {relative} allowed){place}"
        )
    worst, most = (np.unravel_index(int(np.argmax(x)), x.shape) for x in (far, ratio))
    return (
        f"Tensor-likes are not close!\n\nMismatched elements: {(~close).sum()} / {close.size} "
        f"({100 * (~close).mean():.1f}%)\nGreatest absolute difference: {far[worst]} at index "
        f"{tuple(map(int, worst))} (up to {absolute} allowed)\nGreatest relative difference: {ratio[most]} "
        f"at index {tuple(map(int, most))} (up to {relative} allowed){place}"
    )

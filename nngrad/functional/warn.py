"""Warnings: those for the user point at the user's own line; NumPy's about inf and NaN are not shown."""

from __future__ import annotations

import sys
import warnings

# PyTorch is silent where a sum overflows or infinities cancel. np.errstate would be as silent, but takes
# longer than a small addition: so functions that seldom meet inf go without, and what NumPy says of this
# package's lines is dropped.
warnings.filterwarnings(
    "ignore",
    r"(invalid value|overflow|underflow|divide by zero) encountered",
    RuntimeWarning,
    __name__.partition(".")[0] + r"\.",
)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the nearest caller outside this package."""
    package = __name__.partition(".")[0]
    level = 2  # the caller
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)

"""What this is: NNGrad, for the CPU."""

from typing import Final

__version__ = "0.1.0"

debug: Final = False
cuda: Final[str | None] = None
hip: Final[str | None] = None
git_version: Final = "unknown"

"""What this is: NNGrad, for the CPU."""

from typing import Final

from . import __version__ as __version__

debug: Final = False
cuda: Final[str | None] = None
hip: Final[str | None] = None
git_version: Final = "unknown"

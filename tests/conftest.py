"""What all tests share: deterministic hypothesis runs, one thread for BLAS, and the examples."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# last, so that `nngrad` is what is installed, not what lies beside the examples
sys.path.append(str(Path(__file__).parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

settings.register_profile("nngrad", deadline=None, derandomize=True)
settings.load_profile("nngrad")

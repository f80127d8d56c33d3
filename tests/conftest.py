"""What all tests share: deterministic hypothesis runs and one thread for BLAS."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

settings.register_profile("nngrad", deadline=None, derandomize=True)
settings.load_profile("nngrad")

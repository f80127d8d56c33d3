"""What all tests share: one seed, deterministic hypothesis runs, one thread for BLAS, and the examples."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

# last, so that `nngrad` is what is installed, not what lies beside the examples
sys.path.append(str(Path(__file__).parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from hypothesis import settings

import nngrad

settings.register_profile("nngrad", deadline=None, derandomize=True)
settings.load_profile("nngrad")


def pytest_runtest_setup() -> None:
    """Random numbers are the same in every run, whichever tests run before in the same process."""
    random.seed(0)
    np.random.seed(0)
    nngrad.manual_seed(0)

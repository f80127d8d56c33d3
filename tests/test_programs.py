"""Programs written for PyTorch, in `programs`, give on NNGrad the numbers that they give on PyTorch.

Each says `import torch`, and trains something small in the idioms of a program that many know. All
programs of a file are run in one process of their own, once for each library.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import nngrad

FOLDER: Final = Path(__file__).parent / "programs"
SHARED: Final = ("recording", "resuming", "run")
PROGRAMS: Final = [
    (file.stem, name)
    for file in sorted(FOLDER.glob("*.py"))
    if file.stem not in SHARED
    for name in re.findall(r"^@program\ndef (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
]
#: those that only compute, and train nothing
UNTRAINED: Final = {"micrograd", "nanogpt_estimates_its_loss_under_autocast"}
RTOL: Final = 1e-4

every = pytest.mark.parametrize(("module", "name"), PROGRAMS, ids=[f"{m}-{n}" for m, n in PROGRAMS])


def printed(library: str, script: str, *given: str) -> Any:
    """The JSON that a script prints on a library."""
    run = [str(FOLDER / script), *given]
    arguments = run if library == "torch" else ["-m", "nngrad.as_torch", *run]
    environment = {**os.environ, "PYTHONPATH": str(Path(nngrad.__file__).parents[1])}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@functools.cache
def told(module: str, library: str) -> Any:
    """What the programs of a file tell, by name."""
    return printed(library, "run.py", module)


def differences(ours: Any, theirs: Any, place: str) -> list[str]:
    """Where two records differ by more than rounding."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [line for key in ours for line in differences(ours[key], theirs[key], f"{place}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            line for i, pair in enumerate(zip(ours, theirs)) for line in differences(*pair, f"{place}[{i}]")
        ]
    if isinstance(ours, float) and isinstance(theirs, float):
        # what is nearly 0 is the rest of what cancelled
        same = math.isclose(ours, theirs, rel_tol=RTOL, abs_tol=0 if ".losses" in place else 1e-5)
        return [] if same else [f"{place}: {ours} is not {theirs}"]
    return [] if ours == theirs else [f"{place}: {ours} is not {theirs}"]


@every
def test_a_program_learns(module: str, name: str) -> None:
    record = told(module, "nngrad")[name]
    assert "error" not in record, record["error"]
    losses = record["losses"]
    assert all(map(math.isfinite, losses))
    if name in UNTRAINED:
        assert not losses
        assert record["notes"]
        return
    part = min(5, len(losses) // 2)
    assert part
    assert sum(losses[-part:]) < sum(losses[:part])


@every
def test_a_program_computes_what_it_computes_on_pytorch(module: str, name: str) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    theirs, ours = told(module, "torch")[name], told(module, "nngrad")[name]
    assert "error" not in theirs, theirs["error"]
    assert "error" not in ours, ours["error"]
    assert differences(ours, theirs, name) == []


def test_training_goes_on_from_a_checkpoint_in_either_library(tmp_path: Path) -> None:
    path = str(tmp_path / "checkpoint.pt")
    libraries = ["nngrad", *(["torch"] if importlib.util.find_spec("torch") else [])]
    first = None
    for saved_by in libraries:
        losses = printed(saved_by, "resuming.py", "save", path)
        first = first or losses
        assert differences(losses, first, saved_by) == []
        assert len(set(losses)) > 5
        for resumed_by in libraries:
            again = printed(resumed_by, "resuming.py", "resume", path)
            assert differences(again, losses, f"saved by {saved_by}, resumed by {resumed_by}") == []
            if resumed_by == saved_by == "nngrad":
                assert again == losses


def test_what_differs_is_found() -> None:
    record = {"losses": [2.0, 1.0], "keys": {"model": [["weight", [2], "float32"]]}}
    assert differences(record, record, "") == []
    assert differences(record, {**record, "losses": [2.0, 1.0002]}, "") == [".losses[1]: 1.0 is not 1.0002"]
    assert differences(record, {**record, "losses": [2.0]}, "")
    assert differences(record, {**record, "keys": {"model": [["weight", [3], "float32"]]}}, "")
    assert differences(record, {**record, "keys": {"net": []}}, "")

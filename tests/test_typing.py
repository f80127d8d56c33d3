"""What type checkers see of NNGrad from outside: a project without an Any, and its mistakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

import nngrad

pytestmark = pytest.mark.typing
HERE = Path(__file__).parent / "typing"


def check(*command: str) -> str:
    """The output of a type checker that runs in the downstream project."""
    home = Path(nngrad.__file__).parents[1]
    environment = dict(os.environ)
    if home != Path(sysconfig.get_path("purelib")):  # run from a source tree
        environment["MYPYPATH"] = str(home)
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=HERE, env=environment, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout


def test_mypy() -> None:
    """The project is strict and without Any; each mistake is rejected with its code, nothing else."""
    pytest.importorskip("mypy")
    output = check(
        "mypy", "--config-file=", "--strict", "--follow-imports=silent", "--no-error-summary",
        "--hide-error-context", "downstream", "mistakes.py",
    )  # fmt: skip
    found = re.findall(r"^(\S+):(\d+): error: .*\[([a-z-]+)\]$", output, re.M)
    expected = [
        ("mistakes.py", str(number), code)
        for number, line in enumerate((HERE / "mistakes.py").read_text().splitlines(), 1)
        for code in line.partition("# expect: ")[2].split()
    ]
    assert len(expected) >= 16
    assert Counter(found) == Counter(expected), output


def test_the_project_forbids_any() -> None:
    """Each of its modules asks mypy for that, so the test above means it."""
    modules = [path for path in (HERE / "downstream").glob("*.py") if path.name != "__init__.py"]
    assert len(modules) >= 3
    for path in modules:
        assert "# mypy: disallow-any-expr" in path.read_text().splitlines()


def test_pyright() -> None:
    """Pyright agrees that the project is without errors."""
    pytest.importorskip("pyright")
    output = check("pyright", "--pythonpath", sys.executable, "downstream")
    assert output.splitlines()[-1].startswith("0 errors"), output

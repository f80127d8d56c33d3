"""What the pure examples share: where their pictures go."""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure


def wanted_size(description: str | None, name: str, default: int) -> int:
    """How much work the command line asks for: `--steps`, or what `name` calls it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(f"--{name}", type=int, default=default)
    size: int = getattr(parser.parse_args(), name)
    return size


def save(figure: Figure, path: Path) -> None:
    """Write a picture, and say where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"picture in {path}")

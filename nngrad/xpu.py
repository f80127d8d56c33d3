"""Intel's GPU: not there. Questions are answered, seeds are harmless, and asking for it is an error."""

from typing import NoReturn


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there is nothing to seed."""


def empty_cache() -> None:
    """Nothing: there is no cache."""


def synchronize() -> NoReturn:
    """Raises RuntimeError: there is no GPU."""
    raise RuntimeError("xpu.synchronize: NNGrad has no GPU: tensors are on the CPU")


def manual_seed_all(seed: int) -> None:
    """Nothing: there is nothing to seed."""

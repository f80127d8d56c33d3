"""Switches of a library for GPUs: they can be set, and change nothing."""

enabled: bool = True
deterministic: bool = False
benchmark: bool = False
benchmark_limit: int | None = 10
allow_tf32: bool = True


def is_available() -> bool:
    """False: there is no GPU."""
    return False


def version() -> int | None:
    """None: it is not there."""
    return None

"""A library that PyTorch computes with on the CPU, and NNGrad does not."""

enabled: bool = True
deterministic: bool = False


def is_available() -> bool:
    """False: NumPy does the arithmetic."""
    return False

"""A library that PyTorch computes with on the CPU, and NNGrad does not."""


def is_available() -> bool:
    """False: NumPy does the arithmetic."""
    return False

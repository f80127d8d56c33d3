"""Nothing: what the module of this name has in PyTorch is used by kernels alone."""

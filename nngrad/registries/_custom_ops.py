"""Nothing: what modules answered by this have in PyTorch is for kernels, or for several processes."""

"""NNGrad beside PyTorch, HIPS autograd and MyGrad, in one run: `python -m benchmarks`."""

"""A project that uses NNGrad, as its users write it: strict, and without a single Any."""

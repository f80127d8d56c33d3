"""Linear algebra on nodes, under the names of `torch.linalg`."""

"""Where PyTorch keeps `Module`; here it is `nngrad.nn.module`."""

from ..module import Module as Module

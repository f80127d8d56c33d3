"""NNGrad: automatic differentiation and neural networks on NumPy, with PyTorch's surface."""

from . import functional as functional, nn as nn
from .autograd import (
    enable_grad as enable_grad,
    grad as grad,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from .tensor import Size as Size, Tensor as Tensor

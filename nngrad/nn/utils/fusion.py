"""A normalisation after a layer, put into the layer's own weights: for evaluation alone."""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

from ...tensor import Tensor
from ..modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ..modules.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..modules.linear import Linear
from ..parameter import Parameter

Convolution = Conv1d | Conv2d | Conv3d | ConvTranspose1d | ConvTranspose2d | ConvTranspose3d
C = TypeVar("C", bound=Convolution)
BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d


def _check(op: str, layer: Convolution | Linear, bn: BatchNorm) -> tuple[Tensor, Tensor]:
    if layer.training or bn.training:
        raise RuntimeError(f"{op}: Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise RuntimeError(f"{op}: the normalisation has no running statistics")
    return bn.running_mean, bn.running_var


def fuse_conv_bn_eval(conv: C, bn: BatchNorm, transpose: bool = False) -> C:
    """A convolution that does what a convolution and a normalisation do, both in evaluation.

    transpose: the convolution is a transposed one. Raises RuntimeError for layers in training.
    """
    mean, var = _check("fuse_conv_bn_eval", conv, bn)
    fused = deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, mean, var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and the bias of a convolution with a normalisation after it in them."""
    scale = (bn_rv + bn_eps).rsqrt()
    scale = scale if bn_w is None else bn_w * scale
    shape = (1, -1) if transpose else (-1, 1)
    weight = (conv_w * scale.reshape(shape + (1,) * (conv_w.dim() - 2))).to(conv_w.dtype)
    bias = (-bn_rm if conv_b is None else conv_b - bn_rm) * scale
    bias = (bias if bn_b is None else bias + bn_b).to(conv_w.dtype)
    return Parameter(weight, conv_w.requires_grad), Parameter(
        bias, conv_w.requires_grad if conv_b is None else conv_b.requires_grad
    )


def fuse_linear_bn_eval(linear: Linear, bn: BatchNorm) -> Linear:
    """A linear layer that does what a linear layer and a normalisation do, both in evaluation.

    Raises RuntimeError for layers in training.
    """
    mean, var = _check("fuse_linear_bn_eval", linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise RuntimeError(
            "fuse_linear_bn_eval: To fuse, linear.out_features == bn.num_features or bn.num_features == 1"
        )
    fused = deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, mean, var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """The weight and the bias of a linear layer with a normalisation after it in them."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)

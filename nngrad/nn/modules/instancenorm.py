"""Instance normalisation as layers."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, ClassVar

from ...creation import Device
from ...dtypes import DTypeLike
from ...functional.warn import warn_user
from ...tensor import Tensor
from .. import functional as F
from .batchnorm import _NormBase


class _InstanceNorm(_NormBase):
    """By default without weight, bias and running statistics."""

    #: how many dimensions a single sample has
    _single: ClassVar[int]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Device = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _load_from_state_dict(
        self,
        state_dict: MutableMapping[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        if local_metadata.get("version") is None and not self.track_running_stats:
            names = [prefix + name for name in ("running_mean", "running_var")]
            found = [name for name in names if state_dict.pop(name, None) is not None]
            if found:
                told = " and ".join([f'"{name}"' for name in found])
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {told} for {type(self).__name__} with "
                    "track_running_stats=False. Take them out of the state_dict, or set "
                    "track_running_stats=True if they are needed."
                )
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def forward(self, input: Tensor) -> Tensor:
        """(N, num_features, ...) or (num_features, ...) to the same shape.

        By the running statistics, if there are any, unless in training. Raises ValueError for another
        number of dimensions or, with a weight, of features.
        """
        self._check_input_dim(input)
        at = input.ndim - self._single
        if input.shape[at] != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={at} to match num_features ({self.num_features}), "
                    f"but got: {input.shape[at]}."
                )
            warn_user(
                f"input's size at dim={at} does not match num_features. You can silence this warning by "
                "not passing in num_features, which is not used because affine=False"
            )
        normalized = F.instance_norm(
            input if at else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return normalized if at else normalized.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (N, C, L) or (C, L) to mean 0 and variance 1."""

    _ranks = (2, 3)
    _single = 2


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each sample of (N, C, H, W) or (C, H, W) to mean 0 and variance 1."""

    _ranks = (3, 4)
    _single = 3


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each sample of (N, C, D, H, W) or (C, D, H, W) to mean 0 and variance 1."""

    _ranks = (4, 5)
    _single = 4

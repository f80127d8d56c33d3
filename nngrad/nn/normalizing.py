"""Normalisation on tensors: running statistics are updated in place, as in PyTorch."""

from __future__ import annotations

from typing import Final

from .. import functional as F
from ..functional.batch import levels_of
from ..functional.normalization import stats_after
from ..lifting import TensorLike, lift, wrap
from ..tensor import Tensor

group_norm: Final = lift(F.group_norm)
layer_norm: Final = lift(F.layer_norm)
local_response_norm: Final = lift(F.local_response_norm)
rms_norm: Final = lift(F.rms_norm)


def normalize(
    input: TensorLike, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Each vector along a dimension by its norm; see `nngrad.functional.normalize`.

    out: a tensor without grad to write it to, which is returned.
    """
    found = wrap(F.normalize(input, p, dim, eps))
    if out is None:
        return found
    if found.requires_grad:
        raise RuntimeError("normalize: out= is not for what requires grad")
    return out.copy_(found)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel to mean 0 and variance 1 over the batch; see `nngrad.functional.batch_norm`.

    In training the running statistics are updated in place.
    """
    out = wrap(F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps))
    if training:
        _update(out, input, running_mean, running_var, momentum, False)
    return out


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample to mean 0 and variance 1; see `nngrad.functional.instance_norm`.

    The running statistics, if given, are updated in place where the input's are used.
    """
    out = wrap(
        F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
    )
    if use_input_stats:
        _update(out, input, running_mean, running_var, momentum, True)
    return out


def _update(
    out: Tensor,
    input: Tensor,
    mean: Tensor | None,
    variance: Tensor | None,
    momentum: float,
    by_instance: bool,
) -> None:
    if mean is not None and variance is not None:
        new_mean, new_variance = stats_after(out.node, input, mean, variance, momentum, by_instance)
        for old, new in ((mean, new_mean), (variance, new_variance)):
            if not set(levels_of(new._value)) <= set(levels_of(old.node._value)):
                raise RuntimeError(
                    f"{'instance' if by_instance else 'batch'}_norm: inside vmap the running statistics, "
                    "which are updated in place, would differ from example to example: use eval(), or "
                    "track_running_stats=False, or func.replace_all_batch_norm_modules_"
                )
        mean.assign(new_mean)
        variance.assign(new_variance)

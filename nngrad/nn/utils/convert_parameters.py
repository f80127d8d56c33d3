"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise

from ...lifting import wrap
from ...operations import cat
from ...tensor import Tensor, node_from


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of the parameters side by side, (n,); gradients flow back to them.

    >>> from nngrad import tensor
    >>> parameters_to_vector([tensor([[1.0, 2.0]]), tensor([3.0])])
    tensor([1., 2., 3.])
    """
    return cat([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the elements of a vector, in order, each its own copy of them.

    Raises TypeError for what is no tensor, RuntimeError for too short a vector; both change nothing.

    >>> from nngrad import tensor
    >>> p, q = tensor([[0.0, 0.0]]), tensor([0.0])
    >>> vector_to_parameters(tensor([1.0, 2.0, 3.0]), [p, q])
    >>> p, q
    (tensor([[1., 2.]]), tensor([3.]))
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    given = list(parameters)
    ends = list(accumulate([parameter.numel() for parameter in given], initial=0))
    if vec.dim() != 1 or vec.numel() < ends[-1]:
        raise RuntimeError(
            f"vector_to_parameters: a vector of shape {tuple(vec.shape)} does not hold the parameters' "
            f"{ends[-1]} elements"
        )
    values = vec.node._value
    for parameter, (start, stop) in zip(given, pairwise(ends)):
        parameter.data = wrap(node_from(values[start:stop].reshape(tuple(parameter.shape))))

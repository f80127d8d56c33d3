"""The multivariate normal distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import linalg, random
from ..creation import eye
from ..operations import broadcast_shapes, flip, matmul
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution
from .utils import lazy_property


class MultivariateNormal(Distribution):
    """The normal distribution of vectors: their mean `loc`, and one of three ways to say how they spread.

    covariance_matrix, precision_matrix (its inverse), or scale_tril (its Cholesky factor): (..., n, n).
    Raises ValueError unless exactly one of these is given.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    loc: Tensor

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {
            "scale_tril": scale_tril,
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
        }
        given = {name: matrix for name, matrix in matrices.items() if matrix is not None}
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
            )
        ((name, matrix),) = given.items()
        if matrix.ndim < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch = broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self._given = (name, matrix)
        self.loc = loc.expand((*batch, -1))
        self.__dict__[name] = matrix.expand((*batch, -1, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> MultivariateNormal:
        new = super().expand(batch_shape, _instance)
        new._given = self._given
        return new

    @lazy_property
    def _factor(self) -> Tensor:
        """The Cholesky factor, as often as matrices were given."""
        name, matrix = self._given
        if name == "scale_tril":
            return matrix
        if name == "covariance_matrix":
            return linalg.cholesky(matrix)
        turned = flip(linalg.cholesky(flip(matrix, (-2, -1))), (-2, -1))
        return _inverse(turned.transpose(-2, -1))

    def _for_all(self, matrix: Tensor) -> Tensor:
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance: (..., n, n)."""
        return self._for_all(self._factor)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariances: (..., n, n)."""
        return self._for_all(matmul(self._factor, self._factor.transpose(-2, -1)))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariances: (..., n, n)."""
        inverse = _inverse(self._factor)
        return self._for_all(matmul(inverse.transpose(-2, -1), inverse))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._factor.pow(2).sum(-1).expand(self.loc.shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        unit = random.normal_(self.loc.new_empty(self._extended_shape(sample_shape)))
        return self.loc + matmul(self._factor, unit.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        distance = mahalanobis(self._factor, value - self.loc)
        return -0.5 * (self.loc.shape[-1] * math.log(2 * math.pi) + distance) - half_log_det(self)

    def entropy(self) -> Tensor:
        entropy = 0.5 * self.loc.shape[-1] * (1.0 + math.log(2 * math.pi)) + half_log_det(self)
        return entropy.expand(self._batch_shape)


def _inverse(lower: Tensor) -> Tensor:
    """The inverse of a lower triangular matrix."""
    return linalg.solve_triangular(lower, eye(lower.shape[-1], dtype=lower.dtype), upper=False)


def half_log_det(p: MultivariateNormal) -> Tensor:
    """Half the logarithm of the covariance's determinant."""
    return p._factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def mahalanobis(scale_tril: Tensor, x: Tensor) -> Tensor:
    """The squared length of x in units of the spread that a Cholesky factor says: (...,)."""
    batch = broadcast_shapes(scale_tril.shape[:-2], x.shape[:-1])
    n = x.shape[-1]
    if scale_tril.ndim == 2:  # one factor for all: solved for all vectors at once
        columns = x.reshape((-1, n)).transpose(0, 1)
        return linalg.solve_triangular(scale_tril, columns, upper=False).pow(2).sum(0).reshape(batch)
    columns = x.expand((*batch, n)).unsqueeze(-1)
    factors = scale_tril.expand((*batch, n, n))
    return linalg.solve_triangular(factors, columns, upper=False).squeeze(-1).pow(2).sum(-1)

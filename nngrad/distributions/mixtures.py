"""Distributions that are drawn from one of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..autograd import no_grad
from ..operations import log_softmax, logsumexp
from ..tensor import Tensor
from . import constraints
from .counts import Categorical
from .distribution import Distribution


class MixtureSameFamily(Distribution):
    """A sample of one of several distributions, which `mixture_distribution` chooses.

    component_distribution: the last dimension of its batch counts them. Raises ValueError where the two
    do not fit together.
    """

    arg_constraints: ClassVar[Any] = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        given: tuple[object, object] = (mixture_distribution, component_distribution)
        if not isinstance(given[0], Categorical):
            raise ValueError(" The Mixture distribution needs to be an instance of Categorical")
        if not isinstance(given[1], Distribution):
            raise ValueError("The Component distribution needs to be an instance of Distribution")
        chosen, parts = mixture_distribution.batch_shape, component_distribution.batch_shape
        if any(m not in (1, p) and p != 1 for m, p in zip(reversed(chosen), reversed(parts[:-1]))):
            raise ValueError(
                f"`mixture_distribution.batch_shape` ({chosen}) is not compatible with "
                f"`component_distribution.batch_shape`({parts})"
            )
        if mixture_distribution.probs.shape[-1] != parts[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({mixture_distribution.probs.shape[-1]}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({parts[-1]})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        event = component_distribution.event_shape
        self._event_ndims = len(event)
        super().__init__(parts[:-1], event, validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> MixtureSameFamily:
        new = self._like(batch_shape, _instance)
        count = self._mixture_distribution.probs.shape[-1]
        new._component_distribution = self._component_distribution.expand((*batch_shape, count))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._event_ndims = self._event_ndims
        return new

    @constraints.dependent_property()
    def support(self) -> Any:
        """What the components give."""
        return self._component_distribution.support

    @property
    def mixture_distribution(self) -> Categorical:
        """What chooses."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """What is chosen among."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        probs: Tensor = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *[1] * self._event_ndims))

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Tensor:
        dim, weights, parts = -1 - self._event_ndims, self._weights(), self._component_distribution
        within = (weights * parts.variance).sum(dim)
        between = (weights * (parts.mean - self.mean.unsqueeze(dim)).pow(2.0)).sum(dim)
        return within + between

    def cdf(self, value: Tensor) -> Tensor:
        below = self._component_distribution.cdf(value.unsqueeze(-1 - self._event_ndims))
        probs: Tensor = self._mixture_distribution.probs
        return (below * probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        each = self._component_distribution.log_prob(value.unsqueeze(-1 - self._event_ndims))
        return logsumexp(each + log_softmax(self._mixture_distribution.logits, -1), -1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            at = len(sample_shape) + len(self.batch_shape)
            chosen = self._mixture_distribution.sample(sample_shape)
            parts = self._component_distribution.sample(sample_shape)
            index = chosen.reshape((*chosen.shape, *[1] * (self._event_ndims + 1)))
            index = index.expand((*parts.shape[:at], 1, *self.event_shape))
            return parts.gather(at, index).squeeze(at)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"

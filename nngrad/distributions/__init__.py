"""Probability distributions, as in `torch.distributions`: samples, densities, divergences."""

from . import constraints as constraints, kl as kl, transforms as transforms, utils as utils
from .composed import (
    Independent as Independent,
    LogNormal as LogNormal,
    TransformedDistribution as TransformedDistribution,
)
from .concentrations import Beta as Beta, Chi2 as Chi2, Dirichlet as Dirichlet, Gamma as Gamma
from .counts import (
    Bernoulli as Bernoulli,
    Binomial as Binomial,
    Categorical as Categorical,
    OneHotCategorical as OneHotCategorical,
    Poisson as Poisson,
)
from .distribution import Distribution as Distribution
from .kl import kl_divergence as kl_divergence, register_kl as register_kl
from .locations import (
    Exponential as Exponential,
    Laplace as Laplace,
    Normal as Normal,
    Uniform as Uniform,
)
from .mixtures import MixtureSameFamily as MixtureSameFamily
from .multivariate import MultivariateNormal as MultivariateNormal
from .relaxed import (
    RelaxedBernoulli as RelaxedBernoulli,
    RelaxedOneHotCategorical as RelaxedOneHotCategorical,
)
from .transforms import (
    AbsTransform as AbsTransform,
    AffineTransform as AffineTransform,
    ComposeTransform as ComposeTransform,
    ExpTransform as ExpTransform,
    IndependentTransform as IndependentTransform,
    PowerTransform as PowerTransform,
    ReshapeTransform as ReshapeTransform,
    SigmoidTransform as SigmoidTransform,
    SoftmaxTransform as SoftmaxTransform,
    SoftplusTransform as SoftplusTransform,
    TanhTransform as TanhTransform,
    Transform as Transform,
    identity_transform as identity_transform,
)

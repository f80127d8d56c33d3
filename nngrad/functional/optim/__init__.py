"""Optimisers as values: pairs of pure functions over trees, schedules of rates, clipping, `chain`.

Each formula is here once; the classes of `nngrad.optim` run the same ones.
"""

from .optimizers import (
    adadelta as adadelta,
    adagrad as adagrad,
    adam as adam,
    adamax as adamax,
    adamw as adamw,
    asgd as asgd,
    lion as lion,
    nadam as nadam,
    radam as radam,
    rmsprop as rmsprop,
    rprop as rprop,
    sgd as sgd,
)
from .pure import (
    Optimizer as Optimizer,
    Rate as Rate,
    Schedule as Schedule,
    State as State,
    Transform as Transform,
)
from .schedules import (
    constant as constant,
    cosine as cosine,
    exponential as exponential,
    one_cycle as one_cycle,
    piecewise as piecewise,
    polynomial as polynomial,
    warmup as warmup,
)
from .transforms import (
    chain as chain,
    clip_by_norm as clip_by_norm,
    clip_by_value as clip_by_value,
    scale as scale,
    total_norm as total_norm,
    weight_decay as weight_decay,
)

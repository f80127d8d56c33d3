"""Optimisers, as in `torch.optim`. Their formulas are in `nngrad.functional.optim`."""

from . import lr_scheduler as lr_scheduler, swa_utils as swa_utils
from .adam import Adam as Adam, Adamax as Adamax, AdamW as AdamW, NAdam as NAdam, RAdam as RAdam
from .hooks import (
    register_optimizer_step_post_hook as register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook as register_optimizer_step_pre_hook,
)
from .lbfgs import LBFGS as LBFGS
from .optimizer import Optimizer as Optimizer
from .sgd import ASGD as ASGD, SGD as SGD, Rprop as Rprop
from .squares import Adadelta as Adadelta, Adagrad as Adagrad, RMSprop as RMSprop

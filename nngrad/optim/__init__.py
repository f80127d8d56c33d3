"""Optimisers, as in `torch.optim`. Their formulas are in `nngrad.functional.optim`."""

from . import lr_scheduler as lr_scheduler, swa_utils as swa_utils
from .adam import Adam as Adam, AdamW as AdamW
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD

"""The functions that networks are made of; loaded when a program first names one of them.

They are public in `nngrad.functional`. Importing NNGrad stays quick without them.
"""

from .loss import cross_entropy as cross_entropy, mse_loss as mse_loss

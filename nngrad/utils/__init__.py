"""What is around training: `nngrad.utils.data` feeds it."""

from . import data as data

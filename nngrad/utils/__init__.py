"""What is around training: `nngrad.utils.data` feeds it, `nngrad.utils.checkpoint` saves it memory."""

from . import checkpoint as checkpoint, data as data

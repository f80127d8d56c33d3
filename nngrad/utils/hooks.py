"""What registering a hook gives back, under the name that PyTorch has for it."""

from ..graph import RemovableHandle as RemovableHandle

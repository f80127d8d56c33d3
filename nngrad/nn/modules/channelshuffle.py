"""Channels dealt out in turns, as a layer."""

from __future__ import annotations

from .. import functional as F
from .layer import Layer


class ChannelShuffle(Layer):
    """The channels of (N, C, ...) taken in turns from `groups` groups."""

    _function = F.channel_shuffle
    _given = ("groups",)

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

"""Mixed precision under its older name; see `nngrad.amp`."""

from __future__ import annotations

from ..amp import (
    GradScaler as _GradScaler,
    autocast as _autocast,
    custom_bwd as custom_bwd,
    custom_fwd as custom_fwd,
)
from ..dtypes import DTypeLike, float16


class autocast(_autocast):
    """`nngrad.amp.autocast("cuda", ...)`."""

    def __init__(
        self, enabled: bool = True, dtype: DTypeLike = float16, cache_enabled: bool | None = True
    ) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(_GradScaler):
    """`nngrad.amp.GradScaler("cuda", ...)`."""

    def __init__(
        self,
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)

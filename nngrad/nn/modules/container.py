"""Where PyTorch keeps containers; here that is `nngrad.nn.containers`."""

from ..containers import (
    ModuleDict as ModuleDict,
    ModuleList as ModuleList,
    ParameterDict as ParameterDict,
    ParameterList as ParameterList,
    Sequential as Sequential,
)

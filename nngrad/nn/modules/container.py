"""Where PyTorch keeps containers; here that is `nngrad.nn.containers` and `nngrad.nn.parameters`."""

from ..containers import ModuleDict as ModuleDict, ModuleList as ModuleList, Sequential as Sequential
from ..parameters import ParameterDict as ParameterDict, ParameterList as ParameterList

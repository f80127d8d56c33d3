"""Neural networks: modules, their containers, layers, losses and first values."""

from . import functional as functional, init as init
from .containers import (
    ModuleDict as ModuleDict,
    ModuleList as ModuleList,
    ParameterDict as ParameterDict,
    ParameterList as ParameterList,
    Sequential as Sequential,
)
from .layers import (
    CrossEntropyLoss as CrossEntropyLoss,
    Dropout as Dropout,
    Flatten as Flatten,
    Identity as Identity,
    Linear as Linear,
    LogSoftmax as LogSoftmax,
    MSELoss as MSELoss,
    ReLU as ReLU,
    Sigmoid as Sigmoid,
    Softmax as Softmax,
    Tanh as Tanh,
)
from .module import Module as Module
from .parameter import Buffer as Buffer, Parameter as Parameter

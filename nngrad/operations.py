"""The functions of `nngrad.functional` on tensors: `nngrad.exp`, `nngrad.cat` and the like."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, Final, SupportsIndex, TypeGuard, overload

import numpy as np

from . import functional as F
from .dtypes import DTypeLike, dtype as DTypeOf, of, to_numpy
from .functional.dtypes import Number, promote_types as _promote_types
from .functional.node import Node, Operand, as_node
from .functional.reduction import ValuesIndices
from .functional.shape import Dims, sizes_of
from .tensor import Tensor, TensorLike, lift, lift_view, wrap

abs: Final = lift(F.abs)
add: Final = lift(F.add)
amax: Final = lift(F.amax)
amin: Final = lift(F.amin)
argmax: Final = lift(F.argmax)
argmin: Final = lift(F.argmin)
bitwise_and: Final = lift(F.bitwise_and)
bitwise_left_shift: Final = lift(F.bitwise_left_shift)
bitwise_not: Final = lift(F.bitwise_not)
bitwise_or: Final = lift(F.bitwise_or)
bitwise_right_shift: Final = lift(F.bitwise_right_shift)
bitwise_xor: Final = lift(F.bitwise_xor)
clamp: Final = lift(F.clip)
clip: Final = lift(F.clip)
clone: Final = lift(F.clone)
div: Final = lift(F.div)
divide: Final = lift(F.div)
eq: Final = lift(F.eq)
exp: Final = lift(F.exp)
floor_divide: Final = lift(F.floor_divide)
ge: Final = lift(F.ge)
gt: Final = lift(F.gt)
isnan: Final = lift(F.isnan)
le: Final = lift(F.le)
log: Final = lift(F.log)
log_softmax: Final = lift(F.log_softmax)
logical_and: Final = lift(F.logical_and)
logical_not: Final = lift(F.logical_not)
logical_or: Final = lift(F.logical_or)
lt: Final = lift(F.lt)
masked_fill: Final = lift(F.masked_fill)
matmul: Final = lift(F.matmul)
maximum: Final = lift(F.maximum)
mean: Final = lift(F.mean)
minimum: Final = lift(F.minimum)
mm: Final = lift(F.matmul)
mul: Final = lift(F.mul)
multiply: Final = lift(F.mul)
ne: Final = lift(F.ne)
neg: Final = lift(F.neg)
pow: Final = lift(F.pow)
relu: Final = lift(F.relu)
remainder: Final = lift(F.remainder)
sigmoid: Final = lift(F.sigmoid)
sign: Final = lift(F.sign)
softmax: Final = lift(F.softmax)
sqrt: Final = lift(F.sqrt)
sub: Final = lift(F.sub)
subtract: Final = lift(F.sub)
sum: Final = lift(F.sum)
tanh: Final = lift(F.tanh)
where: Final = lift(F.where)

broadcast_to: Final = lift_view(F.broadcast_to)
flatten: Final = lift_view(F.flatten)
permute: Final = lift_view(F.permute)
reshape: Final = lift_view(F.reshape)
squeeze: Final = lift_view(F.squeeze)
transpose: Final = lift_view(F.transpose)
unsqueeze: Final = lift_view(F.unsqueeze)

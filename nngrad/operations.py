"""The functions of `nngrad.functional` on tensors: `nngrad.exp`, `nngrad.cat` and the like."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Final, Literal, SupportsIndex, TypeGuard, overload

from . import functional as F, lifting
from .functional.aggregation import MinMax
from .functional.node import Node
from .functional.reduction import ValuesIndices
from .lifting import (
    Size,
    TensorLike,
    into,
    lift,
    lift_each,
    lift_joining,
    lift_pair,
    lift_part,
    lift_parts,
    lift_tuple,
    lift_view,
    wrap,
)
from .naming import given_by

if TYPE_CHECKING:
    from .tensor import Tensor

abs: Final = lift(F.abs)
absolute: Final = lift(F.abs)
acos: Final = lift(F.acos)
acosh: Final = lift(F.acosh)
add: Final = lift(F.add)
addcdiv: Final = lift(F.addcdiv)
addcmul: Final = lift(F.addcmul)
all: Final = lift(F.all)
allclose: Final = F.allclose
amax: Final = lift(F.amax)
amin: Final = lift(F.amin)
any: Final = lift(F.any)
arccos: Final = lift(F.acos)
arccosh: Final = lift(F.acosh)
arcsin: Final = lift(F.asin)
arcsinh: Final = lift(F.asinh)
arctan: Final = lift(F.atan)
arctan2: Final = lift(F.atan2)
arctanh: Final = lift(F.atanh)
argmax: Final = lift(F.argmax)
argmin: Final = lift(F.argmin)
argsort: Final = lift(F.argsort)
argwhere: Final = lift(F.argwhere)
asin: Final = lift(F.asin)
asinh: Final = lift(F.asinh)
atan: Final = lift(F.atan)
atan2: Final = lift(F.atan2)
atanh: Final = lift(F.atanh)
bincount: Final = lift(F.bincount)
bitwise_and: Final = lift(F.bitwise_and)
bitwise_left_shift: Final = lift(F.bitwise_left_shift)
bitwise_not: Final = lift(F.bitwise_not)
bitwise_or: Final = lift(F.bitwise_or)
bitwise_right_shift: Final = lift(F.bitwise_right_shift)
bitwise_xor: Final = lift(F.bitwise_xor)
bucketize: Final = lift(F.bucketize)
ceil: Final = lift(F.ceil)
clamp: Final = lift(F.clip)
clamp_max: Final = lift(F.clamp_max)
clamp_min: Final = lift(F.clamp_min)
clip: Final = lift(F.clip)
clone: Final = lift(F.clone)
copysign: Final = lift(F.copysign)
cos: Final = lift(F.cos)
cosh: Final = lift(F.cosh)
count_nonzero: Final = lift(F.count_nonzero)
cummax: Final = lift_pair(F.cummax)
cummin: Final = lift_pair(F.cummin)
cumprod: Final = lift(F.cumprod)
cumsum: Final = lift(F.cumsum)
deg2rad: Final = lift(F.deg2rad)
diff: Final = lift(F.diff)
digamma: Final = lift(F.digamma)
div: Final = lift(F.div)
divide: Final = lift(F.div)
eq: Final = lift(F.eq)
equal: Final = F.equal
erf: Final = lift(F.erf)
erfc: Final = lift(F.erfc)
erfinv: Final = lift(F.erfinv)
exp: Final = lift(F.exp)
exp2: Final = lift(F.exp2)
expm1: Final = lift(F.expm1)
fix: Final = lift(F.trunc)
fill: Final = lift(F.fill)
floor: Final = lift(F.floor)
floor_divide: Final = lift(F.floor_divide)
fmax: Final = lift(F.fmax)
fmin: Final = lift(F.fmin)
fmod: Final = lift(F.fmod)
frac: Final = lift(F.frac)
gather: Final = lift(F.gather)
ge: Final = lift(F.ge)
greater: Final = lift(F.gt)
greater_equal: Final = lift(F.ge)
gt: Final = lift(F.gt)
histc: Final = lift(F.histc)
hypot: Final = lift(F.hypot)
index_add: Final = lift(F.index_add)
index_copy: Final = lift(F.index_copy)
index_fill: Final = lift(F.index_fill)
index_put: Final = lift(F.index_put)
index_select: Final = lift(F.index_select)
isclose: Final = lift(F.isclose)
isfinite: Final = lift(F.isfinite)
isin: Final = lift(F.isin)
isinf: Final = lift(F.isinf)
isnan: Final = lift(F.isnan)
kthvalue: Final = lift_pair(F.kthvalue)
le: Final = lift(F.le)
lerp: Final = lift(F.lerp)
less: Final = lift(F.lt)
less_equal: Final = lift(F.le)
lgamma: Final = lift(F.lgamma)
log: Final = lift(F.log)
log10: Final = lift(F.log10)
log1p: Final = lift(F.log1p)
log2: Final = lift(F.log2)
log_softmax: Final = lift(F.log_softmax)
logaddexp: Final = lift(F.logaddexp)
logcumsumexp: Final = lift(F.logcumsumexp)
logical_and: Final = lift(F.logical_and)
logical_not: Final = lift(F.logical_not)
logical_or: Final = lift(F.logical_or)
logical_xor: Final = lift(F.logical_xor)
logit: Final = lift(F.logit)
logsumexp: Final = lift(F.logsumexp)
lt: Final = lift(F.lt)
masked_fill: Final = lift(F.masked_fill)
masked_scatter: Final = lift(F.masked_scatter)
masked_select: Final = lift(F.masked_select)
matmul: Final = lift(F.matmul)
maximum: Final = lift(F.maximum)
mean: Final = lift(F.mean)
minimum: Final = lift(F.minimum)
mm: Final = lift(F.mm)
mode: Final = lift_pair(F.mode)
mul: Final = lift(F.mul)
multiply: Final = lift(F.mul)
nan_to_num: Final = lift(F.nan_to_num)
nanmean: Final = lift(F.nanmean)
nanquantile: Final = lift(F.nanquantile)
nansum: Final = lift(F.nansum)
ne: Final = lift(F.ne)
neg: Final = lift(F.neg)
negative: Final = lift(F.neg)
norm: Final = lift(F.norm)
not_equal: Final = lift(F.ne)
pow: Final = lift(F.pow)
prod: Final = lift(F.prod)
quantile: Final = lift(F.quantile)
rad2deg: Final = lift(F.rad2deg)
reciprocal: Final = lift(F.reciprocal)
relu: Final = lift(F.relu)
remainder: Final = lift(F.remainder)
round: Final = lift(F.round)
rsqrt: Final = lift(F.rsqrt)
scatter: Final = lift(F.scatter)
scatter_add: Final = lift(F.scatter_add)
scatter_reduce: Final = lift(F.scatter_reduce)
searchsorted: Final = lift(F.searchsorted)
sigmoid: Final = lift(F.sigmoid)
sign: Final = lift(F.sign)
sin: Final = lift(F.sin)
sinh: Final = lift(F.sinh)
softmax: Final = lift(F.softmax)
sort: Final = lift_pair(F.sort)
sqrt: Final = lift(F.sqrt)
square: Final = lift(F.square)
std: Final = lift(F.std)
std_mean: Final = lift_tuple(F.std_mean)
sub: Final = lift(F.sub)
subtract: Final = lift(F.sub)
sum: Final = lift(F.sum)
take: Final = lift(F.take)
take_along_dim: Final = lift(F.take_along_dim)
tan: Final = lift(F.tan)
tanh: Final = lift(F.tanh)
topk: Final = lift_pair(F.topk)
trace: Final = lift(F.trace)
true_divide: Final = lift(F.div)
trunc: Final = lift(F.trunc)
var: Final = lift(F.var)
var_mean: Final = lift_tuple(F.var_mean)
xlogy: Final = lift(F.xlogy)

addbmm: Final = lift(F.addbmm)
addmm: Final = lift(F.addmm)
addmv: Final = lift(F.addmv)
addr: Final = lift(F.addr)
baddbmm: Final = lift(F.baddbmm)
bmm: Final = lift(F.bmm)
cdist: Final = lift(F.cdist)
cross: Final = lift(F.cross)
dot: Final = lift(F.dot)
ger: Final = lift(F.outer)
inner: Final = lift(F.inner)
mv: Final = lift(F.mv)
outer: Final = lift(F.outer)
tensordot: Final = lift(F.tensordot)
vdot: Final = lift(F.vdot)

diag: Final = lift(F.diag)
diag_embed: Final = lift(F.diag_embed)
diagflat: Final = lift(F.diagflat)
flip: Final = lift(F.flip)
fliplr: Final = lift(F.fliplr)
flipud: Final = lift(F.flipud)
kron: Final = lift(F.kron)
repeat_interleave: Final = lift(F.repeat_interleave)
roll: Final = lift(F.roll)
rot90: Final = lift(F.rot90)
tile: Final = lift(F.tile)
tril: Final = lift(F.tril)
triu: Final = lift(F.triu)

broadcast_to: Final = lift_view(F.broadcast_to)
diagonal: Final = lift_view(F.diagonal)
flatten: Final = lift_view(F.flatten)
moveaxis: Final = lift_view(F.moveaxis)
movedim: Final = lift_view(F.movedim)
permute: Final = lift_view(F.permute)
ravel: Final = lift_view(F.ravel)
reshape: Final = lift_view(F.reshape)
squeeze: Final = lift_view(F.squeeze)
swapaxes: Final = lift_view(F.swapaxes)
swapdims: Final = lift_view(F.swapdims)
t: Final = lift_view(F.t)
transpose: Final = lift_view(F.transpose)
unflatten: Final = lift_view(F.unflatten)
unsqueeze: Final = lift_view(F.unsqueeze)

narrow: Final = lift_part(F.narrow)
select: Final = lift_part(F.select)
chunk: Final = lift_parts(F.chunk)
dsplit: Final = lift_parts(F.dsplit)
hsplit: Final = lift_parts(F.hsplit)
split: Final = lift_parts(F.split)
split_with_sizes: Final = lift_parts(F.split_with_sizes)
tensor_split: Final = lift_parts(F.tensor_split)
unbind: Final = lift_parts(F.unbind)
vsplit: Final = lift_parts(F.vsplit)


def cat(
    tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None, out: Tensor | None = None
) -> Tensor:
    """Inputs one after the other along a dimension; see `nngrad.functional.concat`."""
    if out is not None:
        joined: Tensor = into({"out": out, "axis": axis}, cat, tensors, dim)
        return joined
    return wrap(F.concat(tensors, dim, axis=axis))


concat: Final = cat
concatenate: Final = cat


def stack(
    tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None, out: Tensor | None = None
) -> Tensor:
    """Inputs of one shape along a new dimension; see `nngrad.functional.stack`."""
    if out is not None:
        joined: Tensor = into({"out": out, "axis": axis}, stack, tensors, dim)
        return joined
    return wrap(F.stack(tensors, dim, axis=axis))


column_stack: Final = lift_joining(F.column_stack)
dstack: Final = lift_joining(F.dstack)
hstack: Final = lift_joining(F.hstack)
vstack: Final = lift_joining(F.vstack)


atleast_1d: Final = lift_each(F.atleast_1d)
atleast_2d: Final = lift_each(F.atleast_2d)
atleast_3d: Final = lift_each(F.atleast_3d)


def einsum(
    equation: str | TensorLike,
    *operands: TensorLike | Sequence[TensorLike] | Sequence[int | EllipsisType],
) -> Tensor:
    """Sums of products told by letters for the dimensions; see `nngrad.functional.einsum`."""
    return wrap(F.einsum(equation, *operands))


def block_diag(*tensors: TensorLike) -> Tensor:
    """Matrices along the diagonal of a matrix; see `nngrad.functional.block_diag`."""
    return wrap(F.block_diag(*tensors))


def cartesian_prod(*tensors: TensorLike) -> Tensor:
    """Every combination of elements of vectors; see `nngrad.functional.cartesian_prod`."""
    return wrap(F.cartesian_prod(*tensors))


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: Literal["ij", "xy"] = "ij") -> tuple[Tensor, ...]:
    """Vectors as the coordinates of a grid; see `nngrad.functional.meshgrid`.

    The vectors may be given as one sequence. The results do not share memory with them.
    """
    given: Any = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], Sequence) else tensors
    return tuple([wrap(x) for x in F.meshgrid(*given, indexing=indexing)])


def broadcast_shapes(*shapes: SupportsIndex | Sequence[SupportsIndex]) -> Size:
    """The shape that the shapes broadcast to. Raises RuntimeError if they do not fit together.

    >>> broadcast_shapes((2, 1), (3,))
    nngrad.Size([2, 3])
    """
    return Size(F.broadcast_shapes(*shapes))


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors as views of their common shape. Raises RuntimeError if the shapes do not fit."""
    shape = broadcast_shapes(*[t.shape for t in tensors])
    return tuple([broadcast_to(t, shape) for t in tensors])


@overload
def max(input: TensorLike) -> Tensor: ...
@overload
def max(input: TensorLike, dim: int, keepdim: bool = False) -> ValuesIndices[Tensor]: ...
@overload
def max(
    input: TensorLike, *, axis: int, keepdim: bool = False, keepdims: bool = False
) -> ValuesIndices[Tensor]: ...
@overload
def max(input: TensorLike, dim: Tensor) -> Tensor: ...
@overload
def max(input: TensorLike, *, other: Tensor) -> Tensor: ...
def max(
    input: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
    other: Any = None,
) -> Tensor | ValuesIndices[Tensor]:
    """The maximum of all elements; with `dim`, the maxima along it and their indices; with another
    tensor, the larger of each pair. See `nngrad.functional.max`."""
    dim = dim if dim is not None else axis if axis is not None else other
    return _wrap_search("max", F.max(input, dim, keepdim or keepdims))


@overload
def min(input: TensorLike) -> Tensor: ...
@overload
def min(input: TensorLike, dim: int, keepdim: bool = False) -> ValuesIndices[Tensor]: ...
@overload
def min(
    input: TensorLike, *, axis: int, keepdim: bool = False, keepdims: bool = False
) -> ValuesIndices[Tensor]: ...
@overload
def min(input: TensorLike, dim: Tensor) -> Tensor: ...
@overload
def min(input: TensorLike, *, other: Tensor) -> Tensor: ...
def min(
    input: TensorLike,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
    other: Any = None,
) -> Tensor | ValuesIndices[Tensor]:
    """The minimum of all elements; with `dim`, the minima along it and their indices; with another
    tensor, the smaller of each pair. See `nngrad.functional.min`."""
    dim = dim if dim is not None else axis if axis is not None else other
    return _wrap_search("min", F.min(input, dim, keepdim or keepdims))


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Tensor, input: TensorLike, other: TensorLike) -> Tensor: ...
def where(
    condition: Tensor, input: TensorLike | None = None, other: TensorLike | None = None
) -> Tensor | tuple[Tensor, ...]:
    """`input` where the condition holds, `other` elsewhere; given the condition alone, the indices of
    the elements where it holds. See `nngrad.functional.where`."""
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where: expected both input and other, or neither")
    return wrap(F.where(condition, input, other))


def _wrap_search(name: str, found: Node | ValuesIndices[Node]) -> Tensor | ValuesIndices[Tensor]:
    if isinstance(found, Node):
        return wrap(found)
    return given_by(name, ValuesIndices(wrap(found.values), wrap(found.indices)))


def aminmax(input: TensorLike, *, dim: int | None = None, keepdim: bool = False) -> MinMax[Tensor]:
    """The minimum and the maximum along a dimension, or of all elements; see
    `nngrad.functional.aminmax`."""
    found = F.aminmax(input, dim=dim, keepdim=keepdim)
    return given_by("aminmax", MinMax(wrap(found.min), wrap(found.max)))


@overload
def median(input: TensorLike) -> Tensor: ...
@overload
def median(input: TensorLike, dim: int, keepdim: bool = False) -> ValuesIndices[Tensor]: ...
@overload
def median(
    input: TensorLike, *, axis: int, keepdim: bool = False, keepdims: bool = False
) -> ValuesIndices[Tensor]: ...
def median(
    input: TensorLike,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor | ValuesIndices[Tensor]:
    """The median of all elements, the lower of two; with `dim`, the medians along it and their
    indices. See `nngrad.functional.median`."""
    dim = axis if dim is None else dim
    return _wrap_search(
        "median", F.median(input) if dim is None else F.median(input, dim, keepdim or keepdims)
    )


@overload
def unique(
    input: TensorLike,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> Tensor: ...
@overload
def unique(
    input: TensorLike,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]: ...
def unique(
    input: TensorLike,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The elements that differ, each once and in order, and on request where each element of the input
    is among them and how often each occurs. See `nngrad.functional.unique`."""
    return _wrap_unique(F.unique(input, sorted, return_inverse, return_counts, dim))


@overload
def unique_consecutive(
    input: TensorLike,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> Tensor: ...
@overload
def unique_consecutive(
    input: TensorLike, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Tensor | tuple[Tensor, ...]: ...
def unique_consecutive(
    input: TensorLike, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Tensor | tuple[Tensor, ...]:
    """The elements without repeats of the one before; see `nngrad.functional.unique_consecutive`."""
    return _wrap_unique(F.unique_consecutive(input, return_inverse, return_counts, dim))


def _wrap_unique(found: Node | tuple[Node, ...]) -> Tensor | tuple[Tensor, ...]:
    return wrap(found) if isinstance(found, Node) else tuple([wrap(x) for x in found])


@overload
def nonzero(input: TensorLike, *, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: TensorLike, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
def nonzero(input: TensorLike, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """Where the input is not zero: a row of indices for each such element; as a tuple, a vector of
    them for each dimension. See `nngrad.functional.nonzero`."""
    found = F.nonzero(input, as_tuple=as_tuple)
    return tuple([wrap(at) for at in found]) if isinstance(found, tuple) else wrap(found)


# ---------------------------------------------------------------- questions


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def is_tensor(obj: object) -> TypeGuard[Tensor]:
    """Whether an object is a tensor."""
    return isinstance(obj, lifting.Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers."""
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers."""
    return input.dtype.is_complex

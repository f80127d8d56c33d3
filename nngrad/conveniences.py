"""More names that PyTorch has at the top level: in-place functions, questions, windows of signals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import dtypes
from .creation import Device as Device, Real, arange, as_tensor, made, tensor
from .devices import check_place
from .dtypes import DTypeLike, dtype
from .functional.dtypes import category, get_default_dtype, result_type as common_type
from .functional.node import Node
from .functional.op import is_number
from .lifting import TensorLike
from .operations import vstack
from .tensor import Tensor, TensorData

if TYPE_CHECKING:
    from typing import Unpack

    from .devices import Place

__all__ = [
    "abs_",
    "acos_",
    "acosh_",
    "arccos_",
    "arccosh_",
    "arcsin_",
    "arcsinh_",
    "arctan_",
    "arctanh_",
    "as_strided",
    "asarray",
    "asin_",
    "asinh_",
    "atan_",
    "atanh_",
    "bartlett_window",
    "blackman_window",
    "can_cast",
    "ceil_",
    "clamp_",
    "clamp_max_",
    "clamp_min_",
    "clip_",
    "cos_",
    "cosh_",
    "deg2rad_",
    "detach",
    "detach_",
    "erf_",
    "erfc_",
    "exp2_",
    "exp_",
    "expm1_",
    "fill_",
    "fix_",
    "floor_",
    "frac_",
    "gcd_",
    "get_device",
    "hamming_window",
    "hann_window",
    "index_put_",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "kaiser_window",
    "lcm_",
    "ldexp_",
    "log1p_",
    "log2_",
    "log10_",
    "log_",
    "logit_",
    "nan_to_num_",
    "neg_",
    "negative_",
    "rad2deg_",
    "range",
    "reciprocal_",
    "result_type",
    "round_",
    "row_stack",
    "rsqrt_",
    "scalar_tensor",
    "sigmoid_",
    "sin_",
    "sinc_",
    "sinh_",
    "sqrt_",
    "square_",
    "tan_",
    "tanh_",
    "trunc_",
    "xlogy_",
    "zero_",
]

# ---------------------------------------------------------------- tensors from data


def asarray(
    obj: TensorData,
    *,
    dtype: DTypeLike | None = None,
    device: Device = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of `obj`: itself if it is one of that dtype, and no copy is asked for.

    copy: True for one of its own, False to raise ValueError where one would be needed.

    >>> asarray([1, 2])
    tensor([1, 2])
    """
    found = as_tensor(obj, dtype, device)
    if copy is False and not (found is obj or isinstance(obj, np.ndarray)):
        raise ValueError("asarray: can't alias a tensor with different dtype, or what is no tensor or array")
    if copy and isinstance(obj, Tensor):
        found = found.clone()
    return found.detach().requires_grad_() if requires_grad and not found.requires_grad else found


def scalar_tensor(s: Real, *, dtype: DTypeLike | None = None, **place: Unpack[Place]) -> Tensor:
    """A number as a tensor of the default dtype, or of another.

    >>> scalar_tensor(2)
    tensor(2.)
    """
    return tensor(s, dtype=get_default_dtype() if dtype is None else dtype, **place)


def range(
    start: float = 0,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from `start` to `end`, which is among them; `arange` is what PyTorch recommends.

    >>> range(1, 3)
    tensor([1., 2., 3.])
    """
    first, last = (0, start) if end is None else (start, end)
    if not step or (last - first) / step < 0:
        raise RuntimeError(f"range: upper bound {last} and step {step} do not fit the lower bound {first}")
    count = math.floor((last - first) / step) + 1
    numbers = first + arange(count, dtype=dtypes.float64) * step
    found = numbers.to(get_default_dtype() if dtype is None else dtype)
    return found.requires_grad_(requires_grad)


row_stack: Final = vstack


# ---------------------------------------------------------------- questions


def result_type(tensor1: TensorLike, tensor2: TensorLike) -> dtype:
    """The dtype of an operation on the two.

    >>> import nngrad
    >>> result_type(nngrad.ones(2), nngrad.tensor([1]))
    nngrad.float32
    """
    known = [x if is_number(x) else as_tensor(x).node for x in (tensor1, tensor2)]
    operands: Any = [(x.dtype, x.ndim) if isinstance(x, Node) else x for x in known]
    return dtypes.of(common_type("result_type", operands))


def can_cast(from_: DTypeLike, to: DTypeLike) -> bool:
    """Whether values of one dtype may become the other by PyTorch's rules: not to a lower category.

    >>> import nngrad
    >>> can_cast(nngrad.float64, nngrad.int32)
    False
    """
    return category(dtypes.to_numpy(from_), "can_cast") <= category(dtypes.to_numpy(to), "can_cast")


def as_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """The elements at steps of one's own through the memory, as a copy; see `Tensor.as_strided`."""
    return input.as_strided(size, stride, storage_offset)


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor is not zero. Raises RuntimeError for another number of them."""
    return input.is_nonzero()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return input.shape == other.shape


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return input.is_signed()


def get_device(input: Tensor) -> int:
    """-1, as a tensor is never on a GPU."""
    return input.get_device()


# ---------------------------------------------------------------- windows


def _window(
    op: str,
    size: int,
    periodic: bool,
    formula: Any,
    dtype: DTypeLike | None,
    requires_grad: bool,
    place: Any,
) -> Tensor:
    check_place(op, place)
    kind = get_default_dtype() if dtype is None else dtypes.to_numpy(dtype)
    if kind.kind != "f":
        raise RuntimeError(f"{op}: expected a floating-point dtype, got {kind}")
    if size < 0:
        raise RuntimeError(f"{op}: requires non-negative window_length, got window_length={size}")
    if size < 2:
        return made(np.ones(size, kind), requires_grad)
    steps = np.arange(size) / (size if periodic else size - 1)
    return made(formula(steps).astype(kind), requires_grad)


def _cosines(*factors: float) -> Any:
    return lambda at: sum([f * np.cos(2 * math.pi * k * at) for k, f in enumerate(factors)])


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Hann's window: a raised cosine, 0 at its ends.

    periodic: one sample is left out at the end, so that copies in a row make a periodic function.
    Raises RuntimeError for a negative length or a dtype that is not floating-point.

    >>> hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    formula = _cosines(0.5, -0.5)
    return _window("hann_window", window_length, periodic, formula, dtype, requires_grad, place)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Hamming's window, `alpha - beta * cos(2 pi t)`; arguments and errors as of `hann_window`.

    >>> hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    formula = _cosines(alpha, -beta)
    return _window("hamming_window", window_length, periodic, formula, dtype, requires_grad, place)


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Blackman's window; arguments and errors as of `hann_window`.

    >>> blackman_window(5, False).round(decimals=2)
    tensor([-0.0000, 0.3400, 1.0000, 0.3400, -0.0000])
    """
    formula = _cosines(0.42, -0.5, 0.08)
    return _window("blackman_window", window_length, periodic, formula, dtype, requires_grad, place)


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Bartlett's window, a triangle; arguments and errors as of `hann_window`.

    >>> bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window(
        "bartlett_window",
        window_length,
        periodic,
        lambda at: 1 - np.abs(2 * at - 1),
        dtype,
        requires_grad,
        place,
    )


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    **place: Unpack[Place],
) -> Tensor:
    """Kaiser's window of the shape `beta`; other arguments and errors as of `hann_window`.

    >>> kaiser_window(3, False, 0.0)
    tensor([1., 1., 1.])
    """
    return _window(
        "kaiser_window",
        window_length,
        periodic,
        lambda at: np.i0(beta * np.sqrt(1 - (2 * at - 1) ** 2)) / np.i0(beta),
        dtype,
        requires_grad,
        place,
    )


# ---------------------------------------------------------------- methods as functions

abs_: Final = Tensor.abs_
acos_: Final = Tensor.acos_
acosh_: Final = Tensor.acosh_
arccos_: Final = Tensor.arccos_
arccosh_: Final = Tensor.arccosh_
arcsin_: Final = Tensor.arcsin_
arcsinh_: Final = Tensor.arcsinh_
arctan_: Final = Tensor.arctan_
arctanh_: Final = Tensor.arctanh_
asin_: Final = Tensor.asin_
asinh_: Final = Tensor.asinh_
atan_: Final = Tensor.atan_
atanh_: Final = Tensor.atanh_
ceil_: Final = Tensor.ceil_
clamp_: Final = Tensor.clamp_
clamp_max_: Final = Tensor.clamp_max_
clamp_min_: Final = Tensor.clamp_min_
clip_: Final = Tensor.clip_
cos_: Final = Tensor.cos_
cosh_: Final = Tensor.cosh_
deg2rad_: Final = Tensor.deg2rad_
detach: Final = Tensor.detach
detach_: Final = Tensor.detach_
erf_: Final = Tensor.erf_
erfc_: Final = Tensor.erfc_
exp2_: Final = Tensor.exp2_
exp_: Final = Tensor.exp_
expm1_: Final = Tensor.expm1_
fill_: Final = Tensor.fill_
fix_: Final = Tensor.fix_
floor_: Final = Tensor.floor_
frac_: Final = Tensor.frac_
gcd_: Final = Tensor.gcd_
index_put_: Final = Tensor.index_put_
lcm_: Final = Tensor.lcm_
ldexp_: Final = Tensor.ldexp_
log10_: Final = Tensor.log10_
log1p_: Final = Tensor.log1p_
log2_: Final = Tensor.log2_
log_: Final = Tensor.log_
logit_: Final = Tensor.logit_
nan_to_num_: Final = Tensor.nan_to_num_
neg_: Final = Tensor.neg_
negative_: Final = Tensor.negative_
rad2deg_: Final = Tensor.rad2deg_
reciprocal_: Final = Tensor.reciprocal_
round_: Final = Tensor.round_
rsqrt_: Final = Tensor.rsqrt_
sigmoid_: Final = Tensor.sigmoid_
sin_: Final = Tensor.sin_
sinc_: Final = Tensor.sinc_
sinh_: Final = Tensor.sinh_
sqrt_: Final = Tensor.sqrt_
square_: Final = Tensor.square_
tan_: Final = Tensor.tan_
tanh_: Final = Tensor.tanh_
trunc_: Final = Tensor.trunc_
xlogy_: Final = Tensor.xlogy_
zero_: Final = Tensor.zero_

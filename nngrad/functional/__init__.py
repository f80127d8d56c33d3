"""The pure core: functions from nodes to nodes, and transforms of functions. Nothing is mutated."""

from typing import TYPE_CHECKING

from .aggregation import (
    all as all,
    aminmax as aminmax,
    any as any,
    count_nonzero as count_nonzero,
    logsumexp as logsumexp,
    nanmean as nanmean,
    nansum as nansum,
    prod as prod,
    trace as trace,
)
from .arithmetic import (
    add as add,
    div as div,
    floor_divide as floor_divide,
    mul as mul,
    neg as neg,
    pow as pow,
    remainder as remainder,
    sub as sub,
)
from .blending import (
    addcdiv as addcdiv,
    addcmul as addcmul,
    clamp_max as clamp_max,
    clamp_min as clamp_min,
    copysign as copysign,
    fmax as fmax,
    fmin as fmin,
    lerp as lerp,
    nan_to_num as nan_to_num,
)
from .choice import (
    clip as clip,
    masked_fill as masked_fill,
    maximum as maximum,
    minimum as minimum,
    where as where,
)
from .comparison import (
    bitwise_and as bitwise_and,
    bitwise_left_shift as bitwise_left_shift,
    bitwise_not as bitwise_not,
    bitwise_or as bitwise_or,
    bitwise_right_shift as bitwise_right_shift,
    bitwise_xor as bitwise_xor,
    eq as eq,
    ge as ge,
    gt as gt,
    isnan as isnan,
    le as le,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    logical_xor as logical_xor,
    lt as lt,
    ne as ne,
)
from .diagonal import (
    diag as diag,
    diag_embed as diag_embed,
    diagflat as diagflat,
    diagonal as diagonal,
    tril as tril,
    triu as triu,
)
from .dtypes import Array as Array
from .einsum import einsum as einsum, tensordot as tensordot
from .elementary import (
    abs as abs,
    exp as exp,
    log as log,
    relu as relu,
    sigmoid as sigmoid,
    sqrt as sqrt,
    tanh as tanh,
)
from .exponential import (
    exp2 as exp2,
    expm1 as expm1,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    logaddexp as logaddexp,
    logit as logit,
    reciprocal as reciprocal,
    rsqrt as rsqrt,
    square as square,
    xlogy as xlogy,
)
from .gathering import (
    argwhere as argwhere,
    bucketize as bucketize,
    gather as gather,
    index_select as index_select,
    masked_select as masked_select,
    nonzero as nonzero,
    searchsorted as searchsorted,
    take as take,
    take_along_dim as take_along_dim,
)
from .indexing import getitem as getitem, index_put as index_put
from .joining import (
    block_diag as block_diag,
    cartesian_prod as cartesian_prod,
    cat as cat,
    column_stack as column_stack,
    concat as concat,
    dstack as dstack,
    hstack as hstack,
    kron as kron,
    meshgrid as meshgrid,
    stack as stack,
    vstack as vstack,
)
from .matrix import linear as linear, matmul as matmul
from .node import Node as Node, Operand as Operand, constant as constant, variable as variable
from .norms import norm as norm
from .order import (
    T as T,
    flip as flip,
    fliplr as fliplr,
    flipud as flipud,
    moveaxis as moveaxis,
    movedim as movedim,
    mT as mT,
    permute as permute,
    roll as roll,
    rot90 as rot90,
    swapaxes as swapaxes,
    swapdims as swapdims,
    t as t,
    transpose as transpose,
)
from .placing import (
    index_add as index_add,
    index_copy as index_copy,
    index_fill as index_fill,
    masked_scatter as masked_scatter,
    scatter as scatter,
    scatter_add as scatter_add,
    scatter_reduce as scatter_reduce,
)
from .predicates import (
    allclose as allclose,
    equal as equal,
    isclose as isclose,
    isfinite as isfinite,
    isin as isin,
    isinf as isinf,
)
from .products import (
    addbmm as addbmm,
    addmm as addmm,
    addmv as addmv,
    addr as addr,
    baddbmm as baddbmm,
    bmm as bmm,
    cdist as cdist,
    cross as cross,
    dot as dot,
    inner as inner,
    mm as mm,
    mv as mv,
    outer as outer,
    vdot as vdot,
)
from .reduction import (
    amax as amax,
    amin as amin,
    argmax as argmax,
    argmin as argmin,
    max as max,
    mean as mean,
    min as min,
    sum as sum,
)
from .repeating import (
    broadcast as broadcast,
    broadcast_shapes as broadcast_shapes,
    broadcast_tensors as broadcast_tensors,
    broadcast_to as broadcast_to,
    copy as copy,
    expand as expand,
    expand_as as expand_as,
    fill as fill,
    repeat as repeat,
    repeat_interleave as repeat_interleave,
    tile as tile,
)
from .rounding import (
    ceil as ceil,
    floor as floor,
    fmod as fmod,
    frac as frac,
    round as round,
    sign as sign,
    trunc as trunc,
)
from .scanning import (
    cummax as cummax,
    cummin as cummin,
    cumprod as cumprod,
    cumsum as cumsum,
    diff as diff,
    logcumsumexp as logcumsumexp,
)
from .shape import (
    atleast_1d as atleast_1d,
    atleast_2d as atleast_2d,
    atleast_3d as atleast_3d,
    clone as clone,
    flatten as flatten,
    ones_like as ones_like,
    ravel as ravel,
    reshape as reshape,
    reshape_as as reshape_as,
    squeeze as squeeze,
    unflatten as unflatten,
    unsqueeze as unsqueeze,
    zeros_like as zeros_like,
)
from .softmax import log_softmax as log_softmax, softmax as softmax
from .sorting import (
    argsort as argsort,
    kthvalue as kthvalue,
    median as median,
    mode as mode,
    sort as sort,
    topk as topk,
    unique as unique,
    unique_consecutive as unique_consecutive,
)
from .special import (
    digamma as digamma,
    erf as erf,
    erfc as erfc,
    erfinv as erfinv,
    lgamma as lgamma,
)
from .splitting import (
    chunk as chunk,
    dsplit as dsplit,
    hsplit as hsplit,
    narrow as narrow,
    select as select,
    split as split,
    split_with_sizes as split_with_sizes,
    tensor_split as tensor_split,
    unbind as unbind,
    vsplit as vsplit,
    windows as windows,
)
from .statistics import (
    bincount as bincount,
    histc as histc,
    nanquantile as nanquantile,
    quantile as quantile,
    std as std,
    std_mean as std_mean,
    var as var,
    var_mean as var_mean,
)
from .trigonometry import (
    acos as acos,
    acosh as acosh,
    asin as asin,
    asinh as asinh,
    atan as atan,
    atan2 as atan2,
    atanh as atanh,
    cos as cos,
    cosh as cosh,
    deg2rad as deg2rad,
    hypot as hypot,
    rad2deg as rad2deg,
    sin as sin,
    sinh as sinh,
    tan as tan,
)

if TYPE_CHECKING:
    from . import (
        further as further,
        linalg as linalg,
        networks as networks,
        optim as optim,
        transforms as transforms,
    )
    from .further import *  # noqa: F403  # typed there, one by one
    from .networks import *  # noqa: F403
    from .transforms import *  # noqa: F403
else:

    def __getattr__(name):
        """What is loaded when a program first names it, so that importing NNGrad stays quick."""
        from importlib import import_module

        if name in ("further", "linalg", "networks", "optim", "transforms"):
            return import_module(f".{name}", __name__)
        later_ones = () if name.startswith("_") else ("transforms", "further", "networks")
        for later in sorted(later_ones, key=lambda later: later not in globals()):  # what is there first
            found = vars(import_module(f".{later}", __name__)).get(name)
            if found is not None:
                globals()[name] = found
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

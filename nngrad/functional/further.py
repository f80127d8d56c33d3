"""The functions that programs use less often; loaded when one of them is first named.

They are public in `nngrad.functional`. Importing NNGrad stays quick without them.
"""

from .complex_numbers import (
    angle as angle,
    complex as complex,
    conj as conj,
    conj_physical as conj_physical,
    imag as imag,
    polar as polar,
    real as real,
    resolve_conj as resolve_conj,
    resolve_neg as resolve_neg,
    view_as_complex as view_as_complex,
    view_as_real as view_as_real,
)
from .numbers import (
    float_power as float_power,
    gcd as gcd,
    heaviside as heaviside,
    isneginf as isneginf,
    isposinf as isposinf,
    isreal as isreal,
    lcm as lcm,
    ldexp as ldexp,
    logaddexp2 as logaddexp2,
    mvlgamma as mvlgamma,
    nextafter as nextafter,
    polygamma as polygamma,
    positive as positive,
    sgn as sgn,
    signbit as signbit,
    sinc as sinc,
)
from .pieces import (
    diagonal_scatter as diagonal_scatter,
    fill_diagonal as fill_diagonal,
    index_reduce as index_reduce,
    put as put,
    select_scatter as select_scatter,
    slice_scatter as slice_scatter,
    sum_to_size as sum_to_size,
)
from .samples import (
    combinations as combinations,
    corrcoef as corrcoef,
    cov as cov,
    cumulative_trapezoid as cumulative_trapezoid,
    dist as dist,
    msort as msort,
    nanmedian as nanmedian,
    renorm as renorm,
    trapezoid as trapezoid,
    unravel_index as unravel_index,
    vander as vander,
)

"""Products and extremes at an index that may name a cell several times.

The ops behind scatter_reduce. Each takes an input, what is combined with it, and an array of indices
for each dimension of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from .dtypes import DType
from .elementary import select
from .indexing import PLACE, add_at_op, getitem_op, put_op
from .node import Node
from .op import astype, general
from .scanning import shifted
from .scattering import combine_at


def _combined(ufunc: np.ufunc) -> Callable[..., Any]:
    """What writes by `ufunc` at an array of indices per dimension."""

    def forward(x: Any, src: Any, *index: Any) -> Any:
        result = np.array(x, order="C")
        combine_at(ufunc, result, index, src)
        return result

    return forward


def _equal(a: Any, b: Any, dtype: DType) -> Any:
    return astype(np.equal(a, b), dtype)


def _extreme_vjp(
    g: Any, out: Any, inputs: Sequence[Any], params: Any, saved: Any, needs: Sequence[bool]
) -> list[Any]:
    """Those that equal the extreme share its gradient."""
    x, src, *index = inputs
    where = (*index, (PLACE,) * len(index))
    chosen = _equal(src, getitem_op(out, *where), g.dtype)
    kept = _equal(x, out, g.dtype)
    share = np.divide(g, add_at_op(kept, chosen, *where))
    none = [None] * len(index)
    return [
        select(share, astype(kept, np.dtype(bool))),
        select(getitem_op(share, *where), astype(chosen, np.dtype(bool))),
        *none,
    ]


def _prod_vjp(
    g: Any, out: Any, inputs: Sequence[Any], params: Any, saved: Any, needs: Sequence[bool]
) -> list[Any]:
    """Each factor receives the product of the others, which zeros among them make zero."""
    x, src, *index = inputs
    if type(g) is Node and _has_zeros(x, src, *index):
        return [*_products_of_others(g, x, src, index), *[None] * len(index)]
    where = (*index, (PLACE,) * len(index))
    one = np.ones((), g.dtype)
    no_x, no_src = np.equal(x, 0), np.equal(src, 0)
    safe_x, safe_src = np.where(no_x, one, x), np.where(no_src, one, src)
    product = np.multiply(g, prod_at(safe_x, safe_src, *index))
    zeros = add_at_op(astype(no_x, g.dtype), astype(no_src, g.dtype), *where)
    return [
        select(np.divide(product, safe_x), np.equal(zeros, astype(no_x, g.dtype))),
        select(
            np.divide(getitem_op(product, *where), safe_src),
            np.equal(getitem_op(zeros, *where), astype(no_src, g.dtype)),
        ),
        *[None] * len(index),
    ]


def _has_zeros(*values: Any) -> bool:
    """Whether there are zeros among the first two values, none of which is a batch's."""
    arrays = [v._value if type(v) is Node else v for v in values]
    return all(type(a) is np.ndarray for a in arrays) and not (arrays[0].all() and arrays[1].all())


def _products_of_others(g: Any, x: Any, src: Any, index: Sequence[Any]) -> list[Any]:
    """The same where it is differentiated again, beside zeros: what is divided by or chosen there depends
    on nothing. A row of a table for each place, its factor and those that join it: 1s fill it up."""
    at = np.ravel_multi_index([i._value if type(i) is Node else i for i in index], x.shape).reshape(-1)
    order = np.argsort(at, kind="stable")
    first = np.searchsorted(at, at[order], sorter=order)
    column = np.empty(at.size, np.intp)
    column[order] = np.arange(at.size) - first
    shape = (x.size, int(column.max(initial=0)) + 1)
    where = (at, column, (PLACE, PLACE))
    joining = put_op(np.ones(shape, g.dtype), np.reshape(src, (at.size,)), *where)
    table = np.concatenate([np.reshape(x, (x.size, 1)), joining], 1)
    before = shifted(np.cumprod(table, axis=1), 1, False, 1.0)
    after = shifted(np.flip(np.cumprod(np.flip(table, 1), axis=1), 1), 1, True, 1.0)
    sent = np.multiply(np.reshape(g, (x.size, 1)), np.multiply(before, after))
    return [
        np.reshape(sent[:, 0], x.shape),
        np.reshape(getitem_op(sent[:, 1:], *where), src.shape),
    ]


prod_at: Final = general("prod_at", _combined(np.multiply), vjp=_prod_vjp, uses_out=False)
COMBINED: Final = {
    "prod": prod_at,
    "amax": general("amax_at", _combined(np.maximum), vjp=_extreme_vjp),
    "amin": general("amin_at", _combined(np.minimum), vjp=_extreme_vjp),
}


def _extreme(dtype: DType, sign: int) -> Any:
    """The least or the greatest value of a dtype."""
    if dtype.kind == "f":
        return np.array(sign * np.inf, dtype)
    if dtype.kind == "b":
        return np.array(sign > 0)
    bounds = np.iinfo(dtype.str)
    return np.array(bounds.max if sign > 0 else bounds.min, dtype)


#: what a reduction begins with where the input is left out
NEUTRAL: Final[dict[str, Callable[[DType], Any]]] = {
    "sum": lambda dtype: np.zeros((), dtype),
    "mean": lambda dtype: np.zeros((), dtype),
    "prod": lambda dtype: np.ones((), dtype),
    "amax": lambda dtype: _extreme(dtype, -1),
    "amin": lambda dtype: _extreme(dtype, 1),
}

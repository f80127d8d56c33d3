"""What NumPy's functions give on a `Batch`: the same as on each example. Loaded when first asked.

A function that is elementwise, or works along an axis, or on the last two dimensions, is called once
with all examples. What is not listed here, and what writes in place, raises `NeedsBatching`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from inspect import signature
from typing import Any, Final

import numpy as np

from .batch import ANSWERS, Batch, Level, NeedsBatching, answers, check_alive, innermost, replaying
from .node import Node


def _apart(values: Sequence[Any]) -> tuple[list[Any], list[bool], Level]:
    """The arrays of the innermost run of vmap among them, and which have a dimension for its examples."""
    if not replaying.get():
        check_alive("numpy", [v for v in values if type(v) is Batch])
    return innermost(values)


def _made(result: Any, level: Level, same: bool) -> Any:
    """A result, or each of several, as belonging to that run of vmap."""
    if isinstance(result, tuple):
        parts = [_made(r, level, same) for r in result]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    return Batch(np.asarray(result) if isinstance(result, np.generic) else result, level, same)


def _dims(x: Any) -> int:
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def widened(arrays: Sequence[Any], batched: Sequence[bool], cores: Sequence[int]) -> list[Any]:
    """Arrays whose dimensions before the last `cores` meet example by example, batch and all."""
    outer = max([_dims(a) - b - c for a, b, c in zip(arrays, batched, cores)])
    made = []
    for a, b, c in zip(arrays, batched, cores):
        missing = outer + 1 + c - _dims(a)
        made.append(np.reshape(a, (a.shape[0], *[1] * missing, *a.shape[1:])) if b and missing else a)
    return made


@answers
def ufunc_of(ufunc: Any, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A ufunc, or its reduction or accumulation, of values of which at least one is a Batch."""
    if any(type(a) is Node for a in args):
        return NotImplemented
    if kwargs.get("out") is not None:
        raise NeedsBatching(f"numpy.{ufunc.__name__}")
    if method in ("reduce", "accumulate"):
        return _along_axis(getattr(ufunc, method), {"array": args[0], "axis": 0, **_named(args, kwargs)})
    if method != "__call__":
        raise NeedsBatching(f"numpy.{ufunc.__name__}.{method}")
    arrays, batched, level = _apart(args)
    if not any(batched):
        return _made(ufunc(*arrays, **kwargs), level, True)
    if ufunc is np.matmul:
        return _matmul(*args)
    if ufunc.signature is None:
        cores = [0] * len(arrays)
    elif "?" in ufunc.signature or kwargs:
        raise NeedsBatching(f"numpy.{ufunc.__name__}")
    else:
        inputs = ufunc.signature.split("->")[0].split("),(")
        cores = [part.strip("()").count(",") + bool(part.strip("()")) for part in inputs]
    return _made(ufunc(*widened(arrays, batched, cores), **kwargs), level, False)


def _named(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a ufunc's reduction was given beside the array: axis, dtype, out, keepdims."""
    return {
        n: a for n, a in zip(("axis", "dtype", "out", "keepdims"), args[1:]) if a is not None or n == "axis"
    } | dict(kwargs)


def _matmul(a: Any, b: Any) -> Any:
    from .op import OPS

    if len(a.shape) == 2 == len(b.shape):
        return ANSWERS["compute"](OPS["mm"], [a, b], ())
    return ANSWERS["compute"](OPS["matmul"], [a, b], ())


# ---------------------------------------------------------------- functions that are no ufuncs

#: take no axis of None for all dimensions but lay the array out flat
_FLAT: Final = (
    "argmax",
    "argmin",
    "sort",
    "argsort",
    "argpartition",
    "partition",
    "cumsum",
    "cumprod",
    "take",
    "repeat",
)


def _shifted(axis: Any, ndim: int) -> Any:
    """An axis of an example as one of the batch."""
    if isinstance(axis, (tuple, list)):
        return tuple([_shifted(a, ndim) for a in axis])
    at = int(axis)
    if not -max(ndim, 1) <= at < max(ndim, 1):
        raise np.exceptions.AxisError(at, ndim)
    return at % max(ndim, 1) + 1


def _along_axis(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    """A function of the first argument, along `axis`."""
    name, x = next(iter(given.items()))
    if type(x) is not Batch or any(type(v) is Batch for n, v in given.items() if n != name):
        raise NeedsBatching(f"numpy.{function.__name__}")
    (array,), (batched,), level = _apart([x])
    rest = {n: v for n, v in given.items() if n != name}
    if not batched:
        return _made(function(array, **rest), level, True)
    axis, ndim = rest.pop("axis"), len(x.shape)
    if axis is None and function is np.linalg.norm:
        raise NeedsBatching("numpy.linalg.norm")
    if axis is None and function.__name__ in _FLAT:
        flat = function(np.reshape(array, (level.size, -1 if array.size else x.size)), axis=1, **rest)
        return _made(
            np.reshape(flat, (level.size, *[1] * ndim)) if rest.get("keepdims") else flat, level, False
        )
    axes = tuple(range(1, ndim + 1)) if axis is None else () if not ndim else _shifted(axis, ndim)
    return _made(function(array, axis=axes, **rest), level, False)


def _paired(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    """A function of two arrays of as many dimensions, along `axis`."""
    (a, i), axis = list(given.values())[:2], given["axis"]
    (a, i), batched, level = _apart([a, i])
    if not any(batched):
        return _made(function(a, i, axis=axis), level, True)
    ndim = len(a.shape) - batched[0]
    a, i = [x if b else np.broadcast_to(x, (level.size, *x.shape)) for x, b in zip((a, i), batched)]
    if axis is None:
        return _made(
            function(np.reshape(a, (level.size, -1)), np.reshape(i, (level.size, -1)), axis=1), level, False
        )
    return _made(function(a, i, axis=_shifted(axis, ndim)), level, False)


def _elementwise(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A function of elements of the positional arguments."""
    if "shape" in kwargs or any(type(v) is Batch for v in kwargs.values()):
        raise NeedsBatching(f"numpy.{function.__name__}")
    arrays, batched, level = _apart(args)
    if any(batched):
        given = [i for i, a in enumerate(arrays) if a is not None]
        wide = widened([arrays[i] for i in given], [batched[i] for i in given], [0] * len(given))
        for i, array in zip(given, wide):
            arrays[i] = array
    return _made(function(*arrays, **kwargs), level, not any(batched))


def _leading(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A function of the first argument's last dimensions, whatever comes before."""
    (array,), (batched,), level = _apart(args[:1])
    return _made(function(array, *args[1:], **kwargs), level, not batched)


def _shaped(x: Any, change: Callable[[Any, bool], Any]) -> Any:
    """What a function of one array's shape makes of all examples."""
    (array,), (batched,), level = _apart([x])
    return _made(change(array, batched), level, not batched)


def _reshape(a: Any, shape: Any, *args: Any, **kwargs: Any) -> Any:
    if args or kwargs:
        raise NeedsBatching("numpy.reshape")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in sizes:  # as many as one example has, also where there are no examples
        known = -int(np.prod(sizes))
        sizes = tuple([(a.size // known if known else 0) if n == -1 else n for n in sizes])
    return _shaped(a, lambda x, b: np.reshape(x, (x.shape[0], *sizes) if b else sizes))


def _broadcast_to(a: Any, shape: Any) -> Any:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    missing = len(sizes) - len(a.shape)
    return _shaped(
        a,
        lambda x, b: (
            np.broadcast_to(np.reshape(x, (x.shape[0], *[1] * missing, *x.shape[1:])), (x.shape[0], *sizes))
            if b
            else np.broadcast_to(x, sizes)
        ),
    )


def _transpose(a: Any, axes: Any = None) -> Any:
    ndim = len(a.shape)
    order = tuple(reversed(range(ndim))) if axes is None else tuple([d % ndim for d in axes])
    return _shaped(a, lambda x, b: np.transpose(x, (0, *[d + 1 for d in order]) if b else order))


def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    ndim = len(a.shape)
    return _shaped(
        a,
        lambda x, b: (
            np.moveaxis(x, _shifted(source, ndim), _shifted(destination, ndim))
            if b
            else np.moveaxis(x, source, destination)
        ),
    )


def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    ndim = len(a.shape)
    return _shaped(
        a,
        lambda x, b: (
            np.swapaxes(x, _shifted(axis1, ndim), _shifted(axis2, ndim))
            if b
            else np.swapaxes(x, axis1, axis2)
        ),
    )


def _expand_dims(a: Any, axis: Any) -> Any:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    ndim = len(a.shape) + len(axes)
    return _shaped(a, lambda x, b: np.expand_dims(x, _shifted(axes, ndim) if b else axes))


def _squeeze(a: Any, axis: Any = None) -> Any:
    ndim = len(a.shape)
    axes = tuple([i for i, n in enumerate(a.shape) if n == 1]) if axis is None else axis
    return _shaped(a, lambda x, b: np.squeeze(x, _shifted(axes, ndim) if b else axes))


def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    ndim = len(a.shape)
    return _shaped(
        a,
        lambda x, b: (
            np.diagonal(x, offset, _shifted(axis1, ndim), _shifted(axis2, ndim))
            if b
            else np.diagonal(x, offset, axis1, axis2)
        ),
    )


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(arrays: Sequence[Any], axis: int = 0) -> Any:
        parts, batched, level = _apart(list(arrays))
        if not any(batched):
            return _made(function(parts, axis=axis), level, True)
        ndim = len(parts[0].shape) - batched[0] + (function is np.stack)
        whole = [p if b else np.broadcast_to(p, (level.size, *p.shape)) for p, b in zip(parts, batched)]
        return _made(function(whole, axis=_shifted(axis, ndim)), level, False)

    return rule


_SHAPES: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    np.reshape: _reshape,
    np.ravel: lambda a: _reshape(a, -1),
    np.broadcast_to: _broadcast_to,
    np.transpose: _transpose,
    np.moveaxis: _moveaxis,
    np.swapaxes: _swapaxes,
    np.expand_dims: _expand_dims,
    np.squeeze: _squeeze,
    np.diagonal: _diagonal,
    np.concatenate: _joined(np.concatenate),
    np.stack: _joined(np.stack),
}


def _set(*functions: Callable[..., Any]) -> frozenset[Callable[..., Any]]:
    # as one literal they have a type of thousands of overloads, which takes pyright minutes to compare
    return frozenset(functions)


_ALONG: Final = _set(
    np.sum, np.prod, np.mean, np.std, np.var, np.max, np.min, np.amax, np.amin, np.any, np.all, np.argmax,
    np.argmin, np.count_nonzero, np.sort, np.argsort, np.argpartition, np.partition, np.flip, np.roll,
    np.diff, np.cumsum, np.cumprod, np.take, np.repeat, np.linalg.norm,
)  # fmt: skip
_ELEMENTWISE: Final = _set(
    np.where, np.clip, np.nan_to_num, np.isclose, np.round, np.real, np.imag, np.sinc, np.astype,
    np.zeros_like, np.ones_like, np.full_like, np.copy,
)  # fmt: skip
_LEADING: Final = _set(
    np.linalg.inv, np.linalg.pinv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.qr,
    np.linalg.eigh, np.linalg.eigvalsh, np.linalg.eig, np.linalg.eigvals, np.linalg.svd, np.linalg.svdvals,
    np.tril, np.triu,
)  # fmt: skip


@answers
def led_by_examples(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """A function of arrays with common leading dimensions, and other arguments; see `leads`."""
    places = [i for i, a in enumerate(args) if isinstance(a, (np.ndarray, Batch))]
    arrays, batched, level = _apart([args[i] for i in places])
    given = list(args)
    for i, array, b in zip(places, arrays, batched):
        given[i] = array if b or not any(batched) else np.broadcast_to(array, (level.size, *array.shape))
    return _made(function(*given), level, not any(batched))


@cache
def _parameters(function: Callable[..., Any]) -> Any:
    return signature(function)


@answers
def function_of(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A NumPy function that is no ufunc, of values of which at least one is a Batch."""
    if kwargs.get("out") is not None:
        raise NeedsBatching(f"numpy.{function.__name__}")
    rule = _SHAPES.get(function)
    if rule is not None:
        return rule(*args, **kwargs)
    if function in _ELEMENTWISE:
        return _elementwise(function, args, kwargs)
    if function in _LEADING:
        return _leading(function, args, kwargs)
    if function in _ALONG or function is np.take_along_axis:
        bound = _parameters(function).bind(*args, **kwargs)
        given = dict(bound.arguments)
        given.setdefault("axis", _parameters(function).parameters["axis"].default)
        return (_along_axis if function in _ALONG else _paired)(function, given)
    raise NeedsBatching(f"numpy.{function.__name__}")


@answers
def item_of(x: Batch, index: Any) -> Any:
    """`x[index]` of an index of numbers, slices, None and an ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    if not all(
        p is None or p is Ellipsis or (isinstance(p, (int, slice)) and not isinstance(p, bool)) for p in parts
    ):
        raise NeedsBatching("an index")
    return _shaped(x, lambda array, b: array[(slice(None), *parts) if b else parts])

"""vmap: a function of one example made a function of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar

import numpy as np

from . import batching_rules as batching_rules  # registers them
from .batch import Batch, Level, NeedsBatching, all_examples, levels, loops
from .batching import enter_op, leave_op, report_fallback
from .derivatives import fill, given_back, named_like, node_of
from .indexing import getitem
from .joining import concat, stack
from .node import Node
from .order import movedim
from .shape import normal_dim
from .trees import fields_of, leaves

P = ParamSpec("P")
R = TypeVar("R")
Randomness: TypeAlias = Literal["error", "different", "same"]
#: a dimension for every leaf of an argument, None for an argument that is the same for all examples
InDims: TypeAlias = "int | Sequence[InDims] | Mapping[Any, InDims] | None"
#: the same of results
OutDims: TypeAlias = InDims


def vmap(
    function: Callable[P, R],
    in_dims: InDims = 0,
    out_dims: OutDims = 0,
    randomness: Randomness = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[P, R]:
    """A function that runs `function` for every example of a batch at once.

    in_dims: which dimension of the arguments counts the examples: one for all, or a tree like the
    arguments; None for those that all examples share, as they do keyword arguments. out_dims: where
    that dimension goes in the results, one for all or a tree like them; None for a result that does not
    depend on the example, which is given back once. randomness: whether functions that draw random numbers
    raise ("error"), draw for each example ("different") or once for all ("same"). chunk_size: how
    many examples at most to compute at once.

    It nests with itself and with derivatives in any order. What has no rule for batches (control flow
    on values, some rare ops) is run example by example: `vmap_fallbacks` tells.
    Raises ValueError for in_dims and out_dims that do not fit, sizes that differ, and results that
    cannot be stacked, naming the path.

    >>> vmap(lambda x, y: x @ y)(np.ones((3, 2)), np.ones((3, 2))).data
    array([2., 2., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise ValueError(f"vmap: randomness must be 'error', 'different' or 'same', not {randomness!r}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size must be at least 1, not {chunk_size}")

    def mapped(*args: Any, **kwargs: Any) -> Any:
        given: list[Any] = [list(args), kwargs]
        dims = [*_dims_of(in_dims, args), *[None for _ in leaves(kwargs)]]
        found = list(leaves(given))
        nodes = [
            leaf if d is None else node_of("vmap", "argument at ", _told(path), leaf)
            for (path, leaf), d in zip(found, dims)
        ]
        size = _size(nodes, dims, [path for path, _ in found])
        fronts = [n if d is None else movedim(n, d, 0) if d else n for n, d in zip(nodes, dims)]
        step = size if chunk_size is None else chunk_size
        parts = []
        shape: Any = None
        draws: list[Any] = []
        for start in range(0, max(size, 1), max(step, 1)):
            stop = min(start + step, size)
            chunk = [
                n if d is None or stop - start == size else getitem(n, slice(start, stop))
                for n, d in zip(fronts, dims)
            ]
            shape, outs = _run(function, given, chunk, dims, Level(stop - start, randomness, draws))
            parts.append(outs)
        placed = []
        for dim, (path, _), pieces in zip(
            _prefix("out_dims", out_dims, shape, ""), leaves(shape), zip(*parts)
        ):
            whole = pieces[0][0] if len(pieces) == 1 else concat([out for out, _ in pieces])
            if dim is None and any(differs for _, differs in pieces):
                raise ValueError(
                    f"vmap: out_dims is None, but the result{path and ' at ' + path} differs from example to "
                    "example"
                )
            placed.append(_placed(whole, dim))
        return fill(shape, [given_back(out) for out in placed])

    made: Callable[P, R] = named_like(mapped, function)
    return made


def _placed(out: Node, dim: int | None) -> Node:
    if dim is None:
        return getitem(out, 0)
    return movedim(out, 0, normal_dim("vmap: out_dims", dim, out.ndim)) if dim else out


def _run(
    function: Callable[..., Any],
    given: Any,
    nodes: Sequence[Any],
    dims: Sequence[int | None],
    level: Level,
) -> tuple[Any, list[tuple[Node, bool]]]:
    """What the function returns (for its structure), and its leaves for all examples, each with whether
    it differs from example to example."""
    token = levels.set((*levels.get(), level))
    try:
        entered = [n if d is None else enter_op.call(n, level) for n, d in zip(nodes, dims)]
        args, kwargs = fill(given, entered)
        result = function(*args, **kwargs)
        outs = [_output(path, leaf) for path, leaf in _results(result)]
        return result, [(leave_op.call(out, level), _varies(out._value, level)) for out in outs]
    except NeedsBatching:
        if not level.size:
            raise
        report_fallback(getattr(function, "__name__", type(function).__name__))
    finally:
        levels.reset(token)
        level.alive = False
    results = []
    outer = loops.set((*loops.get(), level))
    try:
        for i in range(level.size):
            level.at = 0
            args, kwargs = fill(given, [n if d is None else getitem(n, i) for n, d in zip(nodes, dims)])
            results.append(function(*args, **kwargs))
    finally:
        loops.reset(outer)
    rows = [{path: _output(path, leaf) for path, leaf in _results(r)} for r in results]
    for i, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            raise ValueError(
                f"vmap: the results for example 0 and {i} differ in structure: their leaves are "
                f"{list(rows[0])} and {list(row)}"
            )
    columns = [[row[path] for row in rows] for path in rows[0]]
    return results[0], [(stack(column), _differ(column)) for column in columns]


def _results(tree: Any) -> list[tuple[str, Any]]:
    if tree is None:
        raise ValueError("vmap: the function must return nodes, but it returned None")
    return list(leaves(tree))


def _varies(value: Any, level: Level) -> bool:
    """Whether the value is not the same for all examples of that level."""
    while type(value) is Batch:
        if value.level is level:
            return not value.same
        value = value.array
    return False


def _differ(column: Sequence[Node]) -> bool:
    first, *rest = [np.asarray(all_examples(out._value)) for out in column]
    return not all(np.array_equal(first, other, equal_nan=first.dtype.kind in "fc") for other in rest)


def _output(path: str, leaf: Any) -> Node:
    numeric = isinstance(leaf, (np.ndarray, np.generic, bool, int, float, complex))
    if not numeric and not hasattr(leaf, "node"):
        raise ValueError(
            f"vmap: the function must return nodes, but its result{path and ' at ' + path} is "
            f"{type(leaf).__name__}"
        )
    return node_of("vmap", "result", path and " at " + path, leaf)


def _size(nodes: Sequence[Any], dims: list[int | None], paths: Sequence[str]) -> int:
    """How many examples there are. Normalises the dimensions."""
    sizes: dict[str, int] = {}
    for i, (node, dim, path) in enumerate(zip(nodes, dims, paths)):
        if dim is not None:
            if not -node.ndim <= dim < node.ndim:
                raise ValueError(
                    f"vmap: in_dims gives dimension {dim} for the argument at {_told(path)}, "
                    f"which has shape {node.shape}"
                )
            dims[i] = dim % node.ndim
            sizes[path] = node.shape[dim % node.ndim]
    if not sizes:
        raise ValueError(
            "vmap: no argument is mapped over: in_dims is None for all of them, or there are none"
        )
    if len(set(sizes.values())) > 1:
        told = ", ".join([f"{_told(path)}: {n}" for path, n in sizes.items()])
        raise ValueError(f"vmap: the mapped dimensions differ in size: {told}")
    return next(iter(sizes.values()))


def _told(path: str) -> str:
    """`[0][2]['w']`, a path into [args, kwargs], as the user knows it."""
    return "args" + path[3:] if path.startswith("[0]") else "kwargs" + path[3:]


def _dims_of(in_dims: InDims, args: Sequence[Any]) -> list[int | None]:
    """One dimension for each leaf of the arguments."""
    if isinstance(in_dims, Sequence):
        if len(in_dims) != len(args):
            raise ValueError(f"vmap: in_dims has {len(in_dims)} entries for {len(args)} arguments")
        pairs = list(zip(in_dims, args))
    elif isinstance(in_dims, Mapping):
        raise ValueError(
            "vmap: in_dims must be a number, None or a sequence with one entry for each argument"
        )
    else:
        pairs = [(in_dims, arg) for arg in args]
    return [d for i, (dim, arg) in enumerate(pairs) for d in _prefix("in_dims", dim, arg, f"args[{i}]")]


def _prefix(what: str, dims: InDims, tree: Any, path: str) -> list[int | None]:
    """in_dims or out_dims for each leaf of a tree: one stands for all leaves below it."""
    if dims is None or isinstance(dims, int):
        return [dims for _ in leaves(tree)]
    if isinstance(dims, Mapping) and isinstance(tree, Mapping) and dims.keys() == tree.keys():
        return [d for key in tree for d in _prefix(what, dims[key], tree[key], f"{path}[{key!r}]")]
    fields = fields_of(tree)
    if fields is not None and fields_of(dims) == fields:
        pairs = [(name, getattr(dims, name), getattr(tree, name)) for name in fields]
        return [d for name, dim, part in pairs for d in _prefix(what, dim, part, f"{path}.{name}")]
    if not isinstance(dims, Mapping) and isinstance(tree, Sequence) and len(dims) == len(tree):
        return [d for i, part in enumerate(tree) for d in _prefix(what, dims[i], part, f"{path}[{i}]")]
    place = f"the argument at {path}" if what == "in_dims" else f"the result{path and ' at ' + path}"
    raise ValueError(f"vmap: {what} {dims!r} does not fit {place}")

"""Recomputing in place of storing: the parts of a network that are run again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .. import functional as F
from ..autograd.transforms import on_nodes, on_tensors
from ..functional.node import Node
from ..functional.trees import leaves, map_leaves
from ..lifting import wrap
from ..nn.module import Module
from ..random import get_rng_state, set_rng_state
from ..tensor import Tensor


def _contexts() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]] = _contexts,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`, of which nothing is kept for backward: it is run again for that.

    preserve_rng_state: draw the same random numbers again, as dropout must. context_fn: gives two
    context managers, around the first run and around the other. use_reentrant and the other options:
    accepted for PyTorch's sake, without effect. Parameters that the function uses receive their
    gradients. It must compute the same both times.

    >>> x = nngrad.tensor(0.5, requires_grad=True)
    >>> checkpoint(lambda y: y.sin().exp(), x, use_reentrant=False).backward()
    >>> x.grad
    tensor(1.4174)
    """
    state = get_rng_state() if preserve_rng_state else None
    contexts = context_fn()
    runs = 0

    def run(*nodes: Node) -> Any:
        nonlocal runs
        first, runs = runs == 0, runs + 1
        given = iter(nodes)
        positional, named = _with_tensors([list(args), kwargs], given)
        now = get_rng_state() if state is not None and not first else None
        if now is not None and state is not None:
            set_rng_state(state)
        try:
            with contexts[0] if first else contexts[1]:
                return on_nodes(function(*positional, **named))
        finally:
            if now is not None:
                set_rng_state(now)

    tensors = [x for _, x in leaves([list(args), kwargs]) if isinstance(x, Tensor)]
    return on_tensors(F.checkpoint(run, *[t.node for t in tensors]))


def _with_tensors(tree: Any, nodes: Iterable[Node]) -> Any:
    """The tree with tensors on these nodes in place of its own."""
    given = iter(nodes)
    return map_leaves(lambda x: wrap(next(given)) if isinstance(x, Tensor) else x, tree)


def checkpoint_sequential(
    functions: Module | Sequence[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """A sequence of modules in `segments` parts, each but the last one a `checkpoint`.

    Raises ValueError for more segments than there are functions.

    >>> x = nngrad.tensor(0.5, requires_grad=True)
    >>> checkpoint_sequential([nngrad.sin, nngrad.exp, nngrad.tanh], 2, x)
    tensor(0.9239, grad_fn=<TanhBackward0>)
    """
    steps: list[Callable[..., Any]] = list(
        functions.children() if isinstance(functions, Module) else functions
    )
    if not 0 < segments <= max(len(steps), 1):
        raise ValueError(f"checkpoint_sequential: {segments} segments of {len(steps)} functions")
    size = len(steps) // segments
    for i in range(segments - 1):
        part = steps[i * size : (i + 1) * size]
        input = checkpoint(_chain(part), input, use_reentrant=use_reentrant, **kwargs)
    return _chain(steps[(segments - 1) * size :])(input)


def _chain(steps: Sequence[Callable[..., Any]]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return run


def get_device_states(*args: object) -> tuple[list[int], list[Tensor]]:
    """No devices, and no states: there is no GPU whose random numbers would have to come again."""
    return [], []


def set_device_states(devices: Sequence[int], states: Sequence[Tensor], **_: object) -> None:
    """Nothing: there is no GPU."""

"""Gradients asked for by function: of tensors, by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..functional import engine
from ..functional.node import Node, seal
from ..functional.op import cast, scalar
from ..lifting import TensorLike, wrap
from ..tensor import Tensor
from .modes import set_grad_enabled


def _cotangent(op: str, output: Tensor, given: TensorLike | None, create_graph: bool) -> Any:
    node = output.node
    if not node.tracked:
        raise RuntimeError(f"{op}: element 0 of tensors does not require grad and does not have a grad_fn")
    value = node._value
    if given is None:
        if value.size != 1:
            raise RuntimeError(
                f"{op}: grad can be implicitly created only for scalar outputs, not for shape "
                f"{value.shape}; give a cotangent of that shape"
            )
        given_node = seal(np.ones(value.shape, value.dtype)) if value.ndim else scalar(1, value.dtype)
    else:
        given_node = given.node if isinstance(given, Tensor) else Tensor(given).node
        if given_node.shape != value.shape:
            raise RuntimeError(
                f"{op}: Mismatch in shape: grad_output[0] has a shape of {given_node.shape} and output[0] "
                f"has a shape of {value.shape}"
            )
        given_node = cast(given_node, value.dtype)
    return given_node if create_graph else given_node._value


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: TensorLike | Sequence[TensorLike | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of the tensors to the `grad` of the leaves they were computed from.

    See `Tensor.backward`. Gradients are stored only after all of them have been computed.

    >>> x = nngrad.tensor([1.0, 2.0], requires_grad=True)
    >>> backward([x.sum(), (x * x).sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    if inputs is not None:
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if not inputs:
            raise RuntimeError("backward: 'inputs' argument cannot be empty.")
    outputs, cotangents = _pairs("backward", tensors, grad_tensors, create_graph)
    found = engine.backward(
        [t.node for t in outputs],
        cotangents,
        wanted=[t.node for t in inputs or ()],
        create_graph=create_graph,
        free=not (create_graph if retain_graph is None else retain_graph),
    )
    owners: list[tuple[Tensor | None, Any]]
    if inputs is not None:
        owners = [(t, found.get(t.node)) for t in inputs]
    else:
        owners = [
            (node.params[0]() if node.op is None and node.params[0] is not None else None, g)
            for node, g in found.items()
        ]
    # hooks first: one that fails leaves every gradient as it was
    ready = [(t, _as_node(_with_leaf_hooks(t, g))) for t, g in owners if t is not None and g is not None]
    for tensor, gradient in ready:
        tensor.accumulate_grad(gradient)
        for hook in tuple(tensor.__dict__.get("_after_hooks", {}).values()):
            hook(tensor)


def _with_leaf_hooks(tensor: Tensor, g: Any) -> Any:
    hooks = tensor.__dict__.get("_hooks")
    return engine.run_hooks(hooks, g) if hooks else g


def _as_node(g: Any) -> Node:
    return g if isinstance(g, Node) else seal(np.asarray(g) if isinstance(g, np.generic) else g)


def _pairs(op: str, tensors: Any, cotangents: Any, create_graph: bool) -> tuple[list[Tensor], list[Any]]:
    outputs = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if cotangents is None:
        given: list[Any] = [None] * len(outputs)
    else:
        given = [cotangents] if isinstance(tensors, Tensor) else list(cotangents)
    if len(given) != len(outputs):
        raise RuntimeError(f"{op}: got {len(outputs)} tensors and {len(given)} gradients")
    return outputs, [_cotangent(op, o, c, create_graph) for o, c in zip(outputs, given)]


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: TensorLike | Sequence[TensorLike | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of sum(outputs * grad_outputs) in the inputs, changing no tensor.

    inputs: tensors that require grad, leaves or not. create_graph: record the computation, to
    differentiate it again. only_inputs: accepted for PyTorch's sake, without effect. allow_unused:
    give None (zeros, with materialize_grads) for an input that the outputs do not depend on.
    is_grads_batched: the first dimension of each of grad_outputs counts examples, and so does that of
    the results, which are computed at once by vmap.
    Raises RuntimeError for an unused input otherwise, TypeError for what is no tensor.

    >>> x = nngrad.tensor([1.0, 2.0], requires_grad=True)
    >>> grad(x * x, x, nngrad.eye(2), is_grads_batched=True)
    (tensor([[2., 0.],
            [0., 4.]]),)
    """
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    for i, tensor in enumerate(wanted):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"grad: all inputs have to be Tensors, got {type(tensor).__name__} (input {i})")
        if not tensor.requires_grad:
            raise RuntimeError(f"grad: One of the differentiated Tensors does not require grad (input {i})")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: Expected allow_unused to be True or not passed when materialize_grads=True.")
    free = not (create_graph if retain_graph is None else retain_graph)
    found: Sequence[Node | None]
    if is_grads_batched:
        found = _batched(outputs, grad_outputs, wanted, create_graph)
    else:
        roots, cotangents = _pairs("grad", outputs, grad_outputs, create_graph)
        found = _pulled(roots, cotangents, wanted, create_graph, free)
    gradients: list[Tensor | None] = []
    for i, (tensor, g) in enumerate(zip(wanted, found)):
        if g is not None:
            gradients.append(wrap(g))
        elif materialize_grads:
            lead = _examples(grad_outputs) if is_grads_batched else ()
            gradients.append(wrap(seal(np.zeros((*lead, *tensor.shape), tensor.node.dtype))))
        elif allow_unused:
            gradients.append(None)
        else:
            raise RuntimeError(
                f"grad: One of the differentiated Tensors appears to not have been used in the graph "
                f"(input {i}). Set allow_unused=True if this is the desired behavior."
            )
    return tuple(gradients)


def _pulled(
    roots: Sequence[Tensor],
    cotangents: Sequence[Any],
    wanted: Sequence[Tensor],
    create_graph: bool,
    free: bool,
) -> list[Node | None]:
    """The gradients in tensors, None where there is none."""
    found = engine.backward(
        [t.node for t in roots],
        cotangents,
        wanted=[t.node for t in wanted],
        create_graph=create_graph,
        free=free,
    )
    sent = [(t, found.get(t.node)) for t in wanted]
    return [None if g is None else _as_node(_with_leaf_hooks(t, g)) for t, g in sent]


def _examples(cotangents: Any) -> tuple[int, ...]:
    given = [cotangents] if isinstance(cotangents, Tensor) else cotangents
    return tuple(next(g for g in given if g is not None).shape[:1])


def _batched(
    outputs: Any, cotangents: Any, wanted: Sequence[Tensor], create_graph: bool
) -> list[Node | None]:
    """The gradients for a batch of cotangents. (The graph is not freed: the next example needs it.)"""
    from .transforms import vmap

    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    given = [cotangents] if isinstance(cotangents, Tensor) else list(cotangents or ())
    if len(given) != len(roots) or any(g is None for g in given):
        raise RuntimeError("grad: is_grads_batched needs one batch of grad_outputs for each of the outputs")
    used: list[bool] = []

    def one(*parts: Tensor) -> tuple[Tensor, ...]:
        _, sent = _pairs("grad", roots, parts, create_graph)
        found = _pulled(roots, sent, wanted, create_graph, False)
        used[:] = [g is not None for g in found]
        return tuple([wrap(g) for g in found if g is not None])

    with set_grad_enabled(create_graph):
        made = iter(vmap(one)(*given))
    return [next(made).node if u else None for u in used]

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
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of the tensors to the `grad` of the leaves they were computed from.

    See `Tensor.backward`. Gradients are stored only after all of them have been computed.
    """
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
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of sum(outputs * grad_outputs) in the inputs, changing no tensor.

    inputs: tensors that require grad, leaves or not. create_graph: record the computation, to
    differentiate it again. only_inputs: accepted for PyTorch's sake, without effect. allow_unused:
    give None (zeros, with materialize_grads) for an input that the outputs do not depend on.
    Raises RuntimeError for such an input otherwise, TypeError for what is no tensor.
    """
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    for i, tensor in enumerate(wanted):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"grad: all inputs have to be Tensors, got {type(tensor).__name__} (input {i})")
        if not tensor.requires_grad:
            raise RuntimeError(f"grad: One of the differentiated Tensors does not require grad (input {i})")
    roots, cotangents = _pairs("grad", outputs, grad_outputs, create_graph)
    found = engine.backward(
        [t.node for t in roots],
        cotangents,
        wanted=[t.node for t in wanted],
        create_graph=create_graph,
        free=not (create_graph if retain_graph is None else retain_graph),
    )
    gradients: list[Tensor | None] = []
    for i, tensor in enumerate(wanted):
        g = found.get(tensor.node)
        if g is not None:
            gradients.append(wrap(_as_node(_with_leaf_hooks(tensor, g))))
        elif materialize_grads:
            gradients.append(wrap(seal(np.zeros_like(tensor.node._value))))
        elif allow_unused:
            gradients.append(None)
        else:
            raise RuntimeError(
                f"grad: One of the differentiated Tensors appears to not have been used in the graph "
                f"(input {i}). Set allow_unused=True if this is the desired behavior."
            )
    return tuple(gradients)

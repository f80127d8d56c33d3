"""Forward mode by dual tensors, as PyTorch has it: a tensor with a tangent, which its results carry on.

    with dual_level():
        y = f(make_dual(x, tangent))
        value, derivative = unpack_dual(y)

Nothing is carried along: a dual tensor is recorded as one that requires grad is, and what is unpacked has
the tangents pushed through that record. So nothing comes of operations under `no_grad`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from ..functional.derivatives import alias_op
from ..functional.forward import push_forward
from ..functional.node import Node, grad_mode, seal, variable
from ..functional.op import cast
from ..lifting import wrap
from ..tensor import Tensor
from .transforms import uses_tensors

#: the dual nodes of the level that is entered, with what they were made of and their tangents
_duals: Final[ContextVar[dict[Node, tuple[Node, Node]] | None]] = ContextVar("nngrad_duals", default=None)


class UnpackedDualTensor(NamedTuple):
    """A value, and its tangent or None."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begin a level; its number is 0. Raises RuntimeError inside another: one is all there is."""
    if _duals.get() is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _duals.set({})
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level; its tensors have no tangents any more. Raises RuntimeError outside of one."""
    if _duals.get() is None or level not in (None, 0):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not "
            "supported."
        )
    _duals.set(None)


@contextmanager
def dual_level() -> Iterator[int]:
    """A level for the block; see the module.

    >>> with dual_level():
    ...     x = make_dual(nngrad.tensor(3.0), nngrad.tensor(1.0))
    ...     unpack_dual(x * x)
    UnpackedDualTensor(primal=tensor(9.), tangent=tensor(6.))
    """
    level = enter_dual_level()
    try:
        yield level
    finally:
        exit_dual_level(level=level)


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """The tensor with a tangent, for derivatives in that direction.

    Raises RuntimeError outside of a level and for a tangent of another shape, ValueError for integers.
    """
    duals = _duals.get()
    if duals is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    for name, given in (("primal", tensor), ("tangent", tangent)):
        if given.node.dtype.kind not in "fc":
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {given.dtype}")
    if tangent.shape != tensor.shape:
        raise RuntimeError(
            f"make_dual: the tangent has shape {tuple(tangent.shape)}, but the tensor {tuple(tensor.shape)}"
        )
    mode = grad_mode.set(True)
    try:
        node = alias_op.call(tensor.node) if tensor.node.tracked else variable(seal(tensor.node._value))
    finally:
        grad_mode.reset(mode)
    duals[node] = tensor.node, cast(tangent.node, tensor.node.dtype)
    return wrap(node)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value of a tensor and its tangent, None if it does not depend on a dual one."""
    duals = _duals.get()
    node = tensor.node
    if not duals or not node.tracked:
        return UnpackedDualTensor(tensor, None)
    if node in duals:
        primal, tangent = duals[node]
        return UnpackedDualTensor(wrap(primal), wrap(tangent))
    depends = uses_tensors([node])
    record = grad_mode.get() and (depends or any(t.tracked for _, t in duals.values()))
    given: dict[Node, Any] = {dual: t if record else t._value for dual, (_, t) in duals.items()}
    (pushed,) = push_forward([node], given, record)
    found = None if pushed is None else wrap(pushed if type(pushed) is Node else seal(pushed))
    return UnpackedDualTensor(tensor if depends else wrap(seal(node._value)), found)

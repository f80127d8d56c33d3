"""Transforms of functions on tensors, under the names of torch.func."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, ParamSpec, TypeVar

from .autograd.transforms import (
    grad as grad,
    grad_and_value as grad_and_value,
    hessian as hessian,
    jacfwd as jacfwd,
    jacrev as jacrev,
    jvp as jvp,
    linearize as linearize,
    vjp as vjp,
    vmap as vmap,
)
from .nn.stateless import (
    functional_call as functional_call,
    replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_,
    stack_module_state as stack_module_state,
)

P = ParamSpec("P")
R = TypeVar("R")


def functionalize(
    func: Callable[P, R], *, remove: Literal["mutations", "mutations_and_views"] = "mutations"
) -> Callable[P, R]:
    """The function itself: here no two tensors share memory that is written to.

    >>> functionalize(lambda x: x.add_(1.0))(nngrad.zeros(2))
    tensor([1., 1.])
    """
    return func

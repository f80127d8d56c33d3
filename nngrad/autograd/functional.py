"""Jacobians, Hessians and products with them, of functions on tensors: torch.autograd.functional.

Each is a transform of `transforms.py` with other arguments. `inputs` is a tensor or a tuple of them,
and so is what the function returns; results are nested in the same way. create_graph: record the
result, to differentiate it again. strict: raise RuntimeError for an output that does not depend on an
input, where the result would be zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from ..functional.engine import consumers
from ..tensor import Tensor
from . import transforms
from .modes import enable_grad, set_grad_enabled

Tensors: TypeAlias = "Tensor | tuple[Tensor, ...]"
Strategy: TypeAlias = Literal["reverse-mode", "forward-mode"]


def _as_tuple(where: str, what: str, given: Any) -> tuple[Tensor, ...]:
    found = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    for i, t in enumerate(found):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"{where}: the {what} must be a Tensor or a tuple of Tensors, but element {i} is "
                f"{type(t).__name__}"
            )
    return found


def _alike(like: Any, found: Sequence[Tensor]) -> Any:
    return tuple(found) if isinstance(like, (tuple, list)) else found[0]


def _checked(
    where: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool
) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    """The function, checked for what it returns, and the inputs as a tuple."""
    given = _as_tuple(where, "inputs given to the function", inputs)

    def checked(*args: Tensor) -> Any:
        result = func(*args)
        _as_tuple(where, "outputs of the function", result)
        return result

    if strict:
        _check_dependence(where, checked, given)
    return checked, given if create_graph else tuple([t.detach() for t in given])


def _check_dependence(where: str, func: Callable[..., Any], inputs: Sequence[Tensor]) -> None:
    with enable_grad():
        own = [t.detach().requires_grad_() for t in inputs]
        outputs = _as_tuple(where, "outputs of the function", func(*own))
    for i, out in enumerate(outputs):
        above = consumers([out.node])
        for j, t in enumerate(own):
            if t.node not in above:
                raise RuntimeError(
                    f"{where}: Output {i} of the user-provided function is independent of input {j}. This is "
                    "not allowed in strict mode."
                )


def _cotangents(where: str, v: Any, like: Any, what: str) -> Any:
    """v, checked against what it is for; 1 where that is one element."""
    there = _as_tuple(where, what, like)
    if v is None:
        if len(there) != 1 or there[0].numel() != 1:
            raise RuntimeError(
                f"{where}: The vector v can only be None if the {what} is a single Tensor with a single "
                "element"
            )
        from ..creation import ones_like

        return _alike(like, [ones_like(there[0].detach())])
    given = _as_tuple(where, "vector v", v)
    if len(given) != len(there):
        raise RuntimeError(
            f"{where}: v is a tuple of invalid length: should be {len(there)} but got {len(given)}"
        )
    for i, (a, b) in enumerate(zip(given, there)):
        if a.shape != b.shape:
            raise RuntimeError(
                f"{where}: entry {i} of v has invalid size: should be {tuple(b.shape)} but got "
                f"{tuple(a.shape)}"
            )
    return _alike(like, given)


def vjp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func(*inputs)`, and the product of v with its Jacobian.

    v: of the shape of the value; may be None if that is one element.

    >>> vjp(lambda x: x * x, nngrad.tensor([1.0, 2.0]), nngrad.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    call, given = _checked("vjp", func, inputs, create_graph, strict)
    with set_grad_enabled(create_graph):
        value, pull = transforms.vjp(call, *given)
        sent = pull(_cotangents("vjp", v, value, "output of the function"))
    return value, _alike(inputs, sent)


def jvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func(*inputs)`, and the product of its Jacobian with v.

    v: of the shape of the inputs; may be None if they are one element.

    >>> jvp(lambda x: x * x, nngrad.tensor([1.0, 2.0]), nngrad.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    call, given = _checked("jvp", func, inputs, create_graph, strict)
    tangents = _as_tuple("jvp", "vector v", _cotangents("jvp", v, inputs, "input"))
    with set_grad_enabled(create_graph):
        value, tangent = transforms.jvp(call, given, tangents)
    return value, tangent


def jacobian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: Strategy = "reverse-mode",
) -> Any:
    """The Jacobian of `func` at the inputs: for each output and each input a tensor (*out, *in).

    vectorize: accepted for PyTorch's sake: all rows are computed at once. strategy: rows backwards
    ("reverse-mode") or columns forwards ("forward-mode").

    >>> jacobian(lambda x: x * x, nngrad.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(f"jacobian: strategy must be 'reverse-mode' or 'forward-mode', not {strategy!r}")
    call, given = _checked("jacobian", func, inputs, create_graph, strict)
    transform = transforms.jacrev if strategy == "reverse-mode" else transforms.jacfwd
    argnums: Any = tuple(range(len(given))) if isinstance(inputs, (tuple, list)) else 0
    with set_grad_enabled(create_graph):
        return transform(call, argnums)(*given)


def hessian(
    func: Callable[..., Any],
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: Strategy = "reverse-mode",
) -> Any:
    """The Hessian of `func`, which returns one element: for each two inputs a tensor (*in, *in).

    The other options are as for `jacobian`.

    >>> hessian(lambda x: (x ** 3).sum(), nngrad.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    call, given = _of_one_element("hessian", func, inputs, create_graph, strict)
    argnums: Any = tuple(range(len(given))) if isinstance(inputs, (tuple, list)) else 0
    outer = transforms.jacrev if outer_jacobian_strategy == "reverse-mode" else transforms.jacfwd
    with set_grad_enabled(create_graph):
        return outer(transforms.jacrev(call, argnums), argnums)(*given)


def _of_one_element(
    where: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool
) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
    """The function as one to a 0-d tensor."""
    call, given = _checked(where, func, inputs, create_graph, strict)

    def scalar(*args: Tensor) -> Tensor:
        result = call(*args)
        if not isinstance(result, Tensor) or result.numel() != 1:
            raise RuntimeError(
                f"{where}: The Tensor returned by the function should contain a single element"
            )
        return result.reshape(())

    if strict:
        _check_dependence(where, transforms.grad(scalar, tuple(range(len(given)))), given)
    return scalar, given


def hvp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Any]:
    """The value of `func`, which returns one element, and the product of its Hessian with v.

    >>> hvp(lambda x: (x ** 3).sum(), nngrad.tensor([1.0, 2.0]), nngrad.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    call, given = _of_one_element("hvp", func, inputs, create_graph, strict)
    tangents = _as_tuple("hvp", "vector v", _cotangents("hvp", v, inputs, "input"))
    both = transforms.grad_and_value(call, tuple(range(len(given))))
    with set_grad_enabled(create_graph):
        (_, value), (product, _) = transforms.jvp(both, given, tangents)
    return value, _alike(inputs, product)


def vhp(
    func: Callable[..., Any],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Any]:
    """The value of `func`, which returns one element, and the product of v with its Hessian.

    >>> vhp(lambda x: (x ** 3).sum(), nngrad.tensor([1.0, 2.0]), nngrad.ones(2))
    (tensor(9.), tensor([ 6., 12.]))
    """
    call, given = _of_one_element("vhp", func, inputs, create_graph, strict)
    cotangents = _as_tuple("vhp", "vector v", _cotangents("vhp", v, inputs, "input"))
    with set_grad_enabled(create_graph):
        gradient = transforms.grad_and_value(call, tuple(range(len(given))))
        _, pull, value = transforms.vjp(gradient, *given, has_aux=True)
        return value, _alike(inputs, pull(cotangents))

"""gradcheck: derivatives against differences of values.

A complex tensor counts as two real ones, so that one comparison serves all: the Jacobian of the real
coordinates of an output in those of an input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..functional.dtypes import Array
from ..functional.node import seal
from ..functional.warn import warn_user
from ..lifting import wrap
from ..tensor import Tensor
from .gradients import grad
from .modes import no_grad


class GradcheckError(RuntimeError):
    """What `gradcheck` raises where derivatives are wrong."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the derivatives of `func` at the inputs agree with differences of its values.

    func: takes the inputs, a tensor or a sequence of anything, and returns a tensor or several. Those
    inputs that require grad are checked; they should be float64. They are changed in place for
    the differences, by eps, and put back. nondet_tol: how far two backward passes may differ.
    check_undefined_grad: zeros must lead to zeros. check_forward_ad: forward mode too.
    check_batched_grad: backward under vmap too. fast_mode: compare in one random direction only.
    masked, check_batched_forward_grad: accepted for PyTorch's sake, without effect.
    Raises GradcheckError, naming output, input and the element that differs most, unless
    raise_exception is off: then the answer is False. Raises ValueError if no input requires grad.

    >>> gradcheck(nngrad.tanh, nngrad.tensor([0.5], dtype=nngrad.float64, requires_grad=True))
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    args = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    checked = [i for i, t in enumerate(args) if isinstance(t, Tensor) and t.requires_grad]
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i in checked:
        if args[i].node.dtype not in (np.float64, np.complex128):
            warn_user(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. "
                "This check will likely fail if all the inputs are not of double precision floating point "
                "or complex. "
            )
    check = _Check(func, args, checked, eps, atol, rtol)
    try:
        if check_backward_ad:
            check.backwards(
                fast_mode, nondet_tol, check_undefined_grad, check_grad_dtypes, check_batched_grad
            )
        if check_forward_ad:
            check.forwards()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether the derivatives of the gradients of `func` agree with differences; see `gradcheck`.

    grad_outputs: the cotangents at which they are taken, random ones if there are none.
    gen_non_contig_grad_outputs: let those be in another order in memory.

    >>> gradgradcheck(nngrad.tanh, nngrad.tensor([0.5], dtype=nngrad.float64, requires_grad=True))
    True
    """
    args = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        given = [_random(rng, t, gen_non_contig_grad_outputs) for t in _differentiable(func(*args))]
    else:
        given = list(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else [grad_outputs]

    def gradients(*everything: Any) -> tuple[Tensor, ...]:
        own, cotangents = everything[: len(args)], everything[len(args) :]
        wanted = [t for t in own if isinstance(t, Tensor) and t.requires_grad]
        found = grad(_differentiable(func(*own)), wanted, cotangents, create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradients,
        (*args, *given),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
    )


def _differentiable(outputs: Any) -> list[Tensor]:
    found = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    return [t for t in found if isinstance(t, Tensor) and t.node.dtype.kind in "fc" and t.requires_grad]


def _random(rng: np.random.Generator, like: Tensor, turned: bool) -> Tensor:
    shape = tuple(reversed(like.shape)) if turned else tuple(like.shape)
    made: Any = rng.normal(size=shape)
    if like.node.dtype.kind == "c":
        made = made + 1j * rng.normal(size=shape)
    return wrap(seal(np.asarray((made.T if turned else made), like.node.dtype))).requires_grad_()


def _real(values: Array) -> Array:
    """The real coordinates: of complex numbers the real and the imaginary part, side by side."""
    flat: Any = np.ascontiguousarray(values).reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat  # type: ignore[no-any-return]


def _units(like: Tensor) -> Iterator[Array]:
    """The unit vectors of the real coordinates of a tensor."""
    for i in range(like.numel()):
        for one in (1.0, 1j) if like.node.dtype.kind == "c" else (1.0,):
            unit: Any = np.zeros(like.shape, like.node.dtype)
            unit.reshape(-1)[i] = one
            yield unit


class _Check:
    """A function at its inputs."""

    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        checked: list[int],
        eps: float,
        atol: float,
        rtol: float,
    ) -> None:
        self.func: Callable[..., Any] = func
        self.args: tuple[Any, ...] = args
        self.checked: list[int] = checked
        self.eps: float = eps
        self.atol: float = atol
        self.rtol: float = rtol

    # ------------------------------------------------------------ what is computed

    def outputs(self) -> list[Tensor]:
        """The floating-point outputs, here and now."""
        found = self.func(*self.args)
        several = found if isinstance(found, (tuple, list)) else [found]
        return [t for t in several if isinstance(t, Tensor) and t.node.dtype.kind in "fc"]

    @contextmanager
    def moved(self, i: int, by: Array) -> Iterator[None]:
        """While input i is elsewhere."""
        tensor: Tensor = self.args[i]
        before = np.array(tensor.node._value)
        try:
            with no_grad():
                tensor[...] = before + by
            yield
        finally:
            with no_grad():
                tensor[...] = before

    def difference(self, i: int, direction: Array) -> list[Array]:
        """How each output changes along a direction in input i."""
        ends = []
        for sign in (1.0, -1.0):
            with self.moved(i, sign * self.eps * direction):
                ends.append([_real(np.array(t.node._value)) for t in self.outputs()])
        return [(a - b) / (2 * self.eps) for a, b in zip(*ends)]

    def numerical(self) -> list[list[Array]]:
        """For each output, for each checked input, the Jacobian (coordinates in, coordinates out)."""
        sizes = [_real(t.node._value).size for t in self.outputs()]
        columns: list[list[list[Array]]] = [[[] for _ in self.checked] for _ in sizes]
        for k, i in enumerate(self.checked):
            for unit in _units(self.args[i]):
                for j, change in enumerate(self.difference(i, unit)):
                    columns[j][k].append(change)
        return [
            [np.stack(rows) if rows else np.zeros((0, size)) for rows in per_input]
            for per_input, size in zip(columns, sizes)
        ]

    def pulled(self, output: Tensor, cotangent: Array) -> list[Array]:
        """The gradients in the checked inputs, zeros where there is none."""
        wanted = [self.args[i] for i in self.checked]
        if not output.requires_grad:
            return [np.zeros(t.shape, t.node.dtype) for t in wanted]
        sent = grad(output, wanted, wrap(seal(cotangent)), retain_graph=True, allow_unused=True)
        return [
            np.zeros(t.shape, t.node.dtype) if g is None else np.array(g.node._value)
            for g, t in zip(sent, wanted)
        ]

    def analytical(self) -> list[list[Array]]:
        """As `numerical`, by the backward pass."""
        found = []
        for output in self.outputs():
            rows = [[_real(g) for g in self.pulled(output, unit)] for unit in _units(output)]
            found.append(
                [
                    np.stack(per_input, 1)
                    if per_input
                    else np.zeros((_real(self.args[i].node._value).size, 0))
                    for i, per_input in zip(self.checked, list(zip(*rows)) or [()] * len(self.checked))
                ]
            )
        return found

    # ------------------------------------------------------------ what is compared

    def backwards(self, fast: bool, nondet_tol: float, undefined: bool, dtypes: bool, batched: bool) -> None:
        """Backward passes, against differences and each other."""
        if fast:
            self.in_one_direction()
        else:
            found, again = self.analytical(), self.analytical()
            self.compare("", found, self.numerical())
            for j, (first, second) in enumerate(zip(found, again)):
                for i, a, b in zip(self.checked, first, second):
                    if a.size and not np.max(np.abs(a - b)) <= nondet_tol:
                        raise GradcheckError(
                            "Backward is not reentrant, i.e., running backward with same input and "
                            "grad_output multiple times gives different values, although analytical gradient "
                            f"matches numerical gradient (output {j}, input {i}). The tolerance for "
                            f"nondeterminism was {nondet_tol}."
                        )
        for output in self.outputs():
            if output.requires_grad:
                self.check_passes(output, undefined, dtypes, batched)

    def check_passes(self, output: Tensor, undefined: bool, dtypes: bool, batched: bool) -> None:
        """One output's backward pass: of zeros, its dtypes, and of a batch."""
        wanted = [self.args[i] for i in self.checked]
        if undefined:
            nothing: Any = np.zeros(output.shape, output.node.dtype)
            zeros = self.pulled(output, nothing)
            for i, zero in zip(self.checked, zeros):
                if np.any(zero):
                    raise GradcheckError(
                        "Expected backward function to handle undefined output grads: zeros lead to a "
                        f"gradient that is not zero in input {i}"
                    )
        rng = np.random.default_rng(0)
        some = [_random(rng, output, False).detach() for _ in range(2)]
        sent = [grad(output, wanted, v, retain_graph=True, allow_unused=True) for v in some]
        if dtypes:
            for i, g, t in zip(self.checked, sent[0], wanted):
                if g is not None and g.dtype != t.dtype:
                    raise GradcheckError(
                        f"Expected gradient of dtype {t.dtype} in input {i}, but got {g.dtype}"
                    )
        if batched:
            v = wrap(seal(np.stack([s.node._value for s in some])))
            at_once = grad(output, wanted, v, retain_graph=True, allow_unused=True, is_grads_batched=True)
            for i, a, *each in zip(self.checked, at_once, *sent):
                if a is None or any(g is None for g in each):
                    continue
                expected = np.stack([g.node._value for g in each if g is not None])
                if not np.allclose(a.node._value, expected, self.rtol, self.atol):
                    raise GradcheckError(
                        f"While attempting to use vmap over the backward pass: the gradients in input {i} "
                        f"are {a}, but one by one {wrap(seal(expected))}"
                    )

    def forwards(self) -> None:
        """Forward mode, against differences."""
        from .transforms import jvp

        def alone(*given: Tensor) -> tuple[Tensor, ...]:
            args = list(self.args)
            for i, t in zip(self.checked, given):
                args[i] = t
            found = self.func(*args)
            several = found if isinstance(found, (tuple, list)) else [found]
            return tuple([t for t in several if isinstance(t, Tensor) and t.node.dtype.kind in "fc"])

        primals = tuple([self.args[i].detach() for i in self.checked])
        count = len(self.outputs())
        columns: list[list[list[Array]]] = [[[] for _ in self.checked] for _ in range(count)]
        for k, primal in enumerate(primals):
            for unit in _units(primal):
                tangents: list[Any] = [np.zeros(p.shape, p.node.dtype) for p in primals]
                tangents[k] = unit
                with no_grad():
                    _, pushed = jvp(alone, primals, tuple([wrap(seal(t)) for t in tangents]))
                for j, t in enumerate(pushed):
                    columns[j][k].append(_real(np.array(t.node._value)))
        numerical = self.numerical()
        found = [
            [np.stack(rows) if rows else n for rows, n in zip(per_input, there)]
            for per_input, there in zip(columns, numerical)
        ]
        self.compare(" in forward mode", found, numerical)

    def compare(self, how: str, found: list[list[Array]], numerical: list[list[Array]]) -> None:
        """Raise for the first Jacobian that differs, telling where most."""
        outputs = self.outputs()
        for j, (ours, theirs) in enumerate(zip(found, numerical)):
            for i, a, n in zip(self.checked, ours, theirs):
                close = np.isclose(a, n, self.rtol, self.atol)
                if close.all():
                    continue
                excess = np.where(close, -1.0, np.nan_to_num(np.abs(a - n), nan=np.inf))
                row, column = np.unravel_index(int(np.argmax(excess)), a.shape)
                raise GradcheckError(
                    f"Jacobian mismatch for output {j} with respect to input {i}{how}: largest at element "
                    f"{_element(outputs[j], int(column))} of the output and "
                    f"{_element(self.args[i], int(row))} of the input, where the numerical "
                    f"derivative is {n[row, column]:.6g} and the analytical "
                    f"{a[row, column]:.6g}\nnumerical:{wrap(seal(n))}\nanalytical:{wrap(seal(a))}\n"
                )

    def in_one_direction(self) -> None:
        """Compare u . J . v for one random u and v of each input and output."""
        rng = np.random.default_rng(0)
        along = [_random(rng, self.args[i], False).node._value for i in self.checked]
        changes = [self.difference(i, u) for i, u in zip(self.checked, along)]
        outputs = self.outputs()  # after the inputs have moved: they are other leaves now
        across = [_random(rng, t, False).node._value for t in outputs]
        for j, (output, v) in enumerate(zip(outputs, across)):
            sent = self.pulled(output, v)
            for k, (i, u) in enumerate(zip(self.checked, along)):
                analytical = float(_real(sent[k]) @ _real(u))
                numerical = float(changes[k][j] @ _real(v))
                if not np.isclose(analytical, numerical, self.rtol, self.atol):
                    raise GradcheckError(
                        f"Jacobian mismatch for output {j} with respect to input {i} in fast mode: in a "
                        f"random direction the numerical derivative is {numerical:.6g} and the analytical "
                        f"{analytical:.6g}; fast_mode=False tells the element"
                    )


def _element(tensor: Tensor, coordinate: int) -> str:
    """A real coordinate of a tensor, as an index."""
    is_complex = tensor.node.dtype.kind == "c"
    index = tuple(
        [int(n) for n in np.unravel_index(coordinate // 2 if is_complex else coordinate, tensor.shape)]
    )
    part = (" (imaginary part)" if coordinate % 2 else " (real part)") if is_complex else ""
    return f"{index}{part}"

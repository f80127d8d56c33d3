"""Optimisers as values: pairs of pure functions, and the formulas that the shell's classes share.

A formula is a kernel over flat arrays that writes into buffers it is given. `sgd`, `adam` and
`adamw` hand it fresh ones; `nngrad.optim` hands it buffers that nobody else can see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from .dtypes import Array
from .node import constant

#: elements that a kernel works on at a time, so that they stay in the cache between its passes
BLOCK: Final = 1 << 15

Arrays: TypeAlias = Sequence[Any]
Pair: TypeAlias = tuple[Any, Any]
#: (p, g, state, new_p, new_state, scratch, hyper, step): may be given the state's own arrays as
#: `new_state`. `step` counts from 1.
Kernel: TypeAlias = Callable[[Any, Any, Arrays, Any, Arrays, Pair, Any, int], None]


class State(NamedTuple):
    """What an optimiser remembers, an immutable value.

    steps: how many updates each parameter has had. buffers: by PyTorch's name for the buffer
    (`momentum_buffer`, `exp_avg`, ...), then by the parameter's.
    """

    steps: Mapping[str, int]
    buffers: Mapping[str, Mapping[str, Array]]


class Optimizer(NamedTuple):
    """An optimiser as two pure functions.

    init(params) is the state before the first update. update(gradients, state, params) gives the
    new parameters and the new state; a parameter without a gradient stays as it is. Every array
    they give is read-only, no argument is changed. `update` raises ValueError for a gradient
    that is no parameter's or has another shape, and for parameters that `state` does not know;
    both raise TypeError for parameters that are not floating-point or complex.
    """

    init: Callable[[Mapping[str, Array]], State]
    update: Callable[[Mapping[str, Array], State, Mapping[str, Array]], tuple[Mapping[str, Array], State]]


class SGDHyper(NamedTuple):
    """The numbers that stochastic gradient descent depends on."""

    lr: float
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False
    maximize: bool = False


class AdamHyper(NamedTuple):
    """The numbers that Adam and AdamW depend on; AdamW decays the weights apart from the gradient."""

    lr: float
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False
    maximize: bool = False
    decoupled: bool = False


def _require(ok: bool, what: str, value: object) -> None:
    if not ok:
        raise ValueError(f"Invalid {what}: {value}")


def check_sgd(h: SGDHyper) -> None:
    """Raise ValueError, as PyTorch words it, for numbers that make no sense."""
    _require(h.lr >= 0, "learning rate", h.lr)
    _require(h.momentum >= 0, "momentum value", h.momentum)
    _require(h.weight_decay >= 0, "weight_decay value", h.weight_decay)
    if h.nesterov and (h.momentum <= 0 or h.dampening != 0):
        raise ValueError("Nesterov momentum requires a momentum and zero dampening")


def check_adam(h: AdamHyper) -> None:
    """Raise ValueError, as PyTorch words it, for numbers that make no sense."""
    _require(h.lr >= 0, "learning rate", h.lr)
    _require(h.eps >= 0, "epsilon value", h.eps)
    for i, beta in enumerate(h.betas):
        _require(0 <= beta < 1, f"beta parameter at index {i}", beta)
    _require(h.weight_decay >= 0, "weight_decay value", h.weight_decay)


def sgd_buffers(h: SGDHyper) -> tuple[str, ...]:
    """The names of the buffers that `sgd_kernel` keeps."""
    return ("momentum_buffer",) if h.momentum else ()


def adam_buffers(h: AdamHyper) -> tuple[str, ...]:
    """The names of the buffers that `adam_kernel` keeps."""
    return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if h.amsgrad else ("exp_avg", "exp_avg_sq")


def sgd_kernel(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Pair, h: SGDHyper, step: int
) -> None:
    """One step of stochastic gradient descent, with PyTorch's momentum: the first step is undamped."""
    lr, momentum, dampening, weight_decay, nesterov, maximize = h
    s, d = scratch
    if maximize:
        g = np.negative(g, d)
    if weight_decay:
        g = np.add(g, np.multiply(p, weight_decay, s), d)
    if momentum:
        (new,) = new_state
        if step == 1:
            np.copyto(new, g)
        else:
            np.multiply(state[0], momentum, new)
            np.add(new, np.multiply(g, 1 - dampening, s) if dampening else g, new)
        g = np.add(g, np.multiply(new, momentum, s), d) if nesterov else new
    np.subtract(p, np.multiply(g, lr, s), new_p)


def adam_kernel(
    p: Any, g: Any, state: Arrays, new_p: Any, new_state: Arrays, scratch: Pair, h: AdamHyper, step: int
) -> None:
    """One step of Adam (Kingma and Ba, 2015, algorithm 1) or AdamW (Loshchilov and Hutter, 2019).

    As in PyTorch, eps is added to the corrected root; the two divisions by corrections are folded
    into numbers: m / c1 / (sqrt(v) / c2 + eps) = m * (c2 / c1) / (sqrt(v) + eps * c2).
    """
    lr, (beta1, beta2), eps, weight_decay, amsgrad, maximize, decoupled = h
    s, d = scratch
    m, v = new_state[:2]
    if maximize:
        g = np.negative(g, d)
    if weight_decay:
        if decoupled:
            p = np.multiply(p, 1 - lr * weight_decay, new_p)
        else:
            g = np.add(g, np.multiply(p, weight_decay, s), d)
    np.subtract(g, state[0], s)
    if beta1 > 0.5:  # the end that the mean is nearer to, as PyTorch's lerp
        np.add(state[0], np.multiply(s, 1 - beta1, s), m)
    else:
        np.subtract(g, np.multiply(s, beta1, s), m)
    np.multiply(state[1], beta2, v)
    np.multiply(g, 1 - beta2, s)
    np.add(v, np.multiply(s, g, s), v)
    largest = np.maximum(state[2], v, out=new_state[2]) if amsgrad else v
    c2 = sqrt(1 - beta2**step)
    np.sqrt(largest, s)
    np.add(s, eps * c2, s)
    np.divide(m, s, s)
    np.multiply(s, lr * c2 / (1 - beta1**step), s)
    np.subtract(p, s, new_p)


def blocks(size: int) -> Iterator[slice]:
    """Slices of at most BLOCK elements that cover `size`."""
    for start in range(0, size, BLOCK):
        yield slice(start, min(start + BLOCK, size))


def run(
    kernel: Kernel,
    p: Array,
    g: Array,
    state: Sequence[Array],
    new_p: Array,
    new_state: Sequence[Array],
    scratch: Array,
    hyper: object,
    step: int,
) -> None:
    """Run a kernel block by block over flat arrays of one size.

    Complex elements count as two numbers. `scratch` has two rows of real numbers, as long as the
    arrays or BLOCK.
    """
    if p.dtype.kind == "c":
        p, g, new_p = _as_real(p), _as_real(g), _as_real(new_p)
        state, new_state = [_as_real(x) for x in state], [_as_real(x) for x in new_state]
    size = p.size
    if size <= BLOCK:
        kernel(p, g, state, new_p, new_state, (scratch[0, :size], scratch[1, :size]), hyper, step)
        return
    for at in blocks(size):
        n = at.stop - at.start
        olds, news = [x[at] for x in state], [x[at] for x in new_state]
        kernel(p[at], g[at], olds, new_p[at], news, (scratch[0, :n], scratch[1, :n]), hyper, step)


def scratch_for(x: Array) -> Array:
    """The working space that `run` needs for a flat array."""
    real = x.real.dtype
    return np.empty((2, min(BLOCK, x.nbytes // real.itemsize)), real)


def _as_real(x: Array) -> Array:
    return x.view(x.real.dtype)


# ---------------------------------------------------------------- the pure API


def sgd(
    lr: float,
    momentum: float = 0,
    dampening: float = 0,
    weight_decay: float = 0,
    nesterov: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Stochastic gradient descent, as `torch.optim.SGD`. Raises ValueError for invalid numbers.

    >>> optimizer = sgd(lr=0.5)
    >>> params = {"w": np.array([1.0, 2.0])}
    >>> params, state = optimizer.update({"w": np.ones(2)}, optimizer.init(params), params)
    >>> params["w"]
    array([0.5, 1.5])
    """
    hyper = SGDHyper(lr, momentum, dampening, weight_decay, nesterov, maximize)
    check_sgd(hyper)
    return _pure(sgd_kernel, hyper, sgd_buffers(hyper))


def adam(
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0,
    amsgrad: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Adam, as `torch.optim.Adam`. Raises ValueError for invalid numbers.

    >>> optimizer = adam(lr=0.5)
    >>> params = {"w": np.array([1.0, 2.0])}
    >>> params, state = optimizer.update({"w": np.ones(2)}, optimizer.init(params), params)
    >>> params["w"].round(3), state.steps["w"]
    (array([0.5, 1.5]), 1)
    """
    return _adam(AdamHyper(lr, betas, eps, weight_decay, amsgrad, maximize, decoupled=False))


def adamw(
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    amsgrad: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Adam with decoupled weight decay, as `torch.optim.AdamW`. Raises ValueError for invalid numbers."""
    return _adam(AdamHyper(lr, betas, eps, weight_decay, amsgrad, maximize, decoupled=True))


def _adam(hyper: AdamHyper) -> Optimizer:
    check_adam(hyper)
    return _pure(adam_kernel, hyper, adam_buffers(hyper))


def _pure(kernel: Kernel, hyper: object, names: tuple[str, ...]) -> Optimizer:
    def init(params: Mapping[str, Array]) -> State:
        if not isinstance(params, Mapping):
            raise TypeError(f"init: params must be a mapping of names to arrays, got {type(params).__name__}")
        for name, p in params.items():
            _check_dtype(name, p)
        zeros = {name: _sealed(np.zeros(p.shape, p.dtype)) for name, p in params.items()}
        kept = MappingProxyType(zeros)
        return State(MappingProxyType(dict.fromkeys(params, 0)), MappingProxyType(dict.fromkeys(names, kept)))

    def update(
        gradients: Mapping[str, Array], state: State, params: Mapping[str, Array]
    ) -> tuple[Mapping[str, Array], State]:
        _check_names(gradients, state, params)
        steps = dict(state.steps)
        buffers = {name: dict(state.buffers[name]) for name in names}
        new_params: dict[str, Array] = {}
        for name, p in params.items():
            g = gradients.get(name)
            if g is None:
                new_params[name] = constant(p).data
                continue
            _check_dtype(name, p)
            if g.shape != p.shape:
                raise ValueError(f"update: the gradient of {name!r} has shape {g.shape}, not {p.shape}")
            olds = [np.ravel(buffers[kind][name]) for kind in names]
            new = np.empty(p.shape, p.dtype)
            news = [np.empty(p.shape, p.dtype) for _ in names]
            steps[name] += 1
            run(
                kernel,
                np.ravel(p),
                np.ravel(g).astype(p.dtype, copy=False),
                olds,
                new.reshape(-1),
                [x.reshape(-1) for x in news],
                scratch_for(new),
                hyper,
                steps[name],
            )
            new_params[name] = _sealed(new)
            for kind, buffer in zip(names, news):
                buffers[kind][name] = _sealed(buffer)
        kept = {kind: MappingProxyType(arrays) for kind, arrays in buffers.items()}
        return MappingProxyType(new_params), State(MappingProxyType(steps), MappingProxyType(kept))

    return Optimizer(init, update)


def _check_dtype(name: str, p: Array) -> None:
    if not hasattr(p, "dtype"):
        raise TypeError(f"parameter {name!r} must be an array, got {type(p).__name__}: give a flat mapping")
    if p.dtype.kind not in "fc":
        raise TypeError(f"parameter {name!r} is {p.dtype}, neither floating-point nor complex")


def _check_names(gradients: Mapping[str, Array], state: State, params: Mapping[str, Array]) -> None:
    strange = sorted(set(gradients) - set(params))
    if strange:
        raise ValueError(f"update: gradients of {strange}, which are no parameters")
    strange = sorted(set(params) - set(state.steps))
    if strange:
        raise ValueError(f"update: the state knows no parameters {strange}; it was made by init for others")


def _sealed(array: Array) -> Array:
    """A new array that nobody else has, from now on read-only."""
    array.flags.writeable = False
    return array

"""The optimisers as values. Each takes PyTorch's arguments; a rate may be a schedule (schedules.py)."""

from __future__ import annotations

from .descent import ASGD, LION, RPROP, SGD
from .moments import ADAM, ADAMAX, NADAM, RADAM
from .pure import Optimizer, Rate, optimizer
from .squares import ADADELTA, ADAGRAD, RMSPROP


def sgd(
    lr: Rate = 1e-3,
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
    return optimizer(SGD, lr, momentum, dampening, weight_decay, nesterov, maximize)


def adam(
    lr: Rate = 1e-3,
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
    >>> params["w"].round(3), dict(state.steps)
    (array([0.5, 1.5]), {"['w']": 1})
    """
    return optimizer(ADAM, lr, betas, eps, weight_decay, amsgrad, maximize, False)


def adamw(
    lr: Rate = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    amsgrad: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Adam with decoupled weight decay, as `torch.optim.AdamW`. Raises ValueError for invalid numbers.

    >>> optimizer = adamw(lr=0.5, weight_decay=0.1)
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.ones(2), optimizer.init(params), params)[0].round(3)
    array([0.45, 1.4 ])
    """
    return optimizer(ADAM, lr, betas, eps, weight_decay, amsgrad, maximize, True)


def nadam(
    lr: Rate = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0,
    momentum_decay: float = 4e-3,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Adam with Nesterov's momentum, as `torch.optim.NAdam`. Raises ValueError for invalid numbers.

    >>> optimizer = nadam(lr=0.5)
    >>> params = [np.array([1.0, 2.0])]
    >>> params, state = optimizer.update([np.ones(2)], optimizer.init(params), params)
    >>> params[0].round(3), round(state.numbers["mu_product"]["[0]"], 3)
    (array([0.472, 1.472]), 0.45)
    """
    return optimizer(NADAM, lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay, maximize)


def radam(
    lr: Rate = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """Rectified Adam, as `torch.optim.RAdam`. Raises ValueError for invalid numbers.

    >>> optimizer = radam(lr=0.5)
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.ones(2), optimizer.init(params), params)[0].round(3)
    array([0.5, 1.5])
    """
    return optimizer(RADAM, lr, betas, eps, weight_decay, decoupled_weight_decay, maximize)


def adamax(
    lr: Rate = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0,
    maximize: bool = False,
) -> Optimizer:
    """Adam by the largest gradient, as `torch.optim.Adamax`. Raises ValueError for invalid numbers.

    >>> optimizer = adamax(lr=0.5)
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.ones(2), optimizer.init(params), params)[0].round(3)
    array([0.5, 1.5])
    """
    return optimizer(ADAMAX, lr, betas, eps, weight_decay, maximize)


def adagrad(
    lr: Rate = 1e-2,
    lr_decay: float = 0,
    weight_decay: float = 0,
    initial_accumulator_value: float = 0,
    eps: float = 1e-10,
    maximize: bool = False,
) -> Optimizer:
    """Adagrad, as `torch.optim.Adagrad`. Raises ValueError for invalid numbers.

    >>> optimizer = adagrad(lr=0.5)
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.ones(2), optimizer.init(params), params)[0].round(3)
    array([0.5, 1.5])
    """
    return optimizer(ADAGRAD, lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize)


def adadelta(
    lr: Rate = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0, maximize: bool = False
) -> Optimizer:
    """Adadelta, as `torch.optim.Adadelta`. Raises ValueError for invalid numbers.

    >>> optimizer = adadelta()
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.ones(2), optimizer.init(params), params)[0].round(3)
    array([0.997, 1.997])
    """
    return optimizer(ADADELTA, lr, rho, eps, weight_decay, maximize)


def rmsprop(
    lr: Rate = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0,
    momentum: float = 0,
    centered: bool = False,
    maximize: bool = False,
) -> Optimizer:
    """RMSprop, as `torch.optim.RMSprop`. Raises ValueError for invalid numbers.

    >>> optimizer = rmsprop(lr=0.05)
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.ones(2), optimizer.init(params), params)[0].round(3)
    array([0.5, 1.5])
    """
    return optimizer(RMSPROP, lr, alpha, eps, weight_decay, momentum, centered, maximize)


def rprop(
    lr: Rate = 1e-2,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50),
    maximize: bool = False,
) -> Optimizer:
    """Resilient backpropagation, as `torch.optim.Rprop`: `lr` is the size of the first step only.

    Raises ValueError for invalid numbers.

    >>> optimizer = rprop(lr=0.5)
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.ones(2), optimizer.init(params), params)[0]
    array([0.5, 1.5])
    """
    return optimizer(RPROP, lr, etas, step_sizes, maximize)


def asgd(
    lr: Rate = 1e-2,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    weight_decay: float = 0,
    maximize: bool = False,
) -> Optimizer:
    """Averaged stochastic gradient descent, as `torch.optim.ASGD`; the average is the buffer `ax`.

    Raises ValueError for invalid numbers.

    >>> optimizer = asgd(lr=0.5, lambd=0)
    >>> params = np.array([1.0, 2.0])
    >>> params, state = optimizer.update(np.ones(2), optimizer.init(params), params)
    >>> params, state.buffers["ax"]
    (array([0.5, 1.5]), array([0.5, 1.5]))
    """
    return optimizer(ASGD, lr, lambd, alpha, t0, weight_decay, maximize)


def lion(
    lr: Rate = 1e-4,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0,
    maximize: bool = False,
) -> Optimizer:
    """Lion (Chen et al., 2023): the sign of a mean, and decoupled weight decay.

    Raises ValueError for invalid numbers.

    >>> optimizer = lion(lr=0.5)
    >>> params = np.array([1.0, 2.0])
    >>> optimizer.update(np.array([3.0, -1.0]), optimizer.init(params), params)[0]
    array([0.5, 2.5])
    """
    return optimizer(LION, lr, betas, weight_decay, maximize)

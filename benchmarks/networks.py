"""(b) A training step of a tiny network, where overhead rules, and (c) of one where matmul does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, typical


class Problem(NamedTuple):
    """A network of linear layers with ReLU between them, its data and its optimiser."""

    case: str
    sizes: tuple[int, ...]
    batch: int
    adam: bool
    rate: float
    goal: float

    def data(self) -> tuple[Any, Any]:
        """Inputs and classes."""
        random = np.random.default_rng(1)
        inputs = random.standard_normal((self.batch, self.sizes[0]), np.float32)
        return inputs, random.integers(0, self.sizes[-1], self.batch)

    def parameters(self) -> list[Any]:
        """Weights (out, in) and biases, layer by layer: the same for every library."""
        random = np.random.default_rng(2)
        found = []
        for n_in, n_out in zip(self.sizes, self.sizes[1:]):
            bound = n_in**-0.5
            found.append(random.uniform(-bound, bound, (n_out, n_in)).astype(np.float32))
            found.append(random.uniform(-bound, bound, n_out).astype(np.float32))
        return found


TINY = Problem("(b) step of an 8-16-3 MLP, batch 16, SGD", (8, 16, 3), 16, False, 0.01, 0.4)
WIDE = Problem("(c) step of a 784-512-512-10 MLP, batch 128, Adam", (784, 512, 512, 10), 128, True, 1e-3, 0.9)


def as_torch(torch: Any, problem: Problem) -> Work:
    """PyTorch's program, and ours."""
    nn, optim = peer(f"{torch.__name__}.nn"), peer(f"{torch.__name__}.optim")
    layers: list[Any] = []
    for n_in, n_out in zip(problem.sizes, problem.sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), problem.parameters(), strict=True):
            parameter.copy_(torch.tensor(value))
    algorithm = optim.Adam if problem.adam else optim.SGD
    optimizer = algorithm(model.parameters(), lr=problem.rate)
    criterion = nn.CrossEntropyLoss()
    inputs, classes = (torch.tensor(d) for d in problem.data())

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(inputs), classes).backward()
        optimizer.step()

    return _work(
        step, list(model.parameters()), lambda p: p.detach().numpy().copy(), lambda p: p.grad.numpy()
    )


def as_mygrad(mygrad: Any, problem: Problem) -> Work:
    parameters = [mygrad.tensor(value) for value in problem.parameters()]
    inputs, classes = problem.data()
    relu = peer("mygrad.nnet.activations").relu
    loss = peer("mygrad.nnet.losses").softmax_crossentropy
    update = _optimizer(problem)

    def step() -> None:
        for p in parameters:
            p.null_grad()
        loss(_forward(inputs, parameters, relu), classes).backward()
        update([p.data for p in parameters], [p.grad for p in parameters])

    return _work(step, parameters, lambda p: p.data.copy(), lambda p: p.grad)


def as_autograd(autograd: Any, problem: Problem) -> Work:
    anp = peer("autograd.numpy")
    parameters = problem.parameters()
    inputs, classes = problem.data()
    rows = np.arange(problem.batch)
    zero = np.zeros((), np.float32)

    def loss(parameters: list[Any]) -> Any:
        logits = _forward(inputs, parameters, lambda x: anp.maximum(x, zero))
        shifted = logits - anp.max(logits, axis=1, keepdims=True)
        log_p = shifted - anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True))
        return -anp.mean(log_p[rows, classes])

    gradient = autograd.grad(loss)
    update = _optimizer(problem)
    last: list[Any] = []

    def step() -> None:
        last[:] = gradient(parameters)
        update(parameters, last)

    def results() -> list[Any]:
        step()
        return [*last, *parameters]

    return Work(step, results)


def _forward(x: Any, parameters: Sequence[Any], relu: Callable[[Any], Any]) -> Any:
    last = len(parameters) - 2
    for i in range(0, len(parameters), 2):
        x = x @ parameters[i].T + parameters[i + 1]
        if i < last:
            x = relu(x)
    return x


def _optimizer(problem: Problem) -> Callable[[Sequence[Any], Sequence[Any]], None]:
    """SGD or Adam in place, for the libraries that have none."""
    rate = problem.rate

    def sgd(parameters: Sequence[Any], gradients: Sequence[Any]) -> None:
        for p, g in zip(parameters, gradients):
            p -= rate * g

    if not problem.adam:
        return sgd
    first = [np.zeros_like(p) for p in problem.parameters()]
    second = [np.zeros_like(p) for p in problem.parameters()]
    steps = 0

    def adam(parameters: Sequence[Any], gradients: Sequence[Any]) -> None:
        nonlocal steps
        steps += 1
        scale = rate / (1 - 0.9**steps)
        root = (1 - 0.999**steps) ** 0.5
        for p, g, m, v in zip(parameters, gradients, first, second):
            m += 0.1 * (g - m)
            v *= 0.999
            v += 0.001 * (g * g)
            p -= scale * m / (np.sqrt(v) / root + 1e-8)

    return adam


def _work(
    step: Callable[[], None],
    parameters: Sequence[Any],
    value: Callable[[Any], Any],
    grad: Callable[[Any], Any],
) -> Work:
    def results() -> list[Any]:
        step()
        return [*[grad(p) for p in parameters], *[value(p) for p in parameters]]

    return Work(step, results)


def _measure(problem: Problem, rounds: int) -> list[Row]:
    works = makers(
        nngrad=partial(as_torch, problem=problem),
        torch=partial(as_torch, problem=problem),
        autograd=partial(as_autograd, problem=problem),
        mygrad=partial(as_mygrad, problem=problem),
    )
    samples = compare(problem.case, works, rounds)
    ours = typical(samples[OURS])
    told = f"{ours * 1e6:.0f} µs" if ours < 1e-3 else f"{ours * 1e3:.2f} ms"
    return [against_torch(problem.case, told, samples, problem.goal)]


def measure_tiny(rounds: int) -> list[Row]:
    """(b)"""
    return _measure(TINY, rounds)


def measure_wide(rounds: int) -> list[Row]:
    """(c)"""
    return _measure(WIDE, rounds)

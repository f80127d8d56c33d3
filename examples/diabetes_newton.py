"""Fit a nonlinear model to real data with second derivatives, and watch the digits double.

The progression of diabetes in 442 patients (Efron et al. 2004; scikit-learn ships it) as an exponential
of ten measurements, by least squares: Newton's method takes `hessian`, Gauss-Newton takes `jacfwd` of
the residuals, gradient descent takes `grad`. All three walk down the same loss. Run
`python -m examples.diabetes_newton`, or `make demo-newton`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes

import nngrad.functional as F
from nngrad.functional import Array, Node

from .showing import save, wanted_size

NAMES = ("age", "sex", "bmi", "pressure", "s1", "s2", "s3", "s4", "s5", "s6", "constant")


class Data(NamedTuple):
    """Measurements, each with mean 0 and variance 1, and a column of ones; progression, its mean as unit."""

    x: Array
    y: Array


def load() -> Data:
    """The 442 patients."""
    bunch: Any = load_diabetes()
    x, y = bunch.data, bunch.target
    return Data(np.column_stack([x / x.std(0), np.ones(len(x))]), y / y.mean())


def residuals(weights: Array, data: Data) -> Node:
    """How far the model exp(x @ weights) is off, for each patient."""
    return F.exp(F.matmul(data.x, weights)) - data.y


def loss(weights: Array, data: Data) -> Node:
    """Half the mean square of the residuals."""
    return F.mean(F.square(residuals(weights, data))) / 2


def newton(weights: Array, data: Data) -> Array:
    """To where the second-order Taylor series of the loss is flat."""
    return weights - np.linalg.solve(F.hessian(loss)(weights, data).data, F.grad(loss)(weights, data))


def gauss_newton(weights: Array, data: Data) -> Array:
    """To the least squares of the residuals' first-order Taylor series."""
    jacobian, r = F.jacfwd(residuals)(weights, data).data, residuals(weights, data).data
    step: Array = np.linalg.lstsq(jacobian, r)[0]
    return weights - step


def gradient_descent(weights: Array, data: Data) -> Array:
    """Along the gradient, as far as the sharpest direction of the first step allows."""
    curvature = float(np.linalg.eigvalsh(data.x.T @ data.x / len(data.x))[-1])
    return weights - F.grad(loss)(weights, data) / curvature


def descend(step: Callable[[Array, Data], Array], data: Data, steps: int) -> list[Array]:
    """The weights from zero on, after each step."""
    path: list[Array] = [np.zeros(data.x.shape[1])]
    for _ in range(steps):
        path.append(step(path[-1], data))
    return path


def steepness(path: list[Array], data: Data) -> list[float]:
    """The norm of the gradient along a path: zero at the minimum."""
    return [float(np.linalg.norm(F.grad(loss)(weights, data))) for weights in path]


def order(norms: list[float]) -> float:
    """How fast the digits grow at the end: 2 where they double with each step, 1 where they add up."""
    a, b, c = [norm for norm in norms if norm > 1e-14][-3:]  # below, all is rounding
    return float(np.log(c / b) / np.log(b / a))


def standard_errors(weights: Array, data: Data) -> Array:
    """Of the weights, from the curvature of the squares and the variance of the residuals."""
    jacobian, r = F.jacfwd(residuals)(weights, data).data, residuals(weights, data).data
    variance = r @ r / (len(r) - len(weights))
    errors: Array = np.sqrt(variance * np.diag(np.linalg.inv(jacobian.T @ jacobian)))
    return errors


def picture(path: Path, data: Data, norms: dict[str, list[float]], weights: Array) -> None:
    """Draw how steep the loss still is after each step, and the weights that all methods seek."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.3, 1])
    for name, norm in norms.items():
        left.plot(norm[:16], marker="o", markersize=4, label=f"{name}, order {order(norm):.1f}")
    left.set(yscale="log", xlabel="step", ylabel="norm of the gradient")
    left.legend()
    left.grid(alpha=0.3)
    right.errorbar(weights[:-1], NAMES[:-1], xerr=1.96 * standard_errors(weights, data)[:-1], fmt="o")
    right.axvline(0, color="gray", linewidth=1)
    right.invert_yaxis()
    right.set_xlabel("weight, with a 95 % interval")
    right.set_title("log progression by one standard deviation", fontsize=10)
    save(figure, path)


def compare(data: Data, steps: int) -> tuple[dict[str, list[float]], Array]:
    """The norms of the gradient by method, and the weights at the minimum."""
    best = descend(newton, data, 12)
    norms = {"Newton": steepness(best, data)}
    norms["Gauss-Newton"] = steepness(descend(gauss_newton, data, 15), data)
    norms["gradient descent"] = steepness(descend(gradient_descent, data, steps), data)
    return norms, best[-1]


def main() -> None:
    """Fit in all three ways, draw, and say how well it went."""
    steps = wanted_size(__doc__, "steps", 400)
    data = load()
    norms, weights = compare(data, steps)
    picture(Path("out/diabetes_newton.png"), data, norms, weights)
    reached = next(i for i, norm in enumerate(norms["Newton"]) if norm < 1e-10)
    print(
        f"Newton: gradient {norms['Newton'][reached]:.0e} after {reached} steps, order "
        f"{order(norms['Newton']):.2f}; gradient descent: {norms['gradient descent'][-1]:.0e} after {steps}"
    )


if __name__ == "__main__":
    main()

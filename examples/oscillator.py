"""Solve a differential equation with a network: the damped oscillator x'' + 2 DAMPING x' + STIFFNESS x = 0.

The network sees no data; it is trained to leave no residual of the equation (Raissi, Perdikaris and
Karniadakis, "Physics-informed neural networks", 2019). Its second derivative in time is a `jvp` of a
`jvp`, and the Levenberg-Marquardt steps need that one's derivatives in all weights: a `jacrev`.
Run `python -m examples.oscillator`, or `make demo-oscillator`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

import nngrad.functional as F
from nngrad.functional import Array, Node, Operand

from .showing import save, wanted_size

Params = Mapping[str, Array]
DAMPING, STIFFNESS, END = 0.3, 4.0, 8.0
UNITS, POINTS = 40, 128


class Progress(NamedTuple):
    """The weights after a step, the residual's mean square, and the damping for the next step."""

    params: Params
    loss: float
    damping: float


def exact(t: Array) -> Array:
    """The solution that starts at 1 and at rest, in closed form."""
    omega = np.sqrt(STIFFNESS - DAMPING**2)
    solution: Array = np.exp(-DAMPING * t) * (np.cos(omega * t) + DAMPING / omega * np.sin(omega * t))
    return solution


def initial(rng: np.random.Generator) -> Params:
    """Hidden units that switch somewhere between 0 and END."""
    slopes = rng.choice([-1.0, 1.0], UNITS) * rng.uniform(0.5, 1.5, UNITS)
    switches = rng.uniform(0, END, UNITS)
    return {"slope": slopes, "bias": -slopes * switches, "out": rng.normal(size=UNITS) / np.sqrt(UNITS)}


def position(params: Params, t: Operand) -> Node:
    """Where the oscillator is at the times t, (N). It starts at 1 and at rest, whatever the weights."""
    hidden = F.tanh(F.mul(F.unsqueeze(t, -1), params["slope"]) + params["bias"])
    return 1.0 + F.square(F.tanh(t)) * F.matmul(hidden, params["out"])


def motion(params: Params, t: Array) -> tuple[Node, Node, Node]:
    """Position, velocity and acceleration at the times t."""
    ones = np.ones_like(t)  # a position depends on its own time alone: one direction serves them all

    def moving(t: Operand) -> tuple[Node, Node]:
        x, velocity = F.jvp(lambda t: position(params, t), (t,), (ones,))
        return x, velocity

    (x, velocity), (_, acceleration) = F.jvp(moving, (t,), (ones,))
    return x, velocity, acceleration


def residual(params: Params, t: Array) -> Node:
    """What is left of the equation at the times t; zero for a solution."""
    x, velocity, acceleration = motion(params, t)
    return acceleration + 2 * DAMPING * velocity + STIFFNESS * x


def step(progress: Progress, t: Array) -> Progress:
    """To the least squares of the linearised residual; a step that makes it worse is not taken."""
    params, loss, damping = progress
    jacobian = np.hstack([part.data for part in F.jacrev(residual)(params, t).values()])
    gradient = jacobian.T @ residual(params, t).data
    change = np.linalg.solve(jacobian.T @ jacobian + damping * np.eye(len(gradient)), gradient)
    changed = {
        name: value - part for (name, value), part in zip(params.items(), np.split(change, len(params)))
    }
    there = float(np.mean(residual(changed, t).data ** 2))
    return Progress(changed, there, damping / 3) if there < loss else Progress(params, loss, damping * 2)


def solve(steps: int, seed: int = 0) -> list[Progress]:
    """The weights and their loss, from the initial ones to those after the last step."""
    t = np.linspace(0, END, POINTS)
    params = initial(np.random.default_rng(seed))
    history = [Progress(params, float(np.mean(residual(params, t).data ** 2)), 1.0)]
    for _ in range(steps):
        history.append(step(history[-1], t))
    return history


def largest_error(params: Params) -> float:
    """How far the network is from the closed form, at worst, also between the points it was trained at."""
    t = np.linspace(0, END, 1001)
    return float(np.max(np.abs(position(params, t).data - exact(t))))


def picture(path: Path, history: list[Progress]) -> None:
    """Draw the solution, what is wrong with it, and how it got there."""
    t = np.linspace(0, END, 1001)
    first, last = history[0].params, history[-1].params
    figure = Figure(figsize=(11, 6), layout="constrained")
    axes = figure.subplot_mosaic([["x", "steps"], ["wrong", "steps"]], width_ratios=[1.5, 1])
    axes["x"].plot(t, exact(t), color="lightgray", linewidth=6, label="closed form")
    axes["x"].plot(t, position(last, t).data, color="tab:blue", label="network")
    axes["x"].plot(t, position(first, t).data, color="tab:blue", linestyle=":", label="before the first step")
    axes["x"].set_ylabel("position")
    axes["x"].legend()
    axes["wrong"].plot(t, np.abs(residual(last, t).data), color="tab:orange", label="residual")
    axes["wrong"].plot(t, np.abs(position(last, t).data - exact(t)), color="tab:blue", label="error")
    axes["wrong"].set(yscale="log", ylim=(1e-9, 1e-2), xlabel="time", ylabel="size")
    axes["wrong"].legend(ncols=2)
    axes["steps"].plot([p.loss**0.5 for p in history], color="tab:orange", label="residual, root mean square")
    axes["steps"].plot([largest_error(p.params) for p in history], color="tab:blue", label="largest error")
    axes["steps"].set(yscale="log", xlabel="step")
    axes["steps"].legend()
    save(figure, path)


def main() -> None:
    """Solve, draw, and say how well it went."""
    history = solve(wanted_size(__doc__, "steps", 50))
    picture(Path("out/oscillator.png"), history)
    print(f"largest error {largest_error(history[-1].params):.1e} against the closed form")


if __name__ == "__main__":
    main()

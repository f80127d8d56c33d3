"""Optimisers as values: parameters keep their type, and so does the state."""

# mypy: disallow-any-expr

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_type

from nngrad.functional import Array, optim


@dataclass(frozen=True)
class Parameters:
    weight: Array
    biases: list[Array]


def train(params: Parameters, gradients: Parameters) -> Parameters:
    optimizer = optim.chain(
        optim.clip_by_norm(1.0), optim.adamw(optim.warmup(10, optim.cosine(1e-3, 100)), betas=(0.9, 0.99))
    )
    assert_type(optimizer, optim.Optimizer)
    state = optimizer.init(params)
    assert_type(state, optim.State[Parameters])
    for _ in range(2):
        params, state = optimizer.update(gradients, state, params)
    assert_type(state.updates, int)
    assert_type(state.parts[1].buffers["exp_avg"], Parameters)
    assert_type(state.parts[1].steps, Mapping[str, int])
    return optimizer.update(gradients, state, params)[0]


def schedule(step: int) -> float:
    return 0.1 / (step + 1)


RATE: optim.Rate = schedule
assert_type(optim.sgd(schedule, momentum=0.9), optim.Optimizer)
assert_type(optim.chain(optim.scale(2.0), optim.clip_by_value(1.0)), optim.Transform)

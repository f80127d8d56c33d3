"""(h) Convolutions, forward (recorded) and with the backward pass, against PyTorch's."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, makers, peer, ratios, typical


class Layer(NamedTuple):
    """A convolution with bias, and the goals for its two figures, if it has any."""

    told: str
    input: tuple[int, ...]
    outs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    goals: tuple[float, float] | None = None

    def arrays(self) -> list[Any]:
        """Input, weight and bias: the same for every library."""
        random = np.random.default_rng(3)
        images, channels, *space = self.input
        shape = (self.outs, channels // self.groups, *(self.kernel,) * len(space))
        x = random.standard_normal((images, channels, *space), np.float32)
        return [x, random.standard_normal(shape, np.float32), random.standard_normal(self.outs, np.float32)]


LAYERS = (
    Layer("conv2d 32 to 64, 3x3 on (32, 32, 26, 26)", (32, 32, 26, 26), 64, 3, goals=(1.3, 1.8)),
    Layer("conv2d 1 to 32, 3x3 on (64, 1, 28, 28)", (64, 1, 28, 28), 32, 3),
    Layer("conv2d 64 to 128, 1x1 on (32, 64, 26, 26)", (32, 64, 26, 26), 128, 1),
    Layer("conv2d 32 to 64, 3x3, stride 2, padding 1 on (32, 32, 26, 26)", (32, 32, 26, 26), 64, 3, 2, 1),
    Layer("conv2d 64 to 64, 3x3, padding 1 on (32, 64, 14, 14)", (32, 64, 14, 14), 64, 3, 1, 1),
    Layer("conv2d 64 depthwise, 3x3, padding 1 on (32, 64, 26, 26)", (32, 64, 26, 26), 64, 3, 1, 1, 64),
    Layer("conv1d 32 to 64, 5, padding 2 on (32, 32, 512)", (32, 32, 512), 64, 5, 1, 2),
)


def as_torch(torch: Any, layer: Layer, backward: bool) -> Work:
    """PyTorch's program, and ours."""
    function = getattr(peer(f"{torch.__name__}.nn.functional"), f"conv{len(layer.input) - 2}d")
    operands = [torch.tensor(array, requires_grad=True) for array in layer.arrays()]
    options = {"stride": layer.stride, "padding": layer.padding, "groups": layer.groups}
    shape = function(*operands, **options).shape
    g = torch.tensor(np.random.default_rng(4).standard_normal(tuple(shape), np.float32))

    def run() -> Any:
        out = function(*operands, **options)
        if backward:
            for operand in operands:
                operand.grad = None
            out.backward(g)
        return out

    def results() -> list[Any]:
        out = run()
        return [out.detach().numpy(), *[o.grad.numpy() for o in operands if backward]]

    return Work(run, results)


def measure(rounds: int) -> list[Row]:
    """Two rows for each layer."""
    rows = []
    for layer in LAYERS:
        for backward in (False, True):
            case = f"(h) {layer.told}, {'forward and backward' if backward else 'forward'}"
            make = partial(as_torch, layer=layer, backward=backward)
            samples = compare(case, makers(nngrad=make, torch=make), rounds)
            told = f"{typical(samples[OURS]) * 1e3:.2f} ms"
            if layer.goals is None:
                rows.append(Row(case, told, ratios(samples)))
            else:
                rows.append(against_torch(case, told, samples, layer.goals[backward]))
    return rows

"""(p) A training step of whole programs: a character transformer, a GPT, a small image net; its memory."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from .depth import memory
from .harness import OURS, Failure, Row, Work, against_torch, compare, fresh, makers, peer, typical

PEAK_GOAL: Final = 1.2
#: processes whose peaks are compared, and the steps that each takes
PROCESSES: Final = 3
STEPS: Final = 10


def transformer(torch: Any, width: int, heads: int, length: int, batch: int, fused: bool) -> Work:
    """A step of a GPT of 4 layers. fused: attention in one operation, as nanoGPT; or by hand, as makemore."""
    nn, F = peer(f"{torch.__name__}.nn"), peer(f"{torch.__name__}.nn.functional")
    characters = 65 if fused else 27

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            mask = torch.tril(torch.ones(length, length)).view(1, 1, length, length)
            self.register_buffer("mask", mask)

        def forward(self, x: Any) -> Any:
            b, t, c = x.size()
            split = self.c_attn(self.ln_1(x)).split(width, dim=2)
            q, k, v = (y.view(b, t, heads, c // heads).transpose(1, 2) for y in split)
            if fused:
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            else:
                weights = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
                weights = weights.masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf"))
                y = F.softmax(weights, dim=-1) @ v
            x = x + self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))
            hidden = self.up(self.ln_2(x))
            if fused:
                return x + self.down(F.gelu(hidden))
            cubed = hidden + 0.044715 * torch.pow(hidden, 3.0)
            return x + self.down(0.5 * hidden * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * cubed)))

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte, self.wpe = nn.Embedding(characters, width), nn.Embedding(length, width)
            self.h = nn.Sequential(*[Block() for _ in range(4)])
            self.ln_f, self.lm_head = nn.LayerNorm(width), nn.Linear(width, characters, bias=False)

        def forward(self, idx: Any) -> Any:
            x = self.wte(idx) + self.wpe(torch.arange(0, idx.size(1), dtype=torch.long).unsqueeze(0))
            return self.lm_head(self.ln_f(self.h(x)))

    data = np.random.default_rng(0).integers(0, characters, (batch, length + 1))
    inputs, targets = torch.tensor(data[:, :-1]), torch.tensor(data[:, 1:])
    torch.manual_seed(0)
    return training(
        torch, Transformer(), lambda model: (model(inputs).view(-1, characters), targets.view(-1))
    )


def image_net(torch: Any) -> Work:
    """A step of the MNIST example, without its dropout."""
    nn, F = peer(f"{torch.__name__}.nn"), peer(f"{torch.__name__}.nn.functional")

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, 1), nn.Conv2d(32, 64, 3, 1)
            self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
            return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))

    rng = np.random.default_rng(0)
    images = torch.tensor(rng.standard_normal((32, 1, 28, 28)).astype(np.float32))
    targets = torch.tensor(rng.integers(0, 10, 32))
    torch.manual_seed(0)
    return training(torch, Net(), lambda model: (model(images), targets))


def training(torch: Any, model: Any, forward: Callable[[Any], tuple[Any, Any]]) -> Work:
    """Cross entropy, AdamW."""
    F, optim = peer(f"{torch.__name__}.nn.functional"), peer(f"{torch.__name__}.optim")
    optimizer = optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99))

    def step() -> None:
        logits, targets = forward(model)
        loss = F.cross_entropy(logits, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def results() -> list[Any]:
        step()
        return [p.grad.numpy().copy() for p in model.parameters()]

    return Work(step, results)


GPT: Final = partial(transformer, width=128, heads=4, length=64, batch=12, fused=True)
CASES: Final[dict[str, tuple[Callable[[Any], Work], float]]] = {
    "character transformer, 4 layers, 64 wide, batch 32 x 16": (
        partial(transformer, width=64, heads=4, length=16, batch=32, fused=False),
        0.8,
    ),
    "GPT, 4 layers, 128 wide, 64 tokens, batch 12": (GPT, 1.0),
    "image net, conv 32, conv 64, pool, two linear, batch 32": (image_net, 1.4),
}


def measure(rounds: int) -> list[Row]:
    """(p)"""
    rows = []
    for what, (make, at_most) in CASES.items():
        case = f"(p) step of {what}, AdamW"
        samples = compare(case, makers(nngrad=make, torch=make), rounds)
        rows.append(against_torch(case, f"{typical(samples[OURS]) * 1e3:.2f} ms", samples, at_most))
    peaks: dict[str, list[float] | Failure] = {
        name: [fresh("-m", "benchmarks.programs", name) for _ in range(PROCESSES)]
        for name in (OURS, "torch")
        if peer(name) is not None
    }
    case = "(p) peak memory of the GPT's step, beyond importing"
    return [*rows, against_torch(case, f"{typical(peaks[OURS]) / 1e6:.1f} MB", peaks, PEAK_GOAL)]


def peak(name: str) -> int:
    """By how many bytes some steps of the GPT raise the process's peak, once all is imported."""
    torch = peer(name)
    for part in ("nn", "nn.functional", "optim"):
        peer(f"{name}.{part}")
    before = memory("VmHWM")
    work = GPT(torch)
    for _ in range(STEPS):
        work.run()
    return memory("VmHWM") - before


if __name__ == "__main__":
    print(json.dumps(peak(sys.argv[1])))

"""Ways of writing that libraries built on PyTorch have, each in a program of its own."""

import math

import torch
import torch.nn.functional as F
from recording import program
from torch import einsum, nn
from torch.distributions import Categorical, MixtureSameFamily, Normal, RelaxedOneHotCategorical
from torch.optim.optimizer import Optimizer, required


class SequenceFirstAttention(nn.Module):
    """Attention whose sequence comes first: softmax is along the second of four dimensions."""

    def __init__(self, heads, dim, dropout=0.1):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.softmax = nn.Softmax(dim=1)
        self.output = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        seq, batch, _ = x.shape
        q, k, v = (f(x).view(seq, batch, self.heads, self.size) for f in (self.query, self.key, self.value))
        scores = einsum("ibhd,jbhd->ijbh", q, k)
        scores *= 1 / math.sqrt(self.size)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, float("-inf"))
        attention = self.dropout(self.softmax(scores))
        x = einsum("ijbh,jbhd->ibhd", attention, v)
        return self.output(x.reshape(seq, batch, -1))


class Stages(nn.Module):
    """Layers in a list, some of whose places are empty."""

    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([])
        for i in range(depth):
            down = nn.Linear(dim, dim) if i % 2 else None
            self.layers.append(nn.ModuleList([SequenceFirstAttention(2, dim), nn.LayerNorm(dim), down]))

    def forward(self, x, mask):
        for attend, norm, down in self.layers:
            x = x + attend(norm(x), mask)
            if down is not None:
                x = torch.cat([x, down(x)], dim=-1).view(*x.shape[:2], 2, -1).max(dim=2, keepdims=True)[0]
                x = x.squeeze(2)
        return x


@program
def attention_along_the_second_dimension(record):
    model = Stages(8, 4)
    record.start(model=model)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    x, y = torch.randn(6, 3, 8), torch.randn(6, 3, 8)
    mask = torch.tril(torch.ones(6, 6))[:, :, None, None]
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x, mask), y)
        loss.backward()
        optimizer.step()
        record.loss(loss.item())


class OldAdam(Optimizer):
    """Written before scales were given by name, with functions that write to `out`."""

    def __init__(self, params, lr=required, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    def step(self, closure=None):
        loss = None if closure is None else closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad, state = p.grad.data, self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = p.data.new(p.size()).zero_()
                    state["exp_avg_sq"] = torch.zeros_like(p.data)
                exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
                state["step"] += 1
                exp_avg.mul_(beta1).add_(1 - beta1, grad)
                exp_avg_sq.mul_(beta2).addcmul_(1 - beta2, grad, grad)
                denom = torch.empty_like(exp_avg_sq)
                torch.sqrt(exp_avg_sq, out=denom)
                denom.add_(group["eps"])
                size = group["lr"] * math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
                p.data.addcdiv_(-size, exp_avg, denom)
        return loss


class SAM(Optimizer):
    """Steps by the gradient where the loss is worst nearby; another optimiser takes the step."""

    def __init__(self, params, base, rho=0.05, **kwargs):
        super().__init__(params, dict(rho=rho, **kwargs))
        self.base = base(self.param_groups, **kwargs)
        self.param_groups = self.base.param_groups
        self.defaults.update(self.base.defaults)

    @torch.no_grad()
    def climb(self):
        tensors = [p for group in self.param_groups for p in group["params"]]
        norm = torch.stack(torch._foreach_norm([p.grad for p in tensors])).norm(2)
        for p in tensors:
            self.state[p]["old"] = p.data.clone()
            p.add_(p.grad * (self.param_groups[0]["rho"] / (norm + 1e-12)).to(p))

    @torch.no_grad()
    def descend(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.data = self.state[p]["old"]
        self.base.step()


@program
def optimisers_of_other_people(record):
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    record.start(model=model)
    x, y = torch.randn(12, 4), torch.randint(0, 3, (12,))
    optimizer = OldAdam(model.parameters(), lr=1e-2)
    for _ in range(10):
        optimizer.zero_grad()
        loss = optimizer.step(lambda: F.cross_entropy(model(x), y).backward())
        record.loss(F.cross_entropy(model(x), y).item())
    sharp = SAM(model.parameters(), torch.optim.SGD, lr=0.1, momentum=0.9)
    for _ in range(10):
        F.cross_entropy(model(x), y).backward()
        sharp.climb()
        sharp.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        sharp.descend()
        sharp.zero_grad()
        record.loss(loss.item())


@program
def mixture_density(record):
    """A network that gives a mixture of normals for each input, after a choice that was made soft."""
    body, head = nn.Linear(1, 16), nn.Linear(16, 9)
    record.start(body=body, head=head)
    optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=2e-2)
    x = torch.rand(32, 1) * 4 - 2
    y = torch.where(torch.rand(32) < 0.5, x[:, 0], -x[:, 0]) + 0.1 * torch.randn(32)
    for _ in range(20):
        chooser, means, scales = head(torch.tanh(body(x))).chunk(3, dim=-1)
        soft = RelaxedOneHotCategorical(torch.tensor(0.8), logits=chooser).rsample()
        mixture = MixtureSameFamily(Categorical(logits=chooser), Normal(means, F.softplus(scales) + 1e-2))
        loss = -mixture.log_prob(y).mean() + 0.01 * (soft * means).sum(-1).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        record.loss(loss.item())
    record.note(mean=mixture.mean[:3].detach(), variance=mixture.variance[:3].detach())


@program
def sentences_of_several_lengths(record):
    """Padded sentences, whose encoder leaves the padding out where it is evaluated."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    encoder, head = nn.TransformerEncoder(layer, 2), nn.Linear(8, 2)
    record.start(encoder=encoder, head=head)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=5e-3)
    x, y = torch.randn(6, 5, 8), torch.tensor([0, 1, 0, 1, 0, 1])
    padding = torch.arange(5)[None] >= torch.tensor([5, 3, 4, 2, 5, 1])[:, None]
    x[:, 0] += y[:, None]
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(head(encoder(x, src_key_padding_mask=padding).mean(dim=1)), y)
        loss.backward()
        optimizer.step()
        record.loss(loss.item())
    encoder.eval()
    with torch.no_grad():
        told = encoder(x, src_key_padding_mask=padding)
    record.note(padded=told[padding].abs().sum().item(), mean=head(told.mean(dim=1)).detach())

"""What training loops do around the model: schedules, averages, checkpoints, hooks, freezing."""

import copy
import io
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from recording import program
from torch.distributed import destroy_process_group, init_process_group  # noqa: F401
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)


def network():
    return nn.Sequential(
        nn.Linear(6, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3)
    )


def batches(count=20, size=8):
    x = torch.randn(count, size, 6)
    return list(zip(x, x[..., :3].argmax(-1)))


class EMA:
    """A moving average of the weights, to be put in their place for a while."""

    def __init__(self, model, decay):
        self.model = model
        self.decay = decay
        self.shadow = {}
        self.backup = {}
        for name, param in model.named_parameters():
            if param.requires_grad:
                self.shadow[name] = param.data.clone()

    def update(self):
        for name, param in self.model.named_parameters():
            if param.requires_grad:
                assert name in self.shadow
                self.shadow[name] = (1.0 - self.decay) * param.data + self.decay * self.shadow[name]

    def apply_shadow(self):
        for name, param in self.model.named_parameters():
            if param.requires_grad:
                self.backup[name] = param.data
                param.data = self.shadow[name]

    def restore(self):
        for name, param in self.model.named_parameters():
            if param.requires_grad:
                param.data = self.backup[name]
        self.backup = {}


@program
def warmup_average_and_accumulation(record):
    model = network()
    record.start(model=model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

    def warmup(step):
        return (step + 1) / 5 if step < 5 else 0.5 * (1 + np.cos(np.pi * (step - 5) / 15))

    scheduler = LambdaLR(optimizer, lr_lambda=warmup)
    ema = EMA(model, 0.9)
    teacher = copy.deepcopy(model).requires_grad_(False)
    rates, norms = [], []
    for x, y in batches():
        for part in torch.arange(len(x)).split(4):
            loss = F.cross_entropy(model(x[part]), y[part]) / 2
            loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
        ema.update()
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), model.parameters()):
                slow.mul_(0.9).add_(fast, alpha=0.1)
        rates.append(scheduler.get_last_lr()[0])
        record.loss(loss.item())
    x, y = batches(1)[0]
    model.eval()
    before = F.cross_entropy(model(x), y).item()
    ema.apply_shadow()
    during = F.cross_entropy(model(x), y).item()
    ema.restore()
    assert F.cross_entropy(model(x), y).item() == before
    record.note(rates=rates, norms=norms, before=before, during=during)
    record.note(teacher=[p.double().abs().sum().item() for p in teacher.parameters()])


def checkpointed(record, make, device_type="cpu"):
    """Train; save in the middle; go on; load what was saved, and go on from there again."""
    data = batches()
    model = network()
    record.start(model=model)
    optimizer = make(model.parameters())
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)

    def train(model, optimizer, scheduler, part):
        losses = []
        for x, y in part:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        return losses

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "ckpt.pt")
        for loss in train(model, optimizer, scheduler, data[:10]):
            record.loss(loss)
        checkpoint = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "rng": torch.get_rng_state(),
            "iter_num": 10,
            "config": {"lr": 0.01, "betas": (0.9, 0.95), "name": "net"},
        }
        torch.save(checkpoint, path)
        rest = train(model, optimizer, scheduler, data[10:])
        for loss in rest:
            record.loss(loss)
        checkpoint = torch.load(path, map_location=device_type, weights_only=True)
    model = network()
    optimizer = make(model.parameters())
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    torch.set_rng_state(checkpoint["rng"])
    again = train(model, optimizer, scheduler, data[checkpoint["iter_num"] :])
    record.note(same=again == rest, config=[str(checkpoint["config"])])
    assert again == rest, (again, rest)


@program
def checkpoints_with_adamw(record):
    checkpointed(record, lambda p: torch.optim.AdamW(p, lr=1e-2, betas=(0.9, 0.95), weight_decay=0.1))


@program
def checkpoints_with_momentum(record):
    checkpointed(record, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True))


@program
def checkpoints_with_rmsprop(record):
    checkpointed(record, lambda p: torch.optim.RMSprop(p, lr=1e-3, centered=True, momentum=0.5))


@program
def checkpoints_with_adagrad(record):
    checkpointed(record, lambda p: torch.optim.Adagrad(p, lr=1e-2, lr_decay=0.01))


@program
def stochastic_weight_averages(record):
    model = network()
    record.start(model=model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    swa_model = AveragedModel(model)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    swa_scheduler = SWALR(optimizer, swa_lr=0.05, anneal_epochs=3)
    data = batches()
    for step, (x, y) in enumerate(data):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        if step > 10:
            swa_model.update_parameters(model)
            swa_scheduler.step()
        else:
            scheduler.step()
        record.loss(loss.item())
    update_bn(data, swa_model)
    swa_model.eval()
    record.note(
        average=swa_model(data[0][0]).detach().double().abs().sum().item(), n=swa_model.n_averaged.item()
    )


@program
def transfer_with_frozen_layers_and_hooks(record):
    body, head = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 8)), nn.Linear(8, 3)
    model = nn.Sequential()
    model.add_module("body", body)
    model.add_module("head", head)
    record.start(model=model)
    seen, norms, sums = {}, [], []
    handle = body[0].register_forward_hook(
        lambda module, args, output: seen.update(first=output.detach().mean().item())
    )
    head.weight.register_hook(lambda grad: norms.append(grad.norm().item()))
    body[2].register_full_backward_hook(lambda module, gi, go: sums.append(go[0].abs().sum().item()))
    for param in body.parameters():
        param.requires_grad = False
    groups = [
        {"params": filter(lambda p: p.requires_grad, model.parameters()), "lr": 0.1},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]), reduction="none")
    for step, (x, y) in enumerate(batches()):
        if step == 10:
            for param in body.parameters():
                param.requires_grad_()
            optimizer.add_param_group({"params": body.parameters(), "lr": 1e-2})
            handle.remove()
        optimizer.zero_grad()
        loss = criterion(model(x), y).mean()
        loss.backward()
        optimizer.step()
        record.loss(loss.item())
    record.note(norms=norms, sums=sums, groups=[len(g["params"]) for g in optimizer.param_groups], **seen)


class Pairs(Dataset):
    """Dictionaries of arrays and numbers, as many datasets give."""

    def __init__(self, n):
        self.x = np.random.RandomState(0).randn(n, 6).astype(np.float32)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "label": int(self.x[i, 0] > 0), "weight": float(i), "name": f"item {i}"}


class Counting(IterableDataset):
    def __iter__(self):
        for i in range(7):
            yield torch.tensor([i, i * i])


@program
def datasets_of_many_kinds(record):
    dataset = ConcatDataset([Pairs(20), Subset(Pairs(30), list(range(0, 30, 3)))])
    generator = torch.Generator()
    generator.manual_seed(7)
    sampler = WeightedRandomSampler([1.0 + (i % 4) for i in range(len(dataset))], 40, generator=generator)
    model = nn.Linear(6, 2)
    record.start(model=model)
    optimizer = torch.optim.Adamax(model.parameters(), lr=0.05)
    names, weights = [], []
    for _epoch in range(2):
        for batch in DataLoader(dataset, batch_size=4, sampler=sampler):
            names.append(batch["name"][0])
            weights.append(batch["weight"].sum().item())
            loss = F.cross_entropy(model(batch["x"]), batch["label"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            record.loss(loss.item())
    counted = [batch.tolist() for batch in DataLoader(Counting(), batch_size=3, drop_last=True)]

    def collate(items):
        xs, ys = zip(*items)
        return nn.utils.rnn.pad_sequence(xs, batch_first=True), torch.stack(ys)

    lines = [(torch.arange(1 + i % 3).float(), torch.tensor(i)) for i in range(6)]
    padded = [(x.tolist(), y.tolist()) for x, y in DataLoader(lines, 3, shuffle=True, collate_fn=collate)]
    record.note(names=names, weights=weights, counted=counted, padded=[[*pair] for pair in padded])
    pinned = DataLoader(TensorDataset(torch.arange(5.0)), batch_size=2, generator=generator, shuffle=True)
    record.note(pinned=[x.tolist() for (x,) in pinned])


@program
def mixed_precision_and_profiled_loops(record):
    """Programs written for a GPU, where there is none."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    use_amp = device == "cuda"
    torch.backends.cudnn.benchmark = True
    ddp = int(os.environ.get("RANK", -1)) != -1
    assert not (ddp and torch.distributed.is_initialized() and DistributedDataParallel)
    model = nn.DataParallel(network())
    model = model.to(device, non_blocking=True)
    record.start(model=model)
    optimizer = torch.optim.NAdam(model.parameters(), lr=1e-2)
    scaler = torch.amp.GradScaler(device, enabled=use_amp)
    for x, y in batches():
        with torch.autocast(device_type=device, dtype=torch.bfloat16, enabled=use_amp):
            loss = F.cross_entropy(model(x.to(device)), y.to(device))
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        record.loss(loss.detach())
    with torch.set_grad_enabled(False):
        output = torch.max(model.eval()(x), 1)
    buffer = io.BytesIO()
    torch.save({k: v.cpu() for k, v in model.state_dict().items()}, buffer)
    buffer.seek(0)
    state = torch.load(buffer, weights_only=True)
    missing, unexpected = nn.DataParallel(network()).load_state_dict(
        {**state, "other": torch.zeros(1)}, strict=False
    )
    record.note(
        predicted=output.indices,
        largest=output.values.sum().item(),
        wrong=[missing, unexpected],
        size=sum(p.numel() for p in model.parameters() if p.requires_grad),
        printed=repr(model),
        keys=list(state),
    )


@program
def fits_by_lbfgs(record):
    x = torch.linspace(0, 1, 20, dtype=torch.double).unsqueeze(1)
    y = torch.sin(6 * x) + 0.1 * torch.cos(30 * x)
    model = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1)).double()
    record.start(model=model)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4, history_size=5)
    for _ in range(5):  # 20 steps; rounding grows tenfold in each from here

        def closure():
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), y)
            loss.backward()
            return loss

        record.loss(optimizer.step(closure).item())


@program
def weights_normed_pruned_by_hand_and_counted(record):
    from torch.nn.utils import parameters_to_vector, vector_to_parameters
    from torch.nn.utils.parametrizations import weight_norm

    model = nn.Sequential(weight_norm(nn.Linear(6, 8)), nn.ELU(), nn.Linear(8, 3))
    record.start(model=model)
    optimizer = torch.optim.RAdam(model.parameters(), lr=0.05)
    for x, y in batches():
        loss = F.multi_margin_loss(model(x), y) + 1e-3 * sum(p.abs().sum() for p in model.parameters())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            last = model[2].weight
            last[last.abs() < last.abs().flatten().kthvalue(3).values] = 0.0
        record.loss(loss.item())
    vector = parameters_to_vector(model.parameters())
    vector_to_parameters(vector * 0.5, model.parameters())
    record.note(zeros=int((model[2].weight == 0).sum()), length=len(vector), first=vector[0].item())

"""`python resuming.py save FILE` trains, saves in the middle, and goes on; `resume FILE` goes on from there.

The losses of what comes after the middle are printed.
"""

import sys

import torch
import torch.nn as nn
from gpt import GPT, GPTConfig, get_batch, text

torch.set_num_threads(1)


def network():
    torch.manual_seed(3)
    model = GPT(GPTConfig(flash=False, bias=False))
    model.extra = nn.Sequential(nn.BatchNorm1d(4), nn.PReLU())
    return model, model.configure_optimizers(1e-1, 2e-3, (0.9, 0.95), "cpu")


def train(model, optimizer, steps):
    losses = []
    for _ in range(steps):
        X, Y = get_batch(text(), 16, 4)
        logits, loss = model(X, Y)
        loss = loss + model.extra(logits.view(-1, 27)[:, :4]).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main():
    how, path = sys.argv[1:]
    model, optimizer = network()
    if how == "save":
        train(model, optimizer, 8)
        checkpoint = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "config": vars(model.config),
            "rng": torch.get_rng_state(),
        }
        torch.save(checkpoint, path)
    else:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        model = GPT(GPTConfig(**checkpoint["config"]))
        model.extra = network()[0].extra
        optimizer = model.configure_optimizers(0.5, 0.5, (0.5, 0.5), "cpu")
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        torch.set_rng_state(checkpoint["rng"])
    print(train(model, optimizer, 8))


if __name__ == "__main__":
    main()

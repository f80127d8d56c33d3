"""What users get wrong, each line with the error code that mypy must answer it with.

tests/test_typing.py checks that every marked line is rejected so, and nothing else is.
"""

from __future__ import annotations

import numpy as np
from downstream.model import Classifier

import nngrad as torch
import nngrad.functional as F
from nngrad import Tensor, nn
from nngrad.functional import Node
from nngrad.optim import SGD, Adam
from nngrad.utils.data import DataLoader, TensorDataset


class Shift(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(Tensor([1.0]))

    def forward(self, x: Tensor, scale: float) -> Tensor:
        return x * scale + self.by


def tensors(t: Tensor) -> None:
    t.sum(dimm=1)  # expect: call-arg
    t.sum(dim="rows")  # expect: arg-type
    t.reshap(2, 2)  # expect: attr-defined
    t.shape = torch.Size((2, 2))  # expect: misc
    t + "one"  # expect: arg-type
    t["first"]  # expect: index
    t.mean().item().backward()  # expect: attr-defined
    t.backward(retain_graf=True)  # expect: call-arg
    t.grad.zero_()  # expect: union-attr
    t.softmax()  # expect: call-arg
    torch.cat(t)  # expect: arg-type
    torch.exp([1.0, 2.0])  # expect: arg-type
    torch.tensor([1.0], requires_gradient=True)  # expect: call-arg
    Tensor("1.0")  # expect: arg-type
    Tensor([1.0], dtype="float")  # expect: arg-type


def nodes(x: Node) -> None:
    x.data = np.zeros(2)  # expect: misc
    x[0] = 1.0  # expect: index
    x.backward()  # expect: attr-defined
    F.exp("2")  # expect: arg-type
    F.sum(x, axes=0)  # expect: call-arg
    F.reshape(x, "flat")  # expect: arg-type
    F.value_and_grad(F.sum)(x)[0].grad  # expect: attr-defined


def modules(model: Classifier, shift: Shift, t: Tensor) -> None:
    shift(t)  # expect: call-arg
    shift(t, 2.0, 3.0)  # expect: call-arg
    shift(t, "2.0")  # expect: arg-type
    shift(t, scal=2.0)  # expect: call-arg
    name: str = shift(t, 2.0)  # expect: assignment
    print(name, model.hiden)  # expect: attr-defined
    model.hiden = nn.Linear(2, 2)  # expect: attr-defined
    model(t).logit  # expect: attr-defined
    model(model.hidden)  # expect: arg-type
    model.blocks[0].in_channels  # expect: attr-defined
    model.blocks.append(nn.ReLU())  # expect: arg-type
    nn.Linear("2", 2)  # expect: arg-type
    nn.Linear(2, 2, baias=False)  # expect: call-arg
    nn.Sequential(nn.Linear(2, 2), F.relu)  # expect: call-overload
    nn.CrossEntropyLoss()(t)  # expect: call-arg
    torch.exp(model)  # expect: arg-type
    model.snapshot()["hidden.weight"] = np.zeros(2)  # expect: index
    model.load_state_dict([t])  # expect: arg-type


def training(model: Classifier, images: Tensor, labels: Tensor) -> None:
    Adam(model.parameters(), learning_rate=0.1)  # expect: call-arg
    SGD(model, lr=0.1)  # expect: arg-type
    SGD(model.parameters(), lr="0.1")  # expect: arg-type
    DataLoader(TensorDataset(images, labels), batch_size="2")  # expect: call-overload
    loader = DataLoader(TensorDataset(images, labels), batch_size=2)
    for batch, targets in loader:
        batch.lower()  # expect: attr-defined
        model(batch, 2)  # expect: call-arg arg-type


def objective(x: Tensor, scale: float) -> Tensor:
    return x.sum() * scale


def transforms(x: Tensor) -> None:
    torch.func.grad(objective)(x, skale=2.0)  # expect: call-arg
    torch.func.grad(objective)(x, "2")  # expect: arg-type
    torch.func.grad_and_value(objective)(x, scale="2")  # expect: arg-type
    torch.vmap(objective)(x, 2.0, 3.0)  # expect: call-arg
    torch.vmap(objective, randomness="none")  # expect: arg-type
    F.grad(F.sum)("x")  # expect: arg-type

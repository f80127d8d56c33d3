"""Modules with a `forward` of their own: calling one has the signature of its `forward`."""

# mypy: disallow-any-expr

from __future__ import annotations

from typing import NamedTuple, assert_type

from nngrad import Tensor, nn


class Prediction(NamedTuple):
    logits: Tensor
    features: Tensor


class Classifier(nn.Module):
    def __init__(self, inputs: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.blocks = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(2)])
        self.heads = nn.ModuleDict({"main": nn.Linear(hidden, classes)})
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(0.1)
        self.scale = nn.Parameter(Tensor([1.0]))

    def forward(self, images: Tensor, *, head: str = "main") -> Prediction:
        features = self.activation(self.hidden(images))
        for block in self.blocks:
            assert_type(block, nn.Linear)
            features = features + self.dropout(block(features).tanh())
        return Prediction(self.heads[head](features) * self.scale, features)


class Twice(nn.Module):
    """A module around a module that it knows by its type."""

    def __init__(self, inner: Classifier) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.inner(images).logits, self.inner(images, head="main").logits


def use(model: Classifier, images: Tensor) -> Tensor:
    prediction = model(images, head="main")
    assert_type(prediction, Prediction)
    assert_type(Twice(model)(images), tuple[Tensor, Tensor])
    assert_type(nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.Tanh())(images), Tensor)
    assert_type(model.hidden.weight, nn.Parameter)
    assert_type(model.blocks[0], nn.Linear)
    assert_type(model.heads["main"], nn.Linear)
    assert_type(model.train(), Classifier)
    assert_type(model.scale.grad, Tensor | None)
    for name, parameter in model.named_parameters():
        assert_type(name, str)
        assert_type(parameter, nn.Parameter)
    return prediction.logits.softmax(dim=1)

"""How tensors print: the text that PyTorch 2.13 gave for each, and where there is a PyTorch, gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import nngrad

#: what to print, made with either library, and its text
PRINTED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda t: t.tensor([0.5e-4, 1.5e-4]), "tensor([5.0000e-05, 1.5000e-04])"),
    (
        lambda t: t.tensor([1.0, 2.0]),
        "tensor([1., 2.])",
    ),
    (
        lambda t: t.tensor([1.5, 2e-5]),
        "tensor([1.5000e+00, 2.0000e-05])",
    ),
    (
        lambda t: t.tensor([1.0, 2e9]),
        "tensor([1.0000e+00, 2.0000e+09])",
    ),
    (
        lambda t: t.tensor([1.0, 1e-5]),
        "tensor([1.0000e+00, 1.0000e-05])",
    ),
    (
        lambda t: t.tensor([1e-10]),
        "tensor([1.0000e-10])",
    ),
    (
        lambda t: t.tensor(1e10),
        "tensor(1.0000e+10)",
    ),
    (
        lambda t: t.tensor([0.5, 500.0]),
        "tensor([  0.5000, 500.0000])",
    ),
    (
        lambda t: t.tensor([0.5, 501.0]),
        "tensor([5.0000e-01, 5.0100e+02])",
    ),
    (
        lambda t: t.tensor([float("nan"), 1.0]),
        "tensor([nan, 1.])",
    ),
    (
        lambda t: t.tensor([float("nan"), 1.5, -float("inf")]),
        "tensor([   nan, 1.5000,   -inf])",
    ),
    (
        lambda t: t.tensor([float("nan"), 1e9]),
        "tensor([       nan, 1.0000e+09])",
    ),
    (
        lambda t: t.tensor([0.0, -0.0]),
        "tensor([0., -0.])",
    ),
    (
        lambda t: t.tensor([-1.5, 0.25, 100.125]),
        "tensor([ -1.5000,   0.2500, 100.1250])",
    ),
    (
        lambda t: t.tensor(3.14159),
        "tensor(3.1416)",
    ),
    (
        lambda t: t.tensor(-7),
        "tensor(-7)",
    ),
    (
        lambda t: t.tensor(True),
        "tensor(True)",
    ),
    (
        lambda t: t.tensor([True, False]),
        "tensor([ True, False])",
    ),
    (
        lambda t: t.tensor([2**40, -1]),
        "tensor([1099511627776,            -1])",
    ),
    (
        lambda t: t.tensor([1 + 2j, -3.5 - 1e-3j]),
        "tensor([ 1.0000+2.0000e+00j, -3.5000-1.0000e-03j])",
    ),
    (
        lambda t: t.tensor([1 + 2j], dtype=t.complex128),
        "tensor([1.+2.j], dtype=torch.complex128)",
    ),
    (
        lambda t: t.zeros(3),
        "tensor([0., 0., 0.])",
    ),
    (
        lambda t: t.zeros(0),
        "tensor([])",
    ),
    (
        lambda t: t.zeros(0, 3),
        "tensor([], size=(0, 3))",
    ),
    (
        lambda t: t.zeros(0, dtype=t.int64),
        "tensor([], dtype=torch.int64)",
    ),
    (
        lambda t: t.zeros(2, 0, 3, dtype=t.bool),
        "tensor([], size=(2, 0, 3), dtype=torch.bool)",
    ),
    (
        lambda t: t.zeros(2, 2, 2),
        ("tensor([[[0., 0.],\n         [0., 0.]],\n\n        [[0., 0.],\n         [0., 0.]]])"),
    ),
    (
        lambda t: t.zeros(2, 1, 2, 2),
        ("tensor([[[[0., 0.],\n          [0., 0.]]],\n\n\n        [[[0., 0.],\n          [0., 0.]]]])"),
    ),
    (
        lambda t: t.arange(24).reshape(2, 3, 4),
        (
            "tensor([[[ 0,  1,  2,  3],\n"
            "         [ 4,  5,  6,  7],\n"
            "         [ 8,  9, 10, 11]],\n"
            "\n"
            "        [[12, 13, 14, 15],\n"
            "         [16, 17, 18, 19],\n"
            "         [20, 21, 22, 23]]])"
        ),
    ),
    (
        lambda t: t.arange(2000),
        "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])",
    ),
    (
        lambda t: t.arange(2000).reshape(2, 1000),
        (
            "tensor([[   0,    1,    2,  ...,  997,  998,  999],\n"
            "        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])"
        ),
    ),
    (
        lambda t: t.arange(2000.0).reshape(20, 10, 10),
        (
            "tensor([[[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 7.0000e+00,\n"
            "          8.0000e+00, 9.0000e+00],\n"
            "         [1.0000e+01, 1.1000e+01, 1.2000e+01,  ..., 1.7000e+01,\n"
            "          1.8000e+01, 1.9000e+01],\n"
            "         [2.0000e+01, 2.1000e+01, 2.2000e+01,  ..., 2.7000e+01,\n"
            "          2.8000e+01, 2.9000e+01],\n"
            "         ...,\n"
            "         [7.0000e+01, 7.1000e+01, 7.2000e+01,  ..., 7.7000e+01,\n"
            "          7.8000e+01, 7.9000e+01],\n"
            "         [8.0000e+01, 8.1000e+01, 8.2000e+01,  ..., 8.7000e+01,\n"
            "          8.8000e+01, 8.9000e+01],\n"
            "         [9.0000e+01, 9.1000e+01, 9.2000e+01,  ..., 9.7000e+01,\n"
            "          9.8000e+01, 9.9000e+01]],\n"
            "\n"
            "        [[1.0000e+02, 1.0100e+02, 1.0200e+02,  ..., 1.0700e+02,\n"
            "          1.0800e+02, 1.0900e+02],\n"
            "         [1.1000e+02, 1.1100e+02, 1.1200e+02,  ..., 1.1700e+02,\n"
            "          1.1800e+02, 1.1900e+02],\n"
            "         [1.2000e+02, 1.2100e+02, 1.2200e+02,  ..., 1.2700e+02,\n"
            "          1.2800e+02, 1.2900e+02],\n"
            "         ...,\n"
            "         [1.7000e+02, 1.7100e+02, 1.7200e+02,  ..., 1.7700e+02,\n"
            "          1.7800e+02, 1.7900e+02],\n"
            "         [1.8000e+02, 1.8100e+02, 1.8200e+02,  ..., 1.8700e+02,\n"
            "          1.8800e+02, 1.8900e+02],\n"
            "         [1.9000e+02, 1.9100e+02, 1.9200e+02,  ..., 1.9700e+02,\n"
            "          1.9800e+02, 1.9900e+02]],\n"
            "\n"
            "        [[2.0000e+02, 2.0100e+02, 2.0200e+02,  ..., 2.0700e+02,\n"
            "          2.0800e+02, 2.0900e+02],\n"
            "         [2.1000e+02, 2.1100e+02, 2.1200e+02,  ..., 2.1700e+02,\n"
            "          2.1800e+02, 2.1900e+02],\n"
            "         [2.2000e+02, 2.2100e+02, 2.2200e+02,  ..., 2.2700e+02,\n"
            "          2.2800e+02, 2.2900e+02],\n"
            "         ...,\n"
            "         [2.7000e+02, 2.7100e+02, 2.7200e+02,  ..., 2.7700e+02,\n"
            "          2.7800e+02, 2.7900e+02],\n"
            "         [2.8000e+02, 2.8100e+02, 2.8200e+02,  ..., 2.8700e+02,\n"
            "          2.8800e+02, 2.8900e+02],\n"
            "         [2.9000e+02, 2.9100e+02, 2.9200e+02,  ..., 2.9700e+02,\n"
            "          2.9800e+02, 2.9900e+02]],\n"
            "\n"
            "        ...,\n"
            "\n"
            "        [[1.7000e+03, 1.7010e+03, 1.7020e+03,  ..., 1.7070e+03,\n"
            "          1.7080e+03, 1.7090e+03],\n"
            "         [1.7100e+03, 1.7110e+03, 1.7120e+03,  ..., 1.7170e+03,\n"
            "          1.7180e+03, 1.7190e+03],\n"
            "         [1.7200e+03, 1.7210e+03, 1.7220e+03,  ..., 1.7270e+03,\n"
            "          1.7280e+03, 1.7290e+03],\n"
            "         ...,\n"
            "         [1.7700e+03, 1.7710e+03, 1.7720e+03,  ..., 1.7770e+03,\n"
            "          1.7780e+03, 1.7790e+03],\n"
            "         [1.7800e+03, 1.7810e+03, 1.7820e+03,  ..., 1.7870e+03,\n"
            "          1.7880e+03, 1.7890e+03],\n"
            "         [1.7900e+03, 1.7910e+03, 1.7920e+03,  ..., 1.7970e+03,\n"
            "          1.7980e+03, 1.7990e+03]],\n"
            "\n"
            "        [[1.8000e+03, 1.8010e+03, 1.8020e+03,  ..., 1.8070e+03,\n"
            "          1.8080e+03, 1.8090e+03],\n"
            "         [1.8100e+03, 1.8110e+03, 1.8120e+03,  ..., 1.8170e+03,\n"
            "          1.8180e+03, 1.8190e+03],\n"
            "         [1.8200e+03, 1.8210e+03, 1.8220e+03,  ..., 1.8270e+03,\n"
            "          1.8280e+03, 1.8290e+03],\n"
            "         ...,\n"
            "         [1.8700e+03, 1.8710e+03, 1.8720e+03,  ..., 1.8770e+03,\n"
            "          1.8780e+03, 1.8790e+03],\n"
            "         [1.8800e+03, 1.8810e+03, 1.8820e+03,  ..., 1.8870e+03,\n"
            "          1.8880e+03, 1.8890e+03],\n"
            "         [1.8900e+03, 1.8910e+03, 1.8920e+03,  ..., 1.8970e+03,\n"
            "          1.8980e+03, 1.8990e+03]],\n"
            "\n"
            "        [[1.9000e+03, 1.9010e+03, 1.9020e+03,  ..., 1.9070e+03,\n"
            "          1.9080e+03, 1.9090e+03],\n"
            "         [1.9100e+03, 1.9110e+03, 1.9120e+03,  ..., 1.9170e+03,\n"
            "          1.9180e+03, 1.9190e+03],\n"
            "         [1.9200e+03, 1.9210e+03, 1.9220e+03,  ..., 1.9270e+03,\n"
            "          1.9280e+03, 1.9290e+03],\n"
            "         ...,\n"
            "         [1.9700e+03, 1.9710e+03, 1.9720e+03,  ..., 1.9770e+03,\n"
            "          1.9780e+03, 1.9790e+03],\n"
            "         [1.9800e+03, 1.9810e+03, 1.9820e+03,  ..., 1.9870e+03,\n"
            "          1.9880e+03, 1.9890e+03],\n"
            "         [1.9900e+03, 1.9910e+03, 1.9920e+03,  ..., 1.9970e+03,\n"
            "          1.9980e+03, 1.9990e+03]]])"
        ),
    ),
    (
        lambda t: t.arange(1100.0) * 1.1 - 300,
        ("tensor([-300.0000, -298.9000, -297.8000,  ...,  906.7001,  907.8000,\n         908.9000])"),
    ),
    (
        lambda t: t.arange(100.0) * 1.1,
        (
            "tensor([  0.0000,   1.1000,   2.2000,   3.3000,   4.4000,   5.5000,   6.6000,\n"
            "          7.7000,   8.8000,   9.9000,  11.0000,  12.1000,  13.2000,  14.3000,\n"
            "         15.4000,  16.5000,  17.6000,  18.7000,  19.8000,  20.9000,  22.0000,\n"
            "         23.1000,  24.2000,  25.3000,  26.4000,  27.5000,  28.6000,  29.7000,\n"
            "         30.8000,  31.9000,  33.0000,  34.1000,  35.2000,  36.3000,  37.4000,\n"
            "         38.5000,  39.6000,  40.7000,  41.8000,  42.9000,  44.0000,  45.1000,\n"
            "         46.2000,  47.3000,  48.4000,  49.5000,  50.6000,  51.7000,  52.8000,\n"
            "         53.9000,  55.0000,  56.1000,  57.2000,  58.3000,  59.4000,  60.5000,\n"
            "         61.6000,  62.7000,  63.8000,  64.9000,  66.0000,  67.1000,  68.2000,\n"
            "         69.3000,  70.4000,  71.5000,  72.6000,  73.7000,  74.8000,  75.9000,\n"
            "         77.0000,  78.1000,  79.2000,  80.3000,  81.4000,  82.5000,  83.6000,\n"
            "         84.7000,  85.8000,  86.9000,  88.0000,  89.1000,  90.2000,  91.3000,\n"
            "         92.4000,  93.5000,  94.6000,  95.7000,  96.8000,  97.9000,  99.0000,\n"
            "        100.1000, 101.2000, 102.3000, 103.4000, 104.5000, 105.6000, 106.7000,\n"
            "        107.8000, 108.9000])"
        ),
    ),
    (
        lambda t: t.arange(1000)[:30].reshape(1, 30),
        (
            "tensor([[ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "         18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]])"
        ),
    ),
    (
        lambda t: t.ones(4, dtype=t.float16),
        "tensor([1., 1., 1., 1.], dtype=torch.float16)",
    ),
    (
        lambda t: t.ones(4, dtype=t.uint8),
        "tensor([1, 1, 1, 1], dtype=torch.uint8)",
    ),
    (
        lambda t: t.ones(3, dtype=t.float64, requires_grad=True),
        "tensor([1., 1., 1.], dtype=torch.float64, requires_grad=True)",
    ),
    (
        lambda t: t.ones(17, dtype=t.float64),
        (
            "tensor([1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.],\n"
            "       dtype=torch.float64)"
        ),
    ),
    (
        lambda t: t.ones(18, dtype=t.float64, requires_grad=True),
        (
            "tensor([1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.],\n"
            "       dtype=torch.float64, requires_grad=True)"
        ),
    ),
    (
        lambda t: t.ones(3, requires_grad=True),
        "tensor([1., 1., 1.], requires_grad=True)",
    ),
    (
        lambda t: t.ones(3, requires_grad=True) * 2,
        "tensor([2., 2., 2.], grad_fn=<MulBackward0>)",
    ),
    (
        lambda t: t.ones(20, requires_grad=True) / 3,
        (
            "tensor([0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333,\n"
            "        0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333,\n"
            "        0.3333, 0.3333], grad_fn=<DivBackward0>)"
        ),
    ),
]

#: an operation on a tensor of shape (2, 3) that requires grad, and the name of its backward step
STEPS: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda t, x: x + x, "AddBackward0"),
    (lambda t, x: x - x, "SubBackward0"),
    (lambda t, x: x * x, "MulBackward0"),
    (lambda t, x: x / x, "DivBackward0"),
    (lambda t, x: -x, "NegBackward0"),
    (lambda t, x: x**2, "PowBackward0"),
    (lambda t, x: 2**x, "PowBackward2"),
    (lambda t, x: x**x, "PowBackward1"),
    (lambda t, x: x @ x.T, "MmBackward0"),
    (lambda t, x: x @ x[0], "MvBackward0"),
    (lambda t, x: x[0] @ x[0], "DotBackward0"),
    (lambda t, x: x.sum(), "SumBackward0"),
    (lambda t, x: x.sum(0), "SumBackward1"),
    (lambda t, x: x.mean(), "MeanBackward0"),
    (lambda t, x: x.mean(1), "MeanBackward1"),
    (lambda t, x: x.max(), "MaxBackward1"),
    (lambda t, x: x.amax(1), "AmaxBackward0"),
    (lambda t, x: x.T, "PermuteBackward0"),
    (lambda t, x: x.permute(1, 0), "PermuteBackward0"),
    (lambda t, x: x.reshape(3, 2), "ViewBackward0"),
    (lambda t, x: x.expand(4, 2, 3), "ExpandBackward0"),
    (lambda t, x: t.cat([x, x]), "CatBackward0"),
    (lambda t, x: t.stack([x, x]), "StackBackward0"),
    (lambda t, x: x[0], "SelectBackward0"),
    (lambda t, x: x[:, 1], "SelectBackward0"),
    (lambda t, x: x[0:1], "SliceBackward0"),
    (lambda t, x: x[:, 1:], "SliceBackward0"),
    (lambda t, x: x[None], "UnsqueezeBackward0"),
    (lambda t, x: x[...], "AliasBackward0"),
    (lambda t, x: x[x > 0], "IndexBackward0"),
    (lambda t, x: x[0, 1:], "SliceBackward0"),
    (lambda t, x: x[0, None], "UnsqueezeBackward0"),
    (lambda t, x: x.exp(), "ExpBackward0"),
    (lambda t, x: x.log(), "LogBackward0"),
    (lambda t, x: x.sqrt(), "SqrtBackward0"),
    (lambda t, x: x.tanh(), "TanhBackward0"),
    (lambda t, x: x.sigmoid(), "SigmoidBackward0"),
    (lambda t, x: x.relu(), "ReluBackward0"),
    (lambda t, x: x.abs(), "AbsBackward0"),
    (lambda t, x: t.maximum(x, x), "MaximumBackward0"),
    (lambda t, x: t.where(x > 0, x, x), "WhereBackward0"),
    (lambda t, x: x.clamp(0, 1), "ClampBackward1"),
    (lambda t, x: x.softmax(0), "SoftmaxBackward0"),
    (lambda t, x: x.log_softmax(0), "LogSoftmaxBackward0"),
    (lambda t, x: x.clone(), "CloneBackward0"),
    (lambda t, x: x.double(), "ToCopyBackward0"),
    (lambda t, x: t.nn.functional.linear(x, t.ones(2, 3), t.ones(2)), "AddmmBackward0"),
    (lambda t, x: t.nn.functional.linear(x, t.ones(2, 3)), "MmBackward0"),
]

#: options, what to print, and its text
OPTIONS: list[tuple[dict[str, Any], Callable[[Any], Any], str]] = [
    (
        {"linewidth": 41},
        lambda t: t.ones(3, requires_grad=True),
        "tensor([1., 1., 1.], requires_grad=True)",
    ),
    (
        {"linewidth": 40},
        lambda t: t.ones(3, requires_grad=True),
        "tensor([1., 1., 1.],\n       requires_grad=True)",
    ),
    (
        {"precision": 2},
        lambda t: t.tensor([1.12345]),
        "tensor([1.12])",
    ),
    (
        {"threshold": 5},
        lambda t: t.arange(10),
        "tensor([0, 1, 2,  ..., 7, 8, 9])",
    ),
    (
        {"threshold": 5, "edgeitems": 1},
        lambda t: t.arange(24).reshape(4, 6),
        ("tensor([[ 0,  ...,  5],\n        ...,\n        [18,  ..., 23]])"),
    ),
    (
        {"linewidth": 30},
        lambda t: t.arange(12.0) / 4,
        (
            "tensor([0.0000, 0.2500,\n"
            "        0.5000, 0.7500,\n"
            "        1.0000, 1.2500,\n"
            "        1.5000, 1.7500,\n"
            "        2.0000, 2.2500,\n"
            "        2.5000, 2.7500])"
        ),
    ),
    (
        {"sci_mode": True},
        lambda t: t.tensor([1.5, 2.0]),
        "tensor([1.5000e+00, 2.0000e+00])",
    ),
    (
        {"sci_mode": True},
        lambda t: t.tensor([1.0, 2.0]),
        "tensor([1.0000e+00, 2.0000e+00])",
    ),
    (
        {"sci_mode": False},
        lambda t: t.tensor([1.5, 2e-7]),
        "tensor([1.5000, 0.0000])",
    ),
    (
        {"profile": "short"},
        lambda t: t.arange(1001.0) / 8,
        "tensor([  0.00,   0.12,  ..., 124.88, 125.00])",
    ),
    (
        {"profile": "full", "linewidth": 60},
        lambda t: t.zeros(3, 334)[:, :20],
        (
            "tensor([[0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n"
            "         0., 0., 0.],\n"
            "        [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n"
            "         0., 0., 0.],\n"
            "        [0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n"
            "         0., 0., 0.]])"
        ),
    ),
    (
        {"linewidth": 40},
        lambda t: t.zeros(30),
        (
            "tensor([0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n"
            "        0., 0., 0., 0., 0., 0., 0., 0., 0., 0., 0.,\n"
            "        0., 0., 0., 0., 0., 0., 0., 0.])"
        ),
    ),
    (
        {"threshold": 5, "edgeitems": 0},
        lambda t: t.arange(10),
        "tensor([...], size=(10,))",
    ),
]


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    yield
    nngrad.set_printoptions(profile="default")


def as_ours(text: str) -> str:
    """PyTorch's text with our name for the dtype."""
    return text.replace("torch.", "nngrad.")


@pytest.mark.parametrize(("make", "text"), PRINTED)
def test_text(make: Callable[[Any], Any], text: str) -> None:
    """Digits, widths, notation, lines, summaries and suffixes are PyTorch's."""
    assert repr(make(nngrad)) == as_ours(text)
    assert str(make(nngrad)) == as_ours(text)


@pytest.mark.parametrize(("make", "text"), PRINTED)
def test_recorded_text_is_still_pytorchs(make: Callable[[Any], Any], text: str) -> None:
    """What was recorded is what PyTorch prints."""
    torch = pytest.importorskip("torch")
    assert repr(make(torch)) == text


@pytest.mark.parametrize(("call", "name"), STEPS)
def test_names_of_backward_steps(call: Callable[[Any, Any], Any], name: str) -> None:
    """`grad_fn` is called what PyTorch calls it."""
    result = call(nngrad, nngrad.ones(2, 3, requires_grad=True))
    assert result.grad_fn.name() == name
    assert repr(result).endswith(f"grad_fn=<{name}>)")


@pytest.mark.parametrize(("options", "make", "text"), OPTIONS)
def test_recorded_options_are_pytorchs(
    options: dict[str, Any], make: Callable[[Any], Any], text: str
) -> None:
    """What was recorded is what PyTorch prints with the same options."""
    torch = pytest.importorskip("torch")
    torch.set_printoptions(**options)
    try:
        assert repr(make(torch)) == text
    finally:
        torch.set_printoptions(profile="default")


@pytest.mark.parametrize(("options", "make", "text"), OPTIONS)
def test_options(options: dict[str, Any], make: Callable[[Any], Any], text: str) -> None:
    """set_printoptions changes what PyTorch's changes; the default profile undoes it."""
    before = repr(make(nngrad))
    nngrad.set_printoptions(**options)
    assert repr(make(nngrad)) == as_ours(text)
    nngrad.set_printoptions(profile="default")
    assert repr(make(nngrad)) == before


def test_unknown_profile() -> None:
    """A misspelt profile is refused."""
    with pytest.raises(ValueError, match="profile must be one of"):
        nngrad.set_printoptions(profile="ful")  # type: ignore[arg-type]  # the mistake


def test_a_subclass_prints_its_name() -> None:
    """A tensor of a class of its own says so, and its lines are indented to fit."""

    class Weight(nngrad.Tensor):
        pass

    assert repr(Weight([[1.0], [2.0]])) == "Weight([[1.],\n        [2.]])"


def test_assignment_prints_as_pytorchs() -> None:
    """What was assigned to prints the step that took it."""
    x = nngrad.ones(2, requires_grad=True) * 1
    x[0] = 2.0
    assert repr(x) == "tensor([2., 1.], grad_fn=<CopySlices>)"


def test_values_that_were_given_up() -> None:
    """A tensor whose value went to its successor still prints, and says why it has none."""
    x = nngrad.ones(3, requires_grad=True)
    y = x * 2
    y[0] = 5.0
    assert y.grad_fn is not None
    assert repr(y.prev[0]).startswith("tensor(<")
    assert "overwrote" in repr(y.prev[0])

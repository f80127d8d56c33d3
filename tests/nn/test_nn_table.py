"""Every layer against PyTorch's: text, state, first values, results, gradients, in both modes and dtypes."""

from __future__ import annotations

import copy
import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest

import nngrad

RNG = np.random.default_rng(0)


class Case(NamedTuple):
    """A layer and what it is called with: tuples are shapes of normal numbers that require grad."""

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    inputs: list[Any]


@pytest.fixture(params=["nngrad", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Both libraries: what a test asserts is true of PyTorch too."""
    return nngrad if request.param == "nngrad" else pytest.importorskip("torch")


def case(name: str, *args: Any, on: Any = (2, 3), **options: Any) -> Case:
    return Case(name, args, options, on if isinstance(on, list) else [on])


def chances(*shape: int) -> Any:
    return RNG.uniform(0.05, 0.95, shape).astype(np.float32)


def signs(*shape: int) -> Any:
    return RNG.choice([-1.0, 1.0], shape).astype(np.float32)


def whole(high: int, *shape: int) -> Any:
    return RNG.integers(0, high, shape)


X, L1, I2, V3 = (2, 3), (2, 4, 9), (2, 4, 8, 7), (2, 4, 5, 6, 4)
ALONE = ((4, 9), (4, 8, 7), (4, 5, 6, 4))
WEIGHT = np.array([0.5, 2.0, 1.0], np.float32)
TABLE = RNG.normal(size=(5, 3)).astype(np.float32) * 2

PLAIN = ["ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardsigmoid", "Hardswish", "CELU", "ELU", "LeakyReLU"]
ALWAYS = ["Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink", "GELU", "Softplus", "Hardshrink"]
SIZES = ((1, L1), (2, I2), (3, V3))

CASES: list[Case] = [
    # linear
    case("Identity", 1, a=2),
    case("Linear", 3, 4),
    case("Linear", 3, 4, False, on=(2, 5, 3)),
    case("Bilinear", 3, 4, 5, on=[(2, 3), (2, 4)]),
    case("Bilinear", 3, 4, 5, bias=False, on=[(2, 3), (2, 4)]),
    # activations
    *[case(name) for name in PLAIN + ALWAYS],
    *[case(name, inplace=True) for name in PLAIN],
    case("CELU", 0.5),
    case("ELU", 0.5, True),
    case("LeakyReLU", 0.2),
    case("GELU", "tanh"),
    case("Softplus", 2, 1.5),
    case("Hardshrink", 0.3),
    case("Softshrink"),
    case("Softshrink", 0.2),
    case("Hardtanh"),
    case("Hardtanh", -0.2, 0.4, True),
    case("Threshold", 0.1, 20),
    case("Threshold", 0.1, 2.0, True),
    case("RReLU"),
    case("RReLU", 0.1, 0.5, inplace=True),
    case("PReLU"),
    case("PReLU", 3, 0.1),
    case("GLU", on=(2, 4)),
    case("GLU", 0, on=(2, 4)),
    case("Softmax", 1),
    case("Softmin", dim=0),
    case("LogSoftmax", -1),
    case("Softmax", on=(2, 3, 4)),
    case("Softmax2d", on=I2),
    case("Softmax2d", on=ALONE[1]),
    # convolutions
    *[case(f"Conv{d}d", 4, 6, 3, on=on) for d, on in SIZES],
    *[case(f"Conv{d}d", 4, 6, 3, 2, 1, 2, 2, False, on=on) for d, on in SIZES],
    *[case(f"Conv{d}d", 4, 2, 2, padding="same", on=ALONE[d - 1]) for d, _ in SIZES],
    *[case(f"Conv{d}d", 4, 2, 3, padding="valid", on=on) for d, on in SIZES],
    *[
        case(f"Conv{d}d", 4, 2, 3, padding=1, padding_mode=mode, on=on)
        for d, on in SIZES
        for mode in ("reflect", "replicate", "circular")
    ],
    case("Conv2d", 4, 2, (2, 3), (1, 2), (0, 2), padding_mode="circular", on=I2),
    case("Conv2d", 4, 2, 4, padding="same", padding_mode="replicate", on=I2),
    *[case(f"ConvTranspose{d}d", 4, 6, 3, on=on) for d, on in SIZES],
    *[case(f"ConvTranspose{d}d", 4, 6, 2, 3, 1, 2, 2, False, 2, on=on) for d, on in SIZES],
    case("ConvTranspose2d", 4, 2, 3, stride=2, padding=1, on=[I2, [16, 14]]),
    case("ConvTranspose1d", 4, 2, 3, stride=2, on=[ALONE[0], [2, 20]]),
    # windows
    case("Unfold", 3, 2, 1, 2, on=I2),
    case("Fold", (5, 6), 2, on=(2, 12, 20)),
    *[case(f"MaxPool{d}d", 2, on=on) for d, on in SIZES],
    *[case(f"MaxPool{d}d", 3, 1, 1, 2, ceil_mode=True, on=on) for d, on in SIZES],
    *[case(f"MaxPool{d}d", 2, return_indices=True, on=on) for d, on in SIZES],
    case("FractionalMaxPool2d", 3, (3, 4), on=I2),
    case("FractionalMaxPool2d", (2, 1), output_ratio=0.5, return_indices=True, on=ALONE[1]),
    case("FractionalMaxPool3d", 2, output_ratio=(0.5, 0.6, 0.7), on=V3),
    case("FractionalMaxPool3d", (2, 3, 1), 2, return_indices=True, on=ALONE[2]),
    *[case(f"AvgPool{d}d", 2, on=on) for d, on in SIZES],
    *[case(f"AvgPool{d}d", 3, 2, 1, True, False, on=on) for d, on in SIZES],
    case("AvgPool2d", (2, 3), divisor_override=3, on=I2),
    *[case(f"LPPool{d}d", 2, 3, on=on) for d, on in SIZES],
    case("LPPool2d", 1.5, (2, 3), stride=1, ceil_mode=True, on=(chances(2, 4, 8, 7))),
    *[case(f"AdaptiveMaxPool{d}d", 3, on=on) for d, on in SIZES],
    *[case(f"AdaptiveMaxPool{d}d", 3, True, on=on) for d, on in SIZES],
    *[case(f"AdaptiveAvgPool{d}d", 3, on=on) for d, on in SIZES],
    case("AdaptiveAvgPool2d", (None, 2), on=I2),
    *[
        case(f"MaxUnpool{d}d", 2, on=[(1, 1) + (2,) * d, np.arange(2**d).reshape((1, 1) + (2,) * d)])
        for d, _ in SIZES
    ],
    case("MaxUnpool2d", (2, 2), 2, 0, on=[(1, 1, 2, 2), np.array([[[[0, 2], [9, 11]]]]), [5, 4]]),
    # padding
    *[
        case(f"{kind}Pad{d}d", width, on=on)
        for d, on in SIZES
        for kind in ("Zero", "Reflection", "Replication", "Circular")
        for width in (1, tuple(range(2 * d))[::-1] if d < 3 else (1, 2, 0, 1, 1, 0))
    ],
    *[case(f"ConstantPad{d}d", 1, 3.5, on=on) for d, on in SIZES],
    case("ZeroPad2d", (-1, 2, 0, 1), on=ALONE[1]),
    case("CircularPad1d", 2, on=ALONE[0]),
    # normalisation
    case("BatchNorm1d", 3, on=(5, 3)),
    *[case(f"BatchNorm{d}d", 4, on=on) for d, on in SIZES],
    case("BatchNorm2d", 4, 1e-3, None, on=I2),
    case("BatchNorm2d", 4, affine=False, on=I2),
    case("BatchNorm2d", 4, momentum=0.3, track_running_stats=False, on=I2),
    case("BatchNorm2d", 4, bias=False, on=I2),
    case("SyncBatchNorm", 4, on=L1),
    *[case(f"InstanceNorm{d}d", 4, on=on) for d, on in SIZES],
    *[case(f"InstanceNorm{d}d", 4, affine=True, track_running_stats=True, on=on) for d, on in SIZES],
    *[case(f"InstanceNorm{d}d", 4, affine=True, on=ALONE[d - 1]) for d, _ in SIZES],
    case("GroupNorm", 2, 4, on=I2),
    case("GroupNorm", 2, 4, affine=False, on=I2),
    case("GroupNorm", 2, 4, bias=False, on=L1),
    case("LayerNorm", 9, on=L1),
    case("LayerNorm", (4, 9), 1e-3, on=L1),
    case("LayerNorm", [9], elementwise_affine=False, on=L1),
    case("LayerNorm", 9, bias=False, on=L1),
    case("RMSNorm", 9, on=L1),
    case("RMSNorm", (4, 9), 1e-3, on=L1),
    case("RMSNorm", 9, elementwise_affine=False, on=L1),
    case("LocalResponseNorm", 3, on=I2),
    case("LocalResponseNorm", 2, 0.1, 0.5, 2.0, on=L1),
    # embeddings
    case("Embedding", 5, 3, on=whole(5, 2, 4)),
    case("Embedding", 5, 3, 1, on=whole(5, 2, 4)),
    case("Embedding", 5, 3, padding_idx=-1, scale_grad_by_freq=True, on=whole(5, 2, 4)),
    case("Embedding", 5, 3, max_norm=0.7, norm_type=1.0, on=whole(5, 2, 4)),
    case("EmbeddingBag", 5, 3, on=whole(5, 2, 4)),
    case("EmbeddingBag", 5, 3, mode="sum", on=[whole(5, 6), np.array([0, 2, 2])]),
    case("EmbeddingBag", 5, 3, mode="sum", on=[whole(5, 2, 4), None, (2, 4)]),
    case("EmbeddingBag", 5, 3, mode="max", on=whole(5, 2, 4)),
    case(
        "EmbeddingBag",
        5,
        3,
        max_norm=0.7,
        include_last_offset=True,
        padding_idx=1,
        on=[whole(5, 6), np.array([0, 2, 6])],
    ),
    # dropout
    *[case(name, on=I2) for name in ("Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout")],
    case("Dropout", 0.2, True, on=X),
    case("Dropout", p=0.0),
    case("Dropout1d", 0.3, on=L1),
    case("Dropout3d", 0.3, on=V3),
    # images
    case("Upsample", scale_factor=2, on=I2),
    case("Upsample", (3, 9), mode="bilinear", align_corners=True, on=I2),
    case("Upsample", scale_factor=(1.5, 2), mode="bicubic", on=I2),
    case("Upsample", 5, mode="linear", on=L1),
    case("UpsamplingNearest2d", scale_factor=2, on=I2),
    case("UpsamplingNearest2d", size=(3, 3), on=I2),
    case("UpsamplingBilinear2d", 9, on=I2),
    case("PixelShuffle", 2, on=I2),
    case("PixelUnshuffle", 2, on=(2, 4, 8, 6)),
    case("ChannelShuffle", 2, on=I2),
    case("Flatten", on=I2),
    case("Flatten", 0, 1, on=I2),
    case("Unflatten", 1, (2, 2), on=I2),
    # distances
    case("CosineSimilarity", on=[X, X]),
    case("CosineSimilarity", 0, 1e-6, on=[X, X]),
    case("PairwiseDistance", on=[X, X]),
    case("PairwiseDistance", 1.0, keepdim=True, on=[X, X]),
    # losses
    *[
        case(name, reduction=reduction, on=on)
        for reduction in ("mean", "sum", "none")
        for name, on in (
            ("L1Loss", [X, X]),
            ("MSELoss", [X, X]),
            ("SmoothL1Loss", [X, X]),
            ("HuberLoss", [X, X]),
            ("BCELoss", [chances(2, 3), chances(2, 3)]),
            ("BCEWithLogitsLoss", [X, chances(2, 3)]),
            ("SoftMarginLoss", [X, signs(2, 3)]),
            ("HingeEmbeddingLoss", [X, signs(2, 3)]),
            ("MultiLabelSoftMarginLoss", [X, chances(2, 3).round()]),
            ("MultiLabelMarginLoss", [X, np.array([[0, 2, -1], [1, -1, 0]])]),
            ("MultiMarginLoss", [X, whole(3, 2)]),
            ("CrossEntropyLoss", [X, whole(3, 2)]),
            ("NLLLoss", [X, whole(3, 2)]),
            ("KLDivLoss", [X, chances(2, 3)]),
            ("PoissonNLLLoss", [X, whole(5, 2, 3).astype(np.float32)]),
            ("GaussianNLLLoss", [X, X, chances(2, 3)]),
            ("CosineEmbeddingLoss", [X, X, signs(2)]),
            ("MarginRankingLoss", [X, X, signs(2, 3)]),
            ("TripletMarginLoss", [X, X, X]),
            ("TripletMarginWithDistanceLoss", [X, X, X]),
            ("CTCLoss", [(6, 2, 4), whole(3, 2, 3) + 1, np.array([6, 5]), np.array([3, 2])]),
        )
    ],
    case("SmoothL1Loss", beta=0.3, on=[X, X]),
    case("HuberLoss", delta=0.3, on=[X, X]),
    case("BCELoss", WEIGHT, on=[chances(2, 3), chances(2, 3)]),
    case("BCEWithLogitsLoss", WEIGHT, pos_weight=WEIGHT[::-1].copy(), on=[X, chances(2, 3)]),
    case("HingeEmbeddingLoss", 0.5, on=[X, signs(2, 3)]),
    case("MultiLabelSoftMarginLoss", WEIGHT, on=[X, chances(2, 3).round()]),
    case("MultiMarginLoss", 2, 0.5, WEIGHT, on=[X, whole(3, 2)]),
    case("CrossEntropyLoss", WEIGHT, ignore_index=1, label_smoothing=0.1, on=[X, whole(3, 2)]),
    case("CrossEntropyLoss", on=[(2, 3, 4), whole(3, 2, 4)]),
    case("NLLLoss", WEIGHT, ignore_index=1, on=[X, np.array([0, 2])]),
    case("KLDivLoss", reduction="batchmean", log_target=True, on=[X, -chances(2, 3)]),
    case("PoissonNLLLoss", False, True, eps=1e-6, on=[chances(2, 3), whole(5, 2, 3).astype(np.float32)]),
    case("GaussianNLLLoss", full=True, eps=1e-3, on=[X, X, chances(2, 1)]),
    case("CosineEmbeddingLoss", 0.2, on=[X, X, signs(2)]),
    case("MarginRankingLoss", 0.2, on=[X, X, signs(2, 3)]),
    case("TripletMarginLoss", 0.7, 1.0, 1e-5, True, on=[X, X, X]),
    case("TripletMarginWithDistanceLoss", margin=0.5, swap=True, on=[X, X, X]),
    case(
        "CTCLoss",
        3,
        zero_infinity=True,
        on=[(6, 2, 4), whole(3, 2, 3), np.array([6, 2]), np.array([3, 3])],
    ),
    case("AdaptiveLogSoftmaxWithLoss", 8, 10, [3, 6], on=[(4, 8), np.array([0, 9, 4, 2])]),
    case("AdaptiveLogSoftmaxWithLoss", 8, 10, [3, 6], 2.0, True, on=[(8,), np.array(7)]),
]
NAMES = [f"{c.name}-{i}" for i, c in enumerate(CASES)]


def given(lib: Any, value: Any, dtype: Any) -> Any:
    """An array as a tensor of the library, in the dtype if it is floating."""
    if isinstance(value, np.ndarray):
        tensor = lib.tensor(value)
        return tensor.to(dtype) if value.dtype.kind == "f" else tensor
    return value


def built(lib: Any, c: Case, dtype: Any) -> Any:
    lib.manual_seed(7)
    args = [given(lib, a, dtype) for a in c.args]
    options = {name: given(lib, a, dtype) for name, a in c.options.items()}
    return getattr(lib.nn, c.name)(*args, **options).to(dtype)


def arguments(lib: Any, c: Case, dtype: Any) -> list[Any]:
    random = np.random.default_rng(3)
    made = []
    for value in c.inputs:
        if isinstance(value, tuple):
            made.append(lib.tensor(random.normal(size=value).astype(np.float32)).to(dtype).requires_grad_())
        else:
            made.append(given(lib, value, dtype))
    return made


def run(lib: Any, layer: Any, c: Case, dtype: Any) -> tuple[list[Any], list[Any]]:
    """The results, and the gradients of all that requires grad, with cotangents of no symmetry."""
    inputs = arguments(lib, c, dtype)
    inplace = getattr(layer, "inplace", False)
    lib.manual_seed(11)
    result = layer(*[x * 1 if inplace and i == 0 else x for i, x in enumerate(inputs)])
    results = list(result) if isinstance(result, tuple) else [result]
    random = np.random.default_rng(5)
    total = None
    for out in results:
        if out.requires_grad:
            weight = lib.tensor(random.normal(size=tuple(out.shape)).astype(np.float32)).to(dtype)
            total = (out * weight).sum() if total is None else total + (out * weight).sum()
    if total is not None:
        total.backward()
    wanted = [x for x in inputs if getattr(x, "requires_grad", False)] + list(layer.parameters())
    return results, [x.grad for x in wanted]


def same(mine: Any, theirs: Any, tolerance: float, what: str) -> None:
    assert (mine is None) == (theirs is None), what
    if mine is not None:
        assert str(mine.dtype).replace("nngrad", "torch") == str(theirs.dtype), what
        np.testing.assert_allclose(
            mine.detach().numpy(),
            theirs.detach().numpy(),
            rtol=tolerance,
            atol=tolerance,
            strict=True,
            err_msg=what,
        )


@pytest.mark.parametrize("c", CASES, ids=NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore")
def test_layers_are_pytorchs(c: Case, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = (built(lib, c, getattr(lib, dtype)) for lib in (nngrad, torch))
    assert repr(mine) == repr(theirs)
    ours, state = mine.state_dict(), theirs.state_dict()
    assert list(ours) == list(state)
    assert {k: v["version"] for k, v in ours._metadata.items()} == {
        k: v["version"] for k, v in state._metadata.items()
    }
    for name, tensor in ours.items():  # normal numbers differ in the last place
        same(tensor, state[name], 1e-6 if "Embedding" in c.name else 0.0, name)
    assert nngrad.rand(1).item() == torch.rand(1).item()  # as much was drawn
    # PyTorch's derivative of hardsigmoid has 1 / 6 in float32, whatever the dtype
    tolerance = 2e-5 if dtype == "float32" else 1e-7 if c.name == "Hardsigmoid" else 1e-9
    for mode in ("train", "train", "eval"):
        for layer in (mine, theirs):
            getattr(layer, mode)()
            layer.zero_grad()
        (out, grads), (expected, expected_grads) = (
            run(lib, layer, c, getattr(lib, dtype)) for lib, layer in ((nngrad, mine), (torch, theirs))
        )
        assert len(out) == len(expected)
        for i, (a, b) in enumerate(zip(out, expected)):
            same(a, b, tolerance, f"result {i}, {mode}")
        for i, (a, b) in enumerate(zip(grads, expected_grads, strict=True)):
            same(a, b, tolerance * 5, f"gradient {i}, {mode}")
        for name, tensor in mine.state_dict().items():
            same(tensor, theirs.state_dict()[name], max(tolerance, 1e-6), f"{name}, {mode}")


@pytest.mark.parametrize("c", CASES, ids=NAMES)
@pytest.mark.filterwarnings("ignore")
def test_copies_work_and_are_apart(c: Case) -> None:
    layer = built(nngrad, c, nngrad.float32)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(other) == repr(layer)
        before = {name: t.tolist() for name, t in layer.state_dict().items()}
        (a, _), (b, _) = (run(nngrad, x, c, nngrad.float32) for x in (copy.deepcopy(layer), other))
        assert [t.tolist() for t in a] == [t.tolist() for t in b]
        assert {name: t.tolist() for name, t in layer.state_dict().items()} == before


def test_every_layer_has_a_case() -> None:
    layers = {
        name
        for name, thing in vars(nngrad.nn).items()
        if isinstance(thing, type)
        and issubclass(thing, nngrad.nn.Module)
        and thing.__module__.startswith("nngrad.nn.modules.")
        and not thing.__module__.endswith((".rnn", ".transformer", ".attention"))
    }
    assert layers == {c.name for c in CASES}


BAD: tuple[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...] | None, str], ...] = (
    ("Conv2d", (4, 6, 3), {"groups": 0}, None, "groups must be a positive integer"),
    ("Conv2d", (4, 6, 3), {"groups": 3}, None, "in_channels must be divisible by groups"),
    ("Conv2d", (4, 6, 3), {"groups": 4}, None, "out_channels must be divisible by groups"),
    ("Conv1d", (4, 6, 3), {"padding": "full"}, None, "Invalid padding string 'full'"),
    ("Conv1d", (4, 6, 3, 2), {"padding": "same"}, None, "not supported for strided"),
    ("Conv3d", (4, 6, 3), {"padding_mode": "zero"}, None, "padding_mode must be one of"),
    ("ConvTranspose2d", (4, 6, 3), {"padding_mode": "reflect"}, None, "padding mode is supported"),
    ("Bilinear", (0, 2, 2), {}, None, "in1_features must be > 0"),
    ("Hardtanh", (1.0, 1.0), {}, None, "must be greater than min_val"),
    ("Dropout2d", (1.5,), {}, None, "between 0 and 1"),
    ("Embedding", (5, 3, 5), {}, None, "(?i)padding_idx must be within num_embeddings"),
    ("EmbeddingBag", (5, 3), {"padding_idx": -6}, None, "(?i)padding_idx must be within num_embeddings"),
    ("Embedding", (5, 2), {"_weight": TABLE}, None, "Shape of weight does not match"),
    ("GroupNorm", (3, 4), {}, None, "must be divisible by num_groups"),
    ("Unflatten", (1, "22"), {}, None, "unflattened_size must be a tuple of ints"),
    ("Unflatten", (1, (2, 2.0)), {}, None, "found element of type float at pos 1"),
    ("HuberLoss", (), {"delta": "1"}, None, "delta must be a float or int"),
    ("MultiMarginLoss", (3,), {}, None, "only p == 1 and p == 2"),
    ("MultiMarginLoss", (), {"weight": TABLE}, None, "expected weight to be None or 1D tensor, got 2D"),
    ("TripletMarginLoss", (0.0,), {}, None, "margin to be greater than 0"),
    ("TripletMarginWithDistanceLoss", (), {"margin": -1.0}, None, "margin to be greater than 0"),
    ("AdaptiveLogSoftmaxWithLoss", (8, 10, []), {}, None, "length larger than 0"),
    ("AdaptiveLogSoftmaxWithLoss", (8, 10, [6, 3]), {}, None, "sorted in an increasing order"),
    ("AdaptiveLogSoftmaxWithLoss", (8, 10, [3, 10]), {}, None, "between 1 and n_classes-1"),
    ("BatchNorm1d", (4,), {}, I2, r"expected 2D or 3D input \(got 4D input\)"),
    ("BatchNorm2d", (4,), {}, L1, r"expected 4D input \(got 3D input\)"),
    ("SyncBatchNorm", (4,), {}, (4,), "expected at least 2D input"),
    ("InstanceNorm1d", (4,), {}, (4,), "expected 2D or 3D input"),
    ("InstanceNorm2d", (3,), {"affine": True}, I2, r"to match num_features \(3\), but got: 4"),
    ("CircularPad2d", (1,), {}, (4, 4), "expected 3D or 4D input"),
    ("Softmax2d", (), {}, (4, 4), "expected input to be 3D or 4D, got 2D"),
)


@pytest.mark.parametrize("bad", BAD, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(BAD)])
def test_bad_arguments_and_inputs_raise_pytorchs_errors(bad: Any) -> None:
    torch = pytest.importorskip("torch")
    name, args, options, shape, words = bad
    kinds = []
    for lib in (torch, nngrad):
        c = Case(name, args, options, [])
        with pytest.raises((ValueError, TypeError, AssertionError), match=words) as raised:
            _ = built(lib, c, lib.float32)(lib.ones(*shape)) if shape else built(lib, c, lib.float32)
        kinds.append(raised.type)
    assert kinds[0] is kinds[1]


def test_output_sizes_that_cannot_be(lib: Any) -> None:
    layer = lib.nn.ConvTranspose2d(4, 2, 3, stride=2)
    for size, words in (([40, 3], "valid sizes range from"), ([17], "output_size must have 2 or 4")):
        with pytest.raises(ValueError, match=words):
            layer(lib.ones(*I2), output_size=size)


def test_adaptive_softmax(lib: Any) -> None:
    lib.manual_seed(0)
    layer = lib.nn.AdaptiveLogSoftmaxWithLoss(16, 10, [3, 6])
    x = lib.ones(4, 16) * lib.arange(4.0).reshape(4, 1)
    every = layer.log_prob(x)
    np.testing.assert_allclose(every.exp().sum(1).tolist(), np.ones(4), rtol=1e-5)
    classes = lib.tensor([0, 4, 8, 2])
    np.testing.assert_allclose(
        layer(x, classes).output.tolist(), every[lib.arange(4), classes].tolist(), rtol=1e-4
    )
    assert layer.predict(x).tolist() == every.argmax(1).tolist()
    for input, target, words in (
        (x, lib.tensor([0, 4, 8, 10]), r"Target values should be in \[0, 9\]"),
        (x, lib.tensor([0]), "same size in the batch dimension"),
        (x[0], lib.tensor([0] * 16), "1D target tensor expects 2D input"),
        (x, lib.tensor(0), "0D target tensor expects 1D input"),
        (x, lib.tensor([[0]]), "multi-target not supported"),
    ):
        with pytest.raises(RuntimeError, match=words):
            layer(input, target)


def test_tables_that_there_are(lib: Any) -> None:
    table = lib.tensor(TABLE)
    layer = lib.nn.Embedding.from_pretrained(table, padding_idx=-1)
    assert not layer.weight.requires_grad
    assert repr(layer) == "Embedding(5, 3, padding_idx=4)"
    assert layer(lib.tensor([1])).tolist() == table[1:2].tolist()
    bags = lib.nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="sum")
    assert bags.weight.requires_grad
    assert repr(bags) == "EmbeddingBag(5, 3, mode='sum')"
    assert lib.nn.Embedding(5, 3, padding_idx=2).weight[2].tolist() == [0, 0, 0]
    for kind in (lib.nn.Embedding, lib.nn.EmbeddingBag):
        with pytest.raises(AssertionError, match="2-dimensional"):
            kind.from_pretrained(table[0])


def test_batch_norms_of_several_processes(lib: Any) -> None:
    net = lib.nn.Sequential(lib.nn.Conv2d(1, 2, 1), lib.nn.Sequential(lib.nn.BatchNorm2d(2, momentum=None)))
    net.eval()
    converted = lib.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert converted is net
    assert type(net[1][0]) is lib.nn.SyncBatchNorm
    assert net[1][0].momentum is None
    assert not net[1][0].training
    assert list(net.state_dict())[2:] == [
        f"1.0.{n}" for n in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    ]


def test_old_arguments_warn(lib: Any) -> None:
    with pytest.warns(FutureWarning, match="`min_value` is deprecated"):
        assert repr(lib.nn.Hardtanh(min_value=-2.0)) == "Hardtanh(min_val=-2.0, max_val=1.0)"
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert lib.nn.MSELoss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="does not match num_features"):
        lib.nn.InstanceNorm1d(3)(lib.ones(2, 4, 5))


def test_a_device_that_there_is_not() -> None:
    layers = {"Linear": (1, 1), "Conv1d": (1, 1, 1), "BatchNorm2d": (2,), "Embedding": (2, 2)}
    for name, args in layers.items():
        with pytest.raises(RuntimeError, match=f"{name}: device must be 'cpu' or None, got 'cuda'"):
            getattr(nngrad.nn, name)(*args, device="cuda")
        assert getattr(nngrad.nn, name)(*args, dtype=nngrad.float64).weight.dtype == nngrad.float64

"""Where tensors live and how they lie, and conversions, under PyTorch's names."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad

Call = Callable[[Any], Any]


def test_a_device_has_a_name() -> None:
    device = nngrad.device("cuda:1")
    assert (device.type, device.index, str(device)) == ("cuda", 1, "cuda:1")
    assert repr(device) == "device(type='cuda', index=1)" == repr(nngrad.device("cuda", 1))
    assert device == nngrad.device(1) == pickle.loads(pickle.dumps(device)) == nngrad.device(str(device))
    assert nngrad.device("cpu") != nngrad.device("cpu:0") != "cpu:0"
    assert len({nngrad.device("cpu"), nngrad.zeros(1).device, device}) == 2
    assert repr(nngrad.strided) == "nngrad.strided"
    assert repr(nngrad.channels_last) == "nngrad.channels_last"
    with nngrad.device("cpu") as here:
        assert here.type == "cpu"


@pytest.mark.parametrize("name", ["phone", "cpu:", "cpu:a", "cuda:-1"])
@pytest.mark.parametrize("library", ["nngrad", "torch"])
def test_names_of_no_device(library: str, name: str) -> None:
    with pytest.raises(RuntimeError, match=r"Expected one of cpu, cuda|Invalid device string"):
        pytest.importorskip(library).device(name)


MAKERS: dict[str, Call] = {
    "tensor": lambda new: nngrad.tensor([1.0], **new),
    "zeros": lambda new: nngrad.zeros(2, **new),
    "ones": lambda new: nngrad.ones(2, **new),
    "empty": lambda new: nngrad.empty(2, **new),
    "full": lambda new: nngrad.full((2,), 1.0, **new),
    "eye": lambda new: nngrad.eye(2, **new),
    "arange": lambda new: nngrad.arange(2, **new),
    "linspace": lambda new: nngrad.linspace(0, 1, 2, **new),
    "logspace": lambda new: nngrad.logspace(0, 1, 2, **new),
    "tril_indices": lambda new: nngrad.tril_indices(2, 2, **new),
    "triu_indices": lambda new: nngrad.triu_indices(2, 2, **new),
    "rand": lambda new: nngrad.rand(2, **new),
    "randn": lambda new: nngrad.randn(2, **new),
    "randint": lambda new: nngrad.randint(2, (2,), **new),
    "randperm": lambda new: nngrad.randperm(2, **new),
    "zeros ": lambda new: nngrad.zeros(1).new_zeros(2, **new),
    "ones ": lambda new: nngrad.zeros(1).new_ones((2,), **new),
    "empty ": lambda new: nngrad.zeros(1).new_empty(size=(2,), **new),
    "full ": lambda new: nngrad.zeros(1).new_full((2,), 1, **new),
    "new_tensor": lambda new: nngrad.zeros(1).new_tensor([1], **new),
    "zeros_like": lambda new: nngrad.zeros_like(nngrad.zeros(2), **new),
    "ones_like": lambda new: nngrad.ones_like(nngrad.zeros(2), **new),
    "empty_like": lambda new: nngrad.empty_like(nngrad.zeros(2), **new),
    "full_like": lambda new: nngrad.full_like(nngrad.zeros(2), 1.0, **new),
    "rand_like": lambda new: nngrad.rand_like(nngrad.zeros(2), **new),
    "randn_like": lambda new: nngrad.randn_like(nngrad.zeros(2), **new),
}


@pytest.mark.parametrize("name", MAKERS)
def test_new_tensors_take_what_says_nothing_new_and_refuse_the_rest(name: str) -> None:
    make, told = MAKERS[name], name.strip()
    for device in (None, "cpu", "cpu:0", nngrad.device("cpu")):
        made = make({"device": device, "layout": nngrad.strided, "pin_memory": False})
        assert made.device.type == "cpu"
        assert made.layout is nngrad.strided
    refused: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"device": "cuda"}, RuntimeError, "device must be 'cpu' or None, got 'cuda'"),
        ({"device": nngrad.device("meta")}, RuntimeError, "device must be 'cpu' or None, got 'meta'"),
        ({"device": 1.5}, TypeError, "device must be a nngrad.device, a str or None, got 1.5"),
        ({"layout": "sparse"}, RuntimeError, "layout must be nngrad.strided or None, got 'sparse'"),
        ({"pin_memory": True}, RuntimeError, "pin_memory must be False"),
        ({"place": "here"}, TypeError, "unexpected keyword argument 'place'"),
    ]
    for given, error, message in refused:
        with pytest.raises(error, match=message) as caught:
            make(given)
        assert told in str(caught.value)
    if told.endswith("_like"):
        assert make({"memory_format": nngrad.preserve_format}).shape == (2,)
        with pytest.raises(TypeError, match="memory_format must be"):
            make({"memory_format": "dense"})


LOOKS: dict[str, Call] = {
    "stride": lambda x: x.stride(),
    "stride-dim": lambda x: x.stride(-1),
    "element_size": lambda x: x.element_size(),
    "itemsize": lambda x: x.itemsize,
    "nbytes": lambda x: x.nbytes,
    "nelement": lambda x: x.nelement(),
    "ndimension": lambda x: x.ndimension(),
    "storage_offset": lambda x: x.storage_offset(),
    "is_contiguous": lambda x: x.is_contiguous(),
    "is_cuda": lambda x: x.is_cuda,
    "is_sparse": lambda x: x.is_sparse,
    "is_pinned": lambda x: x.is_pinned(),
    "get_device": lambda x: x.get_device(),
    "device": lambda x: repr(x.device),
    "is_floating_point": lambda x: x.is_floating_point(),
    "is_complex": lambda x: x.is_complex(),
    "is_signed": lambda x: x.is_signed(),
    "is_nonzero": lambda x: x.is_nonzero() if x.numel() == 1 else None,
    "type": lambda x: x.type().partition(".")[2],
    "contiguous": lambda x: x.contiguous().stride(),
}
SHAPES: dict[str, Call] = {
    "whole": lambda lib: lib.zeros(2, 3, 4),
    "halves": lambda lib: lib.zeros(2, 3, dtype=lib.float16),
    "transposed": lambda lib: lib.zeros(2, 3, 4).transpose(0, 2),
    "part": lambda lib: lib.zeros(4, 6)[1:3, ::2],
    "number": lambda lib: lib.tensor(3),
    "expanded": lambda lib: lib.zeros(3, 1).expand(3, 4),
    "bools": lambda lib: lib.zeros(2).bool(),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_tensors_look_as_in_pytorch(shape: str, look: str) -> None:
    torch = pytest.importorskip("torch")
    if (shape, look) == ("number", "stride-dim"):
        for lib in (nngrad, torch):
            with pytest.raises(IndexError, match="no dimensions"):
                lib.tensor(3).stride(-1)
        return
    assert LOOKS[look](SHAPES[shape](nngrad)) == LOOKS[look](SHAPES[shape](torch))


def test_memory_formats() -> None:
    torch = pytest.importorskip("torch")
    for lib in (nngrad, torch):
        x = lib.zeros(2, 3, 4, 5)
        assert x.is_contiguous(memory_format=lib.contiguous_format)
        assert not x.is_contiguous(memory_format=lib.channels_last)
        assert x.permute(0, 3, 1, 2).is_contiguous(memory_format=lib.channels_last)
        assert not lib.zeros(2).is_contiguous(memory_format=lib.channels_last)
        assert x.data_ptr() == x.data_ptr()
    with pytest.raises(TypeError, match="contiguous: memory_format must be"):
        nngrad.zeros(1).contiguous("dense")  # type: ignore[arg-type]  # the mistake


CONVERSIONS: dict[str, Call] = {
    "dtype": lambda lib: lib.ones(2).to(lib.float64),
    "same": lambda lib: lib.ones(2).to(lib.float32),
    "device": lambda lib: lib.ones(2).to("cpu"),
    "device-object": lambda lib: lib.ones(2).to(lib.device("cpu")),
    "device-dtype": lambda lib: lib.ones(2).to("cpu", lib.int64),
    "device-dtype-flags": lambda lib: lib.ones(2).to("cpu", lib.float16, False, True),
    "dtype-flags": lambda lib: lib.ones(2).to(lib.float32, False, True),
    "other": lambda lib: lib.ones(2).to(lib.ones(1).bool()),
    "other-flags": lambda lib: lib.ones(2).to(lib.ones(1), True, False),
    "names": lambda lib: lib.ones(2).to(device="cpu", dtype=lib.int8, non_blocking=True, copy=True),
    "format": lambda lib: lib.ones(2).to(lib.float64, memory_format=lib.preserve_format),
    "copy": lambda lib: lib.ones(2).to("cpu", copy=True),
    "type": lambda lib: lib.ones(2).type(lib.int32),
    "type-name": lambda lib: lib.ones(2).type("torch.DoubleTensor"),
    "type-same": lambda lib: lib.ones(2).type("torch.FloatTensor"),
    "type_as": lambda lib: lib.ones(2).type_as(lib.ones(1).long()),
    "cpu": lambda lib: lib.ones(2).cpu(),
    "wrong-device": lambda lib: lib.ones(2).to("phone"),
    "two-dtypes": lambda lib: lib.ones(2).to(lib.float32, lib.float64),
    "keyword": lambda lib: lib.ones(2).to(place="here"),
    "wrong-type": lambda lib: lib.ones(2).type("torch.WordTensor"),
}


@pytest.mark.parametrize("case", CONVERSIONS)
def test_conversions_are_pytorchs(case: str) -> None:
    torch = pytest.importorskip("torch")
    call = CONVERSIONS[case]
    try:
        expected = call(torch)
    except (RuntimeError, TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            call(nngrad)
        return
    made = call(nngrad)
    np.testing.assert_array_equal(made.numpy(), expected.numpy(), strict=True)


def test_a_conversion_copies_only_when_it_must() -> None:
    x = nngrad.ones(2, requires_grad=True)
    assert x.to("cpu") is x.to(nngrad.float32) is x.cpu() is x.type(nngrad.float32) is x.contiguous() is x
    copied = x.to("cpu", copy=True)
    assert copied is not x
    x.double().sum().backward()
    assert x.grad is not None
    assert x.grad.dtype is nngrad.float32
    with pytest.raises(RuntimeError, match="to: device must be 'cpu'"):
        x.to("cuda")


def test_the_version_is_the_distributions() -> None:
    parts = nngrad.__version__.split(".")
    assert len(parts) == 3
    assert all(part.isdecimal() for part in parts)


def test_limits_and_promotion_of_dtypes_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    names = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64")
    for name in names:
        ours, theirs = getattr(nngrad, name), getattr(torch, name)
        for other in names:
            met = nngrad.promote_types(ours, getattr(nngrad, other))
            assert str(met)[7:] == str(torch.promote_types(theirs, getattr(torch, other)))[6:]
        told = {"f": "finfo", "i": "iinfo", "u": "iinfo"}.get(np.dtype(ours).kind)
        if told is None:
            with pytest.raises(TypeError, match="iinfo"):
                nngrad.iinfo(ours)
            continue
        mine, limits = getattr(nngrad, told)(ours), getattr(torch, told)(theirs)
        for limit in ("max", "min", "bits", *(("eps", "tiny") if told == "finfo" else ())):
            assert float(getattr(mine, limit)) == float(getattr(limits, limit))
    assert nngrad.finfo().bits == 32
    with pytest.raises(TypeError, match=r"finfo: .*int64"):
        nngrad.finfo(nngrad.int64)


def test_there_is_no_accelerator() -> None:
    with pytest.raises(RuntimeError, match=r"cuda: .*CPU"):
        nngrad.zeros(1).cuda()

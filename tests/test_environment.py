"""What CPU programs ask of the process is answered as PyTorch answers; asking for a GPU is a clear error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import (
    accelerator,
    amp,
    backends,
    compiler,
    cuda,
    hub,
    jit,
    mps,
    multiprocessing,
    nn,
    version,
    xpu,
)
from nngrad.cuda import amp as cuda_amp

Call = Callable[[Any], Any]

#: questions that have the same answer in PyTorch where there is no GPU
SAME: dict[str, Call] = {
    "cuda": lambda lib: (lib.cuda.is_available(), lib.cuda.device_count(), lib.cuda.is_initialized()),
    "cuda seeds": lambda lib: (lib.cuda.manual_seed(1), lib.cuda.manual_seed_all(1), lib.cuda.empty_cache()),
    "cuda states": lambda lib: (lib.cuda.get_rng_state_all(), lib.cuda.memory_allocated()),
    "accelerator": lambda lib: (
        lib.accelerator.is_available(), lib.accelerator.device_count(), lib.accelerator.current_accelerator()
    ),
    "mps": lambda lib: (lib.backends.mps.is_available(), lib.backends.mps.is_built()),
    "xpu": lambda lib: (lib.xpu.is_available(), lib.xpu.device_count(), lib.xpu.manual_seed(1)),
    "cudnn": lambda lib: (lib.backends.cudnn.deterministic, lib.backends.cudnn.benchmark),
    "cudnn version": lambda lib: (lib.backends.cudnn.is_available(), lib.backends.cudnn.version()),
    "sdp": lambda lib: (lib.backends.cuda.flash_sdp_enabled(), lib.backends.cuda.is_built()),
    "tf32": lambda lib: (lib.backends.cuda.matmul.allow_tf32, lib.backends.cudnn.allow_tf32),
    "version": lambda lib: (lib.version.cuda, lib.version.hip, lib.version.__version__ == lib.__version__),
    "default device": lambda lib: (lib.set_default_device("cpu"), str(lib.get_default_device())),
    "deterministic": lambda lib: (
        lib.use_deterministic_algorithms(True, warn_only=True),
        lib.are_deterministic_algorithms_enabled(),
        lib.is_deterministic_algorithms_warn_only_enabled(),
        lib.use_deterministic_algorithms(False),
        lib.are_deterministic_algorithms_enabled(),
    ),
    "precision": lambda lib: (
        lib.set_float32_matmul_precision("high"),
        lib.get_float32_matmul_precision(),
        lib.set_float32_matmul_precision("highest"),
    ),
    "autocast": lambda lib: (lib.is_autocast_enabled(), lib.amp.is_autocast_available("cpu")),
    "jit": lambda lib: (lib.jit.is_scripting(), lib.jit.is_tracing(), lib.jit.annotate(int, 3)),
    "compiler": lambda lib: (lib.compiler.is_compiling(), lib.compiler.reset()),
    "compile nothing": lambda lib: lib.compile(disable=True)(abs)(-1),
    "typename": lambda lib: [lib.typename(x)[-11:] for x in (lib.ones(1), 1, len, "")],
    "sizes": lambda lib: [tuple(lib.Tensor(*s).shape) for s in ((), (2,), (2, 3), (lib.Size([4, 1]),))],
    "sizes of kinds": lambda lib: [tuple(lib.LongTensor(2, 3).shape), str(lib.LongTensor(1).dtype)[-5:]],
    "Tensor": lambda lib: [lib.Tensor([1, 2]).tolist(), str(lib.Tensor([1, 2]).dtype)[-7:]],
    "kinds": lambda lib: [
        (made.tolist(), str(made.dtype).partition(".")[2])
        for kind in ("Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool")
        for made in [getattr(lib, f"{kind}Tensor")([1, 0])]
    ],
    "isinstance": lambda lib: [
        isinstance(x, kind)
        for x in (lib.ones(1), lib.ones(1).long(), lib.ones(1).double(), 1, lib.nn.Parameter(lib.ones(1)))
        for kind in (lib.FloatTensor, lib.LongTensor, lib.DoubleTensor, lib.Tensor)
    ],
    "type": lambda lib: lib.ones(2).type(lib.LongTensor).tolist(),
    "default type": lambda lib: (
        lib.set_default_tensor_type("torch.DoubleTensor"),
        str(lib.tensor(1.0).dtype)[-7:],
        lib.set_default_tensor_type(lib.FloatTensor),
        str(lib.tensor(1.0).dtype)[-7:],
    ),
    "multiprocessing": lambda lib: lib.multiprocessing.get_context("spawn").get_start_method(),
    "refused device": lambda lib: lib.device("nowhere"),
    "no precision": lambda lib: lib.set_float32_matmul_precision("low"),
    "refused sizes": lambda lib: lib.Tensor(-1),
    "refused type": lambda lib: lib.set_default_tensor_type("torch.LongTensor"),
    "refused index": lambda lib: lib.cuda.synchronize(),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("question", SAME)
def test_answers_are_pytorchs(question: str) -> None:
    torch = pytest.importorskip("torch")
    ask = SAME[question]
    try:
        expected = ask(torch)
    except Exception as error:
        kind = RuntimeError if type(error) is AssertionError else type(error)
        with pytest.raises(kind):
            ask(nngrad)
        return
    assert ask(nngrad) == expected


@pytest.mark.parametrize("name", ["is_bf16_supported", "is_available", "is_initialized"])
def test_there_is_no_gpu(name: str) -> None:
    assert getattr(cuda, name)() is False
    assert cuda.max_memory_allocated() == cuda.memory_reserved() == cuda.max_memory_reserved() == 0


GPU: dict[str, Callable[[], object]] = {
    "cuda.init": cuda.init,
    "cuda.current_device": cuda.current_device,
    "cuda.set_device": lambda: cuda.set_device(0),
    "cuda.get_device_name": cuda.get_device_name,
    "cuda.get_device_properties": lambda: cuda.get_device_properties(0),
    "cuda.get_device_capability": cuda.get_device_capability,
    "cuda.synchronize": cuda.synchronize,
    "cuda.current_stream": cuda.current_stream,
    "cuda.Event": cuda.Event,
    "cuda.Stream": cuda.Stream,
    "cuda.set_rng_state_all": lambda: cuda.set_rng_state_all([nngrad.ones(1)]),
    "accelerator.synchronize": accelerator.synchronize,
    "accelerator.current_device_index": accelerator.current_device_index,
    "accelerator.set_device_index": lambda: accelerator.set_device_index(0),
    "mps.synchronize": mps.synchronize,
    "xpu.synchronize": xpu.synchronize,
}


@pytest.mark.parametrize("name", GPU)
def test_asking_for_a_gpu_is_a_clear_error(name: str) -> None:
    with pytest.raises(RuntimeError, match=f"{name}: NNGrad has no (GPU|accelerator)"):
        GPU[name]()


def test_switches_can_be_set() -> None:
    for module, names in (
        (backends.cudnn, ("enabled", "deterministic", "benchmark", "allow_tf32")),
        (backends.mkldnn, ("enabled", "deterministic")),
        (backends.cuda.matmul, ("allow_tf32",)),
    ):
        for name in names:
            before = getattr(module, name)
            setattr(module, name, not before)
            assert getattr(module, name) is not before
            setattr(module, name, before)
    backends.cuda.enable_flash_sdp(False)
    assert not backends.cuda.flash_sdp_enabled()
    backends.cuda.enable_flash_sdp(True)
    with pytest.raises(TypeError, match="set_default_tensor_type: invalid type"):
        nngrad.set_default_tensor_type("torch.WordTensor")
    with pytest.raises(RuntimeError, match="set_default_device: device must be 'cpu'"):
        nngrad.set_default_device("cuda")


def test_compiling_and_scripting_leave_things_as_they_are() -> None:
    def f(x: int) -> int:
        return x + 1

    net = nn.Linear(2, 2)
    assert nngrad.compile(f) is f
    assert nngrad.compile(net, mode="reduce-overhead") is net
    assert nngrad.compile(fullgraph=True)(f) is f
    assert nngrad.compile(backend="eager", dynamic=False)(net) is net
    assert compiler.disable(f) is f
    assert compiler.disable()(f) is f
    for leave in (jit.script, jit.trace, jit.freeze, jit.script_method, jit.export, jit.unused, jit.ignore):
        assert leave(f) is f
    assert jit.ignore(drop=True)(f) is f
    refusals: list[Callable[[], object]] = [lambda: jit.load("x.pt"), lambda: jit.save(net, "x.pt")]
    for refuse in refusals:
        with pytest.raises(RuntimeError, match="no TorchScript programs"):
            refuse()


def test_nothing_is_fetched() -> None:
    calls: dict[str, Callable[[], object]] = {
        "load": lambda: hub.load("pytorch/vision", "resnet18"),
        "list": lambda: hub.list("pytorch/vision"),
        "help": lambda: hub.help("pytorch/vision", "resnet18"),
        "load_state_dict_from_url": lambda: hub.load_state_dict_from_url("https://example.org/net.pt"),
        "download_url_to_file": lambda: hub.download_url_to_file("https://example.org/net.pt", "net.pt"),
    }
    for name, call in calls.items():
        with pytest.raises(RuntimeError, match=rf"hub\.{name}: NNGrad fetches nothing"):
            call()


def test_mixed_precision_computes_what_is_computed_without() -> None:
    def train(mixed: bool) -> Any:
        nngrad.manual_seed(0)
        net = nn.Linear(3, 2)
        optimizer = nngrad.optim.SGD(net.parameters(), lr=0.1)
        scaler = nngrad.amp.GradScaler("cpu", enabled=mixed)
        for _ in range(3):
            optimizer.zero_grad()
            with nngrad.autocast("cpu", nngrad.bfloat16, enabled=mixed):
                loss = net(nngrad.ones(4, 3)).square().mean()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
        assert scaler.get_scale() == 1.0
        assert not scaler.is_enabled()
        scaler.load_state_dict(scaler.state_dict())
        return net.weight.detach().numpy()

    np.testing.assert_array_equal(train(True), train(False))

    @amp.autocast("cpu")
    def double(x: nngrad.Tensor) -> nngrad.Tensor:
        return x * 2

    assert double(nngrad.ones(1)).tolist() == [2.0]
    assert amp.custom_fwd(double) is amp.custom_bwd(double) is double
    assert not amp.is_autocast_enabled()
    for warned in (
        lambda: amp.autocast("cuda"),
        lambda: amp.GradScaler(),
        lambda: cuda_amp.autocast(),
        lambda: cuda_amp.GradScaler(),
    ):
        with pytest.warns(UserWarning, match="there is no cuda"):
            warned()
    cuda_amp.autocast(enabled=False)
    cuda_amp.GradScaler(enabled=False)
    with pytest.raises(RuntimeError, match="device"):
        amp.autocast("phone")


def test_bfloat16_is_a_name_alone() -> None:
    assert repr(nngrad.bfloat16) == "nngrad.bfloat16"
    for ask in (
        lambda: nngrad.ones(1, dtype=nngrad.bfloat16),
        lambda: nngrad.ones(1).to(nngrad.bfloat16),
        lambda: nn.Linear(1, 1).to(nngrad.bfloat16),
        lambda: nngrad.finfo(nngrad.bfloat16),
    ):
        with pytest.raises(TypeError, match="no bfloat16 numbers, as NumPy has none: use float32"):
            ask()
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = nngrad.float32.nonesuch  # type: ignore[attr-defined]  # the mistake


def test_processes() -> None:
    assert multiprocessing.get_sharing_strategy() in multiprocessing.get_all_sharing_strategies()
    multiprocessing.set_sharing_strategy("file_system")
    multiprocessing.spawn(_end, (0,), nprocs=2, start_method="fork")
    with pytest.raises(RuntimeError, match=r"exit codes other than 0: \{0: 3, 1: 4\}"):
        multiprocessing.spawn(_end, (3,), nprocs=2, start_method="fork")
    (process,) = multiprocessing.spawn(_end, (0,), join=False, start_method="fork") or []
    process.join()
    assert process.exitcode == 0


def _end(i: int, code: int) -> None:
    sys.exit(code and code + i)


def test_the_version_is_the_packages() -> None:
    assert version.__version__ == nngrad.__version__
    assert version.cuda is None


def test_what_is_not_named_is_not_loaded() -> None:
    """Importing NNGrad loads none of this."""
    lazy = "accelerator amp as_torch backends compiler cuda distributed drawing environment hub jit mps"
    names = [f"nngrad.{m}" for m in (*lazy.split(), "multiprocessing", "serialization", "summarizing", "xpu")]
    program = f"import sys, nngrad; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

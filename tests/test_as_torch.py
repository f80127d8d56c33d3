"""Programs that import torch run on NNGrad, as they would on PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import nngrad

PROGRAM = """
import sys
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.backends.cudnn as cudnn
import torch.optim as optim
from torch import Tensor, optim as same
from torch.autograd import Variable, grad
from torch.cuda.amp import GradScaler, autocast
from torch.nn import init
from torch.nn.parameter import Parameter
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.dataloader import default_collate

cudnn.benchmark = True
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.last = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(self.last(F.relu(self.first(x))), dim=1)


def main():
    torch.manual_seed(3)
    model = Net().to(device)
    optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    scheduler = StepLR(optimizer, 3)
    dataset = TensorDataset(torch.randn(32, 4), torch.randint(2, (32,)))
    loader = DataLoader(dataset, batch_size=8, shuffle=True)
    for epoch in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(model(x.to(device)), y.to(device))
            loss.backward()
            optimizer.step()
        scheduler.step()
    torch.save(model.state_dict(), sys.argv[1])
    model.load_state_dict(torch.load(sys.argv[1], map_location=device, weights_only=True))
    print(f"{loss.item():.5f}", sys.argv[2:], __name__)


if __name__ == "__main__":
    main()
"""


def run(*arguments: str | Path, cwd: Path | None = None, lines: bool = True) -> list[str]:
    """What a Python process prints; its errors too, where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(Path(nngrad.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert bool(done.stderr) == bool(done.returncode), done.stderr
    return (done.stdout + done.stderr).splitlines()


def test_a_program_runs_and_computes_what_it_computes_on_pytorch(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    arguments: list[str | Path] = [tmp_path / "program.py", tmp_path / "net.pt", "--epochs", "3"]
    ours = run("-m", "nngrad.as_torch", *arguments)
    assert ours[0].split(" ", 1)[1] == "['--epochs', '3'] __main__"
    as_module = run("-m", "nngrad.as_torch", "-m", "program", *arguments[1:], cwd=tmp_path)
    assert as_module == ours
    pytest.importorskip("torch")
    assert run(*arguments) == ours


def check(tmp_path: Path, program: str, *options: str) -> list[str]:
    (tmp_path / "small.py").write_text(program)
    return run(*options, "-m", "nngrad.as_torch", tmp_path / "small.py", "a", "-b")


def test_the_program_is_main_as_usual(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import torch\nvalue = torch.ones(2).sum().item()\n")
    program = """
import sys, pickle, beside, __main__
class Mine: pass
print(sys.argv[1:], __name__, __file__ == sys.argv[0], beside.value, sys.path[0] != "")
print(type(pickle.loads(pickle.dumps(Mine()))) is Mine, __main__.Mine is Mine)
sys.exit(0)
"""
    assert check(tmp_path, program) == ["['a', '-b'] __main__ True 2.0 True", "True True"]
    assert check(tmp_path, "import torch\n1 / 0")[-1] == "ZeroDivisionError: division by zero"
    assert any('small.py", line 2' in line for line in check(tmp_path, "import torch\n1 / 0"))
    assert "can't open file" in run("-m", "nngrad.as_torch", tmp_path / "none.py")[0]
    assert "No module named" in run("-m", "nngrad.as_torch", "-m", "nonesuch")[0]
    assert "python -m nngrad.as_torch script.py" in "".join(run("-m", "nngrad.as_torch", "--help"))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    program = """
import torch, torch.nn.functional
for name in ("xyz", "nn.Xyz", "nn.functional.xyz", "builtins", "nn.containers.np"):
    try:
        eval("torch." + name)
    except AttributeError as error:
        print(error)
print(hasattr(torch, "sparse"), hasattr(torch.nn, "Linear"), "Linear" in dir(torch.nn))
for missing in ("import torch.xyz", "from torch import xyz", "import torch.utils.xyz.abc", "import torch_"):
    try:
        exec(missing)
    except ImportError as error:
        print(str(error).partition(" (")[0])
"""
    assert check(tmp_path, program) == [
        "nngrad lacks torch.xyz",
        "nngrad lacks torch.nn.Xyz",
        "nngrad lacks torch.nn.functional.xyz",
        "nngrad lacks torch.builtins",
        "nngrad lacks torch.nn.containers.np",
        "False True True",
        "No module named 'torch.xyz'",
        "cannot import name 'xyz' from 'torch'",
        "No module named 'torch.utils.xyz'",
        "No module named 'torch_'",
    ]


def test_what_is_not_named_is_not_loaded(tmp_path: Path) -> None:
    program = """
import sys, torch
torch.ones(2) + 1
print([m for m in ("nngrad.nn", "nngrad.optim", "torch.nn", "nngrad.serialization") if m in sys.modules])
torch.nn.Linear(1, 1)
print(sys.modules["torch.nn"] is torch.nn, torch.nn.Linear is sys.modules["nngrad.nn"].Linear)
torch.backends.cudnn.deterministic = True
print(sys.modules["nngrad.backends.cudnn"].deterministic)
"""
    assert check(tmp_path, program) == ["[]", "True True", "True"]


def test_processes_that_the_program_spawns_see_it_too(tmp_path: Path) -> None:
    program = """
import torch
import torch.multiprocessing as mp
def work(i, queue):
    queue.put((i, torch.ones(3).sum().item(), torch.__name__))
if __name__ == "__main__":
    context = mp.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=work, args=(1, queue))
    process.start()
    print(queue.get(timeout=60))
    process.join()
"""
    assert check(tmp_path, program) == ["(1, 3.0, 'torch')"]
    assert run("-m", "nngrad.as_torch", "-m", "small", cwd=tmp_path) == ["(1, 3.0, 'torch')"]


def test_install_from_python() -> None:
    program = (
        "import nngrad.as_torch as a; a.install(); a.install(); import sys, torch; a.install(); "
        "print(torch.tensor([1.5]), sum(isinstance(f, a.Finder) for f in sys.meta_path))"
    )
    assert run("-c", program) == ["tensor([1.5000]) 1"]
    pytest.importorskip("torch")
    refused = run("-c", "import torch, nngrad.as_torch as a; a.install()")
    assert refused[-1].startswith("RuntimeError: as_torch.install: torch has been imported already")


def test_what_a_program_prints_bears_pytorchs_name(tmp_path: Path) -> None:
    program = """
import copy, pickle, torch
from torch import nn
x = torch.tensor([[1.0, 3.0, 2.0], [4.0, 0.0, 5.0]])
print(x.dtype, torch.int64, x.shape, x.type(), torch.strided, torch.channels_last, torch.iinfo(torch.int8))
print(x.max(1), torch.sort(x, dim=-1), x.min(0), x.topk(2), torch.median(x, 0), x.cummax(0), x.mode())
print(torch.aminmax(x), torch.linalg.slogdet(x @ x.T), torch.linalg.eigh(torch.eye(2)))
print(type(x), type(x.shape), type(x.dtype), type(torch.device("cpu")), torch.typename(x))
print(type(nn.Linear(1, 1)), type(nn.Parameter(x)), nn.Linear.__module__)
print(pickle.loads(pickle.dumps(x.max(1))), copy.deepcopy(x.max(1)), pickle.loads(pickle.dumps(x.shape)))
print(type(pickle.loads(pickle.dumps(nn.Linear(1, 1)))), type(pickle.loads(pickle.dumps(x))))
class Held(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(1, 1)]
print(Held(), list(Held().parameters()))
"""
    ours = check(tmp_path, program)
    assert ours[0].startswith("torch.float32 torch.int64 torch.Size([2, 3]) torch.FloatTensor torch.strided")
    assert ours[1] == "torch.return_types.max("
    pytest.importorskip("torch")
    assert ours == run(tmp_path / "small.py")


REGISTERING = """
import torch
import torch._custom_ops, torch.library
from torch import fx
from torch._C import DisableTorchFunctionSubclass, Value
from torch._dynamo.utils import is_compile_supported
from torch.ao.quantization import DeQuantStub, QuantStub
from torch.fx.graph_module import _copy_attr
from torch.hub import _get_torch_home, load_state_dict_from_url
from torch.overrides import has_torch_function_variadic, is_tensor_like
from torch.jit.annotations import BroadcastingList2, List
from torch.onnx import symbolic_opset11
from torch.onnx.symbolic_helper import parse_args
from torch.types import Number, _size
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten
from torch.utils.model_zoo import load_url, tqdm

try:
    torch.ops.load_library("_C.so")
except OSError as error:
    print(error)


class Tracer(fx.Tracer):
    def call(self, target: fx.node.Target) -> fx.proxy.Proxy: ...


class Quantised(torch.nn.Module):
    def forward(self, x):
        return self.quant(x)


@torch.library.register_fake("mine::twice")
@parse_args("v", "f")
@fx.wrap
def twice(x):
    torch._C._log_api_usage_once("mine.twice")
    with DisableTorchFunctionSubclass():
        return 2 * x


fx.wrap("twice")
torch.onnx.register_custom_op_symbolic("mine::twice", twice, 11)
library = torch.library.Library("mine", "IMPL")
library.impl("twice", twice, "AutocastCPU")
keys = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCPU) | torch._C.DispatchKeySet()
leaves, spec = tree_flatten({"a": 1, "b": [2, (3, None)]})
print(twice(4), leaves, tree_unflatten([4, 5, 6, 7], spec), tree_map(str, (1, [2])), len(keys))
for refused in (Tracer, QuantStub, lambda: torch.onnx.export(None), lambda: fx.symbolic_trace(twice)):
    try:
        refused()
    except NotImplementedError as error:
        print(str(error).partition(":")[0])
with tqdm(total=2) as bar:
    bar.update(2)
print(is_compile_supported("cpu"), _get_torch_home().endswith("torch"))
"""


def test_packages_that_register_with_pytorch_are_imported(tmp_path: Path) -> None:
    (tmp_path / "package.py").write_text(REGISTERING)
    assert check(tmp_path, "import os; os.environ.pop('TORCH_HOME', 0); import package") == [
        "_C.so needs PyTorch's C++ library, which NNGrad does not have",
        "8 [1, 2, 3, None] {'a': 4, 'b': [5, (6, 7)]} ('1', ['2']) 1",
        "nngrad has no Tracer",
        "nngrad has no QuantStub",
        "nngrad has no onnx.export",
        "nngrad has no GraphModule",
        "False True",
    ]


def test_torchvision_runs_where_it_is_installed(tmp_path: Path) -> None:
    try:
        import_module("torchvision")
    except (ImportError, RuntimeError):  # of operators that it has compiled for another PyTorch
        pytest.skip("there is no torchvision that fits the PyTorch that is here")
    program = """
import torch, torchvision
from torchvision import datasets, transforms
torch.manual_seed(0)
change = transforms.Compose([
    transforms.RandomCrop(14, padding=2), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
    transforms.Normalize((0.5,) * 3, (0.5,) * 3),
])
data = torch.utils.data.DataLoader(datasets.FakeData(20, (3, 16, 16), 4, change), batch_size=5, shuffle=True)
for x, y in data:
    print(y, f"{x.double().sum().item():.4f}", transforms.Resize(7)(x).shape)
print(torchvision.models.resnet18(num_classes=4)(x).shape, torchvision.utils.make_grid(x).shape)
"""
    (tmp_path / "small.py").write_text(program)
    assert check(tmp_path, program) == run(tmp_path / "small.py")


def test_names_that_programs_import_from_far_within(tmp_path: Path) -> None:
    program = """
import torch
from torch.amp.grad_scaler import GradScaler
from torch.autograd.grad_mode import no_grad
from torch.autograd.gradcheck import gradcheck
from torch.autograd.variable import Variable
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.common_types import _size_2_t
from torch.profiler import record_function
from torch.testing import assert_close
from torch.utils.checkpoint import get_device_states, set_device_states
from torch.utils.data._utils.collate import default_collate
from torch.utils.hooks import RemovableHandle

with record_function("forward"), sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
    x = torch.special.expit(torch.zeros(2))
assert_close(x, torch.full((2,), 0.5))
print(x, torch.special.psi(x), default_collate([1, 2]))
print(isinstance(x.requires_grad_().register_hook(print), RemovableHandle))
set_device_states(*get_device_states(x))
y = torch.ones(2, dtype=torch.double, requires_grad=True)
with torch.autograd.profiler.record_function("gradients"), no_grad():
    print(Variable(x).requires_grad, isinstance(x, torch.jit.ScriptModule))
print(gradcheck(torch.sin, y))
version = torch.__version__
print(version >= "2.2", version >= (1, 13), version < "3", torch.version.__version__[:4])
for missing in ("optim import Xyz", "autograd import xyz", "jit import xyz", "utils.data import xyz"):
    try:
        exec(f"from torch.{missing}")
    except ImportError as error:
        print(str(error).partition(" (")[0])
"""
    ours = check(tmp_path, program)
    assert ours[:3] == [
        "tensor([0.5000, 0.5000]) tensor([-1.9635, -1.9635]) tensor([1, 2])",
        "True",
        "False False",
    ]
    pytest.importorskip("torch")
    assert run(tmp_path / "small.py") == ours


def test_a_whole_model_goes_through_a_file(tmp_path: Path) -> None:
    program = """
import io, torch
from torch import nn
file = io.BytesIO()
torch.save(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), file)
file.seek(0)
with torch.serialization.safe_globals([nn.Sequential, nn.Linear, nn.ReLU]):
    print(torch.load(file))
"""
    ours = check(tmp_path, program)
    assert ours[1] == "  (0): Linear(in_features=2, out_features=3, bias=True)"
    pytest.importorskip("torch")
    assert "TypeError" in run(tmp_path / "small.py")[-1] or ours == run(tmp_path / "small.py")


def test_all_names_of_a_package_are_those_of_what_is_in_it(tmp_path: Path) -> None:
    program = """
transforms = "mine"
from torch.distributions import *
from torch.nn import *
from torch.optim import *
print(transforms, Normal.__name__, Linear.__name__, Adam.__name__)
"""
    ours = check(tmp_path, program)
    assert ours == ["mine Normal Linear Adam"]
    pytest.importorskip("torch")
    assert run(tmp_path / "small.py") == ours

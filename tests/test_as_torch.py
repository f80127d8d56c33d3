"""Programs that import torch run on NNGrad, as they would on PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
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
print(hasattr(torch, "_C"), hasattr(torch.nn, "Linear"), "Linear" in dir(torch.nn))
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

"""Programs written for PyTorch, run as they are: `import torch` is answered with NNGrad.

    python -m nngrad.as_torch script.py [arguments]
    python -m nngrad.as_torch -m module [arguments]

or, before anything imports torch, `nngrad.as_torch.install()`. It holds for this process alone. Other
packages that the program imports, as torchvision, run on NNGrad too as far as they are Python.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.util
import io
import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final, final

from .devices import device
from .dtypes import dtype
from .generator import Generator
from .naming import go_by
from .tensor import Size, Tensor

_PACKAGE: Final = "nngrad"
#: tells the processes that a program spawns which one it is
_PROGRAM: Final = "NNGRAD_AS_TORCH"
#: the release whose surface NNGrad has, for programs that ask
_RELEASE: Final = "2.13.0+nngrad"
#: files that PyTorch spreads packages over: what is asked of such a file is in the package
_FILES: Final = {
    "torch._dynamo": ("config", "utils"),
    "torch.amp": ("autocast_mode", "grad_scaler"),
    "torch.ao": ("quantization",),
    "torch.autograd": ("anomaly_mode", "grad_mode", "gradcheck", "variable"),
    "torch.cuda.amp": ("autocast_mode", "grad_scaler"),
    "torch.distributions": (
        *("bernoulli", "beta", "binomial", "categorical", "chi2", "dirichlet", "exponential", "gamma"),
        *("independent", "laplace", "log_normal", "multivariate_normal", "normal", "one_hot_categorical"),
        *("poisson", "transformed_distribution", "uniform"),
    ),
    "torch.fx": ("graph", "graph_module", "interpreter", "node", "proxy"),
    "torch.nn.modules": (
        *("activation", "batchnorm", "channelshuffle", "container", "conv", "distance", "dropout", "flatten"),
        *("fold", "instancenorm", "linear", "loss", "module", "normalization", "padding", "pixelshuffle"),
        *("pooling", "rnn", "sparse", "transformer", "upsampling", "utils"),
    ),
    "torch.onnx": ("symbolic_helper", "utils"),
    "torch.optim": (
        *("adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "lbfgs", "nadam", "optimizer", "radam"),
        *("rmsprop", "rprop", "sgd"),
    ),
    "torch.profiler": ("profiler",),
    "torch.utils.data": ("_utils", "dataloader", "dataset", "distributed", "sampler"),
    "torch.utils.data._utils": ("collate", "worker"),
}
#: what packages ask for when they are imported, and who answers
_REGISTRIES: Final = {
    **{f"torch.{name}": f"registries.{name}" for name in ("_C", "_custom_ops", "_dynamo", "ao", "fx")},
    **{f"torch.{name}": f"registries.{name}" for name in ("library", "onnx", "ops", "overrides")},
    "torch.autograd.profiler": "profiler",
    "torch.distributed.nn": "registries._custom_ops",
    "torch.jit.annotations": "registries.annotations",
    "torch.utils._pytree": "registries._pytree",
}


@final
class Facade(ModuleType):
    """A module of PyTorch's, whose names are those of NNGrad's."""

    def __init__(self, name: str, real: ModuleType) -> None:
        super().__init__(name, real.__doc__)
        self.__dict__.update(__real__=real, __file__=real.__file__)

    def __getattr__(self, name: str) -> Any:
        real: ModuleType = self.__dict__["__real__"]
        if name == "__all__":
            names = [n for n in getattr(real, "__all__", dir(real)) if not n.startswith("_")]
            # files of a package are no part of `from package import *`, which would hide others' modules
            return [n for n in names if not isinstance(getattr(real, n), ModuleType)]
        try:
            value = getattr(real, name)
        except AttributeError:
            if name.startswith("__"):
                raise
            if f"{self.__name__}.{name}" in _REGISTRIES:
                return importlib.import_module(f"{self.__name__}.{name}")
            raise AttributeError(f"nngrad lacks {self.__name__}.{name}", name=name, obj=self) from None
        if isinstance(value, ModuleType):
            if value.__name__ != f"{real.__name__}.{name}":  # what the module itself imports is no part of it
                raise AttributeError(f"nngrad lacks {self.__name__}.{name}", name=name, obj=self)
            return importlib.import_module(f"{self.__name__}.{name}")
        if isinstance(value, type) and value.__module__.startswith(f"{_PACKAGE}."):  # as it will be printed
            value.__module__ = "torch" + value.__module__.removeprefix(_PACKAGE)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        real = self.__dict__["__real__"]
        if not isinstance(value, ModuleType) and not name.startswith("__") and hasattr(real, name):
            setattr(real, name, value)  # a switch, as torch.backends.cudnn.benchmark

    def __dir__(self) -> list[str]:
        return sorted({*dir(self.__dict__["__real__"]), *self.__dict__} - {"__real__"})


@final
class Version(str):
    """A version that compares with others, and with tuples, by its numbers."""

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return _numbers(self) < _numbers(other)

    def __le__(self, other: Any) -> bool:
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other: Any) -> bool:
        return _numbers(self) > _numbers(other)

    def __ge__(self, other: Any) -> bool:
        return _numbers(self) >= _numbers(other)


def _numbers(version: Any) -> tuple[int, ...]:
    parts = version.partition("+")[0].split(".") if isinstance(version, str) else version
    found = [int((re.findall(r"^\d+", str(part)) or [0])[0]) for part in parts]
    while found and not found[-1]:
        found.pop()
    return tuple(found)


@final
class Finder(MetaPathFinder, Loader):
    """Answers for `torch` and what is below it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module comes from; None for one that NNGrad lacks, or that is not PyTorch's."""
        if fullname != "torch" and not fullname.startswith("torch."):
            return None
        real = _real(fullname)
        if real is None:
            return None
        spec = ModuleSpec(fullname, self, origin=real.__file__, loader_state=real, is_package=True)
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> Facade:
        """The module that stands for NNGrad's."""
        return Facade(spec.name, spec.loader_state)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing but PyTorch's version: names are looked up when they are asked for."""
        if module.__name__ in ("torch", "torch.version"):
            module.__dict__["__version__"] = Version(_RELEASE)


def _real(fullname: str) -> ModuleType | None:
    name = _PACKAGE + fullname.removeprefix("torch")
    if fullname in _REGISTRIES:
        name = f"{_PACKAGE}.{_REGISTRIES[fullname]}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise  # what is missing is something that it needs
    package, _, file = fullname.rpartition(".")
    return _real(package) if file in _FILES.get(package, ()) else None


def install() -> None:
    """Answer `import torch` and its submodules with NNGrad's from now on.

    Raises RuntimeError if PyTorch has been imported.
    """
    loaded = sys.modules.get("torch")
    if loaded is not None and not isinstance(loaded, Facade):
        raise RuntimeError("as_torch.install: torch has been imported already; install before that")
    if not any(type(finder).__qualname__ == Finder.__qualname__ for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
        go_by("torch")
        for kind in (Tensor, Size, dtype, device, Generator):
            kind.__module__ = "torch"


class _Spec(ModuleSpec):
    """Where a program comes from: a process that it spawns comes here again, to answer for torch too."""

    def __init__(self, package: str | None) -> None:
        super().__init__(f"{_PACKAGE}.as_torch", None)
        self._package = package

    @property
    def parent(self) -> str | None:
        """The package that the program is in."""
        return self._package


def _main_module(arguments: list[str]) -> tuple[ModuleType, Any]:
    """The module to run as `__main__`, and its code. Sets sys.argv and sys.path as Python does."""
    module = ModuleType("__main__")
    if arguments[0] == "-m":
        sys.path[0] = os.getcwd()
        found = importlib.util.find_spec(arguments[1])
        if found is not None and found.submodule_search_locations is not None:
            found = importlib.util.find_spec(f"{arguments[1]}.__main__")
        if found is None or not isinstance(found.loader, importlib.abc.InspectLoader):
            sys.exit(f"{sys.executable}: No module named {arguments[1]}")
        file, code = found.origin, found.loader.get_code(found.name)
        sys.argv[:] = [str(file), *arguments[2:]]
        module.__package__ = found.parent
        module.__spec__ = _Spec(found.parent)
        os.environ[_PROGRAM] = f"-m {arguments[1]}"
    else:
        file = arguments[0]
        sys.path[0] = os.path.dirname(os.path.realpath(file))
        try:
            with io.open_code(os.path.abspath(file)) as source:
                code = compile(source.read(), file, "exec")
        except OSError as error:
            sys.exit(f"{sys.executable}: can't open file {file!r}: {error}")
        sys.argv[:] = arguments
        module.__spec__ = _Spec("")
        os.environ[_PROGRAM] = os.path.abspath(file)
    module.__dict__.update(__file__=file, __builtins__=builtins)
    return module, code


def main() -> None:
    """Run the program that the command line names."""
    arguments = sys.argv[1:]
    if not arguments or (len(arguments) == 1 and arguments[0] in ("-h", "--help", "-m")):
        print(__doc__)
        sys.exit(0 if arguments[:1] in (["-h"], ["--help"]) else 2)
    install()
    module, code = _main_module(arguments)
    sys.modules["__main__"] = module
    exec(code, module.__dict__)


def _spawned() -> dict[str, Any]:
    """The names of the program, in a process that it spawned."""
    import runpy

    install()
    program = os.environ[_PROGRAM]
    if program.startswith("-m "):
        return runpy.run_module(program[3:], run_name="__mp_main__", alter_sys=True)
    return runpy.run_path(program, run_name="__mp_main__")


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":
    globals().update(_spawned())

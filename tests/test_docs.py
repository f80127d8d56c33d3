"""What the documentation says is true, and nothing public goes without it."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from table import public_functions

import nngrad

MODULES = ["nngrad", *[m.name for m in pkgutil.walk_packages(nngrad.__path__, "nngrad.")]]


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The module, and the public functions, classes, methods and properties defined in it."""
    yield module.__name__, module
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(thing) or inspect.isclass(thing):
            yield f"{module.__name__}.{name}", thing
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                method = getattr(value, "__func__", value)  # class methods and static methods
                if not member.startswith("_") and (
                    inspect.isfunction(method) or isinstance(method, property)
                ):
                    yield f"{module.__name__}.{name}.{member}", getattr(thing, member)


def run_examples(name: str, thing: object, module: ModuleType) -> int:
    """Run the examples in the docstring of `thing`, and say how many there were."""
    names = {"np": np, "nngrad": nngrad, **vars(module)}
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(thing) or "", names, name, None, None)
    doctest.DebugRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    return len(test.examples)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    """Each example prints what it says. (What is lifted has its docstring from where it runs, and
    a method that is a function of another module has it there.)"""
    module = importlib.import_module(name)
    for qualified, thing in public(module):
        if not hasattr(thing, "__wrapped__") and getattr(thing, "__module__", name) == name:
            run_examples(qualified, thing, module)


@pytest.mark.parametrize("name", public_functions())
def test_functions_have_an_example(name: str) -> None:
    """Every function of the core shows itself at work."""
    thing = public_functions()[name]
    assert run_examples(name, thing, importlib.import_module(thing.__module__)) > 0


@pytest.mark.parametrize("name", MODULES)
def test_public_names_have_a_docstring(name: str) -> None:
    """Nothing public is without a docstring; an override may inherit its parent's."""
    module = importlib.import_module(name)
    assert [qualified for qualified, thing in public(module) if not inspect.getdoc(thing)] == []


def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code of README.md, from top to bottom, in a folder of its own."""
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 3
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)


def test_the_checks_see_faults() -> None:
    """A missing docstring is seen on everything public, and a wrong example fails."""
    module = ModuleType("bare")
    code = """
def f(): ...
class C:
    def m(self): ...
    @property
    def p(self): ...
    def _hidden(self): ...
"""
    exec(code, vars(module))
    names = [name for name, thing in public(module) if not inspect.getdoc(thing)]
    assert names == ["bare", "bare.f", "bare.C", "bare.C.m", "bare.C.p"]
    module.__doc__ = ">>> 1 + 1\n3"
    with pytest.raises(doctest.DocTestFailure):
        run_examples("bare", module, module)

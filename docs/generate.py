"""Write the parts of the documentation that are made from the code: `python -m docs.generate`.

reference.md: every public function of the core, where else it is, and what its docstring says.
api.md: the other public modules, class by class. parity.md: what is compared with PyTorch, how often,
and every known difference. A test fails when one of them is no longer what this writes.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nngrad

HERE = Path(__file__).parent
MADE = "<!-- made by `python -m docs.generate`: change the docstrings, not this -->\n"

#: the modules whose public names api.md lists
MODULES = (
    "nngrad.nn",
    "nngrad.nn.init",
    "nngrad.nn.utils",
    "nngrad.nn.utils.rnn",
    "nngrad.nn.utils.parametrize",
    "nngrad.optim",
    "nngrad.optim.lr_scheduler",
    "nngrad.functional.optim",
    "nngrad.utils.data",
    "nngrad.distributions",
    "nngrad.autograd",
    "nngrad.autograd.forward_ad",
    "nngrad.autograd.functional",
    "nngrad.func",
    "nngrad.serialization",
    "nngrad.as_torch",
)


def core_functions() -> dict[str, Any]:
    """Every public function of the core by the name it has there."""
    from table import public_functions

    found: dict[str, Any] = public_functions()
    return found


def signature(thing: Any) -> str:
    """`(input, dim=None)`: names and defaults without types, as PyTorch's pages have them."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except ValueError:
        return "(...)"
    plain = [
        p.replace(annotation=inspect.Parameter.empty) for p in parameters if p.name not in ("self", "cls")
    ]
    return re.sub(r"<(?:function|class) '?([\w.]+)'?(?: at 0x\w+)?>", r"\1", str(inspect.Signature(plain)))


def docstring(thing: Any) -> str:
    """The docstring with its examples set as code."""
    lines: list[str] = []
    inside = False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if line.startswith(">>>") and not inside:
            inside = True
            lines.append("```python")
        elif inside and not line.strip():
            inside = False
            lines.append("```")
        lines.append(line)
    return "\n".join([*lines, *["```"] * inside])


def places(name: str) -> str:
    """Where a function of the core is found on tensors."""
    homes = (
        ("nngrad", nngrad, name),
        ("Tensor", nngrad.Tensor, name),
        ("Tensor", nngrad.Tensor, name + "_"),
        ("nngrad.nn.functional", nngrad.nn.functional, name),
    )
    if name.startswith("linalg."):
        return f"`nngrad.{name}`"
    found = [f"`{told}.{n}`" for told, home, n in homes if hasattr(home, n)]
    return ", ".join(found) or "on nodes only"


def reference() -> str:
    """docs/reference.md."""
    families: dict[str, list[str]] = {}
    functions = core_functions()
    for name, function in functions.items():
        families.setdefault(function.__module__, []).append(name)
    parts = [
        "# Reference of the operators\n",
        MADE,
        "Each is a pure function on nodes, `nngrad.functional.X` (here `F.X`), and the same function on "
        "tensors where the second line says. Names, defaults, broadcasting, promotion and errors are "
        "PyTorch's; [parity.md](parity.md) tells what is compared and what differs.\n",
    ]
    for module in sorted(families):
        title = module.removeprefix("nngrad.functional.")
        parts.append(f"## {title}\n\n{inspect.getdoc(importlib.import_module(module))}\n")
        for name in sorted(families[module]):
            parts.append(f"### {name}\n\n`F.{name}{signature(functions[name])}`  \n{places(name)}\n")
            parts.append(docstring(functions[name]) + "\n")
    return "\n".join(parts)


def public_names(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The public functions and classes of a module, in order."""
    for name in sorted(dir(module)):
        thing = getattr(module, name)
        if name.startswith("_") or isinstance(thing, ModuleType):
            continue
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        if thing.__module__.startswith("nngrad"):  # not what it is made of
            yield name, thing


def api() -> str:
    """docs/api.md."""
    parts = ["# Modules, optimisers, data\n", MADE]
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        parts.append(f"## {module_name}\n\n{inspect.getdoc(module)}\n")
        for name, thing in public_names(module):
            parts.append(f"### {name}\n\n`{module_name}.{name}{signature(thing)}`\n\n{docstring(thing)}\n")
    return "\n".join(parts)


def parity() -> str:
    """docs/parity.md."""
    from differences import DIFFERENCES, LENIENT, MISSING
    from names import FAMILIES, TESTED_IN
    from table import ROWS

    rows: dict[str, list[Any]] = {}
    for row in ROWS:
        rows.setdefault(row.name, []).append(row)
    told = {"e": "float16", "f": "float32", "d": "float64", "l": "int64", "?": "bool"}
    parts = [
        "# Parity with PyTorch\n",
        MADE,
        "How many argument combinations of each operator the tests compare with PyTorch (values, result "
        "dtypes, gradients in float32 and float64, special points, errors), in which dtypes, and whether "
        "it is differentiated: then first and second derivatives are checked against finite differences, "
        "forward mode against backward mode, and vmap against a loop.\n",
    ]

    def table(names: list[str]) -> None:
        parts.append("| operator | combinations | compared | dtypes | derivatives |\n|---|---|---|---|---|")
        for name in names:
            here = rows.get(name, [])
            if not here:
                parts.append(f"| {name} | see tests/{TESTED_IN[name]} | | | |")
                continue
            compared = [row for row in here if row.torch]
            dtypes = [told[c] for c in told if any(c in row.dtypes for row in compared)]
            derivatives = "yes" if any(row.grad and any(a.tracked for a in row.args) for row in here) else ""
            parts.append(f"| {name} | {len(here)} | {len(compared)} | {' '.join(dtypes)} | {derivatives} |")
        parts.append("")

    listed: set[str] = set()
    for family, text in FAMILIES.items():
        parts.append(f"## {family}\n")
        table(text.split())
        listed.update(text.split())
    parts.append("## Others\n")
    table(sorted(set(rows) - listed))
    parts.append("## Known differences\n\nEach is checked: a test fails when it is no longer true.\n")
    for key, reason in DIFFERENCES.items():
        parts.append(f"- `{key.rstrip('-')}`: {reason}.")
    parts.append("\nTaken where PyTorch has left out the case:\n")
    for key, reason in LENIENT.items():
        parts.append(f"- `{key}` {reason}.")
    parts.append("\nNot where PyTorch has it:\n")
    for key, reason in MISSING.items():
        parts.append(f"- `{key}`: {reason}.")
    return "\n".join(parts) + "\n"


BEGIN, END = "<!-- begin: made by", "<!-- end -->"

#: PyTorch's namespaces that coming-from-pytorch.md goes through
NAMESPACES = (
    "nn",
    "nn.functional",
    "nn.init",
    "nn.utils",
    "nn.utils.rnn",
    "nn.utils.parametrizations",
    "optim",
    "optim.lr_scheduler",
    "utils.data",
    "distributions",
    "autograd",
    "autograd.forward_ad",
    "autograd.functional",
    "func",
    "linalg",
)


def guide() -> str:
    """docs/coming-from-pytorch.md: what is there and what is left out, namespace by namespace."""
    torch = importlib.import_module("torch")
    lines = ["| namespace | there | left out |\n|---|---|---|"]
    for namespace in NAMESPACES:
        theirs = importlib.import_module(f"torch.{namespace}")
        ours = importlib.import_module(f"nngrad.{namespace}")
        names = [
            name
            for name in sorted(getattr(theirs, "__all__", dir(theirs)))
            if not name.startswith("_") and callable(getattr(theirs, name, None))
            if (getattr(getattr(theirs, name), "__module__", None) or "torch").startswith("torch")
        ]
        lines.append(_told(f"torch.{namespace}", names, ours))
    methods = [name for name in sorted(dir(torch.Tensor)) if not name.startswith("_")]
    lines.append(_told("torch.Tensor", methods, nngrad.Tensor))
    written = (HERE / "coming-from-pytorch.md").read_text(encoding="utf-8")
    start = written.index("\n", written.index(BEGIN)) + 1
    return written[:start] + "\n".join(lines) + "\n" + written[written.index(END) :]


def _told(title: str, names: list[str], ours: object) -> str:
    there = [name for name in names if hasattr(ours, name)]
    missing = [name for name in names if not hasattr(ours, name)]
    return f"| `{title}` | {len(there)} of {len(names)} | {', '.join(missing)} |"


PAGES = {"reference.md": reference, "api.md": api, "parity.md": parity, "coming-from-pytorch.md": guide}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent / "tests"))
    main()

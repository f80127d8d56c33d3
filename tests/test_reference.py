"""The generated documentation is up to date, and tells about every name it has to."""

from __future__ import annotations

import pytest
from names import FAMILIES, TESTED_IN
from table import ROWS, public_functions

from docs import generate

NAMES = [name for text in FAMILIES.values() for name in text.split()]


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    if name == "coming-from-pytorch.md":
        pytest.importorskip("torch")
    written = (generate.HERE / name).read_text(encoding="utf-8")
    assert written == generate.PAGES[name](), "run `python -m docs.generate`"


def test_every_operator_is_in_the_reference() -> None:
    page = generate.reference()
    assert [name for name in public_functions() if f"\n### {name}\n" not in page] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_operator_is_compared_in_several_ways(name: str) -> None:
    assert name in public_functions()
    assert name in TESTED_IN or sum([row.name == name for row in ROWS]) >= 2

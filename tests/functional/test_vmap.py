"""vmap over the whole table: as if the function had been called for each example in turn."""

from __future__ import annotations

import numpy as np
import pytest
from checks import run
from table import ROWS, Array, Row

import nngrad.functional as F


def examples(row: Row, n: int = 3) -> list[list[Array]]:
    """Operands for several examples: the row's own, and others of the same kind."""
    rng = np.random.default_rng(5)
    first = row.arrays()
    made = [first]
    for _ in range(n - 1):
        made.append(
            [
                a * rng.uniform(0.9, 1.1, a.shape) if a.dtype.kind == "f" else a[::-1] if a.ndim else a
                for a in first
            ]
        )
    return made


#: functions whose results have a shape that depends on values, so that examples do not stack
RAGGED = ("unique", "unique_consecutive", "nonzero", "argwhere", "masked_select")


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.args and row.name not in RAGGED], ids=lambda row: row.id
)
def test_vmap_is_the_loop(row: Row) -> None:
    operands = examples(row)
    expected = [run(row, arrays) for arrays in operands]
    stacked = [np.stack(column) for column in zip(*operands)]
    got = F.vmap(lambda *xs: run(row, list(xs)))(*stacked)
    for i, outs in enumerate(expected):
        for out, whole in zip(outs, got, strict=True):
            assert whole.dtype == out.dtype
            np.testing.assert_allclose(whole.data[i], out.data, rtol=1e-10, atol=1e-12, strict=True)

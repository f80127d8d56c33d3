"""Values and dtypes of every row, against NumPy and PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from checks import run
from differences import LENIENT
from table import ROWS, WITHOUT_ROW, Row, TorchNames, public_functions

pytestmark = pytest.mark.table

DTYPES = {"e": np.float16, "f": np.float32, "d": np.float64, "l": np.int64, "?": np.bool_}
TOLERANCE = {"e": 4e-3, "f": 2e-6, "d": 1e-12, "l": 2e-6, "?": 2e-6}


def as_list(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_value_is_numpys(row: Row) -> None:
    arrays = row.arrays()
    expected = as_list(row.numpy(*arrays))
    outs = run(row, arrays)
    assert len(outs) == len(expected)
    for out, value in zip(outs, expected):
        assert isinstance(out.data, np.ndarray)
        assert out.dtype == np.asarray(value).dtype
        np.testing.assert_allclose(out.data, value, rtol=1e-12, atol=1e-14, strict=True)


def same_as_torch(row: Row, operands: list[Any], tolerance: float) -> None:
    """Both give the same arrays, or both refuse."""
    torch = pytest.importorskip("torch")
    twins = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in operands]
    try:
        expected = as_list(row.call(TorchNames(torch), *twins))
    except (RuntimeError, NotImplementedError, TypeError, ZeroDivisionError) as refused:
        if row.name not in LENIENT:
            with pytest.raises((RuntimeError, TypeError, ZeroDivisionError)):
                pytest.fail(f"PyTorch refuses ({refused}), we gave {run(row, operands)}")
        return
    for out, twin in zip(run(row, operands), expected, strict=True):
        np.testing.assert_allclose(
            out.data, twin.detach().numpy(), rtol=tolerance, atol=tolerance, strict=True
        )


CASES = [(row, code) for row in ROWS if row.torch for code in row.dtypes]


@pytest.mark.parametrize(("row", "code"), CASES, ids=[f"{row.id}-{code}" for row, code in CASES])
def test_value_and_dtype_are_pytorchs(row: Row, code: str) -> None:
    arrays = [a.astype(DTYPES[code]) if a.dtype.kind == "f" else a for a in row.arrays()]
    same_as_torch(row, arrays, TOLERANCE[code])


MIXED = [row for row in ROWS if row.mixed]
NUMBERS: list[Any] = [True, 2, 1.5]


@pytest.mark.parametrize("row", MIXED, ids=lambda row: row.name)
def test_two_dtypes_meet_as_in_pytorch(row: Row) -> None:
    rng = np.random.default_rng(0)
    for a_code in DTYPES:
        for b_code in (*DTYPES, *NUMBERS):
            if row.name == "pow" and a_code == "?" and not isinstance(b_code, str):
                continue  # PyTorch takes bools to a Python number's power, though not to a tensor's
            for a_shape, b_shape in (((2, 3), (3,)), ((2, 3), ()), ((), (2,)), ((), ())):
                a: Any = np.asarray(rng.integers(1, 4, a_shape)).astype(DTYPES[a_code])
                b: Any = b_code
                if b_code in DTYPES and isinstance(b_code, str):
                    b = np.asarray(rng.integers(1, 4, b_shape)).astype(DTYPES[b_code])
                same_as_torch(row, [a, b], 4e-3)


def test_every_public_function_has_a_row() -> None:
    public = set(public_functions())
    named = {row.name for row in ROWS}
    assert public - named == set(WITHOUT_ROW)
    assert named <= public
    assert len({row.id for row in ROWS}) == len(ROWS)

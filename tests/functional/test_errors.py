"""Bad input: the error types that PyTorch's users expect, naming the op, the argument and the shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from table import FAMILIES, TorchNames

import nngrad.functional as F

A, B, V = np.ones((2, 3)), np.ones((3, 2)), np.ones(3)
WHOLE, MASK = np.arange(3), np.array([True, False, True])

#: what is called (f is nngrad.functional, or PyTorch), the error it raises, and what the text names
BAD: dict[str, tuple[Callable[[Any, Callable[[Any], Any]], Any], type[Exception], str]] = {
    "add-shapes": (
        lambda f, t: f.add(t(A), t(B)),
        RuntimeError,
        r"add: The size of tensor a \(3\).*\(2, 3\).*\(3, 2\)",
    ),
    "mul-shapes": (lambda f, t: f.mul(t(A), t(np.ones(4))), RuntimeError, r"mul: .*\(2, 3\) and \(4,\)"),
    "maximum-shapes": (lambda f, t: f.maximum(t(A), t(B)), RuntimeError, r"maximum: .*\(2, 3\) and \(3, 2\)"),
    "eq-shapes": (lambda f, t: f.eq(t(A), t(B)), RuntimeError, r"eq: .*\(2, 3\) and \(3, 2\)"),
    "where-shapes": (lambda f, t: f.where(t(MASK), t(A), t(B)), RuntimeError, r"where: .*\(2, 3\).*\(3, 2\)"),
    "where-condition": (lambda f, t: f.where(t(V), t(V), t(V)), RuntimeError, "where: .*bool.*float64"),
    "masked_fill-mask": (
        lambda f, t: f.masked_fill(t(V), t(V), 0.0),
        RuntimeError,
        "masked_fill: .*bool.*float64",
    ),
    "masked_fill-value": (
        lambda f, t: f.masked_fill(t(V), t(MASK), t(V)),
        RuntimeError,
        r"masked_fill: .*0-dim.*\(3,\)",
    ),
    "sub-bools": (lambda f, t: f.sub(t(MASK), t(MASK)), RuntimeError, "sub: .*bool"),
    "neg-bools": (lambda f, t: f.neg(t(MASK)), RuntimeError, "neg: .*bool"),
    "bitwise-floats": (lambda f, t: f.bitwise_and(t(V), t(V)), RuntimeError, "bitwise_and: .*float64"),
    "pow-integers": (lambda f, t: f.pow(t(WHOLE), -1), RuntimeError, "pow: .*negative"),
    "floor_divide-zero": (lambda f, t: f.floor_divide(t(WHOLE), 0), RuntimeError, "ZeroDivision|zero|ZERO"),
    "div-mode": (lambda f, t: f.div(t(V), t(V), rounding_mode="up"), RuntimeError, "rounding_mode.*up"),
    "clip-nothing": (lambda f, t: f.clip(t(V)), RuntimeError, "clip: At least one"),
    "matmul-shapes": (lambda f, t: f.matmul(t(A), t(A)), RuntimeError, r"matmul: .*\(2, 3\) and \(2, 3\)"),
    "matmul-0d": (lambda f, t: f.matmul(t(A), t(np.ones(()))), RuntimeError, r"matmul: .*1D.*\(\)"),
    "matmul-dtypes": (
        lambda f, t: f.matmul(t(A), t(B.astype(np.float32))),
        RuntimeError,
        "matmul: .*float64 and float32",
    ),
    "matmul-batches": (
        lambda f, t: f.matmul(t(np.ones((2, 2, 3))), t(np.ones((3, 3, 2)))),
        RuntimeError,
        r"matmul: .*\(2, 2, 3\) and \(3, 3, 2\)",
    ),
    "linear-shapes": (lambda f, t: f.linear(t(A), t(B)), RuntimeError, r"linear: .*\(2, 3\).*\(3, 2\)"),
    "linear-bias": (
        lambda f, t: f.linear(t(A), t(A), t(np.ones(5))),
        RuntimeError,
        r"linear: bias of shape \(5,\)",
    ),
    "sum-dim": (
        lambda f, t: f.sum(t(A), 2),
        IndexError,
        r"sum: Dimension out of range .*\[-2, 1\], but got 2",
    ),
    "sum-twice": (lambda f, t: f.sum(t(A), (0, -2)), RuntimeError, "sum: dim .*twice"),
    "mean-integers": (lambda f, t: f.mean(t(WHOLE)), RuntimeError, "mean: .*int64"),
    "max-empty": (lambda f, t: f.max(t(np.ones(0))), RuntimeError, r"(a?max).*\(0,\)"),
    "max-dim": (lambda f, t: f.max(t(A), 2), IndexError, "max: Dimension out of range"),
    "amax-empty": (lambda f, t: f.amax(t(np.ones((2, 0))), 1), IndexError, r"amax.*\(2, 0\)"),
    "argmax-empty": (lambda f, t: f.argmax(t(np.ones((2, 0))), 1), IndexError, r"argmax.*\(2, 0\)"),
    "reshape": (lambda f, t: f.reshape(t(A), (4,)), RuntimeError, r"reshape: .*\[4\].*\(2, 3\)"),
    "reshape-two-minus": (lambda f, t: f.reshape(t(A), (-1, -1)), RuntimeError, "reshape: .*"),
    "permute": (lambda f, t: f.permute(t(A), (0, 0)), RuntimeError, r"permute: .*\(0, 0\)"),
    "permute-few": (lambda f, t: f.permute(t(A), (0,)), RuntimeError, r"permute: .*\(2, 3\)"),
    "transpose": (lambda f, t: f.transpose(t(A), 0, 2), IndexError, "transpose: Dimension out of range"),
    "unsqueeze": (lambda f, t: f.unsqueeze(t(A), 3), IndexError, "unsqueeze: Dimension out of range"),
    "broadcast_to": (lambda f, t: f.broadcast_to(t(A), (2, 4)), RuntimeError, r"broadcast.*\(2, 3\)"),
    "broadcast_tensors": (
        lambda f, t: f.broadcast_tensors(t(A), t(B)),
        RuntimeError,
        r"broadcast_tensors: .*\(2, 3\) and \(3, 2\)",
    ),
    "expand": (lambda f, t: f.expand(t(A), 3), RuntimeError, r"expand: .*\[3\].*\(2, 3\)"),
    "concat-none": (lambda f, t: f.concat([]), ValueError, "concat: .*non-empty"),
    "concat-shapes": (lambda f, t: f.concat([t(A), t(B)]), RuntimeError, r"concat: .*\(2, 3\).*\(3, 2\)"),
    "concat-dim": (lambda f, t: f.concat([t(A)], 2), IndexError, "concat: Dimension out of range"),
    "stack-shapes": (lambda f, t: f.stack([t(A), t(B)]), RuntimeError, r"stack: .*\(2, 3\).*\(3, 2\)"),
    "split-sizes": (lambda f, t: f.split(t(A), [1, 3]), RuntimeError, r"split: .*\[1, 3\].*\(2, 3\)"),
    "split-0d": (lambda f, t: f.split(t(np.ones(())), 1), RuntimeError, "split: .*1-dimensional"),
    "getitem-row": (lambda f, t: f.getitem(t(A), 2), IndexError, r"getitem: .*out of bounds.*\(2, 3\)"),
    "getitem-array": (lambda f, t: f.getitem(t(A), np.array([0, 5])), IndexError, r"getitem: .*\(2, 3\)"),
    "getitem-many": (lambda f, t: f.getitem(t(A), (0, 0, 0)), IndexError, r"getitem: too many .*\(2, 3\)"),
    "getitem-float": (
        lambda f, t: f.getitem(t(A), t(V)),
        IndexError,
        "indices must be integers or bools.*float64",
    ),
    "getitem-mask": (lambda f, t: f.getitem(t(A), t(MASK)), IndexError, r"getitem: .*\(2, 3\)"),
    "index_put-row": (lambda f, t: f.index_put(t(A), 2, 0.0), IndexError, r"index_put: .*\(2, 3\)"),
    "index_put-value": (
        lambda f, t: f.index_put(t(A), 0, t(np.ones(2))),
        RuntimeError,
        r"index_put: .*\(2, 3\) and \(2,\)",
    ),
    "index_put-overflow": (
        lambda f, t: f.index_put(t(WHOLE.astype(np.int8)), 0, 300),
        RuntimeError,
        "overflow",
    ),
    "softmax-integers": (lambda f, t: f.softmax(t(WHOLE), 0), RuntimeError, "softmax: .*int64"),
    "softmax-dim": (lambda f, t: f.softmax(t(A), 2), IndexError, "softmax: Dimension out of range"),
    "cross_entropy-batch": (
        lambda f, t: f.cross_entropy(t(A), t(WHOLE)),
        ValueError,
        r"cross_entropy: .*\(2\).*\(3\)",
    ),
    "cross_entropy-class": (
        lambda f, t: f.cross_entropy(t(A), t(np.array([0, 3]))),
        IndexError,
        "cross_entropy: Target 3 is out of bounds",
    ),
    "cross_entropy-weight": (
        lambda f, t: f.cross_entropy(t(A), t(np.array([0, 1])), t(np.ones(2))),
        RuntimeError,
        r"cross_entropy: weight must have shape \(3,\).*\(2,\)",
    ),
    "cross_entropy-reduction": (
        lambda f, t: f.cross_entropy(t(A), t(np.array([0, 1])), reduction="best"),
        ValueError,
        "best is not a valid|'best' is not a valid",
    ),
    "mse_loss-shapes": (
        lambda f, t: f.mse_loss(t(np.ones((2, 3))), t(np.ones((2, 2)))),
        RuntimeError,
        r"\(2, 3\) and \(2, 2\)",
    ),
}
for family in FAMILIES:
    BAD.update(getattr(family, "BAD", {}))


def quietly(call: Callable[[], Any]) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_by_name(name: str) -> None:
    call, error, text = BAD[name]
    if name == "floor_divide-zero":
        error = ZeroDivisionError  # what Python raises, and PyTorch in the words of its RuntimeError
    with pytest.raises(error, match=text) as caught:
        quietly(lambda: call(F, lambda a: F.variable(a) if a.dtype.kind == "f" else F.constant(a)))
    assert type(caught.value) is error


@pytest.mark.parametrize("name", BAD)
def test_pytorch_raises_the_same_type(name: str) -> None:
    torch = pytest.importorskip("torch")
    call, error, _ = BAD[name]
    with pytest.raises(error) as caught:
        quietly(lambda: call(TorchNames(torch), torch.tensor))
    assert isinstance(caught.value, error)


@pytest.mark.parametrize("wrong", ["text", None, [1.0, 2.0], object()])
def test_operands_that_are_no_numbers(wrong: Any) -> None:
    for call in (
        F.exp,
        F.sum,
        F.T,
        lambda x: F.add(x, 1.0),
        lambda x: F.mul(V, x),
        lambda x: F.where(MASK, x, 0.0),
    ):
        with pytest.raises(TypeError, match=type(wrong).__name__):
            call(wrong)


def test_a_target_that_would_broadcast_warns_with_both_shapes() -> None:
    with pytest.warns(UserWarning, match=r"mse_loss: .*\(3,\).*\(3, 1\)"):
        F.mse_loss(np.ones((3, 1)), V)

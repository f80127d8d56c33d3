"""What the optimiser classes promise besides their numbers: state, groups, immutability, errors."""

from __future__ import annotations

import copy
import gc
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, nn, no_grad, ones, optim, tensor, zeros
from nngrad.functional import optim as pure
from nngrad.optim.optimizer import Optimizer, required

MAKERS: dict[str, Callable[..., optim.Optimizer]] = {
    "sgd": lambda params: optim.SGD(params, lr=0.1),
    "momentum": lambda params: optim.SGD(params, lr=0.1, momentum=0.9),
    "adam": lambda params: optim.Adam(params, lr=0.1),
    "amsgrad": lambda params: optim.AdamW(params, lr=0.1, amsgrad=True),
    "nadam": lambda params: optim.NAdam(params, lr=0.1),
    "asgd": lambda params: optim.ASGD(params, lr=0.1),
    "rmsprop": lambda params: optim.RMSprop(params, lr=0.05, momentum=0.5, centered=True),
    "rprop": lambda params: optim.Rprop(params, lr=0.1),
}
#: small ones that are packed together, one packed alone
SHAPES = ((3, 4), (4,), (150, 120))


@pytest.fixture(params=list(MAKERS))
def make(request: Any) -> Callable[..., optim.Optimizer]:
    return MAKERS[request.param]


def parameters(seed: int = 0) -> list[Tensor]:
    rng = np.random.default_rng(seed)
    return [nngrad.tensor(rng.standard_normal(s), requires_grad=True) for s in SHAPES]


def train(params: list[Tensor], optimizer: optim.Optimizer, steps: int, seed: int = 1) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        for p in params:
            p.grad = nngrad.tensor(rng.standard_normal(p.shape))
        optimizer.step()


def values(params: list[Tensor]) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in params]


@pytest.mark.parametrize(
    "take",
    [
        lambda t: t.node,
        lambda t: t.node.data,
        lambda t: t.detach().node,
        lambda t: t.data.reshape(-1).node.data[1:],
    ],
)
def test_earlier_values_stay(make: Callable[..., optim.Optimizer], take: Callable[[Tensor], Any]) -> None:
    """Whatever was taken of a parameter or the state keeps its value: nodes, arrays, graphs."""
    params = parameters()
    optimizer = make(params)
    kept: list[tuple[Any, bytes]] = []
    graphs: list[tuple[Tensor, Any]] = []
    for step in range(8):
        train(params, optimizer, 1, step)
        tensors = params + [t for held in optimizer.state.values() for t in held.values()]
        for i, t in enumerate(tensors):
            if (step + i) % 3 == 0:
                thing = take(t)
                # _value, not data: arrays that were handed out are not written to for another reason
                array = thing if isinstance(thing, np.ndarray) else thing._value
                kept.append((thing, array.tobytes()))
                del array
        graphs.append(((params[0] * params[0]).sum(), (params[0].detach() * 2).numpy()))
    for thing, expected in kept:
        assert (thing if isinstance(thing, np.ndarray) else thing.data).tobytes() == expected
    for loss, expected in graphs:
        optimizer.zero_grad()
        loss.backward()
        grad = params[0].grad
        assert grad is not None
        np.testing.assert_array_equal(grad.numpy(), expected)


def test_views_follow(make: Callable[..., optim.Optimizer]) -> None:
    """A detached tensor and state tensors are in step with what they were taken from."""
    params = parameters()
    optimizer = make(params)
    train(params, optimizer, 1)
    outside = params[0].detach()
    row = params[2].data[1]
    held = dict(optimizer.state[params[0]])
    train(params, optimizer, 3)
    assert outside.numpy().tobytes() == params[0].detach().numpy().tobytes()
    np.testing.assert_array_equal(row.numpy(), params[2].detach().numpy()[1])
    for kind, t in optimizer.state[params[0]].items():
        assert held[kind] is t


def test_same_numbers_whoever_looks(make: Callable[..., optim.Optimizer]) -> None:
    """Holding on to every value and every state changes no number."""
    plain, watched = parameters(), parameters()
    a, b = make(plain), make(watched)
    seen: list[Any] = []
    for step in range(6):
        train(plain, a, 1, step)
        train(watched, b, 1, step)
        seen += [t.node for t in watched] + [t.node.data for h in b.state.values() for t in h.values()]
    assert values(plain) == values(watched)


def test_values_given_between_steps_count(make: Callable[..., optim.Optimizer]) -> None:
    """Parameters and state that a program sets, in place or anew, are where the next step starts."""
    params, others = parameters(), parameters()
    a = make(params)
    train(params, a, 3)
    with no_grad():
        params[0].mul_(0.5)
        params[1][2] = 7.0
    params[2].data = nngrad.tensor(np.ones(SHAPES[2]))
    for held in a.state.values():
        for kind, t in held.items():
            if kind != "step":
                t.mul_(2.0)
    if a.state:
        first = a.state[params[0]]
        kind = next(kind for kind in first if kind != "step")
        first[kind] = first[kind] + 1.0
    b = make(others)
    for p, q in zip(params, others):
        q.data = p.detach().clone()
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    train(params, a, 2, 5)
    train(others, b, 2, 5)
    assert values(params) == values(others)


def test_forgetting_the_state_starts_over(make: Callable[..., optim.Optimizer]) -> None:
    params, others = parameters(), parameters()
    a, b = make(params), make(others)
    train(params, a, 3)
    a.state.clear()
    for p, q in zip(params, others):
        q.data = p.detach().clone()
    train(params, a, 2)
    train(others, b, 2)
    assert values(params) == values(others)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_train_alike(make: Callable[..., optim.Optimizer], copied: Callable[[Any], Any]) -> None:
    params = parameters()
    optimizer = make(params)
    train(params, optimizer, 3)
    others, other = copied((params, optimizer))
    train(params, optimizer, 3)
    before = values(params)
    train(others, other, 3)
    assert values(others) == before == values(params)


def test_state_dict_round_trip(make: Callable[..., optim.Optimizer]) -> None:
    """Saved, loaded and trained further: the same numbers; what was loaded is a copy."""
    params, others = parameters(), parameters()
    a, b = make(params), make(others)
    train(params, a, 4)
    for p, q in zip(params, others):
        q.data = p.detach().clone()
    b.load_state_dict(a.state_dict())
    assert b.state_dict()["param_groups"] == a.state_dict()["param_groups"]
    train(params, a, 3)
    train(others, b, 3)
    assert values(params) == values(others)


def test_state_dict_layout() -> None:
    """PyTorch's layout, number for number."""
    params = parameters()
    optimizer = optim.Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], lr=0.1)
    train(params[:2], optimizer, 2)
    saved = optimizer.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert {i: list(held) for i, held in saved["state"].items()} == {
        0: ["step", "exp_avg", "exp_avg_sq"],
        1: ["step", "exp_avg", "exp_avg_sq"],
    }
    assert saved["state"][0]["step"].item() == 2.0
    assert [(g["params"], g["lr"]) for g in saved["param_groups"]] == [([0], 0.1), ([1, 2], 0.5)]
    assert saved["param_groups"][0]["betas"] == (0.9, 0.999)


def test_loading_what_does_not_fit_changes_nothing() -> None:
    params = parameters()
    optimizer = optim.Adam(params)
    train(params, optimizer, 2)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match="different number of parameter groups: 0, not 1"):
        optimizer.load_state_dict({"state": {}, "param_groups": []})
    with pytest.raises(ValueError, match="group 0 has 1 parameters, not 3"):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0]}]})
    assert optimizer.state_dict() == before
    misshapen = copy.deepcopy(before)
    misshapen["state"][0]["exp_avg"] = nngrad.tensor(np.zeros(5))
    optimizer.load_state_dict(misshapen)
    kept = values(params)
    with pytest.raises(RuntimeError, match=r"Adam: the state's exp_avg has shape \(5,\), .* \(3, 4\)"):
        train(params, optimizer, 1)
    assert values(params) == kept


def test_lr_may_change_between_steps() -> None:
    p = nngrad.tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = nngrad.tensor([1.0])
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.25
    optimizer.step()
    optimizer.param_groups[0]["lr"] = nngrad.tensor(0.5)
    optimizer.step()
    assert p.tolist() == [-0.75]


def test_parameters_without_gradient_stay(make: Callable[..., optim.Optimizer]) -> None:
    params = parameters()
    optimizer = make(params)
    first, last = params[0].node, params[2].node
    for _ in range(3):
        params[1].grad = nngrad.tensor(np.ones(4))
        optimizer.step()
    assert params[0].node is first
    assert params[2].node is last
    assert set(optimizer.state) <= {params[1]}


def test_zero_grad() -> None:
    params = parameters()
    optimizer = optim.SGD(params)
    params[0].grad = grad = nngrad.tensor(np.ones(SHAPES[0]))
    optimizer.zero_grad(set_to_none=False)
    assert params[0].grad is grad
    assert not grad.numpy().any()
    params[0].grad = (params[0] * 2).clone()
    optimizer.zero_grad(set_to_none=False)
    assert not params[0].grad.requires_grad
    assert not params[0].grad.numpy().any()
    optimizer.zero_grad()
    assert [p.grad for p in params] == [None, None, None]


def test_closure_runs_with_gradients_and_its_result_is_returned() -> None:
    p = nngrad.tensor([3.0], requires_grad=True)
    optimizer = optim.SGD([p], lr=0.5)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.tolist() == [0.0]
    assert p.requires_grad
    assert p.is_leaf


def test_backward_reaches_the_updated_parameters(make: Callable[..., optim.Optimizer]) -> None:
    """A real loop comes to the minimum, and the parameters stay the variables they were."""
    p = nngrad.tensor([3.0, -2.0], requires_grad=True)
    optimizer = make([p])
    for _ in range(300):
        optimizer.zero_grad()
        ((p - 1.0) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), [1.0, 1.0], atol=0.05)


@pytest.mark.parametrize("name", ["momentum", "adam", "amsgrad"])
def test_state_is_updated_in_place(name: str) -> None:
    """As long as nobody looks, the state stays in the memory it has."""
    params = parameters()
    optimizer = MAKERS[name](params)
    train(params, optimizer, 1)
    kept = [t for held in optimizer.state.values() for kind, t in held.items() if kind != "step"]
    before = [t.node._value.ctypes.data for t in kept]
    train(params, optimizer, 3)
    assert [t.node._value.ctypes.data for t in kept] == before


def test_no_memory_growth(make: Callable[..., optim.Optimizer]) -> None:
    params = parameters()
    optimizer = make(params)
    train(params, optimizer, 5)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        train(params, optimizer, 5)
        before = tracemalloc.get_traced_memory()[0]
        train(params, optimizer, 30)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < 12_000  # NumPy keeps some small arrays for later
    assert gc.collect() == 0


def leaf() -> Tensor:
    return nngrad.tensor([1.0], requires_grad=True)


@pytest.mark.parametrize(
    ("error", "text", "fail"),
    [
        (ValueError, "empty parameter list", lambda: optim.SGD([])),
        (ValueError, "can't optimize a non-leaf Tensor", lambda: optim.SGD([leaf() * 2])),
        (TypeError, "should be an iterable of Tensors", lambda: optim.SGD(leaf())),
        (TypeError, "can only optimize Tensors", lambda: optim.SGD([1.0])),  # type: ignore[list-item]
        (TypeError, "ordered collections", lambda: optim.SGD([{"params": {leaf()}}])),
        (TypeError, "must be a dict", lambda: optim.SGD([leaf()]).add_param_group([])),  # type: ignore[arg-type]
        (ValueError, "Some param names", lambda: optim.SGD([("a", leaf()), leaf()])),
        (ValueError, "Invalid learning rate: -1", lambda: optim.SGD([leaf()], lr=-1)),
        (ValueError, "Invalid momentum value: -1", lambda: optim.SGD([leaf()], momentum=-1)),
        (ValueError, "Invalid weight_decay value: -1", lambda: optim.SGD([leaf()], weight_decay=-1)),
        (ValueError, "Nesterov momentum requires", lambda: optim.SGD([leaf()], nesterov=True)),
        (ValueError, "Invalid learning rate: -1", lambda: optim.Adam([leaf()], lr=-1)),
        (ValueError, "Invalid epsilon value: -1", lambda: optim.Adam([leaf()], eps=-1)),
        (
            ValueError,
            "Invalid beta parameter at index 0: 1.0",
            lambda: optim.Adam([leaf()], betas=(1.0, 0.9)),
        ),
        (ValueError, "Invalid beta parameter at index 1: -1", lambda: optim.AdamW([leaf()], betas=(0.9, -1))),
        (ValueError, "Invalid learning rate: -1", lambda: pure.sgd(-1)),
        (ValueError, "Invalid epsilon value: -1", lambda: pure.adamw(eps=-1)),
        (TypeError, r"\['n'\] is int64", lambda: pure.adam().init({"n": np.arange(3)})),
    ],
)
def test_errors(error: type[Exception], text: str, fail: Callable[[], object]) -> None:
    with pytest.raises(error, match=text):
        fail()


def test_a_parameter_in_two_places() -> None:
    p = leaf()
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = optim.SGD([p, p], lr=1.0)
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group({"params": p})
    assert len(optimizer.param_groups) == 1


def test_pure_update_refuses_what_does_not_fit() -> None:
    optimizer = pure.adam()
    params = {"w": np.ones(3)}
    state = optimizer.init(params)
    with pytest.raises(ValueError, match=r"gradient of \['w'\] has shape \(2,\), not \(3,\)"):
        optimizer.update({"w": np.ones(2)}, state, params)
    with pytest.raises(ValueError, match=r"gradients of \['v'\], which are no parameters"):
        optimizer.update({"v": np.ones(3)}, state, params)
    with pytest.raises(ValueError, match=r"knows no parameters \['u'\]"):
        optimizer.update({}, state, {"u": np.ones(3)})


def test_a_parameter_whose_dtype_changes(make: Callable[..., optim.Optimizer]) -> None:
    """The state follows, whether the gradient does or is from before."""
    params = [nngrad.tensor(np.ones(2, np.float32), requires_grad=True) for _ in range(2)]
    optimizer = make(params)
    for p in params:
        p.grad = nngrad.tensor(np.full(2, 0.5, np.float32))
    optimizer.step()
    params[0].data = params[0].data.double()
    optimizer.step()
    assert [p.node.dtype for p in params] == [np.float64, np.float32]
    np.testing.assert_allclose(params[0].detach().numpy(), params[1].detach().numpy(), rtol=1e-6)
    held = [t for t in optimizer.state[params[0]].values() if t.shape == params[0].shape]
    assert [t.node.dtype for t in held] == [np.float64] * len(held)


def test_repr_names_groups_and_options() -> None:
    text = repr(optim.SGD([leaf()], lr=0.25))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n")
    assert "    lr: 0.25\n" in text


def test_a_parameter_that_was_given_shared_data_follows_it() -> None:
    p = nn.Parameter(zeros(2))
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = ones(2)
    optimizer.step()
    shared = tensor([10.0, 20.0])
    p.data = shared
    optimizer.step()
    shared += 5.0
    optimizer.step()
    assert p.tolist() == shared.tolist() == [13.0, 23.0]


def test_a_pure_optimiser_says_what_it_takes() -> None:
    optimizer = pure.adam()
    with pytest.raises(TypeError, match=r"init: \['layer'\]\[0\] must be an array, got str"):
        optimizer.init({"layer": ["weight"]})
    with pytest.raises(TypeError, match="init: the parameter is int64"):
        optimizer.init(np.arange(3))


def test_options_that_every_group_must_give() -> None:
    class Plain(Optimizer):
        def __init__(self, params: Any, lr: Any = required) -> None:
            super().__init__(params, {"lr": lr})

    weight = nngrad.zeros(2, requires_grad=True)
    assert Plain([{"params": [weight], "lr": 0.1}]).param_groups[0]["lr"] == 0.1
    assert repr(required) == "<required parameter>"
    with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
        Plain([weight])

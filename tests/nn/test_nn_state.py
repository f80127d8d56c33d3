"""The state, twice: state_dict in step with the module, snapshot as a value; loading all or nothing."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import nn


def net() -> nn.Sequential:
    made = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    made.register_buffer("seen", nngrad.zeros(2))
    return made


def values(module: nn.Module) -> dict[str, Any]:
    return {name: t.tolist() for name, t in module.state_dict().items()}


def train(module: nn.Module, steps: int = 3) -> None:
    for _ in range(steps):
        module.zero_grad()
        module(nngrad.ones(5, 3)).sum().backward()
        with nngrad.no_grad():
            for p in module.parameters():
                assert p.grad is not None
                p.sub_(p.grad * 0.1)
                p[0] = p[0] * 2
        seen = module.get_buffer("seen")
        seen += 1
        seen[0] = 5
        seen.mul_(2)


class TestStateDict:
    def test_it_is_ordered_editable_and_outside_the_graph(self) -> None:
        model = net()
        state = model.state_dict()
        assert type(state) is OrderedDict
        assert list(state) == ["seen", "0.weight", "0.bias", "2.weight", "2.bias"]
        assert not any(t.requires_grad for t in state.values())
        del state["seen"]
        assert "seen" in model.state_dict()
        assert list(model.state_dict(prefix="m."))[1] == "m.0.weight"
        assert model.state_dict(keep_vars=True)["0.weight"] is model.get_parameter("0.weight")
        assert list(nn.ReLU().state_dict(destination=state)) == list(state)

    def test_the_module_follows_writes_to_it(self) -> None:
        model = net()
        state = model.state_dict()
        weight = model.get_parameter("0.weight")
        before = np.array(weight.tolist())
        state["0.weight"] *= 2
        np.testing.assert_array_equal(weight.tolist(), before * 2)
        state["0.bias"].copy_(nngrad.ones(4))
        assert model.get_parameter("0.bias").tolist() == [1, 1, 1, 1]
        state["seen"][1] = 7
        assert model.get_buffer("seen").tolist() == [0, 7]
        assert weight.requires_grad
        assert weight.is_leaf
        model(nngrad.ones(1, 3)).sum().backward()
        assert weight.grad is not None

    def test_it_follows_the_module(self) -> None:
        model = net()
        state = model.state_dict()
        train(model)
        assert {n: t.tolist() for n, t in state.items()} == values(model)

    def test_keys_are_pytorchs(self) -> None:
        torch = pytest.importorskip("torch")

        def build(nn: Any, ones: Any) -> Any:
            model = nn.Sequential(nn.Linear(3, 4), nn.ModuleDict({"x": nn.Linear(4, 4, bias=False)}))
            model.append(nn.CrossEntropyLoss(weight=ones(2)))
            model.append(nn.ParameterList([ones(2), ones(1)]))
            model.append(nn.ParameterDict({"p": ones(2)}))
            model.register_buffer("b", ones(1), persistent=False)
            model.register_buffer("none", None)
            model.append(model[0])
            return model

        mine, theirs = build(nn, nngrad.ones), build(torch.nn, torch.ones)
        assert [(k, tuple(v.shape)) for k, v in mine.state_dict().items()] == [
            (k, tuple(v.shape)) for k, v in theirs.state_dict().items()
        ]
        assert [n for n, _ in mine.named_parameters()] == [n for n, _ in theirs.named_parameters()]


class TestLoading:
    def test_it_copies_values_not_identity(self) -> None:
        a, b = net(), net()
        parameter = b.get_parameter("0.weight")
        result = b.load_state_dict(a.state_dict())
        assert repr(result) == "<All keys matched successfully>"
        assert values(a) == values(b)
        assert b.get_parameter("0.weight") is parameter
        kept = values(b)
        train(a)
        assert values(b) == kept
        train(b)
        assert values(a) == values(b)

    def test_arrays_and_other_dtypes(self) -> None:
        model = net()
        state = {n: np.full(t.shape, 3, np.float64) for n, t in model.state_dict().items()}
        model.load_state_dict(state)
        state["seen"][:] = 0
        assert model.get_buffer("seen").tolist() == [3, 3]
        assert model.get_parameter("0.weight").dtype == nngrad.float32

    def test_it_lists_everything_and_changes_nothing(self) -> None:
        torch = pytest.importorskip("torch")

        def build(nn: Any) -> Any:
            return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))

        def bad(state: Any, ones: Any) -> Any:
            del state["0.weight"], state["2.bias"]
            state["0.bias"] = ones(7)
            state["2.weight"] = ones(1)
            state["2.extra"] = ones(1)
            state["other"] = ones(1)
            return state

        theirs = build(torch.nn)
        with pytest.raises(RuntimeError) as expected:
            theirs.load_state_dict(bad(theirs.state_dict(), torch.ones))
        mine = build(nn)
        before = values(mine)
        state = bad(mine.state_dict(), nngrad.ones)
        with pytest.raises(RuntimeError) as raised:
            mine.load_state_dict(state)
        assert str(raised.value) == str(expected.value).replace("torch.", "nngrad.")
        assert values(mine) == before

    def test_one_bad_value_spoils_all(self) -> None:
        model = net()
        before = values(model)
        state: dict[str, Any] = {n: t + 1 for n, t in model.state_dict().items()}
        for bad in (nngrad.ones(1, 1), [1.0, 2.0], "text", np.array(["a", "b"])):
            state["2.bias"] = bad
            with pytest.raises(RuntimeError, match=r"2\.bias"):
                model.load_state_dict(state, strict=False)
            assert values(model) == before

    def test_not_strict(self) -> None:
        model = net()
        state: dict[str, Any] = dict(model.state_dict())
        del state["seen"]
        state["more"] = nngrad.ones(1)
        state["0.bias"] = nngrad.ones(4)
        result = model.load_state_dict(state, strict=False)
        assert result.missing_keys == ["seen"]
        assert result.unexpected_keys == ["more"]
        assert "missing_keys=['seen']" in repr(result)
        assert model.get_parameter("0.bias").tolist() == [1, 1, 1, 1]

    def test_only_mappings(self) -> None:
        with pytest.raises(TypeError, match="dict-like"):
            net().load_state_dict([1])  # type: ignore[arg-type]  # what the test is about

    def test_a_single_number_may_come_as_one_element(self) -> None:
        model = nn.Module()
        model.register_buffer("n", nngrad.tensor(0.0))
        model.load_state_dict({"n": nngrad.ones(1)})
        assert model.get_buffer("n").tolist() == 1

    def test_weights_move_both_ways(self) -> None:
        torch = pytest.importorskip("torch")
        mine = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
        x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
        mine.load_state_dict(theirs.state_dict())
        expected = theirs(torch.from_numpy(x)).detach().numpy()
        np.testing.assert_allclose(mine(nngrad.tensor(x)).tolist(), expected, rtol=1e-5)
        with torch.no_grad():
            theirs[0].weight.zero_()
        assert mine[0].state_dict()["weight"].tolist() != theirs[0].weight.tolist()  # memory is not shared
        theirs.load_state_dict({n: torch.tensor(t.tolist()) for n, t in mine.state_dict().items()})
        np.testing.assert_allclose(theirs(torch.from_numpy(x)).detach().numpy(), expected, rtol=1e-5)

    def test_tied_weights(self) -> None:
        model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        model[1].weight = model[0].weight
        assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
        assert "1.weight" in dict(model.named_parameters(remove_duplicate=False))
        state = model.state_dict()
        assert list(state) == ["0.weight", "0.bias", "1.weight", "1.bias"]
        state = {n: nngrad.full(t.shape, float(i)) for i, (n, t) in enumerate(state.items())}  # type: ignore[assignment]  # plain dict
        model.load_state_dict(state)
        assert model[0].weight is model[1].weight
        assert model[0].weight.tolist() == [[2, 2], [2, 2]]  # the last name wins, as in PyTorch


class TestSnapshot:
    def test_it_is_an_immutable_mapping_in_the_modules_order(self) -> None:
        model = net()
        snapshot: Any = model.snapshot()
        assert issubclass(type(snapshot), Mapping)
        assert list(snapshot) == list(model.state_dict())
        assert len(snapshot) == 5
        assert not any(a.flags.writeable for a in snapshot.values())
        with pytest.raises(TypeError):
            snapshot["seen"] = np.zeros(2)
        with pytest.raises(ValueError, match="read-only"):
            snapshot["seen"][0] = 1
        with pytest.raises(AttributeError):
            snapshot.extra = 1
        assert "seen: float32[2]" in repr(snapshot).replace("'", "")

    def test_it_copies_nothing(self) -> None:
        model = net()
        for name, array in model.snapshot().items():
            assert np.shares_memory(array, model.state_dict()[name].numpy())

    def test_no_training_changes_it(self) -> None:
        model = net()
        train(model)  # buffers that the library made itself, and might write to
        snapshot = model.snapshot()
        before = {name: array.tobytes() for name, array in snapshot.items()}
        train(model)
        for tensor in model.state_dict().values():
            tensor.zero_()
            tensor[0] = 9
        model.double()
        assert {name: array.tobytes() for name, array in snapshot.items()} == before
        assert model.get_buffer("seen").tolist() == [9, 0]

    def test_going_back(self) -> None:
        model = net()
        snapshot, before = model.snapshot(), values(model)
        train(model)
        assert values(model) != before
        model.load_snapshot(snapshot)
        assert values(model) == before
        for name, array in snapshot.items():
            assert np.shares_memory(array, model.state_dict()[name].numpy())
        train(model)
        model.load_snapshot(snapshot)
        assert values(model) == before

    def test_plain_mappings(self) -> None:
        model = net()
        frozen = {n: np.ones(t.shape, np.float32) for n, t in model.state_dict().items()}
        mutable = np.zeros(2, np.float32)
        for array in frozen.values():
            array.flags.writeable = False
        model.load_snapshot({**frozen, "seen": mutable})
        assert np.shares_memory(model.get_parameter("0.bias").detach().numpy(), frozen["0.bias"])
        mutable[:] = 5
        assert model.get_buffer("seen").tolist() == [0, 0]
        train(model)
        assert frozen["0.bias"].tolist() == [1, 1, 1, 1]

    def test_loading_is_all_or_nothing(self) -> None:
        model = net()
        before = values(model)
        bad = {n: np.zeros_like(a) for n, a in model.snapshot().items()}
        del bad["2.bias"]
        bad["2.weight"] = bad["2.weight"][0]
        bad["new"] = np.ones(1)
        with pytest.raises(RuntimeError) as raised:
            model.load_snapshot(bad)
        for told in (
            'Missing key(s) in state_dict: "2.bias"',
            'Unexpected key(s) in state_dict: "new"',
            "size mismatch for 2.weight",
            "nngrad.Size([4]) from checkpoint",
        ):
            assert told in str(raised.value)
        assert values(model) == before

    def test_it_pickles(self) -> None:
        snapshot = net().snapshot()
        again = pickle.loads(pickle.dumps(snapshot))
        assert list(again) == list(snapshot)
        assert all(np.array_equal(again[n], snapshot[n]) and not again[n].flags.writeable for n in again)

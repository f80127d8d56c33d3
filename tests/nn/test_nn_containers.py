"""Containers behave as PyTorch's, registry and attributes in agreement."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

import nngrad
from nngrad import nn


def consistent(module: nn.Module) -> bool:
    """Whether each registered child is the attribute of its name, and no other attribute is a module."""
    registered = dict(module.named_children())
    attributes = {n: v for n, v in vars(module).items() if isinstance(v, nn.Module)}
    return registered == attributes


def linears(*sizes: int) -> list[nn.Linear]:
    return [nn.Linear(n, n) for n in sizes]


def sizes(modules: Any) -> list[int]:
    return [m.in_features for m in modules]


class TestSequential:
    def test_it_chains(self) -> None:
        net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        x = nngrad.ones(1, 2)
        assert net(x).tolist() == net[1](net[0](x)).tolist()
        assert nn.Sequential()(x) is x

    def test_by_name(self) -> None:
        net = nn.Sequential(OrderedDict([("a", nn.Linear(1, 1)), ("b", nn.Linear(2, 2))]))
        assert [n for n, _ in net.named_children()] == ["a", "b"]
        assert net.a is net[0]  # type: ignore[attr-defined]  # named at run time
        assert [n for n, _ in net[1:].named_children()] == ["b"]
        net[1] = nn.Linear(5, 5)
        assert [n for n, _ in net.named_children()] == ["a", "b"]
        assert consistent(net)

    def test_adding(self) -> None:
        a, b = nn.Sequential(*linears(1)), nn.Sequential(*linears(2))
        assert sizes(a + b) == [1, 2]
        assert sizes(a * 2) == sizes(2 * a) == [1, 1]
        a += b
        assert sizes(a) == [1, 2]
        with pytest.raises(ValueError, match="add operator"):
            _ = a + 1  # type: ignore[operator]  # what the test is about
        with pytest.raises(TypeError, match="unsupported operand"):
            a * 1.5  # type: ignore[operator]  # what the test is about
        with pytest.raises(ValueError, match="Non-positive"):
            _ = a * 0

    def test_only_modules(self) -> None:
        with pytest.raises(TypeError, match="int is not a Module subclass"):
            nn.Sequential(nn.ReLU(), 3)  # type: ignore[call-overload]  # what the test is about


@pytest.mark.parametrize("make", [lambda ms: nn.Sequential(*ms), nn.ModuleList])
class TestLists:
    def test_as_a_list(self, make: Any) -> None:
        held = make(linears(1, 2, 3))
        assert len(held) == 3
        assert sizes(held) == [1, 2, 3]
        assert held[-1] is held[2]
        assert held[0] in held
        assert nn.ReLU() not in held
        assert type(held[1:]) is type(held)
        assert sizes(held[::-1]) == [3, 2, 1]
        held[-1] = nn.Linear(9, 9)
        assert sizes(held) == [1, 2, 9]
        del held[0]
        assert [n for n, _ in held.named_children()] == ["0", "1"]
        assert consistent(held)
        assert held.append(nn.Linear(4, 4)) is held
        held.extend(linears(5, 6)).insert(1, nn.Linear(7, 7))
        assert sizes(held) == [2, 7, 9, 4, 5, 6]
        held.insert(-1, nn.Linear(8, 8))
        assert held.pop().in_features == 6
        assert held.pop(0).in_features == 2
        assert sizes(held) == [7, 9, 4, 5, 8]
        del held[1:3]
        assert sizes(held) == [7, 5, 8]
        assert consistent(held)
        assert [n for n, _ in held.named_parameters()][::2] == ["0.weight", "1.weight", "2.weight"]

    def test_out_of_range(self, make: Any) -> None:
        held = make(linears(1))
        for index in (1, -2):
            with pytest.raises(IndexError, match=f"index {index} is out of range"):
                held[index]
            with pytest.raises(IndexError, match="out of range"):
                held[index] = nn.ReLU()
            with pytest.raises(IndexError, match="out of range"):
                del held[index]
        with pytest.raises(IndexError, match="Index out of range: 5"):
            held.insert(5, nn.ReLU())

    def test_a_failed_change_changes_nothing(self, make: Any) -> None:
        held = make(linears(1, 2))
        for change, args in ((held.extend, ([nn.ReLU(), 3],)), (held.insert, (0, 3)), (held.append, (3,))):
            with pytest.raises(TypeError, match="is not a Module subclass"):
                change(*args)
        with pytest.raises(TypeError, match="iterable"):
            held.extend(3)
        with pytest.raises(TypeError):
            held[0] = 3
        assert sizes(held) == [1, 2]


def test_module_lists_add_up() -> None:
    held = nn.ModuleList(linears(1)) + linears(2)
    held += linears(3)
    assert type(held) is nn.ModuleList
    assert sizes(held) == [1, 2, 3]


class TestModuleDict:
    def test_as_a_dict(self) -> None:
        held = nn.ModuleDict({"b": nn.Linear(2, 2), "a": nn.Linear(1, 1)})
        assert list(held) == list(held.keys()) == ["b", "a"]
        assert sizes(held.values()) == [2, 1]
        assert dict(held.items())["a"] is held["a"]
        assert "a" in held
        held.update([("c", nn.Linear(3, 3))])
        held.update(nn.ModuleDict({"a": nn.Linear(4, 4)}))
        assert [(k, m.in_features) for k, m in held.items()] == [("b", 2), ("a", 4), ("c", 3)]
        assert held.pop("b").in_features == 2
        del held["c"]
        assert len(held) == 1
        assert consistent(held)
        held.clear()
        assert len(held) == 0
        assert consistent(held)

    def test_errors(self) -> None:
        held: Any = nn.ModuleDict({"a": nn.ReLU()})
        for call, name in ((held.__getitem__, "b"), (held.pop, "b"), (held.__delitem__, "training")):
            with pytest.raises(KeyError):
                call(name)
        with pytest.raises(KeyError, match="already exists"):
            held["keys"] = nn.ReLU()
        with pytest.raises(TypeError, match="iterable of key/value pairs"):
            held.update(3)
        with pytest.raises(TypeError, match="should be Iterable"):
            held.update([3])
        with pytest.raises(ValueError, match="2 is required"):
            held.update([("a", "b", "c")])
        with pytest.raises(TypeError, match="not a Module"):
            held["b"] = 3
        assert list(held) == ["a"]


class TestParameters:
    def test_list(self) -> None:
        held = nn.ParameterList([nngrad.ones(1), nn.Parameter(nngrad.ones(2))])
        assert all(type(p) is nn.Parameter for p in held)
        held.append(nngrad.ones(3)).extend([nngrad.ones(4)])
        held += [nngrad.ones(5)]
        held[0] = nngrad.zeros(6)
        assert [len(p) for p in held] == [6, 2, 3, 4, 5]
        assert [len(p) for p in held[1:3]] == [2, 3]
        assert [n for n, _ in held.named_parameters()] == ["0", "1", "2", "3", "4"]
        assert len(held) == len(list(held.parameters())) == 5
        for bad in ([nngrad.ones(1), 3], nngrad.ones(2), 3):
            with pytest.raises(TypeError):
                held.extend(bad)  # type: ignore[arg-type]  # what the test is about
        assert len(held) == 5
        with pytest.raises(IndexError, match="out of range"):
            held[5]

    def test_dict(self) -> None:
        held = nn.ParameterDict([("b", nngrad.ones(1)), ("a", nngrad.ones(2))])
        held["c"] = nngrad.ones(3)
        held.update([("a", nngrad.ones(4))])
        assert [(k, len(p)) for k, p in held.items()] == [("b", 1), ("a", 4), ("c", 3)]
        assert list(held.keys()) == list(held) == ["b", "a", "c"]
        assert [n for n, _ in held.named_parameters()] == ["b", "a", "c"]
        assert held.get("z") is None
        assert held.get("a") is held["a"]
        assert list(nn.ParameterDict({"b": nngrad.ones(1), "a": nngrad.ones(1)})) == ["a", "b"]  # as PyTorch
        assert list(reversed(held.copy())) == ["c", "a", "b"]
        both = held | nn.ParameterDict({"d": nngrad.ones(5)})
        assert both.popitem()[0] == "d"
        assert list(both) == list(held)
        assert both.setdefault("a", nngrad.ones(9)) is held["a"]
        assert both.setdefault("e", nngrad.ones(9)) is both["e"]
        both |= both.fromkeys(["f"], nngrad.ones(1))
        assert list(both) == ["b", "a", "c", "e", "f"]
        assert len(held.pop("a")) == 4
        del held["b"]
        assert "b" not in held
        with pytest.raises(KeyError):
            del held["training"]
        with pytest.raises(TypeError):
            held["d"] = 3  # type: ignore[assignment]  # what the test is about
        assert len(held) == 1
        held.clear()
        assert not list(held.values())


def test_places_without_a_module() -> None:
    def told(library: Any) -> list[object]:
        nn = library.nn
        held = nn.ModuleList([nn.Linear(1, 2), None, nn.ReLU()]).append(None)
        held.insert(0, None)
        named = nn.ModuleDict({"a": None, "b": nn.ReLU()})
        names = [name for name, _ in held.named_modules()]
        return [repr(held), len(held), held[2], list(held.state_dict()), names, repr(named), named["a"]]

    ours = told(nngrad)
    assert ours[1] == 5
    assert told(pytest.importorskip("torch")) == ours

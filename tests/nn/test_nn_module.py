"""Modules: registration, walking, calling, hooks, text, and what is warned of."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import Tensor, nn


class Net(nn.Module):
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))
        self.scale = nn.Parameter(nngrad.ones(1))
        self.register_buffer("count", nngrad.zeros(1))

    def forward(self, x: Tensor, *, times: int = 1) -> Tensor:
        return self.second(self.first(x)) * self.scale * times


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


class TestRegistration:
    def test_what_is_assigned_is_listed_and_an_attribute(self) -> None:
        net = Net()
        assert names(net.named_parameters()) == ["scale", "first.weight", "first.bias", "second.1.weight"]
        assert names(net.named_buffers()) == ["count"]
        assert names(net.named_children()) == ["first", "second"]
        assert names(net.named_modules()) == ["", "first", "second", "second.0", "second.1"]
        assert names(net.named_parameters(prefix="p", recurse=False)) == ["p.scale"]
        assert net.__dict__["scale"] is next(net.parameters())

    def test_deleting_takes_it_out(self) -> None:
        net = Net()
        del net.scale, net.first, net.count
        assert names(net.named_parameters()) == ["second.1.weight"]
        assert names(net.named_buffers()) == []
        with pytest.raises(AttributeError):
            _ = net.scale

    def test_a_name_moves_between_registries(self) -> None:
        net = Net()
        net.first = nn.Parameter()  # type: ignore[assignment]  # what the test is about
        assert "first" in names(net.named_parameters())
        assert "first" not in names(net.named_children())
        net.count = nn.ReLU()  # type: ignore[assignment]  # what the test is about
        assert names(net.named_children()) == ["second", "count"]
        assert names(net.named_buffers()) == []

    def test_none_keeps_the_name(self) -> None:
        net: Any = Net()
        net.scale = None
        net.first = None
        net.count = None
        assert names(net.named_parameters()) == ["second.1.weight"]
        net.scale = nn.Parameter(nngrad.ones(2))
        assert names(net.named_parameters()) == ["scale", "second.1.weight"]

    def test_a_tensor_assigned_to_a_buffer_stays_a_buffer(self) -> None:
        net = Net()
        net.count = nngrad.ones(1)
        assert next(net.buffers()) is net.count

    def test_a_misspelt_name_is_an_attribute_error(self) -> None:
        net: Any = Net()
        with pytest.raises(AttributeError):
            _ = net.frist

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("scale", nngrad.ones(1), "cannot assign 'Tensor' as parameter 'scale'"),
            ("scale", nn.ReLU(), "cannot assign 'ReLU' as parameter 'scale'"),
            ("first", 3, "cannot assign 'int' as child module 'first'"),
            ("count", 3, "cannot assign 'int' as buffer 'count'"),
        ],
    )
    def test_the_wrong_kind_is_refused(self, name: str, value: object, told: str) -> None:
        net = Net()
        before = net.__dict__[name]
        with pytest.raises(TypeError, match=told):
            setattr(net, name, value)
        assert net.__dict__[name] is before

    def test_before_init(self) -> None:
        class Early(nn.Module):
            def __init__(self, what: object) -> None:
                self.what = what
                super().__init__()

        for what, told in ((nn.ReLU(), "module"), (nn.Parameter(), "parameters")):
            with pytest.raises(AttributeError, match=f"cannot assign {told} before Module.__init__"):
                Early(what)
        assert Early(3).training

    def test_names_are_checked(self) -> None:
        net: Any = Net()
        with pytest.raises(KeyError, match="already exists"):
            net.register_parameter("forward", nn.Parameter())
        with pytest.raises(KeyError, match="already exists"):
            net.register_buffer("scale", nngrad.ones(1))
        with pytest.raises(KeyError, match="contain"):
            net.add_module("a.b", nn.ReLU())
        with pytest.raises(KeyError, match="be empty string"):
            net.add_module("", nn.ReLU())
        with pytest.raises(TypeError, match="is not a Module subclass"):
            net.add_module("c", 3)
        with pytest.raises(TypeError, match="object to parameter"):
            net.register_parameter("p", nngrad.ones(1))
        with pytest.raises(TypeError, match="object to buffer"):
            net.register_buffer("b", 3)

    def test_a_computed_parameter_is_refused_and_nothing_changes(self) -> None:
        net = Net()
        before = net.scale
        computed = nn.Parameter(nngrad.ones(1))
        computed.rebind((nngrad.ones(1, requires_grad=True) * 2).node)
        with pytest.raises(ValueError, match="non-leaf"):
            net.scale = computed
        assert net.scale is before

    def test_buffer_class_and_persistence(self) -> None:
        net: Any = Net()
        net.extra = nn.Buffer(nngrad.ones(2), persistent=False)
        net.kept = nn.Buffer(nngrad.ones(2))
        assert names(net.named_buffers()) == ["count", "extra", "kept"]
        assert [n for n in net.state_dict() if "." not in n] == ["scale", "count", "kept"]
        net.extra = nngrad.zeros(2)
        assert "extra" not in net.state_dict()
        net.register_buffer("extra", nngrad.zeros(2), persistent=True)
        assert "extra" in net.state_dict()

    def test_a_property_setter_is_called(self) -> None:
        class WithProperty(nn.Module):
            @property
            def layer(self) -> nn.Module:
                return self._layer

            @layer.setter
            def layer(self, value: nn.Module) -> None:
                self._layer = value

        module = WithProperty()
        module.layer = nn.ReLU()
        assert names(module.named_children()) == ["_layer"]

    def test_lookup_by_path(self) -> None:
        net = Net()
        assert net.get_submodule("second.1") is net.second[1]
        assert net.get_submodule("") is net
        assert net.get_parameter("first.weight") is net.first.weight
        assert net.get_buffer("count") is net.count
        with pytest.raises(AttributeError, match="Net has no attribute `third`"):
            net.get_submodule("third")
        with pytest.raises(AttributeError, match=r"`scale` is not an nn\.Module"):
            net.get_submodule("scale")
        with pytest.raises(AttributeError, match=r"`count` is not an nn\.Parameter"):
            net.get_parameter("count")
        with pytest.raises(AttributeError, match="`scale` is not a buffer"):
            net.get_buffer("scale")

    def test_tied_weights_are_listed_once(self) -> None:
        net = Net()
        net.tied = net.first  # type: ignore[attr-defined]  # what the test is about
        assert "tied.weight" not in names(net.named_parameters())
        assert "tied.weight" in names(net.named_parameters(remove_duplicate=False))
        assert "tied.weight" in net.state_dict()


class TestParameter:
    def test_it_requires_grad_also_under_no_grad(self) -> None:
        with nngrad.no_grad():
            assert nn.Parameter(nngrad.ones(1)).requires_grad
        assert not nn.Parameter(nngrad.ones(1), requires_grad=False).requires_grad

    def test_it_is_a_variable_of_its_own(self) -> None:
        source = nngrad.ones(2)
        parameter = nn.Parameter(source)
        source += 1
        assert parameter.tolist() == [1, 1]
        assert type(parameter * 2) is Tensor

    def test_integers_are_refused(self) -> None:
        with pytest.raises(RuntimeError, match="floating point"):
            nn.Parameter(nngrad.tensor([1]))

    def test_copies_and_pickles(self) -> None:
        net = Net()
        for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert isinstance(other.scale, nn.Parameter)
            assert other.scale.requires_grad
            assert other.first.weight is dict(other.named_parameters())["first.weight"]
            assert other.first.weight is not net.first.weight
            assert other.first.weight.tolist() == net.first.weight.tolist()
            other(nngrad.ones(1, 3)).sum().backward()
            assert other.first.weight.grad is not None
            assert net.first.weight.grad is None

    def test_a_shallow_copy_has_registries_of_its_own(self) -> None:
        net = Net()
        other = copy.copy(net)
        other.scale = nn.Parameter(nngrad.zeros(1))
        assert net.get_parameter("scale") is dict(net.named_parameters())["scale"]
        assert other.first is net.first


class TestChanging:
    def test_train_and_eval(self) -> None:
        net = Net()
        assert net.eval() is net
        assert [m.training for m in net.modules()] == [False] * 5
        assert all(m.training for m in net.train().modules())
        with pytest.raises(ValueError, match="boolean"):
            net.train("yes")  # type: ignore[arg-type]  # what the test is about

    def test_apply_goes_children_first(self) -> None:
        seen: list[str] = []
        Net().apply(lambda m: seen.append(type(m).__name__))
        assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]

    def test_zero_grad_and_requires_grad(self) -> None:
        net = Net()
        net(nngrad.ones(1, 3)).sum().backward()
        net.zero_grad(set_to_none=False)
        assert net.scale.grad is not None
        assert net.scale.grad.tolist() == [0]
        net.zero_grad()
        assert all(p.grad is None for p in net.parameters())
        assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())

    def test_dtype(self) -> None:
        net = Net()
        net.register_buffer("steps", nngrad.tensor(3))
        net(nngrad.ones(1, 3)).sum().backward()
        weight = net.first.weight
        assert net.double() is net
        assert net.first.weight is weight
        assert weight.dtype == nngrad.float64
        assert weight.requires_grad
        assert weight.is_leaf
        assert weight.grad is not None
        assert weight.grad.dtype == nngrad.float64
        assert net.count.dtype == nngrad.float64
        assert net.get_buffer("steps").dtype == nngrad.int64
        net(nngrad.ones(1, 3, dtype=nngrad.float64)).sum().backward()
        assert net.half().to(nngrad.ones(1)).to("cpu").cpu().scale.dtype == nngrad.float32
        with pytest.raises(TypeError, match="only accepts floating point"):
            net.to(nngrad.int64)
        with pytest.raises(RuntimeError, match="device"):
            net.to("cuda")


class TestCalling:
    def test_keywords_reach_forward(self) -> None:
        net, x = Net(), nngrad.ones(1, 3)
        assert net(x, times=2).tolist() == (net(x) * 2).tolist()

    def test_without_forward(self) -> None:
        with pytest.raises(NotImplementedError, match=r'\[ModuleList\] is missing the required "forward"'):
            nn.ModuleList()()

    def test_forward_hooks(self) -> None:
        net, x = Net(), nngrad.ones(1, 3)
        plain = net(x)
        calls: list[object] = []
        handles = [
            net.register_forward_hook(lambda m, args, out: out * 2),
            net.register_forward_hook(lambda m, args, kw, out: calls.append((m, kw)), with_kwargs=True),
            net.register_forward_hook(lambda m, args, out: calls.append("first"), prepend=True),
        ]
        assert net(x, times=1).tolist() == (plain * 2).tolist()
        assert calls == ["first", (net, {"times": 1})]
        for handle in handles:
            handle.remove()
        assert net(x).tolist() == plain.tolist()

    def test_forward_pre_hooks(self) -> None:
        net, x = Net(), nngrad.ones(1, 3)
        plain = net(x)
        first = net.register_forward_pre_hook(lambda m, args: args[0] * 0)
        assert net(x).tolist() != plain.tolist()
        first.remove()
        second = net.register_forward_pre_hook(lambda m, args, kw: (args, {"times": 3}), with_kwargs=True)
        np.testing.assert_allclose(net(x, times=1).tolist(), (plain * 3).tolist(), rtol=1e-6)
        second.remove()
        net.register_forward_pre_hook(lambda m, args, kw: args, with_kwargs=True)
        with pytest.raises(RuntimeError, match="pre-hook must return None or a tuple"):
            net(x)


class TestHidden:
    @pytest.mark.parametrize(
        ("value", "use"),
        [
            ([nn.ReLU()], "nn.ModuleList"),
            ((nn.ReLU(),), "nn.ModuleList"),
            ({"a": nn.ReLU()}, "nn.ModuleDict"),
            ([nn.Parameter()], "nn.ParameterList"),
            ({"a": nn.Parameter()}, "nn.ParameterDict"),
            ([[nn.ReLU()]], "nn.ModuleList"),
        ],
    )
    def test_a_plain_container_draws_a_warning_at_the_line(self, value: object, use: str) -> None:
        net: Any = Net()
        with pytest.warns(UserWarning, match=rf"Net\.layers is a plain .*self\.layers = {use}\(") as caught:
            net.layers = value
        assert caught[0].filename == __file__
        list(net.parameters())  # told once

    def test_one_filled_later_draws_it_when_parameters_are_asked_for(self) -> None:
        net: Any = Net()
        net.layers = []
        net.layers.append(nn.ReLU())
        with pytest.warns(UserWarning, match=r"Net\.layers is a plain list") as caught:
            net.parameters()
        assert caught[0].filename == __file__

    def test_other_lists_do_not(self) -> None:
        net: Any = Net()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            net.sizes = [1, 2]
            net.seen = {"a": nngrad.ones(1)}
            list(net.parameters())


def test_a_training_step_leaves_no_garbage() -> None:
    net = Net()
    loss = nn.MSELoss()

    def step() -> None:
        net.zero_grad()
        loss(net(nngrad.ones(2, 3)), nngrad.zeros(2, 2)).backward()
        with nngrad.no_grad():
            for p in net.parameters():
                assert p.grad is not None
                p.sub_(p.grad * 0.1)
        net.state_dict()
        net.snapshot()

    step()
    gc.collect()
    step()
    assert gc.collect() == 0


@pytest.mark.parametrize(
    "build",
    [
        lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Dropout(0.1)), nn.Flatten()),
        lambda nn: nn.ModuleList([nn.Linear(2, 3), nn.Linear(2, 3), nn.ReLU(inplace=True)]),
        lambda nn: nn.ModuleList([nn.Sequential(nn.Tanh()), nn.Sequential(nn.Tanh())]),
        lambda nn: nn.ModuleDict({"a": nn.Sigmoid(), "b": nn.ModuleList()}),
        lambda nn: nn.Sequential(nn.Softmax(dim=1), nn.LogSoftmax(), nn.Identity(3), nn.Linear(2, 1, False)),
        lambda nn: nn.ModuleList([nn.CrossEntropyLoss(ignore_index=3), nn.MSELoss(reduction="sum")]),
        lambda nn: nn.Sequential(),
    ],
)
def test_text_is_pytorchs(build: Any) -> None:
    torch = pytest.importorskip("torch")
    assert repr(build(nn)) == repr(build(torch.nn))


def test_text_of_parameters() -> None:
    torch = pytest.importorskip("torch")
    for mine, theirs in (
        (nn.Parameter(nngrad.ones(2)), torch.nn.Parameter(torch.ones(2))),
        (nn.ParameterList([nngrad.ones(2, 3)]), torch.nn.ParameterList([torch.ones(2, 3)])),
        (nn.ParameterList([nngrad.ones(2)] * 2), torch.nn.ParameterList([torch.ones(2)] * 2)),
    ):
        assert repr(mine) == repr(theirs).replace("torch.", "nngrad.")


def test_text_with_own_lines_and_an_empty_child() -> None:
    torch = pytest.importorskip("torch")

    def build(nn: Any) -> Any:
        class Odd(nn.Module):  # type: ignore[misc]  # nn is either library
            def __init__(self) -> None:
                super().__init__()
                self.child = nn.ReLU()
                self.child = None

            def extra_repr(self) -> str:
                return "a\nb"

        return Odd()

    assert repr(build(nn)) == repr(build(torch.nn))


def test_a_deep_copy_starts_without_gradients() -> None:
    net = nn.Linear(1, 1)
    net(Tensor([[1.0]])).sum().backward()
    copied = copy.deepcopy(net)
    assert all(p.grad is None and p.requires_grad for p in copied.parameters())
    assert all(p.grad is not None for p in net.parameters())

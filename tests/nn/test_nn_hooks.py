"""Hooks of modules, extra state, conversions and import paths: as PyTorch's."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import nn


@pytest.fixture(params=["nngrad", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    """Both libraries: what a test asserts is true of PyTorch too."""
    return nngrad if request.param == "nngrad" else pytest.importorskip("torch")


def rounded(grads: Any) -> list[Any]:
    return [None if g is None else np.round(np.array(g.tolist()), 5).tolist() for g in grads]


class TestForward:
    def test_always_called(self, lib: Any) -> None:
        class Failing(lib.nn.Module):  # type: ignore[misc]  # of either library
            def forward(self, x: Any) -> Any:
                raise KeyError("here")

        seen: list[Any] = []
        module = Failing()
        module.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
        module.register_forward_hook(lambda m, args, out: seen.append("not this one"))
        with pytest.raises(KeyError, match="here"):
            module(1)
        assert seen == [None]

    def test_keyword_arguments(self, lib: Any) -> None:
        class Scaled(lib.nn.Module):  # type: ignore[misc]  # of either library
            def forward(self, x: Any, *, by: float) -> Any:
                return x * by

        module = Scaled()
        module.register_forward_pre_hook(lambda m, args, kwargs: (args, {"by": 2.0}), with_kwargs=True)
        module.register_forward_hook(lambda m, args, kwargs, out: out + kwargs["by"], with_kwargs=True)
        assert module(lib.ones(1), by=5.0).tolist() == [4.0]


class TestBackward:
    def net(self, lib: Any) -> Any:
        lib.manual_seed(0)
        return lib.nn.Sequential(lib.nn.Linear(2, 3), lib.nn.Tanh(), lib.nn.Linear(3, 1))

    @pytest.mark.filterwarnings("ignore:Full backward hook is firing")
    def test_gradients_of_each_layer(self, lib: Any) -> None:
        net, seen = self.net(lib), []

        def record(name: str) -> Callable[..., None]:
            def hook(module: Any, grad_input: Any, grad_output: Any) -> None:
                assert isinstance(grad_input, tuple)
                seen.append((name, rounded(grad_input), rounded(grad_output)))

            return hook

        handles = [m.register_full_backward_hook(record(name)) for name, m in net.named_children()]
        x = lib.ones(1, 2)
        net(x).sum().backward()
        first = net[0].weight.grad.tolist()
        assert [name for name, _, _ in seen] == ["2", "1", "0"]
        assert seen[0][2] == [[[1.0]]]
        assert seen[2][1] == [None]  # the input requires no grad
        assert seen[0][1] == seen[1][2]
        assert seen[1][1] == seen[2][2]
        np.testing.assert_allclose(first, np.outer(seen[2][2][0], x.tolist()), rtol=1e-4)
        for handle in handles:
            handle.remove()
        net(x).sum().backward()
        assert len(seen) == 3

    def test_what_a_hook_returns_goes_on(self, lib: Any) -> None:
        net = self.net(lib)
        x = lib.ones(1, 2, requires_grad=True)
        net(x).sum().backward()
        plain = np.array(x.grad.tolist())
        x.grad.zero_()
        net[2].register_full_backward_pre_hook(lambda m, grads: (grads[0] * 3,))
        net[0].register_full_backward_hook(lambda m, inputs, outputs: (inputs[0] * 2,))
        net(x).sum().backward()
        np.testing.assert_allclose(x.grad.tolist(), plain * 6, rtol=1e-5)

    def test_wrong_number(self, lib: Any) -> None:
        net = self.net(lib)
        net[2].register_full_backward_hook(lambda m, inputs, outputs: (None, None))
        with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
            net(lib.ones(1, 2, requires_grad=True)).sum().backward()

    def test_several_inputs_and_outputs(self, lib: Any) -> None:
        class Two(lib.nn.Module):  # type: ignore[misc]  # of either library
            def forward(self, a: Any, n: int, b: Any, c: Any) -> Any:
                return a * b * n, c * b, "text"

        module, seen = Two(), []
        module.register_full_backward_hook(lambda m, i, o: seen.append((rounded(i), rounded(o))))
        a, b = lib.full((2,), 2.0, requires_grad=True), lib.full((2,), 3.0, requires_grad=True)
        first, _, text = module(a, 5, b, lib.ones(2))
        assert text == "text"
        first.sum().backward()
        ((inputs, outputs),) = seen
        assert inputs[:3] == [[15.0, 15.0], None, [10.0, 10.0]]
        assert outputs[0] == [1.0, 1.0]
        assert outputs[2] is None
        assert (len(inputs), len(outputs)) == (4, 3)

    def test_a_graph_of_the_gradients(self, lib: Any) -> None:
        module = lib.nn.Tanh()
        module.register_full_backward_hook(lambda m, i, o: (i[0] * i[0],))
        x = lib.tensor([0.5], requires_grad=True)
        (g,) = lib.autograd.grad(module(x).sum(), x, create_graph=True)
        (second,) = lib.autograd.grad(g.sum(), x)
        t = np.tanh(0.5)
        np.testing.assert_allclose(g.tolist(), [(1 - t * t) ** 2], rtol=1e-5)
        np.testing.assert_allclose(second.tolist(), [2 * (1 - t * t) * -2 * t * (1 - t * t)], rtol=1e-4)

    def test_other_results_warn(self, lib: Any) -> None:
        class Named(lib.nn.Module):  # type: ignore[misc]  # of either library
            def forward(self, x: Any) -> Any:
                return {"x": x}

        module = Named()
        module.register_full_backward_hook(lambda m, i, o: None)
        with pytest.warns(UserWarning, match="module output should be a Tensor or a tuple of Tensors"):
            module(lib.ones(1, requires_grad=True))


class TestState:
    def test_hooks_of_state_dict(self, lib: Any) -> None:
        net = lib.nn.Sequential(lib.nn.Linear(2, 1, bias=False))
        seen: list[Any] = []
        net.register_state_dict_pre_hook(lambda m, prefix, keep_vars: seen.append((prefix, keep_vars)))
        net[0].register_state_dict_post_hook(lambda m, s, prefix, meta: seen.append((list(s), prefix, meta)))
        net._register_state_dict_hook(lambda m, s, prefix, meta: OrderedDict(s, more=1))
        assert list(net.state_dict(prefix="p.")) == ["p.0.weight", "more"]
        assert seen == [("p.", False), (["p.0.weight"], "p.0.", {"version": 1})]
        net[0].register_state_dict_post_hook(lambda m, s, prefix, meta: s)
        with pytest.raises(RuntimeError, match="must return None"):
            net.state_dict()

    def test_hooks_of_loading(self, lib: Any) -> None:
        net = lib.nn.Sequential(lib.nn.Linear(2, 1, bias=False))
        seen: list[Any] = []

        def rename(module: Any, state: Any, prefix: str, *rest: Any) -> None:
            state[prefix + "weight"] = state.pop(prefix + "kernel")

        net[0].register_load_state_dict_pre_hook(rename)
        net.register_load_state_dict_post_hook(lambda m, keys: seen.append(list(keys.missing_keys)))
        net.load_state_dict({"0.kernel": lib.full((1, 2), 3.0)}, strict=False)
        assert net[0].weight.tolist() == [[3.0, 3.0]]
        assert seen == [[]]

    def test_extra_state(self, lib: Any) -> None:
        class Counting(lib.nn.Linear):  # type: ignore[misc]  # of either library
            count = 0

            def get_extra_state(self) -> Any:
                return {"count": self.count}

            def set_extra_state(self, state: Any) -> None:
                self.count = state["count"]

        a, b = (lib.nn.Sequential(Counting(1, 1)) for _ in range(2))
        a[0].count = 5
        state = a.state_dict()
        assert list(state) == ["0.weight", "0.bias", "0._extra_state"]
        assert repr(b.load_state_dict(state)) == "<All keys matched successfully>"
        assert b[0].count == 5
        del state["0._extra_state"]
        with pytest.raises(RuntimeError, match=r'Missing key\(s\).*"0._extra_state"'):
            b.load_state_dict(state)

    def test_assigned(self, lib: Any) -> None:
        layer = lib.nn.Linear(2, 1)
        layer.bias.requires_grad_(False)
        given = {"weight": lib.ones(1, 2, dtype=lib.float64), "bias": lib.nn.Parameter(lib.ones(1))}
        layer.load_state_dict(given, assign=True)
        assert layer.weight.dtype == lib.float64
        assert isinstance(layer.weight, lib.nn.Parameter)
        assert layer.bias is given["bias"]
        assert [p.requires_grad for p in layer.parameters()] == [True, False]

    @pytest.mark.parametrize("assign", [False, True])
    def test_a_failure_changes_nothing(self, assign: bool) -> None:
        net: Any = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1), nn.Linear(1, 1))
        before = {name: (id(t), t.tolist()) for name, t in net.state_dict(keep_vars=True).items()}
        state = {name: t + 1 for name, t in net.state_dict().items()}
        state["2.weight"] = nngrad.ones(3)
        with pytest.raises(RuntimeError, match=r"size mismatch for 2\.weight"):
            net.load_state_dict(state, assign=assign)
        after = {name: (id(t), t.tolist()) for name, t in net.state_dict(keep_vars=True).items()}
        assert after == before
        assert net[0].weight is dict(net.named_parameters())["0.weight"]
        assert all(p.requires_grad and p.is_leaf for p in net.parameters())

    def test_states_older_than_the_counter(self, lib: Any) -> None:
        layer = lib.nn.BatchNorm1d(2)
        state = {k: v for k, v in layer.state_dict().items() if k != "num_batches_tracked"}
        layer.load_state_dict(state)  # a plain dict tells no version
        newer = layer.state_dict()
        del newer["num_batches_tracked"]
        with pytest.raises(RuntimeError, match="num_batches_tracked"):
            layer.load_state_dict(newer)
        with pytest.raises(RuntimeError, match="Unexpected running stats"):
            lib.nn.InstanceNorm1d(2).load_state_dict({"running_mean": lib.ones(2)})

    def test_prefixes_are_taken_off(self, lib: Any) -> None:
        layer = lib.nn.Linear(1, 1)
        state = lib.nn.Sequential(OrderedDict(module=layer)).state_dict()
        lib.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        assert list(state) == ["weight", "bias"]
        layer.load_state_dict(state)

    def test_by_position(self) -> None:
        layer = nn.Linear(1, 1)
        with pytest.warns(FutureWarning, match="Positional args"):
            state = layer.state_dict(None, "p.", True)
        assert list(state) == ["p.weight", "p.bias"]
        assert state["p.weight"] is layer.weight


class TestConversions:
    def test_dtypes(self, lib: Any) -> None:
        net = lib.nn.Sequential(lib.nn.Linear(2, 1), lib.nn.BatchNorm1d(1))
        weight = net[0].weight
        assert net.double() is net
        assert net[0].weight is weight
        assert {str(t.dtype).split(".")[1] for t in net.state_dict().values()} == {"float64", "int64"}
        assert net.to(lib.device("cpu"), lib.float16)[0].weight.dtype == lib.float16
        assert net.to("cpu", non_blocking=True)[1].running_mean.dtype == lib.float16
        assert net.to(lib.ones(1, dtype=lib.float64))[0].bias.dtype == lib.float64
        assert net.to(device="cpu", dtype=lib.float32)[0].bias.dtype == lib.float32
        assert net[0].type(lib.float64).weight.dtype == lib.float64
        with pytest.raises(TypeError, match="floating point"):
            net.to(lib.int64)

    def test_apply_to_tensors(self, lib: Any) -> None:
        net = lib.nn.Sequential(lib.nn.Linear(2, 1, bias=False))
        net[0].weight.grad = lib.ones(1, 2)
        assert net._apply(lambda t: t * 0 + 2) is net
        assert net[0].weight.tolist() == net[0].weight.grad.tolist() == [[2.0, 2.0]]
        assert net[0].weight.is_leaf
        assert net[0].weight.requires_grad

    def test_what_there_is_not(self) -> None:
        layer = nn.Linear(1, 1)
        with pytest.raises(RuntimeError, match="there is no other"):
            layer.cuda()
        for place in ("cuda", 0, nngrad.device("mps")):
            with pytest.raises(RuntimeError, match="there is no other"):
                layer.to(place)
            with pytest.raises(RuntimeError, match="there is no other"):
                layer.to(device=place)
        with pytest.raises(NotImplementedError, match="NumPy has none"):
            layer.bfloat16()
        with pytest.warns(UserWarning, match="share no memory"):
            assert layer.share_memory() is layer
        assert layer.cpu() is layer.to_empty(device="cpu") is layer
        layer.compile(mode="reduce-overhead")


def test_submodules_are_put_in_place(lib: Any) -> None:
    net = lib.nn.Sequential(lib.nn.Sequential(lib.nn.ReLU()))
    net.set_submodule("0.0", lib.nn.Tanh())
    assert repr(net[0][0]) == "Tanh()"
    with pytest.raises(AttributeError):
        net.set_submodule("0.5", lib.nn.Tanh(), strict=True)
    with pytest.raises(ValueError, match="without a target name"):
        net.set_submodule("", lib.nn.Tanh())


def test_copies_of_modules_with_hooks() -> None:
    net = nn.Sequential(nn.Linear(1, 1))
    net.register_forward_hook(doubled)
    for other in (copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other(nngrad.ones(1, 1)).tolist() == net(nngrad.ones(1, 1)).tolist()
        other.register_forward_hook(doubled)
        assert len(net._forward_hooks) == 1
    old = pickle.loads(pickle.dumps(net))
    state = {name: value for name, value in vars(old).items() if "hooks" not in name}
    revived: nn.Module = object.__new__(nn.Sequential)
    revived.__setstate__(state)
    assert revived(nngrad.ones(1, 1)).shape == (1, 1)


def doubled(module: nn.Module, args: Any, output: Any) -> Any:
    return output * 2


def test_import_paths_of_programs(lib: Any) -> None:
    modules = lib.nn.modules
    assert modules.module.Module is modules.Module is lib.nn.Module
    assert modules.conv.Conv2d is lib.nn.Conv2d
    assert modules.utils._pair(3) == (3, 3)
    assert modules.utils._triple((1, 2, 3)) == (1, 2, 3)
    assert modules.utils._single(1) == (1,)
    assert modules.utils._quadruple(1) == (1, 1, 1, 1)
    for file, base, layer in (
        ("batchnorm", "_BatchNorm", lib.nn.BatchNorm2d(1)),
        ("batchnorm", "_NormBase", lib.nn.InstanceNorm2d(1)),
        ("instancenorm", "_InstanceNorm", lib.nn.InstanceNorm2d(1)),
        ("conv", "_ConvNd", lib.nn.ConvTranspose1d(1, 1, 1)),
        ("dropout", "_DropoutNd", lib.nn.Dropout2d()),
        ("loss", "_Loss", lib.nn.KLDivLoss()),
        ("loss", "_WeightedLoss", lib.nn.CrossEntropyLoss()),
        ("pooling", "_MaxPoolNd", lib.nn.MaxPool2d(1)),
        ("container", "Sequential", lib.nn.Sequential()),
        ("activation", "Hardtanh", lib.nn.ReLU6()),
    ):
        assert isinstance(layer, getattr(getattr(modules, file), base))

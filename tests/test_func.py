"""torch.func on tensors: against closed forms, and the same programs under PyTorch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, assert_type

import numpy as np
import pytest

import nngrad
import nngrad.functional as F
from nngrad import Tensor, func, nn
from nngrad.functional import Node
from nngrad.utils.checkpoint import checkpoint, checkpoint_sequential


class Pair(NamedTuple):
    a: Tensor
    b: Tensor


def double(*values: float) -> Tensor:
    return nngrad.tensor(values, dtype=nngrad.float64)


# ---------------------------------------------------------------- programs of either package


def gradients(torch: Any, note: Any) -> None:
    func, nn = torch.func, torch.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    params = dict(model.named_parameters())
    constants = {k: v.detach() for k, v in params.items()}
    x, y = torch.randn(5, 3), torch.randn(5, 1)

    def loss(p: Any, x: Any, y: Any) -> Any:
        return ((func.functional_call(model, p, (x,)) - y) ** 2).mean()

    note(func.grad(loss)(constants, x, y))
    note(func.vmap(func.grad(loss), in_dims=(None, 0, 0))(constants, x, y))
    note(func.vmap(func.grad(loss), in_dims=(None, 0, 0), chunk_size=2)(constants, x, y))
    note(func.grad_and_value(loss, argnums=(0, 1))(constants, x, y))

    def pair(x: Any) -> Any:
        return (x**2).sum(), {"twice": x * 2}

    note(func.grad_and_value(pair, has_aux=True)(x[0]), func.grad(pair, has_aux=True)(x[0]))
    note(func.jacrev(pair, has_aux=True)(x[0]), func.jacfwd(pair, has_aux=True)(x[0]))
    # what is given back is recorded where tensors that require grad are used, as arguments or beside them
    inner = func.grad(loss)(params, x, y)
    loss({k: p - 0.1 * inner[k] for k, p in params.items()}, x, y).backward()
    note([p.grad for p in model.parameters()])
    model.zero_grad()

    def u(t: Any) -> Any:
        return model(torch.stack([t, t * t, t])).squeeze(-1)

    t = torch.linspace(0, 1, 5)
    slope, curvature = func.vmap(func.grad(u))(t), func.vmap(func.grad(func.grad(u)))(t)
    note(slope, curvature)
    ((slope + curvature) ** 2).mean().backward()
    note([p.grad for p in model.parameters()])
    with torch.no_grad():
        note(func.grad(u)(t[0]))


def jacobians(torch: Any, note: Any) -> None:
    func, nn = torch.func, torch.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    params = {k: v.detach() for k, v in model.named_parameters()}
    x = torch.randn(3)
    note(func.jacrev(model)(x), func.jacrev(model, chunk_size=1)(x), func.jacfwd(model)(x))

    def call(p: Any, x: Any) -> Any:
        return {"out": func.functional_call(model, p, x), "sum": x.sum()}

    note(func.jacrev(call)(params, x), func.jacfwd(call, argnums=1)(params, x))
    note(func.hessian(lambda x: model(x).prod())(x), func.hessian(lambda x: x.sin())(x))
    value, pull = func.vjp(model, x)
    note(value, pull(torch.ones(2)), pull(torch.tensor([1.0, -1.0])))
    value, pull, aux = func.vjp(lambda x: (x * 2, x + 1), x, has_aux=True)
    note(value, pull(x), aux)
    frozen = model.requires_grad_(False)
    note(func.jvp(frozen, (x,), (torch.ones(3),)))
    note(func.jvp(lambda x, y: ((x * y).sum(), x), (x, x + 1), (x, x), has_aux=True))
    value, push = func.linearize(lambda x: torch.sin(x), x)
    note(value, push(torch.ones(3)))


def ensembles(torch: Any, note: Any) -> None:
    func, nn = torch.func, torch.nn
    models = [nn.Linear(3, 2) for _ in range(3)]
    params, buffers = func.stack_module_state(models)
    x = torch.randn(4, 3)

    def call(p: Any, b: Any, x: Any) -> Any:
        return func.functional_call(models[0], (p, b), (x,))

    note(params, buffers)
    out = func.vmap(call, in_dims=(0, 0, None))(params, buffers, x)
    note(out)
    out.sum().backward()
    note({k: v.grad for k, v in params.items()})
    note(func.vmap(call, in_dims=(0, 0, None), out_dims=1)(params, buffers, x))


def inside_vmap(torch: Any, note: Any) -> None:
    x = torch.arange(24.0).reshape(3, 4, 2)

    def written(a: Any) -> Any:
        b = a.clone()
        b[0] = a.sum()
        b[1:3] += 1
        return b

    def methods(a: Any) -> Any:
        rows = [row * len(a) for row in a]
        return torch.stack(rows).contiguous().view(-1), a.new_zeros(2) + a.mean(0), torch.cat(a.T.chunk(2))

    note(torch.vmap(written)(x), torch.vmap(methods)(x), torch.vmap(torch.vmap(lambda a, b: a @ b))(x, x))
    note(torch.vmap(lambda a, k: a * k, in_dims=(1, None), out_dims=-1)(x, 2.0))
    note(torch.vmap(lambda d: d["a"] + d["b"], in_dims=({"a": 0, "b": None},))({"a": x, "b": x[0]}))


def products(torch: Any, note: Any) -> None:
    forms = torch.autograd.functional
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, v = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 2.0])

    def several(x: Any, y: Any) -> Any:
        return y @ x, (x * x).sum() * y

    def one(x: Any, y: Any) -> Any:
        return ((y @ x) ** 3).sum() * x.prod()

    for record in (False, True):
        note(forms.jacobian(several, (x, y), create_graph=record))
        note(forms.jacobian(torch.sin, x, create_graph=record, vectorize=True))
        note(forms.hessian(one, (x, y), create_graph=record))
        note(forms.hessian(lambda x: one(x, y), x, create_graph=record))
        for form in (forms.hvp, forms.vhp):
            note(form(one, (x, y), (v, y), create_graph=record))
            note(form(lambda x: one(x, y), x, v, create_graph=record))
        note(forms.vjp(several, (x, y), (x, y), create_graph=record))
        note(forms.vjp(torch.sum, x, create_graph=record))
        note(forms.jvp(several, (x, y), (x, y), create_graph=record))
    calls: tuple[Any, ...] = (
        lambda: forms.jacobian(lambda x, y: x * 2, (x, y), strict=True),
        lambda: forms.hessian(lambda x: x * 2, x),
        lambda: forms.hessian(lambda x: x.sum() * 2, x, strict=True),
        lambda: forms.vjp(lambda x: x * 2, x),
        lambda: forms.vjp(lambda x: x * 2, x, torch.ones(3)),
        lambda: forms.jvp(lambda x: x * 2, x),
        lambda: forms.hvp(torch.sum, x, (v, v)),
    )
    for call in calls:
        with pytest.raises(RuntimeError):
            call()
    for inputs in (x, [1.0, 2.0]):
        with pytest.raises(TypeError):
            forms.jacobian(lambda x: 2.0, inputs)


def batched_gradients(torch: Any, note: Any) -> None:
    x, z = (torch.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    y, eye, grad = x * x, torch.eye(2), torch.autograd.grad
    note(grad(y, x, eye, is_grads_batched=True, retain_graph=True))
    g = grad(y, (x, z), eye, is_grads_batched=True, allow_unused=True, create_graph=True)
    note(g, grad(g[0].sum(), x, retain_graph=True))
    note(grad((y, y.sum()), x, (eye, torch.ones(2)), is_grads_batched=True))
    note(grad((x * x).sum(), (x, z), materialize_grads=True))
    with pytest.raises(ValueError, match="allow_unused"):
        grad((x * x).sum(), (x, z), allow_unused=False, materialize_grads=True)
    w = x * 2
    (w * z).sum().backward(inputs=[x])
    note(x.grad, z.grad)
    with pytest.raises(RuntimeError, match="empty"):
        (w * z).sum().backward(inputs=[])


def checkpoints(torch: Any, note: Any) -> None:
    module, nn = import_module(f"{torch.__name__}.utils.checkpoint"), torch.nn
    net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 2), nn.Dropout(0.5))
    x = torch.randn(4, 3, requires_grad=True)
    start = torch.get_rng_state()
    for reentrant in (True, False):
        torch.set_rng_state(start)
        module.checkpoint(net, x, use_reentrant=reentrant).sum().backward()
        note(x.grad, [p.grad for p in net.parameters()])
        torch.set_rng_state(start)
        module.checkpoint_sequential(net, 2, x, use_reentrant=reentrant).sum().backward()
        note(x.grad, [p.grad for p in net.parameters()], torch.rand(2))

    def mixed(a: Any, k: Any = None, n: int = 1) -> Any:
        return a * k * n, a.sum()

    first, second = module.checkpoint(mixed, x, k=x * 2, n=3, use_reentrant=False)
    (g,) = torch.autograd.grad(first.sum() * second, x, create_graph=True)
    note(g, torch.autograd.grad((g**2).sum(), x))


@pytest.mark.filterwarnings("ignore:.*torch.jit", "ignore:Attempted to insert a get_attr")  # PyTorch's own
@pytest.mark.parametrize(
    "program", [gradients, jacobians, ensembles, inside_vmap, products, batched_gradients, checkpoints]
)
def test_programs_give_what_they_give_in_pytorch(program: Any) -> None:
    """Values, shapes, structure, and whether they require grad."""
    torch = pytest.importorskip("torch")
    logs = []
    for package in (nngrad, torch):
        package.manual_seed(0)
        log: list[Any] = []
        program(package, lambda *things, log=log: log.append(things))
        logs.append(log)
    ours, theirs = logs
    assert len(ours) == len(theirs) > 0
    compare("log", ours, theirs, torch)


def compare(path: str, ours: Any, theirs: Any, torch: Any) -> None:
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, Tensor), path
        assert ours.requires_grad == theirs.requires_grad, path
        np.testing.assert_allclose(
            ours.numpy(force=True), theirs.detach().numpy(), rtol=2e-5, atol=1e-6, err_msg=path
        )
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs), path
        for key in theirs:
            compare(f"{path}[{key!r}]", ours[key], theirs[key], torch)
    elif isinstance(theirs, (tuple, list)):
        assert type(ours) is type(theirs), path
        assert len(ours) == len(theirs), path
        for i, (a, b) in enumerate(zip(ours, theirs)):
            compare(f"{path}[{i}]", a, b, torch)
    else:
        assert ours == theirs, path


# ---------------------------------------------------------------- trees, closed forms, errors


def test_trees_come_back_as_they_came() -> None:
    given = {"p": Pair(double(1, 2), double(3, 4)), "l": [double(5.0)], "o": OrderedDict(x=double(6.0))}

    def total(tree: dict[str, Any]) -> Tensor:
        p = tree["p"]
        return (p.a * p.b).sum() + tree["l"][0].sum() * 2 + tree["o"]["x"].sum() * 3  # type: ignore[no-any-return]

    of_trees: Any = func.grad(total)
    gradient = of_trees(given)
    assert type(gradient["p"]) is Pair
    assert type(gradient["o"]) is OrderedDict
    assert gradient["p"].a.tolist() == [3, 4]
    assert gradient["l"][0].tolist() == [2]
    assert not gradient["p"].a.requires_grad


def test_derivatives_of_higher_order() -> None:
    x = double(0.4)[0]
    t = np.tanh(0.4)

    def f(x: Tensor) -> Tensor:
        return x.tanh()

    third = func.grad(func.grad(func.grad(f)))(x)
    np.testing.assert_allclose(third.item(), -2 * (1 - t * t) * (1 - 3 * t * t), rtol=1e-13)
    mixed = func.jacfwd(func.jacrev(func.jacfwd(f)))(x)
    np.testing.assert_allclose(mixed.item(), third.item(), rtol=1e-13)
    through = func.jvp(func.grad(func.grad(f)), (x,), (nngrad.ones_like(x),))[1]
    np.testing.assert_allclose(through.item(), third.item(), rtol=1e-13)


def test_static_types_follow() -> None:
    """What a project that forbids Any cannot say: see tests/typing for the rest."""

    def loss(p: Pair, x: Tensor, *, scale: float = 1.0) -> Tensor:
        return (p.a * p.b * x).sum() * scale

    def of_nodes(x: Node) -> Node:
        return x * x

    pair, x = Pair(double(1, 2), double(3, 4)), double(5, 6)
    value, pull = assert_type(func.vjp(loss, pair, x), tuple[Tensor, Callable[..., tuple[Any, ...]]])
    assert [g.tolist() for g in pull(value * 0 + 1)[0]] == [[15, 24], [5, 12]]
    assert_type(func.linearize(loss, pair, x), tuple[Tensor, Callable[..., Tensor]])
    assert_type(func.vmap(func.grad(loss), in_dims=(0, None))(Pair(x, x), x[0]), Pair)
    assert_type(F.vjp(of_nodes, np.ones(2)), tuple[Node, Callable[[Any], tuple[Any, ...]]])
    assert_type(F.vmap(F.grad(of_nodes))(F.constant(np.ones(2))), Node)
    assert_type(F.hvp(of_nodes, F.constant(1.0), F.constant(1.0)), tuple[Node, Node])


def test_the_arguments_are_not_changed() -> None:
    x = nngrad.ones(3, requires_grad=True)
    before = x.node
    func.hessian(lambda x: (x**3).sum())(x)
    func.vmap(lambda x: x.clone().add_(1))(x)
    assert x.node is before
    assert x.grad is None


def test_refused() -> None:
    grad: Any = func.grad
    with pytest.raises(TypeError, match=r"floating-point .* argument at \['n'\] is int64"):
        grad(lambda tree: tree["n"].sum())({"n": nngrad.arange(3)})
    with pytest.raises(TypeError, match="one element"):
        grad(lambda x: x * 2)(nngrad.ones(2))
    with pytest.raises(ValueError, match=r"args\[1\]: 3"):
        func.vmap(nngrad.add)(nngrad.ones(2), nngrad.ones(3))
    with pytest.raises(ValueError, match="tangent"):
        func.jvp(nngrad.sin, (nngrad.ones(2),), (nngrad.ones(3),))
    leaked: list[Tensor] = []

    def leak(x: Tensor) -> Tensor:
        leaked.append(x)
        return x

    func.vmap(leak)(nngrad.ones(2, 1))
    with pytest.raises(RuntimeError, match="a vmap that has ended"):
        leaked[0].item()
    with pytest.raises(RuntimeError, match="a vmap that has ended"):
        leaked[0].sum()
    assert "of a vmap that has ended" in repr(leaked[0])


def test_a_tensor_inside_vmap_shows_all_examples() -> None:
    shown: list[str] = []

    def show(x: Tensor) -> Tensor:
        shown.append(repr(x))
        return x

    func.vmap(show)(nngrad.ones(2, 1))
    assert shown == ["BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[1.],\n            [1.]])\n)"]


def test_values_that_steer_the_program_run_it_for_each_example() -> None:
    def absolute(x: Tensor) -> Tensor:
        return x if x.item() > 0 else -x

    with nngrad.functional.vmap_fallbacks() as names:
        assert func.vmap(absolute)(double(-1, 2, -3)).tolist() == [1, 2, 3]
    assert names == {"absolute": 1}


def test_random_functions_obey_vmap() -> None:
    x = nngrad.zeros(4, 3)
    draws: tuple[Any, ...] = (nngrad.rand_like, nn.functional.dropout, lambda x: x + nngrad.randn(3))
    for draw in draws:
        with pytest.raises(RuntimeError, match="randomness error mode"):
            func.vmap(draw)(x)
    different = func.vmap(lambda x: x + nngrad.randn(3), randomness="different")(x)
    assert len({tuple(row) for row in different.tolist()}) == 4
    same = func.vmap(lambda x: x + nngrad.randn(3), randomness="same")(x)
    assert len({tuple(row) for row in same.tolist()}) == 1


@pytest.mark.parametrize("steered", [False, True], ids=["at-once", "by-the-loop"])
@pytest.mark.parametrize("draw", ["rand", "randn", "randint", "randperm", "bernoulli", "dropout"])
def test_random_numbers_that_are_the_same_are_so_in_every_chunk_and_loop(draw: str, steered: bool) -> None:
    draws: dict[str, Callable[[], Tensor]] = {
        "rand": lambda: nngrad.rand(8),
        "randn": lambda: nngrad.randn(9) + nngrad.randn(9),  # an odd number, of which one is left over
        "randint": lambda: nngrad.randint(1000, (8,)),
        "randperm": lambda: nngrad.randperm(8),
        "bernoulli": lambda: nngrad.bernoulli(nngrad.full((30,), 0.5)),
        "dropout": lambda: nn.functional.dropout(nngrad.ones(30)),
    }

    def of_one(x: Tensor) -> Tensor:
        if steered and float(x[0]) < 0:
            raise AssertionError
        return draws[draw]()

    for chunk_size in (None, 2):
        rows = func.vmap(of_one, randomness="same", chunk_size=chunk_size)(nngrad.zeros(5, 3))
        assert len({tuple(row) for row in rows.tolist()}) == 1
    with pytest.raises(RuntimeError, match="randomness error mode"):
        func.vmap(of_one)(nngrad.zeros(5, 3))


# ---------------------------------------------------------------- modules as functions


def test_running_statistics_cannot_differ_from_example_to_example() -> None:
    norm, x = nn.BatchNorm1d(3), nngrad.randn(4, 2, 3)
    with pytest.raises(RuntimeError, match=r"^batch_norm: inside vmap .*replace_all_batch_norm_modules_"):
        func.vmap(norm)(x)
    assert dict(norm.named_buffers())["running_mean"].tolist() == [0, 0, 0]  # and is still of use
    assert norm(x[0]).shape == (2, 3)
    net = func.replace_all_batch_norm_modules_(nn.Sequential(norm))
    assert not list(norm.buffers())
    expected = nngrad.stack([nn.functional.batch_norm(part, None, None, training=True) for part in x])
    assert nngrad.allclose(func.vmap(net)(x), expected)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2, bias=False)
        self.second = nn.Linear(2, 2, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("scale", nngrad.ones(1))
        self.scale: Tensor

    def forward(self, x: Tensor, *, fail: bool = False) -> Tensor:
        out = self.second(self.first(x)) * self.scale
        if fail:
            raise KeyError("on purpose")
        return out


def test_functional_call_ties_what_is_tied() -> None:
    module, x = Tied(), nngrad.ones(1, 2)
    own = module.state_dict(keep_vars=True)
    eye = nngrad.eye(2)
    for name in ("first.weight", "second.weight"):
        assert func.functional_call(module, {name: eye * 2}, (x,)).tolist() == [[4, 4]]
    apart = func.functional_call(
        module, {"first.weight": eye, "second.weight": eye * 3}, x, tie_weights=False
    )
    assert apart.tolist() == [[3, 3]]
    scaled = func.functional_call(module, ({"first.weight": eye}, {"scale": nngrad.ones(1) * 5}), x)
    assert scaled.tolist() == [[5, 5]]
    with pytest.raises(KeyError, match="on purpose"):
        func.functional_call(module, {"first.weight": eye}, (x,), {"fail": True})
    assert all(t is own[name] for name, t in module.state_dict(keep_vars=True).items())
    assert nn.utils.stateless.functional_call is func.functional_call


def test_functional_call_refuses() -> None:
    module, x, w = Tied(), nngrad.ones(1, 2), nngrad.eye(2)
    with pytest.raises(ValueError, match="scale appeared in multiple dictionaries"):
        func.functional_call(module, [{"scale": w}, {"scale": w}], x)
    with pytest.raises(ValueError, match="multiple values for keys"):
        func.functional_call(module, {"first.weight": w, "second.weight": w * 2}, x)
    with pytest.raises(
        RuntimeError, match=r"missing key\(s\): \['second.weight'.* unexpected key\(s\): \['a'\]"
    ):
        func.functional_call(module, {"first.weight": w, "a": w}, x, strict=True)
    with pytest.raises(AttributeError, match="no attribute `third`"):
        func.functional_call(module, {"third.weight": w}, x)
    with pytest.raises(RuntimeError, match="at least one model"):
        func.stack_module_state([])
    with pytest.raises(RuntimeError, match="same class"):
        func.stack_module_state([nn.Linear(1, 1), Tied()])
    with pytest.raises(RuntimeError, match="training/eval mode"):
        func.stack_module_state([nn.Linear(1, 1), nn.Linear(1, 1).eval()])


def test_functional_call_from_several_threads() -> None:
    module, x = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)), nngrad.ones(1, 2)
    expected = module(x).tolist()
    wrong: list[Any] = []

    def work(k: int) -> None:
        for _ in range(100):
            given = {name: nngrad.full_like(p, k / 10) for name, p in module.named_parameters()}
            got = func.functional_call(module, given, (x,))
            if not np.allclose(got.tolist(), 2 * k / 10 * np.tanh(3 * k / 10) + k / 10):
                wrong.append((k, got))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    wrong.extend(["the module's own" for _ in range(100) if module(x).tolist() != expected])
    for thread in threads:
        thread.join()
    assert not wrong


# ---------------------------------------------------------------- checkpoint


def test_checkpoint_keeps_nothing_and_runs_again() -> None:
    runs = 0

    def heavy(x: Tensor) -> Tensor:
        nonlocal runs
        runs += 1
        return x.sin().exp()

    x = nngrad.tensor(0.5, dtype=nngrad.float64, requires_grad=True)
    y = checkpoint(heavy, x, use_reentrant=False)
    assert runs == 1
    assert y.prev[0].is_leaf  # nothing of what is between
    y.backward()
    assert runs == 2
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.item(), np.cos(0.5) * np.exp(np.sin(0.5)))
    with pytest.raises(ValueError, match="3 segments of 2 functions"):
        checkpoint_sequential([nngrad.sin, nngrad.exp], 3, x)

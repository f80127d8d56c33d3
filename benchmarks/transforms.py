"""(t) Transforms of functions: derivatives of a network's loss, all at once and of second order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .harness import OURS, Row, Work, against_torch, compare, interleave, makers, peer, timed, typical

WIDE, BATCH = (784, 512, 512, 10), 256
NARROW = (64, 64, 64)
Layers = list[tuple[Any, Any]]


class Kit(NamedTuple):
    """What a library has for this: functions of a network, and its transforms."""

    array: Callable[[Any], Any]
    linear: Callable[..., Any]
    relu: Callable[..., Any]
    cross_entropy: Callable[..., Any]
    grad: Callable[..., Any]
    jvp: Callable[..., Any]
    hvp: Callable[..., Any]
    jacrev: Callable[..., Any] | None = None
    jacfwd: Callable[..., Any] | None = None
    vmap: Callable[..., Any] | None = None
    #: a function of arrays as the library would have it called again and again
    compiled: Callable[[Any], Any] = lambda function: function
    #: waits for a result that may still be being computed
    ready: Callable[[Any], Any] = lambda result: result


def ours(nngrad: Any) -> Kit:
    """`nngrad.functional`."""
    f = peer(f"{nngrad.__name__}.functional")

    def array(x: Any) -> Any:
        x.setflags(write=False)
        return x

    def hvp(loss: Any, primal: Any, tangent: Any) -> Any:
        return f.hvp(loss, primal, tangent)[1]

    def jvp(loss: Any, primal: Any, tangent: Any) -> Any:
        return f.jvp(loss, (primal,), (tangent,))[1]

    return Kit(array, f.linear, f.relu, f.cross_entropy, f.grad, jvp, hvp, f.jacrev, f.jacfwd, f.vmap)


def of_torch(torch: Any) -> Kit:
    """`torch.func`."""
    f, nn = peer("torch.func"), peer("torch.nn.functional")

    def jvp(loss: Any, primal: Any, tangent: Any) -> Any:
        return f.jvp(loss, (primal,), (tangent,))[1]

    def hvp(loss: Any, primal: Any, tangent: Any) -> Any:
        return jvp(f.grad(loss), primal, tangent)

    return Kit(
        torch.tensor, nn.linear, nn.relu, nn.cross_entropy, f.grad, jvp, hvp, f.jacrev, f.jacfwd, f.vmap
    )


def of_autograd(autograd: Any) -> Kit:
    """HIPS autograd, which takes derivatives in one array: layers are cut out of a vector."""
    anp, logsumexp = peer("autograd.numpy"), peer("autograd.scipy.special").logsumexp

    def cross_entropy(x: Any, target: Any) -> Any:
        return anp.mean(logsumexp(x, axis=1) - x[np.arange(len(target)), target])

    def linear(x: Any, weight: Any, bias: Any) -> Any:
        return anp.dot(x, weight.T) + bias

    def flat(layers: Layers) -> Any:
        return np.concatenate([a.ravel() for layer in layers for a in layer])

    def cut(vector: Any, like: Layers) -> Layers:
        made, at = [], 0
        for w, b in like:
            end = at + w.size
            made.append((vector[at:end].reshape(w.shape), vector[end : end + b.size]))
            at = end + b.size
        return made

    def grad(loss: Any) -> Any:
        return lambda primal: cut(autograd.grad(lambda v: loss(cut(v, primal)))(flat(primal)), primal)

    def hvp(loss: Any, primal: Any, tangent: Any) -> Any:
        product = autograd.hessian_vector_product(lambda v: loss(cut(v, primal)))
        return cut(product(flat(primal), flat(tangent)), primal)

    def jvp(loss: Any, primal: Any, tangent: Any) -> Any:
        return autograd.make_jvp(lambda v: loss(cut(v, primal)))(flat(primal))(flat(tangent))[1]

    return Kit(
        lambda x: x, linear, lambda x: anp.maximum(x, 0), cross_entropy, grad, jvp, hvp, autograd.jacobian
    )


def of_jax(jax: Any, jitted: bool = False) -> Kit:
    """JAX, which computes in the background until a result is waited for."""
    jnp = peer("jax.numpy")

    def cross_entropy(x: Any, target: Any) -> Any:
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), target[..., None], -1))

    def linear(x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight.T + bias

    def jvp(loss: Any, primal: Any, tangent: Any) -> Any:
        return jax.jvp(loss, (primal,), (tangent,))[1]

    def hvp(loss: Any, primal: Any, tangent: Any) -> Any:
        return jvp(jax.grad(loss), primal, tangent)

    return Kit(
        jnp.asarray, linear, jax.nn.relu, cross_entropy, jax.grad, jvp, hvp, jax.jacrev, jax.jacfwd, jax.vmap
    )._replace(compiled=jax.jit if jitted else lambda f: f, ready=jax.block_until_ready)


def layers_of(sizes: tuple[int, ...], seed: int, array: Callable[[Any], Any]) -> Layers:
    """Weights and biases of a network."""
    random = np.random.default_rng(seed)
    return [
        (
            array((random.standard_normal((o, i)) / np.sqrt(i)).astype(np.float32)),
            array((random.standard_normal(o) / 10).astype(np.float32)),
        )
        for i, o in pairwise(sizes)
    ]


def network(kit: Kit, layers: Layers, x: Any) -> Any:
    """A network with relu between its layers."""
    *hidden, last = layers
    for layer in hidden:
        x = kit.relu(kit.linear(x, *layer))
    return kit.linear(x, *last)


def leaves(tree: Any) -> list[Any]:
    """The arrays of a result."""
    if isinstance(tree, tuple | list):
        return [leaf for part in tree for leaf in leaves(part)]
    return [np.asarray(getattr(tree, "data", tree) if type(tree).__name__ == "Node" else tree)]


def work_of(module: Any, make_kit: Callable[[Any], Kit], name: str) -> Work:
    """One of the cases by name."""
    kit = make_kit(module)
    random = np.random.default_rng(1)
    sizes = NARROW if name.startswith("jac") else WIDE
    layers, along = layers_of(sizes, 0, kit.array), layers_of(sizes, 2, kit.array)
    x = random.standard_normal((BATCH, WIDE[0]) if sizes is WIDE else NARROW[0]).astype(np.float32)
    given = (layers, along, kit.array(x), kit.array(random.integers(0, WIDE[-1], BATCH)))

    def loss(layers: Layers, x: Any, target: Any) -> Any:
        return kit.cross_entropy(network(kit, layers, x), target)

    def jacobian(layers: Layers, along: Layers, x: Any, target: Any) -> Any:
        transform = getattr(kit, name)
        if transform is None:
            raise NotImplementedError("has none")
        return transform(partial(network, kit, layers))(x)

    def each(layers: Layers, along: Layers, x: Any, target: Any) -> Any:
        if kit.vmap is None:
            raise NotImplementedError("has no vmap")
        return kit.vmap(kit.grad(loss), (None, 0, 0))(layers, x, target)

    cases: dict[str, Callable[..., Any]] = {
        "value": lambda layers, along, x, target: loss(layers, x, target),
        "jvp": lambda layers, along, x, target: kit.jvp(lambda p: loss(p, x, target), layers, along),
        "hvp": lambda layers, along, x, target: kit.hvp(lambda p: loss(p, x, target), layers, along),
        "vmap of grad": each,
        "jacrev": jacobian,
        "jacfwd": jacobian,
    }
    whole = kit.compiled(cases[name])
    return Work(lambda: kit.ready(whole(*given)), lambda: leaves(whole(*given)))


def measure(rounds: int) -> list[Row]:
    """(t)"""
    wide = "-".join(map(str, WIDE))
    about = f"of the loss of {wide}, batch {BATCH}"
    cases = {
        "hvp": f"(t) Hessian-vector product {about}",
        "jvp": f"(t) directional derivative {about}",
        "vmap of grad": f"(t) a gradient for each example, {about}",
        "jacrev": "(t) jacrev of 64-64-64",
        "jacfwd": "(t) jacfwd of 64-64-64",
    }
    rows = []
    for name, case in cases.items():
        works = makers(
            nngrad=partial(work_of, make_kit=ours, name=name),
            torch=partial(work_of, make_kit=of_torch, name=name),
            autograd=partial(work_of, make_kit=of_autograd, name=name),
            jax=partial(work_of, make_kit=of_jax, name=name),
            jax_jit=partial(work_of, make_kit=partial(of_jax, jitted=True), name=name),
        )
        samples = compare(case, works, rounds)
        rows.append(against_torch(case, f"{typical(samples[OURS]) * 1e3:.2f} ms", samples, 1.0))
    return [*rows, jvp_of_value(rounds), *[of_the_loop(sizes, rounds) for sizes in (WIDE, (64, 64, 64, 10))]]


def jvp_of_value(rounds: int) -> Row:
    """What a directional derivative costs beside the value."""
    module = peer(OURS)
    value, jvp = [work_of(module, ours, name).run for name in ("value", "jvp")]
    samples = interleave({"value": timed(value), "jvp": timed(jvp)}, rounds)
    share = float(np.median(np.divide(samples["jvp"], samples["value"])))
    return Row("(t) directional derivative, of the value's time", f"{share:.2f}", {}, "3", share, 3.0)


def of_the_loop(sizes: tuple[int, ...], rounds: int) -> Row:
    """What gradients for each example cost beside a loop that computes and stacks them.

    Also told: what NumPy takes for nothing but the products that the weights' gradients consist of, which
    for a wide network is the time to write so much memory, and a bound that no vmap gets below.
    """
    kit = ours(peer(OURS))
    assert kit.vmap is not None
    random = np.random.default_rng(1)
    layers = layers_of(sizes, 0, kit.array)
    x = kit.array(random.standard_normal((BATCH, sizes[0])).astype(np.float32))
    target = kit.array(random.integers(0, sizes[-1], BATCH))
    gradient = kit.grad(lambda p, x, t: kit.cross_entropy(network(kit, p, x), t))
    each = kit.vmap(gradient, in_dims=(None, 0, 0))

    def loop() -> list[Any]:
        made = [leaves(gradient(layers, x[i], target[i])) for i in range(BATCH)]
        return [np.stack(column) for column in zip(*made)]

    def products() -> list[Any]:
        """As many as there are, of rows of ones."""
        rows = [np.ones((BATCH, n), np.float32) for n in sizes]
        return [b[:, :, None] * a[:, None, :] for a, b in pairwise(rows)]

    for ours_, theirs in zip(leaves(each(layers, x, target)), loop()):
        np.testing.assert_allclose(ours_, theirs, 1e-3, 1e-5)
    runs = {"vmap": lambda: each(layers, x, target), "loop": loop, "products": products}
    samples = interleave({name: timed(run) for name, run in runs.items()}, max(3, rounds // 3))
    share = float(np.median(np.divide(samples["vmap"], samples["loop"])))
    case = f"(t) a gradient for each of {BATCH} examples of {'-'.join(map(str, sizes))}, of the loop's time"
    took, least = (np.median(samples[name]) * 1e3 for name in ("vmap", "products"))
    return Row(case, f"{took:.2f} ms (its products alone: {least:.2f})", {}, "0.1", share, 0.1)

"""What transforms refuse: each error names the transform and the path of what it refuses. And every tree."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Array, Node
from nngrad.functional.trees import leaves

Tree = Mapping[str, list[Array]]
pyrsistent: Any = import_module("pyrsistent")  # its own types are not to be relied on
ONES = np.ones(2)
TREE: Any = {"a": [np.ones(2), np.ones(3)]}


def first(tree: Tree) -> Node:
    """The tanh of the first leaf."""
    return F.tanh(tree["a"][0])


def total(tree: Tree) -> Node:
    """One number."""
    return F.sum(first(tree))


def dot(x: Any, y: Any) -> Node:
    return F.matmul(x, y)


def with_leaf(leaf: object) -> Any:
    """The tree with another second leaf."""
    return {"a": [np.ones(2), leaf]}


#: a transform by its name in messages, applied to a tree
ON_TREES: dict[str, Callable[[Any], Any]] = {
    "grad": lambda tree: F.grad(total)(tree),
    "vjp": lambda tree: F.vjp(first, tree),
    "jvp": lambda tree: F.jvp(first, (tree,), (tree,)),
    "linearize": lambda tree: F.linearize(first, tree),
    "jacrev": lambda tree: F.jacrev(first)(tree),
    "jacfwd": lambda tree: F.jacfwd(first)(tree),
    "hvp": lambda tree: F.hvp(total, tree, tree),
}


@pytest.mark.parametrize("name", ON_TREES)
@pytest.mark.parametrize("dtype", [np.int64, np.bool_])
def test_what_is_not_continuous_has_no_derivative(name: str, dtype: type) -> None:
    told = rf"^{name}: only floating-point .* the argument at \['a'\]\[1\] is {np.dtype(dtype)}$"
    with pytest.raises(TypeError, match=told):
        ON_TREES[name](with_leaf(np.ones(3, dtype)))


@pytest.mark.parametrize("name", ON_TREES)
@pytest.mark.parametrize("leaf", ["text", object(), np.array(["text"])], ids=["str", "object", "texts"])
def test_what_is_no_number_is_named_by_its_path(name: str, leaf: object) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: the argument at \['a'\]\[1\]: "):
        ON_TREES[name](with_leaf(leaf))


def vjp_of(function: Callable[..., Any], *primals: Any) -> Callable[[Any], Any]:
    """The pullback alone."""
    pull: Callable[[Any], Any] = F.vjp(function, *primals)[1]
    return pull


def slope(function: Callable[..., Any], x: Any) -> Any:
    """The gradient."""
    made: Callable[..., Any] = F.grad(function)
    return made(x)


def both(x: Any) -> Any:
    """Two results by name."""
    return {"u": x, "w": [x * 2.0]}


def jvp_with(tangent: object) -> Any:
    """The derivative of `first` in a direction."""
    return F.jvp(first, (TREE,), (tangent,))


def ruled(forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    """The gradient of a function with these for its derivative."""
    made: Any = F.custom_vjp(F.sum)
    made.defvjp(forward, backward)
    return vjp_of(made, ONES)(np.array(1.0))


def pushed(rule: Callable[..., Any], *args: Any) -> Any:
    """The derivative forwards of a function with this rule."""
    made: Any = F.custom_jvp(F.sum)
    made.defjvp(rule)
    return made(*args) if args else F.jvp(lambda x: made(x), (ONES,), (ONES,))


pair = np.ones((2, 3))

#: what the error says, of which type it is, and what raises it
REFUSED: list[tuple[str, type[Exception], Callable[[], Any]]] = [
    # what the function returns
    (r"^grad: .* one element, not a node of shape \(2,\)", TypeError, lambda: F.grad(first)(TREE)),
    (r"^grad: .* one element, not <class 'dict'>", TypeError, lambda: slope(both, ONES)),
    (r"^grad: .* one element, not a node of shape \(2,\)", TypeError, lambda: F.hvp(first, TREE, TREE)),
    (r"^grad: with has_aux .* not Node", TypeError, lambda: F.value_and_grad(total, 0, True)(TREE)),
    (r"^vjp: .* its result at \['k'\] is str", TypeError, lambda: F.vjp(lambda x: {"k": "s"}, ONES)),
    (r"^jacrev: .* but it returned \(\)", TypeError, lambda: F.jacrev(lambda x: ())(ONES)),
    (r"^jacfwd: .* but it returned None", TypeError, lambda: F.jacfwd(lambda x: None)(ONES)),
    (r"^vmap: .* its result at \['k'\] is str", ValueError, lambda: F.vmap(lambda x: {"k": "s"})(ONES)),
    # which argument
    (r"^grad: argnums 1 names no argument: 1 ", ValueError, lambda: F.grad(total, 1)(TREE)),
    (r"^grad: argnums must be non-empty", ValueError, lambda: F.grad(total, ())(TREE)),
    (r"^jacrev: argnums -2 names no argument", ValueError, lambda: F.jacrev(first, -2)(TREE)),
    (
        r"^grad: argnums \(0, -2\) names an argument twice",
        ValueError,
        lambda: F.grad(dot, (0, -2))(ONES, ONES),
    ),
    (r"^jacfwd: argnums must be numbers", TypeError, lambda: F.jacfwd(first, argnums=["x"])(TREE)),  # type: ignore[list-item]  # it is refused
    # cotangents
    (
        r"^vjp: the cotangent has shape \(3,\), but .* \(2,\)",
        ValueError,
        lambda: vjp_of(first, TREE)(pair[0]),
    ),
    (r"^vjp: the cotangent is complex128, not", TypeError, lambda: vjp_of(first, TREE)(ONES * 1j)),
    (r"^vjp: the cotangent.*got str", TypeError, lambda: vjp_of(first, TREE)("text")),
    (
        r"^vjp \(cotangent\): .* keys \['u', 'w'\] and .*\['u'\]",
        TypeError,
        lambda: vjp_of(both, ONES)({"u": ONES}),
    ),
    (
        r"^vjp: the cotangent at \['w'\]\[0\] has shape \(3,\)",
        ValueError,
        lambda: vjp_of(both, ONES)({"u": ONES, "w": [pair[0]]}),
    ),
    (
        r"^vjp \(cotangent\): .* at \['w'\]: list of 1 and ndarray",
        TypeError,
        lambda: vjp_of(both, ONES)({"u": ONES, "w": ONES}),
    ),
    # tangents
    (
        r"^jvp: the tangent at \[0\]\['a'\]\[1\] has shape \(2,\)",
        ValueError,
        lambda: jvp_with(with_leaf(ONES)),
    ),
    (r"^jvp: the tangent at \[0\]\['a'\]\[1\].*got str", TypeError, lambda: jvp_with(with_leaf("text"))),
    (r"^jvp \(tangent\): .* at \[0\]\['a'\]\[1\]: .*NoneType", TypeError, lambda: jvp_with(with_leaf(None))),
    (
        r"^jvp \(tangent\): .* at \[0\]\['a'\]: list of 2 and list of 1",
        TypeError,
        lambda: jvp_with({"a": [ONES]}),
    ),
    (r"^jvp \(tangent\): .* at \[0\]: .*\['a'\].*\['b'\]", TypeError, lambda: jvp_with({"b": []})),
    (r"^jvp: 1 primals but 2 tangents", TypeError, lambda: F.jvp(first, (TREE,), (TREE, TREE))),
    (r"^jvp: .* must be tuples, not dict", TypeError, lambda: F.jvp(first, TREE, TREE)),
    (r"^hvp: the tangent at \[0\] has shape \(3,\)", ValueError, lambda: F.hvp(F.sum, ONES, pair[0])),
    (r"^linearize: 1 primals but 2", TypeError, lambda: F.linearize(first, TREE)[1](TREE, TREE)),
    # examples
    (r"^vmap: in_dims has 1 entries for 2 arg", ValueError, lambda: F.vmap(dot, in_dims=(0,))(pair, pair)),
    (
        r"^vmap: in_dims gives dimension 2 for the argument at args\[1\], which has shape \(2, 3\)",
        ValueError,
        lambda: F.vmap(dot, in_dims=(0, 2))(pair, pair),
    ),
    (r"^vmap: no argument is mapped over", ValueError, lambda: F.vmap(dot, in_dims=None)(pair, pair)),
    (r"differ in size: args\[0\]: 2, args\[1\]: 3", ValueError, lambda: F.vmap(dot)(pair, pair.T)),
    (r"args\[0\]\['a'\]\[0\]: 2, args\[0\]\['a'\]\[1\]: 3", ValueError, lambda: F.vmap(first)(TREE)),
    (r"\{'b': 0\} does not fit .* args\[0\]", ValueError, lambda: F.vmap(first, in_dims=({"b": 0},))(TREE)),
    (
        r"\[0\] does not fit .* args\[0\]\['a'\]",
        ValueError,
        lambda: F.vmap(first, in_dims=({"a": [0]},))(TREE),
    ),
    (
        r"^vmap: the argument at args\[0\]\['a'\]\[1\]: .*str",
        TypeError,
        lambda: F.vmap(first)(with_leaf("no")),
    ),
    (r"dimension 0 .* args\[0\]\['a'\]\[1\], .*\(\)", ValueError, lambda: F.vmap(first)(with_leaf(1.0))),
    (
        r"^vmap: out_dims \(0,\) does not fit the result$",
        ValueError,
        lambda: F.vmap(both, out_dims=(0,))(pair),
    ),
    (
        r"^vmap: out_dims \[0, 1\] does not fit the result at \['w'\]",
        ValueError,
        lambda: F.vmap(both, out_dims={"u": 0, "w": [0, 1]})(pair),
    ),
    (
        r"^vmap: out_dims is None, but the result at \['u'\] differs from example to example",
        ValueError,
        lambda: F.vmap(both, out_dims={"u": None, "w": 0})(pair),
    ),
    (
        r"^vmap: out_dims is None, but the result differs",
        ValueError,
        lambda: F.vmap(lambda x: x if x[0] > 0 else x + 1.0, out_dims=None)(np.eye(2)),
    ),
    (
        r"^vmap: the results for example 0 and 1 differ in structure",
        ValueError,
        lambda: F.vmap(lambda x: [x] if x[0] > 0 else [x, x])(np.eye(2)),
    ),
    (r"^vmap: the function must return nodes, but .* None", ValueError, lambda: F.vmap(lambda x: None)(pair)),
    (r"^vmap: out_dims: Dimension out of range", IndexError, lambda: F.vmap(F.tanh, out_dims=3)(pair)),
    (r"^vmap: chunk_size must be at least 1, not 0", ValueError, lambda: F.vmap(F.tanh, chunk_size=0)(pair)),
    # derivatives of one's own
    (r"^custom_vjp: call defvjp", TypeError, lambda: F.custom_vjp(F.sum)(ONES)),
    (
        r"^custom_vjp: forward must return \(output, residuals\), not Node",
        TypeError,
        lambda: ruled(F.sum, tuple),
    ),
    (
        r"^custom_vjp: backward must return a tuple .* 1 ",
        TypeError,
        lambda: ruled(lambda x: (F.sum(x), x), lambda x, g: x),
    ),
    (
        r"^custom_vjp: the cotangent of argument 0 has shape \(3,\)",
        ValueError,
        lambda: ruled(lambda x: (F.sum(x), x), lambda x, g: (pair[0],)),
    ),
    (r"^custom_jvp: call defjvp", TypeError, lambda: F.custom_jvp(F.sum)(ONES)),
    (r"^custom_jvp: the argument 0: .*dict", TypeError, lambda: pushed(lambda p, t: (p[0], t[0]), TREE)),
    (r"^custom_jvp: the rule must return \(output, ", TypeError, lambda: pushed(lambda p, t: t[0])),
    (r"tangent has shape \(2,\), not \(\)", ValueError, lambda: pushed(lambda p, t: (p[0], t[0]))),
]


@pytest.mark.parametrize(("told", "kind", "run"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_does_not_fit_is_refused(told: str, kind: type[Exception], run: Callable[[], Any]) -> None:
    with pytest.raises(kind, match=told):
        run()


# ---------------------------------------------------------------- leaked values


def leaked() -> Any:
    """A value that a function kept, which vmap ran."""
    kept: list[Node] = []

    def keeping(x: Array) -> Node:
        kept.append(F.sin(x))
        return F.sin(x)

    F.vmap(keeping)(np.ones(3))
    return kept[0]


#: what might be done with it
USES: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: x * 2.0,
    "function": lambda x: F.tanh(x),
    "comparison": lambda x: x > 0,
    "number": lambda x: x.item(),
    "array": lambda x: np.asarray(x),
    "text": lambda x: repr(x),
    "grad": lambda x: slope(lambda y: y, x),
    "closure": lambda x: slope(lambda y: y * x, np.array(1.0)),
    "jvp": lambda x: F.jvp(F.tanh, (x,), (x,)),
    "tangent": lambda x: F.jvp(F.tanh, (np.array(1.0),), (x,)),
    "cotangent": lambda x: vjp_of(F.tanh, np.array(1.0))(x),
    "argument of vmap": lambda x: F.vmap(lambda y, z: z)(ONES, x),
    "other vmap": lambda x: F.vmap(lambda y: x * y)(ONES),
    "result of other vmap": lambda x: F.vmap(lambda y: {"a": x})(ONES),
}


@pytest.mark.parametrize("use", USES)
def test_a_value_of_a_vmap_that_has_ended_cannot_be_used(use: str) -> None:
    with pytest.raises(RuntimeError, match="belongs to a vmap that has ended; return it from the function"):
        USES[use](leaked())


def test_a_vmap_that_failed_has_ended_too() -> None:
    kept: list[Any] = []

    def failing(x: Array) -> Node:
        kept.append(x)
        raise KeyError("stop")

    with pytest.raises(KeyError):
        F.vmap(failing)(ONES)
    with pytest.raises(RuntimeError, match="has ended"):
        F.exp(kept[0])
    np.testing.assert_array_equal(F.vmap(F.square)(ONES).data, ONES)
    assert not F.exp(ONES).tracked


# ---------------------------------------------------------------- every kind of tree


class Named(NamedTuple):
    a: Any
    b: Any = None


class Items(list[Any]):
    """A list with a name of its own."""


class Parts(tuple[Any, ...]):
    """A tuple with a name of its own."""


@dataclass(frozen=True, slots=True)
class Frozen:
    a: Any
    b: Any


@dataclass
class Derived:
    """A field is computed from the other."""

    a: Any
    b: Any = field(init=False)

    def __post_init__(self) -> None:
        self.b = self.a * 3.0


A, B = np.array([1.0, 2.0]), np.array([3.0, 6.0])
TREES: dict[str, Any] = {
    "dict": {"a": A, "b": B},
    "OrderedDict": OrderedDict(b=B, a=A),
    "defaultdict": defaultdict(list, a=A, b=B),
    "MappingProxyType": MappingProxyType({"a": A, "b": B}),
    "list": [A, B],
    "tuple": (A, B),
    "list subclass": Items([A, B]),
    "tuple subclass": Parts((A, B)),
    "named tuple": Named(A, B),
    "named tuple with None": Named(A),
    "dataclass": Frozen(A, B),
    "dataclass with a field of its own making": Derived(A),
    "pmap": pyrsistent.pmap({"a": A, "b": B}),
    "pvector": pyrsistent.pvector([A, B]),
    "nested": {
        "x": (
            Named(A),
            pyrsistent.pvector([Frozen(A, [B]), MappingProxyType({"y": pyrsistent.pmap({"z": B})})]),
        )
    },
}


def squares(tree: object) -> Node:
    """The sum of all squares."""
    return sum((F.sum(F.square(leaf)) for _, leaf in leaves(tree)), start=F.constant(np.array(0.0)))


def kinds(tree: Any) -> list[Any]:
    """The types of all trees in a tree, and its paths."""
    inner: list[Any] = []
    if is_dataclass(tree):
        inner = [kinds(getattr(tree, f.name)) for f in fields(tree)]
    elif hasattr(tree, "keys"):
        inner = [kinds(part) for part in tree.values()]
    elif type(tree) not in (np.ndarray, Node, type(None)):
        inner = [kinds(part) for part in tree]
    return [type(tree) if type(tree) is not Node else np.ndarray, [path for path, _ in leaves(tree)], *inner]


def values(tree: Any) -> list[list[float]]:
    """The leaves as lists."""
    return [F.constant(leaf).data.tolist() for _, leaf in leaves(tree)]


@pytest.mark.parametrize("name", TREES)
def test_a_tree_comes_back_as_the_type_it_came_in(name: str) -> None:
    tree = TREES[name]
    doubled = [(2 * np.asarray(leaf)).tolist() for _, leaf in leaves(tree)]
    found: dict[str, Any] = {
        "grad": F.grad(squares)(tree),
        "vjp": vjp_of(squares, tree)(np.array(1.0))[0],
        "jvp": F.jvp(lambda t: t, (tree,), (F.grad(squares)(tree),))[1],
        "jacrev": F.jacrev(squares)(tree),
        "jacfwd": F.jacfwd(squares)(tree),
        "hvp": F.hvp(squares, tree, tree)[1],
        "vmap": F.vmap(F.grad(squares))(tree),
    }
    for transform, result in found.items():
        assert kinds(result) == kinds(tree), transform
        assert values(result) == doubled, transform
    assert kinds(F.vmap(lambda t: t, in_dims=0, out_dims=0)(tree)) == kinds(tree)
    assert kinds(F.checkpoint(lambda t: t, tree)) == kinds(tree)
    assert kinds(F.hessian(squares)(tree))[1] == [
        path + inner for path, _ in leaves(tree) for inner, _ in leaves(tree)
    ]


def test_what_a_dictionary_has_beside_its_items_stays() -> None:
    gradient: Any = F.grad(squares)(TREES["defaultdict"])
    assert gradient["c"] == []


def test_a_dataclass_is_made_without_a_look_at_its_leaves() -> None:
    """The second derivatives are trees in the place of arrays, which a `__post_init__` might refuse."""
    second = F.hessian(squares)(Derived(A))
    np.testing.assert_array_equal(second.a.a.data, 2 * np.eye(2))
    np.testing.assert_array_equal(second.a.b.data, np.zeros((2, 2)))

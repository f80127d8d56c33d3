"""Assignment that takes over memory: only where nobody can tell, and with the gradient of a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nngrad.functional as F
from nngrad.functional import Node
from nngrad.functional.engine import backward
from nngrad.functional.indexing import index_put_from, parse_index, replace
from nngrad.functional.node import grad_mode, is_held


def put(box: list[Node], index: Any, value: Any) -> Node:
    return index_put_from(box, *parse_index(index), value)


def address(node: Node) -> int:
    return int(node._value.ctypes.data)  # node.data would freeze the memory


def test_a_node_that_nobody_else_holds_gives_up_its_memory() -> None:
    x = F.variable(np.zeros((3, 2)))
    box = [x + 1.0]
    before = address(box[0])
    y = put(box, 1, F.variable(np.array([5.0, 6.0])))
    assert box == []
    assert address(y) == before
    assert y.data.tolist() == [[1, 1], [5, 6], [1, 1]]
    assert not is_held(y.prev[0])
    got = backward([y], [np.ones((3, 2))])
    assert got[x].tolist() == [[1, 1], [0, 0], [1, 1]]


def held_by_a_name(node: Node) -> Any:
    return node


def held_by_its_array(node: Node) -> Any:
    return node.data


def held_by_a_child(node: Node) -> Any:
    return F.exp(node)


def held_by_a_slice(node: Node) -> Any:
    return node[0]


@pytest.mark.parametrize("hold", [held_by_a_name, held_by_its_array, held_by_a_child, held_by_a_slice])
def test_memory_that_somebody_can_see_is_copied(hold: Any) -> None:
    x = F.variable(np.zeros((3, 2)))
    box = [x + 1.0]
    held = hold(box[0])
    values = np.array(getattr(held, "data", held))
    y = put(box, 0, 9.0)
    np.testing.assert_array_equal(getattr(held, "data", held), values)
    assert y.data.tolist() == [[9, 9], [1, 1], [1, 1]]
    assert backward([y], [np.ones((3, 2))])[x].tolist() == [[0, 0], [1, 1], [1, 1]]


def test_the_output_of_an_op_that_reads_it_again_is_copied() -> None:
    """exp's derivative is its output: writing into it would give a wrong gradient."""
    x = F.variable(np.zeros(3))
    box = [F.exp(x)]
    y = put(box, 0, 9.0)
    assert backward([y], [np.ones(3)])[x].tolist() == [0, 1, 1]


def test_variables_and_shared_constants_are_copied() -> None:
    array = np.zeros(3)
    array.flags.writeable = False
    for node in (F.variable(array), F.constant(array)):
        box = [node]
        del node
        assert put(box, 0, 1.0).data.tolist() == [1, 0, 0]
        assert not array.any()


def test_a_failed_assignment_changes_nothing() -> None:
    x = F.variable(np.zeros((3, 2)))
    box = [x + 1.0]
    for index, value, error in ((5, 1.0, IndexError), (0, np.ones(3), RuntimeError)):
        with pytest.raises(error, match="index_put"):
            put(box, index, value)
        assert box[0].data.tolist() == [[1, 1]] * 3


def test_replace_keeps_the_place_in_the_graph() -> None:
    x = F.variable(np.array([1.0, 2.0]), owner="w")
    new = F.constant(np.array([5.0, 6.0]))
    leaf = replace(x, new)
    assert (leaf.params, leaf.prev, leaf.tracked) == (("w",), (), True)
    inner = replace(x * 3.0, new)
    assert inner.data.tolist() == [5.0, 6.0]
    assert backward([inner * inner], [np.ones(2)])[x].tolist() == [30.0, 36.0]
    assert not replace(F.constant(1.0), new).tracked


def test_many_writes_share_one_buffer_and_differentiate_as_copies() -> None:
    n = 20
    rng = np.random.default_rng(0)
    rows = [F.variable(rng.normal(size=n)) for _ in range(n)]
    start = F.variable(rng.normal(size=(n, n)))
    g = rng.normal(size=(n, n))

    def written(take: bool) -> tuple[Node, set[int]]:
        y = start * 2.0
        seen = set()
        for i in range(n):
            index = (slice(None), i) if i % 3 else i
            if take:
                box = [y]
                del y
                y = put(box, index, rows[i])
            else:
                y = F.index_put(y, index, rows[i])
            seen.add(address(y))
        return y, seen

    taken, addresses = written(True)
    copied, _ = written(False)
    assert len(addresses) == 1
    np.testing.assert_array_equal(taken.data, copied.data)
    got, expected = backward([taken], [g]), backward([copied], [g])
    for leaf in (start, *rows):
        np.testing.assert_array_equal(got[leaf], expected[leaf])


def test_outside_the_graph_a_write_keeps_the_place_of_its_node() -> None:
    x = F.variable(np.zeros(2))
    token = grad_mode.set(False)
    try:
        box = [F.constant(np.zeros(2)) + 1.0]
        assert put(box, 0, 5.0).data.tolist() == [5.0, 1.0]
        box = [x]
        leaf = put(box, 0, 5.0)
    finally:
        grad_mode.reset(token)
    assert leaf.tracked
    assert leaf.op is None
    assert x.data.tolist() == [0.0, 0.0]

"""Summaries of models and pictures of graphs say what is there, and change nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nngrad
from nngrad import nn
from nngrad.drawing import Drawing, draw
from nngrad.summarizing import summary

SVG = "{http://www.w3.org/2000/svg}"


def model() -> nn.Sequential:
    nngrad.manual_seed(0)
    body = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), body, nn.Linear(8, 2, bias=False))


# ---------------------------------------------------------------- summary


def test_a_summary_counts_and_measures() -> None:
    net = model()
    net[3].requires_grad_(False)
    net.register_buffer("seen", nngrad.zeros(3, dtype=nngrad.int64))
    told = summary(net, nngrad.ones(5, 4))
    assert told.parameters == 4 * 8 + 8 + 8 * 8 + 8 + 8 * 2
    assert told.trainable == told.parameters - 16
    assert told.parameter_bytes == 4 * told.parameters
    assert told.buffer_bytes == 24
    assert told.input_bytes == 80
    assert told.output_bytes == 4 * 5 * (8 + 8 + 8 + 8 + 2)
    assert [layer.name for layer in told.layers] == ["", "0", "1", "2", "0", "1", "3"]
    assert [layer.depth for layer in told.layers] == [0, 1, 1, 1, 2, 2, 1]
    assert [layer.outputs for layer in told.layers] == [((5, n),) for n in (2, 8, 8, 8, 8, 8, 2)]


def test_a_summary_as_text() -> None:
    assert str(summary(model(), (5, 4))).splitlines() == [
        "Layer            Output shape  Parameters",
        "-----------------------------------------",
        "Sequential       [5, 2]                 -",
        "  0: Linear      [5, 8]                40",
        "  1: ReLU        [5, 8]                 -",
        "  2: Sequential  [5, 8]                 -",
        "    0: Linear    [5, 8]                72",
        "    1: Dropout   [5, 8]                 -",
        "  3: Linear      [5, 2]                16",
        "-----------------------------------------",
        "Parameters                     128",
        "of these trainable             128",
        "Memory of parameters         512 B",
        "Memory of the input           80 B",
        "Memory of outputs            680 B",
    ]


def test_a_summary_as_html() -> None:
    class Odd(nn.Linear):
        """A layer whose name needs quoting."""

    Odd.__name__ = "<Odd>"
    table = ET.fromstring(summary(nn.Sequential(Odd(4, 8)), (5, 4))._repr_html_())
    cells = [cell.text for cell in table.iter("td")]
    assert cells[:6] == ["Sequential", "[5, 2]".replace("2", "8"), "-", "0: <Odd>", "[5, 8]", "40"]
    assert [cell.text for cell in table.iter("th")] == ["Layer", "Output shape", "Parameters"]


def test_a_summary_changes_nothing() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    net[1].eval()
    before = net.snapshot()
    state = nngrad.get_rng_state()
    x = nngrad.ones(2, 4, requires_grad=True)
    summary(net, x)
    assert net.training
    assert [m.training for m in net] == [True, False]
    assert not net[0]._forward_hooks
    assert nngrad.get_rng_state().tolist() == state.tolist()
    assert x.grad is None
    assert all(np.array_equal(value, net.snapshot()[name]) for name, value in before.items())
    with pytest.raises(RuntimeError):
        summary(net, (2, 5))
    assert net.training
    assert not net[0]._forward_hooks


def test_what_is_shared_counts_once_and_calls_are_counted() -> None:
    one = nn.Linear(4, 4)

    class Twice(nn.Module):
        """Calls one layer twice, and another never."""

        def __init__(self) -> None:
            super().__init__()
            self.a = one
            self.tied = nn.Linear(4, 4)
            self.tied.weight = one.weight

        def forward(self, x: nngrad.Tensor, *, scale: float = 1.0) -> dict[str, Any]:
            return {"once": self.a(x), "again": [self.a(x * scale)]}

    told = summary(Twice(), {"x": nngrad.ones(2, 4), "scale": 2.0})
    assert told.parameters == 4 * 4 + 4 + 4
    top, a, tied = told.layers
    assert (a.calls, tied.calls, tied.outputs) == (2, 0, None)
    assert top.outputs == ((2, 4), (2, 4))
    assert "  a: Linear     [2, 4] (2 calls)" in str(told)


def test_inputs_of_all_kinds() -> None:
    told = summary(nn.Embedding(10, 3), input_size=(2, 5), dtype=nngrad.int64)
    assert told.layers[0].outputs == ((2, 5, 3),)
    pair = nn.Bilinear(3, 4, 5)
    for given in ([(2, 3), (2, 4)], (nngrad.ones(2, 3), nngrad.ones(2, 4))):
        assert summary(pair, given).layers[0].outputs == ((2, 5),)
    unseen = summary(pair)
    assert unseen.layers[0].outputs is None
    assert unseen.input_bytes is None
    assert "Memory of outputs" not in str(unseen)
    with pytest.raises(TypeError, match="model must be an nn"):
        summary(len)  # type: ignore[arg-type]  # the mistake
    wrong: Any = "many"
    for sizes in (wrong, [wrong]):
        with pytest.raises(TypeError, match="sizes of one"):
            summary(pair, input_size=sizes)
    with pytest.raises(TypeError, match="sizes of one"):
        summary(pair, nngrad.ones(1), input_size=(1,))


# ---------------------------------------------------------------- draw


def drawn() -> tuple[nn.Sequential, nngrad.Tensor]:
    net = model()
    loss = nn.functional.mse_loss(net(nngrad.ones(5, 4)), nngrad.zeros(5, 2))
    return net, loss + 0.5 * (net.get_parameter("0.weight") ** 2).sum()


def rectangles(picture: str) -> list[tuple[float, float, float, float]]:
    root = ET.fromstring(picture)
    found = [r for r in root.iter(f"{SVG}rect") if r.get("rx") is not None]
    return [(float(r.attrib["x"]), float(r.attrib["y"]), float(r.attrib["width"]), 38.0) for r in found]


def test_a_picture_shows_each_node_and_edge_once_and_nothing_overlaps() -> None:
    net, loss = drawn()
    drawing = draw(loss, names=net)
    nodes: dict[int, Any] = {}
    stack = [loss.node]
    edges = set()
    while stack:
        node = stack.pop()
        if id(node) not in nodes:
            nodes[id(node)] = node
            edges |= {(id(p), id(node)) for p in node.prev}
            stack.extend(node.prev)
    assert len(drawing.boxes) == len(nodes)
    assert len(set(drawing.edges)) == len(edges)
    assert {b.title for b in drawing.boxes if b.kind == "variable"} == set(dict(net.named_parameters()))
    places = rectangles(drawing.svg)
    assert len(places) == len(nodes)
    root = ET.fromstring(drawing.svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for i, (x, y, w, h) in enumerate(places):
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        for x2, y2, w2, h2 in places[:i]:
            assert x + w <= x2 + 0.1 or x2 + w2 <= x + 0.1 or y + h <= y2 or y2 + h2 <= y
    for start, end in drawing.edges:  # inputs above, the result below
        assert places[start][1] < places[end][1]
    assert places[-1][1] == max(y for _, y, _, _ in places)
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert "float32 [5, 8]" in texts
    assert "0.5" in texts
    lines = [p for p in root.iter(f"{SVG}path") if p.get("marker-end")]
    assert len(lines) == len(edges)


def test_a_picture_as_text_for_graphviz() -> None:
    x = nngrad.ones(2, requires_grad=True)
    drawing = draw(x * x, names={'the "x"': x})
    assert drawing.dot.count("->") == 2
    assert re.findall(r"n\d -> n\d", drawing.dot) == ["n0 -> n1", "n0 -> n1"]
    assert r'label="the \"x\"\nfloat32 [2]"' in drawing.dot


def test_files_and_what_is_no_graph(tmp_path: Path) -> None:
    net, loss = drawn()
    assert draw(loss, tmp_path / "a.svg", names=net)._repr_svg_() == (tmp_path / "a.svg").read_text()
    assert isinstance(draw(loss.node, str(tmp_path / "a.dot")), Drawing)
    assert (tmp_path / "a.dot").read_text().startswith("digraph {")
    with pytest.raises(ValueError, match=r"must end in \.svg"):
        draw(loss, tmp_path / "a.png")
    with pytest.raises(ValueError, match="more than 3 nodes"):
        draw(loss, max_nodes=3)
    with pytest.raises(TypeError, match="expected a tensor or a node"):
        draw(net)  # type: ignore[arg-type]  # the mistake
    assert len(draw(nngrad.ones(2)).boxes) == 1
    loss.backward()
    assert "freed" in draw(loss).svg


def test_long_and_wide_graphs_are_drawn() -> None:
    x = nngrad.ones(1, requires_grad=True)
    chain = x
    for _ in range(400):
        chain = chain.sin()
    assert len(rectangles(draw(chain).svg)) == 401
    wide = nngrad.stack([x * float(i) for i in range(100)]).sum()
    assert len({y for _, y, _, _ in rectangles(draw(wide).svg)}) == 4

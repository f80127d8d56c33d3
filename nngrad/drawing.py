"""Pictures of graphs: how a tensor was computed, as SVG or as text for Graphviz."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from html import escape
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from .functional.node import Node, is_held
from .nn import Module
from .serialization.archive import Path, write_whole
from .tensor import Tensor

Named: TypeAlias = Module | Mapping[str, Tensor | Node]

_CHARACTER: Final = 6.7  # about as wide as one is, at 12 pixels
_HEIGHT: Final = 38
_GAP: Final = 22
_LEVEL: Final = 72
_MARGIN: Final = 16
_SWEEPS: Final = 12

#: kind of node -> fill and line
_COLOURS: Final = {
    "result": ("#d9f0d3", "#1b7837"),
    "op": ("#ffffff", "#555555"),
    "variable": ("#d1e5f0", "#2166ac"),
    "constant": ("#eeeeee", "#999999"),
}


class Box(NamedTuple):
    """One node of the picture."""

    kind: str
    title: str
    shape: str


class Drawing:
    """The graph behind a tensor. Notebooks show it as a picture; `svg` and `dot` are its texts."""

    def __init__(self, root: Node, names: Mapping[int, str], max_nodes: int) -> None:
        self._nodes: Final = _nodes(root, max_nodes)
        numbers = {id(node): i for i, node in enumerate(self._nodes)}
        self.boxes: Final = tuple([_box(node, node is root, names) for node in self._nodes])
        #: pairs of numbers of boxes: from what was computed to what was computed from it
        self.edges: Final = tuple(
            [(numbers[id(parent)], i) for i, node in enumerate(self._nodes) for parent in node.prev]
        )

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        lines = [
            "digraph {",
            '  node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11]',
        ]
        for i, box in enumerate(self.boxes):
            fill, line = _COLOURS[box.kind]
            label = f"{box.title}\\n{box.shape}".replace('"', r"\"")
            lines.append(f'  n{i} [label="{label}", fillcolor="{fill}", color="{line}"]')
        lines += [f"  n{start} -> n{end}" for start, end in self.edges]
        return "\n".join([*lines, "}\n"])

    @property
    def svg(self) -> str:
        """The picture: inputs above, the result below."""
        widths = [max(len(box.title), len(box.shape), 6) * _CHARACTER + 16 for box in self.boxes]
        return _svg(self.boxes, widths, _Layout(widths, self.edges))

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.boxes)} nodes and {len(self.edges)} edges>"


def draw(
    thing: Tensor | Node,
    path: Path | None = None,
    *,
    names: Named | None = None,
    max_nodes: int = 500,
) -> Drawing:
    """A picture of the graph behind a tensor or node: each operation, and what it was computed from.

    path: where to write it: `.svg` for a picture, `.dot` or `.gv` for Graphviz's text.
    names: a model, or a mapping of names to tensors, whose names the picture shall show.
    Draw before `backward()`, which frees values, so that all shapes are known.
    Raises ValueError for more than `max_nodes` nodes, or another kind of path.

    >>> from nngrad.functional.node import variable
    >>> import numpy as np
    >>> x = variable(np.ones(2))
    >>> draw(x * x + 1.0)
    <Drawing of 4 nodes and 4 edges>
    """
    if not isinstance(thing, (Tensor, Node)):
        raise TypeError(f"draw: expected a tensor or a node, got {type(thing).__name__}")
    given: Mapping[str, Tensor | Node] = {}
    if isinstance(names, Module):
        given = {**dict(names.named_parameters()), **dict(names.named_buffers())}
    elif names is not None:
        given = names
    drawing = Drawing(thing.node, {id(t.node): name for name, t in given.items()}, max_nodes)
    if path is not None:
        suffix = os.path.splitext(os.fspath(path))[1]
        if suffix not in (".svg", ".dot", ".gv"):
            raise ValueError(f"draw: path must end in .svg, .dot or .gv, got {os.fspath(path)!r}")
        text = (drawing.svg if suffix == ".svg" else drawing.dot).encode()
        write_whole(path, lambda file: file.write(text))
    return drawing


# ---------------------------------------------------------------- the graph


def _nodes(root: Node, max_nodes: int) -> list[Node]:
    """The nodes behind `root`, it last, each after those that it was computed from."""
    order: list[Node] = []
    done: set[int] = set()
    path = [(root, iter(root.prev))]
    begun = {id(root)}
    while path:
        node, parents = path[-1]
        parent = next((p for p in parents if id(p) not in begun), None)
        if parent is not None:
            begun.add(id(parent))
            path.append((parent, iter(parent.prev)))
            continue
        path.pop()
        done.add(id(node))
        order.append(node)
        if len(begun) > max_nodes:
            raise ValueError(
                f"draw: the graph has more than {max_nodes} nodes: draw a smaller model, or set max_nodes"
            )
    return order


def _box(node: Node, is_root: bool, names: Mapping[int, str]) -> Box:
    if not is_held(node):
        shape = "freed"
    elif node.ndim == 0 and node.op is None:
        shape = f"{node.item():.4g}"
    else:
        shape = f"{node.dtype.name} {list(node.shape)}"
    name = names.get(id(node))
    if node.op is None:
        kind = "variable" if node.tracked else "constant"
        return Box("result" if is_root else kind, name or kind, shape)
    title = node.op.name
    return Box("result" if is_root else "op", f"{name}: {title}" if name else title, shape)


# ---------------------------------------------------------------- where everything goes


class _Layout:
    """Boxes in levels, edges downwards. An edge over several levels bends at a point in each.

    Levels by the longest way from an input; the order in a level by the mean place of the neighbours,
    from above and from below in turn; places by pulling each box towards its neighbours.
    """

    def __init__(self, widths: list[float], edges: Iterable[tuple[int, int]]) -> None:
        self.widths: Final = list(widths)
        links = list(dict.fromkeys(edges))
        count = len(widths)
        below: list[list[int]] = [[] for _ in range(count)]
        above: list[list[int]] = [[] for _ in range(count)]
        for start, end in links:
            below[start].append(end)
            above[end].append(start)
        self.level: Final = [0] * count
        for i in range(count):  # parents come first
            self.level[i] = max([self.level[p] + 1 for p in above[i]], default=0)
        for i in reversed(range(count)):  # an input stands right above what it is used for
            if not above[i] and below[i]:
                self.level[i] = min(self.level[c] for c in below[i]) - 1
        self.above: Final[list[list[int]]] = [[] for _ in range(count)]
        self.below: Final[list[list[int]]] = [[] for _ in range(count)]
        #: for each edge, what it passes: its start, points in the levels between, its end
        self.ways: Final[dict[tuple[int, int], list[int]]] = {}
        for start, end in links:
            way = [start]
            for level in range(self.level[start] + 1, self.level[end]):
                way.append(len(self.level))
                self.level.append(level)
                self.widths.append(4.0)
                self.above.append([])
                self.below.append([])
            way.append(end)
            self.ways[start, end] = way
            for a, b in pairwise(way):
                self.below[a].append(b)
                self.above[b].append(a)
        self.rows: Final[list[list[int]]] = [[] for _ in range(max(self.level) + 1)]
        for i, level in enumerate(self.level):
            self.rows[level].append(i)
        self._order()
        self.x: Final = self._places()

    def _order(self) -> None:
        place = {i: float(at) for row in self.rows for at, i in enumerate(row)}
        best, fewest = [row[:] for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            for row in self.rows if down else self.rows[::-1]:
                for i in row:
                    near = self.above[i] if down else self.below[i]
                    if near:
                        place[i] = sum([place[n] for n in near]) / len(near)
                row.sort(key=place.__getitem__)
                for at, i in enumerate(row):
                    place[i] = float(at)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [row[:] for row in self.rows], crossings
        self.rows[:] = best

    def _crossings(self) -> int:
        count = 0
        for row, under in pairwise(self.rows):
            place = {i: at for at, i in enumerate(under)}
            ends = [end for i in row for end in sorted([place[b] for b in self.below[i]])]
            count += sum([a > b for at, a in enumerate(ends) for b in ends[at + 1 :]])
        return count

    def _places(self) -> list[float]:
        """The middle of each box: in order, without overlap, as near to its neighbours as it can be."""
        x = [0.0] * len(self.level)
        for row in self.rows:
            at = 0.0
            for i in row:
                x[i] = at + self.widths[i] / 2
                at += self.widths[i] + _GAP
        for sweep in range(2 * _SWEEPS):
            near = (self.above, self.below, [a + b for a, b in zip(self.above, self.below)])[sweep % 3]
            for row in self.rows:
                wish = [sum([x[n] for n in near[i]]) / len(near[i]) if near[i] else x[i] for i in row]
                left = self._packed(row, wish)
                right = [-w for w in self._packed(row[::-1], [-w for w in wish[::-1]])[::-1]]
                for i, a, b in zip(row, left, right):
                    x[i] = (a + b) / 2
        start = min([x[i] - self.widths[i] / 2 for i in range(len(x))])
        return [at - start + _MARGIN for at in x]

    def _packed(self, row: list[int], wish: list[float]) -> list[float]:
        """The wishes, each moved to the right as far as the box before it demands."""
        places: list[float] = []
        for n, i in enumerate(row):
            if n:
                gap = _GAP + (self.widths[i] + self.widths[row[n - 1]]) / 2
                places.append(max(wish[n], places[-1] + gap))
            else:
                places.append(wish[n])
        return places


def _svg(boxes: tuple[Box, ...], widths: list[float], layout: _Layout) -> str:
    x = layout.x
    width = max([x[i] + w / 2 for i, w in enumerate(layout.widths)]) + _MARGIN
    height = len(layout.rows) * _LEVEL - (_LEVEL - _HEIGHT) + 2 * _MARGIN

    def top(i: int) -> float:
        return _MARGIN + layout.level[i] * _LEVEL

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif">',
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#777777"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for (start, end), way in layout.ways.items():
        a, b = x[start], top(start) + _HEIGHT
        path = [f"M{a:.1f},{b:.1f}"]
        for i in way[1:]:
            y = top(i) if i == end else top(i) + _HEIGHT / 2
            middle = (b + y) / 2
            path.append(f"C{a:.1f},{middle:.1f} {x[i]:.1f},{middle:.1f} {x[i]:.1f},{y:.1f}")
            a, b = x[i], y
        parts.append(
            f'<path d="{" ".join(path)}" fill="none" stroke="#777777" stroke-width="1.2" '
            'marker-end="url(#end)"/>'
        )
    for i, box in enumerate(boxes):
        fill, line = _COLOURS[box.kind]
        rounded = 4 if box.kind in ("op", "result") else _HEIGHT / 2
        parts += [
            f'<rect x="{x[i] - widths[i] / 2:.1f}" y="{top(i):.1f}" width="{widths[i]:.1f}" '
            f'height="{_HEIGHT}" rx="{rounded}" fill="{fill}" stroke="{line}"/>',
            f'<text x="{x[i]:.1f}" y="{top(i) + 16:.1f}" font-size="12" text-anchor="middle" '
            f'fill="#111111">{escape(box.title)}</text>',
            f'<text x="{x[i]:.1f}" y="{top(i) + 30:.1f}" font-size="10" text-anchor="middle" '
            f'fill="#555555">{escape(box.shape)}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])

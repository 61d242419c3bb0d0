"""Programs -> torch-geometric graphs of the forms that draw, with all numbers and colours as tensors of their own.

One node a node of the tree, but for numbers: a literal among a node's first SLOTS children stands in a slot of that
node. Above each form stands one node more, with the paint that the form gets: the weight of its outline in a slot, cap
and join as what kind of node it is, the colours beside it. Edges run along the tree, from each point to the next one
of its outline, from a name to where it is used, and between the node above a form and all nodes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import torch
from torch_geometric.data import Batch, Data

from treesketch.arithmetic import CONSTANTS
from treesketch.canvas import DEFAULT_BACKGROUND
from treesketch.edits import kinds_of_children
from treesketch.language import Language, load_language
from treesketch.layers import Channels, Layer, read_layers
from treesketch.tree import Node

SLOTS = 4  # numbers that a node holds
MAX_POSITION = 15
RELATIONS = PARENT, CHILD, LATER, EARLIER, NEXT, BEFORE, NAME, USE, PAINT, PART = tuple(range(10))
CAPS, JOINS = (None, "round", "square", "project"), (None, "miter", "bevel", "round")
STYLES = 4 * len(CAPS) * len(JOINS)  # of the node above a form: what it paints, its cap, its join
CORNERS = frozenset({"vertex", "bezier_vertex", "quadratic_vertex", "curve_vertex"})  # their points are of one outline

NAMING = frozenset({"binding", "counter", "each"})  # a name inside one of these is known behind it


class FormGraph(Data):
    """The graph of a program of L forms and N nodes; a batch of them has B pictures.

    Node fields (N,): production, under (that of the parent) and position; style, -1 but for the node above a form;
    is_point; next_index, the point after this one in its outline, or itself. number (N, SLOTS) are canvas units,
    radians or counts, with given and is_angle (N, SLOTS). edge_index (2, E) runs from source to target with
    relation (E,). Of each form: color (L, 2, 3) in 0..1 and alpha (L, 2) of its inside and its outline, painted (L, 2).
    Of each picture: ground (1, 3) in 0..1 and forms (1,), their number.
    """


@cache
def productions() -> dict[str, int]:
    """Production -> its number; 0 is the node above a form."""
    return {name: number for number, name in enumerate(load_language("sketch").productions, 1)}


def program_to_graph(program: Node) -> FormGraph:
    """The graph of a program. Raises ValueError for one whose forms are not all layers, as `read_layers` says."""
    layers, ground = read_layers(program.children)
    return layers_to_graph(layers, ground or DEFAULT_BACKGROUND[:3])


def layers_to_graph(layers: Sequence[Layer], ground: Channels) -> FormGraph:
    """The graph of layers, back to front, on a ground."""
    table = _Table(load_language("sketch"))
    for layer in layers:
        table.add_layer(layer)
    n = len(table.production)
    edges = torch.tensor(table.edges, dtype=torch.long).reshape(-1, 3)
    paints = [(layer.fill, layer.stroke) for layer in layers]
    channels = [[(*(paint or (0, 0, 0)), 255)[:4] for paint in pair] for pair in paints]
    color = torch.tensor(channels, dtype=torch.float32).reshape(-1, 2, 4) / 255
    return FormGraph(
        num_nodes=n,
        production=torch.tensor(table.production, dtype=torch.long),
        under=torch.tensor(table.under, dtype=torch.long),
        position=torch.tensor(table.position, dtype=torch.long),
        style=torch.tensor(table.style, dtype=torch.long),
        is_point=torch.tensor(table.is_point, dtype=torch.bool),
        next_index=torch.tensor(table.following, dtype=torch.long),
        number=torch.tensor(table.number, dtype=torch.float32).reshape(-1, SLOTS),
        given=torch.tensor(table.given, dtype=torch.bool).reshape(-1, SLOTS),
        is_angle=torch.tensor(table.is_angle, dtype=torch.bool).reshape(-1, SLOTS),
        edge_index=edges[:, :2].T.contiguous(),
        relation=edges[:, 2].contiguous(),
        color=color[..., :3].contiguous(),
        alpha=color[..., 3].contiguous(),
        painted=torch.tensor([[paint is not None for paint in pair] for pair in paints]).reshape(-1, 2),
        ground=torch.tensor([ground[:3]], dtype=torch.float32) / 255,
        forms=torch.tensor([len(layers)]),
    )


def join_graphs(graphs: Sequence[FormGraph]) -> Batch:
    """Graphs as one, for the network."""
    return Batch.from_data_list(list(graphs))


@dataclass
class _Table:
    """The columns of a graph while it grows."""

    language: Language
    production: list[int] = field(default_factory=list)
    under: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    style: list[int] = field(default_factory=list)
    is_point: list[bool] = field(default_factory=list)
    following: list[int] = field(default_factory=list)
    number: list[list[float]] = field(default_factory=list)
    given: list[list[bool]] = field(default_factory=list)
    is_angle: list[list[bool]] = field(default_factory=list)
    edges: list[tuple[int, int, int]] = field(default_factory=list)  # source, target, relation

    def add_layer(self, layer: Layer) -> None:
        """The node above a form and the nodes of it."""
        paints = 2 * (layer.fill is not None) + (layer.stroke is not None)
        style = (paints * len(CAPS) + CAPS.index(layer.cap)) * len(JOINS) + JOINS.index(layer.join)
        root = self._add(0, 0, 0, style)
        if layer.stroke is not None:
            self._set(root, 0, layer.weight, False)
        self._visit(layer.shape, root, 0, 0, [], {})
        for node in range(root + 1, len(self.production)):
            self.edges += [(root, node, PAINT), (node, root, PART)]

    def _visit(
        self, node: Node, parent: int, position: int, sibling: int, outline: list[int], names: dict[str, int]
    ) -> int:
        """The nodes of a subtree, in pre-order; returns the number of the first.

        sibling is the node before it under the same parent, or 0; outline gets the points, names the names in scope.
        """
        numbers = productions()
        here = self._add(numbers[node.production], self.production[parent], min(position, MAX_POSITION), -1)
        self.edges += [(parent, here, PARENT), (here, parent, CHILD)]
        if sibling:
            self.edges += [(sibling, here, LATER), (here, sibling, EARLIER)]
        if node.production == "binder":
            names[str(node.value)] = here
        elif node.production == "reference" and str(node.value) in names:
            binder = names[str(node.value)]
            self.edges += [(binder, here, NAME), (here, binder, USE)]
        elif node.production == "point":
            self.is_point[here] = True
            outline.append(here)
        value = _value_of(node)
        if value is not None:
            self._set(here, 0, value, False)
        mine = outline if node.production in CORNERS else []
        inside = names if node.production in NAMING else dict(names)
        before = 0
        for place, (child, kind) in enumerate(zip(node.children, kinds_of_children(node, self.language), strict=True)):
            if child.production == "literal" and place < SLOTS:
                self._set(here, place, float(child.value or 0), kind == "angle")
            else:
                before = self._visit(child, here, place, before, mine, inside)
        if mine is not outline:
            self._join_outline(mine)
        return here

    def _join_outline(self, points: Sequence[int]) -> None:
        for point, following in zip(points, (*points[1:], *points[:1]), strict=True):
            self.following[point] = following
            if following != point:
                self.edges += [(point, following, NEXT), (following, point, BEFORE)]

    def _add(self, production: int, under: int, position: int, style: int) -> int:
        here = len(self.production)
        self.production.append(production)
        self.under.append(under)
        self.position.append(position)
        self.style.append(style)
        self.is_point.append(False)
        self.following.append(here)
        self.number.append([0.0] * SLOTS)
        self.given.append([False] * SLOTS)
        self.is_angle.append([False] * SLOTS)
        return here

    def _set(self, node: int, slot: int, value: float, is_angle: bool) -> None:
        self.number[node][slot], self.given[node][slot], self.is_angle[node][slot] = value, True, is_angle


def _value_of(node: Node) -> float | None:
    """The number that a node stands for by itself: of a literal that no slot holds, or of a constant."""
    if node.production == "literal":
        return float(node.value or 0)
    return CONSTANTS[str(node.value)] if node.production == "constant" else None

"""Forms with expected numbers: what a network thinks of a form's places, colours and numbers in, a picture out.

The form's structure is that of a program; each place becomes the mean of all places under the network's softmax, each
colour the mean colour there, each number of a table the mean of its table. What a renderer then draws has gradients in
all the network's choices at once (the relaxed actions of Gumbel-softmax work, here without the noise).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch

from treesketch.actions import MAX_BUDGET, PLACES, Vocabulary, point_of
from treesketch.data import MAX_HOLES, SIZE, Scene, Written, layer_scene
from treesketch.derivation import Decision, Derivation
from treesketch.errors import SketchError
from treesketch.layers import Layer
from treesketch.model.graph import FORMS, FORMS_ROLE
from treesketch.model.network import Network
from treesketch.scene import Scene as PaintedScene
from treesketch.soft_raster import control_points, coverage, outline, pack
from treesketch.tree import Node, Path, walk

WEIGHT, FILL, STROKE, PAINT = 0, 1, 4, 7  # where a form's paint stands in its values, and how much that is
LEAST_WEIGHT = 0.05  # of an outline
STEP = 1e-4  # by which numbers are moved to see how points follow
PLACE, COLOR, NUMBER = "place", "color", "number"
_FAR = 1e9


@dataclass(frozen=True, slots=True)
class Link:
    """One expected thing and the value that it moves: value += factor x (expected - truth).

    hole is the number of the decision among those of its form; what is PLACE, COLOR or NUMBER and part which of its
    coordinates or channels.
    """

    value: int
    hole: int
    what: str
    part: int
    factor: float
    truth: float


@dataclass(frozen=True, slots=True)
class Form:
    """A layer as the actions can write it, its values (PAINT + K,) and what moves them.

    Values are the outline's weight, the colours of inside and outline in 0..1, then the K literals of the shape in
    pre-order; kinds names the table of each decision that is a number.
    """

    layer: Layer
    values: np.ndarray
    links: Sequence[Link]
    kinds: dict[int, str]


def read_form(vocabulary: Vocabulary, scene: Scene, written: Written, number: int) -> Form | None:
    """The form of a scene's layer `number` (from 1), with links for what its decisions choose; None for too long a one.

    Decisions are those of the layer's part, the paint forms before it included.
    """
    first, end = written.starts[number], written.starts[number + 1]
    if end - first > MAX_HOLES:
        return None
    layer = scene.layers[number - 1]
    forms = scene.forms()
    at = next(k for k, form in enumerate(forms) if form is layer.shape)
    derivation = Derivation(vocabulary, MAX_BUDGET, FORMS, FORMS_ROLE, targets=forms)
    while derivation.decision is not None:
        assert derivation.decision.answer is not None
        derivation.choose(derivation.decision.answer)
    shape = derivation.nodes[at]
    literals = {path: k for k, path in enumerate(p for p, node in walk(shape) if node.production == "literal")}
    numbers = [float(node.value or 0) for _, node in walk(shape) if node.production == "literal"]
    paint = [
        layer.weight,
        *(channel / 255 for color in (layer.fill, layer.stroke) for channel in (color or (0,) * 3)[:3]),
    ]
    values = np.array([*paint, *numbers], np.float64)
    links: list[Link] = []
    kinds: dict[int, str] = {}
    for k, decision in enumerate(written.decisions[first:end]):
        place, rest = decision.path[0], decision.path[1:]
        if place == at:
            links += _shape_links(vocabulary, written.decisions, decision, k, literals, rest, values)
        elif forms[place].production in ("fill", "stroke") and vocabulary.actions[_answer(decision)] == "locate:color":
            start = FILL if forms[place].production == "fill" else STROKE
            links += [Link(start + part, k, COLOR, part, 1.0, values[start + part]) for part in range(3)]
        elif forms[place].production == "stroke_weight" and (value := _number(vocabulary, decision)) is not None:
            values[WEIGHT] = value
            links.append(Link(WEIGHT, k, NUMBER, 0, 1.0, value))
        if links and links[-1].hole == k and links[-1].what == NUMBER:
            kinds[k] = vocabulary.holes[decision.hole].kind
    return Form(replace(layer, shape=shape, weight=float(values[WEIGHT])), values, links, kinds)


def _shape_links(
    vocabulary: Vocabulary,
    decisions: Sequence[Decision],
    decision: Decision,
    hole: int,
    literals: dict[Path, int],
    path: Path,
    values: np.ndarray,
) -> list[Link]:
    """The links of a decision in a shape; path is where its node stands there."""
    action = vocabulary.actions[_answer(decision)]
    if action in ("locate:point", "locate:extent", "locate:diameters"):
        assert decision.answer is not None
        there = point_of(decision.answer.place)
        factors = [1.0, 1.0]
        if action == "locate:diameters":
            before = decisions[decision.sibling].answer if decision.sibling >= 0 else None
            anchor = point_of(before.place) if before and before.place >= 0 else there
            factors = [2.0 if here >= middle else -2.0 for here, middle in zip(there, anchor, strict=True)]
        indices = [PAINT + literals[*path, part] for part in range(2)]
        return [Link(indices[part], hole, PLACE, part, factors[part], there[part]) for part in range(2)]
    value = _number(vocabulary, decision)
    if value is None or path not in literals:
        return []
    return [Link(PAINT + literals[path], hole, NUMBER, 0, 1.0, value)]


def _answer(decision: Decision) -> int:
    assert decision.answer is not None
    return decision.answer.action


def _number(vocabulary: Vocabulary, decision: Decision) -> float | None:
    """The number that a decision chose from its table; None for another choice, or one that counts turns."""
    kind, action = vocabulary.holes[decision.hole].kind, vocabulary.actions[_answer(decision)]
    leaf = vocabulary.numbers[kind].get(action)
    return None if leaf is None or vocabulary.is_counted(kind) else float(leaf.value or 0)


# What the network expects


def expected_places(logits: Tensor) -> Tensor:
    """Logits (n, PLACES ** 2) -> the mean x and y (n, 2) in canvas units."""
    points = torch.tensor([point_of(place) for place in range(PLACES**2)], dtype=logits.dtype)
    return logits.softmax(-1) @ points


def expected_numbers(vocabulary: Vocabulary, kinds: Sequence[str], logits: Tensor) -> Tensor:
    """Logits of actions (n, A), and of which table each number is -> the tables' means (n,)."""
    means = torch.zeros(len(kinds), len(vocabulary.actions), dtype=logits.dtype)
    mask = torch.ones_like(means, dtype=torch.bool)
    for row, kind in enumerate(kinds):
        for action, leaf in vocabulary.numbers[kind].items():
            index = vocabulary.action_index[action]
            means[row, index], mask[row, index] = float(leaf.value or 0), False
    return (logits.clamp(min=-_FAR).masked_fill(mask, -2 * _FAR).softmax(-1) * means).sum(-1)


def expect(
    network: Network,
    forms: Sequence[Form],
    owners: Sequence[int],
    graph: Batch,
    states: Tensor,
    keys: Tensor,
    target: Tensor,
) -> list[Tensor]:
    """The values (PAINT + K,) of each form as the network expects them, after what it decided before in each.

    owners are the forms' graphs, whose first holes are the forms' decisions; states (holes, D) are those of `decode`,
    target is (B, 3, 64, 64) in 0..1. Single precision.
    """
    starts = torch.cumsum(torch.bincount(graph.batch[graph.is_hole], minlength=len(target)), 0).roll(1)
    starts[0] = 0
    asked: dict[str, dict[tuple[int, int], int]] = {what: {} for what in (PLACE, COLOR, NUMBER)}  # (form, hole) -> row
    for number, form in enumerate(forms):
        for link in form.links:
            asked[link.what].setdefault((number, link.hole), len(asked[link.what]))
    states, keys = states.float(), keys.float()
    found: dict[str, Tensor] = {}
    for what, rows in asked.items():
        if not rows:
            continue
        owner = torch.tensor([owners[number] for number, _ in rows])
        at = starts[owner] + torch.tensor([hole for _, hole in rows])
        if what == NUMBER:
            kinds = [forms[number].kinds[hole] for number, hole in rows]
            logits = network.action_logits(states[at], graph.legal[at])
            found[what] = expected_numbers(network.vocabulary, kinds, logits)[:, None]
            continue
        of_color = torch.full((len(rows),), what == COLOR)
        logits = network.place_logits(states[at], keys, owner, of_color)
        if what == PLACE:
            found[what] = expected_places(logits)
        else:
            seen = network.colors_of_places(target)[owner]  # (rows, PLACES ** 2, 3)
            found[what] = (logits.softmax(-1)[:, None] @ seen)[:, 0]
    values = []
    for number, form in enumerate(forms):
        base = torch.tensor(form.values, dtype=torch.float32)
        if form.links:
            moved = torch.stack(
                [
                    (found[link.what][asked[link.what][number, link.hole], link.part] - link.truth) * link.factor
                    for link in form.links
                ]
            )
            base = base.index_add(0, torch.tensor([link.value for link in form.links]), moved)
        values.append(base)
    return values


# Drawing

# Forms, their values and the drawings so far (B, 3, 64, 64) in 0..1 -> the drawings with the forms, differentiable in
# the values.
DrawForms = Callable[[Sequence[Form], Sequence[Tensor], Tensor], Tensor]


def draw_exactly(forms: Sequence[Form], values: Sequence[Tensor], drawing: Tensor) -> Tensor:
    """`DrawForms` by the exact differentiable renderer, `soft_raster`; what cannot be drawn is left out."""
    scenes, points, weights, kept = [], [], [], []
    for number, (form, own) in enumerate(zip(forms, values, strict=True)):
        try:
            scene, moved = _follow(form, own)
        except SketchError:
            continue
        stretched = torch.tensor(control_points(scene)[1], dtype=torch.float32)
        width = own[WEIGHT].clamp(min=LEAST_WEIGHT)
        weights.append(stretched * (width / width.detach()))
        scenes.append(scene)
        points.append(moved)
        kept.append(number)
    if not scenes:
        return drawing
    layers = pack(scenes, SIZE)
    batch, depth, _ = layers.colors.shape
    vertices = outline(layers, torch.cat(points), torch.cat(weights))
    covered = coverage(vertices, layers.edges, batch * depth, SIZE, smooth=True).unflatten(0, (batch, depth))
    places = [
        [start for shape in scene.shapes for start, paint in ((FILL, shape.fill), (STROKE, shape.stroke)) if paint]
        for scene in scenes
    ]
    drawn = list(drawing)
    for row, (number, starts) in enumerate(zip(kept, places, strict=True)):
        for layer, start in enumerate(starts):
            color = values[number][start : start + 3, None, None]
            share = covered[row, layer] * layers.colors[row, layer, 3]
            drawn[number] = torch.lerp(drawn[number], color.expand_as(drawn[number]), share)
    return torch.stack(drawn)


def _follow(form: Form, values: Tensor) -> tuple[PaintedScene, Tensor]:
    """The scene that a form draws with these values, and its control points (P, 2) as they follow them.

    How points follow numbers is found by moving each number a little, so that any form will do. Raises SketchError
    where the form cannot be drawn.
    """
    own = values.detach().double().numpy()
    weight = max(float(own[WEIGHT]), LEAST_WEIGHT)
    scene = layer_scene(replace(form.layer, shape=put_numbers(form.layer.shape, own[PAINT:]), weight=weight))
    base = control_points(scene)[0]
    slopes = np.zeros((*base.shape, len(own) - PAINT))
    for number in sorted({link.value - PAINT for link in form.links if link.value >= PAINT}):
        moved = own[PAINT:].copy()
        moved[number] += STEP
        there = control_points(layer_scene(replace(form.layer, shape=put_numbers(form.layer.shape, moved))))[0]
        if there.shape == base.shape:
            slopes[..., number] = (there - base) / STEP
    numbers = values[PAINT:]
    follow = torch.tensor(slopes, dtype=torch.float32) @ (numbers - numbers.detach())
    return scene, torch.tensor(base, dtype=torch.float32) + follow


def put_numbers(shape: Node, numbers: Sequence[float] | np.ndarray) -> Node:
    """The shape with other literals, in pre-order."""
    waiting = iter(numbers)

    def put(node: Node) -> Node:
        if node.production == "literal":
            return replace(node, value=float(next(waiting)))
        return replace(node, children=tuple(map(put, node.children)))

    return put(shape)

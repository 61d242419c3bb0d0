"""An SVG -> a canonical program that a network can learn from, or the reason why not.

Numbers are put on the samplers' grid (half units, hundredths of an angle), what is not seen is pruned, and the shapes
are in the samplers' order. What is left is drawn and held against resvg's picture of the SVG.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from PIL import Image

from treesketch.actions import load_vocabulary
from treesketch.canvas import Canvas
from treesketch.data import MAX_HOLES, SIDE, SIZE, compose
from treesketch.derivation import UnencodableError, encode
from treesketch.errors import SketchError
from treesketch.importing import import_layers
from treesketch.interpreter import Interpreter
from treesketch.language import load_language
from treesketch.layers import SETTINGS, Channels, Layer, literal, write_program
from treesketch.model.graph import FORMS, FORMS_ROLE
from treesketch.picture import to_bytes
from treesketch.sampling.order import Box, reading_order
from treesketch.sampling.pad import half, number
from treesketch.scene import apply
from treesketch.syntax import match_slots
from treesketch.tree import Node, walk
from treesketch.vector import Painter

FINER = 4  # pixels of resvg's picture to one of ours, so that their mean places edges well
EASED = 4  # times as many layers as are kept may be there before what is not seen is pruned
SMALLEST = 0.5  # units that a side has at least, so that rounding takes no thin shape away
ONE_HOLE = frozenset({"point", "extent", "diameters", "vertex", "bezier_vertex", "quadratic_vertex"})
GRADIENT = "became its mean colour"
TOO_LONG = f"each layer takes more than {MAX_HOLES} decisions"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept: at most so many layers, and a root mean squared difference (0..1) from resvg's picture."""

    layers: int = 40
    error: float = 0.03


@dataclass(frozen=True, slots=True)
class Converted:
    """A drawing as layers on a ground, its picture (64, 64, 3) uint8, how far that is from resvg's (rmse, 0..1).

    holes is the decisions that each layer's shape takes.
    """

    layers: list[Layer]
    ground: Channels
    picture: np.ndarray
    error: float
    holes: list[int]


class Dropped(Exception):
    """A drawing that is not kept; its text says why."""


def convert(svg: bytes, name: str, painter: Painter, bounds: Bounds) -> Converted:
    """A drawing's canonical program and its picture. Raises Dropped. painter draws 64 x FINER pixels."""
    try:
        found = import_layers(svg, name)
    except SketchError:
        raise Dropped("cannot be imported") from None
    if found.canvas != (SIDE, SIDE):
        raise Dropped("not square")
    if any(GRADIENT not in note.text for note in found.notes):
        raise Dropped("more than a program can say")
    if len(found.layers) > EASED * bounds.layers:
        raise Dropped(f"more than {bounds.layers} layers")
    layers = compose(
        [replace(layer, shape=snap(layer.shape), weight=snap_length(layer.weight)) for layer in found.layers],
        found.ground,
    ).layers
    if not layers:
        raise Dropped("nothing to see")
    if len(layers) > bounds.layers:
        raise Dropped(f"more than {bounds.layers} layers")
    if min(map(_fewest_holes, layers)) > MAX_HOLES:
        raise Dropped(TOO_LONG)
    layers = in_order(layers)
    drawn = compose(layers, found.ground).drawings[-1]
    try:
        wanted = paint(svg, name, painter)
    except SketchError:
        raise Dropped("resvg does not draw it") from None
    error = float(np.sqrt(((drawn - wanted) ** 2).mean()))
    if error > bounds.error:
        raise Dropped("not like its picture")
    holes = count_holes(layers, found.ground)
    if min(holes) > MAX_HOLES:
        raise Dropped(TOO_LONG)
    return Converted(layers, found.ground, to_bytes(drawn), error, holes)


def paint(svg: bytes, name: str, painter: Painter) -> np.ndarray:
    """resvg's picture of a square SVG on white, (64, 64, 3) float32 in 0..1. Raises PictureError."""
    image = Image.open(io.BytesIO(painter.draw(svg, name))).convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    pixels = np.asarray(Image.alpha_composite(ground, image).convert("RGB"), np.float32) / 255
    return np.asarray(pixels.reshape(SIZE[0], FINER, SIZE[1], FINER, 3).mean(axis=(1, 3)), np.float32)


def snap(node: Node) -> Node:
    """A form with its numbers on the grid. Sides keep at least half a unit; corners that fall together become one."""
    if node.production in ("rect", "rect_rounded", "rect_rounded_each"):
        point, extent, *radii = node.children
        (x, y), (width, height) = _values(point), _values(extent)
        sides = [_side(start, side) for start, side in ((x, width), (y, height))]
        return Node(node.production, (snap(point), _pair("extent", *sides), *map(snap, radii)))
    if node.production == "diameters":
        return _pair("diameters", *(max(half(value), SMALLEST) for value in _values(node)))
    if node.production == "literal":
        assert isinstance(node.value, float)
        return number(node.value)
    language = load_language()
    children: list[Node] = []
    for slot, given in match_slots(node, language):
        for child in given:
            new = _angle(child) if getattr(slot, "kind", "") == "angle" else snap(child)
            if new.production == "vertex" and children and new == children[-1]:
                continue
            children.append(new)
    return Node(node.production, tuple(children), node.value)


def snap_length(value: float) -> float:
    """A weight on the grid; none vanishes."""
    return max(half(value), SMALLEST)


def _angle(node: Node) -> Node:
    return literal(round(node.value, 2)) if isinstance(node.value, float) else node


def _side(start: float, side: float) -> float:
    """A rectangle's side, so that its far edge is on the grid too."""
    return max(half(start + side) - half(start), SMALLEST)


def _values(pair: Node) -> list[float]:
    values = [child.value for child in pair.children]
    assert all(isinstance(value, float) for value in values)
    return values  # type: ignore[return-value]


def _pair(production: str, first: float, second: float) -> Node:
    return Node(production, (number(first), number(second)))


def in_order(layers: Sequence[Layer]) -> list[Layer]:
    """The layers in the samplers' order: painted as before where they overlap, else from the top left on."""
    return [layers[i] for i in reading_order([_box(layer) for layer in layers])]


def _box(layer: Layer) -> Box:
    """A box around all that a layer may paint, with room for its corners."""
    canvas = Canvas()
    canvas.set_size(SIDE, SIDE)
    points = [
        apply(shape.transform, point)
        for shape in Interpreter(canvas).run(layer.shape).shapes
        for point in shape.path.points
    ]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    far = layer.weight if layer.stroke is not None else 0.0
    return min(xs) - far, min(ys) - far, max(xs) + far, max(ys) + far


def _fewest_holes(layer: Layer) -> int:
    """Decisions that a layer's shape takes at least: one for each place, and for the sort of each corner."""
    return sum(node.production in ONE_HOLE for _, node in walk(layer.shape))


def count_holes(layers: Sequence[Layer], ground: Channels) -> list[int]:
    """The decisions that each layer's shape takes. Raises Dropped where the decoder cannot write one."""
    forms = write_program(layers, (SIDE, SIDE), ground).children[1:]
    try:
        decisions = encode(load_vocabulary(), forms, FORMS, FORMS_ROLE)
    except UnencodableError as error:
        raise Dropped(f"cannot be written: {error}") from None
    tops = [i for i, decision in enumerate(decisions) if decision.parent < 0]  # where each form begins, and the end
    sizes = [end - start for start, end in pairwise(tops)]
    return [size for form, size in zip(forms, sizes, strict=True) if form.production not in SETTINGS]

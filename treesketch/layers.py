"""Pictures as layers: shapes with their paint, back to front, and the canonical program that paints them.

Samplers and search think in layers; `write_program` turns them into a tree with the fewest paint forms. Layers in,
program trees out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from treesketch.tree import Node, walk

PAINT_FORMS = frozenset(  # these draw nothing themselves
    {"fill", "no_fill", "stroke", "no_stroke", "stroke_weight", "stroke_cap", "stroke_join"}
)
SETTINGS = PAINT_FORMS | {"background"}

LINES = frozenset({"line", "dot"})  # shapes without an inside

STATEFUL = frozenset(  # forms that change what later ones draw in ways that a layer cannot say
    {"rect_mode", "ellipse_mode", "random_seed", "noise_seed"}
    | {"translate", "rotate", "scale", "scale_each", "shear_x", "shear_y", "def", "defn", "defn_value", "call"}
)

Channels = tuple[int, ...]  # 3 (red green blue) or 4 (and alpha) integers, 0..255


@dataclass(frozen=True, slots=True)
class Layer:
    """One shape form (or a with-translation / with-rotation around one) and its paint.

    fill None draws no inside; stroke None draws no outline, else `weight` is its width in canvas units. cap (round,
    square, project) and join (miter, bevel, round) are the outline's, None where it has no ends or no corners.
    """

    shape: Node
    fill: Channels | None = None
    stroke: Channels | None = None
    weight: float = 1.0
    cap: str | None = None
    join: str | None = None


def literal(value: float) -> Node:
    """A number's node."""
    return Node("literal", (), float(value))


def color_node(channels: Channels) -> Node:
    """The shortest colour production for channels: grey where the three are equal, with alpha only below 255."""
    red, green, blue, *alpha = channels
    opaque = not alpha or alpha[0] == 255
    if red == green == blue:
        return Node("gray" if opaque else "gray_alpha", tuple(map(literal, (red, *(() if opaque else alpha)))))
    return Node("rgb" if opaque else "rgb_alpha", tuple(map(literal, (red, green, blue, *(() if opaque else alpha)))))


def pair(production: str, first: float, second: float) -> Node:
    """A point, extent or diameters node with literal numbers."""
    return Node(production, (literal(first), literal(second)))


def rect(x: float, y: float, width: float, height: float) -> Node:
    """A rectangle from its corner."""
    return Node("rect", (pair("point", x, y), pair("extent", width, height)))


def ellipse(x: float, y: float, width: float, height: float) -> Node:
    """An ellipse from its centre and diameters."""
    return Node("ellipse", (pair("point", x, y), pair("diameters", width, height)))


def line(x1: float, y1: float, x2: float, y2: float) -> Node:
    """A line between two points."""
    return Node("line", (pair("point", x1, y1), pair("point", x2, y2)))


def polygon(points: Iterable[tuple[float, float]]) -> Node:
    """The shortest form for a closed outline: triangle, quad, or a shape with vertices."""
    corners = tuple(pair("point", x, y) for x, y in points)
    if len(corners) in (3, 4):
        return Node("triangle" if len(corners) == 3 else "quad", corners)
    return Node("polygon", tuple(Node("vertex", (corner,)) for corner in corners))


def polyline(points: Iterable[tuple[float, float]]) -> Node:
    """An open outline through points."""
    return Node("polyline", tuple(Node("vertex", (pair("point", x, y),)) for x, y in points))


def turned(x: float, y: float, angle: float, shape: Node) -> Node:
    """A shape drawn around (x, y) with the axes turned clockwise by an angle in radians."""
    return Node("with_translation", (pair("point", x, y), Node("with_rotation", (literal(angle), shape))))


def write_program(layers: Sequence[Layer], canvas: tuple[int, int], background: Channels) -> Node:
    """The canonical program: size, background, then each layer after just the paint forms that change.

    canvas is (width, height) in units. A weight, a cap and a join are written only before a stroke that needs them.
    """
    forms = [
        Node("size", (Node("dimension", (), float(canvas[0])), Node("dimension", (), float(canvas[1])))),
        Node("background", (color_node(background),)),
    ]
    return Node("program", (*forms, *write_forms(layers)))


@dataclass(frozen=True, slots=True)
class Paint:
    """The paint that a program has set so far; a program starts with these values.

    A cap and a join are None until they are set: round and miter.
    """

    fill: Channels | None = (255, 255, 255)
    stroke: Channels | None = (0, 0, 0)
    weight: float = 1.0
    cap: str | None = None
    join: str | None = None


def write_forms(layers: Sequence[Layer], paint: Paint | None = None) -> list[Node]:
    """The forms for layers when `paint` is set before them: each behind just the paint forms that change."""
    paint = paint or Paint()
    fill, stroke, weight = paint.fill, paint.stroke, paint.weight
    cap, join = paint.cap or "round", paint.join or "miter"
    forms: list[Node] = []
    for layer in layers:
        if layer.shape.production not in LINES and layer.fill != fill:
            fill = layer.fill
            forms.append(Node("no_fill") if fill is None else Node("fill", (color_node(fill),)))
        if layer.stroke != stroke:
            stroke = layer.stroke
            forms.append(Node("no_stroke") if stroke is None else Node("stroke", (color_node(stroke),)))
        if stroke is not None and layer.weight != weight:
            weight = layer.weight
            forms.append(Node("stroke_weight", (literal(weight),)))
        if stroke is not None and layer.cap not in (None, cap):
            cap = layer.cap
            forms.append(Node("stroke_cap", (Node(f"cap_{cap}"),)))
        if stroke is not None and layer.join not in (None, join):
            join = layer.join
            forms.append(Node("stroke_join", (Node(f"join_{join}"),)))
        forms.append(layer.shape)
    return forms


def read_layers(forms: Iterable[Node], paint: Paint | None = None) -> tuple[list[Layer], Channels | None]:
    """The layers that top-level forms draw when `paint` is set before them, and the last background among them.

    A background drops the layers before it. Settings must be literal: a colour or weight that is an expression raises
    ValueError, as do settings inside scopes (their layers would depend on what was drawn before).
    """
    paint = paint or Paint()
    fill, stroke, weight, cap, join = paint.fill, paint.stroke, paint.weight, paint.cap, paint.join
    layers: list[Layer] = []
    ground: Channels | None = None
    for form in forms:
        match form.production:
            case "fill":
                fill = channels_of(form.children[0])
            case "no_fill":
                fill = None
            case "stroke":
                stroke = channels_of(form.children[0])
            case "no_stroke":
                stroke = None
            case "stroke_weight":
                weight = _number(form.children[0])
            case "stroke_cap":
                cap = form.children[0].production.removeprefix("cap_")
            case "stroke_join":
                join = form.children[0].production.removeprefix("join_")
            case "background":
                ground = channels_of(form.children[0])
                layers.clear()
            case "size":
                pass
            case _:
                if form.production in STATEFUL:
                    raise ValueError(f"{form.production} is more than a layer")
                if any(node.production in SETTINGS for _, node in walk(form)):
                    raise ValueError(f"a setting inside {form.production}")
                inside = None if form.production in LINES else fill
                pen = (weight, cap, join) if stroke is not None else ()
                layers.append(Layer(form, inside, stroke, *pen))
    return layers, ground


def paint_after(layers: Sequence[Layer], paint: Paint | None = None) -> Paint:
    """The paint that is set behind these layers when `paint` is set before them, as `write_forms` writes them."""
    paint = paint or Paint()
    fill, stroke, weight, cap, join = paint.fill, paint.stroke, paint.weight, paint.cap, paint.join
    for layer in layers:
        fill = fill if layer.shape.production in LINES else layer.fill
        stroke = layer.stroke
        if stroke is not None:
            weight, cap, join = layer.weight, layer.cap or cap, layer.join or join
    return Paint(fill, stroke, weight, cap, join)


def channels_of(color: Node) -> Channels:
    """The channels of a literal colour node: 3, or 4 with alpha below 255; truncated and clamped to 0..255."""
    values = [int(min(max(_number(child), 0), 255)) for child in color.children]
    if len(values) <= 2:
        return (values[0],) * 3 + tuple(values[1:])
    return tuple(values)


def _number(node: Node) -> float:
    if node.production != "literal" or not isinstance(node.value, float):
        raise ValueError(f"not a literal number: {node}")
    return node.value

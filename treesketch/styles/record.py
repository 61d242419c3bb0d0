"""What a program draws, shape by shape, as forms of plain numbers. A checked tree in, a `Record` of marks out.

The interpreter runs on a canvas that notes each drawing word with the values it was called with: loops, names, random
numbers and arithmetic are gone by then, modes are turned into corners and centres; paint and transform stand beside.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from treesketch.canvas import Canvas, Limits, corners_of
from treesketch.errors import RunError
from treesketch.interpreter import Interpreter
from treesketch.layers import Channels, literal, pair
from treesketch.outline import Corner
from treesketch.scene import POINTS_OF_VERB, Affine, Color, Path, Point, Shape, Stroke, apply, stretch
from treesketch.tree import Node, count, walk

MOST_SHAPES = 2_000  # of a program written out, and
MOST_NODES = 60_000  # its nodes
SHARPEST = 10.0  # half pens that a mitred corner reaches out at most
OUT = 1.5  # the same for all other corners and ends

Box = tuple[float, float, float, float]  # left, top, right, bottom in canvas units


@dataclass(frozen=True, slots=True)
class Mark:
    """One shape: its form in its own units, what takes these to the canvas, its paint, and two boxes.

    box is around all that it may paint, seen around its geometry with half the pen, as far as that is on the canvas.
    A rect is given by its corner, an ellipse and an arc by their centre, whatever the modes were.
    """

    form: Node
    transform: Affine
    fill: Color | None
    stroke: Stroke | None
    box: Box
    seen: Box


@dataclass(frozen=True, slots=True)
class Record:
    """A program's canvas (width, height) in units, its ground, and its marks from back to front."""

    canvas: tuple[int, int]
    ground: Channels
    marks: tuple[Mark, ...]


def record(tree: Node) -> Record:
    """What a checked program draws. Raises RunError beyond its limits or where it would be too long written out."""
    canvas = _Recorder()
    Interpreter(canvas).run(tree)
    return Record(canvas.size, canvas.ground[:3], tuple(canvas.marks))


class _Recorder(Canvas):
    """A canvas that keeps the form of each shape that it draws; what cannot be seen is left out."""

    def __init__(self, limits: Limits | None = None):
        super().__init__(limits)
        self.marks: list[Mark] = []
        self.nodes = 0

    def background(self, channels: Sequence[float]) -> None:
        super().background(channels)
        self.marks.clear()
        self.nodes = 0

    def rect(self, x: float, y: float, width: float, height: float, *radii: float) -> None:
        def form() -> Node:
            left, top, wide, high = x, y, width, height
            if self.rect_corners != "corner":
                left, top, right, bottom = corners_of(self.rect_corners, x, y, width, height)
                wide, high = right - left, bottom - top
            name = {0: "rect", 1: "rect_rounded", 4: "rect_rounded_each"}[len(radii)]
            return Node(name, (pair("point", left, top), pair("extent", wide, high), *map(literal, radii)))

        self._note(form, lambda: super(_Recorder, self).rect(x, y, width, height, *radii))

    def ellipse(self, x: float, y: float, width: float, height: float) -> None:
        def form() -> Node:
            return Node("ellipse", self._oval(x, y, width, height))

        self._note(form, lambda: super(_Recorder, self).ellipse(x, y, width, height))

    def arc(
        self, x: float, y: float, width: float, height: float, start: float, stop: float, closing: str | None = None
    ) -> None:
        def form() -> Node:
            oval = (*self._oval(x, y, width, height), literal(start), literal(stop))
            return Node("arc_closed", (*oval, Node(f"closing_{closing}"))) if closing else Node("arc", oval)

        self._note(form, lambda: super(_Recorder, self).arc(x, y, width, height, start, stop, closing))

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self._note(
            lambda: Node("line", (pair("point", x1, y1), pair("point", x2, y2))),
            lambda: super(_Recorder, self).line(x1, y1, x2, y2),
        )

    def dot(self, x: float, y: float) -> None:
        self._note(lambda: Node("dot", (pair("point", x, y),)), lambda: super(_Recorder, self).dot(x, y))

    def polygon(self, points: Sequence[Point]) -> None:
        name = "triangle" if len(points) == 3 else "quad"
        self._note(lambda: Node(name, _points(points)), lambda: super(_Recorder, self).polygon(points))

    def bezier(self, start: Point, first: Point, second: Point, end: Point) -> None:
        self._note(
            lambda: Node("bezier", _points((start, first, second, end))),
            lambda: super(_Recorder, self).bezier(start, first, second, end),
        )

    def curve(self, before: Point, start: Point, end: Point, after: Point) -> None:
        corners = [("curve", (point,)) for point in (before, start, end, after)]
        self._note(
            lambda: Node("curve", _points((before, start, end, after))),
            lambda: super(_Recorder, self).shape(corners, [], False),
        )

    def shape(
        self, corners: Sequence[tuple[str, Corner]], contours: Sequence[Sequence[tuple[str, Corner]]], closed: bool
    ) -> None:
        def form() -> Node:
            rings = (Node("contour", _vertices(contour)) for contour in contours)
            return Node("polygon" if closed else "polyline", (*_vertices(corners), *rings))

        self._note(form, lambda: super(_Recorder, self).shape(corners, contours, closed))

    def _note(self, form: Callable[[], Node], draw: Callable[[], None]) -> None:
        """Draw, and keep the form as a mark if that painted anything; the pictures' own rules say what does."""
        before = len(self.shapes)
        draw()
        drawn = self.shapes[before:]
        points = [point for shape in drawn for point in _placed(shape)]
        if not points or not all(map(math.isfinite, (number for point in points for number in point))):
            return  # a shape with what is not a number draws nothing
        fill = next((shape.fill for shape in drawn if shape.fill and shape.fill[3]), None)
        stroke = next((shape.stroke for shape in drawn if shape.stroke and shape.stroke.color[3]), None)
        if stroke is not None and not math.isfinite(stroke.weight):
            stroke = None
        if fill is None and stroke is None:
            return
        node = form()
        if any(isinstance(each.value, float) and not math.isfinite(each.value) for _, each in walk(node)):
            node = _outline(drawn[0].path)  # what is drawn does not depend on that number
        self.nodes += count(node)
        if len(self.marks) >= MOST_SHAPES or self.nodes > MOST_NODES:
            most = f"{MOST_SHAPES} shapes or {MOST_NODES} nodes"
            raise RunError(f"written out it would have more than {most}; draw less in its loops")
        pen = 0.0 if stroke is None else stroke.weight / 2 * max(stretch(self.transform), *map(abs, self.transform[:4]))
        far = 0.0 if stroke is None else 1 + pen * _reach(stroke, len(points))  # 1: strokes are moved to pixels
        width, height = self.size
        x0, y0, x1, y1 = _box(points, pen)
        seen = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
        self.marks.append(Mark(node, self.transform, fill, stroke, _box(points, far), seen))

    def _oval(self, x: float, y: float, width: float, height: float) -> tuple[Node, Node]:
        """The centre and the diameters of an ellipse's four numbers."""
        if self.ellipse_corners == "center":
            return pair("point", x, y), pair("diameters", width, height)
        x, y, a, b = self._half_axes(x, y, width, height)
        return pair("point", x, y), pair("diameters", 2 * a, 2 * b)


def _placed(shape: Shape) -> list[Point]:
    """A shape's points on the canvas."""
    return [apply(shape.transform, point) for point in shape.path.points]


def _reach(stroke: Stroke, points: int) -> float:
    """How many half pens a stroke of so many points may reach out."""
    return SHARPEST if stroke.join == "miter" and points > 2 else OUT


def _box(points: Sequence[Point], far: float) -> Box:
    """A box around points and so much room; the control points of curves lie in it too."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs) - far, min(ys) - far, max(xs) + far, max(ys) + far


def _outline(path: Path) -> Node:
    """A path as a shape of corners."""
    contours: list[list[tuple[str, Corner]]] = []
    rest = iter(path.points)
    for verb in path.verbs:
        points = tuple(next(rest) for _ in range(POINTS_OF_VERB[verb]))
        if verb == "M":
            contours.append([])
        if points:
            contours[-1].append(("bezier" if verb == "C" else "vertex", points))
    first, *others = map(_vertices, contours)
    rings = (Node("contour", corners) for corners in others)
    return Node("polygon" if path.verbs.endswith("Z") else "polyline", (*first, *rings))


def _points(points: Sequence[Point]) -> tuple[Node, ...]:
    return tuple(pair("point", x, y) for x, y in points)


def _vertices(corners: Sequence[tuple[str, Corner]]) -> tuple[Node, ...]:
    names = {"vertex": "vertex", "bezier": "bezier_vertex", "quadratic": "quadratic_vertex", "curve": "curve_vertex"}
    return tuple(Node(names[word], _points(points)) for word, points in corners)

"""A pad that samplers draw on: shapes with paint in, canonical layers out.

Every number lands on a grid of half units here. Shapes that miss the canvas or are wholly hidden by a later one are
left out. Literal nodes are shared, because building nodes is most of a sampler's time.
"""

import math
from collections.abc import Sequence

from treesketch.layers import Channels, Layer, literal
from treesketch.sampling.order import Box, reading_order
from treesketch.tree import Node

SIDE = 128  # canvas units a side
MIDDLE = SIDE / 2
Points = Sequence[tuple[float, float]]

_HALVES = {k: literal(k / 2) for k in range(-600, 1200)}  # numbers of the grid by their double


def half(value: float) -> float:
    """The value on the grid of half units."""
    return round(value * 2) / 2


def number(value: float) -> Node:
    """A literal on the grid of half units."""
    k = round(value * 2)
    return _HALVES[k] if -600 <= k < 1200 else literal(k / 2)


def pair(production: str, first: float, second: float) -> Node:
    """A point, extent or diameters node on the grid."""
    return Node(production, (number(first), number(second)))


def rect_node(x: float, y: float, width: float, height: float) -> Node:
    """A rectangle whose four edges are on the grid, so that neighbours meet."""
    x0, y0 = half(x), half(y)
    return Node("rect", (pair("point", x0, y0), pair("extent", half(x + width) - x0, half(y + height) - y0)))


def ellipse_node(x: float, y: float, width: float, height: float) -> Node:
    """An ellipse from its centre and diameters, on the grid."""
    return Node("ellipse", (pair("point", x, y), pair("diameters", width, height)))


def line_node(x1: float, y1: float, x2: float, y2: float) -> Node:
    """A line between two points on the grid."""
    return Node("line", (pair("point", x1, y1), pair("point", x2, y2)))


def turned_node(x: float, y: float, angle: float, shape: Node) -> Node:
    """A shape around (x, y) turned by an angle in radians, kept to hundredths."""
    turn = Node("with_rotation", (literal(round(angle, 2)), shape))
    return Node("with_translation", (pair("point", x, y), turn))


def vertices(production: str, points: Points) -> Node:
    """A polygon or polyline; a closed outline of three or four points is a triangle or a quad."""
    corners = [Node("point", (number(x), number(y))) for x, y in points]
    if production == "polygon" and len(corners) <= 4:
        return Node("triangle" if len(corners) == 3 else "quad", tuple(corners))
    return Node(production, tuple([Node("vertex", (corner,)) for corner in corners]))


def arc_node(x: float, y: float, w: float, h: float, start: float, stop: float, closing: str | None = None) -> Node:
    """A part of an ellipse, clockwise from one angle in radians to another, kept to hundredths.

    closing is pie or chord for what is closed, None for a slice without an edge along its cuts, or an open line.
    """
    turn = 2 * math.pi * math.floor((start + math.pi) / (2 * math.pi))
    angles = (literal(round(start - turn, 2)), literal(round(stop - turn, 2)))
    parts = (pair("point", x, y), pair("diameters", w, h), *angles)
    return Node("arc", parts) if closing is None else Node("arc_closed", (*parts, Node(f"closing_{closing}")))


def curve_node(points: Points, closed: bool) -> Node:
    """A smooth outline through the middles between neighbouring points, or from the first to the last of them."""

    def middle(i: int) -> Node:
        (x, y), (u, v) = points[i - 1], points[i % len(points)]
        return pair("point", (x + u) / 2, (y + v) / 2)

    controls = [pair("point", x, y) for x, y in points]
    if closed:
        start, bends = middle(0), [(controls[i], middle(i + 1)) for i in range(len(points))]
    else:
        start, bends = controls[0], [(controls[i], middle(i + 1)) for i in range(1, len(points) - 2)]
        bends.append((controls[-2], controls[-1]))
    vertices = [Node("quadratic_vertex", bend) for bend in bends]
    return Node("polygon" if closed else "polyline", (Node("vertex", (start,)), *vertices))


def turned_box(x: float, y: float, width: float, height: float, angle: float) -> Box:
    """The box around a turned rectangle with its centre at (x, y)."""
    cos, sin = abs(math.cos(angle)) / 2, abs(math.sin(angle)) / 2
    a, b = width * cos + height * sin, width * sin + height * cos
    return x - a, y - b, x + a, y + b


class Pad:
    """Shapes so far, back to front. Paint is fill, stroke and weight, as in a Layer; None paints nothing."""

    __slots__ = ("_boxes", "_cores", "_layers", "view")

    def __init__(self) -> None:
        # (scale, x, y) moves what is drawn next: the canvas's middle goes to (x, y); a negative scale mirrors left and
        # right. `put` takes its node as it is.
        self.view: tuple[float, float, float] | None = None
        self._layers: list[Layer] = []
        self._boxes: list[Box] = []  # around the visible part
        self._cores: list[Box | None] = []  # a box that the shape covers for certain

    def __len__(self) -> int:
        return len(self._layers)

    def rect(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        fill: Channels | None,
        stroke: Channels | None = None,
        weight: float = 1.0,
    ) -> None:
        """A rectangle from its corner."""
        x, y, w, h, size = self._seen_box(x, y, w, h)
        weight *= size
        box = (x, y, x + w, y + h)
        self.put(rect_node(x, y, w, h), box, fill, stroke, weight, box)

    def ellipse(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        fill: Channels | None,
        stroke: Channels | None = None,
        weight: float = 1.0,
    ) -> None:
        """An ellipse from its centre and diameters."""
        if self.view is not None:
            k, dx, dy = self.view
            size = abs(k)
            x, y = dx + k * (x - MIDDLE), dy + size * (y - MIDDLE)
            w, h, weight = size * w, size * h, size * weight
        a, b = w / 2, h / 2
        core = (x - 0.7 * a, y - 0.7 * b, x + 0.7 * a, y + 0.7 * b)
        self.put(ellipse_node(x, y, w, h), (x - a, y - b, x + a, y + b), fill, stroke, weight, core)

    def disc(self, x: float, y: float, radius: float, fill: Channels) -> None:
        """A filled circle."""
        self.ellipse(x, y, 2 * radius, 2 * radius, fill)

    def polygon(
        self, points: Points, fill: Channels | None, stroke: Channels | None = None, weight: float = 1.0
    ) -> None:
        """A closed outline."""
        if self.view is not None:
            points, weight = self._seen(points), weight * abs(self.view[0])
        self.put(vertices("polygon", points), _box(points), fill, stroke, weight)

    def rounded(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        radius: float,
        fill: Channels | None,
        stroke: Channels | None = None,
        weight: float = 1.0,
    ) -> None:
        """A rectangle from its corner with rounded corners."""
        x, y, w, h, size = self._seen_box(x, y, w, h)
        weight *= size
        radius = min(size * radius, abs(w) / 2, abs(h) / 2)
        point, extent = rect_node(x, y, w, h).children
        node = Node("rect_rounded", (point, extent, number(max(radius, 0.5))))
        inset = 0.3 * radius
        core = (x + inset, y + inset, x + w - inset, y + h - inset)
        self.put(node, (x, y, x + w, y + h), fill, stroke, weight, core)

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, stop: float, stroke: Channels, weight: float
    ) -> None:
        """A stroke along an ellipse with its centre at (x, y), clockwise between two angles in radians."""
        x, y, rx, ry, start, stop = self._seen_arc(x, y, rx, ry, start, stop)
        weight *= abs(self.view[0]) if self.view is not None else 1
        box = _box([(x + rx * math.cos(a), y + ry * math.sin(a)) for a in _along(start, stop)])
        self.put(arc_node(x, y, 2 * rx, 2 * ry, start, stop), box, None, stroke, weight)

    def slice(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        stop: float,
        fill: Channels | None,
        stroke: Channels | None = None,
        weight: float = 1.0,
        pie: bool = True,
    ) -> None:
        """What lies between an ellipse and its centre (pie), or a straight cut, clockwise between two angles."""
        x, y, rx, ry, start, stop = self._seen_arc(x, y, rx, ry, start, stop)
        weight *= abs(self.view[0]) if self.view is not None else 1
        closing = None if pie and stroke is None else "pie" if pie else "chord"
        node = arc_node(x, y, 2 * rx, 2 * ry, start, stop, closing)
        points = [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in _along(start, stop)]
        self.put(node, _box([*points, (x, y)] if pie else points), fill, stroke, weight)

    def dome(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: Channels | None,
        stroke: Channels | None = None,
        weight: float = 1.0,
    ) -> None:
        """The upper half of an ellipse that fills the box around (x, y) with these half sides."""
        self.slice(x, y + ry, rx, 2 * ry, math.pi, 2 * math.pi, fill, stroke, weight, pie=False)

    def curve(
        self,
        points: Points,
        fill: Channels | None,
        stroke: Channels | None = None,
        weight: float = 1.0,
        closed: bool = True,
    ) -> None:
        """A smooth outline that points draw toward them: closed, or from the first to the last."""
        if self.view is not None:
            points, weight = self._seen(points), weight * abs(self.view[0])
        self.put(curve_node(points, closed), _box(points), fill, stroke, weight)

    def polyline(self, points: Points, stroke: Channels, weight: float, fill: Channels | None = None) -> None:
        """An open outline."""
        if self.view is not None:
            points, weight = self._seen(points), weight * abs(self.view[0])
        self.put(vertices("polyline", points), _box(points), fill, stroke, weight)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: Channels, weight: float) -> None:
        """A line."""
        if self.view is not None:
            ((x1, y1), (x2, y2)), weight = self._seen(((x1, y1), (x2, y2))), weight * abs(self.view[0])
        box = (x1 if x1 < x2 else x2, y1 if y1 < y2 else y2, x2 if x1 < x2 else x1, y2 if y1 < y2 else y1)
        self.put(line_node(x1, y1, x2, y2), box, None, stroke, weight)

    def turned_rect(
        self, *of: float, fill: Channels | None, stroke: Channels | None = None, weight: float = 1.0
    ) -> None:
        """A rectangle around its centre: x y width height angle."""
        x, y, w, h, angle = of if self.view is None else self._turned(*of)
        if self.view is not None:
            weight *= abs(self.view[0])
        w, h = half(w / 2) * 2, half(h / 2) * 2
        node = turned_node(x, y, angle, rect_node(-w / 2, -h / 2, w, h))
        self.put(node, turned_box(x, y, w, h, angle), fill, stroke, weight)

    def turned_ellipse(
        self, *of: float, fill: Channels | None, stroke: Channels | None = None, weight: float = 1.0
    ) -> None:
        """An ellipse around its centre: x y width height angle."""
        x, y, w, h, angle = of if self.view is None else self._turned(*of)
        if self.view is not None:
            weight *= abs(self.view[0])
        node = turned_node(x, y, angle, ellipse_node(0, 0, w, h))
        a = math.hypot(w * math.cos(angle), h * math.sin(angle)) / 2
        b = math.hypot(w * math.sin(angle), h * math.cos(angle)) / 2
        self.put(node, (x - a, y - b, x + a, y + b), fill, stroke, weight)

    def put(
        self,
        shape: Node,
        box: Box,
        fill: Channels | None,
        stroke: Channels | None = None,
        weight: float = 1.0,
        core: Box | None = None,
    ) -> None:
        """Any shape node with the box around its geometry, and a box that its fill covers for certain."""
        x0, y0, x1, y1 = box
        if stroke is not None:
            weight = half(weight) or 0.5
            out = weight / 2
            x0, y0, x1, y1 = x0 - out, y0 - out, x1 + out, y1 + out
        elif x1 - x0 < 1 or y1 - y0 < 1:
            return
        if x0 < 0:
            x0 = 0
        if y0 < 0:
            y0 = 0
        if x1 > SIDE:
            x1 = SIDE
        if y1 > SIDE:
            y1 = SIDE
        if x1 - x0 < 1 or y1 - y0 < 1:
            return
        self._layers.append(Layer(shape, fill, stroke, weight if stroke is not None else 1.0))
        self._boxes.append((x0, y0, x1, y1))
        self._cores.append(core if fill is not None else None)

    def under(self, x: float, y: float, background: Channels) -> Channels:
        """The fill that probably shows at a point: of the last shape whose box holds it."""
        if self.view is not None:
            ((x, y),) = self._seen(((x, y),))
        boxes = self._boxes
        for i in range(len(boxes) - 1, -1, -1):
            x0, y0, x1, y1 = boxes[i]
            if x0 <= x <= x1 and y0 <= y <= y1:
                fill = self._layers[i].fill
                if fill is not None:
                    return fill
        return background

    def _seen(self, points: Points) -> Points:
        assert self.view is not None
        k, dx, dy = self.view
        dx, dy, size = dx - k * MIDDLE, dy - abs(k) * MIDDLE, abs(k)
        return [(dx + k * x, dy + size * y) for x, y in points]

    def _seen_box(self, x: float, y: float, w: float, h: float) -> tuple[float, float, float, float, float]:
        """A box from its corner as the view shows it, and how much larger."""
        if self.view is None:
            return x, y, w, h, 1.0
        k, dx, dy = self.view
        size = abs(k)
        x, y, w, h = dx + k * (x - MIDDLE), dy + size * (y - MIDDLE), size * w, size * h
        return x - w if k < 0 else x, y, w, h, size

    def _seen_arc(
        self, x: float, y: float, rx: float, ry: float, start: float, stop: float
    ) -> tuple[float, float, float, float, float, float]:
        if self.view is None:
            return x, y, rx, ry, start, stop
        k, dx, dy = self.view
        size = abs(k)
        if k < 0:
            start, stop = math.pi - stop, math.pi - start
        return dx + k * (x - MIDDLE), dy + size * (y - MIDDLE), size * rx, size * ry, start, stop

    def _turned(self, x: float, y: float, w: float, h: float, angle: float) -> tuple[float, float, float, float, float]:
        assert self.view is not None
        k, dx, dy = self.view
        size = abs(k)
        x, y = dx + k * (x - MIDDLE), dy + size * (y - MIDDLE)
        return x, y, size * w, size * h, -angle if k < 0 else angle

    def layers(self) -> list[Layer]:
        """The shapes in canonical order, without those that a later one hides."""
        layers, boxes = self._layers, self._boxes
        hidden = set()
        for j, core in enumerate(self._cores):
            if core is not None:
                left, top, right, bottom = core
                if right - left < 8 or bottom - top < 8:
                    continue  # too small to be worth a look
                for i in range(j):
                    x0, y0, x1, y1 = boxes[i]
                    if left <= x0 and top <= y0 and x1 <= right and y1 <= bottom:
                        hidden.add(i)
        if hidden:
            keep = [i for i in range(len(layers)) if i not in hidden]
            layers, boxes = [layers[i] for i in keep], [boxes[i] for i in keep]
        return [layers[i] for i in reading_order(boxes)]


def _along(start: float, stop: float) -> list[float]:
    """Angles from one to another that reach as far as the arc between them, nearly."""
    return [start + (stop - start) * i / 8 for i in range(9)]


def _box(points: Points) -> Box:
    xs = [x for x, _ in points]
    ys = [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)

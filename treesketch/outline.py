"""Corners -> a path: Processing's vertex, bezier-vertex, quadratic-vertex, curve-vertex and arcs as lines and cubics.

Words with their points in, verbs and points of a `scene.Path` out. The rules are those of PGraphicsJava2D.
"""

import math
from collections.abc import Sequence

from treesketch.scene import Path, Point

KAPPA = 0.5522847498307936  # control point distance of the cubic that follows a quarter of a unit circle

Corner = tuple[Point, ...]  # the points of one corner; its last is where the outline goes, unless it is a curve's


class Outline:
    """A path being drawn corner by corner. A contour that `close` ends is followed by the next one."""

    def __init__(self) -> None:
        self._verbs: list[str] = []
        self._points: list[Point] = []
        self._curve: list[Point] = []  # the last curve corners, up to three
        self._begun = False

    @property
    def path(self) -> Path:
        """What has been drawn."""
        return Path("".join(self._verbs), tuple(self._points))

    def vertex(self, point: Point) -> None:
        """A straight line to a point, or the beginning."""
        self._curve.clear()
        self._go("L", point)

    def bezier_vertex(self, first: Point, second: Point, end: Point) -> None:
        """A cubic to a point, with two control points."""
        self._begin(self._curve[-1] if self._curve else first)
        self._go("C", first, second, end)

    def quadratic_vertex(self, control: Point, end: Point) -> None:
        """A curve to a point with one control point: the cubic that is the same."""
        self._begin(self._curve[-1] if self._curve else control)
        start = self._points[-1]
        self._go("C", _along(start, control, 2 / 3), _along(end, control, 2 / 3), end)

    def curve_vertex(self, point: Point) -> None:
        """A point of a Catmull-Rom spline; the first and the last of a run only give the direction there.

        A run that follows other corners begins where these end, as in Processing.
        """
        self._curve.append(point)
        if len(self._curve) == 4:
            before, start, end, after = self._curve
            self._begin(start)
            self._go("C", _aside(start, before, end), _aside(end, after, start), end)
            del self._curve[0]

    def arc(self, x: float, y: float, a: float, b: float, start: float, sweep: float) -> None:
        """A part of an ellipse (centre, half axes) from an angle on, as java.awt.geom.Arc2D cuts it into cubics."""
        pieces = 4 if sweep >= 2 * math.pi else math.ceil(sweep / (math.pi / 2) - 1e-9)
        turn = math.pi / 2 if sweep >= 2 * math.pi else sweep / max(pieces, 1)
        reach = 4 / 3 * math.sin(turn / 2) / (1 + math.cos(turn / 2))

        def at(angle: float, along: float) -> Point:
            """The point of an angle, moved along its tangent."""
            cos, sin = math.cos(angle), math.sin(angle)
            return x + a * (cos - along * sin), y + b * (sin + along * cos)

        self._go("L", at(start, 0.0))
        for i in range(pieces):
            first, second = start + i * turn, start + (i + 1) * turn
            self._go("C", at(first, reach), at(second, -reach), at(second, 0.0))

    def close(self) -> None:
        """End a contour with a line to where it began; one without a corner leaves nothing."""
        if self._begun:
            self._verbs.append("Z")
        self.end()

    def end(self) -> None:
        """End a contour and leave it open."""
        self._begun = False
        self._curve.clear()

    def _begin(self, point: Point) -> None:
        if not self._begun:
            self._go("M", point)

    def _go(self, verb: str, *points: Point) -> None:
        self._verbs.append(verb if self._begun else "M")
        self._points += points
        self._begun = True


def rectangle(left: float, top: float, right: float, bottom: float, radii: Sequence[float]) -> Path:
    """A rectangle with rounded corners (radii from the top left, clockwise), as PGraphics.rectImpl draws it.

    A radius is at most half of the shorter side; 0 is a plain corner.
    """
    most = min((right - left) / 2, (bottom - top) / 2)
    top_left, top_right, bottom_right, bottom_left = (min(radius, most) for radius in radii)
    outline = Outline()
    for radius, corner, before, after in (
        (top_right, (right, top), (-1, 0), (0, 1)),
        (bottom_right, (right, bottom), (0, -1), (-1, 0)),
        (bottom_left, (left, bottom), (1, 0), (0, -1)),
        (top_left, (left, top), (0, 1), (1, 0)),
    ):
        outline.vertex((corner[0] + before[0] * radius, corner[1] + before[1] * radius))
        if radius:
            outline.quadratic_vertex(corner, (corner[0] + after[0] * radius, corner[1] + after[1] * radius))
    outline.close()
    return outline.path


def ellipse(x: float, y: float, a: float, b: float) -> Path:
    """An ellipse from its centre and half axes: four cubics from the east, clockwise on the screen."""
    p, q = KAPPA * a, KAPPA * b
    east, south, west, north = (x + a, y), (x, y + b), (x - a, y), (x, y - b)
    points: tuple[Point, ...] = (
        *(east, (x + a, y + q), (x + p, y + b)),
        *(south, (x - p, y + b), (x - a, y + q)),
        *(west, (x - a, y - q), (x - p, y - b)),
        *(north, (x + p, y - b), (x + a, y - q), east),
    )
    return Path("MCCCCZ", points)


def _along(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _aside(point: Point, before: Point, after: Point) -> Point:
    """The control point at a corner of a Catmull-Rom spline, on the side of `after`."""
    return point[0] + (after[0] - before[0]) / 6, point[1] + (after[1] - before[1]) / 6

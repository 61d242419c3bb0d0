"""Processing's drawing words -> a scene. Calls with plain numbers in, an immutable `Scene` out.

Both evaluators (the native interpreter and the Hy runtime) draw through this one class, so a word has one meaning.
Defaults and rules are Processing's: fill 255, stroke 0, weight 1, background 204, canvas 100 x 100. Random numbers and
noise are its own too, with the seed 0 until the program sets another.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from treesketch import arithmetic, chance, outline
from treesketch.errors import RunError
from treesketch.outline import Corner, Outline
from treesketch.scene import IDENTITY, Affine, Color, Path, Point, Scene, Shape, Stroke, compose

FRAMES = 40_000  # of Python: nested forms times nested calls times frames a form; Hy's compiler takes 20 a nested form
DEFAULT_SIZE = (100, 100)
DEFAULT_BACKGROUND: Color = (204, 204, 204, 255)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may spend: evaluation steps, shapes on the canvas, points in them, the canvas's side in units.

    calls is how many functions may wait for one another.
    """

    fuel: int = 1_000_000
    shapes: int = 25_000
    points: int = 400_000
    side: int = 8192
    calls: int = 64


class Canvas:
    """The state of a drawing while its program runs: paint, transform, and the shapes so far."""

    def __init__(self, limits: Limits | None = None):
        self.limits = limits or Limits()
        self.size: tuple[int, int] = DEFAULT_SIZE
        self.ground = DEFAULT_BACKGROUND
        self.fill_color: Color | None = (255, 255, 255, 255)
        self.stroke_color: Color | None = (0, 0, 0, 255)
        self.weight = 1.0
        self.cap = "round"
        self.join = "miter"
        self.rect_corners = "corner"
        self.ellipse_corners = "center"
        self.random_state = chance.seed_state(0)
        self.noise_base = 0.0  # the seed
        self.transform: Affine = IDENTITY
        self.shapes: list[Shape] = []
        self.points = 0
        self.fuel = self.limits.fuel
        self.calls = 0

    def scene(self) -> Scene:
        """What has been drawn so far."""
        return Scene(*self.size, self.ground, tuple(self.shapes))

    def steps(self, *numbers: float) -> Iterator[float]:
        """The numbers of a range: its end, start and end, or start, end and step; raises RunError for a step of 0."""
        start, end, step = arithmetic.span(*numbers)
        if step == 0:
            raise RunError("this range never ends: its step is 0")
        return arithmetic.steps(start, end, step)

    def spend(self, steps: int = 1) -> None:
        """Use fuel, one unit a step; raises RunError when there is none left."""
        self.fuel -= steps
        if self.fuel < 0:
            raise RunError(f"the program takes more than {self.limits.fuel} steps; draw less in its loops")

    @contextmanager
    def called(self) -> Iterator[None]:
        """A function's body, for as long as the context lasts; raises RunError when too many wait for one another."""
        if self.calls >= self.limits.calls:
            raise RunError(f"more than {self.limits.calls} functions wait for one another here")
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1

    # Settings

    def set_size(self, width: float, height: float) -> None:
        """Set the canvas to whole units, from 1 to the limit a side."""
        side = self.limits.side
        if not (1 <= width <= side and 1 <= height <= side):
            raise RunError(f"the canvas is {width:g} x {height:g}; each side takes 1 to {side}")
        self.size = (int(width), int(height))

    def background(self, channels: Sequence[float]) -> None:
        """Paint everything drawn so far over. The canvas is opaque, so alpha is ignored as Processing ignores it."""
        self.ground = (*color(channels)[:3], 255)
        self.shapes.clear()
        self.points = 0

    def fill(self, channels: Sequence[float]) -> None:
        """Colour what is drawn from here on: 1 to 4 channels, see `color`."""
        self.fill_color = color(channels)

    def no_fill(self) -> None:
        """Draw outlines only."""
        self.fill_color = None

    def stroke(self, channels: Sequence[float]) -> None:
        """Colour outlines from here on: 1 to 4 channels, see `color`."""
        self.stroke_color = color(channels)

    def no_stroke(self) -> None:
        """Draw no outlines."""
        self.stroke_color = None

    def stroke_weight(self, weight: float) -> None:
        """Set the width of outlines in canvas units; less than nothing is nothing."""
        self.weight = max(0.0, weight)

    def stroke_cap(self, cap: str) -> None:
        """Set how open lines end: round, square (cut off there) or project (half a weight further)."""
        self.cap = cap

    def stroke_join(self, join: str) -> None:
        """Set how lines meet: miter, bevel or round."""
        self.join = join

    def rect_mode(self, mode: str) -> None:
        """Set what the four numbers of a rectangle are, see `corners_of`."""
        self.rect_corners = mode

    def ellipse_mode(self, mode: str) -> None:
        """Set what the first four numbers of an ellipse or an arc are, see `corners_of`."""
        self.ellipse_corners = mode

    # Shapes

    def rect(self, x: float, y: float, width: float, height: float, *radii: float) -> None:
        """A rectangle, by default from its corner and its sides; with 1 or 4 radii (from the top left on) rounded."""
        left, top, right, bottom = corners_of(self.rect_corners, x, y, width, height)
        if not radii:
            self._draw("MLLLZ", ((left, top), (right, top), (right, bottom), (left, bottom)))
            return
        left, right = min(left, right), max(left, right)
        top, bottom = min(top, bottom), max(top, bottom)
        path = outline.rectangle(left, top, right, bottom, radii if len(radii) == 4 else radii * 4)
        self._draw(path.verbs, path.points)

    def ellipse(self, x: float, y: float, width: float, height: float) -> None:
        """An ellipse, by default from its centre and its diameters; their signs do not matter."""
        x, y, a, b = self._half_axes(x, y, width, height)
        path = outline.ellipse(x, y, abs(a), abs(b))
        self._draw(path.verbs, path.points)

    def arc(
        self, x: float, y: float, width: float, height: float, start: float, stop: float, closing: str | None = None
    ) -> None:
        """A part of an ellipse between two angles in radians, clockwise; nothing unless the second is the larger.

        closing says how the ends are joined: open (the outline is not, the inside by a line), chord, pie (through the
        centre). Without it the inside is a pie and the outline open.
        """
        x, y, a, b = self._half_axes(x, y, width, height)
        if not (stop > start and math.isfinite(start) and math.isfinite(stop) and a >= 0 and b >= 0):
            return
        sweep = min(stop - start, 2 * math.pi)

        def part(is_pie: bool, is_closed: bool) -> Path:
            path = Outline()
            path.arc(x, y, a, b, start, sweep)
            if is_pie:
                path.vertex((x, y))
            if is_closed:
                path.close()
            return path.path

        if closing:
            path = part(closing == "pie", closing != "open")
            self._draw(path.verbs, path.points)
            return
        inside, rim = part(True, True), part(False, False)
        if self.fill_color is not None:
            self._draw(inside.verbs, inside.points, stroked=False)
        if self.stroke_color is not None:
            self._draw(rim.verbs, rim.points, filled=False)

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A stroke between two points; it has no inside."""
        self._draw("ML", ((x1, y1), (x2, y2)), filled=False)

    def dot(self, x: float, y: float) -> None:
        """A line of no length: with a round cap a disc as wide as the stroke."""
        self._draw("ML", ((x, y), (x, y)), filled=False)

    def polygon(self, points: Sequence[Point]) -> None:
        """A closed outline through the points and its inside."""
        self._draw("M" + "L" * (len(points) - 1) + "Z", tuple(points))

    def bezier(self, start: Point, first: Point, second: Point, end: Point) -> None:
        """A cubic curve between two points with two control points; its inside is filled."""
        self._draw("MC", (start, first, second, end))

    def curve(self, before: Point, start: Point, end: Point, after: Point) -> None:
        """A Catmull-Rom curve between the second and the third point; its inside is filled."""
        self.shape([("curve", (point,)) for point in (before, start, end, after)], [], False)

    def shape(
        self, corners: Sequence[tuple[str, Corner]], contours: Sequence[Sequence[tuple[str, Corner]]], closed: bool
    ) -> None:
        """An outline of corners (vertex, bezier, quadratic or curve, with their points) and its inside.

        Contours are closed outlines of their own; one that runs the other way around is a hole.
        """
        drawn = Outline()
        for run, is_closed in ((corners, closed), *((contour, True) for contour in contours)):
            for word, points in run:
                match word:
                    case "vertex":
                        drawn.vertex(*points)
                    case "bezier":
                        drawn.bezier_vertex(*points)
                    case "quadratic":
                        drawn.quadratic_vertex(*points)
                    case "curve":
                        drawn.curve_vertex(*points)
            if is_closed:
                drawn.close()
            else:
                drawn.end()
        self._draw(drawn.path.verbs, drawn.path.points)

    def _half_axes(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        """The centre and half axes of an ellipse's four numbers; negative where the numbers go the wrong way."""
        if self.ellipse_corners == "center":
            return x, y, width / 2, height / 2
        left, top, right, bottom = corners_of(self.ellipse_corners, x, y, width, height)
        return (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2

    def _draw(self, verbs: str, points: tuple[Point, ...], filled: bool = True, stroked: bool = True) -> None:
        fill = self.fill_color if filled else None
        stroke = None
        if stroked and self.stroke_color is not None:
            stroke = Stroke(self.stroke_color, self.weight, self.cap, self.join)
        self.points += len(points)
        if len(self.shapes) >= self.limits.shapes or self.points > self.limits.points:
            raise RunError(f"the program draws more than {self.limits.shapes} shapes or {self.limits.points} points")
        if points and (fill is not None or stroke is not None):
            self.shapes.append(Shape(Path(verbs, points), fill, stroke, self.transform))

    # Random numbers

    def random_seed(self, seed: float) -> None:
        """Begin the random numbers that belong to a whole number."""
        self.random_state = chance.seed_state(seed)

    def noise_seed(self, seed: float) -> None:
        """Take the noise that belongs to a whole number."""
        self.noise_base = seed

    def random(self, first: float, second: float | None = None) -> float:
        """A random number from 0 to the first, or from the first to the second (not included)."""
        if second is None:
            self.random_state, value = chance.random_below(self.random_state, first)
        else:
            self.random_state, value = chance.random_between(self.random_state, first, second)
        return value

    def noise(self, x: float, y: float = 0.0, z: float = 0.0) -> float:
        """Smooth noise at a place, 0..1."""
        return chance.noise(self.noise_base, x, y, z)

    def width(self) -> float:
        """The canvas's width in units."""
        return float(self.size[0])

    def height(self) -> float:
        """The canvas's height in units."""
        return float(self.size[1])

    # Transforms

    def translate(self, x: float, y: float) -> None:
        """Move the origin."""
        self.transform = compose(self.transform, (1.0, 0.0, 0.0, 1.0, x, y))

    def rotate(self, angle: float) -> None:
        """Turn the axes clockwise on the screen by radians."""
        cos, sin = arithmetic.cosine(angle), arithmetic.sine(angle)
        self.transform = compose(self.transform, (cos, sin, -sin, cos, 0.0, 0.0))

    def scale(self, x: float, y: float | None = None) -> None:
        """Make units larger, along both axes alike or by a factor each."""
        self.transform = compose(self.transform, (x, 0.0, 0.0, x if y is None else y, 0.0, 0.0))

    def shear_x(self, angle: float) -> None:
        """Slant along x by radians."""
        self.transform = compose(self.transform, (1.0, 0.0, arithmetic.tangent(angle), 1.0, 0.0, 0.0))

    def shear_y(self, angle: float) -> None:
        """Slant along y by radians."""
        self.transform = compose(self.transform, (1.0, arithmetic.tangent(angle), 0.0, 1.0, 0.0, 0.0))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Transforms inside end with the context: push-matrix ... pop-matrix."""
        before = self.transform
        try:
            yield
        finally:
            self.transform = before

    @contextmanager
    def translated(self, x: float, y: float) -> Iterator[None]:
        """Move the origin for as long as the context lasts."""
        with self.kept():
            self.translate(x, y)
            yield

    @contextmanager
    def rotated(self, angle: float) -> Iterator[None]:
        """Turn the axes clockwise on the screen by radians for as long as the context lasts."""
        with self.kept():
            self.rotate(angle)
            yield


@contextmanager
def frames() -> Iterator[None]:
    """Enough of Python's frames for programs of the deepest nesting and the longest chain of calls."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def corners_of(mode: str, a: float, b: float, c: float, d: float) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of four numbers: corner (x y width height), corners, center, radius (half the sides)."""
    match mode:
        case "corners":
            return a, b, c, d
        case "center":
            return a - c / 2, b - d / 2, a + c / 2, b + d / 2
        case "radius":
            return a - c, b - d, a + c, b + d
    return a, b, a + c, b + d


def color(channels: Sequence[float]) -> Color:
    """1 to 4 channels (grey, grey alpha, red green blue, red green blue alpha) -> a colour.

    Each is truncated and clamped to 0..255 as Processing does; what is not a number is 0.
    """
    values = [0 if math.isnan(c) else int(min(max(c, 0.0), 255.0)) for c in channels]
    if len(values) <= 2:
        grey, alpha = values[0], values[1] if len(values) == 2 else 255
        return (grey, grey, grey, alpha)
    return (values[0], values[1], values[2], values[3] if len(values) == 4 else 255)

"""A scene: what a program draws, resolved and immutable. No language is left in it.

The interpreter (and the Hy runtime) make scenes; `raster`, `svg` and `soft_raster` draw them. Rectangles and
ellipses are paths by now, so no renderer ever learns about shapes (resvg's idea). Units are canvas units, y down.
"""

import math
from dataclasses import dataclass

Point = tuple[float, float]
Color = tuple[int, int, int, int]  # red, green, blue, alpha, each 0..255
Affine = tuple[float, float, float, float, float, float]  # x' = a x + c y + e, y' = b x + d y + f

IDENTITY: Affine = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
POINTS_OF_VERB = {"M": 1, "L": 1, "C": 3, "Z": 0}


@dataclass(frozen=True, slots=True)
class Path:
    """Contours as verbs and the points they use: M move, L line, C cubic Bezier (3 points), Z close."""

    verbs: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    """How an outline is drawn: colour, weight in canvas units, cap (round square project), join (miter bevel round)."""

    color: Color
    weight: float
    cap: str = "round"
    join: str = "miter"


@dataclass(frozen=True, slots=True)
class Shape:
    """One path to paint: filled first (non-zero winding), then stroked; `transform` takes its points to the canvas."""

    path: Path
    fill: Color | None
    stroke: Stroke | None
    transform: Affine = IDENTITY


@dataclass(frozen=True, slots=True)
class Scene:
    """A canvas of width x height units, painted with `background`, then each shape over what is there."""

    width: int
    height: int
    background: Color
    shapes: tuple[Shape, ...] = ()


def compose(outer: Affine, inner: Affine) -> Affine:
    """The transform that applies `inner`, then `outer`."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return (a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f)


def apply(transform: Affine, point: Point) -> Point:
    """The point moved by the transform."""
    a, b, c, d, e, f = transform
    x, y = point
    return (a * x + c * y + e, b * x + d * y + f)


def is_rigid(transform: Affine) -> bool:
    """Whether a transform only moves, turns and mirrors, so that a round pen stays as it is."""
    a, b, c, d, _, _ = transform
    if a == d == 1 and b == c == 0:  # the most common by far
        return True
    return abs(a * a + b * b - 1) < 1e-9 and abs(c * c + d * d - 1) < 1e-9 and abs(a * c + b * d) < 1e-9


def stretch(transform: Affine) -> float:
    """How much larger a transform makes things: the square root of what it does to an area."""
    a, b, c, d, _, _ = transform
    return math.sqrt(abs(a * d - b * c))

"""Outlines of common figures as points: sizes and a random source in, lists of (x, y) out.

A unit outline lies in [-1, 1] x [-1, 1] with y down; `placed` takes it to the canvas.
"""

import math
from collections.abc import Sequence
from random import Random

from treesketch.sampling.pad import Points

Outline = list[tuple[float, float]]
TAU = 2 * math.pi


def placed(unit: Points, x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Outline:
    """A unit outline scaled by (rx, ry), turned by an angle in radians, and centred on (x, y)."""
    if not angle:
        return [(x + rx * u, y + ry * v) for u, v in unit]
    cos, sin = math.cos(angle), math.sin(angle)
    return [(x + rx * u * cos - ry * v * sin, y + rx * u * sin + ry * v * cos) for u, v in unit]


def ring(n: int, inner: float = 1.0, start: float = -math.pi / 2) -> Outline:
    """n points around a circle, every second one at `inner` of the radius."""
    return [
        (k * math.cos(start + TAU * i / n), k * math.sin(start + TAU * i / n))
        for i, k in ((i, inner if i % 2 else 1.0) for i in range(n))
    ]


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float, n: int) -> Outline:
    """n points along an arc of an ellipse, angles in radians, clockwise on the screen."""
    step = (stop - start) / (n - 1)
    return [(x + rx * math.cos(start + i * step), y + ry * math.sin(start + i * step)) for i in range(n)]


def rounded(x: float, y: float, w: float, h: float, radius: float, corner: int = 2) -> Outline:
    """A rectangle from its corner (x, y) with rounded corners of `corner` points each."""
    r = min(radius, w / 2, h / 2)
    bends = _BENDS[corner]
    points = []
    for cx, cy, quarter in (
        (x + w - r, y + r, bends[0]),
        (x + w - r, y + h - r, bends[1]),
        (x + r, y + h - r, bends[2]),
        (x + r, y + r, bends[3]),
    ):
        points += [(cx + r * u, cy + r * v) for u, v in quarter]
    return points


_BENDS = {  # unit points of the four quarter turns, from top right clockwise
    n: [arc(0, 0, 1, 1, math.pi / 2 * (q - 1), math.pi / 2 * q, n) for q in range(4)] for n in (2, 3)
}


def blob(random: Random, n: int, wobble: float) -> Outline:
    """A smooth-ish closed unit outline of n points at uneven distances."""
    u = random.random
    start = TAU * u()
    return [
        (k * math.cos(start + TAU * i / n), k * math.sin(start + TAU * i / n))
        for i, k in ((i, 1 - wobble * u()) for i in range(n))
    ]


def jagged(random: Random, n: int) -> Outline:
    """A random simple polygon: n points at sorted angles and any distance from the middle."""
    u = random.random
    angles = [(i + 0.8 * u()) * TAU / n for i in range(n)]
    return [(k * math.cos(a), k * math.sin(a)) for a, k in ((a, 0.3 + 0.7 * u()) for a in angles)]


def crescent(thickness: float, n: int = 6) -> Outline:
    """A moon open to the right: an outer arc of n points and an inner one of n - 2 back."""
    outer = arc(0, 0, 1, 1, 0.7, TAU - 0.7, n)
    inner = arc(2 * thickness * 0.45, 0, 1 - thickness * 0.55, 1 - thickness * 0.55, TAU - 0.85, 0.85, n - 2)
    return outer + inner


def band(start: float, stop: float, inner: float, n: int = 5) -> Outline:
    """A piece of a thick ring between two angles."""
    return arc(0, 0, 1, 1, start, stop, n) + arc(0, 0, inner, inner, stop, start, n)


def spine(points: Points, width: float) -> Outline:
    """A thick open line through points as a closed outline, tapering to its ends."""
    n = len(points)
    there, back = [], []
    for i, (x, y) in enumerate(points):
        (ax, ay), (bx, by) = points[max(i - 1, 0)], points[min(i + 1, n - 1)]
        dx, dy = bx - ax, by - ay
        scale = width / 2 * (0.4 + 0.6 * math.sin(math.pi * (i + 0.5) / n)) / (math.hypot(dx, dy) or 1.0)
        there.append((x - dy * scale, y + dx * scale))
        back.append((x + dy * scale, y - dx * scale))
    return there + back[::-1]


def zigzag(x0: float, x1: float, high: float, low: float, teeth: int) -> Outline:
    """Points of a serrated edge from x0 to x1 between two heights, beginning and ending low."""
    step = (x1 - x0) / (2 * teeth)
    return [(x0 + i * step, high if i % 2 else low) for i in range(2 * teeth + 1)]


ARROW: Outline = [(-1, -0.35), (0.1, -0.35), (0.1, -1), (1, 0), (0.1, 1), (0.1, 0.35), (-1, 0.35)]
HEART: Outline = [
    *((0, -0.45), (0.22, -0.82), (0.55, -0.95), (0.88, -0.72), (1, -0.32), (0.8, 0.15)),
    *((0, 1), (-0.8, 0.15), (-1, -0.32), (-0.88, -0.72), (-0.55, -0.95), (-0.22, -0.82)),
]
DROP: Outline = [
    (0, -1),
    (0.35, -0.3),
    (0.62, 0.2),
    (0.6, 0.65),
    (0.3, 0.95),
    (-0.3, 0.95),
    (-0.6, 0.65),
    (-0.62, 0.2),
    (-0.35, -0.3),
]
CHEVRON: Outline = [(-1, -1), (0, -1), (1, 0), (0, 1), (-1, 1), (0, 0)]
BOLT: Outline = [(0.2, -1), (-0.7, 0.15), (-0.1, 0.15), (-0.3, 1), (0.7, -0.25), (0.1, -0.25)]
HOUSE: Outline = [(0, -1), (1, -0.1), (1, 1), (-1, 1), (-1, -0.1)]
SHIELD: Outline = [(-1, -1), (1, -1), (1, 0.1), (0.75, 0.55), (0, 1), (-0.75, 0.55), (-1, 0.1)]
ELL: Outline = [(-1, -1), (-0.3, -1), (-0.3, 0.4), (1, 0.4), (1, 1), (-1, 1)]
TEE: Outline = [(-1, -1), (1, -1), (1, -0.4), (0.3, -0.4), (0.3, 1), (-0.3, 1), (-0.3, -0.4), (-1, -0.4)]
FLAME: Outline = [
    (0.05, -1),
    (0.5, -0.35),
    (0.8, 0.3),
    (0.5, 0.85),
    (0, 1),
    (-0.5, 0.85),
    (-0.8, 0.3),
    (-0.45, -0.15),
    (-0.2, -0.4),
]
LEAF: Outline = [(-1, 0), (-0.5, -0.45), (0, -0.55), (0.5, -0.4), (1, 0), (0.5, 0.4), (0, 0.55), (-0.5, 0.45)]
CLOUD: Outline = [
    (-0.8, 0.6),
    (-1, 0.1),
    (-0.6, -0.2),
    (-0.35, -0.75),
    (0.2, -0.8),
    (0.5, -0.3),
    (0.9, -0.15),
    (1, 0.3),
    (0.8, 0.6),
]
CROWN: Outline = [(-1, 1), (-1, -0.6), (-0.45, 0), (0, -1), (0.45, 0), (1, -0.6), (1, 1)]
BULGE: Outline = [
    (-0.45, -1),
    (0.45, -1),
    (0.9, -0.55),
    (1, 0.1),
    (0.75, 0.75),
    (0.3, 1),
    (-0.3, 1),
    (-0.75, 0.75),
    (-1, 0.1),
    (-0.9, -0.55),
]
PIN: Outline = [(0, 1), (-0.55, 0.25), (-0.8, -0.25), (-0.6, -0.75), (0, -1), (0.6, -0.75), (0.8, -0.25), (0.55, 0.25)]
DIAMOND: Outline = [(0, -1), (1, 0), (0, 1), (-1, 0)]
STARS = {n: ring(2 * n, 0.3 if n == 3 else 0.382 if n == 5 else 0.5) for n in (3, 4, 5, 6, 7, 8)}
REGULARS = {n: ring(n) for n in range(3, 13)}
SKEWS: list[Outline] = [
    [(-0.6, -1), (0.6, -1), (1, 1), (-1, 1)],
    [(-1, -1), (1, -1), (0.6, 1), (-0.6, 1)],
    [(-0.5, -1), (1, -1), (0.5, 1), (-1, 1)],
    [(-1, -1), (0.5, -1), (1, 1), (-0.5, 1)],
]


def plus(arm: float) -> Outline:
    """An upright cross with arms of half-width `arm`."""
    return [
        *((-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)),
        *((arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm), (-arm, -arm)),
    ]


def flower(petals: int, depth: float) -> Outline:
    """A bumpy disc: petals of two points each."""
    points = []
    for i in range(petals):
        a = TAU * i / petals
        points += [
            (math.cos(a), math.sin(a)),
            (depth * math.cos(a + math.pi / petals), depth * math.sin(a + math.pi / petals)),
        ]
    return points


def figure(random: Random) -> Sequence[tuple[float, float]]:
    """A unit outline of five to twelve points, of any sort."""
    u = random.random
    kind = u()
    if kind < 0.14:
        return REGULARS[5 + int(8 * u())]
    if kind < 0.32:
        return STARS[(5, 5, 5, 4, 6, 3)[int(6 * u())]]
    if kind < 0.48:
        return blob(random, 6 + int(7 * u()), 0.1 + 0.35 * u())
    if kind < 0.58:
        return jagged(random, 5 + int(5 * u()))
    if kind < 0.63:
        return crescent(0.4 + 0.9 * u())
    if kind < 0.7:
        return plus(0.15 + 0.3 * u())
    if kind < 0.75:
        start = TAU * u()
        return band(start, start + 1 + 2.5 * u(), 0.4 + 0.4 * u())
    if kind < 0.81:
        return flower(5 + int(2 * u()), 0.6 + 0.25 * u())
    return _FIGURES[int(len(_FIGURES) * u())]


def hull(random: Random) -> Sequence[tuple[float, float]]:
    """Four to nine points that a smooth outline is drawn toward: a blob, or what a figure becomes when it is round."""
    u = random.random
    if u() < 0.6:
        return blob(random, 4 + int(5 * u()), 0.1 + 0.5 * u())
    return _HULLS[int(len(_HULLS) * u())]


_HULLS: tuple[Outline, ...] = (
    [(0, -1.6), (0.75, 0.3), (0.6, 1.1), (-0.6, 1.1), (-0.75, 0.3)],  # a drop
    [(-1.5, 0), (0, -0.8), (1.5, 0), (0, 0.8)],  # a leaf
    [(0, -0.3), (0.35, -1.2), (1.2, -1), (1.05, 0.1), (0, 1.5), (-1.05, 0.1), (-1.2, -1), (-0.35, -1.2)],  # a heart
    [(-1.2, 0.6), (-1.1, -0.2), (-0.5, -0.2), (-0.2, -1), (0.5, -0.9), (0.5, -0.1), (1.2, 0.1), (1, 0.7)],  # a cloud
    [(-0.9, -1.1), (0.9, -1.1), (1.15, 0.4), (0.5, 1.15), (-0.5, 1.15), (-1.15, 0.4)],  # a jaw
    [(-1.1, -0.4), (0, -0.9), (1.1, -0.4), (0.7, 0.9), (0, 0.3), (-0.7, 0.9)],  # a bean
)
_FIGURES = (
    ARROW,
    HEART,
    DROP,
    CHEVRON,
    BOLT,
    HOUSE,
    SHIELD,
    ELL,
    TEE,
    FLAME,
    LEAF,
    CLOUD,
    CROWN,
    BULGE,
    PIN,
    HEART,
    ARROW,
)

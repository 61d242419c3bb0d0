"""Outlines in canvas units -> the shortest forms that draw them. Paths in, nodes of the sketch language out.

A circle drawn as curves is an ellipse again, straight outlines are rect, triangle, quad or vertices, curves that are
lines or quadratics are said so. Numbers have two decimals.
"""

import math
from dataclasses import dataclass

import numpy as np

from treesketch import outline
from treesketch.importing.paths import Path, Points, area, flatten, is_closed, segments
from treesketch.layers import ellipse, line, literal, pair, polygon, rect, turned
from treesketch.tree import Node

DECIMALS = 2
STRAIGHT = 0.01  # units by which a curve, or a corner, may leave a straight line that stands for it
NEARLY = 0.02  # units between a cubic and the quadratic that stands for it
ALIKE = 0.05  # units between an outline and the ellipse that stands for it
ALIKE_CORNER = 0.12  # units between a round corner and ours, which is a quadratic
FINE = 0.002  # units between an outline and the polygon that plain shapes are looked for in
ARC_TO_QUADRATIC = 0.969  # of the radius that meets an arc's middle: the corner of our rect that covers as much

_CURVES = {"Q": "quadratic_vertex", "C": "bezier_vertex"}

Segment = tuple[str, Points]  # a verb L Q C with the start, the controls and the end: (2 to 4, 2)


def filled(group: list[Path]) -> Node | None:
    """The form for closed contours that are filled together, the outer one first; None where nothing is left."""
    if len(group) == 1:
        return closed(group[0])
    tidy = [_tidy(contour) for contour in group]
    tidy = [segments for segments in tidy if _draws(segments)]
    if not tidy:
        return None
    inner = tuple(Node("contour", _corners(segments, True)) for segments in tidy[1:])
    return Node("polygon", _corners(tidy[0], True) + inner)


def closed(contour: Path) -> Node | None:
    """The form for one closed contour; None where nothing is left of it."""
    tidy = _tidy(contour)
    if not _draws(tidy):
        return None
    if all(verb == "L" for verb, _ in tidy):
        corners = [_rounded(points[0]) for _, points in tidy]
        return _rectangle(corners) or polygon(corners)
    fine = flatten(contour, FINE)
    return _ellipse(fine) or _rounded_rectangle(fine) or Node("polygon", _corners(tidy, True))


def opened(contour: Path) -> Node:
    """The form for a line along a contour that is open."""
    tidy = _tidy(contour)
    if not tidy:
        return Node("dot", (pair("point", *_rounded(contour.points[0])),))
    if len(tidy) == 1 and tidy[0][0] != "Q":
        verb, points = tidy[0]
        if verb == "L":
            return line(*_rounded(points[0]), *_rounded(points[1]))
        return Node("bezier", tuple(pair("point", *_rounded(point)) for point in points))
    return Node("polyline", _corners(tidy, False))


def _draws(tidy: list[Segment]) -> bool:
    """Whether a closed contour still has an inside."""
    return len(tidy) > 2 or any(verb != "L" for verb, _ in tidy)


def _rounded(point: Points) -> tuple[float, float]:
    return rounded(float(point[0])), rounded(float(point[1]))


def rounded(value: float) -> float:
    """A number as programs have it."""
    return round(value, DECIMALS) + 0.0


def _corners(tidy: list[Segment], is_closed: bool) -> tuple[Node, ...]:
    """The corners of an outline; the last line of a closed one needs no words."""
    found = [Node("vertex", (pair("point", *_rounded(tidy[0][1][0])),))]
    for verb, points in tidy[:-1] if is_closed and tidy[-1][0] == "L" else tidy:
        own = tuple(pair("point", *_rounded(point)) for point in points[1:])
        found.append(Node(_CURVES.get(verb, "vertex"), own))
    return tuple(found)


def _tidy(contour: Path) -> list[Segment]:
    """A contour's segments, each as simple as it can be; of a closed one, with the line that closes it."""
    found: list[Segment] = []
    points = list(segments(contour))
    if is_closed(contour):
        points.append(("L", contour.points[[-1, 0]]))
    passed: list[Points] = []  # corners that the last line goes by
    for verb, own in points:
        if found:
            own = np.concatenate((found[-1][1][-1:], own[1:]))
        verb, own = _simplest(verb, own)
        if np.abs(own - own[0]).max() < 10**-DECIMALS / 2:
            continue
        if verb == "L" and found and found[-1][0] == "L":
            merged = np.array((found[-1][1][0], own[1]))
            if _are_on(np.array([*passed, own[0]]), merged):
                passed.append(own[0])
                found[-1] = ("L", merged)
                continue
        passed = []
        found.append((verb, own))
    if is_closed(contour) and len(found) > 2 and found[0][0] == found[-1][0] == "L":
        merged = np.array((found[-1][1][0], found[0][1][1]))
        if _are_on(found[0][1][:1], merged):
            found = [*found[1:-1], ("L", merged)]
    return found


def _simplest(verb: str, points: Points) -> Segment:
    """A segment as a line or a quadratic where it is one, or nearly so."""
    if verb == "L" or _are_on(points[1:-1], points[[0, -1]]):
        return "L", points[[0, -1]]
    if verb == "C":
        start, first, second, end = points
        # The quadratic with the same middle, and the most that it leaves the cubic by.
        if math.sqrt(3) / 36 * float(np.hypot(*(end - 3 * second + 3 * first - start))) < NEARLY:
            return "Q", np.array((start, (3 * (first + second) - start - end) / 4, end))
    return verb, points


def _are_on(points: Points, ends: Points) -> bool:
    """Whether points (n, 2) lie on the way between two, in order, or nearly so."""
    along = ends[1] - ends[0]
    length = math.hypot(*along)
    if length == 0:
        return bool(np.abs(points - ends[0]).max() < STRAIGHT)
    away = points - ends[0]
    aside = np.abs(away[:, 0] * along[1] - away[:, 1] * along[0]) / length
    ahead = np.concatenate(((0.0,), away @ along / length, (length,)))
    return bool(aside.max() < STRAIGHT and (np.diff(ahead) > -STRAIGHT).all())


# Plain shapes


def _rectangle(corners: list[tuple[float, float]]) -> Node | None:
    """A rect, where four corners are along the axes."""
    if len(corners) != 4:
        return None
    xs, ys = sorted({x for x, _ in corners}), sorted({y for _, y in corners})
    for found in (xs, ys):
        if not found[0] < found[-1] or any(min(v - found[0], found[-1] - v) > STRAIGHT for v in found):
            return None
    (left, right), (top, bottom) = (xs[0], xs[-1]), (ys[0], ys[-1])
    sides = [(x - left < right - x, y - top < bottom - y) for x, y in corners]
    if len(set(sides)) != 4 or any(a[0] != b[0] and a[1] != b[1] for a, b in zip(sides, sides[1:], strict=False)):
        return None
    return rect(left, top, rounded(right - left), rounded(bottom - top))


@dataclass(frozen=True, slots=True)
class _Moments:
    """The ellipse with an area's middle and inertia: its centre, half axes, and the first axis's angle in radians."""

    x: float
    y: float
    a: float
    b: float
    angle: float


def _moments(line: Points) -> _Moments | None:
    """The moments of a closed polygon (n, 2); None where it has no area."""
    origin = line[0]
    p, q = line - origin, np.roll(line, -1, axis=0) - origin
    cross = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
    whole = cross.sum() / 2
    if abs(whole) < 1e-9:
        return None
    center = (cross[:, None] * (p + q)).sum(axis=0) / (6 * whole)
    products = p[:, :, None] * p[:, None] + q[:, :, None] * q[:, None] + (p + q)[:, :, None] * (p + q)[:, None]
    second = (cross[:, None, None] * products).sum(axis=0) / (24 * whole) - np.outer(center, center)
    values, vectors = np.linalg.eigh(second)
    if values[0] <= 0:
        return None
    b, a = (2 * np.sqrt(values)).tolist()
    x, y = (center + origin).tolist()
    return _Moments(x, y, a, b, math.atan2(vectors[1, 1], vectors[0, 1]))


def _ellipse(line: Points) -> Node | None:
    """An ellipse, perhaps turned, where a fine polygon (n, 2) is one."""
    found = _moments(line)
    if found is None:
        return None
    x, y, a, b, angle = found.x, found.y, found.a, found.b, found.angle
    cos, sin = math.cos(angle), math.sin(angle)
    around = (line - (x, y)) @ np.array(((cos / a, -sin / b), (sin / a, cos / b)))
    radii = np.hypot(around[:, 0], around[:, 1])
    if np.abs(radii - 1).max() * a > min(ALIKE, 0.06 * b) or abs(abs(area(line)) / (math.pi * a * b) - 1) > 0.02:
        return None
    if a - b < 2 * 10**-DECIMALS:
        side = rounded(a + b)
        return ellipse(rounded(x), rounded(y), side, side)
    angle = (angle + math.pi / 4) % math.pi - math.pi / 4
    if angle > math.pi / 4:
        angle, a, b = angle - math.pi / 2, b, a
    if abs(angle) * abs(a - b) < STRAIGHT:
        return ellipse(rounded(x), rounded(y), rounded(2 * a), rounded(2 * b))
    # As many decimals as move the tips by no more than the rounding of other numbers does.
    angle = round(angle, DECIMALS + 1 + (abs(a - b) > 10))
    return turned(rounded(x), rounded(y), angle, ellipse(0, 0, rounded(2 * a), rounded(2 * b)))


def _rounded_rectangle(line: Points) -> Node | None:
    """A rect with rounded corners where a fine polygon (n, 2) is one."""
    (left, top), (right, bottom) = line.min(axis=0), line.max(axis=0)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    cuts = []  # the radii, were the corners ours
    for corner, way in zip(corners, ((1, 1), (-1, 1), (-1, -1), (1, -1)), strict=True):
        cut = _along_diagonal(line, np.array(corner), np.array(way))
        if cut is None:
            return None
        cuts.append(4 * cut)
    most = min(right - left, bottom - top) / 2
    if max(cuts) < STRAIGHT or max(cuts) > most * 1.2:
        return None
    most_apart, radii = math.inf, []
    for share in (ARC_TO_QUADRATIC, 1.0):
        tried = [round(min(cut * share, most), 1) if cut > STRAIGHT else 0.0 for cut in cuts]
        if max(tried) - min(tried) < ALIKE_CORNER:
            tried = [round(sum(tried) / 4, 1)] * 4
        path = outline.rectangle(left, top, right, bottom, tried)
        drawn = flatten(Path(path.verbs, np.array(path.points)), FINE)
        apart = abs(abs(area(drawn)) - abs(area(line)))
        if apart < min(most_apart, ALIKE_CORNER * (right - left + bottom - top)):
            if max(_farthest(line, drawn), _farthest(drawn, line)) < ALIKE_CORNER:
                most_apart, radii = apart, tried
    if not radii:
        return None
    x, y = rounded(left), rounded(top)
    place = pair("point", x, y), pair("extent", rounded(rounded(right) - x), rounded(rounded(bottom) - y))
    if len(set(radii)) == 1:
        return Node("rect_rounded", (*place, literal(radii[0])))
    return Node("rect_rounded_each", (*place, *map(literal, radii)))


def _along_diagonal(line: Points, corner: Points, way: Points) -> float | None:
    """How far in from a corner of the box, across as down, an outline crosses the diagonal that goes inwards."""
    away = (line - corner) * way
    ends = np.roll(away, -1, axis=0)
    before, after = away[:, 0] - away[:, 1], ends[:, 0] - ends[:, 1]
    hits = np.flatnonzero((before == 0) | (before * after < 0))
    if not len(hits):
        return None
    share = before[hits] / np.where(before[hits] == after[hits], 1.0, before[hits] - after[hits])
    return float((away[hits, 0] + share * (ends[hits, 0] - away[hits, 0])).min())


def _farthest(points: Points, line: Points) -> float:
    """The largest distance of points (n, 2), and of the middles between them, from a closed line (m, 2)."""
    points = np.concatenate((points, (points + np.roll(points, -1, axis=0)) / 2))
    starts, steps = line, np.roll(line, -1, axis=0) - line
    lengths = np.maximum((steps**2).sum(axis=1), 1e-12)
    away = points[:, None] - starts[None]
    share = np.clip((away * steps).sum(axis=2) / lengths, 0, 1)
    return float(np.hypot(*np.moveaxis(away - share[..., None] * steps, 2, 0)).min(axis=1).max())

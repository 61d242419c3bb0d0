"""A shape to polygons in pixels, with the rules of Processing's Java2D renderer. A `Shape` and sizes in, `Paint`s out.

Curves are flattened to within 0.01 px and strokes are widened here, so that Agg only ever fills polygons (non-zero
winding): matplotlib gives its stroker the line width for a miter limit, and its circles come out 0.02 px too small.

Processing's rules, checked against its own renderer (`processing.awt.PGraphicsJava2D`):
- fills lie where they are; the points of a stroke are first moved to pixel centres, floor(v) + 0.5, and the controls
  of a curve move with the end that they belong to (Java2D's STROKE_NORMALIZE);
- a rectangle with mitred corners stays a parallelogram: three corners are moved, the fourth follows;
- a miter longer than 10 weights becomes a bevel; a stroke is never thinner than 1/8 unit, so weight 0 is a hairline;
- an open line of no length is a dot with a round cap, a square with a projecting one, else nothing.
"""

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch import quick
from treesketch.scene import Color, Shape, is_rigid, stretch
from treesketch.strokes import FINEST_TURN, MITER_LIMIT, Mask, Points, following, widen

THINNEST_STROKE = 1 / 8  # canvas units; Java2D's least pen for anti-aliased lines
SLACK = 1e-6  # pixels; keeps 10 - 1e-15 in the pixel of 10
RECTANGLE_SLACK = 1e-3  # pixels; Java2D's own for rectangles
TOLERANCE = 0.01  # pixels between a curve and its chords
FINEST_CHORDS = 128  # chords that one cubic is cut into before it is split
MOST_PIECES = 64  # that one cubic is cut into where its stroke is so wide that all of it can be seen
FARTHEST = 1e15  # pixels; coordinates are cut off there, as beyond it doubles no longer hold a tenth of a pixel
WIDEST_PEN = 1e6  # pixels that a transform may make of a unit, and
FLATTEST_PEN = 1e-6  # how flat it may make a round pen, for strokes; beyond these they are not drawn
QUICK_FARTHEST = 1e6  # pixels; beyond that the general way is taken, which cuts off what is too far

_STRAIGHT = re.compile("ML+Z?")
_CURVED = re.compile("MC+Z")


class Paint(NamedTuple):
    """Polygons to fill together (non-zero winding), in pixels."""

    vertices: Points
    codes: npt.NDArray[np.uint8] | None  # of matplotlib's: 1 begins a polygon, 2 goes on; None is one polygon
    color: Color


class _Contour(NamedTuple):
    """One contour of a path: a run of lines is (first, last + 1) of its points, a run of k curves (k, 4) indices."""

    runs: tuple[tuple[int, int] | npt.NDArray[np.intp], ...]
    closed: bool


class _Plan(NamedTuple):
    contours: tuple[_Contour, ...]
    anchors: npt.NDArray[np.intp]  # for each point the point on the path that it moves with; empty without curves
    points: int  # how many the verbs take


def polygons_of(shape: Shape, canvas: tuple[int, int], size: tuple[int, int], snap: bool = True) -> list[Paint]:
    """The polygons of a shape's fill, then of its stroke (its vertices snapped to pixel centres or not), in pixels."""
    if not shape.path.points:
        return []
    scale_x, scale_y = size[1] / canvas[1], size[0] / canvas[0]
    if scale_x == scale_y and (paints := _quick_paints(shape, scale_x, snap)) is not None:
        return paints
    return list(_all_paints(shape, (scale_x, scale_y), size, snap))


def _all_paints(shape: Shape, scales: tuple[float, float], size: tuple[int, int], snap: bool) -> Iterator[Paint]:
    """The paints of any shape; scales are pixels to the canvas unit across and down."""
    scale_x, scale_y = scales
    a, b, c, d, e, f = shape.transform
    # (n, 2) @ (2, 2) + (2,): the transform and the scale at once
    local = np.array(shape.path.points, np.float64)
    with np.errstate(all="ignore"):
        points = local @ np.array(((a * scale_x, b * scale_y), (c * scale_x, d * scale_y)))
        points += (e * scale_x, f * scale_y)
    farthest = np.abs(points).max()
    if not farthest < math.inf:  # not a number, or not finite
        return
    if farthest > FARTHEST:
        points = points.clip(-FARTHEST, FARTHEST)
    plan = _plan(shape.path.verbs)
    assert plan.points == len(points), f"verbs {shape.path.verbs} need {plan.points} points, got {len(points)}"
    if shape.fill is not None:
        yield from _paint([_flatten(contour, points, size, 0.0)[0] for contour in plan.contours], shape.fill)
    stroke = shape.stroke
    if stroke is None or not 0 <= stroke.weight < math.inf:
        return
    frame, larger = np.diag((scale_x, scale_y)), 1.0  # (2, 2), from the pen's own units to pixels
    if not is_rigid(shape.transform):
        frame, larger = np.array(((a, b), (c, d))) @ frame, stretch(shape.transform)
        if not larger > 0 or not np.isfinite(frame).all() or np.abs(frame).max() > WIDEST_PEN:
            return
        if abs(np.linalg.det(frame)) < FLATTEST_PEN * np.abs(frame).max() ** 2:
            return
    to_pen = np.linalg.inv(frame)
    finest = float(np.linalg.norm(frame, 2))  # pixels to the pen's unit where it is stretched most
    half = min(max(stroke.weight, THINNEST_STROKE / larger), FARTHEST) / 2
    tolerance = TOLERANCE / finest
    polygons: list[Points] = []
    if stroke.join == "miter" and shape.path.verbs == "MLLLZ" and quick.is_rectangle(shape.path.points):
        corners = np.floor(points + RECTANGLE_SLACK) + 0.5 if snap else points
        polygons += map(np.array, quick.widen_rectangle((corners @ to_pen).tolist(), half))
    else:
        snapped = np.floor(points + SLACK) + 0.5 if snap else points
        if len(plan.anchors):  # controls move with their ends
            snapped = points + (snapped - points)[plan.anchors]
        for contour in plan.contours:
            line, counts = _flatten(contour, snapped, size, half * finest)
            bends = _bends(contour, snapped, counts)
            polygons += widen(line @ to_pen, bends, contour.closed, half, stroke.cap, stroke.join, tolerance)
    yield from _paint([polygon @ frame for polygon in polygons], stroke.color)


def _quick_paints(shape: Shape, scale: float, snap: bool) -> list[Paint] | None:
    """The same for the common shapes: a few straight sides, or a smooth closed curve; None for all others."""
    verbs, stroke = shape.path.verbs, shape.stroke
    look = _look(verbs)
    if look is None or not is_rigid(shape.transform):
        return None
    if stroke is not None and not 0 <= stroke.weight < QUICK_FARTHEST:
        return None
    a, b, c, d, e, f = shape.transform
    a, b, c, d, e, f = scale * a, scale * b, scale * c, scale * d, scale * e, scale * f
    points = [(a * x + c * y + e, b * x + d * y + f) for x, y in shape.path.points]
    if not sum([abs(x) + abs(y) for x, y in points]) < QUICK_FARTHEST:  # too far, or not a number
        return None
    half = max(stroke.weight, THINNEST_STROKE) * scale / 2 if stroke else 0.0
    if look == "curved":
        return _quick_curve(shape, points, half, snap)
    paints = [_quick_paint([points], shape.fill)] if shape.fill is not None else []
    if stroke is None:
        return paints
    if len(points) > 2 and stroke.join != "miter":
        return None
    if verbs == "MLLLZ" and quick.is_rectangle(shape.path.points):
        corners = _snapped(points, RECTANGLE_SLACK) if snap else points
        return [*paints, _quick_paint(quick.widen_rectangle(corners, half), stroke.color)]
    line = _snapped(points, SLACK) if snap else points
    finest = max(FINEST_TURN, 2 * math.acos(max(0.0, 1 - TOLERANCE / half)))
    polygons = quick.widen_straight(line, verbs[-1] == "Z", half, stroke.cap, MITER_LIMIT, finest)
    return None if polygons is None else [*paints, _quick_paint(polygons, stroke.color)]


def _quick_paint(polygons: list[quick.Corners], color: Color) -> Paint:
    """`_paint` for a few points."""
    corners = polygons[0] if len(polygons) == 1 else polygons[0] + polygons[1]
    codes = None if len(polygons) == 1 else _codes(len(polygons[0]), len(polygons[1]))
    numbers = np.fromiter(chain.from_iterable(corners), np.float64, 2 * len(corners))  # faster than np.array
    return Paint(numbers.reshape(-1, 2), codes, color)


@lru_cache(maxsize=64)
def _codes(*lengths: int) -> npt.NDArray[np.uint8]:
    """matplotlib's codes of polygons with so many points each, behind one another."""
    codes = np.full(sum(lengths), 2, np.uint8)
    codes[[sum(lengths[:i]) for i in range(len(lengths))]] = 1
    return codes


def _snapped(points: quick.Corners, slack: float) -> quick.Corners:
    """Points moved to the middle of their pixels."""
    floor = math.floor
    return [(floor(x + slack) + 0.5, floor(y + slack) + 0.5) for x, y in points]


@lru_cache(maxsize=1024)
def _look(verbs: str) -> str | None:
    """What the quick way takes a path for: 'straight' for a few sides, 'curved' for a closed run of cubics, or None."""
    if len(verbs) > quick.MOST_SIDES:
        return None
    return "straight" if _STRAIGHT.fullmatch(verbs) else "curved" if _CURVED.fullmatch(verbs) else None


def _quick_curve(shape: Shape, corners: quick.Corners, half: float, snap: bool) -> list[Paint] | None:
    """The paints of cubics (points in pixels) that come back to their start, if they are smooth and not enormous."""
    if corners[0] != corners[-1] or (shape.stroke is not None and not quick.is_smooth(corners)):
        return None
    bent = quick.most_bent(corners)
    count = max(1, math.ceil(math.sqrt(0.75 * bent / TOLERANCE)))
    if count > FINEST_CHORDS:
        return None
    points = np.array(corners)
    along, directions = quick.chords((len(corners) - 1) // 3, count)
    paints = []
    if shape.fill is not None:
        paints.append(Paint(along @ points, None, shape.fill))
    if shape.stroke is None:
        return paints
    if snap:
        points += ((np.floor(points + SLACK) + 0.5) - points)[_plan(shape.path.verbs).anchors]
        bent += 2 * math.sqrt(2)  # no point moves by more than half a pixel each way
    line = along @ points
    sides = quick.widen_smooth(line, directions @ points, 6 * bent / count, half, TOLERANCE)
    if sides is None:
        return None
    paints.append(Paint(np.concatenate(sides), _codes(len(line), len(line)), shape.stroke.color))
    return paints


def _paint(polygons: list[Points], color: Color) -> Iterator[Paint]:
    """One paint, or none where there is nothing to fill."""
    if not polygons:
        return
    vertices, codes = polygons[0], None
    if len(polygons) > 1:
        vertices = np.concatenate(polygons)
        codes = np.full(len(vertices), 2, np.uint8)
        codes[0] = 1
        codes[np.cumsum([len(polygon) for polygon in polygons[:-1]])] = 1
    yield Paint(vertices, codes, color)


@lru_cache(maxsize=1024)
def _plan(verbs: str) -> _Plan:
    """How to read a path's points, worked out once for each string of verbs."""
    assert re.fullmatch(r"(M[LC]*Z?)*", verbs), f"a contour is M, then L and C, then Z or not: {verbs}"
    contours: list[_Contour] = []
    anchors: list[int] = []
    for drawn, close in re.findall(r"M([LC]*)(Z?)", verbs):
        first = len(anchors)
        anchors.append(first)
        runs: list[tuple[int, int] | npt.NDArray[np.intp]] = []
        if not drawn.startswith("L"):
            runs.append((first, first + 1))
        for run in re.findall("L+|C+", drawn):
            here = len(anchors)
            if run[0] == "L":
                anchors += range(here, here + len(run))
                runs.append((here if runs else first, here + len(run)))
            else:
                starts = range(here - 1, here - 1 + 3 * len(run), 3)
                anchors += [anchor for start in starts for anchor in (start, start + 3, start + 3)]
                runs.append(np.array([range(start, start + 4) for start in starts], np.intp))
        if drawn:  # a move alone draws nothing
            contours.append(_Contour(tuple(runs), bool(close)))
    return _Plan(tuple(contours), np.array(anchors if "C" in verbs else [], np.intp), len(anchors))


def _flatten(contour: _Contour, points: Points, size: tuple[int, int], margin: float) -> tuple[Points, list[int]]:
    """A contour as a line through its points, curves cut into chords; and how many points each run or cubic gave.

    margin is how far from its middle a line may still be seen, in pixels.
    """
    if len(contour.runs) == 1 and isinstance(run := contour.runs[0], tuple):
        return points[run[0] : run[1]], [run[1] - run[0]]
    lines: list[Points] = []
    counts: list[int] = []
    for run in contour.runs:
        if isinstance(run, tuple):
            lines.append(points[run[0] : run[1]])
            counts.append(run[1] - run[0])
        else:
            line, chords = _chords(points[run], size, margin)
            lines.append(line)
            counts += chords
    return np.concatenate(lines), counts


def _bends(contour: _Contour, points: Points, counts: list[int]) -> Mask | None:
    """Which corners of a flattened contour are a curve's own, and so always round: (n,), or None for none."""
    if len(contour.runs) == 1:
        return None
    bends = np.ones(sum(counts), np.bool_)
    sizes, end = iter(counts), 0
    for run in contour.runs:
        if isinstance(run, tuple):
            start, end = end, end + next(sizes)
            bends[start:end] = False
        else:
            for is_smooth in _smooth(points[run]).tolist():
                end += next(sizes)
                bends[end - 1] = is_smooth
    bends[0] |= bends[-1] and contour.closed  # a closed curve ends where it began
    return bends


def _chords(curves: npt.NDArray[np.float64], size: tuple[int, int], margin: float) -> tuple[Points, list[int]]:
    """Points along k joined cubics (k, 4, 2), without the first's start, and how many belong to each.

    Wang's bound on the second differences gives the number of chords.
    """
    count = _chord_count(curves)
    if count <= FINEST_CHORDS:
        chords = quick.bernstein(count) @ curves
        return chords.reshape(-1, 2), [chords.shape[1]] * len(curves)
    lines = [_enormous(curve, size, margin) for curve in curves]
    return np.concatenate(lines), [len(line) for line in lines]


def _chord_count(curves: npt.NDArray[np.float64]) -> int:
    differences = curves[:, :2] - 2 * curves[:, 1:3] + curves[:, 2:]  # (k, 2, 2)
    return max(1, math.ceil(math.sqrt(0.75 * math.sqrt((differences * differences).sum(axis=2).max()) / TOLERANCE)))


def _enormous(curve: npt.NDArray[np.float64], size: tuple[int, int], margin: float) -> Points:
    """Points along a cubic (4, 2) that is much larger than the picture: what can be seen of it is cut in two until it
    is fine enough, or in MOST_PIECES; what cannot may as well be straight.
    """
    pieces, done = [curve], False
    while not done:
        done = True
        cut: list[npt.NDArray[np.float64]] = []
        for piece in pieces:
            if (
                len(pieces) < MOST_PIECES
                and _can_be_seen(piece, size, margin)
                and _chord_count(piece[None]) > FINEST_CHORDS
            ):
                cut += _halve(piece)
                done = False
            else:
                cut.append(piece)
        pieces = cut
    lines = []
    for piece in pieces:
        count = min(_chord_count(piece[None]), FINEST_CHORDS)
        lines.append(quick.bernstein(count) @ piece if _can_be_seen(piece, size, margin) else piece[3:])
    return np.concatenate(lines)


def _can_be_seen(curve: npt.NDArray[np.float64], size: tuple[int, int], margin: float) -> bool:
    low, high = curve.min(axis=0), curve.max(axis=0)
    return bool((high >= -margin).all() and low[0] <= size[1] + margin and low[1] <= size[0] + margin)


def _smooth(curves: npt.NDArray[np.float64]) -> Mask:
    """Whether each of k cubics (k, 4, 2) goes on into the next, and the last into the first, without a corner: (k,)."""
    leaving = curves[:, 3] - curves[:, 2]
    entering = following(curves[:, 1] - curves[:, 0])
    ahead = (leaving * entering).sum(axis=1)
    aside = leaving[:, 0] * entering[:, 1] - leaving[:, 1] * entering[:, 0]
    smooth: Mask = np.abs(aside) < 1e-3 * ahead
    smooth[-1] &= (curves[-1, 3] == curves[0, 0]).all()
    return smooth


def _halve(curve: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A cubic (4, 2) cut in the middle by de Casteljau."""
    ab, bc, cd = (curve[:-1] + curve[1:]) / 2
    abc, bcd = (ab + bc) / 2, (bc + cd) / 2
    middle = (abc + bcd) / 2
    return np.array((curve[0], ab, abc, middle)), np.array((middle, bcd, cd, curve[3]))

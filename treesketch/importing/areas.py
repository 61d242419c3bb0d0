"""What outlines cover, cut with one another: intersection, difference, union, and the outline of a stroke.

Paths on the canvas in, paths out, all filled by non-zero winding. Skia's path operations do it and keep curves. What
they give is held against the bounds that coverage has to keep; where it fails, the outlines are cut as polygons.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pathops
from pathops import FillType, LineCap, LineJoin, PathOp, PathVerb
from scipy.ndimage import maximum_filter, minimum_filter

from treesketch.importing.notes import Ledger
from treesketch.importing.paths import (
    Path,
    Points,
    area,
    contours,
    flatten,
    for_scene,
    joined,
    moved,
    segments,
)
from treesketch.importing.values import inverse
from treesketch.picture import LONGEST_SIDE
from treesketch.raster import Coverage, coverage
from treesketch.scene import Affine, Shape, compose, stretch

MOST_PIECES = 2_000  # segments that are cut with one another
MOST_PAIRS = 2_000  # of them that may meet
LEAST_PAIRS = 10  # that a cut counts for
FINE = 16.0  # Skia's strokes are as fine as its units: they are made where a canvas unit is so long
FINE_ARC = 0.25  # of these, between an arc and the quadratics for it
SLACK = 0.04  # of a pixel, what coverage may differ by from its bounds
MOST_WRONG = 0.5  # square units by which a result may leave its bounds, and
EDGE = 0.05  # of one, for each that an edge goes through
THINNEST = 0.02  # units: a strip as narrow as that is nothing

_VERBS = {"M": PathVerb.MOVE, "L": PathVerb.LINE, "Q": PathVerb.QUAD, "C": PathVerb.CUBIC, "Z": PathVerb.CLOSE}
_LETTERS = {verb: letter for letter, verb in _VERBS.items()}
_CAPS = {"butt": LineCap.BUTT_CAP, "round": LineCap.ROUND_CAP, "square": LineCap.SQUARE_CAP}
_JOINS = {"miter": LineJoin.MITER_JOIN, "round": LineJoin.ROUND_JOIN, "bevel": LineJoin.BEVEL_JOIN}


@dataclass(frozen=True, slots=True)
class Pen:
    """How a line is drawn: SVG's words, lengths in its own units, and the transform from those to the canvas."""

    width: float
    cap: str
    join: str
    miter_limit: float
    frame: Affine


class Unsure(Exception):
    """Outlines that cannot be cut: too many of their pieces may meet, or nothing gave what it has to."""


def intersection(one: Path, other: Path, ledger: Ledger) -> Path:
    """What both cover. Raises Unsure."""
    return _operate(PathOp.INTERSECTION, one, other, ledger)


def difference(one: Path, other: Path, ledger: Ledger) -> Path:
    """What the first covers and the second does not. Raises Unsure."""
    return _operate(PathOp.DIFFERENCE, one, other, ledger)


def union(one: Path, other: Path, ledger: Ledger) -> Path:
    """What either covers. Raises Unsure."""
    return _operate(PathOp.UNION, one, other, ledger)


def without_crossings(path: Path, even_odd: bool, ledger: Ledger) -> Path:
    """The same area with outlines that do not cross, holes the other way around. Raises Unsure."""
    most = cover(path)  # by winding; by even and odd, and near edges that cross, it is that or less
    whole = np.isin(most, (0, 1)) & (maximum_filter(most, 3) == minimum_filter(most, 3))
    least = np.where(whole & (not even_odd), most, 0)
    for outline in (path, _polygons(path)):
        _spend(outline, None, ledger)
        drawn = _to_skia(outline, FillType.EVEN_ODD if even_odd else FillType.WINDING)
        try:
            drawn.simplify(fix_winding=True)
        except pathops.PathOpsError:
            continue
        result = _from_skia(drawn)
        if _is_between(result, least, most, whole):
            return result
    raise Unsure


def stroke(path: Path, pen: Pen, ledger: Ledger) -> Path:
    """The outline of a line along a path. Raises Unsure."""
    larger = FINE * stretch(pen.frame)
    back = inverse(pen.frame)
    if back is None or not math.isfinite(larger):
        raise Unsure
    line = moved(path, compose((larger, 0.0, 0.0, larger, 0.0, 0.0), back))
    drawn = _to_skia(line, FillType.WINDING)
    try:
        join = _JOINS.get(pen.join, LineJoin.MITER_JOIN)
        drawn.stroke(pen.width * larger, _CAPS[pen.cap], join, pen.miter_limit)
    except pathops.PathOpsError:
        raise Unsure from None
    drawn.convertConicsToQuads(FINE_ARC)
    outline = moved(_from_skia(drawn), compose(pen.frame, (1 / larger, 0.0, 0.0, 1 / larger, 0.0, 0.0)))
    return without_crossings(outline, False, ledger)


def cover(path: Path) -> Coverage:
    """How much of each square unit of the canvas a path covers: (128, 128), 0..1."""
    side = (LONGEST_SIDE, LONGEST_SIDE)
    return coverage(Shape(for_scene(path), (0, 0, 0, 255), None), side, side)


def is_nothing(path: Path) -> bool:
    """Whether what a path covers is too thin to be seen."""
    return all(_is_thin(contour) for contour in contours(path))


def _operate(operation: PathOp, one: Path, other: Path, ledger: Ledger) -> Path:
    first, second = cover(one), cover(other)
    match operation:
        case PathOp.INTERSECTION:
            least, most = np.maximum(0, first + second - 1), np.minimum(first, second)
        case PathOp.DIFFERENCE:
            least, most = np.maximum(0, first - second), np.minimum(first, 1 - second)
        case _:
            least, most = np.maximum(first, second), np.minimum(1, first + second)
    whole = np.isin(first, (0, 1)) & np.isin(second, (0, 1))  # elsewhere edges that cross are counted twice
    for a, b in ((one, other), (_polygons(one), _polygons(other))):
        _spend(a, b, ledger)
        try:
            found = pathops.op(_to_skia(a, FillType.WINDING), _to_skia(b, FillType.WINDING), operation)
        except pathops.PathOpsError:
            continue
        result = _from_skia(found)
        if _is_between(result, least, most, whole):
            return joined([contour for contour in contours(result) if not _is_thin(contour)])
    raise Unsure


def _is_between(path: Path, least: Coverage, most: Coverage, whole: npt.NDArray[np.bool_]) -> bool:
    """Whether a path covers each square unit by no less and no more, but for a little where edges cross (not whole)."""
    covered = cover(path)
    wrong = np.maximum(0, np.maximum(least - covered, covered - most) - SLACK)
    return bool(wrong[whole].sum() <= MOST_WRONG and wrong.sum() <= MOST_WRONG + EDGE * np.sum(~whole))


def _spend(one: Path, other: Path | None, ledger: Ledger) -> None:
    """Refuse what could take long: the time of a cut grows with the pairs of segments that may meet."""
    boxes = np.array(
        [
            (*points.min(axis=0), *points.max(axis=0))
            for path in (one, other)
            if path
            for contour in contours(path)
            for _, points in segments(contour)
        ]
    ).reshape(-1, 4)
    if len(boxes) > MOST_PIECES:
        raise Unsure
    low, high = boxes[:, :2], boxes[:, 2:]
    meet = ((low[:, None] <= high[None]) & (high[:, None] >= low[None])).all(axis=2)
    pairs = int(np.triu(meet, 2).sum())  # a segment always meets itself and the next
    if pairs > MOST_PAIRS or not ledger.may_cross(max(pairs, LEAST_PAIRS)):
        raise Unsure


def _polygons(path: Path) -> Path:
    """The path with chords for its curves."""
    found = []
    for contour in contours(path):
        line = flatten(contour)
        found.append(Path("M" + "L" * (len(line) - 1) + "Z", line))
    return joined(found)


def _to_skia(path: Path, fill: FillType) -> pathops.Path:
    drawn = pathops.Path(fillType=fill)
    for contour in contours(path):
        drawn.add(PathVerb.MOVE, tuple(contour.points[0].tolist()))
        for verb, points in segments(contour):
            drawn.add(_VERBS[verb], *map(tuple, points[1:].tolist()))
        if contour.verbs.endswith("Z"):
            drawn.close()
    return drawn


def _from_skia(drawn: pathops.Path) -> Path:
    verbs, points = list[str](), list[tuple[float, float]]()
    for verb, own in drawn:
        verbs.append(_LETTERS[verb])
        points += own
    return Path("".join(verbs), np.array(points, np.float64).reshape(-1, 2))


def _is_thin(contour: Path) -> bool:
    line = flatten(contour)
    return abs(area(line)) <= THINNEST / 2 * max(_length(line), 1.0)


def _length(line: Points) -> float:
    steps = np.diff(line, axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())

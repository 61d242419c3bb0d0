"""Scenes become pixels: exact coverage through matplotlib's Agg, with the rules of Processing's Java2D renderer.

In comes a `Scene` or one `Shape` of it; out comes a picture (H, W, 3) uint8, or how much of each pixel a shape covers.

Sizes are (height, width), of a canvas in canvas units and of a picture in pixels; y points down, and pixel (row 0,
column 0) is the square from (0, 0) to (1, 1). Curves are flattened to within 0.01 px and strokes are widened here, so
that Agg only ever fills polygons (non-zero winding): matplotlib gives its stroker the line width for a miter limit,
and its circles come out 0.02 px too small. Where parts of one shape overlap in a pixel that each covers in part, their
shares are added, as everywhere in Agg.

Processing's rules, checked against its own renderer (`processing.awt.PGraphicsJava2D`):
- fills lie where they are; the points of a stroke are first moved to pixel centres, floor(v) + 0.5, and the controls
  of a curve move with the end that they belong to (Java2D's STROKE_NORMALIZE);
- a rectangle with mitred corners stays a parallelogram: three corners are moved, the fourth follows;
- a miter longer than 10 weights becomes a bevel; a stroke is never thinner than 1/8 unit, so weight 0 is a hairline;
- an open line of no length is a dot with a round cap, a square with a projecting one, else nothing.
"""

import math
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.backends import _backend_agg
from PIL import Image

from treesketch import quick
from treesketch.errors import RunError
from treesketch.files import write_whole
from treesketch.scene import Color, Scene, Shape, is_rigid, stretch

LARGEST_SIDE = 8192  # pixels
MITER_LIMIT = 10.0  # miter length over stroke weight, as Java2D's BasicStroke has it
THINNEST_STROKE = 1 / 8  # canvas units; Java2D's least pen for anti-aliased lines
SLACK = 1e-6  # pixels; keeps 10 - 1e-15 in the pixel of 10
RECTANGLE_SLACK = 1e-3  # pixels; Java2D's own for rectangles
TOLERANCE = 0.01  # pixels between a curve and its chords
FINEST_CHORDS = 128  # chords that one cubic is cut into before it is split
MOST_PIECES = 64  # that one cubic is cut into where its stroke is so wide that all of it can be seen
FINEST_TURN = 0.002  # radians between points of a cap or a round join, so that enormous ones stay affordable
FARTHEST = 1e15  # pixels; coordinates are cut off there, as beyond it doubles no longer hold a tenth of a pixel
WIDEST_PEN = (
    1e6  # pixels that a transform may make of a unit, and how flat it may make a round pen, for strokes; beyond
)
FLATTEST_PEN = 1e-6  # these they are not drawn
SHORTEST_EDGE = 1e-9  # canvas units; a shorter edge has no direction worth a join
BAND = 1 << 20  # pixels drawn at a time, which bounds the memory of large pictures
QUICK_FARTHEST = 1e6  # pixels; beyond that the general way is taken, which cuts off what is too far
KEPT_RENDERERS = 6  # sizes a thread keeps a drawing buffer for

_STRAIGHT = re.compile("ML+Z?")
_CURVED = re.compile("MC+Z")

Points = npt.NDArray[np.float64]  # (n, 2)
Mask = npt.NDArray[np.bool_]  # (n,)
Coverage = npt.NDArray[np.float32]  # (H, W), 0..1
Pixels = npt.NDArray[np.uint8]  # (H, W, 3)


def rasterise(scene: Scene, size: tuple[int, int] | None = None) -> Pixels:
    """Draw a scene over its background (taken as opaque) with exact coverage.

    size is (height, width) in pixels, by default the canvas's; x and y are scaled separately, and so are pens.
    Returns (H, W, 3) uint8 sRGB. Colours are mixed in 8 bits, shape by shape, as in Processing. A shape with a
    non-finite coordinate draws nothing.
    Raises RunError if a side is not 1..8192 pixels.
    """
    canvas = (scene.height, scene.width)
    height, width = _check_size(size or canvas)
    paints = [paint for shape in scene.shapes for paint in _paints(shape, canvas, (height, width)) if paint.color[3]]
    pixels = np.empty((height, width, 3), np.uint8)
    rows = min(height, max(1, BAND // width))
    for top in range(0, height, rows):
        band = min(rows, height - top)
        renderer = _RENDERERS.get(band, width)
        drawn = np.asarray(renderer)  # (band, width, 4) uint8, what the renderer draws on
        drawn[:] = (*scene.background[:3], 255)
        for paint in paints:
            if paint.color[3] == 255:
                _draw(renderer, paint, top + band)
            else:
                _blend(drawn, paint, top)
        pixels[top : top + band] = drawn[:, :, :3]
    return pixels


def _blend(drawn: Pixels, paint: "_Paint", top: int) -> None:
    """Paint a translucent colour over the rows from `top` on; Agg itself would round every pixel down."""
    patch = _cover(paint, top, *drawn.shape[:2])
    if patch is None:
        return
    there = drawn[patch.rows, patch.columns, :3]
    share = patch.coverage[:, :, None] * np.float32(paint.color[3] / 255)
    there[:] = there + (np.array(paint.color[:3], np.float32) - there) * share + np.float32(0.5)  # the cast truncates


def layers(
    shape: Shape, canvas: tuple[int, int], size: tuple[int, int], snap: bool = True
) -> list[tuple[Coverage, Color]]:
    """What a shape paints, in order: its fill, then its stroke, each as (coverage (H, W) float32 0..1, colour).

    canvas is (height, width) in canvas units, size (height, width) in pixels. Painting `colour` with opacity
    coverage * alpha / 255 over a picture, layer by layer and shape by shape, is what `rasterise` does. Without snap,
    strokes stay where they are instead of moving to pixel centres: that is how they look at any larger size.
    A shape with a non-finite coordinate has no layers. Raises RunError if a side is not 1..8192 pixels.
    """
    height, width = _check_size(size)
    return [(_cover_all(paint, height, width), paint.color) for paint in _paints(shape, canvas, size, snap)]


def coverage(shape: Shape, canvas: tuple[int, int], size: tuple[int, int]) -> Coverage:
    """How much of each pixel a shape's fill covers, or its stroke where it has no fill, whatever their alpha.

    canvas is (height, width) in canvas units, size (height, width) in pixels. Returns (H, W) float32 0..1,
    all 0 for a shape without paint or with a non-finite coordinate. Raises RunError if a side is not 1..8192 pixels.
    """
    height, width = _check_size(size)
    for paint in _paints(shape, canvas, size):
        return _cover_all(paint, height, width)
    return np.zeros((height, width), np.float32)


def write_png(pixels: Pixels, path: str | os.PathLike[str]) -> None:
    """Write (H, W, 3) uint8 pixels as a PNG file, whole or not at all. Raises SketchError if it cannot be written."""
    write_whole(FilePath(path), png_bytes(pixels))


def png_bytes(pixels: Pixels) -> bytes:
    """(H, W, 3) uint8 pixels as a PNG file."""
    png = BytesIO()
    Image.fromarray(pixels).save(png, format="PNG")
    return png.getvalue()


def _check_size(size: tuple[int, int]) -> tuple[int, int]:
    height, width = size
    if not (1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE):
        raise RunError(f"a picture's sides are 1 to {LARGEST_SIDE} pixels, got {width} x {height} (width x height)")
    return height, width


# --- A shape to polygons in pixels ---------------------------------------------------------------------------------


class _Paint(NamedTuple):
    """Polygons to fill together (non-zero winding), in pixels."""

    vertices: Points
    codes: npt.NDArray[np.uint8] | None  # of matplotlib's: 1 begins a polygon, 2 goes on; None is one polygon
    box: tuple[int, int, int, int]  # left, top, right, bottom: whole pixels, the last two exclusive
    color: Color


class _Contour(NamedTuple):
    """One contour of a path: a run of lines is (first, last + 1) of its points, a run of k curves (k, 4) indices."""

    runs: tuple[tuple[int, int] | npt.NDArray[np.intp], ...]
    closed: bool


class _Plan(NamedTuple):
    contours: tuple[_Contour, ...]
    anchors: npt.NDArray[np.intp]  # for each point the point on the path that it moves with; empty without curves
    points: int  # how many the verbs take


def _paints(shape: Shape, canvas: tuple[int, int], size: tuple[int, int], snap: bool = True) -> Iterator[_Paint]:
    """The polygons of a shape's fill, then of its stroke (its vertices snapped to pixel centres or not), in pixels."""
    if not shape.path.points:
        return
    scale_x, scale_y = size[1] / canvas[1], size[0] / canvas[0]
    if scale_x == scale_y and (paints := _quick_paints(shape, scale_x, snap)) is not None:
        yield from paints
        return
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
            polygons += _widen(line @ to_pen, bends, contour.closed, half, stroke.cap, stroke.join, tolerance)
    yield from _paint([polygon @ frame for polygon in polygons], stroke.color)


def _quick_paints(shape: Shape, scale: float, snap: bool) -> list[_Paint] | None:
    """The same for the common shapes: a few straight sides, or a smooth closed curve; None for all others."""
    verbs, stroke = shape.path.verbs, shape.stroke
    is_straight = len(verbs) <= quick.MOST_SIDES and _STRAIGHT.fullmatch(verbs)
    if not (is_straight or _CURVED.fullmatch(verbs)) or not is_rigid(shape.transform):
        return None
    if stroke is not None and not 0 <= stroke.weight < QUICK_FARTHEST:
        return None
    a, b, c, d, e, f = (scale * value for value in shape.transform)
    points = [(a * x + c * y + e, b * x + d * y + f) for x, y in shape.path.points]
    if not all(-QUICK_FARTHEST < x < QUICK_FARTHEST and -QUICK_FARTHEST < y < QUICK_FARTHEST for x, y in points):
        return None
    half = max(stroke.weight, THINNEST_STROKE) * scale / 2 if stroke else 0.0
    if not is_straight:
        return _quick_curve(shape, points, half, snap)
    paints = [_quick_paint([points], shape.fill)] if shape.fill is not None else []
    if stroke is None:
        return paints
    if len(points) > 2 and stroke.join != "miter":
        return None
    if verbs == "MLLLZ" and quick.is_rectangle(shape.path.points):
        corners = [(_snapped(x, RECTANGLE_SLACK), _snapped(y, RECTANGLE_SLACK)) for x, y in points] if snap else points
        return [*paints, _quick_paint(quick.widen_rectangle(corners, half), stroke.color)]
    line = [(_snapped(x, SLACK), _snapped(y, SLACK)) for x, y in points] if snap else points
    finest = max(FINEST_TURN, 2 * math.acos(max(0.0, 1 - TOLERANCE / half)))
    polygons = quick.widen_straight(line, verbs[-1] == "Z", half, stroke.cap, MITER_LIMIT, finest)
    return None if polygons is None else [*paints, _quick_paint(polygons, stroke.color)]


def _quick_paint(polygons: list[quick.Corners], color: Color) -> _Paint:
    """`_paint` for a few points."""
    corners = polygons[0] if len(polygons) == 1 else polygons[0] + polygons[1]
    xs, ys = zip(*corners, strict=True)
    box = (math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))
    codes = None if len(polygons) == 1 else _codes(len(polygons[0]), len(polygons[1]))
    return _Paint(np.array(corners), codes, box, color)


@lru_cache(maxsize=64)
def _codes(*lengths: int) -> npt.NDArray[np.uint8]:
    """matplotlib's codes of polygons with so many points each, behind one another."""
    codes = np.full(sum(lengths), 2, np.uint8)
    codes[[sum(lengths[:i]) for i in range(len(lengths))]] = 1
    return codes


def _snapped(value: float, slack: float) -> float:
    """A coordinate moved to the middle of its pixel."""
    return math.floor(value + slack) + 0.5


def _quick_curve(shape: Shape, corners: quick.Corners, half: float, snap: bool) -> list[_Paint] | None:
    """The paints of a closed run of cubics (points in pixels), if it is smooth all around and not enormous."""
    if shape.stroke is not None and not quick.is_smooth(corners):
        return None
    count = max(1, math.ceil(math.sqrt(0.75 * quick.most_bent(corners) / TOLERANCE)))
    if count > FINEST_CHORDS:
        return None
    plan, points = _plan(shape.path.verbs), np.array(corners)
    curve = plan.contours[0].runs[1]
    xs, ys = zip(*corners, strict=True)
    reach = half + snap  # a hull around the control points holds all
    left, top = math.floor(min(xs) - reach), math.floor(min(ys) - reach)
    box = (left, top, math.ceil(max(xs) + reach), math.ceil(max(ys) + reach))
    paints = []
    if shape.fill is not None:
        paints.append(_Paint((_basis(count) @ points[curve]).reshape(-1, 2), None, box, shape.fill))
    if shape.stroke is None:
        return paints
    if snap:
        points = points + ((np.floor(points + SLACK) + 0.5) - points)[plan.anchors]
    pieces = points[curve]
    line = (_basis(count) @ pieces).reshape(-1, 2)
    sides = quick.widen_smooth(line, (quick.tangent_basis(count) @ pieces).reshape(-1, 2), half, TOLERANCE)
    if sides is None:
        return None
    paints.append(_Paint(np.concatenate(sides), _codes(len(line), len(line)), box, shape.stroke.color))
    return paints


def _paint(polygons: list[Points], color: Color) -> Iterator[_Paint]:
    """One paint, or none where there is nothing to fill."""
    if not polygons:
        return
    vertices, codes = polygons[0], None
    if len(polygons) > 1:
        vertices = np.concatenate(polygons)
        codes = np.full(len(vertices), 2, np.uint8)
        codes[0] = 1
        codes[np.cumsum([len(polygon) for polygon in polygons[:-1]])] = 1
    (left, top), (right, bottom) = vertices.min(axis=0).tolist(), vertices.max(axis=0).tolist()
    box = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    yield _Paint(vertices, codes, box, color)


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
        chords = _basis(count) @ curves
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
        lines.append(_basis(count) @ piece if _can_be_seen(piece, size, margin) else piece[3:])
    return np.concatenate(lines)


def _can_be_seen(curve: npt.NDArray[np.float64], size: tuple[int, int], margin: float) -> bool:
    low, high = curve.min(axis=0), curve.max(axis=0)
    return bool((high >= -margin).all() and low[0] <= size[1] + margin and low[1] <= size[0] + margin)


def _smooth(curves: npt.NDArray[np.float64]) -> Mask:
    """Whether each of k cubics (k, 4, 2) goes on into the next, and the last into the first, without a corner: (k,)."""
    leaving = curves[:, 3] - curves[:, 2]
    entering = _following(curves[:, 1] - curves[:, 0])
    ahead = (leaving * entering).sum(axis=1)
    aside = leaving[:, 0] * entering[:, 1] - leaving[:, 1] * entering[:, 0]
    smooth: Mask = np.abs(aside) < 1e-3 * ahead
    smooth[-1] &= (curves[-1, 3] == curves[0, 0]).all()
    return smooth


@lru_cache(maxsize=FINEST_CHORDS)
def _basis(count: int) -> npt.NDArray[np.float64]:
    """Bernstein's weights of a cubic's four points at the ends of `count` chords: (count, 4)."""
    t = np.arange(1, count + 1) / count
    return np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3], axis=1)


def _halve(curve: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A cubic (4, 2) cut in the middle by de Casteljau."""
    ab, bc, cd = (curve[:-1] + curve[1:]) / 2
    abc, bcd = (ab + bc) / 2, (bc + cd) / 2
    middle = (abc + bcd) / 2
    return np.array((curve[0], ab, abc, middle)), np.array((middle, bcd, cd, curve[3]))


# --- Strokes to polygons, in canvas units so that a pen scales with the canvas --------------------------------------


def _widen(
    points: Points, bends: Mask | None, closed: bool, half: float, cap: str, join: str, tolerance: float
) -> list[Points]:
    """The outline of a stroke of weight 2 * half along a line (n, 2), in the line's units.

    bends (n,) says which corners belong to a curve and are always round, None that none do.
    All polygons wind the same way, a hole the other, so non-zero winding gives the union. On the inner side of a
    corner the two sides meet where they cross; only where a neighbour is too short for that they go by the corner.
    On the inner side of a curve they follow its offset even where that has turned inside out, so a stroke wider than
    its ellipse leaves a hole: Processing and resvg both draw it.
    """
    edges = (_following(points) if closed else points[1:]) - (points if closed else points[:-1])
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    if lengths.min() < SHORTEST_EDGE:
        kept = np.flatnonzero(lengths >= SHORTEST_EDGE)
        if not len(kept):
            return [] if closed else _dot(points[0], half, cap, tolerance)
        if not closed:
            kept = np.append(kept, kept[-1] + 1)
        points, bends = points[kept], None if bends is None else bends[kept]
        kept = kept if closed else kept[:-1]
        edges, lengths = edges[kept], lengths[kept]
    directions = edges / lengths[:, None]
    left, right = _sides(points, bends, directions, lengths, closed, half, join, tolerance)
    if closed:
        return [left, right[::-1]]
    ends = points[[0, -1]]
    normals = directions[[0, -1], ::-1] * (-half, half)
    (first_left, last_left), (first_right, last_right) = ends + normals, ends - normals
    last_cap = _cap(ends[1], directions[-1], half, cap, tolerance)
    first_cap = _cap(ends[0], -directions[0], half, cap, tolerance)
    return [np.vstack((first_left, left, last_left, last_cap, last_right, right[::-1], first_right, first_cap))]


def _sides(
    points: Points,
    bends: Mask | None,
    directions: Points,
    lengths: Points,
    closed: bool,
    half: float,
    join: str,
    tolerance: float,
) -> tuple[Points, Points]:
    """The left and the right side of a stroke at the corners of its line, ends not included."""
    before, after = (_preceding(directions), directions) if closed else (directions[:-1], directions[1:])
    corners = points if closed else points[1:-1]
    if not len(corners):
        return corners, corners
    sine = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    cosine = before[:, 0] * after[:, 0] + before[:, 1] * after[:, 1]
    opening = np.maximum(1 + cosine, 1e-12)  # 2 cos^2 of half the turn
    spread = (before + after)[:, ::-1] * (-half, half) / opening[:, None]  # from a corner to its left miter
    pointed = half * (np.sqrt(2 / opening) - 1) <= tolerance  # so flat that any join looks the same
    bent = np.zeros(len(corners), np.bool_) if bends is None else bends if closed else bends[1:-1]
    flat = pointed & bent
    if join == "miter":
        pointed |= (opening * MITER_LIMIT**2 >= 2) & ~bent
    short = half * np.abs(sine) / opening  # how much of each neighbour the inner side takes
    if closed:
        spare = lengths - short - _following(short)
        tidy = np.minimum(spare, _preceding(spare)) >= 0
    else:
        spare = lengths.copy()
        spare[1:] -= short
        spare[:-1] -= short
        tidy = np.minimum(spare[:-1], spare[1:]) >= 0
    tidy |= flat
    if (tidy & pointed).all():
        return corners + spread, corners - spread
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    rows = np.column_stack((corners, before, after, spread, sine, cosine)).tolist()
    flags = np.column_stack((tidy, pointed, bent)).tolist()
    for row, (is_tidy, is_pointed, is_bent) in zip(rows, flags, strict=True):
        x, y, ax, ay, bx, by, sx, sy, sine_here, cosine_here = row
        hand = half if sine_here <= 0 else -half  # the outer side is the left where the line turns right
        outer, inner = (left, right) if sine_here <= 0 else (right, left)
        ax, ay, bx, by = -ay * hand, ax * hand, -by * hand, bx * hand  # outer normals before and after
        if sine_here > 0:
            sx, sy = -sx, -sy
        turn = math.copysign(math.atan2(abs(sine_here), cosine_here), -hand)  # right back goes around the end
        if is_tidy:
            inner.append((x - sx, y - sy))
        elif is_bent:
            inner += _arc(x, y, -ax, -ay, turn, half, tolerance)
        else:
            inner += ((x - ax, y - ay), (x, y), (x - bx, y - by))
        if is_pointed:
            outer.append((x + sx, y + sy))
        elif is_bent or join == "round":
            outer += _arc(x, y, ax, ay, turn, half, tolerance)
        else:
            outer += ((x + ax, y + ay), (x + bx, y + by))
    return np.array(left), np.array(right)


def _following(rows: Points) -> Points:
    return np.concatenate((rows[1:], rows[:1]))  # np.roll takes five times as long


def _preceding(rows: Points) -> Points:
    return np.concatenate((rows[-1:], rows[:-1]))


def _cap(end: Points, direction: Points, half: float, cap: str, tolerance: float) -> Points:
    """The points between the two corners of a line's end; direction (2,) points out of the line."""
    (x, y), (ux, uy) = end.tolist(), direction.tolist()
    if cap == "round":
        return np.array(_arc(x, y, -uy * half, ux * half, -math.pi, half, tolerance))
    if cap == "project":
        x, y, ux, uy = x + ux * half, y + uy * half, ux * half, uy * half
        return np.array(((x - uy, y + ux), (x + uy, y - ux)))
    return np.empty((0, 2))


def _dot(point: Points, half: float, cap: str, tolerance: float) -> list[Points]:
    """A line of no length."""
    x, y = point.tolist()
    if cap == "round":
        return [np.array(_arc(x, y, half, 0.0, 2 * math.pi, half, tolerance))]
    if cap == "project":
        return [np.array([(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)])]
    return []


def _arc(
    x: float, y: float, from_x: float, from_y: float, angle: float, radius: float, tolerance: float
) -> list[tuple[float, float]]:
    """Points on a circle around (x, y), from (x, y) + from through an angle in radians, ends included."""
    step = max(FINEST_TURN, 2 * math.acos(max(0.0, 1 - tolerance / radius)))
    count = max(1, math.ceil(abs(angle) / step))
    turns = [(math.cos(angle * i / count), math.sin(angle * i / count)) for i in range(count + 1)]
    return [(x + from_x * c - from_y * s, y + from_x * s + from_y * c) for c, s in turns]


# --- Polygons to coverage ------------------------------------------------------------------------------------------


class _Patch(NamedTuple):
    rows: slice
    columns: slice
    coverage: Coverage  # (h, w) of those rows and columns


class _Outline:
    """What Agg reads of a `matplotlib.path.Path`; making one of those takes longer than drawing it."""

    __slots__ = ("codes", "should_simplify", "simplify_threshold", "vertices")

    def __init__(self, vertices: Points, codes: npt.NDArray[np.uint8] | None):
        self.vertices = vertices
        self.codes = codes
        self.should_simplify = False
        self.simplify_threshold = 0.0


class _Context:
    """What Agg reads of a `GraphicsContextBase`, whose module would take half a second and a font cache to import."""

    _alpha = 1.0
    _forced_alpha = False
    _rgb = (1.0, 1.0, 1.0, 1.0)
    _antialiased = 1
    _linewidth = 0.0  # fills only
    _capstyle = "butt"
    _joinstyle = "miter"
    _cliprect = None

    def get_dashes(self) -> tuple[int, None]:
        return (0, None)

    def get_clip_path(self) -> tuple[None, None]:
        return (None, None)

    def get_snap(self) -> bool:
        return False

    def get_hatch_path(self) -> None:
        return None

    def get_hatch_color(self) -> tuple[float, float, float, float]:
        return (0.0, 0.0, 0.0, 1.0)

    def get_hatch_linewidth(self) -> float:
        return 1.0

    def get_sketch_params(self) -> None:
        return None


_CONTEXT = _Context()
_WHITE = (255, 255, 255, 255)
# Agg's coverage of a partly covered pixel is in 1/256, and 255 is the whole.
_SHARE = np.append(np.arange(255) / 256, 1.0).astype(np.float32)


class _Renderers(threading.local):
    """The drawing buffers of one thread, by (height, width): one to draw on, one to cover with."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[int, int, bool], Any] = OrderedDict()

    def get(self, height: int, width: int, to_cover: bool = False) -> Any:
        key = (height, width, to_cover)
        found = self.kept.pop(key, None)
        if found is None:
            found = _backend_agg.RendererAgg(width, height, 72.0)  # type: ignore[attr-defined]
            if len(self.kept) >= KEPT_RENDERERS:
                self.kept.popitem(last=False)
        self.kept[key] = found
        return found


_RENDERERS = _Renderers()


def _cover(paint: _Paint, top: int, height: int, width: int) -> _Patch | None:
    """The coverage of a paint on the rows from `top` on, in the box around it; None if it is elsewhere."""
    left, above, right, below = paint.box
    if right <= 0 or left >= width or below <= top or above >= top + height:
        return None
    rows = slice(max(0, above - top), min(height, below - top))
    columns = slice(max(0, left), min(width, right))
    renderer = _RENDERERS.get(height, width, to_cover=True)
    renderer.clear()
    _draw(renderer, paint._replace(color=_WHITE), top + height)
    return _Patch(rows, columns, _SHARE.take(np.asarray(renderer)[rows, columns, 3], mode="clip"))


def _draw(renderer: Any, paint: _Paint, bottom: int) -> None:
    """Fill a paint's polygons with its colour as if it were opaque; bottom is the row below the renderer's last."""
    red, green, blue, _ = paint.color
    try:
        renderer.draw_path(
            _CONTEXT, _Outline(paint.vertices, paint.codes), _upright(bottom), (red / 255, green / 255, blue / 255)
        )
    except OverflowError:
        raise RunError(f"a shape of {len(paint.vertices)} points crosses too many pixels; draw it in parts") from None


@lru_cache(maxsize=64)
def _upright(bottom: int) -> npt.NDArray[np.float64]:
    """The transform from our y down to Agg's y up, where y = bottom becomes 0."""
    return np.array([[1.0, 0.0, 0.0], [0.0, -1.0, bottom], [0.0, 0.0, 1.0]])


def _cover_all(paint: _Paint, height: int, width: int) -> Coverage:
    covered = np.zeros((height, width), np.float32)
    patch = _cover(paint, 0, height, width)
    if patch is not None:
        covered[patch.rows, patch.columns] = patch.coverage
    return covered

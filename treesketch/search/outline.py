"""Shapes as a few numbers, and the points that they stand for.

An `Outline` is a kind and parameters, in pixels; here are its boundary or its centre line as points, with how these
change with the parameters. A `Layer` is an outline with a colour. `coverage` says what pixels they cover, `polish`
moves them to where a picture wants them.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from treesketch.polygons import TOLERANCE
from treesketch.search.pen import widen

Array = NDArray[np.float64]
Slope = NDArray[np.float64]  # (n, 2, parameters): how n points change with an outline's parameters

# A kind's parameters, in order. Points are x y pairs, w is a stroke's weight.
#   rect x0 y0 x1 y1 | rounded x0 y0 x1 y1 radius | polygon points
#   circle cx cy r | ellipse cx cy rx ry | oval cx cy rx ry angle
#   sector cx cy rx ry start stop (a slice of an ellipse) | segment, the same (what a straight cut leaves of it)
#   path points (closed; its verbs say what each segment is)
#   polyline points w | loop points w (closed polyline) | ring cx cy rx ry w (an ellipse's outline)
#   box x0 y0 x1 y1 w (a rectangle's outline) | frame x0 y0 x1 y1 radius w (a rounded one's)
#   arc cx cy rx ry start stop w (a part of an ellipse's outline)
#   spline start points w (an open line; its verbs say what each segment is)
STROKES = ("polyline", "loop", "ring", "box", "frame", "arc", "spline")
CLOSED_STROKES = ("loop", "ring", "box", "frame")
ROUND = {"circle": 3, "ellipse": 4, "oval": 5, "ring": 5}
CUT_ROUND = ("sector", "segment", "arc")
SIDED = ("rect", "rounded", "box", "frame")
POINTS = {"L": 1, "Q": 2, "C": 3}  # of a path's segment: a line, a quadratic or a cubic curve
CHORD = 0.02  # pixels between a curve and the chords that stand for it
SMOOTH = 1e-3  # tangent of the turn below which curves go on into one another, as in `polygons`


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A shape: its kind and its parameters, in pixels with y down.

    The segments of a path or a spline follow one another: verbs holds one of POINTS for each, params its control points
    and its end. A path begins where its last segment ends.
    """

    kind: str
    params: Array
    verbs: str = ""

    @property
    def numbers(self) -> int:
        """How many numbers the shape costs in a program (a stroke's weight counts as one)."""
        if self.kind == "path":  # a last line is drawn by closing, a last curve ends where the path began
            return len(self.params) + (0 if self.verbs[-1] == "L" else 2)
        return {"circle": 4, "oval": 7}.get(self.kind, len(self.params))


def bernstein(verb: str, t: Array) -> Array:
    """The weights of a segment's points, its start and end among them, for parameters of any shape: (..., points)."""
    s = 1 - t
    if verb == "L":
        return np.stack([s, t], axis=-1)
    if verb == "Q":
        return np.stack([s * s, 2 * s * t, t * t], axis=-1)
    return np.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], axis=-1)


@lru_cache(maxsize=512)
def _path_points(verbs: str, counts: tuple[int, ...], closed: bool) -> tuple[Array, Slope]:
    """What makes of a path's points those along it, `counts` to a segment: (n, points), and their derivative.

    The points of an open one begin with its start.
    """
    ends = np.cumsum([POINTS[verb] for verb in verbs]) + (not closed)
    rows = [] if closed else [np.eye(1, ends[-1])]
    for verb, count, end in zip(verbs, counts, ends, strict=True):
        t = (np.arange(count) + 1) / count
        weights = bernstein(verb, t)
        row = np.zeros((count, ends[-1]))
        for k, weight in enumerate(weights.T):
            row[:, end - len(weights.T) + k] += weight  # -1 is the last point: the path's beginning
        rows.append(row)
    matrix = np.concatenate(rows)
    slope = np.kron(matrix, np.eye(2)).reshape(len(matrix), 2, -1).astype(np.float64)
    return matrix, slope


def flatten(outline: Outline) -> tuple[Array, Slope]:
    """Points along a path or a spline, and their derivative."""
    closed = outline.kind == "path"
    points = (outline.params if closed else outline.params[:-1]).reshape(-1, 2)
    matrix, slope = _path_points(outline.verbs, tuple(_counts(outline)), closed)
    return matrix @ points, slope


def _counts(outline: Outline) -> list[int]:
    """How many chords stand for each segment of a path or a spline."""
    closed = outline.kind == "path"
    points = (outline.params if closed else outline.params[:-1]).reshape(-1, 2)
    counts, at = [], int(not closed)
    for verb in outline.verbs:
        piece = points[np.arange(at - 1, at + POINTS[verb])]
        bends = piece[2:] - 2 * piece[1:-1] + piece[:-2]  # none of a line
        # Wang's bound; rounded to a few counts, so that a small move seldom changes how many there are.
        chord, least = (CHORD, 2) if closed else (TOLERANCE, 1)
        bend = np.sqrt((bends * bends).sum(axis=1).max(initial=0.0))
        count = int(np.ceil(np.sqrt((0.75 if verb == "C" else 0.25) * bend / chord) / least)) * least
        counts.append(min(max(count, 1), 24 if closed else 128))
        at += POINTS[verb]
    if not closed:  # curves that follow one another have equal counts, as in `polygons`
        for run in re.finditer("[QC]+", outline.verbs):
            counts[run.start() : run.end()] = [max(counts[run.start() : run.end()])] * len(run[0])
    return counts


def round_points(kind: str, params: Array) -> tuple[Array, Array]:
    """Points along an ellipse (n, 2), and their derivative (n, 2, parameters)."""
    cx, cy, rx = params[:3]
    ry = rx if kind == "circle" else params[3]
    angle = params[4] if kind == "oval" else 0.0
    n = int(np.clip(np.ceil(16 * np.sqrt(max(abs(rx), abs(ry)) + 1)), 32, 192))
    turn = 2 * np.pi * (np.arange(n) + 0.5) / n
    # Vertices lie a little outside, so that the polygon has the ellipse's area.
    bulge = np.sqrt((2 * np.pi / n) / np.sin(2 * np.pi / n))
    u, v = bulge * np.cos(turn), bulge * np.sin(turn)
    c, s = np.cos(angle), np.sin(angle)
    points = np.stack([cx + c * rx * u - s * ry * v, cy + s * rx * u + c * ry * v], axis=1)
    slope = np.zeros((n, 2, 5))
    slope[:, 0, 0] = slope[:, 1, 1] = 1.0
    slope[:, 0, 2], slope[:, 1, 2] = c * u, s * u
    slope[:, 0, 3], slope[:, 1, 3] = -s * v, c * v
    slope[:, 0, 4], slope[:, 1, 4] = -(s * rx * u + c * ry * v), c * rx * u - s * ry * v
    if kind == "circle":
        slope[:, :, 2] += slope[:, :, 3]
        return points, slope[:, :, :3]
    return points, slope[:, :, : ROUND[kind]] if kind != "ring" else slope[:, :, :4]


def arc_points(params: Array) -> tuple[Array, Array]:
    """Points along an ellipse from one angle to another (n, 2), both ends among them; their derivative (n, 2, 6)."""
    cx, cy, rx, ry, start, stop = params[:6]
    sweep = stop - start
    n = 8 * int(np.clip(np.ceil(0.35 * abs(sweep) * np.sqrt(max(abs(rx), abs(ry)) + 1)), 1, 24))
    t = np.arange(n + 1) / n
    turn = start + sweep * t
    # As for a whole ellipse, inner vertices lie a little outside.
    bulge = np.full(n + 1, np.sqrt((sweep / n) / np.sin(sweep / n)))
    bulge[[0, -1]] = 1.0
    u, v = bulge * np.cos(turn), bulge * np.sin(turn)
    points = np.stack([cx + rx * u, cy + ry * v], axis=1)
    slope = np.zeros((n + 1, 2, 6))
    slope[:, 0, 0] = slope[:, 1, 1] = 1.0
    slope[:, 0, 2], slope[:, 1, 3] = u, v
    along = np.stack([-rx * v, ry * u], axis=1)
    slope[:, :, 4], slope[:, :, 5] = along * (1 - t)[:, None], along * t[:, None]
    return points, slope


@lru_cache(maxsize=16)
def _rounded_points(count: int) -> Slope:
    """What makes of a rounded rectangle's parameters the points of its corners: Processing rounds by parabolas."""
    t = np.arange(count + 1) / count
    rows = np.zeros((4, count + 1, 2, 5))
    # From one side of a corner to the other, clockwise from the top left: where x and y stand, and by which radius.
    for corner, (x, y) in enumerate(((0, 1), (2, 1), (2, 3), (0, 3))):
        rows[corner, :, 0, x] = rows[corner, :, 1, y] = 1.0
        along, off = ((1 - t) ** 2, t * t) if corner % 2 else (t * t, (1 - t) ** 2)
        rows[corner, :, 0, 4] = along * (1 if x == 0 else -1)
        rows[corner, :, 1, 4] = off * (1 if y == 1 else -1)
    return rows.reshape(-1, 2, 5)


def boundary(outline: Outline) -> tuple[Array, Slope | None]:
    """The points (n, 2) of a filled shape's boundary, and how they change with the parameters; None = identity."""
    p = outline.params
    if outline.kind == "polygon":
        return p.reshape(-1, 2), None
    if outline.kind == "rect":
        pick = np.array([0, 1, 2, 1, 2, 3, 0, 3])
        slope = np.zeros((8, 4))
        slope[np.arange(8), pick] = 1.0
        return p[pick].reshape(-1, 2), slope.reshape(4, 2, 4)
    if outline.kind == "path":
        return flatten(outline)
    if outline.kind == "rounded":
        matrix = _rounded_points(min(max(int(np.ceil(np.sqrt(0.25 * p[4] / CHORD) / 2)) * 2, 2), 24))
        return matrix @ p, matrix
    if outline.kind in CUT_ROUND:
        points, jacobian = arc_points(p)
        if outline.kind == "sector":
            tip = np.zeros((1, 2, 6))
            tip[0, 0, 0] = tip[0, 1, 1] = 1.0
            points, jacobian = np.append(points, p[None, :2], axis=0), np.append(jacobian, tip, axis=0)
        return points, jacobian
    return round_points(outline.kind, p)


def center_line(outline: Outline) -> tuple[Array, Array, float]:
    """A stroke's centre line as segments: ends (n, 2), (n, 2) and the weight."""
    points, w = stroke_points(outline)[0], float(outline.params[-1])
    if outline.kind in CLOSED_STROKES:
        return points, np.roll(points, -1, axis=0), w
    return points[:-1], points[1:], w


def contours(outline: Outline, derivative: bool = True) -> tuple[list[Array], Slope | None]:
    """The closed contours, each (n, 2), whose inside (non-zero winding) a shape or a stroke covers.

    With them, if that is wanted, how all their points change with the parameters; None = identity.
    """
    if outline.kind not in STROKES:
        points, slope = boundary(outline)
        return [points], slope
    line, slope = stroke_points(outline)
    if slope is None and derivative:
        slope = np.eye(line.size).reshape(len(line), 2, -1)
    bends, closed = _bends(outline, len(line)), outline.kind in CLOSED_STROKES
    return widen(line, slope if derivative else None, bends, closed, float(outline.params[-1]))


def _bends(outline: Outline, count: int) -> NDArray[np.bool_]:
    """Which of the `count` points of a stroke's centre line belong to a curve: (count,)."""
    if outline.kind in ("ring", "arc"):
        return np.ones(count, bool)
    bends = np.zeros(count, bool)
    if outline.kind == "frame":  # from corner to corner straight
        own = bends.reshape(4, -1)
        own[:, 1:-1] = True
    if outline.kind == "spline":
        points, at, end = outline.params[:-1].reshape(-1, 2), 0, 0
        counts = _counts(outline)
        for k, (verb, many) in enumerate(zip(outline.verbs, counts, strict=True)):
            if verb != "L":
                bends[end + 1 : end + many] = True
            at, end = at + POINTS[verb], end + many
            if verb != "L" and k + 1 < len(counts) and outline.verbs[k + 1] != "L":
                leaving, entering = points[at] - points[at - 1], points[at + 1] - points[at]
                aside = abs(leaving[0] * entering[1] - leaving[1] * entering[0])
                bends[end] = aside < SMOOTH * float(leaving @ entering)
    return bends


def stroke_points(outline: Outline) -> tuple[Array, Slope | None]:
    """The points (n, 2) of a stroke's centre line, and how they change with all but the weight; None = identity."""
    p = outline.params[:-1]
    if outline.kind == "ring":
        return round_points("ring", outline.params)
    if outline.kind == "arc":
        return arc_points(p)
    if outline.kind == "spline":
        return flatten(outline)
    if outline.kind in ("box", "frame"):
        return boundary(Outline("rect" if outline.kind == "box" else "rounded", p))
    return p.reshape(-1, 2), None


def tame(outline: Outline, height: int, width: int) -> Outline:
    """Keep radii and weights positive and points within reach of the canvas."""
    params = outline.params.copy()
    if outline.kind in STROKES:
        params[-1] = max(params[-1], 0.3)
    if outline.kind in ROUND:
        count = 1 if outline.kind == "circle" else 2
        params[2 : 2 + count] = np.maximum(params[2 : 2 + count], 0.3)
    elif outline.kind in CUT_ROUND:
        params[2:4] = np.maximum(params[2:4], 0.3)
        params[5] = np.clip(params[5], params[4] + 0.05, params[4] + 2 * np.pi)
    elif outline.kind in ("rounded", "frame"):
        sides = np.abs(params[2:4] - params[:2])
        params[4] = np.clip(params[4], 0.3, max(float(sides.min()) / 2, 0.3))
    elif outline.kind not in SIDED:
        end = len(params) - (outline.kind in STROKES)
        params[:end:2] = np.clip(params[:end:2], -width, 2 * width)
        params[1:end:2] = np.clip(params[1:end:2], -height, 2 * height)
    return replace(outline, params=params)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An outline and the colour (3,) in 0..1 that it is painted with."""

    outline: Outline
    color: Array

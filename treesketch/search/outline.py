"""Shapes as a few numbers, their exact coverage of pixels, and how the coverage changes with the numbers.

In: an `Outline` (kind and parameters, in pixels). Out: coverage maps, sparse derivatives, and `polish`: all outlines
and colours of a painting moved together until the painting is as near its target as it can get (Levenberg-Marquardt
on the exact anti-aliased picture; the derivative of a polygon's coverage is an integral along its edges).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A kind's parameters, in order. Points are x y pairs, w is a stroke's weight.
#   rect x0 y0 x1 y1 | rounded x0 y0 x1 y1 radius | polygon points
#   circle cx cy r | ellipse cx cy rx ry | oval cx cy rx ry angle
#   path points (closed; its verbs say what each segment is)
#   polyline points w | loop points w (closed polyline) | ring cx cy rx ry w (an ellipse's outline)
#   spline start points w (an open line; its verbs say what each segment is)
STROKES = ("polyline", "loop", "ring", "spline")
ROUND = {"circle": 3, "ellipse": 4, "oval": 5, "ring": 5}
POINTS = {"L": 1, "Q": 2, "C": 3}  # of a path's segment: a line, a quadratic or a cubic curve
CHORD = 0.02  # pixels between a curve and the chords that stand for it


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


@lru_cache(maxsize=512)
def _path_points(verbs: str, counts: tuple[int, ...], closed: bool) -> tuple[Array, sparse.csr_matrix]:
    """What makes of a path's points those along it, `counts` to a segment: (n, points), and for x y pairs in a row.

    The points of an open one begin with its start.
    """
    ends = np.cumsum([POINTS[verb] for verb in verbs]) + (not closed)
    rows = [] if closed else [np.eye(1, ends[-1])]
    for verb, count, end in zip(verbs, counts, ends, strict=True):
        t = (np.arange(count) + 1) / count
        if verb == "L":
            weights = [1 - t, t]
        elif verb == "Q":
            weights = [(1 - t) ** 2, 2 * t * (1 - t), t * t]
        else:
            weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3]
        row = np.zeros((count, ends[-1]))
        for k, weight in enumerate(weights):
            row[:, end - len(weights) + k] += weight  # -1 is the last point: the path's beginning
        rows.append(row)
    matrix = np.concatenate(rows)
    return matrix, sparse.csr_matrix(np.kron(matrix, np.eye(2)))


def _path(outline: Outline) -> tuple[Array, sparse.csr_matrix]:
    """Points along a path or a spline, and their derivative."""
    closed = outline.kind == "path"
    points = (outline.params if closed else outline.params[:-1]).reshape(-1, 2)
    counts, at = [], int(not closed)
    for verb in outline.verbs:
        piece = points[np.arange(at - 1, at + POINTS[verb])]
        bend = np.abs(piece[2:] - 2 * piece[1:-1] + piece[:-2]).max() if verb != "L" else 0.0
        # Wang's bound; rounded to a few counts, so that a small move seldom changes how many there are.
        count = int(np.ceil(np.sqrt((0.75 if verb == "C" else 0.25) * bend / CHORD) / 2)) * 2
        counts.append(min(max(count, 1), 24))
        at += POINTS[verb]
    matrix, slope = _path_points(outline.verbs, tuple(counts), closed)
    return matrix @ points, slope


def _round_points(kind: str, params: Array) -> tuple[Array, Array]:
    """Points along an ellipse (n, 2), and their derivative (n, 2, parameters)."""
    cx, cy, rx = params[:3]
    ry = rx if kind == "circle" else params[3]
    angle = params[4] if kind == "oval" else 0.0
    n = int(np.clip(np.ceil(6 * np.sqrt(max(abs(rx), abs(ry)) + 1)), 16, 96))
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


@lru_cache(maxsize=16)
def _rounded_points(count: int) -> sparse.csr_matrix:
    """What makes of a rounded rectangle's parameters the points of its corners: Processing rounds by parabolas."""
    t = np.arange(count + 1) / count
    rows = np.zeros((4, count + 1, 2, 5))
    # From one side of a corner to the other, clockwise from the top left: where x and y stand, and by which radius.
    for corner, (x, y) in enumerate(((0, 1), (2, 1), (2, 3), (0, 3))):
        rows[corner, :, 0, x] = rows[corner, :, 1, y] = 1.0
        along, off = ((1 - t) ** 2, t * t) if corner % 2 else (t * t, (1 - t) ** 2)
        rows[corner, :, 0, 4] = along * (1 if x == 0 else -1)
        rows[corner, :, 1, 4] = off * (1 if y == 1 else -1)
    return sparse.csr_matrix(rows.reshape(-1, 5))


def corners(outline: Outline) -> tuple[Array, sparse.csr_matrix | None]:
    """The points (n, 2) of a filled shape's boundary, and d points / d parameters as (2n, parameters), None =
    identity.
    """
    p = outline.params
    if outline.kind == "polygon":
        return p.reshape(-1, 2), None
    if outline.kind == "rect":
        pick = np.array([0, 1, 2, 1, 2, 3, 0, 3])
        slope = np.zeros((8, 4))
        slope[np.arange(8), pick] = 1.0
        return p[pick].reshape(-1, 2), sparse.csr_matrix(slope)
    if outline.kind == "path":
        return _path(outline)
    if outline.kind == "rounded":
        matrix = _rounded_points(min(max(int(np.ceil(np.sqrt(0.25 * p[4] / CHORD) / 2)) * 2, 2), 24))
        return (matrix @ p).reshape(-1, 2), matrix
    points, jacobian = _round_points(outline.kind, p)
    return points, sparse.csr_matrix(jacobian.reshape(-1, len(p)))


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Polygon edges cut at pixel borders: which edge, from where to where along it, in which pixel."""

    edge: NDArray[np.int64]
    start: Array
    stop: Array
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    x: Array  # middle of the piece, from the pixel's left side


def _crossings(a: Array, b: Array) -> tuple[NDArray[np.int64], Array]:
    """Where edges from a to b (one coordinate) cross whole numbers: edge index and place 0..1 along the edge."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    first = np.floor(low).astype(np.int64) + 1
    many = np.maximum(np.ceil(high).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(a)), many)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(many) - many, many) + first[edge]
    return edge, (line - a[edge]) / (b[edge] - a[edge])


def _cut(a: Array, b: Array) -> _Pieces:
    n = len(a)
    ex, tx = _crossings(a[:, 0], b[:, 0])
    ey, ty = _crossings(a[:, 1], b[:, 1])
    edge = np.concatenate([np.arange(n), ex, ey])
    start = np.concatenate([np.zeros(n), tx, ty])
    order = np.argsort(edge + np.clip(start, 0.0, 1.0 - 1e-12), kind="stable")
    edge, start = edge[order], start[order]
    stop = np.append(start[1:], 1.0)
    stop[np.append(edge[1:] != edge[:-1], True)] = 1.0
    middle = (a[edge] * (2.0 - start - stop)[:, None] + b[edge] * (start + stop)[:, None]) / 2
    column, row = np.floor(middle).astype(np.int64).T
    return _Pieces(edge, start, stop, row, column, middle[:, 0] - column)


def cover_polygons(polygons: Sequence[Array], height: int, width: int) -> NDArray[np.float32]:
    """Exact coverage (K, height, width) in 0..1 of K closed polygons, each (n, 2) in pixels."""
    return _cover(polygons, height, width)[0]


def _cover(
    polygons: Sequence[Array], height: int, width: int
) -> tuple[NDArray[np.float32], _Pieces, Array, Array, Array]:
    a = np.concatenate(polygons)
    b = np.concatenate([np.roll(p, -1, axis=0) for p in polygons])
    layer = np.repeat(np.arange(len(polygons)), [len(p) for p in polygons])
    pieces = _cut(a, b)
    rise = (b[pieces.edge, 1] - a[pieces.edge, 1]) * (pieces.stop - pieces.start)
    inside = (pieces.row >= 0) & (pieces.row < height) & (pieces.column < width)
    column = np.maximum(pieces.column, 0)
    x = np.where(pieces.column < 0, 0.0, pieces.x)
    place = ((layer[pieces.edge] * height + pieces.row) * (width + 1) + column)[inside]
    x, rise = x[inside], rise[inside]
    size = len(polygons) * height * (width + 1)
    turned = np.bincount(place, rise * (1.0 - x), size) + np.bincount(place + 1, rise * x, size)
    winding = np.cumsum(turned.reshape(len(polygons), height, width + 1), axis=2)[:, :, :width]
    sign = np.where(winding.sum(axis=(1, 2)) >= 0, 1.0, -1.0)
    coverage = np.clip(winding * sign[:, None, None], 0.0, 1.0).astype(np.float32)
    return coverage, pieces, a, b, sign[layer]


def _segments(outline: Outline) -> tuple[Array, Array, float]:
    """A stroke's centre line as segments: ends (n, 2), (n, 2) and the weight."""
    w = float(outline.params[-1])
    if outline.kind == "ring":
        points = _round_points("ring", outline.params)[0]
        return points, np.roll(points, -1, axis=0), w
    points = _path(outline)[0] if outline.kind == "spline" else outline.params[:-1].reshape(-1, 2)
    if outline.kind == "loop":
        return points, np.roll(points, -1, axis=0), w
    return points[:-1], points[1:], w


def _half_plane(distance: Array, normal: Array) -> tuple[Array, Array]:
    """The part of a unit pixel inside a straight edge `distance` beyond its centre, and its derivative."""
    long, short = np.maximum(np.abs(normal[:, 0]), np.abs(normal[:, 1])), np.minimum(*np.abs(normal.T))
    long, short = np.maximum(long, 1e-3), np.maximum(short, 1e-6)
    h = np.clip(distance, -(long + short) / 2, (long + short) / 2)
    ramp = (long + short) / 2 - np.abs(h)  # distance into the pixel from the nearer corner
    flat = ramp >= short
    area = np.where(flat, (ramp - short / 2) / long, ramp**2 / (2 * long * short))
    slope = np.where(flat, 1.0 / long, ramp / (long * short))
    return np.where(h > 0, 1.0 - area, area), np.where(np.abs(distance) < (long + short) / 2, slope, 0.0)


def _miter(
    closed: bool,
    a: Array,
    along: Array,
    squared: Array,
    grid: Array,
    unclamped: Array,
    which: NDArray[np.int64],
    t: Array,
    distance: Array,
    normal: Array,
) -> None:
    """Where a pixel's nearest point is a joint, measure from the two edges' lines instead (changes the last four
    arrays).

    Outside a joint both edges run on until they meet: a mitre, which is what Processing draws by default. Where the
    mitre would be longer than ten half weights the round joint stays.
    """
    n = len(a)
    at_joint = np.flatnonzero((unclamped <= 0) | (unclamped >= 1))
    here = which[at_joint]
    other = np.where(unclamped[at_joint] >= 1, here + 1, here - 1)
    if closed:
        other %= n
    else:
        real = (other >= 0) & (other < n)
        at_joint, here, other = at_joint[real], here[real], other[real]
    if not len(at_joint):
        return
    length = np.sqrt(squared)
    cosine = (along[here] * along[other]).sum(axis=1) / (length[here] * length[other])
    sharp = cosine < -0.98  # sin of half the inner angle below a tenth
    at_joint, here, other = at_joint[~sharp], here[~sharp], other[~sharp]
    far = np.zeros(len(at_joint))
    for edge in (here, other):
        offset = grid[at_joint] - a[edge]
        place = (offset * along[edge]).sum(axis=1) / squared[edge]
        away = offset - place[:, None] * along[edge]
        d = np.sqrt((away**2).sum(axis=1))
        farther = d > far
        far[farther] = d[farther]
        i = at_joint[farther]
        which[i], t[i], distance[i] = edge[farther], place[farther], d[farther]
        normal[i] = away[farther] / np.maximum(d[farther], 1e-9)[:, None]


def _cover_stroke(
    outline: Outline, height: int, width: int
) -> tuple[NDArray[np.float32], tuple[NDArray[np.int64], NDArray[np.int64], Array]]:
    """A stroke's coverage (height, width), round caps, mitre joins, and its derivative: (pixel, parameter, value)."""
    a, b, weight = _segments(outline)
    coverage = np.zeros((height, width), dtype=np.float32)
    reach = weight / 2 + 1.5
    margin = reach if outline.kind == "ring" else 2.5 * reach
    low = np.floor(np.minimum(a, b).min(axis=0) - margin).astype(int)
    high = np.ceil(np.maximum(a, b).max(axis=0) + margin).astype(int)
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, (width, height))
    none = np.zeros(0, dtype=np.int64)
    if x1 <= x0 or y1 <= y0:
        return coverage, (none, none, np.zeros(0))
    best = np.full((y1 - y0, x1 - x0), np.inf)
    nearest = np.zeros(best.shape, dtype=np.int64)
    along = b - a
    squared = np.maximum((along**2).sum(axis=1), 1e-9)
    lows = np.floor(np.minimum(a, b) - margin).astype(int) - (x0, y0)
    highs = np.ceil(np.maximum(a, b) + margin).astype(int) - (x0, y0)
    for i in range(len(a)):
        (left, top), (right, bottom) = np.maximum(lows[i], 0), np.maximum(highs[i], 0)
        part = (slice(top, bottom), slice(left, right))
        if not best[part].size:
            continue
        ox = np.arange(left, min(right, x1 - x0)) + (x0 + 0.5 - a[i, 0])
        oy = (np.arange(top, min(bottom, y1 - y0)) + (y0 + 0.5 - a[i, 1]))[:, None]
        t = np.clip((ox * along[i, 0] + oy * along[i, 1]) / squared[i], 0.0, 1.0)
        d2 = (ox - t * along[i, 0]) ** 2 + (oy - t * along[i, 1]) ** 2
        nearer = d2 < best[part]
        best[part][nearer] = d2[nearer]
        nearest[part][nearer] = i
    # A mitre's tip lies farther out than half the weight.
    rows, columns = np.nonzero(best < margin**2)
    which = nearest[rows, columns]
    grid = np.stack([columns + (x0 + 0.5), rows + (y0 + 0.5)], axis=1)
    offset = grid - a[which]
    unclamped = (offset * along[which]).sum(axis=1) / squared[which]
    t = np.clip(unclamped, 0.0, 1.0)
    away = offset - t[:, None] * along[which]
    distance = np.sqrt((away**2).sum(axis=1))
    normal = away / np.maximum(distance, 1e-9)[:, None]
    if outline.kind != "ring":
        _miter(outline.kind == "loop", a, along, squared, grid, unclamped, which, t, distance, normal)
    outer, slope = _half_plane(weight / 2 - distance, normal)
    inner, back = _half_plane(-weight / 2 - distance, normal)  # thin strokes: take away what lies beyond the far side
    coverage[rows + y0, columns + x0] = outer - inner
    edge = np.flatnonzero((slope != 0) | (back != 0))
    which, t, normal, slope, back = which[edge], t[edge], normal[edge], slope[edge], back[edge]
    rows = (rows[edge] + y0) * width + columns[edge] + x0
    push = slope - back
    if outline.kind == "ring":
        points, jacobian = _round_points("ring", outline.params)
        n = len(points)
        move = (
            normal[:, :, None]
            * ((1 - t)[:, None, None] * jacobian[which] + t[:, None, None] * jacobian[(which + 1) % n])
        ).sum(axis=1)
        pixel = np.concatenate([np.repeat(rows, 4), rows])
        param = np.concatenate([np.tile(np.arange(4), len(rows)), np.full(len(rows), 4)])
        return coverage, (pixel, param, np.concatenate([(push[:, None] * move).ravel(), (slope + back) / 2]))
    n = len(a) + (outline.kind != "loop")
    last = 2 * n
    first, second = 2 * which, 2 * ((which + 1) % n)
    pixel = np.tile(rows, 5)
    param = np.concatenate([first, first + 1, second, second + 1, np.full(len(rows), last)])
    value = np.concatenate(
        [
            push * (1 - t) * normal[:, 0],
            push * (1 - t) * normal[:, 1],
            push * t * normal[:, 0],
            push * t * normal[:, 1],
            (slope + back) / 2,
        ]
    )
    if outline.kind == "spline":
        along_it = sparse.block_diag([_path(outline)[1], np.ones((1, 1))], format="csr")
        chain = (sparse.csr_matrix((value, (pixel, param)), shape=(height * width, last + 1)) @ along_it).tocoo()
        pixel, param, value = chain.row.astype(np.int64), chain.col.astype(np.int64), chain.data
    return coverage, (pixel, param, value)


def cover(outlines: Sequence[Outline], height: int, width: int) -> NDArray[np.float32]:
    """Coverage (K, height, width) in 0..1 of each outline: exact for filled shapes, by distance for strokes."""
    return _cover_all(outlines, height, width, False)[0]


Entries = tuple[NDArray[np.int64], NDArray[np.int64], Array]


def _cover_all(
    outlines: Sequence[Outline], height: int, width: int, derivative: bool
) -> tuple[NDArray[np.float32], list[Entries]]:
    """Coverage of each outline, and for each its derivative as (pixel, parameter, value)."""
    result = np.zeros((len(outlines), height, width), dtype=np.float32)
    entries: list[Entries] = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))] * len(outlines)
    filled = [k for k, o in enumerate(outlines) if o.kind not in STROKES]
    for k, outline in enumerate(outlines):
        if outline.kind in STROKES:
            result[k], entries[k] = _cover_stroke(outline, height, width)
    if not filled:
        return result, entries
    shapes = [corners(outlines[k]) for k in filled]
    result[filled], pieces, a, b, sign = _cover([points for points, _ in shapes], height, width)
    if not derivative:
        return result, entries
    counts = np.array([len(points) for points, _ in shapes])
    first = np.repeat(np.cumsum(counts) - counts, counts)
    follower = np.arange(len(a)) + 1
    follower[np.cumsum(counts) - 1] = np.cumsum(counts) - counts
    keep = (pieces.row >= 0) & (pieces.row < height) & (pieces.column >= 0) & (pieces.column < width)
    edge, start, stop = pieces.edge[keep], pieces.start[keep], pieces.stop[keep]
    pixel = pieces.row[keep] * width + pieces.column[keep]
    late = (stop**2 - start**2) / 2
    early = stop - start - late
    along = (b - a)[edge] * sign[edge, None]
    layer = np.repeat(np.arange(len(shapes)), counts)[edge]
    local, onward = edge - first[edge], follower[edge] - first[edge]
    order = np.searchsorted(layer, np.arange(len(shapes) + 1))
    for i, k in enumerate(filled):
        part = slice(order[i], order[i + 1])
        dx, dy = along[part, 0], along[part, 1]
        param = np.concatenate([2 * local[part], 2 * local[part] + 1, 2 * onward[part], 2 * onward[part] + 1])
        value = np.concatenate([-dy * early[part], dx * early[part], -dy * late[part], dx * late[part]])
        where = np.tile(pixel[part], 4)
        slope = shapes[i][1]
        if slope is not None:
            chain = (sparse.csr_matrix((value, (where, param)), shape=(height * width, slope.shape[0])) @ slope).tocoo()
            where, param, value = chain.row.astype(np.int64), chain.col.astype(np.int64), chain.data
        entries[k] = (where, param, value)
    return result, entries


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An outline and the colour (3,) in 0..1 that it is painted with."""

    outline: Outline
    color: Array


def paint(layers: Sequence[Layer], ground: Array, height: int, width: int) -> NDArray[np.float32]:
    """The layers painted over a ground colour (3,), back to front: (height, width, 3)."""
    picture = np.broadcast_to(ground.astype(np.float32), (height, width, 3)).copy()
    if layers:
        for coverage, layer in zip(cover([x.outline for x in layers], height, width), layers, strict=True):
            picture += coverage[..., None] * (layer.color.astype(np.float32) - picture)
    return picture


def solve_colors(coverage: NDArray[np.float32], target: NDArray[np.float32], prior: Array) -> Array:
    """The colours (K + 1, 3), ground first, that bring the painting nearest the target (least squares, kept in 0..1).

    coverage is (K, H, W), back to front; prior (K + 1, 3) decides where a layer is hardly seen.
    """
    k, pixels = len(coverage), target.shape[0] * target.shape[1]
    seen = np.empty((k + 1, pixels), dtype=np.float32)
    clear = np.ones(pixels, dtype=np.float32)
    for i in range(k, 0, -1):
        flat = coverage[i - 1].ravel()
        seen[i] = clear * flat
        clear = clear * (1 - flat)
    seen[0] = clear
    gram = (seen @ seen.T).astype(np.float64) + 0.05 * np.eye(k + 1)
    right = (seen @ target.reshape(-1, 3).astype(np.float32)).astype(np.float64) + 0.05 * prior
    return np.clip(np.linalg.solve(gram, right), 0.0, 1.0)


def polish(
    layers: Sequence[Layer],
    ground: Array,
    target: NDArray[np.float32],
    rounds: int = 8,
    colors: bool = True,
    pens: Sequence[int] | None = None,
) -> tuple[list[Layer], Array, float]:
    """Move every outline (and colour) to lower the squared error of the painting.

    target is (H, W, 3). Strokes of layers with the same number in `pens` must have one weight, and keep one. Returns
    the layers, the ground colour and the root mean square error (0..1).
    """
    height, width = target.shape[:2]
    outlines = [layer.outline for layer in layers]
    tint = np.concatenate([ground[None], *(layer.color[None] for layer in layers)])
    offsets = np.cumsum([0] + [len(o.params) for o in outlines])
    tie = _tie(outlines, offsets, pens) if pens is not None else None
    damping = 1e-2
    coverage, entries = _cover_all(outlines, height, width, True)
    if colors:
        tint = solve_colors(coverage, target, tint)
    picture, gains = _composite(coverage, tint)
    error = float(((target - picture) ** 2).sum())
    for step in range(rounds if outlines else 0):
        normal, right = _normal_equations(entries, gains, target - picture, offsets)
        if tie is not None:
            normal, right = tie.T @ normal @ tie, tie.T @ right
        accepted = False
        for _ in range(3):
            bound = damping * np.diag(normal) + 1e-4 + damping * 1e-2
            move = np.clip(np.linalg.solve(normal + np.diag(bound), right), -1.5, 1.5)
            if tie is not None:
                move = tie @ move
            moved = [replace(o, params=o.params + move[offsets[k] : offsets[k + 1]]) for k, o in enumerate(outlines)]
            moved = [_tame(o, height, width) for o in moved]
            new_coverage, new_entries = _cover_all(moved, height, width, True)
            new_tint = solve_colors(new_coverage, target, tint) if colors and step % 2 else tint
            new_picture, new_gains = _composite(new_coverage, new_tint)
            new_error = float(((target - new_picture) ** 2).sum())
            if new_error < error:
                accepted = True
                break
            damping *= 6
        if not accepted:
            break
        gain = error - new_error
        outlines, coverage, entries, tint = moved, new_coverage, new_entries, new_tint
        picture, gains, error = new_picture, new_gains, new_error
        damping = max(damping / 4, 1e-5)
        if gain < 2e-3 * error:
            break
    result = [Layer(o, c) for o, c in zip(outlines, tint[1:], strict=True)]
    return result, tint[0], float(np.sqrt(error / target.size))


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """A painting near where it is: squared error as a quadratic of all parameters, and what each layer adds.

    error is the squared error; the error after a small move m of the parameters is about error - 2 right m + m normal
    m. offsets (K + 1) says where each layer's parameters begin; without (K) is the squared error if a layer were left
    out.
    """

    error: float
    normal: Array
    right: Array
    offsets: NDArray[np.int64]
    without: Array


def linearise(layers: Sequence[Layer], ground: Array, target: NDArray[np.float32]) -> Slope:
    """The slope of the squared error of a painting of `target` (H, W, 3)."""
    outlines = [layer.outline for layer in layers]
    offsets = np.cumsum([0] + [len(o.params) for o in outlines])
    height, width = target.shape[:2]
    coverage, entries = _cover_all(outlines, height, width, True)
    picture, gains = _composite(coverage, np.concatenate([ground[None], *(layer.color[None] for layer in layers)]))
    residual = target - picture
    error = float((residual**2).sum())
    normal, right = _normal_equations(entries, gains, residual, offsets)
    gains *= coverage[..., None]
    without = error + np.einsum("khwc,khwc->k", gains, 2 * residual[None] + gains)
    return Slope(error, normal, right, offsets, without)


def settle(outline: Outline, member: NDArray[np.float32], cost: NDArray[np.float32], rounds: int = 3) -> Outline:
    """Move one outline to lower its squared error against a membership map, weighted by the cost of a wrong pixel.

    member and cost are (H, W). Gauss-Newton with a little damping; never returns anything worse than it was given.
    """
    height, width = member.shape
    weight = cost.ravel()
    best, least = outline, np.inf
    for step in range(rounds + 1):
        coverage, entries = _cover_all([outline], height, width, step < rounds)
        off = (member - coverage[0]).ravel()
        error = float((weight * off**2).sum())
        if error >= least:
            break
        best, least = outline, error
        if step < rounds:
            pixel, param, value = entries[0]
            touched, row = np.unique(pixel, return_inverse=True)
            count = len(outline.params)
            part = np.bincount(row * count + param, value, len(touched) * count).reshape(-1, count)
            normal = part.T @ (part * weight[touched, None])
            right = part.T @ (weight[touched] * off[touched])
            bound = 1e-3 * np.trace(normal) / len(normal) * np.eye(len(normal)) + 1e-9 * np.eye(len(normal))
            move = np.clip(np.linalg.solve(normal + bound, right), -1.0, 1.0)
            outline = _tame(replace(outline, params=outline.params + move), height, width)
    return best


def _tie(outlines: Sequence[Outline], offsets: NDArray[np.int64], pens: Sequence[int]) -> Array | None:
    """(parameters, free parameters): 1 where a parameter is a free one; strokes of one pen share their weight."""
    first: dict[int, int] = {}
    free = np.arange(offsets[-1])
    for k, outline in enumerate(outlines):
        if outline.kind in STROKES:
            weight = int(offsets[k + 1]) - 1
            free[weight] = first.setdefault(pens[k], weight)
    kept, free = np.unique(free, return_inverse=True)
    if len(kept) == len(free):
        return None
    tie = np.zeros((len(free), len(kept)))
    tie[np.arange(len(free)), free] = 1.0
    return tie


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """A place between the layers of a painting: the picture there is tint + clear * (what lies at that depth).

    under is what lies below it; under and tint are (H, W, 3), clear (H, W).
    """

    under: NDArray[np.float32]
    clear: NDArray[np.float32]
    tint: NDArray[np.float32]


def fit_alone(layer: Layer, opening: Opening, target: NDArray[np.float32], rounds: int = 5) -> tuple[Layer, float]:
    """Move one layer, and solve its colour, while all others stay. Returns it and the squared error of the painting."""
    height, width = target.shape[:2]
    rest, clear = target - opening.tint, opening.clear[..., None]
    best, least, damping = layer, np.inf, 1e-2
    outline = layer.outline
    for step in range(rounds + 1):
        coverage, entries = _cover_all([outline], height, width, step < rounds)
        weight = clear * coverage[0][..., None]
        bare = rest - (clear - weight) * opening.under
        seen = float((weight**2).sum())
        color = np.clip((weight * bare).sum(axis=(0, 1)) / seen, 0.0, 1.0) if seen > 0.25 else best.color
        residual = bare - weight * color.astype(np.float32)
        error = float((residual**2).sum())
        if error < least * (1 - 1e-3):
            best, least, damping = Layer(outline, color), error, damping / 4
            if step == rounds:
                break
            gain = clear * (color.astype(np.float32) - opening.under)
            pixel, parameter, value = entries[0]
            count = len(outline.params)
            slope = np.bincount(pixel * count + parameter, weights=value, minlength=height * width * count)
            slope = slope.reshape(-1, count)
            touched = np.unique(pixel)
            slope, gain = slope[touched], gain.reshape(-1, 3)[touched]
            normal = slope.T @ ((gain**2).sum(axis=1)[:, None] * slope)
            right = slope.T @ (gain * residual.reshape(-1, 3)[touched]).sum(axis=1)
        else:
            damping *= 8
            if damping > 10:
                break
        bound = damping * np.diag(normal) + 1e-4 + damping * 1e-2
        move = np.clip(np.linalg.solve(normal + np.diag(bound), right), -2.0, 2.0)
        outline = _tame(replace(best.outline, params=best.outline.params + move), height, width)
    return best, least


def _tame(outline: Outline, height: int, width: int) -> Outline:
    """Keep radii and weights positive and points within reach of the canvas."""
    params = outline.params.copy()
    if outline.kind in STROKES:
        params[-1] = max(params[-1], 0.3)
    if outline.kind in ROUND:
        count = 1 if outline.kind == "circle" else 2
        params[2 : 2 + count] = np.maximum(params[2 : 2 + count], 0.3)
    elif outline.kind == "rounded":
        sides = np.abs(params[2:4] - params[:2])
        params[4] = np.clip(params[4], 0.3, max(float(sides.min()) / 2, 0.3))
    elif outline.kind != "rect":
        end = len(params) - (outline.kind in STROKES)
        params[:end:2] = np.clip(params[:end:2], -width, 2 * width)
        params[1:end:2] = np.clip(params[1:end:2], -height, 2 * height)
    return replace(outline, params=params)


def _composite(coverage: NDArray[np.float32], tint: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The painting (H, W, 3) and, for each layer, d painting / d its coverage (K, H, W, 3)."""
    k, height, width = coverage.shape
    colors = tint.astype(np.float32)
    gains = np.empty((k, height, width, 3), dtype=np.float32)
    picture = np.broadcast_to(colors[0], (height, width, 3)).copy()
    for i in range(k):
        np.subtract(colors[i + 1], picture, out=gains[i])
        picture += coverage[i][..., None] * gains[i]
    clear = np.ones((height, width), dtype=np.float32)
    for i in range(k - 1, -1, -1):
        gains[i] *= clear[..., None]
        clear *= 1 - coverage[i]
    return picture, gains


def _normal_equations(
    entries: Sequence[Entries], gains: NDArray[np.float32], residual: NDArray[np.float32], offsets: NDArray[np.int64]
) -> tuple[Array, Array]:
    """J'J and J'r of the painting's pixels with respect to all parameters."""
    pixels = residual.shape[0] * residual.shape[1]
    rows, columns, values = [], [], []
    for k, (pixel, param, value) in enumerate(entries):
        gain = gains[k].reshape(-1, 3)[pixel]
        rows.append((pixel[:, None] * 3 + np.arange(3)).ravel())
        columns.append(np.repeat(param + offsets[k], 3))
        values.append((gain * value[:, None]).ravel())
    shape = (pixels * 3, int(offsets[-1]))
    jacobian = sparse.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    normal = (jacobian.T @ jacobian).toarray()
    return np.asarray(normal, dtype=np.float64), np.asarray(jacobian.T @ residual.ravel().astype(np.float64))

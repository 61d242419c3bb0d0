"""How much of each pixel outlines cover, exactly, and how that changes with their numbers.

In: `Outline`s. Out: coverage maps (H, W) in 0..1, and sparse derivatives: that of a polygon's coverage is an integral
along its edges, that of a stroke's follows from the distance to its centre line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from treesketch.search.outline import CLOSED_STROKES, STROKES, Array, Outline, boundary, center_line, stroke_points

SMOOTH = ("ring", "arc")  # strokes without joints


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
    a, b, weight = center_line(outline)
    coverage = np.zeros((height, width), dtype=np.float32)
    reach = weight / 2 + 1.5
    margin = reach if outline.kind in SMOOTH else 2.5 * reach
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
    if outline.kind not in SMOOTH:
        _miter(outline.kind in CLOSED_STROKES, a, along, squared, grid, unclamped, which, t, distance, normal)
    outer, slope = _half_plane(weight / 2 - distance, normal)
    inner, back = _half_plane(-weight / 2 - distance, normal)  # thin strokes: take away what lies beyond the far side
    coverage[rows + y0, columns + x0] = outer - inner
    edge = np.flatnonzero((slope != 0) | (back != 0))
    which, t, normal, slope, back = which[edge], t[edge], normal[edge], slope[edge], back[edge]
    rows = (rows[edge] + y0) * width + columns[edge] + x0
    push = slope - back
    n = len(a) + (outline.kind not in CLOSED_STROKES)
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
    if (slopes := stroke_points(outline)[1]) is not None:
        along_it = sparse.block_diag([slopes, np.ones((1, 1))], format="csr")
        chain = (sparse.csr_matrix((value, (pixel, param)), shape=(height * width, last + 1)) @ along_it).tocoo()
        pixel, param, value = chain.row.astype(np.int64), chain.col.astype(np.int64), chain.data
    return coverage, (pixel, param, value)


def cover(outlines: Sequence[Outline], height: int, width: int) -> NDArray[np.float32]:
    """Coverage (K, height, width) in 0..1 of each outline: exact for filled shapes, by distance for strokes."""
    return cover_with_slopes(outlines, height, width, False)[0]


Entries = tuple[NDArray[np.int64], NDArray[np.int64], Array]


def cover_with_slopes(
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
    shapes = [boundary(outlines[k]) for k in filled]
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

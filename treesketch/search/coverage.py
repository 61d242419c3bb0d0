"""How much of each pixel outlines cover, exactly, and how that changes with their numbers.

In: `Outline`s. Out: coverage maps (H, W) in 0..1, those of `treesketch.raster` but for its 8 bits, and their
derivatives at the pixels that an edge goes through: an integral along the edges of what is covered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treesketch.search.outline import Array, Outline, contours

NOTHING = 1e-6  # winding of a pixel that nothing covers


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


@dataclass(frozen=True, slots=True, eq=False)
class _Winding:
    """K shapes' winding numbers by pixel (K, H, W), and the edges a -> b (E, 2) that make them, cut in pieces.

    shape (E,) is the edge's shape, onward (E,) the edge that follows it.
    """

    winding: Array
    pieces: _Pieces
    a: Array
    b: Array
    shape: NDArray[np.int64]
    onward: NDArray[np.int64]


def _wind(shapes: Sequence[Sequence[Array]], height: int, width: int) -> _Winding:
    """The windings of shapes, each of closed contours (n, 2) in pixels."""
    rings = [ring for shape in shapes for ring in shape]
    counts = np.array([len(ring) for ring in rings])
    ends = np.cumsum(counts)
    onward = np.arange(1, ends[-1] + 1)
    onward[ends - 1] = ends - counts
    a = np.concatenate(rings)
    b = a[onward]
    layer = np.repeat(np.arange(len(shapes)), [sum(len(ring) for ring in shape) for shape in shapes])
    pieces = _cut(a, b)
    rise = (b[pieces.edge, 1] - a[pieces.edge, 1]) * (pieces.stop - pieces.start)
    inside = (pieces.row >= 0) & (pieces.row < height) & (pieces.column < width)
    column = np.maximum(pieces.column, 0)
    x = np.where(pieces.column < 0, 0.0, pieces.x)
    place = ((layer[pieces.edge] * height + pieces.row) * (width + 1) + column)[inside]
    x, rise = x[inside], rise[inside]
    size = len(shapes) * height * (width + 1)
    turned = np.bincount(place, rise * (1.0 - x), size) + np.bincount(place + 1, rise * x, size)
    winding = np.cumsum(turned.reshape(len(shapes), height, width + 1), axis=2)[:, :, :width]
    return _Winding(winding, pieces, a, b, layer, onward)


def cover(outlines: Sequence[Outline], height: int, width: int) -> NDArray[np.float32]:
    """Exact coverage (K, height, width) in 0..1 of each outline."""
    return cover_with_slopes(outlines, height, width, False)[0]


def _window(shapes: Sequence[Sequence[Array]], height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first column and row of the picture that shapes reach, and those behind the last."""
    points = np.concatenate([ring for rings in shapes for ring in rings])
    low, high = np.floor(points.min(axis=0)), np.floor(points.max(axis=0)) + 1  # an edge on a border may yet move on
    left, top = (int(max(value, 0)) for value in low)
    return (left, top), (int(min(high[0], width)), int(min(high[1], height)))


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """How an outline's coverage changes: pixel (T,) are those at its edge, value (T, parameters) what a step adds."""

    pixel: NDArray[np.int64]
    value: Array


def cover_with_slopes(
    outlines: Sequence[Outline], height: int, width: int, derivative: bool
) -> tuple[NDArray[np.float32], list[Slopes]]:
    """Coverage (K, height, width) of each outline, and how it changes with its parameters if that is wanted."""
    if not outlines:
        return np.zeros((0, height, width), np.float32), []
    shapes = [contours(outline, derivative) for outline in outlines]
    coverage = np.zeros((len(shapes), height, width), np.float32)
    (left, top), (right, bottom) = _window([rings for rings, _ in shapes], height, width)
    if left >= right or top >= bottom:
        nothing = np.zeros(0, np.int64)
        return coverage, [Slopes(nothing, np.zeros((0, len(o.params)))) for o in outlines] if derivative else []
    found = _wind([[ring - (left, top) for ring in rings] for rings, _ in shapes], bottom - top, right - left)
    winding, pieces = found.winding, found.pieces
    coverage[:, top:bottom, left:right] = np.minimum(np.abs(winding), 1.0)
    if not derivative:
        return coverage, []
    keep = (pieces.row >= 0) & (pieces.row < bottom - top) & (pieces.column >= 0) & (pieces.column < right - left)
    edge, start, stop = pieces.edge[keep], pieces.start[keep], pieces.stop[keep]
    row, column = pieces.row[keep], pieces.column[keep]
    pixel = (row + top) * width + column + left
    layer = found.shape[edge]
    # Where parts of a shape overlap an edge changes nothing; where nothing is covered yet it would add.
    here = winding[layer, row, column]
    whole = np.where(winding.sum(axis=(1, 2)) >= 0, 1.0, -1.0)
    sign = np.where(np.abs(here) < NOTHING, whole[layer], np.sign(here)) * (np.abs(here) < 1 + NOTHING)
    late = (stop**2 - start**2) / 2 * sign
    early = (stop - start) * sign - late
    along = (found.b - found.a)[edge]
    first = np.searchsorted(found.shape, np.arange(len(shapes)))
    local, onward = edge - first[layer], found.onward[edge] - first[layer]
    order = np.searchsorted(layer, np.arange(len(shapes) + 1))
    slopes = []
    for k, (_, slope) in enumerate(shapes):
        part = slice(order[k], order[k + 1])
        push = np.stack([-along[part, 1], along[part, 0]], axis=1)  # what a step of the edge across and down adds
        ends = (local[part], early[part]), (onward[part], late[part])
        touched, entry = np.unique(pixel[part], return_inverse=True)
        if slope is None:
            count = len(outlines[k].params)
            param = np.concatenate([2 * point[:, None] + (0, 1) for point, _ in ends]).ravel()
            value = np.concatenate([push * share[:, None] for _, share in ends]).ravel()
            place = np.tile(np.repeat(entry, 2), 2) * count + param
            total: Array = np.bincount(place, value, len(touched) * count).reshape(-1, count).astype(np.float64)
            slopes.append(Slopes(touched, total))
            continue
        by_pixel = np.argsort(entry, kind="stable")
        felt = np.zeros((len(entry), slope.shape[2]))
        for point, share in ends:
            across, down = (push * share[:, None])[by_pixel].T[:, :, None]
            felt += across * slope[point[by_pixel], 0] + down * slope[point[by_pixel], 1]
        starts = np.searchsorted(entry[by_pixel], np.arange(len(touched)))
        slopes.append(Slopes(touched, np.add.reduceat(felt, starts) if len(touched) else felt))
    return coverage, slopes

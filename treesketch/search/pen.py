"""What a round pen leaves along a line, and how that changes with the line and the pen's weight.

In: the line's points (n, 2) in pixels and a weight. Out: closed contours that together (non-zero winding) are the
stroke, corner for corner as `treesketch.strokes` outlines it with round caps and mitred joins, and their derivative.
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from treesketch.strokes import FINEST_TURN, MITER_LIMIT, SHORTEST_EDGE

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

TOLERANCE = 0.02  # pixels between a round join or cap and the chords that stand for it


class _Rim(NamedTuple):
    """Points of a contour (m,), each off a corner of the line: at corner + half * reach * normal of an edge.

    angle is that edge's, `share` of the way from that of the edge before the corner to that of the one after it; at a
    cap it goes on from the end's. reach is negative to the right, and `stretch` is its change with the turn.
    """

    corner: Index
    before: Index
    after: Index
    share: Array
    angle: Array
    reach: Array
    stretch: Array


def widen(points: Array, bends: Mask, closed: bool, weight: float) -> tuple[list[Array], sparse.csr_matrix]:
    """The contours, each (m, 2), of a stroke along a line, and their derivative (2M, 2n + 1) for all M points of them.

    points is (n, 2). bends (n,) says which corners belong to a curve and are always round; others are mitred, or cut
    off beyond the mitre limit. The derivative is by the line's points, x y pairs in a row, and by the weight.
    """
    half, kept = weight / 2, _apart(points, closed)
    closed &= len(kept) > 1
    line = points[kept]
    edges = (np.roll(line, -1, axis=0) if closed else line[1:]) - (line if closed else line[:-1])
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    if len(kept) == 1:  # a dot: its caps face any way
        edges, lengths = np.array([[1.0, 0.0]]), np.array([np.inf])
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    left, right = _sides(edges, lengths, angles, bends[kept], closed, half)
    back = tuple(column[::-1] for column in right)
    if closed:
        parts: list[tuple[NDArray[Any], ...]] = [left, back]
    else:
        last, first = _cap(len(line) - 1, len(edges) - 1, angles[-1], half), _cap(0, 0, angles[0] + np.pi, half)
        parts = [left, last, back, first]
    rim = _Rim._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
    normal = np.stack([-np.sin(rim.angle), np.cos(rim.angle)], axis=1)
    outline = line[rim.corner] + half * rim.reach[:, None] * normal
    # How a point moves with the angles of the two edges, and how those move with their ends.
    along = half * rim.reach[:, None] * np.stack([-normal[:, 1], normal[:, 0]], axis=1)
    stretched = half * rim.stretch[:, None] * normal
    across = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / lengths[:, None] ** 2
    tail, head = kept[: len(edges)], np.roll(kept, -1)[: len(edges)]
    early = (along * (1 - rim.share)[:, None] - stretched)[:, :, None] * across[rim.before][:, None]  # (M, 2, 2)
    late = (along * rim.share[:, None] + stretched)[:, :, None] * across[rim.after][:, None]
    count = len(outline)
    blocks = np.concatenate([-early, early, -late, late])
    ends = np.concatenate([tail[rim.before], head[rim.before], tail[rim.after], head[rim.after]])
    rows = 2 * np.arange(count)[:, None] + (0, 1)
    row = [np.tile(np.repeat(rows, 2, axis=1).ravel(), 4), rows.ravel(), rows.ravel()]
    column = [
        (2 * ends[:, None] + (0, 1, 0, 1)).ravel(),
        (2 * kept[rim.corner][:, None] + (0, 1)).ravel(),
        np.full(2 * count, 2 * len(points)),
    ]
    value = [blocks.ravel(), np.ones(2 * count), (rim.reach[:, None] * normal / 2).ravel()]
    shape = (2 * count, 2 * len(points) + 1)
    slope = sparse.csr_matrix((np.concatenate(value), (np.concatenate(row), np.concatenate(column))), shape=shape)
    return (np.split(outline, [len(left.corner)]) if closed else [outline]), slope


def _apart(points: Array, closed: bool) -> Index:
    """The points that an edge of some length leaves, and the last; one where there is no such edge."""
    onward = np.roll(points, -1, axis=0) - points
    far = np.hypot(onward[:, 0], onward[:, 1]) >= SHORTEST_EDGE
    if not closed:
        far[-1] = False
    kept = np.flatnonzero(far)
    if not len(kept):
        return np.zeros(1, np.int64)
    return kept if closed else np.append(kept, kept[-1] + 1)


def _sides(edges: Array, lengths: Array, angles: Array, bends: Mask, closed: bool, half: float) -> tuple[_Rim, _Rim]:
    """The left and the right side of a stroke at the corners of its line, the ends of an open one not included."""
    count = len(edges)
    corner = np.arange(count) if closed else np.arange(1, count)
    before, after = (corner - 1) % count, corner % count
    sine = edges[before, 0] * edges[after, 1] - edges[before, 1] * edges[after, 0]
    cosine = (edges[before] * edges[after]).sum(axis=1)
    turn = np.where(sine > 0, 1.0, -1.0) * np.arctan2(np.abs(sine), cosine)
    bent = bends[corner]
    opening = np.maximum(np.cos(turn / 2), 1e-6)
    flat = half * (1 / opening - 1) <= TOLERANCE
    pointed = flat | (~bent & (opening * MITER_LIMIT >= 1))
    short = np.zeros(count + 1)  # how much of each edge the inner side takes at its beginning; at its end is the next's
    short[corner] = half * np.abs(np.tan(turn / 2))
    if closed:
        short[-1] = short[0]
    spare = lengths - short[:-1] - short[1:]
    tidy = (np.minimum(spare[before], spare[after]) >= 0) | (flat & bent)
    arc = np.array([_chords(angle, half) + 1 for angle in np.abs(turn)]) if bent.any() else np.zeros(len(turn), int)
    found = []
    for side in (1.0, -1.0):
        outer = turn <= 0 if side > 0 else turn > 0
        single = np.where(outer, pointed, tidy)
        many = np.where(single, 1, np.where(bent, arc, np.where(outer, 2, 3)))
        k = np.repeat(np.arange(len(corner)), many)
        place = np.arange(len(k)) - np.repeat(np.cumsum(many) - many, many)
        share = np.where(single[k], 0.5, place / np.maximum(many[k] - 1, 1))
        at_corner = (
            ~single[k] & ~outer[k] & ~bent[k] & (place == 1)
        )  # the inner side has no room and goes by the corner
        reach = np.where(single[k], 1 / opening[k], np.where(at_corner, 0.0, 1.0))
        stretch = np.where(single[k], np.tan(turn[k] / 2) / opening[k] / 2, 0.0)
        angle = angles[before[k]] + share * turn[k]
        found.append(_Rim(corner[k], before[k], after[k], share, angle, side * reach, side * stretch))
    return found[0], found[1]


def _cap(corner: int, edge: int, angle: float, half: float) -> _Rim:
    """The points around an end of the line, where its edge leaves at that angle."""
    along = np.linspace(0.0, np.pi, _chords(np.pi, half) + 1)
    same, none = np.full(len(along), edge), np.zeros(len(along))
    return _Rim(np.full(len(along), corner), same, same, none, angle - along, none + 1, none)


def _chords(angle: float, radius: float) -> int:
    """How many chords stand for a part of a circle, of that angle in radians."""
    step = max(FINEST_TURN, 2 * np.arccos(max(0.0, 1 - TOLERANCE / radius)))
    return max(1, int(np.ceil(angle / step)))

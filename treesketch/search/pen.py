"""What a round pen leaves along a line, and how that changes with the line and the pen's weight.

In: the line's points (n, 2) in pixels and a weight. Out: closed contours that together (non-zero winding) are the
stroke, corner for corner as `treesketch.strokes` outlines it with round caps and mitred joins, and their derivative.
"""

import math
from typing import Any, NamedTuple

import numpy as np
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


def widen(
    points: Array, slope: Array | None, bends: Mask, closed: bool, weight: float
) -> tuple[list[Array], Array | None]:
    """The contours, each (m, 2), of a stroke along a line, and how their points change with what moves the line.

    points is (n, 2). bends (n,) says which corners belong to a curve and are always round; others are mitred, or cut
    off beyond the mitre limit. slope (n, 2, parameters) is how the line's points change; the answer, (M, 2, parameters
    + 1) for all M points of the contours, has the weight as its last parameter. Without slope it is None.
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
    away = rim.reach[:, None] * normal
    outline = line[rim.corner] + half * away
    sides = np.split(outline, [len(left.corner)]) if closed else [outline]
    if slope is None:
        return sides, None
    # How a point moves with the angles of the two edges, and how those move with their ends.
    along = half * rim.reach[:, None] * np.stack([-normal[:, 1], normal[:, 0]], axis=1)
    stretched = half * rim.stretch[:, None] * normal
    across = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / lengths[:, None] ** 2
    moved = slope[kept]
    head = np.concatenate([moved[1:], moved[:1]])[: len(edges)]
    turned = np.einsum("ec,ecp->ep", across, head - moved[: len(edges)])  # (edges, parameters): of their angles
    found = np.empty((len(outline), 2, slope.shape[2] + 1))
    found[:, :, :-1] = moved[rim.corner]
    found[:, :, :-1] += (along * (1 - rim.share)[:, None] - stretched)[:, :, None] * turned[rim.before][:, None]
    found[:, :, :-1] += (along * rim.share[:, None] + stretched)[:, :, None] * turned[rim.after][:, None]
    found[:, :, -1] = away / 2
    return sides, found


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
    arc = _chords(np.abs(turn), half) + 1
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
    along = np.linspace(0.0, np.pi, int(_chords(np.array([np.pi]), half)[0]) + 1)
    same, none = np.full(len(along), edge), np.zeros(len(along))
    return _Rim(np.full(len(along), corner), same, same, none, angle - along, none + 1, none)


def _chords(angles: Array, radius: float) -> Index:
    """How many chords stand for parts of a circle, of those angles in radians."""
    step = max(FINEST_TURN, 2 * math.acos(max(0.0, 1 - TOLERANCE / radius)))
    return np.maximum(np.ceil(angles / step).astype(np.int64), 1)

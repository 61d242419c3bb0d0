"""The outline of a stroke along a line, as polygons. Points and a weight in, in any units; points in the same out."""

import math

import numpy as np
import numpy.typing as npt

MITER_LIMIT = 10.0  # miter length over stroke weight, as Java2D's BasicStroke has it
FINEST_TURN = 0.002  # radians between points of a cap or a round join, so that enormous ones stay affordable
SHORTEST_EDGE = 1e-9  # a shorter edge has no direction worth a join

Points = npt.NDArray[np.float64]  # (n, 2)
Mask = npt.NDArray[np.bool_]  # (n,)


def widen(
    points: Points, bends: Mask | None, closed: bool, half: float, cap: str, join: str, tolerance: float
) -> list[Points]:
    """The outline of a stroke of weight 2 * half along a line (n, 2), in the line's units.

    bends (n,) says which corners belong to a curve and are always round, None that none do.
    All polygons wind the same way, a hole the other, so non-zero winding gives the union. On the inner side of a
    corner the two sides meet where they cross; only where a neighbour is too short for that they go by the corner.
    On the inner side of a curve they follow its offset even where that has turned inside out, so a stroke wider than
    its ellipse leaves a hole: Processing and resvg both draw it.
    """
    edges = (following(points) if closed else points[1:]) - (points if closed else points[:-1])
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
        spare = lengths - short - following(short)
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


def following(rows: Points) -> Points:
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

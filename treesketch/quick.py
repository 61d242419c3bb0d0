"""The common shapes to polygons in pixels, quickly: few straight sides, or one smooth closed curve.

`raster` draws any shape; most shapes of most programs are these, and numpy's overhead on a handful of points is most of
what they would cost there. A shape that is not so simple (a round join, a side too short for its corners, an uneven
scale) gets None here and the general way in `raster`. The rules are the same, and a test holds that the polygons are.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]  # (n, 2)
Corners = list[tuple[float, float]]

MOST_SIDES = 12  # of a polygon, or cubics of a curve


def widen_straight(
    points: Corners, closed: bool, half: float, cap: str, miter_limit: float, finest: float
) -> list[Corners] | None:
    """The outline of a stroke of weight 2 * half with mitred corners along straight lines: one polygon, or two.

    A corner too sharp for its mitre is bevelled. None where a side is too short for the inner side of its corners.
    finest is the angle in radians between points of a round cap.
    """
    count = len(points)
    directions: Corners = []
    lengths: list[float] = []
    for i in range(count if closed else count - 1):
        (ax, ay), (bx, by) = points[i], points[(i + 1) % count]
        dx, dy = bx - ax, by - ay
        length = math.sqrt(dx * dx + dy * dy)
        if length < 1e-6:
            return None
        directions.append((dx / length, dy / length))
        lengths.append(length)
    left: Corners = []
    right: Corners = []
    spare = lengths.copy()
    for i in range(0 if closed else 1, count if closed else count - 1):
        (ux, uy), (vx, vy) = directions[i - 1], directions[i]
        opening, sine = max(1 + ux * vx + uy * vy, 1e-12), ux * vy - uy * vx
        taken = half * abs(sine) / opening
        spare[i - 1] -= taken
        spare[i] -= taken
        sx, sy = -(uy + vy) * half / opening, (ux + vx) * half / opening
        x, y = points[i]
        if opening * miter_limit * miter_limit >= 2:
            left.append((x + sx, y + sy))
            right.append((x - sx, y - sy))
        elif sine <= 0:  # the outer side is the left where the line turns right
            left += ((x - uy * half, y + ux * half), (x - vy * half, y + vx * half))
            right.append((x - sx, y - sy))
        else:
            left.append((x + sx, y + sy))
            right += ((x + uy * half, y - ux * half), (x + vy * half, y - vx * half))
    if min(spare) < 0:
        return None
    if closed:
        right.reverse()
        return [left, right]
    (fx, fy), (lx, ly) = points[0], points[-1]
    (ux, uy), (vx, vy) = directions[0], directions[-1]
    ux, uy, vx, vy = ux * half, uy * half, vx * half, vy * half
    right.reverse()
    return [
        [
            (fx - uy, fy + ux),
            *left,
            (lx - vy, ly + vx),
            *_cap(lx, ly, vx, vy, cap, finest),
            (lx + vy, ly - vx),
            *right,
            (fx + uy, fy - ux),
            *_cap(fx, fy, -ux, -uy, cap, finest),
        ]
    ]


def _cap(x: float, y: float, ux: float, uy: float, cap: str, finest: float) -> Corners:
    """The points between the two corners of a line's end; (ux, uy) points half a weight out of the line."""
    if cap == "round":
        return [(x + ux * s - uy * c, y + uy * s + ux * c) for c, s in _half_turn(max(1, math.ceil(math.pi / finest)))]
    if cap == "project":
        return [(x + ux - uy, y + uy + ux), (x + ux + uy, y + uy - ux)]
    return []


@lru_cache(maxsize=256)
def _half_turn(count: int) -> Corners:
    """The points of a half circle cut into so many chords, without its ends: cosine, sine."""
    return [(math.cos(math.pi * i / count), math.sin(math.pi * i / count)) for i in range(1, count)]


def is_rectangle(points: Sequence[tuple[float, float]]) -> bool:
    """Whether four points are corners in order of a rectangle along the axes."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    return ay == by and bx == cx and cy == dy and dx == ax


def widen_rectangle(points: Sequence[tuple[float, float]], half: float) -> list[Corners]:
    """The outer and the inner parallelogram of a rectangle's stroke, as Java2D's PixelToParallelogramConverter has it.

    Three corners count, the fourth follows. A side of no length is taken to stand at a right angle on the other.
    """
    (ax, ay), (bx, by), _, (dx, dy) = points
    ux, uy, vx, vy = bx - ax, by - ay, dx - ax, dy - ay
    wide, high = math.hypot(ux, uy), math.hypot(vx, vy)
    px, py = (ux / wide, uy / wide) if wide else (0.0, 0.0)
    qx, qy = (vx / high, vy / high) if high else (-py, px) if wide else (0.0, 1.0)
    if not wide:
        px, py = qy, -qx

    def frame(grow: float) -> Corners:
        x, y = ax - grow * (px + qx), ay - grow * (py + qy)
        rx, ry = ux + 2 * grow * px, uy + 2 * grow * py
        sx, sy = vx + 2 * grow * qx, vy + 2 * grow * qy
        return [(x, y), (x + rx, y + ry), (x + rx + sx, y + ry + sy), (x + sx, y + sy)]

    outer = frame(half)
    return [outer] if 2 * half >= min(wide, high) else [outer, frame(-half)[::-1]]


def is_smooth(points: Sequence[tuple[float, float]]) -> bool:
    """Whether a closed run of cubics (start, then three points each) goes on without a corner all around."""
    if points[0] != points[-1]:
        return False
    for i in range(3, len(points), 3):
        (bx, by), (x, y), (ax, ay) = points[i - 1], points[i], points[i + 1 if i + 1 < len(points) else 1]
        lx, ly, ex, ey = x - bx, y - by, ax - x, ay - y
        if not abs(lx * ey - ly * ex) < 1e-3 * (lx * ex + ly * ey):
            return False
    return True


def most_bent(points: Sequence[tuple[float, float]]) -> float:
    """The largest second difference of a run of cubics' control points, which says how many chords they need."""
    most = 0.0
    for i in range(0, len(points) - 1, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[i : i + 4]
        for x, y in ((ax - 2 * bx + cx, ay - 2 * by + cy), (bx - 2 * cx + dx, by - 2 * cy + dy)):
            most = max(most, x * x + y * y)
    return math.sqrt(most)


def widen_smooth(points: Points, tangents: Points, swing: float, half: float, tolerance: float) -> list[Points] | None:
    """The two sides of a stroke along a closed curve without corners, given its derivative at each of its points.

    swing is the most that the derivative changes from one point to the next. None where there is no direction at a
    point, or the curve turns so fast that a side would leave it by more than the tolerance between two points.
    """
    lengths = np.hypot(tangents[:, 0], tangents[:, 1])
    slowest = float(lengths.min())
    if not slowest > 0:
        return None
    turn = swing / (slowest - swing / 2) if slowest > swing else math.inf  # radians at most, which is quick to know
    if turn > 1 or half * turn * turn / 4 > tolerance:
        along = tangents / lengths[:, None]
        cosine = min(float(np.einsum("ij,ij->i", along[1:], along[:-1]).min()), float(along[0] @ along[-1]))
        if half * (math.sqrt(2 / max(1 + cosine, 1e-12)) - 1) > tolerance:
            return None
    reach = tangents * (half / lengths)[:, None]
    aside = np.empty_like(reach)
    np.negative(reach[:, 1], out=aside[:, 0])
    aside[:, 1] = reach[:, 0]
    return [points + aside, (points - aside)[::-1]]


@lru_cache(maxsize=128)
def bernstein(count: int) -> npt.NDArray[np.float64]:
    """Bernstein's weights of a cubic's four points at the ends of `count` chords: (count, 4)."""
    t = np.arange(1, count + 1) / count
    return np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3], axis=1)


def between(points: Points, start: float, end: float) -> Points:
    """A segment's part between two of its parameters, by blossoming: control i has `end` i times."""
    degree = len(points) - 1
    found = []
    for i in range(degree + 1):
        row = points
        for t in [end] * i + [start] * (degree - i):
            row = row[:-1] * (1 - t) + row[1:] * t
        found.append(row[0])
    return np.array(found)


@lru_cache(maxsize=64)
def chords(cubics: int, count: int) -> tuple[Points, Points]:
    """What makes of a run's control points the ends of its chords, `count` to a cubic, and the derivatives there.

    Both are (cubics * count, 3 * cubics + 1): Bernstein's weights, and their derivatives, for one cubic after another.
    """
    t, weights = np.arange(1, count + 1) / count, bernstein(count)
    rates = np.stack([-3 * (1 - t) ** 2, 3 * (1 - t) * (1 - 3 * t), 3 * t * (2 - 3 * t), 3 * t * t], axis=1)
    found = np.zeros((2, cubics, count, 3 * cubics + 1))
    for i in range(cubics):
        found[:, i, :, 3 * i : 3 * i + 4] = weights, rates
    along, directions = found.reshape(2, cubics * count, -1)
    return along, directions

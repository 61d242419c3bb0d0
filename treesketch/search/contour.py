"""From a region's outline to simple shapes: sub-pixel contours, straight sides, ellipses, centre lines.

In: membership maps (H, W) in 0..1. Out: contours in pixels and `Outline`s fitted to them by weighted least squares. A
point of a contour has a weight: what it would cost (in squared colour difference) to draw it one pixel off; near zero
where another shape hides it, which is how hidden parts get completed.
"""

from collections.abc import Sequence

import contourpy
import numpy as np
from numpy.typing import NDArray

from treesketch.search.outline import Outline

Array = NDArray[np.float64]
Circle = tuple[float, float, float]  # centre and radius, in pixels

STRAIGHT = 1.2  # pixels that a contour may be off what is straight of a slice: its tip is blunt
LEAST_BLOCKS = 40  # pixels of a region that may be several rectangles
MOST_STRIPES = 16  # rows, or columns, of the table that a region of upright sides is


def contours(member: NDArray[np.float32]) -> list[Array]:
    """Closed contours (n, 2) at half membership, the longest first, in pixels (a pixel's centre is at .5)."""
    padded = np.pad(member, 1)
    lines = contourpy.contour_generator(z=padded).lines(0.5)
    found = [np.asarray(line, dtype=np.float64)[:-1] - 0.5 for line in lines if len(line) > 3]
    return sorted(found, key=lambda line: -_length(line))


def _length(line: Array) -> float:
    return float(np.sqrt(((np.roll(line, -1, axis=0) - line) ** 2).sum(axis=1)).sum())


def resample(line: Array, most: int = 200, closed: bool = True) -> Array:
    """Points at equal steps of about .8 pixel along a contour, at most `most`."""
    ends = np.concatenate([line, line[:1]]) if closed else line
    steps = np.sqrt((np.diff(ends, axis=0) ** 2).sum(axis=1))
    place = np.concatenate([[0.0], np.cumsum(steps)])
    count = int(np.clip(np.ceil(place[-1] / 0.8), 8, most))
    at = np.linspace(0.0, place[-1], count, endpoint=not closed)
    return np.stack([np.interp(at, place, ends[:, 0]), np.interp(at, place, ends[:, 1])], axis=1)


def normals(points: Array) -> Array:
    """Outward unit normals (n, 2) of a closed contour."""
    along = np.roll(points, -2, axis=0) - np.roll(points, 2, axis=0)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1)
    normal /= np.maximum(np.sqrt((normal**2).sum(axis=1)), 1e-9)[:, None]
    x, y = points.T
    area = (x * np.roll(y, -1) - np.roll(x, -1) * y).sum()
    return normal if area >= 0 else -normal


class Sides:
    """Least-squares lines through stretches of a contour, and the best ways to cut it into k stretches.

    Dynamic programming over all cuts (after Perez and Vidal 1994, with line fits instead of chords): `polygon(k)` has
    the k sides whose weighted squared distances to the contour are least, its corners where neighbouring sides meet.
    """

    def __init__(self, points: Array, weight: Array, most: int = 40, closed: bool = True):
        self.closed = closed
        if closed:
            start = _sharpest(points, weight)
            points, weight = np.roll(points, -start, axis=0), np.roll(weight, -start)
            points, weight = np.concatenate([points, points[:1]]), np.append(weight, weight[0])
        self.points, self.weight = points, weight
        n = len(points)
        self.middle = points.mean(axis=0)
        x, y = (points - self.middle).T
        terms = np.stack([np.ones(n), x, y, x * x, x * y, y * y]) * weight
        self.sums = np.concatenate([np.zeros((6, 1)), np.cumsum(terms, axis=1)], axis=1)
        price = self._prices()
        most = min(most, n - 1)
        cost = np.full((most + 1, n), np.inf)
        cost[0, 0] = 0.0
        self.back = np.zeros((most + 1, n), dtype=np.int64)
        for k in range(1, most + 1):
            total = cost[k - 1][:, None] + price
            self.back[k] = total.argmin(axis=0)
            cost[k] = total[self.back[k], np.arange(n)]
        self.cost = cost[:, -1]  # of cutting into k stretches

    def _prices(self) -> Array:
        """(n, n): the weighted squared distance of points i..j from their best line; infinite unless i < j."""
        s = self.sums[:, None, 1:] - self.sums[:, :-1, None]  # (6, i, j)
        w = np.maximum(s[0], 1e-9)
        xx, xy, yy = s[3] - s[1] ** 2 / w, s[4] - s[1] * s[2] / w, s[5] - s[2] ** 2 / w
        least = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
        n = len(self.points)
        return np.where(np.arange(n)[:, None] < np.arange(n)[None], np.maximum(least, 0.0), np.inf)

    def cuts(self, k: int) -> list[int]:
        """Where the best k stretches begin and end: k + 1 indices."""
        place, result = len(self.points) - 1, [len(self.points) - 1]
        for step in range(k, 0, -1):
            place = int(self.back[step][place])
            result.append(place)
        return result[::-1]

    def corners(self, k: int) -> Array:
        """The corners (k, 2) of the best polygon with k sides, or the k + 1 vertices of the best open polyline."""
        cuts = np.array(self.cuts(k))
        first, last = cuts[:-1], cuts[1:]
        s = self.sums[:, last + 1] - self.sums[:, first]  # (6, k)
        w = np.maximum(s[0], 1e-9)
        x, y = s[1] / w, s[2] / w
        xx, xy, yy = s[3] / w - x * x, s[4] / w - x * y, s[5] / w - y * y
        angle = np.arctan2(2 * xy, xx - yy) / 2
        direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        center = np.stack([x, y], axis=1) + self.middle
        if self.closed:
            before = np.arange(k) - 1
            return _meet(center[before], direction[before], center, direction, self.points[first])
        inner = _meet(center[:-1], direction[:-1], center[1:], direction[1:], self.points[first[1:]])
        ends = [_foot(self.points[i], center[j], direction[j])[None] for i, j in ((0, 0), (-1, -1))]
        return np.concatenate([ends[0], inner, ends[1]])


def _foot(point: Array, center: Array, direction: Array) -> Array:
    """The points (..., 2) of lines that are nearest to given points."""
    along = ((point - center) * direction).sum(axis=-1, keepdims=True)
    return np.asarray(center + direction * along)


def _meet(p: Array, u: Array, q: Array, v: Array, near: Array) -> Array:
    """Where lines p + u and q + v meet (n, 2); where that is far from the contour, between the contour point's feet."""
    turn = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    between = (_foot(near, p, u) + _foot(near, q, v)) / 2
    safe = np.where(np.abs(turn) < 0.05, 1.0, turn)
    gap = q - p
    meeting = p + u * ((gap[:, 0] * v[:, 1] - gap[:, 1] * v[:, 0]) / safe)[:, None]
    close = (np.abs(turn) >= 0.05) & (((meeting - near) ** 2).sum(axis=1) < (3.0 + 0.5 / np.abs(safe)) ** 2)
    return np.asarray(np.where(close[:, None], meeting, between))


def _sharpest(points: Array, weight: Array) -> int:
    """The index of the point where a closed contour turns most (and can be seen)."""
    reach = max(2, min(5, len(points) // 8))
    before, after = points - np.roll(points, reach, axis=0), np.roll(points, -reach, axis=0) - points
    size = np.sqrt((before**2).sum(axis=1) * (after**2).sum(axis=1))
    straight = (before * after).sum(axis=1) / np.maximum(size, 1e-9)
    return int((straight - 1e-3 * (weight > weight.max() * 0.1)).argmin())


def fit_rect(points: Array, weight: Array) -> Outline | None:
    """The upright rectangle through a contour's visible sides; hidden sides stay at the contour's extent."""
    normal = normals(points)
    low, high = points.min(axis=0), points.max(axis=0)
    sides = []
    for axis, sign, extent in ((0, -1, low[0]), (1, -1, low[1]), (0, 1, high[0]), (1, 1, high[1])):
        facing = (normal[:, axis] * sign > 0.9) & (weight > 0.1 * weight.max())
        facing &= np.abs(points[:, axis] - extent) < 0.15 * (high - low)[axis] + 1.0
        place = _median(points[facing, axis], weight[facing]) if facing.sum() > 1 else extent
        sides.append(place)
    if sides[2] - sides[0] < 0.3 or sides[3] - sides[1] < 0.3:
        return None
    return Outline("rect", np.array(sides))


def fit_rounded(box: Outline, member: NDArray[np.float32]) -> Outline | None:
    """The rectangle with its corners rounded so much that it covers as much as a region does, if they are round."""
    radius = corner_radius(box, float(member.sum()))
    return Outline("rounded", np.append(box.params, radius)) if radius is not None and radius > 1.0 else None


def corner_radius(box: Outline, area: float) -> float | None:
    """The radius of a rectangle's corners with which it has that area, at most half a side; None if far more is gone.

    A parabola cuts off a sixth of the square on its radius.
    """
    x0, y0, x1, y1 = box.params
    shorter = float(min(x1 - x0, y1 - y0))
    radius = float(np.sqrt(max(1.5 * ((x1 - x0) * (y1 - y0) - area), 0.0)))
    return min(radius, 0.5 * shorter) if radius <= 0.6 * shorter else None


def blocks(member: NDArray[np.float32], most: int = 8) -> list[Outline]:
    """A region of upright sides, with holes or without, as the fewest rectangles that it is made of; [] if it is none.

    Rows and columns that are alike become one, so that a region is a small table of cells; of all rectangles in it
    those go in first that cover most of what is left. At most `most` rectangles, to whole pixels.
    """
    inside = member > 0.5
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if len(rows) < 4 or len(columns) < 4 or inside.sum() < LEAST_BLOCKS:
        return []
    box = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tops, lefts = _stripes(box), _stripes(box.T)
    if max(len(tops), len(lefts)) > MOST_STRIPES or len(tops) + len(lefts) < 3:
        return []
    bottoms, rights = np.append(tops[1:], box.shape[0]), np.append(lefts[1:], box.shape[1])
    middle = np.ix_((tops + bottoms) // 2, (lefts + rights) // 2)
    cells, area = box[middle], np.outer(bottoms - tops, rights - lefts)
    drawn = np.repeat(np.repeat(cells, bottoms - tops, axis=0), rights - lefts, axis=1)
    if (drawn != box).sum() > 0.02 * box.sum() + 1:
        return []
    found: list[tuple[int, int, int, int]] = []
    left = cells.copy()
    while left.any() and len(found) < most:
        best = max(_rectangles(cells), key=lambda r: (left * area)[r[0] : r[1], r[2] : r[3]].sum())
        found.append(best)
        left[best[0] : best[1], best[2] : best[3]] = False
    if left.any():
        return []
    for one in list(found):  # the first may be covered by later ones
        rest = np.zeros_like(cells)
        for top, bottom, first, last in found:
            rest[top:bottom, first:last] |= (top, bottom, first, last) != one
        if rest[one[0] : one[1], one[2] : one[3]].all():
            found.remove(one)
    x0, y0 = columns[0], rows[0]
    return [
        Outline("rect", np.array([x0 + lefts[c], y0 + tops[a], x0 + rights[d - 1], y0 + bottoms[b - 1]], float))
        for a, b, c, d in found
    ]


def _stripes(table: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where rows begin that are unlike the one before by more than a pixel or two; single odd rows do not count."""
    odd = 1 + table.shape[1] // 50
    starts = [0]
    for row in range(1, len(table)):
        if (table[row] != table[starts[-1]]).sum() > odd and (
            row + 1 == len(table) or (table[row + 1] != table[starts[-1]]).sum() > odd
        ):
            starts.append(row)
    return np.array(starts)


def _rectangles(cells: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """All largest rectangles of a table's true cells: first and last row, first and last column, ends exclusive."""
    found = []
    height, width = cells.shape
    for top in range(height):
        whole = np.ones(width, bool)
        for bottom in range(top + 1, height + 1):
            whole = whole & cells[bottom - 1]
            edges = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]]).astype(np.int8)))
            found += [(top, bottom, int(first), int(last)) for first, last in edges.reshape(-1, 2)]
    return found


def _median(values: Array, weight: Array) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def fit_rounds(points: Array, weight: Array) -> list[Outline]:
    """The circle, upright ellipse and turned ellipse nearest to a contour (algebraic least squares), where they
    exist.
    """
    if len(points) < 6:
        return []
    middle = points.mean(axis=0)
    scale = max(float(np.abs(points - middle).max()), 1e-6)
    x, y = ((points - middle) / scale).T
    root = np.sqrt(weight)
    found = []
    one = np.ones_like(x)
    try:
        if circle := fit_circle(points, weight):
            found.append(Outline("circle", np.array(circle)))
        # Upright: x^2 + c y^2 + d x + e y + f = 0, once scaled by x^2 and once by y^2 for balance.
        c, d, e, f = np.linalg.lstsq(
            np.stack([y * y - x * x, x, y, one], axis=1) * root[:, None], -(x * x) * root, rcond=None
        )[0]
        a = 1 - c
        if a > 1e-3 and c > 1e-3:
            cx, cy = -d / (2 * a), -e / (2 * c)
            k = a * cx * cx + c * cy * cy - f
            if k > 0:
                found.append(
                    Outline(
                        "ellipse",
                        np.array(
                            [
                                cx * scale + middle[0],
                                cy * scale + middle[1],
                                np.sqrt(k / a) * scale,
                                np.sqrt(k / c) * scale,
                            ]
                        ),
                    )
                )
        oval = _halir(x, y, weight)
        if oval is not None:
            cx, cy, rx, ry, angle = oval
            found.append(
                Outline(
                    "oval", np.array([cx * scale + middle[0], cy * scale + middle[1], rx * scale, ry * scale, angle])
                )
            )
    except np.linalg.LinAlgError:
        return found
    return [o for o in found if np.all(np.isfinite(o.params)) and np.abs(o.params[2:4]).max() < 20 * scale]


def fit_slices(points: Array, weight: Array) -> list[Outline]:
    """The slice of a disc, and the disc cut straight, nearest to a contour of which most lies on one circle."""
    n = len(points)
    found = _circle_along(points, weight)
    if found is None:
        return []
    circle, on = found
    off = np.flatnonzero(~on)
    if not 2 <= len(off) <= 0.75 * n:
        return []
    # The longest stretch on the circle is the arc; what else lies on it does so by chance.
    gaps = np.diff(np.append(off, off[0] + n))
    longest = int(gaps.argmax())
    first, many = int(off[longest]), int(gaps[longest])
    arc = points[(first + np.arange(1, many)) % n]
    if len(arc) < max(5, 0.25 * n):
        return []
    cx, cy, r = circle
    start, stop = swept(arc, circle)
    if not 0.3 < stop - start < 2 * np.pi - 0.15:
        return []
    params = np.array([cx, cy, r, r, start, stop])
    # What is not on the arc must be straight: between its ends, or from them to the centre.
    rest, ends, center = points[off], (arc[0], arc[-1]), np.array([cx, cy])
    straight = {
        "sector": np.minimum(distance(rest, center, ends[0]), distance(rest, center, ends[1])),
        "segment": distance(rest, *ends),
    }
    seen = weight[off] > 0.1 * weight.max()
    return [Outline(kind, params) for kind, away in straight.items() if (away[seen] < STRAIGHT).all()]


def swept(arc: Array, circle: Circle) -> tuple[float, float]:
    """The angles, start and stop, that points (n, 2) in a row along a circle go through; start is in 0..2 pi."""
    angles = np.unwrap(np.arctan2(arc[:, 1] - circle[1], arc[:, 0] - circle[0]))
    start, stop = sorted((float(angles[0]), float(angles[-1])))
    turn = 2 * np.pi * float(np.floor(start / (2 * np.pi)))
    return start - turn, stop - turn


def distance(points: Array, a: Array, b: Array) -> Array:
    """From points (n, 2) to the stretch between two others."""
    along = b - a
    t = np.clip((points - a) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    return np.asarray(np.hypot(*(points - a - t[:, None] * along).T))


def fit_crescent(points: Array) -> tuple[Outline, Outline] | None:
    """A disc and the disc that cuts it, where a contour is two arcs of which one bends inwards."""
    found = _circle_along(points, np.ones(len(points)))
    if found is None or not 0.3 * len(points) < found[1].sum() < 0.9 * len(points):
        return None
    one, on = found
    rest = points[~on]
    for again in (True, False):
        other = fit_circle(rest, np.ones(len(rest))) if len(rest) > 5 else None
        if other is None:
            return None
        away = np.abs(np.hypot(points[:, 0] - other[0], points[:, 1] - other[1]) - other[2])
        if again:
            rest = points[(away < 0.5) & ~on]
    assert other is not None
    near = on | (away < 0.7)
    if near.mean() < 0.9:  # the horns are blunt where pixels are coarse
        return None
    outer, inner = (one, other) if _holds(one, points) else (other, one)
    gap = float(np.hypot(outer[0] - inner[0], outer[1] - inner[1]))
    if not _holds(outer, points) or not abs(outer[2] - inner[2]) < gap + 0.5 or gap >= outer[2] + inner[2]:
        return None
    return Outline("circle", np.array(outer)), Outline("circle", np.array(inner))


def _holds(circle: Circle, points: Array) -> bool:
    """Whether nearly all points lie in a circle."""
    inside = np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) < circle[2] + 0.7
    return bool(inside.mean() > 0.95)


def fit_circle(points: Array, weight: Array) -> Circle | None:
    """The circle nearest to points by algebraic least squares; None where there is none."""
    x, y, radius = _fit_circles(points[None], weight[None])[0]
    return (float(x), float(y), float(radius)) if np.isfinite(radius) else None


def _fit_circles(points: Array, weight: Array) -> Array:
    """Circles (k, 3) through sets of points (k, n, 2) with weights (k, n); not finite where there is none."""
    middle = points.mean(axis=1)
    away = points - middle[:, None]
    scale = np.maximum(np.abs(away).max(axis=(1, 2)), 1e-6)
    x, y = np.moveaxis(away / scale[:, None, None], 2, 0)
    terms = np.stack([x, y, np.ones_like(x)], axis=2)
    weighed = terms * weight[..., None]
    normal = np.einsum("kni,knj->kij", weighed, terms) + 1e-12 * np.eye(3)
    right = -np.einsum("kni,kn->ki", weighed, x * x + y * y)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.linalg.solve(normal, right[..., None])[..., 0]
        radius = np.sqrt((found[:, 0] ** 2 + found[:, 1] ** 2) / 4 - found[:, 2]) * scale
    return np.concatenate([middle - found[:, :2] / 2 * scale[:, None], radius[:, None]], axis=1)


def _circle_along(points: Array, weight: Array) -> tuple[Circle, NDArray[np.bool_]] | None:
    """The circle that most of a closed contour lies on, to .35 of a pixel, and which of its points do."""
    n = len(points)
    seen = weight > 0.1 * weight.max()
    starts = np.arange(0, n, max(n // 16, 1))
    circles = []
    for length in (n // 2, n // 4):
        at = (starts[:, None] + np.arange(max(length, 3))) % n
        circles.append(_fit_circles(points[at], weight[at]))
    found = np.concatenate(circles)
    with np.errstate(invalid="ignore"):
        found = found[found[:, 2] < 4 * max(np.ptp(points, axis=0))]
    for again in (True, False):  # once more through all that lie on it
        away = np.hypot(points[:, 0] - found[:, :1], points[:, 1] - found[:, 1:2]) - found[:, 2:]
        near = np.abs(away) < 0.35
        found, near = found[near.sum(axis=1) > 4], near[near.sum(axis=1) > 4]
        if not len(found):
            return None
        best = int((near & seen).sum(axis=1).argmax())
        if again:
            better = fit_circle(points[near[best]], weight[near[best]])
            found = np.array([found[best]] if better is None else [found[best], better])
    return (float(found[best, 0]), float(found[best, 1]), float(found[best, 2])), near[best]


def _halir(x: Array, y: Array, weight: Array) -> tuple[float, float, float, float, float] | None:
    """The ellipse of least algebraic distance (Halir and Flusser 1998): centre, radii, angle; None where there is
    none.
    """
    quadratic = np.stack([x * x, x * y, y * y], axis=1)
    linear = np.stack([x, y, np.ones_like(x)], axis=1)
    s1 = quadratic.T @ (quadratic * weight[:, None])
    s2 = quadratic.T @ (linear * weight[:, None])
    s3 = linear.T @ (linear * weight[:, None])
    if np.linalg.cond(s3) > 1e12:
        return None
    t = -np.linalg.solve(s3, s2.T)
    m = s1 + s2 @ t
    m = np.stack([m[2] / 2, -m[1], m[0] / 2])
    vectors = np.real(np.linalg.eig(m)[1])
    good = 4 * vectors[0] * vectors[2] - vectors[1] ** 2
    if good.max() <= 0:
        return None
    first = vectors[:, int(good.argmax())]
    a, b, c = first
    d, e, f = t @ first
    center = np.linalg.solve(np.array([[2 * a, b], [b, 2 * c]]), [-d, -e])
    level = -(f + (d * center[0] + e * center[1]) / 2)
    values, axes = np.linalg.eigh(np.array([[a, b / 2], [b / 2, c]]))
    if level == 0 or np.any(level / values <= 0):
        return None
    radii = np.sqrt(level / values)
    return (
        float(center[0]),
        float(center[1]),
        float(radii[0]),
        float(radii[1]),
        float(np.arctan2(axes[1, 0], axes[0, 0])),
    )


def polygons(sides: Sides, counts: Sequence[int]) -> list[Outline]:
    """Polygons with each number of corners that the contour has points for (three a side)."""
    most = max(len(sides.points) // 3, 5)
    return [Outline("polygon", sides.corners(k).ravel()) for k in counts if 3 <= k < min(len(sides.cost), most)]

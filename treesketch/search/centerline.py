"""The strokes in a region that was drawn with a pen: centre lines and one weight.

In: a membership map (H, W) in 0..1. Out: `Outline`s of kind polyline, loop or ring whose union is the region. A
region is thinned to its skeleton at twice the picture's resolution, the skeleton is walked as a graph, lines run
straight through junctions, and each is cut into the fewest straight stretches that stay near it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from treesketch.search.contour import Sides, corner_radius, distance, fit_circle, fit_rect, fit_rounds, swept
from treesketch.search.outline import Outline, center_line

Array = NDArray[np.float64]
Bitmap = NDArray[np.bool_]
Pixel = tuple[int, int]

LEAST_LONG = 1.05  # a region's area in squares as wide as it is: less is a blot, a square or a disc
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise from north


@dataclass(frozen=True, slots=True, eq=False)
class Pen:
    """Centre lines (each (n, 2) in pixels, closed or not) of strokes of one weight in pixels."""

    lines: list[tuple[Array, bool]]
    weight: float


def find_pen(member: NDArray[np.float32]) -> Pen | None:
    """The centre lines of a region if it is about equally wide all along and longer than wide, else None."""
    rows, columns = np.nonzero(member > 0.02)
    if len(rows) < 4:
        return None
    y0, x0 = max(rows.min() - 1, 0), max(columns.min() - 1, 0)
    part = np.pad(member[y0 : rows.max() + 2, x0 : columns.max() + 2], 1)
    # Each pixel becomes 2 x 2, sampled where the new centres are.
    smooth = ndimage.zoom(part, 2, order=1, grid_mode=True, mode="grid-constant")
    fine = smooth > 0.5
    if fine.any() and ndimage.distance_transform_edt(fine).max() < 2.3:
        fine = smooth > 0.35  # a line thinner than a pixel never covers one fully
    depth = ndimage.distance_transform_edt(fine)
    widest = float(depth.max())
    if widest < 0.9 or fine.sum() < LEAST_LONG * (2 * widest) ** 2:
        return None
    skeleton = thin(fine)
    if not skeleton.any():
        return None
    # Near its ends a skeleton runs into corners and says nothing of the width.
    typical = float(np.median(depth[skeleton]))
    if widest > 1.45 * typical + 1.0:
        return None
    ridge = depth[skeleton & (depth > 0.6 * typical)]
    if len(ridge) < 2 or np.quantile(ridge, 0.15) < 0.7 * typical - 0.3:
        return None
    weight = max(2 * typical - 1.0, 1.0)
    weight, shift = weight / 2, np.array([x0 - 1, y0 - 1])  # in pixels again
    found = []
    for path in _walk(skeleton, 2 * weight):
        line, closed = _points(path, depth, typical)
        if len(line) > 1:
            found.append((_to_ends(line / 2 + shift, closed, weight, member), closed))
    return Pen(found, weight) if found and len(found) <= 48 else None


def _to_ends(line: Array, closed: bool, weight: float, member: NDArray[np.float32]) -> Array:
    """An open line with its ends where round caps of its weight end where the region does.

    A skeleton may stop well before that. Ends that are far from the region's edge are left: they meet other lines.
    """
    if closed:
        return line
    line = line.copy()
    inner = min(int(weight) + 1, len(line) - 1)
    ahead = np.arange(0.0, 2 * weight, 0.25)
    for end, back in ((0, inner), (-1, -1 - inner)):
        along = line[end] - line[back]
        along /= max(float(np.hypot(*along)), 1e-9)
        x, y = (line[end] + ahead[:, None] * along).T
        outside = ndimage.map_coordinates(member, [y - 0.5, x - 0.5], order=1, mode="nearest") < 0.5
        move = ahead[int(outside.argmax())] - weight / 2
        if outside.any() and 0.25 < move < 0.75 * weight:
            line[end] += along * move
    return line


def draw_line(line: Array, closed: bool, weight: float, tolerance: float, member: NDArray[np.float32]) -> list[Outline]:
    """One of a pen's lines as outlines whose straight stretches stay within `tolerance` pixels (rms) of it.

    Where a line turns sharply and the region shows a round joint, it is cut in two: joints are mitred, ends are round.
    """
    if closed:
        whole = _ring(line, weight, tolerance) or _frame(line, weight, tolerance)
        if whole is not None:
            return [whole]
    step = max(1, len(line) // 150)
    points = line[::step] if closed else np.concatenate([line[:-1:step], line[-1:]])
    if len(points) < 3:
        return [] if closed else [Outline("polyline", np.append(points.ravel(), weight))]
    sides = Sides(points, np.ones(len(points)), most=min(24, len(points) - 1), closed=closed)
    fewest = 3 if closed else 1
    enough = [k for k in range(fewest, len(sides.cost)) if sides.cost[k] <= tolerance**2 * len(points)]
    k = enough[0] if enough else len(sides.cost) - 1
    return _cut_round_joints(sides.corners(k), closed, weight, member) if k >= fewest else []


def _cut_round_joints(points: Array, closed: bool, weight: float, member: NDArray[np.float32]) -> list[Outline]:
    """A polyline or loop, cut at the corners where the region does not fill the mitre."""
    n = len(points)
    cuts = []
    for i in range(n) if closed else range(1, n - 1):
        before, after = points[i] - points[i - 1], points[(i + 1) % n] - points[i]
        before, after = before / max(np.hypot(*before), 1e-9), after / max(np.hypot(*after), 1e-9)
        cosine = float(before @ after)  # 1 straight on, -1 back
        if cosine > 0.6:
            continue
        outward = before - after
        tip = weight / 2 / np.sqrt(max((1 + cosine) / 2, 0.01))
        x, y = points[i] + outward / max(np.hypot(*outward), 1e-9) * (weight / 2 + tip) / 2
        row, column = int(np.floor(y)), int(np.floor(x))
        if not (0 <= row < member.shape[0] and 0 <= column < member.shape[1]) or member[row, column] < 0.5:
            cuts.append(i)
    if not cuts:
        return [Outline("loop" if closed else "polyline", np.append(points.ravel(), weight))]
    if closed:
        points = np.concatenate([np.roll(points, -cuts[0], axis=0), points[cuts[0]][None]])
        cuts = [c - cuts[0] for c in cuts] + [n]
    else:
        cuts = [0, *cuts, n - 1]
    pairs = zip(cuts[:-1], cuts[1:], strict=True)
    return [Outline("polyline", np.append(points[i : j + 1].ravel(), weight)) for i, j in pairs]


def _ring(line: Array, weight: float, tolerance: float) -> Outline | None:
    """The ellipse whose outline a closed centre line is, if it is one."""
    for outline in fit_rounds(line, np.ones(len(line))):
        p = outline.params
        if outline.kind not in ("circle", "ellipse"):
            continue
        rx, ry = p[2], p[2] if outline.kind == "circle" else p[3]
        away = (np.hypot((line[:, 0] - p[0]) / rx, (line[:, 1] - p[1]) / ry) - 1) * min(rx, ry)
        if np.sqrt((away**2).mean()) < max(tolerance, 0.35):
            return Outline("ring", np.array([p[0], p[1], rx, ry, weight]))
    return None


def _frame(line: Array, weight: float, tolerance: float) -> Outline | None:
    """The rectangle, sharp or rounded, whose outline a closed centre line is, if it is one."""
    box = fit_rect(line, np.ones(len(line)))
    if box is None:
        return None
    x, y = line.T
    radius = corner_radius(box, abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2)
    if radius is None:
        return None
    outlines = [Outline("frame", np.append(box.params, (radius, weight)))]
    if radius < max(0.75 * weight, 2.0):
        outlines.insert(0, Outline("box", np.append(box.params, weight)))
    for outline in outlines:
        points, onward, _ = center_line(outline)
        gaps = [distance(line, a, b) for a, b in zip(points, onward, strict=True)]
        # The skeleton of a sharp corner cuts it: what counts is most of the line.
        if np.quantile(np.min(gaps, axis=0), 0.9) < max(tolerance, 0.4):
            return outline
    return None


def arcs(line: Array, weight: float) -> list[Outline]:
    """The arc of a circle that an open line is, if it is one."""
    circle = fit_circle(line, np.ones(len(line))) if len(line) > 6 else None
    if circle is None or circle[2] > 256:
        return []
    cx, cy, r = circle
    away = np.abs(np.hypot(line[:, 0] - cx, line[:, 1] - cy) - r)
    if np.quantile(away, 0.9) > 0.5 or away.max() > 1.5:  # its ends may point a little elsewhere
        return []
    start, stop = swept(line, circle)
    if not 0.2 < stop - start < 2 * np.pi - 0.05:
        return []
    return [Outline("arc", np.array([cx, cy, r, r, start, stop, weight]))]


def run_out(outline: Outline, picture: Array) -> Outline:
    """A line with the ends that reach the picture's border (left, top, right, bottom) drawn on beyond it."""
    if outline.kind != "polyline":
        return outline
    points, weight = outline.params[:-1].reshape(-1, 2).copy(), float(outline.params[-1])
    for end, inner in ((0, 1), (-1, -2)):
        along = points[end] - points[inner]
        along /= max(float(np.hypot(*along)), 1e-9)
        tip = points[end] + along * (0.75 * weight + 1)  # in a corner the round end is farther from it
        if (tip <= picture[:2]).any() or (tip >= picture[2:]).any():
            points[end] += along * weight
    return Outline("polyline", np.append(points.ravel(), weight))


def thin(bitmap: Bitmap) -> Bitmap:
    """A skeleton one pixel wide (Zhang and Suen 1984), by table look-up on the eight neighbours."""
    image = np.pad(bitmap, 1).astype(np.uint8)
    tables = _thinning_tables()
    while True:
        removed = False
        for table in tables:
            code = np.zeros_like(image)
            for bit, (dy, dx) in enumerate(_AROUND):
                code |= np.roll(image, (-dy, -dx), axis=(0, 1)) << bit
            gone = table[code] & (image > 0)
            if gone.any():
                image[gone] = 0
                removed = True
        if not removed:
            return np.asarray(image[1:-1, 1:-1] > 0)


def _thinning_tables() -> tuple[Bitmap, Bitmap]:
    codes = np.arange(256)
    n = [(codes >> bit) & 1 for bit in range(8)]
    many = sum(n)
    turns = sum((n[i] == 0) & (n[(i + 1) % 8] == 1) for i in range(8))
    base = (many >= 2) & (many <= 6) & (turns == 1)
    north, east, south, west = n[0], n[2], n[4], n[6]
    first = base & (north * east * south == 0) & (east * south * west == 0)
    second = base & (north * east * west == 0) & (north * south * west == 0)
    return first, second


def _walk(skeleton: Bitmap, weight: float) -> list[tuple[list[Pixel], bool]]:
    """Paths through a skeleton: (row, column) pixels and whether the path is closed."""
    pixels = set(zip(*(axis.tolist() for axis in np.nonzero(skeleton)), strict=True))

    def beside(pixel: Pixel) -> list[Pixel]:
        y, x = pixel
        straight = [(y + dy, x + dx) for dy, dx in _AROUND[::2] if (y + dy, x + dx) in pixels]
        # A diagonal step only where no straight one leads the same way.
        return straight + [
            (y + dy, x + dx)
            for dy, dx in _AROUND[1::2]
            if (y + dy, x + dx) in pixels and (y + dy, x) not in pixels and (y, x + dx) not in pixels
        ]

    near = {pixel: beside(pixel) for pixel in pixels}
    nodes = {pixel for pixel, others in near.items() if len(others) != 2}
    edges: list[list[Pixel]] = []
    used: set[tuple[Pixel, Pixel]] = set()
    for node in sorted(nodes):
        for following in near[node]:
            if (node, following) in used:
                continue
            path = [node, following]
            used.add((node, following))
            while path[-1] not in nodes:
                ahead = [p for p in near[path[-1]] if p != path[-2]]
                path.append(ahead[0])
            used.add((path[-1], path[-2]))
            edges.append(path)
    seen = {pixel for path in edges for pixel in path} | nodes
    loops: list[tuple[list[Pixel], bool]] = []
    for pixel in sorted(pixels):
        if pixel in seen:
            continue
        path = [pixel, near[pixel][0]]
        while path[-1] != pixel:
            path.append(next(p for p in near[path[-1]] if p != path[-2]))
        seen.update(path)
        if len(path) > 2 * weight:
            loops.append((path[:-1], True))
    return loops + _link(edges, weight)


def _link(edges: list[list[Pixel]], weight: float) -> list[tuple[list[Pixel], bool]]:
    """Drop spurs, then join edges that run straight on through a junction."""

    def ends_at(node: Pixel, among: list[list[Pixel]]) -> list[int]:
        return [i for i, e in enumerate(among) for end in (e[0], e[-1]) if end == node]

    # Junctions made of several touching pixels are one place.
    merged: dict[Pixel, Pixel] = {}

    def place(node: Pixel) -> Pixel:
        while node in merged:
            node = merged[node]
        return node

    degree: dict[Pixel, int] = {}
    for e in edges:
        for end in (e[0], e[-1]):
            degree[end] = degree.get(end, 0) + 1
    kept: list[list[Pixel]] = []
    for e in edges:
        both = degree[e[0]] > 2 and degree[e[-1]] > 2
        if both and len(e) <= max(3.0, 0.6 * weight) and place(e[0]) != place(e[-1]):
            merged[place(e[0])] = place(e[-1])
        else:
            kept.append(e)
    edges = [[place(e[0]), *e[1:-1], place(e[-1])] for e in kept]
    while True:
        spur = None
        for i, e in enumerate(edges):
            free = [len(ends_at(end, edges)) == 1 for end in (e[0], e[-1])]
            if free[0] != free[1] and len(e) < 0.75 * weight + 2 and (spur is None or len(e) < len(edges[spur])):
                spur = i
        if spur is None:
            break
        edges.pop(spur)
        edges = _join(edges, weight, most=2)
    return [(e[:-1], True) if e[0] == e[-1] and len(e) > 3 else (e, False) for e in _join(edges, weight, most=99)]


def _join(edges: list[list[Pixel]], weight: float, most: int) -> list[list[Pixel]]:
    """Join pairs of edges at junctions of at most `most` edges, the straightest first; two edges alone always join."""
    reach = int(max(4, weight))
    while True:
        at: dict[Pixel, list[tuple[int, bool]]] = {}
        for i, e in enumerate(edges):
            at.setdefault(e[0], []).append((i, True))
            at.setdefault(e[-1], []).append((i, False))
        best: tuple[float, int, bool, int, bool] | None = None
        for meeting in at.values():
            if not 2 <= len(meeting) <= most:
                continue
            for a in range(len(meeting)):
                for b in range(a + 1, len(meeting)):
                    (i, start_i), (j, start_j) = meeting[a], meeting[b]
                    if i == j:
                        continue
                    u, v = _heading(edges[i], start_i, reach), _heading(edges[j], start_j, reach)
                    straight = float(-(u @ v))
                    if (len(meeting) == 2 or straight > 0.8) and (best is None or straight > best[0]):
                        best = (straight, i, start_i, j, start_j)
        if best is None:
            return edges
        _, i, start_i, j, start_j = best
        one = edges[i][::-1] if start_i else edges[i]
        two = edges[j] if start_j else edges[j][::-1]
        edges = [e for k, e in enumerate(edges) if k not in (i, j)] + [one + two[1:]]


def _heading(edge: list[Pixel], from_start: bool, reach: int) -> Array:
    """The unit direction in which an edge leaves its end."""
    path = edge if from_start else edge[::-1]
    gap = np.array(path[min(reach, len(path) - 1)], dtype=np.float64) - np.array(path[0])
    return np.asarray(gap / max(float(np.hypot(*gap)), 1e-9))


def _points(path: tuple[list[Pixel], bool], depth: NDArray[np.float64], typical: float) -> tuple[Array, bool]:
    """A path as points (n, 2) x y at pixel centres, its free ends drawn back to where a round cap has its centre."""
    pixels, closed = path
    if not closed:
        first, last = 0, len(pixels)
        while last - first > 2 and depth[pixels[first]] < 0.88 * typical:
            first += 1
        while last - first > 2 and depth[pixels[last - 1]] < 0.88 * typical:
            last -= 1
        pixels = pixels[first:last]
    line = np.array(pixels, dtype=np.float64)[:, ::-1] + 0.5
    if len(line) >= 5:
        # The skeleton's staircase is half a pixel high: a short mean takes it out.
        mode = "wrap" if closed else "nearest"
        smooth = ndimage.uniform_filter1d(line, 3, axis=0, mode=mode)
        if not closed:
            smooth[[0, -1]] = line[[0, -1]]
        line = smooth
    return line, closed

"""A dashed line -> its dashes. A path and lengths in, a path of open pieces out."""

from itertools import cycle

import numpy as np

from treesketch.importing.paths import Path, Points, contours, is_closed, joined, segments
from treesketch.quick import bernstein, between

MOST_DASHES = 2_000  # of one path
STEPS = 64  # chords by which a curve is measured


def dashed(path: Path, lengths: tuple[float, ...], offset: float) -> Path | None:
    """The dashes of a path: lengths are of dashes and gaps in turn, an even number of them, from `offset` on.

    None where there would be too many. Every subpath begins anew.
    """
    found: list[Path] = []
    for contour in contours(path):
        parts = [points for _, points in segments(contour)]
        if is_closed(contour):
            parts.append(contour.points[[-1, 0]])
        tables = [_distances(points) for points in parts]
        whole = sum(float(table[-1]) for table in tables)
        if whole / sum(lengths) * len(lengths) / 2 > MOST_DASHES - len(found):
            return None
        at = -(offset % sum(lengths))
        for i, length in enumerate(cycle(lengths)):
            if at >= whole:
                break
            if i % 2 == 0 and at + length >= 0 and (dash := _between(parts, tables, max(at, 0.0), at + length)):
                found.append(dash)
            at += length
    return joined(found)


def _distances(points: Points) -> Points:
    """How far along a segment the ends of its chords are: (n,), from 0."""
    line = points
    if len(points) > 2:
        t = np.linspace(0, 1, STEPS + 1)[:, None]
        line = points[:1] * (1 - t) ** 2 + 2 * t * (1 - t) * points[1:2] + t * t * points[2:3]
        if len(points) == 4:
            line = np.concatenate((points[:1], bernstein(STEPS) @ points))
    steps = np.diff(line, axis=0)
    return np.concatenate(((0.0,), np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))))


def _between(parts: list[Points], tables: list[Points], start: float, end: float) -> Path | None:
    """The piece of a contour from one distance along it to another."""
    verbs, points = "", list[Points]()
    for own, table in zip(parts, tables, strict=True):
        length = float(table[-1])
        if start <= length and end >= 0 and length > 0 and (start < length or not verbs):
            low, high = (float(np.interp(place, table, np.linspace(0, 1, len(table)))) for place in (start, end))
            if high > low or (start == end and not verbs):
                piece = between(own, low, high)
                verbs += "LQC"[len(own) - 2]
                points.append(piece[1:] if points else piece)
        start, end = start - length, end - length
        if end < 0:
            break
    return Path("M" + verbs, np.concatenate(points)) if verbs else None

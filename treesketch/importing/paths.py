"""Outlines as lines, quadratics and cubics: what shapes, clips and strokes are made of. Points in, points out.

Verbs are M L Q C Z as in SVG's path data with all coordinates absolute; every subpath begins with its M.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treesketch.quick import bernstein
from treesketch.scene import POINTS_OF_VERB, Affine
from treesketch.scene import Path as ScenePath

Points = npt.NDArray[np.float64]  # (n, 2)

POINTS = {**POINTS_OF_VERB, "Q": 2}
FINEST = 0.01  # units between a curve and its chords
MOST_CHORDS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Subpaths as verbs and the points (n, 2) that they use."""

    verbs: str
    points: Points


EMPTY = Path("", np.zeros((0, 2)))


def moved(path: Path, transform: Affine) -> Path:
    """The path with every point moved by a transform."""
    a, b, c, d, e, f = transform
    with np.errstate(all="ignore"):
        return Path(path.verbs, path.points @ np.array(((a, b), (c, d))) + (e, f))


def contours(path: Path) -> list[Path]:
    """The subpaths that draw something, one by one."""
    found, at = [], 0
    for piece in path.verbs.split("M")[1:]:
        count = 1 + sum(POINTS[verb] for verb in piece)
        if piece:
            found.append(Path("M" + piece, path.points[at : at + count]))
        at += count
    return found


def joined(paths: list[Path]) -> Path:
    """Several paths as one."""
    if len(paths) == 1:
        return paths[0]
    return Path("".join(path.verbs for path in paths), np.concatenate([EMPTY.points, *(path.points for path in paths)]))


def segments(contour: Path) -> Iterator[tuple[str, Points]]:
    """The verbs L Q C of one subpath, each with its start, its controls and its end: (2 to 4, 2)."""
    at = 0
    for verb in contour.verbs[1:].rstrip("Z"):
        end = at + POINTS[verb]
        yield verb, contour.points[at : end + 1]
        at = end


def is_closed(contour: Path) -> bool:
    """Whether a subpath ends with its start."""
    return contour.verbs.endswith("Z")


def flatten(contour: Path, tolerance: float = FINEST) -> Points:
    """One subpath as a line through (n, 2) points, its first included, curves cut into chords."""
    pieces = [contour.points[:1]]
    for verb, points in segments(contour):
        if verb == "L":
            pieces.append(points[1:])
            continue
        cubic = as_cubic(points)
        bend = np.abs(cubic[:-2] - 2 * cubic[1:-1] + cubic[2:]).max() * math.sqrt(2)
        count = min(MOST_CHORDS, max(1, math.ceil(math.sqrt(0.75 * bend / tolerance))))
        pieces.append(bernstein(count) @ cubic)
    return np.concatenate(pieces)


def as_cubic(points: Points) -> Points:
    """A segment's points (2 to 4, 2) as a cubic's (4, 2)."""
    if len(points) == 4:
        return points
    start, end = points[0], points[-1]
    control = points[1] if len(points) == 3 else (start + end) / 2
    return np.array((start, start + (control - start) * 2 / 3, end + (control - end) * 2 / 3, end))


def bounds(path: Path) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of what a path draws; None for nothing."""
    lines = [flatten(contour) for contour in contours(path)]
    if not lines:
        return None
    points = np.concatenate(lines)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return left, top, right, bottom


def area(line: Points) -> float:
    """The area inside a closed line, positive where it goes clockwise on the screen."""
    x, y = (line - line[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def reverse(contour: Path) -> Path:
    """A closed subpath the other way around."""
    drawn = contour.verbs[1:].rstrip("Z")
    return Path("M" + drawn[::-1] + "Z", contour.points[::-1].copy())


def for_scene(path: Path) -> ScenePath:
    """The path with quadratics as cubics, as renderers take it."""
    verbs, points = [], list[tuple[float, float]]()
    for contour in contours(path):
        verbs.append("M")
        points.append(_pair(contour.points[0]))
        for verb, own in segments(contour):
            verbs.append("L" if verb == "L" else "C")
            points += map(_pair, own[1:] if verb == "L" else as_cubic(own)[1:])
        verbs.append("Z" * is_closed(contour))
    return ScenePath("".join(verbs), tuple(points))


def _pair(point: Points) -> tuple[float, float]:
    return float(point[0]), float(point[1])

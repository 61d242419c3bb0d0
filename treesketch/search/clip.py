"""Shapes cut off along a level or an upright line, as shapes again.

In: an `Outline`, which coordinate is bounded (0: x, 1: y) and from where on it is kept. Out: the outline of what is
left, as exactly as a fifth of a pixel, or None where this module does not know how to say it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from treesketch.quick import between
from treesketch.search.outline import POINTS, Outline
from treesketch.search.segments import as_path, path_of, pieces, tidy, verbs_of

Array = NDArray[np.float64]

CLOSE = 0.05  # between two points that count as one
PLAIN = 0.2  # that a curve may be off for a plainer one


def cut_off(outline: Outline, axis: int, least: float) -> Outline | None:
    """What is left of an outline where the coordinate is at least that; of a line the longest part."""
    match outline.kind:
        case "polygon" | "path":
            return _closed(outline, axis, least)
        case "polyline" | "loop" | "spline":
            return _line(outline, axis, least)
        case "rect":
            return _rect(outline, axis, least)
        case "circle" | "ellipse" | "ring":
            return _round(outline, axis, least)
        case "oval":
            return _closed(_turned(outline), axis, least)
        case "box":
            left, top, right, bottom, weight = outline.params
            corners = np.array([left, top, right, top, right, bottom, left, bottom, weight])
            return _line(Outline("loop", corners), axis, least)
    return None


def _rect(outline: Outline, axis: int, least: float) -> Outline | None:
    params = outline.params.copy()
    params[[axis, axis + 2]] = np.sort(params[[axis, axis + 2]])
    if params[axis + 2] <= least:
        return None
    params[axis] = max(params[axis], least)
    return replace(outline, params=params)


def _round(outline: Outline, axis: int, least: float) -> Outline | None:
    """An ellipse as what a straight cut leaves of it, or its outline as an arc."""
    radii = outline.params[[2, 2]] if outline.kind == "circle" else outline.params[2:4]
    reach = (least - outline.params[axis]) / radii[axis]
    if reach <= -1:
        return outline
    if reach >= 1:
        return None
    angles = (-np.arccos(reach), np.arccos(reach)) if axis == 0 else (np.arcsin(reach), np.pi - np.arcsin(reach))
    params = [*outline.params[:2], *radii, *angles]
    if outline.kind == "ring":
        return Outline("arc", np.array([*params, outline.params[-1]]))
    return Outline("segment", np.array(params))


def _turned(outline: Outline) -> Outline:
    """A turned ellipse as a path of four cubic curves, at most .03 % of a radius off."""
    center, radii, angle = outline.params[:2], outline.params[2:4], outline.params[4]
    k = 4 / 3 * (np.sqrt(2) - 1)
    quarter = np.array([[1, k], [k, 1], [0, 1]])
    turns = [np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]) for t in np.arange(4) * np.pi / 2]
    round_points = np.concatenate([quarter @ turn for turn in turns]) * radii
    points = round_points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + center
    return Outline("path", points.ravel(), "CCCC")


def _closed(outline: Outline, axis: int, least: float) -> Outline | None:
    """A closed outline; where it is cut it goes straight along the line."""
    kept = [part for piece in pieces(as_path(outline)) for part in _parts(piece, axis, least)]
    if not kept:
        return None
    whole: list[Array] = []
    for k, part in enumerate(kept):
        whole.append(part)
        following = kept[(k + 1) % len(kept)][0]
        if np.abs(following - part[-1]).max() > CLOSE:
            whole.append(np.stack([part[-1], following]))
    # Two lines in a row along the cut are one, as are points that are nearly so.
    whole = [part for part in whole if len(part) > 2 or np.abs(part[-1] - part[0]).max() > CLOSE]
    verbs = verbs_of(whole)
    return tidy(path_of(whole)) if len(whole) >= (3 if set(verbs) <= {"L"} else 2) else None


def _line(outline: Outline, axis: int, least: float) -> Outline | None:
    """The longest part of a line that stays on its side."""
    points, weight = outline.params[:-1].reshape(-1, 2), outline.params[-1]
    if outline.kind == "loop":
        out = np.flatnonzero(points[:, axis] < least)
        if not len(out):
            return outline
        points = np.roll(points, -int(out[0]), axis=0)
        points = np.concatenate([points, points[:1]])
    verbs = outline.verbs if outline.kind == "spline" else "L" * (len(points) - 1)
    runs: list[list[Array]] = []
    at, last = 0, None
    for verb in verbs:
        piece = points[at : at + POINTS[verb] + 1]
        at += POINTS[verb]
        for part in _parts(piece, axis, least):
            if last is None or np.abs(part[0] - last).max() > 1e-9:
                runs.append([])
            runs[-1].append(part)
            last = part[-1]
    if not runs:
        return None
    run = max(runs, key=lambda run: sum(float(np.hypot(*np.diff(part, axis=0).T).sum()) for part in run))
    rows = np.concatenate([run[0][:1], *(part[1:] for part in run)])
    verbs = verbs_of(run)
    kind = "polyline" if set(verbs) == {"L"} else "spline"
    return Outline(kind, np.append(rows.ravel(), weight), verbs if kind == "spline" else "")


def _parts(piece: Array, axis: int, least: float) -> list[Array]:
    """The parts of a segment, its points (n, 2), where the coordinate is at least that, in order."""
    values = piece[:, axis] - least
    if (values >= 0).all():
        return [piece]
    if (values < 0).all():
        return []
    places = np.array([0.0, *_roots(values), 1.0])
    found: list[Array] = []
    start = None
    for first, last in zip(places[:-1], places[1:], strict=True):
        middle = between(values[:, None], (first + last) / 2, (first + last) / 2)[0, 0]
        if middle >= 0 and start is None:
            start = first
        if start is not None and (middle < 0 or last == 1.0):
            end = first if middle < 0 else last
            found.append(_plainer(between(piece, start, end)))
            start = None
    return found


def _plainer(piece: Array) -> Array:
    """A segment as a quadratic, or straight, where that is nearly the same: a stump needs no numbers for its bend."""
    if len(piece) == 4 and np.hypot(*(np.array([-1, 3, -3, 1]) @ piece)) * np.sqrt(3) / 36 < PLAIN:
        piece = np.stack([piece[0], (3 * (piece[1] + piece[2]) - piece[0] - piece[3]) / 4, piece[3]])
    if len(piece) == 3 and np.hypot(*(np.array([1, -2, 1]) @ piece)) / 4 < PLAIN:
        piece = piece[[0, -1]]
    return piece


def _roots(values: Array) -> Array:
    """Where a Bezier curve of numbers is nought, strictly between 0 and 1, in order."""
    degree = len(values) - 1
    powers = {
        1: [[-1, 1], [1, 0]],
        2: [[1, -2, 1], [-2, 2, 0], [1, 0, 0]],
        3: [[-1, 3, -3, 1], [3, -6, 3, 0], [-3, 3, 0, 0], [1, 0, 0, 0]],
    }[degree]
    roots = np.roots(np.array(powers, float) @ values)
    real = np.sort(roots.real[np.abs(roots.imag) < 1e-9])
    return real[(real > 1e-6) & (real < 1 - 1e-6)]

"""A path's segments with more numbers or fewer: which points a step touches, and the outline after it.

In: an `Outline` of kind path (or polygon, which is one of lines). Out: growths, each with the freedom that it adds, and
shrinkings, each with what it would hold to nought. What they are worth is for `corners` to say.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treesketch.search.outline import POINTS, Outline

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Shrinking:
    """A segment made plainer: a cubic quadratic, a quadratic straight, or two lines one.

    where (m,) are parameters, aims (c, m) @ these would be moved to nought, from which off (c,) they are now; move (m,)
    is the plainest way there, with the segment's ends where they are.
    """

    segment: int
    numbers: int
    where: NDArray[np.int64]
    aims: Array
    off: Array
    move: Array


def as_path(outline: Outline) -> Outline:
    """A polygon as a path of lines; other outlines as they are. Its first segment goes to its first corner."""
    return Outline("path", outline.params, "L" * (len(outline.params) // 2)) if outline.kind == "polygon" else outline


def tidy(outline: Outline) -> Outline:
    """A path of lines as a polygon, any other with a line at its end where it has one: closing draws that."""
    if set(outline.verbs) == {"L"}:
        return Outline("polygon", outline.params)
    if "L" not in outline.verbs or outline.verbs[-1] == "L":
        return outline
    turn = outline.verbs.rindex("L") + 1
    first = 2 * sum(POINTS[verb] for verb in outline.verbs[:turn])
    return Outline("path", np.roll(outline.params, -first), outline.verbs[turn:] + outline.verbs[:turn])


def pieces(outline: Outline) -> list[Array]:
    """The points of each segment, from its start to its end."""
    points = outline.params.reshape(-1, 2)
    found, at = [], 0
    for verb in outline.verbs:
        found.append(points[np.arange(at - 1, at + POINTS[verb])])
        at += POINTS[verb]
    return found


def verbs_of(parts: Sequence[Array]) -> str:
    """What each of these segments is, by how many points it has."""
    return "".join("LQC"[len(part) - 2] for part in parts)


def path_of(parts: Sequence[Array]) -> Outline:
    """The path of segments that follow one another, each from its start to its end: what has these `pieces`."""
    return Outline("path", np.concatenate([part[1:].ravel() for part in parts]), verbs_of(parts))


def grow(outline: Outline, chosen: Collection[int]) -> Outline:
    """The same curve with more freedom in these segments: a line as a quadratic, that as a cubic, that as two."""
    verbs, rows = "", []
    for i, (verb, piece) in enumerate(zip(outline.verbs, pieces(outline), strict=True)):
        if i not in chosen:
            verbs += verb
            rows.append(piece[1:])
        elif verb == "L":
            verbs += "Q"
            rows.append(np.stack([piece.mean(axis=0), piece[1]]))
        elif verb == "Q":
            verbs += "C"
            rows.append(np.stack([(piece[0] + 2 * piece[1]) / 3, (piece[2] + 2 * piece[1]) / 3, piece[2]]))
        else:
            verbs += "CC"
            one = (piece[:-1] + piece[1:]) / 2
            two = (one[:-1] + one[1:]) / 2
            rows.append(np.stack([one[0], two[0], two.mean(axis=0), two[1], one[2], piece[3]]))
    return Outline("path", np.concatenate(rows).ravel(), verbs)


def growths(outline: Outline) -> list[tuple[int, int, NDArray[np.int64]]]:
    """For each segment: its index, the numbers it would cost to `grow` it, and the parameters that it then has.

    The parameters are those of `grow(outline, all segments)`.
    """
    found, at = [], 0
    for i, verb in enumerate(outline.verbs):
        inner = {"L": 1, "Q": 2, "C": 5}[verb]
        found.append((i, 6 if verb == "C" else 2, np.arange(2 * at, 2 * (at + inner))))
        at += inner + 1
    return found


def shrinkings(outline: Outline) -> list[Shrinking]:
    """Every way to make a path plainer by a step."""
    total = len(outline.params) // 2
    found, at = [], 0
    parts = pieces(outline)
    for i, (verb, piece) in enumerate(zip(outline.verbs, parts, strict=True)):
        rows = np.arange(at - 1, at + POINTS[verb]) % total
        at += POINTS[verb]
        if verb == "C":
            third = np.array([-1.0, 3.0, -3.0, 1.0])
            where = np.concatenate([2 * rows, 2 * rows + 1])
            aims = np.zeros((2, 8))
            aims[0, :4] = aims[1, 4:] = third
            bend = third @ piece
            move = np.zeros(8)
            move[[1, 2]], move[[5, 6]] = (-bend[0] / 6, bend[0] / 6), (-bend[1] / 6, bend[1] / 6)
            found.append(Shrinking(i, 2, where, aims, bend, move))
            continue
        following = (i + 1) % len(parts)
        if verb == "L":
            if outline.verbs[following] != "L" or len(parts) <= (3 if set(outline.verbs) == {"L"} else 2):
                continue
            piece = np.stack([piece[0], piece[1], parts[following][1]])
            rows = np.array([rows[0], rows[1], (rows[1] + 1) % total])
        elif len(set(outline.verbs) - {"L"}) == 1 and len(parts) < 4 and outline.verbs.count("L") == len(parts) - 1:
            continue  # its last curve, and too few sides for a polygon
        chord = piece[2] - piece[0]
        length = max(float(np.hypot(*chord)), 1e-6)
        normal = np.array([-chord[1], chord[0]]) / length
        t = float(np.clip((piece[1] - piece[0]) @ chord / length**2, 0.0, 1.0))
        where = np.array([2 * row + c for row in (rows[1], rows[0], rows[2]) for c in (0, 1)])
        aim = np.concatenate([normal, -(1 - t) * normal, -t * normal])
        off = float((piece[1] - piece[0]) @ normal)
        move = np.concatenate([-off * normal, np.zeros(4)])
        found.append(Shrinking(i, 2, where, aim[None], np.array([off]), move))
    return found


def shrink(outline: Outline, chosen: Collection[int]) -> Outline:
    """The path with these segments plainer; of two lines the first is named."""
    verbs, rows = "", []
    parts = pieces(outline)
    for i, (verb, piece) in enumerate(zip(outline.verbs, parts, strict=True)):
        if i not in chosen:
            verbs += verb
            rows.append(piece[1:])
        elif verb == "C":
            verbs += "Q"
            rows.append(np.stack([(3 * (piece[1] + piece[2]) - piece[0] - piece[3]) / 4, piece[3]]))
        elif verb == "Q":
            verbs += "L"
            rows.append(piece[2:])
        # a line that goes leaves the next one to begin where it began
    return Outline("path", np.concatenate(rows).ravel(), verbs)

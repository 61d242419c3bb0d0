"""What an SVG paints, one fill or one line at a time, back to front; clips and group opacity act on these.

Marks in canvas units in, marks out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from treesketch.importing import areas
from treesketch.importing.areas import Pen, Unsure
from treesketch.importing.notes import Ledger, Source
from treesketch.importing.paint import Box, Gradient
from treesketch.importing.paths import Path, bounds
from treesketch.importing.values import Color

MOST_OVERLAPS = 5_000  # pairs of marks that are looked at in one group


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """The inside of a path painted, or a line along it where there is a pen; opacity multiplies the paint's alpha."""

    path: Path
    paint: Color | Gradient
    opacity: float
    source: Source
    even_odd: bool = False
    pen: Pen | None = None

    @property
    def is_opaque(self) -> bool:
        """Whether nothing shows through it."""
        return self.opacity == 1 and (self.paint.is_opaque if isinstance(self.paint, Gradient) else self.paint[3] == 1)


def covered(mark: Mark, ledger: Ledger) -> Path:
    """The area that a mark paints, filled by non-zero winding. Raises Unsure."""
    if mark.pen:
        return areas.stroke(mark.path, mark.pen, ledger)
    if mark.even_odd:
        return areas.without_crossings(mark.path, True, ledger)
    return mark.path


def box_of(marks: Sequence[Mark]) -> Box | None:
    """Left, top, right, bottom of the marks' paths."""
    boxes = [box for mark in marks if (box := bounds(mark.path))]
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def clip(marks: list[Mark], region: Path, what: str, ledger: Ledger) -> list[Mark]:
    """What is seen of marks inside a region. One that cannot be cut stays whole, with a note."""
    found = []
    window = bounds(region)
    for mark in marks:
        box = _box(mark)
        if window is None or _are_apart(box, window):
            continue
        if _is_rectangle(region) and _is_within(box, window):
            found.append(mark)
            continue
        try:
            found += _cut(mark, region, True, ledger)
        except Unsure:
            ledger.note(mark.source, f"{what} is too intricate here; drawn unclipped")
            found.append(mark)
    return found


def fade(marks: list[Mark], opacity: float, source: Source, ledger: Ledger) -> list[Mark]:
    """A group of marks as one picture of that opacity: cut so that none covers another, where they do."""
    if opacity == 1 or not marks:
        return marks
    if opacity == 0:
        return []
    try:
        parts = _side_by_side(marks, ledger)
    except Unsure:
        ledger.note(source, f"opacity {opacity:g} of a group whose parts overlap: each part became translucent")
        parts = marks
    return [replace(part, opacity=part.opacity * opacity) for part in parts]


def _side_by_side(marks: list[Mark], ledger: Ledger) -> list[Mark]:
    """Marks that paint the same picture and do not overlap. Raises Unsure.

    What an opaque mark covers is cut away; what a translucent one covers takes the colour of both.
    """
    parts: list[Mark] = []
    looked = 0
    for mark in marks:
        box, above, uncovered, kept = _box(mark), None, [mark], list[Mark]()
        for part in parts:
            looked += 1
            if looked > MOST_OVERLAPS:
                raise Unsure
            if _are_apart(box, _box(part)):
                kept.append(part)
                continue
            above = above or covered(mark, ledger)
            kept += _cut(part, above, False, ledger)
            if not mark.is_opaque:
                below = covered(part, ledger)
                kept += [replace(piece, **_mixed(part, mark)) for piece in _cut(part, above, True, ledger)]
                uncovered = [piece for whole in uncovered for piece in _cut(whole, below, False, ledger)]
        parts = kept + uncovered
    return parts


def _mixed(lower: Mark, upper: Mark) -> dict[str, Any]:
    """The paint and opacity of one colour over another. Raises Unsure for gradients."""
    if isinstance(lower.paint, Gradient) or isinstance(upper.paint, Gradient):
        raise Unsure
    over, under = upper.paint.alpha * upper.opacity, lower.paint.alpha * lower.opacity
    alpha = over + under * (1 - over)
    share = over / alpha if alpha else 0.0
    red, green, blue = (u * share + v * (1 - share) for u, v in zip(upper.paint[:3], lower.paint[:3], strict=True))
    return {"paint": Color(red, green, blue, alpha), "opacity": 1.0}


def _box(mark: Mark) -> Box:
    box = bounds(mark.path)
    if box is None:
        return 0.0, 0.0, 0.0, 0.0
    far = reach(mark.pen)
    return box[0] - far, box[1] - far, box[2] + far, box[3] + far


def _are_apart(one: Box, other: Box) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _is_within(one: Box, other: Box) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def _is_rectangle(path: Path) -> bool:
    """Whether a path is a rectangle along the axes, from any corner."""
    if path.verbs != "MLLLZ":
        return False
    steps = path.points - path.points[[1, 2, 3, 0]]
    return bool((abs(steps).min(axis=1) < 1e-9).all())


def reach(pen: Pen | None) -> float:
    """How far from its path a line may be seen, in canvas units."""
    if pen is None:
        return 0.0
    a, b, c, d, _, _ = pen.frame
    longest = max(1.5, pen.miter_limit if pen.join == "miter" else 0.0)
    return pen.width / 2 * longest * max(abs(a) + abs(c), abs(b) + abs(d))


def _cut(mark: Mark, region: Path, keep_inside: bool, ledger: Ledger) -> list[Mark]:
    """The mark's part inside a region, or outside of it: the mark itself where that is all of it. Raises Unsure."""
    area = covered(mark, ledger)
    lost, kept = areas.difference, areas.intersection
    if not keep_inside:
        lost, kept = kept, lost
    if areas.is_nothing(lost(area, region, ledger)):
        return [mark]
    left = kept(area, region, ledger)
    return [] if areas.is_nothing(left) else [replace(mark, path=left, even_odd=False, pen=None)]

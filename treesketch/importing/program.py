"""Marks -> the layers of the program that draws them. What an SVG paints in; forms with their paint out."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from treesketch.importing import areas, forms
from treesketch.importing.areas import Pen, Unsure
from treesketch.importing.islands import Group, islands
from treesketch.importing.marks import Mark, box_of, covered, reach
from treesketch.importing.notes import Ledger
from treesketch.importing.paint import PLAIN, Gradient
from treesketch.importing.paths import Path, Points, bounds, contours, is_closed, segments
from treesketch.importing.walk import Drawing
from treesketch.layers import LINES, Channels, Layer
from treesketch.scene import stretch
from treesketch.strokes import MITER_LIMIT

WHITE: Channels = (255, 255, 255)
EVEN = 1.02  # how much more a transform may stretch one way than another for a pen to stay as it is
CORNER = math.cos(math.radians(1))  # of a smaller turn no join can be seen
_CAPS = {"butt": "square", "round": "round", "square": "project"}  # SVG's word -> Processing's


def layers_of(drawing: Drawing, ledger: Ledger) -> tuple[list[Layer], Channels]:
    """The layers of a drawing, and the colour that they lie on: white, or that of a rect over all of the canvas."""
    layers = list(_layers(drawing, ledger))
    ground = WHITE
    while layers and (color := _whole(layers[0], drawing.canvas)):
        ground = color
        del layers[0]
    return layers, ground


def _layers(drawing: Drawing, ledger: Ledger) -> Iterator[Layer]:
    marks = [mark for mark in drawing.marks if _is_seen(mark, drawing.canvas)]
    painted = [(mark, paint) for mark in marks if (paint := _channels(mark, ledger))]
    i = 0
    while i < len(painted):
        mark, paint = painted[i]
        line, color = painted[i + 1] if i + 1 < len(painted) else (mark, paint)
        i += 1
        if mark.pen:
            yield from _stroke(mark, mark.pen, paint, ledger)
        elif line.pen and line.path is mark.path and (layer := _both(mark, line.pen, paint, color, ledger)):
            yield layer
            i += 1
        else:
            yield from _fill(mark, paint, ledger)


def _is_seen(mark: Mark, canvas: tuple[int, int]) -> bool:
    """Whether any of a mark may lie on the canvas."""
    box, far = bounds(mark.path), reach(mark.pen)
    if box is None:
        return False
    left, top, right, bottom = box
    return right + far > 0 and bottom + far > 0 and left - far < canvas[0] and top - far < canvas[1]


def _channels(mark: Mark, ledger: Ledger) -> Channels | None:
    """A mark's paint as whole numbers, a gradient as its mean; None where nothing of it can be seen."""
    color = mark.paint
    if isinstance(color, Gradient):
        try:
            area = covered(mark, ledger)
        except Unsure:
            area = mark.path
        name = color.id
        color, spread = color.mean(areas.cover(area))
        if spread > PLAIN:
            ledger.note(mark.source, f'gradient "{name}" became its mean colour')
    red, green, blue, alpha = (round(255 * value) for value in color._replace(alpha=color.alpha * mark.opacity))
    if alpha == 0:
        return None
    return (red, green, blue) if alpha == 255 else (red, green, blue, alpha)


def _fill(mark: Mark, paint: Channels, ledger: Ledger) -> Iterator[Layer]:
    for group in _groups(mark, ledger):
        if node := forms.filled(group):
            yield Layer(node, paint)


def _groups(mark: Mark, ledger: Ledger) -> list[Group]:
    try:
        return islands(mark.path, mark.even_odd, ledger)
    except Unsure:
        ledger.note(mark.source, "even-odd outlines are too intricate; filled where any of them is")
        return islands(mark.path, False, ledger)


def _both(mark: Mark, pen: Pen, paint: Channels, color: Channels, ledger: Ledger) -> Layer | None:
    """The inside of a path and the line along it as one form, where that says the same."""
    weight, lines = _weight(pen), contours(mark.path)
    joins = {join for contour in lines if (join := _join(contour, pen))}
    if weight is None or len(joins) > 1 or "mixed" in joins:
        return None
    group = [contour for group in _groups(mark, ledger) for contour in group]
    if len(group) != len(lines):
        return None
    join = joins.pop() if joins else None
    if all(map(is_closed, lines)):
        node = forms.filled(group)
        return Layer(node, paint, color, weight, None, join) if node else None
    if len(lines) > 1:
        return None
    node = forms.opened(lines[0])
    return Layer(node, None if node.production in LINES else paint, color, weight, _CAPS[pen.cap], join)


def _stroke(mark: Mark, pen: Pen, paint: Channels, ledger: Ledger) -> Iterator[Layer]:
    """The lines of a stroke; or its outline filled, where the language has no line like it."""
    weight, lines = _weight(pen), contours(mark.path)
    joins = [_join(contour, pen) for contour in lines]
    if weight is None or "mixed" in joins or (len(paint) == 4 and _meet(mark, pen, lines)):
        try:
            yield from _fill(replace(mark, path=areas.stroke(mark.path, pen, ledger), pen=None), paint, ledger)
            return
        except Unsure:
            ledger.note(mark.source, "stroke is too intricate; drawn as a plain line")
    weight = weight or forms.rounded(pen.width * stretch(pen.frame))
    for contour, join in zip(lines, joins, strict=True):
        cap = _CAPS[pen.cap]
        node = forms.closed(contour) if is_closed(contour) else None
        if node:
            yield Layer(node, None, paint, weight, None, "miter" if join == "mixed" else join)
            continue
        node = forms.opened(contour)
        if is_closed(contour) and node.production != "dot":  # there and back: its ends are joins
            cap = "round" if pen.join == "round" else "square"
        if node.production != "dot" or cap != "square":
            yield Layer(node, None, paint, weight, cap, "miter" if join == "mixed" else join)


def _meet(mark: Mark, pen: Pen, lines: list[Path]) -> bool:
    """Whether the lines of a stroke may cover one another."""
    boxes = [box for contour in lines if (box := box_of([replace(mark, path=contour)]))]
    far = 2 * reach(pen)
    return any(
        one[0] - far < other[2] and other[0] - far < one[2] and one[1] - far < other[3] and other[1] - far < one[3]
        for i, one in enumerate(boxes)
        for other in boxes[:i]
    )


def _weight(pen: Pen) -> float | None:
    """A pen's width on the canvas; None where it is not as wide one way as the other."""
    a, b, c, d, _, _ = pen.frame
    wide, narrow = np.linalg.svd(np.array(((a, c), (b, d))), compute_uv=False).tolist()
    if wide > EVEN * narrow:
        return None
    return forms.rounded(pen.width * stretch(pen.frame))


def _join(contour: Path, pen: Pen) -> str | None:
    """How the lines of a contour meet, in Processing's words: None where no corner is, 'mixed' for more than one way.

    A miter is drawn up to a limit that SVG can set and Processing cannot, and beyond it as a bevel.
    """
    turns = [turn for turn in _turns(contour) if turn < CORNER]
    if not turns:
        return None
    if pen.join in ("round", "bevel"):
        return pen.join
    lengths = [math.inf if turn <= -1 else math.sqrt(2 / (1 + turn)) for turn in turns]
    ways = {(length <= pen.miter_limit, length <= MITER_LIMIT) for length in lengths}
    if all(theirs == ours for theirs, ours in ways):
        return "miter"
    return "mixed" if any(theirs for theirs, _ in ways) else "bevel"


def _turns(contour: Path) -> Iterator[float]:
    """The cosine of the turn at each corner of a contour."""
    parts = list(segments(contour))
    if is_closed(contour) and np.abs(contour.points[-1] - contour.points[0]).max() > 0:
        parts.append(("L", contour.points[[-1, 0]]))
    ways = [(_way(points), -_way(points[::-1])) for _, points in parts if np.abs(points - points[0]).max() > 0]
    for (_, before), (after, _) in zip(ways, ways[1:] + (ways[:1] if is_closed(contour) else []), strict=False):
        yield float(before @ after)


def _way(points: Points) -> Points:
    """The direction in which a segment leaves its start: (2,), of length 1."""
    away = points[1:] - points[0]
    lengths = np.hypot(away[:, 0], away[:, 1])
    first = int(np.argmax(lengths > 1e-9 * lengths.max()))
    return np.asarray(away[first] / lengths[first])


def _whole(layer: Layer, canvas: tuple[int, int]) -> Channels | None:
    """The colour of a rect that covers the whole canvas."""
    if layer.shape.production != "rect" or layer.stroke or not layer.fill or len(layer.fill) == 4:
        return None
    (x, y), (width, height) = ([number.value for number in part.children] for part in layer.shape.children)
    assert all(isinstance(value, float) for value in (x, y, width, height))
    covers = x <= 0 and y <= 0 and x + width >= canvas[0] and y + height >= canvas[1]  # type: ignore[operator]
    return layer.fill if covers else None

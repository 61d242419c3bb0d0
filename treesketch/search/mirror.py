"""Pictures that are the same on both sides of their middle: one half is searched, and the program draws it twice.

`fold` gives the half of such a picture; there the axis is the left or the upper border. `confine` keeps the layers
found for it on their side of the axis, or lays them evenly across it, and `unfold` writes the program of the whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from treesketch.layers import Layer, Paint, color_node, literal, paint_after, pair, write_forms
from treesketch.quick import between
from treesketch.search.arrange import clash
from treesketch.search.clip import cut_off
from treesketch.search.fit import shape_node
from treesketch.search.judge import HARM, SEEN, Judge, Sketch, layer_numbers
from treesketch.search.outline import contours
from treesketch.search.painting import to_outline
from treesketch.search.segments import as_path, path_of, pieces, tidy
from treesketch.simplify import shifted
from treesketch.tree import Node

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

OVERLAP = 0.5  # units that both halves reach across the axis, so that no seam shows
FURTHER = 1.0  # units that what lies above something else there reaches further
TOUCHING = 0.3  # units from the axis that count as on it
STEEP = 0.3  # slope against what is upright on the axis, from which on an edge and its mirror make a tip
STEEPEST = 2.0  # slope from which on no edge runs on beyond the axis
PLAIN = 6  # numbers that a whole shape is worth more than what is left of a cut one
HARMLESS = 1.0  # pixels that a half may paint of the other beyond what that paints itself
UNEVEN = 0.02  # share of a shape's pixels by which it may change when it is laid evenly across the axis
TOLD = 7  # numbers that saying so costs, about: going to the axis, and loops that turn the sides over
UNKNOWN = Paint((-1,), (-1,), -1.0)  # what no program has set: everything is said anew


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """A picture (width, height) in units folded across its width (axis 0) or its height (axis 1).

    half is that of its halves that stands for both, (h, w, 3) in 0..1, from the axis on; asymmetry the squared error,
    summed over pixels and channels, of the whole picture if it does.
    """

    whole: tuple[int, int]
    axis: int
    half: Pixels
    asymmetry: float

    @property
    def canvas(self) -> tuple[int, int]:
        """The half's canvas."""
        width, height = self.whole
        return (width // 2, height) if self.axis == 0 else (width, height // 2)

    @property
    def origin(self) -> tuple[int, int]:
        """Where the half's upper left corner is in the whole."""
        return (self.whole[0] // 2, 0) if self.axis == 0 else (0, self.whole[1] // 2)


def fold(target: Pixels, canvas: tuple[int, int]) -> Fold | None:
    """The picture folded where its halves differ least; the half with less in it stands for both.

    target is (H, W, 3) in 0..1, canvas (width, height) in units. None where neither has a middle between two pixels.
    """
    best: Fold | None = None
    for axis in (0, 1):
        pixels = target if axis == 0 else target.transpose(1, 0, 2)
        width = pixels.shape[1]
        if canvas[axis] % 2 or width % 2:
            continue
        halves = pixels[:, width // 2 :], pixels[:, width // 2 - 1 :: -1]
        asymmetry = float(((halves[0] - halves[1]) ** 2).sum())
        if best is None or asymmetry < best.asymmetry:
            half = min(halves, key=lambda side: float(sum(np.abs(np.diff(side, axis=k)).sum() for k in (0, 1))))
            best = Fold(canvas, axis, np.ascontiguousarray(half if axis == 0 else half.transpose(1, 0, 2)), asymmetry)
    return best


def confine(
    sketch: Sketch, folded: Fold, judges: tuple[Judge, Judge], price: float, is_over: Callable[[], bool]
) -> Sketch:
    """A half's sketch in which what reaches over the axis is laid evenly across it, cut off there, or does no harm.

    judges are of the half and of the whole; price is the squared error, summed over the half's pixels and channels,
    that a number must save. What costs least is done; what is left when is_over says so stays as it is.
    """
    judge, whole = judges
    for k, layer in enumerate(sketch.layers):
        if is_over() or _reach(layer, folded.axis) >= -TOUCHING:
            continue
        own, over = _sides(layer, folded, whole)
        best, least = sketch, HARM * float(np.maximum(over - own, 0).sum()) + price * layer_numbers(layer)
        error = judge.error(sketch) * judge.target.size
        for other, extra in ((_even(layer, folded.axis), -1), (_cut(layer, folded.axis), PLAIN)):
            if other is not None:
                candidate = replace(sketch, layers=(*sketch.layers[:k], other, *sketch.layers[k + 1 :]))
                harm = judge.error(candidate) * judge.target.size - error
                if harm + price * (layer_numbers(other) + extra) < least:
                    best, least = candidate, harm + price * (layer_numbers(other) + extra)
        sketch = best
    return sketch


def unfold(sketch: Sketch, folded: Fold, judge: Judge) -> Node:
    """The program of the whole picture for a half's sketch: what lies across the axis once, the rest on both sides.

    judge judges the whole.
    """
    placed = [_Placed.of(layer, folded, judge) for layer in sketch.layers]
    runs = min((_runs(placed, first) for first in (False, True)), key=len)
    width, height = folded.whole
    forms = [
        Node("size", (Node("dimension", (), float(width)), Node("dimension", (), float(height)))),
        Node("background", (color_node(sketch.ground),)),
    ]
    x, y = folded.origin
    if not any(placed.twice for run in runs for placed in run):
        once = [replace(one.layer, shape=shifted(one.layer.shape, x, y)) for run in runs for one in run]
        return Node("program", (*forms, *write_forms(once)))
    forms.append(Node("translate", (pair("point", x, y),)))
    paint = Paint()
    for run in runs:
        layers = _overlapping(run, folded.axis) if run[0].twice else [one.layer for one in run]
        forms += _both_sides(layers, paint, folded.axis) if run[0].twice else write_forms(layers, paint)
        paint = paint_after(layers, paint)
    return Node("program", tuple(forms))


def _both_sides(layers: Sequence[Layer], paint: Paint, axis: int) -> list[Node]:
    """A loop that draws layers on the other side of the axis, then on their own; it leaves the axes as they were."""
    after = paint_after(layers, paint)
    same = Paint(
        paint.fill if paint.fill == after.fill else UNKNOWN.fill,
        paint.stroke if paint.stroke == after.stroke else UNKNOWN.stroke,
        paint.weight if paint.weight == after.weight else UNKNOWN.weight,
        paint.cap,
        paint.join,
    )
    flip = Node("scale_each", tuple(map(literal, (-1, 1) if axis == 0 else (1, -1))))
    counter = Node("counter", (Node("binder", (), "side"), literal(2)))
    return [Node("dotimes", (counter, flip, *write_forms(layers, same)))]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A layer of a half, whether it is drawn on both sides, and what it paints: of its own half, and of the other."""

    layer: Layer
    twice: bool
    own: Mask  # (h, w) of the half
    over: Mask  # the same, for what lies beyond the axis, mirrored

    @classmethod
    def of(cls, layer: Layer, folded: Fold, judge: Judge) -> "_Placed":
        own, over = _sides(layer, folded, judge)
        seen, beyond = own > SEEN, over > SEEN
        even = _even(layer, folded.axis)
        if even is not None and _reach(layer, folded.axis) < TOUCHING:
            laid, _ = _sides(even, folded, judge)
            if float(np.abs(laid - own).sum()) <= HARMLESS + UNEVEN * float(own.sum()):
                return cls(even, False, laid > SEEN, laid > SEEN)
        if _reaching(layer, folded.axis, -OVERLAP) != layer:
            along = (slice(None), 0) if folded.axis == 0 else (0, slice(None))
            beyond[along] |= seen[along]  # it will overlap
        return cls(layer, True, seen, beyond)


def _sides(layer: Layer, folded: Fold, judge: Judge) -> tuple[Pixels, Pixels]:
    """What a layer covers of its half, and beyond the axis, mirrored: each (h, w) in 0..1."""
    whole = replace(layer, shape=shifted(layer.shape, *folded.origin))
    cover = np.maximum.reduce([np.zeros(judge.size, np.float32), *(cover for cover, _ in judge.paints(whole))])
    middle = judge.size[1 - folded.axis] // 2
    if folded.axis == 0:
        return cover[:, middle:], cover[:, middle - 1 :: -1]
    return cover[middle:], cover[middle - 1 :: -1]


def _runs(placed: Sequence[_Placed], twice: bool) -> list[list[_Placed]]:
    """The layers in runs that are drawn once or twice, as few as may be when one of that sort is first.

    What overlaps keeps its order. In a loop the second side is painted last: nothing of it may lie over what the first
    has on top.
    """
    waits = [
        {
            j
            for j in range(k)
            if clash(placed[j].layer, one.layer) and ((placed[j].own | placed[j].over) & (one.own | one.over)).any()
        }
        for k, one in enumerate(placed)
    ]
    left, runs = list(range(len(placed))), list[list[_Placed]]()
    while left:
        run: list[_Placed] = []
        while True:
            ready = (k for k in left if placed[k].twice == twice and not waits[k] & set(left))
            fits = (k for k in ready if not twice or not any(_hides(one, placed[k]) for one in run))
            found = next(fits, None)
            if found is None:
                break
            run.append(placed[found])
            left.remove(found)
        if run:
            runs.append(run)
        if not any(placed[k].twice == twice and not waits[k] & set(left) for k in left):
            twice = not twice
    return runs


def _hides(below: _Placed, above: _Placed) -> bool:
    """Whether the second side of one layer would lie over the first side of another that is on top of it."""
    return bool((below.over & above.own & ~above.over).any())


def _reach(layer: Layer, axis: int) -> float:
    """The least coordinate of a layer, in units from the axis; what is no plain shape is taken to keep its side."""
    if layer.fill is not None and layer.stroke is not None:
        return min(_reach(replace(layer, stroke=None), axis), _reach(replace(layer, fill=None), axis))
    piece = to_outline(layer, np.ones(2))
    return 0.0 if piece is None else min(float(ring[:, axis].min()) for ring in contours(piece.outline)[0])


def _cut(layer: Layer, axis: int) -> Layer | None:
    """The layer without what lies beyond the axis."""
    piece = to_outline(layer, np.ones(2))
    outline = piece and cut_off(piece.outline, axis, 0.0)
    return replace(layer, shape=shape_node(outline, np.ones(2))) if outline else None


def _even(layer: Layer, axis: int) -> Layer | None:
    """A layer laid evenly across the axis, as far as on its own side; None where that is another kind of shape."""
    shape = layer.shape
    if shape.production in ("rect", "rect_rounded"):
        start, extent = ([float(child.value or 0.0) for child in node.children] for node in shape.children[:2])
        far = start[axis] + extent[axis]
        start[axis], extent[axis] = -far, 2 * far
        new = Node(shape.production, (pair("point", *start), pair("extent", *extent), *shape.children[2:]))
        return replace(layer, shape=new) if far > 0 else None
    if shape.production in ("ellipse", "arc", "arc_closed"):
        center, across = ([float(child.value or 0.0) for child in node.children] for node in shape.children[:2])
        far = center[axis] + across[axis] / 2
        center[axis], across[axis] = 0.0, 2 * far
        rest: Sequence[Node] | None = shape.children[2:]
        if shape.production != "ellipse":
            rest = _even_angles(shape, axis)
        if far <= 0 or rest is None:
            return None
        new = Node(shape.production, (pair("point", *center), pair("diameters", *across), *rest))
        return replace(layer, shape=new)
    if shape.production == "line":
        ends = [[float(child.value or 0.0) for child in node.children] for node in shape.children]
        if abs(ends[0][1 - axis] - ends[1][1 - axis]) > TOUCHING:
            return None
        far_end = max(ends, key=lambda end: end[axis])
        near_end = list(far_end)
        near_end[axis] = -far_end[axis]
        return replace(layer, shape=Node("line", (pair("point", *near_end), pair("point", *far_end))))
    return None


def _even_angles(shape: Node, axis: int) -> tuple[Node, ...] | None:
    """The angles of an arc, and how it is closed, when what shows of it beyond the axis is as on its own side."""
    start, stop = (child.value for child in shape.children[2:4])
    if not isinstance(start, float) or not isinstance(stop, float):
        return None
    # From the angle where the axis is crossed; the own half of the turn lies from there on.
    first = -np.pi / 2 if axis == 0 else 0.0
    start, stop = start - first, stop - first
    turns = np.floor(start / (2 * np.pi)) * 2 * np.pi
    start, stop = start - turns, stop - turns  # start in [0, 2 pi)
    if start < np.pi < stop < 2 * np.pi + start:  # over the farther crossing
        start, stop = start, 2 * np.pi - start
    elif start > np.pi and 2 * np.pi < stop < 3 * np.pi:  # over the nearer one
        start, stop = 4 * np.pi - stop, stop
    else:
        return None
    angles = (literal(round(float(start + first), 4)), literal(round(float(stop + first), 4)))
    return (*angles, *shape.children[4:])


def _overlapping(run: Sequence[_Placed], axis: int) -> list[Layer]:
    """The layers of a loop that end at the axis with an overlap there, more than those that they lie on.

    Else the edge of what the second side has below would show through what the first has above.
    """
    depth: list[int] = []
    layers = []
    edges = [(one.own if axis == 0 else one.own.T)[:, 0] for one in run]  # what is painted along the axis
    for k, one in enumerate(run):
        depth.append(max((1 + depth[j] for j in range(k) if (edges[j] & edges[k]).any()), default=0))
        layers.append(_reaching(one.layer, axis, -OVERLAP - FURTHER * depth[-1]))
    return layers


def _reaching(layer: Layer, axis: int, least: float) -> Layer:
    """A filled layer with its edge along the axis moved there; a tip stays where it is."""
    piece = to_outline(layer, np.ones(2)) if layer.stroke is None else None
    if piece is None:
        return layer
    outline = piece.outline
    if outline.kind == "rect":
        params = outline.params.copy()
        params[axis] = least if abs(params[axis]) <= TOUCHING else params[axis]
        outline = replace(outline, params=params)
    elif outline.kind in ("polygon", "path"):
        parts = _straight(pieces(as_path(outline)), axis)
        if parts is None:
            return layer
        on = [_is_along(part, axis) for part in parts]
        for k in range(len(parts)):
            if on[k - 1] and not on[k]:
                parts[k] = _run_on(parts[k][::-1], parts[k - 1][0], axis, least)[::-1]
            if on[(k + 1) % len(parts)] and not on[k]:
                parts[k] = _run_on(parts[k], parts[(k + 1) % len(parts)][-1], axis, least)
        for k in range(len(parts)):
            if on[k]:
                parts[k] = np.stack([parts[k - 1][-1], parts[(k + 1) % len(parts)][0]])
        outline = tidy(path_of(parts))
    else:
        return layer
    return replace(layer, shape=shape_node(outline, np.ones(2)))


def _is_along(part: Array, axis: int) -> bool:
    """Whether a segment (n, 2) runs along the axis."""
    return bool(np.abs(part[[0, -1], axis]).max() <= TOUCHING and np.abs(part[:, axis]).max() <= 2 * TOUCHING)


def _straight(parts: Sequence[Array], axis: int) -> list[Array] | None:
    """The segments of a closed outline with what runs along the axis in one piece; None if nothing or all does."""
    along = [_is_along(part, axis) for part in parts]
    if all(along) or not any(along):
        return None
    first = next(k for k in range(len(parts)) if along[k] and not along[k - 1])
    found: list[Array] = []
    last = False
    for k in [*range(first, len(parts)), *range(first)]:
        if along[k] and last:
            found[-1] = np.stack([found[-1][0], parts[k][-1]])
        else:
            found.append(parts[k][[0, -1]] if along[k] else parts[k])
        last = along[k]
    return found


def _run_on(part: Array, beside: Array, axis: int, least: float) -> Array:
    """A segment (n, 2) that ends at the axis, running on beyond it; one that makes a tip with its mirror ends on it.

    beside is the other end of what lies along the axis.
    """
    end, back = part[-1], part[-2] - part[-1]
    slope = back[1 - axis] / max(back[axis], 1e-6)
    to = 0.0 if slope * (beside - end)[1 - axis] > 0 and abs(slope) > STEEP or abs(slope) > STEEPEST else least
    t = 1.0
    for _ in range(8):  # Newton's steps to where the segment, prolonged, is as far beyond as wanted
        here, after = (float(between(part[:, axis : axis + 1], at, at)[0, 0]) for at in (t, t + 1e-4))
        if abs(after - here) < 1e-9:
            break
        t = min(max(t - (here - to) / (after - here) * 1e-4, 0.0), 2.0)
    new = between(part, 0.0, t) if 0.5 < t < 1.5 else part.copy()
    new[-1, axis] = to
    return np.round(new, 1) if t != 1 else new

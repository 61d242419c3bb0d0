"""A found sketch put in order: sides that may be anywhere go where others are, and layers come as a person writes them.

A sketch in, one that draws the same out. A stripe that ends under another shape may as well go on to the picture's
border; layers that do not touch may come in any order, so those of one paint come together and a row from its
beginning to its end. What repeats then does so evenly, which is what `simplify` looks for.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from treesketch.layers import Layer, rect
from treesketch.search.judge import Judge, Sketch, layer_numbers
from treesketch.search.numbers import numbers
from treesketch.simplify import shifted
from treesketch.tree import Node, walk

SAME = 2e-6  # mean square error that a change may add and still draw the same
NEAR = 0.05  # units between what counts as one place
FORM = 30  # numbers that a form is worth leaving out for: seams and slivers that a person would not draw
FEWEST = 10  # numbers of a shape that is worth being a copy
CLEARLY = 0.1  # difference of a channel, 0..1, that is no matter of edges
LIKE = 1.5  # units that the sizes of two like shapes may differ
TIP = 0.15  # units that a line may lean and still be called level


def arrange(sketch: Sketch, judge: Judge, price: float, is_over: Callable[[], bool]) -> Sketch:
    """The sketch without what is of no use, its rectangles aligned, like shapes alike, in order, until is_over.

    price is the squared error, summed over the pixels and channels of the judge's target, that a number must save.
    """
    sketch = pruned(sketch, judge, price, is_over)
    sketch = aligned(barred(sketch, judge, is_over), judge, is_over)
    return ordered(alike(sketch, judge, price, is_over), judge)


def pruned(sketch: Sketch, judge: Judge, price: float, is_over: Callable[[], bool]) -> Sketch:
    """The sketch without layers that save no more than a form and their numbers cost."""
    error = judge.error(sketch) * judge.target.size
    for layer in sketch.layers:
        if is_over():
            break
        candidate = replace(sketch, layers=tuple(other for other in sketch.layers if other is not layer))
        after = judge.error(candidate) * judge.target.size
        if after <= error + price * (FORM + layer_numbers(layer)):
            sketch, error = candidate, after
    return sketch


def alike(sketch: Sketch, judge: Judge, price: float, is_over: Callable[[], bool]) -> Sketch:
    """Shapes of many numbers that are nearly the same as another of their paint, elsewhere, as that one moved.

    A copy costs two numbers, once it is told as a call of a function; it must be worth the others.
    """
    found = {k: corners for k, layer in enumerate(sketch.layers) if (corners := _corners(layer)) is not None}
    error = judge.error(sketch) * judge.target.size
    for k in sorted(found, key=lambda k: -int(judge.mark(sketch.layers[k]).sum())):
        best: tuple[float, Sketch] | None = None
        for j in found:
            one, other = sketch.layers[j], sketch.layers[k]
            if j == k or (one.fill, one.stroke, one.weight) != (other.fill, other.stroke, other.weight):
                continue
            if is_over() or np.abs(np.ptp(found[j], axis=0) - np.ptp(found[k], axis=0)).max() > LIKE:
                continue
            x, y = (found[k].max(axis=0) + found[k].min(axis=0) - found[j].max(axis=0) - found[j].min(axis=0)) / 2
            for dx, dy in ((0.0, 0.0), (0.1, 0.0), (-0.1, 0.0), (0.0, 0.1), (0.0, -0.1)):
                copy = replace(other, shape=shifted(one.shape, round(float(x), 1) + dx, round(float(y), 1) + dy))
                candidate = _with_layer(sketch, k, copy)
                after = judge.error(candidate) * judge.target.size
                if best is None or after < best[0]:
                    best = after, candidate
        if best and best[0] <= error + price * max(layer_numbers(sketch.layers[k]) - 2, 0):
            error, sketch = best
            corners = _corners(sketch.layers[k])
            assert corners is not None  # it is a copy of a shape that has them
            found[k] = corners
    return sketch


def _corners(layer: Layer) -> NDArray[np.float64] | None:
    """The points (n, 2) of a layer that is an outline of many numbers."""
    if layer.shape.production not in ("polygon", "polyline") or layer_numbers(layer) < FEWEST:
        return None
    points = [node for _, node in walk(layer.shape) if node.production == "point"]
    values = [[child.value for child in point.children] for point in points]
    if any(not isinstance(value, float) for pair in values for value in pair):
        return None
    return np.array(values, float)


def barred(sketch: Sketch, judge: Judge, is_over: Callable[[], bool]) -> Sketch:
    """Level and upright lines from border to border as the rectangles that show of them."""
    error = judge.error(sketch)
    for k, layer in enumerate(sketch.layers):
        bar = _bar(layer, judge.canvas)
        if bar is None or is_over():
            continue
        candidate = _with_layer(sketch, k, Layer(bar, layer.stroke))
        if judge.error(candidate) <= error + SAME:
            sketch = candidate
    return sketch


def _bar(layer: Layer, canvas: tuple[int, int]) -> Node | None:
    """The rectangle that shows of a line beyond two borders."""
    if layer.shape.production != "line" or layer.stroke is None:
        return None
    ends = _numbers(layer.shape)
    if ends is None:
        return None
    (x1, y1, x2, y2), (width, height), half = ends, canvas, layer.weight / 2
    if abs(y1 - y2) < TIP and min(x1, x2) <= 0 and max(x1, x2) >= width:
        return rect(0, round((y1 + y2) / 2 - half, 2), width, round(2 * half, 2))
    if abs(x1 - x2) < TIP and min(y1, y2) <= 0 and max(y1, y2) >= height:
        return rect(round((x1 + x2) / 2 - half, 2), 0, round(2 * half, 2), height)
    return None


def aligned(sketch: Sketch, judge: Judge, is_over: Callable[[], bool]) -> Sketch:
    """Rectangles with sides that other shapes hide moved to the picture's border or to where others of their paint end.

    A rectangle may go behind what it then reaches under.
    """
    error = judge.error(sketch)
    for k in range(len(sketch.layers)):
        if _sides(sketch.layers[k]) is None:
            continue
        layer = sketch.layers[k]
        for side in range(4):
            for value in _places(sketch, layer, side, judge.canvas):
                if is_over():
                    return sketch
                moved = _with_side(layer, side, value)
                found = _hidden(sketch, layer, moved, judge, error) if moved else None
                if moved and found:
                    sketch, layer = found, moved
                    break
    return sketch


def _places(sketch: Sketch, layer: Layer, side: int, canvas: tuple[int, int]) -> list[float]:
    """Where a side of a rectangle may go to: outward only, the picture's border first."""
    own = (_sides(layer) or [0.0] * 4)[side]
    border = 0.0 if side < 2 else float(canvas[side - 2])
    others = [_sides(other) for other in sketch.layers if other.fill == layer.fill and other is not layer]
    found = sorted({sides[side] for sides in others if sides}, key=lambda value: abs(value - border))
    inside = [value for value in found if 0 <= value <= canvas[side % 2]]
    outward = [value for value in [border, *inside] if (own - value if side < 2 else value - own) > NEAR]
    return list(dict.fromkeys(outward))[:3]


def _hidden(sketch: Sketch, layer: Layer, moved: Layer, judge: Judge, error: float) -> Sketch | None:
    """The sketch with a layer moved, where it is or behind the first that it touches, if that draws the same."""
    k = sketch.layers.index(layer)
    mark = judge.mark(moved)
    others = np.zeros(judge.size, bool)
    for other in sketch.layers:
        others |= judge.mark(other)  # its own too: only what it newly reaches counts
    color = np.array((moved.fill or (0, 0, 0))[:3], np.float32) / 255
    shown = mark & ~others & (np.abs(judge.target - color).max(axis=2) > CLEARLY)
    if shown.any():
        return None
    there = _with_layer(sketch, k, moved)
    if judge.error(there) <= error + SAME:
        return there
    behind = next((j for j in range(k) if (judge.mark(sketch.layers[j]) & mark).any()), None)
    if behind is None:
        return None
    rest = [other for other in sketch.layers if other is not layer]
    candidate = replace(sketch, layers=(*rest[:behind], moved, *rest[behind:]))
    return candidate if judge.error(candidate) <= error + SAME else None


def _sides(layer: Layer) -> list[float] | None:
    """The sides x0 y0 x1 y1 of a layer that is a filled upright rectangle."""
    if layer.shape.production != "rect" or layer.stroke is not None:
        return None
    numbers = _numbers(layer.shape)
    if numbers is None:
        return None
    x, y, width, height = numbers
    return [x, y, x + width, y + height]


def _with_side(layer: Layer, side: int, value: float) -> Layer | None:
    sides = _sides(layer)
    assert sides is not None
    sides[side] = value
    x0, y0, x1, y1 = sides
    if x1 - x0 < NEAR or y1 - y0 < NEAR:
        return None
    return replace(layer, shape=rect(x0, y0, round(x1 - x0, 2), round(y1 - y0, 2)))


def ordered(sketch: Sketch, judge: Judge) -> Sketch:
    """The layers in the order in which a person would write them; what overlaps keeps its order.

    Of all that may come next, one that needs no new paint does, then one of the same form, then the first in reading
    order.
    """
    layers = sketch.layers
    marks = [judge.mark(layer) for layer in layers]
    waits = [
        {j for j in range(k) if layers[j] != layers[k] and clash(layers[j], layers[k]) and (marks[j] & marks[k]).any()}
        for k in range(len(layers))
    ]
    left, found = list(range(len(layers))), list[int]()
    while left:
        ready = [k for k in left if not waits[k] & set(left)]
        last = layers[found[-1]] if found else None
        found.append(min(ready, key=lambda k: (*_change(last, layers[k]), *_reading(layers[k]))))
        left.remove(found[-1])
    new = replace(sketch, layers=tuple(layers[k] for k in found))
    return new if judge.error(new) <= judge.error(sketch) + SAME else sketch


def clash(one: Layer, other: Layer) -> bool:
    """Whether it matters which of two comes first, where they touch."""
    return one.fill != other.fill or one.stroke != other.stroke or one.stroke is not None and one.fill is not None


def _change(last: Layer | None, layer: Layer) -> tuple[bool, bool]:
    """Whether a layer needs other paint than the last, and whether it is another form."""
    if last is None:
        return False, False
    paint = (last.fill, last.stroke, last.weight) != (layer.fill, layer.stroke, layer.weight)
    return paint, last.shape.production != layer.shape.production


def _reading(layer: Layer) -> tuple[float, float]:
    """Where a layer's first point is: down, then across; places in one row count as equally far down."""
    for _, node in walk(layer.shape):
        if node.production == "point" and all(isinstance(child.value, float) for child in node.children):
            x, y = (float(child.value or 0.0) for child in node.children)
            return round(y), x
    return 0.0, 0.0


def _with_layer(sketch: Sketch, k: int, layer: Layer) -> Sketch:
    return replace(sketch, layers=(*sketch.layers[:k], layer, *sketch.layers[k + 1 :]))


def _numbers(shape: Node) -> list[float] | None:
    """The numbers of a form that has four, each by itself."""
    found = numbers(shape)
    return [number.value for number in found] if len(found) == 4 and all(number.alone for number in found) else None

"""A found sketch made presentable: its numbers as a person would write them.

A sketch in, one that draws nearly the same out.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from treesketch import tree
from treesketch.arithmetic import CONSTANTS
from treesketch.layers import Channels, Layer
from treesketch.search.judge import Array, Judge, Sketch
from treesketch.search.numbers import GEOMETRY, Number, numbers
from treesketch.search.tally import charge
from treesketch.tree import Node

TOLERANCE = 0.03  # share of the error that rounding may add
SLACK = 1e-5  # mean square error that rounding may add however small the error is: an rmse of .003, which no one sees
GRIDS = (1, 2)  # parts of a unit that are tried, the coarsest first
OUTLINED = frozenset({"ellipse", "rect", "triangle", "quad", "polygon"})  # what may be filled and stroked at once
NEAR_WEIGHT = 0.06  # share by which the weights of what one pen drew may differ
NEAR_ANGLE = 0.012  # radians: two thirds of a degree
NEAR = 3  # of 255, in every channel: two colours that a person would write as one


def finish(sketch: Sketch, judge: Judge, is_over: Callable[[], bool]) -> Sketch:
    """Round all numbers to tenths, or hundredths where that shows, then each to a whole unit or a half if it may be.

    An inside and an outline that belong together become one shape. Colours that are nearly one become one, and those
    that are nearly black, white or grey become that.

    What rounding may add to the error is shared out evenly among the numbers; what one does not use, the next may.
    Angles keep at least two decimals. Numbers not reached before is_over says that it is over stay on the finer grid.
    """
    sketch = outlined(sketch, judge, is_over)
    error = judge.error(sketch)
    for parts in (10, 100):
        finer = replace(sketch, layers=tuple(rounded(layer, parts) for layer in sketch.layers))
        if judge.error(finer) <= error * (1 + TOLERANCE / 2) + SLACK / 2:
            break
    sketch = plain_colors(finer, judge, is_over)
    error = judge.error(sketch)
    todo = sum(len(_free(layer)) for layer in sketch.layers)
    share = (error * TOLERANCE / 2 + SLACK / 2) / max(todo, 1)
    allowed = error
    stack = judge.stack(sketch)
    under = stack.under[0]
    layers = list(sketch.layers)
    for k, layer in enumerate(layers):
        above = (stack.over_color[k + 1], stack.over_clear[k + 1])
        for number in _free(layer):
            allowed += share
            for parts in GRIDS:
                candidate = with_number(layer, number, round(number.value * parts) / parts)
                if not is_over() and _error(judge, candidate, under, above) <= allowed:
                    layer = candidate
                    break
        layers[k] = layer
        under = _painted(judge, layer, under)
    return named_angles(replace(sketch, layers=tuple(layers)), judge, is_over)


def named_angles(sketch: Sketch, judge: Judge, is_over: Callable[[], bool]) -> Sketch:
    """Angles that are nearly a constant of the language as that constant, where that shows no less."""
    error = judge.error(sketch)
    for k, layer in enumerate(sketch.layers):
        for number in numbers(layer.shape):
            if number.role != "angle" or is_over():
                continue
            word = min(CONSTANTS, key=lambda word: abs(abs(number.value) - CONSTANTS[word]))
            if abs(abs(number.value) - CONSTANTS[word]) > NEAR_ANGLE:
                continue
            angle = Node("constant", (), word)
            angle = Node("negate", (angle,)) if number.value < 0 else angle
            layer = replace(layer, shape=tree.replace(layer.shape, number.path, angle))
            candidate = replace(sketch, layers=(*sketch.layers[:k], layer, *sketch.layers[k + 1 :]))
            if judge.error(candidate) <= error * (1 + TOLERANCE / 2) + SLACK / 2:
                sketch = candidate
            layer = sketch.layers[k]
    return sketch


def same_pens(sketch: Sketch) -> Sketch:
    """Strokes of nearly one weight with their mean weight: one pen drew them."""
    weights = sorted({layer.weight for layer in sketch.layers if layer.stroke is not None})
    pens: dict[float, float] = {}
    while weights:
        group = [weight for weight in weights if weight <= weights[0] * (1 + NEAR_WEIGHT)]
        pens |= dict.fromkeys(group, round(float(np.mean(group)), 2))
        weights = weights[len(group) :]
    layers = (replace(x, weight=pens[x.weight]) if x.stroke is not None else x for x in sketch.layers)
    return replace(sketch, layers=tuple(layers))


def outlined(sketch: Sketch, judge: Judge, is_over: Callable[[], bool]) -> Sketch:
    """Insides that an outline of the same kind runs around are painted together with it, where that shows no less."""
    error = judge.error(sketch)
    layers = list(sketch.layers)
    for line in list(layers):
        if line.fill is not None or line.stroke is None or line.shape.production not in OUTLINED:
            continue
        for inside in layers[: layers.index(line)][::-1]:
            if inside.stroke is not None or inside.shape.production != line.shape.production:
                continue
            if is_over() or not _runs_around(line, inside, judge):
                continue
            whole = [replace(line, fill=inside.fill) if layer is line else layer for layer in layers]
            whole.remove(inside)
            candidate = replace(sketch, layers=tuple(whole))
            if judge.error(candidate) <= error * (1 + TOLERANCE / 2) + SLACK / 2:
                sketch, layers = candidate, whole
                break
    return sketch


def _runs_around(line: Layer, inside: Layer, judge: Judge) -> bool:
    """Whether a shape ends under a stroke on all sides."""
    (stroke, _), (filled, _) = judge.paints(line)[0], judge.paints(inside)[0]
    reach = line.weight * judge.size[1] / judge.canvas[0] + 1
    for axis in (0, 1):
        one, other = np.flatnonzero((stroke > 0.5).any(axis=axis)), np.flatnonzero((filled > 0.5).any(axis=axis))
        if not len(one) or not len(other):
            return False
        if not (0 <= other[0] - one[0] + 1 <= reach + 1 and 0 <= one[-1] - other[-1] + 1 <= reach + 1):
            return False
    return True


def plain_colors(sketch: Sketch, judge: Judge, is_over: Callable[[], bool]) -> Sketch:
    """Each colour as an earlier one, as black or white, or as a grey, where it is that nearly and the error allows it.

    The ground's colour goes first, then those of the layers, back to front. The whole adds at most half of what
    rounding may.
    """
    allowed = judge.error(sketch) * (1 + TOLERANCE / 2) + SLACK / 2
    told: list[Channels] = []
    paints = (paint for layer in sketch.layers for paint in (layer.fill, layer.stroke) if paint)
    for color in dict.fromkeys((sketch.ground, *paints)):
        for plain in (*told, *_plainer(color)):
            if is_over() or not _is_near(color, plain):
                continue
            candidate = _recolored(sketch, color, plain)
            if judge.error(candidate) <= allowed:
                sketch, color = candidate, plain
                break
        told.append(color)
    return sketch


def _plainer(color: Channels) -> list[Channels]:
    """What a person would rather write than this colour, the plainest first; alpha stays."""
    red, green, blue, *alpha = color
    grey = round((red + green + blue) / 3)
    return [(level, level, level, *alpha) for level in (0, 255, grey)]


def _is_near(one: Channels, other: Channels) -> bool:
    return one != other and one[3:] == other[3:] and all(abs(a - b) <= NEAR for a, b in zip(one, other, strict=True))


def _recolored(sketch: Sketch, old: Channels, new: Channels) -> Sketch:
    """The sketch with one colour in another's place, wherever it is used."""

    def swap(color: Channels | None) -> Channels | None:
        return new if color == old else color

    layers = tuple(replace(layer, fill=swap(layer.fill), stroke=swap(layer.stroke)) for layer in sketch.layers)
    return Sketch(swap(sketch.ground) or sketch.ground, layers)


def _free(layer: Layer) -> list[Number]:
    """The numbers of a layer that may go to a coarser grid: all that place or size it, whole ones excepted."""
    return [n for n in numbers(layer.shape) if n.role in GEOMETRY - {"angle"} and n.value != round(n.value)]


def _painted(judge: Judge, layer: Layer, under: Array) -> Array:
    picture = under.copy()
    for cover, color in judge.paints(layer):
        picture += cover[..., None] * (color - picture)
    return picture


def _error(judge: Judge, layer: Layer, under: Array, above: tuple[Array, Array]) -> float:
    """Mean square error with a layer between what is under it and above it."""
    charge()
    picture = above[0] + above[1][..., None] * _painted(judge, layer, under)
    return float(((picture - judge.target) ** 2).mean())


def rounded(layer: Layer, parts: int) -> Layer:
    """The layer with its geometry on a grid of 1 / parts units; angles on one of a tenth of that. Nothing vanishes."""
    for number in numbers(layer.shape):
        if number.role in GEOMETRY:
            grid = 10 * parts if number.role == "angle" else parts
            layer = with_number(layer, number, round(number.value * grid) / grid)
    if layer.stroke is not None:
        layer = replace(layer, weight=max(round(layer.weight * parts) / parts, 0.1))
    return layer


def with_number(layer: Layer, number: Number, value: float) -> Layer:
    """The layer with one number changed; a size does not become nothing."""
    if number.role in ("width", "height", "length") and value == 0:
        value = round(number.value, 2) or 0.1
    return replace(layer, shape=tree.replace(layer.shape, number.path, Node("literal", (), float(value))))

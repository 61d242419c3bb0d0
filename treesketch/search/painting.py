"""A painting: outlines with colours, pens and a ground, as the numerical part of the search moves them about.

The search thinks in layers of the language (`layers.Layer`); fitting and polishing think in outlines in pixels
(`outline.Outline`). This module goes between the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from treesketch import layers as language
from treesketch.search.fit import CURVES, shape_node, to_channels
from treesketch.search.judge import Sketch
from treesketch.search.outline import CUT_ROUND, SIDED, STROKES, Layer, Outline
from treesketch.tree import Node

Array = NDArray[np.float64]

FOUR_FIRST = (*SIDED, *CUT_ROUND)  # kinds whose first four numbers are all that come as x y


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """Layers back to front, which pen drew each (equal numbers: one weight), the ground (3,) in 0..1, and the rmse."""

    layers: tuple[Layer, ...]
    pens: tuple[int, ...]
    ground: Array
    rmse: float


def to_sketch(painting: Painting, scale: Array) -> Sketch:
    """The painting in canvas units; scale is units per pixel, across and down."""
    found = []
    for layer in painting.layers:
        color = to_channels(layer.color)
        shape = shape_node(layer.outline, scale)
        if layer.outline.kind in STROKES:
            weight = round(float(layer.outline.params[-1] * scale.mean()), 2)
            found.append(language.Layer(shape, None, color, weight))
        else:
            found.append(language.Layer(shape, color))
    return Sketch(to_channels(painting.ground), tuple(found))


def to_outline(layer: language.Layer, scale: Array) -> Layer | None:
    """The outline, in pixels, of a layer that is one plain shape; None for loops, names and shapes with two paints."""
    if layer.fill is not None and layer.stroke is not None:
        return None
    color = layer.fill or layer.stroke
    outline = _outline(layer, scale)
    return Layer(outline, np.array(color[:3], float) / 255) if outline is not None and color is not None else None


def _outline(layer: language.Layer, scale: Array) -> Outline | None:
    shape, (x, y), angle = layer.shape, (0.0, 0.0), 0.0
    if shape.production == "with_translation" and len(shape.children) == 2:
        origin, turned = shape.children
        if turned.production != "with_rotation" or len(turned.children) != 2:
            return None
        turn, shape = turned.children
        plain = _values(origin)
        if plain is None or not isinstance(turn.value, float):
            return None
        (x, y), angle = plain, turn.value
    weight = [layer.weight / float(scale.mean())] if layer.stroke is not None else []
    if shape.production == "rect_rounded":
        corner, extent = _values(shape.children[0]), _values(shape.children[1])
        radius = shape.children[2].value
        if corner is None or extent is None or not isinstance(radius, float) or angle or x or y:
            return None
        sides = np.array([*corner, corner[0] + extent[0], corner[1] + extent[1]]) / np.tile(scale, 2)
        return Outline("frame" if weight else "rounded", np.array([*sides, radius / float(scale.mean()), *weight]))
    if shape.production in ("arc", "arc_closed"):
        return _arc(shape, scale, weight) if not (angle or x or y) else None
    curved = any(child.production in _CURVES for child in shape.children)
    if shape.production == "bezier" or (shape.production in ("polygon", "polyline") and curved):
        is_open = shape.production != "polygon"
        if angle or x or y or is_open != (layer.stroke is not None):
            return None
        return _spline(shape, scale, layer.weight) if is_open else _path(shape, scale)
    rows = [_values(child if child.production != "vertex" else child.children[0]) for child in shape.children]
    if not rows or any(row is None for row in rows):
        return None
    points = np.array(rows, float)
    if shape.production == "ellipse":
        center = _moved(points[:1], angle, x, y)[0] / scale
        radii = np.abs(points[1]) / 2 / scale
        if weight:
            return Outline("ring", np.array([*center, *radii, *weight])) if not angle else None
        return (
            Outline("oval", np.array([*center, *radii, angle]))
            if angle
            else Outline("ellipse", np.array([*center, *radii]))
        )
    if shape.production == "rect":
        (left, top), (right, bottom) = points[0], points[0] + points[1]
        if not angle:
            sides = np.array([left + x, top + y, right + x, bottom + y]) / np.tile(scale, 2)
            return Outline("box" if weight else "rect", np.append(sides, weight))
        points = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    elif shape.production not in ("line", "triangle", "quad", "polygon", "polyline"):
        return None
    is_open = shape.production in ("line", "polyline")
    if len(points) < (2 if is_open else 3) or (is_open and not weight):
        return None
    kind = "polyline" if is_open else "loop" if weight else "polygon"
    return Outline(kind, np.concatenate([(_moved(points, angle, x, y) / scale).ravel(), weight]))


def _arc(shape: Node, scale: Array, weight: list[float]) -> Outline | None:
    """A part of an ellipse: an inside like a slice, or cut straight; an open outline."""
    center, diameters = _values(shape.children[0]), _values(shape.children[1])
    start, stop = shape.children[2].value, shape.children[3].value
    closing = shape.children[4].production if shape.production == "arc_closed" else "arc" if weight else "closing_pie"
    kind = {"arc": "arc", "closing_pie": "sector", "closing_chord": "segment"}.get(closing)
    if center is None or diameters is None or not isinstance(start, float) or not isinstance(stop, float):
        return None
    if kind is None or (kind == "arc") != bool(weight) or not start < stop < start + 2 * np.pi:
        return None
    radii = np.abs(diameters) / 2 / scale
    return Outline(kind, np.array([*(np.array(center) / scale), *radii, start, stop, *weight]))


_CURVES = {production: verb for verb, production in CURVES.items()}


def _segments(shape: Node) -> tuple[str, list[tuple[float, float]]] | None:
    """The verbs and the points of an outline's corners."""
    rows: list[tuple[float, float]] = []
    verbs = ""
    for child in shape.children:
        points = [_values(point) for point in child.children]
        if (child.production != "vertex" and child.production not in _CURVES) or None in points:
            return None
        verbs += _CURVES.get(child.production, "L")
        rows += [point for point in points if point is not None]
    return verbs, rows


def _spline(shape: Node, scale: Array, weight: float) -> Outline | None:
    """An open line of straight and curved segments."""
    if shape.production == "bezier":
        points = [_values(point) for point in shape.children]
        verbs, rows = "LC", [point for point in points if point is not None]
        if len(rows) != 4:
            return None
    elif found := _segments(shape):
        verbs, rows = found
    else:
        return None
    params = np.append((np.array(rows, float) / scale).ravel(), weight / float(scale.mean()))
    return Outline("spline", params, verbs[1:])


def _path(shape: Node, scale: Array) -> Outline | None:
    """A closed outline of straight and curved segments."""
    found = _segments(shape)
    if found is None:
        return None
    verbs, rows = found
    # The first vertex is where the last segment ends: the closing line, or a curve that comes back there.
    if rows[0] == rows[-1]:
        rows, verbs = rows[1:], verbs[1:]
    else:
        rows, verbs = [*rows[1:], rows[0]], verbs[1:] + "L"
    return Outline("path", (np.array(rows, float) / scale).ravel(), verbs)


def _moved(points: Array, angle: float, x: float, y: float) -> Array:
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]]) + [x, y]


def _values(node: Node) -> tuple[float, float] | None:
    values = [child.value for child in node.children]
    if len(values) != 2 or not all(isinstance(value, float) for value in values):
        return None
    return float(values[0] or 0.0), float(values[1] or 0.0)


def same_weights(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Pens for layers: strokes of one weight share one."""
    pens: dict[float, int] = {}
    return tuple(
        pens.setdefault(round(float(layer.outline.params[-1]), 6), k) if layer.outline.kind in STROKES else k
        for k, layer in enumerate(layers)
    )


def scaled(layer: Layer, factor: Array) -> Layer:
    """The layer in pixels that are factor (2,) times as many across and down."""
    kind, old = layer.outline.kind, layer.outline.params
    params = old * factor.mean()
    pairs = 2 if kind in ("circle", "oval") else 4 if kind in FOUR_FIRST else len(old) - len(old) % 2
    params[:pairs] = (old[:pairs].reshape(-1, 2) * factor).ravel()  # numbers that come as x y
    if kind == "oval" or kind in CUT_ROUND:
        angles = slice(4, 5 if kind == "oval" else 6)
        params[angles] = old[angles]
    return Layer(replace(layer.outline, params=params), layer.color)

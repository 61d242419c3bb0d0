"""Candidate forms for a picture, from its own colour regions: what the search tries beside the network's ideas.

In: a target (H, W, 3), perhaps a drawing of it so far, and the canvas (width, height) in canvas units. Out:
`Candidate`s: a shape node of the sketch language with its paint. `propose` offers single forms, `trace` a whole
painting back to front. Pure numpy and scipy; colours are read off the picture, never guessed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treesketch.picture import resize, scaled
from treesketch.search import regions
from treesketch.search.coverage import cover
from treesketch.search.judge import hoped_gain
from treesketch.search.outline import POINTS, STROKES, Layer, Outline
from treesketch.search.trace import PRICE, decompose, fit_region, survey
from treesketch.tree import Node

Pixels = NDArray[np.float32]  # (H, W, 3), 0..1
Color = tuple[int, int, int]  # 0..255

WORKING_SIDE = 128  # pictures are analysed at no more than this many pixels a side
NUMBER_PRICE = 0.1  # squared error (summed over channels, at WORKING_SIDE) that one more number must save


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form with its paint: (fill) or (no-fill), (stroke, stroke-weight) or (no-stroke), then `shape`.

    shape is a shape node, or a with-translation node around one, in canvas units. fill and stroke are RGB 0-255 or
    None, weight is the stroke's in canvas units. numbers is what the geometry costs; error the area, in square canvas
    units, where the shape and the region it was fitted to differ; gain about the squared error that painting it last
    could save. depth is its place in the picture's painter's order, 0 at the back, 1 on top.
    """

    shape: Node
    fill: Color | None
    stroke: Color | None
    weight: float | None
    numbers: int
    error: float
    gain: float = 0.0
    depth: float = 1.0


def trace(target: Pixels, canvas: tuple[int, int], numbers: int = 150, price: float = PRICE) -> list[Candidate]:
    """Draw a flat picture with about that many numbers: all its forms in painter's order, back to front.

    target is (H, W, 3) in 0..1; canvas is (width, height) in canvas units. The first candidate is the background: a
    rect of the whole canvas that costs no numbers, because `(background ...)` says the same. Regions are completed
    behind what covers them; numbers go where they lower the error most, and fewer are used where one would save less
    than `price`: squared error summed over pixels and channels, with the longer side at most WORKING_SIDE pixels.
    """
    small = _working_size(target)
    layers, ground, _ = decompose(small, numbers, price)
    scale = _scale(small, canvas)
    whole = Node("rect", (_pair("point", 0, 0), _pair("extent", *canvas)))
    forms = [Candidate(whole, to_channels(ground), None, None, 0, 0.0, depth=0.0)]
    return forms + [_candidate(layer, scale, depth=(i + 1) / len(layers)) for i, layer in enumerate(layers)]


def propose(target: Pixels, drawing: Pixels | None, canvas: tuple[int, int], most: int = 64) -> list[Candidate]:
    """Forms that may belong in a drawing of the target, the most useful first, at most `most`: see `Fitter.propose`."""
    return Fitter(target, canvas).propose(drawing, most)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A shape fitted to a region: what it is likely to gain, and where and how it covers the picture."""

    layer: Layer
    likely: float
    area: float
    depth: float
    mask: NDArray[np.bool_]  # of the region
    window: tuple[slice, slice]
    coverage: NDArray[np.float32]  # in the window


class Fitter:
    """Fits shapes to a picture's regions once, and offers those that a drawing of it may lack, as often as asked.

    target is (H, W, 3) in 0..1, canvas (width, height) in canvas units. Past the deadline (time.monotonic seconds) the
    regions left, the smaller ones, are fitted more quickly.
    """

    def __init__(self, target: Pixels, canvas: tuple[int, int], deadline: float = math.inf):
        self.target = _working_size(target)
        self.scale = _scale(self.target, canvas)
        self.mixture = regions.unmix(self.target)
        self.surveyed = survey(self.target, deadline=deadline, mixture=self.mixture)
        self._fits: list[_Fit] | None = None

    def propose(self, drawing: Pixels | None, most: int = 64) -> list[Candidate]:
        """Forms that may belong in a drawing of the target, the most useful first, at most `most`.

        drawing is (H, W, 3) in 0..1, of any size; None is a blank canvas in the picture's ground colour. Sources:
        colour regions completed under what covers them; likely whole shapes (holes filled, hulls, same colours
        joined); areas where the drawing is wrong.
        """
        found = self.surveyed.plan.found
        height, width = self.target.shape[:2]
        if drawing is None:
            ground = found.regions[self.surveyed.plan.order[0]].color.astype(np.float32)
            now: Pixels = np.broadcast_to(ground, self.target.shape)
        else:
            now = (
                drawing.astype(np.float32) if drawing.shape[:2] == (height, width) else resize(drawing, (height, width))
            )
        if self._fits is None:
            self._fits = self._fit_regions()
        fits = list(self._fits)
        wrong = ((self.target - now) ** 2).sum(axis=2)
        if drawing is not None:
            shapes = [
                (Layer(outline, region.color), 0.0, area, 1.0, region.mask)
                for region in regions.residual_regions(self.target, now, mixture=self.mixture)
                if float(wrong[region.mask].sum()) >= NUMBER_PRICE * 4
                for outline, area in fit_region(region)
            ]
            fits += self._covered(shapes)
        ranked = []
        for fit in fits:
            inside = float(wrong[fit.mask].sum())
            gain = hoped_gain(fit.coverage, wrong[fit.window])
            if fit.likely or inside >= NUMBER_PRICE * 4:
                use = max(gain, 0.7 * min(fit.likely, inside)) - NUMBER_PRICE * fit.layer.outline.numbers
                ranked.append((use, gain, fit))
        ranked.sort(key=lambda entry: -entry[0])
        unit = float(self.scale[0] * self.scale[1])
        return [_candidate(fit.layer, self.scale, fit.area * unit, gain, fit.depth) for _, gain, fit in ranked[:most]]

    def _fit_regions(self) -> list[_Fit]:
        """All shapes fitted to regions, and to what are likely whole shapes behind others."""
        plan = self.surveyed.plan
        last = max(len(plan.order) - 1, 1)
        shapes = []
        for part in self.surveyed.parts:
            nothing, mask = part.choices[0].error, plan.found.regions[plan.order[part.place]].mask
            for choice in part.choices[1:]:
                likely = nothing - choice.error
                shapes += [(layer, likely, choice.area, part.place / last, mask) for layer in part.layers(choice)]
        whole = sorted(regions.whole_regions(plan.found), key=lambda region: -int(region.mask.sum()))
        for region in whole[:12]:
            shapes += [(Layer(o, region.color), 0.0, area, 0.0, region.mask) for o, area in fit_region(region)]
        return self._covered(shapes)

    def _covered(self, shapes: list[tuple[Layer, float, float, float, NDArray[np.bool_]]]) -> list[_Fit]:
        """The shapes with their coverage; what covers nothing is left out."""
        if not shapes:
            return []
        coverage = cover([layer.outline for layer, *_ in shapes], *self.target.shape[:2])
        fits = []
        for (layer, likely, area, depth, mask), covered in zip(shapes, coverage, strict=True):
            rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
            if len(rows):
                window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
                fits.append(_Fit(layer, likely, area, depth, mask, window, covered[window].copy()))
        return fits


def _working_size(target: Pixels) -> Pixels:
    if max(target.shape[:2]) <= WORKING_SIDE:
        return np.ascontiguousarray(target, dtype=np.float32)
    return scaled(target, WORKING_SIDE)


def _scale(pixels: Pixels, canvas: tuple[int, int]) -> NDArray[np.float64]:
    """Canvas units per pixel, across and down."""
    return np.array([canvas[0] / pixels.shape[1], canvas[1] / pixels.shape[0]])


def to_channels(color: NDArray[np.float64]) -> Color:
    """A colour (3,) in 0..1 as whole numbers, 0..255."""
    red, green, blue = (int(c) for c in np.round(np.clip(color, 0.0, 1.0) * 255))
    return red, green, blue


def _candidate(
    layer: Layer, scale: NDArray[np.float64], error: float = 0.0, gain: float = 0.0, depth: float = 1.0
) -> Candidate:
    outline, color = layer.outline, to_channels(layer.color)
    stroked = outline.kind in STROKES
    weight = round(float(outline.params[-1] * scale.mean()), 2) if stroked else None
    return Candidate(
        shape_node(outline, scale),
        None if stroked else color,
        color if stroked else None,
        weight,
        outline.numbers,
        error,
        gain,
        depth,
    )


def _literal(value: float) -> Node:
    return Node("literal", value=round(float(value), 2) + 0.0)


def _pair(kind: str, x: float, y: float) -> Node:
    return Node(kind, (_literal(x), _literal(y)))


CURVES = {"Q": "quadratic_vertex", "C": "bezier_vertex"}


def _path_node(verbs: str, points: NDArray[np.float64]) -> Node:
    """A path as a polygon with curves; a last line needs no words."""
    pairs = [_pair("point", x, y) for x, y in points]
    corners = [Node("vertex", (pairs[-1],))]
    at = 0
    for place, verb in enumerate(verbs):
        own = tuple(pairs[at : at + POINTS[verb]])
        at += POINTS[verb]
        if verb != "L":
            corners.append(Node(CURVES[verb], own))
        elif place < len(verbs) - 1:
            corners.append(Node("vertex", own))
    return Node("polygon", tuple(corners))


def _spline_node(verbs: str, points: NDArray[np.float64]) -> Node:
    """An open line with curves: a bezier, or a polyline."""
    pairs = [_pair("point", x, y) for x, y in points]
    if verbs == "C":
        return Node("bezier", tuple(pairs))
    corners = [Node("vertex", (pairs[0],))]
    at = 1
    for verb in verbs:
        corners.append(Node(CURVES.get(verb, "vertex"), tuple(pairs[at : at + POINTS[verb]])))
        at += POINTS[verb]
    return Node("polyline", tuple(corners))


def shape_node(outline: Outline, scale: NDArray[np.float64]) -> Node:
    """The outline as a node of the sketch language; scale is canvas units per pixel, across and down."""
    p, (sx, sy) = outline.params, scale
    match outline.kind:
        case "rect" | "box":
            x0, x1 = sorted((p[0] * sx, p[2] * sx))
            y0, y1 = sorted((p[1] * sy, p[3] * sy))
            return Node("rect", (_pair("point", x0, y0), _pair("extent", x1 - x0, y1 - y0)))
        case "rounded" | "frame":
            x0, x1 = sorted((p[0] * sx, p[2] * sx))
            y0, y1 = sorted((p[1] * sy, p[3] * sy))
            radius = _literal(p[4] * float(scale.mean()))
            return Node("rect_rounded", (_pair("point", x0, y0), _pair("extent", x1 - x0, y1 - y0), radius))
        case "circle" | "ellipse" | "ring":
            ry = p[2] if outline.kind == "circle" else p[3]
            return Node(
                "ellipse", (_pair("point", p[0] * sx, p[1] * sy), _pair("diameters", 2 * p[2] * sx, 2 * ry * sy))
            )
        case "oval":
            # Unequal scales would shear it; a picture's scales differ by less than a pixel at its far side.
            mean = float(scale.mean())
            form = Node("ellipse", (_pair("point", 0, 0), _pair("diameters", 2 * p[2] * mean, 2 * p[3] * mean)))
            angle = (p[4] + np.pi / 2) % np.pi - np.pi / 2
            turned = Node("with_rotation", (Node("literal", value=round(float(angle), 4)), form))
            return Node("with_translation", (_pair("point", p[0] * sx, p[1] * sy), turned))
        case "sector" | "segment" | "arc":
            angles = tuple(Node("literal", value=round(float(angle), 4)) for angle in p[4:6])
            place = (_pair("point", p[0] * sx, p[1] * sy), _pair("diameters", 2 * p[2] * sx, 2 * p[3] * sy), *angles)
            if outline.kind == "segment":
                return Node("arc_closed", (*place, Node("closing_chord")))
            return Node("arc", place)
        case "path":
            return _path_node(outline.verbs, p.reshape(-1, 2) * scale)
        case "spline":
            return _spline_node(outline.verbs, p[:-1].reshape(-1, 2) * scale)
    points = p[: len(p) - (outline.kind in STROKES)].reshape(-1, 2) * scale
    pairs = tuple(_pair("point", x, y) for x, y in points)
    if outline.kind == "polygon" and len(pairs) in (3, 4):
        return Node("triangle" if len(pairs) == 3 else "quad", pairs)
    if outline.kind == "polyline" and len(pairs) == 2:
        return Node("line", pairs)
    kind = "polyline" if outline.kind == "polyline" else "polygon"
    return Node(kind, tuple(Node("vertex", (pair,)) for pair in pairs))

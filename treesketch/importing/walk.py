"""The elements of a document -> what they paint, back to front, in canvas units. A document in, marks out.

Styles are inherited, `use` is followed, viewports, clips, masks and group opacity are resolved. What has no place in
a program is noted in the ledger.
"""

import math
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from treesketch.errors import SketchError, Span
from treesketch.importing import areas, marks, values
from treesketch.importing.areas import Pen, Unsure
from treesketch.importing.dashes import dashed
from treesketch.importing.document import Document, drawn
from treesketch.importing.marks import Mark
from treesketch.importing.notes import Ledger, Source
from treesketch.importing.paint import GRADIENTS, Box, Gradient, Gradients
from treesketch.importing.paths import EMPTY, Path, bounds, moved
from treesketch.importing.shapes import SHAPES, Measure, read_shape
from treesketch.importing.style import INITIAL, Cascade, Style
from treesketch.importing.values import Color, Server
from treesketch.picture import canvas_of
from treesketch.scene import IDENTITY, Affine, compose

FARTHEST = 1e6  # canvas units; a shape with a point beyond is left out

_CONTAINERS = ("g", "a", "svg", "switch", "use")
_SILENT = frozenset(
    "defs symbol title desc metadata style linearGradient radialGradient pattern clipPath mask marker filter view"
    " cursor font font-face color-profile solidcolor hatch mesh".split()
)
_ANIMATIONS = ("animate", "animateTransform", "animateMotion", "animateColor", "set")
_LEFT_OUT = ("text", "image", "foreignObject", "script", *_ANIMATIONS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an element is drawn: user units to canvas units, the viewport's sides in user units.

    nested counts the elements around it, `within` the ids of those that are being used; outline means that only what
    is covered counts, as in a clip.
    """

    to_canvas: Affine
    width: float
    height: float
    nested: int = 0
    within: frozenset[str] = frozenset()
    outline: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that a file paints, and its canvas: width and height in whole units."""

    canvas: tuple[int, int]
    marks: list[Mark]


def walk(document: Document, ledger: Ledger) -> Drawing:
    """What a document paints. Raises SketchError where it has no size or is beyond a bound."""
    walker = _Walker(document, ledger)
    root = document.root
    size = _root_size(root, _view_box(root))
    if size is None:
        ledger.note(document.source(root), "has neither size nor viewBox; it is as large as what is drawn")
        extent = marks.box_of(walker.visit(root, INITIAL, Place(IDENTITY, 100.0, 100.0)))
        if extent is None or extent[2] <= 0 or extent[3] <= 0:
            raise _error(document.source(root), "has neither size nor viewBox, and nothing is drawn")
        size = extent[2], extent[3]
    width, height = size
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise _error(document.source(root), f"is {width:g} x {height:g}; both sides have to be more than 0")
    canvas = canvas_of(width, height)  # type: ignore[arg-type]  # fractions are as good
    walker.to_canvas = (canvas[0] / width, 0.0, 0.0, canvas[1] / height, 0.0, 0.0)
    return Drawing(canvas, walker.visit(root, INITIAL, Place(walker.to_canvas, width, height)))


class _Walker:
    """One document on its way to marks."""

    def __init__(self, document: Document, ledger: Ledger):
        self.document = document
        self.ledger = ledger
        self.cascade = Cascade(document, ledger)
        self.gradients = Gradients(self.cascade)
        self.to_canvas = IDENTITY  # from the outermost svg's pixels
        self.shapes: dict[tuple[Element, Measure], tuple[Path, str | None]] = {}

    def visit(self, element: Element, parent: Style, place: Place) -> list[Mark]:
        """What an element paints, with all that is inside it."""
        source = self.document.source(element)
        self.ledger.visit(source, place.nested)
        if element.tag in _SILENT:
            return []
        style = self.cascade.style(element, parent)
        if style.display == "none":
            return []
        if element.tag not in SHAPES and element.tag not in _CONTAINERS:
            self.ledger.note(source, "is left out" if element.tag in _LEFT_OUT else "is not known; left out")
            return []
        place = self._transformed(element, style, place)
        if values.inverse(place.to_canvas) is None:
            return []
        for child in element:
            if child.tag in _ANIMATIONS and element.tag in SHAPES:
                self.ledger.note(self.document.source(child), "is left out; drawn as at rest")
        if element.tag in SHAPES:
            found = self._shape(element, style, place, source)
        elif element.tag == "use":
            found = self._use(element, style, place, source)
        elif element.tag == "svg":
            found = self._viewport(element, style, place, element)
        else:
            found = self._children(element, style, place)
        return self._effects(found, style, place, source) if found else []

    # Containers

    def _children(self, element: Element, style: Style, place: Place) -> list[Mark]:
        inside = replace(place, nested=place.nested + 1)
        found: list[Mark] = []
        for child in drawn(element):
            if element.tag == "switch":
                if child.tag in _SILENT or not _is_chosen(child):
                    continue
                return self.visit(child, style, inside)
            found += self.visit(child, style, inside)
        return found

    def _use(self, element: Element, style: Style, place: Place, source: Source) -> list[Mark]:
        link = element.attrib.get("href", "")
        target = self.document.ids.get(link.removeprefix("#"))
        if not link.startswith("#") or target is None:
            self.ledger.note(source, f'"{link[:40]}" is not in this file; left out')
            return []
        name = link[1:]
        if name in place.within:
            raise _error(source, f'"{link[:40]}" contains itself')
        measure = self._measure(style, place)
        x, y = self._lengths(element, measure, source, x=0.0, y=0.0)
        at = replace(
            place,
            to_canvas=compose(place.to_canvas, (1.0, 0.0, 0.0, 1.0, x, y)),
            nested=place.nested + 1,
            within=place.within | {name},
        )
        if target.tag not in ("symbol", "svg"):
            return self.visit(target, style, at)
        self.ledger.visit(self.document.source(target), at.nested)
        own = self.cascade.style(target, style)
        if own.display == "none":
            return []
        inside = self._transformed(target, own, at)
        found = self._viewport(target, own, inside, element)
        return self._effects(found, own, inside, self.document.source(target)) if found else []

    def _viewport(self, element: Element, style: Style, place: Place, sizes: Element) -> list[Mark]:
        """An svg or symbol: a drawing with a size and units of its own. sizes is the element that says how large."""
        source = self.document.source(element)
        if element is self.document.root:
            x, y, width, height = 0.0, 0.0, place.width, place.height
        else:
            measure = self._measure(style, place)
            holder = Element(sizes.tag, {**element.attrib, **sizes.attrib} if sizes is not element else element.attrib)
            if sizes is not element:
                holder.attrib.pop("x", None)
                holder.attrib.pop("y", None)
            width, height = self._lengths(holder, measure, source, width=place.width, height=place.height)
            x, y = self._lengths(element, measure, source, x=0.0, y=0.0) if element.tag == "svg" else (0.0, 0.0)
        if width <= 0 or height <= 0:
            return []
        box = _view_box(element)
        inner: Affine = (1.0, 0.0, 0.0, 1.0, x, y)
        if box:
            inner = compose(inner, _fit(box, width, height, element.attrib.get("preserveAspectRatio", "")))
        sides = (box[2], box[3]) if box else (width, height)
        inside = replace(place, to_canvas=compose(place.to_canvas, inner), width=sides[0], height=sides[1])
        found = self._children(element, style, inside)
        if element is not self.document.root and style.overflow not in ("visible", "auto"):
            corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
            region = moved(Path("MLLLZ", corners), place.to_canvas)
            found = marks.clip(found, region, f"the viewport of '{element.tag}'", self.ledger)
        return found

    # Shapes

    def _shape(self, element: Element, style: Style, place: Place, source: Source) -> list[Mark]:
        measure = self._measure(style, place)
        if (element, measure) not in self.shapes:
            self.shapes[element, measure] = read_shape(element, measure)
        own, mistake = self.shapes[element, measure]
        if mistake:
            self.ledger.note(source, mistake)
        if not own.verbs or style.visibility != "visible":
            return []
        path = moved(own, place.to_canvas)
        if not (np.abs(path.points) < FARTHEST).all():
            self.ledger.note(source, f"is further away than {FARTHEST:g} units; left out")
            return []
        if place.outline:
            self.ledger.draw(source, len(path.points))
            return [Mark(path, Color(0.0, 0.0, 0.0), 1.0, source, style.clip_rule == "evenodd")]
        for name in (style.marker_start, style.marker_mid, style.marker_end):
            if name in self.document.ids and element.tag in ("path", "line", "polyline", "polygon"):
                self.ledger.note(source, f'marker "{name}" is left out')
        found = []
        if element.tag != "line" and (paint := self._paint(style.fill, style, own, place, source)):
            found.append(Mark(path, paint, style.fill_opacity, source, style.fill_rule == "evenodd"))
        if (pen := self._pen(style, measure, place)) and (
            paint := self._paint(style.stroke, style, own, place, source)
        ):
            dashes = self._dashes(own, style, measure, source)
            way = path if dashes is own else moved(dashes, place.to_canvas)
            line = Mark(way, paint, style.stroke_opacity, source, False, pen)
            words = style.paint_order.split()
            stroke_first = "stroke" in words and ("fill" not in words or words.index("stroke") < words.index("fill"))
            found.insert(0 if stroke_first else len(found), line)
        for mark in found:
            self.ledger.draw(source, len(mark.path.points))
        return found

    def _dashes(self, own: Path, style: Style, measure: Measure, source: Source) -> Path:
        """The dashes of a line, or the line where there are none."""
        lengths = tuple(measure.pixels(dash, "stroke-dasharray") for dash in style.stroke_dasharray)
        if any(length < 0 for length in lengths) or not sum(lengths):
            return own
        lengths *= 1 + len(lengths) % 2
        found = dashed(own, lengths, measure.pixels(style.stroke_dashoffset, "stroke-dashoffset"))
        if found is None:
            self.ledger.note(source, "is dashed too finely; drawn as a whole line")
        return found or own

    def _paint(self, paint: Any, style: Style, own: Path, place: Place, source: Source) -> Color | Gradient | None:
        """A fill or stroke as a colour or a gradient; None for no paint."""
        if isinstance(paint, Color):
            return paint if paint.alpha else None
        if paint == "currentcolor":
            return self._paint(style.color, style, own, place, source)
        if not isinstance(paint, Server):
            return None
        element = self.document.ids.get(paint.id)
        if element is not None and element.tag in GRADIENTS:
            found = self.gradients.place(element, self._measure(style, place), bounds(own), place.to_canvas)
            return None if isinstance(found, Color) and not found.alpha else found
        instead = self._paint(paint.fallback, style, own, place, source)
        what = "is not there" if element is None else f"is a {element.tag}"
        done = "nothing painted" if instead is None else "the colour behind it used"
        self.ledger.note(source, f'paint "{paint.id}" {what}; {done}')
        return instead

    def _pen(self, style: Style, measure: Measure, place: Place) -> Pen | None:
        width = measure.pixels(style.stroke_width, "stroke-width")
        if style.stroke == "none" or width <= 0:
            return None
        frame = self.to_canvas if style.vector_effect == "non-scaling-stroke" else place.to_canvas
        return Pen(width, style.stroke_linecap, style.stroke_linejoin, style.stroke_miterlimit, frame)

    # What acts on an element as a whole

    def _effects(self, found: list[Mark], style: Style, place: Place, source: Source) -> list[Mark]:
        """Clip, mask and opacity of an element on what it paints."""
        if style.clip_path:
            found = self._cut(found, "clip-path", style.clip_path, place, source)
        if place.outline:
            return found
        if style.mask:
            found = self._cut(found, "mask", style.mask, place, source)
        if style.filter in self.document.ids:
            self.ledger.note(source, f'filter "{style.filter}" is left out')
        if style.mix_blend_mode != "normal":
            self.ledger.note(source, f"mix-blend-mode {style.mix_blend_mode} is left out; painted over")
        return marks.fade(found, style.opacity, source, self.ledger)

    def _cut(self, found: list[Mark], word: str, name: str, place: Place, source: Source) -> list[Mark]:
        """What is left of marks under a clip-path, or a mask that shows or hides without anything between."""
        tag, unsure, instead, region_of = {
            "clip-path": ("clipPath", "is too intricate", "drawn unclipped", self._clip_region),
            "mask": ("mask", "is left out", "drawn unmasked", self._mask_region),
        }[word]
        element = self.document.ids.get(name)
        if element is None or element.tag != tag:
            self.ledger.note(source, f'{word} "{name}" is not there; {instead}')
            return found
        try:
            region = region_of(element, name, found, place, source)
        except Unsure:
            self.ledger.note(source, f'{word} "{name}" {unsure}; {instead}')
            return found
        return marks.clip(found, region, f'{word} "{name}"', self.ledger)

    def _clip_region(self, element: Element, name: str, found: list[Mark], place: Place, source: Source) -> Path:
        """What a clipPath lets through, on the canvas. Raises Unsure."""
        if name in place.within:
            raise _error(source, f'clip-path "{name}" contains itself')
        style = self.cascade.computed(element)
        inside = replace(place, nested=place.nested + 1, within=place.within | {name}, outline=True)
        inside = self._transformed(element, style, inside)
        if element.attrib.get("clipPathUnits") == "objectBoundingBox":
            inside = _in_box(inside, _user_box(found, place))
        parts: list[Mark] = []
        for child in drawn(element):
            if child.tag == "text":
                self.ledger.note(self.document.source(child), "in a clipPath is left out")
            elif child.tag in SHAPES or child.tag == "use":
                parts += self.visit(child, style, inside)
        if style.clip_path:
            parts = self._cut(parts, "clip-path", style.clip_path, replace(place, within=inside.within), source)
        region = marks.covered(parts[0], self.ledger) if parts else EMPTY
        for part in parts[1:]:
            region = areas.union(region, marks.covered(part, self.ledger), self.ledger)
        return region

    def _mask_region(self, element: Element, name: str, found: list[Mark], place: Place, source: Source) -> Path:
        """What a mask shows, on the canvas. Raises Unsure where it is more than a clip."""
        if name in place.within:
            raise _error(source, f'mask "{name}" contains itself')
        style = self.cascade.computed(element)
        box = _user_box(found, place)
        in_box = _in_box(place, box)
        inside = replace(place, nested=place.nested + 1, within=place.within | {name})
        content = in_box if element.attrib.get("maskContentUnits") == "objectBoundingBox" else place
        parts = self._children(element, style, replace(inside, to_canvas=content.to_canvas))
        parts = self._effects(parts, replace(style, opacity=1.0), inside, source)
        shown = EMPTY
        for part in parts:
            if isinstance(part.paint, Gradient):
                raise Unsure
            red, green, blue, alpha = part.paint
            light = 0.2125 * red + 0.7154 * green + 0.0721 * blue if style.mask_type == "luminance" else 1.0
            if part.opacity * alpha < 0.99 or 0.01 < light < 0.99:
                raise Unsure
            area = marks.covered(part, self.ledger)
            shown = (areas.difference if light < 0.5 else areas.union)(shown, area, self.ledger)
        if element.attrib.get("maskUnits") == "userSpaceOnUse":
            frame, measure, whole = place, self._measure(style, place), (place.width, place.height)
        else:
            frame, measure, whole = in_box, Measure(1.0, 1.0), (1.0, 1.0)
        x, y = self._lengths(element, measure, source, x=-0.1 * whole[0], y=-0.1 * whole[1])
        width, height = self._lengths(element, measure, source, width=1.2 * whole[0], height=1.2 * whole[1])
        corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
        return areas.intersection(shown, moved(Path("MLLLZ", corners), frame.to_canvas), self.ledger)

    # Measures

    def _transformed(self, element: Element, style: Style, place: Place) -> Place:
        """The place inside an element's own transform."""
        if style.transform == IDENTITY:
            return place
        measure = self._measure(style, place)
        x, y = measure.pixels(style.transform_origin[0], "x"), measure.pixels(style.transform_origin[1], "y")
        return replace(place, to_canvas=compose(place.to_canvas, values.around(style.transform, x, y)))

    def _measure(self, style: Style, place: Place) -> Measure:
        return Measure(place.width, place.height, style.font_size)

    def _lengths(self, element: Element, measure: Measure, source: Source, **defaults: float) -> list[float]:
        """Attributes as lengths in user units; one that is not understood is noted and is its default."""
        found = []
        for name, default in defaults.items():
            try:
                found.append(measure.read(element, name, default))
            except ValueError as error:
                self.ledger.note(source, f"{error}; left out")
                found.append(default)
        return found


def _root_size(root: Element, box: Box | None) -> tuple[float, float] | None:
    """The sides of the outermost svg in pixels; None where nothing says them."""
    sides = box[2:] if box else (None, None)
    found: list[float | None] = []
    for name, side in zip(("width", "height"), sides, strict=True):
        length = values.length(root.attrib.get(name, "auto"))
        if length is None or (length.unit == "%" and side is None):
            found.append(None)
        else:
            found.append(length.pixels(side or 0.0, INITIAL.font_size))
    width, height = found
    if box:  # the side that is not given follows the viewBox
        width = (box[2] if height is None else height * (box[2] / box[3])) if width is None else width
        height = width * (box[3] / box[2]) if height is None else height
    return None if width is None or height is None else (width, height)


def _view_box(element: Element) -> Box | None:
    """x, y, width and height of a viewBox; None where there is none that can be used."""
    found = values.numbers(element.attrib.get("viewBox", ""))
    if len(found) != 4 or found[2] <= 0 or found[3] <= 0:
        return None
    return found[0], found[1], found[2], found[3]


def _fit(box: Box, width: float, height: float, ratio: str) -> Affine:
    """From a viewBox to a viewport of that size, as preserveAspectRatio says."""
    x, y, across, down = box
    sx, sy = width / across, height / down
    kept = values.ratio(ratio)
    if kept is None:
        return (sx, 0.0, 0.0, sy, -x * sx, -y * sy)
    left, top, covers = kept
    scale = max(sx, sy) if covers else min(sx, sy)
    over, under = width - across * scale, height - down * scale
    return (scale, 0.0, 0.0, scale, over * left - x * scale, under * top - y * scale)


def _user_box(found: list[Mark], place: Place) -> Box | None:
    """The box around marks in user units."""
    back = values.inverse(place.to_canvas)
    assert back
    return marks.box_of([replace(mark, path=moved(mark.path, back)) for mark in found])


def _in_box(place: Place, box: Box | None) -> Place:
    """The place whose unit square is a box in user units."""
    left, top, right, bottom = box or (0.0, 0.0, 0.0, 0.0)
    unit = (right - left, 0.0, 0.0, bottom - top, left, top)
    return replace(place, to_canvas=compose(place.to_canvas, unit), width=1.0, height=1.0)


def _is_chosen(element: Element) -> bool:
    """Whether a switch takes a child: English, and nothing that a reader would have to know besides SVG."""
    if "requiredExtensions" in element.attrib or element.tag == "foreignObject":
        return False
    languages = element.attrib.get("systemLanguage")
    return languages is None or any(word.strip().lower().split("-")[0] == "en" for word in languages.split(","))


def _error(source: Source, reason: str) -> SketchError:
    return SketchError(f"{source.element}: {reason}", Span(source.line, 1, source.line, 2))

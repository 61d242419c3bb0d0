"""What CSS and presentation attributes say of an element. Elements in, a `Style` of values that are understood out.

The order is CSS's: attributes, then rules by their selectors, then the style attribute, then what is
important. A value that is not understood is noted and counts as not written.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from xml.etree.ElementTree import Element

import tinycss2

from treesketch.importing import values
from treesketch.importing.document import Document
from treesketch.importing.notes import Ledger
from treesketch.importing.selectors import Selector, find_elements, read_selectors
from treesketch.importing.values import Color, Declaration, Length, Paint
from treesketch.scene import IDENTITY, Affine

MOST_MATCHES = 1_000_000  # selectors times elements
TOO_DEEP = "CSS is nested too deeply; left out"
_BLACK = Color(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Style:
    """The values of one element, SVG's own where none is written. Links are ids, '' for none."""

    fill: Paint = _BLACK
    fill_opacity: float = 1.0
    fill_rule: str = "nonzero"
    clip_rule: str = "nonzero"
    stroke: Paint = "none"
    stroke_opacity: float = 1.0
    stroke_width: Length = Length(1.0)
    stroke_linecap: str = "butt"
    stroke_linejoin: str = "miter"
    stroke_miterlimit: float = 4.0
    stroke_dasharray: tuple[Length, ...] = ()
    stroke_dashoffset: Length = Length(0.0)
    paint_order: str = "normal"
    marker_start: str = ""
    marker_mid: str = ""
    marker_end: str = ""
    color: Color = _BLACK
    visibility: str = "visible"
    font_size: float = 16.0
    # What follows is an element's own and not its children's.
    opacity: float = 1.0
    display: str = "inline"
    overflow: str = ""
    clip_path: str = ""
    mask: str = ""
    mask_type: str = "luminance"
    filter: str = ""
    mix_blend_mode: str = "normal"
    vector_effect: str = "none"
    stop_color: Color | str = _BLACK
    stop_opacity: float = 1.0
    transform: Affine = IDENTITY
    transform_origin: tuple[Length, Length] = (Length(0.0), Length(0.0))


INITIAL = Style()
_OWN = [field.name for field in fields(Style)]
_OWN = _OWN[_OWN.index("opacity") :]
_FRESH: dict[str, Any] = {name: getattr(INITIAL, name) for name in _OWN}


def _word(text: str) -> str:
    return text.strip().lower()


def _one_of(*words: str) -> Callable[[str], str | None]:
    return lambda text: _word(text) if _word(text) in words else None


def _not_below(least: float) -> Callable[[str], float | None]:
    return lambda text: value if (value := values.number(text)) is not None and value >= least else None


def _color(text: str) -> Color | str | None:
    return values.color(text)


def _font_size(text: str) -> Length:
    """Text itself is not drawn, so a size in words does no harm."""
    return values.length(text) or Length(1.0, "em")


_READERS: Mapping[str, Callable[[str], Any]] = {
    "fill": values.paint,
    "fill-opacity": values.share,
    "fill-rule": _one_of("nonzero", "evenodd"),
    "clip-rule": _one_of("nonzero", "evenodd"),
    "stroke": values.paint,
    "stroke-opacity": values.share,
    "stroke-width": values.length,
    "stroke-linecap": _one_of("butt", "round", "square"),
    "stroke-linejoin": _one_of("miter", "round", "bevel", "miter-clip", "arcs"),
    "stroke-miterlimit": _not_below(1.0),
    "stroke-dasharray": values.lengths,
    "stroke-dashoffset": values.length,
    "paint-order": _word,
    "marker-start": values.link,
    "marker-mid": values.link,
    "marker-end": values.link,
    "color": _color,
    "visibility": _one_of("visible", "hidden", "collapse"),
    "font-size": _font_size,
    "opacity": values.share,
    "display": _word,
    "overflow": _word,
    "clip-path": values.link,
    "mask": values.link,
    "mask-type": _one_of("luminance", "alpha"),
    "filter": values.link,
    "mix-blend-mode": _word,
    "vector-effect": _word,
    "stop-color": _color,
    "stop-opacity": values.share,
    "transform": values.transform,
    "transform-origin": values.origin,
}
_SHORTHANDS = {"marker": ("marker-start", "marker-mid", "marker-end")}
_UNCARRIED = {  # CSS that would change the picture
    **dict.fromkeys(("animation", "animation-name"), "is left out; drawn as at rest"),
    **dict.fromkeys(("background", "background-color", "background-image"), "is left out; the ground is white"),
    **dict.fromkeys(("d", "cx", "cy", "r", "rx", "ry", "x", "y", "width", "height"), "is read from attributes only"),
    **dict.fromkeys(("clip", "mask-image", "offset-path", "rotate", "scale", "translate"), "is left out"),
}
_SILENT_RULES = ("charset", "font-face", "namespace", "keyframes", "-webkit-keyframes", "counter-style", "property")
_WIDE = ("inherit", "initial", "unset", "revert")


class Cascade:
    """The styles of one document. Every element's own declarations are read once."""

    def __init__(self, document: Document, ledger: Ledger):
        self.document = document
        self.ledger = ledger
        self.declared: dict[Element, dict[str, Any]] = {}
        self.ruled = self._rules()

    def style(self, element: Element, parent: Style) -> Style:
        """An element's values, given those of the element that it inherits from."""
        if element not in self.declared:
            self.declared[element] = self._declare(element)
        changed: dict[str, Any] = dict(_FRESH)
        for name, value in self.declared[element].items():
            if isinstance(value, str) and value in _WIDE:
                from_parent = value == "inherit" or (value != "initial" and name not in _FRESH)
                value = getattr(parent if from_parent else INITIAL, name)
            elif name == "font_size":
                value = value.pixels(parent.font_size, parent.font_size)
            elif name == "color" and value == "currentcolor":
                value = parent.color
            changed[name] = value
        return replace(parent, **changed)

    def computed(self, element: Element) -> Style:
        """The values of an element where it stands in the file."""
        above = [element]
        while above[-1] in self.document.parents:
            above.append(self.document.parents[above[-1]])
        style = INITIAL
        for item in reversed(above):
            style = self.style(item, style)
        return style

    def _declare(self, element: Element) -> dict[str, Any]:
        """What an element's attributes and rules say, by the names of `Style`'s fields."""
        written: list[tuple[str, str]] = [(name, element.attrib[name]) for name in _READERS if name in element.attrib]
        inline = values.declarations(element.attrib.get("style", ""))
        if inline is None:
            self._note(element, TOO_DEEP)
        css = [*self.ruled.get(element, []), *(inline or [])]
        written += [(name, value) for wanted in (False, True) for name, value, important in css if important is wanted]
        for name, value in dict(written[len(written) - len(css) :]).items():
            if name in _UNCARRIED:
                self._note(element, f"CSS's {name} {_short(value)} {_UNCARRIED[name]}")
        found: dict[str, Any] = {}
        for shorthand, text in written:
            for name in _SHORTHANDS.get(shorthand, (shorthand,)):
                if name not in _READERS:
                    continue
                value = _word(text) if _word(text) in _WIDE else _READERS[name](text)
                if value is None:
                    self._note(element, f"{name} {_short(text)} is not understood; left out")
                else:
                    found[name.replace("-", "_")] = value
        return found

    def _rules(self) -> dict[Element, list[Declaration]]:
        """The declarations of all style elements by the elements that they are for, the weakest first."""
        selectors: list[Selector] = []
        contents: list[list[Declaration]] = []
        for sheet in self.document.styles:
            if _word(sheet.attrib.get("type", "text/css")) not in ("", "text/css"):
                continue
            for prelude, declared in self._read_sheet(sheet):
                selectors += prelude
                contents += [declared] * len(prelude)
        if not selectors:
            return {}
        if sum(len(selector.compounds) for selector in selectors) * len(self.document.lines) > MOST_MATCHES:
            self._note(self.document.styles[0], "there are too many rules for so many elements; left out")
            return {}
        found = find_elements(self.document.root, selectors)
        return {element: [item for i in places for item in contents[i]] for element, places in found.items()}

    def _read_sheet(self, sheet: Element) -> Iterator[tuple[list[Selector], list[Declaration]]]:
        """The rules of a style element: for whom, and what."""
        rules = values.rules(sheet.text or "")
        if rules is None:
            self._note(sheet, TOO_DEEP)
        for rule in rules or []:
            if rule.type == "at-rule" and rule.lower_at_keyword not in _SILENT_RULES:
                self._note(sheet, f"@{rule.at_keyword} is not read; left out")
            if rule.type != "qualified-rule":
                continue
            selectors = read_selectors(rule.prelude)
            if selectors is None:
                written = _short(tinycss2.serialize(rule.prelude))
                self._note(sheet, f"selector {written} is not understood; left out")
            else:
                yield selectors, values.declarations(tinycss2.serialize(rule.content)) or []

    def _note(self, element: Element, text: str) -> None:
        self.ledger.note(self.document.source(element), text)


def _short(text: str) -> str:
    """A value as errors show it."""
    text = " ".join(text.split())
    return f'"{text if len(text) <= 40 else text[:37] + "..."}"'

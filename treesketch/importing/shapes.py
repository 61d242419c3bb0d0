"""SVG's shapes -> paths in their own units: path, rect, circle, ellipse, line, polyline, polygon. Elements in."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from treesketch import outline
from treesketch.importing import values
from treesketch.importing.notes import MOST_POINTS
from treesketch.importing.pathdata import read_path
from treesketch.importing.paths import EMPTY, Path
from treesketch.scene import Point


@dataclass(frozen=True, slots=True)
class Measure:
    """What lengths are measured by: the viewport's sides in user units, and the size of the font."""

    width: float
    height: float
    font_size: float = 16.0

    def read(self, element: Element, name: str, default: float = 0.0) -> float:
        """An attribute's length in user units; the default where there is none. Raises ValueError for nonsense."""
        text = element.attrib.get(name)
        if text is None or text.strip() == "auto":
            return default
        found = values.length(text)
        if found is None:
            raise ValueError(f'{name} "{text[:40]}" is not a length')
        return self.pixels(found, name)

    def pixels(self, length: values.Length, name: str) -> float:
        """A length in user units; its percentage is of the side that an attribute of this name goes along."""
        if name in ("x", "x1", "x2", "cx", "dx", "rx", "fx", "width"):
            whole = self.width
        elif name in ("y", "y1", "y2", "cy", "dy", "ry", "fy", "height"):
            whole = self.height
        else:
            whole = math.hypot(self.width, self.height) / math.sqrt(2)
        return length.pixels(whole, self.font_size)


def read_shape(element: Element, measure: Measure) -> tuple[Path, str | None]:
    """The path of a shape, empty where it draws nothing; and what is wrong with it, if anything is."""
    try:
        return SHAPES[element.tag](element, measure)
    except ValueError as error:
        return EMPTY, f"{error}; not drawn"


def _path(element: Element, measure: Measure) -> tuple[Path, str | None]:
    path, mistake = read_path(element.attrib.get("d", ""))
    return path, mistake and f"path data stops making sense at {mistake}; drawn up to there"


def _rect(element: Element, measure: Measure) -> tuple[Path, None]:
    x, y = measure.read(element, "x"), measure.read(element, "y")
    width, height = _not_negative(element, measure, "width"), _not_negative(element, measure, "height")
    rx, ry = _radii(element, measure)
    if not width or not height:
        return EMPTY, None
    rx, ry = min(rx, width / 2), min(ry, height / 2)
    right, bottom = x + width, y + height
    if not rx or not ry:
        return _polygon([(x, y), (right, y), (right, bottom), (x, bottom)]), None
    p, q = rx * (1 - outline.KAPPA), ry * (1 - outline.KAPPA)
    points = [
        *((x + rx, y), (right - rx, y)),
        *((right - p, y), (right, y + q), (right, y + ry), (right, bottom - ry)),
        *((right, bottom - q), (right - p, bottom), (right - rx, bottom), (x + rx, bottom)),
        *((x + p, bottom), (x, bottom - q), (x, bottom - ry), (x, y + ry)),
        *((x, y + q), (x + p, y), (x + rx, y)),
    ]
    return Path("MLCLCLCLCZ", np.array(points)), None


def _ellipse(element: Element, measure: Measure) -> tuple[Path, None]:
    x, y = measure.read(element, "cx"), measure.read(element, "cy")
    if element.tag == "circle":
        rx = ry = _not_negative(element, measure, "r")
    else:
        rx, ry = _radii(element, measure)
    if not rx or not ry:
        return EMPTY, None
    path = outline.ellipse(x, y, rx, ry)
    return Path(path.verbs, np.array(path.points)), None


def _line(element: Element, measure: Measure) -> tuple[Path, None]:
    x1, y1, x2, y2 = (measure.read(element, name) for name in ("x1", "y1", "x2", "y2"))
    return Path("ML", np.array([(x1, y1), (x2, y2)])), None


def _poly(element: Element, measure: Measure) -> tuple[Path, None]:
    found = values.numbers(element.attrib.get("points", ""), 2 * MOST_POINTS + 2)
    points = list(zip(found[::2], found[1::2], strict=False))
    if len(points) < 2:
        return EMPTY, None
    path = _polygon(points)
    return path if element.tag == "polygon" else Path(path.verbs[:-1], path.points), None


def _polygon(points: list[Point]) -> Path:
    return Path("M" + "L" * (len(points) - 1) + "Z", np.array(points))


def _radii(element: Element, measure: Measure) -> tuple[float, float]:
    """rx and ry, each as long as the other where it is not given."""
    rx, ry = (_not_negative(element, measure, name, math.nan) for name in ("rx", "ry"))
    if math.isnan(rx) and math.isnan(ry):
        return 0.0, 0.0
    return ry if math.isnan(rx) else rx, rx if math.isnan(ry) else ry


def _not_negative(element: Element, measure: Measure, name: str, default: float = 0.0) -> float:
    value = measure.read(element, name, default)
    if value < 0:
        raise ValueError(f'{name} "{element.attrib[name][:40]}" is negative')
    return value


SHAPES: dict[str, Callable[[Element, Measure], tuple[Path, str | None]]] = {
    "path": _path,
    "rect": _rect,
    "circle": _ellipse,
    "ellipse": _ellipse,
    "line": _line,
    "polyline": _poly,
    "polygon": _poly,
}

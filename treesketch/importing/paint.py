"""Gradients, and the one colour that a program has in their place. Elements in, colours out."""

import math
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from treesketch.importing import values
from treesketch.importing.document import drawn
from treesketch.importing.paths import Points
from treesketch.importing.shapes import Measure
from treesketch.importing.style import Cascade
from treesketch.importing.values import Color
from treesketch.raster import Coverage
from treesketch.scene import IDENTITY, Affine, compose

MOST_LINKS = 20  # of a gradient to the next that it takes its stops from
MOST_SAMPLES = 1_500  # places by which its mean is found
GRADIENTS = ("linearGradient", "radialGradient")
_SHARED = ("gradientUnits", "gradientTransform", "spreadMethod")
PLAIN = 1 / 255  # rmse (0..1) by which a gradient may leave its mean colour and still be called plain

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """A gradient on the canvas: its id, its stops, and where it lies.

    to_gradient takes canvas points to the gradient's own, where a linear one goes from (x1, y1) to (x2, y2) and a
    radial one from the circle (fx, fy, fr) to the circle (cx, cy, r).
    """

    id: str
    offsets: npt.NDArray[np.float64]  # (n,), 0..1, rising
    colors: npt.NDArray[np.float64]  # (n, 4), 0..1
    spread: str
    to_gradient: Affine
    line: tuple[float, float, float, float] | None
    circles: tuple[float, float, float, float, float, float] | None

    @property
    def is_opaque(self) -> bool:
        """Whether nothing shows through."""
        return bool((self.colors[:, 3] == 1).all())

    def mean(self, covered: Coverage) -> tuple[Color, float]:
        """The mean colour where the canvas is covered (H, W), and how far (rmse on white, 0..1) the gradient leaves it.

        A thing that covers no square's middle is taken to be in the middle of the canvas.
        """
        rows, columns = np.nonzero(covered)
        step = len(rows) // MOST_SAMPLES | 1  # odd, so that no column is left out where a row is full
        rows, columns = rows[::step], columns[::step]
        if not len(rows):
            rows, columns = np.array([covered.shape[0] // 2]), np.array([covered.shape[1] // 2])
        a, b, c, d, e, f = self.to_gradient
        places = np.column_stack((columns + 0.5, rows + 0.5)) @ np.array(((a, b), (c, d))) + (e, f)
        weights = np.maximum(covered[rows, columns].astype(np.float64), 1e-6)
        weights /= weights.sum()
        found = self._at(places)
        alpha = float(weights @ found[:, 3])
        if alpha <= 0:
            return Color(0.0, 0.0, 0.0, 0.0), 0.0
        red, green, blue = ((weights * found[:, 3]) @ found[:, :3] / alpha).tolist()
        seen = found[:, :3] * found[:, 3:] + (1 - found[:, 3:])
        flat = np.array((red, green, blue)) * alpha + (1 - alpha)
        return Color(red, green, blue, alpha), math.sqrt(float(weights @ ((seen - flat) ** 2).mean(axis=1)))

    def _at(self, points: Points) -> npt.NDArray[np.float64]:
        """The colours (n, 4) at points (n, 2) of the gradient's own space."""
        with np.errstate(all="ignore"):
            t = self._along(points)
        if self.spread == "repeat":
            t = t % 1
        elif self.spread == "reflect":
            t = 1 - np.abs(t % 2 - 1)
        t = np.nan_to_num(t, nan=1.0)
        return np.column_stack([np.interp(t, self.offsets, self.colors[:, i]) for i in range(4)])

    def _along(self, points: Points) -> npt.NDArray[np.float64]:
        """Where on the gradient, 0 its start and 1 its end: (n,)."""
        if self.line:
            x1, y1, x2, y2 = self.line
            step = np.array((x2 - x1, y2 - y1))
            return np.asarray((points - (x1, y1)) @ step / (step @ step))
        assert self.circles
        cx, cy, r, fx, fy, fr = self.circles
        # The largest t whose circle, between the two, goes through the point and has a radius: a t t - 2 b t + c = 0.
        step, wider, away = np.array((cx - fx, cy - fy)), r - fr, points - (fx, fy)
        a, b, c = step @ step - wider**2, away @ step + fr * wider, (away**2).sum(axis=1) - fr**2
        if abs(a) < 1e-9 * r * r:
            return np.asarray(c / (2 * b))
        root = np.sqrt(b * b - a * c)
        high, low = np.maximum((b + root) / a, (b - root) / a), np.minimum((b + root) / a, (b - root) / a)
        return np.asarray(np.where(fr + high * wider >= 0, high, low))


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
    """What a gradient says, with what it takes from others: attributes, and its stops if there are any."""

    attributes: Element
    offsets: npt.NDArray[np.float64]
    colors: npt.NDArray[np.float64]


class Gradients:
    """The gradients of a document, each read once."""

    def __init__(self, cascade: Cascade):
        self.cascade = cascade
        self.written: dict[Element, _Written] = {}

    def place(self, element: Element, measure: Measure, box: Box | None, to_canvas: Affine) -> Gradient | Color | None:
        """A linearGradient or radialGradient for something in user units: its box there, and the way to the canvas.

        A gradient that has one colour is that colour; one that paints nothing (no stops, no box to lie in) is None.
        """
        if element not in self.written:
            self.written[element] = self._read(element)
        written = self.written[element]
        attributes, colors = written.attributes, written.colors
        if not len(colors):
            return None
        last = Color(*colors[-1].tolist())
        if (colors == colors[-1]).all():
            return last
        if attributes.get("gradientUnits") != "userSpaceOnUse":
            if box is None or box[2] <= box[0] or box[3] <= box[1]:
                return None
            to_canvas = compose(to_canvas, (box[2] - box[0], 0.0, 0.0, box[3] - box[1], box[0], box[1]))
            measure = Measure(1.0, 1.0, measure.font_size)
        back = values.inverse(compose(to_canvas, values.transform(attributes.get("gradientTransform", "")) or IDENTITY))

        def read(name: str, default: float) -> float:
            try:
                return measure.read(attributes, name, default)
            except ValueError:
                return default

        def share(name: str, percent: float) -> float:
            return read(name, measure.pixels(values.Length(percent, "%"), name))

        line = circles = None
        if element.tag == "linearGradient":
            line = share("x1", 0), share("y1", 0), share("x2", 100), share("y2", 0)
        else:
            cx, cy, r = share("cx", 50), share("cy", 50), share("r", 50)
            circles = cx, cy, r, read("fx", cx), read("fy", cy), read("fr", 0.0)
        if back is None or (line and line[:2] == line[2:]) or (circles and circles[2] <= 0):
            return last
        name, spread = element.attrib.get("id", ""), attributes.get("spreadMethod", "pad")
        return Gradient(name, written.offsets, colors, spread, back, line, circles)

    def _read(self, element: Element) -> _Written:
        chain = [element]
        while len(chain) < MOST_LINKS:
            following = self.cascade.document.ids.get(chain[-1].attrib.get("href", "").removeprefix("#"))
            if following is None or following in chain or following.tag not in GRADIENTS:
                break
            chain.append(following)
        attributes: dict[str, str] = {}
        for item in reversed(chain):
            whole = item.tag == element.tag  # a radial one has no use for a linear one's line
            attributes |= {key: value for key, value in item.attrib.items() if whole or key in _SHARED}
        stops = next((found for item in chain if (found := _stops(item, self.cascade))), [])
        offsets = np.maximum.accumulate([offset for offset, _ in stops]) if stops else np.zeros(0)
        colors = np.array([color for _, color in stops], np.float64).reshape(-1, 4)
        return _Written(Element(element.tag, attributes), offsets, colors)


def _stops(element: Element, cascade: Cascade) -> list[tuple[float, Color]]:
    """The stops of a gradient: offset and colour."""
    found = []
    for child in drawn(element):
        if child.tag == "stop":
            style = cascade.computed(child)
            color = style.color if isinstance(style.stop_color, str) else style.stop_color
            offset = values.share(child.attrib.get("offset", "0")) or 0.0
            found.append((offset, color._replace(alpha=color.alpha * style.stop_opacity)))
    return found

"""Attribute values: numbers, lengths, colours, paints, transforms. Text in, values out; None for what is not one."""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import tinycss2
from tinycss2.color4 import parse_color as parse_css_color

from treesketch.scene import IDENTITY, Affine, compose

LONGEST = 10_000  # characters of a value that is read at all; outlines have their own bound
DEEPEST = 30  # brackets in one another in CSS

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBER = re.compile(NUMBER)
_NEXT = re.compile(rf"[\s,]*({NUMBER})")
_LENGTH = re.compile(rf"({NUMBER})\s*(px|pt|pc|mm|cm|in|em|ex|rem|q|%)?$", re.I)
_ANGLE = re.compile(rf"({NUMBER})\s*(deg|grad|rad|turn)?$", re.I)
_FUNCTION = re.compile(r"\s*([a-zA-Z]+)\s*\(([^()]*)\)\s*,?")
_URL = re.compile(r"url\(\s*(['\"]?)#(.*?)\1\s*\)\s*(.*)$", re.S)

_PIXELS = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "q": 96 / 101.6}
_DEGREES = {"deg": 1.0, "grad": 0.9, "rad": 180 / math.pi, "turn": 360.0}


Declaration = tuple[str, str, bool]  # of CSS: name, value, whether important


class Color(NamedTuple):
    """sRGB and alpha, each 0..1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0


class Length(NamedTuple):
    """A number and its unit: px for user units, em, or % of something that the attribute knows."""

    value: float
    unit: str = "px"

    def pixels(self, whole: float, font_size: float) -> float:
        """In user units; whole is what 100 % are."""
        match self.unit:
            case "%":
                return self.value / 100 * whole
            case "em":
                return self.value * font_size
        return self.value


class Server(NamedTuple):
    """A paint that stands elsewhere, by its id, and the colour or word to use where it is not there."""

    id: str
    fallback: "Paint | None" = None


Paint = Color | Server | str  # the words 'none' and 'currentcolor'


def number(text: str) -> float | None:
    """A finite number."""
    match = _NUMBER.fullmatch(text.strip())
    return finite(float(match[0])) if match else None


def finite(value: float) -> float | None:
    """The value, unless it is too large to be one."""
    return value if math.isfinite(value) else None


def share(text: str) -> float | None:
    """An opacity or an offset: a number or a percentage, clamped to 0..1."""
    text = text.strip()
    value = number(text[:-1] if text.endswith("%") else text)
    return None if value is None else min(max(value / 100 if text.endswith("%") else value, 0.0), 1.0)


def numbers(text: str, most: int = LONGEST) -> list[float]:
    """Numbers with commas or spaces between them, up to the first thing that is none, and at most so many."""
    found, place = list[float](), 0
    while len(found) < most and (match := _NEXT.match(text, place)):
        value = finite(float(match[1]))
        if value is None:
            break
        found.append(value)
        place = match.end()
    return found


def length(text: str) -> Length | None:
    """A length with its unit."""
    match = _LENGTH.match(text.strip())
    if not match or (value := finite(float(match[1]))) is None:
        return None
    unit = (match[2] or "px").lower()
    if unit in _PIXELS:
        return Length(value * _PIXELS[unit])
    return {"ex": Length(value / 2, "em"), "rem": Length(value * 16)}.get(unit, Length(value, unit))


def lengths(text: str) -> tuple[Length, ...] | None:
    """A list of lengths, empty for 'none'."""
    if text.strip().lower() == "none" or len(text) > LONGEST:
        return ()
    found = [length(word) for word in re.split(r"[\s,]+", text.strip())]
    return tuple(item for item in found if item) if all(found) else None


def color(text: str) -> Color | str | None:
    """A colour of CSS, or the word 'currentcolor'."""
    if len(text) > LONGEST or _is_deep(text):
        return None
    try:
        found = parse_css_color(text.split("icc-color")[0])
        if found is None or isinstance(found, str):
            return found
        red, green, blue = (min(max(float(c), 0.0), 1.0) for c in found.to("srgb").coordinates)
        return Color(red, green, blue, min(max(float(found.alpha), 0.0), 1.0))
    except (NotImplementedError, ValueError, TypeError):  # spaces of colour that tinycss2 knows and cannot convert
        return None


def paint(text: str) -> Paint | None:
    """What fill and stroke take: a colour, 'none', 'currentcolor', or url(#id) with something to fall back on."""
    text = text.strip()
    if text.lower() == "none":
        return "none"
    if match := _URL.match(text):
        return Server(match[2], paint(match[3]) if match[3] else None)
    return color(text)


def link(text: str) -> str | None:
    """The id of url(#id), '' for 'none'."""
    match = _URL.match(text.strip())
    return match[2] if match else "" if text.strip().lower() == "none" else None


def ratio(text: str) -> tuple[float, float, bool] | None:
    """preserveAspectRatio: where the drawing goes across and down (0, .5, 1), and whether it covers (slice).

    None for 'none': each side is stretched.
    """
    words = [word for word in text.split() if word != "defer"]
    if words[:1] == ["none"]:
        return None
    match = re.fullmatch(r"x(Min|Mid|Max)Y(Min|Mid|Max)", words[0]) if words else None
    places = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
    across, down = (places[match[1]], places[match[2]]) if match else (0.5, 0.5)
    return across, down, words[1:2] == ["slice"]


def transform(text: str) -> Affine | None:
    """A transform list of SVG or CSS: matrix, translate, scale, rotate, skew, and their variants along one axis."""
    if len(text) > LONGEST:
        return None
    result, place = IDENTITY, 0
    if text.strip().lower() in ("", "none"):
        return result
    while match := _FUNCTION.match(text, place):
        inner = _function(match[1].lower(), [word for word in re.split(r"[\s,]+", match[2].strip()) if word])
        if inner is None:
            return None
        result = compose(result, inner)
        place = match.end()
    if text[place:].strip() or not all(map(math.isfinite, result)):
        return None
    return result


def _function(name: str, words: list[str]) -> Affine | None:
    """One function of a transform list: its name in small letters and its arguments."""
    readers: list[Callable[[str], float | None]] = [number] * len(words)
    if name.startswith("translate"):
        readers = [_plain_length] * len(words)
    elif name.startswith("skew"):
        readers = [_angle] * len(words)
    elif name == "rotate":
        readers = [_angle, *[_plain_length] * (len(words) - 1)]
    values = [value for read, word in zip(readers, words, strict=False) if (value := read(word)) is not None]
    if len(values) < len(words):
        return None
    match name, values:
        case "matrix", [a, b, c, d, e, f]:
            return (a, b, c, d, e, f)
        case "translate", [x] | [x, _]:
            return (1.0, 0.0, 0.0, 1.0, x, values[1] if len(values) > 1 else 0.0)
        case "translatex", [x]:
            return (1.0, 0.0, 0.0, 1.0, x, 0.0)
        case "translatey", [y]:
            return (1.0, 0.0, 0.0, 1.0, 0.0, y)
        case "scale", [x] | [x, _]:
            return (x, 0.0, 0.0, values[-1], 0.0, 0.0)
        case "scalex", [x]:
            return (x, 0.0, 0.0, 1.0, 0.0, 0.0)
        case "scaley", [y]:
            return (1.0, 0.0, 0.0, y, 0.0, 0.0)
        case "rotate", [angle]:
            return rotation(angle)
        case "rotate", [angle, x, y]:
            return around(rotation(angle), x, y)
        case "skewx" | "skew", [x]:
            return (1.0, 0.0, math.tan(math.radians(x)), 1.0, 0.0, 0.0)
        case "skewy", [y]:
            return (1.0, math.tan(math.radians(y)), 0.0, 1.0, 0.0, 0.0)
        case "skew", [x, y]:
            return (1.0, math.tan(math.radians(y)), math.tan(math.radians(x)), 1.0, 0.0, 0.0)
    return None


def rotation(degrees: float) -> Affine:
    """A turn about the origin, clockwise on the screen."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (cos, sin, -sin, cos, 0.0, 0.0)


def around(transform: Affine, x: float, y: float) -> Affine:
    """The transform with (x, y) in the place of the origin."""
    return compose(compose((1.0, 0.0, 0.0, 1.0, x, y), transform), (1.0, 0.0, 0.0, 1.0, -x, -y))


def inverse(transform: Affine) -> Affine | None:
    """The transform that undoes another; None where it is flat."""
    a, b, c, d, e, f = transform
    determinant, largest = a * d - b * c, max(abs(a), abs(b), abs(c), abs(d))
    if not abs(determinant) > 1e-12 * largest * largest or not math.isfinite(determinant):
        return None
    p, q, r, s = d / determinant, -b / determinant, -c / determinant, a / determinant
    return (p, q, r, s, -(p * e + r * f), -(q * e + s * f))


def origin(text: str) -> tuple[Length, Length] | None:
    """transform-origin: two lengths or words."""
    across = {"left": 0.0, "center": 50.0, "right": 100.0}
    down = {"top": 0.0, "center": 50.0, "bottom": 100.0}
    words = text.lower().split()[:2]
    if len(words) == 2 and (words[0] in ("top", "bottom") or words[1] in ("left", "right")):
        words.reverse()
    if len(words) == 1:
        words = ["center", words[0]] if words[0] in ("top", "bottom") else [words[0], "center"]
    if len(words) != 2:
        return None
    x = Length(across[words[0]], "%") if words[0] in across else length(words[0])
    y = Length(down[words[1]], "%") if words[1] in down else length(words[1])
    return (x, y) if x and y else None


def _angle(word: str) -> float | None:
    match = _ANGLE.match(word)
    return finite(float(match[1]) * _DEGREES[(match[2] or "deg").lower()]) if match else None


def _plain_length(word: str) -> float | None:
    found = length(word)
    return found.value if found and found.unit == "px" else None


def declarations(text: str) -> list[Declaration] | None:
    """CSS declarations; None where brackets are nested too deeply."""
    if _is_deep(text):
        return None
    return [
        (item.lower_name, tinycss2.serialize(item.value).strip(), item.important)
        for item in tinycss2.parse_blocks_contents(text, skip_whitespace=True, skip_comments=True)
        if item.type == "declaration"
    ]


def rules(text: str) -> list[Any] | None:
    """The rules of a style sheet, as tinycss2 has them; None where brackets are nested too deeply."""
    return None if _is_deep(text) else tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)


def _is_deep(text: str) -> bool:
    """Whether brackets are nested deeper than anyone writes them; tinycss2 would run out of Python's stack."""
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > DEEPEST:
            return True
    return False

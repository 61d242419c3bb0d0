"""What a person would call a colour or a shape. Channels or a form in, a word that is a name of the language out."""

from collections.abc import Container
from colorsys import rgb_to_hls

from treesketch.layers import Channels
from treesketch.styles.carry import numbers
from treesketch.tree import Node, walk

_HUES = (  # degrees at which a colour ends
    (14, "red"),
    (42, "orange"),
    (68, "yellow"),
    (165, "green"),
    (195, "teal"),
    (258, "blue"),
    (290, "purple"),
    (338, "pink"),
    (360, "red"),
)
_SHAPES = {
    "rect_rounded": "card",
    "rect_rounded_each": "card",
    "arc": "arc",
    "arc_closed": "slice",
    "line": "line",
    "dot": "dot",
    "triangle": "wedge",
    "quad": "kite",
    "bezier": "curve",
    "curve": "curve",
    "polyline": "path",
    "polygon": "outline",
}
LONG = 3.0  # times its width that makes a rectangle a bar


def color_word(channels: Channels) -> str:
    """A colour's name: white, light-grey, dark-blue.

    >>> color_word((255, 255, 255)), color_word((120, 0, 10)), color_word((128, 128, 128))
    ('white', 'dark-red', 'grey')
    """
    red, green, blue = (channel / 255 for channel in channels[:3])
    hue, light, _ = rgb_to_hls(red, green, blue)
    if max(red, green, blue) - min(red, green, blue) < 0.08:
        bounds = ((0.1, "black"), (0.35, "dark-grey"), (0.65, "grey"), (0.93, "light-grey"))
        return next((word for most, word in bounds if light < most), "white")
    word = next(word for most, word in _HUES if 360 * hue <= most)
    if word in ("orange", "red") and light < 0.33:
        word, light = ("brown", 0.5) if 360 * hue > 10 and word == "orange" else (word, light)
    return f"dark-{word}" if light < 0.3 else f"light-{word}" if light > 0.75 else word


def shape_word(form: Node) -> str:
    """What a shape is called: a disc, a bar, a wedge."""
    inner = next(node for _, node in walk(form) if node.production in (*_SHAPES, "rect", "ellipse"))
    if inner.production in _SHAPES:
        return _SHAPES[inner.production]
    extent = inner.children[1]
    if any(child.production != "literal" for child in extent.children):
        return "shape"
    width, height = map(abs, numbers(extent))
    if inner.production == "ellipse":
        return "disc" if width == height else "oval"
    if max(width, height) > LONG * min(width, height):
        return "bar"
    return "square" if width == height else "box"


def fresh(word: str, taken: Container[str]) -> str:
    """The word, with a number behind it if it is taken."""
    number, name = 1, word
    while name in taken:
        number += 1
        name = f"{word}-{number}"
    return name

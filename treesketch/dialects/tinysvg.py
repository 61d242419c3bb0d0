"""The evaluator of tinysvg: a tree in, a scene out, so every renderer and the SVG writer serve it too.

The language is Tree Diffusion's TinySVG (Kapur, Jenner and Russell, 2025): rectangles and ellipses, arranged beside
each other and moved, centred on a white canvas of 224 x 224 pixels. A digit is 6 pixels where it sizes or moves, half
a pixel where it is the width of a stroke, a pixel where it is a gap.

Rectangles have no anti-aliasing there, so their edges are rounded to whole pixels here. Strokes stay where they are
there, while our renderer moves them to pixel centres, so they become areas that are filled.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from treesketch.canvas import Canvas
from treesketch.dialects.evaluator import DIGITS, Evaluator
from treesketch.interpreter import check_binding
from treesketch.language import load_language
from treesketch.scene import Color, Path, Point, Scene, Shape
from treesketch.tree import Node

SIDE = 224  # of the canvas, in pixels
STEP = 6.0  # pixels that a digit sizes or moves
PEN = 0.5  # pixels that a digit adds to the width of a stroke
HAIRLINE = 1.0  # pixels that a stroke of no width has
BENDS = 16  # cubic curves around an ellipse's stroke
WHITE: Color = (255, 255, 255, 255)
COLORS: dict[str, Color | None] = {
    "red": (255, 0, 0, 255),
    "green": (0, 255, 0, 255),
    "blue": (0, 0, 255, 255),
    "yellow": (255, 255, 0, 255),
    "purple": (128, 0, 128, 255),
    "orange": (255, 165, 0, 255),
    "black": (0, 0, 0, 255),
    "white": WHITE,
    "none": None,
}


class Mark(NamedTuple):
    """A rectangle or an ellipse from its corner, in pixels; the stroke lies half inside and half outside."""

    is_ellipse: bool
    x: float
    y: float
    width: float
    height: float
    fill: Color | None
    stroke: Color | None
    weight: float


class Block(NamedTuple):
    """Marks in the order that they are painted, and the box that counts for arranging: from (0, 0), in pixels."""

    width: float
    height: float
    marks: tuple[Mark, ...]

    def moved(self, x: float, y: float) -> "tuple[Mark, ...]":
        """The marks elsewhere."""
        return tuple(mark._replace(x=mark.x + x, y=mark.y + y) for mark in self.marks)


class TinySvg(Evaluator):
    """Evaluates programs and elements of tinysvg: an element is a block, a color one or None, a number an int."""

    def __init__(self) -> None:
        super().__init__()

    def run(self, node: Node) -> Block:
        """The block of a program or an element."""
        block: Block = self._evaluate(node)
        return block

    def program(self, node: Node) -> Block:
        return self.run(node.children[0])

    def rectangle(self, node: Node) -> Block:
        self._count_shape(node)
        width, height, fill, stroke, weight = self._all(node)
        is_ellipse = node.production == "ellipse"
        mark = Mark(is_ellipse, 0.0, 0.0, STEP * width, STEP * height, fill, stroke, PEN * weight)
        return Block(mark.width, mark.height, (mark,))

    ellipse = rectangle

    def arrange(self, node: Node) -> Block:
        direction, first, second, gap = self._all(node)
        if direction == "horizontal":
            width, height = first.width + gap + second.width, max(first.height, second.height)
            left, right = (0.0, (height - first.height) / 2), (first.width + gap, (height - second.height) / 2)
        else:
            width, height = max(first.width, second.width), first.height + gap + second.height
            left, right = ((width - first.width) / 2, 0.0), ((width - second.width) / 2, first.height + gap)
        return Block(width, height, first.moved(*left) + second.moved(*right))

    def move(self, node: Node) -> Block:
        block, x, y, x_negative, y_negative = self._all(node)
        marks = block.moved(-STEP * x if x_negative else STEP * x, -STEP * y if y_negative else STEP * y)
        return Block(block.width, block.height, marks)

    def vertical(self, node: Node) -> str:
        return node.production

    horizontal = vertical

    def red(self, node: Node) -> Color | None:
        return COLORS[node.production]

    green = blue = yellow = purple = orange = black = white = none = red

    def true(self, node: Node) -> bool:
        return node.production == "true"

    false = true

    def zero(self, node: Node) -> int:
        return DIGITS.index(node.production)

    one = two = three = four = five = six = seven = eight = nine = zero


LANGUAGE = load_language("tinysvg")
check_binding(LANGUAGE, TinySvg)


def interpret(tree: Node) -> Scene:
    """Evaluate a whole program. Raises RunError when it has more than MOST_SHAPES shapes."""
    return to_scene(marks_of(tree))


def marks_of(tree: Node) -> tuple[Mark, ...]:
    """The marks of a whole program where they lie on the canvas. Raises as `interpret` does."""
    block = TinySvg().run(tree)
    return block.moved((SIDE - block.width) / 2, (SIDE - block.height) / 2)


def to_scene(marks: Sequence[Mark]) -> Scene:
    """Marks painted one over the other on white."""
    return Scene(SIDE, SIDE, WHITE, tuple(shape for mark in marks for shape in paint(mark)))


def paint(mark: Mark) -> Iterator[Shape]:
    """What a mark paints: its inside, then its stroke."""
    draw_inside, draw_stroke = (_disc, _ring) if mark.is_ellipse else (_box, _frame)
    for path, color in ((draw_inside(mark), mark.fill), (draw_stroke(mark), mark.stroke)):
        if color and path.verbs:
            yield Shape(path, color, None)


# Rectangles: whole pixels, as Skia fills them without anti-aliasing


def _box(mark: Mark) -> Path:
    x, y = _round(mark.x), _round(mark.y)
    return _rectangles((x, y, _round(mark.x + mark.width), _round(mark.y + mark.height)))


def _frame(mark: Mark) -> Path:
    """The stroke of a rectangle: nothing where it rounds to nothing, but a pixel wide where it has no width at all."""
    right, bottom = mark.x + mark.width, mark.y + mark.height
    if mark.weight == 0:
        left, top, right, bottom = map(math.floor, (mark.x, mark.y, right, bottom))
        return _rectangles((left, top, right + 1, bottom + 1), (left + 1, top + 1, right, bottom))
    half = mark.weight / 2
    outer = _round(mark.x - half), _round(mark.y - half), _round(right + half), _round(bottom + half)
    inner = _round(mark.x + half), _round(mark.y + half), _round(right - half), _round(bottom - half)
    return _rectangles(outer, inner)


def _rectangles(outer: tuple[int, int, int, int], inner: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Path:
    """The rectangle (left, top, right, bottom) without the inner one; the other way round, that one is a hole."""
    if _is_empty(outer) or outer == inner:
        return Path("", ())
    left, top, right, bottom = outer
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    if _is_empty(inner):
        return Path("MLLLZ", tuple((float(x), float(y)) for x, y in corners))
    left, top, right, bottom = inner
    corners += [(left, top), (left, bottom), (right, bottom), (right, top)]
    return Path("MLLLZMLLLZ", tuple((float(x), float(y)) for x, y in corners))


def _is_empty(rectangle: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = rectangle
    return left >= right or top >= bottom


def _round(value: float) -> int:
    """The nearest whole number, the upper one of two."""
    return math.floor(value + 0.5)


# Ellipses


def _disc(mark: Mark) -> Path:
    if not mark.width or not mark.height:
        return Path("", ())
    canvas = Canvas()
    canvas.ellipse(mark.x + mark.width / 2, mark.y + mark.height / 2, mark.width, mark.height)
    return canvas.shapes[0].path


def _ring(mark: Mark) -> Path:
    """The stroke of an ellipse: between the curves that run half its width outside and half inside.

    Where the ellipse bends more sharply than that, the inner curve turns around and adds to the filled area, as it
    should. An ellipse without an extent one way is a line with flat ends.
    """
    half = (mark.weight or HAIRLINE) / 2
    a, b = mark.width / 2, mark.height / 2
    x, y = mark.x + a, mark.y + b
    if not a or not b:
        p, q = (a, half) if a else (half, b)
        points = ((x - p, y - q), (x + p, y - q), (x + p, y + q), (x - p, y + q))
        return Path("MLLLZ", points) if a or b else Path("", ())
    outer = _parallel(x, y, a, b, half)
    inner = _parallel(x, y, a, b, -half)[::-1]
    verbs = "M" + "C" * BENDS + "Z"
    return Path(verbs * 2, (*outer, *inner))


def _parallel(x: float, y: float, a: float, b: float, distance: float) -> list[Point]:
    """The points of cubic curves at a distance outside an ellipse with half axes a and b around (x, y).

    With the normal n = (b cos t, a sin t) / s, where s is that vector's length, the curve is P + distance n, and its
    derivative P' (1 + distance a b / s^3).
    """
    points: list[Point] = []
    third = 2 * math.pi / BENDS / 3
    for i in range(BENDS + 1):
        cos, sin = math.cos(3 * third * i), math.sin(3 * third * i)
        length = math.hypot(b * cos, a * sin)
        px, py = x + a * cos + distance * b * cos / length, y + b * sin + distance * a * sin / length
        speed = third * (1 + distance * a * b / length**3)
        dx, dy = -a * sin * speed, b * cos * speed
        points += [(px - dx, py - dy), (px, py), (px + dx, py + dy)]
    return points[1:-1]

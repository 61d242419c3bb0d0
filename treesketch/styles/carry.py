"""A mark's transform carried into the numbers of its form. A `Mark` in, a layer out whose form says where it stands.

What no form of the language can say by itself (a slanted ellipse, a pen that is stretched) keeps its transform around
it, taken apart into a move, a turn, a slant and two scales.
"""

import math
from collections.abc import Callable

from treesketch.check import MAX_NUMBER
from treesketch.layers import LINES, Channels, Layer, literal, pair
from treesketch.scene import IDENTITY, Affine, Color, Point, apply, compose
from treesketch.styles.record import Mark
from treesketch.tree import Node, walk

SHORT = 6  # decimals of a number that is as a person writes it
NOISE = 9  # decimals behind which a number is what arithmetic left
FINER = 2  # decimals more for angles and factors
STEP = 2.0**19  # what a number too large for a literal is a multiple of; a power of two, so that nothing is rounded
ROUND = frozenset({"line", "dot", "ellipse"})  # forms without corners
CLOSED = frozenset({"rect", "rect_rounded", "rect_rounded_each", "ellipse", "triangle", "quad", "polygon"})
_POINTS = frozenset({"line", "dot", "triangle", "quad", "bezier", "curve", "polygon", "polyline"})
_EVEN = 1e-9  # how far from square axes of one length may be, in shares of it

Digits = int | None


def layer_of(mark: Mark, digits: Digits) -> Layer:
    """The mark as a layer of the canvas; numbers that are not short are rounded to so many digits, None for none."""
    transform, pen = mark.transform, mark.stroke
    size = _factor(transform)
    form = None
    if pen is None or (size is not None and pen.weight * size <= MAX_NUMBER):
        form = _carried(mark.form, transform, pen is not None)
    weight = 0.0 if pen is None else pen.weight
    if form is None:
        form = _wrapped(mark.form, transform)
    elif pen is not None and size is not None:
        weight *= size
    form = tidied(form, digits)
    fill = None if form.production in LINES else _channels(mark.fill)
    if pen is None:
        return Layer(form, fill)
    weight = min(tidy(weight, digits), MAX_NUMBER)
    production = mark.form.production
    cap = None if production in CLOSED else pen.cap
    return Layer(form, fill, _channels(pen.color), weight, cap, None if production in ROUND else pen.join)


def _channels(color: Color | None) -> Channels | None:
    return color if color is None or color[3] < 255 else color[:3]


def _factor(transform: Affine) -> float | None:
    """How much larger a transform makes things, if it does so alike in all directions; else None."""
    a, b, c, d, _, _ = transform
    size = math.hypot(a, b)
    uneven = max(abs(math.hypot(c, d) - size), abs(a * c + b * d) / size if size else 1.0)
    if uneven > _EVEN * size:
        return None
    return 1.0 if abs(size - 1) < _EVEN else size


def _carried(form: Node, transform: Affine, stroked: bool) -> Node | None:
    """The form with the transform in its numbers; None where no form says that."""
    if transform == IDENTITY:
        return form
    if form.production in _POINTS:
        return _mapped(form, lambda point: apply(transform, point))
    a, b, c, d, _, _ = transform
    point, extent, *rest = form.children
    if form.production.startswith("rect"):
        if abs(b) + abs(c) > _EVEN * (abs(a) + abs(d)):
            if form.production == "rect" and not stroked:
                return Node("quad", tuple(pair("point", *apply(transform, corner)) for corner in _corners(form)))
            return None
        (x, y), (width, height) = apply(transform, numbers(point)), numbers(extent)
        width, height = a * width, d * height
        if not rest:
            sides = (min(x, x + width), min(y, y + height), abs(width), abs(height))
        elif len(rest) == 4 and (a < 0 or d < 0):
            return None  # the corners would change their places
        elif abs(abs(a) - abs(d)) > _EVEN * abs(a):
            return None
        else:
            sides = (x, y, width, height)
        radii = [literal(abs(a) * value(radius)) for radius in rest]
        return Node(form.production, (pair("point", *sides[:2]), pair("extent", *sides[2:]), *radii))
    center, (width, height) = apply(transform, numbers(point)), numbers(extent)
    if abs(b) + abs(c) <= _EVEN * (abs(a) + abs(d)):
        turn = (0.0, a < 0, d < 0)
        width, height = abs(a) * width, abs(d) * height
    elif abs(width) == abs(height) and (size := _factor(transform)):
        turn = (math.atan2(b, a), False, a * d - b * c < 0)
        width, height = size * width, size * height
    else:
        return None
    oval = (pair("point", *center), pair("diameters", width, height))
    if form.production == "ellipse":
        return Node("ellipse", oval)
    start, stop = _turned(value(rest[0]), value(rest[1]), *turn)
    return Node(form.production, (*oval, literal(start), literal(stop), *rest[2:]))


def _turned(start: float, stop: float, angle: float, across: bool, down: bool) -> tuple[float, float]:
    """The angles of an arc mirrored left to right, or top to bottom, and then turned."""
    if across:
        start, stop = math.pi - stop, math.pi - start
    if down:
        start, stop = -stop, -start
    return start + angle, stop + angle


def _wrapped(form: Node, transform: Affine) -> Node:
    """The form with the transform around it: a move, then a turn, then a slant and scales where they are needed."""
    if form.production in ("ellipse", "arc", "arc_closed"):  # turned about its own middle
        x, y = numbers(form.children[0])
        transform = compose(transform, (1.0, 0.0, 0.0, 1.0, x, y))
        form = Node(form.production, (pair("point", 0.0, 0.0), *form.children[1:]))
    a, b, c, d, e, f = transform
    across = math.hypot(a, b)
    angle = math.atan2(b, a)
    cos, sin = math.cos(angle), math.sin(angle)
    lean, down = cos * c + sin * d, cos * d - sin * c  # the second axis, seen from the first
    steps = []
    if down and abs(lean) > _EVEN * abs(down):
        steps.append(Node("shear_x", (literal(math.atan(lean / down)),)))
    if max(abs(across - 1), abs(down - 1)) > _EVEN:
        alike = abs(across - down) <= _EVEN * across
        scales = (across,) if alike else (across, down)
        steps.append(Node("scale" if alike else "scale_each", tuple(map(literal, scales))))
    if steps:
        form = Node("matrix", (*steps, form))
    if abs(angle) > _EVEN:
        form = Node("with_rotation", (literal(angle), form))
    return Node("with_translation", (pair("point", e, f), form)) if e or f else form


# Numbers


def value(node: Node) -> float:
    """The number of a literal."""
    assert isinstance(node.value, float)
    return node.value


def numbers(node: Node) -> tuple[float, float]:
    """The numbers of a pair of literals."""
    first, second = node.children
    return value(first), value(second)


def _corners(form: Node) -> list[Point]:
    """The corners of a rect."""
    (x, y), (width, height) = map(numbers, form.children[:2])
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _mapped(node: Node, move: Callable[[Point], Point]) -> Node:
    """The form with each of its points moved."""
    if node.production == "point":
        return pair("point", *move(numbers(node)))
    return Node(node.production, tuple(_mapped(child, move) for child in node.children), node.value)


def moved(form: Node, x: float, y: float) -> Node:
    """A form moved across and down; it must be `movable`."""
    if form.production == "with_translation":
        point, *inside = form.children
        return Node("with_translation", (pair("point", *apply((1, 0, 0, 1, x, y), numbers(point))), *inside))
    return _mapped(form, lambda point: (point[0] + x, point[1] + y))


def movable(form: Node) -> bool:
    """Whether a form stands where literal points in it say, so that these are all that a move changes."""
    if form.production in ("with_rotation", "matrix"):
        return False
    points = [form.children[0]] if form.production == "with_translation" else [n for _, n in walk(form)]
    return all(
        child.production == "literal" for node in points if node.production == "point" for child in node.children
    )


def tidied(node: Node, digits: Digits) -> Node:
    """The form with numbers as a person writes them; what is too large for a literal becomes a product."""
    finer = None if digits is None else digits + FINER
    if node.production == "literal":
        return _number(tidy(value(node), digits))
    if node.production in ("shear_x", "scale", "scale_each"):
        digits = finer
    children = [tidied(child, digits) for child in node.children]
    turns = {"with_rotation": (0,), "arc": (2, 3), "arc_closed": (2, 3)}.get(node.production, ())
    for i in turns:
        children[i] = _number(tidy(value(node.children[i]), finer))
    return Node(node.production, tuple(children), node.value)


def tidy(number: float, digits: Digits) -> float:
    """A number without what arithmetic left behind its decimals; rounded to so many digits if it is not short."""
    if digits is None or round(number, SHORT) == number:
        return number + 0.0
    plain = round(number, NOISE)
    return (plain if round(plain, SHORT) == plain else round(number, digits)) + 0.0


def _number(number: float) -> Node:
    """A number's node, within what a literal may be."""
    factors = []
    while abs(number) > MAX_NUMBER:
        number /= STEP
        factors.append(literal(STEP))
    return Node("multiply", (literal(number), *factors)) if factors else literal(number)

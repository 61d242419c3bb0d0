"""The grouped hand: a function for each part, called in order. Layers with boxes in, a program of functions out.

Parts that are the same but for their place share one function of x and y; all others have no parameters. A part is
called after its largest shape and that one's colour.
"""

import math
from dataclasses import dataclass, replace

from treesketch.language import load_language
from treesketch.layers import Layer, Paint, color_node, paint_after, pair, write_forms
from treesketch.styles.carry import Digits, movable, moved, numbers, tidied
from treesketch.styles.flat import Drawn
from treesketch.styles.parts import Part, parts_of
from treesketch.styles.words import color_word, fresh, shape_word
from treesketch.tree import Node, walk

EXACT = 3  # decimals to which numbers of two parts agree that are the same

_UNKNOWN = Paint((), (), math.nan, "unknown", "unknown")  # the paint where a function begins: it sets all that it needs
Point = tuple[float, float]
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Same:
    """A part as it is wherever it stands: what it draws from its origin on, and that origin (None: it cannot move)."""

    key: Key
    origin: Point | None


def write_grouped(picture: Drawn, digits: Digits, share: bool = True) -> Node:
    """The program in parts; the flat one where nothing belongs together. Unless parts share, each is a function."""
    return _Writer(picture, digits, share).program()


class _Writer:
    def __init__(self, picture: Drawn, digits: Digits, share: bool):
        self.picture, self.digits, self.share = picture, digits, share
        self.items = parts_of(picture)
        self.looks: dict[int, _Same] = {}  # by the part's id
        self.uses: dict[Key, int] = {}
        self.names: dict[Key, str] = {}
        self.taken = set(load_language().words)
        self.ends: dict[str, Paint] = {}  # the paint that each function leaves
        self.definitions: list[Node] = []

    def program(self) -> Node:
        """The whole program."""
        self._look(self.items)
        self._count(self.items, set())
        calls, _ = self._forms(self.items, Paint(), (0.0, 0.0))
        width, height = map(float, self.picture.canvas)
        head = (
            Node("size", (Node("dimension", (), width), Node("dimension", (), height))),
            Node("background", (color_node(self.picture.ground),)),
        )
        return Node("program", (*head, *self.definitions, *calls))

    def _look(self, items: list[int | Part]) -> None:
        """Find out what each part looks like, the inner ones first."""
        for part in items:
            if isinstance(part, Part):
                self._look(part.items)
                self.looks[id(part)] = self._same(part)

    def _same(self, part: Part) -> _Same:
        origin = self._origin(part) if self.share else None
        if origin is None:
            return _Same(("alone", id(part)), None)
        x, y = origin
        key: list[object] = []
        for item in part.items:
            if isinstance(item, Part):
                look = self.looks[id(item)]
                assert look.origin is not None
                key.append((look.key, round(look.origin[0] - x, EXACT), round(look.origin[1] - y, EXACT)))
            else:
                layer = self.picture.layers[item]
                form = _rounded(moved(layer.shape, -x, -y))
                key.append(replace(layer, shape=form, weight=round(layer.weight, EXACT)))
        return _Same(tuple(key), origin)

    def _origin(self, part: Part) -> Point | None:
        """The first point of a part that can be moved as a whole; None for others."""
        origins = []
        for item in part.items:
            if isinstance(item, Part):
                origins.append(self.looks[id(item)].origin)
            else:
                form = self.picture.layers[item].shape
                point = next(node for _, node in walk(form) if node.production == "point")
                origins.append(numbers(point) if movable(form) else None)
        return None if None in origins else origins[0]

    def _count(self, items: list[int | Part], seen: set[Key]) -> None:
        """Count the places that call each part; what a part calls counts once."""
        for part in items:
            if isinstance(part, Part):
                key = self.looks[id(part)].key
                self.uses[key] = self.uses.get(key, 0) + 1
                if key not in seen:
                    seen.add(key)
                    self._count(part.items, seen)

    def _forms(self, items: list[int | Part], paint: Paint, origin: Point) -> tuple[list[Node], Paint]:
        """The forms of items seen from an origin, when that paint is set before them, and the paint behind them."""
        forms: list[Node] = []
        for item in items:
            if isinstance(item, Part):
                call, end = self._call(item, origin)
                forms.append(call)
                paint = _merged(paint, end)
            else:
                layer = self._seen_from(self.picture.layers[item], origin)
                forms += write_forms([layer], paint)
                paint = paint_after([layer], paint)
        return forms, paint

    def _seen_from(self, layer: Layer, origin: Point) -> Layer:
        if origin == (0.0, 0.0):
            return layer
        return replace(layer, shape=tidied(moved(layer.shape, -origin[0], -origin[1]), self.digits))

    def _call(self, part: Part, origin: Point) -> tuple[Node, Paint]:
        """A call of a part's function, which is defined if it is not yet, and the paint that it leaves."""
        look = self.looks[id(part)]
        shared = self.uses[look.key] > 1
        if look.key not in self.names:
            inside = look.origin if shared and look.origin else origin
            body, end = self._forms(part.items, _UNKNOWN, inside)
            name = self.names[look.key] = fresh(self._word(part), self.taken)
            self.taken.add(name)
            self.ends[name] = end
            self.definitions.append(_definition(name, body, shared))
        name = self.names[look.key]
        place: tuple[Node, ...] = ()
        if shared and look.origin:
            there = (look.origin[0] - origin[0], look.origin[1] - origin[1])
            place = tidied(pair("point", *there), self.digits).children
        return Node("call", (Node("callee", (), name), *place)), self.ends[name]

    def _word(self, part: Part) -> str:
        """What a part is called."""
        members = _layers(part)
        boxes = self.picture.seen
        largest = max(members, key=lambda i: (boxes[i][2] - boxes[i][0]) * (boxes[i][3] - boxes[i][1]))
        layer = self.picture.layers[largest]
        color = layer.fill or layer.stroke
        assert color
        return f"{color_word(color)}-{shape_word(layer.shape)}"


def _layers(part: Part) -> list[int]:
    return [i for item in part.items for i in (_layers(item) if isinstance(item, Part) else [item])]


def _definition(name: str, body: list[Node], shared: bool) -> Node:
    words = ("x", "y") if shared else ()
    parameters = Node("parameters", tuple(Node("binder", (), word) for word in words))
    if shared:
        point = Node("point", tuple(Node("reference", (), word) for word in words))
        body = [Node("with_translation", (point, *body))]
    return Node("defn", (Node("function", (), name), parameters, *body))


def _rounded(node: Node) -> Node:
    """A form with numbers that are equal where two are as good as equal."""
    if isinstance(node.value, float):
        return Node(node.production, (), round(node.value, EXACT) + 0.0)
    return Node(node.production, tuple(map(_rounded, node.children)), node.value)


def _merged(before: Paint, end: Paint) -> Paint:
    """The paint behind a function that leaves `end`, of which it may have set only some."""
    return Paint(
        before.fill if end.fill == _UNKNOWN.fill else end.fill,
        before.stroke if end.stroke == _UNKNOWN.stroke else end.stroke,
        before.weight if math.isnan(end.weight) else end.weight,
        before.cap if end.cap == _UNKNOWN.cap else end.cap,
        before.join if end.join == _UNKNOWN.join else end.join,
    )

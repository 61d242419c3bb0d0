"""The native evaluator: a checked tree in, a scene out, with fuel. One method a production, bound by name.

`Interpreter` refuses to start when a production has no method or a method has no production, so the grammar and the
meaning cannot drift apart. A method named after a production receives its node; a form's returns None, a number's a
float.
"""

import builtins
import keyword
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from treesketch import arithmetic
from treesketch.canvas import Canvas, Limits, frames
from treesketch.errors import RunError
from treesketch.language import Language, load_language
from treesketch.outline import Corner
from treesketch.scene import Scene
from treesketch.tree import Node


class Interpreter:
    """Evaluates forms one after another on a canvas.

    Names of `let` and loops are visible in the form that binds them, definitions in all forms behind them.
    """

    def __init__(self, canvas: Canvas | None = None):
        self._canvas = canvas or Canvas()
        self._names: dict[str, float] = {}  # of the function that runs
        self._hidden: list[tuple[str, float | None]] = []  # what each binding hid, None for nothing
        self._globals: dict[str, float] = {}
        self._functions: dict[str, Node] = {}

    def run(self, node: Node) -> Scene:
        """Evaluate a form (or a whole program) and return the scene so far."""
        with frames():
            self._evaluate(node)
        return self._canvas.scene()

    def _evaluate(self, node: Node):  # type: ignore[no-untyped-def]  # None, a float, a point or channels, by kind
        self._canvas.spend()
        return getattr(self, _METHODS[node.production])(node)

    def _all(self, node: Node) -> list[Any]:
        return [self._evaluate(child) for child in node.children]

    def _forms(self, nodes: tuple[Node, ...]) -> Any:
        """Evaluate forms. What the last one gives is a number where it is a call of a function that gives one."""
        value = None
        for child in nodes:
            try:
                value = self._evaluate(child)
            except RunError as error:
                error.span = error.span or child.span  # the innermost form's
                raise
        return value

    # Program and settings

    def program(self, node: Node) -> None:
        self._forms(node.children)

    def size(self, node: Node) -> None:
        self._canvas.set_size(*self._all(node))

    def fill(self, node: Node) -> Any:
        """What the canvas calls as the grammar does, with the values of the children."""
        return getattr(self._canvas, node.production)(*self._all(node))

    background = no_fill = stroke = no_stroke = stroke_weight = stroke_cap = stroke_join = fill
    rect_mode = ellipse_mode = random_seed = noise_seed = fill
    rotate = shear_x = shear_y = bezier = curve = random = noise = fill

    def gray(self, node: Node) -> list[float]:
        return self._all(node)

    gray_alpha = rgb = rgb_alpha = gray

    def cap_round(self, node: Node) -> str:
        return node.production.partition("_")[2]

    cap_square = cap_project = join_miter = join_bevel = join_round = cap_round
    mode_corner = mode_corners = mode_center = mode_radius = cap_round
    closing_open = closing_chord = closing_pie = cap_round

    # Transforms

    def translate(self, node: Node) -> None:
        self._canvas.translate(*self._evaluate(node.children[0]))

    def scale(self, node: Node) -> None:
        self._canvas.scale(*self._all(node))

    scale_each = scale

    # Shapes

    def rect(self, node: Node) -> None:
        point, extent, *radii = self._all(node)
        self._canvas.rect(*point, *extent, *radii)

    rect_rounded = rect_rounded_each = rect

    def ellipse(self, node: Node) -> None:
        self._canvas.ellipse(*self._evaluate(node.children[0]), *self._evaluate(node.children[1]))

    def arc(self, node: Node) -> None:
        point, diameters, *rest = self._all(node)
        self._canvas.arc(*point, *diameters, *rest)

    arc_closed = arc

    def line(self, node: Node) -> None:
        self._canvas.line(*self._evaluate(node.children[0]), *self._evaluate(node.children[1]))

    def dot(self, node: Node) -> None:
        self._canvas.dot(*self._evaluate(node.children[0]))

    def triangle(self, node: Node) -> None:
        self._canvas.polygon(self._all(node))

    quad = triangle

    def polygon(self, node: Node) -> None:
        self._outline(node, True)

    def polyline(self, node: Node) -> None:
        self._outline(node, False)

    def _outline(self, node: Node, closed: bool) -> None:
        contours = [child for child in node.children if child.production == "contour"]
        corners = node.children[: len(node.children) - len(contours)]
        self._canvas.shape(
            [self._evaluate(child) for child in corners], [self._evaluate(child) for child in contours], closed
        )

    def contour(self, node: Node) -> list[tuple[str, Corner]]:
        return self._all(node)

    def vertex(self, node: Node) -> tuple[str, Corner]:
        return node.production.removesuffix("_vertex"), tuple(self._all(node))

    bezier_vertex = quadratic_vertex = curve_vertex = vertex

    # Definitions and calls

    def def_(self, node: Node) -> None:
        name = self._evaluate(node.children[0])
        self._globals[name] = self._evaluate(node.children[1])

    def defn(self, node: Node) -> None:
        self._functions[str(node.children[0].value)] = node

    defn_value = defn

    def call(self, node: Node) -> float | None:
        callee, *arguments = self._all(node)
        _, parameters, *body = self._functions[str(callee)].children
        names = {str(each.value): value for each, value in zip(parameters.children, arguments, strict=True)}
        outside = self._names, self._hidden
        self._names, self._hidden = names, []
        try:
            with self._canvas.called():
                if self._functions[str(callee)].production == "defn":
                    answer: float | None = self._forms(tuple(body))
                    return answer
                value: float = self._evaluate(body[0])
                return value
        finally:
            self._names, self._hidden = outside

    value_call = call

    # Scopes

    def with_translation(self, node: Node) -> None:
        with self._canvas.translated(*self._evaluate(node.children[0])):
            self._forms(node.children[1:])

    def with_rotation(self, node: Node) -> None:
        with self._canvas.rotated(self._evaluate(node.children[0])):
            self._forms(node.children[1:])

    def matrix(self, node: Node) -> None:
        with self._canvas.kept():
            self._forms(node.children)

    def do(self, node: Node) -> None:
        self._forms(node.children)

    def if_(self, node: Node) -> None:
        condition, *branches = node.children
        branch = 0 if arithmetic.holds(self._evaluate(condition)) else 1
        self._forms(tuple(branches[branch : branch + 1]))

    def when(self, node: Node) -> None:
        if arithmetic.holds(self._evaluate(node.children[0])):
            self._forms(node.children[1:])

    def let(self, node: Node) -> None:
        with self._scope():
            self._forms(node.children)

    def dotimes(self, node: Node) -> None:
        name, count = self._evaluate(node.children[0])
        self._repeat(name, map(float, builtins.range(arithmetic.times(count))), node.children[1:])

    def doseq(self, node: Node) -> None:
        name, values = self._evaluate(node.children[0])
        self._repeat(name, values, node.children[1:])

    def _repeat(self, name: str, values: Iterable[float], body: tuple[Node, ...]) -> None:
        with self._scope():
            self._bind(name, 0.0)
            for value in values:
                self._names[name] = value
                self._canvas.spend()
                self._forms(body)

    def binding(self, node: Node) -> None:
        name = self._evaluate(node.children[0])
        self._bind(name, self._evaluate(node.children[1]))

    def counter(self, node: Node) -> tuple[str, float]:
        return self._evaluate(node.children[0]), self._evaluate(node.children[1])

    each = counter

    def vector(self, node: Node) -> list[float]:
        return self._all(node)

    def range(self, node: Node) -> Iterator[float]:
        return self._canvas.steps(*self._all(node))

    range_between = range_by = range

    @contextmanager
    def _scope(self) -> Iterator[None]:
        """Names bound inside end with it, and those that they hid are back."""
        mark = len(self._hidden)
        try:
            yield
        finally:
            while len(self._hidden) > mark:
                name, value = self._hidden.pop()
                if value is None:
                    del self._names[name]
                else:
                    self._names[name] = value

    def _bind(self, name: str, value: float) -> None:
        self._hidden.append((name, self._names.get(name)))
        self._names[name] = value

    # Numbers: what `arithmetic` has a function for is bound to it below

    def point(self, node: Node) -> tuple[float, float]:
        x, y = node.children
        return self._evaluate(x), self._evaluate(y)

    extent = diameters = point

    def literal(self, node: Node) -> float | str | None:
        return node.value

    dimension = binder = function = callee = literal

    def parameters(self, node: Node) -> None:
        raise AssertionError("a definition reads its parameters itself")

    def reference(self, node: Node) -> float:
        name = str(node.value)
        return self._names[name] if name in self._names else self._globals[name]

    def constant(self, node: Node) -> float:
        return arithmetic.CONSTANTS[str(node.value)]

    def choose(self, node: Node) -> float:
        condition, first, second = node.children
        value: float = self._evaluate(first if arithmetic.holds(self._evaluate(condition)) else second)
        return value

    def random_between(self, node: Node) -> float:
        return self._canvas.random(*self._all(node))

    def current_width(self, node: Node) -> float:
        return self._canvas.width()

    def current_height(self, node: Node) -> float:
        return self._canvas.height()

    # Conditions

    def true(self, node: Node) -> bool | None:
        return {"true": True, "false": False, "nil": None}[node.production]

    false = nil = true

    def and_(self, node: Node) -> bool:
        return all(arithmetic.holds(self._evaluate(child)) for child in node.children)

    def or_(self, node: Node) -> bool:
        return any(arithmetic.holds(self._evaluate(child)) for child in node.children)

    def not_(self, node: Node) -> bool:
        return not arithmetic.holds(self._evaluate(node.children[0]))


def _operation(function: Callable[..., float]) -> Callable[[Interpreter, Node], float]:
    """The method of a production that is a function of its children's values."""

    def method(self: Interpreter, node: Node) -> float:
        return function(*[self._evaluate(child) for child in node.children])

    return method


for _name, _function in (arithmetic.OPERATIONS | arithmetic.COMPARISONS).items():
    setattr(Interpreter, _name, _operation(_function))


def _method(production: str) -> str:
    """The method's name of a production: its own, with an underscore behind where Python has taken the word."""
    return production + "_" if keyword.iskeyword(production) else production


def check_binding(language: Language, evaluator: type) -> None:
    """Every production has a method and every public method a production, or the house is not in order."""
    methods = {name for name in dir(evaluator) if not name.startswith("_")} - {"run"}
    wanted = {_method(name) for name in language.productions}
    assert methods == wanted, f"{evaluator.__name__} and {language.name}.lark differ in {sorted(methods ^ wanted)}"


check_binding(load_language(), Interpreter)
_METHODS = {name: _method(name) for name in load_language().productions}


def interpret(tree: Node, limits: Limits | None = None) -> Scene:
    """Evaluate a whole program. Raises RunError when it exceeds its limits; the tree must have passed `check`."""
    return Interpreter(Canvas(limits)).run(tree)

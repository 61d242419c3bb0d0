"""Sketch -> a Processing sketch (https://processing.org), in its Java. A checked tree in, the text of a `.pde` out.

Numbers are ints there where they are whole for certain, so that loops read as people write them; each carries a bound,
and becomes a float before an int would overflow or a division would be cut off.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from treesketch import arithmetic
from treesketch.check import number_functions
from treesketch.errors import ExportError
from treesketch.export.names import Names, camel, canvas_size, early_definitions, is_constant, uses
from treesketch.language import load_language
from treesketch.syntax import format_number
from treesketch.tree import Node, count

MOST_NODES = 8000  # Java takes methods of 64 KB, and a node makes up to 8 bytes
LARGEST_INT = 2e9
LISTED = 12  # values of a range that are written out

# Java's own words, and what PApplet has already: a function or a name would mean that, or be refused.
TAKEN = frozenset(
    """abstract assert boolean break byte case catch char class const continue default do double else enum extends false
    final finally float for goto if implements import instanceof int interface long native new null package private
    protected public return short static strictfp super switch synchronized this throw throws transient true try var
    void volatile while acos ambient ambientLight applyMatrix arc asin atan atan2 background beginCamera beginContour
    beginPGL beginShape bezier bezierPoint bezierTangent bezierVertex box camera checkAlpha circle clear clip color copy
    createShape cursor curve curvePoint curveTangent curveTightness curveVertex day directionalLight displayDensity
    dispose draw ellipse emissive endCamera endContour endPGL endRaw endRecord endShape exit exp fill focused frameCount
    frameRate frustum fullScreen g get getClass getGraphics getMatrix getSurface hashCode height hour key keyCode
    keyPressed keyReleased keyTyped lightFalloff lightSpecular lights line loadPixels log loop mag millis minute modelX
    modelY modelZ month mouseButton mouseClicked mouseDragged mouseEntered mouseExited mouseMoved mousePressed
    mouseReleased mouseWheel mouseX mouseY nf noClip noCursor noLights noLoop noSmooth noTexture noTint norm normal
    notify notifyAll ortho parseByte parseInt pause perspective pixels pmouseX pmouseY point pointLight pop popStyle
    print println push pushStyle quad randomGaussian rect redraw resetMatrix resetShader resume rotateX rotateY rotateZ
    saveFrame screenX screenY screenZ second settings setup shininess size smooth specular sphere spotLight sq square
    start stop str stroke surface text textAscent textDescent textLeading textSize tint toString triangle updatePixels
    vertex wait width windowMoved windowResized year mod range shape image map abs ceil constrain cos degrees dist floor
    lerp max min noise pow radians random round scale sin sqrt tan translate rotate""".split()
)

_MOD = """float mod(float a, float b) {
  float left = a % b;
  return left != 0 && (left < 0) != (b < 0) ? left + b : left;
}"""
_RANGE = """float[] range(float start, float end, float step) {
  FloatList found = new FloatList();
  for (float x = start; step > 0 ? x < end : x > end; x += step) {
    found.append(x);
  }
  return found.toArray();
}"""
_BINARY = {"add": ("+", 1), "subtract": ("-", 1), "multiply": ("*", 2), "divide": ("/", 2), "rem": ("%", 2)}
_COMPARED = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "equivalent": "=="}
_LARGEST_OF = {"abs", "min", "max", "constrain"}  # whole where all that they are given is


class Term(NamedTuple):
    """An expression: its text, how tightly it binds (0 to 3), and the most that it can be where it is an int."""

    text: str
    level: int = 3
    whole: float | None = None

    def at(self, level: int) -> str:
        """The text where something binds that tightly around it."""
        return self.text if self.level >= level else f"({self.text})"


def to_processing(tree: Node, name: str) -> str:
    """A sketch that opens a window with the program's picture. Raises ExportError for what Java has no words for."""
    return _Writer(tree).sketch()


class _Writer:
    def __init__(self, tree: Node):
        self.tree = tree
        if count(tree) > MOST_NODES:
            raise ExportError(f"a method of Java holds about {MOST_NODES} nodes, this program has {count(tree)}")
        self.names = Names(TAKEN, camel)
        self.early = early_definitions(tree)
        self.whole: dict[str, float] = {}  # the names that are ints, with their bound
        self.gives_number = number_functions(tree.children)
        self.lines: list[str] = []
        self.depth = 0
        self.helpers: set[str] = set()

    def sketch(self) -> str:
        """The whole text: names, setup, functions."""
        known = list(dict.fromkeys(str(f.children[0].value) for f in self.tree.children if f.production == "def"))
        functions = [form for form in self.tree.children if form.production.startswith("defn")]
        spelt = [self.names.bind(name) for name in known]
        for form in functions:
            self.names.bind(str(form.children[0].value))
        for name, spelling in zip(known, spelt, strict=True):
            first = f" = {self.number(self.early[name].children[1]).text}" if name in self.early else ""
            self.line(f"float {spelling}{first};")
        if known:
            self.line("")
        width, height = canvas_size(self.tree)
        with self.block("void setup()"):
            self.line(f"size({width}, {height});")
            if uses(self.tree, "random", "random_between"):
                self.line("randomSeed(0);")
            if uses(self.tree, "noise"):
                self.line("noiseSeed(0);")
            self.forms(form for form in self.tree.children if form.production not in ("size", "defn", "defn_value"))
        for form in functions:
            self.line("")
            self.function(form)
        for helper in sorted(self.helpers):
            self.line("")
            self.lines.append(helper)
        return "\n".join(self.lines) + "\n"

    # Statements

    def line(self, text: str) -> None:
        self.lines.append("  " * self.depth + text if text else "")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(f"{head} {{".lstrip())
        self.depth += 1
        yield
        self.depth -= 1
        self.line("}")

    def forms(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            method: Callable[[Node], None] = getattr(self, f"_{node.production}", self.word)
            method(node)

    def word(self, node: Node) -> None:
        """A form that Processing has a function of the same name for."""
        head = load_language().productions[node.production].head
        assert head, node.production
        self.line(f"{camel(head)}({', '.join(self.arguments(node))});")

    def arguments(self, node: Node) -> Iterator[str]:
        """The values of a form, points and colours spelt out."""
        for child in node.children:
            if child.production in ("point", "extent", "diameters"):
                yield from self.arguments(child)
            elif child.production in ("gray", "gray_alpha", "rgb", "rgb_alpha"):
                yield from map(self.channel, child.children)
            elif child.production.startswith(("cap_", "join_", "mode_", "closing_")):
                yield child.production.partition("_")[2].upper()
            else:
                yield self.number(child).text

    def channel(self, node: Node) -> str:
        """A channel; an int that is none of 0..255 would be taken for a packed colour."""
        if isinstance(node.value, float):
            return format_number(min(max(node.value, 0.0), 255.0))
        term = self.number(node)
        return term.text if term.whole is None else f"(float) {term.at(3)}"

    def _def(self, node: Node) -> None:
        if str(node.children[0].value) not in self.early:
            self.line(f"{self.names[str(node.children[0].value)]} = {self.number(node.children[1]).text};")

    def function(self, node: Node) -> None:
        name, parameters, *body = node.children
        known = [str(each.value) for each in parameters.children]
        spelt = ", ".join(f"float {self.names.bind(each)}" for each in known)
        kind = "float" if str(name.value) in self.gives_number else "void"
        whole, self.whole = self.whole, {}
        with self.block(f"{kind} {self.names[str(name.value)]}({spelt})"):
            if kind == "float":
                self.line(f"return {self.number(body[0]).text};")
            else:
                self.forms(body)
        self.whole = whole
        for each in known:
            self.names.release(each)

    def _call(self, node: Node) -> None:
        self.line(f"{self.number(node).text};")

    def _polygon(self, node: Node) -> None:
        self.line("beginShape();")
        self.forms(node.children)
        self.line("endShape(CLOSE);" if node.production == "polygon" else "endShape();")

    _polyline = _polygon

    def _contour(self, node: Node) -> None:
        self.line("beginContour();")
        self.forms(node.children)
        self.line("endContour();")

    def _matrix(self, node: Node) -> None:
        self.line("pushMatrix();")
        self.forms(node.children)
        self.line("popMatrix();")

    def _with_translation(self, node: Node) -> None:
        self.line("pushMatrix();")
        self.line(f"translate({', '.join(self.arguments(Node('point', node.children[:1])))});")
        self.forms(node.children[1:])
        self.line("popMatrix();")

    def _with_rotation(self, node: Node) -> None:
        self.line("pushMatrix();")
        self.line(f"rotate({self.number(node.children[0]).text});")
        self.forms(node.children[1:])
        self.line("popMatrix();")

    def _do(self, node: Node) -> None:
        self.forms(node.children)

    def _if(self, node: Node) -> None:
        test, first, *second = node.children
        with self.block(f"if ({self.test(test).text})"):
            self.forms((first,))
        if second:
            self.lines[-1] += " else {"
            self.depth += 1
            self.forms(second)
            self.depth -= 1
            self.line("}")

    def _when(self, node: Node) -> None:
        with self.block(f"if ({self.test(node.children[0]).text})"):
            self.forms(node.children[1:])

    def _let(self, node: Node) -> None:
        bindings = [child for child in node.children if child.production == "binding"]
        with self.block(""):
            for binding in bindings:
                value = self.number(binding.children[1]).text
                self.line(f"float {self.bind(binding)} = {value};")
            self.forms(node.children[len(bindings) :])
        for binding in reversed(bindings):
            self.names.release(str(binding.children[0].value))

    def bind(self, node: Node, whole: float | None = None) -> str:
        """The spelling of the name that a node binds, an int with a bound or a float."""
        spelt = self.names.bind(str(node.children[0].value))
        self.whole.pop(spelt, None)
        if whole is not None:
            self.whole[spelt] = whole
        return spelt

    def loop(self, binder: Node, head: str, whole: float | None, body: Iterable[Node], first: str = "") -> None:
        """A loop whose head has a $ for each mention of its name, and a % for each of a second name that it needs.

        first stands in its body before all else.
        """
        second = f"nth-{binder.children[0].value}"
        name, other = self.bind(binder, whole), self.names.bind(second)
        with self.block(head.replace("$", name).replace("%", other)):
            if first:
                self.line(first.replace("$", name).replace("%", other))
            self.forms(body)
        self.names.release(second)
        self.names.release(str(binder.children[0].value))

    def _dotimes(self, node: Node) -> None:
        counter, *body = node.children
        number = counter.children[1]
        if isinstance(number.value, float):
            times, most = str(arithmetic.times(number.value)), number.value
            self.loop(counter, f"for (int $ = 0; $ < {times}; $++)", most, body)
            return
        term, most = self.number(number), float(LARGEST_INT)
        times = term.at(1) if term.whole is not None else f"(int) {term.at(3)}"
        if is_constant(number):
            self.loop(counter, f"for (int $ = 0; $ < {times}; $++)", most, body)
        else:
            self.loop(counter, f"for (int $ = 0, % = {times}; $ < %; $++)", most, body)

    def _doseq(self, node: Node) -> None:
        each, *body = node.children
        sequence = each.children[1]
        if sequence.production == "vector":
            values = ", ".join(self.number(child).text for child in sequence.children)
            self.loop(each, f"for (float $ : new float[] {{{values}}})", None, body)
            return
        limits = [_known(child) for child in sequence.children]
        start, end, step = _limits(limits)
        if start is None or end is None or step is None:
            self.helpers.add(_RANGE)
            terms = [self.number(child).text for child in sequence.children]
            given = ", ".join(terms if len(terms) == 3 else [*(["0"] if len(terms) == 1 else []), *terms, "1"])
            self.loop(each, f"for (float $ : range({given}))", None, body)
        elif all(map(float.is_integer, (start, end, step))):
            sign, by = ("<", f"$ += {step:g}") if step > 0 else (">", f"$ -= {-step:g}")
            by = {1: "$++", -1: "$--"}.get(int(step), by)
            self.loop(each, f"for (int $ = {start:g}; $ {sign} {end:g}; {by})", max(abs(start), abs(end)), body)
        else:
            self.fractions(each, list(arithmetic.steps(start, end, step)), start, step, body)

    def fractions(self, each: Node, values: list[float], start: float, step: float, body: Iterable[Node]) -> None:
        """A range of known fractions: adding floats up might miss one."""
        if len(values) <= LISTED:
            listed = ", ".join(f"{value:.7g}" for value in values)  # as precise as floats are
            self.loop(each, f"for (float $ : new float[] {{{listed}}})", None, body)
        else:
            value = f"float $ = {format_number(start)} + {format_number(step)} * %;"
            self.loop(each, f"for (int % = 0; % < {len(values)}; %++)", None, body, value)

    # Numbers

    def number(self, node: Node) -> Term:
        """The expression of a number."""
        production = node.production
        if isinstance(node.value, float):
            whole = abs(node.value) if node.value.is_integer() and abs(node.value) < LARGEST_INT else None
            return Term(format_number(node.value), 3 if node.value >= 0 else 2, whole)
        if production == "reference":
            spelt = self.names[str(node.value)]
            return Term(spelt, 3, self.whole.get(spelt))
        if production == "constant":
            return Term(str(node.value).replace("-", "_"))
        if production in ("call", "value_call"):
            given = ", ".join(self.number(child).text for child in node.children[1:])
            return Term(f"{self.names[str(node.children[0].value)]}({given})")
        if production == "choose":
            test, first, second = self.test(node.children[0]), *map(self.number, node.children[1:])
            return Term(f"{test.at(1)} ? {first.at(1)} : {second.at(1)}", 0, _larger((first, second)))
        if production in ("current_width", "current_height"):
            return Term(production.removeprefix("current_"), 3, 8192)
        if production in ("inc", "dec"):
            one = Node("literal", (), 1.0)
            return self.number(Node("add" if production == "inc" else "subtract", (node.children[0], one)))
        terms = [self.number(child) for child in node.children if child.production != "point"]
        if production == "negate":
            return Term(f"-{terms[0].at(3)}", 2, terms[0].whole)
        if production in _BINARY:
            return self.binary(production, terms)
        if production == "quot":
            quotient = self.binary("divide", terms)
            return Term(f"(float) (int) ({quotient.text})", 2)
        if production == "mod":
            self.helpers.add(_MOD)
        return self.applied(node, terms)

    def applied(self, node: Node, terms: list[Term]) -> Term:
        """A function of Processing, or of ours."""
        production = node.production
        name = "map" if production == "map_range" else production.removesuffix("_between")
        if production in ("min", "max"):
            term = terms[0]
            for other in terms[1:]:
                term = Term(f"{name}({term.text}, {other.text})", 3, _larger((term, other)))
            return term
        given = [*self.arguments(node)] if production == "dist" else [term.text for term in terms]
        whole = _larger(terms) if production in _LARGEST_OF else None
        return Term(f"{name}({', '.join(given)})", 3, whole)

    def binary(self, production: str, terms: list[Term]) -> Term:
        """Terms joined by an operator, the first made a float where ints would not do."""
        sign, level = _BINARY[production]
        result = terms[0]
        for other in terms[1:]:
            bound = None
            if result.whole is not None and other.whole is not None:
                bound = result.whole * other.whole if production == "multiply" else result.whole + other.whole
                if production == "divide" or bound > LARGEST_INT:
                    result, bound = _as_float(result), None
            result = Term(f"{result.at(level)} {sign} {other.at(level + 1)}", level, bound)
        return result

    def test(self, node: Node) -> Term:
        """The expression of a condition."""
        production = node.production
        if production in ("true", "false", "nil"):
            return Term("true" if production == "true" else "false")
        if production in _COMPARED:
            return self.compared(_COMPARED[production], node)
        if production == "not_equal":
            inner = self.compared("==", node)
            if len(node.children) == 2:
                return Term(inner.text.replace(" == ", " != "), 1)
            return Term(f"!({inner.text})", 3)
        if production in ("and", "or"):
            sign = " && " if production == "and" else " || "
            parts = [self.test(child).at(2) for child in node.children]
            return Term(sign.join(parts), 1 if len(parts) > 1 else 2)
        if production == "not":
            return Term(f"!{self.test(node.children[0]).at(3)}", 3)
        if not is_constant(node):
            raise ExportError("a number as a test always holds; Processing cannot say that and work it out", node.span)
        return Term("true")

    def compared(self, sign: str, node: Node) -> Term:
        if len(node.children) > 2 and not all(map(is_constant, node.children)):
            raise ExportError("this comparison of more than two numbers would work one out twice", node.span)
        terms = [self.number(child).at(1) for child in node.children]
        if len(terms) < 2:
            return Term("true")
        pairs = [f"{a} {sign} {b}" for a, b in zip(terms, terms[1:], strict=False)]
        return Term(" && ".join(pairs), 1 if len(pairs) > 1 else 2)


def _as_float(term: Term) -> Term:
    """A whole term as a float."""
    if term.text.isdigit():
        return Term(f"{term.text}.0", 3)
    return Term(f"(float) {term.at(3)}", 2)


def _larger(terms: Iterable[Term]) -> float | None:
    bounds = [term.whole for term in terms]
    return max(bound for bound in bounds if bound is not None) if None not in bounds else None


def _known(node: Node) -> float | None:
    """A number that is written out."""
    if isinstance(node.value, float):
        return node.value
    if node.production == "constant":
        return arithmetic.CONSTANTS[str(node.value)]
    if node.production == "negate" and (inner := _known(node.children[0])) is not None:
        return -inner
    return None


def _limits(numbers: list[float | None]) -> tuple[float | None, float | None, float | None]:
    """Start, end and step of a range."""
    if len(numbers) == 1:
        return 0.0, numbers[0], 1.0
    return numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 1.0

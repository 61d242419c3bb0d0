"""Hypothesis strategies for trees of any grammar, built from its productions with respect to what is in scope."""

import string
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from treesketch.check import check
from treesketch.language import Language, Production, load_language
from treesketch.tree import Node

DEPTH = 7  # of nested nodes before only the smallest productions are left
MANY = 3  # children of a slot without an upper bound, beyond its least
FORMS = 6  # the same for a program's, so that functions are defined and called
CALLS = {"call": False, "value_call": True}  # production -> whether the function that it calls gives a number
DEFINITIONS = ("def", "defn", "defn_value")

numbers = st.one_of(
    st.integers(-20, 200).map(float),
    st.decimals(-200, 200, places=2).map(lambda d: float(d) + 0.0),  # no negative zero: text has none
    st.floats(-1e6, 1e6).map(lambda f: f + 0.0),
)
counts = st.integers(0, 4).map(float)
steps = st.sampled_from([-2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 3.0])
sides = st.integers(1, 255).map(float)
words = st.one_of(
    st.sampled_from(["i", "x", "stripe-height", "print", "eval", "hy", "canvas", "spend", "fn", "setv", "None"]),
    st.builds(
        str.__add__,
        st.sampled_from(string.ascii_letters),
        st.text(string.ascii_letters + string.digits + "-", max_size=6),
    ),
    st.sampled_from(["even?", "draw!", "import", "lambda", "a--b", "PIE", "name-1-x"]),
)


@dataclass(frozen=True)
class Function:
    """What a call must know of a definition."""

    name: str
    parameters: int
    gives_number: bool


@dataclass(frozen=True)
class Scope:
    """The names of numbers at a place, the definitions before it, and the names that may not be given there."""

    names: frozenset[str] = frozenset()
    globals: frozenset[str] = frozenset()
    functions: tuple[Function, ...] = ()
    taken: frozenset[str] = frozenset()

    def callable(self, production: str) -> list[Function]:
        """The functions that a call may name: none whose name is a number's here."""
        wanted = CALLS[production]
        return [each for each in self.functions if each.gives_number == wanted and each.name not in self.names]

    def offers(self, production: str) -> bool:
        """Whether there is something to refer to or to call."""
        if production in CALLS:
            return bool(self.callable(production))
        return production != "reference" or bool(self.names | self.globals)

    def inside(self, parent: str, siblings: list[Node]) -> "Scope":
        """The scope of a child: two parameters are not of one name, and definitions are not defined again."""
        taken: set[str] = set()
        if parent == "parameters":
            taken = {str(each.value) for each in siblings}
        elif parent in DEFINITIONS:
            taken = {each.name for each in self.functions} | (self.globals if parent != "def" else set())
        return replace(self, taken=frozenset(taken))

    def after(self, node: Node) -> "Scope":
        """The scope of a node's later siblings."""
        first = node.children[0] if node.children else node
        if node.production == "def":
            return replace(self, globals=self.globals | {str(first.value)})
        if node.production in DEFINITIONS:
            defined = Function(str(first.value), len(node.children[1].children), node.production == "defn_value")
            return replace(self, functions=(*self.functions, defined))
        bound = {str(child.value) for child in node.children if child.production == "binder"}
        return replace(self, names=self.names | bound)


@st.composite
def trees(draw: st.DrawFn, kind: str | None = None, language: Language | None = None) -> Node:
    """Trees of a kind (default: programs) that pass `check`; literals, loops and bodies are small."""
    language = language or load_language()
    return _grow(draw, kind or language.start, language, Scope(), DEPTH)


def _grow(draw: st.DrawFn, kind: str, language: Language, scope: Scope, depth: int, parent: str = "") -> Node:
    """A tree of a kind, for a place below a production."""
    if kind == "test":  # of which there are far more numbers than truths
        kind = draw(st.sampled_from(["truth", "truth", "number"]))
    options = [name for name in language.kinds[kind] if scope.offers(name)]
    if depth <= 0:
        least = min(language.production_minimum(name) for name in options)
        options = [name for name in options if language.production_minimum(name) == least]
    weighted = [name for name in options for _ in range(_weight(language.productions[name], len(options)))]
    production = language.productions[draw(st.sampled_from(weighted))]
    if production.terminal:
        return Node(production.name, (), draw(_values(production, kind, language, scope, parent)))
    if production.name in CALLS:
        called = draw(st.sampled_from(scope.callable(production.name)))
        arguments = [_grow(draw, "number", language, scope, depth - 1) for _ in range(called.parameters)]
        return Node(production.name, (Node("callee", (), called.name), *arguments))
    if production.name in DEFINITIONS:
        scope = replace(scope, names=frozenset())
    children: list[Node] = []
    for slot in production.slots:
        more = FORMS if production.name == language.start else MANY if depth > 0 else 0
        for _ in range(draw(st.integers(slot.least, slot.least + more if slot.most is None else slot.most))):
            inside = scope.inside(production.name, children)
            children.append(_grow(draw, slot.kind, language, inside, depth - 1, production.name))
            scope = scope.after(children[-1])
    return Node(production.name, tuple(children))


def _weight(production: Production, among: int) -> int:
    """Leaves often, so that numbers stay short; bodies, definitions and calls more often than shapes."""
    if production.terminal:
        return 2 + among // 2
    if production.name in (*CALLS, *DEFINITIONS):
        return 8 + among // 4
    return 3 if any(slot.least == 0 for slot in production.slots) else 1


def _values(
    production: Production, kind: str, language: Language, scope: Scope, parent: str
) -> "st.SearchStrategy[float | str]":
    if production.name == "reference":
        return st.sampled_from(sorted(scope.names | scope.globals))
    if production.terminal == "CONSTANT":
        return st.sampled_from(["PI", "TWO-PI", "HALF-PI", "QUARTER-PI"])
    if production.terminal == "SYMBOL":
        return words.filter(lambda word: word not in scope.taken and language.spells("SYMBOL", word))
    if parent.startswith("range"):
        return steps if kind == "stride" else counts
    if kind == "count":
        return counts
    if kind == "divisor":
        return numbers.filter(bool)
    return sides if kind in ("canvas_width", "canvas_height") else numbers


programs = trees().filter(lambda tree: not check(tree))

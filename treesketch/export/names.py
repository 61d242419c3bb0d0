"""What definitions a program has, and names for them in a language that has words of its own."""

import re
from collections.abc import Callable, Collection

from treesketch.tree import Node, walk

# Numbers that are only known while a sketch runs: they cannot stand outside its functions.
WHILE_RUNNING = frozenset({"random", "random_between", "noise", "current_width", "current_height", "value_call"})


def is_constant(node: Node) -> bool:
    """Whether a number is the same whenever it is worked out."""
    return not any(inner.production in WHILE_RUNNING for _, inner in walk(node))


def early_definitions(tree: Node) -> dict[str, Node]:
    """The `def` forms, by name, that may stand before all else: of one value from the beginning to the end."""
    forms = [form for form in tree.children if form.production == "def"]
    names = [str(form.children[0].value) for form in forms]
    found: dict[str, Node] = {}
    for name, form in zip(names, forms, strict=True):
        known = {str(node.value) for _, node in walk(form) if node.production == "reference"} <= found.keys()
        if names.count(name) == 1 and known and is_constant(form):
            found[name] = form
    return found


def uses(tree: Node, *productions: str) -> bool:
    """Whether any of these occurs in a tree."""
    return any(node.production in productions for _, node in walk(tree))


def canvas_size(tree: Node) -> tuple[int, int]:
    """The width and height that a program asks for, or Processing's own."""
    for form in tree.children:
        if form.production == "size":
            width, height = (int(float(child.value or 0)) for child in form.children)
            return width, height
    return 100, 100


def camel(name: str) -> str:
    """'size-of-head' -> 'sizeOfHead'; '?' and '!' go."""
    first, *rest = re.sub(r"[?!]", "", name).split("-")
    return first + "".join(word.capitalize() for word in rest)


class Names:
    """Names in another language for those of a program: none is taken twice while it is known."""

    def __init__(self, taken: Collection[str], spell: Callable[[str], str]):
        self._taken, self._spell = set(taken), spell
        self._known: dict[str, list[str]] = {}

    def __contains__(self, name: object) -> bool:
        return bool(self._known.get(str(name)))

    def __getitem__(self, name: str) -> str:
        return self._known[name][-1]

    def bind(self, name: str) -> str:
        """A spelling for a name from here on, until it is released."""
        spelt = base = self._spell(name)
        number = 1
        while spelt in self._taken:
            number += 1
            spelt = f"{base}{number}"
        self._taken.add(spelt)
        self._known.setdefault(name, []).append(spelt)
        return spelt

    def release(self, name: str) -> None:
        """What the name meant before is meant again."""
        self._taken.discard(self._known[name].pop())

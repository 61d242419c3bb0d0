"""Sketch -> a Quil sketch (http://quil.info), for Clojure. A checked tree in, the text of a namespace out.

The forms stand there as they are; what is new is the frame around them, definitions before it, and `==` for `=`.
"""

import re

from treesketch.check import FUNCTIONS
from treesketch.export.names import Names, canvas_size, early_definitions, uses
from treesketch.language import load_language
from treesketch.syntax import unparse
from treesketch.tree import Node

# Clojure's special forms cannot be called whatever they are defined to be; the others are the frame's own names.
TAKEN = {*"catch finally monitor-enter monitor-exit new quote recur throw try var".split(), "setup", "draw", "picture"}


def to_quil(tree: Node, name: str) -> str:
    """A namespace `name` that opens a window with the program's picture."""
    names = Names(TAKEN, str)
    defined = [
        names.bind(name) for name in dict.fromkeys(str(f.children[0].value) for f in tree.children if _defines(f))
    ]
    early = early_definitions(tree)
    before: list[Node | str] = []  # definitions
    inside: list[Node | str] = []  # what is drawn
    if uses(tree, "random", "random_between"):
        inside.append("(random-seed 0)")
    if uses(tree, "noise"):
        inside.append("(noise-seed 0)")
    for form in tree.children:
        changed = _changed(form, names)
        if form.production in FUNCTIONS or form in early.values():
            before.append(changed)
        elif form.production != "size":
            if form.production == "def":
                declaration = f"(declare {names[str(form.children[0].value)]})"
                before += [declaration] if declaration not in before else []
            inside.append(changed)
    width, height = canvas_size(tree)
    excluded = " ".join(sorted({"abs", *defined}))
    quil = "(:require [quil.core :refer :all])"
    if defined:
        quil = f"(:use [quil.core :exclude [{' '.join(sorted(defined))}]])"
    parts = [
        f"(ns {_namespace(name)}\n  (:refer-clojure :exclude [{excluded}])\n  {quil})",
        *map(_text, before),
        "(defn setup []\n  (no-loop))",
        "(defn draw []" + "".join("\n" + _indented(_text(part)) for part in inside) + ")",
        f"(defsketch picture\n  :size [{width} {height}]\n  :setup setup\n  :draw draw)",
    ]
    return "\n\n".join(parts) + "\n"


def _namespace(name: str) -> str:
    """A name that Clojure takes for a namespace."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return plain if plain[:1].isalpha() else f"sketch-{plain}".strip("-")


def _defines(form: Node) -> bool:
    return form.production == "def" or form.production in FUNCTIONS


def _changed(node: Node, names: Names) -> Node:
    """A node with the spellings of defined names, and with Clojure's comparison of numbers."""
    production = "equivalent" if node.production == "equal" else node.production
    if node.production == "not_equal":
        inner = Node("equivalent", tuple(_changed(child, names) for child in node.children))
        return Node("not", (inner,))
    value = node.value
    if isinstance(value, str) and value in names:  # wherever it stands, so that what it hides stays hidden
        value = names[value]
    return Node(production, tuple(_changed(child, names) for child in node.children), value)


def _text(part: Node | str) -> str:
    return part if isinstance(part, str) else unparse(part, load_language())


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.split("\n"))

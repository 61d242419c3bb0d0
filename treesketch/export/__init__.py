"""Programs for other tools: a checked tree in, text in their language out, which draws the same picture there.

A dialect is a module here with one function and a line in DIALECTS. What it cannot say is an error with its place,
never a different picture.
"""

from collections.abc import Callable
from importlib import import_module

from treesketch.tree import Node

# Each with the function that writes it, and how its files end.
DIALECTS = {"quil": ("quil.to_quil", ".clj"), "processing": ("processing.to_processing", ".pde"), "svg": ("", ".svg")}


def export(tree: Node, dialect: str, name: str) -> str:
    """A checked program in one of DIALECTS; name is what a sketch is called where it needs a name.

    Raises ExportError for what the dialect cannot say, RunError where the program must be run for that and fails.
    """
    if dialect == "svg":
        from treesketch.interpreter import interpret
        from treesketch.svg import to_svg

        return to_svg(interpret(tree))
    module, function = DIALECTS[dialect][0].split(".")
    write: Callable[[Node, str], str] = getattr(import_module(f"treesketch.export.{module}"), function)
    return write(tree, name)

"""The second evaluator: a checked tree -> Hy forms -> a compiled code object -> the scene that the interpreter draws.

Trees in, scenes out. Program text never gets here, so Hy's reader never runs on it, and Hy's compiler sees only what
the templates in `forms.hy` write.
"""

import ast
import types
from collections import OrderedDict
from typing import Any

import hy  # also teaches Python to import forms.hy
from hy.compiler import hy_compile

from treesketch.canvas import Canvas, Limits, frames
from treesketch.hy_runtime import forms
from treesketch.hy_runtime.names import resolve
from treesketch.language import Language, load_language
from treesketch.scene import Scene
from treesketch.tree import Node

MOST_CACHED = 256  # code objects kept


class Runtime:
    """Evaluates programs, single forms and numbers one after another on one canvas; definitions stay known."""

    def __init__(self, limits: Limits | None = None):
        self._limits = limits or Limits()
        self._canvas = Canvas(self._limits)
        self._words: dict[str, Any] = forms.words(self._canvas)  # and what has been defined
        self._own = frozenset(self._words)

    def run(self, tree: Node) -> Scene:
        """Evaluate a form (or a whole program) and return the scene so far. Fuel is for each call.

        Raises RunError when a limit is met, CheckError for a name out of scope; all is then as it was before.
        """
        canvas, words = self._state()
        try:
            self._execute(tree)
        except BaseException:
            self._restore(canvas, words)
            raise
        return self._canvas.scene()

    def value(self, number: Node) -> float:
        """What a number's tree evaluates to here and now; nothing changes by it, not even the random numbers."""
        canvas, words = self._state()
        try:
            self._execute(number)
            value: float = self._words[forms.ANSWER]
            return value
        finally:
            self._restore(canvas, words)

    def interrupt(self) -> None:
        """Have what runs in another thread end at its next step, as if its fuel were spent."""
        self._canvas.fuel = 0

    def _execute(self, tree: Node) -> None:
        self._canvas.fuel = self._limits.fuel
        known = frozenset(hy.unmangle(name) for name in self._words if name not in self._own)
        code = compile_tree(tree, known)
        with frames():
            exec(code, self._words)

    def _state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a form may change: of the canvas and of the definitions."""
        return {**vars(self._canvas), "shapes": list(self._canvas.shapes)}, dict(self._words)

    def _restore(self, canvas: dict[str, Any], words: dict[str, Any]) -> None:
        vars(self._canvas).update(canvas)
        self._words.clear()  # functions look their names up in this very dictionary
        self._words.update(words)


def evaluate(tree: Node, limits: Limits | None = None) -> Scene:
    """Evaluate a whole program, as `interpreter.interpret` does. Raises RunError when it exceeds its limits."""
    return Runtime(limits).run(tree)


_compiled: OrderedDict[tuple[str, frozenset[str]], types.CodeType] = OrderedDict()  # least recently used first


def compile_tree(tree: Node, known: frozenset[str] = frozenset()) -> types.CodeType:
    """The code object of a tree, to run with `forms.words`; the last 256 are kept.

    known holds the names that were defined before, as `resolve` takes them. Code is kept by the tree's text, since
    equal trees may differ in the sign of a zero.
    """
    key = (repr(tree), known)
    code = _compiled.pop(key, None)
    if code is None:
        form = forms.translate(resolve(tree, known), load_language())
        module = types.ModuleType("treesketch.hy_runtime.program")  # no macros but Hy's core ones
        with frames():
            code = compile(hy_compile(form, module, root=ast.Module, import_stdlib=False), "<program>", "exec")
        if len(_compiled) >= MOST_CACHED:
            _compiled.popitem(last=False)
    _compiled[key] = code
    return code


def check_binding(language: Language) -> None:
    """Every production has a template and every template a production, or the house is not in order."""
    differ = set(forms.TEMPLATES) ^ set(language.productions)
    assert not differ, f"forms.hy and {language.name}.lark differ in {sorted(differ)}"


check_binding(load_language())

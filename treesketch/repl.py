"""Forms typed one after another, each evaluated by the Hy runtime, and the picture after each.

Text in (typed, or piped); pictures and one-line messages out. A mistake never ends the session, and a form that
fails leaves the picture as it was. What is typed is a form, a number, a command that begins with a colon, or
`(draw "picture.png")`, which is a command too: the language itself has no strings.
"""

import os
import sys
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from treesketch.check import FUNCTIONS, check, number_functions
from treesketch.errors import SketchError
from treesketch.files import read_program, write_whole
from treesketch.hints import definitions, describe
from treesketch.hy_runtime import Runtime
from treesketch.language import load_language
from treesketch.scene import Scene
from treesketch.syntax import format_number, parse, unparse
from treesketch.terminal import VIEWS as TERMINAL_VIEWS
from treesketch.terminal import ask, choose_view, show
from treesketch.tree import Node
from treesketch.units import DRAW, Unit, is_number, split_units

if TYPE_CHECKING:
    from treesketch.live import Page

VIEWS = (*TERMINAL_VIEWS, "browser")
DRAW_SECONDS = 5.0  # that (draw ...) searches


def run_repl(file: str | None = None) -> int:
    """Read, evaluate and show until the input ends, from a terminal or from a pipe; `file` is loaded first.

    Returns 1 when the input was a pipe and something in it failed. Raises SketchError when `file` cannot be drawn.
    """
    talks = sys.stdin.isatty() and sys.stdout.isatty()
    session = Session(choose_view(os.environ, ask(sys.stdin.fileno()) if talks else "") if talks else "off")
    if file:
        session.load(file)
    if sys.stdin.isatty():
        from treesketch.prompt import read_texts

        print("A form is drawn as you type it. :help lists commands, ctrl-d ends.")
        commands = [f":{name}" for name in COMMANDS]
        for text in read_texts(session.language, commands, lambda: definitions(session.forms)):
            try:
                if not session.enter(text if text.strip() or not session.waiting else ":next"):
                    break
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr, flush=True)
        return 0
    session.enter(sys.stdin.read(), "stdin")
    return 1 if session.failed else 0


class State(NamedTuple):
    """What `:undo` brings back: the forms of the program, and those that `:next` has yet to draw."""

    forms: tuple[Node, ...] = ()
    waiting: tuple[Node, ...] = ()


class Session:
    """The program so far, its picture, and what one may do to them."""

    def __init__(self, view: str = "off"):
        self.language = load_language()
        self.view = view
        self.failed = False
        self.forms: tuple[Node, ...] = ()
        self.waiting: tuple[Node, ...] = ()  # of a file that is drawn step by step
        self._past: list[State] = []
        self._page: Page | None = None
        self._runtime = Runtime()
        self.scene = Runtime().run(Node("program"))

    @property
    def program(self) -> Node:
        """The tree of all forms so far."""
        return Node("program", self.forms)

    def enter(self, text: str, file: str | None = None) -> bool:
        """Do all that a text says, unit by unit. Errors are printed. Returns whether the session goes on."""
        for unit in split_units(text, self.language):
            try:
                if unit.text.startswith(":"):
                    if not self._command(unit.text):
                        return False
                elif drawing := DRAW.fullmatch(unit.text):
                    self.draw(drawing[1])
                else:
                    self._evaluate(unit, file)
            except SketchError as error:
                self._complain(str(error))
        return True

    def _evaluate(self, unit: Unit, file: str | None) -> None:
        """A form is added to the program and shown; a number is printed."""
        padded = "\n" * (unit.line - 1) + " " * (unit.column - 1) + unit.text  # so that errors name the right place
        number = is_number(unit, self.language, number_functions(self.forms))
        tree = parse(padded, self.language, file, start="number" if number else None)
        if self._redefine(tree, file):
            return
        for error in check(tree, self.forms):
            error.file = file
            raise error
        if number:
            value = self._runtime.value(tree)
            self._say(format_number(value) if isfinite(value) else str(value))
            return
        for form in tree.children:
            self._past.append(self._state())
            try:
                self._add(form)
            except BaseException as error:
                self._past.pop()
                if isinstance(error, SketchError):
                    error.file = file
                raise
            self._show()

    def _redefine(self, tree: Node, file: str | None) -> bool:
        """Put a function in the place of one of that name and draw all again. Returns whether there was one."""
        functions = [form.children[0] if form.production in FUNCTIONS else None for form in self.forms]
        if len(tree.children) != 1 or tree.children[0].production not in FUNCTIONS:
            return False
        new = tree.children[0]
        if new.children[0] not in functions:
            return False
        place = functions.index(new.children[0])
        forms = (*self.forms[:place], new, *self.forms[place + 1 :])
        for error in check(Node("program", forms)):
            error.span, error.file = new.span, file
            raise error
        before = self._state()
        self._restart(forms, self.waiting)
        self._past.append(before)
        self._show()
        return True

    def _state(self) -> State:
        return State(self.forms, self.waiting)

    def _add(self, form: Node) -> None:
        """Draw one more form. A new size goes to the front of the program, and all is drawn again."""
        if form.production == "size":
            rest = tuple(other for other in self.forms if other.production != "size")
            self._restart((form, *rest), self.waiting)
        else:
            self.scene = _run(self._runtime, form)
            self.forms = (*self.forms, form)

    def _restart(self, forms: tuple[Node, ...], waiting: tuple[Node, ...] = ()) -> None:
        """Draw a whole program afresh in place of what is there."""
        runtime = Runtime()
        scene = runtime.run(Node("program"))
        for form in forms:
            scene = _run(runtime, form)
        self._runtime, self.scene, self.forms, self.waiting = runtime, scene, forms, waiting

    def _show(self) -> None:
        if self.view == "browser":
            assert self._page
            self._page.show(self.scene)
        else:
            show(self.scene, self.view)

    def _say(self, text: str) -> None:
        print(text)

    def _complain(self, message: str) -> None:
        self.failed = True
        print(message, file=sys.stderr, flush=True)

    # Commands

    def _command(self, text: str) -> bool:
        """Obey `:name argument`. Returns whether the session goes on."""
        name, _, argument = text[1:].partition(" ")
        if name == "quit":
            return False
        command = COMMANDS.get(name)
        if command is None:
            raise SketchError(f"no command ':{name}'; :help lists them")
        argument = argument.strip()
        if command.argument.isupper() and not argument:
            raise SketchError(f":{name} needs {command.argument}")
        if not command.argument and argument:
            raise SketchError(f":{name} takes nothing, got '{argument}'")
        command.run(self, argument)
        return True

    def help(self, head: str) -> None:
        """Say what may be typed, or how one form is written."""
        if head:
            about = describe(head, self.language, definitions(self.forms))
            if not about:
                raise SketchError(f"no form '{head}'; :help lists them")
            print(about)
            return
        for name, command in COMMANDS.items():
            print(f"  {f':{name} {command.argument}':<16} {command.meaning}")
        print('  (draw "PICTURE") the same as :draw')
        print("forms: " + " ".join(self.language.words))

    def draw(self, picture: str) -> None:
        """Search for the program that draws a picture and evaluate it form by form."""
        from treesketch.batch import Job, draw_each

        print(f"drawing {picture}: {DRAW_SECONDS:g} seconds", flush=True)
        ((_, drawn),) = draw_each([Job(Path(picture).expanduser(), (("seconds", DRAW_SECONDS),))])
        if isinstance(drawn, SketchError):
            raise drawn
        before = self._state()
        self._restart(())
        try:
            for form in parse(drawn.program, self.language).children:
                print(unparse(form, self.language))
                self._add(form)
                self._show()
        finally:
            self._past.append(before)
        print(f"rmse {drawn.rmse:.4f}; :undo brings back what was there")

    def load(self, path: str) -> None:
        """Replace the program with that of a file."""
        forms, before = self._read(path), self._state()
        try:
            self._restart(forms)
        except SketchError as error:
            error.file = path
            raise
        self._past.append(before)
        self._show()

    def _read(self, path: str) -> tuple[Node, ...]:
        """The forms of a file, checked."""
        tree = parse(read_program(Path(path).expanduser()), self.language, path)
        for error in check(tree):
            error.file = path
            raise error
        return tree.children

    def step(self, path: str) -> None:
        """Begin a file from its first form; `next` draws it form by form."""
        forms, before = self._read(path), self._state()
        self._restart((), forms)
        self._past.append(before)
        print(f"{_count(len(forms))} to draw; :next or an empty line draws one")

    def next(self, count: str) -> None:
        """Draw the next form, or so many, of the file that is stepped through."""
        if not self.waiting:
            raise SketchError("no form is waiting; :step FILE begins a file")
        if count and not (count.isascii() and count.isdigit() and 0 < int(count[:6])):
            raise SketchError(f":next takes how many forms to draw, got '{count}'")
        for form in self.waiting[: int(count[:6] or 1)]:
            print(unparse(form, self.language))
            before = self._state()
            self._add(form)
            self.waiting = before.waiting[1:]
            self._past.append(before)
        self._show()
        print(f"{_count(len(self.waiting))} to go")

    def save(self, path: str) -> None:
        """Write the program to a file, but never over comments, which the session does not keep."""
        place = Path(path).expanduser()
        if place.is_file() and any(mark in read_program(place) for mark in (";", "#_")):
            raise SketchError("the comments in it would be lost; save under another name", file=path)
        write_whole(place, unparse(self.program, self.language))
        print(f"{_count(len(self.forms))} written to {path}")

    def undo(self, _: str) -> None:
        """Take back the last change."""
        if not self._past:
            raise SketchError("nothing to undo")
        state = self._past.pop()
        self._restart(*state)
        self._show()

    def clear(self, _: str) -> None:
        """Begin again with an empty program."""
        before = self._state()
        self._restart(())
        self._past.append(before)
        self._show()

    def list_forms(self, _: str) -> None:
        """Print the program so far."""
        print(unparse(self.program, self.language), end="")

    def choose(self, view: str) -> None:
        """Choose how pictures are shown."""
        if view not in VIEWS:
            raise SketchError(f":view takes one of {' '.join(VIEWS)}, got '{view}'")
        if view == "browser":
            self._open()
        self.view = view
        self._show()

    def _open(self) -> None:
        """Open a browser's tab that follows the picture."""
        import webbrowser

        from treesketch.live import Page

        self._page = self._page or Page()
        opened = webbrowser.open(self._page.address)
        print(f"{'shown' if opened else 'open this address to see the picture:'} {self._page.address}", flush=True)


def _count(forms: int) -> str:
    return f"{forms} form{'' if forms == 1 else 's'}"


def _run(runtime: Runtime, form: Node) -> Scene:
    try:
        scene: Scene = runtime.run(form)
        return scene
    except SketchError as error:
        error.span = error.span or form.span
        raise


class Command(NamedTuple):
    """A word after a colon. An argument in capitals is needed, one in small letters is not."""

    run: Callable[[Session, str], None]
    argument: str
    meaning: str


COMMANDS = {
    "help": Command(Session.help, "form", "this list, or how a form is written"),
    "draw": Command(Session.draw, "PICTURE", "write a program for a picture, in place of what is there"),
    "undo": Command(Session.undo, "", "take back the last form, drawing, load or clear"),
    "forms": Command(Session.list_forms, "", "the program so far"),
    "save": Command(Session.save, "FILE", "write the program to a file"),
    "load": Command(Session.load, "FILE", "replace the program with a file's"),
    "step": Command(Session.step, "FILE", "begin a file, to be drawn form by form"),
    "next": Command(Session.next, "count", "draw the next form of it, or so many; so does an empty line"),
    "clear": Command(Session.clear, "", "begin again"),
    "view": Command(Session.choose, "VIEW", f"show pictures as: {' '.join(VIEWS)}"),
    "quit": Command(lambda session, _: None, "", "end; so does ctrl-d"),
}

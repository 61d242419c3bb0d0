"""Text -> what a REPL evaluates at once: a form, a number or a command. Brackets are counted, nothing is parsed."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from treesketch.errors import ParseError
from treesketch.language import Language
from treesketch.syntax import blank_out

DRAW = re.compile(r'\(\s*draw\s+"([^"\n]*)"\s*\)')  # the one place where a string stands

_BETWEEN = re.compile(r"(?:[\s,]+|;[^\n]*)*")
PIECE = re.compile(r";[^\n]*|[()\[\]]|[^\s()\[\],;]+")
_HEAD = re.compile(r"\(\s*([^\s()\[\],;]+)")
_LINE = re.compile(r"[^\n]*")


class Unit(NamedTuple):
    """A text to evaluate, where it begins (counting from 1), and whether its end was seen."""

    text: str
    line: int
    column: int
    complete: bool


def split_units(text: str, language: Language) -> Iterator[Unit]:
    """The units of a text in order, comments between them left out.

    A command is a line that begins with a colon. A form of several brackets (begin-shape ... end-shape) is one unit.
    """
    try:
        text = blank_out(text)
    except ParseError:  # what is missing behind a #_ may come yet; if not, the parser will say so
        pass
    position, line = 0, 1
    while (start := _skip(text, position)) < len(text):
        line += text.count("\n", position, start)
        end, complete = _end_of_unit(text, start, language)
        yield Unit(text[start:end].rstrip(), line, start - text.rfind("\n", 0, start), complete)
        line += text.count("\n", start, end)
        position = end


def is_complete(text: str, language: Language) -> bool:
    """Whether nothing is left open."""
    return all(unit.complete for unit in split_units(text, language))


def is_number(unit: Unit, language: Language, functions: Collection[str] = ()) -> bool:
    """Whether a unit is meant as a number: a word that stands alone, or a form whose head is a number's.

    functions are those of the program that give one.
    """
    if unit.text[0] in "()[]":
        head = _head(unit.text, 0)
        return head in functions or language.heads.get(head) in language.kinds["number"]
    return True


def _skip(text: str, start: int) -> int:
    match = _BETWEEN.match(text, start)
    return match.end() if match else start


def _head(text: str, start: int) -> str:
    match = _HEAD.match(text, start)
    return match[1] if match else ""


def _end_of_unit(text: str, start: int, language: Language) -> tuple[int, bool]:
    """Where the unit at `start` ends, and whether it is complete."""
    if only := (_LINE if text[start] == ":" else DRAW).match(text, start):
        return only.end(), True
    end, complete = _end_of_brackets(text, start)
    first = _head(text, start)
    open_ends = [first] if first in language.sequences else []  # first heads, outermost first
    while open_ends and complete:
        following = _skip(text, end)
        if following == len(text):
            return end, False
        head, (inside, last) = _head(text, following), language.sequences[open_ends[-1]]
        if head == last:
            open_ends.pop()
        elif head in language.words and head not in inside:
            break  # the parser will say what is missing
        elif head in language.sequences:
            open_ends.append(head)
        end, complete = _end_of_brackets(text, following)
    return end, complete


def _end_of_brackets(text: str, start: int) -> tuple[int, bool]:
    """Where the bracket (or the word) at `start` ends; the end of the text where it is never closed."""
    depth = 0
    for match in PIECE.finditer(text, start):
        depth += (match[0] in "([") - (match[0] in ")]")
        if depth <= 0 and match[0][0] != ";":
            return match.end(), True
    return len(text), False

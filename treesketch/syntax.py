"""Program text -> tree (Lark) and tree -> program text (the printer). `parse(unparse(tree)) == tree`.

Errors name the place, the rule, the value and, where it can be guessed, the fix. Comments, and what `#_` discards, are
not in the tree; `format_text` lays a text out afresh and keeps them.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from treesketch.errors import ParseError, Span
from treesketch.explain import Word, explain_characters, explain_end, explain_word, words
from treesketch.language import NUMERIC_TERMINALS, Language, Slot, join_words, load_language
from treesketch.tree import Node

MAX_CHARACTERS = 1_000_000  # of program text
MAX_DEPTH = 60  # of nested brackets
WIDTH = 100  # columns of printed text
_WHITE = " \t\r\f\v,"  # within a line

_DATUM = re.compile(r";[^\n]*|#_|[()\[\]]|(?:(?!#_)[^\s()\[\],;])+")


def parse(text: str, language: Language | None = None, file: str | None = None, start: str | None = None) -> Node:
    """Text -> tree, spans kept; `start` is the kind of the text (default: a program).

    Raises ParseError (with `file` as the name before the place).
    """
    language = language or load_language()
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"the program has {len(text)} characters; at most {MAX_CHARACTERS} are read", None, file)
    text = blank_out(text, file)
    _guard(text, file)
    try:
        return _build(language.parser(start).parse(text), language)
    except UnexpectedToken as error:
        token = error.token
        if token.type == "$END":
            raise explain_end(text, language, file) from None
        word = Word(token.line or 1, token.column or 1, str(token))
        raise explain_word(word, error.accepts or error.expected, text, language, file) from None
    except UnexpectedCharacters as error:
        raise explain_characters(error.line, error.column, text, language, file) from None


def blank_out(text: str, file: str | None = None) -> str:
    """The text with what `#_` discards (the datum behind it, whatever is in it) turned into spaces.

    All else keeps its place. Raises ParseError for a `#_` with nothing behind it.
    """
    blanked = list(text) if "#_" in text else []
    for start, end in _discarded(text, file):
        blanked[start:end] = [character if character == "\n" else " " for character in text[start:end]]
    return "".join(blanked) or text


def _discarded(text: str, file: str | None) -> Iterator[tuple[int, int]]:
    """Where each run of `#_` with its data begins and ends."""
    owed = depth = start = 0  # data that are still to be discarded, and brackets open in the one being discarded
    for match in _DATUM.finditer(text) if "#_" in text else ():
        word = match[0]
        if word[0] == ";" or not (owed or word == "#_"):
            continue
        if word == "#_" and not depth:
            start = start if owed else match.start()
            owed += 1
            continue
        if word in ")]" and not depth:
            break
        depth += (word in "([") - (word in ")]")
        if not depth:
            owed -= 1
            if not owed:
                yield start, match.end()
    else:
        if not owed:
            return
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    raise ParseError("this #_ has nothing whole behind it to leave out", Span(line, column, line, column + 2), file)


def _guard(text: str, file: str | None) -> None:
    """Refuse what could cost time or the stack before any parser sees it."""
    depth = 0
    for word in words(text):
        depth += (word.text in "([") - (word.text in ")]")
        if depth > MAX_DEPTH:
            raise ParseError(f"forms are nested more than {MAX_DEPTH} deep", word.span, file)


def _build(tree: Tree[Token], language: Language) -> Node:
    """Lark's tree, which keeps all tokens, -> ours. The recursion is as deep as MAX_DEPTH allows."""
    name = str(tree.data)
    parts = [_build(part, language) if isinstance(part, Tree) else part for part in tree.children]
    if not parts:
        return Node(name)
    span = Span(*_place(parts[0])[:2], *_place(parts[-1])[2:])
    first = parts[0]
    if isinstance(first, Token) and language.productions[name].terminal:
        return Node(name, (), _value(first), span)
    return Node(name, tuple([part for part in parts if isinstance(part, Node)]), None, span)


def _place(part: Node | Token) -> tuple[int, int, int, int]:
    """Where a part of a tree begins and ends."""
    if isinstance(part, Node):
        assert part.span
        return part.span
    assert part.line and part.column and part.end_line and part.end_column
    return part.line, part.column, part.end_line, part.end_column


def _value(token: Token) -> float | str:
    """A leaf's value. Minus nought is nought, as in Clojure."""
    return float(token) + 0.0 if token.type in NUMERIC_TERMINALS else str(token)


# The printer


def unparse(node: Node, language: Language | None = None) -> str:
    """Tree -> text: one form a line, bodies indented by two, lines of at most 100 columns where words allow it.

    Any node may be printed, not only a program; a program's text ends with a newline.
    """
    language = language or load_language()
    lines = _layout(node, language, 0, Notes())
    text = "\n".join(lines)
    return text + "\n" if node.production == language.start and text else text


def format_number(value: float) -> str:
    """The shortest text that reads back as the same double, without a needless point; what is too large is 1e999."""
    if not math.isfinite(value):
        return "-1e999" if value < 0 else "1e999"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def flat(node: Node, language: Language) -> str:
    """A node's text on one line."""
    return join_words(_pieces(node, language))


def _pieces(node: Node, language: Language) -> list[str]:
    production = language.productions[node.production]
    if production.terminal:
        return [format_number(node.value) if isinstance(node.value, float) else str(node.value)]
    pieces: list[str] = []
    for part, children in match_slots(node, language):
        if isinstance(part, str):
            pieces.append(part)
        else:
            for child in children:
                pieces += _pieces(child, language)
    return pieces


def match_slots(node: Node, language: Language) -> list[tuple[str | Slot, tuple[Node, ...]]]:
    """A node's children dealt out to its production's template: literal parts get none, slots get theirs."""
    matched: list[tuple[str | Slot, tuple[Node, ...]]] = []
    rest = node.children
    for part in language.productions[node.production].template:
        if isinstance(part, str):
            matched.append((part, ()))
            continue
        taken = 0
        allowed = language.kinds[part.kind]
        while taken < len(rest) and (part.most is None or taken < part.most) and rest[taken].production in allowed:
            taken += 1
        assert taken >= part.least, f"{node.production} needs {part.least} of {part.kind}, has {taken}"
        matched.append((part, rest[:taken]))
        rest = rest[taken:]
    assert not rest, f"{node.production} has no place for {rest[0].production}"
    return matched


@dataclass
class Notes:
    """Comments and blank lines by the form (its id) that they belong to; a blank line is ''."""

    before: dict[int, list[str]] = field(default_factory=dict)  # on lines of their own above a form
    behind: dict[int, str] = field(default_factory=dict)  # on a form's last line
    last: dict[int, list[str]] = field(default_factory=dict)  # after a body's last form, inside the bracket


def _layout(node: Node, language: Language, indent: int, notes: Notes) -> list[str]:
    """A node's lines. Forms of its body get lines of their own; all else is filled up to the width."""
    pad = " " * indent
    if language.productions[node.production].terminal:
        return [pad + flat(node, language)]
    opening: list[str] = []
    closing: list[str] = []
    body: list[Node] = []
    before: str | Slot = ""
    for part, children in match_slots(node, language):
        if isinstance(part, Slot) and _is_body(part, node, language):
            body += children
        else:
            pieces = closing if body else opening
            if isinstance(part, Slot):
                pieces += [chunk for child in children for chunk in _chunks(child, language)]
            elif pieces and isinstance(before, str):
                pieces[-1] = join_words((pieces[-1], part))  # no line is broken inside (end-shape :close)
            else:
                pieces.append(part)
        before = part
    lines = _fill(opening, indent) if opening else []
    inside = indent + 2 if opening else indent
    for form in body:
        lines += [(" " * inside + note).rstrip() for note in notes.before.get(id(form), [])]
        lines += _layout(form, language, inside, notes)
        if id(form) in notes.behind:
            lines[-1] += " " + notes.behind[id(form)]
    last = notes.last.get(id(node), [])
    lines += [(" " * inside + note).rstrip() for note in last]
    if closing and (closing[0] == "(" or last or (body and id(body[-1]) in notes.behind)):
        return [*lines, pad + join_words(closing)]  # a bracket of its own; or a comment would swallow it
    if closing:
        lines[-1] += join_words(closing)
    return lines


def _chunks(node: Node, language: Language) -> list[str]:
    """The parts of a node that are on one line each: one, or, from its (begin-...) to its (end-...), one a bracket."""
    if language.productions[node.production].template.count("(") < 2:
        return [flat(node, language)]
    chunks, words = list[str](), list[str]()
    for part, children in match_slots(node, language):
        if isinstance(part, str):
            words.append(part)
        if children and words:  # inside a bracket
            return [flat(node, language)]
        chunks += [flat(child, language) for child in children]
        if part == ")":
            chunks.append(join_words(words))
            words.clear()
    return chunks


def _is_body(slot: Slot, node: Node, language: Language) -> bool:
    """Whether a slot's forms get lines of their own."""
    return node.production == language.start or slot.kind in language.bodies


def _body(node: Node, language: Language) -> list[Node]:
    """The forms of a node that get lines of their own."""
    matched = match_slots(node, language)
    return [
        child
        for part, children in matched
        for child in children
        if isinstance(part, Slot) and _is_body(part, node, language)
    ]


def _fill(pieces: list[str], indent: int) -> list[str]:
    """Pieces joined into lines that fit, later lines indented by two more; what begins anew does so on a new line."""
    chunks: list[str] = []  # what no line may be broken in
    for piece in pieces:
        if chunks and (piece in (")", "]") or chunks[-1][-1] in "(["):
            chunks[-1] += piece
        else:
            chunks.append(piece)
    lines = [" " * indent + chunks[0]]
    for chunk in chunks[1:]:
        if len(lines[-1]) + 1 + len(chunk) > WIDTH or chunk.startswith("(begin-"):
            lines.append(" " * (indent + 2) + chunk)
        else:
            lines[-1] += " " + chunk
    return lines


# Formatting a text with its comments

Place = tuple[int, int]  # line and column


@dataclass(frozen=True, slots=True)
class _Note:
    """A comment, or '' for a blank line: where it stands, and where the code before it on its line ends, if any."""

    text: str
    place: Place
    code_end: Place | None = None


def format_text(text: str, language: Language | None = None, file: str | None = None) -> str:
    """Lay a program's text out afresh: idempotent, every comment kept, single blank lines between forms kept.

    A comment behind a form or between forms stays there; one inside a form moves to the line before it.
    """
    language = language or load_language()
    tree = parse(text, language, file)
    notes = Notes()
    _attach(tree, _read_notes(text), notes, language)
    lines = _layout(tree, language, 0, notes)
    while lines and not lines[-1]:
        lines.pop()
    return "".join(line + "\n" for line in lines)


def _read_notes(text: str) -> list[_Note]:
    """The comments, blank lines and discarded data of a text, in order."""
    notes = []
    inside = set[int]()  # lines that discarded data go on in
    rows = blank_out(text).split("\n")
    begins = [0, *accumulate(len(row) + 1 for row in rows)]  # of each row in the text
    line = seen = end = 0  # of the discarded data's row: its number, how far it was looked at, where its code ends
    for start, stop in _discarded(text, None):
        if (here := bisect_right(begins, start)) != line:
            line, seen, end = here, 0, 0
        column = start - begins[line - 1]
        if code := rows[line - 1][seen:column].rstrip(_WHITE):
            end = seen + len(code)
        seen = column
        inside.update(range(line, bisect_right(begins, stop - 1) + 1))
        notes.append(_Note(text[start:stop], (line, column + 1), (line, end + 1) if end else None))
    for number, row in enumerate(rows, 1):
        code, semicolon, comment = row.partition(";")  # no word contains a semicolon
        code = code.rstrip(_WHITE)
        if semicolon:
            code_end = (number, len(code) + 1) if code else None
            notes.append(_Note(";" + comment.rstrip(), (number, len(row) - len(comment)), code_end))
        elif not code and number not in inside:
            notes.append(_Note("", (number, 1)))
    return sorted(notes, key=lambda note: note.place)


def _attach(node: Node, given: Sequence[_Note], notes: Notes, language: Language) -> list[_Note]:
    """Give each note inside a node to a form of its body. Returns the comments of a node that has no body."""
    forms = _body(node, language)
    if not forms and node.production != language.start:
        return [note for note in given if note.text]
    starts, ends = [_start(form) for form in forms], [_end(form) for form in forms]
    inside: dict[int, list[_Note]] = {}
    for note in given:
        i = bisect_right(ends, note.place)  # the first form that ends behind the note
        if i < len(forms) and starts[i] < note.place:
            inside.setdefault(i, []).append(note)
        elif i and note.text and note.code_end == ends[i - 1]:
            notes.behind[id(forms[i - 1])] = note.text
        else:
            _append(
                notes.before.setdefault(id(forms[i]), []) if i < len(forms) else notes.last.setdefault(id(node), []),
                note.text,
                first=i == 0,
            )
    for i, some in inside.items():
        for note in _attach(forms[i], some, notes, language):
            notes.before.setdefault(id(forms[i]), []).append(note.text)
    if last := notes.last.get(id(node)):
        while last and not last[-1]:
            last.pop()
    return []


def _append(lines: list[str], note: str, first: bool) -> None:
    """Add a comment or a blank line; no two blank lines in a row, and none at the beginning of a body."""
    if note or (lines[-1] if lines else not first):
        lines.append(note)


def _start(form: Node) -> Place:
    assert form.span
    return form.span.line, form.span.column


def _end(form: Node) -> Place:
    assert form.span
    return form.span.end_line, form.span.end_column

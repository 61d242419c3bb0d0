"""What to say about a text that does not parse: the text and the place where the parser gave up in, one message out.

The parser knows what it expected; a person wants to know which form is wrong and how it is written. Brackets and
words are read again up to the place, and the grammar says how each form is written.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from treesketch.errors import ParseError, Span
from treesketch.language import Language, Slot, load_language

SHOWN = 40  # characters of a word that a message repeats
OTHER_WORLDS = {  # what Processing, p5.js and Clojure call things that are written otherwise here
    "circle": "ellipse",
    "square": "rect",
    "cond": "if",
    "for": "doseq",
    "loop": "dotimes",
    "push": "push-matrix",
}

_WORD = re.compile(r";[^\n]*|[()\[\]]|[^\s()\[\],;]+")
_CLOSING = {"(": ")", "[": "]"}
_EXPECTED = {"NUMBER": "a number", "SYMBOL": "a name", "LPAR": "'('", "RPAR": "')'", "LSQB": "'['", "RSQB": "']'"}


class Word(NamedTuple):
    """A bracket or a word and where it stands, counting from 1."""

    line: int
    column: int
    text: str

    @property
    def span(self) -> Span:
        """Its place."""
        return Span(self.line, self.column, self.line, self.column + len(self.text))


@dataclass(slots=True)
class Open:
    """A bracket that is open: its first word, how many values followed that, and the sequences begun inside it."""

    bracket: Word
    head: str = ""
    values: int = 0
    sequences: list[Word] = field(default_factory=list)  # begin-shape, for as long as there is no end-shape

    @property
    def begun(self) -> Word | None:
        """The innermost sequence that is not ended."""
        return self.sequences[-1] if self.sequences else None


def words(text: str) -> Iterator[Word]:
    """The brackets and words of a text, comments left out, whatever the grammar thinks of them."""
    for number, line in enumerate(text.split("\n"), 1):
        for match in _WORD.finditer(line):
            if match[0][0] != ";":
                yield Word(number, match.start() + 1, match[0])


def quote(word: str) -> str:
    """A word as a message shows it: short, on one line, and harmless to a terminal."""
    shown = "".join(character if character.isprintable() else "?" for character in word[:SHOWN])
    return f"'{shown}{'...' if len(word) > SHOWN else ''}'"


def explain_end(text: str, language: Language, file: str | None) -> ParseError:
    """The error of a text that ends too early."""
    bottom, *stack = _open_brackets(text, None, language)
    if stack:
        return ParseError(f"this '{stack[-1].bracket.text}' is never closed", stack[-1].bracket.span, file)
    if bottom.begun:
        return _unended(bottom.begun, language, file)
    end = text.count("\n") + 1
    return ParseError("there is nothing here", Span(end, 1, end, 1), file)


def explain_word(word: Word, expected: Iterable[str], text: str, language: Language, file: str | None) -> ParseError:
    """The error of a word that cannot stand where it stands; expected are names of terminals."""
    bottom, *stack = _open_brackets(text, word, language)
    if not stack:
        if word.text in ")]":
            return ParseError(f"'{word.text}' closes nothing", word.span, file)
        if set(expected) == {"$END"}:
            return ParseError(f"{quote(word.text)} comes after the end; a program is one form", word.span, file)
        message = f"{quote(word.text)} stands outside a form; a form begins with '('"
        return ParseError(message, word.span, file)
    inner, outer = stack[-1], [bottom, *stack][-2]
    if inner.bracket.text == "(" and not inner.head:
        return ParseError(_explain_head(word.text, outer, language), word.span, file)
    if word.text in ")]" and _CLOSING[inner.bracket.text] != word.text:
        place = f"line {inner.bracket.line}, column {inner.bracket.column}"
        return ParseError(f"'{word.text}' closes the '{inner.bracket.text}' of {place}", word.span, file)
    if inner.begun and word.text in ")]":
        return _unended(inner.begun, language, file)
    head = inner.head or outer.head
    production = language.heads.get(head)
    if inner.head and production and "[" not in language.productions[production].template:
        signature, given = language.signature(production), _count_values(text, inner.bracket)
        endless = any(slot.most is None for slot in language.productions[production].slots)
        counts = _counts(head, language)
        if head not in language.sequences and (word.text == ")" if endless else given not in counts):
            span = Span(inner.bracket.line, inner.bracket.column, *word.span[2:])
            return ParseError(f"{head} takes {_describe(signature, counts, language)}, got {given}", span, file)
    names = set(expected)
    wanted = [_EXPECTED[name] for name in _EXPECTED if name in names]
    if (
        wanted
        and word.text not in language.words
        and not (production and "[" in language.productions[production].template)
    ):
        return ParseError(f"{quote(word.text)} cannot stand here; expected {' or '.join(wanted)}", word.span, file)
    if "SYMBOL" in names and word.text in language.words:
        return ParseError(f"'{word.text}' is a form and cannot be a name", word.span, file)
    spelt = language.spellings(names - {"LPAR", "RPAR", "LSQB", "RSQB"}) if inner.head else []
    if spelt:
        return ParseError(f"{quote(word.text)} cannot stand here; expected {_choice(spelt)}", word.span, file)
    usage = f"; write {language.usage(production)}" if production else ""
    return ParseError(f"{quote(word.text)} cannot stand here{usage}", word.span, file)


def explain_characters(line: int, column: int, text: str, language: Language, file: str | None) -> ParseError:
    """The error of characters that are no word of the language."""
    row = text.split("\n")[line - 1]
    near = [match for match in _WORD.finditer(row) if match.start() < column <= match.end()]
    word = near[0][0] if near else row[column - 1]
    if near:
        column = near[0].start() + 1
    return ParseError(_explain_word_of_none(word, language), Span(line, column, line, column + len(word)), file)


def _explain_word_of_none(word: str, language: Language) -> str:
    shown = quote(word)
    if re.fullmatch(r"[-+]?\.\d+", word):
        return f"{shown} needs a digit before the point: {quote(word.replace('.', '0.', 1))[1:-1]}"
    if re.fullmatch(r"[-+]?\d+\.", word):
        return f"{shown} needs a digit after the point: {quote(word + '0')[1:-1]}"
    if re.fullmatch(r"[-+]?0\d+(\.\d+)?", word):
        tidy = re.sub(r"^([-+]?)0+(?=\d)", r"\1", word)
        return f"{shown} begins with a zero, which Clojure reads as octal; write {quote(tidy)[1:-1]}"
    if match := re.fullmatch(r"([-+]?\d{1,9})/(\d{1,9})", word):
        return f"{shown} is a ratio; write (/ {match[1]} {match[2]})"
    if word[:1].isdigit():
        return f"{shown} is not a number"
    if word[:1] == '"':
        return "there are no strings in the language"
    if word[:1] == ":":
        return f"no keyword {shown}{_did_you_mean(word, _keywords(language))}"
    hint = f"; did you mean '{word.replace('_', '-')}'?" if re.fullmatch(r"[a-zA-Z]\w{0,40}", word, re.ASCII) else ""
    return f"{shown} is not a word of the language; names are ASCII letters, digits and dashes{hint}"


def _explain_head(word: str, outer: Open, language: Language) -> str:
    """What is wrong with the first word of a bracket inside `outer`."""
    if word in ("(", ")", "[", "]"):
        return f"a form begins with its name, not with '{word}'"
    if outer.begun and word in language.words and not _holds_forms(outer.begun.text, language):
        return f"{quote(word)} cannot stand here; write {language.usage(language.heads[outer.begun.text])}"
    for first, (inside, last) in language.sequences.items():
        if word == last or (word in inside and not _holds_forms(first, language)):
            return f"'{word}' belongs in {language.usage(language.heads[first])}"
    production = language.heads.get(word)
    if production is None:
        if (other := OTHER_WORLDS.get(word)) in language.heads:
            return f"no form '{word}'; see {language.usage(language.heads[str(other)])}"
        return f"no form {quote(word)}{_did_you_mean(word, language.words)}"
    first_slot = language.productions[language.start].slots[:1]
    if not outer.head and any(production in language.kinds[slot.kind] and slot.most == 1 for slot in first_slot):
        return f"{word} comes first in the program, once"
    if outer.head and production in _top_level_only(language):
        return f"{word} stands at the top level only, not in {quote(outer.head)[1:-1]}"
    if word in language.sequences and outer.head and (group := _group(language)):
        place = f"alone in {quote(outer.head)[1:-1]}"
        return f"'{word}' begins several brackets and cannot stand {place}; put them in a ({group} ...)"
    kinds = {"number": "a number", "truth": "a test"}
    what = next((shown for kind, shown in kinds.items() if production in language.kinds.get(kind, ())), "a form")
    return f"'{word}' is {what} and cannot stand here" + (f" in {quote(outer.head)[1:-1]}" if outer.head else "")


def _group(language: Language) -> str | None:
    """The head of the form that is nothing but several forms in one bracket."""
    for production in language.productions.values():
        match production.template:
            case ("(", str() as head, Slot(kind, _, None), ")") if kind in language.bodies:
                return head
    return None


def _top_level_only(language: Language) -> set[str]:
    """The productions of forms that no body takes."""
    inner = {
        name
        for production in language.productions.values()
        for slot in production.slots
        if production.name != language.start and slot.kind in language.bodies
        for name in language.kinds[slot.kind]
    }
    return {name for kind in language.bodies for name in language.kinds[kind]} - inner if inner else set()


def _holds_forms(first: str, language: Language) -> bool:
    """Whether a sequence of brackets is one of forms, which may stand elsewhere too."""
    forms = {name for kind in language.bodies for name in language.kinds[kind]}
    return any(language.heads.get(head) in forms for head in language.sequences[first][0])


def explain_form(word: str, functions: Iterable[str], gives_number: bool) -> str:
    """What is wrong with a call of `sketch` where neither a form nor one of these functions has that name."""
    language = load_language()
    what = "function" if gives_number else "form"
    if (other := OTHER_WORLDS.get(word)) in language.heads:
        return f"no {what} '{word}'; see {language.usage(language.heads[str(other)])}"
    return f"no {what} {quote(word)}{_did_you_mean(word, [*language.words, *functions])}"


def _unended(begun: Word, language: Language, file: str | None) -> ParseError:
    usage = language.usage(language.heads[begun.text])
    return ParseError(f"{begun.text} is never ended; write {usage}", begun.span, file)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word[:SHOWN], list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _keywords(language: Language) -> list[str]:
    parts = {part for production in language.productions.values() for part in production.template}
    return sorted(part for part in parts if isinstance(part, str) and part.startswith(":"))


def _choice(options: list[str]) -> str:
    """['v', 'h'] -> 'v or h'."""
    return " or ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)


def _counts(head: str, language: Language) -> list[int]:
    """How many values the forms with a head may take."""
    counts = set[int]()
    for name, production in language.productions.items():
        if production.head == head:
            optional = sum((slot.most or 1) - slot.least for slot in production.slots)
            most = len(language.signature(name))
            counts.update(range(most - optional, most + 1))
    return sorted(counts)


def _describe(signature: list[str], counts: list[int], language: Language) -> str:
    """['x', 'y'] -> '2 numbers (x y)'; values where some of them are none; '2 or 4 numbers (x y ...)' by the counts."""
    if not signature:
        return "no numbers"
    numbers = set(language.kinds.get("number", ()))
    kinds = [word.removesuffix("...").rstrip("0123456789").replace("-", "_") for word in signature]
    noun = "number" if all(set(language.kinds.get(kind, (kind,))) <= numbers for kind in kinds) else "value"
    if any(word.endswith("...") for word in signature) and len(counts) < 2:
        least = len(signature)
        return f"{least} {noun}{'s' if least > 1 else ''} or more"
    if signature == ["color"]:
        return "1 to 4 numbers (grey, grey alpha, red green blue, red green blue alpha)"
    shown = [word.removesuffix("...") for word in signature[: counts[0]]] + ["..."] * (len(counts) > 1)
    return f"{_choice([str(count) for count in counts])} {noun}{'s' if counts[-1] > 1 else ''} ({' '.join(shown)})"


def _open_brackets(text: str, until: Word | None, language: Language) -> list[Open]:
    """The brackets that are open at a place (or at the end), outermost first; the first stands for the whole text."""
    stack = [Open(Word(1, 1, ""))]
    lasts = {last for _, last in language.sequences.values()}
    for word in words(text):
        if until and (word.line, word.column) >= (until.line, until.column):
            break
        if word.text in ("(", "["):
            stack[-1].values += 1
            stack.append(Open(word))
        elif word.text in (")", "]"):
            if len(stack) > 1:
                closed = stack.pop()
                if closed.head in language.sequences:
                    stack[-1].sequences.append(closed.bracket._replace(text=closed.head))
                elif closed.head in lasts and stack[-1].sequences:
                    stack[-1].sequences.pop()
        elif stack[-1].bracket.text == "(" and not stack[-1].head and not stack[-1].values:
            stack[-1].head = word.text
        else:
            stack[-1].values += 1
    return stack


def _count_values(text: str, bracket: Word) -> int:
    """How many values a form was given, counted from its opening bracket to its own closing one."""
    depth = values = 0
    for word in words(text):
        if (word.line, word.column) < (bracket.line, bracket.column):
            continue
        if word.text in (")", "]"):
            depth -= 1
            if depth <= 0:
                break
            continue
        values += depth == 1
        depth += word.text in ("(", "[")
    return max(0, values - 1)  # its name is not a value

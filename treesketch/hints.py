"""What may be typed at the cursor, and how the form around it is written. Text before the cursor in, words out.

Nothing is parsed, since what is being typed seldom can be: brackets are counted, and the grammar says the rest.
"""

import re
from collections.abc import Mapping

from treesketch import arithmetic
from treesketch.check import FUNCTIONS
from treesketch.language import Language, join_words
from treesketch.tree import Node
from treesketch.units import PIECE

_UNFINISHED = re.compile(r"[^\s()\[\],;\"]+$")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*[?!]?")


def definitions(forms: tuple[Node, ...]) -> dict[str, str]:
    """The names that forms define, each with how it is written: 'side', '(star x y)'."""
    found = {}
    for form in forms:
        if form.production in FUNCTIONS:
            words = [str(child.value) for child in (form.children[0], *form.children[1].children)]
            found[words[0]] = join_words(["(", *words, ")"])
        elif form.production == "def":
            found[str(form.children[0].value)] = str(form.children[0].value)
    return found


def describe(head: str, language: Language, defined: Mapping[str, str]) -> str:
    """How forms with a head are written and what they mean, a line each; '' where nothing is known of it."""
    return language.describe(head) or defined.get(head, "")


def open_head(before: str) -> str:
    """The head of the innermost bracket that is open at the end of a text; '' where there is none."""
    heads: list[str] = []
    bracket = ""
    for match in PIECE.finditer(before):
        word = match[0]
        if word in "([":
            heads.append("")
        elif word in ")]":
            del heads[-1:]
        elif bracket == "(" and heads:
            heads[-1] = word
        bracket = word
    return next((head for head in reversed(heads) if head), "")


def unfinished(before: str) -> str:
    """The word that is being typed at the end of a text."""
    match = _UNFINISHED.search(before)
    return match[0] if match else ""


def complete(before: str, language: Language, defined: Mapping[str, str]) -> list[str]:
    """The words that may stand where the last word of a text does, and begin like it.

    Behind an opening bracket the heads of forms and the functions defined; behind a colon the keywords of the form
    around it; elsewhere numbers' names: what is defined, what the text itself binds, and the constants.
    """
    word = unfinished(before)
    rest = before[: len(before) - len(word)]
    if rest.endswith("("):
        functions = [name for name, usage in defined.items() if usage.startswith("(")]
        known = sorted({*language.words, *functions})
    elif word.startswith(":"):
        known = keywords(open_head(rest), language)
    else:
        values = {name for name, usage in defined.items() if not usage.startswith("(")}
        bound = {piece for piece in PIECE.findall(rest) if _NAME.fullmatch(piece)} - {*language.words, *defined}
        known = sorted({*values, *bound, *arithmetic.CONSTANTS}) if word else []
    return [each for each in known if each.startswith(word) and each != word]


def keywords(head: str, language: Language) -> list[str]:
    """The keywords that may stand in the forms with a head, in file order."""
    found: list[str] = []
    for production in language.productions.values():
        template = production.template
        for i, part in enumerate(template):
            if isinstance(part, str):
                inside = template[max(i - 2, 0) : i] == ("(", head)
                found += [part] if inside and part.startswith(":") else []
            elif production.head == head:
                parts = [word for name in language.kinds[part.kind] for word in language.productions[name].template]
                found += [word for word in parts if isinstance(word, str) and word.startswith(":")]
    return list(dict.fromkeys(found))

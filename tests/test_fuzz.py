"""Any text at all: it is drawn or refused in one line, quickly, and nothing else happens."""

import random
import time
from pathlib import Path

import pytest

from treesketch.canvas import Limits
from treesketch.check import check
from treesketch.errors import SketchError
from treesketch.interpreter import interpret
from treesketch.language import load_language
from treesketch.syntax import format_text, parse, unparse

HERE = Path(__file__).parent
REAL = [path.read_text(encoding="utf-8") for path in sorted(HERE.glob("*/**/*.clj"))]
LIMITS = Limits(fuel=2000, shapes=200, points=2000, side=200)
LONGEST = 2.0  # seconds for a text
ODD = [
    "(",
    ")",
    "[",
    "]",
    "#_",
    ";",
    "\n",
    "\r\n",
    "\x00",
    "\ud800",
    "９",
    "＿",
    "'",
    "`",
    "~@",
    '"',
    "\\a",
    "#",
    "^",
    ":",
    "::",
]
ODD += [
    "1e999",
    "-0",
    "00",
    "1/2",
    ".5",
    "5.",
    "1e",
    "nil",
    "true",
    ":close",
    "PI",
    "NaN",
    "##Inf",
    "9" * 400,
    "q" * 400,
]
ODD += ["(" * 80, ")" * 80, "(/ 1 0)", "(range 0 1 0)", "(random -1)", "(scale 0)", "(scale 1e6)", "(size 0 0)"]


def _mutate(text: str, chance: random.Random, words: list[str]) -> str:
    """A real program with a few words of it lost, doubled, swapped or replaced, or spliced into another."""
    pieces = text.replace("(", " ( ").replace(")", " ) ").replace("[", " [ ").replace("]", " ] ").split(" ")
    for _ in range(chance.randint(1, 4)):
        i, j = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        match chance.randrange(7):
            case 0:
                del pieces[i : i + chance.randint(1, 3)]
            case 1:
                pieces[i:i] = pieces[i : i + chance.randint(1, 6)]
            case 2:
                pieces[i], pieces[j] = pieces[j], pieces[i]
            case 3:
                pieces[i] = chance.choice(ODD)
            case 4:
                pieces[i] = chance.choice(words)
            case 5:
                pieces[i:] = chance.choice(REAL).split(" ")[chance.randrange(8) :]
            case _:
                pieces[i] = "".join(
                    chr(chance.choice((chance.randrange(128), chance.randrange(0xD7FF)))) for _ in range(3)
                )
        pieces = pieces or [""]
    return " ".join(pieces)


def _use(text: str) -> bool:
    """Do with a text what may be done with one. Returns whether it was drawn; all but a SketchError is a failure."""
    try:
        tree = parse(text)
    except SketchError as error:
        assert "\n" not in str(error) and len(str(error)) < 400
        return False
    formatted = format_text(text)
    assert parse(formatted) == tree == parse(unparse(tree)) and format_text(formatted) == formatted
    if errors := check(tree):
        assert all("\n" not in str(error) for error in errors)
        return False
    try:
        interpret(tree, LIMITS)
    except SketchError as error:
        assert "\n" not in str(error)
        return False
    return True


def _fuzz(texts: int, seed: int) -> None:
    chance = random.Random(seed)
    words = [*load_language().words, "x", "f", "1", "0", "-3.5", "[x 1]", "[i 3]"]
    drawn = 0
    for _ in range(texts):
        text = _mutate(chance.choice(REAL), chance, words)
        began = time.perf_counter()
        try:
            drawn += _use(text)
        except BaseException as error:
            raise AssertionError(f"{type(error).__name__}: {error} for {text!r}") from error
        assert time.perf_counter() - began < LONGEST, repr(text)
    assert texts / 50 < drawn < texts * 0.9  # some are still programs, so all of the way is tried


def test_mutated_programs() -> None:
    _fuzz(1500, 1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_mutated_programs() -> None:
    _fuzz(100_000, 2)

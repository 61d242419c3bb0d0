"""A program in another hand: a checked tree, a style and an order in; the same picture's program out.

Every hand begins with what the program draws, so it does not matter in which hand that was written. The exact renderer
judges each step: a program whose picture would change is refused.
"""

import math
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import takewhile

from treesketch.check import check
from treesketch.errors import SketchError
from treesketch.styles import ORDERS, STYLES
from treesketch.styles.carry import Digits
from treesketch.styles.flat import Drawn, drawn, in_order, write_flat
from treesketch.styles.grouped import write_grouped
from treesketch.styles.judge import LARGEST_CHANGE, Judge
from treesketch.styles.looped import with_repetition
from treesketch.styles.named import write_named
from treesketch.styles.record import record
from treesketch.syntax import parse, unparse
from treesketch.tree import Node

ROUNDINGS: tuple[Digits, ...] = (3, 6, None)  # decimals of what is not short, until the picture stays


def restyle(tree: Node, style: str, order: str = "paint") -> Node:
    """The program written in a style of STYLES, its shapes in an order of ORDERS.

    Its picture is the same to within an rmse of `LARGEST_CHANGE` at `simplify.SIDE` pixels. Raises SketchError for an
    unknown name and where the picture would change, RunError where the program exceeds its limits or those of a program
    that is written out.
    """
    need_name("style", style, STYLES)
    need_name("order", order, ORDERS)
    marks = record(tree)
    judge = Judge(tree, len(marks.marks))
    change = math.inf
    for digits in ROUNDINGS:
        for program in _written(in_order(drawn(marks, digits), order), style, digits, judge):
            change = min(change, judge.change(program))
            if change <= LARGEST_CHANGE:
                return program
    raise SketchError(f"written {style} in {order} order its picture would change by an rmse of {change:.4f}")


def _written(picture: Drawn, style: str, digits: Digits, judge: Judge) -> Iterator[Node]:
    """The picture's program in a style; what may be tried where that draws another picture."""
    match style:
        case "named":
            yield write_named(picture)
        case "looped":
            yield with_repetition(write_flat(picture), judge.accepts)
        case "grouped":
            yield write_grouped(picture, digits)
            yield write_grouped(picture, digits, share=False)  # strokes may snap to other pixels when they are moved
        case _:
            yield write_flat(picture)


def restyle_text(text: str, style: str, order: str, file: str) -> tuple[str, bool]:
    """A program's text in another hand, and whether comments of it are lost: all but those above its first form.

    Raises SketchError as `restyle` does, and where the text is no program.
    """
    tree = parse(text, file=file)
    for error in check(tree):
        error.file = file
        raise error
    lines = text.lstrip().split("\n")
    head = list(takewhile(lambda line: not line.strip() or line.lstrip().startswith(";"), lines))
    rest = "\n".join(lines[len(head) :])
    try:
        written = unparse(restyle(tree, style, order))
    except SketchError as error:
        error.file = error.file or file
        raise
    return "".join(line.strip() + "\n" for line in head) + written, ";" in rest or "#_" in rest


def need_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raise SketchError for a name that is not among those that are known."""
    words = list(known)
    if name not in words:
        close = get_close_matches(name, words, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(words)}"
        raise SketchError(f"no {what} '{name}'; {hint}")

"""A program in another hand: a checked tree, a style and an order in; the same picture's program out.

Every hand begins with what the program draws, so it does not matter in which hand that was written. The exact renderer
judges each step: a program whose picture would change is refused.
"""

from difflib import get_close_matches
from collections.abc import Iterable

from treesketch.errors import SketchError
from treesketch.styles import ORDERS, STYLES
from treesketch.styles.carry import Digits
from treesketch.styles.flat import Drawn, drawn, in_order, write_flat
from treesketch.styles.grouped import write_grouped
from treesketch.styles.judge import LARGEST_CHANGE, Judge
from treesketch.styles.looped import with_repetition
from treesketch.styles.named import write_named
from treesketch.styles.record import record
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
    change = float("inf")
    for digits in ROUNDINGS:
        picture = in_order(drawn(marks, digits), order)
        program = _written(picture, style, digits, judge)
        change = judge.change(program)
        if change <= LARGEST_CHANGE:
            return program
    raise SketchError(f"written {style} in {order} order its picture would change by an rmse of {change:.4f}")


def _written(picture: Drawn, style: str, digits: Digits, judge: Judge) -> Node:
    match style:
        case "named":
            return write_named(picture)
        case "grouped":
            return write_grouped(picture, digits)
        case "looped":
            return with_repetition(write_flat(picture), judge.accepts)
    return write_flat(picture)


def need_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raise SketchError for a name that is not among those that are known."""
    words = list(known)
    if name in words:
        return
    close = get_close_matches(name, words, n=1)
    raise SketchError(
        f"no {what} '{name}'; " + (f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(words)}")
    )

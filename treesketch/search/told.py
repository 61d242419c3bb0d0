"""A found program said as a person would: loops, functions and names where they pay. A tree in, a shorter one out.

What the search has found is forms one by one. `simplify` knows how they may be said more shortly; whether that is worth
it is decided here by the search's own cost, the error against the picture plus the price of the numbers.
"""

from collections.abc import Callable

from treesketch.check import check
from treesketch.errors import SketchError
from treesketch.search.judge import Judge, program_numbers
from treesketch.simplify import length, simplify
from treesketch.tree import Node


def tell(tree: Node, judge: Judge, price: float, is_over: Callable[[], bool]) -> Node:
    """The program in the shortest form that costs no more. When is_over says so it stays.

    price is the squared error, summed over the pixels and channels of the judge's target, that a number must save.
    """
    costs: dict[int, tuple[Node, float]] = {}

    def cost(program: Node) -> float:
        if id(program) not in costs:
            error = judge.program_error(program) * judge.target.size
            costs[id(program)] = program, error + price * program_numbers(program)
        return costs[id(program)][1]

    def accepts(new: Node, old: Node) -> bool:
        if length(new) >= length(old) or is_over() or check(new):
            return False
        try:
            return cost(new) <= cost(old)
        except SketchError:
            return False

    return simplify(tree, accepts)

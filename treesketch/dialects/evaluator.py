"""What the evaluators of the small languages share: a method a production, digits, and a limit. A tree in.

A language's own class has one public method for each production, which receives the production's node;
`interpreter.check_binding` holds that none is missing and none is too many.
"""

from typing import Any

from treesketch.errors import RunError
from treesketch.tree import Node

MOST_SHAPES = 1000  # in one program; published ones have up to 10
DIGITS = (  # productions of numbers by their value
    *("zero", "one", "two", "three", "four", "five", "six", "seven"),
    *("eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"),
)


class Evaluator:
    """Evaluates trees by the methods of a class that descends from this one; recursion is as deep as brackets go."""

    def __init__(self) -> None:
        self._shapes = 0

    def _evaluate(self, node: Node) -> Any:
        return getattr(self, node.production)(node)

    def _all(self, node: Node) -> list[Any]:
        return [self._evaluate(child) for child in node.children]

    def _count_shape(self, node: Node) -> None:
        self._shapes += 1
        if self._shapes > MOST_SHAPES:
            raise RunError(f"the program has more than {MOST_SHAPES} shapes; leave some out", node.span)

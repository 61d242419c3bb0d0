"""Whether a program still draws its picture. Programs in, yes or no out.

The exact renderer judges, at `simplify.SIDE` pixels; how often it may be asked follows from the number of shapes, so
that no program takes long.
"""

from treesketch.check import check
from treesketch.errors import SketchError
from treesketch.simplify import drawn, length, rmse
from treesketch.tree import Node

LARGEST_CHANGE = 0.001  # rmse (0..1): a quarter of one of 255 levels, all over the picture
MOST_LOOKS = 300  # programs that are drawn on the way to one
MOST_DRAWN = 20_000  # the same in shapes


class Judge:
    """Judges programs by the picture of one of them, which draws so many shapes."""

    def __init__(self, tree: Node, shapes: int):
        self.picture = drawn(tree)
        self.looks = min(MOST_LOOKS, MOST_DRAWN // max(shapes, 1))

    def change(self, tree: Node) -> float:
        """How far the picture of a program is from the one that is to be kept, 0..1; infinite where it draws none."""
        if check(tree):
            return float("inf")
        try:
            picture = drawn(tree)
        except SketchError:
            return float("inf")
        return rmse(picture, self.picture) if picture.shape == self.picture.shape else float("inf")

    def keeps(self, tree: Node) -> bool:
        """Whether a program draws the picture but for a change that nobody sees."""
        return self.change(tree) <= LARGEST_CHANGE

    def accepts(self, new: Node, old: Node) -> bool:
        """Whether a program is shorter than another and keeps the picture; no longer, when it was asked too often."""
        if self.looks <= 0 or length(new) >= length(old):
            return False
        self.looks -= 1
        return self.keeps(new)

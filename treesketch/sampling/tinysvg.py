"""Random programs of tinysvg: shapes, moved and arranged by chance. A random source in, a tree out.

And one spelling for programs that say the same, which is what a network learns.
A move counts as a shape while the tree grows, so a program has one third of a chance of one more move for each shape.
"""

from collections.abc import Sequence
from random import Random

import numpy as np
import numpy.typing as npt

from treesketch.dialects.evaluator import DIGITS
from treesketch.dialects.tinysvg import LANGUAGE, interpret
from treesketch.raster import rasterise
from treesketch.sampling.growth import Twig, grow_twigs
from treesketch.tree import Node

NUMBERS, COLORS, BOOLEANS, DIRECTIONS = (
    [Node(name) for name in LANGUAGE.kinds[kind]] for kind in ("number", "color", "boolean", "direction")
)
DIGIT_NODES = [Node(name) for name in DIGITS[:10]]  # by their value
NONE, TRUE, FALSE = Node("none"), Node("true"), Node("false")


def grow(random: Random, shapes: int) -> Node:
    """A program of so many shapes."""
    return Node("program", (_element(grow_twigs(shapes, random, others=2), random),))


def draw(program: Node) -> npt.NDArray[np.uint8]:
    """Its picture, (H, W, 3)."""
    return rasterise(interpret(program))


def canonical(program: Node) -> Node:
    """One spelling for programs that say the same.

    Moves by nothing go, what is moved by zero has no sign, a move of a move is one move where it is not too far, and a
    stroke of no colour has no width.
    """
    children = tuple(map(canonical, program.children))
    match program.production, children:
        case "move", (inner, *_):
            x, y = _offset(children)
            if inner.production == "move":
                more_x, more_y = _offset(inner.children)
                if max(abs(x + more_x), abs(y + more_y)) < len(DIGIT_NODES):
                    return canonical(_moved(inner.children[0], x + more_x, y + more_y))
            return _moved(inner, x, y) if x or y else inner
        case "rectangle" | "ellipse", (*size, fill, stroke, _) if stroke == NONE:
            children = (*size, fill, NONE, DIGIT_NODES[0])
    return Node(program.production, children)


def _offset(move: Sequence[Node]) -> tuple[int, int]:
    """How far the children of a move say, in steps."""
    _, x, y, x_negative, y_negative = move
    across, down = (DIGITS.index(number.production) for number in (x, y))
    return -across if x_negative == TRUE else across, -down if y_negative == TRUE else down


def _moved(element: Node, x: int, y: int) -> Node:
    signs = (TRUE if value < 0 else FALSE for value in (x, y))
    return Node("move", (element, DIGIT_NODES[abs(x)], DIGIT_NODES[abs(y)], *signs))


def _element(twig: Twig, random: Random) -> Node:
    if twig:
        direction, gap = random.choice(DIRECTIONS), random.choice(NUMBERS)
        first, second = (_element(side, random) for side in twig)
        return Node("arrange", (direction, first, second, gap))
    production = random.choice(("rectangle", "ellipse", "move"))
    if production == "move":
        x_and_y, signs = random.choices(NUMBERS, k=2), random.choices(BOOLEANS, k=2)
        return Node("move", (_element([], random), *x_and_y, *signs))
    size, paint = random.choices(NUMBERS, k=2), random.choices(COLORS, k=2)
    return Node(production, (*size, *paint, random.choice(NUMBERS)))

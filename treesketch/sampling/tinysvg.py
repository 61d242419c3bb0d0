"""Random programs of tinysvg: shapes, moved and arranged by chance. A random source in, a tree out.

A move counts as a shape while the tree grows, so a program has one third of a chance of one more move for each shape.
"""

from random import Random

import numpy as np
import numpy.typing as npt

from treesketch.dialects.tinysvg import LANGUAGE, interpret
from treesketch.raster import rasterise
from treesketch.sampling.growth import Twig, grow_twigs
from treesketch.tree import Node

NUMBERS, COLORS, BOOLEANS, DIRECTIONS = (
    [Node(name) for name in LANGUAGE.kinds[kind]] for kind in ("number", "color", "boolean", "direction")
)


def grow(random: Random, shapes: int) -> Node:
    """A program of so many shapes."""
    return Node("program", (_element(grow_twigs(shapes, random, others=2), random),))


def draw(program: Node) -> npt.NDArray[np.uint8]:
    """Its picture, (H, W, 3)."""
    return rasterise(interpret(program))


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

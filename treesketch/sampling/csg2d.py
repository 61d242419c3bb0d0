"""Random programs of csg2d: circles and quads, added and cut by chance. A random source in, a tree out."""

from random import Random

import numpy as np
import numpy.typing as npt

from treesketch.dialects.csg2d import LANGUAGE, cover, interpret
from treesketch.sampling.growth import Twig, grow_twigs
from treesketch.tree import Node

NUMBERS = [Node(name) for name in LANGUAGE.kinds["number"]]
ANGLES = [Node(name) for name in LANGUAGE.kinds["angle"]]


def grow(random: Random, shapes: int) -> Node:
    """A program of so many shapes."""
    return Node("program", (_expression(grow_twigs(shapes, random, others=1), random),))


def draw(program: Node) -> npt.NDArray[np.float32]:
    """How much of each pixel it covers, (H, W)."""
    return cover(interpret(program))


def _expression(twig: Twig, random: Random) -> Node:
    if twig:
        return Node(random.choice(("add", "subtract")), tuple(_expression(side, random) for side in twig))
    if random.random() < 0.5:
        return Node("circle", tuple(random.choices(NUMBERS, k=3)))
    return Node("quad", (*random.choices(NUMBERS, k=4), random.choice(ANGLES)))

"""Random programs of csg2d: circles and quads, added and cut by chance. A random source in, a tree out.

And one spelling for programs that say the same, which is what a network learns.
"""

from random import Random

import numpy as np
import numpy.typing as npt

from treesketch.dialects.csg2d import LANGUAGE, Part, Region, Solid, cover, interpret
from treesketch.dialects.evaluator import DIGITS
from treesketch.sampling.growth import Twig, grow_twigs
from treesketch.sampling.order import Box, reading_order
from treesketch.tree import Node

NUMBERS = [Node(name) for name in DIGITS]  # by their value
ANGLES = [Node(name) for name in LANGUAGE.kinds["angle"]]


def grow(random: Random, shapes: int) -> Node:
    """A program of so many shapes."""
    return Node("program", (_expression(grow_twigs(shapes, random, others=1), random),))


def draw(program: Node) -> npt.NDArray[np.float32]:
    """How much of each pixel it covers, (H, W)."""
    return cover(interpret(program))


def canonical(program: Node) -> Node:
    """One spelling for programs that say the same: each part behind the one before it, ((a + b) - c).

    Parts that do not overlap, or are all added or all cut, are in reading order; turns are 0 or 45 degrees. Parts of no
    area go, as do cuts where nothing was added and what is said twice. Nothing is drawn for this.
    """
    parts = _order(_needed(interpret(program)))
    tree = _shape(parts[0].region) if parts else Node("circle", (NUMBERS[0],) * 3)
    for part in parts[1:]:
        tree = Node("add" if part.adds else "subtract", (tree, _shape(part.region)))
    return Node("program", (tree,))


def _needed(solid: Solid) -> list[Part]:
    """The parts that may show: of some area, not hidden by themselves later on, and cuts only of something."""
    last = {part.region: i for i, part in enumerate(solid)}
    kept: list[Part] = []
    for i, part in enumerate(solid):
        if all(part.region.reach) and last[part.region] == i:
            box = _box(part.region)
            if part.adds or any(before.adds and _overlap(box, _box(before.region)) for before in kept):
                kept.append(part)
    return kept


def _order(parts: list[Part]) -> list[Part]:
    return [parts[i] for i in reading_order([_box(p.region) for p in parts], [p.adds for p in parts])]


def _box(region: Region) -> Box:
    across, down = region.reach
    return region.x - across, region.y - down, region.x + across, region.y + down


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _shape(region: Region) -> Node:
    number = [NUMBERS[value] for value in (region.x, region.y)]
    if region.is_disc:
        return Node("circle", (NUMBERS[region.width // 2], *number))
    size = [NUMBERS[value] for value in (region.width, region.height)]
    return Node("quad", (*number, *size, Node("turn_45" if region.slanted else "turn_0")))


def _expression(twig: Twig, random: Random) -> Node:
    if twig:
        return Node(random.choice(("add", "subtract")), tuple(_expression(side, random) for side in twig))
    if random.random() < 0.5:
        return Node("circle", tuple(random.choices(NUMBERS, k=3)))
    return Node("quad", (*random.choices(NUMBERS, k=4), random.choice(ANGLES)))

"""Solving a problem of tinysvg: the leaves are read from the picture, and a tree is found that puts them in place.

A judge with a picture in; programs tried, the most promising first. No program is drawn here but by the judge.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from treesketch.solving.judge import Judge, Spent
from treesketch.solving.tinysvg.arranging import arrange
from treesketch.solving.tinysvg.leaves import Leaf, stencil_of
from treesketch.solving.tinysvg.peeling import Reading, read
from treesketch.solving.tinysvg.sheet import PAD, lay_out, peel
from treesketch.solving.tinysvg.variants import variants
from treesketch.tree import Node

FEW_UNREAD = 100  # pixels that are not white and that a program to try may leave out


def solve(judge: Judge, rng: np.random.Generator, begin: Iterable[Node] = ()) -> None:
    """Try programs until one is exact, until nothing helps, or until the judge's renders are spent.

    begin are programs to try first, for example another solver's.
    """
    try:
        for program in begin:
            judge.try_program(program)
        _solve(judge)
    except Spent:
        return


def _solve(judge: Judge) -> None:
    """Try whole readings as they come; where there is none that is exact, the one that leaves the least."""
    picture, rest = np.asarray(judge.target, np.uint8), None
    for reading in read(picture, judge):
        if reading.unread > FEW_UNREAD:
            rest = min(rest or reading, reading, key=lambda one: one.unread)
        elif _try_reading(picture, reading, judge):
            return
    if rest and judge.solved_at is None:
        _try_reading(picture, rest, judge)


def _try_reading(picture: np.ndarray, reading: Reading, judge: Judge) -> bool:
    """Whether a reading's program is exact."""
    program = to_program(picture, reading.leaves, judge)
    return program is not None and judge.try_program(program).exact


def to_program(picture: np.ndarray, leaves: Sequence[Leaf], judge: Judge) -> Node | None:
    """The program of leaves that were read from a picture, the topmost first; None without leaves.

    The judge is told of each leaf that is laid over the picture.
    """
    if not leaves:
        return None
    sheet, choices = lay_out(picture), []
    for leaf in leaves:
        choices.append(variants(sheet, leaf, judge))
        judge.look()
        sheet = peel(sheet, leaf)
    covered = [_covered(leaf) for leaf in leaves]
    count = len(leaves)
    above = [{j for j in range(i) if (covered[i] & covered[j]).any()} for i in range(count)]
    element = arrange(choices, above)
    return None if element is None else Node("program", (element,))


def _covered(leaf: Leaf) -> np.ndarray:
    """The pixels that a leaf covers, on a canvas with PAD pixels around it."""
    left, top, disc, ring = stencil_of(leaf)
    canvas = np.zeros((224 + 2 * PAD, 224 + 2 * PAD), np.bool_)
    left, top = left + leaf.x // 2 + PAD, top + leaf.y // 2 + PAD
    patch = np.zeros(disc.shape, np.bool_)
    if leaf.fill is not None:
        patch |= disc > 0
    if leaf.stroke is not None:
        patch |= ring > 0
    canvas[top : top + disc.shape[0], left : left + disc.shape[1]] = patch
    return canvas

"""The problem sets that solvers are measured on: a language, a set and a number in; the program to be found out.

*plain* problems are Tree Diffusion's own (`sampling.problems`). *hard* ones are those of them with at least
FEWEST_PARTS parts that matter, of which no one or two alone come near the picture. A part is a circle, quad, rectangle
or ellipse; it matters when the picture without it, all else unmoved, differs in more than a share of its pixels.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from treesketch.dialects import csg2d, tinysvg
from treesketch.dialects.solved import csg2d_likeness
from treesketch.raster import rasterise
from treesketch.sampling.problems import sample_problem
from treesketch.solving.judge import Picture
from treesketch.tree import Node

SEEDS = {"plain": 20_241, "hard": 20_242}  # of the sets; nothing is tuned on these problems
SIZE = 256  # problems of a set, unless another number is asked for
FEWEST_PARTS = 5
SHARES = {"csg2d": 0.01, "tinysvg": 0.005}  # of pixels; tinysvg leaves more of its canvas empty
NEAR_LIKENESS = 0.9  # of csg2d; solved is .98
NEAR_ERROR = 0.005  # mean squared error of tinysvg; solved is below .000277

Parts = Sequence[Any]  # from the back to the front


class _Parts(NamedTuple):
    """What a language's programs are made of, how some parts alone are drawn, and which pixels two drawings share."""

    of: Callable[[Node], Parts]
    draw: Callable[[Parts], Picture]
    is_near: Callable[[Picture, Picture], bool]


PARTS = {
    "csg2d": _Parts(
        csg2d.interpret,
        lambda parts: csg2d.mask(tuple(parts)),
        lambda drawn, target: csg2d_likeness(drawn.astype(np.float32), target.astype(np.float32)) > NEAR_LIKENESS,
    ),
    "tinysvg": _Parts(
        tinysvg.marks_of,
        lambda parts: rasterise(tinysvg.to_scene(parts)),
        lambda drawn, target: bool(np.mean((drawn / 255 - target / 255) ** 2) < NEAR_ERROR),
    ),
}


def pose(grammar: str, kind: str, number: int) -> Node:
    """The program of problem `number`, from 0, of a set of a language; the set goes on for ever.

    Raises KeyError for an unknown language or set.
    """
    rng = np.random.default_rng([SEEDS[kind], number])
    while True:
        program = sample_problem(grammar, rng)
        if kind == "plain" or is_hard(program, grammar):
            return program


def is_hard(program: Node, grammar: str) -> bool:
    """Whether enough parts matter, and no two of them alone are near the picture."""
    language = PARTS[grammar]
    parts = language.of(program)
    if len(parts) < FEWEST_PARTS:
        return False
    picture = language.draw(parts)
    least = SHARES[grammar] * picture.shape[0] * picture.shape[1]
    absences = (language.draw([*parts[:i], *parts[i + 1 :]]) for i in range(len(parts)))
    if sum(_difference(absence, picture) > least for absence in absences) < FEWEST_PARTS:
        return False
    few = (some for count in (1, 2) for some in combinations(parts, count))
    return not any(language.is_near(language.draw(some), picture) for some in few)


def count_parts(program: Node, grammar: str) -> int:
    """How many parts a program has, whether they are seen or not."""
    return len(PARTS[grammar].of(program))


def count_seen(program: Node, grammar: str) -> int:
    """How many parts are left when those go, one after another, without which no pixel changes."""
    language = PARTS[grammar]
    parts = list(language.of(program))
    picture, i = language.draw(parts), 0
    while i < len(parts):
        without = [*parts[:i], *parts[i + 1 :]]
        if _difference(language.draw(without), picture):
            i += 1
        else:
            parts = without
    return len(parts)


def _difference(a: Picture, b: Picture) -> int:
    """Pixels that differ."""
    return int(np.count_nonzero((a != b).reshape(*a.shape[:2], -1).any(2)))

"""The judge of one problem: programs in; their likeness to the target, renders counted, and when it was solved out.

A solver is `solve(judge, rng)`. It sees `judge.target` and tries programs; it never sees the one that made the target.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy.typing as npt

from treesketch.dialects.solved import (
    csg2d_exact,
    csg2d_likeness,
    csg2d_solved,
    tinysvg_density,
    tinysvg_exact,
    tinysvg_solved,
)
from treesketch.sampling.problems import PROBLEMS
from treesketch.tree import Node, count

Picture = npt.NDArray[Any]  # csg2d: (128, 128) float32, coverage 0..1; tinysvg: (224, 224, 3) uint8


class Criterion(NamedTuple):
    """How a language's drawings are compared with a target, both given in this order.

    score is larger the more alike; solved is Tree Diffusion's test, exact the strict one.
    """

    score: Callable[..., float]
    solved: Callable[..., bool]
    exact: Callable[..., bool]


CRITERIA = {
    "csg2d": Criterion(csg2d_likeness, csg2d_solved, csg2d_exact),
    "tinysvg": Criterion(tinysvg_density, tinysvg_solved, tinysvg_exact),
}


class Spent(Exception):
    """No render is left: the solver has to end. Whoever runs the solver catches it."""


class Try(NamedTuple):
    """What came of a program: its score, both tests, and its drawing, which is as large as the target."""

    score: float
    solved: bool
    exact: bool
    drawing: Picture


class Best(NamedTuple):
    """The best program so far, and the number of the render that showed it."""

    program: Node
    score: float
    exact: bool
    render: int


class Judge:
    """Draws programs beside one target and keeps count: of renders, of the best program, of when it was solved.

    Every program that is drawn counts as one render. A program that was tried before counts nothing: a solver might
    have remembered its drawing. `solved_at` and `exact_at` are the numbers, from 1, of the first renders that passed
    the test of their name, None before.

    A solver that lays a part of a program over the target by itself says so with `look`. Looks are no renders, but they
    are told beside them: `looks_before` is how many there were when a render first passed Tree Diffusion's test.
    """

    def __init__(self, grammar: str, target: Picture, budget: int):
        self.grammar, self.target, self.budget = grammar, target, budget
        self.renders = self.looks = 0
        self.looks_before: int | None = None
        self.best: Best | None = None
        self.solved_at: int | None = None
        self.exact_at: int | None = None
        self._criterion, self._draw = CRITERIA[grammar], PROBLEMS[grammar].draw
        self._seen = set[Node]()

    @property
    def left(self) -> int:
        """Renders that are left."""
        return self.budget - self.renders

    def look(self) -> None:
        """Count that a part of a program was laid over the target without the judge."""
        self.looks += 1

    def try_program(self, program: Node) -> Try:
        """Draw a whole program and compare it with the target.

        Raises Spent when a render is needed and none is left, RunError when the program exceeds its language's limits.
        """
        known = program in self._seen
        if not known:
            if self.left <= 0:
                raise Spent
            self.renders += 1
            self._seen.add(program)
        drawing = self._draw(program)
        pair, test = (drawing, self.target), self._criterion
        result = Try(test.score(*pair), test.solved(*pair), test.exact(*pair), drawing)
        if not known:
            self._remember(program, result)
        return result

    def _remember(self, program: Node, result: Try) -> None:
        if result.solved and self.solved_at is None:
            self.solved_at, self.looks_before = self.renders, self.looks
        if result.exact and self.exact_at is None:
            self.exact_at = self.renders
        new = Best(program, result.score, result.exact, self.renders)
        if self.best is None or _rank(new) > _rank(self.best):
            self.best = new


def _rank(best: Best) -> tuple[bool, float, int]:
    """An exact program first, then the one with the better score to a thousandth, then the shorter one."""
    return best.exact, round(best.score, 3), -count(best.program)

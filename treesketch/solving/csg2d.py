"""The solver of csg2d: a judge with a picture in; programs that draw it tried. The picture says what it is made of.

First the parts are read from the picture (`peel`), and the program that they make is tried. Where it is not exact,
parts are put in, replaced and taken out where that mends the most pixels, and the picture is read again with some
chance. An exact program is shortened: parts are dropped, or one takes the place of two.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np

from treesketch.dialects.csg2d import Part, Region, Solid, interpret
from treesketch.sampling.csg2d import ANGLES, NUMBERS
from treesketch.solving.judge import Judge, Spent, Try
from treesketch.solving.peel import HALF, Mask, explain, whole
from treesketch.solving.shapes import all_shapes, samples_of
from treesketch.tree import Node

READINGS = 16  # of the picture, the first without chance
SLACK = 16  # samples of a pixel, of 64, that another renderer's picture may differ by
PARTS_A_READING = 2  # an exact program is accepted after a reading for each so many parts
LONGER = 3  # a later reading may have so many more parts than the best program, or it is not shortened
LOSS = 0.0005  # of likeness in all that is given up for a shorter program
PAIRS = 12  # of parts that one part may replace: those whose loss changes the fewest pixels
MENDS = 3  # tried of those that promise most, before mending ends
STRAIGHT, SLANTED = ANGLES[:2]


def solve(judge: Judge, rng: np.random.Generator, begin: Iterable[Node] = ()) -> None:
    """Try programs until one is exact and short, until nothing helps, or until the judge's renders are spent.

    begin are programs to try first, for example another solver's; the best of them is mended and shortened too.
    """
    solver = _Solver(judge, rng)
    try:
        for program in begin:
            judge.try_program(program)
        solver.run()
    except Spent:
        return


def to_program(solid: Solid) -> Node:
    """The program of parts, from the back to the front, without what is cut from nothing.

    Where nothing is left it is a circle of radius 0, which draws nothing.
    """
    begun = next((i for i, part in enumerate(solid) if part.adds), None)
    if begun is None:
        return Node("program", (_leaf(Region(True, 0, 0, 0, 0)),))
    expression = _leaf(solid[begun].region)
    for part in solid[begun + 1 :]:
        expression = Node("add" if part.adds else "subtract", (expression, _leaf(part.region)))
    return Node("program", (expression,))


def _leaf(region: Region) -> Node:
    if region.is_disc:
        return Node("circle", tuple(NUMBERS[n] for n in (region.width // 2, region.x, region.y)))
    numbers = (NUMBERS[n] for n in (region.x, region.y, region.width, region.height))
    return Node("quad", (*numbers, SLANTED if region.slanted else STRAIGHT))


class _Solver:
    """Knows the judge, and what is inside in its picture."""

    def __init__(self, judge: Judge, rng: np.random.Generator):
        self.judge, self.rng = judge, rng
        self.inside: Mask = judge.target > 0.5

    def run(self) -> None:
        """Read the picture, mend and shorten what was read; read it again if it is not exact, and if it is long."""
        if self.judge.best:
            self.improve(interpret(self.judge.best.program))
        first = self.read()
        if not self.try_solid(first).exact:
            first = max(first, self.read(SLACK), key=self.score)
        self.improve(first)
        for reading in range(1, READINGS):
            best = interpret(self.judge.best.program) if self.judge.best and self.judge.best.exact else None
            if best and reading >= len(best) / PARTS_A_READING:
                return
            solid = self.read(int(self.rng.choice((0, SLACK))), self.rng)
            if not (best and len(solid) > len(best) + LONGER):
                self.improve(solid)

    def read(self, slack: int = 0, rng: np.random.Generator | None = None) -> Solid:
        """What the picture is made of, from the back to the front."""
        return explain(whole(self.judge.target), self.judge, slack, rng).parts[::-1]

    def improve(self, solid: Solid) -> None:
        """Mend a solid, and shorten it when it is exact."""
        solid = self.mend(solid)
        if self.try_solid(solid).exact:
            self.shorten(solid)

    def mend(self, solid: Solid) -> Solid:
        """Put parts in, or in the place of others, as long as the likeness grows and it is not exact."""
        better: Solid | None = solid
        while better is not None:
            solid, found = better, self.try_solid(better)
            promising = () if found.exact else self.mended(solid)
            better = next((one for one in promising if self.score(one) > found.score), None)
        return solid

    def shorten(self, solid: Solid) -> None:
        """Drop parts, or put one in the place of two, as long as it gets hardly worse."""
        score = self.score(solid) - LOSS
        shorter: Solid | None = solid
        while shorter is not None:
            shorter = next((one for one in self.shorter(shorter) if self.score(one) >= score), None)

    def try_solid(self, solid: Solid) -> Try:
        return self.judge.try_program(to_program(solid))

    def score(self, solid: Solid) -> float:
        return self.try_solid(solid).score

    def drawn(self, solid: Solid) -> Mask:
        """The pixels that are inside in a drawing, which costs a render."""
        inside: Mask = self.try_solid(solid).drawing > 0.5
        return inside

    def wrong(self, solid: Solid) -> int:
        """How many pixels of a drawing are not as they should be."""
        return int(np.count_nonzero(self.drawn(solid) != self.inside))

    def mended(self, solid: Solid) -> Iterator[Solid]:
        """The solids with one more part, or another one in its place, that mend the most pixels."""
        promising = []
        for i in range(len(solid) + 1):
            for gain, part in self.best_parts(self.drawn(solid), solid[i:], 1):
                promising.append((gain, (*solid[:i], part, *solid[i:])))
        for i in range(len(solid)):
            without = solid[:i] + solid[i + 1 :]
            loss = self.wrong(without) - self.wrong(solid)
            promising.append((-loss, without))
            for gain, part in self.best_parts(self.drawn(without), solid[i + 1 :], loss + 1):
                promising.append((gain - loss, (*solid[:i], part, *solid[i + 1 :])))
        promising.sort(key=lambda pair: -pair[0])
        yield from (one for _, one in promising[:MENDS])

    def shorter(self, solid: Solid) -> Iterator[Solid]:
        """Solids with a part less that might draw the same."""
        for i in range(len(solid)):
            yield solid[:i] + solid[i + 1 :]
        missing = []
        for i, k in combinations(range(len(solid)), 2):
            without = solid[:i] + solid[i + 1 : k] + solid[k + 1 :]
            missing.append((self.wrong(without), i, k - 1, without))
        for wrong, i, k, without in sorted(missing)[:PAIRS]:
            for place in (i, k):
                for _, part in self.best_parts(self.drawn(without), without[place:], wrong - self.wrong(solid)):
                    yield (*without[:place], part, *without[place:])

    def best_parts(self, drawn: Mask, front: Sequence[Part], least: int) -> list[tuple[int, Part]]:
        """The part that adds and the one that cuts which mend the most pixels behind others, where it is `least`."""
        hidden = np.zeros(drawn.shape, np.uint64)
        for part in front:
            self.judge.look()
            hidden |= samples_of(part.region)
        seen = np.bitwise_count(hidden) <= HALF
        found = []
        for adds in (True, False):
            mends = seen & (drawn != self.inside) & (self.inside == adds)
            breaks = seen & (drawn == self.inside) & (self.inside != adds)
            if np.count_nonzero(mends) < max(least, 1):
                continue
            sums = all_shapes().sums(*2 * [mends.astype(np.int64) - breaks])
            i = int(sums.argmax())
            if sums[i] >= least:
                found.append((int(sums[i]), Part(adds, all_shapes().region(i))))
        return found

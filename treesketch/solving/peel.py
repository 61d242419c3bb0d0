"""What a csg2d picture is made of, read from its front: a coverage in, parts that explain it out.

The last part that holds a point decides there, so the last part is seen whole: all that it covers is inside, or all
outside. Such a part is peeled off, what it hid counts for nothing from then on, and the next one is read from the rest.
Any part that fits may come first, for it never makes another one unfit (Rivest, *Learning Decision Lists*, 1987): apart
from pixels that several edges share there are only longer and shorter ways. Parts come first that explain most of what
is seen of the borders between inside and outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treesketch.dialects.csg2d import SAMPLES, SIDE, Bits, Part
from treesketch.solving.judge import Judge
from treesketch.solving.shapes import Indices, Sums, Weights, all_shapes, covers, samples_of

ALL = SAMPLES * SAMPLES  # samples of a pixel
HALF = ALL // 2
MOST_PARTS = 24
CHOICES = 12  # parts that are weighed against each other
TRIED = 2  # of them, those that are peeled to see what is left
NEARLY = 2  # shapes that are worth more than any that fits, but for a few pixels: a part in front is sought for those
BLOCKERS = 2  # such parts for each
AREA = 0.01  # what a pixel is worth beside one at a border; one that is inside half as much again
WRONG = 2  # what a pixel costs that keeps a shape from fitting
REMAINING = 0.02  # what a pixel inside costs that is left, beside one at a border
NOISE = 0.3  # deviation of the logarithm of what a choice is worth, when chance is asked

_FIELD = 15  # bits that count pixels in a packed weight
_MASK = (1 << _FIELD) - 1
_MARKS = np.random.default_rng(0).integers(0, 16, (SIDE, SIDE)) << 3 * _FIELD  # tell sets of pixels from each other

Mask = npt.NDArray[np.bool_]  # (SIDE, SIDE)
Counts = npt.NDArray[np.int16]  # (SIDE, SIDE), samples of a pixel


@dataclass(frozen=True, eq=False)
class Rest:
    """What is left to explain: `inside` are the samples of each pixel that are, `unexplained` those not yet added.

    hidden has the samples that the parts cover, which go from the front to the back.
    """

    inside: Counts
    unexplained: Counts
    hidden: Bits
    parts: tuple[Part, ...] = ()

    def peel(self, part: Part) -> "Rest":
        """The rest behind one more part."""
        new = np.bitwise_count(samples_of(part.region) & ~self.hidden).astype(np.int16)
        unexplained = self.unexplained - new if part.adds else self.unexplained
        return Rest(self.inside, unexplained, self.hidden | samples_of(part.region), (*self.parts, part))

    @property
    def wrong(self) -> int:
        """Pixels that the parts alone draw wrongly."""
        return int(np.count_nonzero((self.inside - self.unexplained > HALF) != (self.inside > HALF)))


class _Clues:
    """What a rest says of the parts that may come next."""

    def __init__(self, rest: Rest, slack: int):
        seen = ALL - np.bitwise_count(rest.hidden).astype(np.int16)  # samples that no part hides yet
        inside = np.clip(rest.unexplained, 0, seen)
        least = seen - HALF + 1  # samples that are seen at least of a part that covers more than half of the pixel
        self.bars_adding, self.bars_cutting = inside + slack < least, seen - inside + slack < least
        self.bars_adding_whole, self.bars_cutting_whole = inside + slack < seen, inside > slack
        free, filled = seen >= HALF, 2 * inside > seen
        self.borders = _borders(filled, free)
        self.cost = np.count_nonzero(self.borders) + REMAINING * np.count_nonzero(free & filled)

    def bars(self, adds: bool, whole: bool) -> Mask:
        """Pixels that a part must not cover; whole: of parts that cover pixels wholly or not at all."""
        if adds:
            return self.bars_adding_whole if whole else self.bars_adding
        return self.bars_cutting_whole if whole else self.bars_cutting


def whole(coverage: npt.NDArray[np.floating]) -> Rest:
    """A whole picture, from how much of each pixel is covered."""
    inside = np.round(coverage * ALL).astype(np.int16)
    return Rest(inside, inside, np.zeros(inside.shape, np.uint64))


def explain(rest: Rest, judge: Judge, slack: int = 0, rng: np.random.Generator | None = None) -> Rest:
    """Peel until nothing is left or nothing fits; with a source of chance, some parts come in another order.

    slack is by how many samples of a pixel, of 64, the picture may differ from our renderer's where a part still fits.
    The judge is told of each look, and of nothing else.
    """
    clues = _Clues(rest, slack)
    while rest.wrong and len(rest.parts) < MOST_PARTS:
        choices = sorted(_choices(clues, rng), key=lambda choice: -choice[0])[:TRIED]
        if not choices:
            break
        followers = []
        for _, parts in choices:
            follower = rest
            for part in parts:
                judge.look()
                follower = follower.peel(part)
            followers.append((follower, _Clues(follower, slack)))
        rest, clues = min(followers, key=lambda pair: pair[1].cost)
    return rest


def _choices(clues: _Clues, rng: np.random.Generator | None) -> Iterator[tuple[float, tuple[Part, ...]]]:
    """Parts that may come next with their worth; also two, of which the first makes way for the second."""
    shapes = all_shapes()
    packed = shapes.sums(_pack(clues, whole=True), _pack(clues, whole=False))
    for_adding, for_cutting, borders = (packed >> shift & _MASK for shift in (0, _FIELD, 2 * _FIELD))
    fits = (for_adding == 0) != (for_cutting == 0)
    adds = for_cutting > for_adding
    area = AREA * (for_adding + for_cutting)
    worth = np.where(fits, borders + area + AREA / 2 * np.where(adds, for_cutting, 0), 0)

    def part(index: int) -> Part:
        return Part(bool(adds[index]), shapes.region(index))

    def noise() -> float:
        return 1.0 if rng is None else rng.lognormal(0, NOISE)

    for i in _best(worth, CHOICES, packed):
        yield worth[i] * noise(), (part(i),)
    nearly = np.where(fits, 0, borders - WRONG * np.minimum(for_adding, for_cutting) + area) - worth.max()
    for i in _best(nearly, NEARLY, packed):
        blocked = part(i)
        wrong = clues.bars(blocked.adds, i < shapes.straight) & covers(blocked.region)
        count = np.count_nonzero(wrong)
        held = shapes.sums(*2 * [wrong.astype(np.int64)])
        blockers = np.where(fits & (adds != blocked.adds) & (held == count), worth, 0)
        for k in _best(blockers, BLOCKERS, packed):
            yield (borders[k] + max(borders[i] - 2 * count, 0)) * noise(), (part(k), blocked)


def _pack(clues: _Clues, whole: bool) -> Weights:
    """Four weights of each pixel in one: whether it bars adding, cutting, lies at a border, and its mark."""
    adding, cutting = clues.bars(True, whole), clues.bars(False, whole)
    fields = (mask.astype(np.int64) << shift * _FIELD for shift, mask in enumerate((adding, cutting, clues.borders)))
    return sum(fields, np.where(adding | cutting, _MARKS, 0))


def _best(worth: npt.NDArray[np.floating], most: int, packed: Sums) -> list[int]:
    """The shapes that are worth most, above 0, best first; of those that cover the same pixels one."""
    first: Indices = np.argpartition(-worth, 4 * most)[: 4 * most]
    found: dict[int, int] = {}
    for i in first[np.lexsort((first, -worth[first]))]:
        if worth[i] > 0:
            found.setdefault(int(packed[i]), int(i))
    return list(found.values())[:most]


def _borders(filled: Mask, free: Mask) -> Mask:
    """Free pixels beside a free one that is filled otherwise."""
    found = np.zeros_like(filled)
    for fill, may, out in ((filled, free, found), (filled.T, free.T, found.T)):
        differ = (fill[1:] != fill[:-1]) & may[1:] & may[:-1]
        out[1:] |= differ
        out[:-1] |= differ
    return found

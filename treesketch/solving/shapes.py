"""Every shape that csg2d can say, at once: weights of pixels in; for each shape the sum of those that it covers out.

A circle, a quad along the axes or a slanted quad is one row of the tables. Shapes that cover the same pixels of the
canvas because its border cuts them are one row. Sums come from integral images (Crow, 1984): over blocks of 4 x 4
pixels, on which all quads along the axes lie, over the diagonals, and along rows for circles.
"""

from functools import lru_cache
from math import floor, sqrt

import numpy as np
import numpy.typing as npt

from treesketch.dialects import csg2d
from treesketch.dialects.csg2d import SAMPLES, SIDE, STEPS, Bits, Part, Region

UNIT = SIDE // STEPS  # pixels in a step
HALF = UNIT // 2  # pixels in half a step: the grid of the edges of quads that lie along the axes
CELLS = SIDE // HALF
DIAGONALS = 2 * SIDE + 1  # of both directions, and one for the integral
NUMBERS = range(1, STEPS)  # of sizes; a shape of size 0 covers nothing

Weights = npt.NDArray[np.int64]  # (SIDE, SIDE)
Sums = npt.NDArray[np.int64]  # (N,)
Indices = npt.NDArray[np.int64]


@lru_cache(maxsize=1)
def all_shapes() -> "Shapes":
    """The tables, made once in a fifth of a second."""
    return Shapes()


class Shapes:
    """The shapes as rows: first `straight` quads along the axes, then `slanted` ones, then circles; `count` in all.

    A pixel is covered by a shape that covers more than half of it; quads along the axes cover pixels wholly or not.
    """

    def __init__(self) -> None:
        self._straight, straight = _straight_quads()
        self._slanted, slanted = _slanted_quads()
        self._extra, self._extra_pixels = _cut_corners(slanted)
        self._starts, self._left, self._right, circles = _circles()
        self.straight, self.slanted = len(straight), len(slanted)
        self._numbers = np.concatenate([straight, slanted, circles])
        self.count = len(self._numbers)
        column, row = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
        self._turned = ((column + row + 1) * DIAGONALS + row - column + SIDE).ravel()

    def region(self, index: int) -> Region:
        """The region of a row."""
        x, y, width, height = map(int, self._numbers[index])
        is_disc = index >= self.straight + self.slanted
        return Region(is_disc, x, y, width, height, self.straight <= index and not is_disc)

    def sums(self, whole: Weights, most: Weights) -> Sums:
        """For each shape the sum of the weights of the pixels it covers: of `whole` for straight quads, else of `most`.

        The sum of all weights has to fit into 63 bits; so several small weights may be packed into one number.
        """
        cells = np.zeros((CELLS + 1, CELLS + 1), np.int64)
        cells[1:, 1:] = whole.reshape(CELLS, HALF, CELLS, HALF).sum((1, 3)).cumsum(0).cumsum(1)
        turned = np.zeros(DIAGONALS * DIAGONALS, np.int64)
        turned[self._turned] = most.ravel()
        before = np.zeros((DIAGONALS, DIAGONALS), np.int64)
        before[1:, 1:] = turned.reshape(DIAGONALS, DIAGONALS).cumsum(0).cumsum(1)[:-1, :-1]
        slanted = _boxes(before, self._slanted)
        np.subtract.at(slanted, self._extra, most.ravel()[self._extra_pixels])
        rows = np.zeros((SIDE, SIDE + 1), np.int64)
        rows[:, 1:] = most.cumsum(1)
        circles = np.add.reduceat(rows.ravel().take(self._right) - rows.ravel().take(self._left), self._starts)
        return np.concatenate([_boxes(cells, self._straight), slanted, circles])


@lru_cache(maxsize=1024)
def samples_of(region: Region) -> Bits:
    """The samples of a region on the canvas, (SIDE, SIDE), a pixel's in one number; not to be written to."""
    field = np.zeros((SIDE, SIDE), np.uint64)
    csg2d.paint(field, Part(True, region))
    field.flags.writeable = False
    return field


def covers(region: Region) -> npt.NDArray[np.bool_]:
    """The pixels that a region covers by more than half, (SIDE, SIDE)."""
    return _more_than_half(samples_of(region))


def _more_than_half(samples: Bits) -> npt.NDArray[np.bool_]:
    covered: npt.NDArray[np.bool_] = np.bitwise_count(samples) > SAMPLES * SAMPLES // 2
    return covered


def _boxes(integral: Weights, ends: Indices) -> Sums:
    """The sums over boxes whose ends (4, N) point into an integral image: end, two sides, start."""
    end, side, other, start = (integral.ravel().take(one) for one in ends)
    sums: Sums = end - side - other + start
    return sums


def _straight_quads() -> tuple[Indices, Indices]:
    """Corners in the integral image of cells, (4, N), and x, y, width, height, (N, 4)."""
    spans: dict[tuple[int, int], tuple[int, int]] = {}  # what the canvas leaves of a span -> center and size
    for center in range(STEPS):
        for size in NUMBERS:
            spans.setdefault((max(2 * center - size, 0), min(2 * center + size, CELLS)), (center, size))
    start, end = np.array(list(spans)).T
    center, size = np.array(list(spans.values())).T
    across, down = (grid.ravel() for grid in np.meshgrid(*2 * [np.arange(len(spans))]))
    row = CELLS + 1
    corners = (
        end[down] * row + end[across],
        start[down] * row + end[across],
        end[down] * row + start[across],
        start[down] * row + start[across],
    )
    return np.stack(corners), np.stack((center[across], center[down], size[across], size[down]), axis=1)


def _slanted_quads() -> tuple[Indices, Indices]:
    """Corners in the integral image of diagonals, (4, N), and x, y, width, height, (N, 4).

    A pixel's center lies on the diagonals x + y and y - x, in pixels; a quad spans some of both.
    """
    axes = np.meshgrid(np.arange(STEPS), np.arange(STEPS), NUMBERS, NUMBERS, indexing="ij")
    x, y, width, height = (axis.ravel() for axis in axes)
    spans = []
    for middle, size, shift in ((x + y, width, 0), (y - x, height, SIDE)):
        reach = size * UNIT / sqrt(2)
        first, last = np.ceil(middle * UNIT - reach), np.floor(middle * UNIT + reach) + 1
        spans += [np.clip(edge.astype(np.int64) + shift, 0, DIAGONALS - 1) for edge in (first, last)]
    _, kept = np.unique(np.ravel_multi_index(tuple(spans), (DIAGONALS,) * 4), return_index=True)
    left, right, top, bottom = (edge[kept] * (DIAGONALS if i < 2 else 1) for i, edge in enumerate(spans))
    corners = np.stack((right + bottom, left + bottom, right + top, left + top))
    return corners, np.stack((x, y, width, height), axis=1)[kept]


def _cut_corners(slanted: Indices) -> tuple[Indices, Indices]:
    """Pixels at the corners of slanted quads whose centers are inside but which are not covered by half.

    Rows among the slanted quads, and pixels counted along the rows of the canvas; one of each for every such pixel.
    """
    rows, pixels = [], []
    for width in NUMBERS:
        for height in NUMBERS:
            same = np.flatnonzero((slanted[:, 2] == width) & (slanted[:, 3] == height))
            for across, down in _cut_pixels(Region(False, 0, 0, width, height, True)):
                x, y = slanted[same, 0] * UNIT + across, slanted[same, 1] * UNIT + down
                seen = (x >= 0) & (x < SIDE) & (y >= 0) & (y < SIDE)
                rows.append(same[seen])
                pixels.append((y * SIDE + x)[seen])
    return np.concatenate(rows), np.concatenate(pixels)


def _cut_pixels(quad: Region) -> set[tuple[int, int]]:
    """The same for one slanted quad: columns and rows of pixels from its center."""
    found = set()
    for corner in csg2d.corners(quad):
        left, top = (floor(place * UNIT) - 1 for place in corner)
        x, y = (csg2d.sample_places(start, start + 3, SAMPLES) / UNIT for start in (left, top))
        covered = csg2d.holds(quad, x, y).reshape(3, SAMPLES, 3, SAMPLES).sum((1, 3)) > SAMPLES * SAMPLES // 2
        centers = (np.arange(start, start + 3) / UNIT + 0.5 / UNIT for start in (left, top))
        found |= {(left + int(x), top + int(y)) for y, x in np.argwhere(csg2d.holds(quad, *centers) & ~covered)}
    return found


def _circles() -> tuple[Indices, Indices, Indices, Indices]:
    """Where each circle's rows begin, (N,); where all rows do and end in the integral of rows; x, y, width, height."""
    starts, lefts, rights, numbers, begun = [], [], [], [], 0
    for radius in NUMBERS:
        reach = radius * UNIT
        halves = _more_than_half(csg2d.stencil(Region(True, 0, 0, 2 * radius, 2 * radius))).sum(1) // 2  # of each row
        for y in range(STEPS):
            line = np.arange(y * UNIT - reach, y * UNIT + reach)
            seen = (line >= 0) & (line < SIDE) & (halves > 0)
            for x in range(STEPS):
                left, right = (np.clip(x * UNIT + side * halves[seen], 0, SIDE) for side in (-1, 1))
                lefts.append(line[seen] * (SIDE + 1) + left)
                rights.append(line[seen] * (SIDE + 1) + right)
                starts.append(begun)
                numbers.append((x, y, 2 * radius, 2 * radius))
                begun += len(left)
    return np.array(starts), np.concatenate(lefts), np.concatenate(rights), np.array(numbers)

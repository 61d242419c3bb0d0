"""What a tinysvg picture is made of: a leaf's place, size and paint in; how it covers pixels, or its program, out.

Places are in half pixels, because centring can halve what is odd; sizes are the language's digits.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch.dialects.evaluator import DIGITS
from treesketch.dialects.tinysvg import COLORS, HAIRLINE, PEN, STEP, Mark, paint
from treesketch.raster import coverage
from treesketch.tree import Node

NAMES = [name for name, color in COLORS.items() if color]
PALETTE = np.array([color[:3] for color in COLORS.values() if color], np.float32)  # (8, 3), 0..255
COUNT = len(NAMES)
WHITE = NAMES.index("white")
SIZE = round(2 * STEP)  # half pixels of a digit
ONE_SIDED = 1  # the pen of a rectangle that rounds to a stroke or to nothing, each way for itself

MARGIN = 4  # pixels around a leaf that its stroke may cover
KEPT_STENCILS = 4096
BLACK = (0, 0, 0, 255)
EMPTY = np.zeros((0, 0), np.float32)

Coverage = npt.NDArray[np.float32]


class Leaf(NamedTuple):
    """A rectangle or an ellipse on the canvas: its corner in half pixels, digits, and colours as indices or None."""

    is_ellipse: bool
    x: int
    y: int
    width: int
    height: int
    fill: int | None
    stroke: int | None
    pen: int


class Stencil(NamedTuple):
    """How much of each pixel a leaf covers, 0..1, from (left, top), in pixels from the leaf's own whole pixel."""

    left: int
    top: int
    disc: Coverage  # (h, w), the inside
    ring: Coverage  # (h, w), the stroke


def weight_of(pen: int) -> float:
    """The width of a stroke in pixels."""
    return PEN * pen or HAIRLINE


def stencil_of(leaf: Leaf) -> Stencil:
    """The stencil of a leaf with a fill and a stroke, whatever it has."""
    return stencil(leaf.is_ellipse, leaf.width, leaf.height, leaf.pen, leaf.x % 2, leaf.y % 2)


@lru_cache(maxsize=KEPT_STENCILS)
def stencil(is_ellipse: bool, width: int, height: int, pen: int, x: int, y: int) -> Stencil:
    """The stencil of a leaf whose corner is x and y half pixels (0 or 1) right of and below a whole pixel."""
    disc, ring = _disc(is_ellipse, width, height, x, y), _cover(is_ellipse, width, height, pen, x, y)
    rows, columns = (np.flatnonzero(((disc > 0) | (ring > 0)).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return Stencil(0, 0, EMPTY, EMPTY)
    top, left = int(rows[0]), int(columns[0])
    disc, ring = (part[top : rows[-1] + 1, left : columns[-1] + 1] for part in (disc, ring))
    return Stencil(left - MARGIN, top - MARGIN, disc, ring)


@lru_cache(maxsize=1024)
def _disc(is_ellipse: bool, width: int, height: int, x: int, y: int) -> Coverage:
    return _cover(is_ellipse, width, height, None, x, y)


def _cover(is_ellipse: bool, width: int, height: int, pen: int | None, x: int, y: int) -> Coverage:
    """What a leaf's stroke covers, or its inside without a pen, with MARGIN pixels around its box."""
    size = round(STEP * height) + 2 * MARGIN, round(STEP * width) + 2 * MARGIN
    corner = MARGIN + x / 2, MARGIN + y / 2
    paints = (BLACK, None) if pen is None else (None, BLACK)
    mark = Mark(is_ellipse, corner[0], corner[1], STEP * width, STEP * height, paints[0], paints[1], PEN * (pen or 0))
    for shape in paint(mark):
        return coverage(shape, size, size)
    return np.zeros(size, np.float32)


def leaf_node(leaf: Leaf) -> Node:
    """The leaf's form, wherever it is."""
    digits = [Node(DIGITS[digit]) for digit in (leaf.width, leaf.height, leaf.pen)]
    paints = [Node("none" if color is None else NAMES[color]) for color in (leaf.fill, leaf.stroke)]
    return Node("ellipse" if leaf.is_ellipse else "rectangle", (*digits[:2], *paints, digits[2]))

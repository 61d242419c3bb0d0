"""The evaluator of csg2d: a tree in; a solid, its exact coverage of pixels, a picture or a scene out.

The language is Tree Diffusion's csg2da (Kapur, Jenner and Russell, 2025): circles and turned rectangles on a canvas of
16 x 16 steps, which is 128 pixels a side unless another size is asked for. Nested operations become one list, left to
right, as they do there: (- a (- b c)) cuts b from a, then c. So what counts at a point is the last part that holds it.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch.canvas import Canvas
from treesketch.dialects.evaluator import DIGITS, Evaluator
from treesketch.errors import RunError
from treesketch.interpreter import check_binding
from treesketch.language import load_language
from treesketch.scene import Point, Scene
from treesketch.tree import Node

STEPS = 16  # steps along a side of the canvas
SIDE = 128  # pixels along it, unless another size is asked for
LARGEST_SIDE = 8192  # pixels
SAMPLES = 8  # along one side of a pixel, for pictures of up to 1024 pixels a side; fewer for larger ones
BAND = 1 << 22  # samples held at a time, which bounds the memory of large pictures
DIAGONAL = math.sqrt(0.5)

Coverage = npt.NDArray[np.float32]  # (H, W), 0..1
Bits = npt.NDArray[np.uint64]  # (H, W), one bit a sample
Inside = npt.NDArray[np.bool_]


class Region(NamedTuple):
    """A disc or a rectangle around (x, y), in steps; a slanted rectangle is turned by 45 degrees clockwise."""

    is_disc: bool
    x: int
    y: int
    width: int
    height: int
    slanted: bool = False

    @property
    def reach(self) -> tuple[float, float]:
        """How far it goes from its centre, across and down; nothing where it has no area."""
        if not self.width or not self.height:
            return 0.0, 0.0
        if self.slanted:
            return ((self.width + self.height) / 2 * DIAGONAL,) * 2
        return self.width / 2, self.height / 2


class Part(NamedTuple):
    """A region that is added to what is there, or cut from it."""

    adds: bool
    region: Region


Solid = tuple[Part, ...]


class Csg2d(Evaluator):
    """Evaluates programs and expressions of csg2d: an expression is a solid, a number or an angle an int."""

    def __init__(self) -> None:
        super().__init__()

    def run(self, node: Node) -> Solid:
        """The solid of a program or an expression."""
        solid: Solid = self._evaluate(node)
        return solid

    def program(self, node: Node) -> Solid:
        return self.run(node.children[0])

    def circle(self, node: Node) -> Solid:
        self._count_shape(node)
        radius, x, y = self._all(node)
        return (Part(True, Region(True, x, y, 2 * radius, 2 * radius)),)

    def quad(self, node: Node) -> Solid:
        self._count_shape(node)
        x, y, width, height, angle = self._all(node)
        if angle % 180 >= 90:  # a quarter of a turn changes the sides for each other
            width, height = height, width
        return (Part(True, Region(False, x, y, width, height, angle % 90 == 45)),)

    def add(self, node: Node) -> Solid:
        left, right = self._all(node)
        return (*left, *right)

    def subtract(self, node: Node) -> Solid:
        left, right = self._all(node)
        return (*left, right[0]._replace(adds=False), *right[1:])

    def zero(self, node: Node) -> int:
        return DIGITS.index(node.production)

    one = two = three = four = five = six = seven = zero
    eight = nine = ten = eleven = twelve = thirteen = fourteen = fifteen = zero

    def turn_0(self, node: Node) -> int:
        return int(node.production.removeprefix("turn_"))

    turn_45 = turn_90 = turn_135 = turn_180 = turn_225 = turn_270 = turn_315 = turn_0


LANGUAGE = load_language("csg2d")
check_binding(LANGUAGE, Csg2d)


def interpret(tree: Node) -> Solid:
    """Evaluate a whole program. Raises RunError when it has more than MOST_SHAPES shapes."""
    return Csg2d().run(tree)


def cover(solid: Solid, side: int = SIDE) -> Coverage:
    """How much of each pixel the solid covers, (side, side) float32 0..1, by 64 samples a pixel.

    Shapes are combined sample by sample, so edges that coincide leave nothing behind. A picture of more than 1024
    pixels a side has fewer samples. Raises RunError if the side is not 1..8192 pixels.
    """
    if not 1 <= side <= LARGEST_SIDE:
        raise RunError(f"a picture's sides are 1 to {LARGEST_SIDE} pixels, got {side}")
    return _cover_with_stencils(solid) if side == SIDE else _cover_in_bands(solid, side)


def mask(solid: Solid, side: int = SIDE) -> Inside:
    """The pixels that are covered by more than half, (side, side) bool."""
    return cover(solid, side) > 0.5


def picture(solid: Solid, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """The solid in black on white, (side, side, 3) uint8."""
    gray = np.round(255 * (1 - cover(solid, side))).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def to_scene(solid: Solid) -> Scene:
    """The solid as shapes painted over each other on white, black where they add and white where they cut.

    The scene shows the same as `picture`, but an edge that two shapes share may shine through by a fraction of a pixel:
    a renderer blends shapes one by one.
    """
    canvas = Canvas()
    canvas.set_size(SIDE, SIDE)
    canvas.background((255,))
    canvas.no_stroke()
    last = {part.region: i for i, part in enumerate(solid)}  # hides the same region before it altogether
    for i, part in enumerate(solid):
        if last[part.region] != i or part.region.reach == (0, 0) or not (part.adds or canvas.shapes):
            continue
        canvas.fill((0,) if part.adds else (255,))
        unit = SIDE / STEPS
        _, x, y, width, height, _ = part.region
        if part.region.is_disc:
            canvas.ellipse(x * unit, y * unit, width * unit, height * unit)
        else:
            canvas.polygon([(a * unit, b * unit) for a, b in corners(part.region)])
    return canvas.scene()


def corners(region: Region) -> Iterator[Point]:
    """Those of a rectangle, in steps."""
    for across, down in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        x, y = across * region.width / 2, down * region.height / 2
        if region.slanted:
            x, y = (x - y) * DIAGONAL, (x + y) * DIAGONAL
        yield region.x + x, region.y + y


# Coverage


def holds(region: Region, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Inside:
    """Which points of a grid, in steps from the region's centre, lie inside: x (W,), y (H,) -> (H, W)."""
    x, y = x[None, :], y[:, None]
    if region.is_disc:
        held: Inside = x * x + y * y < (region.width / 2) ** 2
        return held
    if region.slanted:
        x, y = (x + y) * DIAGONAL, (y - x) * DIAGONAL
    held = (abs(x) < region.width / 2) & (abs(y) < region.height / 2)
    return held


def _cover_with_stencils(solid: Solid) -> Coverage:
    """At SIDE pixels a step is a whole number of them: a region's samples are computed once and moved into place."""
    field = np.zeros((SIDE, SIDE), np.uint64)
    for part in solid:
        paint(field, part)
    return np.bitwise_count(field).astype(np.float32) / np.float32(SAMPLES * SAMPLES)


def paint(field: Bits, part: Part) -> None:
    """Add a part to a picture of SIDE x SIDE pixels, or cut it; a bit a sample, as in `stencil`."""
    unit = SIDE // STEPS
    samples = stencil(part.region._replace(x=0, y=0))
    height, width = samples.shape
    left, top = part.region.x * unit - width // 2, part.region.y * unit - height // 2
    x, y = max(left, 0), max(top, 0)
    there = field[y : top + height, x : left + width]
    seen = samples[y - top :, x - left :][: there.shape[0], : there.shape[1]]
    if part.adds:
        there |= seen
    else:
        there &= ~seen


@lru_cache(maxsize=2048)
def stencil(region: Region) -> Bits:
    """The samples of a region around the origin at SIDE pixels, a pixel's in one number; its centre is the middle."""
    across, down = (math.ceil(reach * SIDE / STEPS) for reach in region.reach)
    x, y = (sample_places(-extent, extent, SAMPLES) * STEPS / SIDE for extent in (across, down))
    held = holds(region, x, y).reshape(2 * down, SAMPLES, 2 * across, SAMPLES)
    pixels = held.transpose(0, 2, 1, 3).reshape(2 * down, 2 * across, SAMPLES * SAMPLES)
    bits: Bits = np.packbits(pixels, axis=2).view(np.uint64).reshape(2 * down, 2 * across)
    return bits


def sample_places(start: int, end: int, fineness: int) -> npt.NDArray[np.float64]:
    """Where the samples of the pixels from `start` to `end` lie, in pixels."""
    return (np.arange(start * fineness, end * fineness) + 0.5) / fineness


def _cover_in_bands(solid: Solid, side: int) -> Coverage:
    """At any size, some rows at a time."""
    fineness = min(max(1024 * SAMPLES // side, 1), SAMPLES)
    coverage = np.empty((side, side), np.float32)
    rows = max(1, BAND // (side * fineness**2))
    x = sample_places(0, side, fineness) * STEPS / side
    for top in range(0, side, rows):
        bottom = min(top + rows, side)
        y = sample_places(top, bottom, fineness) * STEPS / side
        field = np.zeros((len(y), len(x)), np.bool_)
        for part in solid:
            across, down = part.region.reach
            left, right = np.searchsorted(x, (part.region.x - across, part.region.x + across))
            first, last = np.searchsorted(y, (part.region.y - down, part.region.y + down))
            held = holds(part.region, x[left:right] - part.region.x, y[first:last] - part.region.y)
            if part.adds:
                field[first:last, left:right] |= held
            else:
                field[first:last, left:right] &= ~held
        pixels = field.reshape(bottom - top, fineness, side, fineness)
        coverage[top:bottom] = pixels.mean(axis=(1, 3), dtype=np.float32)
    return coverage

"""Rectangles that may lie on top of what is visible: a sheet in, leaves out.

A rectangle shows as a box whose border has one colour, its stroke's or its fill's. Its corners, or its sides where
something hides the corners, are places where that colour begins or ends.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch.solving.tinysvg.leaves import COUNT, ONE_SIDED, WHITE, Leaf, stencil
from treesketch.solving.tinysvg.sheet import HIDDEN, PAD, Ints, Mask, Sheet

LONGEST = 60  # pixels of a side, with its stroke
MOST_BOXES = 100  # of a colour that are looked at


class Side(NamedTuple):
    """How a rectangle looks along one axis: offset of its corner in half pixels from its box, and its hole's ends."""

    size: int
    pen: int
    offset: int
    start: int  # of what is within the stroke, in pixels from the box
    end: int


class Sums:
    """Counts of pixels of a colour, or hidden, in boxes (left, top, right, bottom)."""

    def __init__(self, mask: Mask):
        self._sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
        np.cumsum(np.cumsum(mask, axis=0, dtype=np.int32), axis=1, out=self._sums[1:, 1:])

    def count(self, left: Any, top: Any, right: Any, bottom: Any) -> npt.NDArray[np.int32]:
        sums = self._sums
        return np.asarray(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def rectangles(sheet: Sheet) -> Iterator[Leaf]:
    """Rectangles that show two opposite corners, or one corner if the sides from there end where they are hidden."""
    hidden = sheet.labels == HIDDEN
    masks = [sheet.labels == color for color in range(COUNT)]
    sums = [Sums(mask | hidden) for mask in masks]
    nothing = Sums(hidden)
    for color, mask in enumerate(masks):
        if not mask.any():
            continue
        boxes = np.unique(np.concatenate([_by_corners(mask, hidden), _by_one_corner(mask, hidden)]), axis=0)
        seen = _border(boxes, sums[color], nothing)
        order = np.argsort(-seen, kind="stable")[: min(MOST_BOXES, np.count_nonzero(seen))]
        for box in boxes[order].tolist():
            yield from _readings(box, color, sums)
            yield from _within_strokes(box, color, sums)


def _by_corners(mask: Mask, hidden: Mask) -> Ints:
    """Boxes (n, 4) between two opposite corners of a colour."""
    same = mask | hidden
    left, right, top, bottom = _ends(mask, same)
    boxes = []
    for first, last, falls in ((left & top, right & bottom, True), (right & top, left & bottom, False)):
        y0, x0 = np.nonzero(first)
        y1, x1 = np.nonzero(last)
        i, j = np.nonzero(_near(x0, x1, falls) & _near(y0, y1, True))
        xs = (x0[i], x1[j]) if falls else (x1[j], x0[i])
        boxes.append(np.stack([xs[0], y0[i], xs[1] + 1, y1[j] + 1], axis=1))
    return np.concatenate(boxes)


def _by_one_corner(mask: Mask, hidden: Mask) -> Ints:
    """Boxes (n, 4) from one corner of a colour, whose sides end where the colour does or where they are hidden."""
    boxes = []
    height, width = mask.shape
    for down in (1, -1):
        for across in (1, -1):
            flipped, unknown = mask[::down, ::across], hidden[::down, ::across]
            same = flipped | unknown
            left, _, top, _ = _ends(flipped, same)
            for y, x in zip(*(found.tolist() for found in np.nonzero(left & top)), strict=True):
                ends_x = x + _lengths(same[y, x : x + LONGEST], unknown[y, x : x + LONGEST])
                ends_y = y + _lengths(same[y : y + LONGEST, x], unknown[y : y + LONGEST, x])
                box = np.empty((len(ends_x), len(ends_y), 4), np.intp)
                box[:, :, 0], box[:, :, 1], box[:, :, 2], box[:, :, 3] = x, y, ends_x[:, None], ends_y
                if across < 0:
                    box[:, :, [0, 2]] = width - box[:, :, [2, 0]]
                if down < 0:
                    box[:, :, [1, 3]] = height - box[:, :, [3, 1]]
                boxes.append(box.reshape(-1, 4))
    return np.concatenate(boxes) if boxes else np.zeros((0, 4), np.intp)


def _lengths(same: Mask, hidden: Mask) -> Ints:
    """How long a side may be: as long as the colour goes on, or up to a pixel that is hidden."""
    run = len(same) if same.all() else int(same.argmin())
    return np.unique(np.append(np.flatnonzero(hidden[:run]) + 1, run))


def _ends(mask: Mask, same: Mask) -> tuple[Mask, Mask, Mask, Mask]:
    """Pixels of a colour where it begins and ends across, and down."""
    left, right, top, bottom = (mask.copy() for _ in range(4))
    left[:, 1:] &= ~same[:, :-1]
    right[:, :-1] &= ~same[:, 1:]
    top[1:] &= ~same[:-1]
    bottom[:-1] &= ~same[1:]
    return left, right, top, bottom


def _near(first: Ints, last: Ints, rises: bool) -> Mask:
    distance = (last - first[:, None]) if rises else (first[:, None] - last)
    return (distance >= 0) & (distance < LONGEST)


def _border(boxes: Ints, color: Sums, hidden: Sums) -> Ints:
    """How many pixels of the borders of boxes (n, 4) are visible; 0 for those whose border is not of one colour."""
    left, top, right, bottom = boxes.T
    good, seen = np.ones(len(boxes), np.bool_), np.zeros(len(boxes), np.intp)
    for side in ((left, top, right, top + 1), (left, bottom - 1, right, bottom)):
        good &= color.count(*side) == right - left
        seen += right - left - hidden.count(*side)
    for side in ((left, top, left + 1, bottom), (right - 1, top, right, bottom)):
        good &= color.count(*side) == bottom - top
        seen += bottom - top - hidden.count(*side)
    return seen * good


def _readings(box: list[int], color: int, sums: list[Sums]) -> Iterator[Leaf]:
    """The rectangles that a box with a border of a colour may be."""
    left, top, right, bottom = box
    x, y = 2 * (left - PAD), 2 * (top - PAD)
    count = sums[color].count
    if (right - left) % 6 == (bottom - top) % 6 == 0 and max(right - left, bottom - top) <= 54:
        if count(left, top, right, bottom) == (right - left) * (bottom - top):
            yield Leaf(False, x, y, (right - left) // 6, (bottom - top) // 6, color, None, 0)
    for across in sides(right - left):
        for down in sides(bottom - top):
            if across.pen != down.pen:
                continue
            hole = (left + across.start, top + down.start, left + across.end, top + down.end)
            area = (hole[2] - hole[0]) * (hole[3] - hole[1])
            frame = (right - left) * (bottom - top) - area
            if count(left, top, right, bottom) - (count(*hole) if area else 0) != frame:
                continue
            fill = None
            if area:
                fills = [i for i in range(COUNT) if sums[i].count(*hole) == area]
                fill = color if len(fills) == COUNT else fills[0] if fills else None
            yield Leaf(False, x + across.offset, y + down.offset, across.size, down.size, fill, color, across.pen)


def _within_strokes(box: list[int], color: int, sums: list[Sums]) -> Iterator[Leaf]:
    """The rectangles that a box of a colour may be the visible inside of.

    Their stroke is white, or so thin that it is one way only, so that the box has no border around it.
    """
    left, top, right, bottom = box
    if sums[color].count(left, top, right, bottom) != (right - left) * (bottom - top):
        return
    for across in holes(right - left):
        for down in holes(bottom - top):
            if across.pen == down.pen:
                x, y = 2 * (left - across.start - PAD) + across.offset, 2 * (top - down.start - PAD) + down.offset
                for stroke in range(COUNT) if across.pen == ONE_SIDED else (WHITE,):
                    if stroke != color:
                        yield Leaf(False, x, y, across.size, down.size, color, stroke, across.pen)


@lru_cache(maxsize=256)
def sides(length: int) -> list[Side]:
    """What a box of so many pixels may be along one axis when it has a stroke."""
    return [side for side, outer in _all_sides() if outer == length]


@lru_cache(maxsize=256)
def holes(length: int) -> list[Side]:
    """What a box of so many pixels may be the inside of, along one axis."""
    return [side for side, _ in _all_sides() if side.end - side.start == length]


@lru_cache(maxsize=1)
def _all_sides() -> list[tuple[Side, int]]:
    """All ways in which a rectangle can look along one axis, with the pixels that it takes with its stroke."""
    found = []
    for pen in range(10):
        for size in range(10):
            for half in (0, 1):
                shape = stencil(False, size, 9, pen, half, 0)
                if not shape.ring.size:
                    continue
                hole = np.flatnonzero(shape.ring[shape.ring.shape[0] // 2] == 0)
                start, end = (int(hole[0]), int(hole[-1]) + 1) if len(hole) else (0, 0)
                found.append((Side(size, pen, half - 2 * shape.left, start, end), shape.ring.shape[1]))
    return found

"""Leaves that look the same where they are visible: a sheet and a leaf on top of it in, its like out.

A rectangle's edges are whole pixels, so it may lie half a pixel aside. What is hidden may be larger or smaller. A tree
that puts leaves where they belong may need fewer forms for one of them than for another.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product

import numpy as np

from treesketch.solving.judge import Judge
from treesketch.solving.tinysvg.leaves import SIZE, WHITE, Leaf
from treesketch.solving.tinysvg.rectangles import rectangles
from treesketch.solving.tinysvg.sheet import HIDDEN, Floats, Sheet, fit, place

MOST = 24  # variants of a leaf
ALIKE = 0.02  # share of a pixel by which coverage may differ


def variants(sheet: Sheet, leaf: Leaf, judge: Judge) -> list[Leaf]:
    """The leaf itself and others that no visible pixel tells from it, one of each place and size.

    The judge is told of each look.
    """
    window = _window(sheet, leaf)
    if window is None:
        return [leaf]
    labels = sheet.labels[window]
    true = _drawn(sheet, leaf, window)
    assert true is not None
    marked, white = (labels != HIDDEN) & (labels != WHITE), labels == WHITE

    def is_alike(other: Leaf) -> bool:
        judge.look()
        drawn = _drawn(sheet, other, window)
        if drawn is None or np.abs(drawn - true)[marked].max(initial=0) >= ALIKE:
            return False
        # white on white does not show, but what is white may hide something
        return not (drawn[white, 3] - true[white, 3] >= ALIKE).any() and fit(sheet, other) is not None

    found: dict[tuple[int, ...], Leaf] = {_box(leaf): leaf}
    for other in _hidden_ends(sheet, leaf, is_alike) if leaf.is_ellipse else _shifted(rectangles(sheet)):
        if len(found) < MOST and _box(other) not in found and is_alike(other):
            found[_box(other)] = other
    return list(found.values())


def _shifted(leaves: Iterable[Leaf]) -> Iterator[Leaf]:
    """Rectangles, and those without a stroke half a pixel aside as well: they are rounded to where they were."""
    for leaf in leaves:
        for left, up in product((0, 1), (0, 1)) if leaf.stroke is None else ((0, 0),):
            yield leaf._replace(x=leaf.x - left, y=leaf.y - up)


def _hidden_ends(sheet: Sheet, leaf: Leaf, is_alike: Callable[[Leaf], bool]) -> Iterator[Leaf]:
    """An ellipse with other sizes, where some of it is hidden."""
    spot = place(sheet, leaf)
    if spot is None or not ((sheet.labels[spot[:2]] == HIDDEN) & (spot[2] < 1)).any():
        return
    wide = [part for part in _ends(leaf.x, leaf.width) if is_alike(leaf._replace(x=part[0], width=part[1]))]
    high = [part for part in _ends(leaf.y, leaf.height) if is_alike(leaf._replace(y=part[0], height=part[1]))]
    for (x, width), (y, height) in product(wide, high):
        yield leaf._replace(x=x, y=y, width=width, height=height)


def _box(leaf: Leaf) -> tuple[int, ...]:
    return leaf.x, leaf.y, leaf.width, leaf.height


def _ends(start: int, size: int) -> Iterator[tuple[int, int]]:
    """Places and sizes along an axis of which one end is where it was, or half a pixel aside."""
    yield start, size
    for other in range(10):
        for shift in (-1, 0, 1):
            for begin in {start + shift, start + SIZE * (size - other) + shift}:
                if (begin, other) != (start, size):
                    yield begin, other


def _window(sheet: Sheet, leaf: Leaf) -> tuple[slice, slice] | None:
    """The pixels that a leaf or its variants may cover."""
    spot = place(sheet, leaf)
    if spot is None:
        return None
    rows, columns = spot[:2]
    height, width = sheet.labels.shape
    reach = SIZE * 9 // 2 + 4
    return (
        slice(max(0, rows.start - reach), min(height, rows.stop + reach)),
        slice(max(0, columns.start - reach), min(width, columns.stop + reach)),
    )


def _drawn(sheet: Sheet, leaf: Leaf, window: tuple[slice, slice]) -> Floats | None:
    """A leaf's paint and what it leaves of what is below, (h, w, 4), in a window; None if it does not lie in there."""
    spot = place(sheet, leaf)
    if spot is None:
        return None
    rows, columns, below, paint = spot
    top, left = rows.start - window[0].start, columns.start - window[1].start
    height, width = (part.stop - part.start for part in window)
    if top < 0 or left < 0 or top + below.shape[0] > height or left + below.shape[1] > width:
        return None
    drawn = np.zeros((height, width, 4), np.float32)
    drawn[:, :, 3] = 1
    inside = drawn[top : top + below.shape[0], left : left + below.shape[1]]
    inside[:, :, :3], inside[:, :, 3] = paint / 255, below
    return drawn

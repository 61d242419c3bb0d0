"""A picture as sheets of flat paint on top of each other: colours in; what may lie on top, and what is below it, out.

Reading takes the topmost leaf off, again and again. What a leaf covers wholly is unknown from then on, and may be
anything; where it covers a pixel in part, the colour below is worked out. Beyond the canvas everything is unknown too.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch.solving.tinysvg.leaves import COUNT, MARGIN, ONE_SIDED, PALETTE, SIZE, WHITE, Leaf, stencil, stencil_of

PAD = 64  # pixels around the picture; no leaf reaches farther
SLACK = 3.0  # levels by which mixing in 8 bits may be off
SOLID = 0.03  # share of what is below from which on it counts
FAINT = 0.25  # share of what is below from which on it can be worked out
OPEN = 64  # of 255, of a leaf's own colour, around it
WORST = 24.0  # levels of slack beyond which a colour is unknown
APART = 4 * (MARGIN + 1)  # half pixels between two boxes whose strokes have nothing in common
MIXED, HIDDEN = -1, -2  # labels of pixels beside the indices of colours

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]


class Fit(NamedTuple):
    """How a leaf agrees with what is visible, in pixels.

    gain: explained ones that are not white; doubtful: those that only may be right; rim: visible ones around it;
    open: those of them that have its own outer colour, so that it does not show where it ends; edge: those that are
    not white; enclosed: whether all of them have one colour but white, which may be its own stroke.
    """

    gain: float
    doubtful: int
    rim: int
    open: int
    edge: int
    enclosed: bool


class Sheet(NamedTuple):
    """What is still to be read. Arrays are (H, W) with PAD pixels around the picture.

    colors: 0..255, three channels; slack: by how many levels they may be off; labels: the index of a pure colour, MIXED
    or HIDDEN; most: (8, H, W), how much of a pixel a colour can cover as the topmost one, 0..255.
    """

    colors: Floats
    slack: Floats
    labels: Labels
    most: Bytes

    @property
    def unread(self) -> int:
        """Visible pixels that are not white."""
        return int(np.count_nonzero((self.labels != WHITE) & (self.labels != HIDDEN)))


def lay_out(picture: Bytes) -> Sheet:
    """The sheet of a whole picture, (H, W, 3)."""
    height, width = picture.shape[:2]
    size = height + 2 * PAD, width + 2 * PAD
    inside = slice(PAD, PAD + height), slice(PAD, PAD + width)
    codes = picture.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    values, where = np.unique(codes, return_inverse=True)
    found = np.stack([values & 255, values >> 8 & 255, values >> 16], axis=1).astype(np.float32)
    labels, most = _look(found, np.full(len(found), SLACK, np.float32))
    where = where.reshape(height, width)
    colors, slack = np.full((*size, 3), 255, np.float32), np.full(size, SLACK, np.float32)
    all_labels, all_most = np.full(size, HIDDEN, np.int8), np.full((COUNT, *size), 255, np.uint8)
    colors[inside], all_labels[inside] = picture, labels[where]
    all_most[:, inside[0], inside[1]] = most[:, where]
    return Sheet(colors, slack, all_labels, all_most)


def fit(sheet: Sheet, leaf: Leaf) -> Fit | None:
    """How a leaf agrees with the sheet as its topmost one; None if it does not."""
    spot = place(sheet, leaf)
    if spot is None:
        return None
    rows, columns, below, paint = spot
    labels = sheet.labels[rows, columns]
    seen = (labels != HIDDEN) & (below < 1)
    below, paint, labels = below[seen], paint[seen], labels[seen]
    rest = sheet.colors[rows, columns][seen] - paint
    slack = sheet.slack[rows, columns][seen]
    solid = below < SOLID
    if (np.abs(rest[solid]).max(axis=1, initial=0) > slack[solid] + 255 * SOLID).any():
        return None
    through = ~solid
    rest, share, slack = rest[through], below[through], slack[through]
    if (rest.min(axis=1, initial=0) < -slack).any() or (rest.max(axis=1, initial=0) > 255 * share + slack).any():
        return None
    off = np.abs(rest[:, None] - share[:, None, None] * PALETTE).max(axis=2).min(axis=1, initial=255)
    doubtful = int(np.count_nonzero(off > slack))
    wider, rim = (slice(rows.start - 1, rows.stop + 1), slice(columns.start - 1, columns.stop + 1)), _rim(leaf)
    around = sheet.labels[wider][rim]
    known = around != HIDDEN
    around = around[known]
    open_ = np.zeros(len(around), np.bool_)
    for color in _outer(leaf):
        open_ |= sheet.most[color][wider][rim][known] > OPEN
    edge = around != WHITE
    enclosed = bool(edge.all() and (around == around[:1]).all())
    gain = float((1 - below)[labels != WHITE].sum())
    return Fit(gain, doubtful, len(around), int(np.count_nonzero(open_)), int(np.count_nonzero(edge)), enclosed)


def peel(sheet: Sheet, leaf: Leaf) -> Sheet:
    """The sheet below a leaf that fits."""
    spot = place(sheet, leaf)
    assert spot is not None
    rows, columns, below, paint = spot
    touched = (below < 1) & (sheet.labels[rows, columns] != HIDDEN)
    share = np.maximum(below[touched], 1e-3)
    colors = np.clip((sheet.colors[rows, columns][touched] - paint[touched]) / share[:, None], 0, 255)
    slack = sheet.slack[rows, columns][touched] / share
    distance = np.abs(colors[:, None] - PALETTE).max(axis=2)
    nearest = distance.argmin(axis=1)
    pure = distance.min(axis=1) <= slack
    colors[pure] = PALETTE[nearest[pure]]
    lost = (share < FAINT) | (slack > WORST)
    slack[pure] = SLACK
    labels, most = _look(colors, slack)
    labels[lost], most[:, lost] = HIDDEN, 255
    result = Sheet._make(part.copy() for part in sheet)
    result.colors[rows, columns][touched] = colors
    result.slack[rows, columns][touched] = slack
    result.labels[rows, columns][touched] = labels
    for index in range(COUNT):
        result.most[index, rows, columns][touched] = most[index]
    return result


def may_meet(leaf: Leaf, other: Leaf) -> bool:
    """Whether two leaves, with the pixels around them, may have anything in common."""
    across, down = other.x - leaf.x, other.y - leaf.y
    return (
        -SIZE * other.width - APART <= across <= SIZE * leaf.width + APART
        and -SIZE * other.height - APART <= down <= SIZE * leaf.height + APART
    )


def _outer(leaf: Leaf) -> list[int]:
    """The colours that a leaf would blend with if they were around it."""
    if leaf.stroke is None or (leaf.stroke == WHITE and leaf.fill is not None):
        return [leaf.fill or 0]
    if leaf.fill is not None and not leaf.is_ellipse and leaf.pen == ONE_SIDED:
        return [leaf.stroke, leaf.fill]
    return [leaf.stroke]


def _rim(leaf: Leaf) -> Mask:
    """Pixels just outside what a leaf covers, with one more pixel around its stencil."""
    return _rim_of(*leaf[:1], *leaf[3:5], leaf.pen, leaf.x % 2, leaf.y % 2, leaf.fill is None, leaf.stroke is None)


@lru_cache(maxsize=4096)
def _rim_of(is_ellipse: bool, width: int, height: int, pen: int, x: int, y: int, hollow: bool, bare: bool) -> Mask:
    shape = stencil(is_ellipse, width, height, pen, x, y)
    covered = np.zeros(shape.disc.shape, np.bool_)
    if not hollow:
        covered |= shape.disc > 0
    if not bare:
        covered |= shape.ring > 0
    inside = np.pad(covered, 1)
    around = inside.copy()
    around[1:] |= inside[:-1]
    around[:-1] |= inside[1:]
    around[:, 1:] |= inside[:, :-1]
    around[:, :-1] |= inside[:, 1:]
    if hollow:  # what the stroke goes around does not count
        around &= ~np.pad(shape.disc >= 1, 1)
    return around & ~inside


def place(sheet: Sheet, leaf: Leaf) -> tuple[slice, slice, Floats, Floats] | None:
    """Where a leaf lies, the share of what is below it (h, w) and its own paint (h, w, 3); None beyond the sheet."""
    left, top, disc, ring = stencil_of(leaf)
    left, top = left + leaf.x // 2 + PAD, top + leaf.y // 2 + PAD
    height, width = disc.shape
    if min(left, top) < 1 or left + width >= sheet.labels.shape[1] or top + height >= sheet.labels.shape[0]:
        return None
    below = np.ones(disc.shape, np.float32)
    paint = np.zeros((*disc.shape, 3), np.float32)
    for color, covered in ((leaf.fill, disc), (leaf.stroke, ring)):
        if color is not None:
            below = below * (1 - covered)
            paint = paint * (1 - covered)[:, :, None] + covered[:, :, None] * PALETTE[color]
    return slice(top, top + height), slice(left, left + width), below, paint


def _look(colors: Floats, slack: Floats) -> tuple[Labels, Bytes]:
    """Labels (n,) of colours (n, 3), and how much of each of the palette they can hold, (8, n), 0..255."""
    distance = np.abs(colors[:, None] - PALETTE).max(axis=2)
    labels = np.where(distance.min(axis=1) <= slack, distance.argmin(axis=1), MIXED).astype(np.int8)
    span = PALETTE[:, None] - PALETTE  # (8, 8, 3): from what is below to what is on top
    length = np.maximum((span * span).sum(axis=2), 1)
    from_below = colors[:, None] - PALETTE  # (n, 8, 3)
    share = np.clip(np.einsum("nbc,tbc->ntb", from_below, span) / length, 0, 1)  # (n, top, below)
    off = np.abs(from_below[:, None] - share[:, :, :, None] * span).max(axis=3)
    fits = off <= slack[:, None, None]
    reach = share + slack[:, None, None] / np.sqrt(length)
    most = np.where(fits & (length > 1), reach, 0).max(axis=2)
    pure = labels != MIXED  # taken for unmixed: orange is also red and yellow, but rarely
    most[pure] = slack[pure][:, None] / 128
    most[pure, labels[pure]] = 1
    strange = ~fits[:, length > 1].any(axis=1)  # more than two colours in a pixel: anything that leaves a colour
    if strange.any():
        odd = colors[strange][:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            dark = np.where(PALETTE > 0, odd / PALETTE, 1).min(axis=2)
            light = np.where(PALETTE < 255, (255 - odd) / (255 - PALETTE), 1).min(axis=2)
        most[strange] = np.minimum(dark, light) + slack[strange][:, None] / 128
    return labels, np.ceil(np.clip(most, 0, 1) * 255).astype(np.uint8).T

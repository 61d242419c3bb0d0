"""Ellipses that may lie on top of what is visible: a sheet in, leaves out.

Every point of an ellipse lies near an edge between colours. So sizes and centres are voted for first (Hough, 1962);
strokes and colours are then tried out at pixels that the stroke and the inside cover.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from treesketch.solving.tinysvg.leaves import COUNT, WHITE, Leaf, stencil, weight_of
from treesketch.solving.tinysvg.sheet import HIDDEN, MIXED, PAD, Ints, Mask, Sheet

POINTS = 32  # of an outline that vote
HIT, MISS = 1, -2  # what a visible point on an edge counts, and another one
FEWEST = 6  # votes for a centre
MOST_CENTERS, MOST_OF_A_SIZE = 600, 50  # that are looked at
SAMPLES = 24  # pixels of a stroke, and of an inside, that are tried out
REACH = 30  # pixels from an edge to a centre, at most
NEARBY = 2  # half pixels from a voted centre to the true one, at most
FAINTEST = 50  # of 255, of a line's own colour, in pixels that its ends are looked for in
THICKEST = 6  # pixels of a line, with those that it covers in part
PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))  # of corners, in half pixels
TOLERANCE = 10  # of 255, of a colour's share


class Pens(NamedTuple):
    """Widths of strokes, how far outside an ellipse an edge of theirs lies, and whether they are white."""

    pens: range
    beyond: float
    white: bool


PENS = (Pens(range(5), 0.0, False), Pens(range(5, 10), 1.75, False), Pens(range(3, 10), -1.5, True))


class Probe(NamedTuple):
    """Pixels of a stencil to try out, from the leaf's own pixel: rows, columns, and the least share of 255."""

    rows: Ints
    columns: Ints
    shares: npt.NDArray[np.int16]


NOWHERE = Probe(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.int16))


def ellipses(sheet: Sheet) -> Iterator[Leaf]:
    """Ellipses of whose outline most lies on edges, as far as it is visible; none without an extent one way."""
    edges, hidden = _edges(sheet), sheet.labels == HIDDEN
    edges &= ~hidden
    rows, columns = (np.flatnonzero(edges.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return
    top, left = max(REACH, rows[0] - REACH), max(REACH, columns[0] - REACH)
    size = sheet.labels.shape
    bottom, right = min(size[0] - REACH, rows[-1] + REACH), min(size[1] - REACH, columns[-1] + REACH)
    marks = np.where(hidden, 0, np.where(edges, HIT, MISS)).astype(np.int16)
    colors = [color for color in range(COUNT) if (sheet.most[color] > 100).any()]
    found = []
    for width, height, kind in product(range(1, 10), range(1, 10), range(len(PENS))):
        votes = np.zeros((bottom - top, right - left), np.int16)
        for dx, dy in _outline(width, height, PENS[kind].beyond):
            votes += marks[top + dy : bottom + dy, left + dx : right + dx]
        y, x = np.nonzero(votes >= FEWEST)
        if len(y):
            order = np.argsort(-votes[y, x], kind="stable")[:MOST_OF_A_SIZE]
            y, x = y[order], x[order]
            where = np.empty((len(y), 6), np.intp)
            where[:, :3], where[:, 3], where[:, 4] = (width, height, kind), x, y
            where[:, 5] = votes[y, x].astype(np.intp) * (width + height)  # a long outline meets edges less by chance
            found.append(where)
    if not found:
        return
    centers = np.concatenate(found)
    centers = centers[np.argsort(-centers[:, 5], kind="stable")[:MOST_CENTERS]].astype(np.intp)
    for width, height, kind in np.unique(centers[:, :3], axis=0).tolist():
        here = centers[(centers[:, :3] == (width, height, kind)).all(axis=1)]
        strokes = [WHITE] if PENS[kind].white else colors
        x, y = 2 * (here[:, 3] + left - PAD), 2 * (here[:, 4] + top - PAD)
        yield from _near(sheet, width, height, PENS[kind].pens, x, y, colors, strokes)


def lines(sheet: Sheet) -> Iterator[Leaf]:
    """Ellipses without an extent one way: lines, of which at least one end is visible."""
    hidden = sheet.labels == HIDDEN
    for color in range(COUNT):
        if color == WHITE:
            continue
        mask = (sheet.most[color] >= FAINTEST) & ~hidden
        for across in (True, False):
            places: dict[int, set[tuple[int, int]]] = {length: set() for length in range(1, 10)}
            for end, low, high, begins in _tips(mask.T if across else mask):
                for length, found in places.items():
                    near = 2 * end if begins else 2 * end - 12 * length
                    found |= set(product(range(near - 1, near + 2), range(2 * low, 2 * high + 1)))
            for length, found in places.items():
                if found:
                    corners = np.array(sorted(found)) - 2 * PAD
                    size = (length, 0) if across else (0, length)
                    yield from _strokes(sheet, *size, corners if across else corners[:, ::-1], color)


def _tips(mask: Mask) -> Iterator[tuple[int, int, int, bool]]:
    """Where short rows of a mask begin or end it: the border before or behind, the row's columns, and which it is."""
    padded = np.pad(mask, 1)
    for before, begins in ((padded[:-2], True), (padded[2:], False)):
        beside = before[:, 1:-1] | before[:, :-2] | before[:, 2:]
        steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        first_rows, firsts = np.nonzero(steps > 0)
        _, lasts = np.nonzero(steps < 0)
        for row, low, high in zip(first_rows.tolist(), firsts.tolist(), lasts.tolist(), strict=True):
            if high - low <= THICKEST and not beside[row, low:high].any():
                yield row if begins else row + 1, low, high, begins


def _strokes(sheet: Sheet, width: int, height: int, corners: Ints, color: int) -> Iterator[Leaf]:
    for phase in PHASES:
        here = corners[((corners % 2) == phase).all(axis=1)]
        if not len(here):
            continue
        x, y = here[:, 0] // 2 + PAD, here[:, 1] // 2 + PAD
        for pen in range(10):
            probe = stroke_probes(width, height, pen, *phase)[0]
            for i in np.flatnonzero(_test(sheet, probe, x, y, [color])[0]):
                yield _ellipse(here[i].tolist(), width, height, None, color, pen)


def _ellipse(corner: Sequence[int], width: int, height: int, fill: int | None, stroke: int | None, pen: int) -> Leaf:
    x, y = corner
    return Leaf(True, x, y, width, height, fill, stroke, pen)


def _edges(sheet: Sheet) -> Mask:
    """Pixels that are mixed, as an ellipse's edge makes them, and those beside them."""
    edges = sheet.labels == MIXED
    wide: Mask = edges.copy()
    wide[:, 1:] |= edges[:, :-1]
    wide[:, :-1] |= edges[:, 1:]
    edges = wide.copy()
    wide[1:] |= edges[:-1]
    wide[:-1] |= edges[1:]
    return wide


@lru_cache(maxsize=128)
def _outline(width: int, height: int, beyond: float) -> list[tuple[int, int]]:
    """Points of an ellipse that is larger by some pixels, in pixels from its centre."""
    turn = np.arange(POINTS) * (2 * np.pi / POINTS)
    a, b = 3 * width + beyond, 3 * height + beyond
    return [(round(a * np.cos(t)), round(b * np.sin(t))) for t in turn]


def _near(
    sheet: Sheet, width: int, height: int, pens: range, x: Ints, y: Ints, colors: list[int], possible: list[int]
) -> Iterator[Leaf]:
    """Ellipses of a size with centres (x, y), in half pixels, or beside them, that pass a first test."""
    steps = np.arange(-NEARBY, NEARBY + 1)
    corners = np.stack(
        np.broadcast_arrays((x - 6 * width)[:, None, None] + steps[:, None], (y - 6 * height)[:, None, None] + steps),
        axis=-1,
    ).reshape(-1, 2)
    corners = np.unique(corners, axis=0)
    for phase in PHASES:
        here = corners[((corners % 2) == phase).all(axis=1)]
        if len(here):
            yield from _painted(sheet, width, height, pens, here, phase, colors, possible)


def _painted(
    sheet: Sheet,
    width: int,
    height: int,
    pens: range,
    corners: Ints,
    phase: tuple[int, int],
    colors: list[int],
    possible: list[int],
) -> Iterator[Leaf]:
    x, y = corners[:, 0] // 2 + PAD, corners[:, 1] // 2 + PAD
    if 0 in pens:
        plain = _test(sheet, probe(width, height, *phase), x, y, colors)
        for color, good in zip(colors, plain, strict=True):
            for i in np.flatnonzero(good):
                yield _ellipse(corners[i].tolist(), width, height, color, None, 0)
    widest: dict[tuple[int, int, int | None], int] = {}  # pens by place, stroke and fill
    for pen in pens:
        ring, core = stroke_probes(width, height, pen, *phase)
        strokes = _test(sheet, ring, x, y, possible)
        if not strokes.any():
            continue
        fills = _test(sheet, core, x, y, colors)
        for stroke, good in zip(possible, strokes, strict=True):
            for k in np.flatnonzero(good).tolist():
                options = [fill for fill, inside in zip(colors, fills[:, k].tolist(), strict=True) if inside]
                if len(options) == len(colors):
                    options = [stroke]
                if stroke == WHITE:
                    for fill in options:
                        if fill != WHITE:
                            yield _ellipse(corners[k].tolist(), width, height, fill, stroke, pen)
                    continue
                for inner in (*options, None):
                    widest[k, stroke, inner] = max(pen, widest.get((k, stroke, inner), 1), key=weight_of)
    for (k, stroke, inner), pen in widest.items():
        yield _ellipse(corners[k].tolist(), width, height, inner, stroke, pen)


def _test(sheet: Sheet, probe: Probe, x: Ints, y: Ints, colors: list[int]) -> Mask:
    """Which colours (c, n) may have the probe's shares at places (n,)."""
    rows, columns = y[:, None] + probe.rows, x[:, None] + probe.columns
    inside = ((rows >= 0) & (columns >= 0) & (rows < sheet.labels.shape[0]) & (columns < sheet.labels.shape[1])).all(1)
    rows, columns = np.clip(rows, 0, sheet.labels.shape[0] - 1), np.clip(columns, 0, sheet.labels.shape[1] - 1)
    least = len(probe.rows) - len(probe.rows) // 8  # a pixel may hold three colours
    return np.stack(
        [((sheet.most[color][rows, columns] >= probe.shares).sum(axis=1) >= least) & inside for color in colors]
    )


@lru_cache(maxsize=8192)
def probe(width: int, height: int, x: int, y: int) -> Probe:
    """The pixels of an ellipse's inside, spread over its rim, without a stroke."""
    shape = stencil(True, width, height, 0, x, y)
    return _spread(shape.disc, (shape.disc > 0) & ((shape.disc < 1) | _rim(shape.disc >= 1)), shape.left, shape.top)


@lru_cache(maxsize=8192)
def stroke_probes(width: int, height: int, pen: int, x: int, y: int) -> tuple[Probe, Probe]:
    """The pixels of an ellipse's stroke, and of its inside within the stroke."""
    shape = stencil(True, width, height, pen, x, y)
    if not width or not height:
        return _spread(shape.ring, shape.ring > 0.02, shape.left, shape.top), NOWHERE
    inner = shape.disc * (1 - shape.ring)
    within = inner > 0.97
    if within.any():
        core = _spread(inner, within & (_rim(within)), shape.left, shape.top)
    else:
        core = _spread(inner, inner == inner.max(), shape.left, shape.top)
    return _spread(shape.ring, shape.ring > 0.02, shape.left, shape.top), core


def _rim(mask: Mask) -> Mask:
    """Pixels of a mask beside others."""
    padded = np.pad(mask, 1)
    return mask & ~(padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2])


def _spread(shares: npt.NDArray[np.float32], mask: Mask, left: int, top: int) -> Probe:
    """Some pixels of a mask, evenly taken in the order of their angle around its middle."""
    rows, columns = np.nonzero(mask)
    turn = np.arctan2(rows - (shares.shape[0] - 1) / 2, columns - (shares.shape[1] - 1) / 2)
    order = np.argsort(turn, kind="stable")
    taken = order[np.linspace(0, len(order) - 1, min(SAMPLES, len(order))).astype(np.intp)]
    rows, columns = rows[taken], columns[taken]
    least = np.maximum(shares[rows, columns] * 255 - TOLERANCE, 0).astype(np.int16)
    return Probe(rows + top, columns + left, least)
